import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { HandshakePlaces } from "../../src/handshake/handshake-places.ts";

const timeoutMs = 10_000;

/** A database that decides on so many each second, one after the other, also on those whose peer has left. */
class Database {
  readonly #clock: FakeClock;
  readonly #intervalMs: number;
  #idleAt = 0;

  constructor(clock: FakeClock, perSecond: number) {
    this.#clock = clock;
    this.#intervalMs = 1000 / perSecond;
  }

  decide(): Promise<void> {
    this.#idleAt = Math.max(this.#idleAt, this.#clock.now()) + this.#intervalMs;
    return new Promise((resolve) => this.#clock.wakeAt(this.#idleAt, resolve));
  }
}

/** A fleet that knocks until it is let in. Returns how many are in, and how many were decided on at once. */
async function knock(clock: FakeClock, places: HandshakePlaces, fleet: number, perSecond: number, seconds: number) {
  const database = new Database(clock, perSecond);
  let inside = 0;
  let most = 0;
  let running = 0;
  const attempt = (): void => {
    const place = places.take(clock.now());
    if (place === undefined) return void clock.wakeAt(clock.now() + 10_000 + 1000 * (inside % 50), attempt);
    most = Math.max(most, ++running);
    let isLate = false;
    const disarm = clock.wakeAt(clock.now() + timeoutMs, () => {
      isLate = true;
      places.late(clock.now());
      attempt();
    });
    void database.decide().then(() => {
      disarm();
      running -= 1;
      places.release(place);
      if (isLate) return;
      places.inTime();
      inside += 1;
    });
  };
  for (let count = 0; count < fleet; count++) clock.wakeAt(clock.now() + count, attempt);
  await clock.advance(seconds * 1000);
  return { inside, most };
}

describe("HandshakePlaces", () => {
  test.each([5, 20, 50, 90])(
    "let a fleet in, although the database decides on %i each second, also on those that have left, and queues the others",
    async (perSecond) => {
      const places = new HandshakePlaces(1000, timeoutMs);
      const fleet = 40 * perSecond;
      const { inside, most } = await knock(new FakeClock(), places, fleet, perSecond, 180);
      expect(most).toBeLessThanOrEqual(1000);
      expect(inside).toBe(fleet);
    },
  );

  test("are lost by decisions that never come, where others need them", () => {
    const places = new HandshakePlaces(1, timeoutMs);
    const hanging = places.take(0);
    expect(places.take(6 * timeoutMs - 1)).toBeUndefined();
    expect(places.take(6 * timeoutMs)).toBeDefined();
    expect(places.take(6 * timeoutMs)).toBeUndefined();
    places.release(hanging as symbol);
    expect(places.take(6 * timeoutMs)).toBeUndefined();
  });

  test("are counted by address, too, and each is given back once", () => {
    const places = new HandshakePlaces(10, timeoutMs, 1);
    const first = places.take(0, "here") as symbol;
    expect([places.isFullFor("here", 0), places.take(0, "here")]).toEqual([true, undefined]);
    expect(places.take(0, "elsewhere")).toBeDefined();
    places.release(first);
    expect(places.take(0, "here")).toBeDefined();
    places.release(first);
    expect(places.take(0, "here")).toBeUndefined();
    expect(places.take(6 * timeoutMs, "here")).toBeDefined();
    expect(places.taken).toBe(1);
  });

  test("are as many as the limit says, and as many again once decisions come in time", () => {
    const places = new HandshakePlaces(4, timeoutMs);
    const take = (): number => {
      const taken: symbol[] = [];
      for (let place = places.take(0); place !== undefined; place = places.take(0)) taken.push(place);
      for (const place of taken) places.release(place);
      return taken.length;
    };
    expect(take()).toBe(4);
    places.late(0);
    places.late(timeoutMs - 1); // It was begun together with the first.
    expect(take()).toBe(2);
    places.late(timeoutMs);
    places.late(2 * timeoutMs);
    places.late(3 * timeoutMs);
    expect(take()).toBe(1);
    for (let count = 0; count < 10; count++) places.inTime();
    expect(take()).toBe(4);
    places.late(9 * timeoutMs); // One that is late among many that are not.
    expect(take()).toBe(4);
  });
});
