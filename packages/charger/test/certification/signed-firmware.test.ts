/* Signed firmware and logs, by the numbers of the certification cases. */
import type { Req } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { certificates, firmwareManagement, security } from "../../src/index.ts";
import { type FakeCertificate, fakePem, fakeTools } from "../certificates/fake-tools.ts";
import { type ChargerSite, hour, minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { ScriptedTransfers } from "../scripted-transfers.ts";
import { charging, ready } from "./ready.ts";

const year = 365 * 24 * hour;
const start = Date.parse("2026-01-01T00:00:00Z");

const certificateOf = (name: string, more: Partial<FakeCertificate> = {}): string =>
  fakePem({
    name,
    issuer: "maker",
    key: `PUBLIC ${name}`,
    notBefore: start - year,
    notAfter: start + year,
    mayIssue: false,
    organizationName: "Maker",
    commonName: name,
    ...more,
  });

const maker = certificateOf("maker", { mayIssue: true });
const signingCertificate = certificateOf("signer");

/** Settings of a charger that installs signed firmware. */
const optionsOf = (transfers: ScriptedTransfers, isRevoked = false) => ({
  firmwareManagement: firmwareManagement(transfers),
  security: security(),
  certificates: certificates({
    tools: { ...fakeTools(), isRevoked: async () => isRevoked },
    roots: { ManufacturerRootCertificate: maker },
    revocationLists: () => "lists",
  }),
});

const isOf = (action: string) => (line: string) => line.startsWith(action);
const statusesOf = (site: ChargerSite) =>
  (site.payloads("SignedFirmwareStatusNotification") as Req<"SignedFirmwareStatusNotification">[]).map(
    ({ requestId, status }) => `${requestId} ${status}`,
  );
const eventsOf = (site: ChargerSite) =>
  (site.payloads("SecurityEventNotification") as Req<"SecurityEventNotification">[]).map(({ type }) => type);
const at = (site: ChargerSite, ms: number): string => new Date(site.clock.now() + ms).toISOString();

const update = (requestId: number, more: Partial<Req<"SignedUpdateFirmware">["firmware"]> = {}) => ({
  requestId,
  retries: 1,
  retryInterval: 30,
  firmware: {
    location: "http://files.example.com/firmware.bin",
    retrieveDateTime: "2025-01-01T00:00:00Z",
    signingCertificate,
    signature: "c2ln",
    ...more,
  },
});

describe("TC_080 signed firmware [TCK-C080]", () => {
  test("is fetched, verified, installed and told step by step, each with its requestId, through the restart [SEC-L01-01] [SEC-L01-10] [SEC-L01-12] [SEC-L01-15] [SEC-L01-31] [SEC-EV-01]", async () => {
    const transfers = new ScriptedTransfers();
    const hardware = new ScriptedHardware();
    const site = await ready({ ...optionsOf(transfers), hardware });
    hardware.installing = () => "restart";
    Object.assign(hardware, { isInstalled: () => true });
    expect(await site.call("SignedUpdateFirmware", update(7))).toEqual({ status: "Accepted" });
    await site.after(() => {}, minute);
    expect(statusesOf(site)).toEqual([
      "7 Downloading",
      "7 Downloaded",
      "7 SignatureVerified",
      "7 Installing",
      "7 InstallRebooting",
      "7 Installed",
    ]);
    expect(transfers.asked).toEqual(["download http://files.example.com/firmware.bin", "verify c2ln of /tmp/firmware"]);
    expect(eventsOf(site)).toContain("FirmwareUpdated");
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
  });

  test("waits for its times: to be fetched, and to be installed, until when connectors stay in service [SEC-L01-05] [SEC-L01-13] [SEC-L01-16] [SEC-L01-17]", async () => {
    const site = await ready(optionsOf(new ScriptedTransfers()));
    const times = { retrieveDateTime: at(site, hour), installDateTime: at(site, 3 * hour) };
    await site.call("SignedUpdateFirmware", update(7, times));
    await site.after(() => {}, hour - 1);
    expect(statusesOf(site)).toEqual(["7 DownloadScheduled"]);
    await site.after(() => {}, hour);
    expect(statusesOf(site).slice(1)).toEqual([
      "7 Downloading",
      "7 Downloaded",
      "7 SignatureVerified",
      "7 InstallScheduled",
    ]);
    expect(site.status(1)).toBe("Available");
    await site.powerCut();
    await site.after(() => {}, hour + 1);
    expect(statusesOf(site).slice(5)).toEqual(["7 Installing", "7 Installed"]);
  });

  test("waits for transactions; what is free is out of service meanwhile, and back in the end [SEC-L01-06] [SEC-L01-07]", async () => {
    const site = await charging(optionsOf(new ScriptedTransfers()));
    await site.call("SignedUpdateFirmware", update(7));
    await site.after(() => {}, minute);
    expect(statusesOf(site).at(-1)).toBe("7 SignatureVerified");
    expect([site.status(1), site.status(2)]).toEqual(["Charging", "Unavailable"]);
    await site.after(() => site.hardware.present("TAG", 1), second);
    await site.after(() => site.hardware.unplug(1), second);
    expect(statusesOf(site).slice(-2)).toEqual(["7 Installing", "7 Installed"]);
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
  });

  test("another one takes the place of one that is not being installed: AcceptedCanceled; one that is, stays: Rejected [SEC-L01-26] [SEC-L01-27]", async () => {
    const site = await ready(optionsOf(new ScriptedTransfers()));
    await site.call("SignedUpdateFirmware", update(1, { retrieveDateTime: at(site, hour) }));
    expect(await site.call("SignedUpdateFirmware", update(2, { installDateTime: at(site, hour) }))).toEqual({
      status: "AcceptedCanceled",
    });
    await site.after(() => {}, minute);
    site.hardware.installing = () => new Promise(() => {});
    expect(await site.call("SignedUpdateFirmware", update(3))).toEqual({ status: "AcceptedCanceled" });
    await site.after(() => {}, minute);
    expect(statusesOf(site)).toEqual([
      "1 DownloadScheduled",
      "1 DownloadFailed",
      ...["2 Downloading", "2 Downloaded", "2 SignatureVerified", "2 InstallScheduled", "2 InstallationFailed"],
      ...["3 Downloading", "3 Downloaded", "3 SignatureVerified", "3 Installing"],
    ]);
    expect(await site.call("SignedUpdateFirmware", update(4))).toEqual({ status: "Rejected" });
  });

  test("is the only one where it is offered: UpdateFirmware is not supported any more [SEC-L01-20]", async () => {
    const site = await ready(optionsOf(new ScriptedTransfers()));
    const req = { location: "http://files.example.com/f", retrieveDate: "2025-01-01T00:00:00Z" };
    await expect(site.call("UpdateFirmware", req)).rejects.toMatchObject({ code: "NotSupported" });
    const transfers = new ScriptedTransfers();
    Object.assign(transfers, { verify: undefined });
    const plain = await ready(optionsOf(transfers));
    expect(await plain.call("UpdateFirmware", req)).toEqual({});
    await expect(plain.call("SignedUpdateFirmware", update(1))).rejects.toMatchObject({ code: "NotSupported" });
  });

  test("an ExtendedTriggerMessage is answered with the last status, and Idle after Installed, also after a restart [SEC-L01-21] [SEC-L01-28] [SEC-L01-29] [SEC-MSG-20]", async () => {
    const transfers = new ScriptedTransfers();
    const site = await ready(optionsOf(transfers));
    const triggered = async (): Promise<string | undefined> => {
      const req = { requestedMessage: "FirmwareStatusNotification" } as const;
      expect(await site.call("ExtendedTriggerMessage", req)).toEqual({ status: "Accepted" });
      await site.after(() => {}, second);
      return statusesOf(site).at(-1);
    };
    expect(await triggered()).toBe("undefined Idle");
    transfers.outcomes = ["fails"];
    await site.call("SignedUpdateFirmware", update(1));
    await site.after(() => {}, hour);
    expect(await triggered()).toBe("1 DownloadFailed");
    await site.powerCut();
    expect(await triggered()).toBe("1 DownloadFailed");
    transfers.outcomes = ["works"];
    expect(await site.call("SignedUpdateFirmware", update(2))).toEqual({ status: "Accepted" });
    await site.after(() => {}, minute);
    expect(statusesOf(site).at(-1)).toBe("2 Installed");
    expect(await triggered()).toBe("undefined Idle");
  });

  test("hardware with a part for that verifies it instead", async () => {
    const hardware = new ScriptedHardware();
    const verified: unknown[] = [];
    Object.assign(hardware, { verify: (...args: unknown[]) => verified.push(args) > 0 });
    const transfers = new ScriptedTransfers();
    const site = await ready({ ...optionsOf(transfers), hardware });
    await site.call("SignedUpdateFirmware", update(7));
    await site.after(() => {}, minute);
    expect(verified).toEqual([["/tmp/firmware", expect.objectContaining({ signature: "c2ln", signingCertificate })]]);
    expect([transfers.asked.length, statusesOf(site).at(-1)]).toEqual([1, "7 Installed"]);
  });
});

describe("TC_081 firmware that is not what was signed [TCK-C080]", () => {
  test.each<readonly [string, () => Promise<boolean>]>([
    ["is false", async () => false],
    ["cannot be checked", () => Promise.reject(new Error("The file is gone."))],
    ["is nonsense", async () => "yes" as unknown as boolean],
  ])(
    "its signature %s: InvalidSignature, an event, and no installation [SEC-L01-03] [SEC-L01-04] [SEC-EV-13]",
    async (_, verifies) => {
      const transfers = new ScriptedTransfers();
      transfers.verifies = verifies;
      const site = await ready(optionsOf(transfers));
      await site.call("SignedUpdateFirmware", update(7));
      await site.after(() => {}, hour);
      expect(statusesOf(site)).toEqual(["7 Downloading", "7 Downloaded", "7 InvalidSignature"]);
      expect(eventsOf(site)).toContain("InvalidFirmwareSignature");
      expect(site.hardware.done.filter(isOf("install"))).toEqual([]);
      expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
    },
  );

  test.each([
    ["of somebody else's root", { issuer: "somebody" }, false, "InvalidCertificate"],
    ["that has ended", { notAfter: start - 1 }, false, "InvalidCertificate"],
    ["of an authority", { mayIssue: true }, false, "InvalidCertificate"],
    ["that was revoked", {}, true, "RevokedCertificate"],
  ] as const)(
    "a signing certificate %s: refused before anything is fetched, and an event [SEC-L01-02] [SEC-L01-23] [SEC-L01-24] [SEC-L01-25] [SEC-EV-14]",
    async (_, more, isRevoked, status) => {
      const transfers = new ScriptedTransfers();
      const site = await ready(optionsOf(transfers, isRevoked));
      const signer = certificateOf("signer", more);
      expect(await site.call("SignedUpdateFirmware", update(7, { signingCertificate: signer }))).toEqual({ status });
      await site.after(() => {}, hour);
      expect([transfers.asked, statusesOf(site)]).toEqual([[], []]);
      expect(eventsOf(site)).toContain("InvalidFirmwareSigningCertificate");
    },
  );
});

describe("TC_079 logs [TCK-C073]", () => {
  const remoteLocation = "ftp://files.example.com/logs";
  const getLog = (requestId: number, logType: "SecurityLog" | "DiagnosticsLog" = "SecurityLog", log: object = {}) => ({
    logType,
    requestId,
    retries: 0,
    log: { remoteLocation, ...log },
  });
  const logStatusesOf = (site: ChargerSite) =>
    (site.payloads("LogStatusNotification") as Req<"LogStatusNotification">[]).map(
      ({ requestId, status }) => `${requestId} ${status}`,
    );

  test("the security log is delivered under the name that was answered, each status with its requestId [SEC-N01-01] [SEC-N01-02] [SEC-N01-03] [SEC-N01-07] [SEC-N01-08] [SEC-N01-09]", async () => {
    const transfers = new ScriptedTransfers();
    const site = await ready(optionsOf(transfers));
    await site.after(() => site.hardware.listener.tampered("Gehäuse"), minute);
    const { filename, status } = await site.call("GetLog", getLog(3));
    expect([status, filename]).toEqual(["Accepted", expect.stringMatching(/^CP001-security-2026-[\dTZ-]+\.log$/)]);
    await site.after(() => {}, second);
    expect(transfers.asked).toEqual([`upload contents as ${filename} to ${remoteLocation}`]);
    expect(transfers.contents).toMatch(/^\S+ StartupOfTheDevice\n\S+ TamperDetectionActivated: Gehäuse\n$/);
    expect(logStatusesOf(site)).toEqual(["3 Uploading", "3 Uploaded"]);
  });

  test("what is of the time that was asked for [SEC-N01-05]", async () => {
    const transfers = new ScriptedTransfers();
    const site = await ready(optionsOf(transfers));
    await site.after(() => site.hardware.listener.tampered("first"), hour);
    await site.after(() => site.hardware.listener.tampered("second"), hour);
    const log = { oldestTimestamp: at(site, -90 * minute), latestTimestamp: at(site, -30 * minute) };
    await site.call("GetLog", getLog(3, "SecurityLog", log));
    await site.after(() => {}, second);
    expect(transfers.contents).toMatch(/^\S+ TamperDetectionActivated: second\n$/);
  });

  test("diagnostics are those of the hardware; where there are none, it is Rejected [SEC-N01-04]", async () => {
    const transfers = new ScriptedTransfers();
    const site = await ready(optionsOf(transfers));
    expect(await site.call("GetLog", getLog(3, "DiagnosticsLog"))).toEqual({ status: "Accepted", filename: "log.txt" });
    await site.after(() => {}, second);
    expect(transfers.asked).toEqual([`upload /tmp/log as log.txt to ${remoteLocation}`]);
    site.hardware.made = undefined;
    expect(await site.call("GetLog", getLog(4, "DiagnosticsLog"))).toEqual({ status: "Rejected" });
  });

  test.each([
    ["BadMessage", "BadMessage"],
    ["PermissionDenied", "PermissionDenied"],
    ["NotSupportedOperation", "NotSupportedOperation"],
    ["fails", "UploadFailure"],
    ["nonsense", "UploadFailure"],
  ] as const)(
    "a transfer that fails (%s) is told as %s, after the last attempt [SEC-N01-10]",
    async (outcome, status) => {
      const transfers = new ScriptedTransfers();
      transfers.outcomes = [outcome];
      const site = await ready(optionsOf(transfers));
      await site.call("GetLog", { ...getLog(3), retries: 1, retryInterval: 60 });
      await site.after(() => {}, minute - 1);
      expect(logStatusesOf(site)).toEqual(["3 Uploading"]);
      await site.after(() => {}, second);
      expect(logStatusesOf(site)).toEqual(["3 Uploading", `3 ${status}`]);
      expect(transfers.asked).toHaveLength(2);
    },
  );

  test("another one cancels one that is under way: AcceptedCanceled, and one end for each; a power cut ends it, too [SEC-N01-11]", async () => {
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["hangs"];
    const site = await ready(optionsOf(transfers));
    await site.call("GetLog", getLog(1));
    await site.after(() => {}, second);
    expect(await site.call("GetLog", getLog(2))).toMatchObject({ status: "AcceptedCanceled" });
    await site.after(() => {}, second);
    await site.powerCut();
    await site.after(() => {}, minute);
    expect(logStatusesOf(site)).toEqual(["1 Uploading", "1 UploadFailure", "2 Uploading", "2 UploadFailure"]);
  });

  test("an ExtendedTriggerMessage is answered with what is going on, and Idle without a requestId where nothing is [SEC-N01-12] [SEC-MSG-20]", async () => {
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["hangs"];
    const site = await ready(optionsOf(transfers));
    const triggered = async (): Promise<string | undefined> => {
      await site.call("ExtendedTriggerMessage", { requestedMessage: "LogStatusNotification" });
      await site.after(() => {}, second);
      return logStatusesOf(site).at(-1);
    };
    expect(await triggered()).toBe("undefined Idle");
    await site.call("GetLog", getLog(3));
    await site.after(() => {}, second);
    expect(await triggered()).toBe("3 Uploading");
  });

  test("without security() or firmwareManagement() they are not supported, and neither is what else they bring", async () => {
    const transfers = new ScriptedTransfers();
    for (const options of [{ security: security() }, { firmwareManagement: firmwareManagement(transfers) }, {}]) {
      const site = await ready(options);
      await expect(site.call("GetLog", getLog(1))).rejects.toMatchObject({ code: "NotSupported" });
    }
  });
});
