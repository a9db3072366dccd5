import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { CallError, type ChargePoint, type ChargePointOptions, type Clock, type Req } from "../../src/index.ts";
import { Site } from "./site.ts";
import { day, hour, minute, second } from "./vocabulary.ts";

const meterValue = (chargePoint: ChargePoint): Req<"MeterValues">["meterValue"] => [
  { timestamp: new Date(chargePoint.now()).toISOString(), sampledValue: [{ value: "1" }] },
];

/** A Central System that takes transactions. */
function takingTransactions(options: Partial<ChargePointOptions> = {}, clock = new FakeClock()): Site {
  const site = new Site(options, clock);
  site.centralSystem.handle("StartTransaction", () => ({ transactionId: 7, idTagInfo: { status: "Accepted" } }));
  site.centralSystem.handle("MeterValues", () => ({}));
  site.centralSystem.handle("StopTransaction", () => ({}));
  return site;
}

/** The machine sleeps, and the Central System does not. */
function sleep(site: Site, ms: number): void {
  site.clock.sleep(ms);
  site.behaviour.aheadMs += ms;
}

/** By how much a timestamp that has arrived is off, in milliseconds. */
const offOf = (site: Site, timestamp: string | undefined): number =>
  Date.parse(timestamp ?? "") - Date.parse(site.centralTime());

/** What a promise resolves with, once there has been time for answers. */
async function asked<Value>(site: Site, promise: Promise<Value>): Promise<Value> {
  await site.clock.advance(0);
  return promise;
}

describe("ChargePoint, told a time that is none", () => {
  test.each(["9999-12-31T23:59:59.999Z", "0001-01-01T00:00:00Z", "2014-12-31T23:59:59Z", "2101-01-01T00:00:00Z"])(
    "registers, and does without %s, which is a violation; nothing throws or rejects, and the next right one counts [CORE-BOOT-04] [CORE-HB-05]",
    async (currentTime) => {
      const site = takingTransactions();
      let isTold = (): string => currentTime;
      site.centralSystem.on("connected", ({ connection }) => {
        connection.handle("BootNotification", () => ({ status: "Accepted", interval: 300, currentTime: isTold() }));
        connection.handle("Heartbeat", () => ({ currentTime: isTold() }));
      });
      const own = site.clock.now();
      const transactions: ReturnType<ChargePoint["startTransaction"]>[] = [];
      site.chargePoint.on("connected", () => {
        transactions.push(site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 }));
      });
      await site.start();
      expect(site.chargePoint.registration).toBe("Accepted");
      expect(site.chargePoint.now()).toBe(own);
      const violation = { reason: "payload", frame: { type: "CALLRESULT", payload: { currentTime } } };
      expect(site.said("violation")).toMatchObject([violation]);

      site.chargePoint.report({ connectorId: 1, status: "Charging" });
      expect(await asked(site, site.chargePoint.authorize("A"))).toMatchObject({ decision: "accept" });
      transactions[0]?.stop({ meterStop: 1 });
      await site.clock.advance(300_000);
      expect(site.said("violation")).toHaveLength(2);
      isTold = () => site.centralTime();
      site.behaviour.aheadMs = hour;
      await site.clock.advance(300_000);
      expect(site.chargePoint.now()).toBe(site.clock.now() + hour);
      expect(await asked(site, site.chargePoint.authorize("A"))).toMatchObject({ decision: "accept" });
      expect(site.said("fault")).toEqual([]);
    },
  );

  test("asks again at the interval, whatever else is sent, until one is right [CORE-HB-03] [J-157]", async () => {
    const site = new Site();
    let absurd = true;
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("BootNotification", () => ({
        status: "Accepted",
        interval: 300,
        currentTime: absurd ? "9999-12-31T23:59:59.999Z" : site.centralTime(),
      }));
    });
    await site.start();
    absurd = false;
    site.behaviour.aheadMs = hour;
    for (let minutes = 0; minutes < 6; minutes++) {
      void site.chargePoint.call("Authorize", { idTag: "A" });
      await site.clock.advance(minute);
    }
    expect(site.actions.filter((action) => action === "Heartbeat")).toHaveLength(1);
    expect(site.chargePoint.now()).toBe(site.clock.now() + hour);
  });
});

