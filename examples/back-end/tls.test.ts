import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { Program } from "../test-program.ts";

const page = readFileSync(new URL("../../docs/security-profiles.md", import.meta.url), "utf8");

/** The command on the page that begins with this, with the line breaks of a shell taken away. */
const commands = (program: string): string[] =>
  [...page.replaceAll("\\\n", " ").matchAll(new RegExp(`--silent ${program} (.+)`, "g"))].map(([, args = ""]) => args);

let folder = "";

/** Makes the certificates as the page says. */
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "ocppj-tls-"));
  const [, script = ""] = /```sh\n(openssl [\s\S]*?)```/.exec(page) ?? [];
  execFileSync("bash", ["-e", "-c", script], { cwd: folder, stdio: "ignore" });
}, 30_000);
afterAll(() => rmSync(folder, { recursive: true }));

it.each([
  ["profile 2", 0],
  ["profile 3", 1],
])("the commands of security-profiles.md for %s find each other", { timeout: 60_000 }, async (_, index) => {
  const args = (program: string): string[] => commands(program)[index]?.split(/\s+/) ?? [];
  const others = ["--port", "0", "--api-port", "0", "--file", "test.sqlite"];
  const backEnd = new Program("back-end/main.ts", [...args("back-end"), ...others], { INIT_CWD: folder });
  const [url = ""] = await backEnd.said(/wss:\S+\/ocpp/);
  const [, ...options] = args("charger");
  const charger = new Program("charger/main.ts", [url, ...options, "--script", "until Accepted"], { INIT_CWD: folder });
  expect(await charger.exitCode, charger.output + backEnd.output).toBe(0);

  const stranger = ["--identity", "CP002", "--script", "until Accepted, until 403"];
  if (index === 0) return;
  const refused = new Program("charger/main.ts", [url, ...options, ...stranger], { INIT_CWD: folder });
  await refused.said(/403 Forbidden/); // It has the certificate of CP001.
});
