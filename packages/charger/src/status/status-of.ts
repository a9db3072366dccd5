import type { ChargerState, ConnectorStatus } from "../charger-state.ts";
import type { SessionFacts } from "../session/session-facts.ts";

/** All that the status of a connector follows from. */
export interface ConnectorFacts extends SessionFacts {
  /** Whether energy is offered at present. */
  readonly offered: boolean;
  readonly reserved: boolean;
  readonly operative: boolean;
}

/** A status, and what is told along with it. */
export interface FollowingStatus {
  readonly status: ConnectorStatus;
  readonly info?: string;
}

/** CORE-STAT-11, CORE-STAT-12: the words are those of the documents, for somebody may look for them. */
const left = { info: "EV side disconnected" };

/**
 * The status of a connector follows from facts, and from nothing else.
 *
 * @spec OCPP 1.6 §4.9 [CORE-STAT-04, CORE-STAT-11 … CORE-STAT-15]
 */
export function statusOf(facts: ConnectorFacts): FollowingStatus {
  if (facts.faulted) return { status: "Faulted" };
  if (facts.transaction) {
    if (facts.vehicleGone) return { status: "SuspendedEV", ...left };
    if (!facts.offered) return { status: "SuspendedEVSE" };
    return { status: facts.wantsEnergy ? "Charging" : "SuspendedEV" };
  }
  // It goes out of service when it is free; what is plugged in after that does not bring it back.
  if (!facts.operative) return { status: "Unavailable" };
  if (facts.userActionDue) return { status: "Finishing", ...(facts.vehicleGone && left) };
  if (facts.begun || facts.plugged) return { status: "Preparing" };
  return { status: facts.reserved ? "Reserved" : "Available" };
}

/** The status of connector 0, whatever its connectors do. [CORE-STAT-03] */
export function chargerStatusOf({
  faulted,
  operative,
}: Pick<ConnectorFacts, "faulted" | "operative">): ChargerState["status"] {
  if (faulted) return "Faulted";
  return operative ? "Available" : "Unavailable";
}
