import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Demand, shareOut } from "../../src/limits/share-out.ts";

const demandsOf = (...demands: readonly (readonly [most: number, least: number])[]): Demand[] =>
  demands.map(([most, least], index) => ({ connectorId: index + 1, most, least }));

const demands = fc
  .array(fc.tuple(fc.integer({ min: 0, max: 200 }), fc.constantFrom(0, 6, 10)), { maxLength: 8 })
  .map((list) => demandsOf(...list));

/** Adds a watt at a time to whoever has the least and can still use one: slow, and plainly fair. */
function slowly(total: number, wanted: readonly Demand[]): Map<number, number> {
  const shares = new Map(wanted.map(({ connectorId }) => [connectorId, 0]));
  const served: Demand[] = [];
  let left = total;
  for (const demand of wanted) {
    if (demand.most < demand.least || demand.most <= 0 || demand.least > left) continue;
    left -= demand.least;
    shares.set(demand.connectorId, demand.least);
    served.push(demand);
  }
  for (; left >= 1; left -= 1) {
    const open = served.filter(({ connectorId, most }) => (shares.get(connectorId) ?? 0) < most);
    const [poorest] = open.sort((a, b) => (shares.get(a.connectorId) ?? 0) - (shares.get(b.connectorId) ?? 0));
    if (poorest === undefined) break;
    shares.set(poorest.connectorId, (shares.get(poorest.connectorId) ?? 0) + 1);
  }
  return shares;
}

describe("shareOut", () => {
  test("gives everybody the same, and what somebody cannot use to the others [SC-23]", () => {
    expect([...shareOut(60, demandsOf([100, 6], [100, 6], [100, 6])).values()]).toEqual([20, 20, 20]);
    expect([...shareOut(60, demandsOf([10, 6], [100, 6], [100, 6])).values()]).toEqual([10, 25, 25]);
    expect([...shareOut(60, demandsOf([5, 0], [12, 6], [100, 10])).values()]).toEqual([5, 12, 43]);
  });

  test("gives nobody less than is of use: the last ones get nothing", () => {
    expect([...shareOut(13, demandsOf([32, 6], [32, 6], [32, 6])).values()]).toEqual([6.5, 6.5, 0]);
    expect([...shareOut(5, demandsOf([32, 6])).values()]).toEqual([0]);
    expect([...shareOut(100, demandsOf([4, 6], [32, 6])).values()]).toEqual([0, 32]);
  });

  test("never more than there is, nor than anybody may have, and as fair as one watt after the other", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 500 }), demands, (total, wanted) => {
        const shares = shareOut(total, wanted);
        expect([...shares.values()].reduce((sum, share) => sum + share, 0)).toBeLessThanOrEqual(total + 1e-9);
        const oracle = slowly(total, wanted);
        for (const { connectorId, least, most } of wanted) {
          const share = shares.get(connectorId) ?? Number.NaN;
          expect(share === 0 || (share >= least && share <= most)).toBe(true);
          expect(Math.abs(share - (oracle.get(connectorId) ?? 0))).toBeLessThanOrEqual(1);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("a larger total takes nothing from those that are served, and the order of those that fit does not matter", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 500 }),
        fc.integer({ min: 0, max: 100 }),
        demands,
        (total, more, wanted) => {
          const before = shareOut(total, wanted);
          const after = shareOut(total + more, wanted);
          const isServed = (shares: ReadonlyMap<number, number>): string =>
            [...shares].flatMap(([id, share]) => (share > 0 ? id : [])).join();
          // Where the same ones are served, each has at least as much.
          if (isServed(before) === isServed(after)) {
            for (const [id, share] of before) expect(after.get(id)).toBeGreaterThanOrEqual(share - 1e-9);
          }
          const served = wanted.filter(({ connectorId }) => (before.get(connectorId) ?? 0) > 0);
          const reversed = shareOut(total, [...served].reverse());
          for (const { connectorId } of served) {
            expect(reversed.get(connectorId)).toBeCloseTo(before.get(connectorId) ?? Number.NaN, 6);
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
