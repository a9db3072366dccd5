import { recordStoreContract } from "@ocppj/testing";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { memoryStore, namespace, type RecordStore } from "../../src/index.ts";

async function recordsIn(store: RecordStore): Promise<Record<string, string>> {
  return Object.fromEntries((await store.load("")).map(({ key, value }) => [key, value]));
}

describe("namespace keeps the contract, beside others in one store", () => {
  const shared = memoryStore();
  for (const { title, run } of recordStoreContract((name) => namespace(shared, name))) {
    test(title, run);
  }
});

describe("namespace", () => {
  test("has keys that are neither core's nor those of another namespace", async () => {
    const store = memoryStore();
    await store.put("queue/0", "core's");
    const names = ["a", "a.b", "A", "-", "..", "namespace", "queue"];
    for (const name of names) await namespace(store, name).put("queue/0", name);
    await namespace(namespace(store, "a"), "b").put("queue/0", "nested");
    for (const name of names) {
      expect(await namespace(store, name).load("queue/")).toEqual([{ key: "queue/0", value: name }]);
    }
    expect(await recordsIn(store)).toEqual({
      "queue/0": "core's",
      ...Object.fromEntries(names.map((name) => [`namespace/${name}/queue/0`, name])),
      "namespace/a/namespace/b/queue/0": "nested",
    });
    await namespace(store, "a").delete("queue/0");
    expect(await recordsIn(namespace(store, "A"))).toEqual({ "queue/0": "A" });
  });

  test("leaves the store open when it is closed", async () => {
    const store = memoryStore();
    const part = namespace(store, "a");
    await part.put("b", "1");
    await part.close();
    await expect(part.load("")).rejects.toThrow(new Error('The namespace "a" of the store is closed.'));
    await store.put("c", "1");
    expect(await recordsIn(namespace(store, "a"))).toEqual({ b: "1" });
  });

  test("rejects when the store throws, and can be closed all the same", async () => {
    const broken = {
      ...memoryStore(),
      put: () => {
        throw new Error("broken");
      },
    };
    const part = namespace(broken, "a");
    await expect(part.put("b", "1")).rejects.toThrow("broken");
    await part.close();
  });

  test.each([[undefined], [{}], ["store"]])("is no part of what is no store: %j", (store) => {
    expect(() => namespace(store as never, "a")).toThrow(
      /^store is .*\. Give a store, with load, put and delete( \(wrong: load, put, delete\))?\.$/,
    );
  });

  test.each([[""], ["a/b"], ["a b"], ["ü"], ["a\n"], ["x".repeat(101)], [undefined], [7]])(
    "is refused the name %j",
    (name) => {
      expect(() => namespace(memoryStore(), name as string)).toThrow(
        new TypeError(
          `The name of a namespace is ${JSON.stringify(name)}. Use 1 to 100 letters, digits, dots, underscores and hyphens.`,
        ),
      );
    },
  );
});

describe("namespace, closed while an operation does not answer", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const hanging = (store: RecordStore): RecordStore => ({ ...store, put: () => new Promise(() => {}) });

  test("says so after half a minute, each time, and leaves no timer", async () => {
    const part = namespace(hanging(memoryStore()), "a");
    void part.put("b", "1");
    const closed = Promise.allSettled([part.close(), part.close()]);
    await expect(part.load("")).rejects.toThrow("is closed");
    await vi.advanceTimersByTimeAsync(30_001);
    const rejected = { status: "rejected", reason: { message: expect.stringMatching(/has not answered for 30 s/) } };
    expect(await closed).toMatchObject([rejected, rejected]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("waits for all the others, and resolves once they have answered", async () => {
    const answers: (() => void)[] = [];
    const store = memoryStore();
    const put = (): Promise<void> => new Promise((resolve) => void answers.push(resolve));
    const part = namespace({ ...store, load: store.load.bind(store), put }, "a");
    for (const key of ["b", "c"]) void part.put(key, "1");
    let isClosed = false;
    const closed = part.close().then(() => {
      isClosed = true;
    });
    answers[0]?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(isClosed).toBe(false);
    answers[1]?.();
    await closed;
    expect(vi.getTimerCount()).toBe(0);
  });
});
