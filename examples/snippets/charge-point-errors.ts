import assert from "node:assert/strict";
import { ChargePoint } from "@ocppj/core";
import { connect } from "@ocppj/node";

const chargePoint = new ChargePoint({
  identity: "CP001",
  url: "ws://127.0.0.1:1/ocpp", // Nobody listens there.
  connect: connect(),
  boot: { chargePointVendor: "VENDOR", chargePointModel: "CP001" },
  maxQueuedMessages: 2,
});
const told: string[] = [];
const tell = (what: string): void => void told.push(what);

// #region not-accepted
import { NotAcceptedError } from "@ocppj/core";

try {
  await chargePoint.call("DataTransfer", { vendorId: "com.example" });
} catch (error) {
  if (!(error instanceof NotAcceptedError)) throw error;
  console.log(error.status); // undefined: no BootNotification has been answered yet
}
// #endregion
await assert.rejects(chargePoint.call("DataTransfer", { vendorId: "com.example" }), {
  name: "NotAcceptedError",
  status: undefined,
});

// #region refused
import { HandshakeError, type HandshakeFailure } from "@ocppj/core";

/** What passes by itself, as a rule. */
const passing: readonly HandshakeFailure[] = ["name", "unreachable", "timeout", "duplicate", "busy", "network"];

chargePoint.on("refused", ({ error, retryInMs }) => {
  if (error instanceof HandshakeError && !passing.includes(error.reason)) tell(`Call the operator: ${error.message}`);
  else tell(`Offline, next attempt in ${Math.round(retryInMs / 1000)} s`);
});
// #endregion

const refused = new Promise((resolve) => chargePoint.once("refused", resolve));
await chargePoint.start();
await refused;
assert.match(told.join("\n"), /^Offline, next attempt in [2-4] s$/);

const begin = (connectorId: number): void => {
  // #region full
  try {
    chargePoint.startTransaction({ connectorId, idTag: "04E91C5A", meterStart: 0 });
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    tell("Out of order until the central system can be reached.");
  }
  // #endregion
};
begin(1);
assert.equal(told.length, 1);
begin(2);
assert.equal(told.at(-1), "Out of order until the central system can be reached.");
await chargePoint.stop();
