import type { Clock } from "../clock.ts";
import { ConnectionClosedError, PayloadError } from "../errors.ts";
import { drive } from "../machine.ts";
import type { Conf, Req } from "../messages/actions.ts";
import { parseReq } from "../messages/validate.ts";
import { laterBy } from "./central-time.ts";
import type { QueueRecords } from "./queue-records.ts";
import {
  OpenTransaction,
  type Transaction,
  type TransactionMeterValues,
  type TransactionOutlet,
  type TransactionStop,
} from "./transaction.ts";
import {
  type DiscardReason,
  type QueuedMessage,
  type TransactionMessage,
  type TransactionMessageKeys,
  TransactionQueue,
  type TransactionQueueOutput,
} from "./transaction-queue.ts";

/** A CALL that a queued message becomes. */
export type TransactionCall = {
  [A in TransactionMessage["action"]]: { readonly action: A; readonly req: Req<A> };
}[TransactionMessage["action"]];

/** What the delivery needs and whom it tells. */
export interface TransactionDeliveryOptions {
  readonly clock: Clock;
  readonly records: QueueRecords;
  readonly keys: TransactionMessageKeys;
  readonly maxMessages: number;
  /** Makes a CALL on the present connection. */
  readonly call: (call: TransactionCall) => Promise<unknown>;
  /** The time for timestamps, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether that time is the Central System's. */
  readonly synchronized: () => boolean;
  readonly delivered: (event: {
    readonly transaction: Transaction;
    readonly call: TransactionCall;
    readonly conf: unknown;
  }) => void;
  readonly discarded: (event: {
    readonly transaction: Transaction;
    readonly call: TransactionCall;
    readonly reason: DiscardReason;
  }) => void;
  readonly fault: (error: unknown) => void;
}

/**
 * The transactions of a Charge Point and the delivery of their messages: joins the queue, the store and the connection.
 *
 * @spec OCPP 1.6 §3.7
 */
export class TransactionDelivery implements TransactionOutlet {
  readonly #options: TransactionDeliveryOptions;
  readonly #queue: TransactionQueue;
  readonly #run: () => void;
  readonly #transactions = new Map<number, OpenTransaction>();
  #nextNumber = 1;
  /** Sequences of messages whose timestamps are of a clock that the Central System has not set yet. */
  readonly #provisional = new Set<number>();
  /** What the message under way was answered with. */
  #conf: unknown;
  readonly #writes = new Set<Promise<void>>();

  constructor(options: TransactionDeliveryOptions) {
    this.#options = options;
    this.#queue = new TransactionQueue(options.keys, options.maxMessages);
    this.#run = drive(this.#queue, options.clock, (output) => this.#perform(output));
  }

