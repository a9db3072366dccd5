import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { type Browser as Chromium, chromium as driver, type Page } from "playwright-core";
import { chromium } from "./chromium.ts";

declare global {
  /** What the Content-Security-Policy of a page has forbidden it so far. */
  var violations: string[];
}

/** How a page is served. */
export interface PageOptions {
  /** Value of the header Content-Security-Policy. Default: none. */
  readonly policy?: string;
  /** Host name in the URL of the page; any name below `.test` leads to this machine. Default `127.0.0.1`. */
  readonly host?: string;
  /** Query string in the URL of the page. Default: none. */
  readonly search?: string;
  /** Functions of the test that the page can call by these names. */
  readonly functions?: Readonly<Record<string, (...args: never[]) => unknown>>;
}

/** A headless Chromium, and the HTTP server that its pages come from. */
export class Browser {
  readonly #chromium: Chromium;
  readonly #server: Server;
  readonly #scripts: { readonly script: string; readonly policy: string | undefined }[] = [];

  private constructor(running: Chromium, server: Server) {
    this.#chromium = running;
    this.#server = server;
    server.on("request", ({ url = "" }, response) => {
      const [, index, file] = new URL(url, "http://page").pathname.split("/");
      const served = this.#scripts[Number(index)];
      if (served === undefined) return response.writeHead(404).end();
      if (served.policy !== undefined) response.setHeader("Content-Security-Policy", served.policy);
      response.setHeader("Content-Type", file === "" ? "text/html; charset=utf-8" : "text/javascript; charset=utf-8");
      return response.end(file === "" ? '<script type="module" src="script.js"></script>' : served.script);
    });
  }

  static async launch(): Promise<Browser> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    const running = await driver.launch({
      ...(chromium !== undefined && { executablePath: chromium }),
      args: [
        "--no-sandbox", // It refuses to run as root otherwise; nothing but our own pages is loaded.
        "--disable-quic",
        "--host-resolver-rules=MAP *.test 127.0.0.1",
      ],
    });
    return new Browser(running, server);
  }

  /** Opens a page of its own that runs `script`, a module. */
  async open(script: string, options: PageOptions = {}): Promise<Page> {
    const { functions = {}, host = "127.0.0.1", policy, search = "" } = options;
    const index = this.#scripts.push({ script, policy }) - 1;
    const page = await this.#chromium.newPage();
    for (const [name, callback] of Object.entries(functions)) {
      await page.exposeFunction(name, callback as (...args: unknown[]) => unknown);
    }
    await page.addInitScript(() => {
      globalThis.violations = [];
      document.addEventListener("securitypolicyviolation", ({ blockedURI, effectiveDirective }) => {
        violations.push(`${effectiveDirective}: ${blockedURI}`);
      });
    });
    const { port } = this.#server.address() as AddressInfo;
    await page.goto(`http://${host}:${port}/${index}/${search}`);
    return page;
  }

  async close(): Promise<void> {
    await this.#chromium.close();
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
