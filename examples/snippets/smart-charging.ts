import {
  ChargePoint,
  type ChargePointOptions,
  ChargingProfiles,
  dailySchedule,
  explain,
  limitAt,
  limitUntil,
  memoryStore,
  profileRefusal,
  SmartCharging,
} from "@ocppj/core";

/** What smart charging gives a charge point. */
export async function charger(options: ChargePointOptions, offer: (connectorId: number, amperes: number) => void) {
  // #region charger
  const store = memoryStore(); // In a charger: durableStore("/var/lib/charger")
  const smartCharging = await SmartCharging.load(store, {
    connectors: { 1: { limit: 32, unit: "A" }, 2: { limit: 32, unit: "A" } },
    report: (fault) => console.error(fault.message),
  });
  const chargePoint = new ChargePoint({ ...options, store, smartCharging });

  chargePoint.on("limit", ({ connectorId, limit, unit }) => {
    if (connectorId !== 0 && unit === "A") offer(connectorId, limit < 6 ? 0 : limit);
  });
  chargePoint.on("profileRefused", ({ profile, message }) => {
    console.error(`Profile ${profile.chargingProfileId} was refused: ${message}`);
  });
  // #endregion
  return { chargePoint, smartCharging };
}

// #region why
const maximum = { limit: 32, unit: "A" } as const;
const midnight = Date.parse("2026-05-01T00:00:00+02:00");
const at = midnight + 17 * 3_600_000;

const cheapAtNight = dailySchedule({
  chargingProfileId: 3,
  unit: "A",
  startOfDay: midnight,
  limits: [
    { from: "00:00", limit: 32 },
    { from: "06:00", limit: 10 },
    { from: "22:00", limit: 32 },
  ],
});
const tonight = limitUntil({ chargingProfileId: 12, stackLevel: 1, limit: 6, unit: "A", until: at + 3_600_000 });

let profiles = ChargingProfiles.none({ connectors: { 1: maximum, 2: maximum } });
profiles = profiles.set(0, cheapAtNight).profiles;
profiles = profiles.set(0, tonight).profiles;

export const limit = limitAt(profiles, { connectorId: 1, at });
// { limit: 6, unit: "A", until: 18:00 }

export const { text } = explain(profiles, { connectorId: 1, at });
// 6 A until 2026-05-01T16:00:00.000Z: profile 12 (TxDefaultProfile, level 1, 6 A);
// over profile 3 (TxDefaultProfile, level 0, Daily, 10 A)
// #endregion

// #region check
const charger1 = { numberOfConnectors: 2, chargeProfileMaxStackLevel: 3, chargingScheduleMaxPeriods: 24 };
export const refusal = profileRefusal(1, { ...tonight, stackLevel: 5 }, charger1);
// { rule: "stack-level", message: "The stack level is 5; the highest is 3 (ChargeProfileMaxStackLevel)." … }
// #endregion
