import { once } from "node:events";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { seeded } from "@ocppj/testing";
import type { Page } from "playwright-core";
import { describe, expect, onTestFailed, onTestFinished, test } from "vitest";
import { expectHonest } from "../../node/test/crash/audit.ts";
import { CrashingCharger } from "../../node/test/crash/crashing-charger.ts";
import type { LogLine } from "../../node/test/crash/hardware-log.ts";
import { UnreliableCentralSystem } from "../../node/test/crash/unreliable-central-system.ts";
import { bundle } from "./bundle.ts";
import { chromium } from "./chromium.ts";
import { KillableBrowser } from "./killable-browser.ts";
import "./pages/charger.ts"; // For what it declares global; it runs in the page.

/** How often the charger crashes. */
const crashes = Number(process.env.CRASHES ?? 40);
/** For everything that is random, except the speed of the machine. */
const seed = Number(process.env.CRASH_SEED ?? Date.now() % 1_000_000);

/** Where the page of a charger comes from, and where it writes its hardware log. */
class Site {
  readonly #server: Server;
  /** Take the lines of the hardware logs, one for each run. */
  readonly #logs: ((line: LogLine) => void)[] = [];

  private constructor(server: Server, script: string) {
    this.#server = server;
    server.on("request", async (request, response) => {
      response.setHeader("Content-Type", "text/html; charset=utf-8");
      if (request.method === "GET") return response.end(`<script type="module">${script}</script>`);
      this.#logs[Number(request.url?.slice(1))]?.(JSON.parse(await text(request)));
      return response.end();
    });
  }

  static async open(script: string): Promise<Site> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new Site(server, script);
  }

  /** The URL of a page that posts the lines of its hardware log to itself. */
  page(log: (line: LogLine) => void): string {
    const { port } = this.#server.address() as AddressInfo;
    return `http://127.0.0.1:${port}/${this.#logs.push(log) - 1}`;
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}

describe.skipIf(chromium === undefined)("a page that charges", () => {
  test("tells the Central System what happened, each event in its place and with the id of its transaction, when it ends at random moments [CORE-TXQ-01] [CORE-TXQ-02] [CORE-TXQ-03] [CORE-TXQ-16]", {
    timeout: 60_000 + 3000 * crashes,
  }, async () => {
    onTestFailed(() => void process.stderr.write(`To repeat it, set CRASH_SEED=${seed}\n`));
    const centralSystem = await UnreliableCentralSystem.listen(seeded(seed));
    onTestFinished(() => centralSystem.close());
    const site = await Site.open(await bundle("charger.ts"));
    onTestFinished(() => site.close());
    const profile = mkdtempSync(join(tmpdir(), "ocppj-crash-"));
    // The processes of a browser that was killed write a little longer.
    onTestFinished(() => rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
    let browser = await KillableBrowser.launch(profile, "");
    onTestFinished(() => browser.kill());

    let ends = 0;
    /** Closes the page, ends its process, or ends the browser. */
    const end = async (page: Page): Promise<void> => {
      ends += 1;
      if (ends % 13 === 0) {
        await browser.kill();
        browser = await KillableBrowser.launch(profile, "");
      } else if (ends % 2 === 0) {
        await browser.crash(page);
      } else {
        await page.close({ runBeforeUnload: false });
      }
    };
    const charger = new CrashingCharger(
      "CP1",
      async (run, log) => {
        const page = await browser.open();
        await page.goto(site.page(log));
        // The stack of an error leads into the page, where vitest finds no sources.
        const over = page
          .evaluate((given) => charge(given), run)
          .catch(({ message }) => {
            throw new Error(message);
          });
        return { over, kill: () => end(page) };
      },
      centralSystem,
      seed,
    );
    for (let left = crashes; left > 0; left -= 1) await charger.crash();
    centralSystem.reliable = true;
    await charger.finish();

    expectHonest([charger.books]);
    expect(centralSystem.violations).toEqual([]);
    const page = await browser.open();
    await page.goto(site.page(() => {}));
    const keys = await page.evaluate((identity) => keysIn(identity), "CP1");
    expect(keys.filter((key) => !key.startsWith("configuration/"))).toEqual([]);
  });
});
