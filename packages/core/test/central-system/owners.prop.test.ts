/*
 * The contract of what an owner provides: `registrations` and handlers do anything that functions can do, for a while. What
 * must hold all the same, whatever they did.
 */
import { FakeClock, type LinkedTransport, transportPair } from "@ocppj/testing";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CentralSystem, quirks, type Registration } from "../../src/index.ts";
import { after, deeds as common, type Deeds } from "../deeds.ts";

const currentTime = "2026-01-01T00:00:00Z";
const timestamp = currentTime;

/** What a function of the owner's may do instead of what it should. */
const deeds = {
  ...common,
  "answers later": (right, clock) => after(clock, 3000).then(right),
  "answers much later": (right, clock) => after(clock, 90_000).then(right),
  "answers nonsense": () => ({ nonsense: true }),
  "answers nonsense later": (_, clock) => after(clock, 1000).then(() => "nonsense"),
} satisfies Deeds;
type Deed = keyof typeof deeds;

interface Habits {
  readonly unknownTransactions: "serve" | "hold" | "refuse";
  /** After how many milliseconds there is another program, be it that nothing could be kept yet. */
  readonly restartsAfterMs: number;
  /** What the functions do, call by call, until the fault ends. */
  readonly deeds: readonly Deed[];
  readonly faultMs: number;
  readonly chargers: readonly ChargerHabits[];
}

interface ChargerHabits {
  /** Whether an earlier program has accepted it, so that it does not boot. */
  readonly isKnown: boolean;
  /** Whether it sends the next message without waiting for the answer to its BootNotification. */
  readonly isImpatient: boolean;
  /** Whether it sends again what was not answered; otherwise it waits until its next connection. */
  readonly repeats: boolean;
  /** Milliseconds from one message to the next. */
  readonly paceMs: number;
  /** Whether its messages can be read only by who knows its model. */
  readonly isOdd: boolean;
  /** After how many milliseconds it loses each connection while the fault lasts. */
  readonly losesAfterMs: number;
}

/** How long a Charge Point waits: for an answer, and before it connects anew. */
const patienceMs = 30_000;
const pauseMs = 2000;

/** A Central System whose owner's database and handlers fail. */
class World {
  readonly clock = new FakeClock();
  readonly rows = new Map<string, Registration>();
  readonly habits: Habits;
  readonly faultEnd: number;
  centralSystem: CentralSystem;
  readonly chargers: Charger[];
  readonly faults: unknown[] = [];
  #turn = 0;
  isOver = false;

  constructor(habits: Habits) {
    this.habits = habits;
    this.faultEnd = this.clock.now() + habits.faultMs;
    this.centralSystem = this.begin();
    this.chargers = habits.chargers.map((charger, index) => new Charger(this, `CP00${index}`, charger));
    for (const [index, { isKnown }] of habits.chargers.entries())
      if (isKnown) this.rows.set(`CP00${index}`, { status: "Accepted" });
    for (const charger of this.chargers) charger.connect();
  }

