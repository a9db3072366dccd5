import type { Req } from "../messages/actions.ts";
import { parseReq } from "../messages/validate.ts";
import { type OptionRule, type OptionRules, optionRules, takeOptions } from "../options.ts";
import {
  type ChargingProfile,
  type FrozenChargingProfile,
  frozen,
  type InstalledProfile,
  type Limit,
} from "./charging-profile.ts";
import {
  type ChargingProfileKeys,
  type ChargingTransaction,
  defaultKeys,
  type ProfileRefusal,
  refusalOf,
} from "./installation.ts";
import type { ConnectorLayers, Grid, Layer } from "./limits.ts";
import { timetableOf } from "./timetable.ts";

/** What {@link ChargingProfiles} need to know of a charge point. */
export interface ChargingProfilesOptions extends ChargingProfileKeys {
  /** What each connector can deliver, by its number, which begins with 1. */
  readonly connectors: Readonly<Record<number, Limit>>;
  /**
   * What the charge point can deliver, where that is less than its connectors could together. It bounds each of them, too:
   * dividing it among those that charge is left to you.
   */
  readonly maximum?: Limit | undefined;
  /** Between a phase and neutral, nominal, in V. Default 230. [SC-38] */
  readonly voltage?: number | undefined;
  /** How many phases limits speak of that do not say. Default 3. [SC-38] */
  readonly numberPhases?: number | undefined;
}

/** What has become of a profile. */
export type ProfileVerdict =
  | {
      readonly status: "Accepted";
      readonly profiles: ChargingProfiles;
      /** What it has replaced. */
      readonly replaced: readonly InstalledProfile[];
    }
  | ({ readonly status: "Refused"; readonly profiles: ChargingProfiles } & ProfileRefusal);

/** Which profiles: with `id` that one, else those that match all that is given. */
export type ProfileFilter = Req<"ClearChargingProfile">;

const isLimit = (value: unknown): value is Limit => {
  const { limit, numberPhases = 1, unit } = (value ?? {}) as Partial<Limit>;
  const hasPhases = optionRules.whole(1, 3).takes(numberPhases);
  return optionRules.number("", 0).takes(limit) && (unit === "A" || unit === "W") && hasPhases;
};

const limitRule: OptionRule = { give: 'a limit, for example { limit: 32, unit: "A" }', takes: isLimit };

const connectorsRule: OptionRule = {
  give: 'the limit of each connector by its number, for example { 1: { limit: 32, unit: "A" } }',
  takes: (value) =>
    typeof value === "object" &&
    value !== null &&
    Object.keys(value).length > 0 &&
    Object.keys(value).every((key) => /^[1-9]\d{0,8}$/.test(key)) &&
    Object.values(value).every(isLimit),
};

const unitsRule: OptionRule = {
  give: 'a list of "Current" and "Power"',
  takes: (value) =>
    Array.isArray(value) && value.length > 0 && value.every((unit) => unit === "Current" || unit === "Power"),
};

export const chargingProfilesRules: OptionRules<ChargingProfilesOptions> = {
  connectors: optionRules.required(connectorsRule),
  maximum: limitRule,
  voltage: optionRules.number("a voltage in V", Number.MIN_VALUE),
  numberPhases: optionRules.whole(1, 3),
  chargeProfileMaxStackLevel: optionRules.whole(0),
  chargingScheduleAllowedChargingRateUnit: unitsRule,
  chargingScheduleMaxPeriods: optionRules.whole(1),
  maxChargingProfilesInstalled: optionRules.whole(1),
};

/** What does not change when profiles do. */
interface ChargePointFacts {
  readonly connectors: ReadonlyMap<number, Limit>;
  readonly maximum: Limit | undefined;
  readonly grid: Grid;
  readonly keys: typeof defaultKeys;
}

/** What changes. */
interface State {
  /** By id, in its order. */
  readonly installed: readonly InstalledProfile[];
  readonly transactions: ReadonlyMap<number, ChargingTransaction>;
}

/**
 * The charging profiles of a charge point, and the transactions that they apply to: a value, which never changes. What is
 * done to it gives another one.
 *
 * @spec OCPP 1.6 §3.13, §5.5, §5.16
 */
export class ChargingProfiles {
  readonly #facts: ChargePointFacts;
  readonly #state: State;

  /** What was made of the value, which never changes, by connector. */
  readonly #layers = new Map<number, ConnectorLayers>();
  #wholeLayer: Layer | undefined;

  private constructor(facts: ChargePointFacts, state: State) {
    this.#facts = facts;
    this.#state = state;
    Object.freeze(state.installed);
  }

