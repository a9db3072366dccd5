import type { Req } from "../messages/actions.ts";
import type { DiscardReason, QueuedMessage } from "./delivery-queue.ts";
import type { Mark, Stamped } from "./stamps.ts";

type MeterValue = Req<"MeterValues">["meterValue"][number];

/** What was sampled at one moment; `timestamp` is now by default. */
export type MeterReading = Omit<MeterValue, "timestamp"> & { readonly timestamp?: string | undefined };

/** What `startTransaction` takes: StartTransaction.req; `timestamp` is now by default. */
export type TransactionStart = Omit<Req<"StartTransaction">, "timestamp"> & {
  readonly timestamp?: string | undefined;
};

/** What a transaction's `meterValues` takes: MeterValues.req without what the transaction knows. */
export interface TransactionMeterValues {
  readonly meterValue: readonly MeterReading[];
}

/** What a transaction's `stop` takes: StopTransaction.req without the transaction id; `timestamp` is now by default. */
export type TransactionStop = Omit<Req<"StopTransaction">, "transactionId" | "timestamp" | "transactionData"> & {
  readonly timestamp?: string | undefined;
  readonly transactionData?: readonly MeterReading[] | undefined;
};

/**
 * A transaction at this Charge Point, from its start to its stop, online or not.
 *
 * Its messages are delivered in order and at least once, and survive a power cut; the transaction id is filled in when it
 * is known. All that is told here survives a power cut, too.
 *
 * @spec OCPP 1.6 §3.7, §4.8, §4.10
 */
export interface Transaction {
  readonly connectorId: number;
  /** The identifier that started it. */
  readonly idTag: string;
  /** What the meter showed at its start, in Wh. */
  readonly meterStart: number;
  /** When it started, in milliseconds since the epoch. */
  readonly startedAt: number;
  /** What `meterValues` reported last. */
  readonly lastReading: MeterValue | undefined;
  /**
   * The id that the Central System gave this transaction: `undefined` until StartTransaction is answered, -1 when it was
   * given up. It is what RemoteStopTransaction names.
   */
  readonly transactionId: number | undefined;
  /** Whether the Central System has given it an id. */
  readonly identified: boolean;
  /** The group of the identifier that started it, as far as StartTransaction.conf has told. */
  readonly parentIdTag: string | undefined;
  /** Whether `stop` has been called; delivering that may take longer. */
  readonly stopped: boolean;
  /** What the owner has kept with it, see {@link Transaction.keep}. */
  readonly data: unknown;
  /**
   * Keeps something of the owner's with this transaction, in place of what was kept before, until it is over.
   *
   * @param data - What `JSON.stringify` makes at most 10 000 characters of. `undefined`: nothing.
   * @throws TypeError It cannot be written as JSON, or is longer; or the ChargePoint has been stopped.
   */
  keep(data: unknown): void;
  /**
   * Reports meter values of this transaction.
   *
   * @throws PayloadError They violate the schema of MeterValues.req.
   * @throws TypeError The transaction, or its ChargePoint, has been stopped.
   * @spec OCPP 1.6 §4.7 [CORE-MV-03, CORE-MV-04, CORE-MV-06, CORE-MV-07]
   */
  meterValues(req: TransactionMeterValues): void;
  /**
   * Reports that this transaction is over.
   *
   * @param req - `meterStop` in Wh; `idTag` of who stopped it, if known; `reason` unless it is Local; `timestamp` is now
   * by default.
   * @throws PayloadError It violates the schema of StopTransaction.req.
   * @throws TypeError The transaction, or its ChargePoint, has been stopped.
   * @spec OCPP 1.6 §4.10 [CORE-STOP-01 … CORE-STOP-06]
   */
  stop(req: TransactionStop): void;
}

/** That a message was given up. */
export interface Discarded {
  readonly reason: Exclude<DiscardReason, "full">;
  /** In milliseconds since the epoch. */
  readonly at: number;
}

