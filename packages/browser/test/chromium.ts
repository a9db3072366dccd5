import { existsSync } from "node:fs";

const path = process.env.CHROMIUM ?? "/usr/bin/chromium";

/**
 * The Chromium that browser tests drive: `$CHROMIUM`, or where Debian installs it; `undefined` where there is none.
 * Tests that need it are declared with `describe.skipIf(chromium === undefined)`.
 */
export const chromium: string | undefined = existsSync(path) ? path : undefined;

/** Runs once before the browser tests: a missing Chromium is said on a developer's machine and is a failure in CI. */
export function setup(): void {
  if (chromium !== undefined) return;
  const remedy = `no Chromium at ${path}: apt-get install chromium, or set CHROMIUM to its path`;
  if (process.env.CI) throw new Error(`Browser tests cannot run: ${remedy}`);
  process.stderr.write(`Browser tests are skipped: ${remedy}\n`);
}
