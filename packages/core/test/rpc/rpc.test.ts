import { describe, expect, test } from "vitest";
import { decode } from "../../src/rpc/frame.ts";
import { Rpc } from "../../src/rpc/rpc.ts";
import { outputsOf } from "../charge-point/vocabulary.ts";
import {
  call,
  callError,
  callResult,
  expectQuiet,
  expectReceived,
  expectSent,
  expectSettled,
  expectViolation,
} from "./vocabulary.ts";

const start = 1_000_000;

describe("Rpc, calling", () => {
  test("sends a CALL at once when nothing is outstanding [J-100]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 30_000, start);
    expectSent(rpc, call("1"));
    expectQuiet(rpc);
  });

  test("holds the second CALL until the first is answered, and keeps their order [J-100] [J-101]", () => {
    const rpc = new Rpc();
    for (const id of ["1", "2", "3"]) rpc.call(call(id), 30_000, start);
    expectSent(rpc, call("1"));
    expectQuiet(rpc);
    rpc.receive(callResult("1", { a: 1 }), start);
    expectSettled(rpc, call("1"), callResult("1", { a: 1 }));
    expectSent(rpc, call("2"));
    expectQuiet(rpc);
    rpc.receive(callError("2", "GenericError"), start);
    expectSettled(rpc, call("2"), callError("2", "GenericError"));
    expectSent(rpc, call("3"));
    expectQuiet(rpc);
  });

  test("settles a CALL that is not answered in time, and goes on with the next [J-102] [J-110]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 30_000, start);
    rpc.call(call("2"), 30_000, start);
    expectSent(rpc, call("1"));
    expect(rpc.deadline).toBe(start + 30_000);
    rpc.advance(start + 29_999);
    expectQuiet(rpc);
    rpc.advance(start + 30_000);
    expectSettled(rpc, call("1"), { type: "TIMEOUT", timeoutMs: 30_000, silent: true });
    expectSent(rpc, call("2"));
  });

  test("counts the time-out from the moment of sending, not of calling [J-102]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 30_000, start);
    rpc.call(call("2"), 10_000, start);
    rpc.receive(callResult("1"), start + 25_000);
    expect(rpc.deadline).toBe(start + 35_000);
  });

  test("has no deadline while nothing is outstanding", () => {
    const rpc = new Rpc();
    expect(rpc.deadline).toBe(Number.POSITIVE_INFINITY);
    rpc.call(call("1"), 30_000, start);
    rpc.receive(callResult("1"), start);
    expect(rpc.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test("says that an answer is late when its CALL has timed out, and matches it to no later CALL [J-058] [J-110] [J-D23] [trap 9]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    rpc.call(call("2"), 10, start);
    expectSent(rpc, call("1"));
    rpc.advance(start + 10);
    expectSettled(rpc, call("1"), { type: "TIMEOUT", timeoutMs: 10, silent: true });
    expectSent(rpc, call("2"));
    rpc.receive(callResult("1"), start + 11);
    expect(rpc.poll()).toEqual({ type: "late", call: call("1"), answer: callResult("1") });
    expectViolation(rpc, "late-answer");
    expectQuiet(rpc);
    rpc.receive(callResult("1"), start + 12);
    expectViolation(rpc, "unmatched-answer");
    expectQuiet(rpc);
  });

  test("hands on a late CALLERROR, and no late answer of the wrong shape [J-110] [J-D23]", () => {
    const rpc = new Rpc();
    for (const id of ["1", "2"]) {
      rpc.call(call(id), 10, start);
      expectSent(rpc, call(id));
      rpc.advance(start + 10);
      expectSettled(rpc, call(id), { type: "TIMEOUT", timeoutMs: 10, silent: true });
    }
    rpc.receive(callError("1", "GenericError"), start + 11);
    expect(rpc.poll()).toEqual({ type: "late", call: call("1"), answer: callError("1", "GenericError") });
    expectViolation(rpc, "late-answer");
    rpc.receive(decode('[3,"2"]'), start + 11);
    expectViolation(rpc, "answer-shape");
    expectQuiet(rpc);
  });

  test("remembers the last sixteen CALLs that timed out [trap 12]", () => {
    const rpc = new Rpc();
    for (let id = 0; id <= 16; id++) {
      rpc.call(call(`${id}`), 10, start);
      expectSent(rpc, call(`${id}`));
      rpc.advance(start + 10);
      expectSettled(rpc, call(`${id}`), { type: "TIMEOUT", timeoutMs: 10, silent: true });
    }
    rpc.receive(callResult("0"), start + 11);
    expectViolation(rpc, "unmatched-answer");
    for (let id = 1; id <= 16; id++) {
      rpc.receive(callResult(`${id}`), start + 11);
      expect(rpc.poll()).toMatchObject({ type: "late", call: { messageId: `${id}` } });
      expectViolation(rpc, "late-answer");
    }
    expectQuiet(rpc);
  });

  test.each([
    ["to an earlier CALL", callResult("1")],
    ["to an earlier CALL, a CALLERROR", callError("1", "GenericError")],
    ["to no CALL", callResult("nobody asked")],
  ])("says whether the peer has answered nothing at all since a CALL was sent: %s [CORE-TXQ-08]", (_, answer) => {
    const rpc = new Rpc();
    for (const id of ["1", "2", "3"]) rpc.call(call(id), 10, start);
    expectSent(rpc, call("1"));
    rpc.advance(start + 10);
    expectSettled(rpc, call("1"), { type: "TIMEOUT", timeoutMs: 10, silent: true });
    expectSent(rpc, call("2"));
    rpc.receive(call("a"), start + 11);
    rpc.receive(answer, start + 11);
    outputsOf(rpc);
    rpc.advance(start + 20);
    expectSettled(rpc, call("2"), { type: "TIMEOUT", timeoutMs: 10, silent: false });
    expectSent(rpc, call("3"));
    rpc.receive(call("b"), start + 21);
    outputsOf(rpc);
    rpc.advance(start + 30);
    expectSettled(rpc, call("3"), { type: "TIMEOUT", timeoutMs: 10, silent: true });
  });

  test("sends urgent CALLs before the others that wait, in their order, and after the one that is outstanding [J-100]", () => {
    const rpc = new Rpc();
    for (const id of ["1", "2", "3"]) rpc.call(call(id), 10, start);
    for (const id of ["U1", "U2"]) rpc.call(call(id), 10, start, true);
    rpc.call(call("4"), 10, start);
    const sent: string[] = [];
    for (let output = rpc.poll(); output !== undefined; output = rpc.poll()) {
      if (output.type !== "send" || output.frame.type !== "CALL") continue;
      sent.push(output.frame.messageId);
      rpc.receive(callResult(output.frame.messageId), start);
    }
    expect(sent).toEqual(["1", "U1", "U2", "2", "3", "4"]);
  });

  test("takes an answer at the very moment of the time-out for one in time, if it is told of it first [J-102]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    expectSent(rpc, call("1"));
    rpc.receive(callResult("1"), start + 10);
    rpc.advance(start + 10);
    expectSettled(rpc, call("1"), callResult("1"));
    expectQuiet(rpc);
  });

  test("says that nobody asked for an answer with an unknown or answered message id [J-058] [J-D20]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    expectSent(rpc, call("1"));
    rpc.receive(callResult("0"), start);
    expectViolation(rpc, "unmatched-answer");
    rpc.receive(callResult("1"), start);
    expectSettled(rpc, call("1"), callResult("1"));
    rpc.receive(callError("1", "GenericError"), start);
    expectViolation(rpc, "unmatched-answer");
    expectQuiet(rpc);
  });

  test("does not take an answer for a CALL that still waits for its turn [J-058]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    rpc.call(call("2"), 10, start);
    expectSent(rpc, call("1"));
    rpc.receive(callResult("2"), start);
    expectViolation(rpc, "unmatched-answer");
    expectQuiet(rpc);
  });

  test("settles a CALL with an imperfect CALLERROR, as repaired [J-089] [J-D22] [trap 7]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    expectSent(rpc, call("1"));
    rpc.receive(decode('[4,"1","NotSupported",null]'), start);
    expectViolation(rpc, "answer-shape");
    expectSettled(rpc, call("1"), callError("1", "NotSupported"));
    expectQuiet(rpc);
  });

  test("settles a CALL with a CALLRESULT of the wrong shape instead of waiting for the time-out [J-088]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    expectSent(rpc, call("1"));
    const malformed = decode('[3,"1"]');
    if (malformed.type !== "MALFORMED") throw new Error("not malformed");
    rpc.receive(malformed, start);
    expectViolation(rpc, "answer-shape");
    expectSettled(rpc, call("1"), malformed);
    expectQuiet(rpc);
  });

  test("never answers an answer, however malformed [J-087]", () => {
    const rpc = new Rpc();
    for (const text of ['[3,"1"]', '[4,"1"]', '[4,"-1","GenericError","",{}]', '[3,"1",{}]', "[4,7]"]) {
      rpc.receive(decode(text), start);
      expect(rpc.poll()).toMatchObject({ type: "violation" });
      expectQuiet(rpc);
    }
  });
});

