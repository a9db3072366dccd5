/* A message id that is used for another CALL while the first one is being served. */
import { describe, expect, test } from "vitest";
import { type RawPeer, rawPeer } from "./raw-peer.ts";

const timestamp = "2026-01-01T00:00:00Z";
const meterValue = [{ timestamp, sampledValue: [{ value: "1" }] }];
const start = { connectorId: 1, idTag: "A", timestamp, meterStart: 0 };
const started = { transactionId: 1, idTagInfo: { status: "Accepted" } } as const;
const stop = { transactionId: 1, timestamp, meterStop: 1 };
const readings = { connectorId: 1, transactionId: 1, meterValue };
const accepted = { idTagInfo: { status: "Accepted" } } as const;

const bills = [
  ["StartTransaction", { ...start, meterStart: 7 }],
  ["StopTransaction", stop],
  ["MeterValues", readings],
] as const;
const others = [
  ["Authorize", { idTag: "B" }],
  ["MeterValues", { connectorId: 1, meterValue }],
  ["Frobnicate", {}],
] as const;

/** A Central System whose handlers for StartTransaction and Authorize hang until `answer`. */
function hanging(): RawPeer<"CentralSystem"> & { readonly ran: string[]; readonly answer: () => void } {
  const peer = rawPeer("CentralSystem");
  const ran: string[] = [];
  const answers: (() => void)[] = [];
  const hang = <Conf>(name: string, conf: Conf): Promise<Conf> => {
    ran.push(name);
    return new Promise((resolve) => answers.push(() => resolve(conf)));
  };
  peer.connection.handle("StartTransaction", () => hang("StartTransaction", started));
  peer.connection.handle("Authorize", () => hang("Authorize", accepted));
  for (const action of ["StopTransaction", "MeterValues"] as const) {
    peer.connection.handle(action, () => {
      ran.push(action);
      return {};
    });
  }
  return { ...peer, ran, answer: () => answers.forEach((answer) => void answer()) };
}

const frame = (action: string, payload: object): string => JSON.stringify([2, "1", action, payload]);
const inUse = [4, "1", "GenericError", "The message id is in use by an earlier CALL.", {}];

describe.each([
  ["StartTransaction", start, started],
  ["Authorize", { idTag: "A" }, accepted],
])("While the handler of %s hangs", (running, payload, conf) => {
  test("the same CALL again runs no second handler, and both get the one answer [J-D08] [Q15]", async () => {
    const { answer, arrived, clock, closed, events, ran, send } = hanging();
    await send(frame(running, payload));
    await send(frame(running, payload));
    await clock.advance(5000);
    answer();
    await clock.advance(5000);
    expect(ran).toEqual([running]);
    expect(arrived).toEqual([[3, "1", conf]]);
    expect(events.violation).toMatchObject([{ reason: "duplicate-message-id" }]);
    expect(closed).toEqual([]);
  });

  test.each(bills)(
    "%s under its message id is not refused: the connection closes, and it is sent again [J-D08] [CORE-TXQ-09]",
    async (action, other) => {
      const { arrived, clock, closed, events, ran, send } = hanging();
      await send(frame(running, payload));
      await send(frame(action, other));
      expect(events.violation).toMatchObject([{ reason: "duplicate-message-id", frame: { action } }]);
      await clock.advance(1000);
      expect(ran).toEqual([running]);
      expect(arrived).toEqual([]);
      expect(closed).toMatchObject([{ code: 1013 }]);
    },
  );

  test.each(others)("%s %o under its message id ends no bill [J-057] [J-D08]", async (action, other) => {
    const { answer, arrived, clock, closed, ran, send } = hanging();
    await send(frame(running, payload));
    await send(frame(action, other));
    await clock.advance(5000);
    answer();
    await clock.advance(0);
    // The peer may take a CALLERROR under this id for the end of the bill that is being served.
    expect(arrived).toEqual(running === "StartTransaction" ? [[3, "1", conf]] : [inUse, [3, "1", conf]]);
    expect(ran).toEqual([running]);
    expect(closed).toEqual([]);
  });
});
