import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CentralTime } from "../../src/charge-point/central-time.ts";
import { hour, minute } from "./vocabulary.ts";

/** Time passes; then the Central System tells a time that is off by so much, or the own time is asked for. */
const steps = fc.array(
  fc.record({
    passedMs: fc.oneof(fc.nat(1000), fc.nat(hour)),
    offMs: fc.option(fc.oneof(fc.integer({ min: -minute, max: minute }), fc.integer({ min: -hour, max: hour }))),
  }),
  { maxLength: 50 },
);

describe("CentralTime, whatever the Central System tells", () => {
  test("never runs backwards, is never behind, and makes up half of each moment while it is ahead [CORE-BOOT-04] [CORE-HB-05]", () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const time = new CentralTime();
        let now = Date.UTC(2026, 0, 1);
        let offMs: number | undefined;
        let shown = Number.NaN;
        for (const step of steps) {
          now += step.passedMs;
          if (offMs !== undefined) {
            const next = time.at(now);
            // While it is ahead of the Central System it advances by exactly half; else it is the Central System's.
            expect(next).toBe(Math.max(now + offMs, shown + step.passedMs / 2));
            expect(next, "backwards").toBeGreaterThanOrEqual(shown);
            shown = next;
          }
          if (step.offMs === null) continue;
          time.adopt(new Date(now + step.offMs).toISOString(), now);
          const next = time.at(now);
          expect(next).toBe(offMs === undefined ? now + step.offMs : Math.max(now + step.offMs, shown));
          shown = next;
          offMs = step.offMs;
        }
      }),
    );
  });

  test("does not depend on how often it is asked for", () => {
    fc.assert(
      fc.property(steps, fc.nat(hour), (steps, lastMs) => {
        const often = new CentralTime();
        const seldom = new CentralTime();
        let now = Date.UTC(2026, 0, 1);
        for (const { passedMs, offMs } of steps) {
          now += passedMs;
          often.at(now);
          if (offMs === null) continue;
          for (const time of [often, seldom]) time.adopt(new Date(now + offMs).toISOString(), now);
        }
        expect(often.at(now + lastMs)).toBe(seldom.at(now + lastMs));
      }),
    );
  });
});
