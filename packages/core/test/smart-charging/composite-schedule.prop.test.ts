import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ChargingProfiles,
  compositeSchedule,
  explain,
  type InstalledProfile,
  limitAt,
  type Standing,
} from "../../src/index.ts";
import { chargePoints } from "./generators.ts";
import { oracle, type World } from "./oracle.ts";

/** For long runs: SMART_CHARGING_RUNS=100000. */
const { SMART_CHARGING_RUNS = "2000" } = process.env;
const numRuns = Number(SMART_CHARGING_RUNS);

type Generated = Omit<typeof chargePoints extends fc.Arbitrary<infer T> ? T : never, "startedSecondsAgo"> & {
  readonly startedSecondsAgo: readonly (number | undefined)[];
};

/** The profiles as they are after all that was set, and what the oracle sees of them. */
function madeOf({ from, connectors, maximum, numberPhases, startedSecondsAgo, sets }: Generated) {
  const transactions = startedSecondsAgo.map((ago) => (ago === undefined ? undefined : from - ago * 1000));
  let profiles = ChargingProfiles.none({ connectors, maximum, numberPhases });
  for (const [index, startedAt] of transactions.entries())
    if (startedAt !== undefined) profiles = profiles.startedTransaction(index + 1, { startedAt });
  for (const { connectorId, profile } of sets) profiles = profiles.set(connectorId, profile).profiles;
  const [first, second] = transactions;
  const startedAt = { 1: first ?? from, 2: second ?? from };
  const world: World = { installed: profiles.installed, connectors, maximum, numberPhases, voltage: 230, startedAt };
  return { profiles, world };
}

const idOf = ({ profile }: InstalledProfile): number => profile.chargingProfileId;
const roundedDown = (limit: number): number => Math.floor(limit * 10 + 1e-6) / 10;
const seconds = 45;

describe("Profiles of any kind", () => {
  test("make the composite schedule that the documents say, second by second, in both units, for each connector and all of them [SC-13] [SC-14] [SC-17] [SC-20] [SC-21] [SC-22] [SC-23] [SC-30] [SC-31] [SC-32] [SC-33] [SC-34] [SC-38] [SC-39] [SC-40] [SC-41] [SC-44] [SC-83]", () => {
    fc.assert(
      fc.property(
        chargePoints,
        fc.constantFrom("A", "W"),
        fc.integer({ min: 0, max: 2 }),
        (generated, unit, connectorId) => {
          const { from } = generated;
          const { profiles, world } = madeOf(generated);
          const schedule = compositeSchedule(profiles, { connectorId, from, durationSeconds: seconds, unit });
          for (let second = 0; second < seconds; second++) {
            const { limit, phases } = oracle(world, connectorId, from + second * 1000, unit);
            const period = schedule.chargingSchedulePeriod.findLast(({ startPeriod }) => startPeriod <= second);
            expect({ second, limit: period?.limit, phases: period?.numberPhases }).toEqual({
              second,
              limit: roundedDown(limit),
              phases,
            });
          }
        },
      ),
      { numRuns },
    );
  });

  test("are obeyed as they are reported, hold until what is said, and are explained by what is lowest [SC-13] [SC-21]", () => {
    fc.assert(
      fc.property(
        chargePoints,
        fc.constantFrom("A", "W"),
        fc.integer({ min: 0, max: 2 }),
        (generated, unit, connectorId) => {
          const { from } = generated;
          const running = generated.startedSecondsAgo.map((ago) => ago ?? 0);
          const { profiles, world } = madeOf({ ...generated, startedSecondsAgo: running });
          let now = limitAt(profiles, { connectorId, at: from, unit });
          for (let second = 0; second < seconds; second++) {
            const at = from + second * 1000;
            const { limit, phases } = oracle(world, connectorId, at, unit);
            if (at >= now.until) now = limitAt(profiles, { connectorId, at, unit });
            expect([now.limit, now.numberPhases]).toEqual([roundedDown(limit), phases]);
          }
          const { profiles: explained, ...explanation } = explain(profiles, { connectorId, at: from, unit });
          expect(explanation).toMatchObject(limitAt(profiles, { connectorId, at: from, unit }));
          // Without what has no say, the limit is the same; without what has won and what it stands for, it is not lower.
          const without = (standings: readonly Standing[]) => {
            const ids = explained.filter(({ standing }) => standings.includes(standing)).map(idOf);
            const cleared = ids.reduce((rest, id) => rest.clear({ id }).profiles, profiles);
            return limitAt(cleared, { connectorId, at: from, unit });
          };
          expect(without(["silent", "masked"])).toMatchObject({ limit: explanation.limit });
          const rest = without(["wins", "overruled", "masked"]);
          // Fewer phases make more of the same power: then there is nothing to compare.
          if (rest.numberPhases === explanation.numberPhases)
            expect(rest.limit).toBeGreaterThanOrEqual(explanation.limit);
        },
      ),
      { numRuns: numRuns / 4 },
    );
  });
});
