import { FakeClock } from "@ocppj/testing";
import { ChargePoint, type Req, type Transaction } from "../../src/index.ts";
import { SimulatedCentralSystem } from "./simulation-central-system.ts";
import { Disk, DiskFailure, Machine, type MachineClock } from "./simulation-hardware.ts";
import { Laws, maxQueuedMessages } from "./simulation-laws.ts";
import { SimulatedNetwork } from "./simulation-network.ts";
import { withoutTimestamps } from "./simulation-payloads.ts";
import type { Charging } from "./simulation-records.ts";
import {
  type AbsurdTime,
  day,
  hour,
  type KeptAction,
  minute,
  printed,
  type Step,
  second,
  spell,
} from "./simulation-schedule.ts";

const connectors = [1, 2, 3];
const meteredEveryMs = 10 * minute;

type StepThat<Does extends Step["do"]> = Extract<Step, { do: Does }>;
type PowerCut = Omit<StepThat<"power cut">, "at" | "do">;

/** A Charge Point from power on to power off. */
interface Powered {
  readonly power: number;
  readonly machine: Machine;
  readonly clock: MachineClock;
  readonly chargePoint: ChargePoint;
  /** Between the end of `start` and the call of `stop`. */
  started: boolean;
}

/** A car at a connector. */
interface Plugged {
  readonly charging: Charging;
  readonly transaction: Transaction;
  /** Looks at it no more. */
  readonly forget: () => void;
}

/**
 * A Charge Point with its owner, its power and its disk, a network, a Central System, and all that can happen to them.
 *
 * The Charge Point, the Central System and their connections are those of the library; the rest is made up.
 */
class World {
  readonly clock = new FakeClock();
  readonly laws: Laws;
  readonly #disk = new Disk(this.clock);
  readonly #centralSystem: SimulatedCentralSystem;
  readonly #network: SimulatedNetwork;
  #powers = 0;
  #powered: Powered | undefined;
  #random = 1;
  /** What the owner reports carries a number. */
  #numbers = 0;
  readonly #plugged = new Map<number, Plugged>();

