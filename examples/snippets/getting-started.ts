import assert from "node:assert/strict";

// #region listen
import { CentralSystem } from "@ocppj/core";
import { listen } from "@ocppj/node";

const centralSystem = new CentralSystem();
const listener = await listen(centralSystem, { path: "/ocpp" });
console.log(listener.url); // ws://127.0.0.1:41333/ocpp
// #endregion

// #region handle
const cards = new Set(["04e91c5a"]);

centralSystem.handle("BootNotification", (req) => {
  console.log(`${req.chargePointVendor} ${req.chargePointModel} boots`);
  return { status: "Accepted", currentTime: new Date().toISOString(), interval: 300 };
});
centralSystem.handle("Authorize", async ({ idTag }) => ({
  idTagInfo: { status: cards.has(idTag.toLowerCase()) ? "Accepted" : "Invalid" },
}));

// #endregion

// #region connect
import { Connection } from "@ocppj/core";
import { connect } from "@ocppj/node";

const identity = "CP001";
const transport = await connect()({ url: listener.url, identity });
const chargePoint = new Connection(transport, { role: "ChargePoint", identity });
// #endregion

// #region call
const boot = await chargePoint.call("BootNotification", {
  chargePointVendor: "VENDOR",
  chargePointModel: "CP001",
});
if (boot.status === "Accepted") {
  const { idTagInfo } = await chargePoint.call("Authorize", { idTag: "04E91C5A" });
  console.log(idTagInfo.status); // Accepted
}
// #endregion
assert.equal(boot.status, "Accepted");
assert.equal((await chargePoint.call("Authorize", { idTag: "04E91C5A" })).idTagInfo.status, "Accepted");
assert.equal((await chargePoint.call("Authorize", { idTag: "UNKNOWN" })).idTagInfo.status, "Invalid");

let reboots = 0;
const reboot = () => {
  reboots += 1;
};

// #region answered
chargePoint.handle("Reset", ({ type }, { answered }) => {
  console.log(`a ${type} reset`);
  void answered.then(reboot);
  return { status: "Accepted" };
});
// #endregion

// #region call-back
const connection = centralSystem.get("CP001");
if (connection !== undefined) {
  const { status } = await connection.call("Reset", { type: "Soft" });
  console.log(status); // Accepted
}
// #endregion
assert.notEqual(connection, undefined);
assert.equal(reboots, 1);

const logged: string[] = [];
const log = (line: string): void => void logged.push(line);

// #region events
import { encode } from "@ocppj/core";

centralSystem.on("message", ({ identity, direction, frame }) => log(`${identity} ${direction} ${encode(frame)}`));
centralSystem.on("violation", ({ identity, reason, message }) => log(`${identity} ${reason}: ${message}`));
centralSystem.on("fault", ({ identity, action, error }) => log(`${identity} ${action} failed: ${error}`));
centralSystem.on("refused", ({ identity, status, message }) => log(`${identity} refused (${status}): ${message}`));
centralSystem.on("disconnected", ({ identity, code }) => log(`${identity} is gone (${code})`));

// #endregion

// #region errors
import { CallError } from "@ocppj/core";

try {
  await chargePoint.call("Heartbeat", {});
} catch (error) {
  if (!(error instanceof CallError)) throw error;
  console.log(error.code); // NotSupported: the central system has no handler for it
}
// #endregion
await assert.rejects(chargePoint.call("Heartbeat", {}), { name: "CallError", code: "NotSupported" });
assert.match(logged.join("\n"), /CP001 in \[2,"[\w-]+","Heartbeat",{}\]/);
assert.match(logged.join("\n"), /CP001 unsupported-action: Heartbeat is not supported here\./);

const disconnected = new Promise((resolve) => centralSystem.once("disconnected", resolve));

// #region close
chargePoint.close();
// #endregion
await disconnected;
// #region close-listener
await listener.close();

// #endregion

// #region authenticate
import { createHash, timingSafeEqual } from "node:crypto";

const sha256 = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest();
const authorizationKey = "0123456789abcdef0123456789abcdef";
const hashes = new Map([["CP001", sha256(Buffer.from(authorizationKey, "hex"))]]);

const guarded = await listen(centralSystem, {
  path: "/ocpp",
  authenticate: ({ identity, password }) => {
    const expected = hashes.get(identity);
    if (expected === undefined) return "unknown-identity";
    return password !== undefined && timingSafeEqual(sha256(password), expected);
  },
});
const authenticated = await connect({ authorizationKey })({ url: guarded.url, identity: "CP001" });
// #endregion
authenticated.listen({ message: () => {}, close: () => {} });
await assert.rejects(connect()({ url: guarded.url, identity: "CP001" }), {
  name: "HandshakeError",
  reason: "unauthorized",
});
await assert.rejects(connect()({ url: guarded.url, identity: "CP404" }), { reason: "unknown-identity", status: 404 });
assert.match(logged.join("\n"), /CP404 refused \(404\)/);
await guarded.close();
