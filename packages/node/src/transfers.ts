import { resolve } from "node:path";
import type { AbortSignalLike } from "@ocppj/core";
import { Failure } from "./transfers/failure.ts";
import { downloadByFtp, uploadByFtp } from "./transfers/ftp.ts";
import { downloadByHttp, uploadByHttp } from "./transfers/http.ts";
import { type FileTransferProtocol, hasControls, type Location, readLocation, told } from "./transfers/location.ts";
import { PartialFile } from "./transfers/partial-file.ts";
import { type FileTransfersOptions, type TransferSettings, takeSettings } from "./transfers/settings.ts";
import { resumed, type Transfer } from "./transfers/transfer.ts";
import { UploadSource } from "./transfers/upload-source.ts";
import { verifySignature } from "./transfers/verify-signature.ts";
import { Watch } from "./transfers/watch.ts";

export type { TlsOptions } from "./tls/security-profile.ts";
export { TransferError, type TransferFailureReason } from "./transfers/failure.ts";
export type { FileTransferProtocol } from "./transfers/location.ts";
export type { FileTransfersOptions, TransferProgress } from "./transfers/settings.ts";

/** How files are fetched and delivered: what `firmwareManagement` of `@ocppj/charger` takes. */
export interface FileTransfers {
  /** What it can do; SupportedFileTransferProtocols tells them. @spec errata 3.88 [FM-30] */
  readonly protocols: readonly FileTransferProtocol[];
  /**
   * Fetches a file. What there is of it from an attempt that was interrupted, also by a power cut, is not fetched again where
   * the server can go on and tells that the file is the same. One download at a time: another one waits for the end of the
   * first, as long as it waits for bytes.
   *
   * @returns Its path: in `folder`, under a name that nobody else chooses. It stays there until the next download begins.
   * @throws TransferError It has failed; or the reason of the signal.
   * @spec OCPP 1.6 §8 [FM-31, FM-33]
   */
  download(url: string, options: { readonly signal: AbortSignalLike }): Promise<string>;
  /**
   * Delivers a file into a folder: by FTP, or by PUT of HTTP. A URL of HTTP with a query is the file itself, since it is signed
   * as it is.
   *
   * @param source - The path of a file, or its contents.
   * @param options.fileName - What it is to be called there.
   * @throws TransferError It has failed, for its `reason`; or the reason of the signal.
   * @spec OCPP 1.6 §5.9, §8; security white paper N01 [FM-11, FM-31, FM-33, SEC-N01-02, SEC-N01-10]
   */
  upload(
    url: string,
    source: string | Uint8Array,
    options: { readonly fileName: string; readonly signal: AbortSignalLike },
  ): Promise<void>;
  /**
   * Whether a file has the signature of whoever has a certificate: RSA-PSS or ECDSA, with SHA-256. Whether the certificate is
   * to be believed is not asked here.
   *
   * @param options.signature - In base64.
   * @param options.signingCertificate - PEM.
   * @throws Error The file cannot be read.
   * @spec security white paper L01.FR.04, L01.FR.12 [SEC-L01-04, SEC-L01-12]
   */
  verify(file: string, options: { readonly signature: string; readonly signingCertificate: string }): Promise<boolean>;
}

/**
 * File transfers by HTTP, HTTPS, FTP and FTPS.
 *
 * Every transfer settles, whatever the server does: it fails when nothing moves for `idleTimeoutMs`, when all of it takes
 * longer than `timeoutMs`, and at once when its signal aborts. No error and no progress tells users, passwords or queries.
 *
 * @throws TypeError One of the options is not what it may be, or there is no such option.
 */
export function fileTransfers(options: FileTransfersOptions): FileTransfers {
  return new NodeFileTransfers(takeSettings(options));
}

class NodeFileTransfers implements FileTransfers {
  readonly protocols: readonly FileTransferProtocol[];
  readonly #settings: TransferSettings;
  readonly #folder: string;
  /** Resolves when nothing works on the folder any more. */
  #idle: Promise<unknown> = Promise.resolve();

  constructor(settings: TransferSettings) {
    this.#settings = settings;
    this.#folder = resolve(settings.folder);
    this.protocols = settings.protocols;
  }

  download(url: string, { signal }: { readonly signal: AbortSignalLike }): Promise<string> {
    return this.#run("download", url, signal, (transfer) => {
      const before = this.#idle;
      const fetched = before.then(() => this.#fetch(transfer));
      this.#idle = fetched.catch(() => {});
      return fetched;
    });
  }

  upload(
    url: string,
    source: string | Uint8Array,
    { fileName, signal }: { readonly fileName: string; readonly signal: AbortSignalLike },
  ): Promise<void> {
    return this.#run("upload", url, signal, (transfer) => deliver(transfer, source, fileName));
  }

  verify(
    file: string,
    { signature, signingCertificate }: { readonly signature: string; readonly signingCertificate: string },
  ): Promise<boolean> {
    return verifySignature(file, signature, signingCertificate);
  }

  async #run<T>(
    direction: "download" | "upload",
    text: string,
    signal: AbortSignalLike,
    work: (transfer: Transfer) => Promise<T>,
  ): Promise<T> {
    const { progress, protocols, tls } = this.#settings;
    const doing = `The ${direction} ${direction === "download" ? "from" : "to"}`;
    const watch = new Watch(this.#settings, signal);
    let location: Location | undefined;
    try {
      location = readLocation(text, protocols);
      const { shown } = location;
      const moved: Transfer["moved"] = (bytes, total) => {
        try {
          if (!watch.isOver) progress({ direction, url: shown, bytes, total });
        } catch {}
      };
      const transfer = { location, watch, tls: tls(), moved };
      return await watch.run(() => work(transfer));
    } catch (error) {
      throw signal.aborted ? signal.reason : told(location === undefined ? `The ${direction}` : doing, location, error);
    }
  }

  async #fetch(transfer: Transfer): Promise<string> {
    const { location, watch } = transfer;
    if (watch.isOver) throw new Error("it was stopped while it waited");
    const { host, pathname, search, username } = location.url;
    const source = JSON.stringify([location.protocol, username, host, pathname, search]);
    const part = await PartialFile.open(this.#folder, source, this.#settings.maxBytes);
    try {
      const byHttp = location.protocol.startsWith("HTTP");
      const sha256 = await resumed(
        async () => (byHttp ? downloadByHttp(transfer, part) : void (await downloadByFtp(transfer, part))),
        (error) => watch.isOver || error instanceof Failure,
        () => part.length,
      );
      return await part.finish(sha256);
    } finally {
      await part.close();
    }
  }
}

async function deliver(transfer: Transfer, given: string | Uint8Array, fileName: string): Promise<void> {
  if (/^\.{0,2}$|[/\\]/.test(fileName) || hasControls(fileName)) {
    throw new Failure("what the file is to be called is no name of a file", "BadMessage");
  }
  const source = await UploadSource.open(given);
  try {
    if (transfer.location.protocol.startsWith("HTTP")) return await uploadByHttp(transfer, source, fileName);
    let pieces = 0;
    const moved: Transfer["moved"] = (bytes, total) => {
      pieces += 1;
      transfer.moved(bytes, total);
    };
    await resumed(
      () => uploadByFtp({ ...transfer, moved }, source, fileName, pieces > 0),
      (error) => transfer.watch.isOver || error instanceof Failure,
      () => pieces,
    );
  } finally {
    await source.close();
  }
}
