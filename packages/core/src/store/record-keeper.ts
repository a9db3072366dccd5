/*
 * Brings a store to the state that is wanted, and goes on until it is there.
 *
 * Theory of operation. Each record is wanted to have a value, or not to be there. What the store does not have yet as it
 * is wanted is remembered here, once for each key, and nothing else is. So whoever changes a record ten times while the
 * store is busy has it written twice: the first time and the last.
 *
 *   wanted ─► under way ─► kept                     forgotten here
 *                 ▲ └────► refused ─┐
 *                 └─────────────────┘   after a second, then two, four, … a minute; or when `saved` asks for it
 *
 * Records that were refused are tried again one after the other, and only on while that goes well: a full disk is not
 * stormed. Records are independent: in which order two of them reach the store does not matter to those who use this.
 *
 * A store may also never answer. After half a minute without any it counts as hanging: nobody waits for it any more until
 * it has answered something, but what is wanted is still remembered.
 */
import type { Clock } from "../clock.ts";
import type { RecordStore, StoredRecord } from "./record-store.ts";
import { aside, corruptKeyOf } from "./stored-records.ts";

/** How long the store is waited for, in milliseconds, before it counts as hanging. */
export const storePatienceMs = 30_000;

const firstRetryMs = 1000;
const longestRetryMs = 60_000;

/** What is wanted of one record. */
interface Wanted {
  /** `undefined`: that it is not there. */
  value: string | undefined;
  /** The write that is under way: whether the store took it. */
  underWay: Promise<boolean> | undefined;
  since: number;
  /** The write that follows that one. */
  next: Promise<boolean> | undefined;
  /** Why the latest write was refused, when it was. */
  refusal: { readonly error: unknown } | undefined;
  /** Who waits for the write under way, and who for the one after it. */
  asked: (() => void)[];
  waiting: (() => void)[];
}

/** Keeps records in a store that may be slow, full, broken, or hang. */
export class RecordKeeper {
  readonly #store: RecordStore;
  readonly #clock: Clock;
  readonly #report: (error: Error) => void;
  /** By key: what the store does not have as it is wanted. */
  readonly #wanted = new Map<string, Wanted>();
  /** The writes under way; the one that began first comes first. */
  readonly #underWay = new Set<Wanted>();
  readonly #savers = new Set<(error: Error) => void>();
  #hanging = false;
  /** When the store answered last. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** How many records were refused and are not taken since. */
  #refusals = 0;
  #retryMs = firstRetryMs;
  #cancelRetry: (() => void) | undefined;
  #cancelWatch: (() => void) | undefined;
  #stopped = false;

  /** @param report - Hears once of each time in which the store refuses writes, or hangs, however long it is. */
  constructor(store: RecordStore, clock: Clock, report: (error: Error) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#report = report;
  }

  /**
   * Wants a record to have a value.
   *
   * @param tried - Is called once, when the store has taken or refused it, or is not to be waited for.
   */
  put(key: string, value: string, tried?: () => void): void {
    this.#want(key, value, tried);
  }

  /**
   * Moves a record that is of no use to a key that begins with `corrupt/`, and reports it. Nothing is ever read from
   * there, but somebody may want to see it.
   *
   * @param why - The rest of a sentence that begins with the record.
   * @param cause - What was thrown when it was read, if anything was.
   */
  setAside({ key, value }: StoredRecord, why: string, cause?: unknown): void {
    this.#report(aside(key, why, cause));
    this.put(corruptKeyOf(key), value, () => this.delete(key));
  }

  /** Wants a record not to be there. */
  delete(key: string): void {
    this.#want(key, undefined);
  }

