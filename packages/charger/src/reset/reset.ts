/*
 * How a charger restarts because it was asked to.
 *
 * Theory of operation. First all that runs is stopped, so that it is written down. A Soft reset then waits until that is
 * delivered, not for ever; a Hard one does not. When the store has everything, the hardware restarts; if it does not, it is
 * told to again, as often as ResetRetries says. A second request changes nothing, but a Hard one ends the wait of a Soft one.
 */

import type { Machine } from "@ocppj/core";

export type ResetKind = "Soft" | "Hard";

export type ResetOutput =
  /** Stop what runs. */
  | { readonly type: "stopAll"; readonly reason: "SoftReset" | "HardReset" }
  /** Have the store keep everything, then say `saved`. */
  | { readonly type: "save" }
  /** Restart; say `rebooted` with how that has ended. */
  | { readonly type: "reboot"; readonly kind: ResetKind }
  /** It does not restart. */
  | { readonly type: "failed" };

export interface ResetOptions {
  /** How long a Soft reset waits for deliveries, in milliseconds. */
  readonly timeoutMs: number;
  /** ResetRetries. */
  readonly retries: () => number;
}

/** How long the store is waited for: longer than core does. */
const savingMs = 40_000;
/** Between two attempts. */
const retryMs = 10_000;
/** How long hardware that says it restarts may take. */
const restartingMs = 120_000;

const never = Number.POSITIVE_INFINITY;

/** @spec OCPP 1.6 §5.14 [CORE-RES-01 … CORE-RES-08] */
export class Reset implements Machine<ResetOutput> {
  readonly #options: ResetOptions;
  #phase: "none" | "delivering" | "saving" | "rebooting" | "waiting" = "none";
  #kind: ResetKind = "Soft";
  #failures = 0;
  #deadline = never;
  readonly #outputs: ResetOutput[] = [];

  constructor(options: ResetOptions) {
    this.#options = options;
  }

  get deadline(): number {
    return this.#deadline;
  }

  /** Whether it is under way. */
  get isUnderWay(): boolean {
    return this.#phase !== "none";
  }

  poll(): ResetOutput | undefined {
    return this.#outputs.shift();
  }

  advance(now: number): void {
    if (now < this.#deadline) return;
    this.#deadline = never;
    if (this.#phase === "delivering") this.#save(now);
    else if (this.#phase === "saving" || this.#phase === "waiting") this.#reboot();
    else if (this.#phase === "rebooting") this.rebooted(false, now); // It has not.
  }

  asked(kind: ResetKind, now: number): void {
    if (this.#phase === "none") {
      this.#kind = kind;
      this.#failures = 0;
      this.#phase = "delivering";
      this.#deadline = now + (kind === "Soft" ? this.#options.timeoutMs : 0);
      this.#outputs.push({ type: "stopAll", reason: kind === "Soft" ? "SoftReset" : "HardReset" });
    } else if (kind === "Hard") {
      this.#kind = kind;
      if (this.#phase === "delivering") this.#deadline = now;
    }
  }

  /** How many messages wait for the Central System. [CORE-RES-02] */
  delivered(waiting: number, now: number): void {
    if (this.#phase === "delivering" && waiting === 0) this.#save(now);
  }

  /** The store has everything, or will not have it. */
  saved(): void {
    if (this.#phase === "saving") this.#reboot();
  }

  /** Whether the hardware restarts. */
  rebooted(isDone: boolean, now: number): void {
    if (this.#phase !== "rebooting") return;
    if (isDone) {
      this.#deadline = now + restartingMs;
      return;
    }
    this.#failures += 1;
    this.#deadline = never;
    if (this.#failures <= this.#options.retries()) {
      this.#phase = "waiting"; // CORE-RES-07
      this.#deadline = now + retryMs;
    } else {
      this.#phase = "none";
      this.#outputs.push({ type: "failed" });
    }
  }

  #save(now: number): void {
    this.#phase = "saving";
    this.#deadline = now + savingMs;
    this.#outputs.push({ type: "save" });
  }

  #reboot(): void {
    this.#phase = "rebooting";
    this.#deadline = never;
    this.#outputs.push({ type: "reboot", kind: this.#kind });
  }
}
