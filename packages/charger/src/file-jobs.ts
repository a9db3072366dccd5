import { CallError, type Conf, OwnSignal, type Req } from "@ocppj/core";
import type { Connector } from "./connector.ts";
import type { Desk } from "./desk.ts";
import { DiagnosticsUpload, type DiagnosticsUploadOutput, type Upload } from "./files/diagnostics-upload.ts";
import type { FileTransfers } from "./files/file-transfers.ts";
import { FirmwareUpdate, type FirmwareUpdateOutput } from "./files/firmware-update.ts";
import type { KeptJob } from "./files/kept-job.ts";

/** What jobs work with, besides what all parts share. */
export interface FileJobsParts {
  readonly desk: Desk;
  readonly connectors: readonly Connector[];
  readonly transfers: FileTransfers;
  /** `firmwareVersion` of BootNotification. */
  readonly version: string;
  /** Restarts the program. */
  readonly restart: () => void;
  readonly follow: () => void;
}

const reason = "firmware update";

/** Updates of the firmware and uploads of diagnostics: joins their machines to transfers and hardware. */
export class FileJobs {
  readonly update = new FirmwareUpdate();
  readonly upload = new DiagnosticsUpload();
  readonly #parts: FileJobsParts;
  #download = new OwnSignal();
  #delivery = new OwnSignal();

  constructor(parts: FileJobsParts) {
    this.#parts = parts;
  }

  /** Goes on with what was under way when the power failed. */
  async restore(kept: readonly KeptJob[]): Promise<void> {
    const { chargePoint, hardware } = this.#parts.desk;
    for (const job of kept) {
      if ("upload" in job) this.upload.interrupted();
      else {
        const isInstalled = await hardware.isInstalled(job.firmware.version !== this.#parts.version);
        this.update.restored(job.firmware, isInstalled, chargePoint.now());
      }
    }
    this.#parts.desk.run();
  }

  /** Whether an update is asked for that can be begun; begins it once that was answered. [FM-21] */
  updateFirmware(req: Req<"UpdateFirmware">, afterAnswer: (act: () => void) => void): Conf<"UpdateFirmware"> {
    if (!this.#parts.desk.hardware.installs) throw new CallError("NotSupported", "The firmware cannot be updated.");
    this.#demandProtocol(req.location);
    if (this.update.isInstalling) throw new CallError("GenericError", "Firmware is being installed.");
    afterAnswer(() => this.update.requested(req, this.#parts.desk.chargePoint.now()));
    return {};
  }

  /** FM-10, FM-12 */
  async getDiagnostics(
    { location, retries, retryInterval, startTime, stopTime }: Req<"GetDiagnostics">,
    afterAnswer: (act: () => void) => void,
  ): Promise<Conf<"GetDiagnostics">> {
    this.#demandProtocol(location);
    const from = startTime === undefined ? undefined : Date.parse(startTime);
    const to = stopTime === undefined ? undefined : Date.parse(stopTime);
    const made = await this.#parts.desk.hardware.diagnostics({ from, to });
    if (made === undefined) return {};
    afterAnswer(() => this.upload.requested({ url: location, ...made }, { retries, retryInterval }));
    return { fileName: made.fileName };
  }

  /** Sends the status that a TriggerMessage asks for. [FM-02, FM-06] */
  trigger(requestedMessage: "DiagnosticsStatusNotification" | "FirmwareStatusNotification"): void {
    const { chargePoint, fault } = this.#parts.desk;
    const sent =
      requestedMessage === "FirmwareStatusNotification"
        ? chargePoint.call(requestedMessage, { status: this.update.status })
        : chargePoint.call(requestedMessage, { status: this.upload.status });
    sent.catch((error: unknown) => fault(error));
  }

  /** Whether a transaction runs is another. */
  follow(): void {
    this.update.charging(this.#parts.connectors.some(({ session }) => session.facts.transaction));
  }

  readonly performUpdate = (output: FirmwareUpdateOutput): void => {
    const { connectors, desk, version } = this.#parts;
    const { availability, jobs } = desk;
    switch (output.type) {
      case "status":
        this.#deliver(() => desk.chargePoint.deliver("FirmwareStatusNotification", { status: output.status }));
        break;
      case "download":
        void this.#fetch(output.url);
        break;
      case "abort":
        this.#download.abort("another update was asked for");
        break;
      case "install":
        void this.#install(output.file);
        break;
      case "restart":
        this.#parts.restart();
        break;
      case "outOfService":
        for (const { id } of connectors) {
          if (output.isOut) availability.withdraw(id, reason);
          else availability.giveBack(id, reason);
        }
        this.#parts.follow();
        break;
      case "keep":
        if (output.record === undefined) void jobs.forget("firmware");
        else void jobs.put("firmware", { firmware: { ...output.record, version } });
        break;
    }
  };

  readonly performUpload = (output: DiagnosticsUploadOutput): void => {
    const { desk } = this.#parts;
    switch (output.type) {
      case "status":
        this.#deliver(() => desk.chargePoint.deliver("DiagnosticsStatusNotification", { status: output.status }));
        break;
      case "upload":
        void this.#send(output.upload);
        break;
      case "abort":
        this.#delivery.abort("another upload was asked for");
        break;
      case "keep":
        if (output.isUnderWay) void desk.jobs.put("diagnostics", { upload: true });
        else void desk.jobs.forget("diagnostics");
        break;
    }
  };

  /** Nothing is fetched or delivered any more; what was begun goes on after the next start. */
  end(): void {
    this.#download.abort("the charger was stopped");
    this.#delivery.abort("the charger was stopped");
  }

  async #fetch(url: string): Promise<void> {
    const signal = new OwnSignal();
    this.#download = signal;
    const file = await this.#transfer(() => this.#parts.transfers.download(url, { signal }), signal);
    if (signal.aborted) return;
    this.update.downloaded(typeof file === "string" ? file : undefined, this.#parts.desk.chargePoint.now());
    this.#parts.desk.run();
  }

  async #send({ file, fileName, url }: Upload): Promise<void> {
    const signal = new OwnSignal();
    this.#delivery = signal;
    const deliver = async (): Promise<true> => {
      await this.#parts.transfers.upload(url, file, { fileName, signal });
      return true;
    };
    const isDone = await this.#transfer(deliver, signal);
    if (signal.aborted) return;
    this.upload.uploaded(isDone === true, this.#parts.desk.chargePoint.now());
    this.#parts.desk.run();
  }

  async #install(file: string): Promise<void> {
    this.update.installed(await this.#parts.desk.hardware.install(file));
    this.#parts.desk.run();
  }

  /** What a transfer ends with; `undefined` when it fails, which is told. */
  async #transfer<T>(act: () => Promise<T>, signal: OwnSignal): Promise<T | undefined> {
    try {
      return await act();
    } catch (error) {
      if (!signal.aborted) this.#parts.desk.fault(error);
      return undefined;
    }
  }

  #deliver(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#parts.desk.fault(error); // There is no room, or it was stopped.
    }
  }

  /** FM-30, FM-31 */
  #demandProtocol(location: string): void {
    const { protocols } = this.#parts.transfers;
    const protocol = /^([a-z]+):/i.exec(location)?.[1]?.toUpperCase() ?? "";
    if ((protocols as readonly string[]).includes(protocol)) return;
    throw new CallError(
      "PropertyConstraintViolation",
      `location has no protocol that is supported here: ${protocols.join(", ")}.`,
    );
  }
}
