/** The JSON schemas of OCPP 1.6 that the npm package ocpp-rpc ships, read where it keeps them. */
import { createRequire } from "node:module";
import { type Action, actions } from "@ocppj/core";
import { createValidator } from "ocpp-rpc";

/** Which of an action's two payloads. */
export type Kind = "req" | "conf";

/** JSON Schema as far as those of OCPP 1.6 use it. */
export interface JsonSchema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly definitions?: Readonly<Record<string, JsonSchema>>;
  readonly type?: "object" | "array" | "string" | "integer" | "number" | "boolean";
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  readonly required?: readonly string[];
  readonly items?: JsonSchema;
  readonly enum?: readonly string[];
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly format?: "date-time" | "uri";
  readonly pattern?: string;
}

/** Every payload there is. */
export const payloads: readonly (readonly [Action, Kind])[] = (Object.keys(actions) as Action[]).flatMap(
  (action) =>
    [
      [action, "req"],
      [action, "conf"],
    ] as const,
);

const shipped: readonly JsonSchema[] = createRequire(import.meta.url)("ocpp-rpc/lib/schemas/ocpp1_6.json");

/** The schemas as shipped, by their id, with their definitions put where they are referred to. */
export const schemas: ReadonlyMap<string, JsonSchema> = new Map(
  shipped.map((schema) => [schema.$id ?? "", inlined(schema, schema.definitions ?? {})]),
);

/** The id of the schema of a payload. */
const idOf = (action: Action, kind: Kind): string => `urn:${action}.${kind}`;

/** The schema of a payload as shipped. */
export function schemaOf(action: Action, kind: Kind): JsonSchema {
  const schema = schemas.get(idOf(action, kind));
  if (schema === undefined) throw new TypeError(`ocpp-rpc has no schema for ${action}.${kind}.`);
  return schema;
}

/** Whether a payload is valid, by some schemas. */
export type Verdict = (action: Action, kind: Kind, payload: unknown) => boolean;

/** The verdict of the action table. */
export const ours: Verdict = (action, kind, payload) => actions[action][kind].safeParse(payload).success;

/** The verdict of ocpp-rpc's strict mode, with its schemas or others. */
export function verdictOf(schemas: Iterable<JsonSchema>): Verdict {
  const validator = createValidator("ocpp1.6", [...schemas]);
  return (action, kind, payload) => {
    try {
      return validator.validate(idOf(action, kind), payload) === true;
    } catch {
      return false;
    }
  };
}

/** Makes a schema anew, from its leaves to its root; a field of an object has a name, an element of a list has none. */
export function mapped(
  schema: JsonSchema,
  change: (schema: JsonSchema, name: string) => JsonSchema,
  name = "",
): JsonSchema {
  const { properties, items } = schema;
  return change(
    {
      ...schema,
      ...(properties && {
        properties: Object.fromEntries(
          Object.entries(properties).map(([field, inner]) => [field, mapped(inner, change, field)]),
        ),
      }),
      ...(items && { items: mapped(items, change) }),
    },
    name,
  );
}

function inlined(schema: JsonSchema, definitions: Readonly<Record<string, JsonSchema>>): JsonSchema {
  const { definitions: _, ...inner } = mapped(schema, (part) => {
    if (part.$ref === undefined) return part;
    const definition = definitions[part.$ref.replace("#/definitions/", "")];
    if (definition === undefined) throw new TypeError(`There is no ${part.$ref}.`);
    return inlined(definition, definitions);
  });
  return inner;
}
