import assert from "node:assert/strict";
import { CentralSystem, Connection } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

const centralSystem = new CentralSystem({ registrations: new Map([["CP001", "Accepted"]]) });
centralSystem.handle("DataTransfer", () => ({ status: "UnknownVendorId" }));

const listener = await listen(centralSystem);
const transport = await connect()({ url: listener.url, identity: "CP001" });
const chargePoint = new Connection(transport, { role: "ChargePoint", identity: "CP001" });

// #region every-class
import type { CallError, CallTimeoutError, ConnectionClosedError, PayloadError } from "@ocppj/core";

type CallFailure = PayloadError | CallError | CallTimeoutError | ConnectionClosedError;

/** Whether to make the CALL again, once there is a connection. */
function mayRepeat(error: CallFailure): boolean {
  switch (error.name) {
    case "PayloadError":
      return false; // Ours is wrong, or the answer is: neither gets better.
    case "CallError":
      return error.code === "InternalError" || error.code === "GenericError";
    case "CallTimeoutError":
      return false; // It may have taken effect.
    case "ConnectionClosedError":
      return !error.sent;
  }
}
// #endregion

const failureOf = (call: Promise<unknown>): Promise<CallFailure> =>
  call.then(
    () => assert.fail("The call succeeded."),
    (error: CallFailure) => error,
  );

const tooLong = await failureOf(chargePoint.call("DataTransfer", { vendorId: "x".repeat(256) }));
assert.equal(tooLong.name, "PayloadError");
assert.equal(mayRepeat(tooLong), false);

const notSupported = await failureOf(chargePoint.call("Heartbeat", {}));
assert.equal(notSupported.name === "CallError" && notSupported.code, "NotSupported");
assert.equal(mayRepeat(notSupported), false);

centralSystem.handle("Authorize", () => new Promise(() => {}));
const timeout = await failureOf(chargePoint.call("Authorize", { idTag: "1" }, { timeoutMs: 20 }));
assert.equal(timeout.name, "CallTimeoutError");
assert.equal(mayRepeat(timeout), false);

// #region signal
const giveUp = new AbortController();
const heartbeat = chargePoint.call("Heartbeat", {}, { timeoutMs: 5000, signal: giveUp.signal });
giveUp.abort(new Error("The driver has left."));
// #endregion
await assert.rejects(heartbeat, { message: "The driver has left." });

await failureOf(chargePoint.call("Heartbeat", {})); // The one that was given up is answered before this one is sent.
const sent = failureOf(chargePoint.call("Authorize", { idTag: "1" }));
const waiting = failureOf(chargePoint.call("Authorize", { idTag: "2" }));
chargePoint.close();
assert.equal(mayRepeat(await sent), false);
assert.equal(mayRepeat(await waiting), true);

// #region handshake
import { HandshakeError } from "@ocppj/core";

try {
  await connect()({ url: `${listener.url}nowhere`, identity: "CP001" });
} catch (error) {
  if (!(error instanceof HandshakeError)) throw error;
  console.log(error.reason, error.status); // unknown-identity 404
}
// #endregion
await assert.rejects(connect()({ url: `${listener.url}nowhere`, identity: "CP001" }), {
  reason: "unknown-identity",
  status: 404,
});
await listener.close();
