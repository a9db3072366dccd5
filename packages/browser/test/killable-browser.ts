import { type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { type BrowserContext, chromium as driver, type Page } from "playwright-core";
import { chromium } from "./chromium.ts";

type ChromiumProcess = ChildProcessByStdio<null, null, Readable>;

/** To be driven, and not to talk to anybody else. */
const quiet = [
  "--headless",
  "--no-sandbox",
  "--remote-debugging-port=0",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-extensions-with-background-pages",
  "--disable-extensions",
  "--hide-crash-restore-bubble",
  "--disable-component-update",
  "--disable-gpu",
  "--disable-quic",
  "--disable-sync",
];

/** Where it can be driven, which it says on its standard error; that goes on being read, or it would stand still. */
function endpointOf(process: ChromiumProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = "";
    process.stderr.on("data", (chunk: Buffer) => {
      said = (said + chunk).slice(-10_000);
      const [, endpoint] = /DevTools listening on (\S+)\s/.exec(said) ?? [];
      if (endpoint !== undefined) resolve(endpoint);
    });
    process.once("exit", () => reject(new Error(`Chromium has ended before it could be driven. It said: ${said}`)));
  });
}

/**
 * Kills all processes of a Chromium, and resolves when it has ended. Its helpers are killed with it: one that lived on
 * would hold the databases of the profile, and the next Chromium would begin with empty ones.
 */
async function ended(browser: ChromiumProcess): Promise<void> {
  if (browser.exitCode !== null || browser.signalCode !== null || browser.pid === undefined) return;
  process.kill(-browser.pid, "SIGKILL"); // The whole group.
  await once(browser, "exit");
}

/** A headless Chromium that keeps what its pages store in a folder, and that can be killed at any moment. */
export class KillableBrowser {
  readonly #context: BrowserContext;
  readonly #process: ChromiumProcess;

  private constructor(context: BrowserContext, process: ChromiumProcess) {
    this.#context = context;
    this.#process = process;
  }

  /**
   * @param profile - The folder. One browser at a time can use it.
   * @param script - What its pages run, a module.
   */
  static async launch(profile: string, script: string, attempts = 4): Promise<KillableBrowser> {
    const args = [...quiet, `--user-data-dir=${profile}`, "about:blank"];
    const process = spawn(chromium ?? "", args, { stdio: ["ignore", "ignore", "pipe"], detached: true });
    try {
      // A Chromium that starts after one that was killed sometimes answers nothing at all: then another one has to.
      const browser = await driver.connectOverCDP(await endpointOf(process), { timeout: 8000 });
      const [context] = browser.contexts();
      if (context === undefined) throw new Error("Chromium has no context for its pages.");
      const body = `<meta charset="utf-8"><script type="module">${script}</script>`;
      await context.route("http://store.test/", (route) => route.fulfill({ contentType: "text/html", body }));
      return new KillableBrowser(context, process);
    } catch (error) {
      await ended(process);
      if (attempts === 1) throw error;
      return KillableBrowser.launch(profile, script, attempts - 1);
    }
  }

  /** Opens a page. All pages have the same origin. */
  async open(): Promise<Page> {
    const page = await this.#context.newPage();
    await page.goto("http://store.test/");
    return page;
  }

  /** Ends the process of a page. */
  async crash(page: Page): Promise<void> {
    const session = await this.#context.newCDPSession(page);
    const crashed = page.waitForEvent("crash");
    session.send("Page.crash").catch(() => {}); // Nobody is left to answer it.
    await crashed;
    await page.close();
  }

  /** Ends all processes of the browser. */
  kill(): Promise<void> {
    return ended(this.#process);
  }
}