  constructor() {
    this.laws = new Laws(this.clock, this.#disk);
    this.#centralSystem = new SimulatedCentralSystem(this.clock, this.laws);
    this.#network = new SimulatedNetwork(this.clock, this.laws, this.#centralSystem);
    this.#switchOn(new Machine(this.clock, 0), false);
  }

  take(step: Step): void {
    const network = this.#network;
    const centralSystem = this.#centralSystem;
    const lasting = <Value>(value: Value, forS: number) => spell(value, this.clock.now() + forS * second);
    this.laws.happens(step);
    switch (step.do) {
      case "plug in":
        this.#plugIn(step);
        break;
      case "call":
        this.#call();
        break;
      case "deliver":
        this.#deliver(step.action);
        break;
      case "dead letters":
        this.#lookThroughDeadLetters(step.what);
        break;
      case "drop":
        network.drop();
        break;
      case "close":
        network.close();
        break;
      case "mute":
        network.mute(step.ends);
        break;
      case "lose":
        network.lose(step.frame, step.nth);
        break;
      case "refuse connections":
        network.refusing = lasting(true, step.forS);
        break;
      case "connect slowly":
        network.connectingS = lasting(step.byS, step.forS);
        break;
      case "latency":
        network.latencyMs = step.ms;
        break;
      case "silence":
        centralSystem.silence = lasting(step.of, step.forS);
        break;
      case "answer slowly":
        centralSystem.slowness = lasting(step.byS, step.forS);
        break;
      case "ignore":
        centralSystem.ignoring.set(step.action, step.times);
        break;
      case "fail":
        centralSystem.failing.set(step.action, step.times);
        break;
      case "do not support":
        centralSystem.notSupported.set(step.action, step.times);
        break;
      case "answer nonsense":
        centralSystem.nonsense.set(step.action, { left: step.times, kind: step.kind });
        break;
      case "register":
        centralSystem.registration = lasting({ status: step.as, interval: step.intervalS }, step.forS);
        if (step.reboot) this.#cutPower({ forS: 1, kept: 0, clockOffS: 0, resume: true });
        break;
      case "heartbeats":
        centralSystem.heartbeatS = step.everyS;
        break;
      case "trigger": {
        const connectorId = step.connector === "none" ? {} : { connectorId: step.connector };
        centralSystem.call("TriggerMessage", { requestedMessage: step.message, ...connectorId });
        break;
      }
      case "unlock":
        for (const connectorId of [1, 2]) centralSystem.call("UnlockConnector", { connectorId });
        break;
      case "set central clock":
        this.laws.centralOffsetMs += step.byS * second;
        break;
      case "tell the time wrongly":
        centralSystem.tellTheTimeWrongly(step.times, (time) => new Date(time + step.byS * second).toISOString());
        break;
      case "tell an absurd time":
        centralSystem.tellTheTimeWrongly(step.times, (time) => absurd(step.as, time));
        break;
      case "restart central system":
        if (step.heard) network.drop();
        else network.mute("both");
        centralSystem.restart(step.forgets);
        break;
      case "power cut":
        this.#cutPower(step);
        break;
      case "power cut at write":
        // The write is under way then, like those that were asked for at the same moment.
        this.#disk.atWrite(step.nth, () => void this.clock.wakeAt(this.clock.now(), () => this.#cutPower(step)));
        break;
      case "sleep":
        this.#sleep(step);
        break;
      case "set wall clock":
        this.#powered?.machine.setWallClock(step.byS * second);
        this.laws.doubtful();
        break;
      case "restart charge point":
        this.#restart(step.resume);
        break;
      case "slow disk":
        this.#disk.slowness = lasting(step.byMs, step.forS);
        break;
      case "failing disk":
        this.#disk.failing = lasting({ what: step.what, how: step.how }, step.forS);
        break;
      case "hanging disk":
        this.#disk.hanging = lasting({ what: step.what, carriedOut: step.carriedOut }, step.forS);
        break;
      case "fail a write":
        this.#disk.failOnce(step.kind, step.nth);
        break;
    }
  }

  /** Ends all trouble; what is broken by now has to be found out and mended, and everything delivered. */
  async end(): Promise<void> {
    await this.clock.advance(hour);
    this.laws.say("** all is well from here on");
    this.#network.calmDown();
    this.#centralSystem.calmDown();
    this.#disk.calmDown();
    // The power comes back, the last car leaves, a half-open connection is found out by the daily Heartbeat.
    await this.clock.advance(2 * hour + 6 * hour + day);
    // Its owner has what was given up delivered after all.
    this.#lookThroughDeadLetters("retry");
    await this.clock.advance(hour);
    this.laws.endsWell();
    const powered = this.#powered as Powered;
    const { chargePoint } = powered;
    const call = () => chargePoint.call("DataTransfer", { vendorId: "com.example" });
    // A Central System that has lost its memory refuses the first CALL since, and no other.
    call().catch(() => {});
    await this.clock.advance(minute);
    const answer = call();
    answer.catch((error) => this.laws.law(false, `In the end a CALL is not answered: ${error}`));
    await this.clock.advance(minute);
    let stopped = false;
    void chargePoint.stop().then(() => {
      stopped = true;
      this.#hasStopped(powered);
    });
    await this.clock.advance(minute);
    this.laws.law(stopped, "stop() has not resolved within a minute.");
    this.#switchOff(true);
    await this.clock.advance(hour);
    this.laws.law(this.clock.pending === 0, `${this.clock.pending} wake-ups are armed an hour after stop().`);
  }

  // Power

  #switchOn(machine: Machine, resume: boolean): void {
    const clock = machine.clockOf({});
    const chargePoint = new ChargePoint({
      identity: "CP001",
      url: "ws://central.example.com/ocpp",
      boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
      connect: () => this.#network.connect(machine, () => this.#powered === powered),
      store: this.#disk.store(machine),
      maxQueuedMessages,
      clock,
      random: () => this.#nextRandom(),
    });
    const powered: Powered = { power: ++this.#powers, machine, clock, chargePoint, started: false };
    this.#powered = powered;
    this.laws.switchedOn(powered.power, chargePoint);
    this.#listen(powered);
    void this.#start(powered, resume);
  }

  #switchOff(inOrder: boolean): void {
    this.laws.switchedOff(inOrder);
    for (const { forget } of this.#plugged.values()) forget();
    this.#plugged.clear();
    if (!inOrder) this.#powered?.machine.switchOff();
    this.#powered = undefined;
    this.#network.mute("chargePoint");
    this.#network.wake();
  }

  #cutPower({ forS, kept, clockOffS, resume }: PowerCut): void {
    if (this.#powered === undefined) return;
    this.#switchOff(false);
    this.#disk.cutPower(kept);
    const machine = new Machine(this.clock, clockOffS * second);
    this.clock.wakeAt(this.clock.now() + forS * second, () => this.#switchOn(machine, resume));
  }

  #sleep({ forS, connection }: StepThat<"sleep">): void {
    const powered = this.#powered;
    if (powered === undefined || powered.machine.asleep) return;
    powered.machine.sleeps();
    this.laws.sleeps();
    this.clock.wakeAt(this.clock.now() + forS * second, () => {
      if (this.#powered?.machine !== powered.machine) return;
      if (connection === "ended") this.#network.drop();
      if (connection === "dead") this.#network.mute("both");
      this.laws.wakes(powered.machine.wakes());
      this.#network.wake();
    });
  }

  #restart(resume: boolean): void {
    const powered = this.#powered;
    if (powered === undefined || this.#running === undefined) return;
    powered.started = false;
    void powered.chargePoint.stop().then(() => {
      if (this.#powered !== powered) return;
      this.#hasStopped(powered);
      this.#switchOff(true);
      this.#switchOn(powered.machine, resume);
    });
  }

  #hasStopped({ clock }: Powered): void {
    this.laws.law(clock.pending === 0, `${clock.pending} wake-ups are armed after stop().`);
    const idle = this.#disk.idle || this.#disk.failedSince(this.clock.now() - 5 * minute);
    this.laws.law(idle, "stop() has resolved although the store has still something to do.");
  }

  /** For the waits between attempts to connect: the same in every run. */
  #nextRandom(): number {
    this.#random = (this.#random * 48_271) % 2_147_483_647;
    return this.#random / 2_147_483_647;
  }

  #listen(powered: Powered): void {
    const { chargePoint, machine } = powered;
    const { laws } = this;
    const on = (): boolean => this.#powered === powered;
    chargePoint.on("delivered", ({ call }) => on() && laws.delivered(call.action, call.req));
    chargePoint.on("discarded", ({ call, reason, deadLetter }) => {
      if (on()) laws.discarded(call.action, call.req, reason, deadLetter);
    });
    chargePoint.on("fault", ({ error }) => on() && laws.fault(error));
    chargePoint.on("violation", ({ reason }) => on() && laws.violation("chargePoint", reason));
    chargePoint.on("invalidated", ({ transaction }) => on() && this.#stop(transaction.connectorId, "DeAuthorized"));
    chargePoint.handle("UnlockConnector", async () => {
      await new Promise<void>((resolve) => void machine.after(3 * second, resolve));
      return { status: "Unlocked" };
    });
    chargePoint.handle("TriggerMessage", ({ requestedMessage }, { answered }) => {
      if (requestedMessage !== "MeterValues") return { status: "Rejected" };
      const req = { connectorId: 1, meterValue: this.#meterValue(0) };
      void answered.then(() => chargePoint.call("MeterValues", req).catch(() => {}));
      return { status: "Accepted" };
    });
  }

  // The owner

  async #start(powered: Powered, resume: boolean): Promise<void> {
    for (;;) {
      try {
        const interrupted = await powered.chargePoint.start();
        if (this.#powered === powered) this.#started(powered, interrupted, resume);
        return;
      } catch (error) {
        const explained = error instanceof DiskFailure || this.#disk.failedSince(this.clock.now() - 2 * minute);
        this.laws.law(explained, `start() rejected with ${error}.`);
        await new Promise<void>((resolve) => void powered.machine.after(minute, resolve));
        if (this.#powered !== powered) return;
      }
    }
  }

  #started(powered: Powered, interrupted: readonly Transaction[], resume: boolean): void {
    powered.started = true;
    this.laws.found(powered.chargePoint.deadLetters);
    this.laws.handedBack(interrupted.map(({ idTag }) => idTag));
    for (const connectorId of [0, ...connectors]) this.#report(connectorId, "Available");
    const resumed: (readonly [Charging, Transaction])[] = [];
    for (const transaction of interrupted) {
      const { idTag, connectorId } = transaction;
      const known = this.laws.chargings.find((charging) => charging.idTag === idTag);
      if (known === undefined) continue;
      // A failing disk may not have taken that one was stopped.
      if (resume && known.stop === undefined) resumed.push([known, transaction]);
      else {
        this.#attend(known, transaction);
        this.#stop(connectorId, "PowerLoss");
      }
    }
    for (const [charging, transaction] of resumed) this.#attend(charging, transaction);
  }

  get #running(): ChargePoint | undefined {
    return this.#powered?.started && !this.#powered.machine.asleep ? this.#powered.chargePoint : undefined;
  }

  #plugIn({ connector: connectorId, idTag, forS }: StepThat<"plug in">): void {
    const chargePoint = this.#running;
    if (chargePoint === undefined || this.#plugged.has(connectorId)) return;
    const number = ++this.#numbers;
    const now = this.clock.now();
    const charging: Charging = {
      connectorId,
      idTag: `${idTag} ${number}`,
      startedAt: now,
      leavesAt: now + forS * second,
      power: this.#powers,
      transactionId: undefined,
      stop: undefined,
    };
    const payload = { connectorId, idTag: charging.idTag, meterStart: number };
    this.laws.reports(number, "StartTransaction", charging, payload);
    try {
      const transaction = chargePoint.startTransaction(payload);
      this.laws.hasReported(number);
      this.#attend(charging, transaction);
      this.#report(connectorId, "Charging");
    } catch (error) {
      this.laws.refused(number, error);
    }
  }

  /** Meters a transaction and ends it when the car leaves. */
  #attend(charging: Charging, transaction: Transaction): void {
    const { connectorId, leavesAt } = charging;
    const { machine } = this.#powered as Powered;
    let forget = (): void => {};
    const attend = (): void => {
      const leftMs = Math.max(0, leavesAt - this.clock.now());
      forget = machine.after(Math.min(leftMs, meteredEveryMs), () => {
        if (this.clock.now() >= leavesAt) this.#stop(connectorId, "EVDisconnected");
        else {
          attend();
          this.#meter(charging, transaction);
        }
      });
    };
    attend();
    this.#plugged.set(connectorId, { charging, transaction, forget: () => forget() });
  }

