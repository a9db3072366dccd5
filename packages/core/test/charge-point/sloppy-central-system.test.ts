import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import {
  type Action,
  AuthorizationCache,
  ChargePoint,
  type ChargePointEvents,
  type ChargePointOptions,
  Configuration,
  memoryStore,
  type Quirk,
  quirks,
} from "../../src/index.ts";

const second = 1000;
const minute = 60 * second;
const day = 24 * 60 * minute;
const noon = Date.parse("2026-11-22T12:00:00Z");
const accepted = { status: "Accepted", currentTime: "2026-11-22T12:00:00Z", interval: 300 };
const report = (error: Error): never => expect.unreachable(error.message);

/** A Charge Point whose Central System writes what the test says, right or wrong. */
class Site {
  readonly clock = new FakeClock();
  /** What each action is answered with. */
  readonly answers: Partial<Record<Action, unknown>> = {
    BootNotification: accepted,
    Heartbeat: { currentTime: accepted.currentTime },
    StatusNotification: {},
  };
  /** The CALLs that have arrived, and the answers to the Central System's own. */
  readonly arrived: (readonly unknown[])[] = [];
  readonly events: { [Name in "violation" | "tolerated" | "fault" | "registration"]: ChargePointEvents[Name][0][] } = {
    violation: [],
    tolerated: [],
    fault: [],
    registration: [],
  };
  readonly chargePoint: ChargePoint;
  #send: (frame: unknown) => void = () => {};
  #ids = 0;

  constructor(options: Partial<ChargePointOptions> = {}) {
    this.chargePoint = new ChargePoint({
      identity: "CP001",
      url: "ws://central.example.com",
      boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
      clock: this.clock,
      connect: async () => {
        const link = transportPair(this.clock);
        this.#send = (frame) => link.centralSystem.send(JSON.stringify(frame));
        link.centralSystem.listen({
          message: (text) => {
            const frame = JSON.parse(text) as [type: number, messageId: string, action: Action];
            this.arrived.push(frame);
            const [type, messageId, action] = frame;
            if (type === 2 && action in this.answers) this.#send([3, messageId, this.answers[action]]);
          },
          close: () => {},
        });
        return link.chargePoint;
      },
      ...options,
    });
    this.chargePoint.on("violation", (event) => this.events.violation.push(event));
    this.chargePoint.on("tolerated", (event) => this.events.tolerated.push(event));
    this.chargePoint.on("fault", (event) => this.events.fault.push(event));
    this.chargePoint.on("registration", (event) => this.events.registration.push(event));
  }

  async start(): Promise<void> {
    const started = this.chargePoint.start();
    await this.clock.advance(0);
    await started;
    await this.clock.advance(0);
  }

  /** Sends a CALL to the Charge Point, and lets it answer. */
  async call(action: Action, payload: unknown): Promise<unknown> {
    this.#send([2, `cs-${++this.#ids}`, action, payload]);
    await this.clock.advance(0);
    return this.arrived.at(-1);
  }

  /** The actions of the CALLs that have arrived. */
  get actions(): unknown[] {
    return this.arrived.filter(([type]) => type === 2).map(([, , action]) => action);
  }
}

/** A Charge Point that was answered so when it booted. */
async function booted(answer: object, options: Partial<ChargePointOptions> = {}): Promise<Site> {
  const site = new Site(options);
  site.answers.BootNotification = { ...accepted, ...answer };
  await site.start();
  return site;
}

