import { request as httpRequest } from "node:http";
import { type ActionFrom, actions, CallError, type Conf, Connection, type Req } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { beforeEach, describe, expect, it } from "vitest";
import { startBackEnd } from "./back-end.ts";
import { boot, start, stop, TestBackEnd } from "./test-back-end.ts";

type ActionToCharger = ActionFrom<"CentralSystem">;

const backEnd = new TestBackEnd({ open: true, ocpp: { newcomers: "Accepted", timeoutMs: 200 } });

const expiryDate = "2099-12-31T23:59:59.5+01:00";
const certificateHashData = {
  hashAlgorithm: "SHA256",
  issuerNameHash: "a1",
  issuerKeyHash: "b2",
  serialNumber: "c3",
} as const;
const chargingSchedule = {
  chargingRateUnit: "A",
  duration: 86_400,
  startSchedule: "2026-01-01T00:00:00Z",
  chargingSchedulePeriod: [
    { startPeriod: 0, limit: 8.1, numberPhases: 3 },
    { startPeriod: 3600, limit: 16 },
  ],
  minChargingRate: 6.5,
} as const;

/** For each action that a charger may be sent a payload, in an order of fields of its own, and an answer. */
const everyCall: { readonly [A in ActionToCharger]: { readonly req: Req<A>; readonly conf: Conf<A> } } = {
  CancelReservation: { req: { reservationId: -7 }, conf: { status: "Rejected" } },
  CertificateSigned: { req: { certificateChain: "-----BEGIN\nQUJD\n" }, conf: { status: "Accepted" } },
  ChangeAvailability: { req: { type: "Inoperative", connectorId: 0 }, conf: { status: "Scheduled" } },
  ChangeConfiguration: { req: { key: "HeartbeatInterval", value: "300" }, conf: { status: "RebootRequired" } },
  ClearCache: { req: {}, conf: { status: "Accepted" } },
  ClearChargingProfile: {
    req: { stackLevel: 1, id: 2, connectorId: 3, chargingProfilePurpose: "TxProfile" },
    conf: { status: "Unknown" },
  },
  DataTransfer: {
    req: { vendorId: "com.example", data: '{"key": "vàlue 😀 \\u0000 </script>"}', messageId: "m" },
    conf: { status: "Accepted", data: "[1, 2]" },
  },
  DeleteCertificate: { req: { certificateHashData }, conf: { status: "NotFound" } },
  ExtendedTriggerMessage: {
    req: { requestedMessage: "SignChargePointCertificate" },
    conf: { status: "NotImplemented" },
  },
  GetCompositeSchedule: {
    req: { duration: 3600, connectorId: 1, chargingRateUnit: "W" },
    conf: { status: "Accepted", connectorId: 1, scheduleStart: expiryDate },
  },
  GetConfiguration: {
    req: { key: ["AuthorizationKey", "HeartbeatInterval"] },
    conf: { unknownKey: ["AuthorizationKey"] },
  },
  GetDiagnostics: {
    req: { location: "ftp://user:secret@example.com/a", retries: 3, startTime: expiryDate },
    conf: { fileName: "log.zip" },
  },
  GetInstalledCertificateIds: {
    req: { certificateType: "CentralSystemRootCertificate" },
    conf: { status: "Accepted", certificateHashData: [certificateHashData] },
  },
  GetLocalListVersion: { req: {}, conf: { listVersion: -1 } },
  GetLog: {
    req: { logType: "SecurityLog", requestId: 1, log: { remoteLocation: "https://example.com/log" } },
    conf: { status: "AcceptedCanceled", filename: "log" },
  },
  InstallCertificate: {
    req: { certificateType: "ManufacturerRootCertificate", certificate: "PEM" },
    conf: { status: "Failed" },
  },
  RemoteStartTransaction: {
    req: {
      idTag: "04E91C5A",
      connectorId: 1,
      chargingProfile: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: "TxProfile",
        chargingProfileKind: "Relative",
        chargingSchedule: { chargingRateUnit: "W", chargingSchedulePeriod: [{ startPeriod: 0, limit: 11_000.5 }] },
      },
    },
    conf: { status: "Accepted" },
  },
  RemoteStopTransaction: { req: { transactionId: 2_147_483_647 }, conf: { status: "Rejected" } },
  ReserveNow: {
    req: { reservationId: 9, idTag: "04E91C5A", expiryDate, connectorId: 0, parentIdTag: "FAMILY" },
    conf: { status: "Occupied" },
  },
  Reset: { req: { type: "Hard" }, conf: { status: "Accepted" } },
  SendLocalList: {
    req: {
      updateType: "Differential",
      listVersion: 2,
      localAuthorizationList: [{ idTag: "A", idTagInfo: { status: "Accepted", expiryDate } }, { idTag: "B" }],
    },
    conf: { status: "VersionMismatch" },
  },
  SetChargingProfile: {
    req: {
      csChargingProfiles: {
        chargingSchedule: chargingSchedule as never,
        recurrencyKind: "Daily",
        chargingProfileKind: "Recurring",
        chargingProfilePurpose: "TxDefaultProfile",
        stackLevel: 2,
        chargingProfileId: 3,
      },
      connectorId: 0,
    },
    conf: { status: "NotSupported" },
  },
  SignedUpdateFirmware: {
    req: {
      requestId: 1,
      firmware: {
        location: "https://example.com/f",
        retrieveDateTime: expiryDate,
        signingCertificate: "PEM",
        signature: "c2ln",
      },
    },
    conf: { status: "InvalidCertificate" },
  },
  TriggerMessage: { req: { requestedMessage: "MeterValues", connectorId: 1 }, conf: { status: "Accepted" } },
  UnlockConnector: { req: { connectorId: 1 }, conf: { status: "UnlockFailed" } },
  UpdateFirmware: {
    req: { retrieveDate: expiryDate, location: "https://example.com/f", retryInterval: 60 },
    conf: {},
  },
};
const sendable = Object.keys(everyCall) as ActionToCharger[];

