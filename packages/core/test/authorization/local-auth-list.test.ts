import { describe, expect, test } from "vitest";
import { LocalAuthList, type LocalAuthListOptions } from "../../src/authorization/local-auth-list.ts";
import type { Req } from "../../src/messages/actions.ts";
import type { RecordStore } from "../../src/store/record-store.ts";
import { accepted, after, blocked, failingStore, faultLog, now, unexpected } from "./stores.ts";

type Entries = NonNullable<Req<"SendLocalList">["localAuthorizationList"]>;

const load = (store: RecordStore, options: Partial<LocalAuthListOptions> = {}) =>
  LocalAuthList.load(store, { report: unexpected, ...options });

const full = (listVersion: number, localAuthorizationList?: Entries): Req<"SendLocalList"> => ({
  listVersion,
  updateType: "Full",
  ...(localAuthorizationList && { localAuthorizationList }),
});

const differential = (listVersion: number, localAuthorizationList?: Entries): Req<"SendLocalList"> => ({
  ...full(listVersion, localAuthorizationList),
  updateType: "Differential",
});

/** Entries that are accepted. */
const valid = (...idTags: string[]): Entries => idTags.map((idTag) => ({ idTag, idTagInfo: accepted }));
const numbered = (from: number, count: number): Entries =>
  valid(...Array.from({ length: count }, (_, n) => `${from + n}`));

/** Both the list and what a restart would make of it. */
async function expectList(list: LocalAuthList, store: RecordStore, version: number, idTags: readonly string[]) {
  expect([list.version, ...list.idTags]).toEqual([version, ...idTags]);
  const reloaded = await load(store);
  expect([reloaded.version, ...reloaded.idTags]).toEqual([version, ...idTags]);
}

