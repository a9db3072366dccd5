import type { RecordStore, StoredRecord } from "@ocppj/core";
import { keepsWhatIsWhole, type StoreDamageOptions } from "./record-store-damage.ts";
import { same } from "./same.ts";

/** What depends on the store under test. */
export interface RecordStoreContractOptions {
  /** Whether a store that is opened under the name of an earlier one has its records. Default true. */
  readonly persistent?: boolean | undefined;
  /** Whether one store at a time can use a name, so that a second one is refused. Default false. */
  readonly exclusive?: boolean | undefined;
  /**
   * Makes every write of the open store of that name fail, as on a full disk, until the function that it returns is
   * called. Default: what a store does after a failure is left out.
   */
  readonly failWrites?: ((name: string) => (() => void) | Promise<() => void>) | undefined;
  /** The way to the files of a store. Default: what it does when they are damaged is left out. */
  readonly damage?: StoreDamageOptions | undefined;
}

/** One rule of the contract, as a test. */
export interface RecordStoreContractCase {
  /** The rule, as a sentence in the present tense. */
  readonly title: string;
  /** Rejects with an Error that says what is wrong when the store breaks the rule. */
  run(): Promise<void>;
}

/**
 * The rules that every {@link RecordStore} must keep, as tests for any test runner.
 *
 * ```ts
 * for (const { title, run } of recordStoreContract(open)) test(title, run);
 * ```
 *
 * Each store that a rule opened has been told to close when the rule ends; what else `open` made is for its author to
 * clean up. That a record survives a power cut is for its author to show, too.
 *
 * @param open - Opens the store of that name, which is fit for a file; `damaged` is to be called when the store finds that
 * it is. A rule has names of its own, and opens one again only after it has closed it, unless the rule is about that; a
 * store that nobody has opened before is empty.
 */
export function recordStoreContract(
  open: (name: string, damaged: (damage: Error) => void) => RecordStore | Promise<RecordStore>,
  options: RecordStoreContractOptions = {},
): readonly RecordStoreContractCase[] {
  const { persistent = true, exclusive = false, failWrites, damage } = options;
  const all: Readonly<Record<string, Rule>> = {
    ...rules,
    ...(persistent && persistentRules),
    ...(exclusive && exclusiveRules),
    ...(failWrites !== undefined && failureRules),
    ...(damage !== undefined && damageRules),
  };
  return Object.entries(all).map(([title, rule], index) => ({
    title,
    async run() {
      const stage = new Stage(`rule-${index + 1}`, open, options);
      try {
        await rule(stage);
      } finally {
        await stage.clear();
      }
    },
  }));
}

type Rule = (stage: Stage) => Promise<void>;

/** Key and value of a record. */
type Entry = readonly [key: string, value: string];

const entriesOf = (records: readonly StoredRecord[]): Entry[] => records.map(({ key, value }) => [key, value]);

const keysOf = async (store: RecordStore, prefix: string): Promise<string[]> =>
  (await store.load(prefix)).map(({ key }) => key);

/** In ascending order: an inherited name, separators, what normalisation, path and line rules would change, any plane. */
const keys = [
  ...["", "\0", "\t", "\r\n", " ", "  ", "%2F", "..", "../a", "/", "0", "00", "1", "10", "9", ":", "A", "A/1", "B"],
  ...["\\", "__proto__", "a", "a!", "a/", "a/1", "a/1/2", "a/2", "a:1", "constructor", "e\u0301", "k".repeat(2000)],
  ...[
    "toString",
    "~",
    "\x7f",
    "\u0080",
    "\u00e9",
    "\u2028",
    "\u{10000}",
    "🔌",
    "\u{10ffff}",
    "\ue000",
    "\ufffd",
    "\uffff",
  ],
];

const values: Readonly<Record<string, string>> = {
  empty: "",
  control: '\0\t\r\n"\\\u2028\x7f',
  unicode: "ünïcödé e\u0301 🔌 \u{10ffff} \ue000 \uffff",
  json: ' { "idTag": "\\ud800", "meterStart": 1.0 }\n',
  "1 MB": "x".repeat(1_000_000),
  "1 MB of emoji": "🔋".repeat(250_000),
};

/** Enough for a store that does things in parallel to mix something up. */
const numbers = Array.from({ length: 200 }, (_, index) => index);

