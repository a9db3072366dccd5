import { describe, expect, test } from "vitest";
import {
  CallError,
  CallTimeoutError,
  ConnectionClosedError,
  errorCodes,
  HandshakeError,
  NotAcceptedError,
  OcppError,
  PayloadError,
} from "../src/index.ts";

describe("errorCodes", () => {
  test("are the ten of OCPP 1.6, in its own spelling [J-070] [J-071] [J-072] [J-073] [J-074] [J-075] [J-076] [J-077] [J-078] [J-079] [J-081] [J-085] [trap 16]", () => {
    expect(Object.keys(errorCodes)).toEqual([
      "NotImplemented",
      "NotSupported",
      "InternalError",
      "ProtocolError",
      "SecurityError",
      "FormationViolation",
      "PropertyConstraintViolation",
      "OccurenceConstraintViolation",
      "TypeConstraintViolation",
      "GenericError",
    ]);
  });
});

describe("CallError", () => {
  test("has an empty description and empty details unless told otherwise [J-082] [J-083]", () => {
    expect(new CallError("NotSupported")).toMatchObject({ code: "NotSupported", description: "", details: {} });
  });

  test.each([["OccurrenceConstraintViolation"], ["FormatViolation"], ["RpcFrameworkError"], ["toString"]])(
    "cannot be made with %s, which is no code of 1.6 [J-081] [J-085] [trap 16]",
    (code) => {
      expect(() => new CallError(code as "GenericError")).toThrow(TypeError);
    },
  );
});

describe("every error", () => {
  const cause = new Error("cause");
  const issue = { path: "idTag", message: "is missing", code: "ProtocolError" } as const;
  const errors = [
    [
      new CallError("GenericError", "", { cause }),
      "CallError",
      "[GenericError] An error that none of the other codes covers.",
    ],
    [
      new PayloadError({ origin: "local", action: "Authorize", kind: "req", issues: [issue] }),
      "PayloadError",
      "[ProtocolError] Authorize.req: idTag is missing.",
    ],
    [
      new PayloadError({ origin: "local", action: "DataTransfer", kind: "conf", issues: [issue], cause }),
      "PayloadError",
      "[ProtocolError] DataTransfer.conf: idTag is missing.",
    ],
    [
      new CallTimeoutError("Heartbeat", "1", 30_000, true),
      "CallTimeoutError",
      'Heartbeat (message id "1") was not answered within 30000 ms. It may have taken effect: repeat it only if that does no harm, or allow more time with timeoutMs.',
    ],
    [
      new ConnectionClosedError("Heartbeat", { code: 1001, reason: "going away", sent: true }),
      "ConnectionClosedError",
      'The connection closed (code 1001, "going away") before Heartbeat was answered. It may have taken effect.',
    ],
    [
      new ConnectionClosedError("Heartbeat", { code: 1006, reason: "", sent: false }),
      "ConnectionClosedError",
      "Heartbeat was not sent, because the connection is closed (code 1006). It is safe to repeat on a new connection.",
    ],
    [
      new NotAcceptedError("Authorize", "Pending"),
      "NotAcceptedError",
      "Authorize was not sent, because the BootNotification was answered with Pending. At the Central System: answer the next one, which the Charge Point sends by itself once it is connected, with Accepted.",
    ],
    [
      new NotAcceptedError("Reset", "Rejected", "CentralSystem"),
      "NotAcceptedError",
      "Reset was not sent, because the BootNotification was answered with Rejected. Here: answer the next one, which the Charge Point sends by itself once it is connected, with Accepted.",
    ],
    [
      new NotAcceptedError("Authorize", undefined),
      "NotAcceptedError",
      "Authorize was not sent, because no BootNotification has been answered yet. At the Central System: answer it, which the Charge Point sends by itself once it is connected, with Accepted.",
    ],
    [new HandshakeError("network", "No.", { url: "ws://a", status: 500, cause }), "HandshakeError", "No."],
  ] as const;

  test.each(errors)("is an OcppError whose name and message tell what happened: %s", (error, name, message) => {
    expect(error).toBeInstanceOf(OcppError);
    expect(error).toMatchObject({ name, message });
  });

  test("has a cause exactly when something caused it", () => {
    expect(errors.filter(([error]) => "cause" in error).map(([{ name }]) => name)).toEqual([
      "CallError",
      "PayloadError",
      "HandshakeError",
    ]);
  });
});

describe("HandshakeError", () => {
  test("says what happened, then what to do, which it keeps apart as well", () => {
    const error = new HandshakeError("name", "Nobody is there.", { url: "ws://a", advice: "Check the name." });
    expect(error).toMatchObject({
      message: "Nobody is there. Check the name.",
      advice: "Check the name.",
      url: "ws://a",
    });
    expect(new HandshakeError("network", "Nobody is there.", { url: "ws://a" })).toMatchObject({
      message: "Nobody is there.",
      advice: "",
      status: undefined,
    });
  });

  test.each([
    ["unauthorized", "FailedToAuthenticateAtCentralSystem"],
    ["certificate-refused", "FailedToAuthenticateAtCentralSystem"],
    ["certificate-expired", "InvalidCentralSystemCertificate"],
    ["certificate-untrusted", "InvalidCentralSystemCertificate"],
    ["certificate-name", "InvalidCentralSystemCertificate"],
    ["tls-version", "InvalidTLSVersion"],
    ["tls-cipher", "InvalidTLSCipherSuite"],
    ["tls", undefined],
    ["unreachable", undefined],
    ["network", undefined],
  ] as const)(
    "of the reason %s belongs to the security event %s [SEC-A00-309] [SEC-A00-315] [SEC-A00-322]",
    (reason, securityEvent) => {
      expect(new HandshakeError(reason, "No.", { url: "wss://a" }).securityEvent).toBe(securityEvent);
    },
  );
});
