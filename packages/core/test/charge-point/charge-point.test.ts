import { transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import {
  AuthorizationCache,
  CallError,
  type Conf,
  Configuration,
  ConnectionClosedError,
  HandshakeError,
  LocalAuthList,
  memoryStore,
  NotAcceptedError,
  type Req,
  type Transport,
} from "../../src/index.ts";
import { Site } from "./site.ts";

const start = { connectorId: 1, idTag: "TAG", meterStart: 100 };
const meterValue: [{ timestamp: string; sampledValue: [{ value: string }] }] = [
  { timestamp: "2026-01-01T00:00:10Z", sampledValue: [{ value: "110" }] },
];
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => expect.unreachable(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );

describe("ChargePoint, connecting", () => {
  test("connects, boots, and tells", async () => {
    const site = new Site();
    await site.start();
    expect(site.events.map(({ name }) => name)).toEqual(["connecting", "connected", "registration"]);
    expect(site.said("connecting")).toEqual([{ attempt: 1, url: "ws://central.example.com/ocpp/CP001" }]);
    expect(site.said("registration")).toEqual([{ status: "Accepted", intervalMs: 300_000 }]);
    expect(site.received).toEqual([
      ["BootNotification", { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" }],
    ]);
    expect(site.chargePoint.registration).toBe("Accepted");
  });

  test("retries the first connection like every later one, and says why each failed [J-031] [J-033] [trap 19]", async () => {
    const site = new Site();
    site.behaviour.reachable = false;
    await site.start();
    await site.clock.advance(2000 + 2000);
    site.behaviour.reachable = true;
    await site.clock.advance(2000);
    expect(site.events.map(({ name }) => name)).toEqual([
      "connecting",
      "refused",
      "connecting",
      "refused",
      "connecting",
      "refused",
      "connecting",
      "connected",
      "registration",
    ]);
    expect(site.said("refused")[0]).toEqual({ error: expect.any(HandshakeError), retryInMs: 2000 });
  });

  test.each([
    ["a function", () => {}],
    ["nothing", undefined],
  ])("says what is wrong when `connect` gives %s instead of a transport, and tries again", async (_, given) => {
    const site = new Site({ connect: (() => given) as never });
    await site.start();
    await site.clock.advance(2000);
    expect(site.said("refused")).toHaveLength(2);
    expect(site.said("refused")[0]?.error).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("connect()"),
    });
  });

  test("refuses settings that would be found out with the first connection only", () => {
    expect(() => new Site({ timeoutMs: Number.NaN })).toThrow(TypeError);
    expect(() => new Site({ tolerate: ["nullFields"] as never })).toThrow(TypeError);
  });

  test("says nothing of an attempt that fails after it was stopped", async () => {
    let fail = (_: Error): void => {};
    const site = new Site({ connect: () => new Promise((_, reject) => (fail = reject)) });
    await site.start();
    await site.chargePoint.stop();
    fail(new Error("Nobody is there."));
    await site.clock.advance(60_000);
    expect(site.events.map(({ name }) => name)).toEqual(["connecting"]);
  });

  test("has nothing to give back, and starts nothing, when it is stopped while the store is being read", async () => {
    const store = memoryStore();
    const before = new Site({ store });
    await before.start();
    before.chargePoint.startTransaction(start);
    await before.chargePoint.stop();
    const site = new Site({ store });
    const started = site.chargePoint.start();
    await site.chargePoint.stop();
    expect(await started).toEqual([]);
    expect(() => site.chargePoint.startTransaction(start)).toThrow(TypeError);
  });

  test("does not boot again on a mere reconnect [J-160] [J-161]", async () => {
    const site = new Site();
    await site.start();
    site.link.chargePoint.drop();
    await site.clock.advance(2000);
    expect(site.said("disconnected")).toEqual([{ code: 1006, reason: "", retryInMs: 2000 }]);
    expect(site.links).toHaveLength(2);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
    expect(site.chargePoint.registration).toBe("Accepted");
  });

  test("ends for good when it is stopped, whatever it was doing [trap 4] [trap 19]", async () => {
    for (const prepare of [
      async () => {},
      async (site: Site) => site.start(),
      async (site: Site) => {
        site.behaviour.reachable = false;
        await site.start();
      },
      async (site: Site) => {
        void site.chargePoint.start();
      },
      async (site: Site) => {
        await site.start();
        site.link.chargePoint.mute();
        site.link.centralSystem.mute();
      },
    ]) {
      const site = new Site();
      await prepare(site);
      const stopped = Promise.all([site.chargePoint.stop(), site.chargePoint.stop()]);
      await site.clock.advance(0);
      await stopped;
      const attempts = site.said("connecting").length;
      await site.clock.advance(24 * 60 * 60 * 1000);
      expect(site.said("connecting")).toHaveLength(attempts);
      site.centralSystem.close(); // Where nothing reaches it, it is still there.
      await site.clock.advance(10_000);
      expect(site.clock.pending).toBe(0);
      expect(await rejection(site.chargePoint.start())).toBeInstanceOf(TypeError);
    }
  });

  test("closes a connection that opens after it was stopped [trap 19]", async () => {
    let open = (_: Transport): void => {};
    const site = new Site({ connect: () => new Promise((resolve) => (open = resolve)) });
    await site.start();
    await site.chargePoint.stop();
    const { chargePoint, centralSystem } = transportPair(site.clock);
    const closed: number[] = [];
    centralSystem.listen({ message: () => {}, close: (code) => closed.push(code) });
    open(chargePoint);
    await site.clock.advance(10_000);
    expect(closed).toEqual([1000]);
    expect(site.said("connected")).toEqual([]);
  });

  test("can be started again when the store could not be read, and is, with what is in it [CORE-TXQ-16]", async () => {
    const kept = memoryStore();
    let isBroken = true;
    const load = (prefix: string) => (isBroken ? Promise.reject(new Error("no such disk")) : kept.load(prefix));
    const before = new Site({ store: kept });
    await before.start();
    before.chargePoint.startTransaction(start);
    await before.chargePoint.stop();
    const site = new Site({ store: { ...kept, load } });
    expect(await rejection(site.chargePoint.start())).toMatchObject({ message: "no such disk" });
    expect(() => site.chargePoint.startTransaction(start)).toThrow(TypeError);
    await site.clock.advance(60_000);
    expect(site.said("connecting")).toEqual([]);
    isBroken = false;
    expect(await site.chargePoint.start()).toMatchObject([{ connectorId: 1, stopped: false }]);
    await site.clock.advance(0);
    expect(site.said("connecting")).toHaveLength(1);
    expect(await rejection(site.chargePoint.start())).toBeInstanceOf(TypeError);
  });

  test("is started once, also while the store is being read", async () => {
    const site = new Site();
    const first = site.chargePoint.start();
    expect(await rejection(site.chargePoint.start())).toBeInstanceOf(TypeError);
    await first;
    await site.clock.advance(0);
    expect(site.said("connecting")).toHaveLength(1);
  });

  test("stays stopped when the store turns out to be unreadable after that", async () => {
    let fail: ((error: Error) => void) | undefined;
    const load = () => (fail === undefined ? new Promise<never>((_, reject) => (fail = reject)) : Promise.resolve([]));
    const site = new Site({ store: { ...memoryStore(), load } });
    const started = rejection(site.chargePoint.start());
    await site.chargePoint.stop();
    fail?.(new Error("no such disk"));
    expect(await started).toMatchObject({ message: "no such disk" });
    expect(await rejection(site.chargePoint.start())).toBeInstanceOf(TypeError);
    await site.clock.advance(60_000);
    expect(site.said("connecting")).toEqual([]);
  });

  test("asks with a Heartbeat whether anybody is there when a message gets no answer, before messages are given up [J-153] [J-154] [CORE-TXQ-06]", async () => {
    const site = new Site();
    await site.start();
    site.link.centralSystem.mute();
    site.chargePoint.startTransaction(start);
    await site.clock.advance(30_000);
    expect(site.frames.at(-1)).toMatchObject({ direction: "out", frame: { action: "Heartbeat" } });
    await site.clock.advance(30_000);
    expect(site.said("disconnected")).toMatchObject([{ code: 1001, reason: "No answer to Heartbeat" }]);
    expect(site.said("discarded")).toEqual([]);
  });

  test.each([
    ["asks something", (site: Site) => void site.centralSystem.get("CP001")?.call("ClearCache", {})],
    ["says nonsense", (site: Site) => site.link.chargePoint.inject("nonsense")],
  ])(
    "keeps a connection on which a Heartbeat gets no answer while the Central System %s [J-154] [J-158] [J-214]",
    async (_, speak) => {
      const site = new Site();
      site.centralSystem.on("connected", ({ connection }) => {
        connection.handle("Heartbeat", () => new Promise(() => {}));
      });
      await site.start();
      await site.clock.advance(300_000 + 10_000);
      speak(site);
      await site.clock.advance(20_000);
      expect(site.said("fault")).toMatchObject([{ error: { name: "CallTimeoutError" }, action: "Heartbeat" }]);
      expect(site.said("disconnected")).toEqual([]);
      await site.clock.advance(280_000);
      expect(site.actions).toEqual(["BootNotification", "Heartbeat", "Heartbeat"]);
    },
  );

  test("does not ask whether anybody is there when one message gets no answer while the Central System says something else [J-153]", async () => {
    const site = new Site();
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("DataTransfer", () => new Promise(() => {}));
    });
    await site.start();
    const error = rejection(site.chargePoint.call("DataTransfer", { vendorId: "com.example" }));
    await site.clock.advance(10_000);
    void site.centralSystem.get("CP001")?.call("ClearCache", {});
    await site.clock.advance(20_000);
    expect(await error).toMatchObject({ name: "CallTimeoutError" });
    expect(site.actions).toEqual(["BootNotification", "DataTransfer"]);
  });

  test("keeps the connection when a Heartbeat is answered with a CALLERROR, and sends the next one at the interval [J-214]", async () => {
    const site = new Site();
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("Heartbeat", () => {
        throw new CallError("InternalError", "What time is it?");
      });
    });
    await site.start();
    await site.clock.advance(300_000);
    expect(site.said("fault")).toMatchObject([{ error: { code: "InternalError" }, action: "Heartbeat" }]);
    await site.clock.advance(299_999);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
    await site.clock.advance(1);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat", "Heartbeat"]);
    expect(site.said("disconnected")).toEqual([]);
  });

  test("gives up a connection on which nothing comes back [J-154] [J-158]", async () => {
    const site = new Site();
    await site.start();
    site.link.centralSystem.mute();
    await site.clock.advance(300_000 + 30_000);
    expect(site.said("disconnected")).toMatchObject([{ code: 1001, reason: "No answer to Heartbeat" }]);
    await site.clock.advance(2000);
    expect(site.links).toHaveLength(2);
  });
});

