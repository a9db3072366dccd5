/*
 * The transaction-related messages that the Central System has not answered yet, as a machine: in order, at least once,
 * through failures, lost connections and power cuts.
 *
 * Theory of operation. A message lives like this:
 *
 *   enqueued ─► put ─► stored ─► deliver ─► delivered            ─► delete
 *                        ▲           │  ▲
 *                        │   failure │  │ retryInterval × failures, or the next connection
 *                        └───────────┴──┘
 *                                    └────► discarded, after the configured number of failures ─► delete
 *
 * Only the first message is ever delivered, and it stays first until it is delivered or discarded (CORE-TXQ-03). It is
 * written down before it is sent and removed after it is answered, so a crash at any moment loses no message; it repeats
 * those whose removal had not reached the store. Only an answer that says failure, or none in time, counts as a failure; a lost connection does not
 * (CORE-TXQ-08).
 *
 * The queue is bounded. When it is full, meter values make room, every second one of those that wait; never a start or a
 * stop. `hasRoomForTransaction` says no before starts and stops alone could fill it.
 *
 *   Inputs    restored            what a store kept, once, before anything else
 *             enqueued            something happened
 *             stored              a `put` has ended, well or not: a store that fails keeps nothing from being delivered
 *             online, offline     whether messages may be sent now
 *             settled             how a `deliver` ended
 *             configured          TransactionMessageAttempts, TransactionMessageRetryInterval
 *   Outputs   put, delete         for the store
 *             deliver             send it now
 *             delivered, discarded
 *
 * Not handled here: what the messages say, transaction ids, the store.
 */

import type { Machine } from "../machine.ts";
import type { Req } from "../messages/actions.ts";

/** A transaction-related message. @spec OCPP 1.6 §3.7 */
export type TransactionMessage =
  | { readonly action: "StartTransaction"; readonly req: Req<"StartTransaction"> }
  | { readonly action: "MeterValues"; readonly req: Omit<Req<"MeterValues">, "transactionId"> }
  | { readonly action: "StopTransaction"; readonly req: Omit<Req<"StopTransaction">, "transactionId"> };

/** A message in the queue. */
export type QueuedMessage = TransactionMessage & {
  /** Its place: later messages have larger ones, across restarts. */
  readonly sequence: number;
  /** The transaction that it belongs to, by the Charge Point's own count. */
  readonly transaction: number;
  /** How often the Central System failed to take it. */
  readonly failures: number;
};

/** Why a message was given up. */
export type DiscardReason = "attempts" | "full";

export type TransactionQueueOutput =
  | { readonly type: "put"; readonly message: QueuedMessage }
  | { readonly type: "delete"; readonly message: QueuedMessage }
  | { readonly type: "deliver"; readonly message: QueuedMessage }
  | { readonly type: "delivered"; readonly message: QueuedMessage }
  | { readonly type: "discarded"; readonly message: QueuedMessage; readonly reason: DiscardReason };

/** The configuration keys that the queue obeys. */
export interface TransactionMessageKeys {
  /** TransactionMessageAttempts: how often a message is sent that the Central System fails to take. At least 1. */
  readonly attempts: number;
  /** TransactionMessageRetryInterval, in milliseconds. */
  readonly retryIntervalMs: number;
}

/** Machine 4 of 4. @spec OCPP 1.6 §3.7, §3.7.1 [CORE-TXQ-01 … CORE-TXQ-17] */
export class TransactionQueue implements Machine<TransactionQueueOutput> {
  readonly #outputs: TransactionQueueOutput[] = [];
  readonly #maxMessages: number;
  #keys: TransactionMessageKeys;
  #messages: QueuedMessage[] = [];
  /** How many times a message, by its sequence, is still to be stored before it may be delivered. */
  readonly #unstored = new Map<number, number>();
  #nextSequence = 1;
  #online = false;
  #delivering = false;
  /** The first message is not sent again before this. */
  #retryAt = Number.NEGATIVE_INFINITY;

  /** @param maxMessages - How many messages the queue holds; at least 2. */
  constructor(keys: TransactionMessageKeys, maxMessages: number) {
    this.#keys = keys;
    this.#maxMessages = maxMessages;
  }

  /** The messages that wait, first to be delivered first. */
  get messages(): readonly QueuedMessage[] {
    return this.#messages;
  }

  get deadline(): number {
    return this.#next() === undefined ? Number.POSITIVE_INFINITY : this.#retryAt;
  }

  poll(): TransactionQueueOutput | undefined {
    return this.#outputs.shift();
  }

  /**
   * Whether the start of one more transaction, and its stop, will find room beside those of the transactions that run.
   *
   * @param running - How many transactions run whose stop is not in the queue yet.
   */
  hasRoomForTransaction(running: number): boolean {
    // Meter values make room, unless they are under way, as the first message may be.
    const lasting = this.#messages.filter(({ action }, index) => index === 0 || action !== "MeterValues").length;
    return lasting + running + 2 <= this.#maxMessages;
  }

