import { describe, expect, test } from "vitest";
import { at, begin, keys, second, statusIn, taken } from "./vocabulary.ts";

describe("A session that begins", () => {
  test("with the cable: Preparing, the card is asked about, the lock closes, then it starts [CORE-AUTH-01] [CORE-AUTH-02] [STX-A2] [STX-B3]", () => {
    const session = begin.idle();
    session.plugged(at());
    expect(taken(session)).toEqual(["Preparing"]);
    session.presented("A", at(1));
    expect(taken(session)).toEqual(["authorize 1 A"]);
    session.answered(1, true, at(2));
    expect(taken(session)).toEqual(["lock", "Preparing"]);
    session.locked(true, at(3, 17));
    expect(taken(session)).toEqual(["start A", "Charging"]);
  });

  test("with a card: Preparing once it was accepted, and no sooner [CORE-AUTH-01] [STX-A2] [STX-B3]", () => {
    const session = begin.idle();
    session.presented("A", at());
    expect(taken(session)).toEqual(["authorize 1 A"]);
    session.answered(1, true, at(1));
    expect(taken(session)).toEqual(["Preparing"]);
    session.plugged(at(2));
    expect(taken(session)).toEqual(["lock", "Preparing"]);
    session.locked(true, at(3));
    expect(taken(session)).toEqual(["start A", "Charging"]);
  });

  test("remotely is not asked about [CORE-RST-03]", () => {
    const session = begin.awaitingTag();
    session.accepted("A", at());
    session.locked(true, at(1));
    expect(taken(session)).toEqual(["lock", "Preparing", "start A", "Charging"]);
  });

  test("starts with the register of the moment in which the lock has closed [CORE-START-06]", () => {
    const session = begin.awaitingLock();
    session.locked(true, at(3, 17));
    expect(session.poll()).toEqual({ type: "start", idTag: "A", at: { now: 3, register: 17 } });
  });

  test.each([{ locks: false }, { cable: "fixed" as const }])(
    "starts at once where nothing can be locked: %o",
    (traits) => {
      const session = begin.awaitingTag(traits);
      session.accepted("A", at());
      expect(taken(session)).toEqual(["start A", "Charging"]);
    },
  );

  test("with a card that is refused is over, and was never Preparing [CORE-AUTH-14]", () => {
    const session = begin.idle();
    session.presented("A", at());
    session.answered(1, false, at(1));
    expect(taken(session)).toEqual(["authorize 1 A", "over"]);
  });

  test("does not start if the lock does not close: faulted until the cable is out [TC_024]", () => {
    const session = begin.awaitingLock();
    session.locked(false, at(1));
    expect(taken(session)).toEqual(["lockFailed", "Faulted", "unlock"]);
    session.presented("B", at(2));
    session.accepted("B", at(2));
    session.mended(at(2));
    expect(taken(session)).toEqual([]);
    session.unplugged("charge-point", at(3));
    expect(taken(session)).toEqual(["Available", "over"]);
    session.plugged(at(4));
    session.accepted("A", at(5));
    session.locked(true, at(6));
    expect(taken(session)).toEqual(["Preparing", "lock", "Preparing", "start A", "Charging"]);
  });

  test("waits on when the cable is pulled out before the lock has closed, which is opened", () => {
    const session = begin.awaitingLock();
    session.unplugged("charge-point", at(1));
    session.locked(true, at(2));
    expect(taken(session)).toEqual(["Preparing", "unlock"]);
    session.plugged(at(3));
    session.locked(true, at(4));
    expect(taken(session)).toEqual(["lock", "Preparing", "start A", "Charging"]);
  });

  test("does not start on a cable without a vehicle", () => {
    const session = begin.awaitingTag();
    session.unplugged("vehicle", at());
    session.accepted("A", at());
    expect(taken(session)).toEqual(["Preparing"]);
    session.plugged(at(1));
    expect(taken(session)).toEqual(["lock"]);
  });

  test("waits for a lock that is still closing for the one before", () => {
    const session = begin.awaitingLock();
    session.presented("A", at()); // Given up.
    session.accepted("B", at(1));
    session.locked(true, at(2));
    expect(taken(session)).toEqual(["Finishing", "Preparing", "start B", "Charging"]);
  });

  test("is not over before the lock of somebody who gave up is open again", () => {
    const session = begin.awaitingLock();
    session.stopped("Local", at());
    session.unplugged("charge-point", at(1));
    expect(taken(session)).toEqual(["Finishing", "Available"]);
    session.locked(true, at(2));
    expect(taken(session)).toEqual(["unlock", "over"]);
  });
});