describe("A date-time that is none in RFC 3339", () => {
  test.each([
    ["2026-11-22T12:00:00.123456", noon + 123],
    ["2026-11-22T12:00:00", noon],
    ["2026-11-22 12:00:00.123456+00:00", noon + 123],
    ["2026-11-22T14:00:00+0200", noon],
    ["2026-11-22T12:00:00+00", noon],
    ["2026-11-22t12:00:00z", noon],
    ["2026-11-22T12:00Z[GMT]", noon],
    ["2026-11-22T11:59:60Z", noon - second],
    ["2026-11-22t11:59:60.5+0000", noon - second / 2],
  ])("%s as currentTime registers a charge point and sets its time [CORE-TIME-05] [Q10]", async (currentTime, time) => {
    const site = await booted({ currentTime });
    expect(site.chargePoint.registration).toBe("Accepted");
    expect(site.chargePoint.now()).toBe(time);
    expect(site.events).toMatchObject({
      registration: [{ status: "Accepted", intervalMs: 300_000 }],
      violation: [],
      fault: [],
    });
    expect(site.events.tolerated.map(({ action, path }) => `${action} ${path}`)).toContain(
      "BootNotification currentTime",
    );
    await site.chargePoint.stop();
  });

  test("is told of as tolerated once for each field, not at each Heartbeat [CORE-TIME-05]", async () => {
    const currentTime = "2026-11-22T12:00:00.123456";
    const site = new Site();
    site.answers.BootNotification = { ...accepted, currentTime };
    site.answers.Heartbeat = { currentTime };
    site.chargePoint.handle("UpdateFirmware", () => ({}));
    await site.start();
    await site.clock.advance(3 * 300 * second);
    for (const retrieveDate of ["2026-11-23T12:00:00", "2026-11-24T12:00:00"]) {
      await site.call("UpdateFirmware", { location: "ftp://example.com/f", retrieveDate });
    }
    expect(site.actions).toEqual(["BootNotification", "Heartbeat", "Heartbeat", "Heartbeat"]);
    expect(site.events.tolerated).toEqual([
      {
        quirk: "localTimes",
        id: "Q10",
        action: "BootNotification",
        path: "currentTime",
        message: "currentTime must be a date-time as in RFC 3339: it is repaired.",
        received: currentTime,
        guessed: true,
      },
      expect.objectContaining({ quirk: "localTimes", action: "Heartbeat", path: "currentTime" }),
      expect.objectContaining({ quirk: "localTimes", action: "UpdateFirmware", path: "retrieveDate" }),
    ]);
    await site.chargePoint.stop();
  });

  test("is a violation of the very frame that was received where it is no time of this century [CORE-BOOT-04]", async () => {
    const currentTime = "1970-01-01T00:00:00.123456";
    const site = new Site();
    site.answers.BootNotification = { ...accepted, currentTime };
    const frames: unknown[] = [];
    site.chargePoint.on("message", ({ direction, frame }) => direction === "in" && frames.push(frame));
    await site.start();
    expect(site.events.violation).toEqual([
      { reason: "payload", message: "currentTime must be of this century.", frame: frames[0] },
    ]);
    expect(site.events.violation[0]?.frame).toStrictEqual(frames[0]);
    expect(frames[0]).toMatchObject({ payload: { currentTime } });
    await site.chargePoint.stop();
  });

  test("is the same field in each element of a list, and another one in another notation [CORE-TIME-05]", async () => {
    const site = await booted({});
    site.chargePoint.handle("SendLocalList", () => ({ status: "Accepted" }));
    const update = (...dates: string[]) =>
      site.call("SendLocalList", {
        listVersion: 1,
        updateType: "Full",
        localAuthorizationList: dates.map((expiryDate, index) => ({
          idTag: `T${index}`,
          idTagInfo: { status: "Accepted", expiryDate },
        })),
      });
    await update("2027-01-01T00:00:00", "2027-01-01T00:00:00", "2027-01-01T00:00:00Z");
    await update("2027-01-01T00:00:00", "2027-01-01T00:00:00Z", "2027-01-01T00:00:00+0000");
    expect(site.events.tolerated.map(({ quirk, path }) => `${quirk} ${path}`)).toEqual([
      "localTimes localAuthorizationList[0].idTagInfo.expiryDate",
      "compactOffsets localAuthorizationList[2].idTagInfo.expiryDate",
    ]);
    await site.chargePoint.stop();
  });

  test("reaches handlers, the cache and callers in RFC 3339 [CORE-TIME-05]", async () => {
    const authorizationCache = await AuthorizationCache.load(memoryStore(), { report });
    const site = await booted({}, { authorizationCache });
    const reqs: unknown[] = [];
    site.chargePoint.handle("ReserveNow", (req) => {
      reqs.push(req);
      return { status: "Accepted" };
    });
    const reservation = { connectorId: 1, idTag: "TAG", reservationId: 1 };
    expect(await site.call("ReserveNow", { ...reservation, expiryDate: "2027-01-01T00:00:00" })).toEqual([
      3,
      "cs-1",
      { status: "Accepted" },
    ]);
    expect(reqs).toEqual([{ ...reservation, expiryDate: "2027-01-01T00:00:00Z" }]);

    site.answers.Authorize = { idTagInfo: { status: "Accepted", expiryDate: "2027-01-01 00:00:00" } };
    const idTagInfo = { status: "Accepted", expiryDate: "2027-01-01T00:00:00Z" };
    const decision = site.chargePoint.authorize("TAG");
    await site.clock.advance(0);
    expect(await decision).toEqual({ decision: "accept", grounds: "central-system", idTagInfo });
    expect(authorizationCache.lookUp("TAG", noon)).toEqual(idTagInfo);

    site.answers.Heartbeat = { currentTime: "2026-11-22t12:00z" };
    const heartbeat = site.chargePoint.call("Heartbeat", {});
    await site.clock.advance(0);
    expect(await heartbeat).toEqual({ currentTime: "2026-11-22T12:00:00Z" });
    await site.chargePoint.stop();
  });

  test("does not hide what else is wrong, unless `tolerate` says so: then both are told of each time [Q2] [Q5]", async () => {
    const badReq = { connectorId: 1, idTag: "TAG", reservationId: 1, expiryDate: "2027-01-01T00:00:00", vendor: 1 };
    const strict = await booted({});
    strict.chargePoint.handle("ReserveNow", () => ({ status: "Accepted" }));
    expect(await strict.call("ReserveNow", badReq)).toEqual([
      4,
      "cs-1",
      "PropertyConstraintViolation",
      expect.stringContaining("vendor is not a field"),
      {},
    ]);
    expect(strict.events.violation).toMatchObject([{ reason: "payload" }]);

    const tolerate: Quirk[] = [quirks.extraFields, quirks.localTimes];
    const tolerant = await booted({}, { tolerate });
    tolerant.chargePoint.handle("ReserveNow", () => ({ status: "Accepted" }));
    await tolerant.call("ReserveNow", badReq);
    expect(await tolerant.call("ReserveNow", badReq)).toEqual([3, "cs-2", { status: "Accepted" }]);
    expect(tolerant.events.tolerated.map(({ quirk }) => quirk)).toEqual(["localTimes", "extraFields", "extraFields"]);
    await Promise.all([strict.chargePoint.stop(), tolerant.chargePoint.stop()]);
  });

  test("is never sent [CORE-TIME-04]", async () => {
    const site = await booted({ currentTime: "2026-11-22T12:00:00.123456" });
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.clock.advance(0);
    expect(site.arrived.at(-1)).toMatchObject([
      2,
      expect.any(String),
      "StatusNotification",
      { timestamp: "2026-11-22T12:00:00.123Z" },
    ]);
    expect(() =>
      site.chargePoint.report({ connectorId: 1, status: "Available", timestamp: "2026-11-22T12:00:00" }),
    ).toThrow("timestamp must be a date-time");
    await site.chargePoint.stop();
  });
});

