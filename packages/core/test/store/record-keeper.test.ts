import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { RecordKeeper } from "../../src/store/record-keeper.ts";
import { FaultyStore, settled } from "./faulty-store.ts";

const second = 1000;

/** A keeper, its store and its clock, and what it reported. */
function bench() {
  const clock = new FakeClock();
  const store = new FaultyStore(clock);
  const reports: string[] = [];
  const keeper = new RecordKeeper(store, clock, ({ message }) => reports.push(message));
  return { clock, store, reports, keeper };
}

const refused = /refuses to keep a record: disk full/;
const hangs = /has not answered for 30 s/;

describe("RecordKeeper", () => {
  test("has records written and removed at once, each by itself [CORE-TXQ-16]", async () => {
    const { clock, keeper, store } = bench();
    keeper.put("a", "1");
    keeper.put("b", "2");
    keeper.delete("a");
    await clock.advance(0);
    expect(store.records).toEqual(new Map([["b", "2"]]));
  });

  test("asks for writes in the order in which they are wanted, also while others are under way, so that a power cut leaves a beginning", async () => {
    const { keeper, store } = bench();
    store.delayMs = second;
    keeper.put("a", "1");
    keeper.put("a", "2");
    keeper.put("b", "1");
    keeper.delete("a");
    expect(store.asked).toEqual(["put a 1", "put a 2", "put b 1", "delete a"]);
  });

  test("leaves values out where a record changes more often than the store can follow, but not the last", async () => {
    const { clock, keeper, store } = bench();
    store.delayMs = second;
    for (let value = 1; value <= 100; value++) keeper.put("a", `${value}`);
    await clock.advance(second);
    expect(store.asked).toEqual([...Array.from({ length: 16 }, (_, index) => `put a ${index + 1}`), "put a 100"]);
    await clock.advance(second);
    expect(store.asked).toHaveLength(17);
    expect(store.records.get("a")).toBe("100");
  });

  test("calls back once the store has taken or refused a record", async () => {
    const { clock, keeper, store } = bench();
    const tried: string[] = [];
    store.delayMs = second;
    keeper.put("a", "1", () => tried.push("a1"));
    keeper.put("a", "2", () => tried.push("a2"));
    store.refuses = ["put"];
    keeper.put("b", "1", () => tried.push("b1"));
    expect(tried).toEqual([]);
    await clock.advance(second);
    expect(tried).toEqual(["a1", "a2", "b1"]);
  });

  test("tries again what was refused, after 1, 2, 4, … s and at least once a minute, until the store takes it, and reports it once", async () => {
    const { clock, keeper, store, reports } = bench();
    store.refuses = ["put"];
    const began = clock.now();
    keeper.put("a", "1");
    await clock.advance(300 * second);
    const times = store.times.map((time) => (time - began) / second);
    expect(times).toEqual([0, 1, 3, 7, 15, 31, 63, 123, 183, 243]);
    expect(reports).toEqual([expect.stringMatching(refused)]);
    store.refuses = [];
    await clock.advance(60 * second);
    expect(store.records.get("a")).toBe("1");
    expect(clock.pending).toBe(0);
  });

  test("does not storm a full disk with everything that it has refused", async () => {
    const { clock, keeper, store } = bench();
    store.refuses = ["put"];
    for (let key = 1; key <= 1000; key++) keeper.put(`${key}`, "1");
    await clock.advance(0);
    expect(store.asked).toHaveLength(1000);
    await clock.advance(3 * second);
    expect(store.asked).toHaveLength(1002);
    store.refuses = [];
    await clock.advance(60 * second);
    expect(store.records.size).toBe(1000);
  });

  test("reports a full disk once, although it takes removals in between", async () => {
    const { clock, keeper, store, reports } = bench();
    store.refuses = ["put"];
    for (let key = 1; key <= 10; key++) {
      keeper.put(`${key}`, "1");
      keeper.delete("other");
      await clock.advance(100);
    }
    expect(reports).toHaveLength(1);
    store.refuses = [];
    await clock.advance(60 * second);
    store.refuses = ["put"];
    keeper.put("a", "1");
    await clock.advance(0);
    expect(reports).toHaveLength(2);
  });

  test("repeats removals first, so that a full disk that takes nothing else has room again", async () => {
    const { clock, keeper, store } = bench();
    await store.put("b", "1");
    store.refuses = ["put", "delete"];
    keeper.put("a", "1");
    keeper.delete("b");
    await clock.advance(0);
    store.refuses = ["put"];
    await clock.advance(second);
    expect(store.records).toEqual(new Map());
    keeper.stop();
  });

  test("repeats a removal that was refused", async () => {
    const { clock, keeper, store } = bench();
    keeper.put("a", "1");
    await clock.advance(0);
    store.refuses = ["delete"];
    keeper.delete("a");
    await clock.advance(0);
    expect(store.records.has("a")).toBe(true);
    store.refuses = [];
    await clock.advance(second);
    expect(store.records.has("a")).toBe(false);
  });

  test("takes a store that throws at once for one that rejects", async () => {
    const { clock, keeper, store, reports } = bench();
    store.throws = true;
    let tried = 0;
    keeper.put("a", "1", () => tried++);
    keeper.delete("b");
    await expect(keeper.load("")).rejects.toThrow("disk full");
    await clock.advance(0);
    expect(tried).toBe(1);
    expect(reports).toEqual([expect.stringMatching(refused)]);
    store.throws = false;
    await clock.advance(second);
    expect(store.records.get("a")).toBe("1");
  });

  test("waits for a store that hangs for half a minute, then no more until it answers", async () => {
    const { clock, keeper, store, reports } = bench();
    const tried: string[] = [];
    store.hangs = true;
    keeper.put("a", "1", () => tried.push("a"));
    const saved = settled(keeper.saved());
    await clock.advance(30 * second - 1);
    expect(tried).toEqual([]);
    await clock.advance(1);
    expect(tried).toEqual(["a"]);
    expect(await saved).toMatchObject({ message: expect.stringMatching(hangs) });
    keeper.put("b", "1", () => tried.push("b"));
    expect(tried).toEqual(["a", "b"]);
    expect(await settled(keeper.saved())).toMatchObject({ message: expect.stringMatching(hangs) });
    expect(reports).toEqual([expect.stringMatching(hangs)]);
    store.answer();
    store.hangs = false;
    await clock.advance(0);
    keeper.put("c", "1", () => tried.push("c"));
    expect(tried).toEqual(["a", "b"]);
    await clock.advance(0);
    expect(tried).toEqual(["a", "b", "c"]);
    expect(await settled(keeper.saved())).toBe("resolved");
    expect([...store.records.keys()].sort()).toEqual(["a", "b", "c"]);
  });

  test("tries again what was never answered although something later was, and does not wait for that answer", async () => {
    const { clock, keeper, store, reports } = bench();
    store.hangs = true;
    keeper.put("a", "1");
    keeper.put("c", "1");
    await clock.advance(10 * second);
    store.hangs = false;
    keeper.put("b", "1");
    keeper.put("c", "2"); // What became of its first value does not matter any more.
    await clock.advance(20 * second);
    expect(reports).toEqual([expect.stringMatching(hangs)]);
    await clock.advance(second);
    expect(store.asked).toEqual(["put a 1", "put c 1", "put b 1", "put c 2", "put a 1"]);
    expect(await settled(keeper.saved())).toBe("resolved");
    expect(reports).toHaveLength(1);
    await clock.advance(1000 * second);
    expect(clock.pending).toBe(0);
  });

  test("asks a store that hangs for one thing at a time, once a minute and a half, so that nothing grows there", async () => {
    const { clock, keeper, store } = bench();
    store.hangs = true;
    keeper.put("a", "1");
    await clock.advance(30 * second);
    for (let value = 1; value <= 1000; value++) {
      keeper.put(`${value}`, "1");
      await clock.advance(second);
    }
    expect(store.asked.length).toBeLessThan(20);
    store.hangs = false;
    await clock.advance(100 * second);
    expect(store.records.size).toBe(1001);
  });

  test("does not load from a store that hangs for longer than half a minute", async () => {
    const { clock, keeper, store } = bench();
    store.hangs = true;
    const loaded = settled(keeper.load("a"));
    await clock.advance(30 * second);
    expect(await loaded).toMatchObject({ message: expect.stringMatching(hangs) });
    expect(clock.pending).toBe(0);
  });

  test("sets a record aside, and removes it only when that is written", async () => {
    const { clock, keeper, store, reports } = bench();
    store.records.set("a", "{");
    store.refuses = ["put"];
    keeper.setAside({ key: "a", value: "{" }, "is damaged");
    await clock.advance(0);
    expect(reports[0]).toBe("The record a is damaged. It is kept as corrupt/a.");
    store.refuses = [];
    await clock.advance(second);
    expect(store.records).toEqual(new Map([["corrupt/a", "{"]]));
  });
});

