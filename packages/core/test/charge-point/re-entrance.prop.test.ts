import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  CallError,
  type ChargePointOptions,
  limitUntil,
  memoryStore,
  quirks,
  SmartCharging,
  type Transaction,
} from "../../src/index.ts";
import { misbehaviours } from "../connection/misbehaviours.ts";
import { Site } from "./site.ts";
import { day, events, second } from "./vocabulary.ts";

/** A charger in whose life everything happens, and whose owner does something each time. */
class Life {
  readonly site: Site;
  /** Running transactions that the owner may use. */
  readonly transactions: Transaction[] = [];
  /** What was promised. */
  readonly promises: Promise<unknown>[] = [];
  /** What an owner must never see; what is expected inside of a listener does not reach the test by itself. */
  readonly broken: unknown[] = [];
  stoppedAt: number | undefined;
  /** How many frames had been sent by then. */
  #sentAtStop = 0;

  constructor(options: Partial<ChargePointOptions> = {}) {
    this.site = new Site({ tolerate: [quirks.nullFields], ...options });
    const { centralSystem, chargePoint } = this.site;
    let transactionId = 0;
    centralSystem.handle("StartTransaction", () => ({
      transactionId: ++transactionId,
      idTagInfo: { status: transactionId === 1 ? "Blocked" : "Accepted" },
    }));
    centralSystem.handle("MeterValues", () => {
      throw new CallError("GenericError", "No meter values, please.");
    });
    centralSystem.handle("StopTransaction", () => ({}));
    chargePoint.handle("GetDiagnostics", () => ({}));
    chargePoint.handle("Reset", () => {
      throw new Error("The relay is stuck.");
    });
  }

  /** Does what an owner may do, whether or not it may be done now. */
  owner(act: (chargePoint: Site["chargePoint"]) => unknown): void {
    try {
      const result = act(this.site.chargePoint);
      if (result instanceof Promise) this.promises.push(result.catch(() => {}));
    } catch (error) {
      if (!["TypeError", "RangeError"].includes((error as Error).name)) this.broken.push(error);
    }
  }

  stop(): void {
    this.owner((chargePoint) => chargePoint.stop());
    if (this.stoppedAt !== undefined) return;
    this.stoppedAt = this.site.clock.now();
    this.#sentAtStop = this.sent;
  }

  get sent(): number {
    return this.site.links.reduce((sum, { chargePoint }) => sum + chargePoint.sent.length, 0);
  }

  start(): void {
    this.owner((chargePoint) => {
      this.transactions.push(chargePoint.startTransaction({ connectorId: 1, idTag: "TAG", meterStart: 0 }));
    });
  }

  sample(): void {
    const timestamp = new Date(this.site.chargePoint.now()).toISOString();
    const running = this.transactions.find(({ stopped }) => !stopped);
    this.owner(() => running?.meterValues({ meterValue: [{ timestamp, sampledValue: [{ value: "1" }] }] }));
  }

  end(): void {
    this.owner(() => this.transactions.find(({ stopped }) => !stopped)?.stop({ meterStop: 1 }));
  }

  /** From the first attempt to connect, which fails, to the second connection. */
  async run(): Promise<void> {
    const { behaviour, centralSystem, chargePoint, clock, links } = this.site;
    behaviour.reachable = false;
    await this.site.start();
    behaviour.reachable = true;
    await clock.advance(5 * second);
    chargePoint.report({ connectorId: 1, status: "Charging" });
    this.start();
    await clock.advance(second);
    this.owner(() => centralSystem.get("CP001")?.call("Reset", { type: "Soft" }));
    const profile = limitUntil({ chargingProfileId: 1, limit: 6, unit: "A", until: clock.now() + day });
    this.owner(() =>
      // It is of one connector, so it is refused.
      centralSystem.get("CP001")?.call("SetChargingProfile", {
        connectorId: 1,
        csChargingProfiles: { ...profile, chargingProfilePurpose: "ChargePointMaxProfile" },
      }),
    );
    links.at(-1)?.chargePoint.inject("nonsense");
    links.at(-1)?.chargePoint.inject('[2,"q","GetDiagnostics",{"location":"ftp://example.com/","retries":null}]');
    await clock.advance(second);
    this.sample();
    behaviour.aheadMs = 60 * second;
    await clock.advance(600 * second);
    links.at(-1)?.chargePoint.drop();
    await clock.advance(600 * second);
    this.end();
    await clock.advance(second);
  }

