import assert from "node:assert/strict";
import { connect } from "@ocppj/node";

const output: string[] = [];
const log = (line: string): void => void output.push(line);
const now = (): string => new Date().toISOString();

const registered = (chargePoint: ChargePoint | undefined) =>
  new Promise((resolve) => chargePoint?.once("registration", resolve));

/** Stands for a database: what each charger was answered last, and the transactions. */
const rows = new Map<string, Registration>();
const invited = new Set(["CP001", "CP002"]);

// #region imports
import { CentralSystem, ChargePoint, type Connection, ConnectionClosedError, type Registration } from "@ocppj/core";
import { listen } from "@ocppj/node";

// #endregion

// #region registrations
const centralSystem = new CentralSystem({
  registrations: {
    get: (identity) => rows.get(identity),
    set: async (identity, status, chargePoint) => void rows.set(identity, { status, chargePoint }),
  },
});

centralSystem.handle("BootNotification", (req, { connection }) => {
  const status = invited.has(connection.identity) ? "Accepted" : "Pending";
  log(`${connection.identity}, a ${req.chargePointModel}, is ${status}`);
  return { status, currentTime: now(), interval: 300 };
});
// #endregion
centralSystem.handle("Heartbeat", () => ({ currentTime: now() }));
centralSystem.handle("StatusNotification", () => ({}));

// #region events
centralSystem.on("connected", ({ identity, generation }) => log(`${identity} is here (${generation})`));
centralSystem.on("disconnected", ({ identity, generation, code }) =>
  log(`${identity} has left (${generation}, ${code})`),
);
centralSystem.on("refused", ({ identity, reason, message }) => log(`${identity} was refused (${reason}): ${message}`));
centralSystem.on("violation", ({ identity, reason, message }) => log(`${identity}: ${reason}: ${message}`));
centralSystem.on("fault", ({ identity, error }) => log(`Our fault, ${identity}: ${error}`));
// #endregion

const listener = await listen(centralSystem);
const chargers = ["CP001", "CP002", "CP003"].map(
  (identity) =>
    new ChargePoint({
      identity,
      url: listener.url,
      connect: connect(),
      boot: { chargePointVendor: "VENDOR", chargePointModel: "M1" },
    }),
);
for (const chargePoint of chargers) {
  chargePoint.handle("Reset", () => ({ status: "Accepted" }));
  await chargePoint.start();
  await registered(chargePoint);
}

// #region call
/** Resets a charge point, if it is there. */
async function reset(identity: string): Promise<string> {
  const connection = centralSystem.get(identity);
  if (connection === undefined) return "It is offline.";
  try {
    const { status } = await connection.call("Reset", { type: "Soft" }, { timeoutMs: 10_000 });
    return status;
  } catch (error) {
    // Some chargers answer a reset by vanishing.
    if (error instanceof ConnectionClosedError && error.sent) return "It is gone.";
    throw error;
  }
}
// #endregion
assert.equal(await reset("CP001"), "Accepted");
assert.equal(await reset("CP004"), "It is offline.");

// #region pending
/** Asks a charge point that waits for it to boot once more: now it will be accepted. */
async function invite(connection: Connection<"CentralSystem">): Promise<void> {
  invited.add(connection.identity);
  await connection.call("TriggerMessage", { requestedMessage: "BootNotification" });
}
// #endregion
const cp003 = centralSystem.get("CP003");
assert(cp003 !== undefined);
const accepted = registered(chargers[2]);
await invite(cp003);
await accepted;
assert.deepEqual(
  [...rows.values()].map(({ status }) => status),
  ["Accepted", "Accepted", "Accepted"],
);

// #region drain
await centralSystem.drain({ ratePerSecond: 100, deadlineMs: 30_000 });
// #endregion
assert.deepEqual([...centralSystem.connections()], []);
for (const chargePoint of chargers) await chargePoint.stop();
assert.equal(output.filter((line) => line.includes("1012")).length, 3);
await listener.close();
