import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { boot, reading, start, stop, TestBackEnd } from "../test-back-end.ts";

const executablePath = process.env.CHROMIUM ?? "/usr/bin/chromium";

const backEnd = new TestBackEnd({
  open: true,
  ocpp: { newcomers: "Accepted" },
  live: { frames: 20, intervalMs: 5 },
});

// A missing Chromium is a failure in CI, where nobody would notice.
describe.skipIf(!existsSync(executablePath) && !process.env.CI)("the page", { timeout: 60_000 }, () => {
  let browser: Browser;
  let page: Page;
  /** What the page, or somebody in its name, has done that it should not. */
  let wrongs: string[];

  beforeAll(async () => {
    // Chromium refuses to run as root with its sandbox; nothing but our own page is loaded.
    browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-quic"] });
  }, 60_000);
  afterAll(() => browser.close());

  beforeEach(async () => {
    await backEnd.request("/id-tags/04E91C5A", { status: "Accepted" }, "PUT");
    wrongs = [];
    page = await browser.newPage({ viewport: { width: 1280, height: 720 } });
    page.on("pageerror", (error) => wrongs.push(String(error)));
    page.on("dialog", (dialog) => {
      wrongs.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on("console", (message) => {
      if (message.type() === "error" && !message.text().includes("ERR_")) wrongs.push(message.text());
    });
  });
  afterEach(async () => {
    await page.close();
    expect(wrongs).toEqual([]);
  });

  const open = async (): Promise<void> => {
    await page.goto(backEnd.running.url);
    await page.locator("#state", { hasText: "Live" }).waitFor();
  };
  const charger = (identity = "CP001") => page.locator(`.charger[data-identity=${JSON.stringify(identity)}]`);
  /** Waits until a part of the page has a text. */
  const see = (selector: string, text: string | RegExp) =>
    page.locator(selector).filter({ hasText: text }).first().waitFor();

  it("shows chargers, connectors and transactions as they change", async () => {
    await open();
    expect(await page.getByText("No charger has connected yet.").isVisible()).toBe(true);

    const connection = await backEnd.connect();
    await charger().getByText("has not booted here yet").waitFor();
    await connection.call("BootNotification", { ...boot, firmwareVersion: "1.1" });
    await charger().getByText("VENDOR · CP001 · 1.1").waitFor();
    await connection.call("StatusNotification", { connectorId: 2, status: "Charging", errorCode: "NoError" });
    const { transactionId } = await connection.call("StartTransaction", start({ connectorId: 2 }));
    await connection.call("MeterValues", reading(transactionId, 6234, "2026-01-01T08:10:00Z"));
    await charger().getByText("1.23 kWh").waitFor();
    await charger().getByText("transaction 1 · 04E91C5A").waitFor();
    expect(await page.locator("#summary").textContent()).toBe("1 of 1 online, 1 car charges");

    await connection.call("StopTransaction", stop(transactionId));
    const fault = { connectorId: 2, status: "Faulted", errorCode: "OtherError", info: "wet" } as const;
    await connection.call("StatusNotification", fault);
    await charger().getByText("OtherError: wet").waitFor();
    expect(await charger().locator(".transaction").isVisible()).toBe(false);
    connection.close();
    await charger().getByText("offline since").waitFor();
    expect(await page.locator("#summary").textContent()).toBe("0 of 1 online, 0 cars charge");
  });

  it("shows frames with the action that an answer is about, those of one charger if wanted", async () => {
    await open();
    const connection = await backEnd.boot("CP001");
    await backEnd.boot("CP002");
    await see(
      ".frame[data-type=CALL][data-direction=in]",
      /CP001 →\s*BootNotification\s*\{"chargePointVendor":"VENDOR"/,
    );
    await see(".frame[data-type=CALLRESULT][data-direction=out]", /→ CP002\s*BootNotification ✓/);

    await page.getByLabel("of").selectOption("CP001");
    expect(await page.locator(".frame").count()).toBe(2);
    connection.handle("Reset", () => {
      throw new Error("no");
    });
    await backEnd.request("/chargers/CP001/calls/Reset", { type: "Soft" });
    await see(".frame[data-type=CALLERROR]", /CP001 →\s*Reset InternalError/);
    expect(await page.locator(".frame", { hasText: "CP002" }).count()).toBe(0);
    await page.getByLabel("of").selectOption("");
    expect(await page.locator(".frame", { hasText: "CP002" }).count()).toBe(2);
  });

  it("keeps the frames still while it is paused, and loses none", async () => {
    await open();
    const connection = await backEnd.boot();
    await see(".frame[data-type=CALLRESULT]", "BootNotification");
    await page.getByRole("button", { name: "Pause" }).click();
    await connection.call("StatusNotification", { connectorId: 1, status: "Preparing", errorCode: "NoError" });
    await charger().getByText("Preparing").waitFor();
    expect(await page.locator(".frame").count()).toBe(2);

    await page.getByRole("button", { name: "Go on" }).click();
    expect(await page.locator(".frame").count()).toBe(4);
  });

  it("keeps the frames still while it is paused, even if the back end restarts meanwhile", async () => {
    await open();
    const { port } = new URL(backEnd.running.url);
    await backEnd.boot();
    await see(".frame[data-type=CALLRESULT]", "BootNotification");
    await page.getByRole("button", { name: "Pause" }).click();
    await backEnd.stop();
    await see("#state", "Disconnected, trying again");
    await backEnd.start({ api: { port: Number(port) } });
    await backEnd.boot("CP002");
    await charger("CP002").waitFor();
    expect(await page.locator(".frame").count()).toBe(2);

    await page.getByRole("button", { name: "Go on" }).click();
    expect(await page.locator(".frame .from").allTextContents()).toEqual(["CP002 →", "→ CP002"]);
  });

  it("says on which day a charger went offline, if that was not today", async () => {
    const { chargers, database } = backEnd.tables;
    chargers.connected("CP001", "Accepted");
    database.prepare("UPDATE chargers SET lastSeenAt = '2020-02-03T12:00:00Z'").run();
    chargers.connected("CP002", "Accepted");
    await open();

    expect(await charger().locator(".online").textContent()).toMatch(/2020/);
    expect(await charger("CP002").locator(".online").textContent()).toMatch(/^offline since \d\d:\d\d:\d\d$/);
  });

  it("shows a bounded number of frames, to those who come later, too", async () => {
    await open();
    const connection = await backEnd.boot();
    for (let index = 0; index < 110; index++) {
      await connection.call("Authorize", { idTag: `TAG-${index}` });
      if (index % 5 === 4) await see(".frame", `TAG-${index}`);
    }
    expect(await page.locator(".frame").count()).toBe(200);

    await page.reload();
    await see(".frame", "TAG-109");
    expect(await page.locator(".frame").count()).toBe(20);
  });

  it("comes back by itself when the back end does", async () => {
    await open();
    const { port } = new URL(backEnd.running.url);
    await backEnd.boot();
    await charger().waitFor();
    await page.getByLabel("of").selectOption("CP001");
    await backEnd.stop();
    await see("#state", "Disconnected, trying again");
    await backEnd.start({ api: { port: Number(port) } });
    await see("#state", "Live");
    await charger().getByText("offline since").waitFor();
    expect(await page.locator("#of option").allTextContents()).toEqual(["all chargers", "CP001"]);
    expect(await page.getByLabel("of").inputValue()).toBe("CP001");
  });

  const script = "<img src=x onerror=alert(1)><script>alert(2)</script>\"'><svg/onload=alert(3)>";
  const short = "<script>alert(4)</script>".slice(0, 20);

  it("runs nothing that a charger says", async () => {
    await open();
    const identity = `"]${script}`;
    const connection = await backEnd.connect(identity);
    await connection.call("BootNotification", {
      chargePointVendor: "<img src=x onerror=a",
      chargePointModel: "<b>bold</b>",
      firmwareVersion: '"><svg/onload=alert(1)>',
    });
    const info = "<img src=x onerror=alert(5)>";
    await connection.call("StatusNotification", { connectorId: 1, status: "Faulted", errorCode: "OtherError", info });
    await connection.call("StartTransaction", start({ idTag: short }));
    await connection.call("DataTransfer", {
      vendorId: script,
      data: `${script}</script>\n\nevent: everything\ndata: {}`,
    });
    await see(".error", info);
    await see(".identity", "<img src=x onerror=alert(1)>");
    await see(".about", '<b>bold</b> · "><svg/onload=alert(1)>');
    await see(".transaction", `transaction 1 · ${short}`);
    await see(".frame", "event: everything");
    expect(await page.locator("main img, main script, main svg, main b").count()).toBe(0);
    expect(await page.locator(".charger").count()).toBe(1);
    expect(await page.locator("#of option").count()).toBe(2);
  });

  it("could run nothing of a charger's even if it wrote it as HTML", async () => {
    await open();
    const violated = await page.evaluate(async (html) => {
      const violation = new Promise<string>((resolve) =>
        document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => resolve(effectiveDirective)),
      );
      try {
        document.body.innerHTML = html;
      } catch {
        // Trusted types.
      }
      return violation;
    }, script);
    expect(violated).toBe("require-trusted-types-for");
    const { headers } = await fetch(backEnd.running.url);
    expect(headers.get("Content-Security-Policy")).toContain("default-src 'none'; script-src 'self';");
    wrongs = wrongs.filter((wrong) => !wrong.includes("TrustedHTML"));
  });

  it("has a name for each part, and can be used without a mouse", async () => {
    await open();
    await backEnd.boot();
    await charger().waitFor();
    expect(await page.getByRole("heading", { level: 1, name: "Chargers" }).count()).toBe(1);
    expect(await page.getByRole("region", { name: "Frames" }).count()).toBe(1);
    expect(await page.getByRole("heading", { level: 3, name: "CP001" }).count()).toBe(1);
    expect(await page.getByRole("status").textContent()).toBe("Live");
    for (const focused of ["of", "pause", "frames"]) {
      await page.keyboard.press("Tab");
      expect(await page.evaluate(() => document.activeElement?.id)).toBe(focused);
    }
  });
});