  /** What must be true of a charger that was stopped, however. */
  async expectEnded(): Promise<void> {
    const { clock, events, chargePoint } = this.site;
    expect(chargePoint.connected).toBe(false);
    await clock.advance(10 * second); // The closing handshake.
    const told = events.length;
    await clock.advance(day);
    expect(clock.pending, "wake-ups left on the clock").toBe(0);
    expect(events.slice(told), "events of a charger that was stopped").toEqual([]);
    expect(this.sent, "frames sent after the stop").toBe(this.#sentAtStop);
    const attempts = events.filter(({ name, at }) => name === "connecting" && at > (this.stoppedAt ?? 0));
    expect(attempts, "attempts after the stop").toEqual([]);
    await Promise.all(this.promises);
    expect(this.broken).toEqual([]);
  }
}

describe("ChargePoint.stop", () => {
  test.each(events)("ends everything from inside a listener of `%s` [trap 4] [trap 19]", async (name) => {
    const limit = { limit: 32, unit: "A" } as const;
    const settings = { connectors: { 1: limit }, report: () => {}, clock: new FakeClock() };
    const life = new Life({ smartCharging: await SmartCharging.load(memoryStore(), settings) });
    let isTold = false;
    life.site.chargePoint.once(name, () => {
      isTold = true;
      life.stop();
      life.stop();
    });
    await life.run();
    expect(isTold, "the event happens").toBe(true);
    const faults = life.site.said("fault").filter(({ action }) => action !== "Reset");
    expect(faults).toEqual([]);
    await life.expectEnded();
  });

  test.each(["in the handler", "later in the handler", "once it has answered", "between the listeners"])(
    "ends everything %s",
    async (when) => {
      const life = new Life();
      const { chargePoint, centralSystem, clock } = life.site;
      chargePoint.handle("DataTransfer", async (_, { answered }) => {
        if (when === "once it has answered") void answered.then(() => life.stop());
        if (when === "later in the handler") await undefined;
        if (when.endsWith("in the handler")) life.stop();
        return { status: "Accepted" };
      });
      if (when === "between the listeners") chargePoint.on("finished", () => queueMicrotask(() => life.stop()));
      await life.site.start();
      life.owner(() => centralSystem.get("CP001")?.call("DataTransfer", { vendorId: "v" }));
      await clock.advance(second);
      expect(life.stoppedAt).toBeDefined();
      await life.expectEnded();
      expect(life.site.said("fault")).toEqual([]);
    },
  );

  test.each(["before the start", "in the turn of the start", "while it starts", "while it connects"])(
    "ends everything %s",
    async (when) => {
      const signals: unknown[] = [];
      const life = new Life(
        when === "while it connects"
          ? {
              connect: ({ signal }) => {
                signals.push(signal);
                return new Promise(() => {});
              },
            }
          : {},
      );
      const { chargePoint, clock } = life.site;
      if (when === "before the start") life.stop();
      life.owner(() => chargePoint.start());
      if (when === "in the turn of the start") life.stop();
      if (when === "while it starts") queueMicrotask(() => life.stop());
      await clock.advance(0);
      if (when === "while it connects") life.stop();
      await life.expectEnded();
      expect(signals).toEqual(when === "while it connects" ? [expect.objectContaining({ aborted: true })] : []);
      expect(life.site.said("connected")).toEqual([]);
    },
  );
});

/** What the owner does inside of listeners. */
const deeds: Record<string, (life: Life) => void> = {
  report: (life) => life.owner((it) => it.report({ connectorId: 1, status: "Preparing" })),
  call: (life) => life.owner((it) => it.call("DataTransfer", { vendorId: "v" })),
  authorize: (life) => life.owner((it) => it.authorize("TAG")),
  saved: (life) => life.owner((it) => it.saved()),
  startAgain: (life) => life.owner((it) => it.start()),
  startTransaction: (life) => life.start(),
  meterValues: (life) => life.sample(),
  stopTransaction: (life) => life.end(),
  deliver: (life) => life.owner((it) => it.deliver("DataTransfer", { vendorId: "v" })),
  retry: (life) => life.owner((it) => it.deadLetters[0]?.retry()),
  delete: (life) => life.owner((it) => it.deadLetters[0]?.delete()),
  reconnectNow: (life) => life.owner((it) => it.reconnectNow()),
  drop: (life) => life.owner((it) => it.reconnectNow({ drop: true })),
  configure: (life) => life.owner((it) => it.configure({ url: "ws://other.example.com/ocpp" })),
  listen: (life) => life.owner((it) => it.on("finished", () => {})),
  handle: (life) => life.owner((it) => it.handle("UnlockConnector", () => ({ status: "Unlocked" }))),
  stop: (life) => life.stop(),
  ...Object.fromEntries(Object.entries(misbehaviours).map(([name, misbehave]) => [name, () => misbehave()])),
};

describe("ChargePoint, whose owner does anything inside of any listener", () => {
  test("goes on, settles every promise, hears all events in order, does not dial in a hot loop, and can be stopped [trap 4] [trap 19]", async () => {
    const habits = fc.array(
      fc.record({
        event: fc.constantFrom(...events),
        deed: fc.constantFrom(...Object.keys(deeds)),
        /** How often, so that what one causes is not what causes it for ever. */
        times: fc.integer({ min: 1, max: 5 }),
        skip: fc.nat(3),
      }),
      { minLength: 1, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(habits, async (habits) => {
        const life = new Life();
        const { chargePoint } = life.site;
        for (const { event, deed, times, skip } of habits) {
          let told = 0;
          chargePoint.on(event, () => {
            told += 1;
            return told > skip && told <= skip + times ? deeds[deed]?.(life) : undefined;
          });
        }
        await life.run();
        life.stop();
        await life.expectEnded();
        const attempts = life.site.events.filter(({ name }) => name === "connecting");
        attempts.forEach(({ at }, index) => {
          expect(at - (attempts[index - 1]?.at ?? 0), "a hot loop").toBeGreaterThanOrEqual(2 * second);
        });
        const line = life.site.events.map(({ name }) => name).filter((name) => /connect|refused/.test(name));
        expect(`${line.join(" ")} `).toMatch(/^(connecting (refused|connected disconnected) )*(connecting )?$/);
      }),
      { numRuns: 150 },
    );
  });
});
