// How much of the built packages a program carries that uses some of them: bundled by esbuild, minified, and compressed
// with gzip -9. The figures are exact; what exceeds its budget fails.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";

/** What is used, by the package it is from, and how many bytes it may have: what it has, and a little. */
const programs = [
  { what: "decode and encode", core: "decode, encode", budget: 1_500 },
  { what: "Connection, in a browser", core: "Connection", browser: "connect", budget: 26_600 },
  { what: "CentralSystem", core: "CentralSystem", budget: 28_320 },
  { what: "ChargePoint, in a browser", core: "ChargePoint", browser: "connect", budget: 48_200 },
  {
    what: "a charger: all that a ChargePoint takes",
    core: "AuthorizationCache, ChargePoint, Configuration, LocalAuthList",
    browser: "connect, durableStore",
    budget: 53_400,
  },
  { what: "Charger, in a browser", charger: "Charger", browser: "connect", budget: 81_000 },
  {
    what: "the same with firmware management",
    charger: "Charger, firmwareManagement",
    browser: "connect",
    budget: 85_000,
  },
  { what: "the same with certificates", charger: "Charger, certificates", browser: "connect", budget: 86_800 },
  {
    what: "the same with all of it",
    charger: "Charger, certificates, firmwareManagement, security",
    browser: "connect",
    budget: 92_000,
  },
];

/** The file that bundlers take of a package. */
function built(name) {
  const { publishConfig } = JSON.parse(readFileSync(`packages/${name}/package.json`, "utf8"));
  return resolve("packages", name, publishConfig.exports["."].module);
}

const alias = Object.fromEntries(["core", "browser", "charger"].map((name) => [`@ocppj/${name}`, built(name)]));

async function sizeOf(used) {
  const contents = ["core", "browser", "charger"]
    .map((name) => used[name] && `export { ${used[name]} } from "@ocppj/${name}";`)
    .join("\n");
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: "packages/core" },
    alias,
    bundle: true,
    minify: true,
    format: "esm",
    platform: "browser",
    write: false,
  });
  return gzipSync(outputFiles[0].contents, { level: 9 }).length;
}

for (const program of programs) {
  const size = await sizeOf(program);
  const exceeded = size > program.budget;
  if (exceeded) process.exitCode = 1;
  console.log(
    `${program.what.padEnd(42)}${size.toLocaleString("en").padStart(7)} bytes, budget ${program.budget.toLocaleString("en")}${exceeded ? ": exceeded" : ""}`,
  );
}