test("ChargePoint says by how much its clock was set at once; what is made little by little it does not tell [CORE-BOOT-04] [CORE-HB-05]", async () => {
  const site = new Site();
  site.behaviour.aheadMs = minute;
  await site.start();
  for (const aheadMs of [minute + 10 * second, hour, 0]) {
    site.behaviour.aheadMs = aheadMs;
    await site.clock.advance(300_000);
  }
  const steps = [minute, hour - minute - 10 * second, -hour];
  expect(site.said("timeSet")).toEqual(steps.map((stepMs) => ({ stepMs })));
});

test("ChargePoint is right again with the Heartbeat after one that was a year off [CORE-HB-05]", async () => {
  for (const offMs of [365 * day, -365 * day]) {
    const site = new Site();
    await site.start();
    site.behaviour.aheadMs = offMs;
    await site.clock.advance(300_000);
    expect(site.chargePoint.now()).toBe(site.clock.now() + offMs);
    site.behaviour.aheadMs = 0;
    await site.clock.advance(300_000);
    expect(site.chargePoint.now()).toBe(site.clock.now());
  }
});

describe("ChargePoint, a Heartbeat first", () => {
  test("sends it on each new connection, then the statuses, then the queue [J-163] [J-157] [CORE-HB-05]", async () => {
    const site = takingTransactions();
    await site.start();
    site.link.chargePoint.drop();
    const transaction = site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    site.chargePoint.report({ connectorId: 1, status: "Charging" });
    transaction.meterValues({ meterValue: meterValue(site.chargePoint) });
    await site.clock.advance(2000);
    expect(site.actions.slice(1)).toEqual(["Heartbeat", "StatusNotification", "StartTransaction", "MeterValues"]);
  });

  test.each<[string, () => never]>([
    [
      "a CALLERROR",
      () => {
        throw new CallError("InternalError");
      },
    ],
    ["nonsense", () => ({}) as never],
  ])("goes on with the rest when it is answered with %s [J-214]", async (_, answer) => {
    const site = takingTransactions();
    await site.start();
    site.link.chargePoint.drop();
    site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    site.centralSystem.on("connected", ({ connection }) => connection.handle("Heartbeat", answer));
    await site.clock.advance(2000);
    expect(site.actions.slice(1)).toEqual(["Heartbeat", "StartTransaction"]);
  });

  test("connects anew when nobody answers it, and burns nothing of the queue [J-154] [CORE-TXQ-08]", async () => {
    const site = takingTransactions();
    await site.start();
    site.link.chargePoint.drop();
    site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    site.centralSystem.on("connected", ({ connection }) => connection.handle("Heartbeat", () => new Promise(() => {})));
    await site.clock.advance(3 * minute);
    expect(new Set(site.actions.slice(1))).toEqual(new Set(["Heartbeat"]));
    expect(site.said("disconnected").slice(1)).toMatchObject(
      site
        .said("disconnected")
        .slice(1)
        .map(() => ({ code: 1001, reason: "No answer to Heartbeat" })),
    );
    expect(site.said("disconnected").length).toBeGreaterThan(2);
    expect(site.said("discarded")).toEqual([]);
  });

  test.each([0, 0.7])(
    "sends it when the machine has slept, before what is reported then, whose timestamps are right, %d ms after a full one [CORE-HB-05]",
    async (fraction) => {
      const site = takingTransactions();
      await site.start();
      const transaction = site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
      await site.clock.advance(minute + fraction);
      sleep(site, 3 * hour);
      site.chargePoint.report({ connectorId: 1, status: "SuspendedEV" });
      transaction.stop({ meterStop: 1 });
      await site.clock.advance(0);
      expect(site.actions.slice(2)).toEqual(["Heartbeat", "StatusNotification", "StopTransaction"]);
      for (const [, payload] of site.received.slice(3)) {
        expect(Math.abs(offOf(site, (payload as Req<"StopTransaction">).timestamp))).toBeLessThanOrEqual(1);
      }
      expect(site.chargePoint.now()).toBeCloseTo(Date.parse(site.centralTime()), 0);
    },
  );

  test("leaves as it is what was stamped before the machine slept, and what the owner has stamped itself [CORE-HB-05]", async () => {
    const site = takingTransactions();
    await site.start();
    site.behaviour.reachable = false;
    site.link.chargePoint.drop();
    const before = new Date(site.chargePoint.now()).toISOString();
    site.chargePoint.report({ connectorId: 1, status: "Charging" });
    const transaction = site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    await site.clock.advance(minute);
    sleep(site, 3 * hour);
    site.chargePoint.report({ connectorId: 2, status: "Faulted", timestamp: "2026-01-01T02:00:00Z" });
    site.chargePoint.report({ connectorId: 3, status: "Available" });
    transaction.stop({ meterStop: 1 });
    const after = site.centralTime();
    site.behaviour.reachable = true;
    await site.clock.advance(minute);
    expect(site.received.slice(1)).toMatchObject([
      ["Heartbeat", {}],
      ["StatusNotification", { connectorId: 1, timestamp: before }],
      ["StatusNotification", { connectorId: 2, timestamp: "2026-01-01T02:00:00Z" }],
      ["StatusNotification", { connectorId: 3, timestamp: after }],
      ["StartTransaction", { timestamp: before }],
      ["StopTransaction", { timestamp: after }],
    ]);
  });

  test.each(["Heartbeat", "BootNotification"] as const)(
    "asks again when the machine slept while it waited for the answer to %s, which is the time of before [CORE-BOOT-04] [CORE-HB-05]",
    async (action) => {
      const site = new Site();
      let slept = false;
      const answer = async (conf: object): Promise<never> => {
        const currentTime = site.centralTime();
        if (!slept) await new Promise<void>((resolve) => void site.clock.wakeAt(site.clock.now() + second, resolve));
        return { ...conf, currentTime } as never;
      };
      site.centralSystem.on("connected", ({ connection }) => {
        if (action === "Heartbeat") connection.handle("Heartbeat", () => answer({}));
        else connection.handle("BootNotification", () => answer({ status: "Accepted", interval: 300 }));
      });
      await site.start();
      if (action === "Heartbeat") await site.clock.advance(300_000);
      slept = true;
      sleep(site, 3 * hour);
      site.chargePoint.report({ connectorId: 1, status: "Available" });
      const reportedAt = site.centralTime();
      await site.clock.advance(minute);
      expect(site.actions.slice(-3)).toEqual([action, "Heartbeat", "StatusNotification"]);
      expect(site.received.at(-1)).toMatchObject(["StatusNotification", { timestamp: reportedAt }]);
      expect(site.chargePoint.registration).toBe("Accepted");
      expect(site.chargePoint.now()).toBe(Date.parse(site.centralTime()));
    },
  );

  test("holds the queue back when the doubt comes with the acceptance [CORE-HB-05]", async () => {
    const site = takingTransactions();
    let startedAt: string | undefined;
    site.chargePoint.on("registration", () => {
      sleep(site, 3 * hour);
      site.chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
      startedAt = site.centralTime();
    });
    await site.start();
    await site.clock.advance(0);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat", "StartTransaction"]);
    expect(site.received.at(-1)).toMatchObject(["StartTransaction", { timestamp: startedAt }]);
  });

  test("lets it go before what waited for its turn when the machine fell asleep [CORE-HB-05] [J-163]", async () => {
    const site = new Site();
    let answer = (): void => {};
    site.centralSystem.on("connected", ({ connection }) => {
      connection.handle("StatusNotification", () => new Promise((resolve) => (answer = () => resolve({}))));
    });
    await site.start();
    for (const connectorId of [1, 2]) site.chargePoint.report({ connectorId, status: "Available" });
    await site.clock.advance(0);
    sleep(site, hour);
    answer();
    await site.clock.advance(0);
    expect(site.actions).toEqual(["BootNotification", "StatusNotification", "Heartbeat", "StatusNotification"]);
  });

  test("notices that the machine has slept when a message arrives [CORE-HB-05]", async () => {
    const site = new Site();
    await site.start();
    sleep(site, hour);
    await site.clock.advance(minute);
    expect(site.actions).toEqual(["BootNotification"]);
    void site.centralSystem.get("CP001")?.call("ClearCache", {});
    await site.clock.advance(0);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
  });

  test("notices it when a timer is due, and sends one Heartbeat, not two [CORE-HB-01]", async () => {
    const site = new Site();
    await site.start();
    sleep(site, hour);
    await site.clock.advance(300_000);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
    expect(site.chargePoint.now()).toBe(Date.parse(site.centralTime()));
  });

  test("sends it when somebody sets the wall clock, which sets nothing else [CORE-HB-05]", async () => {
    const site = new Site();
    await site.start();
    const own = site.chargePoint.now();
    site.clock.setWallClock(0);
    expect(site.chargePoint.now()).toBe(own);
    await site.clock.advance(0);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
    expect(site.chargePoint.now()).toBe(own);
  });
});

