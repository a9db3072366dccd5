import { OwnSignal } from "@ocppj/core";
import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { firmwareManagement, security, simulatedHardware, simulatedTransfers } from "../../src/index.ts";
import { ChargerSite, minute, second } from "../charger-site.ts";
import type { ScriptedHardware } from "../scripted-hardware.ts";

const location = "ftp://files.example.com/new";

/** A charger of simulated hardware whose files travel nowhere. */
async function simulated() {
  const clock = new FakeClock();
  const hardware = simulatedHardware({ clock });
  const transfers = simulatedTransfers({ clock, seconds: 10 });
  const options = { clock, firmwareManagement: firmwareManagement(transfers), security: security() };
  const site = await new ChargerSite({ ...options, hardware: hardware as unknown as ScriptedHardware }).start();
  const told = async (ms: number): Promise<string[]> =>
    (await site.after(() => {}, ms)).filter((line) => /^(Firmware|Diagnostics)Status/.test(line));
  return { hardware, site, told, transfers };
}

describe("Simulated files", () => {
  test("firmware is fetched and installed, diagnostics are delivered, each in its time", async () => {
    const { hardware, site, told, transfers } = await simulated();
    await site.call("UpdateFirmware", { location, retrieveDate: "2026-01-01T00:00:00Z" });
    expect(await told(10 * second - 1)).toEqual(["FirmwareStatusNotification Downloading"]);
    expect(hardware.isInstalled()).toBe(false);
    expect((await told(second)).at(-1)).toBe("FirmwareStatusNotification Installed");
    expect([hardware.installed, hardware.isInstalled()]).toEqual([`simulated ${location}`, true]);
    const { fileName } = await site.call("GetDiagnostics", { location });
    expect((await told(minute)).at(-1)).toBe("DiagnosticsStatusNotification Uploaded");
    expect([...transfers.delivered.keys()]).toEqual([fileName]);
  });

  test.each(["breaks", "refused", "disk full"] as const)("fail as they are told to: %s", async (how) => {
    const { site, told, transfers } = await simulated();
    Object.assign(transfers.failing, { download: how, upload: how });
    await site.call("UpdateFirmware", { location, retrieveDate: "2026-01-01T00:00:00Z", retries: 0 });
    await site.call("GetDiagnostics", { location, retries: 0 });
    expect((await told(minute)).sort()).toEqual([
      "DiagnosticsStatusNotification UploadFailed",
      "DiagnosticsStatusNotification Uploading",
      "FirmwareStatusNotification DownloadFailed",
      "FirmwareStatusNotification Downloading",
    ]);
    const events = site.charger.securityLog.map(({ type }) => type);
    expect(events.includes("MemoryExhaustion")).toBe(how === "disk full");
  });

  test("hang until they are taken back", async () => {
    const transfers = simulatedTransfers({ clock: new FakeClock() });
    transfers.failing.download = "hangs";
    const signal = new OwnSignal();
    const download = transfers.download(location, { signal });
    signal.abort("enough");
    await expect(download).rejects.toBe("enough");
  });

  test("have signatures that hold, or not", async () => {
    const clock = new FakeClock();
    const transfers = simulatedTransfers({ clock, seconds: 0 });
    const verified = [transfers.verify()];
    await clock.advance(0);
    transfers.signaturesHold = false;
    verified.push(transfers.verify());
    await clock.advance(0);
    expect(await Promise.all(verified)).toEqual([true, false]);
  });

  test.each(["install", "diagnostics"] as const)("%s of the hardware fails when it is told to", async (method) => {
    const { hardware, site, told } = await simulated();
    hardware.failing[method] = "throws";
    await site.call("UpdateFirmware", { location, retrieveDate: "2026-01-01T00:00:00Z" });
    const ended = (await told(minute)).at(-1);
    expect(ended).toBe(`FirmwareStatusNotification ${method === "install" ? "InstallationFailed" : "Installed"}`);
    expect(await site.call("GetDiagnostics", { location })).toEqual(
      method === "install" ? { fileName: "simulated-hardware.json" } : {},
    );
  });

  test("say what is wrong with their options", () => {
    expect(() => simulatedTransfers({ seconds: -1 })).toThrow("seconds is -1. Give a number of seconds from 0 on.");
  });
});
