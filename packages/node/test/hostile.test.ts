/*
 * Peers that mean harm, over real sockets, against a Central System in a process of its own. Laws, whatever they do: a
 * Charge Point that is connected is served meanwhile, another can connect, nothing is left behind, the process lives.
 */

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";
import { Connection, type DuplicatePolicy } from "@ocppj/core";
import { seeded } from "@ocppj/testing";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connect } from "../src/connect.ts";
import { type Census, limits, type Ports } from "./hostile-central-system.ts";
import { basic, offer, statusOf } from "./open-endpoint.ts";
import { clientFrame, handshake, RawSocket } from "./raw-socket.ts";

let centralSystem: ChildProcess;
let ports: Ports;
let bystander: Connection<"ChargePoint">;
/** What the Central System has when nothing but the bystander is connected. */
let before: Census;
const peers: RawSocket[] = [];

beforeAll(async () => {
  const program = fileURLToPath(new URL("hostile-central-system.ts", import.meta.url));
  centralSystem = fork(program, { cwd: dirname(program), execArgv: ["--expose-gc", "--import", "tsx"] });
  ports = await said<Ports>();
  bystander = await charger("BYSTANDER");
  await rehearse();
}, 30_000);

afterAll(() => centralSystem.kill());

beforeEach(async () => {
  before = await census(1);
});

/** A Charge Point that behaves. */
async function charger(identity: string, policy: DuplicatePolicy = "probe"): Promise<Connection<"ChargePoint">> {
  const url = `ws://127.0.0.1:${ports[policy]}/ocpp`;
  const open = connect({ authorizationKey: Buffer.from("right"), pingIntervalMs: 0 });
  const connection = new Connection(await open({ url, identity }), { role: "ChargePoint", identity });
  await connection.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" }, { timeoutMs: 5000 });
  return connection;
}

/** A bare TCP connection. */
async function open(policy: DuplicatePolicy = "probe"): Promise<RawSocket> {
  const peer = await RawSocket.open(ports[policy]);
  peers.push(peer);
  return peer;
}

/** The lines of a handshake with the right credentials. */
const request = (identity: string): readonly string[] =>
  handshake(`/ocpp/${identity}`, offer, basic(`${identity}:right`));

/** A hostile peer that has got through the handshake. */
async function intruder(identity: string): Promise<RawSocket> {
  const peer = await open();
  peer.request(...request(identity));
  expect(await statusOf(peer)).toBe(101);
  return peer;
}

async function boot(peer: RawSocket): Promise<void> {
  peer.write(clientFrame(1, '[2,"b","BootNotification",{"chargePointVendor":"V","chargePointModel":"M"}]'));
  expect((await peer.frame()).payload.toString()).toContain("Accepted");
}

async function census(expectedSockets: number): Promise<Census> {
  centralSystem.send(expectedSockets);
  return said<Census>();
}

/** The next message of the Central System. */
function said<Message>(): Promise<Message> {
  return new Promise((resolve, reject) => {
    const exited = (code: number | null): void => reject(new Error(`The Central System has exited with ${code}.`));
    centralSystem.once("exit", exited);
    centralSystem.once("message", (message: Message) => {
      centralSystem.off("exit", exited);
      resolve(message);
    });
  });
}

/** Resolves when the far end has closed, or reset, the connections of all peers. */
async function dropped(): Promise<void> {
  await Promise.all(
    peers.map(({ socket }) => socket.closed || new Promise<void>((resolve) => socket.once("close", () => resolve()))),
  );
}

/** In the midst of an attack: who is connected is answered, who is not can connect. */
async function servesOthers(): Promise<void> {
  await bystander.call("Heartbeat", {}, { timeoutMs: 5000 });
  const newcomer = await charger("NEWCOMER");
  await newcomer.call("Heartbeat", {}, { timeoutMs: 5000 });
  const closed = once(newcomer as never, "closed");
  newcomer.close();
  await closed;
}

/** The most that may be left behind: code that was compiled, counters. Each attack brings much more. */
const leftBytes = 2 ** 21;

/** Runs an attack while the bystander talks, and checks the laws. */
async function survives(attack: () => Promise<void>): Promise<Census> {
  let over = false;
  const talk = (async () => {
    while (!over) await bystander.call("Heartbeat", {}, { timeoutMs: 5000 });
  })();
  try {
    await attack();
  } finally {
    over = true;
    for (const { socket } of peers.splice(0)) socket.destroy();
  }
  await talk;
  await servesOthers();
  const after = await census(1);
  expect(centralSystem.exitCode).toBeNull();
  expect(after).toMatchObject({ connected: ["BYSTANDER"], timers: before.timers, faults: [], warnings: [] });
  expect(after.bytes - before.bytes).toBeLessThan(leftBytes);
  return after;
}

