/*
 * An update of the firmware, plain or signed.
 *
 * Theory of operation. The file is fetched once its time has come, as often as it takes, and installed once nobody charges;
 * from when it could be installed until the end, connectors that are not in use are out of service. Signed firmware is verified
 * before anything else is done with it; it may be installed later than it was fetched, and where it had to wait, be it over a
 * power cut, it is verified again: what is installed was verified just before. Where the installation needs a restart, what has
 * come of it is known afterwards.
 *
 *   requested ──► waiting ──► downloading ─────────────────────────────────────► ready ──► installing ──► (restarting)
 *                    ▲             │  └── signed ──► verifying ──► (scheduled) ──┘  └──► (checking) ┘           │
 *                    └── retry ────┘                                                                             ▼
 *                                                          from everywhere, with one end status: ending ──► (over)
 *
 *                plain                                       signed
 *   waiting      -                                           DownloadScheduled
 *   downloading  Downloading                                 Downloading
 *   verifying    -                                           Downloaded
 *   scheduled    -                                           SignatureVerified, and InstallScheduled if it has to wait
 *   ready        Downloaded                                  -
 *   installing   Installing                                  Installing
 *   restarting   -                                           InstallRebooting
 *   ending       DownloadFailed, InstallationFailed or       these, InvalidSignature or InstallVerificationFailed
 *                Installed
 *
 * Each step is written down before it is told, and its end until it was told: an update that began ends with exactly one end
 * status, whatever is cut, replaced or reset. Only a status in between may be missing, when the power fails in that instant.
 * A new request takes the place of an update that is not being installed yet, which has failed then. `over` is a signed
 * update that has failed and is still asked about.
 *
 * There is no DownloadPaused: transfers go on, or fail. [SEC-L01-14]
 */

import type { Machine, Req } from "@ocppj/core";
import { Attempts } from "./attempts.ts";

/** Plain updates know some of them. */
export type FirmwareStatus = Req<"SignedFirmwareStatusNotification">["status"];

/** What is said of signed firmware, besides where it is. */
export interface SignedFirmware {
  readonly requestId: number;
  /** When it may be installed, in milliseconds since the epoch. */
  readonly installAt?: number | undefined;
  /** Base64. */
  readonly signature: string;
  /** PEM. */
  readonly signingCertificate: string;
}

export const phases = [
  ...(["waiting", "downloading", "verifying", "scheduled", "ready", "checking"] as const),
  ...(["installing", "restarting", "ending", "over"] as const),
] as const;

/** An update, and what is kept of it. */
export interface FirmwareUpdateRecord {
  readonly phase: (typeof phases)[number];
  readonly url: string;
  /** When it may be fetched, in milliseconds since the epoch. */
  readonly retrieveAt: number;
  readonly retriesLeft: number;
  /** In seconds. */
  readonly retryInterval?: number | undefined;
  /** Absent: it is a plain one. */
  readonly signed?: SignedFirmware | undefined;
  /** What was fetched. */
  readonly file?: string | undefined;
  /** What was told last. */
  readonly told?: FirmwareStatus | undefined;
}

/** A status, with the requestId of a signed update. */
export interface ToldFirmwareStatus {
  readonly status: FirmwareStatus;
  readonly requestId?: number;
}

export type FirmwareUpdateOutput =
  | ({ readonly type: "status" } & ToldFirmwareStatus)
  | { readonly type: "download"; readonly url: string }
  | { readonly type: "verify"; readonly file: string; readonly signed: SignedFirmware }
  /** What is being fetched or verified is not wanted any more. */
  | { readonly type: "abort" }
  | { readonly type: "install"; readonly file: string }
  | { readonly type: "restart" }
  /** Connectors go out of service when they are free, or come back. */
  | { readonly type: "outOfService"; readonly isOut: boolean }
  /** What is to be kept; `undefined`: nothing. */
  | { readonly type: "keep"; readonly record: FirmwareUpdateRecord | undefined };

const never = Number.POSITIVE_INFINITY;

/**
 * Times are those of the Central System.
 *
 * @spec OCPP 1.6 §4.5, §5.19; security white paper L01 [FM-05, FM-06, FM-21 … FM-27, SEC-L01-01 … SEC-L01-31]
 */
export class FirmwareUpdate implements Machine<FirmwareUpdateOutput> {
  readonly #isSignedOnly: boolean;
  #job: FirmwareUpdateRecord | undefined;
  /** Whether anybody charges, or is about to. */
  #isInUse = false;
  readonly #outputs: FirmwareUpdateOutput[] = [];

