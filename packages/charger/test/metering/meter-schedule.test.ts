import { describe, expect, test } from "vitest";
import { outputsOf } from "../../../core/test/charge-point/vocabulary.ts";
import { MeterSchedule } from "../../src/metering/meter-schedule.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const day = 24 * hour;
const midnight = Date.UTC(2026, 0, 1);

/** A schedule that was configured at a moment. */
function scheduleOf(intervals: { sample?: number; aligned?: number }, now = midnight): MeterSchedule {
  const schedule = new MeterSchedule();
  configure(schedule, intervals, now);
  return schedule;
}

function configure(schedule: MeterSchedule, { sample = 0, aligned = 0 }, now: number): void {
  schedule.configured({ sampleIntervalMs: sample, alignedIntervalMs: aligned }, now);
}

/** What was put out at each of some moments. */
const toldAt = (schedule: MeterSchedule, ...moments: readonly number[]) =>
  moments.map((now) => {
    schedule.advance(now);
    return outputsOf(schedule);
  });

const sample = (at: number, connectorId = 1) => ({ type: "sample", connectorId, at });
const aligned = (at: number, from: number) => ({ type: "aligned", at, from });

describe("Samples of a transaction", () => {
  const start = midnight + 7;

  test("are due at its start plus multiples of the interval, however late each is taken [CORE-MTR-02] [TCK-C070]", () => {
    const schedule = scheduleOf({ sample: minute });
    schedule.started(1, start, start);
    expect(schedule.deadline).toBe(start + minute);
    expect(toldAt(schedule, start + minute - 1)).toEqual([[]]);
    expect(toldAt(schedule, start + minute + 900)).toEqual([[sample(start + minute)]]);
    expect(schedule.deadline).toBe(start + 2 * minute);
    expect(toldAt(schedule, start + 2 * minute, start + 2 * minute)).toEqual([[sample(start + 2 * minute)], []]);
  });

  test("are those of each transaction, with one deadline for all, until it stops [CORE-MTR-02]", () => {
    const schedule = scheduleOf({ sample: minute });
    schedule.started(1, start, start);
    schedule.started(2, start + second, start + second);
    expect(toldAt(schedule, start + minute + second)).toEqual([
      [sample(start + minute), sample(start + minute + second, 2)],
    ]);
    schedule.stopped(1);
    expect(schedule.deadline).toBe(start + 2 * minute + second);
    schedule.stopped(2);
    expect(schedule.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test("that were missed in a sleep are one, the latest [CORE-MTR-02]", () => {
    const schedule = scheduleOf({ sample: minute });
    schedule.started(1, start, start);
    expect(toldAt(schedule, start + 5 * minute + 10)).toEqual([[sample(start + 5 * minute)]]);
    expect(schedule.deadline).toBe(start + 6 * minute);
  });

  test("go on after a power cut where they were, without what was missed [CORE-MTR-02]", () => {
    const schedule = scheduleOf({ sample: minute });
    schedule.started(1, start, start + 90 * second);
    expect(schedule.deadline).toBe(start + 2 * minute);
  });

  test("are none before the start, nor at it [CORE-MTR-02]", () => {
    const schedule = scheduleOf({ sample: minute });
    schedule.started(1, start, start - 5 * minute);
    expect(schedule.deadline).toBe(start + minute);
  });

  test("are none with an interval of 0, and others as soon as that changes [CORE-MTR-03] [CFG-20]", () => {
    const schedule = scheduleOf({});
    schedule.started(1, start, start);
    expect(toldAt(schedule, start + hour)).toEqual([[]]);
    configure(schedule, { sample: 10 * minute }, start + hour);
    expect(schedule.deadline).toBe(start + hour + 10 * minute);
    configure(schedule, { sample: minute }, start + hour + 5 * second);
    expect(schedule.deadline).toBe(start + hour + minute);
    // What was due when the key changed is told.
    configure(schedule, {}, start + hour + minute);
    expect(outputsOf(schedule)).toEqual([sample(start + hour + minute)]);
    expect(schedule.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test("move with the start, when that was stamped by a clock that was wrong [CORE-MTR-02]", () => {
    const schedule = scheduleOf({ sample: minute }, 0);
    schedule.started(1, second, second);
    toldAt(schedule, second + minute);
    schedule.moved(1, start);
    schedule.corrected(start + minute + 5 * second);
    expect(toldAt(schedule, start + minute + 5 * second)).toEqual([[]]);
    expect(schedule.deadline).toBe(start + 2 * minute);
    // And back.
    schedule.moved(1, second);
    schedule.corrected(second + minute + 6 * second);
    expect(schedule.deadline).toBe(second + 2 * minute);
    schedule.moved(2, start);
  });

  test("are not told again when the clock is set back, unless it showed nonsense [CORE-MTR-02]", () => {
    const schedule = scheduleOf({ sample: minute });
    schedule.started(1, start, start);
    toldAt(schedule, start + 10 * minute);
    schedule.corrected(start + 3 * minute);
    expect(schedule.deadline).toBe(start + 11 * minute);
    schedule.corrected(start - 30 * day + 3 * second);
    expect(schedule.deadline).toBe(start - 30 * day + minute);
  });
});

describe("Clock-aligned values", () => {
  test("are due at multiples of the interval from midnight, without any transaction [CORE-MTR-05] [CFG-05] [TCK-C070]", () => {
    const schedule = scheduleOf({ aligned: 15 * minute }, midnight + 7 * minute);
    expect(schedule.deadline).toBe(midnight + 15 * minute);
    expect(toldAt(schedule, midnight + 15 * minute + 20, midnight + 30 * minute)).toEqual([
      [aligned(midnight + 15 * minute, midnight)],
      [aligned(midnight + 30 * minute, midnight + 15 * minute)],
    ]);
  });

  test("begin anew at midnight, where the interval does not divide the day [CORE-MTR-05] [CORE-MTR-07]", () => {
    const schedule = scheduleOf({ aligned: 7 * hour }, midnight + 20 * hour);
    expect(toldAt(schedule, midnight + 21 * hour, midnight + day, midnight + day + 7 * hour)).toEqual([
      [aligned(midnight + 21 * hour, midnight + 14 * hour)],
      [aligned(midnight + day, midnight + 21 * hour)],
      [aligned(midnight + day + 7 * hour, midnight + day)],
    ]);
    configure(schedule, { aligned: 3 * day }, midnight + day + 8 * hour);
    expect(toldAt(schedule, midnight + 2 * day)).toEqual([[aligned(midnight + 2 * day, midnight + day)]]);
  });

  test("that were missed are one, the latest: in a sleep, and when the clock is set forward [CORE-MTR-05]", () => {
    const schedule = scheduleOf({ aligned: minute });
    expect(toldAt(schedule, midnight + 5 * minute + 10)).toEqual([
      [aligned(midnight + 5 * minute, midnight + 4 * minute)],
    ]);
    // By 20 ms, over a slot.
    schedule.corrected(midnight + 6 * minute + 10);
    expect(toldAt(schedule, midnight + 6 * minute + 10)).toEqual([
      [aligned(midnight + 6 * minute, midnight + 5 * minute)],
    ]);
  });

  test("are not told again when the clock is set back, unless it showed nonsense [CORE-MTR-05]", () => {
    const schedule = scheduleOf({ aligned: minute });
    toldAt(schedule, midnight + 2 * hour);
    schedule.corrected(midnight + hour);
    expect(schedule.deadline).toBe(midnight + 2 * hour + minute);
    configure(schedule, { aligned: hour }, midnight + hour);
    expect(schedule.deadline).toBe(midnight + 3 * hour);
    schedule.corrected(midnight - 2 * day);
    expect(schedule.deadline).toBe(midnight - 2 * day + hour);
  });

  test("come before samples of the same moment, so that times do not fall [CORE-MTR-05]", () => {
    const schedule = scheduleOf({ aligned: minute, sample: minute });
    schedule.started(1, midnight, midnight);
    expect(toldAt(schedule, midnight + minute)).toEqual([
      [aligned(midnight + minute, midnight), sample(midnight + minute)],
    ]);
  });

  test("are none with an interval of 0 [CORE-MTR-05]", () => {
    const schedule = scheduleOf({});
    schedule.corrected(midnight);
    expect(toldAt(schedule, midnight + day)).toEqual([[]]);
    expect(schedule.deadline).toBe(Number.POSITIVE_INFINITY);
  });
});
