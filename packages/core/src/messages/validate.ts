import type * as z from "zod/mini";
import { type ErrorCode, PayloadError, type PayloadIssue } from "../errors.ts";
import { type Action, actions, type Conf, type Req } from "./actions.ts";
import { guardOf } from "./guard.ts";

/** How many issues a {@link PayloadError} tells at most. */
const maxIssues = 5;

/** How many characters of the name of an unknown field are repeated. The peer chose it, so it may be of any length. */
const maxNameLength = 40;

/**
 * Checks the payload of a CALL and returns it, the same object, as what it is.
 *
 * @param payload - What was received, or what is going to be sent. Nothing (`null`, or `undefined` of ours) counts as
 *   `{}` where no field is required.
 * @param origin - Whose payload it is: `remote` if it was received.
 * @throws {@link PayloadError} The payload violates the schema of `<action>.req`.
 * @spec OCPP-J 1.6 §4.2.1 [J-061, J-063, J-D15, J-D16]
 */
export function parseReq<A extends Action>(action: A, payload: unknown, origin: PayloadError["origin"]): Req<A> {
  return parse(action, "req", payload, origin) as Req<A>;
}

/**
 * Checks the payload of a CALLRESULT and returns it, the same object, as what it is.
 *
 * @param payload - What was received, or what is going to be sent. Nothing (`null`, or `undefined` of ours) counts as
 *   `{}` where no field is required.
 * @param origin - Whose payload it is: `remote` if it was received.
 * @throws {@link PayloadError} The payload violates the schema of `<action>.conf`.
 * @spec OCPP-J 1.6 §4.2.2 [J-061, J-063, J-088]
 */
export function parseConf<A extends Action>(action: A, payload: unknown, origin: PayloadError["origin"]): Conf<A> {
  return parse(action, "conf", payload, origin) as Conf<A>;
}

function parse(action: Action, kind: "req" | "conf", payload: unknown, origin: PayloadError["origin"]): unknown {
  const schema = actions[action][kind];
  const guard = guardOf(schema);
  if (guard(payload)) return payload;
  // JSON null is another notation for a message without fields. What is not even in the frame is not: only our own
  // undefined stands for it.
  if ((payload === null || (payload === undefined && origin === "local")) && guard({})) return {};
  const [first, ...others] = issuesOf(schema, payload);
  // zod is the law: if it finds nothing wrong, then the guard was.
  if (first === undefined) return payload;
  throw new PayloadError({ origin, action, kind, issues: [first, ...others] });
}

/**
 * What can be wrong with a payload, and the CALLERROR code that says so. The documents define the codes but assign
 * none of these cases to one; beside each row is what the code means.
 *
 * @spec OCPP-J 1.6 §4.2.3 table 7 [J-090 … J-098]
 */
const codes = {
  /** "Syntactically incorrect or not conform the PDU structure." [J-098] */
  notAnObject: "FormationViolation",
  /** As above: the structure has no such field. [J-091] */
  unknownField: "FormationViolation",
  /** "Payload is incomplete." `OccurenceConstraintViolation` would be defensible too. [J-090] */
  missing: "ProtocolError",
  /** "Violates data type constraints." JSON `null` is of no field's type. [J-092, J-123] */
  wrongType: "TypeConstraintViolation",
  /** "Contains an invalid value": not one of those listed, … [J-093] */
  unknownValue: "PropertyConstraintViolation",
  /** … too many characters, … [J-094] */
  tooLong: "PropertyConstraintViolation",
  /** … too large, too small, or too many decimals, … [J-095] */
  outOfRange: "PropertyConstraintViolation",
  /** … no date-time or no URI. [J-096] */
  malformed: "PropertyConstraintViolation",
  /** "Violates occurrence constraints": an empty list where one element is the least. [J-097] */
  empty: "OccurenceConstraintViolation",
} as const satisfies Record<string, ErrorCode>;
