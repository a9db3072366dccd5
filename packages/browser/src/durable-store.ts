import { optionRules, type RecordStore, type StoredRecord, takeOptions } from "@ocppj/core";

/**
 * Keeps records in an IndexedDB database, in pages and in web workers.
 *
 * What has been put or deleted survives a crash of the page and of the browser. It survives a power cut where the
 * browser knows transactions of `durability: "strict"`, as far as the disk keeps what it has confirmed; an older
 * browser may lose the last seconds. When space runs short a browser may delete everything that a site keeps, unless it
 * has granted `navigator.storage.persist()`.
 *
 * The first operation opens the database, and so does the next one when that failed or the browser has closed it. One
 * store at a time can use a database, be it of another page or of this one: a second is refused until the first has
 * been closed, or its page has ended. A page that is not from HTTPS or from this machine has no Web Locks, so there
 * nothing prevents it.
 *
 * An operation rejects with a TypeError when it is given what is no text, with an Error when the store has been closed,
 * or its database is in use or cannot be opened, and with a DOMException when it fails, for example a
 * `QuotaExceededError`.
 *
 * @param name - Name of the database, which nothing else uses.
 */
export function durableStore(name: string): RecordStore {
  return new IndexedStore(name);
}

const text = optionRules.required(optionRules.text);

/**
 * Theory of operation: IndexedDB lets transactions over the same records take effect in the order in which they were
 * made. So every operation is one, and nothing has to wait for its turn here.
 */
class IndexedStore implements RecordStore {
  readonly #name: string;
  #database: Promise<IDBDatabase> | undefined;
  /** Ends the lock. */
  #release: (() => void) | undefined;
  #closed: Promise<void> | undefined;

  constructor(name: string) {
    this.#name = name;
  }

  async load(prefix: string): Promise<readonly StoredRecord[]> {
    takeOptions("load", { prefix }, { prefix: text });
    const range = keysWith(prefix);
    const [keys, values] = await this.#perform("readonly", (records) => [
      records.getAllKeys(range),
      records.getAll(range),
    ]);
    const records = keys.result.map((key, index) => ({ key: key as string, value: values.result[index] }));
    return records.filter(({ key, value }) => typeof key === "string" && typeof value === "string"); // Others are damaged.
  }

  async put(key: string, value: string): Promise<void> {
    takeOptions("put", { key, value }, { key: text, value: text });
    await this.#perform("readwrite", (records) => records.put(value, key));
  }

  async delete(key: string): Promise<void> {
    takeOptions("delete", { key }, { key: text });
    await this.#perform("readwrite", (records) => records.delete(key));
  }

  close(): Promise<void> {
    this.#closed ??= this.#end();
    return this.#closed;
  }

  async #end(): Promise<void> {
    const database = await this.#database?.catch(() => undefined);
    try {
      // A transaction that may write has to wait for all others.
      if (database !== undefined) await transact(database, "readwrite", (records) => records.count());
    } finally {
      database?.close();
      this.#release?.();
    }
  }

  async #perform<Requests>(
    mode: IDBTransactionMode,
    request: (records: IDBObjectStore) => Requests,
  ): Promise<Requests> {
    if (this.#closed !== undefined) throw new Error(`The store "${this.#name}" is closed.`);
    this.#database ??= this.#open();
    return transact(await this.#database, mode, request);
  }

  async #open(): Promise<IDBDatabase> {
    const forget = (): void => {
      this.#database = undefined;
      this.#release?.();
    };
    try {
      this.#release = await lock(this.#name);
      const database = await open(this.#name);
      database.onclose = forget;
      return database;
    } catch (cause) {
      forget();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`The store "${this.#name}" cannot be opened: ${why}`, { cause });
    }
  }
}

/** A page that is loaded again may still be there when it begins. */
const lockTimeoutMs = 1000;

/**
 * Takes the use of a database. @returns The function that ends it.
 *
 * @throws Error Another store has it.
 */
function lock(name: string): Promise<() => void> {
  return new Promise((resolve, reject) => {
    if (globalThis.navigator?.locks === undefined) return resolve(() => {});
    const taken = () => new Promise<void>((release) => resolve(release));
    const signal = AbortSignal.timeout(lockTimeoutMs);
    navigator.locks.request(`ocppj store ${name}`, { signal }, taken).catch((error: Error) => {
      const isTaken = error.name === "TimeoutError";
      reject(isTaken ? new Error("it is in use by another page or store. Close that one first.") : error);
    });
  });
}

/** The one object store of the database. */
const recordsName = "records";

function open(name: string): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(recordsName);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** Resolves when the requests have been carried out, and what they wrote is on the disk. */
function transact<Requests>(
  database: IDBDatabase,
  mode: IDBTransactionMode,
  request: (records: IDBObjectStore) => Requests,
): Promise<Requests> {
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(recordsName, mode, { durability: "strict" });
    const requests = request(transaction.objectStore(recordsName));
    transaction.oncomplete = () => resolve(requests);
    transaction.onabort = () => reject(transaction.error ?? new Error("The browser has closed the database."));
  });
}

/** All keys that begin with `prefix`: up to the first one whose last code unit is greater. */
function keysWith(prefix: string): IDBKeyRange {
  const stem = prefix.replace(/\uffff+$/, ""); // Nothing is greater than U+FFFF.
  if (stem === "") return IDBKeyRange.lowerBound(prefix);
  const end = stem.slice(0, -1) + String.fromCharCode(stem.charCodeAt(stem.length - 1) + 1);
  return IDBKeyRange.bound(prefix, end, false, true);
}
