import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bodyOf, bytesOf, failureOf, issued, newTransfers, serve } from "./set-up.ts";

const file = bytesOf(1000);

describe("a redirect", () => {
  test.each([301, 302, 303, 307, 308])(
    "with %d is followed, with the credentials on the same server",
    async (status) => {
      const seen: unknown[] = [];
      const url = await serve((request, response) => {
        seen.push([request.url, request.headers.authorization]);
        if (request.url === "/new") response.end(file);
        else response.writeHead(status, { location: "/new" }).end();
      });
      const { download } = newTransfers();
      const path = await download(`${url.replace("//", "//me:p%40ss@")}/old`);
      expect(readFileSync(path).equals(file)).toBe(true);
      const basic = `Basic ${Buffer.from("me:p@ss").toString("base64")}`;
      expect(seen).toEqual([
        ["/old", basic],
        ["/new", basic],
      ]);
    },
  );

  test("to another server is followed without the credentials", async () => {
    const seen: unknown[] = [];
    const other = await serve((request, response) => {
      seen.push(request.headers.authorization);
      response.end(file);
    });
    const url = await serve((_, response) => response.writeHead(302, { location: `${other}/new` }).end());
    await newTransfers().download(url.replace("//", "//me:secret@"));
    expect(seen).toEqual([undefined]);
  });

  test("from https to http is not followed", async () => {
    let isAsked = false;
    const plain = await serve((_, response) => {
      isAsked = true;
      response.end(file);
    });
    const { ca, own } = issued();
    const url = await serve((_, response) => response.writeHead(302, { location: plain }).end(), own);
    expect((await failureOf(newTransfers({ tls: { ca } }).download(url))).message).toMatch(/from https to http/);
    expect(isAsked).toBe(false);
  });

  test.each([
    ["ftp://127.0.0.1/file", /redirected to ftp:/],
    ["file:///etc/passwd", /redirected to file:/],
    ["http://", /what is no URL/],
  ])("to %s is not followed", async (location, message) => {
    const url = await serve((_, response) => response.writeHead(302, { location }).end());
    expect((await failureOf(newTransfers().download(url))).message).toMatch(message);
  });

  test("is followed five times, and then no more", async () => {
    let asked = 0;
    const url = await serve((_, response) => response.writeHead(302, { location: `/${++asked}` }).end());
    expect((await failureOf(newTransfers().download(url))).message).toMatch(/more than 5 times/);
    expect(asked).toBe(6);
  });

  test("of an upload has it sent again, whole, where it stays one", async () => {
    const got: unknown[] = [];
    const url = await serve(async (request, response) => {
      got.push([request.method, request.url, (await bodyOf(request)).equals(file)]);
      if (got.length === 1) response.writeHead(307, { location: "/elsewhere" }).end();
      else response.end();
    });
    await newTransfers().upload(url, file);
    expect(got).toEqual([
      ["PUT", "/log.txt", true],
      ["PUT", "/elsewhere", true],
    ]);
  });

  test("of an upload that would become something else is not followed", async () => {
    const url = await serve((request, response) => {
      request.resume();
      request.on("end", () => response.writeHead(302, { location: "/elsewhere" }).end());
    });
    expect((await failureOf(newTransfers().upload(url, file))).message).toMatch(/302/);
  });
});
