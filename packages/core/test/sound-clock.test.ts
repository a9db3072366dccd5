import { FakeClock } from "@ocppj/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Clock, soundClock, systemClock } from "../src/index.ts";
import { hour, minute, second } from "./charge-point/vocabulary.ts";

const began = Date.UTC(2026, 0, 1);

/** A clock whose methods a test replaces, and a sound one made of it, with what was told of it. */
function clocks(methods: Partial<Clock> = {}) {
  const clock = { now: () => began, wakeAt: () => () => {}, ...methods };
  const faults: unknown[] = [];
  const jumped = vi.fn();
  return { clock, faults, jumped, sound: soundClock(clock, { fault: (error) => faults.push(error), jumped }) };
}

const throws = (): never => {
  throw new Error("The clock is broken.");
};

describe("soundClock, the time", () => {
  const runtime = vi.spyOn(systemClock, "now");
  let runtimeNow = 0;
  beforeEach(() => void runtime.mockImplementation(() => runtimeNow));
  afterEach(() => void runtime.mockReset());

  test("is that of the clock", () => {
    const { clock, sound } = clocks();
    expect(sound.now()).toBe(began);
    clock.now = () => began + hour;
    expect(sound.now()).toBe(began + hour);
  });

  test("does not run backwards, and goes on from where it was, as often as the clock is set back", () => {
    const { clock, sound, faults } = clocks();
    for (const [now, shown] of [
      [began + hour, began + hour],
      [began, began + hour],
      [began + minute, began + hour + minute],
      [began - hour, began + hour + minute],
      [began, began + 2 * hour + minute],
    ] as const) {
      clock.now = () => now;
      expect(sound.now()).toBe(shown);
    }
    expect(faults).toEqual([]);
  });

  test.each<[string, () => number]>([
    ["throws", throws],
    ["says NaN", () => Number.NaN],
    ["says Infinity", () => Number.POSITIVE_INFINITY],
    ["says what is beyond all dates", () => 1e300],
    ["says a text", () => "2026-01-01" as never],
    ["says nothing", () => undefined as never],
  ])("passes as on the clock of the runtime while the clock %s, which is told once", (_, now) => {
    const { clock, sound, faults } = clocks();
    sound.now();
    clock.now = now;
    runtimeNow += minute;
    expect(sound.now()).toBe(began + minute);
    runtimeNow += minute;
    expect(sound.now()).toBe(began + 2 * minute);
    expect(faults).toHaveLength(1);
    clock.now = () => began + hour;
    expect(sound.now()).toBe(began + hour);
    clock.now = now;
    sound.now();
    expect(faults).toHaveLength(2);
  });

  test("is that of the runtime when the clock never worked", () => {
    const { sound } = clocks({ now: throws });
    expect(sound.now()).toBe(runtimeNow);
    runtimeNow += hour;
    expect(sound.now()).toBe(runtimeNow);
  });
});

describe("soundClock, waking", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test("wakes on the clock, also after that was set back", async () => {
    const fake = new FakeClock({ now: began });
    let setBackMs = 0;
    const sound = soundClock({
      now: () => fake.now() - setBackMs,
      wakeAt: (time, callback) => fake.wakeAt(time + setBackMs, callback),
    });
    sound.now();
    setBackMs = hour;
    const woken: number[] = [];
    sound.wakeAt(sound.now() + minute, () => woken.push(sound.now()));
    vi.useRealTimers();
    await fake.advance(minute - 1);
    expect(woken).toEqual([]);
    await fake.advance(1);
    expect(woken).toEqual([began + minute]);
  });

  test.each<[string, Clock["wakeAt"]]>([
    ["throws", throws],
    ["returns nothing", () => undefined as never],
    [
      "calls back before it returns",
      (_, callback) => {
        callback();
        return () => {};
      },
    ],
  ])("is done by the clock of the runtime when the clock %s, which is told", (_, wakeAt) => {
    const { sound, faults } = clocks({ wakeAt });
    const woken = vi.fn();
    sound.wakeAt(began + minute, woken);
    sound.wakeAt(began + minute, () => expect.unreachable())();
    expect(faults).toHaveLength(1);
    vi.advanceTimersByTime(minute - 2);
    expect(woken).not.toHaveBeenCalled();
    vi.advanceTimersByTime(4);
    expect(woken).toHaveBeenCalledOnce();
  });

  test("calls back once, and not after it was told not to, whatever the clock does", () => {
    const callbacks: (() => void)[] = [];
    const { sound } = clocks({
      wakeAt(_, callback) {
        callbacks.push(callback);
        return throws;
      },
    });
    const woken = vi.fn();
    sound.wakeAt(began + minute, woken);
    sound.wakeAt(began + minute, () => expect.unreachable())();
    for (const callback of [...callbacks, ...callbacks]) callback();
    expect(woken).toHaveBeenCalledOnce();
  });
});

