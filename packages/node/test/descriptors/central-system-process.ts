/* A Central System as a process, which tells its port, and then its faults, a line each. */
import { writeSync } from "node:fs";
import { CentralSystem } from "@ocppj/core";
import { listen } from "../../src/index.ts";

const tell = (line: string): void => void writeSync(1, `${line}\n`);
const centralSystem = new CentralSystem();
centralSystem.on("fault", ({ error }) => tell(`fault ${(error as Error).message}`));
const { port } = await listen(centralSystem);
tell(`port ${port}`);
