/** What a program has to wait for, and to keep, before it has done anything. */
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { add } from "./figures.ts";
import { report } from "./report.ts";

const file = (name: string): string => fileURLToPath(new URL(`${name}.mjs`, import.meta.url));

/** Programs that import something and end. */
const imports = {
  nothing: "export {}",
  "@ocppj/core": `import ${JSON.stringify(file("core"))}`,
  "@ocppj/node, and core with it": `import ${JSON.stringify(file("node"))}`,
  ws: `import ${JSON.stringify(import.meta.resolve("ws"))}`,
  "ocpp-rpc": `import ${JSON.stringify(import.meta.resolve("ocpp-rpc"))}`,
};

const rounds = 15;

const usage = "const { user, system } = process.cpuUsage(); console.log((user + system) / 1000);";

/** Milliseconds of CPU of a new process until it ends. */
function cpuOf(code: string): number {
  const args = ["--input-type=module", "--eval", `${code};\nprocess.on("exit", () => { ${usage} });`];
  return Number(spawnSync(process.execPath, args, { encoding: "utf8" }).stdout);
}

export async function startUp(): Promise<void> {
  const figures: Record<string, number[]> = {};
  for (let round = 0; round < rounds; round++) {
    for (const [name, code] of Object.entries(imports)) add(figures, name, cpuOf(code));
  }
  report("A new process that imports", "ms of CPU", figures);
  const beyond = Object.entries(figures).map(([name, values]) => [
    name,
    values.map((value, round) => value - (figures.nothing?.[round] ?? 0)),
  ]);
  report("The same, beyond nothing", "ms of CPU", Object.fromEntries(beyond.slice(1)));
}
