/** What a central system costs its process, beside the least that can be written and beside another library. */
import { fileURLToPath } from "node:url";
import { add, type Figures } from "../figures.ts";
import { meterValues, smallMeterValues } from "../messages.ts";
import { report } from "../report.ts";
import { Child } from "./child.ts";
import type { ContenderName } from "./contenders.ts";
import type { orders as loadOrders } from "./load.ts";
import type { orders as serverOrders } from "./server.ts";

type Server = Child<typeof serverOrders>;
type Load = Child<typeof loadOrders>;

const names: readonly ContenderName[] = ["bare", "ocpp-rpc", "ocppj"];
const isQuick = process.argv.includes("--quick");
const rounds = isQuick ? 3 : 5;
const seconds = isQuick ? 2 : 4;
const program = (name: string): string => fileURLToPath(new URL(`server-${name}.mjs`, import.meta.url));

/** A server with chargers that have booted. */
interface Site {
  readonly name: ContenderName;
  readonly server: Server;
  readonly load: Load;
}

async function opened(name: ContenderName, chargers: number): Promise<Site> {
  const server: Server = new Child(program("server"), [name]);
  const load: Load = new Child(program("load"), []);
  await load.order("connect", { url: await server.order("url"), count: chargers });
  return { name, server, load };
}

const ended = ({ server, load }: Site): void => {
  load.end();
  server.end();
};

/** Lets contenders take turns, so that what slows the machine slows all of them. The first turn is to warm up. */
async function inTurns(sites: readonly Site[], measure: (site: Site) => Promise<number>): Promise<Figures> {
  const figures: Record<string, number[]> = {};
  for (let round = 0; round <= rounds; round++) {
    for (const site of sites) {
      const figure = await measure(site);
      if (round > 0) add(figures, site.name, figure);
    }
  }
  return figures;
}

/** CPU of the server in microseconds for each of so many things. */
async function cpuPer(count: number, server: Server, act: () => Promise<unknown>): Promise<number> {
  const { cpu: before } = await server.order("usage");
  await act();
  const { cpu: after } = await server.order("usage");
  return (after - before) / count;
}

/** CPU for each CALL of chargers. */
async function perCall(sites: readonly Site[], action: string, req: object, perSecond: number): Promise<Figures> {
  const given = { action, payload: JSON.stringify(req), perSecond, seconds };
  const late: Record<string, { p50: number; p99: number; most: number }> = {};
  const figures = await inTurns(sites, ({ name, server, load }) =>
    cpuPer(perSecond * seconds, server, async () => {
      const { answered, refused, ...latencies } = await load.order("send", given);
      if (answered !== perSecond * seconds || refused > 0)
        throw new Error(`${name}: ${answered} answers, ${refused} refused`);
      late[name] = latencies;
    }),
  );
  for (const [name, { p50, p99, most }] of Object.entries(late)) {
    console.log(
      `  ${name.padEnd(20)} last round: median ${p50.toFixed(1)}, 99 % ${p99.toFixed(1)}, most ${most.toFixed(1)} ms`,
    );
  }
  return figures;
}

export async function server(): Promise<void> {
  const sites = await Promise.all(names.map((name) => opened(name, 50)));
  const what = "of 50 chargers, 6000 a second: each";
  report(`Heartbeats ${what}`, "µs of CPU", await perCall(sites, "Heartbeat", {}, 6000));
  report(`MeterValues of 1.2 kB ${what}`, "µs of CPU", await perCall(sites, "MeterValues", meterValues(1), 6000));
  const identities = Array.from({ length: 50 }, (_, index) => `CP${index}`);
  const called = await inTurns(sites, ({ server }) =>
    cpuPer(2000 * seconds, server, () => server.order("call", { identities, perSecond: 2000, seconds })),
  );
  report("CALLs to 50 chargers, 2000 a second: each", "µs of CPU", called);
  sites.forEach(ended);
}

/** Chargers that connect, boot, and send a status, in a new process. */
export async function storm(count = isQuick ? 1000 : 5000): Promise<void> {
  const cpu: Record<string, number[]> = {};
  const stalls: Record<string, number[]> = {};
  const resident: Record<string, number[]> = {};
  for (let round = 0; round < (isQuick ? 1 : 3); round++) {
    for (const name of names) {
      const server: Server = new Child(program("server"), [name]);
      const load: Load = new Child(program("load"), []);
      const url = await server.order("url");
      const before = await server.order("resident");
      const { cpu: began } = await server.order("usage");
      await load.order("connect", { url, count });
      const { cpu: ends, longestStallMs } = await server.order("usage");
      add(cpu, name, (ends - began) / count);
      add(stalls, name, longestStallMs);
      add(resident, name, ((await server.order("resident")) - before) / count / 1024);
      ended({ name, server, load });
    }
  }
  report(`${count} chargers connect, boot and send a status: each`, "µs of CPU", cpu);
  report("The longest stall of the event loop meanwhile", "ms", stalls);
  report("Resident memory for each of them, once they are idle", "KiB", resident);
}

/** How CPU grows with chargers and with bytes. */
export async function curves(): Promise<void> {
  const contenders = names.filter((name) => name !== "ocpp-rpc");
  for (const chargers of [10, 100, 1000, 5000]) {
    const sites = await Promise.all(contenders.map((name) => opened(name, chargers)));
    report(`${chargers} chargers: each Heartbeat`, "µs of CPU", await perCall(sites, "Heartbeat", {}, 5000));
    sites.forEach(ended);
  }
  const sites = await Promise.all(contenders.map((name) => opened(name, 50)));
  const sizes = [
    [smallMeterValues, 5000],
    [meterValues(1), 4000],
    [meterValues(9), 800],
    [meterValues(95), 80],
  ] as const;
  for (const [req, perSecond] of sizes) {
    const kilobytes = JSON.stringify(req).length / 1000;
    const figures = await perCall(sites, "MeterValues", req, perSecond);
    const perKilobyte = Object.entries(figures).map(([name, values]) => [
      name,
      values.map((value) => value / kilobytes),
    ]);
    report(`MeterValues of ${kilobytes.toFixed(1)} kB: each kB`, "µs of CPU", Object.fromEntries(perKilobyte));
  }
  sites.forEach(ended);
}
