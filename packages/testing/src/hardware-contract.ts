import { type Clock, inTime, systemClock } from "@ocppj/core";
import { same } from "./same.ts";

/** What a connector offers: see `Offer` of `@ocppj/charger`. */
interface Offer {
  readonly A: number;
  readonly W: number;
  readonly phases: number;
}

/** Hardware as a `Charger` of `@ocppj/charger` uses it: its type `Hardware` is one of these. */
export interface ContractHardware {
  readonly connectors: readonly {
    readonly maximum: { readonly limit: number; readonly unit: "A" | "W" };
    readonly phases?: number | undefined;
    readonly measurands?: readonly string[] | undefined;
  }[];
  // Methods, so that listeners of narrower types fit.
  listen(listener: never): void | PromiseLike<void>;
  offer(connectorId: number, offer: Offer | undefined): void | PromiseLike<void>;
  lock?(connectorId: number): void | PromiseLike<void>;
  unlock?(connectorId: number): string | PromiseLike<string>;
}

/** Hardware under test, and somebody who stands in front of it. */
export interface OpenedHardware {
  readonly hardware: ContractHardware;
  /** Plugs a cable into the connector, with a vehicle at its other end. */
  plug(): void | Promise<void>;
  /** Takes it out again. */
  unplug(): void | Promise<void>;
  /** Whether energy could flow through the connector. */
  isClosed(): boolean | Promise<boolean>;
  /** How much the connector lets be drawn, in A per phase. Default: nobody looks, and that rule says nothing. */
  limit?(): number | Promise<number>;
  /** Lets some time pass, in which the meter is read. Default: real time does. */
  pass?(): Promise<void>;
}

/** Settings of {@link hardwareContract}. */
export interface HardwareContractOptions {
  /** Which connector is tested. Default 1: call it for each. */
  readonly connectorId?: number | undefined;
  /** How long a method may take, in milliseconds. Default 10 000, as a `Charger` waits by default. */
  readonly patienceMs?: number | undefined;
  /** The clock of that patience. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

/** One rule of the contract, as a test. */
export interface HardwareContractCase {
  /** The rule, as a sentence in the present tense. */
  readonly title: string;
  /** Rejects with an Error that says what is wrong when the hardware breaks the rule. */
  run(): Promise<void>;
}

/**
 * The rules that every hardware of a `Charger` must keep, as tests for any test runner.
 *
 * ```ts
 * for (const { title, run } of hardwareContract(open)) test(title, run);
 * ```
 *
 * Contactors are closed and locks move: keep people away.
 *
 * @param open - Makes hardware ready: nothing plugged in, nothing broken, everything open.
 */
export function hardwareContract(
  open: () => OpenedHardware | Promise<OpenedHardware>,
  { clock = systemClock, connectorId = 1, patienceMs = 10_000 }: HardwareContractOptions = {},
): readonly HardwareContractCase[] {
  return Object.entries(rules).map(([title, rule]) => ({
    title,
    run: async () => rule(new Stage(await open(), connectorId, clock, patienceMs)),
  }));
}

/** What was told, as it came. */
class Heard {
  readonly calls: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  readonly listener: never;

  constructor() {
    this.listener = new Proxy(
      {},
      {
        get:
          (_, name) =>
          (...args: unknown[]) =>
            void this.calls.push({ name: String(name), args }),
      },
    ) as never;
  }

  of(name: string, connectorId: number): readonly (readonly unknown[])[] {
    return this.calls.filter((call) => call.name === name && call.args[0] === connectorId).map(({ args }) => args);
  }

  /** The registers of a connector, in the order in which they were told. */
  registersOf(connectorId: number): readonly number[] {
    return this.of("measured", connectorId).flatMap(([, reading]) => {
      const register = (reading as Record<string, unknown> | undefined)?.["Energy.Active.Import.Register"];
      return register === undefined ? [] : [register as number];
    });
  }
}

/** Hardware, and what the rules do with it. */
class Stage {
  readonly opened: OpenedHardware;
  readonly connectorId: number;
  readonly #clock: Clock;
  readonly #patienceMs: number;

  constructor(opened: OpenedHardware, connectorId: number, clock: Clock, patienceMs: number) {
    this.opened = opened;
    this.connectorId = connectorId;
    this.#clock = clock;
    this.#patienceMs = patienceMs;
  }

  get hardware(): ContractHardware {
    return this.opened.hardware;
  }

  get connector(): Partial<ContractHardware["connectors"][number]> {
    return this.hardware.connectors[this.connectorId - 1] ?? {};
  }

  /** The most that it can offer. */
  get most(): Offer {
    const { maximum: { limit = 6, unit = "A" } = {}, phases = 3 } = this.connector;
    const A = unit === "A" ? limit : limit / phases / 230;
    return { A, W: unit === "W" ? limit : limit * phases * 230, phases };
  }

  /** What is told from now on. */
  async listen(): Promise<Heard> {
    const heard = new Heard();
    await this.inTime("listen", () => this.hardware.listen(heard.listener));
    return heard;
  }

  offer(offer: Offer | undefined): Promise<void> {
    return this.inTime("offer", () => this.hardware.offer(this.connectorId, offer));
  }

  async isClosed(expected: boolean, when: string): Promise<void> {
    same(await this.opened.isClosed(), expected, `Whether energy could flow ${when}`);
  }

