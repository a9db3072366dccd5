import { describe, expect, test } from "vitest";
import { AuthorizationCache, type AuthorizationCacheOptions } from "../../src/authorization/authorization-cache.ts";
import type { RecordStore } from "../../src/store/record-store.ts";
import { accepted, after, blocked, failingStore, faultLog, now, unexpected } from "./stores.ts";

const load = (store: RecordStore, options: Partial<AuthorizationCacheOptions> = {}) =>
  AuthorizationCache.load(store, { report: unexpected, ...options });

/** A Local Authorization List with these identifiers; it may be changed later. */
const listOf = (...idTags: string[]) => ({ idTags, has: (idTag: string) => idTags.includes(idTag.toUpperCase()) });

describe("AuthorizationCache", () => {
  test("knows nothing at first", async () => {
    const cache = await load(failingStore());
    expect(cache.lookUp("A", now)).toBeUndefined();
    expect(cache.idTags).toEqual([]);
  });

  test.each([0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY])("refuses maxEntries %d", async (maxEntries) => {
    await expect(load(failingStore(), { maxEntries })).rejects.toThrow(TypeError);
  });

  describe("update", () => {
    test("keeps identifiers that are valid and those that are not [CORE-CACHE-01] [CORE-CACHE-02]", async () => {
      const cache = await load(failingStore());
      await cache.update("A", { status: "Accepted", parentIdTag: "P" }, now);
      await cache.update("B", { status: "Invalid" }, now);
      expect(cache.lookUp("A", now)).toEqual({ status: "Accepted", parentIdTag: "P" });
      expect(cache.lookUp("B", now)).toEqual({ status: "Invalid" });
    });

    test("replaces what was known, at once [CORE-CACHE-04] [CORE-AUTH-08]", async () => {
      const cache = await load(failingStore());
      await cache.update("A", { status: "Accepted", parentIdTag: "P" }, now);
      const written = cache.update("A", blocked, now);
      expect(cache.lookUp("A", now)).toEqual(blocked);
      await written;
      expect(cache.lookUp("A", now)).toEqual(blocked);
    });

    test("takes all spellings for one identifier, and keeps the last one [CORE-IDT-06]", async () => {
      const store = failingStore();
      const cache = await load(store);
      await cache.update("abC", accepted, now);
      await cache.update("ABc", blocked, now);
      expect(cache.lookUp("abc", now)).toEqual(blocked);
      expect(cache.idTags).toEqual(["ABc"]);
      expect((await load(store)).idTags).toEqual(["ABc"]);
    });

    test("is not affected by what happens later to the object that it was given", async () => {
      const cache = await load(failingStore());
      const idTagInfo: { status: "Accepted" | "Blocked" } = { status: "Accepted" };
      await cache.update("A", idTagInfo, now);
      idTagInfo.status = "Blocked";
      expect(cache.lookUp("A", now)).toEqual(accepted);
    });

    test("does not take what is in the Local Authorization List, whatever its spelling [CORE-CACHE-09] [CORE-AUTH-08]", async () => {
      const store = failingStore();
      const cache = await load(store, { list: listOf("AB") });
      await cache.update("ab", accepted, now);
      expect(cache.idTags).toEqual([]);
      expect(await store.records("")).toEqual({});
    });

    test("removes what has come into the Local Authorization List meanwhile [CORE-CACHE-09]", async () => {
      const store = failingStore();
      const list = listOf();
      const cache = await load(store, { list });
      await cache.update("A", accepted, now);
      list.idTags.push("A");
      await cache.update("a", accepted, now);
      expect(cache.idTags).toEqual([]);
      expect(await store.records("")).toEqual({});
    });

    test("holds when the store refuses it, and reports that", async () => {
      const store = failingStore();
      const { faults, report } = faultLog();
      const cache = await load(store, { report });
      store.failAfter(0, "refuse");
      await cache.update("A", accepted, now);
      expect(cache.lookUp("A", now)).toEqual(accepted);
      expect(faults).toMatchObject([
        { message: "The store failed to update the authorization cache.", cause: new Error("The disk is gone.") },
      ]);
    });
  });

  describe("lookUp", () => {
    test("says Expired once the expiryDate has come [CORE-CACHE-03]", async () => {
      const cache = await load(failingStore());
      const idTagInfo = { status: "Accepted", expiryDate: after(60) } as const;
      await cache.update("A", idTagInfo, now);
      expect(cache.lookUp("A", now + 59_999)).toEqual(idTagInfo);
      expect(cache.lookUp("A", now + 60_000)).toEqual({ ...idTagInfo, status: "Expired" });
    });

    test("knows no end without an expiryDate [CORE-CACHE-11]", async () => {
      const cache = await load(failingStore());
      await cache.update("A", accepted, now);
      expect(cache.lookUp("A", now + 1e12)).toEqual(accepted);
    });

    test.each(["__proto__", "constructor", "toString", "", "a/b", "\ud800"])(
      "has no trouble with the identifier %j [CORE-IDT-02]",
      async (idTag) => {
        const store = failingStore();
        const cache = await load(store);
        expect(cache.lookUp(idTag, now)).toBeUndefined();
        await cache.update(idTag, accepted, now);
        expect((await load(store)).lookUp(idTag, now)).toEqual(accepted);
        expect((await load(store)).lookUp("\ud801", now)).toBeUndefined();
      },
    );
  });

  describe("a full cache", () => {
    test("gives up all that is not valid for a new identifier, and nothing valid [CORE-CACHE-05]", async () => {
      const store = failingStore();
      const cache = await load(store, { maxEntries: 4 });
      await cache.update("old", accepted, now);
      await cache.update("blocked", blocked, now);
      await cache.update("ends", { status: "Accepted", expiryDate: after(10) }, now);
      await cache.update("young", accepted, now);
      await cache.update("new", accepted, now + 10_000);
      expect(cache.idTags).toEqual(["old", "young", "new"]);
      expect((await load(store)).idTags).toEqual(["old", "young", "new"]);
    });

    test("gives up the oldest valid identifier when all are valid [CORE-CACHE-05]", async () => {
      const store = failingStore();
      const cache = await load(store, { maxEntries: 3 });
      for (const idTag of ["A", "B", "C"]) await cache.update(idTag, accepted, now);
      await cache.update("A", { status: "Accepted", expiryDate: after(10) }, now);
      await cache.update("D", blocked, now);
      expect(cache.idTags).toEqual(["C", "A", "D"]);
      expect((await load(store)).idTags).toEqual(["C", "A", "D"]);
    });

    test("gives up nothing for an identifier that it knows [CORE-CACHE-04] [CORE-CACHE-05]", async () => {
      const cache = await load(failingStore(), { maxEntries: 2 });
      await cache.update("A", blocked, now);
      await cache.update("B", accepted, now);
      await cache.update("b", accepted, now);
      expect(cache.idTags).toEqual(["A", "b"]);
    });

    test("gives up nothing before it is full [CORE-CACHE-05]", async () => {
      const cache = await load(failingStore(), { maxEntries: 2 });
      await cache.update("A", blocked, now);
      await cache.update("B", accepted, now);
      expect(cache.idTags).toEqual(["A", "B"]);
    });

    test("becomes smaller when it was allowed to be larger before [CORE-CACHE-05]", async () => {
      const store = failingStore();
      const large = await load(store);
      for (const idTag of ["A", "B", "C", "D"]) await large.update(idTag, idTag === "C" ? blocked : accepted, now);
      const small = await load(store, { maxEntries: 2 });
      await small.update("E", accepted, now);
      expect(small.idTags).toEqual(["D", "E"]);
      expect((await load(store)).idTags).toEqual(["D", "E"]);
    });

    test("has a thousand entries unless told otherwise", async () => {
      const cache = await load(failingStore());
      for (let n = 0; n <= 1000; n++) await cache.update(`${n}`, accepted, now);
      expect(cache.idTags).toHaveLength(1000);
      expect(cache.lookUp("0", now)).toBeUndefined();
    });
  });

  describe("load", () => {
    test("finds again what was kept, and which of it is older [CORE-CACHE-06]", async () => {
      const store = failingStore();
      const before = await load(store);
      await before.update("B", { status: "Accepted", expiryDate: after(60), parentIdTag: "P" }, now);
      await before.update("A", accepted, now);
      const cache = await load(store, { maxEntries: 2 });
      expect(cache.lookUp("b", now)).toEqual({ status: "Accepted", expiryDate: after(60), parentIdTag: "P" });
      await cache.update("C", accepted, now);
      expect(cache.idTags).toEqual(["A", "C"]);
      expect((await load(store)).idTags).toEqual(["A", "C"]);
    });

    test.each([
      ["half a record", '{"idTag":"B","idTagI'],
      ["no object", "null"],
      ["no idTag", JSON.stringify({ idTagInfo: accepted, sequence: 1 })],
      ["no status", JSON.stringify({ idTag: "B", idTagInfo: {}, sequence: 1 })],
      ["no sequence", JSON.stringify({ idTag: "B", idTagInfo: accepted })],
      ["the record of another identifier", JSON.stringify({ idTag: "C", idTagInfo: accepted, sequence: 1 })],
    ])("sets aside and reports %s, and keeps the others", async (_, value) => {
      const store = failingStore();
      const before = await load(store);
      for (const idTag of ["A", "B", "Z"]) await before.update(idTag, accepted, now);
      await store.put('authorization-cache/"b"', value);

      const { faults, report } = faultLog();
      const cache = await load(store, { report });
      expect(cache.idTags).toEqual(["A", "Z"]);
      expect(faults.map(({ message }) => message)).toEqual([
        'The record authorization-cache/"b" is no entry of the authorization cache. ' +
          'It is kept as corrupt/authorization-cache/"b".',
      ]);
      expect(await store.load("corrupt/")).toEqual([{ key: 'corrupt/authorization-cache/"b"', value }]);
      expect((await load(store)).idTags).toEqual(["A", "Z"]);
    });

    test("removes what is in the Local Authorization List [CORE-CACHE-09] [LAL-34]", async () => {
      const store = failingStore();
      const before = await load(store);
      for (const idTag of ["A", "B"]) await before.update(idTag, accepted, now);
      expect((await load(store, { list: listOf("A") })).idTags).toEqual(["B"]);
      expect((await load(store)).idTags).toEqual(["B"]);
    });

    test("leaves the records of others alone [CORE-CL-03]", async () => {
      const store = failingStore();
      await store.put("local-auth-list/1", "{");
      await load(store);
      expect(await store.load("")).toEqual([{ key: "local-auth-list/1", value: "{" }]);
    });

    test("fails when the store cannot be read", async () => {
      const store = { ...failingStore(), load: () => Promise.reject(new Error("unreadable")) };
      await expect(load(store)).rejects.toThrow("unreadable");
    });
  });

  describe("removeListed", () => {
    test("removes what is in the Local Authorization List, whatever its spelling [LAL-34] [CORE-CACHE-09]", async () => {
      const store = failingStore();
      const list = listOf();
      const cache = await load(store, { list });
      for (const idTag of ["a", "b"]) await cache.update(idTag, accepted, now);
      list.idTags.push("A");
      await cache.removeListed();
      expect(cache.idTags).toEqual(["b"]);
      expect((await load(store)).idTags).toEqual(["b"]);
    });

    test("removes it even when the store refuses, and reports that [CORE-CACHE-09]", async () => {
      const store = failingStore();
      const list = listOf();
      const { faults, report } = faultLog();
      const cache = await load(store, { list, report });
      await cache.update("A", accepted, now);
      list.idTags.push("A");
      store.failAfter(0, "refuse");
      await cache.removeListed();
      expect(cache.idTags).toEqual([]);
      expect(faults).toHaveLength(1);
    });
  });

  describe("clear", () => {
    test("forgets everything, for good [CORE-CL-01]", async () => {
      const store = failingStore();
      const cache = await load(store);
      await cache.update("A", accepted, now);
      await cache.update("B", blocked, now);
      expect(await cache.clear()).toBe("Accepted");
      expect(cache.idTags).toEqual([]);
      expect((await load(store)).idTags).toEqual([]);
    });

    test("does not touch the records of the Local Authorization List [CORE-CL-03]", async () => {
      const store = failingStore();
      const cache = await load(store);
      await store.put("local-auth-list/1", "{}");
      await cache.update("A", accepted, now);
      await cache.clear();
      expect(await store.records("")).toEqual({ "local-auth-list/1": {} });
    });

    test("answers Rejected, reports once and keeps what the store does not remove [CORE-CL-01]", async () => {
      const store = failingStore();
      const { faults, report } = faultLog();
      const cache = await load(store, { report });
      for (const idTag of ["A", "B", "C"]) await cache.update(idTag, accepted, now);
      store.failAfter(1, "refuse");
      expect(await cache.clear()).toBe("Rejected");
      expect(cache.idTags).toEqual(["B", "C"]);
      expect(faults).toHaveLength(1);
    });

    test("keeps what is received while it clears [CORE-CACHE-02]", async () => {
      const store = failingStore();
      const cache = await load(store);
      await cache.update("A", accepted, now);
      const cleared = cache.clear();
      await cache.update("A", blocked, now);
      expect(await cleared).toBe("Accepted");
      expect(cache.lookUp("A", now)).toEqual(blocked);
      expect((await load(store)).lookUp("A", now)).toEqual(blocked);
    });
  });
});
