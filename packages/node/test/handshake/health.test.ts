import { createServer } from "node:http";
import { CentralSystem } from "@ocppj/core";
import { expect, onTestFinished, test } from "vitest";
import { DescriptorWatch } from "../../src/handshake/descriptor-watch.ts";
import { listen } from "../../src/listen.ts";
import { open, openEndpoint, shake, statusOf } from "../open-endpoint.ts";

/** What is answered to a request for the health. */
async function ask(port: number, line = "GET /health HTTP/1.1", ...more: readonly string[]) {
  const peer = await open(port);
  peer.request(line, "Host: localhost", ...more);
  const head = await peer.head();
  return { status: Number(head.split(" ")[1]), head, body: await peer.rest() };
}

test("health is answered with 200 while handshakes are taken, and with numbers that tell nobody's name", async () => {
  const { listener, refused } = await openEndpoint({ health: "/health", authenticate: () => true });
  expect(await statusOf(await shake(listener.port, "CP001"))).toBe(101);
  const { status, head, body } = await ask(listener.port, "GET /health?probe HTTP/1.1");
  expect(status).toBe(200);
  expect(head).toMatch(/^Content-Type: application\/json$/m);
  expect(head).toMatch(/^Cache-Control: no-store$/m);
  expect(JSON.parse(body)).toEqual({ status: "ready", connections: 1, handshakes: 0 });
  expect(await ask(listener.port, "HEAD /health HTTP/1.1")).toMatchObject({ status: 200, body: "" });
  expect(await ask(listener.port, "POST /health HTTP/1.1")).toMatchObject({ status: 426 });
  expect(await ask(listener.port, "GET /health/more HTTP/1.1")).toMatchObject({ status: 426 });
  expect(refused).toEqual([]);
});

test.each<[string, string, ...string[]]>([
  [
    "a client that would rather speak HTTP/2, as that of Java does",
    "GET /health HTTP/1.1",
    "Connection: Upgrade, HTTP2-Settings",
    "Upgrade: h2c",
    "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA",
  ],
  ["one that gives the whole URL", "GET http://localhost/health HTTP/1.1"],
])("health is answered to %s", async (_, ...request) => {
  const { listener, refused } = await openEndpoint({ health: "/health" });
  expect(await ask(listener.port, ...request)).toMatchObject({ status: 200 });
  expect(refused).toEqual([]);
});

test("health is answered with 503 while the Central System is drained, and handshakes are refused unasked", async () => {
  let asked = 0;
  const { central, listener } = await openEndpoint({
    health: "/health",
    authenticate: () => {
      asked += 1;
      return true;
    },
  });
  await central.drain();
  const { status, body } = await ask(listener.port);
  expect(status).toBe(503);
  expect(JSON.parse(body)).toMatchObject({ status: "closing" });
  expect(await statusOf(await shake(listener.port, "CP001"))).toBe(503);
  expect(asked).toBe(0);
});

test("Without the option there is no such route", async () => {
  const { listener } = await openEndpoint();
  expect(await ask(listener.port)).toMatchObject({ status: 426 });
});

test("On an attached server it is the application's to answer, and listener.health() says what", async () => {
  const server = createServer();
  await expect(listen(new CentralSystem(), { server, health: "/health" })).rejects.toThrow(/listener\.health\(\)/);
  const listener = await listen(new CentralSystem(), { server });
  expect(listener.health()).toEqual({ status: "ready", connections: 0, handshakes: 0 });
  await listener.close();
  expect(listener.health()).toEqual({ status: "closing", connections: 0, handshakes: 0 });
});

test("Out of descriptors is so from the first failure until one is free again", async () => {
  const watch = new DescriptorWatch(
    { now: () => 0, wakeAt: () => () => {} },
    () => 0,
    () => {},
  );
  onTestFinished(() => watch.stop());
  expect(watch.isOut).toBe(false);
  watch.failed(Object.assign(new Error("accept EMFILE"), { code: "EMFILE" }));
  expect(watch.isOut).toBe(true);
  watch.start();
  await expect.poll(() => watch.isOut, { timeout: 5000 }).toBe(false);
});
