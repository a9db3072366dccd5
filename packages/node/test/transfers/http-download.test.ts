import { createHash } from "node:crypto";
import { appendFileSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import type { RequestListener, ServerResponse } from "node:http";
import { dirname } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileTransfers, type TransferProgress } from "../../src/transfers.ts";
import { bytesOf, failureOf, issued, newTransfers, serve, signal } from "./set-up.ts";

const file = bytesOf(300_000);

/** Serves a file with ranges. Each answer is cut once `cuts` says so: after so many bytes have arrived. */
function rangeServer(cuts: number[], { etag = (): string => '"1"', bytes = () => file } = {}) {
  const asked: (string | undefined)[] = [];
  let progress = (_: TransferProgress): void => {};
  const answer: RequestListener = (request, response) => {
    const { "if-range": condition, range } = request.headers;
    asked.push(range);
    const [content, tag] = [bytes(), etag()];
    const from = range !== undefined && condition === tag ? Number(/=(\d+)-/.exec(range)?.[1]) : 0;
    const rest = content.subarray(from);
    response.setHeader("content-length", rest.length);
    response.setHeader("etag", tag);
    if (from > 0) response.setHeader("content-range", `bytes ${from}-${content.length - 1}/${content.length}`);
    response.statusCode = from > 0 ? 206 : 200;
    const cut = cuts.shift();
    if (cut === undefined || cut >= rest.length) return void response.end(rest);
    progress = ({ bytes: arrived }) => arrived >= from + cut && response.destroy();
    response.flushHeaders();
    response.write(rest.subarray(0, cut));
  };
  return { answer, asked, progress: (progressed: TransferProgress) => progress(progressed) };
}

