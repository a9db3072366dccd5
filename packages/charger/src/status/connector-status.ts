/*
 * What is told of the status of one connector, or of connector 0, as a machine.
 *
 * Theory of operation. A status follows from facts, and is said anew whenever one of them changes. What is told of it
 * are steps: each is a transition of the documents, or the same status with another error or info. Where there is no
 * transition from what was told last to what is so now, the status that lies between them is told on the way.
 *
 * With a minimum duration a status is told when it has held for that long, and one that has not is never told: there
 * is one that waits, and the newest takes its place. The first one after a restart waits for nothing, since a Central
 * System that accepts a charger wants to know all of them at once (CORE-STAT-02).
 *
 *   Inputs    is            what follows from the facts now
 *             configured    the minimum duration is another
 *   Output    status        tell this, in this order
 *   Query     latest        what follows from the facts, told or not
 *
 * Not handled here: what the facts are (charging-session.ts), what follows from them (status-of.ts), when the Central
 * System can be told (core).
 */

import type { Machine } from "@ocppj/core";
import type { ConnectorStatus } from "../charger-state.ts";
import type { HardwareError } from "../hardware/hardware.ts";
import { pathTo } from "./transitions.ts";

/** A status, what is wrong, and what is to be said of it. */
export interface StatusReport {
  readonly status: ConnectorStatus;
  readonly error: HardwareError;
  readonly info?: string;
}

export interface StatusStep extends StatusReport {
  readonly type: "status";
}

/** With what a vehicle that cannot be understood may be told. [CORE-STAT-10] */
const mayMisunderstand: readonly ConnectorStatus[] = ["Preparing", "SuspendedEV", "SuspendedEVSE", "Finishing"];

/** @spec OCPP 1.6 §4.9 [CORE-STAT-01, CORE-STAT-07 … CORE-STAT-10] */
export class ConnectorStatusReports implements Machine<StatusStep> {
  readonly #outputs: StatusStep[] = [];
  #minimumMs: number;
  #told: StatusReport | undefined;
  /** What is to be told when its status has held for long enough, and since when it does. */
  #waiting: { readonly report: StatusReport; readonly since: number } | undefined;

  /** @param minimumMs - How long a status has to hold before it is told. */
  constructor(minimumMs = 0) {
    this.#minimumMs = minimumMs;
  }

  get latest(): StatusReport {
    return this.#waiting?.report ?? this.#told ?? { status: "Available", error: { errorCode: "NoError" } };
  }

  get deadline(): number {
    return this.#waiting === undefined ? Number.POSITIVE_INFINITY : this.#waiting.since + this.#minimumMs;
  }

  poll(): StatusStep | undefined {
    return this.#outputs.shift();
  }

  /** CORE-STAT-08: it is the sum of MinimumStatusDuration and the maker's own. */
  configured(minimumMs: number): void {
    this.#minimumMs = minimumMs;
  }

  /** Says what follows from the facts now. */
  is(report: StatusReport, now: number): void {
    this.advance(now); // What waits has held until now.
    if (this.#told === undefined) this.#tell(report);
    else if (isSame(permitted(report), this.#told)) this.#waiting = undefined;
    else {
      // Another error does not make a status younger.
      const since = this.#waiting?.report.status === report.status ? this.#waiting.since : now;
      this.#waiting = { report, since };
    }
    this.advance(now);
  }

  advance(now: number): void {
    if (this.#waiting !== undefined && now >= this.deadline) this.#tell(this.#waiting.report);
  }

  #tell(report: StatusReport): void {
    const path = this.#told === undefined ? [] : pathTo(this.#told.status, report.status);
    for (const status of path.slice(0, -1))
      this.#outputs.push({ type: "status", ...permitted({ status, error: report.error }) });
    this.#told = permitted(report);
    this.#waiting = undefined;
    this.#outputs.push({ type: "status", ...this.#told });
  }
}

/** The report, with an error that may be told with its status. [CORE-STAT-10] */
function permitted(report: StatusReport): StatusReport {
  const { error, status } = report;
  if (error.errorCode !== "EVCommunicationError" || mayMisunderstand.includes(status)) return report;
  if (status === "Faulted") return { ...report, error: { ...error, errorCode: "OtherError" } };
  return { ...report, error: { errorCode: "NoError" } };
}

const isSame = (a: StatusReport, b: StatusReport): boolean =>
  a.status === b.status &&
  a.info === b.info &&
  a.error.errorCode === b.error.errorCode &&
  a.error.info === b.error.info &&
  a.error.vendorId === b.error.vendorId &&
  a.error.vendorErrorCode === b.error.vendorErrorCode;
