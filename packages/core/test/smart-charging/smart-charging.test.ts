import { describe, expect, test } from "vitest";
import {
  CallError,
  type ChargingProfile,
  type LimitChange,
  memoryStore,
  type RecordStore,
  SmartCharging,
} from "../../src/index.ts";
import { Site } from "../charge-point/site.ts";
import { inFull, type ProfileInShort } from "./worked-examples.ts";

const maximum = { limit: 32, unit: "A" } as const;
const second = 1000;

async function charger(store: RecordStore = memoryStore(), options: object = {}) {
  const faults: Error[] = [];
  const report = (fault: Error): void => void faults.push(fault);
  const smartCharging = await SmartCharging.load(store, { connectors: { 1: maximum, 2: maximum }, report, ...options });
  const site = new Site({ smartCharging, store });
  site.centralSystem.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: { status: "Accepted" } }));
  site.centralSystem.handle("StopTransaction", () => ({}));
  return { site, smartCharging, faults, store };
}

type Charger = Awaited<ReturnType<typeof charger>>;

/** What the Central System is answered. */
async function ask<T>({ site }: Charger, call: () => Promise<T> | undefined): Promise<T | undefined> {
  const answer = call();
  answer?.catch(() => {}); // It may be refused before anybody waits for it.
  await site.clock.advance(0);
  return answer;
}

const inShort: ProfileInShort = { at: 1, id: 1, purpose: "TxDefaultProfile", kind: "Absolute", periods: "0:16" };
const profile = (more: Partial<ProfileInShort> = {}): ChargingProfile => inFull({ ...inShort, ...more });
const set = (on: Charger, more: Partial<ProfileInShort> = {}) =>
  ask(on, () =>
    on.site.centralSystem
      .get("CP001")
      ?.call("SetChargingProfile", { connectorId: more.at ?? 1, csChargingProfiles: profile(more) }),
  );
const clear = (on: Charger, filter: object) =>
  ask(on, () => on.site.centralSystem.get("CP001")?.call("ClearChargingProfile", filter));
const composite = (on: Charger, req: object = {}) =>
  ask(on, () =>
    on.site.centralSystem.get("CP001")?.call("GetCompositeSchedule", { connectorId: 1, duration: 300, ...req }),
  );
const limits = ({ site }: Charger) =>
  (site.said("limit") as LimitChange[]).map(({ connectorId, limit }) => [connectorId, limit]);

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

  test("without it, its actions are not supported [SC-58]", async () => {
    const site = new Site();
    await site.start();
    const answer = site.centralSystem.get("CP001")?.call("ClearChargingProfile", {});
    const error = answer?.catch((reason: unknown) => reason);
    await site.clock.advance(0);
    expect(await error).toMatchObject({ code: "NotSupported" });
  });
});

describe("What is kept", () => {
  test("is there after a restart, TxProfiles while their transaction runs [SC-28]", async () => {
    const before = await charger();
    await before.site.start();
    before.site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    await before.site.clock.advance(0);
    await set(before, { id: 1, periods: "0:16" });
    await set(before, { id: 2, purpose: "TxProfile", transactionId: 7, periods: "0:10" });
    const after = await charger(before.store);
    expect(after.smartCharging.profiles.installed).toHaveLength(1);
    await after.site.start();
    expect(limits(after)).toContainEqual([1, 10]);
    after.site.chargePoint.transactions[0]?.stop({ meterStop: 1, reason: "PowerLoss" });
    await after.site.clock.advance(second);
    expect(
      limits(after)
        .filter(([connectorId]) => connectorId === 1)
        .at(-1),
    ).toEqual([1, 16]);
    expect(await before.store.load("charging-profile/")).toHaveLength(1);
  });

  test("is not brought back when its transaction has ended meanwhile [SC-08]", async () => {
    const before = await charger();
    await before.site.start();
    const transaction = before.site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    await before.site.clock.advance(0);
    await set(before, { purpose: "TxProfile", periods: "0:10" });
    // The power fails before it is deleted.
    const kept = (await before.store.load("charging-profile/"))[0];
    transaction.stop({ meterStop: 1 });
    await before.site.clock.advance(second);
    await before.store.put(kept?.key ?? "", kept?.value ?? "");
    const after = await charger(before.store);
    await after.site.start();
    await after.site.clock.advance(second);
    expect(after.smartCharging.profiles.installed).toEqual([]);
    expect(await before.store.load("charging-profile/")).toEqual([]);
  });

  test("is the later of two that a power cut has left side by side [SC-15]", async () => {
    const before = await charger();
    await before.site.start();
    await set(before, { id: 9, periods: "0:16" });
    const [earlier] = await before.store.load("charging-profile/");
    await set(before, { id: 3, periods: "0:6" });
    await before.store.put(earlier?.key ?? "", earlier?.value ?? "");
    const after = await charger(before.store);
    expect(after.smartCharging.profiles.installed.map(({ profile }) => profile.chargingProfileId)).toEqual([3]);
    expect(await before.store.load("charging-profile/")).toHaveLength(1);
  });

  test("is what was accepted: what the store refuses is rejected, and what it would have replaced stays [SC-19] [SC-28]", async () => {
    const store = memoryStore();
    let isFull = false;
    const puts: RecordStore = {
      load: (prefix) => store.load(prefix),
      delete: (key) => store.delete(key),
      close: async () => {},
      put: async (key, value) => {
        await store.put(key, value);
        if (isFull) throw new Error("The disk is full.");
      },
    };
    const on = await charger(puts);
    await on.site.start();
    await set(on, { periods: "0:16" });
    isFull = true;
    expect(await set(on, { periods: "0:6" })).toEqual({ status: "Rejected" });
    expect(await set(on, { id: 2, level: 1, periods: "0:6" })).toEqual({ status: "Rejected" });
    expect(on.faults.length).toBeGreaterThan(0);
    const after = await charger(store);
    expect(after.smartCharging.profiles.installed).toEqual([{ connectorId: 1, profile: profile({ periods: "0:16" }) }]);
  });

  test.each(["no JSON", "{}", JSON.stringify({ sequence: 1, connectorId: 1, profile: { chargingProfileId: 1 } })])(
    "is set aside when it makes no sense: %s",
    async (value) => {
      const store = memoryStore();
      await store.put("charging-profile/1", value);
      const { smartCharging, faults } = await charger(store);
      expect(smartCharging.profiles.installed).toEqual([]);
      expect(faults).toHaveLength(1);
      expect(await store.load("")).toEqual([{ key: "corrupt/charging-profile/1", value }]);
    },
  );
});
