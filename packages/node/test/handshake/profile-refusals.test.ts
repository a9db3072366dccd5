import type { TLSSocket } from "node:tls";
import { describe, expect, test } from "vitest";
import { refusalOfTls } from "../../src/handshake/profile-refusals.ts";

/** Of a failed TLS handshake nothing else is known of the peer. */
const refusalOf = (code: string, { bytesRead = 1, authorizationError = undefined as string | undefined } = {}) => {
  const error = Object.assign(new Error("what Node says"), { code });
  return refusalOfTls(error, { authorizationError } as unknown as TLSSocket, bytesRead);
};

describe("refusalOfTls", () => {
  test.each([
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "tls-version"],
    ["ERR_SSL_VERSION_TOO_LOW", "tls-version"],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "tls-version"],
    ["ERR_SSL_NO_SHARED_CIPHER", "tls-cipher"],
    ["ERR_SSL_NO_SHARED_SIGNATURE_ALGORITHMS", "tls-cipher"],
    ["ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE", "certificate"],
    ["ERR_SSL_EE_KEY_TOO_SMALL", "certificate"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "certificate-refused"],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "certificate-refused"],
    ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate-refused"],
    ["ERR_SSL_HTTP_REQUEST", "tls"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls"],
    ["ERR_SSL_UNEXPECTED_MESSAGE", "tls"],
    ["ECONNRESET", "tls"],
    ["ERR_TLS_HANDSHAKE_TIMEOUT", "timeout"],
  ])("takes %s for %s, advises something, and claims no answer", (code, reason) => {
    expect(refusalOf(code)).toEqual({
      reason,
      message: expect.stringMatching(/^The .*\.$/),
      advice: expect.stringMatching(/^[A-Z].*\.$/),
    });
  });

  test.each(["CERT_HAS_EXPIRED", "CERT_REVOKED", "CRL_HAS_EXPIRED", "SELF_SIGNED_CERT_IN_CHAIN", "UNSPECIFIED"])(
    "tells what is wrong with a certificate for which Node has hung up: %s [SEC-A00-408]",
    (authorizationError) => {
      expect(refusalOf("ECONNRESET", { authorizationError })).toMatchObject({
        reason: "certificate",
        message: expect.stringContaining(authorizationError),
      });
    },
  );

  test("is nothing for a peer that left without a byte", () => {
    expect(refusalOf("ECONNRESET", { bytesRead: 0 })).toBeUndefined();
  });
});
