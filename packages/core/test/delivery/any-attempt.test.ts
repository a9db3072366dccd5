import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { ChargePoint, memoryStore, type RecordStore } from "../../src/index.ts";

/** One CALL as the Central System sees it, to be answered whenever it likes. */
interface Received {
  readonly action: string;
  readonly payload: { readonly transactionId?: number };
  /** Which of its action it is, from 1 on. */
  readonly nth: number;
  readonly answer: (conf: object) => void;
  readonly fail: () => void;
}

/** A charger, accepted, with a Central System that does as it is told. */
async function charger(serve: (received: Received) => void, store: RecordStore = memoryStore()) {
  const clock = new FakeClock();
  const wire: Received[] = [];
  const chargePoint = new ChargePoint({
    identity: "CP001",
    url: "ws://central.example.com/ocpp",
    boot: { chargePointVendor: "V", chargePointModel: "M" },
    clock,
    store,
    connect: async () => {
      const { centralSystem, chargePoint: end } = transportPair(clock);
      centralSystem.listen({
        message: (text) => {
          const [type, id, action, payload] = JSON.parse(text);
          if (type !== 2) return;
          const nth = wire.filter((other) => other.action === action).length + 1;
          const answer = (conf: object): void => centralSystem.send(JSON.stringify([3, id, conf]));
          const fail = (): void => centralSystem.send(JSON.stringify([4, id, "InternalError", "", {}]));
          const received = { action, payload, nth, answer, fail };
          wire.push(received);
          const currentTime = new Date(clock.now()).toISOString();
          if (action === "BootNotification") answer({ status: "Accepted", currentTime, interval: 600 });
          else if (action === "Heartbeat") answer({ currentTime });
          else serve(received);
        },
        heard: () => {},
        close: () => {},
      });
      return end;
    },
  });
  void chargePoint.start();
  await clock.advance(1000);
  const ids = (action: string) =>
    wire.filter((each) => each.action === action).map(({ payload }) => payload.transactionId);
  return { chargePoint, clock, wire, ids };
}

const accepted = (transactionId: number) => ({ transactionId, idTagInfo: { status: "Accepted" } });
const start = { connectorId: 1, idTag: "TAG", meterStart: 0 };

describe("The answer to any attempt is the answer", () => {
  test("to a start whose stop has said -1 meanwhile: that is sent again, with the id [CORE-TXQ-08] [CORE-TXQ-12]", async () => {
    let late = (): void => {};
    const { chargePoint, clock, ids } = await charger(({ action, answer, fail, nth }) => {
      if (action === "StartTransaction" && nth === 1) late = () => answer(accepted(7));
      else if (action === "StartTransaction") fail();
      else {
        if (nth === 1) late();
        answer({});
      }
    });
    chargePoint.startTransaction(start).stop({ meterStop: 500 });
    await clock.advance(3_600_000);
    expect(ids("StopTransaction")).toEqual([-1, 7]);
    expect(chargePoint.undelivered.count).toBe(0);
  });

  test("to a start whose dead letter was deleted, as long as it runs [CORE-TXQ-08]", async () => {
    let late = (): void => {};
    const { chargePoint, clock, ids } = await charger(({ action, answer, fail, nth }) => {
      if (action === "StartTransaction" && nth === 1) late = () => answer(accepted(7));
      else if (action === "StartTransaction") fail();
      else answer({});
    });
    const transaction = chargePoint.startTransaction(start);
    await clock.advance(600_000);
    chargePoint.deadLetters[0]?.delete();
    late();
    await clock.advance(1000);
    expect(transaction.transactionId).toBe(7);
    transaction.stop({ meterStop: 5 });
    await clock.advance(1000);
    expect(ids("StopTransaction")).toEqual([7]);
  });

  test("in time, although late failures have used the attempts up: they count once [CORE-TXQ-08] [CORE-TXQ-09]", async () => {
    const fails: (() => void)[] = [];
    const { chargePoint, clock, wire } = await charger(({ action, answer, fail, nth }) => {
      if (action !== "StartTransaction") answer(action === "DataTransfer" ? { status: "Accepted" } : {});
      else if (nth < 3) fails.push(fail);
      else {
        for (const each of fails) each();
        clock.wakeAt(clock.now() + 2000, () => answer(accepted(7)));
      }
    });
    const transaction = chargePoint.startTransaction(start);
    for (let times = 0; times < 60; times++) {
      void chargePoint.call("DataTransfer", { vendorId: "V" });
      await clock.advance(10_000);
    }
    expect(transaction.transactionId).toBe(7);
    expect(chargePoint.deadLetters).toEqual([]);
    expect(wire.filter(({ action }) => action === "StartTransaction")).toHaveLength(3);
  });

  test("to a start whose next attempt waits for its turn: that is not sent any more [CORE-TXQ-08]", async () => {
    let late = (): void => {};
    const { chargePoint, clock, wire } = await charger(({ action, answer, nth }) => {
      if (action === "StartTransaction" && nth === 1) late = () => answer(accepted(7));
      else if (action === "StartTransaction") answer(accepted(8));
      else clock.wakeAt(clock.now() + 20_000, () => answer({ status: "Accepted" }));
    });
    const transaction = chargePoint.startTransaction(start);
    await clock.advance(85_000);
    void chargePoint.call("DataTransfer", { vendorId: "V" });
    await clock.advance(9000);
    late();
    await clock.advance(60_000);
    expect(transaction.transactionId).toBe(7);
    expect(wire.filter(({ action }) => action === "StartTransaction")).toHaveLength(1);
  });

  test("to what was delivered by `deliver` and given up [J-211]", async () => {
    let late = (): void => {};
    const { chargePoint, clock } = await charger(({ answer, fail, nth }) => {
      if (nth === 1) late = () => answer({});
      else fail();
    });
    chargePoint.deliver("SecurityEventNotification", { type: "StartupOfTheDevice" });
    await clock.advance(600_000);
    expect(chargePoint.deadLetters).toHaveLength(1);
    late();
    await clock.advance(1000);
    expect(chargePoint.deadLetters).toEqual([]);
  });
});

