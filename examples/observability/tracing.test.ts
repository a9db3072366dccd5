import { SpanKind, SpanStatusCode, type Tracer } from "@opentelemetry/api";
import { expect, test } from "vitest";
import { centralSystemOnFakeClock } from "./raw-charger.ts";
import { trace } from "./tracing.ts";

/** A tracer that keeps what it is told. */
function recorder() {
  const spans: Record<string, unknown>[] = [];
  const startSpan: Tracer["startSpan"] = (name, { startTime, kind, attributes } = {}) => {
    let status: unknown = { code: SpanStatusCode.UNSET };
    return {
      setStatus(given: unknown) {
        status = given;
      },
      end: (end: unknown) => spans.push({ name, kind, attributes, status, begin: startTime, end }),
    } as never;
  };
  return { tracer: { startSpan } as Tracer, spans };
}

test("makes a span of every CALL, in both directions, with its times and its outcome", async () => {
  const { clock, centralSystem, connect } = centralSystemOnFakeClock();
  const { tracer, spans } = recorder();
  trace(centralSystem, tracer, { clock });
  const charger = connect();
  const begin = clock.now();
  const conf = centralSystem.get("CP001")?.call("ClearCache", {});
  await clock.advance(40);
  charger.send('[3,"central-1",{"status":"Accepted"}]');
  charger.send('[2,"1","FlyToTheMoon",{}]');
  await clock.advance(0);
  await conf;
  const about = { "ocpp.identity": "CP001", "ocpp.generation": 1 };
  expect(spans).toEqual([
    {
      name: "ClearCache",
      kind: SpanKind.CLIENT,
      attributes: { ...about, "ocpp.message_id": "central-1", "ocpp.outcome": "CALLRESULT" },
      status: { code: SpanStatusCode.UNSET },
      begin: new Date(begin),
      end: new Date(begin + 40),
    },
    {
      name: "_OTHER",
      kind: SpanKind.SERVER,
      attributes: { ...about, "ocpp.message_id": "1", "ocpp.outcome": "CALLERROR" },
      status: { code: SpanStatusCode.ERROR },
      begin: new Date(begin + 40),
      end: new Date(begin + 40),
    },
  ]);
});
