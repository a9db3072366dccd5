import { describe, expect, test } from "vitest";
import {
  readBootNotificationConf,
  readHeartbeatConf,
  readIdTagInfo,
  readStartTransactionConf,
} from "../../src/charge-point/readable-answers.ts";

const currentTime = "2026-11-22T10:00:00.123Z";
const boot = { currentTime, interval: 300, status: "Accepted" };

describe("A BootNotification.conf", () => {
  test("is read as it is when nothing is wrong with it [CORE-BOOT-03]", () => {
    expect(readBootNotificationConf(boot)).toEqual(boot);
    expect(readBootNotificationConf({ ...boot, interval: 0, status: "Pending" })).toEqual({
      ...boot,
      interval: 0,
      status: "Pending",
    });
  });

  test.each([
    ["2026-11-22T10:00:00.123456", "2026-11-22T10:00:00.123456Z"],
    ["2026-11-22 10:00:00.123456+00:00", "2026-11-22T10:00:00.123456+00:00"],
    ["2026-11-22t10:00:00z", "2026-11-22T10:00:00Z"],
    ["2026-11-22T10:00:00+0000", "2026-11-22T10:00:00+00:00"],
    ["2026-11-22T10:00+00", "2026-11-22T10:00:00+00:00"],
    ["2016-12-31T23:59:60Z", "2016-12-31T23:59:59Z"],
  ])("whose currentTime is %j has it in RFC 3339 [CORE-TIME-05] [Q10]", (written, read) => {
    expect(readBootNotificationConf({ ...boot, currentTime: written })?.currentTime).toBe(read);
  });

  test.each([1795341600, 1795341600123, null, undefined, "", "now", "2026-11-31T10:00:00Z", {}, [currentTime], true])(
    "whose currentTime is %j counts without it [CORE-BOOT-04]",
    (unreadable) => {
      expect(readBootNotificationConf({ ...boot, currentTime: unreadable })).toEqual({
        ...boot,
        currentTime: undefined,
      });
    },
  );

  test.each([
    ["300", 300],
    ["300.0", 300],
    [1.5, 2],
    [299.6, 300],
    [-1, -1],
    [1e12, 1e12],
  ])("whose interval is %j means %j seconds [CORE-BOOT-03] [CORE-BOOT-05]", (interval, seconds) => {
    expect(readBootNotificationConf({ ...boot, interval })?.interval).toBe(seconds);
  });

  test.each([null, undefined, "", " ", "PT5M", "0x10", "1e3", 1e300, Number.NaN, {}, [300], true])(
    "whose interval is %j leaves it to the charge point [CORE-BOOT-06]",
    (interval) => {
      expect(readBootNotificationConf({ ...boot, interval })).toEqual({ ...boot, interval: 0 });
    },
  );

  test("may have fields that nobody knows", () => {
    expect(readBootNotificationConf({ ...boot, vendor: { a: 1 }, __proto__: { b: 1 } })).toEqual(boot);
  });

  test.each([undefined, null, "accepted", "", 1, ["Accepted"], {}])("whose status is %j is none", (status) => {
    expect(readBootNotificationConf({ ...boot, status })).toBeUndefined();
  });
});

describe("A Heartbeat.conf", () => {
  test("tells the time where it can be read [CORE-HB-05]", () => {
    expect(readHeartbeatConf({ currentTime, more: 1 })).toEqual({ currentTime });
    expect(readHeartbeatConf({ currentTime: "2026-11-22T10:00:00" })).toEqual({ currentTime: "2026-11-22T10:00:00Z" });
    for (const nothing of [{ currentTime: 0 }, {}, null, undefined, [], "text"]) {
      expect(readHeartbeatConf(nothing)).toEqual({ currentTime: undefined });
    }
  });
});

describe("A StartTransaction.conf", () => {
  const accepted = { status: "Accepted" };

  test.each([
    [{ transactionId: 7, idTagInfo: { ...accepted, expiryDate: null } }, 7, accepted],
    [{ transactionId: 7, idTagInfo: accepted, vendor: 1 }, 7, accepted],
    [{ transactionId: "7", idTagInfo: accepted }, 7, accepted],
    [{ transactionId: -1, idTagInfo: { status: "Invalid" } }, -1, { status: "Invalid" }],
    [{ transactionId: 0 }, 0, undefined],
    [{ transactionId: 7, idTagInfo: null }, 7, undefined],
    [{ transactionId: 7, idTagInfo: { status: "Unknown" } }, 7, undefined],
    [{ transactionId: 7, idTagInfo: "Accepted" }, 7, undefined],
  ])("%j has the id %j [CORE-START-03]", (payload, transactionId, idTagInfo) => {
    expect(readStartTransactionConf(payload)).toEqual({ transactionId, idTagInfo });
  });

  test.each([{}, { transactionId: null }, { transactionId: 7.5 }, { transactionId: "7.5" }, { transactionId: "T7" }])(
    "%j has no id [CORE-START-03]",
    (payload) => {
      expect(readStartTransactionConf({ ...payload, idTagInfo: accepted })).toBeUndefined();
    },
  );

  test.each([2 ** 53, "9007199254740992", 1e300])(
    "with the id %j, whose digits are lost, has no id",
    (transactionId) => {
      expect(readStartTransactionConf({ transactionId, idTagInfo: accepted })).toBeUndefined();
    },
  );
});

describe("An idTagInfo", () => {
  test("is read as far as it can be [TYP-01] [TYP-38]", () => {
    const whole = { status: "Accepted", expiryDate: "2027-01-01T00:00:00Z", parentIdTag: "GROUP" };
    expect(readIdTagInfo({ idTagInfo: whole })).toEqual(whole);
    expect(readIdTagInfo({ idTagInfo: { ...whole, expiryDate: "2027-01-01T00:00:00" } })).toEqual(whole);
    expect(readIdTagInfo({ idTagInfo: { ...whole, expiryDate: 0 } })).toEqual({
      status: "Accepted",
      parentIdTag: "GROUP",
    });
    expect(readIdTagInfo({ idTagInfo: { status: "Blocked", parentIdTag: "x".repeat(21), more: 1 } })).toStrictEqual({
      status: "Blocked",
    });
    expect(readIdTagInfo({ idTagInfo: { ...whole, parentIdTag: null } })).not.toHaveProperty("parentIdTag");
  });

  test.each([null, undefined, {}, { idTagInfo: {} }, { idTagInfo: [] }, { status: "Accepted" }])(
    "is not in %j",
    (p) => {
      expect(readIdTagInfo(p)).toBeUndefined();
    },
  );
});
