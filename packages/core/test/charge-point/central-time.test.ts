import { describe, expect, test } from "vitest";
import { CentralTime } from "../../src/charge-point/central-time.ts";
import { hour, minute, second } from "./vocabulary.ts";

/** What a charger without a battery-backed clock takes the time to be. */
const boot = Date.parse("1970-01-01T00:00:10Z");
const noon = Date.parse("2026-01-01T12:00:00Z");
const text = (time: number): string => new Date(time).toISOString();

/** The Central System told at `boot` that it is noon. */
function synchronized(): CentralTime {
  const time = new CentralTime();
  time.adopt(text(noon), boot);
  return time;
}

describe("CentralTime", () => {
  test("is the own clock until the Central System has told the time", () => {
    const time = new CentralTime();
    expect(time.at(boot)).toBe(boot);
    expect(time.at(boot + hour)).toBe(boot + hour);
    expect(time.synchronized).toBe(false);
    expect(time.offsetMs).toBe(0);
  });

  test("is the Central System's time from then on, and says by how much the own clock is behind [CORE-BOOT-04] [CORE-HB-05]", () => {
    const time = synchronized();
    expect(time.synchronized).toBe(true);
    expect(time.offsetMs).toBe(noon - boot);
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
    const time = synchronized();
    time.adopt(text(noon + 2 * hour), boot + hour);
    expect(time.at(boot + hour)).toBe(noon + 2 * hour);
    expect(time.offsetMs).toBe(noon + hour - boot);
  });

  test("runs at half speed until it is caught up when the Central System is behind [CORE-HB-05]", () => {
    const time = synchronized();
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

  test.each([["2016-12-31T23:59:60Z"], ["2026-13-01T00:00:00Z"], ["noon"], [""]])(
    "ignores %j, which no clock can show",
    (currentTime) => {
      const time = synchronized();
      time.adopt(currentTime, boot);
      expect(time.at(boot)).toBe(noon);
      const never = new CentralTime();
      never.adopt(currentTime, boot);
      expect(never.synchronized).toBe(false);
    },
  );
});
