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

  test("counts as unknown, and a fault is told, when what was kept cannot be read", async () => {
    const get = () => {
      throw new Error("disk on fire");
    };
    const { connect, faults, result } = site({ registrations: { get, set: () => {} } });
    expect(await result(connect().chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
    expect(faults).toEqual([new Error("disk on fire")]);
  });

  test.each([["accepted"], [""], ["toString"], [true], [1], [{ status: "Accepted" }], [Promise.resolve("Accepted")]])(
    "counts as unknown, and a fault is told, when what was kept is %o",
    async (remembered) => {
      const { connect, faults, result } = site({ registrations: { get: () => remembered as never, set: () => {} } });
      const { accepted, chargePoint } = connect();
      const invited: unknown[] = [];
      chargePoint.handle("TriggerMessage", ({ requestedMessage }) => {
        invited.push(requestedMessage);
        return { status: "Accepted" };
      });
      expect(await result(chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
      expect(invited).toEqual(["BootNotification"]);
      expect(await result(accepted.call("ClearCache", {}))).toMatchObject({ code: "NotSupported" });
      expect(faults).toMatchObject([{ name: "TypeError", message: expect.stringContaining("registrations.get") }]);
    },
  );

  test("counts as unknown, without a word, when a database says null", async () => {
    const { connect, faults, result } = site({ registrations: { get: () => null as never, set: () => {} } });
    const { chargePoint } = connect();
    expect(await result(chargePoint.call("Heartbeat", {}))).toMatchObject(securityError);
    expect(await result(chargePoint.call("BootNotification", boot))).toMatchObject({ status: "Accepted" });
    expect(faults).toEqual([]);
  });
});
