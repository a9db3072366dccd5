import type { Req } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { type ChargerSite, minute, second } from "../charger-site.ts";
import { charging, ready } from "./ready.ts";

type MeterValue = Req<"MeterValues">["meterValue"][number];

const meterValues = (site: ChargerSite) => site.payloads("MeterValues") as Req<"MeterValues">[];
const valuesOf = ({ sampledValue }: MeterValue) =>
  Object.fromEntries(
    sampledValue.map(({ measurand, phase, value }) => [phase ? `${measurand}.${phase}` : measurand, value]),
  );

describe("Metering", () => {
  test("TC_070: sampled values, exactly one interval apart from the start on [TCK-C070] [CORE-MTR-02] [CORE-MTR-04] [CORE-MV-16]", async () => {
    const configuration = {
      MeterValueSampleInterval: 15,
      MeterValuesSampledData: ["Energy.Active.Import.Register", "Current.Import.L1", "SoC"],
    };
    const site = await charging({ configuration });
    const { startedAt } = site.charger.chargePoint.transactions[0] as { startedAt: number };
    site.hardware.measure(1, 1234.6, { "Current.Import.L1": 15.96, SoC: 40 });
    await site.after(() => {}, minute);
    const times = meterValues(site).map(({ meterValue: [first] }) => Date.parse(first?.timestamp ?? ""));
    expect(times).toEqual([1, 2, 3, 4].map((n) => startedAt + n * 15 * second));
    const [
      {
        meterValue: [value],
        ...rest
      },
    ] = meterValues(site) as [Req<"MeterValues">];
    expect(rest).toEqual({ connectorId: 1, transactionId: 1 });
    expect(value?.sampledValue).toEqual([
      { value: "1235", context: "Sample.Periodic", measurand: "Energy.Active.Import.Register", unit: "Wh" },
      { value: "16", context: "Sample.Periodic", measurand: "Current.Import", phase: "L1", unit: "A" },
      { value: "40", context: "Sample.Periodic", measurand: "SoC", location: "EV", unit: "Percent" },
    ]);
  });

  test("TC_071: clock-aligned values, also outside of transactions, at the times of the clock [TCK-C070] [CORE-MTR-05] [CORE-MTR-06] [CORE-MV-02]", async () => {
    const site = await ready({ configuration: { ClockAlignedDataInterval: 900 } });
    await site.after(() => {}, 7 * minute);
    site.hardware.plug(1);
    await site.after(() => site.hardware.present("TAG", 1));
    await site.after(() => {}, 40 * minute);
    const aligned = meterValues(site).filter(
      ({ meterValue }) => meterValue[0]?.sampledValue[0]?.context === "Sample.Clock",
    );
    expect(aligned.map(({ connectorId }) => connectorId).sort()).toEqual([1, 1, 1, 2, 2, 2]);
    for (const { meterValue } of aligned) expect(Date.parse(meterValue[0]?.timestamp ?? "") % (15 * minute)).toBe(0);
    expect(aligned.filter(({ transactionId }) => transactionId === 1)).toHaveLength(3);
  });

  test("StopTransaction has the first and the last values, and what fits of those between [CORE-MTR-01] [CORE-MTR-10] [CORE-MTR-11] [CORE-MTR-12] [CORE-MTR-13]", async () => {
    const without = await charging();
    await without.after(() => without.hardware.present("TAG", 1));
    expect(without.payloads("StopTransaction")[0]).not.toHaveProperty("transactionData");

    const configuration = {
      MeterValueSampleInterval: 10,
      StopTxnSampledData: ["Energy.Active.Import.Register"],
      StopTransactionMaxMeterValues: 8,
    };
    const site = await charging({ configuration });
    for (let count = 1; count <= 100; count++) {
      site.hardware.measure(1, 1000 + count);
      await site.after(() => {}, 10 * second);
    }
    await site.after(() => site.hardware.present("TAG", 1));
    const [stop] = site.payloads("StopTransaction") as Req<"StopTransaction">[];
    const data = stop?.transactionData ?? [];
    expect(data.length).toBeLessThanOrEqual(8);
    expect(data.length).toBeGreaterThanOrEqual(5);
    const contexts = data.map(({ sampledValue }) => sampledValue[0]?.context);
    expect([contexts[0], contexts.at(-1)]).toEqual(["Transaction.Begin", "Transaction.End"]);
    const registers = data.map((each) => Number(valuesOf(each)["Energy.Active.Import.Register"]));
    expect([registers[0], registers.at(-1)]).toEqual([1000, stop?.meterStop]);
    expect(registers).toEqual([...registers].sort((a, b) => a - b));
  });

  test("no message grows beyond maxMessageBytes [CORE-MTR-13]", async () => {
    const configuration = {
      MeterValueSampleInterval: 10,
      StopTxnSampledData: ["Energy.Active.Import.Register", "SoC"],
    };
    const site = await charging({ configuration, maxMessageBytes: 4000 });
    for (let count = 1; count <= 90; count++) {
      site.hardware.measure(1, 1000 + count, { SoC: count });
      await site.after(() => {}, 10 * second);
    }
    await site.after(() => site.hardware.present("TAG", 1));
    const [stop] = site.payloads("StopTransaction") as Req<"StopTransaction">[];
    expect(JSON.stringify(stop).length).toBeLessThan(4000);
    expect(JSON.stringify(stop).length).toBeGreaterThan(1500);
  });

  test("a meter that begins anew, or shows nonsense, makes no register fall [CORE-MTR-14] [CORE-MTR-15] [CORE-MTR-16]", async () => {
    const site = await charging({ configuration: { MeterValueSampleInterval: 10 } });
    const shown = [1500, 1600, 0, 50, 80];
    for (const register of shown) {
      site.hardware.measure(1, register);
      await site.after(() => {}, 10 * second);
    }
    await site.after(() => site.hardware.present("TAG", 1));
    const registers = meterValues(site).map(({ meterValue: [first] }) => Number(first?.sampledValue[0]?.value));
    expect(registers).toEqual([1500, 1600, 1600, 1650, 1680]);
    expect(site.payloads("StopTransaction")).toMatchObject([{ meterStop: 1680 }]);
  });
});
