import { type Clock, isMonotonic, systemClock } from "./clock.ts";
import { isMoment } from "./date-time.ts";
import { atOnce } from "./guarded.ts";

/** How far `now` and the wall clock may move apart unnoticed, in milliseconds. */
const unnoticedMs = 5000;

/** How many jumps are told, as long as none is a minute after the one before. */
const mostJumps = 10;
const minuteMs = 60_000;

/** How long a wall clock that jumps again and again is not asked, in milliseconds. */
const restMs = 3_600_000;

/** Hears what is found out about a clock. */
export interface ClockListener {
  /** A method of it threw, or made no sense. Told once, until that method works again. */
  readonly fault?: (error: unknown) => void;
  /** The machine slept, or somebody set the wall clock: told by the first `now` after that. */
  readonly jumped?: () => void;
}

/**
 * Makes a clock that can be relied on of one that cannot: of its owner's.
 *
 * - `now` never throws, is a moment that a date-time can name, and does not run backwards: after a step back it goes on
 *   from where it was. While the clock cannot be read, time passes as on the clock of the runtime.
 * - `wakeAt` never throws, and calls back once, never before it has returned or after it was told not to. What the clock
 *   refuses to arm, the clock of the runtime does. The callback may come early or late, as with every clock.
 *
 * - `jumped` is told while no other is, and a wall clock that jumps again and again is no clock: that is a `fault`, and it is
 *   not asked for an hour.
 *
 * A clock that just never calls back cannot be told from one whose time has not come.
 */
export function soundClock(clock: Clock, listener: ClockListener = {}): Clock {
  const isSound = clock instanceof SoundClock || (clock === systemClock && isMonotonic);
  return isSound && listener.jumped === undefined ? clock : new SoundClock(clock, listener);
}

class SoundClock implements Clock {
  readonly #clock: Clock;
  readonly #listener: ClockListener;
  /** The methods of the clock that have failed and not worked since. */
  readonly #failing = new Set<keyof Clock>();
  /** What was shown last, and when that was on the clock of the runtime. */
  #shown = Number.NEGATIVE_INFINITY;
  #shownAt = 0;
  /** What is added to what the clock says. */
  #aheadMs = 0;
  /** By how much the wall clock is ahead, as far as that was noticed. */
  #wallAheadMs: number | undefined;
  /** How many more jumps are believed. */
  #jumpsLeft = mostJumps;
  /** When the wall clock jumped last or was first asked, or, in the future, when it may be asked again. */
  #jumpedAt = Number.NEGATIVE_INFINITY;
  #tellingJump = false;

  constructor(clock: Clock, listener: ClockListener) {
    this.#clock = clock;
    this.#listener = listener;
  }

  now(): number {
    const now = this.#now();
    if (this.#listener.jumped === undefined || this.#tellingJump || !this.#hasJumped()) return now;
    this.#tellingJump = true;
    try {
      this.#listener.jumped();
    } finally {
      this.#tellingJump = false;
    }
    return this.#now(); // Not before what the listener was shown.
  }

  wakeAt(time: number, callback: () => void): () => void {
    let state: "arming" | "too early" | "armed" | "over" = "arming";
    const wake = (): void => {
      if (state === "arming") state = "too early";
      if (state !== "armed") return;
      state = "over";
      callback();
    };
    const disarm =
      this.#try("wakeAt", (clock) => {
        const disarm = atOnce("wakeAt", clock.wakeAt(time - this.#aheadMs, wake));
        if (state !== "arming") throw new TypeError("`wakeAt` of the clock called back before it returned.");
        if (typeof disarm !== "function") throw new TypeError("`wakeAt` of the clock returned no function.");
        return disarm;
      }) ?? systemClock.wakeAt(systemClock.now() + time - this.#now(), wake);
    state = "armed";
    return () => {
      state = "over";
      this.#try("wakeAt", () => atOnce("disarm", disarm() as unknown));
    };
  }

  /** NaN where there is none. */
  wallNow(): number {
    const now: unknown = this.#try("wallNow", (clock) => atOnce("wallNow", clock.wallNow?.()));
    return typeof now === "number" ? now : Number.NaN;
  }

  #now(): number {
    const runtime = systemClock.now();
    const read = this.#try("now", (clock) => {
      const now = atOnce("now", clock.now());
      if (isMoment(now)) return now;
      throw new TypeError(`The clock says ${now}, which is no time in milliseconds since the epoch.`);
    });
    if (read !== undefined) {
      this.#aheadMs = Math.max(this.#aheadMs, this.#shown - read);
      this.#shown = read + this.#aheadMs;
    } else if (Number.isFinite(this.#shown)) this.#shown += Math.max(0, runtime - this.#shownAt);
    else this.#shown = runtime;
    this.#shownAt = runtime;
    return this.#shown;
  }

  #hasJumped(): boolean {
    if (this.#shown < this.#jumpedAt) return false;
    const aheadMs = this.wallNow() - this.#shown;
    if (!Number.isFinite(aheadMs)) return false;
    if (this.#wallAheadMs === undefined) {
      this.#wallAheadMs = aheadMs;
      this.#jumpedAt = this.#shown;
    }
    if (Math.abs(aheadMs - this.#wallAheadMs) <= unnoticedMs) return false;
    this.#wallAheadMs = aheadMs;
    if (this.#shown - this.#jumpedAt > minuteMs) this.#jumpsLeft = mostJumps;
    this.#jumpedAt = this.#shown;
    this.#jumpsLeft -= 1;
    if (this.#jumpsLeft >= 0) return true;
    this.#wallAheadMs = undefined;
    this.#jumpedAt += restMs;
    // Told once: where it still jumps after the rest, nothing is left but another rest.
    if (this.#jumpsLeft === -1) this.#listener.fault?.(new TypeError("The wall clock jumps again and again."));
    return false;
  }

  #try<Result>(method: keyof Clock, act: (clock: Clock) => Result): Result | undefined {
    try {
      const result = act(this.#clock);
      this.#failing.delete(method);
      return result;
    } catch (error) {
      const told = this.#failing.has(method);
      this.#failing.add(method);
      if (!told) this.#listener.fault?.(error);
      return undefined;
    }
  }
}
