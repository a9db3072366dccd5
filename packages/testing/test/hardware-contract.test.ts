import { describe, expect, test } from "vitest";
import { type ContractHardware, FakeClock, hardwareContract, type OpenedHardware } from "../src/index.ts";

type Told = Record<string, (...args: unknown[]) => void>;
type Offer = Parameters<ContractHardware["offer"]>[1];

/** Hardware of one connector that keeps the rules; `breakage` changes it. */
function opened(clock: FakeClock, breakage: (bench: Bench) => void = () => {}): OpenedHardware {
  const bench = new Bench(clock);
  breakage(bench);
  return bench;
}

class Bench implements OpenedHardware {
  readonly clock: FakeClock;
  listener: Told | undefined;
  listeners: Told[] = [];
  offered: Offer;
  plugged = false;
  register = 100;
  readonly hardware: {
    -readonly [K in keyof Required<ContractHardware>]: Required<ContractHardware>[K];
  };

  constructor(clock: FakeClock) {
    this.clock = clock;
    this.hardware = {
      connectors: [{ maximum: { limit: 32, unit: "A" }, measurands: ["Energy.Active.Import.Register"] }],
      listen: (listener: never) => {
        const told: Told = listener;
        this.listener = told;
        this.listeners.push(told);
        if (this.plugged) told.plugged?.(1);
        this.tell();
      },
      offer: (_, offer) => {
        this.offered = offer;
      },
      lock: () => {},
      unlock: () => "Unlocked",
    };
  }

  tell(): void {
    this.listener?.measured?.(1, { "Energy.Active.Import.Register": this.register });
  }

  plug(): void {
    this.plugged = true;
    this.listener?.plugged?.(1);
  }

  unplug(): void {
    this.plugged = false;
    this.listener?.unplugged?.(1);
  }

  isClosed(): boolean {
    return this.offered !== undefined;
  }

  limit(): number {
    return this.offered?.A ?? 0;
  }

  async pass(): Promise<void> {
    if (this.offered !== undefined) this.register += 10;
    this.tell();
  }
}

/** Runs a rule while the clock runs. */
async function broken(title: string, breakage: (bench: Bench) => void): Promise<string | undefined> {
  const clock = new FakeClock();
  const [rule] = hardwareContract(() => opened(clock, breakage), { clock }).filter((each) => each.title === title);
  if (rule === undefined) throw new Error(`There is no rule "${title}".`);
  const ended = rule.run().then(
    () => undefined,
    (error: Error) => error.message,
  );
  await clock.advance(60_000);
  return ended;
}

const breakages: Record<string, [title: string, breakage: (bench: Bench) => void, message: RegExp]> = {
  "has no connectors": [
    "has connectors that can offer something",
    ({ hardware }) => Object.assign(hardware, { connectors: [] }),
    /no connectors/,
  ],
  "has a connector that offers nothing": [
    "has connectors that can offer something",
    ({ hardware }) => Object.assign(hardware, { connectors: [{ maximum: { limit: 0, unit: "A" } }] }),
    /maximum of connector 1 is none/,
  ],
  "tells of no cable": [
    "tells of a cable once it is plugged in, and once it is out",
    (bench) => Object.assign(bench, { plug: () => {} }),
    /plugged in: expected 1, got 0/,
  ],
  "forgets what is plugged in": [
    "tells whoever begins to listen what is the case",
    ({ hardware }) => Object.assign(hardware, { listen: () => {} }),
    /plugged in: expected 1, got 0/,
  ],
  "shows no meter": [
    "tells whoever begins to listen what is the case",
    (bench) => Object.assign(bench, { tell: () => {} }),
    /what the meter of connector 1 shows/,
  ],
  "tells everybody who ever listened": [
    "tells nobody but the latest who listens",
    (bench) => {
      bench.plug = () => {
        for (const listener of bench.listeners) listener.plugged?.(1);
      };
    },
    /who listened before/,
  ],
  "does not open": [
    "closes and opens as it is told to, in time",
    (bench) => {
      bench.hardware.offer = (_, offer) => {
        bench.offered ??= offer;
      };
    },
    /after it was withdrawn: expected false/,
  ],
  "takes for ever": [
    "closes and opens as it is told to, in time",
    ({ hardware }) => Object.assign(hardware, { offer: () => new Promise(() => {}) }),
    /offer has not ended after 10000 ms/,
  ],
  "lets more be drawn": [
    "lets no more be drawn than is offered, where `limit` says how much that is",
    (bench) => Object.assign(bench, { limit: () => 32 }),
    /may be drawn/,
  ],
  "does what was told first": [
    "does in the end what it was told last, be it told in a hurry",
    (bench) => {
      bench.hardware.offer = async (_, offer) => {
        if (offer === undefined) bench.offered = offer;
        await Promise.resolve();
        if (offer !== undefined) await Promise.resolve();
        bench.offered ??= offer;
      };
    },
    /a hundred offers/,
  ],
  "has a register that falls": [
    "tells what flows: a register that never falls, and nothing but what it has described",
    (bench) => {
      bench.pass = async () => {
        bench.register -= 1;
        bench.tell();
      };
    },
    /has fallen/,
  ],
  "tells what it has not described": [
    "tells what flows: a register that never falls, and nothing but what it has described",
    (bench) => {
      bench.tell = () => bench.listener?.measured?.(1, { Voltage: 230 });
    },
    /not described: expected \[\], got \["Voltage"\]/,
  ],
  "answers nonsense": [
    "locks, and lets go with one of three words, in time",
    ({ hardware }) => Object.assign(hardware, { unlock: () => "maybe" }),
    /unlock answered maybe/,
  ],
  "keeps offering": [
    "opens what was closed before somebody new listens, as it is told to",
    (bench) => {
      const { offer } = bench.hardware;
      bench.hardware.offer = (id, given) => {
        if (bench.listeners.length < 2) return offer(id, given);
      };
    },
    /has started anew/,
  ],
};

describe("The contract of hardware", () => {
  const clock = new FakeClock();
  test.each(hardwareContract(() => opened(clock), { clock }).map((each) => [each.title, each] as const))(
    "holds for hardware that keeps it: %s",
    async (_, { run }) => {
      await run();
    },
  );

  test.each(Object.entries(breakages))("finds out what %s", async (_, [title, breakage, message]) => {
    expect(await broken(title, breakage)).toMatch(message);
  });

  test("has a breakage for each rule", () => {
    const titles = new Set(Object.values(breakages).map(([title]) => title));
    expect(hardwareContract(() => opened(clock)).map(({ title }) => title)).toEqual([...titles]);
  });
});
