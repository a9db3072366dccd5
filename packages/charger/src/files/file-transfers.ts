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
   * @param file - As the hardware has named it.
   * @param options.fileName - What it is to be called there.
   */
  upload(
    url: string,
    file: string,
    options: { readonly fileName: string; readonly signal: AbortSignalLike },
  ): Promise<void>;
}
