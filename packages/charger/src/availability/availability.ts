/*
 * Which connectors are in service.
 *
 * Theory of operation. There is a wish for the charger and one for each connector, which ChangeAvailability changes and which
 * survive power cuts; a connector is wanted in service if both say so. A wish counts at once where the connector is not in
 * use, else as soon as it is free. Besides, a connector may be out of service for a reason of the charger's own, which ends
 * by itself and is no wish.
 */

import type { Clock, Conf, RecordStore, Req } from "@ocppj/core";
import type { Decided } from "../decided.ts";
import { KeptRecords } from "../kept-records.ts";
import { oneAfterAnother } from "../one-after-another.ts";

type AvailabilityStatus = Conf<"ChangeAvailability">["status"];

interface Wish {
  readonly connectorId: number;
  readonly operative: boolean;
}

export interface AvailabilityOptions {
  readonly connectorIds: readonly number[];
  readonly clock: Clock;
  readonly report: (error: Error) => void;
}

/** @spec OCPP 1.6 §5.2, §4.9 [CORE-CA-02 … CORE-CA-10, CORE-STAT-05, CORE-STAT-06] */
export class Availability {
  readonly #connectorIds: readonly number[];
  readonly #records: KeptRecords<Wish>;
  /** What was decided last, whether or not that was answered already. Absent: in service. */
  readonly #decided = new Map<number, boolean>();
  /** What was asked for and answered. */
  readonly #wishes = new Map<number, boolean>();
  /** What counts at present. */
  readonly #inEffect = new Map<number, boolean>();
  /** For which reasons of the charger's own a connector is out of service. */
  readonly #withdrawn = new Map<number, Set<string>>();
  readonly #inTurn = oneAfterAnother();

  private constructor(records: KeptRecords<Wish>, { connectorIds }: AvailabilityOptions) {
    this.#records = records;
    this.#connectorIds = connectorIds;
  }

  /**
   * Reads what a store keeps under `availability/`. What was scheduled counts now: after a restart nothing is in use, unless
   * {@link Availability.resumed} says so.
   *
   * @throws What the store rejects with when it cannot be read.
   */
  static async load(store: RecordStore, options: AvailabilityOptions): Promise<Availability> {
    const records = new KeptRecords<Wish>(store, "availability", options);
    const availability = new Availability(records, options);
    for (const { connectorId, operative } of await records.load(readWish)) {
      availability.#decided.set(connectorId, operative);
      availability.#wishes.set(connectorId, operative);
    }
    for (const id of [0, ...options.connectorIds]) availability.#apply(id);
    return availability;
  }

  /** Whether a connector is in service at present; 0: the charger itself. */
  isOperative(connectorId: number): boolean {
    if (this.#withdrawn.has(connectorId) || this.#withdrawn.has(0)) return false;
    return this.#isIn(connectorId);
  }

  /** Whether a connector is to be in service, at once or as soon as it is free. */
  isWanted(connectorId: number): boolean {
    return isWanted(this.#wishes, connectorId);
  }

  /**
   * Decides on a ChangeAvailability. What is answered with Accepted or Scheduled would survive a power cut.
   *
   * @param isBusy - Whether a connector is in use.
   */
  change(
    { connectorId, type }: Req<"ChangeAvailability">,
    isBusy: (connectorId: number) => boolean,
  ): Promise<Decided<AvailabilityStatus>> {
    return this.#inTurn(async () => {
      const concerned = connectorId === 0 ? this.#connectorIds : [connectorId];
      if (concerned.some((id) => !this.#connectorIds.includes(id))) return nothing("Rejected"); // CORE-CA-10
      const operative = type === "Operative";
      if (!(await this.#records.put(`${connectorId}`, { connectorId, operative }))) return nothing("Rejected");
      this.#decided.set(connectorId, operative);
      const waits = concerned.some((id) => isBusy(id) && this.#isIn(id) && !isWanted(this.#decided, id));
      return { status: waits ? "Scheduled" : "Accepted", takeEffect: () => this.#takeEffect(connectorId, isBusy) };
    });
  }

  /** A connector is not in use any more: what was scheduled counts. [CORE-CA-09] */
  settled(connectorId: number): void {
    this.#apply(connectorId);
  }

  /** A transaction goes on after a power cut: what was scheduled for its end still is. */
  resumed(connectorId: number): void {
    this.#inEffect.set(connectorId, true);
  }

  /** Takes a connector out of service for a reason of the charger's own. [CORE-STAT-06] */
  withdraw(connectorId: number, reason: string): void {
    this.#withdrawn.set(connectorId, (this.#withdrawn.get(connectorId) ?? new Set()).add(reason));
  }

  /** That reason is gone. */
  giveBack(connectorId: number, reason: string): void {
    const reasons = this.#withdrawn.get(connectorId);
    reasons?.delete(reason);
    if (reasons?.size === 0) this.#withdrawn.delete(connectorId);
  }

  #takeEffect(connectorId: number, isBusy: (connectorId: number) => boolean): void {
    this.#wishes.set(connectorId, this.#decided.get(connectorId) ?? true);
    if (connectorId === 0) this.#apply(0);
    for (const id of connectorId === 0 ? this.#connectorIds : [connectorId]) {
      if (!isBusy(id) || this.isWanted(id)) this.#apply(id); // CORE-CA-03, CORE-CA-06
    }
  }

  #isIn(connectorId: number): boolean {
    return this.#inEffect.get(connectorId) ?? true;
  }

  /** What is wished counts. */
  #apply(connectorId: number): void {
    this.#inEffect.set(connectorId, this.isWanted(connectorId));
  }
}

/** A connector is in service if it is to be, and the charger is. */
const isWanted = (wishes: ReadonlyMap<number, boolean>, connectorId: number): boolean =>
  (wishes.get(connectorId) ?? true) && (wishes.get(0) ?? true);

const nothing = (status: AvailabilityStatus): Decided<AvailabilityStatus> => ({ status, takeEffect: () => {} });

function readWish(name: string, value: unknown): Wish | undefined {
  const { connectorId, operative } = (value ?? {}) as Partial<Wish>;
  return name === `${connectorId}` && typeof operative === "boolean" ? (value as Wish) : undefined;
}
