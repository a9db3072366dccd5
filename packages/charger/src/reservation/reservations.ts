/*
 * Who has reserved which connector, kept through power cuts.
 *
 * Theory of operation. What is asked for is decided on by all reservations that were taken, written down, decided on again,
 * because the world goes on meanwhile, and answered; it counts once that was answered. A reservation is over when it is used,
 * cancelled or replaced, when its time is up, also while the power is off, or when its connector cannot be used any more.
 */

import { type Clock, type Conf, check, type Machine, type RecordStore, type Req } from "@ocppj/core";
import type { Decided } from "../decided.ts";
import { KeptRecords } from "../kept-records.ts";
import { oneAfterAnother } from "../one-after-another.ts";
import {
  type Admission,
  admit,
  type Circumstances,
  type Reservation,
  type ReservationStatus,
  reservationOf,
  reserve,
  type Situation,
} from "./reservation.ts";

export type { Reservation };

/** How often a store that has refused something is asked again. */
const retryMs = 60_000;

/** A reservation is over. */
export interface ReservationOutput {
  readonly type: "ended";
  readonly reservation: Reservation;
  readonly cause: "expired" | "used" | "cancelled" | "inoperative" | "replaced";
}

export interface ReservationsOptions {
  readonly connectorIds: readonly number[];
  /** ReserveConnectorZeroSupported. */
  readonly connectorZero: boolean;
  readonly clock: Clock;
  readonly report: (error: Error) => void;
}

/** @spec OCPP 1.6 §5.1, §5.13 */
export class Reservations implements Machine<ReservationOutput> {
  readonly #options: ReservationsOptions;
  readonly #records: KeptRecords<Reservation>;
  /** What was decided, whether or not it counts already. By id. */
  readonly #decided = new Map<number, Reservation>();
  /** What counts. */
  readonly #inEffect = new Map<number, Reservation>();
  readonly #outputs: ReservationOutput[] = [];
  readonly #inTurn = oneAfterAnother();
  /** When the store may be asked again for what it has refused. */
  #retryAt = 0;

  private constructor(records: KeptRecords<Reservation>, options: ReservationsOptions) {
    this.#records = records;
    this.#options = options;
  }

  /**
   * Reads what a store keeps under `reservation/`.
   *
   * @throws What the store rejects with when it cannot be read.
   */
  static async load(store: RecordStore, options: ReservationsOptions): Promise<Reservations> {
    const records = new KeptRecords<Reservation>(store, "reservation", options);
    const reservations = new Reservations(records, options);
    for (const each of await records.load(readReservation)) {
      reservations.#decided.set(each.reservationId, each);
      reservations.#inEffect.set(each.reservationId, each);
    }
    return reservations;
  }