describe("A currentTime that cannot be read", () => {
  test.each([
    [1795348800],
    [noon],
    [null],
    [undefined],
    [""],
    ["now"],
    ["2026-11-31T12:00:00"],
    ["22.11.2026 12:00:00"],
    [{ $date: noon }],
    ["9999-12-31T23:59:59.999Z"],
    ["0001-01-01T00:00:00Z"],
    ["1970-01-01T00:00:10Z"],
  ])("%j registers the charge point all the same, and is a violation [CORE-BOOT-04]", async (currentTime) => {
    const site = await booted({ currentTime });
    const own = site.clock.now();
    expect(site.chargePoint.registration).toBe("Accepted");
    expect(site.events).toMatchObject({
      registration: [{ status: "Accepted", intervalMs: 300_000 }],
      violation: [
        { reason: "payload", message: expect.stringMatching(/^currentTime /), frame: { type: "CALLRESULT" } },
      ],
      fault: [],
    });
    expect(site.chargePoint.now()).toBe(own);

    site.answers.Heartbeat = { currentTime };
    await site.clock.advance(300 * second);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
    expect(site.events.violation).toHaveLength(2);
    expect(site.events.fault).toEqual([]);
    expect(site.chargePoint.now()).toBe(own + 300 * second);

    site.answers.Heartbeat = { currentTime: "2026-11-22T12:00:00" };
    await site.clock.advance(300 * second);
    expect(site.chargePoint.now()).toBe(noon);
    await site.chargePoint.stop();
  });

  test.each([[{}], [null], [[]], ["OK"], [{ time: accepted.currentTime }]])(
    "%j in answer to Heartbeat shows that somebody is there, and nothing else [CORE-HB-05]",
    async (conf) => {
      const site = await booted({});
      site.answers.Heartbeat = conf;
      await site.clock.advance(2 * 300 * second);
      expect(site.actions).toEqual(["BootNotification", "Heartbeat", "Heartbeat"]);
      expect(site.events.violation).toHaveLength(2);
      expect(site.events.fault).toEqual([]);
      await site.chargePoint.stop();
    },
  );
});

