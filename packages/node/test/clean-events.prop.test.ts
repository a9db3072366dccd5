import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { CentralSystem, quirks } from "@ocppj/core";
import fc from "fast-check";
import { expect, onTestFinished, test } from "vitest";
import { listen } from "../src/listen.ts";
import { offer } from "./open-endpoint.ts";
import { handshake, RawSocket } from "./raw-socket.ts";

/** What a log may be given: one line, and not much of it. */
const isClean = (text: string): boolean => text.length <= 500 && !/[\p{Cc}\p{Zl}\p{Zp}]/u.test(text);

/** Every text in a value; a value of an error is its message. */
function textsIn(value: unknown): string[] {
  if (typeof value === "string") return [value];
  if (value instanceof Error) return [value.message];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(textsIn) : [];
}

const nasty = fc.oneof(
  fc.string({ unit: "binary", minLength: 1, maxLength: 20 }),
  fc.constantFrom("\n", "CP1\r\nforged: line", "\u2028", "\u001b[31m", "x".repeat(8000), "CP1"),
);
const segments = fc.array(nasty, { minLength: 1, maxLength: 2 });
const headers = fc.subarray(["Upgrade", "Connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version"]);

test.each(["of its own", "of the application"])(
  "Whatever a peer asks for, every event about it is one line and short, with a server %s [trap 1]",
  async (whose) => {
    const central = new CentralSystem();
    const events: object[] = [];
    const keep = (event: object): void => void events.push(event);
    central.on("refused", keep).on("fault", keep).on("tolerated", keep);
    central.on("connected", ({ identity }) => keep({ identity }));
    const authenticate = ({ identity }: { readonly identity: string }) => {
      if (identity.length % 2 === 0) throw new Error("The database is down.");
      return false;
    };
    const server = createServer((_, response) => response.writeHead(404).end());
    if (whose === "of the application") await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const shared = { path: "/ocpp", authenticate, tolerate: [quirks.slashesInPath] };
    const listener = await listen(central, whose === "of its own" ? shared : { ...shared, server });
    onTestFinished(async () => {
      await listener.close();
      server.close();
    });
    const port = server.listening ? (server.address() as AddressInfo).port : listener.port;
    await fc.assert(
      fc.asyncProperty(segments, headers, async (path, missing) => {
        const peer = await RawSocket.open(port);
        const lines = handshake(`/ocpp/${path.map(encoded).join("//")}`, offer);
        peer.request(...lines.filter((line) => !missing.some((name) => line.startsWith(`${name}:`))));
        await peer.head();
        peer.socket.destroy();
        for (const text of events.splice(0).flatMap(textsIn)) expect([text, isClean(text)]).toEqual([text, true]);
      }),
      { numRuns: 100 },
    );
  },
);

/** Percent-encoded, also what is no text. */
const encoded = (text: string): string =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
