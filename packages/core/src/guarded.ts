/**
 * Calls something that belongs to the application. Never throws, whatever that does.
 *
 * @param failed - Hears what it throws, or what the promise that it returns rejects with; must not throw.
 */
export function guarded(call: () => unknown, failed: (error: unknown) => void): void {
  try {
    const returned = call();
    // A promise of our own: whatever was returned, it can be waited for.
    if (typeof returned === "object" && returned !== null) new Promise((resolve) => resolve(returned)).catch(failed);
  } catch (error) {
    failed(error);
  }
}

/**
 * Takes what a function of the application has returned that has to answer at once. Nobody waits for a promise then, so one
 * that rejects must not end the process.
 *
 * @param name - Of the function.
 * @throws TypeError It is a promise.
 */
export function atOnce<Returned>(name: string, returned: Returned): Returned {
  if (!isPromise(returned)) return returned;
  new Promise((resolve) => resolve(returned)).catch(() => {});
  throw new TypeError(`${name} returned a promise, but its answer is needed at once.`);
}

/** Whether something has to be waited for. */
export const isPromise = (value: unknown): boolean => typeof value === "object" && value !== null && "then" in value;
