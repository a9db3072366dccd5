/*
 * What may be drawn at a moment, and until when that stays so.
 *
 * Theory of operation. Every layer (the profiles of a purpose, the physical maximum) is asked what it says now and how long
 * that holds; the limit is the least of what they say, and holds until the first of them may say something else. All else,
 * the composite schedule, what a charger obeys, the explanation, is this one function at one moment after the other. So no
 * breakpoint of any layer can be forgotten, and what is reported is what is obeyed.
 *
 *   transaction    the TxProfile with the highest level that says something; else the TxDefaultProfile that does, where the
 *                  connector's own masks the one of connector 0 with the same level
 *   charge point   the ChargePointMaxProfile with the highest level that says something
 *   maximum        what the connector can deliver, and what the charge point can
 */

import type { ChargingRateUnit, InstalledProfile, Limit } from "./charging-profile.ts";
import { timetableOf } from "./timetable.ts";

/** What belongs to a layer, the highest level first. */
export type Layer = readonly InstalledProfile[];

/** What a layer says at a moment. */
export interface LayerSaying {
  /** The profile that prevails; `undefined`: none says anything. */
  readonly installed: InstalledProfile | undefined;
  readonly limit: Limit | undefined;
  readonly until: number;
}

/** The layers of one connector. */
export interface ConnectorLayers {
  readonly maximum: Limit;
  /** What the charge point can deliver, and so each connector; `undefined`: all that its connectors can. */
  readonly chargePointMaximum: Limit | undefined;
  readonly tx: Layer;
  /** Its own before those of connector 0, where their levels are the same. */
  readonly txDefault: Layer;
  /** Defaults of connector 0 that those of the connector mask, and until when: in milliseconds since the epoch. */
  readonly maskedUntil: ReadonlyMap<InstalledProfile, number>;
  /** When charging began; `undefined`: no transaction runs. In milliseconds since the epoch. */
  readonly startedAt: number | undefined;
}

/** What the conversion between A and W needs to know. @spec OCPP 1.6 §7.12 [SC-38] */
export interface Grid {
  /** Nominal, in V, between a phase and neutral. */
  readonly voltage: number;
  /** Where a profile does not say. */
  readonly numberPhases: number;
}

/** A limit as it was computed, in the unit that was asked for. */
export interface ComputedLimit {
  /** Not rounded. */
  readonly limit: number;
  /** Absent where no layer speaks of phases. */
  readonly numberPhases: number | undefined;
  readonly until: number;
}

/** A schedule of ChargePointMaxProfile without a start of its own says always the same: since when does not matter. */
export const always = 0;

/** What a profile says at a moment, and until when it says the same at least. */
export function saidBy(
  { profile }: InstalledProfile,
  moment: number,
  startedAt: number | undefined,
): Pick<LayerSaying, "limit" | "until"> {
  const { period, until } = timetableOf(profile).at(moment, startedAt);
  if (period === undefined) return { limit: undefined, until };
  const { limit, numberPhases } = period;
  return { limit: { limit, unit: profile.chargingSchedule.chargingRateUnit, numberPhases }, until };
}

/** SC-05: a mask, not a deletion: when the own one is cleared or not valid any more, that of connector 0 is there again. */
export const isMasked = ({ maskedUntil }: ConnectorLayers, installed: InstalledProfile, moment: number): boolean =>
  moment < (maskedUntil.get(installed) ?? Number.NEGATIVE_INFINITY);

/**
 * What the highest level says that says anything.
 *
 * @spec OCPP 1.6 §3.13.2 [SC-14, SC-20, SC-33]
 */
export function prevailing(
  layer: Layer,
  moment: number,
  startedAt: number | undefined,
  isLeftOut: (installed: InstalledProfile) => boolean = () => false,
): LayerSaying {
  let until = Number.POSITIVE_INFINITY;
  for (const installed of layer) {
    // Whatever leaves it out comes before it, and has said how long that holds.
    if (isLeftOut(installed)) continue;
    const said = saidBy(installed, moment, startedAt);
    until = Math.min(until, said.until);
    if (said.limit !== undefined) return { installed, limit: said.limit, until };
  }
  return { installed: undefined, limit: undefined, until };
}

/** What the TxDefaultProfiles of a connector say. [SC-04, SC-05] */
export const defaultSaying = (layers: ConnectorLayers, moment: number, startedAt: number | undefined): LayerSaying =>
  prevailing(layers.txDefault, moment, startedAt, (each) => isMasked(layers, each, moment));

