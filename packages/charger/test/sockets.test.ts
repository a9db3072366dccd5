/* Some of the certification cases once more, over real sockets and with real time. */
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CentralSystem, type RecordStore } from "@ocppj/core";
import { connect, durableStore, type Listener, listen } from "@ocppj/node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { Charger } from "../src/index.ts";
import { lineOf } from "./charger-site.ts";
import { ScriptedHardware } from "./scripted-hardware.ts";

let listener: Listener;
let centralSystem: CentralSystem;
let folder: string;
let store: RecordStore;
let charger: Charger;
let hardware: ScriptedHardware;
let received: string[];
let arrived: () => void;

beforeEach(async () => {
  received = [];
  arrived = () => {};
  centralSystem = new CentralSystem();
  const currentTime = (): string => new Date().toISOString();
  centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: currentTime(), interval: 300 }));
  centralSystem.handle("StatusNotification", () => ({}));
  centralSystem.handle("Authorize", () => ({ idTagInfo: { status: "Accepted" } }));
  centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }));
  centralSystem.handle("MeterValues", () => ({}));
  centralSystem.handle("StopTransaction", () => ({}));
  centralSystem.on("message", ({ direction, frame }) => {
    if (direction === "out" || frame.type !== "CALL") return;
    received.push(lineOf(frame.action, frame.payload as object));
    arrived();
  });
  listener = await listen(centralSystem, { path: "/ocpp" });
  folder = await mkdtemp(join(tmpdir(), "ocppj-charger-sockets-"));
  hardware = new ScriptedHardware();
  await start();
});

afterEach(async () => {
  await charger.stop();
  await store.close();
  await listener.close();
  await rm(folder, { recursive: true });
});

async function start(): Promise<void> {
  store = durableStore(join(folder, "store"));
  const boot = { chargePointVendor: "V", chargePointModel: "M" };
  charger = new Charger({ identity: "CP001", url: listener.url, boot, connect, store, hardware });
  await charger.start();
  await until("StatusNotification 0 Available", "StatusNotification 1", "StatusNotification 2");
}

/** Resolves once lines that begin like these have arrived, in any order; what has arrived until then is taken. */
async function until(...beginnings: readonly string[]): Promise<readonly string[]> {
  const isThere = (): boolean => beginnings.every((beginning) => received.some((line) => line.startsWith(beginning)));
  while (!isThere()) {
    await new Promise<void>((resolve) => {
      arrived = resolve;
    });
  }
  return received.splice(0);
}

const connection = () => centralSystem.get("CP001");

test("TC_003, TC_012, TC_018: plug and card, remote start and stop, unlock [TCK-C003] [TCK-C012] [TCK-C017]", async () => {
  hardware.plug(1);
  await until("StatusNotification 1 Preparing");
  const identified = new Promise((resolve) => charger.chargePoint.once("delivered", resolve));
  hardware.present("TAG", 1);
  await until("Authorize TAG", "StartTransaction 1 TAG", "StatusNotification 1 Charging");
  await identified; // Nobody can name a transaction before.
  expect(await connection()?.call("RemoteStopTransaction", { transactionId: 1 })).toEqual({ status: "Accepted" });
  await until("StopTransaction 1 Remote", "StatusNotification 1 Finishing");
  expect(await connection()?.call("RemoteStartTransaction", { connectorId: 1, idTag: "APP" })).toEqual({
    status: "Accepted",
  });
  await until("StartTransaction 1 APP", "StatusNotification 1 Charging");
  expect(await connection()?.call("UnlockConnector", { connectorId: 1 })).toEqual({ status: "Unlocked" });
  await until("StopTransaction 1 UnlockCommand", "StatusNotification 1 Finishing");
});

test("TC_013, TC_015, TC_032: availability, a reset and a power cut, with a store on a disk [TCK-C013] [TCK-C015] [TCK-C032]", async () => {
  await connection()?.call("ChangeAvailability", { connectorId: 2, type: "Inoperative" });
  await until("StatusNotification 2 Unavailable");
  hardware.plug(1);
  hardware.present("TAG", 1);
  await until("StartTransaction 1 TAG", "StatusNotification 1 Charging");
  const restarted = new Promise<void>((resolve, reject) => {
    hardware.rebooted = () => {
      const restart = async (): Promise<void> => {
        await charger.stop();
        await store.close();
        await start();
      };
      restart().then(resolve, reject);
    };
  });
  expect(await connection()?.call("Reset", { type: "Soft" })).toEqual({ status: "Accepted" });
  await restarted;
  expect(charger.state.connectors.map(({ status }) => status)).toEqual(["Preparing", "Unavailable"]);

  hardware.present("TAG", 1);
  await until("StartTransaction 1 TAG", "StatusNotification 1 Charging");
  await charger.chargePoint.saved();
  await charger.stop(); // What ran is left in the store, as by a power cut.
  await store.close();
  await start();
  expect(charger.state.connectors[1]?.status).toBe("Unavailable");
  while (charger.chargePoint.undelivered.count > 0) await new Promise((resolve) => setImmediate(resolve));
  expect(charger.chargePoint.transactions).toEqual([]);
});
