import assert from "node:assert/strict";
// #region machine
import { drive, type Machine } from "@ocppj/core";

/** Says "tick" every second, from when it is started. */
class Ticker implements Machine<"tick"> {
  deadline = Number.POSITIVE_INFINITY;
  #due = 0;

  start(now: number): void {
    this.deadline = now + 1000;
  }

  advance(now: number): void {
    for (; this.deadline <= now; this.deadline += 1000) this.#due += 1;
  }

  poll(): "tick" | undefined {
    if (this.#due === 0) return undefined;
    this.#due -= 1;
    return "tick";
  }
}

// #endregion

import { FakeClock } from "@ocppj/testing";

const clock = new FakeClock();
const heard: string[] = [];
const perform = (output: string): void => void heard.push(output);

// #region drive
const ticker = new Ticker();
const run = drive(ticker, clock, perform);

ticker.start(clock.now());
run(); // After every input: takes the outputs, and has itself woken at the deadline.
// #endregion

await clock.advance(3500);
assert.deepEqual(heard, ["tick", "tick", "tick"]);
