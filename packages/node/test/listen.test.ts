import { once } from "node:events";
import { createServer, request as httpRequest, type Server } from "node:http";
import { createServer as createSecureServer } from "node:https";
import type { AddressInfo, Server as NetServer } from "node:net";
import { CentralSystem, type CentralSystemEvents } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { afterEach, describe, expect, test, vi } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import type { Authenticate } from "../src/handshake/endpoint-options.ts";
import { listen } from "../src/listen.ts";
import type { ListenOptions } from "../src/listen-options.ts";
import { handshake, RawSocket } from "./raw-socket.ts";

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

/** A Central System and its endpoint. */
async function endpoint(options: ListenOptions = {}, central = new CentralSystem()) {
  const refused: CentralSystemEvents["refused"][0][] = [];
  central.on("refused", (event) => refused.push(event));
  const listener = await listen(central, { pingIntervalMs: 0, ...options });
  opened.push(() => listener.close());
  return { central, listener, refused };
}

async function httpServer(): Promise<Server> {
  const server = createServer((_, response) => response.end("the application"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  opened.push(() => {
    server.closeAllConnections();
    server.close();
  });
  return server;
}

const portOf = (server: NetServer): number => (server.address() as AddressInfo).port;

async function dial(url: string): Promise<WebSocket> {
  const webSocket = new WebSocket(url, ["ocpp1.6"]);
  opened.push(() => webSocket.terminate());
  await once(webSocket, "open");
  return webSocket;
}

async function raw(port: number): Promise<RawSocket> {
  const peer = await RawSocket.open(port);
  opened.push(() => peer.socket.destroy());
  return peer;
}

async function get(port: number, path: string) {
  const asking = httpRequest({ port, path, host: "127.0.0.1" }).end();
  const [response] = await once(asking, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode as number, headers: response.headers, body };
}

const offer = "Sec-WebSocket-Protocol: ocpp1.6";
const goingAway = [1001, Buffer.from("The Central System shuts down")];

describe("an endpoint on a server of its own", () => {
  test("listens on this machine, on a free port and at the root, unless told otherwise [J-003] [J-034]", async () => {
    const { listener } = await endpoint();
    expect(listener.port).toBeGreaterThan(0);
    expect(listener.url).toBe(`ws://127.0.0.1:${listener.port}/`);
    await dial(`ws://127.0.0.1:${listener.port}/CP001`);
  });

  test("listens on the port that it is given", async () => {
    const { listener } = await endpoint();
    await listener.close();
    const { listener: next } = await endpoint({ port: listener.port, path: "/ocpp" });
    expect(next.url).toBe(`ws://127.0.0.1:${listener.port}/ocpp`);
  });

  test("gives a URL that can be dialled when it listens on every address", async () => {
    const { central, listener } = await endpoint({ host: "0.0.0.0" });
    await dial(`${listener.url}CP001`);
    expect(central.get("CP001")).toBeDefined();
  });

  test("rejects when the port is taken, with the error of Node", async () => {
    const { listener } = await endpoint();
    await expect(listen(new CentralSystem(), { port: listener.port })).rejects.toMatchObject({
      code: "EADDRINUSE",
      message: expect.stringContaining(`127.0.0.1:${listener.port}`),
    });
  });

  test.each(["", "ocpp", "/ocpp?x", "/ocpp#x"])("rejects %j as path", async (path) => {
    await expect(listen(new CentralSystem(), { path })).rejects.toThrow(TypeError);
  });

  test("answers a request that is no handshake with 426 and a sentence, and does not report it", async () => {
    const { listener, refused } = await endpoint();
    const { status, headers, body } = await get(listener.port, "/CP001");
    expect(status).toBe(426);
    expect(headers).toMatchObject({ upgrade: "websocket", connection: "Upgrade, close" });
    expect(body).toMatch(/^This is an OCPP-J endpoint: .*"ocpp1\.6"/);
    expect(refused).toEqual([]);
  });

  test("reports a handshake that lost its Connection: Upgrade on the way [Q18]", async () => {
    const { listener, refused } = await endpoint();
    const peer = await raw(listener.port);
    peer.request(...handshake("/CP001", offer).map((line) => line.replace("Connection: Upgrade", "Connection: close")));
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 426/);
    expect(refused).toEqual([
      expect.objectContaining({ identity: "CP001", reason: "no-upgrade", status: 426, remoteAddress: "127.0.0.1" }),
    ]);
  });

  test.each([
    ["sends nothing", ""],
    ["never ends its request", "GET /CP001 HTTP/1.1\r\nHost: x\r\n"],
  ])("drops a peer that %s", async (_, text) => {
    const { listener } = await endpoint({ handshakeTimeoutMs: 20 });
    const peer = await raw(listener.port);
    peer.write(text);
    expect(await peer.rest()).toMatch(/^HTTP\/1\.1 408/);
  });

  test("survives what is not HTTP", async () => {
    const { listener } = await endpoint();
    const peer = await raw(listener.port);
    peer.write("\x16\x03\x01 hello\r\n\r\n");
    expect(await peer.rest()).toMatch(/^HTTP\/1\.1 400/);
    await dial(`${listener.url}CP001`);
  });

  test("reports an error of its server as a fault, and goes on", async () => {
    let server: Server | undefined;
    const authenticate: Authenticate = ({ request }) => {
      server = (request.socket as unknown as { readonly server: Server }).server;
      return true;
    };
    const { central, listener } = await endpoint({ authenticate });
    await dial(`${listener.url}CP001`);
    const faults: unknown[] = [];
    central.on("fault", ({ error }) => faults.push(error));
    const error = new Error("accept EMFILE");
    server?.emit("error", error);
    expect(faults).toEqual([error]);
    await dial(`${listener.url}CP002`);
  });
});

describe("an endpoint on a server of the application", () => {
  test("leaves the application's requests and upgrades to it", async () => {
    const server = await httpServer();
    const chat = new WebSocketServer({ noServer: true });
    server.on("upgrade", (request, socket, head) => {
      if (request.url === "/chat") chat.handleUpgrade(request, socket, head, (webSocket) => webSocket.send("chat"));
    });
    const { central, listener, refused } = await endpoint({ server, path: "/ocpp" });
    expect(listener.url).toBe(`ws://127.0.0.1:${portOf(server)}/ocpp`);
    await dial(`${listener.url}/CP001`);
    expect(central.get("CP001")).toBeDefined();
    expect(await get(portOf(server), "/ocpp/CP001")).toMatchObject({ status: 200, body: "the application" });
    const other = new WebSocket(`ws://127.0.0.1:${portOf(server)}/chat`);
    expect(String((await once(other, "message"))[0])).toBe("chat");
    other.terminate();
    expect(refused).toEqual([]);
  });

  test("answers 404 to an upgrade that is nobody's", async () => {
    const server = await httpServer();
    const { refused } = await endpoint({ server, path: "/ocpp" });
    const peer = await raw(portOf(server));
    peer.request(...handshake("/elsewhere/CP001", offer));
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 404/);
    expect(refused).toHaveLength(1);
  });

  test("shares the server with another endpoint, each with its own Central System", async () => {
    const server = await httpServer();
    const a = await endpoint({ server, path: "/a" });
    const b = await endpoint({ server, path: "/b" });
    await dial(`${a.listener.url}/CP001`);
    await dial(`${b.listener.url}/CP002`);
    expect(a.central.get("CP001")).toBeDefined();
    expect(a.central.get("CP002")).toBeUndefined();
    expect(b.central.get("CP002")).toBeDefined();
    await a.listener.close();
    await dial(`${b.listener.url}/CP003`);
    await expect(listen(new CentralSystem(), { server, path: "/b/" })).rejects.toThrow(TypeError);
  });

  test("does not close the server, nor leave anything on it", async () => {
    const server = await httpServer();
    const { listener } = await endpoint({ server });
    const closed = once(await dial(`${listener.url}CP001`), "close");
    await listener.close();
    expect(await closed).toEqual(goingAway);
    expect(server.listening).toBe(true);
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(await get(portOf(server), "/")).toMatchObject({ status: 200 });
  });

  test("can be attached before the server listens, and knows its address then", async () => {
    const server = createServer();
    const { listener } = await endpoint({ server, path: "/ocpp" });
    expect(() => listener.url).toThrow(/does not listen on a TCP port/);
    expect(() => listener.port).toThrow(/does not listen on a TCP port/);
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    opened.push(() => server.close());
    expect(listener.port).toBe(portOf(server));
    await dial(`${listener.url}/CP001`);
  });

  test("has a wss URL on a server that speaks TLS", async () => {
    const server = createSecureServer();
    const { listener } = await endpoint({ server, path: "/ocpp" });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    opened.push(() => server.close());
    expect(listener.url).toBe(`wss://127.0.0.1:${portOf(server)}/ocpp`);
  });

  test.each([
    ["192.0.2.1", "ws://192.0.2.1:9000/ocpp"],
    ["0.0.0.0", "ws://127.0.0.1:9000/ocpp"],
    ["::", "ws://[::1]:9000/ocpp"],
    ["2001:db8::1", "ws://[2001:db8::1]:9000/ocpp"],
  ])("bound to %s has the URL %s", async (address, url) => {
    const server = createServer();
    const { listener } = await endpoint({ server, path: "/ocpp" });
    vi.spyOn(server, "address").mockReturnValue({ address, family: "any", port: 9000 });
    expect(listener.url).toBe(url);
  });

  test.each([{ port: 0 }, { host: "127.0.0.1" }])("is not given %j besides", async (options) => {
    await expect(listen(new CentralSystem(), { server: createServer(), ...options })).rejects.toThrow(TypeError);
  });

  test("reports a fault, and lives, when another listener takes the same socket", async () => {
    const server = await httpServer();
    const greedy = new WebSocketServer({ server });
    opened.push(() => greedy.close());
    const { central } = await endpoint({ server });
    const fault = new Promise<CentralSystemEvents["fault"][0]>((resolve) => central.once("fault", resolve));
    await dial(`ws://127.0.0.1:${portOf(server)}/CP001`);
    expect(await fault).toMatchObject({
      identity: "CP001",
      error: { message: expect.stringMatching(/upgrade has answered.*noServer/) },
    });
  });
});

