/*
 * The doctor of a Charge Point: why its opening handshake failed, told from the error codes of Node and OpenSSL and from the
 * HTTP status, and what to do about it. That of a Central System is in
 * refusals.ts and profile-refusals.ts.
 *
 * `what` is the rest of a sentence that begins with "The Central System at <URL>", without the full stop.
 */
import { STATUS_CODES } from "node:http";
import type { HandshakeFailure } from "@ocppj/core";
import { quote, withoutQuery } from "../peer-text.ts";
import type { SecurityProfile } from "../tls/security-profile.ts";
import { codeOf, sslErrors, textOf } from "../tls/tls-errors.ts";

/** Why an attempt to connect has failed. */
export interface Diagnosis {
  readonly reason: HandshakeFailure;
  readonly what: string;
  readonly advice: string;
}

/** How far an attempt has come: it dials, has a TCP connection, has TLS on it, has an answer of HTTP. */
export type Stage = "dialling" | "connected" | "secured" | "answered";

/** What a Charge Point knows of its own attempt. */
export interface Attempt {
  readonly identity: string;
  readonly scheme: "ws" | "wss";
  readonly securityProfile: SecurityProfile;
  readonly stage: Stage;
  /** Whether it has a password to send. */
  readonly hasPassword: boolean;
  /** Whether it has a certificate to show. */
  readonly hasCertificate: boolean;
}

type Row = readonly [codes: RegExp, reason: HandshakeFailure, what: string, advice: string];

const askOperator = "Ask its operator what its log says.";
const checkNetwork = "Check the URL and the network, then try again.";
const checkUrl = "Check that the URL is that of its OCPP-J 1.6 endpoint.";
const notTrusted = "has a certificate that cannot be trusted";

/** The codes of errors that an attempt may end with. The first row that fits is taken. */
const errorRows: readonly Row[] = [
  [/^(ENOTFOUND|EAI_\w+)$/, "name", "has a name without an address", "Check the host in the URL, and the name server."],
  [
    /^ECONNREFUSED$/,
    "unreachable",
    "takes no connections",
    "Check the host and the port in the URL, and whether it is running.",
  ],
  [
    /^(EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|ENETDOWN|EADDRNOTAVAIL)$/,
    "unreachable",
    "cannot be reached",
    "Check the network of this Charge Point, and the host in the URL.",
  ],
  [
    /^ETIMEDOUT$/,
    "timeout",
    "did not answer",
    "Check the host and the port in the URL, and what firewalls let through.",
  ],
  [
    /^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/,
    "certificate-expired",
    "has a certificate that is not valid at this time",
    "Renew it there, or set the clock of this Charge Point.",
  ],
  [
    /^(ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH)$/,
    "certificate-name",
    "has a certificate for another host",
    "Use a host in the URL that the certificate names, or have one issued for this host.",
  ],
  [/^CERT_REVOKED$/, "certificate-untrusted", "has a certificate that is revoked", "Replace it there."],
  [
    /^(UNABLE_TO_(GET_ISSUER_CERT|VERIFY_LEAF)\w*|(DEPTH_ZERO_)?SELF_SIGNED_CERT\w*|CERT_(UNTRUSTED|REJECTED))$/,
    "certificate-untrusted",
    "has a certificate from nobody who is trusted here",
    "Give the certificate of its authority as tls.ca; those between the two are for the Central System to send.",
  ],
  // What else X509_verify_cert finds out, by the names that Node has for it; UNSPECIFIED are those it has no name for.
  [
    /^(UNSPECIFIED|(CERT|CRL|INVALID|PATH|UNABLE|ERROR_IN)_\w+)$/,
    "certificate-untrusted",
    notTrusted,
    "Replace it there with one that the security white paper allows.",
  ],
  [
    sslErrors.withoutTls,
    "tls",
    "does not speak TLS",
    "Check the port in the URL, or use ws and a securityProfile without TLS.",
  ],
  [
    sslErrors.version,
    "tls-version",
    "speaks no version of TLS that is allowed here",
    "Make it offer TLS 1.2 or later: older ones are not secure.",
  ],
  [
    sslErrors.cipher,
    "tls-cipher",
    "has no cipher suite that is allowed here",
    "Make it offer a suite of docs/security-profiles.md, and a certificate for it. Some ask for a client certificate so.",
  ],
  [
    /^ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED$/,
    "certificate-refused",
    "asks for a certificate of this Charge Point",
    "Use securityProfile 3, with the certificate and its key as tls.cert and tls.key.",
  ],
  [
    sslErrors.certificateRefused,
    "certificate-refused",
    "does not accept the certificate of this Charge Point",
    `Check the validity of the certificate, and who issued it. ${askOperator}`,
  ],
  [/^(ERR_SSL_[\w/]+|EPROTO|ERR_TLS_\w+)$/, "tls", "did not complete the TLS handshake", askOperator],
];