  /** The program starts, over the rows that there are. */
  begin(): CentralSystem {
    const { clock, faultEnd, habits } = this;
    const anyhow = <T>(right: () => T): T => {
      const deed: Deed = clock.now() < faultEnd ? (habits.deeds[this.#turn++ % habits.deeds.length] as Deed) : "right";
      if (deed.includes("nonsense")) right(); // What `set` returns says nothing: it may have been kept.
      return deeds[deed](right as () => never, clock) as T;
    };
    const centralSystem = new CentralSystem({
      clock,
      tolerate: ({ chargePointModel }) => (chargePointModel === "Odd" ? [quirks.nullFields] : []),
      unknownTransactions: habits.unknownTransactions,
      registrations: {
        get: (identity) => anyhow(() => this.rows.get(identity)),
        set: (identity, status, chargePoint) =>
          anyhow(() => void this.rows.set(identity, { status, chargePoint: copyOf(chargePoint) })),
      },
    });
    centralSystem.on("fault", ({ error }) => this.faults.push(error));
    const registered = { status: "Accepted", currentTime, interval: 300 } as const;
    centralSystem.handle("BootNotification", () => anyhow(() => registered));
    centralSystem.handle("StartTransaction", () =>
      anyhow(() => ({ transactionId: 1, idTagInfo: { status: "Accepted" } })),
    );
    centralSystem.handle("MeterValues", () => anyhow(() => ({})));
    centralSystem.handle("StopTransaction", () => anyhow(() => ({})));
    centralSystem.handle("Heartbeat", () => anyhow(() => ({ currentTime })));
    return centralSystem;
  }
}

/** What a database gives back of something. */
const copyOf = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

const meterValue = [{ timestamp, sampledValue: [{ value: "1" }] }];

const lastBill: [string, object] = ["StopTransaction", { transactionId: 2, timestamp, meterStop: 1 }];

/** A Charge Point with common firmware: it repeats what was not answered, and forgets what was refused. */
class Charger {
  readonly #world: World;
  readonly #identity: string;
  readonly #habits: ChargerHabits;
  /** What it has to tell, in order. */
  readonly left: [action: string, payload: object][] = [
    ["StartTransaction", { connectorId: 1, idTag: "A", timestamp, meterStart: 0 }],
    ["MeterValues", { connectorId: 1, transactionId: 1, meterValue }],
    ["Heartbeat", {}],
    ["StopTransaction", { transactionId: 1, timestamp, meterStop: 1 }],
    ["MeterValues", { connectorId: 1, transactionId: 1, meterValue }],
  ];
  /** What was refused although a bill depends on it. */
  readonly lost: unknown[] = [];
  isAccepted: boolean;
  readonly closings: number[] = [];
  #transport: LinkedTransport | undefined;
  #ids = 0;
  readonly #waiting = new Map<string, { readonly action: string; readonly disarm: () => void }>();

  constructor(world: World, identity: string, habits: ChargerHabits) {
    this.#world = world;
    this.#identity = identity;
    this.#habits = habits;
    this.isAccepted = habits.isKnown;
  }

  connect(): void {
    const { clock, centralSystem, isOver } = this.#world;
    if (isOver) return;
    const link = transportPair(clock, { latencyMs: 10 });
    const { losesAfterMs } = this.#habits;
    let disarm = (): void => {};
    if (clock.now() < this.#world.faultEnd) disarm = clock.wakeAt(clock.now() + losesAfterMs, () => this.lose());
    this.#transport = link.chargePoint;
    link.chargePoint.listen({
      message: (text) => this.#message(JSON.parse(text)),
      close: (code) => {
        disarm();
        this.closings.push(code);
        for (const { disarm } of this.#waiting.values()) disarm();
        this.#waiting.clear();
        this.#transport = undefined;
        clock.wakeAt(clock.now() + pauseMs, () => this.connect());
      },
    });
    centralSystem.accept(link.centralSystem, this.#identity);
    if (this.isAccepted) this.#next();
    else this.#boot();
  }

  lose(): void {
    this.#transport?.drop();
  }

  #boot(): void {
    if (this.#transport === undefined || this.isAccepted) return;
    this.#introduce();
    if (this.#habits.isImpatient) this.#next();
  }

  #introduce(): void {
    const chargePointModel = this.#habits.isOdd ? "Odd" : "M";
    this.#send("BootNotification", { chargePointVendor: "V", chargePointModel });
  }

  #next(): void {
    if (this.#transport === undefined) return;
    const [message] = this.left;
    if (message !== undefined && ![...this.#waiting.values()].some(({ action }) => action === message[0])) {
      const [action, payload] = message;
      this.#send(action, this.#habits.isOdd && action === "StopTransaction" ? { ...payload, idTag: null } : payload);
    }
  }

  #send(action: string, payload: object): void {
    const { clock } = this.#world;
    const id = `${++this.#ids}`;
    const again = (): void => {
      this.#waiting.delete(id);
      this.#again(action);
    };
    const isRepeated = this.#habits.repeats || action === "BootNotification";
    const disarm = isRepeated ? clock.wakeAt(clock.now() + patienceMs, again) : (): void => {};
    this.#waiting.set(id, { action, disarm });
    this.#transport?.send(JSON.stringify([2, id, action, payload]));
  }

  #again(action: string): void {
    if (action === "BootNotification") this.#boot();
    else this.#next();
  }

  #message([type, id, ...rest]: [number, string, ...unknown[]]): void {
    const { clock } = this.#world;
    if (type === 2) {
      this.#transport?.send(JSON.stringify([3, id, { status: "Accepted" }]));
      this.#introduce();
      return;
    }
    const waiting = this.#waiting.get(id);
    if (waiting === undefined) return;
    this.#waiting.delete(id);
    waiting.disarm();
    const { action } = waiting;
    if (type === 3) {
      if (action === "BootNotification") this.isAccepted = true;
      else this.left.shift();
    } else if (action !== "BootNotification") {
      if (action !== "Heartbeat") this.lost.push([action, ...rest]);
      this.left.shift();
    }
    clock.wakeAt(clock.now() + this.#habits.paceMs, () =>
      this.#again(action === "BootNotification" && !this.isAccepted ? action : ""),
    );
  }
}

const habits: fc.Arbitrary<Habits> = fc.record({
  unknownTransactions: fc.constantFrom("serve", "hold", "refuse"),
  restartsAfterMs: fc.constantFrom(500, 10_000, 100_000),
  deeds: fc.array(fc.constantFrom(...(Object.keys(deeds) as Deed[])), { minLength: 1, maxLength: 12 }),
  faultMs: fc.constantFrom(1000, 30_000, 300_000),
  chargers: fc.array(
    fc.record({
      isKnown: fc.boolean(),
      isImpatient: fc.boolean(),
      repeats: fc.boolean(),
      paceMs: fc.constantFrom(0, 500, 20_000),
      isOdd: fc.boolean(),
      losesAfterMs: fc.constantFrom(300, 4000, 14_000, 1_000_000),
    }),
    { minLength: 1, maxLength: 3 },
  ),
});

test("Registrations and handlers that do anything: no bill is lost, who is alive is served once the fault ends, also after a restart, and nothing is left behind [J-130] [J-132] [CORE-TXQ-09] [trap 2]", async () => {
  await fc.assert(
    fc.asyncProperty(habits, async (habits) => {
      const world = new World(habits);
      // Who wants bills refused of whom nobody remembers loses those that come when our writes have failed.
      if (habits.unknownTransactions !== "refuse" && habits.restartsAfterMs < habits.faultMs) {
        await world.clock.advance(habits.restartsAfterMs);
        world.centralSystem.close();
        world.centralSystem = world.begin();
      }
      await world.clock.advance(world.faultEnd - world.clock.now());
      await world.clock.advance(240_000);
      for (const { lost, left, isAccepted } of world.chargers) {
        expect(lost, "refused through our fault").toEqual([]);
        expect(isAccepted, "never accepted").toBe(true);
        expect(left, "not served").toEqual([]);
      }
      // Whatever hung is tried again when they are back. Then there is another program that remembers only what was kept.
      for (const charger of world.chargers) charger.lose();
      await world.clock.advance(30_000);
      world.centralSystem.close();
      world.centralSystem = world.begin();
      for (const charger of world.chargers) charger.left.push(lastBill);
      await world.clock.advance(120_000);
      for (const { lost, left } of world.chargers) {
        expect(lost, "refused through our fault, after a restart").toEqual([]);
        expect(left, "not served after a restart").toEqual([]);
      }
      world.isOver = true;
      world.centralSystem.close();
      await world.clock.advance(180_000);
      expect([...world.centralSystem.connections()]).toEqual([]);
      expect(world.clock.pending, "wake-ups left on the clock").toBe(0);
    }),
    { numRuns: 200 },
  );
});
