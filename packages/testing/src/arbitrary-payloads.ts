import { type Action, actions, type Conf, type Req } from "@ocppj/core";
import fc from "fast-check";

/**
 * Any payload of `<action>.req` that OCPP 1.6 allows, computed from the action table.
 *
 * The limits of every field are reached often: empty text and text of exactly the greatest length, in ASCII and beyond
 * the basic plane; every literal; optional fields present and absent; the least and the greatest integers; decimals such as
 * 8.1; moments with offsets, fractions and leap days; lists with the fewest elements and with many.
 */
export function arbitraryReq<A extends Action>(action: A): fc.Arbitrary<Req<A>> {
  return valid(schemaOf(action, "req")) as fc.Arbitrary<Req<A>>;
}

/** Any payload of `<action>.conf` that OCPP 1.6 allows. See {@link arbitraryReq}. */
export function arbitraryConf<A extends Action>(action: A): fc.Arbitrary<Conf<A>> {
  return valid(schemaOf(action, "conf")) as fc.Arbitrary<Conf<A>>;
}

/** A payload with exactly one thing wrong. */
export interface InvalidPayload {
  readonly payload: unknown;
  /** Where it is wrong, for example `meterValue[0].sampledValue[2].unit`; empty for the payload itself. */
  readonly path: string;
  readonly violation: PayloadViolation;
}

/** What can be wrong at one place of a payload. */
export type PayloadViolation =
  /** The payload itself is no JSON object. */
  | "notAnObject"
  /** There is a field that the message does not have. */
  | "unknownField"
  /** A required field is absent. */
  | "missing"
  /** The value is of another JSON type, or a fraction where an integer is needed. */
  | "wrongType"
  /** The text is none of the literals allowed. */
  | "unknownValue"
  /** The text is one character too long, or more. */
  | "tooLong"
  /** The number is too small or too large, or has too many decimals. */
  | "outOfRange"
  /** The text is no date-time, or no URI. */
  | "malformed"
  /** The list needs an element. */
  | "empty";

/** Any payload of `<action>.req` with exactly one thing wrong, and what that is. */
export function arbitraryInvalidReq(action: Action): fc.Arbitrary<InvalidPayload> {
  return invalidPayload(schemaOf(action, "req"));
}

/** Any payload of `<action>.conf` with exactly one thing wrong, and what that is. */
export function arbitraryInvalidConf(action: Action): fc.Arbitrary<InvalidPayload> {
  return invalidPayload(schemaOf(action, "conf"));
}

/** The part of a zod schema that says what it demands. Only what occurs in the action table. */
interface Schema {
  readonly _zod: { readonly def: Definition };
}
type Definition =
  | { readonly type: "object"; readonly shape: Readonly<Record<string, Schema>> }
  | { readonly type: "optional"; readonly innerType: Schema }
  | { readonly type: "array"; readonly element: Schema; readonly checks?: readonly Check[] }
  | { readonly type: "enum"; readonly entries: Readonly<Record<string, string>> }
  | { readonly type: "boolean" }
  | { readonly type: "string" | "number"; readonly format?: string; readonly checks?: readonly Check[] };
interface Check {
  readonly _zod: { readonly def: { readonly check: string; readonly [limit: string]: unknown } };
}

/** zod's own types name every kind of schema that exists; here only those above can be met, and others throw. */
const schemaOf = (action: Action, kind: "req" | "conf"): Schema => actions[action][kind] as unknown as Schema;

/** A schema in plain words. */
type Kind =
  | { readonly is: "object"; readonly fields: readonly Field[] }
  | { readonly is: "list"; readonly element: Schema; readonly fewest: number }
  | { readonly is: "literal"; readonly values: readonly string[] }
  | { readonly is: "text"; readonly longest: number | undefined }
  | { readonly is: "date-time" | "uri" | "boolean" | "decimal" }
  | { readonly is: "integer"; readonly least: number };
interface Field {
  readonly name: string;
  readonly schema: Schema;
  readonly required: boolean;
}

