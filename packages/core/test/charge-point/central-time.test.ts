import { describe, expect, test } from "vitest";
import { CentralTime, laterBy } from "../../src/charge-point/central-time.ts";
import { day, hour, minute, second } from "./vocabulary.ts";

/** What a charger without a battery-backed clock takes the time to be. */
const boot = Date.parse("1970-01-01T00:00:10Z");
const noon = Date.parse("2026-01-01T12:00:00Z");
const text = (time: number): string => new Date(time).toISOString();

/** The Central System told at `boot` that it is noon. */
function told(): CentralTime {
  const time = new CentralTime();
  time.adopt(text(noon), boot);
  return time;
}

describe("CentralTime", () => {
  test("is the own clock until the Central System has told the time", () => {
    const time = new CentralTime();
    expect(time.at(boot)).toBe(boot);
    expect(time.at(boot + hour)).toBe(boot + hour);
    expect(time.trusted).toBe(false);
  });

  test("is the Central System's time from then on [CORE-BOOT-04] [CORE-HB-05]", () => {
    const time = told();
    expect(time.trusted).toBe(true);
    expect(time.at(boot)).toBe(noon);
    expect(time.at(boot + hour)).toBe(noon + hour);
  });

  test("is set, backwards too, when the Central System tells the time first, however long that took [CORE-BOOT-04]", () => {
    for (const asked of [true, false]) {
      const time = new CentralTime();
      if (asked) time.at(noon + hour - minute);
      time.adopt(text(noon - hour), noon + hour);
      expect(time.at(noon + hour)).toBe(noon - hour);
      expect(time.at(noon + 2 * hour)).toBe(noon);
    }
  });

  test("goes ahead at once when the Central System is ahead [CORE-HB-05]", () => {
    const time = told();
    time.adopt(text(noon + 2 * hour), boot + hour);
    expect(time.at(boot + hour)).toBe(noon + 2 * hour);
  });

  test.each([-10 * second, -10_001, 10 * second, 10_001, -2 * hour, 365 * day, -365 * day])(
    "is slewed up to 10 s and set beyond, forwards and backwards, as often as it is told: %d ms [CORE-HB-05]",
    (stepMs) => {
      const time = told();
      for (const offMs of [stepMs, 0, stepMs, 0]) {
        const shown = time.at(boot);
        time.adopt(text(noon + offMs), boot);
        const small = Math.abs(offMs - (shown - noon)) <= 10 * second;
        expect(time.at(boot) - noon).toBe(small ? Math.max(shown - noon, offMs) : offMs);
      }
    },
  );

  test("runs at half speed until it is caught up when the Central System is behind [CORE-HB-05]", () => {
    const time = told();
    time.adopt(text(noon + hour - 10 * second), boot + hour);
    const passed = [0, 1, 10, 19, 20, 21, 100];
    const shown = passed.map((s) => (time.at(boot + hour + s * second) - noon - hour) / second);
    expect(shown).toEqual([0, 0.5, 5, 9.5, 10, 11, 90]);
  });

  test.each([
    ["2026-01-01T12:00:00Z", 0],
    ["2026-01-01T12:00:00.250Z", 250],
    ["2026-01-01T12:00:00.123456789Z", 123],
    ["2026-01-01T17:30:00+05:30", 0],
    ["2026-01-01T04:00:00.5-08:00", 500],
  ])("understands %s [CORE-TIME-02]", (currentTime, ms) => {
    const time = new CentralTime();
    time.adopt(currentTime, boot);
    expect(time.at(boot)).toBe(noon + ms);
  });

  test.each([
    ["2016-12-31T23:59:60Z"],
    ["2026-13-01T00:00:00Z"],
    ["noon"],
    [""],
    ["9999-12-31T23:59:59.999Z"],
    ["0001-01-01T00:00:00Z"],
    ["1970-01-01T00:00:00Z"],
    ["2014-12-31T23:59:59.999Z"],
    ["2101-01-01T00:00:00Z"],
  ])("ignores %j, which is no time, and says so [CORE-HB-05]", (currentTime) => {
    const time = told();
    expect(time.adopt(currentTime, boot)).toBeUndefined();
    expect(time.at(boot)).toBe(noon);
    expect(time.trusted).toBe(true);
    const never = new CentralTime();
    expect(never.adopt(currentTime, boot)).toBeUndefined();
    expect(never.trusted).toBe(false);
  });

  test.each(["2015-01-01T00:00:00Z", "2100-12-31T23:59:59.999Z"])("takes %s for a time", (currentTime) => {
    expect(new CentralTime().adopt(currentTime, boot)).toBeDefined();
  });
});

describe("CentralTime, doubted", () => {
  test("is not trusted until the Central System tells the time again, and says by how much it was wrong [CORE-HB-05]", () => {
    const time = told();
    // The machine sleeps for two hours, in which the own clock stands still.
    time.doubt();
    expect(time.trusted).toBe(false);
    expect(time.at(boot + minute)).toBe(noon + minute);
    expect(time.adopt(text(noon + 2 * hour + minute), boot + minute)).toEqual({
      correctionMs: 2 * hour,
      setMs: 2 * hour,
    });
    expect(time.trusted).toBe(true);
    expect(time.at(boot + minute)).toBe(noon + 2 * hour + minute);
  });

  test("corrects nothing when it was right but for a small step", () => {
    const time = told();
    time.doubt();
    expect(time.adopt(text(noon - 3 * second), boot)).toEqual({ correctionMs: 0, setMs: 0 });
    expect(time.at(boot)).toBe(noon);
  });

  test("corrects nothing that was stamped while it was trusted", () => {
    expect(told().adopt(text(noon + hour), boot)).toEqual({ correctionMs: 0, setMs: hour });
  });

  test("begins a new epoch each time, and none when the time is told", () => {
    const time = told();
    const { epoch } = time;
    time.doubt();
    expect(time.epoch).toBe(epoch + 1);
    time.adopt(text(noon), boot);
    expect(time.epoch).toBe(epoch + 1);
    time.doubt();
    time.doubt();
    expect(time.epoch).toBe(epoch + 3);
  });
});

describe("laterBy", () => {
  test.each([
    ["2026-01-01T12:00:00Z", hour, "2026-01-01T13:00:00.000Z"],
    ["2026-01-01T12:00:00+02:00", -hour, "2026-01-01T09:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", 1e15, "9999-12-31T23:59:59.999Z"],
    ["2026-01-01T12:00:00Z", -1e15, "0000-01-01T00:00:00.000Z"],
    ["2016-12-31T23:59:60Z", hour, "2016-12-31T23:59:60Z"],
    ["noon", hour, "noon"],
    [undefined, hour, undefined],
  ])("makes of %s, %d ms later, %s [CORE-TIME-04]", (timestamp, ms, expected) => {
    expect(laterBy(ms, { timestamp })).toEqual({ timestamp: expected });
  });
});
