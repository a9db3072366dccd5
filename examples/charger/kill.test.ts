import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seeded } from "@ocppj/testing";
import { expect, it } from "vitest";
import { TestBackEnd } from "../back-end/test-back-end.ts";
import { Program } from "../test-program.ts";

/** For long runs: KILLS=200. */
const { KILLS = "8", KILLS_SEED = "1" } = process.env;
const kills = Number(KILLS);

const backEnd = new TestBackEnd();

it("loses no transaction, and doubles none, however often it is killed [CORE-TXQ-16] [CORE-STOP-01]", {
  timeout: 60_000 + 5000 * kills,
}, async () => {
  const random = seeded(Number(KILLS_SEED));
  const { identity } = { identity: "CP001" };
  for (const card of ["CARD1", "CARD2"]) {
    await fetch(`${backEnd.running.url}/id-tags/${card}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ status: "Accepted" }),
    });
  }
  const store = await mkdtemp(join(tmpdir(), "ocppj-kill-"));
  const saved = new Set<string>();
  const run = (): Program => new Program("charger/restless.ts", [backEnd.running.chargersUrl, store]);
  const note = ({ stdout }: Program): void => {
    for (const [, name = ""] of stdout.matchAll(/^saved (.*)\n/gm)) saved.add(name);
  };
  for (let count = 0; count < kills; count++) {
    const charger = run();
    await charger.said(/saved/);
    await new Promise((resolve) => setTimeout(resolve, 600 * random()));
    charger.signal("SIGKILL");
    await charger.exitCode;
    note(charger);
  }
  const last = run();
  await last.said(/saved/);
  last.child.stdin.end();
  expect(await last.exitCode, last.output).toBe(0);
  expect(last.stdout).toContain("all delivered");
  note(last);

  const transactions = backEnd.tables.transactions.list({ identity, limit: 100_000 });
  const names = transactions.map(({ connectorId, startedAt }) => `${connectorId} ${startedAt}`);
  expect(saved.size).toBeGreaterThan(kills);
  expect(
    [...saved].filter((name) => !names.includes(name)),
    "lost",
  ).toEqual([]);
  expect(
    names.filter((name, index) => names.indexOf(name) !== index),
    "doubled",
  ).toEqual([]);
  expect(transactions.filter(({ meterStop, stoppedAt }) => stoppedAt === null || meterStop === null)).toEqual([]);
  for (const { energyWh, startedAt, stoppedAt } of transactions) {
    expect(energyWh).toBeGreaterThanOrEqual(0);
    expect(Date.parse(stoppedAt ?? "")).toBeGreaterThanOrEqual(Date.parse(startedAt));
  }
  await rm(store, { recursive: true });
});
