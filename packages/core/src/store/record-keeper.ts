/*
 * Brings a store to the state that is wanted, and goes on until it is there.
 *
 * Theory of operation. Each record is wanted to have a value, or not to be there. What the store does not have yet as
 * it is wanted is remembered here, once for each key, and nothing else is.
 *
 *   wanted ─► under way ─► kept                     forgotten here
 *                 ▲ └────► refused ─┐
 *                 └─────────────────┘   after a second, then two, four, … a minute; or when `saved` asks for it
 *
 * Writes are asked for at once, in the order in which they are wanted, so that a power cut leaves a beginning of what
 * has happened, as long as the store refuses nothing. Whoever changes a record more often than the store can follow has
 * some of its values written, and the last.
 *
 * Records that were refused are tried again one after the other, and only on while that goes well: a full disk is not
 * stormed. Removals come first, because they make room. In which order they reach the store then does not matter to
 * those who use this.
 *
 * A store may also never answer. A write that it does not answer although it has answered later ones, or for half a
 * minute none at all, counts as refused; what it says about that write later does not matter. In the second case the
 * store hangs: until it has answered something, nothing is asked for but by those who try again, and nobody waits.
 */
import type { Clock } from "../clock.ts";
import { hangs, patient, storePatienceMs } from "./patient-store.ts";
import type { RecordStore, StoredRecord } from "./record-store.ts";
import { aside } from "./stored-records.ts";

const firstRetryMs = 1000;
const longestRetryMs = 60_000;

/** How many writes are given up before others have their turn. */
const mostAtOnce = 100;

/** How many writes of one record are under way at most. */
const mostUnderWay = 16;

interface Refusal {
  readonly error: unknown;
}

type Tried = () => void;

/** What is wanted of one record. */
interface Wanted {
  readonly key: string;
  /** `undefined`: that it is not there. */
  value: string | undefined;
  /** Counts what was wanted. */
  version: number;
  /** The version that was asked for last. */
  asked: number;
  /** The writes under way, in their order. */
  readonly writes: Set<Write>;
  /** Why the latest version was refused, when it was. */
  refusal: Refusal | undefined;
  /** Who waits for a write that has not been asked for yet. */
  waiting: Tried[];
}

/** A write that is under way. */
interface Write {
  readonly wanted: Wanted;
  readonly version: number;
  /** Its number among all. */
  readonly number: number;
  readonly since: number;
  readonly waiting: readonly Tried[];
  /** Resolves when it is over: with why it was refused, if it was. */
  readonly over: Promise<Refusal | undefined>;
  readonly end: (refusal: Refusal | undefined) => void;
}

/** Keeps records in a store that may be slow, full, broken, or hang. */
export class RecordKeeper {
  readonly #store: RecordStore;
  readonly #clock: Clock;
  readonly #report: (error: Error) => void;
  /** By key: what the store does not have as it is wanted. */
  readonly #wanted = new Map<string, Wanted>();
  /** The writes under way; the one that began first comes first. */
  readonly #underWay = new Set<Write>();
  /** By key: what follows once the store has the record. */
  readonly #whenKept = new Map<string, () => void>();
  readonly #savers = new Set<(error: Error) => void>();
  #hanging = false;
  /** When the store answered last. */
  #answeredAt = Number.NEGATIVE_INFINITY;
  /** How many writes have begun, and the latest of them that was answered. */
  #writes = 0;
  #latestAnswered = 0;
  /** How many records were refused and are not taken since. */
  #refusals = 0;
  #retryMs = firstRetryMs;
  #retrying = false;
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

