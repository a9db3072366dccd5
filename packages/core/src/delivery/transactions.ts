import type { PayloadError } from "../errors.ts";
import type { Conf, Req } from "../messages/actions.ts";
import { parseReq, refusedPayload } from "../messages/validate.ts";
import type { DeadLetter } from "./dead-letter.ts";
import { Delivery } from "./delivery.ts";
import type { TransactionCall } from "./delivery-event.ts";
import type { DiscardReason, QueuedMessage } from "./delivery-queue.ts";
import { keyOf, type MeterValuesRecord, parseMeterValues } from "./delivery-records.ts";
import type { Desk } from "./desk.ts";
import { notEarlier, type Stamped } from "./stamps.ts";
import {
  checkedData,
  type Discarded,
  epochsOf,
  type MessageRecord,
  type MeterReading,
  OpenTransaction,
  type StartMessage,
  type StopMessage,
  type StopReq,
  type Transaction,
  type TransactionMeterValues,
  type TransactionOutlet,
  type TransactionRecord,
  type TransactionStart,
  type TransactionStop,
} from "./transaction.ts";

/** Meter values as they wait: what the store kept of them is read when their turn comes. */
class MeterValuesMessage implements QueuedMessage {
  readonly action = "MeterValues";
  readonly sequence: number;
  readonly makesRoom = true;
  readonly #text: string | undefined;
  #record: MeterValuesRecord | undefined;
  /** They were given up once, so their transaction waits for them. */
  isHeld = false;

  constructor(sequence: number, record: MeterValuesRecord | string) {
    this.sequence = sequence;
    if (typeof record === "string") this.#text = record;
    else this.#record = record;
  }

  /** @throws Error What the store kept is damaged. */
  get record(): MeterValuesRecord {
    this.#record ??= parseMeterValues(this.#text ?? "");
    return this.#record;
  }

  get text(): string {
    return this.#record === undefined ? (this.#text ?? "") : JSON.stringify(this.#record);
  }

  get failures(): number {
    return this.record.failures;
  }

  set failures(failures: number) {
    this.#record = { ...this.record, failures };
  }

  get fate(): MeterValuesRecord["fate"] {
    return this.record.fate;
  }

  set fate(fate: MeterValuesRecord["fate"]) {
    this.#record = { ...this.record, fate };
  }

  get req(): MeterValuesRecord["req"] {
    return this.record.req;
  }

  set req(req: MeterValuesRecord["req"]) {
    this.#record = { ...this.record, req };
  }

  get mark(): MeterValuesRecord["mark"] {
    return this.record.mark;
  }

  set mark(mark: MeterValuesRecord["mark"]) {
    this.#record = { ...this.record, mark };
  }
}

type Message = StartMessage | MeterValuesMessage | StopMessage;

/** Settings of {@link Transactions}. */
export interface TransactionsOptions {
  /** How many messages may wait. */
  readonly maxMessages: number;
  /** Whether a connector may have several transactions at a time. */
  readonly severalPerConnector: boolean;
  /** What a StartTransaction.conf says that violates its schema; `undefined` when no id is in it. */
  readonly readStart: (payload: unknown) => StartAnswer | undefined;
  /** Hears that other transactions run, or that one has its id. */
  readonly changed: () => void;
}

/** What StartTransaction was answered with; without `idTagInfo`, that could not be read. */
type StartAnswer = Pick<Conf<"StartTransaction">, "transactionId"> & {
  readonly idTagInfo: Conf<"StartTransaction">["idTagInfo"] | undefined;
};

/** What an earlier run left. */
export interface KeptTransactions {
  readonly transactions: readonly TransactionRecord[];
  /** Meter values that wait or were given up, by their sequences, as the store has them. */
  readonly meterValues: ReadonlyMap<number, string>;
  /** Whether the record of a transaction was damaged. */
  readonly damaged: boolean;
}

/**
 * The transactions of a Charge Point and the delivery of their messages.
 *
 * @spec OCPP 1.6 §3.7, §4.7, §4.8, §4.10
 */
