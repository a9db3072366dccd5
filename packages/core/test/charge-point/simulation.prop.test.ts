import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { replay, simulate } from "./simulation.ts";
import { absurdTimes, type Happening, reactions, schedules } from "./simulation-schedule.ts";
import { events } from "./vocabulary.ts";

/** For long runs: SIMULATION_RUNS=10000 SIMULATION_SEED=2. The seed is fixed so that a run can be repeated. */
const { SIMULATION_RUNS = "500", SIMULATION_SEED = "1" } = process.env;
const numRuns = Number(SIMULATION_RUNS);

describe("A ChargePoint in a simulated world", () => {
  test(
    "keeps the laws through years of lost connections, silent and absurd Central Systems, power cuts, bad disks and " +
      "owners that do what they like " +
      "[CORE-TXQ-01] [CORE-TXQ-02] [CORE-TXQ-03] [CORE-TXQ-06] [CORE-TXQ-08] [CORE-TXQ-09] [CORE-TXQ-10] [CORE-TXQ-11] [CORE-TXQ-12] " +
      "[CORE-TXQ-16] [CORE-TXQ-17] [CORE-BOOT-01] [CORE-BOOT-02] [CORE-BOOT-04] [CORE-BOOT-05] [CORE-BOOT-07] " +
      "[CORE-BOOT-08] [CORE-BOOT-09] [CORE-BOOT-12] [CORE-BOOT-13] [CORE-HB-01] [CORE-HB-04] [CORE-HB-05] [J-031] " +
      "[SC-08] [SC-19] [SC-21] [SC-24] [SC-25] [SC-28] [J-100] [J-157] [J-160] [J-161] [J-163] [J-210] [trap 3] [trap 19]",
    async () => {
      let days = 0;
      const keepsTheLaws = fc.asyncProperty(schedules, async (schedule) => {
        const outcome = await simulate(schedule);
        days += outcome.days;
        return outcome.broken === undefined;
      });
      const { counterexample, seed } = await fc.check(keepsTheLaws, { numRuns, seed: Number(SIMULATION_SEED) });
      if (counterexample !== null) {
        await replay(counterexample[0]).catch((error: Error) => {
          throw new Error(`Seed ${seed}. ${error.message}`);
        });
        throw new Error(`Seed ${seed}. A law was broken, but not when the schedule was repeated.`);
      }
      expect(days).toBeGreaterThan(numRuns);
    },
    // Most of it is for shrinking on a slow machine.
    300_000 + 100 * numRuns,
  );

  test("loses and repeats nothing at whichever write of a transaction the power fails [CORE-TXQ-12] [CORE-TXQ-16]", async () => {
    for (let nth = 1; nth <= 12; nth++) {
      for (const kept of [0, 1, 2, 3]) {
        await replay([
          { at: 100, do: "power cut at write", nth, forS: 1, kept, clockOffS: 0, resume: true },
          { at: 100, do: "plug in", connector: 1, forS: 700, idTag: "known" },
        ]);
      }
    }
  });

  test("gives up nothing because a connection is dead at one end [CORE-TXQ-06] [CORE-TXQ-08] [J-153] [J-154] [J-158]", async () => {
    for (const ends of ["chargePoint", "centralSystem", "both"] as const) {
      await replay([
        { at: 100, do: "plug in", connector: 1, forS: 20_000, idTag: "known" },
        { at: 100, do: "mute", ends },
      ]);
    }
  });

  test("gives up nothing because the Central System is silent [CORE-TXQ-06] [CORE-TXQ-08] [J-154]", async () => {
    for (const of of ["answers", "everything"] as const) {
      await replay([
        { at: 100, do: "plug in", connector: 1, forS: 20_000, idTag: "known" },
        { at: 100, do: "silence", of, forS: 14_400 },
        { at: 1000, do: "trigger", message: "StatusNotification", connector: 1 },
      ]);
    }
  });

  test("takes an answer that comes after its time, unless the message has been sent again [CORE-TXQ-08]", async () => {
    await replay([
      { at: 100, do: "answer slowly", byS: 40, forS: 60 },
      { at: 101, do: "plug in", connector: 1, forS: 700, idTag: "known" },
    ]);
  });

  test("comes to no harm when the time is told wrongly, and has it right as soon as it is told right [CORE-BOOT-04] [CORE-HB-05]", async () => {
    for (const byS of [-31_536_000, -3600, -8, 8, 3600, 31_536_000]) {
      await replay([
        { at: 4000, do: "plug in", connector: 1, forS: 3000, idTag: "known" },
        { at: 4900, do: "tell the time wrongly", byS, times: 1 },
        { at: 5000, do: "trigger", message: "Heartbeat", connector: "none" },
        { at: 5500, do: "plug in", connector: 2, forS: 3000, idTag: "known" },
        { at: 6000, do: "trigger", message: "Heartbeat", connector: "none" },
        { at: 6001, do: "plug in", connector: 3, forS: 3000, idTag: "known" },
      ]);
    }
  });

  test.each(absurdTimes)("takes %s for no time, or for the right one [CORE-BOOT-04] [CORE-HB-05]", async (as) => {
    await replay([
      { at: 10, do: "tell an absurd time", as, times: 2 },
      { at: 11, do: "power cut", forS: 1, kept: 0, clockOffS: -800_000_000, resume: true },
      { at: 100, do: "plug in", connector: 1, forS: 5000, idTag: "known" },
    ]);
  });

  test("sends a Heartbeat before anything else when it has slept, and corrects what was stamped meanwhile [CORE-HB-05]", async () => {
    for (const connection of ["open", "ended", "dead"] as const) {
      await replay([
        { at: 100, do: "plug in", connector: 1, forS: 20_000, idTag: "known" },
        { at: 200, do: "sleep", forS: 7200, connection },
        { at: 7401, do: "plug in", connector: 2, forS: 700, idTag: "known" },
      ]);
    }
  });

  test("does the same whatever the disk does, and never gives back what is over [CORE-TXQ-16]", async () => {
    const troubles: readonly Happening[] = [
      { do: "slow disk", byMs: 120_000, forS: 3600 },
      { do: "failing disk", what: "puts", how: "rejects", forS: 3600 },
      { do: "failing disk", what: "writes", how: "throws", forS: 3600 },
      { do: "hanging disk", what: "writes", carriedOut: false, forS: 300 },
      { do: "hanging disk", what: "everything", carriedOut: true, forS: 300 },
      { do: "fail a write", kind: "delete", nth: 1 },
      { do: "fail a write", kind: "put", nth: 2 },
    ];
    for (const trouble of troubles) {
      await replay([
        { at: 100, ...trouble },
        { at: 101, do: "plug in", connector: 1, forS: 100, idTag: "known" },
        { at: 150, do: "plug in", connector: 2, forS: 20_000, idTag: "known" },
        { at: 6000, do: "restart charge point", resume: true },
        { at: 7000, do: "power cut", forS: 1, kept: 0, clockOffS: 0, resume: true },
      ]);
    }
  });

  test("keeps what was given up until it is retried [CORE-TXQ-06]", async () => {
    await replay([
      { at: 100, do: "fail", action: "StartTransaction", times: 3 },
      { at: 101, do: "plug in", connector: 1, forS: 700, idTag: "known" },
      { at: 102, do: "do not support", action: "SecurityEventNotification", times: 1 },
      { at: 103, do: "deliver", action: "SecurityEventNotification" },
      { at: 900, do: "power cut", forS: 1, kept: 0, clockOffS: 0, resume: false },
      { at: 2000, do: "dead letters", what: "retry" },
    ]);
  });

  test("lets its owner reuse its objects, and do what it likes inside of listeners [CORE-TXQ-03]", async () => {
    for (const does of reactions) {
      await replay([
        { at: 100, do: "reuse objects", forS: 14_400 },
        ...events.map((of) => ({ at: 101, do: "in a listener", of, does, times: 3 }) as const),
        { at: 102, do: "plug in", connector: 1, forS: 3000, idTag: "known" },
        { at: 103, do: "plug in", connector: 2, forS: 100, idTag: "unknown" },
        { at: 1000, do: "drop" },
        { at: 5000, do: "use former handles" },
      ]);
    }
  });

  test("sends nothing behind a BootNotification that is rejected [CORE-BOOT-12]", async () => {
    await replay([
      { at: 10, do: "register", as: "Pending", reboot: true, intervalS: 120, forS: 1000 },
      { at: 100, do: "answer slowly", byS: 20, forS: 100 },
      { at: 135, do: "register", as: "Rejected", reboot: false, intervalS: 120, forS: 60 },
      { at: 140, do: "trigger", message: "StatusNotification", connector: "none" },
      { at: 141, do: "trigger", message: "MeterValues", connector: 1 },
    ]);
  });

  test("corrects a status that waits for its turn when the time is told [CORE-BOOT-04] [J-163]", async () => {
    await replay([
      { at: 26_108, do: "tell an absurd time", as: "null", times: 2 },
      { at: 26_159, do: "power cut", forS: 7200, kept: 0, clockOffS: -800_000_000, resume: false },
      { at: 26_422, do: "ignore", action: "StatusNotification", times: 3 },
    ]);
    await replay([
      { at: 1789, do: "tell the time wrongly", byS: 3600, times: 3 },
      { at: 1864, do: "in a listener", of: "message", does: "report", times: 2 },
      { at: 1948, do: "set wall clock", byS: 3600 },
      { at: 2087, do: "trigger", message: "StatusNotification", connector: "none" },
    ]);
  });

  test("leaves as it is what was sent before the time was told, and nothing of its transaction is before it [CORE-BOOT-04]", async () => {
    await replay([
      { at: 259_242, do: "tell an absurd time", as: "9999-12-31T23:59:59.999Z", times: 4 },
      { at: 259_315, do: "power cut", forS: 30, kept: 0, clockOffS: 0, resume: false },
      { at: 259_334, do: "set central clock", byS: -31_536_000 },
      { at: 259_373, do: "plug in", connector: 2, forS: 3000, idTag: "known" },
      { at: 259_384, do: "refuse connections", forS: 14_400 },
      { at: 259_421, do: "plug in", connector: 1, forS: 0, idTag: "known" },
      { at: 259_600, do: "mute", ends: "both" },
    ]);
  });

  test("does not let time fall within a transaction whose meter values alone were written [CORE-TXQ-16]", async () => {
    await replay([
      { at: 73_758, do: "plug in", connector: 1, forS: 3000, idTag: "known" },
      { at: 73_793, do: "plug in", connector: 2, forS: 3000, idTag: "known" },
      { at: 73_809, do: "lose", frame: "answer", nth: 4 },
      { at: 74_121, do: "deliver", action: "SecurityEventNotification" },
      { at: 74_192, do: "connect badly", how: "is late", forS: 14_400 },
      { at: 74_242, do: "set central clock", byS: -31_536_000 },
      { at: 74_709, do: "power cut at write", nth: 3, forS: 7200, kept: 1, clockOffS: 0, resume: true },
    ]);
  });

  test("has dealt with what was answered, and with what was just refused, when it has stopped [CORE-TXQ-16]", async () => {
    await replay([
      { at: 100, do: "in a listener", of: "finished", does: "restart", times: 3 },
      { at: 110, do: "deliver", action: "SecurityEventNotification" },
      { at: 200, do: "plug in", connector: 2, forS: 0, idTag: "known" },
    ]);
    await replay([
      { at: 29_366, do: "in a listener", of: "discarded", does: "restart", times: 2 },
      { at: 29_439, do: "plug in", connector: 3, forS: 20_000, idTag: "known" },
      { at: 29_490, do: "fail", action: "MeterValues", times: 4 },
      { at: 29_674, do: "trigger", message: "StatusNotification", connector: 1 },
      { at: 29_818, do: "fail a write", kind: "put", nth: 5 },
    ]);
  });

  test("counts the failure of a message although another is retried before it [CORE-TXQ-08]", async () => {
    await replay([
      { at: 294, do: "fail", action: "MeterValues", times: 4 },
      { at: 471, do: "plug in", connector: 1, forS: 700, idTag: "known" },
      { at: 49_110, do: "ignore", action: "StartTransaction", times: 4 },
      { at: 215_960, do: "plug in", connector: 2, forS: 100, idTag: "unknown" },
      { at: 215_988, do: "dead letters", what: "retry" },
    ]);
  });

  test("sends nothing that waited behind a BootNotification that is rejected [CORE-BOOT-12]", async () => {
    await replay([
      { at: 201_798, do: "power cut", forS: 600, kept: 2, clockOffS: 3600, resume: true },
      { at: 205_149, do: "mute", ends: "chargePoint" },
      { at: 234_059, do: "answer slowly", byS: 20, forS: 60 },
      { at: 234_116, do: "plug in", connector: 2, forS: 20_000, idTag: "unknown" },
      { at: 234_121, do: "trigger", message: "BootNotification", connector: 2 },
      { at: 234_136, do: "register", as: "Rejected", reboot: false, intervalS: 20, forS: 60 },
    ]);
  });

  test("does not answer after Rejected what it was asked before [CORE-BOOT-13]", async () => {
    await replay([
      { at: 10, do: "register", as: "Pending", reboot: true, intervalS: 120, forS: 1000 },
      { at: 100, do: "answer slowly", byS: 20, forS: 100 },
      { at: 135, do: "register", as: "Rejected", reboot: false, intervalS: 120, forS: 60 },
      { at: 150, do: "unlock" },
    ]);
  });

  test("sends nothing that waited behind a BootNotification that fails, or is Pending again [CORE-BOOT-02] [CORE-BOOT-09]", async () => {
    await replay([
      { at: 100, do: "fail", action: "BootNotification", times: 2 },
      { at: 101, do: "in a listener", of: "message", does: "call", times: 2 },
      { at: 200, do: "restart central system", heard: true, forgets: true },
    ]);
    await replay([
      { at: 100, do: "register", as: "Pending", reboot: true, intervalS: 0, forS: 1200 },
      { at: 470, do: "ignore", action: "StatusNotification", times: 1 },
      { at: 510, do: "trigger", message: "StatusNotification", connector: "none" },
    ]);
  });

  test("says the same when it sends again what it sent under a clock that nobody has corrected [CORE-TXQ-12]", async () => {
    await replay([
      { at: 100, do: "answer nonsense", action: "MeterValues", times: 3, kind: "id" },
      { at: 259_321, do: "tell an absurd time", as: "soon", times: 3 },
      { at: 259_381, do: "silence", of: "answers", forS: 900 },
      { at: 259_421, do: "register", as: "Pending", reboot: true, intervalS: 0, forS: 300 },
      { at: 259_602, do: "power cut at write", nth: 5, forS: 600, kept: 2, clockOffS: -5, resume: false },
      { at: 259_638, do: "plug in", connector: 3, forS: 3000, idTag: "known" },
    ]);
  });

  test("takes the time from a Heartbeat that had waited since before it slept [CORE-HB-05]", async () => {
    await replay([
      { at: 100, do: "silence", of: "everything", forS: 3600 },
      { at: 278, do: "plug in", connector: 1, forS: 0, idTag: "known" },
      { at: 322, do: "sleep", forS: 30_000, connection: "open" },
    ]);
  });

  test("takes back what it gave up when that is answered after all [CORE-TXQ-08]", async () => {
    await replay([
      { at: 60, do: "fail", action: "StartTransaction", times: 2 },
      { at: 120, do: "plug in", connector: 1, forS: 700, idTag: "unknown" },
      { at: 237, do: "answer slowly", byS: 40, forS: 1200 },
      { at: 279, do: "plug in", connector: 3, forS: 0, idTag: "unknown" },
    ]);
  });

  test("lets no transaction stop before it starts, also when it lost by how much its clock was wrong then [CORE-TXQ-16]", async () => {
    await replay([
      { at: 95_339, do: "register", as: "Pending", reboot: true, intervalS: 1800, forS: 1200 },
      { at: 95_473, do: "slow disk", byMs: 120_000, forS: 14_400 },
      { at: 95_480, do: "plug in", connector: 2, forS: 100, idTag: "known" },
      { at: 95_556, do: "sleep", forS: 7200, connection: "open" },
      { at: 95_575, do: "tell the time wrongly", byS: -31_536_000, times: 2 },
      { at: 95_739, do: "power cut at write", nth: 8, forS: 30, kept: 2, clockOffS: 3600, resume: false },
      { at: 95_763, do: "trigger", message: "Heartbeat", connector: 1 },
      { at: 189_846, do: "call" },
    ]);
  });

  test("gives up a disk that has hung since before it slept [CORE-TXQ-16]", async () => {
    await replay([
      { at: 54, do: "hanging disk", what: "puts", carriedOut: false, forS: 1200 },
      { at: 136, do: "deliver", action: "DataTransfer" },
      { at: 147, do: "plug in", connector: 1, forS: 0, idTag: "known" },
      { at: 169, do: "sleep", forS: 30_000, connection: "ended" },
    ]);
  });
});
