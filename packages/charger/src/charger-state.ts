import type { ChargePoint, Req } from "@ocppj/core";
import type { HardwareError, Offer } from "./hardware/hardware.ts";
import type { Reading } from "./hardware/reading.ts";

export type ConnectorStatus = Req<"StatusNotification">["status"];

/** The use of a connector, from the first card or cable until it is free again. */
export interface SessionState {
  /** Whose it is; `undefined` as long as nobody has been accepted. */
  readonly idTag: string | undefined;
  readonly transaction:
    | {
        /** `undefined` until the Central System has told it. */
        readonly transactionId: number | undefined;
        /** In milliseconds since the epoch. */
        readonly startedAt: number;
        /** In Wh. */
        readonly energy: number;
      }
    | undefined;
}

/** A connector, as a display shows it. */
export interface ConnectorState {
  readonly connectorId: number;
  readonly status: ConnectorStatus;
  /** What is wrong; `NoError` if nothing is. */
  readonly error: HardwareError;
  readonly plugged: boolean;
  /** Whether it may be used, or will be as soon as it is free. */
  readonly operative: boolean;
  readonly session: SessionState | undefined;
  /** What is offered at present; `undefined`: the contactor is open. */
  readonly offer: Offer | undefined;
  readonly reservation:
    | { readonly reservationId: number; readonly idTag: string; readonly expiresAt: number }
    | undefined;
  /** What the meter told last. */
  readonly reading: Reading | undefined;
}

/** All that an owner needs to draw a display or a page. Read-only, another object after each change. */
export interface ChargerState {
  readonly connected: boolean;
  readonly registration: ChargePoint["registration"];
  /** How many messages wait for the Central System. */
  readonly undelivered: number;
  /** Of connector 0, the charger itself. */
  readonly status: "Available" | "Unavailable" | "Faulted";
  readonly error: HardwareError;
  /** Reservations of connector 0: of any connector. */
  readonly reservations: readonly NonNullable<ConnectorState["reservation"]>[];
  /** In the order of their numbers. */
  readonly connectors: readonly ConnectorState[];
}
