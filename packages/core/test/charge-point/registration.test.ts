import { describe, expect, test } from "vitest";
import { Registration, type RegistrationOutput } from "../../src/charge-point/registration.ts";
import type { Action } from "../../src/messages/actions.ts";
import { day, minute, outputsOf, second } from "./vocabulary.ts";

type Status = "Accepted" | "Pending" | "Rejected";

const boot: RegistrationOutput = { type: "boot" };
const heartbeat: RegistrationOutput = { type: "heartbeat" };
const online: RegistrationOutput = { type: "online" };

const expectOutputs = (registration: Registration, ...expected: RegistrationOutput[]): void =>
  expect(outputsOf(registration)).toEqual(expected);

/** Nothing is asked for before `time`, and `expected` at `time`. */
function expectAt(registration: Registration, time: number, expected: RegistrationOutput): void {
  expect(registration.deadline).toBe(time);
  registration.advance(time - 1);
  expectOutputs(registration);
  registration.advance(time);
  expectOutputs(registration, expected);
}

/** Connected at 0, BootNotification unanswered; the configured interval is five minutes. */
function booting(): Registration {
  const registration = new Registration(5 * minute);
  registration.connected(0);
  expectOutputs(registration, boot);
  return registration;
}

/** BootNotification was answered at 0, with the time. */
function registered(status: Status, interval: number): Registration {
  const registration = booting();
  registration.told();
  registration.answered({ status, interval }, 0);
  const outputs = [{ type: "registered", status }, ...(status === "Accepted" ? [online] : [])];
  expect(outputsOf(registration)).toMatchObject(outputs);
  return registration;
}

/** Accepted at 0, and connected anew at `time`, where a Heartbeat has been answered. */
function reconnected(time: number): Registration {
  const registration = registered("Accepted", 300);
  registration.disconnected();
  registration.connected(time);
  expectOutputs(registration, heartbeat);
  registration.sent(time);
  registration.heartbeatSettled();
  expectOutputs(registration, online);
  return registration;
}

function inState(state: Status | "Unregistered"): Registration {
  return state === "Unregistered" ? booting() : registered(state, 90);
}

