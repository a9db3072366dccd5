/*
 * Which profiles a charge point takes: the rules in the order in which they are asked, each with its reason in words.
 *
 * What a Central System does not know of a charger, the transaction that runs on a connector say, it leaves out: then the
 * rules that need it hold.
 */

import type { ChargingProfile, FrozenChargingProfile } from "./charging-profile.ts";

/** The configuration keys that bound profiles. @spec OCPP 1.6 §9.4 [SC-27, SC-45] */
export interface ChargingProfileKeys {
  /** Levels go from 0 to this. Default 10. */
  readonly chargeProfileMaxStackLevel?: number | undefined;
  /** Which units schedules may have: `Current` is A, `Power` is W. Default both. */
  readonly chargingScheduleAllowedChargingRateUnit?: readonly ("Current" | "Power")[] | undefined;
  /** How many periods a schedule may have. Default 100. */
  readonly chargingScheduleMaxPeriods?: number | undefined;
  /** How many profiles may be installed, the default of all connectors counted once. Default 100. */
  readonly maxChargingProfilesInstalled?: number | undefined;
}

export const defaultKeys: Required<{ [K in keyof ChargingProfileKeys]: NonNullable<ChargingProfileKeys[K]> }> = {
  chargeProfileMaxStackLevel: 10,
  chargingScheduleAllowedChargingRateUnit: ["Current", "Power"],
  chargingScheduleMaxPeriods: 100,
  maxChargingProfilesInstalled: 100,
};

/** A transaction, as far as it matters to profiles. */
export interface ChargingTransaction {
  /** When charging began, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** The id that the Central System gave it, once it is known. */
  readonly transactionId?: number | undefined;
}

/** A profile that is to be installed, and what is known of where. */
export interface Installation {
  readonly connectorId: number;
  readonly profile: FrozenChargingProfile;
  readonly keys: typeof defaultKeys;
  /** Whether there is such a connector; `undefined`: that is not known. */
  readonly isConnector: ((connectorId: number) => boolean) | undefined;
  /** What runs on the connector; `null`: nothing, `undefined`: that is not known. */
  readonly transaction: ChargingTransaction | null | undefined;
  /** How many profiles there would be then. */
  readonly installed: number;
}

/**
 * What is wrong about a profile, or with where it is set. `not-kept`: the store did not take it; `transaction-ended`: that
 * of a TxProfile did, before it was kept.
 */
export type ProfileRule = keyof typeof rules | "not-kept" | "transaction-ended";

/** Why a profile is not taken. */
export interface ProfileRefusal {
  readonly rule: ProfileRule;
  /** `PropertyConstraintViolation`: with a CALLERROR. */
  readonly answer: "Rejected" | "PropertyConstraintViolation";
  /** A sentence: what is wrong, and what would be right. */
  readonly message: string;
}