describe("ChargePoint, registering", () => {
  test("sends nothing but BootNotification before it is accepted [CORE-BOOT-02] [CORE-BOOT-40]", async () => {
    const site = new Site();
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("BootNotification", () => new Promise(() => {}));
    });
    await site.start();
    site.chargePoint.startTransaction(start);
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    expect(await rejection(site.chargePoint.call("Authorize", { idTag: "A" }))).toBeInstanceOf(NotAcceptedError);
    await site.clock.advance(29_000);
    expect(site.actions).toEqual(["BootNotification"]);
  });

  test.each(["Pending", "Rejected"] as const)(
    "boots again after the interval, not before, when the answer is %s [CORE-BOOT-05] [CORE-BOOT-07] [CORE-BOOT-12] [TCK-C001] [TCK-C002]",
    async (registration) => {
      const site = new Site();
      Object.assign(site.behaviour, { registration, interval: 90 });
      await site.start();
      expect(site.said("registration")).toEqual([{ status: registration, intervalMs: 90_000 }]);
      await site.clock.advance(89_999);
      expect(site.actions).toEqual(["BootNotification"]);
      site.behaviour.registration = "Accepted";
      await site.clock.advance(1);
      expect(site.actions).toEqual(["BootNotification", "BootNotification"]);
      expect(site.chargePoint.registration).toBe("Accepted");
    },
  );

  test("boots again, after a wait of its own, when BootNotification is answered with a CALLERROR [J-212] [CORE-BOOT-06]", async () => {
    const site = new Site();
    let failures = 1;
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("BootNotification", () => {
        if (failures-- > 0) throw new CallError("InternalError", "Not yet.");
        return { status: "Accepted", interval: 300, currentTime: site.centralTime() };
      });
    });
    await site.start();
    expect(site.said("fault")).toMatchObject([{ error: { code: "InternalError" }, action: "BootNotification" }]);
    await site.clock.advance(59_999);
    expect(site.actions).toEqual(["BootNotification"]);
    await site.clock.advance(1);
    expect(site.actions).toEqual(["BootNotification", "BootNotification"]);
    expect(site.said("registration")).toMatchObject([{ status: "Accepted" }]);
    expect(site.said("disconnected")).toEqual([]);
  });

  test("boots anew on the next connection when this one ends before the answer, without a fault [J-212] [CORE-BOOT-01]", async () => {
    const site = new Site();
    await site.chargePoint.start();
    site.link.centralSystem.mute();
    await site.clock.advance(10_000);
    site.link.chargePoint.drop();
    await site.clock.advance(10_000);
    expect(site.actions).toEqual(["BootNotification", "BootNotification"]);
    expect(site.said("registration")).toMatchObject([{ status: "Accepted" }]);
    expect(site.said("fault")).toEqual([]);
  });

  test("keeps everything for later while Pending, its time and HeartbeatInterval as they are [CORE-BOOT-04] [CORE-BOOT-05] [CORE-BOOT-09] [CORE-TXQ-17]", async () => {
    const configuration = await Configuration.load({
      store: memoryStore(),
      report: (error) => expect.unreachable(error.message),
      keys: { NumberOfConnectors: { value: 1 } },
    });
    const before = configuration.get("HeartbeatInterval");
    const site = new Site({ configuration });
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: { status: "Accepted" } }));
    site.centralSystem.handle("StopTransaction", () => ({}));
    Object.assign(site.behaviour, { registration: "Pending", interval: 77, aheadMs: 3_600_000 });
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.start();
    site.chargePoint.startTransaction(start).stop({ meterStop: 101 });
    await site.clock.advance(1000);
    expect(site.actions).toEqual(["BootNotification"]);
    expect(configuration.get("HeartbeatInterval")).toBe(before);
    expect(site.chargePoint.now()).toBe(site.clock.now());
    site.behaviour.registration = "Accepted";
    await site.clock.advance(76_000);
    expect(site.actions.slice(1)).toEqual([
      "BootNotification",
      "StatusNotification",
      "StartTransaction",
      "StopTransaction",
    ]);
    expect(configuration.get("HeartbeatInterval")).toBe(77);
    expect(site.chargePoint.now()).toBe(site.clock.now() + 3_600_000);
  });

  test("sends no Heartbeat to find out whether anybody is there while Pending [CORE-BOOT-09]", async () => {
    const site = new Site();
    Object.assign(site.behaviour, { registration: "Pending", interval: 1000 });
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.start();
    site.centralSystem.get("CP001")?.handle("StatusNotification", () => new Promise(() => {}));
    void site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "StatusNotification" });
    await site.clock.advance(40_000);
    expect(site.said("fault")).toMatchObject([{ error: { name: "CallTimeoutError" }, action: "StatusNotification" }]);
    expect(site.actions).toEqual(["BootNotification", "StatusNotification"]);
  });

  test("says why it does not send what the owner asks for [CORE-BOOT-40] [CORE-BOOT-41] [CORE-BOOT-42]", async () => {
    for (const registration of ["Pending", "Rejected"] as const) {
      const site = new Site();
      const call = () => rejection(site.chargePoint.call("Authorize", { idTag: "A" }));
      expect(await call()).toMatchObject({ name: "NotAcceptedError", status: undefined });
      site.behaviour.registration = registration;
      await site.start();
      expect(await call()).toMatchObject({ name: "NotAcceptedError", status: registration });
    }
  });

  test("answers CALLs while Pending, and rejects remote starts and stops, and stays connected [CORE-BOOT-10] [CORE-BOOT-11] [CORE-BOOT-23] [CORE-BOOT-41] [CORE-RST-16]", async () => {
    const site = new Site();
    site.behaviour.registration = "Pending";
    site.chargePoint.handle("GetDiagnostics", () => ({ fileName: "log" }));
    site.chargePoint.handle("RemoteStartTransaction", () => expect.unreachable());
    await site.start();
    for (const call of [
      '[2,"1","GetDiagnostics",{"location":"ftp://example.com/"}]',
      '[2,"2","RemoteStartTransaction",{"idTag":"A"}]',
      '[2,"3","RemoteStopTransaction",{"transactionId":1}]',
    ]) {
      site.link.chargePoint.inject(call);
    }
    await site.clock.advance(0);
    expect(site.link.chargePoint.sent.slice(1)).toEqual([
      '[3,"1",{"fileName":"log"}]',
      '[3,"2",{"status":"Rejected"}]',
      '[3,"3",{"status":"Rejected"}]',
    ]);
    expect(site.said("disconnected")).toEqual([]);
  });

  test("leaves remote starts and stops to the owner once it is accepted [CORE-BOOT-23]", async () => {
    const site = new Site();
    site.chargePoint.handle("RemoteStartTransaction", ({ idTag }) => ({
      status: idTag === "A" ? "Accepted" : "Rejected",
    }));
    site.chargePoint.handle("RemoteStopTransaction", () => ({ status: "Accepted" }));
    await site.start();
    const connection = site.centralSystem.get("CP001");
    const confs = Promise.all([
      connection?.call("RemoteStartTransaction", { idTag: "A" }),
      connection?.call("RemoteStartTransaction", { idTag: "B" }),
      connection?.call("RemoteStopTransaction", { transactionId: 1 }),
    ]);
    await site.clock.advance(0);
    expect(await confs).toEqual([{ status: "Accepted" }, { status: "Rejected" }, { status: "Accepted" }]);
  });

  test("answers nothing at all while Rejected [CORE-BOOT-13] [CORE-BOOT-42] [J-D12]", async () => {
    const site = new Site();
    site.behaviour.registration = "Rejected";
    site.chargePoint.handle("ClearCache", () => expect.unreachable());
    await site.start();
    site.link.chargePoint.inject('[2,"0","ClearCache",{}]');
    site.link.chargePoint.inject('[2,"1","ClearCache"]');
    site.link.chargePoint.inject('[2,"2","Unknown",{}]');
    await site.clock.advance(50);
    expect(site.frames.filter(({ direction }) => direction === "out")).toHaveLength(1);
    expect(site.said("violation").map(({ reason }) => reason)).toEqual([
      "not-accepted",
      "not-accepted",
      "not-accepted",
    ]);
  });

  test("sends while Pending what a TriggerMessage asks for, after its answer, and nothing else [CORE-BOOT-09] [RT-05] [RT-17] [J-131]", async () => {
    const site = new Site();
    Object.assign(site.behaviour, { registration: "Pending", interval: 1000 });
    await site.start();
    site.chargePoint.report({ connectorId: 0, status: "Available" });
    site.chargePoint.report({ connectorId: 1, status: "Preparing" });
    const conf = site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "StatusNotification" });
    await site.clock.advance(0);
    expect(await conf).toEqual({ status: "Accepted" });
    expect(site.received.slice(1)).toMatchObject([
      ["StatusNotification", { connectorId: 0, status: "Available" }],
      ["StatusNotification", { connectorId: 1, status: "Preparing" }],
    ]);
    expect(await rejection(site.chargePoint.call("Authorize", { idTag: "A" }))).toMatchObject({ status: "Pending" });
  });

  test("keeps to itself what the owner reports while Pending, although a TriggerMessage asked for statuses before [CORE-BOOT-09]", async () => {
    const site = new Site();
    Object.assign(site.behaviour, { registration: "Pending", interval: 1000 });
    await site.start();
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    void site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "StatusNotification" });
    await site.clock.advance(0);
    site.chargePoint.report({ connectorId: 1, status: "Preparing" });
    await site.clock.advance(0);
    expect(site.actions).toEqual(["BootNotification", "StatusNotification"]);
  });

  test("boots at once when a TriggerMessage asks for it while Pending, and refuses it once accepted [CORE-BOOT-07] [RT-05] [RT-13]", async () => {
    const site = new Site();
    Object.assign(site.behaviour, { registration: "Pending", interval: 1000 });
    await site.start();
    site.behaviour.registration = "Accepted";
    const ask = () => site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "BootNotification" });
    const first = ask();
    await site.clock.advance(0);
    expect(await first).toEqual({ status: "Accepted" });
    expect(site.actions).toEqual(["BootNotification", "BootNotification"]);
    const second = ask();
    await site.clock.advance(0);
    expect(await second).toEqual({ status: "Rejected" });
    expect(site.actions).toHaveLength(2);
  });

  test("registers again at once, and loses nothing, when the Central System has lost its memory [J-130] [CORE-TXQ-08]", async () => {
    const site = new Site();
    await site.start();
    site.link.chargePoint.drop();
    site.registrations.clear();
    const transaction = site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    site.chargePoint.report({ connectorId: 1, status: "Charging" });
    transaction.stop({ meterStop: 1 });
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: { status: "Accepted" } }));
    site.centralSystem.handle("StopTransaction", () => ({}));
    await site.clock.advance(10_000);
    expect(site.said("delivered").map(({ call }) => call.action)).toEqual(["StartTransaction", "StopTransaction"]);
    expect(site.said("registration").map(({ status }) => status)).toEqual(["Accepted", "Accepted"]);
    expect(site.actions.filter((action) => action === "BootNotification")).toHaveLength(2);
    expect(site.received.at(-1)).toEqual(["StopTransaction", expect.objectContaining({ transactionId: 7 })]);
    expect(site.received).toContainEqual(["StatusNotification", expect.objectContaining({ status: "Charging" })]);
  });

  test("sends none of the owner's CALLs that waited behind the one by which it was forgotten [CORE-BOOT-02] [J-130]", async () => {
    const site = new Site();
    await site.start();
    site.link.chargePoint.drop();
    site.registrations.clear();
    const ends: unknown[] = [];
    site.chargePoint.on("connected", () => {
      for (let nth = 0; nth < 3; nth++) {
        void rejection(site.chargePoint.call("DataTransfer", { vendorId: "V" })).then((end) => ends.push(end));
      }
    });
    site.behaviour.registration = "Pending";
    await site.clock.advance(10_000);
    // The Heartbeat was on its way when the first was answered.
    expect(site.actions.slice(1)).toEqual(["DataTransfer", "Heartbeat", "BootNotification"]);
    const names = ends.map((end) => (end as Error).name).sort();
    expect(names).toEqual(["CallError", "NotAcceptedError", "NotAcceptedError"]);
  });

  test("boots when a TriggerMessage asks for it after a reconnect, once [RT-13] [Q21]", async () => {
    const site = new Site();
    await site.start();
    site.link.chargePoint.drop();
    await site.clock.advance(10_000);
    const ask = async () => {
      const conf = site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "BootNotification" });
      await site.clock.advance(0);
      return conf;
    };
    expect(await ask()).toEqual({ status: "Accepted" });
    expect(site.said("registration")).toHaveLength(2);
    expect(await ask()).toEqual({ status: "Rejected" });
  });

  test("holds transactions back from the request for a BootNotification to its acceptance [RT-13] [Q21] [CORE-TXQ-17]", async () => {
    const site = new Site();
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: { status: "Accepted" } }));
    await site.start();
    site.link.chargePoint.drop();
    await site.clock.advance(10_000);
    site.behaviour.registration = "Pending";
    site.behaviour.interval = 50;
    void site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "BootNotification" });
    await site.clock.advance(0);
    site.chargePoint.startTransaction(start);
    await site.clock.advance(49_000);
    expect(site.actions).not.toContain("StartTransaction");
    site.behaviour.registration = "Accepted";
    await site.clock.advance(1000);
    expect(site.actions.slice(-2)).toEqual(["BootNotification", "StartTransaction"]);
  });

  test.each([
    [
      "a Heartbeat is asked for",
      "Heartbeat",
      (site: Site) => site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "Heartbeat" }),
    ],
    [
      "a CALL is answered with another CALLERROR",
      "DataTransfer",
      (site: Site) => site.chargePoint.call("DataTransfer", { vendorId: "V" }),
    ],
  ])(
    "stays registered when, on another connection than that of its acceptance, %s [J-160] [J-130]",
    async (_, sent, act) => {
      const site = new Site();
      site.centralSystem.handle("DataTransfer", () => {
        throw new CallError("InternalError", "Not now.");
      });
      await site.start();
      site.link.chargePoint.drop();
      await site.clock.advance(10_000);
      void act(site)?.catch(() => {});
      await site.clock.advance(10_000);
      expect(site.actions.at(-1)).toBe(sent);
      expect(site.said("registration")).toHaveLength(1);
      expect(site.chargePoint.registration).toBe("Accepted");
    },
  );

  test("takes SecurityError for what it says on the connection on which it was accepted", async () => {
    const site = new Site();
    await site.start();
    site.centralSystem.handle("DataTransfer", () => {
      throw new CallError("SecurityError", "Not for you.");
    });
    const error = rejection(site.chargePoint.call("DataTransfer", { vendorId: "com.example" }));
    await site.clock.advance(1000);
    expect(await error).toMatchObject({ code: "SecurityError" });
    expect(site.actions).toEqual(["BootNotification", "DataTransfer"]);
    // Nothing is held back for it.
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: { status: "Accepted" } }));
    site.chargePoint.startTransaction(start);
    await site.clock.advance(0);
    expect(site.said("delivered")).toHaveLength(1);
  });

  test("leaves other TriggerMessages to the owner, NotImplemented without one [RT-06] [RT-07]", async () => {
    const site = new Site();
    await site.start();
    const ask = () => site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "MeterValues" });
    const first = ask();
    await site.clock.advance(0);
    expect(await first).toEqual({ status: "NotImplemented" });
    site.chargePoint.handle("TriggerMessage", ({ requestedMessage }) => ({
      status: requestedMessage === "MeterValues" ? "Accepted" : "Rejected",
    }));
    const second = ask();
    await site.clock.advance(0);
    expect(await second).toEqual({ status: "Accepted" });
  });

  test("reports every connector after Accepted, and after a reconnect only what has changed, the newest of each, in order [CORE-BOOT-08] [CORE-STAT-02] [CORE-STAT-20] [CORE-STAT-22] [CORE-STAT-23] [J-163] [J-213]", async () => {
    const site = new Site();
    for (const connectorId of [2, 0, 1]) site.chargePoint.report({ connectorId, status: "Available" });
    await site.start();
    const statuses = () =>
      site.received
        .filter(([action]) => action === "StatusNotification")
        .map(([, payload]) => payload as Req<"StatusNotification">)
        .map(({ connectorId, status }) => `${connectorId} ${status}`);
    expect(statuses()).toEqual(["0 Available", "1 Available", "2 Available"]);
    site.link.chargePoint.drop();
    site.chargePoint.report({ connectorId: 2, status: "Preparing" });
    site.chargePoint.report({ connectorId: 1, status: "Preparing" });
    site.chargePoint.report({ connectorId: 2, status: "Charging" });
    await site.clock.advance(2000);
    expect(statuses().slice(3)).toEqual(["1 Preparing", "2 Charging"]);
  });
});

