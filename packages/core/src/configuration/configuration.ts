import type { Clock } from "../clock.ts";
import { CallError } from "../errors.ts";
import { atOnce, guarded } from "../guarded.ts";
import type { Conf, Req } from "../messages/actions.ts";
import { type OptionRule, type OptionRules, optionRules, takeOptions } from "../options.ts";
import { prefixOf } from "../store/own-keys.ts";
import { patient } from "../store/patient-store.ts";
import type { RecordStore, StoredRecord } from "../store/record-store.ts";
import { setAside } from "../store/stored-records.ts";
import {
  type ConfigurationKey,
  type ConfigurationKeyDefinition,
  type ConfigurationValue,
  type ConfigurationValueRange,
  type ConfigurationValueTypes,
  configurationKeys,
  formatConfigurationValue,
  isConfigurationValue,
  parseConfigurationValue,
} from "./configuration-keys.ts";

type Definitions = typeof configurationKeys;

/** The required keys of the Core profile: every charge point has them, and they always have a value. */
type CoreKey = {
  [K in ConfigurationKey]: Definitions[K] extends { profile: "Core"; required: true } ? K : never;
}[ConfigurationKey];

/** Those for which only the charge point knows a value. */
type GivenKey = { [K in CoreKey]: Definitions[K] extends { default: unknown } ? never : K }[CoreKey];

/** A value that may be left out where there is a default, or where the key may be known but not set. */
type InitialValue<K extends ConfigurationKey> = Definitions[K] extends { default: unknown } | { type: "string" }
  ? { readonly value?: ConfigurationValue<K> | undefined }
  : { readonly value: ConfigurationValue<K> };

type ReadOnly<K extends ConfigurationKey> = Definitions[K] extends { access: "RW" | "R or RW" }
  ? { readonly readonly?: boolean | undefined }
  : unknown;

/**
 * What a charge point says of a standard key that it has.
 *
 * - `value`: the initial value. Default: that of `configurationKeys`; a key of type string may be known but not set.
 * - `readonly`: `true` if the Central System cannot change the key on this charge point. The documents leave that to the
 *   charge point for the keys with access `R or RW`. For those with access `RW` it is better to say so than to reject
 *   every change. Default `false`.
 * - `accepts`: which of the values that the standard allows this charge point takes, for example which measurands it
 *   can measure. A list is accepted or refused as a whole. Default: all.
 */
export type ConfigurationKeyOptions<K extends ConfigurationKey> = InitialValue<K> &
  ReadOnly<K> & { readonly accepts?: ((value: ConfigurationValue<K>) => boolean) | undefined };

/** The standard keys that a charge point has. */
export type StandardKeys = { readonly [K in GivenKey]: ConfigurationKeyOptions<K> } & {
  readonly [K in Exclude<ConfigurationKey, GivenKey>]?: ConfigurationKeyOptions<K> | undefined;
};

/** Defines a key of the charge point's own. @spec OCPP 1.6 §5.3 [CFG-64] */
export type VendorKey = {
  [T in keyof ConfigurationValueTypes]: ConfigurationValueRange & {
    readonly type: T;
    /** `R`: the Central System can read it. `RW`: it can change it, too. `W`: it can change it, but never read it. */
    readonly access: "R" | "RW" | "W";
    /** The initial value. Default: known but not set. */
    readonly value?: ConfigurationValueTypes[T] | undefined;
    /** Which of the values in the range this charge point takes. Default: all. */
    readonly accepts?: ((value: ConfigurationValueTypes[T]) => boolean) | undefined;
  };
}[keyof ConfigurationValueTypes];

/** Keys of a charge point's own, by their names of at most 50 characters. */
export type VendorKeys = Readonly<Record<string, VendorKey>>;

type NoVendorKeys = Readonly<Record<never, VendorKey>>;

/** The values of all keys; `undefined` for a key that the charge point does not have, or that is not set. */
type Values<V extends VendorKeys> = {
  [K in ConfigurationKey]: ConfigurationValue<K> | (K extends CoreKey ? never : undefined);
} & {
  [K in keyof V]: ConfigurationValueTypes[V[K]["type"]] | (V[K] extends { value: unknown } ? never : undefined);
};

/** A new value of a key: a union, so `switch (change.key)` tells the type of `change.value`. */
export type ConfigurationChange<V extends VendorKeys = NoVendorKeys> = {
  [K in keyof Values<V>]: { readonly key: K; readonly value: NonNullable<Values<V>[K]> };
}[keyof Values<V>];