  /** The transactions that are not stopped. */
  *running(): IterableIterator<Transaction> {
    for (const transaction of this.#transactions.values()) if (!transaction.stopped) yield transaction;
  }

  /** Takes over what an earlier run left in the store. */
  async restore(): Promise<void> {
    const { records, fault } = this.#options;
    const kept = await records.load(fault);
    const stopped = new Set(
      kept.messages.filter(({ action }) => action === "StopTransaction").map(({ transaction }) => transaction),
    );
    const add = (record: OpenTransaction["record"]): void => {
      this.#transactions.set(record.number, new OpenTransaction(this, record, stopped.has(record.number)));
      this.#nextNumber = Math.max(this.#nextNumber, record.number + 1);
    };
    // The power failed before a message was removed whose answer had been written down: the id, or that it is over.
    const over = new Set(kept.transactions.filter((record) => record.over).map(({ number }) => number));
    const identified = new Set(
      kept.transactions.filter(({ transactionId }) => transactionId !== undefined).map(({ number }) => number),
    );
    const [settled, unsettled] = partition(
      kept.messages,
      ({ action, transaction }) =>
        over.has(transaction) || (action === "StartTransaction" && identified.has(transaction)),
    );
    for (const message of settled) this.#write(records.deleteMessage(message));
    for (const number of over) this.#write(records.deleteTransaction(number));
    for (const record of kept.transactions) if (!record.over) add(record);
    for (const message of unsettled) if (!this.#transactions.has(message.transaction)) add(recordOf(message));
    this.#queue.restored(unsettled);
  }

  /** @throws RangeError The queue has no room for a transaction more. */
  start(req: Omit<Req<"StartTransaction">, "timestamp"> & { readonly timestamp?: string }): Transaction {
    const running = [...this.running()].length;
    const checked = parseReq("StartTransaction", this.#stamped(req), "local");
    if (!this.#queue.hasRoomForTransaction(running)) {
      throw new RangeError(
        "The queue is full of starts and stops that the Central System has not taken. Start no transaction until it has.",
      );
    }
    const { connectorId, idTag } = checked;
    const transaction = new OpenTransaction(this, { number: this.#nextNumber++, connectorId, idTag });
    this.#transactions.set(transaction.number, transaction);
    // The message first: from it, the record can be made anew.
    this.#enqueue(transaction, { action: "StartTransaction", req: checked });
    this.#write(this.#options.records.putTransaction(transaction.record));
    return transaction;
  }

  meterValues(transaction: OpenTransaction, req: TransactionMeterValues): void {
    const withConnector = { ...req, connectorId: transaction.connectorId };
    parseReq("MeterValues", withConnector, "local");
    this.#enqueue(transaction, { action: "MeterValues", req: withConnector });
  }

  stop(transaction: OpenTransaction, req: TransactionStop): void {
    const stamped = this.#stamped(req);
    parseReq("StopTransaction", { ...stamped, transactionId: 0 }, "local");
    this.#enqueue(transaction, { action: "StopTransaction", req: stamped });
  }

  /** Says that messages may be sent on the present connection. */
  online(): void {
    this.#queue.online(this.#options.clock.now());
    this.#run();
  }

  /** Says that no more messages may be sent for now. */
  paused(): void {
    this.#queue.paused();
  }

  /** Says that what is under way will not be delivered, which is no failure of its own. */
  offline(): void {
    this.#queue.offline();
    this.#run();
  }

  configured(keys: TransactionMessageKeys): void {
    this.#queue.configured(keys);
  }

  /**
   * Says that the Central System has told the time for the first time: timestamps made before are corrected.
   *
   * @param offsetMs - By how much the clock that made them was behind.
   */
  synchronized(offsetMs: number): void {
    this.#queue.amended((message) => (this.#provisional.has(message.sequence) ? shifted(message, offsetMs) : message));
    this.#provisional.clear();
    this.#run();
  }

  /** Resolves when the store has done everything that it was asked for. */
  async saved(): Promise<void> {
    while (this.#writes.size > 0) await Promise.allSettled(this.#writes);
  }

  #stamped<T extends { readonly timestamp?: string }>(req: T): T & { timestamp: string } {
    return { ...req, timestamp: req.timestamp ?? new Date(this.#options.now()).toISOString() };
  }

  #enqueue(transaction: OpenTransaction, message: TransactionMessage): void {
    const sequence = this.#queue.enqueued(message, transaction.number);
    if (!this.#options.synchronized()) this.#provisional.add(sequence);
    this.#run();
  }

  #perform(output: TransactionQueueOutput): void {
    const { message } = output;
    const { records, clock } = this.#options;
    switch (output.type) {
      case "put":
        this.#write(records.putMessage(message), () => {
          this.#queue.stored(message.sequence, clock.now());
          this.#run();
        });
        break;
      case "delete":
        this.#write(records.deleteMessage(message));
        if (message.action === "StopTransaction") this.#write(records.deleteTransaction(message.transaction));
        break;
      case "deliver":
        void this.#deliver(message);
        break;
      case "delivered":
        this.#delivered(message, this.#conf);
        break;
      case "discarded":
        this.#discarded(message, output.reason);
        break;
    }
  }

  async #deliver(message: QueuedMessage): Promise<void> {
    let outcome: "answered" | "failed" = "answered";
    try {
      this.#conf = await this.#options.call(this.#callOf(message));
    } catch (error) {
      // CORE-TXQ-08: being offline is no failure; the queue has been told and sends again on the next connection.
      if (error instanceof ConnectionClosedError) return;
      outcome = this.#isAnswer(message, error) ? "answered" : "failed";
      if (outcome === "answered") this.#options.fault(error);
      this.#conf = undefined;
    }
    this.#queue.settled(message.sequence, outcome, this.#options.clock.now());
    this.#run();
  }

  /** A CALLRESULT that makes no sense says at least that the message was taken; only a start needs what is in it. */
  #isAnswer({ action }: QueuedMessage, error: unknown): boolean {
    return error instanceof PayloadError && error.origin === "remote" && action !== "StartTransaction";
  }

  #delivered(message: QueuedMessage, conf: unknown): void {
    const transaction = this.#transactionOf(message);
    const call = this.#callOf(message);
    if (message.action === "StartTransaction") {
      const { transactionId, idTagInfo } = conf as Conf<"StartTransaction">;
      this.#identified(transaction, transactionId, idTagInfo.parentIdTag);
    }
    if (message.action === "StopTransaction") this.#over(transaction);
    this.#options.delivered({ transaction, call, conf });
  }

  #discarded(message: QueuedMessage, reason: DiscardReason): void {
    const transaction = this.#transactionOf(message);
    const call = this.#callOf(message);
    // CORE-TXQ-12: nobody will ever tell the id.
    if (message.action === "StartTransaction") this.#identified(transaction, -1);
    if (message.action === "StopTransaction") this.#over(transaction);
    this.#options.discarded({ transaction, call, reason });
  }

