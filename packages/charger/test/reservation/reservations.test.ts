import { memoryStore, type RecordStore } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { at, Bench, minute } from "./reservations-bench.ts";

describe("Reservations", () => {
  test("count once they were answered, and are there after a power cut [RSV-02] [RSV-17]", async () => {
    const bench = await Bench.open();
    expect(await bench.reserve({}, false)).toBe("Accepted");
    expect(bench.reservations.on(1)).toBeUndefined();
    await bench.load();
    expect(bench.ids).toBe("1@1");
  });

  test("the same id replaces, also elsewhere and with another time [RSV-01]", async () => {
    const bench = await Bench.open();
    await bench.reserve({});
    expect(await bench.reserve({ connectorId: 2, expiryDate: at(5 * minute) })).toBe("Accepted");
    expect(bench.ids).toBe("1@2");
    expect(bench.ended).toEqual(["1 replaced"]);
    await bench.load();
    expect(bench.ids).toBe("1@2");
  });

  test("two of one connector, or of more connectors than there are: Occupied [RSV-03] [RSV-04] [RSV-09]", async () => {
    const bench = await Bench.open();
    expect(await bench.reserve({})).toBe("Accepted");
    expect(await bench.reserve({ reservationId: 2 })).toBe("Occupied");
    expect(await bench.reserve({ reservationId: 2, connectorId: 0 })).toBe("Accepted");
    expect(await bench.reserve({ reservationId: 3, connectorId: 0 })).toBe("Accepted");
    expect(await bench.reserve({ reservationId: 4, connectorId: 0 })).toBe("Occupied");
    expect(await bench.reserve({ reservationId: 4, connectorId: 2 })).toBe("Occupied"); // It is promised.
  });

  test.each([
    ["faulted", "Faulted"],
    ["unavailable", "Unavailable"],
    ["occupied", "Occupied"],
  ] as const)("of what is %s: %s [RSV-03] [RSV-05] [RSV-06]", async (situation, status) => {
    const bench = await Bench.open();
    bench.situations.set(1, situation);
    expect(await bench.reserve({})).toBe(status);
    for (const id of [2, 3]) bench.situations.set(id, situation);
    expect(await bench.reserve({ connectorId: 0 })).toBe(status);
  });

  test("of what there is not, or of a time that has passed: Rejected", async () => {
    const bench = await Bench.open();
    expect(await bench.reserve({ connectorId: 4 })).toBe("Rejected");
    expect(await bench.reserve({ expiryDate: at(0) })).toBe("Rejected");
  });

  test("are over when their time is up, also while the power is off; when they are used or cancelled; with their connector [RSV-13] [RSV-15] [RSV-20] [RSV-21]", async () => {
    const bench = await Bench.open();
    await bench.reserve({});
    await bench.pass(10 * minute - 1);
    expect(bench.ids).toBe("1@1");
    await bench.pass(1);
    await bench.reserve({ reservationId: 2 });
    await bench.clock.advance(20 * minute);
    await bench.load();
    expect(bench.reservations.deadline).toBeLessThan(bench.clock.now());
    await bench.pass(0);
    await bench.reserve({ reservationId: 3 });
    bench.do((reservations) => reservations.used(3));
    await bench.reserve({ reservationId: 4 });
    expect(await bench.cancel(4)).toBe("Accepted");
    expect(await bench.cancel(4)).toBe("Rejected");
    await bench.reserve({ reservationId: 5 });
    await bench.reserve({ reservationId: 6, connectorId: 0 });
    bench.do((reservations) => reservations.inoperative(1));
    bench.do((reservations) => reservations.inoperative(0));
    expect(bench.ended).toEqual(["1 expired", "2 expired", "3 used", "4 cancelled", "5 inoperative", "6 inoperative"]);
    await bench.clock.advance(0);
    await bench.load();
    expect(bench.ids).toBe("");
  });

  test("admit whom they are for, ask about the group, and refuse the others [RSV-08] [RSV-11]", async () => {
    const bench = await Bench.open();
    await bench.reserve({});
    await bench.reserve({ reservationId: 2, connectorId: 2, idTag: "BERT", parentIdTag: "GROUP" });
    expect(bench.admission(1, "anna")).toBe("own");
    expect(bench.admission(1, "BERT")).toBe("refused");
    expect(bench.admission(2, "CARL")).toBe("ask-parent");
    expect(bench.admission(3, "CARL")).toBe("free");
    await bench.reserve({ reservationId: 3, connectorId: 0, idTag: "DORA" });
    expect(bench.admission(3, "CARL")).toBe("refused");
    expect(bench.admission(3, "DORA")).toBe("own");
  });

  test("of any connector, by several groups: whoever belongs to one of them may [RSV-08] [RSV-09]", async () => {
    const bench = await Bench.open();
    await bench.reserve({ connectorId: 0, parentIdTag: "GROUP" });
    await bench.reserve({ reservationId: 2, connectorId: 0, idTag: "BERT", parentIdTag: "" });
    await bench.reserve({ reservationId: 3, connectorId: 0, idTag: "CARL", parentIdTag: "CLUB" });
    const admission = bench.reservations.admission(1, "DORA", bench.situationOf);
    expect(admission.type === "ask-parent" && admission.candidates.map(({ parentIdTag }) => parentIdTag)).toEqual([
      "GROUP",
      "CLUB",
    ]);
  });

  test("of connector 0 where the charger does not offer that: Rejected [RSV-10]", async () => {
    const bench = await Bench.open();
    await bench.load({ connectorZero: false });
    expect(await bench.reserve({ connectorId: 0 })).toBe("Rejected");
    expect(await bench.reserve({ connectorId: 1 })).toBe("Accepted");
  });

  test("a store that fails: Rejected, and nothing is another", async () => {
    let fails = false;
    const memory = memoryStore();
    const store: RecordStore = {
      ...memory,
      put: (key, value) => (fails ? Promise.reject(new Error("Full.")) : memory.put(key, value)),
      delete: (key) => (fails ? Promise.reject(new Error("Full.")) : memory.delete(key)),
    };
    const bench = await Bench.open(store);
    await bench.reserve({});
    fails = true;
    expect(await bench.reserve({ connectorId: 2 })).toBe("Rejected");
    expect(bench.ids).toBe("1@1");
    bench.do((reservations) => reservations.used(1));
    await bench.clock.advance(0);
    expect(bench.reports).toHaveLength(2);
    fails = false;
    await bench.reserve({ reservationId: 2 });
    await bench.load();
    expect(bench.ids).toBe("2@1"); // What was to be forgotten is, by now.
  });

  test("records that make no sense are set aside, and told", async () => {
    const store = memoryStore();
    await store.put("reservation/1", "{");
    await store.put("reservation/2", JSON.stringify({ reservationId: 3, connectorId: 1, idTag: "ANNA", expiresAt: 1 }));
    const bench = await Bench.open(store);
    expect(bench.ids).toBe("");
    expect(bench.reports).toHaveLength(2);
    expect((await store.load("")).map(({ key }) => key)).toEqual(["corrupt/reservation/1", "corrupt/reservation/2"]);
  });
});
