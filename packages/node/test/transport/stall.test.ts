import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";
import { expect, onTestFinished, test } from "vitest";
import { openEndpoint } from "../open-endpoint.ts";

/** A Charge Point in a thread of its own, so that it goes on while this one stands still; it answers pings. */
const chargePoint = `
  const { workerData } = require("node:worker_threads");
  const { WebSocket } = require(workerData.ws);
  const webSocket = new WebSocket(workerData.url, ["ocpp1.6"]);
  webSocket.on("ping", () => {
    Atomics.store(workerData.ponged, 0, 1);
    Atomics.notify(workerData.ponged, 0);
  });
`;

test("A pong that has waited in the socket while the event loop stood still is heard before the time is over [Q20]", async () => {
  const { central, listener } = await openEndpoint();
  const ws = createRequire(import.meta.url).resolve("ws");
  const ponged = new Int32Array(new SharedArrayBuffer(4));
  const connected = new Promise((resolve) => central.once("connected", resolve));
  const worker = new Worker(chargePoint, { eval: true, workerData: { url: `${listener.url}/CP001`, ws, ponged } });
  onTestFinished(async () => void (await worker.terminate()));
  await connected;
  const connection = central.get("CP001");
  const isAlive = connection?.probe(20);
  Atomics.wait(ponged, 0, 0); // Nothing is read here until the pong has been sent.
  const begin = Date.now();
  while (Date.now() - begin < 40); // Nor until the time is over.
  expect(await isAlive).toBe(true);
});