describe("Rpc, withdrawing", () => {
  test("never sends a CALL that was withdrawn while it waited [trap 8]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    rpc.call(call("2"), 10, start);
    rpc.call(call("3"), 10, start);
    expectSent(rpc, call("1"));
    expect(rpc.withdraw("2", start)).toBe(true);
    rpc.receive(callResult("1"), start);
    expectSettled(rpc, call("1"), callResult("1"));
    expectSent(rpc, call("3"));
    expectQuiet(rpc);
  });

  test("keeps a CALL on the wire outstanding although nobody wants its answer [J-100]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    rpc.call(call("2"), 10, start);
    expectSent(rpc, call("1"));
    expect(rpc.withdraw("1", start)).toBe(false);
    expectQuiet(rpc);
    rpc.advance(start + 10);
    expectSettled(rpc, call("1"), { type: "TIMEOUT", timeoutMs: 10, silent: true });
    expectSent(rpc, call("2"));
  });

  test("takes back a CALL that nobody has put on the wire yet, and goes on with the next", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    rpc.call(call("2"), 20, start);
    expect(rpc.withdraw("1", start)).toBe(true);
    expectSent(rpc, call("2"));
    expect(rpc.deadline).toBe(start + 20);
    expectQuiet(rpc);
  });

  test("does nothing about a message id that it does not know", () => {
    const rpc = new Rpc();
    expect(rpc.withdraw("1", start)).toBe(false);
    expectQuiet(rpc);
  });
});

