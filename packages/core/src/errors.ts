import { oneLine } from "./one-line.ts";

/**
 * The error codes of a CALLERROR, with what each means. The spellings are those of the 1.6 wire: that
 * `OccurenceConstraintViolation` lacks an r and that later versions say `FormatViolation` is known and will not change.
 *
 * @spec OCPP-J 1.6 §4.2.3 table 7; J errata 5.1, 5.2 [J-070 … J-079, J-085]
 */
export const errorCodes = {
  NotImplemented: "The receiver does not know the requested action.",
  NotSupported: "The receiver knows the requested action but does not support it.",
  InternalError: "The receiver failed internally and could not carry out the action.",
  ProtocolError: "The payload of the action is incomplete.",
  SecurityError: "A security issue prevented the receiver from completing the action.",
  FormationViolation: "The payload is syntactically wrong or does not have the structure of the action.",
  PropertyConstraintViolation: "The syntax is right, but at least one field has a value that is not allowed.",
  OccurenceConstraintViolation: "The syntax is right, but at least one field occurs too often or not often enough.",
  TypeConstraintViolation: "The syntax is right, but at least one field has the wrong data type.",
  GenericError: "An error that none of the other codes covers.",
} as const;

/** One of the ten error codes that may be sent in a CALLERROR. */
export type ErrorCode = keyof typeof errorCodes;

/** What later versions of OCPP call two of the codes; they are understood, never sent. */
const laterSpellings: ReadonlyMap<string, ErrorCode> = new Map([
  ["OccurrenceConstraintViolation", "OccurenceConstraintViolation"],
  ["FormatViolation", "FormationViolation"],
]);

/**
 * The code that a received error code is treated as: itself, the 1.6 spelling of a later one, or `GenericError`.
 *
 * @spec OCPP-J 1.6 §4.2.3 [J-086, Q17]
 */
export function errorCodeOf(received: string): ErrorCode {
  if (Object.hasOwn(errorCodes, received)) return received as ErrorCode;
  return laterSpellings.get(received) ?? "GenericError";
}

/** What every error of ocppj has in common. `name` is a literal, so `switch (error.name)` is exhaustive. */
export abstract class OcppError extends Error {
  abstract override readonly name: string;
}

/** What is known of a CALL whose CALLERROR arrived. */
export interface CallErrorOptions {
  /** The free-form `errorDetails` of the CALLERROR; they are written as JSON at once. Default `{}`. */
  readonly details?: Readonly<Record<string, unknown>> | undefined;
  /** The error code exactly as it was received, when it is none of the ten. Default `code`. */
  readonly receivedCode?: string | undefined;
  /** The action of the CALL. */
  readonly action?: string | undefined;
  /** The message id of the CALL. */
  readonly messageId?: string | undefined;
  /** What led to this error; it never travels to the peer. */
  readonly cause?: unknown | undefined;
}

/**
 * A CALLERROR: the peer answered one to a CALL of ours, or a handler throws it to answer one.
 *
 * @spec OCPP-J 1.6 §4.2.3
 */
export class CallError extends OcppError {
  override readonly name = "CallError";
  /** The error code; one that OCPP 1.6 does not know counts as `GenericError`, and `receivedCode` keeps it. */
  readonly code: ErrorCode;
  /** The error code exactly as received. */
  readonly receivedCode: string;
  /** The `errorDescription`, possibly empty. */
  readonly description: string;
  /** The `errorDetails`. */
  readonly details: Readonly<Record<string, unknown>>;
  readonly action: string | undefined;
  readonly messageId: string | undefined;

  /**
   * @param code - One of the ten codes of OCPP 1.6.
   * @param description - A sentence for the peer's operator. Default: empty.
   * @throws TypeError `code` is not one of the ten.
   */
  constructor(code: ErrorCode, description = "", options: CallErrorOptions = {}) {
    if (!Object.hasOwn(errorCodes, code)) {
      throw new TypeError(`"${code}" is no error code of OCPP 1.6. Use one of ${Object.keys(errorCodes).join(", ")}.`);
    }
    const { action, messageId, receivedCode = code } = options;
    const what = action === undefined ? "" : ` in answer to ${action} (message id "${messageId}")`;
    const said = oneLine(description) || errorCodes[code];
    const shownCode = oneLine(receivedCode);
    super(`[${shownCode}] ${what === "" ? said : `${said.replace(/\.$/, "")}${what}`}`, causeOf(options));
    this.code = code;
    this.receivedCode = receivedCode;
    this.description = description;
    this.details = detailsOf(options.details);
    this.action = action;
    this.messageId = messageId;
  }
}

