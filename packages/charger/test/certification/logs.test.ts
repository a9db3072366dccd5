import { memoryStore, type RecordStore } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import type { FileJobsParts } from "../../src/file-jobs.ts";
import { firmwareManagement } from "../../src/index.ts";
import { hour, minute, second } from "../charger-site.ts";
import { managing, ScriptedTransfers } from "../scripted-transfers.ts";
import { ready } from "./ready.ts";

const remoteLocation = "ftp://files.example.com/logs";
const getLog = (requestId: number, more: object = {}) =>
  ({ logType: "DiagnosticsLog", requestId, log: { remoteLocation }, ...more }) as const;

const elsewhere = { logType: "SecurityLog", log: { remoteLocation: "https://h/" } };

async function siteWith(parts: Partial<FileJobsParts> = {}, outcomes: ScriptedTransfers["outcomes"] = ["works"]) {
  const transfers = new ScriptedTransfers();
  transfers.outcomes = outcomes;
  return { transfers, site: await ready({ firmwareManagement: managing(transfers, parts) }) };
}

describe("Logs", () => {
  test("TC_079: the security log of a time is delivered under the name that was answered [TCK-C073] [SEC-N01-01] [SEC-N01-02] [SEC-N01-03] [SEC-N01-07] [SEC-N01-08] [SEC-N01-09]", async () => {
    const ranges: unknown[] = [];
    const { site, transfers } = await siteWith({
      securityLog: (range) => {
        ranges.push(range);
        return "Startup ✓";
      },
    });
    const log = {
      remoteLocation,
      oldestTimestamp: "2026-01-01T00:00:00Z",
      latestTimestamp: "2026-01-02T00:00:00Z",
    };
    const { filename, status } = await site.call("GetLog", getLog(5, { logType: "SecurityLog", log }));
    expect([status, filename]).toEqual(["Accepted", expect.stringMatching(/^security-log-\d{8}T\d{6}Z\.txt$/)]);
    expect(await site.after(() => {}, second)).toEqual([
      "LogStatusNotification 5 Uploading",
      "LogStatusNotification 5 Uploaded",
    ]);
    expect(transfers.asked).toEqual([`upload "Startup ✓" as ${filename} to ${remoteLocation}`]);
    expect(ranges).toEqual([{ from: Date.parse(log.oldestTimestamp), to: Date.parse(log.latestTimestamp) }]);
    expect(await site.store.load("namespace/charger/job")).toEqual([]);
  });

  test("diagnostics of a time are those of the hardware [SEC-N01-04]", async () => {
    const { site, transfers } = await siteWith();
    const ranges: unknown[] = [];
    site.hardware.diagnostics = (...range: unknown[]) => {
      ranges.push(...range);
      return site.hardware.made;
    };
    const log = { remoteLocation, latestTimestamp: "2026-01-02T00:00:00Z" };
    expect(await site.call("GetLog", getLog(1, { log }))).toEqual({ status: "Accepted", filename: "log.txt" });
    expect(await site.after(() => {}, second)).toEqual([
      "LogStatusNotification 1 Uploading",
      "LogStatusNotification 1 Uploaded",
    ]);
    expect(transfers.asked).toEqual([`upload /tmp/log as log.txt to ${remoteLocation}`]);
    expect(ranges).toEqual([{ from: undefined, to: Date.parse(log.latestTimestamp) }]);
  });

  test.each([
    ["there is no security log", getLog(1, { logType: "SecurityLog" }), {}],
    ["the security log cannot be read", getLog(1, { logType: "SecurityLog" }), { securityLog: throwing }],
    ["there are no diagnostics", getLog(1), {}],
    ["there is no such protocol", getLog(1, elsewhere), { securityLog: () => "" }],
  ])("is Rejected where %s", async (_, req, parts) => {
    const { site, transfers } = await siteWith(parts);
    site.hardware.made = undefined;
    expect(await site.call("GetLog", req)).toEqual({ status: "Rejected" });
    await site.after(() => {}, hour);
    expect([transfers.asked, site.payloads("LogStatusNotification")]).toEqual([[], []]);
  });

  const because = (reason: unknown): Error => Object.assign(new Error("No."), { reason });

  test.each([
    [because("PermissionDenied"), "PermissionDenied"],
    [because("BadMessage"), "BadMessage"],
    [because("NotSupportedOperation"), "NotSupportedOperation"],
    [because("else"), "UploadFailure"],
    [new Error("No."), "UploadFailure"],
  ])(
    "an upload that fails with %o is tried as often as was asked for, and has then failed with %s [SEC-N01-10]",
    async (error, status) => {
      const { site, transfers } = await siteWith({}, [new Error("Not now."), error]);
      await site.call("GetLog", getLog(3, { retries: 2, retryInterval: 10 }));
      expect(await site.after(() => {}, 20 * second - 1)).toEqual(["LogStatusNotification 3 Uploading"]);
      expect(await site.after(() => {}, second)).toEqual([`LogStatusNotification 3 ${status}`]);
      await site.after(() => {}, hour);
      expect(transfers.asked).toHaveLength(3);
    },
  );

  test("another one takes the place of one that is under way, diagnostics do not [SEC-N01-11]", async () => {
    const { site } = await siteWith({}, ["hangs"]);
    await site.call("GetLog", getLog(1));
    await site.call("GetDiagnostics", { location: remoteLocation });
    await site.after(() => {}, second);
    expect((await site.call("GetLog", getLog(2))).status).toBe("AcceptedCanceled");
    expect(await site.after(() => {}, second)).toEqual([
      "LogStatusNotification 1 UploadFailure",
      "LogStatusNotification 2 Uploading",
    ]);
    expect(site.payloads("DiagnosticsStatusNotification")).toEqual([{ status: "Uploading" }]);
  });

  test("one that was under way when the power failed has failed, once [SEC-N01-07]", async () => {
    const { site } = await siteWith({}, ["hangs"]);
    await site.call("GetLog", getLog(9));
    await site.after(() => {}, second);
    for (let cuts = 0; cuts < 2; cuts++) {
      await site.powerCut();
      await site.after(() => {}, minute);
    }
    expect(site.payloads("LogStatusNotification")).toEqual([
      { status: "Uploading", requestId: 9 },
      { status: "UploadFailure", requestId: 9 },
    ]);
  });

  test("what the store has refused to forget of one is tried again every minute, until it is forgotten", async () => {
    const disk = memoryStore();
    let refuses = true;
    const store: RecordStore = {
      ...disk,
      delete: (key) => (refuses ? Promise.reject(new Error("The disk is full.")) : disk.delete(key)),
    };
    const site = await ready({ store, firmwareManagement: managing(new ScriptedTransfers()) });
    await site.call("GetLog", getLog(1));
    await site.after(() => {}, 3 * minute - 1);
    expect(await site.store.load("namespace/charger/job")).toHaveLength(1);
    refuses = false;
    await site.after(() => {}, minute);
    expect(await site.store.load("namespace/charger/job")).toEqual([]);
    await site.powerCut();
    await site.after(() => {}, minute);
    expect(site.payloads("LogStatusNotification").map((each) => (each as { status: string }).status)).toEqual([
      "Uploading",
      "Uploaded",
    ]);
  });

  test("and so is what it has refused to write, so that one ends though the power fails later", async () => {
    const disk = memoryStore();
    let refuses = true;
    const store: RecordStore = {
      ...disk,
      put: (key, value) =>
        refuses && key.includes("/job/") ? Promise.reject(new Error("The disk is full.")) : disk.put(key, value),
    };
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["hangs"];
    const site = await ready({ store, firmwareManagement: managing(transfers) });
    await site.call("GetLog", getLog(1));
    await site.after(() => {}, second);
    refuses = false;
    await site.after(() => {}, minute);
    await site.powerCut();
    await site.after(() => {}, minute);
    expect(site.payloads("LogStatusNotification").at(-1)).toEqual({ status: "UploadFailure", requestId: 1 });
  });

  test("are not supported without firmware management", async () => {
    const site = await ready();
    await expect(site.call("GetLog", getLog(1))).rejects.toMatchObject({ code: "NotSupported" });
  });
});

