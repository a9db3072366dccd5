import { createHash } from "node:crypto";
import dns from "node:dns";
import { once } from "node:events";
import { Agent, createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type LookupFunction, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CentralSystem, HandshakeError, quirks, type Transport } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ConnectOptions, connect } from "../src/connect.ts";
import { listen } from "../src/listen.ts";

type Lookup = (
  error: Error | null,
  addresses: readonly { readonly address: string; readonly family: number }[],
) => void;

const transports: Transport[] = [];
const servers: { close(): unknown }[] = [];

afterEach(async () => {
  for (const transport of transports.splice(0)) transport.close();
  for (const server of servers.splice(0)) await server.close();
});

/** A hand-written Central System: `answer` writes what it likes to each upgrade request. */
class ScriptedServer {
  answer: (request: IncomingMessage, socket: Duplex) => void = () => {};
  readonly requests: IncomingMessage[] = [];
  readonly sockets = new Set<Socket>();
  readonly #server: Server = createServer();
  #socketGone = (): void => {};

  constructor() {
    this.#server.on("connection", (socket) => {
      this.sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        this.sockets.delete(socket);
        this.#socketGone();
      });
    });
    this.#server.on("upgrade", (request, socket) => {
      this.requests.push(request);
      // Upgraded sockets stand still; the end of the other side is noticed by reading only.
      socket.resume().on("end", () => socket.end());
      this.answer(request, socket);
    });
    servers.push(this);
  }

  async listen(): Promise<string> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ocpp`;
  }

  /** Resolves when no TCP connection is open any more. */
  async socketsGone(): Promise<void> {
    while (this.sockets.size > 0) {
      await new Promise<void>((resolve) => {
        this.#socketGone = resolve;
      });
    }
  }

  close(): void {
    for (const socket of this.sockets) socket.destroy();
    this.#server.close();
  }
}

/** A complete 101, with these further header lines. */
function accept(request: IncomingMessage, ...lines: readonly string[]): string {
  const key = request.headers["sec-websocket-key"];
  const digest = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return [
    "HTTP/1.1 101 Switching Protocols",
    "Upgrade: websocket",
    "Connection: Upgrade",
    `Sec-WebSocket-Accept: ${digest}`,
    ...lines,
    "",
    "",
  ].join("\r\n");
}

const chosen = "Sec-WebSocket-Protocol: ocpp1.6";

async function opened(url: string, identity = "CP001", options: ConnectOptions = {}): Promise<Transport> {
  const transport = await connect(options)({ url, identity });
  transports.push(transport);
  return transport;
}

async function failure(url: string, identity = "CP001", options: ConnectOptions = {}): Promise<HandshakeError> {
  const error = await connect(options)({ url, identity }).catch((reason: unknown) => reason);
  expect(error).toBeInstanceOf(HandshakeError);
  return error as HandshakeError;
}

describe("the opening handshake", () => {
  let server: ScriptedServer;
  let url: string;

  beforeEach(async () => {
    server = new ScriptedServer();
    server.answer = (request, socket) => socket.write(accept(request, chosen));
    url = await server.listen();
  });

  test("asks for the connection URL, offers ocpp1.6 alone and no extension [J-001] [J-006] [J-020] [J-021] [J-141] [Q25]", async () => {
    await opened(url, "RDAM 123");
    const [request] = server.requests;
    expect(request?.method).toBe("GET");
    expect(request?.url).toBe("/ocpp/RDAM%20123");
    expect(request?.headers["sec-websocket-protocol"]).toBe("ocpp1.6");
    expect(request?.headers["sec-websocket-version"]).toBe("13");
    expect(request?.headers).not.toHaveProperty("sec-websocket-extensions");
    expect(request?.headers).not.toHaveProperty("authorization");
  });

  test("may be answered without a subprotocol when that is tolerated: the connection works and tells of it [Q18] [J-026]", async () => {
    const heartbeat = '[2,"1","Heartbeat",{}]';
    const arrived = new Promise<Buffer>((resolve) => {
      server.answer = (request, socket) => {
        socket.write(accept(request));
        socket.write(Buffer.concat([Buffer.from([0x81, heartbeat.length]), Buffer.from(heartbeat)]));
        socket.once("data", resolve);
      };
    });
    const transport = await opened(url, "CP001", { tolerate: [quirks.missingSubprotocol] });
    expect(transport.tolerated).toEqual([
      {
        quirk: "missingSubprotocol",
        id: "Q18",
        path: "",
        message: `The opening handshake has ${quirks.missingSubprotocol.forgives}.`,
      },
    ]);
    const received = new Promise((resolve) => {
      transport.listen({ message: resolve, close: () => {} });
    });
    expect(await received).toBe(heartbeat);
    transport.send("[]");
    expect((await arrived)[0]).toBe(0x81);
    expect(server.requests.map(({ headers }) => headers["sec-websocket-protocol"])).toEqual(["ocpp1.6"]);
  });

  test("tells of nothing tolerated when the subprotocol is chosen [Q18]", async () => {
    expect((await opened(url, "CP001", { tolerate: Object.values(quirks) })).tolerated).toEqual([]);
  });

  test("may not be answered with another subprotocol, whatever is tolerated [Q18] [J-027]", async () => {
    server.answer = (request, socket) => socket.write(accept(request, "Sec-WebSocket-Protocol: ocpp2.0.1"));
    expect(await failure(url, "CP001", { tolerate: Object.values(quirks) })).toMatchObject({ reason: "subprotocol" });
    await server.socketsGone();
  });

  test("sends the bytes of a hexadecimal key, as in the document's example [J-176] [Q23] [TCK-C085] [trap 13]", async () => {
    await opened(url, "AL1000", { authorizationKey: "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF" });
    expect(server.requests[0]?.headers.authorization).toBe("Basic QUwxMDAwOgABAgMEBQYH////////////////");
  });

  test("asks for its options at each attempt when they are a function, so that a new key takes effect [J-151] [SEC-A00-203]", async () => {
    const keys = ["00".repeat(16), "not hexadecimal", "ff".repeat(16)];
    const open = connect(() => ({ authorizationKey: keys.shift() ?? "" }));
    transports.push(await open({ url, identity: "CP001" }));
    await expect(open({ url, identity: "CP001" })).rejects.toThrow(TypeError);
    transports.push(await open({ url, identity: "CP001" }));
    const basic = (bytes: number) =>
      `Basic ${Buffer.concat([Buffer.from("CP001:"), Buffer.alloc(16, bytes)]).toString("base64")}`;
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([basic(0), basic(255)]);
  });

  test("sends a key of bytes as it was when it was passed, and the identity decoded [J-175] [J-176]", async () => {
    const authorizationKey = Uint8Array.of(0, 0x3a, 0xff);
    const open = connect({ authorizationKey });
    authorizationKey.fill(1);
    transports.push(await open({ url, identity: "RDAM 123" }));
    const expected = Buffer.concat([Buffer.from("RDAM 123:"), Uint8Array.of(0, 0x3a, 0xff)]);
    expect(server.requests[0]?.headers.authorization).toBe(`Basic ${expected.toString("base64")}`);
  });

  test("sends the credentials with every attempt [SEC-A00-203] [SEC-A00-302] [SEC-A00-303]", async () => {
    const open = connect({ authorizationKey: Uint8Array.of(1) });
    transports.push(await open({ url, identity: "CP001" }), await open({ url, identity: "CP001" }));
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      "Basic Q1AwMDE6AQ==",
      "Basic Q1AwMDE6AQ==",
    ]);
  });

  test("delivers a message that came in one packet with the answer", async () => {
    server.answer = (request, socket) => {
      const text = Buffer.from('[2,"1","GetConfiguration",{}]');
      socket.write(Buffer.concat([Buffer.from(accept(request, chosen)), Buffer.from([0x81, text.length]), text]));
    };
    const transport = await opened(url);
    const text = await new Promise<string>((resolve) => transport.listen({ message: resolve, close: () => {} }));
    expect(text).toBe('[2,"1","GetConfiguration",{}]');
  });

  test("closes with 1009 after a message larger than maxFrameBytes [J-143]", async () => {
    let peer: Duplex | undefined;
    server.answer = (request, socket) => {
      peer = socket;
      socket.write(accept(request, chosen));
    };
    const transport = await opened(url, "CP001", { maxFrameBytes: 3 });
    const closed = new Promise((resolve) => transport.listen({ message: () => {}, close: resolve }));
    peer?.write(Buffer.from([0x81, 4, 0x5b, 0x31, 0x31, 0x5d]));
    const [frame] = await once(peer as Duplex, "data");
    // Byte 0: a close frame; bytes 2 to 5: the mask; bytes 6 and 7: the masked code.
    expect([frame[0], frame.readUInt16BE(6) ^ frame.readUInt16BE(2)]).toEqual([0x88, 1009]);
    expect(await closed).toBe(1009);
  });

  test("leaves no timer behind when it has succeeded", async () => {
    const clock = new FakeClock();
    await opened(url, "CP001", { clock });
    expect(clock.pending).toBe(0);
  });

  const plain = (head: string): ScriptedServer["answer"] => {
    return (_, socket) => socket.write(`HTTP/1.1 ${head}\r\nContent-Length: 0\r\n\r\n`);
  };
  const answers: [string, ScriptedServer["answer"], Partial<HandshakeError>, RegExp][] = [
    [
      "unauthorized after 401 [J-032]",
      plain("401 Unauthorized"),
      { reason: "unauthorized", status: 401, advice: "Give the authorizationKey." },
      /HTTP 401 Unauthorized: it does not let "CP001" in\. Give the authorizationKey\.$/,
    ],
    [
      "unauthorized after 403 without a certificate",
      plain("403 Forbidden"),
      { reason: "unauthorized", status: 403 },
      /HTTP 403 Forbidden: it does not let "CP001" in\. It may expect another securityProfile/,
    ],
    [
      "unknown-identity after 404 [J-030] [J-031]",
      (_, socket) => socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\npart of a body"),
      { reason: "unknown-identity", status: 404 },
      /HTTP 404 Not Found: it does not know "CP001"\. Register it there/,
    ],
    [
      "duplicate after 409",
      plain("409 Conflict"),
      { reason: "duplicate", status: 409 },
      /HTTP 409 Conflict: a Charge Point with the identity "CP001" is connected\. Give each Charge Point an identity/,
    ],
    [
      "busy after 429",
      plain("429 Too Many Requests"),
      { reason: "busy", status: 429, advice: "Try again later." },
      /HTTP 429 Too Many Requests: there is a limit that this address or "CP[^"]*" has reached\. Try/,
    ],
    [
      "busy after 503 without words",
      plain("503"),
      { reason: "busy", status: 503, advice: "Try again later." },
      /answered HTTP 503 Service Unavailable: it takes nobody at present\. Try/,
    ],
    [
      "unreachable after 502",
      plain("502 Bad Gateway"),
      { reason: "unreachable", status: 502 },
      /HTTP 502 Bad Gateway: the proxy before it cannot reach it\. Try again later\./,
    ],
    [
      "unreachable after 504",
      plain("504 Gateway Timeout"),
      { reason: "unreachable", status: 504 },
      /HTTP 504 Gateway Timeout: the proxy before it/,
    ],
    [
      "network after a status that may mean anything",
      plain("500 Internal Server Error"),
      { reason: "network", status: 500 },
      /answered HTTP 500 Internal Server Error: it has failed\. Try again later\. Ask its operator/,
    ],
    [
      "network after 500 with a reason in words",
      (_, socket) => {
        socket.write("HTTP/1.1 500 No\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\n");
        socket.write("No\r\n disk");
      },
      { reason: "network", status: 500 },
      /it has failed, and says "No disk"\. Try again later/,
    ],
    [
      "network after 500 with words that never end",
      (_, socket) => {
        socket.write("HTTP/1.1 500 No\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n");
        socket.write(`400\r\n${"x".repeat(1024)}\r\n`);
      },
      { reason: "network", status: 500 },
      /it has failed, and says "x{200}" and more\. Try again later/,
    ],
    [
      "network after 500 with words that break off",
      (_, socket) => {
        socket.end("HTTP/1.1 500 No\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nNo");
      },
      { reason: "network", status: 500 },
      /it has failed, and says "No"\. Try again later/,
    ],
    [
      "redirect after 302, which is not followed",
      (_, socket) => socket.write("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"),
      { reason: "redirect", status: 302 },
      /answered HTTP 302 Found and points to "\/login"\. Use the URL of the OCPP-J endpoint itself/,
    ],
    [
      "redirect after 304, which points to nothing",
      plain("304 Not Modified"),
      { reason: "redirect", status: 304 },
      /answered HTTP 304 Not Modified and points to nowhere\./,
    ],
    [
      "no-upgrade after the 200 of a web server",
      plain("200 OK"),
      { reason: "no-upgrade", status: 200 },
      /answered HTTP 200 OK instead of opening a WebSocket\. .* A proxy on the way may not know WebSockets\.$/,
    ],
    [
      "no-upgrade after 426, which a Central System answers when a proxy has eaten the upgrade [Q18]",
      plain("426 Upgrade Required"),
      { reason: "no-upgrade", status: 426 },
      /answered HTTP 426 Upgrade Required instead of opening a WebSocket\. .* A proxy on the way/,
    ],
    [
      "subprotocol when none is chosen [J-026]",
      (request, socket) => socket.write(accept(request)),
      { reason: "subprotocol", status: 101 },
      /chose no subprotocol, offered "ocpp1.6"\. It does not speak OCPP-J 1\.6 at this URL.* tolerate: \[quirks\.missingSubprotocol\]\.$/,
    ],
    [
      "subprotocol when another one is chosen [J-027]",
      (request, socket) => socket.write(accept(request, "Sec-WebSocket-Protocol: ocpp2.0.1")),
      { reason: "subprotocol", status: 101 },
      /chose the subprotocol "ocpp2.0.1", offered "ocpp1.6"\. It does not speak OCPP-J 1\.6 at this URL\. [^[]*$/,
    ],
    [
      "subprotocol when it is spelt in another case [J-027]",
      (request, socket) => socket.write(accept(request, "Sec-WebSocket-Protocol: OCPP1.6")),
      { reason: "subprotocol", status: 101 },
      /chose the subprotocol "OCPP1.6"/,
    ],
    [
      "subprotocol when two are chosen [J-023]",
      (request, socket) => socket.write(accept(request, chosen, "Sec-WebSocket-Protocol: ocpp1.5")),
      { reason: "subprotocol", status: 101 },
      /chose the subprotocol "ocpp1.6, ocpp1.5"/,
    ],
    [
      "no-upgrade when the accept value is wrong",
      (request, socket) => socket.write(accept(request, chosen).replace(/Accept: .*\r\n/, "Accept: x\r\n")),
      { reason: "no-upgrade", status: undefined },
      /did not open a WebSocket: Invalid Sec-WebSocket-Accept header\. Check that the URL/,
    ],
    [
      "no-upgrade when the upgrade is to something else",
      (request, socket) => socket.write(accept(request, chosen).replace("Upgrade: websocket", "Upgrade: h2c")),
      { reason: "no-upgrade", status: undefined },
      /did not open a WebSocket: Invalid Upgrade header\. Check that the URL/,
    ],
    [
      "no-upgrade when the answer is no HTTP",
      (_, socket) => socket.write("[3,1,{}]\r\n\r\n"),
      { reason: "no-upgrade", status: undefined },
      /did not answer in HTTP: Parse Error/,
    ],
    [
      "tls when the answer is an alert of TLS",
      (_, socket) => socket.write(Buffer.from([0x15, 3, 1, 0, 2, 2, 70])),
      { reason: "tls", status: undefined },
      /answered in TLS: Parse Error.*\. Use wss/,
    ],
    [
      "unreachable when the connection is cut",
      (_, socket) => socket.destroy(),
      { reason: "unreachable", status: undefined },
      /ended the connection before it answered: socket hang up\. Check the port in the URL, and whether it wants wss\.$/,
    ],
  ];

  test.each(answers)(
    "fails with %s, and leaves no socket and no timer behind [trap 19]",
    async (_, answer, fields, message) => {
      server.answer = answer;
      const clock = new FakeClock();
      const error = await failure(url, "CP001", { clock });
      expect(error).toMatchObject({ ...fields, url: `${url}/CP001` });
      expect(error.message).toMatch(message);
      expect(error.message.startsWith(`The Central System at ${url}/CP001 `)).toBe(true);
      expect(error.advice).not.toBe("");
      expect(error.message.endsWith(`. ${error.advice}`)).toBe(true);
      await server.socketsGone();
      expect(server.requests).toHaveLength(1);
      expect(clock.pending).toBe(0);
    },
  );

  test("repeats nothing of the query in the URL, which may be secret, nor of the one it is redirected to", async () => {
    server.answer = (_, socket) =>
      socket.write("HTTP/1.1 302 Found\r\nLocation: /login?session=secret\r\nContent-Length: 0\r\n\r\n");
    const error = await failure(`${url}?token=secret`);
    expect(server.requests[0]?.url).toContain("?token=secret");
    expect(error.url).toBe(`${url}/CP001`);
    expect(error.message).toMatch(/points to "\/login"\./);
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain("secret");
  });

  test.each([
    ["a redirect", `302 \x1b[2J\r\nLocation: /${"\x9b".repeat(5000)}`, /Found and points to "\/\?{99}" and more\./],
    ["a status", "299 \x1b[2J", /answered HTTP 299 instead/],
    [
      "a subprotocol",
      `101 \x1b[2J\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: \x9b`,
      /chose the subprotocol "\?"/,
    ],
  ])("shows of %s only what can stand in a log", async (_, head, message) => {
    server.answer = (_, socket) => socket.write(Buffer.from(`HTTP/1.1 ${head}\r\nContent-Length: 0\r\n\r\n`, "latin1"));
    const error = await failure(url);
    expect(error.message).toMatch(message);
    expect(error.message).toMatch(/^[\x20-\x7e]{1,400}$/);
  });

  test("advises to check a key that was given, and does not repeat it", async () => {
    server.answer = (_, socket) => socket.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    const error = await failure(url, "CP001", { authorizationKey: Buffer.from("secret") });
    expect(error.message).toMatch(/Check the authorizationKey\.$/);
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain("secret");
  });

  test("fails with timeout when it is not complete after handshakeTimeoutMs, however busy the server looks [trap 19]", async () => {
    const clock = new FakeClock();
    const asked = new Promise<Duplex>((resolve) => {
      server.answer = (_, socket) => resolve(socket);
    });
    const failing = failure(url, "CP001", { clock, handshakeTimeoutMs: 5000 });
    (await asked).write("HTTP/1.1 101 Switching Protocols\r\n");
    await clock.advance(4999);
    expect(server.sockets.size).toBe(1);
    await clock.advance(1);
    const error = await failing;
    expect(error).toMatchObject({ reason: "timeout", status: undefined });
    expect(error.message).toMatch(/did not complete the opening handshake within 5000 ms\. A connection was made/);
    await server.socketsGone();
    expect(clock.pending).toBe(0);
  });

  test.each([
    ["nothing", ""],
    ["half of a head", "HTTP/1.1 101 Switching Protocols\r\n"],
  ])("ends at once when its signal aborts after %s was answered, and leaves no socket behind", async (_, text) => {
    const clock = new FakeClock();
    const { signal, ...controller } = abortController();
    const asked = new Promise<Duplex>((resolve) => {
      server.answer = (_, socket) => resolve(socket);
    });
    const attempt = connect({ clock })({ url, identity: "CP001", signal }).catch((error: unknown) => error);
    const socket = await asked;
    await new Promise((resolve) => socket.write(text, resolve));
    controller.abort();
    expect(await attempt).toBe(controller.reason);
    await server.socketsGone();
    expect(clock.pending).toBe(0);
    expect(signal.listeners.size).toBe(0);
  });

  test("is not begun when its signal has aborted, and is not ended by one that aborts after it", async () => {
    const clock = new FakeClock();
    const { signal, ...controller } = abortController();
    controller.abort();
    await expect(connect({ clock })({ url, identity: "CP001", signal })).rejects.toBe(controller.reason);
    expect(clock.pending).toBe(0);
    expect(server.sockets.size).toBe(0);

    server.answer = (request, socket) => socket.write(accept(request, chosen));
    const later = abortController();
    const transport = await connect()({ url, identity: "CP001", signal: later.signal });
    transports.push(transport);
    later.abort();
    expect(later.signal.listeners.size).toBe(0);
    expect(server.sockets.size).toBe(1);
  });

  test("ends while the name is looked up when its signal aborts, and connects to nobody", async () => {
    const found: Lookup[] = [];
    const lookup = vi.spyOn(dns, "lookup").mockImplementation(((_name: string, _options: object, callback: Lookup) => {
      found.push(callback);
    }) as never);
    try {
      const { signal, ...controller } = abortController();
      const port = new URL(url).port;
      const attempt = connect()({ url: `ws://central.test:${port}/ocpp`, identity: "CP001", signal });
      controller.abort();
      await expect(attempt).rejects.toBe(controller.reason);
      found[0]?.(null, [{ address: "127.0.0.1", family: 4 }]);
      await new Promise((resolve) => setImmediate(resolve));
      expect(server.sockets.size).toBe(0);
    } finally {
      lookup.mockRestore();
    }
  });
});

