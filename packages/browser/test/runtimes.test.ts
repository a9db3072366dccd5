import { afterEach, expect, test, vi } from "vitest";
import { connect } from "../src/index.ts";
import { WebSocketTransport } from "../src/web-socket-transport.ts";

afterEach(() => {
  vi.unstubAllGlobals();
});

test("connect says at once that a runtime has no WebSocket, and names @ocppj/node", () => {
  vi.stubGlobal("WebSocket", undefined);
  expect(() => connect()).toThrow(TypeError);
  expect(() => connect()).toThrow("use @ocppj/node");
});

test.each([
  ["0, as in Deno", 0, 1006],
  ["1006", 1006, 1006],
  ["1001", 1001, 1001],
])("a connection that a runtime ends with %s is reported with %3$d", (_, code, reported) => {
  const webSocket = new EventTarget();
  const closed = vi.fn();
  new WebSocketTransport(webSocket as WebSocket).listen({ message: () => {}, close: closed });
  webSocket.dispatchEvent(Object.assign(new Event("close"), { code, reason: "" }));
  expect(closed.mock.calls).toEqual([[reported, ""]]);
});
