import { type ChildProcess, fork } from "node:child_process";
import type { Socket } from "node:net";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import * as v8 from "node:v8";
import { CentralSystem } from "@ocppj/core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { listen } from "../src/listen.ts";
import type { Listener } from "../src/listener.ts";

/** How many chargers there are. A process needs a file descriptor for each: see `ulimit -n`. */
const chargers = Number(process.env.STORM ?? 5000);
/** How often all of them are thrown out. */
const storms = 2;

let listener: Listener;
let child: ChildProcess;

/** Node has it since 20.13; its types do not know. */
const { queryObjects } = v8 as unknown as { readonly queryObjects: (ofClass: unknown) => number };

class Nobody {}

function bytes(): { readonly heap: number; readonly all: number } {
  // Collects all that cannot be reached before it looks; `gc` leaves what only caches and compiled code hold.
  queryObjects(Nobody);
  const { heapUsed, external, rss } = process.memoryUsage();
  return { heap: heapUsed + external, all: rss };
}

const sockets = new Set<Socket>();
const centralSystem = new CentralSystem();
/** What happened to each identity, in order. */
const history = new Map<string, (readonly [event: "connected" | "disconnected", generation: number])[]>();
const wrong: unknown[] = [];

beforeAll(async () => {
  centralSystem.handle("BootNotification", () => ({
    status: "Accepted",
    currentTime: "2026-01-01T00:00:00Z",
    interval: 300,
  }));
  for (const name of ["connected", "disconnected"] as const) {
    centralSystem.on(name, ({ identity, generation }) => {
      const events = history.get(identity) ?? [];
      history.set(identity, events);
      events.push([name, generation]);
    });
  }
  for (const name of ["fault", "violation", "refused"] as const) centralSystem.on(name, (event) => wrong.push(event));
  listener = await listen(centralSystem, {
    path: "/ocpp",
    handshakeTimeoutMs: 600_000, // The process with the chargers takes its time.
    async authenticate({ request: { socket } }) {
      sockets.add(socket);
      socket.once("close", () => sockets.delete(socket));
      return true;
    },
  });
});

afterAll(async () => {
  child.kill();
  await listener.close();
});

/** Resolves when every charger has had its BootNotification accepted on its n-th connection. */
function allAccepted(nth: number): Promise<void> {
  return new Promise((resolve, reject) => {
    child.on("exit", (code) => reject(new Error(`The chargers have exited with ${code}.`)));
    child.on("message", (connections) => connections === nth && resolve());
  });
}

test(`${chargers} chargers that all lose their connection at the same moment all come back, none twice, each with its events in order [J-164]`, {
  timeout: 30_000 + 30 * chargers,
}, async ({ annotate }) => {
  const before = bytes();
  const program = fileURLToPath(new URL("storm-chargers.ts", import.meta.url));
  const begin = performance.now();
  child = fork(program, [listener.url, String(chargers)], { cwd: dirname(program), execArgv: ["--import", "tsx"] });
  await allAccepted(1);
  const seconds = [performance.now() - begin];
  const after = bytes();
  expect(new Set([...centralSystem.connections()].map(({ identity }) => identity)).size).toBe(chargers);

  for (let storm = 1; storm <= storms; storm++) {
    const back = allAccepted(storm + 1);
    const beginStorm = performance.now();
    for (const socket of [...sockets]) socket.resetAndDestroy();
    await back;
    seconds.push(performance.now() - beginStorm);

    expect([...centralSystem.connections()]).toHaveLength(chargers);
    expect(sockets.size).toBe(chargers);
  }

  expect(history.size).toBe(chargers);
  for (const [identity, events] of history) {
    expect([identity, events.map(([name]) => name)]).toEqual([
      identity,
      ["connected", ...Array<string[]>(storms).fill(["disconnected", "connected"]).flat()],
    ]);
    const generations = events.map(([, generation]) => generation);
    // Each end has the number of its beginning, and each beginning a larger one than the last.
    expect(generations).toEqual([...generations].sort((a, b) => a - b));
    expect(new Set(generations).size).toBe(storms + 1);
  }
  expect(wrong).toEqual([]);

  // What was there before a storm is not there twice after it, once what waits for the ends of connections has stopped to.
  const perCharger = (one: number, other: number): number => Math.round((one - other) / chargers / 100) / 10;
  const growth = (): number => perCharger(bytes().heap, after.heap);
  await expect.poll(growth, { timeout: 40_000, interval: 2000 }).toBeLessThan(1);
  expect(perCharger(after.heap, before.heap)).toBeLessThan(40);
  await annotate(
    `heap ${perCharger(after.heap, before.heap)} kB, resident ${perCharger(after.all, before.all)} kB per charger; ` +
      `connected in ${seconds.map((ms) => (ms / 1000).toFixed(1)).join(", ")} s`,
  );
});
