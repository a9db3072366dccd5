import { createHash } from "node:crypto";
import { constants, createReadStream } from "node:fs";
import { type FileHandle, mkdir, open, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { syncFolder } from "../sync-folder.ts";
import { Failure } from "./failure.ts";

/** By what a server tells whether a file is still the same. */
export interface Validator {
  readonly etag?: string | undefined;
  readonly lastModified?: string | undefined;
  readonly size?: number | undefined;
}

/** What is kept beside a file that is not complete. */
interface Mark extends Validator {
  /** So much of it is on the disk for certain; what comes after that may be anything after a power cut. */
  readonly kept: number;
}

/** So much is written before it is kept. */
const stepBytes = 4 * 1024 * 1024;

const ownNames = /^download-[0-9a-f]{32}(?:\.part|\.mark)?$/;

/**
 * A file that arrives.
 *
 * Theory of operation: the bytes go to `<name>.part`. Beside it `<name>.mark` says which file this is, in the words of its
 * server, and how much of it is on the disk for certain: that much is gone on with, also after a power cut. A file that is
 * complete is synced and then gets its name, so whatever has that name is complete.
 */
export class PartialFile {
  readonly #folder: string;
  readonly #name: string;
  readonly #maxBytes: number;
  readonly #file: FileHandle;
  #validator: Validator = {};
  #length = 0;
  #kept = 0;
  /** Whether nothing of it is of use: it is too large, another one, or the disk is full. */
  #isSpoilt = false;
  #isFinished = false;

  private constructor(folder: string, name: string, maxBytes: number, file: FileHandle) {
    this.#folder = folder;
    this.#name = name;
    this.#maxBytes = maxBytes;
    this.#file = file;
  }

  /**
   * Opens the file for what `source` names, with what is there of it. What the folder holds of other downloads is removed.
   *
   * @param source - What it is told apart from others by; a hash of it is the name.
   */
  static async open(folder: string, source: string, maxBytes: number): Promise<PartialFile> {
    return onDisk(async () => {
      const name = `download-${createHash("sha256").update(source).digest("hex").slice(0, 32)}`;
      await mkdir(folder, { recursive: true });
      for (const other of await readdir(folder)) {
        if (ownNames.test(other) && other !== `${name}.part` && other !== `${name}.mark`) await rm(join(folder, other));
      }
      const flags = constants.O_RDWR | constants.O_CREAT | (constants.O_NOFOLLOW ?? 0);
      const file = await open(join(folder, `${name}.part`), flags, 0o600);
      const part = new PartialFile(folder, name, maxBytes, file);
      try {
        await part.#restore();
      } catch (error) {
        await file.close();
        throw error;
      }
      return part;
    });
  }

  /** How many bytes there are. */
  get length(): number {
    return this.#length;
  }

  /** Which file this is. */
  get validator(): Validator {
    return this.#validator;
  }

  /** Starts again, with nothing. @throws Failure It is too large. */
  async begin(validator: Validator): Promise<void> {
    this.#demand(validator.size ?? 0);
    this.#validator = validator;
    this.#length = 0;
    await this.#onDisk(() => this.#file.truncate(0));
    await this.keep();
  }

  /** Its size was not known when it began. @throws Failure It is too large. */
  sized(size: number): void {
    this.#demand(size);
    this.#validator = { ...this.#validator, size };
  }

  /** @throws Failure It is too large, or the disk does not take it. */
  async write(bytes: Uint8Array): Promise<void> {
    const { size = Number.POSITIVE_INFINITY } = this.#validator;
    this.#demand(this.#length + bytes.length);
    if (this.#length + bytes.length > size) throw this.#spoilt("the server sent more than the file has");
    await this.#onDisk(async () => {
      for (let at = 0; at < bytes.length; ) {
        const { bytesWritten } = await this.#file.write(bytes, at, bytes.length - at, this.#length);
        at += bytesWritten;
        this.#length += bytesWritten;
      }
    });
    if (this.#length - this.#kept >= stepBytes) await this.keep();
  }

  /** Has what there is survive a power cut. */
  async keep(): Promise<void> {
    await this.#onDisk(async () => {
      await this.#file.datasync();
      this.#kept = this.#length;
      const mark: Mark = { ...this.#validator, kept: this.#kept };
      await writeFile(this.#path(".mark"), JSON.stringify(mark), { flush: true, mode: 0o600 });
    });
  }

  /**
   * Gives the file its name.
   *
   * @param sha256 - In base64, what its hash is to be.
   * @returns Its path.
   * @throws Failure It is another file.
   */
  async finish(sha256: string | undefined): Promise<string> {
    return this.#onDisk(async () => {
      await this.#file.sync();
      const hash = createHash("sha256");
      if (sha256 !== undefined) await pipeline(createReadStream(this.#path(".part")), hash);
      if (sha256 !== undefined && hash.digest("base64") !== sha256) {
        throw this.#spoilt("the file is not the one whose checksum the server told");
      }
      await rename(this.#path(".part"), this.#path(""));
      this.#isFinished = true;
      await rm(this.#path(".mark"), { force: true });
      await syncFolder(this.#folder);
      return this.#path("");
    });
  }

  /** Lets go of it. What there is of it stays for the next attempt, where that is of use. */
  async close(): Promise<void> {
    try {
      if (!this.#isSpoilt && !this.#isFinished) await this.keep();
    } finally {
      await this.#file.close();
      if (this.#isSpoilt) {
        await Promise.all([".part", ".mark"].map((ending) => rm(this.#path(ending), { force: true })));
      }
    }
  }

  async #restore(): Promise<void> {
    const mark = readMark(await readFile(this.#path(".mark"), "utf8").catch(() => ""));
    const { size } = await this.#file.stat();
    if (mark !== undefined && mark.kept <= size) {
      const { kept, ...validator } = mark;
      this.#validator = validator;
      this.#length = kept;
      this.#kept = kept;
    }
    await this.#file.truncate(this.#length);
  }

  #demand(bytes: number): void {
    if (bytes > this.#maxBytes)
      throw this.#spoilt(`the file has more than the ${this.#maxBytes} bytes that it may have`);
  }

  #spoilt(what: string): Failure {
    this.#isSpoilt = true;
    return new Failure(what);
  }

  async #onDisk<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await onDisk(act);
    } catch (error) {
      this.#isSpoilt = true;
      throw error;
    }
  }

  #path(ending: string): string {
    return join(this.#folder, `${this.#name}${ending}`);
  }
}

function readMark(text: string): Mark | undefined {
  try {
    const mark = JSON.parse(text) as Partial<Mark> | null;
    return Number.isSafeInteger(mark?.kept) && (mark?.kept ?? -1) >= 0 ? (mark as Mark) : undefined;
  } catch {
    return undefined;
  }
}

/** What the disk refuses is no interruption. */
async function onDisk<T>(act: () => Promise<T>): Promise<T> {
  try {
    return await act();
  } catch (error) {
    if (error instanceof Failure) throw error;
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Failure(code === "ENOSPC" ? "the disk is full" : `the disk refused: ${message}`, "UploadFailure", code);
  }
}
