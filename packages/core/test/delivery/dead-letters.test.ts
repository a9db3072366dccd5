import { describe, expect, test } from "vitest";
import { CallError, type ChargePointOptions, memoryStore, type RecordStore } from "../../src/index.ts";
import { Site } from "../charge-point/site.ts";
import { hour, minute, second } from "../charge-point/vocabulary.ts";

const start = { connectorId: 1, idTag: "TAG", meterStart: 100 };
const meterValue = [{ sampledValue: [{ value: "120" }] }];

/** A site whose Central System takes everything, until `refuses` says otherwise. */
function open(options: Partial<ChargePointOptions> = {}) {
  const site = new Site(options);
  const refuses = new Set<string>();
  let ids = 40;
  const take = (action: string): Record<string, never> => {
    if (refuses.has(action)) throw new CallError("GenericError", "Not today.");
    return {};
  };
  site.centralSystem.handle("StartTransaction", () => {
    take("StartTransaction");
    return { transactionId: ++ids, idTagInfo: { status: "Accepted" } };
  });
  site.centralSystem.handle("MeterValues", () => take("MeterValues"));
  site.centralSystem.handle("StopTransaction", () => take("StopTransaction"));
  site.centralSystem.handle("DataTransfer", () => {
    take("DataTransfer");
    return { status: "Accepted" };
  });
  return { site, refuses, chargePoint: site.chargePoint };
}

/** How many keys the store has, by what is before their first slash. */
async function kindsIn(store: RecordStore): Promise<string[]> {
  return (await store.load("")).map(({ key }) => key.split("/")[0] ?? "");
}

