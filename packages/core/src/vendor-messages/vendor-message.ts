import { type ErrorCode, PayloadError, type PayloadIssue } from "../errors.ts";
import { parseReq, printable } from "../messages/validate.ts";
import type { SchemaInput, SchemaOutput, StandardIssue, StandardResult, StandardSchema } from "./standard-schema.ts";

/** What every vendor message has. */
interface VendorMessageName {
  /** By custom a reversed DNS name, for example `com.example`; case does not matter. */
  readonly vendorId: string;
  /** Default: none, for a vendor with one message only; case does not matter. */
  readonly messageId?: string;
}

/**
 * A message that OCPP does not know, carried by DataTransfer: its name, and a schema for the `data` of each direction.
 *
 * A schema describes what is on the wire: who sends gives its input, which is checked and sent as it is; who receives gets
 * its output. Without a schema that direction carries no `data`.
 */
export type VendorMessage =
  | (VendorMessageName & {
      /** `data` is JSON; the schemas are those of the parsed value. `undefined` is the value where there is no `data`. */
      readonly format?: "json";
      /** The `data` of DataTransfer.req. */
      readonly req?: StandardSchema;
      /** The `data` of DataTransfer.conf. */
      readonly conf?: StandardSchema;
    })
  | (VendorMessageName & {
      /** `data` is text of another kind; the schemas are those of the text itself. */
      readonly format: "text";
      readonly req?: StandardSchema<string | undefined, unknown>;
      readonly conf?: StandardSchema<string | undefined, unknown>;
    });

/** The `data` of a vendor message as its sender gives it. */
export type VendorInput<M extends VendorMessage, K extends "req" | "conf"> =
  M extends Readonly<Record<K, infer S extends StandardSchema>> ? SchemaInput<S> : undefined;

/** The `data` of a vendor message as its receiver gets it. */
export type VendorOutput<M extends VendorMessage, K extends "req" | "conf"> =
  M extends Readonly<Record<K, infer S extends StandardSchema>> ? SchemaOutput<S> : undefined;

/**
 * Defines a vendor message, keeping the types of its schemas.
 *
 * @returns A copy that cannot be changed.
 * @throws PayloadError `vendorId` is longer than 255 characters, or `messageId` than 50.
 * @spec OCPP 1.6 §3.12, §4.3 [CORE-DT-01 … CORE-DT-04, CORE-DT-08]
 * @__NO_SIDE_EFFECTS__
 */
export function vendorMessage<const M extends VendorMessage>(message: M): M {
  const copy: M = { ...message };
  parseReq("DataTransfer", requestOf(copy, undefined), "local");
  return Object.freeze(copy);
}

/** What a vendor message is called in errors. */
export const nameOf = ({ vendorId, messageId }: VendorMessage): string =>
  messageId === undefined ? vendorId : `${vendorId} ${messageId}`;

/** The payload of DataTransfer.req. */
export function requestOf({ vendorId, messageId }: VendorMessage, data: string | undefined) {
  return { vendorId, ...(messageId !== undefined && { messageId }), ...(data !== undefined && { data }) };
}

/**
 * Checks data of ours and writes it as the text that is sent.
 *
 * @returns A promise only if the schema takes its time.
 * @throws PayloadError It does not fit the schema; `cause` is what the schema has found.
 */
export function encodeData(
  message: VendorMessage,
  kind: "req" | "conf",
  data: unknown,
): string | undefined | Promise<string | undefined> {
  const { [kind]: schema, format = "json" } = message;
  const failure = failureOf(message, "local", kind);
  if (schema === undefined) {
    if (data !== undefined) throw failure(isNotPart);
    return undefined;
  }
  const text = format === "json" ? JSON.stringify(data) : (data as string | undefined);
  // What is checked is what the peer will read: the schema may take its time, and the object is somebody else's.
  const sent = format === "json" && text !== undefined ? JSON.parse(text) : text;
  const checked = (result: StandardResult<unknown>): string | undefined => {
    if (result.issues !== undefined) throw failure(misfit(sent), result.issues);
    return text;
  };
  const result = schema["~standard"].validate(sent);
  return result instanceof Promise ? result.then(checked) : checked(result);
}

/** The text that was received. An empty one is no JSON: it means none, from firmware that cannot leave a field out. */
export const textIn = ({ format }: VendorMessage, data: string | undefined): string | undefined =>
  data === "" && format !== "text" ? undefined : data;

/**
 * Reads the text that has been received, and checks it.
 *
 * @throws PayloadError It is not JSON, or does not fit the schema.
 */
export async function decodeData(
  message: VendorMessage,
  kind: "req" | "conf",
  data: string | undefined,
): Promise<unknown> {
  const { [kind]: schema, format = "json" } = message;
  const failure = failureOf(message, "remote", kind);
  if (schema === undefined) {
    if (data !== undefined && data !== "") throw failure(isNotPart);
    return undefined;
  }
  let value: unknown = textIn(message, data);
  if (format === "json" && value !== undefined) {
    try {
      value = JSON.parse(value as string);
    } catch {
      throw failure(isNotJson);
    }
  }
  const result = await schema["~standard"].validate(value);
  if (result.issues !== undefined) throw failure(misfit(value), result.issues);
  return result.value;
}

/** What is wrong, in words between the path and the name of the message. The codes are chosen as in validate.ts. */
type Flaw = readonly [code: ErrorCode, words: string];

const isNotPart: Flaw = ["FormationViolation", "is not a part of"];
const isNotJson: Flaw = ["FormationViolation", "is not JSON in"];
const isMissing: Flaw = ["ProtocolError", "is missing in"];
/** More cannot be said: schemas have no codes in common, and their own words may repeat the value. */
const doesNotFit: Flaw = ["PropertyConstraintViolation", "does not fit the schema of"];

const misfit = (value: unknown): Flaw => (value === undefined ? isMissing : doesNotFit);

/** How many issues, and how many names of a path, are told at most. */
const maxIssues = 5;
const maxNames = 8;

const failureOf =
  (message: VendorMessage, origin: PayloadError["origin"], kind: "req" | "conf") =>
  ([code, words]: Flaw, found: readonly StandardIssue[] = []): PayloadError => {
    const issue = (path: StandardIssue["path"]): PayloadIssue => ({
      path: pathOf(path),
      message: `${words} ${nameOf(message)}`,
      code,
    });
    const [first, ...others] = found.slice(0, maxIssues).map(({ path }) => issue(path));
    const issues = [first ?? issue(undefined), ...others] as const;
    // A log may tell in full what is wrong with our own data, but not with what the peer has sent.
    const cause = origin === "local" && found.length > 0 ? found : undefined;
    return new PayloadError({ origin, action: "DataTransfer", kind, issues, cause });
  };

function pathOf(path: StandardIssue["path"] = []): string {
  const names = path.slice(0, maxNames).map((part) => {
    const name = typeof part === "object" ? part.key : part;
    return typeof name === "number" ? `[${name}]` : `.${printable(String(name))}`;
  });
  return `data${names.join("")}${path.length > maxNames ? "..." : ""}`;
}
