import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import {
  type ActionFrom,
  CallError,
  CallTimeoutError,
  CentralSystem,
  ChargePoint,
  Connection,
  ConnectionClosedError,
  type ErrorCode,
  HandshakeError,
  NotAcceptedError,
  PayloadError,
  type Transport,
} from "@ocppj/core";
import { connect, listen } from "@ocppj/node";
import { afterEach, describe, expect, it } from "vitest";
import { diagrams, stateDiagram } from "./diagrams.ts";
import { plots } from "./plots.ts";
import { markdownFiles, sync, syncAll } from "./sync-snippets.ts";

const examples = fileURLToPath(new URL("../examples", import.meta.url));
const snippets = readdirSync(`${examples}/snippets`);
const running = new Set<ChildProcess>();

/** What a charge point gets that the central system does not know, as if that listened on port 9000. */
async function handshakeError(): Promise<Error> {
  const listener = await listen(new CentralSystem(), { path: "/ocpp", authenticate: () => "unknown-identity" });
  const error: unknown = await connect()({ url: listener.url, identity: "CP001" }).catch((error: unknown) => error);
  await listener.close();
  if (!(error instanceof HandshakeError)) throw error;
  return new Error(error.message.replace(`:${listener.port}/`, ":9000/"));
}

/** What a charge point throws that has no room for a second transaction. */
async function fullQueueError(): Promise<Error> {
  const chargePoint = new ChargePoint({
    identity: "CP001",
    url: "ws://central.example.com/ocpp",
    connect: () => new Promise(() => {}),
    boot: { chargePointVendor: "VENDOR", chargePointModel: "CP001" },
    maxQueuedMessages: 2,
  });
  await chargePoint.start();
  const start = (connectorId: number) =>
    chargePoint.startTransaction({ connectorId, idTag: "04E91C5A", meterStart: 0 });
  start(1);
  try {
    start(2);
  } catch (error) {
    if (error instanceof RangeError) return error;
    throw error;
  }
  throw new Error("The second transaction was started.");
}

/** Starts a snippet as a program; `output` grows while it runs. */
function start(snippet: string, args: readonly string[] = [], env: NodeJS.ProcessEnv = {}) {
  const flags = ["--import", "tsx", `snippets/${snippet}`, ...args];
  const child = spawn(process.execPath, flags, { cwd: examples, env: { ...process.env, ...env } });
  running.add(child);
  const program = { output: "", child, ended: new Promise<number | null>((resolve) => child.once("close", resolve)) };
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      program.output += text;
    });
  }
  return program;
}

/** Resolves with what a program has said, once it has; rejects when it ends without. */
function said(program: ReturnType<typeof start>, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    const look = (): void => {
      const [found] = pattern.exec(program.output) ?? [];
      if (found !== undefined) resolve(found);
    };
    for (const stream of [program.child.stdout, program.child.stderr]) stream.on("data", look);
    void program.ended.then(() => reject(new Error(`It ended without saying ${pattern}:\n${program.output}`)));
    look();
  });
}

afterEach(() => {
  for (const child of running) child.kill("SIGKILL");
  running.clear();
});

