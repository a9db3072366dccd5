/*
 * Chargers that answer absurdly, lose their connection anywhere and reboot as they like, an owner who fails, lists that are
 * other ones each time. Whatever they do, resets do not cause resets without end, and who does right in the end has what is
 * wanted.
 */
import { FakeClock, type LinkedTransport, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import {
  CallError,
  CentralSystem,
  Connection,
  type Provisioned,
  Provisioning,
  type ProvisioningFailure,
  type SentLocalAuthList,
} from "../../src/index.ts";

const identity = "CP001";
const keys = ["A", "B"] as const;
/** How often a connection is lost by itself. */
const mostLosses = 10;
const unanswered = () => new Promise<never>(() => {});

const resets = [
  "boots",
  "nothing",
  "rejects",
  "rejects and boots",
  "CALLERROR",
  "unsupported",
  "silent",
  "vanishes",
] as const;
const changes = ["Accepted", "RebootRequired", "Rejected", "CALLERROR", "silent"] as const;
const deeds = ["right", "right", "throws", "hangs", "late"] as const;

interface Behaviour {
  /** How it answers, in turn. */
  readonly resets: readonly (typeof resets)[number][];
  readonly changes: readonly (typeof changes)[number][];
  /** Whether a change that requires a reboot is shown at once, after the reboot, or never. */
  readonly shows: "at once" | "after a reboot" | "never";
  /** After how many CALLs each connection is lost. */
  readonly losesAfter: number;
  readonly bootsAlways: boolean;
  /** What the functions of the owner do, in turn. */
  readonly deeds: readonly (typeof deeds)[number][];
  readonly steps: readonly ("boot" | "stop" | "lose" | "provision" | "wait")[];
}

const arbitrary: fc.Arbitrary<Behaviour> = fc.record({
  resets: fc.array(fc.constantFrom(...resets), { minLength: 1, maxLength: 4 }),
  changes: fc.array(fc.constantFrom(...changes), { minLength: 1, maxLength: 4 }),
  shows: fc.constantFrom("at once", "after a reboot", "never"),
  losesAfter: fc.oneof(fc.integer({ min: 1, max: 12 }), fc.constant(1_000_000)),
  bootsAlways: fc.boolean(),
  deeds: fc.array(fc.constantFrom(...deeds), { minLength: 1, maxLength: 5 }),
  steps: fc.array(fc.constantFrom("boot", "stop", "lose", "provision", "wait"), { maxLength: 8 }),
});

class World {
  readonly clock = new FakeClock();
  readonly centralSystem = new CentralSystem({ clock: this.clock, timeoutMs: 20_000 });
  readonly told: (Provisioned | ProvisioningFailure)[] = [];
  readonly settled: boolean[] = [];
  readonly provisioning: Provisioning;
  readonly #behaviour: Behaviour;
  readonly #shown = new Map<string, string>(keys.map((key) => [key, "old"]));
  readonly #changed = new Map<string, string>();
  isRight = false;
  resets = 0;
  #lists = 0;
  #turns = 0;
  #calls = 0;
  #losses = 0;
  #link!: LinkedTransport;
  #charger!: Connection<"ChargePoint">;

  constructor(behaviour: Behaviour) {
    this.#behaviour = behaviour;
    const { centralSystem, told } = this;
    const currentTime = "2026-01-01T00:00:00Z";
    centralSystem.handle("BootNotification", () => ({ status: "Accepted", interval: 300, currentTime }));
    centralSystem.handle("StopTransaction", () => ({}));
    const lists = new Map<string, SentLocalAuthList>();
    this.provisioning = new Provisioning({
      centralSystem,
      wanted: () =>
        this.#anyhow(() => ({
          configuration: { vendorKeys: { A: "new", B: "new" } },
          localAuthList: [{ idTag: `Card${this.#lists++}`, idTagInfo: { status: "Accepted" as const } }],
        })),
      mayReset: () => this.#anyhow(() => true),
      lists: {
        get: (of) => this.#anyhow(() => lists.get(of)),
        set: (of, list) => this.#anyhow(() => lists.set(of, list)),
      },
      told: (event) => told.push(event),
    });
    this.#connect(true);
  }

  #anyhow<T>(right: () => T): T | Promise<T> {
    const { deeds } = this.#behaviour;
    const deed = this.isRight ? "right" : deeds[this.#turns++ % deeds.length];
    if (deed === "throws") throw new Error("locked");
    if (deed === "hangs") return unanswered();
    if (deed !== "late") return right();
    return new Promise<void>((resolve) => this.clock.wakeAt(this.clock.now() + 9000, resolve)).then(right);
  }

  #next<T>(answers: readonly T[], right: T): T {
    return this.isRight ? right : (answers[this.#calls % answers.length] as T);
  }

  #connect(boots: boolean): void {
    const { centralSystem, clock } = this;
    const link = transportPair(clock, { latencyMs: 10 });
    this.#link = link.chargePoint;
    centralSystem.accept(link.centralSystem, identity);
    const charger = new Connection(link.chargePoint, { role: "ChargePoint", identity, clock });
    this.#charger = charger;
    let left = this.#behaviour.losesAfter;
    charger.on("message", ({ direction, frame }) => {
      if (direction !== "in" || frame.type !== "CALL" || this.isRight) return;
      this.#calls += 1;
      left -= 1;
      if (left > 0 || this.#losses === mostLosses) return;
      this.#losses += 1;
      this.lose();
    });
    charger.handle("GetConfiguration", ({ key = [] }) => ({
      configurationKey: key.flatMap((name) =>
        this.#shown.has(name) ? { key: name, readonly: false, value: this.#shown.get(name) as string } : [],
      ),
      unknownKey: key.filter((name) => !this.#shown.has(name)),
    }));
    charger.handle("ChangeConfiguration", ({ key, value }) => {
      const status = this.#next(this.#behaviour.changes, "Accepted");
      if (status === "silent") return unanswered();
      if (status === "CALLERROR") throw new CallError("InternalError");
      if (status === "Accepted" || this.#behaviour.shows === "at once") this.#shown.set(key, value);
      if (status === "RebootRequired") this.#changed.set(key, value);
      return { status };
    });
    charger.handle("GetLocalListVersion", () => ({ listVersion: -1 }));
    charger.handle("Reset", (_, { answered }) => {
      this.resets += 1;
      const does = this.#next(this.#behaviour.resets, "boots");
      if (does === "silent") return unanswered();
      if (does === "unsupported") throw new CallError("NotSupported");
      if (does === "CALLERROR") throw new CallError("InternalError");
      if (does === "vanishes") {
        this.#reboot();
        return unanswered();
      }
      if (does.includes("boots")) void answered.then(() => this.#reboot());
      return { status: does.startsWith("rejects") ? "Rejected" : "Accepted" };
    });
    if (boots) this.boot();
  }

  #reboot(): void {
    if (this.#behaviour.shows === "after a reboot" || this.isRight) {
      for (const [key, value] of this.#changed) this.#shown.set(key, value);
    }
    this.#link.drop();
    this.clock.wakeAt(this.clock.now() + 3000, () => this.#connect(true));
  }

  boot(): void {
    this.#charger.call("BootNotification", { chargePointVendor: "V", chargePointModel: "M" }).catch(() => {});
  }

  lose(): void {
    this.#link.drop();
    this.clock.wakeAt(this.clock.now() + 1000, () => this.#connect(this.#behaviour.bootsAlways));
  }

  stop(): void {
    const req = { transactionId: 1, meterStop: 1, timestamp: "2026-01-01T00:00:00Z" };
    this.#charger.call("StopTransaction", req).catch(() => {});
  }

  provision(): void {
    const at = this.settled.push(false) - 1;
    const settle = (): void => {
      this.settled[at] = true;
    };
    this.provisioning.provision(identity).then(settle, settle);
  }
}

test("Provisioning never resets a charger for ever, settles every promise, and gives what is wanted once everybody does right", async () => {
  await fc.assert(
    fc.asyncProperty(arbitrary, async (behaviour) => {
      const world = new World(behaviour);
      await world.clock.advance(300_000);
      for (const step of behaviour.steps) {
        if (step !== "wait") world[step]();
        await world.clock.advance(step === "wait" ? 300_000 : 7000);
      }
      await world.clock.advance(300_000);
      // Each of its two keys may be a reason once, also together; what was asked for again is asked for by a step.
      expect(world.resets).toBeLessThanOrEqual(3 * (behaviour.steps.length + 1));
      const before = world.resets;
      await world.clock.advance(3_600_000);
      expect(world.resets, "resets by themselves").toBe(before);
      expect(world.settled).not.toContain(false);

      world.isRight = true;
      world.told.length = 0;
      await world.clock.advance(120_000);
      world.boot();
      await world.clock.advance(120_000);
      // What was left out since the connection was lost in it is made when somebody asks for it.
      const provisioned = world.provisioning.provision(identity);
      await world.clock.advance(120_000);
      expect(await provisioned).toMatchObject({
        configuration: keys.map((key) => ({ key, status: expect.stringMatching(/^(Accepted|Unchanged)$/) })),
        localAuthList: { status: "NotSupported" },
      });
      world.centralSystem.close();
      await world.clock.advance(120_000);
      expect(world.clock.pending).toBe(0);
    }),
    { numRuns: 100 },
  );
}, 60_000);
