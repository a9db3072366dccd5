/*
 * What a quirk is, and how quirks are applied to what a peer has sent.
 *
 * Nothing here runs before a frame or a payload has been refused. Then the places that are wrong are visited, one by
 * one; each of them must be forgiven or repaired by a quirk, and what a repair puts there must obey the schema, or be
 * forgiven in turn. If one place is left over, the whole is refused as if there were no quirks. What arrived is never
 * changed: a repair works on copies of the objects that lead to it.
 *
 * A connection knows the types of this file only. The functions come to it with the quirks themselves, as `tolerance`,
 * so that a program which tolerates nothing carries neither them nor the table.
 */
import type * as z from "zod/mini";
import { atOnce } from "../guarded.ts";
import { type Action, actions } from "./actions.ts";
import { guardOf, isObject } from "./guard.ts";
import { type Fault, type FaultName, faultsOf, printable, unknownField } from "./validate.ts";

/** What every quirk tells of itself. */
interface QuirkDescription {
  /** Row of the list of quirks, for example `Q7`; several quirks may be of one row. */
  readonly id: string;
  /** Where it was seen: issues (`owner/repository#12`) and pull requests (`owner/repository PR#12`). Empty: not yet. */
  readonly evidence: readonly string[];
  /** What is forgiven, as the rest of a sentence. */
  readonly forgives: string;
  /** What is made of it, as the rest of a sentence. */
  readonly repairs: string;
  /** Whether it puts there what nobody has sent: a guess, by which nobody should be billed. */
  readonly guesses?: true;
}

/** One thing that is wrong with a payload. */
export interface Flaw {
  readonly action: Action;
  readonly kind: "req" | "conf";
  /** Whether the message only reports: a CALL that charge points alone may send. */
  readonly reports: boolean;
  /** Where in the payload, for example `meterValue[0].sampledValue[2].unit`; empty for the whole. */
  readonly path: string;
  /** Name of the field; of the nearest one around it for an element of a list; empty for the payload itself. */
  readonly field: string;
  /** Whether the field may be absent. */
  readonly optional: boolean;
  readonly fault: FaultName;
  /** What the schema wants there. */
  readonly expected: "text" | "date-time" | "uri" | "enum" | "number" | "integer" | "boolean" | "array" | "object";
  /** The values of an enumeration; of anything else none. */
  readonly values: readonly string[];
  /** How many characters a text may have; infinite where there is no limit. */
  readonly maxLength: number;
  /** `undefined` for a field that is missing. */
  readonly value: unknown;
  /** The object that the field is in, as it was received. */
  readonly around: Readonly<Record<string, unknown>>;
  /** When the payload arrived, as RFC 3339 text. */
  readonly receivedAt: string;
}

/** What a quirk does about a flaw: lets the value through, leaves the field out, or puts another value there. */
export type Mending =
  | "keep"
  | "omit"
  | {
      readonly value: unknown;
      /** Fields for texts beside this one: the first that is absent or empty gets what was here, if it has room. */
      readonly beside?: readonly string[];
    };

/** How a quirk of frames repairs a text that is no frame. */
export interface FrameRepair {
  readonly scope: "frame";
  /** Repairs a text that is not JSON; the same text when there is nothing to repair. */
  readonly cleaned?: (text: string) => string;
  /** Repairs the elements of the array; `undefined` when there is nothing to repair. */
  readonly elements?: (elements: readonly unknown[]) => readonly unknown[] | undefined;
  /** Whether the message id of a CALL may be empty. */
  readonly emptyMessageId?: true;
}

/** How a quirk of payloads repairs what violates a schema. */
export interface PayloadRepair {
  readonly scope: "payload";
  /** `undefined` when this flaw is not what the quirk forgives. */
  readonly mend: (flaw: Flaw) => Mending | undefined;
}

/** How a quirk of the opening handshake repairs it; who reads handshakes applies it. */
export interface HandshakeRepair {
  readonly scope: "handshake";
  /** The path to look for the identity in, when there is none in the path of the request. */
  readonly path?: (path: string) => string;
  /** The password to try when the one in the header is wrong; `undefined` when there is none. */
  readonly password?: (password: Uint8Array) => Uint8Array | undefined;
  /** What is spoken when the peer offers, or chooses, no subprotocol at all. */
  readonly subprotocol?: "ocpp1.6";
  /** Whether a subprotocol that is offered means OCPP-J 1.6, however it is spelt; the answer spells it so, too. */
  readonly means?: (offered: string) => boolean;
}

