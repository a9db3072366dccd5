/*
 * Messages that must not be lost and that the Central System has not answered yet, as a machine: in order, at least once,
 * through failures, lost connections and power cuts.
 *
 * Theory of operation. A message lives like this:
 *
 *   enqueued ─► put ─► stored ─► deliver ─► delivered
 *                        ▲           │  ▲
 *                        │   failure │  │ retryInterval × failures, or the next connection
 *                        └───────────┴──┘
 *                                    └────► discarded, after the configured number of failures
 *
 * Only the first message is ever delivered, and it stays first until it is delivered or discarded (CORE-TXQ-03). It is
 * written down before it is sent and removed after it is answered, so a crash at any moment loses no message; it repeats
 * those whose removal had not reached the store.
 *
 * A failure is what the Central System has to answer for: a refusal, or no answer although it has answered something
 * since (CORE-TXQ-08). As long as nothing shows that it is there, no answer means that nobody was asked: the message is
 * sent again after the same wait, or on the next connection, and counts as sent for the first time. Neither does a lost
 * connection count.
 *
 * The queue is bounded. When it is full, meter values make room: with each message that comes, one goes, and over them all
 * it is every second one; never a start or a stop. `hasRoomForTransaction` says no before starts and stops alone could
 * fill it.
 *
 *   Inputs    restored            what a store kept, once, before anything else
 *             enqueued, returned  something happened; what was discarded is wanted again, in its old place
 *             removed             a message turns out to be of no use
 *             stored              a `put` has ended, well or not: a store that fails keeps nothing from being delivered
 *             online, offline     whether messages may be sent now
 *             settled             how a `deliver` ended
 *             heard               the Central System has answered something
 *             configured          TransactionMessageAttempts, TransactionMessageRetryInterval
 *   Outputs   put                 for the store
 *             deliver             send it now
 *             delivered, discarded
 *
 * Not handled here: what the messages say, transaction ids, the store.
 */

import type { Machine } from "../machine.ts";

/** A message in the queue. */
export interface QueuedMessage {
  /** Its place: later messages have larger ones, across restarts. */
  readonly sequence: number;
  /** Whether it may be thrown away when the queue is full. */
  readonly makesRoom: boolean;
  /** How often the Central System has failed to take it. The queue counts. */
  failures: number;
}

/**
 * Why a message was given up: the Central System has failed to take it too often, has said that it never will, or the queue
 * was full.
 */
export type DiscardReason = "attempts" | "refused" | "full";

export type DeliveryQueueOutput<M> =
  | { readonly type: "put"; readonly message: M }
  | { readonly type: "deliver"; readonly message: M }
  | { readonly type: "delivered"; readonly message: M }
  | { readonly type: "discarded"; readonly message: M; readonly reason: DiscardReason };

/**
 * How an attempt to deliver a message has ended.
 *
 * - `answered`: the Central System has taken it.
 * - `failed`: it has not, and it is there.
 * - `unanswered`: there was no answer, to this or to anything else since.
 * - `unsent`: it could not even be sent, through a fault of ours.
 * - `refused`: it never will.
 * - `postponed`: the message was not sent, and is delivered again as soon as messages may be sent.
 */
export type DeliveryOutcome = "answered" | "failed" | "unanswered" | "unsent" | "refused" | "postponed";

/** The configuration keys that the queue obeys. */
export interface TransactionMessageKeys {
  /** TransactionMessageAttempts: how often a message is sent that the Central System fails to take. At least 1. */
  readonly attempts: number;
  /** TransactionMessageRetryInterval, in milliseconds. */
  readonly retryIntervalMs: number;
}

/** How long a message waits at least that nobody has answered. */
const shortestPauseMs = 1000;

