import fc from "fast-check";
import { expect, test } from "vitest";
import { type Happening, jobSchedules, schedules, simulate } from "./simulation.ts";

/** For long runs: SIMULATION_RUNS=10000 SIMULATION_SEED=2. The seed is fixed so that a run can be repeated. */
const { SIMULATION_RUNS = "200", SIMULATION_SEED = "1" } = process.env;

const keepsTheLaws = (possible: fc.Arbitrary<Happening[]>, numRuns: number): Promise<void> =>
  fc.assert(
    fc.asyncProperty(possible, async (schedule) => {
      expect(await simulate(schedule)).toEqual([]);
    }),
    { numRuns, seed: Number(SIMULATION_SEED) },
  );

const timeoutMs = 300_000 + 200 * Number(SIMULATION_RUNS);

test(
  "A charger keeps the laws, whatever people, cars, hardware, the Central System, the network, the disk and the power do",
  () => keepsTheLaws(schedules, Number(SIMULATION_RUNS)),
  timeoutMs,
);

test(
  "and while firmware is updated and logs are delivered: each job ends in one way, nothing is installed that was not verified, no use is interrupted, and connectors are in service afterwards [SEC-L01-04] [SEC-L01-06] [SEC-L01-07] [SEC-L01-10] [SEC-N01-07]",
  () => keepsTheLaws(jobSchedules, Number(SIMULATION_RUNS) / 2),
  timeoutMs,
);
