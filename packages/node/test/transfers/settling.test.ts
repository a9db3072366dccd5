import { once } from "node:events";
import { readdirSync } from "node:fs";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { FakeClock } from "@ocppj/testing";
import { describe, expect, onTestFinished, test } from "vitest";
import { ScriptedFtpServer } from "./scripted-ftp-server.ts";
import { bytesOf, failureOf, newTransfers } from "./set-up.ts";

/** A TCP server that says `words` to whom it knows, and nothing else. */
async function mute(words = "") {
  const sockets = new Set<Socket>();
  let connected = (): void => {};
  const isReached = new Promise<void>((reached) => {
    connected = reached;
  });
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    socket.resume();
    if (words !== "") socket.write(words);
    connected();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  onTestFinished(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { host: `127.0.0.1:${(server.address() as AddressInfo).port}`, isReached, sockets };
}

const head = "HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nsome";

/** Servers that say nothing, by the URL and by what they say at first. */
const silent: readonly (readonly [scheme: string, words: string])[] = [
  ["http", ""],
  ["http", "HTTP/1.1 200 OK\r\n"],
  ["http", head],
  ["https", ""],
  ["ftp", ""],
  ["ftp", "220 Here.\r\n"],
  ["ftps", ""],
  ["ftps", "220 Here.\r\n234 Begin.\r\n"],
];

describe.each(["download", "upload"] as const)("a %s", (direction) => {
  const begin = (transfers: ReturnType<typeof newTransfers>, url: string, by?: AbortSignal) =>
    direction === "download" ? transfers.download(url, by) : transfers.upload(url, bytesOf(1000), "log", by);

  test.each(silent)("by %s from who falls silent after %j ends when nothing moves", async (scheme, words) => {
    const clock = new FakeClock();
    const { host, isReached, sockets } = await mute(words);
    const failed = failureOf(begin(newTransfers({ clock, idleTimeoutMs: 5000 }), `${scheme}://${host}/f`));
    await isReached;
    await clock.advance(5000);
    expect((await failed).message).toMatch(/: nothing moved for 5000 ms\.$/);
    await closed(sockets);
    expect(clock.pending).toBe(0);
  });

  test.each(silent)("by %s from who falls silent after %j ends at once when it is aborted", async (scheme, words) => {
    const { host, isReached, sockets } = await mute(words);
    const controller = new AbortController();
    const clock = new FakeClock();
    const failed = failureOf(begin(newTransfers({ clock }), `${scheme}://${host}/f`, controller.signal));
    await isReached;
    controller.abort("not wanted any more");
    expect(await failed).toBe("not wanted any more");
    await closed(sockets);
    expect(clock.pending).toBe(0);
  });

  test.each(["USER", "PASS", "TYPE", "EPSV", ...(direction === "download" ? ["SIZE", "MDTM", "RETR"] : ["STOR"])])(
    "by FTP whose %s is never answered ends when nothing moves",
    async (silence) => {
      const clock = new FakeClock();
      const server = await ScriptedFtpServer.start({
        reply: (command) => (command === silence ? "silence" : undefined),
      });
      server.files.set("f", bytesOf(1000));
      const failed = failureOf(begin(newTransfers({ clock }), `${server.url}/f`));
      await server.hears(silence);
      await clock.advance(60_000);
      expect((await failed).message).toMatch(/nothing moved/);
      await server.isLeft();
    },
  );

  test("that was aborted before it begins asks nobody", async () => {
    const { host, sockets } = await mute();
    const failed = failureOf(begin(newTransfers(), `http://${host}/`, AbortSignal.abort("never")));
    expect(await failed).toBe("never");
    expect(sockets.size).toBe(0);
  });
});

/** Resolves when all of them are closed. */
const closed = (sockets: ReadonlySet<Socket>) =>
  Promise.all([...sockets].map((socket) => new Promise((closed) => socket.on("close", closed))));

test("a download that trickles ends when all of it takes too long, and keeps what has come", async () => {
  const clock = new FakeClock();
  const { host, isReached, sockets } = await mute(head);
  let arrived = (): void => {};
  const piece = (): Promise<void> =>
    new Promise((told) => {
      arrived = told;
    });
  const first = piece();
  const { download, folder } = newTransfers({
    clock,
    idleTimeoutMs: 1000,
    timeoutMs: 10_000,
    progress: ({ bytes }) => bytes > 0 && arrived(),
  });
  const failed = failureOf(download(`http://${host}/f`));
  await isReached;
  await first;
  for (let second = 0; second < 10; second++) {
    await clock.advance(900);
    const next = piece();
    for (const socket of sockets) socket.write("x");
    await next;
  }
  await clock.advance(1000);
  expect((await failed).message).toMatch(/took longer than 10000 ms/);
  expect(readdirSync(folder).some((name) => name.endsWith(".part"))).toBe(true);
});

test("another download waits for the end of the first, and both are whole", async () => {
  const clock = new FakeClock();
  const server = await ScriptedFtpServer.start();
  server.files.set("a", bytesOf(1000));
  server.files.set("b", bytesOf(2000));
  const { download } = newTransfers({ clock });
  const [a, b] = await Promise.all([download(`${server.url}/a`), download(`${server.url}/b`)]);
  expect(a).not.toBe(b);
  expect(server.commands.filter((command) => command === "USER" || command === "RETR")).toEqual([
    "USER",
    "RETR",
    "USER",
    "RETR",
  ]);
});
