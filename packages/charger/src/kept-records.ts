import { type Clock, inTime, type RecordStore } from "@ocppj/core";

/** How long the store is waited for: as long as core waits for it. */
const patienceMs = 30_000;

/**
 * The records of one kind in a store: what is to be there is written in the order of the calls, and what the store has
 * refused to forget is tried again with the next change.
 */
export class KeptRecords<Value> {
  readonly #store: RecordStore;
  readonly #kind: string;
  readonly #clock: Clock;
  readonly #report: (error: Error) => void;
  readonly #unforgotten = new Set<string>();
  #latest: Promise<unknown> = Promise.resolve();

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
      const record = read(key.slice(prefix.length), parsed(value));
      if (record !== undefined) values.push(record);
      else {
        this.#report(new Error(`The record ${key} makes no sense. It was set aside as corrupt/${key}.`));
        await this.#try(() => this.#store.put(`corrupt/${key}`, value));
        await this.#try(() => this.#store.delete(key));
      }
    }
    return values;
  }

  /** Writes a record. Whether it would survive a power cut; where not, it is as before. */
  put(name: string, value: Value): Promise<boolean> {
    return this.#inTurn(async () => {
      const isLeftOver = this.#unforgotten.delete(name);
      await this.#forgetAll();
      const isKept = await this.#try(() => this.#store.put(`${this.#kind}/${name}`, JSON.stringify(value)));
      if (!isKept && isLeftOver) this.#unforgotten.add(name);
      return isKept;
    });
  }

  /** Deletes a record, sooner or later. */
  forget(name: string): Promise<void> {
    return this.#inTurn(() => {
      this.#unforgotten.add(name);
      return this.#forgetAll();
    });
  }

  async #forgetAll(): Promise<void> {
    for (const name of [...this.#unforgotten]) {
      if (await this.#try(() => this.#store.delete(`${this.#kind}/${name}`))) this.#unforgotten.delete(name);
    }
  }

  #inTurn<T>(act: () => Promise<T>): Promise<T> {
    const turn = this.#latest.then(act);
    this.#latest = turn;
    return turn;
  }

  async #try(write: () => Promise<void>): Promise<boolean> {
    try {
      await this.#inTime(write);
      return true;
    } catch (cause) {
      this.#report(new Error(`The store did not take a record of ${this.#kind}.`, { cause }));
      return false;
    }
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