describe("close", () => {
  test("ends every connection with 1001 and refuses new ones [trap 4]", async () => {
    const { central, listener } = await endpoint();
    const disconnected: unknown[] = [];
    central.on("disconnected", ({ identity, code }) => disconnected.push([identity, code]));
    const closed = [
      once(await dial(`${listener.url}CP001`), "close"),
      once(await dial(`${listener.url}CP002`), "close"),
    ];
    const { port } = listener;
    await listener.close();
    expect(await Promise.all(closed)).toEqual([goingAway, goingAway]);
    expect(disconnected).toEqual([
      ["CP001", 1001],
      ["CP002", 1001],
    ]);
    await expect(RawSocket.open(port)).rejects.toMatchObject({ code: "ECONNREFUSED" });
  });

  test("returns the same promise when called again", async () => {
    const { listener } = await endpoint();
    const first = listener.close();
    expect(listener.close()).toBe(first);
    await first;
    expect(listener.close()).toBe(first);
  });

  test("resolves after closeTimeoutMs although a peer never answers [trap 4]", async () => {
    const clock = new FakeClock();
    const { listener } = await endpoint({ clock, closeTimeoutMs: 700 });
    const peer = await raw(listener.port);
    peer.request(...handshake("/CP001", offer));
    await peer.head();
    let resolved = false;
    const closing = listener.close().then(() => {
      resolved = true;
    });
    expect((await peer.frame()).opcode).toBe(8);
    await clock.advance(699);
    expect(resolved).toBe(false);
    await clock.advance(1);
    await closing;
    expect(clock.pending).toBe(0);
  });

  test("refuses with 503 whoever still waits for authenticate [trap 4]", async () => {
    const clock = new FakeClock();
    let asked = (): void => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const authenticate: Authenticate = () => {
      asked();
      return new Promise(() => {});
    };
    const { listener, refused } = await endpoint({ authenticate, clock });
    const peer = await raw(listener.port);
    peer.request(...handshake("/CP001", offer));
    await asking;
    const closing = listener.close();
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 503/);
    await closing;
    expect(refused).toEqual([expect.objectContaining({ identity: "CP001", status: 503 })]);
    expect(clock.pending).toBe(0);
  });

  test("refuses with 503 a handshake that comes while it closes [trap 4]", async () => {
    const clock = new FakeClock();
    const asked: string[] = [];
    const authenticate: Authenticate = ({ identity }) => asked.push(identity) > 0;
    const { listener, refused } = await endpoint({ authenticate, clock, closeTimeoutMs: 700 });
    const late = await raw(listener.port);
    const peer = await raw(listener.port);
    peer.request(...handshake("/CP001", offer));
    await peer.head();
    const closing = listener.close();
    late.request(...handshake("/CP002", offer));
    expect(await late.head()).toMatch(/^HTTP\/1\.1 503/);
    await clock.advance(700);
    await closing;
    expect(asked).toEqual(["CP001"]);
    expect(refused).toEqual([expect.objectContaining({ identity: "CP002", status: 503 })]);
    expect(clock.pending).toBe(0);
  });

  test("drops peers that have not got as far as a handshake [trap 4]", async () => {
    const { listener } = await endpoint();
    const silent = await raw(listener.port);
    const slow = await raw(listener.port);
    slow.write("GET /CP001 HTTP/1.1\r\n");
    // Both have been accepted once a later connection has been.
    await dial(`${listener.url}CP001`);
    await listener.close();
    expect(await silent.rest()).toBe("");
    expect(await slow.rest()).toBe("");
  });

  test("waits for a WebSocket that is closing for want of a subprotocol [J-024] [trap 4]", async () => {
    const clock = new FakeClock();
    const { listener } = await endpoint({ clock, closeTimeoutMs: 700 });
    const peer = await raw(listener.port);
    peer.request(...handshake("/CP001"));
    await peer.head();
    const closing = listener.close();
    await clock.advance(700);
    await closing;
    expect(clock.pending).toBe(0);
  });
});

test.each([[{ port: 9123 }], [undefined], [null]])("listen says that %j is no CentralSystem", async (centralSystem) => {
  await expect(listen(centralSystem as never)).rejects.toThrow(
    new TypeError("listen got no CentralSystem. Give one before the options: listen(new CentralSystem(), { port })."),
  );
});
