import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { expect, it, onTestFinished } from "vitest";
import { Program } from "../test-program.ts";
import { boot, start, stop } from "./test-back-end.ts";

/** The back end on a file of its own, and one charger that has booted. */
async function backEndAndCharger(options: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-back-end-log-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const file = ["--file", join(folder, "test.sqlite")];
  const backEnd = new Program("back-end/main.ts", ["--open", "--port", "0", "--api-port", "0", ...file, ...options]);
  const [, url = ""] = await backEnd.said(/(ws:\S+\/ocpp)/);
  const transport = await connect()({ url, identity: "CP001" });
  const charger = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
  onTestFinished(() => charger.close());
  return { backEnd, charger, booted: await charger.call("BootNotification", boot) };
}

it("names charger, connector and transaction, and never who charges", { timeout: 30_000 }, async () => {
  const { backEnd, charger } = await backEndAndCharger();
  await charger.call("StatusNotification", { connectorId: 2, status: "Preparing", errorCode: "NoError" });
  await charger.call("StartTransaction", start({ connectorId: 2 }));
  await charger.call("StopTransaction", stop(1, { idTag: "OTHER" }));
  charger.close();
  await backEnd.said(/disconnected/);
  backEnd.signal("SIGTERM");
  await backEnd.exitCode;

  expect(backEnd.stdout.match(/CP001.*/g)).toEqual([
    "CP001: connected from 127.0.0.1",
    "CP001: BootNotification, Accepted",
    "CP001, connector 2: StatusNotification, Preparing",
    "CP001, connector 2, transaction 1: StartTransaction, Invalid",
    "CP001, connector 2, transaction 1: StopTransaction, Invalid",
    "CP001: disconnected (code 1000)",
  ]);
  expect(backEnd.stderr).toMatch(/✗ \d\d:\d\d:\d\d CP001, connector 2, transaction 1: suspicious\s+\(stop-by-other\)/);
  expect(backEnd.output).not.toMatch(new RegExp(`${start().idTag}|OTHER`));
});

it("says who was refused, from where, when and why", { timeout: 30_000 }, async () => {
  const { backEnd, charger } = await backEndAndCharger();
  const [, url = ""] = await backEnd.said(/(ws:\S+\/ocpp)/);
  await connect()({ url: `${url}-elsewhere`, identity: "CP002" }).catch(() => {});
  await backEnd.said(/✗ \d\d:\d\d:\d\d somebody at 127\.0\.0\.1:\s+refused\s+\(path, 404\): \S/);
  await connect({ securityProfile: 0, authorizationKey: "00".repeat(16) })({ url, identity: "CP001" }).catch(() => {});
  charger.close();
});

it("--heartbeat-interval and --tolerate are obeyed, and what is forgiven is told", { timeout: 30_000 }, async () => {
  const { backEnd, charger, booted } = await backEndAndCharger([
    "--heartbeat-interval",
    "77",
    "--tolerate",
    "longTexts",
  ]);
  expect(booted.interval).toBe(77);
  const transport = await connect()({ url: (await backEnd.said(/(ws:\S+\/ocpp)/))[1] ?? "", identity: "CP002" });
  transport.listen({ message: () => {}, close: () => {} });
  const payload = { ...boot, chargePointModel: "M".repeat(30) };
  transport.send(JSON.stringify([2, "1", "BootNotification", payload]));
  await backEnd.said(/CP002: longTexts: /);
  await backEnd.said(/CP002: BootNotification, Accepted/);
  transport.close();
  charger.close();
});
