import { Plausibility, type Suspect } from "@ocppj/core";
import { type Database, latest, type Page } from "./database.ts";

/** Something about a bill that cannot be right. */
export interface Suspicion {
  /** Counts them. */
  readonly suspicionId: number;
  readonly identity: string;
  readonly connectorId: number | null;
  readonly transactionId: number | null;
  readonly rule: Suspect["rule"];
  readonly message: string;
  readonly foundAt: string;
}

/** Which suspicions to list; what is left out does not matter. */
export interface SuspicionFilter extends Page {
  readonly identity?: string | undefined;
  readonly transactionId?: number | undefined;
}

/** What is suspect about transactions, and what is remembered of each charger to find it. */
export class Suspicions {
  readonly #remembered;
  readonly #remember;
  readonly #add;
  readonly #list;

  constructor(database: Database) {
    this.#remembered = database.prepare<{ state: string }>("SELECT state FROM plausibility WHERE identity = @identity");
    this.#remember = database.prepare(
      "INSERT OR REPLACE INTO plausibility (identity, state) VALUES (@identity, @state)",
    );
    this.#add = database.prepare(`
      INSERT INTO suspicions (identity, connectorId, transactionId, rule, message, foundAt)
      VALUES (@identity, @connectorId, @transactionId, @rule, @message, @foundAt)`);
    this.#list = database.prepare<Suspicion>(`
      SELECT suspicionId, identity, connectorId, transactionId, rule, message, foundAt FROM suspicions
      WHERE suspicionId < @before AND identity = ifnull(@identity, identity) AND (@transactionId IS NULL OR transactionId = @transactionId)
      ORDER BY suspicionId DESC LIMIT @limit`);
  }

  /** Shows a message to what is remembered of its charger, and keeps what that finds. */
  look(identity: string, at: (plausibility: Plausibility, now: number) => readonly Suspect[]): readonly Suspect[] {
    const plausibility = this.#restored(identity);
    const now = Date.now();
    const suspects = at(plausibility, now);
    this.#remember.run({ identity, state: JSON.stringify(plausibility.state) });
    const foundAt = new Date(now).toISOString();
    for (const suspect of suspects) this.#add.run({ identity, ...suspect, foundAt });
    return suspects;
  }

  /** The latest first. */
  list({ before = latest, identity, limit, transactionId }: SuspicionFilter): Suspicion[] {
    return this.#list.all({ before, identity, limit, transactionId });
  }

  #restored(identity: string): Plausibility {
    const row = this.#remembered.one({ identity });
    if (row === undefined) return new Plausibility();
    try {
      return new Plausibility({ state: JSON.parse(row.state) });
    } catch {
      return new Plausibility(); // Of another version of this program: better than no bill.
    }
  }
}
