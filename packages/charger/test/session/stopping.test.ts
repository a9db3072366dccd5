import { describe, expect, test } from "vitest";
import { outputsOf } from "../../../core/test/charge-point/vocabulary.ts";
import type { StopReason } from "../../src/session/charging-session.ts";
import { at, begin, statusIn, taken } from "./vocabulary.ts";

describe("A transaction that is stopped", () => {
  test("by a card: the one that may stop it is told, energy ends with it, the cable is let go, and is to be taken [CORE-AUTH-03] [CORE-AUTH-09] [CORE-STOP-03] [CORE-STOP-07] [STX-C6] [STX-F1]", () => {
    const session = begin.transaction();
    session.presented("B", at(1, 10));
    expect(taken(session)).toEqual(["authorizeStop 1 B"]);
    session.answered(1, true, at(2, 20));
    expect(outputsOf(session)).toMatchObject([
      { type: "stop", reason: "Local", idTag: "B", at: { now: 2, register: 20 } },
      { type: "changed", facts: { transaction: false, mayOffer: false, userActionDue: true, idTag: undefined } },
      { type: "unlock" },
    ]);
    session.unplugged("charge-point", at(3, 20));
    expect(taken(session)).toEqual(["Available", "over"]);
  });

  test("goes on if the card may not stop it", () => {
    const session = begin.transaction();
    session.presented("B", at());
    session.answered(1, false, at());
    expect(taken(session)).toEqual(["authorizeStop 1 B"]);
    expect(session.facts).toMatchObject({ transaction: true, mayOffer: true });
  });

  test.each<StopReason>(["Remote", "Local", "SoftReset", "HardReset", "EmergencyStop", "PowerLoss", "Other"])(
    "by something else: %s, without a card [CORE-STOP-17] [STX-C6]",
    (reason) => {
      const session = begin.transaction();
      session.stopped(reason, at());
      expect(taken(session)).toEqual([`stop ${reason}`, "Finishing", "unlock"]);
    },
  );

  test("has the reason of the first cause [CORE-STOP-18]", () => {
    const session = begin.transaction();
    session.stopped("EmergencyStop", at());
    session.faulted(at());
    session.stopped("Remote", at());
    session.invalidated(at());
    session.unlocked(at());
    session.unplugged("charge-point", at());
    expect(taken(session).filter((each) => each.startsWith("stop"))).toEqual(["stop EmergencyStop"]);
  });

  test("forgets a card that wanted the same", () => {
    const session = begin.transaction();
    session.presented("B", at());
    session.stopped("Remote", at(1));
    session.answered(1, true, at(2));
    expect(taken(session)).toEqual(["authorizeStop 1 B", "stop Remote", "forget 1", "Finishing", "unlock"]);
  });

  test("by UnlockConnector: what was let go is not unlocked again [CORE-UNL-02]", () => {
    const session = begin.transaction();
    session.unlocked(at());
    expect(taken(session)).toEqual(["stop UnlockCommand", "Finishing"]);
    session.unplugged("charge-point", at());
    expect(taken(session)).toEqual(["Available", "over"]);
  });

  test("by the cable: Finishing is seen, though there is none left [CORE-STOP-17] [STX-C6] [STX-F1]", () => {
    const session = begin.transaction();
    session.unplugged("charge-point", at(5));
    expect(taken(session)).toEqual(["stop EVDisconnected", "Finishing", "unlock"]);
    expect(session.deadline).toBe(5);
    session.advance(5);
    expect(taken(session)).toEqual(["Available", "over"]);
  });

  test("by the cable, and the next one is in before anybody has looked [STX-F1]", () => {
    const session = begin.transaction();
    session.unplugged("charge-point", at(5));
    session.plugged(at(5));
    expect(session.facts).toMatchObject({ begun: true, userActionDue: false });
    expect(session.deadline).toBeGreaterThan(5);
  });

  test("can be followed by another one on the same cable [STX-F2]", () => {
    const session = begin.awaitingUnplug();
    session.presented("A", at());
    session.answered(1, true, at());
    session.locked(true, at());
    expect(taken(session)).toEqual(["authorize 1 A", "lock", "Preparing", "start A", "Charging"]);
  });

  test("stays Finishing while a card is asked about, and if it is refused", () => {
    const session = begin.awaitingUnplug();
    session.presented("A", at());
    session.answered(1, false, at());
    session.stopped("Local", at());
    expect(taken(session)).toEqual(["authorize 1 A"]);
    expect(statusIn(session.facts)).toBe("Finishing");
  });

  test("with a fixed cable, until that is out of the vehicle [STX-F1]", () => {
    const session = begin.transaction({ cable: "fixed", locks: false });
    session.stopped("Remote", at());
    session.unplugged("charge-point", at());
    expect(taken(session)).toEqual(["stop Remote", "Finishing", "Available", "over"]);
  });
});