  /**
   * Resolves when the store has everything that was wanted before this call; what it has refused is tried again now.
   *
   * @throws Error The store refuses some of it, or does not answer. It is tried again all the same.
   */
  saved(): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => {
        this.#savers.delete(fail);
        reject(error);
      };
      this.#savers.add(fail);
      if (this.#hanging) fail(hangs());
      void this.#keepAll([...this.#wanted]).then((refusal) => {
        if (refusal !== undefined) fail(refused(refusal.error));
        else if (this.#savers.delete(fail)) resolve();
      });
    });
  }

  /**
   * Reads the records whose keys begin with `prefix`.
   *
   * @throws What the store rejects with, or an Error when it does not answer.
   */
  load(prefix: string): Promise<readonly StoredRecord[]> {
    return new Promise((resolve, reject) => {
      const disarm = this.#clock.wakeAt(this.#clock.now() + storePatienceMs, () => reject(hangs()));
      const load = async (): Promise<readonly StoredRecord[]> => this.#store.load(prefix);
      void load().finally(disarm).then(resolve, reject);
    });
  }

  /** Wants nothing more, and tries nothing again. What is under way goes on. */
  stop(): void {
    this.#stopped = true;
    this.#cancelRetry?.();
    this.#cancelWatch?.();
    for (const fail of [...this.#savers])
      fail(new Error("The Charge Point was stopped before the store had answered."));
  }

  #want(key: string, value: string | undefined, tried?: () => void): void {
    if (this.#stopped) return;
    let wanted = this.#wanted.get(key);
    if (wanted === undefined) {
      wanted = { value, underWay: undefined, since: 0, next: undefined, refusal: undefined, asked: [], waiting: [] };
      this.#wanted.set(key, wanted);
    }
    wanted.value = value;
    if (tried !== undefined) wanted.waiting.push(tried);
    void this.#attempt(key, wanted);
    if (this.#hanging) release(wanted);
  }

  /** Has the value that is wanted by then written, as soon as nothing is under way for this record. */
  #attempt(key: string, wanted: Wanted): Promise<boolean> {
    const { underWay } = wanted;
    if (underWay === undefined) return this.#write(key, wanted);
    wanted.next ??= underWay.then(() => {
      wanted.next = undefined;
      return !this.#stopped && this.#write(key, wanted);
    });
    return wanted.next;
  }

  #write(key: string, wanted: Wanted): Promise<boolean> {
    const { value } = wanted;
    wanted.asked = wanted.waiting;
    wanted.waiting = [];
    wanted.since = this.#clock.now();
    this.#underWay.add(wanted);
    wanted.underWay = this.#ask(key, value).then(
      () => {
        if (wanted.next === undefined && wanted.value === value) this.#wanted.delete(key);
        this.#answered(wanted);
        return true;
      },
      (error: unknown) => {
        this.#answered(wanted, { error });
        return false;
      },
    );
    this.#watch();
    return wanted.underWay;
  }

  /** A store that throws at once is one that rejects. */
  async #ask(key: string, value: string | undefined): Promise<void> {
    await (value === undefined ? this.#store.delete(key) : this.#store.put(key, value));
  }

  #answered(wanted: Wanted, refusal?: Wanted["refusal"]): void {
    const before = this.#refusals;
    this.#refusals += Number(refusal !== undefined) - Number(wanted.refusal !== undefined);
    wanted.underWay = undefined;
    wanted.refusal = refusal;
    this.#underWay.delete(wanted);
    this.#hanging = false;
    this.#answeredAt = this.#clock.now();
    this.#watch();
    if (refusal !== undefined) {
      if (before === 0 && !this.#stopped) this.#report(refused(refusal.error));
      this.#retryLater();
    }
    for (const tried of wanted.asked.splice(0)) tried();
  }

  #retryLater(): void {
    if (this.#stopped) return;
    this.#cancelRetry ??= this.#clock.wakeAt(this.#clock.now() + this.#retryMs, () => void this.#retry());
  }

  async #retry(): Promise<void> {
    this.#cancelRetry = () => {}; // Until it has ended, none is armed.
    const refusal = await this.#keepAll([...this.#wanted].filter(([, { refusal }]) => refusal !== undefined));
    this.#cancelRetry = undefined;
    this.#retryMs = refusal === undefined ? firstRetryMs : Math.min(2 * this.#retryMs, longestRetryMs);
    if (this.#refusals > 0) this.#retryLater();
  }

  /** Waits for what is under way for these records, and tries those that were refused, until one is refused again. */
  async #keepAll(records: readonly (readonly [key: string, wanted: Wanted])[]): Promise<Wanted["refusal"]> {
    // What is under way by now, not what follows it later.
    const writes = records.map(([key, wanted]) => [key, wanted, wanted.next ?? wanted.underWay] as const);
    for (const [key, wanted, write] of writes) {
      if (this.#stopped) return undefined;
      const isKept = await (write ?? (this.#wanted.get(key) === wanted ? this.#attempt(key, wanted) : true));
      if (!isKept && wanted.refusal !== undefined) return wanted.refusal;
    }
    return undefined;
  }

  /** Has itself woken when writes are under way and the store has answered none for too long; or earlier, to look again. */
  #watch(): void {
    const [first] = this.#underWay;
    if (first === undefined || this.#cancelWatch !== undefined || this.#hanging || this.#stopped) return;
    const deadline = Math.max(first.since, this.#answeredAt) + storePatienceMs;
    this.#cancelWatch = this.#clock.wakeAt(deadline, () => {
      this.#cancelWatch = undefined;
      const [first] = this.#underWay;
      if (first === undefined) return;
      if (this.#clock.now() >= Math.max(first.since, this.#answeredAt) + storePatienceMs) this.#giveUp();
      else this.#watch();
    });
  }

  #giveUp(): void {
    this.#hanging = true;
    this.#report(hangs());
    for (const fail of [...this.#savers]) fail(hangs());
    for (const wanted of this.#wanted.values()) release(wanted);
  }
}

/** Nobody waits any more for what is wanted of a record. */
function release({ asked, waiting }: Wanted): void {
  for (const tried of [...asked.splice(0), ...waiting.splice(0)]) tried();
}

function refused(cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `The store refuses to keep a record: ${why}. It is tried again; until then a power cut would lose it.`;
  return new Error(message, { cause });
}

const hangs = (): Error =>
  new Error(
    `The store has not answered for ${storePatienceMs / 1000} s. What it does not take, a power cut would lose.`,
  );
