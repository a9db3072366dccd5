import { createHash } from "node:crypto";
import type { RecordStore } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { type RecordStoreContractOptions, recordStoreContract, type StoreFiles } from "../src/index.ts";

/** How a store that writes lines into a file differs from one that keeps the contract. */
interface Flaw {
  /** Takes lines for whole that are not. */
  readonly trusts?: boolean;
  /** Cannot be opened when a line is damaged. */
  readonly givesUp?: boolean;
  /** Takes nothing that follows a damaged line. */
  readonly stops?: boolean;
  /** Tells nobody. */
  readonly isSilent?: boolean;
  /** Leaves the damaged line in the file. */
  readonly mendsNothing?: boolean;
  /** What a write does that fails. */
  readonly failure?: "done" | "for ever" | "unnoticed";
  /** Whether two stores may use a file; `"stolen"`: one that is refused takes the lock with it. */
  readonly shares?: true | "stolen";
}

const lineOf = (number: number, content: unknown): string => {
  const json = JSON.stringify([number, content]);
  return `\n${json} ${createHash("sha256").update(json).digest("hex").slice(0, 8)}\n`;
};

const textOf = (files: StoreFiles): string => Buffer.from(files.get("lines") ?? []).toString();

/** The contract about failures, damage and second openings, over stores that write lines into a file each. */
function contractOver(flaw: Flaw = {}) {
  const disk = new Map<string, ReadonlyMap<string, Uint8Array>>();
  const inUse = new Set<string>();
  /** As they were written, by what they say. */
  const lines = new Map<string, string>();
  let isFull = false;

  function open(name: string, damaged: (damage: Error) => void): RecordStore {
    const records = new Map<string, string>();
    let number = 0;
    let file: string | undefined;
    let isClosed = false;
    let isBroken = false;
    const text = () => textOf(disk.get(name) ?? new Map());
    const write = (lines: string) => void disk.set(name, new Map([["lines", Buffer.from(lines)]]));

    function read(): void {
      const found = new Map<number, [key: string, value?: string]>();
      let damages = 0;
      for (const line of text().split("\n")) {
        if (line === "" || (damages > 0 && flaw.stops === true)) continue;
        const json = line.slice(0, line.lastIndexOf(" "));
        try {
          const [at, content] = JSON.parse(json);
          if (flaw.trusts !== true && `\n${line}\n` !== lineOf(at, content)) throw new Error("It is damaged.");
          found.set(at, content);
        } catch {
          damages += 1;
        }
      }
      for (const at of [...found.keys()].sort((a, b) => a - b)) {
        const [key, value] = found.get(at) ?? [""];
        damages += at - number - 1;
        number = at;
        if (value === undefined) records.delete(key);
        else records.set(key, value);
      }
      if (damages === 0) return;
      if (flaw.givesUp === true) throw new Error("It is damaged.");
      if (flaw.isSilent !== true) damaged(new Error("It is damaged."));
      if (flaw.mendsNothing === true) return;
      write([...records].map((record, index) => lineOf(index + 1, record)).join(""));
      number = records.size;
    }

    const perform = async <Result>(operation: () => Result): Promise<Result> => {
      if (isClosed) throw new Error("It is closed.");
      if (file === undefined) {
        const isTaken = inUse.has(name);
        if (isTaken && flaw.shares === "stolen") inUse.delete(name);
        if (isTaken && flaw.shares !== true) throw new Error("It is in use.");
        file = name;
        inUse.add(name);
        read();
      }
      return operation();
    };
    const change = (key: string, value?: string) =>
      perform(() => {
        const fails = isFull || isBroken;
        if (fails && flaw.failure === "unnoticed") return;
        if (fails && flaw.failure === "for ever") isBroken = true;
        if (!fails) write(text() + lineOf(++number, value === undefined ? [key] : [key, value]));
        if (!fails || flaw.failure === "done") {
          if (value === undefined) records.delete(key);
          else records.set(key, value);
        }
        if (fails) throw new Error("The disk is full.");
      });
    return {
      load: (prefix) =>
        perform(() =>
          [...records]
            .map(([key, value]) => ({ key, value }))
            .filter(({ key }) => key.startsWith(prefix))
            .sort((a, b) => (a.key < b.key ? -1 : 1)),
        ),
      put: change,
      delete: (key) => change(key),
      async close() {
        isClosed = true;
        if (file !== undefined) inUse.delete(name);
      },
    };
  }

  const options: RecordStoreContractOptions = {
    exclusive: true,
    failWrites() {
      isFull = true;
      return () => {
        isFull = false;
      };
    },
    damage: {
      times: 500,
      read(name) {
        const files = disk.get(name) ?? new Map();
        for (const [line, content = ""] of textOf(files).matchAll(/\n\[\d+,(.*)\] \w+\n/g)) lines.set(content, line);
        return files;
      },
      write: (name, files) => void disk.set(name, files),
      isWhole(files, { key, value }) {
        const line = lines.get(JSON.stringify([key, value]));
        return line !== undefined && textOf(files).includes(line);
      },
    },
  };
  return recordStoreContract(open, options).slice(-3);
}

const [second, failure, damage] = contractOver().map(({ title }) => title) as [string, string, string];

describe("a store that keeps the contract passes", () => {
  for (const { title, run } of contractOver()) test(title, run);
});

describe("recordStoreContract", () => {
  test.each<[what: string, flaw: Flaw, rule: string, message: RegExp]>([
    ["lets two use a name", { shares: true }, second, /did not refuse put while another store used the name\./],
    ["gives the lock away", { shares: "stolen" }, second, /did not refuse delete while another store used the name\./],
    ["has done what it rejected", { failure: "done" }, failure, /Record 1 under "": expected \["a","1"\], got /],
    ["never writes again", { failure: "for ever" }, failure, /The disk is full\./],
    ["fails unnoticed", { failure: "unnoticed" }, failure, /did not refuse put while writes failed\./],
    ["does not open", { givesUp: true }, damage, /^After .* \(damage \d+ of seed \d+\): It is damaged\.$/],
    ["hands out what is damaged", { trusts: true }, damage, /has a record that was never put/],
    ["drops what is whole", { stops: true }, damage, /The record .*, which is whole: expected .*, got /],
    ["tells nobody", { isSilent: true }, damage, /tells nobody that it is damaged/],
    ["mends nothing", { mendsNothing: true }, damage, /How often it tells what has been mended/],
  ])("fails a store that %s", async (_, flaw, rule, message) => {
    const failures = new Map<string, string>();
    for (const { title, run } of contractOver(flaw)) {
      await run().catch((error: Error) => failures.set(title, error.message));
    }
    expect(Object.fromEntries(failures)).toEqual({ [rule]: expect.stringMatching(message) });
  });
});
