import type { Clock, RecordStore } from "@ocppj/core";
import { KeptRecords } from "../kept-records.ts";
import { type SecurityEvent, securityEvents } from "./security-event.ts";

/** An entry of the log. */
export interface SecurityLogEntry extends SecurityEvent {
  /** How often it has happened, one time soon after the other, where that is more than once; `at` is when it did first. */
  readonly times?: number | undefined;
  /** When it happened last, in milliseconds since the epoch. */
  readonly until?: number | undefined;
}

/** Its number says how many came before. */
type Entry = SecurityLogEntry & { readonly number: number };

/** What happens again within this time is counted, and is no entry of its own. */
const soonMs = 3_600_000;

export interface SecurityLogOptions {
  /** How many entries there are; the oldest make room. */
  readonly maxEntries: number;
  readonly clock: Clock;
  readonly report: (error: Error) => void;
}

/**
 * All security events, critical or not, in a rolling log that survives power cuts.
 *
 * @spec security white paper A04, N01 [SEC-A04-04, SEC-N01-03, SEC-N01-05]
 */
export class SecurityLog {
  readonly #records: KeptRecords<Entry>;
  readonly #maxEntries: number;
  /** The oldest first. */
  #entries: Entry[];
  #next: number;

  private constructor(records: KeptRecords<Entry>, entries: Entry[], { maxEntries }: SecurityLogOptions) {
    this.#records = records;
    this.#entries = entries;
    this.#maxEntries = maxEntries;
    this.#next = (entries.at(-1)?.number ?? -1) + 1;
  }

  /**
   * Reads what a store keeps under `security/`.
   *
   * @throws What the store rejects with when it cannot be read.
   */
  static async load(store: RecordStore, options: SecurityLogOptions): Promise<SecurityLog> {
    const records = new KeptRecords<Entry>(store, "security", options);
    const entries = [...(await records.load(readEntry))].sort((one, other) => one.number - other.number);
    const log = new SecurityLog(records, entries, options);
    log.#makeRoom();
    return log;
  }

  get entries(): readonly SecurityLogEntry[] {
    return this.#entries;
  }

  /** Writes an event down. Whether it is an entry of its own: what happens again and again is counted. */
  add(event: SecurityEvent): boolean {
    if (securityEvents[event.type].repeats && this.#isCounted(event)) return false;
    const entry = { ...event, number: this.#next };
    this.#next += 1;
    this.#entries.push(entry);
    this.#keep(entry);
    this.#makeRoom();
    return true;
  }

  #isCounted({ at, techInfo, type }: SecurityEvent): boolean {
    const index = this.#entries.findIndex(
      (each) => each.type === type && each.techInfo === techInfo && Math.abs(at - (each.until ?? each.at)) < soonMs,
    );
    const entry = this.#entries[index];
    if (entry === undefined) return false;
    const times = (entry.times ?? 1) + 1;
    this.#entries[index] = { ...entry, times, until: at };
    // Each is a write of flash: 2, 4, 8, 16 and so on are kept.
    if (Number.isInteger(Math.log2(times))) this.#keep({ ...entry, times, until: at });
    return true;
  }

  /** Forgets all of it. */
  clear(): void {
    this.#forget(this.#entries.splice(0));
  }

  /** A line for each entry from a moment to another, both in milliseconds since the epoch; for people. */
  text({ from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY }: LogRange): string {
    const entries = this.#entries.filter(({ at }) => at >= from && at <= to);
    return entries.map(lineOf).join("");
  }

  #keep(entry: Entry): void {
    void this.#records.restore(`${entry.number}`, entry);
  }

  #makeRoom(): void {
    this.#forget(this.#entries.splice(0, Math.max(0, this.#entries.length - this.#maxEntries)));
  }

  #forget(entries: readonly Entry[]): void {
    for (const { number } of entries) void this.#records.forget(`${number}`);
  }
}

/** Of what is asked for in a log. */
export interface LogRange {
  readonly from?: number | undefined;
  readonly to?: number | undefined;
}

function lineOf({ at, techInfo, times, type, until = at }: Entry): string {
  const repeated = times === undefined ? "" : ` (${times} times, until ${textOf(until)})`;
  return `${textOf(at)} ${type}${repeated}${techInfo === undefined ? "" : `: ${techInfo}`}\n`;
}

const textOf = (at: number): string => new Date(at).toISOString();

function readEntry(name: string, value: unknown): Entry | undefined {
  const { at, number, type } = (value ?? {}) as Partial<Entry>;
  const isEntry = name === `${number}` && typeof type === "string" && Object.hasOwn(securityEvents, type);
  return isEntry && Number.isSafeInteger(number) && Number.isFinite(at) ? (value as Entry) : undefined;
}