/** A signal that tells who listens to it, and what aborts it. */
function abortController() {
  const reason = new Error("Nobody wants it any more.");
  const listeners = new Set<() => void>();
  const signal = {
    aborted: false,
    reason,
    listeners,
    addEventListener: (_: "abort", listener: () => void) => void listeners.add(listener),
    removeEventListener: (_: "abort", listener: () => void) => void listeners.delete(listener),
  };
  const abort = (): void => {
    signal.aborted = true;
    for (const listener of listeners) listener();
  };
  return { signal, reason, abort };
}

describe("a Central System that cannot be reached", () => {
  /** A port on which nobody listens. */
  async function closedPort(): Promise<number> {
    const server = createTcpServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    server.close();
    await once(server, "close");
    return port;
  }

  test("fails with unreachable where nobody listens, and keeps the cause", async () => {
    const port = await closedPort();
    const error = await failure(`ws://127.0.0.1:${port}`);
    expect(error).toMatchObject({ reason: "unreachable", status: undefined, cause: { code: "ECONNREFUSED" } });
    expect(error.message).toContain(`takes no connections: connect ECONNREFUSED 127.0.0.1:${port}.`);
  });

  test("fails with name where the name has no address", async () => {
    const notFound = Object.assign(new Error("getaddrinfo ENOTFOUND central.test"), { code: "ENOTFOUND" });
    const lookup = vi.spyOn(dns, "lookup").mockImplementation(((_name: string, _options: object, found: Lookup) => {
      found(notFound, []);
    }) as never);
    try {
      const error = await failure("ws://central.test");
      expect(error).toMatchObject({ reason: "name", advice: "Check the host in the URL, and the name server." });
      expect(error.message).toContain("has a name without an address: getaddrinfo ENOTFOUND central.test.");
    } finally {
      lookup.mockRestore();
    }
  });

  test("fails with timeout when not even a connection is made in time", async () => {
    const clock = new FakeClock();
    const lookup = vi.spyOn(dns, "lookup").mockImplementation((() => {}) as never);
    try {
      const failing = failure("ws://central.test", "CP001", { clock });
      await clock.advance(30_000);
      expect(await failing).toMatchObject({
        reason: "timeout",
        advice: "Check the host and the port in the URL, and what firewalls let through.",
      });
      expect(clock.pending).toBe(0);
    } finally {
      lookup.mockRestore();
    }
  });

  test("says what went wrong at each address of a name that has several", async () => {
    const port = await closedPort();
    const addresses = [
      { address: "::1", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ];
    const lookup = vi.spyOn(dns, "lookup").mockImplementation(((_name: string, _options: object, found: Lookup) => {
      found(null, addresses);
    }) as never);
    try {
      const error = await failure(`ws://two-addresses.test:${port}`);
      expect(error.message).toMatch(
        new RegExp(`: connect \\w+ ::1:${port}.*; connect ECONNREFUSED 127\\.0\\.0\\.1:${port}\\.`),
      );
    } finally {
      lookup.mockRestore();
    }
  });
});

describe("the settings", () => {
  test.each(["", "secret", "00".repeat(15), "00".repeat(21), "0".repeat(33), "zz".repeat(16), ` ${"00".repeat(16)}`])(
    "refuse the text %j as authorizationKey, and say how to pass another password [J-181] [SEC-A00-205] [SEC-A00-304]",
    (authorizationKey) => {
      expect(() => connect({ authorizationKey })).toThrow(TypeError);
      expect(() => connect({ authorizationKey })).toThrow(/pass its bytes/);
    },
  );

  test.each(["00".repeat(16), "aB".repeat(20)])("take the authorizationKey %j", (authorizationKey) => {
    expect(() => connect({ authorizationKey })).not.toThrow();
  });

  test.each([
    ["http://central.example.com", "CP001"],
    ["central.example.com", "CP001"],
    ["ws://central.example.com:99999", "CP001"],
    ["ws://central.example.com/#x", "CP001"],
    ["ws://central.example.com", ""],
  ])("reject the URL %j with the identity %j by a TypeError, and throw nothing", async (url, identity) => {
    await expect(connect()({ url, identity })).rejects.toThrow(TypeError);
  });

  test.each([
    "ws://CP001:secret@central.example.com",
    "ws://CP001@central.example.com",
    "ws://CP001:secret@central.example.com:99999",
  ])("reject credentials in the URL, without repeating them: %s", async (url) => {
    const error = await connect()({ url, identity: "CP001" }).catch((reason: Error) => reason);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toMatch(/authorizationKey/);
    expect(String(error)).not.toMatch(/secret/);
  });
});

test("pingIntervalMs may be 0, but not less", () => {
  expect(() => connect({ pingIntervalMs: 0 })).not.toThrow();
  for (const pingIntervalMs of [-1, -0.5]) {
    expect(() => connect({ pingIntervalMs })).toThrow(
      new TypeError(`pingIntervalMs is ${pingIntervalMs}. Give a number of milliseconds, 0 for never.`),
    );
  }
});

describe("against listen", () => {
  async function endpoint(authenticate: () => boolean | "unknown-identity"): Promise<string> {
    const listener = await listen(new CentralSystem(), { path: "/ocpp", authenticate });
    servers.push(listener);
    return listener.url;
  }

  test("opens a transport [J-005]", async () => {
    expect(await opened(await endpoint(() => true))).toHaveProperty("send");
  });

  test("fails with unauthorized where the credentials are refused [J-032]", async () => {
    expect(await failure(await endpoint(() => false))).toMatchObject({ reason: "unauthorized", status: 401 });
  });

  test("fails with unknown-identity where the identity is not known [J-030]", async () => {
    expect(await failure(await endpoint(() => "unknown-identity"))).toMatchObject({
      reason: "unknown-identity",
      status: 404,
    });
  });
});

test("network says which way a connection takes: by which agent, from which address, and who looks its host up", async () => {
  const ways: string[] = [];
  const central = new CentralSystem();
  central.on("connected", ({ connection }) => ways.push(`from ${connection.remoteAddress}`));
  const listener = await listen(central);
  servers.push(listener);
  const agent = new Agent();
  const createConnection = agent.createConnection.bind(agent);
  agent.createConnection = (...args) => {
    ways.push("by the agent");
    return createConnection(...args);
  };
  const lookup: LookupFunction = (host, { all }, found) => {
    ways.push(`to ${host}`);
    if (all) found(null, [{ address: "127.0.0.1", family: 4 }]);
    else found(null, "127.0.0.1", 4);
  };
  const url = `ws://central.example:${listener.port}`;
  transports.push(await connect({ network: { agent, lookup, localAddress: "127.0.0.2" } })({ url, identity: "CP001" }));
  expect(ways).toEqual(["by the agent", "to central.example", "from 127.0.0.2"]);
});
