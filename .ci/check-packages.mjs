// Checks the built packages as their users get them: packs each one, looks into the tarball, installs all of them into
// an empty project outside the workspace, then uses them from ESM, from CommonJS and from TypeScript.
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, posix } from "node:path";

const required = [
  ...["LICENSE", "README.md", "package.json", "src/index.ts"],
  ...["js", "js.map", "cjs", "cjs.map", "d.ts", "d.cts"].map((extension) => `dist/index.${extension}`),
  ...["js", "js.map"].map((extension) => `dist/modules/index.${extension}`),
];

/** The compilers that users may have, as the READMEs say, besides that of the workspace; and their oldest Node.js. */
const compilers = { "oldest-typescript": "5.0", "newest-typescript": "latest" };
const oldestNode = "20";

/** How much an installation of a central system may bring along: core, node, and what they depend on. */
const mostInstalledBytes = 5_000_000;

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
  for (const path of paths.filter((path) => path.endsWith(".map"))) {
    const map = JSON.parse(read("tar", "--extract", "--to-stdout", "--file", filename, `package/${path}`));
    assert.equal(map.sourcesContent, undefined, `${path} repeats the sources`);
    const lost = map.sources.filter((source) => !paths.includes(posix.join(posix.dirname(path), source)));
    assert.deepEqual(lost, [], `sources of ${path} that are not in the package`);
  }
  run("publint", "run", "--strict", filename);
  run("attw", filename, "--format", "ascii", "--no-emoji");
  return [name, `file:${filename}`];
}

/** Installs the tarballs; what they want of each other is taken from the tarballs too. */
function install(tarballs) {
  const devDependencies = { "@types/node": oldestNode };
  for (const [name, version] of Object.entries(compilers)) devDependencies[name] = `npm:typescript@${version}`;
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
      assert.equal(require(name + "/package.json").name, name);
    }`,
  );
  run("node", "runtime.mjs");
}

function checkInstalledSize() {
  const folder = (name, from = consumer) => realpathSync(join(from, "node_modules", name));
  const node = join(folder("@ocppj/node"), "../../..");
  const core = join(folder("@ocppj/core"), "../../..");
  const installed = [folder("@ocppj/core"), folder("@ocppj/node"), folder("ws", node), folder("eventemitter3", core)];
  const bytes = installed
    .flatMap((path) => readdirSync(path, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  console.log(`A central system installs ${bytes.toLocaleString("en")} bytes.`);
  assert(bytes <= mostInstalledBytes, `more than ${mostInstalledBytes.toLocaleString("en")}`);
}

/** Compiles an ESM and a CommonJS user, declarations of the packages included. */
function checkTypes(names) {
  const source = names.map((name, i) => `import * as p${i} from "${name}";\nexport const use${i}: object = p${i};\n`);
  write("user.mts", source.join(""));
  write("user.cts", source.join(""));
  // Core asks for nothing but ECMAScript: neither the DOM nor the types of Node.js.
  write(
    "core.mts",
    'import { type Req, decode } from "@ocppj/core";\nexport const req: Req<"Heartbeat"> = {};\ndecode("");\n',
  );
  const options = ["--noEmit", "--strict", "--target", "es2022"];
  for (const tsc of ["tsc", ...Object.keys(compilers).map((name) => `node_modules/${name}/bin/tsc`)]) {
    run(tsc, ...options, "--types", "node", "--module", "node16", "user.mts", "user.cts");
    run(tsc, ...options, "--types", "node", "--module", "esnext", "--moduleResolution", "bundler", "user.mts");
    run(tsc, ...options, "--lib", "es2022", "--types", "", "--module", "node16", "core.mts");
  }
}

try {
  const folders = readdirSync("packages").map((name) => join("packages", name));
  const isPublished = (folder) => !JSON.parse(readFileSync(join(folder, "package.json"), "utf8")).private;
  const tarballs = Object.fromEntries(folders.filter(isPublished).map(pack));
  const names = Object.keys(tarballs);
  install(tarballs);
  checkRuntime(names);
  checkInstalledSize();
  checkTypes(names);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(consumer, { recursive: true });
}
