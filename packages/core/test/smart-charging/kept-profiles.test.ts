import { describe, expect, test } from "vitest";
import { memoryStore, type RecordStore } from "../../src/index.ts";
import { charger, clear, limits, profile, second, set } from "./charger.ts";

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

  test("is what belongs to a transaction that goes on, where another one ends beside it or before it [SC-08]", async () => {
    const { smartCharging, site } = await charger();
    const running = (...numbers: number[]) =>
      smartCharging.transactionsAre(
        numbers.map((number) => ({ number, connectorId: 1, startedAt: site.clock.now(), transactionId: number })),
        site.clock.now(),
      );
    const setAt = (id: number) =>
      smartCharging.setChargingProfile({
        connectorId: 1,
        csChargingProfiles: profile({ id, level: id, purpose: "TxProfile" }),
      });
    const installed = () => smartCharging.profiles.installed.map((each) => each.profile.chargingProfileId);
    running(1);
    await setAt(1);
    running(1, 2);
    await setAt(2);
    running(2);
    expect(installed()).toEqual([2]);
    running(3);
    expect(installed()).toEqual([]);
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

  test("is not what was rejected or cleared, once the store takes that [SC-28] [SC-71]", async () => {
    const disk = memoryStore();
    let fails: "put" | "delete" | "both" | undefined;
    const failing = (kind: "put" | "delete", act: () => Promise<void>) => async (): Promise<void> => {
      // A write that fails may have been carried out, a removal has not.
      if (kind === "put" || fails === undefined || fails === "put") await act();
      if (fails === kind || fails === "both") throw new Error("The disk is broken.");
    };
    const store: RecordStore = {
      load: (prefix) => disk.load(prefix),
      put: (key, value) => failing("put", () => disk.put(key, value))(),
      delete: (key) => failing("delete", () => disk.delete(key))(),
      close: async () => {},
    };
    const on = await charger(store);
    await on.site.start();
    await set(on, { id: 1, periods: "0:10" });
    await set(on, { id: 2, level: 2, periods: "0:6" });
    fails = "both";
    expect(await set(on, { id: 1, periods: "0:32" })).toEqual({ status: "Rejected" });
    expect(await set(on, { id: 3, level: 3, periods: "0:32" })).toEqual({ status: "Rejected" });
    expect(await clear(on, { id: 2 })).toEqual({ status: "Accepted" });
    expect(await disk.load("charging-profile/")).toHaveLength(3);
    const heard = on.faults.length;
    await on.site.clock.advance(299 * second);
    expect(on.faults.length - heard).toBeLessThan(3);
    fails = undefined;
    await on.site.clock.advance(300 * second);
    const { smartCharging } = await charger(disk);
    expect(smartCharging.profiles.installed).toEqual([{ connectorId: 1, profile: profile({ periods: "0:10" }) }]);
    expect(await disk.load("charging-profile/")).toHaveLength(1);
  });

  test("is asked of a store that hangs for a minute at most, and what comes then is answered [SC-28]", async () => {
    const disk = memoryStore();
    let hangs = true;
    const unless = (act: () => Promise<void>) => (hangs ? new Promise<void>(() => {}) : act());
    const on = await charger({
      load: (prefix) => disk.load(prefix),
      put: (key, value) => unless(() => disk.put(key, value)),
      delete: (key) => unless(() => disk.delete(key)),
      close: async () => {},
    });
    const before = { connectorId: 1, csChargingProfiles: profile({ periods: "0:6" }) };
    const after = { connectorId: 2, csChargingProfiles: profile({ id: 2, periods: "0:8" }) };
    const answers = [on.smartCharging.setChargingProfile(before), on.smartCharging.setChargingProfile(after)];
    await on.site.clock.advance(59 * second);
    hangs = false;
    await on.site.clock.advance(second);
    expect(await Promise.all(answers)).toEqual([{ status: "Rejected" }, { status: "Accepted" }]);
    expect(on.smartCharging.profiles.installed).toHaveLength(1);
    expect(on.faults).toHaveLength(2);
  });

  test("is not pushed out by what was cleared and is still in the store, nor is a TxProfile [SC-28]", async () => {
    const disk = memoryStore();
    let isBroken = false;
    const store: RecordStore = {
      load: (prefix) => disk.load(prefix),
      put: (key, value) => disk.put(key, value),
      delete: (key) => (isBroken ? Promise.reject(new Error("The disk is broken.")) : disk.delete(key)),
      close: async () => {},
    };
    const options = { maxChargingProfilesInstalled: 2 };
    const on = await charger(store, options);
    await on.site.start();
    on.site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    await set(on, { id: 1, level: 1, at: 2 });
    await set(on, { id: 2, level: 2, periods: "0:16" });
    isBroken = true;
    await clear(on, { id: 1 });
    expect(await set(on, { id: 3, purpose: "TxProfile", periods: "0:6" })).toEqual({ status: "Accepted" });
    // A power cut, and the disk is well again.
    const after = await charger(disk, options);
    await after.site.start();
    const ids = after.smartCharging.profiles.installed.map((each) => each.profile.chargingProfileId);
    expect(ids).toEqual(expect.arrayContaining([2, 3]));
    expect(limits(after)).toContainEqual([1, 6]);
  });

  test("is forgotten where other options do not allow it any more, which is told [SC-62]", async () => {
    const before = await charger();
    await before.site.start();
    await set(before, { id: 4, level: 5, periods: "0:6" });
    const after = await charger(before.store, { chargeProfileMaxStackLevel: 3 });
    expect(after.smartCharging.profiles.installed).toEqual([]);
    expect(after.faults.map(({ message }) => message)).toEqual([expect.stringContaining("Charging profile 4")]);
  });

  test("can be cleared and replaced before it is known whether its transaction runs [SC-16] [SC-72]", async () => {
    const before = await charger();
    await before.site.start();
    for (const connectorId of [1, 2])
      before.site.chargePoint.startTransaction({ connectorId, idTag: "A", meterStart: 0 });
    await before.site.clock.advance(0);
    await set(before, { id: 5, purpose: "TxProfile", periods: "0:6" });
    await set(before, { id: 6, at: 2, purpose: "TxProfile", periods: "0:6" });
    const { site, smartCharging } = await charger(before.store);
    expect(await smartCharging.clearChargingProfile({ id: 6 })).toEqual({ status: "Accepted" });
    expect(await smartCharging.clearChargingProfile({ id: 6 })).toEqual({ status: "Unknown" });
    const replacing = { connectorId: 2, csChargingProfiles: profile({ id: 5, periods: "0:10" }) };
    expect(await smartCharging.setChargingProfile(replacing)).toEqual({ status: "Accepted" });
    await site.start();
    const installed = () =>
      smartCharging.profiles.installed.map((each) => [each.connectorId, each.profile.chargingProfileId]);
    expect(installed()).toEqual([[2, 5]]);
    expect(await before.store.load("charging-profile/")).toHaveLength(1);
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