function kindOf(schema: Schema): Kind {
  const { def } = schema._zod;
  const limits = limitsOf(def);
  switch (def.type) {
    case "object":
      return { is: "object", fields: Object.entries(def.shape).map(([name, field]) => fieldOf(name, field)) };
    case "array":
      return { is: "list", element: def.element, fewest: limits.min_length ?? 0 };
    case "enum":
      return { is: "literal", values: Object.values(def.entries) };
    case "boolean":
      return { is: "boolean" };
    case "string":
      if (def.format === "date-time") return { is: "date-time" };
      if (def.format === "uri") return { is: "uri" };
      if (def.format === undefined) return { is: "text", longest: limits.max_length };
      break;
    case "number":
      if (def.format === "safeint") return { is: "integer", least: limits.greater_than ?? Number.MIN_SAFE_INTEGER };
      if (limits.multiple_of === 0.1) return { is: "decimal" };
      break;
  }
  throw new TypeError(`There is no generator for ${JSON.stringify(def)}. Teach arbitrary-payloads.ts about it.`);
}

function fieldOf(name: string, schema: Schema): Field {
  const { def } = schema._zod;
  return def.type === "optional" ? { name, schema: def.innerType, required: false } : { name, schema, required: true };
}

type Limits = { min_length?: number; max_length?: number; greater_than?: number; multiple_of?: number };

/** The limits by the name of their check. One that is not understood would make every generated payload a lie. */
function limitsOf(def: Definition): Limits {
  const limits: Limits = {};
  for (const { _zod } of ("checks" in def ? def.checks : undefined) ?? []) {
    const { check, minimum, maximum, value, inclusive } = _zod.def;
    if (check === "min_length") limits.min_length = minimum as number;
    else if (check === "max_length") limits.max_length = maximum as number;
    else if (check === "greater_than" && inclusive === true) limits.greater_than = value as number;
    else if (check === "multiple_of") limits.multiple_of = value as number;
    else throw new TypeError(`There is no generator for the check "${check}". Teach arbitrary-payloads.ts about it.`);
  }
  return limits;
}

function valid(schema: Schema): fc.Arbitrary<unknown> {
  const kind = kindOf(schema);
  switch (kind.is) {
    case "object":
      return validObject(kind.fields);
    case "list":
      return lists(valid(kind.element), kind.fewest);
    case "literal":
      return fc.constantFrom(...kind.values);
    case "text":
      return texts(kind.longest);
    case "date-time":
      return dateTimes;
    case "uri":
      return uris;
    case "boolean":
      return fc.boolean();
    case "decimal":
      return decimals;
    case "integer":
      return integers(kind.least);
  }
}

function validObject(fields: readonly Field[]): fc.Arbitrary<Record<string, unknown>> {
  const model = Object.fromEntries(fields.map(({ name, schema }) => [name, valid(schema)]));
  const requiredKeys = fields.filter(({ required }) => required).map(({ name }) => name);
  return fc.record(model, { requiredKeys, noNullPrototype: true });
}

const lists = (element: fc.Arbitrary<unknown>, fewest: number): fc.Arbitrary<unknown[]> =>
  fc.oneof(
    { weight: 4, arbitrary: fc.array(element, { minLength: fewest, maxLength: 3 }) },
    { weight: 1, arbitrary: fc.array(element, { minLength: fewest, maxLength: fewest }) },
    { weight: 1, arbitrary: fc.array(element, { minLength: 8, maxLength: 16 }) },
  );

/** One code point: what the greatest length of a text is counted in. */
const character = fc.oneof(
  { weight: 3, arbitrary: fc.string({ unit: "grapheme-ascii", minLength: 1, maxLength: 1 }) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", minLength: 1, maxLength: 1 }) },
);

function texts(longest: number | undefined): fc.Arbitrary<string> {
  const short = fc.string({ unit: character, maxLength: Math.min(longest ?? 40, 40) });
  const full = fc.constantFrom("x", "é", "🔌").map((char) => char.repeat(longest ?? 5000));
  return fc.oneof({ weight: 6, arbitrary: short }, { weight: 1, arbitrary: fc.constant("") }, full);
}

const integers = (least: number): fc.Arbitrary<number> =>
  fc.oneof(
    { weight: 3, arbitrary: fc.integer({ min: Math.max(least, -100), max: 100_000 }) },
    { weight: 1, arbitrary: fc.integer({ min: least, max: Number.MAX_SAFE_INTEGER }) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(
        ...[least, least + 1, -1, 0, 2 ** 31 - 1, 2 ** 31, Number.MAX_SAFE_INTEGER].filter((value) => value >= least),
      ),
    },
  );

/** 8.1 is no multiple of 0.1 in binary, nor is the sum of 0.1 and 0.2 equal to 0.3; both have one decimal. */
const decimals = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -10_000, max: 1_000_000 }).map((tenths) => tenths / 10) },
  { weight: 1, arbitrary: fc.constantFrom(0, 8.1, -0.1, 0.1 + 0.2, 1.1 * 3, 1e9, 2 ** 31 + 0.1) },
);

