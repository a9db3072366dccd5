import fc from "fast-check";
import { expect, test } from "vitest";
import { schedules, simulate } from "./simulation.ts";

/** For long runs: SIMULATION_RUNS=10000 SIMULATION_SEED=2. The seed is fixed so that a run can be repeated. */
const { SIMULATION_RUNS = "200", SIMULATION_SEED = "1" } = process.env;

test(
  "A charger keeps the laws, whatever people, cars, hardware, the Central System, the network, the disk and the power do",
  async () => {
    await fc.assert(
      fc.asyncProperty(schedules, async (schedule) => {
        expect(await simulate(schedule)).toEqual([]);
      }),
      { numRuns: Number(SIMULATION_RUNS), seed: Number(SIMULATION_SEED) },
    );
  },
  300_000 + 200 * Number(SIMULATION_RUNS),
);
