import type { Clock } from "../clock.ts";

/** Something that may take only so long. */
interface Limited {
  /** When it is overdue, in milliseconds since the epoch; `Infinity` while it is not under way. */
  readonly dueAt: number;
}

/**
 * Tells what takes longer than it may. There is one timer for all that is under way, and it is not stopped when something
 * ends in time: nearly everything does, at once.
 */
export class TimeLimit<Thing extends Limited> {
  readonly #clock: Clock;
  readonly #things: () => Iterable<Thing>;
  readonly #overdue: (thing: Thing) => void;
  #disarm: (() => void) | undefined;

  /**
   * @param things - All that may be under way.
   * @param overdue - Hears of each that is overdue; it is not under way after that.
   */
  constructor(clock: Clock, things: () => Iterable<Thing>, overdue: (thing: Thing) => void) {
    this.#clock = clock;
    this.#things = things;
    this.#overdue = overdue;
  }

  /** Says that something is under way. It is not overdue before what already was. */
  began({ dueAt }: Limited): void {
    if (this.#disarm === undefined) this.#arm(dueAt);
  }

  /** Says that nothing is under way any more. */
  stop(): void {
    this.#disarm?.();
  }

  #arm(time: number): void {
    this.#disarm = this.#clock.wakeAt(time, () => this.#look());
  }

  #look(): void {
    this.#disarm = undefined;
    const now = this.#clock.now();
    const things = [...this.#things()];
    const next = Math.min(...things.map(({ dueAt }) => (dueAt > now ? dueAt : Number.POSITIVE_INFINITY)));
    if (next !== Number.POSITIVE_INFINITY) this.#arm(next);
    for (const thing of things) {
      if (thing.dueAt <= now) this.#overdue(thing);
    }
  }
}
