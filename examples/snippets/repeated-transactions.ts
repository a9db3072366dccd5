import assert from "node:assert/strict";
import { CentralSystem, Connection, type Req } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

const centralSystem = new CentralSystem({ registrations: new Map([["CP001", "Accepted"]]) });

// #region key
import { transactionMessageKey } from "@ocppj/core";
import Database from "libsql";

const database = new Database(":memory:");
database.exec("CREATE TABLE starts (transaction_id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE)");
database.exec("CREATE TABLE stops (key TEXT PRIMARY KEY, transaction_id INTEGER, meter_stop INTEGER)");

centralSystem.handle("StartTransaction", (req, { connection }) => {
  const key = transactionMessageKey(connection.identity, "StartTransaction", req);
  database.prepare("INSERT INTO starts (key) VALUES (?) ON CONFLICT DO NOTHING").run(key);
  const row = database.prepare("SELECT transaction_id FROM starts WHERE key = ?").get(key) as {
    transaction_id: number;
  };
  return { transactionId: row.transaction_id, idTagInfo: { status: "Accepted" } };
});

centralSystem.handle("StopTransaction", (req, { connection }) => {
  const key = transactionMessageKey(connection.identity, "StopTransaction", req);
  const insert = database.prepare("INSERT INTO stops VALUES (?, ?, ?) ON CONFLICT DO NOTHING");
  insert.run(key, req.transactionId, req.meterStop);
  return {}; // Whatever it was: without an answer, the charger sends it again.
});
// #endregion

const listener = await listen(centralSystem);

/** Sends one message on a connection of its own, as after each of many lost ones. */
async function send<A extends "StartTransaction" | "StopTransaction">(action: A, req: Req<A>) {
  const transport = await connect()({ url: listener.url, identity: "CP001" });
  const connection = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
  const conf = await connection.call(action, req);
  const closed = new Promise((resolve) => centralSystem.once("disconnected", resolve));
  connection.close();
  await closed;
  return conf;
}

const start = { connectorId: 1, idTag: "04E91C5A", timestamp: "2026-01-31T12:00:00Z", meterStart: 5000 };
const conf = await send("StartTransaction", start);
assert.deepEqual(await send("StartTransaction", { ...start, timestamp: "2026-01-31T12:00:00.000+00:00" }), conf);
assert.notDeepEqual(await send("StartTransaction", { ...start, connectorId: 2 }), conf);

const stop = { transactionId: 1, timestamp: "2026-01-31T13:00:00Z", meterStop: 5360 };
for (let times = 0; times < 2; times++) assert.deepEqual(await send("StopTransaction", stop), {});
assert.equal(database.prepare("SELECT * FROM stops").all().length, 1);
database.close();
await listener.close();
