import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import type { RecordStore, StoredRecord } from "@ocppj/core";
import type { ClassicLevel } from "classic-level";

/** Settings of {@link durableStore}. */
export interface DurableStoreOptions {
  /**
   * Called after an opening that found damaged files, with what was wrong: records may be lost, deleted ones may be back.
   * What LevelDB took out of use lies in the folder `lost`. Default: nobody is told.
   */
  readonly damaged?: (damage: Error) => void;
}

/**
 * Keeps records in a LevelDB database, in a folder of its own that one store at a time can use.
 *
 * What has been put or deleted survives a power cut, as far as the disk keeps what it has confirmed. Writes that wait for
 * the disk are written together. The first operation opens the database, and so does the next one after a failure; each
 * time everything is read once, and what is damaged is repaired as well as LevelDB can.
 *
 * An operation rejects with an Error when the store has been closed, when it cannot be opened (the `cause` tells why; its
 * `code` is `LEVEL_LOCKED` when another store uses the folder), and with LevelDB's own Error when it fails, for example
 * because the disk is full.
 *
 * @param location - Path of the folder; it is made if there is none.
 */
export function durableStore(location: string, options: DurableStoreOptions = {}): RecordStore {
  return new LevelStore(location, options);
}

type Write =
  | { readonly type: "put"; readonly key: string; readonly value: string }
  | { readonly type: "del"; readonly key: string };

/**
 * Theory of operation: LevelDB does what it is told in several threads, in any order. So each operation waits for the one
 * before; writes that follow each other while they wait become one operation.
 */
class LevelStore implements RecordStore {
  readonly #location: string;
  readonly #damaged: DurableStoreOptions["damaged"];
  #level: ClassicLevel | undefined;
  /** Resolves when every operation so far has ended. */
  #idle: Promise<unknown> = Promise.resolve();
  /** The latest operation, as long as it can take more writes. */
  #waiting: { readonly writes: Write[]; readonly written: Promise<void> } | undefined;
  #closed: Promise<void> | undefined;

  constructor(location: string, options: DurableStoreOptions) {
    this.#location = location;
    this.#damaged = options.damaged;
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
    this.#closed ??= this.#idle.then(() => this.#level?.close());
    return this.#closed;
  }

  #write(write: Write): Promise<void> {
    if (this.#waiting === undefined || this.#closed !== undefined) {
      const writes: Write[] = [];
      const written = this.#next((level) => level.batch(writes, { sync: true }));
      this.#waiting = { writes, written };
    }
    this.#waiting.writes.push(write);
    return this.#waiting.written;
  }

  #next<Result>(operation: (level: ClassicLevel) => Promise<Result>): Promise<Result> {
    this.#waiting = undefined;
    if (this.#closed !== undefined) return Promise.reject(new Error(`The store at ${this.#location} is closed.`));
    const result = this.#idle.then(() => {
      this.#waiting = undefined;
      return this.#perform(operation);
    });
    this.#idle = result.catch(() => {});
    return result;
  }

  async #perform<Result>(operation: (level: ClassicLevel) => Promise<Result>): Promise<Result> {
    const level = this.#level ?? (await this.#open());
    try {
      return await operation(level);
    } catch (error) {
      // After a failed write LevelDB refuses all later ones, or appends them where they cannot be read again.
      this.#level = undefined;
      await level.close();
      throw error;
    }
  }

  async #open(): Promise<ClassicLevel> {
    const { level, damage } = await open(this.#location).catch((cause: LevelError) => {
      const why =
        cause.code === "LEVEL_LOCKED"
          ? "is in use, by another process or by another store of this one. Close that one first."
          : `cannot be opened: ${cause.message}`;
      throw new Error(`The store at ${this.#location} ${why}`, { cause });
    });
    this.#level = level;
    if (damage !== undefined) this.#damaged?.(damage);
    return level;
  }
}

type LevelError = Error & { readonly code?: string };

interface Opened {
  readonly level: ClassicLevel;
  readonly damage?: Error | undefined;
}

/** Opens a database that can be read from end to end, if need be after a repair. */
async function open(location: string): Promise<Opened> {
  const { ClassicLevel } = await import("classic-level"); // Not earlier: it loads a native library.
  // Where only the file is lost that leads to the others, LevelDB would begin anew and delete those.
  const files = await readdir(location).catch(() => []);
  const createIfMissing = !files.some((file) => /\.(ldb|log)$/.test(file));
  try {
    const level = await openAndRead(new ClassicLevel(location, { createIfMissing }));
    return { level, damage: await damageInLog(location) };
  } catch (error) {
    if (!isDamage(error)) throw error;
    await ClassicLevel.repair(location);
    return { level: await openAndRead(new ClassicLevel(location, { createIfMissing: false })), damage: error };
  }
}

/** Reads every block, because damage inside a file shows only then. */
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

/** What LevelDB could not read in its log: it goes on without, and says so only in its diary, begun at each opening. */
async function damageInLog(location: string): Promise<Error | undefined> {
  const diary = await readFile(join(location, "LOG"), "utf8").catch(() => "");
  const [, dropped] = /: (dropping \d+ bytes; .*)/.exec(diary) ?? [];
  return dropped === undefined ? undefined : new Error(dropped);
}

/** Whether a file is missing, too short, or not what it should be. */
function isDamage(error: unknown): error is Error {
  const { code, message } = error as LevelError;
  return code === "LEVEL_CORRUPTION" || /does not exist|: (No such file or directory|Invalid argument)$/.test(message);
}
