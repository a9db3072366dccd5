/*
 * When meters are read.
 *
 * Theory of operation. Samples of a transaction are due at its start plus multiples of the interval, and clock-aligned ones at
 * multiples of theirs from midnight, UTC. Each has a number, so that none is told twice and none drifts: not by when the last
 * was sent, not by a clock that is set. Of those that were missed, because the machine slept, the latest is told.
 */

import type { Machine } from "@ocppj/core";

export type MeterScheduleOutput =
  /** A sample of the transaction of a connector is due. */
  | { readonly type: "sample"; readonly connectorId: number }
  /** Clock-aligned values are due: of the time since `from`. */
  | { readonly type: "aligned"; readonly at: number; readonly from: number };

/** MeterValueSampleInterval and ClockAlignedDataInterval, in milliseconds; 0: none. */
export interface MeterIntervals {
  readonly sampleIntervalMs: number;
  readonly alignedIntervalMs: number;
}

const dayMs = 86_400_000;
const never = Number.POSITIVE_INFINITY;

/** All times are those of the Central System. @spec OCPP 1.6 §3.16 [CORE-MTR-02, CORE-MTR-03, CORE-MTR-05, CORE-MTR-07] */
export class MeterSchedule implements Machine<MeterScheduleOutput> {
  #sampleIntervalMs = 0;
  #alignedIntervalMs = 0;
  /** Of each connector with a transaction: when it started, and when its next sample is due. */
  readonly #transactions = new Map<number, { readonly startedAt: number; nextAt: number }>();
  #nextAligned = never;
  /** The last slot that was told: none is told again when the clock is set back. */
  #toldAligned = Number.NEGATIVE_INFINITY;
  readonly #outputs: MeterScheduleOutput[] = [];

  get deadline(): number {
    let first = this.#nextAligned;
    for (const { nextAt } of this.#transactions.values()) first = Math.min(first, nextAt);
    return first;
  }

  poll(): MeterScheduleOutput | undefined {
    return this.#outputs.shift();
  }

  configured({ alignedIntervalMs, sampleIntervalMs }: MeterIntervals, now: number): void {
    this.#sampleIntervalMs = sampleIntervalMs;
    this.#alignedIntervalMs = alignedIntervalMs;
    this.corrected(now);
  }

  /** The clock was set: what is due next is another. */
  corrected(now: number): void {
    for (const transaction of this.#transactions.values()) transaction.nextAt = this.#sampleAfter(transaction, now);
    this.#nextAligned = this.#alignedAfter(Math.max(now, this.#toldAligned));
    if (this.#nextAligned > now + 2 * this.#alignedIntervalMs) {
      // The clock was far ahead when the last one was told.
      this.#nextAligned = this.#alignedAfter(now);
    }
  }

  started(connectorId: number, startedAt: number, now: number): void {
    const transaction = { startedAt, nextAt: never };
    transaction.nextAt = this.#sampleAfter(transaction, now);
    this.#transactions.set(connectorId, transaction);
  }

  stopped(connectorId: number): void {
    this.#transactions.delete(connectorId);
  }

  advance(now: number): void {
    for (const [connectorId, transaction] of this.#transactions) {
      if (now < transaction.nextAt) continue;
      this.#outputs.push({ type: "sample", connectorId });
      transaction.nextAt = this.#sampleAfter(transaction, now);
    }
    if (now < this.#nextAligned) return;
    const at = this.#slotOf(now);
    this.#outputs.push({ type: "aligned", at, from: at - this.#alignedIntervalMs });
    this.#toldAligned = at;
    this.#nextAligned = this.#alignedAfter(now);
  }

  #sampleAfter({ startedAt }: { readonly startedAt: number }, now: number): number {
    const interval = this.#sampleIntervalMs;
    if (interval <= 0) return never;
    const passed = Math.max(0, Math.floor((now - startedAt) / interval));
    return startedAt + (passed + 1) * interval;
  }

  /** The beginning of the slice of the day that a moment is in. */
  #slotOf(now: number): number {
    const midnight = Math.floor(now / dayMs) * dayMs;
    return midnight + Math.floor((now - midnight) / this.#alignedIntervalMs) * this.#alignedIntervalMs;
  }

  #alignedAfter(now: number): number {
    if (this.#alignedIntervalMs <= 0) return never;
    const midnight = Math.floor(now / dayMs) * dayMs;
    return Math.min(this.#slotOf(now) + this.#alignedIntervalMs, midnight + dayMs);
  }
}
