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