describe("Rpc, serving", () => {
  test("hands out a CALL and answers it under the same message id [J-052] [J-065]", () => {
    const rpc = new Rpc();
    rpc.receive(call("1", "Authorize", { idTag: "A" }), start);
    expectReceived(rpc, call("1", "Authorize", { idTag: "A" }));
    expect(rpc.serving).toBe(1);
    rpc.respond("1", { idTagInfo: { status: "Accepted" } });
    expectSent(rpc, callResult("1", { idTagInfo: { status: "Accepted" } }));
    expect(rpc.serving).toBe(0);
  });

  test("answers with a CALLERROR of five elements [J-043] [J-082] [J-083]", () => {
    const rpc = new Rpc();
    rpc.receive(call("1"), start);
    expectReceived(rpc, call("1"));
    rpc.fail("1", "NotSupported", "not here", { because: 1 });
    expectSent(rpc, { ...callError("1", "NotSupported", "not here"), errorDetails: { because: 1 } });
  });

  test("serves several CALLs at once and answers in any order [J-105] [J-108]", () => {
    const rpc = new Rpc();
    for (const id of ["1", "2"]) {
      rpc.receive(call(id), start);
      expectReceived(rpc, call(id));
    }
    rpc.respond("2", {});
    rpc.fail("1", "GenericError", "");
    expectSent(rpc, callResult("2"));
    expectSent(rpc, callError("1", "GenericError"));
  });

  test("answers while an own CALL is outstanding and others wait [J-105] [J-106]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    rpc.call(call("2"), 10, start);
    expectSent(rpc, call("1"));
    rpc.receive(call("9"), start);
    expectReceived(rpc, call("9"));
    rpc.respond("9", {});
    expectSent(rpc, callResult("9"));
    expectQuiet(rpc);
  });

  test("keeps the message ids of the two directions apart [J-053]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    expectSent(rpc, call("1"));
    rpc.receive(call("1", "Reset"), start);
    expectReceived(rpc, call("1", "Reset"));
    rpc.receive(callResult("1"), start);
    expectSettled(rpc, call("1"), callResult("1"));
    rpc.respond("1", {});
    expectSent(rpc, callResult("1"));
  });

  test("answers once when a CALL is repeated while it is being served [J-057] [J-D08] [trap 5]", () => {
    const rpc = new Rpc();
    rpc.receive(call("1", "StartTransaction", { a: [1, { b: 2 }] }), start);
    expectReceived(rpc, call("1", "StartTransaction", { a: [1, { b: 2 }] }));
    rpc.receive(call("1", "StartTransaction", { a: [1, { b: 2 }] }), start);
    expectViolation(rpc, "duplicate-message-id");
    rpc.respond("1", {});
    expectSent(rpc, callResult("1"));
    expectQuiet(rpc);
    rpc.respond("1", {});
    expectQuiet(rpc);
  });

  test("tells a CALL by its text, one too that is nested so deeply that it could not be written [J-057]", () => {
    const text = `[2,"1","StartTransaction",${'{"a":'.repeat(50_000)}1${"}".repeat(50_000)}]`;
    const rpc = new Rpc();
    rpc.receive(decode(text), start, text);
    expect(rpc.poll()).toMatchObject({ type: "received" });
    rpc.receive(decode(text), start, text);
    expectViolation(rpc, "duplicate-message-id");
    expectQuiet(rpc);
    rpc.receive(decode(text), start, ` ${text}`);
    expectViolation(rpc, "duplicate-message-id");
    expect(rpc.poll()).toMatchObject({ type: "conflict" });
  });

  test.each<[string, string, unknown, unknown]>([
    ["action", "Reset", {}, {}],
    ["payload", "StartTransaction", { a: 1 }, { a: 2 }],
    ["payload by a missing field", "StartTransaction", { a: 1, b: 1 }, { a: 1 }],
    ["payload by an inherited name", "StartTransaction", { a: 1 }, { toString: 1 }],
    ["payload by an array for an object", "StartTransaction", { a: [] }, { a: {} }],
    ["payload by null for an object", "StartTransaction", { a: {} }, { a: null }],
  ])(
    "does not serve another CALL under a message id in use, different in its %s, and refuses it if told to [J-057] [J-D08]",
    (_, action, first, second) => {
      const rpc = new Rpc();
      rpc.receive(call("1", "StartTransaction", first), start);
      rpc.poll();
      rpc.receive(call("1", action, second), start);
      expectViolation(rpc, "duplicate-message-id");
      const conflict = rpc.poll();
      if (conflict?.type !== "conflict") expect.unreachable(`It is ${conflict?.type}.`);
      expect([conflict.call.action, conflict.call.payload === second]).toEqual([action, true]);
      expect(conflict.served.payload === first).toBe(true);
      expectQuiet(rpc);
      rpc.refuse("1");
      expectSent(rpc, callError("1", "GenericError", "The message id is in use by an earlier CALL."));
      expectQuiet(rpc);
      expect(rpc.serving).toBe(1);
    },
  );

  test("forgets a conflict with the end of the connection", () => {
    const rpc = new Rpc();
    rpc.receive(call("1"), start);
    rpc.receive(call("1", "Reset"), start);
    rpc.close();
    rpc.refuse("1");
    expectViolation(rpc, "duplicate-message-id");
    expectQuiet(rpc);
  });

  test("takes a message id again once its CALL is answered [J-054]", () => {
    const rpc = new Rpc();
    rpc.receive(call("1"), start);
    rpc.poll();
    rpc.respond("1", {});
    rpc.poll();
    rpc.receive(call("1"), start);
    expectReceived(rpc, call("1"));
  });

  const req = { connectorId: 1, idTag: "A", timestamp: "2026-01-01T00:00:00Z", meterStart: 10 };

  /** An Rpc that has answered a StartTransaction under the message id 1. */
  const answered = (): Rpc => {
    const rpc = new Rpc();
    rpc.receive(call("1", "StartTransaction", req), start);
    rpc.poll();
    rpc.respond("1", { transactionId: 7 });
    expectSent(rpc, callResult("1", { transactionId: 7 }));
    return rpc;
  };

  test("answers a repetition of an answered CALL as before, hands it out to nobody, and says so [J-051] [Q14] [trap 5]", () => {
    const rpc = answered();
    for (let times = 0; times < 2; times++) {
      rpc.receive(call("1", "StartTransaction", { ...req }), start + 60_000);
      expectViolation(rpc, "duplicate-message-id");
      expectSent(rpc, callResult("1", { transactionId: 7 }));
      expectQuiet(rpc);
    }
    expect(rpc.serving).toBe(0);
  });

  test("knows a repetition whatever a handler has done to the payload of the first [J-057] [Q14] [trap 5]", () => {
    const rpc = new Rpc();
    const payload: Partial<typeof req> = { ...req };
    rpc.receive(call("1", "StartTransaction", payload), start);
    rpc.poll();
    payload.idTag = "normalized";
    delete payload.timestamp;
    rpc.receive(call("1", "StartTransaction", { ...req }), start + 1000);
    expectViolation(rpc, "duplicate-message-id");
    expectQuiet(rpc);
    rpc.respond("1", { transactionId: 7 });
    expectSent(rpc, callResult("1", { transactionId: 7 }));
    rpc.receive(call("1", "StartTransaction", { ...req }), start + 60_000);
    expectViolation(rpc, "duplicate-message-id");
    expectSent(rpc, callResult("1", { transactionId: 7 }));
  });

  test("serves another CALL under an answered message id as any other, without a word [J-054]", () => {
    const rpc = answered();
    rpc.receive(call("1", "StartTransaction", { ...req, meterStart: 11 }), start);
    expectReceived(rpc, call("1", "StartTransaction", { ...req, meterStart: 11 }));
    expectQuiet(rpc);
    rpc.respond("1", { transactionId: 8 });
    expectSent(rpc, callResult("1", { transactionId: 8 }));
    rpc.receive(call("1", "StartTransaction", { ...req, meterStart: 11 }), start);
    expectViolation(rpc, "duplicate-message-id");
    expectSent(rpc, callResult("1", { transactionId: 8 }));
  });

  test("serves a CALL that was answered with a CALLERROR once more when it is repeated [CORE-TXQ-09]", () => {
    const rpc = new Rpc();
    rpc.receive(call("1", "StartTransaction", req), start);
    rpc.poll();
    rpc.fail("1", "InternalError", "");
    rpc.poll();
    rpc.receive(call("1", "StartTransaction", req), start);
    expectReceived(rpc, call("1", "StartTransaction", req));
    expectQuiet(rpc);
  });

  test("serves a CALL again whose answer does not stay right, as often as it comes", () => {
    const rpc = new Rpc(({ action }) => action !== "BootNotification");
    const boot = call("1", "BootNotification", { chargePointVendor: "V", chargePointModel: "M" });
    for (const currentTime of ["2026-01-01T00:00:00Z", "2026-01-01T00:00:10Z"]) {
      rpc.receive(boot, start);
      expectReceived(rpc, boot);
      rpc.respond("1", { currentTime });
      expectSent(rpc, callResult("1", { currentTime }));
    }
    expectQuiet(rpc);
  });

  test("counts the two minutes of its memory from the arrival of a CALL, not from its answer", () => {
    const rpc = new Rpc();
    rpc.receive(call("1", "StartTransaction", req), start);
    rpc.poll();
    rpc.receive(call("2"), start + 100_000);
    rpc.poll();
    rpc.respond("1", {});
    rpc.poll();
    rpc.receive(call("1", "StartTransaction", req), start + 120_001);
    expectReceived(rpc, call("1", "StartTransaction", req));
  });

  test("remembers nothing of another connection [J-054]", () => {
    answered();
    const other = new Rpc();
    other.receive(call("1", "StartTransaction", req), start);
    expectReceived(other, call("1", "StartTransaction", req));
  });

  test.each([
    ['[2,17,"Heartbeat",{}]', "17"],
    [`[2,"${"x".repeat(37)}","Heartbeat",{}]`, "x".repeat(37)],
    ['[2,"","Heartbeat",{}]', ""],
    ['[2,"1","Heartbeat"]', "1"],
    ['[2,"1",{},{}]', "1"],
    ['[2,"1","Heartbeat",{},{}]', "1"],
  ])(
    "answers the malformed CALL %s with FormationViolation [J-056] [J-065] [J-080] [J-D06] [J-D07] [J-D09] [J-D10]",
    (text, messageId) => {
      const rpc = new Rpc();
      rpc.receive(decode(text), start);
      expect(rpc.poll()).toMatchObject({ type: "violation" });
      expect(rpc.poll()).toMatchObject({
        type: "send",
        frame: { type: "CALLERROR", messageId, errorCode: "FormationViolation" },
      });
      expectQuiet(rpc);
    },
  );

  test.each([["nonsense"], ["{}"], ["[]"], ['[5,"1",{}]'], ['["2","1","Heartbeat",{}]'], ['[2,null,"Heartbeat",{}]']])(
    "says nothing to the sender of %s, and tells the owner [J-044] [J-127] [J-D02] [J-D03] [J-D04] [J-D05] [J-D06]",
    (text) => {
      const rpc = new Rpc();
      rpc.receive(decode(text), start);
      expect(rpc.poll()).toMatchObject({ type: "violation", frame: { type: "MALFORMED", text } });
      expectQuiet(rpc);
    },
  );
});

