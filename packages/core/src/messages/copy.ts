import type * as z from "zod/mini";
import { type Guard, guardOf, isAllowedBy, isObject, perSchema } from "./guard.ts";
import { Decimal } from "./types.ts";

/** What a {@link Copier} makes of a value that does not obey its schema. */
export const invalid = Symbol("invalid");

/** Copies a value that obeys a schema; of any other it makes `invalid`. */
export type Copier = (value: unknown) => unknown;

/**
 * The copier of a schema; built on first use, then kept.
 *
 * Whoever gives a payload may use the object again, and what is in it may be getters or proxies. So each part is read
 * once, and what is checked is what is in the copy: plain objects and lists, nothing that is `undefined`, and numbers
 * with one decimal where the schema wants that.
 *
 * It gives the same verdict as the guard. What stops the one stops the other: a list of holes is not copied to its end.
 */
export const copierOf: (schema: z.core.$ZodType) => Copier = /* @__PURE__ */ perSchema(build);

function build(schema: z.core.$ZodType): Copier {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return allowed(strictObject(def.shape), isAllowedBy(schema));
    case "array":
      return allowed(array(copierOf(def.element)), isAllowedBy(schema));
    case "optional":
      return copierOf(def.innerType);
    default: {
      const isRight = guardOf(schema);
      if (schema === Decimal) return (value) => (isRight(value) ? Math.round((value as number) * 10) / 10 : invalid);
      return (value) => (isRight(value) ? value : invalid);
    }
  }
}

/** In the order of what was given. */
function strictObject(shape: z.core.$ZodShape): Copier {
  const fields = new Map(
    Object.entries(shape).map(([name, schema]) => [
      name,
      { copied: copierOf(schema), required: guardOf(schema)(undefined) ? 0 : 1 },
    ]),
  );
  const allRequired = [...fields.values()].reduce((sum, { required }) => sum + required, 0);
  return (value) => {
    if (!isObject(value)) return invalid;
    const copy: Record<string, unknown> = {};
    let required = 0;
    for (const name in value) {
      const field = fields.get(name);
      if (field === undefined) return invalid;
      const part = value[name];
      if (part === undefined) continue;
      copy[name] = field.copied(part);
      if (copy[name] === invalid) return invalid;
      required += field.required;
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) {
      // Getters of a class are not enumerable.
      for (const [name, field] of fields) {
        const part = copy[name] === undefined ? value[name] : undefined;
        if (part === undefined) continue;
        copy[name] = field.copied(part);
        if (copy[name] === invalid) return invalid;
        required += field.required;
      }
    }
    return required === allRequired ? copy : invalid;
  };
}

function array(copied: Copier): Copier {
  return (value) => {
    if (!Array.isArray(value)) return invalid;
    const copy: unknown[] = [];
    for (let index = 0; index < value.length; index++) {
      const element = copied(value[index]);
      if (element === invalid) return invalid;
      copy.push(element);
    }
    return copy;
  };
}

/** What a schema demands of the whole is looked up in the copy. */
function allowed(copied: Copier, isAllowed: Guard | undefined): Copier {
  if (isAllowed === undefined) return copied;
  return (value) => {
    const copy = copied(value);
    return copy === invalid || isAllowed(copy) ? copy : invalid;
  };
}
