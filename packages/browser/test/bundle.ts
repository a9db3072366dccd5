import { execFile } from "node:child_process";
import { cp, mkdtemp, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { build } from "esbuild";

const pages = fileURLToPath(new URL("pages/", import.meta.url));
const packages = fileURLToPath(new URL("../../", import.meta.url));
const tools = fileURLToPath(new URL("../../../node_modules/.bin", import.meta.url));

/**
 * A script of `test/pages` as one ES module.
 *
 * @param resolveDir - Where its imports of packages are looked for. Default: the workspace, whose packages are sources.
 */
export async function bundle(script: string, resolveDir = pages): Promise<string> {
  const contents = await readFile(join(pages, script), "utf8");
  const { outputFiles } = await build({
    stdin: { contents, loader: "ts", resolveDir, sourcefile: script },
    nodePaths: [join(packages, "core/node_modules")],
    bundle: true,
    write: false,
    format: "esm",
    target: "es2022",
  });
  return outputFiles[0]?.text ?? "";
}

/** A script of `test/pages` as one ES module, with core and browser as they are published. */
export async function bundlePublished(script: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ocppj-published-"));
  try {
    await Promise.all(["core", "browser"].map((name) => publish(name, join(folder, "node_modules/@ocppj", name))));
    return await bundle(script, folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Builds a package as it is published, but elsewhere: a build in its place would disturb whoever uses that. */
async function publish(name: string, folder: string): Promise<void> {
  const cwd = join(packages, name);
  const { publishConfig, ...manifest } = JSON.parse(await readFile(join(cwd, "package.json"), "utf8"));
  await cp(join(cwd, "src"), join(folder, "src"), { recursive: true });
  await symlink(join(cwd, "node_modules"), join(folder, "node_modules"));
  await writeFile(join(folder, "package.json"), JSON.stringify({ ...manifest, ...publishConfig }));
  const config = join(packages, "../.ci/tsup.config.ts");
  await promisify(execFile)(join(tools, "tsup"), ["--no-dts", "--config", config], { cwd: folder });
}
