import { FakeClock, type TransportPair, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CentralSystem, type CentralSystemEvents, Connection, quirks } from "../../src/index.ts";
import { misbehaviours } from "../connection/misbehaviours.ts";

const boot = { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" };
const currentTime = "2026-01-01T00:00:00Z";
const identities = ["CP001", "CP002"] as const;

const events = Object.keys({
  connected: 0,
  disconnected: 0,
  registration: 0,
  refused: 0,
  expiring: 0,
  message: 0,
  violation: 0,
  tolerated: 0,
  finished: 0,
  fault: 0,
} satisfies Record<keyof CentralSystemEvents, 0>) as (keyof CentralSystemEvents)[];

/** A Central System in which everything happens, and whose owner does something each time. */
class World {
  readonly clock = new FakeClock();
  readonly centralSystem = new CentralSystem({
    clock: this.clock,
    tolerate: [quirks.nullFields],
    probeTimeoutMs: 1000,
  });
  readonly promises: Promise<unknown>[] = [];
  readonly links: TransportPair[] = [];
  /** Events of connections, in order. */
  readonly told: { readonly name: string; readonly generation: number }[] = [];

  constructor() {
    const { centralSystem } = this;
    centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime, interval: 300 }));
    centralSystem.handle("Heartbeat", () => {
      throw new Error("What time is it?");
    });
    centralSystem.handle("Authorize", () => new Promise(() => {}));
    for (const name of ["connected", "disconnected", "message", "violation", "finished", "registration"] as const) {
      centralSystem.on(
        name,
        ({ generation }: { readonly generation: number }) => void this.told.push({ name, generation }),
      );
    }
  }

  keep(promise: Promise<unknown>): void {
    this.promises.push(promise.catch(() => {}));
  }

  connect(identity: string): Connection<"ChargePoint"> {
    const link = transportPair(this.clock);
    this.links.push(link);
    this.centralSystem.accept(link.centralSystem, identity);
    return new Connection(link.chargePoint, { role: "ChargePoint", identity, clock: this.clock });
  }

  async run(): Promise<void> {
    const { centralSystem, clock } = this;
    for (const identity of identities) {
      const chargePoint = this.connect(identity);
      this.keep(chargePoint.call("BootNotification", boot));
      await clock.advance(1000);
      this.keep(chargePoint.call("Heartbeat", {}));
      this.keep(chargePoint.call("Authorize", { idTag: "A" }));
      const end = this.links.at(-1)?.centralSystem;
      end?.inject("nonsense");
      end?.inject(
        '[2,"q","StartTransaction",{"connectorId":1,"idTag":"A","meterStart":1,"timestamp":"2026-01-01T00:00:00Z","reservationId":null}]',
      );
      centralSystem.emit("refused", { identity, reason: "closing", message: "No.", advice: "" });
      await clock.advance(1000);
    }
    this.links[0]?.chargePoint.drop();
    await clock.advance(60_000);
  }
}

let extra = 0;
const deeds: Record<string, (world: World, identity: string | undefined) => unknown> = {
  "close all": ({ centralSystem }) => centralSystem.close(),
  "close it": ({ centralSystem }, identity) => centralSystem.get(identity ?? "CP001")?.close(),
  drain: (world) => world.keep(world.centralSystem.drain({ ratePerSecond: 1, deadlineMs: 5000 })),
  admit: (world, identity) => world.keep(world.centralSystem.admit(identity ?? "CP001")),
  replace: (world, identity) => world.connect(identity ?? "CP001"),
  another: (world) => world.connect(`CP1${++extra}`),
  call: (world, identity) => {
    const connection = world.centralSystem.get(identity ?? "CP001");
    if (connection !== undefined) world.keep(connection.call("ClearCache", {}));
  },
  probe: (world, identity) => {
    const connection = world.centralSystem.get(identity ?? "CP001");
    if (connection !== undefined) world.keep(connection.probe(100));
  },
  ...Object.fromEntries(Object.entries(misbehaviours).map(([name, misbehave]) => [name, () => misbehave()])),
};

test("CentralSystem, whose owner does anything inside of any listener: settles every promise, tells each connection's events in order, and forgets what has ended [J-107] [J-164]", async () => {
  const habits = fc.array(
    fc.record({
      event: fc.constantFrom(...events),
      deed: fc.constantFrom(...Object.keys(deeds)),
      times: fc.integer({ min: 1, max: 4 }),
      skip: fc.nat(3),
    }),
    { minLength: 1, maxLength: 5 },
  );
  await fc.assert(
    fc.asyncProperty(habits, async (habits) => {
      const world = new World();
      const { centralSystem, clock } = world;
      for (const { event, deed, times, skip } of habits) {
        let told = 0;
        centralSystem.on(event, ({ identity }: { readonly identity?: string }) => {
          told += 1;
          return told > skip && told <= skip + times ? (deeds[deed]?.(world, identity) as never) : undefined;
        });
      }
      await world.run();
      centralSystem.close();
      expect([...centralSystem.connections()]).toEqual([]);
      await clock.advance(60_000);
      await Promise.all(world.promises);
      expect(clock.pending, "wake-ups left on the clock").toBe(0);
      for (const generation of new Set(world.told.map((told) => told.generation))) {
        const names = world.told.filter((told) => told.generation === generation).map(({ name }) => name);
        expect(names[0]).toBe("connected");
        expect(names.at(-1)).toBe("disconnected");
        expect(names.filter((name) => /connected/.test(name))).toHaveLength(2);
      }
    }),
    { numRuns: 150 },
  );
});
