/**
 * Asks a function of the owner's for an answer at once. Never throws, whatever that does.
 *
 * @param what - What is asked, as the beginning of a sentence.
 * @param failed - Hears what it throws, that it has answered with a promise, and what that rejects with; must not throw.
 * @returns `undefined` when there is no answer.
 */
export function asked<T>(what: string, ask: () => T, failed: (error: unknown) => void): T | undefined {
  try {
    const answer: unknown = ask();
    if (typeof answer !== "object" || answer === null || !("then" in answer)) return answer as T;
    // A promise of our own: whatever was returned, it can be waited for.
    new Promise((resolve) => resolve(answer)).catch(failed);
    throw new TypeError(`${what} has answered with a promise. Let it answer at once.`);
  } catch (error) {
    failed(error);
    return undefined;
  }
}