  /** The id is written down before the message that asked for it is removed, so it is never lost. */
  #identified(transaction: OpenTransaction, transactionId: number, parentIdTag?: string): void {
    transaction.identified(transactionId, parentIdTag);
    this.#write(this.#options.records.putTransaction(transaction.record));
  }

  /** So is the end: without the record, the last message would be sent again, and its id forgotten. */
  #over({ number, record }: OpenTransaction): void {
    this.#transactions.delete(number);
    this.#write(this.#options.records.putTransaction({ ...record, over: true }));
  }

  #transactionOf({ transaction }: QueuedMessage): OpenTransaction {
    return this.#transactions.get(transaction) as OpenTransaction;
  }

  #callOf(message: QueuedMessage): TransactionCall {
    const { action, req } = message;
    if (action === "StartTransaction") return { action, req };
    const transactionId = this.#transactionOf(message).transactionId ?? -1;
    return { action, req: { ...req, transactionId } } as TransactionCall;
  }

  /** A store that fails is reported, and keeps nothing from being delivered. */
  #write(write: Promise<void>, then = (): void => {}): void {
    const done = write
      .catch(this.#options.fault)
      .then(then)
      .finally(() => this.#writes.delete(done));
    this.#writes.add(done);
  }
}

/** What can be said of a transaction whose own record was lost; without its start, its id is lost, too. */
function recordOf({ action, req, transaction }: QueuedMessage): OpenTransaction["record"] {
  if (action === "StartTransaction") return { number: transaction, connectorId: req.connectorId, idTag: req.idTag };
  const connectorId = action === "MeterValues" ? req.connectorId : 0;
  return { number: transaction, connectorId, idTag: "", transactionId: -1 };
}

/** A message whose timestamps are all `offsetMs` later. */
function shifted(message: QueuedMessage, offsetMs: number): QueuedMessage {
  const later = <T extends { readonly timestamp: string }>(stamped: T): T => laterBy(offsetMs, stamped);
  switch (message.action) {
    case "StartTransaction":
      return { ...message, req: later(message.req) };
    case "MeterValues":
      return { ...message, req: { ...message.req, meterValue: message.req.meterValue.map(later) } };
    case "StopTransaction": {
      const { transactionData } = message.req;
      return {
        ...message,
        req: { ...later(message.req), ...(transactionData && { transactionData: transactionData.map(later) }) },
      };
    }
  }
}

function partition<T>(list: readonly T[], test: (item: T) => boolean): [T[], T[]] {
  return [list.filter(test), list.filter((item) => !test(item))];
}
