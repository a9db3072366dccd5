import type { ChargingProfile, InstalledProfile, Req } from "../../src/index.ts";
import type { SetProfile } from "./simulation-schedule.ts";

/** The profile in full, and where it is set. */
export function chargingProfileOf(
  { id, purpose, kind, level, connector, limit, forS }: SetProfile,
  now: number,
  transactionId: number | undefined,
): { readonly connectorId: number; readonly profile: ChargingProfile } {
  const isMax = purpose === "ChargePointMaxProfile";
  const isRelative = kind === "Relative" && !isMax;
  const profile: ChargingProfile = {
    chargingProfileId: id,
    ...(purpose === "TxProfile" && transactionId !== undefined && { transactionId }),
    stackLevel: level,
    chargingProfilePurpose: purpose,
    chargingProfileKind: isRelative ? "Relative" : kind === "Daily" ? "Recurring" : "Absolute",
    ...(kind === "Daily" && { recurrencyKind: "Daily" }),
    chargingSchedule: {
      duration: forS,
      ...(!isRelative && { startSchedule: new Date(now).toISOString() }),
      chargingRateUnit: "A",
      chargingSchedulePeriod: [
        { startPeriod: 0, limit },
        { startPeriod: 600, limit: limit + 4 },
        { startPeriod: 1800, limit: 6 },
      ],
    },
  };
  return { connectorId: isMax ? 0 : connector, profile };
}

/** Whether a profile is the one that was set: by the id of its transaction it is not known any more after a restart. */
export function isSame(a: InstalledProfile, b: InstalledProfile): boolean {
  const text = ({ connectorId, profile: { transactionId: _, ...profile } }: InstalledProfile): string =>
    JSON.stringify([connectorId, Object.entries(profile).sort()]);
  return text(a) === text(b);
}

/** Whether setting one replaces the other. */
export const replaces = (set: InstalledProfile, other: InstalledProfile): boolean =>
  set.profile.chargingProfileId === other.profile.chargingProfileId ||
  (set.connectorId === other.connectorId &&
    set.profile.chargingProfilePurpose === other.profile.chargingProfilePurpose &&
    set.profile.stackLevel === other.profile.stackLevel);

/** Whether a ClearChargingProfile.req means a profile. */
export const clears = (req: Req<"ClearChargingProfile">, { connectorId, profile }: InstalledProfile): boolean =>
  req.id === undefined
    ? (req.connectorId === undefined || req.connectorId === connectorId) &&
      (req.stackLevel === undefined || req.stackLevel === profile.stackLevel)
    : req.id === profile.chargingProfileId;
