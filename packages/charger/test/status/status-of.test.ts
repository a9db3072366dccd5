import { describe, expect, test } from "vitest";
import { type ConnectorFacts, chargerStatusOf, statusOf } from "../../src/status/status-of.ts";

const free: ConnectorFacts = {
  plugged: false,
  vehicleGone: false,
  begun: false,
  idTag: undefined,
  transaction: false,
  userActionDue: false,
  wantsEnergy: true,
  faulted: false,
  mayOffer: false,
  offered: false,
  reserved: false,
  operative: true,
};
const charging = { ...free, plugged: true, idTag: "A", transaction: true, mayOffer: true, offered: true };
const over = { ...free, plugged: true, userActionDue: true };
const left = { info: "EV side disconnected" };

describe("The status that follows from facts", () => {
  test.each<[string, Partial<ConnectorFacts>, object]>([
    ["nobody is there", free, { status: "Available" }],
    ["it is reserved", { ...free, reserved: true }, { status: "Reserved" }],
    ["a cable is there, reserved or not", { ...free, plugged: true, reserved: true }, { status: "Preparing" }],
    ["somebody was accepted, reserved or not", { ...free, begun: true, reserved: true }, { status: "Preparing" }],
    ["it is out of service, reserved or not", { ...free, operative: false, reserved: true }, { status: "Unavailable" }],
    ["it is out of service and plugged", { ...free, operative: false, plugged: true }, { status: "Unavailable" }],
    ["energy is offered and wanted [CORE-STAT-14]", charging, { status: "Charging" }],
    ["it is to go out of service after this use", { ...charging, operative: false }, { status: "Charging" }],
    ["the vehicle wants none [CORE-STAT-14]", { ...charging, wantsEnergy: false }, { status: "SuspendedEV" }],
    ["nothing is offered [CORE-STAT-15]", { ...charging, offered: false }, { status: "SuspendedEVSE" }],
    [
      "neither is offered nor wanted [CORE-STAT-04]",
      { ...charging, offered: false, wantsEnergy: false },
      { status: "SuspendedEVSE" },
    ],
    [
      "the vehicle left its transaction behind [CORE-STAT-11]",
      { ...charging, offered: false, vehicleGone: true },
      { status: "SuspendedEV", ...left },
    ],
    [
      "the vehicle left, and that was a stop [CORE-STAT-12]",
      { ...over, vehicleGone: true },
      { status: "Finishing", ...left },
    ],
    ["the cable is still to be taken", over, { status: "Finishing" }],
    [
      "out of service, although a cable is in that came after that",
      { ...over, operative: false },
      { status: "Unavailable" },
    ],
    ["something is broken within a transaction", { ...charging, faulted: true }, { status: "Faulted" }],
    ["something is broken out of service", { ...free, faulted: true, operative: false }, { status: "Faulted" }],
  ])("%s", (_, facts, expected) => {
    expect(statusOf({ ...free, ...facts })).toEqual(expected);
  });

  test("of the charger itself is one of three [CORE-STAT-03]", () => {
    expect(chargerStatusOf({ faulted: false, operative: true })).toBe("Available");
    expect(chargerStatusOf({ faulted: false, operative: false })).toBe("Unavailable");
    expect(chargerStatusOf({ faulted: true, operative: true })).toBe("Faulted");
    expect(chargerStatusOf({ faulted: true, operative: false })).toBe("Faulted");
  });
});