describe("Dead letters", () => {
  test("keep what the Central System has refused as often as it is tried, and the event tells it [CORE-TXQ-09] [CORE-TXQ-12]", async () => {
    const { site, refuses, chargePoint } = open();
    await site.start();
    refuses.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    await site.clock.advance(hour);
    const [letter] = chargePoint.deadLetters;
    expect(letter).toMatchObject({
      reason: "attempts",
      discardedAt: site.said("discarded")[0] && expect.any(Number),
      call: { action: "StartTransaction", req: { idTag: "TAG", meterStart: 100 } },
    });
    expect(letter?.transaction).toBe(transaction);
    expect(site.said("discarded")).toMatchObject([{ reason: "attempts", transaction }]);
    expect(site.said("discarded")[0]?.deadLetter).toBe(letter);
    expect(transaction.transactionId).toBe(-1);
    expect(transaction.identified).toBe(false);
  });

  test("are delivered after all when they are retried: the start before its stop, which gets the id [CORE-TXQ-03] [CORE-TXQ-12]", async () => {
    const { site, refuses, chargePoint } = open();
    await site.start();
    refuses.add("StartTransaction");
    refuses.add("MeterValues");
    refuses.add("StopTransaction");
    const transaction = chargePoint.startTransaction(start);
    transaction.meterValues({ meterValue });
    transaction.stop({ meterStop: 200 });
    await site.clock.advance(hour);
    expect(chargePoint.deadLetters.map(({ call }) => call.action)).toEqual([
      "StartTransaction",
      "MeterValues",
      "StopTransaction",
    ]);
    refuses.clear();
    site.received.length = 0;
    for (const letter of chargePoint.deadLetters) letter.retry();
    expect(chargePoint.deadLetters).toEqual([]);
    expect(transaction.transactionId).toBeUndefined();
    await site.clock.advance(second);
    expect(site.received).toMatchObject([
      ["StartTransaction", { idTag: "TAG" }],
      ["MeterValues", { transactionId: 41 }],
      ["StopTransaction", { transactionId: 41, meterStop: 200 }],
    ]);
    expect(site.said("delivered").map(({ call }) => call.action)).toEqual([
      "StartTransaction",
      "MeterValues",
      "StopTransaction",
    ]);
  });

  test("go before what has happened since, whatever that is [CORE-TXQ-03]", async () => {
    const { site, refuses, chargePoint } = open();
    await site.start();
    refuses.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    await site.clock.advance(hour);
    refuses.clear();
    site.behaviour.reachable = false;
    site.link.chargePoint.drop();
    transaction.stop({ meterStop: 200 });
    chargePoint.startTransaction({ ...start, connectorId: 2, idTag: "LATER" });
    chargePoint.deadLetters[0]?.retry();
    site.behaviour.reachable = true;
    site.received.length = 0;
    await site.clock.advance(hour);
    expect(site.received.filter(([action]) => action.endsWith("Transaction"))).toMatchObject([
      ["StartTransaction", { idTag: "TAG" }],
      ["StopTransaction", { transactionId: 41 }],
      ["StartTransaction", { idTag: "LATER" }],
    ]);
  });

  test("can be given up again [CORE-TXQ-09]", async () => {
    const { site, refuses, chargePoint } = open();
    await site.start();
    refuses.add("StopTransaction");
    chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(hour);
    chargePoint.deadLetters[0]?.retry();
    await site.clock.advance(hour);
    expect(chargePoint.deadLetters.map(({ call }) => call.action)).toEqual(["StopTransaction"]);
    expect(site.actions.filter((action) => action === "StopTransaction")).toHaveLength(6);
  });

  test("survive a power cut, with the id of their transaction, which does not run any more [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const before = open({ store });
    await before.site.start();
    before.refuses.add("StopTransaction");
    before.refuses.add("MeterValues");
    const first = before.chargePoint.startTransaction(start);
    first.meterValues({ meterValue });
    first.stop({ meterStop: 200 });
    await before.site.clock.advance(hour);
    expect(before.chargePoint.deadLetters).toHaveLength(2);

    const after = open({ store });
    expect(await after.chargePoint.start()).toEqual([]);
    const letters = after.chargePoint.deadLetters;
    expect(letters.map(({ call }) => call)).toMatchObject([
      { action: "MeterValues", req: { transactionId: 41 } },
      { action: "StopTransaction", req: { transactionId: 41, meterStop: 200 } },
    ]);
    expect(letters.map(({ reason }) => reason)).toEqual(["attempts", "attempts"]);
    for (const letter of letters) letter.retry();
    await after.site.clock.advance(minute);
    expect(after.site.received.slice(1)).toMatchObject([
      ["MeterValues", { transactionId: 41 }],
      ["StopTransaction", { transactionId: 41, meterStop: 200 }],
    ]);
    expect(await store.load("")).toEqual([]);
  });

  test("leave nothing in the store when they are deleted, and cannot be decided about twice", async () => {
    const store = memoryStore();
    const { site, refuses, chargePoint } = open({ store });
    await site.start();
    for (const action of ["StartTransaction", "MeterValues", "StopTransaction"]) refuses.add(action);
    const transaction = chargePoint.startTransaction(start);
    transaction.meterValues({ meterValue });
    transaction.stop({ meterStop: 200 });
    await site.clock.advance(hour);
    const letters = chargePoint.deadLetters;
    expect(await kindsIn(store)).toEqual(["queue", "transaction"]);
    for (const letter of letters) letter.delete();
    expect(chargePoint.deadLetters).toEqual([]);
    expect(transaction.transactionId).toBe(-1);
    await site.clock.advance(0);
    expect(await store.load("")).toEqual([]);
    for (const letter of letters) {
      expect(() => letter.retry()).toThrow("is no dead letter any more");
      expect(() => letter.delete()).toThrow("is no dead letter any more");
    }
  });

  test("cannot be decided about once the charge point is stopped", async () => {
    const { site, refuses, chargePoint } = open();
    await site.start();
    refuses.add("StopTransaction");
    chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(hour);
    await chargePoint.stop();
    const [letter] = chargePoint.deadLetters;
    expect(() => letter?.retry()).toThrow("has been stopped");
    expect(() => letter?.delete()).toThrow("has been stopped");
  });

  test("are a thousand at most besides starts and stops, which nothing displaces, and what is forgotten is told", async () => {
    const { site, refuses, chargePoint } = open();
    await site.start();
    refuses.add("StopTransaction");
    chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(hour);
    // Nobody handles it: each is refused for good.
    for (let index = 0; index <= 1000; index++) {
      chargePoint.deliver("DiagnosticsStatusNotification", { status: "Idle" });
      if (index % 100 === 99) await site.clock.advance(0);
    }
    await site.clock.advance(minute);
    expect(chargePoint.deadLetters).toHaveLength(1001);
    expect(chargePoint.deadLetters[0]?.call.action).toBe("StopTransaction");
    expect(site.said("fault").map(({ error }) => String(error))).toEqual([
      expect.stringContaining("A DiagnosticsStatusNotification that was given up long ago is forgotten"),
    ]);
  });

  test("are closed when a start is delivered after its stop has said -1: the stop is sent again, with the id [CORE-TXQ-12]", async () => {
    const { site, refuses, chargePoint } = open();
    await site.start();
    refuses.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    await site.clock.advance(hour);
    transaction.stop({ meterStop: 200 });
    await site.clock.advance(minute);
    expect(site.received.at(-1)).toMatchObject(["StopTransaction", { transactionId: -1 }]);
    refuses.clear();
    chargePoint.deadLetters[0]?.retry();
    await site.clock.advance(minute);
    expect(site.received.slice(-2)).toMatchObject([
      ["StartTransaction", { idTag: "TAG" }],
      ["StopTransaction", { transactionId: 41, meterStop: 200 }],
    ]);
    expect(chargePoint.undelivered.count).toBe(0);
  });

  test("are decided about once, also when what is done about them comes back to them", async () => {
    const { site, refuses, chargePoint } = open();
    await site.start();
    refuses.add("StopTransaction");
    chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(hour);
    const [letter] = chargePoint.deadLetters;
    const again: unknown[] = [];
    chargePoint.on("message", ({ direction }) => {
      try {
        if (direction === "out") letter?.retry();
      } catch (error) {
        again.push(error);
      }
    });
    refuses.clear();
    site.received.length = 0;
    letter?.retry();
    await site.clock.advance(hour);
    expect(site.actions.filter((action) => action === "StopTransaction")).toHaveLength(1);
    expect(again.length).toBeGreaterThan(0);
  });

  test("survive a power cut at each write of a retry [CORE-TXQ-16]", async () => {
    for (let nth = 0; nth < 6; nth++) {
      const records = memoryStore();
      let left = Number.POSITIVE_INFINITY;
      const write = (act: () => Promise<void>): Promise<void> => (left-- > 0 ? act() : new Promise(() => {}));
      const store = {
        ...records,
        put: (key: string, value: string) => write(() => records.put(key, value)),
        delete: (key: string) => write(() => records.delete(key)),
      };
      const before = open({ store });
      await before.site.start();
      for (const action of ["StartTransaction", "MeterValues", "StopTransaction"]) before.refuses.add(action);
      const transaction = before.chargePoint.startTransaction(start);
      transaction.meterValues({ meterValue });
      transaction.stop({ meterStop: 200 });
      await before.site.clock.advance(hour);
      expect(before.chargePoint.deadLetters).toHaveLength(3);
      before.site.link.chargePoint.drop();
      before.site.behaviour.reachable = false;
      left = nth;
      for (const letter of before.chargePoint.deadLetters) letter.retry();
      await before.site.clock.advance(0);

      const after = open({ store: records });
      await after.chargePoint.start();
      const kept = after.chargePoint.deadLetters.length + after.chargePoint.undelivered.count;
      expect(kept, `after ${nth} writes`).toBe(3);
    }
  });

  test("are none of the meter values for which the queue had no room [CORE-MTR-12]", async () => {
    const { site, chargePoint } = open({ maxQueuedMessages: 4 });
    site.behaviour.reachable = false;
    await site.start();
    const transaction = chargePoint.startTransaction(start);
    for (let index = 0; index < 9; index++) transaction.meterValues({ meterValue });
    expect(site.said("discarded").length).toBeGreaterThan(0);
    for (const { reason, deadLetter } of site.said("discarded")) {
      expect(reason).toBe("full");
      expect(deadLetter).toBeUndefined();
    }
    expect(chargePoint.deadLetters).toEqual([]);
  });
});

