/** Why an upload has failed, in the words of LogStatusNotification. */
export type TransferFailureReason = "BadMessage" | "PermissionDenied" | "NotSupportedOperation" | "UploadFailure";

/** A transfer that has failed. Neither its message nor anything else in it holds a user, a password or a query of a URL. */
export class TransferError extends Error {
  override readonly name = "TransferError";
  /** Of an upload: what LogStatusNotification tells. @spec security white paper N01.FR.10 [SEC-N01-10] */
  readonly reason: TransferFailureReason;
  /** That of the operating system, of TLS or of Node, for example `ECONNREFUSED` or `ENOSPC`. */
  readonly code: string | undefined;

  constructor(message: string, reason: TransferFailureReason, code?: string) {
    super(message);
    this.reason = reason;
    this.code = code;
  }
}

/**
 * What has gone wrong and would again, as a clause, for example `the server answered with 404`. Whatever else is thrown within
 * a transfer counts as an interruption, which can be gone on after.
 */
export class Failure extends Error {
  readonly reason: TransferFailureReason;
  readonly code: string | undefined;

  constructor(what: string, reason: TransferFailureReason = "UploadFailure", code?: string) {
    super(what);
    this.reason = reason;
    this.code = code;
  }
}
