import { describe, expect, test } from "vitest";
import { type Attempt, diagnosisOfAnswer, diagnosisOfError, type Stage } from "../../src/handshake/diagnosis.ts";
import { codeOf, textOf } from "../../src/tls/tls-errors.ts";

const attempt: Attempt = {
  identity: "CP001",
  scheme: "wss",
  securityProfile: 2,
  stage: "dialling",
  hasPassword: true,
  hasCertificate: false,
};

const errorOf = (code: string, message = "what Node says"): Error => Object.assign(new Error(message), { code });

/** What OpenSSL says to somebody who is writing. */
const eproto = (reason: string): Error =>
  errorOf(
    "EPROTO",
    `write EPROTO 80AC:error:0A00042E:SSL routines:ssl3_read_bytes:${reason}:../deps/rec_layer_s3.c:1601:\n`,
  );

describe("diagnosisOfError", () => {
  test.each([
    ["ENOTFOUND", "name"],
    ["EAI_AGAIN", "name"],
    ["ECONNREFUSED", "unreachable"],
    ["EHOSTUNREACH", "unreachable"],
    ["ENETUNREACH", "unreachable"],
    ["EADDRNOTAVAIL", "unreachable"],
    ["ECONNRESET", "unreachable"],
    ["ETIMEDOUT", "timeout"],
    ["CERT_HAS_EXPIRED", "certificate-expired"],
    ["CERT_NOT_YET_VALID", "certificate-expired"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "certificate-name"],
    ["CERT_REVOKED", "certificate-untrusted"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "certificate-untrusted"],
    ["SELF_SIGNED_CERT_IN_CHAIN", "certificate-untrusted"],
    ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", "certificate-untrusted"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "certificate-untrusted"],
    ["UNABLE_TO_GET_CRL", "certificate-untrusted"],
    ["CRL_HAS_EXPIRED", "certificate-untrusted"],
    ["INVALID_PURPOSE", "certificate-untrusted"],
    ["PATH_LENGTH_EXCEEDED", "certificate-untrusted"],
    ["UNSPECIFIED", "certificate-untrusted"],
    ["ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED", "certificate-refused"],
    ["ERR_SSL_TLSV1_ALERT_UNKNOWN_CA", "certificate-refused"],
    ["ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE", "certificate-refused"],
    ["ERR_SSL_SSL/TLS_ALERT_BAD_CERTIFICATE", "certificate-refused"],
    ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED", "certificate-refused"],
    ["ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN", "certificate-refused"],
    ["ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE", "certificate-refused"],
    ["ERR_SSL_TLSV1_ALERT_ACCESS_DENIED", "certificate-refused"],
    ["ERR_SSL_UNSUPPORTED_PROTOCOL", "tls-version"],
    ["ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION", "tls-version"],
    ["ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE", "tls-cipher"],
    ["ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE", "tls-cipher"],
    ["ERR_SSL_TLSV1_ALERT_INSUFFICIENT_SECURITY", "tls-cipher"],
    ["ERR_SSL_NO_SHARED_CIPHER", "tls-cipher"],
    ["ERR_SSL_WRONG_VERSION_NUMBER", "tls"],
    ["ERR_SSL_TLSV1_ALERT_INTERNAL_ERROR", "tls"],
    ["ERR_SSL_SSL/TLS_ALERT_UNEXPECTED_MESSAGE", "tls"],
    ["EPROTO", "tls"],
    ["EMFILE", "network"],
    ["", "network"],
  ])("takes %s for %s, quotes it, and advises something", (code, reason) => {
    const { advice, what, ...told } = diagnosisOfError(errorOf(code), attempt);
    expect(told).toEqual({ reason });
    expect(what).toMatch(/^[a-z].*: what Node says$/);
    expect(advice).toMatch(/^[A-Z].*\.$/);
  });

  test.each([
    ["tlsv1 alert protocol version", "tls-version"],
    ["sslv3 alert handshake failure", "tls-cipher"],
    ["ssl/tls alert handshake failure", "tls-cipher"],
    ["tlsv1 alert unknown ca", "certificate-refused"],
    ["wrong version number", "tls"],
    ["bad record mac", "tls"],
  ])('finds in an EPROTO the words "%s", and no more of it is told', (words, reason) => {
    const error = eproto(words);
    expect(diagnosisOfError(error, attempt)).toMatchObject({
      reason,
      what: expect.stringMatching(new RegExp(`: ${words}$`)),
    });
  });

  test("shows of a stranger's certificate only what can stand in a log", () => {
    expect(textOf(errorOf("ERR_TLS_CERT_ALTNAME_INVALID", "is not cert's CN: a\x1b[2J\n\u2028b"))).toBe(
      "is not cert's CN: a?[2J??b",
    );
  });

  test("says of a name with several addresses what each of them did", () => {
    const error = new AggregateError([errorOf("ECONNREFUSED", "one"), errorOf("ENETUNREACH", "two")]);
    expect(codeOf(error)).toBe("ECONNREFUSED");
    expect(textOf(error)).toBe("one; two");
    expect(diagnosisOfError(error, attempt)).toMatchObject({ reason: "unreachable" });
  });

  const cuts: [Stage, Partial<Attempt>, string, RegExp][] = [
    ["dialling", {}, "unreachable", /^cannot be reached/],
    ["connected", { scheme: "ws" }, "unreachable", /^ended the connection before it answered/],
    ["connected", {}, "tls", /^ended the connection during the TLS handshake/],
    ["connected", { hasCertificate: true }, "tls", /^ended the connection during the TLS handshake/],
    ["secured", {}, "unreachable", /^ended the connection before it answered/],
    ["secured", { hasCertificate: true }, "certificate-refused", /^ended the connection right after the TLS handshake/],
  ];

  test.each(cuts)("tells a cut by when it happens: %s, %j is %s", (stage, more, reason, what) => {
    for (const code of ["ECONNRESET", "EPIPE"]) {
      const diagnosis = diagnosisOfError(errorOf(code), { ...attempt, ...more, stage });
      expect(diagnosis).toMatchObject({ reason, what: expect.stringMatching(what) });
    }
  });

  test("takes what `ws` objects to in a 101 for something that is no Central System", () => {
    const diagnosis = diagnosisOfError(errorOf("", "Invalid Upgrade header"), { ...attempt, stage: "answered" });
    expect(diagnosis).toMatchObject({ reason: "no-upgrade", what: "did not open a WebSocket: Invalid Upgrade header" });
  });
});

