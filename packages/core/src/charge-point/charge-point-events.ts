import type { ConnectionEvents } from "../connection/connection-events.ts";
import type { DeadLetter } from "../delivery/dead-letter.ts";
import type { DeliveryEvent } from "../delivery/delivery-event.ts";
import type { DiscardReason } from "../delivery/delivery-queue.ts";
import type { Transaction } from "../delivery/transaction.ts";
import type { Conf } from "../messages/actions.ts";
import type { LimitChange, RefusedProfile } from "../smart-charging/smart-charging.ts";

/**
 * The events of a `ChargePoint`; a listener gets one read-only object, and may call everything, `stop` included. What
 * it causes is told when all listeners have been told of what it was called for; what it throws, or the promise that it
 * returns rejects with, becomes a `fault`.
 */
export interface ChargePointEvents {
  message: ConnectionEvents["message"];
  violation: ConnectionEvents["violation"];
  /** A quirk was made use of; one of date-times is told once for each field, not at each Heartbeat. */
  tolerated: ConnectionEvents["tolerated"];
  finished: ConnectionEvents["finished"];
  /**
   * Something on our side failed: a handler or a listener threw, the store failed, a record of it was damaged, `random`
   * returned something else than asked for.
   */
  fault: ConnectionEvents["fault"];
  /** An attempt to connect begins. */
  connecting: [event: { readonly attempt: number; readonly url: string }];
  /** The WebSocket is open. */
  connected: [event: Record<string, never>];
  /** An attempt to connect has failed; `error` is a `HandshakeError` and says why and what to do. */
  refused: [event: { readonly error: unknown; readonly retryInMs: number }];
  /** The connection has ended. `retryInMs` is `Infinity` after `stop`. */
  disconnected: [event: { readonly code: number; readonly reason: string; readonly retryInMs: number }];
  /**
   * The Central System has answered BootNotification. Accepted: `intervalMs` is the time between Heartbeats; otherwise
   * the time until the next BootNotification.
   */
  registration: [event: { readonly status: Conf<"BootNotification">["status"]; readonly intervalMs: number }];
  /**
   * The Central System has told another time than `now` showed, and `now` has jumped to it: by so much forwards, or
   * backwards if negative. Small steps, up to 10 s, are made little by little, except for the first one, and are not told.
   */
  timeSet: [event: { readonly stepMs: number }];
  /** The Central System has taken a message; `conf` is `undefined` when its answer made no sense. */
  delivered: [event: DeliveryEvent & { readonly conf: unknown }];
  /**
   * A message was given up. After `TransactionMessageAttempts`, or when the Central System does not know such messages, it
   * is kept as a dead letter; meter values for which the queue had no room are not.
   */
  discarded: [event: DeliveryEvent & { readonly reason: DiscardReason; readonly deadLetter: DeadLetter | undefined }];
  /**
   * The Central System refused the identifier of a transaction that runs. With StopTransactionOnInvalidId stop it, with
   * the reason `DeAuthorized`; otherwise stop offering energy. [CORE-LAO-09, CORE-LAO-10]
   */
  invalidated: [
    event: { readonly transaction: Transaction; readonly idTagInfo: Conf<"StartTransaction">["idTagInfo"] },
  ];
  /**
   * What a connector may draw is another limit from now on; connector 0 is all of them together. Told for each after
   * `start`, and whenever one changes. Only with `smartCharging`.
   */
  limit: [event: LimitChange];
  /** A charging profile was not taken: `message` says why, `rule` by which rule. Only with `smartCharging`. */
  profileRefused: [event: RefusedProfile];
}
