import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";

/** All of core with its dependencies, as a bundler makes it for a page or a charger. */
async function bundle(): Promise<string> {
  const { outputFiles } = await build({
    entryPoints: [fileURLToPath(new URL("../src/index.ts", import.meta.url))],
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

describe("The bundle of @ocppj/core with its dependencies", () => {
  test("has no code made from text and nothing that only Node has, so it runs under a strict CSP and in QuickJS", async () => {
    const code = await bundle();
    expect(code).toContain("BootNotification");
    expect(code.match(/\b(eval|new Function|process|Buffer|setImmediate|require)\b.{0,40}/)?.[0]).toBeUndefined();
  });

  test("stays small enough for a charger's flash: 32 kB compressed", async () => {
    expect(gzipSync(await bundle(), { level: 9 }).length).toBeLessThan(32_000);
  });
});
