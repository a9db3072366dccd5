/** A car, as it is seen from the cable. */
export interface Car {
  /** What its battery holds, in Wh. Default 60 000. */
  readonly capacity?: number | undefined;
  /** How full it is at first, in percent. Default 30. */
  readonly soc?: number | undefined;
  /** The most that it draws, in A per phase. Default 16. */
  readonly maxCurrent?: number | undefined;
  /** How many phases it uses. Default 3. */
  readonly phases?: 1 | 2 | 3 | undefined;
  /** After how long a pause it does not wake up any more, in seconds. Default: it always does. */
  readonly sleepsAfterSeconds?: number | undefined;
}

/** Above how full it draws which part of what it could: power is constant between these. */
const curve = [
  { above: 0, part: 1 },
  { above: 80, part: 0.7 },
  { above: 88, part: 0.45 },
  { above: 95, part: 0.2 },
  { above: 100, part: 0 },
] as const;

/** The battery of a car. It is charged by energy, and knows nothing of time. */
export class Battery {
  readonly capacity: number;
  readonly maxCurrent: number;
  readonly phases: number;
  readonly sleepsAfterSeconds: number;
  #energy: number;

  constructor({ capacity = 60_000, maxCurrent = 16, phases = 3, sleepsAfterSeconds, soc = 30 }: Car = {}) {
    this.capacity = capacity;
    this.maxCurrent = maxCurrent;
    this.phases = phases;
    this.sleepsAfterSeconds = sleepsAfterSeconds ?? Number.POSITIVE_INFINITY;
    this.#energy = (capacity * Math.min(100, Math.max(0, soc))) / 100;
  }

  /** In percent. */
  get soc(): number {
    return (100 * this.#energy) / this.capacity;
  }

  get isFull(): boolean {
    return this.part === 0;
  }

  /** Which part of what it could it draws now. */
  get part(): number {
    const reached = curve.filter(({ above }) => this.soc >= above - 1e-9);
    return reached.at(-1)?.part ?? 1;
  }

  /** How much energy it takes until it draws another part, in Wh. */
  get untilNextPart(): number {
    const next = curve.find(({ above }) => above - 1e-9 > this.soc);
    return next === undefined ? Number.POSITIVE_INFINITY : (next.above / 100) * this.capacity - this.#energy;
  }

  charge(energy: number): void {
    this.#energy = Math.min(this.capacity, this.#energy + energy);
  }
}