describe("ChargePoint, statuses", () => {
  const statuses = (site: Site) => site.actions.filter((action) => action === "StatusNotification");

  test("are not sent again when the answer is a CALLERROR: the next change supersedes them [J-213]", async () => {
    const site = new Site();
    const refuse = () => {
      throw new CallError("InternalError", "Not now.");
    };
    site.centralSystem.on("connected", ({ connection }) => connection.handle("StatusNotification", refuse));
    await site.start();
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.clock.advance(40_000);
    expect(statuses(site)).toHaveLength(1);
    expect(site.said("fault")).toMatchObject([{ action: "StatusNotification" }]);
    site.link.chargePoint.drop();
    await site.clock.advance(10_000);
    expect(site.links).toHaveLength(2);
    expect(statuses(site)).toHaveLength(1);
    site.chargePoint.report({ connectorId: 1, status: "Preparing" });
    await site.clock.advance(0);
    expect(statuses(site)).toHaveLength(2);
  });

  test("are sent on the next connection when this one ends before the answer, without a fault [J-213]", async () => {
    const site = new Site();
    await site.start();
    site.link.chargePoint.mute();
    site.chargePoint.report({ connectorId: 1, status: "Faulted", errorCode: "GroundFailure" });
    await site.clock.advance(1000);
    site.link.chargePoint.drop();
    await site.clock.advance(10_000);
    expect(site.received.filter(([action]) => action === "StatusNotification")).toMatchObject([
      ["StatusNotification", { connectorId: 1, status: "Faulted", errorCode: "GroundFailure" }],
    ]);
    expect(site.said("fault")).toEqual([]);
  });

  test("may have no timestamp, also when the Central System tells the time for the first time [CORE-BOOT-04] [CORE-STAT-20]", async () => {
    const site = new Site();
    site.behaviour.aheadMs = 3_600_000;
    site.chargePoint.report({ connectorId: 1, status: "Available", timestamp: undefined });
    site.chargePoint.report({ connectorId: 2, status: "Available" });
    await site.start();
    expect(site.chargePoint.registration).toBe("Accepted");
    expect(site.received.slice(1)).toMatchObject([
      ["StatusNotification", { connectorId: 1 }],
      ["StatusNotification", { connectorId: 2, timestamp: "2026-01-01T01:00:00.000Z" }],
    ]);
  });
});

