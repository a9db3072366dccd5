import { OwnSignal, postponed } from "../abort.ts";
import type { Clock } from "../clock.ts";
import { CallError, CallTimeoutError, ConnectionClosedError, PayloadError } from "../errors.ts";
import { drive } from "../machine.ts";
import {
  type DeliveryOutcome,
  DeliveryQueue,
  type DeliveryQueueOutput,
  type DiscardReason,
  type QueuedMessage,
  type TransactionMessageKeys,
} from "./delivery-queue.ts";

/** What an attempt to deliver a message needs, see {@link CallOptions}. */
export interface AttemptOptions {
  /** Takes it back as long as it waits for its turn. */
  readonly signal: OwnSignal;
  readonly late: (conf: () => unknown) => void;
}

/** What a {@link Delivery} needs, and whom it tells. */
export interface DeliveryOptions<M> {
  readonly clock: Clock;
  readonly keys: TransactionMessageKeys;
  readonly maxMessages: number;
  /** Whether a message can be sent. */
  readonly isUsable: (message: M) => boolean;
  /** Hears that a message was dropped because it cannot be sent. */
  readonly dropped: (message: M) => void;
  /** Has a message stored as it is now; `tried` is called when that has ended, well or not. */
  readonly put: (message: M, tried: () => void) => void;
  /**
   * Makes the CALL that a message is, on the present connection; rejects with `postponed` when it was taken back. `late` is
   * called at once when an answer comes after its time, with what returns it, or throws why it is none.
   */
  readonly call: (message: M, attempt: AttemptOptions) => Promise<unknown>;
  /** Hears, before anything else, that a message was sent, whatever has come of it. */
  readonly sent: (message: M) => void;
  /** Takes back a message that was given up, because it was answered after all; false when it is too late for that. */
  readonly exhumed: (message: M) => boolean;
  /** Whether a CALLERROR says that the message will never be taken. */
  readonly isFinal: (error: CallError) => boolean;
  /** What a CALLRESULT says that violates its schema; `undefined` when that is no answer to the message. */
  readonly readable: (message: M, error: PayloadError) => { readonly conf: unknown } | undefined;
  readonly delivered: (message: M, conf: unknown) => void;
  readonly discarded: (message: M, reason: DiscardReason) => void;
  readonly fault: (error: unknown) => void;
}

/** Delivers the messages of a queue over whatever connection there is. @spec OCPP 1.6 §3.7 */
export class Delivery<M extends QueuedMessage> {
  readonly queue: DeliveryQueue<M>;
  readonly #options: DeliveryOptions<M>;
  readonly #run: () => void;
  /** What messages were answered with, until that is told. */
  readonly #confs = new WeakMap<M, unknown>();
  #latest = Promise.resolve();
  /** The one that began last; no two are under way. */
  #attempt: { readonly message: M; readonly signal: OwnSignal } | undefined;

  constructor(options: DeliveryOptions<M>) {
    this.#options = options;
    this.queue = new DeliveryQueue(options.keys, options.maxMessages);
    this.#run = drive(this.queue, options.clock, (output) => this.#perform(output));
  }

  /** Resolves when what was under way has been answered, or will not be any more, and that has been dealt with. */
  get settled(): Promise<void> {
    return this.#latest;
  }

  enqueue(message: M): void {
    this.queue.enqueued(message);
    this.#run();
  }

