import { expect } from "vitest";
import type { ChargingEvent, LogLine } from "./hardware-log.ts";
import type { Entry } from "./unreliable-central-system.ts";

/** What is written about one charger. */
export interface Books {
  /** The hardware log of each run, the first run first. */
  readonly log: readonly (readonly LogLine[])[];
  /** The Central System's record. */
  readonly record: readonly Entry[];
}

/**
 * Expects that the Central System was told what happened, all of it and nothing else, in order.
 *
 * @param chargers - After some dozens of crashes: fewer may miss the moments that matter.
 */
export function expectHonest(chargers: readonly Books[]): void {
  for (const books of chargers) {
    expect(irregularities(books)).toEqual([]);
    expect(told(books)).toEqual(owed(books));
    expect(unbillable(books)).toEqual([]);
  }
  const times = (count: (books: Books) => number): number => chargers.reduce((sum, books) => sum + count(books), 0);
  const lostBeforeSaved = times((books) => happened(books.log.flat()).length - owed(books).length);
  const repeated = times((books) => books.record.length - told(books).length);
  expect(Math.min(lostBeforeSaved, repeated)).toBeGreaterThan(0);
}

const happened = (lines: readonly LogLine[]): ChargingEvent[] =>
  lines.flatMap((line) => (line.type === "happening" ? [line.event] : []));

/** What the Central System was told, repetitions left out. */
function told({ record }: Books): ChargingEvent[] {
  return [...new Map(record.map(({ event }) => [event.mark, event])).values()];
}

/**
 * What the Central System had to be told: of each run all that was saved, and of what was not saved before the crash a
 * beginning. That is as long as what is known of it; nothing before that may be missing.
 */
function owed({ log, record }: Books): ChargingEvent[] {
  const known = new Set(record.map(({ event }) => event.mark));
  return log.flatMap((lines) => {
    const saved = Math.max(0, ...lines.map((line) => (line.type === "saved" ? line.mark : 0)));
    const events = happened(lines);
    return events.slice(0, 1 + events.findLastIndex(({ mark }) => mark <= saved || known.has(mark)));
  });
}

/** The transactions that the Central System cannot bill, because they do not go from one start to one stop. */
function unbillable(books: Books): string[] {
  const transactions = new Map<string, string>();
  for (const { idTag, action } of told(books)) {
    transactions.set(idTag, `${transactions.get(idTag) ?? idTag} ${action}`);
  }
  return [...transactions.values()].filter(
    (transaction) => !/^\S+ StartTransaction( MeterValues)* StopTransaction$/.test(transaction),
  );
}

/** What should not happen in spite of any crash, in sentences. */
function irregularities({ log, record }: Books): string[] {
  const found: string[] = [];
  /** In which run a message was settled, by its mark. */
  const settled = new Map<number, number>();
  for (const [index, lines] of log.entries()) {
    for (const line of lines) {
      if (line.type === "wrong") found.push(`Run ${index + 1}: ${line.what}`);
      if (line.type === "settled") settled.set(line.mark, index + 1);
    }
  }
  const latest = new Map<number, Entry>();
  let previous: Entry | undefined;
  for (const entry of record) {
    const { mark } = entry.event;
    const earlier = latest.get(mark);
    const message = `Run ${entry.run}: ${JSON.stringify(entry.call)}`;
    if (earlier !== undefined && JSON.stringify(earlier.call) !== JSON.stringify(entry.call)) {
      found.push(`${message} was ${JSON.stringify(earlier.call)} before.`);
    }
    // An answer gets lost together with its connection, or not at all.
    if (earlier?.answer === "given" && earlier.connection === entry.connection) {
      found.push(`${message} was repeated although it was answered.`);
    }
    if ((settled.get(mark) ?? entry.run) < entry.run) {
      found.push(`${message} was repeated although it was settled.`);
    }
    if (previous?.run === entry.run && previous.event.mark > mark) found.push(`${message} came too late.`);
    latest.set(mark, entry);
    previous = entry;
  }
  for (const [mark, run] of settled) {
    if (latest.get(mark)?.answer !== "given") found.push(`Run ${run}: ${mark} was settled, but not answered.`);
  }
  return found;
}