/** Compiles what will be used, so that it is not taken for a leak. */
async function rehearse(): Promise<void> {
  before = await census(1);
  for (let round = 0; round < 20; round++) {
    const peer = await intruder("CP001");
    for (let id = 0; id < 50; id++) peer.write(clientFrame(1, `[2,"${id}","Heartbeat",{}]`));
    peer.write(clientFrame(2, "x"));
    await peer.rest();
    await servesOthers();
  }
  peers.splice(0);
}

/** As many as may be silent, and as many again. */
const crowd = 2 * limits.maxConnections;

describe("a slow handshake", () => {
  test("a byte at a time, from many peers, keeps nobody out, and each is dropped", async () => {
    const { refused } = await survives(async () => {
      for (let count = 0; count < crowd; count++) await open();
      const bytes = Buffer.from(`${request("CP001").slice(0, -1).join("\r\n")}\r\nX: ${"x".repeat(10_000)}`);
      let sent = 0;
      while (peers.some(({ socket }) => !socket.closed)) {
        const byte = bytes.subarray(sent, ++sent);
        for (const { socket } of peers) if (socket.writable) socket.write(byte);
        await servesOthers();
      }
      const answers = await Promise.all(peers.map(statusOf));
      expect(new Set(answers)).toEqual(new Set([408, 503]));
    });
    expect(Object.keys(refused).sort()).toEqual(["limit", "timeout"]);
  });

  test("that is never begun is dropped, too", async () => {
    const { refused } = await survives(async () => {
      for (let count = 0; count < crowd; count++) await open();
      await servesOthers();
      await dropped();
    });
    expect((refused.limit ?? 0) + (refused.timeout ?? 0)).toBe(crowd);
  });

  test("whose headers never end is refused with 431", async () => {
    const { refused } = await survives(async () => {
      for (let count = 0; count < 20; count++) {
        const peer = await open();
        peer.write("GET /ocpp/CP001 HTTP/1.1\r\n");
        while (peer.socket.writable) {
          await new Promise<void>((resolve) => void peer.socket.write(`X-${"x".repeat(500)}: y\r\n`, () => resolve()));
          await servesOthers();
        }
        expect(await statusOf(peer)).toBe(431);
      }
    });
    expect(refused).toEqual({ request: 20 });
  });
});

describe("an endless message", () => {
  const length = (bytes: number): Buffer => {
    const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    header.writeBigUInt64BE(BigInt(bytes), 2);
    return header;
  };
  const large = Buffer.concat([Buffer.from([0x01, 0xfe, 0xff, 0xff, 0, 0, 0, 0]), Buffer.alloc(0xffff, "x")]);
  const more = Buffer.concat([Buffer.from([0x00, 0xfe, 0xff, 0xff, 0, 0, 0, 0]), Buffer.alloc(0xffff, "x")]);

  test.each([
    ["of large fragments", large, more, 1009],
    ["of empty fragments", clientFrame(1, "", false), Buffer.concat(Array(1000).fill(clientFrame(0, "", false))), 1008],
  ])("%s ends with a close code", async (_, first, next, code) => {
    const { closed } = await survives(async () => {
      const peer = await intruder("CP001");
      peer.write(first);
      while (peer.socket.writable) {
        await new Promise<void>((resolve) => void peer.socket.write(next, () => resolve()));
        await bystander.call("Heartbeat", {});
      }
      await servesOthers();
      await dropped();
    });
    expect(closed[code]).toBe(1);
  });

  test("whose length is announced, but beyond the limit, ends with 1009 before it comes", async () => {
    const { closed } = await survives(async () => {
      for (const bytes of [2 ** 20 + 1, 2 ** 31, 2 ** 32, Number.MAX_SAFE_INTEGER]) {
        const peer = await intruder("CP001");
        peer.write(length(bytes));
        expect((await peer.frame()).payload.readUInt16BE(0)).toBe(1009);
      }
      await dropped();
    });
    expect(closed[1009]).toBe(4);
  });
});