describe("POST /chargers/:identity/calls/:action", () => {
  /** The texts that the charger has received. */
  let texts: string[];
  let charger: Connection<"ChargePoint">;

  beforeEach(async () => {
    texts = [];
    const transport = await connect()({ url: backEnd.running.chargersUrl, identity: "CP 1/2" });
    charger = new Connection(
      {
        send: (text) => transport.send(text),
        close: (code, reason) => transport.close(code, reason),
        listen: ({ message, close }) =>
          transport.listen({
            message: (text) => {
              texts.push(text);
              message(text);
            },
            close,
          }),
      },
      { role: "ChargePoint", identity: "CP 1/2" },
    );
    await charger.call("BootNotification", boot);
    texts = [];
  });

  const send = (action: string, req: unknown = {}) =>
    backEnd.request(`/chargers/${encodeURIComponent("CP 1/2")}/calls/${action}`, req);

  it.each(sendable)("sends %s as it is, and returns the answer as it is", async (action) => {
    const { conf, req } = everyCall[action];
    charger.handle(action, (() => conf) as never);

    expect(await send(action, req)).toEqual({ status: 200, body: conf });
    expect(texts).toHaveLength(1);
    const [type, messageId] = JSON.parse(texts[0] ?? "");
    expect(texts[0]).toBe(JSON.stringify([type, messageId, action, req]));
    expect(type).toBe(2);
  });

  it("knows every action that a charger may be sent, the 19 of OCPP 1.6 among them", () => {
    const may = Object.entries(actions).filter(([, { from }]) => (from as readonly string[]).includes("CentralSystem"));
    expect(sendable).toEqual(may.map(([action]) => action).sort());
    expect(may.filter(([, { profile }]) => profile !== undefined)).toHaveLength(19);
  });

  it.each(["Authorize", "toString", "__proto__", "reset"])("refuses %s, which cannot be sent", async (action) => {
    expect(await send(action)).toMatchObject({ status: 404, body: { error: "unknown-action" } });
    expect(texts).toEqual([]);
  });

  it("says what is wrong with a payload, and sends nothing", async () => {
    const { body, status } = await send("ReserveNow", { connectorId: -1, idTag: "A".repeat(21), reservationId: 1.5 });

    expect(status).toBe(422);
    expect(body.error).toBe("invalid");
    expect(body.issues.map(({ path }: { path: string }) => path).sort()).toEqual([
      "connectorId",
      "expiryDate",
      "idTag",
      "reservationId",
    ]);
    expect(texts).toEqual([]);
    expect((await backEnd.request("/reservations")).body).toEqual([]);
  });

  const notObjects = [...sendable.map((action) => [action, []] as const), ["ChangeConfiguration", null] as const];

  it.each(notObjects)("refuses %s with %j", async (action, req) => {
    expect(await send(action, req)).toMatchObject({ status: 422, body: { error: "invalid" } });
    expect(texts).toEqual([]);
  });

  it.each([
    { key: "AuthorizationKey", value: "password" },
    { key: "authorizationKEY", value: "" },
    { key: "AuthorizationKey", value: "00".repeat(16), colour: "red" },
  ])("refuses %j, which would lock the charger out", async (req) => {
    expect(await send("ChangeConfiguration", req)).toMatchObject({ status: 422, body: { error: "invalid" } });
    expect(texts).toEqual([]);
  });

  it("passes a CALLERROR on", async () => {
    charger.handle("Reset", () => {
      throw new CallError("GenericError", "Not now.", { details: { until: "noon" } });
    });

    expect(await send("Reset", { type: "Soft" })).toMatchObject({
      status: 502,
      body: { error: "call-error", code: "GenericError", description: "Not now.", details: { until: "noon" } },
    });
  });

  it("says that an answer is not what OCPP allows", async () => {
    charger.close();
    const transport = await connect()({ url: backEnd.running.chargersUrl, identity: "CP 1/2" });
    transport.listen({
      message: (text) => transport.send(JSON.stringify([3, JSON.parse(text)[1], { status: "Perhaps" }])),
      close: () => {},
    });

    expect(await send("Reset", { type: "Soft" })).toMatchObject({
      status: 502,
      body: { error: "invalid-answer", issues: [{ path: "status" }] },
    });
    transport.close();
  });

  it("says that no answer came in time, and that the CALL was sent", async () => {
    charger.handle("Reset", () => new Promise(() => {}));

    expect(await send("Reset", { type: "Soft" })).toMatchObject({
      status: 504,
      body: { error: "timeout", sent: true },
    });
  });

  it("says that the charger left without an answer, and that the CALL was sent", async () => {
    charger.handle("Reset", () => {
      charger.close();
      return { status: "Accepted" };
    });

    const answer = await send("Reset", { type: "Hard" });
    expect(answer).toMatchObject({ status: 502, body: { error: "disconnected", sent: true } });
  });

  it("says that the charger is offline", async () => {
    const gone = new Promise((resolve) => backEnd.running.centralSystem.once("disconnected", resolve));
    charger.close();
    await gone;

    expect(await send("Reset", { type: "Soft" })).toMatchObject({ status: 503, body: { error: "offline" } });
  });

  it("says that nobody knows the charger", async () => {
    const answer = await backEnd.request("/chargers/NOBODY/calls/Reset", { type: "Soft" });
    expect(answer).toMatchObject({ status: 404, body: { error: "unknown-charger" } });
  });

  it("says that the charger is not accepted [CORE-BOOT-22]", async () => {
    backEnd.tables.chargers.admit("CP002", "Pending");
    await backEnd.boot("CP002");

    expect(await backEnd.request("/chargers/CP002/calls/RemoteStartTransaction", { idTag: "A" })).toMatchObject({
      status: 409,
      body: { error: "not-accepted", registration: "Pending" },
    });
  });

  it("takes JSON only, so that no form on a stranger's page can send anything", async () => {
    const url = `${backEnd.running.url}/chargers/CP%201%2F2/calls/ClearCache`;

    for (const init of [{ body: "{}", headers: { "Content-Type": "text/plain" } }, {}]) {
      const response = await fetch(url, { method: "POST", ...init });
      expect(response.status).toBe(415);
    }
    expect(texts).toEqual([]);
  });
});

