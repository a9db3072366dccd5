import { check } from "@ocppj/core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Reading } from "../../src/hardware/reading.ts";
import { measurandOf, meterValueOf, toldEnergy } from "../../src/metering/meter-value.ts";

const periodic = { context: "Sample.Periodic", connectorId: 1 } as const;
const energy = "Energy.Active.Import.Register";

/** What is told of a reading, with names as in a reading. */
const told = (reading: Reading, names: readonly string[]) =>
  meterValueOf(reading, names, periodic)?.sampledValue.map(({ measurand, phase, value }) => [
    phase === undefined ? measurand : `${measurand}.${phase}`,
    value,
  ]);

const value = (name: keyof Reading, shown: number) => told({ [name]: shown }, [name])?.[0]?.[1];

/** Each measurand, and its unit. */
const units = {
  "Current.Export": "A", // TYP-54
  "Current.Import": "A",
  "Current.Offered": "A",
  "Energy.Active.Export.Register": "Wh", // TYP-50
  "Energy.Active.Import.Register": "Wh",
  "Energy.Reactive.Export.Register": "varh", // TYP-51
  "Energy.Reactive.Import.Register": "varh",
  "Energy.Active.Export.Interval": "Wh", // TYP-50
  "Energy.Active.Import.Interval": "Wh",
  "Energy.Reactive.Export.Interval": "varh", // TYP-51
  "Energy.Reactive.Import.Interval": "varh",
  Frequency: undefined, // TYP-58, QD-04
  "Power.Active.Export": "W", // TYP-52
  "Power.Active.Import": "W",
  "Power.Factor": undefined, // TYP-58
  "Power.Offered": "W", // TYP-52
  "Power.Reactive.Export": "var", // TYP-53
  "Power.Reactive.Import": "var",
  RPM: undefined, // TYP-58
  SoC: "Percent", // TYP-57
  Temperature: "Celsius", // TYP-56
  Voltage: "V", // TYP-55
} as const;
const phases = ["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"] as const;

