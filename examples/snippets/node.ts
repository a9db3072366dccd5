import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

process.env.PORT = "0"; // Whatever port is free.
process.env.STORE = await mkdtemp(join(tmpdir(), "ocppj-node-"));

// #region central-system
import { CentralSystem } from "@ocppj/core";
import { isAuthorizationKey, listen } from "@ocppj/node";

const keys = new Map([["CP001", "0001020304050607ffffffffffffffffffffffff"]]);

const centralSystem = new CentralSystem();
centralSystem.handle("BootNotification", (req, { connection }) => {
  console.log(`${connection.identity} is a ${req.chargePointModel}.`);
  return { status: "Accepted", currentTime: new Date().toISOString(), interval: 300 };
});
centralSystem.on("refused", ({ identity, status, message }) => console.warn(identity, status, message));
centralSystem.on("violation", ({ identity, message }) => console.warn(identity, message));
centralSystem.on("fault", ({ identity, error }) => console.error(identity, String(error)));

const listener = await listen(centralSystem, {
  port: Number(process.env.PORT ?? 9000),
  path: "/ocpp",
  authenticate({ identity, password }) {
    const key = keys.get(identity);
    return key === undefined ? "unknown-identity" : isAuthorizationKey(password, key);
  },
});
console.log(`Charge points connect to ${listener.url}.`);
// #endregion

process.env.OCPP_URL = listener.url;

// #region charge-point
import { ChargePoint } from "@ocppj/core";
import { connect, durableStore } from "@ocppj/node";

const store = durableStore(process.env.STORE ?? "/var/lib/charger", {
  damaged: (damage) => console.error(`The store was damaged: ${damage.message}`),
});
const chargePoint = new ChargePoint({
  identity: "CP001",
  url: process.env.OCPP_URL ?? "ws://127.0.0.1:9000/ocpp",
  connect: connect({ authorizationKey: "0001020304050607ffffffffffffffffffffffff" }),
  boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
  store,
});
chargePoint.handle("RemoteStartTransaction", () => ({ status: "Rejected" }));
chargePoint.on("registration", ({ status }) => console.log(`The central system says ${status}.`));
chargePoint.on("refused", ({ error }) => console.warn(String(error)));
chargePoint.on("violation", ({ message }) => console.warn(message));
chargePoint.on("fault", ({ error }) => console.error(String(error)));
await chargePoint.start();
// #endregion

const { status } = await new Promise<{ status: string }>((resolve) => chargePoint.once("registration", resolve));
assert.equal(status, "Accepted");

const connection = centralSystem.get("CP001");
const answer = await connection?.call("RemoteStartTransaction", { idTag: "04E91C5A" });
assert.deepEqual(answer, { status: "Rejected" });

const refused: unknown[] = [];
centralSystem.on("refused", ({ status }) => refused.push(status));
await assert.rejects(connect()({ url: listener.url, identity: "CP001" }), { reason: "unauthorized" });
await assert.rejects(connect()({ url: listener.url, identity: "CP404" }), { reason: "unknown-identity" });
assert.deepEqual(refused, [401, 404]);

await chargePoint.stop();
await store.close();
await listener.close();
await rm(process.env.STORE, { recursive: true });
