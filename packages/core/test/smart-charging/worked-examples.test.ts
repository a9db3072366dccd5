import { describe, expect, test } from "vitest";
import { ChargingProfiles, compositeSchedule, limitAt } from "../../src/index.ts";
import { inFull, periodsOf, type WorkedExample, workedExamples } from "./worked-examples.ts";

function profilesOf({ charging, profiles }: WorkedExample): ChargingProfiles {
  const maximum = { limit: 48, unit: "A" } as const;
  let all = ChargingProfiles.none({ connectors: { 1: maximum, 2: maximum } });
  for (const [connectorId, start] of Object.entries(charging))
    all = all.startedTransaction(Number(connectorId), { startedAt: Date.parse(start), transactionId: 7 });
  for (const each of profiles) {
    const verdict = all.set(each.at, inFull(each));
    expect(verdict).toMatchObject({ status: "Accepted" });
    all = verdict.profiles;
  }
  return all;
}

describe("Worked examples of composite schedules", () => {
  test.each(workedExamples.map((example) => [example.name, example.what, example] as const))(
    "%s: %s",
    (_, __, example) => {
      const profiles = profilesOf(example);
      const query = { ...example.asked, from: Date.parse(example.asked.from) };
      expect(compositeSchedule(profiles, query)).toEqual({
        duration: query.durationSeconds,
        chargingRateUnit: query.unit,
        chargingSchedulePeriod: periodsOf(example.expected),
      });
      for (const { startPeriod, limit } of periodsOf(example.expected)) {
        const { connectorId, from, unit } = query;
        expect(limitAt(profiles, { connectorId, at: from + startPeriod * 1000, unit }).limit).toBe(limit);
      }
    },
  );
});
