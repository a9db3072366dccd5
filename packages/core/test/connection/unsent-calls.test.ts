/* What is given to a transport that is closing already is not sent, and nobody says that it was. */
import { expect, test } from "vitest";
import { rawPeer } from "./raw-peer.ts";

const currentTime = "2026-01-01T00:00:00Z";

/** Lets something happen after the peer's Close frame has arrived, and before the connection hears of its end. */
async function afterCloseFrame(peer: ReturnType<typeof rawPeer>, act: () => void): Promise<void> {
  peer.peer.close(1001, "bye");
  peer.clock.wakeAt(peer.clock.now(), () => {
    expect(peer.near.closing).toBe(true);
    expect(peer.events.closed).toEqual([]);
    act();
  });
  await peer.clock.advance(0);
}

test("A CALL that the transport does not take any more was not sent, nor are those that wait behind it [J-109]", async () => {
  const peer = rawPeer("ChargePoint");
  const errors: unknown[] = [];
  await afterCloseFrame(peer, () => {
    for (let calls = 0; calls < 2; calls++) peer.connection.call("Heartbeat", {}).catch((error) => errors.push(error));
  });
  const notSent = { name: "ConnectionClosedError", code: 1001, reason: "bye", sent: false };
  expect(errors).toMatchObject([notSent, notSent]);
  expect(peer.events.message).toEqual([]);
  expect(peer.events.finished.map(({ outcome, elapsedMs }) => [outcome, elapsedMs])).toEqual([
    [{ type: "CLOSED", sent: false }, 0],
    [{ type: "CLOSED", sent: false }, 0],
  ]);
});

test("It was not sent either when its time is up before the transport has closed", async () => {
  const { clock, connection, near } = rawPeer("ChargePoint");
  near.mute(); // The peer never answers the Close frame.
  near.close();
  const error = connection.call("Heartbeat", {}, { timeoutMs: 1000 }).catch((error: unknown) => error);
  await clock.advance(1000);
  expect(await error).toMatchObject({ name: "ConnectionClosedError", sent: false });
});

test("A CALL that was sent before is told as sent", async () => {
  const peer = rawPeer("ChargePoint");
  const error = peer.connection.call("Heartbeat", {}).catch((error: unknown) => error);
  await afterCloseFrame(peer, () => {});
  expect(await error).toMatchObject({ name: "ConnectionClosedError", sent: true });
});

test("An answer that the transport does not take any more was not given", async () => {
  const peer = rawPeer("CentralSystem");
  let answer = (): void => {};
  let answered: Promise<boolean> | undefined;
  peer.connection.handle("Heartbeat", (_, context) => {
    answered = context.answered;
    return new Promise((resolve) => (answer = () => resolve({ currentTime })));
  });
  await peer.send('[2,"1","Heartbeat",{}]');
  peer.near.mute();
  peer.near.close();
  answer();
  await peer.clock.advance(0);
  expect(await answered).toBe(false);
  expect(peer.events.finished).toMatchObject([{ outcome: { type: "CLOSED", sent: false } }]);
  expect(peer.events.message).toHaveLength(1);
});
