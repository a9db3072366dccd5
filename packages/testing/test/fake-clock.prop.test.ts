import fc from "fast-check";
import { expect, test } from "vitest";
import { FakeClock } from "../src/index.ts";

/** What a callback does when it is called: arm one more wake-up so much later, or cancel the one with that number. */
const reaction = fc.oneof(
  fc.record({ armAfterMs: fc.integer({ min: -5, max: 30 }) }),
  fc.record({ cancel: fc.nat(30) }),
);
const plan = fc.record({
  wakeUps: fc.array(fc.record({ time: fc.integer({ min: 900, max: 1100 }), reaction: fc.option(reaction) })),
  steps: fc.array(fc.nat(60)),
});

test("calls every wake-up exactly once or, when it was cancelled, never; in order, at its time, with time monotonic", async () => {
  await fc.assert(
    fc.asyncProperty(plan, async ({ wakeUps, steps }) => {
      const clock = new FakeClock({ now: 1000 });
      const cancels: (() => void)[] = [];
      const due: number[] = [];
      const called: { id: number; at: number }[] = [];
      const cancelled = new Set<number>();

      const arm = (time: number, then: () => void): void => {
        const id = cancels.length;
        due.push(Math.max(time, clock.now()));
        cancels.push(
          clock.wakeAt(time, () => {
            called.push({ id, at: clock.now() });
            then();
          }),
        );
      };
      for (const { time, reaction } of wakeUps) {
        arm(time, () => {
          if (reaction === null) return;
          if ("armAfterMs" in reaction) return arm(clock.now() + reaction.armAfterMs, () => {});
          const cancel = cancels[reaction.cancel];
          cancel?.();
          if (cancel !== undefined && !called.some(({ id }) => id === reaction.cancel)) cancelled.add(reaction.cancel);
        });
      }
      let end = 1000;
      for (const step of steps) {
        end += step;
        await clock.advance(step);
        expect(clock.now()).toBe(end);
      }

      for (const { id, at } of called) expect(at).toBe(due[id]);
      const order = called.map(({ at }) => at);
      expect(order).toEqual([...order].sort((a, b) => a - b));
      const expected = due.flatMap((time, id) => (time <= end && steps.length > 0 && !cancelled.has(id) ? [id] : []));
      expect(called.map(({ id }) => id).sort((a, b) => a - b)).toEqual(expected);
      for (const [index, { id, at }] of called.entries()) {
        const before = called[index - 1];
        if (before?.at === at) expect(before.id).toBeLessThan(id);
      }
    }),
  );
});
