import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CentralSystem, type CentralSystemEvents, memoryStore, type Req } from "@ocppj/core";
import { durableStore, type Listener, listen } from "@ocppj/node";
import { afterEach, beforeEach, expect, test } from "vitest";
import { ExampleCharger } from "./charger.ts";

const program = fileURLToPath(new URL("main.ts", import.meta.url));

let centralSystem: CentralSystem;
let listener: Listener;
let store: string;
/** The CALLs that arrived, without StatusNotification, Heartbeat and SecurityEventNotification. */
let received: [action: string, payload: Record<string, unknown>][];
let charger: ChildProcess | undefined;

beforeEach(async () => {
  received = [];
  centralSystem = new CentralSystem();
  const currentTime = () => new Date().toISOString();
  let transactions = 0;
  centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: currentTime(), interval: 300 }));
  centralSystem.handle("Heartbeat", () => ({ currentTime: currentTime() }));
  centralSystem.handle("StatusNotification", () => ({}));
  centralSystem.handle("Authorize", ({ idTag }) => ({
    idTagInfo: { status: idTag === "UNKNOWN" ? "Invalid" : "Accepted" },
  }));
  centralSystem.handle("StartTransaction", () => ({
    transactionId: ++transactions,
    idTagInfo: { status: "Accepted" },
  }));
  centralSystem.handle("MeterValues", () => ({}));
  centralSystem.handle("StopTransaction", () => ({}));
  centralSystem.handle("FirmwareStatusNotification", () => ({}));
  centralSystem.handle("LogStatusNotification", () => ({}));
  centralSystem.handle("SecurityEventNotification", () => ({}));
  centralSystem.on("message", ({ direction, frame }) => {
    if (direction !== "in" || frame.type !== "CALL") return;
    if (["StatusNotification", "Heartbeat", "SecurityEventNotification"].includes(frame.action)) return;
    received.push([frame.action, frame.payload as Record<string, unknown>]);
  });
  listener = await listen(centralSystem, { path: "/ocpp" });
  store = await mkdtemp(join(tmpdir(), "ocppj-charger-test-"));
});

afterEach(async () => {
  charger?.kill("SIGKILL");
  await listener.close();
  await rm(store, { recursive: true, force: true });
});

/** Starts the charger with a script; resolves with its exit code and signal. */
function run(
  script: string,
  onLine: (line: string) => void = () => {},
): Promise<[code: number | null, output: string]> {
  const args = ["--import", "tsx", program, listener.url, "--store", store, "--script", script];
  const child = spawn(process.execPath, args, { cwd: fileURLToPath(new URL("..", import.meta.url)) });
  charger = child;
  let output = "";
  const read = (chunk: Buffer): void => {
    output += chunk;
    for (const line of String(chunk).split("\n")) onLine(line);
  };
  child.stdout.on("data", read);
  child.stderr.on("data", read);
  return new Promise((resolve) => child.on("close", (code) => resolve([code, output])));
}

test("charges, offline too, and delivers everything in order", async () => {
  const [code, output] = await run(
    [
      "until Accepted",
      "plug 1",
      "tag 1 UNKNOWN",
      "until UNKNOWN: refuse",
      "tag 1 CARD",
      "until delivered StartTransaction",
      "elapse 600",
      "until delivered MeterValues",
      "network off",
      "elapse 600",
      "tag 1 CARD",
      "until 1: Finishing",
      "unplug 1",
      "plug 2",
      "tag 2 CARD",
      "until 2: Charging",
      "elapse 60",
      "fault 2",
      "saved",
      "network on",
      "until delivered StopTransaction",
      "until delivered StopTransaction",
    ].join(", "),
  );
  expect(output).toContain("UNKNOWN: refuse (central-system)");
  expect(output).toContain("CARD wants to stop: accept (same-id-tag)");
  expect(output).toContain("CARD: accept (cache)");
  expect(code, output).toBe(0);
  // How many samples there are depends on how long it took.
  expect(received.filter(([action]) => action !== "MeterValues")).toMatchObject([
    ["BootNotification", { chargePointModel: "Example" }],
    ["Authorize", { idTag: "UNKNOWN" }],
    ["Authorize", { idTag: "CARD" }],
    ["StartTransaction", { connectorId: 1, idTag: "CARD" }],
    ["StopTransaction", { transactionId: 1, idTag: "CARD", reason: "Local" }],
    ["StartTransaction", { connectorId: 2, idTag: "CARD", meterStart: 1000 }],
    ["StopTransaction", { transactionId: 2, reason: "Other" }],
  ]);
  const [start, stop] = ["StartTransaction", "StopTransaction"].map((name) =>
    received.find(([action]) => action === name),
  );
  // 16 A on three phases for twenty minutes.
  expect(Number(stop?.[1].meterStop) - Number(start?.[1].meterStart)).toBeGreaterThanOrEqual(3600);
}, 30_000);

