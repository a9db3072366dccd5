/** What is kept while nothing happens. Chargers with their WebSockets are measured in `storm`. */
import { CentralSystem, ChargePoint, Connection, memoryStore, type Transport } from "@ocppj/core";
import { add } from "./figures.ts";
import { report } from "./report.ts";

const count = 20_000;
const transport: Transport = { listen: () => {}, send: () => {}, close: () => {} };

/** Buffers included. */
function heapUsed(): number {
  for (let time = 0; time < 3; time++) globalThis.gc?.();
  const { external, heapUsed: heap } = process.memoryUsage();
  return heap + external;
}

/** Bytes of heap for each of many. */
function bytesFor(make: (index: number) => unknown): number {
  const kept: unknown[] = new Array(count);
  const before = heapUsed();
  for (let index = 0; index < count; index++) kept[index] = make(index);
  const bytes = (heapUsed() - before) / count;
  if (kept.length !== count) throw new Error("Nothing was kept.");
  return bytes;
}

export async function memory(): Promise<void> {
  const figures: Record<string, number[]> = {};
  for (let round = 0; round < 3; round++) {
    const centralSystem = new CentralSystem();
    const contenders: Record<string, (index: number) => unknown> = {
      "a Map, for comparison": () => new Map(),
      "a Connection": (index) => new Connection(transport, { role: "CentralSystem", identity: `CP${index}` }),
      "a connection of a CentralSystem, its identity and its place there": (index) =>
        centralSystem.accept(transport, `CP${index}`),
      "a ChargePoint that was not started": (index) =>
        new ChargePoint({
          identity: `CP${index}`,
          url: "ws://central.example.com/ocpp",
          connect: () => new Promise(() => {}),
          boot: { chargePointVendor: "V", chargePointModel: "M" },
          store: memoryStore(),
        }),
    };
    for (const [name, make] of Object.entries(contenders)) add(figures, name, bytesFor(make));
  }
  report("Idle, without a WebSocket: each", "bytes of heap", figures, 0);
}
