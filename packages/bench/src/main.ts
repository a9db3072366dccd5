/**
 * Speed, memory and start-up of the built packages, side by side in one run.
 *
 *   pnpm bench [codec] [queue] [memory] [start] [server] [storm] [curves] [chargers] [--quick] [--json FILE]
 */
import { spawnSync } from "node:child_process";
import { built } from "./built.ts";

for (const program of ["server/server", "server/load", "core", "node"]) await built(program);
const bench = await built("bench");
const { status } = spawnSync(process.execPath, ["--expose-gc", bench, ...process.argv.slice(2)], { stdio: "inherit" });
process.exitCode = status ?? 1;
