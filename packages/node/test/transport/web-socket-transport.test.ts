import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { type Clock, Connection, subprotocol, type Transport } from "@ocppj/core";
import { FakeClock, transportContract } from "@ocppj/testing";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import {
  type TransportOptions,
  WebSocketTransport,
  webSocketOptions,
} from "../../src/transport/web-socket-transport.ts";
import { FarEnd } from "../far-end.ts";
import { clientFrame, handshake, RawSocket } from "../raw-socket.ts";

let server: Server;
let port: number;
const webSockets = new WebSocketServer({ noServer: true, perMessageDeflate: false });
const clients: WebSocket[] = [];
const rawSockets: RawSocket[] = [];

beforeAll(async () => {
  server = createServer();
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  port = (server.address() as AddressInfo).port;
});

afterEach(() => {
  for (const client of clients.splice(0)) client.terminate();
  for (const { socket } of rawSockets.splice(0)) socket.destroy();
  for (const webSocket of webSockets.clients) webSocket.terminate();
});

afterAll(() => server.close());

function dial(): WebSocket {
  const client = new WebSocket(`ws://127.0.0.1:${port}/CP001`, [subprotocol], { perMessageDeflate: false });
  clients.push(client);
  return client;
}

/** Calls `take` in the turn in which the server's end of the next connection opens. */
function accepted<Result>(
  take: (webSocket: WebSocket, socket: Duplex) => Result,
  webSocketServer = webSockets,
): Promise<Result> {
  return new Promise((resolve) => {
    server.once("upgrade", (request, socket, head) => {
      webSocketServer.handleUpgrade(request, socket, head, (webSocket) => resolve(take(webSocket, socket)));
    });
  });
}

/** A transport over the socket that a server accepted. */
async function openAccepted(options: TransportOptions = {}) {
  const opening = accepted((webSocket, socket) => new WebSocketTransport(webSocket, socket, options));
  const client = dial();
  const peer = new FarEnd(client);
  await once(client, "open");
  return { transport: await opening, peer };
}

/** A transport over the socket that a client opened. */
async function openDialled(options: TransportOptions = {}) {
  const peer = accepted((webSocket) => new FarEnd(webSocket));
  const client = dial();
  const transport = await new Promise<WebSocketTransport>((resolve) => {
    client.once("upgrade", ({ socket }) => {
      client.once("open", () => resolve(new WebSocketTransport(client, socket, options)));
    });
  });
  return { transport, peer: await peer };
}

/** A transport over the socket that a server accepted, whose peer is a bare TCP connection. */
async function openRaw(options: TransportOptions = {}) {
  const opening = accepted((webSocket, socket) => ({
    transport: new WebSocketTransport(webSocket, socket, options),
    socket,
  }));
  const peer = await RawSocket.open(port);
  rawSockets.push(peer);
  peer.request(...handshake("/CP001"));
  await peer.head();
  return { ...(await opening), peer };
}

/** The same; `answer` takes a ping and answers it. */
async function openAnswering(options: TransportOptions) {
  const opened = await openRaw(options);
  const answer = async (): Promise<void> => {
    const { opcode, payload } = await opened.peer.frame();
    expect(opcode).toBe(9);
    const arrived = once(opened.socket, "data");
    opened.peer.write(clientFrame(10, payload));
    await arrived;
  };
  return { ...opened, answer };
}

/** Lets another connection live from opening to close: what was under way before it began has arrived. */
async function roundTrip(): Promise<void> {
  const { transport, peer } = await openAccepted();
  const heard = hear(transport);
  await peer.close(1000, "");
  await heard.closed;
}

/** Starts delivery and keeps what is heard. */
function hear(transport: Transport) {
  const messages: string[] = [];
  let heardMessage = (): void => {};
  let heardClose: (close: { code: number; reason: string }) => void = () => {};
  const closed = new Promise<{ code: number; reason: string }>((resolve) => {
    heardClose = resolve;
  });
  transport.listen({
    message(text) {
      messages.push(text);
      heardMessage();
    },
    close: (code, reason) => heardClose({ code, reason }),
  });
  return {
    messages,
    closed,
    async message(): Promise<string> {
      while (messages.length === 0) {
        await new Promise<void>((resolve) => {
          heardMessage = resolve;
        });
      }
      return messages.shift() as string;
    },
  };
}

