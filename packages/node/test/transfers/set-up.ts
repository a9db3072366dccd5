import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import { type FileTransfersOptions, fileTransfers } from "../../src/transfers.ts";
import { type Issued, OpensslAuthority } from "../openssl.ts";

/** Aborts never. */
export const { signal } = new AbortController();

export function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ocppj-transfers-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return folder;
}

/** Transfers with a folder of their own. */
export function newTransfers(options: Partial<FileTransfersOptions> = {}) {
  const folder = newFolder();
  return { folder, ...bound(fileTransfers({ folder, ...options })) };
}

const bound = (transfers: ReturnType<typeof fileTransfers>) => ({
  protocols: transfers.protocols,
  download: (url: string, by: AbortSignal = signal) => transfers.download(url, { signal: by }),
  upload: (url: string, source: string | Uint8Array, fileName = "log.txt", by: AbortSignal = signal) =>
    transfers.upload(url, source, { fileName, signal: by }),
  verify: (...args: Parameters<typeof transfers.verify>) => transfers.verify(...args),
});

/** An HTTP server; its URL ends without a slash. */
export async function serve(answer: RequestListener, tls?: Issued): Promise<string> {
  const server = tls === undefined ? createServer(answer) : createSecureServer(tls, answer);
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return `${tls === undefined ? "http" : "https"}://127.0.0.1:${port}`;
}

/** An authority, and a certificate of it for `name`, whose commonName is localhost. */
export function issued(name = "IP:127.0.0.1"): { readonly ca: string; readonly own: Issued } {
  const authority = OpensslAuthority.create();
  const own = authority.issue({ subject: "/CN=localhost", extensions: [`subjectAltName=${name}`] });
  return { ca: authority.cert, own };
}

/** What is in a request, or was until it was cut off. */
export async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const pieces: Buffer[] = [];
  request.on("data", (piece: Buffer) => pieces.push(piece));
  await new Promise((ended) => request.on("close", ended).on("end", ended));
  return Buffer.concat(pieces);
}

/** Bytes that differ from each other wherever a piece of them is missing. */
export const bytesOf = (length: number): Buffer =>
  Buffer.from(Uint8Array.from({ length }, (_, i) => (i * 31 + (i >> 8) * 17 + (i >> 16)) % 256));

/** What a promise rejects with. */
export const failureOf = (promise: Promise<unknown>): Promise<Error> =>
  promise.then(
    () => {
      throw new Error("It did not fail.");
    },
    (error: Error) => error,
  );