/** Machine 4 of 4. @spec OCPP 1.6 §3.7, §3.7.1 [CORE-TXQ-01 … CORE-TXQ-17] */
export class DeliveryQueue<M extends QueuedMessage> implements Machine<DeliveryQueueOutput<M>> {
  readonly #outputs: DeliveryQueueOutput<M>[] = [];
  readonly #maxMessages: number;
  #keys: TransactionMessageKeys;
  /** In the order of their sequences. */
  #messages: M[] = [];
  /** How many of them may be thrown away. */
  #making = 0;
  /** Those that are still to be stored before they may be delivered. */
  readonly #unstored = new Set<M>();
  #online = false;
  #underWay: M | undefined;
  /** Were not answered, and nothing has shown yet that anybody was there: more than one where another was wanted again. */
  readonly #doubtful = new Set<M>();
  /** Messages that are not sent again before a moment. */
  readonly #waits = new Map<M, number>();
  /** Up to where meter values have been thinned out, by sequence. */
  #thinned = 0;

  /** @param maxMessages - How many messages the queue holds; at least 2. */
  constructor(keys: TransactionMessageKeys, maxMessages: number) {
    this.#keys = keys;
    this.#maxMessages = maxMessages;
  }

  /** The messages that wait, first to be delivered first. */
  get messages(): readonly M[] {
    return this.#messages;
  }

  get deadline(): number {
    const message = this.#next();
    return message === undefined ? Number.POSITIVE_INFINITY : this.#readyAt(message);
  }

  poll(): DeliveryQueueOutput<M> | undefined {
    return this.#outputs.shift();
  }

  /**
   * Whether the start of one more transaction, and its stop, will find room beside those of the transactions that run.
   *
   * @param running - How many transactions run whose stop is not in the queue yet.
   */
  hasRoomForTransaction(running: number): boolean {
    // Meter values make room, unless they are under way, as the first message may be.
    const lasting = this.#messages.length - this.#making + Number(this.#messages[0]?.makesRoom ?? false);
    return lasting + running + 2 <= this.#maxMessages;
  }

  /** Takes what the store kept, in order. */
  restored(messages: readonly M[]): void {
    this.#messages = [...messages];
    this.#making = messages.filter(({ makesRoom }) => makesRoom).length;
  }

