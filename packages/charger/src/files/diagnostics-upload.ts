/*
 * The upload of diagnostics.
 *
 * Theory of operation. One file is delivered, as often as it takes. Each upload that was begun ends with exactly one of Uploaded
 * and UploadFailed, also when another one takes its place, or the power fails: the file may be gone then.
 */

import type { Machine, Req } from "@ocppj/core";
import { Attempts, type Retries } from "./attempts.ts";

export type DiagnosticsStatus = Req<"DiagnosticsStatusNotification">["status"];

/** What is to be delivered, and where to. */
export interface Upload {
  readonly url: string;
  readonly file: string;
  readonly fileName: string;
}

export type DiagnosticsUploadOutput =
  | { readonly type: "status"; readonly status: DiagnosticsStatus }
  | { readonly type: "upload"; readonly upload: Upload }
  | { readonly type: "abort" }
  /** Whether one is under way, which is to be kept. */
  | { readonly type: "keep"; readonly isUnderWay: boolean };

const never = Number.POSITIVE_INFINITY;

/** @spec OCPP 1.6 §4.4, §5.9 [FM-01, FM-02, FM-11, FM-13, FM-14] */
export class DiagnosticsUpload implements Machine<DiagnosticsUploadOutput> {
  #upload: Upload | undefined;
  #isRunning = false;
  #attempts = new Attempts({});
  #retryAt = never;
  readonly #outputs: DiagnosticsUploadOutput[] = [];

  get deadline(): number {
    return this.#retryAt;
  }

  /** What a TriggerMessage is answered with. [FM-02] */
  get status(): DiagnosticsStatus {
    return this.#upload === undefined ? "Idle" : "Uploading";
  }

  poll(): DiagnosticsUploadOutput | undefined {
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
    if (this.#upload !== undefined) this.#end("UploadFailed");
    this.#upload = upload;
    this.#attempts = new Attempts(retries);
    this.#outputs.push({ type: "keep", isUnderWay: true }, { type: "status", status: "Uploading" });
    this.#try();
  }

  /** How an attempt has ended. */
  uploaded(isDone: boolean, now: number): void {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    const retryAt = isDone ? undefined : this.#attempts.failed(now);
    if (retryAt === undefined) this.#end(isDone ? "Uploaded" : "UploadFailed");
    else this.#retryAt = retryAt; // FM-14
  }

  /** One was under way when the power failed. */
  interrupted(): void {
    this.#end("UploadFailed");
  }

  #try(): void {
    if (this.#upload === undefined) return;
    this.#isRunning = true;
    this.#outputs.push({ type: "upload", upload: this.#upload });
  }

  #end(status: "Uploaded" | "UploadFailed"): void {
    this.#upload = undefined;
    this.#isRunning = false;
    this.#retryAt = never;
    this.#outputs.push({ type: "status", status }, { type: "keep", isUnderWay: false });
  }
}
