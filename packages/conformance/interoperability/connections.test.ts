import { CentralSystem, Connection } from "@ocppj/core";
import { connect, listen } from "@ocppj/node";
import type { RPCClient } from "ocpp-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { deferred, next } from "./moments.ts";
import { complaintsOf, type TheirChargePointOptions, theirCentralSystem, theirChargePoint } from "./ocpp-rpc.ts";
import { closeSeenBy, type Pair, pairings, peerOf } from "./pair.ts";

const call = (pair: Pair, from: "ours" | "theirs"): Promise<unknown> => {
  const role = from === "ours" ? pair.ours.role : peerOf(pair.ours.role);
  return pair[role].call("DataTransfer", { vendorId: "com.example" });
};

const never = (): Promise<never> => new Promise(() => {});

const closes = [
  [1000, ""],
  [1001, "The charger reboots"],
  [1008, "Zu viele Nachrichten 🔌"],
  [1012, "Service restart"],
  [4999, "x".repeat(123)],
] as const;

describe.each(pairings)("%s", (_, pairing) => {
  test.each(closes)("a close of ocppj with %i %j arrives at ocpp-rpc", (code, reason) =>
    pairing(async ({ ours, theirs }) => {
      const seen = closeSeenBy(theirs);
      ours.close(code, reason);
      expect(await seen).toEqual({ code, reason });
    }),
  );

  test.each(closes)("a close of ocpp-rpc with %i %j arrives at ocppj", (code, reason) =>
    pairing(async ({ ours, theirs }) => {
      const seen = next(ours, "closed");
      await theirs.close({ code, reason });
      expect(await seen).toEqual({ code, reason });
    }),
  );

  test("an ocpp-rpc that drops the TCP connection is a 1006 to ocppj", () =>
    pairing(async ({ ours, theirs }) => {
      const seen = next(ours, "closed");
      void theirs.close({ force: true });
      expect(await seen).toMatchObject({ code: 1006 });
    }));

  test("CALLs without an answer reject at both ends when either closes [J-109] [trap 4]", () =>
    pairing(async (pair) => {
      for (const role of ["ChargePoint", "CentralSystem"] as const) pair[role].answerWith(never);
      const ours = expect(call(pair, "ours")).rejects.toMatchObject({ name: "ConnectionClosedError", sent: true });
      const waiting = expect(call(pair, "ours")).rejects.toMatchObject({ name: "ConnectionClosedError", sent: false });
      const theirs = expect(call(pair, "theirs")).rejects.toThrow();
      const closed = closeSeenBy(pair.theirs);
      await new Promise(setImmediate);
      pair.ours.close();
      await Promise.all([ours, waiting, theirs, closed]);
      await expect(call(pair, "ours")).rejects.toMatchObject({ name: "ConnectionClosedError", sent: false });
    }));

  test("ocppj answers what it was asked before ocpp-rpc, which waits for that, closes [J-065]", () =>
    pairing(async (pair) => {
      const asked = deferred();
      const answer = deferred<unknown>();
      pair[pair.ours.role].answerWith(() => {
        asked.resolve();
        return answer.promise;
      });
      const conf = call(pair, "theirs");
      await asked.promise;
      const closed = pair.theirs.close({ awaitPending: true });
      answer.resolve({ status: "Accepted" });
      expect(await conf).toEqual({ status: "Accepted" });
      expect(await closed).toEqual({ code: 1000, reason: "" });
    }));

  test("ocppj answers the pings of ocpp-rpc, so that it is not taken for dead [J-155]", () =>
    pairing(
      async ({ ours, theirs }) => {
        let ended = false;
        ours.on("closed", () => {
          ended = true;
        });
        // It hangs up when the answer to a ping has not come by the time of the next.
        for (let ping = 0; ping < 3; ping++) await next(theirs, "ping");
        expect(ended).toBe(false);
      },
      { theirs: { pingIntervalMs: 150 } },
    ));
});

const opened: (() => unknown)[] = [];
const complaints: string[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  expect(complaints.splice(0)).toEqual([]);
});

/** The WebSocket of an end of ocpp-rpc, which tells of pongs, but not of pings. */
const webSocketOf = (client: RPCClient) => (client as unknown as { readonly _ws: object })._ws;