/** A row of a table of quirks. */
export type QuirkRow = QuirkDescription & (FrameRepair | PayloadRepair | HandshakeRepair);

/**
 * One thing that real peers get wrong, and what to make of it. The record `quirks` has those that are known;
 * {@link defineQuirks} makes more.
 */
export type Quirk<Name extends string = string, Repair = FrameRepair | PayloadRepair | HandshakeRepair> = Repair &
  QuirkDescription & {
    /** What it is called in `quirks` and in the event `tolerated`. */
    readonly name: Name;
    /** Internal: what applies quirks. */
    readonly tolerance: Tolerance;
  };

/** Quirks: a list of them, or a whole table, such as `quirks` itself. */
export type QuirkSet = readonly Quirk[] | Readonly<Record<string, Quirk>>;

/** Who a Charge Point is, as far as it has told. */
export interface ChargePointDescription {
  readonly identity: string;
  /** From its BootNotification, as are the others; absent until that has arrived, and where it is no text. */
  readonly chargePointVendor?: string;
  readonly chargePointModel?: string;
  readonly firmwareVersion?: string;
}

/** Quirks, or a function that says which of whom. It is asked when a connection begins, and for each BootNotification. */
export type QuirkChoice = QuirkSet | ((chargePoint: ChargePointDescription) => QuirkSet);

/** That a quirk was made use of. */
export interface Tolerated {
  /** Name of the quirk, as in `quirks`; or `unansweredPings`, which is tolerated without one. */
  readonly quirk: string;
  /** Its id, for example `Q7`. */
  readonly id: string;
  /** The action of the payload; absent where a frame or a handshake was wrong. */
  readonly action?: Action;
  /** Where, for example `meterValue[0].sampledValue[2].unit`; empty for the whole. */
  readonly path: string;
  /** What was wrong, and what was made of it, in one sentence without the value. */
  readonly message: string;
  /** What was received there, as it is: a text may have a new AuthorizationKey in it. Absent for a password. */
  readonly received?: unknown;
  /** That the value is a guess, by which nobody should be billed. Absent otherwise. */
  readonly guessed?: true;
}

/** A payload that a schema has refused, as the quirks make it. */
export interface RepairedPayload {
  readonly payload: unknown;
  readonly uses: readonly Tolerated[];
}

/** A text that was no frame, as the quirks read it. */
export interface RepairedFrame<F> {
  readonly frame: F;
  readonly uses: readonly Tolerated[];
}

/** What applies quirks. */
interface Tolerance {
  repairPayload: typeof repairPayload;
  repairFrame: typeof repairFrame;
}

/** How many places of one payload are repaired at most; beyond, the peer is not careless but hostile. */
const maxRepairs = 1000;

/** What is left where a place cannot be repaired. */
const irreparable = Symbol("irreparable");

/** Where in a payload. */
interface Place {
  readonly path: string;
  readonly field: string;
  readonly optional: boolean;
  readonly around: Readonly<Record<string, unknown>>;
  /** Takes the values of the object around that were replaced, with the fields that may have them instead. */
  readonly displaced: { readonly value: unknown; readonly beside: readonly string[] }[];
}

/**
 * Repairs a payload that violates its schema.
 *
 * @param receivedAt - When it arrived, as RFC 3339 text.
 * @param failed - Hears of each row that throws or answers nonsense; the payload is read as if that said nothing.
 * Default: it is thrown.
 * @returns `undefined` when it cannot be repaired in full.
 */
