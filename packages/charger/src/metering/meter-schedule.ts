/*
 * When meters are read.
 *
 * Theory of operation. Samples of a transaction are due at its start plus multiples of the interval, and clock-aligned ones at
 * multiples of theirs from midnight, UTC: each is a row of slots. A row remembers up to where it has been told, so that no slot
 * is told twice, though the clock is set back, and the next one does not depend on when the last was told, so that none
 * drifts. Of slots that were missed, because the machine slept or the clock was set forward, the latest is told.
 *
 *   Inputs    configured          the intervals are others, and so are the slots from now on
 *             started, stopped    a transaction
 *             moved               it has started at another time than it seemed, because the clock was wrong
 *             corrected           the clock was set
 *   Outputs   aligned, sample     meters are to be read
 */

import type { Machine } from "@ocppj/core";

export type MeterScheduleOutput =
  /** A sample of the transaction of a connector is due: since `at`. */
  | { readonly type: "sample"; readonly connectorId: number; readonly at: number }
  /** Clock-aligned values are due, of all connectors and the main meter: those of `at`, and of the time since `from`. */
  | { readonly type: "aligned"; readonly at: number; readonly from: number };

/** MeterValueSampleInterval and ClockAlignedDataInterval, in milliseconds; 0: none. */
export interface MeterIntervals {
  readonly sampleIntervalMs: number;
  readonly alignedIntervalMs: number;
}

const dayMs = 86_400_000;
const never = Number.POSITIVE_INFINITY;

/** Slots of equal length from a start on, or from each midnight on. */
class Slots {
  /** `undefined`: each midnight. */
  #from: number | undefined;
  #lengthMs: number;
  /** Up to here slots have been told, or passed before there was anything to tell. */
  #told: number;
  next = never;

  constructor(from: number | undefined, lengthMs: number, told: number) {
    this.#from = from;
    this.#lengthMs = lengthMs;
    this.#told = told;
    this.#reckon();
  }

  /** The slot that is due, if one is. */
  take(now: number): number | undefined {
    if (now < this.next) return undefined;
    const at = this.lastAt(now);
    this.#told = at;
    this.#reckon();
    return at;
  }

  lengthened(lengthMs: number, now: number): void {
    this.#lengthMs = lengthMs;
    this.#told = Math.max(this.#told, now);
    this.#reckon();
  }

  /** What was told has moved, too. */
  moved(from: number): void {
    this.#told += from - (this.#from ?? from);
    this.#from = from;
    this.#reckon();
  }

  /** A clock that was more than a day ahead showed nonsense, and what was told by it is no slot of ours. */
  corrected(now: number): void {
    if (this.#told > now + dayMs) this.#told = now;
    this.#reckon();
  }

  /** The last slot that is not after a moment. */
  lastAt(moment: number): number {
    const from = this.#from ?? midnightBefore(moment);
    return from + Math.floor((moment - from) / this.#lengthMs) * this.#lengthMs;
  }

  #reckon(): void {
    // The last slot of a day is as long as is left of it.
    const end = this.#from === undefined ? midnightBefore(this.#told) + dayMs : never;
    this.next = this.#lengthMs > 0 ? Math.min(this.lastAt(this.#told) + this.#lengthMs, end) : never;
  }
}

const midnightBefore = (moment: number): number => Math.floor(moment / dayMs) * dayMs;

/**
 * All times are those of the Central System. A day is one of UTC.
 *
 * @spec OCPP 1.6 §3.16 [CORE-MTR-02, CORE-MTR-03, CORE-MTR-05, CORE-MTR-07]
 */
export class MeterSchedule implements Machine<MeterScheduleOutput> {
  #sampleIntervalMs = 0;
  readonly #aligned = new Slots(undefined, 0, Number.NEGATIVE_INFINITY);
  /** By connector. */
  readonly #transactions = new Map<number, Slots>();
  readonly #outputs: MeterScheduleOutput[] = [];

  get deadline(): number {
    let first = this.#aligned.next;
    for (const { next } of this.#transactions.values()) first = Math.min(first, next);
    return first;
  }

  poll(): MeterScheduleOutput | undefined {
    return this.#outputs.shift();
  }

  configured({ alignedIntervalMs, sampleIntervalMs }: MeterIntervals, now: number): void {
    this.advance(now); // What was due until now is.
    this.#sampleIntervalMs = sampleIntervalMs;
    this.#aligned.lengthened(alignedIntervalMs, now);
    for (const samples of this.#transactions.values()) samples.lengthened(sampleIntervalMs, now);
  }

  /** Of one that goes on after a power cut, what was missed meanwhile is not told. */
  started(connectorId: number, startedAt: number, now: number): void {
    const samples = new Slots(startedAt, this.#sampleIntervalMs, Math.max(startedAt, now));
    this.#transactions.set(connectorId, samples);
  }

  stopped(connectorId: number): void {
    this.#transactions.delete(connectorId);
  }

  /** To be told before {@link corrected}. */
  moved(connectorId: number, startedAt: number): void {
    this.#transactions.get(connectorId)?.moved(startedAt);
  }

  corrected(now: number): void {
    this.#aligned.corrected(now);
    for (const samples of this.#transactions.values()) samples.corrected(now);
  }

  advance(now: number): void {
    const at = this.#aligned.take(now);
    // What is told of a moment comes before samples, which are told of when they are taken.
    if (at !== undefined) this.#outputs.push({ type: "aligned", at, from: this.#aligned.lastAt(at - 1) });
    for (const [connectorId, samples] of this.#transactions) {
      const at = samples.take(now);
      if (at !== undefined) this.#outputs.push({ type: "sample", connectorId, at });
    }
  }
}