test("stops with PowerLoss after a power cut what ran before it", async () => {
  const killed = run(
    "until Accepted, plug 1, tag 1 CARD, until delivered StartTransaction, elapse 600, " +
      "until delivered MeterValues, saved, until never",
    (line) => {
      if (line === "saved") charger?.kill("SIGKILL");
    },
  );
  expect((await killed)[0]).toBeNull();
  const [code, output] = await run("until delivered StopTransaction");
  expect(output).toContain("the transaction is stopped: PowerLoss");
  expect(code, output).toBe(0);
  expect(received.at(-1)).toMatchObject(["StopTransaction", { transactionId: 1, reason: "PowerLoss" }]);
  expect(received.at(-1)?.[1].meterStop).toBeGreaterThanOrEqual(1800);
}, 30_000);

test("ends when it is told to, also while it starts anew after a power cut", async () => {
  const [code, output] = await run("until Accepted, power cut");
  expect(code, output).toBe(0);
  expect(output.split("\n").filter((line) => line.includes("connected")).length, output).toBeGreaterThan(0);
}, 30_000);

test("updates its firmware through a restart, and delivers its security log [FM-21] [SEC-N01-02]", async () => {
  const log: string[] = [];
  const files = createServer(async (request, response) => {
    for await (const piece of request) log.push(String(piece));
    response.end("firmware");
  }).listen(0, "127.0.0.1");
  await once(files, "listening");
  const location = `http://127.0.0.1:${(files.address() as AddressInfo).port}/files`;
  const charger = await startCharger([], () => durableStore(store));
  const updated = arrivalOf("FirmwareStatusNotification", 4);
  const retrieveDate = new Date(0).toISOString();
  await centralSystem.get("CP001")?.call("UpdateFirmware", { location, retrieveDate });
  await updated;
  const statuses = received.filter(([action]) => action === "FirmwareStatusNotification").map(([, req]) => req.status);
  expect(statuses).toEqual(["Downloading", "Downloaded", "Installing", "Installed"]);
  expect(received.filter(([action]) => action === "BootNotification")).toHaveLength(2);
  const delivered = arrivalOf("LogStatusNotification", 2);
  const getLog = { logType: "SecurityLog", requestId: 1, log: { remoteLocation: location } } as const;
  expect(await centralSystem.get("CP001")?.call("GetLog", getLog)).toMatchObject({ status: "Accepted" });
  await delivered;
  expect(log.join("")).toMatch(/StartupOfTheDevice[\s\S]*ResetOrReboot[\s\S]*FirmwareUpdated/);
  await charger.stop();
  files.close();
}, 30_000);

/** Starts a charger in this process; resolves once its statuses have arrived. */
async function startCharger(told: string[] = [], openStore = memoryStore): Promise<ExampleCharger> {
  const { url } = listener;
  const reported = arrivalOf("StatusNotification", 3);
  const charger = await ExampleCharger.start({
    identity: "CP001",
    url,
    openStore,
    downloads: `${store}-downloads`,
    changed: (line) => void told.push(line),
    failed: (error) => void told.push(String(error)),
  });
  await reported;
  return charger;
}

/** Resolves with everything that arrives until there were so many CALLs of an action. */
function arrivalOf(action: string, times = 1): Promise<string[]> {
  const arrived: string[] = [];
  return new Promise((resolve) => {
    const listener = ({ direction, frame }: CentralSystemEvents["message"][0]): void => {
      if (direction === "out" || frame.type === "CALLERROR") return;
      arrived.push(frame.type === "CALL" ? frame.action : frame.type);
      if (arrived.filter((name) => name === action).length < times) return;
      centralSystem.off("message", listener);
      resolve(arrived);
    };
    centralSystem.on("message", listener);
  });
}

