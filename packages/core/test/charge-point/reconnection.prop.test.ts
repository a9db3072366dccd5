import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  longestAttemptMs,
  Reconnection,
  type ReconnectionOutput,
  type ReconnectionState,
} from "../../src/charge-point/reconnection.ts";
import { command as commandOn, MachineBench } from "../machine-bench.ts";
import { second } from "./vocabulary.ts";

const stableMs = 30 * second;

interface BackOff {
  readonly retryBackOffWaitMinimum: number;
  readonly retryBackOffRepeatTimes: number;
  readonly retryBackOffRandomRange: number;
}

/** A Reconnection as `drive` runs it, and what the laws need to remember: what it was told, and what it asked for. */
class Bench extends MachineBench<ReconnectionOutput> {
  protected readonly machine: Reconnection;
  readonly backOff: BackOff;
  readonly minimum: number;
  state: ReconnectionState = "New";
  random = 0;
  openedAt: number | undefined;
  attemptedAt = Number.NEGATIVE_INFINITY;
  attempts = 0;
  /** The longest wait that the next loss may cause, without the range. */
  bound: number;
  doublings = 0;

  constructor(backOff: BackOff) {
    super();
    this.backOff = backOff;
    this.minimum = Math.max(0.1, backOff.retryBackOffWaitMinimum);
    this.bound = this.minimum;
    this.machine = new Reconnection(backOff, () => this.random);
  }

  protected check(): void {
    expect(this.machine.state).toBe(this.state);
    const waits = Number.isFinite(this.machine.deadline);
    expect(waits, "stuck, or awake for nothing").toBe(this.state === "Waiting" || this.state === "Connecting");
  }

  protected perform(output: ReconnectionOutput): void {
    switch (output.type) {
      case "connect":
        expect(["New", "Waiting"], "an attempt out of turn").toContain(this.state);
        expect(output.attempt).toBe(++this.attempts);
        expect((this.now - this.attemptedAt) / second, "a hot loop").toBeGreaterThanOrEqual(this.minimum);
        this.attemptedAt = this.now;
        this.state = "Connecting";
        break;
      case "abort":
        // Of an attempt that took too long, or of whoever has stopped it.
        expect(this.state === "Stopped" || this.now >= this.attemptedAt + longestAttemptMs).toBe(true);
        if (this.state !== "Stopped") {
          expect(this.state).toBe("Connecting");
          this.lost();
        }
        break;
      case "fault":
        expect(this.random >= 0 && this.random <= 1, "a fault of a sane random").toBe(false);
        break;
    }
  }

  start(): void {
    this.machine.started(this.now);
    if (this.state === "New") expect(this.machine.state).toBe("Connecting");
  }

  open(): void {
    if (this.state === "Connecting") {
      this.state = "Open";
      this.openedAt = this.now;
    }
    this.machine.opened(this.now);
  }

  lose(random: number): void {
    this.random = random;
    this.machine.lost(this.now);
    this.lost();
  }

  /** Says what an end has to lead to. */
  lost(): void {
    if (this.state !== "Connecting" && this.state !== "Open") return;
    if (this.state === "Open" && this.now - (this.openedAt ?? this.now) >= stableMs) {
      this.attempts = 0;
      this.doublings = 0;
      this.bound = this.minimum;
    }
    this.state = "Waiting";
    const wait = Math.round(this.machine.deadline - this.now) / second; // Sums of fractions are not exact.
    expect(wait).toBeGreaterThanOrEqual(this.minimum);
    expect(wait).toBeLessThanOrEqual(this.bound + this.backOff.retryBackOffRandomRange);
    // The whole range is used: otherwise thousands would come back in the same second.
    if (this.random === 0) expect(wait).toBe(this.minimum);
    if (this.random === 1) expect(wait).toBe(this.bound + this.backOff.retryBackOffRandomRange);
    if (this.doublings++ < this.backOff.retryBackOffRepeatTimes) this.bound *= 2;
  }

  hurry(): void {
    this.machine.hurried(this.now);
    // At once, but for a hot loop.
    if (this.state !== "Waiting") return;
    const earliest = this.attemptedAt + second * this.minimum;
    if (this.now >= earliest) expect(this.machine.state).toBe("Connecting");
    else expect(this.machine.deadline).toBeLessThanOrEqual(earliest);
  }

  stop(): void {
    this.state = "Stopped";
    this.machine.stopped();
  }
}

const command = commandOn<Bench>;

const randoms = fc.oneof(fc.constantFrom(0, 1, Number.NaN, -1, 2), fc.double({ min: 0, max: 1, noNaN: true }));

const commands = [
  fc.constant(command("start", (bench) => bench.start())),
  fc.constant(command("open", (bench) => bench.open())),
  randoms.map((random) => command(`lose ${random}`, (bench) => bench.lose(random))),
  randoms.map((random) => command(`lose ${random}`, (bench) => bench.lose(random))),
  fc.constant(command("hurry", (bench) => bench.hurry())),
  fc
    .oneof(fc.nat(5 * second), fc.constantFrom(stableMs - 1, stableMs), fc.nat(600 * second))
    .map((ms) => command(`pass ${ms}`, (bench) => bench.pass(ms))),
];
const stop = fc.constant(command("stop", (bench) => bench.stop()));

const backOffs = fc.record({
  retryBackOffWaitMinimum: fc.nat(10),
  retryBackOffRepeatTimes: fc.nat(4),
  retryBackOffRandomRange: fc.nat(10),
});

describe("Reconnection, whatever happens", () => {
  test("attempts one at a time, waits within bounds, never gets stuck, and does nothing once stopped [J-031] [J-033] [J-162] [trap 19]", () => {
    fc.assert(
      fc.property(
        backOffs,
        fc.oneof(
          { weight: 3, arbitrary: fc.commands(commands, { size: "+1", maxCommands: 60 }) },
          { weight: 1, arbitrary: fc.commands([...commands, stop], { size: "+1", maxCommands: 60 }) },
        ),
        (backOff, steps) => {
          const bench = new Bench(backOff);
          fc.modelRun(() => ({ model: {}, real: bench }), steps);
        },
      ),
      { numRuns: 400 },
    );
  });
});