function throwing(): string {
  throw new Error("The log is damaged.");
}

describe("What an ExtendedTriggerMessage asks for", () => {
  test("the status of a log: what goes on, with its requestId, and else Idle [SEC-MSG-20] [SEC-N01-12]", async () => {
    const { site } = await siteWith({}, ["hangs"]);
    const requestedMessage = "LogStatusNotification";
    expect(await site.call("ExtendedTriggerMessage", { requestedMessage })).toEqual({ status: "Accepted" });
    await site.after(() => {}, second);
    await site.call("GetLog", getLog(4));
    await site.after(() => {}, second);
    await site.call("ExtendedTriggerMessage", { requestedMessage });
    await site.after(() => {}, second);
    expect(site.payloads("LogStatusNotification")).toEqual([
      { status: "Idle" },
      { status: "Uploading", requestId: 4 },
      { status: "Uploading", requestId: 4 },
    ]);
  });

  test("meter values, and what a ChargePoint sends by itself", async () => {
    const site = await ready({ firmwareManagement: firmwareManagement(new ScriptedTransfers()) });
    for (const requestedMessage of ["MeterValues", "Heartbeat", "StatusNotification"] as const) {
      expect(await site.call("ExtendedTriggerMessage", { requestedMessage, connectorId: 2 })).toEqual({
        status: "Accepted",
      });
      const [line] = await site.after(() => {}, second);
      expect(line).toMatch(requestedMessage);
    }
    const [meterValues] = site.payloads("MeterValues") as { connectorId: number; meterValue: object[] }[];
    expect(meterValues?.connectorId).toBe(2);
    expect(JSON.stringify(meterValues)).toContain('"context":"Trigger"');
    const unknown = { requestedMessage: "MeterValues", connectorId: 9 } as const;
    expect(await site.call("ExtendedTriggerMessage", unknown)).toEqual({ status: "Rejected" });
  });

  test("nothing of files without firmware management", async () => {
    const site = await ready();
    for (const requestedMessage of ["LogStatusNotification", "FirmwareStatusNotification"] as const)
      expect(await site.call("ExtendedTriggerMessage", { requestedMessage })).toEqual({ status: "NotImplemented" });
  });
});
