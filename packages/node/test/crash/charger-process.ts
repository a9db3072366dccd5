/*
 * The charger as a process, to be killed: argv[2] is its run as JSON, argv[3] the folder of its store. The hardware log
 * goes to the standard output, synchronously: what has been written there outlives the process.
 */

import { writeSync } from "node:fs";
import { seeded } from "@ocppj/testing";
import { connect, durableStore } from "../../src/index.ts";
import { type ChargerRun, runCharger } from "./charger.ts";
import type { LogLine } from "./hardware-log.ts";
import { onSlowDisk } from "./slow-disk.ts";

const [, , json = "", location = ""] = process.argv;
const run: ChargerRun = JSON.parse(json);
const log = (line: LogLine): void => void writeSync(1, `${JSON.stringify(line)}\n`);
const store = durableStore(location, { damaged: ({ message }) => log({ type: "wrong", what: `Damage: ${message}` }) });
// Every other run has many more moments at which something is not yet on the disk.
const slow = run.run % 2 === 1 && !run.last;
await runCharger(run, { connect: connect(), store: slow ? onSlowDisk(store, seeded(run.seed)) : store, log });