/** What the store keeps of a message. */
export interface MessageRecord<R> {
  readonly sequence: number;
  readonly failures: number;
  readonly req: R;
  /** The clock was doubtful when it was stamped. */
  readonly mark?: Mark | undefined;
  /** The owner gave its `timestamp`. */
  readonly given?: true | undefined;
  /** What has become of it: it was delivered, it was given up, or even that was forgotten. Absent: it waits. */
  readonly fate?: "settled" | "forgotten" | Discarded | undefined;
}

type StartReq = Req<"StartTransaction">;
export type StopReq = Omit<Req<"StopTransaction">, "transactionId">;
export type MeterValuesReq = Omit<Req<"MeterValues">, "transactionId">;

/** What the store keeps of a transaction: all of it but its meter values, so that it is there as a whole or not at all. */
export interface TransactionRecord {
  readonly start: MessageRecord<StartReq>;
  readonly stop?: MessageRecord<StopReq> | undefined;
  readonly transactionId?: number | undefined;
  readonly parentIdTag?: string | undefined;
  readonly lastReading?: { readonly reading: MeterValue; readonly mark?: Mark | undefined } | undefined;
  /** What was stamped last, so that time does not fall after a power cut either. */
  readonly stamped?: Stamped | undefined;
  /** The latest time that was sent of it while nobody could say by how much it was wrong: nothing is before it. */
  readonly notBefore?: number | undefined;
  readonly data?: unknown;
}

/** The epochs that timestamps of a transaction are of. */
export function epochsOf({ start, stop, lastReading, stamped }: TransactionRecord): readonly number[] {
  return [start, stop, lastReading, stamped].flatMap((each) => each?.mark?.epoch ?? []);
}

/** The start or the stop of a transaction, as it waits. */
class TransactionMessage<A extends "StartTransaction" | "StopTransaction", R> implements QueuedMessage {
  readonly action: A;
  readonly transaction: OpenTransaction;
  readonly sequence: number;
  readonly makesRoom = false;
  failures: number;
  req: R;
  mark: Mark | undefined;
  readonly given: true | undefined;
  fate: MessageRecord<R>["fate"];
  /** Of a stop: the transaction id that it said when it was sent last. */
  toldId: number | undefined;

  constructor(action: A, transaction: OpenTransaction, record: MessageRecord<R>) {
    this.action = action;
    this.transaction = transaction;
    this.sequence = record.sequence;
    this.failures = record.failures;
    this.req = record.req;
    this.mark = record.mark;
    this.given = record.given;
    this.fate = record.fate;
  }

  get record(): MessageRecord<R> {
    const { sequence, failures, req, mark, given, fate } = this;
    return { sequence, failures, req, mark, given, fate };
  }
}

export type StartMessage = TransactionMessage<"StartTransaction", StartReq>;
export type StopMessage = TransactionMessage<"StopTransaction", StopReq>;

/** Where what is done to transactions goes. */
export interface TransactionOutlet {
  /** @throws TypeError The Charge Point has been stopped. */
  assertAlive(): void;
  /** Corrects a timestamp that a doubtful clock has made. */
  read(timestamp: string, mark: Mark | undefined, notBefore?: number): string;
  meterValues(transaction: OpenTransaction, req: TransactionMeterValues): void;
  stop(transaction: OpenTransaction, req: TransactionStop): void;
  /** The record of a transaction has changed. */
  changed(transaction: OpenTransaction): void;
}

const longestData = 10_000;

/** A {@link Transaction}, with what only the Charge Point may do to it. */
export class OpenTransaction implements Transaction {
  readonly #outlet: TransactionOutlet;
  readonly start: StartMessage;
  stopMessage: StopMessage | undefined;
  #transactionId: number | undefined;
  #parentIdTag: string | undefined;
  #lastReading: TransactionRecord["lastReading"];
  #data: unknown;
  /** What was stamped last, so that time does not fall. */
  stamped: Stamped;
  /** As in {@link TransactionRecord}. */
  notBefore: number | undefined;
  /** How many of its meter values were given up, and are not forgotten. */
  heldMeterValues = 0;

