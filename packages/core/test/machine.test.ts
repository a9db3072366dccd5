import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { drive, type Machine } from "../src/index.ts";

/** Says "tick" at its deadline, and repeats what it is told. */
class Ticker implements Machine<string> {
  readonly outputs: string[] = [];
  readonly advanced: number[] = [];
  deadline = Number.POSITIVE_INFINITY;
  say(word: string): void {
    this.outputs.push(word);
  }
  poll(): string | undefined {
    return this.outputs.shift();
  }
  advance(now: number): void {
    this.advanced.push(now);
    if (now < this.deadline) return;
    this.deadline = Number.POSITIVE_INFINITY;
    this.outputs.push("tick");
  }
}

describe("drive", () => {
  test("performs outputs in order, those of inputs made meanwhile after the rest", () => {
    const machine = new Ticker();
    const performed: string[] = [];
    const run = drive(machine, new FakeClock(), (word) => {
      performed.push(word);
      if (word !== "a") return;
      machine.say("c");
      run();
      expect(performed).toEqual(["a"]);
    });
    machine.say("a");
    machine.say("b");
    run();
    expect(performed).toEqual(["a", "b", "c"]);
  });

  test("wakes the machine at its deadline, not before, and arms one timer only", async () => {
    const clock = new FakeClock({ now: 0 });
    const machine = new Ticker();
    const performed: string[] = [];
    const run = drive(machine, clock, (word) => performed.push(word));
    machine.deadline = 100;
    run();
    run();
    expect(clock.pending).toBe(1);
    await clock.advance(99);
    expect(performed).toEqual([]);
    await clock.advance(1);
    expect(performed).toEqual(["tick"]);
    expect(clock.pending).toBe(0);
  });

  test("moves the timer when the deadline moves, and stops it when there is none", async () => {
    const clock = new FakeClock({ now: 0 });
    const machine = new Ticker();
    const run = drive(machine, clock, () => {});
    machine.deadline = 100;
    run();
    machine.deadline = 50;
    run();
    await clock.advance(50);
    expect(machine.advanced).toEqual([50]);
    machine.deadline = 200;
    run();
    machine.deadline = Number.POSITIVE_INFINITY;
    run();
    expect(clock.pending).toBe(0);
  });

  test("arms again when a timer came early", async () => {
    let wake = (): void => {};
    const machine = new Ticker();
    machine.deadline = 100;
    const armed: number[] = [];
    const run = drive(
      machine,
      {
        now: () => 60,
        wakeAt(time, callback) {
          armed.push(time);
          wake = callback;
          return () => {};
        },
      },
      () => {},
    );
    run();
    wake();
    expect(machine.advanced).toEqual([60]);
    expect(armed).toEqual([100, 100]);
  });
});
