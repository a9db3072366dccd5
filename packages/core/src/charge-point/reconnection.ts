/*
 * When a Charge Point opens its WebSocket, the first time and again, as a machine.
 *
 * Theory of operation. A Charge Point wants to be connected from `started` to `stopped`, each of which comes once. An
 * attempt that fails, or is not over in time, is followed by a wait and another attempt, and so is a connection that is
 * lost. The wait is random between the minimum and a bound that doubles with each failure in a row: when a Central System
 * comes back, its thousands of Charge Points do not come back in the same second. A connection that lasted a while ends the
 * row of failures; one that was opened and lost at once does not, for it shows a Central System in trouble. Who knows better
 * may end a wait early, but never so that attempts follow each other faster than with the shortest wait.
 *
 *   Inputs    started, opened, lost, stopped    what happened; `lost` is an attempt that failed or a connection's end
 *             hurried                           the network is back: wait no longer
 *   Outputs   connect {attempt}                 try now
 *             abort                             end the attempt that is under way: it took too long, or is not wanted
 *             fault {error}                     `random` failed
 *
 * Names and meaning of the options are those of OCPP 2.0.1, because 1.6 has none.
 *
 * Not handled here: why an attempt failed, the connection itself. Randomness is passed in; where it fails, the milliseconds
 * of the clock take its place, which are not the same in thousands of Charge Points either.
 */

import { atOnce } from "../guarded.ts";
import type { Machine } from "../machine.ts";
import { type OptionRules, optionRules } from "../options.ts";

export type ReconnectionState = "New" | "Waiting" | "Connecting" | "Open" | "Stopped";

/** What leads from state to state. */
export const reconnectionTransitions = {
  New: { started: "Waiting", stopped: "Stopped" },
  Waiting: { due: "Connecting", stopped: "Stopped" },
  Connecting: { opened: "Open", lost: "Waiting", stopped: "Stopped" },
  Open: { lost: "Waiting", stopped: "Stopped" },
  Stopped: {},
} as const satisfies Record<ReconnectionState, Partial<Record<ReconnectionEvent, ReconnectionState>>>;

type ReconnectionEvent = "started" | "due" | "opened" | "lost" | "stopped";

export type ReconnectionOutput =
  | {
      readonly type: "connect";
      /** 1 for the first attempt after the start or after a stable connection. */
      readonly attempt: number;
    }
  | { readonly type: "abort" }
  | { readonly type: "fault"; readonly error: unknown };

/** How long to wait between attempts to connect: the words are those of OCPP 2.0.1. */
export interface RetryBackOff {
  /** The shortest wait, in seconds; less than 0.1 counts as 0.1. Default 2. */
  readonly retryBackOffWaitMinimum?: number | undefined;
  /** How often the bound of the wait doubles, with each failure in a row. Default 8: up to 512 s. */
  readonly retryBackOffRepeatTimes?: number | undefined;
  /** What is added to the bound of the wait, in seconds. Default 2. */
  readonly retryBackOffRandomRange?: number | undefined;
}

const seconds = /* @__PURE__ */ optionRules.number("a number of seconds from 0 on", 0);

export const retryBackOffRules: OptionRules<RetryBackOff> = {
  retryBackOffWaitMinimum: seconds,
  retryBackOffRepeatTimes: /* @__PURE__ */ optionRules.whole(0),
  retryBackOffRandomRange: seconds,
};

/** Whatever the options say: who is refused at once must not do nothing but dial. */
const shortestWaitMs = 100;

/** How long a connection must last to end a row of failures. */
const stableMs = 30_000;
/** How long an attempt may take: longer than any time-out of its own, so that this ends only one that hangs. */
export const longestAttemptMs = 120_000;

