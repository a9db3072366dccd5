import type { ActionFrom, Req } from "../messages/actions.ts";
import type { Transaction } from "./transaction.ts";

/** A transaction-related CALL. @spec OCPP 1.6 §3.7 */
export type TransactionCall = {
  [A in "StartTransaction" | "MeterValues" | "StopTransaction"]: { readonly action: A; readonly req: Req<A> };
}["StartTransaction" | "MeterValues" | "StopTransaction"];

/** The actions that `ChargePoint.deliver` takes: what it does not send by itself, and whose answer decides nothing. */
export type DeliveredAction = Exclude<
  ActionFrom<"ChargePoint">,
  "Authorize" | "BootNotification" | "Heartbeat" | "StatusNotification" | "StartTransaction" | "StopTransaction"
>;

/** A CALL of `ChargePoint.deliver`. */
export type OutboxCall = { [A in DeliveredAction]: { readonly action: A; readonly req: Req<A> } }[DeliveredAction];

/** A message that is delivered: the CALL as it is on the wire, and the transaction that it belongs to, if it belongs to one. */
export type DeliveryEvent =
  | { readonly transaction: Transaction; readonly call: TransactionCall }
  | { readonly transaction: undefined; readonly call: OutboxCall };