  #meter(charging: Charging, transaction: Transaction): void {
    const number = ++this.#numbers;
    const meterValue = this.#meterValue(number);
    const { content } = withoutTimestamps({ connectorId: charging.connectorId, meterValue });
    this.laws.reports(number, "MeterValues", charging, content);
    transaction.meterValues({ meterValue });
    this.laws.hasReported(number);
  }

  #stop(connectorId: number, reason: "EVDisconnected" | "DeAuthorized" | "PowerLoss"): void {
    const plugged = this.#plugged.get(connectorId);
    if (plugged === undefined || this.#running === undefined) return;
    const { charging, transaction, forget } = plugged;
    forget();
    this.#plugged.delete(connectorId);
    const number = ++this.#numbers;
    const stop = { meterStop: number, reason, transactionData: this.#meterValue(number) };
    this.laws.reports(number, "StopTransaction", charging, withoutTimestamps(stop).content);
    transaction.stop(stop);
    this.laws.hasReported(number);
    this.#report(connectorId, "Available");
  }

  #meterValue(value: number): Req<"MeterValues">["meterValue"] {
    const timestamp = new Date((this.#powered as Powered).chargePoint.now()).toISOString();
    return [{ timestamp, sampledValue: [{ value: `${value}` }] }];
  }

  #report(connectorId: number, status: "Available" | "Charging"): void {
    const number = ++this.#numbers;
    this.laws.statusReported(connectorId, number);
    this.#running?.report({ connectorId, status, info: `${number}` });
  }

  #deliver(action: KeptAction): void {
    const chargePoint = this.#running;
    if (chargePoint === undefined) return;
    const number = ++this.#numbers;
    const payload =
      action === "DataTransfer"
        ? { vendorId: "com.example", data: `${number}` }
        : { type: "SettingSystemTime", techInfo: `${number}` };
    this.laws.reports(number, action, undefined, payload);
    chargePoint.deliver(action as "DataTransfer", payload as Req<"DataTransfer">);
    this.laws.hasReported(number);
  }

  #lookThroughDeadLetters(what: "retry" | "delete"): void {
    for (const letter of this.#running?.deadLetters ?? []) {
      this.laws.decides(letter, what);
      letter[what]();
    }
  }

  #call(): void {
    const expected = ["NotAcceptedError", "ConnectionClosedError", "CallTimeoutError", "PayloadError"];
    this.#running?.call("DataTransfer", { vendorId: "com.example" }).catch((error) => {
      // A Central System that has lost its memory refuses it, and so does one that fails.
      const refusals = ["SecurityError", "InternalError", "NotSupported"];
      const explained = expected.includes(error.name) || refusals.includes(error.code);
      this.laws.law(explained, `call rejected with ${error}.`);
    });
  }
}