describe("ChargePoint, heartbeats and time", () => {
  test("sends Heartbeat after the interval without any other message [CORE-HB-01] [CORE-HB-02] [CORE-HB-03] [CORE-BOOT-03]", async () => {
    const site = new Site();
    await site.start();
    await site.clock.advance(200_000);
    void site.chargePoint.call("Authorize", { idTag: "A" });
    await site.clock.advance(299_999);
    expect(site.actions).toEqual(["BootNotification", "Authorize"]);
    await site.clock.advance(1);
    expect(site.actions.at(-1)).toBe("Heartbeat");
    await site.clock.advance(300_000);
    expect(site.actions.filter((action) => action === "Heartbeat")).toHaveLength(2);
  });

  test("does not take what only arrives for something that it has sent [CORE-HB-02] [CORE-HB-03]", async () => {
    const site = new Site();
    await site.start();
    await site.clock.advance(200_000);
    site.link.chargePoint.inject('[3,"nobody asked",{}]');
    site.link.chargePoint.inject("nonsense");
    await site.clock.advance(100_000);
    expect(site.said("violation")).toHaveLength(2);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
  });

  test("takes an answer for something that it has sent [CORE-HB-02] [CORE-HB-03]", async () => {
    const site = new Site();
    await site.start();
    await site.clock.advance(200_000);
    void site.centralSystem.get("CP001")?.call("ClearCache", {});
    await site.clock.advance(299_999);
    expect(site.actions).toEqual(["BootNotification"]);
    await site.clock.advance(1);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
  });

  test("sends one Heartbeat a day however much else is sent [CORE-HB-04] [J-157]", async () => {
    const site = new Site();
    await site.start();
    for (let minute = 0; minute < 24 * 60 + 1; minute++) {
      void site.chargePoint.call("Authorize", { idTag: "A" });
      await site.clock.advance(60_000);
    }
    expect(site.actions.filter((action) => action === "Heartbeat")).toHaveLength(1);
  });

  test("sends Heartbeat when a TriggerMessage asks for it [RT-05]", async () => {
    const site = new Site();
    await site.start();
    const conf = site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "Heartbeat" });
    await site.clock.advance(0);
    expect(await conf).toEqual({ status: "Accepted" });
    expect(site.actions.at(-1)).toBe("Heartbeat");
  });

  test("adopts the time of the Central System [CORE-BOOT-04] [CORE-HB-05]", async () => {
    const site = new Site();
    site.behaviour.aheadMs = 3_600_000;
    expect(site.chargePoint.now()).toBe(site.clock.now());
    await site.start();
    expect(site.chargePoint.now()).toBe(site.clock.now() + 3_600_000);
    site.behaviour.aheadMs = 7_200_000;
    await site.clock.advance(300_000);
    expect(site.chargePoint.now()).toBe(site.clock.now() + 7_200_000);
  });

  test("corrects a timestamp once, however often the Central System tells the time [CORE-BOOT-04] [CORE-TIME-04]", async () => {
    const site = new Site();
    site.behaviour.aheadMs = 3_600_000;
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.start();
    site.behaviour.aheadMs = 3_660_000;
    await site.clock.advance(300_000);
    expect(site.actions.at(-1)).toBe("Heartbeat");
    void site.centralSystem.get("CP001")?.call("TriggerMessage", { requestedMessage: "StatusNotification" });
    await site.clock.advance(0);
    const timestamps = site.received
      .filter(([action]) => action === "StatusNotification")
      .map(([, payload]) => (payload as Req<"StatusNotification">).timestamp);
    expect(timestamps).toEqual(["2026-01-01T01:00:00.000Z", "2026-01-01T01:00:00.000Z"]);
  });

  test("corrects the timestamps that were made before the Central System told the time [CORE-BOOT-04] [CORE-TIME-04]", async () => {
    const site = new Site();
    site.behaviour.reachable = false;
    site.behaviour.aheadMs = 3_600_000;
    await site.start();
    const transaction = site.chargePoint.startTransaction(start);
    await site.clock.advance(1000);
    transaction.meterValues({
      meterValue: [{ timestamp: new Date(site.chargePoint.now()).toISOString(), sampledValue: [{ value: "1" }] }],
    });
    transaction.stop({ meterStop: 200 });
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    site.behaviour.reachable = true;
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: { status: "Accepted" } }));
    site.centralSystem.handle("MeterValues", () => ({}));
    site.centralSystem.handle("StopTransaction", () => ({}));
    await site.clock.advance(10_000);
    expect(site.received.slice(1)).toMatchObject([
      ["StatusNotification", { timestamp: "2026-01-01T01:00:01.000Z" }],
      ["StartTransaction", { timestamp: "2026-01-01T01:00:00.000Z" }],
      ["MeterValues", { meterValue: [{ timestamp: "2026-01-01T01:00:01.000Z" }] }],
      ["StopTransaction", { timestamp: "2026-01-01T01:00:01.000Z" }],
    ]);
  });
});