  /** Takes a message that was discarded back into its place. */
  restore(message: M): void {
    this.queue.returned(message, this.#options.clock.now());
    this.#run();
  }

  /** Says that messages may be sent on the present connection. */
  online(): void {
    this.queue.online(this.#options.clock.now());
    this.#run();
  }

  /** Says that no more messages may be sent for now. */
  paused(): void {
    this.queue.paused();
  }

  /** Takes back the message that waits for its turn on the connection, too. */
  postponed(): void {
    this.paused();
    this.#attempt?.signal.abort(postponed);
  }

  /** Says that what is under way will not be delivered, which is no failure of its own. */
  offline(): void {
    this.queue.offline();
    this.#run();
  }

  configured(keys: TransactionMessageKeys): void {
    this.queue.configured(keys);
  }

  /** Says that the Central System has answered something, after what it has answered was dealt with. */
  heard(): void {
    this.queue.heard(this.#options.clock.now());
    this.#run();
  }

  #perform(output: DeliveryQueueOutput<M>): void {
    const { message } = output;
    const { clock, dropped, isUsable, put } = this.#options;
    switch (output.type) {
      case "put":
        put(message, () => {
          this.queue.stored(message, clock.now());
          this.#run();
        });
        break;
      case "deliver":
        if (isUsable(message)) this.#latest = this.#deliver(message);
        else {
          dropped(message);
          this.queue.removed(message, clock.now());
        }
        break;
      case "delivered":
        this.#options.delivered(message, this.#confs.get(message));
        break;
      case "discarded":
        this.#options.discarded(message, output.reason);
        break;
    }
  }

  async #deliver(message: M): Promise<void> {
    const signal = new OwnSignal();
    this.#attempt = { message, signal };
    let outcome: DeliveryOutcome | undefined = "answered";
    try {
      const late = (conf: () => unknown): void => this.#answeredLate(message, conf);
      this.#confs.set(message, await this.#options.call(message, { signal, late }));
      this.#options.sent(message);
    } catch (error) {
      if (wasSent(error)) this.#options.sent(message);
      outcome = this.#outcomeOf(message, error);
    }
    // CORE-TXQ-08: being offline is no failure; the queue has been told and sends again on the next connection.
    if (outcome === undefined) return;
    this.#exhume(message, outcome);
    this.queue.settled(message, outcome, this.#options.clock.now());
    this.#run();
  }

  #answeredLate(message: M, conf: () => unknown): void {
    let outcome: DeliveryOutcome | undefined = "answered";
    try {
      this.#confs.set(message, conf());
    } catch (error) {
      // It means all of them, as in time.
      if (error instanceof CallError && error.code === "SecurityError") return;
      outcome = this.#outcomeOf(message, error);
    }
    if (outcome === undefined) return;
    this.#exhume(message, outcome);
    // The next attempt may wait for its turn; the Central System would take it for another message.
    if (outcome === "answered" && this.#attempt?.message === message) this.#attempt.signal.abort(postponed);
    this.queue.settledLate(message, outcome, this.#options.clock.now());
    this.#run();
  }

  /** CORE-TXQ-08: the answer to any attempt is the answer, also once the message has been given up. */
  #exhume(message: M, outcome: DeliveryOutcome): void {
    if (outcome !== "answered" || this.queue.has(message) || !this.#options.exhumed(message)) return;
    this.queue.returned(message, this.#options.clock.now());
  }

  /** CORE-TXQ-08, CORE-TXQ-09: what the Central System has to answer for is a failure, and nothing else. */
  #outcomeOf(message: M, error: unknown): DeliveryOutcome | undefined {
    const { fault, isFinal } = this.#options;
    if (error instanceof ConnectionClosedError) return undefined;
    if (error === postponed) return "postponed";
    if (error instanceof CallError) return isFinal(error) ? "refused" : "failed";
    if (error instanceof CallTimeoutError) return error.silent ? "unanswered" : "failed";
    fault(error);
    if (!(error instanceof PayloadError)) return "unsent";
    // What cannot be sent now never can.
    return error.origin === "local" ? "refused" : this.#readable(message, error);
  }

  #readable(message: M, error: PayloadError): DeliveryOutcome {
    const readable = this.#options.readable(message, error);
    if (readable === undefined) return "failed";
    this.#confs.set(message, readable.conf);
    return "answered";
  }
}

/** Whether a CALL that has failed had been sent. */
function wasSent(error: unknown): boolean {
  if (error instanceof ConnectionClosedError) return error.sent;
  if (error instanceof PayloadError) return error.origin === "remote";
  return error instanceof CallError || error instanceof CallTimeoutError;
}