describe("Several cards", () => {
  test("while one is asked about: the same once more is nothing, another takes its place", () => {
    const session = begin.idle();
    session.presented("A", at());
    session.presented("a", at(1));
    session.presented("B", at(2));
    expect(taken(session)).toEqual(["authorize 1 A", "forget 1", "authorize 2 B"]);
    session.answered(1, true, at(3));
    expect([taken(session), session.facts.idTag]).toEqual([[], undefined]);
    session.answered(2, true, at(4));
    expect(session.facts.idTag).toBe("B");
  });

  test.each([
    ["awaitingPlug" as const, ["Available", "over"]],
    ["awaitingLock" as const, ["Finishing"]],
  ])("the same again when it was accepted ends the use: %s [STX-B1]", (phase, expected) => {
    const session = begin[phase]();
    session.presented("a", at(1));
    expect(taken(session)).toEqual(expected);
    expect(session.facts.idTag).toBeUndefined();
  });

  test("another that is accepted takes its place, one that is refused does not", () => {
    const session = begin.awaitingPlug();
    session.presented("B", at(1));
    session.answered(1, false, at(2));
    expect(session.facts.idTag).toBe("A");
    session.presented("C", at(3));
    session.answered(2, true, at(4));
    session.plugged(at(5));
    session.locked(true, at(6));
    expect(taken(session).filter((each) => each.startsWith("start"))).toEqual(["start C"]);
  });

  test("one that is asked about when the other starts is forgotten", () => {
    const session = begin.awaitingLock();
    session.presented("B", at());
    session.locked(true, at(1));
    expect(taken(session)).toEqual(["authorize 1 B", "forget 1", "start A", "Charging"]);
    session.answered(1, true, at(2));
    expect([taken(session), session.facts.idTag]).toEqual([[], "A"]);
  });

  test("a RemoteStartTransaction takes the place of a card that is asked about", () => {
    const session = begin.idle();
    session.presented("A", at());
    session.accepted("B", at(1));
    session.answered(1, true, at(2));
    expect(taken(session)).toEqual(["authorize 1 A", "forget 1", "Preparing"]);
    expect(session.facts.idTag).toBe("B");
  });
});

