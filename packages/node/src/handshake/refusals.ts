/*
 * Why opening handshakes are refused: each reason once, with the HTTP status, what happened, and what to do about it.
 *
 * The application is told all of it. The peer may be a stranger: where the details would help one to guess, `body` is
 * what it is told instead.
 */
import type { IncomingMessage } from "node:http";
import { type HandshakeRefusal, subprotocol } from "@ocppj/core";
import { quote, withoutQuery } from "../peer-text.ts";

/** A reason to refuse a handshake. */
export interface Refusal extends Omit<HandshakeRefusal, "identity" | "remoteAddress"> {
  /** What the peer is told. Default: `message` and `advice`. */
  readonly body?: string;
  /** Headers of the answer. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** Longer identities are refused: they end up in logs, keys and databases. Those of chargers have some 20 characters. */
const maxIdentityLength = 255;

/** 404 for whatever reason: a stranger cannot tell a wrong path from an unknown identity. */
const notFound = "There is no such Charge Point here. Check the URL and the identity at the end of it.";

/** 401 for whatever reason. */
const challenge = {
  reason: "unauthorized",
  status: 401,
  body: "The credentials of this Charge Point are missing or wrong. Check its identity and its AuthorizationKey.",
  headers: { "WWW-Authenticate": 'Basic realm="OCPP"' },
} as const;

// What is wrong with the URL.

const wrongPath = (url: string, served: string): Refusal => ({
  reason: "path",
  status: 404,
  message: `The path ${quote(withoutQuery(url))} is not ${quote(served)}, which is served here, with one identity added.`,
  advice: "Correct the URL in the Charge Point, or the path of the listener; a slash in an identity is sent as %2F.",
  body: notFound,
});

const malformedPath = (url: string): Refusal => ({
  reason: "encoding",
  status: 400,
  message: `The path ${quote(withoutQuery(url))} is not valid percent-encoded UTF-8.`,
  advice: "Percent-encode the UTF-8 bytes of the identity, and a percent sign in it as %25.",
});

const controlCharacters = (url: string): Refusal => ({
  reason: "encoding",
  status: 400,
  message: `The identity in ${quote(withoutQuery(url))} contains control characters.`,
  advice: "Give the Charge Point an identity of printable characters.",
});

const longIdentity = (length: number): Refusal => ({
  reason: "path",
  status: 414,
  message: `The identity in the URL has ${length} characters; ${maxIdentityLength} are allowed.`,
  advice: "Give the Charge Point a shorter identity.",
});

/** Why an identity cannot be that of a Charge Point; `undefined` when it can. A line separator would forge lines of a log. */
export function refusalOfIdentity(identity: string, url: string): Refusal | undefined {
  if (identity.length > maxIdentityLength) return longIdentity(identity.length);
  return /[\p{Cc}\p{Zl}\p{Zp}]/u.test(identity) ? controlCharacters(url) : undefined;
}

/**
 * Why there is no identity in a URL. J-008: what is no percent-encoded UTF-8 fails the handshake, nothing else. [trap 1]
 *
 * @param served - The path that is served, as in the option `path`.
 */
export function refusalOfUrl(url: string, served: string): Refusal {
  try {
    decodeURIComponent(withoutQuery(url));
    return wrongPath(url, served.endsWith("/") ? served : `${served}/`);
  } catch {
    return malformedPath(url);
  }
}

// What is wrong with the request.

const wrongMethod = (method: string): Refusal => ({
  reason: "request",
  status: 405,
  message: `A WebSocket is opened with GET, not with ${quote(method)}.`,
  advice: "Check that a Charge Point speaks here, and not a web client.",
  headers: { Allow: "GET" },
});

export const noUpgrade = {
  reason: "no-upgrade",
  status: 426,
  message: "The handshake arrived without the headers Connection: Upgrade and Upgrade: websocket.",
  advice:
    "A proxy removes them unless it is told to pass WebSockets on; in nginx that takes proxy_http_version 1.1, " +
    "proxy_set_header Upgrade $http_upgrade and proxy_set_header Connection upgrade.",
  body:
    `This is an OCPP-J endpoint: open a WebSocket with the subprotocol "${subprotocol}". ` +
    "If you did, something in between removed the header Connection: Upgrade.",
  headers: { Connection: "Upgrade, close", Upgrade: "websocket" },
} as const satisfies Refusal;

const otherUpgrade = (upgrade: string): Refusal => ({
  ...noUpgrade,
  message: `The handshake asks for an upgrade to ${quote(upgrade)}, not to "websocket".`,
});

const wrongVersion = (version: string | undefined): Refusal => ({
  reason: "version",
  status: 426,
  message:
    version === undefined
      ? "The header Sec-WebSocket-Version is missing."
      : `The WebSocket version is ${quote(version)}; this end speaks 13.`,
  advice: "The Charge Point needs a WebSocket implementation of RFC 6455; a firmware update may have one.",
  headers: { Connection: "Upgrade, close", Upgrade: "websocket", "Sec-WebSocket-Version": "13" },
});

const wrongKey = (key: string | undefined): Refusal => ({
  reason: "request",
  status: 400,
  message:
    key === undefined
      ? "The header Sec-WebSocket-Key is missing."
      : "The header Sec-WebSocket-Key is not 16 bytes in base64.",
  advice: "The WebSocket implementation of the Charge Point is broken, or something in between changes its headers.",
});

const severalAuthorizations: Refusal = {
  reason: "request",
  status: 400,
  message: "There is more than one Authorization header.",
  advice: "Let the Charge Point send one, and let no proxy add another.",
};

/** What `ws` has to object to. */
export const malformedRequest = (objection: string): Refusal => ({
  reason: "request",
  status: 400,
  message: `This is no opening handshake of a WebSocket: ${quote(objection)}.`,
  advice: "The WebSocket implementation of the Charge Point is broken, or something in between changes its headers.",
});

/** What is wrong with the form of an opening handshake, whoever sends it; `undefined` when nothing is. */
export function refusalOfRequest({ method = "", headers, headersDistinct }: IncomingMessage): Refusal | undefined {
  const { upgrade = "", "sec-websocket-key": key, "sec-websocket-version": version } = headers;
  if (method !== "GET") return wrongMethod(method);
  if (upgrade.toLowerCase() !== "websocket") return otherUpgrade(upgrade);
  // J-002: 13 is that of RFC 6455. Version 8, of a late draft, has the same frames; some embedded stacks announce it.
  if (version !== "13" && version !== "8") return wrongVersion(version);
  if (key === undefined || !/^[+/0-9a-z]{22}==$/i.test(key)) return wrongKey(key);
  // RFC 9110 §5.3: one only; two readers, for example a proxy and this end, might believe different ones.
  if ((headersDistinct.authorization?.length ?? 0) > 1) return severalAuthorizations;
  return undefined;
}

/** The subprotocol was agreed on by nobody; the handshake is completed all the same. [J-024] */
export const noSubprotocol = (offered: string | undefined): Refusal => ({
  reason: "subprotocol",
  status: 101,
  message: `The subprotocol "${subprotocol}" was not offered, ${offered === undefined ? "nor any other" : `but ${quote(offered)}`}.`,
  advice:
    offered === undefined
      ? "Switch the Charge Point to OCPP-J 1.6; if it is, a proxy removes the header Sec-WebSocket-Protocol."
      : "Switch the Charge Point to OCPP-J 1.6.",
  body: `The subprotocol "${subprotocol}" was not offered`,
});

// What is no request.

/** The error with which Node reports that it could not read a request. */
export interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Uint8Array;
}