const moments = fc.oneof(
  { weight: 4, arbitrary: fc.date({ min: new Date("2020-01-01"), max: new Date("2035-01-01"), noInvalidDate: true }) },
  {
    weight: 1,
    arbitrary: fc.date({
      min: new Date("0000-01-01T00:00:00Z"),
      max: new Date("9999-12-31T23:59:59Z"),
      noInvalidDate: true,
    }),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("2024-02-29T23:59:59Z", "2000-02-29T00:00:00Z", "2026-12-31T23:59:59Z")
      .map((text) => new Date(text)),
  },
);
const fractions = fc.constantFrom("", "", ".5", ".123", ".000", ".123456789");
const offsets = fc.oneof(
  fc.constant("Z"),
  fc.constantFrom("+00:00", "-00:00", "+01:00", "-09:30", "+05:45", "+14:00", "-12:00", "+23:59"),
);
const dateTimes = fc
  .tuple(moments, fractions, offsets)
  .map(([moment, fraction, offset]) => moment.toISOString().slice(0, 19) + fraction + offset);

const uris = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.webUrl({
      validSchemes: ["ftp", "ftps", "sftp", "http", "https"],
      withQueryParameters: true,
      withFragments: true,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      "ftp://user:secret@files.example.com:2121/%C3%BCpload/",
      "http://[2001:db8::1]/firmware.bin",
      "urn:example:firmware",
      "s:",
    ),
  },
);

function invalidPayload(schema: Schema): fc.Arbitrary<InvalidPayload> {
  const kind = kindOf(schema);
  if (kind.is !== "object") throw new TypeError("A payload is an object.");
  const mayBeEmpty = kind.fields.every(({ required }) => !required);
  // JSON null is another notation for a payload without fields. [J-063]
  const noObjects = mayBeEmpty ? ["text", 1, true, []] : ["text", 1, true, [], null];
  return fc.oneof(
    { weight: 1, arbitrary: wrong("notAnObject", ...noObjects) },
    { weight: 9, arbitrary: invalidObject(kind.fields) },
  );
}

/** Any of `values` in the place of a valid one. */
const wrong = (violation: PayloadViolation, ...values: readonly unknown[]): fc.Arbitrary<InvalidPayload> =>
  fc.constantFrom(...values).map((payload) => ({ payload, path: "", violation }));

/** A value with one thing wrong, at the place of the schema or below. */
function invalid(schema: Schema): fc.Arbitrary<InvalidPayload> {
  const kind = kindOf(schema);
  switch (kind.is) {
    case "object":
      return fc.oneof(
        wrong("wrongType", null, "text", 1, []),
        weighed(
          kind.fields.map((field) => field.schema),
          invalidObject(kind.fields),
        ),
      );
    case "list":
      return invalidList(kind.element, kind.fewest);
    case "literal":
      return fc.oneof(
        wrong("wrongType", null, 0, true, [], {}),
        // A literal in lower case may be another literal: `W`, `w`. None ends in a space.
        wrong("unknownValue", "", "toString", ...kind.values.map((value) => `${value} `)),
      );
    case "text": {
      const wrongType = wrong("wrongType", null, 0, false, [], {});
      const { longest } = kind;
      if (longest === undefined) return wrongType;
      const tooLong = ["x", "é", "🔌"].flatMap((char) => [char.repeat(longest + 1), char.repeat(longest * 2)]);
      return fc.oneof(wrongType, wrong("tooLong", ...tooLong));
    }
    case "date-time":
      return fc.oneof(wrong("wrongType", null, 0, true, [], {}), wrong("malformed", ...noDateTimes));
    case "uri":
      return fc.oneof(wrong("wrongType", null, 0, true, [], {}), wrong("malformed", ...noUris));
    case "boolean":
      return wrong("wrongType", null, 0, "true", [], {});
    case "decimal":
      return fc.oneof(wrong("wrongType", null, "8.1", true, [], {}), wrong("outOfRange", 0.01, 8.15, -1.99));
    case "integer": {
      const tooSmall = kind.least === Number.MIN_SAFE_INTEGER ? -(2 ** 53) : kind.least - 1;
      return fc.oneof(wrong("wrongType", null, "1", true, [], {}, 1.5), wrong("outOfRange", tooSmall, 2 ** 53));
    }
  }
}

