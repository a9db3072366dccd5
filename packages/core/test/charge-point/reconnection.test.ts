import { describe, expect, test } from "vitest";
import { Reconnection, type ReconnectionState, type RetryBackOff } from "../../src/charge-point/reconnection.ts";
import { day, outputsOf, second } from "./vocabulary.ts";

/** With the shortest wait every time, unless a test says otherwise. */
const reconnectionWith = (backOff: RetryBackOff = {}, random = 0): Reconnection =>
  new Reconnection(backOff, () => random);

const expectAttempt = (reconnection: Reconnection, attempt: number): void =>
  expect(outputsOf(reconnection)).toEqual([{ type: "connect", attempt }]);

const expectQuiet = (reconnection: Reconnection): void => expect(outputsOf(reconnection)).toEqual([]);

/** Started at 0, the first attempt under way. */
function connecting(backOff?: RetryBackOff, random?: number): Reconnection {
  const reconnection = reconnectionWith(backOff, random);
  reconnection.started(0);
  expectAttempt(reconnection, 1);
  return reconnection;
}

/** Fails attempts one after the other, and tells how long each made it wait. */
function waitsAfterFailures(reconnection: Reconnection, count: number): number[] {
  let now = 0;
  return Array.from({ length: count }, () => {
    reconnection.lost(now);
    const wait = reconnection.deadline - now;
    now = reconnection.deadline;
    reconnection.advance(now);
    return wait;
  });
}

describe("Reconnection, attempting", () => {
  test("tries at once when it is started, and not before [J-162]", () => {
    const reconnection = reconnectionWith();
    reconnection.advance(day);
    expectQuiet(reconnection);
    expect(reconnection.deadline).toBe(Number.POSITIVE_INFINITY);
    reconnection.started(7);
    expectAttempt(reconnection, 1);
  });

  test("tries the first connection again like every later one, after the wait and not before [J-031] [J-033] [J-162] [trap 19]", () => {
    const reconnection = connecting();
    reconnection.lost(10 * second);
    expectQuiet(reconnection);
    reconnection.advance(12 * second - 1);
    expectQuiet(reconnection);
    reconnection.advance(12 * second);
    expectAttempt(reconnection, 2);
    reconnection.opened(13 * second);
    reconnection.advance(14 * second);
    expectQuiet(reconnection);
    reconnection.lost(15 * second);
    reconnection.advance(17 * second);
    expectAttempt(reconnection, 3);
  });

  test("makes no second attempt while one is under way or the connection is open", () => {
    const reconnection = connecting();
    reconnection.started(1);
    reconnection.hurried(1);
    reconnection.advance(120 * second - 1);
    expectQuiet(reconnection);
    reconnection.opened(day);
    reconnection.hurried(day);
    reconnection.started(day);
    reconnection.advance(2 * day);
    expectQuiet(reconnection);
  });

  test("ends an attempt that is not over after two minutes, and makes another one after a wait [J-031] [J-033]", () => {
    const reconnection = connecting();
    expect(reconnection.deadline).toBe(120 * second);
    reconnection.advance(120 * second);
    expect(outputsOf(reconnection)).toEqual([{ type: "abort" }]);
    expect(reconnection.deadline).toBe(122 * second);
    reconnection.lost(121 * second);
    expect(reconnection.deadline).toBe(122 * second);
    reconnection.advance(122 * second);
    expectAttempt(reconnection, 2);
    reconnection.opened(123 * second);
    reconnection.advance(day);
    expectQuiet(reconnection);
  });

  test("ends an attempt that is under way when it is stopped", () => {
    const reconnection = connecting();
    reconnection.stopped();
    expect(outputsOf(reconnection)).toEqual([{ type: "abort" }]);
  });

  test("never gives up [J-031]", () => {
    const reconnection = connecting();
    waitsAfterFailures(reconnection, 1000);
    expect(outputsOf(reconnection).at(-1)).toEqual({ type: "connect", attempt: 1001 });
  });
});

