import { expect, test } from "vitest";
import { simulate } from "./simulation.ts";

test("replay", async () => {
  expect(await simulate(JSON.parse(process.env.SCHEDULE ?? "[]"))).toEqual([]);
});