  /** Takes what the store kept, in order. */
  restored(messages: readonly QueuedMessage[]): void {
    this.#messages = [...messages];
    this.#nextSequence = 1 + (messages.at(-1)?.sequence ?? 0);
  }

  /**
   * Takes a message; it is put into the store, and delivered when its turn comes.
   *
   * @returns Its sequence.
   */
  enqueued(message: TransactionMessage, transaction: number): number {
    if (this.#messages.length >= this.#maxMessages) this.#makeRoom();
    const sequence = this.#nextSequence++;
    const queued = { ...message, sequence, transaction, failures: 0 };
    if (this.#messages.length >= this.#maxMessages && message.action === "MeterValues") {
      this.#outputs.push({ type: "discarded", message: queued, reason: "full" });
    } else {
      this.#messages.push(queued);
      this.#putFirst(queued);
    }
    return sequence;
  }

  /** Says that the store has taken a message, or has failed to. */
  stored(sequence: number, now: number): void {
    const left = (this.#unstored.get(sequence) ?? 0) - 1;
    if (left > 0) this.#unstored.set(sequence, left);
    else this.#unstored.delete(sequence);
    this.advance(now);
  }

  /** Says that messages may be sent: connected, and accepted by the Central System. [CORE-TXQ-17] */
  online(now: number): void {
    this.#online = true;
    this.advance(now);
  }

  /** Says that no more messages may be sent for now; one under way still is, and its failure counts. [CORE-TXQ-09, CORE-TXQ-17] */
  paused(): void {
    this.#online = false;
  }

  /** Says that the connection has ended; a message under way waits for the next one. */
  offline(): void {
    this.#online = false;
    this.#delivering = false;
  }

  /**
   * Says how the delivery of a message has ended; `failed` is a CALLERROR, or no answer in time. [CORE-TXQ-08] An answer
   * that came in the moment in which the connection ended still counts; a failure then does not.
   */
  settled(sequence: number, outcome: "answered" | "failed", now: number): void {
    const [message] = this.#messages;
    if (message?.sequence !== sequence || (outcome === "failed" && !this.#delivering)) return;
    this.#delivering = false;
    if (outcome === "answered") this.#remove(message, { type: "delivered", message });
    else this.#failed({ ...message, failures: message.failures + 1 }, now);
    this.advance(now);
  }

  /** Says that the configuration keys have changed; a wait that has begun is not changed. */
  configured(keys: TransactionMessageKeys): void {
    this.#keys = keys;
  }

  /** Changes what messages say, in place, before any of them is sent again. */
  amended(amend: (message: QueuedMessage) => QueuedMessage): void {
    this.#messages = this.#messages.map((message) => {
      const amended = amend(message);
      if (amended !== message) this.#putFirst(amended);
      return amended;
    });
  }

  advance(now: number): void {
    const message = this.#next();
    if (message === undefined || now < this.#retryAt) return;
    this.#delivering = true;
    this.#outputs.push({ type: "deliver", message });
  }

  /** Has a message stored before it is delivered: what is sent again after a crash must say the same. */
  #putFirst(message: QueuedMessage): void {
    this.#unstored.set(message.sequence, 1 + (this.#unstored.get(message.sequence) ?? 0));
    this.#outputs.push({ type: "put", message });
  }

  /** The message whose turn it is, if one may be sent. */
  #next(): QueuedMessage | undefined {
    const [first] = this.#messages;
    const ready = this.#online && !this.#delivering && first !== undefined && !this.#unstored.has(first.sequence);
    return ready ? first : undefined;
  }

  /** CORE-TXQ-09 … CORE-TXQ-11: wait interval × number of transmissions, until the attempts are used up. */
  #failed(message: QueuedMessage, now: number): void {
    if (message.failures >= this.#keys.attempts) {
      this.#remove(message, { type: "discarded", message, reason: "attempts" });
      return;
    }
    this.#messages[0] = message;
    this.#retryAt = now + this.#keys.retryIntervalMs * message.failures;
    this.#outputs.push({ type: "put", message });
  }

  /** The message is told to be done before it is deleted: who crashes in between delivers it again. */
  #remove(message: QueuedMessage, output: TransactionQueueOutput): void {
    this.#messages = this.#messages.filter(({ sequence }) => sequence !== message.sequence);
    this.#retryAt = Number.NEGATIVE_INFINITY;
    this.#outputs.push(output, { type: "delete", message });
  }

  /** CORE-MTR-13: thin out, the 1st, 3rd, 5th …, rather than cut off the beginning or the end. */
  #makeRoom(): void {
    const [first] = this.#messages;
    const waiting = this.#messages.filter((message) => !(this.#delivering && message === first));
    const victims = waiting.filter(({ action }) => action === "MeterValues").filter((_, index) => index % 2 === 0);
    const retryAt = this.#retryAt;
    for (const message of victims) this.#remove(message, { type: "discarded", message, reason: "full" });
    // The wait of the first message goes on, unless it was the first that went.
    if (this.#messages[0] === first) this.#retryAt = retryAt;
  }
}
