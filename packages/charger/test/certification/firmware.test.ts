import { describe, expect, test } from "vitest";
import { firmwareManagement } from "../../src/index.ts";
import { hour, minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { ScriptedTransfers } from "../scripted-transfers.ts";
import { charging, ready } from "./ready.ts";

const location = "http://files.example.com/firmware.bin";
const statuses = (lines: readonly string[]): string[] => lines.filter((line) => line.startsWith("FirmwareStatus"));

describe("Firmware", () => {
  const update = (more: object = {}) => ({
    location,
    retrieveDate: "2026-01-01T00:00:00Z",
    retries: 1,
    retryInterval: 30,
    ...more,
  });

  test("TC_044_1: fetched, installed, and told step by step; connectors are out of service meanwhile [TCK-C044] [FM-05] [FM-21] [FM-23] [FM-24] [FM-25] [FM-26]", async () => {
    const transfers = new ScriptedTransfers();
    const site = await ready({ firmwareManagement: firmwareManagement(transfers) });
    expect(await site.call("UpdateFirmware", update())).toEqual({});
    expect(statuses(await site.after(() => {}, second))).toEqual([
      "FirmwareStatusNotification Downloading",
      "FirmwareStatusNotification Downloaded",
      "FirmwareStatusNotification Installing",
      "FirmwareStatusNotification Installed",
    ]);
    expect(transfers.asked).toEqual([`download ${location}`]);
    expect(site.hardware.done).toContain("install /tmp/firmware");
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
    expect(await site.store.load("namespace/charger/job")).toEqual([]);
  });

  test("TC_044_2: it cannot be fetched, as often as was asked for [TCK-C044] [FM-23] [QD-28]", async () => {
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["fails"];
    const site = await ready({ firmwareManagement: firmwareManagement(transfers) });
    await site.call("UpdateFirmware", update());
    expect(statuses(await site.after(() => {}, 30 * second - 1))).toEqual(["FirmwareStatusNotification Downloading"]);
    expect(statuses(await site.after(() => {}, second))).toEqual(["FirmwareStatusNotification DownloadFailed"]);
    expect(transfers.asked).toHaveLength(2);
    await site.after(() => {}, hour);
    expect(transfers.asked).toHaveLength(2);
  });

  test("a download that names no file has failed, and that is a fault", async () => {
    const transfers = new ScriptedTransfers();
    Object.assign(transfers, { download: async () => ({ path: "/tmp/firmware" }) });
    const site = await ready({ firmwareManagement: firmwareManagement(transfers) });
    await site.call("UpdateFirmware", update({ retries: 0 }));
    expect(statuses(await site.after(() => {}, second)).at(-1)).toBe("FirmwareStatusNotification DownloadFailed");
    expect(site.faults.map(String)).toEqual(["TypeError: download has named no file, but object. Name it."]);
  });

  test("TC_044_3: it is no firmware [TCK-C044]", async () => {
    const site = await ready({ firmwareManagement: firmwareManagement(new ScriptedTransfers()) });
    site.hardware.installing = () => Promise.reject(new Error("Its checksum is wrong."));
    await site.call("UpdateFirmware", update());
    expect(statuses(await site.after(() => {}, second)).slice(2)).toEqual([
      "FirmwareStatusNotification Installing",
      "FirmwareStatusNotification InstallationFailed",
    ]);
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
  });

  test("waits for its time [FM-22], and for transactions, which go on; what is free is out of service [FM-25]", async () => {
    const site = await charging({
      firmwareManagement: firmwareManagement(new ScriptedTransfers()),
      configuration: { MeterValueSampleInterval: 0 },
    });
    const retrieveDate = new Date(site.clock.now() + hour).toISOString();
    await site.call("UpdateFirmware", update({ retrieveDate }));
    expect(statuses(await site.after(() => {}, hour - 1))).toEqual([]);
    expect((await site.after(() => {}, second)).sort()).toEqual([
      "FirmwareStatusNotification Downloaded",
      "FirmwareStatusNotification Downloading",
      "StatusNotification 2 Unavailable",
    ]);
    expect(await site.call("RemoteStartTransaction", { idTag: "TAG", connectorId: 2 })).toEqual({ status: "Rejected" });
    expect(site.status(1)).toBe("Charging");
    const told = statuses(await site.after(() => site.hardware.present("TAG", 1), second));
    expect(told.filter((line) => line.startsWith("Firmware"))).toEqual([
      "FirmwareStatusNotification Installing",
      "FirmwareStatusNotification Installed",
    ]);
    await site.after(() => site.hardware.unplug(1));
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
  });

  test.each([
    [true, "Installed"],
    [false, "InstallationFailed"],
  ] as const)(
    "restarts to install it; whether that has worked (%s) is told afterwards [FM-26] [FM-27]",
    async (works, status) => {
      const hardware = new ScriptedHardware();
      const site = await ready({ firmwareManagement: firmwareManagement(new ScriptedTransfers()), hardware });
      hardware.installing = () => "restart";
      Object.assign(hardware, { isInstalled: () => works });
      await site.call("UpdateFirmware", update());
      const told = await site.after(() => {}, minute);
      expect(hardware.done).toContain("reboot Soft");
      expect(told.indexOf("FirmwareStatusNotification Installing")).toBeLessThan(told.indexOf("BootNotification"));
      expect(told.indexOf(`FirmwareStatusNotification ${status}`)).toBeGreaterThan(told.indexOf("BootNotification"));
      expect(told.filter((line) => line.startsWith("FirmwareStatusNotification Install"))).toHaveLength(2);
    },
  );

  test("goes on after a power cut, and ends once", async () => {
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["hangs", "works"];
    const site = await ready({ firmwareManagement: firmwareManagement(transfers) });
    await site.call("UpdateFirmware", update());
    await site.after(() => {}, minute);
    await site.powerCut();
    await site.after(() => {}, minute);
    const told = site.payloads("FirmwareStatusNotification").map((each) => (each as { status: string }).status);
    expect(told).toEqual(["Downloading", "Downloaded", "Installing", "Installed"]);
  });

  test("what becomes of it while it is cut off is told in order once it is not [J-216]", async () => {
    const site = await ready({ firmwareManagement: firmwareManagement(new ScriptedTransfers()) });
    const retrieveDate = new Date(site.clock.now() + minute).toISOString();
    await site.call("UpdateFirmware", update({ retrieveDate }));
    site.reachable = false;
    site.links.at(-1)?.chargePoint.drop();
    await site.after(() => {}, hour);
    expect(site.hardware.done).toContain("install /tmp/firmware");
    expect(site.payloads("FirmwareStatusNotification")).toEqual([]);
    site.reachable = true;
    expect(statuses(await site.after(() => {}, hour))).toEqual([
      "FirmwareStatusNotification Downloading",
      "FirmwareStatusNotification Downloaded",
      "FirmwareStatusNotification Installing",
      "FirmwareStatusNotification Installed",
    ]);
  });

  test("another request takes the place of one that is not being installed; one that is, is not disturbed", async () => {
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["hangs", "works"];
    const site = await ready({ firmwareManagement: firmwareManagement(transfers) });
    await site.call("UpdateFirmware", update());
    await site.after(() => {}, second);
    site.hardware.installing = () => new Promise(() => {});
    await site.call("UpdateFirmware", update({ location: "ftp://files.example.com/other.bin" }));
    await site.after(() => {}, second);
    const told = site.payloads("FirmwareStatusNotification").map((each) => (each as { status: string }).status);
    expect(told).toEqual(["Downloading", "DownloadFailed", "Downloading", "Downloaded", "Installing"]);
    await expect(site.call("UpdateFirmware", update())).rejects.toMatchObject({ code: "GenericError" });
  });

  test("is not supported without firmwareManagement, without an installer, or by a protocol that is not there [CORE-GEN-02] [CORE-GEN-03] [FM-30] [FM-31]", async () => {
    const without = await ready();
    await expect(without.call("UpdateFirmware", update())).rejects.toMatchObject({ code: "NotSupported" });
    await expect(without.call("GetDiagnostics", { location })).rejects.toMatchObject({ code: "NotSupported" });
    const hardware = new ScriptedHardware();
    Object.assign(hardware, { install: undefined });
    const site = await ready({ firmwareManagement: firmwareManagement(new ScriptedTransfers()), hardware });
    await expect(site.call("UpdateFirmware", update())).rejects.toMatchObject({ code: "NotSupported" });
    const other = { location: "sftp://files.example.com/" };
    await expect(site.call("GetDiagnostics", other)).rejects.toMatchObject({ code: "PropertyConstraintViolation" });
    const { configurationKey } = await site.call("GetConfiguration", {
      key: ["SupportedFileTransferProtocols", "SupportedFeatureProfiles"],
    });
    expect(configurationKey?.map(({ value }) => value)).toEqual([
      "Core,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger,FirmwareManagement",
      "HTTP,FTP",
    ]);
  });
});

describe("Diagnostics", () => {
  test("TC_045_1: the name is answered, and the file delivered under it [TCK-C044] [FM-01] [FM-10] [FM-11] [FM-13]", async () => {
    const transfers = new ScriptedTransfers();
    const site = await ready({ firmwareManagement: firmwareManagement(transfers) });
    expect(await site.call("GetDiagnostics", { location: "ftp://files.example.com/logs" })).toEqual({
      fileName: "log.txt",
    });
    expect(await site.after(() => {}, second)).toEqual([
      "DiagnosticsStatusNotification Uploading",
      "DiagnosticsStatusNotification Uploaded",
    ]);
    expect(transfers.asked).toEqual(["upload /tmp/log as log.txt to ftp://files.example.com/logs"]);
  });

  test("there are none: no name, and no status [FM-12]", async () => {
    const site = await ready({ firmwareManagement: firmwareManagement(new ScriptedTransfers()) });
    site.hardware.made = undefined;
    expect(await site.call("GetDiagnostics", { location })).toEqual({});
    expect(await site.after(() => {}, minute)).toEqual([]);
  });

  test("TC_045_2: UploadFailed after the last attempt only [FM-14], and after a power cut", async () => {
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["fails", "fails", "fails", "hangs"];
    const site = await ready({ firmwareManagement: firmwareManagement(transfers) });
    await site.call("GetDiagnostics", { location, retries: 2, retryInterval: 10 });
    expect(await site.after(() => {}, 20 * second - 1)).toEqual(["DiagnosticsStatusNotification Uploading"]);
    expect(await site.after(() => {}, second)).toEqual(["DiagnosticsStatusNotification UploadFailed"]);
    await site.call("GetDiagnostics", { location });
    await site.after(() => {}, second);
    await site.powerCut();
    expect((await site.after(() => {}, second)).filter((line) => line.startsWith("Diagnostics"))).toEqual([
      "DiagnosticsStatusNotification UploadFailed",
    ]);
  });

  test("a trigger is answered with what is going on, and Idle where nothing is [FM-02] [FM-06] [RT-15]", async () => {
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["hangs"];
    const site = await ready({ firmwareManagement: firmwareManagement(transfers) });
    const trigger = async (requestedMessage: "DiagnosticsStatusNotification" | "FirmwareStatusNotification") => {
      expect(await site.call("TriggerMessage", { requestedMessage })).toEqual({ status: "Accepted" });
      return site.after(() => {}, second);
    };
    expect(await trigger("DiagnosticsStatusNotification")).toEqual(["DiagnosticsStatusNotification Idle"]);
    expect(await trigger("FirmwareStatusNotification")).toEqual(["FirmwareStatusNotification Idle"]);
    await site.call("GetDiagnostics", { location });
    await site.call("UpdateFirmware", { location, retrieveDate: "2026-01-01T00:00:00Z" });
    await site.after(() => {}, second);
    expect(await trigger("DiagnosticsStatusNotification")).toEqual(["DiagnosticsStatusNotification Uploading"]);
    expect(await trigger("FirmwareStatusNotification")).toEqual(["FirmwareStatusNotification Downloading"]);
  });
});
