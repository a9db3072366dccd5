import { EventEmitter, once } from "node:events";
import type { HandshakeRefusal } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { WebSocket } from "ws";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import type { ListenOptions } from "../../src/listen-options.ts";
import { basic, offer, open, openEndpoint, shake, statusOf } from "../open-endpoint.ts";
import { handshake } from "../raw-socket.ts";

const shaken = handshake("/ocpp/CP001", offer);
const without = (name: string) => shaken.filter((line) => !line.startsWith(name));
const at = (path: string) => handshake(path, offer);

const authenticate: Authenticate = ({ identity, password }) => {
  if (identity !== "CP001") return "unknown-identity";
  return password !== undefined && Buffer.from(password).toString() === "right";
};

/** A peer that is refused. */
interface Row {
  /** What it writes: the lines of a request, or something else. */
  readonly writes: readonly string[] | string;
  readonly options?: ListenOptions;
  readonly reason: HandshakeRefusal["reason"];
  readonly status: number;
  /** What the application is told. */
  readonly told: RegExp;
  /** What the peer is told. */
  readonly answered: RegExp;
  /** Whether the application is told the identity. Default: CP001. */
  readonly identity?: string | null;
}

const rows: Record<string, Row> = {
  "a path outside of the endpoint": {
    writes: at("/elsewhere/CP001?token=secret"),
    reason: "path",
    status: 404,
    told: /^The path "\/elsewhere\/CP001" is not "\/ocpp\/", which is served here, with one identity added\. .*%2F\.$/,
    answered: /^There is no such Charge Point here\. Check the URL/,
    identity: null,
  },
  "an identity of 256 characters": {
    writes: at(`/ocpp/${"x".repeat(256)}`),
    reason: "path",
    status: 414,
    told: /has 256 characters; 255 are allowed/,
    answered: /255 are allowed/,
    identity: null,
  },
  "malformed percent-encoding": {
    writes: at("/ocpp/100%"),
    reason: "encoding",
    status: 400,
    told: /^The path "\/ocpp\/100%" is not valid percent-encoded UTF-8\. Percent-encode/,
    answered: /a percent sign in it as %25/,
    identity: null,
  },
  "an overlong encoding of a slash": {
    writes: at("/ocpp/%c0%af"),
    reason: "encoding",
    status: 400,
    told: /not valid percent-encoded UTF-8/,
    answered: /not valid percent-encoded UTF-8/,
    identity: null,
  },
  "a line break in the identity": {
    writes: at("/ocpp/CP001%0D%0ASet-Cookie:%20x"),
    reason: "encoding",
    status: 400,
    told: /"\/ocpp\/CP001%0D%0ASet-Cookie:%20x" contains control characters/,
    answered: /control characters/,
    identity: null,
  },
  "a NUL in the identity": {
    writes: at("/ocpp/CP001%00"),
    reason: "encoding",
    status: 400,
    told: /control characters/,
    answered: /control characters/,
    identity: null,
  },
  "a line separator of Unicode in the identity": {
    writes: at("/ocpp/CP001%E2%80%A8forged"),
    reason: "encoding",
    status: 400,
    told: /"\/ocpp\/CP001%E2%80%A8forged" contains control characters/,
    answered: /control characters/,
    identity: null,
  },
  "another method": {
    writes: ["POST /ocpp/CP001 HTTP/1.1", ...shaken.slice(1)],
    reason: "request",
    status: 405,
    told: /^A WebSocket is opened with GET, not with "POST"\./,
    answered: /GET/,
  },
  "no Connection: Upgrade": {
    writes: without("Connection"),
    reason: "no-upgrade",
    status: 426,
    told: /without the headers Connection: Upgrade.*proxy.*nginx/,
    answered: /something in between removed the header Connection: Upgrade/,
  },
  "another upgrade": {
    writes: [...without("Upgrade"), "Upgrade: h2c"],
    reason: "no-upgrade",
    status: 426,
    told: /an upgrade to "h2c", not to "websocket"/,
    answered: /open a WebSocket/,
  },
  "an unknown version [J-002]": {
    writes: [...without("Sec-WebSocket-Version"), "Sec-WebSocket-Version: 7"],
    reason: "version",
    status: 426,
    told: /version is "7"; this end speaks 13.*RFC 6455/,
    answered: /RFC 6455/,
  },
  "two versions": {
    writes: [...shaken, "Sec-WebSocket-Version: 13"],
    reason: "version",
    status: 426,
    told: /version is "13, 13"/,
    answered: /RFC 6455/,
  },
  "no version": {
    writes: without("Sec-WebSocket-Version"),
    reason: "version",
    status: 426,
    told: /Sec-WebSocket-Version is missing/,
    answered: /Sec-WebSocket-Version is missing/,
  },
  "no key": {
    writes: without("Sec-WebSocket-Key"),
    reason: "request",
    status: 400,
    told: /Sec-WebSocket-Key is missing/,
    answered: /Sec-WebSocket-Key is missing/,
  },
  "a key that is too short": {
    writes: [...without("Sec-WebSocket-Key"), "Sec-WebSocket-Key: c2hvcnQ="],
    reason: "request",
    status: 400,
    told: /Sec-WebSocket-Key is not 16 bytes/,
    answered: /Sec-WebSocket-Key is not 16 bytes/,
  },
  "two keys": {
    writes: [...shaken, "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw=="],
    reason: "request",
    status: 400,
    told: /Sec-WebSocket-Key is not 16 bytes/,
    answered: /Sec-WebSocket-Key is not 16 bytes/,
  },
  "two Authorization headers": {
    writes: [...shaken, basic("CP001:right"), basic("CP001:wrong")],
    reason: "request",
    status: 400,
    told: /more than one Authorization header/,
    answered: /more than one Authorization header/,
  },
  "malformed subprotocols": {
    writes: handshake("/ocpp/CP001", "Sec-WebSocket-Protocol: ocpp1.6,,"),
    reason: "request",
    status: 400,
    told: /"Invalid Sec-WebSocket-Protocol header"/,
    answered: /Sec-WebSocket-Protocol/,
  },
  "a subprotocol that is offered twice": {
    writes: handshake("/ocpp/CP001", offer, offer),
    reason: "request",
    status: 400,
    told: /"Invalid Sec-WebSocket-Protocol header"/,
    answered: /Sec-WebSocket-Protocol/,
  },
  "no credentials": {
    writes: shaken,
    options: { authenticate },
    reason: "unauthorized",
    status: 401,
    told: /sent no password.*AuthorizationKey.*no proxy removes/,
    answered: /^The credentials of this Charge Point are missing or wrong/,
  },
  "another scheme": {
    writes: [...shaken, "Authorization: Bearer right"],
    options: { authenticate },
    reason: "unauthorized",
    status: 401,
    told: /not of the scheme Basic/,
    answered: /^The credentials of this Charge Point are missing or wrong/,
  },
  "another user name": {
    writes: [...shaken, basic("CP002:right")],
    options: { authenticate },
    reason: "unauthorized",
    status: 401,
    told: /The user name .* is not the identity in the URL/,
    answered: /^The credentials of this Charge Point are missing or wrong/,
  },
  "a wrong password": {
    writes: [...shaken, basic("CP001:wrong")],
    options: { authenticate },
    reason: "unauthorized",
    status: 401,
    told: /The password .* is wrong\. Set the same AuthorizationKey at both ends/,
    answered: /^The credentials of this Charge Point are missing or wrong/,
  },
  "an unknown identity": {
    writes: handshake("/ocpp/CP404", offer),
    options: { authenticate },
    reason: "unknown-identity",
    status: 404,
    told: /No Charge Point of this identity is known here\. Register it/,
    answered: /^There is no such Charge Point here\. Check the URL/,
    identity: "CP404",
  },
  "a hook that fails": {
    writes: shaken,
    options: {
      authenticate() {
        throw new Error("connect ECONNREFUSED 10.0.0.7:5432");
      },
    },
    reason: "fault",
    status: 500,
    told: /failed to check the credentials\. The event fault tells/,
    answered: /^The Central System failed\. Try again later\.$/m,
  },
  "headers of 64 kB": {
    writes: [...shaken, `X-Padding: ${"x".repeat(2 ** 16)}`],
    reason: "request",
    status: 431,
    told: /headers of the request are too large/,
    answered: /headers of the request are too large/,
    identity: null,
  },
  TLS: {
    writes: "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    reason: "request",
    status: 400,
    told: /The peer speaks TLS, but this port does not\..*"wss:" to "ws:"/,
    answered: /TLS/,
    identity: null,
  },
  "something that is not HTTP": {
    writes: "SSH-2.0-OpenSSH_9.6\r\n",
    reason: "request",
    status: 400,
    told: /no HTTP request/,
    answered: /no HTTP request/,
    identity: null,
  },
  "a header with a bare line feed in its name": {
    writes: [...shaken, "X-Evil\nAuthorization: Basic x"],
    reason: "request",
    status: 400,
    told: /no HTTP request/,
    answered: /no HTTP request/,
    identity: null,
  },
  "no whole request": {
    writes: "GET /ocpp/CP001 HTTP/1.1\r\n",
    options: { handshakeTimeoutMs: 20 },
    reason: "timeout",
    status: 408,
    told: /did not send a whole request within 20 ms/,
    answered: /did not send a whole request/,
    identity: null,
  },
};

