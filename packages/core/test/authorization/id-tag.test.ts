import { describe, expect, test } from "vitest";
import { foldIdTag, idTagInfoAt, isIdTagInfo, isValid, sameIdTag } from "../../src/authorization/id-tag.ts";
import { after, now } from "./stores.ts";

describe("foldIdTag", () => {
  test("gives all spellings of an identifier one form [CORE-IDT-06]", () => {
    expect(foldIdTag("04aB")).toBe(foldIdTag("04Ab"));
    expect(foldIdTag("04aB")).not.toBe(foldIdTag("04aC"));
  });
});

describe("sameIdTag", () => {
  test("compares identifiers without regard to case [CORE-IDT-01] [CORE-IDT-06]", () => {
    expect(sameIdTag("deadBEEF", "DEADbeef")).toBe(true);
    expect(sameIdTag("deadBEEF", "deadBEE")).toBe(false);
  });

  test("assumes nothing about the format of identifiers [CORE-IDT-02]", () => {
    expect(sameIdTag(" x", "x")).toBe(false);
    expect(sameIdTag("0x", "00x")).toBe(false);
    expect(sameIdTag("", "")).toBe(true);
    expect(sameIdTag("__proto__", "__PROTO__")).toBe(true);
  });
});

describe("isValid", () => {
  test.each([
    ["Accepted", true],
    ["ConcurrentTx", true],
    ["Blocked", false],
    ["Expired", false],
    ["Invalid", false],
  ] as const)("of %s says %s [LAL-01]", (status, valid) => {
    expect(isValid({ status })).toBe(valid);
  });
});

describe("idTagInfoAt", () => {
  test("leaves an info without expiryDate as it is, for ever [CORE-CACHE-11]", () => {
    expect(idTagInfoAt({ status: "Accepted" }, 8.64e15)).toEqual({ status: "Accepted" });
  });

  test("says Expired from the expiryDate on, and keeps the rest [CORE-CACHE-03]", () => {
    const info = { status: "Accepted", expiryDate: after(1), parentIdTag: "P" } as const;
    expect(idTagInfoAt(info, now + 999)).toEqual(info);
    expect(idTagInfoAt(info, now + 1000)).toEqual({ ...info, status: "Expired" });
    expect(idTagInfoAt(info, now + 1001)).toEqual({ ...info, status: "Expired" });
  });

  test("reads the offset of an expiryDate [CORE-TIME-02]", () => {
    const info = { status: "Accepted", expiryDate: "2026-03-01T13:00:00.5+01:00" } as const;
    expect(idTagInfoAt(info, now).status).toBe("Accepted");
    expect(idTagInfoAt(info, now + 500).status).toBe("Expired");
  });

  test("does not trust an expiryDate that it cannot read [CORE-LAO-07]", () => {
    expect(idTagInfoAt({ status: "Accepted", expiryDate: "soon" }, now).status).toBe("Expired");
  });

  test("ends the validity of ConcurrentTx, too [LAL-01]", () => {
    expect(idTagInfoAt({ status: "ConcurrentTx", expiryDate: after(0) }, now).status).toBe("Expired");
  });

  test.each(["Blocked", "Invalid"] as const)("lets %s stay what it is after its expiryDate", (status) => {
    expect(idTagInfoAt({ status, expiryDate: after(-1) }, now).status).toBe(status);
  });
});

describe("isIdTagInfo", () => {
  test.each([
    { status: "Accepted" },
    { status: "Blocked" },
    { status: "ConcurrentTx" },
    { status: "Expired" },
    { status: "Invalid", expiryDate: after(0), parentIdTag: "P" },
  ])("takes %j", (value) => {
    expect(isIdTagInfo(value)).toBe(true);
  });

  test.each([
    undefined,
    null,
    "Accepted",
    [],
    {},
    { status: "accepted" },
    { status: "toString" },
    { status: 1 },
    { status: "Accepted", expiryDate: 1 },
    { status: "Accepted", parentIdTag: null },
  ])("refuses %j", (value) => {
    expect(isIdTagInfo(value)).toBe(false);
  });
});
