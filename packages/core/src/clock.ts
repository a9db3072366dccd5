/** The host functions that core needs of its runtime, declared here and nowhere else; every JavaScript runtime has them. */
declare const setTimeout: (callback: () => void, delayMs: number) => unknown;
declare const clearTimeout: (timer: unknown) => void;
/** Node, Bun and Deno have these. */
declare const setImmediate: ((callback: () => void) => unknown) | undefined;
declare const clearImmediate: (immediate: unknown) => void;
declare const performance: { now(): number } | undefined;

/** Tells the time and wakes its caller: the only way in which core knows of time. */
export interface Clock {
  /** The present moment in milliseconds since the epoch. Never runs backwards, even when the host's wall clock is set. */
  now(): number;
  /**
   * Calls `callback` once, at about `time`. What has arrived by then should be read first: after a stall of the event loop,
   * a peer that has answered long ago must not be given up because the time to answer is over.
   *
   * @param time - Milliseconds since the epoch, on this clock. The call may come late, and early when `time` is further
   * away than the runtime's timers reach (24 days).
   * @returns The function that prevents the call.
   */
  wakeAt(time: number, callback: () => void): () => void;
  /**
   * What the wall clock of the host shows, in milliseconds since the epoch. It may jump, and nothing waits on it: when it
   * and `now` move apart, the machine slept, or somebody has set it. Absent: neither is noticed.
   */
  wallNow?(): number;
}

/** The longest delay that `setTimeout` honours in browsers and Node; a longer one would fire at once. */
const longestDelayMs = 2 ** 31 - 1;

/** A charger's wall clock jumps when it is first set, often by decades; the monotonic clock of the runtime does not. */
const monotonic = typeof performance === "undefined" ? undefined : performance;
const startedAt = monotonic === undefined ? 0 : Date.now() - monotonic.now();

/** Whether the runtime's own clock can be relied on, which is the case wherever there is `performance`. */
export const isMonotonic = monotonic !== undefined;

/** The runtime's own clock. */
export const systemClock: Clock = {
  now: () => (monotonic === undefined ? Date.now() : startedAt + monotonic.now()),
  wakeAt(time, callback) {
    const delayMs = Math.max(0, Math.ceil(time - systemClock.now()));
    let cancel = (): void => clearTimeout(timer);
    const timer = setTimeout(
      () => {
        cancel = afterReading(() => {
          cancel = () => {}; // An immediate that is kept would keep all that came after it.
          callback();
        });
      },
      Math.min(delayMs, longestDelayMs),
    );
    return () => cancel();
  },
  wallNow: () => Date.now(),
};

/**
 * Calls back once the event loop has read what is readable: that comes between its timers and its immediates. Where there
 * are none, as in browsers, the runtime decides which comes first.
 *
 * @returns The function that prevents the call.
 */
function afterReading(callback: () => void): () => void {
  if (typeof setImmediate === "undefined") {
    callback();
    return () => {};
  }
  const immediate = setImmediate(callback);
  return () => clearImmediate(immediate);
}
