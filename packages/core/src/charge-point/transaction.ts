import type { Req } from "../messages/actions.ts";

/** What a transaction's `meterValues` takes: MeterValues.req without what the transaction knows. */
export type TransactionMeterValues = Omit<Req<"MeterValues">, "transactionId" | "connectorId">;

/** What a transaction's `stop` takes: StopTransaction.req without the transaction id; `timestamp` is now by default. */
export type TransactionStop = Omit<Req<"StopTransaction">, "transactionId" | "timestamp"> & {
  readonly timestamp?: string;
};

/**
 * A transaction at this Charge Point, from its start to its stop, online or not.
 *
 * Its messages are delivered in order and at least once, and survive a power cut; the transaction id is filled in when it
 * is known.
 *
 * @spec OCPP 1.6 §3.7, §4.8, §4.10
 */
export interface Transaction {
  readonly connectorId: number;
  /** The identifier that started it. */
  readonly idTag: string;
  /**
   * The id that the Central System gave this transaction: `undefined` until StartTransaction is answered, -1 when it was
   * given up. It is what RemoteStopTransaction names.
   */
  readonly transactionId: number | undefined;
  /** The group of the identifier that started it, as far as StartTransaction.conf has told. */
  readonly parentIdTag: string | undefined;
  /** Whether `stop` has been called; delivering that may take longer. */
  readonly stopped: boolean;
  /**
   * Reports meter values of this transaction.
   *
   * @throws PayloadError They violate the schema of MeterValues.req.
   * @throws TypeError The transaction has been stopped.
   * @spec OCPP 1.6 §4.7 [CORE-MV-03, CORE-MV-04, CORE-MV-06, CORE-MV-07]
   */
  meterValues(req: TransactionMeterValues): void;
  /**
   * Reports that this transaction is over.
   *
   * @param req - `meterStop` in Wh; `idTag` of who stopped it, if known; `reason` unless it is Local; `timestamp` is now
   * by default.
   * @throws PayloadError It violates the schema of StopTransaction.req.
   * @throws TypeError The transaction has been stopped.
   * @spec OCPP 1.6 §4.10 [CORE-STOP-01 … CORE-STOP-06]
   */
  stop(req: TransactionStop): void;
}

/** What the store keeps of a transaction. */
export interface TransactionRecord {
  /** The Charge Point's own count. */
  readonly number: number;
  readonly connectorId: number;
  readonly idTag: string;
  /** -1 when StartTransaction was given up. @spec OCPP 1.6 errata 3.18 [CORE-TXQ-12] */
  readonly transactionId?: number;
  readonly parentIdTag?: string;
  /** StopTransaction was answered or given up; only its removal from the store is left to be done. */
  readonly over?: boolean;
}

/** Where the messages of transactions go. */
export interface TransactionOutlet {
  meterValues(transaction: OpenTransaction, req: TransactionMeterValues): void;
  stop(transaction: OpenTransaction, req: TransactionStop): void;
}

/** A {@link Transaction}, with what only the Charge Point may do to it. */
export class OpenTransaction implements Transaction {
  readonly number: number;
  readonly connectorId: number;
  readonly idTag: string;
  readonly #outlet: TransactionOutlet;
  #transactionId: number | undefined;
  #parentIdTag: string | undefined;
  #stopped: boolean;

  constructor(outlet: TransactionOutlet, record: TransactionRecord, stopped = false) {
    this.#outlet = outlet;
    this.number = record.number;
    this.connectorId = record.connectorId;
    this.idTag = record.idTag;
    this.#transactionId = record.transactionId;
    this.#parentIdTag = record.parentIdTag;
    this.#stopped = stopped;
  }

  get transactionId(): number | undefined {
    return this.#transactionId;
  }

  get parentIdTag(): string | undefined {
    return this.#parentIdTag;
  }

  get stopped(): boolean {
    return this.#stopped;
  }

  get record(): TransactionRecord {
    const { number, connectorId, idTag } = this;
    const transactionId = this.#transactionId;
    const parentIdTag = this.#parentIdTag;
    return {
      number,
      connectorId,
      idTag,
      ...(transactionId !== undefined && { transactionId }),
      ...(parentIdTag !== undefined && { parentIdTag }),
    };
  }

  meterValues(req: TransactionMeterValues): void {
    this.#assertRunning();
    this.#outlet.meterValues(this, req);
  }

  stop(req: TransactionStop): void {
    this.#assertRunning();
    this.#outlet.stop(this, req);
    this.#stopped = true;
  }

  /** Says what StartTransaction.conf told, or that it never will: -1. */
  identified(transactionId: number, parentIdTag?: string): void {
    this.#transactionId = transactionId;
    this.#parentIdTag = parentIdTag;
  }

  #assertRunning(): void {
    if (this.#stopped) throw new TypeError(`The transaction on connector ${this.connectorId} has been stopped.`);
  }
}