  pass(): Promise<void> {
    const { pass } = this.opened;
    if (pass !== undefined) return pass.call(this.opened);
    return new Promise((resolve) => void this.#clock.wakeAt(this.#clock.now() + 3000, resolve));
  }

  inTime<T>(method: string, call: () => T | PromiseLike<T>): Promise<T> {
    const late = (): Error => new Error(`${method} has not ended after ${this.#patienceMs} ms.`);
    return inTime(this.#clock, this.#patienceMs, call, late);
  }
}

type Rule = (stage: Stage) => Promise<void>;

const rules: Readonly<Record<string, Rule>> = {
  async "has connectors that can offer something"({ hardware }) {
    if (hardware.connectors.length === 0) throw new Error("There are no connectors.");
    for (const [index, { maximum, phases = 3 }] of hardware.connectors.entries()) {
      const isLimit = maximum?.limit > 0 && (maximum.unit === "A" || maximum.unit === "W");
      if (!isLimit) throw new Error(`The maximum of connector ${index + 1} is none. Give { limit: 32, unit: "A" }.`);
      if (![1, 2, 3].includes(phases))
        throw new Error(`Connector ${index + 1} has ${phases} phases. There are 1 to 3.`);
    }
  },

  async "tells of a cable once it is plugged in, and once it is out"(stage) {
    const heard = await stage.listen();
    await stage.opened.plug();
    await stage.pass();
    same(heard.of("plugged", stage.connectorId).length, 1, "How often it was told that a cable was plugged in");
    await stage.opened.unplug();
    await stage.pass();
    same(heard.of("unplugged", stage.connectorId).length, 1, "How often it was told that it was taken out");
  },

  async "tells whoever begins to listen what is the case"(stage) {
    await stage.opened.plug();
    const heard = await stage.listen();
    same(heard.of("plugged", stage.connectorId).length, 1, "How often it was told that a cable is plugged in");
    const { measurands = [] } = stage.connector;
    if (measurands.length > 0 && heard.of("measured", stage.connectorId).length === 0) {
      throw new Error(`It was not told what the meter of connector ${stage.connectorId} shows.`);
    }
  },

  async "tells nobody but the latest who listens"(stage) {
    const former = await stage.listen();
    const latest = await stage.listen();
    former.calls.length = 0;
    await stage.opened.plug();
    await stage.pass();
    same(former.calls, [], "What was told to who listened before");
    same(latest.of("plugged", stage.connectorId).length, 1, "How often the latest was told of the cable");
  },

  async "closes and opens as it is told to, in time"(stage) {
    await stage.listen();
    await stage.opened.plug();
    await stage.isClosed(false, "before anything was offered");
    await stage.offer(stage.most);
    await stage.isClosed(true, "after an offer");
    await stage.offer(undefined);
    await stage.isClosed(false, "after it was withdrawn");
    await stage.offer(undefined);
    await stage.isClosed(false, "after it was withdrawn twice");
  },

  async "lets no more be drawn than is offered, where `limit` says how much that is"(stage) {
    const { limit } = stage.opened;
    if (limit === undefined) return;
    await stage.listen();
    await stage.opened.plug();
    for (const part of [1, 0.6, 0.8]) {
      const { A, W, phases } = stage.most;
      await stage.offer({ A: A * part, W: W * part, phases });
      const drawn = await limit.call(stage.opened);
      if (!(drawn <= A * part + 0.05)) throw new Error(`${A * part} A are offered, and ${drawn} A may be drawn.`);
    }
  },

  async "does in the end what it was told last, be it told in a hurry"(stage) {
    await stage.listen();
    await stage.opened.plug();
    const hurry = Array.from({ length: 100 }, (_, index) => stage.offer(index % 2 === 0 ? stage.most : undefined));
    await Promise.all(hurry);
    await stage.isClosed(false, "after a hundred offers, of which the last was none");
  },

  async "tells what flows: a register that never falls, and nothing but what it has described"(stage) {
    const heard = await stage.listen();
    await stage.opened.plug();
    await stage.offer(stage.most);
    heard.calls.length = 0;
    await stage.pass();
    const whileFlowing = heard.of("measured", stage.connectorId).length;
    await stage.offer(undefined);
    await stage.pass();
    const registers = heard.registersOf(stage.connectorId);
    const fallen = registers.find((register, index) => !(register >= (registers[index - 1] ?? 0)));
    if (fallen !== undefined)
      throw new Error(
        `The register of connector ${stage.connectorId} has fallen, or is none: ${registers.join(", ")}.`,
      );
    const { measurands = [] } = stage.connector;
    if (measurands.length > 0 && whileFlowing === 0) {
      throw new Error("It was not told what the meter shows while energy flows. Tell it every second.");
    }
    for (const [, reading] of heard.of("measured", stage.connectorId)) {
      const foreign = Object.keys(reading as object).filter((name) => !measurands.includes(name));
      same(foreign, [], "Measurands that are told and not described");
    }
  },

  async "locks, and lets go with one of three words, in time"(stage) {
    const { hardware } = stage;
    await stage.listen();
    await stage.opened.plug();
    if (hardware.lock !== undefined) await stage.inTime("lock", () => hardware.lock?.(stage.connectorId));
    if (hardware.unlock === undefined) return;
    const answer = await stage.inTime("unlock", () => hardware.unlock?.(stage.connectorId));
    if (!["Unlocked", "UnlockFailed", "NotSupported"].includes(String(answer))) {
      throw new Error(`unlock answered ${answer}. Answer Unlocked, UnlockFailed or NotSupported.`);
    }
  },

  async "opens what was closed before somebody new listens, as it is told to"(stage) {
    await stage.listen();
    await stage.opened.plug();
    await stage.offer(stage.most);
    await stage.listen();
    await stage.offer(undefined);
    await stage.isClosed(false, "after the charger has started anew and offers nothing");
  },
};
