import type { RecordStore } from "@ocppj/core";
import { Charger, type ChargerOptions } from "./charger.ts";

/** What a charger is made of that can be restarted: each time it opens its store anew. */
export interface PoweredOptions extends Omit<ChargerOptions, "store" | "restart"> {
  readonly openStore: () => RecordStore;
  /** Called when it could not be started again. */
  readonly failed: (error: unknown) => void;
}

/** A charger under power: after Reset it boots again, and knows what its store knows. */
export class PoweredCharger {
  /** The one that runs, or ran last; `start` has booted the first. */
  charger!: Charger;
  readonly #options: PoweredOptions;
  /** What is done with the power, one after the other. */
  #last: Promise<void>;

  private constructor(options: PoweredOptions) {
    this.#options = options;
    this.#last = this.#boot();
  }

  static async start(options: PoweredOptions): Promise<PoweredCharger> {
    const powered = new PoweredCharger(options);
    await powered.#last;
    return powered;
  }

  /** The one that runs; while it restarts, as soon as it does. */
  async ready(): Promise<Charger> {
    await this.#last;
    return this.charger;
  }

  async stop(): Promise<void> {
    await (await this.ready()).stop();
  }

  async #boot(): Promise<void> {
    const { openStore, ...options } = this.#options;
    this.charger = await Charger.start({ ...options, store: openStore(), restart: () => this.#restart() });
  }

  #restart(): void {
    this.#options.changed("restarting");
    this.#last = this.#last.then(() => this.charger.stop()).then(() => this.#boot());
    this.#last.catch(this.#options.failed);
  }
}
