import { execFile, execFileSync, fork, spawn } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { type ListenOptions, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { crc32 } from "node:zlib";
import type { RecordStore } from "@ocppj/core";
import { recordStoreContract } from "@ocppj/testing";
import { build } from "esbuild";
import { afterAll, afterEach, describe, expect, onTestFinished, test, vi } from "vitest";
import { durableStore } from "../../src/index.ts";
import { diskError, diskFaults, replaceFileMethod } from "./disk-faults.ts";
import type { Report } from "./durable-store-writer.ts";
import { linesIn } from "./store-files.ts";

/** In memory where that is possible: what survives a power cut cannot be tested here anyway. */
const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "ocppj-durable-store-"));
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
  const damages: string[] = [];
  const store = durableStore(location, { damaged: ({ message }) => damages.push(message) });
  opened.push(store);
  return { store, damages };
}

/** A location with these records in it, put one after the other, and nobody who uses it. */
async function locationWith(records: Readonly<Record<string, string>>): Promise<string> {
  const location = newLocation();
  const store = durableStore(location);
  for (const [key, value] of Object.entries(records)) await store.put(key, value);
  await store.close();
  return location;
}

async function recordsIn(store: RecordStore): Promise<Record<string, string>> {
  return Object.fromEntries((await store.load("")).map(({ key, value }) => [key, value]));
}

async function keysIn(store: RecordStore): Promise<string[]> {
  return (await store.load("")).map(({ key }) => key);
}

const journalOf = (location: string): string => join(location, "records");

function changeLines(location: string, change: (lines: Buffer[]) => Buffer[]): void {
  writeFileSync(journalOf(location), Buffer.concat(change(linesIn(readFileSync(journalOf(location))))));
}

/** What is in the folder besides the lock and the reserve. */
const filesIn = (location: string): string[] =>
  readdirSync(location).filter((name) => !name.startsWith("lock-") && name !== "reserve");

const inUse = (location: string): string =>
  `The store at ${location} is in use, by another process or by another store of this one. Close that one first.`;

describe("durableStore keeps the contract", () => {
  const openIn = (place: string) => (name: string, damaged: (damage: Error) => void) =>
    durableStore(join(folder, `${place}-${name}`), { damaged });

  for (const { title, run } of recordStoreContract(openIn("contract"), { exclusive: true })) test(title, run);

  describe.each(Object.entries(diskFaults))("on %s", (name, failWrites) => {
    const place = `fault-${Object.keys(diskFaults).indexOf(name)}`;
    for (const { title, run } of recordStoreContract(openIn(place), { failWrites }).slice(-1)) test(title, run);
  });

  test("opens whatever is in its file, has every record that is whole and no changed one, and says that it is damaged", {
    timeout: 600_000,
  }, async () => {
    // In a process of its own, to see whether it ends with it.
    const place = newLocation();
    mkdirSync(place);
    const options = ["--import", "tsx", "test/store/damaged-stores.ts", place, String(damagedStores)];
    if (process.env.DAMAGE_SEED !== undefined) options.push(process.env.DAMAGE_SEED);
    await promisify(execFile)(process.execPath, options, { cwd: packageFolder });
  });
});

/** How many damaged stores are opened. */
const damagedStores = 10_000 * Number(process.env.DAMAGE_TIMES ?? 1);

