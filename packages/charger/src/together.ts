import type { Machine } from "@ocppj/core";

/** A machine, and who does what it says. */
interface Part {
  readonly machine: Machine<unknown>;
  readonly perform: (output: never) => void;
}

/** Several machines as one: with one deadline, so that a charger has one wake-up, however many connectors it has. */
export class Together implements Machine<() => void> {
  #parts: Part[] = [];

  /** @param perform - As in core's `drive`: it may give any of the machines further inputs; it must not throw. */
  add<Output>(machine: Machine<Output>, perform: (output: Output) => void): void {
    this.#parts.push({ machine, perform });
  }

  /** None of them says anything any more. */
  end(): void {
    this.#parts = [];
  }

  poll(): (() => void) | undefined {
    for (const { machine, perform } of this.#parts) {
      const output = machine.poll();
      if (output !== undefined) return () => perform(output as never);
    }
    return undefined;
  }

  get deadline(): number {
    return this.#parts.reduce((first, { machine }) => Math.min(first, machine.deadline), Number.POSITIVE_INFINITY);
  }

  advance(now: number): void {
    for (const { machine } of this.#parts) machine.advance(now);
  }
}

/** A machine whose times are those of another clock, for who runs it on the own one. */
export function onClock<Output>(machine: Machine<Output>, aheadMs: () => number): Machine<Output> {
  return {
    poll: () => machine.poll(),
    get deadline() {
      return machine.deadline - aheadMs();
    },
    advance: (now) => machine.advance(now + aheadMs()),
  };
}
