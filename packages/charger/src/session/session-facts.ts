import type { Req } from "@ocppj/core";

/** When something happened, and what the register of the connector showed then. */
export interface Moment {
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** In Wh. */
  readonly register: number;
}

/** The configuration keys that a session obeys. */
export interface SessionKeys {
  /** ConnectionTimeOut, in milliseconds; 0: none. */
  readonly connectionTimeOutMs: number;
  readonly stopTransactionOnInvalidId: boolean;
  /** MaxEnergyOnInvalidId, in Wh. */
  readonly maxEnergyOnInvalidId: number;
  readonly stopTransactionOnEVSideDisconnect: boolean;
  readonly unlockConnectorOnEVSideDisconnect: boolean;
}

/** What the hardware of a connector is, as far as sessions go by it. */
export interface SessionTraits {
  /** Whether its cable is held by a lock. */
  readonly locks: boolean;
  readonly cable: "socket" | "fixed";
  readonly resumesAfterFault: boolean;
}

export type StopReason = NonNullable<Req<"StopTransaction">["reason"]>;

/** What is known of the use of a connector: statuses and offers are computed from it. */
export interface SessionFacts {
  readonly plugged: boolean;
  /** The vehicle was unplugged at its own end: the transaction goes on without it, or was stopped like that. */
  readonly vehicleGone: boolean;
  /** Somebody was accepted and has not started yet, or a cable waits for a card. */
  readonly begun: boolean;
  /** Who was accepted, whose transaction runs, or for whom the cable is held. */
  readonly idTag: string | undefined;
  readonly transaction: boolean;
  /** The transaction is over, or nobody came in time, and the driver still has something to do. */
  readonly userActionDue: boolean;
  readonly wantsEnergy: boolean;
  /** The hardware is broken, or the lock did not close: nobody can begin. */
  readonly faulted: boolean;
  /** Whether energy may flow as far as the session is concerned. */
  readonly mayOffer: boolean;
}

export type SessionOutput =
  /** Ask whether an identifier may start, or may stop what runs or let go the cable of what ran. */
  | { readonly type: "authorize" | "authorizeStop"; readonly question: number; readonly idTag: string }
  /** Nobody waits for the answer any more. */
  | { readonly type: "forget"; readonly question: number }
  | { readonly type: "lock" }
  | { readonly type: "unlock" }
  | { readonly type: "start"; readonly idTag: string; readonly at: Moment }
  | { readonly type: "stop"; readonly reason: StopReason; readonly idTag?: string; readonly at: Moment }
  /** Other facts than before. */
  | { readonly type: "changed"; readonly facts: SessionFacts }
  /** The lock did not close: tell ConnectorLockFailure. */
  | { readonly type: "lockFailed" }
  /** The use is over, nothing is left of it. */
  | { readonly type: "over" };
