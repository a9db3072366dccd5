/** Whole chargers with simulated hardware in one process, with their Central System and without a network. */
import { Charger, simulatedHardware } from "@ocppj/charger";
import { CentralSystem, memoryStore, type Transport, type TransportListener } from "@ocppj/core";
import { report } from "./report.ts";

const quick = process.argv.includes("--quick");
const many = quick ? 1000 : 10_000;
const idleMs = quick ? 3000 : 20_000;

/** Two ends of a connection, each told in a later turn. */
function link(): readonly [Transport, Transport] {
  const listeners: (TransportListener | undefined)[] = [undefined, undefined];
  const waiting: string[][] = [[], []];
  const end = (own: 0 | 1): Transport => {
    const other = own === 0 ? 1 : 0;
    return {
      listen: (listener) => {
        listeners[own] = listener;
        for (const text of waiting[own]?.splice(0) ?? []) setImmediate(() => listener.message(text));
      },
      send: (text) => {
        const listener = listeners[other];
        if (listener === undefined) waiting[other]?.push(text);
        else setImmediate(() => listener.message(text));
      },
      close: () => {},
    };
  };
  return [end(0), end(1)];
}

function accepting(): CentralSystem {
  const centralSystem = new CentralSystem();
  const currentTime = (): string => new Date().toISOString();
  centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime: currentTime(), interval: 300 }));
  centralSystem.handle("Heartbeat", () => ({ currentTime: currentTime() }));
  centralSystem.handle("StatusNotification", () => ({}));
  return centralSystem;
}

/** Starts chargers; resolves once all of them are registered. */
async function start(count: number): Promise<readonly Charger[]> {
  const centralSystem = accepting();
  const chargers: Charger[] = [];
  const registered = new Promise<void>((resolve) => {
    let registrations = 0;
    centralSystem.on("registration", () => ++registrations === count && resolve());
  });
  for (let index = 0; index < count; index++) {
    const charger = new Charger({
      identity: `CP${index}`,
      url: "ws://central.example.com/ocpp",
      boot: { chargePointVendor: "V", chargePointModel: "M" },
      store: memoryStore(),
      hardware: simulatedHardware({ connectors: 2 }),
      connect: () => async (target) => {
        const [chargePoint, other] = link();
        centralSystem.accept(other, target.identity);
        return chargePoint;
      },
    });
    chargers.push(charger);
    await charger.start();
  }
  await registered;
  await new Promise((resolve) => setTimeout(resolve, 1000)); // Their statuses.
  return chargers;
}

const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === "Timeout").length;

function used(): { readonly heap: number; readonly resident: number } {
  for (let time = 0; time < 3; time++) globalThis.gc?.();
  const { external, heapUsed, rss } = process.memoryUsage();
  return { heap: heapUsed + external, resident: rss };
}

export async function chargers(): Promise<void> {
  const before = used();
  const timersBefore = timers();
  const all = [...(await start(1000))];
  const { user, system } = process.cpuUsage();
  await new Promise((resolve) => setTimeout(resolve, idleMs));
  const after = process.cpuUsage({ user, system });
  const busy = (after.user + after.system) / 10 / idleMs;
  all.push(...(await start(many - 1000)));
  const { heap, resident } = used();
  report("A thousand idle chargers with two connectors each", "% of a core", { busy: [busy] }, 2);
  report(
    `${many} of them in one process, with their ends of the Central System: each`,
    "kB",
    { heap: [(heap - before.heap) / many / 1000], resident: [(resident - before.resident) / many / 1000] },
    1,
  );
  report("Timers for each of them", "timers", { timers: [(timers() - timersBefore) / many] }, 2);
  for (const charger of all) await charger.stop();
}
