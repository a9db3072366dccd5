import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChargingProfile, ChargingProfiles, check, compositeSchedule, limitAt } from "../../src/index.ts";
import { chargePoints, installedProfiles } from "./generators.ts";

const both = { limit: 32, unit: "A" } as const;
const charging = (from: number): ChargingProfiles =>
  ChargingProfiles.none({ connectors: { 1: both, 2: both } })
    .startedTransaction(1, { startedAt: from })
    .startedTransaction(2, { startedAt: from - 5000 });

const from = Date.parse("2024-12-31T22:00:00Z");
const sets = fc.array(installedProfiles(from), { maxLength: 8 });
const setAll = (profiles: ChargingProfiles, all: typeof sets extends fc.Arbitrary<infer T> ? T : never) =>
  all.reduce((before, { connectorId, profile }) => before.set(connectorId, profile).profiles, profiles);
const window = { from, durationSeconds: 40 };

describe("Whatever is set", () => {
  test("clearing it again leaves what was before, unless it has replaced something [SC-15] [SC-16] [SC-73]", () => {
    fc.assert(
      fc.property(sets, installedProfiles(from), (before, { connectorId, profile }) => {
        const had = setAll(charging(from), before);
        const verdict = had.set(connectorId, profile);
        const { installed } = verdict.profiles.clear({ id: profile.chargingProfileId }).profiles;
        const replaced = verdict.status === "Accepted" ? verdict.replaced : [];
        if (verdict.status === "Accepted") {
          const all = [...installed, ...replaced].sort(
            (a, b) => a.profile.chargingProfileId - b.profile.chargingProfileId,
          );
          expect(all).toEqual(had.installed);
        } else expect(verdict.profiles).toBe(had);
      }),
    );
  });

  test("the order makes no difference where nothing is replaced [SC-16]", () => {
    fc.assert(
      fc.property(sets, (all) => {
        const forth = setAll(charging(from), all);
        fc.pre(forth.installed.length === all.length);
        expect(setAll(charging(from), [...all].reverse()).installed).toEqual(forth.installed);
      }),
    );
  });

  test("the composite schedule obeys its schema, has no two neighbours alike, and stays within every bound [SC-22] [SC-81] [SC-86] [SC-87] [SC-89]", () => {
    fc.assert(
      fc.property(
        chargePoints,
        fc.constantFrom("A", "W"),
        fc.integer({ min: 0, max: 2 }),
        (given, unit, connectorId) => {
          const { connectors, maximum, numberPhases } = given;
          const profiles = setAll(ChargingProfiles.none({ connectors, maximum, numberPhases }), given.sets);
          const asked = { connectorId, from: given.from, durationSeconds: 40, unit } as const;
          const chargingSchedule = compositeSchedule(profiles, asked);
          expect(chargingSchedule).toMatchObject({ duration: 40, chargingRateUnit: unit });
          expect(chargingSchedule).not.toHaveProperty("startSchedule");
          const conf = {
            status: "Accepted",
            connectorId,
            scheduleStart: new Date(from).toISOString(),
            chargingSchedule,
          };
          expect(check("GetCompositeSchedule", "conf", conf)).toEqual(conf);
          const periods = chargingSchedule.chargingSchedulePeriod;
          expect(periods[0]?.startPeriod).toBe(0);
          for (const [index, { startPeriod, limit, numberPhases: phases }] of periods.entries()) {
            const next = periods[index + 1];
            expect(startPeriod).toBeLessThan(next?.startPeriod ?? 40);
            expect([limit, phases]).not.toEqual([next?.limit, next?.numberPhases]);
          }
        },
      ),
    );
  });

  test("half a window and the other half are the whole one, where charging has begun [SC-81]", () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 39 }), fc.constantFrom(0, 1, 2), (all, cut, connectorId) => {
        const profiles = setAll(charging(from), all);
        const whole = compositeSchedule(profiles, { connectorId, ...window });
        const second = compositeSchedule(profiles, { connectorId, from: from + cut * 1000, durationSeconds: 40 - cut });
        for (const { startPeriod, limit } of second.chargingSchedulePeriod) {
          const at = whole.chargingSchedulePeriod.findLast((period) => period.startPeriod <= startPeriod + cut);
          expect(limit).toBe(at?.limit);
        }
      }),
    );
  });

  test("what is valid at another time changes nothing [SC-14]", () => {
    fc.assert(
      fc.property(
        sets,
        installedProfiles(from),
        fc.constantFrom(0, 1, 2),
        (all, { connectorId: at, profile }, connectorId) => {
          const before = setAll(charging(from), all);
          const elsewhere = { ...profile, chargingProfileId: 99, stackLevel: 9, validTo: new Date(from).toISOString() };
          const after = before.set(at, elsewhere).profiles;
          const query = { connectorId, ...window };
          expect(compositeSchedule(after, query)).toEqual(compositeSchedule(before, query));
        },
      ),
    );
  });

  test("nobody can ask for years of changes", () => {
    const profile: ChargingProfile = {
      chargingProfileId: 1,
      stackLevel: 0,
      chargingProfilePurpose: "TxDefaultProfile",
      chargingProfileKind: "Recurring",
      recurrencyKind: "Daily",
      chargingSchedule: {
        startSchedule: "2024-01-01T00:00:00Z",
        chargingRateUnit: "A",
        chargingSchedulePeriod: [
          { startPeriod: 0, limit: 6 },
          { startPeriod: 43_200, limit: 16 },
        ],
      },
    };
    const { profiles } = charging(from).set(0, profile);
    const schedule = compositeSchedule(profiles, { connectorId: 1, from, durationSeconds: 2 ** 31 });
    expect(schedule.chargingSchedulePeriod).toHaveLength(1000);
    expect(schedule.duration).toBe(2 * 3600 + 999 * 43_200);
    const constant = {
      ...profile,
      chargingSchedule: { ...profile.chargingSchedule, chargingSchedulePeriod: [{ startPeriod: 0, limit: 6 }] },
    };
    const long = compositeSchedule(charging(from).set(0, constant).profiles, {
      connectorId: 1,
      from,
      durationSeconds: 2 ** 31,
    });
    expect(long.chargingSchedulePeriod).toHaveLength(1);
    expect(long.duration).toBeLessThan(2 ** 31);
    expect(limitAt(profiles, { connectorId: 1, at: from }).until).toBe(from + 2 * 3_600_000);
  });

  test("nothing, and a duration of nothing, are answered with what holds now [SC-26] [SC-89]", () => {
    for (const durationSeconds of [0, -5]) {
      expect(compositeSchedule(charging(from), { connectorId: 1, from, durationSeconds })).toEqual({
        duration: 0,
        chargingRateUnit: "A",
        chargingSchedulePeriod: [{ startPeriod: 0, limit: 32 }],
      });
    }
    expect(() => compositeSchedule(charging(from), { connectorId: 3, ...window })).toThrow(RangeError);
  });
});