describe("soundClock, compared with the wall clock", () => {
  const compared = () => {
    const fake = new FakeClock();
    const { sound, jumped } = clocks({ now: () => fake.now(), wallNow: () => fake.wallNow() });
    sound.now();
    return { fake, sound, jumped };
  };

  test("tells once, with the next time that is asked for, that the machine slept", async () => {
    const { fake, sound, jumped } = compared();
    fake.sleep(hour);
    expect(jumped).not.toHaveBeenCalled();
    sound.now();
    sound.now();
    await fake.advance(hour);
    sound.now();
    expect(jumped).toHaveBeenCalledOnce();
  });

  test.each([-hour, -5001, 5001, hour])("tells that somebody set the wall clock by %d ms", (ms) => {
    const { fake, sound, jumped } = compared();
    fake.setWallClock(fake.now() + ms);
    sound.now();
    expect(jumped).toHaveBeenCalledOnce();
  });

  test("says nothing of less than 5 s, but of what adds up to more", () => {
    const { fake, sound, jumped } = compared();
    for (let naps = 0; naps < 5; naps++) {
      fake.sleep(second);
      sound.now();
    }
    expect(jumped).not.toHaveBeenCalled();
    fake.sleep(second);
    sound.now();
    expect(jumped).toHaveBeenCalledOnce();
  });

  test.each<[string, (() => number) | undefined]>([
    ["is none", undefined],
    ["throws", throws],
    ["says NaN", () => Number.NaN],
  ])("says nothing where there %s", (_, wallNow) => {
    const { sound, jumped } = clocks(wallNow && { wallNow });
    sound.now();
    sound.now();
    expect(jumped).not.toHaveBeenCalled();
  });

  test("may ask for the time when it is told", () => {
    const fake = new FakeClock();
    const told: number[] = [];
    const sound: Clock = soundClock(fake, { jumped: () => told.push(sound.now()) });
    sound.now();
    fake.sleep(hour);
    sound.now();
    expect(told).toEqual([fake.now()]);
  });
});

test("soundClock makes nothing of a sound clock but where there is something to be told", () => {
  const { sound } = clocks();
  expect(soundClock(sound)).toBe(sound);
  expect(soundClock(sound, { jumped: () => {} })).not.toBe(sound);
});

describe("soundClock, with a wall clock that jumps each time it is read", () => {
  const jumping = () => {
    const fake = new FakeClock();
    let reads = 0;
    const wall = { jumps: true, reads: () => reads };
    const wallNow = (): number => {
      reads += 1;
      if (!wall.jumps) return fake.wallNow();
      return reads % 2 === 0 ? 1e12 : 2e12;
    };
    return { fake, wall, methods: { now: () => fake.now(), wallNow } };
  };

  test("tells of one jump at a time, also where whoever is told asks for the time", () => {
    const { methods } = jumping();
    let told = 0;
    let isTold = false;
    const sound: Clock = soundClock(
      { ...methods, wakeAt: () => () => {} },
      {
        jumped() {
          expect(isTold).toBe(false);
          isTold = true;
          sound.now();
          isTold = false;
          told += 1;
        },
      },
    );
    sound.now();
    sound.now();
    expect(told).toBe(1);
  });

  test("tells ten jumps and one fault, and does not ask it for an hour, again and again", async () => {
    const { fake, wall, methods } = jumping();
    const { sound, jumped, faults } = clocks(methods);
    for (let n = 0; n < 100; n++) sound.now();
    expect(jumped).toHaveBeenCalledTimes(10);
    expect(faults).toEqual([new TypeError("The wall clock jumps again and again.")]);
    const reads = wall.reads();
    await fake.advance(hour - 1);
    sound.now();
    expect(wall.reads()).toBe(reads);
    for (let hours = 0; hours < 3; hours++) {
      await fake.advance(hour);
      for (let n = 0; n < 10; n++) sound.now();
    }
    expect(wall.reads()).toBe(reads + 6);
    expect(jumped).toHaveBeenCalledTimes(10);
    expect(faults).toHaveLength(1);
  });

  test("believes it again once it has not jumped for a minute", async () => {
    const { fake, wall, methods } = jumping();
    const { sound, jumped, faults } = clocks(methods);
    for (let n = 0; n < 100; n++) sound.now();
    wall.jumps = false;
    await fake.advance(2 * hour);
    sound.now();
    await fake.advance(minute + 1);
    sound.now();
    wall.jumps = true;
    for (let n = 0; n < 100; n++) sound.now();
    expect(jumped).toHaveBeenCalledTimes(20);
    expect(faults).toHaveLength(2);
  });

  test("believes jumps that are more than a minute apart, however many", async () => {
    const fake = new FakeClock();
    const { sound, jumped, faults } = clocks({ now: () => fake.now(), wallNow: () => fake.wallNow() });
    sound.now();
    for (let n = 0; n < 30; n++) {
      fake.sleep(hour);
      await fake.advance(minute + 1);
      sound.now();
    }
    expect(jumped).toHaveBeenCalledTimes(30);
    expect(faults).toEqual([]);
  });
});
