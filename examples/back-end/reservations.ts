import type { Conf, Req } from "@ocppj/core";
import { type Database, latest, type Page } from "./database.ts";

/**
 * `Requested`: the charger has not answered, and may hold the reservation or not. `Used`, `Cancelled`, `Expired`: it has
 * ended so. Others: what the charger has answered, or become.
 */
export const reservationStatuses = [
  "Requested",
  "Accepted",
  "Faulted",
  "Occupied",
  "Rejected",
  "Unavailable",
  "Used",
  "Cancelled",
  "Expired",
] as const;
type ReservationStatus = (typeof reservationStatuses)[number];

/** A connector that is kept for somebody. */
export interface Reservation {
  /** Counts them, in the order in which they were requested. */
  readonly position: number;
  readonly identity: string;
  readonly reservationId: number;
  /** 0: any connector of the charger. */
  readonly connectorId: number;
  readonly idTag: string;
  readonly parentIdTag: string | null;
  readonly expiryDate: string;
  readonly status: ReservationStatus;
  /** The transaction that has used it. */
  readonly transactionId: number | null;
}

/** Statuses in which a charger may hold a reservation. */
const open = "status IN ('Requested', 'Accepted')";

/** Reservations and what became of them. The charger decides; this is what we know of it. */
export class Reservations {
  readonly #highestId;
  readonly #request;
  readonly #expire;
  readonly #end;
  readonly #use;
  readonly #outOfUse;
  readonly #list;
  #lastId = 0;

  constructor(database: Database) {
    // Those that somebody else has chosen may be as high as integers get.
    this.#highestId = database.prepare<{ id: number | null }>(
      "SELECT max(reservationId) AS id FROM reservations WHERE reservationId < 1e9",
    );
    // RSV-01: a reservationId that the charger knows replaces that reservation.
    this.#request = database.prepare(`
      INSERT OR REPLACE INTO reservations (identity, reservationId, connectorId, idTag, parentIdTag, expiryDate, status)
      VALUES (@identity, @reservationId, @connectorId, @idTag, @parentIdTag, @expiryDate, 'Requested')`);
    this.#expire = database.prepare(
      `UPDATE reservations SET status = 'Expired' WHERE ${open} AND julianday(expiryDate) <= julianday('now')`,
    );
    this.#end = database.prepare(
      `UPDATE reservations SET status = @status
       WHERE ${open} AND identity = @identity AND reservationId = @reservationId`,
    );
    this.#use = database.prepare(
      `UPDATE reservations SET status = 'Used', transactionId = @transactionId
       WHERE identity = @identity AND reservationId = @reservationId AND transactionId IS NULL`,
    );
    this.#outOfUse = database.prepare(
      `UPDATE reservations SET status = @status
       WHERE ${open} AND identity = @identity AND @connectorId IN (0, connectorId)`,
    );
    this.#list = database.prepare<Reservation>(`
      SELECT rowid AS position, * FROM reservations
      WHERE rowid < @before AND identity = ifnull(@identity, identity) AND status = ifnull(@status, status)
      ORDER BY rowid DESC LIMIT @limit`);
  }

  /** A reservationId that no reservation has, and none that waits to be sent. */
  nextId(): number {
    this.#lastId = Math.max(this.#lastId, this.#highestId.one()?.id ?? 0) + 1;
    return this.#lastId;
  }

  /** ReserveNow is on its way. */
  requested(identity: string, req: Req<"ReserveNow">): void {
    this.#request.run({ identity, ...req });
  }

  /** ReserveNow was answered. The reservation may have been used already: then it stays so. */
  answered(identity: string, reservationId: number, status: Conf<"ReserveNow">["status"]): void {
    this.#end.run({ identity, reservationId, status });
  }

  cancelled(identity: string, reservationId: number): void {
    this.#end.run({ identity, reservationId, status: "Cancelled" });
  }

  /** A transaction has started that names a reservation: the first to do so has used it, expired by our clock or not. */
  used(identity: string, reservationId: number, transactionId: number): void {
    this.#use.run({ identity, reservationId, transactionId });
  }

  /** RSV-13: a connector, or with 0 the whole charger, that is out of use keeps no reservation. */
  outOfUse(identity: string, connectorId: number, status: "Faulted" | "Unavailable"): void {
    this.#outOfUse.run({ identity, connectorId, status });
  }

  /** The latest first. */
  list({ before = latest, identity, limit, status }: ReservationFilter): Reservation[] {
    this.#expire.run();
    return this.#list.all({ before, identity, limit, status });
  }
}

/** Which reservations to list; what is left out does not matter. */
export interface ReservationFilter extends Page {
  readonly identity?: string | undefined;
  readonly status?: ReservationStatus | undefined;
}
