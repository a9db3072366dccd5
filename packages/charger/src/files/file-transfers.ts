import type { AbortSignalLike } from "@ocppj/core";
import type { FirmwareSigner } from "../hardware/hardware.ts";

/** How files are fetched and delivered: `fileTransfers` of `@ocppj/node/transfers`, or what an owner has for that. */
export interface FileTransfers {
  /** What it can do; SupportedFileTransferProtocols tells them. @spec errata 3.88 [FM-30] */
  readonly protocols: readonly ("FTP" | "FTPS" | "HTTP" | "HTTPS")[];
  /**
   * Fetches a file.
   *
   * @returns Where it is: what `install` of the hardware is given, also after a power cut.
   * @throws What has gone wrong.
   */
  download(url: string, options: { readonly signal: AbortSignalLike }): Promise<string>;
  /**
   * Delivers a file into a directory.
   *
   * @param file - As the hardware has named it; or what is to be in it.
   * @param options.fileName - What it is to be called there.
   * @throws What has gone wrong, with a `reason` where that is known: see {@link UploadError}.
   */
  upload(
    url: string,
    file: string | Uint8Array,
    options: { readonly fileName: string; readonly signal: AbortSignalLike },
  ): Promise<void>;
  /**
   * Whether a signature is that of the whole file, by the key of its signing certificate: RSA-PSS or ECDSA, with SHA-256.
   * Absent: signed updates are not supported, unless the hardware has `verify`. [SEC-L01-04, SEC-L01-12]
   */
  verify?(file: string, by: FirmwareSigner): Promise<boolean>;
}

/**
 * Why a server has not taken a file, as LogStatusNotification tells it: `PermissionDenied`, it does not let this charger (HTTP
 * 401 and 403, FTP 530); `BadMessage`, it did not understand what it was sent (HTTP 400, FTP 501); `NotSupportedOperation`, it
 * cannot do that (HTTP 405 and 501, FTP 502). Any other error, and one without a reason, is an `UploadFailure`. [SEC-N01-10]
 */
export interface UploadError extends Error {
  readonly reason: "BadMessage" | "NotSupportedOperation" | "PermissionDenied" | "UploadFailure";
}
