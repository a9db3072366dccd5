import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect as connectSocket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { describe, expect, it, onTestFinished } from "vitest";
import { Authority } from "../packages/node/test/certificates.ts";
import { Process, Program } from "./test-program.ts";

const programs = ["back-end/main.ts", "charger/main.ts", "demo.ts", "central-system.ts", "charge-point.ts"];

describe("the command line", { timeout: 60_000 }, () => {
  it.each(programs)("of %s: --help says what there is", async (file) => {
    const program = new Program(file, ["--help"]);

    expect(await program.exitCode).toBe(0);
    const source = readFileSync(new URL(file, import.meta.url), "utf8");
    const [, options = ""] = /\n {4}options: \{\n([\s\S]+?)\n {4}\},\n/.exec(source) ?? [];
    const names = [...options.matchAll(/^ {6}"?([\w-]+)"?: \{ type/gm)].map(([, name]) => `--${name}`);
    expect(names.length).toBeGreaterThan(1);
    expect(program.stdout.match(/^ {2}--[\w-]+/gm)?.map((name) => name.trim())).toEqual([...names, "--help"]);
    expect(program.stderr).toBe("");
  });

  it.each(programs)("of %s: what is no option is an error in a sentence, and ends with 2", async (file) => {
    const program = new Program(file, ["--prot", "9000"]);

    expect(await program.exitCode).toBe(2);
    expect(program.stderr.trim()).toBe("✗ Unknown option '--prot'. --help says what there is.");
    expect(program.stdout).toBe("");
  });

  it.each<[file: string, args: readonly string[], sentence: RegExp]>([
    ["back-end/main.ts", ["--port", "90000"], /--port is a whole number from 0 to 65535, not "90000"/],
    ["back-end/main.ts", ["--heartbeat-interval", "0"], /--heartbeat-interval is a whole number from 1/],
    ["back-end/main.ts", ["--heartbeat-interval", "-3"], /--heartbeat-interval is a whole number .*, not "-3"/],
    ["back-end/main.ts", ["--port"], /Option '--port <value>' argument missing/],
    ["back-end/main.ts", ["--wanted", "no-such-folder"], /--wanted: \S+no-such-folder is no folder that can be read/],
    ["back-end/main.ts", ["--tolerate", "longTexts,toString"], /There is no quirk "toString"/],
    ["central-system.ts", ["9000"], /"9000" is one argument too many/],
    ["charge-point.ts", ["ws://127.0.0.1:1/", "CP001"], /"CP001" is one argument too many/],
    ["charger/main.ts", ["--script", "until Accepted, plug 3"], /"plug 3" is no step of a script.*plug <connector>/s],
    ["charger/main.ts", ["--script", "network maybe"], /"network maybe" is no step/],
    ["charger/main.ts", ["--security-profile", "4"], /--security-profile is a whole number from 0 to 3/],
    ["charger/main.ts", ["ws://127.0.0.1:1", "--security-profile", "2"], /securityProfile 2 needs an authorizationKey/],
    ["charger/main.ts", ["ws://127.0.0.1:1", "--authorization-key", "12"], /authorizationKey/],
    ["charger/main.ts", ["wss://127.0.0.1:1", "--security-profile", "3"], /securityProfile 3 needs/],
    ["charger/main.ts", ["http//h"], /is no endpoint URL/],
    ["charger/main.ts", ["--ca", "no-such.pem"], /--ca names a file that can be read/],
  ])("of %s: %j makes no sense, and ends with 2", async (file, args, sentence) => {
    const program = new Program(file, args);

    expect(await program.exitCode).toBe(2);
    expect(program.stderr.replaceAll(/\s+/g, " ")).toMatch(sentence);
    expect(program.stdout).toBe("");
  });
});

it("takes a path from the folder where npx or pnpm were started", { timeout: 30_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-program-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "ca.pem"), (await Authority.create()).certificate);
  const paths = ["--store", "store", "--ca", "ca.pem", "--script", "saved"];
  const charger = new Program("charger/main.ts", ["ws://127.0.0.1:1", ...paths], { INIT_CWD: folder });
  expect(await charger.exitCode, charger.output).toBe(0);
  expect(existsSync(join(folder, "store"))).toBe(true);

  const file = ["--file", "new/test.sqlite", "--port", "0", "--api-port", "0"];
  const backEnd = new Program("back-end/main.ts", file, { INIT_CWD: folder });
  await backEnd.said(chargersUrl);
  expect(existsSync(join(folder, "new", "test.sqlite"))).toBe(true);
});

/** The arguments of a back end on a file of its own. */
function backEndArguments(): string[] {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-program-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return ["--open", "--port", "0", "--api-port", "0", "--file", join(folder, "test.sqlite")];
}

const chargersUrl = /(ws:\S+\/ocpp)/;

