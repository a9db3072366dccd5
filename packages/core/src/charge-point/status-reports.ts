import { OwnSignal } from "../abort.ts";
import type { Req } from "../messages/actions.ts";

type Status = Req<"StatusNotification">;

/** A status and how far it has got. */
export interface StatusReport {
  status: Status;
  /** Whether its timestamp is ours, not the owner's, and may have to be amended. */
  stamped: boolean;
  /** Whether it is still to be sent. */
  due: boolean;
  /** Whether it was sent on the present connection, and not answered in time. */
  unanswered: boolean;
  /** Takes it back where it waits for its turn, because a newer status has replaced it. */
  readonly superseded: OwnSignal;
}

/**
 * Which statuses of its connectors a Charge Point still has to report.
 *
 * The newest of each connector counts; older ones that could not be sent are history that nobody wants (CORE-STAT-22):
 * a newer one takes back the one that waits, not the one on its way. What is due is due in the order of the events
 * (CORE-STAT-23).
 *
 * A conflict with the Local Authorization List is an event of connector 0 apart from its status: it is told once, and
 * neither replaces an error that the owner has reported, nor stays when the list has been corrected (LAL-06).
 *
 * @spec OCPP 1.6 §4.9, §3.5.2 [J-213, CORE-BOOT-08, CORE-STAT-02, CORE-STAT-20 … CORE-STAT-23, LAL-06]
 */
export class StatusReports {
  /** The newest status of each connector, and the newest conflict, in the order in which they are to be sent. */
  readonly #newest = new Map<number | "conflict", StatusReport>();

  /**
   * Takes a new status of a connector.
   *
   * @param stamped - Whether its timestamp is ours: `amended` changes no other.
   */
  changed(status: Status, stamped = false): void {
    this.#replace(status.connectorId, status, stamped);
  }

  /** Says that the Central System has accepted this Charge Point: it wants to know the status of every connector. */
  accepted(): void {
    for (const { status, stamped } of this.#own()) this.changed(status, stamped);
  }

  /** Says that the Central System contradicts the Local Authorization List. An error of connector 0 is told again after it. */
  conflict(timestamp: string): void {
    const own = this.#newest.get(0)?.status;
    const { status = "Available" } = own ?? {};
    this.#replace("conflict", { connectorId: 0, status, errorCode: "LocalListConflict", timestamp }, true);
    if (own !== undefined && own.errorCode !== "NoError") this.#tellAgain(timestamp);
  }

  /** Says that the list is another now: where the conflict was the last that was told of connector 0, its status is due. */
  corrected(timestamp: string): void {
    const order = [...this.#newest.keys()];
    const wasLast = order.indexOf("conflict") > order.indexOf(0);
    this.#newest.get("conflict")?.superseded.abort("superseded");
    this.#newest.delete("conflict");
    if (wasLast) this.#tellAgain(timestamp);
  }

  /** Says that the clock that stamped all of them was right: `amended` changes none of them any more. */
  trusted(): void {
    for (const report of this.#newest.values()) report.stamped = false;
  }

  /** Changes what the statuses say that were stamped by us, in place. */
  amended(amend: (status: Status) => Status): void {
    for (const report of this.#newest.values()) if (report.stamped) report.status = amend(report.status);
  }

  /** Takes the statuses to be sent now, in order. */
  take(): readonly StatusReport[] {
    const due = [...this.#newest.values()].filter((report) => report.due);
    for (const report of due) report.due = false;
    return due;
  }

  /** Says that a status that was taken did not get through, because the connection ended or has no room; it keeps its place. */
  lost(report: StatusReport): void {
    report.due = true;
  }

  /**
   * Says that nobody has answered a status in time. That may be the silence of somebody who is not there, so it is due
   * once more; a second time only on another connection, or a Central System that answers everything but statuses would
   * get nothing else.
   */
  unanswered(report: StatusReport): void {
    if (!report.unanswered) report.due = true;
    report.unanswered = true;
  }

  /** Says that the connection has ended: what nobody has answered on it is due on the next one. */
  disconnected(): void {
    for (const report of this.#newest.values()) {
      if (report.unanswered) report.due = true;
      report.unanswered = false;
    }
  }

  /**
   * The statuses that a TriggerMessage asks for: of one connector, or of all. [RT-03, RT-04]
   *
   * @param connectorId - 0 is the charge point itself.
   */
  of(connectorId: number | undefined): readonly Status[] {
    const statuses = this.#own().map(({ status }) => status);
    return connectorId === undefined ? statuses : statuses.filter((status) => status.connectorId === connectorId);
  }

  /** The newest of each connector, by number. */
  #own(): readonly StatusReport[] {
    return [...this.#newest]
      .filter(([key]) => key !== "conflict")
      .map(([, report]) => report)
      .sort((a, b) => a.status.connectorId - b.status.connectorId);
  }

  #tellAgain(timestamp: string): void {
    const available: Status = { connectorId: 0, status: "Available", errorCode: "NoError" };
    this.changed({ ...(this.#newest.get(0)?.status ?? available), timestamp }, true);
  }

  #replace(key: number | "conflict", status: Status, stamped: boolean): void {
    this.#newest.get(key)?.superseded.abort("superseded");
    this.#newest.delete(key);
    this.#newest.set(key, { status, stamped, due: true, unanswered: false, superseded: new OwnSignal() });
  }
}
