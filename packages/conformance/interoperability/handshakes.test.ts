import { CentralSystem, type CentralSystemEvents, Connection, HandshakeError } from "@ocppj/core";
import { type ConnectOptions, connect, type ListenOptions, listen } from "@ocppj/node";
import type { RPCClient } from "ocpp-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { next } from "./moments.ts";
import { complaintsOf, type TheirChargePointOptions, theirCentralSystem, theirChargePoint } from "./ocpp-rpc.ts";

const opened: (() => unknown)[] = [];
const complaints: string[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  expect(complaints.splice(0)).toEqual([]);
});

/** A Central System of ocppj. */
async function ourCentralSystem(options: ListenOptions = {}) {
  const centralSystem = new CentralSystem();
  const refused: CentralSystemEvents["refused"][0][] = [];
  centralSystem.on("refused", (event) => refused.push(event));
  centralSystem.handle("BootNotification", () => ({
    status: "Accepted",
    currentTime: "2026-01-01T00:00:00Z",
    interval: 300,
  }));
  const listener = await listen(centralSystem, { path: "/ocpp", ...options });
  opened.push(() => listener.close());
  return { centralSystem, refused, url: listener.url };
}

function charger(url: string, options: TheirChargePointOptions = {}): RPCClient {
  const client = theirChargePoint(url, options);
  complaintsOf(client, complaints);
  opened.push(() => client.close({}));
  return client;
}

/** How ocpp-rpc tells that an HTTP status was the answer. */
const rejection = (client: RPCClient): Promise<unknown> =>
  client.connect().then(
    () => "connected",
    ({ code, message }: Error & { code?: number }) => code ?? message,
  );

/** A Central System of ocpp-rpc that decides on each Charge Point. */
async function theirs(options: Parameters<typeof theirCentralSystem>[0] = {}) {
  const central = await theirCentralSystem(options);
  opened.push(() => central.close());
  return central;
}

async function dial(url: string, identity: string, options: ConnectOptions = {}) {
  const transport = await connect(options)({ url, identity });
  const connection = new Connection(transport, { role: "ChargePoint", identity });
  opened.push(() => connection.close());
  return connection;
}

const bootReq = { chargePointVendor: "VendorX", chargePointModel: "ModelY" };

/** The key of OCPP-J §6.2.2's example: 20 bytes, most of which are no text. */
const hexadecimalKey = "0001020304050607FFFFFFFFFFFFFFFFFFFFFFFF";
const binaryKey = new Uint8Array(Buffer.from(hexadecimalKey, "hex"));
const identities = ["AL1000", "CP:001", "Zürich/Straße 7 №3 🔌", "100%", "a+b&c=d?e#f"];

describe("identity", () => {
  test.each(identities)(
    "%s is the same at both ends, ocpp-rpc as Charge Point [J-003] [J-008] [J-011]",
    async (identity) => {
      const { centralSystem, url } = await ourCentralSystem();
      const client = charger(url, { identity });
      await client.connect();
      await client.call("BootNotification", bootReq);
      expect([...centralSystem.connections()].map((connection) => connection.identity)).toEqual([identity]);
    },
  );

  test.each(identities)(
    "%s is the same at both ends, ocppj as Charge Point [J-003] [J-008] [J-011]",
    async (identity) => {
      const { client, url } = await theirs();
      const accepted = client();
      await dial(url, identity);
      expect((await accepted).identity).toBe(identity);
    },
  );
});

