import { execFileSync } from "node:child_process";
import { readdirSync } from "node:fs";
import { expect, onTestFinished, test } from "vitest";
import { fileTransfers, type TransferProgress } from "../../src/transfers.ts";
import { diskError, replaceFileMethod } from "../store/disk-faults.ts";
import { bytesOf, failureOf, newFolder, newTransfers, serve, signal } from "./set-up.ts";

const file = bytesOf(300_000);

test("a disk that is full ends a download, and what has come of it is removed", async () => {
  const url = await serve((_, response) => response.end(file));
  const { download, folder } = newTransfers();
  onTestFinished(await replaceFileMethod("write", () => Promise.reject(diskError("ENOSPC"))));
  expect(await failureOf(download(url))).toMatchObject({
    message: `The download from ${url}/ failed: the disk is full.`,
    code: "ENOSPC",
  });
  expect(readdirSync(folder)).toEqual([]);
});

test("a real disk that is full is as empty afterwards as before", async ({ skip }) => {
  const folder = newFolder();
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=65536", "ocppj-test", folder], { stdio: "ignore" });
  } catch {
    return skip("Only root can mount a file system.");
  }
  onTestFinished(() => void execFileSync("umount", ["--lazy", folder]));
  const url = await serve((_, response) => response.end(file));
  expect(await failureOf(fileTransfers({ folder }).download(url, { signal }))).toMatchObject({ code: "ENOSPC" });
  expect(readdirSync(folder)).toEqual([]);
});

test("a file that the disk does not confirm gets no name", async () => {
  const url = await serve((_, response) => response.setHeader("content-length", file.length).end(file));
  let isComplete = false;
  const progress = ({ bytes }: TransferProgress): void => {
    isComplete = bytes === file.length;
  };
  const { download, folder } = newTransfers({ progress });
  onTestFinished(
    await replaceFileMethod("sync", async (original) => (isComplete ? Promise.reject(diskError("EIO")) : original())),
  );
  expect(await failureOf(download(url))).toMatchObject({ code: "EIO" });
  expect(readdirSync(folder)).toEqual([]);
});
