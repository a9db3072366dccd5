import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { expect, test } from "vitest";

/** Modules of Node that reach out of the process: to the disk, the network, other programs. */
const reaching = /^(node:)?(fs|fs\/promises|net|tls|dgram|dns|http|https|child_process|worker_threads|timers)$/;

const timers = ["setTimeout", "setInterval", "setImmediate", "queueMicrotask", "fetch"] as const;

/** What a program imports that imports both packages: one script, and the files in it. */
const program = build({
  stdin: {
    contents: 'import "@ocppj/core"; import "@ocppj/node";',
    resolveDir: fileURLToPath(new URL(".", import.meta.url)),
  },
  bundle: true,
  // Importing runs all of it, so nothing may be left out because nobody uses it.
  ignoreAnnotations: true,
  treeShaking: false,
  platform: "node",
  format: "cjs",
  external: ["bufferutil", "utf-8-validate"],
  metafile: true,
  write: false,
});

test("importing loads the packages that are needed, and nothing else [trap 20]", async () => {
  const { metafile } = await program;
  const packages = Object.keys(metafile.inputs).map((path) => path.match(/.*node_modules\/((?:@[^/]+\/)?[^/]+)/)?.[1]);
  expect([...new Set(packages)].filter((name) => name !== undefined).sort()).toEqual(["eventemitter3", "ws", "zod"]);
});

test("importing opens no file, no socket and no timer: that is left to who uses it [trap 20]", async () => {
  const { outputFiles } = await program;
  const code = outputFiles[0]?.text ?? "";
  const calls: string[] = [];
  const watched = <Watched>(name: string, value: Watched): Watched => {
    if ((typeof value !== "object" && typeof value !== "function") || value === null) return value;
    return new Proxy(value, {
      get: (target, key) =>
        key === "prototype" ? Reflect.get(target, key) : watched(`${name}.${String(key)}`, Reflect.get(target, key)),
      apply: (target, self, args) => {
        calls.push(name);
        return Reflect.apply(target as never, self, args);
      },
      construct: (target, args, made) => {
        calls.push(name);
        return Reflect.construct(target as never, args, made);
      },
    });
  };
  const fromHere = createRequire(import.meta.url);
  const loaded: string[] = [];
  const require = (name: string): unknown => {
    loaded.push(name);
    const module: unknown = fromHere(name);
    return reaching.test(name) ? watched(name, module) : module;
  };
  const own = timers.map((name) => watched(name, globalThis[name]));
  // Runs as a module of its own would, with everything that it reaches out with under watch.
  new Function("require", "module", "exports", ...timers, code)(require, { exports: {} }, {}, ...own);
  expect(loaded.filter((name) => reaching.test(name)).length).toBeGreaterThan(0);
  expect(calls).toEqual([]);
});
