import { type Clock, inTime, type RecordStore } from "@ocppj/core";
import { oneAfterAnother } from "./one-after-another.ts";

/** How long the store is waited for: as long as core waits for it. */
const patienceMs = 30_000;

/**
 * The records of one kind in a store: what is to be there is written in the order of the calls. What the store has refused,
 * or may yet do though it was given up, is put right with the next change, or when {@link KeptRecords.settle} asks for it.
 */
export class KeptRecords<Value> {
  readonly #store: RecordStore;
  readonly #kind: string;
  readonly #clock: Clock;
  readonly #report: (error: Error) => void;
  /** What is to be there, by name. */
  readonly #wanted = new Map<string, string>();
  /** The names of which the store may hold something else, and whether that was reported. */
  readonly #owed = new Map<string, boolean>();
  readonly #inTurn = oneAfterAnother();

  /** @param kind - What the keys begin with, before `/`. */
  constructor(
    store: RecordStore,
    kind: string,
    options: { readonly clock: Clock; readonly report: (error: Error) => void },
  ) {
    this.#store = store;
    this.#kind = kind;
    this.#clock = options.clock;
    this.#report = options.report;
  }

  /**
   * Reads them. One that makes no sense is reported, and moved to `corrupt/`.
   *
   * @param read - What a record says; `undefined`: nothing.
   * @throws What the store rejects with when it cannot be read.
   */
  async load(read: (name: string, value: unknown) => Value | undefined): Promise<readonly Value[]> {
    const prefix = `${this.#kind}/`;
    const values: Value[] = [];
    for (const { key, value } of await this.#inTime(() => this.#store.load(prefix))) {
      const name = key.slice(prefix.length);
      const record = read(name, parsed(value));
      if (record === undefined) await this.#setAside(key, value);
      else {
        values.push(record);
        this.#wanted.set(name, value);
      }
    }
    return values;
  }

  /** Whether the store may hold something else than it should. */
  get isOwing(): boolean {
    return this.#owed.size > 0;
  }

  /** Writes a record. Whether it would survive a power cut; where not, it is as before, sooner or later. */
  put(name: string, value: Value): Promise<boolean> {
    return this.#inTurn(async () => {
      await this.#settle();
      const text = JSON.stringify(value);
      try {
        await this.#write(name, text);
      } catch (cause) {
        this.#owe(name, cause, false);
        return false;
      }
      this.#wanted.set(name, text);
      return true;
    });
  }

  /** Writes a record, sooner or later. */
  restore(name: string, value: Value): Promise<void> {
    return this.#bring(name, JSON.stringify(value));
  }

  /** Deletes a record, sooner or later. */
  forget(name: string): Promise<void> {
    return this.#bring(name, undefined);
  }

  /** Tries again what the store has refused. */
  settle(): Promise<void> {
    return this.#inTurn(() => this.#settle());
  }

  #bring(name: string, text: string | undefined): Promise<void> {
    return this.#inTurn(() => {
      if (text === undefined) this.#wanted.delete(name);
      else this.#wanted.set(name, text);
      this.#owed.set(name, false);
      return this.#settle();
    });
  }

  /** Up to the first failure: a store that hangs is not waited for more than once. */
  async #settle(): Promise<void> {
    for (const [name, isReported] of [...this.#owed]) {
      try {
        await this.#write(name, this.#wanted.get(name));
        this.#owed.delete(name);
      } catch (cause) {
        return this.#owe(name, cause, isReported);
      }
    }
  }

  /** It is tried again after all others. */
  #owe(name: string, cause: unknown, isReported: boolean): void {
    this.#owed.delete(name);
    this.#owed.set(name, true);
    if (!isReported) this.#report(new Error(`The store did not take a record of ${this.#kind}.`, { cause }));
  }

  /** @param text - `undefined`: it is deleted. */
  #write(name: string, text: string | undefined): Promise<void> {
    const key = `${this.#kind}/${name}`;
    return this.#inTime(() => (text === undefined ? this.#store.delete(key) : this.#store.put(key, text)));
  }

  /** It is deleted once its copy is there. */
  async #setAside(key: string, value: string): Promise<void> {
    const copy = `corrupt/${key}`;
    let cause: unknown;
    try {
      await this.#inTime(() => this.#store.put(copy, value));
      await this.#inTime(() => this.#store.delete(key));
    } catch (error) {
      cause = error;
    }
    const what = cause === undefined ? "It was set aside" : "The store failed to set it aside";
    this.#report(new Error(`The record ${key} makes no sense. ${what} as ${copy}.`, { cause }));
  }

  #inTime<T>(operation: () => Promise<T>): Promise<T> {
    return inTime(
      this.#clock,
      patienceMs,
      operation,
      () => new Error(`The store has not answered for ${patienceMs} ms.`),
    );
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