function absurd(as: AbsurdTime, time: number): unknown {
  switch (as) {
    case "no offset":
      return new Date(time).toISOString().slice(0, -1);
    case "a number":
      return Math.floor(time / second);
    case "null":
      return null;
    case "nothing":
      return undefined;
    default:
      return as;
  }
}

/** What became of a schedule. */
export interface Outcome {
  /** How many days were simulated. */
  readonly days: number;
  /** The first law that was broken, and what happened just before. */
  readonly broken: Laws["broken"];
}

/** Lets happen what the schedule says, and after that nothing bad for more than a day. */
export async function simulate(schedule: readonly Step[]): Promise<Outcome> {
  const world = new World();
  const { clock, laws } = world;
  const began = clock.now();
  const rejected = (error: unknown): void => laws.law(false, `A promise was rejected, and nobody heard: ${error}`);
  process.on("unhandledRejection", rejected);
  try {
    for (const step of schedule) {
      await clock.advanceTo(began + step.at * second);
      if (laws.broken !== undefined) break;
      world.take(step);
    }
    if (laws.broken === undefined) await world.end();
  } catch (error) {
    laws.law(false, `Something threw: ${error instanceof Error ? error.stack : error}`);
  } finally {
    process.off("unhandledRejection", rejected);
  }
  return { days: (clock.now() - began) / day, broken: laws.broken };
}

/**
 * Repeats a schedule.
 *
 * @throws Error A law was broken. It says which, repeats the schedule, and tells what happened just before.
 */
export async function replay(schedule: readonly Step[]): Promise<void> {
  const { broken } = await simulate(schedule);
  if (broken === undefined) return;
  const code = ["await replay([", ...schedule.map((step) => `  ${printed(step)}`), "]);"];
  throw new Error([broken.law, "", ...code, "", ...broken.log].join("\n"));
}
