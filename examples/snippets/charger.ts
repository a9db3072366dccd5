/* The snippets of docs/charger.md and of the README of @ocppj/charger, with a central system that answers. */
import assert from "node:assert/strict";
// #region imports
import { Charger, type Hardware, type HardwareListener, type Offer, security, simulatedHardware } from "@ocppj/charger";
import { CentralSystem, memoryStore } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";

// #endregion
import { hardwareContract } from "@ocppj/testing";

const centralSystem = new CentralSystem();
const currentTime = (): string => new Date().toISOString();
centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: currentTime(), interval: 300 }));
centralSystem.handle("StatusNotification", () => ({}));
centralSystem.handle("Authorize", () => ({ idTagInfo: { status: "Accepted" } }));
centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }));
centralSystem.handle("MeterValues", () => ({}));
centralSystem.handle("StopTransaction", () => ({}));
const listener = await listen(centralSystem, { path: "/ocpp" });
const { url } = listener;

/** Resolves once a charger shows something. */
const shown = (charger: Charger, pattern: RegExp): Promise<void> =>
  new Promise((resolve) => {
    const look = (): void => {
      if (pattern.test(charger.state.connectors.map(({ status }) => status).join(" "))) resolve();
    };
    charger.on("changed", look);
    look();
  });

// #region charger
const hardware = simulatedHardware({ connectors: 2 });
const charger = new Charger({
  identity: "CP001",
  url, // For example "ws://127.0.0.1:9000/ocpp"
  boot: { chargePointVendor: "VendorX", chargePointModel: "Twin" },
  connect, // With certificates: (credential) => connect({ ...credential, tls })
  store: memoryStore(), // On a real charger: durableStore("/var/lib/charger")
  hardware,
});
charger.on("changed", ({ connectors }) => console.log(connectors.map(({ status }) => status).join(" ")));
charger.on("said", ({ connectorId, text }) => console.log(`connector ${connectorId}: ${text}`));
charger.on("fault", ({ error }) => console.error(error));
await charger.start();

// A car comes, and a card that the central system is asked about, once it can be.
hardware.plug(1, { soc: 40, maxCurrent: 32 });
charger.chargePoint.once("registration", () => hardware.present("04E91C5A", 1));
// #endregion
await shown(charger, /^Charging/);

// #region display
const { connectors, registration } = charger.state;
const [first] = connectors;
console.log(registration, first?.status, first?.offer?.A, first?.session?.transaction?.energy);
console.log(charger.explain(1).text);
// #endregion
assert.equal(first?.status, "Charging");

// #region owner
charger.stopTransaction(1);
await charger.setOperative(2, false);
// #endregion
await shown(charger, /^Finishing Unavailable$/);
await charger.stop();

/** What a maker has: pins, a meter on a serial line, a card reader. */
const board = {
  relay: new Map<number, boolean>(),
  pwm: new Map<number, number>(),
  onPlug: (_connector: number, _plugged: boolean): void => {},
  onCard: (_uid: string): void => {},
  onMeter: (_connector: number, _wattHours: number, _watts: number): void => {},
  /** Somebody plugs a vehicle in, or out. */
  plug(plugged: boolean): void {
    board.isPlugged = plugged;
    board.onPlug(1, plugged);
  },
  isPlugged: false,
  wattHours: 1000,
  readAll(): void {
    if (board.isPlugged) board.onPlug(1, true);
    board.onMeter(1, board.wattHours, 0);
  },
};

// #region hardware
class Wallbox implements Hardware {
  readonly connectors = [
    {
      maximum: { limit: 16, unit: "A" },
      cable: "fixed",
      measurands: ["Energy.Active.Import.Register", "Power.Active.Import"],
    },
  ] as const;

  listen(listener: HardwareListener): void {
    // In the place of who listened before.
    board.onPlug = (id, plugged) => (plugged ? listener.plugged(id) : listener.unplugged(id));
    board.onCard = (uid) => listener.presented(uid);
    board.onMeter = (id, wattHours, watts) =>
      listener.measured(id, { "Energy.Active.Import.Register": wattHours, "Power.Active.Import": watts });
    board.readAll(); // What is plugged in, and what the meters show, is told at once.
  }

  offer(id: number, offer: Offer | undefined): void {
    board.pwm.set(id, offer?.A ?? 0); // First the limit, then the relay.
    board.relay.set(id, offer !== undefined);
  }

  reboot(): void {
    process.exit(0); // systemd starts it again.
  }
}
// #endregion

/** The hardware as its contract wants it opened; the meter counts while energy flows. */
const open = () => {
  Object.assign(board, { isPlugged: false, onPlug: () => {}, onMeter: () => {} });
  board.relay.clear();
  return {
    hardware: new Wallbox(),
    plug: () => board.plug(true),
    unplug: () => board.plug(false),
    isClosed: () => board.relay.get(1) ?? false,
    limit: () => board.pwm.get(1) ?? 0,
    pass: async () => {
      if (board.relay.get(1)) board.wattHours += 10;
      board.onMeter(1, board.wattHours, board.relay.get(1) ? 3000 : 0);
    },
  };
};
for (const { run } of hardwareContract(open)) await run();

const wallbox = new Charger({
  identity: "CP002",
  url,
  boot: { chargePointVendor: "VendorX", chargePointModel: "Wallbox" },
  connect,
  store: memoryStore(),
  hardware: open().hardware,
  security: security(),
});
const faults: unknown[] = [];
wallbox.on("fault", ({ error }) => faults.push(error));
await wallbox.start();
await shown(wallbox, /^Available$/);
// #region security
wallbox.noticed("TamperDetectionActivated", "the door of the feeder pillar"); // What a sensor of yours sees.
console.log(wallbox.securityLog.map(({ at, type }) => `${new Date(at).toISOString()} ${type}`));
// #endregion
assert.deepEqual(
  wallbox.securityLog.map(({ type }) => type),
  ["StartupOfTheDevice", "TamperDetectionActivated"],
);
await wallbox.stop();
assert.deepEqual(faults, []);
await listener.close();
