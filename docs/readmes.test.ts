import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { tableBelow } from "./tables.ts";

const read = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

const packages = ["core", "node", "browser", "testing"];

const codeIn = (cell: string): string[] => [...cell.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);

describe("the READMEs", () => {
  it("tell the oldest compiler that the packages are checked with", () => {
    const [, oldest] = /oldest = \{ typescript: "([\d.]+)"/.exec(read(".ci/check-packages.mjs")) ?? [];
    expect(oldest).toBeDefined();
    for (const path of ["README.md", ...packages.map((name) => `packages/${name}/README.md`)]) {
      expect(read(path).match(/TypeScript [\d.]+\d/g), path).toEqual([`TypeScript ${oldest}`]);
    }
  });

  it.each([
    ["README.md", "docs/"],
    ["docs/README.md", ""],
  ])("link every page of the documentation: %s", (path, prefix) => {
    const files = (folder: string): string[] =>
      readdirSync(new URL(`../${folder}`, import.meta.url)).filter((name) => name.endsWith(".md"));
    const pages = [
      ...files("docs"),
      ...(prefix === "" ? files("docs/decisions").map((name) => `decisions/${name}`) : []),
    ];
    const text = read(path);
    const missing = pages.filter((page) => `${prefix}${page}` !== path && !text.includes(`](${prefix}${page}`));
    expect(missing.filter((page) => page !== "README.md" || prefix !== "")).toEqual([]);
  });

  it("say that nothing is published yet, and how to pack each package that is", () => {
    const [, packed = ""] = /packages\/\{([\w,]+)\}" pack/.exec(read("README.md")) ?? [];
    for (const name of packages) expect(read(`packages/${name}/README.md`)).toContain("published on npm yet");
    expect(packed.split(",")).toEqual(expect.arrayContaining(["core", "node", "testing"]));
  });

  it.each(packages)(
    "of %s names everything that the package has, and no code in its tables that it has not",
    async (name) => {
      const exported = Object.keys(await import(`../packages/${name}/src/index.ts`));
      const readme = read(`packages/${name}/README.md`);
      const errors = /^(?:\w+Error|errorCodes)$/; // They have a page of their own.
      const missing = exported.filter((value) => !errors.test(value) && !new RegExp(`\\b${value}\\b`).test(readme));
      expect(missing).toEqual([]);

      const types = read(`packages/${name}/src/index.ts`);
      const [first] = name === "core" || name === "testing" ? [tableBelow(readme, "| | |")] : [[]];
      const strangers = first
        ?.flatMap(([cell = ""]) => codeIn(cell))
        .filter((word) => !new RegExp(`\\b${word}\\b`).test(types));
      expect(strangers).toEqual([]);
    },
  );

  /** The options that interfaces of a file declare. */
  const optionsIn = (path: string, ...interfaces: string[]): string[] =>
    interfaces.flatMap((name) => {
      const [, body = ""] =
        new RegExp(`export interface ${name}\\b[^{]*\\{\\n([\\s\\S]*?)\\n\\}`).exec(read(path)) ?? [];
      return [...body.matchAll(/^ {2}readonly (\w+)\??:/gm)].map(([, option = ""]) => option);
    });

  /** The options in the tables of a README, table by table. */
  const tablesOf = (path: string): string[][] =>
    read(path)
      .split("| option | default | |\n")
      .slice(1)
      .map((text) => tableBelow(`\n|\n${text}`, "|").flatMap(([cell = ""]) => codeIn(cell)));

  it("have a row for every option of `connect` and `listen`, and for no other", () => {
    const transport = optionsIn("packages/node/src/transport/web-socket-transport.ts", "TransportOptions");
    const [connect, listen, both] = tablesOf("packages/node/README.md");
    expect(connect?.sort()).toEqual(optionsIn("packages/node/src/connect.ts", "ConnectOptions").sort());
    expect(listen?.sort()).toEqual(
      [
        ...optionsIn("packages/node/src/listen-options.ts", "ListenOptions"),
        ...optionsIn("packages/node/src/handshake/endpoint-options.ts", "EndpointOptions"),
      ].sort(),
    );
    expect(both?.sort()).toEqual(transport.sort());

    const [inBrowsers] = tablesOf("packages/browser/README.md");
    expect(inBrowsers?.sort()).toEqual(
      [
        ...optionsIn("packages/browser/src/connect.ts", "ConnectOptions"),
        ...optionsIn("packages/browser/src/web-socket-transport.ts", "TransportOptions"),
      ].sort(),
    );
  });
});
