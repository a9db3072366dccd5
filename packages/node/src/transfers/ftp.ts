import { Writable } from "node:stream";
import { type Client, FTPError } from "basic-ftp";
import { ifTold, withFtp } from "./ftp-session.ts";
import { ftpPath } from "./location.ts";
import type { PartialFile, Validator } from "./partial-file.ts";
import type { Transfer } from "./transfer.ts";
import type { UploadSource } from "./upload-source.ts";

/** Fetches what is missing of a file, where its size and its time are still the same, or else all of it. */
export async function downloadByFtp(transfer: Transfer, part: PartialFile): Promise<void> {
  const path = ftpPath(transfer.location);
  await withFtp(transfer, async (client) => {
    const size = await ifTold(client, client.size(path));
    const lastModified = textOf(await ifTold(client, client.lastMod(path)));
    const isSame = isKnown({ lastModified, size }) && isEqual(part.validator, { lastModified, size });
    if (!isSame || !(await continued(client, path, transfer, part))) {
      await part.begin({ lastModified, size });
      await fetch(client, path, transfer, part);
    }
    if (size !== undefined && part.length < size) throw new Error("the server stopped before the end of the file");
  });
}

const textOf = (time: Date | undefined): string | undefined =>
  time === undefined || Number.isNaN(time.getTime()) ? undefined : time.toISOString();

const isKnown = ({ lastModified, size }: Validator): boolean => lastModified !== undefined && size !== undefined;

const isEqual = (a: Validator, b: Validator): boolean => a.lastModified === b.lastModified && a.size === b.size;

/** Whether the server has gone on after what there is. */
async function continued(client: Client, path: string, transfer: Transfer, part: PartialFile): Promise<boolean> {
  if (part.length === 0) return false;
  if (part.length === part.validator.size) return true;
  try {
    await fetch(client, path, transfer, part);
    return true;
  } catch (error) {
    // It knows no REST, or none of this place; the connection is as good as before.
    if (error instanceof FTPError && error.code >= 500 && !client.closed) return false;
    throw error;
  }
}

async function fetch(client: Client, path: string, { moved, watch }: Transfer, part: PartialFile): Promise<void> {
  let isOver = false;
  let failure: unknown;
  let written: Promise<void> = Promise.resolve();
  moved(part.length, part.validator.size);
  const write = async (bytes: Buffer): Promise<void> => {
    if (isOver) return;
    watch.active();
    await part.write(bytes);
    moved(part.length, part.validator.size);
  };
  const destination = new Writable({
    write(bytes: Buffer, _, done) {
      written = write(bytes).then(
        () => done(),
        (error) => {
          failure = error;
          done(error);
        },
      );
    },
  });
  try {
    await client.downloadTo(destination, path, part.length);
  } catch (error) {
    throw failure ?? error;
  } finally {
    // What has arrived before an interruption is still being written, and must not meet what comes next.
    isOver = true;
    await written;
  }
}

/**
 * Delivers a file into the folder at the location; what has arrived of it before an interruption is gone on with.
 *
 * @param isBegun - Whether an earlier attempt has sent something of it. [SEC-N01-13]
 */
export async function uploadByFtp(
  transfer: Transfer,
  source: UploadSource,
  fileName: string,
  isBegun: boolean,
): Promise<void> {
  const folder = ftpPath(transfer.location).replace(/([^/])\/+$/, "$1");
  const path = folder === "" || folder.endsWith("/") ? `${folder}${fileName}` : `${folder}/${fileName}`;
  const sent = (bytes: number): void => {
    transfer.watch.active();
    transfer.moved(bytes, source.size);
  };
  await withFtp(transfer, async (client) => {
    const there = isBegun ? ((await ifTold(client, client.size(path))) ?? 0) : 0;
    if (there === 0 || there > source.size) await client.uploadFrom(source.from(0, sent), path);
    else if (there < source.size) await client.appendFrom(source.from(there, sent), path);
  });
}
