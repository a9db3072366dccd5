import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { identityFromPath } from "@ocppj/core";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Browser } from "./browser.ts";
import { bundle } from "./bundle.ts";
import { chromium } from "./chromium.ts";
import type {} from "./pages/attempt.ts"; // For what it declares global; it runs in the page.
import { answering, choosing, ScriptedCentralSystem, silent } from "./scripted-central-system.ts";

const started: ScriptedCentralSystem[] = [];

async function centralSystem(answer: Parameters<typeof ScriptedCentralSystem.start>[0]) {
  const centralSystem = await ScriptedCentralSystem.start(answer);
  started.push(centralSystem);
  return centralSystem;
}

afterEach(async () => {
  for (const centralSystem of started.splice(0)) await centralSystem.stop();
});

describe.skipIf(chromium === undefined)("connect, in Chromium", () => {
  let browser: Browser;
  let page: Page;

  beforeAll(async () => {
    browser = await Browser.launch();
    page = await browser.open(await bundle("attempt.ts"));
  }, 60_000);

  afterAll(() => browser.close());

  /** Lets the page connect. */
  const attempt = (...args: Parameters<typeof globalThis.attempt>) =>
    page.evaluate((given) => globalThis.attempt(...given), args);

  test("offers the subprotocol ocpp1.6 and no other [J-020] [J-021]", async () => {
    const { url, requests } = await centralSystem(choosing("ocpp1.6"));
    expect(await attempt({ url, identity: "CP001" })).toEqual({ outcome: "opened" });
    expect(requests.map(({ headers }) => headers["sec-websocket-protocol"])).toEqual(["ocpp1.6"]);
  });

  test.each([
    ["CP001", "", "/ocpp/CP001"],
    ["RDAM 123", "", "/ocpp/RDAM%20123"],
    ["RDAM 123", "/?key=a/b", "/ocpp/RDAM%20123?key=a/b"],
    ["depot/7?#%", "", "/ocpp/depot%2F7%3F%23%25"],
    ["Zürich 🔌", "", "/ocpp/Z%C3%BCrich%20%F0%9F%94%8C"],
  ])('carries the identity "%s" in the URL [J-005] [J-006] [J-007] [J-008]', async (identity, suffix, path) => {
    const { url, requests } = await centralSystem(choosing("ocpp1.6"));
    expect(await attempt({ url: `${url}${suffix}`, identity })).toEqual({ outcome: "opened" });
    const [request] = requests;
    expect(request?.url).toBe(path);
    expect(identityFromPath(request?.url ?? "", "/ocpp")).toBe(identity);
  });

  test.each([
    ["no subprotocol is chosen [J-026]", choosing(false)],
    ["a subprotocol is chosen that was not offered [J-027]", choosing("ocpp2.0.1")],
    ["the answer is 401 [J-186]", answering("401 Unauthorized", 'WWW-Authenticate: Basic realm="OCPP"')],
    ["the answer is 404", answering("404 Not Found")],
    ["the answer is a redirection", answering("301 Moved Permanently", "Location: ws://elsewhere.test/")],
    ["the connection ends without an answer", (_: unknown, socket: { end(): void }) => socket.end()],
  ])("rejects with HandshakeError and leaves no socket behind when %s", async (_, answer) => {
    const refusing = await centralSystem(answer);
    expect(await attempt({ url: refusing.url, identity: "CP 1" })).toEqual({
      outcome: "rejected",
      name: "HandshakeError",
      reason: "network",
      message:
        `The Central System at ${refusing.url}/CP%201 did not open a WebSocket. Browsers do not tell why: check the URL, ` +
        "the network and the certificate, and whether the Central System knows the identity, asks for no password and " +
        'speaks "ocpp1.6". If it may do so without choosing it, connect with the option tolerate: ' +
        "[quirks.missingSubprotocol].",
      url: `${refusing.url}/CP%201`,
    });
    expect(refusing.requests).toHaveLength(1);
    await refusing.socketsGone();
  });

  test("opens where no subprotocol is chosen when that is tolerated: by offering none, after it was refused [Q18]", async () => {
    const { url, requests } = await centralSystem(choosing(false));
    expect(await attempt({ url, identity: "CP1" }, {}, ["missingSubprotocol"])).toEqual({
      outcome: "opened",
      tolerated: ["missingSubprotocol"],
    });
    expect(requests.map(({ headers }) => headers["sec-websocket-protocol"])).toEqual(["ocpp1.6", undefined]);
  });

  test("needs one attempt, and tolerates nothing, where ocpp1.6 is chosen [Q18]", async () => {
    const { url, requests } = await centralSystem(choosing("ocpp1.6"));
    expect(await attempt({ url, identity: "CP1" }, {}, ["missingSubprotocol"])).toEqual({ outcome: "opened" });
    expect(requests).toHaveLength(1);
  });

  test("rejects in spite of the quirk where nobody opens a WebSocket, and leaves no socket behind [Q18]", async () => {
    const refusing = await centralSystem(answering("404 Not Found"));
    expect(await attempt({ url: refusing.url, identity: "CP1" }, {}, ["missingSubprotocol"])).toMatchObject({
      name: "HandshakeError",
      reason: "network",
    });
    await refusing.socketsGone();
  });

  test("is not tried again in spite of the quirk after a time-out [Q18]", async () => {
    const slow = await centralSystem(silent);
    expect(
      await attempt({ url: slow.url, identity: "CP1" }, { handshakeTimeoutMs: 50 }, ["missingSubprotocol"]),
    ).toMatchObject({ name: "HandshakeError", reason: "timeout" });
    expect(slow.requests).toHaveLength(1);
    await slow.socketsGone();
  });

  test("rejects with HandshakeError when the connection is refused", async () => {
    const gone = await centralSystem(silent);
    const { url } = gone;
    await gone.stop();
    expect(await attempt({ url, identity: "CP1" })).toMatchObject({ name: "HandshakeError", reason: "network" });
  });

  test("rejects with HandshakeError after handshakeTimeoutMs, and leaves no socket behind", async () => {
    const slow = await centralSystem(silent);
    expect(await attempt({ url: slow.url, identity: "CP1" }, { handshakeTimeoutMs: 50 })).toMatchObject({
      name: "HandshakeError",
      reason: "timeout",
      message: expect.stringContaining(
        "did not complete the opening handshake within 50 ms. Check the URL and the network",
      ),
    });
    await slow.socketsGone();
  });

  test("ends at once when its signal aborts, leaves no socket behind, and begins nothing afterwards", async () => {
    let isAsked = (): void => {};
    const asked = new Promise<void>((resolve) => (isAsked = resolve));
    const slow = await centralSystem((...request) => {
      silent(...request);
      isAsked();
    });
    const impatient = await browser.open(await bundle("attempt.ts"));
    const attempts = () => impatient.evaluate((url) => globalThis.attempt({ url, identity: "CP1" }), slow.url);
    const first = attempts();
    await asked;
    await impatient.evaluate(() => globalThis.giveUp());
    const givenUp = { outcome: "rejected", name: "Error", message: "Nobody wants it any more." };
    expect(await first).toMatchObject(givenUp);
    await slow.socketsGone();
    expect(await attempts()).toMatchObject(givenUp);
    expect(slow.requests).toHaveLength(1);
    await impatient.close();
  });

  test.each([
    ["no subprotocol [J-026]", undefined, "no subprotocol"],
    ["another subprotocol [J-027]", "ocpp2.0.1", 'the subprotocol "ocpp2.0.1"'],
  ])("rejects with the reason subprotocol where a WebSocket opens with %s", async (_, chosen, choice) => {
    const other = await centralSystem(choosing(chosen ?? false));
    const lenient = await browser.open(await bundle("attempt.ts"));
    // Some runtimes leave the check to their user. Chromium does when nothing else was asked for.
    await lenient.evaluate((protocol) => {
      globalThis.WebSocket = class extends WebSocket {
        constructor(url: string | URL) {
          super(url, protocol);
        }
      };
    }, chosen);
    const ended = await lenient.evaluate((url) => globalThis.attempt({ url, identity: "CP1" }), other.url);
    expect(ended).toMatchObject({
      name: "HandshakeError",
      reason: "subprotocol",
      message: expect.stringContaining(`chose ${choice}, offered "ocpp1.6".`),
      url: `${other.url}/CP1`,
    });
    const tolerant = await lenient.evaluate(
      (url) => globalThis.attempt({ url, identity: "CP1" }, {}, ["missingSubprotocol"]),
      other.url,
    );
    expect(tolerant).toMatchObject(
      chosen === undefined
        ? { outcome: "opened", tolerated: ["missingSubprotocol"] }
        : { name: "HandshakeError", reason: "subprotocol" },
    );
    await other.socketsGone();
    await lenient.close();
  });

  test("waits for the opening handshake for as long as handshakeTimeoutMs says", async () => {
    const { url } = await centralSystem(choosing("ocpp1.6"));
    expect(await attempt({ url, identity: "CP1" }, { handshakeTimeoutMs: 1e12 })).toEqual({ outcome: "opened" });
  });

  test("rejects with HandshakeError in a page from HTTPS, which may not use ws:", async () => {
    const secure = await browser.open("");
    await secure.route("https://page.test/", (route) =>
      route.fulfill({ contentType: "text/html", body: "<!doctype html><title>Secure</title>" }),
    );
    await secure.goto("https://page.test/");
    await secure.addScriptTag({ type: "module", content: await bundle("attempt.ts") });
    const ended = await secure.evaluate(() =>
      globalThis.attempt({ url: "ws://central-system.test:9/ocpp", identity: "CP1" }),
    );
    expect(ended).toMatchObject({
      name: "HandshakeError",
      reason: "network",
      url: "ws://central-system.test:9/ocpp/CP1",
    });
    await secure.close();
  });

  test.each([
    ["no WebSocket URL", "https://127.0.0.1/ocpp"],
    ["no URL", "ws://[half-an-address/ocpp"],
    ["one with a user name and a password [J-186]", "ws://CP1:secret@127.0.0.1/ocpp"],
    ["one with a user name [J-186]", "ws://CP1@127.0.0.1/ocpp"],
    ["one with nothing but a password [J-186]", "ws://:secret@127.0.0.1/ocpp"],
  ])("rejects with TypeError when the endpoint URL is %s", async (_, url) => {
    expect(await attempt({ url, identity: "CP1" })).toMatchObject({
      name: "TypeError",
      message: expect.stringContaining("endpoint"),
    });
  });

  test("does not repeat a password in its message [J-186]", async () => {
    const url = "ws://CP1:secret@127.0.0.1/ocpp";
    expect(JSON.stringify(await attempt({ url, identity: "CP1" }))).not.toContain("secret");
  });
});

