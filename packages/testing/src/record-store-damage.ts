import type { RecordStore, StoredRecord } from "@ocppj/core";
import { same, shown } from "./same.ts";
import { seeded } from "./seeded.ts";

/** What lies in the files of a store, by their names. */
export type StoreFiles = ReadonlyMap<string, Uint8Array>;

/** A way to the files of a store that nobody has opened, past the store. */
export interface StoreDamageOptions {
  /** Reads the files of the store of that name. */
  read(name: string): StoreFiles | Promise<StoreFiles>;
  /** Replaces them: what is not among `files` is gone. */
  write(name: string, files: StoreFiles): void | Promise<void>;
  /** Whether everything that was written of a record is in these files, unchanged. */
  isWhole(files: StoreFiles, record: StoredRecord): boolean;
  /** How many damaged stores are opened. Default 10 000. */
  readonly times?: number | undefined;
  /** For everything that is random. Default: the time. */
  readonly seed?: number | undefined;
}

/** Opens a store whose listener of damage is told. */
export type OpenDamageable = (name: string, damaged: (damage: Error) => void) => RecordStore | Promise<RecordStore>;

/** Whole numbers from 0 up to a limit. */
type Below = (limit: number) => number;

type Files = Map<string, Uint8Array>;

type Damage = (files: Files, name: string, below: Below) => void;

/** Changes a copy of a file. */
const changing =
  (change: (bytes: Uint8Array, below: Below) => Uint8Array): Damage =>
  (files, name, below) => {
    files.set(name, change(Uint8Array.from(files.get(name) ?? []), below));
  };

/** A part of some bytes, mostly a short one, now and then whole sectors. */
function rangeIn(bytes: Uint8Array, below: Below): readonly [start: number, end: number] {
  if (below(4) > 0) {
    const start = below(bytes.length);
    return [start, start + 1 + below(below(2) > 0 ? 16 : 1000)];
  }
  const start = 512 * below(1 + bytes.length / 512);
  return [start, start + 512 * (1 + below(4))];
}

const garbage = (length: number, below: Below): Uint8Array => Uint8Array.from({ length }, () => below(256));

const damages: Readonly<Record<string, Damage>> = {
  "flipped bits": changing((bytes, below) => {
    for (let flips = 1 + below(3); flips > 0 && bytes.length > 0; flips--) {
      const at = below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << below(8));
    }
    return bytes;
  }),
  "an end cut off": changing((bytes, below) => bytes.subarray(0, below(1 + bytes.length))),
  zeros: changing((bytes, below) => bytes.fill(0, ...rangeIn(bytes, below))),
  garbage: changing((bytes, below) => {
    const [start, end] = rangeIn(bytes, below);
    const length = Math.max(0, Math.min(end, bytes.length) - start);
    if (length > 0) bytes.set(garbage(length, below), start);
    return bytes;
  }),
  "an end of garbage": changing((bytes, below) => {
    const end = below(2) > 0 ? garbage(below(600), below) : new Uint8Array(below(5000));
    return Uint8Array.of(...bytes, ...end);
  }),
  "a part that lies elsewhere, too": changing((bytes, below) => {
    const part = bytes.slice(...rangeIn(bytes, below));
    bytes.set(part, below(1 + Math.max(0, bytes.length - part.length)));
    return bytes;
  }),
  "a part that is there twice": changing((bytes, below) => {
    const [start, end] = rangeIn(bytes, below);
    return Uint8Array.of(...bytes.subarray(0, end), ...bytes.subarray(start));
  }),
  "a part that is missing": changing((bytes, below) => {
    const [start, end] = rangeIn(bytes, below);
    return Uint8Array.of(...bytes.subarray(0, start), ...bytes.subarray(end));
  }),
  "swapped bytes": changing((bytes, below) => {
    const [a, b] = [below(bytes.length), below(bytes.length)];
    for (let index = 1 + below(8); index > 0; index--) {
      const [first = 0, second = 0] = [bytes[a + index], bytes[b + index]];
      if (Math.max(a, b) + index < bytes.length) [bytes[a + index], bytes[b + index]] = [second, first];
    }
    return bytes;
  }),
  "a lost file": (files, name) => void files.delete(name),
  "an empty file": changing(() => new Uint8Array()),
  "a file that is there twice": (files, name) => void files.set(`${name}~`, files.get(name) ?? new Uint8Array()),
  "a file in the place of another": (files, name, below) => {
    const names = [...files.keys()];
    files.set(names[below(names.length)] ?? name, files.get(name) ?? new Uint8Array());
  },
};