describe("/chargers", () => {
  it("lists who is known, online or not, and never a key", async () => {
    await backEnd.request("/chargers/CP002", { admission: "Accepted", authorizationKey: "00".repeat(16) }, "PUT");
    await backEnd.boot("CP001");

    const { body } = await backEnd.request("/chargers");
    expect(body).toMatchObject([
      { identity: "CP001", online: true, registration: "Accepted", chargePointVendor: "VENDOR", hasCredentials: false },
      { identity: "CP002", online: false, registration: null, chargePointVendor: null, hasCredentials: true },
    ]);
    expect(JSON.stringify(body)).not.toMatch(/scrypt|credentials"/);
  });

  it("finds every charger that can connect, however long its identity", async () => {
    const identity = "充".repeat(255);
    await backEnd.boot(identity);

    expect(await backEnd.request(`/chargers/${encodeURIComponent(identity)}`)).toMatchObject({ body: { identity } });
  });

  it("accepts a charger that waits, which is asked to boot at once [CORE-BOOT-21]", async () => {
    backEnd.tables.chargers.admit("CP001", "Pending");
    const charger = await backEnd.connect();
    const accepted = new Promise<unknown>((resolve) => {
      charger.handle("TriggerMessage", (_, { answered }) => {
        void answered.then(async () => resolve(await charger.call("BootNotification", boot)));
        return { status: "Accepted" };
      });
    });
    expect(await charger.call("BootNotification", boot)).toMatchObject({ status: "Pending" });
    await expect(charger.call("StartTransaction", start())).rejects.toThrow("SecurityError");

    await backEnd.request("/chargers/CP001", { admission: "Accepted" }, "PUT");
    expect(await accepted).toMatchObject({ status: "Accepted" });
    expect(await charger.call("StartTransaction", start())).toHaveProperty("transactionId");
  });

  it("takes an acceptance back at once [CORE-BOOT-26]", async () => {
    const charger = await backEnd.boot();
    const closed = new Promise((resolve) => charger.once("closed", resolve));

    const { body } = await backEnd.request("/chargers/CP001", { admission: "Rejected" }, "PUT");
    expect(body).toMatchObject({ registration: "Rejected" });
    expect(await closed).toMatchObject({ code: 1008 });
    const again = await backEnd.connect();
    await expect(again.call("StartTransaction", start())).rejects.toThrow("SecurityError");
  });

  it.each([
    [{}, ["admission"]],
    [{ admission: "Maybe" }, ["admission"]],
    [{ admission: "Accepted", authorizationKey: "short" }, ["authorizationKey"]],
  ])("refuses %j", async (body, paths) => {
    const answer = await backEnd.request("/chargers/CP001", body, "PUT");
    expect(answer).toMatchObject({ status: 422, body: { error: "invalid", issues: paths.map((path) => ({ path })) } });
  });
});

describe("a charger that is known", () => {
  const key = "00".repeat(16);

  it("gets a key alone, and is Pending or what it was", async () => {
    const put = (body: object) => backEnd.request("/chargers/CP001", body, "PUT");
    expect((await put({ authorizationKey: key })).body).toMatchObject({ admission: "Pending", hasCredentials: true });
    await put({ admission: "Accepted" });
    expect((await put({ authorizationKey: "11".repeat(16) })).body).toMatchObject({ admission: "Accepted" });
  });

  it("is forgotten with all but its bills, and begins anew when it comes back", async () => {
    const charger = await backEnd.boot();
    await charger.call("StatusNotification", { connectorId: 1, status: "Available", errorCode: "NoError" });
    await charger.call("StartTransaction", start());
    await charger.call("StopTransaction", stop(1));
    await backEnd.request("/chargers/CP001", { admission: "Rejected", authorizationKey: key }, "PUT");
    const live = await fetch(`${backEnd.running.url}/live`);

    expect((await backEnd.request("/chargers/CP001", undefined, "DELETE")).status).toBe(204);
    await live.text(); // It ends: browsers ask again, and get who is left.
    expect((await backEnd.request("/chargers")).body).toEqual([]);
    expect((await backEnd.request("/chargers/CP001", undefined, "DELETE")).status).toBe(404);
    expect((await backEnd.request("/transactions?identity=CP001")).body).toMatchObject([{ energyWh: 360 }]);

    const again = await backEnd.connect();
    expect(await again.call("BootNotification", boot)).toMatchObject({ status: "Accepted" });
    const { body } = await backEnd.request("/chargers/CP001");
    expect(body).toMatchObject({ admission: "Accepted", hasCredentials: false, connectors: [] });
  });
});

describe("/id-tags", () => {
  it("creates, reads, replaces, lists and deletes", async () => {
    const path = `/id-tags/${encodeURIComponent("a/b ü")}`;
    const created = { idTag: "a/b ü", status: "Accepted", expiryDate: null, parentIdTag: "FAMILY" };

    expect(await backEnd.request(path, { status: "Accepted", parentIdTag: "FAMILY" }, "PUT")).toEqual({
      status: 200,
      body: created,
    });
    expect((await backEnd.request(path)).body).toEqual(created);
    const blocked = { ...created, status: "Blocked", parentIdTag: null };
    await backEnd.request(path.replace("a%2F", "A%2F"), { status: "Blocked" }, "PUT");
    expect((await backEnd.request("/id-tags")).body).toEqual([{ ...blocked, idTag: "A/b ü" }]);
    expect((await backEnd.request(path, undefined, "DELETE")).status).toBe(204);
    expect((await backEnd.request(path, undefined, "DELETE")).status).toBe(404);
    expect((await backEnd.request(path)).body).toMatchObject({ error: "unknown-id-tag" });
  });

  it.each([
    ["TAG", { status: "ConcurrentTx" }],
    ["TAG", { status: "Accepted", expiryDate: "tomorrow" }],
    ["TAG", { status: "Accepted", parentIdTag: "A".repeat(21) }],
    ["A".repeat(21), { status: "Accepted" }],
    ["TAG", { status: "Accepted", colour: "red" }],
  ])("refuses %s %j, which could not be told to a charger", async (idTag, body) => {
    expect(await backEnd.request(`/id-tags/${idTag}`, body, "PUT")).toMatchObject({ status: 422 });
    expect((await backEnd.request("/id-tags")).body).toEqual([]);
  });
});

describe("/reservations", () => {
  let charger: Connection<"ChargePoint">;
  let received: Req<"ReserveNow">[];
  let answer: Conf<"ReserveNow">["status"];

  beforeEach(async () => {
    received = [];
    answer = "Accepted";
    await backEnd.request("/id-tags/04E91C5A", { status: "Accepted", parentIdTag: "FAMILY" }, "PUT");
    charger = await backEnd.boot();
    charger.handle("ReserveNow", (req) => {
      received.push(req);
      return { status: answer };
    });
    charger.handle("CancelReservation", () => ({ status: "Accepted" }));
  });

  const reserve = (other: object = {}) =>
    backEnd.request("/reservations", { identity: "CP001", connectorId: 1, idTag: "04E91C5A", expiryDate, ...other });
  const statuses = async () =>
    (await backEnd.request("/reservations")).body.map(({ status }: Conf<"ReserveNow">) => status);

  it("reserves with an id of its own and the group of the idTag, and keeps the answer [RSV-02]", async () => {
    const { body, status } = await reserve();
    answer = "Occupied";
    const second = await reserve();

    expect([status, second.status]).toEqual([201, 200]);
    expect(body).toMatchObject({ reservationId: 1, status: "Accepted" });
    expect(received[0]).toEqual({
      reservationId: 1,
      connectorId: 1,
      idTag: "04E91C5A",
      expiryDate,
      parentIdTag: "FAMILY",
    });
    expect((await backEnd.request("/reservations")).body).toEqual([
      expect.objectContaining({ identity: "CP001", reservationId: 2, status: "Occupied" }),
      expect.objectContaining({ identity: "CP001", reservationId: 1, status: "Accepted", transactionId: null }),
    ]);
    expect((await backEnd.request("/reservations?status=Accepted")).body).toHaveLength(1);
  });

  it("gives each its own id, also while others wait to be sent", async () => {
    const all = await Promise.all([reserve(), reserve(), reserve()]);

    expect(all.map(({ body }) => body.reservationId).sort()).toEqual([1, 2, 3]);
    expect(await statuses()).toEqual(["Accepted", "Accepted", "Accepted"]);
  });

  it("knows who has used a reservation [RSV-13] [RSV-14]", async () => {
    await reserve();
    const { transactionId } = await charger.call("StartTransaction", start({ reservationId: 1 }));

    expect((await backEnd.request("/reservations")).body).toMatchObject([{ status: "Used", transactionId }]);
  });

  it("knows who was the first to use a reservation, if a charger names it again", async () => {
    await reserve();
    const { transactionId } = await charger.call("StartTransaction", start({ reservationId: 1 }));
    await charger.call("StopTransaction", stop(transactionId));
    await charger.call("StartTransaction", start({ reservationId: 1, timestamp: "2026-01-02T00:00:00Z" }));

    expect((await backEnd.request("/reservations")).body).toMatchObject([{ status: "Used", transactionId }]);
  });

  it("does not take back that a reservation was used when its answer comes late", async () => {
    const late = await backEnd.connect("CP002");
    await late.call("BootNotification", boot);
    late.handle("ReserveNow", async ({ reservationId }, { connection }) => {
      await connection.call("StartTransaction", start({ reservationId }));
      return { status: "Accepted" };
    });
    await reserve({ identity: "CP002" });

    expect(await statuses()).toEqual(["Used"]);
  });

  it("knows that a reservation was cancelled [RSV-20]", async () => {
    await reserve();
    await backEnd.request("/chargers/CP001/calls/CancelReservation", { reservationId: 1 });

    expect(await statuses()).toEqual(["Cancelled"]);
  });

  it("knows that a reservation has expired, whatever the time zone [RSV-13]", async () => {
    const soon = new Date(Date.now() - 1000);
    const elsewhere = new Date(soon.getTime() + 9 * 3_600_000).toISOString().replace("Z", "+09:00");
    await reserve({ expiryDate: elsewhere });
    await reserve({ expiryDate: new Date(Date.now() + 3_600_000).toISOString() });

    expect(await statuses()).toEqual(["Accepted", "Expired"]);
  });

  it.each([
    [1, "Faulted", ["Accepted", "Faulted"]],
    [0, "Unavailable", ["Unavailable", "Unavailable"]],
    [1, "Charging", ["Accepted", "Accepted"]],
  ] as const)("knows what it means that connector %d becomes %s [RSV-13]", async (connectorId, status, expected) => {
    await reserve();
    await reserve({ connectorId: 2 });
    await charger.call("StatusNotification", { connectorId, status, errorCode: "NoError" });

    expect(await statuses()).toEqual(expected);
  });

  it("are not listed by a status that there is none of", async () => {
    expect(await backEnd.request("/reservations?status=accepted")).toMatchObject({ status: 422 });
  });

  it("replaces a reservation that is made again [RSV-01]", async () => {
    await reserve();
    const req = { reservationId: 1, connectorId: 2, idTag: "OTHER", expiryDate };
    await backEnd.request("/chargers/CP001/calls/ReserveNow", req);

    expect((await backEnd.request("/reservations")).body).toMatchObject([{ ...req, status: "Accepted" }]);
  });

  it("keeps one that was not answered as Requested: nobody knows", async () => {
    const silent = await backEnd.boot("CP002");
    silent.handle("ReserveNow", () => new Promise(() => {}));

    expect(await reserve({ identity: "CP002" })).toMatchObject({ status: 504 });
    expect(await statuses()).toEqual(["Requested"]);
  });

  it("keeps one that was answered with a CALLERROR as Rejected", async () => {
    await backEnd.boot("CP002");

    expect(await reserve({ identity: "CP002" })).toMatchObject({ status: 502, body: { code: "NotSupported" } });
    expect(await statuses()).toEqual(["Rejected"]);
  });

  it("keeps nothing of one that was never sent", async () => {
    const gone = new Promise((resolve) => backEnd.running.centralSystem.once("disconnected", resolve));
    charger.close();
    await gone;
    expect((await reserve()).status).toBe(503);
    expect((await reserve({ identity: "CP003" })).status).toBe(404);
    expect((await reserve({ connectorId: -1 })).status).toBe(422);

    expect(await statuses()).toEqual([]);
  });
});

describe("/transactions", () => {
  beforeEach(async () => {
    for (const identity of ["CP001", "CP002"]) {
      const charger = await backEnd.boot(identity);
      const { transactionId } = await charger.call("StartTransaction", start());
      await charger.call("StopTransaction", stop(transactionId));
      await charger.call("StartTransaction", start({ timestamp: "2026-01-02T00:00:00Z" }));
      await charger.call("StopTransaction", stop(-1));
    }
  });

  it.each([
    ["", [4, 3, 2, 1]],
    ["?identity=CP002", [4, 3]],
    ["?running=true", [4, 2]],
    ["?running=true&identity=CP001", [2]],
    ["?limit=2", [4, 3]],
    ["?limit=2&before=3", [2, 1]],
    ["?identity=NOBODY", []],
  ])("%s lists the latest first", async (query, expected) => {
    const { body } = await backEnd.request(`/transactions${query}`);
    expect(body.map(({ transactionId }: { transactionId: number }) => transactionId)).toEqual(expected);
  });

  it.each(["?limit=0", "?limit=1001", "?limit=many", "?running=perhaps", "?colour=red"])(
    "%s is refused",
    async (query) => {
      expect(await backEnd.request(`/transactions${query}`)).toMatchObject({ status: 422, body: { error: "invalid" } });
    },
  );

  it("lists the stops that fit none", async () => {
    expect((await backEnd.request("/transactions/orphaned-stops")).body).toMatchObject([
      { identity: "CP002", transactionId: -1 },
      { identity: "CP001", transactionId: -1 },
    ]);
  });

  it.each(["5", "x", "1.5"])("does not find %s", async (id) => {
    expect(await backEnd.request(`/transactions/${id}`)).toMatchObject({ status: 404 });
  });
});

describe("errors", () => {
  it("are JSON, also where there is nothing", async () => {
    expect(await backEnd.request("/nothing")).toMatchObject({ status: 404, body: { error: "not-found" } });
  });

  it("are JSON, also for a body that is none", async () => {
    const headers = { "Content-Type": "application/json" };
    const response = await fetch(`${backEnd.running.url}/reservations`, { method: "POST", body: "{", headers });

    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ error: "bad-request" });
  });

  it("are JSON, also for a body that is too large", async () => {
    const answer = await backEnd.request("/reservations", { idTag: "A".repeat(2_000_000) });
    expect(answer).toMatchObject({ status: 413, body: { error: "bad-request" } });
  });

  it("are JSON, also for a URL that is none", async () => {
    expect(await backEnd.request("/chargers/%E0%A4%A")).toMatchObject({ status: 400, body: { error: "bad-request" } });
  });
});

