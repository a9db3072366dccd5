import { FakeClock, seeded } from "@ocppj/testing";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { HardwareListener, Reading } from "../../src/index.ts";
import { simulatedHardware } from "../../src/index.ts";

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const offer = { A: 16, W: 11_040, phases: 3 };

/** Simulated hardware, and what it has told. */
function listening(options: Parameters<typeof simulatedHardware>[0] = {}) {
  const clock = new FakeClock();
  const hardware = simulatedHardware({ clock, meterSeconds: 10, ...options });
  const told: string[] = [];
  const readings = new Map<number, Reading>();
  const listener = new Proxy({} as HardwareListener, {
    get:
      (_, name: string) =>
      (...args: unknown[]) => {
        if (name === "measured") readings.set(args[0] as number, args[1] as Reading);
        else
          told.push([name, ...args.map((each) => (typeof each === "object" ? JSON.stringify(each) : each))].join(" "));
      },
  });
  hardware.listen(listener);
  return {
    clock,
    hardware,
    told,
    readings,
    register: (id = 1) => readings.get(id)?.["Energy.Active.Import.Register"] ?? 0,
  };
}

describe("Simulated hardware", () => {
  test("a car draws what it is offered, less as it gets full, and then asks for nothing", async () => {
    const { clock, hardware, register, told } = listening();
    const before = register();
    hardware.plug(1, { capacity: 20_000, soc: 50, maxCurrent: 32 });
    await clock.advance(hour);
    expect(register()).toBe(before); // Nothing is offered.
    void hardware.offer(1, offer);
    await clock.advance(30 * minute);
    expect(register() - before).toBeCloseTo(5520, 6);
    await clock.advance(5 * hour);
    expect(register() - before).toBeCloseTo(10_000, 6);
    expect(told).toEqual(["plugged 1", "wantsEnergy 1 true", "wantsEnergy 1 false"]);
    expect(hardware.state[0]?.power).toBe(0);
    expect(hardware.state[0]?.soc).toBeCloseTo(100, 6);
    expect(clock.pending).toBe(0);
  });

  test("nothing flows through what is broken, open or loose, and a locked cable stays", async () => {
    const { clock, hardware, register } = listening();
    hardware.plug(1);
    void hardware.offer(1, offer);
    hardware.breakDown(1);
    const broken = register();
    await clock.advance(hour);
    expect(register()).toBe(broken);
    hardware.mend(1);
    await clock.advance(minute);
    expect(register()).toBeGreaterThan(broken);
    void hardware.lock(1);
    expect(hardware.unplug(1)).toBe(false);
    expect(hardware.unplug(1, "vehicle")).toBe(true);
    const loose = register();
    await clock.advance(hour);
    expect(register()).toBe(loose);
    void hardware.unlock(1);
    expect(hardware.unplug(1)).toBe(true);
  });

  test("who listens anew is told what is the case; the power may have failed meanwhile", async () => {
    const { clock, hardware } = listening();
    hardware.plug(2);
    void hardware.offer(2, offer);
    hardware.breakDown(1);
    await clock.advance(minute);
    hardware.powerCut();
    expect(hardware.state[1]).toMatchObject({ cable: "in", offer: undefined, power: 0 });
    const told: string[] = [];
    hardware.listen(
      new Proxy({} as HardwareListener, {
        get: (_, name: string) => (id: number) => void told.push(`${name} ${id}`),
      }),
    );
    expect(told).toEqual(["faulted 1", "measured 1", "plugged 2", "wantsEnergy 2", "measured 2"]);
  });

  test("a car that sleeps after a pause does not wake up; methods fail when they are told to; a meter begins anew", async () => {
    const { clock, hardware, register, told } = listening();
    hardware.plug(1, { sleepsAfterSeconds: 60 });
    await clock.advance(2 * minute);
    void hardware.offer(1, offer);
    await clock.advance(minute);
    expect(told.at(-1)).toBe("wantsEnergy 1 false");
    expect(hardware.state[0]?.power).toBe(0);
    hardware.failing.lock = "throws";
    expect(() => hardware.lock(1)).toThrow("The simulated lock fails.");
    hardware.restartMeter(1);
    expect(register()).toBe(0);
    expect(() => hardware.plug(3)).toThrow("There is no connector 3.");
    expect(() => simulatedHardware({ connectors: 0 })).toThrow(TypeError);
  });

  const deed = fc.oneof(
    fc.record({ do: fc.constant("pass" as const), ms: fc.integer({ min: 0, max: hour }) }),
    fc.record({ do: fc.constant("offer" as const), A: fc.constantFrom(0, 6, 10.5, 32) }),
    fc.record({
      do: fc.constant("plug" as const),
      soc: fc.integer({ min: 0, max: 100 }),
      maxCurrent: fc.constantFrom(10, 16, 32),
    }),
    fc.record({ do: fc.constant("unplug" as const) }),
    fc.record({ do: fc.constant("break" as const) }),
    fc.record({ do: fc.constant("mend" as const) }),
  );
  type Deed = typeof deed extends fc.Arbitrary<infer D> ? D : never;

  async function play(deeds: readonly Deed[], meterSeconds: number, seed: number): Promise<readonly Reading[]> {
    const { clock, hardware, readings } = listening({ meterSeconds, meterNoise: 0.1, random: seeded(seed) });
    const all: Reading[] = [];
    for (const deed of deeds) {
      const [state] = hardware.state;
      const before = readings.get(1)?.["Energy.Active.Import.Register"] ?? 0;
      if (deed.do === "pass") await clock.advance(deed.ms);
      else if (deed.do === "offer")
        void hardware.offer(1, deed.A === 0 ? undefined : { A: deed.A, W: deed.A * 690, phases: 3 });
      else if (deed.do === "plug") hardware.plug(1, { ...deed, capacity: 10_000 });
      else if (deed.do === "unplug") hardware.unplug(1);
      else if (deed.do === "break") hardware.breakDown(1);
      else hardware.mend(1);
      const reading = readings.get(1) as Reading;
      const flowed = (reading["Energy.Active.Import.Register"] ?? 0) - before;
      expect(flowed).toBeGreaterThanOrEqual(0);
      // Never more than offered. What one reading has not told yet, the next one does.
      if (deed.do === "pass")
        expect(flowed).toBeLessThanOrEqual(((state?.offer?.W ?? 0) * (deed.ms + 1000 * meterSeconds)) / hour + 1e-6);
      all.push(reading);
    }
    return all;
  }

  test("what flows is bounded by what is offered, is repeatable, and does not depend on how often the meter is read", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(deed, { maxLength: 25 }), fc.nat(), async (deeds, seed) => {
        const seldom = await play(deeds, 600, seed);
        expect(await play(deeds, 600, seed)).toEqual(seldom);
        // A deed that reads the meter ends each, so that both have counted up to there.
        const last = (readings: readonly Reading[]): number => readings.at(-1)?.["Energy.Active.Import.Register"] ?? 0;
        const often = await play([...deeds, { do: "mend" }, { do: "offer", A: 0 }], 7, seed);
        expect(last(often)).toBeCloseTo(
          last(await play([...deeds, { do: "mend" }, { do: "offer", A: 0 }], 600, seed)),
          6,
        );
      }),
      { numRuns: 60 },
    );
  });
});
