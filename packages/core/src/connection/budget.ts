/** So many each second, on average; after a pause, as many at once. */
export class Budget {
  readonly #intervalMs: number;
  /** When what was spent will be made up for. */
  #settledAt = Number.NEGATIVE_INFINITY;

  constructor(perSecond: number) {
    this.#intervalMs = 1000 / perSecond;
  }

  /** Takes one, in its turn. @returns From when on it may be used, in milliseconds since the epoch; `now` for at once. */
  spend(now: number): number {
    this.#settledAt = Math.max(this.#settledAt, now) + this.#intervalMs;
    // Of less than one each second, one at once.
    return Math.max(now, this.#settledAt - Math.max(1000, this.#intervalMs));
  }
}
