import { actions, type CentralSystem, errorCodes } from "@ocppj/core";
import { FakeClock, transportPair } from "@ocppj/testing";
import { MeterProvider, type MetricData, MetricReader } from "@opentelemetry/sdk-metrics";
import { describe, expect, test } from "vitest";
import { measure } from "./metrics.ts";
import { centralSystemOnFakeClock } from "./raw-charger.ts";

/** Collects when a test asks for it. */
class OnDemand extends MetricReader {
  protected override async onForceFlush(): Promise<void> {}
  protected override async onShutdown(): Promise<void> {}
}

/** A Central System whose metrics the OpenTelemetry SDK collects. */
function measured(before = (_centralSystem: CentralSystem): void => {}) {
  const { clock, centralSystem, connect } = centralSystemOnFakeClock();
  before(centralSystem);
  const reader = new OnDemand();
  const provider = new MeterProvider({ readers: [reader] });
  measure(centralSystem, provider.getMeter("test"));
  const metrics = async (): Promise<MetricData[]> => {
    const { resourceMetrics, errors } = await reader.collect();
    expect(errors).toEqual([]);
    return resourceMetrics.scopeMetrics.flatMap(({ metrics }) => metrics);
  };
  const points = async (name: string) =>
    (await metrics()).find(({ descriptor }) => descriptor.name === name)?.dataPoints ?? [];
  /** The values of a metric, each with the values of its attributes before it. */
  const values = async (name: string) =>
    (await points(name)).map(({ attributes, value }) => [...Object.values(attributes), value]);
  return { clock, centralSystem, connect, metrics, points, values };
}