describe("What a message tells of a reading", () => {
  const reading: Reading = {
    [energy]: 10,
    Voltage: 231,
    "Voltage.L1": 230,
    "Voltage.L2-N": 232,
    "Current.Import.L1": 6,
  };

  test("a measurand is told as a whole and of every phase, a measurand with a phase of that one [CORE-MTR-08] [CORE-MTR-18]", () => {
    expect(told(reading, ["Voltage"])).toEqual([
      ["Voltage", "231"],
      ["Voltage.L1", "230"],
      ["Voltage.L2-N", "232"],
    ]);
    expect(told(reading, ["Voltage.L1"])).toEqual([["Voltage.L1", "230"]]);
    expect(told(reading, ["Current.Import"])).toEqual([["Current.Import.L1", "6"]]);
    expect(told(reading, ["Voltage", "Voltage.L1", "Voltage"])).toHaveLength(3);
  });

  test("what was not measured, or is no number that a meter shows, is left out [CORE-MTR-08]", () => {
    expect(meterValueOf(reading, ["SoC"], periodic)).toBeUndefined();
    expect(meterValueOf(reading, [], periodic)).toBeUndefined();
    const nonsense = { Voltage: Number.NaN, SoC: Number.POSITIVE_INFINITY, RPM: 1e21, Temperature: "21", Humour: 1 };
    expect(meterValueOf(nonsense as object, Object.keys(nonsense), periodic)).toBeUndefined();
  });

  test.each(Object.entries(units))("%s is in %s [CORE-MV-11] [TYP-21] [QD-05]", (measurand, unit) => {
    expect(meterValueOf({ [measurand]: 1 }, [measurand], periodic)?.sampledValue[0]?.unit).toBe(unit);
  });

  test("the state of charge is the vehicle's, connector 0 is the inlet [CORE-MTR-08] [CORE-MV-05]", () => {
    const at = (connectorId: number) =>
      meterValueOf({ Voltage: 230, SoC: 50 }, ["Voltage", "SoC"], {
        context: "Trigger",
        connectorId,
      })?.sampledValue.map(({ location }) => location);
    expect(at(0)).toEqual(["Inlet", "EV"]);
    expect(at(1)).toEqual([undefined, "EV"]);
  });

  test("context and timestamp are those that were given; the context is always said [CORE-MV-10] [CORE-MV-16]", () => {
    const timestamp = "2026-01-01T00:00:00.000Z";
    expect(meterValueOf({ SoC: 50 }, ["SoC"], { context: "Sample.Clock", connectorId: 1, timestamp })).toEqual({
      timestamp,
      sampledValue: [{ value: "50", context: "Sample.Clock", measurand: "SoC", location: "EV", unit: "Percent" }],
    });
    expect(meterValueOf({ SoC: 50 }, ["SoC"], periodic)).not.toHaveProperty("timestamp");
  });

  test("energy is rounded once, as meterStart is, and the rest to what a meter shows [CORE-START-06]", () => {
    expect(value(energy, 1234.5)).toBe("1235");
    expect(value("Energy.Active.Export.Interval", -0.5)).toBe("0");
    expect(value("Voltage", 230.06)).toBe("230.1");
    expect(value("Power.Active.Import", -0.04)).toBe("0");
    expect(value("Frequency", 49.987)).toBe("49.99");
    expect(value("Power.Factor", 0.98765)).toBe("0.988");
    expect(value("Power.Active.Import", 1e-9)).toBe("0");
    expect(value(energy, 1e12)).toBe("1000000000000");
  });

  test("is always a message, with plain decimal numbers and as near as its decimals allow [CORE-MV-09]", () => {
    const names = fc
      .tuple(fc.constantFrom(...Object.keys(units)), fc.constantFrom(undefined, ...phases))
      .map(([measurand, phase]) => (phase === undefined ? measurand : `${measurand}.${phase}`));
    const readings = fc.dictionary(names, fc.oneof(fc.double(), fc.double({ min: -1e5, max: 1e9, noNaN: true })));
    fc.assert(
      fc.property(readings, (reading) => {
        const meterValue = meterValueOf(reading, Object.keys(reading), {
          ...periodic,
          timestamp: "2026-01-01T00:00:00Z",
        });
        if (meterValue === undefined) return;
        check("MeterValues", "req", { connectorId: 1, meterValue: [meterValue] });
        for (const { measurand, phase, value } of meterValue.sampledValue) {
          expect(value).toMatch(/^-?\d+(\.\d{1,3})?$/);
          expect(value).not.toBe("-0");
          const shown = reading[phase === undefined ? `${measurand}` : `${measurand}.${phase}`];
          expect(Math.abs(Number(value) - (shown as number))).toBeLessThanOrEqual(0.5 + 1e-3);
        }
      }),
    );
  });
});

describe("A name of a list", () => {
  test("is a measurand of the documents, with or without a phase of theirs [CORE-MTR-18]", () => {
    for (const measurand of Object.keys(units)) {
      expect(measurandOf(measurand)).toEqual({ measurand, phase: undefined });
      for (const phase of phases) expect(measurandOf(`${measurand}.${phase}`)).toEqual({ measurand, phase });
    }
    for (const name of ["", "Volt", "Voltage.", "Voltage.L4", "Voltage.N-L1", "VoltagexL1", "Voltage.L1.L2", " SoC"]) {
      expect(measurandOf(name), name).toBeUndefined();
    }
  });
});

describe("The energy that was told", () => {
  test("is the overall register for the bill, if that was told at all [CORE-MTR-15]", () => {
    const of = (reading: Reading) => {
      const value = meterValueOf(reading, Object.keys(reading), periodic);
      return value && toldEnergy(value);
    };
    expect(of({ SoC: 1, [`${energy}.L1`]: 5, [energy]: 12.6 })).toBe(13);
    expect(of({ SoC: 1, "Energy.Active.Export.Register": 5 })).toBeUndefined();
    expect(of({ [`${energy}.L1`]: 5 })).toBeUndefined();
  });
});
