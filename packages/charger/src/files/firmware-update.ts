/*
 * An update of the firmware.
 *
 * Theory of operation. The file is fetched once its time has come, as often as it takes, installed once no transaction runs,
 * and meanwhile connectors that are not in use are out of service. Where the installation needs a restart, what has come of it
 * is known afterwards. All of this survives power cuts: the latest step is written down, and each update that was begun ends
 * with exactly one of DownloadFailed, InstallationFailed and Installed.
 *
 *   requested ──► waiting ──► downloading ──► downloaded ──► installing ──► (restarting) ──► Installed
 *                    ▲             │                              │               │
 *                    └── retry ────┤                              └───────────────┴────► InstallationFailed
 *                                  └──► DownloadFailed
 *
 * A new request takes the place of one that is not being installed yet; what that had told is ended with DownloadFailed.
 */

import type { Machine, Req } from "@ocppj/core";
import { Attempts } from "./attempts.ts";

export type FirmwareStatus = Req<"FirmwareStatusNotification">["status"];

/** What is kept of an update. */
export interface FirmwareUpdateRecord {
  readonly url: string;
  /** When it may be fetched, in milliseconds since the epoch. */
  readonly retrieveAt: number;
  readonly retriesLeft: number;
  /** In seconds. */
  readonly retryInterval?: number | undefined;
  readonly phase: Exclude<Phase, "none">;
  /** What was fetched. */
  readonly file?: string | undefined;
  /** What was told last. */
  readonly told?: FirmwareStatus | undefined;
}

type Phase = "none" | "waiting" | "downloading" | "downloaded" | "installing" | "restarting";

export type FirmwareUpdateOutput =
  | { readonly type: "status"; readonly status: FirmwareStatus }
  | { readonly type: "download"; readonly url: string }
  /** What is being fetched is not wanted any more. */
  | { readonly type: "abort" }
  | { readonly type: "install"; readonly file: string }
  | { readonly type: "restart" }
  /** Connectors go out of service when they are free, or come back. */
  | { readonly type: "outOfService"; readonly isOut: boolean }
  /** What is to be kept; `undefined`: nothing. */
  | { readonly type: "keep"; readonly record: FirmwareUpdateRecord | undefined };

const never = Number.POSITIVE_INFINITY;

/** Times are those of the Central System. @spec OCPP 1.6 §4.5, §5.19 [FM-05, FM-06, FM-21 … FM-27] */
export class FirmwareUpdate implements Machine<FirmwareUpdateOutput> {
  #phase: Phase = "none";
  #url = "";
  #retrieveAt = never;
  #retryInterval: number | undefined;
  #attempts = new Attempts({});
  #file: string | undefined;
  #told: FirmwareStatus | undefined;
  /** Whether a transaction runs. */
  #isCharging = false;
  readonly #outputs: FirmwareUpdateOutput[] = [];

  get deadline(): number {
    return this.#phase === "waiting" ? this.#retrieveAt : never;
  }

  /** What a TriggerMessage is answered with: what was told last, and `Idle` where nothing is under way. [FM-06] */
  get status(): FirmwareStatus {
    return this.#phase === "none" || this.#told === undefined ? "Idle" : this.#told;
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
    this.#enter("downloading", "Downloading");
    this.#outputs.push({ type: "download", url: this.#url });
  }

  /** UpdateFirmware. Whoever asks has looked whether one is being installed. */
  requested({ location, retrieveDate, retries, retryInterval }: Req<"UpdateFirmware">, now: number): void {
    if (this.isInstalling) return;
    this.#cancel();
    this.#url = location;
    this.#retrieveAt = Date.parse(retrieveDate);
    this.#retryInterval = retryInterval;
    this.#attempts = new Attempts({ retries, retryInterval });
    this.#file = undefined;
    this.#told = undefined;
    this.#enter("waiting");
    this.advance(now);
  }

  /** How an attempt to fetch it has ended; `file` is what was fetched. */
  downloaded(file: string | undefined, now: number): void {
    if (this.#phase !== "downloading") return;
    if (file !== undefined) {
      this.#file = file;
      this.#enter("downloaded", "Downloaded");
      this.#outputs.push({ type: "outOfService", isOut: true });
      this.#installIfPossible();
      return;
    }
    const retryAt = this.#attempts.failed(now);
    if (retryAt === undefined) this.#end("DownloadFailed");
    else {
      this.#retrieveAt = retryAt;
      this.#enter("waiting");
    }
  }

  /** Whether a transaction runs. [FM-25] */
  charging(isCharging: boolean): void {
    this.#isCharging = isCharging;
    this.#installIfPossible();
  }

  /** How the installation has ended; `restart`: that is known only afterwards. */
  installed(outcome: "installed" | "failed" | "restart"): void {
    if (this.#phase !== "installing") return;
    if (outcome === "restart") {
      this.#enter("restarting");
      this.#outputs.push({ type: "restart" });
    } else this.#end(outcome === "installed" ? "Installed" : "InstallationFailed");
  }

  /**
   * Goes on after a restart or a power cut.
   *
   * @param isInstalled - What has come of an installation that was under way.
   */
  restored(record: FirmwareUpdateRecord, isInstalled: boolean, now: number): void {
    const { file, phase, retriesLeft, retrieveAt, retryInterval, told, url } = record;
    this.#url = url;
    this.#retrieveAt = retrieveAt;
    this.#retryInterval = retryInterval;
    this.#attempts = new Attempts({ retries: retriesLeft, retryInterval });
    this.#file = file;
    this.#told = told;
    this.#phase = phase;
    if (this.isInstalling) this.#end(isInstalled ? "Installed" : "InstallationFailed");
    else if (phase === "downloaded") {
      this.#outputs.push({ type: "outOfService", isOut: true });
      this.#installIfPossible();
    } else {
      // What was being fetched is fetched anew; that is no attempt that has failed.
      this.#phase = "waiting";
      this.advance(now);
    }
  }

  #installIfPossible(): void {
    if (this.#phase !== "downloaded" || this.#isCharging || this.#file === undefined) return;
    this.#enter("installing", "Installing");
    this.#outputs.push({ type: "install", file: this.#file });
  }

  #cancel(): void {
    if (this.#phase === "downloading") this.#outputs.push({ type: "abort" });
    if (this.#phase !== "none" && this.#told !== undefined) this.#end("DownloadFailed");
  }

  #enter(phase: Exclude<Phase, "none">, status?: FirmwareStatus): void {
    this.#phase = phase;
    if (status !== undefined) this.#tell(status);
    this.#outputs.push({ type: "keep", record: this.#record(phase) });
  }

  #end(status: "DownloadFailed" | "InstallationFailed" | "Installed"): void {
    this.#phase = "none";
    this.#tell(status);
    this.#outputs.push({ type: "outOfService", isOut: false }, { type: "keep", record: undefined });
  }

  #tell(status: FirmwareStatus): void {
    if (this.#told === status) return; // It is fetched again: that was told.
    this.#told = status;
    this.#outputs.push({ type: "status", status });
  }

  #record(phase: Exclude<Phase, "none">): FirmwareUpdateRecord {
    return {
      url: this.#url,
      retrieveAt: this.#retrieveAt,
      retriesLeft: this.#attempts.left,
      phase,
      ...(this.#retryInterval !== undefined && { retryInterval: this.#retryInterval }),
      ...(this.#file !== undefined && { file: this.#file }),
      ...(this.#told !== undefined && { told: this.#told }),
    };
  }
}
