import { describe, expect, test } from "vitest";
import { decode, encode, type Frame } from "../../src/rpc/frame.ts";

const malformed = (text: string) => {
  const result = decode(text);
  if (result.type !== "MALFORMED") throw new Error(`decoded as ${result.type}: ${text}`);
  return result;
};

const heartbeat = { type: "CALL", messageId: "1", action: "Heartbeat", payload: {} };

/** What is malformed about a CALL, whatever the sentence says. */
const malformedCall = { type: "MALFORMED", intended: "CALL", message: expect.stringMatching(/^The .*\bCALL\b.*\.$/) };

describe("decode", () => {
  test("reads a CALL [J-040] [J-041] [J-048] [J-060] [J-061]", () => {
    expect(
      decode(
        '[2,"19223201","BootNotification",{"chargePointVendor":"VendorX","chargePointModel":"SingleSocketCharger"}]',
      ),
    ).toStrictEqual({
      type: "CALL",
      messageId: "19223201",
      action: "BootNotification",
      payload: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
    });
  });

  test("reads a CALLRESULT [J-042] [J-048]", () => {
    expect(decode('[3,"19223201",{"status":"Accepted"}]')).toStrictEqual({
      type: "CALLRESULT",
      messageId: "19223201",
      payload: { status: "Accepted" },
    });
  });

  test("reads a CALLERROR [J-043] [J-048] [J-082] [J-083]", () => {
    expect(decode('[4,"162376037","NotSupported","SendLocalList.req not implemented",{}]')).toStrictEqual({
      type: "CALLERROR",
      messageId: "162376037",
      errorCode: "NotSupported",
      errorDescription: "SendLocalList.req not implemented",
      errorDetails: {},
    });
  });

  test("reads an empty description, as chargers send it [J-082]", () => {
    expect(decode('[4,"1","NotImplemented","",{"a":[1]}]')).toStrictEqual({
      type: "CALLERROR",
      messageId: "1",
      errorCode: "NotImplemented",
      errorDescription: "",
      errorDetails: { a: [1] },
    });
  });

  test("keeps an error code that OCPP 1.6 does not know, even one that is a method of objects [J-086] [trap 6]", () => {
    for (const errorCode of ["OccurrenceConstraintViolation", "__proto__", "toString", "constructor"]) {
      expect(decode(JSON.stringify([4, "1", errorCode, "", {}]))).toStrictEqual({
        type: "CALLERROR",
        messageId: "1",
        errorCode,
        errorDescription: "",
        errorDetails: {},
      });
    }
  });

  test("accepts a null payload: whether it fits is for the action to say [J-062]", () => {
    expect(decode('[2,"1","Heartbeat",null]')).toStrictEqual({ ...heartbeat, payload: null });
    expect(decode('[3,"1",null]')).toStrictEqual({ type: "CALLRESULT", messageId: "1", payload: null });
  });

  test("reads pretty-printed JSON [J-122]", () => {
    expect(decode('\t[ 2 ,\r\n  "1", "Heartbeat" , { } ]\n')).toStrictEqual(heartbeat);
  });

  test("ignores a byte order mark before and NULs behind the JSON [J-124]", () => {
    expect(decode('\uFEFF[2,"1","Heartbeat",{}]\0\0 \n\0')).toStrictEqual(heartbeat);
  });

  test("takes time in proportion to padding in the middle of the text, not to its square [J-124]", () => {
    expect(malformed(`[2,"1"${" ".repeat(1_000_000)}x`).reason).toBe("not-json");
  });

  test("takes 36 characters of message id, and counts characters, not UTF-16 units [J-050]", () => {
    const id = "\u{1F50C}".repeat(36);
    expect(decode(JSON.stringify([2, id, "Heartbeat", {}]))).toStrictEqual({ ...heartbeat, messageId: id });
  });

  test.each([
    ["", "not-json"],
    ["[2,", "not-json"],
    ["\0", "not-json"],
    ['[2,"1","Heartbeat",{}][2,"2","Heartbeat",{}]', "not-json"],
  ])("calls %j not JSON, with nothing to answer [J-046] [J-120] [J-127] [J-D02]", (text, reason) => {
    expect(malformed(text)).toStrictEqual({ type: "MALFORMED", reason, message: expect.any(String), text });
  });

  test.each([["{}"], ["null"], ["2"], ['"2"'], ["[]"]])(
    "calls %s JSON that is no frame, with nothing to answer [J-127] [J-D03]",
    (text) => {
      expect(malformed(text)).toStrictEqual({
        type: "MALFORMED",
        reason: "not-an-array",
        message: expect.any(String),
        text,
      });
    },
  );

  test.each([
    ['[5,"1",{}]'],
    ['[6,"1","Heartbeat",{}]'],
    ['[2.5,"1","Heartbeat",{}]'],
    ['[null,"1","Heartbeat",{}]'],
    ['[[2],"1","Heartbeat",{}]'],
    ["[-1]"],
  ])("ignores the message type of %s [J-044] [J-D04]", (text) => {
    expect(malformed(text)).toStrictEqual({
      type: "MALFORMED",
      reason: "message-type",
      message: expect.any(String),
      text,
    });
  });

  test('does not take the string "2" for the number 2 [J-040] [J-D05]', () => {
    expect(malformed('["2","1","Heartbeat",{}]').reason).toBe("message-type");
  });

  test("reads the number that stands where a message id belongs, so that its sender can be told [J-D06]", () => {
    const text = '[2,17,"Heartbeat",{}]';
    expect(malformed(text)).toStrictEqual({ ...malformedCall, reason: "message-id", messageId: "17", text });
  });

  test.each([['[2,null,"Heartbeat",{}]'], ['[2,["1"],"Heartbeat",{}]'], ['[2,{},"Heartbeat",{}]'], ["[2]"]])(
    "finds no message id in %s [J-D06]",
    (text) => {
      expect(malformed(text)).toStrictEqual({ ...malformedCall, reason: "message-id", text });
    },
  );

  test.each([["x".repeat(37)], ["x".repeat(1000)], [""]])(
    "refuses the message id %j of a CALL, and can still tell which [J-050] [J-056] [J-059] [J-D07]",
    (messageId) => {
      const text = JSON.stringify([2, messageId, "Heartbeat", {}]);
      expect(malformed(text)).toStrictEqual({ ...malformedCall, reason: "message-id", messageId, text });
    },
  );

  test.each([['[2,"1"]'], ['[2,"1","Heartbeat"]'], ['[2,"1","Heartbeat",{},{}]']])(
    "counts the elements of %s [J-041] [J-D09] [J-D10]",
    (text) => {
      expect(malformed(text)).toStrictEqual({ ...malformedCall, reason: "call-shape", messageId: "1", text });
    },
  );

  test.each([['[2,"1",null,{}]'], ['[2,"1",{"toString":1},{}]'], ['[2,"1",["Heartbeat"],{}]'], ['[2,"1",7,{}]']])(
    "refuses an action that is not a string in %s [J-060] [J-D09] [trap 11]",
    (text) => {
      expect(malformed(text)).toStrictEqual({ ...malformedCall, reason: "call-shape", messageId: "1", text });
    },
  );

  test.each([['[3,"1"]'], ['[3,"1",{},{}]']])("reads the message id of the malformed CALLRESULT %s [J-042]", (text) => {
    expect(malformed(text)).toStrictEqual({
      type: "MALFORMED",
      intended: "CALLRESULT",
      reason: "answer-shape",
      message: expect.stringMatching(/^The CALLRESULT .*\.$/),
      messageId: "1",
      text,
    });
  });

  test.each([["[3]"], ["[3,1,{}]"], ["[4,null]"], ['[4,4,"GenericError","",{}]']])(
    "finds no message id in the answer %s",
    (text) => {
      expect(malformed(text)).toStrictEqual({
        type: "MALFORMED",
        intended: text.startsWith("[3") ? "CALLRESULT" : "CALLERROR",
        reason: "answer-shape",
        message: expect.stringMatching(/^The message id of the CALL(?:RESULT|ERROR) is not a string\.$/),
        text,
      });
    },
  );

  test.each<[string, string, string, object]>([
    ['[4,"1","NotSupported","no"]', "NotSupported", "no", {}],
    ['[4,"1","NotSupported",null,null]', "NotSupported", "", {}],
    ['[4,"1","NotSupported","no",null]', "NotSupported", "no", {}],
    ['[4,"1","NotSupported","no",7]', "NotSupported", "no", {}],
    ['[4,"1",null,"no",{}]', "GenericError", "no", {}],
    ['[4,"1","NotSupported",7,{"b":2}]', "NotSupported", "", { b: 2 }],
    ['[4,"1","NotSupported","no","why"]', "NotSupported", "no", {}],
    ['[4,"1","NotSupported","no",[1]]', "NotSupported", "no", {}],
    ['[4,"1",{"a":1},7,{"b":2}]', "GenericError", "", { b: 2 }],
    ['[4,"1"]', "GenericError", "", {}],
    ['[4,"1","NotSupported","no",{},"more"]', "NotSupported", "no", {}],
  ])(
    "repairs the imperfect CALLERROR %s [J-089] [J-D22] [trap 7]",
    (text, errorCode, errorDescription, errorDetails) => {
      expect(malformed(text)).toStrictEqual({
        type: "MALFORMED",
        intended: "CALLERROR",
        reason: "answer-shape",
        message: expect.stringMatching(/^The CALLERROR is not .*\.$/),
        messageId: "1",
        repaired: { type: "CALLERROR", messageId: "1", errorCode, errorDescription, errorDetails },
        text,
      });
    },
  );
});

describe("encode", () => {
  test.each<[Frame, string]>([
    [{ type: "CALL", messageId: "1", action: "Heartbeat", payload: {} }, '[2,"1","Heartbeat",{}]'],
    [{ type: "CALLRESULT", messageId: "1", payload: { status: "Accepted" } }, '[3,"1",{"status":"Accepted"}]'],
    [
      { type: "CALLERROR", messageId: "1", errorCode: "GenericError", errorDescription: "", errorDetails: {} },
      '[4,"1","GenericError","",{}]',
    ],
  ])("writes compact JSON [J-040] [J-041] [J-042] [J-043] [J-122]", (frame, text) => {
    expect(encode(frame)).toBe(text);
  });

  test("leaves out absent optional fields [J-123]", () => {
    const payload = { idTag: "A", parentIdTag: undefined };
    expect(encode({ type: "CALLRESULT", messageId: "1", payload })).toBe('[3,"1",{"idTag":"A"}]');
  });
});
