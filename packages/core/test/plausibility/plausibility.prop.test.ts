import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Conf, type PlausibilityRule, plausibilityRules, type Req } from "../../src/index.ts";
import {
  arbitraryKind,
  arbitrarySteps,
  HonestCharger,
  type Kind,
  lookAllAt,
  lookAt,
  type Message,
} from "./histories.ts";

const minute = 60_000;
const hour = 60 * minute;

/** What is wrong: messages that follow an honest history, on a connector whose last transaction ended at 5360 Wh. */
interface Fault {
  readonly now: number;
  /** How large it is: from 4 minutes on, from 2 Wh on. */
  readonly ms: number;
  readonly wh: number;
}

const time = (at: number): string => new Date(at).toISOString();
const accepted = { status: "Accepted" } as const;

function start(now: number, other: Partial<Req<"StartTransaction">> = {}, transactionId = 900_001): Message {
  const req = { connectorId: 3, idTag: "Anna", meterStart: 5360, timestamp: time(now), ...other };
  return { type: "start", req, conf: { transactionId, idTagInfo: { ...accepted, parentIdTag: "family" } }, now };
}

function read(now: number, other: Partial<Req<"MeterValues">> = {}, wh = 6000, at = now): Message {
  const meterValue = [{ timestamp: time(at), sampledValue: [{ value: String(wh) }] }];
  return { type: "read", req: { connectorId: 3, transactionId: 900_001, meterValue, ...other }, now };
}

function stop(now: number, other: Partial<Req<"StopTransaction">> = {}, conf: Conf<"StopTransaction"> = {}): Message {
  return { type: "stop", req: { transactionId: 900_001, meterStop: 7000, timestamp: time(now), ...other }, conf, now };
}

/** Readings that fall, in one message, the latest first. */
function backwards(now: number, ms: number, wh: number): Message {
  const reading = (at: number, value: number) => ({ timestamp: time(at), sampledValue: [{ value: String(value) }] });
  const meterValue = [reading(now + ms, 6000 - wh), reading(now + minute, 6000)];
  return read(now + ms + minute, { meterValue });
}

/** The last transaction of connector 3 before the fault. */
const before = (now: number): Message[] => [
  start(now - 2 * hour, { meterStart: 5000 }, 900_000),
  stop(now - hour, { transactionId: 900_000, meterStop: 5360 }),
];

/** A fault for each rule, in each of the ways in which it can be broken. */
const faults: { readonly [Rule in PlausibilityRule]: readonly ((fault: Fault) => Message[])[] } = {
  "start-repeated": [({ now }) => [start(now), start(now, {}, 900_002)]],
  "start-while-running": [({ now, ms }) => [start(now - ms), start(now, {}, 900_002)]],
  "time-before-last": [
    ({ now, ms }) => [start(now, { timestamp: time(now - hour - ms) })],
    ({ now }) => [start(now, { connectorId: 4, timestamp: "1970-01-01T00:00:12Z" })],
  ],
  "time-in-future": [
    ({ now, ms }) => [start(now, { timestamp: time(now + ms) })],
    ({ now, ms }) => [start(now), read(now, {}, 6000, now + ms)],
    ({ now, ms }) => [start(now), stop(now, { timestamp: time(now + ms) })],
    ({ now, ms }) => [stop(now, { transactionId: -1, timestamp: time(now + ms) })],
  ],
  "register-below-last": [
    ({ now, wh }) => [start(now, { meterStart: 5360 - wh })],
    ({ now }) => [start(now, { meterStart: 0 })],
  ],
  "register-falls": [
    ({ now, wh }) => [start(now), read(now + minute, {}, 5360 - wh)],
    ({ now, wh }) => [start(now), read(now + minute, {}, 6000), read(now + 2 * minute, {}, 6000 - wh)],
    ({ now, wh }) => [start(now), stop(now + minute, { meterStop: 5360 - wh })],
    ({ now, wh }) => [start(now), read(now + minute), stop(now + 2 * minute, { meterStop: 6000 - wh })],
    ({ now, wh }) => [
      start(now),
      stop(now + 3 * minute, {
        transactionData: [6000, 6000 - wh].map((reading, at) => ({
          timestamp: time(now + at * minute),
          sampledValue: [
            { value: String(reading / 1000), unit: "kWh" },
            { value: String(reading), context: "Sample.Clock" },
          ],
        })),
      }),
    ],
    ({ now, wh }) => [
      start(now),
      stop(now + minute, {
        meterStop: 6000 - wh,
        transactionData: [{ timestamp: time(now), sampledValue: [{ value: "6000" }] }],
      }),
    ],
    // The earlier one comes later: with the same message, or with one of its own.
    ({ now, ms, wh }) => [start(now), backwards(now, ms, wh), stop(now + ms + minute)],
    ({ now, ms, wh }) => [
      start(now),
      read(now + ms + minute, {}, 6000 - wh, now + ms),
      read(now + ms + minute, {}, 6000, now + minute),
      stop(now + ms + minute, { meterStop: 6000 - wh }),
    ],
    // Ids up to 0 may be given, too.
    ({ now, wh }) => [
      start(now, {}, -77),
      read(now + minute, { transactionId: -77 }),
      stop(now + 2 * minute, { transactionId: -77, meterStop: 6000 - wh }),
    ],
    ({ now, wh }) => [start(now, {}, 0), stop(now + minute, { transactionId: 0, meterStop: 5360 - wh })],
  ],
  "stop-before-start": [({ now, ms }) => [start(now), stop(now, { timestamp: time(now - ms) })]],
  "stop-repeated": [({ now, wh }) => [start(now), stop(now), stop(now, { meterStop: 7000 + wh })]],
  "stop-by-other": [
    ({ now }) => [start(now), stop(now, { idTag: "Carl" }, { idTagInfo: { ...accepted, parentIdTag: "" } })],
    ({ now }) => [start(now), stop(now, { idTag: "Dora" }, { idTagInfo: { ...accepted, parentIdTag: "work" } })],
    ({ now }) => [
      start(now),
      stop(now, { idTag: "Carl", reason: "Local" }, { idTagInfo: { ...accepted, parentIdTag: "" } }),
    ],
  ],
  "reading-outside": [
    ({ now, ms }) => [start(now), read(now, {}, 6000, now - ms)],
    ({ now, ms }) => [start(now), stop(now), read(now + ms)],
    ({ now, ms }) => [start(now), read(now + ms), stop(now + ms, { timestamp: time(now) })],
    ({ now }) => [start(now), read(now, { connectorId: 4 })],
  ],
};

