import { dateTimeOf } from "../date-time.ts";
import type { InstalledProfile, Limit } from "./charging-profile.ts";
import type { ChargingProfiles } from "./charging-profiles.ts";
import { type LimitNow, type LimitQuery, limitAt } from "./composite-schedule.ts";
import { chargePointSaying, type Layer, type LayerSaying, least, prevailing } from "./limits.ts";
import { timetableOf } from "./timetable.ts";

/**
 * What has become of what a profile says.
 *
 * - `wins`: the limit is its.
 * - `higher`: it prevails among those of its purpose, and something else allows less.
 * - `overruled`: one with a higher level says something, or a TxProfile does.
 * - `masked`: the connector has a default of its own with this level.
 * - `silent`: it says nothing now.
 */
export type Standing = "wins" | "higher" | "overruled" | "masked" | "silent";

/** A profile, and what it has to do with a limit. */
export interface ExplainedProfile extends InstalledProfile {
  /** What it says; `undefined`: nothing. */
  readonly says: Limit | undefined;
  readonly standing: Standing;
}

/** A limit, and why it is what it is. */
export interface Explanation extends LimitNow {
  /** In words, for people: `6 A until 2026-05-01T18:00:00.000Z: profile 12 (TxDefaultProfile, level 1, Daily), over profile 3 …`. */
  readonly text: string;
  /** All that are installed for it, those that count first. */
  readonly profiles: readonly ExplainedProfile[];
  /** Of connector 0: the limits of the connectors, which it is the sum of, unless something allows less. */
  readonly connectors: readonly (Explanation & { readonly connectorId: number })[];
}

/**
 * Says why a limit is what {@link limitAt} says.
 *
 * @throws RangeError There is no such connector.
 */
export function explain(profiles: ChargingProfiles, query: LimitQuery): Explanation {
  const limit = limitAt(profiles, query);
  return query.connectorId === 0 ? explainedSum(profiles, query, limit) : explainedConnector(profiles, query, limit);
}

function explainedConnector(profiles: ChargingProfiles, { connectorId, at }: LimitQuery, now: LimitNow): Explanation {
  const layers = profiles.layersOf(connectorId);
  const { startedAt } = layers;
  const tx = prevailing(layers.tx, at, startedAt);
  const txDefault = prevailing(layers.txDefault, at, startedAt);
  const whole = chargePointSaying(profiles.chargePointLayer, at);
  const transaction = tx.limit === undefined ? txDefault : tx;
  const all = [transaction.limit, whole.limit, layers.maximum];
  const phases = least(all, now.unit, profiles.grid).numberPhases;
  const amount = (limit: Limit | undefined): number =>
    limit === undefined
      ? Number.POSITIVE_INFINITY
      : least([{ ...limit, numberPhases: phases }], now.unit, profiles.grid).limit;
  const [bySession, byWhole, byMaximum] = all.map(amount) as [number, number, number];
  const winner = [transaction, whole].find(
    ({ limit }) => limit !== undefined && amount(limit) === Math.min(bySession, byWhole, byMaximum),
  );
  const explained = (
    layer: Layer,
    saying: LayerSaying,
    start: number | undefined,
    isOverruled = false,
  ): ExplainedProfile[] =>
    layer.map((installed) => {
      const says = limitOf(installed, at, start);
      const prevails = installed === saying.installed && !isOverruled;
      const standing = says === undefined ? "silent" : !prevails ? "overruled" : saying === winner ? "wins" : "higher";
      return { ...installed, says, standing };
    });
  const list = [
    ...explained(layers.tx, tx, startedAt),
    ...explained(layers.txDefault, txDefault, startedAt, tx.limit !== undefined),
    ...layers.masked.map((installed) => ({
      ...installed,
      says: limitOf(installed, at, startedAt),
      standing: "masked" as const,
    })),
    ...explained(profiles.chargePointLayer, whole, 0),
  ];
  return { ...now, text: wordsOf(now, list), profiles: inOrder(list), connectors: [] };
}

function explainedSum(profiles: ChargingProfiles, query: LimitQuery, now: LimitNow): Explanation {
  const connectors = profiles.connectorIds.map((connectorId) => {
    const each = { ...query, connectorId, unit: now.unit };
    return { connectorId, ...explainedConnector(profiles, each, limitAt(profiles, each)) };
  });
  const layer = profiles.chargePointLayer;
  const whole = chargePointSaying(layer, query.at);
  const cap = whole.limit && least([whole.limit], now.unit, profiles.grid).limit;
  const wins = cap !== undefined && cap <= now.limit + 0.1;
  const list = layer.map((installed): ExplainedProfile => {
    const says = limitOf(installed, query.at, 0);
    const isPrevailing = installed === whole.installed;
    const standing = says === undefined ? "silent" : !isPrevailing ? "overruled" : wins ? "wins" : "higher";
    return { ...installed, says, standing };
  });
  const parts = connectors.map(({ connectorId, limit, unit }) => `connector ${connectorId}: ${limit} ${unit}`);
  const sum = wins ? wordsOf(now, list) : `${shown(now)}: what its connectors may draw together`;
  return { ...now, text: `${sum} (${parts.join(", ")})`, profiles: inOrder(list), connectors };
}

function limitOf({ profile }: InstalledProfile, at: number, startedAt: number | undefined): Limit | undefined {
  const { period } = timetableOf(profile).at(at, startedAt);
  if (period === undefined) return undefined;
  const { limit, numberPhases } = period;
  return { limit, unit: profile.chargingSchedule.chargingRateUnit, numberPhases };
}

const ranks: readonly Standing[] = ["wins", "higher", "overruled", "masked", "silent"];

const inOrder = (list: readonly ExplainedProfile[]): readonly ExplainedProfile[] =>
  [...list].sort((a, b) => ranks.indexOf(a.standing) - ranks.indexOf(b.standing));

function wordsOf(now: LimitNow, list: readonly ExplainedProfile[]): string {
  const winner = list.find(({ standing }) => standing === "wins");
  const others = inOrder(list).filter(({ standing }) => standing !== "wins");
  const why = winner === undefined ? "what the connector can deliver" : named(winner);
  return [`${shown(now)}: ${why}`, ...others.map((other) => `${link[other.standing]} ${named(other)}`)].join("; ");
}

const link: Readonly<Record<Standing, string>> = {
  wins: "by",
  higher: "less than",
  overruled: "over",
  masked: "instead of",
  silent: "without a word from",
};

const shown = ({ limit, unit, until }: LimitNow): string =>
  Number.isFinite(until) ? `${limit} ${unit} until ${dateTimeOf(until)}` : `${limit} ${unit}`;

function named({ profile, says }: ExplainedProfile): string {
  const { chargingProfileId, chargingProfilePurpose, recurrencyKind, stackLevel } = profile;
  const kind = recurrencyKind === undefined ? "" : `, ${recurrencyKind}`;
  const said = says === undefined ? "" : `, ${says.limit} ${says.unit}`;
  return `profile ${chargingProfileId} (${chargingProfilePurpose}, level ${stackLevel}${kind}${said})`;
}
