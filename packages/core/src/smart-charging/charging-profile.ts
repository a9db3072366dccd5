import type { Req } from "../messages/actions.ts";

/** A charging schedule with its purpose, rank and validity. @spec OCPP 1.6 §7.8 */
export type ChargingProfile = Req<"SetChargingProfile">["csChargingProfiles"];

/** Limits over time. @spec OCPP 1.6 §7.13 */
export type ChargingSchedule = ChargingProfile["chargingSchedule"];

/** One step of a charging schedule. @spec OCPP 1.6 §7.14 */
export type ChargingSchedulePeriod = ChargingSchedule["chargingSchedulePeriod"][number];

/** `A`: current per phase. `W`: power over all phases. @spec OCPP 1.6 §7.12 [SC-38, SC-39] */
export type ChargingRateUnit = ChargingSchedule["chargingRateUnit"];

/** A profile, and where it was set. */
export interface InstalledProfile {
  /** 0: the charge point as a whole, or the default of all connectors. */
  readonly connectorId: number;
  readonly profile: ChargingProfile;
}

/** How much may be drawn. */
export interface Limit {
  /** In `unit`. 0: nothing. */
  readonly limit: number;
  readonly unit: ChargingRateUnit;
  /** How many phases it speaks of; absent: as many as the charge point has. */
  readonly numberPhases?: number | undefined;
}