/** Everything that has ever been in a store. */
class History {
  readonly #records = new Map<string, string>();
  readonly #entries = new Set<string>();
  readonly #states = new Set<string>(["[]"]);

  put(key: string, value: string): void {
    this.#records.set(key, value);
    this.#entries.add(JSON.stringify([key, value]));
    this.#states.add(JSON.stringify(this.latest));
  }

  delete(key: string): void {
    this.#records.delete(key);
    this.#states.add(JSON.stringify(this.latest));
  }

  get latest(): StoredRecord[] {
    return [...this.#records].map(([key, value]) => ({ key, value })).sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /** Whether a record was once put exactly so. */
  had({ key, value }: StoredRecord): boolean {
    return this.#entries.has(JSON.stringify([key, value]));
  }

  /** Whether the store had these records, and no others, at some time: so it is after an interrupted write. */
  wasOnce(records: readonly StoredRecord[]): boolean {
    return this.#states.has(JSON.stringify(records.map(({ key, value }) => ({ key, value }))));
  }
}

/** Fills a store with records that are put, replaced and deleted one after the other. */
async function fill(store: RecordStore): Promise<History> {
  const history = new History();
  for (let number = 0; number < 40; number++) {
    const key = `kind-${number % 3}/${number}`;
    const put = async (value: string): Promise<void> => {
      await store.put(key, value);
      history.put(key, value);
    };
    await put(`{"number":${number},"text":"${"ab\n🔌".repeat(number)}"}`);
    if (number % 4 === 1) await put(`again ${number}`);
    if (number % 5 !== 2) continue;
    await store.delete(key);
    history.delete(key);
  }
  return history;
}

/** The laws of a store whose files were damaged: see the rule. */
export async function keepsWhatIsWhole(
  name: string,
  open: OpenDamageable,
  { read, write, isWhole, times = 10_000, seed = Date.now() % 1_000_000 }: StoreDamageOptions,
): Promise<void> {
  const first = await open(name, () => {});
  const history = await fill(first);
  await first.close();
  const original = await read(name);
  const random = seeded(seed);
  const below: Below = (limit) => Math.floor(limit * random());
  const kinds = Object.entries(damages);

  let time = 0;
  const next = (): { readonly files: Files; readonly what: string } => {
    const files: Files = new Map(original);
    const done: string[] = [];
    for (let count = below(3); count >= 0 && files.size > 0; count--) {
      const [kind, damage] = kinds[below(kinds.length)] as [string, Damage];
      const file = [...files.keys()][below(files.size)] as string;
      damage(files, file, below);
      done.push(`${kind} in ${file}`);
    }
    return { files, what: `${done.join(", ")} (damage ${time} of seed ${seed})` };
  };
  const openMany = async (store: string): Promise<void> => {
    while (time < times) {
      time += 1;
      const again = time % 8 === 0;
      const { files, what } = next();
      await write(store, files);
      await expectSalvaged(history, files, store, open, isWhole, again).catch((cause: Error) => {
        throw new Error(`After ${what}: ${cause.message}`, { cause });
      });
    }
  };
  // Several at a time, because each of them waits for its disk.
  await Promise.all(["a", "b", "c", "d", "e", "f"].map((lane) => openMany(`${name}-${lane}`)));
}

async function expectSalvaged(
  history: History,
  files: StoreFiles,
  name: string,
  open: OpenDamageable,
  isWhole: StoreDamageOptions["isWhole"],
  again: boolean,
): Promise<void> {
  const told: Error[] = [];
  const store = await open(name, (damage) => told.push(damage));
  const records = await store.load("");
  const invented = records.find((record) => !history.had(record));
  if (invented !== undefined) throw new Error(`The store has a record that was never put: ${shown(invented)}`);
  const values = new Map(records.map(({ key, value }) => [key, value]));
  same(values.size, records.length, "The number of different keys");
  for (const record of history.latest) {
    if (isWhole(files, record)) same(values.get(record.key), record.value, `The record ${record.key}, which is whole`);
  }
  if (told.length === 0 && !history.wasOnce(records)) {
    throw new Error("The store was never like that, and tells nobody that it is damaged.");
  }
  if (again) await store.put("later", "1");
  await store.close();
  if (!again) return;
  const reopened = await open(name, (damage) => told.push(damage));
  const tellings = told.length;
  const later = await reopened.load("");
  await reopened.close();
  same(told.length, tellings, "How often it tells what has been mended");
  const expected = [...records.filter(({ key }) => key !== "later"), { key: "later", value: "1" }];
  same(
    later.map(({ key, value }) => [key, value]),
    expected.map(({ key, value }) => [key, value]),
    "The records after another one was put",
  );
}
