/* A central system in a process of its own: argv[2] is the name of the contender. It tells what it has used. */
import { monitorEventLoopDelay } from "node:perf_hooks";
import { serveOrders } from "./child.ts";
import { type ContenderName, contenders } from "./contenders.ts";

const contender = await contenders[process.argv[2] as ContenderName]();
const delays = monitorEventLoopDelay({ resolution: 1 });
delays.enable();

export const orders = {
  url: (): string => contender.url,

  /** What was used since the process began: CPU in microseconds, resident memory in bytes; and the longest stall since last asked, in ms. */
  usage: () => {
    const { user, system } = process.cpuUsage();
    const longestStallMs = delays.max / 1e6;
    delays.reset();
    return { cpu: user + system, longestStallMs };
  },

  /** Resident memory in bytes, once nothing is left that nobody needs. */
  resident: async (): Promise<number> => {
    for (let time = 0; time < 5; time++) {
      globalThis.gc?.();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    return process.memoryUsage.rss();
  },

  /** Calls chargers in turns, so many per second; resolves with how many CALLs were answered. */
  call: async ({ identities, perSecond, seconds }: { identities: string[]; perSecond: number; seconds: number }) => {
    let answered = 0;
    const begin = performance.now();
    let made = 0;
    const calls: Promise<unknown>[] = [];
    while (made < perSecond * seconds) {
      const due = Math.min(perSecond * seconds, ((performance.now() - begin) / 1000) * perSecond);
      for (; made < due; made++) {
        const call = contender.call(identities[made % identities.length] ?? "", "GetConfiguration", {
          key: ["HeartbeatInterval"],
        });
        calls.push(call.then(() => answered++));
      }
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await Promise.all(calls);
    return answered;
  },
};

serveOrders(orders);
