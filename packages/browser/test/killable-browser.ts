import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type BrowserContext, chromium as driver, type Page } from "playwright-core";
import { chromium } from "./chromium.ts";

/** A headless Chromium that keeps what its pages store in a folder, and that can be killed at any moment. */
export class KillableBrowser {
  readonly #context: BrowserContext;
  readonly #process: ChildProcess;

  private constructor(context: BrowserContext, process: ChildProcess) {
    this.#context = context;
    this.#process = process;
  }

  /**
   * @param profile - The folder. One browser at a time can use it.
   * @param script - What its pages run, a module.
   */
  static async launch(profile: string, script: string): Promise<KillableBrowser> {
    const options = ["--headless", "--no-sandbox", "--remote-debugging-port=0", `--user-data-dir=${profile}`];
    const process = spawn(chromium ?? "", options, { stdio: ["ignore", "ignore", "pipe"] });
    for await (const line of createInterface({ input: process.stderr })) {
      const [, endpoint] = /DevTools listening on (\S+)/.exec(line) ?? [];
      if (endpoint === undefined) continue;
      process.stderr.resume();
      const [context] = (await driver.connectOverCDP(endpoint)).contexts();
      if (context === undefined) break;
      const body = `<meta charset="utf-8"><script type="module">${script}</script>`;
      await context.route("http://store.test/", (route) => route.fulfill({ contentType: "text/html", body }));
      return new KillableBrowser(context, process);
    }
    throw new Error("Chromium has ended before it could be driven.");
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
  async kill(): Promise<void> {
    this.#process.kill("SIGKILL");
    await once(this.#process, "exit");
  }
}