/** Machine 3 of 4. @spec OCPP-J 1.6 §5.4; J errata 3.3 [J-031, J-033] */
export class Reconnection implements Machine<ReconnectionOutput> {
  readonly #outputs: ReconnectionOutput[] = [];
  readonly #minimumMs: number;
  readonly #rangeMs: number;
  readonly #repeatTimes: number;
  readonly #random: () => number;
  #state: ReconnectionState = "New";
  /** Since the start, or since the last stable connection. */
  #attempts = 0;
  /** In a row: attempts that failed and connections that ended, the end of a stable one being the first. */
  #losses = 0;
  #deadline = Number.POSITIVE_INFINITY;
  /** When the latest attempt began. */
  #attemptedAt = Number.NEGATIVE_INFINITY;
  #openedAt = Number.POSITIVE_INFINITY;

  /** @param random - Returns numbers from 0 up to 1. */
  constructor(backOff: RetryBackOff, random: () => number) {
    this.#minimumMs = Math.max(shortestWaitMs, 1000 * (backOff.retryBackOffWaitMinimum ?? 2));
    this.#rangeMs = 1000 * (backOff.retryBackOffRandomRange ?? 2);
    this.#repeatTimes = backOff.retryBackOffRepeatTimes ?? 8;
    this.#random = random;
  }

  get state(): ReconnectionState {
    return this.#state;
  }

  get deadline(): number {
    return this.#state === "Stopped" ? Number.POSITIVE_INFINITY : this.#deadline;
  }

  poll(): ReconnectionOutput | undefined {
    return this.#outputs.shift();
  }

  started(now: number): void {
    if (!this.#enter("started")) return;
    this.#deadline = now;
    this.advance(now);
  }

  /** Says that the attempt has succeeded. */
  opened(now: number): void {
    if (!this.#enter("opened")) return;
    this.#openedAt = now;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  /** Says that the attempt has failed, or that the connection has ended. */
  lost(now: number): void {
    if (!this.#enter("lost")) return;
    if (now - this.#openedAt >= stableMs) {
      this.#attempts = 0;
      this.#losses = 0;
    }
    this.#openedAt = Number.POSITIVE_INFINITY;
    this.#deadline = now + this.#waitMs(now);
    this.#losses++;
  }

  /** Says that the network is back: ends a wait, where there is one, but keeps the shortest since the latest attempt began. */
  hurried(now: number): void {
    if (this.#state !== "Waiting") return;
    this.#deadline = Math.min(this.#deadline, this.#attemptedAt + this.#minimumMs);
    this.advance(now);
  }

  /** Ends it for good. */
  stopped(): void {
    const isAttempting = this.#state === "Connecting";
    if (this.#enter("stopped") && isAttempting) this.#outputs.push({ type: "abort" });
  }

  advance(now: number): void {
    if (now < this.deadline) return;
    if (this.#state === "Connecting") {
      this.#outputs.push({ type: "abort" });
      this.lost(now);
    } else if (this.#enter("due")) {
      this.#attemptedAt = now;
      this.#deadline = now + longestAttemptMs;
      this.#outputs.push({ type: "connect", attempt: ++this.#attempts });
    }
  }

  /** Takes the step of the table, if there is one. */
  #enter(event: ReconnectionEvent): boolean {
    const next = (reconnectionTransitions[this.#state] as Partial<Record<string, ReconnectionState>>)[event];
    if (next === undefined) return false;
    this.#state = next;
    return true;
  }

  #waitMs(now: number): number {
    const boundMs = this.#minimumMs * 2 ** Math.min(this.#losses, this.#repeatTimes) + this.#rangeMs;
    return this.#minimumMs + this.#fraction(now) * (boundMs - this.#minimumMs);
  }

  #fraction(now: number): number {
    try {
      const fraction = atOnce("random", this.#random());
      if (typeof fraction === "number" && fraction >= 0 && fraction <= 1) return fraction;
      throw new RangeError(`random returned ${fraction}. Return numbers from 0 up to 1.`);
    } catch (error) {
      this.#outputs.push({ type: "fault", error });
      return (now % 1000) / 1000;
    }
  }
}
