import { guarded } from "./guarded.ts";

/** The part of the DOM's `AbortSignal` that is used. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason?: unknown;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** The `AbortSignal` of the program's own runtime, as the compiler knows it there: `fetch` takes no other. */
export type HostAbortSignal = typeof globalThis extends { AbortSignal: { prototype: infer Signal } }
  ? Signal
  : AbortSignalLike;

/** What aborts a {@link HostAbortSignal}. */
export interface HostAbortController {
  readonly signal: HostAbortSignal;
  abort(reason?: unknown): void;
}

/** Most runtimes have it. */
declare const AbortController: (new () => HostAbortController) | undefined;

/** Makes a signal that the runtime's own functions take; where it has none, one of our own. */
export function hostAbortController(): HostAbortController {
  if (typeof AbortController !== "undefined") return new AbortController();
  const signal = new OwnSignal();
  return { signal: signal as unknown as HostAbortSignal, abort: (reason) => signal.abort(reason) };
}

/** The reason to take back a CALL that waits for its turn and is made again later. */
export const postponed = "postponed";

/** A signal of our own, and what aborts it: not every runtime has `AbortController`. */
export class OwnSignal implements AbortSignalLike {
  aborted = false;
  reason: unknown;
  readonly #listeners = new Set<() => void>();

  addEventListener(_: "abort", listener: () => void): void {
    this.#listeners.add(listener);
  }

  removeEventListener(_: "abort", listener: () => void): void {
    this.#listeners.delete(listener);
  }

  /**
   * Aborts; once.
   *
   * @param failed - Hears what a listener throws; the others are called all the same.
   */
  abort(reason: unknown, failed: (error: unknown) => void = () => {}): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    for (const listener of [...this.#listeners]) guarded(listener, failed);
    this.#listeners.clear();
  }
}