describe("An identifier that is not accepted after all", () => {
  test("stops the transaction, and the cable is kept for who belongs to it [CORE-LAO-09] [CORE-START-04] [STX-C6]", () => {
    const session = begin.transaction();
    session.invalidated(at());
    expect(taken(session)).toEqual(["stop DeAuthorized", "Finishing"]);
    expect(session.facts.idTag).toBe("A");
    session.accepted("B", at());
    session.stopped("Local", at());
    expect(taken(session)).toEqual([]);
    session.presented("A", at());
    session.answered(1, true, at());
    expect(taken(session)).toEqual(["authorizeStop 1 A", "Finishing", "unlock"]);
    session.presented("A", at());
    expect(taken(session)).toEqual(["authorize 2 A"]);
  });

  test("is unlocked by UnlockConnector, too [CORE-UNL-01]", () => {
    const session = begin.transaction();
    session.invalidated(at());
    session.presented("A", at());
    session.unlocked(at());
    expect(taken(session)).toEqual(["stop DeAuthorized", "Finishing", "authorizeStop 1 A", "forget 1", "Finishing"]);
  });

  test("whose cable is torn out is over", () => {
    const session = begin.transaction();
    session.invalidated(at());
    session.presented("A", at());
    session.unplugged("charge-point", at());
    expect(taken(session).slice(-4)).toEqual(["forget 1", "Available", "unlock", "over"]);
  });

  test("keeps nothing that cannot be locked [CORE-LAO-09]", () => {
    const session = begin.transaction({ locks: false });
    session.invalidated(at());
    expect(session.facts.idTag).toBeUndefined();
  });

  test("has no energy any more, but its transaction, where the key says so [CORE-LAO-10] [STX-C5]", () => {
    const session = begin.transaction({}, { stopTransactionOnInvalidId: false });
    session.invalidated(at(1, 100));
    expect(taken(session)).toEqual(["SuspendedEVSE"]);
    expect(session.facts.transaction).toBe(true);
  });

  test("has a little more energy, once [CORE-LAO-11]", () => {
    const session = begin.transaction({}, { stopTransactionOnInvalidId: false, maxEnergyOnInvalidId: 50 });
    session.invalidated(at(1, 100));
    session.measured(at(2, 149));
    session.invalidated(at(3, 149));
    expect(taken(session)).toEqual([]);
    session.measured(at(4, 150));
    expect(taken(session)).toEqual(["SuspendedEVSE"]);
    session.measured(at(5, 0));
    session.faulted(at(6, 0));
    expect(session.facts.mayOffer).toBe(false);
  });

  test("has no say in the next transaction [CORE-LAO-10]", () => {
    const session = begin.transaction({ locks: false }, { stopTransactionOnInvalidId: false });
    session.invalidated(at(1, 100));
    session.stopped("Remote", at(2, 100));
    session.invalidated(at(3, 100));
    session.accepted("B", at(4, 100));
    expect(session.facts.mayOffer).toBe(true);
  });
});

describe("Something that breaks within a transaction", () => {
  test("takes the energy at once, and stops it [STX-C9] [STX-I6] [CORE-STOP-17]", () => {
    const session = begin.transaction();
    session.faulted(at());
    expect(taken(session)).toEqual(["stop Other", "Faulted", "unlock"]);
    session.mended(at());
    expect(taken(session)).toEqual(["Finishing"]);
  });

  test("takes the energy at once, and it goes on afterwards where the hardware may [STX-C9] [STX-I3]", () => {
    const session = begin.transaction({ resumesAfterFault: true });
    session.faulted(at());
    expect(taken(session)).toEqual(["Faulted"]);
    expect(session.facts).toMatchObject({ transaction: true, mayOffer: false });
    session.mended(at());
    expect(taken(session)).toEqual(["Charging"]);
  });
});

describe("A transaction of before a power cut", () => {
  test("goes on, with its cable locked", () => {
    const session = begin.awaitingTag();
    session.resumed("A", at());
    expect(taken(session)).toEqual(["Charging"]);
    session.stopped("Remote", at());
    expect(taken(session)).toEqual(["stop Remote", "Finishing", "unlock"]);
  });

  test("is stopped if something is broken", () => {
    const session = begin.awaitingTag();
    session.faulted(at());
    session.resumed("A", at());
    expect(taken(session)).toEqual(["Faulted", "stop Other", "Faulted", "unlock"]);
  });

  test("is none while another one runs", () => {
    const session = begin.transaction();
    session.resumed("B", at());
    expect([taken(session), session.facts.idTag]).toEqual([[], "A"]);
  });
});

describe("Facts", () => {
  test("are told when one of them is another, and only then", () => {
    const session = begin.awaitingTag();
    session.measured(at());
    session.plugged(at());
    session.mended(at());
    session.wantsEnergy(true, at());
    expect(outputsOf(session)).toEqual([]);
    session.wantsEnergy(false, at());
    expect(outputsOf(session)).toEqual([{ type: "changed", facts: { ...session.facts, wantsEnergy: false } }]);
  });
});
