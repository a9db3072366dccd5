/** OCPP 1.6 is of 2015; what a clock shows before, and after this century, is what it shows when nobody has set it. */
const earliest = Date.UTC(2015, 0, 1);
const tooLate = Date.UTC(2101, 0, 1);

/** Whether a moment, in milliseconds since the epoch, is one that a Central System can mean. */
export const isTime = (time: number): boolean => time >= earliest && time < tooLate;

/**
 * The time of the Central System as a Charge Point knows it: its own clock, corrected at each BootNotification.conf and
 * Heartbeat.conf.
 *
 * Until the Central System has told the time once, it is the own clock, which may be off by decades; then it is set. From
 * there on it never runs backwards: when the Central System turns out to be behind, it runs at half speed until that is
 * made up.
 *
 * @spec OCPP 1.6 §4.2, §4.6 [CORE-BOOT-04, CORE-HB-05]
 */
export class CentralTime {
  #offsetMs = 0;
  #synchronized = false;
  /** When the Central System last told the time, on the own clock, and what was shown then. */
  #toldAt = 0;
  #shown = Number.NEGATIVE_INFINITY;

  /** Whether the Central System has told the time since the start. */
  get synchronized(): boolean {
    return this.#synchronized;
  }

  /** By how much the own clock is behind, in milliseconds; 0 until the Central System has told the time. */
  get offsetMs(): number {
    return this.#offsetMs;
  }

  /** The time at the moment that is `now` on the own clock; both in milliseconds since the epoch. */
  at(now: number): number {
    return Math.max(this.#shown + (now - this.#toldAt) / 2, now + this.#offsetMs);
  }

  /**
   * Adopts the time that the Central System told.
   *
   * @param currentTime - RFC 3339 text. What cannot be read, or is outside of 2015 to 2100, is no time and is ignored.
   * @param now - The present moment on the own clock.
   */
  adopt(currentTime: string, now: number): void {
    const time = Date.parse(currentTime);
    if (!isTime(time)) return;
    // What the own clock showed before it was set for the first time is no time to go on from.
    this.#shown = this.#synchronized ? this.at(now) : time;
    this.#toldAt = now;
    this.#offsetMs = time - now;
    this.#synchronized = true;
  }
}

/** What was stamped by a clock that was behind by `offsetMs`, as the right clock would have stamped it. */
export function laterBy<T extends { readonly timestamp?: string | undefined }>(offsetMs: number, stamped: T): T {
  const { timestamp } = stamped;
  if (timestamp === undefined) return stamped;
  return { ...stamped, timestamp: new Date(Date.parse(timestamp) + offsetMs).toISOString() };
}
