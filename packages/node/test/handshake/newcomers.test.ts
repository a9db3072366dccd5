import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { offer, open, openEndpoint, shake, statusOf } from "../open-endpoint.ts";
import { clientFrame, handshake } from "../raw-socket.ts";

describe("A newcomer, while the older connection of its identity is asked for a sign of life", () => {
  /** The older connection, which has just been pinged, and the newcomer. */
  async function both() {
    const { listener } = await openEndpoint();
    const older = await open(listener.port);
    older.request(...handshake("/ocpp/CP001", offer));
    await older.head();
    const newcomer = await shake(listener.port, "CP001");
    expect((await older.frame()).opcode).toBe(9);
    return { older, newcomer };
  }

  test.each([
    ["a frame with a reserved bit", Buffer.from([0xc1, 0x80, 0, 0, 0, 0])],
    ["a pong, and a frame with a reserved bit", Buffer.from([0x8a, 0x80, 0, 0, 0, 0, 0xc1, 0x80, 0, 0, 0, 0])],
    ["a close frame", clientFrame(8, "")],
    ["a binary message", clientFrame(2, "x")],
  ])("is let in when the answer is %s, which ends that connection [J-164] [Q20]", async (_, bytes) => {
    const { older, newcomer } = await both();
    older.write(bytes);
    expect((await older.frame()).opcode).toBe(8);
    older.socket.end();
    expect(await statusOf(newcomer)).toBe(101);
  });

  test("is refused when the answer is a pong [J-164] [Q20]", async () => {
    const { older, newcomer } = await both();
    older.write(clientFrame(10, ""));
    expect(await statusOf(newcomer)).toBe(409);
  });
});

test("A probe takes the time that it may, however short that of a handshake is, and is no decision that was late [J-164]", async () => {
  const clock = new FakeClock();
  const { central, listener, refused } = await openEndpoint(
    { clock, handshakeTimeoutMs: 1000, maxHandshakes: 2 },
    { clock, probeTimeoutMs: 5000 },
  );
  const older = await shake(listener.port, "CP001");
  await older.head();
  await clock.advance(0);
  const newcomer = await shake(listener.port, "CP001");
  expect((await older.frame()).opcode).toBe(9);
  await clock.advance(4999);
  expect(refused).toEqual([]);
  // As many as before may be decided on.
  expect(await statusOf(await shake(listener.port, "CP002"))).toBe(101);
  expect(listener.health()).toMatchObject({ connections: 2, handshakes: 1 });
  await clock.advance(1);
  expect(await statusOf(newcomer)).toBe(101);
  expect([...central.connections()]).toHaveLength(2);
});

describe("A Charge Point whose connections are cut", () => {
  test("hears the end of TCP after what was sent before, and no Close frame", async () => {
    const { central, listener } = await openEndpoint({ cuts: (identity) => identity === "CP001" });
    const [cut, closed] = await Promise.all([shake(listener.port, "CP001"), shake(listener.port, "CP002")]);
    await Promise.all([cut.head(), closed.head()]);
    cut.write(clientFrame(1, '[2,"1","Heartbeat",{}]'));
    expect((await cut.frame()).payload.toString()).toMatch(/^\[3,"1"/);
    for (const connection of [...central.connections()]) connection.close(1012, "restart");
    expect(await cut.rest()).toBe("");
    expect((await closed.frame()).opcode).toBe(8);
  });

  test.each<[string, () => unknown, string[]]>([
    ["throws", () => fail(), ["The database is down."]],
    [
      "rejects",
      async () => fail(),
      ["cuts has answered with a promise. Let it answer at once.", "The database is down."],
    ],
    ["answers with a promise", async () => true, ["cuts has answered with a promise. Let it answer at once."]],
    ["answers nonsense", () => "yes", ["cuts answered string. Answer true or false."]],
  ])("is closed with a frame when the one who is asked %s, which is a fault", async (_, cuts, messages) => {
    const { central, faults, listener } = await openEndpoint({ cuts: cuts as () => boolean });
    const peer = await shake(listener.port, "CP001");
    await peer.head();
    expect(faults).toMatchObject(messages.map((message) => ({ identity: "CP001", error: { message } })));
    central.get("CP001")?.close();
    expect((await peer.frame()).opcode).toBe(8);
  });
});

function fail(): never {
  throw new Error("The database is down.");
}
