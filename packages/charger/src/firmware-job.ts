import { CallError, type Conf, inTime, OwnSignal, type Req } from "@ocppj/core";
import type { Desk } from "./desk.ts";
import type { FileTransfers } from "./files/file-transfers.ts";
import type { FirmwareTrust } from "./files/firmware-trust.ts";
import {
  type FirmwareStatus,
  FirmwareUpdate,
  type FirmwareUpdateOutput,
  type FirmwareUpdateRecord,
  type SignedFirmware,
  type ToldFirmwareStatus,
} from "./files/firmware-update.ts";
import { demandSupported, isSupported, Turns } from "./job-tools.ts";
import type { SecurityEventType } from "./security/security-event.ts";

/** Hears whether an answer was sent, once that is known. */
export type OnceAnswered = (act: (wasSent: boolean) => void) => void;

/** What updates of the firmware work with. */
export interface FirmwareJobParts {
  readonly desk: Desk;
  readonly connectorIds: readonly number[];
  /** Whether anybody charges, or is about to. */
  readonly isInUse: () => boolean;
  readonly transfers: FileTransfers;
  /** With it signed updates are offered, and plain ones are not any more. */
  readonly trust?: FirmwareTrust | undefined;
  /** `firmwareVersion` of BootNotification. */
  readonly version: string;
  /** Restarts the program. */
  readonly restart: () => void;
  readonly follow: () => void;
  /** Hears of security events. */
  readonly noticed: (type: SecurityEventType, techInfo?: string) => void;
}

const reason = "firmware update";

/** A Central System waits for the answer. */
const checkingMs = 10_000;
/** The whole file has to be read, be it from a slow card. */
const verifyingMs = 600_000;

/** Which security events follow from a status. [SEC-EV-01, SEC-EV-13, SEC-L01-03] */
const events: { readonly [Status in FirmwareStatus]?: SecurityEventType } = {
  Installed: "FirmwareUpdated",
  InvalidSignature: "InvalidFirmwareSignature",
  InstallVerificationFailed: "InvalidFirmwareSignature",
};

/** Updates of the firmware: joins their machine to transfers, trust and hardware. */
export class FirmwareJob {
  readonly update: FirmwareUpdate;
  readonly #parts: FirmwareJobParts;
  readonly #turns: Turns;
  /** Takes back the download or the verification that runs. */
  #work = new OwnSignal();

  constructor(parts: FirmwareJobParts) {
    this.#parts = parts;
    this.update = new FirmwareUpdate(parts.trust !== undefined);
    this.#turns = new Turns(parts.desk);
  }

  /** Goes on with what was under way when the power failed. */
  async restore({ version, ...record }: FirmwareUpdateRecord & { readonly version: string }): Promise<void> {
    const { desk, version: ours } = this.#parts;
    const isInstalled = await desk.hardware.isInstalled(version !== ours);
    this.update.restored(record, isInstalled, desk.chargePoint.now());
    desk.run();
  }

  /** Whether an update is asked for that can be begun; begins it once that was answered. [FM-21] */
  updateFirmware(req: Req<"UpdateFirmware">, onceAnswered: OnceAnswered): Conf<"UpdateFirmware"> {
    const { desk, transfers, trust } = this.#parts;
    if (trust !== undefined) throw new CallError("NotSupported", "Firmware has to be signed."); // SEC-L01-20
    this.#demandInstaller();
    demandSupported(req.location, transfers);
    if (this.update.isInstalling) throw new CallError("GenericError", "Firmware is being installed.");
    onceAnswered((wasSent) => wasSent && this.update.requested(req, desk.chargePoint.now()));
    return {};
  }

