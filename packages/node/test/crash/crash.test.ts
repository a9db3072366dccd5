import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { seeded } from "@ocppj/testing";
import { build } from "esbuild";
import { expect, onTestFailed, onTestFinished, test } from "vitest";
import { durableStore } from "../../src/index.ts";
import { expectHonest } from "./audit.ts";
import { CrashingCharger, type StartCharger } from "./crashing-charger.ts";
import { UnreliableCentralSystem } from "./unreliable-central-system.ts";

/** How often the chargers crash, all together. */
const crashes = Number(process.env.CRASHES ?? 200);
/** For everything that is random, except the speed of the machine. */
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);

/** Makes one file of the program of a charger, because it starts four times faster then. */
async function bundle(folder: string): Promise<string> {
  const outfile = join(folder, "charger.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("charger-process.ts", import.meta.url))],
    outfile,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["ws"],
  });
  symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(folder, "node_modules"));
  return outfile;
}

/** Starts the program of a charger in a process of its own. */
function startProcess(program: string, location: string): StartCharger {
  return async (run, log) => {
    const child = spawn(process.execPath, [program, JSON.stringify(run), location], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    onTestFinished(() => void child.kill("SIGKILL"));
    let unfinished = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      const lines = (unfinished + text).split("\n");
      unfinished = lines.pop() ?? "";
      for (const line of lines) log(JSON.parse(line));
    });
    const closed = once(child, "close"); // Not `exit`: what it has written is read to the end.
    return {
      over: closed.then(([code]) => expect(code).toBe(0)),
      async kill() {
        child.kill("SIGKILL");
        expect(await closed).toEqual([null, "SIGKILL"]);
      },
    };
  };
}

test("a process tells the Central System what happened, each event in its place and with the id of its transaction, when it is killed at random moments [CORE-TXQ-01] [CORE-TXQ-02] [CORE-TXQ-03] [CORE-TXQ-16]", {
  timeout: 60_000 + 1000 * crashes,
}, async () => {
  onTestFailed(() => void process.stderr.write(`To repeat it, set CRASH_SEED=${seed}\n`));
  const folder = mkdtempSync(join(tmpdir(), "ocppj-crash-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const program = await bundle(folder);
  const centralSystem = await UnreliableCentralSystem.listen(seeded(seed));
  onTestFinished(() => centralSystem.close());

  const identities = ["CP1", "CP2", "CP3"];
  const chargers = identities.map((identity, index) => {
    const start = startProcess(program, join(folder, identity));
    return new CrashingCharger(identity, start, centralSystem, seed + index);
  });
  let left = crashes;
  const crashOften = async (charger: CrashingCharger): Promise<void> => {
    while (left-- > 0) await charger.crash();
  };
  await Promise.all(chargers.map(crashOften));
  centralSystem.reliable = true;
  for (const charger of chargers) await charger.finish();

  expectHonest(chargers.map(({ books }) => books));
  expect(centralSystem.violations).toEqual([]);
  for (const identity of identities) {
    const store = durableStore(join(folder, identity));
    const keys = (await store.load("")).map(({ key }) => key);
    expect(keys.filter((key) => !key.startsWith("configuration/"))).toEqual([]);
    await store.close();
  }
});
