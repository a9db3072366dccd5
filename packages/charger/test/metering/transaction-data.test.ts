import type { MeterReading } from "@ocppj/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { TransactionData } from "../../src/metering/transaction-data.ts";

type Context = NonNullable<MeterReading["sampledValue"][number]["context"]>;

const midnight = Date.UTC(2026, 0, 1);

/** Values of a moment, in seconds; by default another at each. */
const reading = (at: number, context: Context = "Sample.Periodic", value = `${at}`): MeterReading => ({
  timestamp: new Date(midnight + 1000 * at).toISOString(),
  sampledValue: [{ value, context }],
});
const secondsOf = (told: readonly MeterReading[]): number[] =>
  told.map(({ timestamp = "" }) => (Date.parse(timestamp) - midnight) / 1000);

const begin = reading(0, "Transaction.Begin");
const end = reading(1000, "Transaction.End");
const roomy = { maxValues: 100, maxBytes: 100_000 };

/** What is told of some values, with limits that hold from the start on. */
function told(between: readonly MeterReading[], limits: Partial<typeof roomy> = {}): readonly MeterReading[] {
  const data = new TransactionData({ begin });
  for (const each of between) data.add(each, { ...roomy, ...limits });
  return data.stopped(end, { ...roomy, ...limits });
}

const samples = (count: number): MeterReading[] => Array.from({ length: count }, (_, index) => reading(index + 1));

describe("The meter values of StopTransaction", () => {
  test("are the first, those between and the last, in the order of time [CORE-MTR-11]", () => {
    const late = [reading(10), reading(30), reading(20, "Sample.Clock")];
    expect(told(late)).toEqual([begin, late[0], late[2], late[1], end]);
  });

  test("are none when none are asked for at the end [CORE-MTR-10]", () => {
    const data = new TransactionData({ begin });
    data.add(reading(1), roomy);
    expect(data.stopped(undefined, roomy)).toEqual([]);
    expect(new TransactionData({}).stopped(undefined, roomy)).toEqual([]);
  });

  test("have no first where none was asked for at the start [CORE-MTR-11]", () => {
    expect(new TransactionData({}).stopped(end, roomy)).toEqual([end]);
    expect(new TransactionData({}).state).toEqual({});
  });

  test("are thinned out evenly, and stay so however many follow [CORE-MTR-13]", () => {
    expect(secondsOf(told(samples(9), { maxValues: 10 }))).toEqual([0, 2, 4, 6, 8, 1000]);
    expect(secondsOf(told(samples(100), { maxValues: 10 }))).toEqual([0, 16, 32, 48, 64, 80, 96, 1000]);
  });

  test("lose what repeats the one before first [CORE-MTR-13]", () => {
    const still = [reading(1), ...[2, 3, 4].map((at) => reading(at, "Sample.Periodic", "1")), reading(5), reading(6)];
    expect(secondsOf(told(still, { maxValues: 7 }))).toEqual([0, 1, 5, 6, 1000]);
    expect(secondsOf(told(still, { maxValues: 8 }))).toEqual([0, 1, 2, 3, 4, 5, 6, 1000]);
  });

  test("are thinned out at the end, too: what repeats the one before first [CORE-MTR-13]", () => {
    const data = new TransactionData({ begin });
    for (const at of [1, 2, 3, 4]) data.add(reading(at, "Sample.Periodic", "1"), roomy);
    data.add(reading(5), roomy);
    expect(secondsOf(data.stopped(end, { ...roomy, maxValues: 5 }))).toEqual([0, 1, 5, 1000]);
    expect(secondsOf(data.stopped(end, { ...roomy, maxValues: 3 }))).toEqual([0, 5, 1000]);
  });

  test("lose neither all samples nor all clock-aligned ones, where they take turns [CORE-MTR-13]", () => {
    const turns = samples(40).map((each, index) => (index % 2 ? reading(index + 1, "Sample.Clock") : each));
    const contexts = told(turns, { maxValues: 12 }).map(({ sampledValue: [first] }) => first?.context);
    expect(contexts.filter((each) => each === "Sample.Clock").length).toBeGreaterThan(2);
    expect(contexts.filter((each) => each === "Sample.Periodic").length).toBeGreaterThan(2);
  });

  test("keep the first and the last where nothing else fits, or not even they [CORE-MTR-12] [CORE-MTR-13]", () => {
    expect(told(samples(50), { maxValues: 2 })).toEqual([begin, end]);
    expect(told(samples(50), { maxValues: 0 })).toEqual([begin, end]);
    expect(told(samples(50), { maxBytes: 1 })).toEqual([begin, end]);
  });

  test("are counted in bytes, not in characters [CORE-MTR-13]", () => {
    const long = reading(1, "Sample.Periodic", "€".repeat(1000));
    expect(told([long], { maxBytes: 3000 })).toEqual([begin, end]);
    expect(told([long], { maxBytes: 4000 })).toHaveLength(3);
  });

  test("begin with what was kept before a power cut [CORE-MTR-11] [CORE-MTR-12]", () => {
    const kept = JSON.parse(JSON.stringify(new TransactionData({ begin }).state));
    expect(new TransactionData(kept).stopped(end, roomy)).toEqual([begin, end]);
  });
});

describe("Whatever is added, the meter values of StopTransaction", () => {
  const value = fc
    .tuple(fc.integer({ min: 1, max: 999 }), fc.constantFrom("Sample.Periodic", "Sample.Clock"), fc.nat(2))
    .map(([at, context, value]) => reading(at, context as Context, `${value}`));

  test("begin with the first, end with the last, rise in time, fit, and are of those that were added [CORE-MTR-11] [CORE-MTR-12] [CORE-MTR-13]", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 200 }), fc.nat(40), fc.nat(5000), (between, maxValues, maxBytes) => {
        const all = told(between, { maxValues, maxBytes });
        const inside = all.slice(1, -1);
        expect([all[0], all.at(-1)]).toEqual([begin, end]);
        expect(secondsOf(inside)).toEqual(secondsOf(inside).sort((a, b) => a - b));
        expect(all.length).toBeLessThanOrEqual(Math.max(2, maxValues));
        if (inside.length > 0)
          expect(new TextEncoder().encode(JSON.stringify(all)).length).toBeLessThanOrEqual(maxBytes);
        for (const each of inside) expect(between).toContain(each);
        expect(new Set(inside).size).toBe(inside.length);
      }),
    );
  });

  test("are all of them where there is room [CORE-MTR-11]", () => {
    fc.assert(
      fc.property(fc.array(value, { maxLength: 98 }), (between) => {
        expect(new Set(told(between).slice(1, -1))).toEqual(new Set(between));
      }),
    );
  });
});
