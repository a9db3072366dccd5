import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

/** The requirements of smart charging, by the ranges in which they are numbered. */
const requirements = [
  [1, 46],
  [50, 63],
  [70, 77],
  [80, 89],
].flatMap(([from = 0, to = 0]) =>
  Array.from({ length: to - from + 1 }, (_, index) => `SC-${String(from + index).padStart(2, "0")}`),
);

/** Those that a library cannot obey: they are its owner's, and why. All others are named by a test. */
const ofTheOwner: Readonly<Record<string, string>> = {
  "SC-03": "which purpose a Central System chooses for what it wants; docs/smart-charging.md says which is for what",
  "SC-42": "the contactors of a charger that goes from three phases to one; `limit` tells how many",
  "SC-43": "a strategy below minChargingRate is a choice; the limit never rises because of it, which is tested",
  "SC-52": "when a Central System sends a profile: after the promise `answered` of its handler of StartTransaction",
  "SC-53": "whether a start is too old for a profile; its timestamp is in the request",
};

const tests = fileURLToPath(new URL("../core/test", import.meta.url));

/** What stands in brackets in the tests, where titles name requirements. */
const named = new Set(
  readdirSync(tests, { recursive: true, withFileTypes: true })
    .filter(({ name }) => name.endsWith(".ts"))
    .flatMap(({ parentPath, name }) => {
      const ids = readFileSync(join(parentPath, name), "utf8").matchAll(/\b(SC-\d\d)\b/g);
      return [...ids].map(([, id = ""]) => id);
    }),
);

describe("Smart charging", () => {
  test.each(requirements)("%s is named by a test, or is the owner's", (id) => {
    expect(named.has(id)).toBe(!(id in ofTheOwner));
  });

  test("no other requirements are named", () => {
    expect([...named, ...Object.keys(ofTheOwner)].filter((id) => !requirements.includes(id))).toEqual([]);
  });

  test.each(["056", "057", "058_1", "058_2", "059", "060", "066", "067", "072", "082"])(
    "the certification case TC_%s is named by a test",
    (number) => {
      const cases = readFileSync(join(tests, "smart-charging/certification.test.ts"), "utf8");
      expect(cases).toContain(`[TC_${number}]`);
    },
  );
});
