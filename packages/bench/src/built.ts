import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const root = fileURLToPath(new URL("../../..", import.meta.url));

/** The file of a built package that Node.js is given. */
function builtFile(name: string): string {
  const { publishConfig } = JSON.parse(readFileSync(`${root}/packages/${name}/package.json`, "utf8"));
  return `${root}/packages/${name}/${publishConfig.exports["."].import.default}`;
}

const alias = Object.fromEntries(["core", "node", "charger"].map((name) => [`@ocppj/${name}`, builtFile(name)]));

/**
 * Makes a program of one of this folder that runs on the built packages, as they are published, and not on their sources.
 *
 * @param program - Its path below `src`, without the extension.
 * @returns Where it is: below node_modules, so that it finds what it needs.
 */
export async function built(program: string): Promise<string> {
  const outfile = fileURLToPath(new URL(`../node_modules/.bench/${program.replace("/", "-")}.mjs`, import.meta.url));
  await build({
    entryPoints: [fileURLToPath(new URL(`${program}.ts`, import.meta.url))],
    outfile,
    alias,
    bundle: true,
    external: ["ws", "ocpp-rpc", "level"],
    format: "esm",
    platform: "node",
  });
  return outfile;
}