describe("ChargePoint, transactions", () => {
  const serve = (site: Site, status: "Accepted" | "Invalid" = "Accepted") => {
    let ids = 40;
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: ++ids, idTagInfo: { status } }));
    site.centralSystem.handle("MeterValues", () => ({}));
    site.centralSystem.handle("StopTransaction", () => ({}));
  };

  test("delivers start, meter values and stop in order, with the id filled in [CORE-START-01] [CORE-STOP-01] [CORE-MV-03] [CORE-MV-06] [CORE-TXQ-01]", async () => {
    const site = new Site();
    serve(site);
    await site.start();
    const transaction = site.chargePoint.startTransaction(start);
    expect(transaction.transactionId).toBeUndefined();
    transaction.meterValues({ meterValue });
    transaction.stop({ meterStop: 200, reason: "Local" });
    await site.clock.advance(0);
    expect(transaction.transactionId).toBe(41);
    expect(site.received.slice(1)).toEqual([
      ["StartTransaction", { ...start, timestamp: "2026-01-01T00:00:00.000Z" }],
      ["MeterValues", { connectorId: 1, transactionId: 41, meterValue }],
      [
        "StopTransaction",
        { transactionId: 41, meterStop: 200, reason: "Local", timestamp: "2026-01-01T00:00:00.000Z" },
      ],
    ]);
    expect(site.said("delivered").map(({ call }) => call.action)).toEqual([
      "StartTransaction",
      "MeterValues",
      "StopTransaction",
    ]);
    expect(site.chargePoint.transactions).toEqual([]);
  });

  test("reports who stopped it, why, with which values, and which reservation it ended [CORE-START-02] [CORE-STOP-02] [CORE-STOP-03] [CORE-STOP-04] [CORE-STOP-06]", async () => {
    const site = new Site();
    serve(site);
    await site.start();
    const end = { meterStop: 200, idTag: "OTHER", reason: "EmergencyStop", transactionData: meterValue } as const;
    site.chargePoint
      .startTransaction({ ...start, reservationId: 9 })
      .stop({ ...end, transactionData: [...meterValue] });
    await site.clock.advance(0);
    expect(site.received.slice(1)).toMatchObject([
      ["StartTransaction", { reservationId: 9 }],
      ["StopTransaction", end],
    ]);
  });

  test("lets other messages overtake those that wait for a retry [CORE-TXQ-03] [CORE-TXQ-04]", async () => {
    const site = new Site();
    site.centralSystem.handle("StartTransaction", () => {
      throw new CallError("InternalError", "no");
    });
    await site.start();
    site.chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(0);
    const conf = site.chargePoint.call("Authorize", { idTag: "A" });
    await site.clock.advance(0);
    expect(await conf).toEqual({ idTagInfo: { status: "Accepted" } });
    expect(site.actions).toEqual(["BootNotification", "StartTransaction", "Authorize"]);
  });

  test("keeps transactions that happen offline for the next connection [CORE-TXQ-02] [CORE-LAO-08]", async () => {
    const site = new Site();
    serve(site);
    await site.start();
    site.link.chargePoint.drop();
    site.behaviour.reachable = false;
    await site.clock.advance(1000);
    const transaction = site.chargePoint.startTransaction(start);
    await site.clock.advance(60_000);
    transaction.stop({ meterStop: 200 });
    site.behaviour.reachable = true;
    await site.clock.advance(600_000);
    expect(site.actions.filter((action) => action !== "Heartbeat")).toEqual([
      "BootNotification",
      "StartTransaction",
      "StopTransaction",
    ]);
  });

  test("retries with growing waits, gives up after the configured attempts, and goes on with id -1 [CORE-TXQ-08] [CORE-TXQ-09] [CORE-TXQ-10] [CORE-TXQ-11] [CORE-TXQ-12] [CORE-START-05] [J-055]", async () => {
    const site = new Site();
    const times: number[] = [];
    site.centralSystem.handle("StartTransaction", () => {
      times.push(site.clock.now());
      throw new CallError("InternalError", "no");
    });
    site.centralSystem.handle("StopTransaction", () => ({}));
    await site.start();
    const begin = site.clock.now();
    const transaction = site.chargePoint.startTransaction(start);
    transaction.stop({ meterStop: 200 });
    await site.clock.advance(200_000);
    expect(times.map((time) => time - begin)).toEqual([0, 60_000, 180_000]);
    expect(site.said("discarded")).toMatchObject([{ call: { action: "StartTransaction" }, reason: "attempts" }]);
    expect(transaction.transactionId).toBe(-1);
    expect(site.received.at(-1)).toMatchObject(["StopTransaction", { transactionId: -1 }]);
  });

  test("reports an identifier that the Central System refuses, so that the owner can stop [CORE-LAO-09] [CORE-LAO-10] [CORE-START-04]", async () => {
    const site = new Site();
    serve(site, "Invalid");
    await site.start();
    const transaction = site.chargePoint.startTransaction(start);
    await site.clock.advance(0);
    expect(site.said("invalidated")).toEqual([{ transaction, idTagInfo: { status: "Invalid" } }]);
    transaction.stop({ meterStop: 101, reason: "DeAuthorized" });
    await site.clock.advance(0);
    expect(site.received.at(-1)).toMatchObject(["StopTransaction", { transactionId: 41, reason: "DeAuthorized" }]);
  });

  test("gives back after a power cut what ran, and delivers what was not delivered [CORE-TXQ-16] [CORE-BOOT-02]", async () => {
    const store = memoryStore();
    const before = new Site({ store });
    before.behaviour.reachable = false;
    await before.start();
    before.chargePoint.startTransaction(start).meterValues({ meterValue });
    before.chargePoint.startTransaction({ ...start, connectorId: 2 }).stop({ meterStop: 5 });
    await before.chargePoint.saved();

    const after = new Site({ store });
    serve(after);
    const started = after.chargePoint.start();
    const interrupted = await started;
    expect(interrupted).toMatchObject([{ connectorId: 1, idTag: "TAG", stopped: false }]);
    interrupted[0]?.stop({ meterStop: 111, reason: "PowerLoss" });
    await after.clock.advance(0);
    expect(after.received.slice(1)).toMatchObject([
      ["StartTransaction", { connectorId: 1 }],
      ["MeterValues", { transactionId: 41 }],
      ["StartTransaction", { connectorId: 2 }],
      ["StopTransaction", { transactionId: 42, meterStop: 5 }],
      ["StopTransaction", { transactionId: 41, meterStop: 111, reason: "PowerLoss" }],
    ]);
    await after.chargePoint.saved();
    expect(await store.load("")).toEqual([]);
  });

  test("remembers the id of a transaction across a power cut [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const before = new Site({ store });
    serve(before);
    await before.start();
    before.chargePoint.startTransaction(start);
    await before.clock.advance(0);
    const after = new Site({ store });
    serve(after);
    const [transaction] = await after.chargePoint.start();
    expect(transaction?.transactionId).toBe(41);
    transaction?.stop({ meterStop: 111, reason: "PowerLoss" });
    await after.clock.advance(0);
    expect(after.actions).toEqual(["BootNotification", "StopTransaction"]);
    expect(after.received.at(-1)).toMatchObject(["StopTransaction", { transactionId: 41 }]);
  });

  test("sets damaged records aside, reports them, and goes on with the rest [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const before = new Site({ store });
    before.behaviour.reachable = false;
    await before.start();
    before.chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await before.chargePoint.saved();
    await store.put("queue/0000000000000003", '{"sequence":3,"action":"StopTra');
    await store.put("transaction/0000000000000009", "{}");
    const after = new Site({ store });
    serve(after);
    await after.start();
    expect(after.actions).toEqual(["BootNotification", "StartTransaction", "StopTransaction"]);
    expect(after.said("fault")).toHaveLength(2);
    expect(await store.load("corrupt/")).toEqual([
      { key: "corrupt/queue/0000000000000003", value: '{"sequence":3,"action":"StopTra' },
      { key: "corrupt/transaction/0000000000000009", value: "{}" },
    ]);
  });

  test("delivers although the store fails, and says so", async () => {
    const store = {
      ...memoryStore(),
      put: () => Promise.reject(new Error("disk full")),
      delete: () => Promise.reject(new Error("disk full")),
    };
    const site = new Site({ store });
    serve(site);
    await site.start();
    site.chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(0);
    expect(site.actions.slice(1)).toEqual(["StartTransaction", "StopTransaction"]);
    expect(site.said("fault")).toMatchObject([
      { error: { message: expect.stringContaining("disk full"), cause: { message: "disk full" } } },
    ]);
  });

  test("thins out meter values when the queue is full, never a start or a stop, and refuses a transaction for which there is no room [CORE-MTR-13] [CORE-TXQ-02]", async () => {
    const site = new Site({ maxQueuedMessages: 6 });
    site.behaviour.reachable = false;
    await site.start();
    const first = site.chargePoint.startTransaction(start);
    for (let value = 0; value < 20; value++)
      first.meterValues({ meterValue: [{ timestamp: "2026-01-01T00:00:00Z", sampledValue: [{ value: `${value}` }] }] });
    first.stop({ meterStop: 200 });
    const second = site.chargePoint.startTransaction({ ...start, connectorId: 2 });
    expect(() => site.chargePoint.startTransaction({ ...start, connectorId: 3 })).not.toThrow();
    expect(() => site.chargePoint.startTransaction({ ...start, connectorId: 4 })).toThrow(RangeError);
    second.stop({ meterStop: 1 });
    expect(site.said("discarded").length).toBeGreaterThan(10);
    for (const { call, reason } of site.said("discarded"))
      expect([call.action, reason]).toEqual(["MeterValues", "full"]);
  });

  test("refuses payloads that violate their schema before anything is kept", async () => {
    const site = new Site();
    await site.start();
    expect(() => site.chargePoint.startTransaction({ ...start, connectorId: 0 })).toThrow(/connectorId/);
    const transaction = site.chargePoint.startTransaction(start);
    expect(() => transaction.meterValues({ meterValue: [] as never })).toThrow(/meterValue/);
    expect(() => transaction.stop({ meterStop: 1.5 })).toThrow(/meterStop/);
    expect(transaction.stopped).toBe(false);
    transaction.stop({ meterStop: 1 });
    expect(() => transaction.stop({ meterStop: 1 })).toThrow(TypeError);
    expect(() => transaction.meterValues({ meterValue })).toThrow(TypeError);
  });

  test("starts no transaction before start has resolved", () => {
    expect(() => new Site().chargePoint.startTransaction(start)).toThrow(TypeError);
  });
});