describe("ChargePoint, on a clock of its owner's that is not to be relied on", () => {
  const fails = (): never => {
    throw new Error("The clock is broken.");
  };

  /** What is wrong with the clock, and whether it stays so. */
  test.each<[string, (clock: Clock) => Partial<Clock>, boolean]>([
    ["throws when it is asked for the time", () => ({ now: fails }), false],
    ["says NaN", () => ({ now: () => Number.NaN }), false],
    ["says Infinity", () => ({ now: () => Number.POSITIVE_INFINITY }), false],
    ["says what no date can", () => ({ now: () => 9e15 }), false],
    ["has a wall clock that says NaN", () => ({ wallNow: () => Number.NaN }), true],
    ["has a wall clock that throws", () => ({ wallNow: fails }), true],
    [
      "throws when it is told to wake nobody",
      ({ wakeAt }) => ({
        wakeAt: (time, callback) => {
          wakeAt(time, callback);
          return fails;
        },
      }),
      true,
    ],
    [
      "calls back twice, and also when it was told not to",
      ({ wakeAt }) => ({
        wakeAt: (time, callback) => {
          for (let times = 0; times < 2; times++) wakeAt(time, callback);
          return () => {};
        },
      }),
      true,
    ],
  ])("registers, charges and decides when it %s", async (_, wrong, lasting) => {
    let broken = false;
    const fake = new FakeClock();
    const right: Required<Clock> = {
      now: () => fake.now(),
      wakeAt: (time, callback) => fake.wakeAt(time, callback),
      wallNow: () => fake.wallNow(),
    };
    const method = <Name extends keyof Clock>(name: Name): Required<Clock>[Name] =>
      (broken ? { ...right, ...wrong(right) } : right)[name];
    const clock: Clock = {
      now: () => method("now")(),
      wakeAt: (time, callback) => method("wakeAt")(time, callback),
      wallNow: () => method("wallNow")(),
    };
    const site = takingTransactions({ clock }, fake);
    await site.start();
    broken = true;
    const { chargePoint } = site;
    const transaction = chargePoint.startTransaction({ connectorId: 1, idTag: "A", meterStart: 0 });
    chargePoint.report({ connectorId: 1, status: "Charging" });
    transaction.meterValues({ meterValue: meterValue(chargePoint) });
    expect(await asked(site, chargePoint.authorize("A"))).toMatchObject({ decision: "accept" });
    transaction.stop({ meterStop: 1 });
    site.link.chargePoint.drop();
    broken = lasting;
    await site.clock.advance(minute);
    expect(site.said("delivered").map(({ call }) => call.action)).toEqual([
      "StartTransaction",
      "MeterValues",
      "StopTransaction",
    ]);
    for (const { error } of site.said("fault")) expect(String(error)).toMatch(/clock/);
    await chargePoint.stop();
  });
});
