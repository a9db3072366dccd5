import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, onTestFinished, test } from "vitest";
import { AskedHardware } from "../../src/hardware/asked-hardware.ts";
import type { Hardware, Offer } from "../../src/index.ts";

const second = 1000;
const offer: Offer = { A: 16, W: 11_040, phases: 3 };

/** What a method of the hardware may do. */
const deeds = {
  works: () => undefined,
  "works later": (clock) => new Promise<void>((resolve) => void clock.wakeAt(clock.now() + 3 * second, resolve)),
  throws: () => {
    throw new Error("It is broken.");
  },
  rejects: () => Promise.reject(new Error("It is broken.")),
  hangs: () => new Promise<void>(() => {}),
  "answers too late": (clock) => new Promise<void>((resolve) => void clock.wakeAt(clock.now() + 25 * second, resolve)),
  "rejects too late": (clock) =>
    new Promise<void>((_, reject) => void clock.wakeAt(clock.now() + 25 * second, () => reject(new Error("Late.")))),
} satisfies Record<string, (clock: FakeClock) => void | Promise<void>>;
type Deed = keyof typeof deeds;

class Bench {
  readonly clock = new FakeClock();
  readonly faults: string[] = [];
  /** By connector: whether it is broken. */
  readonly failed: string[] = [];
  readonly calls: string[] = [];
  deed: Deed = "works";
  unlocking: unknown = "Unlocked";
  readonly asked: AskedHardware;

  constructor(more: { readonly lock?: undefined; readonly unlock?: undefined } = {}) {
    const does = () => deeds[this.deed](this.clock);
    const hardware: Hardware = {
      connectors: [{ maximum: { limit: 32, unit: "A" } }],
      listen: () => does(),
      offer: (id, offered) => {
        this.calls.push(`${id} ${offered?.A ?? "-"}`);
        return does();
      },
      lock: () => does(),
      unlock: async () => {
        await does();
        return this.unlocking as "Unlocked";
      },
      reboot: () => does(),
    };
    this.asked = new AskedHardware(Object.assign(hardware, more), {
      clock: this.clock,
      timeoutMs: 10 * second,
      fault: (error) => this.faults.push((error as Error).message),
      failed: (id, error) => this.failed.push(`${id} ${error?.errorCode ?? "works"}`),
    });
  }

  /** What something ends with; time passes until it does. */
  async end<T>(promise: Promise<T>): Promise<T> {
    let ended = false;
    const end = promise.finally(() => {
      ended = true;
    });
    for (let waited = 0; !ended && waited < 60; waited++) await this.clock.advance(second);
    return end;
  }
}

describe("Hardware that is asked", () => {
  test.each([
    ["works", true, 0],
    ["works later", true, 0],
    ["throws", false, 1],
    ["rejects", false, 1],
    ["hangs", false, 1],
    ["answers too late", false, 1],
    ["rejects too late", false, 1],
  ] as const)("a method that %s: done is %s, and faults are told once", async (deed, isDone, faults) => {
    const bench = new Bench();
    bench.deed = deed;
    expect(await bench.end(bench.asked.lock(1))).toBe(isDone);
    expect(await bench.end(bench.asked.reboot("Soft"))).toBe(isDone);
    expect(await bench.end(bench.asked.unlock(1))).toBe(isDone ? "Unlocked" : "UnlockFailed");
    await bench.clock.advance(60 * second);
    expect(bench.faults).toHaveLength(3 * faults);
    expect(bench.clock.pending).toBe(0);
  });

  test("without locks nothing is held, and to unlock is not supported; nonsense is a failure [CORE-UNL-05]", async () => {
    const without = new Bench({ lock: undefined, unlock: undefined });
    expect(await without.end(without.asked.lock(1))).toBe(true);
    expect(await without.end(without.asked.unlock(1))).toBe("NotSupported");
    expect(without.asked.hasLocks).toBe(false);
    const bench = new Bench();
    bench.unlocking = "perhaps";
    expect(await bench.end(bench.asked.unlock(1))).toBe("UnlockFailed");
    expect(bench.faults).toEqual(["unlock answered perhaps. Answer Unlocked, UnlockFailed, NotSupported."]);
  });

  test("an offer that fails is followed by opening the contactor, again and again, and the connector is broken until then", async () => {
    const bench = new Bench();
    bench.deed = "throws";
    bench.asked.offer(1, offer);
    await bench.clock.advance(0);
    expect(bench.failed).toEqual(["1 PowerSwitchFailure"]);
    await bench.clock.advance(10 * second);
    expect(bench.calls[0]).toBe("1 16");
    expect(bench.calls.slice(1).every((call) => call === "1 -")).toBe(true);
    expect(bench.calls.length).toBeGreaterThan(3);
    bench.deed = "works";
    await bench.clock.advance(60 * second);
    expect(bench.failed).toEqual(["1 PowerSwitchFailure", "1 works"]);
    expect(bench.clock.pending).toBe(0);
  });

  test("to open waits for no call that hangs; of what is to be offered only the latest is", async () => {
    const bench = new Bench();
    bench.deed = "hangs";
    bench.asked.offer(1, offer);
    bench.asked.offer(1, { ...offer, A: 10 });
    bench.asked.offer(1, { ...offer, A: 8 });
    expect(bench.calls).toEqual(["1 16"]);
    bench.asked.offer(1, undefined);
    expect(bench.calls).toEqual(["1 16", "1 -"]);
    const slow = new Bench();
    slow.deed = "works later";
    for (const A of [16, 10, 8]) slow.asked.offer(1, { ...offer, A });
    await slow.clock.advance(10 * second);
    expect(slow.calls).toEqual(["1 16", "1 8"]);
  });

  test("whatever it does, it ends with what was wanted last once it works again, and nothing is left behind when it is closed", async () => {
    const unhandled: unknown[] = [];
    const keep = (error: unknown): void => void unhandled.push(error);
    process.on("unhandledRejection", keep);
    onTestFinished(() => void process.off("unhandledRejection", keep));
    const step = fc.oneof(
      fc.record({ deed: fc.constantFrom(...(Object.keys(deeds) as Deed[])) }),
      fc.record({ A: fc.constantFrom(0, 6, 16, 32) }),
      fc.record({ ms: fc.constantFrom(0, second, 12 * second, 40 * second) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 20 }), async (steps) => {
        const bench = new Bench();
        let wanted: number | undefined;
        for (const each of steps) {
          if ("deed" in each) bench.deed = each.deed;
          else if ("ms" in each) await bench.clock.advance(each.ms);
          else {
            wanted = each.A === 0 ? undefined : each.A;
            bench.asked.offer(1, wanted === undefined ? undefined : { ...offer, A: wanted });
          }
        }
        bench.deed = "works";
        await bench.clock.advance(120 * second);
        // What has failed is open until something else is wanted.
        expect([`1 ${wanted ?? "-"}`, "1 -", undefined]).toContain(bench.calls.at(-1));
        expect(bench.failed.length % 2, bench.failed.join()).toBe(0);
        if (bench.failed.length === 0 && wanted !== undefined) expect(bench.calls.at(-1)).toBe(`1 ${wanted}`);
        bench.asked.close();
        await bench.clock.advance(60 * second);
        expect(bench.calls.at(-1) ?? "1 -").toBe("1 -");
        expect(bench.clock.pending).toBe(0);
        expect(unhandled).toEqual([]);
      }),
      { numRuns: 200 },
    );
  });
});