describe("An interval", () => {
  const keys = {
    NumberOfConnectors: { value: 1 },
    GetConfigurationMaxKeys: { value: 50 },
    SupportedFeatureProfiles: { value: ["Core"] },
    HeartbeatInterval: { value: 900 },
  } as const;

  test.each<[unknown, number]>([
    ["300", 300],
    [299.6, 300],
    [0.4, 900],
    [0, 900],
    [-1, 900],
    ["-1", 900],
    [null, 900],
    [undefined, 900],
    ["five minutes", 900],
    [{}, 900],
    [1e300, 900],
    [86_401, 86_400],
    [1e12, 86_400],
    ["1000000000000", 86_400],
  ])("of %j with Accepted means a Heartbeat every %d s [CORE-BOOT-03] [CORE-BOOT-06]", async (interval, seconds) => {
    const configuration = await Configuration.load({ keys, store: memoryStore(), report });
    const site = await booted({ interval }, { configuration });
    expect(site.events).toMatchObject({
      registration: [{ status: "Accepted", intervalMs: seconds * second }],
      fault: [],
    });
    expect(configuration.get("HeartbeatInterval")).toBe(seconds);
    await site.clock.advance(seconds * second - 1);
    expect(site.actions).toEqual(["BootNotification"]);
    await site.clock.advance(1);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
    await site.chargePoint.stop();
  });

  test.each<[status: "Pending" | "Rejected", interval: unknown, waitMs: number]>([
    ["Pending", "30", 30 * second],
    ["Rejected", 29.5, 30 * second],
    ["Pending", -5, minute],
    ["Rejected", null, minute],
    ["Rejected", undefined, minute],
    ["Pending", 2 * 86_400, 2 * day],
    ["Rejected", 1e12, 7 * day],
    ["Pending", "99999999999", 7 * day],
  ])(
    "with %s of %j means the next BootNotification after %d ms [CORE-BOOT-05] [CORE-BOOT-06]",
    async (status, interval, waitMs) => {
      const site = await booted({ status, interval });
      expect(site.events.registration).toEqual([{ status, intervalMs: waitMs }]);
      await site.clock.advance(waitMs - 1);
      expect(site.actions).toEqual(["BootNotification"]);
      await site.clock.advance(1);
      expect(site.actions).toEqual(["BootNotification", "BootNotification"]);
      await site.chargePoint.stop();
    },
  );
});