/** A copy of what is given as `errorDetails`, as the peer will read it; `{}` of what is, in JSON, no object. */
export function detailsOf(details: unknown): Readonly<Record<string, unknown>> {
  try {
    const copy: unknown = JSON.parse(JSON.stringify(details));
    return typeof copy === "object" && copy !== null && !Array.isArray(copy) ? (copy as Record<string, unknown>) : {};
  } catch {
    return {}; // They cannot be written as JSON.
  }
}

/** One thing that is wrong with a payload. */
export interface PayloadIssue {
  /** Where, for example `meterValue[0].sampledValue[2].unit`; empty for the payload itself. */
  readonly path: string;
  /** What is wrong there, as the rest of a sentence that begins with the path; it never contains the value. */
  readonly message: string;
  /** The CALLERROR code that says so. */
  readonly code: ErrorCode;
}

/** Whose payload a {@link PayloadError} is about. */
export interface PayloadErrorFields {
  /** `local`: the payload is ours, and nothing was sent. `remote`: the peer sent it. */
  readonly origin: "local" | "remote";
  readonly action: string;
  /** Which of the action's two payloads it is. */
  readonly kind: "req" | "conf";
  /** What is wrong, most important first; at least one. */
  readonly issues: readonly [PayloadIssue, ...PayloadIssue[]];
  /** What found it, where that says more. */
  readonly cause?: unknown;
}

/** A payload violates the schema of its action. */
export class PayloadError extends OcppError {
  override readonly name = "PayloadError";
  readonly origin: "local" | "remote";
  readonly action: string;
  readonly kind: "req" | "conf";
  readonly issues: readonly [PayloadIssue, ...PayloadIssue[]];
  /** The CALLERROR code that the first issue maps to. */
  readonly code: ErrorCode;
  /** The issues as one sentence: what the peer is told. */
  readonly description: string;

  constructor({ origin, action, kind, issues, cause }: PayloadErrorFields) {
    const description = `${issues.map(({ path, message }) => `${path || "the payload"} ${message}`).join("; ")}.`;
    super(`[${issues[0].code}] ${action}.${kind}: ${description}`, causeOf({ cause }));
    this.description = description;
    this.origin = origin;
    this.action = action;
    this.kind = kind;
    this.issues = issues;
    this.code = issues[0].code;
  }
}

/**
 * A CALL was sent and not answered in time. It may have taken effect all the same.
 *
 * @spec OCPP-J 1.6 §4.1.1 [J-102]
 */
export class CallTimeoutError extends OcppError {
  override readonly name = "CallTimeoutError";
  readonly action: string;
  readonly messageId: string;
  /** How long the answer was waited for, in milliseconds since the CALL was sent. */
  readonly timeoutMs: number;
  /** Whether the peer has answered nothing at all meanwhile, to whatever CALL: then perhaps nobody is there. */
  readonly silent: boolean;

  constructor(action: string, messageId: string, timeoutMs: number, silent: boolean) {
    super(
      `${action} (message id "${messageId}") was not answered within ${timeoutMs} ms. ` +
        "It may have taken effect: repeat it only if that does no harm, or allow more time with timeoutMs.",
    );
    this.action = action;
    this.messageId = messageId;
    this.timeoutMs = timeoutMs;
    this.silent = silent;
  }
}

/** The connection ended before a CALL was answered, or was not open when it was made. */
export class ConnectionClosedError extends OcppError {
  override readonly name = "ConnectionClosedError";
  /** The WebSocket close code; 1006 when the connection was lost without one. */
  readonly code: number;
  /** The WebSocket close reason, possibly empty. */
  readonly reason: string;
  /** Whether the CALL was sent. If not, repeating it is safe; if so, it may have taken effect. */
  readonly sent: boolean;

  constructor(action: string, { code, reason, sent }: { code: number; reason: string; sent: boolean }) {
    const closed = `closed (code ${code}${reason === "" ? "" : `, "${reason}"`})`;
    super(
      sent
        ? `The connection ${closed} before ${action} was answered. It may have taken effect.`
        : `${action} was not sent, because the connection is ${closed}. It is safe to repeat on a new connection.`,
    );
    this.code = code;
    this.reason = reason;
    this.sent = sent;
  }
}

/**
 * The Charge Point is not accepted by the Central System (yet), so a CALL was not sent, at either end. `message` says who
 * has to do what.
 *
 * @spec OCPP 1.6 §4.2 [CORE-BOOT-02, CORE-BOOT-09, CORE-BOOT-12]
 */
export class NotAcceptedError extends OcppError {
  override readonly name = "NotAcceptedError";
  readonly action: string;
  /** What the last BootNotification was answered with; `undefined` while none has been answered. */
  readonly status: "Pending" | "Rejected" | undefined;

  /** @param role - Which end did not send it. */
  constructor(action: string, status: "Pending" | "Rejected" | undefined, role: Role = "ChargePoint") {
    const state =
      status === undefined
        ? "no BootNotification has been answered yet"
        : `the BootNotification was answered with ${status}`;
    super(`${action} was not sent, because ${state}. ${toDo(status, role)}`);
    this.action = action;
    this.status = status;
  }
}

