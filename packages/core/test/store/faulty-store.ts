import type { FakeClock } from "@ocppj/testing";
import type { RecordStore, StoredRecord } from "../../src/index.ts";

/** A store that is slow, refuses, throws or hangs, as a test tells it. */
export class FaultyStore implements RecordStore {
  readonly records = new Map<string, string>();
  /** What it was asked to write, and when. */
  readonly asked: string[] = [];
  readonly times: number[] = [];
  delayMs = 0;
  refuses: readonly ("put" | "delete" | "load")[] = [];
  throws = false;
  hangs = false;
  readonly #clock: FakeClock;
  #unanswered: (() => void)[] = [];

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** Answers what hangs. */
  answer(): void {
    for (const answer of this.#unanswered.splice(0)) answer();
  }

  /** Never answers what hangs. */
  forget(): void {
    this.#unanswered.length = 0;
  }

  load(prefix: string): Promise<readonly StoredRecord[]> {
    return this.#perform("load", () =>
      [...this.records]
        .filter(([key]) => key.startsWith(prefix))
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, value]) => ({ key, value })),
    );
  }

  put(key: string, value: string): Promise<void> {
    this.#asks(`put ${key} ${value}`);
    return this.#perform("put", () => void this.records.set(key, value));
  }

  delete(key: string): Promise<void> {
    this.#asks(`delete ${key}`);
    return this.#perform("delete", () => void this.records.delete(key));
  }

  async close(): Promise<void> {}

  #asks(what: string): void {
    this.asked.push(what);
    this.times.push(this.#clock.now());
  }

  #perform<Result>(kind: "put" | "delete" | "load", carryOut: () => Result): Promise<Result> {
    if (this.throws) throw new Error("disk full");
    const refused = this.refuses.includes(kind);
    return new Promise((resolve, reject) => {
      // Operations take effect in the order in which they were called, whenever they are answered.
      const result = refused ? undefined : carryOut();
      const answer = (): void => (refused ? reject(new Error("disk full")) : resolve(result as Result));
      if (this.hangs) this.#unanswered.push(answer);
      else if (this.delayMs === 0) answer();
      else this.#clock.wakeAt(this.#clock.now() + this.delayMs, answer);
    });
  }
}

/** What became of a promise: `resolved`, or what it rejected with. */
export const settled = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => "resolved",
    (error: unknown) => error,
  );
