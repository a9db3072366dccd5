import type * as fc from "fast-check";
import { expect } from "vitest";
import type { Machine } from "../src/machine.ts";
import { outputsOf } from "./charge-point/vocabulary.ts";

/** A machine as `drive` runs it, in a time of its own, with the laws that are checked while it runs. */
export abstract class MachineBench<Output> {
  now = 0;

  protected abstract readonly machine: Machine<Output>;

  /** Performs an output, after checking that it may be. */
  protected abstract perform(output: Output): void;

  /** Checks what is true whenever nothing is left to be done at the present moment. */
  protected abstract check(): void;

  /** Performs the outputs and advances to the present, until neither is left. */
  settle(): void {
    for (let turns = 0; ; turns++) {
      expect(turns, "turns without time passing").toBeLessThan(5);
      for (const output of outputsOf(this.machine)) this.perform(output);
      if (this.now < this.machine.deadline) break;
      this.machine.advance(this.now);
    }
    this.check();
  }

  /** Lets time pass from deadline to deadline. */
  pass(ms: number): void {
    const end = this.now + ms;
    while (this.machine.deadline <= end) {
      this.now = Math.max(this.now, this.machine.deadline);
      this.settle();
    }
    this.now = end;
  }
}

type Command<Bench> = fc.Command<Record<string, never>, Bench>;

/** A command for `fc.commands`: an input of the machine on a bench, and what follows from it. The bench is the model, too. */
export const command = <Bench extends { settle(): void }>(
  name: string,
  run: (bench: Bench) => void,
): Command<Bench> => ({
  check: () => true,
  run: (_, bench) => {
    run(bench);
    bench.settle();
  },
  toString: () => name,
});
