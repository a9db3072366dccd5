import { drive } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { Liveness, type LivenessOutput } from "../../src/transport/liveness.ts";

const intervalMs = 1000;

type Step = { readonly type: "wait"; readonly ms: number } | { readonly type: "send" | "hear" | "pong" };

const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.oneof(
    fc.record({ type: fc.constant("wait" as const), ms: fc.integer({ min: 1, max: 2500 }) }),
    fc.record({ type: fc.constantFrom("send" as const, "hear" as const, "pong" as const) }),
  ),
  { maxLength: 40 },
);

test("No direction is silent for longer than the interval, and only who has answered a ping once is lost [J-151] [J-154] [Q20]", async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (schedule) => {
      const clock = new FakeClock();
      const liveness = new Liveness(intervalMs, clock.now());
      const outputs: LivenessOutput[] = [];
      let sentAt = clock.now();
      let heardAt = clock.now();
      /** Since when a ping is not followed by anything, and whether any was ever answered. */
      let askedAt: number | undefined;
      let hasAnswered = false;
      const run = drive(liveness, clock, (output) => {
        outputs.push(output);
        const now = clock.now();
        if (output === "ping") {
          expect(now - Math.min(sentAt, heardAt)).toBeGreaterThanOrEqual(intervalMs);
          sentAt = now;
          askedAt ??= now;
        }
        if (output === "unanswered") expect(hasAnswered).toBe(false);
        if (output === "lost") {
          expect(hasAnswered).toBe(true);
          expect(now - (askedAt as number)).toBe(intervalMs);
        }
      });
      run();
      for (const step of schedule) {
        if (outputs.includes("lost")) break;
        if (step.type === "wait") await clock.advance(step.ms);
        else if (step.type === "send") {
          liveness.sent(clock.now());
          sentAt = clock.now();
        } else {
          liveness.heard(clock.now());
          heardAt = clock.now();
          askedAt = undefined;
          if (step.type === "pong") {
            liveness.ponged();
            hasAnswered = true;
          }
        }
        if (outputs.includes("lost")) break;
        const now = clock.now();
        expect(now - sentAt).toBeLessThanOrEqual(intervalMs);
        // Or it was asked to say something no longer ago than that.
        expect(Math.min(now - heardAt, now - (askedAt ?? now - intervalMs - 1), now - sentAt)).toBeLessThanOrEqual(
          intervalMs,
        );
        if (hasAnswered && askedAt !== undefined) expect(now - askedAt).toBeLessThan(intervalMs);
      }
      expect(outputs.filter((output) => output === "unanswered").length).toBeLessThanOrEqual(1);
      liveness.stop();
      run();
      expect(clock.pending).toBe(0);
    }),
  );
});

test("Who lets its first ping go unanswered is told of, and pinged ever after [Q20]", async () => {
  const clock = new FakeClock();
  const outputs: LivenessOutput[] = [];
  const liveness = new Liveness(intervalMs, clock.now());
  drive(liveness, clock, (output) => void outputs.push(output))();
  await clock.advance(4 * intervalMs);
  expect(outputs).toEqual(["ping", "unanswered", "ping", "ping", "ping"]);
});

test("Nobody is pinged with an interval of 0 [J-150]", () => {
  expect(new Liveness(0, 0).deadline).toBe(Number.POSITIVE_INFINITY);
});
