import { describe, expect, test } from "vitest";
import {
  AuthorizationCache,
  CallError,
  type ChargePointOptions,
  type Conf,
  memoryStore,
  type RecordStore,
  type Req,
} from "../../src/index.ts";
import { Site } from "./site.ts";
import { day, hour } from "./vocabulary.ts";

const start = { connectorId: 1, idTag: "TAG", meterStart: 100 };
const meterValue: Req<"MeterValues">["meterValue"] = [
  { timestamp: "2026-01-01T00:00:10Z", sampledValue: [{ value: "110" }] },
];
const transactionRelated = ["StartTransaction", "MeterValues", "StopTransaction"] as const;
type TransactionRelated = (typeof transactionRelated)[number];

/** A Charge Point whose Central System takes everything and gives the ids 41, 42, …. */
function serving(
  options: Partial<ChargePointOptions> = {},
  idTagInfo: Conf<"Authorize">["idTagInfo"] = accepted,
): Site {
  const site = new Site(options);
  let ids = 40;
  site.centralSystem.handle("StartTransaction", () => ({ transactionId: ++ids, idTagInfo }));
  site.centralSystem.handle("MeterValues", () => ({}));
  site.centralSystem.handle("StopTransaction", () => ({}));
  return site;
}

const accepted = { status: "Accepted" } as const;

/** A Charge Point whose Central System fails to take one kind of message. */
function failing(action: TransactionRelated, options: Partial<ChargePointOptions> = {}): Site {
  const site = serving(options);
  site.centralSystem.on("connected", ({ connection }) => {
    connection.handle(action, () => {
      throw new CallError("InternalError", "no");
    });
  });
  return site;
}

/** A Charge Point that gets a text, made of the message id, as the only answer to one kind of message. */
function answered(action: TransactionRelated, answer: (messageId: string) => string): Site {
  const site = serving();
  site.centralSystem.on("connected", ({ connection }) => connection.handle(action, () => new Promise(() => {})));
  site.chargePoint.on("message", ({ direction, frame }) => {
    if (direction === "out" && frame.type === "CALL" && frame.action === action) {
      site.link.chargePoint.inject(answer(frame.messageId));
    }
  });
  return site;
}

/** What has arrived of transactions. */
const billed = (site: Site) =>
  site.received.filter(([action]) => transactionRelated.some((related) => related === action));

/** Lets everything happen that a Charge Point does without its owner. */
const settled = (site: Site) => site.clock.advance(hour);

/** The store as it is after a power cut: what it is asked for from now on is lost. */
async function cutOff(store: RecordStore): Promise<RecordStore> {
  const copy = memoryStore();
  for (const { key, value } of await store.load("")) await copy.put(key, value);
  return copy;
}

describe("a transaction without an id, because its start was given up", () => {
  test("has -1 after a power cut, too, and so has its stop [CORE-TXQ-12] [CORE-TXQ-16] [CORE-START-05]", async () => {
    const store = memoryStore();
    const before = failing("StartTransaction", { store });
    await before.start();
    before.chargePoint.startTransaction(start);
    await settled(before);
    expect(before.said("discarded")).toHaveLength(1);
    const after = serving({ store: await cutOff(store) });
    const [transaction] = await after.chargePoint.start();
    expect(transaction?.transactionId).toBe(-1);
    transaction?.meterValues({ meterValue });
    transaction?.stop({ meterStop: 111, reason: "PowerLoss" });
    await settled(after);
    expect(billed(after)).toMatchObject([
      ["MeterValues", { transactionId: -1 }],
      ["StopTransaction", { transactionId: -1, meterStop: 111 }],
    ]);
  });
});

describe("a transaction whose record is damaged", () => {
  test("is billed to nobody: all that is left of it is kept aside and told of, and others go on [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const before = serving({ store });
    await before.start();
    const transaction = before.chargePoint.startTransaction(start);
    await before.clock.advance(0);
    expect(transaction.transactionId).toBe(41);
    before.behaviour.reachable = false;
    before.link.chargePoint.drop();
    transaction.meterValues({ meterValue });
    transaction.stop({ meterStop: 200 });
    before.chargePoint.startTransaction({ ...start, connectorId: 2, meterStart: 7 }).stop({ meterStop: 8 });
    await before.chargePoint.stop();
    const kept = await store.load("");
    const damaged = kept.filter(({ value }) => value.includes('"meterStart":100'));
    expect(damaged).toHaveLength(1);
    for (const { key } of damaged) await store.put(key, "{");

    const after = serving({ store });
    expect(await after.chargePoint.start()).toEqual([]);
    await settled(after);
    expect(billed(after)).toMatchObject([
      ["StartTransaction", { meterStart: 7 }],
      ["StopTransaction", { transactionId: 41, meterStop: 8 }],
    ]);
    const values = kept.filter(({ value }) => value.includes('"110"') && !value.includes('"meterStart":100'));
    const aside = [...damaged.map(({ key }) => ({ key, value: "{" })), ...values];
    expect(await store.load("")).toEqual(
      aside.map(({ key, value }) => ({ key: `corrupt/${key}`, value })).sort((a, b) => (a.key < b.key ? -1 : 1)),
    );
    expect(after.said("fault")).toHaveLength(aside.length);
    expect(aside.length).toBeGreaterThan(1);
  });
});

