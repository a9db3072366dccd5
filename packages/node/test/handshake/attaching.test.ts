/* Endpoints on servers of the application: of Node, of Express and of Fastify. */
import { once } from "node:events";
import { createServer, type RequestListener, type Server } from "node:http";
import { createServer as createSecureServer, type Server as HttpsServer } from "node:https";
import type { AddressInfo } from "node:net";
import { CentralSystem, type CentralSystemEvents } from "@ocppj/core";
import express from "express";
import fastify from "fastify";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { WebSocket, WebSocketServer } from "ws";
import { listen } from "../../src/listen.ts";
import type { Listener } from "../../src/listener.ts";
import { Authority, type Certified } from "../certificates.ts";
import { offer } from "../open-endpoint.ts";
import { handshake, RawSocket } from "../raw-socket.ts";

let authority: Authority;
let certified: Certified;

beforeAll(async () => {
  authority = await Authority.create();
  certified = await authority.issue({ commonName: "localhost", names: [{ type: "ip", value: "127.0.0.1" }] });
});

const hello: RequestListener = ({ url }, response) => {
  if (url === "/hello") response.end("hello");
  else response.writeHead(404).end();
};

/** The server of an application with the route `/hello`. */
type Start = () => Promise<Server | HttpsServer>;

async function started<Kind extends Server | HttpsServer>(server: Kind): Promise<Kind> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

const applications: Record<string, Start> = {
  http: () => started(createServer(hello)),
  https: () => started(createSecureServer({ cert: certified.cert, key: certified.key }, hello)),
  Express() {
    const app = express();
    app.get("/hello", (_, response) => response.send("hello"));
    return started(createServer(app));
  },
  async Fastify() {
    const app = fastify();
    app.get("/hello", async () => "hello");
    await app.listen({ port: 0, host: "127.0.0.1" });
    return app.server;
  },
};

/** An application, its two endpoints at `/east` and `/west/ocpp`, and its own WebSocket at `/chat`. */
async function open(start: Start) {
  const server = await start();
  const chat = new WebSocketServer({ noServer: true });
  server.on("upgrade", (request, socket, head) => {
    if (request.url === "/chat") chat.handleUpgrade(request, socket, head, (webSocket) => webSocket.send("hello"));
  });
  const systems = { east: new CentralSystem(), west: new CentralSystem() };
  const refused: CentralSystemEvents["refused"][0][] = [];
  for (const system of Object.values(systems)) {
    system.handle("BootNotification", () => ({
      status: "Accepted",
      currentTime: "2026-01-01T00:00:00Z",
      interval: system === systems.east ? 100 : 200,
    }));
    system.on("refused", (event) => refused.push(event));
  }
  const listeners = {
    east: await listen(systems.east, { server, path: "/east" }),
    west: await listen(systems.west, { server, path: "/west/ocpp" }),
  };
  onTestFinished(async () => {
    for (const listener of Object.values(listeners)) await listener.close();
    for (const webSocket of chat.clients) webSocket.terminate();
    server.closeAllConnections();
    server.close();
  });
  return { server, systems, listeners, refused };
}

async function dial(url: string, protocols: string[] = ["ocpp1.6"]): Promise<WebSocket> {
  const webSocket = new WebSocket(url, protocols, { ca: authority.certificate });
  onTestFinished(() => webSocket.terminate());
  return webSocket;
}

/** Connects a Charge Point, and resolves with the interval that it is given at its boot. */
async function boot(listener: Listener, identity: string): Promise<unknown> {
  const webSocket = await dial(`${listener.url}/${identity}`);
  await once(webSocket, "open");
  webSocket.send('[2,"1","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]');
  const [answer] = await once(webSocket, "message");
  return JSON.parse(String(answer))[2].interval;
}

async function get(server: Server | HttpsServer, path: string, lines: readonly string[] = []) {
  const secure = "setSecureContext" in server;
  const { request } = await import(secure ? "node:https" : "node:http");
  const headers = Object.fromEntries(lines.map((line) => line.split(": ", 2)));
  const { port } = server.address() as AddressInfo;
  const asking = request({ port, path, host: "127.0.0.1", ca: authority.certificate, headers, agent: false }).end();
  const [response] = await once(asking, "response");
  let body = "";
  for await (const chunk of response) body += chunk;
  return { status: response.statusCode as number, body };
}

