import type { IncomingMessage } from "node:http";
import { Failure } from "./failure.ts";
import { exchange, isSuccess, refusal } from "./http-exchange.ts";
import type { PartialFile, Validator } from "./partial-file.ts";
import type { Transfer } from "./transfer.ts";
import type { UploadSource } from "./upload-source.ts";

/**
 * Fetches what is missing of a file, where the server says that it is still the same one, or else all of it.
 *
 * @returns The SHA-256 that the server has told of it, in base64.
 */
export async function downloadByHttp(transfer: Transfer, part: PartialFile): Promise<string | undefined> {
  const { moved, watch } = transfer;
  const answer = await answerFor(transfer, part);
  try {
    const encoding = answer.headers["content-encoding"] ?? "identity";
    if (encoding !== "identity") throw new Failure("the server encoded the file, unasked", "BadMessage");
    const { size } = part.validator;
    moved(part.length, size);
    for await (const bytes of answer as AsyncIterable<Buffer>) {
      watch.active();
      await part.write(bytes);
      moved(part.length, size);
    }
    if (size !== undefined && part.length < size) throw new Error("the server stopped before the end of the file");
    return checksumOf(answer);
  } finally {
    answer.destroy();
  }
}

/** The answer that brings what comes next in the file. */
async function answerFor(transfer: Transfer, part: PartialFile): Promise<IncomingMessage> {
  const headers = { "accept-encoding": "identity", "want-repr-digest": "sha-256=1" };
  const condition = part.length > 0 ? conditionOf(part.validator) : undefined;
  if (condition !== undefined) {
    const range = { range: `bytes=${part.length}-`, "if-range": condition };
    const rest = await exchange(transfer.location.url, { method: "GET", headers: { ...headers, ...range } }, transfer);
    if (rest.statusCode === 206 && continued(rest, part)) return rest;
    if (rest.statusCode === 200) return begun(rest, part);
    rest.destroy();
    if (rest.statusCode !== 206 && rest.statusCode !== 416) throw refusal(rest);
  }
  const answer = await exchange(transfer.location.url, { method: "GET", headers }, transfer);
  if (answer.statusCode === 200) return begun(answer, part);
  answer.destroy();
  throw refusal(answer);
}

async function begun(answer: IncomingMessage, part: PartialFile): Promise<IncomingMessage> {
  const { "content-length": length, etag, "last-modified": lastModified } = answer.headers;
  const size = length === undefined || answer.headers["transfer-encoding"] !== undefined ? undefined : Number(length);
  try {
    await part.begin({ etag, lastModified, size });
  } catch (error) {
    answer.destroy();
    throw error;
  }
  return answer;
}

/** What `If-Range` takes: a strong ETag, or else a time. */
const conditionOf = ({ etag, lastModified }: Validator): string | undefined =>
  etag?.startsWith('"') ? etag : lastModified;

/** Whether a part is the one that was asked for, of the file that is there; how long that is it may tell only now. */
function continued({ headers }: IncomingMessage, part: PartialFile): boolean {
  const [, first, total = "*"] = /^bytes (\d+)-\d+\/(\d+|\*)$/.exec(headers["content-range"] ?? "") ?? [];
  const { etag, lastModified, size: known } = part.validator;
  const size = total === "*" ? known : Number(total);
  const isSame =
    Number(first) === part.length &&
    (known ?? size) === size &&
    (headers.etag ?? etag) === etag &&
    (headers["last-modified"] ?? lastModified) === lastModified;
  if (!isSame || size === undefined) return false; // A part of unknown length has no end that could be told from a cut.
  part.sized(size);
  return true;
}

/** RFC 9530 §3. */
const checksumOf = ({ headers }: IncomingMessage): string | undefined =>
  /(?:^|,)\s*sha-256=:([A-Za-z0-9+/=]+):/.exec(String(headers["repr-digest"] ?? ""))?.[1];

/** Puts a file into the folder at the location; where that has a query it is signed as it is, and names the file itself. */
export async function uploadByHttp(transfer: Transfer, source: UploadSource, fileName: string): Promise<void> {
  const { moved, watch } = transfer;
  const url = new URL(transfer.location.url.href);
  if (url.search === "") url.pathname = `${url.pathname.replace(/\/$/, "")}/${encodeURIComponent(fileName)}`;
  const headers = { "content-type": "application/octet-stream", "content-length": source.size };
  const sent = (bytes: number): void => {
    watch.active();
    moved(bytes, source.size);
  };
  const answer = await exchange(url, { method: "PUT", headers, body: () => source.from(0, sent) }, transfer);
  answer.destroy();
  if (!isSuccess(answer)) throw refusal(answer);
}
