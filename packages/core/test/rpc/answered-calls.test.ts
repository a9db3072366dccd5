import { describe, expect, test } from "vitest";
import { AnsweredCalls, type ReceivedCall } from "../../src/rpc/answered-calls.ts";
import { type CallFrame, encode } from "../../src/rpc/frame.ts";
import { call, callResult } from "./vocabulary.ts";

const start = 1_000_000;
const req = { connectorId: 1, idTag: "A", timestamp: "2026-01-01T00:00:00Z", meterStart: 10 };
const conf = { transactionId: 7, idTagInfo: { status: "Accepted" } };

const received = (call: CallFrame, receivedAt: number): ReceivedCall => ({ call, receivedAt, text: encode(call) });
const result = (...args: Parameters<typeof callResult>): string => encode(callResult(...args));

/** A memory of one StartTransaction under the message id 1. */
function memory(payload: unknown = req, answer: unknown = conf): AnsweredCalls {
  const answered = new AnsweredCalls();
  answered.remember(received(call("1", "StartTransaction", payload), start), result("1", answer));
  return answered;
}

const repeated = (payload: unknown = req, at = start) => received(call("1", "StartTransaction", payload), at);

describe("AnsweredCalls", () => {
  test("gives a repetition the answer of the first, as often as it comes [Q14]", () => {
    const answered = memory();
    for (let times = 0; times < 3; times++) {
      expect(answered.answerTo(repeated({ ...req }, start + times))).toEqual(result("1", conf));
    }
  });

  test("gives the answer as it was sent, whatever becomes of the objects of the handler", () => {
    const answer = { transactionId: 7, idTagInfo: { status: "Accepted" } };
    const answered = memory(req, answer);
    answer.transactionId = 8;
    answer.idTagInfo.status = "Blocked";
    expect(answered.answerTo(repeated())).toEqual(result("1", conf));
  });

  test.each([
    ["message id", call("2", "StartTransaction", req)],
    ["action", call("1", "StopTransaction", req)],
    ["payload", call("1", "StartTransaction", { ...req, meterStart: 11 })],
    ["payload by a field more", call("1", "StartTransaction", { ...req, reservationId: 1 })],
    ["payload by a type", call("1", "StartTransaction", { ...req, meterStart: "10" })],
  ])("knows no answer to a CALL with another %s [J-051]", (_, other) => {
    expect(memory().answerTo(received(other, start))).toBeUndefined();
  });

  test("forgets a CALL when another comes under its message id, and no other one [J-051]", () => {
    const answered = memory();
    answered.remember(received(call("2", "StopTransaction", req), start), result("2"));
    answered.answerTo(received(call("1", "StatusNotification", req), start));
    expect(answered.answerTo(repeated())).toBeUndefined();
    expect(answered.answerTo(received(call("2", "StopTransaction", req), start))).toEqual(result("2"));
  });

  test("remembers a CALL for two minutes from its arrival, repeated or not", () => {
    const answered = memory();
    expect(answered.answerTo(repeated(req, start + 120_000))).toEqual(result("1", conf));
    expect(answered.answerTo(repeated(req, start + 120_001))).toBeUndefined();
  });

  test("lets go of what is too old as soon as another CALL is answered, a Heartbeat for example [trap 12]", () => {
    const answered = memory();
    const heartbeat = call("2", "Heartbeat");
    answered.remember(received(heartbeat, start + 120_000), result("2", { currentTime: "2026-01-01T00:00:00Z" }));
    expect(answered.size).toBe(1);
    answered.remember(received(heartbeat, start + 120_001), result("2", { currentTime: "2026-01-01T00:00:01Z" }));
    expect(answered.size).toBe(0);
  });

  test("remembers only what it is told to, and lets go of what is too old all the same", () => {
    const answered = new AnsweredCalls(({ action }) => action !== "BootNotification");
    answered.remember(received(call("1", "StartTransaction", req), start), result("1", conf));
    const boot = received(call("2", "BootNotification", req), start + 120_001);
    answered.remember(boot, result("2", conf));
    expect(answered.answerTo(boot)).toBeUndefined();
    expect(answered.size).toBe(0);
  });

  test("remembers the last four [trap 12]", () => {
    const answered = memory();
    const push = (id: string) => answered.remember(received(call(id, "MeterValues", req), start), result(id));
    for (const id of ["2", "3", "4"]) push(id);
    expect(answered.answerTo(repeated())).toEqual(result("1", conf));
    push("5");
    expect(answered.answerTo(repeated())).toBeUndefined();
    for (const id of ["2", "3", "4", "5"]) {
      expect(answered.answerTo(received(call(id, "MeterValues", req), start))).toEqual(result(id));
    }
  });

  test.each([[{}], [null]])(
    "does not remember the payload %j, which tells no repetition from a new CALL",
    (payload) => {
      expect(memory(payload).answerTo(repeated(payload))).toBeUndefined();
    },
  );

  /** As long in JSON as `length` says, the brackets and names included. */
  const sized = (length: number) => ({ data: "x".repeat(length - '{"data":""}'.length) });
  const wide = Array.from({ length: 1100 }, () => 1);

  test.each<[string, unknown, unknown, boolean]>([
    ["a CALL of 2000 characters", sized(2000), {}, true],
    ["a CALL of 2100 characters", sized(2100), {}, false],
    ["an answer of 2000 characters", { a: 1 }, sized(2000), true],
    ["an answer of 2100 characters", { a: 1 }, sized(2100), false],
    ["a CALL and an answer of 1100 characters each", sized(1100), sized(1100), false],
    ["a text whose characters take six each in JSON", { data: "\0".repeat(400) }, {}, false],
    ["an empty object inside another", { a: [1, {}] }, {}, true],
    ["a payload with a long name", { ["x".repeat(2100)]: 1 }, {}, false],
    ["a payload of eleven hundred numbers", { wide }, {}, false],
  ])("bounds what it remembers: %s [trap 12]", (_, payload, answer, isRemembered) => {
    expect(memory(payload, answer).answerTo(repeated(payload))).toEqual(isRemembered ? result("1", answer) : undefined);
  });

  test("is empty when it was cleared", () => {
    const answered = memory();
    answered.clear();
    expect(answered.answerTo(repeated())).toBeUndefined();
  });
});
