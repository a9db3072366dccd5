import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { toldByHardware } from "../../src/hardware/told-by-hardware.ts";
import type { HardwareListener, Reading } from "../../src/index.ts";
import { isShown } from "../../src/metering/meter-value.ts";

const methods = [
  ...["plugged", "unplugged", "presented", "pressed", "wantsEnergy", "faulted", "warned", "mended"],
  ...["emergencyStop", "measured", "limitReached", "tampered"],
] as (keyof HardwareListener)[];

function bench() {
  const told: unknown[][] = [];
  const faults: Error[] = [];
  const state = { isCurrent: true };
  const listener = Object.fromEntries(
    methods.map((name) => [name, (...args: unknown[]) => void told.push([name, ...args])]),
  ) as unknown as HardwareListener;
  const safe = toldByHardware(listener, {
    connectors: [{ maximum: { limit: 32, unit: "A" } }, { maximum: { limit: 32, unit: "A" } }],
    fault: (error) => faults.push(error as Error),
    isCurrent: () => state.isCurrent,
    isShown,
  });
  return { told, faults, state, safe };
}

describe("What hardware tells", () => {
  test("is passed on as it is meant", () => {
    const { safe, told, faults } = bench();
    safe.plugged(1);
    safe.unplugged(2);
    safe.presented("TAG");
    safe.faulted(0, { errorCode: "GroundFailure", info: "wet" });
    safe.mended(1);
    safe.measured(0, { Voltage: 230 });
    expect(told).toEqual([
      ["plugged", 1],
      ["unplugged", 2, "charge-point"],
      ["presented", "TAG", undefined],
      ["faulted", 0, { errorCode: "GroundFailure", info: "wet" }],
      ["mended", 1, undefined],
      ["measured", 0, { Voltage: 230 }],
    ]);
    expect(faults).toEqual([]);
  });

  test.each<readonly [reading: unknown, fault: string]>([
    [1234, "A reading is number. Give an object of numbers by measurand."],
    [null, "A reading is object. Give an object of numbers by measurand."],
    [{ Energy: 1, Voltage: 230 }, "A reading has Energy: 1, which no meter shows. That is left out."],
    [{ Voltage: 230, SoC: Number.NaN }, "A reading has SoC: NaN, which no meter shows. That is left out."],
    [{ "Energy.Active.Import.Register": 1e15, Voltage: 230 }, "Register: 1000000000000000, which no meter shows."],
  ])("of a meter that shows %o is a fault, and the rest counts", (reading, fault) => {
    const { safe, told, faults } = bench();
    safe.measured(1, reading as Reading);
    expect(faults.map(({ message }) => message)).toEqual([expect.stringContaining(fault)]);
    expect(told).toEqual(typeof reading === "object" && reading !== null ? [["measured", 1, { Voltage: 230 }]] : []);
  });

  test("makes a fault where it makes no sense, and says what is wrong", () => {
    const { safe, told, faults } = bench();
    safe.plugged(3);
    safe.plugged(0);
    safe.faulted(1, { errorCode: "Melted" as "OtherError" });
    safe.unplugged(1, "middle" as "vehicle");
    expect(told).toEqual([]);
    expect(faults.map(({ message }) => message)).toEqual([
      "The hardware has told of connector 3. There are 1 to 2.",
      "The hardware has told of connector 0. There are 1 to 2.",
      expect.stringContaining("errorCode"),
      "end is middle. Give charge-point or vehicle.",
    ]);
  });

  test("is a copy, without what is no number", () => {
    const { safe, told, faults } = bench();
    const reading: Record<string, number> = { "Energy.Active.Import.Register": 1, SoC: Number.NaN };
    safe.measured(1, reading as Reading);
    reading["Energy.Active.Import.Register"] = 2;
    expect(told).toEqual([["measured", 1, { "Energy.Active.Import.Register": 1 }]]);
    expect(faults).toHaveLength(1);
  });

  test("never throws back, whatever it is, and counts no more once somebody else is told", () => {
    fc.assert(
      fc.property(fc.constantFrom(...methods), fc.array(fc.anything(), { maxLength: 3 }), (method, args) => {
        const { safe, told, faults, state } = bench();
        (safe[method] as (...given: unknown[]) => void)(...args);
        expect(told.length + Math.min(1, faults.length)).toBeGreaterThan(0);
        state.isCurrent = false;
        const before = told.length;
        (safe[method] as (...given: unknown[]) => void)(...args);
        expect(told).toHaveLength(before);
      }),
      { numRuns: 1000 },
    );
  });
});
