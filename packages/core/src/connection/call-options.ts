import type { AbortSignalLike } from "../abort.ts";
import { type OptionRules, optionRules } from "../options.ts";

/** Settings of one CALL. */
export interface CallOptions {
  /** How long to wait for the answer, in milliseconds from the moment the CALL is sent. Default: the connection's. */
  readonly timeoutMs?: number | undefined;
  /** Whether the CALL goes before those that wait for their turn and are not urgent. Default false. */
  readonly urgent?: boolean | undefined;
  /**
   * Rejects the promise with `signal.reason`. A CALL that still waits for its turn is never sent; one on the wire stays
   * outstanding until it is answered or times out, because OCPP cannot cancel.
   */
  readonly signal?: AbortSignalLike | undefined;
  /**
   * Internal, for statuses: whether `signal` only takes back a CALL that waits; one on the wire then settles as any other.
   * Default false.
   */
  readonly keepSent?: boolean | undefined;
  /**
   * Internal, for what is delivered: is called at once when an answer comes after the time-out. `conf` returns the payload,
   * or throws what the promise would have been rejected with.
   */
  readonly late?: ((conf: () => unknown) => void) | undefined;
}

export const callRules: OptionRules<CallOptions> = {
  timeoutMs: optionRules.milliseconds,
  urgent: optionRules.flag,
  signal: optionRules.signal,
  keepSent: optionRules.flag,
  late: optionRules.callback,
};

/** Most CALLs are made without options. */
export const noOptions: CallOptions = {};