describe("garbage", () => {
  test("instead of a request is refused", async () => {
    const random = seeded(1);
    const { refused } = await survives(async () => {
      for (let count = 0; count < crowd; count++) {
        const peer = await open();
        peer.write(Uint8Array.from({ length: 300 }, () => 256 * random()));
        peer.write("\r\n\r\n\r\n\r\n");
      }
      await servesOthers();
      await dropped();
    });
    expect(refused).toEqual({ request: crowd });
  });

  test("instead of frames ends that connection", async () => {
    const random = seeded(2);
    await survives(async () => {
      for (let count = 0; count < 100; count++) {
        const peer = await intruder(`CP${count}`);
        // The first byte is a frame that nobody may send.
        peer.write(Uint8Array.from({ length: 300 }, (_, index) => (index === 0 ? 0xff : 256 * random())));
      }
      await servesOthers();
      await dropped();
    });
  });

  const nested = 2 ** 18;
  test.each([
    ["brackets without end", "[".repeat(nested)],
    ["an array nested deeply", "[".repeat(nested) + "]".repeat(nested)],
    ["a payload nested deeply", `[2,"1","DataTransfer",${"[".repeat(nested)}${"]".repeat(nested)}]`],
    [
      "a field nested deeply",
      `[2,"1","DataTransfer",{"vendorId":${'{"a":'.repeat(nested / 4)}1${"}".repeat(nested / 4)}}]`,
    ],
    ["a number without end", `[2,"1","Heartbeat",${"9".repeat(2 ** 20 - 100)}]`],
    ["a message id without end", `[2,"${"1".repeat(2 ** 20 - 100)}","Heartbeat",{}]`],
    ["names of Object.prototype", '[2,"__proto__","__proto__",{"__proto__":{"toString":1},"constructor":1}]'],
  ])("inside a message harms nobody: %s", async (_, text) => {
    await survives(async () => {
      const peer = await intruder("CP001");
      const header = Buffer.from([0x81, 0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
      header.writeBigUInt64BE(BigInt(text.length), 2);
      for (let time = 0; time < 3; time++) peer.write(Buffer.concat([header, Buffer.from(text)]));
      await servesOthers();
    });
  });
});

describe("a peer that does not read", () => {
  const calls = (from: number, to: number): Buffer =>
    Buffer.concat(
      Array.from({ length: to - from }, (_, index) =>
        clientFrame(1, `[2,"${from + index}","DataTransfer",{"vendorId":"V"}]`),
      ),
    );

  test("and sends 100,000 CALLs at once is disconnected", async () => {
    const { violations } = await survives(async () => {
      const peer = await intruder("CP001");
      await boot(peer);
      peer.socket.pause();
      peer.write(calls(0, 100_000));
      await servesOthers();
      peer.socket.resume();
      await dropped();
    });
    expect(violations["too-many-calls"]).toBeGreaterThan(0);
  });

  /** Writes until the far end hangs up, a bit at a time, so that it can do as it is asked. */
  async function pour(peer: RawSocket, bitOf: (round: number) => Uint8Array): Promise<void> {
    let over = false;
    const hungUp = new Promise<void>((resolve) => {
      peer.socket.once("close", () => {
        over = true;
        resolve();
      });
    });
    peer.socket.pause();
    for (let round = 0; !over; round++) {
      const taken = new Promise<void>((resolve) => void peer.socket.write(bitOf(round), () => resolve()));
      await Promise.race([taken, hungUp]);
      await bystander.call("Heartbeat", {});
    }
  }

  test("and sends CALLs without end, few enough at once, is disconnected with 1008", async () => {
    const { closed } = await survives(async () => {
      const peer = await intruder("CP001");
      await boot(peer);
      await pour(peer, (round) => calls(50 * round, 50 * (round + 1)));
      await servesOthers();
    });
    expect(closed).toMatchObject({ 1008: 1 });
  });

  test("and sends pings without end is disconnected", async () => {
    const pings = Buffer.concat(Array(1000).fill(clientFrame(9, "x".repeat(125))));
    const { closed } = await survives(async () => {
      const peer = await intruder("CP001");
      await pour(peer, () => pings);
      await servesOthers();
    });
    expect(closed).toMatchObject({ 1006: 1 });
  });
});

describe("a stranger who takes the identity of a connected Charge Point", () => {
  const policies = ["probe", "replace", "reject"] as const;

  test.each(policies)("and has no credentials, or wrong ones, gets 401 and disturbs nobody: %s", async (policy) => {
    const { refused, closed } = await survives(async () => {
      const victim = await charger("VICTIM", policy);
      let disturbed = false;
      victim.once("closed", () => {
        disturbed = true;
      });
      const attempt = async (...credentials: readonly string[]) => {
        const stranger = await open(policy);
        stranger.request(...handshake("/ocpp/VICTIM", offer, ...credentials));
        return statusOf(stranger);
      };
      for (let count = 0; count < 50; count++) {
        expect(await Promise.all([attempt(), attempt(basic("VICTIM:guess"))])).toEqual([401, 401]);
      }
      await victim.call("Heartbeat", {});
      expect(disturbed).toBe(false);
      victim.close();
    });
    expect(refused).toEqual({ unauthorized: 100 });
    expect(closed[1008]).toBeUndefined();
  });

  test.each(["probe", "reject"] as const)(
    "and has stolen its credentials gets 409 as long as the Charge Point answers: %s",
    async (policy) => {
      const { refused, closed } = await survives(async () => {
        const victim = await charger("VICTIM", policy);
        const attempt = async () => {
          const stranger = await open(policy);
          stranger.request(...request("VICTIM"));
          return statusOf(stranger);
        };
        for (let count = 0; count < 10; count++) {
          expect(await Promise.all([1, 2, 3, 4, 5].map(attempt))).toEqual([409, 409, 409, 409, 409]);
        }
        await victim.call("Heartbeat", {});
        victim.close();
      });
      expect(refused).toEqual({ duplicate: 50 });
      expect(closed[1008]).toBeUndefined();
    },
  );

  test("and has stolen its credentials takes its place, one at a time: replace", async () => {
    const { refused, closed } = await survives(async () => {
      const victim = await charger("VICTIM", "replace");
      const ended = once(victim as never, "closed");
      for (let count = 0; count < 10; count++) {
        const burst = await Promise.all([1, 2, 3, 4, 5].map(() => open("replace")));
        for (const stranger of burst) stranger.request(...request("VICTIM"));
        expect(await Promise.all(burst.map(statusOf))).toEqual([101, 101, 101, 101, 101]);
      }
      expect(await ended).toEqual([expect.objectContaining({ code: 1008 })]);
    });
    expect(refused).toEqual({});
    expect(closed[1008]).toBe(50);
  });

  test.each(["probe", "reject"] as const)(
    "at the same moment as others, while it is not connected, is one of them who gets in: %s",
    async (policy) => {
      const { refused, closed } = await survives(async () => {
        const attempts = await Promise.allSettled([1, 2, 3, 4, 5].map(() => charger("CP001", policy)));
        const [inside, ...others] = attempts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
        expect(others).toEqual([]);
        await inside?.call("Heartbeat", {});
        inside?.close();
      });
      expect(refused).toEqual({ duplicate: 4 });
      expect(closed[1008]).toBeUndefined();
    },
  );

  test("at the same moment as others, while it is connected but lost, is one of them who gets in: probe", async () => {
    const { refused, closed } = await survives(async () => {
      await intruder("CP001"); // It answers no ping.
      const attempts = await Promise.allSettled([1, 2, 3, 4, 5].map(() => charger("CP001")));
      const [inside, ...others] = attempts.flatMap((one) => (one.status === "fulfilled" ? [one.value] : []));
      expect(others).toEqual([]);
      await inside?.call("Heartbeat", {});
      inside?.close();
    });
    expect(refused).toEqual({ duplicate: 4 });
    expect(closed[1008]).toBe(1);
  });
});

describe("a peer that is half there", () => {
  test("and answers nothing any more is given up, with 1006", async () => {
    const { closed } = await survives(async () => {
      for (let count = 0; count < 20; count++) {
        const peer = await intruder(`CP${count}`);
        expect((await peer.frame()).opcode).toBe(9);
        peer.write(clientFrame(10, ""));
      }
      await servesOthers();
      await dropped();
    });
    expect(closed[1006]).toBe(20);
  });

  test("and answers nothing gives way to the Charge Point that comes back", async () => {
    await survives(async () => {
      const lost = await intruder("CP001");
      const back = await charger("CP001");
      await back.call("Heartbeat", {});
      await once(lost.socket, "close");
      back.close();
    });
  });

  test.each([
    ["before its request", ""],
    ["within its request", "GET /ocpp/CP001 HTTP/1.1\r\nHost: x\r\n"],
    ["right after its request", `${request("CP001").join("\r\n")}\r\n\r\n`],
  ])("and ends its side %s is dropped", async (_, text) => {
    await survives(async () => {
      for (let count = 0; count < 50; count++) {
        const peer = await open();
        peer.socket.allowHalfOpen = true;
        peer.socket.end(text);
      }
      await servesOthers();
      await dropped();
    });
  });

  test("and ends its side of a connection is dropped", async () => {
    const { closed } = await survives(async () => {
      for (let count = 0; count < 20; count++) {
        const peer = await intruder(`CP${count}`);
        peer.socket.allowHalfOpen = true;
        peer.socket.end();
      }
      await servesOthers();
      await dropped();
    });
    expect(closed[1006]).toBe(20);
  });

  test("and resets the connection at any moment leaves nothing behind", async () => {
    await survives(async () => {
      const text = `${request("CP001").join("\r\n")}\r\n\r\n`;
      const bytes = Buffer.concat([Buffer.from(text), clientFrame(1, '[2,"1","Heartbeat",{}]')]);
      for (let end = 0; end <= bytes.length; end += 7) {
        const peer = await open();
        await new Promise((resolve) => peer.socket.write(bytes.subarray(0, end), resolve));
        peer.socket.resetAndDestroy();
      }
      await servesOthers();
    });
  });
});

describe("abuse of URL and headers", () => {
  const identities = [
    "CP001",
    "CP%2F001",
    "%00",
    "%2e%2e",
    "%c0%ae%c0%ae%c0%af",
    "%ed%a0%80",
    "%f5%80%80%80",
    "%0d%0aSet-Cookie:%20a=b",
    "%E2%80%AE",
    "%",
    "%%",
    "..",
    "../../etc/passwd",
    "CP001%20HTTP/1.1",
    "x".repeat(8000),
    "%41".repeat(2000),
  ];
  const headers = [
    "Authorization: Basic",
    "Authorization: Basic Q1AwMDE6cmlnaHQ=, Basic eA==",
    `Authorization: Basic ${"A".repeat(10_000)}`,
    "authorization: basic Q1AwMDE6cmlnaHQ=",
    "Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Version: 13\t",
    "Sec-WebSocket-Protocol: ocpp1.6",
    "Sec-WebSocket-Protocol: \xff",
    "Sec-WebSocket-Extensions: permessage-deflate; server_max_window_bits=99",
    "Sec-WebSocket-Extensions: ,,,",
    "Upgrade: h2c",
    "Connection: close",
    "Content-Length: 5",
    "Content-Length: -1",
    "Transfer-Encoding: chunked",
    "Expect: 100-continue",
    "__proto__: x",
    "constructor: x",
    ...Array<string>(3).fill(`X-${"y".repeat(4000)}: ${"z".repeat(4000)}`),
    "X: \0",
    "X : y",
    " folded",
    "X: a\rb",
    "GET / HTTP/1.1",
  ];

  test("is answered with one HTTP status, and with nothing of what was sent among the headers", async () => {
    const random = seeded(3);
    const any = <Value>(values: readonly Value[]): Value => values[Math.floor(values.length * random())] as Value;
    const seen = new Set<number>();
    const { connected } = await survives(async () => {
      for (let count = 0; count < 1000; count++) {
        const identity = any(identities);
        const credentials = random() < 0.5 ? [basic(`${identity}:right`)] : [];
        const lines = handshake(`/ocpp/${identity}`, ...(random() < 0.9 ? [offer] : []), ...credentials);
        const more = Array.from({ length: Math.floor(3 * random()) }, () => any(headers));
        const peer = await open();
        peer.write(Buffer.from(`${[...lines, ...more].join("\r\n")}\r\n\r\n`, "latin1"));
        const [status = "", ...rest] = (await peer.head()).split("\r\n");
        seen.add(Number(/^HTTP\/1\.1 (\d{3}) [\w ]+$/.exec(status)?.[1]));
        for (const line of rest) {
          const ours =
            /^(Connection|Content-|Date|Upgrade|Retry-After|Allow|WWW-|Sec-WebSocket-(Accept|Version|Protocol))/;
          expect(line).toMatch(ours);
          expect(line).not.toMatch(/[^\x20-\x7e]/);
        }
        peer.socket.destroy();
      }
      await servesOthers();
    });
    expect(connected).toEqual(["BYSTANDER"]);
    expect([...seen].sort()).toEqual([101, 400, 401, 404, 414, 426, 431]);
  });
});
