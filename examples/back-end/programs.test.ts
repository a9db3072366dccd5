import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Connection } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { boot, start, stop } from "./test-back-end.ts";

const examples = fileURLToPath(new URL("..", import.meta.url));

let child: ChildProcess | undefined;
let output: string;
let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "ocppj-back-end-program-"));
});
afterEach(async () => {
  child?.kill("SIGKILL");
  await rm(folder, { recursive: true });
});

/** Starts a program of the examples; resolves when it has said something, with that. */
function run(file: string, args: readonly string[], pattern: RegExp): Promise<RegExpExecArray> {
  const program = spawn(process.execPath, ["--import", "tsx", file, ...args], { cwd: examples, env: withoutToken });
  child = program;
  output = "";
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      output += chunk;
      const found = pattern.exec(output);
      if (found !== null) resolve(found);
    };
    program.stdout.on("data", read);
    program.stderr.on("data", read);
    program.once("close", () => reject(new Error(`It ended without saying ${pattern}:\n${output}`)));
  });
}

const { API_TOKEN: _, ...withoutToken } = process.env;

/** Sends a signal; resolves with the exit code. */
function end(signal: NodeJS.Signals): Promise<number | null> {
  return new Promise((resolve) => {
    child?.once("close", resolve);
    child?.kill(signal);
  });
}

describe("main", { timeout: 60_000 }, () => {
  const args = (): string[] => [
    "--open",
    "--port",
    "0",
    "--api-port",
    "0",
    "--file",
    join(folder, "new", "test.sqlite"),
  ];
  const urls = /(?<api>http:\S+)\/[\s\S]*(?<chargers>ws:\S+\/ocpp)/;

  async function connection(url: string): Promise<Connection<"ChargePoint">> {
    return new Connection(await connect()({ url, identity: "CP001" }), { role: "ChargePoint", identity: "CP001" });
  }

  it("ends with 0 after SIGTERM, asks the chargers to come back, and goes on where it was", async () => {
    const first = await run("back-end/main.ts", args(), urls);
    const charger = await connection(first.groups?.chargers ?? "");
    await charger.call("BootNotification", boot);
    await charger.call("StartTransaction", start());
    const closed = new Promise((resolve) => charger.once("closed", resolve));
    expect(await end("SIGTERM")).toBe(0);
    expect(await closed).toMatchObject({ code: 1012 });

    const second = await run("back-end/main.ts", args(), urls);
    const again = await connection(second.groups?.chargers ?? "");
    await again.call("StopTransaction", stop(1));
    again.close();
    const transactions = await (await fetch(`${second.groups?.api}/transactions`)).json();
    expect(transactions).toMatchObject([{ transactionId: 1, meterStart: 5000, meterStop: 5360 }]);
    expect(await end("SIGINT")).toBe(0);
  });

  it("has lost nothing that a charger has an answer to when it is killed", async () => {
    const first = await run("back-end/main.ts", args(), urls);
    const charger = await connection(first.groups?.chargers ?? "");
    await charger.call("BootNotification", boot);
    await charger.call("StartTransaction", start());
    await charger.call("StopTransaction", stop(1));
    await end("SIGKILL");

    const second = await run("back-end/main.ts", args(), urls);
    const transactions = await (await fetch(`${second.groups?.api}/transactions`)).json();
    expect(transactions).toMatchObject([{ transactionId: 1, meterStop: 5360 }]);
  });

  it("ends with 1 and a sentence when the API would be open to the network", async () => {
    await expect(run("back-end/main.ts", [...args(), "--api-host", "0.0.0.0"], urls)).rejects.toThrow("give a token");
    expect(child?.exitCode).toBe(1);
  });
});

describe("demo --back-end", { timeout: 60_000 }, () => {
  it("holds the session, shows it on the page, and goes on with more chargers until Ctrl-C", async () => {
    const [, url] = await run("demo.ts", ["--back-end"], /come and go at\s+(http:\S+)\//);

    expect(output).toMatch(/StopTransaction .* transaction 1, 5360 Wh, Remote ✓/);
    const transactions = await (await fetch(`${url}/transactions?identity=CP001`)).json();
    expect(transactions).toMatchObject([{ energyWh: 360, stopReason: "Remote", idTagStatus: "Accepted" }]);
    expect(await (await fetch(`${url}/transactions/suspicions?identity=CP001`)).json()).toEqual([]);
    const chargers = (await (await fetch(`${url}/chargers`)).json()) as { identity: string }[];
    expect(chargers.map(({ identity }) => identity)).toEqual(["CP001", "CP002", "CP003", "CP004"]);
    expect(await (await fetch(`${url}/`)).text()).toContain("<title>Chargers</title>");

    const lastBootOf = async (): Promise<string> =>
      ((await (await fetch(`${url}/chargers/CP002`)).json()) as { lastBootAt: string }).lastBootAt;
    const before = await lastBootOf();
    const reset = { method: "POST", headers: { "Content-Type": "application/json" }, body: '{"type": "Hard"}' };
    expect(await (await fetch(`${url}/chargers/CP002/calls/Reset`, reset)).json()).toEqual({ status: "Accepted" });
    await expect.poll(lastBootOf, { timeout: 20_000 }).not.toBe(before);
    expect(await end("SIGINT")).toBe(0);
  });

  it("ends with 1 and a sentence when the session fails", async () => {
    const failing = run("demo.ts", ["--back-end", "--id-tag", "UNKNOWN"], /come and go/);
    await expect(failing).rejects.toThrow(/The demo failed: The status of card\s+UNKNOWN/);
    expect(child?.exitCode).toBe(1);
  });
});
