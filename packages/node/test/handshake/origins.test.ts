import { expect, test } from "vitest";
import type { ListenOptions } from "../../src/listen-options.ts";
import { offer, open, openEndpoint, statusOf } from "../open-endpoint.ts";
import { handshake } from "../raw-socket.ts";

const browser = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";

/** The status that a handshake is answered with. */
async function answer(options: ListenOptions, host: string, origin?: string, agent = browser) {
  const { listener, refused } = await openEndpoint(options);
  const peer = await open(listener.port);
  const lines = handshake("/ocpp/CP001", offer).filter((line) => !line.startsWith("Host:"));
  peer.request(
    ...lines,
    `Host: ${host}`,
    `User-Agent: ${agent}`,
    ...(origin === undefined ? [] : [`Origin: ${origin}`]),
  );
  return { status: await statusOf(peer), refused };
}

test.each([
  ["a charger, which sends no Origin", "central.example", undefined],
  ["a charger whose library makes one up", "central.example", "file://"],
  ["a charger whose library says where it connects to", "central.example:9000", "http://central.example:9000"],
  ["a page of the same host", "central.example", "https://central.example"],
  ["a page of another port there", "central.example:9000", "http://central.example:8080"],
  ["a page of this machine, under another name of it", "127.0.0.1:9000", "http://localhost:5173"],
  ["the same of IPv6", "[::1]:9000", "http://127.0.0.1:5173"],
])("A handshake of %s is taken", async (_, host, origin) => {
  expect((await answer({}, host, origin)).status).toBe(101);
});

test.each(["libwebsockets", ""])(
  "A handshake of a charger is taken that says where it connects to, behind a proxy that has replaced Host: %s",
  async (agent) => {
    expect((await answer({}, "10.0.0.7:9000", "https://central.example", agent)).status).toBe(101);
  },
);

test.each([
  ["a page of another site", "central.example", "https://evil.example"],
  ["a page of another site, on this machine", "127.0.0.1:9000", "https://evil.example"],
  ["a page of a host that only begins like it", "central.example", "https://central.example.evil.example"],
  ["a page of another host of the same domain", "central.example", "https://www.central.example"],
  ["a page that hides whose it is", "central.example", "null"],
])("A handshake of %s is refused with 403, before anybody is asked", async (_, host, origin) => {
  const authenticate = (): never => {
    throw new Error("It was asked.");
  };
  const { status, refused } = await answer({ authenticate }, host, origin);
  expect(status).toBe(403);
  expect(refused).toEqual([expect.objectContaining({ identity: "CP001", reason: "origin", status: 403 })]);
  expect(refused[0]?.message).toContain(`"${origin}"`);
});

test("origins lists the pages that may connect, or all", async () => {
  const origins = ["https://simulator.example"];
  expect((await answer({ origins }, "central.example", "https://simulator.example")).status).toBe(101);
  expect((await answer({ origins }, "central.example", "http://simulator.example")).status).toBe(403);
  expect((await answer({ origins: ["*"] }, "central.example", "null")).status).toBe(101);
});
