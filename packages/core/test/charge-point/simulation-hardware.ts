import type { FakeClock } from "@ocppj/testing";
import type { Clock, RecordStore, StoredRecord } from "../../src/index.ts";
import { second, spell } from "./simulation-schedule.ts";

/** What a failing {@link Disk} rejects with. */
export class DiskFailure extends Error {}

/** Smart charging keeps its records here, and goes on with that when a Charge Point has stopped. */
const ofProfiles = (key: string): boolean => key.startsWith("charging-profile/");

interface Operation {
  /** The key, or the beginning of keys. */
  readonly key: string;
  /** On the fake clock. */
  readonly beganAt: number;
  /** On the clock of the machine. */
  readonly endsAt: number;
  /** What it does to the disk. */
  readonly carryOut: () => void;
  /** Forgets it. */
  readonly cancel: () => void;
}

/** Which operations of a disk are in trouble. */
export type Operations = "puts" | "writes" | "everything";

type Kind = "load" | "put" | "delete";

/** A disk that takes longer than this is as good as none. */
const patienceMs = 29 * second;

/**
 * A disk that takes its time, fails or hangs when it is told to, and on which those writes remain that had ended when the
 * power failed, and some of the others, in their order.
 */
export class Disk {
  readonly #clock: FakeClock;
  readonly #records = new Map<string, string>();
  /** In the order in which they were called, which is that in which they end. */
  #underWay: Operation[] = [];
  #power = 0;
  #countdown = 0;
  #atCountdown = (): void => {};
  /** Which operation fails next, once. */
  #failingOnce: { readonly kind: "put" | "delete"; left: number } | undefined;
  /** How long an operation takes, in milliseconds, when it takes long. */
  slowness = spell<number>();
  /** Which operations fail, and whether they say so by a promise. */
  failing = spell<{ readonly what: Operations; readonly how: "rejects" | "throws" }>();
  /** Which operations never end, and whether they are carried out all the same. */
  hanging = spell<{ readonly what: Operations; readonly carriedOut: boolean }>();
  /** It has not answered anything since an operation hung. */
  #silent = false;
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** When an operation failed last, or was not carried out for a long time. */
  failedAt = Number.NEGATIVE_INFINITY;

  constructor(clock: FakeClock) {
    this.#clock = clock;
  }

  /** What is on the disk. */
  get records(): ReadonlyMap<string, string> {
    return this.#records;
  }

