/**
 * Speed, memory and size, as ratios side by side in one run; the absolute figures are those of the machine it runs on.
 *
 *   pnpm --filter @ocppj/bench bench
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { actions, CentralSystem, Connection, decode, encode, type Transport } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";
import { build } from "esbuild";
import { RPCClient, RPCServer } from "ocpp-rpc";
import { fullQueue } from "./full-queue.ts";
import { composite, limit, secondBySecond } from "./limits.ts";
import { type Contender, median, sideBySide } from "./side-by-side.ts";

const timestamp = "2026-01-01T00:00:00Z";
const phases = ["L1", "L2", "L3"] as const;
const meterValues = {
  connectorId: 1,
  transactionId: 42,
  meterValue: [
    {
      timestamp,
      sampledValue: [
        { value: "12345.6", context: "Sample.Periodic", measurand: "Energy.Active.Import.Register", unit: "Wh" },
        ...phases.map((phase) => ({
          value: "16.1",
          context: "Sample.Periodic",
          measurand: "Current.Import",
          phase,
          unit: "A",
        })),
        ...phases.map((phase) => ({
          value: "230.2",
          context: "Sample.Periodic",
          measurand: "Voltage",
          phase,
          unit: "V",
        })),
        ...phases.map((phase) => ({
          value: "3703",
          context: "Sample.Periodic",
          measurand: "Power.Active.Import",
          phase,
          unit: "W",
        })),
      ],
    },
  ],
};
const text = JSON.stringify([2, "8b0b3d1c-5a0e-4f6e-9d0c-2f4f1c8f6a10", "MeterValues", meterValues]);

const repeat =
  (act: () => unknown): Contender["run"] =>
  (times) => {
    for (let time = 0; time < times; time++) act();
  };

async function table(title: string, contenders: readonly Contender[]): Promise<void> {
  console.log(`\n${title}`);
  for (const { name, microseconds, ratio } of await sideBySide(contenders)) {
    console.log(`  ${name.padEnd(58)}${microseconds.toFixed(2).padStart(10)} µs${ratio.toFixed(2).padStart(8)} ×`);
  }
}

/** Two transports, each of which hands over in place what the other sends, in the order in which they are listened to. */
function linked(): readonly [Transport, Transport] {
  const listeners: ((text: string) => void)[] = [];
  const end = (other: number): Transport => ({
    listen: ({ message }) => void listeners.push(message),
    send: (sent) => listeners[other]?.(sent),
    close: () => {},
  });
  return [end(1), end(0)];
}

/** A Connection that is called and answered in place, without a network. */
function inPlace(): Contender["run"] {
  const [near, far] = linked();
  const chargePoint = new Connection(near, { role: "ChargePoint", identity: "CP001" });
  const centralSystem = new Connection(far, { role: "CentralSystem", identity: "CP001" });
  centralSystem.handle("MeterValues", () => ({}));
  return async (times) => {
    for (let time = 0; time < times; time++) await chargePoint.call("MeterValues", meterValues as never);
  };
}

/** A Heartbeat that a CentralSystem answers in place. */
function heartbeat(prepare: (centralSystem: CentralSystem) => void): Contender["run"] {
  const centralSystem = new CentralSystem({ registrations: new Map([["CP001", "Accepted"]]) });
  centralSystem.handle("Heartbeat", () => ({ currentTime: timestamp }));
  prepare(centralSystem);
  const [near, far] = linked();
  const chargePoint = new Connection(near, { role: "ChargePoint", identity: "CP001" });
  centralSystem.accept(far, "CP001");
  return async (times) => {
    for (let time = 0; time < times; time++) await chargePoint.call("Heartbeat", {});
  };
}

async function overTheNetwork(): Promise<{ contenders: Contender[]; close: () => Promise<void> }> {
  const system = new CentralSystem();
  system.handle("Heartbeat", () => ({ currentTime: timestamp }));
  system.handle("BootNotification", () => ({ status: "Accepted", currentTime: timestamp, interval: 300 }));
  const listener = await listen(system, { path: "/ocpp" });
  const transport = await connect()({ url: listener.url, identity: "CP001" });
  const ours = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
  await ours.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" });

  const server = new RPCServer({ protocols: ["ocpp1.6"], strictMode: true });
  server.on("client", (client: { handle(method: string, handler: () => unknown): void }) => {
    client.handle("Heartbeat", () => ({ currentTime: timestamp }));
  });
  const http = await server.listen(0, "127.0.0.1");
  const { port } = http.address() as { port: number };
  // Its declarations ask for every option, and for an argument to close.
  const options = { endpoint: `ws://127.0.0.1:${port}`, identity: "CP001", protocols: ["ocpp1.6"], strictMode: true };
  const theirs = new RPCClient(options as never);
  await theirs.connect();
  return {
    contenders: [
      {
        name: "ocppj: Heartbeat and its answer, both ends validate",
        run: async (times) => {
          for (let time = 0; time < times; time++) await ours.call("Heartbeat", {});
        },
      },
      {
        name: "ocpp-rpc 2, strict mode: the same",
        run: async (times) => {
          for (let time = 0; time < times; time++) await theirs.call("Heartbeat", {});
        },
      },
    ],
    async close() {
      ours.close();
      await listener.close();
      await theirs.close({} as never);
      await server.close({} as never);
    },
  };
}