/** `Role` of the messages, which the foundation does not know. */
type Role = "ChargePoint" | "CentralSystem";

function toDo(status: "Pending" | "Rejected" | undefined, role: Role): string {
  const next = status === undefined ? "it" : "the next one";
  const byItself = "which the Charge Point sends by itself once it is connected";
  if (role === "CentralSystem") return `Here: answer ${next}, ${byItself}, with Accepted.`;
  return `At the Central System: answer ${next}, ${byItself}, with Accepted.`;
}

/**
 * Why the opening handshake of a WebSocket failed, in the order in which one goes:
 *
 * - `name`: the name in the URL has no address. `unreachable`: no connection to that address came about, or it was cut.
 *   `timeout`: no answer in time.
 * - `tls-version`, `tls-cipher`: there is no TLS version, no cipher suite, that both sides allow. `tls`: anything else
 *   about TLS.
 * - `certificate-expired`, `certificate-untrusted`, `certificate-name`: the certificate of the Central System is not valid
 *   now, is issued by nobody who is trusted here, is that of another host. `certificate-refused`: ours was not accepted.
 * - `redirect`: HTTP 3xx. `unauthorized`: 401 or 403. `unknown-identity`: 404. `duplicate`: 409, this identity is connected.
 *   `busy`: 429 or 503. `no-upgrade`: something answers that opens no WebSocket, such as a web server or a proxy.
 * - `subprotocol`: the Central System does not speak OCPP 1.6.
 * - `network`: anything that cannot be told apart; in browsers nearly everything.
 */
export type HandshakeFailure =
  | "name"
  | "unreachable"
  | "timeout"
  | "tls-version"
  | "tls-cipher"
  | "tls"
  | "certificate-expired"
  | "certificate-untrusted"
  | "certificate-name"
  | "certificate-refused"
  | "redirect"
  | "unauthorized"
  | "unknown-identity"
  | "duplicate"
  | "busy"
  | "no-upgrade"
  | "subprotocol"
  | "network";

/** The security events that a Charge Point has to log when a handshake fails: types of SecurityEventNotification. */
const securityEvents: Readonly<Partial<Record<HandshakeFailure, string>>> = {
  unauthorized: "FailedToAuthenticateAtCentralSystem",
  "certificate-refused": "FailedToAuthenticateAtCentralSystem",
  "certificate-expired": "InvalidCentralSystemCertificate",
  "certificate-untrusted": "InvalidCentralSystemCertificate",
  "certificate-name": "InvalidCentralSystemCertificate",
  "tls-version": "InvalidTLSVersion",
  "tls-cipher": "InvalidTLSCipherSuite",
};

/** What is known of a handshake that failed. */
export interface HandshakeErrorOptions {
  /** The connection URL that was tried, without its query, which may be secret. */
  readonly url: string;
  /** What to do about it, in a sentence. Default: nothing is advised. */
  readonly advice?: string | undefined;
  /** The HTTP status of the answer. */
  readonly status?: number | undefined;
  /** What led to this error. */
  readonly cause?: unknown | undefined;
}

/**
 * A WebSocket could not be opened.
 *
 * @spec OCPP-J 1.6 §3.2; security white paper §2, §6
 */
export class HandshakeError extends OcppError {
  override readonly name = "HandshakeError";
  readonly reason: HandshakeFailure;
  /** What to do about it, in a sentence; it is the end of `message`, too. May be empty. */
  readonly advice: string;
  /** The connection URL that was tried, without its query, which may be secret. */
  readonly url: string;
  /** The HTTP status of the answer, when there was one and the runtime tells (browsers do not). */
  readonly status: number | undefined;

  /** @param whatHappened - A sentence; `message` is made of it and the advice. */
  constructor(reason: HandshakeFailure, whatHappened: string, options: HandshakeErrorOptions) {
    const { advice = "", status, url } = options;
    super(advice === "" ? whatHappened : `${whatHappened} ${advice}`, causeOf(options));
    this.reason = reason;
    this.advice = advice;
    this.url = url;
    this.status = status;
  }

  /**
   * The `type` of the security event that a Charge Point logs, or sends with SecurityEventNotification once it is
   * connected; `undefined` when the failure is none of security.
   *
   * @spec [SEC-A00-309, SEC-A00-315, SEC-A00-318, SEC-A00-322, SEC-A00-413, SEC-EV-02, SEC-EV-15, SEC-EV-17, SEC-EV-18]
   */
  get securityEvent(): string | undefined {
    return securityEvents[this.reason];
  }
}

/** `cause` only when there is one: an absent cause and an undefined one print differently. */
const causeOf = ({ cause }: { readonly cause?: unknown }): ErrorOptions | undefined =>
  cause === undefined ? undefined : { cause };
