/** A request: `[2, messageId, action, payload]`. @spec OCPP-J 1.6 §4.2.1 [J-041] */
export interface CallFrame {
  readonly type: "CALL";
  readonly messageId: string;
  readonly action: string;
  readonly payload: unknown;
}

/** The answer to a CALL: `[3, messageId, payload]`. @spec OCPP-J 1.6 §4.2.2 [J-042] */
export interface CallResultFrame {
  readonly type: "CALLRESULT";
  readonly messageId: string;
  readonly payload: unknown;
}

/** The answer to a CALL that failed: `[4, messageId, code, description, details]`. @spec OCPP-J 1.6 §4.2.3 [J-043] */
export interface CallErrorFrame {
  readonly type: "CALLERROR";
  readonly messageId: string;
  /** As received; a peer may send a code that OCPP 1.6 does not know. */
  readonly errorCode: string;
  readonly errorDescription: string;
  readonly errorDetails: Readonly<Record<string, unknown>>;
}

/** What one text message carries. */
export type Frame = CallFrame | CallResultFrame | CallErrorFrame;

/** How a text fails to be a frame. */
export type FrameViolation =
  | "not-json"
  | "not-an-array"
  | "message-type"
  | "message-id"
  | "call-shape"
  | "answer-shape";

/** A text that is no frame, with all that could be read of it. */
export interface Malformed {
  readonly type: "MALFORMED";
  readonly reason: FrameViolation;
  /** What is wrong with the text, in one sentence. */
  readonly message: string;
  /** What the text was meant to be, as far as its first element tells. */
  readonly intended?: Frame["type"];
  /** The message id, where it can be read: a CALL that has one is answered, an answer that has one settles its CALL. */
  readonly messageId?: string;
  /** A malformed CALLERROR with everything unreadable replaced by a default. */
  readonly repaired?: CallErrorFrame;
  /** The text itself. */
  readonly text: string;
}

/** Room for a GUID with its hyphens. @spec OCPP-J 1.6 §4.1.4 [J-050] */
export const longestMessageId = 36;

/**
 * Reads one text message. Never throws: a text that is no frame is returned as {@link Malformed}.
 *
 * @spec OCPP-J 1.6 §4.1.2–4.2.3 [J-040 … J-048, J-120 … J-127]; rows J-D02 … J-D10, J-D22 of the decision table
 */
export function decode(text: string): Frame | Malformed {
  return decodeJson(parseJson(text), text);
}

/** The two steps of {@link decode}. */
export const frameReader = { parse: parseJson, read: decodeJson };

/** The JSON in a text, or `undefined`, which no JSON stands for. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(withoutPadding(text));
  } catch {
    return undefined;
  }
}

/** What is read although it is not allowed. */
interface ReadOptions {
  /** A CALL may have an empty message id. Default false. */
  readonly emptyMessageId?: boolean;
}

function decodeJson(json: unknown, text: string, options: ReadOptions = {}): Frame | Malformed {
  if (json === undefined) {
    return { type: "MALFORMED", reason: "not-json", message: "The message is not JSON.", ...beginningOf(text), text };
  }
  if (!Array.isArray(json) || json.length === 0) {
    const message = "The message is JSON, but not an array with a message type, a message id and more.";
    return { type: "MALFORMED", reason: "not-an-array", message, text };
  }
  switch (json[0]) {
    case 2:
      return decodeCall(json, text, options);
    case 3:
      return decodeCallResult(json, text);
    case 4:
      return decodeCallError(json, text);
    default:
      // J-044: ignore the message; it may be of a later version. J-D05: "2" is not 2.
      return {
        type: "MALFORMED",
        reason: "message-type",
        message: "The message type is none of 2 (CALL), 3 (CALLRESULT) and 4 (CALLERROR).",
        text,
      };
  }
}

/** The beginning of an answer, which is whole in most texts that are none: the id, and the code of a CALLERROR. */
const answer = /^\s*\[\s*([34])\s*,\s*"([^"\\]{1,72})"(?:\s*,\s*"(\w{1,72})")?/;

/** How much of a text is looked at. */
const longestBeginning = 200;

/**
 * To which CALL an answer belongs that is not JSON, so that it ends now and not by its time-out. A CALL that is not JSON is
 * not answered: many chargers forget the bill in one that is answered with a CALLERROR.
 *
 * @spec [J-127, J-089]
 */
function beginningOf(text: string): Pick<Malformed, "intended" | "messageId" | "repaired"> {
  const [, type, messageId, errorCode = "GenericError"] = answer.exec(text.slice(0, longestBeginning)) ?? [];
  if (messageId === undefined) return {};
  if (type === "3") return { intended: "CALLRESULT", messageId };
  const repaired = { type: "CALLERROR", messageId, errorCode, errorDescription: "", errorDetails: {} } as const;
  return { intended: "CALLERROR", messageId, repaired };
}