describe("LocalAuthList", () => {
  test("is empty and has version 0 at first [LAL-11]", async () => {
    const store = failingStore();
    const list = await load(store);
    await expectList(list, store, 0, []);
    expect(list.has("A")).toBe(false);
    expect(list.lookUp("A", now)).toBeUndefined();
  });

  describe("a Full update", () => {
    test("replaces the whole list and its version [LAL-20] [LAL-22] [LAL-10] [LAL-02]", async () => {
      const store = failingStore();
      const list = await load(store);
      expect(await list.update(full(7, valid("A", "B")))).toBe("Accepted");
      expect(await list.update(full(9, valid("C", "B")))).toBe("Accepted");
      await expectList(list, store, 9, ["C", "B"]);
    });

    test("may carry a lower version, or the same [LAL-28]", async () => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(7, valid("A")));
      expect(await list.update(full(7, valid("B")))).toBe("Accepted");
      expect(await list.update(full(3, valid("C")))).toBe("Accepted");
      await expectList(list, store, 3, ["C"]);
    });

    test.each([
      ["no", undefined],
      ["an empty", []],
    ])(
      "with %s localAuthorizationList empties the list, which has version 0 then [LAL-23] [LAL-11]",
      async (_, none) => {
        const store = failingStore();
        const list = await load(store);
        await list.update(full(7, valid("A")));
        expect(await list.update(full(8, none))).toBe("Accepted");
        await expectList(list, store, 0, []);
        expect(await list.update(differential(1, valid("B")))).toBe("Accepted");
        await expectList(list, store, 1, ["B"]);
      },
    );

    test("fails when an entry lacks idTagInfo [LAL-27] [LAL-29]", async () => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(7, valid("A")));
      expect(await list.update(full(8, [...valid("B"), { idTag: "C" }]))).toBe("Failed");
      await expectList(list, store, 7, ["A"]);
    });

    test("leaves one record in the store [LAL-02]", async () => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(1, valid("A")));
      await list.update(differential(2, valid("B")));
      await list.update(full(3, valid("C")));
      expect(Object.keys(await store.records(""))).toHaveLength(1);
    });
  });

  describe("a Differential update", () => {
    test("adds, changes and deletes [LAL-25] [LAL-20]", async () => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(1, valid("A", "B", "C")));
      const changes = [{ idTag: "A", idTagInfo: blocked }, { idTag: "B" }, ...valid("D"), { idTag: "unknown" }];
      expect(await list.update(differential(2, changes))).toBe("Accepted");
      await expectList(list, store, 2, ["A", "C", "D"]);
      expect(list.lookUp("A", now)).toEqual(blocked);
      expect((await load(store)).lookUp("A", now)).toEqual(blocked);
    });

    test("finds entries whatever their spelling, and keeps the new one [CORE-IDT-06] [LAL-25]", async () => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(1, valid("aa", "bb")));
      await list.update(differential(2, [...valid("AA"), { idTag: "Bb" }]));
      await expectList(list, store, 2, ["AA"]);
    });

    test.each([
      ["no", undefined],
      ["an empty", []],
    ])("with %s localAuthorizationList changes the version alone [LAL-24]", async (_, none) => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(1, valid("A")));
      expect(await list.update(differential(5, none))).toBe("Accepted");
      await expectList(list, store, 5, ["A"]);
    });

    test.each([5, 4, 1, 0, -1, -7])("with version %d is a VersionMismatch for version 5 [LAL-28]", async (version) => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(5, valid("A")));
      expect(await list.update(differential(version, valid("B")))).toBe("VersionMismatch");
      await expectList(list, store, 5, ["A"]);
    });

    test("that deletes the last entry leaves version 0 [LAL-11]", async () => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(5, valid("A")));
      expect(await list.update(differential(6, [{ idTag: "A" }]))).toBe("Accepted");
      await expectList(list, store, 0, []);
    });
  });

  describe.each([
    ["Full", full],
    ["Differential", differential],
  ] as const)("an update of type %s", (_, update) => {
    test("fails when an idTag occurs twice, whatever its spelling [LAL-26] [LAL-29] [LAL-32]", async () => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(1, valid("A")));
      expect(await list.update(update(2, valid("B", "x1", "X1")))).toBe("Failed");
      await expectList(list, store, 1, ["A"]);
    });

    test("fails when it has more entries than SendLocalListMaxLength [LAL-33]", async () => {
      const store = failingStore();
      const list = await load(store, { sendLocalListMaxLength: 2 });
      expect(await list.update(update(1, valid("A", "B", "C")))).toBe("Failed");
      await expectList(list, store, 0, []);
      expect(await list.update(update(1, valid("A", "B")))).toBe("Accepted");
      await expectList(list, store, 1, ["A", "B"]);
    });

    test("fails when the list would be longer than LocalAuthListMaxLength [LAL-33] [LAL-03]", async () => {
      const store = failingStore();
      const list = await load(store, { localAuthListMaxLength: 2 });
      expect(await list.update(update(1, valid("A", "B", "C")))).toBe("Failed");
      await expectList(list, store, 0, []);
      expect(await list.update(update(1, valid("A", "B")))).toBe("Accepted");
      await expectList(list, store, 1, ["A", "B"]);
    });
  });

  test.each<[number, Entries | undefined]>([
    [0, valid("B")],
    [-1, valid("B")],
    [-1, []],
    [-1, undefined],
  ])("a Full update with version %d and the entries %j fails [LAL-21] [LAL-29]", async (version, entries) => {
    const store = failingStore();
    const list = await load(store);
    await list.update(full(5, valid("A")));
    expect(await list.update(full(version, entries))).toBe("Failed");
    await expectList(list, store, 5, ["A"]);
  });

  test.each([
    ["no", undefined],
    ["an empty", []],
  ])(
    "a Full update with version 0 and %s list empties it, as the certification tool wants it [LAL-21] [LAL-23] [LAL-11]",
    async (_, none) => {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(5, valid("A")));
      expect(await list.update(full(0, none))).toBe("Accepted");
      await expectList(list, store, 0, []);
      expect(await list.update(differential(1, valid("B")))).toBe("Accepted");
      await expectList(list, store, 1, ["B"]);
    },
  );

  test("a Differential update with version -1 fails even where that is a newer one [LAL-21]", async () => {
    const store = failingStore();
    const list = await load(store);
    await list.update(full(-5, valid("A")));
    expect(await list.update(differential(-1, valid("B")))).toBe("Failed");
    expect(await list.update(differential(0, valid("B")))).toBe("Failed");
    await expectList(list, store, -5, ["A"]);
  });

  test("counts what a Full update keeps, too [LAL-33]", async () => {
    const store = failingStore();
    const list = await load(store, { localAuthListMaxLength: 2 });
    await list.update(full(1, valid("A", "B")));
    expect(await list.update(full(2, valid("A", "B", "C")))).toBe("Failed");
    await expectList(list, store, 1, ["A", "B"]);
  });

  test("counts the length that results from a Differential update [LAL-33]", async () => {
    const store = failingStore();
    const list = await load(store, { localAuthListMaxLength: 2 });
    await list.update(full(1, valid("A", "B")));
    expect(await list.update(differential(2, valid("C")))).toBe("Failed");
    expect(await list.update(differential(2, [...valid("C"), { idTag: "unknown" }]))).toBe("Failed");
    expect(await list.update(differential(2, [...valid("C", "a"), { idTag: "b" }]))).toBe("Accepted");
    await expectList(list, store, 2, ["a", "C"]);
  });

  test("has room for 10 000 identifiers, 1000 in one update, unless told otherwise [LAL-33]", async () => {
    const list = await load(failingStore());
    expect(await list.update(full(1, numbered(0, 1001)))).toBe("Failed");
    for (let n = 0; n < 10; n++)
      expect(await list.update(differential(n + 1, numbered(n * 1000, 1000)))).toBe("Accepted");
    expect(await list.update(differential(11, numbered(10_000, 1)))).toBe("Failed");
    expect(list.idTags).toHaveLength(10_000);
  });

  describe("lookUp", () => {
    test("says Expired once the expiryDate has come [LAL-01] [CORE-LAO-07]", async () => {
      const list = await load(failingStore());
      const idTagInfo = { status: "Accepted", expiryDate: after(60), parentIdTag: "P" } as const;
      await list.update(full(1, [{ idTag: "A", idTagInfo }]));
      expect(list.lookUp("a", now + 59_999)).toEqual(idTagInfo);
      expect(list.lookUp("a", now + 60_000)).toEqual({ ...idTagInfo, status: "Expired" });
      expect(list.has("a")).toBe(true);
    });

    test("is not affected by what happens later to the request", async () => {
      const list = await load(failingStore());
      const entry = { idTag: "A", idTagInfo: { status: "Accepted" as "Accepted" | "Blocked" } };
      await list.update(full(1, [entry]));
      entry.idTagInfo.status = "Blocked";
      expect(list.lookUp("A", now)).toEqual(accepted);
    });
  });

  describe("conflictsWith", () => {
    test.each([
      ["Accepted", "Accepted", false],
      ["Accepted", "ConcurrentTx", false],
      ["Accepted", "Blocked", true],
      ["Accepted", "Expired", true],
      ["Blocked", "Accepted", true],
      ["Blocked", "Invalid", false],
      ["ConcurrentTx", "Invalid", true],
    ] as const)("of %s in the list and %s received says %s [LAL-06]", async (listed, received, conflict) => {
      const list = await load(failingStore());
      await list.update(full(1, [{ idTag: "A", idTagInfo: { status: listed } }]));
      expect(list.conflictsWith("a", { status: received }, now)).toBe(conflict);
    });

    test("is false of an identifier that is not in the list [LAL-06]", async () => {
      expect((await load(failingStore())).conflictsWith("A", blocked, now)).toBe(false);
    });

    test("sees that the list has expired [LAL-06]", async () => {
      const list = await load(failingStore());
      await list.update(full(1, [{ idTag: "A", idTagInfo: { status: "Accepted", expiryDate: after(1) } }]));
      expect(list.conflictsWith("A", accepted, now)).toBe(false);
      expect(list.conflictsWith("A", accepted, now + 1000)).toBe(true);
    });
  });

  describe("with several updates at once", () => {
    test("carries them out in order, each on the list that the one before has left [LAL-28] [LAL-32]", async () => {
      const store = failingStore();
      const list = await load(store);
      const statuses = [
        list.update(full(3, valid("A"))),
        list.update(differential(4, valid("B"))),
        list.update(differential(4, valid("C"))),
        list.update(differential(5, [{ idTag: "A" }])),
      ];
      expect(list.version).toBe(0);
      expect(await Promise.all(statuses)).toEqual(["Accepted", "Accepted", "VersionMismatch", "Accepted"]);
      await expectList(list, store, 5, ["B"]);
    });

    test("goes on after a report that throws", async () => {
      const store = failingStore();
      const list = await load(store);
      store.failAfter(0, "refuse");
      expect(await list.update(full(1, valid("A")))).toBe("Failed");
      store.recover();
      expect(await list.update(full(2, valid("B")))).toBe("Accepted");
    });
  });

  describe("with a store that refuses", () => {
    test.each(["refuse", "refuse late", "tear"] as const)(
      "fails, reports and keeps the list: %s [LAL-29] [LAL-32]",
      async (failure) => {
        const store = failingStore();
        const { faults, report } = faultLog();
        const list = await load(store, { report });
        await list.update(full(1, valid("A")));
        store.failAfter(0, failure);
        expect(await list.update(differential(2, valid("B")))).toBe("Failed");
        expect([list.version, ...list.idTags]).toEqual([1, "A"]);
        expect(faults[0]).toMatchObject({
          message: "The store failed to update the Local Authorization List.",
          cause: new Error("The disk is gone."),
        });

        store.recover();
        expect(await list.update(differential(2, valid("C")))).toBe("Accepted");
        await expectList(list, store, 2, ["A", "C"]);
      },
    );

    test("keeps the list also when the update would have rewritten the journal [LAL-32]", async () => {
      const store = failingStore();
      const { report } = faultLog();
      const list = await load(store, { report });
      await list.update(full(1, valid("A")));
      for (let n = 2; n <= 60; n++) {
        const before = list.lookUp("A", now);
        const req = differential(n, [{ idTag: "A", idTagInfo: { status: "Accepted", parentIdTag: `${n}` } }]);
        store.failAfter(0, "refuse");
        expect(await list.update(req)).toBe("Failed");
        expect([list.version, list.lookUp("A", now)]).toEqual([n - 1, before]);
        store.recover();
        expect(await list.update(req)).toBe("Accepted");
      }
      expect(Object.keys(await store.records(""))).not.toHaveLength(60);
    });

    test("takes back what was written although it failed [LAL-32]", async () => {
      const store = failingStore();
      const { report } = faultLog();
      const list = await load(store, { report });
      await list.update(full(1, valid("A")));
      const put = store.put;
      store.put = async (key, value) => {
        await put(key, value);
        throw new Error("written, but not said so");
      };
      expect(await list.update(full(2, valid("B")))).toBe("Failed");
      await expectList(list, store, 1, ["A"]);
    });

    test("accepts an update although what it supersedes cannot be deleted, and reports that [LAL-22]", async () => {
      const store = failingStore();
      const { faults, report } = faultLog();
      const list = await load(store, { report });
      await list.update(full(1, valid("A")));
      store.failAfter(1, "refuse");
      expect(await list.update(full(2, valid("B")))).toBe("Accepted");
      expect(faults).toHaveLength(1);
      store.recover();
      expect(Object.keys(await store.records(""))).toHaveLength(2);
      await expectList(list, store, 2, ["B"]);
      expect(Object.keys(await store.records(""))).toHaveLength(1);
    });
  });

  describe("load", () => {
    /** Versions 1 to 4, with one more identifier each: A, B, C, D. */
    async function fourUpdates() {
      const store = failingStore();
      const list = await load(store);
      await list.update(full(1, valid("A")));
      for (const [n, idTag] of ["B", "C", "D"].entries()) await list.update(differential(n + 2, valid(idTag)));
      const keys = Object.keys(await store.records(""));
      return { store, keys };
    }

    const key = (n: number) => `local-auth-list/000000000000000${n}`;
    const req = full(9, valid("X"));

    test.each([
      ["half a record", '{"sequence":3,"follo'],
      ["no object", "7"],
      ["no sequence", JSON.stringify({ follows: 2, req })],
      ["a sequence that is text", JSON.stringify({ sequence: "3", follows: 2, req })],
      ["the record of another key", JSON.stringify({ sequence: 8, follows: 2, req })],
      ["no follows", JSON.stringify({ sequence: 3, req })],
      ["no request", JSON.stringify({ sequence: 3, follows: 2 })],
      ["no version", JSON.stringify({ sequence: 3, follows: 2, req: { updateType: "Full" } })],
      ["no update type", JSON.stringify({ sequence: 3, follows: 2, req: { listVersion: 9 } })],
      ["no list", JSON.stringify({ sequence: 3, follows: 2, req: { ...req, localAuthorizationList: {} } })],
      ["no entry", JSON.stringify({ sequence: 3, follows: 2, req: { ...req, localAuthorizationList: [null] } })],
      ["no idTag", JSON.stringify({ sequence: 3, follows: 2, req: { ...req, localAuthorizationList: [{}] } })],
      [
        "an idTag twice",
        JSON.stringify({ sequence: 3, follows: 2, req: { ...req, localAuthorizationList: valid("X", "x") } }),
      ],
      [
        "no status",
        JSON.stringify({
          sequence: 3,
          follows: 2,
          req: { ...req, localAuthorizationList: [{ idTag: "X", idTagInfo: {} }] },
        }),
      ],
    ])("with %s falls back to the list before it and reports [LAL-32] [LAL-02]", async (_, value) => {
      const { store, keys } = await fourUpdates();
      expect(keys).toEqual([key(1), key(2), key(3), key(4)]);
      await store.put(key(3), value);

      const { faults, report } = faultLog();
      const list = await load(store, { report });
      expect(faults.map(({ message }) => message)).toEqual([
        `The record ${key(3)} is no update of the Local Authorization List. It is kept as corrupt/${key(3)}.`,
        `The record ${key(4)} follows an update of the Local Authorization List that is missing. It is kept as corrupt/${key(4)}.`,
      ]);
      await expectList(list, store, 2, ["A", "B"]);
      expect((await store.load("corrupt/")).map((record) => record.key)).toEqual([
        `corrupt/${key(3)}`,
        `corrupt/${key(4)}`,
      ]);

      expect(await list.update(differential(3, valid("E")))).toBe("Accepted");
      await expectList(list, store, 3, ["A", "B", "E"]);
    });

    test("with a lost record falls back to the list before it [LAL-32]", async () => {
      const { store } = await fourUpdates();
      await store.delete(key(3));
      const { report } = faultLog();
      await expectList(await load(store, { report }), store, 2, ["A", "B"]);
    });

    test("with a damaged Full update is empty, so that the Central System sends it again [LAL-11] [LAL-32]", async () => {
      const { store } = await fourUpdates();
      await store.put(key(1), "{");
      const { faults, report } = faultLog();
      await expectList(await load(store, { report }), store, 0, []);
      expect(faults).toHaveLength(4);
    });

    test("with a damaged record before a Full update has lost nothing [LAL-22]", async () => {
      const store = failingStore();
      const { faults, report } = faultLog();
      const list = await load(store, { report });
      await list.update(full(1, valid("A")));
      store.failAfter(1, "refuse");
      await list.update(full(2, valid("B")));
      store.recover();
      await store.put(key(1), "{");
      faults.length = 0;
      await expectList(await load(store, { report }), store, 2, ["B"]);
      expect(faults).toHaveLength(1);
    });

    test("never applies a later record that could not be set aside [LAL-32]", async () => {
      const { store } = await fourUpdates();
      await store.put(key(3), "{");
      store.failAfter(3, "refuse"); // Both copies are made, and the damaged record is deleted; the one after it stays.
      const { report } = faultLog();
      const list = await load(store, { report });
      store.recover();
      expect(Object.keys(await store.records("local-auth-list/"))).toEqual([key(1), key(2), key(4)]);
      expect(await list.update(differential(3, valid("E")))).toBe("Accepted");
      const reloaded = await load(store, { report });
      expect([reloaded.version, ...reloaded.idTags]).toEqual([3, "A", "B", "E"]);
    });

    test("keeps a list that is longer than is allowed now, until it is updated [LAL-05] [LAL-33]", async () => {
      const { store } = await fourUpdates();
      const list = await load(store, { localAuthListMaxLength: 2 });
      expect(list.idTags).toEqual(["A", "B", "C", "D"]);
      expect(await list.update(differential(9))).toBe("Failed");
      expect(await list.update(differential(9, [{ idTag: "A" }, { idTag: "B" }]))).toBe("Accepted");
    });

    test("leaves the records of others alone [LAL-05]", async () => {
      const store = failingStore();
      await store.put("authorization-cache/x", "{");
      await load(store);
      expect(await store.load("")).toEqual([{ key: "authorization-cache/x", value: "{" }]);
    });

    test("fails when the store cannot be read", async () => {
      const store = { ...failingStore(), load: () => Promise.reject(new Error("unreadable")) };
      await expect(load(store)).rejects.toThrow("unreadable");
    });
  });

  describe("with a long list", () => {
    /** Counts the characters that are written. */
    function countingStore() {
      const store = failingStore();
      const written = { characters: 0, puts: 0 };
      const put = store.put;
      store.put = (key, value) => {
        written.characters += value.length;
        written.puts++;
        return put(key, value);
      };
      return { store, written };
    }

    test("writes a Full update of 10 000 identifiers as one record [LAL-32]", async () => {
      const { store, written } = countingStore();
      const list = await load(store, { sendLocalListMaxLength: 10_000 });
      expect(await list.update(full(1, numbered(0, 10_000)))).toBe("Accepted");
      expect(written.puts).toBe(1);
      expect((await load(store)).idTags).toHaveLength(10_000);
    });

    test("writes in proportion to what changes, one identifier at a time [LAL-25]", async () => {
      const perUpdate = async (updates: number) => {
        const { store, written } = countingStore();
        const list = await load(store);
        for (let n = 1; n <= updates; n++) await list.update(differential(n, numbered(n, 1)));
        expect((await load(store)).idTags).toHaveLength(updates);
        return written.characters / updates;
      };
      expect(await perUpdate(10_000)).toBeLessThan(1.5 * (await perUpdate(1000)));
    });

    test("keeps a journal in proportion to the list, however often it is updated [LAL-25]", async () => {
      const store = failingStore();
      const list = await load(store);
      for (let n = 1; n <= 2000; n++) {
        await list.update(differential(n, valid(`${n % 10}`)));
        expect((await store.load("local-auth-list/")).length).toBeLessThan(60);
      }
      await expectList(list, store, 2000, [...list.idTags]);
      for (let n = 2001; n <= 4000; n++) await list.update(differential(n));
      expect((await store.load("local-auth-list/")).length).toBeLessThan(120);
      await expectList(list, store, 4000, [...list.idTags]);
    });
  });
});