describe("A BootNotification.conf", () => {
  test("counts with fields that OCPP does not know, and with several flaws at once [CORE-BOOT-03]", async () => {
    const site = await booted({ currentTime: "2026-11-22 12:00:00", interval: "60", vendor: { a: 1 }, data: null });
    expect(site.events).toMatchObject({
      registration: [{ status: "Accepted", intervalMs: minute }],
      violation: [{ reason: "payload" }],
      fault: [],
    });
    expect(site.chargePoint.now()).toBe(noon);
    await site.chargePoint.stop();
  });

  test.each(["accepted", "", null, 1, undefined])("whose status is %j is no answer [CORE-BOOT-02]", async (status) => {
    const site = await booted({ status });
    expect(site.chargePoint.registration).toBe("Unregistered");
    expect(site.events).toMatchObject({
      registration: [],
      violation: [{ reason: "payload" }],
      fault: [{ action: "BootNotification", error: { name: "PayloadError" } }],
    });
    site.answers.BootNotification = accepted;
    await site.clock.advance(minute);
    expect(site.chargePoint.registration).toBe("Accepted");
    await site.chargePoint.stop();
  });
});

describe("An Authorize.conf", () => {
  test.each<[unknown, unknown]>([
    [{ status: "Accepted", expiryDate: null }, { status: "Accepted" }],
    [
      { status: "Accepted", more: 1, parentIdTag: "GROUP" },
      { status: "Accepted", parentIdTag: "GROUP" },
    ],
    [{ status: "Blocked", expiryDate: 0, parentIdTag: "x".repeat(21) }, { status: "Blocked" }],
  ])("with the idTagInfo %j decides by what can be read [CORE-AUTH-14]", async (sent, idTagInfo) => {
    const site = await booted({});
    site.answers.Authorize = { idTagInfo: sent };
    const decision = site.chargePoint.authorize("TAG");
    await site.clock.advance(0);
    expect(await decision).toMatchObject({ grounds: "central-system", idTagInfo });
    expect(site.events.violation).toMatchObject([{ reason: "payload" }]);
    await site.chargePoint.stop();
  });

  test.each([null, {}, { status: "OK" }, "Accepted"])(
    "with the idTagInfo %j is none: it is decided as if nobody had answered [CORE-LAO-28]",
    async (idTagInfo) => {
      const site = await booted({});
      site.answers.Authorize = { idTagInfo };
      const decision = site.chargePoint.authorize("TAG");
      await site.clock.advance(0);
      expect(await decision).toEqual({ decision: "refuse", grounds: "unknown-offline" });
      await site.chargePoint.stop();
    },
  );
});

describe("What was forgiven of the opening handshake", () => {
  test("is told of as tolerated when the connection is open [Q18]", async () => {
    const use = { quirk: "missingSubprotocol", id: "Q18", path: "", message: "The opening handshake has none." };
    const clock = new FakeClock();
    const told: unknown[] = [];
    const chargePoint = new ChargePoint({
      identity: "CP001",
      url: "ws://central.example.com",
      boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
      clock,
      connect: async () => Object.assign(transportPair(clock).chargePoint, { tolerated: [use] }),
    });
    chargePoint.on("connected", () => told.push("connected"));
    chargePoint.on("tolerated", (event) => told.push(event));
    await chargePoint.start();
    await clock.advance(0);
    expect(told).toEqual(["connected", use]);
    await chargePoint.stop();
  });
});