describe("documentation", { timeout: 30_000 }, () => {
  it("shows code as it is in its source, and no code without a source", () => {
    expect(syncAll({ write: false })).toEqual([]);
  });

  it("shows every plot that is drawn, and no other", () => {
    const shown = markdownFiles().flatMap((file) => {
      const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
      return [...text.matchAll(/\]\(plots\/(\w+)\.svg\)/g)].map(([, name]) => name);
    });
    expect(shown.sort()).toEqual(Object.keys(plots).sort());
    const files = readdirSync(new URL("plots", import.meta.url));
    expect(files.sort()).toEqual(
      Object.keys(plots)
        .map((name) => `${name}.svg`)
        .sort(),
    );
  });

  it("shows every region of every snippet", () => {
    const shown = markdownFiles().map((file) => readFileSync(new URL(`../${file}`, import.meta.url), "utf8"));
    for (const snippet of snippets) {
      const source = readFileSync(`${examples}/snippets/${snippet}`, "utf8");
      for (const [, region] of source.matchAll(/^\/\/ #region (.+)$/gm)) {
        const reference = `snippets/${snippet}#${region}"`;
        expect(
          shown.some((text) => text.includes(reference)),
          reference,
        ).toBe(true);
      }
    }
  });

  /** Those that are programs of their own: not tests, which run as such, and not the two that need each other. */
  const alone = snippets.filter((file) => !/\.test\.ts$|^(central-system|charge-point)\.ts$/.test(file));

  it.each(alone)("shows a snippet that runs: %s", async (snippet) => {
    const program = start(snippet);

    expect(await program.ended, program.output).toBe(0);
  });

  it("shows a central system and a charge point that hold a session", async () => {
    const centralSystem = start("central-system.ts", [], { PORT: "0" });
    const url = await said(centralSystem, /ws:\/\/\S+/);
    const store = await mkdtemp(join(tmpdir(), "ocppj-docs-"));
    const chargePoint = start("charge-point.ts", [url], { STORE: store });
    await said(chargePoint, /StopTransaction delivered\n/);
    chargePoint.child.kill(); // By itself it stays connected.
    await chargePoint.ended;
    await rm(store, { recursive: true });

    expect(chargePoint.output.split("\n").slice(0, -1)).toEqual([
      "The central system says Accepted",
      "StartTransaction delivered",
      "MeterValues delivered",
      "StopTransaction delivered",
    ]);
    const called = [...centralSystem.output.matchAll(/^CP001 in \[2,"[\w-]+","(\w+)"/gm)].map(([, action]) => action);
    expect(called).toEqual([
      "BootNotification",
      "StatusNotification",
      "Authorize",
      "StartTransaction",
      "MeterValues",
      "StopTransaction",
    ]);
  });

  it("shows two programs that say why a charger does not register", async () => {
    const centralSystem = start("central-system.ts", [], { PORT: "0" });
    const url = await said(centralSystem, /ws:\/\/\S+/);
    const store = await mkdtemp(join(tmpdir(), "ocppj-docs-"));
    const chargePoint = start("charge-point.ts", [`${url}-elsewhere`], { STORE: store });
    await said(chargePoint, /HandshakeError: .* answered HTTP 404.*\n/);
    await said(centralSystem, /"\/ocpp-elsewhere\/CP001".*\n/);
    const transport = await connect()({ url, identity: "CP002" });
    transport.listen({ message: () => {}, close: () => {} });
    transport.send('[2,"1","BootNotification",{}]');
    await said(centralSystem, /CP002 breaks the protocol: .*is missing.*\n/);
    transport.close();
    chargePoint.child.kill();
    await chargePoint.ended;
    await rm(store, { recursive: true });
  });

  it("quotes error messages as the classes word them", async () => {
    const page = readFileSync(new URL("errors.md", import.meta.url), "utf8").replaceAll(/\n(> )?/g, " ");
    const issue = { path: "idTag", message: "is longer than 20 characters (it has 22)" };
    const messages = [
      new CallError("NotSupported", "Reset is not supported here.", { action: "Reset", messageId: "42" }),
      new PayloadError({
        origin: "local",
        action: "Authorize",
        kind: "req",
        issues: [{ ...issue, code: "PropertyConstraintViolation" }],
      }),
      new CallTimeoutError("StopTransaction", "42", 30_000, true),
      new ConnectionClosedError("StopTransaction", { code: 1006, reason: "", sent: true }),
      new ConnectionClosedError("StopTransaction", {
        code: 1001,
        reason: "The Central System shuts down",
        sent: false,
      }),
      new NotAcceptedError("Authorize", "Pending"),
      await handshakeError(),
      await fullQueueError(),
    ].map(({ message }) => message);

    for (const message of messages) expect(page).toContain(message);
  });

  const mistakes: Record<string, [ErrorCode, ActionFrom<"ChargePoint">, unknown]> = {
    "a required field is missing": ["ProtocolError", "Authorize", {}],
    "a field that the action does not have": ["FormationViolation", "Heartbeat", { idTag: "1" }],
    "the payload is not an object": ["FormationViolation", "Heartbeat", []],
    "a field has the wrong JSON type, `null` included": ["TypeConstraintViolation", "Authorize", { idTag: null }],
    "a value that the enumeration does not have": [
      "PropertyConstraintViolation",
      "FirmwareStatusNotification",
      { status: "Burning" },
    ],
    "a text that is too long": ["PropertyConstraintViolation", "Authorize", { idTag: "x".repeat(21) }],
    "a number out of range, or with too many decimals": [
      "PropertyConstraintViolation",
      "StatusNotification",
      { connectorId: -1, errorCode: "NoError", status: "Available" },
    ],
    "a text that is no date-time or URI": [
      "PropertyConstraintViolation",
      "StopTransaction",
      { transactionId: 1, meterStop: 1, timestamp: "yesterday" },
    ],
    "an empty list where one element is required": [
      "OccurenceConstraintViolation",
      "MeterValues",
      { connectorId: 1, meterValue: [] },
    ],
  };

  it.each(Object.entries(mistakes))("tells the code that is sent when %s", async (what, [code, action, payload]) => {
    const page = readFileSync(new URL("errors.md", import.meta.url), "utf8");
    const nowhere: Transport = { listen: () => {}, send: () => {}, close: () => {} };
    const connection = new Connection(nowhere, { role: "ChargePoint", identity: "CP001" });

    await expect(connection.call(action, payload as never)).rejects.toMatchObject({ name: "PayloadError", code });
    expect(page).toContain(`| ${what} | \`${code}\` |`);
  });

  it("has the reason of every run-time dependency, and of no other", () => {
    const page = readFileSync(new URL("dependencies.md", import.meta.url), "utf8");
    const explained = [...page.matchAll(/^\| `(@ocppj\/\w+)` \| \[([\w@/-]+)\]/gm)].map(
      ([, of, name]) => `${of} ${name}`,
    );
    const packages = new URL("../packages/", import.meta.url);
    const dependencies = readdirSync(packages).flatMap((folder) => {
      const manifest = JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), "utf8"));
      const { name, dependencies, private: unpublished } = manifest;
      return unpublished ? [] : Object.keys(dependencies).map((dependency) => `${name} ${dependency}`);
    });

    expect(explained.sort()).toEqual(dependencies.filter((line) => !line.includes(" @ocppj/")).sort());
  });

  it("links only to files and headings that exist", () => {
    for (const file of markdownFiles()) {
      const text = readFileSync(new URL(`../${file}`, import.meta.url), "utf8");
      for (const [, path = "", heading] of text.matchAll(/\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)/g)) {
        const target = new URL(path, new URL(`../${file}`, import.meta.url));
        expect(existsSync(target), `${file} links to ${path}`).toBe(true);
        if (heading === undefined) continue;
        const headings = [...readFileSync(target, "utf8").matchAll(/^#+ (.+)$/gm)].map(([, title = ""]) =>
          title
            .toLowerCase()
            .replaceAll(/[^\w -]/g, "")
            .replaceAll(" ", "-"),
        );
        expect(headings, `${file} links to ${path}#${heading}`).toContain(heading);
      }
    }
  });
});

