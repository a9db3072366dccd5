/*
 * The upload of a file: of diagnostics, or of a log.
 *
 * Theory of operation. One file is delivered, as often as it takes. Each upload that was begun ends with exactly one status,
 * also when another one takes its place, or the power fails: the file may be gone then. How it has ended is written down
 * before it is told, so that it is not told otherwise after a power cut.
 */

import type { Machine, Req } from "@ocppj/core";
import { Attempts, type Retries } from "./attempts.ts";
import type { UploadError } from "./file-transfers.ts";

/** As LogStatusNotification says it. */
export type UploadStatus = Exclude<Req<"LogStatusNotification">["status"], "Idle">;

export type UploadEnd = Exclude<UploadStatus, "Uploading">;

/** What is to be delivered, and where to. */
export interface Upload {
  readonly url: string;
  /** As the hardware has named it; or what is to be in it. */
  readonly file: string | Uint8Array;
  readonly fileName: string;
  /** Of the GetLog that asked for it. */
  readonly requestId?: number | undefined;
}

/** What is kept of an upload. */
export interface UploadRecord {
  readonly requestId?: number | undefined;
  /** How it has ended; that may not have been told yet. */
  readonly ended?: UploadEnd | undefined;
}

export type FileUploadOutput =
  | { readonly type: "status"; readonly status: UploadStatus; readonly requestId: number | undefined }
  | { readonly type: "upload"; readonly upload: Upload }
  | { readonly type: "abort" }
  /** What is to be kept; `undefined`: nothing. */
  | { readonly type: "keep"; readonly record: UploadRecord | undefined };

const never = Number.POSITIVE_INFINITY;

/** @spec OCPP 1.6 §4.4, §5.9; security white paper N01 [FM-01, FM-11, FM-13, FM-14, SEC-N01-07 … SEC-N01-11] */
export class FileUpload implements Machine<FileUploadOutput> {
  #upload: Upload | undefined;
  #isRunning = false;
  #attempts = new Attempts({});
  #retryAt = never;
  readonly #outputs: FileUploadOutput[] = [];

  get deadline(): number {
    return this.#retryAt;
  }

  /** What is under way. */
  get underWay(): Upload | undefined {
    return this.#upload;
  }

  poll(): FileUploadOutput | undefined {
    return this.#outputs.shift();
  }

  advance(now: number): void {
    if (now < this.#retryAt) return;
    this.#retryAt = never;
    this.#try();
  }

  /** Takes the place of one that is under way. */
  requested(upload: Upload, retries: Retries): void {
    if (this.#isRunning) this.#outputs.push({ type: "abort" });
    if (this.#upload !== undefined) this.#end(this.#upload, "UploadFailure");
    this.#upload = upload;
    this.#attempts = new Attempts(retries);
    this.#outputs.push({ type: "keep", record: recordOf(upload) });
    this.#tell(upload, "Uploading");
    this.#try();
  }

  /** How an attempt has ended. */
  uploaded(end: UploadEnd, now: number): void {
    if (!this.#isRunning || this.#upload === undefined) return;
    this.#isRunning = false;
    const retryAt = end === "Uploaded" ? undefined : this.#attempts.failed(now);
    if (retryAt === undefined) this.#end(this.#upload, end);
    else this.#retryAt = retryAt; // FM-14
  }

  /** One was under way when the power failed. */
  restored({ ended = "UploadFailure", requestId }: UploadRecord): void {
    this.#end({ requestId }, ended);
  }

  #try(): void {
    if (this.#upload === undefined) return;
    this.#isRunning = true;
    this.#outputs.push({ type: "upload", upload: this.#upload });
  }

  #end(upload: Pick<Upload, "requestId">, ended: UploadEnd): void {
    this.#upload = undefined;
    this.#isRunning = false;
    this.#retryAt = never;
    this.#outputs.push({ type: "keep", record: { ...recordOf(upload), ended } });
    this.#tell(upload, ended);
    this.#outputs.push({ type: "keep", record: undefined });
  }

  #tell({ requestId }: Pick<Upload, "requestId">, status: UploadStatus): void {
    this.#outputs.push({ type: "status", status, requestId });
  }
}

const recordOf = ({ requestId }: Pick<Upload, "requestId">): UploadRecord =>
  requestId === undefined ? {} : { requestId };

const failures: readonly unknown[] = [
  "BadMessage",
  "NotSupportedOperation",
  "PermissionDenied",
  "UploadFailure",
] satisfies UploadError["reason"][];

/** How an upload has ended, by the error that it was rejected with. [SEC-N01-10] */
export function failureOf(error: unknown): UploadEnd {
  const { reason } = (error ?? {}) as Partial<UploadError>;
  return reason !== undefined && failures.includes(reason) ? reason : "UploadFailure";
}