describe("Reconnection, waiting", () => {
  test("waits at random between the minimum and a bound that doubles, and stops doubling [J-031] [J-033]", () => {
    const seconds = (waits: number[]): number[] => waits.map((wait) => wait / second);
    expect(seconds(waitsAfterFailures(connecting({}, 0), 11))).toEqual(Array(11).fill(2));
    expect(seconds(waitsAfterFailures(connecting({}, 0.5), 11))).toEqual([3, 4, 6, 10, 18, 34, 66, 130, 258, 258, 258]);
    expect(seconds(waitsAfterFailures(connecting({}, 1), 11))).toEqual([4, 6, 10, 18, 34, 66, 130, 258, 514, 514, 514]);
  });

  test("obeys the options, but never dials without pause [J-033]", () => {
    const backOff = { retryBackOffWaitMinimum: 5, retryBackOffRepeatTimes: 2, retryBackOffRandomRange: 1 };
    expect(waitsAfterFailures(connecting(backOff, 1), 4)).toEqual([6000, 11_000, 21_000, 21_000]);
    expect(waitsAfterFailures(connecting(backOff, 0), 4)).toEqual([5000, 5000, 5000, 5000]);
    const none = { retryBackOffWaitMinimum: 0, retryBackOffRepeatTimes: 0, retryBackOffRandomRange: 0 };
    expect(waitsAfterFailures(connecting(none, 1), 2)).toEqual([100, 100]);
    const little = { retryBackOffWaitMinimum: 0.01, retryBackOffRepeatTimes: 2, retryBackOffRandomRange: 0 };
    expect(waitsAfterFailures(connecting(little, 1), 4)).toEqual([100, 200, 400, 400]);
    expect(waitsAfterFailures(connecting(little, 0), 4)).toEqual([100, 100, 100, 100]);
  });

  test.each<[string, () => number]>([
    [
      "throws",
      () => {
        throw new Error("no entropy");
      },
    ],
    ["returns NaN", () => Number.NaN],
    ["returns -1", () => -1],
    ["returns 2", () => 2],
    ["returns nothing", () => undefined as never],
    ["returns a bigint", () => 0n as never],
    ["returns a symbol", () => Symbol("half") as never],
  ])("waits within its bounds, and tells, when random %s [J-033]", (_, random) => {
    const reconnection = new Reconnection({}, random);
    reconnection.started(0);
    outputsOf(reconnection);
    reconnection.lost(750);
    expect(reconnection.deadline).toBe(750 + 3500); // 2 to 4 s: the milliseconds of the clock decide.
    expect(outputsOf(reconnection)).toEqual([{ type: "fault", error: expect.any(Error) }]);
  });

  test("waits no longer when it is hurried, but never less than the shortest wait from one attempt to the next [J-033]", () => {
    const reconnection = connecting({}, 1);
    waitsAfterFailures(reconnection, 5);
    outputsOf(reconnection);
    const attemptedAt = reconnection.deadline - 120 * second;
    reconnection.lost(attemptedAt + 10 * second);
    reconnection.hurried(attemptedAt + 11 * second);
    expectAttempt(reconnection, 7);
    reconnection.lost(attemptedAt + 11 * second);
    reconnection.hurried(attemptedAt + 12 * second);
    expectQuiet(reconnection);
    expect(reconnection.deadline).toBe(attemptedAt + 13 * second);
    reconnection.hurried(attemptedAt + 13 * second);
    expectAttempt(reconnection, 8);
  });

  test("waits no longer than it would have when it is hurried", () => {
    const reconnection = connecting({ retryBackOffWaitMinimum: 2 });
    reconnection.opened(1 * second);
    reconnection.lost(day);
    reconnection.advance(day + 2 * second);
    expectAttempt(reconnection, 1);
    reconnection.lost(day + 2 * second);
    reconnection.hurried(day + 2 * second);
    expect(reconnection.deadline).toBe(day + 4 * second);
  });

  test("begins anew after a connection that lasted half a minute [J-033]", () => {
    const reconnection = connecting({}, 1);
    waitsAfterFailures(reconnection, 5);
    outputsOf(reconnection);
    reconnection.opened(1000 * second);
    reconnection.lost(1030 * second);
    expect(reconnection.deadline).toBe(1034 * second);
    reconnection.advance(1034 * second);
    expectAttempt(reconnection, 1);
    reconnection.lost(1034 * second);
    expect(reconnection.deadline).toBe(1040 * second);
  });

  test("takes a connection that was lost at once for one more failure [J-033]", () => {
    const reconnection = connecting({}, 1);
    waitsAfterFailures(reconnection, 5);
    outputsOf(reconnection);
    reconnection.opened(1000 * second);
    reconnection.lost(1030 * second - 1);
    expect(reconnection.deadline).toBe(1030 * second - 1 + 66 * second);
    reconnection.advance(2000 * second);
    expectAttempt(reconnection, 7);
  });

  test("does not take an attempt that failed slowly for a stable connection [J-033]", () => {
    const reconnection = connecting({}, 1);
    reconnection.opened(0);
    reconnection.lost(1 * second);
    reconnection.advance(day);
    reconnection.lost(day + 60 * second);
    expect(reconnection.deadline).toBe(day + 66 * second);
  });

  test("does not take an opening that nobody waits for into account [J-033]", () => {
    const reconnection = connecting({}, 1);
    reconnection.lost(0);
    reconnection.opened(0);
    reconnection.advance(60 * second);
    reconnection.lost(60 * second);
    expect(reconnection.deadline).toBe(66 * second);
  });
});

describe("Reconnection, stopping", () => {
  const inState: Record<ReconnectionState, () => Reconnection> = {
    New: reconnectionWith,
    Waiting() {
      const reconnection = connecting();
      reconnection.lost(0);
      return reconnection;
    },
    Connecting: connecting,
    Open() {
      const reconnection = connecting();
      reconnection.opened(0);
      return reconnection;
    },
    Stopped() {
      const reconnection = connecting();
      reconnection.stopped();
      outputsOf(reconnection);
      return reconnection;
    },
  };
  const inputs = ["started", "advance", "opened", "lost", "hurried", "stopped"] as const;
  const states = Object.keys(inState) as ReconnectionState[];

  test.each(states)("ends for good from %s, whatever is said afterwards [trap 19]", (state) => {
    const reconnection = inState[state]();
    reconnection.stopped();
    expect(outputsOf(reconnection)).toEqual(state === "Connecting" ? [{ type: "abort" }] : []);
    for (const say of ["started", "opened", "lost", "hurried", "stopped", "advance"] as const) {
      reconnection[say](day);
      expectQuiet(reconnection);
      expect(reconnection.state).toBe("Stopped");
      expect(reconnection.deadline).toBe(Number.POSITIVE_INFINITY);
    }
  });

  test.each<[ReconnectionState, Partial<Record<(typeof inputs)[number], string>>]>([
    ["New", { started: "Connecting", stopped: "Stopped" }],
    ["Waiting", { advance: "Connecting", hurried: "Connecting", stopped: "Stopped" }],
    ["Connecting", { opened: "Open", lost: "Waiting", advance: "Waiting", stopped: "Stopped" }],
    ["Open", { lost: "Waiting", stopped: "Stopped" }],
    ["Stopped", {}],
  ])("goes from %s only where %j leads", (state, next) => {
    expect(inState[state]().state).toBe(state);
    for (const say of inputs) {
      const reconnection = inState[state]();
      reconnection[say](day);
      expect(reconnection.state, say).toBe(next[say] ?? state);
    }
  });
});
