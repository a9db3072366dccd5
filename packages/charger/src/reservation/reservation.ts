import { type Conf, type Req, sameIdTag } from "@ocppj/core";

/** A connector that is kept for somebody. */
export interface Reservation {
  readonly reservationId: number;
  /** 0: any connector. */
  readonly connectorId: number;
  readonly idTag: string;
  readonly parentIdTag?: string | undefined;
  /** In milliseconds since the epoch. */
  readonly expiresAt: number;
}

export type ReservationStatus = Conf<"ReserveNow">["status"];

/** How a connector is, for who wants to reserve it. */
export type Situation = "free" | "occupied" | "faulted" | "unavailable";

/** What is known when something is decided about reservations. */
export interface Circumstances {
  readonly connectorIds: readonly number[];
  /** The others. */
  readonly reservations: readonly Reservation[];
  readonly situationOf: (connectorId: number) => Situation;
}

/** Who may use a connector. */
export type Admission =
  /** Nobody has reserved it. */
  | { readonly type: "free" }
  /** The one who asks has. */
  | { readonly type: "own"; readonly reservation: Reservation }
  /** Others have, with groups: whoever belongs to the group of one of these may. */
  | { readonly type: "ask-parent"; readonly candidates: readonly Reservation[] }
  /** Others have, without a group. */
  | { readonly type: "refused" };

export const reservationOf = (req: Req<"ReserveNow">): Reservation => {
  const { connectorId, expiryDate, idTag, parentIdTag, reservationId } = req;
  const expiresAt = Date.parse(expiryDate);
  return { reservationId, connectorId, idTag, expiresAt, ...(parentIdTag !== undefined && { parentIdTag }) };
};

/** Connectors that are free and that nobody has reserved. */
const unreserved = ({ connectorIds, reservations, situationOf }: Circumstances): readonly number[] =>
  connectorIds.filter((id) => situationOf(id) === "free" && !reservations.some((each) => each.connectorId === id));

/** How many connectors have to stay free for whoever has reserved any. */
const promised = ({ reservations }: Circumstances): number =>
  reservations.filter(({ connectorId }) => connectorId === 0).length;

/**
 * What ReserveNow is answered with.
 *
 * @spec OCPP 1.6 §5.13 [RSV-02 … RSV-06, RSV-09]
 */
export function reserve({ connectorId }: Reservation, circumstances: Circumstances): ReservationStatus {
  const { connectorIds, reservations, situationOf } = circumstances;
  const left = unreserved(circumstances);
  if (connectorId === 0) {
    if (left.length > promised(circumstances)) return "Accepted";
    const situations = connectorIds.map(situationOf);
    if (situations.every((each) => each === "faulted")) return "Faulted";
    return situations.every((each) => each === "faulted" || each === "unavailable") ? "Unavailable" : "Occupied";
  }
  if (!connectorIds.includes(connectorId)) return "Rejected";
  const situation = situationOf(connectorId);
  if (situation === "faulted") return "Faulted";
  if (situation === "unavailable") return "Unavailable";
  const isTaken = situation === "occupied" || reservations.some((each) => each.connectorId === connectorId);
  return !isTaken && left.length > promised(circumstances) ? "Accepted" : "Occupied";
}

/**
 * Who may use a connector: for whom it is reserved, or anybody as long as enough are left for who has reserved any.
 *
 * @spec OCPP 1.6 §5.13 [RSV-08, RSV-09, RSV-11]
 */
export function admit(connectorId: number, idTag: string, circumstances: Circumstances): Admission {
  const { reservations } = circumstances;
  const concerned = reservations.filter((each) => each.connectorId === connectorId);
  const ofAny = reservations.filter((each) => each.connectorId === 0);
  // Whoever has reserved this one comes before those who have reserved any.
  const own = (concerned.length > 0 ? concerned : ofAny).find((each) => sameIdTag(each.idTag, idTag));
  if (own !== undefined) return { type: "own", reservation: own };
  if (concerned.length > 0) return forGroup(concerned);
  const others = unreserved(circumstances).filter((id) => id !== connectorId);
  const isEnough = others.length >= promised(circumstances);
  return isEnough ? { type: "free" } : forGroup(ofAny);
}

function forGroup(reservations: readonly Reservation[]): Admission {
  const candidates = reservations.filter(({ parentIdTag }) => parentIdTag !== undefined && parentIdTag !== "");
  return candidates.length > 0 ? { type: "ask-parent", candidates } : { type: "refused" };
}
