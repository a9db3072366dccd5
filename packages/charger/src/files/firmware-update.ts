/*
 * An update of the firmware, plain or signed.
 *
 * Theory of operation. The file is fetched once its time has come, as often as it takes. That of a signed update is verified,
 * and then waits for the time of its installation. It is installed once no transaction runs; until it is, connectors that are
 * not in use are out of service. Where the installation needs a restart, what has come of it is known afterwards. All of this
 * survives power cuts: the latest step is written down, and each update that was begun ends with exactly one of DownloadFailed,
 * InvalidSignature, InstallationFailed and Installed.
 *
 *   waiting ──► downloading ──► verifying ──► scheduled ──► ready ──► installing ──► (restarting) ──► Installed
 *      ▲             │    └─────── plain ─────────────────────▲             │               │
 *      └── retry ────┤              │                                       └───────────────┴────► InstallationFailed
 *                    └► DownloadFailed └► InvalidSignature
 *
 * A new request takes the place of one that is not being installed yet; what that had told is ended with DownloadFailed, or, once
 * it was downloaded, with InstallationFailed. Of a plain update only the statuses are told that plain updates have.
 */

import type { Machine, Req } from "@ocppj/core";
import type { FirmwareSigner } from "../hardware/hardware.ts";
import { Attempts } from "./attempts.ts";

export type FirmwareStatus = Req<"SignedFirmwareStatusNotification">["status"];
type PlainStatus = Req<"FirmwareStatusNotification">["status"];

/** What a signed update has besides. */
export interface FirmwareSignature extends FirmwareSigner {
  readonly requestId: number;
}

/** What is asked for. Times are in milliseconds since the epoch. */
export interface UpdateOrder {
  readonly url: string;
  /** When it may be fetched. */
  readonly retrieveAt: number;
  /** When it may be installed. Absent: as soon as it can be. */
  readonly installAt?: number | undefined;
  readonly retries?: number | undefined;
  /** In seconds. */
  readonly retryInterval?: number | undefined;
  /** Absent: the update is a plain one. */
  readonly signed?: FirmwareSignature | undefined;
}

/** What is kept of an update. `retries` are those that are left, `retrieveAt` is when it is fetched next. */
export interface FirmwareUpdateRecord extends UpdateOrder {
  readonly phase: Exclude<Phase, "none">;
  /** What was fetched. */
  readonly file?: string | undefined;
  /** What was told last. */
  readonly told?: FirmwareStatus | undefined;
}

export const phases = [
  "waiting",
  "downloading",
  "verifying",
  "scheduled",
  "ready",
  "installing",
  "restarting",
  /** It is over; what has come of it may be asked for. [SEC-L01-29] */
  "failed",
] as const;

type Phase = "none" | (typeof phases)[number];

export type FirmwareUpdateOutput =
  /** Without `requestId` it is of a plain update. */
  | { readonly type: "status"; readonly status: FirmwareStatus; readonly requestId: number | undefined }
  | { readonly type: "download"; readonly url: string }
  | { readonly type: "verify"; readonly file: string; readonly signed: FirmwareSignature }
  /** What is being fetched or verified is not wanted any more. */
  | { readonly type: "abort" }
  | { readonly type: "install"; readonly file: string }
  | { readonly type: "restart" }
  /** Connectors go out of service when they are free, or come back. */
  | { readonly type: "outOfService"; readonly isOut: boolean }
  /** What is to be kept; `undefined`: nothing. */
  | { readonly type: "keep"; readonly record: FirmwareUpdateRecord | undefined };

const never = Number.POSITIVE_INFINITY;