describe("measure", () => {
  test("tells how many connections are open, also those from before it was called, and how others ended", async () => {
    const { clock, connect, metrics, values } = measured((centralSystem) => {
      centralSystem.accept(transportPair(new FakeClock()).centralSystem, "CP000");
    });
    const [first] = ["CP001", "CP002", "CP003"].map((identity) => connect(identity));
    connect("CP002").drop();
    first?.close(4321);
    await clock.advance(0);
    expect(await values("ocpp.connections")).toEqual([[2]]);
    expect(await values("ocpp.connections.ended")).toEqual([
      [1008, 1],
      [1006, 1],
      ["_OTHER", 1],
    ]);
    expect((await metrics()).map(({ descriptor: { name, unit } }) => [name, unit])).toContainEqual([
      "ocpp.connections",
      "{connection}",
    ]);
  });

  test("counts CALLs by action, direction and outcome", async () => {
    const { clock, centralSystem, connect, values } = measured();
    centralSystem.handle("Authorize", () => new Promise(() => {}));
    const charger = connect();
    const connection = centralSystem.get("CP001");
    for (const id of ["1", "2"]) charger.send(`[2,"${id}","Heartbeat",{}]`);
    charger.send('[2,"3","Heartbeat",{"x":1}]');
    charger.send('[2,"4","DataTransfer",{"vendorId":"V"}]');
    charger.send('[2,"5","Authorize",{"idTag":"CARD"}]');
    const calls = ["1", "2", "3", "4", "5", "6"].map(() => connection?.call("ClearCache", {}).catch(() => {}));
    charger.send('[3,"central-1",{"status":"Accepted"}]');
    charger.send('[4,"central-2","NotImplemented","",{}]');
    charger.send('[4,"central-3","CardIsStolen","",{}]');
    charger.send('[4,"central-4"]');
    charger.send('[3,"central-5",{},"too much"]');
    await clock.advance(10);
    charger.drop();
    await clock.advance(0);
    await Promise.all(calls);
    expect(await values("ocpp.calls")).toEqual([
      ["Heartbeat", "in", "CALLRESULT", 2],
      ["Heartbeat", "in", "FormationViolation", 1],
      ["DataTransfer", "in", "NotSupported", 1],
      ["ClearCache", "out", "CALLRESULT", 1],
      ["ClearCache", "out", "NotImplemented", 1],
      ["ClearCache", "out", "_OTHER", 1],
      ["ClearCache", "out", "GenericError", 1],
      ["ClearCache", "out", "MALFORMED", 1],
      ["ClearCache", "out", "CLOSED", 1],
      ["Authorize", "in", "CLOSED", 1],
    ]);
  });

  test("measures how long CALLs take in both directions, each connection by itself", async () => {
    const { clock, centralSystem, connect, points } = measured();
    centralSystem.handle("Authorize", async () => {
      await new Promise<void>((resolve) => clock.wakeAt(clock.now() + 250, resolve));
      return { idTagInfo: { status: "Accepted" } };
    });
    const chargers = ["CP001", "CP002"].map((identity) => connect(identity));
    for (const charger of chargers) {
      charger.send('[2,"1","Authorize",{"idTag":"CARD"}]');
      await clock.advance(100);
    }
    const conf = centralSystem.get("CP002")?.call("ClearCache", {});
    await clock.advance(2000);
    chargers[1]?.send('[3,"central-1",{"status":"Accepted"}]');
    await clock.advance(0);
    await conf;
    expect(await points("ocpp.call.duration")).toEqual([
      expect.objectContaining({
        attributes: { "ocpp.action": "Authorize", "ocpp.direction": "in" },
        value: expect.objectContaining({ count: 2, min: 0.25, max: 0.25 }),
      }),
      expect.objectContaining({
        attributes: { "ocpp.action": "ClearCache", "ocpp.direction": "out" },
        value: expect.objectContaining({ count: 1, min: 2, max: 2 }),
      }),
    ]);
  });

  test("counts a CALL that timed out, and its late answer not at all", async () => {
    const { clock, centralSystem, connect, values, points } = measured();
    const charger = connect();
    const connection = centralSystem.get("CP001");
    const calls = [1, 2].map(() => connection?.call("ClearCache", {}, { timeoutMs: 1000 }).catch(() => {}));
    await clock.advance(1500);
    charger.send('[3,"central-1",{"status":"Accepted"}]');
    charger.send('[3,"central-2",{"status":"Accepted"}]');
    await clock.advance(0);
    await Promise.all(calls);
    expect(await values("ocpp.calls")).toEqual([
      ["ClearCache", "out", "TIMEOUT", 1],
      ["ClearCache", "out", "CALLRESULT", 1],
    ]);
    expect(await points("ocpp.call.duration")).toMatchObject([{ value: { count: 1, max: 0.5 } }]);
    expect(await values("ocpp.violations")).toEqual([["late-answer", 1]]);
  });

  test("counts a CALL and its repetition under the same message id as one, from the first", async () => {
    const { clock, centralSystem, connect, values, points } = measured();
    let answer = (): void => {};
    centralSystem.handle("Authorize", async () => {
      await new Promise<void>((resolve) => {
        answer = resolve;
      });
      return { idTagInfo: { status: "Accepted" } };
    });
    const charger = connect();
    for (let times = 0; times < 2; times++) {
      charger.send('[2,"1","Authorize",{"idTag":"CARD"}]');
      await clock.advance(500);
    }
    answer();
    await clock.advance(0);
    expect(await values("ocpp.calls")).toEqual([["Authorize", "in", "CALLRESULT", 1]]);
    expect(await points("ocpp.call.duration")).toMatchObject([{ value: { count: 1, max: 1 } }]);
  });

  test("matches no answer with a CALL of an earlier connection, where message ids may be the same", async () => {
    const { clock, centralSystem, connect, values, points } = measured();
    centralSystem.handle("Authorize", () => new Promise(() => {}));
    const first = connect();
    first.send('[2,"1","Authorize",{"idTag":"CARD"}]');
    await clock.advance(5000);
    connect().send('[2,"1","Heartbeat",{}]');
    await clock.advance(0);
    expect(await values("ocpp.calls")).toEqual([
      ["Authorize", "in", "CLOSED", 1],
      ["Heartbeat", "in", "CALLRESULT", 1],
    ]);
    expect(await points("ocpp.call.duration")).toMatchObject([{ value: { count: 1, max: 0 } }]);
  });

  test("counts refused handshakes and violations by reason, quirks by name, and faults by action", async () => {
    const { clock, centralSystem, connect, values } = measured();
    centralSystem.handle("Authorize", () => {
      throw new Error("no database");
    });
    for (const reason of ["unauthorized", "path", "unauthorized"] as const) {
      centralSystem.emit("refused", { identity: "CP002", reason, status: 400, message: "", advice: "" });
    }
    const use = { identity: "CP002", generation: 7, quirk: "numbersAsText", id: "Q6", path: "", message: "" };
    for (const received of [1, 2]) centralSystem.emit("tolerated", { ...use, received });
    centralSystem.emit("fault", { error: new Error("no port") });
    const charger = connect();
    charger.send("nonsense");
    charger.send('[2,"1","Authorize",{"idTag":"CARD"}]');
    charger.send('[3,"1",{}]');
    await clock.advance(0);
    expect(await values("ocpp.handshakes.refused")).toEqual([
      ["unauthorized", 2],
      ["path", 1],
    ]);
    expect(await values("ocpp.violations")).toEqual([
      ["not-json", 1],
      ["unmatched-answer", 1],
    ]);
    expect(await values("ocpp.tolerated")).toEqual([["numbersAsText", 2]]);
    expect(await values("ocpp.faults")).toEqual([[1], ["Authorize", 1]]);
  });

  test("has a bounded number of attributes, whatever names a peer makes up, and none of an identity", async () => {
    const { clock, centralSystem, connect, metrics } = measured();
    const nasty = ["__proto__", "constructor", "toString", "heartbeat", "Heartbeat ", "", "\n", "💥", "hasOwnProperty"];
    const names = [...nasty, ...Array.from({ length: 500 }, (_, index) => `action-${index}`)];
    for (const [index, name] of names.entries()) {
      const charger = connect(`identity-${name}`);
      charger.send(JSON.stringify([2, `${index}`, name, { [name]: name }]));
      charger.send(JSON.stringify([2, `${index}`, name]));
      const call = centralSystem
        .get(`identity-${name}`)
        ?.call("ClearCache", {})
        .catch(() => {});
      await clock.advance(0);
      charger.send(JSON.stringify([4, `central-${index + 1}`, name, name, { [name]: name }]));
      charger.close(3000 + index, name);
      await clock.advance(0);
      await call;
    }
    const known = new Set<unknown>([
      ...Object.keys(actions),
      ...Object.keys(errorCodes),
      ...["_OTHER", "in", "out", "call-shape", "unknown-action"],
    ]);
    const dataPoints = (await metrics()).flatMap(({ dataPoints }) => [...dataPoints]);
    expect(dataPoints.length).toBeLessThan(12);
    for (const { attributes } of dataPoints) {
      for (const value of Object.values(attributes)) expect(known).toContain(value);
    }
  });
});