  /** The keys of charging profiles, or of everything else. */
  keys(of: "profiles" | "others"): readonly string[] {
    return [...this.#records.keys()].filter((key) => ofProfiles(key) === (of === "profiles"));
  }

  /** Whether a Charge Point has nothing under way. */
  get idle(): boolean {
    return this.#underWay.every(({ key }) => ofProfiles(key));
  }

  /** Whether a text stands in one of the records of a Charge Point. */
  has(text: string): boolean {
    for (const [key, value] of this.#records) if (!ofProfiles(key) && value.includes(text)) return true;
    return false;
  }

  /** Whether it has failed since then, or would fail now. */
  failedSince(time: number): boolean {
    const now = this.#clock.now();
    const inTrouble = this.failing.at(now) !== undefined || this.hanging.at(now) !== undefined;
    return this.failedAt >= time || inTrouble || this.#silent || this.#isOverdue;
  }

  /** Whether it has not answered for so long, with something to answer, that it is not waited for until it does. */
  get #isOverdue(): boolean {
    const [first] = this.#underWay;
    return first !== undefined && this.#clock.now() - Math.max(first.beganAt, this.#answeredAt) > patienceMs;
  }

  /** The disk as it is seen until the power fails; what is asked for after that is never answered. */
  store(machine: Machine): RecordStore {
    const power = this.#power;
    const perform = <Result>(kind: Kind, key: string, carryOut: () => Result): Promise<Result> => {
      if (power !== this.#power) return new Promise(() => {});
      const now = this.#clock.now();
      const { what: failing, how } = this.failing.at(now) ?? {};
      const fails = concerns(failing, kind) || this.#failsOnce(kind);
      const hanging = this.hanging.at(now);
      const hangs = concerns(hanging?.what, kind);
      const fail = (): void => {
        this.failedAt = this.#clock.now();
      };
      const endsAt = Math.max(this.#underWay.at(-1)?.endsAt ?? 0, machine.now() + (this.slowness.at(now) ?? 3));
      const isSlow = endsAt - machine.now() > patienceMs;
      if (fails || hangs || isSlow) fail();
      this.#silent ||= hangs || isSlow;
      if (fails && how === "throws") throw new DiskFailure("The disk failed at once.");
      return new Promise((resolve, reject) => {
        const skipped = fails || (hangs && !hanging?.carriedOut);
        this.#begin(machine, { key, endsAt, carryOut: skipped ? fail : carryOut }, (result) => {
          if (hangs) return;
          // What was asked for in the meantime was not waited for either.
          if (isSlow || this.#silent) fail();
          this.#silent = false;
          this.#answeredAt = this.#clock.now();
          if (fails) reject(new DiskFailure("The disk failed."));
          else resolve(result as Result);
        });
        if (kind !== "load" && this.#countdown > 0 && --this.#countdown === 0) this.#atCountdown();
      });
    };
    return {
      load: (prefix) => perform("load", prefix, () => this.#load(prefix)),
      put: (key, value) => perform("put", key, () => void this.#records.set(key, value)),
      delete: (key) => perform("delete", key, () => void this.#records.delete(key)),
      close: async () => {},
    };
  }

  /** Calls back while the nth next write is under way. */
  atWrite(nth: number, callback: () => void): void {
    this.#countdown = nth;
    this.#atCountdown = callback;
  }

  /** Has the nth next write of a kind fail. */
  failOnce(kind: "put" | "delete", nth: number): void {
    this.#failingOnce = { kind, left: nth };
  }

  calmDown(): void {
    this.slowness = spell();
    this.failing = spell();
    this.hanging = spell();
    this.#failingOnce = undefined;
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

  #failsOnce(kind: Kind): boolean {
    if (this.#failingOnce?.kind !== kind || --this.#failingOnce.left > 0) return false;
    this.#failingOnce = undefined;
    return true;
  }

  #begin(
    machine: Machine,
    operation: Pick<Operation, "key" | "endsAt"> & { readonly carryOut: () => unknown },
    ended: (result: unknown) => void,
  ): void {
    const cancel = machine.after(operation.endsAt - machine.now(), () => {
      this.#underWay.shift();
      ended(operation.carryOut());
    });
    this.#underWay.push({ ...operation, beganAt: this.#clock.now(), cancel });
  }

  #load(prefix: string): readonly StoredRecord[] {
    return [...this.#records]
      .filter(([key]) => key.startsWith(prefix))
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, value]) => ({ key, value }));
  }
}

const concerns = (what: Operations | undefined, kind: Kind): boolean =>
  what === "everything" || (what === "writes" && kind !== "load") || what === `${kind}s`;

interface WakeUp {
  readonly time: number;
  readonly callback: () => void;
  readonly program: object;
  disarm: () => void;
}

/** How far clocks may move apart without anybody seeing more in it than clocks that are not quite right. */
const unnoticedMs = 5 * second;

/** The clock of one program, and how many wake-ups that has armed. */
export interface MachineClock extends Clock {
  readonly pending: number;
  wallNow(): number;
}

/**
 * The computer in a charger, from power on to power off. Its clocks may be off by any time. While it sleeps nothing on it
 * runs, and what it counts the time with stands still; its wall clock goes on.
 */
export class Machine {
  readonly #clock: FakeClock;
  #offsetMs: number;
  #wallOffsetMs: number;
  readonly #armed = new Set<WakeUp>();
  /** When it fell asleep; later than any time while it is awake. */
  #asleepAt = Number.POSITIVE_INFINITY;
  #off = false;
  /** By how much its wall clock was set since a program has seen that. */
  #unnoticedMs = 0;

  constructor(clock: FakeClock, offsetMs: number) {
    this.#clock = clock;
    this.#offsetMs = offsetMs;
    this.#wallOffsetMs = offsetMs;
  }

  get asleep(): boolean {
    return this.#asleepAt < Number.POSITIVE_INFINITY;
  }

  now(): number {
    return Math.min(this.#clock.now(), this.#asleepAt) + this.#offsetMs;
  }

  /**
   * The clock of a program that runs on it.
   *
   * @param doubtful - Hears that the program has seen that somebody has set a clock.
   */
  clockOf(program: object, doubtful: () => void): MachineClock {
    const pending = (): number => [...this.#armed].filter((wakeUp) => wakeUp.program === program).length;
    return {
      get pending() {
        return pending();
      },
      now: () => this.now(),
      wallNow: () => {
        if (Math.abs(this.#unnoticedMs) > unnoticedMs) {
          this.#unnoticedMs = 0;
          doubtful();
        }
        return this.#clock.now() + this.#wallOffsetMs;
      },
      wakeAt: (time, callback) => this.#wakeAt({ time, callback, program, disarm: () => {} }),
    };
  }

  /** Calls back after some time on it. */
  after(ms: number, callback: () => void): () => void {
    return this.#wakeAt({ time: this.now() + ms, callback, program: this, disarm: () => {} });
  }

  sleeps(): void {
    this.#asleepAt = this.#clock.now();
    for (const { disarm } of this.#armed) disarm();
  }

  /** @returns How long it slept. */
  wakes(): number {
    const sleptMs = this.#clock.now() - this.#asleepAt;
    this.#offsetMs -= sleptMs;
    this.#asleepAt = Number.POSITIVE_INFINITY;
    this.#unnoticedMs = 0;
    for (const wakeUp of this.#armed) this.#arm(wakeUp);
    return sleptMs;
  }

  /** Somebody sets its wall clock. */
  setWallClock(byMs: number): void {
    this.#wallOffsetMs += byMs;
    this.#unnoticedMs += byMs;
  }

  switchOff(): void {
    this.#off = true;
    for (const { disarm } of this.#armed) disarm();
    this.#armed.clear();
  }

  #wakeAt(wakeUp: WakeUp): () => void {
    if (this.#off) return () => {};
    this.#armed.add(wakeUp);
    if (!this.asleep) this.#arm(wakeUp);
    return () => {
      this.#armed.delete(wakeUp);
      wakeUp.disarm();
    };
  }

  #arm(wakeUp: WakeUp): void {
    // Like a real timer it never comes early, not even by a rounding error.
    wakeUp.disarm = this.#clock.wakeAt(Math.ceil(wakeUp.time - this.#offsetMs), () => {
      this.#armed.delete(wakeUp);
      wakeUp.callback();
    });
  }
}
