import type { Clock } from "../clock.ts";

/**
 * Tells what takes longer than it may. There is one timer for all that is under way, and it is not stopped when something
 * ends in time: nearly everything does, at once.
 */
export class TimeLimit<Thing> {
  readonly #clock: Clock;
  readonly #limitMs: number;
  readonly #overdue: (thing: Thing) => void;
  /** When each is overdue; who began first comes first. */
  readonly #due = new Map<Thing, number>();
  #disarm: (() => void) | undefined;

  /** @param overdue - Hears of each thing that has not ended within `limitMs` milliseconds, once. */
  constructor(clock: Clock, limitMs: number, overdue: (thing: Thing) => void) {
    this.#clock = clock;
    this.#limitMs = limitMs;
    this.#overdue = overdue;
  }

  /** How many are under way. */
  get count(): number {
    return this.#due.size;
  }

  began(thing: Thing): void {
    this.#due.set(thing, this.#clock.now() + this.#limitMs);
    this.#arm();
  }

  ended(thing: Thing): void {
    this.#due.delete(thing);
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#due.clear();
    this.#disarm?.();
  }

  #arm(): void {
    const [first] = this.#due.values();
    if (first === undefined || this.#disarm !== undefined) return;
    this.#disarm = this.#clock.wakeAt(first, () => this.#look());
  }

  #look(): void {
    this.#disarm = undefined;
    const now = this.#clock.now();
    for (const [thing, due] of this.#due) {
      if (due > now) break;
      this.#due.delete(thing);
      this.#overdue(thing);
    }
    this.#arm();
  }
}