function decodeCall(json: readonly unknown[], text: string, { emptyMessageId }: ReadOptions): CallFrame | Malformed {
  const malformed = { type: "MALFORMED", intended: "CALL", text } as const;
  const [, messageId, action, payload] = json;
  if (typeof messageId !== "string") {
    const message = "The message id of the CALL is not a string.";
    // J-D06: a number is still good enough to tell its sender which CALL is meant.
    return typeof messageId === "number"
      ? { ...malformed, reason: "message-id", message, messageId: String(messageId) }
      : { ...malformed, reason: "message-id", message };
  }
  // J-056, J-D07; J-059 for the empty one.
  if ((messageId === "" && !emptyMessageId) || isTooLong(messageId)) {
    const message = `The message id of the CALL is ${messageId === "" ? "empty" : `longer than ${longestMessageId} characters`}.`;
    return { ...malformed, reason: "message-id", message, messageId };
  }
  // J-041, J-D09, J-D10
  if (json.length !== 4) {
    return {
      ...malformed,
      reason: "call-shape",
      message: `The CALL has ${json.length} elements, not the 4 of [2, messageId, action, payload].`,
      messageId,
    };
  }
  if (typeof action !== "string") {
    return { ...malformed, reason: "call-shape", message: "The action of the CALL is not a string.", messageId };
  }
  return { type: "CALL", messageId, action, payload };
}

function decodeCallResult(json: readonly unknown[], text: string): CallResultFrame | Malformed {
  const malformed = { type: "MALFORMED", intended: "CALLRESULT", reason: "answer-shape", text } as const;
  const [, messageId, payload] = json;
  if (typeof messageId !== "string") {
    return { ...malformed, message: "The message id of the CALLRESULT is not a string." };
  }
  if (json.length !== 3) {
    const message = `The CALLRESULT has ${json.length} elements, not the 3 of [3, messageId, payload].`;
    return { ...malformed, message, messageId };
  }
  return { type: "CALLRESULT", messageId, payload };
}

function decodeCallError(json: readonly unknown[], text: string): CallErrorFrame | Malformed {
  const malformed = { type: "MALFORMED", intended: "CALLERROR", reason: "answer-shape", text } as const;
  const [, messageId, errorCode, errorDescription, errorDetails] = json;
  if (typeof messageId !== "string") {
    return { ...malformed, message: "The message id of the CALLERROR is not a string." };
  }
  const repaired: CallErrorFrame = {
    type: "CALLERROR",
    messageId,
    errorCode: typeof errorCode === "string" ? errorCode : "GenericError",
    errorDescription: typeof errorDescription === "string" ? errorDescription : "",
    errorDetails: isObject(errorDetails) ? errorDetails : {},
  };
  const intact =
    json.length === 5 &&
    repaired.errorCode === errorCode &&
    repaired.errorDescription === errorDescription &&
    repaired.errorDetails === errorDetails;
  if (intact) return repaired;
  // J-089, J-D22: however imperfect, it says that the CALL has failed.
  const message = "The CALLERROR is not [4, messageId, errorCode, errorDescription, {errorDetails}].";
  return { ...malformed, message, messageId, repaired };
}

/**
 * Writes a frame as compact JSON.
 *
 * @param frame - A frame whose payload or details are JSON values.
 * @spec OCPP-J 1.6 §4.2 [J-041 … J-043, J-122]
 */
export function encode(frame: Frame): string {
  switch (frame.type) {
    case "CALL":
      return JSON.stringify([2, frame.messageId, frame.action, frame.payload]);
    case "CALLRESULT":
      return JSON.stringify([3, frame.messageId, frame.payload]);
    case "CALLERROR":
      return JSON.stringify([4, frame.messageId, frame.errorCode, frame.errorDescription, frame.errorDetails]);
  }
}

/** Some stacks put a byte order mark before the JSON, or the NUL of a C string behind it. [J-124] */
function withoutPadding(text: string): string {
  const start = text.charCodeAt(0) === 0xfeff ? 1 : 0;
  let end = text.length;
  while (end > start && isPadding(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

/** NUL, tab, line feed, carriage return, space. */
const isPadding = (code: number): boolean => code === 0 || code === 9 || code === 10 || code === 13 || code === 32;

/** Counts characters, not UTF-16 units, but only where the difference can matter. */
const isTooLong = (messageId: string): boolean =>
  messageId.length > longestMessageId &&
  (messageId.length > 2 * longestMessageId || [...messageId].length > longestMessageId);

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
