import { mkdir } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { type OptionRules, optionRules, type RecordStore, type StoredRecord, takeOptions } from "@ocppj/core";
import { syncFolder } from "../sync-folder.ts";
import { type FolderLock, lockFolder } from "./folder-lock.ts";
import { type Change, Journal } from "./journal.ts";

/** Settings of {@link durableStore}. */
export interface DurableStoreOptions {
  /**
   * Called after an opening that found the file damaged, with what was wrong and where the file is kept. Values are
   * never in it. What it throws is ignored. Default: nobody is told.
   */
  readonly damaged?: ((damage: Error) => void) | undefined;
}

/**
 * Keeps records in a file of a folder of its own, which one store at a time can use.
 *
 * What has been put or deleted survives a power cut, as far as the disk keeps what it has confirmed. Writes that wait
 * for the disk are written together. A write that was rejected has not happened, and later ones succeed as soon as the
 * disk takes them. A disk that is full refuses what is put; records can be deleted, which makes room.
 *
 * The first operation opens the store, and so does the next one when that failed. Each record has a checksum: those
 * that are whole are kept, whatever has happened to the file, and no other is ever returned. A damaged file is set
 * aside in the folder, the last three of them are kept, and `damaged` is told. A deleted record may be back then, and a
 * changed one be as it was before. An interrupted write at the end of the file is no damage.
 *
 * An operation rejects with a TypeError when it is given what is no text, and with an Error when the store has been
 * closed; when it is in use, by another process or by another store of this one; when it cannot be opened (the `cause`
 * tells why); and with the Error of the file system when that fails, for example because the disk is full.
 *
 * @param location - Path of the folder; it is made if there is none.
 * @throws TypeError `location` is no path, one of the options is not what it may be, or there is no such option.
 */
export function durableStore(location: string, options: DurableStoreOptions = {}): RecordStore {
  if (typeof location !== "string" || location === "") {
    throw new TypeError(`The location of a store is ${JSON.stringify(location)}. Give the path of a folder.`);
  }
  return new DurableStore(location, takeOptions("durableStore", options, rules));
}

const rules: OptionRules<DurableStoreOptions> = { damaged: optionRules.callback };

const text = optionRules.required(optionRules.text);

interface Opened {
  readonly journal: Journal;
  readonly lock: FolderLock;
}

/**
 * Theory of operation: each operation waits for the one before. Writes that follow each other while they wait become
 * one operation.
 */
class DurableStore implements RecordStore {
  /** As it was given, for messages. */
  readonly #location: string;
  readonly #folder: string;
  readonly #damaged: DurableStoreOptions["damaged"];
  #opened: Opened | undefined;
  /** Resolves when every operation so far has ended. */
  #idle: Promise<unknown> = Promise.resolve();
  /** The latest operation, as long as it can take more writes. */
  #waiting: { readonly changes: Change[]; readonly written: Promise<Error | undefined> } | undefined;
  #closed: Promise<void> | undefined;

  constructor(location: string, { damaged }: DurableStoreOptions) {
    this.#location = location;
    this.#folder = resolve(location);
    this.#damaged = damaged;
  }

  async load(prefix: string): Promise<readonly StoredRecord[]> {
    takeOptions("load", { prefix }, { prefix: text });
    return this.#next((journal) => journal.load(prefix));
  }

  async put(key: string, value: string): Promise<void> {
    takeOptions("put", { key, value }, { key: text, value: text });
    return this.#write({ key, value });
  }

  async delete(key: string): Promise<void> {
    takeOptions("delete", { key }, { key: text });
    return this.#write({ key });
  }

  close(): Promise<void> {
    this.#closed ??= this.#idle.then(async () => {
      await this.#opened?.journal.close();
      await this.#opened?.lock.release();
    });
    return this.#closed;
  }

  async #write(change: Change): Promise<void> {
    if (this.#waiting === undefined || this.#closed !== undefined) {
      const changes: Change[] = [];
      const written = this.#next((journal) => journal.commit(changes));
      this.#waiting = { changes, written };
    }
    this.#waiting.changes.push(change);
    const refusal = await this.#waiting.written;
    if (refusal !== undefined && change.value !== undefined) throw refusal;
  }

  #next<Result>(operation: (journal: Journal) => Result | Promise<Result>): Promise<Result> {
    this.#waiting = undefined;
    if (this.#closed !== undefined) return Promise.reject(new Error(`The store at ${this.#location} is closed.`));
    const result = this.#idle.then(async () => {
      this.#waiting = undefined;
      this.#opened ??= await this.#open();
      return operation(this.#opened.journal);
    });
    this.#idle = result.then(
      () => this.#opened?.journal.tidy(),
      () => {},
    );
    return result;
  }

  async #open(): Promise<Opened> {
    let lock: FolderLock | undefined;
    try {
      await makeFolder(this.#folder);
      lock = await lockFolder(this.#folder);
      if (lock !== undefined) return { lock, journal: await Journal.open(this.#folder, (what) => this.#tell(what)) };
    } catch (cause) {
      await lock?.release();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`The store at ${this.#location} cannot be opened: ${why}`, { cause });
    }
    throw new Error(
      `The store at ${this.#location} is in use, by another process or by another store of this one. Close that one first.`,
    );
  }

  #tell(what: string): void {
    // An async function takes what is thrown, and what is rejected.
    const tell = async () => this.#damaged?.(new Error(`The store at ${this.#location} is damaged: ${what}`));
    tell().catch(() => {});
  }
}

/** Makes a folder, and those around it, that survive a power cut. */
async function makeFolder(folder: string): Promise<void> {
  const outermost = await mkdir(folder, { recursive: true });
  if (outermost === undefined) return;
  for (let made = folder; ; made = dirname(made)) {
    await syncFolder(dirname(made));
    if (made === outermost) return;
  }
}
