import type { MeterReading } from "@ocppj/core";

/** What is kept of {@link TransactionData} for the time after a power cut. */
export interface TransactionDataState {
  readonly begin?: MeterReading | undefined;
}

/** How much fits into a StopTransaction. */
export interface TransactionDataLimits {
  /** StopTransactionMaxMeterValues. */
  readonly maxValues: number;
  /** Of all of them as JSON, in bytes. */
  readonly maxBytes: number;
}

/**
 * The meter values that StopTransaction tells: the first and the last, and what fits of those between, thinned out evenly.
 *
 * @spec OCPP 1.6 §3.16.5; errata 3.14, 3.89 [CORE-MTR-10 … CORE-MTR-13]
 */
export class TransactionData {
  readonly #begin: MeterReading | undefined;
  #between: MeterReading[] = [];
  /** Of how many that came since one was left out, one is kept. */
  #stride = 1;
  #skipped = 0;

  /** @param state - With the values at the start; without them, nothing is to be told. */
  constructor({ begin }: TransactionDataState) {
    this.#begin = begin;
  }

  get state(): TransactionDataState {
    return this.#begin === undefined ? {} : { begin: this.#begin };
  }

  /** Takes values of between the start and the end. */
  add(value: MeterReading, { maxValues }: Pick<TransactionDataLimits, "maxValues">): void {
    this.#skipped += 1;
    if (this.#skipped < this.#stride) return;
    this.#skipped = 0;
    this.#between.push(value);
    if (this.#between.length <= Math.max(0, maxValues - 2)) return;
    this.#between = everyOther(this.#between);
    this.#stride *= 2;
  }

  /**
   * What StopTransaction tells.
   *
   * @param end - The values at the end; without them, nothing was asked for.
   */
  stopped(end: MeterReading | undefined, { maxBytes, maxValues }: TransactionDataLimits): readonly MeterReading[] {
    const begin = this.#begin === undefined ? [] : [this.#begin];
    const last = end === undefined ? [] : [end];
    let between = this.#between;
    for (;;) {
      const all = [...begin, ...between, ...last];
      if (between.length === 0 || (all.length <= Math.max(2, maxValues) && bytesOf(all) <= maxBytes)) return all;
      between = everyOther(between);
    }
  }
}

/** The second, the fourth and so on: what was between others that remain, or are told as the first and the last. */
const everyOther = (values: readonly MeterReading[]): MeterReading[] => values.filter((_, index) => index % 2 === 1);

/** No character of a meter value needs more than one byte, but of `sampledValue.value`, which may be anything: then three. */
function bytesOf(value: unknown): number {
  let bytes = 0;
  for (const character of JSON.stringify(value)) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
