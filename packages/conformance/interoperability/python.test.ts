import {
  CentralSystem,
  ChargePoint,
  type ChargePointEvents,
  type ChargePointOptions,
  type Quirk,
  quirks,
  type Req,
} from "@ocppj/core";
import { connect, listen } from "@ocppj/node";
import { afterEach, describe, expect, test } from "vitest";
import { PythonProgram, python } from "./python.ts";

const opened: (() => unknown)[] = [];

afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

const idTag = "04E91C5A";
const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

function start(...args: ConstructorParameters<typeof PythonProgram>): PythonProgram {
  const program = new PythonProgram(...args);
  opened.push(() => program.stop());
  return program;
}

describe.skipIf(python === undefined)("A ChargePoint, and a central system as it is written in Python", () => {
  type Told = { [Name in "violation" | "tolerated" | "fault" | "refused"]: ChargePointEvents[Name][0][] };

  async function meet(args: readonly string[] = [], options: Partial<ChargePointOptions> = {}) {
    const central = start("central_system.py", ...args);
    const port = await central.said((line) => line.port);
    const chargePoint = new ChargePoint({
      identity: "CP001",
      url: `ws://127.0.0.1:${port}`,
      connect: connect(),
      boot: { chargePointVendor: "VENDOR", chargePointModel: "CP001" },
      ...options,
    });
    opened.push(() => chargePoint.stop());
    const told: Told = { violation: [], tolerated: [], fault: [], refused: [] };
    chargePoint.on("violation", (event) => told.violation.push(event));
    chargePoint.on("tolerated", (event) => told.tolerated.push(event));
    chargePoint.on("fault", (event) => told.fault.push(event));
    chargePoint.on("refused", (event) => told.refused.push(event));
    const registered = new Promise<ChargePointEvents["registration"][0]>((resolve) =>
      chargePoint.once("registration", resolve),
    );
    return { central, chargePoint, told, registered };
  }

  test("hold a session, naive times and all [CORE-TIME-05] [Q10]", async () => {
    const { central, chargePoint, told, registered } = await meet();
    const reservations: Req<"ReserveNow">[] = [];
    chargePoint.handle("ReserveNow", (req) => {
      reservations.push(req);
      return { status: "Accepted" };
    });
    chargePoint.handle("UpdateFirmware", () => ({}));
    chargePoint.report({ connectorId: 1, status: "Available" });
    await chargePoint.start();
    expect(await registered).toEqual({ status: "Accepted", intervalMs: 10_000 });
    expect(Math.abs(chargePoint.now() - Date.now())).toBeLessThan(60_000);

    expect(await chargePoint.authorize("UNKNOWN")).toMatchObject({ decision: "refuse", grounds: "central-system" });
    expect(await chargePoint.authorize(idTag)).toMatchObject({ decision: "accept", grounds: "central-system" });
    const delivered: ChargePointEvents["delivered"][0][] = [];
    const over = new Promise<void>((resolve) => {
      chargePoint.on("delivered", (event) => {
        delivered.push(event);
        if (event.call.action === "StopTransaction") resolve();
      });
    });
    const transaction = chargePoint.startTransaction({ connectorId: 1, idTag, meterStart: 0 });
    const timestamp = new Date(chargePoint.now()).toISOString();
    transaction.meterValues({ meterValue: [{ timestamp, sampledValue: [{ value: "120" }] }] });
    transaction.stop({ idTag, meterStop: 120 });
    await over;
    expect((await chargePoint.call("Heartbeat", {})).currentTime).toMatch(rfc3339);

    const reserve = { connectorId: 1, expiryDate: "2099-01-01T00:00:00", idTag, reservationId: 1 };
    expect(await central.call("ReserveNow", reserve)).toEqual([3, expect.any(String), { status: "Accepted" }]);
    const update = { location: "ftp://example.com/f", retrieveDate: "2099-01-01T00:00:00+0000" };
    for (let times = 0; times < 2; times++) {
      expect(await central.call("UpdateFirmware", update)).toEqual([3, expect.any(String), {}]);
    }
    expect((await central.call("UnlockConnector", { connectorId: 1 }))[2]).toBe("NotSupported");

    expect(central.calls("received")).toMatchObject([
      ["BootNotification", { chargePointVendor: "VENDOR" }],
      ["StatusNotification", { connectorId: 1, status: "Available", timestamp: expect.stringMatching(rfc3339) }],
      ["Authorize", { idTag: "UNKNOWN" }],
      ["Authorize", { idTag }],
      ["StartTransaction", { meterStart: 0, timestamp: expect.stringMatching(rfc3339) }],
      ["MeterValues", { transactionId: 1, meterValue: [{ timestamp }] }],
      ["StopTransaction", { transactionId: 1, meterStop: 120, timestamp: expect.stringMatching(rfc3339) }],
      ["Heartbeat", {}],
    ]);
    expect(delivered.map(({ conf }) => conf)).toEqual([
      { transactionId: 1, idTagInfo: { status: "Accepted", expiryDate: "2099-12-31T00:00:00Z" } },
      {},
      { idTagInfo: { status: "Accepted", expiryDate: "2099-12-31T00:00:00Z" } },
    ]);
    expect(reservations).toEqual([{ ...reserve, expiryDate: "2099-01-01T00:00:00Z" }]);
    expect(told.tolerated.map(({ quirk, action, path }) => `${quirk} ${action} ${path}`)).toEqual([
      "localTimes BootNotification currentTime",
      "localTimes StartTransaction idTagInfo.expiryDate",
      "spacedTimes StopTransaction idTagInfo.expiryDate",
      "localTimes StopTransaction idTagInfo.expiryDate",
      "localTimes Heartbeat currentTime",
      "localTimes ReserveNow expiryDate",
      "compactOffsets UpdateFirmware retrieveDate",
    ]);
    expect(told).toMatchObject({
      violation: [],
      fault: [{ error: { message: expect.stringContaining("no handler") } }],
      refused: [],
    });
  });

  test("register with a time in seconds since the epoch, which sets no clock [CORE-BOOT-04]", async () => {
    const { chargePoint, told, registered } = await meet(["--epoch"]);
    await chargePoint.start();
    expect(await registered).toEqual({ status: "Accepted", intervalMs: 10_000 });
    expect(told).toMatchObject({
      violation: [{ reason: "payload", message: "currentTime must be a string, not a number." }],
      fault: [],
    });
  });

  test("meet without a subprotocol only where that is tolerated [Q18] [J-026]", async () => {
    const strict = await meet(["--no-subprotocol"]);
    const refused = new Promise((resolve) => strict.chargePoint.once("refused", resolve));
    await strict.chargePoint.start();
    expect(await refused).toMatchObject({
      error: { reason: "subprotocol", message: expect.stringContaining("tolerate: [quirks.missingSubprotocol]") },
    });

    const tolerant = await meet(["--no-subprotocol"], { connect: connect({ tolerate: [quirks.missingSubprotocol] }) });
    await tolerant.chargePoint.start();
    expect(await tolerant.registered).toMatchObject({ status: "Accepted" });
    expect(tolerant.told.tolerated.map(({ quirk }) => quirk)).toEqual(["missingSubprotocol", "localTimes"]);
    expect(tolerant.told.refused).toEqual([]);
  });
});

