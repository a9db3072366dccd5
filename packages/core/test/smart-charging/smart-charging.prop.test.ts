import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type InstalledProfile, memoryStore, type RecordStore, SmartCharging } from "../../src/index.ts";
import { installedProfiles } from "./generators.ts";

const now = Date.parse("2024-12-31T22:00:00Z");
const limit = { limit: 32, unit: "A" } as const;
const running = [1, 2].map((connectorId) => ({ connectorId, number: connectorId, startedAt: now, transactionId: 7 }));

/** A disk whose power fails at its nth write, which may be on it all the same; nothing is answered after that. */
function failingAt(nth: number, isKept: boolean): { readonly store: RecordStore; readonly disk: RecordStore } {
  const disk = memoryStore();
  let left = nth;
  const write = async (act: () => Promise<void>): Promise<void> => {
    left--;
    if (left > 0 || (left === 0 && isKept)) await act();
    if (left <= 0) return new Promise(() => {});
  };
  const store: RecordStore = {
    load: (prefix) => disk.load(prefix),
    put: (key, value) => write(() => disk.put(key, value)),
    delete: (key) => write(() => disk.delete(key)),
    close: async () => {},
  };
  return { store, disk };
}

async function charging(store: RecordStore): Promise<SmartCharging> {
  const connectors = { 1: limit, 2: limit };
  const smartCharging = await SmartCharging.load(store, { connectors, report: () => {}, clock: new FakeClock() });
  smartCharging.transactionsAre(running, now);
  return smartCharging;
}

/** Without the id of a transaction, by which a profile is not known any more after a restart. */
const withoutTransaction = ({ connectorId, profile: { transactionId: _, ...profile } }: InstalledProfile) =>
  JSON.stringify({ connectorId, profile });

const changes = fc.array(
  fc.oneof(
    installedProfiles(now).map((set) => ({ set, clear: undefined })),
    fc.record({ stackLevel: fc.nat(3) }).map((clear) => ({ set: undefined, clear: { ...clear } })),
  ),
  { minLength: 1, maxLength: 8 },
);

test("Whenever the power fails, what was answered is as it was answered, and the rest is as before or after [SC-19] [SC-28]", async () => {
  await fc.assert(
    fc.asyncProperty(changes, fc.integer({ min: 1, max: 14 }), fc.boolean(), async (all, nth, isKept) => {
      const { disk, store } = failingAt(nth, isKept);
      const before = await charging(store);
      let answered = before.profiles;
      let pending = answered;
      for (const { clear, set } of all) {
        const turn =
          set === undefined
            ? before.clearChargingProfile(clear)
            : before.setChargingProfile({ connectorId: set.connectorId, csChargingProfiles: set.profile });
        pending =
          set === undefined ? answered.clear(clear).profiles : answered.set(set.connectorId, set.profile).profiles;
        const isAnswered = await Promise.race([turn.then(() => true), new Promise((end) => setImmediate(end, false))]);
        if (isAnswered !== true) break;
        answered = pending;
      }
      const found = (await charging(disk)).profiles.installed.map(withoutTransaction);
      const [was, willBe] = [answered, pending].map(({ installed }) => installed.map(withoutTransaction));
      expect(found.filter((each) => !was?.includes(each) && !willBe?.includes(each))).toEqual([]);
      expect(was?.filter((each) => willBe?.includes(each) && !found.includes(each))).toEqual([]);
    }),
  );
});
