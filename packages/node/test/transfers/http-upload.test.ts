import { appendFileSync, truncateSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { bodyOf, bytesOf, failureOf, issued, newFolder, newTransfers, serve } from "./set-up.ts";

const file = bytesOf(300_000);

/** A server that takes what it gets. */
async function takingServer(tls?: Parameters<typeof serve>[1]) {
  const got: { readonly method: string | undefined; readonly url: string | undefined; readonly body: Buffer }[] = [];
  const url = await serve(async (request, response) => {
    got.push({ method: request.method, url: request.url, body: await bodyOf(request) });
    response.statusCode = 201;
    response.end();
  }, tls);
  return { got, url };
}

describe("an upload by HTTP", () => {
  test.each([
    ["", "/log.txt"],
    ["/", "/log.txt"],
    ["/of/CP001", "/of/CP001/log.txt"],
    ["/of/CP001/", "/of/CP001/log.txt"],
    ["/signed/name?signature=abc", "/signed/name?signature=abc"],
  ])("to a location that ends with %j is put at %s [FM-11, SEC-N01-02]", async (path, wanted) => {
    const { got, url } = await takingServer();
    await newTransfers().upload(`${url}${path}`, file);
    expect(got).toMatchObject([{ method: "PUT", url: wanted }]);
    expect(got[0]?.body.equals(file)).toBe(true);
  });

  test("of a file by HTTPS delivers what was in it when it began [FM-30]", async () => {
    const { ca, own } = issued();
    const { got, url } = await takingServer(own);
    const path = `${newFolder()}/log`;
    writeFileSync(path, file);
    let isGrown = false;
    const progress = (): void => {
      if (!isGrown) appendFileSync(path, "more");
      isGrown = true;
    };
    await newTransfers({ tls: { ca }, progress }).upload(url, path);
    expect(isGrown).toBe(true);
    expect(got[0]?.body.equals(file)).toBe(true);
  });

  test("of a file that gets shorter fails, and does not hang", async () => {
    const { url } = await takingServer();
    const path = `${newFolder()}/log`;
    writeFileSync(path, file);
    const { upload } = newTransfers({ progress: () => truncateSync(path, 0) });
    expect(await failureOf(upload(url, path))).toMatchObject({
      message: `The upload to ${url}/ failed: the file got shorter while it was delivered.`,
    });
  });

  test.each([
    [400, "BadMessage"],
    [401, "PermissionDenied"],
    [403, "PermissionDenied"],
    [405, "NotSupportedOperation"],
    [501, "NotSupportedOperation"],
    [404, "UploadFailure"],
    [500, "UploadFailure"],
    [507, "UploadFailure"],
  ])("that is answered with %d has failed for the reason %s [SEC-N01-10]", async (status, reason) => {
    const url = await serve((request, response) => {
      request.resume();
      request.on("end", () => response.writeHead(status).end());
    });
    const error = await failureOf(newTransfers().upload(url, file));
    expect(error).toMatchObject({ name: "TransferError", reason, message: expect.stringContaining(`${status}`) });
  });

  test("that is refused before all of it was sent has failed for that reason [SEC-N01-10]", async () => {
    const url = await serve((_, response) => response.writeHead(403).end());
    const error = await failureOf(newTransfers().upload(url, Buffer.alloc(20_000_000)));
    expect(error).toMatchObject({ reason: "PermissionDenied" });
  });

  test("that is taken before all of it was sent is not over until the server has all of it [FM-11]", async () => {
    let got = 0;
    const url = await serve((request, response) => {
      response.writeHead(201).flushHeaders();
      request.on("data", (piece: Buffer) => {
        got += piece.length;
      });
      request.on("end", () => response.end());
    });
    await newTransfers().upload(url, Buffer.alloc(20_000_000));
    expect(got).toBe(20_000_000);
  });

  test("that is taken, but not waited for, has failed", async () => {
    const url = await serve((request, response) => {
      response.writeHead(201).flushHeaders();
      request.once("data", () => response.destroy());
    });
    const error = await failureOf(newTransfers().upload(url, Buffer.alloc(20_000_000)));
    expect(error).toMatchObject({ name: "TransferError", reason: "UploadFailure" });
  });

  test.each([
    ["gopher://host/", "NotSupportedOperation"],
    ["sftp://host/", "NotSupportedOperation"],
    ["no location", "BadMessage"],
    ["http://", "BadMessage"],
    ["ftp:relative", "BadMessage"],
    ["ftp://host/a%0d%0aDELE%20b", "BadMessage"],
  ])("to %s has failed for the reason %s [FM-31, SEC-N01-10]", async (url, reason) => {
    expect(await failureOf(newTransfers().upload(url, file))).toMatchObject({ name: "TransferError", reason });
  });

  test.each(["../log", "a/b", "a\\b", "..", ".", "", "a\r\nb"])("under the name %j is none", async (fileName) => {
    const { got, url } = await takingServer();
    const error = await failureOf(newTransfers().upload(url, file, fileName));
    expect(error).toMatchObject({ name: "TransferError", reason: "BadMessage" });
    expect(got).toEqual([]);
  });

  test("of what is no file says so", async () => {
    const { url } = await takingServer();
    const folder = newFolder();
    expect((await failureOf(newTransfers().upload(url, folder))).message).toMatch(/is no file\.$/);
    expect(await failureOf(newTransfers().upload(url, `${folder}/none`))).toMatchObject({ code: "ENOENT" });
  });

  test("by a protocol that the owner has left out is refused before anything is sent [FM-30]", async () => {
    const { got, url } = await takingServer();
    const { protocols, upload } = newTransfers({ protocols: ["HTTPS", "FTPS"] });
    expect(protocols).toEqual(["HTTPS", "FTPS"]);
    expect(await failureOf(upload(url, file))).toMatchObject({ reason: "NotSupportedOperation" });
    expect(got).toEqual([]);
  });
});
