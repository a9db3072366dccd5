import type { Req } from "../messages/actions.ts";

/** A charging schedule with its purpose, rank and validity. @spec OCPP 1.6 §7.8 */
export type ChargingProfile = Req<"SetChargingProfile">["csChargingProfiles"];

/** Limits over time. @spec OCPP 1.6 §7.13 */
export type ChargingSchedule = ChargingProfile["chargingSchedule"];

/** One step of a charging schedule. @spec OCPP 1.6 §7.14 */
export type ChargingSchedulePeriod = ChargingSchedule["chargingSchedulePeriod"][number];

/** `A`: current per phase. `W`: power over all phases. @spec OCPP 1.6 §7.12 [SC-38, SC-39] */
export type ChargingRateUnit = ChargingSchedule["chargingRateUnit"];

/** What nobody may write into, however deep. */
type DeepReadonly<T> = T extends object ? { readonly [K in keyof T]: DeepReadonly<T[K]> } : T;

/** A charging profile as it is installed: frozen, so that what is obeyed is what was accepted. */
export type FrozenChargingProfile = DeepReadonly<ChargingProfile>;

/** A profile, and where it was set. */
export interface InstalledProfile {
  /** 0: the charge point as a whole, or the default of all connectors. */
  readonly connectorId: number;
  readonly profile: FrozenChargingProfile;
}

/** Freezes what nobody else has a hold of yet. */
export function frozen<T>(value: T): DeepReadonly<T> {
  if (typeof value === "object" && value !== null) for (const each of Object.values(Object.freeze(value))) frozen(each);
  return value as DeepReadonly<T>;
}

/** How much may be drawn. */
export interface Limit {
  /** In `unit`. 0: nothing. */
  readonly limit: number;
  readonly unit: ChargingRateUnit;
  /** How many phases it speaks of; absent: as many as the charge point has. */
  readonly numberPhases?: number | undefined;
}
