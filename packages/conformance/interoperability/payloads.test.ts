import { type Action, check, type Role } from "@ocppj/core";
import { arbitraryConf, arbitraryReq } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { completed, isReadable } from "../schemas/differences.ts";
import { type Kind, schemaOf } from "../schemas/json-schema.ts";
import { complete, least } from "../schemas/sample.ts";
import { actionsFrom, exchange, pairings } from "./pair.ts";

const schema = (action: Action, kind: Kind) => completed(schemaOf(action, kind), [action, kind]);

const roles: readonly Role[] = ["ChargePoint", "CentralSystem"];
const calls = roles.flatMap((role) => actionsFrom(role).map((action) => [role, action] as const));

test("28 actions of OCPP 1.6 and 11 of the white paper are exchanged, DataTransfer in both directions [J-045]", () => {
  expect(calls.length).toBe(28 + 11 + 1);
  expect(new Set(calls.map(([, action]) => action)).size).toBe(28 + 11);
});

describe.each(pairings)("%s", (_, pairing) => {
  describe.each(calls)("the %s's %s", (from, action) => {
    test("arrives as it was sent, and so does its answer, with every field there is [J-041] [J-042] [J-061]", async () => {
      const sent = { req: complete(schema(action, "req")), conf: complete(schema(action, "conf")) };
      await pairing(async (pair) => {
        expect(await exchange(pair, from, action, sent)).toStrictEqual({ action, ...sent });
      });
    });

    test("arrives as it was sent, and so does its answer, with required fields only [J-062] [J-123]", async () => {
      const sent = { req: least(schema(action, "req")), conf: least(schema(action, "conf")) };
      await pairing(async (pair) => {
        expect(await exchange(pair, from, action, sent)).toStrictEqual({ action, ...sent });
      });
    });

    test("arrives as it was sent, and so does its answer, whatever the payloads [J-061] [J-120]", async () => {
      const payloads = fc
        .record({ req: arbitraryReq(action), conf: arbitraryConf(action) })
        .map(({ req, conf }) => ({ req: check(action, "req", req), conf: check(action, "conf", conf) })) // One decimal.
        .filter(isReadable);
      await pairing(async (pair) => {
        const property = fc.asyncProperty(payloads, async (sent) => {
          expect(await exchange(pair, from, action, sent)).toStrictEqual({ action, ...sent });
        });
        await fc.assert(property, { numRuns: 30 });
      });
    });
  });
});
