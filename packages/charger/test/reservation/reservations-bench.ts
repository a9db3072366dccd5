import { memoryStore, type RecordStore, type Req } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import type { Situation } from "../../src/reservation/reservation.ts";
import { Reservations } from "../../src/reservation/reservations.ts";

export const minute = 60_000;
export const at = (ms: number): string => new Date(ms).toISOString();

/** Reservations of three connectors, and what is over of them. */
export class Bench {
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

  async load({ connectorZero = true } = {}): Promise<void> {
    this.reservations = await Reservations.load(this.store, {
      connectorIds: [1, 2, 3],
      connectorZero,
      clock: this.clock,
      report: (error) => this.reports.push(error.message),
    });
  }

  readonly situationOf = (id: number): Situation => this.situations.get(id) ?? "free";

  async reserve(req: Partial<Req<"ReserveNow">>, takesEffect = true): Promise<string> {
    const { status, takeEffect } = await this.decide(req);
    if (takesEffect) takeEffect();
    this.#take();
    return status;
  }

  /** What a ReserveNow is to be answered with. */
  decide(req: Partial<Req<"ReserveNow">>): ReturnType<Reservations["reserveNow"]> {
    const full = {
      connectorId: 1,
      idTag: "ANNA",
      reservationId: 1,
      expiryDate: at(this.clock.now() + 10 * minute),
      ...req,
    };
    return this.reservations.reserveNow(full, this.clock.now(), this.situationOf);
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
    await this.clock.advance(0); // What it has the store do is done.
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