describe("diagnosisOfAnswer", () => {
  const answer = (status: number, more: Partial<Attempt> = {}) =>
    diagnosisOfAnswer({ status }, { ...attempt, ...more });

  test("advises by the profile what to do about a 401", () => {
    expect(answer(401).advice).toBe("Check the authorizationKey.");
    expect(answer(401, { hasPassword: false }).advice).toBe("Give the authorizationKey.");
    expect(answer(401, { securityProfile: 3 }).advice).toMatch(/^It wants a password/);
  });

  test.each([500, 501, 505, 599])("takes a %d for a failure of the Central System, not for a wrong URL", (status) => {
    const { advice, what } = answer(status);
    expect(what).toMatch(/: it has failed$/);
    expect(advice).toBe("Try again later. Ask its operator what its log says.");
  });

  test("takes a 429 for a limit of this address or identity, and a 503 for one of the Central System", () => {
    expect(answer(429)).toMatchObject({ reason: "busy", what: expect.stringMatching(/this address or "CP001"/) });
    expect(answer(503)).toMatchObject({ reason: "busy", what: expect.stringMatching(/takes nobody/) });
  });

  test("quotes what is said, printable, in one line, and not much of it", () => {
    const said = (text: string) => diagnosisOfAnswer({ status: 500, text }, attempt).what.split("it has failed")[1];
    expect(said(" The database\r\n is gone.\x1b[2J\n")).toBe(', and says "The database is gone.?[2J"');
    expect(said("x".repeat(201))).toBe(`, and says "${"x".repeat(200)}" and more`);
    expect(said(" \n")).toBe("");
    expect(diagnosisOfAnswer({ status: 404, text: "No" }, attempt)).toEqual(answer(404));
  });

  test("takes a 403 for a refusal of the certificate where there is one", () => {
    expect(answer(403).reason).toBe("unauthorized");
    expect(answer(403, { hasCertificate: true }).reason).toBe("certificate-refused");
  });
});