describe("ChargePoint, configuration", () => {
  const load = () =>
    Configuration.load({
      store: memoryStore(),
      report: (error) => expect.unreachable(error.message),
      keys: {
        NumberOfConnectors: { value: 1 },
        GetConfigurationMaxKeys: { value: 50 },
        SupportedFeatureProfiles: { value: ["Core"] },
        MessageTimeout: { value: 20 },
      },
      vendorKeys: { Colour: { type: "string", access: "RW", value: "red" } },
    });

  test("answers GetConfiguration and ChangeConfiguration from it, and obeys what was changed [CORE-GC-02] [CORE-CC-02] [CORE-HB-08] [J-104]", async () => {
    const configuration = await load();
    const site = new Site({ configuration });
    await site.start();
    const connection = site.centralSystem.get("CP001");
    const change = connection?.call("ChangeConfiguration", { key: "HeartbeatInterval", value: "60" });
    const get = connection?.call("GetConfiguration", { key: ["HeartbeatInterval", "Colour"] });
    await site.clock.advance(0);
    expect(await change).toEqual({ status: "Accepted" });
    expect(await get).toEqual({
      configurationKey: [
        { key: "HeartbeatInterval", readonly: false, value: "60" },
        { key: "Colour", readonly: false, value: "red" },
      ],
    });
    await site.clock.advance(60_000);
    expect(site.actions.at(-1)).toBe("Heartbeat");
    site.link.centralSystem.mute();
    const error = rejection(site.chargePoint.call("Authorize", { idTag: "A" }));
    await site.clock.advance(20_000);
    expect(await error).toMatchObject({ name: "CallTimeoutError", timeoutMs: 20_000 });
  });

  test("tells the interval of BootNotification.conf as HeartbeatInterval [CORE-BOOT-03]", async () => {
    const configuration = await load();
    const site = new Site({ configuration });
    site.behaviour.interval = 77;
    await site.start();
    expect(configuration.get("HeartbeatInterval")).toBe(77);
  });

  test("goes on when the interval of BootNotification.conf cannot be kept, and tells [CORE-BOOT-03]", async () => {
    const configuration = await Configuration.load({
      store: { ...memoryStore(), put: () => Promise.reject(new Error("disk full")) },
      report: () => {},
      keys: { NumberOfConnectors: { value: 1 } },
    });
    const site = new Site({ configuration });
    await site.start();
    expect(site.chargePoint.registration).toBe("Accepted");
    expect(site.said("fault")).toMatchObject([{ error: { message: expect.stringContaining("HeartbeatInterval") } }]);
    await site.clock.advance(300_000);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
  });

  test("retries as TransactionMessageAttempts and TransactionMessageRetryInterval say [CORE-TXQ-07]", async () => {
    const configuration = await load();
    await configuration.set("TransactionMessageAttempts", 2);
    const site = new Site({ configuration });
    const times: number[] = [];
    site.centralSystem.handle("StartTransaction", () => {
      times.push(site.clock.now());
      throw new CallError("InternalError", "no");
    });
    await site.start();
    await configuration.set("TransactionMessageRetryInterval", 7);
    const begin = site.clock.now();
    site.chargePoint.startTransaction(start);
    await site.clock.advance(100_000);
    expect(times.map((time) => time - begin)).toEqual([0, 7000]);
    expect(site.said("discarded")).toHaveLength(1);
  });
});

