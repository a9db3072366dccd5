/*
 * What real firmware was seen to do, and how a CentralSystem lives with it. The numbers are those of the field notes; what
 * needs sockets is in packages/node/test/handshake/field-notes.test.ts.
 */
import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import {
  CallError,
  CentralSystem,
  type CentralSystemOptions,
  type Connection,
  quirks,
  type Req,
  transactionMessageKey,
} from "../../src/index.ts";

/** A charger that sends what a test says, and does nothing by itself. */
interface Charger {
  readonly connection: Connection<"CentralSystem">;
  readonly link: ReturnType<typeof transportPair>;
  /** The frames that have arrived, as JSON. */
  readonly arrived: unknown[][];
  /** Sends frames, one right after the other, and lets everything that follows happen. */
  send(...frames: readonly unknown[][]): Promise<void>;
  /** Is gone, without a close frame. */
  vanish(): Promise<void>;
  /** The answer that a message id has got: the elements behind the id; every one of them, if there are several. */
  answersTo(messageId: string): unknown[][];
}

/** A Central System for which all chargers have been accepted, unless `options` say otherwise. */
function site(options: CentralSystemOptions = {}) {
  const clock = new FakeClock();
  const accepted = { get: () => "Accepted" as const, set: () => {} };
  const centralSystem = new CentralSystem({ clock, registrations: accepted, ...options });
  const log: string[] = [];
  centralSystem.on("connected", ({ identity }) => log.push(`${identity} connected`));
  centralSystem.on("disconnected", ({ identity, code }) => log.push(`${identity} ${code}`));
  centralSystem.on("violation", ({ reason }) => log.push(reason));
  centralSystem.on("fault", ({ error }) => log.push(String(error)));
  const connect = (identity = "CP001"): Charger => {
    const link = transportPair(clock);
    const connection = centralSystem.accept(link.centralSystem, identity);
    const arrived: unknown[][] = [];
    link.chargePoint.listen({ message: (text) => arrived.push(JSON.parse(text)), close: () => {} });
    const send = async (...frames: readonly unknown[][]): Promise<void> => {
      for (const frame of frames) link.chargePoint.send(JSON.stringify(frame));
      await clock.advance(0);
    };
    const vanish = async (): Promise<void> => {
      link.chargePoint.drop();
      await clock.advance(0);
    };
    const answersTo = (messageId: string): unknown[][] =>
      arrived.filter(([type, id]) => type !== 2 && id === messageId).map(([type, , ...rest]) => [type, ...rest]);
    return { connection, link, arrived, send, vanish, answersTo };
  };
  return { clock, centralSystem, log, connect };
}

/** Answers the CALL that has arrived at a charger last; resolves with what its caller is told. */
async function answered(charger: Charger, conf: Promise<unknown>, type: 3 | 4, ...rest: unknown[]): Promise<unknown> {
  const outcome = conf.catch((error: unknown) => error);
  await charger.send();
  const [, messageId] = charger.arrived.at(-1) ?? [];
  await charger.send([type, messageId, ...rest]);
  return outcome;
}

const currentTime = "2026-01-01T00:00:00Z";
const accepted = { status: "Accepted" } as const;
const start = { connectorId: 1, idTag: "04E91C5A", timestamp: "2025-12-31T22:00:00Z", meterStart: 5 };
const stop = { transactionId: 7, timestamp: "2025-12-31T23:00:00Z", meterStop: 9 };
const meterValues = (value: string, timestamp = "2025-12-31T22:30:00Z") => ({
  connectorId: 1,
  transactionId: 7,
  meterValue: [{ timestamp, sampledValue: [{ value }] }],
});

