import type { Action } from "../messages/actions.ts";
import type { Tolerated } from "../messages/tolerance.ts";
import type { CallFrame, Frame, Malformed } from "../rpc/frame.ts";
import type { Outcome, RpcViolation } from "../rpc/rpc.ts";

/** How a peer breaks the rules. */
export type Violation =
  | RpcViolation
  | "unknown-action"
  | "unsupported-action"
  | "payload"
  | "too-many-calls"
  | "not-accepted";

/**
 * The events of a `Connection`; a listener gets one read-only object. `closed` is the last. What a listener causes,
 * for example by closing the connection, is told when all listeners have been told of what it was called for. What a
 * listener throws, or the promise that it returns rejects with, becomes a `fault`.
 */
export interface ConnectionEvents {
  /** A frame arrived, or was handed to the transport: as it is, with every new AuthorizationKey. For logs: `redacted`. */
  message: [event: { readonly direction: "in" | "out"; readonly frame: Frame }];
  /** The peer broke the protocol. It has been dealt with as the documents say; the connection goes on. */
  violation: [
    event: {
      readonly reason: Violation;
      /** What was wrong, in one sentence. */
      readonly message: string;
      readonly frame: Frame | Malformed;
    },
  ];
  /**
   * A quirk was made use of, to read what would have been refused; once for each place that was wrong. Of a payload it is
   * told after the `message` with its frame, of a frame before.
   */
  tolerated: [event: Tolerated];
  /**
   * A CALL is over: it was answered, or never will be. Follows the `message` of the answer. Not told of a CALL of ours
   * whose caller aborted it before it was sent.
   */
  finished: [event: FinishedCall];
  /**
   * Something on our side failed: a handler, a listener, a quirk or the choice of them, `createMessageId` or the transport
   * threw or answered nonsense; or an action has no handler, which is told once for each.
   */
  fault: [event: { readonly error: unknown; readonly action?: Action }];
  /** The connection has ended; emitted once. Nothing follows it but the `fault` of what still ran: a handler, a listener, the transport. */
  closed: [event: { readonly code: number; readonly reason: string }];
}

/** A CALL that is over. */
export interface FinishedCall {
  /** `in`: the peer's. `out`: ours. */
  readonly direction: "in" | "out";
  readonly call: CallFrame;
  /** The answer, or why there is none. */
  readonly outcome: Outcome;
  /** Milliseconds from its arrival or its sending; 0 for one that was never sent. */
  readonly elapsedMs: number;
}
