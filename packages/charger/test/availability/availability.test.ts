import { memoryStore, type RecordStore } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Availability } from "../../src/availability/availability.ts";

/** Availability of two connectors, and which of them are in use. */
class Bench {
  readonly busy = new Set<number>();
  readonly reports: string[] = [];
  readonly store: RecordStore;
  availability!: Availability;

  constructor(store: RecordStore) {
    this.store = store;
  }

  static async open(store: RecordStore = memoryStore()): Promise<Bench> {
    const bench = new Bench(store);
    await bench.load();
    return bench;
  }

  async load(): Promise<void> {
    this.availability = await Availability.load(this.store, {
      connectorIds: [1, 2],
      clock: new FakeClock(),
      report: (error) => this.reports.push(error.message),
    });
  }

  async change(connectorId: number, type: "Operative" | "Inoperative"): Promise<string> {
    const isBusy = (id: number): boolean => this.busy.has(id);
    const { status, takeEffect } = await this.availability.change({ connectorId, type }, isBusy);
    takeEffect();
    return status;
  }

  /** Which of 0, 1 and 2 are in service. */
  get operative(): string {
    return [0, 1, 2].filter((id) => this.availability.isOperative(id)).join("");
  }
}

describe("Availability", () => {
  test("is another once that was answered; what it is already is Accepted [CORE-CA-02] [CORE-CA-04]", async () => {
    const bench = await Bench.open();
    const { status, takeEffect } = await bench.availability.change(
      { connectorId: 1, type: "Inoperative" },
      () => false,
    );
    expect([status, bench.operative]).toEqual(["Accepted", "012"]);
    takeEffect();
    expect(bench.operative).toBe("02");
    expect(await bench.change(1, "Inoperative")).toBe("Accepted");
    expect(await bench.change(1, "Operative")).toBe("Accepted");
    expect(bench.operative).toBe("012");
    expect(await bench.change(3, "Inoperative")).toBe("Rejected"); // CORE-CA-10
  });

  test("of what is in use is Scheduled, until it is free or the opposite is asked for [CORE-CA-03] [CORE-CA-09]", async () => {
    const bench = await Bench.open();
    bench.busy.add(1);
    expect(await bench.change(1, "Inoperative")).toBe("Scheduled");
    expect([bench.operative, bench.availability.isWanted(1)]).toEqual(["012", false]);
    bench.availability.settled(1);
    expect(bench.operative).toBe("02");
    await bench.change(1, "Operative");
    await bench.change(1, "Inoperative");
    expect(await bench.change(1, "Operative")).toBe("Accepted");
    bench.availability.settled(1);
    expect(bench.operative).toBe("012");
  });

  test("of what is in use though it is out of service waits for nothing [CORE-CA-04]", async () => {
    const bench = await Bench.open();
    await bench.change(1, "Inoperative");
    bench.busy.add(1); // A cable was plugged.
    expect(await bench.change(1, "Inoperative")).toBe("Accepted");
    expect(await bench.change(1, "Operative")).toBe("Accepted");
    expect(bench.operative).toBe("012");
  });

  test("is nothing that others carry out before it was answered [CORE-CA-02] [CORE-CA-05]", async () => {
    const bench = await Bench.open();
    const isBusy = (): boolean => false;
    const all = await bench.availability.change({ connectorId: 0, type: "Operative" }, isBusy);
    const one = await bench.availability.change({ connectorId: 1, type: "Inoperative" }, isBusy);
    expect(bench.availability.isWanted(1)).toBe(true);
    all.takeEffect();
    expect([bench.operative, bench.availability.isWanted(1)]).toEqual(["012", true]);
    one.takeEffect();
    expect([bench.operative, bench.availability.isWanted(1)]).toEqual(["02", false]);
  });

  test("is the one that was asked for last, whichever is answered first [CORE-CA-09]", async () => {
    const bench = await Bench.open();
    const isBusy = (): boolean => false;
    const first = await bench.availability.change({ connectorId: 1, type: "Inoperative" }, isBusy);
    const second = await bench.availability.change({ connectorId: 1, type: "Operative" }, isBusy);
    second.takeEffect();
    first.takeEffect();
    expect(bench.operative).toBe("012");
  });

  test("of connector 0 is that of all, beside the wish of each [CORE-CA-06]", async () => {
    const bench = await Bench.open();
    bench.busy.add(1);
    expect(await bench.change(0, "Inoperative")).toBe("Scheduled");
    expect(bench.operative).toBe("1");
    bench.availability.settled(1);
    expect(bench.operative).toBe("");
    bench.busy.clear();
    await bench.change(2, "Inoperative");
    await bench.change(0, "Operative");
    expect(bench.operative).toBe("01");
  });

  test("survives a power cut, also what was scheduled; a transaction that goes on ends first [CORE-CA-07] [CORE-STAT-05]", async () => {
    const bench = await Bench.open();
    bench.busy.add(1);
    await bench.change(1, "Inoperative");
    await bench.load();
    expect(bench.operative).toBe("02");
    bench.availability.resumed(1);
    expect(bench.operative).toBe("012");
    bench.availability.settled(1);
    expect(bench.operative).toBe("02");
  });

  test("reasons of the charger's own are no wishes, and end by themselves [CORE-STAT-06]", async () => {
    const bench = await Bench.open();
    bench.availability.withdraw(1, "update");
    bench.availability.withdraw(1, "check");
    expect([bench.operative, bench.availability.isWanted(1)]).toEqual(["02", true]);
    bench.availability.giveBack(1, "update");
    expect(bench.operative).toBe("02");
    bench.availability.giveBack(1, "check");
    expect(bench.operative).toBe("012");
    bench.availability.withdraw(0, "update");
    expect([bench.operative, bench.availability.isWanted(0)]).toEqual(["", true]);
    bench.availability.giveBack(0, "update");
    expect(bench.operative).toBe("012");
    bench.availability.withdraw(0, "update");
    await bench.load();
    expect(bench.operative).toBe("012");
  });

  test("what the store does not take is Rejected, and nothing is another", async () => {
    const memory = memoryStore();
    const bench = await Bench.open({ ...memory, put: () => Promise.reject(new Error("Full.")) });
    expect(await bench.change(1, "Inoperative")).toBe("Rejected");
    expect([bench.operative, bench.availability.isWanted(1), bench.reports.length]).toEqual(["012", true, 1]);
  });

  test("a connector in use never goes out of service; a free one is what is wanted; a restart changes nothing of that", async () => {
    const deed = fc.oneof(
      fc.record({ connectorId: fc.nat(2), type: fc.constantFrom("Operative" as const, "Inoperative" as const) }),
      fc.record({ begin: fc.constantFrom(1, 2) }),
      fc.record({ end: fc.constantFrom(1, 2) }),
      fc.constant({ restart: true }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 25 }), async (deeds) => {
        const bench = await Bench.open();
        for (const each of deeds) {
          if ("type" in each) await bench.change(each.connectorId, each.type);
          else if ("begin" in each) {
            if (bench.availability.isOperative(each.begin)) bench.busy.add(each.begin);
          } else if ("end" in each) {
            bench.busy.delete(each.end);
            bench.availability.settled(each.end);
          } else {
            bench.busy.clear();
            await bench.load();
          }
          for (const id of [1, 2]) {
            const { availability } = bench;
            if (bench.busy.has(id)) expect(availability.isOperative(id)).toBe(true);
            else expect(availability.isOperative(id)).toBe(availability.isWanted(id));
          }
        }
      }),
      { numRuns: 300 },
    );
  });
});
