/* What one peer, or all together, may take: each limit of a listener over a real socket, with the answer beyond it. */
import { EventEmitter, once } from "node:events";
import type { Server } from "node:http";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import { Authority } from "../certificates.ts";
import { basic, offer, open, openEndpoint, shake, statusOf } from "../open-endpoint.ts";
import { clientFrame, handshake, type RawSocket } from "../raw-socket.ts";

const heartbeat = (id: string) => clientFrame(1, `[2,"${id}","Heartbeat",{}]`);
const answerTo = async (peer: RawSocket): Promise<unknown[]> => JSON.parse((await peer.frame()).payload.toString());

/** The close code in the next frame. */
async function closeCode(peer: RawSocket): Promise<number> {
  const { opcode, payload } = await peer.frame();
  expect(opcode).toBe(8);
  return payload.readUInt16BE(0);
}

describe("maxConnections", () => {
  test("refuses one more with 503 and Retry-After, disturbs nobody, and lets it in once another has gone", async () => {
    const { central, listener, refused, connected } = await openEndpoint({ maxConnections: 2 });
    const first = await shake(listener.port, "CP001");
    expect(await statusOf(first)).toBe(101);
    expect(await statusOf(await shake(listener.port, "CP002"))).toBe(101);
    const third = await shake(listener.port, "CP003");
    expect(await third.head()).toMatch(/^HTTP\/1\.1 503 .*^Retry-After: \d+$/ms);
    expect(await third.rest()).toBe("Too many Charge Points are connected. Try again later.\n");
    expect(refused).toEqual([
      expect.objectContaining({
        identity: "CP003",
        reason: "limit",
        status: 503,
        message: "2 Charge Points are connected.",
        advice: expect.stringContaining("maxConnections"),
      }),
    ]);

    first.write(heartbeat("1"));
    expect(await answerTo(first)).toEqual([3, "1", expect.anything()]);
    const gone = new Promise((resolve) => central.once("disconnected", resolve));
    first.socket.resetAndDestroy();
    await gone;
    expect(await statusOf(await shake(listener.port, "CP003"))).toBe(101);
    expect(connected).toEqual(["CP001", "CP002", "CP003"]);
  });

  test("lets in a Charge Point that replaces its own older connection", async () => {
    const { listener, refused, connected } = await openEndpoint({ maxConnections: 1 }, { duplicates: "replace" });
    expect(await statusOf(await shake(listener.port, "CP001"))).toBe(101);
    expect(await statusOf(await shake(listener.port, "CP001"))).toBe(101);
    expect(connected).toEqual(["CP001", "CP001"]);
    expect(refused).toEqual([]);
  });

  test("is told only to those who may come in", async () => {
    const authenticate: Authenticate = ({ identity }) => identity === "CP001";
    const { listener } = await openEndpoint({ maxConnections: 1, authenticate });
    expect(await statusOf(await shake(listener.port, "CP001"))).toBe(101);
    expect(await statusOf(await shake(listener.port, "CP002"))).toBe(401);
  });

  test("on a server of its own bounds peers without a request, too: the one that keeps it waiting longest is dropped", async () => {
    const { listener, refused, connected } = await openEndpoint({ maxConnections: 2 });
    const longest = await open(listener.port);
    const slow = await open(listener.port);
    slow.write("GET /ocpp/CP002 HTTP/1.1\r\n");
    const newest = await open(listener.port);
    expect(await longest.head()).toMatch(/^HTTP\/1\.1 503 .*^Retry-After: \d+$/ms);
    expect(refused).toEqual([expect.objectContaining({ remoteAddress: "127.0.0.1", reason: "limit", status: 503 })]);
    expect(refused[0]?.message).toBe("2 newer peers have connected while this one did not send its request.");

    newest.request(...handshake("/ocpp/CP001", offer));
    expect(await statusOf(newest)).toBe(101);
    slow.request(...handshake("", offer).slice(1));
    expect(await statusOf(slow)).toBe(101);
    expect(connected).toEqual(["CP001", "CP002"]);
    // Who has sent a request keeps nobody waiting.
    for (let count = 0; count < 5; count++) {
      const peer = await open(listener.port);
      peer.request(...handshake("/", offer));
      expect(await statusOf(peer)).toBe(404);
    }
  });
});

describe("maxConnections with TLS", () => {
  test("bounds peers that have not got as far as a request: the one that keeps it waiting longest is dropped", async () => {
    const authority = await Authority.create();
    const tls = await authority.issue({ commonName: "localhost", names: [{ type: "ip", value: "127.0.0.1" }] });
    const { listener, refused } = await openEndpoint({
      maxConnections: 2,
      securityProfile: 2,
      tls,
      authenticate: () => true,
    });
    const longest = await open(listener.port);
    longest.write(Buffer.from([0x16, 3, 1])); // In the midst of a TLS handshake.
    const silent = [longest, await open(listener.port), await open(listener.port)];
    expect(await longest.rest()).toBe("");
    expect(refused).toEqual([expect.objectContaining({ remoteAddress: "127.0.0.1", reason: "limit" })]);
    expect(refused[0]).not.toHaveProperty("status");
    expect(silent.map(({ socket }) => socket.closed)).toEqual([true, false, false]);

    const webSocket = new WebSocket(`${listener.url}/CP001`, ["ocpp1.6"], {
      ca: authority.certificate,
      headers: { Authorization: basic("CP001:sixteen bytes and").replace("Authorization: ", "") },
    });
    await once(webSocket, "open");
    webSocket.terminate();
  });
});

