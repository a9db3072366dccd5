import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seeded } from "../src/index.ts";

describe("seeded", () => {
  test("returns the same numbers for the same seed, from 0 up to 1, spread over all of it", () => {
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const [one, other] = [seeded(seed), seeded(seed)];
        const row = Array.from({ length: 400 }, one);
        expect(Array.from({ length: 400 }, other)).toEqual(row);
        for (const number of row) expect(number >= 0 && number < 1).toBe(true);
        const tenths = new Set(row.map((number) => Math.floor(10 * number)));
        expect(tenths.size).toBe(10);
      }),
    );
  });

  test("returns other numbers for another seed", () => {
    const first = Array.from({ length: 1000 }, (_, seed) => seeded(seed)());
    expect(new Set(first).size).toBe(1000);
  });

  test("returns what it always has: a seed that somebody has noted down finds the same again", () => {
    const random = seeded(42);
    expect([random(), random(), random()]).toEqual([0.6011037519201636, 0.44829055899754167, 0.8524657934904099]);
  });
});