describe("Basic authentication", () => {
  test.each(identities)(
    "the binary key of %s arrives at ocppj byte for byte [J-174] [J-175] [J-176] [trap 13]",
    async (identity) => {
      const passwords: unknown[] = [];
      const { url } = await ourCentralSystem({
        authenticate: ({ password }) => passwords.push(password) > 0,
      });
      const client = charger(url, { identity, password: Buffer.from(binaryKey) });
      await client.connect();
      expect(passwords).toEqual([binaryKey]);
      expect(await client.call("BootNotification", bootReq)).toMatchObject({ status: "Accepted" });
    },
  );

  test.each(identities)(
    "the binary key of %s arrives at ocpp-rpc byte for byte [J-174] [J-175] [J-176] [trap 13]",
    async (identity) => {
      const { server, url, client } = await theirs();
      const passwords: unknown[] = [];
      server.auth((accept, _, { password }) => {
        passwords.push(new Uint8Array(password as Buffer));
        accept();
      });
      const accepted = client();
      await dial(url, identity, { authorizationKey: hexadecimalKey });
      expect((await accepted).identity).toBe(identity);
      expect(passwords).toEqual([binaryKey]);
    },
  );

  test.each([
    ["a wrong key", { password: "guessed" }],
    ["no key", {}],
  ])("ocppj refuses a Charge Point of ocpp-rpc with %s: 401 [J-032]", async (_, options) => {
    const { centralSystem, refused, url } = await ourCentralSystem({
      authenticate: ({ password }) => password !== undefined && Buffer.from(binaryKey).equals(password),
    });
    expect(await rejection(charger(url, options))).toBe(401);
    expect(refused).toMatchObject([{ identity: "CP001", reason: "unauthorized", status: 401 }]);
    expect([...centralSystem.connections()]).toEqual([]);
  });

  test("ocppj does not know a Charge Point of ocpp-rpc: 404 [J-030]", async () => {
    const { refused, url } = await ourCentralSystem({ authenticate: () => "unknown-identity" });
    expect(await rejection(charger(url))).toBe(404);
    expect(refused).toMatchObject([{ identity: "CP001", reason: "unknown-identity", status: 404 }]);
  });

  test.each([
    [401, "unauthorized"],
    [404, "unknown-identity"],
  ])("a refusal of ocpp-rpc with %i is a HandshakeError: %s [J-030] [J-031] [J-032]", async (status, reason) => {
    const { server, url } = await theirs();
    server.auth((_, reject) => reject(status, "no"));
    const error = await dial(url, "CP001", { authorizationKey: hexadecimalKey }).catch((error: unknown) => error);
    expect(error).toBeInstanceOf(HandshakeError);
    expect(error).toMatchObject({ reason, status });
  });
});

describe("subprotocol", () => {
  test("ocppj picks ocpp1.6 from what ocpp-rpc offers, whatever comes first [J-022] [J-023] [trap 14]", async () => {
    const { url } = await ourCentralSystem();
    const client = charger(url, { protocols: ["ocpp2.0.1", "ocpp1.6"] });
    await client.connect();
    expect(client.protocol).toBe("ocpp1.6");
    expect(await client.call("BootNotification", bootReq)).toMatchObject({ status: "Accepted" });
  });

  test.each([[["ocpp2.0.1"]], [["ocpp0.1", "OCPP1.6"]]])(
    "ocppj agrees to none of %j, and serves nobody there [J-024] [J-025] [J-028] [J-029]",
    async (protocols) => {
      const { centralSystem, refused, url } = await ourCentralSystem();
      const client = charger(url, { protocols, strictMode: false });
      // The handshake is completed without a subprotocol, and then it is for the client to fail. [RFC 6455 §4.1]
      expect(await rejection(client)).toBe("Server sent no subprotocol");
      expect(refused).toMatchObject([{ identity: "CP001", reason: "subprotocol", status: 101 }]);
      expect([...centralSystem.connections()]).toEqual([]);
    },
  );

  test("ocppj agrees to nothing when ocpp-rpc offers nothing, and closes [J-024] [J-025]", async () => {
    const { centralSystem, refused, url } = await ourCentralSystem();
    const client = charger(url, { protocols: [], strictMode: false });
    const ended = next(client, "close");
    await client.connect();
    expect(await ended).toMatchObject({ code: 1002 });
    expect(refused).toMatchObject([{ reason: "subprotocol" }]);
    expect([...centralSystem.connections()]).toEqual([]);
  });

  test("ocppj does not open a connection to an ocpp-rpc that speaks another version only [J-026]", async () => {
    const { url } = await theirs({ protocols: ["ocpp2.0.1"] });
    await expect(dial(url, "CP001")).rejects.toMatchObject({ name: "HandshakeError", reason: "subprotocol" });
  });

  test("ocppj offers ocpp1.6 and nothing else, and takes it from an ocpp-rpc that prefers another [J-020] [J-021]", async () => {
    const { server, url, client } = await theirs({ protocols: ["ocpp2.0.1", "ocpp1.6"] });
    const offered: unknown[] = [];
    server.auth((accept, _, { protocols }) => {
      offered.push(...protocols);
      accept();
    });
    const accepted = client();
    await dial(url, "CP001");
    expect(offered).toEqual(["ocpp1.6"]);
    expect((await accepted).protocol).toBe("ocpp1.6");
  });
});