describe("access", () => {
  /** A request with a Host header of the test's choice. */
  const statusFor = (host: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      httpRequest(`${backEnd.running.url}/chargers`, { headers: { host } }, (response) => {
        response.resume();
        resolve(response.statusCode);
      })
        .on("error", reject)
        .end();
    });

  it("is for this machine's names only, so that no stranger's name leads here", async () => {
    expect(await statusFor("localhost:8080")).toBe(200);
    expect(await statusFor("127.0.0.1")).toBe(200);
    expect(await statusFor("stranger.example")).toBe(403);
    expect(await statusFor("localhost.stranger.example:8080")).toBe(403);
  });

  it("needs the token where there is one, for the page and its events, too", async () => {
    await backEnd.stop();
    await backEnd.start({ token: "a long secret" });
    const statusWith = async (path: string, authorization?: string) =>
      (await fetch(backEnd.running.url + path, { headers: authorization === undefined ? {} : { authorization } }))
        .status;

    for (const path of ["/", "/page.js", "/live", "/chargers", "/nothing"]) {
      const response = await fetch(backEnd.running.url + path);
      expect(response.status).toBe(401);
      expect(response.headers.get("WWW-Authenticate")).toMatch(/^Basic /);
    }
    const basic = (text: string) => `Basic ${Buffer.from(text).toString("base64")}`;
    expect(await statusWith("/chargers", "Bearer a_long_secret")).toBe(401);
    expect(await statusWith("/chargers", basic("anybody:wrong"))).toBe(401);
    expect(await statusWith("/chargers", basic("anybody:a long secret"))).toBe(200);
  });

  it.each([{}, { token: "" }])("is refused to the network with %j", async (options) => {
    const started = startBackEnd({ file: ":memory:", api: { host: "0.0.0.0" }, ...options });
    await expect(started).rejects.toThrow("give a token");
  });

  it("keeps nobody waiting who asks for the head of what never ends", async () => {
    expect((await fetch(`${backEnd.running.url}/live`, { method: "HEAD" })).status).toBe(404);
  });
});
