import { readdirSync, readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fileTransfers } from "../../src/transfers.ts";
import { type FtpScript, ScriptedFtpServer } from "./scripted-ftp-server.ts";
import { bytesOf, failureOf, newTransfers, signal } from "./set-up.ts";

const file = bytesOf(300_000);

async function serverWith(script: FtpScript = {}) {
  const server = await ScriptedFtpServer.start(script);
  server.files.set("fw/image", file);
  return { server, url: `${server.url}/fw/image` };
}

/** Cuts the transfers one after the other. */
const cutting = (cuts: readonly number[]): FtpScript => ({ cutAt: (transfer) => cuts[transfer] });

const content = (path: string) => ({ isWhole: readFileSync(path).equals(file) });
const whole = { isWhole: true };

describe("a download by FTP", () => {
  test("goes on after an interruption with what is missing [FM-32]", async () => {
    const { server, url } = await serverWith(cutting([100_000]));
    expect(content(await newTransfers().download(url))).toEqual(whole);
    expect(server.commands.filter((command) => ["EPSV", "REST", "RETR"].includes(command))).toEqual([
      ...["EPSV", "RETR"],
      ...["EPSV", "REST", "RETR"],
    ]);
  });

  test("is what the server has, wherever and however often it is cut, also across restarts", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat(file.length - 1), { maxLength: 6 }), async (cuts) => {
        const { url } = await serverWith(cutting(cuts));
        const { folder } = newTransfers();
        // Each attempt is that of a program that has just started.
        const attempt = () => fileTransfers({ folder }).download(url, { signal });
        let path: string | undefined;
        for (let left = cuts.length; path === undefined; left--) {
          path = await (left > 0 ? attempt().catch(() => undefined) : attempt());
        }
        expect(content(path)).toEqual(whole);
      }),
      { numRuns: 20 },
    );
  });

  test.each<[string, number, FtpScript]>([
    [
      "of another time",
      0,
      {
        modified: (() =>
          (
            (n) => () =>
              `2026010100000${n++}`
          )(0))(),
      },
    ],
    ["whose time is not told", 0, { reply: (command) => (command === "MDTM" ? "502 No." : undefined) }],
    ["that the server cannot go on with", 1, { reply: (command) => (command === "REST" ? "502 No." : undefined) }],
  ])("starts again with a file %s", async (_, rests, script) => {
    const { server, url } = await serverWith({ ...script, ...cutting([100_000]) });
    expect(content(await newTransfers().download(url))).toEqual(whole);
    expect(server.commands.filter((command) => command === "RETR")).toHaveLength(2);
    expect(server.commands.filter((command) => command === "REST")).toHaveLength(rests);
  });

  test("goes on where a server ends too early and calls it all", async () => {
    const { url } = await serverWith({ sends: 70_000 });
    expect(content(await newTransfers().download(url))).toEqual(whole);
  });

  test.each([
    [
      "never ends",
      { isEndless: true, reply: (command: string) => (command === "SIZE" ? "502 No." : undefined) },
      /more than the 1000000/,
    ],
    ["sends more than the file has", { isEndless: true }, /sent more than the file has/],
    [
      "says that it is too large",
      { reply: (command: string) => (command === "SIZE" ? "213 1000001" : undefined) },
      /more than the 1000000/,
    ],
  ])("ends where the server %s, and leaves nothing", async (_, script, message) => {
    const { server, url } = await serverWith(script);
    const { download, folder } = newTransfers({ maxBytes: 1_000_000 });
    expect((await failureOf(download(url))).message).toMatch(message);
    expect(readdirSync(folder)).toEqual([]);
    await server.isLeft();
  });

  test.each([
    [
      "another host",
      { EPSV: "502 No.", PASV: "227 There (10,0,0,1,0,80)." },
      "PASV returned another host (10.0.0.1) for data transfer that you have connected to (127.0.0.1)",
    ],
    ["none", { EPSV: "502 No.", PASV: "502 Not so." }, "502 Not so"],
  ])("whose server wants %s for the bytes says so", async (_, replies, what) => {
    const { url } = await serverWith({ reply: (command) => (replies as Record<string, string>)[command] });
    expect((await failureOf(newTransfers().download(url))).message).toBe(
      `The download from ${url} failed: there is no connection for the file: ${what}.`,
    );
  });

  test("of a file that is not there says what the server says", async () => {
    const { server } = await serverWith();
    const { message } = await failureOf(newTransfers().download(`${server.url}/none`));
    expect(message).toBe(`The download from ${server.url}/none failed: the server answered with 550 No such file.`);
  });
});

describe("an upload by FTP", () => {
  test.each([
    ["", "log.txt"],
    ["/", "log.txt"],
    ["/of/CP001", "of/CP001/log.txt"],
    ["/of/CP%20001/", "of/CP 001/log.txt"],
    ["//srv/logs", "/srv/logs/log.txt"],
    ["/%2Fsrv", "/srv/log.txt"],
  ])("to a location that ends with %j is put at %s [FM-11, FM-33, SEC-N01-02]", async (path, wanted) => {
    const server = await ScriptedFtpServer.start();
    await newTransfers().upload(`${server.url}${path}`, file);
    expect([...server.files.keys()]).toEqual([wanted]);
    expect(server.files.get(wanted)?.equals(file)).toBe(true);
  });

  test("goes on after an interruption with what is missing, wherever it is cut [SEC-N01-13]", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 60_000 }), { maxLength: 3 }), async (cuts) => {
        const server = await ScriptedFtpServer.start(cutting(cuts));
        await newTransfers().upload(server.url, file);
        expect(server.files.get("log.txt")?.equals(file)).toBe(true);
        expect(server.commands.filter((command) => command === "STOR")).toHaveLength(1);
      }),
      { numRuns: 15 },
    );
  });

  test("begins again where there is more than was sent, or nothing is known", async () => {
    const server = await ScriptedFtpServer.start({
      ...cutting([1000]),
      reply: (command) => (command === "SIZE" ? "213 300001" : undefined),
    });
    await newTransfers().upload(server.url, file);
    expect(server.files.get("log.txt")?.equals(file)).toBe(true);
    expect(server.commands.filter((command) => command === "STOR")).toHaveLength(2);
  });

  test.each([
    ["PASS", "530 Who are you?", "PermissionDenied"],
    ["STOR", "550 Not there.", "PermissionDenied"],
    ["STOR", "553 Not so.", "PermissionDenied"],
    ["STOR", "502 Not here.", "NotSupportedOperation"],
    ["STOR", "504 Not so.", "NotSupportedOperation"],
    ["STOR", "501 What?", "BadMessage"],
    ["STOR", "552 It is full.", "UploadFailure"],
    ["USER", "421 Come back later.", "UploadFailure"],
  ])("whose %s is answered with %j has failed for the reason %s [SEC-N01-10]", async (asked, answer, reason) => {
    const server = await ScriptedFtpServer.start({ reply: (command) => (command === asked ? answer : undefined) });
    const error = await failureOf(newTransfers().upload(server.url, file));
    expect(error).toMatchObject({
      name: "TransferError",
      reason,
      message: expect.stringContaining(answer.slice(0, -1)),
    });
    await server.isLeft();
  });
});

test("a server without TLS gets no password by FTPS [SEC-L01-08]", async () => {
  const server = await ScriptedFtpServer.start();
  const error = await failureOf(newTransfers().upload(server.url.replace("ftp://", "ftps://me:secret@"), file));
  expect(error).toMatchObject({ reason: "NotSupportedOperation" });
  expect(server.commands).toEqual(expect.not.arrayContaining(["USER", "PASS"]));
});