export function repairPayload(
  quirks: readonly Quirk[],
  action: Action,
  kind: "req" | "conf",
  payload: unknown,
  receivedAt: string,
  failed: RowFailed = thrown,
): RepairedPayload | undefined {
  const rows = quirks.filter((quirk): quirk is Quirk<string, PayloadRepair> => quirk.scope === "payload");
  const uses: Tolerated[] = [];
  const { from } = actions[action];
  const reports = kind === "req" && from.every((role) => role === "ChargePoint");

  /** What belongs in the place of a value: itself, what it is repaired to, `undefined` for nothing, or `irreparable`. */
  const mended = (schema: z.core.$ZodType, value: unknown, place: Place, rest: typeof rows): unknown =>
    guardOf(schema)(value) ? value : repaired(schema, value, place, rest);

  /** The same of a value that is known to be wrong: guards look at all that is in a value, so each asks once. */
  const repaired = (schema: z.core.$ZodType, value: unknown, place: Place, rest: typeof rows): unknown => {
    const { def } = (schema as z.core.$ZodTypes)._zod;
    if (def.type === "optional") return repaired(def.innerType, value, { ...place, optional: true }, rest);
    if (def.type === "object" && isObject(value)) {
      const isHollow = place.optional && hasNothing(value);
      const empty = isHollow ? forgiven(schema, nothingInIt, value, place, rest) : irreparable;
      return empty === irreparable ? repairedObject(def, value, place.path) : empty;
    }
    if (def.type === "array" && Array.isArray(value) && value.length > 0) {
      const isRight = guardOf(def.element);
      const elements = [...value];
      for (const [index, element] of elements.entries()) {
        if (isRight(element)) continue;
        const path = `${place.path}[${index}]`;
        elements[index] = repaired(def.element, element, { ...place, path, optional: false }, rows);
        if (elements[index] === irreparable) return irreparable;
      }
      return elements;
    }
    const [fault, ...others] = faultsOf(schema, value);
    return fault === undefined || others.length > 0 ? irreparable : forgiven(schema, fault, value, place, rest);
  };

  const repairedObject = (def: z.core.$ZodObjectDef, value: Record<string, unknown>, path: string): unknown => {
    const prefix = path === "" ? "" : `${path}.`;
    const fields: Record<string, unknown> = {};
    const displaced: Place["displaced"] = [];
    for (const [name, schema] of Object.entries(def.shape)) {
      const place = { path: prefix + name, field: name, optional: false, around: value, displaced };
      const part = mended(schema, value[name], place, rows);
      if (part === irreparable) return irreparable;
      if (part !== undefined) fields[name] = part;
    }
    for (const name in value) {
      if (Object.hasOwn(def.shape, name)) continue;
      const place = { path: prefix + printable(name), field: name, optional: true, around: value, displaced };
      if (forgiven(undefined, unknownField, value[name], place, rows) === irreparable) return irreparable;
    }
    for (const { value, beside } of displaced) {
      const free = beside.find((name) => Object.hasOwn(def.shape, name) && (fields[name] ?? "") === "");
      if (free !== undefined && guardOf(def.shape[free] as z.core.$ZodType)(value)) fields[free] = value;
    }
    return fields;
  };

  /** @param schema - What the value should obey; `undefined` for a field that should not be there. */
  const forgiven = (
    schema: z.core.$ZodType | undefined,
    [fault, words]: Fault,
    value: unknown,
    place: Place,
    rest: typeof rows,
  ): unknown => {
    const { path, field, optional, around, displaced } = place;
    const known = { action, kind, reports, path, field, optional, fault, value, around, receivedAt };
    const flaw: Flaw = { ...known, expected: expectedBy(schema), ...limitsOf(schema) };
    for (const row of rest) {
      const mending = answerOf(row, () => row.mend(flaw), isMending, failed);
      // Of a field that should not be there nothing can be made, whatever it is called.
      if (mending === undefined || (schema === undefined && mending !== "omit")) continue;
      if (uses.length >= maxRepairs) return irreparable;
      const outcome = typeof mending === "string" ? mending : "repair";
      const message = `${path} ${words}: ${outcomes[outcome]}.`;
      const guess = row.guesses ? ({ guessed: true } as const) : undefined;
      uses.push({ quirk: row.name, id: row.id, action, path, message, received: value, ...guess });
      if (mending === "keep") return value;
      if (mending === "omit" || schema === undefined) return optional ? undefined : irreparable;
      if (mending.beside !== undefined) displaced.push({ value, beside: mending.beside });
      const others = rest.filter((other) => other !== row); // Each quirk once at each place, so this ends.
      return mended(schema, mending.value, place, others);
    }
    return irreparable;
  };

  const place = { path: "", field: "", optional: false, around: {}, displaced: [] };
  const whole = mended(actions[action][kind], payload, place, rows);
  return whole === irreparable ? undefined : { payload: whole, uses };
}