  /** Sets a record aside, see `setAside` of stored-records.ts, and goes on until it is. */
  setAside(record: StoredRecord, why: string, cause?: unknown): void {
    const { copy, fault } = aside(record, why, cause);
    this.#report(fault);
    this.#whenKept.set(copy.key, () => this.delete(record.key));
    this.put(copy.key, copy.value);
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
      if (this.#hanging) {
        fail(hangs());
        return;
      }
      void this.#keepAll([...this.#wanted.values()]).then((refusal) => {
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
  async load(prefix: string): Promise<readonly StoredRecord[]> {
    const records: unknown = await patient(this.#store, this.#clock).load(prefix);
    if (!Array.isArray(records)) throw new TypeError("load of the store gives no list of records.");
    return records.filter((record) => typeof record?.key === "string" && typeof record.value === "string");
  }

  /**
   * Wants nothing more. What was refused, or not asked for yet, is tried once more, now: later it could be over what a
   * successor has written.
   *
   * @returns Resolves when the store has answered, or has had its time; what it refuses has been reported.
   */
  async stop(): Promise<void> {
    const isAnswering = !this.#hanging && !this.#stopped;
    for (const wanted of isAnswering ? this.#wanted.values() : []) {
      // However many are under way: nobody asks for the latest later.
      if (![...wanted.writes].some(({ version }) => version === wanted.version)) this.#write(wanted);
    }
    this.#stopped = true;
    this.#cancelRetry?.();
    await Promise.all([...this.#underWay].map(({ over }) => over));
    this.#cancelWatch?.();
  }

  #want(key: string, value: string | undefined, tried?: Tried): void {
    if (this.#stopped) return;
    let wanted = this.#wanted.get(key);
    if (wanted === undefined) {
      wanted = { key, value, version: 0, asked: 0, writes: new Set(), refusal: undefined, waiting: [] };
      this.#wanted.set(key, wanted);
    }
    wanted.value = value;
    wanted.version++;
    if (tried !== undefined) wanted.waiting.push(tried);
    if (this.#hanging) this.#refuse(wanted, { error: hangs() });
    else if (wanted.writes.size < mostUnderWay) this.#write(wanted);
  }

  #write(wanted: Wanted): Write {
    const { key, value, version, waiting } = wanted;
    let end: Write["end"] = () => {};
    const over = new Promise<Refusal | undefined>((resolve) => {
      end = resolve;
    });
    const write = { wanted, version, number: ++this.#writes, since: this.#clock.now(), waiting, over, end };
    wanted.waiting = [];
    wanted.asked = version;
    wanted.writes.add(write);
    this.#underWay.add(write);
    this.#ask(key, value).then(
      () => this.#answered(write, undefined),
      (error: unknown) => this.#answered(write, { error }),
    );
    this.#watch();
    return write;
  }

  /** A store that throws at once is one that rejects. */
  async #ask(key: string, value: string | undefined): Promise<void> {
    await (value === undefined ? this.#store.delete(key) : this.#store.put(key, value));
  }

  #answered(write: Write, refusal: Refusal | undefined): void {
    if (this.#hanging) this.#recovered();
    this.#answeredAt = this.#clock.now();
    this.#latestAnswered = Math.max(write.number, this.#latestAnswered);
    this.#end(write, refusal);
    this.#watch();
  }

  #end(write: Write, refusal: Refusal | undefined): void {
    if (!this.#underWay.delete(write)) return; // It has been given up.
    const { wanted, version } = write;
    wanted.writes.delete(write);
    // What becomes of an older version does not matter: the newer one is under way, or will be asked for.
    if (version === wanted.version) {
      this.#refuse(wanted, refusal);
      if (refusal === undefined) this.#kept(wanted.key);
    } else if (wanted.asked < wanted.version && !this.#stopped) this.#write(wanted);
    write.end(refusal);
    for (const tried of write.waiting) tried();
  }

  #kept(key: string): void {
    this.#wanted.delete(key);
    const then = this.#whenKept.get(key);
    this.#whenKept.delete(key);
    then?.();
  }

  /** Notes that the latest version of a record was refused, or that it was not. */
  #refuse(wanted: Wanted, refusal: Refusal | undefined): void {
    const before = this.#refusals;
    this.#refusals += Number(refusal !== undefined) - Number(wanted.refusal !== undefined);
    wanted.refusal = refusal;
    if (refusal === undefined) return;
    if (before === 0 && !this.#hanging && !this.#stopped) this.#report(refused(refusal.error));
    this.#retryLater();
    for (const tried of wanted.waiting.splice(0)) tried();
  }

  #recovered(): void {
    this.#hanging = false;
    this.#retryMs = firstRetryMs;
    this.#cancelRetry?.();
    this.#cancelRetry = undefined;
    this.#retryLater();
  }

  #retryLater(): void {
    if (this.#stopped || this.#retrying || this.#refusals === 0) return;
    this.#cancelRetry ??= this.#clock.wakeAt(this.#clock.now() + this.#retryMs, () => void this.#retry());
  }

  async #retry(): Promise<void> {
    this.#cancelRetry = undefined;
    this.#retrying = true;
    const refusal = await this.#keepAll([...this.#wanted.values()].filter(({ refusal }) => refusal !== undefined));
    this.#retrying = false;
    this.#retryMs = refusal === undefined ? firstRetryMs : Math.min(2 * this.#retryMs, longestRetryMs);
    this.#retryLater();
  }

  /**
   * Waits for what is wanted of these records by now, and not for what will be, and tries those that were refused,
   * until one is refused again.
   */
  async #keepAll(records: readonly Wanted[]): Promise<Refusal | undefined> {
    const removalsFirst = [...records].sort((a, b) => Number(a.value !== undefined) - Number(b.value !== undefined));
    const versions = removalsFirst.map((wanted) => [wanted, wanted.version] as const);
    for (const [wanted, version] of versions) {
      const refusal = await this.#keep(wanted, version);
      if (refusal !== undefined) return refusal;
    }
    return undefined;
  }

  async #keep(wanted: Wanted, version: number): Promise<Refusal | undefined> {
    if (wanted.refusal !== undefined && wanted.writes.size === 0 && !this.#stopped) this.#write(wanted);
    for (;;) {
      const writes = [...wanted.writes];
      // Before it is asked for, others have to be over.
      const write = writes.find((each) => each.version >= version) ?? writes[0];
      if (write === undefined) return wanted.refusal ?? (wanted.asked < version ? { error: ended() } : undefined);
      const refusal = await write.over;
      if (refusal === undefined && write.version >= version) return undefined;
    }
  }

  /** Has itself woken when it may be time to give up the write that began first; or earlier, to look again. */
  #watch(): void {
    const [first] = this.#underWay;
    if (first === undefined || this.#cancelWatch !== undefined) return;
    this.#cancelWatch = this.#clock.wakeAt(this.#givenUpAt(first), () => {
      this.#cancelWatch = undefined;
      this.#giveUp();
      this.#watch();
    });
  }

  /** Operations take effect in order, so who has answered a later one will not answer this one, or is out of step. */
  #givenUpAt({ since, number }: Write): number {
    return (number < this.#latestAnswered ? since : Math.max(since, this.#answeredAt)) + storePatienceMs;
  }

  #giveUp(): void {
    const now = this.#clock.now();
    const overdue = [...this.#underWay].filter((write) => now >= this.#givenUpAt(write));
    if (overdue.length > 0 && !this.#hanging && now >= this.#answeredAt + storePatienceMs) {
      this.#hanging = true;
      this.#report(hangs());
      for (const fail of [...this.#savers]) fail(hangs());
    }
    for (const write of overdue.slice(0, mostAtOnce)) this.#end(write, { error: hangs() });
  }
}

const ended = (): Error => new Error("The ChargePoint was stopped before the store was asked to");

function refused(cause: unknown): Error {
  const why = cause instanceof Error ? cause.message : String(cause);
  const message = `The store refuses to keep a record: ${why}. It is tried again; until then a power cut would lose it.`;
  return new Error(message, { cause });
}
