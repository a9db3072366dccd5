import { inspect } from "node:util";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fileTransfers, type TransferProgress } from "../../src/transfers.ts";
import { ScriptedFtpServer } from "./scripted-ftp-server.ts";
import { bytesOf, failureOf, newFolder, newTransfers, serve, signal } from "./set-up.ts";

/** Long enough to be found by accident in no sentence. */
const secret = fc
  .string({ minLength: 12, maxLength: 30, unit: "binary-ascii" })
  .filter((text) => /^[\x21-\x7e]+$/.test(text));

/** All that can be seen of an error. */
const seen = (error: unknown): string =>
  `${inspect(error, { depth: 9, showHidden: true })} ${(error as Error).message}`;

test("no error tells user, password or query, also where the server repeats them", async () => {
  let words = "";
  const ftp = await ScriptedFtpServer.start({
    reply: (command) => (command === "PASS" ? `530 No ${words}` : undefined),
  });
  const http = await serve(({ headers }, response) => {
    response.writeHead(401, `${words.replace(/[^\x20-\x7e]/g, "")} ${headers.authorization}`).end();
  });
  await fc.assert(
    fc.asyncProperty(secret, secret, secret, async (user, password, token) => {
      const [rawUser, rawPassword, rawToken] = [user, password, token].map(encodeURIComponent);
      const basic = Buffer.from(`${user}:${password}`).toString("base64");
      words = `${user}:${password} ${rawUser}:${rawPassword} ${rawToken}`;
      const folder = newFolder();
      for (const server of [ftp.url, http, "http://127.0.0.1:1"]) {
        const url = `${server.replace("//", `//${rawUser}:${rawPassword}@`)}/f?${rawToken}`;
        const told = seen(
          await failureOf(fileTransfers({ folder }).upload(url, bytesOf(9), { fileName: "a", signal })),
        );
        for (const hidden of [user, password, rawUser, rawPassword, basic]) expect(told).not.toContain(hidden);
        if (server !== ftp.url) expect(told).not.toContain(rawToken);
        expect(told).toMatch(/^TransferError/);
      }
    }),
    { numRuns: 30, examples: [["user'name'here", "pass'word'here", "token'%'here"]] },
  );
});

test("no error tells the query that a server has redirected to, also where the server repeats it", async () => {
  const url = await serve((request, response) => {
    if (request.url === "/f") response.writeHead(302, { location: "/g?signature=hushhush" }).end();
    else response.writeHead(403, request.url).end();
  });
  const error = await failureOf(newTransfers().download(`${url}/f`));
  expect(error.message).toBe(`The download from ${url}/f failed: the server answered with 403 Forbidden.`);
  expect(seen(error)).not.toContain("hushhush");
});

test("no URL that cannot be used is repeated", async () => {
  const { upload } = newTransfers();
  for (const url of [
    "http://me:hushhush@:99999/",
    "sftp://me:hushhush@host/",
    "me:hushhush@host",
    "ftp://me:hushhush@",
  ]) {
    expect(seen(await failureOf(upload(url, bytesOf(9))))).not.toContain("hushhush");
  }
});

test("no progress tells user, password or query", async () => {
  const told: TransferProgress[] = [];
  const ftp = await ScriptedFtpServer.start();
  await newTransfers({ progress: (progress) => told.push(progress) }).upload(
    ftp.url.replace("//", "//me:hushhush@"),
    bytesOf(9),
  );
  expect(told).toEqual([{ direction: "upload", url: `${ftp.url}/`, bytes: 9, total: 9 }]);
});