describe("a refusal", () => {
  test.each(Object.entries(rows))(
    "because of %s tells the application and the peer why, and what to do",
    async (_, row) => {
      const { listener, refused, connected } = await openEndpoint(row.options);
      const peer = await open(listener.port);
      if (typeof row.writes === "string") peer.write(Buffer.from(row.writes, "latin1"));
      else peer.request(...row.writes);
      const head = await peer.head();
      const body = await peer.rest();

      expect(head).toMatch(new RegExp(`^HTTP/1\\.1 ${row.status} `));
      expect(head).toMatch(/^Connection: (Upgrade, )?close$/m);
      expect(body).toMatch(row.answered);
      expect(body).toMatch(/^[\x20-\x7e]{1,250}\n$/);
      const { identity = "CP001", reason, status } = row;
      expect(refused).toEqual([
        {
          ...(identity !== null && { identity }),
          remoteAddress: "127.0.0.1",
          reason,
          status,
          message: expect.stringMatching(/^[A-Z1-9].*\.$/),
          advice: expect.stringMatching(/^[A-Z].*\.$/),
        },
      ]);
      expect(`${refused[0]?.message} ${refused[0]?.advice}`).toMatch(row.told);
      expect(connected).toEqual([]);
    },
  );

  test("with 401 or 404 tells a stranger nothing but the status [SEC-A00-207]", async () => {
    const bodies = new Map<number, Set<string>>();
    for (const { writes, options, status } of Object.values(rows)) {
      if (status !== 401 && status !== 404) continue;
      const { listener } = await openEndpoint(options);
      const peer = await open(listener.port);
      peer.request(...(writes as readonly string[]));
      await peer.head();
      bodies.set(status, (bodies.get(status) ?? new Set()).add(await peer.rest()));
    }
    expect([...bodies].map(([status, { size }]) => [status, size]).sort()).toEqual([
      [401, 1],
      [404, 1],
    ]);
  });

  test("for a missing subprotocol tells which others were offered, printable and not too many [J-024]", async () => {
    const { listener, refused } = await openEndpoint();
    const offers = [[], ["ocpp2.0.1, ocpp1.5"], ["x".repeat(5000)]];
    for (const offered of offers) {
      const peer = await open(listener.port);
      peer.request(...handshake("/ocpp/CP001", ...offered.map((names) => `Sec-WebSocket-Protocol: ${names}`)));
      expect(await statusOf(peer)).toBe(101);
      expect((await peer.frame()).payload.subarray(2).toString()).toBe('The subprotocol "ocpp1.6" was not offered');
    }
    expect(refused.map(({ message }) => message)).toEqual([
      'The subprotocol "ocpp1.6" was not offered, nor any other.',
      'The subprotocol "ocpp1.6" was not offered, but "ocpp2.0.1, ocpp1.5".',
      `The subprotocol "ocpp1.6" was not offered, but "${"x".repeat(100)}" and more.`,
    ]);
    expect(refused[0]?.advice).toMatch(/Switch the Charge Point to OCPP-J 1\.6; .*proxy/);
  });

  test("shows of a peer only what can stand in a log", async () => {
    const { listener, refused } = await openEndpoint();
    const peer = await open(listener.port);
    peer.write(Buffer.from(`${[...without("Upgrade"), "Upgrade: h\xc3\x9b\x80"].join("\r\n")}\r\n\r\n`, "latin1"));
    await peer.rest();
    expect(refused[0]?.message).toBe('The handshake asks for an upgrade to "h???", not to "websocket".');
  });

  test("because of a duplicate says so, with 409", async () => {
    const { listener, refused } = await openEndpoint({}, { duplicates: "reject" });
    expect(await statusOf(await shake(listener.port, "CP001"))).toBe(101);
    const second = await shake(listener.port, "CP001");
    expect(await statusOf(second)).toBe(409);
    expect(await second.rest()).toBe(`${refused[0]?.message} ${refused[0]?.advice}\n`);
    expect(refused).toEqual([expect.objectContaining({ identity: "CP001", reason: "duplicate", status: 409 })]);
  });

  test.each(["reject", "probe"] as const)(
    "because of a duplicate is for all but one of those who are let in at the same moment: %s",
    async (duplicates) => {
      const asked = new EventEmitter();
      let decide = (_: boolean): void => {};
      const decision = new Promise<boolean>((resolve) => {
        decide = resolve;
      });
      const authenticate: Authenticate = () => {
        asked.emit("asked");
        return decision;
      };
      const { listener, connected } = await openEndpoint({ authenticate }, { duplicates });
      const webSockets: WebSocket[] = [];
      for (let count = 0; count < 3; count++) {
        const asking = once(asked, "asked");
        const webSocket = new WebSocket(`${listener.url}/CP001`, ["ocpp1.6"]);
        webSocket.on("error", () => {}); // When it is terminated at the end.
        webSockets.push(webSocket);
        await asking;
      }
      const outcomes = webSockets.map(
        (webSocket) =>
          new Promise<number>((resolve) => {
            webSocket.once("open", () => resolve(101));
            webSocket.once("unexpected-response", (_, { statusCode = 0 }) => resolve(statusCode));
          }),
      );
      decide(true);
      expect((await Promise.all(outcomes)).sort()).toEqual([101, 409, 409]);
      expect(connected).toEqual(["CP001"]);
      for (const webSocket of webSockets) webSocket.terminate();
    },
  );

  test("because the Central System closes asks the peer to come back", async () => {
    const { central, listener, refused } = await openEndpoint();
    central.close();
    const peer = await shake(listener.port, "CP001");
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 503 .*^Retry-After: \d+$/ms);
    expect(refused).toEqual([expect.objectContaining({ identity: "CP001", reason: "closing", status: 503 })]);
  });

  test("because nobody decides asks the peer to come back, and the application to find out why", async () => {
    const clock = new FakeClock();
    let asked = (): void => {};
    const asking = new Promise<void>((resolve) => {
      asked = resolve;
    });
    const { listener, refused } = await openEndpoint({
      clock,
      handshakeTimeoutMs: 3000,
      authenticate: () => {
        asked();
        return new Promise(() => {});
      },
    });
    const peer = await shake(listener.port, "CP001");
    await asking;
    await clock.advance(3000);
    expect(await peer.head()).toMatch(/^HTTP\/1\.1 503 .*^Retry-After: \d+$/ms);
    expect(await peer.rest()).toBe("The Central System is too busy. Try again later.\n");
    expect(refused).toEqual([
      expect.objectContaining({
        identity: "CP001",
        reason: "timeout",
        advice: expect.stringContaining("authenticate"),
      }),
    ]);
  });
});
