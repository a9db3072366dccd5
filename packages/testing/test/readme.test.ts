import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import * as publicNames from "../src/index.ts";

const read = (path: string): string => readFileSync(new URL(path, import.meta.url), "utf8");

test("the README shows the example that is tested, letter by letter", () => {
  expect(read("../README.md")).toContain(`\`\`\`ts\n${read("readme-example.test.ts")}\`\`\``);
});

test("the README names everything that is public", () => {
  const readme = read("../README.md");
  expect(Object.keys(publicNames).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
});