describe("maxHandshakes", () => {
  test("refuses one more with 503 and Retry-After, and does not ask who it is", async () => {
    const asked: string[] = [];
    let decide = (_: boolean): void => {};
    const decision = new Promise<boolean>((resolve) => {
      decide = resolve;
    });
    const bothAsked = new EventEmitter();
    const authenticate: Authenticate = ({ identity }) => {
      asked.push(identity);
      if (asked.length === 2) bothAsked.emit("asked");
      return decision;
    };
    const { listener, refused } = await openEndpoint({ maxHandshakes: 2, authenticate });
    const asking = once(bothAsked, "asked");
    const waiting = [await shake(listener.port, "CP001"), await shake(listener.port, "CP002")];
    await asking;
    const third = await shake(listener.port, "CP003");
    expect(await third.head()).toMatch(/^HTTP\/1\.1 503 .*^Retry-After: \d+$/ms);
    expect(await third.rest()).toBe("Too many handshakes are under way. Try again later.\n");
    expect(refused).toEqual([
      expect.objectContaining({
        identity: "CP003",
        reason: "limit",
        status: 503,
        message: "2 decisions on handshakes are under way, which is as many as come in time.",
        advice: expect.stringContaining("maxHandshakes"),
      }),
    ]);
    expect(asked).toEqual(["CP001", "CP002"]);

    decide(true);
    expect(await Promise.all(waiting.map(statusOf))).toEqual([101, 101]);
    expect(await statusOf(await shake(listener.port, "CP003"))).toBe(101);
  });
});

describe("a connection", () => {
  test("is closed with 1009 when a message is larger than maxFrameBytes [J-143]", async () => {
    const { listener } = await openEndpoint({ maxFrameBytes: 30 });
    const peer = await shake(listener.port, "CP001");
    await peer.head();
    peer.write(heartbeat("1"));
    expect(await answerTo(peer)).toEqual([3, "1", expect.anything()]);
    peer.write(heartbeat("1".repeat(20)));
    expect(await closeCode(peer)).toBe(1009);
  });

  test("is closed with 1008 when more CALLs than maxServedCalls are unanswered", async () => {
    const { central, listener } = await openEndpoint({}, { maxServedCalls: 3 });
    central.handle("Authorize", () => new Promise(() => {}));
    const peer = await shake(listener.port, "CP001");
    await peer.head();
    const authorize = (id: number) => clientFrame(1, `[2,"${id}","Authorize",{"idTag":"1"}]`);
    const disconnected = once(central as never, "disconnected");
    for (let id = 1; id <= 34; id++) peer.write(authorize(id)); // Thirty of them wait for their turn.
    expect(await closeCode(peer)).toBe(1008);
    peer.socket.end();
    expect(await disconnected).toEqual([expect.objectContaining({ identity: "CP001", code: 1008 })]);
  });

  test("is closed with 1008 when more than maxBufferedBytes wait to be sent", async () => {
    const { central, listener } = await openEndpoint(
      { maxBufferedBytes: 2 ** 17, closeTimeoutMs: 50 },
      { maxServedCalls: 10_000 },
    );
    central.handle("DataTransfer", () => ({ status: "Accepted", data: "x".repeat(2 ** 16) }));
    const peer = await shake(listener.port, "CP001");
    await peer.head();
    peer.socket.pause();
    const disconnected = once(central as never, "disconnected");
    // Their answers have 26 MB: far more than the kernel keeps.
    for (let id = 0; id < 400; id++) peer.write(clientFrame(1, `[2,"${id}","DataTransfer",{"vendorId":"V"}]`));
    expect(await disconnected).toEqual([
      expect.objectContaining({ code: 1008, reason: expect.stringMatching(/^\d+ bytes wait to be read$/) }),
    ]);
  });
});

test("pingIntervalMs may be 0, which is never, but not less", async () => {
  await openEndpoint({ pingIntervalMs: 0 });
  await expect(openEndpoint({ pingIntervalMs: -1 })).rejects.toThrow(TypeError);
});

test.each([
  [1999.5, 2000],
  [120_000, 120_000],
  [1e12, 2 ** 31 - 1],
])("handshakeTimeoutMs of %d is %d for a request, headers and all", async (handshakeTimeoutMs, expected) => {
  let server: Server | undefined;
  const authenticate: Authenticate = ({ request }) => {
    server = (request.socket as unknown as { readonly server: Server }).server;
    return false;
  };
  const { listener } = await openEndpoint({ handshakeTimeoutMs, authenticate });
  expect(await statusOf(await shake(listener.port, "CP001"))).toBe(401);
  expect(server).toMatchObject({ requestTimeout: expected, headersTimeout: expected });
});