describe("Message ids", () => {
  test("of two chargers may be the same at the same time: each gets its own answer [field note 1]", async () => {
    const { centralSystem, connect } = site();
    centralSystem.handle("StartTransaction", async (_, { connection }) => ({
      transactionId: connection.identity === "CP001" ? 1 : 2,
      idTagInfo: accepted,
    }));
    const chargers = ["CP001", "CP002"].map((identity) => connect(identity));
    for (const charger of chargers)
      charger.link.chargePoint.send(JSON.stringify([2, "1804289383", "StartTransaction", start]));
    for (const charger of chargers) await charger.send();
    expect(chargers.map(({ answersTo }) => answersTo("1804289383"))).toEqual([
      [[3, { transactionId: 1, idTagInfo: accepted }]],
      [[3, { transactionId: 2, idTagInfo: accepted }]],
    ]);
  });

  test("come again after a reboot: even the same CALL under the same id is a new one then [field note 1] [J-109]", async () => {
    const { centralSystem, connect } = site();
    const tags: string[] = [];
    centralSystem.handle("Authorize", ({ idTag }) => {
      tags.push(idTag);
      return { idTagInfo: { status: tags.length === 1 ? "Accepted" : "Expired" } };
    });
    const call = [2, "1804289383", "Authorize", { idTag: "A" }];
    const before = connect();
    await before.send(call);
    await before.vanish();
    const after = connect();
    await after.send(call);
    expect(tags).toEqual(["A", "A"]);
    expect(before.answersTo("1804289383")).toEqual([[3, { idTagInfo: { status: "Accepted" } }]]);
    expect(after.answersTo("1804289383")).toEqual([[3, { idTagInfo: { status: "Expired" } }]]);
  });

  test("come again after a reboot while the CALL from before is still served: its answer is not taken for the new one's [field note 1]", async () => {
    const { clock, centralSystem, connect } = site();
    const release: (() => void)[] = [];
    centralSystem.handle("Authorize", async ({ idTag }) => {
      await new Promise<void>((resolve) => release.push(resolve));
      return { idTagInfo: { status: idTag === "A" ? "Accepted" : "Invalid" } };
    });
    const before = connect();
    await before.send([2, "1", "Authorize", { idTag: "A" }]);
    await before.vanish();
    const after = connect();
    await after.send([2, "1", "Authorize", { idTag: "B" }]);
    release.shift()?.();
    await clock.advance(0);
    expect(after.arrived).toEqual([]);
    release.shift()?.();
    await clock.advance(0);
    expect(after.answersTo("1")).toEqual([[3, { idTagInfo: { status: "Invalid" } }]]);
    expect(before.arrived).toEqual([]);
  });
});

describe("A transaction message that is sent again", () => {
  /** Keeps transactions as an owner would: known by their content. */
  function ledger(centralSystem: CentralSystem) {
    const transactions = new Map<string, number>();
    centralSystem.handle("StartTransaction", async (req, { connection }) => {
      const key = transactionMessageKey(connection.identity, "StartTransaction", req);
      const transactionId = transactions.get(key) ?? transactions.size + 1;
      transactions.set(key, transactionId);
      return { transactionId, idTagInfo: accepted };
    });
    return transactions;
  }

  test("under a new message id, on the same connection or the next, is known by its content [field note 2] [Q14]", async () => {
    const { clock, centralSystem, connect } = site();
    const transactions = ledger(centralSystem);
    const first = connect();
    await first.send([2, "1", "StartTransaction", start]);
    await clock.advance(40_000);
    await first.send([2, "2", "StartTransaction", start]);
    await first.vanish();
    const second = connect();
    await second.send([2, "1", "StartTransaction", { ...start, timestamp: "2025-12-31T22:00:00.000Z" }]);
    const answers = [first.answersTo("1"), first.answersTo("2"), second.answersTo("1")];
    for (const answer of answers) expect(answer).toEqual([[3, { transactionId: 1, idTagInfo: accepted }]]);
    expect(transactions.size).toBe(1);
  });

  test.each<[string, Partial<Req<"StartTransaction">>]>([
    ["another connector", { connectorId: 2 }],
    ["another idTag", { idTag: "04E91C5B" }],
    ["another moment", { timestamp: "2025-12-31T22:00:01Z" }],
    ["another meter reading", { meterStart: 6 }],
  ])("is not taken for one with %s [field note 2]", async (_, difference) => {
    const { centralSystem, connect } = site();
    const transactions = ledger(centralSystem);
    const charger = connect();
    await charger.send([2, "1", "StartTransaction", start], [2, "2", "StartTransaction", { ...start, ...difference }]);
    expect(transactions.size).toBe(2);
    await connect("CP002").send([2, "1", "StartTransaction", start]);
    expect(transactions.size).toBe(3);
  });

  test("while the first copy is still served is served beside it [field note 2] [J-108]", async () => {
    const { clock, centralSystem, connect, log } = site();
    centralSystem.handle("StopTransaction", async () => {
      await new Promise<void>((resolve) => clock.wakeAt(clock.now() + 50_000, resolve));
      return {};
    });
    const charger = connect();
    await charger.send([2, "1", "StopTransaction", stop]);
    await clock.advance(40_000);
    await charger.send([2, "2", "StopTransaction", stop]);
    await clock.advance(50_000);
    expect([charger.answersTo("1"), charger.answersTo("2")]).toEqual([[[3, {}]], [[3, {}]]]);
    expect(log).toEqual(["CP001 connected"]);
  });

  test("after a CALLERROR gets another attempt [field note 2] [CORE-TXQ-09]", async () => {
    const { clock, centralSystem, connect } = site();
    let attempts = 0;
    centralSystem.handle("StartTransaction", () => {
      if (++attempts === 1) throw new CallError("InternalError", "no database");
      return { transactionId: 1, idTagInfo: accepted };
    });
    const charger = connect();
    await charger.send([2, "1", "StartTransaction", start]);
    await clock.advance(60_000);
    await charger.send([2, "2", "StartTransaction", start]);
    expect(charger.answersTo("1")).toEqual([[4, "InternalError", expect.any(String), {}]]);
    expect(charger.answersTo("2")).toEqual([[3, { transactionId: 1, idTagInfo: accepted }]]);
  });
});

