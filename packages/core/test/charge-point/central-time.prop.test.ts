import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CentralTime, laterBy } from "../../src/charge-point/central-time.ts";
import { day, hour, minute, second } from "./vocabulary.ts";

const began = Date.UTC(2026, 0, 1);
const text = (time: number): string => new Date(time).toISOString();
const slewed = 10 * second;

/** Time passes; then the time is doubted, the Central System tells one that is off by so much, or nothing happens. */
const steps = fc.array(
  fc.record({
    passedMs: fc.oneof(fc.nat(second), fc.nat(hour)),
    what: fc.oneof(
      fc.constant("nothing" as const),
      fc.constant("doubt" as const),
      fc.integer({ min: -20 * second, max: 20 * second }),
      fc.integer({ min: -hour, max: hour }),
      fc.constantFrom(-365 * day, 365 * day),
    ),
  }),
  { maxLength: 50 },
);

/** Everything that may come as a time. */
const absurdTimes = fc.oneof(
  fc.string(),
  fc.date({ noInvalidDate: true, min: new Date(-8.64e15), max: new Date(8.64e15) }).map(String),
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.constantFrom(
    "9999-12-31T23:59:59.999Z",
    "0001-01-01T00:00:00Z",
    "2014-12-31T23:59:59.999Z",
    "2101-01-01T00:00:00Z",
    "-271821-04-20T00:00:00Z",
    "+275760-09-13T00:00:00Z",
  ),
);
const absurdMoments = fc.oneof(fc.double(), fc.integer(), fc.constantFrom(Number.NaN, 8.64e15, -8.64e15, Infinity));

describe("CentralTime, whatever the Central System tells", () => {
  test("makes small steps without running backwards, at half speed while it is ahead, and large ones at once [CORE-BOOT-04] [CORE-HB-05]", () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const time = new CentralTime();
        let now = began;
        /** Of the Central System, and of what was told before anything else. */
        let offMs = 0;
        let told = false;
        let trusted = false;
        let shown = began;
        for (const { passedMs, what } of steps) {
          now += passedMs;
          // While it is ahead of the Central System it advances by exactly half; else it is the Central System's.
          const next = told ? Math.max(now + offMs, shown + passedMs / 2) : now;
          expect(time.at(now)).toBe(next);
          expect(next, "backwards").toBeGreaterThanOrEqual(shown);
          shown = next;
          if (what === "nothing") continue;
          if (what === "doubt") {
            time.doubt();
            trusted = false;
            expect(time.trusted).toBe(false);
            continue;
          }
          offMs = what;
          const stepMs = now + offMs - shown;
          const small = told && Math.abs(stepMs) <= slewed;
          const adopted = time.adopt(text(now + offMs), now);
          expect(adopted).toEqual({ correctionMs: trusted || small ? 0 : stepMs, setMs: small ? 0 : stepMs });
          shown = small ? Math.max(shown, now + offMs) : now + offMs;
          told = true;
          trusted = true;
          expect(time.trusted).toBe(true);
          expect(time.at(now)).toBe(shown);
          expect(Math.abs(shown - (now + offMs)), "how far it is off once it was told").toBeLessThanOrEqual(slewed);
        }
      }),
    );
  });

  test("corrects what was stamped before the time was told to the millisecond, whatever the own clock showed [CORE-BOOT-04]", () => {
    fc.assert(
      fc.property(fc.nat(2 ** 42), fc.nat(day), fc.boolean(), (own, passedMs, doubted) => {
        const time = new CentralTime();
        if (doubted) {
          time.adopt(text(began), own);
          time.doubt();
        }
        // The own clock stands still for a day, unless it just begins.
        const stoodMs = doubted ? day : 0;
        const stamped = { timestamp: text(time.at(own)) };
        const truth = began + stoodMs;
        const adopted = time.adopt(text(truth + passedMs), own + passedMs);
        expect(laterBy(adopted?.correctionMs ?? Number.NaN, stamped)).toEqual({ timestamp: text(truth) });
      }),
    );
  });

  test("does not depend on how often it is asked for", () => {
    fc.assert(
      fc.property(steps, fc.nat(hour), (steps, lastMs) => {
        const often = new CentralTime();
        const seldom = new CentralTime();
        let now = began;
        for (const { passedMs, what } of steps) {
          now += passedMs;
          often.at(now);
          if (typeof what !== "number") continue;
          for (const time of [often, seldom]) time.adopt(text(now + what), now);
        }
        expect(often.at(now + lastMs)).toBe(seldom.at(now + lastMs));
      }),
    );
  });

  test("throws at nothing, and is right again with the next time that is one [CORE-HB-05]", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(absurdTimes, absurdMoments)), fc.boolean(), (absurdities, doubt) => {
        const time = new CentralTime();
        for (const [currentTime, now] of absurdities) {
          time.at(now);
          time.adopt(currentTime, now);
          laterBy(now, { timestamp: currentTime });
          laterBy(time.at(now), { timestamp: currentTime });
          if (doubt) time.doubt();
        }
        time.adopt("2026-01-01T00:00:00Z", began);
        expect(Math.abs(time.at(began) - began)).toBeLessThanOrEqual(slewed);
        expect(time.at(began + minute)).toBe(began + minute);
      }),
    );
  });
});
