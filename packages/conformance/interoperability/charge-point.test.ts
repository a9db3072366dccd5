import {
  AuthorizationCache,
  ChargePoint,
  type ChargePointOptions,
  Configuration,
  LocalAuthList,
  memoryStore,
} from "@ocppj/core";
import { connect } from "@ocppj/node";
import { arbitraryReq } from "@ocppj/testing";
import fc from "fast-check";
import type { RPCClient } from "ocpp-rpc";
import { afterEach, describe, expect, test } from "vitest";
import { next } from "./moments.ts";
import { complaintsOf, theirCentralSystem } from "./ocpp-rpc.ts";

const opened: (() => unknown)[] = [];
const complaints: string[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
  expect(complaints.splice(0)).toEqual([]);
});

const currentTime = "2026-01-01T00:00:00.000Z";
const confs: Readonly<Record<string, unknown>> = {
  Authorize: { idTagInfo: { status: "Accepted" } },
  BootNotification: { status: "Accepted", currentTime, interval: 300 },
  Heartbeat: { currentTime },
  MeterValues: {},
  StartTransaction: { transactionId: 42, idTagInfo: { status: "Accepted" } },
  StatusNotification: {},
  StopTransaction: {},
};

/** A Central System of ocpp-rpc, and what it has received. */
class CentralSystemOfTheirs {
  readonly received: (readonly [action: string, req: unknown])[] = [];
  /** What replaces the usual answers. */
  readonly answers: Record<string, () => unknown> = {};
  readonly #waiting = new Set<() => void>();
  url = "";
  /** Its end of the latest connection. */
  client: RPCClient | undefined;

