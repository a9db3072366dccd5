/* What becomes of the messages that a bill depends on when their handler fails, and of the others. */
import { describe, expect, test } from "vitest";
import { CallError } from "../../src/index.ts";
import { misbehaviours, oops } from "./misbehaviours.ts";
import { type RawPeer, rawPeer } from "./raw-peer.ts";

const timestamp = "2026-01-01T00:00:00Z";
const meterValue = [{ timestamp, sampledValue: [{ value: "1" }] }];

/** The messages that a bill depends on, and what they are answered with. */
const bills = [
  [
    "StartTransaction",
    { connectorId: 1, idTag: "A", timestamp, meterStart: 0 },
    { transactionId: 1, idTagInfo: { status: "Accepted" } },
  ],
  ["StopTransaction", { transactionId: 1, timestamp, meterStop: 1 }, {}],
  ["MeterValues", { connectorId: 1, transactionId: 1, meterValue }, {}],
] as const;
const others = [
  ["MeterValues", { connectorId: 1, meterValue }, {}],
  ["Heartbeat", {}, { currentTime: timestamp }],
  [
    "BootNotification",
    { chargePointVendor: "V", chargePointModel: "M" },
    { status: "Accepted", currentTime: timestamp, interval: 1 },
  ],
] as const;

// Without what comes to no answer at all: where the answer has no fields, that is one.
const { "returns a promise that cannot be read": _, ...misdeeds } = misbehaviours;
const failures: Record<string, () => unknown> = { ...misdeeds, "answers nonsense": () => ({ nonsense: true }) };

const frame = (id: string, action: string, payload: object): string => JSON.stringify([2, id, action, payload]);

/** A Central System's end on which one action is answered by `handler`, and Authorize well. */
function end(action: string, handler: () => unknown): RawPeer<"CentralSystem"> {
  const peer = rawPeer("CentralSystem");
  peer.connection.handle(action as "Heartbeat", handler as never);
  peer.connection.handle("Authorize", () => ({ idTagInfo: { status: "Accepted" } }));
  return peer;
}

const again = { code: 1013, reason: "A message of a transaction could not be kept; send it again" };

describe.each(bills)("%s, whose handler", (action, payload, conf) => {
  test.each(Object.entries(failures))(
    "%s: is not answered but told as a fault, and a second later the connection closes with 1013 [CORE-TXQ-09]",
    async (_, fail) => {
      const { arrived, closed, clock, events, send } = end(action, fail);
      await send(frame("1", action, payload));
      await clock.advance(500);
      await send(frame("2", "Authorize", { idTag: "A" })); // Others are still served.
      await clock.advance(499);
      expect(closed).toEqual([]);
      await clock.advance(1);
      expect(arrived).toEqual([[3, "2", { idTagInfo: { status: "Accepted" } }]]);
      expect(events.fault.map((event) => event.action)).toEqual([action]);
      expect(closed).toEqual([again]);
      expect(events.finished.at(-1)).toMatchObject({ call: { messageId: "1" }, outcome: { type: "CLOSED" } });
      expect(clock.pending).toBe(0);
    },
  );

  test("fails twice: the connection closes with 1013 at once", async () => {
    const { arrived, closed, events, send } = end(action, () => Promise.reject(oops));
    await send(frame("1", action, payload));
    expect(closed).toEqual([]);
    await send(frame("2", action, payload));
    expect(arrived).toEqual([]);
    expect(events.fault).toHaveLength(2);
    expect(closed).toEqual([again]);
  });

  test("never settles: the same, once its time is up", async () => {
    const { arrived, closed, clock, events, send } = end(action, () => new Promise(() => {}));
    await send(frame("1", action, payload));
    await clock.advance(59_999);
    expect(events.fault).toEqual([]);
    await clock.advance(1);
    expect(events.fault).toMatchObject([
      { action, error: { message: `The handler for ${action} has not answered within 60000 ms.` } },
    ]);
    expect(closed).toEqual([]);
    await clock.advance(1000);
    expect(arrived).toEqual([]);
    expect(closed).toEqual([again]);
  });

  test("answers when its time is up, but before the end: is answered", async () => {
    let answer = (_: unknown): void => {};
    const { arrived, clock, send } = end(action, () => new Promise((resolve) => (answer = resolve)));
    await send(frame("1", action, payload));
    await clock.advance(60_000);
    answer(conf);
    await clock.advance(0);
    expect(arrived).toEqual([[3, "1", conf]]);
  });

  test("throws a CallError: is answered with that, as its owner wants it [J-D17]", async () => {
    const { arrived, closed, clock, send } = end(action, () => {
      throw new CallError("SecurityError", "Not here.");
    });
    await send(frame("1", action, payload));
    await clock.advance(5000);
    expect(arrived).toEqual([[4, "1", "SecurityError", "Not here.", {}]]);
    expect(closed).toEqual([]);
  });
});

