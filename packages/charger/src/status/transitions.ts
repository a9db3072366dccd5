import type { ConnectorStatus } from "../charger-state.ts";

/** A step from one status to another. */
export interface Transition {
  /** As the documents name it: the row is a letter, the column a number. */
  readonly code: string;
  /** What leads to it. */
  readonly event: string;
}

type Transitions = { readonly [From in ConnectorStatus]: { readonly [To in ConnectorStatus]?: Transition } };

const broken = "Something breaks, so that nothing can be charged.";
const repaired = "What was broken works again, and this is what the facts say now.";
const goneForGood = "The use ends with nothing left to do, and the connector was to go out of service then.";

/** All changes of the status of a connector that there are. @spec OCPP 1.6 §4.9 [STX-A2 … STX-I8] */
export const transitions: Transitions = {
  Available: {
    Preparing: { code: "A2", event: "A use begins: with a cable, a card, a button or a RemoteStartTransaction." },
    Charging: { code: "A3", event: "Charging begins at once, as where nobody has to be authorized." },
    SuspendedEV: { code: "A4", event: "As A3, but the vehicle does not take energy yet." },
    SuspendedEVSE: { code: "A5", event: "As A3, but no energy is offered yet." },
    Reserved: { code: "A7", event: "A ReserveNow was accepted." },
    Unavailable: { code: "A8", event: "It is taken out of service." },
    Faulted: { code: "A9", event: broken },
  },
  Preparing: {
    Available: { code: "B1", event: "The use is given up: no cable, or no card any more, or not in time." },
    Charging: { code: "B3", event: "All is there, and charging begins." },
    SuspendedEV: { code: "B4", event: "All is there, but the vehicle does not take energy yet." },
    SuspendedEVSE: { code: "B5", event: "All is there, but no energy is offered yet." },
    Finishing: {
      code: "B6",
      event: "A cable was plugged in, and no card came in time: the next one does not start on it.",
    },
    Faulted: { code: "B9", event: broken },
  },
  Charging: {
    Available: { code: "C1", event: "The use ends with nothing left to do, as when a fixed cable is pulled out." },
    SuspendedEV: { code: "C4", event: "The vehicle does not want energy at present." },
    SuspendedEVSE: { code: "C5", event: "No energy is offered at present." },
    Finishing: { code: "C6", event: "The transaction is stopped, and the cable is still to be taken." },
    Unavailable: { code: "C8", event: goneForGood },
    Faulted: { code: "C9", event: broken },
  },
  SuspendedEV: {
    Available: { code: "D1", event: "The use ends with nothing left to do." },
    Charging: { code: "D3", event: "The vehicle wants energy again." },
    SuspendedEVSE: { code: "D5", event: "No energy is offered any more, either." },
    Finishing: { code: "D6", event: "The transaction is stopped, and the cable is still to be taken." },
    Unavailable: { code: "D8", event: goneForGood },
    Faulted: { code: "D9", event: broken },
  },
  SuspendedEVSE: {
    Available: { code: "E1", event: "The use ends with nothing left to do." },
    Charging: { code: "E3", event: "Energy is offered again, and taken." },
    SuspendedEV: { code: "E4", event: "Energy is offered again, but not wanted." },
    Finishing: { code: "E6", event: "The transaction is stopped, and the cable is still to be taken." },
    Unavailable: { code: "E8", event: goneForGood },
    Faulted: { code: "E9", event: broken },
  },
  Finishing: {
    Available: { code: "F1", event: "The cable was taken." },
    Preparing: { code: "F2", event: "The driver begins anew, with the cable or a card." },
    Unavailable: { code: "F8", event: "The cable was taken, and the connector was to go out of service then." },
    Faulted: { code: "F9", event: broken },
  },
  Reserved: {
    Available: { code: "G1", event: "The reservation has expired or is cancelled." },
    Preparing: { code: "G2", event: "The one for whom it is reserved is there." },
    Unavailable: { code: "G8", event: "The reservation ends, as the connector goes out of service." },
    Faulted: { code: "G9", event: broken },
  },
  Unavailable: {
    Available: { code: "H1", event: "It is put into service again." },
    Preparing: { code: "H2", event: "It is put into service again, and somebody is there already." },
    Charging: { code: "H3", event: "It is put into service again, and charging begins at once." },
    SuspendedEV: { code: "H4", event: "As H3, but the vehicle does not take energy yet." },
    SuspendedEVSE: { code: "H5", event: "As H3, but no energy is offered yet." },
    Faulted: { code: "H9", event: broken },
  },
  Faulted: {
    Available: { code: "I1", event: repaired },
    Preparing: { code: "I2", event: repaired },
    Charging: { code: "I3", event: repaired },
    SuspendedEV: { code: "I4", event: repaired },
    SuspendedEVSE: { code: "I5", event: repaired },
    Finishing: { code: "I6", event: repaired },
    Reserved: { code: "I7", event: repaired },
    Unavailable: { code: "I8", event: repaired },
  },
};

/** Where a way leads that is no single step: the first that fits; `Available` last, for it invites the next driver. */
const between = ["Preparing", "Finishing", "Available"] as const satisfies readonly ConnectorStatus[];

/** The statuses to go through from one to another, which is the last; none if they are the same. [STX-X] */
export function pathTo(from: ConnectorStatus, to: ConnectorStatus): readonly ConnectorStatus[] {
  if (from === to) return [];
  if (transitions[from][to] !== undefined) return [to];
  const through = between.find((each) => transitions[from][each] !== undefined && transitions[each][to] !== undefined);
  return through === undefined ? [to] : [through, to];
}