describe("durableStore", () => {
  test("touches nothing before it is used, and makes its folder then", async () => {
    const location = join(newLocation(), "charge-points", "CP001");
    const { store } = open(location);
    expect(existsSync(location)).toBe(false);
    await store.put("a", "1");
    expect(filesIn(location)).toEqual(["records"]);
    expect(statSync(journalOf(location)).mode & 0o777).toBe(0o600);
  });

  test.each([[""], [undefined], [{}]])("is at no path like %j", (location) => {
    expect(() => durableStore(location as string)).toThrow(
      new TypeError(`The location of a store is ${JSON.stringify(location)}. Give the path of a folder.`),
    );
  });

  test("syncs what it has written before it says so, what waits as one", async () => {
    const { store } = open(newLocation());
    await store.put("a", "1");
    const events: string[] = [];
    for (const method of ["write", "datasync"] as const) {
      onTestFinished(
        await replaceFileMethod(method, async (original: (...args: never[]) => Promise<unknown>, ...args) => {
          const result = await original(...(args as never[]));
          events.push(method);
          return result;
        }),
      );
    }
    await store.put("a", "2").then(() => events.push("put"));
    await store.delete("a").then(() => events.push("deleted"));
    await store.delete("a").then(() => events.push("nothing to delete"));
    const many = ["b", "c", "d"].flatMap((key) => [store.put(key, "1"), store.put(key, "2"), store.delete(key)]);
    await Promise.all(many).then(() => events.push("all"));
    expect(events).toEqual([
      ...["write", "datasync", "put"],
      ...["write", "datasync", "deleted"],
      "nothing to delete",
      ...["write", "datasync", "all"],
    ]);
  });

  test("cuts off what could not be written", async () => {
    const location = newLocation();
    const { store } = open(location);
    await store.put("a", "1");
    const before = readFileSync(journalOf(location));
    const end = await diskFaults["a disk that is full"]?.();
    await expect(store.put("b", "x".repeat(1000))).rejects.toThrow("ENOSPC");
    end?.();
    expect(readFileSync(journalOf(location))).toEqual(before);
  });

  test("refuses on a full disk what is put, and deletes what is deleted at the same time", async () => {
    const location = newLocation();
    const { store } = open(location);
    for (const key of ["a", "b"]) await store.put(key, "1");
    const end = await replaceFileMethod("write", async (original, ...args) => {
      if (existsSync(join(location, "reserve"))) throw diskError("ENOSPC");
      return original(...args);
    });
    const writes = [store.put("a", "2"), store.delete("a"), store.put("c", "1"), store.delete("b")];
    const outcomes = await Promise.allSettled(writes);
    end();
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected", "fulfilled"]);
    expect(outcomes[0]).toMatchObject({ reason: { code: "ENOSPC" } });
    await store.put("d", "1");
    await store.close();
    expect(await recordsIn(open(location).store)).toEqual({ d: "1" });
    expect(statSync(join(location, "reserve")).size).toBe(64 * 1024);
  });

  test("begins no file that it could not sync, and uses none that it could not", async () => {
    const { store } = open(newLocation());
    const end = await replaceFileMethod("sync", () => Promise.reject(diskError("EIO")));
    await expect(store.put("a", "1")).rejects.toThrow("EIO");
    end();
    await store.put("a", "2");
    expect(await recordsIn(store)).toEqual({ a: "2" });
  });

  test("stays small, whatever is written", async () => {
    const location = newLocation();
    const { store } = open(location);
    const kept = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`kept/${index}`, "x".repeat(1000)]));
    for (const [key, value] of Object.entries(kept)) await store.put(key, value);
    let largest = 0;
    for (let round = 0; round < 300; round++) {
      await Promise.all(Array.from({ length: 10 }, () => store.put("changing", "y".repeat(1000))));
      largest = Math.max(largest, statSync(journalOf(location)).size);
    }
    await store.delete("changing");
    expect(largest).toBeGreaterThan(300_000);
    expect(largest).toBeLessThan(450_000);
    expect(await recordsIn(store)).toEqual(kept);
    await store.close();
    const again = open(location);
    expect(await recordsIn(again.store)).toEqual(kept);
    expect(again.damages).toEqual([]);
    expect(filesIn(location)).toEqual(["records"]);
  });

  test("goes on with its file when it cannot be written anew", async () => {
    const location = newLocation();
    const { store } = open(location);
    await store.put("a", "x".repeat(100_000));
    const end = await replaceFileMethod("sync", () => Promise.reject(diskError("EIO")));
    for (let round = 0; round < 9; round++) await store.put("a", `${round}`.repeat(100_000));
    end();
    expect(filesIn(location)).toEqual(["records"]);
    expect(statSync(journalOf(location)).size).toBeGreaterThan(900_000);
    copyFileSync(journalOf(location), join(location, "..", "copy"));
    for (let round = 0; round < 9; round++) await store.put("a", `${round}`.repeat(100_000));
    expect(statSync(journalOf(location)).size).toBeLessThan(900_000);
    const expected = { a: "8".repeat(100_000) };
    expect(await recordsIn(store)).toEqual(expected);
    const copy = newLocation();
    mkdirSync(copy);
    renameSync(join(location, "..", "copy"), journalOf(copy));
    expect(await recordsIn(open(copy).store)).toEqual(expected);
  });

  test("says why it cannot be opened", async () => {
    const location = newLocation();
    writeFileSync(location, "");
    const { store, damages } = open(location);
    await expect(store.load("")).rejects.toMatchObject({
      message: `The store at ${location} cannot be opened: EEXIST: file already exists, mkdir '${location}'`,
      cause: { code: "EEXIST" },
    });
    rmSync(location);
    await store.put("a", "1");
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

  test.each([["esm" as const], ["cjs" as const]])("works inside a program of one file (%s)", async (format) => {
    const outfile = join(folder, `bundled.${format === "esm" ? "mjs" : "cjs"}`);
    const contents = `
      import { durableStore } from "@ocppj/node";
      const store = durableStore(process.argv[2]);
      store.put("a", "1").then(() => store.close()).then(() => console.log("done"));`;
    const stdin = { contents, resolveDir: fileURLToPath(new URL("../../../../examples", import.meta.url)) };
    await build({ stdin, outfile, bundle: true, platform: "node", format });
    const location = newLocation();
    expect(execFileSync(process.execPath, [outfile, location], { encoding: "utf8" })).toBe("done\n");
    expect(await recordsIn(open(location).store)).toEqual({ a: "1" });
  });
});

