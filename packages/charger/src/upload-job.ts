import { OwnSignal, type Req } from "@ocppj/core";
import type { Desk } from "./desk.ts";
import { attempted } from "./file-work.ts";
import type { FileTransfers } from "./files/file-transfers.ts";
import {
  FileUpload,
  type FileUploadOutput,
  type LogStatus,
  type Upload,
  type UploadFailure,
} from "./files/file-upload.ts";

export interface UploadJobParts {
  readonly desk: Pick<Desk, "chargePoint" | "fault" | "jobs" | "run">;
  readonly transfers: FileTransfers;
  /** Under which name it is kept that one is under way. */
  readonly name: "diagnostics" | "log";
  readonly tell: (status: LogStatus, requestId: number | undefined) => void;
}

/** The upload of one kind of files: joins its machine to transfers. */
export class UploadJob {
  readonly upload = new FileUpload();
  readonly #parts: UploadJobParts;
  #work = new OwnSignal();

  constructor(parts: UploadJobParts) {
    this.#parts = parts;
  }

  readonly perform = (output: FileUploadOutput): void => {
    const { desk, name, tell } = this.#parts;
    switch (output.type) {
      case "status":
        tell(output.status, output.requestId);
        break;
      case "upload":
        void this.#send(output.upload);
        break;
      case "abort":
        this.#work.abort("another upload was asked for");
        break;
      case "keep":
        if (output.upload === undefined) void desk.jobs.forget(name);
        else void desk.jobs.put(name, name === "log" ? { log: output.upload } : { diagnostics: output.upload });
        break;
    }
  };

  /** Nothing is delivered any more; what was begun has failed at the next start. */
  end(): void {
    this.#work.abort("the charger was stopped");
  }

  async #send({ fileName, source, url }: Upload): Promise<void> {
    const { desk, transfers } = this.#parts;
    const signal = new OwnSignal();
    this.#work = signal;
    const deliver = async (): Promise<"Uploaded"> => {
      await transfers.upload(url, source, { fileName, signal });
      return "Uploaded";
    };
    const outcome = await attempted(desk, signal, deliver, failureOf);
    if (signal.aborted) return;
    this.upload.uploaded(outcome, desk.chargePoint.now());
    desk.run();
  }
}

const failures: readonly unknown[] = [
  "BadMessage",
  "NotSupportedOperation",
  "PermissionDenied",
] satisfies UploadFailure[];

/** SEC-N01-10: as precise as it can be. */
function failureOf(error: unknown): UploadFailure {
  const { reason } = (error ?? {}) as { readonly reason?: unknown };
  return failures.includes(reason) ? (reason as UploadFailure) : "UploadFailure";
}

/** What DiagnosticsStatusNotification says of it. */
export const diagnosticsStatusOf = (status: LogStatus): Req<"DiagnosticsStatusNotification">["status"] =>
  status === "Idle" || status === "Uploading" || status === "Uploaded" ? status : "UploadFailed";