describe("RecordKeeper.saved", () => {
  test("resolves for what was wanted before it was called, and not for what comes later", async () => {
    const { clock, keeper, store } = bench();
    store.delayMs = 400;
    const later = (): void => {
      keeper.put("a", `${clock.now()}`);
      keeper.put(`${clock.now()}`, "1");
      clock.wakeAt(clock.now() + 100, later);
    };
    later();
    const saved = settled(keeper.saved());
    await clock.advance(400);
    expect(await saved).toBe("resolved");
  });

  test("rejects when the store has refused something, and tries it again", async () => {
    const { clock, keeper, store } = bench();
    store.refuses = ["put"];
    keeper.put("a", "1");
    expect(await settled(keeper.saved())).toMatchObject({
      message: expect.stringMatching(refused),
      cause: { message: "disk full" },
    });
    expect(await settled(keeper.saved())).toMatchObject({ message: expect.stringMatching(refused) });
    expect(store.asked).toHaveLength(2);
    store.refuses = [];
    expect(await settled(keeper.saved())).toBe("resolved");
    expect(store.records.get("a")).toBe("1");
    await clock.advance(100 * second);
    expect(clock.pending).toBe(0);
  });

  test("resolves at once when nothing is wanted", async () => {
    expect(await settled(bench().keeper.saved())).toBe("resolved");
  });
});

describe("RecordKeeper.stop", () => {
  test("tries once more what was refused, at once, and nothing later, and leaves no timer", async () => {
    const { clock, keeper, store } = bench();
    store.refuses = ["put"];
    keeper.put("a", "1");
    await clock.advance(0);
    store.hangs = true;
    keeper.put("b", "1");
    const saved = settled(keeper.saved());
    const stopped = settled(keeper.stop());
    expect(store.asked).toEqual(["put a 1", "put b 1", "put a 1"]);
    keeper.put("c", "1");
    keeper.delete("c");
    await clock.advance(30 * second);
    expect(await saved).toBeInstanceOf(Error);
    expect(await stopped).toBe("resolved");
    expect(clock.pending).toBe(0);
    store.hangs = false;
    store.answer();
    await clock.advance(1000 * second);
    expect(store.asked).toHaveLength(3);
    expect(clock.pending).toBe(0);
  });

  test("is over at once when nothing is under way", async () => {
    const { keeper } = bench();
    await keeper.stop();
    await keeper.stop();
  });
});
