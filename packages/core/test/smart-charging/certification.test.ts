import { describe, expect, test } from "vitest";
import { profileRefusal, type Req } from "../../src/index.ts";
import { type Charger, charger, clear, composite, limits, profile, second, set } from "./charger.ts";
import { type ProfileInShort, periodsOf } from "./worked-examples.ts";

/*
 * The cases of smart charging in the certification of charge points: a scripted Central System over a pair of transports.
 */

const start = new Date(Date.UTC(2026, 0, 1)).toISOString();

/** A charger that is accepted; with `charging`, transaction 7 runs on connector 1. */
async function accepted({ charging = false } = {}): Promise<Charger> {
  const on = await charger();
  await on.site.start();
  if (charging) {
    on.site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    await on.site.clock.advance(0);
  }
  return on;
}

/** The periods of the composite schedule of connector 1, in A. */
async function periods(on: Charger, duration: number) {
  const conf = await composite(on, { duration, chargingRateUnit: "A" });
  return conf?.chargingSchedule?.chargingSchedulePeriod;
}

const txDefault: Partial<ProfileInShort> = { start, duration: 86_400, periods: "0:6" };
const txProfile: Partial<ProfileInShort> = { id: 2, purpose: "TxProfile", start, duration: 86_400, periods: "0:8" };

/**
 * What its owner does with RemoteStartTransaction: the profile has to be a TxProfile that can be taken, and is set once the
 * transaction runs.
 */
function takeRemoteStarts({ site, smartCharging }: Charger): void {
  site.chargePoint.handle("RemoteStartTransaction", ({ chargingProfile, connectorId = 1, idTag }) => {
    const isTx = chargingProfile?.chargingProfilePurpose === "TxProfile";
    const isWrong = chargingProfile && (!isTx || profileRefusal(connectorId, chargingProfile, smartCharging.keys));
    if (isWrong) return { status: "Rejected" };
    site.chargePoint.startTransaction({ connectorId, idTag, meterStart: 0 });
    if (chargingProfile) void smartCharging.setChargingProfile({ connectorId, csChargingProfiles: chargingProfile });
    return { status: "Accepted" };
  });
}

async function remoteStart({ site }: Charger, req: Req<"RemoteStartTransaction">) {
  const answer = site.centralSystem.get("CP001")?.call("RemoteStartTransaction", req);
  await site.clock.advance(second);
  return answer;
}

