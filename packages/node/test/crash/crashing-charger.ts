import { seeded } from "@ocppj/testing";
import type { Books } from "./audit.ts";
import type { ChargerRun } from "./charger.ts";
import type { LogLine } from "./hardware-log.ts";
import type { UnreliableCentralSystem } from "./unreliable-central-system.ts";

/** A charger that runs. */
export interface RunningCharger {
  /** Resolves when it has ended by itself; rejects when it failed. */
  readonly over: Promise<void>;
  /** Ends it at once. Resolves when nothing of it is left, and its hardware log has been read to the end. */
  kill(): Promise<void>;
}

/** Starts a charger; `log` gets the lines of its hardware log. */
export type StartCharger = (run: ChargerRun, log: (line: LogLine) => void) => Promise<RunningCharger>;

/** What can be seen of a run: its beginning, a line in its hardware log, a CALL that has arrived. */
type Sight = "beginning" | LogLine["type"] | "call";

/** A moment in a run. */
interface Moment {
  readonly after: Sight;
  /** Which one; 1 is the first. */
  readonly nth: number;
  readonly ms: number;
}

/** Mostly while it charges; now and then while it starts, or when a CALL is with the Central System. */
function randomMoment(random: () => number): Moment {
  const kind = random();
  if (kind < 0.1) return { after: "beginning", nth: 1, ms: 300 * random() };
  if (kind < 0.25) return { after: "opening", nth: 1, ms: 30 * random() };
  if (kind < 0.45) return { after: "call", nth: Math.ceil(4 * random()), ms: 0 };
  return { after: "registered", nth: 1, ms: 150 * random() };
}

/** How long a run lasts at most once it is registered: the Central System may never answer, so no other CALL comes. */
const longestMs = 300;

/** A charger that crashes, and starts again, and crashes again. */
export class CrashingCharger {
  readonly #identity: string;
  readonly #start: StartCharger;
  readonly #centralSystem: UnreliableCentralSystem;
  readonly #random: () => number;
  readonly #log: LogLine[][] = [];

  constructor(identity: string, start: StartCharger, centralSystem: UnreliableCentralSystem, seed: number) {
    this.#identity = identity;
    this.#start = start;
    this.#centralSystem = centralSystem;
    this.#random = seeded(seed);
  }

  get books(): Books {
    return { log: this.#log, record: this.#centralSystem.record.filter(({ identity }) => identity === this.#identity) };
  }

  /** Runs it until it is killed at a random moment. */
  async crash(): Promise<void> {
    const { after, nth, ms } = randomMoment(this.#random);
    let times = 0;
    let seen = (_: Sight): void => {};
    const now = new Promise<void>((resolve) => {
      seen = (sight) => {
        if (sight === "registered") setTimeout(resolve, longestMs);
        if (sight !== after) return;
        times += 1;
        if (times !== nth) return;
        if (ms > 0) setTimeout(resolve, ms);
        else resolve(); // Not even one turn of the event loop later, for the answer would be on its way.
      };
    });
    const running = await this.#begin(false, seen);
    const tooEarly = running.over.then(() => Promise.reject(new Error("A charger ended by itself.")));
    await Promise.race([now, tooEarly]);
    await running.kill();
  }

  /** Runs it until it has delivered everything. */
  async finish(): Promise<void> {
    const running = await this.#begin(true, () => {});
    await running.over;
  }

  async #begin(last: boolean, seen: (sight: Sight) => void): Promise<RunningCharger> {
    const identity = this.#identity;
    const lines: LogLine[] = [];
    const run = this.#log.push(lines);
    this.#centralSystem.began(identity, run, () => seen("call"));
    seen("beginning");
    return this.#start(
      { identity, url: this.#centralSystem.url, run, seed: 2 ** 32 * this.#random(), last },
      (line) => {
        lines.push(line);
        seen(line.type);
      },
    );
  }
}
