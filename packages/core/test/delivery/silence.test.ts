import { describe, expect, test } from "vitest";
import { type ChargePointOptions, Configuration, type Frame, memoryStore, quirks } from "../../src/index.ts";
import { Site } from "../charge-point/site.ts";
import { hour, minute, second } from "../charge-point/vocabulary.ts";

const start = { connectorId: 1, idTag: "TAG", meterStart: 100 };

const never = (): Promise<never> => new Promise(() => {});

/** A site whose Central System answers what `answers` says, and nothing else. */
function open(options: Partial<ChargePointOptions> = {}) {
  const site = new Site(options);
  const silent = new Set<string>();
  let ids = 40;
  for (const action of ["StartTransaction", "StopTransaction", "MeterValues"] as const) {
    site.centralSystem.handle(action, (): never => {
      if (silent.has(action)) return never() as never;
      return (
        action === "StartTransaction" ? { transactionId: ++ids, idTagInfo: { status: "Accepted" } } : {}
      ) as never;
    });
  }
  return { site, silent, chargePoint: site.chargePoint };
}

/** The message ids of the CALLs of an action, in the order in which they were sent. */
const idsOf = (frames: readonly { readonly frame: Frame }[], action: string): string[] =>
  frames.flatMap(({ frame }) => (frame.type === "CALL" && frame.action === action ? [frame.messageId] : []));

/** Answers a StartTransaction that was left without an answer, the first unless it is said otherwise, with a payload as JSON. */
async function answerStart(site: Site, payload: string, attempt = 0): Promise<void> {
  site.link.chargePoint.inject(`[3,"${idsOf(site.frames, "StartTransaction")[attempt]}",${payload}]`);
  await site.clock.advance(0);
}

const accepted = '"idTagInfo":{"status":"Accepted"}';

describe("A Central System that answers nothing", () => {
  test("loses nothing, however long it lasts, and gets everything afterwards [CORE-TXQ-08] [J-153] [J-154]", async () => {
    const { site, chargePoint } = open();
    await site.start();
    const links = site.links.length;
    for (let connectorId = 1; connectorId <= 5; connectorId++) {
      chargePoint.startTransaction({ ...start, connectorId }).stop({ meterStop: 200 });
    }
    site.link.centralSystem.mute();
    // Every connection since opens, and nothing is answered on it.
    const connect = site.behaviour;
    for (let hours = 0; hours < 3; hours++) {
      await site.clock.advance(hour);
      for (const link of site.links) link.centralSystem.mute();
    }
    expect(connect.reachable).toBe(true);
    expect(site.said("discarded")).toEqual([]);
    site.received.length = 0;
    site.link.chargePoint.drop();
    await site.clock.advance(hour);
    expect(site.links.length).toBeGreaterThan(links);
    expect(site.said("delivered")).toHaveLength(10);
    expect(site.said("discarded")).toEqual([]);
  });

  test("has failed to take a message when it answers a Heartbeat after it [CORE-TXQ-08] [CORE-TXQ-09]", async () => {
    const { site, silent, chargePoint } = open();
    await site.start();
    silent.add("StartTransaction");
    chargePoint.startTransaction(start);
    await site.clock.advance(hour);
    expect(site.actions.filter((action) => action === "StartTransaction")).toHaveLength(3);
    expect(site.said("discarded")).toMatchObject([{ reason: "attempts" }]);
  });

  test("has taken a message when its answer comes after its time, but before it is sent again [CORE-TXQ-08]", async () => {
    const { site, silent, chargePoint } = open();
    await site.start();
    silent.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    await site.clock.advance(40 * second);
    await answerStart(site, `{"transactionId":7,${accepted}}`);
    expect(transaction.transactionId).toBe(7);
    await site.clock.advance(hour);
    expect(idsOf(site.frames, "StartTransaction")).toHaveLength(1);
    expect(site.said("discarded")).toEqual([]);
  });

  test("has failed once when its refusal comes after its time [CORE-TXQ-08] [CORE-TXQ-09]", async () => {
    const { site, silent, chargePoint } = open();
    await site.start();
    silent.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    await site.clock.advance(40 * second);
    const [id] = idsOf(site.frames, "StartTransaction");
    site.link.chargePoint.inject(`[4,"${id}","GenericError","",{}]`);
    silent.clear();
    await site.clock.advance(2 * minute);
    expect(transaction.transactionId).toBe(41);
    expect(idsOf(site.frames, "StartTransaction")).toHaveLength(2);
  });
});

