/* Runs the parts that it is given the names of, or all of them; with --json FILE the figures go there, too. */
import { writeFileSync } from "node:fs";
import { availableParallelism, cpus } from "node:os";
import { chargers } from "./chargers.ts";
import { codec } from "./codec.ts";
import { fullQueue } from "./full-queue.ts";
import { memory } from "./memory.ts";
import { reported } from "./report.ts";
import { curves, server, storm } from "./server/run.ts";
import { startUp } from "./start-up.ts";

const parts: Readonly<Record<string, () => Promise<unknown>>> = {
  codec,
  queue: fullQueue,
  memory,
  start: startUp,
  chargers,
  server,
  storm,
  curves,
};

const names = process.argv.slice(2).filter((name) => name in parts);
console.log(`Node.js ${process.versions.node}, ${availableParallelism()} of ${cpus()[0]?.model}`);
for (const name of names.length > 0 ? names : Object.keys(parts)) await parts[name]?.();
const json = process.argv.indexOf("--json");
const path = process.argv[json + 1];
if (json >= 0 && path !== undefined) writeFileSync(path, JSON.stringify(reported, undefined, 2));
process.exit();
