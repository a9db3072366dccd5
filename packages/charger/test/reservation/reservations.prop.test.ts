import fc from "fast-check";
import { expect, test } from "vitest";
import { admit, type Reservation } from "../../src/reservation/reservation.ts";
import { Bench, minute } from "./reservations-bench.ts";

const connectorIds = [1, 2, 3] as const;
const connectorId = fc.constantFrom(...connectorIds);
const idTag = fc.constantFrom("A", "B", "C");
const group = fc.constantFrom(undefined, "G", "H");

const deed = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant("reserve" as const),
      id: fc.nat(4),
      connectorId: fc.nat(3),
      idTag,
      parentIdTag: group,
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), id: fc.nat(4) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("use" as const), connectorId, idTag, group }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant("leave" as const), connectorId }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("break" as const),
      connectorId,
      as: fc.constantFrom("faulted", "unavailable"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 4 * minute }) }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "power cut" as const }) },
);

const freeOf = (bench: Bench): number[] => connectorIds.filter((id) => bench.situationOf(id) === "free");

/** Slowly: whether each reservation can have a connector of its own out of those that are free. */
function canHonour([first, ...others]: readonly Reservation[], free: readonly number[]): boolean {
  if (first === undefined) return true;
  return free.some(
    (id) =>
      (first.connectorId === 0 || first.connectorId === id) &&
      canHonour(
        others,
        free.filter((other) => other !== id),
      ),
  );
}

/** Whether all who have reserved find a connector that lets them in, when they come in this order. */
function findTheirs(bench: Bench, inOrder: readonly Reservation[]): boolean {
  let free = freeOf(bench);
  let reservations = inOrder;
  for (const { idTag } of inOrder) {
    const circumstances = {
      connectorIds,
      reservations,
      situationOf: (id: number) => (free.includes(id) ? "free" : "occupied") as "free" | "occupied",
    };
    const found = free.find((id) => admit(id, idTag, circumstances).type === "own");
    if (found === undefined) return false;
    const admission = admit(found, idTag, circumstances);
    free = free.filter((id) => id !== found);
    reservations = reservations.filter((each) => admission.type !== "own" || each !== admission.reservation);
  }
  return true;
}

test("a reservation is accepted if all can be honoured, and whoever comes is let in if all still can [RSV-02] [RSV-03] [RSV-04] [RSV-08] [RSV-09]", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(deed, { maxLength: 30 }), async (deeds) => {
      const bench = await Bench.open();
      /** Until something breaks, nobody is let down. */
      let isWhole = true;
      for (const each of deeds) {
        const { reservations } = bench;
        if (each.do === "reserve") {
          const others = reservations.all.filter(({ reservationId }) => reservationId !== each.id);
          const asked = { reservationId: each.id, connectorId: each.connectorId, idTag: each.idTag, expiresAt: 0 };
          const can = canHonour([...others, asked], freeOf(bench));
          const { parentIdTag } = each;
          const req = { reservationId: each.id, connectorId: each.connectorId, idTag: each.idTag };
          expect((await bench.reserve({ ...req, ...(parentIdTag && { parentIdTag }) })) === "Accepted").toBe(can);
        } else if (each.do === "cancel") {
          const isThere = reservations.all.some(({ reservationId }) => reservationId === each.id);
          expect(await bench.cancel(each.id)).toBe(isThere ? "Accepted" : "Rejected");
        } else if (each.do === "leave") {
          bench.situations.set(each.connectorId, "free");
        } else if (each.do === "break") {
          isWhole = false;
          bench.situations.set(each.connectorId, each.as as "faulted" | "unavailable");
          bench.do(() => reservations.inoperative(each.connectorId));
          expect(reservations.on(each.connectorId)).toBeUndefined();
        } else if (each.do === "pass") {
          await bench.pass(each.ms);
        } else if (each.do === "power cut") {
          await bench.clock.advance(0);
          const before = bench.ids.split(" ").sort();
          await bench.load();
          expect(bench.ids.split(" ").sort()).toEqual(before);
        } else if (bench.situationOf(each.connectorId) === "free") {
          const admission = reservations.admission(each.connectorId, each.idTag, bench.situationOf);
          const specific = reservations.on(each.connectorId);
          const possible =
            specific === undefined ? reservations.all.filter((one) => one.connectorId === 0) : [specific];
          const own = possible.filter((one) => one.idTag === each.idTag);
          const ofGroup = possible.filter((one) => one.parentIdTag !== undefined);
          const free = freeOf(bench).filter((id) => id !== each.connectorId);
          if (own.length > 0) expect(admission).toEqual({ type: "own", reservation: own[0] });
          else if (canHonour(reservations.all, free)) expect(admission).toEqual({ type: "free" });
          else if (ofGroup.length === 0) expect(admission.type).toBe("refused");
          else expect(admission).toMatchObject({ type: "ask-parent", candidates: ofGroup });
          if (admission.type === "refused") continue;
          let used = admission.type === "own" ? admission.reservation : undefined;
          if (admission.type === "ask-parent") {
            used = admission.candidates.find((one) => one.parentIdTag === each.group);
            if (used === undefined) continue;
          }
          bench.situations.set(each.connectorId, "occupied");
          if (used !== undefined) bench.do(() => reservations.used(used.reservationId));
        }
        const { all } = bench.reservations;
        if (!isWhole) continue;
        expect(findTheirs(bench, all), bench.ids).toBe(true);
        expect(findTheirs(bench, [...all].reverse()), bench.ids).toBe(true);
      }
    }),
    { numRuns: 500 },
  );
});
