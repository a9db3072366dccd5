import { memoryStore, type RecordStore, type StoredRecord } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { type RecordStoreContractCase, recordStoreContract } from "../src/index.ts";

/** Replaces operations of a store. `place` belongs to the name of the store, and is there when it is opened again. */
type Breakage = (store: RecordStore, place: Place) => Partial<RecordStore>;

interface Place {
  records: readonly StoredRecord[];
}

/** The contract over stores that keep their records when they are closed. */
function contractOver(breakage: Breakage = () => ({})): readonly RecordStoreContractCase[] {
  const places = new Map<string, Place>();
  return recordStoreContract((name) => {
    const place = places.get(name) ?? { records: [] };
    places.set(name, place);
    const memory = memoryStore();
    for (const { key, value } of place.records) void memory.put(key, value);
    let closed: Promise<void> | undefined;
    const store: RecordStore = {
      ...memory,
      close() {
        closed ??= memory.load("").then((records) => {
          place.records = records;
        });
        return Promise.all([closed, memory.close()]).then(() => {});
      },
    };
    return { ...store, ...breakage(store, place) };
  });
}

async function failures(breakage: Breakage): Promise<Record<string, string>> {
  const failed: Record<string, string> = {};
  for (const { title, run } of contractOver(breakage)) {
    await run().catch((error: Error) => {
      failed[title] = error.message;
    });
  }
  return failed;
}

describe("a store that keeps the contract passes", () => {
  for (const { title, run } of contractOver()) test(title, run);
});

