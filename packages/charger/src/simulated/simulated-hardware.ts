import { type Clock, type OptionRules, optionRules, systemClock, takeOptions } from "@ocppj/core";
import type {
  ConnectorHardware,
  DiagnosticsFile,
  Hardware,
  HardwareError,
  HardwareListener,
  Installation,
  Offer,
  Unlocking,
} from "../hardware/hardware.ts";
import { utf8 } from "../utf8.ts";
import type { Car } from "./car.ts";
import { SimulatedConnector, simulatedMeasurands } from "./simulated-connector.ts";

/** Settings of {@link simulatedHardware}. */
export interface SimulatedHardwareOptions {
  /** How many connectors, or what each is. Default 2, of 32 A on three phases. */
  readonly connectors?: number | readonly Partial<ConnectorHardware>[] | undefined;
  /** Between a phase and neutral, in V. Default 230. */
  readonly voltage?: number | undefined;
  /** How far power and current that are told may be from those that flow, as a part. Default 0. Energy is exact. */
  readonly meterNoise?: number | undefined;
  /** How often meters are read while energy flows, in seconds. Default 1. */
  readonly meterSeconds?: number | undefined;
  /** Returns numbers from 0 up to 1; a seeded one makes it repeatable. Default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
  /** Called when it restarts: stop the charger, and start another one over the same hardware. Default: it does not restart. */
  readonly rebooted?: ((kind: "Soft" | "Hard") => void) | undefined;
}

/** What may go wrong with a method: it throws, or never ends. */
export type Failing = "throws" | "hangs";

/** What may fail. */
export type SimulatedMethod = "offer" | "lock" | "unlock" | "install" | "diagnostics" | "reboot";

/** A connector as a display shows it. */
export interface SimulatedConnectorState {
  readonly connectorId: number;
  readonly cable: "out" | "loose" | "in";
  readonly isLocked: boolean;
  readonly offer: Offer | undefined;
  /** In W. */
  readonly power: number;
  /** Of the car, in percent. */
  readonly soc: number | undefined;
}

const rules: OptionRules<SimulatedHardwareOptions> = {
  connectors: {
    give: "a number of connectors, or a list of what each is",
    takes: (value) => Array.isArray(value) || (Number.isInteger(value) && (value as number) > 0),
  },
  voltage: optionRules.number("a voltage", 1),
  meterNoise: optionRules.number("a part from 0 on", 0),
  meterSeconds: optionRules.number("a number of seconds from 0.1 on", 0.1),
  random: optionRules.callback,
  clock: optionRules.clock,
  rebooted: optionRules.callback,
};

class Simulation implements Hardware {
  readonly connectors: readonly ConnectorHardware[];
  /** Methods that fail from now on. */
  readonly failing: { [Method in SimulatedMethod]?: Failing | undefined } = {};
  /** What `install` was given last. */
  installed: string | undefined;
  readonly #options: SimulatedHardwareOptions;
  readonly #clock: Clock;
  readonly #simulated: readonly SimulatedConnector[];
  #listener: HardwareListener | undefined;
  #disarm = (): void => {};

  constructor(taken: SimulatedHardwareOptions) {
    const { clock = systemClock, connectors = 2, meterNoise = 0, random = Math.random, voltage = 230 } = taken;
    this.#options = taken;
    this.#clock = clock;
    const given: readonly Partial<ConnectorHardware>[] =
      typeof connectors === "number" ? Array.from({ length: connectors }, () => ({})) : connectors;
    this.connectors = given.map((each) => ({
      maximum: { limit: 32, unit: "A" },
      measurands: simulatedMeasurands,
      ...each,
    }));
    const noise = (): number => 1 + meterNoise * (2 * random() - 1);
    this.#simulated = given.map((_, index) => new SimulatedConnector(voltage, 1000 * index, clock.now(), noise));
  }

  // What a charger uses.

  listen(listener: HardwareListener): void {
    this.#listener = listener;
    for (const [index, { cable, faults, wants }] of this.#simulated.entries()) {
      const connectorId = index + 1;
      if (cable !== "out") listener.plugged(connectorId);
      if (cable === "loose") listener.unplugged(connectorId, "vehicle");
      if (cable === "in") listener.wantsEnergy(connectorId, wants);
      for (const error of faults.values()) listener.faulted(connectorId, error);
      this.#tell(connectorId);
    }
  }