/** What an idle connection costs a Central System, in bytes of heap, without what the WebSocket needs. */
function bytesPerConnection(count: number): number {
  const system = new CentralSystem();
  const transport: Transport = { listen: () => {}, send: () => {}, close: () => {} };
  const identities = Array.from({ length: count }, (_, index) => `CP${index}`);
  const before = heapUsed();
  for (const identity of identities) system.accept(transport, identity);
  const after = heapUsed();
  if ([...system.connections()].length !== count) throw new Error("Connections were lost.");
  return (after - before) / count;
}

/** What an idle charger costs the process that it is connected to, over a real WebSocket, in bytes. */
async function bytesPerCharger(count: number): Promise<{ readonly heap: number; readonly resident: number }> {
  const system = new CentralSystem();
  const listener = await listen(system, { path: "/ocpp", handshakeTimeoutMs: 600_000 });
  const before = { heap: heapUsed(), resident: process.memoryUsage().rss };
  const program = fileURLToPath(new URL("chargers.ts", import.meta.url));
  const chargers = fork(program, [listener.url, String(count)], { execArgv: ["--import", "tsx"] });
  await once(chargers, "message");
  const after = { heap: heapUsed(), resident: process.memoryUsage().rss };
  if ([...system.connections()].length !== count) throw new Error("Connections were lost.");
  chargers.kill();
  await listener.close();
  return { heap: (after.heap - before.heap) / count, resident: (after.resident - before.resident) / count };
}

/** Buffers included. */
function heapUsed(): number {
  globalThis.gc?.();
  globalThis.gc?.();
  const { external, heapUsed: heap } = process.memoryUsage();
  return heap + external;
}

async function size(entry: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: entry, resolveDir: fileURLToPath(new URL(".", import.meta.url)) },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    write: false,
  });
  const code = outputFiles[0]?.contents ?? new Uint8Array();
  return `${(gzipSync(code, { level: 9 }).length / 1000).toFixed(1)} kB`;
}

const frame = decode(text);
if (frame.type !== "CALL") throw new Error("The frame is none.");
const { req } = actions.MeterValues;
const run = inPlace();

console.log(`A MeterValues frame of ${text.length} bytes with ten values.`);
await table("Frames", [
  { name: "JSON.parse of the text, for comparison", run: repeat(() => JSON.parse(text)) },
  { name: "decode", run: repeat(() => decode(text)) },
  { name: "JSON.stringify of the same, for comparison", run: repeat(() => JSON.stringify(frame.payload)) },
  { name: "encode", run: repeat(() => encode(frame)) },
  { name: "zod alone: safeParse of the payload", run: repeat(() => req.safeParse(frame.payload)) },
  { name: "a CALL and its answer, both ends, everything but the network", run },
]);
await table("Limits of 20 charging profiles with 50 periods each", [
  { name: "limitAt", run: repeat(limit) },
  { name: "compositeSchedule of a day", run: repeat(composite) },
  { name: "the same second by second, for comparison", run: repeat(secondBySecond) },
]);
let messages = 0;
await table("What a listener costs: a Heartbeat that a CentralSystem answers, both ends, without the network", [
  { name: "nobody listens", run: heartbeat(() => {}) },
  {
    name: "a listener of `message`, called for both frames",
    run: heartbeat((centralSystem) => centralSystem.on("message", () => void messages++)),
  },
]);
const network = await overTheNetwork();
await table("Over a WebSocket on the loopback interface", network.contenders);
await network.close();

console.log("\nA charge point with 10 000 messages that wait, call by call: median and longest");
for (const { name, median, most } of await fullQueue()) {
  console.log(`  ${name.padEnd(44)}${median.toFixed(3).padStart(10)} ms${most.toFixed(2).padStart(10)} ms`);
}

console.log("\nMemory");
console.log(
  `  an idle connection of a CentralSystem${`${median([1, 2, 3].map(() => bytesPerConnection(20_000))).toFixed(0)} bytes`.padStart(34)}`,
);
const perCharger = await bytesPerCharger(5000);
const kilobytes = (bytes: number): string => `${(bytes / 1000).toFixed(1)} kB`.padStart(10);
console.log(`  an idle charger over a WebSocket: heap and buffers${kilobytes(perCharger.heap)}`);
console.log(`                                    resident memory ${kilobytes(perCharger.resident)}`);
console.log("\nSize, minified and compressed, with zod");
console.log(`  Connection${(await size('export { Connection } from "@ocppj/core"')).padStart(20)}`);
console.log(`  ChargePoint${(await size('export { ChargePoint } from "@ocppj/core"')).padStart(19)}`);
console.log(`  everything in core${(await size('export * from "@ocppj/core"')).padStart(12)}`);
