import { expect, test } from "vitest";
import * as core from "../src/index.ts";

test("@ocppj/core exports these names, and no others", () => {
  expect(Object.keys(core).sort()).toEqual([
    "CallError",
    "CallTimeoutError",
    "CentralSystem",
    "ChargePoint",
    "Connection",
    "ConnectionClosedError",
    "HandshakeError",
    "NotAcceptedError",
    "OcppError",
    "PayloadError",
    "actions",
    "connectionUrl",
    "decode",
    "drive",
    "encode",
    "errorCodes",
    "identityFromPath",
    "memoryStore",
    "subprotocol",
    "systemClock",
  ]);
});
