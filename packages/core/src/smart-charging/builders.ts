import { dateTimeOf, isMoment } from "../date-time.ts";
import type { Conf } from "../messages/actions.ts";
import { parseReq } from "../messages/validate.ts";
import type { ChargingProfile, ChargingRateUnit, ChargingSchedule, Limit } from "./charging-profile.ts";
import { profileRefusal } from "./installation.ts";

/** What every profile has. */
export interface ProfileBasics {
  /** A profile with the same id is replaced. */
  readonly chargingProfileId: number;
  /** The highest level that says something prevails. Default 0. */
  readonly stackLevel?: number | undefined;
  /**
   * For all transactions (`TxDefaultProfile`, the default), for the charge point as a whole (`ChargePointMaxProfile`, set at
   * connector 0), or for the transaction that runs (`TxProfile`).
   */
  readonly purpose?: ChargingProfile["chargingProfilePurpose"] | undefined;
  /** Of the transaction that a TxProfile is for. */
  readonly transactionId?: number | undefined;
}

/** A start that no charger's clock is before, whatever it says: `validFrom` and `validTo` say when it counts. [SC-18] */
const longAgo = 0;

/** A limit from a time of day on. */
export interface DailyLimit {
  /** `HH:MM` after `startOfDay`. */
  readonly from: string;
  /** In the unit of the schedule. */
  readonly limit: number;
  readonly numberPhases?: number | undefined;
}

/**
 * A profile that says the same every day. A day has 24 hours in OCPP: on the days on which clocks are set forward or back,
 * it is an hour early or late. [SC-44]
 *
 * @param schedule.startOfDay - Any midnight in the time zone that is meant, in milliseconds since the epoch.
 * @param schedule.limits - Those of one day; the first is from `00:00`.
 * @throws TypeError `startOfDay` is no moment, a time of day is none, the first is not `00:00`, they do not rise, or a charger
 * would refuse the profile.
 * @throws PayloadError A number is not what the schema of a charging profile wants.
 * @spec OCPP 1.6 §3.13.7, §7.8 [SC-29, SC-34, SC-35, SC-37]
 */
export function dailySchedule(
  schedule: ProfileBasics & {
    readonly unit: ChargingRateUnit;
    readonly startOfDay: number;
    readonly limits: readonly DailyLimit[];
  },
): ChargingProfile {
  const { limits, startOfDay, unit } = schedule;
  const chargingSchedulePeriod = limits.map(({ from, ...limit }) => ({ startPeriod: secondsOf(from), ...limit }));
  for (const [index, { startPeriod }] of chargingSchedulePeriod.entries()) {
    const before = chargingSchedulePeriod[index - 1]?.startPeriod;
    const isRight = before === undefined ? startPeriod === 0 : startPeriod > before;
    if (!isRight) throw new TypeError(`${limits[index]?.from} is out of order. Begin with 00:00, and go on by time.`);
  }
  return profileOf(schedule, {
    chargingProfileKind: "Recurring",
    recurrencyKind: "Daily",
    chargingSchedule: {
      duration: 86_400,
      startSchedule: momentOf("startOfDay", startOfDay),
      chargingRateUnit: unit,
      chargingSchedulePeriod,
    },
  });
}

/**
 * A profile that allows so much until a moment, and says nothing after it.
 *
 * @param limit.from - Default: always, as far as it is installed.
 * @param limit.until - Both in milliseconds since the epoch.
 * @throws TypeError A moment is none, `until` is not after `from`, or a charger would refuse the profile: the limit is negative,
 * or there are no such phases.
 * @throws PayloadError A number is not what the schema of a charging profile wants.
 * @spec OCPP 1.6 §3.13.2, §7.8 [SC-14, SC-18]
 */
export function limitUntil(
  limit: ProfileBasics & Limit & { readonly from?: number | undefined; readonly until: number },
): ChargingProfile {
  const { from, until, unit, limit: amount, numberPhases } = limit;
  return profileOf(limit, {
    chargingProfileKind: "Absolute",
    ...(from !== undefined && { validFrom: momentOf("from", from) }),
    validTo: momentOf("until", until),
    chargingSchedule: constant(unit, { limit: amount, numberPhases }),
  });
}