test("A message that could not be sent has not failed, and an urgent CALL finds room [CORE-TXQ-08] [CORE-AUTH-02]", async () => {
  const { chargePoint, clock, wire } = await charger(({ action, answer }) => {
    if (action === "Authorize") answer({ idTagInfo: { status: "Accepted" } });
    else clock.wakeAt(clock.now() + 5000, () => answer({ status: "Accepted" }));
  });
  for (let calls = 0; calls <= 1000; calls++) chargePoint.call("DataTransfer", { vendorId: "V" }).catch(() => {});
  chargePoint.startTransaction(start);
  const decision = chargePoint.authorize("TAG");
  // Somebody keeps the connection full.
  for (let times = 0; times < 100; times++) {
    await clock.advance(5000);
    chargePoint.call("DataTransfer", { vendorId: "V" }).catch(() => {});
  }
  expect(chargePoint.deadLetters).toEqual([]);
  expect(chargePoint.undelivered.count).toBe(1);
  expect(await decision).toMatchObject({ decision: "accept" });
  expect(wire.some(({ action }) => action === "Authorize")).toBe(true);
  await chargePoint.stop();
});

test("What was changed more often than a slow store has taken is all there after `stop` [CORE-TXQ-16]", async () => {
  const disk = memoryStore();
  const clocks: FakeClock[] = [];
  const slowly = async (act: () => Promise<void>): Promise<void> => {
    await new Promise<void>((end) => void clocks[0]?.wakeAt((clocks[0]?.now() ?? 0) + 400, end));
    await act();
  };
  const store: RecordStore = {
    load: (prefix) => disk.load(prefix),
    put: (key, value) => slowly(() => disk.put(key, value)),
    delete: (key) => slowly(() => disk.delete(key)),
    close: async () => {},
  };
  const { chargePoint, clock } = await charger(() => {}, store);
  clocks.push(clock);
  const transaction = chargePoint.startTransaction(start);
  await clock.advance(5000);
  for (let nth = 0; nth < 20; nth++) transaction.keep({ nth });
  transaction.stop({ meterStop: 12_345 });
  const saved = chargePoint.saved().then(() => "saved");
  const stopped = chargePoint.stop();
  await clock.advance(120_000);
  await stopped;
  expect(await saved).toBe("saved");
  const [record] = await disk.load("transaction/");
  expect(JSON.parse(record?.value ?? "")).toMatchObject({ stop: { req: { meterStop: 12_345 } } });
});
