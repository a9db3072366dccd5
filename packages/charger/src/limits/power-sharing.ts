/*
 * What each connector offers.
 *
 * Theory of operation. Each connector has a limit, and so has the charger: from its hardware and from charging profiles. Those
 * that want energy share that of the charger. Who gets nothing, because it does not suffice for all, gets its turn after a
 * while: the one that was served for longest pauses. Who draws less than he was offered for some time is offered less, so that
 * others get it, with room to grow; when he draws all of it again, he has it back at once. It is lowered before it is raised,
 * so the sum of what is offered never exceeds the limit.
 */

import type { Machine } from "@ocppj/core";
import type { ConnectorHardware, Offer } from "../hardware/hardware.ts";
import { type Demand, shareOut } from "./share-out.ts";

/** A limit, as core tells it. */
export interface SharedLimit {
  readonly limit: number;
  readonly unit: "A" | "W";
  readonly numberPhases?: number | undefined;
}

export interface PowerSharingOutput {
  readonly type: "share";
  readonly connectorId: number;
  /** `undefined`: none. */
  readonly offer: Offer | undefined;
}

export interface PowerSharingOptions {
  readonly connectors: readonly ConnectorHardware[];
  /** Between a phase and neutral, in V. Default 230. */
  readonly voltage?: number | undefined;
  /** How long one pauses at most before it is another's turn. */
  readonly pauseSeconds: number;
}

/** Less current than this per phase means nothing to a vehicle. [IEC 61851] */
const leastCurrent = 6;

/** How long somebody must have drawn less than offered until others get the difference, in milliseconds. */
const unusedMs = 30_000;
/** What is left to somebody beyond what he draws: so that he can show that he wants more. */
const marginPart = 0.2;
const tolerance = 1;

interface Connector {
  readonly phases: number;
  readonly isDirect: boolean;
  wants: boolean;
  limit: SharedLimit;
  offer: Offer | undefined;
  /** When it began to be offered something, or to wait for it. */
  since: number;
  /** What it draws, in W; `undefined`: nobody knows. */
  draws: number | undefined;
  /** Since when it has drawn clearly less than it was offered. */
  unusedSince: number | undefined;
  /** What is enough for it, since it does not draw more. */
  enough: number;
}

const never = Number.POSITIVE_INFINITY;

/** @spec OCPP 1.6 §3.13.3: the sum of all connectors keeps to the limit of the charger [SC-23] */
export class PowerSharing implements Machine<PowerSharingOutput> {
  readonly #connectors = new Map<number, Connector>();
  readonly #voltage: number;
  readonly #pauseMs: number;
  #total: SharedLimit = { limit: never, unit: "W" };
  /** When it is another's turn. */
  #turnsAt = never;
  readonly #outputs: PowerSharingOutput[] = [];