const packageFolder = fileURLToPath(new URL("../..", import.meta.url));

/** A process that writes under `location` until `enough` of what it has reported; then it is killed. */
async function writeUntil(
  enough: (reports: readonly Report[]) => boolean,
  location: string,
  prefix: string,
  shell = 'exec "$0" "$@"',
): Promise<readonly Report[]> {
  const writer = [process.execPath, "--import", "tsx", "test/store/durable-store-writer.ts", location, prefix];
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
async function expectKept(store: RecordStore, reports: readonly Report[], deletedOf = 3): Promise<void> {
  const records = new Map((await store.load("")).map(({ key, value }) => [key, value]));
  // A deletion that was not reported may have happened nevertheless.
  const lasting = keysOf(reports, "put").filter((key) => Number(/\d+$/.exec(key)?.[0]) % deletedOf !== 0);
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
    expect(await refusal).toBe(inUse(location));
    await expectKept(store, reports);
  });
});

describe("a disk that is full", () => {
  test("costs only the writes that fail, not later ones", async () => {
    const location = newLocation();
    // No file can become larger than 64 kB, so each time it is full a write fails in the middle. Each record is deleted.
    const reports = await writeUntil(
      (reports) => keysOf(reports, "failed").length > 8,
      location,
      "",
      'ulimit -f 128; exec "$0" "$@" 1',
    );
    const later = reports.slice(reports.findIndex(({ type }) => type === "failed"));
    expect(keysOf(later, "put").length).toBeGreaterThan(100);
    const { store } = open(location);
    await expectKept(store, reports, 1);
  });
});

