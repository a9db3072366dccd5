import type { ChargePoint, Clock, Configuration, SmartCharging } from "@ocppj/core";
import type { Availability } from "./availability/availability.ts";
import type { AskedHardware } from "./hardware/asked-hardware.ts";
import type { PowerSharing } from "./limits/power-sharing.ts";
import type { MeterSchedule } from "./metering/meter-schedule.ts";
import type { Situation } from "./reservation/reservation.ts";
import type { Reservations } from "./reservation/reservations.ts";

/** What the parts of a charger share. */
export interface Desk {
  readonly clock: Clock;
  readonly chargePoint: ChargePoint;
  readonly configuration: Configuration;
  readonly hardware: AskedHardware;
  readonly smartCharging: SmartCharging;
  readonly reservations: Reservations;
  readonly availability: Availability;
  readonly schedule: MeterSchedule;
  readonly sharing: PowerSharing;
  readonly options: {
    readonly keepReadingSeconds: number;
    readonly maxMessageBytes: number;
  };
  /** Takes what all machines say, and is to be called after each input. */
  run(): void;
  /** Has what the sharing of power says done, before anything else. */
  share(): void;
  /** How each connector is, for reservations. */
  readonly situationOf: (connectorId: number) => Situation;
  /** A line for a log. */
  say(connectorId: number, text: string): void;
  fault(error: unknown, connectorId?: number): void;
  /** Whether a transaction runs may be another. */
  charging(): void;
  /** The state is another. */
  changed(): void;
}
