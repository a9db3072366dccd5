/*
 * A process for the tests of hostile peers: one Central System for each policy on duplicates, each with a listener of its
 * own and short time limits. It handles no failure of its own: whatever is unhandled ends it, and its parent notices.
 */
import { setImmediate } from "node:timers/promises";
import { CentralSystem, type DuplicatePolicy } from "@ocppj/core";
import { listen } from "../src/listen.ts";

/** What the parent is told at the beginning: the port for each policy. */
export type Ports = Readonly<Record<DuplicatePolicy, number>>;

/** What is left in the process. */
export interface Census {
  /** Heap, buffers included, after garbage collection. */
  readonly bytes: number;
  /** The identities of those who are connected, over all policies. */
  readonly connected: readonly string[];
  readonly timers: number;
  /** The faults since the last census. */
  readonly faults: readonly string[];
  /** How many handshakes were refused since the last census, by reason. */
  readonly refused: Readonly<Record<string, number>>;
  /** The close codes of the connections that ended since the last census, and how many each. */
  readonly closed: Readonly<Record<string, number>>;
  /** How many violations of the protocol there were since the last census, by reason. */
  readonly violations: Readonly<Record<string, number>>;
  /** What Node warns of: listeners that leak, for example. */
  readonly warnings: readonly string[];
}

/** Bounds that tests can reach quickly. */
export const limits = {
  handshakeTimeoutMs: 1000,
  maxHandshakes: 100,
  maxConnections: 150,
  pingIntervalMs: 300,
  closeTimeoutMs: 200,
} as const;

const policies = ["probe", "replace", "reject"] as const satisfies readonly DuplicatePolicy[];
const systems: CentralSystem[] = [];
const warnings: string[] = [];
let faults: string[] = [];
let refused: Record<string, number> = {};
let closed: Record<string, number> = {};
let violations: Record<string, number> = {};
process.on("warning", ({ message }) => warnings.push(message));

async function open(duplicates: DuplicatePolicy): Promise<number> {
  const system = new CentralSystem({ duplicates, probeTimeoutMs: 300 });
  systems.push(system);
  system.handle("BootNotification", () => ({ status: "Accepted", currentTime: "2026-01-01T00:00:00Z", interval: 300 }));
  system.handle("Heartbeat", () => ({ currentTime: new Date().toISOString() }));
  system.handle("DataTransfer", () => ({ status: "Accepted", data: "x".repeat(1000) }));
  system.on("fault", ({ error }) => faults.push(String(error)));
  system.on("refused", ({ reason }) => {
    refused[reason] = (refused[reason] ?? 0) + 1;
  });
  system.on("disconnected", ({ code }) => {
    closed[code] = (closed[code] ?? 0) + 1;
  });
  system.on("violation", ({ reason }) => {
    violations[reason] = (violations[reason] ?? 0) + 1;
  });
  const listener = await listen(system, {
    ...limits,
    path: "/ocpp",
    authenticate: async ({ password }) => password !== undefined && Buffer.from(password).toString() === "right",
  });
  return listener.port;
}

const sockets = (): number => process.getActiveResourcesInfo().filter((name) => name === "TCPSocketWrap").length;

/** Answers once no more than `expected` sockets are open; if that never comes, the test gives up. */
async function census(expected: number): Promise<Census> {
  while (sockets() > expected) await setImmediate();
  globalThis.gc?.();
  await setImmediate();
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  const found: Census = {
    bytes: heapUsed + external,
    connected: systems.flatMap((system) => [...system.connections()].map(({ identity }) => identity)),
    // One that has come due is an immediate, until what is readable has been read.
    timers: process.getActiveResourcesInfo().filter((name) => name === "Timeout" || name === "Immediate").length,
    faults,
    refused,
    closed,
    violations,
    warnings,
  };
  faults = [];
  refused = {};
  closed = {};
  violations = {};
  return found;
}

process.on("message", async (expected: number) => process.send?.(await census(expected)));
process.on("disconnect", () => process.exit());
process.send?.(Object.fromEntries(await Promise.all(policies.map(async (policy) => [policy, await open(policy)]))));
