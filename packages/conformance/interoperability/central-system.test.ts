import { CentralSystem, type CentralSystemEvents, type CentralSystemOptions, type Conf } from "@ocppj/core";
import { listen } from "@ocppj/node";
import type { RPCClient } from "ocpp-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { deferred, next } from "./moments.ts";
import { complaintsOf, type TheirChargePointOptions, theirChargePoint } from "./ocpp-rpc.ts";
import { closeSeenBy } from "./pair.ts";

const opened: (() => unknown)[] = [];
const complaints: string[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  expect(complaints.splice(0)).toEqual([]);
});

type Status = Conf<"BootNotification">["status"];
type Happening = keyof Pick<CentralSystemEvents, "connected" | "disconnected" | "refused" | "violation">;

const currentTime = "2026-01-01T00:00:00Z";

/** A Central System that answers every BootNotification with the next of `statuses`, then always with the last. */
async function centralSystem(
  options: CentralSystemOptions = {},
  statuses: readonly [Status, ...Status[]] = ["Accepted"],
) {
  const central = new CentralSystem(options);
  const left = [...statuses];
  let status = statuses[0];
  central.handle("BootNotification", () => {
    status = left.shift() ?? status;
    return { status, currentTime, interval: 300 };
  });
  central.handle("Heartbeat", () => ({ currentTime }));
  central.handle("StatusNotification", () => ({}));
  central.on("fault", ({ error }) => complaints.push(`ocppj: fault: ${error}`));
  const happened: (readonly [Happening, string | undefined])[] = [];
  for (const name of ["connected", "disconnected", "refused"] as const) {
    central.on(name, ({ identity }) => happened.push([name, identity]));
  }
  central.on("violation", ({ reason }) => happened.push(["violation", reason]));
  const listener = await listen(central, { path: "/ocpp" });
  opened.push(() => listener.close());
  return { central, url: listener.url, happened };
}

/** A Charge Point of ocpp-rpc that is connected, and does not boot by itself. */
async function charger(url: string, options: TheirChargePointOptions = {}) {
  const client = theirChargePoint(url, options);
  complaintsOf(client, complaints);
  opened.push(() => client.close({}));
  await client.connect();
  return client;
}

const boot = (client: RPCClient) =>
  client.call("BootNotification", { chargePointVendor: "VendorX", chargePointModel: "ModelY" });
const status = { connectorId: 1, errorCode: "NoError", status: "Available" };

describe("registration of a Charge Point of ocpp-rpc", () => {
  test("comes first: until it is accepted it gets SecurityError, and is asked to boot once [J-130] [Q21]", async () => {
    const { url, happened } = await centralSystem();
    const client = await charger(url);
    const asked = deferred<unknown>();
    client.handle("TriggerMessage", async ({ params }) => {
      asked.resolve(params);
      return { status: "NotImplemented" };
    });
    await expect(client.call("StatusNotification", status)).rejects.toMatchObject({ rpcErrorCode: "SecurityError" });
    expect(await asked.promise).toEqual({ requestedMessage: "BootNotification" });
    expect(happened).toEqual([
      ["connected", "CP001"],
      ["violation", "not-accepted"],
    ]);
    expect(await boot(client)).toEqual({ status: "Accepted", currentTime, interval: 300 });
    expect(await client.call("StatusNotification", status)).toEqual({});
  });

  test("lets it send what it is asked for while it is pending, and no more [J-131] [CORE-BOOT-22]", async () => {
    const { central, url } = await centralSystem({}, ["Pending"]);
    const client = await charger(url);
    client.handle("TriggerMessage", async () => ({ status: "Accepted" }));
    expect(await boot(client)).toMatchObject({ status: "Pending" });
    await expect(client.call("Heartbeat", {})).rejects.toMatchObject({ rpcErrorCode: "SecurityError" });
    const connection = central.get("CP001");
    await expect(connection?.call("RemoteStartTransaction", { idTag: "TAG" })).rejects.toMatchObject({
      name: "NotAcceptedError",
    });
    await connection?.call("TriggerMessage", { requestedMessage: "Heartbeat" });
    expect(await client.call("Heartbeat", {})).toEqual({ currentTime });
    await expect(client.call("StatusNotification", status)).rejects.toMatchObject({ rpcErrorCode: "SecurityError" });
  });

  test("follows the latest answer: rejected, then accepted [CORE-BOOT-24]", async () => {
    const { central, url } = await centralSystem({}, ["Rejected", "Accepted"]);
    const client = await charger(url);
    client.handle("Reset", async () => ({ status: "Accepted" }));
    expect(await boot(client)).toMatchObject({ status: "Rejected" });
    const reset = () => central.get("CP001")?.call("Reset", { type: "Soft" });
    await expect(reset()).rejects.toMatchObject({ name: "NotAcceptedError", status: "Rejected" });
    expect(await boot(client)).toMatchObject({ status: "Accepted" });
    expect(await reset()).toEqual({ status: "Accepted" });
  });
});