  /** Those that count. */
  get all(): readonly Reservation[] {
    return [...this.#inEffect.values()];
  }

  /** The reservation of a connector. */
  on(connectorId: number): Reservation | undefined {
    return this.all.find((each) => each.connectorId === connectorId);
  }

  /** Who may use a connector at present. */
  admission(connectorId: number, idTag: string, situationOf: (connectorId: number) => Situation): Admission {
    return admit(connectorId, idTag, this.#circumstances(this.all, situationOf));
  }

  /** When the next one is over, or the store is asked again. */
  get deadline(): number {
    const retryAt = this.#records.isOwing ? this.#retryAt : Number.POSITIVE_INFINITY;
    return this.all.reduce((first, { expiresAt }) => Math.min(first, expiresAt), retryAt);
  }

  /** RSV-15 */
  advance(now: number): void {
    for (const each of this.all) if (each.expiresAt <= now) this.#end(each, "expired");
    if (this.#retryAt > now) return;
    this.#retryAt = now + retryMs;
    void this.#records.settle();
  }

  poll(): ReservationOutput | undefined {
    return this.#outputs.shift();
  }

  /** Decides on a ReserveNow. What is Accepted would survive a power cut. [RSV-01 … RSV-10] */
  reserveNow(
    req: Req<"ReserveNow">,
    now: number,
    situationOf: (connectorId: number) => Situation,
  ): Promise<Decided<ReservationStatus>> {
    const asked = reservationOf(req);
    return this.#inTurn(async () => {
      const refusal = this.#refusal(asked, now, situationOf);
      if (refusal !== undefined) return nothing(refusal);
      if (!(await this.#records.put(`${asked.reservationId}`, asked))) return nothing("Rejected");
      const refusalNow = this.#refusal(asked, now, situationOf);
      if (refusalNow !== undefined) {
        await this.#restore(asked.reservationId);
        return nothing(refusalNow);
      }
      this.#decided.set(asked.reservationId, asked);
      return { status: "Accepted", takeEffect: () => this.#takeEffect(asked) };
    });
  }

  /** Decides on a CancelReservation. [RSV-20, RSV-21] */
  cancelReservation({
    reservationId,
  }: Req<"CancelReservation">): Promise<Decided<Conf<"CancelReservation">["status"]>> {
    return this.#inTurn(async () => {
      const reservation = this.#decided.get(reservationId);
      if (reservation === undefined) return nothing("Rejected");
      this.#decided.delete(reservationId);
      await this.#records.forget(`${reservationId}`);
      return { status: "Accepted", takeEffect: () => this.#end(reservation, "cancelled") };
    });
  }

  /** A transaction has started with it. [RSV-13] */
  used(reservationId: number): void {
    const reservation = this.#inEffect.get(reservationId);
    if (reservation !== undefined) this.#end(reservation, "used");
  }

  /** A connector, or with 0 the charger, is Faulted or Unavailable. [RSV-13] */
  inoperative(connectorId: number): void {
    // Also what is about to be answered: it is over before it counts.
    for (const each of new Set([...this.all, ...this.#decided.values()])) {
      if (connectorId === 0 || each.connectorId === connectorId) this.#end(each, "inoperative");
    }
  }

  /** Why it is not Accepted; `undefined`: it is. */
  #refusal(
    asked: Reservation,
    now: number,
    situationOf: (connectorId: number) => Situation,
  ): ReservationStatus | undefined {
    if (!(asked.expiresAt > now)) return "Rejected"; // It would be over before it began.
    if (asked.connectorId === 0 && !this.#options.connectorZero) return "Rejected"; // RSV-10
    const others = [...this.#decided.values()].filter(({ reservationId }) => reservationId !== asked.reservationId);
    const status = reserve(asked, this.#circumstances(others, situationOf));
    return status === "Accepted" ? undefined : status;
  }

  #circumstances(reservations: readonly Reservation[], situationOf: (connectorId: number) => Situation): Circumstances {
    return { connectorIds: this.#options.connectorIds, reservations, situationOf };
  }

  #takeEffect(reservation: Reservation): void {
    const { reservationId } = reservation;
    const decided = this.#decided.get(reservationId);
    const replaced = this.#inEffect.get(reservationId);
    if (replaced !== undefined && replaced !== decided) this.#end(replaced, "replaced");
    if (decided === reservation) this.#inEffect.set(reservationId, reservation); // Else it is over already.
  }

  #end(reservation: Reservation, cause: ReservationOutput["cause"]): void {
    const { reservationId } = reservation;
    if (this.#inEffect.get(reservationId) === reservation) {
      this.#inEffect.delete(reservationId);
      this.#outputs.push({ type: "ended", reservation, cause });
    }
    if (this.#decided.get(reservationId) === reservation) {
      this.#decided.delete(reservationId);
      void this.#records.forget(`${reservationId}`);
    }
  }

  /** Writes what was there before. */
  async #restore(reservationId: number): Promise<void> {
    const before = this.#decided.get(reservationId);
    if (before === undefined) await this.#records.forget(`${reservationId}`);
    else await this.#records.restore(`${reservationId}`, before);
  }
}

const nothing = <Status>(status: Status): Decided<Status> => ({ status, takeEffect: () => {} });

function readReservation(name: string, value: unknown): Reservation | undefined {
  const { expiresAt, ...rest } = (value ?? {}) as Partial<Reservation>;
  if (typeof expiresAt !== "number" || name !== `${rest.reservationId}`) return undefined;
  try {
    check("ReserveNow", "req", { ...rest, expiryDate: "2026-01-01T00:00:00Z" });
    return value as Reservation;
  } catch {
    return undefined;
  }
}
