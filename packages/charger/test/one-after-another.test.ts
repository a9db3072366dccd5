import { expect, test } from "vitest";
import { oneAfterAnother } from "../src/one-after-another.ts";

test("what is asked for is begun in its turn, also after something that failed", async () => {
  const inTurn = oneAfterAnother();
  const log: string[] = [];
  let finish = (): void => {};
  const first = inTurn(async () => {
    log.push("first begins");
    await new Promise<void>((resolve) => {
      finish = resolve;
    });
    log.push("first ends");
    throw new Error("It went wrong.");
  });
  const second = inTurn(async () => log.push("second"));
  await Promise.resolve();
  finish();
  await expect(first).rejects.toThrow("It went wrong.");
  await second;
  expect(log).toEqual(["first begins", "first ends", "second"]);
});