describe("Registration, booting", () => {
  test("asks for BootNotification on the first connection after the boot, and for nothing before [CORE-BOOT-01] [J-161] [J-212]", () => {
    const registration = new Registration(5 * minute);
    expect(registration.state).toBe("Unregistered");
    registration.advance(day);
    expectOutputs(registration);
    expect(registration.deadline).toBe(Number.POSITIVE_INFINITY);
    registration.connected(day);
    expectOutputs(registration, boot);
    expect(registration.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test.each<[Status, number]>([
    ["Accepted", 300 * second],
    ["Pending", 300 * second],
    ["Rejected", 300 * second],
  ])("tells when the Central System has answered %s [CORE-BOOT-03] [CORE-BOOT-05]", (status, intervalMs) => {
    const registration = booting();
    registration.answered({ status, interval: 300 }, 7);
    const outputs: RegistrationOutput[] = [{ type: "registered", status, intervalMs }];
    expectOutputs(registration, ...outputs, ...(status === "Accepted" ? [online] : []));
    expect(registration.state).toBe(status);
  });

  test.each<Status>(["Pending", "Rejected"])(
    "sends BootNotification again when the interval is over, not before, after %s [CORE-BOOT-05] [CORE-BOOT-07] [CORE-BOOT-12] [QD-21]",
    (status) => {
      const registration = registered(status, 90);
      expectAt(registration, 90 * second, boot);
      registration.answered({ status, interval: 5 }, 100 * second);
      outputsOf(registration);
      expectAt(registration, 105 * second, boot);
    },
  );

  test.each<[Status, Status]>([
    ["Pending", "Accepted"],
    ["Pending", "Rejected"],
    ["Rejected", "Accepted"],
    ["Rejected", "Pending"],
  ])("goes from %s to %s [CORE-BOOT-41] [CORE-BOOT-42]", (from, to) => {
    const registration = registered(from, 90);
    registration.advance(90 * second);
    registration.answered({ status: to, interval: 90 }, 91 * second);
    expect(registration.state).toBe(to);
  });

  test.each<[Status, number]>([
    ["Pending", 0],
    ["Rejected", 0],
    ["Pending", -1],
  ])("waits a minute after %s with the interval %d [CORE-BOOT-06]", (status, interval) => {
    const registration = booting();
    registration.answered({ status, interval }, 0);
    expectOutputs(registration, { type: "registered", status, intervalMs: minute });
    expectAt(registration, minute, boot);
  });

  test("never waits for less than a second [CORE-BOOT-06]", () => {
    expectAt(registered("Rejected", 0.001), second, boot);
  });

  test("repeats a BootNotification that failed after a minute, or after the interval last asked for [J-212]", () => {
    const registration = booting();
    registration.unanswered(10 * second);
    expectOutputs(registration);
    expectAt(registration, 70 * second, boot);
    registration.answered({ status: "Pending", interval: 600 }, 100 * second);
    outputsOf(registration);
    expectAt(registration, 700 * second, boot);
    registration.unanswered(710 * second);
    expectAt(registration, 1310 * second, boot);
  });

  test("repeats a BootNotification that a lost connection left unanswered on the next one [CORE-BOOT-01] [J-212]", () => {
    const registration = booting();
    registration.disconnected();
    registration.advance(day);
    expectOutputs(registration);
    registration.connected(day);
    expectOutputs(registration, boot);
  });

  test("asks for nothing any more when the connection has ended before it could, but tells what was answered [CORE-BOOT-01]", () => {
    const unheard = new Registration(300 * second);
    unheard.connected(0);
    unheard.disconnected();
    expectOutputs(unheard);
    unheard.connected(0);
    expectOutputs(unheard, boot);
    unheard.answered({ status: "Accepted", interval: 300 }, 0);
    unheard.disconnected();
    expectOutputs(unheard, { type: "registered", status: "Accepted", intervalMs: 300 * second });
  });

  test("ignores an answer that came with the end of its connection, and asks again [CORE-BOOT-02]", () => {
    const registration = booting();
    registration.disconnected();
    registration.answered({ status: "Accepted", interval: 300 }, 1);
    expectOutputs(registration);
    expect(registration.state).toBe("Unregistered");
    registration.connected(2);
    expectOutputs(registration, boot);
  });
});

describe("Registration, reconnecting", () => {
  test("sends no BootNotification once accepted, whatever happens to the connection [J-160] [CORE-BOOT-43]", () => {
    const registration = registered("Accepted", 300);
    registration.disconnected();
    expect(registration.deadline).toBe(Number.POSITIVE_INFINITY);
    registration.connected(minute);
    expectOutputs(registration, heartbeat);
    registration.sent(minute);
    registration.heartbeatSettled();
    expect(registration.state).toBe("Accepted");
    expectOutputs(registration, online);
    expectAt(registration, 6 * minute, heartbeat);
  });

  test("stays accepted whatever else is said to be an answer [CORE-BOOT-43]", () => {
    const registration = registered("Accepted", 300);
    registration.advance(5 * minute);
    expectOutputs(registration, heartbeat);
    registration.answered({ status: "Rejected", interval: 1 }, 5 * minute);
    expectOutputs(registration);
    expect(registration.state).toBe("Accepted");
  });

  test.each<Status>(["Pending", "Rejected"])(
    "does not shorten the wait after %s [CORE-BOOT-05] [CORE-BOOT-07]",
    (status) => {
      const registration = registered(status, 90);
      registration.disconnected();
      registration.connected(30 * second);
      expectOutputs(registration);
      expectAt(registration, 90 * second, boot);
    },
  );

  test("sends BootNotification at once when the wait was over meanwhile [J-212]", () => {
    const registration = registered("Rejected", 90);
    registration.disconnected();
    registration.advance(90 * second);
    expectOutputs(registration);
    registration.connected(91 * second);
    expectOutputs(registration, boot);
  });
});

describe("Registration, in doubt about the time", () => {
  test("sends a Heartbeat on each connection after the first, and statuses and queued messages when that has settled [CORE-HB-05] [J-157] [J-163]", () => {
    const registration = registered("Accepted", 300);
    expect(registration.online).toBe(true);
    registration.disconnected();
    expect(registration.online).toBe(false);
    registration.connected(minute);
    expectOutputs(registration, heartbeat);
    expect(registration.online).toBe(false);
    expect(registration.allows("Authorize")).toBe(true);
    registration.heartbeatSettled();
    expectOutputs(registration, online);
    expect(registration.online).toBe(true);
  });

  test("sends one when the own clock is doubted, however much else was sent [CORE-HB-05] [J-157]", () => {
    const registration = registered("Accepted", 300);
    registration.sent(minute);
    registration.doubted(minute);
    expectOutputs(registration, heartbeat);
    expect(registration.online).toBe(false);
    registration.heartbeatSettled();
    expectOutputs(registration, online);
  });

  test("sends another one when the one under way was asked before the doubt [CORE-HB-05]", () => {
    const registration = registered("Accepted", 300);
    registration.advance(5 * minute);
    expectOutputs(registration, heartbeat);
    registration.sent(5 * minute);
    registration.doubted(6 * minute);
    registration.doubted(7 * minute);
    expectOutputs(registration);
    registration.heartbeatSettled();
    expectOutputs(registration);
    expect(registration.online).toBe(false);
    expectAt(registration, 7 * minute, heartbeat);
    registration.heartbeatSettled();
    expectOutputs(registration, online);
  });

  test("sends one after a BootNotification that was asked before the doubt, and none after one that was asked later [CORE-BOOT-04]", () => {
    const before = booting();
    before.doubted(1);
    before.answered({ status: "Accepted", interval: 300 }, 2);
    expectOutputs(before, { type: "registered", status: "Accepted", intervalMs: 300 * second });
    expect(before.online).toBe(false);
    before.advance(2);
    expectOutputs(before, heartbeat);
    before.heartbeatSettled();
    expectOutputs(before, online);

    const later = registered("Pending", 90);
    later.doubted(1);
    later.advance(90 * second);
    expectOutputs(later, boot);
    later.answered({ status: "Accepted", interval: 300 }, 91 * second);
    expectOutputs(later, { type: "registered", status: "Accepted", intervalMs: 300 * second }, online);
  });

  test("says nothing of a doubt that came without a connection, nor of one that ended with it", () => {
    const registration = registered("Accepted", 300);
    registration.disconnected();
    registration.doubted(minute);
    expectOutputs(registration);
    registration.connected(2 * minute);
    expectOutputs(registration, heartbeat);
    registration.disconnected();
    registration.heartbeatSettled();
    expectOutputs(registration);
  });
});

describe("Registration, the gates", () => {
  test.each<[Status | "Unregistered", readonly Action[], boolean]>([
    ["Unregistered", ["BootNotification"], true],
    ["Pending", ["BootNotification"], true],
    ["Rejected", ["BootNotification"], false],
    ["Accepted", ["BootNotification", "Heartbeat", "Authorize", "StatusNotification", "StartTransaction"], true],
  ])(
    "lets pass in the state %s: %j, and answers: %s [CORE-BOOT-02] [CORE-BOOT-09] [CORE-BOOT-10] [CORE-BOOT-12] [CORE-BOOT-13] [CORE-BOOT-40] [CORE-BOOT-41] [CORE-BOOT-42] [CORE-BOOT-43] [CORE-TXQ-17]",
    (state, actions, answers) => {
      const registration = inState(state);
      const all = ["BootNotification", "Heartbeat", "Authorize", "StatusNotification", "StartTransaction"] as const;
      expect(all.filter((action) => registration.allows(action))).toEqual(actions);
      expect(registration.answers).toBe(answers);
    },
  );

  test("lets pass while Pending what a TriggerMessage asked for, on this connection [CORE-BOOT-09] [CORE-BOOT-41] [RT-17]", () => {
    const registration = registered("Pending", 90);
    registration.triggered("MeterValues", 1);
    expect(registration.allows("MeterValues")).toBe(true);
    expect(registration.allows("Authorize")).toBe(false);
    expectOutputs(registration);
    registration.disconnected();
    registration.connected(2);
    expect(registration.allows("MeterValues")).toBe(false);
  });

  test("lets nothing pass behind a BootNotification that is unanswered, for it may be rejected [CORE-BOOT-12]", () => {
    const registration = registered("Pending", 90);
    registration.triggered("MeterValues", 1);
    expect(registration.mayBeAsked).toBe(true);
    expectAt(registration, 90 * second, { type: "boot" });
    expect(registration.allows("MeterValues")).toBe(false);
    expect(registration.mayBeAsked).toBe(false);
    registration.unanswered(91 * second);
    expect(registration.allows("MeterValues")).toBe(true);
    expect(registration.mayBeAsked).toBe(true);
  });

  test("lets it pass no longer when the Central System has answered anew [CORE-BOOT-09] [CORE-BOOT-12]", () => {
    for (const status of ["Pending", "Rejected"] as const) {
      const registration = registered("Pending", 90);
      registration.triggered("MeterValues", 1);
      registration.advance(90 * second);
      registration.answered({ status, interval: 90 }, 90 * second);
      expect(registration.allows("MeterValues")).toBe(false);
    }
  });

  test.each<Status | "Unregistered">(["Unregistered", "Rejected"])(
    "lets nothing more pass in the state %s, whatever a TriggerMessage asked for [CORE-BOOT-02] [CORE-BOOT-12]",
    (state) => {
      const registration = inState(state);
      for (const action of ["MeterValues", "Heartbeat"] as const) {
        registration.triggered(action, 1);
        expect(registration.allows(action)).toBe(false);
      }
      if (state === "Unregistered") registration.unanswered(2);
      registration.advance(3);
      expectOutputs(registration);
    },
  );
});

describe("Registration, forgotten by the Central System", () => {
  test("boots again, and sends nothing else before it is accepted again [J-130] [RT-13]", () => {
    const registration = reconnected(10 * second);
    expect(registration.mayBoot).toBe(true);
    registration.forgotten(11 * second);
    expectOutputs(registration, boot);
    expect(registration.state).toBe("Unregistered");
    expect(registration.allows("StatusNotification")).toBe(false);
    expect(registration.online).toBe(false);
    registration.answered({ status: "Accepted", interval: 300 }, 12 * second);
    expect(registration.online).toBe(true);
    expect(registration.state).toBe("Accepted");
    expect(registration.mayBoot).toBe(false);
  });

  test("waits for the Heartbeat that is unanswered", () => {
    const registration = registered("Accepted", 300);
    registration.disconnected();
    registration.connected(301 * second);
    expectOutputs(registration, heartbeat);
    registration.forgotten(302 * second);
    expectOutputs(registration);
    registration.heartbeatSettled();
    expectAt(registration, 302 * second, boot);
  });

  test("does not believe it on the connection on which it was accepted", () => {
    const registration = registered("Accepted", 300);
    registration.forgotten(10 * second);
    expectOutputs(registration);
    expect(registration.state).toBe("Accepted");
  });
});

describe("Registration, triggered", () => {
  test("sends BootNotification before the wait is over when a TriggerMessage asks for it while Pending [CORE-BOOT-07] [RT-08]", () => {
    const registration = registered("Pending", 90);
    registration.triggered("BootNotification", 10 * second);
    expectOutputs(registration, boot);
  });

  test("does not let a TriggerMessage of before shorten the wait after Rejected [CORE-BOOT-12]", () => {
    const registration = registered("Rejected", 90);
    registration.triggered("BootNotification", 10 * second);
    expectOutputs(registration);
    expectAt(registration, 90 * second, boot);
  });

  test("sends no second BootNotification for it while one is unanswered, nor once accepted [RT-09] [RT-13]", () => {
    const registration = booting();
    registration.triggered("BootNotification", 1);
    expectOutputs(registration);
    registration.answered({ status: "Accepted", interval: 300 }, 2);
    outputsOf(registration);
    registration.triggered("BootNotification", 3);
    expectOutputs(registration);
  });

  test.each<Status>(["Accepted", "Pending"])(
    "sends the Heartbeat that it asks for while %s [RT-08] [RT-17]",
    (status) => {
      const registration = registered(status, 90);
      registration.triggered("Heartbeat", 10 * second);
      expectOutputs(registration, heartbeat);
      registration.heartbeatSettled();
      registration.advance(10 * second);
      expectOutputs(registration);
    },
  );

  test("sends it when the BootNotification or Heartbeat before it is answered [RT-08]", () => {
    const registration = registered("Pending", 90);
    registration.advance(90 * second);
    expectOutputs(registration, boot);
    registration.triggered("Heartbeat", 91 * second);
    expectOutputs(registration);
    registration.answered({ status: "Pending", interval: 90 }, 92 * second);
    outputsOf(registration);
    registration.advance(92 * second);
    expectOutputs(registration, heartbeat);
    registration.triggered("Heartbeat", 93 * second);
    registration.heartbeatSettled();
    registration.advance(94 * second);
    expectOutputs(registration, heartbeat);
    registration.heartbeatSettled();
    expectAt(registration, 182 * second, boot);
  });

  test("forgets it when the connection ends or the Central System rejects [CORE-BOOT-12] [J-214]", () => {
    const lost = registered("Pending", 90);
    lost.advance(90 * second);
    lost.triggered("Heartbeat", 91 * second);
    lost.disconnected();
    outputsOf(lost);
    lost.connected(92 * second);
    expectOutputs(lost, boot);
    lost.answered({ status: "Pending", interval: 90 }, 93 * second);
    expect(lost.deadline).toBe(183 * second);

    const rejected = registered("Pending", 90);
    rejected.advance(90 * second);
    rejected.triggered("Heartbeat", 91 * second);
    rejected.answered({ status: "Rejected", interval: 90 }, 92 * second);
    expect(rejected.deadline).toBe(182 * second);
  });

  test("ignores what was asked for on a connection that has ended [J-214]", () => {
    const registration = registered("Pending", 90);
    registration.disconnected();
    registration.triggered("BootNotification", 1);
    registration.triggered("MeterValues", 1);
    registration.triggered("Heartbeat", 1);
    registration.connected(2);
    expectOutputs(registration);
    expect(registration.allows("MeterValues")).toBe(false);
    expect(registration.deadline).toBe(90 * second);
  });
});

describe("Registration, Heartbeats", () => {
  test.each([
    [0, second],
    [2 * day, day],
  ])(
    "keeps the configured interval of %d ms within a second and a day: %d ms [CORE-BOOT-06]",
    (configuredMs, keptMs) => {
      const registration = new Registration(configuredMs);
      registration.connected(0);
      expectOutputs(registration, boot);
      registration.answered({ status: "Accepted", interval: 0 }, 0);
      expectOutputs(registration, { type: "registered", status: "Accepted", intervalMs: keptMs }, online);
      expectAt(registration, keptMs, heartbeat);
    },
  );

  test("asks for one when nothing was sent during the interval [CORE-BOOT-03] [CORE-HB-01] [CORE-HB-02] [CORE-HB-03]", () => {
    const registration = registered("Accepted", 90);
    registration.sent(30 * second);
    registration.sent(60 * second);
    expectAt(registration, 150 * second, heartbeat);
    registration.sent(150 * second);
    registration.heartbeatSettled();
    expectAt(registration, 240 * second, heartbeat);
  });

  test("asks for no second one while one is unanswered, however long [CORE-HB-01]", () => {
    const registration = registered("Accepted", 90);
    registration.advance(90 * second);
    expectOutputs(registration, heartbeat);
    expect(registration.deadline).toBe(Number.POSITIVE_INFINITY);
    registration.advance(2 * day);
    expectOutputs(registration);
  });

  test("asks for one a day, however much else is sent [CORE-HB-04] [J-157]", () => {
    const registration = registered("Accepted", 90);
    for (let time = 0; time < day; time += minute) {
      registration.sent(time);
      registration.advance(time + 59 * second);
    }
    expectOutputs(registration);
    expectAt(registration, day, heartbeat);
    registration.heartbeatSettled();
    registration.sent(2 * day - 1);
    expectAt(registration, 2 * day, heartbeat);
  });

  test.each([
    [0, 5 * minute],
    [-1, 5 * minute],
    [2 * 24 * 60 * 60, day],
    [0.5, second],
  ])("turns the interval %d of an Accepted into %d ms [CORE-BOOT-06] [J-157]", (interval, intervalMs) => {
    const registration = booting();
    registration.answered({ status: "Accepted", interval }, 0);
    expectOutputs(registration, { type: "registered", status: "Accepted", intervalMs }, online);
    expectAt(registration, intervalMs, heartbeat);
  });

  test("drops those that were due without a connection, and sends one on the next [J-214] [J-157]", () => {
    const registration = registered("Accepted", 90);
    registration.disconnected();
    for (const time of [90, 180, 270]) registration.advance(time * second);
    expectOutputs(registration);
    registration.connected(300 * second);
    expectOutputs(registration, heartbeat);
  });

  test("sends the next one at the interval when one has failed or was lost [J-214]", () => {
    const registration = registered("Accepted", 90);
    registration.advance(90 * second);
    registration.sent(90 * second);
    expectOutputs(registration, heartbeat);
    registration.heartbeatSettled();
    expectAt(registration, 180 * second, heartbeat);
    registration.sent(180 * second);
    registration.disconnected();
    registration.connected(190 * second);
    registration.sent(190 * second);
    expectOutputs(registration, heartbeat);
    registration.heartbeatSettled();
    expectOutputs(registration, online);
    expectAt(registration, 280 * second, heartbeat);
  });

  test("is not put off by other messages while the Central System has yet to tell the time [CORE-HB-03] [J-157]", () => {
    for (const doubt of [true, false]) {
      const registration = doubt ? registered("Accepted", 90) : booting();
      if (doubt) registration.doubted(0);
      else registration.answered({ status: "Accepted", interval: 90 }, 0);
      outputsOf(registration);
      registration.heartbeatSettled();
      outputsOf(registration);
      registration.sent(60 * second);
      expectAt(registration, 90 * second, heartbeat);
      expect(registration.online).toBe(false);
      registration.told();
      registration.heartbeatSettled();
      expectOutputs(registration, online);
      registration.sent(120 * second);
      expectAt(registration, 210 * second, heartbeat);
    }
  });

  test("obeys HeartbeatInterval at once, until a BootNotification.conf says otherwise [CORE-HB-08] [CORE-BOOT-03]", () => {
    const registration = registered("Accepted", 90);
    registration.configured(10 * second);
    expectAt(registration, 10 * second, heartbeat);

    const configuredBefore = booting();
    configuredBefore.configured(10 * second);
    configuredBefore.answered({ status: "Accepted", interval: 90 }, 0);
    expect(configuredBefore.deadline).toBe(90 * second);
  });

  test("keeps HeartbeatInterval between a second and a day [J-157]", () => {
    const registration = registered("Accepted", 90);
    registration.configured(1);
    expect(registration.deadline).toBe(second);
    registration.configured(3 * day);
    expect(registration.deadline).toBe(day);
  });
});
