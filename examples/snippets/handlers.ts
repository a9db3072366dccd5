import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CallError, CentralSystem, Connection } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

const output: string[] = [];
const log = (line: string): void => void output.push(line);
const cards = new Map([["ghent", new Set(["04E91C5A"])]]);
const vendor = createServer((_, response) => response.end()).listen(0);
const vendorUrl = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;

// #region context
interface Tenant {
  readonly name: string;
}
const centralSystem = new CentralSystem<Tenant>();
centralSystem.handle("Authorize", ({ idTag }, { connection: { context } }) => ({
  idTagInfo: { status: cards.get(context.name)?.has(idTag) ? "Accepted" : "Invalid" },
}));

const listener = await listen(centralSystem, {
  authenticate: ({ identity }) => ({ context: { name: identity.split("-")[0] ?? "" } }),
});
// #endregion
centralSystem.handle("BootNotification", () => ({
  status: "Accepted",
  currentTime: new Date().toISOString(),
  interval: 300,
}));

// #region signal
centralSystem.handle("DataTransfer", async ({ data }, { signal }) => {
  const { ok } = await fetch(vendorUrl, { method: "POST", body: data ?? "", signal });
  return { status: ok ? "Accepted" : "Rejected" };
});
centralSystem.handleOthers((call) => {
  log(`A ${call.action} that nobody expected`);
  switch (call.action) {
    case "DiagnosticsStatusNotification":
    case "FirmwareStatusNotification":
    case "SecurityEventNotification":
      return {}; // Their answers have no fields.
    default:
      throw new CallError("NotSupported");
  }
});
// #endregion

const identity = "ghent-1";
const transport = await connect()({ url: listener.url, identity });
const charger = new Connection(transport, { role: "ChargePoint", identity });
await charger.call("BootNotification", { chargePointVendor: "VENDOR", chargePointModel: "M1" });
assert.equal((await charger.call("Authorize", { idTag: "04E91C5A" })).idTagInfo.status, "Accepted");
assert.equal((await charger.call("DataTransfer", { vendorId: "com.example" })).status, "Accepted");
await charger.call("FirmwareStatusNotification", { status: "Idle" });
assert.deepEqual(output, ["A FirmwareStatusNotification that nobody expected"]);
await listener.close();
vendor.close();
