import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command as commandOn, MachineBench } from "../../../core/test/machine-bench.ts";
import { MeterSchedule, type MeterScheduleOutput } from "../../src/metering/meter-schedule.ts";

const day = 86_400_000;
const midnight = Date.UTC(2026, 0, 1);

/** A transaction: when it started, since when the interval holds, and what was told of it. */
interface Running {
  readonly startedAt: number;
  since: number;
  told: number;
}

/** A schedule as `drive` runs it, on a clock that others set. */
class Bench extends MachineBench<MeterScheduleOutput> {
  protected readonly machine = new MeterSchedule();
  override now = midnight;
  sampleIntervalMs = 0;
  alignedIntervalMs = 0;
  readonly running = new Map<number, Running>();
  toldAligned = Number.NEGATIVE_INFINITY;
  /** Since when the interval holds: a slot before that is none. */
  alignedSince = this.now;
  /** What was put out since time passed. */
  readonly atOnce = new Set<string>();

  protected perform(output: MeterScheduleOutput): void {
    const who = output.type === "aligned" ? "aligned" : `${output.connectorId}`;
    expect(this.atOnce.has(who), "two at once").toBe(false);
    this.atOnce.add(who);
    expect(output.at).toBeLessThanOrEqual(this.now);
    if (output.type === "sample") this.#sampled(output.connectorId, output.at);
    else this.#aligned(output.at, output.from);
  }

  #sampled(connectorId: number, at: number): void {
    const running = this.running.get(connectorId) as Running;
    expect(running, "without a transaction").toBeDefined();
    expect((at - running.startedAt) % this.sampleIntervalMs, "off the grid").toBe(0);
    expect(at, "the start is no sample").toBeGreaterThan(running.startedAt);
    expect(at, "twice").toBeGreaterThan(running.told);
    expect(this.now - at, "not the latest").toBeLessThan(this.sampleIntervalMs);
    running.told = at;
  }

  #aligned(at: number, from: number): void {
    const length = this.alignedIntervalMs;
    expect((at % day) % length, "off the grid").toBe(0);
    expect((from % day) % length).toBe(0);
    expect(at - from).toBe(Math.min(length, at % day === 0 ? day % length || length : length));
    expect(at, "twice").toBeGreaterThan(this.toldAligned);
    expect(this.now - at, "not the latest").toBeLessThan(length);
    this.toldAligned = at;
  }

  /** No slot that has passed is left out. */
  protected check(): void {
    const { alignedIntervalMs, now, sampleIntervalMs } = this;
    if (alignedIntervalMs > 0) {
      const last = now - ((now % day) % alignedIntervalMs);
      if (last > this.alignedSince) expect(this.toldAligned, "missed").toBeGreaterThanOrEqual(last);
    }
    if (sampleIntervalMs === 0) return;
    for (const { since, startedAt, told } of this.running.values()) {
      const last = now - ((now - startedAt) % sampleIntervalMs);
      if (last > since) expect(told, "missed").toBeGreaterThanOrEqual(last);
    }
  }

  override pass(ms: number): void {
    const end = this.now + ms;
    while (this.machine.deadline <= end) {
      this.atOnce.clear();
      this.now = Math.max(this.now, this.machine.deadline);
      this.settle();
    }
    this.#is(end);
  }

  #is(now: number): void {
    this.atOnce.clear();
    this.now = now;
  }

  sleep(ms: number): void {
    this.#is(this.now + ms);
  }

  /** In all by less than a day back. */
  correct(ms: number): void {
    this.#is(this.now + ms);
    this.machine.corrected(this.now);
  }

  configure(sampleIntervalMs: number, alignedIntervalMs: number): void {
    this.settle(); // What is due by the old intervals.
    this.sampleIntervalMs = sampleIntervalMs;
    this.alignedIntervalMs = alignedIntervalMs;
    for (const running of this.running.values()) running.since = Math.max(running.since, this.now);
    this.alignedSince = Math.max(this.alignedSince, this.now);
    this.machine.configured({ sampleIntervalMs, alignedIntervalMs }, this.now);
  }

  start(connectorId: number, agoMs: number): void {
    const startedAt = this.now - agoMs;
    this.running.set(connectorId, { startedAt, since: this.now, told: startedAt });
    this.machine.started(connectorId, startedAt, this.now);
  }

  /** The clock is set, and a transaction had started by the wrong one. */
  move(connectorId: number, ms: number): void {
    const running = this.running.get(connectorId);
    if (running !== undefined) {
      const { since, startedAt, told } = running;
      this.running.set(connectorId, { startedAt: startedAt + ms, since: since + ms, told: told + ms });
      this.machine.moved(connectorId, startedAt + ms);
    }
    this.correct(ms);
  }

  stop(connectorId: number): void {
    this.running.delete(connectorId);
    this.machine.stopped(connectorId);
  }
}

const command = commandOn<Bench>;
const connector = fc.integer({ min: 1, max: 3 });
const interval = fc.constantFrom(0, 1000, 7000, 60_000, 900_000, 25_200_000);
const duration = fc.oneof(fc.nat(5000), fc.nat(120_000), fc.nat(3_600_000));

const commands = [
  duration.map((ms) => command(`pass ${ms}`, (bench) => bench.pass(ms % 200_000))),
  duration.map((ms) => command(`sleep ${ms}`, (bench) => bench.sleep(ms))),
  duration.map((ms) => command(`forward ${ms}`, (bench) => bench.correct(ms))),
  duration.map((ms) => command(`back ${ms >> 1}`, (bench) => bench.correct(-(ms >> 1)))),
  fc
    .tuple(interval, interval)
    .map(([sample, aligned]) => command(`configure ${sample} ${aligned}`, (bench) => bench.configure(sample, aligned))),
  fc
    .tuple(connector, fc.oneof(fc.constant(0), duration))
    .map(([id, ago]) => command(`start ${id}, ${ago} ago`, (bench) => bench.start(id, ago))),
  fc
    .tuple(connector, fc.integer({ min: -1_800_000, max: 3_600_000 }))
    .map(([id, ms]) => command(`move ${id} by ${ms}`, (bench) => bench.move(id, ms))),
  connector.map((id) => command(`stop ${id}`, (bench) => bench.stop(id))),
];

describe("Whatever happens to the clock, the keys and the transactions", () => {
  test("samples are due at the start plus multiples of the interval and aligned values at those of the day, none twice, none left out, and of missed ones only the latest [CORE-MTR-02] [CORE-MTR-03] [CORE-MTR-05] [CORE-MTR-07]", () => {
    fc.assert(
      fc.property(fc.commands(commands, { size: "+1", maxCommands: 40 }), (steps) => {
        const bench = new Bench();
        fc.modelRun(() => ({ model: {}, real: bench }), steps);
      }),
      { numRuns: 300 },
    );
  });
});
