import { expect, test } from "vitest";
import { putLatest } from "../src/bounded.ts";

test("A map that is bounded forgets what was put longest ago, and says what that was", () => {
  const map = new Map([
    ["a", 1],
    ["b", 2],
  ]);
  expect(putLatest(map, "a", 3, 2)).toBeUndefined();
  expect(putLatest(map, "c", 4, 2)).toBe(2);
  expect([...map]).toEqual([
    ["a", 3],
    ["c", 4],
  ]);
});