/** Why no request could be read. */
export function refusalOfClientError({ code, rawPacket }: ClientError, timeoutMs: number): Refusal {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return noRequest(timeoutMs);
  if (code === "HPE_HEADER_OVERFLOW") return largeHeaders;
  return rawPacket?.[0] === 0x16 ? unexpectedTls : notHttp;
}

const noRequest = (timeoutMs: number): Refusal => ({
  reason: "timeout",
  status: 408,
  message: `A peer has connected, but did not send a whole request within ${timeoutMs} ms.`,
  advice: "Check the network of the Charge Point; a port scanner or a health check can be ignored.",
});

const largeHeaders: Refusal = {
  reason: "request",
  status: 431,
  message: "The headers of the request are too large.",
  advice: "Check what adds headers on the way, and that the URL is not too long.",
};

const unexpectedTls: Refusal = {
  reason: "request",
  status: 400,
  message: "The peer speaks TLS, but this port does not.",
  advice: 'Correct the URL in the Charge Point from "wss:" to "ws:", or give the listener a certificate.',
};

const notHttp: Refusal = {
  reason: "request",
  status: 400,
  message: "What the peer sent is no HTTP request.",
  advice: "Check that a Charge Point speaks here; a port scanner can be ignored.",
};

export const otherOrigin = (origin: string): Refusal => ({
  reason: "origin",
  status: 403,
  message: `The page is one of ${quote(origin)}, which is another site.`,
  advice: "If its Charge Points are yours, list that in the option origins; let a proxy pass the header Host on.",
  body: "Pages of this site may not connect here.",
});

