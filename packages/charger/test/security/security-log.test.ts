import { memoryStore, type RecordStore } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import type { SecurityEventType } from "../../src/index.ts";
import { SecurityLog } from "../../src/security/security-log.ts";
import { FickleStore } from "../stores.ts";

const hour = 3_600_000;

class Bench {
  readonly clock = new FakeClock();
  readonly reports: Error[] = [];
  readonly store: RecordStore;
  log!: SecurityLog;

  private constructor(store: RecordStore) {
    this.store = store;
  }

  static async open(maxEntries = 4, store: RecordStore = memoryStore()): Promise<Bench> {
    const bench = new Bench(store);
    await bench.load(maxEntries);
    return bench;
  }

  async load(maxEntries = 4): Promise<void> {
    await this.clock.advance(0);
    this.log = await SecurityLog.load(this.store, {
      maxEntries,
      clock: this.clock,
      report: (error) => this.reports.push(error),
    });
  }

  add(type: SecurityEventType, at: number, techInfo?: string): boolean {
    return this.log.add({ type, at, ...(techInfo !== undefined && { techInfo }) });
  }

  get lines(): string[] {
    return this.log.text({}).split("\n").slice(0, -1);
  }
}

describe("A security log", () => {
  test("has all events in their order, the critical and the others, and survives a power cut [SEC-A04-04] [SEC-N01-05]", async () => {
    const bench = await Bench.open();
    bench.add("StartupOfTheDevice", 0);
    bench.add("StartupOfTheDevice", 1);
    bench.add("InvalidMessages", 2, "A CALL has no action.");
    const lines = [
      "1970-01-01T00:00:00.000Z StartupOfTheDevice",
      "1970-01-01T00:00:00.001Z StartupOfTheDevice",
      "1970-01-01T00:00:00.002Z InvalidMessages: A CALL has no action.",
    ];
    expect(bench.lines).toEqual(lines);
    await bench.load();
    expect(bench.lines).toEqual(lines);
  });

  test("rolls: the oldest make room, also after a restart with less room [SEC-A04-04]", async () => {
    const bench = await Bench.open();
    for (let at = 0; at < 12; at++) bench.add("TamperDetectionActivated", at, `${at}`);
    expect(bench.log.entries.map(({ techInfo }) => techInfo)).toEqual(["8", "9", "10", "11"]);
    await bench.load(2);
    expect(bench.log.entries.map(({ techInfo }) => techInfo)).toEqual(["10", "11"]);
    await bench.clock.advance(0);
    expect(await bench.store.load("security/")).toHaveLength(2);
    bench.add("TamperDetectionActivated", 12, "12");
    await bench.load(2);
    expect(bench.log.entries.map(({ techInfo }) => techInfo)).toEqual(["11", "12"]);
  });

  test("counts what happens again and again, with few writes, and begins anew after an hour without it", async () => {
    const store = new FickleStore();
    const bench = await Bench.open(4, store);
    const isNew = [bench.add("InvalidMessages", 0, "x")];
    bench.add("StartupOfTheDevice", 1);
    for (let each = 1; each < 1000; each++) isNew.push(bench.add("InvalidMessages", each * 1000, "x"));
    expect(isNew.filter(Boolean)).toHaveLength(1);
    expect(bench.add("InvalidMessages", 999_000, "y")).toBe(true);
    await bench.clock.advance(0);
    expect(store.asked).toBeLessThan(15);
    expect(bench.lines).toEqual([
      "1970-01-01T00:00:00.000Z InvalidMessages (1000 times, until 1970-01-01T00:16:39.000Z): x",
      "1970-01-01T00:00:00.001Z StartupOfTheDevice",
      "1970-01-01T00:16:39.000Z InvalidMessages: y",
    ]);
    expect(bench.add("InvalidMessages", 999_000 + hour, "x")).toBe(true);
    await bench.load();
    expect(bench.lines[0]).toBe(
      "1970-01-01T00:00:00.000Z InvalidMessages (512 times, until 1970-01-01T00:08:31.000Z): x",
    );
  });

  test("tells what is of a time", async () => {
    const bench = await Bench.open();
    for (const at of [0, 10, 20]) bench.add("ResetOrReboot", at);
    const of = (from?: number, to?: number): number => bench.log.text({ from, to }).split("\n").length - 1;
    expect([of(), of(10), of(undefined, 10), of(11, 19), of(20, 20)]).toEqual([3, 2, 2, 0, 1]);
  });

  test("is empty once it was cleared, also after a power cut", async () => {
    const bench = await Bench.open();
    bench.add("ResetOrReboot", 0);
    bench.log.clear();
    expect(bench.lines).toEqual([]);
    await bench.load();
    expect(bench.lines).toEqual([]);
  });

  test.each([
    '{"number":0,"type":"Nonsense","at":0}',
    '{"number":1,"type":"ResetOrReboot","at":0}',
    '{"number":0,"type":"ResetOrReboot"}',
    '{"number":0,"type":"toString","at":0}',
    "null",
    "{",
  ])("sets the damaged record %s aside, and goes on", async (value) => {
    const store = memoryStore();
    await store.put("security/0", value);
    const bench = await Bench.open(4, store);
    expect([bench.lines, bench.reports]).toEqual([[], [expect.any(Error)]]);
    expect(await store.load("corrupt/")).toEqual([{ key: "corrupt/security/0", value }]);
  });

  test("is kept in memory while the store refuses, and written once it takes again", async () => {
    const store = new FickleStore();
    const bench = await Bench.open(4, store);
    await store.becomes("refuses");
    bench.add("ResetOrReboot", 0);
    await bench.clock.advance(0);
    expect(bench.lines).toHaveLength(1);
    expect(bench.reports).toHaveLength(1);
    await store.becomes("takes");
    bench.add("StartupOfTheDevice", 1);
    await bench.load();
    expect(bench.lines).toHaveLength(2);
  });
});