/** Each says what is wrong, or `undefined`. */
const rules = {
  /** SC-57 */
  "unknown-connector": ({ connectorId, isConnector }) =>
    connectorId === 0 || (isConnector?.(connectorId) ?? true) ? undefined : `There is no connector ${connectorId}.`,

  /** SC-06, SC-60 */
  "tx-profile-at-0": ({ connectorId, profile }) =>
    isTx(profile) && connectorId === 0 ? "A TxProfile is of one connector, not of connector 0." : undefined,

  /** SC-09, SC-63 */
  "no-transaction": ({ connectorId, profile, transaction }) =>
    isTx(profile) && transaction === null
      ? `A TxProfile needs a transaction, and none runs on connector ${connectorId}.`
      : undefined,

  /** SC-51, SC-61. Without an id it is for the transaction that runs. */
  "other-transaction": ({ profile, transaction }) => {
    const { transactionId } = profile;
    const isOther =
      isTx(profile) && transaction && transactionId !== undefined && transactionId !== transaction.transactionId;
    if (!isOther) return undefined;
    const { transactionId: running = "one whose id is not known yet" } = transaction;
    return `The profile is for transaction ${transactionId}, and the one that runs is ${running}.`;
  },

  /** SC-45, SC-62 */
  "stack-level": ({ profile, keys: { chargeProfileMaxStackLevel: most } }) =>
    profile.stackLevel > most
      ? `The stack level is ${profile.stackLevel}; the highest is ${most} (ChargeProfileMaxStackLevel).`
      : undefined,

  /** SC-62 */
  periods: ({ profile, keys: { chargingScheduleMaxPeriods: most } }) => {
    const { length } = profile.chargingSchedule.chargingSchedulePeriod;
    return length > most
      ? `The schedule has ${length} periods; at most ${most} may be (ChargingScheduleMaxPeriods).`
      : undefined;
  },

  /** SC-62 */
  unit: ({ profile, keys: { chargingScheduleAllowedChargingRateUnit: allowed } }) => {
    const { chargingRateUnit } = profile.chargingSchedule;
    return allowed.includes(chargingRateUnit === "A" ? "Current" : "Power")
      ? undefined
      : `Schedules in ${chargingRateUnit} are not taken; ${allowed} is (ChargingScheduleAllowedChargingRateUnit).`;
  },

  /** SC-62 */
  installed: ({ installed, keys: { maxChargingProfilesInstalled: most } }) =>
    installed > most ? `${most} profiles are installed already (MaxChargingProfilesInstalled).` : undefined,

  /** SC-02, SC-60 */
  "charge-point-max-at-connector": ({ connectorId, profile }) =>
    profile.chargingProfilePurpose === "ChargePointMaxProfile" && connectorId !== 0
      ? "A ChargePointMaxProfile is set at connector 0."
      : undefined,

  /** SC-29 */
  "first-period": ({ profile }) => {
    const [first] = profile.chargingSchedule.chargingSchedulePeriod;
    return first?.startPeriod === 0 ? undefined : "The first period has to have startPeriod 0.";
  },

  /** SC-30, SC-31: the last one that has begun counts. Out of order, nobody could say which that is. */
  "rising-periods": ({ profile }) => {
    const starts = profile.chargingSchedule.chargingSchedulePeriod.map(({ startPeriod }) => startPeriod);
    const index = starts.findIndex((start, nth) => start <= (starts[nth - 1] ?? Number.NEGATIVE_INFINITY));
    return index < 0
      ? undefined
      : `Periods have to rise: startPeriod ${starts[index]} comes after ${starts[index - 1]}.`;
  },

  /** SC-30 */
  duration: ({ profile }) => {
    const { duration = 0 } = profile.chargingSchedule;
    return duration < 0 ? `A duration of ${duration} seconds is none; the least is 0.` : undefined;
  },

  /** SC-14: it would never say anything, and might take the place of one that does. */
  validity: ({ profile: { validFrom, validTo } }) =>
    validFrom !== undefined && validTo !== undefined && Date.parse(validFrom) >= Date.parse(validTo)
      ? `It is never valid: validTo, ${validTo}, has to be after validFrom, ${validFrom}.`
      : undefined,

  /** SC-22: nothing is less than 0, whatever is merged with it. */
  limits: ({ profile }) => {
    const negative = profile.chargingSchedule.chargingSchedulePeriod.find(({ limit }) => limit < 0);
    return (
      negative && `A limit of ${negative.limit} ${profile.chargingSchedule.chargingRateUnit} is none; the least is 0.`
    );
  },

  /** SC-38: with none, or with more than there can be, nothing could be converted. */
  phases: ({ profile }) => {
    const { numberPhases: wrong } =
      profile.chargingSchedule.chargingSchedulePeriod.find(
        ({ numberPhases = 1 }) => numberPhases < 1 || numberPhases > 3,
      ) ?? {};
    return wrong === undefined ? undefined : `numberPhases is ${wrong}; it is from 1 to 3.`;
  },

  /** SC-35 */
  recurrency: ({ profile: { chargingProfileKind, recurrencyKind } }) => {
    if (chargingProfileKind === "Recurring" && recurrencyKind === undefined)
      return "A Recurring profile needs a recurrencyKind.";
    if (chargingProfileKind !== "Recurring" && recurrencyKind !== undefined)
      return "A recurrencyKind is for Recurring profiles.";
    return undefined;
  },

  /** SC-36: what is relative to the start of charging has none for the charge point as a whole. */
  start: ({ profile }) => {
    const { chargingProfileKind: kind, chargingProfilePurpose: purpose, chargingSchedule } = profile;
    if (purpose !== "ChargePointMaxProfile") return undefined;
    if (kind === "Relative") return "A ChargePointMaxProfile cannot be Relative: to what?";
    const { chargingSchedulePeriod, duration, startSchedule } = chargingSchedule;
    const isConstant = chargingSchedulePeriod.length === 1 && duration === undefined;
    return startSchedule === undefined && !isConstant
      ? "A ChargePointMaxProfile whose limit changes needs a startSchedule."
      : undefined;
  },
} satisfies Record<string, (installation: Installation) => string | undefined>;

const isTx = ({ chargingProfilePurpose }: FrozenChargingProfile): boolean => chargingProfilePurpose === "TxProfile";

/** Why a profile cannot be installed; `undefined`: it can. */
export function refusalOf(installation: Installation): ProfileRefusal | undefined {
  for (const rule of Object.keys(rules) as (keyof typeof rules)[]) {
    const message = rules[rule](installation);
    if (message === undefined) continue;
    return { rule, message, answer: rule === "unknown-connector" ? "PropertyConstraintViolation" : "Rejected" };
  }
  return undefined;
}

/** What a Central System knows of a charger. */
export interface KnownCharger extends ChargingProfileKeys {
  /** How many connectors it has (NumberOfConnectors). What is not above 0 is not known. */
  readonly numberOfConnectors?: number | undefined;
}

/**
 * Says for which reason a charger would refuse a profile, as far as that can be known.
 *
 * @param charger - The keys that the charger tells by GetConfiguration; what is left out is not checked.
 * @returns `undefined`: for none of these.
 * @spec OCPP 1.6 §5.16, §9.4 [SC-02, SC-06, SC-29, SC-35, SC-57 … SC-63]
 */
export function profileRefusal(
  connectorId: number,
  profile: ChargingProfile | FrozenChargingProfile,
  charger: KnownCharger = {},
): ProfileRefusal | undefined {
  const {
    numberOfConnectors = 0,
    chargeProfileMaxStackLevel = Number.POSITIVE_INFINITY,
    chargingScheduleAllowedChargingRateUnit = ["Current", "Power"],
    chargingScheduleMaxPeriods = Number.POSITIVE_INFINITY,
  } = charger;
  const keys = {
    ...defaultKeys,
    chargeProfileMaxStackLevel,
    chargingScheduleAllowedChargingRateUnit,
    chargingScheduleMaxPeriods,
  };
  // A number that cannot be one says nothing.
  const isConnector = numberOfConnectors > 0 ? (id: number) => id <= numberOfConnectors : undefined;
  return refusalOf({ connectorId, profile, keys, isConnector, transaction: undefined, installed: 0 });
}