function honest(steps: Parameters<HonestCharger["take"]>[0][], kind: Kind): HonestCharger {
  const charger = new HonestCharger(kind);
  for (const step of steps) charger.take(step);
  charger.settle();
  return charger;
}

describe("Plausibility", () => {
  test("suspects nothing in what an honest charger says, whatever its network, its clock and its meters are like", () => {
    fc.assert(
      fc.property(arbitrarySteps, arbitraryKind, (steps, kind) => {
        expect(lookAt(honest(steps, kind).messages).suspects).toEqual([]);
      }),
      { numRuns: 2000 },
    );
  }, 60_000);

  const kinds = Object.entries(faults).flatMap(([rule, ways]) => ways.map((fault, way) => [rule, way, fault] as const));
  test.each(kinds)("finds %s in an honest history, way %i", (rule, _, fault) => {
    fc.assert(
      fc.property(
        arbitrarySteps,
        arbitraryKind,
        fc.integer({ min: 4 * minute, max: 50 * minute }),
        fc.integer({ min: 2, max: 5000 }),
        (steps, kind, ms, wh) => {
          const { messages, now } = honest(steps, kind);
          const harmless = [...messages, ...before(now)];
          const suspects = lookAt([...harmless, ...fault({ now, ms, wh })]).suspects;
          expect(lookAt(harmless).suspects).toEqual([]);
          expect(suspects.map((suspect) => suspect.rule)).toContain(rule);
          for (const suspect of suspects) expect(suspect.message).toBe(plausibilityRules[suspect.rule]);
        },
      ),
      { numRuns: 100 },
    );
  });

  test("remembers a bounded amount, whatever a charger makes up, and never throws", () => {
    const charger = fc.array(
      fc.record({
        connectorId: fc.oneof(fc.integer({ min: 0, max: 100_000 }), fc.constant(1)),
        transactionId: fc.integer(),
        meter: fc.integer(),
        timestamp: fc.oneof(fc.constantFrom("", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z"), fc.string()),
      }),
      { minLength: 400, maxLength: 1500, size: "max" },
    );
    fc.assert(
      fc.property(charger, (messages) => {
        const made = messages.flatMap(({ connectorId, meter, timestamp, transactionId }): Message[] => [
          { ...start(0, { connectorId, meterStart: meter, timestamp }, transactionId) },
          read(0, {
            connectorId,
            transactionId,
            meterValue: [{ timestamp, sampledValue: [{ value: String(meter) }] }],
          }),
          stop(0, { transactionId, timestamp, meterStop: meter }),
        ]);
        const { state } = lookAt(made.slice(0, 30)).plausibility;
        expect(JSON.parse(JSON.stringify(state))).toEqual(state);
        const plausibility = lookAllAt(made);
        const { connectors } = plausibility.state;
        expect(connectors.length).toBeLessThanOrEqual(256);
        expect(Math.max(...connectors.map(([, transactions]) => transactions.length))).toBeLessThanOrEqual(4);
      }),
      { numRuns: 5 },
    );
  });
});
