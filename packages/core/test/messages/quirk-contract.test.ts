import { quirkContract } from "@ocppj/testing";
import { describe, test } from "vitest";
import { quirks } from "../../src/messages/quirks.ts";

describe.each(Object.entries(quirks))("The quirk %s", (_, quirk) => {
  for (const { title, run } of quirkContract(quirk, { numRuns: 50 })) test(title, run);
});
