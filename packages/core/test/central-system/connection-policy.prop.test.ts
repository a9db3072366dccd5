import { FakeClock, type LinkedTransport, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { CentralSystem, type Connection } from "../../src/index.ts";

const identities = ["A", "B"] as const;
type Identity = (typeof identities)[number];

interface Policy {
  readonly duplicates: "probe" | "replace" | "reject";
  readonly probeTimeoutMs: number;
}

/** A ping and its pong take twice as long, which is less than any `probeTimeoutMs`. */
const latencyMs = 10;

/** A connection from outside: what its peer does, and what the events have said of it. */
interface Visit {
  readonly identity: Identity;
  readonly near: LinkedTransport;
  readonly far: LinkedTransport;
  /** Since when it can give no sign of life any more. */
  deafSince: number;
  /** Set by `connected`. */
  connection?: Connection<"CentralSystem">;
  generation?: number;
}

/** A handshake that waits, or has waited, to be admitted. */
interface Knock {
  readonly identity: Identity;
  readonly at: number;
  /** How many connections of this identity there had been. */
  readonly visitsBefore: number;
  readonly present: Visit | undefined;
  answer: string | undefined;
}

interface Drain {
  readonly begin: number;
  readonly ratePerSecond: number;
  readonly deadlineMs: number;
  readonly newest: number;
  closed: number;
  settledAt: number | undefined;
}

/** A CentralSystem, those who come to it, and what the laws need to remember. */
class World {
  readonly clock = new FakeClock();
  readonly policy: Policy;
  readonly centralSystem: CentralSystem;
  /** By the events: who is connected. */
  readonly present = new Map<string, Visit>();
  readonly #visits: Visit[] = [];
  readonly #knocks: Knock[] = [];
  readonly #drains: Drain[] = [];
  #closedAtOnce = false;
  /** How many commands have been carried out. */
  #turn = 0;
  #leavingSince = Number.POSITIVE_INFINITY;
  #lastGeneration = 0;
  /** Whose connections a listener of `connected` closes at once. */
  readonly banned = new Set<string>();
  /** The visit that is just being accepted, while `accept` runs. */
  #entering: Visit | undefined;
  /** What a listener or a promise found broken; throwing there would not reach the test. */
  readonly broken: unknown[] = [];

  constructor(policy: Policy) {
    this.policy = policy;
    this.centralSystem = new CentralSystem({ clock: this.clock, ...policy });
    this.centralSystem.on("connected", ({ identity, generation, connection }) =>
      this.#law(() => {
        expect(this.present.has(identity), "connected twice").toBe(false);
        expect(generation, "generations grow").toBeGreaterThan(this.#lastGeneration);
        expect(this.centralSystem.get(identity)).toBe(connection);
        this.#lastGeneration = generation;
        const visit = this.#entering as Visit;
        visit.connection = connection;
        visit.generation = generation;
        this.present.set(identity, visit);
      }),
    );
    this.centralSystem.on("disconnected", ({ identity, generation, code }) =>
      this.#law(() => {
        const visit = this.present.get(identity);
        expect(visit?.generation, "disconnected without being connected").toBe(generation);
        expect(this.centralSystem.get(identity), "still there").toBeUndefined();
        this.present.delete(identity);
        if (code === 1012) this.#drained(generation);
      }),
    );
    this.centralSystem.on("connected", ({ identity, connection }) => {
      if (this.banned.has(identity)) connection.close(4001, "banned");
    });
    this.centralSystem.on("fault", ({ error }) => this.broken.push(error));
  }

  #law(check: () => void): void {
    try {
      check();
    } catch (error) {
      this.broken.push(error);
    }
  }

  /** The Central System leaves, in this turn or an earlier one. */
  #leave(): void {
    this.#leavingSince = Math.min(this.#leavingSince, this.#turn);
  }

  /** What the endpoint of `@ocppj/node` does with a handshake once it is authenticated. */
  knock(identity: Identity): void {
    const visitsBefore = this.#visitsOf(identity);
    const present = this.present.get(identity);
    const knock: Knock = { identity, at: this.clock.now(), visitsBefore, present, answer: undefined };
    this.#knocks.push(knock);
    void this.centralSystem.admit(identity).then((refusal) => {
      this.#law(() => this.#judge(knock, refusal?.reason ?? "admitted"));
      if (refusal === undefined) this.#enter(identity);
    });
  }

  #visitsOf(identity: Identity): number {
    return this.#visits.filter((visit) => visit.identity === identity).length;
  }

  #judge(knock: Knock, answer: string): void {
    knock.answer = answer;
    const now = this.clock.now();
    const { duplicates } = this.policy;
    const present = this.present.get(knock.identity);
    // Who was admitted in the turn in which `drain` or `close` was called is closed at once: see `check`.
    if (this.#leavingSince < this.#turn) expect(answer, "let in by one that leaves").toBe("closing");
    if (answer === "closing") expect(this.#leavingSince).toBeLessThanOrEqual(this.#turn);
    if (answer === "admitted" && duplicates === "probe") {
      expect(present?.deafSince ?? 0, "pushes out one that answers").toBeLessThanOrEqual(now);
    }
    if (answer === "admitted" && duplicates === "reject") expect(present, "pushes one out").toBeUndefined();
    if (answer === "duplicate") {
      // It may have ended in the very turn in which it was found.
      const rival = present ?? knock.present;
      expect(duplicates).not.toBe("replace");
      expect(rival, "gives way to nobody").toBeDefined();
      if (duplicates === "probe") {
        // The answer to the ping of an earlier newcomer may be under way.
        const answersUntil = (rival?.deafSince ?? 0) + 2 * latencyMs;
        expect(answersUntil, "gives way to one that does not answer").toBeGreaterThanOrEqual(knock.at);
      }
    }
  }

  #enter(identity: Identity): void {
    const { centralSystem: near, chargePoint: far } = transportPair(this.clock, { latencyMs });
    far.listen({ message: () => {}, close: () => {} });
    const visit: Visit = { identity, near, far, deafSince: Number.POSITIVE_INFINITY };
    this.#visits.push(visit);
    this.#entering = visit;
    this.centralSystem.accept(near, identity);
  }

  /** The connection loses its network, in one direction: neither end hears of that. */
  mute(identity: Identity, side: "near" | "far"): void {
    const visit = this.present.get(identity);
    visit?.[side].mute();
    if (visit !== undefined) visit.deafSince = Math.min(visit.deafSince, this.clock.now());
  }

  drain(ratePerSecond: number, deadlineMs: number): void {
    const newest = this.#lastGeneration;
    const begin = this.clock.now();
    const drain: Drain = { begin, ratePerSecond, deadlineMs, newest, closed: 0, settledAt: undefined };
    this.#drains.push(drain);
    this.#leave();
    void this.centralSystem.drain({ ratePerSecond, deadlineMs }).then(() => {
      drain.settledAt = this.clock.now();
      this.#law(() => expect([...this.centralSystem.connections()]).toEqual([]));
    });
  }

  /** A single drain keeps to its rate until its deadline. */
  #drained(generation: number): void {
    const [drain, ...others] = this.#drains;
    if (drain === undefined || others.length > 0 || generation > drain.newest) return;
    drain.closed++;
    const elapsedMs = this.clock.now() - drain.begin;
    if (elapsedMs >= drain.deadlineMs) return;
    expect(drain.closed, "faster than its rate").toBeLessThanOrEqual(1 + (elapsedMs * drain.ratePerSecond) / 1000);
  }

  close(): void {
    this.#closedAtOnce = true;
    this.#leave();
    this.centralSystem.close();
  }

  check(): void {
    this.#turn++;
    expect(this.broken).toEqual([]);
    const { centralSystem, present, clock } = this;
    for (const identity of identities) expect(centralSystem.get(identity)).toBe(present.get(identity)?.connection);
    expect(new Set(centralSystem.connections())).toEqual(
      new Set([...present.values()].map(({ connection }) => connection)),
    );
    if (this.#closedAtOnce) expect(present.size, "connected after `close`").toBe(0);
    for (const { begin, deadlineMs, newest, settledAt } of this.#drains) {
      for (const { generation } of present.values())
        expect(generation, "connected after `drain`").toBeLessThanOrEqual(newest);
      if (clock.now() >= begin + deadlineMs) expect(settledAt, "a drain that does not end").toBeDefined();
    }
    for (const knock of this.#knocks) this.#checkPatience(knock);
  }

  /** Nobody waits longer than a probe takes, unless there is another one to probe by then. */
  #checkPatience({ identity, at, visitsBefore, present, answer }: Knock): void {
    if (answer !== undefined || this.#visitsOf(identity) > visitsBefore) return;
    const { duplicates, probeTimeoutMs } = this.policy;
    const answers = present !== undefined && present.deafSince === Number.POSITIVE_INFINITY;
    const patienceMs = duplicates === "probe" && present !== undefined ? (answers ? 2 * latencyMs : probeTimeoutMs) : 0;
    expect(this.clock.now() - at, "kept waiting").toBeLessThan(patienceMs);
  }

  /** Whatever has happened: everything that was asked is answered, and nothing is left behind. */
  async finish(): Promise<void> {
    await this.clock.advance(60_000);
    for (const { answer } of this.#knocks) expect(answer, "a handshake without an answer").toBeDefined();
    for (const { settledAt } of this.#drains) expect(settledAt, "a drain that does not end").toBeDefined();
    this.close();
    this.check();
    await this.clock.advance(10_000);
    expect(this.clock.pending, "wake-ups left on the clock").toBe(0);
    const connected = this.#visits.filter(({ generation }) => generation !== undefined);
    expect(connected, "accepted without `connected`").toHaveLength(this.#visits.length);
  }
}

type Command = fc.AsyncCommand<object, World>;

const command = (name: string, run: (world: World) => unknown): Command => ({
  check: () => true,
  run: async (_, world) => {
    await run(world);
    await world.clock.advance(0);
    world.check();
  },
  toString: () => name,
});

const who = fc.constantFrom(...identities);

const comings = [
  who.map((identity) => command(`knock ${identity}`, (world) => world.knock(identity))),
  fc.tuple(who, fc.integer({ min: 2, max: 3 }), fc.nat(1)).map(([identity, times, gapMs]) =>
    command(`knock ${identity} ${times} times in ${gapMs} ms`, async (world) => {
      for (let time = 0; time < times; time++) {
        world.knock(identity);
        if (gapMs > 0) await world.clock.advance(gapMs);
      }
    }),
  ),
  fc.oneof(fc.nat(30), fc.nat(3000)).map((ms) => command(`advance ${ms}`, (world) => world.clock.advance(ms))),
];
const goings = [
  who.map((identity) => command(`drop ${identity}`, (world) => world.present.get(identity)?.far.drop())),
  who.map((identity) => command(`lose ${identity}`, (world) => world.present.get(identity)?.near.drop())),
  who.map((identity) => command(`leave ${identity}`, (world) => world.present.get(identity)?.far.close(1000))),
  who.map((identity) => command(`close ${identity}`, (world) => world.centralSystem.get(identity)?.close())),
  fc
    .tuple(who, fc.constantFrom<"near" | "far">("near", "far"))
    .map(([identity, side]) => command(`mute ${identity} ${side}`, (world) => world.mute(identity, side))),
  who.map((identity) => command(`ban ${identity}`, ({ banned }) => banned.delete(identity) || banned.add(identity))),
];
const endings = [
  fc
    .tuple(fc.constantFrom(0.5, 1, 50), fc.constantFrom(0, 100, 30_000))
    .map(([rate, deadline]) => command(`drain ${rate}/s ${deadline}`, (world) => world.drain(rate, deadline))),
  fc.constant(command("close", (world) => world.close())),
  who.map((identity) =>
    command(`knock ${identity}, close`, (world) => {
      world.knock(identity);
      world.close();
    }),
  ),
];

const policies = fc.record({
  duplicates: fc.constantFrom("probe", "replace", "reject"),
  probeTimeoutMs: fc.constantFrom(50, 1000, 5000),
}) satisfies fc.Arbitrary<Policy>;

describe("A CentralSystem to which Charge Points of few identities come and from which they go in any way", () => {
  test("keeps its policy for duplicates, tells all in order, answers whoever knocks in time, and ends [J-107] [J-164] [J-166] [Q20] [trap 4]", async () => {
    await fc.assert(
      fc.asyncProperty(
        policies,
        fc.oneof(
          fc.commands([...comings, ...goings], { size: "+1", maxCommands: 40 }),
          fc.commands([...comings, ...goings, ...endings], { size: "+1", maxCommands: 40 }),
        ),
        async (policy, steps) => {
          const world = new World(policy);
          await fc.asyncModelRun(() => ({ model: {}, real: world }), steps);
          await world.finish();
        },
      ),
      { numRuns: 1000 },
    );
  });
});