/** What an error says that ended an attempt. */
export function diagnosisOfError(error: Error, attempt: Attempt): Diagnosis {
  const code = codeOf(error);
  const diagnose = (reason: HandshakeFailure, what: string, advice: string): Diagnosis => ({
    reason,
    what: `${what}: ${textOf(error)}`,
    advice,
  });
  const row = errorRows.find(([codes]) => codes.test(code));
  if (row !== undefined) return diagnose(row[1], row[2], row[3]);
  if (code === "ECONNRESET" || code === "EPIPE") return cut(attempt, diagnose);
  if (attempt.stage === "answered") return diagnose("no-upgrade", "did not open a WebSocket", fixProxy);
  if (code.startsWith("HPE_")) return notHttp(error, diagnose);
  return diagnose("network", "did not open a WebSocket", checkNetwork);
}

type Diagnose = (reason: HandshakeFailure, what: string, advice: string) => Diagnosis;

const fixProxy = `${checkUrl} A proxy on the way may not know WebSockets.`;

/** The peer ended the connection without a word: when it did tells most. */
function cut({ hasCertificate, scheme, stage }: Attempt, diagnose: Diagnose): Diagnosis {
  if (stage === "dialling") return diagnose("unreachable", "cannot be reached", checkNetwork);
  if (scheme === "ws") {
    const advice = "Check the port in the URL, and whether it wants wss.";
    return diagnose("unreachable", "ended the connection before it answered", advice);
  }
  if (stage === "connected") return diagnose("tls", "ended the connection during the TLS handshake", askOperator);
  // With TLS 1.3 this side is ready before the other one has seen the certificate.
  if (hasCertificate) {
    const what = "ended the connection right after the TLS handshake";
    return diagnose("certificate-refused", what, `It may not accept this certificate. ${askOperator}`);
  }
  return diagnose("unreachable", "ended the connection before it answered", askOperator);
}

/** What is no HTTP may be the alert of a peer that speaks TLS. */
function notHttp(error: Error, diagnose: Diagnose): Diagnosis {
  const { rawPacket } = error as { readonly rawPacket?: Uint8Array };
  if (rawPacket?.[0] === 0x15) return diagnose("tls", "answered in TLS", "Use wss and a securityProfile with TLS.");
  return diagnose("no-upgrade", "did not answer in HTTP", checkUrl);
}

/** An HTTP answer that is not 101. */
export interface HttpAnswer {
  readonly status: number;
  readonly location?: string | undefined;
  /** What it says in words. Default: nothing. */
  readonly text?: string;
}

/** What these mean is clear without words. */
const sayAll: ReadonlySet<number> = new Set([401, 404, 409]);

/** What an HTTP answer says that is not 101. */
export function diagnosisOfAnswer(answer: HttpAnswer, attempt: Attempt): Diagnosis {
  const { what, ...diagnosis } = diagnosisOfStatus(answer, attempt);
  const said = sayAll.has(answer.status) ? "" : (answer.text ?? "").replaceAll(/\s+/g, " ").trim();
  return { ...diagnosis, what: said === "" ? what : `${what}, and says ${quote(said, 200)}` };
}

