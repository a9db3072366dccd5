import { parseReq } from "../messages/validate.ts";
import type { RecordStore } from "../store/record-store.ts";
import { setAside } from "../store/stored-records.ts";
import type { TransactionRecord } from "./transaction.ts";
import type { QueuedMessage } from "./transaction-queue.ts";

/*
 * How the queue and the open transactions are written into a store: one record each, as JSON, under keys whose order is
 * the order of the queue.
 */

const queuePrefix = "queue/";
const transactionPrefix = "transaction/";

/** Enough digits for every safe integer, so that text order is number order. */
const ordered = (number: number): string => String(number).padStart(16, "0");

/** What a store kept of an earlier run. */
export interface Kept {
  readonly messages: readonly QueuedMessage[];
  readonly transactions: readonly TransactionRecord[];
}

/** The part of a store that belongs to the queue. */
export class QueueRecords {
  readonly #store: RecordStore;

  constructor(store: RecordStore) {
    this.#store = store;
  }

  /**
   * Reads what an earlier run left. A record that makes no sense is set aside under `corrupt/` and reported.
   *
   * @param report - Hears of each such record, and of the store's failures to set it aside.
   */
  async load(report: (error: Error) => void): Promise<Kept> {
    const read = async <T>(prefix: string, parse: (value: string) => T): Promise<T[]> => {
      const found: T[] = [];
      for (const record of await this.#store.load(prefix)) {
        try {
          found.push(parse(record.value));
        } catch (cause) {
          await setAside(this.#store, record, "is damaged", report, cause);
        }
      }
      return found;
    };
    return {
      transactions: await read(transactionPrefix, parseTransaction),
      messages: await read(queuePrefix, parseMessage),
    };
  }

  putMessage(message: QueuedMessage): Promise<void> {
    return this.#store.put(queuePrefix + ordered(message.sequence), JSON.stringify(message));
  }

  deleteMessage({ sequence }: QueuedMessage): Promise<void> {
    return this.#store.delete(queuePrefix + ordered(sequence));
  }

  putTransaction(record: TransactionRecord): Promise<void> {
    return this.#store.put(transactionPrefix + ordered(record.number), JSON.stringify(record));
  }

  deleteTransaction(number: number): Promise<void> {
    return this.#store.delete(transactionPrefix + ordered(number));
  }
}

function parseTransaction(value: string): TransactionRecord {
  const record: TransactionRecord = JSON.parse(value);
  const { number, connectorId, idTag, transactionId = 0, parentIdTag = "" } = record;
  const wellFormed =
    [number, connectorId, transactionId].every(Number.isSafeInteger) &&
    [idTag, parentIdTag].every((text) => typeof text === "string");
  if (!wellFormed) throw new TypeError("It is no transaction.");
  return record;
}

/** A damaged payload would be refused by the Central System for ever, so it is checked like one that is sent. */
function parseMessage(value: string): QueuedMessage {
  const message: QueuedMessage = JSON.parse(value);
  const { sequence, transaction, failures, action, req } = message;
  if (![sequence, transaction, failures].every(Number.isSafeInteger)) throw new TypeError("It is no message.");
  switch (action) {
    case "StartTransaction":
      parseReq(action, req, "local");
      return message;
    case "MeterValues":
    case "StopTransaction":
      parseReq(action, { ...req, transactionId: 0 }, "local");
      return message;
    default:
      throw new TypeError("Its action is not related to transactions.");
  }
}
