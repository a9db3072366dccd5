import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  ChargingProfiles,
  type ChargingRateUnit,
  compositeSchedule,
  type Explanation,
  explain,
  type InstalledProfile,
  type Limit,
  limitAt,
  type Standing,
} from "../../src/index.ts";
import { questions } from "./generators.ts";
import { lowest, oracle, saidBy, type World } from "./oracle.ts";

/** For long runs: SMART_CHARGING_RUNS=100000. */
const { SMART_CHARGING_RUNS = "2000" } = process.env;
const numRuns = Number(SMART_CHARGING_RUNS);
const timeout = 20_000 + 5 * numRuns;

type Generated = typeof questions extends fc.Arbitrary<infer T extends { readonly of: object }> ? T["of"] : never;

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

describe("Profiles of any kind", { timeout }, () => {
  test("make the composite schedule that the documents say, second by second, in both units, for each connector and all of them [SC-04] [SC-13] [SC-14] [SC-17] [SC-20] [SC-21] [SC-22] [SC-23] [SC-30] [SC-31] [SC-32] [SC-33] [SC-34] [SC-38] [SC-39] [SC-40] [SC-41] [SC-44] [SC-83]", () => {
    fc.assert(
      fc.property(questions, ({ of, unit, connectorId }) => {
        const { from } = of;
        const { profiles, world } = madeOf(of);
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
      }),
      { numRuns },
    );
  });

  test("are obeyed as they are reported, and hold until what is said [SC-13] [SC-21]", () => {
    fc.assert(
      fc.property(questions, ({ of, unit, connectorId }) => {
        const { from } = of;
        const { profiles, world } = madeOf(charging(of));
        let now = limitAt(profiles, { connectorId, at: from, unit });
        for (let second = 0; second < seconds; second++) {
          const at = from + second * 1000;
          const { limit, phases } = oracle(world, connectorId, at, unit);
          if (at >= now.until) now = limitAt(profiles, { connectorId, at, unit });
          expect([now.limit, now.numberPhases]).toEqual([roundedDown(limit), phases]);
        }
      }),
      { numRuns },
    );
  });

  test("never make a limit that is more than one of them allows in its own unit, on the phases that are told [SC-22] [SC-38] [SC-39]", () => {
    fc.assert(
      fc.property(questions, fc.integer({ min: 0, max: seconds }), ({ of, unit, connectorId }, second) => {
        const at = of.from + second * 1000;
        const { profiles, world } = madeOf(charging(of));
        const { limit, numberPhases = world.numberPhases } = limitAt(profiles, { connectorId, at, unit });
        const factor = world.voltage * numberPhases;
        const drawn = unit === "A" ? { A: limit, W: limit * factor } : { A: limit / factor, W: limit };
        const explained = explain(profiles, { connectorId, at, unit }).profiles;
        const prevailing = explained.flatMap(({ says, standing }) =>
          says && ["wins", "equal", "higher"].includes(standing) ? [says] : [],
        );
        for (const bound of [...prevailing, world.connectors[connectorId], world.maximum])
          if (bound !== undefined) expect(drawn[bound.unit]).toBeLessThanOrEqual(bound.limit + 1e-3);
      }),
      { numRuns },
    );
  });

  test("are explained by what each says, and by what is lowest of that [SC-13] [SC-14] [SC-21] [SC-22]", () => {
    fc.assert(
      fc.property(questions, fc.integer({ min: 0, max: seconds }), ({ of, unit, connectorId }, second) => {
        const at = of.from + second * 1000;
        const { profiles, world } = madeOf(charging(of));
        const explanation = explain(profiles, { connectorId, at, unit });
        expect(explanation).toMatchObject(limitAt(profiles, { connectorId, at, unit }));
        expectExplained(world, connectorId, at, unit, explanation);
        for (const each of explanation.connectors) expectExplained(world, each.connectorId, at, unit, each);
        // Without what has no say, the limit is the same; without what has won and what it stands for, it is not lower.
        const without = (standings: readonly Standing[]) => {
          const ids = explanation.profiles.filter(({ standing }) => standings.includes(standing)).map(idOf);
          const cleared = ids.reduce((rest, id) => rest.clear({ id }).profiles, profiles);
          return limitAt(cleared, { connectorId, at, unit });
        };
        expect(without(["silent", "masked"])).toMatchObject({ limit: explanation.limit });
        const rest = without(["wins", "overruled", "masked"]);
        // Fewer phases make more of the same power: then there is nothing to compare.
        if (rest.numberPhases === explanation.numberPhases)
          expect(rest.limit).toBeGreaterThanOrEqual(explanation.limit);
      }),
      { numRuns },
    );
  });
});

/** The same with a transaction on each connector. */
const charging = (of: Generated): Generated => {
  const [first, second = 0] = of.startedSecondsAgo;
  return { ...of, startedSecondsAgo: [first, second] };
};

/** What each profile says is what it says, and the limit is what the one that wins says, or what the hardware can. */
function expectExplained(
  world: World,
  connectorId: number,
  at: number,
  unit: ChargingRateUnit,
  { connectors, limit, numberPhases, profiles, text }: Explanation,
): void {
  const startOfCharging = world.startedAt[connectorId] ?? 0;
  for (const { connectorId, profile, says, standing } of profiles) {
    expect(says).toEqual(saidBy({ connectorId, profile }, at, startOfCharging));
    if (standing !== "masked") expect(standing === "silent").toBe(says === undefined);
  }
  // Where others speak of fewer phases, what is in the other unit is of so many.
  const phases = { limit: Number.POSITIVE_INFINITY, unit, numberPhases };
  const inUnit = (...said: readonly (Limit | undefined)[]) => roundedDown(lowest(world, [...said, phases], unit).limit);
  for (const { says, standing } of connectorId === 0 ? [] : profiles) {
    if (standing === "equal") expect(inUnit(says)).toBe(limit);
    if (standing === "higher") expect(inUnit(says)).toBeGreaterThan(limit);
  }
  const winners = profiles.filter(({ standing }) => standing === "wins");
  expect(winners.length).toBeLessThanOrEqual(1);
  const [winner] = winners;
  if (winner !== undefined) {
    expect(text).toContain(`: profile ${idOf(winner)} (`);
    if (connectorId !== 0) expect(inUnit(winner.says)).toBe(limit);
    return;
  }
  if (connectorId !== 0) expect(inUnit(world.connectors[connectorId], world.maximum)).toBe(limit);
  else if (text.includes("the charge point can deliver")) expect(world.maximum).toBeDefined();
  // Each is rounded down by itself.
  else expect(limit - connectors.reduce((sum, each) => sum + each.limit, 0)).toBeLessThanOrEqual(0.2);
}
