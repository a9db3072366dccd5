import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type ChargingProfile,
  ChargingProfiles,
  type ChargingRateUnit,
  type ChargingSchedule,
  check,
  compositeSchedule,
  type InstalledProfile,
  type Limit,
  limitAt,
} from "../../src/index.ts";
import { installedProfiles, questions } from "./generators.ts";

const both = { limit: 32, unit: "A" } as const;
const charging = (from: number): ChargingProfiles =>
  ChargingProfiles.none({ connectors: { 1: both, 2: both } })
    .startedTransaction(1, { startedAt: from })
    .startedTransaction(2, { startedAt: from - 5000 });

const from = Date.parse("2024-12-31T22:00:00Z");
const sets = fc.array(installedProfiles(from), { maxLength: 8 });
const setAll = (profiles: ChargingProfiles, all: readonly InstalledProfile[]) =>
  all.reduce((before, { connectorId, profile }) => before.set(connectorId, profile).profiles, profiles);
const window = { from, durationSeconds: 40 };

/** A profile for the charge point as a whole, above all others. */
const capTo = ({ limit, unit }: Limit): ChargingProfile => ({
  chargingProfileId: 99,
  stackLevel: 9,
  chargingProfilePurpose: "ChargePointMaxProfile",
  chargingProfileKind: "Absolute",
  chargingSchedule: { chargingRateUnit: unit, chargingSchedulePeriod: [{ startPeriod: 0, limit }] },
});

function inUnit({ limit, unit: own }: Limit, unit: ChargingRateUnit, phases: number): number {
  if (own === unit) return limit;
  return unit === "W" ? limit * 230 * phases : limit / (230 * phases);
}

/** Without those that say what the one before them has said. */
const merged = (periods: ChargingSchedule["chargingSchedulePeriod"]) =>
  periods.filter(({ limit, numberPhases }, index) => {
    const before = periods[index - 1];
    return before?.limit !== limit || before.numberPhases !== numberPhases;
  });

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

  test("the composite schedule obeys its schema, and has no two neighbours alike [SC-81] [SC-86] [SC-87] [SC-89] [QD-17]", () => {
    fc.assert(
      fc.property(questions, ({ of, unit, connectorId }) => {
        const { connectors, from, maximum, numberPhases, sets } = of;
        const profiles = setAll(ChargingProfiles.none({ connectors, maximum, numberPhases }), sets);
        const chargingSchedule = compositeSchedule(profiles, { connectorId, from, durationSeconds: 40, unit });
        expect(chargingSchedule).toMatchObject({ duration: 40, chargingRateUnit: unit });
        expect(chargingSchedule).not.toHaveProperty("startSchedule");
        const conf = { status: "Accepted", connectorId, scheduleStart: new Date(from).toISOString(), chargingSchedule };
        expect(check("GetCompositeSchedule", "conf", conf)).toEqual(conf);
        const periods = chargingSchedule.chargingSchedulePeriod;
        expect(periods[0]?.startPeriod).toBe(0);
        expect(merged(periods)).toEqual(periods);
        for (const [index, { startPeriod }] of periods.entries())
          expect(startPeriod).toBeLessThan(periods[index + 1]?.startPeriod ?? 40);
      }),
    );
  });

  test("the limit is below the ChargePointMaxProfile that prevails, and below what the hardware can [SC-22] [SC-23]", () => {
    const bounds = fc.constantFrom<Limit>({ limit: 9, unit: "A" }, { limit: 5000, unit: "W" }, { limit: 0, unit: "A" });
    fc.assert(
      fc.property(questions, bounds, ({ of, unit, connectorId }, bound) => {
        const { connectors, from, maximum, numberPhases, sets } = of;
        const before = setAll(ChargingProfiles.none({ connectors, maximum, numberPhases }), sets);
        const verdict = before.set(0, capTo(bound));
        const schedule = compositeSchedule(verdict.profiles, { connectorId, from, durationSeconds: 40, unit });
        const hardware = connectorId === 0 ? maximum : connectors[connectorId as 1 | 2];
        for (const { limit, numberPhases: phases = numberPhases } of schedule.chargingSchedulePeriod) {
          expect(limit).toBeGreaterThanOrEqual(0);
          for (const each of [bound, hardware])
            if (each !== undefined) expect(limit).toBeLessThanOrEqual(inUnit(each, unit, phases) + 1e-6);
        }
      }),
    );
  });

  test("half a window and the other half are the whole one, where charging has begun [SC-81]", () => {
    fc.assert(
      fc.property(sets, fc.integer({ min: 1, max: 39 }), fc.constantFrom(0, 1, 2), (all, cut, connectorId) => {
        const profiles = setAll(charging(from), all);
        const whole = compositeSchedule(profiles, { connectorId, ...window });
        const first = compositeSchedule(profiles, { connectorId, from, durationSeconds: cut });
        const second = compositeSchedule(profiles, { connectorId, from: from + cut * 1000, durationSeconds: 40 - cut });
        const later = second.chargingSchedulePeriod.map((each) => ({ ...each, startPeriod: each.startPeriod + cut }));
        expect(merged([...first.chargingSchedulePeriod, ...later])).toEqual(whole.chargingSchedulePeriod);
      }),
    );
  });

  test("what is valid at another time changes nothing [SC-14]", () => {
    fc.assert(
      fc.property(
        sets,
        installedProfiles(from),
        fc.constantFrom(
          { validTo: new Date(from).toISOString() },
          { validFrom: new Date(from + 40_000).toISOString() },
        ),
        fc.constantFrom(0, 1, 2),
        (all, { connectorId: at, profile }, valid, connectorId) => {
          const before = setAll(charging(from), all);
          const elsewhere = { ...profile, chargingProfileId: 99, stackLevel: 9, ...valid };
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
