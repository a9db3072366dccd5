/** How often something is tried, and with what wait between, where the Central System does not say. */
const defaultRetries = 2;
const defaultIntervalSeconds = 60;
/** More than this nobody waits for. */
const mostRetries = 100;
const longestIntervalSeconds = 86_400;

/** What the Central System asks for. */
export interface Retries {
  readonly retries?: number | undefined;
  /** In seconds. */
  readonly retryInterval?: number | undefined;
}

/** Counts attempts. `retries` are those after the first. [errata 3.50] */
export class Attempts {
  #left: number;
  readonly #intervalMs: number;

  constructor({ retries = defaultRetries, retryInterval = defaultIntervalSeconds }: Retries) {
    this.#left = Math.min(mostRetries, Math.max(0, retries));
    this.#intervalMs = 1000 * Math.min(longestIntervalSeconds, Math.max(0, retryInterval));
  }

  /** How many are left; for the time after a power cut. */
  get left(): number {
    return this.#left;
  }

  /** When it is tried again; `undefined`: it is given up. */
  failed(now: number): number | undefined {
    if (this.#left === 0) return undefined;
    this.#left -= 1;
    return now + this.#intervalMs;
  }
}
