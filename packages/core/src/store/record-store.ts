import { optionRules, takeOption } from "../options.ts";

/** One record of a {@link RecordStore}. */
export interface StoredRecord {
  readonly key: string;
  readonly value: string;
}

/**
 * Keeps a Charge Point's records across restarts and power cuts: all that it has to deliver, and all that it has to
 * remember. The keys of each kind of record have a prefix of their own, so one store serves all; a {@link namespace} serves
 * an owner's own.
 *
 * Keys and values are any well-formed strings, the empty one too; half a surrogate pair may come back as U+FFFD. What is
 * no string is refused: the operation rejects with a TypeError.
 * Operations take effect in the order in which they were called, whether or not the earlier ones have been awaited.
 */
export interface RecordStore {
  /**
   * Reads the records whose keys begin with `prefix`, in ascending order of their keys, which is that of `<`:
   * by UTF-16 code units.
   *
   * A record that is half written or damaged does not keep the others from being read. A store that can tell leaves it
   * out; from one that cannot it comes as it is found, and whoever understands it sets it aside.
   */
  load(prefix: string): Promise<readonly StoredRecord[]>;
  /**
   * Writes a record in place of an earlier one with that key. Resolves when it would survive a power cut. When it rejects,
   * the record is as it was before.
   */
  put(key: string, value: string): Promise<void>;
  /**
   * Removes a record, if there is one. Resolves when it would not come back after a power cut. When it rejects, the record
   * is still there.
   */
  delete(key: string): Promise<void>;
  /**
   * Ends the use of the store, after the operations that were called before. What is called later rejects with an Error.
   * Calling it again is harmless.
   */
  close(): Promise<void>;
}

/** A store that forgets everything with the program: for tests, and for chargers that may lose what is undelivered. */
export function memoryStore(): RecordStore {
  const records = new Map<string, string>();
  let closed = false;
  const perform = async <Result>(texts: Readonly<Record<string, string>>, operation: () => Result) => {
    if (closed) throw new Error("The store is closed.");
    takeTexts(texts);
    return operation();
  };
  return {
    load: (prefix) =>
      perform({ prefix }, () =>
        [...records]
          .filter(([key]) => key.startsWith(prefix))
          .sort(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => ({ key, value })),
      ),
    put: (key, value) => perform({ key, value }, () => void records.set(key, value)),
    delete: (key) => perform({ key }, () => void records.delete(key)),
    close() {
      closed = true;
      return Promise.resolve();
    },
  };
}

const text = optionRules.required(optionRules.text);

/**
 * Checks what an operation of a store was given.
 *
 * @throws TypeError One of these is no text. It tells which, what it is, and what to give.
 */
export function takeTexts(texts: Readonly<Record<string, string>>): void {
  for (const [name, given] of Object.entries(texts)) takeOption(name, given, text);
}
