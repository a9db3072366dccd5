/*
 * What Node and OpenSSL say when TLS fails, in the words that the doctors of both sides look for.
 */
import { shortened } from "../peer-text.ts";

/**
 * An error of OpenSSL, whoever noticed it: an alert is what the other side says. Its name begins with a version of TLS, or
 * since OpenSSL 3.2 with "SSL/TLS".
 */
const ssl = (...reasons: readonly string[]): RegExp => new RegExp(`^ERR_SSL_(${reasons.join("|")})$`);

/** Ways to say that one side speaks no TLS, or that no version of it suits both; nothing else depends on the side. */
export const sslErrors = {
  withoutTls: ssl("WRONG_VERSION_NUMBER", "PACKET_LENGTH_TOO_LONG", "HTTPS?_\\w*REQUEST", "UNKNOWN_PROTOCOL"),
  version: ssl("UNSUPPORTED_PROTOCOL", "WRONG_SSL_VERSION", "VERSION_TOO_LOW", "[\\w/]+_ALERT_PROTOCOL_VERSION"),
  cipher: ssl(
    "NO_SHARED_CIPHER",
    "NO_SHARED_SIGNATURE_ALGORITHMS",
    "NO_SUITABLE_SIGNATURE_ALGORITHM",
    "WRONG_CIPHER_RETURNED",
    "[\\w/]+_ALERT_HANDSHAKE_FAILURE",
    "[\\w/]+_ALERT_INSUFFICIENT_SECURITY",
  ),
  certificateRefused: ssl(
    "[\\w/]+_ALERT_UNKNOWN_CA",
    "[\\w/]+_ALERT_(\\w+_)?CERTIFICATE(_\\w+)?",
    "[\\w/]+_ALERT_ACCESS_DENIED",
    "[\\w/]+_ALERT_DECRYPT_ERROR",
  ),
} as const;

/** The code of an error. What OpenSSL says while something is written has one in its text only. */
export function codeOf(error: Error): string {
  // Node reports a name with several addresses, none of which answers, as an AggregateError.
  const { code = "" }: { readonly code?: string } = error instanceof AggregateError ? error.errors[0] : error;
  const reason = sslReason(error);
  return code === "EPROTO" && reason !== undefined ? `ERR_SSL_${reason.toUpperCase().replaceAll(" ", "_")}` : code;
}

/**
 * What an error says, without the place in the source of OpenSSL; it may quote the certificate of a stranger. An
 * AggregateError has no message of its own.
 */
export function textOf(error: Error): string {
  if (error instanceof AggregateError) return error.errors.map(textOf).join("; ");
  return sslReason(error) ?? shortened(error.message);
}

const sslReason = ({ message }: Error): string | undefined => /:SSL routines:[^:]*:([^:]+):/.exec(message)?.[1];