/** A message in one more than the 16 384 fragments that `ws` puts up with. */
const fragments = Buffer.concat([clientFrame(1, "", false), ...Array(16_384).fill(clientFrame(0, "", false))]);

const bounded = { closeTimeoutMs: 200 };

describe("a transport over an accepted WebSocket", () => {
  for (const { title, run } of transportContract(() => openAccepted(bounded), { binaryCloseCode: 1003 }))
    test(title, run);
});

describe("a transport over a dialled WebSocket", () => {
  for (const { title, run } of transportContract(() => openDialled(bounded), { binaryCloseCode: 1003 }))
    test(title, run);
});

describe("what a peer may send", () => {
  test("closes with 1003 after a binary message, tells why, and delivers nothing that follows it [J-047]", async () => {
    const { transport, peer } = await openAccepted();
    const heard = hear(transport);
    peer.webSocket.send(Buffer.from('[2,"1","Heartbeat",{}]'));
    peer.webSocket.send('[2,"2","Heartbeat",{}]');
    expect(await peer.closed()).toEqual({ code: 1003, reason: "OCPP-J messages are text messages" });
    expect(await heard.closed).toEqual({ code: 1003, reason: "OCPP-J messages are text messages" });
    expect(heard.messages).toEqual([]);
  });

  test("reads a message of exactly maxFrameBytes, and closes with 1009 after one byte more [J-143] [J-D01]", async () => {
    const maxFrameBytes = 1000;
    const small = new WebSocketServer({ ...webSocketOptions({ maxFrameBytes }), noServer: true });
    const opening = accepted((webSocket, socket) => new WebSocketTransport(webSocket, socket, {}), small);
    const client = dial();
    const peer = new FarEnd(client);
    await once(client, "open");
    const heard = hear(await opening);
    await peer.send("x".repeat(maxFrameBytes));
    expect(await heard.message()).toHaveLength(maxFrameBytes);
    await peer.send("x".repeat(maxFrameBytes + 1));
    expect((await peer.closed()).code).toBe(1009);
    expect(await heard.closed).toEqual({ code: 1009, reason: "Max payload size exceeded" });
    expect(heard.messages).toEqual([]);
  });

  test("joins the fragments of a message [J-144]", async () => {
    const { transport, peer } = await openAccepted();
    const heard = hear(transport);
    peer.webSocket.send('[2,"1",', { fin: false });
    peer.webSocket.send('"Heartbeat"', { fin: false });
    peer.webSocket.send(",{}]", { fin: true });
    expect(await heard.message()).toBe('[2,"1","Heartbeat",{}]');
  });

  test.each([
    ["text that is not UTF-8", clientFrame(1, Uint8Array.of(0xc3, 0x28)), 1007],
    ["a frame that is not masked", Buffer.from([0x81, 0x02, 0x5b, 0x5d]), 1002],
    ["a reserved opcode", clientFrame(3, "[]"), 1002],
    ["more fragments than a message may have", fragments, 1008],
    ["a length beyond 2^53", Buffer.from([0x81, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]), 1009],
  ])("closes after %s and reports the code that it sent", async (_, bytes, code) => {
    const { transport, peer } = await openRaw();
    const heard = hear(transport);
    peer.write(bytes);
    const { opcode, payload } = await peer.frame();
    expect([opcode, payload.readUInt16BE(0)]).toEqual([8, code]);
    peer.socket.end();
    expect((await heard.closed).code).toBe(code);
  });

  test("survives a peer that resets the connection, and reports 1006", async () => {
    const { transport, peer } = await openRaw();
    const heard = hear(transport);
    peer.socket.resetAndDestroy();
    expect((await heard.closed).code).toBe(1006);
  });

  test("is not read before somebody listens", async () => {
    const { transport, socket, peer } = await openRaw();
    expect(socket.isPaused()).toBe(true);
    peer.write(clientFrame(1, "kept"));
    expect(await hear(transport).message()).toBe("kept");
    expect(socket.isPaused()).toBe(false);
  });

  test("is delivered after listen has returned, even when the connection has been reset by then", async () => {
    const clock = new FakeClock();
    const { transport, socket, peer } = await openRaw({ clock });
    peer.write(clientFrame(1, "last words"));
    await roundTrip();
    const gone = new Promise((resolve) => socket.once("close", resolve));
    peer.socket.resetAndDestroy();
    await gone;

    const order: unknown[] = [];
    await new Promise<void>((resolve) => {
      transport.listen({
        message: (text) => order.push(text),
        close(code) {
          order.push(code);
          resolve();
        },
      });
      order.push("listening");
    });
    expect(order).toEqual(["listening", "last words", 1006]);
    expect(clock.pending).toBe(0);
  });
});