const rules: Readonly<Record<string, Rule>> = {
  async "is empty at first"(stage) {
    const store = await stage.open();
    await stage.holds(store, "", []);
    await stage.holds(store, "a", []);
  },

  async "keeps values of any content and length"(stage) {
    const store = await stage.open();
    for (const [key, value] of Object.entries(values)) await store.put(key, value);
    for (const [key, value] of Object.entries(values)) {
      const records = await store.load(key);
      same(records.find((record) => record.key === key)?.value, value, `The value "${key}"`);
    }
  },

  async "keeps keys of any content and length, each apart from the others"(stage) {
    const store = await stage.open();
    for (const key of keys) await store.put(key, `value of ${key}`);
    await stage.holds(
      store,
      "",
      [...keys].sort().map((key) => [key, `value of ${key}`]),
    );
  },

  async "loads in ascending order of the keys, by UTF-16 code units"(stage) {
    const store = await stage.open();
    for (const key of [...keys].reverse()) await store.put(key, "");
    same(await keysOf(store, ""), keys, "The order of the keys");
  },

  async "loads the records whose keys begin with the prefix, and no others"(stage) {
    const store = await stage.open();
    const inside = ["a/", "a/\0", "a/1", "a/1/2", "a/a/", "a/~", "a/🔌", "a/\u{10ffff}", "a/\ufffd", "a/\uffff"];
    const outside = ["", "/", "A/1", "a", "a\0", "a!", "a.\uffff", "a0", "a:", "aa/", "b", "b/", "🔌a/", "\uffff"];
    for (const key of [...outside, ...inside, "a/\uffff\uffff1"]) await store.put(key, "");
    same(await keysOf(store, "a/"), [...inside, "a/\uffff\uffff1"], 'The keys under "a/"');
    same(await keysOf(store, "a/1"), ["a/1", "a/1/2"], 'The keys under "a/1"');
    same(await keysOf(store, "a/\uffff"), ["a/\uffff", "a/\uffff\uffff1"], 'The keys under "a/\\uffff"');
    same(await keysOf(store, "\uffff"), ["\uffff"], 'The keys under "\\uffff"');
    same(await keysOf(store, "🔌"), ["🔌a/"], 'The keys under "🔌"');
    same(await keysOf(store, "a/2"), [], 'The keys under "a/2"');
    same((await keysOf(store, "")).length, inside.length + outside.length + 1, "The number of keys");
  },

  async "replaces a record by a later one with the same key"(stage) {
    const store = await stage.open();
    for (const value of ["first", "second, and longer", ""]) {
      await store.put("a", value);
      await stage.holds(store, "", [["a", value]]);
    }
  },

  async "deletes a record, and no other"(stage) {
    const store = await stage.open();
    for (const key of ["a", "a/1", "a/2", "b"]) await store.put(key, "");
    await store.delete("a");
    await store.delete("a/2");
    same(await keysOf(store, ""), ["a/1", "b"], "The keys that are left");
  },

  async "lets a record be deleted that is not there"(stage) {
    const store = await stage.open();
    await store.delete("a");
    await store.put("a", "1");
    await store.delete("a");
    await store.delete("a");
    await stage.holds(store, "", []);
  },

  async "does everything in the order of the calls, awaited or not"(stage) {
    const store = await stage.open();
    const loads: Promise<readonly StoredRecord[]>[] = [];
    const writes: Promise<void>[] = [];
    for (const number of numbers) {
      writes.push(store.put("a", `${number}`), store.delete("a"), store.put("a", `${number} again`));
      writes.push(store.put("b", `${number}`), store.delete("b"));
      if (number % 20 === 0) loads.push(store.load(""));
    }
    const [found] = await Promise.all([Promise.all(loads), Promise.all(writes)]);
    for (const [index, records] of found.entries()) {
      same(entriesOf(records), [["a", `${index * 20} again`]], `Load ${index + 1} of ${loads.length}`);
    }
    await stage.holds(store, "", [["a", "199 again"]]);
  },

  async "keeps 2000 records"(stage) {
    const store = await stage.open();
    const records = Array.from({ length: 2000 }, (_, index): Entry => {
      return [`queue/${String(index).padStart(6, "0")}`, `${index}`.repeat(50)];
    });
    await Promise.all([...records].reverse().map(([key, value]) => store.put(key, value)));
    await stage.holds(store, "queue/", records);
    await Promise.all(records.slice(0, 1990).map(([key]) => store.delete(key)));
    await stage.holds(store, "queue/", records.slice(1990));
  },

  async "answers loads at the same time"(stage) {
    const store = await stage.open();
    for (const key of ["a/1", "b/1", "b/2"]) await store.put(key, "");
    const found = await Promise.all(numbers.map((number) => store.load(number % 2 === 0 ? "a/" : "b/")));
    for (const [number, records] of found.entries())
      same(records.length, 1 + (number % 2), `Records of load ${number}`);
  },

  async "does not touch what it has loaded"(stage) {
    const store = await stage.open();
    await store.put("a", "1");
    const records = await store.load("");
    await store.put("a", "2");
    await store.put("b", "1");
    same(entriesOf(records), [["a", "1"]], "The records loaded earlier");
  },

  async "does what was called before it closes"(stage) {
    const store = await stage.open();
    let done = 0;
    const writes = numbers.map((number) =>
      store.put("a", `${number}`).then(() => {
        done += 1;
      }),
    );
    const load = store.load("");
    const doneAtClose = store.close().then(() => done);
    const [records] = await Promise.all([load, doneAtClose, ...writes]);
    same(entriesOf(records), [["a", "199"]], "The records loaded while it closed");
    same(await doneAtClose, writes.length, "How many writes were done when it had closed");
  },

  async "refuses what is called after it was told to close"(stage) {
    const store = await stage.open();
    await store.put("a", "1");
    await Promise.all([store.put("b", "1"), store.close(), stage.refusesAll(store, "while it closed")]);
    await stage.refusesAll(store, "after it had closed");
  },

  async "refuses what is no text with a TypeError, and keeps nothing of it"(stage) {
    const store = await stage.open();
    for (const given of [undefined, null, 7, true, {}, ["a"], Symbol("a")]) {
      const other = given as string;
      const operations = {
        "a key to put": () => store.put(other, "1"),
        "a value to put": () => store.put("a", other),
        "a key to delete": () => store.delete(other),
        "a prefix to load": () => store.load(other),
      };
      for (const [what, operation] of Object.entries(operations)) {
        await stage.refuses(operation(), `${what} that is ${String(given)}`, TypeError);
      }
    }
    await stage.holds(store, "", []);
  },

  async "can be closed twice"(stage) {
    const store = await stage.open();
    await store.put("a", "1");
    await Promise.all([store.close(), store.close()]);
    await store.close();
  },

  async "can be closed unused"(stage) {
    const store = await stage.open();
    await store.close();
  },

  async "shares nothing with another store"(stage) {
    const store = await stage.open("-a");
    const other = await stage.open("-b");
    await store.put("a", "1");
    await other.put("b", "1");
    await other.delete("a");
    await stage.holds(store, "", [["a", "1"]]);
    await store.close();
    await stage.holds(other, "", [["b", "1"]]);
  },
};

