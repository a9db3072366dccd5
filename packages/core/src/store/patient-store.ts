import { type Clock, systemClock } from "../clock.ts";
import { inTime } from "../in-time.ts";
import type { RecordStore } from "./record-store.ts";

/** How long a store is waited for, in milliseconds. */
export const storePatienceMs = 30_000;

/** What is said of a store that does not answer. */
export const hangs = (): Error =>
  new Error(
    `The store has not answered for ${storePatienceMs / 1000} s. What it does not take, a power cut would lose.`,
  );

/**
 * What an operation ends with; rejects when it has not ended after half a minute, and never throws at once.
 *
 * @throws Error It {@link hangs}.
 */
export const patiently = <Result>(clock: Clock, operation: () => Promise<Result>): Promise<Result> =>
  inTime(clock, storePatienceMs, operation, hangs);

/**
 * A store as those need it who wait for it: every operation ends, after half a minute at the latest, and none throws at
 * once. What an operation that was given up brings about later does not matter.
 */
export function patient(store: RecordStore, clock: Clock = systemClock): RecordStore {
  return {
    load: (prefix) => patiently(clock, () => store.load(prefix)),
    put: (key, value) => patiently(clock, () => store.put(key, value)),
    delete: (key) => patiently(clock, () => store.delete(key)),
    close: () => patiently(clock, () => store.close()),
  };
}
