import { describe, expect, test } from "vitest";
import { FickleStore } from "../stores.ts";
import { at, Bench, minute } from "./reservations-bench.ts";

describe("Between a decision and its answer", () => {
  test("a connector breaks: its reservation is over before it counts [RSV-13]", async () => {
    const bench = await Bench.open();
    const { status, takeEffect } = await bench.decide({});
    bench.do((reservations) => reservations.inoperative(1));
    takeEffect();
    expect([status, bench.ids]).toEqual(["Accepted", ""]);
    await bench.clock.advance(0);
    await bench.load();
    expect(bench.ids).toBe("");
  });

  test("the new connector of a reservation breaks: the old one is free all the same [RSV-01] [RSV-13]", async () => {
    const bench = await Bench.open();
    await bench.reserve({});
    const { takeEffect } = await bench.decide({ connectorId: 2 });
    bench.do((reservations) => reservations.inoperative(2));
    expect(bench.ids).toBe("1@1");
    bench.do(() => takeEffect());
    expect([bench.ids, bench.ended]).toEqual(["", ["1 replaced"]]);
  });

  test("a transaction uses the old one: the new one counts all the same [RSV-01] [RSV-13]", async () => {
    const bench = await Bench.open();
    await bench.reserve({});
    const { takeEffect } = await bench.decide({ connectorId: 2 });
    bench.do((reservations) => reservations.used(1));
    bench.do(() => takeEffect());
    expect([bench.ids, bench.ended]).toEqual(["1@2", ["1 used"]]);
    await bench.clock.advance(0);
    await bench.load();
    expect(bench.ids).toBe("1@2");
  });

  test("somebody takes the connector while the reservation is written: Occupied, and what was there before is kept [RSV-03]", async () => {
    const store = new FickleStore();
    const bench = await Bench.open(store);
    await bench.reserve({});
    await store.becomes("hangs");
    const turn = bench.reserve({ connectorId: 2 });
    await bench.clock.advance(0);
    bench.situations.set(2, "occupied");
    await store.becomes("takes");
    expect(await turn).toBe("Occupied");
    await bench.load();
    expect(bench.ids).toBe("1@1");
  });

  test("what is cancelled can be neither cancelled again nor replaced, and its connector can be reserved [RSV-02] [RSV-21]", async () => {
    const bench = await Bench.open();
    await bench.reserve({});
    const [first, second, other] = await Promise.all([
      bench.reservations.cancelReservation({ reservationId: 1 }),
      bench.reservations.cancelReservation({ reservationId: 1 }),
      bench.decide({ reservationId: 2 }),
    ]);
    expect([first.status, second.status, other.status]).toEqual(["Accepted", "Rejected", "Accepted"]);
    expect(bench.ids).toBe("1@1");
    bench.do(() => {
      for (const { takeEffect } of [first, second, other]) takeEffect();
    });
    expect([bench.ids, bench.ended]).toEqual(["2@1", ["1 cancelled"]]);
  });

  test("others are decided on in the order of their calls, and see what was decided [RSV-04]", async () => {
    const bench = await Bench.open();
    const [first, second, third] = await Promise.all([
      bench.decide({}),
      bench.decide({ reservationId: 2 }),
      bench.decide({ reservationId: 3, connectorId: 2 }),
    ]);
    expect([first.status, second.status, third.status]).toEqual(["Accepted", "Occupied", "Accepted"]);
  });
});