  /** The same of a signed one. [SEC-L01-23 … SEC-L01-27] */
  async signedUpdateFirmware(
    req: Req<"SignedUpdateFirmware">,
    onceAnswered: OnceAnswered,
  ): Promise<Conf<"SignedUpdateFirmware">> {
    const { desk, noticed, transfers, trust } = this.#parts;
    this.#demandInstaller();
    const { location, signingCertificate } = req.firmware;
    if (trust === undefined || !isSupported(location, transfers)) return { status: "Rejected" };
    const verdict = await this.#inTime("check", checkingMs, () => trust.check(signingCertificate));
    if (verdict === "InvalidCertificate" || verdict === "RevokedCertificate") {
      onceAnswered(() => noticed("InvalidFirmwareSigningCertificate", verdict)); // SEC-EV-14, SEC-L01-02
      return { status: verdict };
    }
    if (verdict !== "Accepted" || this.update.isInstalling) return { status: "Rejected" };
    const { isUnderWay } = this.update;
    onceAnswered((wasSent) => wasSent && this.update.signedRequested(req, desk.chargePoint.now()));
    return { status: isUnderWay ? "AcceptedCanceled" : "Accepted" };
  }

  /** Whether anybody charges may be another. */
  follow(): void {
    this.update.inUse(this.#parts.isInUse());
  }

  readonly perform = (output: FirmwareUpdateOutput): void => {
    const { connectorIds, desk, restart, version } = this.#parts;
    const { availability } = desk;
    switch (output.type) {
      case "status":
        this.#turns.take(() => this.#tell(output));
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
        this.#turns.take(() => void this.#install(output.file)); // Once it was written down.
        break;
      case "restart":
        this.#turns.take(restart); // Once InstallRebooting was told.
        break;
      case "outOfService":
        for (const id of connectorIds) {
          if (output.isOut) availability.withdraw(id, reason);
          else availability.giveBack(id, reason);
        }
        this.#parts.follow();
        break;
      case "keep": {
        const { record } = output;
        this.#turns.keep("firmware", record && { firmware: { ...record, version } });
        break;
      }
    }
  };

  /** Nothing is fetched any more; what was begun goes on after the next start. */
  end(): void {
    this.#turns.end();
    this.#work.abort("the charger was stopped");
  }

  async #tell({ requestId, status }: ToldFirmwareStatus): Promise<void> {
    const { desk, noticed } = this.#parts;
    const event = events[status];
    if (event !== undefined) noticed(event, requestId === undefined ? undefined : `requestId ${requestId}`);
    await this.#turns.deliver(() => {
      if (requestId !== undefined) {
        desk.chargePoint.deliver("SignedFirmwareStatusNotification", { status, requestId });
      } else desk.chargePoint.deliver("FirmwareStatusNotification", { status: status as PlainStatus });
    });
  }

  async #fetch(url: string): Promise<void> {
    const { desk, transfers } = this.#parts;
    const signal = this.#begin();
    let file: unknown;
    try {
      file = await transfers.download(url, { signal });
      if (typeof file !== "string") throw new TypeError(`download has named no file, but ${typeof file}. Name it.`);
    } catch (error) {
      if (!signal.aborted) desk.fault(error);
    }
    if (signal.aborted) return;
    this.update.downloaded(typeof file === "string" ? file : undefined, desk.chargePoint.now());
    desk.run();
  }

  async #verify(file: string, { signature, signingCertificate }: SignedFirmware): Promise<void> {
    const { desk, trust } = this.#parts;
    const signal = this.#begin();
    const isVerified = await this.#inTime("verify", verifyingMs, async () =>
      trust?.verify(file, { signature, signingCertificate }),
    );
    if (signal.aborted) return;
    this.update.verified(isVerified === true, desk.chargePoint.now());
    desk.run();
  }

  async #install(file: string): Promise<void> {
    const { desk } = this.#parts;
    this.update.installed(await desk.hardware.install(file));
    desk.run();
  }

  #begin(): OwnSignal {
    this.#work = new OwnSignal();
    return this.#work;
  }

  /** What a question to the owner's trust ends with; `undefined` where it fails or takes too long, which is told. */
  async #inTime<T>(name: string, timeoutMs: number, ask: () => Promise<T>): Promise<T | undefined> {
    const { clock, fault } = this.#parts.desk;
    const late = (): Error => new Error(`${name} of the trust in firmware has not answered for ${timeoutMs} ms.`);
    try {
      return await inTime(clock, timeoutMs, ask, late);
    } catch (error) {
      fault(error);
      return undefined;
    }
  }

  #demandInstaller(): void {
    if (!this.#parts.desk.hardware.installs) throw new CallError("NotSupported", "The firmware cannot be updated.");
  }
}

type PlainStatus = Req<"FirmwareStatusNotification">["status"];