describe("close", () => {
  test("refuses a code that may not be sent, and stays open", async () => {
    const { transport, peer } = await openAccepted();
    hear(transport);
    expect(() => transport.close(1006)).toThrow(TypeError);
    transport.send("still open");
    expect(await peer.receive()).toBe("still open");
  });

  test("reports the loss of a peer that never answers a close frame after closeTimeoutMs, whatever else it sends", async () => {
    const clock = new FakeClock();
    const { transport, socket, peer } = await openRaw({ clock, closeTimeoutMs: 700, pingIntervalMs: 0 });
    const heard = hear(transport);
    transport.close(3001, "bye");
    expect((await peer.frame()).opcode).toBe(8);
    await clock.advance(699);
    const arrived = once(socket, "data");
    peer.write(clientFrame(1, "[]"));
    await arrived;
    expect(socket.destroyed).toBe(false);
    await clock.advance(1);
    expect(await heard.closed).toEqual({ code: 1006, reason: "" });
    expect(heard.messages).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  test("reports the loss of a peer that has ended its side and does not read ours, after closeTimeoutMs", async () => {
    const clock = new FakeClock();
    const { transport, socket, peer } = await openRaw({ clock, closeTimeoutMs: 700, pingIntervalMs: 0 });
    const heard = hear(transport);
    peer.socket.allowHalfOpen = true;
    peer.socket.pause();
    while (socket.writableLength === 0) transport.send("x".repeat(2 ** 20));
    const ended = once(socket, "end");
    peer.socket.end();
    await ended;
    await clock.advance(700);
    expect((await heard.closed).code).toBe(1006);
    expect(clock.pending).toBe(0);
  });

  test("keeps its own code when the peer breaks a rule before it answers", async () => {
    const { transport, peer } = await openRaw();
    const heard = hear(transport);
    transport.close(3001, "bye");
    const { payload } = await peer.frame();
    peer.write(clientFrame(2, "binary"));
    peer.write(clientFrame(8, payload));
    expect(await heard.closed).toEqual({ code: 3001, reason: "bye" });
  });

  test("reports the close of a peer that never ends its TCP connection after closeTimeoutMs", async () => {
    const clock = new FakeClock();
    const { transport, peer } = await openRaw({ clock, closeTimeoutMs: 700, pingIntervalMs: 0 });
    const heard = hear(transport);
    peer.socket.allowHalfOpen = true;
    peer.write(clientFrame(8, Uint8Array.of(0x0f, 0xa1)));
    expect((await peer.frame()).opcode).toBe(8);
    await clock.advance(700);
    expect((await heard.closed).code).toBe(4001);
    expect(clock.pending).toBe(0);
  });

  test("of the peer is known by `closing` before it is reported, and what is sent then was not sent [J-109]", async () => {
    const { transport, peer } = await openRaw({ closeTimeoutMs: 500 });
    const connection = new Connection(transport, { role: "CentralSystem", identity: "CP001" });
    let isClosed = false;
    connection.on("closed", () => (isClosed = true));
    expect(transport.closing).toBe(false);
    peer.socket.allowHalfOpen = true;
    peer.write(clientFrame(8, Uint8Array.of(0x03, 0xe9)));
    expect((await peer.frame()).opcode).toBe(8);
    expect([transport.closing, isClosed]).toEqual([true, false]);
    await expect(connection.call("ClearCache", {})).rejects.toMatchObject({
      name: "ConnectionClosedError",
      code: 1001,
      sent: false,
    });
  });

  test("is complete without anybody listening", async () => {
    const clock = new FakeClock();
    const { transport, peer } = await openAccepted({ clock });
    transport.close(3001, "bye");
    expect(await peer.closed()).toEqual({ code: 3001, reason: "bye" });
    expect(await hear(transport).closed).toEqual({ code: 3001, reason: "bye" });
    expect(clock.pending).toBe(0);
  });
});

describe("a silent peer", () => {
  const pingIntervalMs = 1000;

  test("is pinged when nothing has arrived for pingIntervalMs, and again after its pong [J-151]", async () => {
    const clock = new FakeClock();
    const { transport, peer } = await openAccepted({ clock, pingIntervalMs });
    const heard = hear(transport);
    for (const ping of [1, 2, 3]) {
      await clock.advance(pingIntervalMs - 1);
      transport.send("too early for a ping");
      await peer.receive();
      expect(peer.pings).toBe(ping - 1);
      const pinged = once(peer.webSocket, "ping");
      await clock.advance(1);
      await pinged;
      await peer.send("after the pong");
      await heard.message();
    }
    expect(peer.pings).toBe(3);
  });

  test("is lost when another pingIntervalMs brings nothing, once it has answered a ping [J-154]", async () => {
    const clock = new FakeClock();
    const { transport, peer, answer } = await openAnswering({ clock, pingIntervalMs });
    const heard = hear(transport);
    await clock.advance(pingIntervalMs);
    await answer();
    await clock.advance(pingIntervalMs);
    expect((await peer.frame()).opcode).toBe(9);
    await clock.advance(pingIntervalMs - 1);
    expect(clock.pending).toBe(1);
    await clock.advance(1);
    expect(await heard.closed).toEqual({ code: 1006, reason: "Nothing arrived for 2000 ms, in spite of a ping" });
    await peer.rest();
    expect(clock.pending).toBe(0);
  });

  test("is pinged and not lost as long as it has never answered a ping, which is told once [Q20]", async () => {
    const clock = new FakeClock();
    const { transport, socket, peer } = await openRaw({ clock, pingIntervalMs });
    const told: number[] = [];
    transport.listen({ message: () => {}, close: () => {}, unanswered: () => void told.push(1) });
    for (const expected of [0, 1, 1, 1]) {
      await clock.advance(pingIntervalMs);
      expect((await peer.frame()).opcode).toBe(9);
      expect(told).toHaveLength(expected);
    }
    expect(socket.destroyed).toBe(false);
  });

  test("is pinged although it talks, when this end has sent nothing for pingIntervalMs [Q20]", async () => {
    const clock = new FakeClock();
    const { transport, peer } = await openAccepted({ clock, pingIntervalMs });
    const heard = hear(transport);
    await clock.advance(pingIntervalMs - 1);
    await peer.send("[]");
    await heard.message();
    const pinged = once(peer.webSocket, "ping");
    await clock.advance(1);
    await pinged;
  });

  test("is not lost while anything arrives, be it part of a message [Q20]", async () => {
    const clock = new FakeClock();
    const { transport, socket, peer, answer } = await openAnswering({ clock, pingIntervalMs });
    const heard = hear(transport);
    await clock.advance(pingIntervalMs);
    await answer();
    for (const byte of clientFrame(1, "[]")) {
      await clock.advance(pingIntervalMs - 1);
      const arrived = once(socket, "data");
      peer.write(Uint8Array.of(byte));
      await arrived;
    }
    expect(await heard.message()).toBe("[]");
  });

  test("is not given up early, although the timer comes early", async () => {
    const clock = new FakeClock();
    const early: Clock = {
      now: () => clock.now(),
      wakeAt: (time, callback) => clock.wakeAt(time - 400 > clock.now() ? time - 400 : time, callback),
    };
    const { transport, socket, peer, answer } = await openAnswering({ clock: early, pingIntervalMs });
    const heard = hear(transport);
    await clock.advance(pingIntervalMs);
    await answer();
    await clock.advance(2 * pingIntervalMs - 1);
    expect((await peer.frame()).opcode).toBe(9);
    expect(socket.destroyed).toBe(false);
    await clock.advance(1);
    expect((await heard.closed).code).toBe(1006);
  });

  test("is pinged before it is given up, however late the timer comes", async () => {
    const clock = new FakeClock();
    const late: Clock = {
      now: () => clock.now(),
      wakeAt: (time, callback) => clock.wakeAt(time + 10 * pingIntervalMs, callback),
    };
    const { transport, peer } = await openAccepted({ clock: late, pingIntervalMs });
    const heard = hear(transport);
    const pinged = once(peer.webSocket, "ping");
    await clock.advance(11 * pingIntervalMs);
    await pinged;
    await peer.send("alive");
    expect(await heard.message()).toBe("alive");
  });

  test("is never pinged with a pingIntervalMs of 0 [J-150]", async () => {
    const clock = new FakeClock();
    const { transport } = await openAccepted({ clock, pingIntervalMs: 0 });
    hear(transport);
    expect(clock.pending).toBe(0);
  });

  test("is heard when it answers a ping that it is sent [Q20]", async () => {
    const { transport } = await openAccepted();
    const heard = new Promise<void>((resolve) => {
      transport.listen({ message: () => {}, close: () => {}, heard: resolve });
    });
    transport.ping?.();
    await heard;
  });

  test.each([
    ["a pong with a reserved bit", Buffer.from([0xca, 0x80, 0, 0, 0, 0])],
    ["a pong and a close frame", Buffer.concat([clientFrame(10, ""), clientFrame(8, "")])],
    ["a pong and a frame with a reserved opcode", Buffer.concat([clientFrame(10, ""), clientFrame(3, "")])],
  ])("is not heard any more with %s, which end the connection [Q20]", async (_, bytes) => {
    const { transport, peer } = await openRaw();
    const told: string[] = [];
    const closed = new Promise<void>((resolve) => {
      const tell = (what: string) => () => void told.push(what);
      transport.listen({ message: tell("message"), heard: tell("heard"), pong: tell("pong"), close: () => resolve() });
    });
    transport.ping?.();
    expect((await peer.frame()).opcode).toBe(9);
    peer.write(bytes);
    peer.socket.end();
    await closed;
    expect(told).toEqual([]);
  });

  test("is known by the time that its pong takes, and not by a pong that nobody has asked for", async () => {
    const clock = new FakeClock();
    const { transport, peer, socket } = await openRaw({ clock });
    const pongs: number[] = [];
    transport.listen({ message: () => {}, close: () => {}, pong: () => void pongs.push(1) });
    const pong = async () => {
      const arrived = once(socket, "data");
      peer.write(clientFrame(10, ""));
      await arrived;
    };
    await pong();
    expect([pongs.length, transport.roundTripMs]).toEqual([0, undefined]);
    transport.ping?.();
    await clock.advance(42);
    await pong();
    expect([pongs.length, transport.roundTripMs]).toEqual([1, 42]);
  });

  test("gets a pong for its own ping [J-155]", async () => {
    const { transport, peer } = await openAccepted();
    hear(transport);
    const pong = once(peer.webSocket, "pong");
    peer.webSocket.ping("mark");
    expect(String((await pong)[0])).toBe("mark");
  });
});

describe("a peer that does not read", () => {
  test("is disconnected with 1008 once more than maxBufferedBytes wait", async () => {
    const clock = new FakeClock();
    const maxBufferedBytes = 2 ** 17;
    const { transport, peer } = await openAccepted({ clock, closeTimeoutMs: 700, maxBufferedBytes, pingIntervalMs: 0 });
    const heard = hear(transport);
    await peer.stall();
    const text = "x".repeat(2 ** 16);
    let sent = 0;
    while (clock.pending === 0) {
      transport.send(text);
      sent += 1;
      if (sent > 1000) throw new Error("Nothing bounds what waits to be sent.");
    }
    await clock.advance(700);
    const { code, reason } = await heard.closed;
    expect(code).toBe(1008);
    const waiting = Number(/^(\d+) bytes wait/.exec(reason)?.[1]);
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThanOrEqual(maxBufferedBytes);
  });

  test("may be sent a single message larger than maxBufferedBytes", async () => {
    const { transport, peer } = await openAccepted({ maxBufferedBytes: 10 });
    hear(transport);
    transport.send("x".repeat(1000));
    expect(await peer.receive()).toHaveLength(1000);
  });
});
