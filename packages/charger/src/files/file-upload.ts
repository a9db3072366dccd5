/*
 * The upload of a file: diagnostics, or a log.
 *
 * Theory of operation. One file is delivered, as often as it takes. Each upload that was begun ends with exactly one of Uploaded
 * and a failure, also when another one takes its place, or the power fails: the file may be gone then.
 */

import type { Machine, Req } from "@ocppj/core";
import { Attempts, type Retries } from "./attempts.ts";

export type LogStatus = Req<"LogStatusNotification">["status"];

/** Why a file was not delivered. [SEC-N01-10] */
export type UploadFailure = Exclude<LogStatus, "Idle" | "Uploaded" | "Uploading">;

/** What is to be delivered, and where to. */
export interface Upload {
  readonly url: string;
  /** A file as the hardware has named it, or what is in it. */
  readonly source: string | Uint8Array;
  readonly fileName: string;
  /** Of a GetLog. */
  readonly requestId?: number | undefined;
}

export type FileUploadOutput =
  | { readonly type: "status"; readonly status: LogStatus; readonly requestId: number | undefined }
  | { readonly type: "upload"; readonly upload: Upload }
  | { readonly type: "abort" }
  /** The one that is under way, which is to be kept; `undefined`: none is. */
  | { readonly type: "keep"; readonly upload: Pick<Upload, "requestId"> | undefined };

const never = Number.POSITIVE_INFINITY;

/** @spec OCPP 1.6 §4.4, §5.9; security white paper N01 [FM-01, FM-02, FM-11, FM-13, FM-14, SEC-N01-07 … SEC-N01-12] */
export class FileUpload implements Machine<FileUploadOutput> {
  #upload: Upload | undefined;
  #isRunning = false;
  #attempts = new Attempts({});
  #retryAt = never;
  readonly #outputs: FileUploadOutput[] = [];

  get deadline(): number {
    return this.#retryAt;
  }

  /** Whether there is one that is not over. */
  get isUnderWay(): boolean {
    return this.#upload !== undefined;
  }

  /** What a trigger is answered with. [FM-02, SEC-N01-12] */
  get status(): Req<"LogStatusNotification"> & { readonly status: "Idle" | "Uploading" } {
    if (this.#upload === undefined) return { status: "Idle" };
    const { requestId } = this.#upload;
    return { status: "Uploading", ...(requestId !== undefined && { requestId }) };
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
    if (this.#upload !== undefined) this.#end("UploadFailure", this.#upload);
    this.#upload = upload;
    this.#attempts = new Attempts(retries);
    const { requestId } = upload;
    this.#outputs.push(
      { type: "keep", upload: requestId === undefined ? {} : { requestId } },
      { type: "status", status: "Uploading", requestId },
    );
    this.#try();
  }

  /** How an attempt has ended. */
  uploaded(outcome: "Uploaded" | UploadFailure, now: number): void {
    if (!this.#isRunning || this.#upload === undefined) return;
    this.#isRunning = false;
    const retryAt = outcome === "Uploaded" ? undefined : this.#attempts.failed(now);
    if (retryAt === undefined) this.#end(outcome, this.#upload);
    else this.#retryAt = retryAt; // FM-14
  }

  /** One was under way when the power failed. */
  interrupted(upload: Pick<Upload, "requestId">): void {
    this.#end("UploadFailure", upload);
  }

  #try(): void {
    if (this.#upload === undefined) return;
    this.#isRunning = true;
    this.#outputs.push({ type: "upload", upload: this.#upload });
  }

  #end(status: "Uploaded" | UploadFailure, { requestId }: Pick<Upload, "requestId">): void {
    this.#upload = undefined;
    this.#isRunning = false;
    this.#retryAt = never;
    this.#outputs.push({ type: "status", status, requestId }, { type: "keep", upload: undefined });
  }
}
