import type { Clock } from "../clock.ts";
import { inTime } from "../in-time.ts";
import type { CredentialRecord } from "./credential-record.ts";

/**
 * Remembers the credentials of Charge Points, by identity. A `Map` is one, and forgets them with the program. What has not
 * settled after five seconds counts as failed; a record that is written later than the ones that followed it is put right.
 */
export interface CredentialStore {
  get(identity: string): CredentialRecord | undefined | Promise<CredentialRecord | undefined>;
  /** What it returns resolves when the record would survive a crash: a new key is sent only then. */
  set(identity: string, record: CredentialRecord): unknown | Promise<unknown>;
}

/** How long the store may take: less than a handshake may. */
const patienceMs = 5000;

/**
 * A store of credentials that is not waited for without end: whoever has to wait for a turn would wait as long.
 *
 * Theory of operation. A write that was given up may arrive all the same, and after one that followed it, which it would
 * undo. So while one is missing, what was written since is kept here: it is what `get` says, and when the missing one has
 * settled it is written once more.
 */
export class BoundedCredentialStore {
  readonly #store: CredentialStore;
  readonly #clock: Clock;
  readonly #late: (identity: string) => void;
  /** By identity: how many writes are missing that were given up, and what was written since. */
  readonly #missing = new Map<string, { count: number; latest?: CredentialRecord }>();

  /** @param late - Hears that a write has settled which was given up: `repair` is to be called, in its turn. */
  constructor(store: CredentialStore, clock: Clock, late: (identity: string) => void) {
    this.#store = store;
    this.#clock = clock;
    this.#late = late;
  }

  /** @throws What the store throws; Error It has not answered in time. */
  get(identity: string): Promise<unknown> {
    const latest = this.#missing.get(identity)?.latest;
    return latest === undefined ? this.#inTime("get", () => this.#store.get(identity)) : Promise.resolve(latest);
  }

  /** @throws What the store throws; Error It has not answered in time. */
  async set(identity: string, record: CredentialRecord): Promise<void> {
    await this.#inTime(
      "set",
      () => this.#store.set(identity, record),
      (settled) => this.#givenUp(identity, settled),
    );
    const missing = this.#missing.get(identity);
    if (missing === undefined) return;
    missing.latest = record;
    if (missing.count === 0) this.#missing.delete(identity);
  }

  /** Writes once more what a late write may have undone. @throws As {@link set}. */
  async repair(identity: string): Promise<void> {
    const missing = this.#missing.get(identity);
    if (missing?.latest !== undefined) await this.set(identity, missing.latest);
    else if (missing?.count === 0) this.#missing.delete(identity);
  }

  #givenUp(identity: string, settled: Promise<unknown>): void {
    const missing = this.#missing.get(identity) ?? { count: 0 };
    missing.count += 1;
    this.#missing.set(identity, missing);
    const over = (): void => {
      missing.count -= 1;
      this.#late(identity);
    };
    settled.then(over, over);
  }

  /** @param givenUp - Gets what is not waited for any more. */
  #inTime<T>(method: "get" | "set", ask: () => T, givenUp = (_: Promise<Awaited<T>>): void => {}): Promise<Awaited<T>> {
    const settled = new Promise<T>((resolve) => resolve(ask())) as Promise<Awaited<T>>;
    return inTime(
      this.#clock,
      patienceMs,
      () => settled,
      () => {
        givenUp(settled);
        return new Error(`The store of credentials has not answered ${method} within ${patienceMs} ms.`);
      },
    );
  }
}
