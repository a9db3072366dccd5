import { readdir } from "node:fs/promises";
import type { QueueStore, StoredRecord } from "@ocppj/core";
import type { ClassicLevel } from "classic-level";

/** Settings of {@link queueStore}. */
export interface QueueStoreOptions {
  /**
   * Called when damaged files have been repaired, with what was wrong with them. Records that could not be read are gone
   * from the store; what LevelDB set aside lies in the folder `lost`. Default: nobody is told.
   */
  readonly repaired?: (damage: Error) => void;
}

/**
 * Keeps records in a LevelDB database: a folder of its own, which one store at a time can use, in one process.
 *
 * What has been put or deleted survives a power cut, as far as the disk keeps what it has confirmed. Writes that wait for
 * the disk are written together. The files are opened by the first operation, and again by the next one after an
 * operation failed; then everything is read once, and damaged files are repaired as well as they can be: records in a
 * damaged place may be lost, deleted ones may come back.
 *
 * Every operation rejects with an Error that says so when the store has been closed, or cannot be opened: the reason is
 * its `cause`, with the `code` `LEVEL_LOCKED` when another store uses the folder. A failed write, on a full disk for
 * example, rejects with LevelDB's own Error.
 *
 * @param location - Path of the folder, which is made if there is none.
 */
export function queueStore(location: string, options: QueueStoreOptions = {}): QueueStore {
  return new LevelStore(location, options.repaired);
}

type Write =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  | { readonly type: "del"; readonly key: string };

/**
 * Theory of operation: LevelDB does what it is told in several threads, in any order. So each operation waits for the one
 * before; writes that follow each other while they wait become one operation.
 */
class LevelStore implements QueueStore {
  readonly #location: string;
  readonly #repaired: QueueStoreOptions["repaired"];
  #level: ClassicLevel | undefined;
  /** Resolves when every operation so far has ended. */
  #idle: Promise<unknown> = Promise.resolve();
  /** The latest operation, as long as it can take more writes. */
  #waiting: { readonly writes: Write[]; readonly written: Promise<void> } | undefined;
  #closed: Promise<void> | undefined;

  constructor(location: string, repaired: QueueStoreOptions["repaired"]) {
    this.#location = location;
    this.#repaired = repaired;
  }

  load(prefix: string): Promise<readonly StoredRecord[]> {
    return this.#next(async (level) => {
      const records: StoredRecord[] = [];
      for await (const [key, value] of level.iterator({ gte: prefix })) {
        if (!key.startsWith(prefix)) break;
        records.push({ key, value });
      }
      // LevelDB orders by bytes of UTF-8, in which U+FFFD precedes U+1F50C.
      return records.sort((a, b) => (a.key < b.key ? -1 : 1));
    });
  }

  put(key: string, value: string): Promise<void> {
    return this.#write({ type: "put", key, value });
  }

  delete(key: string): Promise<void> {
    return this.#write({ type: "del", key });
  }

  close(): Promise<void> {
    this.#waiting = undefined;
    this.#closed ??= this.#idle.then(() => this.#level?.close());
    return this.#closed;
  }

  #write(write: Write): Promise<void> {
    if (this.#waiting === undefined) {
      const writes: Write[] = [];
      const written = this.#next((level) => {
        this.#waiting = undefined;
        return level.batch(writes, { sync: true });
      });
      this.#waiting = { writes, written };
    }
    this.#waiting.writes.push(write);
    return this.#waiting.written;
  }

  #next<Result>(operation: (level: ClassicLevel) => Promise<Result>): Promise<Result> {
    this.#waiting = undefined;
    if (this.#closed !== undefined) return Promise.reject(new Error(`The store at ${this.#location} is closed.`));
    const result = this.#idle.then(() => this.#perform(operation));
    this.#idle = result.catch(() => {});
    return result;
  }

  async #perform<Result>(operation: (level: ClassicLevel) => Promise<Result>): Promise<Result> {
    this.#level ??= await open(this.#location, this.#repaired);
    const level = this.#level;
    try {
      return await operation(level);
    } catch (error) {
      // After a failed write LevelDB refuses all later ones, or appends them where they cannot be read again.
      this.#level = undefined;
      await level.close();
      throw error;
    }
  }
}

/** Opens a database that is sound, or has been made so. */
async function open(location: string, repaired: QueueStoreOptions["repaired"]): Promise<ClassicLevel> {
  try {
    const { ClassicLevel } = await import("classic-level"); // Not earlier: it loads a native library.
    // Where the file is lost that leads to the others, LevelDB would begin anew and delete those.
    const createIfMissing = !(await holdsRecords(location));
    try {
      return await openAndRead(new ClassicLevel(location, { createIfMissing }));
    } catch (damage) {
      if (!isDamage(damage)) throw damage;
      await ClassicLevel.repair(location);
      const level = await openAndRead(new ClassicLevel(location, { createIfMissing: false }));
      repaired?.(damage);
      return level;
    }
  } catch (cause) {
    throw openError(location, cause as Error);
  }
}

async function holdsRecords(location: string): Promise<boolean> {
  const files = await readdir(location).catch(() => []);
  return files.some((file) => /\.(ldb|log)$/.test(file));
}

/** Damage inside a file shows only when it is read. */
async function openAndRead(level: ClassicLevel): Promise<ClassicLevel> {
  await level.open().catch(({ cause }) => {
    throw cause;
  });
  try {
    for await (const _ of level.keys()) {
    }
    return level;
  } catch (error) {
    await level.close();
    throw error;
  }
}

function isDamage(error: unknown): error is Error {
  const { code, message } = error as Error & { readonly code?: string };
  return code === "LEVEL_CORRUPTION" || /does not exist|No such file|Invalid argument/.test(message);
}

function openError(location: string, cause: Error & { readonly code?: string }): Error {
  const why =
    cause.code === "LEVEL_LOCKED"
      ? "is in use, by another process or by another store of this one. Close that one first."
      : `cannot be opened: ${cause.message}`;
  return new Error(`The store at ${location} ${why}`, { cause });
}
