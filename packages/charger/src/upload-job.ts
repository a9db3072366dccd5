import { OwnSignal } from "@ocppj/core";
import type { Desk } from "./desk.ts";
import type { FileTransfers } from "./files/file-transfers.ts";
import {
  FileUpload,
  type FileUploadOutput,
  failureOf,
  type Upload,
  type UploadEnd,
  type UploadStatus,
} from "./files/file-upload.ts";
import { Turns } from "./job-tools.ts";

/** What uploads work with. */
export interface UploadJobParts {
  readonly desk: Desk;
  readonly transfers: FileTransfers;
  /** Under which name they are kept. */
  readonly name: "diagnostics" | "log";
  /** Has a status delivered. */
  readonly deliver: (status: UploadStatus, requestId: number | undefined) => void;
}

/** Uploads of one kind: joins their machine to transfers. */
export class UploadJob {
  readonly upload = new FileUpload();
  readonly #parts: UploadJobParts;
  readonly #turns: Turns;
  #delivery = new OwnSignal();

  constructor(parts: UploadJobParts) {
    this.#parts = parts;
    this.#turns = new Turns(parts.desk);
  }

  readonly perform = (output: FileUploadOutput): void => {
    const { deliver, name } = this.#parts;
    switch (output.type) {
      case "status":
        this.#turns.take(() => this.#turns.deliver(() => deliver(output.status, output.requestId)));
        break;
      case "upload":
        void this.#send(output.upload);
        break;
      case "abort":
        this.#delivery.abort("another upload was asked for");
        break;
      case "keep": {
        const { record } = output;
        this.#turns.keep(name, record && { upload: name, ...record });
        break;
      }
    }
  };

  /** Nothing is delivered any more. */
  end(): void {
    this.#turns.end();
    this.#delivery.abort("the charger was stopped");
  }

  async #send({ file, fileName, url }: Upload): Promise<void> {
    const { desk, transfers } = this.#parts;
    const signal = new OwnSignal();
    this.#delivery = signal;
    let end: UploadEnd = "Uploaded";
    try {
      await transfers.upload(url, file, { fileName, signal });
    } catch (error) {
      end = failureOf(error);
      if (!signal.aborted) desk.fault(error);
    }
    if (signal.aborted) return;
    this.upload.uploaded(end, desk.chargePoint.now());
    desk.run();
  }
}