describe("A bill", () => {
  test.each([0, -1, 2_147_483_647])(
    "of transaction %d, which nobody has begun, is for its handler to judge, and answered well [field note 3] [Q12]",
    async (transactionId) => {
      const { centralSystem, connect, log } = site();
      const seen: number[] = [];
      centralSystem.handle("StopTransaction", (req) => {
        seen.push(req.transactionId);
        return {};
      });
      const charger = connect();
      await charger.send([2, "1", "StopTransaction", { ...stop, transactionId }]);
      expect(seen).toEqual([transactionId]);
      expect(charger.answersTo("1")).toEqual([[3, {}]]);
      expect(log).toEqual(["CP001 connected"]);
    },
  );

  test("is not refused because too much is under way: the connection ends instead, and it is sent again [field note 3]", async () => {
    const { clock, centralSystem, connect, log } = site({ maxServedCalls: 2 });
    centralSystem.handle("MeterValues", () => new Promise(() => {}));
    centralSystem.handle("StopTransaction", () => ({}));
    const charger = connect();
    await charger.send(
      [2, "1", "MeterValues", meterValues("5")],
      [2, "2", "MeterValues", meterValues("6")],
      [2, "3", "StopTransaction", stop],
      ...Array.from({ length: 20 }, (_, index) => [2, `${index + 4}`, "MeterValues", meterValues("7")]),
    );
    await clock.advance(0);
    expect(charger.arrived).toEqual([]);
    expect(log).toEqual(["CP001 connected", "too-many-calls", "CP001 1008"]);
    const again = connect();
    await again.send([2, "1", "StopTransaction", stop]);
    expect(again.answersTo("1")).toEqual([[3, {}]]);
  });

  test("is taken although MeterValues of its transaction are refused [field note 4]", async () => {
    const { centralSystem, connect } = site();
    centralSystem.handle("StopTransaction", () => ({}));
    const charger = connect();
    await charger.send([2, "1", "MeterValues", meterValues("5")], [2, "2", "StopTransaction", stop]);
    expect(charger.answersTo("1")).toEqual([[4, "NotSupported", expect.any(String), {}]]);
    expect(charger.answersTo("2")).toEqual([[3, {}]]);
  });
});

