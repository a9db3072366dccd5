import {
  type ConfigurationKey,
  type ConfigurationValue,
  type ConfigurationValueRange,
  configurationKeys,
  formatConfigurationValue,
  isConfigurationValue,
} from "../configuration/configuration-keys.ts";
import { digest } from "../digest.ts";
import { type OptionRules, takeOptions } from "../options.ts";
import { foldKey } from "./configured-charger.ts";

type Definitions = typeof configurationKeys;

/**
 * The standard keys that a configuration can want. AuthorizationKey and SecurityProfile are not among them, because a
 * Charge Point can be locked out with them: `KnownCredentials` changes them.
 */
export type WantableKey = Exclude<
  { [K in ConfigurationKey]: Definitions[K]["access"] extends "RW" | "R or RW" ? K : never }[ConfigurationKey],
  "SecurityProfile"
>;

/** The configuration that a Charge Point should have. What is not mentioned may be as it is. */
export interface WantedConfiguration {
  /** Integers are in the key's unit, which for times is the second. */
  readonly keys?: { readonly [K in WantableKey]?: ConfigurationValue<K> } | undefined;
  /** Keys that the standard does not know. How a value is compared goes by what it is here. */
  readonly vendorKeys?: Readonly<Record<string, ConfigurationValue>> | undefined;
}

/** One key that a Charge Point should have set. */
export interface WantedKey {
  readonly key: string;
  readonly type: ConfigurationValueRange["type"];
  readonly value: ConfigurationValue;
}

const isPlainObject = (value: unknown): boolean => typeof value === "object" && value !== null && !Array.isArray(value);

const values = { give: "an object with a value for each key", takes: isPlainObject };
const rules: OptionRules<WantedConfiguration> = { keys: values, vendorKeys: values };

/** CiString50 */
const maxKeyLength = 50;

/**
 * Takes a configuration, which may come from a file.
 *
 * @throws TypeError A key is not one that can be wanted, its value is not of its type and range, or two keys differ in
 * case only. No value is told: it may be a secret.
 */
export function takeWantedConfiguration(wanted: WantedConfiguration): readonly WantedKey[] {
  const { keys = {}, vendorKeys = {} } = takeOptions("a wanted configuration", wanted, rules);
  const taken = [...Object.entries(keys).map(standardKey), ...Object.entries(vendorKeys).map(vendorKey)];
  const folded = new Set(taken.map(({ key }) => foldKey(key)));
  if (folded.size < taken.length) throw new TypeError("Two of the keys that are wanted differ in case only.");
  return taken;
}

function standardKey([key, value]: readonly [string, unknown]): WantedKey {
  if (!Object.hasOwn(configurationKeys, key)) {
    throw new TypeError(
      `The standard has no configuration key "${key.slice(0, maxKeyLength)}". Is it one of vendorKeys?`,
    );
  }
  const range: ConfigurationValueRange & { readonly access: string } = configurationKeys[key as ConfigurationKey];
  if (range.access === "R") throw new TypeError(`${key} can only be read.`);
  if (key === "AuthorizationKey" || key === "SecurityProfile") {
    throw new TypeError(`${key} locks out whoever loses the answer. Change it with KnownCredentials.`);
  }
  return wantedKey(key, range, value);
}

const standardNames = /* @__PURE__ */ new Set(/* @__PURE__ */ Object.keys(configurationKeys).map(foldKey));

function vendorKey([key, value]: readonly [string, unknown]): WantedKey {
  if (key === "" || [...key].length > maxKeyLength) throw new TypeError("A configuration key has 1 to 50 characters.");
  if (standardNames.has(foldKey(key))) throw new TypeError(`${key} is a standard key. It belongs to keys.`);
  const types = { boolean: "boolean", number: "integer", string: "string" } as const;
  const type = types[typeof value as keyof typeof types] ?? "CSL";
  return wantedKey(key, { type, minimum: Number.MIN_SAFE_INTEGER }, value);
}

function wantedKey(key: string, range: ConfigurationValueRange, value: unknown): WantedKey {
  if (!isConfigurationValue(range, value)) throw new TypeError(`What is wanted of ${key} is no value of it.`);
  return { key, type: range.type, value: Array.isArray(value) ? [...value] : value };
}

/**
 * Whether a text that a Charge Point told means the value that is wanted: booleans in any case, integers however they are
 * written, lists in any order and case and with any blanks, other texts as they are. A key that is not set means "".
 *
 * @spec [CORE-CC-10, CORE-CC-11, Q28]
 */
export function isMeant({ type, value }: WantedKey, told = ""): boolean {
  const text = told.trim();
  switch (type) {
    case "boolean":
      return text.toLowerCase() === String(value);
    case "integer":
      return text !== "" && Number(text) === value;
    case "CSL":
      return itemsOf(text) === itemsOf(formatConfigurationValue(value));
    case "string":
      return told === value;
  }
}

/** A digest of what is wanted of a key, the same for all that mean the same: it may be a secret. */
export const meaningOf = ({ key, type, value }: WantedKey): string => {
  const text = formatConfigurationValue(value);
  return digest(JSON.stringify([foldKey(key), type === "CSL" ? itemsOf(text) : text]));
};

function itemsOf(list: string): string {
  const items = list.split(",").map((item) => item.trim().toLowerCase());
  return [...new Set(items)]
    .filter((item) => item !== "")
    .sort()
    .join();
}
