import { describe, expect, test } from "vitest";
import {
  CallError,
  CallTimeoutError,
  type Conf,
  Connection,
  ConnectionClosedError,
  PayloadError,
  type Transport,
} from "../../src/index.ts";
import { type RawPeer, rawPeer } from "./raw-peer.ts";

const accepted: Conf<"Authorize"> = { idTagInfo: { status: "Accepted" } };
const boot = { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" };

/** What a promise was rejected with. */
const rejection = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    (value) => expect.unreachable(`resolved with ${JSON.stringify(value)}`),
    (error: unknown) => error,
  );

describe("Connection.call", () => {
  test("sends a CALL and resolves with the payload of its CALLRESULT [J-041] [J-048] [J-052] [J-061]", async () => {
    const { connection, arrived, send } = rawPeer("ChargePoint");
    const conf = connection.call("BootNotification", boot);
    await send('[3,"1",{"status":"Accepted","currentTime":"2026-01-01T00:00:00Z","interval":300}]');
    expect(arrived).toEqual([[2, "1", "BootNotification", boot]]);
    expect(await conf).toEqual({ status: "Accepted", currentTime: "2026-01-01T00:00:00Z", interval: 300 });
  });

  test("refuses a payload that violates its schema before anything is sent [J-066]", async () => {
    const { connection, arrived, clock } = rawPeer("ChargePoint");
    const error = await rejection(connection.call("Authorize", { idTag: "x".repeat(21) }));
    expect(error).toBeInstanceOf(PayloadError);
    expect(error).toMatchObject({ origin: "local", action: "Authorize", kind: "req" });
    await clock.advance(0);
    expect(arrived).toEqual([]);
  });

  test("rejects with the CALLERROR of the peer, its code, description and details [J-084]", async () => {
    const { connection, send } = rawPeer("ChargePoint");
    const error = rejection(connection.call("Heartbeat", {}));
    await send('[4,"1","NotSupported","not today",{"why":"maintenance"}]');
    expect(await error).toBeInstanceOf(CallError);
    expect(await error).toMatchObject({
      code: "NotSupported",
      receivedCode: "NotSupported",
      description: "not today",
      details: { why: "maintenance" },
      action: "Heartbeat",
      messageId: "1",
      message: '[NotSupported] not today in answer to Heartbeat (message id "1")',
    });
  });

  test.each([
    ["OccurrenceConstraintViolation", "OccurenceConstraintViolation"],
    ["FormatViolation", "FormationViolation"],
    ["RpcFrameworkError", "GenericError"],
    ["__proto__", "GenericError"],
    ["toString", "GenericError"],
    ["constructor", "GenericError"],
  ])(
    "understands the foreign error code %s as %s and keeps it verbatim [J-086] [Q17] [QD-01] [trap 6]",
    async (received, code) => {
      const { connection, send } = rawPeer("ChargePoint");
      const error = rejection(connection.call("Heartbeat", {}));
      await send(JSON.stringify([4, "1", received, "", {}]));
      expect(await error).toBeInstanceOf(CallError);
      expect(await error).toMatchObject({ code, receivedCode: received });
    },
  );

  test.each([
    ['[4,"1","NotSupported","no"]'],
    ['[4,"1","NotSupported",null,null]'],
    ['[4,"1","NotSupported","","why"]'],
  ])("settles at once on the imperfect CALLERROR %s [J-089] [J-D22] [trap 7]", async (text) => {
    const { connection, send, events } = rawPeer("ChargePoint");
    const error = rejection(connection.call("Heartbeat", {}));
    await send(text);
    expect(await error).toMatchObject({ name: "CallError", code: "NotSupported", details: {} });
    expect(events.violation).toMatchObject([{ reason: "answer-shape" }]);
  });

  test.each([
    ['[3,"1",{"currentTime":"yesterday"}]', /currentTime/],
    ['[3,"1",{}]', /currentTime is missing/],
    ['[3,"1",null]', /must be an object/],
    ['[3,"1"]', /2 elements/],
  ])("rejects with PayloadError when the answer is %s, and sends nothing [J-088] [J-D21]", async (text, message) => {
    const { connection, send, arrived, events } = rawPeer("ChargePoint");
    const error = rejection(connection.call("Heartbeat", {}));
    await send(text);
    expect(await error).toMatchObject({
      name: "PayloadError",
      origin: "remote",
      action: "Heartbeat",
      kind: "conf",
      message: expect.stringMatching(message),
    });
    expect(arrived).toHaveLength(1);
    expect(events.violation).toHaveLength(1);
  });

  test("takes null for the payload of a conf without fields [J-062] [J-063] [J-D15]", async () => {
    const { connection, send } = rawPeer("ChargePoint");
    const conf = connection.call("StatusNotification", { connectorId: 0, errorCode: "NoError", status: "Available" });
    await send('[3,"1",null]');
    expect(await conf).toEqual({});
  });

  test("times out 30 s after sending by default [J-102] [J-103]", async () => {
    const { connection, clock } = rawPeer("ChargePoint");
    const error = rejection(connection.call("Heartbeat", {}));
    let settled = false;
    void error.then(() => (settled = true));
    await clock.advance(29_999);
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await error).toBeInstanceOf(CallTimeoutError);
    expect(await error).toMatchObject({ action: "Heartbeat", messageId: "1", timeoutMs: 30_000 });
  });

  test("lets a CALL set its own time-out, counted from its sending [J-102]", async () => {
    const { connection, clock, arrived } = rawPeer("ChargePoint", { timeoutMs: 1000 });
    const first = rejection(connection.call("Heartbeat", {}));
    const second = rejection(connection.call("Authorize", { idTag: "A" }, { timeoutMs: 50 }));
    await clock.advance(1000);
    expect(await first).toMatchObject({ timeoutMs: 1000 });
    expect(arrived).toHaveLength(2);
    await clock.advance(49);
    let settled = false;
    void second.then(() => (settled = true));
    await clock.advance(0);
    expect(settled).toBe(false);
    await clock.advance(1);
    expect(await second).toMatchObject({ name: "CallTimeoutError", timeoutMs: 50 });
  });

  test("only reports a late answer, and stays usable [J-058] [J-110] [J-D23] [trap 9]", async () => {
    const { connection, clock, send, events, closed } = rawPeer("ChargePoint", { timeoutMs: 10 });
    const first = rejection(connection.call("Heartbeat", {}));
    await clock.advance(10);
    await first;
    const second = connection.call("Authorize", { idTag: "A" });
    await send('[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]');
    expect(events.violation).toMatchObject([{ reason: "late-answer", frame: { messageId: "1" } }]);
    await send(JSON.stringify([3, "2", accepted]));
    expect(await second).toEqual(accepted);
    expect(closed).toEqual([]);
  });

  test("reports an answer that nobody asked for, and keeps nothing of it [J-058] [J-087] [J-D20] [trap 12]", async () => {
    const { send, arrived, events } = rawPeer("ChargePoint");
    await send('[3,"1",{}]');
    await send('[4,"-1","GenericError","",{}]');
    expect(events.violation).toMatchObject([{ reason: "unmatched-answer" }, { reason: "unmatched-answer" }]);
    expect(arrived).toEqual([]);
  });

  test("holds the second CALL until the first is answered [J-100]", async () => {
    const { connection, arrived, send, clock } = rawPeer("ChargePoint");
    const first = connection.call("Authorize", { idTag: "A" });
    const second = connection.call("Authorize", { idTag: "B" });
    await clock.advance(0);
    expect(arrived).toHaveLength(1);
    await send(JSON.stringify([3, "1", accepted]));
    expect(arrived).toHaveLength(2);
    await send(JSON.stringify([3, "2", accepted]));
    expect(await Promise.all([first, second])).toEqual([accepted, accepted]);
  });

  test("rejects at once with the reason of a signal that has been aborted [trap 8]", async () => {
    const { connection, arrived, clock } = rawPeer("ChargePoint");
    const reason = new Error("never mind");
    expect(await rejection(connection.call("Heartbeat", {}, { signal: AbortSignal.abort(reason) }))).toBe(reason);
    await clock.advance(0);
    expect(arrived).toEqual([]);
  });

  test("never sends a CALL that is aborted while it waits [trap 8]", async () => {
    const { connection, arrived, send } = rawPeer("ChargePoint");
    const first = connection.call("Authorize", { idTag: "A" });
    const controller = new AbortController();
    const second = rejection(connection.call("Authorize", { idTag: "B" }, { signal: controller.signal }));
    const third = connection.call("Authorize", { idTag: "C" });
    controller.abort("changed my mind");
    expect(await second).toBe("changed my mind");
    await send(JSON.stringify([3, "1", accepted]));
    await first;
    expect(arrived).toMatchObject([
      [2, "1", "Authorize", { idTag: "A" }],
      [2, "3", "Authorize", { idTag: "C" }],
    ]);
    await send(JSON.stringify([3, "3", accepted]));
    await third;
  });

  test("takes back a CALL with keepSent only while it waits [trap 8]", async () => {
    const { connection, arrived, send } = rawPeer("ChargePoint");
    const controller = new AbortController();
    const options = { signal: controller.signal, keepSent: true };
    const sent = connection.call("Authorize", { idTag: "A" }, options);
    const waiting = rejection(connection.call("Authorize", { idTag: "B" }, options));
    await send("[]");
    controller.abort("superseded");
    expect(await waiting).toBe("superseded");
    await send(JSON.stringify([3, "1", accepted]));
    expect(await sent).toEqual(accepted);
    expect(arrived).toHaveLength(1);
  });

  test("sends an urgent CALL before those that wait [J-100]", async () => {
    const { connection, arrived, send } = rawPeer("ChargePoint");
    for (const idTag of ["A", "B"]) connection.call("Authorize", { idTag }).catch(() => {});
    connection.call("Authorize", { idTag: "C" }, { urgent: true }).catch(() => {});
    await send(JSON.stringify([3, "1", accepted]));
    expect(arrived).toMatchObject([
      [2, "1", "Authorize", { idTag: "A" }],
      [2, "3", "Authorize", { idTag: "C" }],
    ]);
  });

  test("checks the answer to an aborted CALL, too [J-088]", async () => {
    const { connection, send, events } = rawPeer("ChargePoint");
    const controller = new AbortController();
    const call = rejection(connection.call("Authorize", { idTag: "A" }, { signal: controller.signal }));
    await send("[]");
    controller.abort("too late");
    await call;
    events.violation.length = 0;
    await send('[3,"1",{}]');
    expect(events.violation).toMatchObject([{ reason: "payload" }]);
  });

  test("settles an aborted CALL that is on the wire, and sends the next only when it is answered [J-100]", async () => {
    const { connection, arrived, send, events } = rawPeer("ChargePoint");
    const controller = new AbortController();
    const first = rejection(connection.call("Authorize", { idTag: "A" }, { signal: controller.signal }));
    void connection.call("Authorize", { idTag: "B" });
    controller.abort("too late");
    expect(await first).toBe("too late");
    expect(arrived).toHaveLength(0);
    await send(JSON.stringify([3, "1", accepted]));
    expect(arrived).toHaveLength(2);
    expect(events.violation).toEqual([]);
  });

  test("rejects every CALL when the connection ends, and says which were sent [J-109] [J-D24]", async () => {
    const { connection, clock, peer } = rawPeer("ChargePoint");
    const sent = rejection(connection.call("Heartbeat", {}));
    const waiting = rejection(connection.call("Heartbeat", {}));
    peer.close(1001, "going away");
    await clock.advance(0);
    expect(await sent).toBeInstanceOf(ConnectionClosedError);
    expect(await sent).toMatchObject({ code: 1001, reason: "going away", sent: true });
    expect(await waiting).toMatchObject({ code: 1001, reason: "going away", sent: false });
    expect(clock.pending).toBe(0);
  });

  test("rejects a CALL on a connection that has ended, and never sends it [J-220] [trap 3] [trap 12]", async () => {
    const { connection, clock, near } = rawPeer("ChargePoint");
    connection.close(1000, "done");
    const error = await rejection(connection.call("Heartbeat", {}));
    expect(error).toBeInstanceOf(ConnectionClosedError);
    expect(error).toMatchObject({ code: 1000, reason: "done", sent: false });
    await clock.advance(60_000);
    expect(near.sent).toEqual([]);
  });

  test("bounds the CALLs that wait [trap 12]", async () => {
    const { connection } = rawPeer("ChargePoint", { maxWaitingCalls: 2 });
    for (const idTag of ["A", "B", "C"]) connection.call("Authorize", { idTag }).catch(() => {});
    expect(await rejection(connection.call("Authorize", { idTag: "D" }))).toBeInstanceOf(RangeError);
  });

  test.each([
    ["Reset", "A ChargePoint cannot send Reset"],
    ["Rset", 'no action "Rset"'],
    ["toString", 'no action "toString"'],
    ["__proto__", 'no action "__proto__"'],
  ])("refuses %s, which a Charge Point cannot send, with a TypeError", async (action, said) => {
    const { connection } = rawPeer("ChargePoint");
    const error = await rejection(connection.call(action as "Heartbeat", {}));
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(said);
  });

  test.each([[0], [-1], [Number.NaN], [Number.POSITIVE_INFINITY]])("refuses a time-out of %s ms", async (timeoutMs) => {
    const { connection } = rawPeer("ChargePoint");
    expect(await rejection(connection.call("Heartbeat", {}, { timeoutMs }))).toBeInstanceOf(TypeError);
  });

  test.each<[string, () => string]>([
    ["empty", () => ""],
    ["too long", () => "x".repeat(37)],
    ["a number", () => 7 as never],
    ["nothing", () => undefined as never],
    ["a promise", () => Promise.resolve("later") as never],
  ])("refuses a message id that is %s, and goes on [J-050] [J-059]", async (_, createMessageId) => {
    const ids = [createMessageId, () => "good"];
    const { connection, send, arrived } = rawPeer("ChargePoint", { createMessageId: () => ids.shift()?.() as string });
    expect(await rejection(connection.call("Heartbeat", {}))).toBeInstanceOf(TypeError);
    const conf = connection.call("Heartbeat", {});
    await send('[3,"good",{"currentTime":"2026-01-01T00:00:00Z"}]');
    await conf;
    expect(arrived).toEqual([[2, "good", "Heartbeat", {}]]);
  });

  test("tells the caller what createMessageId throws, and goes on", async () => {
    const error = new Error("no entropy");
    let fails = true;
    const createMessageId = (): string => {
      if (fails) throw error;
      return "good";
    };
    const { connection, arrived, clock } = rawPeer("ChargePoint", { createMessageId });
    expect(await rejection(connection.call("Heartbeat", {}))).toBe(error);
    fails = false;
    connection.call("Heartbeat", {}).catch(() => {});
    await clock.advance(0);
    expect(arrived).toEqual([[2, "good", "Heartbeat", {}]]);
  });

  test.each<[string, (peer: RawPeer<"ChargePoint">) => Promise<unknown> | undefined]>([
    ["waits for its turn", () => undefined],
    ["was aborted on the wire", () => undefined],
    ["has timed out", ({ clock }) => clock.advance(30_000)],
    ["was answered just now", ({ send }) => send('[3,"same",{"currentTime":"2026-01-01T00:00:00Z"}]')],
  ])("refuses the message id of a CALL that %s [J-051]", async (state, pass) => {
    const before = { "waits for its turn": ["first", "same", "other"], "was answered just now": ["same"] }[state];
    const ids = [...(before ?? ["same", "other"]), "same"];
    const peer = rawPeer("ChargePoint", { createMessageId: () => ids.shift() ?? "" });
    const { connection } = peer;
    const controller = new AbortController();
    while (ids.length > 1) connection.call("Heartbeat", {}, { signal: controller.signal }).catch(() => {});
    if (state.startsWith("was aborted")) controller.abort();
    await pass(peer);
    expect(await rejection(connection.call("Heartbeat", {}))).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("createMessageId"),
    });
  });

  test("settles a CALL during whose making createMessageId closes the connection", async () => {
    const { connection } = rawPeer("ChargePoint", {
      createMessageId: () => {
        connection.close();
        return "x";
      },
    });
    expect(await rejection(connection.call("Heartbeat", {}))).toMatchObject({ sent: false });
  });

  test("makes random UUIDs for message ids [J-050] [J-054]", async () => {
    const clockless = rawPeer("ChargePoint");
    const connection = new Connection(clockless.near, { role: "ChargePoint", identity: "CP002" });
    connection.call("Heartbeat", {}).catch(() => {});
    expect(JSON.parse(clockless.near.sent[0] ?? "")[1]).toMatch(/^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/);
    connection.close();
  });
});

