import assert from "node:assert/strict";
import { CentralSystem, Connection } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

const centralSystem = new CentralSystem({
  registrations: new Map([
    ["CP001", "Accepted"],
    ["CP666", "Accepted"],
  ]),
});
const blocked = new Set(["CP666"]);

// #region throw
import { CallError } from "@ocppj/core";

centralSystem.handle("DataTransfer", async ({ vendorId }, { connection }) => {
  if (blocked.has(connection.identity)) throw new CallError("SecurityError", "This charge point is blocked.");
  return { status: vendorId === "com.example" ? "Accepted" : "UnknownVendorId" };
});
// #endregion

const listener = await listen(centralSystem);
const callFrom = async (identity: string) => {
  const transport = await connect()({ url: listener.url, identity });
  return new Connection(transport, { role: "ChargePoint", identity }).call("DataTransfer", { vendorId: "com.example" });
};

assert.deepEqual(await callFrom("CP001"), { status: "Accepted" });
await assert.rejects(callFrom("CP666"), {
  name: "CallError",
  code: "SecurityError",
  description: "This charge point is blocked.",
});
await listener.close();