/** How a charge point receives a valid change: what ChangeConfiguration.conf will say. @spec OCPP 1.6 §7.22 */
export interface ConfigurationVerdict {
  readonly status: Exclude<Conf<"ChangeConfiguration">["status"], "NotSupported">;
}

/** What {@link Configuration.load} takes. */
export interface ConfigurationOptions<V extends VendorKeys = NoVendorKeys> {
  /**
   * The standard keys that the charge point has. The required keys of the Core profile and of the other
   * `SupportedFeatureProfiles` need not be mentioned where `configurationKeys` has a default.
   */
  readonly keys: StandardKeys;
  /** Keys of the charge point's own; their names differ from those of the standard keys. Default: none. */
  readonly vendorKeys?: (V & VendorKeys) | undefined;
  /** Keeps what was set, under keys that begin with `configuration/`. AuthorizationKey is in it in clear text. */
  readonly store: RecordStore;
  /**
   * Hears what went wrong without a caller who would: a damaged record, a store that failed, an exception out of
   * `accepts`, `approve` or a listener. What the library itself says in it contains no value. [SEC-A01-12]
   */
  readonly report: (error: Error) => void;
  /**
   * Decides about a ChangeConfiguration whose value is valid. `Accepted`: it takes effect at once. `RebootRequired`: it
   * is kept, and takes effect when the configuration is loaded again. Default: always `Accepted`.
   *
   * A rise of SecurityProfile to 2 or 3 needs certificates, which only the charge point knows of [SEC-A05-03, SEC-A05-04].
   */
  readonly approve?:
    | ((change: ConfigurationChange<V>) => ConfigurationVerdict | Promise<ConfigurationVerdict>)
    | undefined;
  /** How long the store is waited for goes by it. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

/** One key of this charge point. */
interface Setting {
  /** In its own spelling. */
  readonly key: string;
  readonly range: ConfigurationValueRange;
  /** `R`, `RW` or `W`, when the choices have been made. */
  readonly access: "R" | "RW" | "W";
  readonly accepts: (value: never) => boolean;
  /** The value that was set last, which is the one to tell. */
  latest: ConfigurationValue | undefined;
  /** The value that is obeyed; another one than `latest` until the reboot that `latest` requires. */
  inEffect: ConfigurationValue | undefined;
  /** What the store has. */
  record: string | undefined;
  /** How many changes of this key the Central System has asked for. */
  asked: number;
  /** Which of them was carried out last. */
  changed: number;
  readonly listeners: Set<(value: never) => void>;
}

const prefix = prefixOf("configuration");

/** CiString50 */
const maxKeyLength = 50;

/** Keys are equal if they differ in case only. [CORE-CC-10, Q28] */
const folded = (key: string): string => key.toLowerCase();

/**
 * The configuration of a charge point: which keys it has, their values, and the answers to GetConfiguration and
 * ChangeConfiguration.
 *
 * What the Central System may change is kept in a store, and so survives a restart; what it may only read is the
 * charge point's to say at every start.
 *
 * @spec OCPP 1.6 §5.3, §5.8, §9 [CFG-60 … CFG-64]
 */
export class Configuration<V extends VendorKeys = NoVendorKeys> {
  /** By folded key: the standard ones in the order of the table, then the charge point's own. */
  readonly #settings = new Map<string, Setting>();
  readonly #store: RecordStore;
  readonly #report: (error: Error) => void;
  readonly #approve: (change: never) => ConfigurationVerdict | Promise<ConfigurationVerdict>;
  /** Ends when all changes have that were begun. */
  #changing: Promise<unknown> = Promise.resolve();

