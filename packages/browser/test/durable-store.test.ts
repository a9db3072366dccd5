import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memoryStore } from "@ocppj/core";
import { recordStoreContract } from "@ocppj/testing";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Browser } from "./browser.ts";
import { bundle } from "./bundle.ts";
import { chromium } from "./chromium.ts";
import { KillableBrowser } from "./killable-browser.ts";
import "./pages/durable-store.ts"; // For what it declares global; it runs in the page.

describe.skipIf(chromium === undefined)("durableStore", () => {
  let script: string;
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    script = await bundle("durable-store.ts");
    browser = await Browser.launch();
    page = await browser.open(script);
  }, 60_000);

  afterAll(() => browser.close());

  describe("keeps the contract", () => {
    for (const { title } of recordStoreContract(memoryStore, { exclusive: true })) {
      test(title, () => page.evaluate((rule) => obeyStoreRule(rule), title));
    }
  });

  test("asks for transactions that are on the disk when they end", async () => {
    const durabilities = await page.evaluate(async () => {
      const made: string[] = [];
      const { transaction } = IDBDatabase.prototype;
      IDBDatabase.prototype.transaction = function (...args) {
        const result = transaction.apply(this, args);
        made.push(`${result.mode} ${result.durability}`);
        return result;
      };
      const store = openStore("durability");
      await store.put("a", "1");
      await store.delete("a");
      IDBDatabase.prototype.transaction = transaction;
      await store.close();
      return made;
    });
    expect(durabilities).toEqual(["readwrite strict", "readwrite strict"]);
  });

  test("says which store has been closed", async () => {
    const messages = await page.evaluate(async () => {
      const store = openStore("closed store");
      await store.close();
      const operations = [store.load(""), store.put("a", "1"), store.delete("a")];
      return (await Promise.allSettled(operations)).map((outcome) => "reason" in outcome && outcome.reason.message);
    });
    expect(messages).toEqual(Array(3).fill('The store "closed store" is closed.'));
  });

  test("says why it cannot be opened, and opens it once that is possible", async () => {
    const { messages, keys } = await page.evaluate(async () => {
      const name = "of a later version";
      const completed = <Result>(request: IDBRequest<Result>) =>
        new Promise<Result>((resolve) => {
          request.onsuccess = () => resolve(request.result);
        });
      const later = await completed(indexedDB.open(name, 2));
      const store = openStore(name);
      const outcomes = await Promise.allSettled([store.put("a", "1"), store.load("")]);
      later.close();
      await completed(indexedDB.deleteDatabase(name));
      await store.put("b", "1");
      const keys = (await store.load("")).map(({ key }) => key);
      await store.close();
      return { messages: outcomes.map((outcome) => "reason" in outcome && outcome.reason.message), keys };
    });
    const sentence = /^The store "of a later version" cannot be opened: .*version/;
    expect(messages).toEqual([expect.stringMatching(sentence), expect.stringMatching(sentence)]);
    expect(keys).toEqual(["b"]);
  });

  test("can be closed although it cannot be opened", async () => {
    await page.evaluate(async () => {
      const store = openStore("unreachable");
      const { open } = IDBFactory.prototype;
      IDBFactory.prototype.open = () => {
        throw new Error("not now");
      };
      const put = store.put("a", "1").catch(() => {});
      await store.close();
      await put;
      IDBFactory.prototype.open = open;
    });
  });

  describe("is refused while another page uses the database", () => {
    /** A page that has written into the store, and another one of the same origin that has not. */
    async function twoPages(name: string): Promise<[first: Page, second: Page]> {
      const context = await page.context().browser()?.newContext();
      if (context === undefined) throw new Error("The browser is gone.");
      const [first, second] = [await context.newPage(), await context.newPage()];
      await Promise.all([first.goto(page.url()), second.goto(page.url())]);
      await first.evaluate((name) => openStore(name).put("a", "1"), name);
      return [first, second];
    }

    const keysIn = async (page: Page, name: string): Promise<string[] | string> =>
      page.evaluate(async (name) => {
        const store = openStore(name);
        try {
          return (await store.load("")).map(({ key }) => key);
        } catch (error) {
          return (error as Error).message;
        } finally {
          await store.close();
        }
      }, name);

    const sentence = (name: string): string =>
      `The store "${name}" cannot be opened: it is in use by another page or store. Close that one first.`;

    test("until that page is closed", async () => {
      const [first, second] = await twoPages("of a page that is closed");
      expect(await keysIn(second, "of a page that is closed")).toBe(sentence("of a page that is closed"));
      await first.close();
      expect(await keysIn(second, "of a page that is closed")).toEqual(["a"]);
      await second.close();
    });

    test("until that page is loaded again, which has no need to wait for itself", async () => {
      const [first, second] = await twoPages("of a page that is loaded again");
      expect(await keysIn(second, "of a page that is loaded again")).toBe(sentence("of a page that is loaded again"));
      await first.reload();
      expect(await keysIn(first, "of a page that is loaded again")).toEqual(["a"]);
      expect(await keysIn(second, "of a page that is loaded again")).toEqual(["a"]);
      await Promise.all([first.close(), second.close()]);
    });
  });

  test("lets go of the database when it is closed", async () => {
    const outcome = await page.evaluate(async () => {
      const store = openStore("let go");
      await store.put("a", "1");
      await store.close();
      const deletion = indexedDB.deleteDatabase("let go");
      return new Promise((resolve) => {
        deletion.onsuccess = () => resolve("deleted");
        deletion.onblocked = () => resolve("blocked");
      });
    });
    expect(outcome).toBe("deleted");
  });

  test("goes on, empty, when the browser has deleted everything", async () => {
    const store = await page.evaluateHandle(() => openStore("deleted"));
    await store.evaluate((store) => store.put("a", "1"));
    const session = await page.context().newCDPSession(page);
    await session.send("Storage.clearDataForOrigin", { origin: new URL(page.url()).origin, storageTypes: "indexeddb" });
    const keys = await store.evaluate(async (store) => {
      await store.put("b", "1");
      const records = await store.load("");
      await store.close();
      return records.map(({ key }) => key);
    });
    expect(keys).toEqual(["b"]);
  });

  describe("has everything that was put, and nothing that was deleted [CORE-TXQ-16]", () => {
    let profile: string;
    let killable: KillableBrowser;

    beforeAll(() => {
      profile = mkdtempSync(join(tmpdir(), "ocppj-profile-"));
    });

    beforeEach(async () => {
      killable = await KillableBrowser.launch(profile, script);
    }, 60_000);

    afterEach(() => killable.kill());

    // The processes of a browser that was killed write a little longer.
    afterAll(() => rm(profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));

    test("after a page was closed", { timeout: 60_000 }, async () => {
      const writes = new Writes("before a close");
      const reader = await killable.open();
      for (let round = 0; round < 10; round++) {
        const writer = await killable.open();
        await writes.begin(writer, round);
        await writer.close();
        await writes.expectKept(reader);
      }
      writes.expectMany();
    });

    test("after a page crashed", { timeout: 60_000 }, async () => {
      const writes = new Writes("before a crash");
      for (let round = 0; round < 4; round++) {
        const writer = await killable.open();
        await writes.begin(writer, round);
        await killable.crash(writer);
        await writes.expectKept(await killable.open());
      }
      writes.expectMany();
    });

    test("after the browser was killed", { timeout: 120_000 }, async () => {
      const writes = new Writes("before a kill");
      for (let round = 0; round < 4; round++) {
        await writes.begin(await killable.open(), round);
        await killable.kill();
        killable = await KillableBrowser.launch(profile, script);
        await writes.expectKept(await killable.open());
      }
      writes.expectMany();
    });
  });
});