describe("A late answer", () => {
  test("counts once the message has been given up, too, and to whichever attempt [CORE-TXQ-08] [CORE-TXQ-12]", async () => {
    const { site, silent, chargePoint } = open();
    await site.start();
    silent.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    await site.clock.advance(hour);
    expect(transaction.transactionId).toBe(-1);
    await answerStart(site, `{"transactionId":7,${accepted}}`, 1);
    expect(transaction.transactionId).toBe(7);
    expect(chargePoint.deadLetters).toEqual([]);
    transaction.stop({ meterStop: 200 });
    await site.clock.advance(0);
    expect(site.received.at(-1)).toMatchObject(["StopTransaction", { transactionId: 7 }]);
  });

  test("is read with the quirks that are tolerated in time [CORE-TXQ-08]", async () => {
    const { site, silent, chargePoint } = open({ tolerate: [quirks.extraFields] });
    await site.start();
    silent.add("StopTransaction");
    chargePoint.startTransaction(start).stop({ meterStop: 200 });
    await site.clock.advance(40 * second);
    const [id] = idsOf(site.frames, "StopTransaction");
    site.link.chargePoint.inject(`[3,"${id}",{${accepted},"extra":1}]`);
    await site.clock.advance(0);
    expect(site.said("delivered").at(-1)).toMatchObject({ conf: { idTagInfo: { status: "Accepted" } } });
    expect(site.said("tolerated")).toMatchObject([{ quirk: "extraFields", action: "StopTransaction" }]);
    expect(site.said("violation")).toMatchObject([{ reason: "late-answer" }]);
  });

  test("says as in time that a message will never be taken, as long as it has not failed [CORE-TXQ-08]", async () => {
    const { site, chargePoint } = open();
    await site.start();
    site.link.chargePoint.mute();
    chargePoint.deliver("SecurityEventNotification", { type: "StartupOfTheDevice" });
    await site.clock.advance(40 * second);
    const [id] = idsOf(site.frames, "SecurityEventNotification");
    site.link.chargePoint.inject(`[4,"${id}","NotImplemented","",{}]`);
    await site.clock.advance(0);
    expect(site.said("discarded")).toMatchObject([{ reason: "refused" }]);
  });
});

describe("A message that cannot be sent now", () => {
  test("waits for a second at least, so that no interval of 0 makes a loop without end [CORE-TXQ-10]", async () => {
    const configuration = await Configuration.load({
      store: memoryStore(),
      report: () => {},
      keys: {
        NumberOfConnectors: { value: 1 },
        SupportedFeatureProfiles: { value: ["Core"] },
        TransactionMessageRetryInterval: { value: 0 },
      },
    });
    const { site, chargePoint } = open({ configuration });
    site.centralSystem.handle("DataTransfer", never);
    await site.start();
    for (let n = 0; n < 1001; n++) chargePoint.call("DataTransfer", { vendorId: "v" }).catch(() => {});
    chargePoint.startTransaction(start);
    await site.clock.advance(10 * second);
    const full = site.said("fault").filter(({ error }) => error instanceof RangeError);
    expect(full.length).toBeGreaterThan(0);
    expect(full.length).toBeLessThanOrEqual(11);
  });
});

describe("A StartTransaction.conf with flaws", () => {
  test.each([
    ["an expiryDate that is null", `"transactionId":7,"idTagInfo":{"status":"Accepted","expiryDate":null}`],
    ["a field too many", `"transactionId":7,${accepted},"extra":1`],
    ["an id in quotes", `"transactionId":"7",${accepted}`],
    ["nothing about the identifier", `"transactionId":7`],
  ])("is the answer when it has an id, and is told as a violation: %s [CORE-START-03]", async (_, payload) => {
    const { site, silent, chargePoint } = open();
    await site.start();
    silent.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    transaction.stop({ meterStop: 200 });
    await site.clock.advance(0);
    await answerStart(site, `{${payload}}`);
    expect(transaction.transactionId).toBe(7);
    expect(site.received.at(-1)).toMatchObject(["StopTransaction", { transactionId: 7 }]);
    expect(site.said("violation")).toMatchObject([{ reason: "payload" }]);
  });

  test("is decided like an unknown identifier where nothing can be read about it [CORE-START-03] [CORE-LAO-28]", async () => {
    const { site, silent, chargePoint } = open();
    await site.start();
    silent.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    await site.clock.advance(0);
    await answerStart(site, '{"transactionId":7}');
    expect(site.said("invalidated")).toEqual([{ transaction, idTagInfo: { status: "Invalid" } }]);
  });

  test("is no answer without an id [CORE-TXQ-09]", async () => {
    const { site, silent, chargePoint } = open();
    await site.start();
    silent.add("StartTransaction");
    const transaction = chargePoint.startTransaction(start);
    await site.clock.advance(0);
    await answerStart(site, `{${accepted}}`);
    expect(transaction.transactionId).toBeUndefined();
    silent.clear();
    await site.clock.advance(2 * minute);
    expect(transaction.transactionId).toBe(41);
  });
});