  private constructor(options: ConfigurationOptions<V>) {
    const { keys, vendorKeys, store, report, approve, clock } = takeOptions("Configuration", options, rules);
    this.#store = patient(store, clock);
    this.#report = report;
    this.#approve = approve ?? (() => ({ status: "Accepted" }));
    for (const setting of [...standardSettings(keys), ...vendorSettings(vendorKeys ?? {})]) {
      if (this.#settings.has(folded(setting.key))) throw new TypeError(`There are two keys "${setting.key}".`);
      this.#settings.set(folded(setting.key), setting);
    }
    for (const setting of this.#settings.values()) {
      if (setting.latest !== undefined) this.#demand(setting, setting.latest);
    }
  }

  /**
   * Builds the configuration of a charge point, and gives its keys the values that were set before the restart.
   *
   * A record that is damaged, or whose value the charge point no longer takes, is set aside under `corrupt/` and
   * reported; the key has its initial value then. Records of keys that the charge point does not have are left alone.
   *
   * @throws TypeError A required key of a supported profile is missing, a key has no value of its type and range, two
   *   keys differ in case only, one of the options is not what it may be, or there is no such option.
   * @throws What the store rejects with when it cannot be read.
   * @spec [CFG-62, CFG-63]
   */
  static async load<const V extends VendorKeys = NoVendorKeys>(
    options: ConfigurationOptions<V>,
  ): Promise<Configuration<V>> {
    const configuration = new Configuration<V>(options);
    for (const record of await configuration.#store.load(prefix)) await configuration.#restore(record);
    return configuration;
  }

  /**
   * The value of a key that is in effect. Integers are in the key's unit, which for times is the second.
   *
   * @returns `undefined` if the charge point does not have the key, or if it is not set; neither happens to the
   *   required keys of the Core profile.
   */
  get<K extends keyof Values<V> & string>(key: K): Values<V>[K] {
    return this.#settings.get(folded(key))?.inEffect as Values<V>[K];
  }

  /**
   * Sets a key on behalf of the charge point itself, which may set read-only ones, too, and lower SecurityProfile.
   *
   * The value is in effect when the promise resolves.
   *
   * @throws TypeError The charge point does not have the key, or the value is not one of its type and range.
   * @throws Error The store failed, and the key has the value that it had.
   */
  async set<K extends keyof Values<V> & string>(key: K, value: NonNullable<Values<V>[K]>): Promise<void> {
    const setting = this.#settings.get(folded(key));
    if (setting === undefined) throw new TypeError(`This charge point has no configuration key "${key}".`);
    const copy = frozen(value as ConfigurationValue);
    await this.#inTurn(async () => {
      this.#demand(setting, copy);
      await this.#keep(setting, copy);
      this.#apply(setting, copy);
    });
  }

  /**
   * Calls a listener with each new value of a key once it is in effect: not before the reboot if it requires one, and
   * before the Central System has the answer.
   *
   * @returns The function that ends it.
   */
  listen<K extends keyof Values<V> & string>(key: K, listener: (value: NonNullable<Values<V>[K]>) => void): () => void {
    const listeners = this.#settings.get(folded(key))?.listeners;
    listeners?.add(listener);
    return () => void listeners?.delete(listener);
  }

  /**
   * Answers GetConfiguration. Keys are found in any case and told in their own spelling, each once. Write-only keys are
   * in neither list, because they are known and not to be told.
   *
   * @throws CallError `OccurenceConstraintViolation`: more keys are asked for than GetConfigurationMaxKeys. To
   *   answer some of them would look as if the others had been answered, too.
   * @spec OCPP 1.6 §5.8 [CORE-GC-01 … CORE-GC-08, CFG-60, QD-11, J-180]
   */
  getConfiguration({ key: asked = [] }: Req<"GetConfiguration">): Conf<"GetConfiguration"> {
    const maxKeys = this.get("GetConfigurationMaxKeys");
    if (asked.length > maxKeys) {
      throw new CallError(
        "OccurenceConstraintViolation",
        `${asked.length} keys were asked for; GetConfigurationMaxKeys is ${maxKeys}.`,
      );
    }
    const keys = new Map(asked.map((key) => [folded(key), key]));
    const known = [...this.#settings].filter(([name]) => asked.length === 0 || keys.has(name));
    const configurationKey = known.flatMap(([, setting]) => (setting.access === "W" ? [] : [keyValue(setting)]));
    const unknownKey = [...keys].filter(([name]) => !this.#settings.has(name)).map(([, key]) => key);
    return unknownKey.length === 0 ? { configurationKey } : { configurationKey, unknownKey };
  }

  /**
   * Answers ChangeConfiguration. A change is in the store before it is answered with Accepted or RebootRequired; if
   * the store fails, it is Rejected, and nothing has changed. So is one that a later change of the same key has overtaken
   * while `approve` was deciding.
   *
   * @spec OCPP 1.6 §5.3 [CORE-CC-01 … CORE-CC-12, CORE-MTR-09, J-152, SEC-A05-01, SEC-A05-02]
   */
  async changeConfiguration({ key, value }: Req<"ChangeConfiguration">): Promise<Conf<"ChangeConfiguration">> {
    const setting = this.#settings.get(folded(key));
    if (setting === undefined) return { status: "NotSupported" };
    try {
      return await this.#change(setting, value);
    } catch (error) {
      this.#tell(error);
      return { status: "Rejected" };
    }
  }

  async #change(setting: Setting, text: string): Promise<ConfigurationVerdict> {
    const number = ++setting.asked;
    const value = parseConfigurationValue(setting.range, text);
    if (value === undefined || !this.#mayChange(setting, value)) return { status: "Rejected" };
    const { status } = await this.#approve({ key: setting.key, value } as never);
    if (status !== "Accepted" && status !== "RebootRequired") return { status: "Rejected" };
    return this.#inTurn(async () => {
      // Something else may have changed while the charge point was thinking; what was asked for last is what stays.
      if (number < setting.changed || !this.#mayChange(setting, value)) return { status: "Rejected" };
      await this.#keep(setting, value);
      setting.changed = number;
      if (status === "Accepted") this.#apply(setting, value);
      return { status };
    });
  }

  /** Whether the Central System may give a key this value. */
  #mayChange(setting: Setting, value: ConfigurationValue): boolean {
    if (setting.access === "R" || !this.#takes(setting, value)) return false;
    return setting.key !== ("SecurityProfile" satisfies ConfigurationKey) || this.#mayRaise(value as number);
  }

  /** SEC-A05-01: only upwards. SEC-A05-02: profiles 1 and 2 need a password, and AuthorizationKey holds valid ones only. */
  #mayRaise(profile: number): boolean {
    const latest = (key: ConfigurationKey) => this.#settings.get(folded(key))?.latest;
    return profile > Number(latest("SecurityProfile")) && (profile === 3 || latest("AuthorizationKey") !== undefined);
  }