describe("ChargePoint.deliver", () => {
  const vendorId = "com.example";

  test("delivers in order and at least once, also after a power cut, and tells the answer [J-211]", async () => {
    const store = memoryStore();
    const before = open({ store });
    before.site.behaviour.reachable = false;
    await before.site.start();
    before.chargePoint.deliver("DataTransfer", { vendorId, messageId: "1" });
    before.chargePoint.deliver("DataTransfer", { vendorId, messageId: "2" });
    expect(before.chargePoint.undelivered).toEqual({
      count: 2,
      oldest: { action: "DataTransfer", req: { vendorId, messageId: "1" } },
    });
    await before.chargePoint.saved();

    const after = open({ store });
    await after.site.start();
    after.chargePoint.deliver("DataTransfer", { vendorId, messageId: "3" });
    await after.site.clock.advance(second);
    expect(after.site.received.slice(1)).toMatchObject([
      ["DataTransfer", { messageId: "1" }],
      ["DataTransfer", { messageId: "2" }],
      ["DataTransfer", { messageId: "3" }],
    ]);
    expect(after.site.said("delivered")).toMatchObject(
      ["1", "2", "3"].map((messageId) => ({ call: { req: { messageId } }, conf: { status: "Accepted" } })),
    );
    for (const { transaction } of after.site.said("delivered")) expect(transaction).toBeUndefined();
    expect(after.chargePoint.undelivered).toEqual({ count: 0, oldest: undefined });
    expect(await store.load("")).toEqual([]);
  });

  test("gives up at once what the Central System does not know, and keeps it as a dead letter", async () => {
    const { site, chargePoint } = open();
    await site.start();
    chargePoint.deliver("DiagnosticsStatusNotification", { status: "Idle" }); // Nobody handles it: NotSupported.
    chargePoint.deliver("DataTransfer", { vendorId });
    await site.clock.advance(second);
    expect(site.actions.slice(1)).toEqual(["DiagnosticsStatusNotification", "DataTransfer"]);
    expect(site.said("discarded")).toMatchObject([{ reason: "refused", transaction: undefined }]);
    const [letter] = chargePoint.deadLetters;
    expect(letter).toMatchObject({ reason: "refused", call: { action: "DiagnosticsStatusNotification" } });
    site.centralSystem.handle("DiagnosticsStatusNotification", () => ({}));
    letter?.retry();
    await site.clock.advance(second);
    expect(site.actions.at(-1)).toBe("DiagnosticsStatusNotification");
    expect(chargePoint.deadLetters).toEqual([]);
  });

  test("tries what is refused otherwise as often as a message of a transaction, and holds none of those up [CORE-TXQ-09]", async () => {
    const store = memoryStore();
    const { site, refuses, chargePoint } = open({ store });
    await site.start();
    refuses.add("DataTransfer");
    chargePoint.deliver("DataTransfer", { vendorId });
    chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(second);
    expect(site.actions.slice(1)).toEqual(["DataTransfer", "StartTransaction", "StopTransaction"]);
    await site.clock.advance(hour);
    expect(site.actions.filter((action) => action === "DataTransfer")).toHaveLength(3);
    expect(chargePoint.deadLetters).toMatchObject([{ reason: "attempts", call: { action: "DataTransfer" } }]);
    expect(await kindsIn(store)).toEqual(["outbox"]);
    chargePoint.deadLetters[0]?.delete();
    await site.clock.advance(0);
    expect(await store.load("")).toEqual([]);
  });

  test("stamps a security event, with the right time once that is told [SEC-A04-02]", async () => {
    const { site, chargePoint } = open();
    site.behaviour.aheadMs = 365 * 24 * hour;
    site.centralSystem.handle("SecurityEventNotification", () => ({}));
    const started = chargePoint.start();
    await site.clock.advance(0);
    await started;
    chargePoint.deliver("SecurityEventNotification", { type: "StartupOfTheDevice" });
    chargePoint.deliver("SecurityEventNotification", { type: "SettingSystemTime", timestamp: "2020-01-01T00:00:00Z" });
    await site.clock.advance(minute);
    expect(site.received.slice(1)).toMatchObject([
      ["SecurityEventNotification", { type: "StartupOfTheDevice", timestamp: "2027-01-01T00:00:00.000Z" }],
      ["SecurityEventNotification", { type: "SettingSystemTime", timestamp: "2020-01-01T00:00:00Z" }],
    ]);
  });

  test("takes a thousand messages, and no wrong ones", async () => {
    const { site, chargePoint } = open();
    expect(() => chargePoint.deliver("DataTransfer", { vendorId })).toThrow(/not started/);
    site.behaviour.reachable = false;
    await site.start();
    expect(() => chargePoint.deliver("DataTransfer", {} as never)).toThrow(/vendorId is missing/);
    for (const action of ["StartTransaction", "Heartbeat", "Authorize", "Reset", "toString"] as never[]) {
      expect(() => chargePoint.deliver(action, {} as never)).toThrow(`deliver does not take ${action}`);
    }
    for (let index = 0; index < 1000; index++) chargePoint.deliver("DataTransfer", { vendorId });
    expect(() => chargePoint.deliver("DataTransfer", { vendorId })).toThrow(RangeError);
    await chargePoint.stop();
    expect(() => chargePoint.deliver("DataTransfer", { vendorId })).toThrow(/stopped/);
  });
});