describe("delivered", () => {
  test("is told of nothing that was not sent, whatever the owner has made of its objects [CORE-TXQ-01]", async () => {
    const site = serving();
    site.behaviour.reachable = false;
    await site.start();
    const transaction = site.chargePoint.startTransaction(start);
    const values = [...meterValue];
    transaction.meterValues({ meterValue: values as typeof meterValue });
    values.length = 0;
    transaction.stop({ meterStop: 200 });
    site.behaviour.reachable = true;
    await settled(site);
    expect(site.said("delivered").map(({ call }) => [call.action, call.req])).toEqual(billed(site));
    expect(billed(site).at(-1)).toMatchObject(["StopTransaction", { transactionId: 41 }]);
  });

  test.each(["MeterValues", "StopTransaction"] as const)(
    "is told of %s without `conf` when the answer makes no sense, which is told as a violation [CORE-TXQ-01] [J-088]",
    async (action) => {
      for (const [payload, reason] of [
        [',{"idTagInfo":{}}', "payload"],
        [",7", "payload"],
        ["", "answer-shape"],
      ]) {
        const site = answered(action, (messageId) => `[3,"${messageId}"${payload}]`);
        await site.start();
        const transaction = site.chargePoint.startTransaction(start);
        transaction.meterValues({ meterValue });
        transaction.stop({ meterStop: 200 });
        await settled(site);
        expect(billed(site).map(([sent]) => sent)).toEqual(transactionRelated);
        expect(site.said("delivered").map(({ call, conf }) => [call.action, conf === undefined])).toEqual(
          transactionRelated.map((related) => [related, related === action]),
        );
        expect(site.said("violation").map((violation) => violation.reason)).toEqual([reason]);
        expect(site.said("discarded")).toEqual([]);
      }
    },
  );

  test("is not told of a start whose answer has no id: it is sent again, as after a CALLERROR [CORE-TXQ-09] [CORE-TXQ-12]", async () => {
    const site = answered("StartTransaction", (messageId) => `[3,"${messageId}",{"idTagInfo":{"status":"Accepted"}}]`);
    await site.start();
    const transaction = site.chargePoint.startTransaction(start);
    await settled(site);
    expect(billed(site)).toHaveLength(3);
    expect(site.said("delivered")).toEqual([]);
    expect(site.said("discarded")).toMatchObject([{ call: { action: "StartTransaction" }, reason: "attempts" }]);
    expect(transaction.transactionId).toBe(-1);
  });
});

describe("invalidated", () => {
  test("is not told of a start that the Central System accepts [CORE-START-04]", async () => {
    const site = serving();
    await site.start();
    site.chargePoint.startTransaction(start);
    await settled(site);
    expect(site.said("delivered")).toHaveLength(1);
    expect(site.said("invalidated")).toEqual([]);
  });

  test.each(["Blocked", "Expired", "Invalid", "ConcurrentTx"] as const)(
    "is told once of a transaction that runs when the start is answered with %s [CORE-LAO-09] [CORE-LAO-10] [CORE-START-04]",
    async (status) => {
      const idTagInfo = { status, parentIdTag: "FAMILY" };
      const site = serving({}, idTagInfo);
      site.centralSystem.on("connected", ({ connection }) => {
        connection.handle("StopTransaction", () => ({ idTagInfo }));
      });
      await site.start();
      const transaction = site.chargePoint.startTransaction(start);
      await site.clock.advance(0);
      expect(site.said("invalidated")).toEqual([{ transaction, idTagInfo }]);
      expect(transaction).toMatchObject({ transactionId: 41, parentIdTag: "FAMILY", stopped: false });
      transaction.meterValues({ meterValue });
      transaction.stop({ meterStop: 101, idTag: "TAG", reason: "DeAuthorized" });
      await settled(site);
      expect(site.said("delivered")).toHaveLength(3);
      expect(site.said("invalidated")).toHaveLength(1);
    },
  );

  test("is not told of a transaction that has been stopped meanwhile [CORE-START-04]", async () => {
    const site = serving({}, { status: "Invalid" });
    await site.start();
    site.chargePoint.startTransaction(start).stop({ meterStop: 101 });
    await settled(site);
    expect(site.said("delivered")).toHaveLength(2);
    expect(site.said("invalidated")).toEqual([]);
  });
});

