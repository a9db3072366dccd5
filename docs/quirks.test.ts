import { readFileSync } from "node:fs";
import { quirks, vendorQuirks } from "@ocppj/core";
import { describe, expect, it } from "vitest";
import { linkTo, tables } from "./quirks-table.ts";
import { sync } from "./sync-snippets.ts";

const page = readFileSync(new URL("quirks.md", import.meta.url), "utf8");

/** The names in the first column of a table. */
const namesIn = (table: string): string[] =>
  [...(tables[table] ?? []).join("\n").matchAll(/^\| `(\w+)` \|/gm)].map(([, name = ""]) => name);

describe("quirks.md", () => {
  it("shows every table as it is now", () => {
    for (const [name, lines] of Object.entries(tables)) {
      expect(page).toContain(`\n<!-- table="${name}" -->\n${lines.join("\n")}\n<!-- end of table -->\n`);
    }
  });

  it("lists every quirk once, and every group", () => {
    const scopes = ["payloads", "frames", "handshakes"].flatMap((scope) => namesIn(`quirks of ${scope}`));

    expect(scopes.sort()).toEqual(Object.keys(quirks).sort());
    expect(namesIn("quirks of vendors")).toEqual(Object.keys(vendorQuirks));
  });

  it("has rows that are rows: no cell breaks its table", () => {
    for (const lines of Object.values(tables)) {
      const [head = ""] = lines;
      for (const line of lines) expect(line.split("|")).toHaveLength(head.split("|").length);
    }
  });

  it("says of every row of the list whether it needs a quirk", () => {
    const [, ids = ""] = /The rows that are missing .* \((.+)\) concern/.exec(page) ?? [];
    const [, free = ""] = page.split("## What needs no quirk");
    const numbers = new Set([
      ...Object.values(quirks).map(({ id }) => id),
      ...[...free.matchAll(/^\| (Q\d+) \|/gm)].map(([, id = ""]) => id),
      ...ids.split(/, | and /).flatMap((text) => range(text)),
    ]);

    for (let number = 1; number <= 28; number++) expect(numbers).toContain(`Q${number}`);
  });
});

/** `Q14` as it is, `Q26 to Q28` as all three. */
function range(text: string): string[] {
  const [first = 0, last = first] = [...text.matchAll(/\d+/g)].map(Number);
  return Array.from({ length: last - first + 1 }, (_, index) => `Q${first + index}`);
}

describe("linkTo", () => {
  it("links to issues and to pull requests", () => {
    expect(linkTo("evcc-io/evcc#3685")).toBe("[evcc 3685](https://github.com/evcc-io/evcc/issues/3685)");
    expect(linkTo("lbbrhzn/ocpp PR#1984")).toBe("[ocpp 1984](https://github.com/lbbrhzn/ocpp/pull/1984)");
  });
});

describe("sync", () => {
  const lines = (...inside: readonly string[]) =>
    ["Text", '<!-- table="quirks of vendors" -->', ...inside, "<!-- end of table -->", "more"].join("\n");
  const filled = lines(...(tables["quirks of vendors"] ?? []));

  it("fills a table", () => {
    const { text, problems } = sync(lines("| old |"), () => undefined);

    expect(text).toBe(filled);
    expect(problems).toEqual(['line 2: the table differs from what "quirks of vendors" is now']);
  });

  it("leaves a table alone that is the same", () => {
    expect(sync(filled, () => undefined)).toEqual({ text: filled, problems: [] });
  });

  it.each([
    [filled.replaceAll("vendors", "nobody"), 'line 2: the table "quirks of nobody" is not in quirks-table.ts'],
    [filled.replace("<!-- end of table -->", ""), 'line 2: the table "quirks of vendors" is never ended'],
  ])("refuses a table that it cannot fill", (markdown, problem) => {
    expect(sync(markdown, () => undefined)).toEqual({ text: markdown, problems: [problem] });
  });
});
