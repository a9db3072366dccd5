import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { CentralSystem, type CentralSystemOptions, Connection, type RegistrationStatus } from "../../src/index.ts";

const currentTime = "2026-01-01T00:00:00Z";
const boot = { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" };

/** A Central System that answers BootNotifications as it is told to, and a Charge Point that connects at will. */
function site(options: CentralSystemOptions = {}) {
  const clock = new FakeClock();
  const centralSystem = new CentralSystem({ clock, ...options });
  const behaviour: { status: RegistrationStatus } = { status: "Accepted" };
  const faults: unknown[] = [];
  const violations: string[] = [];
  centralSystem.on("fault", ({ error }) => faults.push(error));
  centralSystem.on("violation", ({ reason }) => violations.push(reason));
  centralSystem.handle("BootNotification", () => ({ status: behaviour.status, currentTime, interval: 300 }));
  centralSystem.handle("Heartbeat", () => ({ currentTime }));
  centralSystem.handle("StatusNotification", () => ({}));
  const connect = (identity = "CP001") => {
    const link = transportPair(clock);
    const accepted = centralSystem.accept(link.centralSystem, identity);
    const chargePoint = new Connection(link.chargePoint, { role: "ChargePoint", identity, clock });
    return { accepted, chargePoint, link };
  };
  /** What a promise comes to, once everything that is under way has arrived. */
  const result = async <T>(promise: Promise<T>): Promise<T | { name: string; code?: string }> => {
    const outcome = promise.catch((error: unknown) => error as never);
    await clock.advance(0);
    return outcome;
  };
  return { clock, centralSystem, behaviour, faults, violations, connect, result };
}

const securityError = { name: "CallError", code: "SecurityError" };
const refusal = (id: string): unknown[] => [4, id, "SecurityError", expect.any(String), {}];
const notAccepted = { name: "NotAcceptedError" };

describe("A Charge Point that is not accepted", () => {
  test("gets SecurityError for everything but BootNotification, known action or not [J-130] [J-D11] [CORE-BOOT-26]", async () => {
    const { connect, result, violations } = site();
    const { chargePoint, link } = connect();
    expect(await result(chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
    link.centralSystem.inject('[2,"1","Frobnicate",{}]');
    link.centralSystem.inject('[2,"2","Heartbeat",{"extra":1}]');
    expect(await result(chargePoint.call("BootNotification", boot))).toMatchObject({ status: "Accepted" });
    expect(link.centralSystem.sent.filter((text) => text.startsWith("[4"))).toEqual([
      expect.stringContaining('"SecurityError"'),
      '[4,"1","SecurityError","Send BootNotification first, and wait until it is accepted.",{}]',
      '[4,"2","SecurityError","Send BootNotification first, and wait until it is accepted.",{}]',
    ]);
    expect(violations).toEqual(["not-accepted", "not-accepted", "not-accepted"]);
    expect(await result(chargePoint.call("Heartbeat", {}))).toEqual({ currentTime });
  });

  test.each(["Pending", "Rejected"] as const)("stays so while it is answered %s [J-130]", async (status) => {
    const { behaviour, connect, result } = site();
    behaviour.status = status;
    const { chargePoint } = connect();
    expect(await result(chargePoint.call("BootNotification", boot))).toMatchObject({ status });
    expect(await result(chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
    behaviour.status = "Accepted";
    expect(await result(chargePoint.call("BootNotification", boot))).toMatchObject({ status: "Accepted" });
    expect(await result(chargePoint.call("Heartbeat", {}))).toEqual({ currentTime });
  });

  test("becomes so again when a later BootNotification is not accepted [J-130]", async () => {
    const { behaviour, connect, result } = site();
    const { chargePoint } = connect();
    await result(chargePoint.call("BootNotification", boot));
    behaviour.status = "Rejected";
    await result(chargePoint.call("BootNotification", boot));
    expect(await result(chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
  });

  test("is not accepted by an answer that its handler did not get right [J-D19]", async () => {
    const { behaviour, connect, result } = site();
    behaviour.status = "Perhaps" as "Accepted";
    const { chargePoint } = connect();
    expect(await result(chargePoint.call("BootNotification", boot))).toMatchObject({ code: "InternalError" });
    expect(await result(chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
  });

  test("may send while Pending what a TriggerMessage has asked for, until it boots again [J-131]", async () => {
    const { behaviour, connect, result } = site();
    behaviour.status = "Pending";
    const { accepted, chargePoint } = connect();
    await result(chargePoint.call("BootNotification", boot));
    const status = { connectorId: 1, errorCode: "NoError", status: "Available" } as const;

    chargePoint.handle("TriggerMessage", ({ requestedMessage }) => ({
      status: requestedMessage === "Heartbeat" ? "Rejected" : "Accepted",
    }));
    await result(accepted.call("TriggerMessage", { requestedMessage: "StatusNotification" }));
    await result(accepted.call("TriggerMessage", { requestedMessage: "Heartbeat" }));
    expect(await result(chargePoint.call("StatusNotification", status))).toEqual({});
    expect(await result(chargePoint.call("StatusNotification", { ...status, connectorId: 2 }))).toEqual({});
    expect(await result(chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);

    await result(chargePoint.call("BootNotification", boot));
    expect(await result(chargePoint.call("StatusNotification", status))).toMatchObject(securityError);
  });

  test("may send while Pending the certificate request that an ExtendedTriggerMessage has asked for [J-131]", async () => {
    const { behaviour, centralSystem, connect, result } = site();
    behaviour.status = "Pending";
    centralSystem.handle("SignCertificate", () => ({ status: "Accepted" }));
    const { accepted, chargePoint } = connect();
    chargePoint.handle("ExtendedTriggerMessage", () => ({ status: "Accepted" }));
    await result(chargePoint.call("BootNotification", boot));
    await result(accepted.call("ExtendedTriggerMessage", { requestedMessage: "SignChargePointCertificate" }));
    expect(await result(chargePoint.call("SignCertificate", { csr: "csr" }))).toEqual({ status: "Accepted" });
  });

  test("may send while Pending the signed firmware status that an ExtendedTriggerMessage has asked for [J-131] [SEC-MSG-21]", async () => {
    const { behaviour, centralSystem, connect, result } = site();
    behaviour.status = "Pending";
    centralSystem.handle("FirmwareStatusNotification", () => ({}));
    centralSystem.handle("SignedFirmwareStatusNotification", () => ({}));
    const { accepted, chargePoint } = connect();
    chargePoint.handle("ExtendedTriggerMessage", () => ({ status: "Accepted" }));
    chargePoint.handle("TriggerMessage", () => ({ status: "Accepted" }));
    await result(chargePoint.call("BootNotification", boot));

    await result(accepted.call("ExtendedTriggerMessage", { requestedMessage: "FirmwareStatusNotification" }));
    expect(await result(chargePoint.call("SignedFirmwareStatusNotification", { status: "Idle" }))).toEqual({});
    expect(await result(chargePoint.call("FirmwareStatusNotification", { status: "Idle" }))).toMatchObject(
      securityError,
    );

    await result(accepted.call("TriggerMessage", { requestedMessage: "FirmwareStatusNotification" }));
    expect(await result(chargePoint.call("FirmwareStatusNotification", { status: "Idle" }))).toEqual({});
  });

  test("is sent no remote starts and stops while Pending, and nothing at all while Rejected [CORE-BOOT-22] [CORE-BOOT-24]", async () => {
    const { behaviour, connect, result } = site();
    const { accepted, chargePoint, link } = connect();
    chargePoint.handle("ClearCache", () => ({ status: "Accepted" }));
    chargePoint.handle("RemoteStopTransaction", () => ({ status: "Accepted" }));

    behaviour.status = "Pending";
    await result(chargePoint.call("BootNotification", boot));
    expect(await result(accepted.call("RemoteStartTransaction", { idTag: "A" }))).toMatchObject(notAccepted);
    expect(await result(accepted.call("RemoteStopTransaction", { transactionId: 1 }))).toMatchObject(notAccepted);
    expect(await result(accepted.call("ClearCache", {}))).toEqual({ status: "Accepted" });

    behaviour.status = "Rejected";
    await result(chargePoint.call("BootNotification", boot));
    const sent = link.centralSystem.sent.length;
    expect(await result(accepted.call("ClearCache", {}))).toMatchObject({ ...notAccepted, status: "Rejected" });
    expect(link.centralSystem.sent).toHaveLength(sent);

    behaviour.status = "Accepted";
    await result(chargePoint.call("BootNotification", boot));
    expect(await result(accepted.call("RemoteStopTransaction", { transactionId: 1 }))).toEqual({ status: "Accepted" });
  });

  test("is asked once for the BootNotification that nobody remembers, after its refusal [Q21]", async () => {
    const { connect, result } = site();
    const { chargePoint, link } = connect();
    await result(chargePoint.call("Heartbeat", {}));
    await result(chargePoint.call("Heartbeat", {}));
    const [refusal, invitation, ...more] = link.centralSystem.sent.map((text) => JSON.parse(text));
    expect(refusal).toMatchObject([4, expect.anything(), "SecurityError", expect.anything(), {}]);
    expect(invitation).toMatchObject([
      2,
      expect.anything(),
      "TriggerMessage",
      { requestedMessage: "BootNotification" },
    ]);
    expect(more).toMatchObject([[4, expect.anything(), "SecurityError", expect.anything(), {}]]);
  });

  test("is not asked any more when it has booted before the question has left [CORE-BOOT-27]", async () => {
    const { connect, result } = site();
    const { accepted, chargePoint, link } = connect();
    let answer = (_: object): void => {};
    chargePoint.handle("GetConfiguration", () => new Promise((resolve) => (answer = resolve)));
    const outstanding = accepted.call("GetConfiguration", {});
    await result(chargePoint.call("Heartbeat", {}));
    await result(chargePoint.call("BootNotification", boot));
    answer({});
    await result(outstanding);
    const actions = link.centralSystem.sent.map((text) => JSON.parse(text)).filter(([type]) => type === 2);
    expect(actions).toMatchObject([[2, expect.anything(), "GetConfiguration", {}]]);
  });

  test("is not accepted by an answer that came too late for its connection, whatever it was told on the next one [J-132] [J-165]", async () => {
    const registrations = new Map<string, RegistrationStatus>();
    const { behaviour, connect, result } = site({ registrations });
    const first = connect();
    let answer = (): void => {};
    first.accepted.handle(
      "BootNotification",
      () => new Promise((resolve) => (answer = () => resolve({ status: "Accepted", currentTime, interval: 300 }))),
    );
    first.chargePoint.call("BootNotification", boot).catch(() => {});
    await result(Promise.resolve());
    first.link.chargePoint.drop();
    behaviour.status = "Rejected";
    await result(connect().chargePoint.call("BootNotification", boot));
    answer();
    await result(Promise.resolve());
    expect(registrations.get("CP001")).toBe("Rejected");
    expect(await result(connect().chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
  });

  test.each(["Pending", "Rejected"] as const)("is not asked when its latest answer was %s", async (status) => {
    const { connect, result } = site({ registrations: new Map([["CP001", status]]) });
    const { chargePoint, link } = connect();
    await result(chargePoint.call("Heartbeat", {}));
    expect(link.centralSystem.sent).toHaveLength(1);
  });
});

test("CentralSystem tells of every answer to a BootNotification, in time for CALLs that follow it", async () => {
  const { behaviour, centralSystem, connect, result } = site();
  const told: unknown[] = [];
  centralSystem.on("registration", ({ identity, status, generation }) => {
    told.push([identity, generation, status]);
    void centralSystem
      .get(identity)
      ?.call("ClearCache", {})
      .catch(() => {});
  });
  const { chargePoint, link } = connect();
  chargePoint.handle("ClearCache", () => ({ status: "Accepted" }));
  behaviour.status = "Pending";
  await result(chargePoint.call("BootNotification", boot));
  behaviour.status = "Wrong" as "Accepted";
  await result(chargePoint.call("BootNotification", boot));
  expect(told).toEqual([["CP001", 1, "Pending"]]);
  expect(link.centralSystem.sent.map((text) => JSON.parse(text)[0])).toEqual([3, 2, 4]);
});

test.each([
  [
    "throws",
    () => {
      throw new Error("locked");
    },
  ],
  ["gives nonsense", () => "Perhaps" as never],
])("A connection is told of before the fault of `registrations.get`, also when that %s at once", async (_, get) => {
  const { centralSystem, clock, connect } = site({ registrations: { get, set: () => {} } });
  const told: unknown[] = [];
  centralSystem.on("connected", ({ generation }) => told.push(["connected", generation]));
  centralSystem.on("fault", ({ generation }) => told.push(["fault", generation]));
  connect();
  await clock.advance(0);
  expect(told).toEqual([
    ["connected", 1],
    ["fault", 1],
  ]);
  centralSystem.close();
});

describe("A Charge Point that was accepted", () => {
  test("stays so when it reconnects without a BootNotification [J-132] [J-160] [J-165]", async () => {
    const { connect, result } = site();
    const first = connect();
    await result(first.chargePoint.call("BootNotification", boot));
    first.link.chargePoint.drop();
    expect(await result(connect().chargePoint.call("Heartbeat", {}))).toEqual({ currentTime });
    expect(await result(connect("CP002").chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
  });

  test("stays so when the program restarts and its registrations are kept [J-132]", async () => {
    const registrations = new Map<string, RegistrationStatus>();
    const before = site({ registrations });
    await before.result(before.connect().chargePoint.call("BootNotification", boot));
    const after = site({ registrations });
    expect(await after.result(after.connect().chargePoint.call("Heartbeat", {}))).toEqual({ currentTime });
  });

  test("has its bill served while it boots again, whatever that is answered: what is served is not lost", async () => {
    const { behaviour, centralSystem, clock, connect } = site({ registrations: new Map([["CP001", "Accepted"]]) });
    let answer = (): void => {};
    const { accepted, link } = connect();
    behaviour.status = "Rejected";
    accepted.handle("BootNotification", async () => {
      await new Promise<void>((resolve) => (answer = resolve));
      return { status: behaviour.status, currentTime, interval: 300 };
    });
    centralSystem.handle("StopTransaction", () => ({}));
    link.centralSystem.inject(`[2,"1","BootNotification",${JSON.stringify(boot)}]`);
    link.centralSystem.inject(
      `[2,"2","StopTransaction",{"transactionId":1,"timestamp":"${currentTime}","meterStop":1}]`,
    );
    await clock.advance(0);
    answer();
    await clock.advance(0);
    expect(link.centralSystem.sent.map((text) => JSON.parse(text))).toMatchObject([
      [3, "2", {}],
      [3, "1", { status: "Rejected" }],
    ]);
  });

  test("is told so only once that is kept", async () => {
    let kept = (): void => {};
    const set = () => new Promise<void>((resolve) => (kept = resolve));
    const { clock, connect, result } = site({ registrations: { get: () => undefined, set } });
    const { chargePoint, link } = connect();
    const conf = chargePoint.call("BootNotification", boot);
    await clock.advance(1000);
    expect(link.centralSystem.sent).toEqual([]);
    kept();
    expect(await result(conf)).toMatchObject({ status: "Accepted" });
  });

  test.each([
    [
      "throws",
      () => {
        throw new Error("disk full");
      },
    ],
    ["rejects", () => Promise.reject(new Error("disk full"))],
  ])("is accepted, and a fault is told, when keeping that %s", async (_, set) => {
    const { connect, faults, result } = site({ registrations: { get: () => undefined, set } });
    const { chargePoint } = connect();
    expect(await result(chargePoint.call("BootNotification", boot))).toMatchObject({ status: "Accepted" });
    expect(await result(chargePoint.call("Heartbeat", {}))).toEqual({ currentTime });
    expect(faults).toEqual([new Error("disk full")]);
  });

  test("is known as soon as it is found out, when that takes its time", async () => {
    let found = (_: RegistrationStatus): void => {};
    const get = () => new Promise<RegistrationStatus>((resolve) => (found = resolve));
    const { connect, faults, result, clock } = site({ registrations: { get, set: () => {} } });
    const { chargePoint, link } = connect();
    const conf = chargePoint.call("Heartbeat", {});
    await clock.advance(4999);
    expect(link.centralSystem.sent).toEqual([]);
    found("Accepted");
    expect(await result(conf)).toEqual({ currentTime });
    expect(faults).toEqual([]);
  });

  const never = () => new Promise<never>(() => {});
  test.each<[string, () => unknown]>([
    ["cannot be read", () => Promise.reject(new Error("locked"))],
    ["cannot be read at all", (): never => { throw new Error("locked"); }], // biome-ignore format: one line
    ...["accepted", "", "toString", true, 1, { status: "accepted" }, {}].map((kept): [string, () => unknown] => [
      `is ${JSON.stringify(kept)}`,
      () => kept,
    ]),
    ["is nothing that resolves", never],
  ])("is asked about again when what was kept %s, and what it sends waits for that", async (_, fail) => {
    let isOver = false;
    const get = () => (isOver ? "Accepted" : fail()) as RegistrationStatus;
    const { clock, connect, faults, result } = site({ registrations: { get, set: () => {} } });
    const { chargePoint, link } = connect();
    const conf = chargePoint.call("Heartbeat", {});
    await clock.advance(10_000);
    expect(link.centralSystem.sent).toEqual([]);
    expect(faults.length).toBeGreaterThan(0);
    isOver = true;
    await clock.advance(5000);
    expect(await result(conf)).toEqual({ currentTime });
  });

  test("is told with 1011 to come back, when it has waited for 20 s", async () => {
    const { clock, centralSystem, connect, violations } = site({ registrations: { get: never, set: () => {} } });
    const { chargePoint } = connect();
    await clock.advance(60_000); // Who sends nothing loses nothing.
    const closed = new Promise((resolve) => chargePoint.once("closed", resolve));
    chargePoint.call("Heartbeat", {}).catch(() => {});
    await clock.advance(19_999);
    expect([...centralSystem.connections()]).toHaveLength(1);
    await clock.advance(1);
    expect(await closed).toMatchObject({ code: 1011 });
    expect(violations).toEqual([]);
    await clock.advance(60_000);
    expect(clock.pending).toBe(0);
  });

  test("is served once it has booted, whatever cannot be found out", async () => {
    const { clock, connect, result } = site({ registrations: { get: never, set: () => {} } });
    const { chargePoint } = connect();
    const heartbeat = chargePoint.call("BootNotification", boot).then(() => chargePoint.call("Heartbeat", {}));
    expect(await result(heartbeat)).toEqual({ currentTime });
    await clock.advance(60_000);
    expect(await result(chargePoint.call("Heartbeat", {}))).toEqual({ currentTime });
  });

  test("has its answer after 10 s when keeping it never ends, and stays accepted on its next connection", async () => {
    const registrations = { get: () => undefined, set: never };
    const { clock, connect, faults, result } = site({ registrations });
    const first = connect();
    const conf = first.chargePoint.call("BootNotification", boot);
    await clock.advance(9999);
    expect(first.link.centralSystem.sent).toEqual([]);
    await clock.advance(1);
    expect(await result(conf)).toMatchObject({ status: "Accepted" });
    expect(faults).toEqual([new Error("registrations.set has not answered within 10000 ms.")]);
    expect(await result(connect().chargePoint.call("Heartbeat", {}))).toEqual({ currentTime });
  });

  test("is kept later what could not be kept at first", async () => {
    const rows = new Map<string, RegistrationStatus>();
    let isFull = true;
    const set = (identity: string, status: RegistrationStatus) => {
      if (isFull) throw new Error("disk full");
      rows.set(identity, status);
    };
    const { connect, result } = site({ registrations: { get: (identity) => rows.get(identity), set } });
    await result(connect().chargePoint.call("BootNotification", boot));
    isFull = false;
    await result(connect().chargePoint.call("Heartbeat", {}));
    expect(rows.get("CP001")).toBe("Accepted");
  });

  test("counts as unknown, without a word, when a database says null", async () => {
    const { connect, faults, result } = site({ registrations: { get: () => null as never, set: () => {} } });
    const { chargePoint } = connect();
    expect(await result(chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
    expect(await result(chargePoint.call("BootNotification", boot))).toMatchObject({ status: "Accepted" });
    expect(faults).toEqual([]);
  });
});

describe("A Charge Point that does not wait for the answer to its BootNotification", () => {
  /** One whose BootNotification is answered when the test says so. */
  function impatient(options: CentralSystemOptions = {}) {
    const all = site(options);
    const { accepted, chargePoint, link } = all.connect();
    let answer = (): void => {};
    accepted.handle("BootNotification", () => {
      const { status } = all.behaviour;
      return new Promise((resolve) => (answer = () => resolve({ status, currentTime, interval: 300 })));
    });
    link.centralSystem.inject(`[2,"1","BootNotification",${JSON.stringify(boot)}]`);
    link.centralSystem.inject('[2,"2","Heartbeat",{}]');
    const sent = (): unknown[] => link.centralSystem.sent.map((text) => JSON.parse(text));
    return { ...all, chargePoint, link, sent, answer: () => answer() };
  }

  test("is answered in its order, once it is accepted, and asked for nothing [J-130] [RT-14]", async () => {
    const { answer, clock, sent, violations } = impatient();
    await clock.advance(10_000);
    expect(sent()).toEqual([]);
    answer();
    await clock.advance(10_000);
    expect(sent()).toMatchObject([
      [3, "1", { status: "Accepted" }],
      [3, "2", { currentTime }],
    ]);
    expect(violations).toEqual([]);
  });

  test.each(["Pending", "Rejected"] as const)("is refused once it is %s [J-130]", async (status) => {
    const { answer, behaviour, clock, sent } = impatient();
    behaviour.status = status;
    await clock.advance(0);
    answer();
    await clock.advance(10_000);
    expect(sent()).toMatchObject([[3, "1", { status }], refusal("2")]);
  });

  test("is not kept without bound: with one CALL too many the connection ends with 1008", async () => {
    const { centralSystem, clock, link, violations } = impatient({ maxServedCalls: 3 });
    for (let id = 3; id <= 34; id++) link.centralSystem.inject(`[2,"${id}","Heartbeat",{}]`);
    await clock.advance(0);
    expect(violations).toEqual(["too-many-calls"]);
    expect([...centralSystem.connections()]).toEqual([]);
  });

  test("is not asked to boot after it has booted, be it that nobody could answer that [RT-14]", async () => {
    const { connect, result, centralSystem } = site();
    const { accepted, chargePoint, link } = connect();
    accepted.handle("BootNotification", () => Promise.reject(new Error("no database")));
    await result(chargePoint.call("BootNotification", boot));
    await result(chargePoint.call("Heartbeat", {}));
    expect(link.centralSystem.sent.map((text) => JSON.parse(text)[0])).toEqual([4, 4]);
    centralSystem.close();
  });
});

describe("A Charge Point that nobody remembers", () => {
  const timestamp = currentTime;
  const meterValue = [{ timestamp, sampledValue: [{ value: "1" }] }];
  const messages = [
    ["StartTransaction", { connectorId: 1, idTag: "A", timestamp, meterStart: 0 }],
    ["StopTransaction", { transactionId: 1, timestamp, meterStop: 1 }],
    ["MeterValues", { connectorId: 1, transactionId: 1, meterValue }],
  ] as const;
  function stranger(options: CentralSystemOptions) {
    const all = site(options);
    all.centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }));
    all.centralSystem.handle("StopTransaction", () => ({}));
    all.centralSystem.handle("MeterValues", () => ({}));
    const { link } = all.connect();
    const send = async (action: string, payload: object, id = "1"): Promise<unknown[]> => {
      link.centralSystem.inject(JSON.stringify([2, id, action, payload]));
      await all.clock.advance(0);
      return link.centralSystem.sent.map((text) => JSON.parse(text));
    };
    return { ...all, link, send };
  }
  const invitation = [2, expect.anything(), "TriggerMessage", { requestedMessage: "BootNotification" }];
  const registrations = { get: () => undefined, set: () => Promise.resolve() };

  test.each(messages)("has its %s served, and is asked to boot after the answer [Q21]", async (action, payload) => {
    for (const options of [{}, { registrations, unknownTransactions: "serve" }] as const) {
      const { send, violations } = stranger(options);
      expect(await send(action, payload)).toMatchObject([[3, "1", {}], invitation]);
      expect(violations).toEqual([]);
    }
  });

  test.each(messages)("has its %s refused only where that is wanted", async (action, payload) => {
    for (const options of [{}, { registrations }] as const) {
      const { send } = stranger({ ...options, unknownTransactions: "refuse" });
      expect(await send(action, payload)).toMatchObject([refusal("1"), invitation]);
    }
  });

  test.each(messages)(
    "has its %s wait for a BootNotification where a write of ours may have failed, and is asked for it [J-132] [Q21]",
    async (action, payload) => {
      for (const options of [{ registrations }, { unknownTransactions: "hold" }] as const) {
        const { clock, send, violations } = stranger(options);
        expect(await send(action, payload)).toMatchObject([invitation]);
        await clock.advance(59_000);
        const sent = await send("BootNotification", boot, "2");
        expect(sent).toMatchObject([invitation, [3, "2", { status: "Accepted" }], [3, "1", {}]]);
        expect(violations).toEqual([]);
      }
    },
  );

  test.each(messages)(
    "keeps its %s when no BootNotification comes: 1013 has it sent again",
    async (action, payload) => {
      const { clock, link, send } = stranger({ registrations });
      const closed: number[] = [];
      link.chargePoint.listen({ message: () => {}, close: (code) => closed.push(code) });
      await send(action, payload);
      await clock.advance(59_999);
      expect(closed).toEqual([]);
      await clock.advance(1);
      expect(closed).toEqual([1013]);
      expect(link.centralSystem.sent).toHaveLength(1);
      expect(clock.pending).toBe(0);
    },
  );

  test("is told that it is refused when the BootNotification that its bill has waited for is answered Pending", async () => {
    const { behaviour, send } = stranger({ registrations });
    behaviour.status = "Pending";
    await send(...messages[1]);
    expect(await send("BootNotification", boot, "2")).toMatchObject([invitation, [3, "2", {}], refusal("1")]);
  });

  test("has MeterValues of no transaction refused, as everything else", async () => {
    expect(await stranger({}).send("MeterValues", { connectorId: 1, meterValue })).toMatchObject([
      refusal("1"),
      invitation,
    ]);
  });

  test("is not served when it was answered Pending", async () => {
    const { send } = stranger({
      registrations: new Map([["CP001", "Pending"]]),
      unknownTransactions: "serve",
    });
    expect(await send(...messages[1])).toMatchObject([refusal("1")]);
  });
});
