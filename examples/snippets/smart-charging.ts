import {
  ChargePoint,
  type ChargePointOptions,
  ChargingProfiles,
  type Connection,
  dailySchedule,
  explain,
  limitAt,
  limitUntil,
  memoryStore,
  profileRefusal,
  SmartCharging,
  scheduledLimits,
} from "@ocppj/core";

/** Starts remotely, with a profile or without. */
export function remoteStarts(chargePoint: ChargePoint, smartCharging: SmartCharging) {
  // #region remote-start
  chargePoint.handle("RemoteStartTransaction", ({ chargingProfile, connectorId = 1, idTag }) => {
    const { profiles } = smartCharging;
    const isFree = profiles.connectorIds.includes(connectorId) && profiles.transaction(connectorId) === undefined;
    if (!isFree) return { status: "Rejected" };
    if (chargingProfile !== undefined) {
      const at = chargePoint.now();
      const verdict = profiles.startedTransaction(connectorId, { startedAt: at }).set(connectorId, chargingProfile, at);
      if (chargingProfile.chargingProfilePurpose !== "TxProfile" || verdict.status !== "Accepted")
        return { status: "Rejected" };
    }
    // In a charger: once the car is plugged in.
    const transaction = chargePoint.startTransaction({ connectorId, idTag, meterStart: 0 });
    if (chargingProfile !== undefined) {
      // The store may fail: then it does not charge, rather than with more than was meant.
      const stop = () => chargePoint.transactions.includes(transaction) && transaction.stop({ meterStop: 0 });
      void smartCharging
        .setChargingProfile({ connectorId, csChargingProfiles: chargingProfile })
        .then(({ status }) => status === "Accepted" || stop())
        .catch(stop);
    }
    return { status: "Accepted" };
  });
  // #endregion
}

/** What smart charging gives a charge point. */
export async function charger(
  options: ChargePointOptions,
  offer: (connectorId: number, amperes: number, phases?: number) => void,
) {
  // #region charger
  const store = memoryStore(); // In a charger: durableStore("/var/lib/charger")
  const smartCharging = await SmartCharging.load(store, {
    connectors: { 1: { limit: 32, unit: "A" }, 2: { limit: 32, unit: "A" } },
    report: (fault) => console.error(fault.message),
  });
  const chargePoint = new ChargePoint({ ...options, store, smartCharging });

  chargePoint.on("limit", ({ connectorId, limit, numberPhases, unit }) => {
    if (connectorId !== 0 && unit === "A") offer(connectorId, limit < 6 ? 0 : limit, numberPhases);
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

// #region cleared
const nothing = profiles.clear().profiles;
export const cleared = explain(nothing, { connectorId: 1, at }).text;
// 32 A: what the connector can deliver

const limits = [{ from: "00:00", limit: 10 }];
const safe = dailySchedule({ chargingProfileId: 1, unit: "A", startOfDay: midnight, limits });
export const stillSafe = explain(nothing.set(0, safe).profiles, { connectorId: 1, at }).limit;
// 10
// #endregion

// #region units
const inWatts = ChargingProfiles.none({ connectors: { 1: maximum }, voltage: 230, numberPhases: 3 });
const at11kW = limitUntil({ chargingProfileId: 1, limit: 11_000, unit: "W", until: at + 3_600_000 });
export const current = limitAt(inWatts.set(1, at11kW).profiles, { connectorId: 1, at, unit: "A" }).limit;
// 15.9: 11 000 W / (230 V × 3), rounded down
const of3680W = limitUntil({ chargingProfileId: 1, limit: 3680, unit: "W", numberPhases: 1, until: at + 3_600_000 });
export const onOnePhase = limitAt(inWatts.set(1, of3680W).profiles, { connectorId: 1, at, unit: "A" }).limit;
// 16: 3680 W / 230 V
// #endregion

// #region check
const charger1 = { numberOfConnectors: 2, chargeProfileMaxStackLevel: 3, chargingScheduleMaxPeriods: 24 };
export const refusal = profileRefusal(1, { ...tonight, stackLevel: 5 }, charger1);
// { rule: "stack-level", message: "The stack level is 5; the highest is 3 (ChargeProfileMaxStackLevel)." … }
// #endregion

/** Changes a limit at a charger. */
export async function replaceSafely(connection: Connection<"CentralSystem">) {
  // #region replace
  const csChargingProfiles = limitUntil({
    chargingProfileId: 12,
    stackLevel: 1,
    limit: 8,
    unit: "A",
    until: at + 7_200_000,
  });
  const { status } = await connection.call("SetChargingProfile", { connectorId: 1, csChargingProfiles });
  // Some chargers accept what they do not obey: ask what holds now.
  const conf = await connection.call("GetCompositeSchedule", { connectorId: 1, duration: 3600, chargingRateUnit: "A" });
  const told = scheduledLimits(conf);
  const isBounded = told.length > 0 && told.every(({ limit, unit }) => unit === "A" && limit >= 0 && limit <= 8);
  const isObeyed = status === "Accepted" && isBounded;
  // #endregion
  return isObeyed;
}
