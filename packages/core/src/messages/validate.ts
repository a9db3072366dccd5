import type * as z from "zod/mini";
import { type ErrorCode, PayloadError, type PayloadIssue } from "../errors.ts";
import { type Action, actions, type Conf, isAction, type Req } from "./actions.ts";
import { copierOf, invalid } from "./copy.ts";
import { guardOf, isObject } from "./guard.ts";

/** How many issues a {@link PayloadError} tells at most. */
const maxIssues = 5;

/** How many characters of the name of an unknown field are repeated: the peer chose it, so it may have any length. */
const maxNameLength = 40;

/**
 * Checks the payload of a CALL and returns it as what it is: the same object if it was received, a copy if it is ours.
 *
 * @param payload - What was received, or is going to be sent. `null` counts as `{}` where no field is required, and so
 *   does `undefined` if the payload is ours.
 * @param origin - Whose payload it is: `remote` if it was received.
 * @throws PayloadError The payload violates the schema of `<action>.req`.
 * @spec OCPP-J 1.6 §4.2.1 [J-061, J-063, J-D15, J-D16]
 */
export function parseReq<A extends Action>(action: A, payload: unknown, origin: PayloadError["origin"]): Req<A> {
  return parse(action, "req", payload, origin) as Req<A>;
}

/**
 * Checks the payload of a CALLRESULT and returns it as what it is: the same object if it was received, a copy if it is
 * ours.
 *
 * @param payload - What was received, or is going to be sent. `null` counts as `{}` where no field is required, and so
 *   does `undefined` if the payload is ours.
 * @param origin - Whose payload it is: `remote` if it was received.
 * @throws PayloadError The payload violates the schema of `<action>.conf`.
 * @spec OCPP-J 1.6 §4.2.2 [J-061, J-063, J-088]
 */
export function parseConf<A extends Action>(action: A, payload: unknown, origin: PayloadError["origin"]): Conf<A> {
  return parse(action, "conf", payload, origin) as Conf<A>;
}

/**
 * Checks a payload as it is checked before it is sent, and sends nothing.
 *
 * @param payload - Anything; `undefined` and `null` count as `{}` where no field is required.
 * @returns What would be sent: a copy of the payload, without what is `undefined`, numbers with one decimal rounded to it.
 * @throws PayloadError It violates the schema of `<action>.<kind>`; `origin` is `local`.
 * @throws TypeError OCPP 1.6 has no such action, or `kind` is none.
 */
export function check<A extends Action, K extends "req" | "conf">(
  action: A,
  kind: K,
  payload: unknown,
): z.output<(typeof actions)[A][K]> {
  if (!isAction(action)) throw new TypeError(`OCPP 1.6 has no action "${String(action)}".`);
  if (kind !== "req" && kind !== "conf") throw new TypeError(`kind is "${String(kind)}". Give "req" or "conf".`);
  return parse(action, kind, payload, "local") as z.output<(typeof actions)[A][K]>;
}

/** A getter or a proxy of ours that tells something else each time. */
const unsteady: PayloadIssue = {
  path: "",
  message: "is another one each time it is read",
  code: "FormationViolation",
};

function parse(action: Action, kind: "req" | "conf", payload: unknown, origin: PayloadError["origin"]): unknown {
  const schema = actions[action][kind];
  const guard = guardOf(schema);
  const checked = origin === "local" ? copierOf(schema)(payload) : guard(payload) ? payload : invalid;
  if (checked !== invalid) return checked;
  // JSON null is another notation for a message without fields; a payload that is not even in the frame is none.
  if ((payload === null || (payload === undefined && origin === "local")) && guard({})) return {};
  const [first, ...others] = issuesOf(schema, payload);
  // zod is the law: if it finds nothing wrong with what was received, then the guard was.
  if (first === undefined && origin === "remote") return payload;
  const error = new PayloadError({ origin, action, kind, issues: [first ?? unsteady, ...others] });
  if (origin === "remote" && kind === "conf") refused.set(error, payload);
  throw error;
}

/** Beside the errors, not in them: what was received is nothing for a log. */
const refused = new WeakMap<PayloadError, unknown>();

/** The answer of the peer that was refused with this error, as it was received; `undefined` when it was none. */
export function refusedPayload(error: PayloadError): unknown {
  return refused.get(error);
}

/**
 * What can be wrong with a payload → the CALLERROR code that says so, the only such table. The documents say what each
 * code means (`errorCodes` in errors.ts), but not which one these cases get.
 *
 * @spec OCPP-J 1.6 §4.2.3 table 7 [J-090 … J-098]
 */
