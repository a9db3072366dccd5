import type { HardwareError, Offer } from "../hardware/hardware.ts";
import type { Reading } from "../hardware/reading.ts";
import { Battery, type Car } from "./car.ts";

const hourMs = 3_600_000;

/** One connector with a meter, a contactor and a lock, and the car at it. Energy flows by the laws of physics. */
export class SimulatedConnector {
  readonly #voltage: number;
  readonly #noise: () => number;
  /** How far a cable reaches: to a car, or lies around in the socket. */
  cable: "out" | "loose" | "in" = "out";
  car: Battery | undefined;
  isLocked = false;
  offer: Offer | undefined;
  readonly faults = new Map<string, HardwareError>();
  /** What the meter shows, in Wh. */
  #register: number;
  /** Up to when energy has been counted. */
  #countedAt: number;
  /** Since when nothing has flowed, though the car is there. */
  #idleSince: number;
  #sleeps = false;

  /** @param noise - What readings but energy are multiplied with. */
  constructor(voltage: number, register: number, now: number, noise: () => number) {
    this.#voltage = voltage;
    this.#register = register;
    this.#countedAt = now;
    this.#idleSince = now;
    this.#noise = noise;
  }

  /** What is drawn now, in W. */
  get power(): number {
    const { car, offer } = this;
    if (car === undefined || offer === undefined || this.cable !== "in" || this.faults.size > 0 || this.#sleeps)
      return 0;
    const most = Math.min(offer.A, car.maxCurrent * car.part) * this.#voltage * Math.min(offer.phases, car.phases);
    return Math.min(offer.W, most);
  }

  /** Whether the car asks for energy. */
  get wants(): boolean {
    return this.car !== undefined && !this.car.isFull && !this.#sleeps;
  }

  /** When what is drawn changes by itself. */
  get changesAt(): number {
    const { car, power } = this;
    if (car === undefined || power === 0) return Number.POSITIVE_INFINITY;
    return this.#countedAt + (car.untilNextPart / power) * hourMs;
  }

  /** Counts what has flowed. What is drawn may be something else from now on. */
  count(now: number): void {
    while (this.#countedAt < now) {
      const until = Math.min(now, Math.max(this.#countedAt + 1, this.changesAt));
      const { power } = this;
      const energy = (power * (until - this.#countedAt)) / hourMs;
      this.#register += energy;
      this.car?.charge(energy);
      if (power > 0) this.#idleSince = until;
      this.#countedAt = until;
      if (power === 0) break;
    }
    this.#countedAt = Math.max(this.#countedAt, now);
    if (this.car !== undefined && now - this.#idleSince > 1000 * this.car.sleepsAfterSeconds) this.#sleeps = true;
  }

  plug(car: Car | undefined, now: number): void {
    this.count(now);
    if (this.cable === "out") this.car = new Battery(car);
    this.cable = "in";
    this.#idleSince = now;
    this.#sleeps = false;
  }

  /** @param isAtVehicle - It stays in the socket. */
  unplug(isAtVehicle: boolean, now: number): void {
    this.count(now);
    this.cable = isAtVehicle ? "loose" : "out";
    if (!isAtVehicle) this.car = undefined;
  }

  restartMeter(now: number): void {
    this.count(now);
    this.#register = 0;
  }

  reading(now: number): Reading {
    this.count(now);
    const { car, offer, power } = this;
    const noise = this.#noise();
    const phases = Math.min(car?.phases ?? 0, offer?.phases ?? 0);
    const reading: Record<string, number> = {
      "Energy.Active.Import.Register": this.#register,
      "Power.Active.Import": power * noise,
      "Current.Offered": offer?.A ?? 0,
      "Power.Offered": offer?.W ?? 0,
      Temperature: 25 + power / 1000,
    };
    for (const [index, phase] of (["L1", "L2", "L3"] as const).entries()) {
      reading[`Voltage.${phase}-N`] = this.#voltage * (1 + (noise - 1) / 10);
      reading[`Current.Import.${phase}`] = index < phases ? (power / phases / this.#voltage) * noise : 0;
    }
    if (car !== undefined) reading.SoC = car.soc;
    return reading as Reading;
  }
}

/** What its meter can tell. */
export const simulatedMeasurands = [
  "Energy.Active.Import.Register",
  "Power.Active.Import",
  "Current.Offered",
  "Power.Offered",
  "Temperature",
  "SoC",
  "Voltage.L1-N",
  "Voltage.L2-N",
  "Voltage.L3-N",
  "Current.Import.L1",
  "Current.Import.L2",
  "Current.Import.L3",
] as const satisfies readonly (keyof Reading)[];
