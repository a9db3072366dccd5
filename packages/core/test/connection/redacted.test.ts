import { describe, expect, test } from "vitest";
import { decode, type Frame, type Malformed, redacted } from "../../src/index.ts";

const secret = "00112233445566778899AABBCCDDEEFF00112233";

const change = (key: string): Frame => ({
  type: "CALL",
  messageId: "1",
  action: "ChangeConfiguration",
  payload: { key, value: secret },
});

const text = (frame: Frame | Malformed): string => JSON.stringify(frame);

describe("redacted", () => {
  test.each(["AuthorizationKey", "authorizationkey", "AUTHORIZATIONKEY"])(
    "hides the value in a ChangeConfiguration of %s, and nothing else of it [SEC-A01-09]",
    (key) => {
      expect(redacted(change(key))).toEqual({ ...change(key), payload: { key, value: "(redacted)" } });
    },
  );

  test("leaves the frame itself as it is, since it is still to be sent or handled", () => {
    const frame = change("AuthorizationKey");
    redacted(frame);
    expect(frame).toEqual(change("AuthorizationKey"));
  });

  test("leaves other frames equal", () => {
    const frames: Frame[] = [
      change("HeartbeatInterval"),
      { type: "CALL", messageId: "1", action: "Heartbeat", payload: {} },
      { type: "CALL", messageId: "1", action: "StatusNotification", payload: null },
      { type: "CALLRESULT", messageId: "1", payload: { status: "Accepted", list: [1, "a", null, { value: "b" }] } },
      {
        type: "CALLERROR",
        messageId: "1",
        errorCode: "NotSupported",
        errorDescription: "no",
        errorDetails: { value: 1 },
      },
      { type: "CALLRESULT", messageId: "1", payload: JSON.parse('{"__proto__":{"value":"x"},"key":7,"value":"y"}') },
    ];
    for (const frame of frames) expect(text(redacted(frame))).toBe(text(frame));
  });

  test("hides the password that a Charge Point tells in GetConfiguration.conf [SEC-A01-09]", () => {
    const other = { key: "HeartbeatInterval", readonly: false, value: "300" };
    const frame = redacted({
      type: "CALLRESULT",
      messageId: "1",
      payload: { configurationKey: [other, { key: "AuthorizationKey", readonly: false, value: secret }] },
    });
    expect(frame.payload).toEqual({
      configurationKey: [other, { key: "AuthorizationKey", readonly: false, value: "(redacted)" }],
    });
  });

  test("hides what a CALLERROR repeats of its CALL, in the description too [SEC-A01-09]", () => {
    const frame = redacted({
      type: "CALLERROR",
      messageId: "1",
      errorCode: "FormationViolation",
      errorDescription: `{"key":"AuthorizationKey","value":"${secret}"}`,
      errorDetails: {
        received: { Key: "x", AuthorizationKey: secret },
        payload: { key: "AuthorizationKey", value: secret },
      },
    });
    expect(text(frame)).not.toContain(secret);
    expect(frame.errorCode).toBe("FormationViolation");
    expect(frame.errorDetails).toMatchObject({ received: { Key: "x" } });
  });

  test("hides a text in a payload that says more of the key than its name [SEC-A01-09]", () => {
    const frame = redacted({
      type: "CALL",
      messageId: "1",
      action: "DataTransfer",
      payload: {
        vendorId: "VendorX",
        data: JSON.stringify({ key: "authorizationkey", value: secret }),
        keys: ["AuthorizationKey", "HeartbeatInterval"],
      },
    });
    expect(frame.payload).toEqual({
      vendorId: "VendorX",
      data: "(redacted)",
      keys: ["AuthorizationKey", "HeartbeatInterval"],
    });
  });

  test("hides the text of what is no frame, when it names the key [SEC-A01-09]", () => {
    const malformed = [
      `[2,"1","ChangeConfiguration",{"key":"AuthorizationKey","value":"${secret}"}`,
      `[2,1,"ChangeConfiguration",{"key":"authorizationKey","value":"${secret}"}]`,
      `[4,"1","InternalError","AuthorizationKey ${secret}"]`,
    ].map(decode);
    for (const frame of malformed) {
      expect(frame.type).toBe("MALFORMED");
      expect(text(redacted(frame))).not.toContain(secret);
    }
    const harmless = decode("[2]");
    expect(redacted(harmless)).toEqual(harmless);
  });

  test("hides other keys when it is told to", () => {
    const keys = ["AuthorizationKey", "WifiPassword"];
    expect(text(redacted(change("wifiPassword"), keys))).not.toContain(secret);
    expect(text(redacted(change("AuthorizationKey"), keys))).not.toContain(secret);
    expect(text(redacted(change("wifiPassword")))).toContain(secret);
  });

  test("hides what is nested deeper than any payload of OCPP, instead of exhausting the stack", () => {
    const nested = decode(`[2,"1","Heartbeat",${'{"a":'.repeat(200_000)}1${"}".repeat(200_000)}]`);
    expect(text(redacted(nested))).toContain('"a":"(redacted)"');
  });
});
