import {
  CallError,
  CallTimeoutError,
  ConnectionClosedError,
  errorCodeOf,
  type OcppError,
  PayloadError,
} from "../errors.ts";
import type { CallFrame, CallResultFrame } from "../rpc/frame.ts";
import type { Outcome } from "../rpc/rpc.ts";
import type { CallOptions } from "./call-options.ts";

/** A CALL of ours whose caller waits. */
export interface Caller {
  readonly resolve: (conf: never) => void;
  readonly reject: (error: unknown) => void;
  /** Forgets the caller's signal. */
  readonly release: () => void;
  readonly late: CallOptions["late"];
}

/** Who still wants to hear of the answer to a CALL that has timed out, on whichever connection. */
export const lateCallers = new WeakMap<CallFrame, NonNullable<CallOptions["late"]>>();

/** Who is told of an answer that comes after the time-out. */
export function lateCaller(call: CallFrame): Pick<Caller, "resolve" | "reject"> | undefined {
  const late = lateCallers.get(call);
  return (
    late && {
      resolve: (conf) => late(() => conf),
      reject: (error) =>
        late(() => {
          throw error;
        }),
    }
  );
}

/** What a caller is told of a CALL that got no CALLRESULT. @param closed - How the connection has ended. */
export function failureOf(
  { action, messageId }: CallFrame,
  outcome: Exclude<Outcome, CallResultFrame>,
  closed: { readonly code: number; readonly reason: string } | undefined,
): OcppError {
  switch (outcome.type) {
    case "CALLERROR":
      return new CallError(errorCodeOf(outcome.errorCode), outcome.errorDescription, {
        details: outcome.errorDetails,
        receivedCode: outcome.errorCode,
        action,
        messageId,
      });
    case "MALFORMED":
      return new PayloadError({
        origin: "remote",
        action,
        kind: "conf",
        issues: [{ path: "", message: `did not arrive: ${outcome.message}`, code: "FormationViolation" }],
      });
    case "TIMEOUT":
      return new CallTimeoutError(action, messageId, outcome.timeoutMs, outcome.silent);
    case "CLOSED":
      return new ConnectionClosedError(action, { code: 1006, reason: "", ...closed, sent: outcome.sent });
  }
}
