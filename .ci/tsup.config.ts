import { defineConfig } from "tsup";

/** How each package is built, from its own folder: docs/decisions/0028-two-builds.md. */
const shared = {
  target: "es2022",
  sourcemap: true,
  silent: true,
  esbuildOptions(options: { sourcesContent?: boolean }) {
    // The maps lead to src, which is in the package: each source is there once.
    options.sourcesContent = false;
  },
} as const;

export default defineConfig([
  // One file for each entry point, with the parts of zod that core uses, for what starts quickly: Node.js, Deno, Bun.
  {
    ...shared,
    entry: ["src/{index,certificates,transfers}.ts"],
    format: ["esm", "cjs"],
    splitting: false,
    dts: true,
    clean: ["!modules/**"],
    noExternal: ["zod"],
  },
  // A file for each source, for what leaves out the files that nobody needs: bundlers.
  {
    ...shared,
    entry: ["src/**/*.ts"],
    format: "esm",
    outDir: "dist/modules",
    splitting: false,
    clean: true,
    esbuildPlugins: [
      {
        name: "modules stay apart",
        setup: ({ onResolve }) =>
          onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, kind }) =>
            kind === "entry-point" ? undefined : { path: path.replace(/\.ts$/, ".js"), external: true },
          ),
      },
    ],
  },
]);
