import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { FakeClock } from "@ocppj/testing";
import { build } from "esbuild";
import { expect, onTestFinished, test } from "vitest";
import { DescriptorWatch } from "../../src/handshake/descriptor-watch.ts";
import { clientFrame, handshake, RawSocket } from "../raw-socket.ts";

/** Starts the program under `ulimit -n`; `said` waits for a line that begins with a word, and gives the rest of it. */
async function start(limit: number) {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-descriptors-"));
  const program = join(folder, "central-system.mjs");
  await build({
    entryPoints: [fileURLToPath(new URL("central-system-process.ts", import.meta.url))],
    outfile: program,
    bundle: true,
    platform: "node",
    format: "esm",
    external: ["ws"],
  });
  symlinkSync(fileURLToPath(new URL("../../node_modules", import.meta.url)), join(folder, "node_modules"));
  const child = spawn("sh", ["-c", `ulimit -n ${limit}; exec "$0" "$1"`, process.execPath, program], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const gone = once(child, "close");
  let output = "";
  let changed = (): void => {};
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    changed();
  });
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await gone;
    rmSync(folder, { recursive: true });
  });
  const said = async (word: string): Promise<string> => {
    for (;;) {
      const [, rest] = new RegExp(`^${word} (.*)\n`, "m").exec(output) ?? [];
      if (rest !== undefined) return rest;
      await new Promise<void>((resolve) => {
        changed = resolve;
      });
    }
  };
  return { said };
}

/** A Charge Point that is let in; `undefined` when it is dropped. */
async function admitted(port: number, identity: string): Promise<RawSocket | undefined> {
  const peer = await RawSocket.open(port);
  onTestFinished(() => void peer.socket.destroy());
  peer.request(...handshake(`/${identity}`, "Sec-WebSocket-Protocol: ocpp1.6"));
  const head = await peer.head().catch(() => "");
  return head.startsWith("HTTP/1.1 101") ? peer : undefined;
}

test("Out of file descriptors, it tells so, serves who is there, and lets others in again once some are free", async () => {
  const { said } = await start(64);
  const port = Number(await said("port"));
  const peers: RawSocket[] = [];
  for (let peer = await admitted(port, "CP0"); peer !== undefined; peer = await admitted(port, `CP${peers.length}`)) {
    peers.push(peer);
  }
  expect(await said("fault")).toMatch(
    new RegExp(
      `^No file descriptor is left.* ${peers.length} Charge Points are connected\\. The limit of open files is 64\\.`,
    ),
  );
  for (const peer of peers) {
    peer.write(clientFrame(1, '[2,"1","Heartbeat",{}]'));
    expect((await peer.frame()).payload.toString()).toMatch(/^\[4,"1","SecurityError"/);
  }
  for (const peer of peers.splice(0, 5)) {
    peer.write(clientFrame(8, ""));
    await peer.rest();
  }
  expect(await admitted(port, "newcomer")).toBeDefined();
});

test("What a server reports again and again is told once a minute", async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const watch = new DescriptorWatch(
    clock,
    () => 7,
    ({ message }) => told.push(message),
  );
  onTestFinished(() => watch.stop());
  const full = Object.assign(new Error("accept EMFILE"), { code: "EMFILE" });
  expect([watch.failed(full), watch.failed(full)]).toEqual([true, true]);
  expect(told).toEqual([expect.stringContaining("7 Charge Points are connected")]);
  expect(watch.failed(Object.assign(new Error("accept ECONNABORTED"), { code: "ECONNABORTED" }))).toBe(false);
  await clock.advance(60_000);
  watch.failed(full);
  expect(told).toHaveLength(2);
});
