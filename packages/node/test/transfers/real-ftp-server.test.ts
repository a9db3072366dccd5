import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { FtpSrv } from "ftp-srv";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Issued } from "../openssl.ts";
import { bytesOf, failureOf, issued, newFolder, newTransfers } from "./set-up.ts";

const file = bytesOf(300_000);

/** ftp-srv does not tell what port it has been given. */
const freePort = (): Promise<number> =>
  new Promise((found) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => found(port));
    });
  });

/** An FTP server that others have written, whose user is `me` with the password `p@ss/word`. */
async function ftpServer(tls: Issued | false, implicitAt?: number) {
  const root = newFolder();
  const port = implicitAt ?? (await freePort());
  const scheme = implicitAt === undefined ? "ftp" : "ftps";
  const silent = { child: () => silent, trace() {}, debug() {}, info() {}, warn() {}, error() {}, fatal() {} };
  const server = new FtpSrv({ url: `${scheme}://127.0.0.1:${port}`, pasv_url: "127.0.0.1", tls, log: silent });
  server.on("login", ({ password, username }, resolve, reject) => {
    if (username === "me" && password === "p@ss/word") resolve({ root });
    else reject(new Error("Who are you?"));
  });
  await server.listen();
  onTestFinished(() => server.close());
  return { root, host: `me:p%40ss%2Fword@127.0.0.1:${port}` };
}

describe.each(["ftp", "ftps"] as const)("a server of %s that others have written", (scheme) => {
  const prepare = async () => {
    const { ca, own } = issued();
    const { host, root } = await ftpServer(scheme === "ftps" && own);
    return { root, url: `${scheme}://${host}`, ...newTransfers(scheme === "ftps" ? { tls: { ca } } : {}) };
  };

  test("gives and takes files [FM-30, FM-33]", async () => {
    const { download, root, upload, url } = await prepare();
    mkdirSync(`${root}/logs`);
    writeFileSync(`${root}/image.bin`, file);
    expect(readFileSync(await download(`${url}/image.bin`)).equals(file)).toBe(true);
    await upload(`${url}/logs`, file, "log 1.txt");
    expect(readFileSync(`${root}/logs/log 1.txt`).equals(file)).toBe(true);
  });

  test("is told apart from one that knows nobody of that password", async () => {
    const { upload, url } = await prepare();
    const error = await failureOf(upload(url.replace("word", "ward"), file));
    expect(error).toMatchObject({ reason: "PermissionDenied" });
    expect(error.message).not.toMatch(/p@ss|p%40|me:/);
  });
});

test("a server of FTPS at port 990 is one where TLS comes first [FM-30]", async ({ skip }) => {
  const { ca, own } = issued();
  const server = await ftpServer(own, 990).catch(() => undefined);
  if (server === undefined) return skip("Only root can listen at port 990, where nobody else does.");
  writeFileSync(`${server.root}/image.bin`, file);
  const { download } = newTransfers({ tls: { ca }, idleTimeoutMs: 5000 });
  expect(readFileSync(await download(`ftps://${server.host}/image.bin`)).equals(file)).toBe(true);
});

test("a server of FTPS with a certificate of another name is not believed", async () => {
  const { ca, own } = issued("DNS:elsewhere.example");
  const { host } = await ftpServer(own);
  const url = `ftps://${host.replace("127.0.0.1", "localhost")}/image.bin`;
  expect(await failureOf(newTransfers({ tls: { ca } }).download(url))).toMatchObject({
    code: "ERR_TLS_CERT_ALTNAME_INVALID",
  });
});

test("a server of FTPS whose authority is unknown is not believed", async () => {
  const { host } = await ftpServer(issued().own);
  expect(await failureOf(newTransfers().download(`ftps://${host}/image.bin`))).toMatchObject({
    code: "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  });
});
