import type { FakeClock } from "@ocppj/testing";
import { oops } from "./connection/misbehaviours.ts";

const property = "then";

/** What a function of the owner's may do instead of what it should: sooner or later than `misbehaviours`. */
export const deeds = {
  right: (right) => right(),
  throws: () => {
    throw oops;
  },
  rejects: () => Promise.reject(oops),
  hangs: () => new Promise(() => {}),
  "rejects later": (_, clock) => after(clock, 7000).then(() => Promise.reject(oops)),
  "answers twice": (right) => ({
    [property]: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => {
      resolve(right());
      resolve("again");
      reject(oops);
    },
  }),
} satisfies Deeds;

/** Such things, by what they are called. */
export type Deeds = Record<string, (right: () => unknown, clock: FakeClock) => unknown>;

/** Resolves so many milliseconds later. */
export function after(clock: FakeClock, ms: number): Promise<void> {
  return new Promise((resolve) => clock.wakeAt(clock.now() + ms, resolve));
}
