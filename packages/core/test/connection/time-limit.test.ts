import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { TimeLimit } from "../../src/connection/time-limit.ts";

/** Things that may take 100 ms, and which of them were overdue, and when. */
function limited() {
  const clock = new FakeClock();
  const begin = clock.now();
  const things = new Map<string, { name: string; dueAt: number }>();
  const overdue: [name: string, afterMs: number][] = [];
  const limit = new TimeLimit(
    clock,
    () => things.values(),
    (thing) => {
      overdue.push([thing.name, clock.now() - begin]);
      thing.dueAt = Number.POSITIVE_INFINITY;
    },
  );
  const start = (name: string): void => {
    const thing = { name, dueAt: clock.now() + 100 };
    things.set(name, thing);
    limit.began(thing);
  };
  return { clock, things, overdue, limit, start };
}

describe("TimeLimit", () => {
  test("tells each thing when it is overdue, with one timer for all of them", async () => {
    const { clock, overdue, start } = limited();
    start("first");
    await clock.advance(30);
    start("second");
    expect(clock.pending).toBe(1);
    await clock.advance(99);
    expect(overdue).toEqual([["first", 100]]);
    await clock.advance(1);
    expect(overdue).toEqual([
      ["first", 100],
      ["second", 130],
    ]);
    expect(clock.pending).toBe(0);
  });

  test("tells nothing of what has ended in time, and of what began since, in its own time", async () => {
    const { clock, things, overdue, start } = limited();
    start("first");
    things.delete("first");
    await clock.advance(60);
    start("second");
    await clock.advance(99);
    expect(overdue).toEqual([]);
    await clock.advance(1);
    expect(overdue).toEqual([["second", 160]]);
  });

  test("tells nothing once it is stopped, and leaves no timer", async () => {
    const { clock, overdue, limit, start } = limited();
    start("first");
    limit.stop();
    expect(clock.pending).toBe(0);
    await clock.advance(200);
    expect(overdue).toEqual([]);
  });
});
