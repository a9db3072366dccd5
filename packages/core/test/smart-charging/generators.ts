import fc from "fast-check";
import type { ChargingProfile, Limit } from "../../src/index.ts";

/** Where windows begin: year and month ends, leap days, the days on which hosts set their clocks. */
const anchors = [
  "2024-02-28T23:00:00Z",
  "2024-12-31T22:00:00Z",
  "2025-03-30T00:30:00Z",
  "2024-10-27T00:30:00Z",
  "2024-06-03T12:00:00Z",
].map(Date.parse);

const windowStart = fc.constantFrom(...anchors);

/** Seconds around the beginning of the window: edges are crowded, so that many fall together. */
const aroundTheWindow = fc.oneof(
  fc.integer({ min: -10, max: 40 }),
  fc.constantFrom(-604_800, -86_400, -86_395, -3600, 0, 5, 10, 20, 86_400),
);

const dateTime = (from: number, seconds: number): string => new Date(from + seconds * 1000).toISOString();

const limit = fc.oneof(
  fc.constantFrom(0, 6, 8, 10, 16, 32),
  fc.integer({ min: 0, max: 500 }).map((tenths) => tenths / 10),
);

const periods = fc
  .array(
    fc.record({ gap: fc.integer({ min: 1, max: 12 }), limit, numberPhases: fc.constantFrom(undefined, 1, 2, 3) }),
    {
      minLength: 1,
      maxLength: 5,
    },
  )
  .map((steps) => {
    let startPeriod = 0;
    return steps.map(({ gap, limit: amount, numberPhases }, index) => {
      startPeriod += index === 0 ? 0 : gap;
      return { startPeriod, limit: amount, ...(numberPhases !== undefined && { numberPhases }) };
    });
  });

/** A profile, and where it is to be set. */
interface SetProfile {
  readonly connectorId: number;
  readonly profile: ChargingProfile;
}

/** A profile that charge points take, with edges around a window. `at`: the connector. */
export const installedProfiles = (from: number): fc.Arbitrary<SetProfile> =>
  fc
    .record({
      purpose: fc.constantFrom("ChargePointMaxProfile", "TxDefaultProfile", "TxDefaultProfile", "TxProfile"),
      kind: fc.constantFrom("Absolute", "Absolute", "Recurring", "Relative"),
      recurrencyKind: fc.constantFrom("Daily", "Weekly"),
      connectorId: fc.integer({ min: 0, max: 2 }),
      id: fc.integer({ min: 0, max: 30 }),
      stackLevel: fc.integer({ min: 0, max: 3 }),
      validFrom: fc.option(aroundTheWindow, { nil: undefined }),
      validTo: fc.option(aroundTheWindow, { nil: undefined }),
      start: fc.option(aroundTheWindow, { nil: undefined, freq: 6 }),
      duration: fc.option(fc.constantFrom(0, 3, 10, 25, 86_380, 86_400, 200_000), { nil: undefined }),
      unit: fc.constantFrom("A", "A", "W"),
      periods,
    })
    .map(
      ({ purpose, kind, connectorId, id, stackLevel, validFrom, validTo, start, duration, unit, periods, ...more }) => {
        const isMax = purpose === "ChargePointMaxProfile";
        const chargingProfileKind = isMax && kind === "Relative" ? "Absolute" : kind;
        const startSchedule = start ?? (isMax ? 0 : undefined);
        const factor = unit === "W" ? 230 : 1;
        const profile = {
          chargingProfileId: id,
          stackLevel,
          chargingProfilePurpose: purpose,
          chargingProfileKind,
          ...(chargingProfileKind === "Recurring" && { recurrencyKind: more.recurrencyKind }),
          ...(validFrom !== undefined && { validFrom: dateTime(from, validFrom) }),
          ...(validTo !== undefined && { validTo: dateTime(from, validTo) }),
          chargingSchedule: {
            chargingRateUnit: unit,
            chargingSchedulePeriod: periods.map((period) => ({ ...period, limit: Math.round(period.limit * factor) })),
            ...(startSchedule !== undefined && { startSchedule: dateTime(from, startSchedule) }),
            ...(duration !== undefined && { duration }),
          },
        } as ChargingProfile;
        const at = isMax ? 0 : purpose === "TxProfile" ? Math.max(1, connectorId) : connectorId;
        return { connectorId: at, profile };
      },
    );

const maximum: fc.Arbitrary<Limit> = fc.constantFrom<Limit>(
  { limit: 32, unit: "A" },
  { limit: 16, unit: "A", numberPhases: 1 },
  { limit: 22_080, unit: "W" },
);

/** A charge point of two connectors, what is set on it one after the other, and when charging began. */
const chargePoints = windowStart.chain((from) =>
  fc.record({
    from: fc.constant(from),
    connectors: fc.tuple(maximum, maximum).map(([first, second]) => ({ 1: first, 2: second })),
    maximum: fc.constantFrom<Limit | undefined>(
      undefined,
      { limit: 40, unit: "A" },
      { limit: 12, unit: "A", numberPhases: 1 },
      { limit: 9000, unit: "W" },
    ),
    numberPhases: fc.constantFrom(1, 3),
    startedSecondsAgo: fc.tuple(fc.constantFrom(0, 7, 86_390), fc.constantFrom(undefined, 0, 3)),
    sets: fc.array(installedProfiles(from), { maxLength: 9 }),
  }),
);

/** A charge point, and which limit of it is asked for. */
export const questions = fc.record({
  of: chargePoints,
  unit: fc.constantFrom("A", "W"),
  connectorId: fc.integer({ min: 0, max: 2 }),
});
