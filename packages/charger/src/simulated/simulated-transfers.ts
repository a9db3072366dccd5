import { type AbortSignalLike, type Clock, type OptionRules, optionRules, systemClock, takeOptions } from "@ocppj/core";
import type { FileTransfers, UploadError } from "../files/file-transfers.ts";

/** Settings of {@link simulatedTransfers}. */
export interface SimulatedTransfersOptions {
  /** How long a file travels, and is verified, in seconds. Default 1. */
  readonly seconds?: number | undefined;
  /** Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

/** How transfers fail: they hang, the server refuses them, the line breaks, or the disk is full. */
export type FailingTransfer = "hangs" | "refused" | "breaks" | "disk full";

const rules: OptionRules<SimulatedTransfersOptions> = {
  seconds: optionRules.number("a number of seconds from 0 on", 0),
  clock: optionRules.clock,
};

class Simulation implements FileTransfers {
  readonly protocols = ["HTTPS", "FTPS", "HTTP", "FTP"] as const;
  /** What fails from now on. */
  readonly failing: { download?: FailingTransfer | undefined; upload?: FailingTransfer | undefined } = {};
  /** Whether signatures are those of the files. */
  signaturesHold = true;
  /** What was delivered, by its name. */
  readonly delivered: Map<string, string | Uint8Array> = new Map();
  readonly #clock: Clock;
  readonly #ms: number;

  constructor({ clock = systemClock, seconds = 1 }: SimulatedTransfersOptions) {
    this.#clock = clock;
    this.#ms = 1000 * seconds;
  }

  async download(url: string, { signal }: { readonly signal: AbortSignalLike }): Promise<string> {
    await this.#travel(this.failing.download, signal);
    return `simulated ${url}`;
  }

  async upload(
    _url: string,
    file: string | Uint8Array,
    { fileName, signal }: { readonly fileName: string; readonly signal: AbortSignalLike },
  ): Promise<void> {
    await this.#travel(this.failing.upload, signal);
    this.delivered.set(fileName, file);
  }

  async verify(): Promise<boolean> {
    await this.#pass();
    return this.signaturesHold;
  }

  async #travel(failing: FailingTransfer | undefined, signal: AbortSignalLike): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      signal.addEventListener("abort", () => reject(signal.reason));
      if (failing !== "hangs") void this.#pass().then(resolve);
    });
    if (failing !== undefined) throw Object.assign(new Error(failures[failing]), reasons[failing]);
  }

  #pass(): Promise<void> {
    return new Promise((resolve) => void this.#clock.wakeAt(this.#clock.now() + this.#ms, resolve));
  }
}

const failures: Readonly<Record<FailingTransfer, string>> = {
  hangs: "The simulated transfer has hung.",
  refused: "The simulated server refuses it.",
  breaks: "The simulated line is broken.",
  "disk full": "There is no room left on the simulated disk.",
};

const reasons: { readonly [How in FailingTransfer]?: Pick<UploadError, "reason"> | { readonly code: "ENOSPC" } } = {
  refused: { reason: "PermissionDenied" },
  "disk full": { code: "ENOSPC" },
};

/** Files that travel nowhere: downloads and uploads take their time, and fail as they are told to. */
export type SimulatedTransfers = Simulation;

/**
 * Makes transfers that are not there, see {@link SimulatedTransfers}.
 *
 * @throws TypeError One of the options is not what it may be, or there is no such option.
 */
export const simulatedTransfers = (options: SimulatedTransfersOptions = {}): SimulatedTransfers =>
  new Simulation(takeOptions("simulatedTransfers", options, rules));
