import type { RequiredResets } from "./provisioning-options.ts";

/** Asks something of the owner, who may throw, or not answer in time. */
export type Asked = <Answer>(name: string, ask: () => Answer | PromiseLike<Answer>) => Promise<Answer>;

/** The changes since a Charge Point has booted that require it to boot again, as they are, and as the owner keeps them. */
export class KeptReasons {
  readonly reasons = new Set<string>();
  #kept: readonly string[] | undefined;
  #hasBooted = false;

  /** Whether it is known what an earlier program has kept. */
  get isKnown(): boolean {
    return this.#kept !== undefined;
  }

  booted(): void {
    this.#hasBooted = true;
    this.reasons.clear();
  }

  /** Takes what an earlier program has kept, unless the Charge Point has booted since. */
  async recall(store: RequiredResets | undefined, identity: string, asked: Asked): Promise<void> {
    if (store === undefined) return;
    if (this.#kept === undefined) {
      const kept = [...((await asked("requiredResets.get", () => store.get(identity))) ?? [])]; // Databases say null.
      this.#kept = kept;
      if (!this.#hasBooted) for (const reason of kept) this.reasons.add(reason);
    }
    await this.keep(store, identity, asked);
  }

  /** Has the owner keep them, where they are others than those that are kept. */
  async keep(store: RequiredResets | undefined, identity: string, asked: Asked): Promise<void> {
    const reasons = [...this.reasons];
    if (store === undefined || reasons.join() === (this.#kept ?? []).join()) return;
    await asked("requiredResets.set", () => store.set(identity, reasons));
    this.#kept = reasons;
  }
}