  /**
   * None yet.
   *
   * @throws TypeError One of the options is not what it may be, or there is no such option.
   */
  static none(options: ChargingProfilesOptions): ChargingProfiles {
    const taken = takeOptions("ChargingProfiles", options, chargingProfilesRules);
    const { connectors, maximum, numberPhases = 3, voltage = 230, ...keys } = taken;
    const limits = Object.entries(connectors).map(([id, limit]) => [Number(id), { ...limit }] as const);
    const facts: ChargePointFacts = {
      connectors: new Map(limits),
      maximum: maximum && { ...maximum },
      grid: { voltage, numberPhases },
      keys: { ...defaultKeys, ...(keys as Partial<typeof defaultKeys>) },
    };
    return new ChargingProfiles(facts, { installed: [], transactions: new Map() });
  }

  /** All that are installed, in the order of their ids. */
  get installed(): readonly InstalledProfile[] {
    return this.#state.installed;
  }

  /** The numbers of the connectors. */
  get connectorIds(): readonly number[] {
    return [...this.#facts.connectors.keys()];
  }

  /** The transaction that runs on a connector. */
  transaction(connectorId: number): ChargingTransaction | undefined {
    return this.#state.transactions.get(connectorId);
  }

  /**
   * Installs a profile. It replaces the one with its id, wherever that was, and the one with its purpose and level on the
   * same connector; where there is no room otherwise, also those that never say anything again. Nothing is replaced by a
   * profile that is refused.
   *
   * @param at - Now, in milliseconds since the epoch; without it all that are installed take room.
   * @throws PayloadError The profile, or the number of the connector, violates the schema of SetChargingProfile.req.
   * @spec OCPP 1.6 §3.13.2, §5.16 [SC-15 … SC-17, SC-19, SC-56 … SC-63]
   */
  set(
    connectorId: number,
    given: ChargingProfile | FrozenChargingProfile,
    at: number = Number.NEGATIVE_INFINITY,
  ): ProfileVerdict {
    return this.#install({ connectorId, given, at, most: this.#facts.keys.maxChargingProfilesInstalled });
  }

  /** Internal: installs again what was accepted once, however many there are. */
  restore(connectorId: number, given: FrozenChargingProfile): ProfileVerdict {
    return this.#install({ connectorId, given, at: Number.NEGATIVE_INFINITY, most: Number.POSITIVE_INFINITY });
  }

  /**
   * Clears profiles.
   *
   * @returns `Unknown` when none matches.
   * @spec OCPP 1.6 §5.5, §6.13 [SC-70 … SC-77]
   */
  clear(filter: ProfileFilter = {}): { readonly status: "Accepted" | "Unknown"; readonly profiles: ChargingProfiles } {
    const kept = this.installed.filter((each) => !matches(each, filter));
    if (kept.length === this.installed.length) return { status: "Unknown", profiles: this };
    return { status: "Accepted", profiles: this.#with({ installed: kept }) };
  }

  /**
   * Says that a transaction has started on a connector, or that its id is known now. One with another id than the one before
   * is another one: the profiles of that are over.
   *
   * @param transaction - `startedAt` in milliseconds since the epoch.
   * @spec OCPP 1.6 §3.13.1 [SC-07, SC-08, SC-12]
   */
  startedTransaction(connectorId: number, transaction: ChargingTransaction): ChargingProfiles {
    const { transactionId: before = transaction.transactionId } = this.transaction(connectorId) ?? {};
    const ended = before === transaction.transactionId ? this : this.endedTransaction(connectorId);
    return ended.runsTransaction(connectorId, transaction);
  }

  /** Internal: says which transaction counts on a connector, where others may run beside it. */
  runsTransaction(connectorId: number, transaction: ChargingTransaction): ChargingProfiles {
    const transactions = new Map(this.#state.transactions).set(connectorId, frozen({ ...transaction }));
    return this.#with({ transactions });
  }

  /**
   * Says that the transaction of a connector is over, and its profiles with it.
   *
   * @spec OCPP 1.6 §3.13.1, §7.10 [SC-08]
   */
  endedTransaction(connectorId: number): ChargingProfiles {
    const transactions = new Map(this.#state.transactions);
    transactions.delete(connectorId);
    const installed = this.installed.filter((each) => each.connectorId !== connectorId || !isTx(each));
    return this.#with({ installed, transactions });
  }

  /**
   * Internal: the layers of a connector.
   *
   * @throws RangeError There is no such connector.
   */
  layersOf(connectorId: number): ConnectorLayers {
    let layers = this.#layers.get(connectorId);
    if (layers === undefined) {
      layers = this.#layersOf(connectorId);
      this.#layers.set(connectorId, layers);
    }
    return layers;
  }

  #layersOf(connectorId: number): ConnectorLayers {
    const maximum = this.#facts.connectors.get(connectorId);
    if (maximum === undefined) throw new RangeError(`There is no connector ${connectorId}.`);
    const own = this.#layer("TxDefaultProfile", connectorId);
    const shared = this.#layer("TxDefaultProfile", 0);
    const maskedUntil = new Map<InstalledProfile, number>();
    for (const each of shared) {
      const mask = own.find(({ profile }) => profile.stackLevel === each.profile.stackLevel);
      if (mask !== undefined) maskedUntil.set(each, timetableOf(mask.profile).validTo);
    }
    return {
      maximum,
      chargePointMaximum: this.#facts.maximum,
      tx: this.#layer("TxProfile", connectorId),
      txDefault: [...own, ...shared].sort(highestFirst),
      maskedUntil,
      startedAt: this.transaction(connectorId)?.startedAt,
    };
  }

  /** Internal: the layer that bounds the charge point as a whole. */
  get chargePointLayer(): Layer {
    this.#wholeLayer ??= this.#layer("ChargePointMaxProfile", 0);
    return this.#wholeLayer;
  }

  /** Internal: what the charge point can deliver. */
  get maximum(): Limit | undefined {
    return this.#facts.maximum;
  }

  /** Internal. */
  get grid(): Grid {
    return this.#facts.grid;
  }

  /** @param on.most - How many there may be. */
  #install({
    connectorId,
    given,
    at,
    most,
  }: {
    readonly connectorId: number;
    readonly given: ChargingProfile | FrozenChargingProfile;
    readonly at: number;
    readonly most: number;
  }): ProfileVerdict {
    const req = { connectorId, csChargingProfiles: given };
    const profile = frozen(parseReq("SetChargingProfile", req, "local").csChargingProfiles);
    const { connectors, keys } = this.#facts;
    const set = frozen({ connectorId, profile });
    const others = this.installed.filter((other) => !isReplaced(other, set));
    const rest = others.length < most ? others : others.filter((other) => timetableOf(other.profile).overAt > at);
    const refusal = refusalOf({
      connectorId,
      profile,
      keys: { ...keys, maxChargingProfilesInstalled: most },
      isConnector: (id) => connectors.has(id),
      transaction: this.transaction(connectorId) ?? null,
      installed: rest.length + 1,
    });
    if (refusal !== undefined) return { status: "Refused", profiles: this, ...refusal };
    const replaced = this.installed.filter((other) => !rest.includes(other));
    return { status: "Accepted", profiles: this.#with({ installed: [...rest, set].sort(byId) }), replaced };
  }

  #layer(purpose: ChargingProfile["chargingProfilePurpose"], at: number): Layer {
    return this.installed
      .filter(({ connectorId, profile }) => connectorId === at && profile.chargingProfilePurpose === purpose)
      .sort(highestFirst);
  }

  #with(changes: Partial<State>): ChargingProfiles {
    return new ChargingProfiles(this.#facts, { ...this.#state, ...changes });
  }
}

const byId = (a: InstalledProfile, b: InstalledProfile): number =>
  a.profile.chargingProfileId - b.profile.chargingProfileId;

const highestFirst = (a: InstalledProfile, b: InstalledProfile): number => b.profile.stackLevel - a.profile.stackLevel;

const isTx = ({ profile }: InstalledProfile): boolean => profile.chargingProfilePurpose === "TxProfile";

/** SC-15, SC-16: whether one profile replaces another one. */
export function isReplaced(other: InstalledProfile, { connectorId, profile }: InstalledProfile): boolean {
  if (other.profile.chargingProfileId === profile.chargingProfileId) return true;
  return (
    other.connectorId === connectorId &&
    other.profile.chargingProfilePurpose === profile.chargingProfilePurpose &&
    other.profile.stackLevel === profile.stackLevel
  );
}

/** SC-72 … SC-75 */
export function matches({ connectorId, profile }: InstalledProfile, filter: ProfileFilter): boolean {
  if (filter.id !== undefined) return profile.chargingProfileId === filter.id;
  return (
    (filter.connectorId ?? connectorId) === connectorId &&
    (filter.chargingProfilePurpose ?? profile.chargingProfilePurpose) === profile.chargingProfilePurpose &&
    (filter.stackLevel ?? profile.stackLevel) === profile.stackLevel
  );
}
