// #region metrics
import { actions, type CallFrame, type CentralSystem, errorCodes, type FinishedCall } from "@ocppj/core";
import type { Attributes, Meter } from "@opentelemetry/api";

/** Counts and times what happens at a Central System; call it once, with the meter of your OpenTelemetry SDK. */
export function measure(centralSystem: CentralSystem, meter: Meter): void {
  const connections = meter.createObservableUpDownCounter("ocpp.connections", { unit: "{connection}" });
  connections.addCallback((result) => result.observe([...centralSystem.connections()].length));

  const ended = meter.createCounter("ocpp.connections.ended", { unit: "{connection}" });
  centralSystem.on("disconnected", ({ code }) => ended.add(1, { "ocpp.close_code": closeCodeOf(code) }));

  const refused = meter.createCounter("ocpp.handshakes.refused", { unit: "{handshake}" });
  centralSystem.on("refused", ({ reason }) => refused.add(1, { "ocpp.reason": reason }));

  const violations = meter.createCounter("ocpp.violations", { unit: "{violation}" });
  centralSystem.on("violation", ({ reason }) => violations.add(1, { "ocpp.reason": reason }));

  const tolerated = meter.createCounter("ocpp.tolerated", { unit: "{use}" });
  centralSystem.on("tolerated", ({ quirk }) => tolerated.add(1, { "ocpp.quirk": quirk }));

  const faults = meter.createCounter("ocpp.faults", { unit: "{fault}" });
  centralSystem.on("fault", ({ action }) => faults.add(1, action === undefined ? {} : { "ocpp.action": action }));

  const calls = meter.createCounter("ocpp.calls", { unit: "{call}" });
  const durations = meter.createHistogram("ocpp.call.duration", {
    unit: "s",
    description: "From a CALL to its answer: the round trip of those we sent, the time to serve those we received.",
    advice: { explicitBucketBoundaries: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30] },
  });
  centralSystem.on("finished", ({ call, direction, outcome, elapsedMs }) => {
    const which: Attributes = { "ocpp.action": actionOf(call), "ocpp.direction": direction };
    calls.add(1, { ...which, "ocpp.outcome": labelOf(outcome) });
    if (outcome.type !== "TIMEOUT" && outcome.type !== "CLOSED") durations.record(elapsedMs / 1000, which);
  });
}

/** A peer can call what it likes: there must not be a time series for each. */
export const actionOf = ({ action }: CallFrame): string => (Object.hasOwn(actions, action) ? action : "_OTHER");

/** `CALLRESULT`, the code of a CALLERROR, or why there is neither: 15 different ones, whatever a peer sends. */
function labelOf(outcome: FinishedCall["outcome"]): string {
  if (outcome.type !== "CALLERROR") return outcome.type;
  return Object.hasOwn(errorCodes, outcome.errorCode) ? outcome.errorCode : "_OTHER";
}

/** The codes of RFC 6455; peers may choose others. */
const closeCodeOf = (code: number): number | "_OTHER" => (code >= 1000 && code <= 1015 ? code : "_OTHER");
// #endregion
