import { describe, expect, test } from "vitest";
import { outputsOf } from "../../../core/test/charge-point/vocabulary.ts";
import type { ConnectorStatus } from "../../src/charger-state.ts";
import type { HardwareError } from "../../src/hardware/hardware.ts";
import { ConnectorStatusReports } from "../../src/status/connector-status.ts";

const noError: HardwareError = { errorCode: "NoError" };
const second = 1000;

/** Told Available at 0. */
function reports(minimumMs = 0) {
  const machine = new ConnectorStatusReports(minimumMs);
  machine.is({ status: "Available", error: noError }, 0);
  outputsOf(machine);
  const is = (status: ConnectorStatus, now = 0, error = noError, info?: string): void =>
    machine.is({ status, error, ...(info !== undefined && { info }) }, now);
  const told = (): string[] => outputsOf(machine).map(({ status }) => status);
  return { machine, is, told };
}

describe("What is told of a status", () => {
  test("is every change, as it comes [CORE-STAT-01] [QD-27]", () => {
    const { is, told } = reports();
    is("Preparing");
    is("Charging");
    is("Finishing");
    is("Available");
    expect(told()).toEqual(["Preparing", "Charging", "Finishing", "Available"]);
  });

  test("are the first one at once, whatever it is and however long it has to hold [CORE-STAT-02]", () => {
    const machine = new ConnectorStatusReports(60 * second);
    machine.is({ status: "Finishing", error: noError }, 0);
    expect(outputsOf(machine)).toEqual([{ type: "status", status: "Finishing", error: noError }]);
  });

  test("leads over what lies between, without info that is not its own [STX-X]", () => {
    const { is, machine } = reports();
    is("Reserved");
    outputsOf(machine);
    is("SuspendedEV", 0, noError, "EV side disconnected");
    expect(outputsOf(machine)).toEqual([
      { type: "status", status: "Preparing", error: noError },
      { type: "status", status: "SuspendedEV", error: noError, info: "EV side disconnected" },
    ]);
  });

  test("is not repeated if nothing is another", () => {
    const { is, told } = reports();
    is("Available");
    is("Preparing");
    is("Preparing");
    expect(told()).toEqual(["Preparing"]);
  });

  test.each<[string, HardwareError, string?]>([
    ["errorCode", { errorCode: "HighTemperature" }],
    ["info of the error", { errorCode: "NoError", info: "hot" }],
    ["vendorId", { errorCode: "NoError", vendorId: "org.example" }],
    ["vendorErrorCode", { errorCode: "NoError", vendorErrorCode: "7" }],
    ["info", noError, "on its own"],
  ])("is told again with another %s: a warning [CORE-STAT-09]", (_, error, info) => {
    const { is, machine } = reports();
    is("Available", 0, error, info);
    is("Available", 0, error, info);
    expect(outputsOf(machine)).toEqual([
      { type: "status", status: "Available", error, ...(info !== undefined && { info }) },
    ]);
  });

  test("returns from Faulted to what is so now [STX-I6] [STX-I7]", () => {
    const { is, told } = reports();
    is("Preparing");
    is("Faulted", 0, { errorCode: "GroundFailure" });
    is("Finishing");
    is("Faulted", 0, { errorCode: "GroundFailure" });
    is("Reserved");
    expect(told()).toEqual(["Preparing", "Faulted", "Finishing", "Faulted", "Reserved"]);
  });

  test.each<[ConnectorStatus, string]>([
    ["Preparing", "EVCommunicationError"],
    ["SuspendedEV", "EVCommunicationError"],
    ["SuspendedEVSE", "EVCommunicationError"],
    ["Finishing", "EVCommunicationError"],
    ["Charging", "NoError"],
    ["Reserved", "NoError"],
    ["Faulted", "OtherError"],
  ])("has, with %s, instead of a vehicle that is not understood: %s %s [CORE-STAT-10]", (status, errorCode) => {
    const { is, machine } = reports();
    is(status, 0, { errorCode: "EVCommunicationError" });
    expect(outputsOf(machine).at(-1)?.error.errorCode).toBe(errorCode);
    is(status, 0, { errorCode: "EVCommunicationError" });
    expect(outputsOf(machine)).toEqual([]);
  });
});

describe("With a minimum duration", () => {
  test("every status is told when it has held for so long [CORE-STAT-07]", () => {
    const { is, machine, told } = reports(5 * second);
    is("Preparing", second);
    expect([told(), machine.deadline]).toEqual([[], 6 * second]);
    machine.advance(6 * second - 1);
    expect(told()).toEqual([]);
    machine.advance(6 * second);
    expect([told(), machine.deadline]).toEqual([["Preparing"], Number.POSITIVE_INFINITY]);
  });

  test("what did not last is dropped, and what follows is still in the table [CORE-STAT-07] [STX-X]", () => {
    const { is, machine, told } = reports(5 * second);
    is("Reserved", 0);
    machine.advance(5 * second);
    expect(told()).toEqual(["Reserved"]);
    is("Preparing", 10 * second);
    is("Charging", 11 * second);
    machine.advance(15 * second);
    expect(told()).toEqual([]);
    machine.advance(16 * second);
    expect(told()).toEqual(["Preparing", "Charging"]);
  });

  test("who is back at what was told tells nothing", () => {
    const { is, machine, told } = reports(5 * second);
    is("Preparing", 0);
    is("Available", second);
    expect(machine.deadline).toBe(Number.POSITIVE_INFINITY);
    machine.advance(60 * second);
    expect(told()).toEqual([]);
  });

  test("a status does not become younger with another error", () => {
    const { is, machine, told } = reports(5 * second);
    is("Preparing", 0);
    is("Preparing", 4 * second, { errorCode: "HighTemperature" });
    machine.advance(5 * second);
    expect(told()).toEqual(["Preparing"]);
  });

  test("what has held until the next one comes is told, even where nobody was woken in between", () => {
    const { is, told } = reports(5 * second);
    is("Preparing", 0);
    is("Charging", 5 * second);
    expect(told()).toEqual(["Preparing"]);
  });

  test("counts as it is now for what waits already [CORE-STAT-08]", () => {
    const { is, machine, told } = reports(5 * second);
    is("Preparing", 0);
    machine.configured(2 * second);
    expect(machine.deadline).toBe(2 * second);
    machine.advance(2 * second);
    expect(told()).toEqual(["Preparing"]);
  });

  test("what is shown is what is so, not what was told", () => {
    const { is, machine } = reports(5 * second);
    is("Preparing", 0);
    expect(machine.latest.status).toBe("Preparing");
  });
});
