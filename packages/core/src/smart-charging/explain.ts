import { dateTimeOf } from "../date-time.ts";
import type { InstalledProfile, Limit } from "./charging-profile.ts";
import type { ChargingProfiles } from "./charging-profiles.ts";
import { type LimitNow, type LimitQuery, limitAt } from "./composite-schedule.ts";
import {
  always,
  chargePointSaying,
  defaultSaying,
  isMasked,
  type Layer,
  type LayerSaying,
  least,
  prevailing,
  saidBy,
  sumOf,
} from "./limits.ts";

/**
 * What has become of what a profile says.
 *
 * - `wins`: the limit is its.
 * - `equal`: it prevails among those of its purpose, and allows as much as what the limit is by.
 * - `higher`: it prevails among those of its purpose, and something else allows less.
 * - `overruled`: one with a higher level says something, or a TxProfile does.
 * - `masked`: the connector has a default of its own with this level.
 * - `silent`: it says nothing now.
 */
export type Standing = "wins" | "equal" | "higher" | "overruled" | "masked" | "silent";

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
  const txDefault = defaultSaying(layers, at, startedAt);
  const whole = chargePointSaying(profiles.chargePointLayer, at);
  const transaction = tx.limit === undefined ? txDefault : tx;
  const bounds = [transaction.limit, whole.limit, layers.maximum, layers.chargePointMaximum];
  const { lowest } = least(bounds, now.unit, profiles.grid);
  const explained = (layer: Layer, saying: LayerSaying, start: number | undefined): ExplainedProfile[] =>
    layer.map((installed) => {
      const says = saidBy(installed, at, start).limit;
      if (isMasked(layers, installed, at)) return { ...installed, says, standing: "masked" };
      const prevails = installed === saying.installed && (saying === transaction || saying === whole);
      return { ...installed, says, standing: standingOf(says, prevails ? saying.limit : undefined, lowest) };
    });
  const list = [
    ...explained(layers.tx, tx, startedAt),
    ...explained(layers.txDefault, txDefault, startedAt),
    ...explained(profiles.chargePointLayer, whole, always),
  ];
  const otherwise = lowest.includes(layers.maximum) ? "connector" : "charge point";
  return {
    ...now,
    text: wordsOf(now, list, `what the ${otherwise} can deliver`),
    profiles: inOrder(list),
    connectors: [],
  };
}

function explainedSum(profiles: ChargingProfiles, query: LimitQuery, now: LimitNow): Explanation {
  const connectors = profiles.connectorIds.map((connectorId) => {
    const each = { ...query, connectorId, unit: now.unit };
    return { connectorId, ...explainedConnector(profiles, each, limitAt(profiles, each)) };
  });
  const layer = profiles.chargePointLayer;
  const whole = chargePointSaying(layer, query.at);
  const { connectorIds, grid, maximum } = profiles;
  const asked = { moment: query.at, startedAt: undefined, unit: now.unit, grid };
  const layers = connectorIds.map((connectorId) => profiles.layersOf(connectorId));
  const { lowest } = least([whole.limit, maximum, sumOf(layers, layer, asked)], now.unit, grid);
  const list = layer.map((installed): ExplainedProfile => {
    const says = saidBy(installed, query.at, always).limit;
    return {
      ...installed,
      says,
      standing: standingOf(says, installed === whole.installed ? whole.limit : undefined, lowest),
    };
  });
  const parts = connectors.map(({ connectorId, limit, unit }) => `connector ${connectorId}: ${limit} ${unit}`);
  const otherwise =
    maximum && lowest.includes(maximum) ? "what the charge point can deliver" : "what its connectors may draw together";
  return {
    ...now,
    text: `${wordsOf(now, list, otherwise)} (${parts.join(", ")})`,
    profiles: inOrder(list),
    connectors,
  };
}

/** @param prevailing - What its purpose says, where it is what says that. */
function standingOf(says: Limit | undefined, prevailing: Limit | undefined, lowest: readonly Limit[]): Standing {
  if (says === undefined) return "silent";
  if (prevailing === undefined) return "overruled";
  if (prevailing === lowest[0]) return "wins";
  return lowest.includes(prevailing) ? "equal" : "higher";
}

const ranks: readonly Standing[] = ["wins", "equal", "higher", "overruled", "masked", "silent"];

const inOrder = (list: readonly ExplainedProfile[]): readonly ExplainedProfile[] =>
  [...list].sort((a, b) => ranks.indexOf(a.standing) - ranks.indexOf(b.standing));

/** @param otherwise - Why, where no profile wins. */
function wordsOf(now: LimitNow, list: readonly ExplainedProfile[], otherwise: string): string {
  const winner = list.find(({ standing }) => standing === "wins");
  const others = inOrder(list).filter(({ standing }) => standing !== "wins");
  const why = winner === undefined ? otherwise : named(winner);
  return [`${shown(now)}: ${why}`, ...others.map((other) => `${link[other.standing]} ${named(other)}`)].join("; ");
}

const link: Readonly<Record<Standing, string>> = {
  wins: "by",
  equal: "as much as",
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
