import type { ChargingProfile, ChargingRateUnit, InstalledProfile, Limit } from "../../src/index.ts";

/*
 * The documents, read for one moment: slow, and as plain as they are. Times are in milliseconds since the epoch. It shares
 * nothing with what it judges.
 */

/** Everything that the limit of a moment depends on. */
export interface World {
  readonly installed: readonly InstalledProfile[];
  readonly connectors: Readonly<Record<number, Limit>>;
  readonly maximum?: Limit | undefined;
  readonly voltage: number;
  readonly numberPhases: number;
  /** When charging began, or is taken to, by connector. */
  readonly startedAt: Readonly<Record<number, number>>;
}

/** What one profile says at a moment. */
export function saidBy({ profile }: InstalledProfile, t: number, startOfCharging: number): Limit | undefined {
  const { chargingSchedule: schedule, chargingProfileKind: kind, recurrencyKind } = profile;
  if (profile.validFrom !== undefined && t < Date.parse(profile.validFrom)) return undefined;
  if (profile.validTo !== undefined && t >= Date.parse(profile.validTo)) return undefined;
  let start = startOfCharging;
  if (kind !== "Relative" && schedule.startSchedule !== undefined) start = Date.parse(schedule.startSchedule);
  let seconds = (t - start) / 1000;
  if (kind === "Recurring") {
    const length = recurrencyKind === "Weekly" ? 7 * 24 * 3600 : 24 * 3600;
    seconds = ((seconds % length) + length) % length;
  }
  if (seconds < 0) return undefined;
  if (schedule.duration !== undefined && seconds >= schedule.duration) return undefined;
  let said: Limit | undefined;
  for (const { startPeriod, limit, numberPhases } of schedule.chargingSchedulePeriod) {
    if (startPeriod <= seconds) said = { limit, unit: schedule.chargingRateUnit, numberPhases };
  }
  return said;
}

/** The highest level that says something. */
function highest(among: readonly InstalledProfile[], t: number, startOfCharging: number): Limit | undefined {
  let best: { level: number; said: Limit } | undefined;
  for (const each of among) {
    const said = saidBy(each, t, startOfCharging);
    const level = each.profile.stackLevel;
    if (said !== undefined && (best === undefined || level > best.level)) best = { level, said };
  }
  return best?.said;
}

const of = (
  world: World,
  purpose: ChargingProfile["chargingProfilePurpose"],
  at: number,
): readonly InstalledProfile[] =>
  world.installed.filter(
    ({ connectorId, profile }) => connectorId === at && profile.chargingProfilePurpose === purpose,
  );

/**
 * The lowest of some limits, in a unit: power is voltage × phases × current. Nobody knows on how many phases will be drawn, but
 * that it is on no more than the fewest that any of them speaks of, or that there are.
 */
export function lowest(world: World, limits: readonly (Limit | undefined)[], unit: ChargingRateUnit) {
  let phases: number | undefined;
  for (const each of limits)
    if (each?.numberPhases !== undefined)
      phases = Math.min(phases ?? each.numberPhases, each.numberPhases, world.numberPhases);
  let low = Number.POSITIVE_INFINITY;
  for (const each of limits) {
    if (each === undefined) continue;
    const drawn = world.voltage * (phases ?? world.numberPhases);
    const said = each.unit === unit ? each.limit : unit === "A" ? each.limit / drawn : each.limit * drawn;
    low = Math.min(low, said);
  }
  return { limit: low, phases };
}

/** Whether a profile has ceased to be one. */
const isInvalid = ({ profile: { validTo } }: InstalledProfile, t: number): boolean =>
  validTo !== undefined && t >= Date.parse(validTo);

function connector(world: World, id: number, t: number, unit: ChargingRateUnit, whole: Limit | undefined) {
  const start = world.startedAt[id] as number;
  const own = of(world, "TxDefaultProfile", id).filter((each) => !isInvalid(each, t));
  const levels = own.map(({ profile }) => profile.stackLevel);
  const shared = of(world, "TxDefaultProfile", 0).filter(({ profile }) => !levels.includes(profile.stackLevel));
  const session = highest(of(world, "TxProfile", id), t, start) ?? highest([...own, ...shared], t, start);
  return lowest(world, [world.connectors[id], world.maximum, session, whole], unit);
}

/** What may be drawn at a moment, not rounded. */
export function oracle(world: World, connectorId: number, t: number, unit: ChargingRateUnit) {
  const whole = highest(of(world, "ChargePointMaxProfile", 0), t, 0);
  if (connectorId !== 0) return connector(world, connectorId, t, unit, whole);
  const each = Object.keys(world.connectors).map((id) => connector(world, Number(id), t, unit, whole));
  const sum = each.reduce((total, { limit }) => total + limit, 0);
  const known = each.every(({ phases }) => phases !== undefined);
  const most = known ? Math.max(...each.map(({ phases = 0 }) => phases)) : undefined;
  return lowest(world, [world.maximum, whole, { limit: sum, unit, numberPhases: most }], unit);
}