describe("MeterValues", () => {
  test.each([
    ["of a transaction that nobody has begun", { ...meterValues("5"), transactionId: -1 }],
    ["of no transaction", { connectorId: 0, meterValue: meterValues("5").meterValue }],
    ["that are negative", meterValues("-0.5")],
    ["that are no numbers", meterValues("n/a")],
    ["of the past", meterValues("5", "1970-01-01T00:00:00Z")],
    ["of the future", meterValues("5", "2099-01-01T00:00:00Z")],
  ])(
    "%s are for their handler to judge, because a CALLERROR would hold back the bill [field note 4]",
    async (_, req) => {
      const { centralSystem, connect } = site();
      const seen: unknown[] = [];
      centralSystem.handle("MeterValues", (payload) => {
        seen.push(payload);
        return {};
      });
      const charger = connect();
      await charger.send([2, "1", "MeterValues", req]);
      expect(seen).toEqual([req]);
      expect(charger.answersTo("1")).toEqual([[3, {}]]);
    },
  );

  test("that break their schema in a way that is known are answered well where a quirk forgives it [field note 4] [Q8]", async () => {
    const req = meterValues("50");
    Object.assign(req.meterValue[0]?.sampledValue[0] ?? {}, { unit: "Hertz" });
    for (const tolerate of [[], [quirks.unknownValues]]) {
      const { centralSystem, connect } = site({ tolerate });
      centralSystem.handle("MeterValues", () => ({}));
      const charger = connect();
      await charger.send([2, "1", "MeterValues", req]);
      const [[type] = []] = charger.answersTo("1");
      expect(type).toBe(tolerate.length === 0 ? 4 : 3);
    }
  });

  test("that fall within a transaction, and a meterStop below them, reach their handlers as they are [field note 7]", async () => {
    const { centralSystem, connect, log } = site();
    const readings: unknown[] = [];
    centralSystem.handle("MeterValues", ({ meterValue }) => {
      readings.push(meterValue[0]?.sampledValue[0]?.value);
      return {};
    });
    centralSystem.handle("StopTransaction", ({ meterStop }) => {
      readings.push(meterStop);
      return {};
    });
    const before = connect();
    await before.send([2, "1", "MeterValues", meterValues("5")], [2, "2", "MeterValues", meterValues("12")]);
    await before.vanish();
    const after = connect();
    await after.send([2, "1", "MeterValues", meterValues("5")], [2, "2", "StopTransaction", stop]);
    expect(readings).toEqual(["5", "12", "5", 9]);
    expect(log).toEqual(["CP001 connected", "CP001 1006", "CP001 connected"]);
  });
});

describe("Answers", () => {
  test("go out once for each CALL and under its id, in whatever order they are ready [field note 5] [J-101] [J-108]", async () => {
    const { clock, centralSystem, connect } = site();
    centralSystem.handle("Authorize", async ({ idTag }) => {
      await new Promise<void>((resolve) => clock.wakeAt(clock.now() + Number(idTag), resolve));
      return { idTagInfo: { status: idTag === "300" ? "Blocked" : "Accepted" } };
    });
    const charger = connect();
    await charger.send(
      [2, "a", "Authorize", { idTag: "300" }],
      [2, "b", "Authorize", { idTag: "100" }],
      [2, "a", "Authorize", { idTag: "300" }],
      [2, "c", "Authorize", {}],
    );
    await clock.advance(60_000);
    expect(charger.arrived.map(([type, id]) => [type, id])).toEqual([
      [4, "c"],
      [3, "b"],
      [3, "a"],
    ]);
    expect(charger.answersTo("a")).toEqual([[3, { idTagInfo: { status: "Blocked" } }]]);
  });

  test("that come too late for their connection are not sent on the next one [field note 5]", async () => {
    const { clock, centralSystem, connect } = site();
    centralSystem.handle("Authorize", async () => {
      await new Promise<void>((resolve) => clock.wakeAt(clock.now() + 1000, resolve));
      return { idTagInfo: accepted };
    });
    const before = connect();
    await before.send([2, "1", "Authorize", { idTag: "A" }]);
    await before.vanish();
    const after = connect();
    await clock.advance(2000);
    expect([...before.arrived, ...after.arrived]).toEqual([]);
  });
});

