import {
  type ChargePoint,
  type Clock,
  drive,
  sameIdTag,
  type SmartCharging,
} from "@ocppj/core";
import type { Configuration } from "@ocppj/core";
import type { Availability } from "./availability/availability.ts";
import { CardReader } from "./card-reader.ts";
import { sessionKeys, valueOf } from "./charger-keys.ts";
import type { ChargerOptions } from "./charger-options.ts";
import type { ChargerState } from "./charger-state.ts";
import { Connector } from "./connector.ts";
import type { Desk } from "./desk.ts";
import { Errors } from "./errors.ts";
import type { AskedHardware } from "./hardware/asked-hardware.ts";
import type { Hardware, HardwareListener } from "./hardware/hardware.ts";
import type { Reading } from "./hardware/reading.ts";
import { PowerSharing } from "./limits/power-sharing.ts";
import { MeterSchedule } from "./metering/meter-schedule.ts";
import { answerRequests } from "./requests.ts";
import { Reset } from "./reset/reset.ts";
import type { Reservations } from "./reservation/reservations.ts";
import { ConnectorStatusReports } from "./status/connector-status.ts";
import { chargerStatusOf } from "./status/status-of.ts";
import { onClock, Together } from "./together.ts";

/** What a charger is made of once its store was read. */
export interface Loaded {
  readonly clock: Clock;
  readonly chargePoint: ChargePoint;
  readonly configuration: Configuration;
  readonly hardware: AskedHardware;
  readonly smartCharging: SmartCharging;
  readonly reservations: Reservations;
  readonly availability: Availability;
}

/** Who hears of what happens. */
export interface Outlet {
  say(connectorId: number, text: string): void;
  fault(error: unknown, connectorId?: number): void;
  changed(): void;
}
