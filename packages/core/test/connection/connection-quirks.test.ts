import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import {
  CentralSystem,
  type CentralSystemEvents,
  ChargePoint,
  type ChargePointDescription,
  type ChargePointEvents,
  defineQuirks,
  PayloadError,
  type QuirkSet,
  quirks,
  type Req,
  type Tolerated,
} from "../../src/index.ts";
import { rawPeer } from "./raw-peer.ts";

const longTag = "X16WG99J2QIEGCC0MCJ5-";
const authorize = JSON.stringify([2, "a", "Authorize", { idTag: longTag }]);
const accepted = { idTagInfo: { status: "Accepted" } } as const;

describe("Connection, tolerating nothing", () => {
  test("refuses what a quirk would forgive [Q3] [J-D05]", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem");
    connection.handle("Authorize", () => accepted);
    await send(authorize);
    await send('["2","b","Heartbeat",{}]');
    expect(arrived).toEqual([[4, "a", "PropertyConstraintViolation", expect.any(String), {}]]);
    expect(events.violation.map(({ reason }) => reason)).toEqual(["payload", "message-type"]);
    expect(events.tolerated).toEqual([]);
  });
});

test.each([["nullFields"], [undefined], [{}], "nullFields"])(
  "Connection.tolerate refuses %j, which is no quirk",
  (list) => {
    const { connection } = rawPeer("CentralSystem");
    expect(() => connection.tolerate(list as never)).toThrow(TypeError);
  },
);

describe("Connection, tolerating nothing, lives with", () => {
  test("answers without a message id, and with one that nobody has sent [Q15] [Q16]", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem");
    const conf = connection.call("GetDiagnostics", { location: "ftp://files.example.com" });
    await send('[3,"",{"fileName":"log"}]');
    await send('[4,"-1","GenericError","",{}]');
    await send('[3,"1",{"fileName":"log"}]');
    expect(await conf).toEqual({ fileName: "log" });
    expect(events.violation.map(({ reason }) => reason)).toEqual(["unmatched-answer", "unmatched-answer"]);
    expect(arrived).toEqual([[2, "1", "GetDiagnostics", { location: "ftp://files.example.com" }]]);
  });

  test("a CALL under an empty message id: it is answered under it, and refused [Q15] [J-059]", async () => {
    const { send, arrived, events } = rawPeer("CentralSystem");
    await send('[2,"","Heartbeat",{}]');
    expect(arrived).toEqual([[4, "", "FormationViolation", "The message id of the CALL is empty.", {}]]);
    expect(events.violation).toMatchObject([{ reason: "message-id" }]);
  });
});