function invalidObject(fields: readonly Field[]): fc.Arbitrary<InvalidPayload> {
  const object = validObject(fields);
  const unknown = fc
    .tuple(object, fc.constantFrom("vendorExtension", "IdTag", "__proto__", "constructor", "toString"), fc.jsonValue())
    .map(([valid, name, value]) => invalidAt(name, { ...valid, [name]: value }, "unknownField"));
  const perField = fields.map(({ name, schema, required }) => {
    const bad = fc
      .tuple(object, invalid(schema))
      .map(([valid, { payload, path, violation }]) =>
        invalidAt(joined(name, path), { ...valid, [name]: payload }, violation),
      );
    const missing = object.map(({ [name]: _, ...others }) => invalidAt(name, others, "missing"));
    const places = weighed([schema], bad);
    return required ? { ...places, arbitrary: fc.oneof({ weight: 1, arbitrary: missing }, places) } : places;
  });
  return fc.oneof(unknown, ...perField);
}

function invalidList(element: Schema, fewest: number): fc.Arbitrary<InvalidPayload> {
  const badElement = fc
    .tuple(fc.array(valid(element), { maxLength: 2 }), fc.array(valid(element), { maxLength: 2 }), invalid(element))
    .map(([before, after, { payload, path, violation }]) =>
      invalidAt(joined(`[${before.length}]`, path), [...before, payload, ...after], violation),
    );
  const wrongType = wrong("wrongType", null, "text", 1, {});
  const places = weighed([element], badElement);
  return fewest === 0 ? fc.oneof(wrongType, places) : fc.oneof(wrongType, wrong("empty", []), places);
}

/** Chosen as often as there are places below, so that the deepest one is hit as often as any other. */
const weighed = <Value>(below: readonly Schema[], arbitrary: fc.Arbitrary<Value>) => ({
  weight: below.reduce((sum, schema) => sum + placesIn(schema), 0),
  arbitrary,
});

function placesIn(schema: Schema): number {
  const kind = kindOf(schema);
  if (kind.is === "object") return kind.fields.reduce((sum, field) => sum + placesIn(field.schema), 1);
  return kind.is === "list" ? 1 + placesIn(kind.element) : 1;
}

const invalidAt = (path: string, payload: unknown, violation: PayloadViolation): InvalidPayload => ({
  payload,
  path,
  violation,
});

const joined = (outer: string, inner: string): string =>
  inner === "" || inner.startsWith("[") ? outer + inner : `${outer}.${inner}`;

const noDateTimes = [
  "",
  "now",
  "2026-01-01",
  "2026-01-01T00:00:00",
  "2026-01-01T00:00Z",
  "2026-01-01 00:00:00Z",
  "2026-01-01t00:00:00z",
  "2026-02-29T00:00:00Z",
  "1900-02-29T00:00:00Z",
  "2026-04-31T00:00:00Z",
  "2026-13-01T00:00:00Z",
  "2026-01-01T24:00:00Z",
  "2016-12-31T23:59:60Z",
  "2026-01-01T00:00:00.Z",
  "2026-01-01T00:00:00+0100",
  "2026-01-01T00:00:00+24:00",
  "26-01-01T00:00:00Z",
  " 2026-01-01T00:00:00Z",
];

const noUris = [
  "",
  "files.example.com",
  "/upload",
  "//files.example.com/",
  "http://a b/",
  "http://é/",
  "http://a/%4",
  "1http:a",
];
