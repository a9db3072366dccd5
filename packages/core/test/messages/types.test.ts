import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import {
  AnyUri,
  action,
  ConnectorId,
  ConnectorIdOrZero,
  DateTime,
  Decimal,
  Integer,
  oneOrMore,
  text,
} from "../../src/messages/types.ts";

const accepts = (schema: z.core.$ZodType, value: unknown) => z.safeParse(schema, value).success;

describe("action", () => {
  it("returns the definition that it checks", () => {
    const definition = {
      from: ["ChargePoint"],
      profile: "Core",
      req: z.strictObject({}),
      conf: z.strictObject({}),
    } as const;
    expect(action(definition)).toBe(definition);
  });
});

describe("oneOrMore", () => {
  it("refuses the empty list [J-097] [QD-07]", () => {
    expect([[], [1], [1, 2], [1, "2"]].map((list) => accepts(oneOrMore(Integer), list))).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });
});

describe("text", () => {
  it("allows up to its maximum length, and the empty text [TYP-36]", () => {
    expect(accepts(text(20), "")).toBe(true);
    expect(accepts(text(20), "x".repeat(20))).toBe(true);
    expect(accepts(text(20), "x".repeat(21))).toBe(false);
  });

  it("counts characters, not UTF-16 units; half a character counts as one [TYP-36]", () => {
    expect(accepts(text(2), "🔌🔌")).toBe(true);
    expect(accepts(text(2), "🔌🔌🔌")).toBe(false);
    expect(accepts(text(2), "\ud83d\ud83d")).toBe(true);
    expect(accepts(text(2), "\ud83d\ud83d\ud83d")).toBe(false);
  });
});

describe("Integer", () => {
  it.each([0, -1, 10.0, 2 ** 31, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER])("allows %d [J-125]", (value) => {
    expect(accepts(Integer, value)).toBe(true);
  });

  it.each([10.5, 2 ** 53, -(2 ** 53), Number.NaN, Number.POSITIVE_INFINITY, "10", 10n, true])(
    "refuses %o [J-125]",
    (value) => {
      expect(accepts(Integer, value)).toBe(false);
    },
  );
});

describe("Decimal", () => {
  it.each([8.1, 9.1, 15.2, 2000, 0, -1, 0.1 + 0.2, 8.1 * 3, 16.100_000_01, 1e15])(
    "allows %d [J-126] [QD-09] [trap 17]",
    (value) => {
      expect(accepts(Decimal, value)).toBe(true);
    },
  );

  it("allows each of the thousand one-decimal values from 0.0 to 99.9 [J-126] [trap 17]", () => {
    const values = Array.from({ length: 1000 }, (_, tenths) => Number(`${Math.trunc(tenths / 10)}.${tenths % 10}`));
    expect(values.filter((value) => !accepts(Decimal, value))).toEqual([]);
  });

  it.each([8.15, 0.01, 16.100_001, -0.25, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, "8.1"])(
    "refuses %o [J-126]",
    (value) => {
      expect(accepts(Decimal, value)).toBe(false);
    },
  );
});

describe("ConnectorId", () => {
  it("begins at 1 [CORE-CONN-01] [CORE-CONN-07] [J-198]", () => {
    expect([-1, 0, 1, 2].filter((value) => accepts(ConnectorId, value))).toEqual([1, 2]);
  });
});

describe("ConnectorIdOrZero", () => {
  it("begins at 0 [CORE-CONN-04] [CORE-CONN-05] [CORE-CONN-07] [QD-08]", () => {
    expect([-1, 0, 1, 2].filter((value) => accepts(ConnectorIdOrZero, value))).toEqual([0, 1, 2]);
  });
});

describe("DateTime", () => {
  it.each([
    "2025-01-31T12:00:00Z",
    "2025-01-31T12:00:00.1Z",
    "2025-01-31T12:00:00.123456789Z",
    "2025-01-31T12:00:00+01:00",
    "2025-12-31T23:59:59.999-11:30",
    "2024-02-29T00:00:00Z",
    "2000-02-29T00:00:00Z",
    "0001-01-01T00:00:00Z",
  ])("allows %s [CORE-TIME-02] [CORE-TIME-03]", (value) => {
    expect(accepts(DateTime, value)).toBe(true);
  });

  it.each([
    ["no seconds", "2013-01-01T00:00Z"],
    ["no zone", "2025-01-31T12:00:00"],
    ["an offset without minutes", "2025-01-31T12:00:00+02"],
    ["an offset of 24 hours", "2025-01-31T12:00:00+24:00"],
    ["no time", "2025-01-31"],
    ["no T", "2025-01-31 12:00:00Z"],
    ["lower case", "2025-01-31t12:00:00z"],
    ["a point without fraction", "2025-01-31T12:00:00.Z"],
    ["month 0", "2025-00-31T12:00:00Z"],
    ["month 13", "2025-13-31T12:00:00Z"],
    ["day 0", "2025-01-00T12:00:00Z"],
    ["day 32", "2025-01-32T12:00:00Z"],
    ["31 April", "2025-04-31T12:00:00Z"],
    ["30 February", "2024-02-30T12:00:00Z"],
    ["29 February of a common year", "2025-02-29T12:00:00Z"],
    ["29 February of 1900", "1900-02-29T12:00:00Z"],
    ["hour 24", "2025-01-31T24:00:00Z"],
    ["minute 60", "2025-01-31T12:60:00Z"],
    ["a leap second", "2016-12-31T23:59:60Z"],
    ["text around it", " 2025-01-31T12:00:00Z"],
    ["a line feed after it", "2025-01-31T12:00:00Z\n"],
    ["nothing", ""],
  ])("refuses %s [CORE-TIME-01] [CORE-TIME-05] [QD-10]", (_, value) => {
    expect(accepts(DateTime, value)).toBe(false);
  });

  it("refuses a Date and a number [TYP-42]", () => {
    expect(accepts(DateTime, new Date(0))).toBe(false);
    expect(accepts(DateTime, 0)).toBe(false);
  });
});

describe("AnyUri", () => {
  it.each([
    "ftp://user:secret@example.com:21/diagnostics/",
    "HTTPS://example.com/firmware%20v2.bin?cp=1#part",
    "https://[2001:db8::1]/",
    "urn:example:firmware",
  ])("allows %s [TYP-43] [FM-33]", (value) => {
    expect(accepts(AnyUri, value)).toBe(true);
  });

  it.each([
    ["a relative reference", "/diagnostics"],
    ["no scheme", "example.com/diagnostics"],
    ["a scheme that begins with a digit", "1ftp://example.com"],
    ["a space", "ftp://example.com/my files/"],
    ["a character beyond ASCII", "ftp://example.com/ü"],
    ["a broken percent-encoding", "ftp://example.com/%2"],
    ["two fragments", "ftp://example.com/#a#b"],
    ["a line feed after it", "ftp://example.com/\n"],
    ["nothing", ""],
  ])("refuses %s [TYP-43] [QD-47]", (_, value) => {
    expect(accepts(AnyUri, value)).toBe(false);
  });

  it("decides about ten megabytes of text [TYP-43]", () => {
    expect(accepts(AnyUri, `ftp:${"a".repeat(1e7)}`)).toBe(true);
    expect(accepts(AnyUri, `ftp:${"a".repeat(1e7)} `)).toBe(false);
  });
});