function diagnosisOfStatus({ status, location }: HttpAnswer, attempt: Attempt): Diagnosis {
  const { hasCertificate, hasPassword, identity, securityProfile } = attempt;
  const answered = `answered HTTP ${status} ${STATUS_CODES[status] ?? ""}`.trimEnd();
  const doesNotLetIn = `${answered}: it does not let "${identity}" in`;
  const instead = `${answered} instead of opening a WebSocket`;
  switch (status) {
    case 401: {
      if (securityProfile === 3) {
        const advice = "It wants a password: ask its operator which securityProfile it expects.";
        return { reason: "unauthorized", what: doesNotLetIn, advice };
      }
      const advice = hasPassword ? "Check the authorizationKey." : "Give the authorizationKey.";
      return { reason: "unauthorized", what: doesNotLetIn, advice };
    }
    case 403: {
      if (!hasCertificate) {
        const advice = "It may expect another securityProfile, such as 3 with a client certificate.";
        return { reason: "unauthorized", what: doesNotLetIn, advice };
      }
      const what = `${doesNotLetIn} with this certificate`;
      const advice = `Check the validity of the certificate, who issued it and its subject. ${askOperator}`;
      return { reason: "certificate-refused", what, advice };
    }
    case 404: {
      const what = `${answered}: it does not know "${identity}"`;
      return { reason: "unknown-identity", what, advice: "Register it there, or correct the URL or the identity." };
    }
    case 409: {
      const what = `${answered}: a Charge Point with the identity "${identity}" is connected`;
      const advice =
        "Give each Charge Point an identity of its own. If it is this one, try again: its old connection ends.";
      return { reason: "duplicate", what, advice };
    }
    case 429: {
      const what = `${answered}: there is a limit that this address or "${identity}" has reached`;
      return { reason: "busy", what, advice: "Try again later." };
    }
    case 503:
      return { reason: "busy", what: `${answered}: it takes nobody at present`, advice: "Try again later." };
    case 502:
    case 504: {
      const what = `${answered}: the proxy before it cannot reach it`;
      return { reason: "unreachable", what, advice: `Try again later. ${askOperator}` };
    }
  }
  if (status >= 300 && status < 400) {
    const target = location === undefined ? "nowhere" : quote(withoutQuery(location));
    const advice = "Use the URL of the OCPP-J endpoint itself: redirects are not followed.";
    return { reason: "redirect", what: `${answered} and points to ${target}`, advice };
  }
  if (status >= 500) {
    return { reason: "network", what: `${answered}: it has failed`, advice: `Try again later. ${askOperator}` };
  }
  if (status < 300 || status === 426) return { reason: "no-upgrade", what: instead, advice: fixProxy };
  return { reason: "network", what: instead, advice: checkUrl };
}

/** What an attempt says that took too long. */
export function diagnosisOfTimeout(timeoutMs: number, { stage }: Attempt): Diagnosis {
  const what = `did not complete the opening handshake within ${timeoutMs} ms`;
  const advice =
    stage === "dialling"
      ? "Check the host and the port in the URL, and what firewalls let through."
      : `A connection was made, but not answered. ${checkUrl}`;
  return { reason: "timeout", what, advice };
}

/** What the opening of a WebSocket says in which the wrong subprotocol, or none, was chosen. */
export function diagnosisOfSubprotocol(chosen: string | undefined, offered: string): Diagnosis {
  const choice = chosen === undefined ? "chose no subprotocol" : `chose the subprotocol ${quote(chosen)}`;
  const quirk =
    chosen === undefined ? " If it does, connect with the option tolerate: [quirks.missingSubprotocol]." : "";
  const advice = `It does not speak OCPP-J 1.6 at this URL. ${checkUrl}${quirk}`;
  return { reason: "subprotocol", what: `${choice}, offered "${offered}"`, advice };
}