const persistentRules: Readonly<Record<string, Rule>> = {
  async "has its records when it is opened again"(stage) {
    for (const number of [1, 2, 3, 4, 5]) {
      const store = await stage.open();
      const expected = keys.map((key): Entry => [key, `${number - 1}`]);
      await stage.holds(store, "", number === 1 ? [] : expected);
      for (const key of keys) await store.put(key, `${number}`);
      await store.close();
    }
  },

  async "has no deleted record when it is opened again"(stage) {
    const store = await stage.open();
    for (const key of ["a", "b", "c"]) await store.put(key, "");
    await store.delete("a");
    await store.close();
    const second = await stage.open();
    await second.delete("c");
    await second.close();
    await stage.holds(await stage.open(), "", [["b", ""]]);
  },

  async "has everything that was called before it closed when it is opened again"(stage) {
    const store = await stage.open();
    const puts = numbers.map((number) => store.put(`${number}`, "x".repeat(1000)));
    const deletes = numbers.slice(1).map((number) => store.delete(`${number}`));
    await Promise.all([...puts, ...deletes, store.close()]);
    await stage.holds(await stage.open(), "", [["0", "x".repeat(1000)]]);
  },
};

const exclusiveRules: Readonly<Record<string, Rule>> = {
  async "refuses a second store of the name until the first is closed"(stage) {
    const first = await stage.open();
    await first.put("a", "1");
    const second = await stage.open();
    const third = await stage.open();
    await stage.refusesAll(second, "while another store used the name");
    await stage.refusesAll(third, "while another store used the name, although one had been refused");
    await third.close();
    await first.put("b", "1");
    await stage.holds(first, "", [
      ["a", "1"],
      ["b", "1"],
    ]);
    await first.close();
    await second.delete("b");
    await stage.holds(second, "", [["a", "1"]]);
  },
};

