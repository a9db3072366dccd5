/** So many different reasons are no reasons: what is wanted, or what the Charge Point says, is another thing each time. */
const most = 100;

/** Why one Charge Point was reset, until nothing requires it any more. */
export class ResetReasons {
  readonly #reasons = new Set<string>();

  get isEmpty(): boolean {
    return this.#reasons.size === 0;
  }

  /** Whether there was a reset for each of these already, so that another one would change nothing. */
  areFutile(reasons: readonly string[]): boolean {
    return this.#reasons.size >= most || reasons.every((reason) => this.#reasons.has(reason));
  }

  add(reasons: readonly string[]): void {
    for (const reason of reasons) this.#reasons.add(reason);
  }

  /** Says that there was no reset for these after all. */
  withdraw(reasons: readonly string[]): void {
    for (const reason of reasons) this.#reasons.delete(reason);
  }

  /** Says that nothing requires a reset any more. */
  forget(): void {
    this.#reasons.clear();
  }
}