describe("the lock", () => {
  /** A process that opens the store when it is asked to. */
  async function holder(location: string) {
    const child = fork("test/store/store-holder.ts", [location], { cwd: packageFolder, execArgv: ["--import", "tsx"] });
    onTestFinished(() => void child.kill("SIGKILL"));
    const told = async (): Promise<string> => (await once(child, "message"))[0];
    await told();
    return {
      open() {
        child.send("open");
        return told();
      },
      close() {
        child.send("close");
        return told();
      },
      async end(signal: NodeJS.Signals) {
        child.kill(signal);
        if (signal === "SIGKILL") await once(child, "exit");
      },
    };
  }

  test("says that another store uses the folder, under whatever path, and goes on once that one is closed", async () => {
    const location = await locationWith({ a: "1" });
    const { store: first } = open(join(location, "..", location.slice(folder.length)));
    await first.put("b", "1");
    const { store: second } = open(location);
    for (const outcome of await Promise.allSettled([second.put("c", "1"), second.load(""), second.delete("a")])) {
      expect(outcome).toMatchObject({ reason: { message: inUse(location) } });
    }
    const process = await holder(location);
    expect(await process.open()).toBe(inUse(location)); // The first one still has its lock.
    await first.close();
    await second.put("c", "1");
    expect(await keysIn(second)).toEqual(["a", "b", "c"]);
  });

  test("is one process's at a time, however many begin at once", async () => {
    const location = newLocation();
    const processes = await Promise.all([1, 2, 3, 4].map(() => holder(location)));
    for (let round = 0; round < 10; round++) {
      const outcomes = await Promise.all(processes.map((process) => process.open()));
      const lucky = processes.filter((_, index) => outcomes[index] === "opened");
      expect(outcomes.filter((outcome) => outcome !== "opened" && outcome !== inUse(location))).toEqual([]);
      expect(lucky.length).toBe(1);
      await lucky[0]?.close();
    }
    expect(readdirSync(location)).toEqual([]);
  }, 60_000);

  test("ends with a process that is killed, and not while it stands still", async () => {
    const location = newLocation();
    const process = await holder(location);
    expect(await process.open()).toBe("opened");
    await process.end("SIGSTOP");
    const { store } = open(location);
    await expect(store.load("")).rejects.toThrow(inUse(location));
    await process.end("SIGKILL");
    expect(readdirSync(location)).toEqual([expect.stringMatching(/^lock-/)]);
    await store.put("a", "1");
    await store.close();
    expect(readdirSync(location)).toEqual(["records", "reserve"]);
  }, 60_000);

  test("is refused after one question when another process has it", async () => {
    const location = newLocation();
    const process = await holder(location);
    expect(await process.open()).toBe("opened");
    const listen = vi.spyOn(Server.prototype, "listen");
    await expect(open(location).store.load("")).rejects.toThrow(inUse(location));
    expect(listen).toHaveBeenCalledTimes(1);
  });

  test("is taken elsewhere where the folder cannot hold a socket, and seen from there", async () => {
    const location = newLocation();
    const { listen } = Server.prototype;
    vi.spyOn(Server.prototype, "listen").mockImplementation(function (this: Server, ...args) {
      const [{ path = "" }] = args as unknown as [ListenOptions];
      if (!path.startsWith(location)) return listen.apply(this, args);
      this.emit("error", new Error("There are no sockets here."));
      return this;
    });
    const { store } = open(location);
    await store.put("a", "1");
    expect(readdirSync(location)).toEqual(["records", "reserve"]);
    const process = await holder(location);
    expect(await process.open()).toBe(inUse(location));
    await store.close();
    expect(await process.open()).toBe("opened");
  });

  test("is one store's of this process even where there are no sockets at all", async () => {
    const location = newLocation();
    vi.spyOn(Server.prototype, "listen").mockImplementation(() => {
      throw new Error("There are no sockets here.");
    });
    const { store: first } = open(location);
    await first.put("a", "1");
    const { store: second } = open(location);
    await expect(second.load("")).rejects.toThrow(inUse(location));
    await first.close();
    expect(await keysIn(second)).toEqual(["a"]);
  });

  test("works where the path is too long for a socket", async () => {
    const location = join(newLocation(), "x".repeat(200));
    const { store } = open(location);
    await store.put("a", "1");
    expect(readdirSync(location)).toContainEqual(expect.stringMatching(/^lock-/));
    const process = await holder(location);
    expect(await process.open()).toBe(inUse(location));
    await store.close();
    expect(readdirSync(location)).toEqual(["records", "reserve"]);
    expect(await process.open()).toBe("opened");
  });
});

