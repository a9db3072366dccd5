import {
  arbitraryConf,
  arbitraryInvalidConf,
  arbitraryInvalidReq,
  arbitraryReq,
  type InvalidPayload,
} from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { completed, isReadable, missingRules, refusedInError } from "./schemas/differences.ts";
import { type EditKind, edits } from "./schemas/edits.ts";
import { type JsonSchema, ours, payloads, schemaOf, schemas, verdictOf } from "./schemas/json-schema.ts";
import { arbitraryOf, complete, least } from "./schemas/sample.ts";

type Payload = (typeof payloads)[number];

const shipped = verdictOf(schemas.values());
const schemaWithRules = ([action, kind]: Payload, rules = missingRules): JsonSchema =>
  completed(schemaOf(action, kind), [action, kind], rules);
const theirs = verdictOf(payloads.map((payload) => schemaWithRules(payload)));

const valid = ([action, kind]: Payload): fc.Arbitrary<unknown> => {
  const payload: fc.Arbitrary<unknown> = kind === "req" ? arbitraryReq(action) : arbitraryConf(action);
  return payload.filter(isReadable);
};
const invalid = ([action, kind]: Payload): fc.Arbitrary<InvalidPayload> =>
  kind === "req" ? arbitraryInvalidReq(action) : arbitraryInvalidConf(action);

/** How to word a payload about which the two do not agree. */
const disagreement = (payload: unknown): string => JSON.stringify(payload).slice(0, 500);

test("there is a schema for each of the two payloads of each action, and none besides [J-061]", () => {
  expect([...schemas.keys()].sort()).toEqual(payloads.map(([action, kind]) => `urn:${action}.${kind}`).sort());
});

describe.each(payloads)("%s.%s", (action, kind) => {
  const schema = schemaWithRules([action, kind]);

  test("is accepted by the schema, whatever the action table allows [J-190]", () => {
    fc.assert(
      fc.property(valid([action, kind]), (payload) => {
        expect(ours(action, kind, payload)).toBe(true);
        expect(shipped(action, kind, payload)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("is accepted by the action table, whatever the schema allows [J-190]", () => {
    for (const payload of [complete(schema), least(schema)]) {
      expect(shipped(action, kind, payload), disagreement(payload)).toBe(true);
      expect(ours(action, kind, payload), disagreement(payload)).toBe(true);
    }
    fc.assert(
      fc.property(arbitraryOf(schema), (payload) => {
        expect(theirs(action, kind, payload)).toBe(true);
        expect(ours(action, kind, payload)).toBe(true);
      }),
      { numRuns: 60 },
    );
  });

  test("is refused by both with one thing wrong [J-190]", () => {
    fc.assert(
      fc.property(invalid([action, kind]), ({ payload }) => {
        expect(ours(action, kind, payload)).toBe(false);
        expect(theirs(action, kind, payload)).toBe(false);
      }),
      { numRuns: 60 },
    );
  });

  test("gets the same verdict from both with any one value of it changed [J-066] [J-123] [J-190]", () => {
    for (const example of [complete(schema), least(schema)]) {
      for (const { payload } of edits(example)) {
        if (ours(action, kind, payload) !== theirs(action, kind, payload)) expect.fail(disagreement(payload));
      }
    }
  });
});

test("every kind of change makes some payloads invalid, and a value may change and stay valid", () => {
  const seen = new Map<EditKind, Set<boolean>>();
  for (const [action, kind] of payloads) {
    for (const edit of edits(complete(schemaOf(action, kind)))) {
      seen.set(edit.kind, (seen.get(edit.kind) ?? new Set()).add(ours(action, kind, edit.payload)));
    }
  }
  const both = new Set([true, false]);
  const never = new Set([false]);
  expect(Object.fromEntries(seen)).toEqual({
    remove: both,
    add: never,
    type: both,
    length: both,
    literal: both,
    range: both,
    format: both,
    nesting: never,
  });
});

describe("rules that the schemas do not say", () => {
  test.each(missingRules.map((missing) => [missing.rule, missing] as const))("%s", (_, missing) => {
    const [action, kind, payload] = missing.example;
    expect(ours(action, kind, payload)).toBe(false);
    expect(shipped(action, kind, payload)).toBe(true);
    const others = missingRules.filter((rule) => rule !== missing);
    const withoutRule = verdictOf([schemaWithRules([action, kind], others)]);
    expect(withoutRule(action, kind, payload)).toBe(true);
  });
});

describe("what ocpp-rpc refuses in error", () => {
  test.each(refusedInError.map(({ what, example }) => [what, example] as const))("%s", (_, [action, kind, payload]) => {
    expect(isReadable(payload)).toBe(false);
    expect(shipped(action, kind, payload)).toBe(false);
    expect(ours(action, kind, payload)).toBe(true);
  });
});

test("one decimal is one decimal for both, whatever binary makes of it [J-126] [trap 17]", () => {
  const conf = (limit: number) => ({
    status: "Accepted",
    chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
  });
  for (const verdict of [ours, shipped]) {
    expect([8.1, 0.3, 0.1 + 0.2, 32.7].map((limit) => verdict("GetCompositeSchedule", "conf", conf(limit)))).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect(verdict("GetCompositeSchedule", "conf", conf(8.15))).toBe(false);
  }
});

test("both understand the misspelled Celsius of the published schemas and the right one [J-195] [J-196]", () => {
  const req = (unit: string) => ({
    connectorId: 1,
    meterValue: [{ timestamp: "2026-01-01T00:00:00Z", sampledValue: [{ value: "20", unit }] }],
  });
  for (const verdict of [ours, shipped]) {
    expect(verdict("MeterValues", "req", req("Celsius"))).toBe(true);
    expect(verdict("MeterValues", "req", req("Celcius"))).toBe(true);
    expect(verdict("MeterValues", "req", req("celsius"))).toBe(false);
  }
});
