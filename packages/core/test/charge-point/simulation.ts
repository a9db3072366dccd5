import { FakeClock } from "@ocppj/testing";
import { ChargePoint, SmartCharging, type SmartChargingOptions } from "../../src/index.ts";
import { SimulatedCentralSystem } from "./simulation-central-system.ts";
import { Disk, DiskFailure, Machine, type MachineClock } from "./simulation-hardware.ts";
import { Laws, maxQueuedMessages } from "./simulation-laws.ts";
import { SimulatedNetwork } from "./simulation-network.ts";
import { Owner } from "./simulation-owner.ts";
import {
  type AbsurdTime,
  day,
  hour,
  minute,
  printed,
  type Step,
  type StepThat,
  second,
  spell,
} from "./simulation-schedule.ts";

/** What each connector can deliver. */
const maximum = { limit: 32, unit: "A" } as const;

type PowerCut = Omit<StepThat<"power cut">, "at" | "do">;

/** A Charge Point from power on to power off. */
interface Powered {
  readonly power: number;
  readonly machine: Machine;
  readonly clock: MachineClock;
  readonly chargePoint: ChargePoint;
  readonly smartCharging: SmartCharging;
  /** Between the end of `start` and the call of `stop`. */
  started: boolean;
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
  readonly #owner: Owner;

  constructor() {
    this.laws = new Laws(this.clock, this.#disk);
    this.#centralSystem = new SimulatedCentralSystem(this.clock, this.laws);
    this.#network = new SimulatedNetwork(this.clock, this.laws, this.#centralSystem);
    const restart = (): void => this.#restart(true);
    this.#owner = new Owner(this.clock, this.laws, this.#disk, () => this.#running, restart);
    void this.#boot(new Machine(this.clock, 0), false);
  }

  take(step: Step): void {
    const network = this.#network;
    const centralSystem = this.#centralSystem;
    const owner = this.#owner;
    const lasting = <Value>(value: Value, forS: number) => spell(value, this.clock.now() + forS * second);
    if (this.#running !== undefined) this.laws.profiles.look();
    this.laws.happens(step);
    switch (step.do) {
      case "plug in":
        owner.plugIn(step);
        break;
      case "call":
        owner.call();
        break;
      case "deliver":
        owner.deliver(step.action);
        break;
      case "dead letters":
        owner.lookThroughDeadLetters(step.what);
        break;
      case "reuse objects":
        owner.reusing = lasting(true, step.forS);
        break;
      case "note times":
        owner.noting = lasting(true, step.forS);
        break;
      case "in a listener":
        owner.willReact(step.of, step.does, step.times);
        break;
      case "use former handles":
        owner.useFormer();
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
      case "connect badly":
        network.connectingBadly = lasting(step.how, step.forS);
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
      case "set profile":
        centralSystem.setProfile(step);
        break;
      case "clear profiles":
        centralSystem.clearProfiles(step);
        break;
      case "composite schedule":
        centralSystem.call("GetCompositeSchedule", { connectorId: step.connector, duration: 3600 });
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
    this.#owner.calmDown();
    // The power comes back, the last car leaves, a half-open connection is found out by the daily Heartbeat.
    await this.clock.advance(2 * hour + 6 * hour + day);
    // Its owner has what was given up delivered after all.
    this.#owner.lookThroughDeadLetters("retry");
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
    this.#centralSystem.end();
    await this.clock.advance(hour);
    this.laws.law(this.clock.pending === 0, `${this.clock.pending} wake-ups are armed an hour after stop().`);
  }

  // Power

  /** Reads the charging profiles until that succeeds, and switches on. */
  async #boot(machine: Machine, resume: boolean): Promise<void> {
    const options: SmartChargingOptions = {
      connectors: { 1: maximum, 2: maximum, 3: maximum },
      clock: machine.clockOf({}, () => {}),
      report: (fault) => this.laws.fault(fault),
    };
    for (;;) {
      try {
        const smartCharging = await SmartCharging.load(this.#disk.store(machine), options);
        this.#switchOn(machine, smartCharging, resume);
        return;
      } catch (error) {
        const explained = error instanceof DiskFailure || this.#disk.failedSince(this.clock.now() - 2 * minute);
        this.laws.law(explained, `SmartCharging.load rejected with ${error}.`);
        await new Promise<void>((resolve) => void machine.after(minute, resolve));
      }
    }
  }

  #switchOn(machine: Machine, smartCharging: SmartCharging, resume: boolean): void {
    const clock = machine.clockOf({}, () => this.laws.doubtful());
    const chargePoint = new ChargePoint({
      identity: "CP001",
      url: "ws://central.example.com/ocpp",
      boot: { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" },
      connect: (target) => this.#network.connect(target, machine, () => this.#powered === powered),
      store: this.#disk.store(machine),
      smartCharging,
      maxQueuedMessages,
      clock,
      random: () => this.#nextRandom(),
    });
    const powered: Powered = { power: ++this.#powers, machine, clock, chargePoint, smartCharging, started: false };
    this.#powered = powered;
    this.laws.switchedOn(powered.power, chargePoint);
    this.laws.profiles.switchedOn(chargePoint, smartCharging);
    this.#owner.listen(chargePoint, machine, () => this.#powered === powered);
    void this.#start(powered, resume);
  }

  #switchOff(inOrder: boolean): void {
    this.laws.profiles.switchedOff(inOrder);
    this.laws.switchedOff(inOrder);
    this.#owner.switchedOff(inOrder ? this.#powered?.chargePoint : undefined);
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
    this.clock.wakeAt(this.clock.now() + forS * second, () => void this.#boot(machine, resume));
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
    this.laws.stopping();
    void powered.chargePoint.stop().then(() => {
      if (this.#powered !== powered) return;
      this.#hasStopped(powered);
      this.#switchOff(true);
      this.#switchOn(powered.machine, powered.smartCharging, resume);
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

  async #start(powered: Powered, resume: boolean): Promise<void> {
    for (;;) {
      try {
        const interrupted = await powered.chargePoint.start();
        if (this.#powered !== powered) return;
        powered.started = true;
        this.laws.profiles.started();
        this.#owner.started(interrupted, resume);
        return;
      } catch (error) {
        const explained = error instanceof DiskFailure || this.#disk.failedSince(this.clock.now() - 2 * minute);
        this.laws.law(explained, `start() rejected with ${error}.`);
        await new Promise<void>((resolve) => void powered.machine.after(minute, resolve));
        if (this.#powered !== powered) return;
      }
    }
  }

  get #running(): Powered | undefined {
    return this.#powered?.started && !this.#powered.machine.asleep ? this.#powered : undefined;
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