describe("ChargePoint, authorization", () => {
  const load = async () => {
    const store = memoryStore();
    const report = (error: Error) => expect.unreachable(error.message);
    const localAuthList = await LocalAuthList.load(store, { report });
    const authorizationCache = await AuthorizationCache.load(store, { report, list: localAuthList });
    return { localAuthList, authorizationCache };
  };

  test("asks the Central System, remembers, and decides by that offline [CORE-AUTH-06] [CORE-AUTH-08] [CORE-LAO-24] [CORE-LAO-25] [CORE-LAO-28] [J-215]", async () => {
    const parts = await load();
    const site = new Site(parts);
    await site.start();
    const asked = site.chargePoint.authorize("TAG");
    await site.clock.advance(0);
    expect(await asked).toEqual({ decision: "accept", grounds: "central-system", idTagInfo: { status: "Accepted" } });
    site.link.chargePoint.drop();
    site.behaviour.reachable = false;
    await site.clock.advance(0);
    expect(await site.chargePoint.authorize("tag")).toMatchObject({ decision: "accept", grounds: "cache" });
    expect(await site.chargePoint.authorize("OTHER")).toEqual({ decision: "refuse", grounds: "unknown-offline" });
  });

  test("lets the identifier that started a transaction stop it, and others of its group, without asking twice [CORE-AUTH-03] [CORE-AUTH-09] [CORE-IDT-04]", async () => {
    const site = new Site(await load());
    site.centralSystem.handle("StartTransaction", () => ({
      transactionId: 1,
      idTagInfo: { status: "Accepted", parentIdTag: "FAMILY" },
    }));
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("Authorize", ({ idTag }) => ({
        idTagInfo: { status: "Accepted", parentIdTag: idTag === "SISTER" ? "family" : "STRANGERS" },
      }));
    });
    await site.start();
    const transaction = site.chargePoint.startTransaction(start);
    await site.clock.advance(0);
    expect(transaction.parentIdTag).toBe("FAMILY");
    expect(await site.chargePoint.authorizeStop("tag", transaction)).toEqual({
      decision: "accept",
      grounds: "same-id-tag",
    });
    const sister = site.chargePoint.authorizeStop("SISTER", transaction);
    const stranger = site.chargePoint.authorizeStop("STRANGER", transaction);
    await site.clock.advance(0);
    expect(await sister).toMatchObject({ decision: "accept", grounds: "central-system" });
    expect(await stranger).toEqual({ decision: "refuse", grounds: "other-group" });
  });

  test("answers for the list and the cache, and reports a conflict with the list [CORE-CL-01] [LAL-06] [LAL-10] [LAL-31] [CORE-START-03]", async () => {
    const site = new Site(await load());
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Blocked" } }));
    await site.start();
    const connection = site.centralSystem.get("CP001");
    const confs = Promise.all([
      connection?.call("SendLocalList", {
        listVersion: 3,
        updateType: "Full",
        localAuthorizationList: [{ idTag: "TAG", idTagInfo: { status: "Accepted" } }],
      }),
      connection?.call("GetLocalListVersion", {}),
      connection?.call("ClearCache", {}),
    ]);
    await site.clock.advance(0);
    expect(await confs).toEqual([{ status: "Accepted" }, { listVersion: 3 }, { status: "Accepted" }]);
    site.chargePoint.startTransaction(start);
    await site.clock.advance(0);
    expect(site.received.at(-1)).toMatchObject([
      "StatusNotification",
      { connectorId: 0, status: "Available", errorCode: "LocalListConflict" },
    ]);
  });

  test("keeps the status of the charge point itself when it reports a conflict [LAL-06] [CORE-STAT-20]", async () => {
    const site = new Site(await load());
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Blocked" } }));
    site.chargePoint.report({ connectorId: 0, status: "Unavailable" });
    await site.start();
    void site.centralSystem.get("CP001")?.call("SendLocalList", {
      listVersion: 3,
      updateType: "Full",
      localAuthorizationList: [{ idTag: "TAG", idTagInfo: { status: "Accepted" } }],
    });
    await site.clock.advance(0);
    site.chargePoint.startTransaction(start);
    await site.clock.advance(0);
    expect(site.received.at(-1)).toMatchObject([
      "StatusNotification",
      { connectorId: 0, status: "Unavailable", errorCode: "LocalListConflict" },
    ]);
  });

  test("takes a list where there is no cache, and a cache where there is no list [LAL-20] [CORE-CL-01]", async () => {
    const { authorizationCache, localAuthList } = await load();
    const status = async (site: Site) => {
      await site.start();
      const connection = site.centralSystem.get("CP001");
      const confs = Promise.all([
        connection?.call("SendLocalList", { listVersion: 1, updateType: "Full" }),
        connection?.call("ClearCache", {}),
      ]);
      await site.clock.advance(0);
      return (await confs).map((conf) => conf?.status);
    };
    expect(await status(new Site({ localAuthList }))).toEqual(["Accepted", "Rejected"]);
    expect(await status(new Site({ authorizationCache }))).toEqual(["NotSupported", "Accepted"]);
  });

  test("knows from when on an identifier is not valid any more, by the time of the Central System [CORE-LAO-07] [CORE-CACHE-03]", async () => {
    const parts = await load();
    const site = new Site(parts);
    site.behaviour.aheadMs = 3_600_000;
    await site.start();
    const expiryDate = new Date(site.chargePoint.now() + 60_000).toISOString();
    await parts.authorizationCache.update("TAG", { status: "Accepted", expiryDate }, site.chargePoint.now());
    site.behaviour.reachable = false;
    site.link.chargePoint.drop();
    await site.clock.advance(59_999);
    expect(await site.chargePoint.authorize("TAG")).toMatchObject({ decision: "accept", grounds: "cache" });
    await site.clock.advance(1);
    expect(await site.chargePoint.authorize("TAG")).toMatchObject({
      decision: "refuse",
      idTagInfo: { status: "Expired" },
    });
  });

  test("learns nothing of nobody: a stop without idTag, an answer without idTagInfo [CORE-STOP-13]", async () => {
    const parts = await load();
    const site = new Site(parts);
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }));
    const answers: Conf<"StopTransaction">[] = [{ idTagInfo: { status: "Blocked" } }, {}, {}];
    site.centralSystem.handle("StopTransaction", () => answers.shift() ?? expect.unreachable());
    await site.start();
    site.chargePoint.startTransaction(start).stop({ meterStop: 200 });
    site.chargePoint.startTransaction(start).stop({ meterStop: 200, idTag: "OTHER" });
    site.chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(0);
    expect(parts.authorizationCache.idTags).toEqual(["TAG"]);
    expect(parts.authorizationCache.lookUp("TAG", site.chargePoint.now())).toEqual({ status: "Accepted" });
    expect(site.said("delivered")).toHaveLength(6);
    expect(site.said("fault")).toEqual([]);
  });

  test("remembers what StopTransaction.conf says of who stopped it [CORE-STOP-13] [CORE-CACHE-02]", async () => {
    const parts = await load();
    const site = new Site(parts);
    site.centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }));
    site.centralSystem.handle("StopTransaction", () => ({ idTagInfo: { status: "Expired" } }));
    await site.start();
    site.chargePoint.startTransaction(start).stop({ meterStop: 200, idTag: "OTHER" });
    await site.clock.advance(0);
    expect(parts.authorizationCache.lookUp("other", site.chargePoint.now())).toEqual({ status: "Expired" });
    expect(parts.authorizationCache.lookUp("TAG", site.chargePoint.now())).toEqual({ status: "Accepted" });
  });

  test("answers as the documents say where there is neither list nor cache nor configuration [CORE-CL-02] [LAL-12] [LAL-29] [J-071]", async () => {
    const site = new Site();
    await site.start();
    const connection = site.centralSystem.get("CP001");
    const confs = Promise.all([
      connection?.call("ClearCache", {}),
      connection?.call("GetLocalListVersion", {}),
      connection?.call("SendLocalList", { listVersion: 1, updateType: "Full" }),
      connection?.call("GetConfiguration", {}).catch((error: unknown) => error),
    ]);
    await site.clock.advance(0);
    expect(await confs).toMatchObject([
      { status: "Rejected" },
      { listVersion: -1 },
      { status: "NotSupported" },
      { code: "NotSupported" },
    ]);
  });
});

