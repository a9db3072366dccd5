import type { AbortSignalLike } from "./connection.ts";

/** A signal of our own, with which a CALL is taken back that may wait for its turn. */
export class Withdrawal implements AbortSignalLike {
  aborted = false;
  readonly reason = "withdrawn";
  readonly #listeners = new Set<() => void>();

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }

  withdraw(): void {
    if (this.aborted) return;
    this.aborted = true;
    for (const listener of this.#listeners) listener();
  }
}
