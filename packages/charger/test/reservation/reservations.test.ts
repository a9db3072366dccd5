import { memoryStore, type RecordStore, type Req } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Situation } from "../../src/reservation/reservation.ts";
import { Reservations } from "../../src/reservation/reservations.ts";

const minute = 60_000;
const at = (ms: number): string => new Date(ms).toISOString();

/** Reservations of three connectors, and what is over of them. */
class Bench {
  readonly clock = new FakeClock({ now: 0 });
  readonly situations = new Map<number, Situation>();
  readonly reports: string[] = [];
  readonly ended: string[] = [];
  readonly store: RecordStore;
  reservations!: Reservations;

  constructor(store: RecordStore = memoryStore()) {
    this.store = store;
  }

  static async open(store?: RecordStore): Promise<Bench> {
    const bench = new Bench(store);
    await bench.load();
    return bench;
  }

  async load(): Promise<void> {
    this.reservations = await Reservations.load(this.store, {
      connectorIds: [1, 2, 3],
      connectorZero: true,
      clock: this.clock,
      report: (error) => this.reports.push(error.message),
    });
  }

  readonly situationOf = (id: number): Situation => this.situations.get(id) ?? "free";

  async reserve(req: Partial<Req<"ReserveNow">>, takesEffect = true): Promise<string> {
    const full = {
      connectorId: 1,
      idTag: "ANNA",
      reservationId: 1,
      expiryDate: at(this.clock.now() + 10 * minute),
      ...req,
    };
    const { status, takeEffect } = await this.reservations.reserveNow(full, this.clock.now(), this.situationOf);
    if (takesEffect) takeEffect();
    this.#take();
    return status;
  }

  async cancel(reservationId: number): Promise<string> {
    const { status, takeEffect } = await this.reservations.cancelReservation({ reservationId });
    takeEffect();
    this.#take();
    return status;
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
    this.reservations.advance(this.clock.now());
    this.#take();
  }

  do(act: (reservations: Reservations) => void): void {
    act(this.reservations);
    this.#take();
  }

  admission(connectorId: number, idTag: string): string {
    return this.reservations.admission(connectorId, idTag, this.situationOf).type;
  }

  get ids(): string {
    return this.reservations.all.map(({ connectorId, reservationId }) => `${reservationId}@${connectorId}`).join(" ");
  }

  #take(): void {
    for (let output = this.reservations.poll(); output !== undefined; output = this.reservations.poll()) {
      this.ended.push(`${output.reservation.reservationId} ${output.cause}`);
    }
  }
}

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

  const deed = fc.oneof(
    fc.record({
      do: fc.constant("reserve" as const),
      id: fc.nat(3),
      connectorId: fc.nat(3),
      idTag: fc.constantFrom("A", "B"),
    }),
    fc.record({ do: fc.constant("cancel" as const), id: fc.nat(3) }),
    fc.record({
      do: fc.constant("use" as const),
      connectorId: fc.integer({ min: 1, max: 3 }),
      idTag: fc.constantFrom("A", "B", "C"),
    }),
    fc.record({ do: fc.constant("leave" as const), connectorId: fc.integer({ min: 1, max: 3 }) }),
    fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: 4 * minute }) }),
    fc.constant({ do: "power cut" as const }),
  );

  test("whoever has reserved finds a connector, whatever others do; what is kept is what counts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 30 }), async (deeds) => {
        const bench = await Bench.open();
        for (const each of deeds) {
          if (each.do === "reserve") {
            await bench.reserve({ reservationId: each.id, connectorId: each.connectorId, idTag: each.idTag });
          } else if (each.do === "cancel") await bench.cancel(each.id);
          else if (each.do === "leave") bench.situations.set(each.connectorId, "free");
          else if (each.do === "pass") await bench.pass(each.ms);
          else if (each.do === "power cut") {
            await bench.clock.advance(0);
            const before = bench.ids.split(" ").sort();
            await bench.load();
            expect(bench.ids.split(" ").sort()).toEqual(before);
          } else if (bench.situationOf(each.connectorId) === "free") {
            const admission = bench.reservations.admission(each.connectorId, each.idTag, bench.situationOf);
            if (admission.type === "refused" || admission.type === "ask-parent") continue;
            bench.situations.set(each.connectorId, "occupied");
            if (admission.type === "own")
              bench.do((reservations) => reservations.used(admission.reservation.reservationId));
          }
          const reserved = new Set(
            bench.reservations.all.flatMap(({ connectorId }) => (connectorId > 0 ? connectorId : [])),
          );
          for (const id of reserved) expect(bench.situationOf(id)).toBe("free");
          const open = [1, 2, 3].filter((id) => bench.situationOf(id) === "free" && !reserved.has(id));
          const promised = bench.reservations.all.filter(({ connectorId }) => connectorId === 0);
          expect(open.length, bench.ids).toBeGreaterThanOrEqual(promised.length);
        }
      }),
      { numRuns: 300 },
    );
  });
});