  offer(connectorId: number, offer: Offer | undefined): void | Promise<void> {
    return this.#does("offer", () => {
      const connector = this.#at(connectorId);
      const wanted = connector.wants;
      connector.count(this.#clock.now());
      connector.offer = offer;
      if (connector.wants !== wanted) this.#listener?.wantsEnergy(connectorId, connector.wants);
      this.#tell(connectorId);
      this.#arm();
    });
  }

  lock(connectorId: number): void | Promise<void> {
    return this.#does("lock", () => {
      this.#at(connectorId).isLocked = true;
    });
  }

  unlock(connectorId: number): Unlocking | Promise<Unlocking> {
    return this.#does("unlock", () => {
      this.#at(connectorId).isLocked = false;
      return "Unlocked";
    });
  }

  /** It is in use at once; where `rebooted` is given, after a restart. */
  install(file: string): Installation | Promise<Installation> {
    return this.#does("install", () => {
      this.installed = file;
      return this.#options.rebooted === undefined ? "installed" : "restart";
    });
  }

  isInstalled(): boolean {
    return this.installed !== undefined;
  }

  diagnostics(): DiagnosticsFile | Promise<DiagnosticsFile> {
    return this.#does("diagnostics", () => ({
      file: utf8(`${JSON.stringify(this.state)}\n`),
      fileName: "simulated-hardware.json",
    }));
  }

  reboot(kind: "Soft" | "Hard"): void | Promise<void> {
    return this.#does("reboot", () => {
      const { rebooted } = this.#options;
      if (rebooted === undefined) throw new Error("Nobody restarts the simulated hardware: give it rebooted.");
      rebooted(kind);
    });
  }

  // What people do.

  /** A car is plugged in; one that is still there is plugged in again. */
  plug(connectorId: number, car?: Car): void {
    const connector = this.#at(connectorId);
    connector.plug(car, this.#clock.now());
    this.#listener?.plugged(connectorId);
    this.#listener?.wantsEnergy(connectorId, connector.wants);
    this.#tell(connectorId);
    this.#arm();
  }

  /**
   * Somebody pulls at the cable.
   *
   * @returns Whether it is out: at the charger's end it is not while it is locked.
   */
  unplug(connectorId: number, end: "charge-point" | "vehicle" = "charge-point"): boolean {
    const connector = this.#at(connectorId);
    const isFixed = this.connectors[connectorId - 1]?.cable === "fixed";
    if (connector.cable === "out" || (connector.isLocked && end === "charge-point" && !isFixed)) return false;
    connector.unplug(end === "vehicle" && !isFixed, this.#clock.now());
    this.#listener?.unplugged(connectorId, end);
    this.#tell(connectorId);
    this.#arm();
    return true;
  }

  /** A card is held to the reader of a connector, or to that of the charger. */
  present(idTag: string, connectorId?: number): void {
    this.#listener?.presented(idTag, connectorId);
  }

  press(button: "start" | "stop", connectorId: number): void {
    this.#listener?.pressed(button, connectorId);
  }

  /** The housing is opened. */
  tamper(techInfo?: string): void {
    this.#listener?.tampered(techInfo);
  }

  emergencyStop(pressed: boolean): void {
    this.#listener?.emergencyStop(pressed);
  }

  // What breaks.

  breakDown(connectorId: number, error: HardwareError = { errorCode: "GroundFailure" }): void {
    const connector = this.#at(connectorId);
    connector.count(this.#clock.now());
    connector.faults.set(`${error.errorCode} ${error.vendorErrorCode ?? ""}`, error);
    this.#listener?.faulted(connectorId, error);
    this.#arm();
  }

  mend(connectorId: number): void {
    const connector = this.#at(connectorId);
    connector.count(this.#clock.now());
    connector.faults.clear();
    this.#listener?.mended(connectorId);
    this.#arm();
  }

  /** The meter shows 0 again. */
  restartMeter(connectorId: number): void {
    this.#at(connectorId).restartMeter(this.#clock.now());
    this.#tell(connectorId);
  }

  /** The power fails: contactors open, and nobody is told anything until somebody listens again. */
  powerCut(): void {
    this.#listener = undefined;
    for (const connector of this.#simulated) {
      connector.count(this.#clock.now());
      connector.offer = undefined;
    }
    this.#arm();
  }

  /** Reads all meters now, and tells what they show. */
  measure(): void {
    for (const index of this.#simulated.keys()) this.#measure(index + 1);
    this.#arm();
  }

  get state(): readonly SimulatedConnectorState[] {
    const now = this.#clock.now();
    return this.#simulated.map((connector, index) => {
      connector.count(now);
      const { cable, car, isLocked, offer, power } = connector;
      return { connectorId: index + 1, cable, isLocked, offer, power, soc: car?.soc };
    });
  }

  #at(connectorId: number): SimulatedConnector {
    const connector = this.#simulated[connectorId - 1];
    if (connector !== undefined) return connector;
    throw new RangeError(`There is no connector ${connectorId}. There are 1 to ${this.#simulated.length}.`);
  }

  /** Tells what a meter shows. */
  #tell(connectorId: number): void {
    this.#listener?.measured(connectorId, this.#at(connectorId).reading(this.#clock.now()));
  }

  /** One wake-up for all, and none while nothing flows. */
  #arm(): void {
    this.#disarm();
    const now = this.#clock.now();
    const flowing = this.#simulated.filter(({ power }) => power > 0);
    if (flowing.length === 0) return;
    const tick = now + 1000 * (this.#options.meterSeconds ?? 1);
    const at = flowing.reduce((first, { changesAt }) => Math.min(first, Math.max(now + 1, changesAt)), tick);
    this.#disarm = this.#clock.wakeAt(at, () => this.#meter());
  }

  #meter(): void {
    for (const [index, { power }] of this.#simulated.entries()) if (power > 0) this.#measure(index + 1);
    this.#arm();
  }

  #measure(connectorId: number): void {
    const connector = this.#at(connectorId);
    const wanted = connector.wants;
    this.#tell(connectorId);
    if (wanted && !connector.wants) this.#listener?.wantsEnergy(connectorId, false);
  }

  #does<T>(method: keyof Simulation["failing"], act: () => T): T | Promise<T> {
    if (this.failing[method] === "throws") throw new Error(`The simulated ${method} fails.`);
    return this.failing[method] === "hangs" ? new Promise<T>(() => {}) : act();
  }
}

/**
 * Hardware that is not there: for tests, demonstrations and load. Cars draw what they are offered, less when they get full;
 * locks jam, meters begin anew and methods fail when they are told to. It outlives the charger that uses it: cars stay
 * plugged in while that restarts.
 */
export type SimulatedHardware = Simulation;

/**
 * Makes hardware that is not there, see {@link SimulatedHardware}.
 *
 * @throws TypeError One of the options is not what it may be, or there is no such option.
 */
export const simulatedHardware = (options: SimulatedHardwareOptions = {}): SimulatedHardware =>
  new Simulation(takeOptions("simulatedHardware", options, rules));