describe("A certified charge point", () => {
  test("takes a TxDefaultProfile, and tells of it without a transaction [TC_056] [SC-10] [SC-55] [SC-60] [SC-80]", async () => {
    const on = await accepted();
    expect(await set(on, { ...txDefault, periods: "0:6 3600:8" })).toEqual({ status: "Accepted" });
    expect(await periods(on, 7200)).toEqual(periodsOf("0:6 3600:8"));
  });

  test("takes a TxProfile for the transaction that runs, and it overrules the default [TC_057] [SC-07] [SC-54] [SC-56]", async () => {
    const on = await accepted({ charging: true });
    await set(on, txDefault);
    expect(await set(on, { ...txProfile, transactionId: 7 })).toEqual({ status: "Accepted" });
    expect(await periods(on, 300)).toEqual(periodsOf("0:8"));
    const relative = { ...txProfile, transactionId: 7, kind: "Relative", periods: "0:9" } as const;
    const { start: _, ...withoutStart } = relative;
    expect(await set(on, withoutStart)).toEqual({ status: "Accepted" });
    expect(await periods(on, 300)).toEqual(periodsOf("0:9"));
  });

  test("rejects a TxProfile without a transaction, and one of another [TC_058_1] [TC_058_2] [SC-09] [SC-61] [SC-63]", async () => {
    const on = await accepted();
    expect(await set(on, txProfile)).toEqual({ status: "Rejected" });
    const charging = await accepted({ charging: true });
    expect(await set(charging, { ...txProfile, transactionId: 8 })).toEqual({ status: "Rejected" });
    expect(await periods(charging, 300)).toEqual(periodsOf("0:32"));
  });

  test("starts remotely with the profile that came with it, which ends with the transaction [TC_059] [SC-08] [SC-12] [SC-50]", async () => {
    const on = await accepted();
    takeRemoteStarts(on);
    await set(on, txDefault);
    const chargingProfile = profile({ ...txProfile, periods: "0:12" });
    expect(await remoteStart(on, { connectorId: 1, idTag: "A", chargingProfile })).toEqual({ status: "Accepted" });
    expect(await periods(on, 300)).toEqual(periodsOf("0:12"));
    on.site.chargePoint.transactions[0]?.stop({ meterStop: 1 });
    await on.site.clock.advance(second);
    expect(await periods(on, 300)).toEqual(periodsOf("0:6"));
  });

  test("rejects a remote start with another kind of profile, and starts nothing [TC_060]", async () => {
    const on = await accepted();
    takeRemoteStarts(on);
    const chargingProfile = profile(txDefault);
    expect(await remoteStart(on, { connectorId: 1, idTag: "A", chargingProfile })).toEqual({ status: "Rejected" });
    expect(on.site.chargePoint.transactions).toEqual([]);
    expect(on.smartCharging.profiles.installed).toEqual([]);
  });

  test("tells the composite schedule of three purposes [TC_066] [SC-01] [SC-13] [SC-21] [SC-81] [SC-86]", async () => {
    const on = await accepted({ charging: true });
    await set(on, { id: 1, at: 0, purpose: "ChargePointMaxProfile", start, duration: 86_400, periods: "0:10" });
    await set(on, { id: 2, at: 0, start, duration: 300, periods: "0:6 60:10 120:8 180:25 260:8" });
    await set(on, { ...txProfile, id: 3, transactionId: 7, duration: 260, periods: "0:8 50:11 140:16 200:6 240:12" });
    expect(await periods(on, 350)).toEqual(periodsOf("0:8 50:10 200:6 240:10 260:8 300:10"));
  });

  test("clears by id, by what is said, and everything, and tells so in the composite schedule [TC_067] [SC-70] [SC-71] [SC-72] [SC-73] [SC-74] [SC-76]", async () => {
    const on = await accepted({ charging: true });
    await set(on, { id: 1, at: 0, purpose: "ChargePointMaxProfile", start, periods: "0:10" });
    await set(on, { id: 2, at: 0, level: 1, periods: "0:8" });
    await set(on, { id: 3, purpose: "TxProfile", transactionId: 7, periods: "0:6" });
    expect(await periods(on, 300)).toEqual(periodsOf("0:6"));
    expect(await clear(on, { id: 3 })).toEqual({ status: "Accepted" });
    expect(await periods(on, 300)).toEqual(periodsOf("0:8"));
    const filter = { connectorId: 0, chargingProfilePurpose: "TxDefaultProfile", stackLevel: 1 };
    expect(await clear(on, filter)).toEqual({ status: "Accepted" });
    expect(await periods(on, 300)).toEqual(periodsOf("0:10"));
    expect(await clear(on, {})).toEqual({ status: "Accepted" });
    expect(await periods(on, 300)).toEqual(periodsOf("0:32"));
    expect(await clear(on, {})).toEqual({ status: "Unknown" });
  });

  test("stacks profiles: the highest level counts while it says something [TC_072] [SC-14] [SC-20]", async () => {
    const on = await accepted({ charging: true });
    await set(on, { id: 1, level: 0, start, duration: 400, periods: "0:6 100:8 200:10" });
    await set(on, { id: 2, level: 1, start, duration: 150, periods: "0:7 50:5" });
    expect(await periods(on, 400)).toEqual(periodsOf("0:7 50:5 150:8 200:10"));
    expect(await set(on, { id: 3, level: 11 })).toEqual({ status: "Rejected" });
  });

  test("goes on under a default that is set while it charges, and without one that is cleared [TC_082] [SC-10] [SC-11]", async () => {
    const on = await accepted({ charging: true });
    await set(on, txDefault);
    expect(limits(on).findLast(([connectorId]) => connectorId === 1)).toEqual([1, 6]);
    await set(on, { ...txDefault, periods: "0:10" });
    expect(limits(on).findLast(([connectorId]) => connectorId === 1)).toEqual([1, 10]);
    await clear(on, { id: 1 });
    expect(limits(on).findLast(([connectorId]) => connectorId === 1)).toEqual([1, 32]);
    expect(on.site.chargePoint.transactions).toHaveLength(1);
  });
});