describe.skipIf(python === undefined)("A CentralSystem, and a charge point as it is written in Python", () => {
  async function meet(tolerate: readonly Quirk[]) {
    const central = new CentralSystem({ tolerate });
    const received: [action: string, req: object][] = [];
    const told: string[] = [];
    const note = <Conf>(action: string, conf: Conf) => {
      return (req: object): Conf => {
        received.push([action, req]);
        return conf;
      };
    };
    const currentTime = new Date().toISOString();
    const idTagInfo = { status: "Accepted" } as const;
    central.handle("BootNotification", note("BootNotification", { status: "Accepted", currentTime, interval: 300 }));
    central.handle("Heartbeat", note("Heartbeat", { currentTime }));
    central.handle("StatusNotification", note("StatusNotification", {}));
    central.handle("Authorize", note("Authorize", { idTagInfo }));
    central.handle("StartTransaction", note("StartTransaction", { transactionId: 7, idTagInfo }));
    central.handle("StopTransaction", note("StopTransaction", {}));
    central.on("tolerated", ({ quirk, action, path }) => told.push(`${quirk} ${action} ${path}`));
    central.on("violation", ({ reason, message }) => told.push(`${reason}: ${message}`));
    central.on("fault", ({ error }) => told.push(String(error)));
    const metered = new Promise<void>((resolve) => {
      central.handle("MeterValues", (req) => {
        received.push(["MeterValues", req]);
        resolve();
        return {};
      });
    });
    const listener = await listen(central, { path: "/ocpp" });
    opened.push(() => listener.close());
    const chargePoint = start("charge_point.py", `${listener.url}/CP001`);
    return { central, chargePoint, metered, received, told };
  }

  test("hold a session, naive times and all, where those are tolerated [Q10]", async () => {
    const { central, chargePoint, metered, received, told } = await meet([quirks.localTimes]);
    await metered;
    const connection = central.get("CP001");
    expect(await connection?.call("GetConfiguration", { key: ["A"] })).toEqual({ unknownKey: ["A"] });
    await expect(connection?.call("GetConfiguration", {})).rejects.toMatchObject({
      code: "FormationViolation",
      receivedCode: "FormatViolation",
    });
    await expect(connection?.call("Reset", { type: "Soft" })).rejects.toMatchObject({ code: "NotImplemented" });
    expect(await connection?.call("RemoteStopTransaction", { transactionId: 7 })).toEqual({ status: "Accepted" });
    expect(await chargePoint.ended, JSON.stringify(chargePoint.lines.at(-1)) + chargePoint.complaints).toBe(0);

    const timestamp = expect.stringMatching(rfc3339);
    expect(received).toMatchObject([
      ["BootNotification", { chargePointModel: "Wallbox XYZ", chargePointVendor: "anewone" }],
      ["Heartbeat", {}],
      ["StatusNotification", { status: "Preparing", timestamp }],
      ["Authorize", { idTag }],
      ["StartTransaction", { idTag, meterStart: 0, timestamp }],
      ["StatusNotification", { status: "Charging", timestamp }],
      ["MeterValues", { transactionId: 7, meterValue: [{ timestamp }] }],
      ["StopTransaction", { transactionId: 7, meterStop: 120, timestamp, reason: "Remote" }],
    ]);
    expect(told).toEqual([
      "localTimes StatusNotification timestamp",
      "localTimes StartTransaction timestamp",
      "localTimes StatusNotification timestamp",
      "localTimes MeterValues meterValue[0].timestamp",
      "localTimes StopTransaction timestamp",
    ]);
  });

  test("do not where they are not: whose times they are, a central system has to know [Q10]", async () => {
    const { chargePoint, told } = await meet([]);
    expect(await chargePoint.ended).toBe(1);
    expect(chargePoint.lines.at(-1)).toEqual({
      failed: expect.stringContaining(
        "StatusNotification was answered with PropertyConstraintViolation: timestamp must",
      ),
    });
    expect(told).toEqual(["payload: timestamp must be a date-time as in RFC 3339."]);
  });
});
