import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Offer } from "../../src/index.ts";
import { PowerSharing } from "../../src/limits/power-sharing.ts";

const second = 1000;
const minute = 60 * second;
const ac = { maximum: { limit: 32, unit: "A" } } as const;
const dc = { maximum: { limit: 50_000, unit: "W" } } as const;

/** Sharing among connectors, and what each is offered after every output. */
class Bench {
  readonly sharing: PowerSharing;
  readonly offers = new Map<number, Offer | undefined>();
  now = 0;
  total = Number.POSITIVE_INFINITY;
  /** The largest sum of what was offered at any instant since it was looked at last. */
  peak = 0;

  constructor(connectors: readonly (typeof ac | typeof dc)[] = [ac, ac, ac], pauseSeconds = 600) {
    this.sharing = new PowerSharing({ connectors, pauseSeconds });
  }

  get sum(): number {
    return [...this.offers.values()].reduce((sum, offer) => sum + (offer?.W ?? 0), 0);
  }

  get amperes(): (number | undefined)[] {
    return [...this.offers].sort(([a], [b]) => a - b).map(([, offer]) => offer?.A);
  }

  /** Does something, and takes what is said. */
  do(act: () => void): this {
    act();
    for (let output = this.sharing.poll(); output !== undefined; output = this.sharing.poll()) {
      this.offers.set(output.connectorId, output.offer);
      this.peak = Math.max(this.peak, this.sum);
    }
    return this;
  }

  want(...connectorIds: readonly number[]): this {
    return this.do(() => {
      for (const id of connectorIds) this.sharing.wants(id, true, this.now);
    });
  }

  limit(connectorId: number, limit: number, unit: "A" | "W" = "W"): this {
    return this.do(() => this.sharing.limit(connectorId, { limit, unit }, this.now));
  }

  draw(connectorId: number, watts: number): this {
    return this.do(() => this.sharing.draws(connectorId, watts, this.now));
  }

  pass(ms: number): this {
    const end = this.now + ms;
    while (this.sharing.deadline <= end) {
      this.now = Math.max(this.now, this.sharing.deadline);
      this.do(() => this.sharing.advance(this.now));
    }
    this.now = end;
    return this.do(() => this.sharing.advance(this.now));
  }
}