  constructor({ connectors, pauseSeconds, voltage = 230 }: PowerSharingOptions) {
    this.#voltage = voltage;
    this.#pauseMs = 1000 * pauseSeconds;
    connectors.forEach(({ maximum, phases = 3 }, index) => {
      this.#connectors.set(index + 1, {
        phases,
        isDirect: maximum.unit === "W",
        wants: false,
        limit: maximum,
        offer: undefined,
        since: Number.NEGATIVE_INFINITY,
        draws: undefined,
        unusedSince: undefined,
        enough: never,
      });
    });
  }

  get deadline(): number {
    let first = this.#turnsAt;
    for (const { unusedSince } of this.#connectors.values()) {
      if (unusedSince !== undefined) first = Math.min(first, unusedSince + unusedMs);
    }
    return first;
  }

  poll(): PowerSharingOutput | undefined {
    return this.#outputs.shift();
  }

  advance(now: number): void {
    let isDue = false;
    for (const connector of this.#connectors.values()) {
      if (connector.unusedSince === undefined || now < connector.unusedSince + unusedMs) continue;
      connector.unusedSince = undefined;
      connector.enough = (connector.draws ?? never) * (1 + marginPart);
      isDue = true;
    }
    if (now >= this.#turnsAt) {
      this.#rotate(now);
      isDue = true;
    }
    if (isDue) this.#share(now);
  }

  /** What a connector, or with 0 the charger, may draw. */
  limit(connectorId: number, limit: SharedLimit, now: number): void {
    const connector = this.#connectors.get(connectorId);
    if (connector !== undefined) connector.limit = limit;
    else this.#total = limit;
    this.#share(now);
  }

  /** Whether a connector may be offered energy at all. */
  wants(connectorId: number, wants: boolean, now: number): void {
    const connector = this.#connectors.get(connectorId);
    if (connector === undefined || connector.wants === wants) return;
    connector.wants = wants;
    connector.since = now;
    connector.draws = undefined;
    connector.unusedSince = undefined;
    connector.enough = never;
    this.#share(now);
  }

  /** What a connector draws, in W. */
  draws(connectorId: number, watts: number | undefined, now: number): void {
    const connector = this.#connectors.get(connectorId);
    if (connector?.offer === undefined || watts === undefined || this.#connectors.size === 1) return;
    connector.draws = watts;
    const { W } = connector.offer;
    if (watts * (1 + marginPart) >= W) {
      connector.unusedSince = undefined;
      const wasBound = connector.enough < never;
      connector.enough = never; // It wants more than it was thought to.
      if (wasBound && watts * (1 + marginPart / 2) >= W) this.#share(now);
    } else connector.unusedSince ??= connector.enough < never ? undefined : now;
  }

  /** Who was served for longest waits behind those that pause. */
  #rotate(now: number): void {
    const wanting = [...this.#connectors.values()].filter(({ wants }) => wants);
    const served = wanting.filter(({ offer }) => offer !== undefined).sort((a, b) => a.since - b.since);
    const [longest] = served;
    if (longest !== undefined) longest.since = now;
  }

  #share(now: number): void {
    const wanting = [...this.#connectors].filter(([, { wants }]) => wants);
    // Who began first, and whose turn it is not to pause.
    wanting.sort(([, a], [, b]) => a.since - b.since);
    const demands = wanting.map(([connectorId, connector]): Demand => {
      const most = this.#watts(connector.limit, connector);
      return {
        connectorId,
        most: Math.min(most, Math.max(this.#least(connector), connector.enough)),
        least: this.#least(connector),
      };
    });
    const shares = shareOut(this.#watts(this.#total, undefined), demands);
    const offers = [...this.#connectors].map(([id, connector]) => {
      const share = connector.wants ? (shares.get(id) ?? 0) : 0;
      return [id, connector, this.#offerOf(share, connector)] as const;
    });
    const raised = (offer: Offer | undefined, before: Offer | undefined): boolean => (offer?.W ?? 0) > (before?.W ?? 0);
    for (const isRaised of [false, true]) {
      for (const [id, connector, offer] of offers) {
        if (raised(offer, connector.offer) === isRaised) this.#offer(id, connector, offer);
      }
    }
    const pauses = wanting.some(
      ([id, connector]) => shares.get(id) === 0 && this.#watts(connector.limit, connector) >= this.#least(connector),
    );
    if (!pauses) this.#turnsAt = never;
    else if (this.#turnsAt === never || now >= this.#turnsAt) this.#turnsAt = now + this.#pauseMs;
  }

  #offer(connectorId: number, connector: Connector, offer: Offer | undefined): void {
    const before = connector.offer;
    const isSame =
      before?.phases === offer?.phases &&
      Math.abs((before?.W ?? 0) - (offer?.W ?? 0)) < tolerance &&
      (before === undefined) === (offer === undefined);
    if (isSame) return;
    connector.offer = offer;
    this.#outputs.push({ type: "share", connectorId, offer });
  }

  #phasesOf({ limit, phases }: Connector): number {
    return Math.min(phases, limit.numberPhases ?? phases);
  }

  /** The least that is of use. */
  #least(connector: Connector): number {
    return connector.isDirect ? 0 : leastCurrent * this.#voltage * this.#phasesOf(connector);
  }

  #watts({ limit, numberPhases = 3, unit }: SharedLimit, connector: Connector | undefined): number {
    if (unit === "W") return limit;
    return limit * this.#voltage * (connector === undefined ? numberPhases : this.#phasesOf(connector));
  }

  #offerOf(watts: number, connector: Connector): Offer | undefined {
    if (watts <= 0 || watts < this.#least(connector)) return undefined;
    const phases = this.#phasesOf(connector);
    // Downwards, to a tenth: never more than was said.
    const A = Math.floor((10 * watts) / (this.#voltage * phases) + 1e-6) / 10;
    return A > 0 ? { A, W: Math.floor(watts), phases } : undefined;
  }
}
