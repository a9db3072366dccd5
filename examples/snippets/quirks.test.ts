// #region contract
import { quirkContract } from "@ocppj/testing";
import { describe, test } from "vitest";
import { ownQuirks } from "./own-quirks.ts";

describe.each(Object.values(ownQuirks))("$name", (quirk) => {
  for (const { title, run } of quirkContract(quirk)) test(title, run);
});
// #endregion