describe("a download by HTTP", () => {
  test("is a file in the folder, under a name of our own [FM-31]", async () => {
    const { download, folder } = newTransfers();
    const url = await serve((_, response) => {
      response.setHeader("content-disposition", 'attachment; filename="../../evil"');
      response.end(file);
    });
    const path = await download(`${url}/..%2f..%2fetc/passwd`);
    expect(dirname(path)).toBe(folder);
    expect(readdirSync(folder)).toEqual([expect.stringMatching(/^download-[0-9a-f]{32}$/)]);
    expect(readFileSync(path).equals(file)).toBe(true);
    expect(statSync(path).mode & 0o077).toBe(0);
  });

  test("goes on after an interruption with what is missing [FM-32]", async () => {
    const { answer, asked, progress } = rangeServer([100_000]);
    const { download } = newTransfers({ progress });
    const path = await download(await serve(answer));
    expect(readFileSync(path).equals(file)).toBe(true);
    expect(asked).toEqual([undefined, "bytes=100000-"]);
  });

  test("starts again when the file is another one", async () => {
    const other = bytesOf(200_000).reverse();
    let content = file;
    const { answer, progress } = rangeServer([100_000, 0], { etag: () => `"${content.length}"`, bytes: () => content });
    const { download } = newTransfers({ progress });
    const url = await serve(answer);
    await failureOf(download(url)); // The second answer has brought nothing, so it is not asked for again.
    content = other;
    expect(readFileSync(await download(url)).equals(other)).toBe(true);
  });

  test("starts again when a part is not the one that was asked for", async () => {
    const { answer, asked, progress } = rangeServer([1000]);
    const { download } = newTransfers({ progress });
    const url = await serve((request, response) => {
      if (asked.length !== 1) return answer(request, response);
      asked.push(request.headers.range);
      response.writeHead(206, { "content-range": `bytes 0-${file.length - 1}/${file.length}` });
      response.end(file);
    });
    expect(readFileSync(await download(url)).equals(file)).toBe(true);
    expect(asked).toEqual([undefined, "bytes=1000-", undefined]);
  });

  test.each([
    ["told only then", `/${file.length}`, [undefined, "bytes=100000-", "bytes=110000-"]],
    ["never told", "/*", [undefined, "bytes=100000-", undefined]],
  ])("is whole where it goes on in small parts and its length is %s", async (_, total, wanted) => {
    const asked: (string | undefined)[] = [];
    let hasAll = (_: TransferProgress): void => {};
    const url = await serve((request, response) => {
      asked.push(request.headers.range);
      response.setHeader("etag", '"1"');
      if (asked.length === 1) {
        hasAll = ({ bytes }) => bytes === 100_000 && response.destroy();
        return void response.write(file.subarray(0, 100_000));
      }
      const from = Number(/=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const to = asked.length === 2 ? from + 10_000 : file.length;
      if (from > 0) response.writeHead(206, { "content-range": `bytes ${from}-${to - 1}${total}` });
      response.end(file.subarray(from, to));
    });
    const { download } = newTransfers({ progress: (progress) => hasAll(progress) });
    expect(readFileSync(await download(url)).equals(file)).toBe(true);
    expect(asked).toEqual(wanted);
  });

  test("is what the server has, wherever and however often it is cut, also across restarts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(file.length - 1), { maxLength: 8 }), async (cuts) => {
        const { answer, progress } = rangeServer([...cuts]);
        const { folder } = newTransfers();
        const url = await serve(answer);
        // Each attempt is that of a program that has just started.
        const attempt = () => fileTransfers({ folder, progress }).download(url, { signal });
        let path: string | undefined;
        for (let left = cuts.length; path === undefined; left--)
          path = await (left > 0 ? attempt().catch(() => undefined) : attempt());
        expect(readFileSync(path).equals(file)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  test("trusts only what was synced: what a power cut may have made of the rest is cut off", async () => {
    const { answer, progress } = rangeServer([100_000, 0]);
    const { download, folder } = newTransfers({ progress });
    const url = await serve(answer);
    await failureOf(download(url));
    const part = readdirSync(folder).find((name) => name.endsWith(".part"));
    appendFileSync(`${folder}/${part}`, Buffer.alloc(file.length));
    expect(readFileSync(await download(url)).equals(file)).toBe(true);
  });

  test("removes what was downloaded before, and nothing else of the folder", async () => {
    const { download, folder } = newTransfers();
    writeFileSync(`${folder}/mine`, "");
    const url = await serve((_, response) => response.end(file));
    await download(`${url}/a`);
    const path = await download(`${url}/b`);
    expect(readdirSync(folder).sort()).toEqual([path.replace(`${folder}/`, ""), "mine"]);
  });

  test.each([
    [
      "says that it is larger",
      (response: ServerResponse) => {
        response.setHeader("content-length", 2_000_000);
        response.flushHeaders();
      },
    ],
    [
      "never ends",
      (response: ServerResponse) => {
        const more = (): void => {
          while (!response.destroyed && response.write(file));
        };
        response.on("drain", more);
        more();
      },
    ],
  ])("ends at the limit of bytes where the server %s, and leaves nothing", async (_, act) => {
    const { download, folder } = newTransfers({ maxBytes: 1_000_000 });
    const url = await serve((_, response) => act(response));
    const { message } = await failureOf(download(`${url}/x`));
    expect(message).toMatch(/^The download from http:.*\/x failed: the file has more than the 1000000 bytes/);
    expect(readdirSync(folder)).toEqual([]);
  });

  test("fails where the server always ends before the length that it says", async () => {
    let asked = 0;
    const url = await serve((_, response) => {
      asked += 1;
      response.writeHead(200, { "content-length": file.length });
      response.end(file.subarray(0, 1000));
    });
    const { download, folder } = newTransfers();
    expect((await failureOf(download(url))).message).toMatch(/failed: the connection was lost\.$/);
    expect(asked).toBeLessThan(4);
    expect(readdirSync(folder).some((name) => !name.includes("."))).toBe(false);
  });

  test("compares the checksum that the server tells", async () => {
    const hash = createHash("sha256").update(file).digest("base64");
    let told = hash;
    const url = await serve((_, response) => {
      response.setHeader("repr-digest", `sha-512=:AAAA:, sha-256=:${told}:`);
      response.end(file);
    });
    const { download, folder } = newTransfers();
    await download(url);
    told = Buffer.alloc(32).toString("base64");
    expect((await failureOf(download(url))).message).toMatch(/checksum/);
    expect(readdirSync(folder).filter((name) => name.includes("."))).toEqual([]);
  });

  test("refuses an encoding that it has not asked for", async () => {
    const { download } = newTransfers();
    const url = await serve((_, response) => response.setHeader("content-encoding", "gzip").end(file));
    expect((await failureOf(download(url))).message).toMatch(/encoded/);
  });

  test("trusts the authorities of `tls` and no others", async () => {
    const { ca, own } = issued();
    const url = await serve((_, response) => response.end(file), own);
    expect(readFileSync(await newTransfers({ tls: () => ({ ca }) }).download(url)).equals(file)).toBe(true);
    expect(await failureOf(newTransfers().download(url))).toMatchObject({
      code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
    });
  });

  test("trusts no certificate of another name, whatever its commonName says", async () => {
    const { ca, own } = issued("DNS:elsewhere.example");
    const url = await serve((_, response) => response.end(file), own);
    const { download } = newTransfers({ tls: { ca } });
    expect(await failureOf(download(url.replace("127.0.0.1", "localhost")))).toMatchObject({
      code: "ERR_TLS_CERT_ALTNAME_INVALID",
    });
  });

  test("tells how far it has come, and lives with a listener that throws", async () => {
    const seen: unknown[] = [];
    const { download } = newTransfers({
      progress: (progress) => {
        seen.push(progress);
        throw new Error("mine");
      },
    });
    const url = await serve((_, response) => response.setHeader("content-length", file.length).end(file));
    await download(`${url.replace("//", "//me:secret@")}/f?token=t`);
    expect(seen[0]).toEqual({ direction: "download", url: `${url}/f`, bytes: 0, total: file.length });
    expect(seen.at(-1)).toMatchObject({ bytes: file.length });
  });
});
