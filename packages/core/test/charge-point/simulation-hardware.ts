import type { FakeClock } from "@ocppj/testing";
import type { Clock, RecordStore, StoredRecord } from "../../src/index.ts";
import { spell } from "./simulation-schedule.ts";

/** What a failing {@link Disk} rejects with. */
export class DiskFailure extends Error {}

interface Operation {
  readonly endsAt: number;
  /** What it does to the disk. */
  readonly carryOut: () => void;
  /** Forgets it. */
  readonly cancel: () => void;
}

/**
 * A disk that takes its time, fails when it is told to, and on which those writes remain that had ended when the power
 * failed, and some of the others, in their order.
 */
export class Disk {
  readonly #clock: FakeClock;
  readonly #records = new Map<string, string>();
  /** In the order in which they were called, which is that in which they end. */
  #underWay: Operation[] = [];
  #power = 0;
  #countdown = 0;
  #atCountdown = (): void => {};
  /** How long an operation takes, in milliseconds, when it takes long. */
  slowness = spell<number>();
  /** Which operations fail. */
  failing = spell<"puts" | "writes" | "everything">();
  /** When an operation failed last. */
  failedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** What is on the disk. */
  get records(): ReadonlyMap<string, string> {
    return this.#records;
  }

  get idle(): boolean {
    return this.#underWay.length === 0;
  }

  /** Whether a text stands in one of the records. */
  has(text: string): boolean {
    return [...this.#records.values()].some((value) => value.includes(text));
  }

  failedSince(time: number): boolean {
    return this.failedAt >= time;
  }

  /** The disk as it is seen until the power fails; what is asked for after that is never answered. */
  store(): RecordStore {
    const power = this.#power;
    const perform = <Result>(kind: "load" | "put" | "delete", carryOut: () => Result): Promise<Result> =>
      new Promise((resolve, reject) => {
        if (power !== this.#power) return;
        const failing = this.failing.at(this.#clock.now());
        const fails = failing === "everything" || (failing === "writes" && kind !== "load") || failing === `${kind}s`;
        const fail = (): void => {
          this.failedAt = this.#clock.now();
        };
        this.#begin(fails ? fail : carryOut, (result) => {
          if (fails) reject(new DiskFailure("The disk failed."));
          else resolve(result as Result);
        });
        if (kind !== "load" && this.#countdown > 0 && --this.#countdown === 0) this.#atCountdown();
      });
    return {
      load: (prefix) => perform("load", () => this.#load(prefix)),
      put: (key, value) => perform("put", () => void this.#records.set(key, value)),
      delete: (key) => perform("delete", () => void this.#records.delete(key)),
      close: async () => {},
    };
  }

  /** Calls back while the nth next write is under way. */
  atWrite(nth: number, callback: () => void): void {
    this.#countdown = nth;
    this.#atCountdown = callback;
  }

  calmDown(): void {
    this.slowness = spell();
    this.failing = spell();
    this.#countdown = 0;
  }

  /** @param kept - How many of the operations under way take effect all the same. */
  cutPower(kept: number): void {
    this.#power++;
    const underWay = this.#underWay;
    this.#underWay = [];
    for (const [index, { carryOut, cancel }] of underWay.entries()) {
      cancel();
      if (index < kept) carryOut();
    }
  }

  #begin(carryOut: () => unknown, ended: (result: unknown) => void): void {
    const now = this.#clock.now();
    const endsAt = Math.max(this.#underWay.at(-1)?.endsAt ?? 0, now + (this.slowness.at(now) ?? 3));
    const cancel = this.#clock.wakeAt(endsAt, () => {
      this.#underWay.shift();
      ended(carryOut());
    });
    this.#underWay.push({ endsAt, carryOut, cancel });
  }

  #load(prefix: string): readonly StoredRecord[] {
    return [...this.#records]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value }));
  }
}

/** The clock of a charger: it may be off by any time, and it stops when the power fails. */
export class OwnClock implements Clock {
  readonly #clock: FakeClock;
  readonly #offsetMs: number;
  readonly #armed = new Set<() => void>();
  #stopped = false;

  constructor(clock: FakeClock, offsetMs: number) {
    this.#clock = clock;
    this.#offsetMs = offsetMs;
  }

  get pending(): number {
    return this.#armed.size;
  }

  now(): number {
    return this.#clock.now() + this.#offsetMs;
  }

  wakeAt(time: number, callback: () => void): () => void {
    if (this.#stopped) return () => {};
    const cancel = (): void => {
      this.#armed.delete(cancel);
      disarm();
    };
    // Like a real timer it never comes early, not even by a rounding error.
    const disarm = this.#clock.wakeAt(Math.ceil(time - this.#offsetMs), () => {
      this.#armed.delete(cancel);
      callback();
    });
    this.#armed.add(cancel);
    return cancel;
  }

  stop(): void {
    this.#stopped = true;
    for (const cancel of [...this.#armed]) cancel();
  }
}