  async open(port = 0): Promise<() => Promise<void>> {
    const central = await theirCentralSystem({}, port);
    this.url = central.url;
    central.server.on("client", (client: RPCClient) => {
      this.client = client;
      complaintsOf(client, complaints);
      client.handle(async ({ method = "", params }) => {
        const conf = await (this.answers[method]?.() ?? confs[method]);
        this.received.push([method, params]);
        for (const check of this.#waiting) check();
        return conf as never;
      });
    });
    opened.push(() => central.close());
    return central.close;
  }

  /** Resolves when so many CALLs of an action have come, with the payload of the last. */
  async got(action: string, times = 1): Promise<unknown> {
    const found = () => this.received.filter(([name]) => name === action);
    if (found().length < times) {
      await new Promise<void>((resolve) => {
        const check = (): void => {
          if (found().length < times) return;
          this.#waiting.delete(check);
          resolve();
        };
        this.#waiting.add(check);
      });
    }
    return found()[times - 1]?.[1];
  }

  /** Sends a CALL. */
  async call(action: string, req: unknown, options = {}): Promise<unknown> {
    return this.client?.call(action, req, options);
  }

  get actions(): readonly string[] {
    return this.received.map(([action]) => action);
  }
}

async function centralSystem(): Promise<CentralSystemOfTheirs> {
  const central = new CentralSystemOfTheirs();
  await central.open();
  return central;
}

const boot = { chargePointVendor: "VendorX", chargePointModel: "Säule 🔌", firmwareVersion: "1.2.3" };

function chargePoint(url: string, options: Partial<ChargePointOptions> = {}): ChargePoint {
  const chargePoint = new ChargePoint({
    identity: "CP001",
    url,
    connect: connect(),
    boot,
    // Tries again after 10 ms, always.
    retryBackOffWaitMinimum: 0.01,
    retryBackOffRandomRange: 0,
    retryBackOffRepeatTimes: 0,
    ...options,
  });
  chargePoint.on("violation", ({ reason, message }) => complaints.push(`ocppj: ${reason}: ${message}`));
  chargePoint.on("fault", ({ error }) => complaints.push(`ocppj: fault: ${error}`));
  opened.push(() => chargePoint.stop());
  return chargePoint;
}

async function accepted(
  central: CentralSystemOfTheirs,
  options: Partial<ChargePointOptions> = {},
): Promise<ChargePoint> {
  const point = chargePoint(central.url, options);
  const registered = next(point, "registration");
  await point.start();
  await registered;
  return point;
}

describe("what a ChargePoint sends by itself", () => {
  test("is BootNotification first, then the statuses, then its transactions in order [J-161] [J-163]", async () => {
    const central = await centralSystem();
    const point = chargePoint(central.url);
    point.report({ connectorId: 0, status: "Available" });
    point.report({ connectorId: 1, status: "Faulted", errorCode: "GroundFailure", info: "Erdschluß" });
    await point.start();
    const transaction = point.startTransaction({ connectorId: 2, idTag: "Tag", meterStart: 0, reservationId: 3 });
    const meterValue: Parameters<typeof transaction.meterValues>[0]["meterValue"] = [
      { timestamp: currentTime, sampledValue: [{ value: "21.5", measurand: "Temperature", unit: "Celsius" }] },
    ];
    transaction.meterValues({ meterValue });
    transaction.stop({ meterStop: 12, idTag: "tag", reason: "EVDisconnected" });
    await central.got("StopTransaction");
    const timestamp = expect.stringMatching(/^20\d\d-.*Z$/);
    expect(central.received).toEqual([
      ["BootNotification", boot],
      ["StatusNotification", { connectorId: 0, status: "Available", errorCode: "NoError", timestamp }],
      [
        "StatusNotification",
        { connectorId: 1, status: "Faulted", errorCode: "GroundFailure", info: "Erdschluß", timestamp },
      ],
      ["StartTransaction", { connectorId: 2, idTag: "Tag", meterStart: 0, reservationId: 3, timestamp }],
      // Stamped before the Central System had told the time, so corrected when it has. [CORE-BOOT-04]
      ["MeterValues", { connectorId: 2, transactionId: 42, meterValue: [{ ...meterValue[0], timestamp }] }],
      ["StopTransaction", { transactionId: 42, meterStop: 12, idTag: "tag", reason: "EVDisconnected", timestamp }],
    ]);
  });

  test("arrives as it was given, BootNotification, whatever its fields [J-061]", async () => {
    const central = await centralSystem();
    const property = fc.asyncProperty(arbitraryReq("BootNotification"), async (boot) => {
      central.received.length = 0;
      const point = await accepted(central, { boot });
      await point.stop();
      expect(central.received).toStrictEqual([["BootNotification", boot]]);
    });
    await fc.assert(property, { numRuns: 20 });
  });

  test("arrives as it was given, StatusNotification, whatever its fields [J-061]", async () => {
    const central = await centralSystem();
    const point = await accepted(central);
    const property = fc.asyncProperty(arbitraryReq("StatusNotification"), async (status) => {
      central.received.length = 0;
      point.report(status);
      expect(await central.got("StatusNotification")).toEqual({ timestamp: expect.any(String), ...status });
    });
    await fc.assert(property, { numRuns: 50 });
  });

  test("arrives as it was given, each message of a transaction, whatever its fields [J-061]", async () => {
    const central = await centralSystem();
    const point = await accepted(central);
    const arbitrary = fc.record({
      start: arbitraryReq("StartTransaction"),
      values: arbitraryReq("MeterValues"),
      stop: arbitraryReq("StopTransaction"),
    });
    const property = fc.asyncProperty(arbitrary, async ({ start, values, stop }) => {
      central.received.length = 0;
      const { transactionId } = stop;
      central.answers.StartTransaction = () => ({ transactionId, idTagInfo: { status: "Accepted" } });
      const { meterValue } = values;
      const transaction = point.startTransaction(start);
      transaction.meterValues({ meterValue });
      const { transactionId: _, ...rest } = stop;
      transaction.stop(rest);
      await central.got("StopTransaction");
      expect(central.received).toStrictEqual([
        ["StartTransaction", start],
        ["MeterValues", { connectorId: start.connectorId, transactionId, meterValue }],
        ["StopTransaction", stop],
      ]);
    });
    await fc.assert(property, { numRuns: 50 });
  });
});

describe("a ChargePoint while its Central System is away", () => {
  test("keeps a transaction and delivers it when there is one [J-162] [CORE-LAO-08]", async () => {
    const central = new CentralSystemOfTheirs();
    const close = await central.open();
    await close();
    const point = chargePoint(central.url);
    const refused = next(point, "refused");
    await point.start();
    await refused;
    point.startTransaction({ connectorId: 1, idTag: "Tag", meterStart: 0 }).stop({ meterStop: 1 });
    await central.open(Number(new URL(central.url).port));
    await central.got("StopTransaction");
    expect(central.actions).toEqual(["BootNotification", "StartTransaction", "StopTransaction"]);
  });

  test("reconnects after each kind of close and goes on, without another BootNotification [J-160]", async () => {
    const central = await centralSystem();
    const point = await accepted(central);
    const transaction = point.startTransaction({ connectorId: 1, idTag: "Tag", meterStart: 0 });
    await next(point, "delivered");
    const closes = [{ code: 1000 }, { code: 1012, reason: "Neustart 🔌" }, { force: true }];
    for (const [index, close] of closes.entries()) {
      const disconnected = next(point, "disconnected");
      const delivered = next(point, "delivered");
      void central.client?.close(close);
      expect(await disconnected).toMatchObject(close.force ? { code: 1006 } : close);
      transaction.meterValues({ meterValue: [{ timestamp: currentTime, sampledValue: [{ value: `${index}` }] }] });
      await delivered;
    }
    transaction.stop({ meterStop: 1 });
    await central.got("StopTransaction");
    expect(central.actions).toEqual([
      "BootNotification",
      "StartTransaction",
      // What comes first on each connection brings the time.
      ...["Heartbeat", "MeterValues"],
      ...["Heartbeat", "MeterValues"],
      ...["Heartbeat", "MeterValues"],
      "StopTransaction",
    ]);
  });

  test("sends a message again that ocpp-rpc could not process, and then the next [J-055] [J-084]", async () => {
    const central = await centralSystem();
    const store = memoryStore();
    const configuration = await Configuration.load({
      store,
      report: (error) => complaints.push(`${error}`),
      keys: {
        NumberOfConnectors: { value: 1 },
        SupportedFeatureProfiles: { value: ["Core"] },
        TransactionMessageAttempts: { value: 3 },
        TransactionMessageRetryInterval: { value: 0 },
      },
    });
    let failures = 2;
    central.answers.StartTransaction = () => {
      if (failures-- > 0) throw new Error("The database is away");
      return confs.StartTransaction;
    };
    const point = await accepted(central, { store, configuration });
    point.startTransaction({ connectorId: 1, idTag: "Tag", meterStart: 0 }).stop({ meterStop: 1 });
    await central.got("StopTransaction");
    expect(central.actions).toEqual(["BootNotification", "StartTransaction", "StopTransaction"]);
    expect(failures).toBe(-1);
  });
});

describe("a ChargePoint that ocpp-rpc has not accepted", () => {
  test("makes no CALL while it is pending, answers, and boots again when it is asked to [CORE-BOOT-09] [RT-13]", async () => {
    const central = await centralSystem();
    const pending = { status: "Pending", currentTime, interval: 300 };
    central.answers.BootNotification = () => pending;
    const point = await accepted(central);
    point.handle("RemoteStartTransaction", () => ({ status: "Accepted" }));
    await expect(point.call("Heartbeat", {})).rejects.toMatchObject({ name: "NotAcceptedError", status: "Pending" });
    expect(await central.call("GetLocalListVersion", {})).toEqual({ listVersion: -1 });
    expect(await central.call("RemoteStartTransaction", { idTag: "Tag" })).toEqual({ status: "Rejected" });

    central.answers.BootNotification = () => confs.BootNotification;
    const registered = next(point, "registration");
    const trigger = { requestedMessage: "BootNotification" };
    expect(await central.call("TriggerMessage", trigger)).toEqual({ status: "Accepted" });
    expect(await registered).toMatchObject({ status: "Accepted" });
    expect(await point.call("Heartbeat", {})).toEqual({ currentTime });
  });

  test("says nothing while it is rejected [CORE-BOOT-12] [CORE-BOOT-13]", async () => {
    const central = await centralSystem();
    central.answers.BootNotification = () => ({ status: "Rejected", currentTime, interval: 300 });
    const point = await accepted(central);
    await expect(point.call("Heartbeat", {})).rejects.toMatchObject({ name: "NotAcceptedError", status: "Rejected" });
    const call = central.call("GetLocalListVersion", {}, { callTimeoutMs: 50 });
    await expect(call).rejects.toThrow("Call timeout");
    expect(central.actions).toEqual(["BootNotification"]);
    expect(complaints.splice(0)).toEqual([expect.stringMatching(/^ocppj: not-accepted/)]);
  });
});

test("what a ChargePoint answers by itself is valid for ocpp-rpc [J-061] [CFG-61] [LAL-12]", async () => {
  const central = await centralSystem();
  const store = memoryStore();
  const report = (error: unknown): void => void complaints.push(`${error}`);
  const configuration = await Configuration.load({
    store,
    report,
    keys: {
      NumberOfConnectors: { value: 2 },
      SupportedFeatureProfiles: { value: ["Core", "LocalAuthListManagement", "RemoteTrigger"] },
      AuthorizationCacheEnabled: { value: true },
      LocalAuthListEnabled: { value: true },
      LocalAuthListMaxLength: { value: 100 },
      SendLocalListMaxLength: { value: 100 },
    },
  });
  const localAuthList = await LocalAuthList.load(store, { report });
  const authorizationCache = await AuthorizationCache.load(store, { report, list: localAuthList });
  const point = await accepted(central, { store, configuration, localAuthList, authorizationCache });
  point.report({ connectorId: 1, status: "Available" });
  await central.got("StatusNotification");

  const { configurationKey } = (await central.call("GetConfiguration", {})) as { configurationKey: unknown[] };
  expect(configurationKey).toContainEqual({ key: "HeartbeatInterval", readonly: false, value: "300" });
  expect(await central.call("GetConfiguration", { key: ["numberofconnectors", "Ünbekannt"] })).toEqual({
    configurationKey: [{ key: "NumberOfConnectors", readonly: true, value: "2" }],
    unknownKey: ["Ünbekannt"],
  });
  const change = (key: string, value: string) => central.call("ChangeConfiguration", { key, value });
  expect(await change("HeartbeatInterval", "60")).toEqual({ status: "Accepted" });
  expect(await change("HeartbeatInterval", "-1")).toEqual({ status: "Rejected" });
  expect(await change("NoSuchKey", "1")).toEqual({ status: "NotSupported" });

  const entry = { idTag: "Tag", idTagInfo: { status: "Accepted", parentIdTag: "Fleet" } };
  const list = { listVersion: 5, updateType: "Full", localAuthorizationList: [entry] };
  expect(await central.call("SendLocalList", list)).toEqual({ status: "Accepted" });
  expect(await central.call("GetLocalListVersion", {})).toEqual({ listVersion: 5 });
  expect(await central.call("ClearCache", {})).toEqual({ status: "Accepted" });

  const trigger = (req: object) => central.call("TriggerMessage", req);
  expect(await trigger({ requestedMessage: "Heartbeat" })).toEqual({ status: "Accepted" });
  expect(await central.got("Heartbeat")).toEqual({});
  expect(await trigger({ requestedMessage: "StatusNotification", connectorId: 1 })).toEqual({ status: "Accepted" });
  expect(await central.got("StatusNotification", 2)).toMatchObject({ connectorId: 1, status: "Available" });
  expect(await trigger({ requestedMessage: "MeterValues" })).toEqual({ status: "NotImplemented" });
});
