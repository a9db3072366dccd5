import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type Clock, systemClock } from "../src/index.ts";

describe("systemClock", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("setImmediate", undefined); // As in browsers.
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  test("tells the time in milliseconds since the epoch", () => {
    vi.useRealTimers();
    expect(Math.abs(systemClock.now() - Date.now())).toBeLessThan(1000);
  });

  test("does not jump when the wall clock is set, as a charger's is at its first contact", () => {
    vi.useRealTimers();
    const before = systemClock.now();
    vi.spyOn(Date, "now").mockReturnValue(Date.UTC(2040, 0, 1));
    expect(systemClock.now() - before).toBeLessThan(1000);
    expect(systemClock.wallNow?.()).toBe(Date.UTC(2040, 0, 1));
    vi.restoreAllMocks();
  });

  test("wakes its caller, and does not when told not to", () => {
    const wake = vi.fn();
    systemClock.wakeAt(systemClock.now() + 1000, wake);
    systemClock.wakeAt(systemClock.now() + 1000, () => expect.unreachable())();
    vi.advanceTimersByTime(998);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(2);
    expect(wake).toHaveBeenCalledOnce();
  });

  test("wakes early, not at once, for a time that is further away than timers reach", () => {
    const wake = vi.fn();
    systemClock.wakeAt(systemClock.now() + 2 ** 32, wake);
    vi.advanceTimersByTime(2 ** 31 - 2);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledOnce();
  });

  test("wakes soon for a time that has passed", () => {
    const wake = vi.fn();
    systemClock.wakeAt(0, wake);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(0);
    expect(wake).toHaveBeenCalledOnce();
  });
});

describe("systemClock where the runtime has immediates", () => {
  const readable: (() => void)[] = [];
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("setImmediate", (callback: () => void) => readable.push(callback));
    vi.stubGlobal("clearImmediate", (immediate: number) => readable.splice(immediate - 1, 1));
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.useRealTimers();
  });

  test("wakes its caller when what is readable has been read, and does not when told not to meanwhile", () => {
    const wake = vi.fn();
    systemClock.wakeAt(systemClock.now() + 1000, wake);
    const disarm = systemClock.wakeAt(systemClock.now() + 1000, () => expect.unreachable());
    vi.advanceTimersByTime(1001);
    expect(wake).not.toHaveBeenCalled();
    disarm();
    for (const callback of readable.splice(0)) callback();
    expect(wake).toHaveBeenCalledOnce();
  });
});

describe("systemClock where the runtime has no performance", () => {
  /** The clock as such a runtime makes it. */
  async function clockWithoutPerformance(): Promise<Clock> {
    vi.stubGlobal("performance", undefined); // To be put back afterwards.
    Reflect.deleteProperty(globalThis, "performance");
    vi.resetModules();
    return (await import("../src/clock.ts")).systemClock;
  }
  const now = Date.UTC(2026, 0, 1);
  beforeEach(() => {
    vi.useFakeTimers({ now, toFake: ["Date", "setTimeout", "clearTimeout"] });
    vi.stubGlobal("setImmediate", undefined);
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.resetModules();
  });

  test("tells the time of the wall clock", async () => {
    const clock = await clockWithoutPerformance();
    expect(clock.now()).toBe(now);
    vi.advanceTimersByTime(1000);
    expect(clock.now()).toBe(now + 1000);
  });

  test("wakes its caller at the time, and does not when told not to", async () => {
    const clock = await clockWithoutPerformance();
    const wake = vi.fn();
    clock.wakeAt(now + 1000, wake);
    clock.wakeAt(now + 1000, () => expect.unreachable())();
    vi.advanceTimersByTime(999);
    expect(wake).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(wake).toHaveBeenCalledOnce();
  });
});
