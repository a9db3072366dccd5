/*
 * Keeps the code in the documentation the same as code that is compiled and run. A fence names its source,
 *
 *     ```ts source="../examples/snippets/errors.ts#handling"
 *
 * relative to the file that holds the fence; the source marks the region:
 *
 *     // #region handling
 *     // #endregion
 *
 * State diagrams are drawn from the machines: see diagrams.ts. Tables are made from data: see quirks-table.ts. Plots are
 * drawn from what the code says: see plots.ts.
 *
 * `tsx sync-snippets.ts` writes every region into its fences; with `--check` it only says where they differ.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { diagrams } from "./diagrams.ts";
import { plots } from "./plots.ts";
import { tables } from "./quirks-table.ts";

const root = resolve(fileURLToPath(import.meta.url), "../..");

/** The languages whose fences must have a source. */
const code = new Set(["ts", "typescript", "mts", "cts", "js", "javascript", "mjs", "cjs", "tsx", "jsx"]);

/** A Markdown text with its fences filled, and what was wrong with it, one sentence each. */
export interface Synced {
  readonly text: string;
  readonly problems: readonly string[];
}

/**
 * Fills the fences of a Markdown text.
 *
 * @param read - Gives the text of a source; `undefined` when there is no such file.
 */
export function sync(markdown: string, read: (path: string) => string | undefined): Synced {
  const problems: string[] = [];
  const lines = markdown.split("\n");
  const synced: string[] = [];
  for (let at = 0; at < lines.length; at++) {
    const opening = lines[at] ?? "";
    synced.push(opening);
    const [, table] = /^<!-- table="([^"]+)" -->$/.exec(opening) ?? [];
    if (table !== undefined) {
      const length = lines.slice(at + 1).indexOf("<!-- end of table -->");
      const wanted = tables[table];
      if (length < 0 || wanted === undefined) {
        problems.push(
          `line ${at + 1}: the table "${table}" is ${length < 0 ? "never ended" : "not in quirks-table.ts"}`,
        );
        continue;
      }
      if (wanted.join("\n") !== lines.slice(at + 1, at + 1 + length).join("\n")) {
        problems.push(`line ${at + 1}: the table differs from what "${table}" is now`);
      }
      synced.push(...wanted);
      at += length;
      continue;
    }
    const [, indent, marks = "", language = "", info = ""] = /^(\s*)(`{3,}|~{3,})\s*(\S*)(.*)$/.exec(opening) ?? [];
    if (indent === undefined) continue;

    const isClosing = (line: string): boolean => line.trim() === marks;
    const length = lines.slice(at + 1).findIndex(isClosing);
    if (length < 0) {
      problems.push(`line ${at + 1}: the fence is never closed`);
      synced.push(...lines.slice(at + 1));
      break;
    }
    const shown = lines.slice(at + 1, at + 1 + length);
    const wanted = wantedIn(language, info, read);
    if (Array.isArray(wanted)) {
      const filled = wanted.map((line) => (line === "" ? "" : indent + line));
      if (filled.join("\n") !== shown.join("\n")) problems.push(`line ${at + 1}: the fence differs from${info}`);
      synced.push(...filled);
    } else {
      if (wanted !== undefined) problems.push(`line ${at + 1}: ${wanted}`);
      synced.push(...shown);
    }
    at += length + 1;
    synced.push(lines[at] ?? "");
  }
  return { text: synced.join("\n"), problems };
}

/** The lines that a fence should hold, or why nobody can tell; `undefined` for a fence that needs no source. */
function wantedIn(language: string, info: string, read: (path: string) => string | undefined) {
  if (language === "mermaid") {
    const [, machine = ""] = /^ machine="(\w+)"$/.exec(info) ?? [];
    return diagrams[machine]?.slice() ?? `the mermaid fence has no machine="name" that diagrams.ts knows`;
  }
  const [, path, region] = /^ source="([^"#]+)#([^"#]+)"$/.exec(info) ?? [];
  if (path === undefined || region === undefined) {
    return code.has(language.toLowerCase()) ? `the ${language} fence has no source="path#region"` : undefined;
  }
  const source = read(path);
  if (source === undefined) return `there is no file ${path}`;
  return regionOf(source, region) ?? `${path} has no region "${region}" that is opened and closed once`;
}

/** The lines of a region without their common indentation. */
function regionOf(source: string, region: string): string[] | undefined {
  const [, inside, ...more] = source.split(new RegExp(`^[ \\t]*// #region ${region}\\n`, "m"));
  const [body, rest] = inside?.split(/^[ \t]*\/\/ #endregion$/m, 2) ?? [];
  if (body === undefined || rest === undefined || more.length > 0) return undefined;
  const lines = body.trimEnd().split("\n");
  const indent = Math.min(...lines.filter((line) => line !== "").map((line) => line.search(/\S/)));
  return lines.map((line) => line.slice(indent));
}

/** The Markdown files whose fences are kept in step, relative to the root. */
export function markdownFiles(): string[] {
  const packages = readdirSync(join(root, "packages")).map((name) => `packages/${name}/README.md`);
  const docs = ["docs", "docs/decisions"].flatMap((folder) =>
    readdirSync(join(root, folder)).map((name) => `${folder}/${name}`),
  );
  return ["README.md", ...packages, ...docs].filter((file) => file.endsWith(".md") && existsSync(join(root, file)));
}

/** Goes through all files; returns what is wrong, each with the file. */
export function syncAll({ write }: { readonly write: boolean }): string[] {
  const drawn = Object.entries(plots).flatMap(([name, svg]) => {
    const path = join(root, `docs/plots/${name}.svg`);
    if (existsSync(path) && readFileSync(path, "utf8") === svg) return [];
    if (write) writeFileSync(path, svg);
    return [`docs/plots/${name}.svg differs from what plots.ts draws`];
  });
  const filled = markdownFiles().flatMap((file) => {
    const path = join(root, file);
    const markdown = readFileSync(path, "utf8");
    const { text, problems } = sync(markdown, (source) => {
      const sourcePath = resolve(dirname(path), source);
      return existsSync(sourcePath) ? readFileSync(sourcePath, "utf8") : undefined;
    });
    if (write && text !== markdown) writeFileSync(path, text);
    return problems.map((problem) => `${file}, ${problem}`);
  });
  return [...drawn, ...filled];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  if (!process.argv.includes("--check")) syncAll({ write: true });
  const problems = syncAll({ write: false });
  for (const problem of problems) console.error(problem);
  process.exitCode = problems.length === 0 ? 0 : 1;
}
