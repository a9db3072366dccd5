import fc from "fast-check";
import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { PayloadError } from "../../src/errors.ts";
import { type Action, actions } from "../../src/messages/actions.ts";
import { guardOf } from "../../src/messages/guard.ts";
import { parseConf, parseReq } from "../../src/messages/validate.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;
type Path = readonly (string | number)[];

/** A payload that obeys a schema, often at the edge of what it allows. */
function valid(schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case "boolean":
      return fc.boolean();
    case "integer":
      return fc.oneof(
        fc.constantFrom(schema.minimum as number, Number.MAX_SAFE_INTEGER),
        fc.integer({ min: Math.max(schema.minimum as number, -1000), max: 1000 }),
      );
    case "number":
      return fc.oneof(
        fc.integer({ min: -1000, max: 1000 }).map((tenths) => tenths / 10),
        fc.integer({ min: -1000, max: 1000 }).map((tenths) => tenths * 0.1),
      );
    case "string":
      if (schema.enum) return fc.constantFrom(...(schema.enum as string[]));
      if (schema.format === "date-time") {
        return fc
          .date({ min: new Date(0), max: new Date("9999-12-31"), noInvalidDate: true })
          .map((date) => date.toISOString());
      }
      if (schema.format === "uri") return fc.webUrl();
      return fc.oneof(
        fc.string({ unit: "binary", maxLength: Math.min(schema.maxLength ?? 20, 20) }),
        fc.constantFrom("x", "🔌", "\ud83d").map((character) => character.repeat(schema.maxLength ?? 20)),
      );
    case "array":
      return fc.array(valid(schema.items as JsonSchema), { minLength: schema.minItems ?? 0, maxLength: 3 });
    case "object": {
      const properties = (schema.properties ?? {}) as Record<string, JsonSchema>;
      return fc.record(Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, valid(field)])), {
        requiredKeys: schema.required ?? [],
      });
    }
    default:
      throw new Error(`No payload has a ${schema.type}`);
  }
}

/** What JSON, or a careless caller, may put in the place of any value. */
const hostile: fc.Arbitrary<unknown> = fc.oneof(
  fc.constantFrom<unknown>(
    undefined,
    null,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    -0,
    1.5,
    8.15,
    -1,
    2 ** 53,
    1n,
    "",
    "\ud83d",
    "x".repeat(21),
    "🔌".repeat(501),
    "Accepted",
    "accepted",
    "2024-02-30T00:00:00Z",
    true,
    Symbol("field"),
    new Date(0),
    new Map(),
    () => 0,
    Object.create(null),
    Object.create({ idTag: "inherited" }),
    JSON.parse('{ "__proto__": { "idTag": "TAG" } }'),
    JSON.parse('{ "constructor": {}, "toString": 1 }'),
    JSON.parse(`${"[".repeat(5000)}${"]".repeat(5000)}`),
    JSON.parse(`${'{"a":'.repeat(5000)}1${"}".repeat(5000)}`),
    // biome-ignore lint/suspicious/noSparseArray: the hole is what is tested
    [, { value: "1" }],
    Object.assign([], { more: 1 }),
    new Array(3),
  ),
  fc.anything({ withNullPrototype: true, withSparseArray: true, withBigInt: true }),
);

/** The paths of the payload itself and of everything in it, down to where messages end. */
const pathsIn = (value: unknown, depth = 8): Path[] => {
  if (typeof value !== "object" || value === null || depth === 0) return [[]];
  const parts = Object.entries(value).flatMap(([name, part]) =>
    pathsIn(part, depth - 1).map((path) => [Array.isArray(value) ? Number(name) : name, ...path]),
  );
  return [[], ...parts];
};

/** A copy with another value at a path; `remove` takes the field out. */
function changed(value: unknown, [name, ...rest]: Path, replacement: unknown, remove: boolean): unknown {
  if (name === undefined) return replacement;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  if (remove && rest.length === 0) delete copy[name];
  else copy[name] = changed(copy[name], rest, replacement, remove);
  return copy;
}