describe("ChargePoint.call", () => {
  test("fails at once when there is no connection, and says that nothing was sent [J-109] [trap 3]", async () => {
    const site = new Site();
    await site.start();
    site.link.chargePoint.drop();
    site.behaviour.reachable = false;
    await site.clock.advance(0);
    const error = await rejection(site.chargePoint.call("Authorize", { idTag: "A" }));
    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ sent: false });
    site.behaviour.reachable = true;
    await site.clock.advance(60_000);
    expect(site.actions).not.toContain("Authorize");
  });

  test("waits for the answer as long as it is told to [J-104]", async () => {
    const site = new Site({ timeoutMs: 20_000 });
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("Authorize", () => new Promise(() => {}));
    });
    await site.start();
    for (const [options, timeoutMs] of [
      [{}, 20_000],
      [{ timeoutMs: 5000 }, 5000],
    ] as const) {
      const error = rejection(site.chargePoint.call("Authorize", { idTag: "A" }, options));
      await site.clock.advance(timeoutMs);
      expect(await error).toMatchObject({ name: "CallTimeoutError", timeoutMs });
      await site.clock.advance(60_000);
    }
  });

  test("refuses what a Charge Point sends by itself", async () => {
    const site = new Site();
    await site.start();
    for (const action of ["BootNotification", "StatusNotification", "StartTransaction", "StopTransaction"]) {
      expect(await rejection(site.chargePoint.call(action as "Heartbeat", {}))).toBeInstanceOf(TypeError);
    }
  });
});
