import { type FileHandle, open } from "node:fs/promises";
import { tmpdir } from "node:os";

type Method = "write" | "truncate" | "sync" | "datasync" | "read";

/** What all open files have in common. */
async function prototypeOfFiles(): Promise<FileHandle> {
  const handle = await open(tmpdir(), "r");
  await handle.close();
  return Object.getPrototypeOf(handle);
}

/**
 * Replaces a method of every open file. `original` does what the method did, for the file that it is called on.
 *
 * @returns The function that puts it back.
 */
export async function replaceFileMethod<M extends Method>(
  method: M,
  replacement: (this: FileHandle, original: FileHandle[M], ...args: Parameters<FileHandle[M]>) => Promise<unknown>,
): Promise<() => void> {
  const prototype = await prototypeOfFiles();
  const original = prototype[method];
  Object.assign(prototype, {
    [method](this: FileHandle, ...args: Parameters<FileHandle[M]>) {
      return replacement.call(this, original.bind(this) as FileHandle[M], ...args);
    },
  });
  return () => void Object.assign(prototype, { [method]: original });
}

export const diskError = (code: string): Error => Object.assign(new Error(`${code}: the disk fails`), { code });

/** Ways in which a disk keeps every write from being confirmed. */
export const diskFaults: Readonly<Record<string, () => Promise<() => void>>> = {
  /** As with a full disk: half of it is written, then no more. */
  async "a disk that is full"() {
    let isFull = false;
    return replaceFileMethod("write", async (original, ...args) => {
      const [buffer, offset, length, position] = args as unknown as [Buffer, number, number, number];
      isFull = !isFull;
      if (!isFull) throw diskError("ENOSPC");
      return original(buffer, offset, Math.ceil(length / 2), position);
    });
  },

  "a disk that cannot confirm": () => replaceFileMethod("datasync", () => Promise.reject(diskError("EIO"))),

  async "a disk that can do nothing at all"() {
    const fail = () => Promise.reject(diskError("EIO"));
    const ends = [
      await replaceFileMethod("write", fail),
      await replaceFileMethod("truncate", fail),
      await replaceFileMethod("datasync", fail),
      await replaceFileMethod("sync", fail),
    ];
    return () => ends.forEach((end) => void end());
  },
};