const failureRules: Readonly<Record<string, Rule>> = {
  async "has not done what it rejected, and goes on when it can write again"(stage) {
    const before: Entry[] = [
      ["a", "1"],
      ["b", "1"],
    ];
    const store = await stage.open();
    for (const [key, value] of before) await store.put(key, value);
    for (const round of [1, 2, 3]) {
      const end = await stage.failWrites();
      try {
        await Promise.all([
          stage.refuses(store.put("a", `${round}`.repeat(10)), "put while writes failed"),
          stage.refuses(store.put("c", "x".repeat(300_000)), "another put while writes failed"),
          stage.refuses(store.delete("b"), "delete while writes failed"),
        ]);
        await stage.refuses(store.put("d", "1"), "put after writes had failed");
        await stage.holds(store, "", before);
      } finally {
        end();
      }
      await stage.holds(store, "", before);
      await store.put("e", `${round}`);
      await stage.holds(store, "", [...before, ["e", `${round}`]]);
      await store.delete("e");
    }
    await store.close();
    await stage.holds(await stage.open(), "", before);
  },
};

const damageRules: Readonly<Record<string, Rule>> = {
  async "opens whatever is in its files, has every record that is whole and no changed one, and says that it is damaged"(
    stage,
  ) {
    await stage.keepsWhatIsWhole();
  },
};

type Open = (name: string, damaged: (damage: Error) => void) => RecordStore | Promise<RecordStore>;

/** What a rule does and expects. */
class Stage {
  readonly #name: string;
  readonly #open: Open;
  readonly #options: RecordStoreContractOptions;
  readonly #opened: RecordStore[] = [];

  constructor(name: string, open: Open, options: RecordStoreContractOptions) {
    this.#name = name;
    this.#open = open;
    this.#options = options;
  }

  async open(name = ""): Promise<RecordStore> {
    const store = await this.#open(`${this.#name}${name}`, () => {});
    this.#opened.push(store);
    return store;
  }

  async failWrites(): Promise<() => void> {
    return (await this.#options.failWrites?.(this.#name)) ?? (() => {});
  }

  async keepsWhatIsWhole(): Promise<void> {
    if (this.#options.damage !== undefined) await keepsWhatIsWhole(this.#name, this.#open, this.#options.damage);
  }

  async holds(store: RecordStore, prefix: string, expected: readonly Entry[]): Promise<void> {
    const entries = entriesOf(await store.load(prefix));
    for (const [index, entry] of expected.entries())
      same(entries[index], entry, `Record ${index + 1} under "${prefix}"`);
    same(entries.length, expected.length, `The number of records under "${prefix}"`);
  }

  async refusesAll(store: RecordStore, when: string): Promise<void> {
    await Promise.all([
      this.refuses(store.put("c", ""), `put ${when}`),
      this.refuses(store.delete("a"), `delete ${when}`),
      this.refuses(store.load(""), `load ${when}`),
    ]);
  }

  async refuses(operation: Promise<unknown>, what: string, kind: ErrorConstructor = Error): Promise<void> {
    const failure = await operation.then(
      () => undefined,
      (error: unknown) => error,
    );
    if (failure === undefined) throw new Error(`The store did not refuse ${what}.`);
    if (!(failure instanceof kind) || failure.message === "") {
      throw new Error(
        `The store refused ${what} with something that is not ${kind === Error ? "an" : "a"} ${kind.name} with a message.`,
      );
    }
  }

  /** Closes what is still open. A store that cannot even be closed has failed its rule already. */
  async clear(): Promise<void> {
    for (const store of this.#opened) {
      try {
        await store.close();
      } catch {}
    }
  }
}
