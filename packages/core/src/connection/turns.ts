/** How many times as many may wait as may be served at once. */
const waitingFactor = 10;

/** How many characters the CALLs that wait may have together: so many as one may have that is served. */
const mostCharacters = 2 ** 20;

/** What waits for its turn. */
interface Waiting {
  /** How many characters it has. */
  readonly length: number;
}

/**
 * Lets so many be served at once; others wait for their turn. A peer that does not wait for answers may send a hundred CALLs
 * in one go, which it should not: whoever refused them would refuse them for ever.
 *
 * @spec OCPP-J 1.6 §4.1.1 [J-065, J-100]
 */
export class Turns<Thing extends Waiting> {
  readonly #most: number;
  #served = 0;
  #waiting: Thing[] = [];
  #characters = 0;

  constructor(most: number) {
    this.#most = most;
  }

  /** Whether it is its turn at once; if not, it waits. */
  take(thing: Thing): boolean {
    if (this.#served < this.#most) {
      this.#served += 1;
      return true;
    }
    this.#waiting.push(thing);
    this.#characters += thing.length;
    return false;
  }

  /** Whether so many wait that their peer is given up. */
  get isOverrun(): boolean {
    return this.#waiting.length > waitingFactor * this.#most || this.#characters > mostCharacters;
  }

  /** Says that one of those that are served is not any more. @returns Whose turn it is now. */
  ended(): Thing | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) this.#served -= 1;
    else this.#characters -= next.length;
    return next;
  }
}
