import { randomBytes } from "node:crypto";
import { type FileHandle, open, readdir, rename, rm, stat, statfs, truncate } from "node:fs/promises";
import { join } from "node:path";
import type { StoredRecord } from "@ocppj/core";
import { syncFolder } from "../sync-folder.ts";
import { encodeLine, JournalReader, stateOf } from "./journal-lines.ts";

/** A record is put or, without `value`, deleted. */
export interface Change {
  readonly key: string;
  readonly value?: string;
}

/** A record, and how long its line in the file is. */
interface Entry {
  readonly value: string;
  readonly bytes: number;
}

/** So much is read, or made and written, in one go: more would keep everything else waiting. */
const sliceBytes = 64 * 1024;

/** What a disk reads as a whole, or not at all. */
const blockBytes = 4096;

/** So much of a file may be of no use any more before it is written anew, at least. */
const slackBytes = 256 * 1024;

/** So large is the reserve, at least, where the disk is not a very small one. */
const reserveBytes = 64 * 1024;

/** So many damaged files are kept. */
const keptFiles = 3;

/**
 * The records of a folder: all of them in memory, and in one file that is only appended to.
 *
 * Theory of operation: a commit is written at the end of the file `records`, and synced. What could not be written is cut
 * off again. A file that could not be synced, or that is damaged, is appended to no more, since nobody knows what is in it:
 * all records are written into a new one, `records.new`, which takes its place when it is on the disk. The same is done
 * when most of the file is of no use any more.
 *
 * To remove a record takes room, too. For that there is a file `reserve`, which holds nothing of use; without it nothing is
 * put. When a removal finds the disk full the reserve is removed, and the removal written again. As soon as the records
 * that are left fit into the room that is free, they are written anew, which gives back the room of all others, and the
 * reserve is made again.
 */
export class Journal {
  readonly #folder: string;
  readonly #records = new Map<string, Entry>();
  /** The file to append to; `undefined` when a new one has to be written first. */
  #file: FileHandle | undefined;
  #generation = 0;
  /** The number of the last line. */
  #number = 0;
  /** How long the file is. */
  #end = 0;
  /** How long the lines of the records are. */
  #live = 0;
  /** How long the file has to be, at least, to be written anew. */
  #limit = slackBytes;
  /** How long the reserve is; 0 when there is none. */
  #reserve = 0;
  /** Whether the file is to be kept when a new one takes its place. */
  #isDamaged = false;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /**
   * Reads the file of a folder. A damaged one is set aside, and what is whole of it written into a new one.
   *
   * @param damaged - Hears what was damaged, in sentences.
   * @throws Error It cannot be read.
   */
  static async open(folder: string, damaged: (what: string) => void): Promise<Journal> {
    const journal = new Journal(folder);
    const reserve = await stat(journal.#path("reserve")).catch(() => undefined);
    if (reserve?.isFile()) journal.#reserve = reserve.size;
    await journal.#finishRenewal().catch(() => {}); // What cannot be written to can be read nevertheless.
    const damage = await journal.#read();
    if (damage !== undefined) {
      const outcome = await journal.#renew().then(
        (kept) => `The damaged file is kept as ${kept}.`,
        (error) => `A new file cannot be written yet: ${error.message}`,
      );
      damaged(`${damage} ${outcome}`);
    }
    return journal;
  }

