import { type AbortSignalLike, type Clock, soundClock } from "@ocppj/core";
import { Failure } from "./failure.ts";

/** How long a transfer may take. */
export interface TimeLimits {
  readonly clock: Clock;
  /** All of it. */
  readonly timeoutMs: number;
  /** Without a byte. */
  readonly idleTimeoutMs: number;
}

/**
 * Ends a transfer when its time is over or its signal aborts, whatever server and libraries do.
 *
 * Theory of operation: the transfer runs in a race against `stopped`. What it opens it also tells here, and all of that is
 * closed when the race is over, whoever has won.
 */
export class Watch {
  readonly #clock: Clock;
  readonly #limits: TimeLimits;
  readonly #signal: AbortSignalLike;
  readonly #open = new Set<() => void>();
  readonly #stopped: Promise<never>;
  #stop: (error: unknown) => void = () => {};
  #disarm = (): void => {};
  #activeAt: number;
  readonly #endsAt: number;
  #isOver = false;

  constructor(limits: TimeLimits, signal: AbortSignalLike) {
    this.#limits = limits;
    this.#clock = soundClock(limits.clock);
    this.#signal = signal;
    this.#activeAt = this.#clock.now();
    this.#endsAt = this.#activeAt + limits.timeoutMs;
    this.#stopped = new Promise((_, reject) => {
      this.#stop = reject;
    });
    this.#stopped.catch(() => {});
  }

  /** Whether nothing is to be begun any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Something has come, or gone. */
  active(): void {
    this.#activeAt = this.#clock.now();
  }

  /** Has something closed when the transfer ends, or at once when it has. */
  closes(close: () => void): void {
    if (this.#isOver) close();
    else this.#open.add(close);
  }

  /** What the transfer ends with. @throws Failure, when its time is over; the reason of the signal. */
  async run<T>(transfer: () => Promise<T>): Promise<T> {
    const abort = (): void => this.#stop(this.#signal.reason);
    if (this.#signal.aborted) throw this.#signal.reason;
    this.#signal.addEventListener("abort", abort);
    this.#arm();
    try {
      return await Promise.race([transfer(), this.#stopped]);
    } finally {
      this.#disarm();
      this.#signal.removeEventListener("abort", abort);
      this.#isOver = true;
      for (const close of this.#open) close();
      this.#open.clear();
    }
  }

  #arm(): void {
    const { idleTimeoutMs, timeoutMs } = this.#limits;
    const idleAt = this.#activeAt + idleTimeoutMs;
    this.#disarm = this.#clock.wakeAt(Math.min(idleAt, this.#endsAt), () => {
      const now = this.#clock.now();
      if (now >= this.#endsAt) this.#stop(new Failure(`it took longer than ${timeoutMs} ms`));
      else if (now >= this.#activeAt + idleTimeoutMs) this.#stop(new Failure(`nothing moved for ${idleTimeoutMs} ms`));
      else this.#arm();
    });
  }
}