/** What pages have written into one store. */
class Writes {
  readonly #put: string[] = [];
  readonly #deleted: string[] = [];
  readonly #store: string;

  constructor(store: string) {
    this.#store = store;
  }

  /** Lets a page write, and returns while it does, after a number of writes that differs from round to round. */
  async begin(page: Page, round: number): Promise<void> {
    let left = 1 + ((round * 37) % 200);
    await new Promise<void>((resolve) => {
      const writeDone = (type: "put" | "deleted", key: string): void => {
        (type === "put" ? this.#put : this.#deleted).push(key);
        if (--left === 0) resolve();
      };
      void page
        .exposeFunction("writeDone", writeDone)
        .then(() => page.evaluate((args) => writeWithoutEnd(...args), [this.#store, `${round}/`] as const));
    });
  }

  async expectKept(page: Page): Promise<void> {
    const records = await page.evaluate(async (name) => {
      const store = openStore(name);
      const records = await store.load("");
      await store.close();
      return records;
    }, this.#store);
    const found = new Map(records.map(({ key, value }) => [key, value]));
    // A deletion that was not reported may have happened nevertheless.
    const lasting = this.#put.filter((key) => Number(key.split("/")[1]) % 3 !== 0);
    expect(lasting.filter((key) => found.get(key) !== key.repeat(100))).toEqual([]);
    expect(this.#deleted.filter((key) => found.has(key))).toEqual([]);
  }

  /** That there was something to be lost. */
  expectMany(): void {
    expect(this.#put.length).toBeGreaterThan(100);
    expect(this.#deleted.length).toBeGreaterThan(30);
  }
}