  constructor(outlet: TransactionOutlet, record: TransactionRecord) {
    this.#outlet = outlet;
    this.start = new TransactionMessage("StartTransaction", this, record.start);
    this.stopMessage = record.stop && new TransactionMessage("StopTransaction", this, record.stop);
    this.#transactionId = record.transactionId;
    this.#parentIdTag = record.parentIdTag;
    this.#lastReading = record.lastReading;
    this.#data = record.data;
    this.notBefore = record.notBefore;
    const { req, mark, given } = record.start;
    const { timestamp } = req;
    this.stamped = record.stamped ?? (mark === undefined || given ? { timestamp } : { timestamp, mark });
  }

  /** By the Charge Point's own count: no other transaction has it. */
  get number(): number {
    return this.start.sequence;
  }

  get connectorId(): number {
    return this.start.req.connectorId;
  }

  get idTag(): string {
    return this.start.req.idTag;
  }

  get meterStart(): number {
    return this.start.req.meterStart;
  }

  get startedAt(): number {
    const { req, mark, given } = this.start;
    return Date.parse(given ? req.timestamp : this.#outlet.read(req.timestamp, mark));
  }

  get lastReading(): MeterValue | undefined {
    if (this.#lastReading === undefined) return undefined;
    const { reading, mark } = this.#lastReading;
    return { ...copyOf(reading), timestamp: this.#outlet.read(reading.timestamp, mark, this.notBefore) };
  }

  get transactionId(): number | undefined {
    // CORE-TXQ-12: nobody will ever tell the id.
    const { fate } = this.start;
    return this.#transactionId ?? (fate === "forgotten" || typeof fate === "object" ? -1 : undefined);
  }

  get identified(): boolean {
    return this.#transactionId !== undefined;
  }

  get parentIdTag(): string | undefined {
    return this.#parentIdTag;
  }

  get stopped(): boolean {
    return this.stopMessage !== undefined;
  }

  get data(): unknown {
    return this.#data === undefined ? undefined : copyOf(this.#data);
  }

  get record(): TransactionRecord {
    return {
      start: this.start.record,
      stop: this.stopMessage?.record,
      transactionId: this.#transactionId,
      parentIdTag: this.#parentIdTag,
      lastReading: this.#lastReading,
      stamped: this.stamped,
      notBefore: this.notBefore,
      data: this.#data,
    };
  }

  keep(data: unknown): void {
    this.#outlet.assertAlive();
    this.#data = data === undefined ? undefined : checkedData(data);
    this.#outlet.changed(this);
  }

  meterValues(req: TransactionMeterValues): void {
    this.assertRunning();
    this.#outlet.meterValues(this, req);
  }

  stop(req: TransactionStop): void {
    this.assertRunning();
    this.#outlet.stop(this, req);
  }

  stopWith(record: MessageRecord<StopReq>): void {
    this.stopMessage = new TransactionMessage("StopTransaction", this, record);
  }

  /** Says what was measured last. */
  measured(reading: MeterValue, mark: Mark | undefined): void {
    this.#lastReading = { reading, mark };
  }

  /** Says what StartTransaction.conf told. */
  identifiedAs(transactionId: number, parentIdTag: string | undefined): void {
    this.#transactionId = transactionId;
    this.#parentIdTag = parentIdTag;
  }

  assertRunning(): void {
    this.#outlet.assertAlive();
    if (this.stopped) throw new TypeError(`The transaction on connector ${this.connectorId} has been stopped.`);
  }
}

/** What is kept of the owner's data: a copy of it as JSON has it. */
export function checkedData(data: unknown): unknown {
  const text: string | undefined = JSON.stringify(data);
  if (text === undefined) throw new TypeError("The data of a transaction cannot be written as JSON.");
  if (text.length > longestData) {
    throw new TypeError(
      `The data of a transaction has ${text.length} characters as JSON. Keep at most ${longestData}.`,
    );
  }
  return JSON.parse(text);
}

const copyOf = <T>(value: T): T => JSON.parse(JSON.stringify(value));
