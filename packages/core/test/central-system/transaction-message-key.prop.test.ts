import { arbitraryReq } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Req, transactionMessageKey } from "../../src/index.ts";

const actions = ["StartTransaction", "StopTransaction", "MeterValues"] as const;
type TransactionAction = (typeof actions)[number];

/** Any message about a transaction. */
const messages = fc
  .constantFrom(...actions)
  .chain((action) =>
    fc.record({ identity: fc.string(), action: fc.constant(action), req: arbitraryReq(action) as fc.Arbitrary<never> }),
  );

/** A moment, and two ways to write it. */
const moments = fc
  .tuple(
    fc.date({ min: new Date("1970-01-02"), max: new Date("2100-01-01"), noInvalidDate: true }),
    fc.integer({ min: -840, max: 840 }),
  )
  .map(([date, minutes]) => {
    const local = new Date(date.getTime() + minutes * 60_000).toISOString().slice(0, -1);
    const [hours, rest] = [Math.floor(Math.abs(minutes) / 60), Math.abs(minutes) % 60];
    const offset = [hours, rest].map((part) => `${part}`.padStart(2, "0")).join(":");
    return [date.toISOString(), `${local}${minutes < 0 ? "-" : "+"}${offset}`] as const;
  });

/** What distinguishes events, from few values, so that equal ones occur. */
const starts = fc.record({
  identity: fc.constantFrom("CP001", "CP002", "CP001,1", '","'),
  connectorId: fc.integer({ min: 1, max: 2 }),
  idTag: fc.constantFrom("A", "B", "1,2", '","', "\0"),
  at: fc.constantFrom(0, 1, 1000),
  meterStart: fc.integer({ min: 0, max: 1 }),
});
type Start = typeof starts extends fc.Arbitrary<infer S> ? S : never;

const keyOf = ({ identity, connectorId, idTag, at, meterStart }: Start): string =>
  transactionMessageKey(identity, "StartTransaction", {
    connectorId,
    idTag,
    meterStart,
    timestamp: new Date(at).toISOString(),
  });

const key = ({ identity, action, req }: { identity: string; action: TransactionAction; req: never }): string =>
  transactionMessageKey(identity, action, req);

describe("transactionMessageKey", () => {
  test("is the same for a message that went through JSON, a store and another connection [CORE-TXQ-15]", () => {
    fc.assert(
      fc.property(messages, (message) => {
        const again = { ...message, req: JSON.parse(JSON.stringify(message.req)) as never };
        expect(key(again)).toBe(key(message));
      }),
    );
  });

  test("does not depend on how a moment is written [CORE-TIME-02]", () => {
    fc.assert(
      fc.property(moments, ([utc, local]) => {
        const stop = (timestamp: string): Req<"StopTransaction"> => ({ transactionId: 1, meterStop: 0, timestamp });
        expect(transactionMessageKey("CP001", "StopTransaction", stop(local))).toBe(
          transactionMessageKey("CP001", "StopTransaction", stop(utc)),
        );
      }),
    );
  });

  test("is the same for two starts exactly when they are the same event, whatever delimiters they contain [CORE-TXQ-15] [Q14]", () => {
    fc.assert(
      fc.property(starts, starts, (a, b) => {
        expect(keyOf(a) === keyOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b));
      }),
      { numRuns: 2000 },
    );
  });

  test("is never that of another Charge Point, nor of another action", () => {
    fc.assert(
      fc.property(messages, fc.string(), (message, identity) => {
        fc.pre(identity !== message.identity);
        expect(key({ ...message, identity })).not.toBe(key(message));
        expect(JSON.parse(key(message)).slice(0, 2)).toEqual([message.action, message.identity]);
      }),
    );
  });

  test("is printable and short, however long the message is", () => {
    fc.assert(
      fc.property(messages, (message) => {
        expect(key({ ...message, identity: "CP001" }).length).toBeLessThan(300);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it looks for
        expect(key(message)).not.toMatch(/[\u0000-\u001f]/);
      }),
    );
  });

  test("tells 200 000 similar readings of one moment apart, for which 32 bits would not do", () => {
    const timestamp = "2026-01-31T12:00:00Z";
    const keys = new Set<string>();
    for (let reading = 0; reading < 100_000; reading++) {
      for (const phase of ["L1", "L2"] as const) {
        const meterValue = [{ timestamp, sampledValue: [{ value: `${reading}`, phase }] }];
        keys.add(transactionMessageKey("CP001", "MeterValues", { connectorId: 1, transactionId: 7, meterValue }));
      }
    }
    expect(keys.size).toBe(200_000);
  });
});
