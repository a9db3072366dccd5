import type { Clock } from "./clock.ts";

/**
 * What an operation ends with; rejects when it has not ended in time, and never throws at once.
 *
 * @param late - What is said then.
 */
export function inTime<Result>(
  clock: Clock,
  timeoutMs: number,
  operation: () => Result | PromiseLike<Result>,
  late: () => Error,
): Promise<Result> {
  return new Promise((resolve, reject) => {
    const disarm = clock.wakeAt(clock.now() + timeoutMs, () => reject(late()));
    const started = async (): Promise<Result> => operation();
    void started().finally(disarm).then(resolve, reject);
  });
}