async function ourCentralSystem(options: Parameters<typeof listen>[1] = {}) {
  const centralSystem = new CentralSystem();
  centralSystem.handle("BootNotification", () => ({
    status: "Accepted",
    currentTime: "2026-01-01T00:00:00Z",
    interval: 300,
  }));
  centralSystem.handle("Heartbeat", () => ({ currentTime: "2026-01-01T00:00:00Z" }));
  const listener = await listen(centralSystem, { path: "/ocpp", ...options });
  opened.push(() => listener.close());
  return { centralSystem, listener };
}

async function charger(url: string, options: TheirChargePointOptions = {}): Promise<RPCClient> {
  const client = theirChargePoint(url, options);
  complaintsOf(client, complaints);
  opened.push(() => client.close({}));
  await client.connect();
  await client.call("BootNotification", { chargePointVendor: "VendorX", chargePointModel: "ModelY" });
  return client;
}

describe("pings of ocppj", () => {
  test("are answered by a silent Charge Point of ocpp-rpc, which stays [J-150] [J-154]", async () => {
    const { centralSystem, listener } = await ourCentralSystem({ pingIntervalMs: 150 });
    const client = await charger(listener.url);
    for (let ping = 0; ping < 3; ping++) await next(webSocketOf(client), "ping");
    expect(centralSystem.get("CP001")).toBeDefined();
  });

  test("are answered by a silent Central System of ocpp-rpc, and the connection stays [J-151] [J-154]", async () => {
    const central = await theirCentralSystem();
    opened.push(() => central.close());
    const client = central.client();
    const transport = await connect({ pingIntervalMs: 150 })({ url: central.url, identity: "CP001" });
    const connection = new Connection(transport, { role: "ChargePoint", identity: "CP001" });
    opened.push(() => connection.close());
    const closed: unknown[] = [];
    connection.on("closed", (event) => closed.push(event));
    const theirs = await client;
    complaintsOf(theirs, complaints);
    const webSocket = webSocketOf(theirs);
    for (let ping = 0; ping < 3; ping++) await next(webSocket, "ping");
    expect(closed).toEqual([]);
  });

  test("find out about a Charge Point of ocpp-rpc that is there, but does not answer them, which is tolerated [Q20]", async () => {
    const { centralSystem, listener } = await ourCentralSystem({ pingIntervalMs: 20 });
    // `ws` below it can be told to.
    await charger(listener.url, { wsOpts: { autoPong: false } });
    expect(await next(centralSystem, "tolerated")).toMatchObject({ identity: "CP001", quirk: "unansweredPings" });
  });
});

describe("a Charge Point of ocpp-rpc that reconnects", () => {
  const reconnecting = {
    reconnect: true,
    backoff: { initialDelay: 1, maxDelay: 20, factor: 2, randomisationFactor: 0 },
  };

  test("is accepted still, without another BootNotification [J-132] [J-160]", async () => {
    const { centralSystem, listener } = await ourCentralSystem();
    const client = await charger(listener.url, reconnecting);
    const first = centralSystem.get("CP001");
    const back = next(centralSystem, "connected");
    const open = next(client, "open");
    first?.close(1012, "Service restart");
    await Promise.all([back, open]);
    expect(centralSystem.get("CP001")).not.toBe(first);
    expect(await client.call("Heartbeat", {})).toEqual({ currentTime: "2026-01-01T00:00:00Z" });
  });

  test("finds a Central System that was away [J-162] [J-166]", async () => {
    const { centralSystem, listener } = await ourCentralSystem();
    const client = await charger(listener.url, reconnecting);
    const gone = closeSeenBy(client);
    await listener.close();
    expect(await gone).toMatchObject({ code: 1001 });
    const open = next(client, "open");
    const again = await listen(centralSystem, { path: "/ocpp", port: listener.port });
    opened.push(() => again.close());
    await open;
    client.handle("GetConfiguration", async () => ({ unknownKey: ["x"] }));
    expect(await centralSystem.get("CP001")?.call("GetConfiguration", { key: ["x"] })).toEqual({ unknownKey: ["x"] });
  });
});
