import type { Req } from "../messages/actions.ts";

type Status = Req<"StatusNotification">;

/**
 * Which statuses of its connectors a Charge Point still has to report.
 *
 * The newest of each connector counts; older ones that could not be sent are history that nobody wants (CORE-STAT-22).
 * What is due is due in the order of the events (CORE-STAT-23).
 *
 * @spec OCPP 1.6 §4.9 [J-213, CORE-BOOT-08, CORE-STAT-02, CORE-STAT-20 … CORE-STAT-23]
 */
export class StatusReports {
  /** The newest status of each connector, in the order in which they are to be sent. */
  readonly #current = new Map<number, Status>();
  readonly #due = new Set<number>();

  /** Takes a new status of a connector. */
  changed(status: Status): void {
    const { connectorId } = status;
    this.#current.delete(connectorId);
    this.#current.set(connectorId, status);
    this.#due.add(connectorId);
  }

  /** Says that the Central System has accepted this Charge Point: it wants to know the status of every connector. */
  accepted(): void {
    for (const status of this.of(undefined)) this.changed(status);
  }

  /** Changes what statuses say, in place. */
  amended(amend: (status: Status) => Status): void {
    for (const [connectorId, status] of this.#current) this.#current.set(connectorId, amend(status));
  }

  /** Takes the statuses to be sent now, in order. */
  take(): readonly Status[] {
    const statuses = [...this.#current.values()].filter(({ connectorId }) => this.#due.has(connectorId));
    this.#due.clear();
    return statuses;
  }

  /** Says that a status that was taken did not get through, because the connection ended; it keeps its place. */
  lost(status: Status): void {
    if (this.#current.get(status.connectorId) === status) this.#due.add(status.connectorId);
  }

  /**
   * The statuses that a TriggerMessage asks for: of one connector, or of all. [RT-03, RT-04]
   *
   * @param connectorId - 0 is the charge point itself.
   */
  of(connectorId: number | undefined): readonly Status[] {
    const statuses = [...this.#current.values()].sort((a, b) => a.connectorId - b.connectorId);
    return connectorId === undefined ? statuses : statuses.filter((status) => status.connectorId === connectorId);
  }
}
