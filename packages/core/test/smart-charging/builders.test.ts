import { describe, expect, test } from "vitest";
import {
  ChargingProfiles,
  compositeSchedule,
  dailySchedule,
  limitAt,
  limitUntil,
  PayloadError,
  pauseFrom,
  profileRefusal,
  scheduledLimits,
} from "../../src/index.ts";

const midnight = Date.parse("2024-06-03T00:00:00+02:00");
const hour = 3_600_000;
const maximum = { limit: 32, unit: "A" } as const;
const charging = ChargingProfiles.none({ connectors: { 1: maximum } }).startedTransaction(1, { startedAt: midnight });
const under = (profile: ReturnType<typeof pauseFrom>) => {
  expect(profileRefusal(1, profile)).toBeUndefined();
  const { profiles } = charging.set(1, profile);
  return (at: number) => limitAt(profiles, { connectorId: 1, at }).limit;
};

describe("Profiles of a Central System", () => {
  test("say the same at each time of every day, in the time zone that is meant [SC-34] [SC-37]", () => {
    const limitOf = under(
      dailySchedule({
        chargingProfileId: 1,
        unit: "A",
        startOfDay: midnight,
        limits: [
          { from: "00:00", limit: 16 },
          { from: "07:30", limit: 6, numberPhases: 1 },
          { from: "20:00", limit: 16 },
        ],
      }),
    );
    for (const day of [0, 1, 365]) {
      const start = midnight + day * 24 * hour;
      expect([0, 7.4, 7.5, 19.9, 20, 23.9].map((hours) => limitOf(start + hours * hour))).toEqual([
        16, 16, 6, 6, 16, 16,
      ]);
    }
  });

  test.each([
    ["is none", ["00:00", "7:30"]],
    ["is none", ["00:00", "24:00"]],
    ["is the first, and not midnight", ["01:00"]],
    ["does not rise", ["00:00", "08:00", "08:00"]],
  ])("are not made where a time of day %s: %j", (_, times) => {
    const limits = times.map((from) => ({ from, limit: 6 }));
    const schedule = { chargingProfileId: 1, unit: "A", startOfDay: midnight, limits } as const;
    expect(() => dailySchedule(schedule)).toThrow(TypeError);
  });

  test("allow so much from one moment to another, and say nothing else [SC-14] [SC-18]", () => {
    const times = [midnight - 1, midnight, midnight + hour - 1, midnight + hour];
    const both = { chargingProfileId: 1, limit: 10, unit: "A", from: midnight, until: midnight + hour } as const;
    expect(times.map(under(limitUntil(both)))).toEqual([32, 10, 10, 32]);
    const { from: _, ...until } = both;
    expect(times.map(under(limitUntil(until)))).toEqual([10, 10, 10, 32]);
  });

  test("hold from now on, however far the end is, and whatever the charger takes the time for [SC-18]", () => {
    const until = midnight + 200 * 24 * hour;
    const limitOf = under(limitUntil({ chargingProfileId: 1, limit: 6, unit: "A", until }));
    expect([0, midnight - 24 * hour, midnight, until - 1, until].map(limitOf)).toEqual([6, 6, 6, 6, 32]);
  });

  test("pause, for a while or until further notice [SC-20]", () => {
    const times = [midnight - 1, midnight, midnight + hour, midnight + 9 * hour];
    const pause = { chargingProfileId: 1, from: midnight };
    expect(times.map(under(pauseFrom(pause)))).toEqual([32, 0, 0, 0]);
    expect(times.map(under(pauseFrom({ ...pause, until: midnight + hour })))).toEqual([32, 0, 32, 32]);
  });

  test("are not made where a charger would refuse them [SC-22] [SC-38]", () => {
    const of = { chargingProfileId: 1, unit: "A", until: midnight } as const;
    expect(() => limitUntil({ ...of, limit: -1 })).toThrow("A limit of -1 A");
    expect(() => limitUntil({ ...of, limit: 6, numberPhases: 4 })).toThrow(TypeError);
    expect(() => limitUntil({ ...of, limit: 6, purpose: "ChargePointMaxProfile" })).not.toThrow();
  });

  const once = { chargingProfileId: 1, limit: 6, unit: "A" } as const;
  test.each<[string, () => unknown]>([
    ["an end that is none", () => limitUntil({ ...once, until: Number.NaN })],
    ["a beginning that is none", () => limitUntil({ ...once, from: Number.POSITIVE_INFINITY, until: midnight })],
    ["an end before its beginning", () => limitUntil({ ...once, from: midnight, until: midnight - 1 })],
    ["a pause that begins never", () => pauseFrom({ chargingProfileId: 1, from: Number.NaN })],
    ["a pause that is over at once", () => pauseFrom({ chargingProfileId: 1, from: midnight, until: midnight })],
    [
      "a midnight that is none",
      () => dailySchedule({ ...once, startOfDay: Number.NaN, limits: [{ from: "00:00", limit: 6 }] }),
    ],
  ])("are not made with %s [SC-14]", (_, make) => {
    expect(make).toThrow(TypeError);
  });

  test("pause in the unit that the charger takes", () => {
    const keys = { chargingScheduleAllowedChargingRateUnit: ["Power"] } as const;
    const pause = { chargingProfileId: 1, from: midnight };
    expect(profileRefusal(1, pauseFrom(pause), keys)).toMatchObject({ rule: "unit" });
    expect(profileRefusal(1, pauseFrom({ ...pause, unit: "W" }), keys)).toBeUndefined();
  });

  test("have the purpose, the level and the transaction that they are given [SC-51]", () => {
    const of = { chargingProfileId: 1, purpose: "TxProfile", transactionId: 7, stackLevel: 2, from: midnight } as const;
    const { from: _, purpose: chargingProfilePurpose, ...rest } = of;
    expect(pauseFrom(of)).toMatchObject({ ...rest, chargingProfilePurpose });
    const nonsense = { ...of, stackLevel: 0.5 };
    expect(() => pauseFrom(nonsense)).toThrow(PayloadError);
  });
});

