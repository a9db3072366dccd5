import type { Conf, KnownIdTag } from "@ocppj/core";
import type { Database } from "./database.ts";

type IdTagInfo = Conf<"Authorize">["idTagInfo"];

/** An identifier as the operator keeps it. */
export interface IdTag {
  readonly idTag: string;
  readonly status: Exclude<IdTagInfo["status"], "ConcurrentTx">;
  /** Until when it is accepted; `null`: for ever. */
  readonly expiryDate: string | null;
  /** The group: its members may stop each other's transactions. */
  readonly parentIdTag: string | null;
}

/** The cards, apps and cars that may charge. */
export class IdTags {
  readonly #list;
  readonly #get;
  readonly #put;
  readonly #delete;

  constructor(database: Database) {
    this.#list = database.prepare<IdTag>("SELECT * FROM idTags WHERE idTag > @after ORDER BY idTag LIMIT @limit");
    this.#get = database.prepare<IdTag>("SELECT * FROM idTags WHERE idTag = @idTag");
    this.#put = database.prepare(`
      INSERT OR REPLACE INTO idTags (idTag, status, expiryDate, parentIdTag)
      VALUES (@idTag, @status, @expiryDate, @parentIdTag)`);
    this.#delete = database.prepare("DELETE FROM idTags WHERE idTag = @idTag");
  }

  /** By idTag, those behind `after`. Default: all. */
  list({ after = "", limit = -1 }: { after?: string | undefined; limit?: number } = {}): IdTag[] {
    return this.#list.all({ after, limit });
  }

  /** All of them, as a charger keeps them in its Local Authorization List. */
  entries(): KnownIdTag[] {
    return this.list().map(({ idTag }) => ({ idTag, idTagInfo: this.info(idTag) }));
  }

  get(idTag: string): IdTag | undefined {
    return this.#get.one({ idTag });
  }

  put(idTag: IdTag): void {
    this.#put.run({ ...idTag });
  }

  /** Whether there was one. */
  delete(idTag: string): boolean {
    return this.#delete.run({ idTag }) > 0;
  }

  /** What a charger is told about an idTag that it was shown: one that nobody knows is `Invalid`. */
  info(idTag: string): IdTagInfo {
    const known = this.get(idTag);
    if (known === undefined) return { status: "Invalid" };
    const { expiryDate, parentIdTag, status } = known;
    const expired = status === "Accepted" && expiryDate !== null && Date.parse(expiryDate) <= Date.now();
    return {
      status: expired ? "Expired" : status,
      ...(expiryDate !== null && { expiryDate }),
      ...(parentIdTag !== null && { parentIdTag }),
    };
  }
}
