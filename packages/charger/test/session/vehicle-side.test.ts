import { describe, expect, test } from "vitest";
import { at, begin, taken } from "./vocabulary.ts";

describe("A vehicle that is unplugged at its end", () => {
  const combinations = (stops: boolean, unlocks: boolean) => ({
    stopTransactionOnEVSideDisconnect: stops,
    unlockConnectorOnEVSideDisconnect: unlocks,
  });

  test("stops, and the cable is let go [CORE-STOP-08] [CORE-STOP-09] [CORE-STOP-11] [CORE-STAT-12]", () => {
    const session = begin.transaction({}, combinations(true, true));
    session.unplugged("vehicle", at());
    expect(taken(session)).toEqual(["stop EVDisconnected", "Finishing", "unlock"]);
    expect(session.facts).toMatchObject({ vehicleGone: true, plugged: true });
    session.plugged(at(1));
    expect(session.facts).toMatchObject({ vehicleGone: false, mayOffer: false });
    session.unplugged("charge-point", at(2));
    expect(taken(session)).toEqual(["Finishing", "Available", "over"]);
  });

  test("stops, and the cable is kept for who may have it [CORE-STOP-08] [CORE-STOP-11] [CORE-STAT-12]", () => {
    const session = begin.transaction({}, combinations(true, false));
    session.unplugged("vehicle", at());
    expect(taken(session)).toEqual(["stop EVDisconnected", "Finishing"]);
    session.presented("B", at(1));
    session.answered(1, false, at(1));
    expect(taken(session)).toEqual(["authorizeStop 1 B"]);
    session.presented("A", at(2));
    session.answered(2, true, at(2));
    expect(taken(session)).toEqual(["authorizeStop 2 A", "Finishing", "unlock"]);
    session.unplugged("charge-point", at(3));
    expect(taken(session)).toEqual(["Available", "over"]);
  });

  test.each([true, false])(
    "goes on with the lock closed, and with energy once it is back, be the other key %s [CORE-STOP-10] [CORE-STOP-12] [CORE-STAT-11]",
    (unlocks) => {
      const session = begin.transaction({}, combinations(false, unlocks));
      session.unplugged("vehicle", at());
      expect(taken(session)).toEqual(["SuspendedEV"]);
      expect(session.facts).toMatchObject({ transaction: true, vehicleGone: true, mayOffer: false });
      session.plugged(at(1));
      expect(taken(session)).toEqual(["Charging"]);
      expect(session.facts).toMatchObject({ vehicleGone: false, mayOffer: true });
    },
  );

  test("is let go when its user comes, though the vehicle is not back [CORE-STOP-12]", () => {
    const session = begin.transaction({}, combinations(false, true));
    session.unplugged("vehicle", at());
    session.presented("A", at(1));
    session.answered(1, true, at(1));
    expect(taken(session)).toEqual(["SuspendedEV", "authorizeStop 1 A", "stop Local by A", "Finishing", "unlock"]);
  });

  test("and then at this one: the transaction has nothing left [CORE-STOP-17]", () => {
    const session = begin.transaction({}, combinations(false, false));
    session.unplugged("vehicle", at());
    session.unplugged("charge-point", at(1));
    expect(taken(session)).toEqual(["SuspendedEV", "stop EVDisconnected", "Finishing", "unlock"]);
    session.advance(1);
    expect(taken(session)).toEqual(["Available", "over"]);
  });

  test.each(["vehicle", "charge-point"] as const)(
    "or a fixed cable, told as %s: stops, and is gone [STX-C1]",
    (end) => {
      const session = begin.transaction({ cable: "fixed" }, combinations(true, false));
      session.unplugged(end, at(5));
      expect(taken(session)).toEqual(["stop EVDisconnected", "Finishing"]);
      expect(session.facts.vehicleGone).toBe(true);
      session.advance(5);
      expect(taken(session)).toEqual(["Available", "over"]);
    },
  );

  test("or a fixed cable: goes on [CORE-STOP-10]", () => {
    const session = begin.transaction({ cable: "fixed" }, combinations(false, false));
    session.unplugged("vehicle", at(5));
    session.unplugged("vehicle", at(6));
    session.plugged(at(7));
    expect(taken(session)).toEqual(["SuspendedEV", "Charging"]);
    session.unplugged("vehicle", at(8));
    session.stopped("Remote", at(9));
    session.advance(9);
    expect(taken(session)).toEqual(["SuspendedEV", "stop Remote", "Finishing", "Available", "over"]);
  });

  test("after another stop is nobody's news", () => {
    const session = begin.awaitingUnplug();
    session.unplugged("vehicle", at());
    expect(session.facts.vehicleGone).toBe(false);
    expect(taken(session)).toEqual([]);
  });

  test("wants energy again when another takes its place, until that says something else [CORE-STAT-14]", () => {
    const session = begin.transaction({}, combinations(false, false));
    session.wantsEnergy(false, at());
    expect(taken(session)).toEqual(["SuspendedEV"]);
    session.unplugged("vehicle", at());
    session.plugged(at());
    expect(taken(session)).toEqual(["SuspendedEV", "Charging"]);
  });
});