describe("stateDiagram", () => {
  it("begins in the first state, and has every transition and every note", () => {
    const transitions = { Idle: { pressed: "Busy" }, Busy: { released: "Idle", broken: "Dead" }, Dead: {} };

    expect(stateDiagram(transitions, { Busy: ["hums", "is warm"] })).toEqual([
      "stateDiagram-v2",
      "  [*] --> Idle",
      "  Idle --> Busy: pressed",
      "  Busy --> Idle: released",
      "  Busy --> Dead: broken",
      "  note right of Busy",
      "    hums",
      "    is warm",
      "  end note",
    ]);
  });

  it.each(Object.keys(diagrams))("draws a diagram that is shown: %s", (machine) => {
    const pages = ["architecture.md", "charge-point.md"].map((page) =>
      readFileSync(new URL(page, import.meta.url), "utf8"),
    );

    for (const page of pages) expect(page).toContain(`\`\`\`mermaid machine="${machine}"`);
  });
});

describe("sync", () => {
  const source = [
    "const before = 1;",
    "  // #region one",
    "  if (before) {",
    "",
    "    go();",
    "  }",
    "  // #endregion",
  ].join("\n");
  const read = (path: string) => (path === "a.ts" ? source : undefined);
  const fence = (info: string, ...lines: string[]) => ["Text", `\`\`\`${info}`, ...lines, "```", "more"].join("\n");
  const filled = fence('ts source="a.ts#one"', "if (before) {", "", "  go();", "}");

  it("fills a fence with its region, without the region's indentation", () => {
    const { text, problems } = sync(fence('ts source="a.ts#one"', "old();"), read);

    expect(text).toBe(filled);
    expect(problems).toEqual(['line 2: the fence differs from source="a.ts#one"']);
  });

  it("leaves a fence alone that is the same", () => {
    expect(sync(filled, read)).toEqual({ text: filled, problems: [] });
  });

  it("fills an indented fence with the indentation of the fence", () => {
    const { text } = sync(['1. ```ts source="a.ts#one"', '   ```ts source="a.ts#one"', "   ```"].join("\n"), read);

    expect(text.split("\n").slice(2, -1)).toEqual(["   if (before) {", "", "     go();", "   }"]);
  });

  it.each([
    ["ts", "the ts fence has no source"],
    ["JavaScript", "the JavaScript fence has no source"],
    ['ts source="a.ts"', "the ts fence has no source"],
    ['ts source="b.ts#one"', "there is no file b.ts"],
    ['ts source="a.ts#two"', 'a.ts has no region "two"'],
    ["mermaid", 'the mermaid fence has no machine="name"'],
    ['mermaid machine="clockwork"', 'the mermaid fence has no machine="name"'],
  ])("refuses a fence that opens with %s", (info, problem) => {
    const markdown = fence(info, "go();");
    const { text, problems } = sync(markdown, read);

    expect(text).toBe(markdown);
    expect(problems).toEqual([expect.stringContaining(`line 2: ${problem}`)]);
  });

  it("fills a mermaid fence with the diagram of its machine", () => {
    const { text, problems } = sync(fence('mermaid machine="reconnection"', "stateDiagram-v2"), read);

    expect(text).toBe(fence('mermaid machine="reconnection"', ...(diagrams.reconnection ?? [])));
    expect(problems).toHaveLength(1);
  });

  it("refuses a region that is there twice, or never ends", () => {
    const read = (path: string) => (path === "a.ts" ? `${source}\n${source}` : source.replace("// #endregion", ""));

    expect(sync(fence('ts source="a.ts#one"'), read).problems).toHaveLength(1);
    expect(sync(fence('ts source="b.ts#one"'), read).problems).toHaveLength(1);
  });

  it("refuses a fence that is never closed", () => {
    expect(sync("Text\n```ts\ngo();", read).problems).toEqual(["line 2: the fence is never closed"]);
  });

  it("leaves fences of other languages alone, and what looks like a fence inside them", () => {
    const markdown = ["````text", "```ts", "go();", "```", "````", "```sh", "go", "```"].join("\n");

    expect(sync(markdown, read)).toEqual({ text: markdown, problems: [] });
  });
});
