// Checks the built packages as their users get them: packs each one, looks into the tarball, installs all of them into
// an empty project outside the workspace, then uses them from ESM, from CommonJS and from TypeScript.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const required = [
  ...["LICENSE", "README.md", "package.json", "src/index.ts"],
  ...["js", "js.map", "cjs", "cjs.map", "d.ts", "d.cts"].map((extension) => `dist/index.${extension}`),
];

/** The oldest compiler and Node.js types a user may have; the workspace's own compiler is tried too. */
const oldest = { typescript: "5.4", node: "20" };

const consumer = mkdtempSync(join(tmpdir(), "ocppj-consumer-"));
const read = (command, ...args) => execFileSync(command, args, { encoding: "utf8" });
const run = (command, ...args) => execFileSync(command, args, { stdio: "inherit", cwd: consumer });
const write = (file, content) => writeFileSync(join(consumer, file), content);

/** Packs the package in `folder` and lints its tarball. */
function pack(folder) {
  const { name, filename } = JSON.parse(
    read("pnpm", "--dir", folder, "pack", "--json", "--pack-destination", consumer),
  );
  const files = read("tar", "--list", "--file", filename).trim().split("\n");
  const paths = files.map((file) => file.replace("package/", ""));
  const missing = required.filter((path) => !paths.includes(path));
  const stray = paths.filter((path) => !/^(dist|src)\/|^CHANGELOG\.md$/.test(path) && !required.includes(path));
  assert.deepEqual({ missing, stray }, { missing: [], stray: [] }, `contents of ${filename}`);
  run("publint", "run", "--strict", filename);
  run("attw", filename, "--format", "ascii", "--no-emoji");
  return [name, `file:${filename}`];
}

/** Installs the tarballs; what they want of each other is taken from the tarballs too. */
function install(tarballs) {
  const devDependencies = {
    "@types/node": oldest.node,
    "oldest-typescript": `npm:typescript@${oldest.typescript}`,
  };
  write("package.json", JSON.stringify({ private: true, dependencies: tarballs, devDependencies }));
  write("pnpm-workspace.yaml", JSON.stringify({ overrides: tarballs }));
  run("pnpm", "install", "--ignore-scripts", "--prefer-offline", "--reporter", "append-only");
}

function checkRuntime(names) {
  write(
    "runtime.mjs",
    `import assert from "node:assert/strict";
    import { createRequire } from "node:module";
    const require = createRequire(import.meta.url);
    for (const name of ${JSON.stringify(names)}) {
      const exported = Object.keys(await import(name)).sort();
      assert(exported.length > 0, name + " exports nothing");
      assert.deepEqual(Object.keys(require(name)).sort(), exported, name + ": ESM and CommonJS differ");
    }`,
  );
  run("node", "runtime.mjs");
}

/** Compiles an ESM and a CommonJS user, declarations of the packages included. */
function checkTypes(names) {
  const source = names.map((name, i) => `import * as p${i} from "${name}";\nexport const use${i}: object = p${i};\n`);
  write("user.mts", source.join(""));
  write("user.cts", source.join(""));
  const options = ["--noEmit", "--strict", "--target", "es2022", "--types", "node"];
  for (const tsc of ["tsc", "node_modules/oldest-typescript/bin/tsc"]) {
    run(tsc, ...options, "--module", "node16", "user.mts", "user.cts");
    run(tsc, ...options, "--module", "esnext", "--moduleResolution", "bundler", "user.mts");
  }
}

try {
  const folders = readdirSync("packages").map((name) => join("packages", name));
  const isPublished = (folder) => !JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).private;
  const tarballs = Object.fromEntries(folders.filter(isPublished).map(pack));
  const names = [...Object.keys(tarballs), "@ocppj/node/certificates", "@ocppj/node/transfers"];
  install(tarballs);
  checkRuntime(names);
  checkTypes(names);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(consumer, { recursive: true });
}