describe("Connection, tolerating quirks", () => {
  test("hands the repaired payload of a CALL to the handler and says what was wrong, after the frame as it was [Q3]", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem", { tolerate: [quirks.longTexts] });
    const order: string[] = [];
    const reqs: Req<"Authorize">[] = [];
    connection.on("message", ({ direction }) => order.push(direction));
    connection.on("tolerated", () => order.push("tolerated"));
    connection.handle("Authorize", (req) => {
      order.push("handler");
      reqs.push(req);
      return accepted;
    });
    await send(authorize);
    expect(reqs).toEqual([{ idTag: longTag }]);
    expect(arrived).toEqual([[3, "a", accepted]]);
    expect(order).toEqual(["in", "tolerated", "handler", "out"]);
    expect(events.violation).toEqual([]);
    expect(events.tolerated).toEqual([
      {
        quirk: "longTexts",
        id: "Q3",
        action: "Authorize",
        path: "idTag",
        message: "idTag is longer than 20 characters (it has 21): it is passed on as it is.",
        received: longTag,
      },
    ]);
  });

  test("shows the frame as it arrived, whatever became of its payload [Q2]", async () => {
    const { connection, send, events } = rawPeer("CentralSystem", { tolerate: [quirks.nullFields] });
    const reqs: unknown[] = [];
    connection.handle("StopTransaction", (req) => {
      reqs.push(req);
      return {};
    });
    const stop = { transactionId: 1, meterStop: 2, timestamp: "2026-01-01T00:00:00Z" };
    await send(JSON.stringify([2, "a", "StopTransaction", { ...stop, idTag: null }]));
    expect(events.message[0]?.frame).toMatchObject({ payload: { ...stop, idTag: null } });
    expect(reqs).toStrictEqual([stop]);
  });

  test("resolves a call with the repaired payload of its answer [Q6]", async () => {
    const { connection, send, events } = rawPeer("CentralSystem", {
      tolerate: [quirks.unquotedTexts, quirks.readonlyNotBoolean],
    });
    const conf = connection.call("GetConfiguration", { key: ["HeartbeatInterval"] });
    await send('[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","readonly":0,"value":300}]}]');
    expect(await conf).toEqual({ configurationKey: [{ key: "HeartbeatInterval", readonly: false, value: "300" }] });
    expect(events.violation).toEqual([]);
    expect(events.tolerated.map(({ quirk, action, path }) => [quirk, action, path])).toEqual([
      ["readonlyNotBoolean", "GetConfiguration", "configurationKey[0].readonly"],
      ["unquotedTexts", "GetConfiguration", "configurationKey[0].value"],
    ]);
  });

  test("rejects a call whose answer cannot be repaired in full, as without quirks", async () => {
    const { connection, send, events } = rawPeer("CentralSystem", { tolerate: [quirks.unquotedTexts] });
    const conf = connection.call("GetConfiguration", {});
    const error = conf.catch((error: unknown) => error);
    await send('[3,"1",{"configurationKey":[{"key":"HeartbeatInterval","readonly":0,"value":300}]}]');
    expect(await error).toBeInstanceOf(PayloadError);
    expect(await error).toMatchObject({
      origin: "remote",
      issues: [{ path: "configurationKey[0].readonly" }, { path: "configurationKey[0].value" }],
    });
    expect(events.violation).toMatchObject([{ reason: "payload" }]);
    expect(events.tolerated).toEqual([]);
  });

  test("refuses a CALL that cannot be repaired in full, as without quirks, and no handler sees it", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem", { tolerate: Object.values(quirks) });
    let called = 0;
    connection.handle("Authorize", () => {
      called++;
      return accepted;
    });
    await send('[2,"a","Authorize",{"idTag":null,"connectorId":1}]');
    const description = "idTag must be a string, not null; connectorId is not a field of this message.";
    expect(arrived).toEqual([[4, "a", "TypeConstraintViolation", description, {}]]);
    expect(called).toBe(0);
    expect(events.tolerated).toEqual([]);
  });

  test("never forgives what this side sends itself", async () => {
    const { connection, arrived, clock } = rawPeer("ChargePoint", { tolerate: Object.values(quirks) });
    await expect(connection.call("Authorize", { idTag: longTag })).rejects.toMatchObject({ origin: "local" });
    await clock.advance(0);
    expect(arrived).toEqual([]);
  });

  test("reads frames that were none, and says so before the frame [J-D05] [J-D06] [J-D10] [Q24]", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem", { tolerate: Object.values(quirks) });
    const order: string[] = [];
    connection.on("message", ({ frame }) => order.push(frame.type));
    connection.on("tolerated", ({ quirk }) => order.push(quirk));
    connection.handle("Heartbeat", () => ({ currentTime: "2026-01-01T00:00:00Z" }));
    const text = '\0["2",17,"Heartbeat",{},null]';
    await send(text);
    expect(arrived).toEqual([[3, "17", { currentTime: "2026-01-01T00:00:00Z" }]]);
    expect(events.violation).toEqual([]);
    expect(events.tolerated.every(({ received, path }) => received === text && path === "")).toBe(true);
    expect(order).toEqual([
      "strayCharacters",
      "quotedMessageTypes",
      "numericMessageIds",
      "extraElements",
      "CALL",
      "CALLRESULT",
    ]);
  });

  test("serves CALLs under an empty message id one by one, and answers under it [Q15] [J-059]", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem", { tolerate: [quirks.emptyMessageIds] });
    const tags: string[] = [];
    connection.handle("Authorize", ({ idTag }) => {
      tags.push(idTag);
      return accepted;
    });
    await send('[2,"","Authorize",{"idTag":"A"}]');
    await send('[2,"","Authorize",{"idTag":"B"}]');
    await send('[2,"","Authorize",{"idTag":"A"}]');
    expect(tags).toEqual(["A", "B", "A"]);
    expect(arrived).toEqual([
      [3, "", accepted],
      [3, "", accepted],
      [3, "", accepted],
    ]);
    expect(events.violation).toEqual([]);
    expect(events.tolerated).toHaveLength(3);
  });

  test("settles a call with an answer that was no frame [J-D05]", async () => {
    const { connection, send, events } = rawPeer("CentralSystem", { tolerate: [quirks.quotedMessageTypes] });
    const conf = connection.call("ClearCache", {});
    await send('["3","1",{"status":"Accepted"}]');
    expect(await conf).toEqual({ status: "Accepted" });
    expect(events.tolerated).toMatchObject([{ quirk: "quotedMessageTypes", id: "J-D05" }]);
  });

  test("can be told to tolerate something else, for instance once it knows who the peer is [Q3] [Q10]", async () => {
    const tolerate = [quirks.longTexts];
    const { connection, send, arrived, events } = rawPeer("CentralSystem", { tolerate });
    connection.handle("BootNotification", ({ chargePointVendor }, { connection }) => {
      connection.tolerate(chargePointVendor === "Growatt" ? [quirks.localTimes] : []);
      return { status: "Accepted", interval: 300, currentTime: "2026-01-01T00:00:00Z" };
    });
    connection.handle("Authorize", () => accepted);
    connection.handle("StatusNotification", () => ({}));
    const boot = { chargePointVendor: "Growatt", chargePointModel: "THOR", chargePointSerialNumber: "x".repeat(26) };
    await send(JSON.stringify([2, "a", "BootNotification", boot]));
    await send(JSON.stringify([2, "b", "Authorize", { idTag: longTag }]));
    const status = { connectorId: 1, errorCode: "NoError", status: "Available", timestamp: "2023-10-19T15:28:07" };
    await send(JSON.stringify([2, "c", "StatusNotification", status]));
    connection.tolerate([]);
    await send(JSON.stringify([2, "d", "StatusNotification", status]));
    expect(arrived).toEqual([
      [3, "a", expect.objectContaining({ status: "Accepted" })],
      [4, "b", "PropertyConstraintViolation", "idTag is longer than 20 characters (it has 21).", {}],
      [3, "c", {}],
      [4, "d", "PropertyConstraintViolation", "timestamp must be a date-time as in RFC 3339.", {}],
    ]);
    expect(events.tolerated.map(({ quirk }) => quirk)).toEqual(["longTexts", "localTimes"]);
  });

  test("does not notice that the list it was given changes", async () => {
    const list = [quirks.longTexts];
    const { connection, send, arrived } = rawPeer("CentralSystem");
    connection.handle("Authorize", () => accepted);
    connection.tolerate(list);
    list.length = 0;
    await send(authorize);
    expect(arrived).toEqual([[3, "a", accepted]]);
  });

  test("refuses to tolerate what is no quirk, at once and not when the peer is wrong", () => {
    const misspelt = (quirks as unknown as Record<string, (typeof quirks)["longTexts"]>).longText as never;
    expect(() => rawPeer("CentralSystem", { tolerate: [misspelt] })).toThrow(TypeError);
    const { connection } = rawPeer("CentralSystem");
    expect(() => connection.tolerate([misspelt])).toThrow(TypeError);
  });

  test("calls no handler once a listener of `tolerated` has closed it", async () => {
    const { connection, send, arrived } = rawPeer("CentralSystem", { tolerate: [quirks.longTexts] });
    let called = 0;
    connection.handle("Authorize", () => {
      called++;
      return accepted;
    });
    connection.on("tolerated", () => connection.close(1008, "No more of this"));
    await send(authorize);
    expect([called, arrived]).toEqual([0, []]);
  });

  test("goes on when a listener of `tolerated` throws", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem", { tolerate: [quirks.longTexts] });
    connection.handle("Authorize", () => accepted);
    connection.on("tolerated", () => {
      throw new Error("bad listener");
    });
    await send(authorize);
    expect(arrived).toEqual([[3, "a", accepted]]);
    expect(events.fault).toMatchObject([{ error: { message: "bad listener" } }]);
  });
});

