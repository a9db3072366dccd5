import type { Clock } from "./clock.ts";

/**
 * Protocol logic without I/O: it is told what happened and what time it is, and it never asks.
 *
 * Inputs are methods of the machine; after each of them its outputs are taken with `poll`, until there are none.
 */
export interface Machine<Output> {
  /** Takes the next thing to do, in order; `undefined` when there is nothing left to do. */
  poll(): Output | undefined;
  /** When `advance` must be called next, in milliseconds since the epoch; `Infinity` for never. */
  readonly deadline: number;
  /** Says that it is now `now` (milliseconds since the epoch). Calling early is harmless. */
  advance(now: number): void;
}

/**
 * Runs a machine: performs its outputs in order, and wakes it at its deadline.
 *
 * @param perform - Does what an output says. It may give the machine further inputs, whose outputs follow; it must not
 * throw.
 * @returns The function to call after every input.
 */
export function drive<Output>(machine: Machine<Output>, clock: Clock, perform: (output: Output) => void): () => void {
  let running = false;
  let wakesAt = Number.POSITIVE_INFINITY;
  let cancel = (): void => {};

  function run(): void {
    if (running) return; // Called from inside `perform`: the loop below takes the new outputs in their turn.
    running = true;
    try {
      for (let output = machine.poll(); output !== undefined; output = machine.poll()) perform(output);
    } finally {
      running = false;
      arm();
    }
  }

  function arm(): void {
    if (machine.deadline === wakesAt) return;
    cancel();
    wakesAt = machine.deadline;
    cancel = wakesAt === Number.POSITIVE_INFINITY ? () => {} : clock.wakeAt(wakesAt, wake);
  }

  function wake(): void {
    wakesAt = Number.POSITIVE_INFINITY;
    machine.advance(clock.now());
    run();
  }

  return run;
}