describe("Connection.handle", () => {
  test("answers a CALL with what its handler returns, under the same message id [J-042] [J-052] [J-065]", async () => {
    const { connection, send, arrived } = rawPeer("CentralSystem");
    connection.handle("Authorize", async (req, { connection, messageId }) => {
      expect(req).toEqual({ idTag: "A" });
      expect(connection.identity).toBe("CP001");
      expect(messageId).toBe("x");
      return accepted;
    });
    await send('[2,"x","Authorize",{"idTag":"A"}]');
    expect(arrived).toEqual([[3, "x", accepted]]);
  });

  test("answers a refusal that the conf can express with a CALLRESULT [J-064]", async () => {
    const { connection, send, arrived } = rawPeer("ChargePoint");
    connection.handle("Reset", () => ({ status: "Rejected" }));
    await send('[2,"1","Reset",{"type":"Soft"}]');
    expect(arrived).toEqual([[3, "1", { status: "Rejected" }]]);
  });

  test("answers an action that OCPP does not know with NotImplemented, and stays connected [J-060] [J-070] [J-D13]", async () => {
    const { send, arrived, events, closed } = rawPeer("CentralSystem");
    for (const action of ["Transfer", "bootNotification", "toString", "constructor", "__proto__", ""]) {
      await send(JSON.stringify([2, action || "empty", action, {}]));
    }
    expect(arrived).toHaveLength(6);
    for (const answer of arrived)
      expect(answer).toMatchObject([4, expect.any(String), "NotImplemented", expect.any(String), {}]);
    expect(events.violation.map(({ reason }) => reason)).toEqual(Array(6).fill("unknown-action"));
    expect(closed).toEqual([]);
  });

  test("answers a payload that violates its schema without calling the handler, and says which field and why, never the payload [J-076] [J-080] [J-094] [J-D16] [trap 15]", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem");
    connection.handle("Authorize", () => expect.unreachable("the handler ran"));
    await send(JSON.stringify([2, "1", "Authorize", { idTag: "SECRET-".repeat(10) }]));
    const [[, , code, description, details]] = arrived as [[number, string, string, string, object]];
    expect({ code, details }).toEqual({ code: "PropertyConstraintViolation", details: {} });
    expect(description).toMatch(/^idTag .*20 characters/);
    expect(JSON.stringify(arrived)).not.toContain("SECRET");
    expect(events.violation).toMatchObject([{ reason: "payload" }]);
    expect(events.fault).toEqual([]);
  });

  test("takes null for the payload of a req without required fields, and not for others [J-062] [J-063] [J-098] [J-D15]", async () => {
    const { connection, send, arrived } = rawPeer("ChargePoint");
    connection.handle("GetConfiguration", (req) => {
      expect(req).toEqual({});
      return { configurationKey: [] };
    });
    connection.handle("Reset", () => expect.unreachable("the handler ran"));
    await send('[2,"1","GetConfiguration",null]');
    await send('[2,"2","Reset",null]');
    expect(arrived).toMatchObject([
      [3, "1", { configurationKey: [] }],
      [4, "2", "FormationViolation", expect.any(String), {}],
    ]);
  });

  test("answers the CALLERROR that a handler throws [J-072] [J-083] [J-D17]", async () => {
    const { connection, send, arrived, events } = rawPeer("ChargePoint");
    connection.handle("SetChargingProfile", () => {
      throw new CallError("NotSupported", "no smart charging here", { details: { since: "always" } });
    });
    await send(JSON.stringify([2, "1", "SetChargingProfile", { connectorId: 1, csChargingProfiles: profile }]));
    expect(arrived).toEqual([[4, "1", "NotSupported", "no smart charging here", { since: "always" }]]);
    expect(events.fault).toEqual([]);
  });

  test.each([
    ["GetConfiguration", {}],
    ["GetDiagnostics", { location: "ftp://example.com/" }],
    ["GetLocalListVersion", {}],
    ["UpdateFirmware", { location: "ftp://example.com/", retrieveDate: "2026-01-01T00:00:00Z" }],
  ] as const)("lets %s be refused, although no answer to it says that [J-099]", async (action, payload) => {
    const { connection, send, arrived } = rawPeer("ChargePoint");
    connection.handle(action, () => {
      throw new CallError("NotSupported", "not here");
    });
    await send(JSON.stringify([2, "1", action, payload]));
    expect(arrived).toEqual([[4, "1", "NotSupported", "not here", {}]]);
  });

  test("leaves out details that are no JSON [J-083]", async () => {
    const { connection, send, arrived } = rawPeer("CentralSystem");
    connection.handle("Authorize", () => {
      const details: Record<string, unknown> = {};
      details.self = details;
      throw new CallError("GenericError", "around and around", { details });
    });
    await send('[2,"1","Authorize",{"idTag":"A"}]');
    expect(arrived).toEqual([[4, "1", "GenericError", "around and around", {}]]);
  });

  test.each<[string, () => never]>([
    [
      "throws",
      () => {
        throw new Error("password=hunter2");
      },
    ],
    ["rejects", () => Promise.reject(new Error("password=hunter2")) as never],
    [
      "throws undefined",
      () => {
        throw undefined;
      },
    ],
    ["returns undefined", () => undefined as never],
    ["returns nonsense", () => ({ idTagInfo: { status: "Perhaps" } }) as never],
    ["returns too much", () => ({ ...accepted, password: "hunter2" }) as never],
    [
      "passes on what another CALL was answered with",
      () => {
        throw new CallError("SecurityError", "password=hunter2", { action: "Reset", messageId: "7" });
      },
    ],
  ])(
    "answers InternalError when a handler %s, tells the peer nothing more, and reports the fault [J-072] [J-D18] [J-D19] [trap 10]",
    async (_, handler) => {
      const { connection, send, arrived, events } = rawPeer("CentralSystem");
      connection.handle("Authorize", handler);
      await send('[2,"1","Authorize",{"idTag":"A"}]');
      expect(arrived).toEqual([[4, "1", "InternalError", "The action could not be carried out.", {}]]);
      expect(events.fault).toMatchObject([{ action: "Authorize" }]);
      await send('[2,"2","Heartbeat",{}]');
      expect(arrived).toHaveLength(2);
    },
  );

  test("lets a handler make CALLs before it answers [J-105] [trap 10]", async () => {
    const { connection, send, arrived } = rawPeer("CentralSystem");
    connection.handle("Authorize", async (_, { connection }) => {
      const { status } = await connection.call("GetLocalListVersion", {}).then(() => ({ status: "Accepted" as const }));
      return { idTagInfo: { status } };
    });
    await send('[2,"a","Authorize",{"idTag":"A"}]');
    expect(arrived).toEqual([[2, "1", "GetLocalListVersion", {}]]);
    await send('[3,"1",{"listVersion":0}]');
    expect(arrived[1]).toEqual([3, "a", accepted]);
  });

  test("never lets an answer wait for an own CALL [J-106] [Q22]", async () => {
    const { connection, send, arrived, clock } = rawPeer("CentralSystem");
    connection.handle("Authorize", () => accepted);
    void connection.call("ClearCache", {}).catch(() => {});
    void connection.call("ClearCache", {}).catch(() => {});
    await clock.advance(0);
    await send('[2,"a","Authorize",{"idTag":"A"}]');
    expect(arrived).toEqual([
      [2, "1", "ClearCache", {}],
      [3, "a", accepted],
    ]);
  });

  test("serves a CALL once although it is repeated meanwhile [J-057] [J-D08] [trap 5]", async () => {
    const { connection, send, arrived } = rawPeer("CentralSystem");
    let runs = 0;
    let finish = (): void => {};
    connection.handle("Authorize", async () => {
      runs++;
      await new Promise<void>((resolve) => (finish = resolve));
      return accepted;
    });
    await send('[2,"1","Authorize",{"idTag":"A"}]');
    await send('[2,"1","Authorize",{"idTag":"A"}]');
    finish();
    await send('[5,"nothing"]');
    expect(runs).toBe(1);
    expect(arrived).toEqual([[3, "1", accepted]]);
  });

  test("answers a CALL that is repeated after its answer as before, without the handler [J-051] [Q14] [trap 5]", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem");
    let transactionId = 0;
    connection.handle("StartTransaction", () => ({ transactionId: ++transactionId, ...accepted }));
    const start = (meterStart: number) =>
      send(
        `[2,"1","StartTransaction",{"connectorId":1,"idTag":"A","timestamp":"2026-01-01T00:00:00Z","meterStart":${meterStart}}]`,
      );
    for (const meterStart of [5, 5, 6]) await start(meterStart);
    expect(arrived).toEqual([1, 1, 2].map((transactionId) => [3, "1", { transactionId, ...accepted }]));
    expect(events.violation.map(({ reason }) => reason)).toEqual(["duplicate-message-id"]);
  });

  test.each([
    ["BootNotification", '{"chargePointVendor":"V","chargePointModel":"M"}', { status: "Accepted", interval: 300 }],
    ["Heartbeat", "{}", {}],
  ] as const)("tells the present time to who repeats a %s under its message id", async (action, req, conf) => {
    const { clock, connection, send, arrived, events } = rawPeer("CentralSystem");
    const currentTime = () => new Date(clock.now()).toISOString();
    connection.handle(action, () => ({ ...conf, currentTime: currentTime() }) as never);
    const times: string[] = [];
    for (let round = 0; round < 3; round++) {
      times.push(currentTime());
      await send(`[2,"1","${action}",${req}]`);
      await clock.advance(10_000);
    }
    expect(arrived).toEqual(times.map((time) => [3, "1", { ...conf, currentTime: time }]));
    expect(events.violation).toEqual([]);
  });

  test("tells a handler when its answer is on its way, so that follow-ups come after it [J-111]", async () => {
    const { connection, send, arrived } = rawPeer("ChargePoint");
    connection.handle("RemoteStopTransaction", (_, { answered, connection }) => {
      void answered.then(async (sent) => {
        expect(sent).toBe(true);
        await connection.call("Heartbeat", {});
      });
      return { status: "Accepted" };
    });
    await send('[2,"a","RemoteStopTransaction",{"transactionId":1}]');
    expect(arrived).toEqual([
      [3, "a", { status: "Accepted" }],
      [2, "1", "Heartbeat", {}],
    ]);
    await send('[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]');
  });

  test("tells a handler that its answer can no longer be sent, at once and afterwards [J-D24] [J-219]", async () => {
    const { connection, send, arrived, events } = rawPeer("ChargePoint");
    const told: boolean[] = [];
    let finish = (): void => {};
    connection.handle("Reset", async (_, context) => {
      void context.answered.then((sent) => told.push(sent));
      await new Promise<void>((resolve) => (finish = resolve));
      void context.answered.then((sent) => told.push(sent));
      return { status: "Accepted" };
    });
    await send('[2,"a","Reset",{"type":"Hard"}]');
    connection.close();
    finish();
    await send("too late");
    expect(told).toEqual([false, false]);
    expect(arrived).toEqual([]);
    expect(events.fault).toEqual([]);
  });

  test("closes the connection of a peer that makes too many CALLs at once", async () => {
    const { connection, clock, peer, closed, events } = rawPeer("CentralSystem", { maxServedCalls: 3 });
    connection.handle("Heartbeat", () => new Promise(() => {}));
    for (let id = 1; id <= 33; id++) peer.send(`[2,"${id}","Heartbeat",{}]`);
    await clock.advance(0);
    expect(closed).toEqual([]);
    peer.send('[2,"34","Heartbeat",{}]');
    await clock.advance(0);
    expect(events.violation).toMatchObject([{ reason: "too-many-calls" }]);
    expect(closed).toEqual([{ code: 1008, reason: "Too many unanswered CALLs" }]);
  });

  test("serves a hundred CALLs that come in one go one after the other, and all of them [J-065] [J-100]", async () => {
    const arrived: string[] = [];
    let receive = (_: string): void => {};
    const transport: Transport = {
      listen: ({ message }) => {
        receive = message;
      },
      send: (text) => arrived.push(JSON.parse(text)[1]),
      close: () => arrived.push("closed"),
    };
    const connection = new Connection(transport, { role: "CentralSystem", identity: "CP001", maxServedCalls: 20 });
    let running = 0;
    let most = 0;
    connection.handle("Heartbeat", async () => {
      most = Math.max(most, ++running);
      await undefined;
      running -= 1;
      return { currentTime: "2026-01-01T00:00:00Z" };
    });
    const ids = Array.from({ length: 100 }, (_, index) => `${index + 1}`);
    for (const id of ids) receive(`[2,"${id}","Heartbeat",{}]`);
    await new Promise(setImmediate);
    expect(arrived).toEqual(ids);
    expect(most).toBe(20);
  });

  test("closes the connection of a peer whose CALLs that wait have more than a million characters [J-100]", async () => {
    const { connection, clock, peer, closed } = rawPeer("CentralSystem", { maxServedCalls: 1 });
    connection.handle("DataTransfer", () => new Promise(() => {}));
    const call = (id: number) =>
      peer.send(`[2,"${id}","DataTransfer",{"vendorId":"V","data":"${"x".repeat(2 ** 19)}"}]`);
    for (const id of [1, 2]) call(id);
    await clock.advance(0);
    expect(closed).toEqual([]);
    call(3);
    await clock.advance(0);
    expect(closed).toMatchObject([{ code: 1008 }]);
  });

  test.each(["too-many-calls", "not-json"])(
    "tells of the end last, after all CALLs, when it ends over the violation %s",
    async (reason) => {
      const { connection, clock, peer } = rawPeer("CentralSystem", { maxServedCalls: 1 });
      const told: string[] = [];
      connection.on("violation", (event) => {
        if (event.reason === reason) connection.close();
      });
      connection.on("violation", (event) => told.push(event.reason));
      connection.on("finished", ({ direction }) => told.push(`finished ${direction}`));
      connection.on("closed", () => told.push("closed"));
      connection.handle("Heartbeat", () => new Promise(() => {}));
      connection.call("ClearCache", {}).catch(() => {});
      peer.send('[2,"1","Heartbeat",{}]');
      if (reason === "not-json") peer.send("nonsense");
      else for (let id = 2; id <= 12; id++) peer.send(`[2,"${id}","Heartbeat",{}]`);
      await clock.advance(0);
      expect(told[0]).toBe(reason);
      expect(told.slice(1, -1)).toEqual(expect.arrayContaining(["finished out", "finished in"]));
      expect(told).toHaveLength(reason === "not-json" ? 4 : 15);
      expect(told.at(-1)).toBe("closed");
    },
  );

  test.each([{ timeoutMs: 0 }, { maxWaitingCalls: Number.NaN }, { maxServedCalls: -1 }])(
    "refuses the limit %o, which would be none",
    (options) => {
      expect(() => rawPeer("CentralSystem", options)).toThrow(TypeError);
    },
  );

  test("refuses a second handler, an unknown action, and one that goes the other way", () => {
    const { connection } = rawPeer("CentralSystem");
    connection.handle("Heartbeat", () => ({ currentTime: "2026-01-01T00:00:00Z" }));
    expect(() => connection.handle("Heartbeat", () => ({ currentTime: "2026-01-01T00:00:00Z" }))).toThrow(TypeError);
    expect(() => connection.handle("Reset" as "Heartbeat", () => ({ currentTime: "" }))).toThrow(
      "A ChargePoint cannot send Reset",
    );
    expect(() => connection.handle("toString" as "Heartbeat", () => ({ currentTime: "" }))).toThrow(TypeError);
  });
});

