import { type Action, type ActionFrom, isAction, maySend, type Req } from "../messages/actions.ts";
import { parseReq } from "../messages/validate.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { Delivery } from "./delivery.ts";
import type { DeliveredAction, OutboxCall } from "./delivery-event.ts";
import type { DiscardReason, QueuedMessage } from "./delivery-queue.ts";
import { keyOf, type OutboxRecord } from "./delivery-records.ts";
import type { Desk } from "./desk.ts";
import type { Mark } from "./stamps.ts";
import type { Discarded } from "./transaction.ts";

/** The actions that a Charge Point sends and that are not for `deliver`. */
const others: Readonly<Record<Exclude<ActionFrom<"ChargePoint">, DeliveredAction>, true>> = {
  Authorize: true,
  BootNotification: true,
  Heartbeat: true,
  StatusNotification: true,
  StartTransaction: true,
  StopTransaction: true,
};

/** The payload of an action of `ChargePoint.deliver`; the `timestamp` of a security event is now by default. */
export type DeliveredReq<A extends DeliveredAction> = A extends "SecurityEventNotification"
  ? Omit<Req<A>, "timestamp"> & { readonly timestamp?: string | undefined }
  : Req<A>;

/** How many messages may wait. */
const maxMessages = 1000;

/** A message of `deliver`, as it waits. */
class OutboxMessage implements QueuedMessage {
  readonly makesRoom = false;
  readonly sequence: number;
  readonly action: Action;
  req: unknown;
  mark: Mark | undefined;
  failures: number;
  fate: OutboxRecord["fate"];

  constructor({ sequence, action, req, mark, failures, fate }: OutboxRecord) {
    this.sequence = sequence;
    this.action = action;
    this.req = req;
    this.mark = mark;
    this.failures = failures;
    this.fate = fate;
  }
}

/**
 * Messages that must not be lost and belong to no transaction: delivered in order among themselves, and at least once.
 *
 * @spec Security white paper A04 [SEC-A04-02, J-211]
 */
export class Outbox {
  readonly #desk: Desk;
  readonly #delivery: Delivery<OutboxMessage>;

  constructor(desk: Desk) {
    this.#desk = desk;
    this.#delivery = new Delivery<OutboxMessage>({
      ...desk.delivery,
      maxMessages,
      isUsable: () => true,
      dropped: () => {},
      put: (message, tried) => this.#put(message, tried),
      call: (message, attempt) => desk.call(this.#callOf(message), attempt),
      sent: (message) => this.#sent(message),
      isFinal: ({ code }) => code === "NotImplemented" || code === "NotSupported",
      exhumed: (message) => this.#exhumed(message),
      // That there was an answer is all that matters.
      readable: () => ({ conf: undefined }),
      delivered: (message, conf) => this.#delivered(message, conf),
      discarded: (message, reason) => this.#discarded(message, reason),
    });
  }

  get delivery(): Pick<
    Delivery<OutboxMessage>,
    "online" | "paused" | "postponed" | "offline" | "configured" | "heard" | "settled"
  > {
    return this.#delivery;
  }

  /** How many messages wait. */
  get size(): number {
    return this.#delivery.queue.messages.length;
  }

  /** The message that has waited longest. */
  get oldest(): { readonly sequence: number; readonly call: OutboxCall } | undefined {
    const [message] = this.#delivery.queue.messages;
    return message && { sequence: message.sequence, call: this.#callOf(message) };
  }

  /** Takes over what an earlier run left in the store. */
  restore(records: readonly OutboxRecord[]): void {
    const messages = records.map((record) => new OutboxMessage(record));
    this.#delivery.queue.restored(messages.filter(({ fate }) => fate === undefined));
    for (const message of messages) if (typeof message.fate === "object") this.#bury(message, message.fate);
  }

  /**
   * Takes a message.
   *
   * @throws PayloadError It violates its schema.
   * @throws RangeError Too many wait.
   * @throws TypeError The action is none of these.
   */
  deliver<A extends DeliveredAction>(action: A, given: DeliveredReq<A>): void {
    if (!isAction(action) || !maySend("ChargePoint", action) || Object.hasOwn(others, action)) {
      throw new TypeError(
        `deliver does not take ${action}, but what a Charge Point sends without waiting for the answer.`,
      );
    }
    const { stamps, sequences } = this.#desk;
    const isOurs =
      action === "SecurityEventNotification" && (given as { timestamp?: string } | undefined)?.timestamp === undefined;
    const own = isOurs ? stamps.stamp(sequences.peek()) : undefined;
    const stamped = own === undefined ? given : { ...given, timestamp: own.timestamp };
    const req = parseReq(action, stamped, "local");
    if (this.size >= maxMessages) {
      throw new RangeError(
        `${this.size} messages wait to be delivered. Deliver no more until the Central System takes them.`,
      );
    }
    this.#delivery.enqueue(
      new OutboxMessage({ sequence: sequences.take(), action, req, mark: own?.mark, failures: 0 }),
    );
  }

  #put({ sequence, action, req, mark, failures, fate }: OutboxMessage, tried?: () => void): void {
    const record: OutboxRecord = { sequence, action, req, mark, failures, fate };
    this.#desk.keeper.put(keyOf("outbox", sequence), JSON.stringify(record), tried);
  }

  #forget({ sequence }: OutboxMessage): void {
    this.#desk.keeper.delete(keyOf("outbox", sequence));
  }

  #callOf({ action, req, mark }: OutboxMessage): OutboxCall {
    return { action, req: this.#desk.stamps.readAll(req as object, mark) } as OutboxCall;
  }

  /** What was sent stays so. */
  #sent(message: OutboxMessage): void {
    if (message.mark === undefined) return;
    message.req = this.#desk.stamps.sent(message.req as object, message.mark).req;
    message.mark = undefined;
    this.#put(message);
  }

  #delivered(message: OutboxMessage, conf: unknown): void {
    this.#forget(message);
    this.#desk.delivered({ transaction: undefined, call: this.#callOf(message), conf });
  }

  #discarded(message: OutboxMessage, reason: DiscardReason): void {
    if (reason === "full") return; // Nothing here makes room.
    const fate: Discarded = { reason, at: this.#desk.now() };
    message.fate = fate;
    this.#put(message);
    const deadLetter = this.#bury(message, fate);
    this.#desk.discarded({ transaction: undefined, call: this.#callOf(message), reason, deadLetter });
  }

  #bury(message: OutboxMessage, fate: Discarded): DeadLetter {
    const event = { transaction: undefined, call: this.#callOf(message) };
    return this.#desk.deadLetters.add(message, event, fate, (what) => {
      if (what === "delete") this.#forget(message);
      else {
        message.fate = undefined;
        this.#delivery.restore(message);
      }
    });
  }

  /** Takes back what was given up; false when its dead letter has been decided about. */
  #exhumed(message: OutboxMessage): boolean {
    if (!this.#desk.deadLetters.withdraw(message)) return false;
    message.fate = undefined;
    return true;
  }
}