describe("Rpc, closing", () => {
  test("settles every CALL and says which were sent [J-109]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    rpc.call(call("2"), 10, start);
    expectSent(rpc, call("1"));
    rpc.close();
    expectSettled(rpc, call("1"), { type: "CLOSED", sent: true });
    expectSettled(rpc, call("2"), { type: "CLOSED", sent: false });
    expectQuiet(rpc);
    expect(rpc.deadline).toBe(Number.POSITIVE_INFINITY);
    expect(rpc.waiting).toBe(0);
  });

  test("does not send what nobody has put on the wire yet, and says so", () => {
    const rpc = new Rpc();
    rpc.receive(call("9"), start);
    rpc.poll();
    rpc.respond("9", {});
    rpc.call(call("1"), 10, start);
    rpc.close();
    expectSettled(rpc, call("1"), { type: "CLOSED", sent: false });
    expectQuiet(rpc);
  });

  test("tells in the midst of its outputs what has ended, and neither sends nor hands out anything [J-109] [J-D24] [J-219]", () => {
    const rpc = new Rpc();
    rpc.call(call("1"), 10, start);
    rpc.call(call("2"), 10, start);
    expectSent(rpc, call("1"));
    rpc.receive(callResult("0"), start);
    rpc.receive(callResult("1"), start);
    rpc.receive(call("9"), start);
    rpc.receive(decode('[2,"","Heartbeat",{}]'), start);
    rpc.close();
    expectViolation(rpc, "unmatched-answer");
    expectSettled(rpc, call("1"), callResult("1"));
    expect(rpc.poll()).toMatchObject({ type: "violation", reason: "message-id" });
    expectSettled(rpc, call("2"), { type: "CLOSED", sent: false });
    expectQuiet(rpc);
  });

  test("drops the answers of handlers that were still running [J-D24]", () => {
    const rpc = new Rpc();
    rpc.receive(call("9"), start);
    rpc.poll();
    rpc.close();
    rpc.respond("9", {});
    rpc.fail("9", "GenericError", "");
    expectQuiet(rpc);
    expect(rpc.serving).toBe(0);
  });

  test("refuses CALLs and ignores what arrives afterwards [J-109] [trap 12]", () => {
    const rpc = new Rpc();
    rpc.close();
    rpc.close();
    rpc.receive(call("9"), start);
    rpc.receive(callResult("1"), start);
    rpc.receive(decode("nonsense"), start);
    expectQuiet(rpc);
    rpc.call(call("1"), 10, start);
    expectSettled(rpc, call("1"), { type: "CLOSED", sent: false });
    expectQuiet(rpc);
  });
});
