import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command as commandOn, MachineBench } from "../../../core/test/machine-bench.ts";
import type { ConnectorStatus } from "../../src/charger-state.ts";
import { ConnectorStatusReports, type StatusReport, type StatusStep } from "../../src/status/connector-status.ts";
import { transitions } from "../../src/status/transitions.ts";

/** Reports as `drive` runs them, what was said, and what was told. */
class Bench extends MachineBench<StatusStep> {
  protected readonly machine = new ConnectorStatusReports();
  minimumMs = 0;
  told: StatusStep | undefined;
  said: StatusReport | undefined;
  /** Since when the status holds that was said last. */
  since = 0;

  protected perform(step: StatusStep): void {
    const { told } = this;
    this.told = step;
    if (told === undefined) return;
    expect(step, "told twice").not.toEqual(told);
    if (step.status !== told.status)
      expect(transitions[told.status][step.status], `${told.status} → ${step.status}`).toBeDefined();
  }

  protected check(): void {
    const { said } = this;
    if (said === undefined) return;
    expect(this.machine.latest).toEqual(said);
    const isTold = this.told?.status === said.status && this.told.error.errorCode === said.error.errorCode;
    if (this.now - this.since >= this.minimumMs) expect(isTold, "not told though it has held").toBe(true);
  }

  is(status: ConnectorStatus, errorCode: "NoError" | "HighTemperature"): void {
    const report: StatusReport = { status, error: { errorCode } };
    // An error may wait as long as a status does, or go out along with one that waits.
    if (status !== this.said?.status || errorCode !== this.said.error.errorCode) this.since = this.now;
    this.said = report;
    this.machine.is(report, this.now);
  }

  configure(minimumMs: number): void {
    this.minimumMs = minimumMs;
    this.machine.configured(minimumMs);
  }
}

const command = commandOn<Bench>;
const statuses = Object.keys(transitions) as ConnectorStatus[];

const commands = [
  fc
    .tuple(fc.constantFrom(...statuses), fc.constantFrom("NoError" as const, "HighTemperature" as const))
    .map(([status, error]) => command(`is ${status} ${error}`, (bench) => bench.is(status, error))),
  fc.nat(8).map((ms) => command(`pass ${ms}`, (bench) => bench.pass(ms))),
  fc.nat(10).map((ms) => command(`configure ${ms}`, (bench) => bench.configure(ms))),
];

describe("What is told of a status, whatever happens", () => {
  test("are steps of the table, and what was said last as soon as it has held for long enough [CORE-STAT-01] [CORE-STAT-07] [STX-X]", () => {
    fc.assert(
      fc.property(fc.commands(commands, { size: "+1", maxCommands: 60 }), (steps) => {
        const bench = new Bench();
        fc.modelRun(() => ({ model: {}, real: bench }), steps);
        bench.pass(bench.minimumMs);
        bench.settle();
      }),
      { numRuns: 400 },
    );
  });

  test("is nothing of what did not hold, where no way leads through it [CORE-STAT-07]", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...statuses), { maxLength: 20 }), (flashes) => {
        const machine = new ConnectorStatusReports(10);
        machine.is({ status: "Available", error: { errorCode: "NoError" } }, 0);
        machine.poll();
        for (const [now, status] of flashes.entries()) machine.is({ status, error: { errorCode: "NoError" } }, now / 3);
        machine.is({ status: "Preparing", error: { errorCode: "NoError" } }, 9);
        machine.advance(60);
        expect([machine.poll()?.status, machine.poll()]).toEqual(["Preparing", undefined]);
      }),
    );
  });
});
