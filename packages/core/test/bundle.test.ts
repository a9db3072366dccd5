import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build, transform } from "esbuild";
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

/** A piece of evidence from the table of quirks; a charge point has those of date-times only. */
const quirks = /mobilityhouse\/ocpp#296/;

const compressed = (code: string): number => gzipSync(code, { level: 9 }).length;

describe("The bundle of @ocppj/core with its dependencies", () => {
  test("has no code made from text and nothing that only Node has, so it runs under a strict CSP and in QuickJS", async () => {
    const code = await bundle("*");
    expect(code).toContain("BootNotification");
    expect(code.match(/\b(eval|new Function|process|Buffer|require)\b.{0,40}/)?.[0]).toBeUndefined();
    // The clock asks for it first: see there.
    expect(code.match(/\b(typeof )?setImmediate\b/g)).toEqual(["typeof setImmediate", "setImmediate"]);
  });

  test("stays small enough for a charger's flash, and free of what only a Central System needs: 51 kB compressed", async () => {
    const code = await bundle("{ AuthorizationCache, ChargePoint, Configuration, LocalAuthList, memoryStore }");
    expect(compressed(code)).toBeLessThan(51_000);
    expect(code).not.toContain("Replaced by a newer connection");
    expect(code).not.toMatch(quirks);
  });

  test("of what looks at bills is small: 4.7 kB compressed", async () => {
    expect(compressed(await bundle("{ Plausibility }"))).toBeLessThan(4700);
  });

  test.each(["{ ChargePoint }", "{ CentralSystem }", "{ Plausibility }", "{ applyConfiguration }"])(
    "of %s has nothing of what it does not use",
    async (names) => {
      const own = { plausibility: "start-while-running", configuration: "locks out whoever loses the answer" };
      const used =
        names === "{ Plausibility }" ? own.plausibility : names === "{ applyConfiguration }" ? own.configuration : "";
      const code = await bundle(names);
      for (const text of [own.plausibility, own.configuration]) expect(code.includes(text), text).toBe(text === used);
    },
  );

  test("is free of the quirks that nobody uses, also when it is made from one file, as this package is published", async () => {
    const { outputFiles } = await build({
      entryPoints: [core],
      bundle: true,
      packages: "external",
      format: "esm",
      platform: "neutral",
      write: false,
    });
    const published = outputFiles[0]?.text ?? "";
    const shaken = async (names: string): Promise<string> => {
      const { code } = await transform(`${published.replace(/^export \{[^}]*\};$/m, "")}\nexport ${names};`, {
        format: "esm",
        minifySyntax: true,
        treeShaking: true,
      });
      return code;
    };
    expect(published).toMatch(quirks);
    expect(await shaken("{ ChargePoint }")).not.toMatch(quirks);
    expect(await shaken("{ ChargePoint, vendorQuirks }")).toMatch(quirks);
  });
});