describe("connect, over the WebSocket of Node.js", () => {
  async function attempt(...args: Parameters<typeof globalThis.attempt>): Promise<unknown> {
    const node = spawn(process.execPath, ["--experimental-websocket", "--no-warnings", "--input-type=module"], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    node.stdin.end(
      `${await bundle("attempt.ts")}; console.log(JSON.stringify(await attempt(...${JSON.stringify(args)})));`,
    );
    const [output, [exitCode]] = await Promise.all([text(node.stdout), once(node, "close")]);
    expect(exitCode).toBe(0);
    return JSON.parse(output);
  }

  test("opens a transport when ocpp1.6 is chosen, and keeps the process no longer than that is open", async () => {
    const { url } = await centralSystem(choosing("ocpp1.6"));
    const options = { handshakeTimeoutMs: 600_000, closeTimeoutMs: 600_000 };
    expect(await attempt({ url, identity: "CP1" }, options)).toEqual({ outcome: "opened" });
  });

  test("opens a transport when none is chosen and that is tolerated [Q18]", async () => {
    const { url } = await centralSystem(choosing(false));
    expect(await attempt({ url, identity: "CP1" }, {}, ["missingSubprotocol"])).toEqual({
      outcome: "opened",
      tolerated: ["missingSubprotocol"],
    });
  });

  test("rejects with HandshakeError when no subprotocol is chosen, and leaves no socket behind [J-026]", async () => {
    const other = await centralSystem(choosing(false));
    expect(await attempt({ url: other.url, identity: "CP1" })).toMatchObject({ name: "HandshakeError" });
    await other.socketsGone();
  });

  test("says what the runtime tells of a failure, and passes it on as the cause", async () => {
    const { url } = await centralSystem(answering("404 Not Found"));
    expect(await attempt({ url, identity: "CP1" })).toMatchObject({
      name: "HandshakeError",
      reason: "network",
      message: expect.stringMatching(/ did not open a WebSocket: .*non-101.*\. Otherwise check the URL/),
      cause: expect.stringContaining("non-101"),
    });
  });
});
