import { describe, expect, test } from "vitest";
import { parseRecord, setAside, writeAll } from "../../src/store/stored-records.ts";
import { failingStore, faultLog } from "../authorization/stores.ts";

describe("parseRecord", () => {
  test("reads JSON, and nothing else", () => {
    expect(parseRecord('{"a":1}')).toEqual({ a: 1 });
    expect(parseRecord('{"a":')).toBeUndefined();
    expect(parseRecord("")).toBeUndefined();
  });
});

describe("setAside", () => {
  test("moves a record to corrupt/ and reports why", async () => {
    const store = failingStore();
    const { faults, report } = faultLog();
    await store.put("list/1", "{");
    await setAside(store, { key: "list/1", value: "{" }, "is no list", report);
    expect(await store.load("")).toEqual([{ key: "corrupt/list/1", value: "{" }]);
    expect(faults.map(({ message }) => message)).toEqual([
      "The record list/1 is no list. It is kept as corrupt/list/1.",
    ]);
  });

  test("does not delete what it cannot keep", async () => {
    const store = failingStore();
    const { faults, report } = faultLog();
    await store.put("list/1", "{");
    store.failAfter(0, "refuse");
    await setAside(store, { key: "list/1", value: "{" }, "is no list", report);
    expect(await store.load("")).toEqual([{ key: "list/1", value: "{" }]);
    expect(faults).toHaveLength(2);
    expect(faults[1]).toMatchObject({
      message: "The store failed to set aside list/1.",
      cause: new Error("The disk is gone."),
    });
  });
});

describe("writeAll", () => {
  test("begins the writes in order and says that all have succeeded", async () => {
    const { faults, report } = faultLog();
    const begun: number[] = [];
    const write = (n: number) => async () => void begun.push(n);
    expect(await writeAll("count", report, [write(1), write(2), write(3)])).toBe(true);
    expect(begun).toEqual([1, 2, 3]);
    expect(faults).toEqual([]);
  });

  test("waits for all writes and reports once when some fail", async () => {
    const { faults, report } = faultLog();
    let slow: (() => void) | undefined;
    const waiting = new Promise<void>((resolve) => {
      slow = resolve;
    });
    let settled = false;
    const writes = [
      () => Promise.reject(new Error("one")),
      () => waiting,
      () => {
        throw new Error("at once");
      },
    ];
    const result = writeAll("try", report, writes).finally(() => {
      settled = true;
    });
    await new Promise<void>((resolve) => queueMicrotask(resolve));
    expect(settled).toBe(false);
    slow?.();
    expect(await result).toBe(false);
    expect(faults).toMatchObject([{ message: "The store failed to try.", cause: new Error("one") }]);
  });
});
