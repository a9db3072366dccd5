import { systemClock } from "../clock.ts";
import { optionRules, takeOption } from "../options.ts";
import { prefixOf } from "./own-keys.ts";
import { patiently } from "./patient-store.ts";
import { type RecordStore, type StoredRecord, takeTexts } from "./record-store.ts";

/**
 * A part of a store as a store of its own: for an owner's records beside those of core, for several packages, and for
 * several charge points in one store.
 *
 * Its keys collide neither with those of core nor with those of another namespace. In the store they begin with
 * `namespace/`, its name and `/`. To close it ends the use of this part only: the store itself is left open, for the
 * others. That waits for the operations that run, half a minute at most, and rejects when the store has not answered then.
 *
 * @param name - Letters, digits, `.`, `_` and `-`, 1 to 100 of them.
 * @throws TypeError `store` is no store, or `name` no name.
 */
export function namespace(store: RecordStore, name: string): RecordStore {
  takeOption("store", store, optionRules.required(optionRules.store));
  if (typeof name !== "string" || !/^[\w.-]{1,100}$/.test(name)) {
    throw new TypeError(
      `The name of a namespace is ${JSON.stringify(name)}. Use 1 to 100 letters, digits, dots, underscores and hyphens.`,
    );
  }
  return new Namespace(store, name);
}

class Namespace implements RecordStore {
  readonly #store: RecordStore;
  readonly #name: string;
  readonly #prefix: string;
  /** How many operations run. */
  #running = 0;
  /** Resolves once none runs: there when it is closed. */
  #idle: Promise<void> | undefined;
  #becameIdle = (): void => {};

  constructor(store: RecordStore, name: string) {
    this.#store = store;
    this.#name = name;
    this.#prefix = `${prefixOf("namespace")}${name}/`;
  }

  async load(prefix: string): Promise<readonly StoredRecord[]> {
    const records = await this.#perform({ prefix }, () => this.#store.load(this.#prefix + prefix));
    return records.map(({ key, value }) => ({ key: key.slice(this.#prefix.length), value }));
  }

  put(key: string, value: string): Promise<void> {
    return this.#perform({ key, value }, () => this.#store.put(this.#prefix + key, value));
  }

  delete(key: string): Promise<void> {
    return this.#perform({ key }, () => this.#store.delete(this.#prefix + key));
  }

  close(): Promise<void> {
    this.#idle ??= new Promise((resolve) => {
      this.#becameIdle = resolve;
      if (this.#running === 0) resolve();
    });
    const idle = this.#idle;
    return patiently(systemClock, () => idle);
  }

  /** Begins an operation at once, so that those of all parts of the store stay in the order of their calls. */
  async #perform<Result>(texts: Readonly<Record<string, string>>, operation: () => Promise<Result>): Promise<Result> {
    if (this.#idle !== undefined) throw new Error(`The namespace "${this.#name}" of the store is closed.`);
    takeTexts(texts);
    this.#running += 1;
    try {
      return await operation();
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#becameIdle();
    }
  }
}
