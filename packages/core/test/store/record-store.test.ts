import { recordStoreContract } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../src/index.ts";

describe("memoryStore", () => {
  for (const { title, run } of recordStoreContract(() => memoryStore(), { persistent: false })) test(title, run);

  test("says what is wrong when it is used after it was closed", async () => {
    const store = memoryStore();
    await store.close();
    await expect(store.put("a", "1")).rejects.toThrow(new Error("The store is closed."));
  });
});
