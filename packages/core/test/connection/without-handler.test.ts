/* CALLs for which nobody has registered a handler. */
import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { CallError, CentralSystem, type CentralSystemEvents } from "../../src/index.ts";
import { rawPeer } from "./raw-peer.ts";

const timestamp = "2026-01-01T00:00:00Z";
const meterValue = [{ timestamp, sampledValue: [{ value: "1" }] }];
const start = { connectorId: 1, idTag: "A", timestamp, meterStart: 0 };
const stop = { transactionId: 1, timestamp, meterStop: 1 };
const frame = (id: string, action: string, payload: object): string => JSON.stringify([2, id, action, payload]);

const advice = (action: string): RegExp =>
  new RegExp(`^There is no handler for ${action}\\. Add one with handle\\("${action}", \\.\\.\\.\\)`);

test.each([
  ["ChargePoint", "Reset", { type: "Hard" }],
  ["CentralSystem", "Authorize", { idTag: "A" }],
  ["CentralSystem", "MeterValues", { connectorId: 1, meterValue }],
  // Readings that nobody wants must not stand in the way of the StopTransaction behind them.
  ["CentralSystem", "MeterValues", { connectorId: 1, transactionId: 1, meterValue }],
] as const)(
  "At a %s, %s %o is answered with NotSupported, and is a fault of ours, told once [J-071] [J-D14]",
  async (role, action, payload) => {
    const { arrived, clock, closed, events, send } = rawPeer(role);
    for (const id of ["1", "2", "3"]) await send(frame(id, action, payload));
    await clock.advance(5000);
    expect(arrived).toMatchObject(
      ["1", "2", "3"].map((id) => [4, id, "NotSupported", expect.stringContaining(action), {}]),
    );
    expect(events.violation).toEqual([]);
    expect(events.fault).toMatchObject([{ action, error: { message: expect.stringMatching(advice(action)) } }]);
    expect(closed).toEqual([]);
  },
);

describe.each([
  ["StartTransaction", start],
  ["StopTransaction", stop],
])("%s", (action, payload) => {
  test("is not answered, but told as a fault, and the connection closes with 1013 [CORE-TXQ-09]", async () => {
    const { arrived, clock, closed, events, send } = rawPeer("CentralSystem");
    await send(frame("1", action, payload));
    await clock.advance(999);
    expect(closed).toEqual([]);
    await clock.advance(1);
    expect(arrived).toEqual([]);
    expect(events.fault).toMatchObject([{ action, error: { message: expect.stringMatching(advice(action)) } }]);
    expect(events.violation).toEqual([]);
    expect(closed).toMatchObject([{ code: 1013 }]);
    expect(clock.pending).toBe(0);
  });

  test("is refused where the owner says so, in silence [J-D17]", async () => {
    const { arrived, clock, closed, connection, events, send } = rawPeer("CentralSystem");
    connection.handle(action as "StopTransaction", () => {
      throw new CallError("NotSupported", "No transactions here.");
    });
    await send(frame("1", action, payload));
    await clock.advance(5000);
    expect(arrived).toEqual([[4, "1", "NotSupported", "No transactions here.", {}]]);
    expect([events.fault, closed]).toEqual([[], []]);
  });
});

test("What the peer may not send at all is a violation, handler or not [J-D14]", async () => {
  const { arrived, events, send } = rawPeer("CentralSystem");
  await send(frame("1", "Reset", { type: "Hard" }));
  expect(arrived).toMatchObject([[4, "1", "NotSupported", expect.stringContaining("Reset"), {}]]);
  expect(events.violation).toMatchObject([{ reason: "unsupported-action" }]);
  expect(events.fault).toEqual([]);
});

test("A Central System tells it once for all of its connections", async () => {
  const clock = new FakeClock();
  const registrations = { get: () => "Accepted" as const, set: () => {} };
  const centralSystem = new CentralSystem({ clock, registrations });
  const faults: CentralSystemEvents["fault"][0][] = [];
  centralSystem.on("fault", (fault) => faults.push(fault));
  for (const identity of ["CP001", "CP002"]) {
    const link = transportPair(clock);
    link.chargePoint.listen({ message: () => {}, close: () => {} });
    centralSystem.accept(link.centralSystem, identity);
    link.chargePoint.send(frame("1", "Authorize", { idTag: "A" }));
    await clock.advance(0);
  }
  expect(faults).toMatchObject([{ identity: "CP001", action: "Authorize" }]);
});
