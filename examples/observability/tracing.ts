// #region tracing
import { type CentralSystem, type Clock, systemClock } from "@ocppj/core";
import { SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { actionOf } from "./metrics.ts";

export interface TraceOptions {
  /** That of the Central System. Default: that of the runtime. */
  readonly clock?: Clock;
}

/** Makes a span of every CALL; call it once, with a tracer of your OpenTelemetry SDK. */
export function trace(centralSystem: CentralSystem, tracer: Tracer, options: TraceOptions = {}): void {
  const { clock = systemClock } = options;
  centralSystem.on("finished", ({ identity, generation, direction, call, outcome, elapsedMs }) => {
    const endedAt = clock.now();
    const span = tracer.startSpan(actionOf(call), {
      kind: direction === "in" ? SpanKind.SERVER : SpanKind.CLIENT,
      startTime: new Date(endedAt - elapsedMs),
      attributes: {
        "ocpp.identity": identity,
        "ocpp.generation": generation,
        "ocpp.message_id": call.messageId,
        "ocpp.outcome": outcome.type,
      },
    });
    if (outcome.type !== "CALLRESULT") span.setStatus({ code: SpanStatusCode.ERROR });
    span.end(new Date(endedAt));
  });
}
// #endregion
