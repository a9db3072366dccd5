import { describe, expect, test } from "vitest";
import { type Req, transactionMessageKey } from "../../src/index.ts";

const timestamp = "2026-01-31T12:00:00Z";
const start: Req<"StartTransaction"> = { connectorId: 1, idTag: "04E91C5A", timestamp, meterStart: 5000 };
const stop: Req<"StopTransaction"> = { transactionId: 7, timestamp, meterStop: 5360 };
const sampledValue: Req<"MeterValues">["meterValue"][0]["sampledValue"] = [{ value: "5120" }];
const meterValues: Req<"MeterValues"> = { connectorId: 1, transactionId: 7, meterValue: [{ timestamp, sampledValue }] };

describe("transactionMessageKey", () => {
  test("reads as text that any database can store", () => {
    expect(transactionMessageKey("CP001", "StartTransaction", start)).toBe(
      '["StartTransaction","CP001",1,"04e91c5a","2026-01-31T12:00:00.000Z",5000]',
    );
    expect(transactionMessageKey("CP001", "StopTransaction", stop)).toBe(
      '["StopTransaction","CP001",7,"2026-01-31T12:00:00.000Z",5360,null]',
    );
    expect(transactionMessageKey("CP001", "MeterValues", meterValues)).toMatch(
      /^\["MeterValues","CP001",1,7,"2026-01-31T12:00:00\.000Z","[\da-f]{16}"\]$/,
    );
    expect(transactionMessageKey("\0", "StopTransaction", stop)).not.toContain("\0");
  });

  test.each(["2026-01-31T12:00:00+00:00", "2026-01-31T12:00:00.000Z", "2026-01-31T13:30:00.0+01:30"])(
    "is the same for the same moment written as %s [CORE-TXQ-15] [CORE-TIME-02]",
    (other) => {
      const spelled = { ...meterValues, meterValue: [{ timestamp: other, sampledValue }] };
      for (const [same, first] of [
        [{ ...start, timestamp: other }, start],
        [spelled, meterValues],
      ] as const) {
        const action = "meterStart" in first ? "StartTransaction" : "MeterValues";
        expect(transactionMessageKey("CP001", action, same)).toBe(transactionMessageKey("CP001", action, first));
      }
      expect(transactionMessageKey("CP001", "StopTransaction", { ...stop, timestamp: other })).toBe(
        transactionMessageKey("CP001", "StopTransaction", stop),
      );
    },
  );

  test("is the same for an idTag in another case [CORE-IDT-06]", () => {
    expect(transactionMessageKey("CP001", "StartTransaction", { ...start, idTag: "04e91c5a" })).toBe(
      transactionMessageKey("CP001", "StartTransaction", start),
    );
    expect(transactionMessageKey("CP001", "StopTransaction", { ...stop, idTag: "a" })).toBe(
      transactionMessageKey("CP001", "StopTransaction", { ...stop, idTag: "A" }),
    );
  });

  test("is the same for a StartTransaction whose reservation has been forgotten, and a StopTransaction with more to say [Q14]", () => {
    expect(transactionMessageKey("CP001", "StartTransaction", { ...start, reservationId: 3 })).toBe(
      transactionMessageKey("CP001", "StartTransaction", start),
    );
    const told = { ...stop, reason: "Local", transactionData: meterValues.meterValue } as const;
    expect(transactionMessageKey("CP001", "StopTransaction", told)).toBe(
      transactionMessageKey("CP001", "StopTransaction", stop),
    );
  });

  test.each<[string, Partial<Req<"StartTransaction">>]>([
    ["connector", { connectorId: 2 }],
    ["idTag", { idTag: "04E91C5B" }],
    ["timestamp", { timestamp: "2026-01-31T12:00:00.001Z" }],
    ["meterStart", { meterStart: 5001 }],
  ])("is another for a StartTransaction with another %s", (_, other) => {
    expect(transactionMessageKey("CP001", "StartTransaction", { ...start, ...other })).not.toBe(
      transactionMessageKey("CP001", "StartTransaction", start),
    );
  });

  test.each<[string, Partial<Req<"StopTransaction">>]>([
    ["transaction id", { transactionId: -1 }],
    ["timestamp, as when a transaction id was made up", { timestamp: "2026-01-31T12:00:01Z" }],
    ["meterStop", { meterStop: 5361 }],
    ["idTag", { idTag: "04E91C5A" }],
  ])("is another for a StopTransaction with another %s", (_, other) => {
    expect(transactionMessageKey("CP001", "StopTransaction", { ...stop, ...other })).not.toBe(
      transactionMessageKey("CP001", "StopTransaction", stop),
    );
  });

  const later = { timestamp: "2026-01-31T12:01:00Z", sampledValue };
  test.each<[string, Req<"MeterValues">]>([
    ["another connector", { ...meterValues, connectorId: 2 }],
    ["no transaction", { connectorId: 1, meterValue: meterValues.meterValue }],
    ["another timestamp", { ...meterValues, meterValue: [later] }],
    ["one moment more", { ...meterValues, meterValue: [...meterValues.meterValue, later] }],
    [
      "another timestamp after the first",
      {
        ...meterValues,
        meterValue: [...meterValues.meterValue, { timestamp: "2026-01-31T12:02:00Z", sampledValue }],
      },
    ],
    [
      "two values for one",
      { ...meterValues, meterValue: [{ timestamp, sampledValue: [{ value: "51" }, { value: "20" }] }] },
    ],
    ...(
      [
        { value: "5121" },
        { value: "5120", context: "Sample.Clock" },
        { value: "5120", format: "SignedData" },
        { value: "5120", measurand: "Voltage" },
        { value: "5120", phase: "L1" },
        { value: "5120", location: "Inlet" },
        { value: "5120", unit: "kWh" },
      ] as const
    ).map((value): [string, Req<"MeterValues">] => [
      `the value ${JSON.stringify(value)}`,
      { ...meterValues, meterValue: [{ timestamp, sampledValue: [value] }] },
    ]),
  ])("is another for MeterValues with %s", (_, other) => {
    for (const first of [meterValues, { ...meterValues, meterValue: [...meterValues.meterValue, later] }]) {
      if (JSON.stringify(first) === JSON.stringify(other)) continue;
      expect(transactionMessageKey("CP001", "MeterValues", other)).not.toBe(
        transactionMessageKey("CP001", "MeterValues", first),
      );
    }
  });

  test("takes a timestamp without a zone literally, whatever zone this machine is in", () => {
    const local = { ...start, timestamp: "2026-01-31T12:00:00" };
    expect(transactionMessageKey("CP001", "StartTransaction", local)).toContain('"2026-01-31T12:00:00"');
  });
});