  /** Takes a message, whose sequence is the largest so far; it is put into the store, and delivered when its turn comes. */
  enqueued(message: M): void {
    // More than one only where the queue has become shorter since a restart.
    for (let places = 0; places < 2 && this.#messages.length >= this.#maxMessages; places++) this.#makeRoom();
    if (this.#messages.length >= this.#maxMessages && message.makesRoom) {
      this.#outputs.push({ type: "discarded", message, reason: "full" });
      return;
    }
    this.#insert(this.#messages.length, message);
  }

  /** Whether a message waits. */
  has(message: M): boolean {
    return this.#messages[this.#indexOf(message.sequence)] === message;
  }

  /** Takes back a message that was discarded, as if it had never been sent. */
  returned(message: M, now: number): void {
    message.failures = 0;
    this.#insert(this.#indexOf(message.sequence), message);
    this.advance(now);
  }

  /** Says that a message is of no use; nothing more is told of it. */
  removed(message: M, now: number): void {
    this.#take(message);
    this.advance(now);
  }

  /** Says that the store has taken a message, or has failed to. */
  stored(message: M, now: number): void {
    this.#unstored.delete(message);
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

  /** Says that the connection has ended; a message under way, or in doubt, waits for the next one and no longer. */
  offline(): void {
    this.#online = false;
    for (const message of this.#doubtful) this.#waits.delete(message);
    this.#doubtful.clear();
    this.#underWay = undefined;
  }

  /**
   * Says how the delivery of a message has ended. [CORE-TXQ-08] An answer counts whenever it comes, also after its time or
   * as the connection ends; what is no answer only for the message that is under way.
   */
  settled(message: M, outcome: DeliveryOutcome, now: number): void {
    const wasUnderWay = this.#underWay === message;
    const counts = wasUnderWay || (this.#doubtful.has(message) && outcome !== "unanswered");
    if (wasUnderWay) {
      this.#underWay = undefined;
      if (outcome === "unsent") this.#waits.set(message, now + shortestPauseMs);
      else if (outcome !== "postponed") this.#waitFor(message, now);
    }
    if (outcome === "answered") this.#end(message, { type: "delivered", message });
    else if (counts && outcome === "unanswered") {
      this.#doubtful.add(message);
      // This may go on for ever, so not without a pause.
      this.#waits.set(message, Math.max(this.#readyAt(message), now + shortestPauseMs));
    } else if (counts && outcome === "failed") this.#failed(message);
    else if (counts && outcome === "refused") this.#end(message, { type: "discarded", message, reason: "refused" });
    this.advance(now);
  }

  /**
   * Says how an earlier attempt has ended after its time: an answer counts; what is none, only for a message in doubt, and
   * not for the attempt that is under way by now.
   */
  settledLate(message: M, outcome: DeliveryOutcome, now: number): void {
    if (outcome === "answered" || this.#underWay !== message) this.settled(message, outcome, now);
  }

  /** Says that the Central System has answered something: who was not answered before has failed. [CORE-TXQ-08] */
  heard(now: number): void {
    if (this.#doubtful.size === 0) return;
    for (const message of [...this.#doubtful]) this.#failed(message);
    this.advance(now);
  }

  /** Says that the configuration keys have changed; a wait that has begun is not changed. */
  configured(keys: TransactionMessageKeys): void {
    this.#keys = keys;
  }

  advance(now: number): void {
    const message = this.#next();
    if (message === undefined || now < this.#readyAt(message)) return;
    this.#doubtful.delete(message);
    this.#underWay = message;
    this.#outputs.push({ type: "deliver", message });
  }

  /** The message whose turn it is, if one may be sent. */
  #next(): M | undefined {
    const [first] = this.#messages;
    const ready = this.#online && this.#underWay === undefined && first !== undefined && !this.#unstored.has(first);
    return ready ? first : undefined;
  }

  #readyAt(message: M): number {
    return this.#waits.get(message) ?? Number.NEGATIVE_INFINITY;
  }

  /** CORE-TXQ-10: interval × number of transmissions. */
  #waitFor(message: M, now: number): void {
    this.#waits.set(message, now + this.#keys.retryIntervalMs * (message.failures + 1));
  }

  /** CORE-TXQ-09, CORE-TXQ-11: until the attempts are used up. */
  #failed(message: M): void {
    this.#doubtful.delete(message);
    message.failures++;
    if (message.failures >= this.#keys.attempts) this.#end(message, { type: "discarded", message, reason: "attempts" });
    else this.#outputs.push({ type: "put", message });
  }

  #end(message: M, output: DeliveryQueueOutput<M>): void {
    if (this.#take(message)) this.#outputs.push(output);
  }

  #insert(index: number, message: M): void {
    this.#messages.splice(index, 0, message);
    this.#making += Number(message.makesRoom);
    // What is sent again after a crash must be there to be sent.
    this.#unstored.add(message);
    this.#outputs.push({ type: "put", message });
  }

  /** @returns Whether it was there. */
  #take(message: M): boolean {
    const index = this.#indexOf(message.sequence);
    if (this.#messages[index] !== message) return false;
    this.#messages.splice(index, 1);
    this.#making -= Number(message.makesRoom);
    this.#unstored.delete(message);
    if (this.#underWay === message) this.#underWay = undefined;
    this.#doubtful.delete(message);
    this.#waits.delete(message);
    return true;
  }

  /** Where the message with this sequence is, or would be. */
  #indexOf(sequence: number): number {
    let low = 0;
    let high = this.#messages.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#messages[middle] as M).sequence < sequence) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** CORE-MTR-13: thin out, the 1st, 3rd, 5th …, rather than cut off the beginning or the end. */
  #makeRoom(): void {
    const victim = this.#victimFrom(this.#indexOf(this.#thinned)) ?? this.#victimFrom(0);
    if (victim === undefined) return;
    const index = this.#indexOf(victim.sequence);
    this.#end(victim, { type: "discarded", message: victim, reason: "full" });
    // The one after it stays, until all have been passed.
    this.#thinned = (this.#victimFrom(index)?.sequence ?? Number.POSITIVE_INFINITY) + 1;
  }

  #victimFrom(index: number): M | undefined {
    for (let at = index; at < this.#messages.length; at++) {
      const message = this.#messages[at] as M;
      if (message.makesRoom && message !== this.#underWay) return message;
    }
    return undefined;
  }
}