describe("Connection, receiving what is no frame", () => {
  test.each([
    ["nonsense", "not-json"],
    ["{}", "not-an-array"],
    ['[5,"1",{}]', "message-type"],
    ['["2","1","Heartbeat",{}]', "message-type"],
    ['[2,null,"Heartbeat",{}]', "message-id"],
  ])(
    "reports %s and keeps quiet and connected [J-044] [J-127] [J-D02] [J-D03] [J-D04] [J-D05] [J-D06]",
    async (text, reason) => {
      const { send, arrived, events, closed } = rawPeer("CentralSystem");
      await send(text);
      expect(events.violation).toMatchObject([{ reason, frame: { type: "MALFORMED", text } }]);
      expect(events.message).toEqual([]);
      expect(arrived).toEqual([]);
      expect(closed).toEqual([]);
    },
  );

  test("answers a malformed CALL whose message id can be read [J-056] [J-075] [J-D07] [J-D09] [J-D10]", async () => {
    const { send, arrived } = rawPeer("CentralSystem");
    await send('[2,"1","Heartbeat"]');
    expect(arrived).toMatchObject([[4, "1", "FormationViolation", expect.stringContaining("3 elements"), {}]]);
  });
});

describe("Connection.close", () => {
  test("ends the connection at once and once [trap 4]", async () => {
    const { connection, clock, events, closed, send, arrived } = rawPeer("ChargePoint");
    connection.handle("Reset", () => expect.unreachable("the handler ran"));
    connection.close(1001, "rebooting");
    connection.close(1000, "again");
    expect(events.closed).toEqual([{ code: 1001, reason: "rebooting" }]);
    await send('[2,"1","Reset",{"type":"Soft"}]');
    expect(closed).toEqual([{ code: 1001, reason: "rebooting" }]);
    expect(arrived).toEqual([]);
    await clock.advance(60_000);
    expect(events.closed).toHaveLength(1);
  });

  test("settles everything even when the peer has vanished [trap 4]", async () => {
    const { connection, peer, events } = rawPeer("ChargePoint");
    peer.mute();
    const error = rejection(connection.call("Heartbeat", {}));
    connection.close();
    expect(await error).toMatchObject({ name: "ConnectionClosedError", sent: true });
    expect(events.closed).toHaveLength(1);
  });

  test("sends what was sent before it", async () => {
    const { connection, send, arrived, closed } = rawPeer("ChargePoint");
    connection.handle("Reset", (_, { answered }) => {
      void answered.then(() => connection.close(1001));
      return { status: "Accepted" };
    });
    await send('[2,"1","Reset",{"type":"Hard"}]');
    expect(arrived).toEqual([[3, "1", { status: "Accepted" }]]);
    expect(closed).toMatchObject([{ code: 1001 }]);
  });
});

