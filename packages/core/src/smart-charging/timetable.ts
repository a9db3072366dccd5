import type { ChargingSchedulePeriod, FrozenChargingProfile } from "./charging-profile.ts";

/** What a profile says at a moment. */
export interface Saying {
  /** `undefined`: nothing; what ranks below it counts. */
  readonly period: Readonly<ChargingSchedulePeriod> | undefined;
  /** It says the same until this moment, at least, in milliseconds since the epoch. */
  readonly until: number;
}

const second = 1000;

/** A recurrence is a fixed number of hours, also where clocks are set forward. @spec OCPP 1.6 §7.37 [SC-34, SC-44] */
const recurrenceMs = { Daily: 86_400 * second, Weekly: 604_800 * second };

const timetables = new WeakMap<FrozenChargingProfile, Timetable>();

/** What a profile says, as a function of time. */
export function timetableOf(profile: FrozenChargingProfile): Timetable {
  let timetable = timetables.get(profile);
  if (timetable === undefined) {
    timetable = new Timetable(profile);
    timetables.set(profile, timetable);
  }
  return timetable;
}

/**
 * A charging profile as a function of time: times in milliseconds since the epoch.
 *
 * @spec OCPP 1.6 §3.13.2, §5.16.4, §7.8, §7.9, §7.13 [SC-14, SC-17, SC-20, SC-29 … SC-36]
 */
class Timetable {
  readonly #periods: readonly Readonly<ChargingSchedulePeriod>[];
  readonly #validFrom: number;
  /** `undefined`: the start of charging. */
  readonly #start: number | undefined;
  readonly #recurrenceMs: number | undefined;
  readonly #durationMs: number;
  readonly validTo: number;
  /** From then on it never says anything again, whenever charging begins. */
  readonly overAt: number;

  constructor({ chargingProfileKind, chargingSchedule, recurrencyKind, validFrom, validTo }: FrozenChargingProfile) {
    const { chargingSchedulePeriod, duration = Number.POSITIVE_INFINITY, startSchedule } = chargingSchedule;
    this.#periods = chargingSchedulePeriod;
    this.#validFrom = validFrom === undefined ? Number.NEGATIVE_INFINITY : Date.parse(validFrom);
    const isFixed = chargingProfileKind !== "Relative" && startSchedule !== undefined;
    this.#start = isFixed ? Date.parse(startSchedule) : undefined;
    const recurs = chargingProfileKind === "Recurring" && recurrencyKind !== undefined;
    this.#recurrenceMs = recurs ? recurrenceMs[recurrencyKind] : undefined;
    this.#durationMs = duration * second;
    const isOnce = this.#start !== undefined && this.#recurrenceMs === undefined;
    const end = isOnce ? (this.#start as number) + this.#durationMs : Number.POSITIVE_INFINITY;
    this.validTo = validTo === undefined ? Number.POSITIVE_INFINITY : Date.parse(validTo);
    this.overAt = Math.min(end, this.validTo);
  }

  /**
   * @param startOfCharging - What a schedule counts from that has no start of its own; `undefined`: it would be this moment,
   * whichever it is, so that it goes on saying the same.
   */
  at(moment: number, startOfCharging: number | undefined): Saying {
    if (moment >= this.validTo) return { period: undefined, until: Number.POSITIVE_INFINITY };
    if (moment >= this.overAt) return { period: undefined, until: this.validTo }; // Until then it still masks others.
    const isEarly = moment < this.#validFrom;
    const { period, until } = isEarly
      ? { period: undefined, until: this.#validFrom }
      : this.#scheduled(moment, startOfCharging);
    return { period, until: Math.min(until, this.overAt) };
  }

  #scheduled(moment: number, startOfCharging: number | undefined): Saying {
    const first = this.#start ?? startOfCharging;
    if (first === undefined) return { ...this.#scheduled(moment, moment), until: Number.POSITIVE_INFINITY };
    const recurrenceMs = this.#recurrenceMs;
    if (recurrenceMs === undefined) {
      if (moment < first) return { period: undefined, until: first };
      return this.#since(first, moment, Number.POSITIVE_INFINITY);
    }
    // A rhythm, which was there before its start as well: what begins later has a validFrom.
    const start = first + Math.floor((moment - first) / recurrenceMs) * recurrenceMs;
    return this.#since(start, moment, start + recurrenceMs);
  }

  /** @param next - When it starts again. */
  #since(start: number, moment: number, next: number): Saying {
    const afterMs = moment - start;
    if (afterMs >= this.#durationMs) return { period: undefined, until: next };
    const index = this.#indexAt(afterMs);
    const following = this.#periods[index + 1];
    const end = Math.min(start + this.#durationMs, next);
    const until = following === undefined ? end : Math.min(end, start + following.startPeriod * second);
    return { period: this.#periods[index], until };
  }

  /** The last period that has begun. */
  #indexAt(afterMs: number): number {
    let low = 0;
    let high = this.#periods.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if ((this.#periods[middle] as ChargingSchedulePeriod).startPeriod * second <= afterMs) low = middle;
      else high = middle;
    }
    return low;
  }
}