describe("a second connection of one identity from ocpp-rpc", () => {
  test("is refused with 409 while the first answers pings [J-164]", async () => {
    const { central, url, happened } = await centralSystem();
    const first = await charger(url);
    await boot(first);
    await expect(charger(url)).rejects.toMatchObject({ code: 409 });
    expect(happened).toEqual([
      ["connected", "CP001"],
      ["refused", "CP001"],
    ]);
    first.handle("ClearCache", async () => ({ status: "Accepted" }));
    expect(await central.get("CP001")?.call("ClearCache", {})).toEqual({ status: "Accepted" });
  });

  test.each([
    ["does not answer pings", { probeTimeoutMs: 50 }, { wsOpts: { autoPong: false } }, "No sign of life"],
    ["is to be replaced", { duplicates: "replace" }, {}, "Replaced"],
  ] as const)("replaces the first when that %s, which hears 1008 [J-164]", async (_, ours, theirs, reason) => {
    const { central, url, happened } = await centralSystem(ours);
    const first = await charger(url, theirs);
    await boot(first);
    const replaced = closeSeenBy(first);
    const second = await charger(url);
    expect(await replaced).toEqual({ code: 1008, reason: expect.stringContaining(reason) });
    expect(happened).toEqual([
      ["connected", "CP001"],
      ["disconnected", "CP001"],
      ["connected", "CP001"],
    ]);
    second.handle("ClearCache", async () => ({ status: "Accepted" }));
    expect(await central.get("CP001")?.call("ClearCache", {})).toEqual({ status: "Accepted" });
    // Accepted it was on the first connection. [J-132]
    expect(await second.call("Heartbeat", {})).toEqual({ currentTime });
  });
});

test("one Charge Point of ocpp-rpc that does not answer holds up no other [J-107]", async () => {
  const { central, url } = await centralSystem();
  const stuck = await charger(url, { identity: "CP001" });
  const prompt = await charger(url, { identity: "CP002" });
  stuck.handle("ClearCache", () => new Promise(() => {}));
  prompt.handle("ClearCache", async () => ({ status: "Accepted" }));
  const waiting = expect(central.get("CP001")?.call("ClearCache", {})).rejects.toMatchObject({ sent: true });
  expect(await central.get("CP002")?.call("ClearCache", {})).toEqual({ status: "Accepted" });
  central.get("CP001")?.close();
  await waiting;
});

test("a Central System that drains sends Charge Points of ocpp-rpc away with 1012, and newcomers with 503", async () => {
  const { central, url } = await centralSystem();
  const clients = await Promise.all(["CP001", "CP002", "CP003"].map((identity) => charger(url, { identity })));
  const seen = Promise.all(clients.map(closeSeenBy));
  await central.drain({ ratePerSecond: 1000 });
  expect((await seen).map(({ code }) => code)).toEqual([1012, 1012, 1012]);
  await expect(charger(url)).rejects.toMatchObject({ code: 503 });
});

test("a Central System that closes ends with 1001, and a reconnecting ocpp-rpc is kept out [trap 4]", async () => {
  const { central, url, happened } = await centralSystem();
  const client = await charger(url, { reconnect: true, backoff: { initialDelay: 1, maxDelay: 2 } });
  const seen = closeSeenBy(client);
  const refused = next(central, "refused");
  central.close();
  expect(await seen).toMatchObject({ code: 1001 });
  expect(await refused).toMatchObject({ reason: "closing", status: 503 });
  expect([...central.connections()]).toEqual([]);
  expect(happened.slice(0, 3)).toEqual([
    ["connected", "CP001"],
    ["disconnected", "CP001"],
    ["refused", "CP001"],
  ]);
});
