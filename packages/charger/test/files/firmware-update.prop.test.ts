import fc from "fast-check";
import { expect, test } from "vitest";
import { DiagnosticsUpload } from "../../src/files/diagnostics-upload.ts";
import {
  FirmwareUpdate,
  type FirmwareUpdateOutput,
  type FirmwareUpdateRecord,
} from "../../src/files/firmware-update.ts";

const minute = 60_000;
const ends = ["DownloadFailed", "InstallationFailed", "Installed"];
const order = ["Downloading", "Downloaded", "Installing"];

/** An update with whoever does what it says, as a power cut leaves it. */
class Bench {
  update = new FirmwareUpdate();
  now = 0;
  readonly told: string[] = [];
  kept: FirmwareUpdateRecord | undefined;
  isFetching = false;
  isInstalling = false;
  isOut = false;
  isCharging = false;
  installedWhileCharging = false;

  take(): void {
    for (let output = this.update.poll(); output !== undefined; output = this.update.poll()) this.#perform(output);
  }

  pass(ms: number): void {
    const end = this.now + ms;
    while (this.update.deadline <= end) {
      this.now = Math.max(this.now, this.update.deadline);
      this.update.advance(this.now);
      this.take();
    }
    this.now = end;
  }

  request(delay: number, retries: number): void {
    const retrieveDate = new Date(this.now + delay).toISOString();
    this.update.requested({ location: "http://h/f", retrieveDate, retries, retryInterval: 60 }, this.now);
    this.take();
  }

  /** What was told is delivered, since that is kept; what ran is gone. */
  powerCut(isInstalled: boolean): void {
    this.update = new FirmwareUpdate();
    this.isFetching = false;
    this.isInstalling = false;
    this.isOut = false;
    if (this.kept !== undefined) this.update.restored(this.kept, isInstalled, this.now);
    this.update.charging(this.isCharging);
    this.take();
  }

  #perform(output: FirmwareUpdateOutput): void {
    switch (output.type) {
      case "status":
        this.told.push(output.status);
        break;
      case "keep":
        this.kept = output.record;
        break;
      case "download":
        this.isFetching = true;
        break;
      case "abort":
        this.isFetching = false;
        break;
      case "install":
        this.isInstalling = true;
        this.installedWhileCharging ||= this.isCharging;
        break;
      case "outOfService":
        this.isOut = output.isOut;
        break;
      case "restart":
        break;
    }
  }
}

const deed = fc.oneof(
  fc.record({
    do: fc.constant("request" as const),
    delay: fc.integer({ min: -minute, max: 10 * minute }),
    retries: fc.nat(2),
  }),
  fc.record({ do: fc.constant("pass" as const), ms: fc.nat(5 * minute) }),
  fc.record({ do: fc.constant("fetched" as const), works: fc.boolean() }),
  fc.record({ do: fc.constant("charging" as const), is: fc.boolean() }),
  fc.record({
    do: fc.constant("installed" as const),
    outcome: fc.constantFrom("installed" as const, "failed" as const, "restart" as const),
  }),
  fc.record({ do: fc.constant("power cut" as const), isInstalled: fc.boolean() }),
);

test("each update that was begun ends with exactly one end, in order, whatever is cut, slow or replaced; none is installed while somebody charges; connectors come back [FM-23] [FM-25] [FM-26]", () => {
  fc.assert(
    fc.property(fc.array(deed, { maxLength: 40 }), (deeds) => {
      const bench = new Bench();
      for (const each of deeds) {
        if (each.do === "request") bench.request(each.delay, each.retries);
        else if (each.do === "pass") bench.pass(each.ms);
        else if (each.do === "charging") {
          bench.isCharging = each.is;
          bench.update.charging(each.is);
        } else if (each.do === "fetched" && bench.isFetching) {
          bench.isFetching = false;
          bench.update.downloaded(each.works ? "/f" : undefined, bench.now);
        } else if (each.do === "installed" && bench.isInstalling) {
          bench.isInstalling = false;
          bench.update.installed(each.outcome);
        } else if (each.do === "power cut") bench.powerCut(each.isInstalled);
        bench.take();
        const isOver = bench.update.status === "Idle";
        if (isOver && bench.kept === undefined) expect(bench.isOut).toBe(false);
      }
      // All goes well from now on.
      bench.isCharging = false;
      bench.update.charging(false);
      bench.take();
      for (let step = 0; step < 10; step++) {
        bench.pass(10 * minute);
        if (bench.isFetching) bench.update.downloaded("/f", bench.now);
        bench.isFetching = false;
        bench.take();
        if (bench.kept?.phase === "restarting") bench.powerCut(true);
        if (bench.isInstalling) bench.update.installed("installed");
        bench.isInstalling = false;
        bench.take();
      }
      expect(bench.installedWhileCharging).toBe(false);
      expect([bench.kept, bench.isOut, bench.update.status]).toEqual([undefined, false, "Idle"]);
      // By updates: each rises through the steps, and has its end last.
      let step = -1;
      for (const status of bench.told) {
        if (ends.includes(status)) {
          expect(status === "DownloadFailed" || step >= order.indexOf("Installing")).toBe(true);
          step = -1;
        } else {
          expect(order.indexOf(status)).toBe(step + 1);
          step = order.indexOf(status);
        }
      }
      expect(step).toBe(-1);
    }),
    { numRuns: 500 },
  );
});

test("each upload that was begun ends with exactly one of Uploaded and UploadFailed [FM-01] [FM-13] [FM-14]", () => {
  const step = fc.oneof(
    fc.record({ request: fc.nat(2) }),
    fc.record({ works: fc.boolean() }),
    fc.record({ ms: fc.nat(3 * minute) }),
    fc.constant({ cut: true }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let upload = new DiagnosticsUpload();
      let now = 0;
      let runs = false;
      let isKept = false;
      const told: string[] = [];
      const take = (): void => {
        for (let output = upload.poll(); output !== undefined; output = upload.poll()) {
          if (output.type === "status") told.push(output.status);
          else if (output.type === "keep") isKept = output.isUnderWay;
          else runs = output.type === "upload";
        }
      };
      const ended = (works: boolean): void => {
        if (!runs) return;
        runs = false;
        upload.uploaded(works, now);
        take();
      };
      for (const each of steps) {
        if ("request" in each) {
          upload.requested(
            { url: "http://h/", file: "/f", fileName: "f" },
            { retries: each.request, retryInterval: 60 },
          );
        } else if ("works" in each) ended(each.works);
        else if ("ms" in each) {
          now += each.ms;
          upload.advance(now);
        } else {
          upload = new DiagnosticsUpload();
          runs = false;
          if (isKept) upload.interrupted();
        }
        take();
      }
      for (let more = 0; more < 5; more++) {
        ended(false);
        now += 2 * minute;
        upload.advance(now);
        take();
      }
      ended(true);
      expect([upload.status, isKept]).toEqual(["Idle", false]);
      expect(told.every((status, index) => (status === "Uploading") === (index % 2 === 0))).toBe(true);
      expect(told.length % 2).toBe(0);
    }),
    { numRuns: 500 },
  );
});
