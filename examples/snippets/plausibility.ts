import assert from "node:assert/strict";
import { CentralSystem, Connection, type Suspect } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

const centralSystem = new CentralSystem({ registrations: new Map([["CP001", "Accepted"]]) });
const states = new Map<string, string>();
const told: string[] = [];
let transactionId = 0;

// #region plausibility
import { Plausibility } from "@ocppj/core";

/** Shows a message to what is remembered of its charger, and has somebody look at what is suspect. */
function look(identity: string, at: (plausibility: Plausibility) => readonly Suspect[]): void {
  const state = states.get(identity);
  const plausibility = new Plausibility(state === undefined ? {} : { state: JSON.parse(state) });
  for (const { rule, message } of at(plausibility)) told.push(`${identity}, ${rule}: ${message}`);
  states.set(identity, JSON.stringify(plausibility.state));
}

centralSystem.handle("StartTransaction", (req, { connection }) => {
  const conf = { transactionId: ++transactionId, idTagInfo: { status: "Accepted" } } as const;
  look(connection.identity, (plausibility) => plausibility.started(req, conf, Date.now()));
  return conf; // Whatever is suspect.
});
centralSystem.handle("MeterValues", (req, { connection }) => {
  look(connection.identity, (plausibility) => plausibility.measured(req, Date.now()));
  return {};
});
centralSystem.handle("StopTransaction", (req, { connection }) => {
  look(connection.identity, (plausibility) => plausibility.stopped(req, {}, Date.now()));
  return {};
});
// #endregion

const listener = await listen(centralSystem);
const transport = await connect()({ url: listener.url, identity: "CP001" });
const charger = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
const start = { connectorId: 1, idTag: "04E91C5A", timestamp: "2026-01-31T12:00:00Z", meterStart: 5000 };
await charger.call("StartTransaction", start);
await charger.call("StopTransaction", { transactionId: 1, timestamp: "2026-01-31T13:00:00Z", meterStop: 4000 });
assert.deepEqual(told, ["CP001, register-falls: Its register is lower than it was before."]);
charger.close();
await listener.close();