describe("A charger that comes back", () => {
  test("without a BootNotification is served at once; its old connection ends without a close frame [field note 6] [J-132] [J-160]", async () => {
    const { centralSystem, connect, log } = site({ registrations: new Map() });
    centralSystem.handle("BootNotification", () => ({ ...accepted, currentTime, interval: 300 }));
    centralSystem.handle("StopTransaction", () => ({}));
    const before = connect();
    await before.send([2, "1", "BootNotification", { chargePointVendor: "V", chargePointModel: "M" }]);
    await before.vanish();
    const after = connect();
    await after.send([2, "1", "StopTransaction", stop]);
    expect(after.answersTo("1")).toEqual([[3, {}]]);
    expect(log).toEqual(["CP001 connected", "CP001 1006", "CP001 connected"]);
  });

  test("while its old connection still seems open takes over once that stays silent [field note 6] [J-164] [Q20]", async () => {
    const { clock, centralSystem, connect, log } = site();
    connect().link.chargePoint.mute();
    const refusal = centralSystem.admit("CP001");
    await clock.advance(5000);
    expect(await refusal).toBeUndefined();
    const { connection } = connect();
    expect(centralSystem.get("CP001")).toBe(connection);
    expect(log).toEqual(["CP001 connected", "CP001 1008", "CP001 connected"]);
  });

  test("sends in a burst what it has queued, with times long past: all of it is answered, in order and as it is [field note 8]", async () => {
    const { centralSystem, connect, log } = site();
    const seen: unknown[] = [];
    const see = (payload: unknown) => {
      seen.push(payload);
      return {};
    };
    centralSystem.handle("StatusNotification", see);
    centralSystem.handle("MeterValues", see);
    centralSystem.handle("StopTransaction", see);
    centralSystem.handle("StartTransaction", (payload) => ({ ...see(payload), transactionId: 7, idTagInfo: accepted }));
    const statuses = ["Preparing", "Charging", "Finishing", "Available"].map((status) => ({
      connectorId: 1,
      errorCode: "NoError",
      status,
      timestamp: "2025-12-31T20:00:00Z",
    }));
    const meters = Array.from({ length: 60 }, (_, minute) =>
      meterValues(`${minute}`, `2025-12-31T22:${String(minute).padStart(2, "0")}:00Z`),
    );
    const burst: [string, unknown][] = [
      ...statuses.map((status): [string, unknown] => ["StatusNotification", status]),
      ["StartTransaction", start],
      ...meters.map((values): [string, unknown] => ["MeterValues", values]),
      ["StopTransaction", stop],
    ];
    const charger = connect();
    await charger.send(...burst.map(([action, payload], index) => [2, `${index}`, action, payload]));
    expect(seen).toEqual(burst.map(([, payload]) => payload));
    expect(charger.arrived.map(([type, id]) => [type, id])).toEqual(burst.map((_, index) => [3, `${index}`]));
    expect(log).toEqual(["CP001 connected"]);
  });

  test("is told the time by the answers to BootNotification and Heartbeat [field note 8]", async () => {
    const { clock, centralSystem, connect } = site({ registrations: new Map() });
    const now = () => new Date(clock.now()).toISOString();
    centralSystem.handle("BootNotification", () => ({ ...accepted, currentTime: now(), interval: 300 }));
    centralSystem.handle("Heartbeat", () => ({ currentTime: now() }));
    const charger = connect();
    await charger.send([2, "1", "BootNotification", { chargePointVendor: "V", chargePointModel: "M" }]);
    await clock.advance(300_000);
    await charger.send([2, "1", "Heartbeat", {}]);
    await clock.advance(60_000); // Under a message id that its firmware has counted to again.
    await charger.send([2, "1", "Heartbeat", {}]);
    expect(charger.answersTo("1")).toEqual([
      [3, { status: "Accepted", currentTime: "2026-01-01T00:00:00.000Z", interval: 300 }],
      [3, { currentTime: "2026-01-01T00:05:00.000Z" }],
      [3, { currentTime: "2026-01-01T00:06:00.000Z" }],
    ]);
  });
});

