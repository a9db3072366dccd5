import { defineConfig } from "vitest/config";

/** One project per workspace package. In the workspace every package exports its sources, so no test needs a build. */
export default defineConfig({
  test: {
    // Room for property tests on a slow machine; no test waits for real time.
    testTimeout: 20_000,
    projects: [
      {
        extends: true,
        test: {
          name: "core",
          dir: "packages/core",
          // Runs the type tests, `*.test-d.ts`.
          typecheck: { enabled: true, tsconfig: "packages/core/test/tsconfig.json" },
        },
      },
      { extends: true, test: { name: "testing", dir: "packages/testing" } },
      { extends: true, test: { name: "charger", dir: "packages/charger" } },
      { extends: true, test: { name: "node", dir: "packages/node" } },
      {
        extends: true,
        test: { name: "browser", dir: "packages/browser", globalSetup: "packages/browser/test/chromium.ts" },
      },
      { extends: true, test: { name: "examples", dir: "examples" } },
      { extends: true, test: { name: "docs", dir: "docs" } },
      {
        extends: true,
        test: {
          name: "conformance",
          dir: "packages/conformance",
          globalSetup: "packages/conformance/interoperability/python.ts",
        },
      },
    ],
  },
});
