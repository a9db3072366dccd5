import type { ChargePoint, Clock, Configuration, SmartCharging } from "@ocppj/core";
import type { Availability } from "./availability/availability.ts";
import type { OpenCertificates } from "./certificates/certificates.ts";
import type { KeptJob } from "./files/kept-job.ts";
import type { AskedHardware } from "./hardware/asked-hardware.ts";
import type { KeptRecords } from "./kept-records.ts";
import type { PowerSharing } from "./limits/power-sharing.ts";
import type { MeterSchedule } from "./metering/meter-schedule.ts";
import type { Situation } from "./reservation/reservation.ts";
import type { Reservations } from "./reservation/reservations.ts";
import type { Security } from "./security/security.ts";

/** What a charger is made of once its store was read. */
export interface Loaded {
  readonly clock: Clock;
  readonly chargePoint: ChargePoint;
  readonly configuration: Configuration;
  readonly hardware: AskedHardware;
  readonly smartCharging: SmartCharging;
  readonly reservations: Reservations;
  readonly availability: Availability;
  readonly jobs: KeptRecords<KeptJob>;
  /** Who is told of what matters to security; without `security` nobody. */
  readonly security: Security | undefined;
  readonly certificates: OpenCertificates | undefined;
}

/** Who hears of what happens. */
export interface Outlet {
  /** A line for a log. */
  say(connectorId: number, text: string): void;
  fault(error: unknown, connectorId?: number): void;
  /** The state is another. */
  changed(): void;
}

/** What the parts of a charger share. */
export interface Desk extends Loaded, Outlet {
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
  /** Whether a transaction runs may be another. */
  charging(): void;
}
