import { describe, expect, test } from "vitest";
import { Plausibility, type PlausibilityState } from "../../src/index.ts";

const now = Date.UTC(2026, 0, 1, 12);
const start = { connectorId: 1, idTag: "Anna", meterStart: 5000, timestamp: "2026-01-01T11:00:00Z" };
const conf = (transactionId: number, parentIdTag?: string) => ({
  transactionId,
  idTagInfo: { status: "Accepted" as const, ...(parentIdTag !== undefined && { parentIdTag }) },
});
const stop = { transactionId: 1, meterStop: 5360, timestamp: "2026-01-01T11:30:00Z" };
const reading = (value: string, unit?: "Wh" | "kWh", timestamp = "2026-01-01T11:10:00Z") => ({
  connectorId: 1,
  transactionId: 1,
  meterValue: [{ timestamp, sampledValue: [unit === undefined ? { value } : { value, unit }] }],
});

function running(): Plausibility {
  const plausibility = new Plausibility();
  plausibility.started(start, conf(1), now);
  return plausibility;
}

const rulesOf = (suspects: readonly { rule: string }[]): string[] => suspects.map(({ rule }) => rule);

describe("Plausibility", () => {
  test("tells the rule, a sentence, the connector and the transaction", () => {
    expect(running().stopped({ ...stop, meterStop: 4990 }, {}, now)).toEqual([
      {
        rule: "register-falls",
        message: "Its register is lower than it was before.",
        connectorId: 1,
        transactionId: 1,
      },
    ]);
  });

  test("takes a start that was given its id only when it was repeated for one [CORE-TXQ-15, Q14]", () => {
    const plausibility = new Plausibility();
    expect(plausibility.started(start, undefined, now)).toEqual([]);
    const again = { ...start, idTag: "ANNA", timestamp: "2026-01-01T12:00:00.000+01:00" };
    expect(plausibility.started(again, conf(1), now)).toEqual([]);
    expect(plausibility.started(again, conf(1), now)).toEqual([]);
    expect(rulesOf(plausibility.stopped({ ...stop, timestamp: "2026-01-01T10:00:00Z" }, {}, now))).toEqual([
      "stop-before-start",
    ]);
  });

  test.each([
    ["as whole Wh", "5360", "Wh", "5359", "5358"],
    ["in kWh with one digit", "5.3", "kWh", "5200", "5199"],
    ["with digits below 1 Wh", "5360.25", undefined, "5359.25", "5358"],
  ] as const)("compares a register that was told %s no finer than that", (_, first, unit, fits, falls) => {
    const plausibility = running();
    plausibility.measured(reading(first, unit), now);
    expect(rulesOf(plausibility.measured(reading(fits, "Wh", "2026-01-01T11:20:00Z"), now))).toEqual([]);
    expect(rulesOf(plausibility.measured(reading(falls, "Wh", "2026-01-01T11:21:00Z"), now))).toEqual([
      "register-falls",
    ]);
  });

  test.each(["", " ", "NaN", "1e3", "0x10", "9".repeat(400), "-"])("reads no register from %j", (value) => {
    expect(running().measured(reading(value), now)).toEqual([]);
  });

  test("reads no register from a signed value, also where it is of digits only [CORE-MV-15]", () => {
    const signed = {
      ...reading("1"),
      meterValue: [
        { timestamp: "2026-01-01T11:10:00Z", sampledValue: [{ value: "0011", format: "SignedData" as const }] },
      ],
    };
    expect(running().measured(signed, now)).toEqual([]);
    expect(rulesOf(running().measured(reading("0011"), now))).toEqual(["register-falls"]);
  });

  test("tells each rule once about a message, and a fall once about a meter that starts anew", () => {
    const plausibility = running();
    const values = ["7000", "5", "8000", "6"];
    const fallen = {
      ...reading("0"),
      meterValue: values.map((value, at) => ({ timestamp: `2026-01-01T11:1${at}:00Z`, sampledValue: [{ value }] })),
    };
    expect(rulesOf(plausibility.measured(fallen, now))).toEqual(["register-falls"]);
    expect(rulesOf(plausibility.measured(reading("9", "Wh", "2026-01-01T11:20:00Z"), now))).toEqual([]);
    expect(rulesOf(plausibility.stopped({ ...stop, meterStop: 5360 }, {}, now))).toEqual([]);
  });

  test("compares nothing over a transaction in which the meter was exchanged twice", () => {
    const plausibility = running();
    const boot = { chargePointVendor: "V", chargePointModel: "M" };
    plausibility.booted({ ...boot, meterSerialNumber: "1" }, now - 40 * 60_000);
    plausibility.booted({ ...boot, meterSerialNumber: "2" }, now - 35 * 60_000);
    expect(plausibility.stopped({ ...stop, meterStop: 9 }, {}, now)).toEqual([]);
  });

  test("takes a reading that comes late for the highest that is known, unless the meter was exchanged since", () => {
    const boot = { chargePointVendor: "V", chargePointModel: "M" };
    for (const isExchanged of [false, true]) {
      const plausibility = running();
      plausibility.booted({ ...boot, meterSerialNumber: "1" }, Date.parse(start.timestamp) - 3_600_000);
      const plus = (minutes: number) => new Date(Date.parse(start.timestamp) + minutes * 60_000).toISOString();
      plausibility.measured(reading("5100", "Wh", plus(1)), now);
      if (isExchanged) plausibility.booted({ ...boot, meterSerialNumber: "2" }, Date.parse(plus(8)));
      plausibility.measured(reading("5200", "Wh", plus(15)), now);
      plausibility.measured(reading("9000", "Wh", plus(5)), now);
      const suspects = plausibility.measured(reading("5300", "Wh", plus(20)), now);
      expect(rulesOf(suspects)).toEqual(isExchanged ? [] : ["register-falls"]);
    }
  });

  test("takes no id from an answer that refuses the card with 0, nor -1 from any [CORE-START-14]", () => {
    const refused = { transactionId: 0, idTagInfo: { status: "Invalid" as const } };
    for (const answer of [refused, conf(-1)]) {
      const plausibility = new Plausibility();
      const { transactionId } = answer;
      plausibility.started(start, answer, now);
      expect(plausibility.measured({ ...reading("1"), transactionId }, now)).toEqual([]);
      expect(plausibility.stopped({ ...stop, transactionId, meterStop: 1 }, {}, now)).toEqual([]);
    }
  });

  test("does not know who is in a group of which nobody has told [CORE-AUTH-09]", () => {
    const plausibility = new Plausibility();
    plausibility.started(start, conf(1, "family"), now);
    expect(plausibility.stopped({ ...stop, idTag: "Bert" }, {}, now)).toEqual([]);
  });

  test("goes on from what another instance remembered, which is plain JSON", () => {
    const state: PlausibilityState = JSON.parse(JSON.stringify(running().state));
    const plausibility = new Plausibility({ state });
    expect(rulesOf(plausibility.started({ ...start, timestamp: "2026-01-01T11:59:00Z" }, conf(2), now))).toEqual([
      "start-while-running",
    ]);
    expect(new Plausibility({ state }).state).toEqual(state);
    expect(state).toEqual(running().state);
  });

  test("allows the clock as much as it is told to", () => {
    const plausibility = new Plausibility({ clockToleranceMs: 1000 });
    const at = (ms: number) => new Date(now + ms).toISOString();
    expect(plausibility.started({ ...start, timestamp: at(1000) }, conf(1), now)).toEqual([]);
    expect(rulesOf(plausibility.stopped({ ...stop, timestamp: at(1001) }, {}, now))).toEqual(["time-in-future"]);
  });

  const remembered = running().state.connectors[0]?.[1][0];
  test.each([
    ["a text", "{}"],
    ["an empty object", {}],
    ["a connector that is none", { connectors: [1] }],
    ["a transaction without its end", { connectors: [[1, [{ ...remembered, runs: undefined }]]] }],
    ["a time that is none", { connectors: [[1, [{ ...remembered, startedAt: "now" }]]] }],
    ["an exchange that is none", { connectors: [], exchange: {} }],
  ])("refuses a state that is %s", (_, state) => {
    expect(() => new Plausibility({ state: state as never })).toThrow(/^state is /);
  });

  test("refuses a tolerance that is none, and options that it does not have", () => {
    expect(() => new Plausibility({ clockToleranceMs: Number.NaN })).toThrow(TypeError);
    expect(() => new Plausibility({ tolerance: 1 } as never)).toThrow(TypeError);
  });
});
