import { outputsOf } from "../../../core/test/charge-point/vocabulary.ts";
import type { ConnectorStatus } from "../../src/charger-state.ts";
import { ChargingSession, type Moment, type SessionKeys } from "../../src/session/charging-session.ts";
import type { SessionFacts, SessionOutput, SessionTraits } from "../../src/session/session-facts.ts";
import { statusOf } from "../../src/status/status-of.ts";

export const second = 1000;

export const at = (now = 0, register = 0): Moment => ({ now, register });

const socket: SessionTraits = { locks: true, cable: "socket", resumesAfterFault: false };

export const keys: SessionKeys = {
  connectionTimeOutMs: 30 * second,
  stopTransactionOnInvalidId: true,
  maxEnergyOnInvalidId: 0,
  stopTransactionOnEVSideDisconnect: true,
  unlockConnectorOnEVSideDisconnect: true,
};

/** What facts lead to where nothing but the session decides. */
export const statusIn = (facts: SessionFacts): ConnectorStatus =>
  statusOf({ ...facts, offered: facts.mayOffer, reserved: false, operative: true }).status;

/** An output in a few words; of facts the status that follows from them. */
function said(output: SessionOutput): string {
  switch (output.type) {
    case "authorize":
    case "authorizeStop":
      return `${output.type} ${output.question} ${output.idTag}`;
    case "forget":
      return `forget ${output.question}`;
    case "start":
      return `start ${output.idTag}`;
    case "stop":
      return `stop ${output.reason}${output.idTag === undefined ? "" : ` by ${output.idTag}`}`;
    case "changed":
      return statusIn(output.facts);
    default:
      return output.type;
  }
}

/** Takes what was said, without facts that lead to the same status as before. */
export function taken(session: ChargingSession): string[] {
  const all = outputsOf(session).map(said);
  return all.filter((each, index) => each !== all[index - 1]);
}

/** A session in the phases that tests begin with; what led there is taken. */
export const begin = {
  idle(traits: Partial<SessionTraits> = {}, changes: Partial<SessionKeys> = {}): ChargingSession {
    return new ChargingSession({ ...socket, ...traits }, { ...keys, ...changes });
  },
  awaitingTag(traits: Partial<SessionTraits> = {}, changes: Partial<SessionKeys> = {}): ChargingSession {
    const session = begin.idle(traits, changes);
    session.plugged(at());
    outputsOf(session);
    return session;
  },
  awaitingPlug(traits: Partial<SessionTraits> = {}, changes: Partial<SessionKeys> = {}): ChargingSession {
    const session = begin.idle(traits, changes);
    session.accepted("A", at());
    outputsOf(session);
    return session;
  },
  awaitingLock(traits: Partial<SessionTraits> = {}, changes: Partial<SessionKeys> = {}): ChargingSession {
    const session = begin.awaitingTag(traits, changes);
    session.accepted("A", at());
    outputsOf(session);
    return session;
  },
  /** Started by A at 0, where the register is at 0. */
  transaction(traits: Partial<SessionTraits> = {}, changes: Partial<SessionKeys> = {}): ChargingSession {
    const session = begin.awaitingLock(traits, changes);
    session.locked(true, at());
    outputsOf(session);
    return session;
  },
  awaitingUnplug(traits: Partial<SessionTraits> = {}, changes: Partial<SessionKeys> = {}): ChargingSession {
    const session = begin.transaction(traits, changes);
    session.stopped("Remote", at());
    outputsOf(session);
    return session;
  },
};