const guess = { timestamp: null, connectorId: 1, idTag: "A", meterStart: 7 };
const answerStart = { idTagInfo: { status: "Accepted" }, transactionId: 1 } as const;

describe("A handler", () => {
  test("is told what was forgiven, and what of it is a guess, so that nobody is billed by that [Q10]", async () => {
    const { connection, clock, send, arrived } = rawPeer("CentralSystem", { tolerate: quirks });
    const starts: [string, readonly Tolerated[]][] = [];
    connection.handle("StartTransaction", ({ timestamp }, { tolerated }) => {
      starts.push([timestamp, tolerated]);
      return answerStart;
    });
    await clock.advance(60_000);
    await send(JSON.stringify([2, "a", "StartTransaction", guess]));
    await send(JSON.stringify([2, "b", "StartTransaction", { ...guess, timestamp: "2026-01-01T00:00:00Z" }]));
    expect(starts).toEqual([
      [
        new Date(clock.now()).toISOString(),
        [expect.objectContaining({ quirk: "missingTimes", path: "timestamp", guessed: true })],
      ],
      ["2026-01-01T00:00:00Z", []],
    ]);
    expect(arrived).toHaveLength(2);
  });
});

describe("A function as tolerate", () => {
  const boot = { chargePointVendor: "Growatt", chargePointModel: "THOR", firmwareVersion: "1.0" };
  const local = { connectorId: 1, errorCode: "NoError", status: "Available", timestamp: "2023-10-19T15:28:07" };

  /** A Central System that forgives by vendor, and a charger that comes and goes. */
  function site(tolerate: (who: ChargePointDescription) => QuirkSet) {
    const clock = new FakeClock();
    const asked: ChargePointDescription[] = [];
    const faults: unknown[] = [];
    const centralSystem = new CentralSystem({
      clock,
      tolerate: (who) => {
        asked.push(who);
        return tolerate(who);
      },
      registrations: new Map([["CP001", "Accepted" as const]]),
    });
    centralSystem.on("fault", ({ error }) => faults.push(error));
    centralSystem.handle("BootNotification", () => ({
      status: "Accepted",
      interval: 300,
      currentTime: `${local.timestamp}Z`,
    }));
    centralSystem.handle("StatusNotification", () => ({}));
    const connect = () => {
      const { centralSystem: own, chargePoint } = transportPair(clock);
      centralSystem.accept(own, "CP001");
      const types: unknown[] = [];
      chargePoint.listen({ message: (text) => types.push((JSON.parse(text) as unknown[])[0]), close: () => {} });
      return async (action: string, payload: object) => {
        chargePoint.send(JSON.stringify([2, `${types.length}`, action, payload]));
        await clock.advance(0);
        return types.at(-1);
      };
    };
    return { asked, faults, connect };
  }

  test("is asked who it is only when something was refused, once, and remembered when the charger comes back", async () => {
    const { asked, connect } = site(({ chargePointVendor }) => (chargePointVendor === "Growatt" ? quirks : []));
    const call = connect();
    expect(await call("StatusNotification", local)).toBe(4);
    expect(await call("BootNotification", boot)).toBe(3);
    expect(await call("StatusNotification", local)).toBe(3);
    expect(await call("StatusNotification", local)).toBe(3);
    expect(await connect()("StatusNotification", local)).toBe(3);
    const who = { identity: "CP001", ...boot };
    expect(asked).toEqual([{ identity: "CP001" }, who, who]);
  });

  test("is asked with what can be read of a BootNotification that itself needs a quirk [Q2]", async () => {
    const { asked, connect } = site(({ chargePointVendor }) => (chargePointVendor === "Growatt" ? quirks : []));
    expect(await connect()("BootNotification", { ...boot, chargePointModel: "x".repeat(256), iccid: null })).toBe(4);
    expect(await connect()("BootNotification", { ...boot, firmwareVersion: 5, iccid: null })).toBe(3);
    expect(asked.map(({ identity, ...who }) => who)).toEqual([
      { chargePointVendor: "Growatt", firmwareVersion: "1.0" },
      { chargePointVendor: "Growatt", chargePointModel: "THOR" },
    ]);
  });
});

