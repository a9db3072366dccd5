import { isMeasured } from "./meter-value.ts";

/** What is kept of a {@link Register}. */
export interface RegisterState {
  /** What is added to what the meter shows, because it began anew. Absent: it has shown nothing yet. */
  readonly offset?: number | undefined;
  /** The largest value so far, in Wh. */
  readonly highest: number;
}

/** Meters flicker. Were less than this, in Wh, taken for a new beginning, each flicker would be billed. */
const flicker = 10;

/**
 * The energy register of a transaction: that of the meter, but it never falls. A meter that falls by more than a flicker has
 * begun anew, and what it counts from there on is added; during a flicker the register stands still. All that a bill goes by
 * is read here, so its start, its samples and its end agree.
 *
 * @spec OCPP 1.6 §7.31 [CORE-MTR-14, CORE-MTR-15, CORE-MTR-16]
 */
export class Register {
  #offset: number | undefined;
  #highest = 0;

  /** @param raw - What the meter shows, in Wh. If nothing yet, it is 0, and rises by what the meter counts from its first reading on. */
  constructor(raw?: number) {
    if (!isReadable(raw)) return;
    this.#offset = 0;
    this.#highest = raw;
  }

  /** Goes on from what was kept. */
  static from({ highest, offset }: RegisterState): Register {
    const register = new Register(highest);
    register.#offset = offset;
    return register;
  }

  get state(): RegisterState {
    return { highest: this.#highest, ...(this.isKnown && { offset: this.#offset }) };
  }

  /** Whether the meter has ever shown something. */
  get isKnown(): boolean {
    return this.#offset !== undefined;
  }

  /** In whole Wh. */
  get value(): number {
    return Math.round(this.#highest);
  }

  /** The meter shows something; what cannot be read is nothing. */
  read(raw: number | undefined): void {
    if (!isReadable(raw)) return;
    const falls = this.#offset === undefined || raw + this.#offset <= this.#highest - flicker;
    if (falls) this.#offset = this.#highest - raw;
    this.#highest = Math.max(this.#highest, raw + (this.#offset ?? 0));
  }

  /** More than what was kept has been told already, in Wh: it does not fall below that. */
  told(value: number | undefined): void {
    if (isReadable(value)) this.#highest = Math.max(this.#highest, value);
  }
}

const isReadable = (raw: unknown): raw is number => isMeasured(raw) && raw >= 0;