export class Transactions implements TransactionOutlet {
  readonly #desk: Desk;
  readonly #options: TransactionsOptions;
  readonly #delivery: Delivery<Message>;
  /** By number: those that run, whose messages wait, or of which something was given up. */
  readonly #transactions = new Map<number, OpenTransaction>();
  readonly #running = new Set<OpenTransaction>();
  /** The record of a transaction was damaged, so meter values that belong to none may be of that one. */
  #isIncomplete = false;

  constructor(desk: Desk, options: TransactionsOptions) {
    this.#desk = desk;
    this.#options = options;
    this.#delivery = new Delivery<Message>({
      ...desk.delivery,
      maxMessages: options.maxMessages,
      isUsable: (message) => this.#isUsable(message),
      dropped: (message) => this.#clearAway(message),
      put: (message, tried) => this.#put(message, tried),
      call: (message, attempt) => desk.call(this.#told(message), attempt),
      sent: (message) => this.#sent(message),
      isFinal: () => false,
      exhumed: (message) => this.#exhumed(message),
      readable: (message, error) => this.#readable(message, error),
      delivered: (message, conf) => this.#delivered(message, conf),
      discarded: (message, reason) => this.#discarded(message, reason),
    });
  }

  get delivery(): Pick<
    Delivery<Message>,
    "online" | "paused" | "postponed" | "offline" | "configured" | "heard" | "settled"
  > {
    return this.#delivery;
  }

  /** The transactions that are not stopped. */
  get running(): readonly OpenTransaction[] {
    return [...this.#running];
  }

  /** How many messages wait. */
  get size(): number {
    return this.#delivery.queue.messages.length;
  }

  /** The message that has waited longest. */
  get oldest(): { readonly sequence: number; readonly call: TransactionCall } | undefined {
    const [message] = this.#delivery.queue.messages;
    if (message === undefined || !this.#isUsable(message)) return undefined;
    return { sequence: message.sequence, call: this.#callOf(message) };
  }

  /** The epochs that timestamps of its transactions are of; those of meter values are not among them. */
  get epochs(): readonly number[] {
    return [...this.#transactions.values()].flatMap(({ record }) => epochsOf(record));
  }

  /** Takes over what an earlier run left in the store. */
  restore({ transactions, meterValues, damaged }: KeptTransactions): void {
    this.#isIncomplete = damaged;
    for (const record of transactions) {
      const transaction = new OpenTransaction(this, record);
      this.#transactions.set(transaction.number, transaction);
      if (!transaction.stopped) this.#running.add(transaction);
    }
    const messages: Message[] = [...meterValues].map(([sequence, text]) => new MeterValuesMessage(sequence, text));
    for (const { start, stopMessage } of this.#transactions.values())
      messages.push(start, ...(stopMessage === undefined ? [] : [stopMessage]));
    messages.sort((a, b) => a.sequence - b.sequence);
    this.#delivery.queue.restored(messages.filter(waits));
    for (const message of messages) {
      if (waits(message)) continue;
      if (!this.#isUsable(message)) {
        this.#clearAway(message);
        continue;
      }
      if (typeof message.fate !== "object") continue;
      if (message.action === "MeterValues") this.#hold(message, this.#transactionOf(message) as OpenTransaction);
      this.#bury(message, message.fate);
    }
    this.#tidy();
  }

  /**
   * @throws PayloadError It violates the schema of StartTransaction.req.
   * @throws RangeError The queue has no room for a transaction more.
   * @throws TypeError A transaction runs on this connector, or `data` cannot be kept.
   */
  start(req: TransactionStart, data: unknown): Transaction {
    const stamped = this.#stamp();
    const timestamp = req?.timestamp ?? stamped.timestamp;
    const checked = parseReq("StartTransaction", { ...req, timestamp }, "local");
    const { connectorId } = checked;
    const kept = data === undefined ? undefined : checkedData(data);
    if (!this.#options.severalPerConnector && this.running.some((other) => other.connectorId === connectorId)) {
      throw new TypeError(
        `A transaction runs on connector ${connectorId}. Stop it first, or set severalTransactionsPerConnector.`,
      );
    }
    if (!this.#delivery.queue.hasRoomForTransaction(this.#running.size)) {
      throw new RangeError(
        "The queue is full of starts and stops that the Central System has not taken. Start no transaction until it has.",
      );
    }
    const start = this.#record(checked, stamped, req.timestamp);
    const transaction = new OpenTransaction(this, { start, data: kept });
    this.#transactions.set(transaction.number, transaction);
    this.#running.add(transaction);
    this.#delivery.enqueue(transaction.start);
    this.#options.changed();
    return transaction;
  }

  assertAlive(): void {
    this.#desk.assertAlive();
  }

  read(...args: Parameters<TransactionOutlet["read"]>): string {
    return this.#desk.stamps.read(...args);
  }

  changed(transaction: OpenTransaction): void {
    this.#keep(transaction);
  }

  meterValues(transaction: OpenTransaction, given: TransactionMeterValues): void {
    const { sequences } = this.#desk;
    const { connectorId, number } = transaction;
    const stamped = this.#stamp(transaction);
    const meterValue = timed(given?.meterValue, stamped);
    const req = parseReq("MeterValues", { ...given, connectorId, meterValue }, "local");
    transaction.assertRunning(); // The owner may have been called meanwhile.
    const { mark } = stamped;
    transaction.stamped = stamped;
    transaction.measured(req.meterValue.at(-1) as Req<"MeterValues">["meterValue"][number], mark);
    // First: what was stamped last must not be forgotten where the meter values are kept.
    this.#keep(transaction);
    const sequence = sequences.take();
    this.#delivery.enqueue(new MeterValuesMessage(sequence, { sequence, failures: 0, transaction: number, req, mark }));
  }

  stop(transaction: OpenTransaction, given: TransactionStop): void {
    const stamped = this.#stamp(transaction);
    const transactionData = timed(given?.transactionData, stamped);
    const { transactionId: _, ...req } = parseReq(
      "StopTransaction",
      {
        ...given,
        timestamp: given?.timestamp ?? stamped.timestamp,
        ...(transactionData !== undefined && { transactionData }),
        transactionId: 0,
      },
      "local",
    );
    transaction.assertRunning(); // The owner may have been called meanwhile.
    transaction.stopWith(this.#record(req, stamped, given.timestamp));
    this.#running.delete(transaction);
    this.#delivery.enqueue(transaction.stopMessage as StopMessage);
    this.#options.changed();
  }

  /** Stamps what happens now to a transaction. */
  #stamp(transaction?: OpenTransaction): Stamped {
    const { sequences, stamps } = this.#desk;
    return stamps.stamp(sequences.peek(), transaction?.stamped, transaction?.notBefore);
  }

  /** @param given - The timestamp that the owner gave. */
  #record<R>(req: R, { mark }: Stamped, given: string | undefined): MessageRecord<R> {
    const sequence = this.#desk.sequences.take();
    return { sequence, failures: 0, req, mark, given: given === undefined ? undefined : true };
  }

  // The store

  /** Has a transaction kept as it is now, or not at all when nothing is left to be done about it. */
  #keep(transaction: OpenTransaction, tried?: () => void): void {
    const key = keyOf("transaction", transaction.number);
    if (this.#isNeeded(transaction)) this.#desk.keeper.put(key, JSON.stringify(transaction.record), tried);
    else {
      this.#transactions.delete(transaction.number);
      this.#desk.keeper.delete(key);
    }
  }

  #isNeeded({ start, stopMessage, heldMeterValues }: OpenTransaction): boolean {
    return !isOver(start.fate) || stopMessage === undefined || !isOver(stopMessage.fate) || heldMeterValues > 0;
  }

  #put(message: Message, tried?: () => void): void {
    if (message.action !== "MeterValues") this.#keep(message.transaction, tried);
    else this.#desk.keeper.put(keyOf("queue", message.sequence), message.text, tried);
  }

  /** Looks, when no meter values wait, for transactions that nothing waits for any more. */
  #tidy(): void {
    if (this.size > 0) return;
    for (const transaction of this.#transactions.values()) if (!this.#isNeeded(transaction)) this.#keep(transaction);
  }

  // The messages

  /** The transaction of a message; `undefined` when it is over, or was lost. */
  #transactionOf(message: Message): OpenTransaction | undefined {
    return message.action === "MeterValues" ? this.#transactions.get(message.record.transaction) : message.transaction;
  }

  /** Whether a message can be read, and belongs to a transaction; starts and stops always do. */
  #isUsable(message: Message): boolean {
    try {
      return this.#transactionOf(message) !== undefined;
    } catch {
      return false;
    }
  }

  /** Removes meter values that are of no use from where they are kept, or sets them aside. */
  #clearAway(message: Message): void {
    if (message.action !== "MeterValues") return;
    const { keeper } = this.#desk;
    const record = { key: keyOf("queue", message.sequence), value: message.text };
    try {
      message.record;
    } catch (cause) {
      keeper.setAside(record, "is damaged", cause);
      return;
    }
    // What was delivered and could not be deleted then, unless more is known to be lost.
    if (this.#isIncomplete) keeper.setAside(record, "belongs to no transaction");
    else keeper.delete(record.key);
  }

  #eventOf(message: Message): { readonly transaction: OpenTransaction; readonly call: TransactionCall } {
    return { transaction: this.#transactionOf(message) as OpenTransaction, call: this.#callOf(message) };
  }

  #callOf(message: Message): TransactionCall {
    const { action, mark } = message;
    const ours = isOurs(message);
    const notBefore = this.#notBefore(message);
    const req = this.#desk.stamps.readAll(message.req, mark, ours, notBefore);
    if (action === "StartTransaction") return { action, req } as TransactionCall;
    // CORE-TXQ-12
    const { transactionId = -1 } = this.#transactionOf(message) ?? {};
    // Where nobody can say any more by how much the start is wrong, the stop is right, and still not before it.
    const stop = action === "StopTransaction" && ours ? notEarlier(req as StopReq, notBefore) : req;
    return { action, req: { ...stop, transactionId } } as TransactionCall;
  }

  /** The CALL that is sent now. */
  #told(message: Message): TransactionCall {
    if (message.action === "StopTransaction") message.toldId = message.transaction.transactionId ?? -1;
    return this.#callOf(message);
  }

  /** Before which time nothing of a message may be; a start is the first of its transaction. */
  #notBefore(message: Message): number | undefined {
    return message.action === "StartTransaction" ? undefined : this.#transactionOf(message)?.notBefore;
  }

  /** What was sent stays so, and what follows of its transaction is not before what was sent uncorrected. */
  #sent(message: Message): void {
    const transaction = this.#transactionOf(message);
    if (message.mark === undefined || transaction === undefined) return;
    const sent = this.#desk.stamps.sent(message.req, message.mark, isOurs(message), this.#notBefore(message));
    message.req = sent.req;
    message.mark = undefined;
    const rises = sent.latest > (transaction.notBefore ?? Number.NEGATIVE_INFINITY);
    if (rises) transaction.notBefore = sent.latest;
    if (rises || message.action !== "MeterValues") this.#keep(transaction);
    if (message.action === "MeterValues") this.#put(message);
  }

  /** A CALLRESULT that makes no sense says at least that the message was taken; only a start needs what is in it. */
  #readable({ action }: Message, error: PayloadError): { readonly conf: unknown } | undefined {
    if (action !== "StartTransaction") return { conf: undefined };
    const conf = this.#options.readStart(refusedPayload(error));
    return conf && { conf };
  }

  #delivered(message: Message, conf: unknown): void {
    const event = this.#eventOf(message);
    const { transaction } = event;
    if (message.action === "StartTransaction") {
      const { transactionId, idTagInfo } = conf as StartAnswer;
      transaction.identifiedAs(transactionId, idTagInfo?.parentIdTag);
      this.#options.changed();
    }
    // CORE-TXQ-12: it has said -1, and the id has become known meanwhile: the transaction is open there.
    if (message.action === "StopTransaction" && message.toldId === -1 && (transaction.transactionId ?? -1) !== -1) {
      message.toldId = undefined;
      this.#delivery.restore(message);
      return;
    }
    const { stopMessage } = transaction;
    // The start was given up, and then retried: its stop has said -1, and the transaction is open there.
    const isOpen = message.action === "StartTransaction" && stopMessage?.fate === "settled";
    if (isOpen) stopMessage.fate = undefined;
    this.#settled(message, transaction);
    if (isOpen) this.#delivery.restore(stopMessage);
    this.#desk.delivered({ ...event, conf });
  }

  /** Nothing is left to be done about a message. */
  #settled(message: Message, transaction: OpenTransaction, fate: "settled" | "forgotten" = "settled"): void {
    if (message.action === "MeterValues") {
      this.#desk.keeper.delete(keyOf("queue", message.sequence));
      if (message.isHeld) {
        this.#release(message, transaction);
        this.#keep(transaction);
      }
    } else {
      message.fate = fate;
      this.#keep(transaction);
    }
    this.#tidy();
  }

  #discarded(message: Message, reason: DiscardReason): void {
    const { discarded, now } = this.#desk;
    if (reason === "full") {
      if (!this.#isUsable(message)) {
        this.#clearAway(message);
        return;
      }
      const event = this.#eventOf(message);
      this.#settled(message, event.transaction);
      discarded({ ...event, reason, deadLetter: undefined });
      return;
    }
    const event = this.#eventOf(message);
    const fate: Discarded = { reason, at: now() };
    message.fate = fate;
    if (message.action === "MeterValues") this.#hold(message, event.transaction);
    this.#put(message);
    const deadLetter = this.#bury(message, fate);
    discarded({ ...event, reason, deadLetter });
  }

  #bury(message: Message, fate: Discarded): DeadLetter {
    const event = this.#eventOf(message);
    return this.#desk.deadLetters.add(message, event, fate, (what) => {
      if (what === "delete") this.#settled(message, event.transaction, "forgotten");
      else {
        message.fate = undefined;
        this.#delivery.restore(message);
      }
    });
  }

  /** Takes back what was given up; false when its dead letter has been decided about. */
  #exhumed(message: Message): boolean {
    const isLetter = this.#desk.deadLetters.withdraw(message);
    // The id of a transaction is of use as long as that is there, whatever was decided about its start.
    const isForgotten =
      message.action === "StartTransaction" &&
      message.fate === "forgotten" &&
      this.#transactions.get(message.transaction.number) === message.transaction;
    if (!isLetter && !isForgotten) return false;
    message.fate = undefined;
    return true;
  }

  /** A transaction is kept for as long as meter values of it are a dead letter, or wait because they were one. */
  #hold(message: MeterValuesMessage, transaction: OpenTransaction): void {
    if (!message.isHeld) transaction.heldMeterValues++;
    message.isHeld = true;
  }

  #release(message: MeterValuesMessage, transaction: OpenTransaction): void {
    message.isHeld = false;
    transaction.heldMeterValues--;
  }
}

/** Whether the timestamp of a message is of our making. */
const isOurs = (message: Message): boolean => message.action === "MeterValues" || !message.given;

const isOver = (fate: Message["fate"]): boolean => fate === "settled" || fate === "forgotten";

/** Whether a message that was kept is still to be delivered. Meter values are not parsed for that. */
const waits = (message: Message): boolean =>
  message.action === "MeterValues" ? !message.text.includes(givenUp) : message.fate === undefined;

/** Stands in the record of meter values that were given up, and in no other: inside of a text it would have backslashes. */
const givenUp = '"fate":{';

/** Readings with a timestamp each; what is no list is for the schema to refuse. */
function timed(readings: readonly MeterReading[] | undefined, { timestamp }: Stamped): unknown {
  if (!Array.isArray(readings)) return readings;
  return readings.map((reading) =>
    typeof reading === "object" && reading !== null
      ? { ...reading, timestamp: reading.timestamp ?? timestamp }
      : reading,
  );
}