describe("A row of an owner's", () => {
  const { mine, bad } = defineQuirks({
    mine: {
      id: "O1",
      evidence: [],
      forgives: "the word none as `info`",
      repairs: "the field is left out",
      scope: "payload",
      mend: ({ field, fault, value }) =>
        field === "info" && fault === "tooLong" && `${value}`.startsWith("none") ? "omit" : undefined,
    },
    bad: {
      id: "O2",
      evidence: [],
      forgives: "nothing",
      repairs: "nothing",
      scope: "payload",
      mend: () => {
        throw new Error("bad row");
      },
    },
  });
  const status = JSON.stringify([
    2,
    "a",
    "StatusNotification",
    { connectorId: 1, errorCode: "NoError", status: "Available", info: "none".repeat(20) },
  ]);

  test("works as those of the table do", async () => {
    const { connection, send, events, arrived } = rawPeer("CentralSystem", {
      tolerate: { ...quirks, mine, longTexts: mine },
    });
    connection.handle("StatusNotification", () => ({}));
    await send(status);
    expect(arrived).toEqual([[3, "a", {}]]);
    expect(events.tolerated).toMatchObject([{ quirk: "mine", id: "O1", path: "info" }]);
  });

  test("that throws forgives nothing, and is told as a fault", async () => {
    const { connection, send, events, arrived } = rawPeer("CentralSystem", { tolerate: [bad] });
    connection.handle("StatusNotification", () => ({}));
    await send(status);
    expect(arrived).toEqual([[4, "a", "PropertyConstraintViolation", expect.any(String), {}]]);
    expect(events.fault).toMatchObject([{ error: { message: "bad row" } }]);
    expect(events.tolerated).toEqual([]);
  });
});

