import { createServer } from "node:http";
import { CentralSystem, quirks } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import {
  type ConnectOptions,
  connect,
  type DurableStoreOptions,
  durableStore,
  type ListenOptions,
  listen,
  type NetworkOptions,
  type PeerLimits,
  type TlsOptions,
} from "../src/index.ts";

/** What none of the options of a kind may be. */
const kinds = {
  time: [Number.NaN, 0, -1, Number.POSITIVE_INFINITY, "30", null, {}],
  interval: [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "30", null, {}],
  count: [Number.NaN, 0, -1, 1.5, Number.POSITIVE_INFINITY, "30", null, {}],
  addresses: ["127.0.0.1", 5, null, {}, ["localhost"], ["10.0.0.0/33"], ["10.0.0.0/8/8"], [5]],
  origins: ["*", 5, null, {}, ["simulator.example"], ["https://simulator.example/"], ["file://"], [5]],
  days: [Number.NaN, -1, Number.POSITIVE_INFINITY, "30", null, {}],
  address: ["localhost", "", 5, null, {}],
  port: [Number.NaN, -1, 1.5, 65_536, Number.POSITIVE_INFINITY, "9000", null, {}],
  host: [5, null, {}],
  path: ["ocpp", "", "/ocpp?a", "/ocpp#a", 5, null, {}],
  callback: ["authenticate", 5, null, {}],
  part: ["text", 5, null, {}, [], () => {}],
  object: ["text", 5, null, () => {}],
  quirks: ["hexadecimalKeys", 5, null, {}, [{}], quirks.hexadecimalKeys],
  profile: [4, -1, 1.5, "2", null, {}],
  secret: [5, null, {}, true],
} as const;

type Kind = keyof typeof kinds;

/** Every option of an interface, with its kind: one that is missing is an error of the compiler. */
type Table<Options> = Readonly<Record<keyof Required<Options>, Kind>>;

const transport = {
  pingIntervalMs: "interval",
  maxFrameBytes: "count",
  maxBufferedBytes: "count",
  closeTimeoutMs: "time",
  clock: "part",
} as const;

const connecting: Table<ConnectOptions> = {
  securityProfile: "profile",
  authorizationKey: "secret",
  tls: "object",
  handshakeTimeoutMs: "time",
  tolerate: "quirks",
  network: "object",
  ...transport,
};

const networking: Table<NetworkOptions> = { agent: "part", lookup: "callback", localAddress: "address" };

const listening: Table<ListenOptions> = {
  path: "path",
  securityProfile: "profile",
  authenticate: "callback",
  tolerate: "quirks",
  handshakeTimeoutMs: "time",
  maxHandshakes: "count",
  maxConnections: "count",
  trustedProxies: "addresses",
  limits: "object",
  origins: "origins",
  expiryWarningDays: "days",
  cuts: "callback",
  port: "port",
  host: "host",
  tls: "object",
  server: "part",
  health: "path",
  ...transport,
};

const limiting: Table<PeerLimits> = {
  connectionsPerAddress: "count",
  handshakesPerAddress: "count",
  failuresPerAddress: "count",
  wrongPasswords: "count",
};

const certifying: Table<TlsOptions> = {
  ca: "secret",
  cert: "secret",
  key: "secret",
  passphrase: "secret",
  crl: "secret",
};

const storing: Table<DurableStoreOptions> = { damaged: "callback" };

const subjects = [
  { owner: "connect", table: connecting, take: (options: object) => connect(options) },
  { owner: "listen", table: listening, take: (options: object) => listen(new CentralSystem(), options) },
  { owner: "limits", table: limiting, take: (limits: object) => listen(new CentralSystem(), { limits }) },
  { owner: "network", table: networking, take: (network: object) => connect({ network }) },
  { owner: "tls", table: certifying, take: (tls: object) => connect({ tls }) },
  { owner: "durableStore", table: storing, take: (options: object) => durableStore("nowhere", options) },
];

async function refusal(take: () => unknown): Promise<string> {
  try {
    await take();
    return "It was taken.";
  } catch (error) {
    expect(error).toBeInstanceOf(TypeError);
    return (error as TypeError).message;
  }
}

/** A value as an error has it. */
const shown = (value: unknown): string => {
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "function") return "a function";
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "an object";
  return `${value}`;
};

describe.each(subjects)("The options of $owner", ({ owner, table, take }) => {
  test.each(Object.entries<Kind>(table))(
    "%s, a %s, is refused at once if it is none: by name, with what it is unless that is secret, and what to give",
    async (name, kind) => {
      for (const value of kinds[kind]) {
        const message = await refusal(() => take({ [name]: value }));
        const told = kind === "secret" ? "not what it may be" : shown(value);
        expect(message.slice(0, message.indexOf(" Give "))).toBe(`${name} is ${told}.`);
      }
    },
  );

  test("are the default when they are undefined", async () => {
    const taken = await take(Object.fromEntries(Object.keys(table).map((name) => [name, undefined])));
    await (taken as { close?(): Promise<void> }).close?.();
  });

  test("have no other names than these", async () => {
    const message = `${owner} has no option "nonsense". It has ${Object.keys(table).join(", ")}.`;
    expect(await refusal(() => take({ nonsense: undefined }))).toBe(message);
  });
});

test("A list of certificates is refused as a whole if one of them is none", async () => {
  expect(await refusal(() => connect({ tls: { ca: ["-----BEGIN", 5 as never] } }))).toMatch(
    /^ca is not what it may be\./,
  );
});

test("A password in hexadecimal is refused without being repeated", async () => {
  const message = await refusal(() => connect({ authorizationKey: "not-hexadecimal" }));
  expect(message).toMatch(/^authorizationKey is not 32 to 40 hexadecimal digits/);
  expect(message).not.toContain("not-hexadecimal");
});

test("Options are what they were when they were given, to connect and to listen", async () => {
  const clock = new FakeClock();
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const centralSystem = new CentralSystem();
  const listenOptions = { path: "/ocpp", server, authenticate: () => true, tolerate: [quirks.hexadecimalKeys] };
  const listener = await listen(centralSystem, listenOptions);
  const authorizationKey = new Uint8Array(20);
  const connectOptions = { authorizationKey, clock, pingIntervalMs: 0 };
  const open = connect(connectOptions);
  for (const options of [listenOptions, connectOptions] as Record<string, unknown>[]) {
    for (const name of Object.keys(options)) options[name] = "spoilt";
  }
  authorizationKey.fill(1);
  let header: string | undefined;
  server.on("upgrade", ({ headers }) => {
    header = headers.authorization;
  });
  const transport = await open({ url: listener.url, identity: "CP001" });
  transport.close();
  await listener.close();
  server.close();
  expect(Buffer.from(header?.slice("Basic ".length) ?? "", "base64").toString()).toBe(`CP001:${"\0".repeat(20)}`);
});
