import type { SentLocalAuthList, SentLocalAuthLists } from "@ocppj/core";
import type { Database } from "./database.ts";

/** Which Local Authorization List each charger was sent: with it, differences are enough. */
export function sentLists(database: Database): SentLocalAuthLists {
  const row = database.prepare<{ list: string }>("SELECT list FROM sentLists WHERE identity = @identity");
  const put = database.prepare("INSERT OR REPLACE INTO sentLists (identity, list) VALUES (@identity, @list)");
  return {
    get: (identity): SentLocalAuthList | undefined => JSON.parse(row.one({ identity })?.list ?? "null") ?? undefined,
    set: (identity, list) => put.run({ identity, list: JSON.stringify(list) }),
  };
}