/** Hears why a row could not be made use of. */
type RowFailed = (error: unknown) => void;

const thrown: RowFailed = (error) => {
  throw error;
};

/** What a row answers, which may be an owner's: nothing, if it throws or answers nonsense. */
function answerOf<Answer>(
  row: Quirk,
  ask: () => Answer,
  isAnswer: (answer: unknown) => boolean,
  failed: RowFailed,
): Answer | undefined {
  try {
    const answer = atOnce(row.name, ask());
    if (isAnswer(answer)) return answer;
    throw new TypeError(`The quirk ${row.name} answers what no quirk may.`);
  } catch (error) {
    failed(error);
    return undefined;
  }
}

function isMending(answer: unknown): boolean {
  if (!isObject(answer)) return answer === undefined || answer === "keep" || answer === "omit";
  atOnce("value", answer.value);
  return "value" in answer && (answer.beside === undefined || Array.isArray(answer.beside));
}
const isText = (answer: unknown): boolean => answer === undefined || typeof answer === "string";
const areElements = (answer: unknown): boolean => answer === undefined || Array.isArray(answer);

const outcomes = {
  keep: "it is passed on as it is",
  omit: "it is left out",
  repair: "it is repaired",
} as const;

/** What is wrong with an object in which nothing stands. */
const nothingInIt: Fault = ["empty", "has nothing in it"];

/** Whether a value is one that software writes where it has none. */
export const isPlaceholder = (value: unknown): boolean =>
  value === null || value === 0 || (typeof value === "string" && value.length < 20 && /^(?:\s*|0)$/.test(value));

/** Whether there is nothing in an object or a list but placeholders. Payloads are not nested more deeply than this. */
function hasNothing(value: object, depth = 4): boolean {
  return Object.values(value).every(
    (part) => isPlaceholder(part) || (depth > 0 && typeof part === "object" && hasNothing(part, depth - 1)),
  );
}

/** The values of an enumeration, and the length of the longest text. */
function limitsOf(schema: z.core.$ZodType | undefined): Pick<Flaw, "values" | "maxLength"> {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  const checks = (def?.checks ?? []).map(({ _zod }) => _zod.def as Partial<z.core.$ZodCheckMaxLengthDef>);
  const longest = checks.find(({ check }) => check === "max_length");
  return {
    values: def?.type === "enum" ? Object.values(def.entries).map(String) : [],
    maxLength: longest?.maximum ?? Number.POSITIVE_INFINITY,
  };
}

function expectedBy(schema: z.core.$ZodType | undefined): Flaw["expected"] {
  const def = (schema as z.core.$ZodTypes | undefined)?._zod.def;
  switch (def?.type) {
    case "string":
      if (!("format" in def)) return "text";
      return def.format === "uri" ? "uri" : "date-time";
    case "number":
      return "format" in def ? "integer" : "number";
    case "enum":
    case "boolean":
    case "array":
      return def.type;
    default:
      return "object";
  }
}

/** How frames are read: texts first, then what is in them. */
export interface FrameReader<F> {
  /** The JSON in a text; `undefined` when it is not JSON. */
  readonly parse: (text: string) => unknown;
  /** The frame that some JSON is; its type is `MALFORMED` when it is none. */
  readonly read: (json: unknown, text: string, options?: { readonly emptyMessageId: true }) => F;
}

/**
 * Reads a text that was refused as a frame.
 *
 * @param failed - Hears of each row that throws or answers nonsense; the text is read as if that said nothing.
 * Default: it is thrown.
 * @returns `undefined` when the text cannot be repaired.
 */
