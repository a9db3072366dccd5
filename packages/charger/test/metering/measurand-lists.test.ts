import { Configuration, memoryStore, type StandardKeys } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { keysOf } from "../../src/charger-keys.ts";
import type { ChargerOptions } from "../../src/charger-options.ts";
import type { Reading } from "../../src/hardware/reading.ts";
import { measurandKeys, measurandLists, sampledNames } from "../../src/metering/measurand-lists.ts";

const measures = (...measurands: (keyof Reading)[]) => ({ maximum: { limit: 16, unit: "A" } as const, measurands });
const energy = "Energy.Active.Import.Register";

const lists = measurandLists({
  connectors: [measures(energy, "Voltage.L1", "Voltage.L2"), measures(energy)],
  mainMeasurands: ["Power.Active.Import"],
});
const takes = (...names: string[]) => measurandKeys.map((key) => lists[key]?.accepts?.(names));

describe("The lists of measurands", () => {
  test("take what a connector or the main meter has, with or without a phase [CORE-MTR-04] [CORE-MTR-06] [CORE-MTR-18]", () => {
    const all = [true, true, true, true];
    expect(takes(energy, "Power.Active.Import")).toEqual(all);
    expect(takes("Voltage.L2", "Voltage")).toEqual(all);
    expect(takes()).toEqual(all);
  });

  test("take nothing of a list with something else in it [CORE-MTR-09]", () => {
    for (const other of ["SoC", "Voltage.L3", `${energy}.L1`, "Power.Active.Import.L1", "Nonsense", ""]) {
      expect(takes(energy, other), other).toEqual([false, false, false, false]);
    }
  });

  test("are as long as there are names [CFG-17] [CFG-19] [CFG-28] [CFG-30]", () => {
    for (const key of measurandKeys) expect(lists[`${key}MaxLength`]).toEqual({ value: 5 });
    expect(measurandLists({ connectors: [measures()] }).StopTxnSampledDataMaxLength).toEqual({ value: 1 });
  });

  test("begin as the documents say, or empty where no meter has that [CORE-MTR-19]", () => {
    expect(lists.MeterValuesSampledData).not.toHaveProperty("value");
    expect(measurandLists({ connectors: [measures("SoC")] }).MeterValuesSampledData).toMatchObject({ value: [] });
  });

  test("hardware that measures what no message can tell is refused", () => {
    expect(() => measurandLists({ connectors: [measures("Humour" as never)] })).toThrow(/"Humour"/);
    expect(() => measurandLists({ connectors: [], mainMeasurands: ["Voltage.L4" as never] })).toThrow(/"Voltage.L4"/);
  });

  test("a list of samples that is empty asks for what a bill needs [TCK-C070]", () => {
    expect(sampledNames([])).toEqual([energy]);
    expect(sampledNames(["SoC"])).toEqual(["SoC"]);
  });
});

describe("The keys of a charger", () => {
  const keysWith = (configuration: NonNullable<ChargerOptions["configuration"]>): StandardKeys =>
    keysOf({ configuration, hardware: { connectors: [measures("SoC")] } } as unknown as ChargerOptions);

  test("keep the measurands that the owner has chosen, also where the default is none of the hardware's [CORE-MTR-04]", () => {
    const keys = keysWith({ MeterValuesSampledData: ["SoC"] });
    expect(keys.MeterValuesSampledData).toMatchObject({ value: ["SoC"] });
  });

  test("a change with something unknown leaves the list as it was [CORE-MTR-09] [CORE-CC-06]", async () => {
    const configuration = await Configuration.load({
      keys: keysWith({ MeterValuesSampledData: ["SoC"] }),
      store: memoryStore(),
      report: (error) => expect.fail(error.message),
    });
    const change = (value: string) => configuration.changeConfiguration({ key: "MeterValuesSampledData", value });
    expect(await change("SoC,Voltage")).toEqual({ status: "Rejected" });
    expect(configuration.get("MeterValuesSampledData")).toEqual(["SoC"]);
    expect(await change("SoC,SoC")).toEqual({ status: "Rejected" }); // Longer than its MaxLength.
    expect(await change("")).toEqual({ status: "Accepted" });
    expect(configuration.get("MeterValuesSampledData")).toEqual([]);
  });
});
