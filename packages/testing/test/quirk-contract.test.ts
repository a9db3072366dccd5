import { defineQuirks, type Flaw, type Mending, type QuirkRow, quirks } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { quirkContract } from "../src/index.ts";

const told = { id: "O1", evidence: [], forgives: "something", repairs: "something else" } as const;

/** A quirk that is made of a row. */
const quirkOf = (row: QuirkRow) => defineQuirks({ own: row }).own;

const payload = (mend: (flaw: Flaw) => Mending | undefined) => quirkOf({ ...told, scope: "payload", mend });

const run = async (quirk: ReturnType<typeof quirkOf>, title: string): Promise<void> => {
  const rule = quirkContract(quirk).find((each) => each.title === title);
  if (rule === undefined) throw new Error(`There is no rule ${title}.`);
  await rule.run();
};

const fail = (): never => {
  throw new Error("nobody expected this value");
};

/** Takes time that grows with the square of the length. */
const slow = (text: string): string => text.replace(/\s+$/, "");

let calls = 0;

const broken: readonly (readonly [title: string, quirk: ReturnType<typeof quirkOf>])[] = [
  [
    "says what it forgives and what becomes of it, as the rest of a sentence",
    quirkOf({ ...told, repairs: "A sentence.", scope: "payload", mend: () => undefined }),
  ],
  [
    "decides on whatever arrives, in time, and throws nothing",
    payload(({ value }) => (value === null ? fail() : undefined)),
  ],
  [
    "decides on whatever arrives, in time, and throws nothing",
    payload(({ value }) => (typeof value === "string" ? { value: slow(value) } : undefined)),
  ],
  [
    "never changes what has arrived",
    payload(({ around }) => {
      Object.assign(around, { changed: true });
      return undefined;
    }),
  ],
  ["has nothing more to repair in what it has repaired", payload(() => (calls++ % 2 === 0 ? "keep" : undefined))],
  [
    "reads whatever arrives, in time, and throws nothing",
    quirkOf({ ...told, scope: "frame", cleaned: (text) => JSON.stringify(JSON.parse(text)) }),
  ],
  ["reads whatever arrives, in time, and throws nothing", quirkOf({ ...told, scope: "frame", cleaned: slow })],
  [
    "is told at most once for each text, with its own name, and never fails",
    quirkOf({ ...told, scope: "frame", elements: fail }),
  ],
  [
    "has nothing more to repair in what it has repaired",
    quirkOf({ ...told, scope: "frame", cleaned: (text) => `${text}]` }),
  ],
  ["reads whatever arrives, in time, and throws nothing", quirkOf({ ...told, scope: "handshake", path: decodeURI })],
  [
    "has nothing more to repair in what it has repaired",
    quirkOf({ ...told, scope: "handshake", path: (path) => `/ocpp${path}` }),
  ],
];

describe("quirkContract", () => {
  test.each(broken)(
    "finds out what breaks the rule: %s",
    async (title, quirk) => {
      await expect(run(quirk, title)).rejects.toThrow();
    },
    30_000,
  );

  test.each([quirks.nullFields, quirks.leftOutValues, quirks.slashesInPath])("is kept by $name", async (quirk) => {
    for (const { run } of quirkContract(quirk, { numRuns: 20 })) await run();
  });
});
