import type { Clock } from "@ocppj/core";

/** The host functions that run something after the continuations of promises; the first is faster, but not everywhere. */
declare const setImmediate: ((callback: () => void) => unknown) | undefined;
declare const setTimeout: (callback: () => void, delayMs: number) => unknown;

/** Taken at import, before a test replaces the timers of the runtime. */
const immediate = typeof setImmediate === "undefined" ? undefined : setImmediate;
const timeout = setTimeout;

/** How many wake-ups may follow each other without time moving; more are taken for an endless loop. */
const mostWakeUpsAtOneInstant = 10_000;

/** How a {@link FakeClock} begins. */
export interface FakeClockOptions {
  /** What time it is at first, in milliseconds since the epoch. Default: the start of 2026, UTC. */
  readonly now?: number | undefined;
}

interface WakeUp {
  readonly time: number;
  readonly callback: () => void;
}

/**
 * A clock whose time moves only when a test says so.
 *
 * `advance` goes from wake-up to wake-up, each at exactly its time, and lets all promises that can continue do so before
 * the first one and after each: code that awaits behaves as if there were real time between two wake-ups. Nothing else
 * calls back, so a test reads as inputs, `await clock.advance(…)`, expectations.
 *
 * Its wall clock shows the same time until the machine sleeps or somebody sets it.
 */
export class FakeClock implements Clock {
  #now: number;
  #wallAheadMs = 0;
  #advancing = false;
  /** In the order of arming. */
  readonly #armed = new Set<WakeUp>();

  /** @throws RangeError `now` is not a finite number. */
  constructor(options: FakeClockOptions = {}) {
    this.#now = finite(options.now ?? Date.UTC(2026, 0, 1), "now");
  }

  now(): number {
    return this.#now;
  }

  wallNow(): number {
    return this.#now + this.#wallAheadMs;
  }

  /**
   * The machine sleeps for `ms` milliseconds: the wall clock goes on, time stands still, and nothing wakes up.
   *
   * @throws RangeError `ms` is negative or not finite.
   */
  sleep(ms: number): void {
    if (finite(ms, "ms") < 0) throw new RangeError(`Nobody sleeps for ${ms} milliseconds.`);
    this.#wallAheadMs += ms;
  }

  /**
   * Somebody sets the wall clock, in milliseconds since the epoch; time itself goes on as before.
   *
   * @throws RangeError `time` is not finite.
   */
  setWallClock(time: number): void {
    this.#wallAheadMs = finite(time, "time") - this.#now;
  }

  /** How many wake-ups are armed; 0 proves that a test has left nothing behind. */
  get pending(): number {
    return this.#armed.size;
  }

  /**
   * Calls `callback` once at `time`; when that has passed, at the present instant. Never before the next `advance`, or
   * the next step of the one under way.
   *
   * @throws RangeError `time` is not a number.
   */
  wakeAt(time: number, callback: () => void): () => void {
    if (Number.isNaN(time)) throw new RangeError("A wake-up needs a time in milliseconds since the epoch, not NaN.");
    const wakeUp = { time, callback };
    this.#armed.add(wakeUp);
    return () => void this.#armed.delete(wakeUp);
  }

  /**
   * Moves time forward by `ms` milliseconds and does everything that happens meanwhile; 0 does what is due now.
   *
   * Rejects with what a callback throws; time then stands at that wake-up, and the later ones remain armed.
   *
   * @throws RangeError `ms` is negative or not finite.
   * @throws Error An earlier `advance` is still under way: it was not awaited.
   * @throws Error 10 000 wake-ups followed each other at one instant: a callback re-arms itself for ever.
   */
  async advance(ms: number): Promise<void> {
    await this.advanceTo(this.#now + finite(ms, "ms"));
  }

  /**
   * Moves time forward to `time`, in milliseconds since the epoch. See {@link FakeClock.advance}.
   *
   * @throws RangeError `time` has passed or is not finite.
   */
  async advanceTo(time: number): Promise<void> {
    if (finite(time, "time") < this.#now) {
      throw new RangeError(`Time does not run backwards: it is ${this.#now}, and ${time} has passed.`);
    }
    if (this.#advancing)
      throw new Error("This clock is already advancing. Await the earlier call before the next one.");
    this.#advancing = true;
    try {
      await this.#runUntil(time);
      this.#now = time;
    } finally {
      this.#advancing = false;
    }
  }

  async #runUntil(end: number): Promise<void> {
    let atThisInstant = 0;
    await promisesContinued();
    for (let next = this.#takeFirst(end); next !== undefined; next = this.#takeFirst(end)) {
      if (next.time > this.#now) {
        this.#now = next.time;
        atThisInstant = 0;
      }
      atThisInstant += 1;
      if (atThisInstant > mostWakeUpsAtOneInstant) {
        throw new Error(
          `${mostWakeUpsAtOneInstant} wake-ups followed each other at ${this.#now} without time moving. ` +
            "Something arms a wake-up for a time that has come, again and again.",
        );
      }
      next.callback();
      await promisesContinued();
    }
  }

  /** The earliest wake-up until `end`, disarmed; of several at the same time, the one armed first. */
  #takeFirst(end: number): WakeUp | undefined {
    let first: WakeUp | undefined;
    for (const wakeUp of this.#armed) {
      // One for a time that has passed is for now, and those for now are called in the order of arming.
      if (first === undefined || this.#timeOf(wakeUp) < this.#timeOf(first)) first = wakeUp;
    }
    if (first === undefined || this.#timeOf(first) > end) return undefined;
    this.#armed.delete(first);
    return first;
  }

  #timeOf(wakeUp: WakeUp): number {
    return Math.max(wakeUp.time, this.#now);
  }
}

function promisesContinued(): Promise<void> {
  return new Promise((resolve) => {
    if (immediate === undefined) timeout(resolve, 0);
    else immediate(resolve);
  });
}

function finite(value: number, name: string): number {
  if (!Number.isFinite(value)) throw new RangeError(`${name} must be a finite number of milliseconds, not ${value}.`);
  return value;
}