describe("a member of the group", () => {
  /** With an offline Charge Point that knows TAG and SISTER as of the group FAMILY. */
  async function family(store: RecordStore) {
    const report = (error: Error) => expect.unreachable(error.message);
    const authorizationCache = await AuthorizationCache.load(memoryStore(), { report });
    for (const idTag of ["TAG", "SISTER"]) {
      await authorizationCache.update(idTag, { status: "Accepted", parentIdTag: "FAMILY" }, Date.UTC(2026, 0, 1));
    }
    return serving({ store, authorizationCache });
  }

  test("stops a transaction offline before its start is answered, and is named in the bill [CORE-AUTH-09] [CORE-STOP-02] [CORE-LAO-08]", async () => {
    const site = await family(memoryStore());
    site.behaviour.reachable = false;
    await site.start();
    const transaction = site.chargePoint.startTransaction(start);
    expect(await site.chargePoint.authorizeStop("SISTER", transaction)).toMatchObject({ decision: "accept" });
    transaction.stop({ meterStop: 200, idTag: "SISTER" });
    expect(site.chargePoint.transactions).toEqual([]);
    site.behaviour.reachable = true;
    await settled(site);
    expect(billed(site)).toMatchObject([
      ["StartTransaction", { idTag: "TAG" }],
      ["StopTransaction", { idTag: "SISTER", transactionId: 41, meterStop: 200 }],
    ]);
  });

  test("does so after a power cut, whether or not the start was answered [CORE-AUTH-09] [CORE-TXQ-16]", async () => {
    for (const reachable of [true, false]) {
      const store = memoryStore();
      const before = serving({ store }, { status: "Accepted", parentIdTag: "FAMILY" });
      before.behaviour.reachable = reachable;
      await before.start();
      before.chargePoint.startTransaction(start);
      await before.clock.advance(0);
      await before.chargePoint.saved();
      const after = await family(await cutOff(store));
      after.behaviour.reachable = false;
      const [transaction] = await after.chargePoint.start();
      if (transaction === undefined) return expect.unreachable();
      expect(transaction.parentIdTag).toBe(reachable ? "FAMILY" : undefined);
      expect(await after.chargePoint.authorizeStop("SISTER", transaction)).toMatchObject({ decision: "accept" });
      expect(await after.chargePoint.authorizeStop("STRANGER", transaction)).toMatchObject({ decision: "refuse" });
    }
  });
});

describe("what is over", () => {
  /** A store that does everything but delete, as if the power was cut each time before it came to that. */
  const keeping = (store: RecordStore): RecordStore => ({ ...store, delete: () => Promise.resolve() });

  test.each([
    ["delivered", serving],
    ["discarded", (options: Partial<ChargePointOptions>) => failing("StopTransaction", options)],
  ] as const)(
    "stays so after a power cut when its stop was %s; before the store has removed anything, it is told once more at the most, in the same words [CORE-TXQ-15] [CORE-TXQ-16]",
    async (event, make) => {
      const store = memoryStore();
      for (const during of [store, keeping(store)]) {
        const before = make({ store: during });
        await before.start();
        const transaction = before.chargePoint.startTransaction(start);
        await before.clock.advance(0);
        transaction.stop({ meterStop: 200 });
        await settled(before);
        expect(before.said(event).at(-1)).toMatchObject({ call: { action: "StopTransaction" } });
        const said = billed(before).at(-1);
        await before.chargePoint.stop();
        const after = serving({ store });
        expect(await after.chargePoint.start()).toEqual([]);
        await after.clock.advance(day);
        expect([[], [said]]).toContainEqual(billed(after));
        if (during === store || event === "discarded") expect(billed(after)).toEqual([]);
        await after.chargePoint.stop();
      }
    },
  );

  test.each([
    [41, "delivered", serving],
    [-1, "discarded", (options: Partial<ChargePointOptions>) => failing("StartTransaction", options)],
  ] as const)(
    "is a start with its id %i once it was %s, even before the store has removed it [CORE-TXQ-12] [CORE-TXQ-16]",
    async (transactionId, event, make) => {
      const store = memoryStore();
      const before = make({ store: keeping(store) });
      await before.start();
      before.chargePoint.startTransaction(start);
      await settled(before);
      expect(before.said(event)).toMatchObject([{ call: { action: "StartTransaction" } }]);
      await before.chargePoint.stop();
      const after = serving({ store });
      const [transaction, ...others] = await after.chargePoint.start();
      expect(others).toEqual([]);
      expect(transaction?.transactionId).toBe(transactionId);
      transaction?.stop({ meterStop: 200, reason: "PowerLoss" });
      await settled(after);
      expect(billed(after)).toMatchObject([["StopTransaction", { transactionId, meterStop: 200 }]]);
    },
  );
});