// Who it is.

export const noCredentials: Refusal = {
  ...challenge,
  message: "The Charge Point sent no password: the header Authorization is missing, or not of the scheme Basic.",
  advice: "Set its AuthorizationKey, and check that no proxy removes the header.",
};

export const otherUser: Refusal = {
  ...challenge,
  message: "The user name in the Authorization header is not the identity in the URL.",
  advice: "Give the Charge Point one identity, for its URL and for its user name.",
};

export const wrongPassword: Refusal = {
  ...challenge,
  message: "The password in the Authorization header is wrong.",
  advice: "Set the same AuthorizationKey at both ends; some Charge Points send its hexadecimal text, others its bytes.",
};

export const unknownIdentity: Refusal = {
  reason: "unknown-identity",
  status: 404,
  message: "No Charge Point of this identity is known here.",
  advice: "Register it, or correct the identity in the Charge Point.",
  body: notFound,
};

/** What one address may take, and has taken; whoever stands behind it is told the same. */
const tooMuch = (reason: "address-limit" | "guessing", message: string, advice: string): Refusal => ({
  reason,
  status: 429,
  message,
  advice,
  body: "Too much comes from this address. Try again later.",
});

export const crowdedAddress = (what: string, option: string): Refusal =>
  tooMuch(
    "address-limit",
    `${what} from this address.`,
    `If Charge Points share it, raise limits.${option}, or give trustedProxies if it is that of a proxy.`,
  );

export const guessing: Refusal = tooMuch(
  "guessing",
  "There were too many wrong credentials from this address.",
  "Correct the credentials of the Charge Point; it will be asked again within minutes. Somebody may be guessing.",
);

// What is the matter with this end.

export const tooManyHandshakes = (limit: number): Refusal => ({
  reason: "limit",
  status: 503,
  message: `${limit} decisions on handshakes are under way, which is as many as come in time.`,
  advice: "After an outage this passes. If it does not, make authenticate faster, or raise maxHandshakes.",
  body: "Too many handshakes are under way. Try again later.",
});

export const tooManySilent = (limit: number) =>
  ({
    reason: "limit",
    status: 503,
    message: `${limit} newer peers have connected while this one did not send its request.`,
    advice: "Keep strangers away with a firewall. If these are Charge Points, raise maxConnections.",
    body: "Too many handshakes are under way. Try again later.",
  }) satisfies Refusal;

export const tooManyConnections = (limit: number): Refusal => ({
  reason: "limit",
  status: 503,
  message: `${limit} Charge Points are connected.`,
  advice: "Raise maxConnections, or spread the Charge Points over more processes.",
  body: "Too many Charge Points are connected. Try again later.",
});

export const undecided = (timeoutMs: number): Refusal => ({
  reason: "timeout",
  status: 503,
  message: `The Central System did not decide on this Charge Point within ${timeoutMs} ms.`,
  advice: "Find out what authenticate waits for, or raise handshakeTimeoutMs.",
  body: "The Central System is too busy. Try again later.",
});

export const busy: Refusal = {
  reason: "busy",
  status: 503,
  message: 'The application is too busy to decide on this Charge Point: authenticate answered "busy".',
  advice: "Nothing has to be done: the Charge Point will try again.",
  body: "The Central System is too busy. Try again later.",
};

export const shuttingDown: Refusal = {
  reason: "closing",
  status: 503,
  message: "The Central System is shutting down.",
  advice: "Nothing has to be done: the Charge Point will try again.",
};

export const faulty: Refusal = {
  reason: "fault",
  status: 500,
  message: "The Central System failed to check the credentials.",
  advice: "The event fault tells what authenticate threw.",
  body: "The Central System failed. Try again later.",
};
