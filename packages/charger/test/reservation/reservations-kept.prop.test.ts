import fc from "fast-check";
import { expect, test } from "vitest";
import { FickleStore, failingAt, hasEnded } from "../stores.ts";
import { Bench, minute } from "./reservations-bench.ts";

const reserve = fc.record({ reservationId: fc.nat(3), connectorId: fc.nat(3) });
const ending = fc.oneof(fc.record({ cancel: fc.nat(3) }), fc.record({ use: fc.nat(3) }));

/** What is kept, in a few words. */
const placesIn = (bench: Bench): Map<number, number> =>
  new Map(bench.reservations.all.map(({ connectorId, reservationId }) => [reservationId, connectorId]));

test("whenever the power fails, what was answered is as it was answered, and the rest is as before or after [RSV-01] [RSV-02] [RSV-20]", async () => {
  const deeds = fc.array(fc.oneof({ weight: 2, arbitrary: reserve }, ending), { minLength: 1, maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(deeds, fc.integer({ min: 1, max: 12 }), fc.boolean(), async (all, nth, isKept) => {
      const { disk, isCut, store } = failingAt(nth, isKept);
      const bench = await Bench.open(store);
      let before = placesIn(bench);
      let after = before;
      for (const each of all) {
        after = new Map(before);
        let turn: Promise<unknown>;
        if ("cancel" in each) {
          after.delete(each.cancel);
          turn = bench.cancel(each.cancel);
        } else if ("use" in each) {
          after.delete(each.use);
          bench.do((reservations) => reservations.used(each.use));
          turn = bench.clock.advance(0); // Nobody waits for what is forgotten then.
        } else {
          after.set(each.reservationId, each.connectorId);
          turn = bench.reserve(each);
        }
        if (!(await hasEnded(turn))) break;
        after = placesIn(bench);
        if (isCut()) break;
        before = after;
      }
      const found = await Bench.open(disk);
      const places = placesIn(found);
      for (const id of [0, 1, 2, 3]) {
        expect([before.get(id), after.get(id)], `${id} of ${[...places]}`).toContain(places.get(id));
      }
    }),
    { numRuns: 500 },
  );
});

test("a store that refuses or hangs loses nothing that was answered; once it works again it holds what counts, a minute later at most", async () => {
  const deed = fc.oneof(
    { weight: 3, arbitrary: reserve },
    { weight: 2, arbitrary: ending },
    { weight: 2, arbitrary: fc.record({ mood: fc.constantFrom("takes", "refuses", "hangs") }) },
    { weight: 1, arbitrary: fc.record({ pass: fc.integer({ min: 0, max: 3 * minute }) }) },
  );
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 20 }), async (deeds) => {
      const store = new FickleStore();
      const bench = await Bench.open(store);
      const far = new Date(10 ** 12).toISOString();
      for (const each of deeds) {
        const before = bench.ids;
        if ("mood" in each) await store.becomes(each.mood as "takes" | "refuses" | "hangs");
        else if ("pass" in each) await bench.pass(each.pass);
        else if ("use" in each) bench.do((reservations) => reservations.used(each.use));
        else {
          const turn = "cancel" in each ? bench.cancel(each.cancel) : bench.reserve({ ...each, expiryDate: far });
          await bench.clock.advance(10 * minute);
          if ("reservationId" in each && (await turn) !== "Accepted") expect(bench.ids).toBe(before);
        }
      }
      await store.becomes("takes");
      // What waited for the store, then the minute, then what was refused meanwhile.
      await bench.pass(10 * minute);
      await bench.pass(minute);
      await bench.pass(minute);
      const counts = bench.ids.split(" ").sort();
      await bench.load();
      expect(bench.ids.split(" ").sort()).toEqual(counts);
      expect(bench.reservations.deadline).toBeGreaterThan(bench.clock.now());
    }),
    { numRuns: 300 },
  );
});