describe("What a charger answers to a CALL of ours", () => {
  test.each([
    ["GenericError to a frame that is too large for it [field note 9]", "GenericError", "GenericError"],
    [
      "OccurenceConstraintViolation to a list that is too long for it [field note 9]",
      "OccurenceConstraintViolation",
      "OccurenceConstraintViolation",
    ],
    [
      "PropertyConstraintViolation to a number that is too high for it [field note 9]",
      "PropertyConstraintViolation",
      "PropertyConstraintViolation",
    ],
    [
      "FormatViolation, which is what later versions call FormationViolation [field note 14] [J-086]",
      "FormatViolation",
      "FormationViolation",
    ],
  ])("may be %s", async (_, receivedCode, code) => {
    const { connect, log } = site();
    const charger = connect();
    const localAuthorizationList = Array.from({ length: 1000 }, (_, index) => ({
      idTag: `${index}`,
      idTagInfo: accepted,
    }));
    const list = { listVersion: 1, updateType: "Full", localAuthorizationList } as const;
    const failure = { name: "CallError", code, receivedCode, action: "SendLocalList" };
    const call = charger.connection.call("SendLocalList", list);
    expect(await answered(charger, call, 4, receivedCode, "", {})).toMatchObject(failure);
    expect(await answered(charger, charger.connection.call("ClearCache", {}), 3, accepted)).toEqual(accepted);
    expect(log).toEqual(["CP001 connected"]);
  });

  test("may be a schedule with limit -1 and numberPhases -1 [field note 10]", async () => {
    const { connect } = site();
    const charger = connect();
    const period = { startPeriod: 0, limit: -1, numberPhases: -1 };
    const conf = {
      status: "Accepted",
      connectorId: 1,
      chargingSchedule: { duration: 600, chargingRateUnit: "W", chargingSchedulePeriod: [period] },
    };
    const call = charger.connection.call("GetCompositeSchedule", { connectorId: 1, duration: 600 });
    expect(await answered(charger, call, 3, conf)).toEqual(conf);
  });

  test("may be Rejected, for a charging profile in the unit that it was not wired for [field note 10]", async () => {
    const { connect } = site();
    const charger = connect();
    const call = charger.connection.call("SetChargingProfile", {
      connectorId: 1,
      csChargingProfiles: {
        chargingProfileId: 1,
        stackLevel: 0,
        chargingProfilePurpose: "TxDefaultProfile",
        chargingProfileKind: "Relative",
        chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
      },
    });
    expect(await answered(charger, call, 3, { status: "Rejected" })).toEqual({ status: "Rejected" });
  });

  test("may be NotImplemented without a description [field note 12]", async () => {
    const { connect, log } = site();
    const charger = connect();
    const call = charger.connection.call("GetLocalListVersion", {});
    const failure = { name: "CallError", code: "NotImplemented", description: "" };
    expect(await answered(charger, call, 4, "NotImplemented", "", {})).toMatchObject(failure);
    expect(log).toEqual(["CP001 connected"]);
  });

  test("may be nothing but the end of the connection, when it was told to reset [field note 12] [J-109]", async () => {
    const { clock, connect } = site();
    const charger = connect();
    const call = charger.connection.call("Reset", { type: "Hard" }).catch((error: unknown) => error);
    await clock.advance(0);
    expect(charger.arrived).toMatchObject([[2, expect.any(String), "Reset", { type: "Hard" }]]);
    await charger.vanish();
    expect(await call).toMatchObject({ name: "ConnectionClosedError", code: 1006, sent: true });
  });

  test("may be Accepted to a setting that makes no sense: what the owner sends is the owner's [field note 13]", async () => {
    const { connect } = site();
    const charger = connect();
    const call = charger.connection.call("ChangeConfiguration", { key: "HeartbeatInterval", value: "-5" });
    expect(await answered(charger, call, 3, accepted)).toEqual(accepted);
    expect(charger.arrived).toMatchObject([[2, expect.any(String), "ChangeConfiguration", { value: "-5" }]]);
  });

  test("arrives while a handler waits for it, before the charger has its own answer [field note 14] [J-105] [J-106] [trap 10]", async () => {
    const { centralSystem, connect } = site();
    const seen: unknown[] = [];
    centralSystem.handle("Heartbeat", async (_, { connection }) => {
      seen.push(await connection.call("GetConfiguration", { key: ["HeartbeatInterval"] }));
      return { currentTime };
    });
    const charger = connect();
    await charger.send([2, "1", "Heartbeat", {}]);
    const [[, messageId] = []] = charger.arrived;
    await charger.send([3, messageId, {}]);
    expect(seen).toEqual([{}]);
    expect(charger.answersTo("1")).toEqual([[3, { currentTime }]]);
  });

  test("is not waited for by answers to the charger, which may need them first [field note 14] [J-106]", async () => {
    const { centralSystem, connect } = site();
    centralSystem.handle("Heartbeat", () => ({ currentTime }));
    const charger = connect();
    const call = charger.connection.call("ClearCache", {});
    await charger.send([2, "1", "Heartbeat", {}]);
    expect(charger.answersTo("1")).toEqual([[3, { currentTime }]]);
    const [[, messageId] = []] = charger.arrived;
    await charger.send([3, messageId, accepted]);
    expect(await call).toEqual(accepted);
  });
});

describe("An action that OCPP does not know", () => {
  test("is answered with NotImplemented, and the connection stays [field note 11] [J-D13]", async () => {
    const { centralSystem, connect, log } = site();
    centralSystem.handle("Heartbeat", () => ({ currentTime }));
    const charger = connect();
    await charger.send([2, "1", "NotifyDisplay", { text: "hello" }], [2, "2", "Heartbeat", {}]);
    expect(charger.answersTo("1")).toEqual([[4, "NotImplemented", expect.any(String), {}]]);
    expect(charger.answersTo("2")).toEqual([[3, { currentTime }]]);
    expect(log).toEqual(["CP001 connected", "unknown-action"]);
  });
});
