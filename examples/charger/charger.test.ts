import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { CentralSystem } from "@ocppj/core";
import { type Listener, listen } from "@ocppj/node";
import { afterEach, beforeEach, expect, test } from "vitest";

const program = fileURLToPath(new URL("main.ts", import.meta.url));

let centralSystem: CentralSystem;
let listener: Listener;
let store: string;
/** The CALLs that arrived, without StatusNotification and Heartbeat. */
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
  centralSystem.on("message", ({ direction, frame }) => {
    if (direction !== "in" || frame.type !== "CALL") return;
    if (frame.action === "StatusNotification" || frame.action === "Heartbeat") return;
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
      "tag 1 CARD",
      "until delivered StartTransaction",
      "elapse 600",
      "sample",
      "until delivered MeterValues",
      "network off",
      "elapse 600",
      "tag 1 CARD",
      "unplug 1",
      "plug 2",
      "tag 2 CARD",
      "elapse 60",
      "fault 2",
      "saved",
      "network on",
      "until delivered StopTransaction",
      "until delivered StopTransaction",
    ].join(", "),
  );
  expect(output).toContain("card UNKNOWN: refuse (central-system)");
  expect(output).toContain("card CARD: accept (same-id-tag)");
  expect(output).toContain("card CARD: accept (cache)");
  expect(code, output).toBe(0);
  expect(received).toMatchObject([
    ["BootNotification", { chargePointModel: "Example" }],
    ["Authorize", { idTag: "UNKNOWN" }],
    ["Authorize", { idTag: "CARD" }],
    ["StartTransaction", { connectorId: 1, idTag: "CARD", meterStart: 1000 }],
    ["MeterValues", { connectorId: 1, transactionId: 1 }],
    ["StopTransaction", { transactionId: 1, idTag: "CARD", reason: "Local" }],
    ["StartTransaction", { connectorId: 2, idTag: "CARD", meterStart: 2000 }],
    ["StopTransaction", { transactionId: 2, reason: "Other" }],
  ]);
  expect(received[5]?.[1].meterStop).toBeGreaterThanOrEqual(1000 + 2400);
}, 30_000);

test("stops with PowerLoss after a power cut what ran before it", async () => {
  const killed = run(
    "until Accepted, plug 1, tag 1 CARD, until delivered StartTransaction, elapse 600, sample, saved, until never",
    (line) => {
      if (line === "saved") charger?.kill("SIGKILL");
    },
  );
  expect((await killed)[0]).toBeNull();
  const [code, output] = await run("until delivered StopTransaction");
  expect(output).toContain("a transaction ran when the power failed");
  expect(code, output).toBe(0);
  expect(received.at(-1)).toMatchObject(["StopTransaction", { transactionId: 1, reason: "PowerLoss" }]);
  expect(received.at(-1)?.[1].meterStop).toBeGreaterThanOrEqual(1000 + 1200);
}, 30_000);
