import type { Clock } from "../clock.ts";
import { prefixOf } from "../store/own-keys.ts";
import { RecordKeeper } from "../store/record-keeper.ts";
import type { RecordStore } from "../store/record-store.ts";
import { type DeadLetter, DeadLetters } from "./dead-letter.ts";
import type { DeliveredAction, OutboxCall, TransactionCall } from "./delivery-event.ts";
import type { TransactionMessageKeys } from "./delivery-queue.ts";
import {
  isNumber,
  keyOf,
  numberOf,
  parseCorrection,
  parseOutbox,
  parseTransaction,
  type RecordKind,
} from "./delivery-records.ts";
import { type Desk, Sequences } from "./desk.ts";
import { type DeliveredReq, Outbox } from "./outbox.ts";
import { Stamps } from "./stamps.ts";
import { epochsOf, type OpenTransaction, type Transaction, type TransactionStart } from "./transaction.ts";
import { Transactions, type TransactionsOptions } from "./transactions.ts";

/** What the deliveries of a Charge Point need, and whom they tell. */
export interface DeliveriesOptions extends TransactionsOptions {
  readonly clock: Clock;
  readonly store: RecordStore;
  readonly keys: TransactionMessageKeys;
  /** The time for timestamps, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether messages may be sent. */
  readonly isOnline: () => boolean;
  readonly call: Desk["call"];
  readonly delivered: Desk["delivered"];
  readonly discarded: Desk["discarded"];
  readonly fault: (error: unknown) => void;
}

/** What is undelivered. */
export interface Undelivered {
  /** How many messages wait. */
  readonly count: number;
  /** The CALL that has waited longest. */
  readonly oldest: TransactionCall | OutboxCall | undefined;
}

/** Everything that a Charge Point must not lose: its transactions and its other messages, in one store. */
export class Deliveries {
  readonly #clock: Clock;
  readonly #isOnline: () => boolean;
  readonly #keeper: RecordKeeper;
  readonly #sequences = new Sequences();
  readonly #stamps: Stamps;
  readonly #deadLetters: DeadLetters;
  readonly #transactions: Transactions;
  readonly #outbox: Outbox;
  /** The epochs whose corrections are in the store. */
  readonly #epochs = new Set<number>();
  /** How many corrections the store has not taken yet. */
  #corrections = 0;
  #stopped = false;

