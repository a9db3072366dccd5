import { defineConfig } from "vitest/config";

/** One project per workspace package; sources are tested, not builds, through the `@ocppj/source` condition. */
const project = (name: string, root: string) => ({
  resolve: { conditions: ["@ocppj/source"] },
  ssr: { resolve: { conditions: ["@ocppj/source"] } },
  test: {
    name,
    root,
    include: ["**/*.test.ts"],
    typecheck: {
      enabled: name === "core",
      only: false,
      include: ["test/**/*.test-d.ts"],
      tsconfig: "test/tsconfig.json",
    },
  },
});

export default defineConfig({
  test: {
    projects: [
      project("core", "packages/core"),
      project("testing", "packages/testing"),
      project("node", "packages/node"),
      project("browser", "packages/browser"),
      project("examples", "examples"),
      project("docs", "docs"),
    ],
  },
});
