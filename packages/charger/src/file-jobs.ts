import { CallError, type Conf, type Req } from "@ocppj/core";
import type { Desk } from "./desk.ts";
import { delivered } from "./file-work.ts";
import type { KeptJob } from "./files/kept-job.ts";
import { utf8 } from "./files/utf8.ts";
import { FirmwareJob, type FirmwareJobParts, type OnceAnswered } from "./firmware-job.ts";
import type { DiagnosticsRange } from "./hardware/hardware.ts";
import { diagnosticsStatusOf, UploadJob } from "./upload-job.ts";

/** All that a charger does with files: updates of its firmware, and uploads of diagnostics and logs. */
export class FileJobs {
  readonly firmware: FirmwareJob;
  readonly diagnostics: UploadJob;
  readonly log: UploadJob;
  readonly #desk: Desk;
  readonly #protocols: readonly string[];

  constructor(parts: FirmwareJobParts) {
    const { desk, transfers } = parts;
    const deliver = delivered(desk);
    this.#desk = desk;
    this.#protocols = transfers.protocols;
    this.firmware = new FirmwareJob(parts);
    this.diagnostics = new UploadJob({
      desk,
      transfers,
      name: "diagnostics",
      tell: (status) => deliver("DiagnosticsStatusNotification", { status: diagnosticsStatusOf(status) }),
    });
    this.log = new UploadJob({
      desk,
      transfers,
      name: "log",
      tell: (status, requestId) =>
        deliver("LogStatusNotification", { status, ...(requestId !== undefined && { requestId }) }),
    });
  }

  /** Goes on with what was under way when the power failed. */
  async restore(kept: readonly KeptJob[]): Promise<void> {
    for (const job of kept) {
      if ("diagnostics" in job) this.diagnostics.upload.interrupted(job.diagnostics);
      else if ("log" in job) this.log.upload.interrupted(job.log);
      else await this.firmware.restore(job.firmware);
    }
    this.#desk.run();
  }

  updateFirmware(req: Req<"UpdateFirmware">, once: OnceAnswered): Conf<"UpdateFirmware"> {
    this.#demandProtocol(req.location);
    return this.firmware.updateFirmware(req, once);
  }

  signedUpdateFirmware(req: Req<"SignedUpdateFirmware">, once: OnceAnswered): Promise<Conf<"SignedUpdateFirmware">> {
    this.#demandProtocol(req.firmware.location);
    return this.firmware.signedUpdateFirmware(req, once);
  }

  /** FM-10, FM-12 */
  async getDiagnostics(
    { location, retries, retryInterval, startTime, stopTime }: Req<"GetDiagnostics">,
    once: OnceAnswered,
  ): Promise<Conf<"GetDiagnostics">> {
    this.#demandProtocol(location);
    const made = await this.#desk.hardware.diagnostics(rangeOf(startTime, stopTime));
    if (made === undefined) return {};
    const { file: source, fileName } = made;
    once((wasSent) => {
      if (wasSent) this.diagnostics.upload.requested({ url: location, source, fileName }, { retries, retryInterval });
    });
    return { fileName };
  }

  /** SEC-N01-01 … SEC-N01-04, SEC-N01-11. There is none: Rejected. */
  async getLog(
    { log, logType, requestId, retries, retryInterval }: Req<"GetLog">,
    once: OnceAnswered,
  ): Promise<Conf<"GetLog">> {
    const { latestTimestamp, oldestTimestamp, remoteLocation: url } = log;
    this.#demandProtocol(url);
    const range = rangeOf(oldestTimestamp, latestTimestamp);
    const made = logType === "SecurityLog" ? this.#securityLog(range) : await this.#desk.hardware.diagnostics(range);
    if (made === undefined) return { status: "Rejected" };
    const { file: source, fileName } = made;
    const status = this.log.upload.isUnderWay ? "AcceptedCanceled" : "Accepted";
    once((wasSent) => {
      if (wasSent) this.log.upload.requested({ url, source, fileName, requestId }, { retries, retryInterval });
    });
    return { status, filename: fileName };
  }

  /** Sends the status that a TriggerMessage asks for. [FM-02, FM-06] */
  trigger(requestedMessage: "DiagnosticsStatusNotification" | "FirmwareStatusNotification"): void {
    const { chargePoint } = this.#desk;
    this.#sent(
      requestedMessage === "FirmwareStatusNotification"
        ? chargePoint.call(requestedMessage, { status: this.firmware.update.status })
        : chargePoint.call(requestedMessage, { status: diagnosticsStatusOf(this.diagnostics.upload.status.status) }),
    );
  }

  /** The same for an ExtendedTriggerMessage. [SEC-L01-28, SEC-L01-29, SEC-N01-12] */
  extendedTrigger(requestedMessage: "LogStatusNotification" | "FirmwareStatusNotification"): void {
    const { chargePoint } = this.#desk;
    this.#sent(
      requestedMessage === "FirmwareStatusNotification"
        ? chargePoint.call("SignedFirmwareStatusNotification", this.firmware.update.signedStatus)
        : chargePoint.call("LogStatusNotification", this.log.upload.status),
    );
  }

  /** Nothing is fetched or delivered any more. */
  end(): void {
    this.firmware.end();
    this.diagnostics.end();
    this.log.end();
  }

  #sent(call: Promise<unknown>): void {
    call.catch((error: unknown) => this.#desk.fault(error));
  }

  #securityLog(range: DiagnosticsRange): { readonly file: Uint8Array; readonly fileName: string } | undefined {
    const { chargePoint, security } = this.#desk;
    if (security === undefined) return undefined;
    const at = new Date(chargePoint.now()).toISOString().replace(/[:.]/g, "-");
    const fileName = `${chargePoint.identity.replace(/[^\w-]/g, "_")}-security-${at}.log`;
    return { file: utf8(security.log.text(range)), fileName };
  }

  /** FM-30, FM-31 */
  #demandProtocol(location: string): void {
    const protocol = /^([a-z]+):/i.exec(location)?.[1]?.toUpperCase() ?? "";
    if (this.#protocols.includes(protocol)) return;
    throw new CallError(
      "PropertyConstraintViolation",
      `location has no protocol that is supported here: ${this.#protocols.join(", ")}.`,
    );
  }
}

const rangeOf = (from: string | undefined, to: string | undefined): DiagnosticsRange => ({
  from: from === undefined ? undefined : Date.parse(from),
  to: to === undefined ? undefined : Date.parse(to),
});
