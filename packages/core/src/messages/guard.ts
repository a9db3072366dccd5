import type * as z from "zod/mini";

/** Answers whether a value obeys a schema, without a word about why not. */
export type Guard = (value: unknown) => boolean;

type Schema = z.core.$ZodType;

/** Makes a function that builds something for each schema on first use, and then keeps it. */
export function perSchema<T>(build: (schema: Schema) => T): (schema: Schema) => T {
  const built = new WeakMap<Schema, T>();
  return (schema) => {
    let result = built.get(schema);
    if (result === undefined) {
      result = build(schema);
      built.set(schema, result);
    }
    return result;
  };
}

/**
 * The guard of a schema; built on first use, then kept.
 *
 * zod is the law, and this is its fast path: a closure that gives the same verdict as zod without building issues, paths
 * and a copy of the value. It knows the few kinds of schema that `types.ts` is made of, and leaves every constraint to
 * the check objects of zod itself.
 *
 * @throws TypeError The schema is of another kind.
 */
export const guardOf: (schema: Schema) => Guard = /* @__PURE__ */ perSchema(build);

function build(schema: Schema): Guard {
  const hasType = typeGuard(schema);
  const isAllowed = isAllowedBy(schema);
  return isAllowed === undefined ? hasType : (value) => hasType(value) && isAllowed(value);
}

function typeGuard(schema: Schema): Guard {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return strictObject(def);
    case "array":
      return array(guardOf(def.element));
    case "optional": {
      const present = guardOf(def.innerType);
      return (value) => value === undefined || present(value);
    }
    case "enum": {
      // Faster than a Set, which has to make a hash of what was just read.
      const values: readonly unknown[] = Object.values(def.entries);
      return (value) => values.includes(value);
    }
    case "boolean":
      return (value) => typeof value === "boolean";
    case "string":
      return (value) => typeof value === "string";
    case "number":
      return Number.isFinite;
    default:
      throw new TypeError(`messages/ has no guard for a schema of type "${def.type}". Add it to guard.ts.`);
  }
}

/** Whether a value is what JSON calls an object. */
export const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * As in zod, a field may be inherited, and every enumerable name that is not a field is refused, `__proto__` included. What
 * is not enumerable is only looked for where a field is missing: JSON has nothing of the kind.
 */
function strictObject({ shape, catchall }: z.core.$ZodObjectDef): Guard {
  if (catchall?._zod.def.type !== "never") throw new TypeError("Payloads are strict objects: use z.strictObject.");
  // Without a prototype, which would have names of its own.
  const fields: Record<string, { guard: Guard; required: number } | undefined> = Object.create(null);
  for (const [name, schema] of Object.entries(shape)) {
    const guard = guardOf(schema);
    fields[name] = { guard, required: guard(undefined) ? 0 : 1 };
  }
  const required = Object.keys(shape).filter((name) => fields[name]?.required === 1);
  return (value) => {
    if (!isObject(value)) return false;
    let found = 0;
    for (const name in value) {
      const field = fields[name];
      if (field === undefined || !field.guard(value[name])) return false;
      found += field.required;
    }
    return found === required.length || required.every((name) => fields[name]?.guard(value[name]));
  };
}

/** By index, so that a hole counts as `undefined` and further properties do not count, as in zod. */
function array(element: Guard): Guard {
  return (value) => {
    if (!Array.isArray(value)) return false;
    for (let index = 0; index < value.length; index++) {
      if (!element(value[index])) return false;
    }
    return true;
  };
}

/** What a schema demands beyond the type. A format, such as a date-time, is a schema and a check at once. */
export function isAllowedBy(schema: Schema): Guard | undefined {
  const own = schema._zod.traits.has("$ZodCheck") ? [schema as unknown as z.core.$ZodCheck] : [];
  const all = [...own, ...(schema._zod.def.checks ?? [])];
  if (all.length === 0) return undefined;
  return (value) => {
    const payload: z.core.ParsePayload = { value, issues: [] };
    for (const { _zod } of all) _zod.check(payload as never);
    return payload.issues.length === 0;
  };
}