  /** Whether a value is one of the key's, and one that the charge point takes. */
  #takes({ key, range, accepts }: Setting, value: ConfigurationValue): boolean {
    if (!isConfigurationValue(range, value)) return false;
    // CORE-CC-06
    const maxLength = this.#settings.get(folded(`${key}MaxLength`))?.inEffect;
    if (Array.isArray(value) && typeof maxLength === "number" && value.length > maxLength) return false;
    return atOnce("accepts", accepts(value as never));
  }

  #demand(setting: Setting, value: ConfigurationValue): void {
    if (this.#takes(setting, value)) return;
    throw new TypeError(`The value of ${setting.key} is none that this key takes on this charge point.`);
  }

  /** Does one change after the other, so that none is undone into another. */
  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const result = this.#changing.then(change);
    this.#changing = result.catch(() => {});
    return result;
  }

  /** Writes down what survives a restart, then makes it the value to tell. */
  async #keep(setting: Setting, value: ConfigurationValue): Promise<void> {
    if (setting.access !== "R") {
      const record = JSON.stringify(formatConfigurationValue(value));
      try {
        await this.#store.put(prefix + setting.key, record);
      } catch (cause) {
        await this.#undo(setting);
        throw new Error(`${setting.key} was not changed, because the store failed.`, { cause });
      }
      setting.record = record;
    }
    setting.latest = value;
  }

  /** A write that failed may have happened all the same: a password that was refused must not come back by a restart. */
  async #undo({ key, record }: Setting): Promise<void> {
    try {
      await (record === undefined ? this.#store.delete(prefix + key) : this.#store.put(prefix + key, record));
    } catch {
      // The failure that led here is the one to report.
    }
  }

  #apply(setting: Setting, value: ConfigurationValue): void {
    setting.inEffect = value;
    for (const listener of setting.listeners) {
      guarded(
        () => listener(value as never),
        (error) => this.#tell(error),
      );
    }
  }

  /** Takes what was set before the restart. */
  async #restore({ key: name, value: record }: StoredRecord): Promise<void> {
    const setting = this.#settings.get(folded(name.slice(prefix.length)));
    // Another version of the charge point may have a use for it.
    if (setting?.key !== name.slice(prefix.length) || setting.access === "R") return;
    try {
      const value = parseConfigurationValue(setting.range, textOf(record));
      if (value === undefined || !this.#takes(setting, value)) throw new TypeError("It is no value of this key.");
      Object.assign(setting, { latest: value, inEffect: value, record });
    } catch (cause) {
      const stored = { key: name, value: record };
      await setAside(this.#store, stored, "is no value of its key", (error) => this.#tell(error), cause);
    }
  }

  /** Whoever hears of a failure must not cause another. */
  #tell(error: unknown): void {
    const failure =
      error instanceof Error ? error : new Error("Something that is no Error was thrown.", { cause: error });
    const lost = (): void => {}; // Like what a listener of `fault` throws.
    guarded(() => this.#report(failure), lost);
  }
}