/** Connects chargers; resolves when they are connected, with what resolves when none is any more. */
async function fleet(url: string, size: number): Promise<{ readonly closeCodes: Promise<number[]> }> {
  const identities = Array.from({ length: size }, (_, index) => `CP${index}`);
  const ends = identities.map(async (identity) => {
    const connection = new Connection(await connect()({ url, identity }), { role: "ChargePoint", identity });
    const ended = new Promise<number>((resolve) => connection.once("closed", ({ code }) => resolve(code)));
    await connection.call("BootNotification", { chargePointVendor: "VENDOR", chargePointModel: "CP001" });
    return { ended };
  });
  const connected = await Promise.all(ends);
  return { closeCodes: Promise.all(connected.map(({ ended }) => ended)) };
}

/** Connects a charger that does not answer a Close frame: whoever wants to say goodbye to it has to wait. */
async function rudeCharger(url: string): Promise<void> {
  const { hostname, pathname, port } = new URL(`${url}/RUDE`);
  const socket = connectSocket(Number(port), hostname);
  onTestFinished(() => void socket.destroy());
  const headers = ["Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13"];
  const handshake = [...headers, "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==", "Sec-WebSocket-Protocol: ocpp1.6"];
  socket.write(`GET ${pathname} HTTP/1.1\r\n${handshake.join("\r\n")}\r\n\r\n`);
  socket.on("error", () => {});
  await once(socket, "data");
}

/** All chargers of a fleet were asked to come back. */
const moved = (size: number): number[] => Array.from({ length: size }, () => 1012);

describe("whenAskedToEnd", { timeout: 60_000 }, () => {
  it("takes signals that come together for one, which drains", async () => {
    const backEnd = new Program("back-end/main.ts", backEndArguments());
    const [, url = ""] = await backEnd.said(chargersUrl);
    const { closeCodes } = await fleet(url, 20);
    for (const signal of ["SIGINT", "SIGTERM", "SIGINT"] as const) backEnd.signal(signal);

    expect(await closeCodes).toEqual(moved(20));
    expect(await backEnd.exitCode).toBe(0);
  });

  it.each([["SIGINT", 130] as const, ["SIGTERM", 143] as const])(
    "ends at once at a later %s",
    async (signal, exitCode) => {
      const backEnd = new Program("back-end/main.ts", backEndArguments());
      const [, url = ""] = await backEnd.said(chargersUrl);
      await rudeCharger(url);
      backEnd.signal("SIGINT");
      await backEnd.said(/another Ctrl-C ends it at once/);
      backEnd.signal(signal);

      expect(await backEnd.exitCode).toBe(exitCode);
    },
  );

  it("drains although nobody reads any more what the program says", async () => {
    const backEnd = new Program("back-end/main.ts", backEndArguments());
    const [, url = ""] = await backEnd.said(chargersUrl);
    const { closeCodes } = await fleet(url, 20);
    await backEnd.said(/(BootNotification, Accepted[\s\S]*){20}/); // Nothing more is said until the signal.
    for (const output of [backEnd.child.stdout, backEnd.child.stderr]) output.destroy();
    backEnd.signal("SIGINT");

    expect(await closeCodes).toEqual(moved(20));
    expect(await backEnd.exitCode).toBe(0);
  });
});

describe("npx pnpm", { timeout: 120_000 }, () => {
  const { packageManager } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  const command = (args: readonly string[]) => ["--yes", packageManager, "--filter", "./examples", "--silent", ...args];

  // What `npx` and `pnpm` pass on ends at the shell between them, or reaches the program where that has made way for it.
  it.each(["/bin/sh", "/bin/bash"])(
    "drains at Ctrl-C, which the whole process group hears of, with %s",
    async (shell) => {
      const env = { npm_config_script_shell: shell };
      const terminal = new Process("script", ["--quiet", "--command", "bash --norc -i", "/dev/null"], env, "..");
      terminal.child.stdin.write(`npx ${command(["back-end", ...backEndArguments()]).join(" ")}\n`);
      const [, url = ""] = await terminal.said(chargersUrl);
      const { closeCodes } = await fleet(url, 50);
      terminal.child.stdin.write("\u0003");

      expect(await closeCodes).toEqual(moved(50));
      terminal.child.stdin.write("exit\n");
      await terminal.exitCode;
    },
  );

  it("ends the demo at Ctrl-C with a farewell, and with no error", async () => {
    const terminal = new Process("script", ["--quiet", "--command", "bash --norc -i", "/dev/null"], {}, "..");
    terminal.child.stdin.write(`npx --yes ${packageManager} demo --back-end\n`);
    await terminal.said(/come and go/);
    terminal.child.stdin.write("\u0003");
    await terminal.said(/Goodbye/);
    terminal.child.stdin.write("exit\n");
    await terminal.exitCode;
    expect(terminal.output).not.toContain("ELIFECYCLE");
  });

  it.each(["SIGTERM", "SIGKILL"] as const)("leaves nobody behind at %s", async (signal) => {
    const npx = new Process("npx", command(["back-end", ...backEndArguments()]), {}, "..");
    const [, url = ""] = await npx.said(chargersUrl);
    const { closeCodes } = await fleet(url, 20);
    npx.signal(signal);

    expect(await closeCodes).toEqual(moved(20));
    await npx.exitCode; // The outputs are closed: the program has ended, too.
  });
});
