import { describe, expect, test } from "vitest";
import { CallError, memoryStore, PayloadError, type Req } from "../../src/index.ts";
import { Site } from "../charge-point/site.ts";
import { charger, clear, composite, limits, profile, second, set } from "./charger.ts";

describe("A ChargePoint with smart charging", () => {
  test("says what each connector may draw, and again when that is another", async () => {
    const on = await charger();
    await on.site.start();
    expect(limits(on)).toEqual([
      [1, 32],
      [2, 32],
      [0, 64],
    ]);
    expect(await set(on, { at: 0, periods: "0:10" })).toEqual({ status: "Accepted" });
    expect(limits(on).slice(3)).toEqual([
      [1, 10],
      [2, 10],
      [0, 20],
    ]);
    expect(await clear(on, { id: 1 })).toEqual({ status: "Accepted" });
    expect(limits(on).slice(6)).toEqual([
      [1, 32],
      [2, 32],
      [0, 64],
    ]);
    expect(await clear(on, { id: 1 })).toEqual({ status: "Unknown" });
    expect(limits(on)).toHaveLength(9);
  });

  test("follows a schedule to the second, and the time of the Central System [SC-30]", async () => {
    const on = await charger();
    await on.site.start();
    const start = new Date(on.site.clock.now()).toISOString();
    await set(on, { start, periods: "0:16 60:8 120:0", duration: 180 });
    const seen = async (afterMs: number) => {
      await on.site.clock.advance(afterMs);
      return limits(on)
        .filter(([connectorId]) => connectorId === 1)
        .at(-1)?.[1];
    };
    expect(await seen(0)).toBe(16);
    expect(await seen(60 * second - 1)).toBe(16);
    expect(await seen(1)).toBe(8);
    expect(await seen(60 * second)).toBe(0);
    expect(await seen(60 * second)).toBe(32);
  });

  test.each([
    ["later than it thought", 3600],
    ["earlier than it thought", -3600],
    ["a little later", 9],
  ])("changes a limit to the second when it is told that it is %s [SC-30] [CORE-HB-05]", async (_, aheadS) => {
    const on = await charger();
    await on.site.start();
    const start = new Date(on.site.clock.now()).toISOString();
    await set(on, { start, periods: "0:16 7230:6" });
    on.site.behaviour.aheadMs = aheadS * second;
    await on.site.clock.advance(310 * second);
    await on.site.clock.advance((7230 - aheadS - 310) * second - 1);
    expect(limits(on)).not.toContainEqual([1, 6]);
    await on.site.clock.advance(1);
    expect(limits(on)).toContainEqual([1, 6]);
  });

  test.each([
    ["ahead", 7200],
    ["behind", -7200],
  ])(
    "counts from the start of a transaction as the Central System, %s, corrects it, also before that has answered [SC-36]",
    async (_, aheadS) => {
      const { smartCharging, store } = await charger();
      const site = new Site({ smartCharging, store });
      const { behaviour, centralSystem, chargePoint, clock } = site;
      centralSystem.handle("StartTransaction", () => new Promise<never>(() => {}));
      behaviour.reachable = false;
      behaviour.aheadMs = aheadS * second;
      const csChargingProfiles = profile({ kind: "Relative", periods: "0:6 3600:16" });
      await smartCharging.setChargingProfile({ connectorId: 1, csChargingProfiles });
      await site.start();
      chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
      await clock.advance(60 * second);
      behaviour.reachable = true;
      chargePoint.reconnectNow();
      await clock.advance(20 * second);
      expect(site.actions).toContain("StartTransaction");
      const told = site.said("limit").filter(({ connectorId }) => connectorId === 1);
      expect(new Set(told.map(({ limit }) => limit))).toEqual(new Set([6]));
      expect(smartCharging.profiles.transaction(1)?.startedAt).toBe(chargePoint.transactions[0]?.startedAt);
    },
  );

  test("is what the composite schedule says [SC-81] [SC-83] [SC-84] [SC-86] [SC-87] [TC_056] [TC_066]", async () => {
    const on = await charger();
    await on.site.start();
    await set(on, { at: 0, id: 1, periods: "0:10 60:6", kind: "Relative" });
    const now = new Date(on.site.clock.now()).toISOString();
    expect(await composite(on)).toEqual({
      status: "Accepted",
      connectorId: 1,
      scheduleStart: now,
      chargingSchedule: {
        duration: 300,
        chargingRateUnit: "A",
        chargingSchedulePeriod: [
          { startPeriod: 0, limit: 10 },
          { startPeriod: 60, limit: 6 },
        ],
      },
    });
    const inWatts = await composite(on, { connectorId: 0, chargingRateUnit: "W", duration: 60 });
    expect(inWatts?.chargingSchedule).toMatchObject({ chargingSchedulePeriod: [{ startPeriod: 0, limit: 13_800 }] });
    expect(await composite(on, { connectorId: 3 })).toEqual({ status: "Rejected" });
  });

  test("binds a TxProfile to its transaction, and forgets it with that [SC-08] [SC-09] [SC-51] [TC_057] [TC_058]", async () => {
    const on = await charger();
    await on.site.start();
    expect(await set(on, { purpose: "TxProfile" })).toEqual({ status: "Rejected" });
    const transaction = on.site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    await on.site.clock.advance(0);
    expect(await set(on, { purpose: "TxProfile", transactionId: 8 })).toEqual({ status: "Rejected" });
    expect(await set(on, { purpose: "TxProfile", transactionId: 7, kind: "Relative" })).toEqual({ status: "Accepted" });
    expect(limits(on).at(-2)).toEqual([1, 16]);
    expect(await on.store.load("charging-profile/")).toHaveLength(1);
    transaction.stop({ meterStop: 1 });
    await on.site.clock.advance(second);
    expect(limits(on).at(-2)).toEqual([1, 32]);
    expect(on.smartCharging.profiles.installed).toEqual([]);
    expect(await on.store.load("")).toEqual([]);
    const rules = on.site.said("profileRefused").map(({ rule }) => rule);
    expect(rules).toEqual(["no-transaction", "other-transaction"]);
  });

  test("answers a connector that is not there with a CALLERROR [SC-57]", async () => {
    const on = await charger();
    await on.site.start();
    const error = await set(on, { at: 3 })?.catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(CallError);
    expect(error).toMatchObject({
      code: "PropertyConstraintViolation",
      message: expect.stringContaining("connector 3"),
    });
  });

  test("takes what comes with a RemoteStartTransaction when the transaction has started [SC-12]", async () => {
    const on = await charger();
    await on.site.start();
    on.site.chargePoint.startTransaction({ connectorId: 2, idTag: "A", meterStart: 0 });
    const req = { connectorId: 2, csChargingProfiles: profile({ purpose: "TxProfile", periods: "0:6" }) };
    const answer = on.smartCharging.setChargingProfile(req);
    await on.site.clock.advance(0);
    expect(await answer).toEqual({ status: "Accepted" });
    expect(limits(on).slice(-2)).toEqual([
      [2, 6],
      [0, 38],
    ]);
  });

  test("says why, whatever it rejects: also when the store fails, or the transaction ends meanwhile [SC-08] [SC-28]", async () => {
    const disk = memoryStore();
    let answer: (() => void) | undefined;
    let fails = false;
    const put = async (key: string, value: string): Promise<void> => {
      if (key.startsWith("charging-profile/")) {
        if (fails) throw new Error("The disk is full.");
        await new Promise<void>((resolve) => (answer = resolve));
      }
      await disk.put(key, value);
    };
    const { load, delete: remove, close } = disk;
    const on = await charger({ load: load.bind(disk), delete: remove.bind(disk), close: close.bind(disk), put });
    await on.site.start();
    const transaction = on.site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    const tx = { connectorId: 1, csChargingProfiles: profile({ purpose: "TxProfile" }) };
    const rejected = on.smartCharging.setChargingProfile(tx);
    await on.site.clock.advance(second);
    transaction.stop({ meterStop: 1 });
    await on.site.clock.advance(second);
    answer?.();
    expect(await rejected).toEqual({ status: "Rejected" });
    fails = true;
    expect(await set(on, { id: 2 })).toEqual({ status: "Rejected" });
    expect(on.site.said("profileRefused").map(({ rule }) => rule)).toEqual(["transaction-ended", "not-kept"]);
  });

  test("says it again when a limit holds less long than was told", async () => {
    const on = await charger();
    await on.site.start();
    const now = on.site.clock.now();
    await set(on, { id: 1, start: new Date(now).toISOString(), periods: "0:32 60:6" });
    expect(on.site.said("limit").findLast(({ connectorId }) => connectorId === 1)).toMatchObject({
      limit: 32,
      until: now + 60 * second,
    });
  });

  test("takes from its owner what it was given, whatever the owner writes into it next [SC-56]", async () => {
    const on = await charger();
    await on.site.start();
    const req = { connectorId: 1, csChargingProfiles: profile({ periods: "0:6" }) };
    const filter: Req<"ClearChargingProfile"> = { id: 2 };
    const answers = [on.smartCharging.setChargingProfile(req), on.smartCharging.clearChargingProfile(filter)];
    req.csChargingProfiles.chargingProfileId = 9;
    (req.csChargingProfiles.chargingSchedule.chargingSchedulePeriod[0] as { limit: number }).limit = 20;
    filter.id = 1;
    await on.site.clock.advance(0);
    expect(await Promise.all(answers)).toEqual([{ status: "Accepted" }, { status: "Unknown" }]);
    expect(on.smartCharging.profiles.installed).toEqual([{ connectorId: 1, profile: profile({ periods: "0:6" }) }]);
    const [record] = await on.store.load("charging-profile/");
    expect(record?.key).toBe("charging-profile/1");
    expect(record?.value).toContain('"limit":6');
    const nonsense = { connectorId: -1, csChargingProfiles: profile() };
    await expect(on.smartCharging.setChargingProfile(nonsense)).rejects.toThrow(PayloadError);
  });

  test("tells a Configuration its keys [SC-27]", async () => {
    const { smartCharging } = await charger(memoryStore(), { chargingScheduleMaxPeriods: 24 });
    expect(smartCharging.keys).toEqual({
      chargeProfileMaxStackLevel: 10,
      chargingScheduleAllowedChargingRateUnit: ["Current", "Power"],
      chargingScheduleMaxPeriods: 24,
      maxChargingProfilesInstalled: 100,
    });
  });

  test("leaves nothing armed when it has stopped, and tells its successor everything again", async () => {
    const on = await charger();
    await on.site.start();
    await set(on, { kind: "Recurring", recurrencyKind: "Daily", start: "2026-01-01T00:00:00Z", periods: "0:6 5:8" });
    await on.site.chargePoint.stop();
    await on.site.clock.advance(0);
    expect(on.site.clock.pending).toBe(0);
    const next = new Site({ smartCharging: on.smartCharging, store: on.store });
    await next.start();
    expect(next.said("limit")).toHaveLength(3);
  });

  test("without it, its actions are not supported [SC-58] [QD-22]", async () => {
    const site = new Site();
    await site.start();
    const answer = site.centralSystem.get("CP001")?.call("ClearChargingProfile", {});
    const error = answer?.catch((reason: unknown) => reason);
    await site.clock.advance(0);
    expect(await error).toMatchObject({ code: "NotSupported" });
  });
});
