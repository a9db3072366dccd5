import { memoryStore, type RecordStore } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { KeptRecords } from "../src/kept-records.ts";

const names = ["a", "b"] as const;

test("what was put or forgotten last is so, once the store works again, in whatever hurry; what put said it keeps is kept", async () => {
  const deed = fc.oneof(
    fc.record({ put: fc.constantFrom(...names), value: fc.nat(9) }),
    fc.record({ forget: fc.constantFrom(...names) }),
    fc.record({ fails: fc.boolean() }),
    fc.constant({ wait: true }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 25 }), async (deeds) => {
      const memory = memoryStore();
      let fails = false;
      const failing = async (act: () => Promise<void>): Promise<void> => {
        if (fails) throw new Error("The disk is full.");
        await act();
      };
      const store: RecordStore = {
        ...memory,
        put: (key, value) => failing(() => memory.put(key, value)),
        delete: (key) => failing(() => memory.delete(key)),
      };
      const clock = new FakeClock();
      const records = new KeptRecords<number>(store, "kind", { clock, report: () => {} });
      const wanted = new Map<string, number>();
      for (const each of deeds) {
        if ("put" in each) {
          const isKept = records.put(each.put, each.value);
          if (fails) {
            expect(await isKept).toBe(false);
          } else {
            wanted.set(each.put, each.value);
            void isKept.then((kept) => expect(kept).toBe(true));
          }
        } else if ("forget" in each) {
          wanted.delete(each.forget);
          void records.forget(each.forget);
        } else {
          // The store changes its mind between operations.
          await clock.advance(0);
          if ("fails" in each) fails = each.fails;
        }
      }
      await clock.advance(0);
      fails = false;
      await records.put("last", 0);
      wanted.set("last", 0);
      const stored = (await memory.load("")).map(({ key, value }) => [key.slice("kind/".length), JSON.parse(value)]);
      expect(stored).toEqual([...wanted].sort());
      expect(clock.pending).toBe(0);
    }),
    { numRuns: 300 },
  );
});
