import type { Action } from "../messages/actions.ts";

const sentInTransactions: ReadonlySet<string> = new Set<Action>(["StartTransaction", "StopTransaction"]);

/**
 * Whether a bill depends on a CALL: StartTransaction, StopTransaction, and MeterValues of a transaction. Common firmware
 * takes a CALLERROR for the end of such a message, and never sends it again.
 *
 * @param payload - As it was received, valid or not.
 * @spec OCPP 1.6 §3.7.1 [CORE-TXQ-09]
 */
export function isForBill(action: string, payload: unknown): boolean {
  if (action !== "MeterValues") return sentInTransactions.has(action);
  return typeof payload === "object" && payload !== null && "transactionId" in payload;
}

/** Whether a bill may depend on a text that cannot be read. */
export const mayBeForBill = (text: string): boolean => /"(?:St(?:art|op)Transaction|transactionId)"/.test(text);