  /** The records whose keys begin with `prefix`, in the order of their keys. */
  load(prefix: string): readonly StoredRecord[] {
    const records: StoredRecord[] = [];
    for (const [key, { value }] of this.#records) if (key.startsWith(prefix)) records.push({ key, value });
    return records.sort((a, b) => (a.key < b.key ? -1 : 1));
  }

  /**
   * Makes changes; resolves when they are on the disk. When it rejects, none of them has been made.
   *
   * @returns Why nothing was put, when the disk is full and records were only removed.
   */
  async commit(changes: readonly Change[]): Promise<Error | undefined> {
    const removals = changes.filter(({ value }) => value === undefined);
    const puts = changes.length - removals.length;
    try {
      if (puts > 0 && this.#reserve === 0) await this.#recover();
      await this.#append(changes);
      return undefined;
    } catch (error) {
      if (!isFull(error)) throw error;
      if (this.#end > 2 * this.#live) await this.#makeRoom();
      if (removals.length === 0) throw error;
      await this.#giveUpReserve();
      await this.#append(removals);
      return puts > 0 ? error : undefined;
    }
  }

  async #append(changes: readonly Change[]): Promise<void> {
    const file = this.#file ?? (await this.#renewed());
    const writer = new LineWriter(file, this.#generation, this.#number, this.#end);
    const after = new Map<string, Entry | undefined>();
    try {
      for (const { key, value } of changes) {
        const isThere = after.has(key) ? after.get(key) !== undefined : this.#records.has(key);
        if (value === undefined && !isThere) continue;
        const bytes = writer.add(key, value, after.size === 0);
        after.set(key, value === undefined ? undefined : { value, bytes });
        if (writer.isFull) await writer.write();
      }
      await writer.write();
    } catch (error) {
      await this.#cutOff(file);
      if (!isFull(error) && this.#end > 2 * this.#live) await succeeds(this.#renew()); // It may be taken then.
      throw error;
    }
    if (after.size === 0) return;
    try {
      await file.datasync();
    } catch (error) {
      await this.#abandon(); // To sync it once more might succeed, and would prove nothing.
      throw error;
    }
    this.#number = writer.number;
    this.#end = writer.position;
    for (const [key, entry] of after) this.#set(key, entry);
  }

  /** Writes the file anew if most of it is of no use any more. Never rejects: then it is tried again later. */
  async tidy(): Promise<void> {
    if (this.#file === undefined) return;
    if (this.#end >= Math.max(this.#limit, 2 * this.#live + slackBytes)) await this.#makeRoom();
    await succeeds(this.#recover());
  }

  /** Lets go of the file. Everything is on the disk already, so nothing can go wrong. */
  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close().catch(() => {});
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  #set(key: string, entry: Entry | undefined): void {
    this.#live += (entry?.bytes ?? 0) - (this.#records.get(key)?.bytes ?? 0);
    if (entry === undefined) this.#records.delete(key);
    else this.#records.set(key, entry);
  }

  /** Takes what is whole of the file. @returns What is damaged; `undefined`: nothing. */
  async #read(): Promise<string | undefined> {
    const opened = await openToRead(this.#path("records"));
    if (opened === undefined) return undefined;
    const { file, isWritable } = opened;
    try {
      const damage = await this.#take(file);
      // An interrupted write is no damage. What there is of it would become some if more were appended.
      const isReady = damage === undefined && isWritable && (await succeeds(file.truncate(this.#end)));
      if (isReady) this.#file = file;
      return damage;
    } finally {
      if (this.#file === undefined) await file.close();
    }
  }

  async #take(file: FileHandle): Promise<string | undefined> {
    const status = await file.stat();
    this.#isDamaged = !status.isFile();
    if (this.#isDamaged) return "There is something else in the place of the file.";
    const reader = new JournalReader();
    for (let position = 0; position < status.size; position += sliceBytes) {
      reader.push(await readSlice(file, position, Math.min(sliceBytes, status.size - position)));
    }
    reader.finish();
    const { generation, number, lines, missing } = stateOf(reader.lines);
    for (const { key, value, bytes } of lines) this.#set(key, value === undefined ? undefined : { value, bytes });
    this.#generation = generation;
    this.#number = number;
    this.#end = reader.end;
    const ignored = reader.lines.length - lines.length;
    this.#isDamaged = reader.damagedBytes + missing + ignored > 0;
    if (!this.#isDamaged) return undefined;
    const keys = reader.damagedKeys.slice(0, 5).map((key) => `"${key}"`);
    const about = keys.length === 0 ? "" : `, among them perhaps changes of ${keys.join(", ")}`;
    return (
      `${reader.damagedBytes} of ${status.size} bytes make no sense, ${missing} changes are missing and ${ignored} out of ` +
      `place${about}. All other records are there; deleted ones may be back, and changed ones be as they were before.`
    );
  }

  /**
   * Makes the reserve, or fits it to the records: it has to take a line for each that is removed, and then all that are
   * left.
   *
   * @throws Error There is no room for it: half as much again has to stay free.
   */
  async #adjustReserve(): Promise<void> {
    const wanted = Math.max(reserveBytes, Math.floor(this.#live / 2));
    if (this.#reserve > 2 * wanted) {
      await truncate(this.#path("reserve"), wanted);
      this.#reserve = wanted;
    }
    if (this.#reserve > 0 && wanted < this.#reserve + reserveBytes) return;
    const free = await freeBytes(this.#folder);
    const size = Math.min(wanted, Math.floor((free + this.#end + this.#reserve) / 3));
    if (1.5 * (size - this.#reserve) > free) throw noRoom();
    if (this.#reserve === 0) await rm(this.#path("reserve"), { recursive: true, force: true });
    const file = await open(this.#path("reserve"), "a", 0o600);
    try {
      while (this.#reserve < size) {
        // Some disks compress what they keep; this cannot be.
        const bytes = randomBytes(Math.min(sliceBytes, size - this.#reserve));
        await writeAll(file, bytes, this.#reserve);
        await file.sync();
        this.#reserve += bytes.length;
      }
    } finally {
      await file.close();
    }
  }

  async #giveUpReserve(): Promise<void> {
    await rm(this.#path("reserve"), { force: true });
    this.#reserve = 0;
  }

  /**
   * Makes the reserve again. First the file is written anew, if there is much in it that is of no use, and room for the rest.
   *
   * @throws Error There is no room for the reserve.
   */
  async #recover(): Promise<void> {
    if (this.#reserve === 0 && this.#end > 2 * this.#live) {
      // A reserve would take the room that the new file needs.
      if ((await freeBytes(this.#folder)) < this.#live + blockBytes) throw noRoom();
      await succeeds(this.#renew());
    }
    await this.#adjustReserve();
  }

  /** Writes the file anew, in the room of the reserve if there is no other. Never rejects. */
  async #makeRoom(): Promise<void> {
    const renewed = this.#renew().catch(async (error) => {
      if (!isFull(error)) throw error;
      await this.#giveUpReserve();
      await this.#renew();
    });
    if (!(await succeeds(renewed))) this.#limit = 2 * this.#end;
  }

  /** Takes back what was written and not confirmed. */
  async #cutOff(file: FileHandle): Promise<void> {
    const isCut = await succeeds(file.truncate(this.#end).then(() => file.datasync()));
    if (!isCut) await this.#abandon();
  }

  async #abandon(): Promise<void> {
    await this.close();
    await succeeds(this.#renew()); // If not, the next commit tries it again.
  }

  async #renewed(): Promise<FileHandle> {
    await this.#renew();
    return this.#file as FileHandle;
  }

  /** Writes all records into a new file. @returns The name under which the damaged one is kept, if it was. */
  async #renew(): Promise<string | undefined> {
    await this.#finishRenewal();
    const generation = this.#generation + 1;
    const file = await open(this.#path("records.new"), "w", 0o600); // Passwords may be in it.
    const writer = new LineWriter(file, generation, 0, 0);
    try {
      for (const [key, { value }] of this.#records) {
        writer.add(key, value, true);
        if (writer.isFull) await writer.write();
      }
      await writer.write();
      await file.sync();
    } catch (error) {
      await succeeds(rm(this.#path("records.new")));
      throw error;
    } finally {
      await file.close();
    }
    await this.close();
    this.#generation = generation; // Not earlier: until here the old file may go on.
    const kept = this.#isDamaged ? await this.#setAside() : undefined;
    await this.#finishRenewal(true);
    this.#file = await open(this.#path("records"), "r+");
    this.#number = writer.number;
    this.#end = writer.position;
    this.#limit = slackBytes;
    return kept;
  }

  /** Puts a new file in the place of the old one; at first only where that was begun, and interrupted. */
  async #finishRenewal(replace = false): Promise<void> {
    const names = await readdir(this.#folder);
    if (!names.includes("records.new") || (names.includes("records") && !replace)) return;
    await rename(this.#path("records.new"), this.#path("records"));
    await syncFolder(this.#folder);
  }

  /** Gives the damaged file another name, and forgets the oldest of earlier ones. */
  async #setAside(): Promise<string> {
    const numbers = (await readdir(this.#folder))
      .flatMap((name) => /^damaged-(\d+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((a, b) => a - b);
    const name = `damaged-${1 + (numbers.at(-1) ?? 0)}`;
    await rename(this.#path("records"), this.#path(name));
    this.#isDamaged = false;
    for (const number of numbers.slice(0, Math.max(0, 1 + numbers.length - keptFiles))) {
      await succeeds(rm(this.#path(`damaged-${number}`)));
    }
    return this.#path(name);
  }
}

/** Makes lines and writes them, as many at a time as make a slice. */
class LineWriter {
  readonly #file: FileHandle;
  readonly #generation: number;
  #lines: Buffer[] = [];
  #waiting = 0;
  /** The number of the last line. */
  number: number;
  /** Where what has been written ends. */
  position: number;

  constructor(file: FileHandle, generation: number, number: number, position: number) {
    this.#file = file;
    this.#generation = generation;
    this.number = number;
    this.position = position;
  }

  /** @returns The length of the line. */
  add(key: string, value: string | undefined, first: boolean): number {
    this.number += 1;
    const line = encodeLine({ generation: this.#generation, number: this.number, first, key, value });
    this.#lines.push(line);
    this.#waiting += line.length;
    return line.length;
  }

  get isFull(): boolean {
    return this.#waiting >= sliceBytes;
  }

  async write(): Promise<void> {
    const slice = Buffer.concat(this.#lines);
    this.#lines = [];
    this.#waiting = 0;
    await writeAll(this.#file, slice, this.position);
    this.position += slice.length;
  }
}

async function writeAll(file: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let written = 0; written < bytes.length; ) {
    const { bytesWritten } = await file.write(bytes, written, bytes.length - written, position + written);
    if (bytesWritten === 0) throw new Error("The disk takes no more.");
    written += bytesWritten;
  }
}

const isFull = (error: unknown): error is Error =>
  ["ENOSPC", "EDQUOT"].includes((error as NodeJS.ErrnoException).code ?? "");

const noRoom = (): Error =>
  Object.assign(new Error("ENOSPC: the disk is full. What room it has is kept for removals."), { code: "ENOSPC" });

/** How much more the disk of a folder takes; any amount where nobody can tell. */
async function freeBytes(folder: string): Promise<number> {
  const disk = await statfs(folder).catch(() => undefined);
  return disk === undefined || disk.blocks === 0 ? Number.POSITIVE_INFINITY : disk.bavail * disk.bsize;
}

/** @returns `undefined` when there is no such file. */
async function openToRead(
  path: string,
): Promise<{ readonly file: FileHandle; readonly isWritable: boolean } | undefined> {
  try {
    return { file: await open(path, "r+"), isWritable: true };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return { file: await open(path, "r"), isWritable: false };
  }
}

/** Reads a part of a file; what the disk cannot read comes as zeros. */
async function readSlice(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const bytes = Buffer.alloc(length);
  try {
    const { bytesRead } = await file.read(bytes, 0, length, position);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EIO") throw error;
    if (length <= blockBytes) return bytes;
    const half = length >> 1;
    return Buffer.concat([
      await readSlice(file, position, half),
      await readSlice(file, position + half, length - half),
    ]);
  }
}

const succeeds = (operation: Promise<unknown>): Promise<boolean> =>
  operation.then(
    () => true,
    () => false,
  );
