import type { SentLocalAuthLists } from "@ocppj/core";
import { Chargers } from "./chargers.ts";
import { Database } from "./database.ts";
import { IdTags } from "./id-tags.ts";
import { Reservations } from "./reservations.ts";
import { sentLists } from "./sent-lists.ts";
import { Suspicions } from "./suspicions.ts";
import { Transactions } from "./transactions.ts";

/** All that the back end knows: one file, and what is in it. */
export class Tables {
  readonly database: Database;
  readonly chargers: Chargers;
  readonly idTags: IdTags;
  readonly reservations: Reservations;
  readonly sentLists: SentLocalAuthLists;
  readonly suspicions: Suspicions;
  readonly transactions: Transactions;

  /** @param file - The SQLite file; it is created if there is none. */
  constructor(file: string) {
    this.database = new Database(file);
    this.chargers = new Chargers(this.database);
    this.idTags = new IdTags(this.database);
    this.reservations = new Reservations(this.database);
    this.sentLists = sentLists(this.database);
    this.suspicions = new Suspicions(this.database);
    this.transactions = new Transactions(this.database);
  }
}
