import * as z from "zod/mini";
import { action, ConnectorIdOrZero, DateTime, IdToken, Integer } from "./types.ts";

/**
 * Ends a reservation early.
 *
 * @spec OCPP 1.6 §5.1, §6.5, §6.6
 */
export const CancelReservation = action({
  from: ["CentralSystem"],
  profile: "Reservation",
  req: z.strictObject({
    reservationId: Integer,
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected"]),
  }),
});

/**
 * Reserves a connector for an identifier; a known `reservationId` replaces that reservation.
 *
 * @spec OCPP 1.6 §5.13, §6.37, §6.38 [RSV-18]
 */
export const ReserveNow = action({
  from: ["CentralSystem"],
  profile: "Reservation",
  req: z.strictObject({
    /** 0: any connector. */
    connectorId: ConnectorIdOrZero,
    /** The end of the reservation. */
    expiryDate: DateTime,
    idTag: IdToken,
    /** The group that may also use the reservation. */
    parentIdTag: z.optional(IdToken),
    reservationId: Integer,
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Faulted", "Occupied", "Rejected", "Unavailable"]),
  }),
});