describe.each(Object.entries(applications))("attached to a server of %s", (name, start) => {
  test("two Central Systems serve the Charge Points below their paths", async () => {
    const { listeners, systems } = await open(start);
    expect(await boot(listeners.east, "CP001")).toBe(100);
    expect(await boot(listeners.west, "CP001")).toBe(200);
    expect(systems.east.get("CP001")).toBeDefined();
    expect(systems.west.get("CP001")).toBeDefined();
    const scheme = name === "https" ? "wss" : "ws";
    expect(listeners.west.url).toMatch(new RegExp(`^${scheme}://127\\.0\\.0\\.1:\\d+/west/ocpp$`));
  });

  test("the application keeps its routes, and its WebSocket at another path", async () => {
    const { listeners, server, refused } = await open(start);
    await boot(listeners.east, "CP001");
    expect(await get(server, "/hello")).toMatchObject({ status: 200, body: "hello" });
    expect(await get(server, "/nobody")).toMatchObject({ status: 404 });
    const chat = await dial(listeners.east.url.replace("/east", "/chat"), []);
    expect(String((await once(chat, "message"))[0])).toBe("hello");
    expect(refused).toEqual([]);
  });

  test("a handshake whose Connection: Upgrade a proxy ate is the application's to answer, and is reported [Q18]", async () => {
    const { server, refused, systems } = await open(start);
    const reported = once(systems.west as never, "refused");
    const eaten = handshake("/", offer).filter((line) => /^Sec-/.test(line));
    expect(await get(server, "/west/ocpp/CP001", eaten)).toMatchObject({ status: 404 });
    await reported;
    expect(refused).toEqual([
      expect.objectContaining({ identity: "CP001", reason: "no-upgrade", status: 404, remoteAddress: "127.0.0.1" }),
    ]);
  });

  test("closing one listener leaves the other, and the application", async () => {
    const { server, listeners } = await open(start);
    const webSocket = await dial(`${listeners.east.url}/CP001`);
    await once(webSocket, "open");
    const closed = once(webSocket, "close");
    await listeners.east.close();
    expect((await closed)[0]).toBe(1001);
    expect(await boot(listeners.west, "CP001")).toBe(200);
    expect(await get(server, "/hello")).toMatchObject({ status: 200, body: "hello" });
  });
});

test("Express serves as the documentation shows it", async () => {
  const centralSystem = new CentralSystem();
  const port = 0;
  // #region express
  const app = express();
  app.get("/", (_, response) => response.send("Our chargers"));
  const server = createServer(app).listen(port);
  const listener = await listen(centralSystem, { server, path: "/ocpp" });
  // #endregion
  await once(server, "listening");
  onTestFinished(async () => {
    await listener.close();
    server.close();
  });
  await once(await dial(`${listener.url}/CP001`), "open");
  expect(centralSystem.get("CP001")).toBeDefined();
  expect(await get(server, "/")).toMatchObject({ status: 200, body: "Our chargers" });
});

describe("an application that answers handshakes that are not its own", () => {
  test.each(["before", "after"])("is told so, when its WebSocketServer was made %s the endpoint", async (order) => {
    const server = await started(createServer(hello));
    const system = new CentralSystem();
    const faults: CentralSystemEvents["fault"][0][] = [];
    system.on("fault", (event) => faults.push(event));
    const makeChat = () => new WebSocketServer({ server, path: "/chat" });
    const early = order === "before" ? makeChat() : undefined;
    const listener = await listen(system, { server, path: "/ocpp" });
    const chat = early ?? makeChat();
    onTestFinished(async () => {
      await listener.close();
      chat.close();
      server.close();
    });
    const webSocket = await dial(`${listener.url}/CP001`);
    const [{ message }] = await once(webSocket, "error");
    expect(message).toBe("Unexpected server response: 400");
    expect(faults).toEqual([{ identity: "CP001", error: expect.any(Error) }]);
    expect(faults[0]?.error).toMatchObject({ message: expect.stringMatching(/upgrade has answered.*noServer/) });
  });
});

test("A listener that is closing refuses the handshakes at its path, so that the server can close, too", async () => {
  const server = await started(createServer(hello));
  server.on("upgrade", () => {}); // One that leaves other paths alone.
  const listener = await listen(new CentralSystem(), { server, path: "/ocpp" });
  const { port } = server.address() as AddressInfo;
  const peers = await Promise.all([RawSocket.open(port), RawSocket.open(port)]);
  const [deaf, newcomer] = peers as [RawSocket, RawSocket];
  deaf.request(...handshake("/ocpp/CP001", offer));
  await deaf.head();
  const closed = listener.close(); // It waits for the end of this one, which does not answer the close frame.
  newcomer.request(...handshake("/ocpp/CP002", offer));
  expect(await newcomer.head()).toMatch(/^HTTP\/1\.1 503 [\s\S]*\r\nRetry-After: \d+/);
  await newcomer.rest();
  deaf.socket.destroy();
  await closed;
  await new Promise((resolve) => server.close(resolve));
});
