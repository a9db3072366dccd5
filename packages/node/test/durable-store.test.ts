import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { RecordStore } from "@ocppj/core";
import { recordStoreContract } from "@ocppj/testing";
import { ClassicLevel } from "classic-level";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { durableStore } from "../src/index.ts";
import type { Report } from "./durable-store-writer.ts";

const folder = mkdtempSync(join(tmpdir(), "ocppj-durable-store-"));
const opened: RecordStore[] = [];
let locations = 0;

afterEach(async () => {
  vi.restoreAllMocks();
  for (const store of opened.splice(0)) await store.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

/** A path that nothing is at. */
const newLocation = (): string => join(folder, `store-${++locations}`);

/** A store that is closed after the test, and the damage that it has reported. */
function open(location: string) {
  const damages: Error[] = [];
  const store = durableStore(location, { damaged: (damage) => damages.push(damage) });
  opened.push(store);
  return { store, damages };
}

async function keysIn(store: RecordStore): Promise<string[]> {
  return (await store.load("")).map(({ key }) => key);
}

describe("durableStore keeps the contract", () => {
  for (const { title, run } of recordStoreContract((name) => durableStore(join(folder, name)))) test(title, run);
});

describe("durableStore", () => {
  test("touches nothing before it is used, and makes its folder then", async () => {
    const location = join(newLocation(), "charge-points", "CP001");
    const { store } = open(location);
    expect(existsSync(location)).toBe(false);
    await store.put("a", "1");
    expect(readdirSync(location)).toContain("CURRENT");
  });

  test("loads LevelDB only when it is used [trap 20]", () => {
    const script = `
      import { createRequire } from "node:module";
      const loaded = () => Object.keys(createRequire("/").cache).some((path) => path.includes("classic-level"));
      const { durableStore } = await import("./src/index.ts");
      const store = durableStore(${JSON.stringify(newLocation())});
      const early = loaded();
      await store.load("");
      console.log(early, loaded());`;
    const options = ["--import", "tsx", "--input-type=module", "--eval", script];
    expect(execFileSync(process.execPath, options, { cwd: packageFolder, encoding: "utf8" })).toBe("false true\n");
  });

  test("has LevelDB sync every write, those that wait for one another as one", async () => {
    const batch = vi.spyOn(ClassicLevel.prototype, "batch");
    const { store } = open(newLocation());
    await store.put("a", "1");
    await store.delete("a");
    await Promise.all([store.put("b", "1"), store.delete("b"), store.put("c", "1")]);
    const writes = batch.mock.calls as unknown as [operations: { type: string }[], options: unknown][];
    expect(writes.map(([operations]) => operations.map(({ type }) => type))).toEqual([
      ["put"],
      ["del"],
      ["put", "del", "put"],
    ]);
    for (const [, options] of writes) expect(options).toEqual({ sync: true });
  });

  test("says that another store uses the folder, and goes on once that one is closed", async () => {
    const location = newLocation();
    const { store: first } = open(location);
    await first.put("a", "1");
    const { store: second } = open(location);
    const sentence = `The store at ${location} is in use, by another process or by another store of this one. Close that one first.`;
    for (const outcome of await Promise.allSettled([second.put("b", "1"), second.load(""), second.delete("a")])) {
      expect(outcome).toMatchObject({ reason: { message: sentence, cause: { code: "LEVEL_LOCKED" } } });
    }
    await first.close();
    await second.put("b", "1");
    expect(await keysIn(second)).toEqual(["a", "b"]);
  });

  test("says why it cannot be opened", async () => {
    const location = newLocation();
    writeFileSync(location, "");
    const { store, damages } = open(location);
    await expect(store.load("")).rejects.toMatchObject({
      message: `The store at ${location} cannot be opened: EEXIST: file already exists, mkdir '${location}'`,
      cause: { code: "EEXIST" },
    });
    expect(damages).toEqual([]);
  });

  test("says which store has been closed", async () => {
    const location = newLocation();
    const { store } = open(location);
    await store.close();
    for (const operation of [store.put("a", "1"), store.put("a", "1"), store.delete("a"), store.load("")]) {
      await expect(operation).rejects.toThrow(new Error(`The store at ${location} is closed.`));
    }
    expect(existsSync(location)).toBe(false);
  });
});

const packageFolder = fileURLToPath(new URL("..", import.meta.url));

/** A process that writes under `location` until `enough` of what it has reported; then it is killed. */
async function writeUntil(
  enough: (reports: readonly Report[]) => boolean,
  location: string,
  prefix: string,
  shell = 'exec "$0" "$@"',
): Promise<readonly Report[]> {
  const writer = [process.execPath, "--import", "tsx", "test/durable-store-writer.ts", location, prefix];
  const child = spawn("sh", ["-c", shell, ...writer], {
    cwd: packageFolder,
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  const reports: Report[] = [];
  child.on("message", (report: Report) => {
    reports.push(report);
    if (enough(reports)) child.kill("SIGKILL");
  });
  const [[, signal]] = await Promise.all([once(child, "exit"), once(child, "disconnect")]);
  expect(signal).toBe("SIGKILL");
  return reports;
}

const keysOf = (reports: readonly Report[], type: Report["type"]): string[] =>
  reports.filter((report) => report.type === type).map(({ key }) => key);

/** That the store has what was put and not deleted, and does not have what was deleted. */
async function expectKept(store: RecordStore, reports: readonly Report[]): Promise<void> {
  const records = new Map((await store.load("")).map(({ key, value }) => [key, value]));
  // A deletion that was not reported may have happened nevertheless.
  const lasting = keysOf(reports, "put").filter((key) => Number(/\d+$/.exec(key)?.[0]) % 3 !== 0);
  expect(lasting.filter((key) => records.get(key) !== key.repeat(100))).toEqual([]);
  expect(keysOf(reports, "deleted").filter((key) => records.has(key))).toEqual([]);
}

describe("a process that is killed", () => {
  test("leaves everything that has been put, and nothing that has been deleted [CORE-TXQ-16]", {
    timeout: 120_000,
  }, async () => {
    const location = newLocation();
    const reports: Report[] = [];
    for (let round = 0; round < 30; round++) {
      const moment = 1 + ((round * 37) % 100);
      reports.push(...(await writeUntil(({ length }) => length >= moment, location, `${round}/`)));
      const { store, damages } = open(location);
      await expectKept(store, reports);
      expect(damages).toEqual([]);
      await store.close();
    }
    expect(keysOf(reports, "put").length).toBeGreaterThan(30);
    expect(keysOf(reports, "deleted").length).toBeGreaterThan(30);
    expect(keysOf(reports, "failed")).toEqual([]);
  });

  test("keeps others out of the folder as long as it lives, no longer", async () => {
    const location = newLocation();
    const { store } = open(location);
    let refusal: Promise<unknown> | undefined;
    let refused = false;
    const reports = await writeUntil(
      () => {
        refusal ??= store.load("").catch((error) => {
          refused = true;
          return error.message;
        });
        return refused;
      },
      location,
      "",
    );
    expect(await refusal).toMatch(/is in use, by another process/);
    await expectKept(store, reports);
  });
});

describe("a disk that is full", () => {
  test("costs only the writes that fail, not later ones", async () => {
    const location = newLocation();
    // No file can become larger than 64 kB, so each time one is full a write fails in the middle.
    const reports = await writeUntil(
      (reports) => keysOf(reports, "failed").length > 8,
      location,
      "",
      'ulimit -f 128; exec "$0" "$@"',
    );
    const later = reports.slice(reports.findIndex(({ type }) => type === "failed"));
    expect(keysOf(later, "put").length).toBeGreaterThan(100);
    const { store } = open(location);
    await expectKept(store, reports);
  });
});

describe("damaged files", () => {
  const records = (session: string) => Array.from({ length: 200 }, (_, index) => `${session}/${1000 + index}`);
  const all = ["a", "b", "c"].flatMap(records);
  const textOf = (key: string) => `${key}, `.repeat(40);

  /** Puts `a` into a table, `b` into another, `c` into the log. */
  async function fill(location: string): Promise<void> {
    for (const session of ["a", "b", "c"]) {
      const { store } = open(location);
      for (const key of records(session)) await store.put(key, textOf(key));
      await store.close();
    }
  }

  /** Replaces the content of the first file with such a name; `undefined` removes it. */
  function change(location: string, name: RegExp, content: (before: Buffer) => Buffer | undefined): void {
    const [file = ""] = readdirSync(location)
      .filter((file) => name.test(file))
      .sort();
    const path = join(location, file);
    const after = content(readFileSync(path));
    if (after === undefined) rmSync(path);
    else writeFileSync(path, after);
  }

  const lost = () => undefined;
  const empty = () => Buffer.alloc(0);
  const half = (bytes: Buffer) => bytes.subarray(0, bytes.length >> 1);
  const garbage = (bytes: Buffer) => bytes.fill(0xa5, bytes.length >> 2, bytes.length >> 1);
  const zeros = (bytes: Buffer) => bytes.fill(0, 1024, 5120);

  test.each([
    ["a lost CURRENT", /^CURRENT$/, lost, ["a", "b", "c"]],
    ["an empty CURRENT", /^CURRENT$/, empty, ["a", "b", "c"]],
    ["a CURRENT cut off", /^CURRENT$/, half, ["a", "b", "c"]],
    ["a lost MANIFEST", /^MANIFEST/, lost, ["a", "b", "c"]],
    ["an empty MANIFEST", /^MANIFEST/, empty, ["a", "b", "c"]],
    ["a MANIFEST cut off", /^MANIFEST/, half, ["a", "b", "c"]],
    ["a MANIFEST of garbage", /^MANIFEST/, garbage, ["a", "b", "c"]],
    ["a lost table", /\.ldb$/, lost, ["b", "c"]],
    ["an empty table", /\.ldb$/, empty, ["b", "c"]],
    ["a table cut off", /\.ldb$/, half, ["b", "c"]],
    ["a table with garbage", /\.ldb$/, garbage, ["b", "c"]],
    ["a table with zeros", /\.ldb$/, zeros, ["b", "c"]],
    ["a log with garbage", /\.log$/, garbage, ["a", "b"]],
    ["a log with zeros", /\.log$/, zeros, ["a", "b"]],
  ])("keeps the rest of the records in spite of %s, and says so", async (_, name, content, intact) => {
    const location = newLocation();
    await fill(location);
    change(location, name, content);

    const { store, damages } = open(location);
    const found = await store.load("");
    expect(found.filter(({ key, value }) => value !== textOf(key))).toEqual([]);
    const keys = found.map(({ key }) => key);
    expect(keys).toEqual(all.filter((key) => keys.includes(key)));
    expect(keys).toEqual(expect.arrayContaining(intact.flatMap(records)));
    expect(damages).toEqual([expect.any(Error)]);

    await store.put("d", "1");
    await store.delete("b/1000");
    await store.close();
    const again = open(location);
    expect(await keysIn(again.store)).toEqual([...keys.filter((key) => key !== "b/1000"), "d"]);
    expect(again.damages).toEqual([]);
  });

  test("has the records before the end of a log that was cut off, as by a power cut", async () => {
    const location = newLocation();
    await fill(location);
    change(location, /\.log$/, half);
    const { store, damages } = open(location);
    const keys = await keysIn(store);
    expect(keys.length).toBeGreaterThan(450);
    expect(keys.length).toBeLessThan(all.length);
    expect(keys).toEqual(all.slice(0, keys.length));
    expect(damages).toEqual([]);
  });

  test("goes on when nobody wants to know, and when the listener throws", async () => {
    const location = newLocation();
    await fill(location);
    change(location, /^MANIFEST/, lost);
    const unheard = durableStore(location);
    opened.push(unheard);
    expect(await keysIn(unheard)).toEqual(all);
    await unheard.close();

    change(location, /^MANIFEST/, lost);
    const complaint = new Error("not that again");
    const complaining = durableStore(location, {
      damaged() {
        throw complaint;
      },
    });
    opened.push(complaining);
    await expect(complaining.load("")).rejects.toBe(complaint);
    expect(await keysIn(complaining)).toEqual(all);
  });
});
