import * as z from "zod/mini";
import {
  action,
  ChargingProfile,
  ChargingProfilePurpose,
  ChargingRateUnit,
  ChargingSchedule,
  ConnectorIdOrZero,
  DateTime,
  Integer,
} from "./types.ts";

/**
 * Removes the charging profiles that match.
 *
 * @spec OCPP 1.6 §5.5, §6.13, §6.14
 */
export const ClearChargingProfile = action({
  from: ["CentralSystem"],
  profile: "SmartCharging",
  /** Without fields: all profiles. With `id`: that one, whatever the other fields say. Else: those matching all fields. */
  req: z.strictObject({
    id: z.optional(Integer),
    /** 0: profiles of the charge point as a whole. */
    connectorId: z.optional(ConnectorIdOrZero),
    chargingProfilePurpose: z.optional(ChargingProfilePurpose),
    stackLevel: z.optional(Integer),
  }),
  conf: z.strictObject({
    /** `Unknown`: nothing matched. */
    status: z.enum(["Accepted", "Unknown"]),
  }),
});

/**
 * Asks which limits are going to apply.
 *
 * @spec OCPP 1.6 §5.7, §6.21, §6.22
 */
export const GetCompositeSchedule = action({
  from: ["CentralSystem"],
  profile: "SmartCharging",
  /** `duration` is in seconds. */
  req: z.strictObject({
    /** 0: what the charge point as a whole is expected to draw. */
    connectorId: ConnectorIdOrZero,
    /** Seconds, counted from the receipt of the message. */
    duration: Integer,
    chargingRateUnit: z.optional(ChargingRateUnit),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected"]),
    connectorId: z.optional(ConnectorIdOrZero),
    /** What the periods are relative to. */
    scheduleStart: z.optional(DateTime),
    /** Without a `startSchedule` (errata 3.57). */
    chargingSchedule: z.optional(ChargingSchedule),
  }),
});

/**
 * Installs a charging profile.
 *
 * @spec OCPP 1.6 §5.16, §6.43, §6.44
 */
export const SetChargingProfile = action({
  from: ["CentralSystem"],
  profile: "SmartCharging",
  req: z.strictObject({
    /** 0: the charge point as a whole, or the default of all connectors. */
    connectorId: ConnectorIdOrZero,
    /** One profile, in spite of its name. */
    csChargingProfiles: ChargingProfile,
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected", "NotSupported"]),
  }),
});
