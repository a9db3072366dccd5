// #region logging
import { CallError, type CentralSystem, type FinishedCall, redacted } from "@ocppj/core";
import type { Logger } from "pino";

export interface LogOptions {
  /** Whether lines about CALLs have the two payloads, as JSON texts. Default false: they tell where somebody charges. */
  readonly payloads?: boolean;
  /** Configuration keys whose values are secret. Default: AuthorizationKey. */
  readonly secretKeys?: readonly string[];
}

/**
 * Writes what happens at a Central System to a log, one line for each event; call it once.
 *
 * What a peer has sent is in values, never in the message or in the name of a field. A CALL that was answered well is
 * worth `debug`, one that was not `warn`. The value of an AuthorizationKey is nowhere. [SEC-A01-09]
 */
export function log(centralSystem: CentralSystem, logger: Logger, options: LogOptions = {}): void {
  centralSystem.on("connected", ({ identity, generation, connection: { remoteAddress } }) =>
    logger.info({ identity, generation, remoteAddress }, "connected"),
  );
  centralSystem.on("disconnected", ({ identity, generation, code, reason }) =>
    logger.info({ identity, generation, code, reason }, "disconnected"),
  );
  centralSystem.on("refused", ({ identity, remoteAddress, reason, status, message, advice }) =>
    logger.warn({ identity, remoteAddress, reason, status, explanation: message, advice }, "refused"),
  );
  centralSystem.on("violation", ({ identity, generation, reason, message }) =>
    logger.warn({ identity, generation, reason, explanation: message }, "violation"),
  );
  centralSystem.on("tolerated", ({ identity, generation, quirk, action, path, message }) =>
    logger.info({ identity, generation, quirk, action, path, explanation: message }, "tolerated"),
  );
  centralSystem.on("fault", ({ identity, generation, action, error }) =>
    logger.error({ identity, generation, action, err: withoutAnswer(error) }, "fault"),
  );
  centralSystem.on("registration", ({ identity, generation, status }) =>
    logger.info({ identity, generation, status }, "registration"),
  );
  centralSystem.on("finished", (finished) => {
    const { identity, generation, direction, call, outcome, elapsedMs } = finished;
    const { messageId } = call;
    const action = short(call.action);
    const errorCode = outcome.type === "CALLERROR" ? short(outcome.errorCode) : undefined;
    const fields = { identity, generation, direction, action, messageId, elapsedMs, outcome: outcome.type, errorCode };
    const texts = options.payloads ? payloadsOf(finished, options.secretKeys) : {};
    logger[outcome.type === "CALLRESULT" ? "debug" : "warn"]({ ...fields, ...texts }, "call");
  });
}
// #endregion

/** A name that a peer chose may have any length. */
const short = (name: string): string => (name.length > 50 ? `${name.slice(0, 50)}…` : name);

/** What a peer says of a CALL that failed may repeat what was in it. */
const withoutAnswer = (error: unknown): unknown =>
  error instanceof CallError
    ? { type: error.name, code: error.code, action: error.action, messageId: error.messageId }
    : error;

/** Texts, not fields: a peer could make up names for those. */
function payloadsOf({ call, outcome }: FinishedCall, secretKeys?: readonly string[]): Record<string, string> {
  try {
    const req = JSON.stringify(redacted(call, secretKeys).payload) ?? "";
    const isSecret = req !== JSON.stringify(call.payload);
    if (outcome.type === "CALLRESULT")
      return { req, conf: JSON.stringify(redacted(outcome, secretKeys).payload) ?? "" };
    if (outcome.type !== "CALLERROR" || isSecret) return { req };
    const { errorDescription, errorDetails } = redacted(outcome, secretKeys);
    return { req, error: JSON.stringify({ description: errorDescription, details: errorDetails }) };
  } catch {
    return { req: "nested too deeply" };
  }
}
