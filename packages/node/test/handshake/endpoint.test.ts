import { createHash } from "node:crypto";
import { once } from "node:events";
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import { setImmediate } from "node:timers/promises";
import { CentralSystem, type CentralSystemEvents, type ConnectionEvents } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket } from "ws";
import { Endpoint } from "../../src/handshake/endpoint.ts";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import { listen } from "../../src/listen.ts";
import type { ListenOptions } from "../../src/listen-options.ts";
import type { Listener } from "../../src/listener.ts";
import { clientFrame, handshake, RawSocket } from "../raw-socket.ts";

const opened: { destroy(): unknown }[] = [];

afterEach(async () => {
  for (const one of opened.splice(0).reverse()) await one.destroy();
});

/** A Central System with an endpoint at `/ocpp`, and what it is told. */
async function centralSystem(options: ListenOptions = {}) {
  const central = new CentralSystem();
  const refused: CentralSystemEvents["refused"][0][] = [];
  const faults: CentralSystemEvents["fault"][0][] = [];
  const connected: string[] = [];
  central.on("refused", (event) => refused.push(event));
  central.on("fault", (event) => faults.push(event));
  central.on("connected", ({ identity }) => connected.push(identity));
  const listener = await listen(central, { path: "/ocpp", pingIntervalMs: 0, ...options });
  opened.push({ destroy: () => listener.close() });
  return { central, listener, refused, faults, connected };
}

/** Sends an opening handshake over a bare TCP connection. */
async function shake({ port }: Listener, path: string, ...more: readonly string[]): Promise<RawSocket> {
  const peer = await RawSocket.open(port);
  opened.push(peer.socket);
  peer.request(...handshake(path, ...more));
  return peer;
}

const offer = "Sec-WebSocket-Protocol: ocpp1.6";
const basic = (text: string | Uint8Array): string =>
  `Authorization: Basic ${Buffer.from(text as string).toString("base64")}`;
const statusOf = async (peer: RawSocket): Promise<number> => Number((await peer.head()).split(" ")[1]);

/** A promise and what settles it, for hooks that answer when the test says so. */
function gate<Value>() {
  let open: (value: Value) => void = () => {};
  const promise = new Promise<Value>((resolve) => {
    open = resolve;
  });
  return { promise, open };
}

