import { createServer, IncomingMessage, ServerResponse } from "node:http";
import { Socket } from "node:net";
import { PassThrough } from "node:stream";
import { beforeEach, describe, expect, test } from "vitest";
import { routeUpgrades } from "../../src/handshake/upgrade-routing.ts";

describe("routeUpgrades", () => {
  let server: ReturnType<typeof createServer>;
  let taken: string[];

  beforeEach(() => {
    server = createServer();
    taken = [];
  });

  const endpoint = (path: string) => ({
    path,
    upgrade: () => void taken.push(path),
    bypassed: (_: unknown, status: number) => void taken.push(`${path} ${status}`),
  });

  /** Who takes an upgrade request for `url`. */
  function takers(url: string): readonly string[] {
    taken = [];
    const request = { url, headers: { upgrade: "websocket" } as IncomingMessage["headers"] };
    server.emit("upgrade", request as IncomingMessage, new PassThrough(), Buffer.alloc(0));
    return taken;
  }

  test("gives each endpoint what is at its path and below, whatever follows the path", () => {
    routeUpgrades(server, endpoint("/a"));
    routeUpgrades(server, endpoint("/b/"));
    expect(takers("/a/CP001")).toEqual(["/a"]);
    expect(takers("/a/CP001?version=1")).toEqual(["/a"]);
    expect(takers("/a")).toEqual(["/a"]);
    expect(takers("/a?version=1")).toEqual(["/a"]);
    expect(takers("http://central.example/a/CP001")).toEqual(["/a"]);
    expect(takers("/b/CP001/more")).toEqual(["/b/"]);
  });

  test.each([
    ["/", "/ocpp"],
    ["/ocpp", "/"],
  ])("gives a request to the longest path that fits, attached in the order %s, %s", (first, second) => {
    routeUpgrades(server, endpoint(first));
    routeUpgrades(server, endpoint(second));
    expect(takers("/ocpp/CP001")).toEqual(["/ocpp"]);
    expect(takers("/ocppx")).toEqual(["/"]);
  });

  test("gives a path with doubled slashes to the endpoint that it means [Q19]", () => {
    routeUpgrades(server, endpoint("/"));
    routeUpgrades(server, endpoint("/ocpp"));
    expect(takers("//ocpp//CP001")).toEqual(["/ocpp"]);
  });

  test("leaves other requests to the application's own listener", () => {
    server.on("upgrade", ({ url }) => void taken.push(`application ${url}`));
    routeUpgrades(server, endpoint("/ocpp"));
    expect(takers("/chat")).toEqual(["application /chat"]);
    expect(takers("/ocppx/CP001")).toEqual(["application /ocppx/CP001"]);
  });

  test("gives a request that is nobody's to one endpoint, because nobody else would answer it", () => {
    routeUpgrades(server, endpoint("/a"));
    routeUpgrades(server, endpoint("/longer"));
    expect(takers("/chat")).toEqual(["/a"]);
    expect(takers("")).toEqual(["/a"]);
  });

  test("refuses a second endpoint at the same path", () => {
    routeUpgrades(server, endpoint("/ocpp"));
    expect(() => routeUpgrades(server, endpoint("/ocpp/"))).toThrow(TypeError);
  });

  test("ends for one endpoint without disturbing another, and takes its listener away with the last", () => {
    const releaseA = routeUpgrades(server, endpoint("/a"));
    const releaseB = routeUpgrades(server, endpoint("/b"));
    expect(server.listenerCount("upgrade")).toBe(1);
    releaseA();
    expect(takers("/b/CP001")).toEqual(["/b"]);
    releaseB();
    expect(server.listenerCount("upgrade")).toBe(0);
    expect(server.listenerCount("request")).toBe(0);
    routeUpgrades(server, endpoint("/a"));
    expect(takers("/a/CP001")).toEqual(["/a"]);
  });

  /** Who is told of an ordinary request, once the server has answered it with 418. */
  function told(url: string, headers: Record<string, string>): readonly string[] {
    taken = [];
    const request = Object.assign(new IncomingMessage(new Socket()), { url, headers });
    const response = Object.assign(new ServerResponse(request), { statusCode: 418 });
    server.emit("request", request, response);
    expect(taken).toEqual([]);
    response.emit("finish");
    return taken;
  }

  test("tells an endpoint of a handshake that has become an ordinary request, and how that was answered [Q18]", () => {
    const releaseA = routeUpgrades(server, endpoint("/a"));
    routeUpgrades(server, endpoint("/b"));
    expect(told("/b/CP001", { "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==" })).toEqual(["/b 418"]);
    expect(told("/b/CP001", {})).toEqual([]);
    expect(told("/chat", { "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==" })).toEqual([]);
    releaseA();
    expect(told("/b/CP001", { "sec-websocket-key": "x3JJHMbDL1EzLkh9GBhXDw==" })).toEqual(["/b 418"]);
  });

  test("does not mix the endpoints of two servers", () => {
    routeUpgrades(createServer(), endpoint("/ocpp"));
    routeUpgrades(server, endpoint("/ocpp"));
    expect(takers("/ocpp/CP001")).toEqual(["/ocpp"]);
  });
});
