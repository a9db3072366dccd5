/** In which time all that was spent has come back, in milliseconds. */
const windowMs = 600_000;

/** How many budgets are remembered, and how many of them of one address. */
export const mostRemembered = 50_000;
export const mostOfOneAddress = 1000;

/** How much of something is left. */
export interface Budget {
  isSpent(now: number): boolean;
  spend(now: number): void;
  /** Gives back what was spent at that time. */
  takeBack(spentAt: number): void;
}

/**
 * So much for each, in ten minutes; what was spent comes back evenly.
 *
 * Theory of operation. Where there is no room, something has to be forgotten, and who could choose what would have another
 * budget as often as he likes. So it is that of the same address of which least was spent, which gains him nothing; only
 * where there are too many addresses, all of the one that was heard of longest ago. Who has so many has as many budgets
 * anyway.
 */
export class Budgets {
  readonly #costMs: number;
  /** By address, latest last, and by name: when all that was spent will have come back. */
  readonly #wholeAt = new Map<string, Map<string, number>>();
  #size = 0;

  constructor(limit: number) {
    this.#costMs = windowMs / limit; // 0 without a limit.
  }

  /** That of a name at an address. */
  of(address: string, name: string): Budget {
    const wholeAt = (): number => this.#wholeAt.get(address)?.get(name) ?? Number.NEGATIVE_INFINITY;
    return {
      isSpent: (now) => this.#costMs > 0 && wholeAt() - now > windowMs - this.#costMs / 2,
      spend: (now) => this.#set(address, name, Math.max(now, wholeAt()) + this.#costMs),
      takeBack: (spentAt) => {
        const before = wholeAt() - this.#costMs;
        if (before > spentAt) this.#wholeAt.get(address)?.set(name, before);
        else this.#forget(address, name);
      },
    };
  }

  #set(address: string, name: string, wholeAt: number): void {
    if (this.#costMs === 0) return;
    const names = this.#wholeAt.get(address) ?? new Map<string, number>();
    if (!names.has(name)) {
      if (names.size >= mostOfOneAddress) this.#forget(address, leastIn(names));
      this.#size += 1;
    }
    names.set(name, wholeAt);
    this.#wholeAt.delete(address);
    this.#wholeAt.set(address, names);
    for (const [oldest, { size }] of this.#wholeAt) {
      if (this.#size <= mostRemembered) return;
      this.#wholeAt.delete(oldest);
      this.#size -= size;
    }
  }

  #forget(address: string, name: string): void {
    const names = this.#wholeAt.get(address);
    if (names?.delete(name)) this.#size -= 1;
    if (names?.size === 0) this.#wholeAt.delete(address);
  }
}

function leastIn(names: ReadonlyMap<string, number>): string {
  let [least, atLeast] = ["", Number.POSITIVE_INFINITY];
  for (const [name, wholeAt] of names) if (wholeAt < atLeast) [least, atLeast] = [name, wholeAt];
  return least;
}