describe("A composite schedule that a charger has told", () => {
  const scheduleStart = new Date(midnight).toISOString();
  const chargingSchedule = compositeSchedule(
    charging.set(1, limitUntil({ chargingProfileId: 1, limit: 6, unit: "A", until: midnight + hour, numberPhases: 1 }))
      .profiles,
    { connectorId: 1, from: midnight, durationSeconds: 7200 },
  );

  test("is read as moments [SC-88]", () => {
    expect(scheduledLimits({ status: "Accepted", connectorId: 1, scheduleStart, chargingSchedule })).toEqual([
      { from: midnight, to: midnight + hour, limit: 6, unit: "A", numberPhases: 1 },
      { from: midnight + hour, to: midnight + 2 * hour, limit: 32, unit: "A" },
    ]);
  });

  test("may say its start in the wrong place, and may have no end", () => {
    const { duration: _, ...endless } = chargingSchedule;
    const startSchedule = scheduleStart;
    const limits = scheduledLimits({ status: "Accepted", chargingSchedule: { ...endless, startSchedule } });
    expect(limits.at(-1)).toMatchObject({ from: midnight + hour, to: Number.POSITIVE_INFINITY });
  });

  test("is cut where its duration ends, and not thrown away [SC-30]", () => {
    const chargingSchedulePeriod = [0, 1800, 3600, 5400].map((startPeriod) => ({ startPeriod, limit: 32 }));
    const told = { duration: 3600, chargingRateUnit: "A", chargingSchedulePeriod } as const;
    const limits = scheduledLimits({
      status: "Accepted",
      scheduleStart,
      chargingSchedule: { ...told, chargingSchedulePeriod },
    });
    expect(limits.map(({ from, to }) => [from - midnight, to - midnight])).toEqual([
      [0, hour / 2],
      [hour / 2, hour],
    ]);
  });

  test.each<[string, Parameters<typeof scheduledLimits>[0]]>([
    ["it was rejected", { status: "Rejected", scheduleStart, chargingSchedule }],
    ["there is none", { status: "Accepted", scheduleStart }],
    ["nobody knows when it starts", { status: "Accepted", chargingSchedule }],
    [
      "it is out of order",
      {
        status: "Accepted",
        scheduleStart,
        chargingSchedule: {
          ...chargingSchedule,
          chargingSchedulePeriod: [...chargingSchedule.chargingSchedulePeriod].reverse(),
        },
      },
    ],
  ])("says nothing when %s [SC-84]", (_, conf) => {
    expect(scheduledLimits(conf)).toEqual([]);
  });
});
