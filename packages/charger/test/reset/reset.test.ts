import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Reset, type ResetKind } from "../../src/reset/reset.ts";

class Bench {
  readonly reset: Reset;
  readonly said: string[] = [];
  now = 0;

  constructor(retries = 1) {
    this.reset = new Reset({ timeoutMs: 10_000, retries: () => retries });
  }

  do(act: (reset: Reset) => void): this {
    act(this.reset);
    for (let output = this.reset.poll(); output !== undefined; output = this.reset.poll()) {
      this.said.push(Object.values(output).join(" "));
    }
    return this;
  }

  pass(ms: number): this {
    const end = this.now + ms;
    while (this.reset.deadline <= end) {
      this.now = Math.max(this.now, this.reset.deadline);
      this.do((reset) => reset.advance(this.now));
    }
    this.now = end;
    return this;
  }

  ask(kind: ResetKind): this {
    return this.do((reset) => reset.asked(kind, this.now));
  }
}

describe("Reset", () => {
  test("Soft: stops, waits for what is delivered, has it saved, restarts [CORE-RES-02] [CORE-RES-03]", () => {
    const bench = new Bench().ask("Soft");
    expect(bench.said).toEqual(["stopAll SoftReset"]);
    bench.do((reset) => reset.delivered(2, 0)).pass(5000);
    expect(bench.said).toHaveLength(1);
    bench.do((reset) => reset.delivered(0, 5000));
    expect(bench.said.slice(1)).toEqual(["save"]);
    bench.do((reset) => reset.saved());
    expect(bench.said.slice(2)).toEqual(["reboot Soft"]);
  });

  test("waits neither for the Central System nor for the store for ever [CORE-RES-02]", () => {
    const bench = new Bench().ask("Soft").pass(9999);
    expect(bench.said).toEqual(["stopAll SoftReset"]);
    bench.pass(1);
    expect(bench.said.slice(1)).toEqual(["save"]);
    bench.pass(60_000);
    expect(bench.said.slice(2)).toEqual(["reboot Soft"]);
  });

  test("Hard: waits for the store only [CORE-RES-04]; one that comes later makes a Soft one Hard", () => {
    expect(new Bench().ask("Hard").pass(0).said).toEqual(["stopAll HardReset", "save"]);
    const bench = new Bench().ask("Soft").pass(1000).ask("Soft").ask("Hard").pass(0);
    expect(bench.do((reset) => reset.saved()).said).toEqual(["stopAll SoftReset", "save", "reboot Hard"]);
  });

  test("tries as often again as ResetRetries says, and then says that it failed [CORE-RES-07]", () => {
    const bench = new Bench(2)
      .ask("Hard")
      .pass(0)
      .do((reset) => reset.saved());
    for (let attempt = 1; attempt <= 3; attempt++) {
      expect(bench.said.filter((each) => each === "reboot Hard")).toHaveLength(attempt);
      bench.do((reset) => reset.rebooted(false, bench.now)).pass(10_000);
    }
    expect(bench.said.at(-1)).toBe("failed");
    expect(bench.reset.isUnderWay).toBe(false);
    expect(bench.ask("Soft").said.at(-1)).toBe("stopAll SoftReset");
  });

  test("whatever is told when, it stops once, saves once and restarts, and is over in a bounded time", () => {
    const deed = fc.oneof(
      fc.record({ ask: fc.constantFrom<ResetKind>("Soft", "Hard") }),
      fc.record({ waiting: fc.nat(3) }),
      fc.record({ ms: fc.nat(20_000) }),
      fc.constant({ saved: true }),
      fc.record({ rebooted: fc.boolean() }),
    );
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 20 }), (deeds) => {
        const bench = new Bench().ask("Soft");
        let isOver = false;
        for (const each of deeds) {
          if ("ask" in each && !isOver) bench.ask(each.ask);
          else if ("waiting" in each) bench.do((reset) => reset.delivered(each.waiting, bench.now));
          else if ("ms" in each) bench.pass(each.ms);
          else if ("saved" in each) bench.do((reset) => reset.saved());
          else if ("rebooted" in each) bench.do((reset) => reset.rebooted(each.rebooted, bench.now));
          isOver = bench.said.includes("failed");
        }
        bench.pass(100_000);
        const count = (text: string): number => bench.said.filter((each) => each.startsWith(text)).length;
        expect([count("stopAll"), count("save")]).toEqual([1, 1]);
        expect(count("reboot")).toBeGreaterThanOrEqual(1);
        expect(count("reboot")).toBeLessThanOrEqual(2);
      }),
      { numRuns: 300 },
    );
  });
});
