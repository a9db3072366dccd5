import type { Conf, Req } from "@ocppj/core";
import type { KeptJob } from "./files/kept-job.ts";
import { FirmwareJob, type FirmwareJobParts, type OnceAnswered } from "./firmware-job.ts";
import type { DiagnosticsRange } from "./hardware/hardware.ts";
import { demandSupported, isSupported } from "./job-tools.ts";
import { UploadJob } from "./upload-job.ts";
import { utf8 } from "./utf8.ts";

/** What jobs work with, besides what all parts share. */
export interface FileJobsParts extends FirmwareJobParts {
  /** The security log of a time, in milliseconds since the epoch. Absent: there is none. */
  readonly securityLog?: ((range: DiagnosticsRange) => string) | undefined;
}

/** The messages that a trigger can ask for. */
export type JobStatusNotification =
  | "DiagnosticsStatusNotification"
  | "FirmwareStatusNotification"
  | "LogStatusNotification"
  | "SignedFirmwareStatusNotification";

/** What is to be delivered, for one who asks. */
type Contents = Pick<Parameters<UploadJob["upload"]["requested"]>[0], "file" | "fileName">;

/** Updates of the firmware, and uploads of diagnostics and of logs: what the Central System can ask of them. */
export class FileJobs {
  readonly firmware: FirmwareJob;
  readonly diagnostics: UploadJob;
  readonly log: UploadJob;
  readonly #parts: FileJobsParts;

  constructor(parts: FileJobsParts) {
    this.#parts = parts;
    const { desk, transfers } = parts;
    const { chargePoint } = desk;
    this.firmware = new FirmwareJob(parts);
    this.diagnostics = new UploadJob({
      desk,
      transfers,
      name: "diagnostics",
      deliver: (status) => {
        const told = status === "Uploading" || status === "Uploaded" ? status : "UploadFailed";
        chargePoint.deliver("DiagnosticsStatusNotification", { status: told });
      },
    });
    this.log = new UploadJob({
      desk,
      transfers,
      name: "log",
      deliver: (status, requestId) =>
        chargePoint.deliver("LogStatusNotification", { status, ...(requestId !== undefined && { requestId }) }),
    });
  }

  /** Whether signed updates are offered. */
  get takesSigned(): boolean {
    return this.#parts.trust !== undefined;
  }

  /** Goes on with what was under way when the power failed. */
  async restore(kept: readonly KeptJob[]): Promise<void> {
    for (const job of kept) {
      if ("upload" in job) this[job.upload].upload.restored(job);
      else await this.firmware.restore(job.firmware);
    }
    this.#parts.desk.run();
  }

  /** FM-10, FM-12 */
  async getDiagnostics(
    { location, retries, retryInterval, startTime, stopTime }: Req<"GetDiagnostics">,
    onceAnswered: OnceAnswered,
  ): Promise<Conf<"GetDiagnostics">> {
    const { desk, transfers } = this.#parts;
    demandSupported(location, transfers);
    const made = await desk.hardware.diagnostics(rangeOf(startTime, stopTime));
    if (made === undefined) return {};
    onceAnswered(
      (wasSent) => wasSent && this.diagnostics.upload.requested({ url: location, ...made }, { retries, retryInterval }),
    );
    return { fileName: made.fileName };
  }

  /** SEC-N01-01 … SEC-N01-04 */
  async getLog(
    { log, logType, requestId, retries, retryInterval }: Req<"GetLog">,
    onceAnswered: OnceAnswered,
  ): Promise<Conf<"GetLog">> {
    const url = log.remoteLocation;
    if (!isSupported(url, this.#parts.transfers)) return { status: "Rejected" };
    const range = rangeOf(log.oldestTimestamp, log.latestTimestamp);
    const made =
      logType === "SecurityLog" ? this.#securityLog(range) : await this.#parts.desk.hardware.diagnostics(range);
    if (made === undefined) return { status: "Rejected" };
    const { underWay } = this.log.upload;
    onceAnswered(
      (wasSent) => wasSent && this.log.upload.requested({ url, ...made, requestId }, { retries, retryInterval }),
    );
    // SEC-N01-11
    return { status: underWay === undefined ? "Accepted" : "AcceptedCanceled", filename: made.fileName };
  }

  /** Sends the status that a trigger asks for; `undefined`: there is none that could be sent. [FM-02, FM-06, SEC-MSG-20] */
  triggered(message: JobStatusNotification): (() => void) | undefined {
    const { desk } = this.#parts;
    const { update } = this.firmware;
    // It cannot say how a signed one goes. [SEC-MSG-21]
    if (message === "FirmwareStatusNotification" && this.takesSigned && update.isUnderWay) return undefined;
    return () => void this.#sendStatus(message).catch((error: unknown) => desk.fault(error));
  }

  /** Whether anybody charges may be another. */
  follow(): void {
    this.firmware.follow();
  }

  /** Nothing is fetched or delivered any more; what was begun goes on after the next start. */
  end(): void {
    for (const job of [this.firmware, this.diagnostics, this.log]) job.end();
  }

  async #sendStatus(message: JobStatusNotification): Promise<void> {
    const { chargePoint } = this.#parts.desk;
    const { told } = this.firmware.update;
    const { underWay } = this.log.upload;
    switch (message) {
      case "DiagnosticsStatusNotification": {
        const isUnderWay = this.diagnostics.upload.underWay !== undefined;
        await chargePoint.call(message, { status: isUnderWay ? "Uploading" : "Idle" });
        break;
      }
      case "LogStatusNotification": {
        const { requestId } = underWay ?? {};
        await chargePoint.call(
          message,
          requestId === undefined ? { status: "Idle" } : { status: "Uploading", requestId },
        );
        break;
      }
      case "FirmwareStatusNotification": {
        const status = told.requestId === undefined ? told.status : "Idle";
        await chargePoint.call(message, { status: status as Req<"FirmwareStatusNotification">["status"] });
        break;
      }
      case "SignedFirmwareStatusNotification":
        await chargePoint.call(message, told.requestId === undefined ? { status: "Idle" } : told);
        break;
    }
  }

  #securityLog(range: DiagnosticsRange): Contents | undefined {
    const { desk, securityLog = desk.security && ((of: DiagnosticsRange) => desk.security?.log.text(of) ?? "") } =
      this.#parts;
    if (securityLog === undefined) return undefined;
    const at = new Date(desk.chargePoint.now()).toISOString().replace(/[-:]|\.\d+/g, "");
    try {
      return { file: utf8(securityLog(range)), fileName: `security-log-${at}.txt` };
    } catch (error) {
      desk.fault(error);
      return undefined;
    }
  }
}

const rangeOf = (from: string | undefined, to: string | undefined): DiagnosticsRange => ({
  from: from === undefined ? undefined : Date.parse(from),
  to: to === undefined ? undefined : Date.parse(to),
});
