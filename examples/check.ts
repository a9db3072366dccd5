/** @throws Error A value is not what it should be. */
export function check(what: string, actual: unknown, expected: unknown): void {
  if (actual === expected) return;
  throw new Error(`${what} is ${JSON.stringify(actual)}; it should be ${JSON.stringify(expected)}.`);
}

/** @throws Error It took too long. */
export async function within<Result>(limitMs: number, promise: Promise<Result>, complaint: string): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${complaint} within ${limitMs / 1000} s.`)), limitMs);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** What there is to say about something that was thrown. */
export const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