describe("an opening handshake", () => {
  test("is answered as in the document's example, with the accept value that belongs to its key [J-023] [J-035]", async () => {
    const { listener, connected } = await centralSystem({ path: "/webServices/ocpp" });
    const peer = await RawSocket.open(listener.port);
    opened.push(peer.socket);
    peer.request(
      "GET /webServices/ocpp/CP3211 HTTP/1.1",
      "Host: some.server.com:33033",
      "Upgrade: websocket",
      "Connection: Upgrade",
      "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
      "Sec-WebSocket-Protocol: ocpp1.6, ocpp1.5",
      "Sec-WebSocket-Version: 13",
    );
    const digest = createHash("sha1")
      .update("x3JJHMbDL1EzLkh9GBhXDw==258EAFA5-E914-47DA-95CA-C5AB0DC85B11")
      .digest("base64");
    expect((await peer.head()).split("\r\n")).toEqual([
      "HTTP/1.1 101 Switching Protocols",
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Accept: ${digest}`,
      "Sec-WebSocket-Protocol: ocpp1.6",
    ]);
    expect(connected).toEqual(["CP3211"]);
  });

  test("hands over what came in one packet with it", async () => {
    const { central, listener } = await centralSystem();
    const frame = gate<ConnectionEvents["message"][0]["frame"]>();
    central.on("message", ({ direction, frame: received }) => direction === "in" && frame.open(received));
    const peer = await RawSocket.open(listener.port);
    opened.push(peer.socket);
    const request = `${handshake("/ocpp/CP001", offer).join("\r\n")}\r\n\r\n`;
    peer.write(Buffer.concat([Buffer.from(request), clientFrame(1, '[2,"1","Heartbeat",{}]')]));
    expect(await frame.promise).toMatchObject({ type: "CALL", messageId: "1" });
  });

  test("agrees to no compression [J-140] [J-141] [Q25]", async () => {
    const { listener } = await centralSystem();
    const peer = await shake(listener, "/ocpp/CP001", offer, "Sec-WebSocket-Extensions: permessage-deflate");
    const head = await peer.head();
    expect(head).toMatch(/^HTTP\/1\.1 101/);
    expect(head).not.toMatch(/Sec-WebSocket-Extensions/i);
  });

  test.each([
    ["/ocpp/CP001", "CP001"],
    ["/ocpp/RDAM%20123", "RDAM 123"],
    ["/ocpp/a%2Fb", "a/b"],
    ["/ocpp/100%2525", "100%25"],
    ["/ocpp/S%C3%A4ule?token=a/b", "Säule"],
    ["/ocpp/cp001", "cp001"],
  ])("takes from %s the identity %s, decoded once [J-008] [J-012]", async (path, identity) => {
    const { listener, connected } = await centralSystem();
    expect(await statusOf(await shake(listener, path, offer))).toBe(101);
    expect(connected).toEqual([identity]);
  });

  test.each(["/ocpp/%", "/ocpp/%zz", "/ocpp/%c3%28", "/ocpp/%ff", "/%"])(
    "is refused with 400 for the malformed path %s, and does no other harm [J-008] [trap 1]",
    async (path) => {
      const authenticate = vi.fn<Authenticate>(() => true);
      const { listener, refused } = await centralSystem({ authenticate });
      const peer = await shake(listener, path, offer);
      expect(await statusOf(peer)).toBe(400);
      await peer.rest();
      expect(refused).toEqual([expect.objectContaining({ reason: "encoding", status: 400 })]);
      expect(refused[0]).not.toHaveProperty("identity");
      expect(authenticate).not.toHaveBeenCalled();
      expect(await statusOf(await shake(listener, "/ocpp/CP001", offer))).toBe(101);
    },
  );

  test.each(["/", "/ocpp", "/ocpp/", "/ocpp/a/b", "/ocppx/CP001", "/OCPP/CP001", "/other/CP001?x=%"])(
    "is refused with 404 for the path %s, which is not that of the endpoint and an identity",
    async (path) => {
      const { listener, refused, connected } = await centralSystem();
      const peer = await shake(listener, path, offer);
      expect(await statusOf(peer)).toBe(404);
      expect(await peer.rest()).not.toContain("path");
      expect(refused).toEqual([expect.objectContaining({ reason: "path", status: 404 })]);
      expect(connected).toEqual([]);
    },
  );

  test("survives a listener of refused that throws, and reports that as a fault", async () => {
    const { central, listener, faults } = await centralSystem();
    const error = new Error("listener");
    central.on("refused", () => {
      throw error;
    });
    expect(await statusOf(await shake(listener, "/ocpp/a/b", offer))).toBe(404);
    expect(faults).toEqual([expect.objectContaining({ error })]);
    central.on("fault", () => {
      throw error;
    });
    expect(await statusOf(await shake(listener, "/ocpp/a/b", offer))).toBe(404);
  });
});

describe("a handshake that comes too late", () => {
  test.each(["/ocpp/CP001", "/elsewhere"])(
    "is ignored behind a request that was answered with Connection: close: %s",
    async (path) => {
      const authenticate = vi.fn<Authenticate>(() => true);
      const { listener, refused, faults, connected } = await centralSystem({ authenticate });
      const peer = await RawSocket.open(listener.port);
      opened.push(peer.socket);
      peer.write(`GET / HTTP/1.1\r\nHost: x\r\n\r\n${handshake(path, offer).join("\r\n")}\r\n\r\n`);
      expect((await peer.rest()).match(/HTTP\/1\.1 \d+/g)).toEqual(["HTTP/1.1 426"]);
      expect({ refused, faults, connected }).toEqual({ refused: [], faults: [], connected: [] });
      expect(authenticate).not.toHaveBeenCalled();
    },
  );

  test("harms nobody when its peer was dropped for its silence, and resets the connection", async () => {
    const endpoint = new Endpoint(new CentralSystem(), { maxConnections: 1 });
    const peers = [1, 2].map((remotePort) => Object.defineProperty(new Socket(), "remotePort", { value: remotePort }));
    for (const peer of peers) {
      vi.spyOn(peer, "end").mockReturnValue(peer);
      endpoint.connected(peer);
    }
    await setImmediate();
    const request = new IncomingMessage(peers[0] as Socket);
    endpoint.upgrade(request, request.socket, Buffer.alloc(0));
    expect(() => request.socket.emit("error", new Error("read ECONNRESET"))).not.toThrow();
  });
});

describe("the subprotocol", () => {
  test.each([["ocpp1.6"], ["ocpp0.1, ocpp1.6"], ["ocpp1.6, ocpp1.5"], ["ocpp2.0.1,ocpp1.6"]])(
    "is ocpp1.6 when %s is offered [J-022] [J-023] [J-028] [J-029]",
    async (offered) => {
      const { listener, connected } = await centralSystem();
      const peer = await shake(listener, "/ocpp/CP001", `Sec-WebSocket-Protocol: ${offered}`);
      expect(await peer.head()).toMatch(/^Sec-WebSocket-Protocol: ocpp1\.6$/m);
      expect(connected).toEqual(["CP001"]);
    },
  );

  test.each([
    ["ocpp0.1 alone", ["Sec-WebSocket-Protocol: ocpp0.1"]],
    ["OCPP1.6 in capitals", ["Sec-WebSocket-Protocol: OCPP1.6"]],
    ["ocpp1.6 as part of another", ["Sec-WebSocket-Protocol: ocpp1.66, xocpp1.6, ocpp2.0.1"]],
    ["nothing", []],
  ])(
    "is none when %s is offered: the handshake is completed, the WebSocket closed, no frame processed [J-024] [J-025] [J-028] [J-029] [trap 14]",
    async (_, offered) => {
      const { central, listener, refused, connected } = await centralSystem();
      const handler = vi.fn(() => ({ currentTime: "2026-01-01T00:00:00Z" }));
      central.handle("Heartbeat", handler);
      const peer = await RawSocket.open(listener.port);
      opened.push(peer.socket);
      const request = `${handshake("/ocpp/CP001", ...offered).join("\r\n")}\r\n\r\n`;
      peer.write(Buffer.concat([Buffer.from(request), clientFrame(1, '[2,"1","Heartbeat",{}]')]));

      const head = await peer.head();
      expect(head).toMatch(/^HTTP\/1\.1 101/);
      expect(head).not.toMatch(/Sec-WebSocket-Protocol/i);
      const { opcode, payload } = await peer.frame();
      expect([opcode, payload.readUInt16BE(0)]).toEqual([8, 1002]);
      expect(payload.subarray(2).toString()).toBe('The subprotocol "ocpp1.6" was not offered');
      peer.write(clientFrame(8, payload));
      expect(await peer.rest()).toBe("");

      expect(refused).toEqual([expect.objectContaining({ identity: "CP001", reason: "subprotocol", status: 101 })]);
      expect(connected).toEqual([]);
      expect(central.get("CP001")).toBeUndefined();
      expect(handler).not.toHaveBeenCalled();
    },
  );
});

describe("authenticate", () => {
  test("is told the identity, the bytes of the password and the request [J-176] [Q23] [trap 13]", async () => {
    const authenticate = vi.fn<Authenticate>(() => true);
    const { listener } = await centralSystem({ authenticate });
    const header = "Authorization: Basic QUwxMDAwOgABAgMEBQYH////////////////";
    expect(await statusOf(await shake(listener, "/ocpp/AL1000", offer, header, "X-Site: 7"))).toBe(101);
    expect(authenticate).toHaveBeenCalledTimes(1);
    const attempt = authenticate.mock.calls[0]?.[0];
    expect(attempt?.identity).toBe("AL1000");
    expect(attempt?.password).toEqual(Uint8Array.from(Buffer.from("0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF", "hex")));
    expect(attempt?.request.headers["x-site"]).toBe("7");
  });

  test("gets the whole password of an identity with a colon in it [J-011]", async () => {
    const authenticate = vi.fn<Authenticate>(() => true);
    const { listener } = await centralSystem({ authenticate });
    await statusOf(await shake(listener, "/ocpp/site%3A7", offer, basic("site:7:a:b")));
    expect(authenticate.mock.calls[0]?.[0].password).toEqual(Uint8Array.from(Buffer.from("a:b")));
  });

  test.each([
    ["no header", []],
    ["another scheme", ["Authorization: Bearer abc"]],
  ])("gets no password with %s, and decides all the same", async (_, headers) => {
    const authenticate = vi.fn<Authenticate>(({ password }) => password !== undefined);
    const { listener } = await centralSystem({ authenticate });
    expect(await statusOf(await shake(listener, "/ocpp/CP001", offer, ...headers))).toBe(401);
    expect(authenticate.mock.calls[0]?.[0].password).toBeUndefined();
  });

  test.each([
    ["another identity", basic("CP002:secret")],
    ["the percent-encoded identity", basic("RDAM%20123:secret")],
    ["no colon", basic("RDAM 123")],
    ["bytes that are not base64", "Authorization: Basic ????"],
  ])("is not asked about a user name that is not the identity: %s [J-175] [SEC-A00-204]", async (_, header) => {
    const authenticate = vi.fn<Authenticate>(() => true);
    const { listener, refused } = await centralSystem({ authenticate });
    expect(await statusOf(await shake(listener, "/ocpp/RDAM%20123", offer, header))).toBe(401);
    expect(authenticate).not.toHaveBeenCalled();
    expect(refused).toEqual([expect.objectContaining({ identity: "RDAM 123", reason: "unauthorized", status: 401 })]);
  });

  const decisions: [string, Authenticate][] = [
    ["at once", () => false],
    ["later", async () => false],
  ];
  test.each(decisions)(
    "refuses with 401 and a challenge by false %s [J-032] [SEC-A00-207]",
    async (_, authenticate) => {
      const { listener, refused, connected } = await centralSystem({ authenticate });
      const peer = await shake(listener, "/ocpp/CP001", offer, basic("CP001:guess"));
      const head = await peer.head();
      expect(head).toMatch(/^HTTP\/1\.1 401 Unauthorized\r\n/);
      expect(head).toMatch(/^WWW-Authenticate: Basic realm="OCPP"$/m);
      expect(await peer.rest()).not.toContain("guess");
      expect(refused).toEqual([expect.objectContaining({ identity: "CP001", reason: "unauthorized", status: 401 })]);
      expect(connected).toEqual([]);
    },
  );

  test('refuses with 404 by "unknown-identity" [J-030]', async () => {
    const { listener, refused } = await centralSystem({ authenticate: () => "unknown-identity" });
    const peer = await shake(listener, "/ocpp/CP001", offer);
    expect(await statusOf(peer)).toBe(404);
    await peer.rest();
    expect(refused).toEqual([expect.objectContaining({ identity: "CP001", reason: "unknown-identity", status: 404 })]);
  });

  const error = new Error("the database is down");
  const failures: [string, unknown, Authenticate][] = [
    ["throws", error, () => Promise.reject(error)],
    [
      "rejects",
      error,
      () => {
        throw error;
      },
    ],
    ["answers undefined", expect.any(TypeError), (() => undefined) as never],
    ["answers 1", expect.any(TypeError), (async () => 1) as never],
    ['answers "true"', expect.any(TypeError), (() => "true") as never],
  ];
  test.each(failures)(
    "lets nobody in when it %s: 500, a fault, and nothing more [trap 2]",
    async (_, reported, authenticate) => {
      const unhandled = vi.fn();
      process.on("unhandledRejection", unhandled);
      try {
        const { listener, refused, faults, connected } = await centralSystem({ authenticate });
        const peer = await shake(listener, "/ocpp/CP001", offer);
        expect(await statusOf(peer)).toBe(500);
        expect(await peer.rest()).not.toContain("database");
        expect(faults).toEqual([{ identity: "CP001", error: reported }]);
        expect(refused).toEqual([expect.objectContaining({ identity: "CP001", reason: "fault", status: 500 })]);
        expect(connected).toEqual([]);
        expect(unhandled).not.toHaveBeenCalled();
      } finally {
        process.off("unhandledRejection", unhandled);
      }
    },
  );

  test("that never answers costs its own Charge Point a 503, and nobody else anything", async () => {
    const clock = new FakeClock();
    const asked = gate<void>();
    const authenticate: Authenticate = ({ identity }) => {
      if (identity === "CP002") return true;
      asked.open();
      return new Promise(() => {});
    };
    const { listener, refused, connected } = await centralSystem({ authenticate, clock, handshakeTimeoutMs: 3000 });
    const waiting = await shake(listener, "/ocpp/CP001", offer);
    await asked.promise;
    expect(await statusOf(await shake(listener, "/ocpp/CP002", offer))).toBe(101);
    await clock.advance(2999);
    expect(refused).toEqual([]);
    await clock.advance(1);
    expect(await statusOf(waiting)).toBe(503);
    await waiting.rest();
    expect(refused).toEqual([expect.objectContaining({ identity: "CP001", reason: "timeout", status: 503 })]);
    expect(connected).toEqual(["CP002"]);
    expect(clock.pending).toBe(0);
  });

  test.each([true, false])("is not listened to when it answers %s after the 503", async (decision) => {
    const clock = new FakeClock();
    const asked = gate<void>();
    const answer = gate<boolean>();
    const authenticate: Authenticate = () => {
      asked.open();
      return answer.promise;
    };
    const { listener, refused, connected } = await centralSystem({ authenticate, clock, handshakeTimeoutMs: 3000 });
    const peer = await shake(listener, "/ocpp/CP001", offer);
    await asked.promise;
    await clock.advance(3000);
    answer.open(decision);
    expect(await statusOf(peer)).toBe(503);
    await peer.rest();
    expect(connected).toEqual([]);
    expect(refused).toHaveLength(1);
  });

  test("may answer after its Charge Point has hung up", async () => {
    const clock = new FakeClock();
    const asked = gate<Parameters<Authenticate>[0]["request"]>();
    const answer = gate<boolean>();
    const authenticate: Authenticate = ({ request }) => {
      asked.open(request);
      return answer.promise;
    };
    const { listener, refused, faults, connected } = await centralSystem({ authenticate, clock });
    const peer = await shake(listener, "/ocpp/CP001", offer);
    const { socket } = await asked.promise;
    const gone = new Promise((resolve) => socket.once("close", resolve));
    peer.socket.resetAndDestroy();
    await gone;
    expect(clock.pending).toBe(0);
    answer.open(true);
    await clock.advance(0);
    expect({ connected, refused, faults }).toEqual({ connected: [], refused: [], faults: [] });
  });

  test("leaves no socket behind that it refused, even if the peer keeps its side open", async () => {
    const asked = gate<Parameters<Authenticate>[0]["request"]>();
    const authenticate: Authenticate = ({ request }) => {
      asked.open(request);
      return false;
    };
    const { listener } = await centralSystem({ authenticate });
    const peer = await RawSocket.open(listener.port);
    opened.push(peer.socket);
    peer.socket.allowHalfOpen = true;
    peer.request(...handshake("/ocpp/CP001", offer));
    const { socket } = await asked.promise;
    await once(socket, "close");
    expect(await statusOf(peer)).toBe(401);
  });

  test("is not needed: without it everybody is let in [J-171]", async () => {
    const { listener, connected } = await centralSystem();
    expect(await statusOf(await shake(listener, "/ocpp/CP001", offer))).toBe(101);
    expect(connected).toEqual(["CP001"]);
  });
});

describe("an accepted connection", () => {
  test("that the Central System cannot take over is ended, and reported as a fault", async () => {
    const { central, listener, faults } = await centralSystem();
    const error = new Error("out of memory");
    vi.spyOn(central, "accept").mockImplementation(() => {
      throw error;
    });
    const peer = await shake(listener, "/ocpp/CP001", offer);
    await peer.rest();
    expect(faults).toEqual([{ identity: "CP001", error }]);
  });

  test("obeys the limits of the endpoint [J-047] [J-143]", async () => {
    const { central, listener } = await centralSystem({ maxFrameBytes: 10 });
    const closes: number[] = [];
    for (const payload of [Buffer.from("binary"), "x".repeat(11)]) {
      const webSocket = new WebSocket(`${listener.url}/CP001`, ["ocpp1.6"]);
      await once(webSocket, "open");
      const disconnected = new Promise<number>((resolve) => central.once("disconnected", ({ code }) => resolve(code)));
      webSocket.send(payload);
      closes.push(await disconnected);
    }
    expect(closes).toEqual([1003, 1009]);
  });
});
