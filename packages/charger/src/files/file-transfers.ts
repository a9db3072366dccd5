import type { AbortSignalLike } from "@ocppj/core";

/** How files are fetched and delivered: what an owner has for that. */
export interface FileTransfers {
  /** What it can do; SupportedFileTransferProtocols tells them. @spec errata 3.88 [FM-30] */
  readonly protocols: readonly ("FTP" | "FTPS" | "HTTP" | "HTTPS")[];
  /**
   * Fetches a file.
   *
   * @returns Where it is: what `install` of the hardware is given, also after a power cut.
   * @throws What has gone wrong; nothing of the file is left then.
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
}

/**
 * Why a server has not taken a file: `refused`, it does not let this charger (HTTP 401 and 403, FTP 530); `malformed`, it did
 * not understand what it was sent (HTTP 400, FTP 501); `unsupported`, it cannot do that (HTTP 405 and 501, FTP 502). Any other
 * error, and one without a reason, is a failure like any other.
 */
export interface UploadError extends Error {
  readonly reason: "refused" | "malformed" | "unsupported";
}
