import { type ChargingProfile, ChargingProfiles, compositeSchedule, limitAt } from "@ocppj/core";

const from = Date.parse("2026-05-01T00:00:00Z");
const purposes = ["TxDefaultProfile", "TxProfile", "ChargePointMaxProfile"] as const;

/** Every day, fifty limits, in W or in A. */
function profile(id: number): ChargingProfile {
  const isCurrent = id % 2 === 1;
  return {
    chargingProfileId: id,
    stackLevel: Math.floor(id / purposes.length),
    chargingProfilePurpose: purposes[id % purposes.length] ?? "TxProfile",
    chargingProfileKind: "Recurring",
    recurrencyKind: "Daily",
    chargingSchedule: {
      startSchedule: "2026-01-01T00:00:00Z",
      duration: 80_000 - 100 * id,
      chargingRateUnit: isCurrent ? "A" : "W",
      chargingSchedulePeriod: Array.from({ length: 50 }, (_, nth) => ({
        startPeriod: nth === 0 ? 0 : 1700 * nth + 13 * id,
        limit: (isCurrent ? 6 : 4000) + ((7 * nth + id) % 20),
      })),
    },
  };
}

/** Twenty profiles in three layers. */
function twentyProfiles(): ChargingProfiles {
  let profiles = ChargingProfiles.none({ connectors: { 1: { limit: 32, unit: "A" } } });
  profiles = profiles.startedTransaction(1, { startedAt: from });
  for (let id = 0; id < 20; id++) {
    const each = profile(id);
    const verdict = profiles.set(each.chargingProfilePurpose === "ChargePointMaxProfile" ? 0 : 1, each);
    if (verdict.status !== "Accepted") throw new Error(verdict.message);
    profiles = verdict.profiles;
  }
  return profiles;
}

const profiles = twentyProfiles();

/** The limit of a moment. */
export const limit = (): unknown => limitAt(profiles, { connectorId: 1, at: from + 12_345_678 });

/** The composite schedule of a day. */
export const composite = (): unknown => compositeSchedule(profiles, { connectorId: 1, from, durationSeconds: 86_400 });

/** The same without looking for changes: second by second. */
export function secondBySecond(): void {
  for (let second = 0; second < 86_400; second++) limitAt(profiles, { connectorId: 1, at: from + 1000 * second });
}
