import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Connection } from "@ocppj/core";
import { connect } from "@ocppj/node";
import { expect, it, onTestFinished } from "vitest";
import { startBackEnd } from "./back-end.ts";
import { boot, start, stop } from "./test-back-end.ts";

/** A file system of its own of 1 MiB, for root. */
function smallDisk(): string | undefined {
  const place = mkdtempSync(join(tmpdir(), "ocppj-full-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "ocppj-test", place], { stdio: "ignore" });
  } catch {
    return undefined;
  }
  onTestFinished(() => void execFileSync("umount", ["--lazy", place]));
  return place;
}

/** Fills a file system to the last byte. */
function fill(place: string): void {
  for (let size = 512 * 1024; size >= 1; size = Math.floor(size / 2)) {
    for (let count = 0; ; count++) {
      const file = join(place, `filler-${size}-${count}`);
      try {
        writeFileSync(file, Buffer.alloc(size));
      } catch {
        rmSync(file, { force: true });
        break;
      }
      if (size === 1) return;
    }
  }
}

it("A full disk costs no bill: a stop is not answered, the charger is sent away with 1013, and delivers it later", async ({
  skip,
}) => {
  const place = smallDisk();
  if (place === undefined) return skip("Only root can mount a file system.");
  const backEnd = await startBackEnd({ file: join(place, "test.sqlite"), open: true, ocpp: { newcomers: "Accepted" } });
  onTestFinished(() => backEnd.close());
  const faults: unknown[] = [];
  backEnd.centralSystem.on("fault", ({ error }) => faults.push(error));
  const open = async (): Promise<Connection<"ChargePoint">> => {
    const transport = await connect()({ url: backEnd.chargersUrl, identity: "CP001" });
    return new Connection(transport, { role: "ChargePoint", identity: "CP001" });
  };

  const charger = await open();
  await charger.call("BootNotification", boot);
  const { transactionId } = await charger.call("StartTransaction", start());
  fill(place);
  const stopped = charger.call("StopTransaction", stop(transactionId)).catch((error: unknown) => error);
  expect(await stopped).toMatchObject({ name: "ConnectionClosedError", code: 1013, sent: true });
  expect(faults.length).toBeGreaterThan(0);

  execFileSync("sh", ["-c", 'rm -f "$0"/filler-*', place]);
  const again = await open();
  onTestFinished(() => again.close());
  expect(await again.call("StopTransaction", stop(transactionId))).toEqual({});
  expect(backEnd.tables.transactions.list({ limit: 10 })).toMatchObject([{ transactionId, meterStop: 5360 }]);
});
