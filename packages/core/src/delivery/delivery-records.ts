/*
 * How what must be delivered is written into a store, as JSON.
 *
 *   transaction/<number>    a transaction: its start, its stop, what is known of it
 *   queue/<sequence>        meter values of a transaction, waiting or given up
 *   outbox/<sequence>       a message of `deliver`, waiting or given up
 *   clock/<epoch>           by how much the clock was wrong in an epoch, in milliseconds
 *
 * A transaction's number is the sequence of its start, and sequences rise over all messages and restarts.
 */
import type { Action } from "../messages/actions.ts";
import { parseReq } from "../messages/validate.ts";
import { type OwnKind, prefixOf } from "../store/own-keys.ts";
import type { StoredRecord } from "../store/record-store.ts";
import type { Mark } from "./stamps.ts";
import type { MessageRecord, MeterValuesReq, TransactionRecord } from "./transaction.ts";

export type RecordKind = Extract<OwnKind, "transaction" | "queue" | "outbox" | "clock">;

/** Enough digits for every safe integer, so that text order is number order. */
export const keyOf = (kind: RecordKind, number: number): string => prefixOf(kind) + String(number).padStart(16, "0");

/** Whether something numbers a record: there is room above it for all that will ever happen. */
export const isNumber = (value: unknown): value is number =>
  Number.isSafeInteger(value) && (value as number) > 0 && (value as number) < 2 ** 52;

/** The number in a key; NaN for one that is no key of ours. */
export const numberOf = ({ key }: StoredRecord): number => Number(key.slice(key.indexOf("/") + 1));

/** What the store keeps of meter values. */
export interface MeterValuesRecord extends MessageRecord<MeterValuesReq> {
  /** The number of the transaction. */
  readonly transaction: number;
}

/** What the store keeps of a message of `deliver`. */
export interface OutboxRecord extends MessageRecord<unknown> {
  readonly action: Action;
}

/** @throws Error It is no transaction, or not the one of this number. */
export function parseTransaction(value: string, number: number): TransactionRecord {
  const record: TransactionRecord = JSON.parse(value);
  const { start, stop, transactionId = 0, parentIdTag = "", lastReading, stamped, notBefore = 0 } = record;
  demand(isMessage(start) && start.sequence === number);
  demand(stop === undefined || (isMessage(stop) && stop.sequence > number));
  parseReq("StartTransaction", start.req, "local");
  if (stop !== undefined) parseReq("StopTransaction", { ...stop.req, transactionId: 0 }, "local");
  demand(Number.isSafeInteger(transactionId) && typeof parentIdTag === "string");
  if (lastReading !== undefined) {
    parseReq("MeterValues", { connectorId: 0, meterValue: [lastReading.reading] }, "local");
    demand(isMark(lastReading.mark));
  }
  demand(Number.isFinite(notBefore));
  demand(stamped === undefined || (Number.isFinite(Date.parse(stamped?.timestamp)) && isMark(stamped.mark)));
  return record;
}

/** @throws Error They are no meter values. */
export function parseMeterValues(value: string): MeterValuesRecord {
  const record: MeterValuesRecord = JSON.parse(value);
  demand(isMessage(record) && Number.isSafeInteger(record.transaction));
  // A damaged payload would be refused by the Central System for ever, so it is checked like one that is sent.
  parseReq("MeterValues", record.req, "local");
  return record;
}

/** @throws Error It is no message of `deliver`, or not the one of this sequence. */
export function parseOutbox(value: string, sequence: number): OutboxRecord {
  const record: OutboxRecord = JSON.parse(value);
  demand(isMessage(record) && record.sequence === sequence);
  parseReq(record.action, record.req, "local");
  return record;
}

/** @throws Error It is no correction. */
export function parseCorrection(value: string): number {
  const correctionMs: unknown = JSON.parse(value);
  demand(typeof correctionMs === "number" && Number.isFinite(correctionMs));
  return correctionMs as number;
}

function demand(holds: boolean): void {
  if (!holds) throw new TypeError("It is not what it should be.");
}

function isMessage(value: unknown): value is MessageRecord<unknown> {
  const { sequence, failures, fate, mark } = (value ?? {}) as Partial<MessageRecord<unknown>>;
  return isNumber(sequence) && Number.isSafeInteger(failures) && isMark(mark) && isFate(fate);
}

function isMark(value: Mark | undefined): boolean {
  if (value === undefined) return true;
  const { epoch, since, until, notBefore = 0 } = value ?? {};
  return isNumber(epoch) && [since, until, notBefore].every(Number.isFinite);
}

function isFate(value: MessageRecord<unknown>["fate"]): boolean {
  if (value === undefined || value === "settled" || value === "forgotten") return true;
  const { reason, at } = value ?? {};
  return (reason === "attempts" || reason === "refused") && Number.isFinite(at);
}
