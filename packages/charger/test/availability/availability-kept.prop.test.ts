import type { Req } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Availability } from "../../src/availability/availability.ts";
import { FickleStore, failingAt, hasEnded } from "../stores.ts";

const connectorIds = [1, 2];
const request: fc.Arbitrary<Req<"ChangeAvailability">> = fc.record({
  connectorId: fc.nat(2),
  type: fc.constantFrom("Operative", "Inoperative"),
});

/** The wish for the charger, and those for its connectors. */
type Wishes = readonly [boolean, boolean, boolean];

const all: Wishes = [true, true, true];

const after = (wishes: Wishes, { connectorId, type }: Req<"ChangeAvailability">): Wishes =>
  wishes.map((wish, id) => (id === connectorId ? type === "Operative" : wish)) as unknown as Wishes;

const inService = ([charger, ...connectors]: Wishes): readonly boolean[] => [
  charger,
  ...connectors.map((wish) => charger && wish),
];

const found = (availability: Availability): readonly boolean[] => [0, 1, 2].map((id) => availability.isOperative(id));

test("whenever the power fails, what was answered counts, scheduled or not, and the rest is as before or after [CORE-CA-07]", async () => {
  const requests = fc.array(fc.record({ req: request, busy: fc.subarray(connectorIds) }), {
    minLength: 1,
    maxLength: 6,
  });
  await fc.assert(
    fc.asyncProperty(requests, fc.integer({ min: 1, max: 6 }), fc.boolean(), async (deeds, nth, isKept) => {
      const { disk, store } = failingAt(nth, isKept);
      const options = { connectorIds, clock: new FakeClock(), report: () => {} };
      const availability = await Availability.load(store, options);
      let [was, willBe] = [all, all];
      for (const { busy, req } of deeds) {
        willBe = after(was, req);
        const turn = availability.change(req, (id) => busy.includes(id)).then(({ takeEffect }) => takeEffect());
        if (!(await hasEnded(turn))) break;
        was = willBe;
      }
      const restarted = await Availability.load(disk, options);
      expect([inService(was), inService(willBe)]).toContainEqual(found(restarted));
    }),
    { numRuns: 300 },
  );
});

test("what the store has not taken is Rejected and counts neither now nor after a restart [CORE-CA-02]", async () => {
  const mood = fc.constantFrom<("takes" | "refuses" | "hangs")[]>("takes", "refuses", "hangs");
  await fc.assert(
    fc.asyncProperty(fc.array(fc.record({ req: request, mood }), { maxLength: 10 }), async (deeds) => {
      const clock = new FakeClock();
      const store = new FickleStore();
      const options = { connectorIds, clock, report: () => {} };
      const availability = await Availability.load(store, options);
      let wishes = all;
      for (const each of deeds) {
        await store.becomes(each.mood);
        const turn = availability.change(each.req, () => false);
        await clock.advance(60_000);
        const { status, takeEffect } = await turn;
        takeEffect();
        expect(status).toBe(each.mood === "takes" ? "Accepted" : "Rejected");
        if (status === "Accepted") wishes = after(wishes, each.req);
        expect(found(availability)).toEqual(inService(wishes));
      }
      await store.becomes("takes");
      const last: Req<"ChangeAvailability"> = { connectorId: 2, type: "Operative" };
      (await availability.change(last, () => false)).takeEffect();
      expect(found(await Availability.load(store, options))).toEqual(inService(after(wishes, last)));
    }),
    { numRuns: 300 },
  );
});