/** A file system of its own that is as small as that, for root. */
function smallDisk(bytes: number): string | undefined {
  const place = newLocation();
  mkdirSync(place);
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${bytes}`, "ocppj-test", place], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync("umount", ["--lazy", place]));
  return place;
}

describe("a real disk that is full", () => {
  test("costs only the writes that fail, keeps no store from opening, and nothing from being mended later", async ({
    skip,
  }) => {
    const place = smallDisk(256 * 1024);
    if (place === undefined) return skip("Only root can mount a file system.");
    const location = join(place, "store");
    const { store } = open(location);
    await store.put("a", "1");
    writeFileSync(join(place, "ballast"), "");
    const fill = () => {
      try {
        for (;;) writeFileSync(join(place, "ballast"), "x".repeat(4096), { flag: "a" });
      } catch {}
    };
    fill();
    let kept = 0;
    for (; ; kept++) {
      const failure = await store.put(`kept/${kept}`, "x".repeat(500)).catch((error) => error);
      if (failure !== undefined) {
        expect(failure).toMatchObject({ code: "ENOSPC" });
        break;
      }
    }
    const expected = ["a", ...Array.from({ length: kept }, (_, index) => `kept/${index}`)].sort();
    expect(await keysIn(store)).toEqual(expected);
    await store.close();

    // A damaged file on top of that.
    writeFileSync(journalOf(location), readFileSync(journalOf(location)).fill("y", 20, 25));
    const again = open(location);
    expect(await keysIn(again.store)).toEqual(expected.slice(1));
    expect(again.damages).toEqual([expect.stringContaining("A new file cannot be written yet: ENOSPC")]);
    await expect(again.store.put("b", "1")).rejects.toThrow("ENOSPC");
    rmSync(join(place, "ballast"));
    await again.store.put("b", "1");
    expect(await keysIn(again.store)).toEqual(["b", ...expected.slice(1)].sort());
    expect(filesIn(location).sort()).toEqual(["damaged-1", "records"]);
  });

  test.for([
    [100, 300],
    [200, 100],
    [1500, 150],
    [1500, 1000],
  ] as const)(
    "of %d kB, full of the store's own records, takes their removal, and new ones then",
    async ([kilobytes, length], { skip }) => {
      const place = smallDisk(kilobytes * 1024);
      if (place === undefined) return skip("Only root can mount a file system.");
      const location = join(place, "store");
      const { store } = open(location);
      const value = "x".repeat(length);
      const lasting = { configuration: "y".repeat(kilobytes * 40) };
      await store.put("configuration", lasting.configuration);
      for (let round = 0; round < 3; round++) {
        const keys: string[] = [];
        for (let failure: unknown; failure === undefined; ) {
          const key = `queue/${round}/${keys.length}`;
          failure = await store.put(key, value).then(
            () => void keys.push(key),
            (error) => error,
          );
          if (failure !== undefined) expect(failure).toMatchObject({ code: "ENOSPC" });
        }
        expect(keys.length * length).toBeGreaterThan(kilobytes * 1024 * 0.1);
        expect(await store.put("refused", value.repeat(1000)).catch(({ code }) => code)).toBe("ENOSPC");
        for (const key of keys) await store.delete(key);
      }
      expect(await recordsIn(store)).toEqual(lasting);
      await store.put("new", "1");
      await store.close();
      const again = open(location);
      expect(await recordsIn(again.store)).toEqual({ ...lasting, new: "1" });
      expect(again.damages).toEqual([]);
    },
  );

  test("that cannot be written to at all can be read", async ({ skip }) => {
    const place = smallDisk(256 * 1024);
    if (place === undefined) return skip("Only root can mount a file system.");
    const location = join(place, "store");
    const before = open(location).store;
    await before.put("a", "1");
    await before.close();
    execFileSync("mount", ["-o", "remount,ro", place]);
    const { store } = open(location);
    expect(await keysIn(store)).toEqual(["a"]);
    await expect(store.put("b", "1")).rejects.toThrow("EROFS");
    const { store: second } = open(location);
    await expect(second.load("")).rejects.toThrow(inUse(location));
    execFileSync("mount", ["-o", "remount,rw", place]);
    await store.put("b", "1");
    expect(await keysIn(store)).toEqual(["a", "b"]);
  });
});

describe("a damaged file", () => {
  const records = { "queue/1": "first", "queue/2": "second", "queue/3": "third" };
  const destroyed = (line: Buffer | undefined): Buffer => Buffer.alloc(line?.length ?? 0);

  test("is told and set aside; what is whole of it is kept", async () => {
    const location = await locationWith(records);
    const damagedFile = readFileSync(journalOf(location));
    damagedFile.write("sEcond", damagedFile.indexOf("second"));
    writeFileSync(journalOf(location), damagedFile);
    const { store, damages } = open(location);
    expect(await recordsIn(store)).toEqual({ "queue/1": "first", "queue/3": "third" });
    const lineLength = linesIn(damagedFile)[1]?.length;
    expect(damages).toEqual([
      `The store at ${location} is damaged: ${lineLength} of ${damagedFile.length} bytes make no sense, 1 changes are ` +
        'missing and 0 out of place, among them perhaps changes of "queue/2". All other records are there; deleted ones ' +
        `may be back, and changed ones be as they were before. The damaged file is kept as ${join(location, "damaged-1")}.`,
    ]);
    expect(readFileSync(join(location, "damaged-1"))).toEqual(damagedFile);
    await store.put("queue/2", "again");
    await store.close();
    const again = open(location);
    expect(await recordsIn(again.store)).toEqual({ ...records, "queue/2": "again" });
    expect(again.damages).toEqual([]);
  });

  test("does not name what may be a value", async () => {
    const location = await locationWith({ "credentials/presented": '[{"authorizationKey":"secret"}]' });
    const text = readFileSync(journalOf(location), "latin1");
    writeFileSync(journalOf(location), text.replace('presented","', "presented__"), "latin1");
    const { store, damages } = open(location);
    expect(await recordsIn(store)).toEqual({});
    expect(damages).toEqual([expect.not.stringContaining("secret")]);
  });

  test.each([["[1,2,1,7]"], ['[1,2,1,"a",7]'], ['[1,2,1,null,"1"]'], ['[1,2,1,"a",{}]']])(
    "may have a line that is whole and no record: %s",
    async (json) => {
      const location = await locationWith({ a: "1" });
      const checksum = crc32(json).toString(16).padStart(8, "0");
      writeFileSync(journalOf(location), `\x1e${checksum} ${json}\n`, { flag: "a" });
      const { store, damages } = open(location);
      expect(await recordsIn(store)).toEqual({ a: "1" });
      expect(damages).toHaveLength(1);
    },
  );

  test("is kept three times", async () => {
    const location = await locationWith(records);
    for (let round = 1; round <= 12; round++) {
      writeFileSync(journalOf(location), Buffer.concat([readFileSync(journalOf(location)), Buffer.from("garbage")]));
      const { store } = open(location);
      expect(await recordsIn(store)).toEqual(records);
      await store.close();
    }
    expect(filesIn(location).sort()).toEqual(["damaged-10", "damaged-11", "damaged-12", "records"]);
  });

  test("may be a folder", async () => {
    const location = newLocation();
    mkdirSync(journalOf(location), { recursive: true });
    const { store, damages } = open(location);
    await store.put("a", "1");
    expect(await recordsIn(store)).toEqual({ a: "1" });
    expect(damages).toHaveLength(1);
    expect(filesIn(location).sort()).toEqual(["damaged-1", "records"]);
  });

  test("that ends with the beginning of a line is one whose last write was interrupted, which is no damage", async () => {
    const location = await locationWith(records);
    const whole = readFileSync(journalOf(location));
    const start = whole.lastIndexOf("\x1e");
    for (let length = start + 1; length < whole.length; length++) {
      writeFileSync(journalOf(location), whole.subarray(0, length));
      const { store, damages } = open(location);
      await store.put("later", "1");
      expect(await recordsIn(store)).toEqual({ "queue/1": "first", "queue/2": "second", later: "1" });
      expect(damages).toEqual([]);
      await store.close();
      const again = open(location);
      expect(await keysIn(again.store)).toEqual(["later", "queue/1", "queue/2"]);
      expect(again.damages).toEqual([]);
      await again.store.close();
    }
  });

  test("whose last byte is another one is damaged", async () => {
    const location = await locationWith(records);
    const bytes = readFileSync(journalOf(location));
    for (const last of [0x0b, 0x4a, 0x0a ^ 0x80, 0]) {
      bytes[bytes.length - 1] = last;
      writeFileSync(journalOf(location), bytes);
      const { store, damages } = open(location);
      expect(await keysIn(store)).toEqual(["queue/1", "queue/2"]);
      expect(damages).toHaveLength(1);
      await store.close();
    }
  });

  test("that ends with zeros is damaged", async () => {
    const location = await locationWith(records);
    const bytes = readFileSync(journalOf(location));
    writeFileSync(journalOf(location), bytes.fill(0, bytes.length - 8));
    const { store, damages } = open(location);
    expect(await keysIn(store)).toEqual(["queue/1", "queue/2"]);
    expect(damages).toHaveLength(1);
  });

  test("has no change of an interrupted commit without those before it", async () => {
    const location = newLocation();
    const { store } = open(location);
    await store.put("a", "1");
    await Promise.all(["b", "c", "d", "e"].map((key) => store.put(key, "1")));
    await store.close();
    changeLines(location, (lines) => lines.map((line, index) => (index === 2 ? destroyed(line) : line)));
    const again = open(location);
    expect(await keysIn(again.store)).toEqual(["a", "b"]);
    expect(again.damages).toHaveLength(1);
  });

  test("has the changes of a commit that was confirmed, whatever became of those before them", async () => {
    const location = newLocation();
    const { store } = open(location);
    await Promise.all(["a", "b", "c", "d", "e"].map((key) => store.put(key, "1")));
    await store.put("f", "1");
    await store.close();
    changeLines(location, (lines) => lines.map((line, index) => (index === 2 ? destroyed(line) : line)));
    const again = open(location);
    expect(await keysIn(again.store)).toEqual(["a", "b", "d", "e", "f"]);
    expect(again.damages).toHaveLength(1);
  });

  test("cannot bring back silently what was deleted", async () => {
    const location = newLocation();
    const { store } = open(location);
    for (const key of ["a", "b"]) await store.put(key, "1");
    await store.delete("a");
    await store.put("c", "1");
    await store.close();
    const lines = linesIn(readFileSync(journalOf(location)));

    const [first, second, third, fourth] = lines;
    const expectRecords = async (order: (Buffer | undefined)[], keys: string[], tellings: number) => {
      changeLines(location, () => order.filter((line) => line !== undefined));
      const { store, damages } = open(location);
      expect(await keysIn(store)).toEqual(keys);
      expect(damages).toHaveLength(tellings);
      await store.close();
    };
    await expectRecords([first, second, fourth], ["a", "b", "c"], 1);
    await expectRecords([first, second, third, fourth, first], ["b", "c"], 1);
    await expectRecords([third, fourth, first, second], ["b", "c"], 0);
  });

  test("has nothing of an earlier file, which a disk may leave behind its end", async () => {
    const location = newLocation();
    const { store } = open(location);
    for (const key of ["a", "b", "c", "d"]) await store.put(key, "old");
    for (const key of ["a", "b", "c", "d"]) await store.delete(key);
    await store.close();
    const old = linesIn(readFileSync(journalOf(location)));
    writeFileSync(journalOf(location), "garbage", { flag: "a" });
    const renewed = open(location).store;
    await renewed.put("e", "1");
    await renewed.close();
    changeLines(location, (lines) => [...lines, ...old.slice(1, 4)]);
    const again = open(location);
    expect(await keysIn(again.store)).toEqual(["e"]);
    expect(again.damages).toHaveLength(1);
  });

  test("may have parts that the disk cannot read", async () => {
    const all = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`${1000 + index}`, "x".repeat(1000)]));
    const location = await locationWith(all);
    const bad = [5000, 100_000, 200_000];
    onTestFinished(
      await replaceFileMethod("read", async (original: (...args: never[]) => Promise<unknown>, ...args) => {
        const [, , length, position] = args as unknown[] as [Buffer, number, number, number];
        if (bad.some((at) => at >= position && at < position + length)) throw diskError("EIO");
        return original(...(args as unknown[] as never[]));
      }),
    );
    const { store, damages } = open(location);
    const keys = await keysIn(store);
    expect(keys.length).toBeGreaterThan(280);
    expect(keys.length).toBeLessThan(300);
    expect(damages).toHaveLength(1);
  });

  test.each([
    [
      "before the old file is gone",
      (location: string) => copyFileSync(journalOf(location), join(location, "records.new")),
    ],
    [
      "after the old file is gone",
      (location: string) => renameSync(journalOf(location), join(location, "records.new")),
    ],
    ["while the new one is written", (location: string) => writeFileSync(join(location, "records.new"), "\x1e0000")],
  ])("is mended although the power fails %s", async (_, fail) => {
    const location = await locationWith(records);
    fail(location);
    const { store, damages } = open(location);
    expect(await recordsIn(store)).toEqual(records);
    expect(damages).toEqual([]);
    await store.put("later", "x".repeat(600_000));
    await store.put("later", "1");
    await store.close();
    expect(filesIn(location)).toEqual(["records"]);
  });

  test("goes unheard when nobody wants to know, and keeps nothing from working when the listener fails", async () => {
    const location = await locationWith(records);
    const fail = () => {
      throw new Error("not that again");
    };
    const options = [undefined, { damaged: fail }, { damaged: async () => fail() }];
    for (const option of options) {
      writeFileSync(journalOf(location), "garbage", { flag: "a" });
      const store = durableStore(location, option);
      opened.push(store);
      expect(await recordsIn(store)).toEqual(records);
      await store.close();
    }
  });
});