export function repairFrame<F extends { readonly type: string }>(
  quirks: readonly Quirk[],
  text: string,
  { parse, read }: FrameReader<F>,
  failed: RowFailed = thrown,
): RepairedFrame<Exclude<F, { readonly type: "MALFORMED" }>> | undefined {
  const rows = quirks.filter((quirk): quirk is Quirk<string, FrameRepair> => quirk.scope === "frame");
  const uses: Tolerated[] = [];
  const use = ({ name, id, forgives }: Quirk): void => {
    uses.push({ quirk: name, id, path: "", message: `The message has ${forgives}.`, received: text });
  };
  let json = parse(text);
  if (json === undefined) {
    const tried = cleanedBy(rows, text, parse, failed);
    // What was changed and did not have to be was not wrong.
    const needed = tried.used.filter((row) => {
      const others = tried.used.filter((other) => other !== row);
      return cleanedBy(others, text, parse, failed).json === undefined;
    });
    json = tried.json;
    for (const row of needed) use(row);
  }
  if (!Array.isArray(json)) return undefined;
  let elements: readonly unknown[] = json;
  for (const row of rows) {
    const next = answerOf(row, () => row.elements?.(elements), areElements, failed);
    if (next === undefined) continue;
    elements = next;
    use(row);
  }
  let frame = read(elements, text);
  const row = rows.find(({ emptyMessageId }) => emptyMessageId);
  if (frame.type === "MALFORMED" && row !== undefined) {
    frame = read(elements, text, { emptyMessageId: true });
    use(row);
  }
  return frame.type === "MALFORMED" || uses.length === 0
    ? undefined
    : { frame: frame as Exclude<F, { readonly type: "MALFORMED" }>, uses };
}

/** Cleans a text with one row after the other, in whatever order they find something, until it is JSON. */
function cleanedBy(
  rows: readonly Quirk<string, FrameRepair>[],
  text: string,
  parse: (text: string) => unknown,
  failed: RowFailed,
): { readonly json: unknown; readonly used: readonly Quirk<string, FrameRepair>[] } {
  const used: Quirk<string, FrameRepair>[] = [];
  let cleaned = text;
  let json: unknown;
  for (let found = true; found && json === undefined; ) {
    found = false;
    for (const row of rows) {
      const answer = used.includes(row) ? undefined : answerOf(row, () => row.cleaned?.(cleaned), isText, failed);
      const next = answer ?? cleaned;
      if (next === cleaned) continue;
      found = true;
      used.push(row);
      cleaned = next;
      json = parse(cleaned);
      if (json !== undefined) break;
    }
  }
  return { json, used };
}

const tolerance: Tolerance = { repairPayload, repairFrame };

/** What the fields of a row are, by its scope; those with `?` may be absent. */
const fieldsOf: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  frame: { "cleaned?": "function", "elements?": "function", "emptyMessageId?": "boolean" },
  payload: { mend: "function" },
  handshake: { "path?": "function", "password?": "function", "subprotocol?": "string", "means?": "function" },
};

/** @throws TypeError A row is none. */
function checkRow(name: string, row: unknown): void {
  const wrong = (what: string) => new TypeError(`The quirk ${JSON.stringify(name)} ${what}.`);
  if (!isObject(row)) throw wrong("is no object");
  const scope = String(row.scope);
  if (!Object.hasOwn(fieldsOf, scope)) throw wrong("has no scope. Give frame, payload or handshake");
  const fields = { id: "string", forgives: "string", repairs: "string", "guesses?": "boolean", ...fieldsOf[scope] };
  for (const [field, type] of Object.entries(fields)) {
    const key = field.replace("?", "");
    if (row[key] === undefined && key !== field) continue;
    if (typeof row[key] !== type) throw wrong(`has as ${key} what is no ${type}`);
  }
  const { evidence } = row;
  const isList = Array.isArray(evidence) && evidence.every((text) => typeof text === "string");
  if (!isList) throw wrong("has as evidence what is no list of strings");
}

/**
 * Makes quirks of the rows of a table: gives each its name, and what applies it. It is how the table `quirks` is made, and
 * how owners add rows of their own; `quirkContract` of `@ocppj/testing` has the rules that each must keep.
 *
 * @throws TypeError A row lacks something, or has something that is of another type.
 * @__NO_SIDE_EFFECTS__
 */
export function defineQuirks<const Rows extends Readonly<Record<string, QuirkRow>>>(rows: Rows) {
  return Object.fromEntries(
    Object.entries(rows).map(([name, row]) => {
      checkRow(name, row);
      return [name, Object.freeze({ ...row, name, tolerance })];
    }),
  ) as { readonly [Name in keyof Rows & string]: Quirk<Name> };
}