/** What the profiles of a transaction say: TxProfile over TxDefaultProfile, at each moment. [SC-07, SC-13] */
export function transactionSaying(layers: ConnectorLayers, moment: number, startedAt: number | undefined): LayerSaying {
  const tx = prevailing(layers.tx, moment, startedAt);
  if (tx.limit !== undefined) return tx;
  const txDefault = defaultSaying(layers, moment, startedAt);
  return { ...txDefault, until: Math.min(tx.until, txDefault.until) };
}

/** What ChargePointMaxProfile says. */
export const chargePointSaying = (layer: Layer, moment: number): LayerSaying => prevailing(layer, moment, always);

/** The least of some limits, in the unit that was asked for. */
export interface LeastLimit extends Pick<ComputedLimit, "limit" | "numberPhases"> {
  /** Which ones it is: those that are told as the same number. Empty: there were none. */
  readonly lowest: readonly Limit[];
}

/**
 * The least of limits, in a unit, and the fewest phases that any of them speaks of.
 *
 * Limits are converted once it is known of how many phases they speak: drawn on so many, it is never more than any of them
 * in the unit of that one.
 *
 * @spec OCPP 1.6 §3.13.3, §7.12 [SC-21, SC-22, SC-38 … SC-41]
 */
export function least(
  limits: readonly (Limit | undefined)[],
  unit: ChargingRateUnit,
  { voltage, numberPhases: all }: Grid,
): LeastLimit {
  const said = limits.filter((limit) => limit !== undefined);
  const phases = said.flatMap(({ numberPhases }) => numberPhases ?? []);
  const fewest = Math.min(all, ...phases);
  const factor = voltage * fewest;
  const converted = said.map(({ limit, unit: own }) => {
    if (own === unit) return limit;
    return unit === "W" ? limit * factor : limit / factor;
  });
  const limit = Math.min(...converted);
  const told = roundedDown(limit);
  return {
    limit,
    numberPhases: phases.length === 0 ? undefined : fewest,
    lowest: said.filter((_, index) => roundedDown(converted[index] as number) === told),
  };
}

/** The limit of a connector. */
export function connectorLimit(
  layers: ConnectorLayers,
  chargePoint: Layer,
  { moment, startedAt, unit, grid }: AskedLimit,
): ComputedLimit {
  const transaction = transactionSaying(layers, moment, layers.startedAt ?? startedAt);
  const whole = chargePointSaying(chargePoint, moment);
  const bounds = [transaction.limit, whole.limit, layers.maximum, layers.chargePointMaximum];
  const { limit, numberPhases } = least(bounds, unit, grid);
  return { limit, numberPhases, until: Math.min(transaction.until, whole.until) };
}

/** What is asked of a connector, or of the charge point as a whole. */
export interface AskedLimit {
  readonly moment: number;
  /** When charging is taken to begin where no transaction runs; `undefined`: at the moment, whichever it is. [SC-81] */
  readonly startedAt: number | undefined;
  readonly unit: ChargingRateUnit;
  readonly grid: Grid;
}

/** What connectors may draw together, as far as each is asked: in A the sum of what they may on a phase. [SC-23, SC-83] */
export function sumOf(
  connectors: readonly ConnectorLayers[],
  chargePoint: Layer,
  asked: AskedLimit,
): Limit & { readonly until: number } {
  const each = connectors.map((layers) => connectorLimit(layers, chargePoint, asked));
  const most = Math.max(...each.map(({ numberPhases = Number.POSITIVE_INFINITY }) => numberPhases));
  return {
    limit: each.reduce((total, { limit }) => total + limit, 0),
    unit: asked.unit,
    numberPhases: Number.isFinite(most) ? most : undefined,
    until: Math.min(...each.map(({ until }) => until)),
  };
}

/**
 * The limit of the charge point as a whole: what its connectors may draw together, unless something allows less.
 *
 * @param maximum - What it can deliver, where that is less than its connectors could.
 * @spec OCPP 1.6 §3.13.3, §5.7 [SC-23, SC-83]
 */
export function chargePointLimit(
  connectors: readonly ConnectorLayers[],
  chargePoint: Layer,
  maximum: Limit | undefined,
  asked: AskedLimit,
): ComputedLimit {
  const whole = chargePointSaying(chargePoint, asked.moment);
  const sum = sumOf(connectors, chargePoint, asked);
  const { limit, numberPhases } = least([whole.limit, maximum, sum], asked.unit, asked.grid);
  return { limit, numberPhases, until: Math.min(whole.until, sum.until) };
}

/** One decimal, never more than it was: 8.1 stays 8.1, 5.33 becomes 5.3. [SC-22] */
export const roundedDown = (limit: number): number => Math.floor(limit * 10 + 1e-6) / 10;
