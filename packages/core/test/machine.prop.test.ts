import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Clock, drive, type Machine, soundClock } from "../src/index.ts";

const began = Date.UTC(2026, 0, 1);

/** Wants to be woken every `everyMs`, and says so each time. */
class Metronome implements Machine<number> {
  readonly #everyMs: number;
  readonly #outputs: number[] = [];
  readonly advanced: number[] = [];
  readonly beats: number[] = [];
  deadline: number;

  constructor(everyMs: number, now: number) {
    this.#everyMs = everyMs;
    this.deadline = now + everyMs;
  }

  poll(): number | undefined {
    return this.#outputs.shift();
  }

  advance(now: number): void {
    this.advanced.push(now);
    if (now < this.deadline) return;
    this.#outputs.push(now);
    this.beats.push(now);
    this.deadline = now + this.#everyMs;
  }
}

/** What a clock does when it is asked for the time. */
interface Reading {
  readonly passedMs?: number;
  readonly says?: unknown;
  readonly throws?: boolean;
}

const readings: fc.Arbitrary<Reading> = fc.oneof<fc.MaybeWeightedArbitrary<Reading>[]>(
  { weight: 6, arbitrary: fc.nat(3000).map((ms) => ({ passedMs: ms })) },
  { weight: 1, arbitrary: fc.integer({ min: -3_600_000, max: -1 }).map((ms) => ({ passedMs: ms })) },
  {
    weight: 1,
    arbitrary: fc.constantFrom({ says: Number.NaN }, { says: Infinity }, { says: "noon" }, { throws: true }),
  },
);

/** A clock that does anything at all when it is asked for the time; the wake-ups that it was asked for are kept. */
class WildClock implements Clock {
  readonly armed: { readonly time: number; readonly callback: () => void }[] = [];
  readonly #readings: readonly Reading[];
  readonly #throwsAtCancel: boolean;
  #asked = 0;
  #now = began;

  constructor(readings: readonly Reading[], throwsAtCancel: boolean) {
    this.#readings = readings;
    this.#throwsAtCancel = throwsAtCancel;
  }

  now(): number {
    const { passedMs, says, throws } = this.#readings[this.#asked++ % this.#readings.length] as Reading;
    if (throws) throw new Error("The clock is broken.");
    if (passedMs === undefined) return says as number;
    this.#now += passedMs;
    return this.#now;
  }

  wakeAt(time: number, callback: () => void): () => void {
    this.armed.push({ time, callback });
    return () => {
      if (this.#throwsAtCancel) throw new Error("The clock is broken.");
    };
  }
}

describe("drive, with whatever clock that was made sound", () => {
  test("throws nothing, gives the machine moments that rise, and keeps exactly one wake-up armed for its deadline", () => {
    fc.assert(
      fc.property(
        fc.array(readings, { minLength: 1 }),
        fc.boolean(),
        // Which of all the callbacks so far is called next: again, long after it was called off, or early.
        fc.array(fc.nat(), { maxLength: 60 }),
        fc.integer({ min: 1, max: 10_000 }),
        (readings, throwsAtCancel, calls, everyMs) => {
          const wild = new WildClock(readings, throwsAtCancel);
          const clock = soundClock(wild);
          const machine = new Metronome(everyMs, clock.now());
          const performed: number[] = [];
          const run = drive(machine, clock, (output) => performed.push(output));
          run();
          for (const call of calls) {
            const before = wild.armed.length;
            const advanced = machine.advanced.length;
            wild.armed[call % before]?.callback();
            const woken = machine.advanced.length - advanced;
            expect(woken, "how often the machine is woken by one call").toBeLessThanOrEqual(1);
            // What was called off, or has been called, wakes nobody; what wakes is armed anew.
            expect(wild.armed.length - before).toBe(woken);
            expect(Number.isFinite(machine.deadline)).toBe(true);
          }
          expect(machine.advanced).toEqual(machine.advanced.toSorted((a, b) => a - b));
          expect(machine.advanced.every((now) => Number.isFinite(now))).toBe(true);
          // The newest wake-up is the one that counts, whatever has been called before.
          const advanced = machine.advanced.length;
          wild.armed.at(-1)?.callback();
          expect(machine.advanced.length).toBe(advanced + 1);
          expect(performed).toEqual(machine.beats);
        },
      ),
    );
  });
});
