import { describe, expect, test } from "vitest";
import { QueueRecords } from "../../src/charge-point/queue-records.ts";
import { memoryStore, type RecordStore } from "../../src/store/record-store.ts";
import { meterValues, queued, startTransaction, stopTransaction } from "./vocabulary.ts";

const transaction = { number: 1, connectorId: 2, idTag: "TAG" };
const damaged = (record: object, change: object): string => JSON.stringify({ ...record, ...change });

/** What the store keeps, and what was reported when it was read. */
async function loaded(store: RecordStore) {
  const reports: Error[] = [];
  const kept = await new QueueRecords(store).load((error) => reports.push(error));
  return { ...kept, reports };
}

describe("QueueRecords", () => {
  test("gives back what was put, in the order of the queue, and not what was deleted [CORE-TXQ-01] [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const records = new QueueRecords(store);
    const messages = [
      queued(startTransaction(1), 9),
      queued(meterValues(2), 20, 2),
      queued(stopTransaction(3), 100),
      queued(startTransaction(4), Number.MAX_SAFE_INTEGER),
    ];
    for (const message of [...messages].reverse()) await records.putMessage(message);
    await records.putMessage(queued(meterValues(5), 21));
    await records.deleteMessage(queued(meterValues(5), 21));
    await records.putTransaction(transaction);
    await records.putTransaction({ ...transaction, number: 10, transactionId: -1, parentIdTag: "PARENT", over: true });
    await records.putTransaction({ ...transaction, number: 2 });
    await records.deleteTransaction(2);
    expect(await loaded(store)).toEqual({
      messages,
      transactions: [transaction, { ...transaction, number: 10, transactionId: -1, parentIdTag: "PARENT", over: true }],
      reports: [],
    });
  });

  test("keeps the newest of what was put twice [CORE-TXQ-09] [CORE-TXQ-16]", async () => {
    const store = memoryStore();
    const records = new QueueRecords(store);
    await records.putMessage(queued(startTransaction(1), 1));
    await records.putMessage(queued(startTransaction(1), 1, 2));
    await records.putTransaction(transaction);
    await records.putTransaction({ ...transaction, transactionId: 7 });
    expect(await loaded(store)).toMatchObject({
      messages: [{ failures: 2 }],
      transactions: [{ transactionId: 7 }],
    });
  });

  test("leaves alone what else is in the store", async () => {
    const store = memoryStore();
    await store.put("configuration/HeartbeatInterval", "300");
    expect(await loaded(store)).toEqual({ messages: [], transactions: [], reports: [] });
    expect(await store.load("")).toEqual([{ key: "configuration/HeartbeatInterval", value: "300" }]);
  });

  const start = queued(startTransaction(1), 1);
  const stop = queued(stopTransaction(1), 1);
  test.each([
    ["queue/1", '{"sequence":1,"action":"StopTra'],
    ["queue/1", "null"],
    ["queue/1", damaged(start, { sequence: "1" })],
    ["queue/1", damaged(start, { transaction: 1.5 })],
    ["queue/1", damaged(start, { failures: undefined })],
    ["queue/1", damaged(start, { action: "Heartbeat", req: {} })],
    ["queue/1", damaged(start, { action: "toString" })],
    ["queue/1", damaged(start, { req: { ...start.req, idTag: "x".repeat(21) } })],
    ["queue/1", damaged(stop, { req: {} })],
    ["queue/1", damaged(queued(meterValues(1), 1), { req: { connectorId: 1, meterValue: [] } })],
    ["transaction/1", "{}"],
    ["transaction/1", damaged(transaction, { number: "1" })],
    ["transaction/1", damaged(transaction, { connectorId: undefined })],
    ["transaction/1", damaged(transaction, { idTag: 7 })],
    ["transaction/1", damaged(transaction, { transactionId: "7" })],
    ["transaction/1", damaged(transaction, { parentIdTag: 7 })],
  ])("sets the damaged record %s %s aside, says so, and gives back the others [CORE-TXQ-16]", async (key, value) => {
    const store = memoryStore();
    const records = new QueueRecords(store);
    await store.put(key, value);
    await records.putMessage(queued(stopTransaction(2), 2));
    await records.putTransaction(transaction);
    const { messages, transactions, reports } = await loaded(store);
    expect(messages).toEqual([queued(stopTransaction(2), 2)]);
    expect(transactions).toEqual([transaction]);
    expect(reports).toHaveLength(1);
    expect(reports[0]?.message).toContain(key);
    expect(reports[0]?.cause).toBeInstanceOf(Error);
    expect(await store.load(key)).toEqual([]);
    expect(await store.load("corrupt/")).toEqual([{ key: `corrupt/${key}`, value }]);
    expect((await loaded(store)).reports).toEqual([]);
  });

  test("reports that a damaged record could not be set aside, keeps it where it is, and gives back the others", async () => {
    const store = memoryStore();
    await store.put("queue/1", "{");
    await new QueueRecords(store).putMessage(queued(stopTransaction(2), 2));
    const full = { ...store, put: () => Promise.reject(new Error("disk full")) };
    const { messages, reports } = await loaded(full);
    expect(messages).toHaveLength(1);
    expect(reports.map(({ message }) => message)).toEqual([
      "The record queue/1 is damaged. It is kept as corrupt/queue/1.",
      "The store failed to set aside queue/1.",
    ]);
    expect(reports[1]?.cause).toMatchObject({ message: "disk full" });
    expect(await store.load("queue/1")).toHaveLength(1);
  });

  test("rejects when the store cannot be read at all", async () => {
    const broken = { ...memoryStore(), load: () => Promise.reject(new Error("no such disk")) };
    await expect(loaded(broken)).rejects.toThrow("no such disk");
  });
});