describe.each(others)("%s %o, on which no bill depends, whose handler", (action, payload, conf) => {
  test.each(Object.entries(failures))("%s: is answered with InternalError [J-D18]", async (_, fail) => {
    const { arrived, closed, clock, send } = end(action, fail);
    await send(frame("1", action, payload));
    await clock.advance(5000);
    expect(arrived).toEqual([[4, "1", "InternalError", "The action could not be carried out.", {}]]);
    expect(closed).toEqual([]);
  });

  test("never settles: is answered with InternalError, once; what comes later counts for nothing", async () => {
    let answer = (_: unknown): void => {};
    const { arrived, closed, clock, events, send } = end(action, () => new Promise((resolve) => (answer = resolve)));
    await send(frame("1", action, payload));
    await clock.advance(60_000);
    answer(conf);
    await clock.advance(60_000);
    expect(arrived).toEqual([[4, "1", "InternalError", "The action could not be carried out.", {}]]);
    expect(events.fault).toHaveLength(1);
    expect(closed).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe("The signal of a handler", () => {
  /** Runs a handler that waits for its signal, and does what it says. */
  async function waiting(id = "1") {
    const peer = rawPeer("CentralSystem", { handlerTimeoutMs: 5000 });
    const reasons: unknown[] = [];
    peer.connection.handle(
      "Heartbeat",
      (_, { signal }) =>
        new Promise((_, reject) =>
          signal.addEventListener("abort", () => {
            reasons.push(signal.reason);
            reject(signal.reason);
          }),
        ),
    );
    await peer.send(frame(id, "Heartbeat", {}));
    return { ...peer, reasons };
  }

  test("aborts when its time is up; that it then gives up is no further fault", async () => {
    const { arrived, clock, events, reasons } = await waiting();
    await clock.advance(4999);
    expect(reasons).toEqual([]);
    await clock.advance(1);
    expect(reasons).toEqual([new Error("The handler for Heartbeat has not answered within 5000 ms.")]);
    expect(arrived).toEqual([[4, "1", "InternalError", expect.any(String), {}]]);
    expect(events.fault).toHaveLength(1);
  });

  test("aborts when the connection ends, which is no fault", async () => {
    const { clock, events, peer, reasons } = await waiting();
    peer.drop();
    await clock.advance(0);
    expect(reasons).toEqual([new Error("The connection has ended.")]);
    expect(events.fault).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test("is one that the runtime's own functions take, and says so when it is asked for only then", async () => {
    const { clock, connection, peer, send } = rawPeer("CentralSystem");
    let ask = (): void => {};
    const signals: AbortSignal[] = [];
    connection.handle("Heartbeat", async (_, context) => {
      await new Promise<void>((resolve) => (ask = resolve));
      signals.push(context.signal, AbortSignal.any([context.signal]));
      return { currentTime: timestamp };
    });
    await send(frame("1", "Heartbeat", {}));
    peer.drop();
    await clock.advance(0);
    ask();
    await clock.advance(0);
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, true]);
  });

  test("does not abort when the answer has been given", async () => {
    const { clock, connection, send } = rawPeer("CentralSystem");
    const signals: AbortSignal[] = [];
    connection.handle("Heartbeat", (_, { signal }) => {
      signals.push(signal);
      return { currentTime: timestamp };
    });
    await send(frame("1", "Heartbeat", {}));
    connection.close();
    await clock.advance(60_000);
    expect(signals[0]?.aborted).toBe(false);
  });
});

describe("callsPerSecond", () => {
  const heartbeats = async (peer: RawPeer<"CentralSystem">, count: number): Promise<void> => {
    peer.connection.handle("Heartbeat", () => ({ currentTime: timestamp }));
    for (let id = 1; id <= count; id++) peer.peer.send(frame(`${id}`, "Heartbeat", {}));
    await peer.clock.advance(0);
  };

  test("lets so many pass at once, and makes those beyond it wait in their order; each gets its answer", async () => {
    const peer = rawPeer("CentralSystem", { callsPerSecond: 4 });
    await heartbeats(peer, 7);
    expect(peer.arrived).toHaveLength(4);
    await peer.clock.advance(249);
    expect(peer.arrived).toHaveLength(4);
    await peer.clock.advance(1);
    expect(peer.arrived).toHaveLength(5);
    await peer.clock.advance(500);
    expect(peer.arrived.map((answer) => (answer as unknown[])[1])).toEqual(["1", "2", "3", "4", "5", "6", "7"]);
    expect(peer.events.violation).toEqual([]);
  });

  test("may be less than one", async () => {
    const peer = rawPeer("CentralSystem", { callsPerSecond: 0.5 });
    await heartbeats(peer, 2);
    expect(peer.arrived).toHaveLength(1);
    await peer.clock.advance(2000);
    expect(peer.arrived).toHaveLength(2);
  });

  test("leaves nothing behind when the connection ends", async () => {
    const peer = rawPeer("CentralSystem", { callsPerSecond: 1 });
    await heartbeats(peer, 5);
    peer.connection.close();
    await peer.clock.advance(10_000);
    expect(peer.arrived).toHaveLength(1);
    expect(peer.events.finished).toHaveLength(5);
    expect(peer.clock.pending).toBe(0);
  });
});

describe("Connection.drain", () => {
  test("closes at once where no handler runs", async () => {
    const { clock, closed, connection } = rawPeer("CentralSystem");
    const drained = connection.drain(1012, "later");
    await clock.advance(0);
    await drained;
    expect(closed).toEqual([{ code: 1012, reason: "later" }]);
    await connection.drain();
    expect(closed).toHaveLength(1);
  });

  test("waits for handlers that run, whose answers leave; what arrives meanwhile is neither served nor answered", async () => {
    let answer = (): void => {};
    const { arrived, clock, closed, connection, events, send } = end(
      "Heartbeat",
      () => new Promise((resolve) => (answer = () => resolve({ currentTime: timestamp }))),
    );
    await send(frame("1", "Heartbeat", {}));
    void connection.drain(1012);
    await send(frame("2", "Authorize", { idTag: "A" }));
    await clock.advance(1000);
    expect(closed).toEqual([]);
    expect(arrived).toEqual([]);
    answer();
    await clock.advance(0);
    expect(arrived).toEqual([[3, "1", { currentTime: timestamp }]]);
    expect(closed).toEqual([{ code: 1012, reason: "" }]);
    expect(events.finished.map(({ call, outcome }) => [call.messageId, outcome.type])).toEqual([
      ["1", "CALLRESULT"],
      ["2", "CLOSED"],
    ]);
    expect(clock.pending).toBe(0);
  });

  test.each(["1", "2"])(
    "does not wait for one that has failed at a bill, whichever comes first (%s)",
    async (order) => {
      let fail = (): void => {};
      const { clock, closed, connection, send } = end(
        "StopTransaction",
        () => new Promise((_, reject) => (fail = () => reject(oops))),
      );
      await send(frame("1", "StopTransaction", bills[1][1]));
      if (order === "1") fail();
      await clock.advance(0);
      void connection.drain(1012);
      if (order === "2") fail();
      await clock.advance(0);
      expect(closed).toEqual([{ code: 1012, reason: "" }]);
    },
  );
});
