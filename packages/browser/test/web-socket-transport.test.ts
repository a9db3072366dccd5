import { transportContract } from "@ocppj/testing";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { Browser } from "./browser.ts";
import { bundle } from "./bundle.ts";
import { chromium } from "./chromium.ts";
import { FarEnds } from "./far-end.ts";
import type {} from "./pages/transport.ts"; // For what it declares global; it runs in the page.

describe.skipIf(chromium === undefined)("WebSocketTransport", () => {
  let browser: Browser;
  let farEnds: FarEnds;
  let page: Page;

  beforeAll(async () => {
    farEnds = await FarEnds.listen();
    browser = await Browser.launch();
    page = await browser.open(await bundle("transport.ts"), {
      functions: { farEndUrl: () => farEnds.url, commandFarEnd: farEnds.command.bind(farEnds) },
    });
  }, 60_000);

  afterEach(() => farEnds.terminate());

  afterAll(async () => {
    await browser.close();
    farEnds.close();
  });

  describe("keeps the transport contract", () => {
    const options = { binaryCloseCode: 4003, patienceMs: 4000 };
    const unused = () => Promise.reject(new Error("The rules run in the page."));
    for (const { title } of transportContract(unused, options)) {
      test(title, () => page.evaluate(([rule, how]) => obey(rule, how), [title, options] as const));
    }
  });

  test("stays open after handshakeTimeoutMs", async () => {
    const received = await page.evaluate(async () => {
      const { transport, peer } = await openLink({ handshakeTimeoutMs: 50 });
      const other = await openLink({ closeTimeoutMs: 100 });
      await other.peer.stall();
      other.transport.close();
      await listenTo(other.transport).closed; // 100 ms have passed.
      transport.send("still here");
      return await peer.receive();
    });
    expect(received).toBe("still here");
  });

  test("reassembles a fragmented message [J-144]", async () => {
    const messages = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      const heard = listenTo(transport);
      await peer.sendFragments(['[2,"1",', '"Heart', 'beat",{}]']);
      await peer.close(1000, "");
      await heard.closed;
      return heard.messages;
    });
    expect(messages).toEqual(['[2,"1","Heartbeat",{}]']);
  });

  test("gives a binary message up with 1003, which goes out as 4003, and delivers nothing after it [J-047]", async () => {
    const heard = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      const { messages, closed } = listenTo(transport);
      await peer.send("before");
      await Promise.all([peer.sendBinary([0x5b, 0x5d]), peer.send("after")]);
      return { closed: await closed, peerClosed: await peer.closed(), messages };
    });
    const reason = "OCPP-J messages are text messages";
    expect(heard).toEqual({
      closed: { code: 1003, reason },
      peerClosed: { code: 4003, reason },
      messages: ["before"],
    });
  });

  test("gives a message of more bytes than maxFrameBytes up with 1009, which goes out as 4009 [J-143]", async () => {
    const heard = await page.evaluate(async () => {
      const { transport, peer } = await openLink({ maxFrameBytes: 9 });
      const { messages, closed } = listenTo(transport);
      await peer.send("ääää!");
      await peer.send("ääää!!");
      return { closed: await closed, peerClosed: await peer.closed(), messages };
    });
    const reason = "More than 9 bytes";
    expect(heard).toEqual({ closed: { code: 1009, reason }, peerClosed: { code: 4009, reason }, messages: ["ääää!"] });
  });

  test("reads messages of up to 1 MiB by default [J-143]", async () => {
    const heard = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      const { messages, closed } = listenTo(transport);
      await peer.send("x".repeat(2 ** 20));
      await peer.send("x".repeat(2 ** 20 + 1));
      return { code: (await closed).code, lengths: messages.map(({ length }) => length) };
    });
    expect(heard).toEqual({ code: 1009, lengths: [2 ** 20] });
  });

  test.each([
    ["long", "x".repeat(100_000), 11],
    ["empty", "", 10_500],
  ])("gives the connection up with 1008 when too many %s messages arrive before listen", async (_, text, count) => {
    const heard = await page.evaluate(
      async ([message, times]) => {
        const { transport, peer } = await openLink();
        await peer.sendOften(message, times);
        const peerClosed = await peer.closed();
        const { messages, closed } = listenTo(transport);
        return { closed: await closed, peerClosed, messages };
      },
      [text, count] as const,
    );
    const reason = "Too much to keep until somebody listens";
    expect(heard).toEqual({ closed: { code: 1008, reason }, peerClosed: { code: 4008, reason }, messages: [] });
  });

  test("keeps what arrives before listen, up to 1 MiB", async () => {
    const lengths = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      await peer.sendOften("x".repeat(100_000), 10);
      await peer.close(1000, "");
      await peer.closed();
      const { messages, closed } = listenTo(transport);
      await closed;
      return messages.map(({ length }) => length);
    });
    expect(lengths).toEqual(Array(10).fill(100_000));
  });

  test("delivers the next message although the listener threw at the one before it", async () => {
    const errors: string[] = [];
    page.on("pageerror", ({ message }) => errors.push(message));
    const heard = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      for (const text of ["early 1", "early 2"]) await peer.send(text);
      await (await openLink()).peer.send("By now, the others have arrived.");
      const { messages, closed } = listenTo(transport, () => {
        throw new Error("out of the listener");
      });
      for (const text of ["late 1", "late 2"]) await peer.send(text);
      await peer.close(1000, "");
      await closed;
      return messages;
    });
    page.removeAllListeners("pageerror");
    expect(heard).toEqual(["early 1", "early 2", "late 1", "late 2"]);
    expect(errors).toEqual(Array(4).fill("out of the listener"));
  });

  test("delivers no message once it is closing, of those that arrived before listen neither", async () => {
    const messages = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      for (const text of ["one", "two"]) await peer.send(text);
      await (await openLink()).peer.send("By now, the others have arrived.");
      const { messages, closed } = listenTo(transport, () => transport.close());
      await closed;
      return messages;
    });
    expect(messages).toEqual(["one"]);
  });

  test("ignores close once the peer has closed, also before listen", async () => {
    const heard = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      await peer.send("last");
      await peer.close(4001, "done");
      await peer.closed();
      await (await openLink()).peer.send("By now, this end knows.");
      transport.close();
      const { messages, closed } = listenTo(transport);
      return { closed: await closed, messages };
    });
    expect(heard).toEqual({ closed: { code: 4001, reason: "done" }, messages: ["last"] });
  });

  test("ignores send once it is closing, however much that would be", async () => {
    const closed = await page.evaluate(async () => {
      const { transport } = await openLink({ maxBufferedBytes: 1000 });
      transport.close(3001, "enough");
      for (let sent = 0; sent < 3; sent += 1) transport.send("x".repeat(1000));
      return await listenTo(transport).closed;
    });
    expect(closed).toEqual({ code: 3001, reason: "enough" });
  });

  test("says that it is closing, whichever end has begun that, before the close is reported", async () => {
    const states = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      const other = await openLink({ maxBufferedBytes: 1000, closeTimeoutMs: 100 });
      const states = [transport.closing, other.transport.closing];
      await peer.close(4001, "done");
      await peer.closed();
      await (await openLink()).peer.send("By now, this end knows.");
      states.push(transport.closing);
      await other.peer.stall();
      for (let sent = 0; sent < 3; sent += 1) other.transport.send("x".repeat(1000));
      return [...states, other.transport.closing];
    });
    expect(states).toEqual([false, false, true, true]);
  });

  test("gives a peer that does not read up with 1008 once maxBufferedBytes wait to be sent", async () => {
    const closed = await page.evaluate(async () => {
      const { transport, peer } = await openLink({ maxBufferedBytes: 1_000_000, closeTimeoutMs: 100 });
      const heard = listenTo(transport);
      await peer.stall();
      for (let sent = 0; sent < 6; sent += 1) transport.send("x".repeat(200_000));
      return await heard.closed;
    });
    expect(closed).toEqual({ code: 1008, reason: "1000000 bytes wait to be read" });
  });

  test("sends a single message that is larger than maxBufferedBytes", async () => {
    const length = await page.evaluate(async () => {
      const { transport, peer } = await openLink({ maxBufferedBytes: 1000 });
      transport.send("x".repeat(100_000));
      return (await peer.receive())?.length;
    });
    expect(length).toBe(100_000);
  });

  test("reports 1006 after closeTimeoutMs, and nothing more when the peer answers after all", async () => {
    const heard = await page.evaluate(async () => {
      const { transport, peer } = await openLink({ closeTimeoutMs: 100 });
      const { messages, closes, closed } = listenTo(transport);
      await peer.stall();
      transport.close(3001, "enough");
      await closed;
      await peer.send("too late");
      await peer.resume();
      const peerClosed = await peer.closed();
      await (await openLink()).peer.send("By now, the other close has arrived.");
      return { messages, closes, peerClosed };
    });
    expect(heard).toEqual({
      messages: [],
      closes: [{ code: 1006, reason: "" }],
      peerClosed: { code: 3001, reason: "enough" },
    });
  });

  test.each([
    [1000, 1000],
    [1001, 4001],
    [1008, 4008],
    [3000, 3000],
    [4999, 4999],
    [2999, 1000],
    [5000, 1000],
    [0, 1000],
    [Number.NaN, 1000],
  ])("closes with %i as %i, which a page may use", async (code, permitted) => {
    const closed = await page.evaluate(async (given) => {
      const { transport, peer } = await openLink();
      transport.close(given, "reason");
      return await peer.closed();
    }, code);
    expect(closed).toEqual({ code: permitted, reason: "reason" });
  });

  test("cuts a close reason off after 123 bytes, at the end of a character", async () => {
    const closed = await page.evaluate(async () => {
      const { transport, peer } = await openLink();
      transport.close(3000, `${"x".repeat(121)}ää`);
      return await peer.closed();
    });
    expect(closed).toEqual({ code: 3000, reason: `${"x".repeat(121)}ä` });
  });
});
