/** Payloads made from JSON schemas alone: they know nothing of the action table. */
import fc from "fast-check";
import type { JsonSchema } from "./json-schema.ts";

/** A payload with every field that there is, and texts of the greatest length. */
export const complete = (schema: JsonSchema): unknown => example(schema, () => true);

/** A payload with the required fields only. */
export const least = (schema: JsonSchema): unknown => example(schema, (required) => required);

function example(schema: JsonSchema, has: (required: boolean) => boolean): unknown {
  switch (schema.type) {
    case "object": {
      const { properties = {}, required = [] } = schema;
      const fields = Object.entries(properties).filter(([name]) => has(required.includes(name)));
      return Object.fromEntries(fields.map(([name, field]) => [name, example(field, has)]));
    }
    case "array":
      return has(false)
        ? [complete(schema.items ?? {}), least(schema.items ?? {})]
        : Array.from({ length: schema.minItems ?? 0 }, () => least(schema.items ?? {}));
    case "integer":
      return 7;
    case "number":
      return 8.1;
    case "boolean":
      return true;
    default: {
      if (schema.enum !== undefined) return schema.enum[0];
      if (schema.format === "date-time")
        return has(false) ? "2024-02-29T23:59:59.123456+05:45" : "2026-01-01T00:00:00Z";
      if (schema.format === "uri") return "ftp://user:secret@example.com:21/a%20b/?c=d#e";
      return has(false) ? "é🔌".repeat(3).padEnd(schema.maxLength ?? 600, "x") : "";
    }
  }
}

/** Any payload that a schema allows. */
export function arbitraryOf(schema: JsonSchema): fc.Arbitrary<unknown> {
  switch (schema.type) {
    case "object": {
      const { properties = {}, required = [] } = schema;
      const model = Object.fromEntries(Object.entries(properties).map(([name, field]) => [name, arbitraryOf(field)]));
      return fc.record(model, { requiredKeys: [...required], noNullPrototype: true });
    }
    case "array":
      return fc.array(arbitraryOf(schema.items ?? {}), { minLength: schema.minItems ?? 0, maxLength: 4 });
    case "integer":
      return fc.maxSafeInteger().map((value) => Math.max(value, schema.minimum ?? value));
    case "number":
      return fc.integer({ min: -1_000_000, max: 1_000_000 }).map((tenths) => tenths / 10);
    case "boolean":
      return fc.boolean();
    default: {
      if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
      if (schema.format === "uri") return fc.webUrl({ validSchemes: ["ftp", "https"], withQueryParameters: true });
      if (schema.format === "date-time")
        return fc.date({ noInvalidDate: true, min: year(0), max: year(9999) }).map(iso);
      return fc.string({ unit: "binary", maxLength: schema.maxLength ?? 100 });
    }
  }
}

const year = (year: number): Date => new Date(Date.UTC(2000, 0) + (year - 2000) * 31_556_952_000);
const iso = (date: Date): string => date.toISOString();
