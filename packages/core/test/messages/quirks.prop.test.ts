import { arbitraryConf, arbitraryFrame, arbitraryMutatedFrame, arbitraryReq } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { type Action, actions } from "../../src/messages/actions.ts";
import { quirks } from "../../src/messages/quirks.ts";
import { type Quirk, repairFrame, repairPayload, type Tolerated } from "../../src/messages/tolerance.ts";
import { decode, encode, frameReader } from "../../src/rpc/frame.ts";

const now = "2026-01-01T00:00:00.000Z";
const all: readonly Quirk[] = Object.values(quirks);
const names = Object.keys(actions) as Action[];

/** One of the 78 payloads. */
interface Message {
  readonly action: Action;
  readonly kind: "req" | "conf";
}

const messages = names.flatMap((action): Message[] => [
  { action, kind: "req" },
  { action, kind: "conf" },
]);

const payloadOf = ({ action, kind }: Message): fc.Arbitrary<unknown> =>
  kind === "req" ? arbitraryReq(action) : arbitraryConf(action);

type Path = readonly (string | number)[];

/** The paths of the payload itself and of everything in it. */
const pathsIn = (value: unknown): Path[] => {
  if (typeof value !== "object" || value === null) return [[]];
  const parts = Object.entries(value).flatMap(([name, part]) =>
    pathsIn(part).map((path) => [Array.isArray(value) ? Number(name) : name, ...path]),
  );
  return [[], ...parts];
};

/** A copy in which one place is changed. */
function changed(value: unknown, [name, ...rest]: Path, change: (value: unknown) => unknown): unknown {
  if (name === undefined) return change(value);
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  copy[name] = changed(copy[name], rest, change);
  return copy;
}

/** What careless or hostile software puts in the place of a value. */
const careless: fc.Arbitrary<(value: unknown) => unknown> = fc.oneof(
  fc.constantFrom<(value: unknown) => unknown>(
    () => null,
    () => undefined,
    (value) => [value],
    (value) => (Array.isArray(value) ? value[0] : value),
    (value) => (Array.isArray(value) ? [] : {}),
    (value) => (typeof value === "string" ? value.replace(/Z$|[+-]\d\d:\d\d$/, "") : value),
    (value) => (typeof value === "string" ? value.replace(/Z$|:\d\d$/, "") : value),
    (value) => `${value}[GMT]`,
    (value) => `${String(value)}${"x".repeat(60)}`,
    (value) => (typeof value === "number" ? value + 0.25 : Number(value === true)),
    (value) => (typeof value === "number" ? String(value) : 2 ** 63),
    (value) => ({
      ...(value as object),
      vendor: 1,
      constructor: null,
      data: {},
      meterStop: 0.5,
      ...JSON.parse('{"__proto__":{"polluted":1}}'),
    }),
  ),
  fc.jsonValue().map((value) => () => value),
);

/** A message with its payload, as JSON gives it; up to four places of it have been changed. */
const spoilt = fc
  .constantFrom(...messages)
  .chain((message) =>
    fc.tuple(
      fc.constant(message),
      payloadOf(message),
      fc.array(fc.tuple(fc.nat(), careless), { minLength: 1, maxLength: 4 }),
    ),
  )
  .map(([message, valid, changes]) => {
    const payload = changes.reduce<unknown>((before, [at, change]) => {
      const paths = pathsIn(before);
      return changed(before, paths[at % paths.length] ?? [], change);
    }, valid);
    return { message, payload: JSON.parse(JSON.stringify(payload) ?? "null") as unknown };
  });

/** The places that a schema objects to. */
const objections = ({ action, kind }: Message, payload: unknown): string[] =>
  (z.safeParse(actions[action][kind] as z.core.$ZodType, payload).error?.issues ?? []).flatMap((issue) =>
    issue.code === "unrecognized_keys"
      ? issue.keys.map((key) => z.core.toDotPath([...issue.path, key]))
      : [z.core.toDotPath(issue.path)],
  );

const keptPaths = (uses: readonly Tolerated[]): string[] =>
  uses.filter(({ message }) => message.endsWith("it is passed on as it is.")).map(({ path }) => path);

describe("All quirks together", () => {
  it("change nothing in any valid payload, and are not made use of", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...messages).chain((message) => fc.tuple(fc.constant(message), payloadOf(message))),
        ([message, payload]) => {
          const result = repairPayload(all, message.action, message.kind, payload, now);
          expect(result?.payload).toBe(payload);
          expect(result?.uses).toEqual([]);
        },
      ),
      { numRuns: 500 },
    );
  });

  it("refuse a spoilt payload, or make it obey the schema but for what they let through; and never touch it", () => {
    let repaired = 0;
    fc.assert(
      fc.property(spoilt, ({ message, payload }) => {
        const before = JSON.stringify(payload);
        const result = repairPayload(all, message.action, message.kind, payload, now);
        expect(JSON.stringify(payload)).toBe(before);
        if (result === undefined || objections(message, payload).length === 0) return;
        repaired++;
        expect(result.uses.length).toBeGreaterThan(0);
        // The schemas are strict, so nothing that was not asked for, like an own `__proto__`, is left.
        expect(objections(message, result.payload).sort()).toEqual(keptPaths(result.uses).sort());
      }),
      { numRuns: 3000 },
    );
    expect(repaired).toBeGreaterThan(100);
  });

  it("make the same of a payload in whatever order they are given", () => {
    fc.assert(
      fc.property(spoilt, fc.shuffledSubarray([...all]), ({ message, payload }, some) => {
        const [one, other] = [some, all.filter((quirk) => some.includes(quirk))].map((tolerated) =>
          repairPayload(tolerated, message.action, message.kind, payload, now),
        );
        expect(one?.payload).toEqual(other?.payload);
      }),
      { numRuns: 500 },
    );
  });

  it("refuse every payload that fewer of them have made nothing of, or make the same of it", () => {
    fc.assert(
      fc.property(spoilt, fc.subarray([...all]), ({ message, payload }, some) => {
        const fewer = repairPayload(some, message.action, message.kind, payload, now);
        if (fewer === undefined) return;
        expect(repairPayload(all, message.action, message.kind, payload, now)).toEqual(fewer);
      }),
      { numRuns: 500 },
    );
  });

  it("do not read a frame that is right", () => {
    fc.assert(
      fc.property(arbitraryFrame(), (frame) => {
        expect(repairFrame(all, encode(frame), frameReader)).toBeUndefined();
      }),
      { numRuns: 300 },
    );
  });

  it("read a damaged frame as a frame, or not at all, and never throw", () => {
    let read = 0;
    fc.assert(
      fc.property(arbitraryMutatedFrame(), (text) => {
        if (decode(text).type !== "MALFORMED") return;
        const repaired = repairFrame(all, text, frameReader);
        if (repaired === undefined) return;
        read++;
        expect(repaired.uses.length).toBeGreaterThan(0);
        expect(repaired.frame.type).toMatch(/^CALL(RESULT|ERROR)?$/);
        expect(typeof repaired.frame.messageId).toBe("string");
        if (repaired.frame.type === "CALL") expect([...repaired.frame.messageId].length).toBeLessThanOrEqual(36);
      }),
      { numRuns: 3000 },
    );
    expect(read).toBeGreaterThan(30);
  });
});
