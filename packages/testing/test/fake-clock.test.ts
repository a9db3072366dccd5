import { describe, expect, onTestFinished, test, vi } from "vitest";
import { FakeClock } from "../src/index.ts";

describe("FakeClock", () => {
  test("begins at the start of 2026, or when it is told", () => {
    expect(new Date(new FakeClock().now()).toISOString()).toBe("2026-01-01T00:00:00.000Z");
    expect(new FakeClock({ now: 0 }).now()).toBe(0);
    expect(() => new FakeClock({ now: Number.NaN })).toThrow(RangeError);
  });

  test("calls back at exactly the time asked for, and not a millisecond earlier", async () => {
    const clock = new FakeClock({ now: 1000 });
    const calls: number[] = [];
    clock.wakeAt(1500, () => calls.push(clock.now()));
    await clock.advance(499);
    expect([calls, clock.now()]).toEqual([[], 1499]);
    await clock.advance(100);
    expect([calls, clock.now()]).toEqual([[1500], 1599]);
  });

  test("never calls back before it is advanced, even for a time that has come", async () => {
    const clock = new FakeClock({ now: 1000 });
    const calls: string[] = [];
    clock.wakeAt(1000, () => calls.push("now"));
    clock.wakeAt(10, () => calls.push("past"));
    await new Promise((resolve) => setImmediate(resolve));
    expect(calls).toEqual([]);
    await clock.advance(0);
    expect([calls, clock.now()]).toEqual([["now", "past"], 1000]);
  });

  test("calls back in the order of time, and of arming at one time", async () => {
    const clock = new FakeClock({ now: 0 });
    const calls: string[] = [];
    clock.wakeAt(20, () => calls.push("20 a"));
    clock.wakeAt(10, () => calls.push("10 a"));
    clock.wakeAt(20, () => calls.push("20 b"));
    clock.wakeAt(10, () => {
      calls.push("10 b");
      clock.wakeAt(20, () => calls.push("20 c"));
      clock.wakeAt(15, () => calls.push("15"));
    });
    await clock.advanceTo(20);
    expect(calls).toEqual(["10 a", "10 b", "15", "20 a", "20 b", "20 c"]);
  });

  test("does not call back what was cancelled, be it at the same instant", async () => {
    const clock = new FakeClock({ now: 0 });
    const calls: string[] = [];
    const cancelFirst = clock.wakeAt(5, () => calls.push("first"));
    clock.wakeAt(5, () => cancelThird());
    const cancelThird = clock.wakeAt(5, () => calls.push("third"));
    cancelFirst();
    await clock.advance(10);
    expect(calls).toEqual([]);
  });

  test("counts the wake-ups that are armed", async () => {
    const clock = new FakeClock({ now: 0 });
    const cancel = clock.wakeAt(5, () => {});
    clock.wakeAt(6, () => {});
    expect(clock.pending).toBe(2);
    cancel();
    cancel();
    expect(clock.pending).toBe(1);
    await clock.advance(6);
    expect(clock.pending).toBe(0);
  });

  test("lets every promise continue before the first wake-up, between two, and after the last", async () => {
    const clock = new FakeClock({ now: 0 });
    const log: string[] = [];
    const manyTurns = async (name: string): Promise<void> => {
      for (let turn = 0; turn < 1000; turn++) await undefined;
      log.push(`${name} at ${clock.now()}`);
    };
    void manyTurns("input").then(() => clock.wakeAt(3, () => log.push("armed late")));
    clock.wakeAt(5, () => void manyTurns("first"));
    clock.wakeAt(5, () => void manyTurns("second"));
    await clock.advance(5);
    expect(log).toEqual(["input at 0", "armed late", "first at 5", "second at 5"]);
  });

  test.each([
    { runtime: "whose timers are replaced", replace: () => void vi.useFakeTimers(), Clock: async () => FakeClock },
    {
      runtime: "without setImmediate",
      replace() {
        vi.stubGlobal("setImmediate", undefined);
        vi.resetModules();
      },
      Clock: async () => (await import("../src/fake-clock.ts")).FakeClock,
    },
  ])("lets promises continue in a runtime $runtime", async ({ replace, Clock }) => {
    onTestFinished(() => {
      vi.useRealTimers();
      vi.unstubAllGlobals();
    });
    replace();
    const clock = new (await Clock())({ now: 0 });
    const log: number[] = [];
    const manyTurns = async (): Promise<void> => {
      for (let turn = 0; turn < 100; turn++) await undefined;
      log.push(clock.now());
    };
    clock.wakeAt(5, () => void manyTurns());
    clock.wakeAt(6, () => log.push(clock.now()));
    await clock.advance(10);
    expect(log).toEqual([5, 6]);
  });

  test("gives code that awaits its wake-ups the time it asked for", async () => {
    const clock = new FakeClock({ now: 0 });
    const times: number[] = [];
    const worker = async (): Promise<void> => {
      for (let round = 0; round < 3; round++) {
        await new Promise<void>((resolve) => void clock.wakeAt(clock.now() + 10, resolve));
        times.push(clock.now());
      }
    };
    void worker();
    await clock.advance(100);
    expect(times).toEqual([10, 20, 30]);
  });

  test("refuses to run backwards or to a time that is none", async () => {
    const clock = new FakeClock({ now: 1000 });
    await expect(clock.advance(-1)).rejects.toThrow(RangeError);
    await expect(clock.advanceTo(999)).rejects.toThrow("999 has passed");
    await expect(clock.advance(Number.POSITIVE_INFINITY)).rejects.toThrow(RangeError);
    await expect(clock.advanceTo(Number.NaN)).rejects.toThrow(RangeError);
    expect(() => clock.wakeAt(Number.NaN, () => {})).toThrow(RangeError);
    expect(clock.now()).toBe(1000);
  });

  test("refuses to advance twice at once, because the first call was not awaited", async () => {
    const clock = new FakeClock({ now: 0 });
    const first = clock.advance(10);
    await expect(clock.advance(10)).rejects.toThrow("Await the earlier call");
    await first;
    await clock.advance(1);
    expect(clock.now()).toBe(11);
  });

  test("rejects with what a callback throws, stays at that time, and goes on when it is advanced again", async () => {
    const clock = new FakeClock({ now: 0 });
    const calls: number[] = [];
    clock.wakeAt(5, () => {
      throw new Error("broken callback");
    });
    clock.wakeAt(5, () => calls.push(clock.now()));
    await expect(clock.advance(10)).rejects.toThrow("broken callback");
    expect([clock.now(), clock.pending, calls]).toEqual([5, 1, []]);
    await clock.advance(5);
    expect([clock.now(), clock.pending, calls]).toEqual([10, 0, [5]]);
  });

  test("gives up on a callback that arms itself at the same instant for ever, and bears one that moves on", async () => {
    const clock = new FakeClock({ now: 0 });
    let calls = 0;
    const again = (everyMs: number) => (): void => {
      calls += 1;
      clock.wakeAt(clock.now() + everyMs, again(everyMs));
    };
    clock.wakeAt(0, again(1));
    await clock.advance(10_100);
    expect(calls).toBe(10_101);
    clock.wakeAt(0, again(0));
    await expect(clock.advance(0)).rejects.toThrow("without time moving");
  });
});

describe("FakeClock, its wall clock", () => {
  test("shows the same time, until the machine sleeps: then it goes on, time stands still, and nothing wakes up", async () => {
    const clock = new FakeClock({ now: 1000 });
    const calls: number[] = [];
    clock.wakeAt(1500, () => calls.push(clock.wallNow()));
    await clock.advance(100);
    expect(clock.wallNow()).toBe(1100);
    clock.sleep(3_600_000);
    await clock.advance(0);
    expect([clock.now(), clock.wallNow(), calls]).toEqual([1100, 3_601_100, []]);
    await clock.advance(400);
    expect(calls).toEqual([3_601_500]);
    expect(() => clock.sleep(-1)).toThrow(RangeError);
    expect(() => clock.sleep(Number.NaN)).toThrow(RangeError);
  });

  test("shows what somebody sets it to, and time does not", async () => {
    const clock = new FakeClock({ now: 1000 });
    clock.setWallClock(5);
    await clock.advance(10);
    expect([clock.now(), clock.wallNow()]).toEqual([1010, 15]);
    expect(() => clock.setWallClock(Number.NaN)).toThrow(RangeError);
  });
});