/** Broken stores, at least one per rule. */
const mutants: Record<string, { rule: string; message: RegExp; breakage: Breakage }> = {
  "has a record from elsewhere": {
    rule: "is empty at first",
    message: /The number of records under "": expected 0, got 1\./,
    breakage(store) {
      void store.put("left", "over");
      return {};
    },
  },
  "has no empty values": {
    rule: "keeps values of any content and length",
    message: /The value "empty": expected "", got nothing\./,
    breakage: (store) => ({ put: (key, value) => (value === "" ? store.delete(key) : store.put(key, value)) }),
  },
  "ends a value at a NUL": {
    rule: "keeps values of any content and length",
    message: /The value "control": expected .*, got ""\./s,
    breakage: changing({ value: (value) => value.split("\0")[0] ?? "" }),
  },
  "keeps 64 KiB of a value": {
    rule: "keeps values of any content and length",
    message: /The value "1 MB": expected "x+… \(1000002 characters\), got "x+… \(65538 characters\)\./,
    breakage: changing({ value: (value) => value.slice(0, 65_536) }),
  },
  "reads JSON": {
    rule: "keeps values of any content and length",
    message: /The value "json": /,
    breakage: changing({
      value: (value) => (/^\s*{/.test(value) ? JSON.stringify(JSON.parse(value)) : value),
    }),
  },
  "has records in an object": {
    rule: "keeps keys of any content and length, each apart from the others",
    message: /Record \d+ under "": expected \["__proto__"/,
    breakage() {
      const records: Record<string, string> = {};
      return {
        load: async (prefix) =>
          Object.entries(records)
            .filter(([key]) => key.startsWith(prefix))
            .sort(([a], [b]) => (a < b ? -1 : 1))
            .map(([key, value]) => ({ key, value })),
        async put(key, value) {
          records[key] = value;
        },
      };
    },
  },
  "does not tell upper from lower case": {
    rule: "keeps keys of any content and length, each apart from the others",
    message: /Record \d+ under "": expected \["%2F"/,
    breakage: changing({ key: (key) => key.toLowerCase() }),
  },
  "normalises keys": {
    rule: "keeps keys of any content and length, each apart from the others",
    message: /Record \d+ under "": expected \["e\u0301"/,
    breakage: changing({ key: (key) => key.normalize() }),
  },
  "orders by code points": {
    rule: "loads in ascending order of the keys, by UTF-16 code units",
    message: /The order of the keys: /,
    breakage: loading((records) => [...records].sort((a, b) => Buffer.from(a.key).compare(Buffer.from(b.key)))),
  },
  "orders as a dictionary": {
    rule: "loads in ascending order of the keys, by UTF-16 code units",
    message: /The order of the keys: /,
    breakage: loading((records) => [...records].sort((a, b) => a.key.localeCompare(b.key))),
  },
  "loads everything after the prefix": {
    rule: "loads the records whose keys begin with the prefix, and no others",
    message: /The keys under "a\/": /,
    breakage: (store) => ({ load: async (prefix) => (await store.load("")).filter(({ key }) => key >= prefix) }),
  },
  "ends the range at U+FFFF": {
    rule: "loads the records whose keys begin with the prefix, and no others",
    message: /The keys under "a\/": .*got /,
    breakage: loading((records, prefix) => records.filter(({ key }) => key < `${prefix}\uffff`)),
  },
  "keeps the first value": {
    rule: "replaces a record by a later one with the same key",
    message: /Record 1 under "": expected \["a","second, and longer"\], got \["a","first"\]\./,
    breakage: (store) => ({
      async put(key, value) {
        const records = await store.load(key);
        if (!records.some((record) => record.key === key)) await store.put(key, value);
      },
    }),
  },
  "deletes all that begins so": {
    rule: "deletes a record, and no other",
    message: /The keys that are left: expected \["a\/1","b"\], got \["b"\]\./,
    breakage: (store) => ({
      async delete(prefix) {
        for (const { key } of await store.load(prefix)) await store.delete(key);
      },
    }),
  },
  "cannot delete what is not there": {
    rule: "lets a record be deleted that is not there",
    message: /not found/,
    breakage: (store) => ({
      async delete(key) {
        const records = await store.load(key);
        if (!records.some((record) => record.key === key)) throw new Error("not found");
        await store.delete(key);
      },
    }),
  },
  "deletes later than it puts": {
    rule: "does everything in the order of the calls, awaited or not",
    message: /Load 1 of 10: expected \[\["a","0 again"\]\], got /,
    breakage: (store) => ({ delete: (key) => Promise.resolve().then(() => store.delete(key)) }),
  },
  "loads past what is being written": {
    rule: "does everything in the order of the calls, awaited or not",
    message: /Load 1 of 10: /,
    breakage: (store) => ({ put: (key, value) => Promise.resolve().then(() => store.put(key, value)) }),
  },
  "loads a page of 1000 records": {
    rule: "keeps 2000 records",
    message: /Record 1001 under "queue\/": expected .*, got nothing\./,
    breakage: loading((records) => records.slice(0, 1000)),
  },
  "does one load at a time": {
    rule: "answers loads at the same time",
    message: /busy/,
    breakage(store) {
      let busy = false;
      return {
        async load(prefix) {
          if (busy) throw new Error("busy");
          busy = true;
          const records = await store.load(prefix);
          busy = false;
          return records;
        },
      };
    },
  },
  "answers all loads with the first": {
    rule: "answers loads at the same time",
    message: /Records of load 1: expected 2, got 1\./,
    breakage(store) {
      let loading: Promise<readonly StoredRecord[]> | undefined;
      return {
        load(prefix) {
          loading ??= store.load(prefix).finally(() => {
            loading = undefined;
          });
          return loading;
        },
      };
    },
  },
  "gives its own records away": {
    rule: "does not touch what it has loaded",
    message: /The records loaded earlier: expected \[\["a","1"\]\], got \[\["a","2"\],\["b","1"\]\]\./,
    breakage() {
      const records: { key: string; value: string }[] = [];
      return {
        load: async () => records,
        async put(key, value) {
          const record = records.find((candidate) => candidate.key === key);
          if (record === undefined) records.push({ key, value });
          else record.value = value;
        },
      };
    },
  },
  "forgets what waits when it closes": {
    rule: "does what was called before it closes",
    message: /The store is closed\./,
    breakage: (store) => ({ put: (key, value) => Promise.resolve().then(() => store.put(key, value)) }),
  },
  "has closed before it has written": {
    rule: "does what was called before it closes",
    message: /How many writes were done when it had closed: expected 200, got 0\./,
    breakage: (store) => ({
      async put(key, value) {
        await store.put(key, value);
        for (let turn = 0; turn < 10; turn++) await undefined;
      },
    }),
  },
  "goes on after it was closed": {
    rule: "refuses what is called after it was told to close",
    message: /The store did not refuse put while it closed\./,
    breakage: () => memoryStoreThatNeverCloses(),
  },
  "goes on until it has closed": {
    rule: "refuses what is called after it was told to close",
    message: /The store did not refuse put while it closed\./,
    breakage: (store) => ({ close: () => Promise.resolve().then(() => store.close()) }),
  },
  "refuses without a word": {
    rule: "refuses what is called after it was told to close",
    message: /The store refused load while it closed with something that is not an Error with a message\./,
    breakage: (store) => ({
      load: (prefix) =>
        store.load(prefix).catch(() => {
          throw new Error();
        }),
    }),
  },
  "keeps whatever it is given": {
    rule: "refuses what is no text with a TypeError, and keeps nothing of it",
    message: /The store did not refuse a key to put that is undefined\./,
    breakage: changing({ key: String, value: String }),
  },
  "cannot be closed twice": {
    rule: "can be closed twice",
    message: /closed already/,
    breakage(store) {
      let closing = false;
      return {
        async close() {
          if (closing) throw new Error("closed already");
          closing = true;
          await store.close();
        },
      };
    },
  },
  "cannot be closed before it is used": {
    rule: "can be closed unused",
    message: /not open/,
    breakage(store) {
      let used = false;
      return {
        put(key, value) {
          used = true;
          return store.put(key, value);
        },
        async close() {
          if (!used) throw new Error("not open");
          await store.close();
        },
      };
    },
  },
  "shares its records with every other": {
    rule: "shares nothing with another store",
    message: /Record 1 under "": expected \["a","1"\], got /,
    breakage: () => theOnlyStore,
  },
  "forgets everything when it closes": {
    rule: "has its records when it is opened again",
    message: /Record 1 under "": expected \["","1"\], got nothing\./,
    breakage: (store, place) => ({
      async close() {
        await store.close();
        place.records = [];
      },
    }),
  },
  "has its records back when it is opened again": {
    rule: "has no deleted record when it is opened again",
    message: /Record 1 under "": expected \["b",""\], got \["a",""\]\./,
    breakage(store, place) {
      const put: StoredRecord[] = [...place.records];
      return {
        put(key, value) {
          put.push({ key, value });
          return store.put(key, value);
        },
        async close() {
          await store.close();
          place.records = put;
        },
      };
    },
  },
  "writes the last of it behind": {
    rule: "has everything that was called before it closed when it is opened again",
    message: /Record 1 under "": expected \["0".*, got nothing\./,
    breakage(store, place) {
      let waiting = 0;
      return {
        put(key, value) {
          waiting += 1;
          return store.put(key, value).finally(() => {
            waiting -= 1;
          });
        },
        async close() {
          const lost = waiting > 0;
          await store.close();
          if (lost) place.records = [];
        },
      };
    },
  },
};

describe("recordStoreContract", () => {
  test.each(Object.entries(mutants))("fails a store that %s", async (_, { rule, message, breakage }) => {
    expect((await failures(breakage))[rule]).toMatch(message);
  });

  test("has a broken store for every rule", () => {
    const rules = contractOver().map(({ title }) => title);
    expect([...new Set(Object.values(mutants).map(({ rule }) => rule))].sort()).toEqual([...rules].sort());
  });

  test("asks a store that does not keep its records for everything else", () => {
    const rules = contractOver().map(({ title }) => title);
    const asked = recordStoreContract(memoryStore, { persistent: false }).map(({ title }) => title);
    expect(asked).toEqual(rules.filter((title) => !title.endsWith("when it is opened again")));
    expect(asked).toHaveLength(rules.length - 3);
  });
});

/** A store that keeps other keys or values than it is given. */
function changing({
  key: changeKey = (key) => key,
  value: changeValue = (value) => value,
}: {
  readonly key?: (key: string) => string;
  readonly value?: (value: string) => string;
}): Breakage {
  return (store) => ({ put: (key, value) => store.put(changeKey(key), changeValue(value)) });
}

/** A store that answers with other records than it has. */
function loading(change: (records: readonly StoredRecord[], prefix: string) => readonly StoredRecord[]): Breakage {
  return (store) => ({ load: async (prefix) => change(await store.load(prefix), prefix) });
}

const memoryStoreThatNeverCloses = (): RecordStore => ({ ...memoryStore(), close: () => Promise.resolve() });

const theOnlyStore = memoryStoreThatNeverCloses();
