/*
 * Timestamps that are right on the wire although the clock that made them was not.
 *
 * Theory of operation. As long as the Central System has not told the time, or once the own clock seems to have jumped
 * since, the time is doubtful: an epoch begins. What is stamped then is marked with the epoch, in the store, too. It ends
 * when the Central System tells the time, and with it by how much the clock was wrong; that is written down once, and every
 * timestamp with the mark is corrected when it is read. So thousands of messages that wait cost nothing, and what was sent
 * before a power cut says the same after it.
 *
 * What nobody ever corrected, because the power failed first, stays as it is. So does what was sent, or it would not be
 * recognized when it is sent again; and nothing of its transaction is before what was sent uncorrected.
 */

import { dateTimeOf, isMoment } from "../date-time.ts";

/** That something was stamped by a clock that may be wrong. Times are in milliseconds since the epoch of Unix. */
export interface Mark {
  readonly epoch: number;
  /** What that clock showed when the epoch began, and then: what lies between is of that clock. */
  readonly since: number;
  readonly until: number;
  /** What is corrected is not before this: later times have been told of the same transaction. */
  readonly notBefore?: number;
}

/** A timestamp that we have made. */
export interface Stamped {
  readonly timestamp: string;
  /** Absent: the clock was right. */
  readonly mark?: Mark;
}

interface TimedReading {
  readonly timestamp: string;
}

/** Where payloads have timestamps. */
interface StampedPayload {
  readonly timestamp?: string;
  readonly meterValue?: readonly TimedReading[];
  readonly transactionData?: readonly TimedReading[];
}

/** Makes timestamps, and corrects those that a doubtful clock has made. */
export class Stamps {
  readonly #now: () => number;
  /** By epoch: how much too early its timestamps are, in milliseconds. */
  readonly #corrections = new Map<number, number>();
  /** The epoch that goes on; it gets its number when something is marked with it. */
  #doubt: { readonly since: number; epoch: number | undefined } | undefined;

  /** @param now - What the own clock shows, in milliseconds since the epoch of Unix. */
  constructor(now: () => number) {
    this.#now = now;
    this.doubted();
  }

  /** Takes what an earlier run knew of an epoch. */
  restored(epoch: number, correctionMs: number): void {
    this.#corrections.set(epoch, correctionMs);
  }

  /** Says that the clock may be wrong from now on. */
  doubted(): void {
    // As in the text of a timestamp, which has no fractions of a millisecond.
    this.#doubt ??= { since: Math.floor(this.#now()), epoch: undefined };
  }

  /**
   * Says that the clock is right from now on.
   *
   * @param correctionMs - By how much it was behind.
   * @returns The number of the epoch that has ended, if anything was marked with it.
   */
  trusted(correctionMs: number): number | undefined {
    const epoch = this.#doubt?.epoch;
    this.#doubt = undefined;
    if (epoch !== undefined) this.#corrections.set(epoch, correctionMs);
    return epoch;
  }

  /**
   * Stamps something now.
   *
   * @param number - What a new epoch is called: one that was never used before.
   * @param last - What was stamped last of the same transaction: time does not fall within one.
   * @param sent - What was sent of it while the time was doubtful.
   */
  stamp(number: number, last?: Stamped, sent = Number.NEGATIVE_INFINITY): Stamped {
    const now = this.#now();
    const notBefore = Math.max(this.#floorOf(last), sent);
    const mark = this.mark(number, notBefore);
    if (mark === undefined) return { timestamp: dateTimeOf(Math.max(now, notBefore)) };
    return { timestamp: dateTimeOf(now), mark };
  }

  /** The mark of what is stamped now; `undefined` while the clock is right. */
  mark(number: number, notBefore = Number.NEGATIVE_INFINITY): Mark | undefined {
    const doubt = this.#doubt;
    if (doubt === undefined) return undefined;
    doubt.epoch ??= number;
    const mark = { epoch: doubt.epoch, since: doubt.since, until: this.#now() };
    return notBefore === Number.NEGATIVE_INFINITY ? mark : { ...mark, notBefore };
  }

  /**
   * What a timestamp should have been. One that the clock of the mark did not show is somebody else's, and right.
   *
   * @param notBefore - What was sent of the same transaction.
   */
  read(timestamp: string, mark: Mark | undefined, notBefore = Number.NEGATIVE_INFINITY): string {
    if (mark === undefined || !isOf(mark, timestamp)) return timestamp;
    const correctionMs = this.#corrections.get(mark.epoch) ?? 0;
    const corrected = Math.max(Date.parse(timestamp) + correctionMs, mark.notBefore ?? notBefore, notBefore);
    // What a damaged record makes of it may be no time at all.
    return isMoment(corrected) ? dateTimeOf(corrected) : timestamp;
  }

  /** A payload with all its timestamps as they should have been; the one of the message itself only if it is `ours`. */
  readAll<R extends object>(req: R, mark: Mark | undefined, ours = true, notBefore?: number): R {
    return mark === undefined ? req : withTimestamps(req, ours, (each) => this.read(each, mark, notBefore));
  }

  /**
   * Says that a payload was sent.
   *
   * @param notBefore - As it was read.
   * @returns How it stays, and the latest of its timestamps of which nobody can say by how much they are wrong.
   */
  sent<R extends object>(
    req: R,
    mark: Mark,
    ours = true,
    notBefore?: number,
  ): { readonly req: R; readonly latest: number } {
    let latest = Number.NEGATIVE_INFINITY;
    const asSent = withTimestamps(req, ours, (each) => {
      const read = this.read(each, mark, notBefore);
      if (isOf(mark, each) && !this.#corrections.has(mark.epoch)) latest = Math.max(latest, Date.parse(read));
      return read;
    });
    return { req: asSent, latest };
  }

  /** Before which time nothing more of a transaction happens. */
  #floorOf(last: Stamped | undefined): number {
    if (last === undefined) return Number.NEGATIVE_INFINITY;
    const { timestamp, mark } = last;
    // Times of one epoch rise by themselves, and what they will be corrected to is not known yet.
    const goesOn = mark !== undefined && mark.epoch === this.#doubt?.epoch;
    return goesOn ? (mark.notBefore ?? Number.NEGATIVE_INFINITY) : Date.parse(this.read(timestamp, mark));
  }
}

/** A payload whose own timestamp is not before a time. */
export function notEarlier<R extends { readonly timestamp: string }>(req: R, notBefore = Number.NEGATIVE_INFINITY): R {
  return Date.parse(req.timestamp) >= notBefore ? req : { ...req, timestamp: dateTimeOf(notBefore) };
}

/** Whether the clock of a mark has shown a timestamp. */
function isOf({ since, until }: Mark, timestamp: string): boolean {
  const time = Date.parse(timestamp);
  return time >= since && time <= until;
}

/** A payload with other timestamps; the one of the message itself only if it is `ours`. */
function withTimestamps<R extends object>(req: R, ours: boolean, read: (timestamp: string) => string): R {
  const { timestamp, meterValue, transactionData } = req as StampedPayload;
  const readings = (list: readonly TimedReading[]): readonly TimedReading[] =>
    list.map((reading) => ({ ...reading, timestamp: read(reading.timestamp) }));
  return {
    ...req,
    ...(timestamp !== undefined && ours && { timestamp: read(timestamp) }),
    ...(meterValue !== undefined && { meterValue: readings(meterValue) }),
    ...(transactionData !== undefined && { transactionData: readings(transactionData) }),
  };
}
