import { dateTimeOf } from "../date-time.ts";

/** OCPP 1.6 is of 2015; what a clock shows before, and after this century, is what it shows when nobody has set it. */
const earliest = Date.UTC(2015, 0, 1);
const tooLate = Date.UTC(2101, 0, 1);

/** Whether a moment, in milliseconds since the epoch, is one that a Central System can mean. */
export const isTime = (time: number): boolean => time >= earliest && time < tooLate;

/** The largest step that is made little by little. Larger ones are no matter of lines and clocks that wander. */
const longestSlewMs = 10_000;

/**
 * The time of the Central System as a Charge Point knows it: its own clock, corrected at each BootNotification.conf and
 * Heartbeat.conf.
 *
 * Until the Central System has told the time once, it is the own clock, which may be off by decades; then it is set. From
 * there on small steps, up to 10 s, never make it run backwards: when the Central System turns out to be behind, it runs
 * at half speed until that is made up. Large steps are made at once, forwards and backwards. So right after it was told the
 * time it is off by 10 s at most.
 *
 * @spec OCPP 1.6 §4.2, §4.6 [CORE-BOOT-04, CORE-HB-05]
 */
export class CentralTime {
  /** By how much the own clock is behind. */
  #offsetMs = 0;
  #told = false;
  #trusted = false;
  #epoch = 0;
  /** When the Central System last told the time, on the own clock, and what was shown then. */
  #toldAt = 0;
  #shown = Number.NEGATIVE_INFINITY;

  /** Whether the Central System has told the time, and nothing since then suggests that the own clock is wrong. */
  get trusted(): boolean {
    return this.#trusted;
  }

  /** How often that was doubted. What was asked in an earlier epoch is no answer to what time it is now. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The time at the moment that is `now` on the own clock; both in milliseconds since the epoch. */
  at(now: number): number {
    return Math.max(this.#shown + (now - this.#toldAt) / 2, now + this.#offsetMs);
  }

  /** Says that the own clock may have stood still or jumped: the time is not to be trusted until it is told again. */
  doubt(): void {
    this.#trusted = false;
    this.#epoch++;
  }

  /**
   * Adopts the time that the Central System told.
   *
   * @param currentTime - RFC 3339 text. What cannot be read, or is outside of 2015 to 2100, is no time and is ignored.
   * @param now - The present moment on the own clock.
   * @returns By how much what was stamped while the time was not trusted has to be shifted to be right, in milliseconds; 0
   * if it was trusted; and by how much it was set at once, 0 if little by little. `undefined` if the time was ignored.
   */
  adopt(currentTime: string, now: number): { readonly correctionMs: number; readonly setMs: number } | undefined {
    const time = Date.parse(currentTime);
    if (!isTime(time)) return undefined;
    const shown = this.at(now);
    const stepMs = time - shown;
    const slewed = this.#told && Math.abs(stepMs) <= longestSlewMs;
    const correctionMs = slewed || this.#trusted ? 0 : stepMs;
    this.#shown = slewed ? shown : time;
    this.#toldAt = now;
    this.#offsetMs = time - now;
    this.#told = true;
    this.#trusted = true;
    return { correctionMs, setMs: slewed ? 0 : stepMs };
  }
}

/** What was stamped by a clock that was behind by `offsetMs`, as the right clock would have stamped it. */
export function laterBy<T extends { readonly timestamp?: string | undefined }>(offsetMs: number, stamped: T): T {
  const { timestamp } = stamped;
  const time = Date.parse(timestamp ?? "");
  return Number.isNaN(time) ? stamped : { ...stamped, timestamp: dateTimeOf(time + offsetMs) };
}