const codes = {
  /** The structure is not that of any action. [J-098] */
  notAnObject: "FormationViolation",
  /** The structure is not that of this action. [J-091] */
  unknownField: "FormationViolation",
  /** The payload is incomplete. Too few occurrences of a field would be another way to say it. [J-090] */
  missing: "ProtocolError",
  /** The wrong data type; JSON `null` is of no field's type. [J-092, J-123] */
  wrongType: "TypeConstraintViolation",
  /** The right type, but a value that is not allowed: not one of those listed, … [J-093] */
  unknownValue: "PropertyConstraintViolation",
  /** … too many characters, … [J-094] */
  tooLong: "PropertyConstraintViolation",
  /** … too large, too small or too many decimals, … [J-095] */
  outOfRange: "PropertyConstraintViolation",
  /** … or neither a date-time nor a URI. [J-096] */
  malformed: "PropertyConstraintViolation",
  /** Too few elements in a list. [J-097] */
  empty: "OccurenceConstraintViolation",
} as const satisfies Record<string, ErrorCode>;

/** What can be wrong at one place of a payload. */
export type FaultName = keyof typeof codes;

/** What is wrong, and the words for it, which never contain a value that was received. */
export type Fault = readonly [fault: FaultName, message: string];

/** A field that the message does not have. */
export const unknownField: Fault = ["unknownField", "is not a field of this message"];

/**
 * What is wrong with a payload, in the order of the fields, unknown fields last.
 *
 * zod would build an issue for each of a hundred thousand bad elements, and overflow the stack in doing so. This walk
 * finds with the guards where something is wrong, stops when it has enough, and asks zod only about those places.
 */
function issuesOf(schema: z.core.$ZodType, payload: unknown): readonly PayloadIssue[] {
  const issues: PayloadIssue[] = [];
  const enough = () => issues.length >= maxIssues;
  const report = (path: string, [fault, message]: Fault) => issues.push({ path, message, code: codes[fault] });

  const visit = (schema: z.core.$ZodType, value: unknown, path: string): void => {
    if (enough() || guardOf(schema)(value)) return;
    const { def } = (schema as z.core.$ZodTypes)._zod;
    const before = issues.length;
    if (def.type === "optional") {
      visit(def.innerType, value, path);
    } else if (def.type === "array" && Array.isArray(value)) {
      for (let index = 0; index < value.length && !enough(); index++) {
        visit(def.element, value[index], `${path}[${index}]`);
      }
    } else if (def.type === "object" && isObject(value)) {
      const prefix = path === "" ? "" : `${path}.`;
      for (const [name, field] of Object.entries(def.shape)) visit(field, value[name], prefix + name);
      for (const name in value) {
        if (enough()) return;
        if (!Object.hasOwn(def.shape, name)) {
          report(prefix + printable(name), unknownField);
        }
      }
    }
    // No part is wrong, so the value itself is.
    if (issues.length > before) return;
    for (const [fault, message] of faultsOf(schema, value)) {
      report(path, [path === "" ? "notAnObject" : fault, message]);
    }
  };

  visit(schema, payload, "");
  return issues.slice(0, maxIssues);
}

/** What zod finds wrong with a value itself. */
export function faultsOf(schema: z.core.$ZodType, value: unknown): readonly Fault[] {
  if (value === undefined) return [["missing", "is missing"]];
  const { issues } = schema._zod.run({ value, issues: [] }, { async: false }) as z.core.ParsePayload;
  return issues.map((issue): Fault => {
    switch (issue.code) {
      case "too_big":
        return typeof value === "string"
          ? ["tooLong", `is longer than ${issue.maximum} characters (it has ${codePoints(value)})`]
          : ["outOfRange", `must be at most ${issue.maximum}`];
      case "too_small":
        return Array.isArray(value)
          ? ["empty", `must have at least ${issue.minimum} element`]
          : ["outOfRange", `must be at least ${issue.minimum}`];
      case "not_multiple_of":
        return ["outOfRange", "must have at most one decimal"];
      case "invalid_format":
        return ["malformed", `must be ${issue.format === "uri" ? "an absolute URI" : "a date-time as in RFC 3339"}`];
      case "invalid_value":
        if (typeof value === "string") return ["unknownValue", `must be one of ${issue.values.join(", ")}`];
        break;
      case "invalid_type":
        if (typeof value === "number" && !Number.isFinite(value)) return ["outOfRange", "must be a finite number"];
    }
    const expected = typeOfSchema(schema);
    const actual = expected === "an integer" && typeof value === "number" ? "a fraction" : typeOfValue(value);
    return ["wrongType", `must be ${expected}, not ${actual}`];
  });
}

function typeOfSchema(schema: z.core.$ZodType): string {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case "object":
      return "an object";
    case "array":
      return "a list";
    case "enum":
      return "a string";
    case "number":
      return "format" in def ? "an integer" : "a number";
    default:
      return `a ${def.type}`;
  }
}

function typeOfValue(value: unknown): string {
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}

/** How many characters a text has, counted as JSON Schema does. */
export function codePoints(text: string): number {
  let count = 0;
  for (const _ of text) count++;
  return count;
}

/** The name of an unknown field, fit for a log: short, in printable ASCII, and in quotes unless it looks like a name. */
export function printable(name: string): string {
  if (name.length <= maxNameLength && /^\w+$/.test(name)) return name;
  const cut = name.length > maxNameLength ? `${name.slice(0, maxNameLength)}...` : name;
  return `"${cut.replace(/[^\x20-\x7e]|"/g, "?")}"`;
}
