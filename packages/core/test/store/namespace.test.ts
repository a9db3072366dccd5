import { recordStoreContract } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
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
    expect(() => namespace(store as never, "a")).toThrow(/^store is .*\. Give a store, with load, put and delete\.$/);
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
