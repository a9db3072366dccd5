import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { describe, expect, test } from "vitest";

const core = fileURLToPath(new URL("../src/index.ts", import.meta.url));

/** What a bundler makes of a program that uses some names of core, dependencies included. */
async function bundle(names: string): Promise<string> {
  const { outputFiles } = await build({
    stdin: { contents: `export ${names} from ${JSON.stringify(core)}`, resolveDir: "." },
    bundle: true,
    minify: true,
    format: "esm",
    platform: "neutral",
    mainFields: ["module", "main"],
    write: false,
  });
  return outputFiles[0]?.text ?? "";
}

const compressed = (code: string): number => gzipSync(code, { level: 9 }).length;

describe("The bundle of @ocppj/core with its dependencies", () => {
  test("has no code made from text and nothing that only Node has, so it runs under a strict CSP and in QuickJS", async () => {
    const code = await bundle("*");
    expect(code).toContain("BootNotification");
    expect(code.match(/\b(eval|new Function|process|Buffer|setImmediate|require)\b.{0,40}/)?.[0]).toBeUndefined();
  });

  test("stays small enough for a charger's flash, and free of what only a Central System needs: 32 kB compressed", async () => {
    const code = await bundle("{ AuthorizationCache, ChargePoint, Configuration, LocalAuthList, memoryStore }");
    expect(compressed(code)).toBeLessThan(32_000);
    expect(code).not.toContain("Replaced by a newer connection");
  });
});
