import { CallError, type Conf, OwnSignal, type Req } from "@ocppj/core";
import type { Desk } from "./desk.ts";
import { attempted, delivered } from "./file-work.ts";
import type { FileTransfers } from "./files/file-transfers.ts";
import {
  type FirmwareSignature,
  FirmwareUpdate,
  type FirmwareUpdateOutput,
  type FirmwareUpdateRecord,
  isPlain,
  type UpdateOrder,
} from "./files/firmware-update.ts";

export interface FirmwareJobParts {
  readonly desk: Desk;
  readonly connectorIds: readonly number[];
  /** Whether a transaction runs. */
  readonly isCharging: () => boolean;
  readonly transfers: FileTransfers;
  /** `firmwareVersion` of BootNotification. */
  readonly version: string;
  /** Restarts the program. */
  readonly restart: () => void;
  readonly follow: () => void;
}

/** How an answer is followed up: with whether it was sent. */
export type OnceAnswered = (act: (wasSent: boolean) => void) => void;

const reason = "firmware update";
const nothing = (): undefined => undefined;

/** Updates of the firmware: joins their machine to transfers and hardware. */
export class FirmwareJob {
  readonly update = new FirmwareUpdate();
  readonly #parts: FirmwareJobParts;
  #work = new OwnSignal();

  constructor(parts: FirmwareJobParts) {
    this.#parts = parts;
  }

  /** Whether SignedUpdateFirmware takes the place of UpdateFirmware: signatures and their certificates can be checked. [SEC-L01-20] */
  get isSigned(): boolean {
    const { desk, transfers } = this.#parts;
    return desk.certificates !== undefined && (desk.hardware.verifies || typeof transfers.verify === "function");
  }

  /** Goes on with what was under way when the power failed. */
  async restore(record: FirmwareUpdateRecord & { readonly version: string }): Promise<void> {
    const { chargePoint, hardware } = this.#parts.desk;
    const isInstalled = await hardware.isInstalled(record.version !== this.#parts.version);
    const { version: _, ...update } = record;
    this.update.restored(update, isInstalled, chargePoint.now());
  }

  /** Whether an update is asked for that can be begun; begins it once that was answered. [FM-21] */
  updateFirmware(
    { location, retrieveDate, retries, retryInterval }: Req<"UpdateFirmware">,
    once: OnceAnswered,
  ): Conf<"UpdateFirmware"> {
    if (this.isSigned) throw new CallError("NotSupported", "Firmware must be signed: send SignedUpdateFirmware.");
    if (!this.#parts.desk.hardware.installs) throw new CallError("NotSupported", "The firmware cannot be updated.");
    if (this.update.isInstalling) throw new CallError("GenericError", "Firmware is being installed.");
    this.#begin({ url: location, retrieveAt: Date.parse(retrieveDate), retries, retryInterval }, once);
    return {};
  }

  /** SEC-L01-23 … SEC-L01-27 */
  async signedUpdateFirmware(
    { firmware, requestId, retries, retryInterval }: Req<"SignedUpdateFirmware">,
    once: OnceAnswered,
  ): Promise<Conf<"SignedUpdateFirmware">> {
    const { certificates, hardware } = this.#parts.desk;
    const { installDateTime, location, retrieveDateTime, signature, signingCertificate } = firmware;
    if (certificates === undefined || !hardware.installs) {
      throw new CallError("NotSupported", "The firmware cannot be updated.");
    }
    const status = await certificates.check(signingCertificate);
    if (status !== "Accepted") return { status };
    if (this.update.isInstalling) return { status: "Rejected" }; // SEC-L01-27
    const isCanceled = this.update.isUnderWay;
    const order: UpdateOrder = {
      url: location,
      retrieveAt: Date.parse(retrieveDateTime),
      ...(installDateTime !== undefined && { installAt: Date.parse(installDateTime) }),
      retries,
      retryInterval,
      signed: { requestId, signature, signingCertificate },
    };
    this.#begin(order, once);
    return { status: isCanceled ? "AcceptedCanceled" : "Accepted" };
  }

  /** Whether a transaction runs is another. */
  follow(): void {
    this.update.charging(this.#parts.isCharging());
  }

  readonly perform = (output: FirmwareUpdateOutput): void => {
    const { connectorIds, desk, version } = this.#parts;
    const { availability, jobs } = desk;
    switch (output.type) {
      case "status":
        this.#tell(output);
        break;
      case "download":
        void this.#fetch(output.url);
        break;
      case "verify":
        void this.#verify(output.file, output.signed);
        break;
      case "abort":
        this.#work.abort("another update was asked for");
        break;
      case "install":
        void this.#install(output.file);
        break;
      case "restart":
        this.#parts.restart();
        break;
      case "outOfService":
        for (const id of connectorIds) {
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

  /** Nothing is fetched any more; what was begun goes on after the next start. */
  end(): void {
    this.#work.abort("the charger was stopped");
  }

  /** What is under way is not installed before it is clear whether another takes its place. */
  #begin(order: UpdateOrder, once: OnceAnswered): void {
    this.update.held();
    once((wasSent) => {
      if (wasSent) this.update.requested(order, this.#parts.desk.chargePoint.now());
      else this.update.released();
    });
  }

  #tell({ requestId, status }: Extract<FirmwareUpdateOutput, { type: "status" }>): void {
    const { desk } = this.#parts;
    const deliver = delivered(desk);
    if (requestId !== undefined) deliver("SignedFirmwareStatusNotification", { status, requestId });
    else if (isPlain(status)) deliver("FirmwareStatusNotification", { status });
    if (status === "Installed") desk.security?.noticed("FirmwareUpdated");
    if (status === "InvalidSignature") desk.security?.noticed("InvalidFirmwareSignature"); // SEC-L01-03
  }

  async #fetch(url: string): Promise<void> {
    const { desk, transfers } = this.#parts;
    const signal = new OwnSignal();
    this.#work = signal;
    const file = await attempted(desk, signal, () => transfers.download(url, { signal }), nothing);
    if (signal.aborted) return;
    this.update.downloaded(typeof file === "string" ? file : undefined, desk.chargePoint.now());
    desk.run();
  }

  /** What cannot be verified is not what was signed. */
  async #verify(file: string, signed: FirmwareSignature): Promise<void> {
    const { desk, transfers } = this.#parts;
    const signal = new OwnSignal();
    this.#work = signal;
    const verify = async (): Promise<unknown> =>
      desk.hardware.verifies ? desk.hardware.verify(file, signed) : transfers.verify?.(file, signed);
    const isSigned = await attempted(desk, signal, verify, nothing);
    if (signal.aborted) return;
    this.update.verified(isSigned === true, desk.chargePoint.now());
    desk.run();
  }

  async #install(file: string): Promise<void> {
    const { desk } = this.#parts;
    this.update.installed(await desk.hardware.install(file));
    desk.run();
  }
}
