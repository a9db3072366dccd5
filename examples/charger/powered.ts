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
  /** The one that runs now. */
  charger: Charger;
  readonly #options: PoweredOptions;
  /** Restarts and the stop, one after the other. */
  #last: Promise<void> = Promise.resolve();

  private constructor(options: PoweredOptions, charger: Charger) {
    this.#options = options;
    this.charger = charger;
  }

  static async start(options: PoweredOptions): Promise<PoweredCharger> {
    const powered: PoweredCharger = new PoweredCharger(options, await boot(options, () => powered.#restart()));
    return powered;
  }

  #restart(): void {
    this.#options.changed("restarting");
    this.#last = this.#last.then(async () => {
      await this.charger.stop();
      this.charger = await boot(this.#options, () => this.#restart());
    });
    this.#last.catch(this.#options.failed);
  }

  async stop(): Promise<void> {
    await this.#last;
    await this.charger.stop();
  }
}

const boot = ({ openStore, ...options }: PoweredOptions, restart: () => void): Promise<Charger> =>
  Charger.start({ ...options, store: openStore(), restart });
