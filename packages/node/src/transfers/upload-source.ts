import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import { Failure } from "./failure.ts";

const pieceBytes = 64 * 1024;

/** What is to be delivered: as much as there is of it at first, be it a file that grows. */
export class UploadSource {
  readonly size: number;
  readonly #read: (at: number, length: number) => Promise<Uint8Array>;
  readonly #file: FileHandle | undefined;

  private constructor(size: number, read: (at: number, length: number) => Promise<Uint8Array>, file?: FileHandle) {
    this.size = size;
    this.#read = read;
    this.#file = file;
  }

  /** @throws Failure It cannot be read. */
  static async open(source: string | Uint8Array): Promise<UploadSource> {
    if (typeof source !== "string") {
      return new UploadSource(source.length, async (at, length) => source.subarray(at, at + length));
    }
    const failed = ({ code, message }: NodeJS.ErrnoException): never => {
      throw new Failure(`the file cannot be read: ${message}`, "UploadFailure", code);
    };
    const file = await open(source, "r").catch(failed);
    const stats = await file.stat();
    if (stats.isFile()) {
      const read = async (at: number, length: number): Promise<Uint8Array> => {
        const buffer = Buffer.allocUnsafe(length);
        const { bytesRead } = await file.read(buffer, 0, length, at).catch(failed);
        return buffer.subarray(0, bytesRead);
      };
      return new UploadSource(stats.size, read, file);
    }
    await file.close();
    throw new Failure("what is to be delivered is no file");
  }

  /**
   * All of it that comes after its first bytes.
   *
   * @param read - Told how far it has been read.
   */
  from(start: number, read: (bytes: number) => void): Readable {
    return Readable.from(this.#pieces(start, read), { objectMode: false, highWaterMark: pieceBytes });
  }

  async close(): Promise<void> {
    await this.#file?.close();
  }

  async *#pieces(start: number, read: (bytes: number) => void): AsyncGenerator<Uint8Array> {
    for (let at = start; at < this.size; ) {
      const piece = await this.#read(at, Math.min(pieceBytes, this.size - at));
      if (piece.length === 0) throw new Failure("the file got shorter while it was delivered");
      at += piece.length;
      read(at);
      yield piece;
    }
  }
}