/** A valid payload in which up to three places were spoilt. */
const mutated = (schema: JsonSchema): fc.Arbitrary<unknown> =>
  fc
    .tuple(
      valid(schema),
      fc.array(fc.record({ at: fc.nat(), what: fc.constantFrom("replace", "remove", "add"), value: hostile }), {
        minLength: 1,
        maxLength: 3,
      }),
    )
    .map(([payload, mutations]) =>
      mutations.reduce<unknown>((before, { at, what, value }) => {
        const paths = pathsIn(before);
        const path = paths[at % paths.length] as Path;
        return what === "add"
          ? changed(before, [...path.slice(0, -1), "extra"], value, false)
          : changed(before, path, value, what === "remove");
      }, payload),
    );

const payloads = (Object.keys(actions) as Action[]).flatMap((action) =>
  (["req", "conf"] as const).map((kind) => ({
    action,
    kind,
    schema: actions[action][kind] as z.core.$ZodType,
    json: z.toJSONSchema(actions[action][kind]) as JsonSchema,
  })),
);

const verdict = (schema: z.core.$ZodType, payload: unknown) => z.safeParse(schema, payload).success;

describe("guardOf", () => {
  it.each(payloads)("accepts every valid $action $kind, as zod does", ({ schema, json }) => {
    fc.assert(
      fc.property(valid(json), (payload) => {
        expect(verdict(schema, payload)).toBe(true);
        expect(guardOf(schema)(payload)).toBe(true);
      }),
      { numRuns: 40 },
    );
  });

  it.each(payloads)("gives zod's verdict on a spoilt $action $kind", ({ schema, json }) => {
    fc.assert(
      fc.property(mutated(json), (payload) => {
        expect(guardOf(schema)(payload)).toBe(verdict(schema, payload));
      }),
      { numRuns: 100 },
    );
  });

  it("gives zod's verdict on anything", () => {
    fc.assert(
      fc.property(fc.constantFrom(...payloads), hostile, ({ schema }, payload) => {
        expect(guardOf(schema)(payload)).toBe(verdict(schema, payload));
      }),
      { numRuns: 1000 },
    );
  });
});

const unknownField = "an unknown field";

/** The places that zod complains about, in its order; unknown fields one by one. */
const complaintsOfZod = (schema: z.core.$ZodType, payload: unknown): string[] =>
  (z.safeParse(schema, payload).error?.issues ?? []).flatMap((issue) =>
    issue.code === "unrecognized_keys" ? issue.keys.map(() => unknownField) : [z.core.toDotPath(issue.path)],
  );

const complaintsOf = ({ issues }: PayloadError): string[] =>
  issues.map(({ path, message }) => (message === "is not a field of this message" ? unknownField : path));

function errorOf(parse: () => unknown): PayloadError {
  try {
    parse();
  } catch (error) {
    if (error instanceof PayloadError) return error;
    throw error;
  }
  throw new Error("The payload was not refused");
}

describe("parseReq and parseConf", () => {
  it("return valid payloads, and report of others the first five places that zod complains about", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...payloads).chain((entry) => fc.tuple(fc.constant(entry), mutated(entry.json))),
        fc.constantFrom("local" as const, "remote" as const),
        ([{ action, kind, schema }, payload], origin) => {
          fc.pre(payload !== null && payload !== undefined);
          const parse = kind === "req" ? parseReq : parseConf;
          if (verdict(schema, payload)) {
            const parsed = parse(action, payload, origin);
            expect(Object.is(parsed, payload)).toBe(origin === "remote");
            expect(verdict(schema, parsed)).toBe(true);
          } else {
            const error = errorOf(() => parse(action, payload, origin));
            expect(error).toMatchObject({ action, kind, origin });
            expect(complaintsOf(error)).toEqual(complaintsOfZod(schema, payload).slice(0, 5));
          }
        },
      ),
      { numRuns: 2000 },
    );
  });

  it("throw nothing but PayloadError, whatever they are given", () => {
    fc.assert(
      fc.property(fc.constantFrom(...payloads), hostile, ({ action, kind, schema }, payload) => {
        fc.pre(payload !== null && !verdict(schema, payload));
        expect(errorOf(() => (kind === "req" ? parseReq : parseConf)(action, payload, "remote"))).toBeInstanceOf(
          PayloadError,
        );
      }),
      { numRuns: 2000 },
    );
  });
});