describe("A Transaction", () => {
  test("tells after a power cut what it knew before [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const before = open({ store });
    await before.site.start();
    const began = before.site.clock.now();
    const first = before.chargePoint.startTransaction(start, { reserved: 5 });
    first.keep({ session: "abc", energy: [1, 2] });
    first.meterValues({ meterValue: [{ sampledValue: [{ value: "110" }] }, { sampledValue: [{ value: "120" }] }] });
    await before.site.clock.advance(minute);

    const after = open({ store });
    const [transaction] = await after.chargePoint.start();
    expect(transaction).toMatchObject({
      connectorId: 1,
      idTag: "TAG",
      meterStart: 100,
      startedAt: began,
      transactionId: 41,
      identified: true,
      stopped: false,
      lastReading: { timestamp: new Date(began).toISOString(), sampledValue: [{ value: "120" }] },
      data: { session: "abc", energy: [1, 2] },
    });
  });

  test("keeps a copy of small data, and no more [CORE-TXQ-16]", async () => {
    const { site, chargePoint } = open();
    await site.start();
    const data = { list: [1] };
    const transaction = chargePoint.startTransaction(start, data);
    data.list.push(2);
    (transaction.data as typeof data).list.push(3);
    expect(transaction.data).toEqual({ list: [1] });
    const circular: { self?: unknown } = {};
    circular.self = circular;
    for (const wrong of [circular, 1n, () => {}, Symbol("x"), "x".repeat(9999)]) {
      expect(() => transaction.keep(wrong)).toThrow(TypeError);
      expect(() => chargePoint.startTransaction({ ...start, connectorId: 2 }, wrong)).toThrow(TypeError);
    }
    expect(chargePoint.transactions).toEqual([transaction]);
    transaction.keep(undefined);
    expect(transaction.data).toBeUndefined();
  });

  test("is the only one on its connector, unless it was said otherwise", async () => {
    const { site, chargePoint } = open();
    await site.start();
    const transaction = chargePoint.startTransaction(start);
    expect(() => chargePoint.startTransaction(start)).toThrow(/runs on connector 1.*severalTransactionsPerConnector/);
    chargePoint.startTransaction({ ...start, connectorId: 2 });
    transaction.stop({ meterStop: 200 });
    chargePoint.startTransaction(start);
    const other = open({ severalTransactionsPerConnector: true });
    await other.site.start();
    other.chargePoint.startTransaction(start);
    other.chargePoint.startTransaction(start);
    expect(other.chargePoint.transactions).toHaveLength(2);
  });

  test("of a charge point that was stopped does nothing but throw, and leaves its successor's records alone", async () => {
    const store = memoryStore();
    const before = open({ store });
    before.site.behaviour.reachable = false;
    await before.site.start();
    const old = before.chargePoint.startTransaction(start);
    await before.chargePoint.stop();
    const after = open({ store });
    after.site.behaviour.reachable = false;
    const [transaction] = await after.chargePoint.start();
    transaction?.stop({ meterStop: 200 });
    await after.chargePoint.saved();
    const kept = await store.load("");
    expect(() => old.meterValues({ meterValue: [{ sampledValue: [{ value: "1" }] }] })).toThrow(/has been stopped/);
    expect(() => old.stop({ meterStop: 1 })).toThrow(/has been stopped/);
    expect(() => old.keep(1)).toThrow(/has been stopped/);
    expect(() => before.chargePoint.startTransaction(start)).toThrow(/has been stopped/);
    await before.site.clock.advance(hour);
    expect(await store.load("")).toEqual(kept);
  });
});
