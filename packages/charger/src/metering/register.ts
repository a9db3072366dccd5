/** What is kept of a {@link Register}. */
export interface RegisterState {
  /** What the meter showed last, in Wh. */
  readonly raw: number;
  /** What is added to it, because it began anew. */
  readonly offset: number;
  /** The largest value that was told. */
  readonly highest: number;
}

/**
 * The energy register of a transaction: that of the meter, but it never falls. A meter that begins anew goes on from where
 * it was. All that a bill goes by is read here, so its start, its samples and its end agree.
 *
 * @spec OCPP 1.6 §7.31 [CORE-MTR-14, CORE-MTR-15, CORE-MTR-16]
 */
export class Register {
  #raw: number;
  #offset: number;
  #highest: number;

  /** @param raw - What the meter shows, in Wh; without one, 0. */
  constructor(raw = 0) {
    this.#raw = isReadable(raw) ? raw : 0;
    this.#offset = 0;
    this.#highest = this.#raw;
  }

  /** Goes on from what was kept. */
  static from({ raw, offset, highest }: RegisterState): Register {
    const register = new Register(raw);
    register.#offset = offset;
    register.#highest = highest;
    return register;
  }

  get state(): RegisterState {
    return { raw: this.#raw, offset: this.#offset, highest: this.#highest };
  }

  /** In whole Wh. */
  get value(): number {
    return Math.round(this.#highest);
  }

  /** The meter shows something; what cannot be read is nothing. */
  read(raw: number | undefined): void {
    if (!isReadable(raw)) return;
    if (raw < this.#raw) this.#offset = this.#highest - raw; // It began anew, and has counted since.
    this.#raw = raw;
    this.#highest = Math.max(this.#highest, raw + this.#offset);
  }
}

const isReadable = (raw: unknown): raw is number => Number.isFinite(raw) && (raw as number) >= 0;