describe("ConnectionTimeOut", () => {
  test("a card without a cable: Available again [CFG-06] [STX-B1] [CORE-RST-17]", () => {
    const session = begin.awaitingPlug();
    expect(session.deadline).toBe(30 * second);
    session.advance(30 * second - 1);
    expect(taken(session)).toEqual([]);
    session.advance(30 * second);
    expect(taken(session)).toEqual(["Available", "over"]);
    expect(session.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test("a cable without a card: Finishing, until it is out [CFG-06] [STX-B6]", () => {
    const session = begin.awaitingTag();
    session.advance(30 * second);
    expect(taken(session)).toEqual(["Finishing"]);
    session.unplugged("charge-point", at(60 * second));
    expect(taken(session)).toEqual(["Available", "over"]);
  });

  test("a card on a cable that was there for too long begins anew, through Preparing [STX-F2]", () => {
    const session = begin.awaitingTag();
    session.advance(30 * second);
    session.presented("A", at(60 * second));
    expect(taken(session)).toEqual(["Finishing", "authorize 1 A"]);
    session.answered(1, true, at(61 * second));
    expect(taken(session)).toEqual(["lock", "Preparing"]);
    session.locked(true, at(62 * second));
    expect(taken(session)).toEqual(["start A", "Charging"]);
  });

  test("of 0 is none [CFG-06]", () => {
    expect(begin.awaitingTag({}, { connectionTimeOutMs: 0 }).deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test("is obeyed at once when it changes, and is counted from when the wait began [CFG-06]", () => {
    const session = begin.awaitingTag();
    session.configured({ ...keys, connectionTimeOutMs: 10 * second });
    expect(session.deadline).toBe(10 * second);
  });

  test("does not pass while a card is asked about, and has passed if it is refused", () => {
    const session = begin.awaitingTag();
    session.presented("A", at(29 * second));
    expect(session.deadline).toBe(Number.POSITIVE_INFINITY);
    session.answered(1, false, at(31 * second));
    expect(taken(session)).toEqual(["authorize 1 A", "Finishing"]);
  });

  test("is counted anew for who was accepted [CFG-06]", () => {
    const session = begin.awaitingPlug();
    session.accepted("B", at(20 * second));
    expect(session.deadline).toBe(50 * second);
  });
});

describe("While something is broken", () => {
  test("nobody begins, and nothing is asked", () => {
    const session = begin.awaitingTag();
    session.faulted(at());
    session.presented("A", at(1));
    session.accepted("A", at(1));
    expect(taken(session)).toEqual(["Faulted"]);
  });

  test("who was accepted before waits for the end of it, within the time-out", () => {
    const session = begin.awaitingPlug();
    session.faulted(at());
    session.plugged(at(1));
    expect(taken(session)).toEqual(["Faulted"]);
    session.mended(at(2));
    expect(taken(session)).toEqual(["lock", "Preparing"]);
  });

  test("a lock that has closed is opened again, and what it closed for waits", () => {
    const session = begin.awaitingLock();
    session.faulted(at());
    session.locked(true, at(1));
    expect(taken(session)).toEqual(["Faulted", "unlock"]);
    session.mended(at(2));
    expect(taken(session)).toEqual(["lock", "Preparing"]);
  });

  test("an answer counts that was asked for before", () => {
    const session = begin.awaitingTag({ locks: false });
    session.presented("A", at());
    session.faulted(at(1));
    session.answered(1, true, at(2));
    session.mended(at(3));
    expect(taken(session)).toEqual(["authorize 1 A", "Faulted", "start A", "Charging"]);
  });
});

describe("A session that is ended before it starts", () => {
  test.each([
    ["awaitingPlug" as const, "Available"],
    ["awaitingLock" as const, "Finishing"],
    // Nobody was accepted: there is nothing to end.
    ["awaitingTag" as const, "Preparing"],
    ["idle" as const, "Available"],
  ])("by a button, a reset or an unlock: %s [CORE-UNL-02]", (phase, status) => {
    const stopped = begin[phase]();
    stopped.stopped("EmergencyStop", at());
    expect(statusIn(stopped.facts)).toBe(status);
    const unlocked = begin[phase]();
    unlocked.unlocked(at());
    expect(statusIn(unlocked.facts)).toBe(status);
    expect([...taken(stopped), ...taken(unlocked)].join()).not.toContain("stop");
  });

  test("while its card is asked about, which is forgotten", () => {
    const session = begin.idle();
    session.presented("A", at());
    session.stopped("Local", at(1));
    session.answered(1, true, at(2));
    expect(taken(session)).toEqual(["authorize 1 A", "forget 1", "over"]);
  });

  test("by the cable [STX-B1]", () => {
    const session = begin.awaitingTag();
    session.unplugged("charge-point", at());
    expect(taken(session)).toEqual(["Available", "over"]);
  });
});
