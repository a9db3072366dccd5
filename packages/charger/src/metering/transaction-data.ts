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
 * The meter values that StopTransaction tells: the first and the last, and what fits of those between. They are thinned out
 * evenly, samples and clock-aligned ones each for themselves; what repeats the one before goes first. Those between do not
 * survive a power cut.
 *
 * @spec OCPP 1.6 §3.16.5; errata 3.14, 3.89 [CORE-MTR-10 … CORE-MTR-13]
 */
export class TransactionData {
  readonly #begin: MeterReading | undefined;
  #between: MeterReading[] = [];
  /** Of how many that come one is taken, since there was room for no more. */
  #stride = 1;
  readonly #came = new Map<unknown, number>();

  /** @param state - With the values at the start; without them, none were asked for then. */
  constructor({ begin }: TransactionDataState) {
    this.#begin = begin;
  }

  get state(): TransactionDataState {
    return this.#begin === undefined ? {} : { begin: this.#begin };
  }

  /** Takes values of between the start and the end. */
  add(value: MeterReading, { maxValues }: Pick<TransactionDataLimits, "maxValues">): void {
    if (!isNth(this.#stride, value, this.#came)) return;
    this.#between.push(value);
    if (this.#between.length <= roomFor(maxValues)) return;
    const distinct = withoutRepetitions(this.#between);
    if (distinct.length < this.#between.length) this.#between = distinct;
    else {
      this.#between = everyOther(this.#between);
      this.#stride *= 2;
    }
  }

  /**
   * What StopTransaction tells, in the order of time.
   *
   * @param end - The values at the end; without them, none are asked for any more, and none are told. [CORE-MTR-10]
   * @returns The first and the last even where those alone are too many.
   */
  stopped(end: MeterReading | undefined, { maxBytes, maxValues }: TransactionDataLimits): readonly MeterReading[] {
    if (end === undefined) return [];
    const begin = this.#begin === undefined ? [] : [this.#begin];
    const fits = (between: readonly MeterReading[]): boolean =>
      between.length <= roomFor(maxValues) && bytesOf([...begin, ...between, end]) <= maxBytes;
    let between = [...this.#between].sort((one, other) => timeOf(one) - timeOf(other));
    if (!fits(between)) between = withoutRepetitions(between);
    while (between.length > 0 && !fits(between)) between = everyOther(between);
    return [...begin, ...between, end];
  }
}

/** Besides the first and the last. */
const roomFor = (maxValues: number): number => Math.max(0, maxValues - 2);

const timeOf = ({ timestamp = "" }: MeterReading): number => Date.parse(timestamp);

const contextOf = ({ sampledValue: [first] }: MeterReading): unknown => first?.context;

/** Counts values by their context; whether this is the nth, and then the next nth, and so on. */
function isNth(n: number, value: MeterReading, came: Map<unknown, number>): boolean {
  const count = (came.get(contextOf(value)) ?? 0) + 1;
  came.set(contextOf(value), count);
  return count % n === 0;
}

/** The second, the fourth and so on of each context: what was between remains between others, or the first and the last. */
function everyOther(values: readonly MeterReading[]): MeterReading[] {
  const came = new Map<unknown, number>();
  return values.filter((value) => isNth(2, value, came));
}

/** Without what shows the same as the one of its context before it. */
function withoutRepetitions(values: readonly MeterReading[]): MeterReading[] {
  const shown = new Map<unknown, string>();
  return values.filter((value) => {
    const text = JSON.stringify(value.sampledValue);
    const repeats = shown.get(contextOf(value)) === text;
    shown.set(contextOf(value), text);
    return !repeats;
  });
}

/** As UTF-8. */
function bytesOf(value: unknown): number {
  let bytes = 0;
  for (const character of JSON.stringify(value)) {
    const code = character.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
