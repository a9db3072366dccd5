import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command as commandOn } from "../../../core/test/machine-bench.ts";
import { ChargingSession } from "../../src/session/charging-session.ts";
import type { SessionKeys, SessionTraits, StopReason } from "../../src/session/session-facts.ts";
import { SessionBench } from "./session-bench.ts";
import { keys } from "./vocabulary.ts";

const command = commandOn<SessionBench>;
const idTags = fc.constantFrom("A", "B", "C");
const reasons = fc.constantFrom<StopReason>("Remote", "Local", "EmergencyStop", "HardReset");
const traits: fc.Arbitrary<SessionTraits> = fc.record({
  locks: fc.boolean(),
  cable: fc.constantFrom("socket", "socket", "fixed"),
  resumesAfterFault: fc.boolean(),
});
const someKeys: fc.Arbitrary<SessionKeys> = fc.record({
  connectionTimeOutMs: fc.constantFrom(0, 10, 30),
  stopTransactionOnInvalidId: fc.boolean(),
  maxEnergyOnInvalidId: fc.constantFrom(0, 50),
  stopTransactionOnEVSideDisconnect: fc.boolean(),
  unlockConnectorOnEVSideDisconnect: fc.boolean(),
});

const often = [
  fc.constant(command("plug", (bench) => bench.plug())),
  idTags.map((idTag) => command(`present ${idTag}`, (bench) => bench.present(idTag))),
  idTags.map((idTag) => command(`accept ${idTag}`, (bench) => bench.accept(idTag))),
  fc.constant(command("answer true", (bench) => bench.answer(0, true))),
  fc.constant(command("lock", (bench) => bench.lock(true))),
];

const commands = [
  ...often,
  ...often,
  fc
    .constantFrom("charge-point" as const, "vehicle" as const)
    .map((end) => command(`unplug ${end}`, (bench) => bench.unplug(end))),
  fc
    .tuple(fc.nat(2), fc.boolean())
    .map(([ago, isAccepted]) => command(`answer ${ago} ${isAccepted}`, (bench) => bench.answer(ago, isAccepted))),
  fc.constant(command("lock fails", (bench) => bench.lock(false))),
  fc.constant(command("unlock", (bench) => bench.unlock())),
  reasons.map((reason) => command(`stop ${reason}`, (bench) => bench.stop(reason))),
  fc.boolean().map((wants) => command(`wants ${wants}`, (bench) => bench.wants(wants))),
  fc.constant(command("invalidate", (bench) => bench.invalidate())),
  fc.constant(command("break", (bench) => bench.break())),
  fc.constant(command("mend", (bench) => bench.mend())),
  fc.nat(40).map((energy) => command(`measure ${energy}`, (bench) => bench.measure(energy))),
  idTags.map((idTag) => command(`resume ${idTag}`, (bench) => bench.resume(idTag))),
  someKeys.map((keys) => command(`configure ${JSON.stringify(keys)}`, (bench) => bench.configure(keys))),
  fc.nat(20).map((ms) => command(`pass ${ms}`, (bench) => bench.pass(ms))),
];

describe("A charging session, whatever happens", () => {
  test("starts and stops in turn, for who was accepted and with the first cause; energy flows within a transaction that is plugged, sound and valid, and nowhere else; the cable is locked as long, what is told goes through Preparing and Finishing; and nothing of a use is left [CORE-AUTH-02] [CORE-AUTH-14] [CORE-LAO-09] [CORE-LAO-10] [CORE-LAO-11] [CORE-STOP-01] [CORE-STOP-07] [CORE-STOP-12] [CORE-STOP-18] [STX-C6] [STX-X] [CFG-06]", () => {
    fc.assert(
      fc.property(traits, someKeys, fc.commands(commands, { size: "+1", maxCommands: 80 }), (traits, given, steps) => {
        const bench = new SessionBench(traits, given);
        fc.modelRun(() => ({ model: {}, real: bench }), steps);
        // Whatever has happened, it is free again when everybody has left.
        const ending = [
          () => bench.configure({ ...keys, connectionTimeOutMs: 10 }),
          () => bench.wants(true),
          () => bench.mend(),
          () => bench.stop("Local"),
          () => bench.answer(0, false),
          () => bench.unplug("charge-point"),
          () => bench.lock(true),
          () => bench.pass(10),
        ];
        for (const step of ending) {
          step();
          bench.settle();
        }
        expect([bench.inUse, bench.facts]).toEqual([false, new ChargingSession(traits, given).facts]);
      }),
      { numRuns: 600 },
    );
  });
});