describe("An answer that is not JSON", () => {
  test.each([
    ['[3,"1",{"status":"Accepted"', "PayloadError"],
    ['[3,"1"', "PayloadError"],
    [' [ 3 , "1" , {,}]', "PayloadError"],
    ['[4,"1","NotSupported","",{]', "CallError"],
    ['[4,"1",', "CallError"],
  ])("ends its CALL at once, not by its time-out: %s [J-127] [J-089]", async (text, name) => {
    const { connection, send, events, arrived } = rawPeer("CentralSystem");
    const outcome = connection.call("ClearCache", {}).catch((error) => error);
    await send(text);
    expect(await outcome).toMatchObject({ name });
    expect(events.violation).toMatchObject([{ reason: "not-json" }]);
    expect(arrived).toHaveLength(1);
  });

  test("that answers another CALL, or whose id cannot be read, ends none [J-127]", async () => {
    const { connection, send, events } = rawPeer("CentralSystem");
    let over = false;
    void connection
      .call("ClearCache", {})
      .catch(() => undefined)
      .finally(() => {
        over = true;
      });
    for (const text of ['[3,"2",{', "[3,1,{", '[3,"1', '[5,"1",{', '{"3":"1"', '[2,"1","ClearCache",{'])
      await send(text);
    expect(over).toBe(false);
    expect(events.violation).toHaveLength(6);
    await send('[3,"1",{"status":"Accepted"}]');
    expect(over).toBe(true);
  });
});

describe("CentralSystem", () => {
  test("tolerates on all its connections, and says on which", async () => {
    const clock = new FakeClock();
    const registrations = new Map([["CP001", "Accepted"] as const]);
    const centralSystem = new CentralSystem({ clock, registrations, tolerate: [quirks.longTexts] });
    const events: CentralSystemEvents["tolerated"][0][] = [];
    centralSystem.on("tolerated", (event) => events.push(event));
    centralSystem.handle("Authorize", () => accepted);
    const link = transportPair(clock);
    centralSystem.accept(link.centralSystem, "CP001");
    link.chargePoint.listen({ message: () => {}, close: () => {} });
    link.chargePoint.send(authorize);
    await clock.advance(0);
    expect(events).toMatchObject([{ identity: "CP001", generation: 1, quirk: "longTexts", id: "Q3", path: "idTag" }]);
  });
});

describe("ChargePoint", () => {
  test("tolerates what its central system gets wrong, and says so [Q10]", async () => {
    const clock = new FakeClock();
    const link = transportPair(clock);
    const chargePoint = new ChargePoint({
      identity: "CP001",
      url: "ws://central.example.com/ocpp",
      connect: async () => link.chargePoint,
      boot: { chargePointVendor: "V", chargePointModel: "M" },
      clock,
      tolerate: [quirks.zoneNames],
    });
    const events: ChargePointEvents["tolerated"][0][] = [];
    chargePoint.on("tolerated", (event) => events.push(event));
    link.centralSystem.listen({
      message: (text) => {
        const [, messageId] = JSON.parse(text) as [number, string];
        const conf = { status: "Accepted", interval: 290, currentTime: "2020-03-18T08:38:34.465Z[GMT]" };
        link.centralSystem.send(JSON.stringify([3, messageId, conf]));
      },
      close: () => {},
    });
    await chargePoint.start();
    await clock.advance(1000);
    expect(chargePoint.registration).toBe("Accepted");
    expect(events).toMatchObject([{ quirk: "zoneNames", action: "BootNotification", path: "currentTime" }]);
    await chargePoint.stop();
  });
});
