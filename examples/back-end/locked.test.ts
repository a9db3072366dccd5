import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@ocppj/core";
import { connect } from "@ocppj/node";
import Libsql from "libsql";
import { expect, it, onTestFinished } from "vitest";
import { startBackEnd } from "./back-end.ts";
import { boot, start, stop } from "./test-back-end.ts";

it("A locked database costs no bill: a stop is not answered, and delivered once the lock is gone", {
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-locked-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, "test.sqlite");
  const backEnd = await startBackEnd({ file, open: true, ocpp: { newcomers: "Accepted" } });
  onTestFinished(() => backEnd.close());
  const faults: unknown[] = [];
  backEnd.centralSystem.on("fault", ({ error }) => faults.push(error));
  const open = async (): Promise<Connection<"ChargePoint">> => {
    const transport = await connect()({ url: backEnd.chargersUrl, identity: "CP001" });
    const charger = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
    onTestFinished(() => charger.close());
    return charger;
  };
  const charger = await open();
  await charger.call("BootNotification", boot);
  const { transactionId } = await charger.call("StartTransaction", start());

  const somebody = new Libsql(file); // For example a backup that does it wrong.
  somebody.exec("BEGIN IMMEDIATE");
  const stopped = charger.call("StopTransaction", stop(transactionId)).catch((error: unknown) => error);
  expect(await stopped).toMatchObject({ name: "ConnectionClosedError", code: 1013, sent: true });
  expect(faults.length).toBeGreaterThan(0);

  somebody.exec("ROLLBACK");
  somebody.close();
  const again = await open();
  expect(await again.call("StopTransaction", stop(transactionId))).toEqual({});
  expect(backEnd.tables.transactions.list({ limit: 10 })).toMatchObject([{ transactionId, meterStop: 5360 }]);
});