/** Times are those of the Central System. @spec OCPP 1.6 §4.5, §5.19; security white paper L01 [FM-05 … FM-27, SEC-L01-13 … SEC-L01-31] */
export class FirmwareUpdate implements Machine<FirmwareUpdateOutput> {
  #phase: Phase = "none";
  #order: UpdateOrder = { url: "", retrieveAt: never };
  #attempts = new Attempts({});
  #fetchAt = never;
  #file: string | undefined;
  #told: FirmwareStatus | undefined;
  /** Whether a transaction runs. Before that is known, one may. */
  #isCharging = true;
  /** How many may be about to take its place. */
  #holds = 0;
  readonly #outputs: FirmwareUpdateOutput[] = [];

  get deadline(): number {
    if (this.#phase === "waiting") return this.#fetchAt;
    return this.#phase === "scheduled" ? (this.#order.installAt ?? never) : never;
  }

  /** What a TriggerMessage is answered with: what was told last, and `Idle` where no plain update is under way. [FM-06] */
  get status(): PlainStatus {
    const told = this.#order.signed === undefined && this.isUnderWay ? this.#told : undefined;
    return told !== undefined && isPlain(told) ? told : "Idle";
  }

  /** What an ExtendedTriggerMessage is answered with: what was told last, unless that was Installed. [SEC-L01-28, SEC-L01-29] */
  get signedStatus(): Req<"SignedFirmwareStatusNotification"> {
    const { signed } = this.#order;
    if (signed === undefined || this.#told === undefined || this.#told === "Installed") return { status: "Idle" };
    return { status: this.#told, requestId: signed.requestId };
  }

  /** Whether there is one that is not over. */
  get isUnderWay(): boolean {
    return this.#phase !== "none" && this.#phase !== "failed";
  }

  /** Whether it cannot be replaced any more. */
  get isInstalling(): boolean {
    return this.#phase === "installing" || this.#phase === "restarting";
  }

  poll(): FirmwareUpdateOutput | undefined {
    return this.#outputs.shift();
  }

  advance(now: number): void {
    if (now < this.deadline) return;
    if (this.#phase === "scheduled") this.#ready();
    else {
      this.#enter("downloading", "Downloading");
      this.#outputs.push({ type: "download", url: this.#order.url });
    }
  }

  /** Another one may take its place: it is not installed until that is {@link released}, or {@link requested}. */
  held(): void {
    this.#holds += 1;
  }

  released(): void {
    this.#holds -= 1;
    this.#installIfPossible();
  }

  /** UpdateFirmware or SignedUpdateFirmware. Whoever asks has looked whether one is being installed, and {@link held} it. */
  requested(order: UpdateOrder, now: number): void {
    this.#cancel();
    this.#holds -= 1;
    this.#take(order);
    this.#enter("waiting", order.retrieveAt > now ? "DownloadScheduled" : undefined);
    this.advance(now);
  }

  /** How an attempt to fetch it has ended; `file` is what was fetched. */
  downloaded(file: string | undefined, now: number): void {
    if (this.#phase !== "downloading") return;
    const { signed } = this.#order;
    if (file === undefined) this.#failed(now);
    else {
      this.#file = file;
      if (signed === undefined) this.#ready("Downloaded");
      else {
        this.#enter("verifying", "Downloaded");
        this.#outputs.push({ type: "verify", file, signed });
      }
    }
  }

  /** Whether the file is what was signed. [SEC-L01-03, SEC-L01-16] */
  verified(isSigned: boolean, now: number): void {
    if (this.#phase !== "verifying") return;
    if (!isSigned) this.#end("InvalidSignature");
    else {
      this.#tell("SignatureVerified");
      const { installAt = now } = this.#order;
      if (installAt > now) this.#enter("scheduled", "InstallScheduled");
      else this.#ready();
    }
  }

  /** Whether a transaction runs. [FM-25, SEC-L01-06] */
  charging(isCharging: boolean): void {
    this.#isCharging = isCharging;
    this.#installIfPossible();
  }

  /** How the installation has ended; `restart`: that is known only afterwards. */
  installed(outcome: "installed" | "failed" | "restart"): void {
    if (this.#phase !== "installing") return;
    if (outcome === "restart") {
      this.#enter("restarting", "InstallRebooting");
      this.#outputs.push({ type: "restart" });
    } else this.#end(outcome === "installed" ? "Installed" : "InstallationFailed");
  }

  /**
   * Goes on after a restart or a power cut.
   *
   * @param isInstalled - What has come of an installation that was under way.
   */
  restored({ file, phase, told, ...order }: FirmwareUpdateRecord, isInstalled: boolean, now: number): void {
    this.#take(order);
    this.#file = file;
    this.#told = told;
    this.#phase = phase;
    if (this.isInstalling) this.#end(isInstalled ? "Installed" : "InstallationFailed");
    else if (phase === "ready") this.#ready();
    else if (phase === "verifying" && file !== undefined && order.signed !== undefined) {
      this.#outputs.push({ type: "verify", file, signed: order.signed });
    } else if (phase !== "scheduled" && phase !== "failed") {
      // What was being fetched is fetched anew; that is no attempt that has failed.
      this.#phase = "waiting";
      this.advance(now);
    }
  }

  #take(order: UpdateOrder): void {
    this.#order = order;
    this.#fetchAt = order.retrieveAt;
    this.#attempts = new Attempts(order);
    this.#file = undefined;
    this.#told = undefined;
  }

  #failed(now: number): void {
    const retryAt = this.#attempts.failed(now);
    if (retryAt === undefined) this.#end("DownloadFailed");
    else {
      this.#fetchAt = retryAt;
      this.#enter("waiting");
    }
  }

  /** SEC-L01-07: from now on it only waits for transactions. */
  #ready(status?: FirmwareStatus): void {
    this.#enter("ready", status);
    this.#outputs.push({ type: "outOfService", isOut: true });
    this.#installIfPossible();
  }

  #installIfPossible(): void {
    if (this.#phase !== "ready" || this.#isCharging || this.#holds > 0 || this.#file === undefined) return;
    this.#enter("installing", "Installing");
    this.#outputs.push({ type: "install", file: this.#file });
  }

  #cancel(): void {
    if (!this.isUnderWay) return;
    this.#outputs.push({ type: "abort" });
    if (this.#told !== undefined) this.#end(this.#file === undefined ? "DownloadFailed" : "InstallationFailed");
  }

  #enter(phase: Exclude<Phase, "none">, status?: FirmwareStatus): void {
    this.#phase = phase;
    if (status !== undefined) this.#tell(status);
    this.#outputs.push({ type: "keep", record: this.#record(phase) });
  }

  #end(status: "DownloadFailed" | "InvalidSignature" | "InstallationFailed" | "Installed"): void {
    this.#tell(status);
    this.#outputs.push({ type: "outOfService", isOut: false });
    if (this.#order.signed !== undefined && status !== "Installed") this.#enter("failed");
    else {
      this.#phase = "none";
      this.#outputs.push({ type: "keep", record: undefined });
    }
  }

  #tell(status: FirmwareStatus): void {
    const { signed } = this.#order;
    if (signed === undefined && !isPlain(status)) return;
    if (this.#told === status) return; // It is fetched again: that was told.
    this.#told = status;
    this.#outputs.push({ type: "status", status, requestId: signed?.requestId });
  }

  #record(phase: Exclude<Phase, "none">): FirmwareUpdateRecord {
    return {
      ...this.#order,
      retrieveAt: this.#fetchAt,
      retries: this.#attempts.left,
      phase,
      ...(this.#file !== undefined && { file: this.#file }),
      ...(this.#told !== undefined && { told: this.#told }),
    };
  }
}

const plainStatuses: ReadonlySet<FirmwareStatus> = new Set([
  "Downloaded",
  "DownloadFailed",
  "Downloading",
  "Idle",
  "InstallationFailed",
  "Installing",
  "Installed",
] satisfies readonly PlainStatus[]);

/** Whether FirmwareStatusNotification has it. */
export const isPlain = (status: FirmwareStatus): status is PlainStatus => plainStatuses.has(status);
