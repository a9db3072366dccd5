import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tableBelow } from "./tables.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");
const page = read("central-system.md");

const codesIn = (cell = ""): string[] => [...cell.matchAll(/`([\w-]+)`/g)].map(([, code = ""]) => code);

/** What people write as 10 000, 1 MiB, 5000 or 10_000, 2 ** 20, 4 * 2 ** 20. */
const units: Readonly<Record<string, number>> = { MiB: 2 ** 20, kB: 1000 };
function numberOf(text: string): number {
  const [, digits = "", unit = ""] = /^([\d _]+?)\s*(MiB|kB)?$/.exec(text) ?? [];
  if (digits !== "") return Number(digits.replace(/[ _]/g, "")) * (units[unit] ?? 1);
  const [, factor = "1", exponent = "x"] = /^(?:(\d+) \* )?2 \*\* (\d+)$/.exec(text) ?? [];
  return Number(factor) * 2 ** Number(exponent);
}

const folders = ["../packages/node/src/", "../packages/core/src/connection/"];
/** The sources of a Central System; `connect.ts` has time-outs of its own. */
const sources = folders
  .flatMap((folder) =>
    readdirSync(new URL(folder, import.meta.url), { recursive: true, encoding: "utf8" }).map((name) => folder + name),
  )
  .filter((path) => path.endsWith(".ts") && !path.endsWith("/connect.ts"))
  .map(read)
  .join("\n");

describe("the limits in central-system.md", () => {
  const rows = tableBelow(page, "| option | default | of | beyond it |");
  const limits = rows.flatMap(([option, value = ""]) =>
    codesIn(option)
      .slice(0, 1)
      .map((name) => [name, value] as const),
  );

  it("are those of the sources", () => {
    const rules = ["listen-options.ts", "transport/web-socket-transport.ts"]
      .map((file) => read(`../packages/node/src/${file}`))
      .join();
    const limit = /^ {2}(\w+): optionRules\.(?:milliseconds|number\(|whole\(1\))/gm;
    const checked = [...rules.matchAll(limit)].map(([, name = ""]) => name);

    expect(limits.map(([name]) => name).sort()).toEqual([...checked, "maxServedCalls"].sort());
  });

  it.each(limits)("%s has the default %s in its doc comment and in the code", (name, value) => {
    const comment = new RegExp(
      `Default ([\\d ]+(?: MiB)?)\\.(?:(?!\\*/)[^])*\\*/\\s+readonly ${name}\\?: number \\| undefined;`,
    ).exec(sources);
    const code = [...sources.matchAll(new RegExp(`\\b${name} (?:=|\\?\\?) (\\d[\\d_ *]*)`, "g"))].map(
      ([, found = ""]) => numberOf(found.trim()),
    );

    expect(numberOf(comment?.[1] ?? "")).toBe(numberOf(value));
    expect(code).toEqual([numberOf(value)]);
  });
});

describe("the refusals in central-system.md", () => {
  it("have a row for every reason", () => {
    const [, after = ""] = read("../packages/core/src/central-system/handshake-refusal.ts").split("readonly reason:\n");
    const reasons = [...(after.split(";")[0] ?? "").matchAll(/\| "([\w-]+)"/g)].map(([, name = ""]) => name);

    const rows = tableBelow(page, "| `reason` | status | what it often means |").flatMap(([cell]) => codesIn(cell));

    expect(rows.sort()).toEqual(reasons.sort());
  });
});
