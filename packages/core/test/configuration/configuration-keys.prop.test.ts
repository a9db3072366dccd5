import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  type ConfigurationValueRange,
  configurationKeys,
  formatConfigurationValue,
  isConfigurationValue,
  parseConfigurationValue,
} from "../../src/configuration/configuration-keys.ts";

const ranges: readonly ConfigurationValueRange[] = [
  ...Object.values(configurationKeys),
  { type: "boolean" },
  { type: "integer", minimum: Number.MIN_SAFE_INTEGER },
  { type: "CSL" },
  { type: "string" },
];

const text = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ unit: fc.constantFrom(",", " ", "a", "\t", "-", "0"), maxLength: 10 }),
  fc.integer().map(String),
  fc.constantFrom("true", "FALSE", "SoC, Voltage.L1", "0.RST,1.RTS", "Current, Power", "FTP,HTTPS", "Core"),
  fc.string({ unit: fc.constantFrom(..."0123456789abcdefABCDEF"), minLength: 30, maxLength: 42 }),
  fc.string({ unit: fc.constantFrom("x", "🔌", "x,"), minLength: 240, maxLength: 510 }),
);

describe("parseConfigurationValue", () => {
  it("gives what comes back from its text, whatever that was [CORE-CC-10] [CORE-CC-11]", () => {
    let read = 0;
    fc.assert(
      fc.property(fc.constantFrom(...ranges), text, (range, travelling) => {
        const value = parseConfigurationValue(range, travelling);
        if (value === undefined) return;
        read++;
        expect(isConfigurationValue(range, value)).toBe(true);
        expect(parseConfigurationValue(range, formatConfigurationValue(value))).toEqual(value);
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(300);
  });
});

describe("isConfigurationValue", () => {
  it("agrees with what can travel: such a value comes back from its text", () => {
    const item = fc.oneof(fc.string({ maxLength: 5 }), fc.constantFrom("SoC", "Voltage.L1", "0.RST", "Core", "Power"));
    const value = fc.oneof(fc.boolean(), fc.maxSafeInteger(), fc.string(), fc.array(item, { maxLength: 4 }));
    let travelled = 0;
    fc.assert(
      fc.property(fc.constantFrom(...ranges), value, (range, value) => {
        if (!isConfigurationValue(range, value)) return;
        travelled++;
        expect(parseConfigurationValue(range, formatConfigurationValue(value))).toEqual(value);
      }),
      { numRuns: 3000 },
    );
    expect(travelled).toBeGreaterThan(300);
  });
});