  /** @param isSignedOnly - Nothing else is installed, though it was begun before. */
  constructor(isSignedOnly: boolean) {
    this.#isSignedOnly = isSignedOnly;
  }

  get deadline(): number {
    if (this.#job?.phase === "waiting") return this.#job.retrieveAt;
    return this.#job?.phase === "scheduled" ? (this.#job.signed?.installAt ?? 0) : never;
  }

  /** What was told last, of an update that is under way, or of a signed one that has failed. [FM-06, SEC-L01-28, SEC-L01-29] */
  get told(): ToldFirmwareStatus {
    const { signed, told } = this.#job ?? {};
    if (told === undefined) return { status: "Idle" };
    return { status: told, ...(signed && { requestId: signed.requestId }) };
  }

  get isUnderWay(): boolean {
    return this.#job !== undefined && this.#job.phase !== "over";
  }

  /** Whether it cannot be replaced any more. */
  get isInstalling(): boolean {
    return this.#job?.phase === "installing" || this.#job?.phase === "restarting";
  }

  poll(): FirmwareUpdateOutput | undefined {
    return this.#outputs.shift();
  }

  advance(now: number): void {
    if (now < this.deadline) return;
    if (this.#job?.phase === "waiting") this.#download();
    else {
      this.#enter({ phase: "ready" });
      this.#ready();
    }
  }

  /** UpdateFirmware. Whoever asks has looked whether one is being installed. */
  requested({ location, retrieveDate, retries, retryInterval }: Req<"UpdateFirmware">, now: number): void {
    const retriesLeft = new Attempts({ retries }).left;
    this.#begin({ url: location, retrieveAt: Date.parse(retrieveDate), retriesLeft, retryInterval }, now);
  }

  /** SignedUpdateFirmware. Whoever asks has looked whether one is being installed, and checked the certificate. */
  signedRequested({ firmware, requestId, retries, retryInterval }: Req<"SignedUpdateFirmware">, now: number): void {
    const { installDateTime, location, retrieveDateTime, signature, signingCertificate } = firmware;
    const installAt = installDateTime === undefined ? undefined : Date.parse(installDateTime);
    this.#begin(
      {
        url: location,
        retrieveAt: Date.parse(retrieveDateTime),
        retriesLeft: new Attempts({ retries }).left,
        retryInterval,
        signed: { requestId, installAt, signature, signingCertificate },
      },
      now,
    );
  }

  /** How an attempt to fetch it has ended; `file` is what was fetched. */
  downloaded(file: string | undefined, now: number): void {
    if (this.#job?.phase !== "downloading") return;
    const { retriesLeft, retryInterval, signed } = this.#job;
    if (file === undefined) {
      const attempts = new Attempts({ retries: retriesLeft, retryInterval });
      const retrieveAt = attempts.failed(now);
      if (retrieveAt === undefined) this.#end("DownloadFailed");
      else this.#enter({ phase: "waiting", retrieveAt, retriesLeft: attempts.left });
    } else if (signed === undefined) {
      this.#enter({ phase: "ready", file }, "Downloaded");
      this.#ready();
    } else {
      this.#enter({ phase: "verifying", file }, "Downloaded");
      this.#verify();
    }
  }

  /** Whether the signature is that of the file. [SEC-L01-04] */
  verified(isVerified: boolean, now: number): void {
    if (this.#job?.phase === "checking") {
      this.#job = { ...this.#job, phase: "ready" };
      if (isVerified) this.#installIfPossible(true);
      else this.#end("InstallVerificationFailed");
    } else if (this.#job?.phase === "verifying") {
      const { signed: { installAt = now } = {} } = this.#job;
      if (!isVerified) this.#end("InvalidSignature");
      else if (now < installAt) {
        this.#enter({ phase: "scheduled" }, "SignatureVerified");
        this.#enter({}, "InstallScheduled"); // SEC-L01-16
      } else {
        this.#enter({ phase: "ready" }, "SignatureVerified");
        this.#ready(true); // SEC-L01-05
      }
    }
  }

  /** Whether anybody charges, or is about to. [FM-25, SEC-L01-06, SEC-L01-18] */
  inUse(isInUse: boolean): void {
    this.#isInUse = isInUse;
    this.#installIfPossible(false);
  }

  /** How the installation has ended; `restart`: that is known only afterwards. */
  installed(outcome: "installed" | "failed" | "restart"): void {
    if (this.#job?.phase !== "installing") return;
    if (outcome === "restart") {
      this.#enter({ phase: "restarting" }, this.#job.signed && "InstallRebooting"); // SEC-L01-15
      this.#outputs.push({ type: "restart" });
    } else this.#end(outcome === "installed" ? "Installed" : "InstallationFailed");
  }

  /** It does not restart. */
  restartFailed(): void {
    if (this.#job?.phase === "restarting") this.#end("InstallationFailed");
  }

  /**
   * Goes on after a restart or a power cut.
   *
   * @param isInstalled - What has come of an installation that was under way.
   */
  restored(record: FirmwareUpdateRecord, isInstalled: boolean, now: number): void {
    this.#job = record;
    const isLate = this.isInstalling || record.phase === "ending";
    if (this.#isSignedOnly && record.signed === undefined && !isLate) {
      this.#cancel();
      return;
    }
    switch (record.phase) {
      case "waiting":
      case "scheduled":
        this.advance(now);
        break;
      case "downloading":
        this.#download(); // Anew; that is no attempt that has failed.
        break;
      case "verifying":
        this.#verify();
        break;
      case "ready":
      case "checking":
        this.#job = { ...record, phase: "ready" };
        this.#ready();
        break;
      case "installing":
      case "restarting":
        this.#end(isInstalled ? "Installed" : "InstallationFailed");
        break;
      case "ending":
        this.#conclude();
        break;
      case "over":
        break;
    }
  }

  #begin(job: Omit<FirmwareUpdateRecord, "phase">, now: number): void {
    if (this.isInstalling) {
      // That has begun since it was accepted.
      const { signed } = job;
      if (signed) this.#outputs.push({ type: "status", status: "DownloadFailed", requestId: signed.requestId });
      return;
    }
    this.#cancel();
    this.#job = { ...job, phase: "waiting" };
    if (now < job.retrieveAt)
      this.#enter({}, job.signed && "DownloadScheduled"); // SEC-L01-13
    else this.#download();
  }

  #cancel(): void {
    if (this.#job === undefined || !this.isUnderWay) return;
    this.#outputs.push({ type: "abort" });
    if (this.#job.told !== undefined) this.#end(this.#job.file === undefined ? "DownloadFailed" : "InstallationFailed");
    else this.#forget();
  }

  #download(): void {
    this.#enter({ phase: "downloading" }, "Downloading");
    if (this.#job !== undefined) this.#outputs.push({ type: "download", url: this.#job.url });
  }

  #verify(): void {
    const { file, signed } = this.#job ?? {};
    if (file !== undefined && signed !== undefined) this.#outputs.push({ type: "verify", file, signed });
  }

  /** It could be installed now. [SEC-L01-07, SEC-L01-17, SEC-L01-19] */
  #ready(isVerified = false): void {
    this.#outputs.push({ type: "outOfService", isOut: true });
    this.#installIfPossible(isVerified);
  }

  /** @param isVerified - Just now. */
  #installIfPossible(isVerified: boolean): void {
    if (this.#job?.phase !== "ready" || this.#isInUse || this.#job.file === undefined) return;
    if (this.#job.signed === undefined || isVerified) {
      this.#enter({ phase: "installing" }, "Installing");
      this.#outputs.push({ type: "install", file: this.#job.file });
    } else {
      this.#enter({ phase: "checking" });
      this.#verify();
    }
  }

  #end(status: FirmwareStatus): void {
    this.#keep({ phase: "ending", told: status });
    this.#conclude();
  }

  /** Tells its end, which was written down. */
  #conclude(): void {
    const { told } = this;
    this.#outputs.push({ type: "status", ...told }, { type: "outOfService", isOut: false });
    const isForgotten = told.requestId === undefined || told.status === "Installed"; // SEC-L01-28
    if (isForgotten) this.#forget();
    else this.#keep({ phase: "over" });
  }

  #forget(): void {
    this.#job = undefined;
    this.#outputs.push({ type: "keep", record: undefined });
  }

  /** Writes a step down, and then tells it, unless it was told before. */
  #enter(step: Partial<FirmwareUpdateRecord>, status?: FirmwareStatus): void {
    const isNew = status !== undefined && status !== this.#job?.told;
    this.#keep({ ...step, ...(isNew && { told: status }) });
    if (isNew) this.#outputs.push({ type: "status", ...this.told });
  }

  #keep(step: Partial<FirmwareUpdateRecord>): void {
    if (this.#job === undefined) return;
    this.#job = { ...this.#job, ...step };
    this.#outputs.push({ type: "keep", record: this.#job });
  }
}