  constructor(options: DeliveriesOptions) {
    const { call, clock, delivered, discarded, fault, isOnline, keys, now, store } = options;
    this.#clock = clock;
    this.#isOnline = isOnline;
    this.#keeper = new RecordKeeper(store, clock, fault);
    this.#stamps = new Stamps(now);
    const assertAlive = (): void => {
      if (this.#stopped) throw new TypeError("The ChargePoint has been stopped. Use what its successor gives.");
    };
    this.#deadLetters = new DeadLetters({ assertAlive, decided: () => this.#tidy(), fault });
    const desk: Desk = {
      keeper: this.#keeper,
      stamps: this.#stamps,
      sequences: this.#sequences,
      deadLetters: this.#deadLetters,
      delivery: { clock, keys, fault },
      call,
      now,
      assertAlive,
      delivered: (event) => {
        this.#tidy();
        delivered(event);
      },
      discarded: (event) => {
        this.#tidy();
        discarded(event);
      },
    };
    this.#transactions = new Transactions(desk, options);
    this.#outbox = new Outbox(desk);
  }

  /** The transactions that are not stopped. */
  get running(): readonly OpenTransaction[] {
    return this.#transactions.running;
  }

  get deadLetters(): readonly DeadLetter[] {
    return this.#deadLetters.all;
  }

  get undelivered(): Undelivered {
    const count = this.#transactions.size + this.#outbox.size;
    const [first] = [this.#transactions.oldest, this.#outbox.oldest]
      .flatMap((oldest) => oldest ?? [])
      .sort((a, b) => a.sequence - b.sequence);
    return { count, oldest: first?.call };
  }

  /**
   * Takes over what an earlier run left in the store. A record that makes no sense is set aside under `corrupt/` and
   * reported.
   *
   * @throws What the store rejects with when it cannot be read, or an Error when it does not answer.
   */
  async restore(): Promise<void> {
    let damaged = false;
    const read = async <T>(kind: RecordKind, parse: (value: string, number: number) => T): Promise<Map<number, T>> => {
      const found = new Map<number, T>();
      for (const [index, record] of (await this.#keeper.load(prefixOf(kind))).entries()) {
        // Meter values are parsed when their turn comes.
        if (kind !== "queue" && index % recordsAtOnce === recordsAtOnce - 1) await nextTurn(this.#clock);
        const number = numberOf(record);
        try {
          if (!isNumber(number) || record.key !== keyOf(kind, number)) throw new TypeError("It has no key of ours.");
          found.set(number, parse(record.value, number));
        } catch (cause) {
          damaged ||= kind === "transaction";
          this.#keeper.setAside(record, "is damaged", cause);
        }
      }
      for (const number of found.keys()) this.#sequences.used(number);
      return found;
    };
    const corrections = await read("clock", parseCorrection);
    const transactions = await read("transaction", parseTransaction);
    const meterValues = await read("queue", (value) => value);
    const outbox = await read("outbox", parseOutbox);
    for (const record of transactions.values()) {
      this.#sequences.used((record.stop ?? record.start).sequence);
      // What began an epoch may have been delivered long ago; nothing else must be called like it.
      for (const epoch of epochsOf(record)) this.#sequences.used(epoch);
    }
    for (const [epoch, correctionMs] of corrections) {
      this.#epochs.add(epoch);
      this.#stamps.restored(epoch, correctionMs);
    }
    this.#transactions.restore({ transactions: [...transactions.values()], meterValues, damaged });
    this.#outbox.restore([...outbox.values()]);
    this.#tidy();
  }

  /** @throws The errors of {@link Transactions.start}. */
  start(req: TransactionStart, data: unknown): Transaction {
    return this.#transactions.start(req, data);
  }

  /** @throws The errors of {@link Outbox.deliver}. */
  deliver<A extends DeliveredAction>(action: A, req: DeliveredReq<A>): void {
    this.#outbox.deliver(action, req);
  }

  /** Says that messages may be sent, perhaps. */
  online(): void {
    if (!this.#isOnline() || this.#corrections > 0) return;
    for (const { delivery } of this.#both) delivery.online();
  }

  /** Takes back what waits for its turn on the connection, too. */
  postponed(): void {
    for (const { delivery } of this.#both) delivery.postponed();
  }

  /** Says that no more messages may be sent for now. */
  paused(): void {
    for (const { delivery } of this.#both) delivery.paused();
  }

  /** Says that what is under way will not be delivered, which is no failure of its own. */
  offline(): void {
    for (const { delivery } of this.#both) delivery.offline();
  }

  configured(keys: TransactionMessageKeys): void {
    for (const { delivery } of this.#both) delivery.configured(keys);
  }

  /** Says that the Central System has answered something, after what it has answered was dealt with. */
  heard(): void {
    for (const { delivery } of this.#both) delivery.heard();
  }

  /** Says that the time is doubtful: what is stamped from now on will have to be corrected. */
  doubted(): void {
    this.#stamps.doubted();
  }

  /**
   * Says that the Central System has told the time: what was stamped by a doubtful clock is corrected.
   *
   * @param correctionMs - By how much the clock was behind.
   */
  trusted(correctionMs: number): void {
    const epoch = this.#stamps.trusted(correctionMs);
    if (epoch === undefined) return;
    this.#epochs.add(epoch);
    // What is sent corrected must say the same after a power cut, so nothing is sent before that is certain.
    this.#corrections++;
    for (const { delivery } of this.#both) delivery.paused();
    this.#keeper.put(keyOf("clock", epoch), JSON.stringify(correctionMs), () => {
      this.#corrections--;
      this.online();
    });
    this.#tidy();
  }

  /** @throws Error The store could not keep what was reported before this call. */
  async saved(): Promise<void> {
    await null; // What was reported inside a listener is asked for when that returns.
    await this.#keeper.saved();
  }

  /** Ends it: nothing more is written, and handles of transactions throw. Resolves when the store has had its time. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.offline();
    // What was answered just before is still being dealt with.
    await Promise.all(this.#both.map(({ delivery }) => delivery.settled));
    await null; // What was reported inside a listener is asked for when that returns.
    await this.#keeper.stop();
  }

  get #both(): readonly [Transactions, Outbox] {
    return [this.#transactions, this.#outbox];
  }

  /** Forgets, when nothing waits, the corrections of epochs in which nothing was stamped that is still there. */
  #tidy(): void {
    if (this.#epochs.size === 0 || this.#transactions.size > 0 || this.#outbox.size > 0) return;
    const needed = new Set([...this.#transactions.epochs, ...this.#deadLetters.epochs]);
    for (const epoch of this.#epochs) {
      if (needed.has(epoch)) continue;
      this.#keeper.delete(keyOf("clock", epoch));
      this.#epochs.delete(epoch);
    }
  }
}

/** How many records are read before others have their turn. */
const recordsAtOnce = 100;

/** Lets the runtime do something else first. */
const nextTurn = (clock: Clock): Promise<void> => new Promise((resolve) => void clock.wakeAt(clock.now(), resolve));