describe("Connection, events", () => {
  test("shows every frame, both ways, in order [J-105]", async () => {
    const { connection, send, events } = rawPeer("ChargePoint");
    connection.handle("ClearCache", () => ({ status: "Rejected" }));
    const conf = connection.call("Heartbeat", {});
    await send('[2,"a","ClearCache",{}]');
    await send('[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]');
    await conf;
    expect(events.message.map(({ direction, frame }) => [direction, frame.type, frame.messageId])).toEqual([
      ["out", "CALL", "1"],
      ["in", "CALL", "a"],
      ["out", "CALLRESULT", "a"],
      ["in", "CALLRESULT", "1"],
    ]);
  });

  test("tells of every CALL of ours how it ended, and how long it took", async () => {
    const { clock, connection, events, send } = rawPeer("ChargePoint", { timeoutMs: 1000 });
    const calls = [1, 2, 3, 4, 5].map(() => connection.call("Heartbeat", {}).catch(() => {}));
    await clock.advance(20);
    await send('[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]');
    await clock.advance(30);
    await send('[4,"2","GenericError","",{}]');
    await clock.advance(1000);
    await clock.advance(40);
    connection.close();
    await Promise.all(calls);
    const told = events.finished.map(({ call, outcome, ...event }) => ({ ...event, id: call.messageId, ...outcome }));
    expect(told).toMatchObject([
      { id: "1", direction: "out", type: "CALLRESULT", elapsedMs: 20 },
      { id: "2", direction: "out", type: "CALLERROR", errorCode: "GenericError", elapsedMs: 30 },
      { id: "3", direction: "out", type: "TIMEOUT", elapsedMs: 1000 },
      { id: "4", direction: "out", type: "CLOSED", sent: true, elapsedMs: 40 },
      { id: "5", direction: "out", type: "CLOSED", sent: false, elapsedMs: 0 },
    ]);
  });

  test("tells of an aborted CALL only if it was sent", async () => {
    const { clock, connection, events, send } = rawPeer("ChargePoint");
    const abort = new AbortController();
    const calls = [1, 2].map(() => rejection(connection.call("Heartbeat", {}, { signal: abort.signal })));
    await clock.advance(0);
    abort.abort(new Error("enough"));
    await Promise.all(calls);
    await send('[3,"1",{"currentTime":"2026-01-01T00:00:00Z"}]');
    expect(events.finished.map(({ call }) => call.messageId)).toEqual(["1"]);
  });

  test("tells of every CALL of the peer how it was answered, after the frame, and how long that took", async () => {
    const { clock, connection, events, send } = rawPeer("CentralSystem");
    const order: string[] = [];
    connection.on("message", ({ direction, frame }) => order.push(`${direction} ${frame.type}`));
    connection.on("finished", ({ call }) => order.push(`finished ${call.messageId}`));
    connection.handle(
      "Authorize",
      () => new Promise((resolve) => clock.wakeAt(clock.now() + 50, () => resolve(accepted))),
    );
    connection.handle("Heartbeat", () => new Promise(() => {}));
    await send('[2,"a","Authorize",{"idTag":"A"}]');
    await send('[2,"b","Frobnicate",{}]');
    await send('[2,"c","Heartbeat",{}]');
    await clock.advance(50);
    connection.close();
    expect(
      events.finished.map(({ call, outcome, ...event }) => ({ ...event, id: call.messageId, ...outcome })),
    ).toMatchObject([
      { id: "b", direction: "in", type: "CALLERROR", errorCode: "NotImplemented", elapsedMs: 0 },
      { id: "a", direction: "in", type: "CALLRESULT", payload: accepted, elapsedMs: 50 },
      { id: "c", direction: "in", type: "CLOSED", elapsedMs: 50 },
    ]);
    expect(order).toEqual([
      ...["in CALL", "in CALL", "out CALLERROR", "finished b", "in CALL"],
      ...["out CALLRESULT", "finished a", "finished c"],
    ]);
  });

  test("tells once of a CALL whose id is used again while it is served", async () => {
    const { clock, connection, events, send } = rawPeer("CentralSystem");
    connection.handle(
      "Authorize",
      () => new Promise((resolve) => clock.wakeAt(clock.now() + 50, () => resolve(accepted))),
    );
    await send('[2,"a","Authorize",{"idTag":"A"}]');
    await send('[2,"a","Authorize",{"idTag":"B"}]'); // Gets GenericError.
    await send('[2,"a","Authorize",{"idTag":"A"}]');
    expect(events.finished).toEqual([]);
    await clock.advance(50);
    await send('[2,"a","Authorize",{"idTag":"A"}]'); // Is answered as before.
    expect(events.finished).toMatchObject([{ call: { payload: { idTag: "A" } }, outcome: { type: "CALLRESULT" } }]);
  });

  test("survives a listener that throws, and reports it", async () => {
    const { connection, send, arrived, events } = rawPeer("CentralSystem");
    connection.on("message", () => {
      throw new Error("bad listener");
    });
    connection.on("fault", () => {
      throw new Error("worse listener");
    });
    connection.handle("Heartbeat", () => ({ currentTime: "2026-01-01T00:00:00Z" }));
    await send('[2,"1","Heartbeat",{}]');
    expect(arrived).toEqual([[3, "1", { currentTime: "2026-01-01T00:00:00Z" }]]);
    expect(events.fault).toMatchObject([
      { error: { message: "bad listener" } },
      { error: { message: "bad listener" } },
    ]);
  });

  test("takes a transport that throws for one that has closed", async () => {
    const broken: Transport = {
      listen() {},
      send() {
        throw new Error("no more");
      },
      close() {
        throw new Error("no more");
      },
    };
    const faults: unknown[] = [];
    const connection = new Connection(broken, { role: "ChargePoint", identity: "CP001" });
    connection.on("fault", ({ error }) => faults.push(error));
    expect(await rejection(connection.call("Heartbeat", {}))).toBeInstanceOf(ConnectionClosedError);
    connection.close();
    expect(faults).toMatchObject([{ message: "no more" }]);
  });

  test("sends nothing for a CALL that a listener aborts or a connection that it closes on the way out", async () => {
    const { connection, arrived, clock, send } = rawPeer("ChargePoint");
    const controller = new AbortController();
    connection.handle("ClearCache", () => ({ status: "Rejected" }));
    const first = connection.call("Authorize", { idTag: "A" });
    const second = rejection(connection.call("Authorize", { idTag: "B" }, { signal: controller.signal }));
    connection.on("message", ({ direction, frame }) => {
      if (direction === "in" && frame.type === "CALLRESULT") controller.abort("stop");
    });
    await send(JSON.stringify([3, "1", accepted]));
    await first;
    expect(await second).toBe("stop");
    connection.on("violation", () => connection.close());
    const third = rejection(connection.call("Authorize", { idTag: "C" }));
    await clock.advance(0);
    await send("nonsense");
    expect(await third).toMatchObject({ sent: true });
    expect(arrived).toHaveLength(2);
  });
});

const profile = {
  chargingProfileId: 1,
  stackLevel: 0,
  chargingProfilePurpose: "TxDefaultProfile",
  chargingProfileKind: "Relative",
  chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 8.1 }] },
};
