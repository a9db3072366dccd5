import { expect, test } from "vitest";
import * as core from "../src/index.ts";

test("@ocppj/core exports these names, and no others", () => {
  expect(Object.keys(core).sort()).toEqual([
    "AuthorizationCache",
    "CallError",
    "CallTimeoutError",
    "CentralSystem",
    "ChargePoint",
    "Configuration",
    "Connection",
    "ConnectionClosedError",
    "HandshakeError",
    "LocalAuthList",
    "NotAcceptedError",
    "OcppError",
    "PayloadError",
    "actions",
    "authorizationOf",
    "authorize",
    "authorizeStop",
    "configurationKeys",
    "connectionUrl",
    "decode",
    "drive",
    "encode",
    "errorCodes",
    "identityFromPath",
    "memoryStore",
    "sameGroup",
    "sameIdTag",
    "subprotocol",
    "systemClock",
  ]);
});
