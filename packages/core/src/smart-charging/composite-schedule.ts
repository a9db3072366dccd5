import type { ChargingRateUnit, ChargingSchedule, ChargingSchedulePeriod } from "./charging-profile.ts";
import type { ChargingProfiles } from "./charging-profiles.ts";
import { type ComputedLimit, chargePointLimit, connectorLimit, roundedDown } from "./limits.ts";

/** What is asked for. */
export interface CompositeScheduleQuery {
  /** 0: the charge point as a whole. */
  readonly connectorId: number;
  /** Milliseconds since the epoch. */
  readonly from: number;
  readonly durationSeconds: number;
  /** Default: that in which the maximum of the connector, or of the first one, is given. */
  readonly unit?: ChargingRateUnit | undefined;
}

/** A limit, and until when it holds at least. */
export interface LimitNow {
  /** In `unit`, with at most one decimal, never more than any profile says. */
  readonly limit: number;
  readonly unit: ChargingRateUnit;
  /** On how many phases it may be drawn at most; absent where neither profiles nor the hardware speak of phases. */
  readonly numberPhases?: number;
  /** Before this, in milliseconds since the epoch, nothing changes by itself. Infinite: nothing ever does. */
  readonly until: number;
}

/** What is asked for: the limit of a connector, or of the charge point as a whole, at a moment. */
export interface LimitQuery {
  /** 0: the charge point as a whole. */
  readonly connectorId: number;
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** As in {@link CompositeScheduleQuery}. */
  readonly unit?: ChargingRateUnit | undefined;
}

/** How many periods a composite schedule may have, and how many changes are looked at: nobody can ask for years of them. */
const mostPeriods = 1000;
const mostChanges = 4000;

/** After how many changes that change nothing of a limit it is told that it may be another one then. */
const mostUnchanged = 30;

const second = 1000;

/** A limit as a function of time. */
type LimitAt = (moment: number) => ComputedLimit;

/**
 * @param startedAt - When charging is taken to begin on connectors without a transaction.
 * @throws RangeError There is no such connector.
 */
function limitsOf(
  profiles: ChargingProfiles,
  { connectorId, unit }: { readonly connectorId: number; readonly unit: ChargingRateUnit },
  startedAt?: number,
): LimitAt {
  const { chargePointLayer, grid, maximum } = profiles;
  const asked = { startedAt, unit, grid };
  if (connectorId === 0) {
    const connectors = profiles.connectorIds.map((id) => profiles.layersOf(id));
    return (moment) => chargePointLimit(connectors, chargePointLayer, maximum, { ...asked, moment });
  }
  const layers = profiles.layersOf(connectorId);
  return (moment) => connectorLimit(layers, chargePointLayer, { ...asked, moment });
}

function unitOf(profiles: ChargingProfiles, connectorId: number): ChargingRateUnit {
  const [first = 0] = profiles.connectorIds;
  return profiles.layersOf(connectorId || first).maximum.unit;
}

/**
 * What a connector may draw at a moment, or all of them together. Without a transaction it is what one could that started
 * then.
 *
 * @throws RangeError There is no such connector.
 * @spec OCPP 1.6 §3.13 [SC-13, SC-21, SC-22]
 */
export function limitAt(profiles: ChargingProfiles, { connectorId, at, unit }: LimitQuery): LimitNow {
  const asked = { connectorId, unit: unit ?? unitOf(profiles, connectorId) };
  const limitThen = limitsOf(profiles, asked);
  const now = limitThen(at);
  const told = toldOf(now);
  let { until } = now;
  for (let looks = 0; looks < mostUnchanged && Number.isFinite(until); looks++) {
    const then = limitThen(until);
    if (!saysTheSame(told, toldOf(then))) break;
    until = then.until;
  }
  return { ...told, unit: asked.unit, until };
}

/** What is told of a limit. */
const toldOf = ({ limit, numberPhases }: ComputedLimit): Pick<LimitNow, "limit" | "numberPhases"> => ({
  limit: roundedDown(limit),
  ...(numberPhases !== undefined && { numberPhases }),
});

/**
 * The limits that are going to apply, as GetCompositeSchedule.conf tells them: what {@link limitAt} says at each second.
 * Connectors without a transaction are taken to begin charging at `from`.
 *
 * It never has more than 1000 periods, nor looks at more than 4000 changes of what profiles say; where there would be more, its
 * `duration` is shorter than what was asked for.
 *
 * @throws RangeError There is no such connector.
 * @spec OCPP 1.6 §3.13.3, §5.7 [SC-21, SC-22, SC-81, SC-83, SC-86, SC-87, SC-89]
 */
export function compositeSchedule(profiles: ChargingProfiles, query: CompositeScheduleQuery): ChargingSchedule {
  const { connectorId, from, durationSeconds, unit = unitOf(profiles, connectorId) } = query;
  const at = limitsOf(profiles, { connectorId, unit }, from);
  const periods: ChargingSchedulePeriod[] = [];
  let startPeriod = 0;
  for (let changes = 0; changes < mostChanges; changes++) {
    const computed = at(from + startPeriod * second);
    const period = { startPeriod, ...toldOf(computed) };
    if (!saysTheSame(periods.at(-1), period)) {
      if (periods.length === mostPeriods) break;
      periods.push(period);
    }
    startPeriod = Math.ceil((computed.until - from) / second);
    if (startPeriod >= durationSeconds) break;
  }
  const duration = Math.max(0, Math.min(durationSeconds, startPeriod));
  return { duration, chargingRateUnit: unit, chargingSchedulePeriod: periods };
}

type Told = Pick<ComputedLimit, "limit"> & { readonly numberPhases?: number | undefined };

const saysTheSame = (a: Told | undefined, b: Told): boolean =>
  a !== undefined && a.limit === b.limit && a.numberPhases === b.numberPhases;