/** The standard keys that a charge point has, in the order of the table. */
function standardSettings(keys: StandardKeys): readonly Setting[] {
  const unknown = Object.keys(keys).find((key) => !Object.hasOwn(configurationKeys, key));
  if (unknown !== undefined) throw new TypeError(`"${unknown}" is no standard key: define it in vendorKeys.`);
  const profiles: readonly unknown[] = ["Core", ...(keys.SupportedFeatureProfiles?.value ?? [])];
  return Object.entries<ConfigurationKeyDefinition>(configurationKeys).flatMap(([key, definition]) => {
    const { required, profile, whenReadOnly } = definition;
    const given: AnyOptions | undefined = keys[key as ConfigurationKey];
    if (given === undefined && !(required && profiles.includes(profile))) return []; // CORE-GEN-04
    const options = takeOptions(key, given ?? {}, keyRules);
    const readonly = definition.access === "R" || (definition.access !== "W" && options.readonly === true);
    const value = options.value ?? (readonly ? (whenReadOnly ?? definition.default) : definition.default);
    if (value === undefined && definition.type !== "string") {
      throw new TypeError(`${key} must be given a value: this charge point has the key, and there is no default.`);
    }
    const access = readonly ? "R" : definition.access === "W" ? "W" : "RW";
    const fixed = readonly ? whenReadOnly : undefined;
    const accepts = (value: never) => (fixed ?? value) === value && (options.accepts?.(value) ?? true);
    return [settingOf(key, definition, access, value, accepts)];
  });
}

/** The options of any standard key, when it does not matter which. */
interface AnyOptions {
  readonly value?: ConfigurationValue | undefined;
  readonly readonly?: boolean | undefined;
  readonly accepts?: ((value: never) => boolean) | undefined;
}

/** A {@link VendorKey}, when it does not matter of which type. */
interface AnyVendorKey extends ConfigurationValueRange {
  readonly access: Setting["access"];
  readonly value?: ConfigurationValue | undefined;
  readonly accepts?: ((value: never) => boolean) | undefined;
}

const { callback, flag, object, oneOf, store, whole, required: must } = optionRules;

const rules: OptionRules<ConfigurationOptions> = {
  keys: must(object("the standard keys")),
  vendorKeys: object("keys of the charge point's own"),
  store: must(store),
  report: must(callback),
  approve: callback,
  clock: optionRules.clock,
};

/** What it is worth is for the key's type and range to say. */
const anything: OptionRule = { give: "", takes: () => true };

const keyRules: OptionRules<AnyOptions> = { value: anything, readonly: flag, accepts: callback };

const vendorKeyRules: OptionRules<AnyVendorKey> = {
  type: must(oneOf("boolean", "integer", "CSL", "string")),
  access: must(oneOf("R", "RW", "W")),
  value: anything,
  accepts: callback,
  minimum: whole(Number.MIN_SAFE_INTEGER),
  maximum: whole(Number.MIN_SAFE_INTEGER),
  pattern: { give: "a regular expression", takes: (value) => value instanceof RegExp },
};

function vendorSettings(keys: VendorKeys): readonly Setting[] {
  const standardNames = new Set(Object.keys(configurationKeys).map(folded));
  return Object.entries(keys).map(([key, given]) => {
    const definition = takeOptions<AnyVendorKey>(key, given, vendorKeyRules);
    if (standardNames.has(folded(key))) throw new TypeError(`"${key}" is a standard key: define it in keys.`);
    if ([...key].length > maxKeyLength) throw new TypeError(`"${key}" has more than ${maxKeyLength} characters.`);
    return settingOf(key, definition, definition.access, definition.value, definition.accepts ?? (() => true));
  });
}

function settingOf(
  key: string,
  range: ConfigurationValueRange,
  access: Setting["access"],
  initial: ConfigurationValue | undefined,
  accepts: Setting["accepts"],
): Setting {
  const value = initial === undefined ? undefined : frozen(initial);
  return {
    key,
    range,
    access,
    accepts,
    latest: value,
    inEffect: value,
    record: undefined,
    asked: 0,
    changed: 0,
    listeners: new Set(),
  };
}

/**
 * Reads a record. They are JSON strings, because one that was cut off is none any more, while `30` could be all that is
 * left of `300`. What `JSON.parse` throws quotes the text, which may be a password. [SEC-A01-12]
 */
function textOf(record: string): string {
  let text: unknown;
  try {
    text = JSON.parse(record);
  } catch {
    // Told below, without the text.
  }
  if (typeof text !== "string") throw new TypeError("It is damaged.");
  return text;
}

function keyValue({ key, access, latest }: Setting): NonNullable<Conf<"GetConfiguration">["configurationKey"]>[number] {
  const known = { key, readonly: access === "R" };
  return latest === undefined ? known : { ...known, value: formatConfigurationValue(latest) };
}

/** A list is copied, so that nobody changes a value from outside. */
function frozen(value: ConfigurationValue): ConfigurationValue {
  return Array.isArray(value) ? Object.freeze([...value]) : value;
}
