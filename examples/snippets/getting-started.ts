import assert from "node:assert/strict";

const logged: string[] = [];
const print = console.log;
console.log = (line: unknown) => {
  logged.push(String(line));
  print(line);
};

// #region listen
import { CentralSystem } from "@ocppj/core";
import { listen } from "@ocppj/node";

const centralSystem = new CentralSystem();
const listener = await listen(centralSystem, { path: "/ocpp" });
console.log(listener.url); // ws://127.0.0.1:41333/ocpp
// #endregion

// #region handle
const cards = new Set(["04e91c5a"]);
const idTagInfo = (idTag: string) => ({ status: cards.has(idTag.toLowerCase()) ? "Accepted" : "Invalid" }) as const;

centralSystem.handle("BootNotification", (req) => {
  console.log(`${req.chargePointVendor} ${req.chargePointModel} boots`);
  return { status: "Accepted", currentTime: new Date().toISOString(), interval: 300 };
});
centralSystem.handle("StatusNotification", () => ({}));
centralSystem.handle("Authorize", async ({ idTag }) => ({ idTagInfo: idTagInfo(idTag) }));
centralSystem.handle("StartTransaction", ({ idTag }) => ({ transactionId: 1, idTagInfo: idTagInfo(idTag) }));
centralSystem.handle("StopTransaction", () => ({}));

// #endregion

// #region charge-point
import { ChargePoint } from "@ocppj/core";
import { connect } from "@ocppj/node";

const chargePoint = new ChargePoint({
  identity: "CP001",
  url: listener.url,
  connect: connect(),
  boot: { chargePointVendor: "VENDOR", chargePointModel: "CP001" },
});
chargePoint.report({ connectorId: 1, status: "Available" });
chargePoint.on("refused", ({ error }) => console.log(`not connected: ${error}`));
chargePoint.on("violation", ({ message }) => console.log(`the central system breaks the protocol: ${message}`));
chargePoint.on("fault", ({ error }) => console.log(`something failed here: ${error}`));
// #endregion

// #region answered
chargePoint.handle("Reset", ({ type }, { answered }) => {
  console.log(`a ${type} reset`);
  void answered.then(() => console.log("now is the time to reboot"));
  return { status: "Accepted" };
});
// #endregion

// #region start
await chargePoint.start();
await new Promise((resolve) => chargePoint.once("registration", resolve));
console.log(chargePoint.registration); // Accepted
// #endregion
assert.equal(chargePoint.registration, "Accepted");

const delivered: string[] = [];
chargePoint.on("delivered", ({ call }) => void delivered.push(call.action));
const stopped = new Promise<void>((resolve) => {
  chargePoint.on("delivered", ({ call }) => call.action === "StopTransaction" && resolve());
});

// #region transaction
const idTag = "04E91C5A";
const { decision } = await chargePoint.authorize(idTag);
if (decision === "accept") {
  const transaction = chargePoint.startTransaction({ connectorId: 1, idTag, meterStart: 0 });
  transaction.stop({ idTag, meterStop: 120 });
}
// #endregion
assert.equal(decision, "accept");
assert.equal((await chargePoint.authorize("UNKNOWN")).decision, "refuse");
await stopped;
assert.deepEqual(delivered, ["StartTransaction", "StopTransaction"]);

// #region call-back
const connection = centralSystem.get("CP001");
if (connection !== undefined) {
  const { status } = await connection.call("Reset", { type: "Soft" });
  console.log(status); // Accepted
}
// #endregion
assert.notEqual(connection, undefined);
assert.equal(logged.filter((line) => line === "now is the time to reboot").length, 1);

// #region events
import { encode, redacted } from "@ocppj/core";

centralSystem.on("message", ({ identity, direction, frame }) => {
  console.log(`${identity} ${direction} ${encode(redacted(frame))}`); // Without the value of a new AuthorizationKey.
});
centralSystem.on("violation", ({ identity, reason, message }) => console.log(`${identity} ${reason}: ${message}`));
centralSystem.on("fault", ({ identity, action, error }) => console.log(`${identity} ${action} failed: ${error}`));
centralSystem.on("refused", ({ identity, status, message }) =>
  console.log(`${identity} refused (${status}): ${message}`),
);
centralSystem.on("disconnected", ({ identity, code }) => console.log(`${identity} is gone (${code})`));

// #endregion

// #region call
import { CallError } from "@ocppj/core";

try {
  const { status } = await chargePoint.call("DataTransfer", { vendorId: "com.example" });
  console.log(status);
} catch (error) {
  if (!(error instanceof CallError)) throw error;
  console.log(error.code); // NotSupported: the central system has no handler for it
}
// #endregion
await assert.rejects(chargePoint.call("DataTransfer", { vendorId: "com.example" }), {
  name: "CallError",
  code: "NotSupported",
});
assert.match(logged.join("\n"), /CP001 in \[2,"[\w-]+","DataTransfer",{"vendorId":"com.example"}\]/);
assert.match(logged.join("\n"), /CP001 DataTransfer failed: Error: There is no handler for DataTransfer\./);

// #region connection
import { Connection } from "@ocppj/core";

const transport = await connect()({ url: listener.url, identity: "CP002" });
const bare = new Connection(transport, { role: "ChargePoint", identity: "CP002" });
const conf = await bare.call("BootNotification", { chargePointVendor: "VENDOR", chargePointModel: "CP002" });
console.log(conf.status); // Accepted
bare.close();
// #endregion
assert.equal(conf.status, "Accepted");

const disconnected = new Promise<void>((resolve) => {
  centralSystem.on("disconnected", ({ identity }) => identity === "CP001" && resolve());
});

// #region stop
await chargePoint.stop();
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
const authenticated = connect({ authorizationKey }); // for the ChargePoint's option `connect`
// #endregion
const opened = await authenticated({ url: guarded.url, identity: "CP001" });
opened.listen({ message: () => {}, close: () => {} });
await assert.rejects(connect()({ url: guarded.url, identity: "CP001" }), {
  name: "HandshakeError",
  reason: "unauthorized",
});
await assert.rejects(connect()({ url: guarded.url, identity: "CP404" }), { reason: "unknown-identity", status: 404 });
assert.match(logged.join("\n"), /CP404 refused \(404\)/);
await guarded.close();