test("does everything that a CALL causes after the answer [J-111]", async () => {
  const charger = await startCharger();
  const connection = centralSystem.get("CP001");
  const { chargePoint } = charger.charger;
  const start = async (): Promise<void> => {
    const delivered = new Promise<void>((resolve) => {
      chargePoint.on("delivered", ({ call }) => call.action === "StartTransaction" && resolve());
    });
    await connection?.call("RemoteStartTransaction", { connectorId: 1, idTag: "CARD" });
    await delivered;
  };
  charger.plug(1);
  const calls: [cause: () => Promise<{ status: string } | undefined>, effect: string][] = [
    [async () => connection?.call("RemoteStartTransaction", { connectorId: 1, idTag: "CARD" }), "StartTransaction"],
    [async () => connection?.call("RemoteStopTransaction", { transactionId: 1 }), "StopTransaction"],
    [async () => connection?.call("UnlockConnector", { connectorId: 1 }), "StopTransaction"],
    [async () => connection?.call("TriggerMessage", { requestedMessage: "MeterValues" }), "MeterValues"],
    [async () => connection?.call("ChangeAvailability", { connectorId: 2, type: "Inoperative" }), "StatusNotification"],
    [async () => connection?.call("Reset", { type: "Soft" }), "StopTransaction"],
  ];
  for (const [cause, effect] of calls) {
    if (effect === "StopTransaction" && chargePoint.transactions.length === 0) await start();
    await chargePoint.call("Heartbeat", {}); // Behind everything that was caused before.
    const arrived = arrivalOf(effect);
    expect((await cause())?.status).toMatch(/Accepted|Unlocked/);
    expect((await arrived)[0], effect).toBe("CALLRESULT");
  }
  await charger.stop();
});

test("restarts when it is told to, and when the power fails, and goes on where it was", async () => {
  const told: string[] = [];
  const charger = await startCharger(told);
  for (const restart of [() => centralSystem.get("CP001")?.call("Reset", { type: "Hard" }), () => charger.powerCut()]) {
    const before = charger.charger;
    const again = arrivalOf("StatusNotification", 3);
    await restart();
    await again;
    await charger.ready();
    expect(charger.charger).not.toBe(before);
    expect(charger.charger.state.registration).toBe("Accepted");
  }
  expect(told.filter((line) => line === "restarting" || line === "the power fails")).toEqual([
    "restarting",
    "the power fails",
  ]);
  await charger.stop();
});

test("charges no faster than a profile allows, and says why", async () => {
  const told: string[] = [];
  const charger = await startCharger(told);
  const chargingProfile: NonNullable<Req<"RemoteStartTransaction">["chargingProfile"]> = {
    chargingProfileId: 1,
    stackLevel: 0,
    chargingProfilePurpose: "TxProfile",
    chargingProfileKind: "Relative",
    chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 10 }] },
  };
  const connection = centralSystem.get("CP001");
  charger.plug(1);
  const charging = new Promise<void>((resolve) => {
    charger.charger.on("changed", ({ connectors: [first] }) => first?.status === "Charging" && resolve());
  });
  await connection?.call("RemoteStartTransaction", { connectorId: 1, idTag: "CARD", chargingProfile });
  await charging;
  expect(charger.charger.state.connectors[0]?.offer).toEqual({ A: 10, W: 6900, phases: 3 });
  expect(charger.hardware.state[0]?.power).toBe(6900);
  charger.why(1);
  expect(told.at(-1)).toMatch(/^connector 1: .*profile 1 \(TxProfile/);
  await charger.stop();
});

test("says how the other end closed, and pulls the plug out without a goodbye", async () => {
  const told: string[] = [];
  const charger = await startCharger(told);
  const { chargePoint } = charger.charger;
  const disconnected = new Promise((resolve) => chargePoint.once("disconnected", resolve));
  centralSystem.get("CP001")?.close(4711, "Go away");
  await disconnected;
  expect(told).toContain("disconnected (4711, Go away)");

  const again = new Promise((resolve) => centralSystem.once("connected", resolve));
  chargePoint.reconnectNow();
  await again;
  const lost = new Promise((resolve) => centralSystem.once("disconnected", resolve));
  charger.network(false);
  expect(await lost).toMatchObject({ code: 1006 });
  expect(told.join()).not.toContain("socket hang up");
  await charger.stop();
});

test("does nothing that a CALL asks for if the answer cannot leave any more", async () => {
  const told: string[] = [];
  const charger = await startCharger(told);
  const connection = centralSystem.get("CP001");
  charger.charger.chargePoint.once("message", () => charger.network(false)); // While the CALL is served.
  await connection?.call("Reset", { type: "Hard" }).catch(() => {});
  const again = new Promise((resolve) => centralSystem.once("connected", resolve));
  charger.network(true);
  await again;
  expect(told).not.toContain("restarting");
  await charger.stop();
});
