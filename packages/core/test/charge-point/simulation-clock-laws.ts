import { second } from "./simulation-schedule.ts";

/** Dates outside of these are no time that anybody means. */
const earliest = Date.UTC(2015, 0);
const latest = Date.UTC(2101, 0);

/** Up to here the clock makes up for a difference little by little; what is larger is set. */
const slewedMs = 10 * second;
/** Whether a difference close to that counts as large depends on how a clock rounds. */
const roundingMs = 50;

/**
 * What the clock of a Charge Point may show, from power on to power off: its Central System's time, as that told it last.
 *
 * Its first word is law. After that a small difference is made up for at half the speed of time, so that nothing runs
 * backwards; a large one is set at once, in both directions.
 */
export class ToldTime {
  #told: { readonly time: number; readonly at: number; readonly aheadMs: number } | undefined;
  #shown = Number.NEGATIVE_INFINITY;
  /** Since when nobody has told the time although there is reason to doubt it. */
  doubtedAt = Number.POSITIVE_INFINITY;
  /** How often there was a reason. */
  doubts = 0;
  /** How often the clock had to be set back. */
  setBack = 0;

  /** Whether the Central System has told the time. */
  get known(): boolean {
    return this.#told !== undefined;
  }

  /** Whether there is no reason to doubt what it has told. */
  get certain(): boolean {
    return this.known && this.doubtedAt === Number.POSITIVE_INFINITY;
  }

  /** The time at a moment, as far as it was told and is not in doubt; else NaN. Infinite: it is being told. */
  certainAt(moment: number): number {
    // Whoever stamps something inside of a listener that hears the answer does so before it is adopted, or after.
    if (moment === this.#told?.at) return Number.POSITIVE_INFINITY;
    return this.certain ? this.at(moment) : Number.NaN;
  }

  /** The time at a moment, as far as it was told. */
  at(moment: number): number {
    return this.#told === undefined ? Number.NaN : this.#told.time + moment - this.#told.at;
  }

  /** Says that the clocks have shown that they cannot be trusted: what is shown from here on counts when it was told again. */
  doubt(now: number): void {
    this.#shown = Number.NEGATIVE_INFINITY;
    this.doubts++;
    this.doubtedAt = Math.min(now, this.doubtedAt);
  }

  /**
   * Says that the Central System has told the time.
   *
   * @param currentTime - Whatever stood there.
   * @param shown - What the clock showed just before.
   */
  tell(currentTime: unknown, now: number, shown: number): void {
    const time = read(currentTime);
    if (Number.isNaN(time)) return;
    const aheadMs = shown - time;
    if (this.known && aheadMs > slewedMs - roundingMs) this.setBack++;
    const small = this.known && Math.abs(aheadMs) <= slewedMs + roundingMs;
    if (!small || Math.abs(aheadMs) >= slewedMs - roundingMs) this.#shown = Number.NEGATIVE_INFINITY;
    this.doubtedAt = Number.POSITIVE_INFINITY;
    this.#told = { time, at: now, aheadMs: small ? aheadMs : 0 };
  }

  /** What is wrong with what the clock shows. */
  wrong(now: number, shown: number): string | undefined {
    if (this.#told === undefined || now === this.#told.at || this.doubtedAt <= now) return undefined; // It will learn it.
    const backMs = this.#shown - shown;
    this.#shown = Math.max(shown, this.#shown);
    if (backMs > 0) return `Time ran backwards by ${backMs} ms.`;
    const aheadMs = shown - this.at(now);
    const leftMs = Math.max(0, Math.abs(this.#told.aheadMs) - (now - this.#told.at) / 2) + 1;
    if (Math.abs(aheadMs) <= leftMs) return undefined;
    return `The Charge Point's clock is ${aheadMs} ms ahead of what it was told.`;
  }
}

/** Reads a `currentTime`, leniently: without an offset it is UTC. NaN: it is no time. */
function read(currentTime: unknown): number {
  if (typeof currentTime !== "string") return Number.NaN;
  const time = Date.parse(/(Z|[+-]\d\d:?\d\d)$/i.test(currentTime) ? currentTime : `${currentTime}Z`);
  return time >= earliest && time < latest ? time : Number.NaN;
}
