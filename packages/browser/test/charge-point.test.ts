import { CentralSystem } from "@ocppj/core";
import { type Listener, listen } from "@ocppj/node";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { Browser } from "./browser.ts";
import { bundle, bundlePublished } from "./bundle.ts";
import { chromium } from "./chromium.ts";
import type {} from "./pages/charge-point.ts"; // For what it declares global; it runs in the page.
import type {} from "./pages/readme.ts"; // It runs in a page of its own.

const currentTime = "2026-01-31T12:00:00Z";

describe.skipIf(chromium === undefined)("a Charge Point in a page", () => {
  let browser: Browser;
  let fromSources: string;
  let asPublished: string;
  let centralSystem: CentralSystem;
  let listener: Listener;

  beforeAll(async () => {
    browser = await Browser.launch();
    fromSources = await bundle("charge-point.ts");
    asPublished = await bundlePublished("charge-point.ts");
  }, 120_000);

  afterAll(() => browser.close());

  beforeEach(async () => {
    centralSystem = new CentralSystem();
    centralSystem.handle("BootNotification", () => ({ status: "Accepted", currentTime, interval: 300 }));
    centralSystem.handle("Heartbeat", () => ({ currentTime }));
    centralSystem.handle("Authorize", ({ idTag }) => ({
      idTagInfo: { status: idTag === "known" ? "Accepted" : "Invalid" },
    }));
    // One of the pages comes from another host.
    listener = await listen(centralSystem, { path: "/ocpp", origins: ["*"] });
  });

  afterEach(() => listener.close());

  /** A whole conversation, in both directions. */
  async function expectConversation(page: Page): Promise<void> {
    const identity = "RDAM 123";
    const experience = await page.evaluate((given) => beChargePoint(...given), [listener.url, identity] as const);
    expect(experience).toEqual({
      boot: { status: "Accepted", currentTime, interval: 300 },
      heartbeat: { currentTime },
      authorize: { idTagInfo: { status: "Accepted" } },
      refusals: ["PropertyConstraintViolation", "FormationViolation"],
    });
    const connection = centralSystem.get(identity);
    expect(await connection?.call("RemoteStartTransaction", { idTag: "known" })).toEqual({ status: "Accepted" });
    expect(await connection?.call("RemoteStartTransaction", { idTag: "stranger" })).toEqual({ status: "Rejected" });
  }

  test("boots, beats, authorizes and answers a RemoteStartTransaction [J-001] [J-006]", async () => {
    await expectConversation(await browser.open(fromSources));
  });

  test("does so with the packages as they are published", async () => {
    await expectConversation(await browser.open(asPublished));
  });

  test("does so under the policy script-src 'self', without trying what that forbids", async () => {
    const { port } = listener;
    const policy = `default-src 'none'; script-src 'self'; connect-src ws://127.0.0.1:${port}`;
    const page = await browser.open(asPublished, { policy });
    await expectConversation(page);
    // That nothing was forbidden means something only because this is. In a task of the page: the test itself may do it.
    const forbidden = await page.evaluate(async () => {
      const violated = new Promise((resolve) => document.addEventListener("securitypolicyviolation", resolve));
      setTimeout(() => new Function(""));
      await violated;
      return violations;
    });
    expect(forbidden).toEqual(["script-src: eval"]);
  });

  test("does so in a page without TLS, which has no crypto.randomUUID [J-050]", async () => {
    const page = await browser.open(fromSources, { host: "charge-point.test" });
    expect(await page.evaluate(() => "randomUUID" in crypto)).toBe(false);
    await expectConversation(page);
  });

  test("is what the README shows", async () => {
    const search = `?url=${encodeURIComponent(listener.url)}`;
    const page = await browser.open(await bundle("readme.ts"), { search });
    await page.waitForFunction(() => document.title === "CP001: Accepted");
    const connection = centralSystem.get("CP001");
    expect(await connection?.call("RemoteStartTransaction", { idTag: "04E91C5A" })).toEqual({ status: "Accepted" });
  });
});