describe("PowerSharing", () => {
  test.each([0, 11, 20])("of %i W, which are less than a tenth of an ampere, nothing is offered", (limit) => {
    const bench = new Bench([dc]);
    bench.do(() => bench.sharing.limit(1, { limit, unit: "W" }, 0)).do(() => bench.sharing.wants(1, true, 0));
    expect(bench.amperes).toEqual([]);
    bench.do(() => bench.sharing.limit(1, { limit: 100, unit: "W" }, 0));
    expect(bench.amperes).toEqual([0.1]);
  });

  test("offers each what it may draw as long as that suffices for all, and nothing to who does not want it", () => {
    const bench = new Bench().limit(1, 16, "A").want(1, 3);
    expect(bench.offers).toEqual(
      new Map([
        [1, { A: 16, W: 11_040, phases: 3 }],
        [3, { A: 32, W: 22_080, phases: 3 }],
      ]),
    );
    bench.do(() => bench.sharing.wants(1, false, 0));
    expect(bench.offers.get(1)).toBeUndefined();
  });

  test("lowers before it raises, so that the sum is never exceeded, not for an instant [SC-23]", () => {
    const bench = new Bench().limit(0, 13_800).want(1);
    expect(bench.amperes).toEqual([20]);
    bench.want(2);
    expect(bench.amperes).toEqual([10, 10]);
    bench.want(3);
    expect(bench.amperes).toEqual([6.6, 6.6, 6.6]);
    expect(bench.peak).toBeLessThanOrEqual(13_800);
  });

  test("who gets nothing has its turn: everybody is served, and nobody pauses for longer than the others need", () => {
    const bench = new Bench().limit(0, 4140).want(1, 2, 3);
    const served: (number | undefined)[] = [];
    for (let turn = 0; turn < 6; turn++) {
      served.push([...bench.offers].find(([, offer]) => offer !== undefined)?.[0]);
      bench.pass(600 * second);
    }
    expect(served).toEqual([1, 2, 3, 1, 2, 3]);
  });

  test("what somebody does not draw is for the others, after a while; when it wants more, it has it back at once", () => {
    const bench = new Bench().limit(0, 13_800).want(1, 2);
    bench.draw(1, 1000).pass(29 * second);
    expect(bench.amperes).toEqual([10, 10]);
    bench.pass(second);
    expect(bench.amperes).toEqual([6, 14]); // Not below what is of use.
    bench.draw(1, 4140);
    expect(bench.amperes).toEqual([10, 10]);
    expect(bench.peak).toBeLessThanOrEqual(13_800);
  });

  test("below 6 A per phase is nothing; with one phase it is 1380 W; DC has no least", () => {
    expect(new Bench([ac]).limit(1, 5.9, "A").want(1).offers.get(1)).toBeUndefined();
    const single = new Bench([ac]).want(1);
    single.do(() => single.sharing.limit(1, { limit: 1400, unit: "W", numberPhases: 1 }, 0));
    expect(single.offers.get(1)).toEqual({ A: 6, W: 1400, phases: 1 });
    expect(new Bench([dc]).limit(1, 500).want(1).offers.get(1)?.W).toBe(500);
  });

  const deed = fc.oneof(
    fc.record({ do: fc.constant("want" as const), id: fc.integer({ min: 1, max: 3 }), wants: fc.boolean() }),
    fc.record({
      do: fc.constant("limit" as const),
      id: fc.integer({ min: 0, max: 3 }),
      watts: fc.integer({ min: 0, max: 25_000 }),
    }),
    fc.record({
      do: fc.constant("draw" as const),
      id: fc.integer({ min: 1, max: 3 }),
      part: fc.double({ min: 0, max: 1, noNaN: true }),
    }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 30 * minute }) }),
  );

  test("keeps every limit at every instant, serves only who wants, and says nothing twice", () => {
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
        const bench = new Bench();
        const limits = new Map<number, number>([[0, Number.POSITIVE_INFINITY]]);
        const wanting = new Set<number>();
        for (const each of deeds) {
          const before = Math.min(limits.get(0) ?? 0, 1e9);
          bench.peak = bench.sum;
          if (each.do === "limit") limits.set(each.id, each.watts);
          if (each.do === "want") wanting[each.wants ? "add" : "delete"](each.id);
          if (each.do === "limit") bench.limit(each.id, each.watts);
          else if (each.do === "want") bench.do(() => bench.sharing.wants(each.id, each.wants, bench.now));
          else if (each.do === "draw") bench.draw(each.id, each.part * (bench.offers.get(each.id)?.W ?? 0));
          else bench.pass(each.ms);
          expect(bench.sum).toBeLessThanOrEqual((limits.get(0) ?? 0) + 1e-6);
          // Nor in between: it is lowered before it is raised.
          expect(bench.peak).toBeLessThanOrEqual(Math.max(before, limits.get(0) ?? 0) + 1e-6);
          for (const [id, offer] of bench.offers) {
            if (offer === undefined) continue;
            expect(wanting.has(id)).toBe(true);
            expect(offer.W).toBeLessThanOrEqual(limits.get(id) ?? 22_080);
            expect(offer.A).toBeGreaterThanOrEqual(6);
            expect(offer.A * 690).toBeLessThanOrEqual(offer.W + 1);
          }
          // Nobody pauses while there is enough for one more.
          const left = Math.min(limits.get(0) ?? 0, 1e9) - bench.sum;
          const pauses = [...wanting].filter(
            (id) => bench.offers.get(id) === undefined && (limits.get(id) ?? 22_080) >= 4140,
          );
          if (pauses.length > 0) expect(left).toBeLessThan(4140);
        }
      }),
      { numRuns: 400 },
    );
  });
});
