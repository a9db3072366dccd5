import { arbitraryConf, arbitraryReq } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { type Action, actions } from "../../src/messages/actions.ts";
import { copierOf, invalid } from "../../src/messages/copy.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

const payloads = (Object.keys(actions) as Action[]).flatMap((action) => [
  { action, kind: "req" as const, schema: actions[action].req, valid: arbitraryReq(action) as fc.Arbitrary<object> },
  { action, kind: "conf" as const, schema: actions[action].conf, valid: arbitraryConf(action) as fc.Arbitrary<object> },
]);

/** All objects and lists in a payload. */
const partsIn = (value: unknown): object[] =>
  typeof value === "object" && value !== null ? [value, ...Object.values(value).flatMap(partsIn)] : [];

/** The numbers with one decimal in a payload, by what the schema says of them. */
function decimalsIn(schema: JsonSchema, value: unknown): number[] {
  if (value === undefined) return [];
  if (schema.multipleOf === 0.1) return [value as number];
  if (schema.type === "array") return (value as unknown[]).flatMap((item) => decimalsIn(schema.items as never, item));
  return Object.entries(schema.properties ?? {}).flatMap(([name, field]) =>
    decimalsIn(field as JsonSchema, (value as Record<string, unknown>)[name]),
  );
}

/** A payload whose every part notes when it is read. */
function watched(value: unknown, reads: string[], path = ""): unknown {
  if (typeof value !== "object" || value === null) return value;
  return new Proxy(value, {
    get(target, name) {
      const place = `${path}.${String(name)}`;
      if (!(Array.isArray(target) && name === "length")) reads.push(place);
      return watched(Reflect.get(target, name), reads, place);
    },
  });
}

describe("copierOf", () => {
  it.each(payloads)("copies every valid $action $kind as a whole, and shares nothing with it", ({ schema, valid }) => {
    const json = z.toJSONSchema(schema) as JsonSchema;
    fc.assert(
      fc.property(valid, (payload) => {
        const copy = copierOf(schema)(payload);
        const rounded = JSON.stringify(payload, (_, part) =>
          typeof part === "number" ? Number(part.toFixed(1)) : part,
        );
        expect(copy).toEqual(JSON.parse(rounded));
        const shared = new Set(partsIn(payload));
        expect(partsIn(copy).filter((part) => shared.has(part))).toEqual([]);
        for (const decimal of decimalsIn(json, copy)) expect(String(decimal)).toMatch(/^-?\d+(\.\d)?(e\+\d+)?$/);
      }),
      { numRuns: 40 },
    );
  });

  it("reads each part once, so that what is checked is what is in the copy", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...payloads).chain(({ schema, valid }) => fc.tuple(fc.constant(schema), valid)),
        ([schema, payload]) => {
          const reads: string[] = [];
          expect(copierOf(schema)(watched(payload, reads))).not.toBe(invalid);
          expect(reads).toEqual([...new Set(reads)]);
        },
      ),
      { numRuns: 300 },
    );
  });
});
