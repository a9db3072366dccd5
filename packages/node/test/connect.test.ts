import { createHash } from "node:crypto";
import dns from "node:dns";
import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { CentralSystem, HandshakeError, type Transport } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { type ConnectOptions, connect } from "../src/connect.ts";
import { listen } from "../src/listen.ts";

type Found = (error: null, addresses: readonly { readonly address: string; readonly family: number }[]) => void;

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

  test("sends the bytes of a hexadecimal key, as in the document's example [J-176] [Q23] [trap 13]", async () => {
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

  test("sends the credentials with every attempt [SEC-A00-203] [SEC-A00-302]", async () => {
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

  const answers: [string, ScriptedServer["answer"], Partial<HandshakeError>, RegExp][] = [
    [
      "unauthorized after 401 [J-032]",
      (_, socket) => socket.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n"),
      { reason: "unauthorized", status: 401 },
      /HTTP 401 Unauthorized: it does not let "CP001" in\. Give the authorizationKey\.$/,
    ],
    [
      "unknown-identity after 404 [J-030] [J-031]",
      (_, socket) => socket.write("HTTP/1.1 404 Not Found\r\nContent-Length: 100\r\n\r\npart of a body"),
      { reason: "unknown-identity", status: 404 },
      /HTTP 404 Not Found: it does not know "CP001"\. Register it there/,
    ],
    [
      "network after 503",
      (_, socket) => socket.write("HTTP/1.1 503\r\nContent-Length: 0\r\n\r\n"),
      { reason: "network", status: 503 },
      /answered HTTP 503 instead of opening a WebSocket\. Check/,
    ],
    [
      "network after a redirect, which is not followed",
      (_, socket) => socket.write("HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n"),
      { reason: "network", status: 302 },
      /answered HTTP 302 Found and points to \/login instead/,
    ],
    [
      "subprotocol when none is chosen [J-026]",
      (request, socket) => socket.write(accept(request)),
      { reason: "subprotocol", status: 101 },
      /chose no subprotocol, offered "ocpp1.6"/,
    ],
    [
      "subprotocol when another one is chosen [J-027]",
      (request, socket) => socket.write(accept(request, "Sec-WebSocket-Protocol: ocpp2.0.1")),
      { reason: "subprotocol", status: 101 },
      /chose the subprotocol "ocpp2.0.1"/,
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
      "network when the accept value is wrong",
      (request, socket) => socket.write(accept(request, chosen).replace(/Accept: .*\r\n/, "Accept: x\r\n")),
      { reason: "network", status: undefined },
      /did not open a WebSocket: Invalid Sec-WebSocket-Accept header\. Check the URL and the network/,
    ],
    [
      "network when the answer is no HTTP",
      (_, socket) => socket.write("[3,1,{}]\r\n\r\n"),
      { reason: "network", status: undefined },
      /did not open a WebSocket: Parse Error/,
    ],
    [
      "network when the connection is cut",
      (_, socket) => socket.destroy(),
      { reason: "network", status: undefined },
      /did not open a WebSocket: socket hang up/,
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
      expect(error.message).toContain(`${url}/CP001`);
      await server.socketsGone();
      expect(server.requests).toHaveLength(1);
      expect(clock.pending).toBe(0);
    },
  );

  test("advises to check a key that was given, and does not repeat it", async () => {
    server.answer = (_, socket) => socket.write("HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n");
    const error = await failure(url, "CP001", { authorizationKey: Buffer.from("secret") });
    expect(error.message).toMatch(/Check the authorizationKey\.$/);
    expect(JSON.stringify({ ...error, message: error.message })).not.toContain("secret");
  });

  test("fails with network when it is not complete after handshakeTimeoutMs, however busy the server looks [trap 19]", async () => {
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
    expect(error).toMatchObject({ reason: "network", status: undefined });
    expect(error.message).toMatch(/did not complete the opening handshake within 5000 ms/);
    await server.socketsGone();
    expect(clock.pending).toBe(0);
  });
});

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

  test("fails with network and keeps the cause", async () => {
    const port = await closedPort();
    const error = await failure(`ws://127.0.0.1:${port}`);
    expect(error).toMatchObject({ reason: "network", status: undefined, cause: { code: "ECONNREFUSED" } });
    expect(error.message).toContain(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test("says what went wrong at each address of a name that has several", async () => {
    const port = await closedPort();
    const addresses = [
      { address: "::1", family: 6 },
      { address: "127.0.0.1", family: 4 },
    ];
    const lookup = vi.spyOn(dns, "lookup").mockImplementation(((_name: string, _options: object, found: Found) => {
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
    "refuse the text %j as authorizationKey, and say how to pass another password [J-181] [SEC-A00-205]",
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

  test.each(["ws://CP001:secret@central.example.com", "ws://CP001@central.example.com"])(
    "reject credentials in the URL, without repeating them: %s",
    async (url) => {
      const error = await connect()({ url, identity: "CP001" }).catch((reason: Error) => reason);
      expect(error).toBeInstanceOf(TypeError);
      expect(String(error)).toMatch(/authorizationKey/);
      expect(String(error)).not.toMatch(/secret/);
    },
  );
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
