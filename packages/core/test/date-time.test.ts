import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dateTimeOf, isMoment } from "../src/date-time.ts";

describe("dateTimeOf", () => {
  test("names every moment of the years 0 to 9999 in UTC, to the millisecond [CORE-TIME-04]", () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date("0000-01-01"), max: new Date("9999-12-31"), noInvalidDate: true }),
        (date) => {
          expect(isMoment(date.getTime())).toBe(true);
          expect(dateTimeOf(date.getTime())).toBe(date.toISOString());
        },
      ),
    );
  });

  test.each([
    [8.64e15, "9999-12-31T23:59:59.999Z"],
    [8.64e15 + 1, "9999-12-31T23:59:59.999Z"],
    [Number.POSITIVE_INFINITY, "9999-12-31T23:59:59.999Z"],
    [Date.UTC(10_000, 0, 1), "9999-12-31T23:59:59.999Z"],
    [-8.64e15, "0000-01-01T00:00:00.000Z"],
    [Number.NEGATIVE_INFINITY, "0000-01-01T00:00:00.000Z"],
    [Number.NaN, "1970-01-01T00:00:00.000Z"],
  ])("of %d, which none can name, is %s [CORE-TIME-02]", (time, dateTime) => {
    expect(dateTimeOf(time)).toBe(dateTime);
    expect(isMoment(time)).toBe(false);
  });
});