/**
 * A profile that allows nothing from a moment on: the transaction goes on, without energy.
 *
 * @param pause.until - Default: until it is cleared or replaced. Both in milliseconds since the epoch.
 * @param pause.unit - One that the charger takes. Default A.
 * @throws TypeError A moment is none, or `until` is not after `from`.
 * @throws PayloadError A number is not what the schema of a charging profile wants.
 * @spec OCPP 1.6 §3.13, §7.8 [SC-14, SC-20]
 */
export function pauseFrom(
  pause: ProfileBasics & {
    readonly from: number;
    readonly until?: number | undefined;
    readonly unit?: ChargingRateUnit | undefined;
  },
): ChargingProfile {
  const { from, until, unit = "A" } = pause;
  return profileOf(pause, {
    chargingProfileKind: "Absolute",
    validFrom: momentOf("from", from),
    ...(until !== undefined && { validTo: momentOf("until", until) }),
    chargingSchedule: constant(unit, { limit: 0 }),
  });
}

/** A limit in a composite schedule, between two moments in milliseconds since the epoch. */
export interface ScheduledLimit extends Limit {
  readonly from: number;
  readonly to: number;
}

/**
 * What a charger has said of the limits that are going to apply: as moments, not as seconds since one. What it has said of
 * the time after its `duration` is left out.
 *
 * @returns Empty where it has said nothing that can be used: it has rejected, left something out, or is out of order.
 * @spec OCPP 1.6 §5.7, §6.22 [SC-84, SC-86, SC-88]
 */
export function scheduledLimits(conf: Conf<"GetCompositeSchedule">): readonly ScheduledLimit[] {
  const { chargingSchedule: schedule, scheduleStart, status } = conf;
  // Some chargers say when it starts where it does not belong.
  const start = Date.parse(scheduleStart ?? schedule?.startSchedule ?? "");
  if (status !== "Accepted" || schedule === undefined || Number.isNaN(start)) return [];
  const { chargingRateUnit: unit, chargingSchedulePeriod: periods, duration = Number.POSITIVE_INFINITY } = schedule;
  const starts = periods.map(({ startPeriod }) => startPeriod);
  if (starts.some((each, index) => each <= (starts[index - 1] ?? -1))) return [];
  return periods
    .map(({ startPeriod, limit, numberPhases }, index) => ({
      from: start + startPeriod * 1000,
      to: start + Math.min(duration, starts[index + 1] ?? duration) * 1000,
      limit,
      unit,
      ...(numberPhases !== undefined && { numberPhases }),
    }))
    .filter(({ from, to }) => from < to);
}

function profileOf(
  { chargingProfileId, purpose = "TxDefaultProfile", stackLevel = 0, transactionId }: ProfileBasics,
  rest: Pick<ChargingProfile, "chargingProfileKind" | "chargingSchedule" | "recurrencyKind" | "validFrom" | "validTo">,
): ChargingProfile {
  const csChargingProfiles: ChargingProfile = {
    chargingProfileId,
    ...(transactionId !== undefined && { transactionId }),
    stackLevel,
    chargingProfilePurpose: purpose,
    ...rest,
  };
  const connectorId = purpose === "ChargePointMaxProfile" ? 0 : 1;
  const req = parseReq("SetChargingProfile", { connectorId, csChargingProfiles }, "local");
  const refusal = profileRefusal(connectorId, req.csChargingProfiles);
  if (refusal !== undefined) throw new TypeError(refusal.message);
  return req.csChargingProfiles;
}

const constant = (chargingRateUnit: ChargingRateUnit, limit: Omit<Limit, "unit">): ChargingSchedule => ({
  startSchedule: dateTimeOf(longAgo),
  chargingRateUnit,
  chargingSchedulePeriod: [{ startPeriod: 0, ...limit }],
});

/** @throws TypeError It is no moment that a date-time can name. */
function momentOf(name: string, time: number): string {
  if (!isMoment(time)) throw new TypeError(`${name} is ${time}. Give a moment, in milliseconds since the epoch.`);
  return dateTimeOf(time);
}

function secondsOf(time: string): number {
  const [, hours, minutes] = /^([01]\d|2[0-3]):([0-5]\d)$/.exec(time) ?? [];
  if (minutes === undefined) throw new TypeError(`"${time}" is no time of day. Give HH:MM, for example 18:30.`);
  return Number(hours) * 3600 + Number(minutes) * 60;
}