describe("A store", () => {
  test("that hangs: Rejected after half a minute, and what it does later is undone", async () => {
    const store = new FickleStore();
    const bench = await Bench.open(store);
    await store.becomes("hangs");
    const turn = bench.reserve({});
    await bench.clock.advance(30_000);
    expect(await turn).toBe("Rejected");
    expect(bench.reports).toHaveLength(1);
    await store.becomes("takes");
    expect(await store.disk.load("")).toHaveLength(1);
    await bench.pass(0);
    await bench.pass(minute);
    expect(await store.disk.load("")).toEqual([]);
  });

  test("that does not forget is asked again every minute, and is reported once", async () => {
    const store = new FickleStore();
    const bench = await Bench.open(store);
    await bench.reserve({});
    await store.becomes("refuses");
    bench.do((reservations) => reservations.used(1));
    await bench.pass(0);
    const { asked } = store;
    await bench.pass(minute - 1);
    expect(store.asked).toBe(asked);
    await bench.pass(1);
    await bench.pass(minute);
    expect([store.asked, bench.reports.length]).toEqual([asked + 2, 1]);
    expect(bench.reservations.deadline).toBe(bench.clock.now() + minute);
    await store.becomes("takes");
    await bench.pass(minute);
    expect(await store.disk.load("")).toEqual([]);
    expect(bench.reservations.deadline).toBe(Number.POSITIVE_INFINITY);
  });

  test("that refuses what replaces a reservation of before the restart keeps that [RSV-01]", async () => {
    const store = new FickleStore();
    const bench = await Bench.open(store);
    await bench.reserve({ expiryDate: at(60 * minute) });
    await bench.load();
    await store.becomes("refuses");
    expect(await bench.reserve({ connectorId: 2 })).toBe("Rejected");
    await store.becomes("takes");
    await bench.pass(0);
    await bench.pass(minute);
    await bench.load();
    expect(bench.ids).toBe("1@1");
  });

  test("that never forgets one record forgets the others", async () => {
    const store = new FickleStore();
    const { disk } = store;
    const bench = await Bench.open({
      ...disk,
      delete: (key) => (key === "reservation/1" ? Promise.reject(new Error("A bad block.")) : disk.delete(key)),
    });
    for (const id of [1, 2, 3]) await bench.reserve({ reservationId: id, connectorId: id });
    bench.do((reservations) => reservations.inoperative(0));
    await bench.pass(0);
    await bench.pass(minute);
    expect((await disk.load("")).map(({ key }) => key)).toEqual(["reservation/1"]);
  });

  test("that hangs is waited for once, however much it has not forgotten", async () => {
    const store = new FickleStore();
    const bench = await Bench.open(store);
    for (const id of [1, 2, 3]) await bench.reserve({ reservationId: id, connectorId: id });
    await store.becomes("refuses");
    bench.do((reservations) => reservations.inoperative(0));
    await bench.clock.advance(0);
    await store.becomes("hangs");
    let status: string | undefined;
    void bench.reserve({ reservationId: 4, expiryDate: at(10 * minute) }).then((answer) => (status = answer));
    await bench.clock.advance(60_000);
    expect(status).toBe("Rejected");
  });

  test("that kept two of one connector, for it forgot none: both may use it [RSV-08]", async () => {
    const store = new FickleStore();
    const kept = { connectorId: 1, expiresAt: 10 * minute };
    await store.put("reservation/1", JSON.stringify({ ...kept, reservationId: 1, idTag: "ANNA" }));
    await store.put("reservation/2", JSON.stringify({ ...kept, reservationId: 2, idTag: "BERT" }));
    const bench = await Bench.open(store);
    expect(["ANNA", "BERT", "CARL"].map((idTag) => bench.admission(1, idTag))).toEqual(["own", "own", "refused"]);
  });

  test("that cannot set a record aside keeps it", async () => {
    const store = new FickleStore();
    await store.put("reservation/1", "{");
    await store.becomes("refuses");
    const bench = await Bench.open(store);
    expect(bench.reports).toEqual([expect.stringContaining("failed to set it aside")]);
    expect(await store.disk.load("")).toEqual([{ key: "reservation/1", value: "{" }]);
    await store.becomes("takes");
    await bench.load();
    expect(await store.disk.load("")).toEqual([{ key: "corrupt/reservation/1", value: "{" }]);
  });
});
