/* Signed firmware and logs with certificates and security events of the charger itself, and not only with what stands for them. */
import type { Req } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { certificates, firmwareManagement, security } from "../../src/index.ts";
import { type FakeCertificate, fakePem, fakeTools } from "../certificates/fake-tools.ts";
import { type ChargerSite, hour, minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { ScriptedTransfers } from "../scripted-transfers.ts";
import { ready } from "./ready.ts";

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

class VerifyingTransfers extends ScriptedTransfers {
  verifies = async (): Promise<boolean> => true;

  verify(file: string, { signature }: { readonly signature: string }): Promise<boolean> {
    this.asked.push(`verify ${signature} of ${file}`);
    return this.verifies();
  }
}

/** Settings of a charger that installs signed firmware. */
const optionsOf = (transfers: VerifyingTransfers, isRevoked = false) => ({
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

describe("Signed firmware", () => {
  test("is fetched, verified, installed and told step by step, each with its requestId, through the restart [SEC-L01-01] [SEC-L01-10] [SEC-L01-12] [SEC-L01-15] [SEC-L01-31] [SEC-EV-01]", async () => {
    const transfers = new VerifyingTransfers();
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

  test("hardware with a part for that verifies it instead", async () => {
    const hardware = new ScriptedHardware();
    const verified: unknown[] = [];
    Object.assign(hardware, { verify: (...args: unknown[]) => verified.push(args) > 0 });
    const transfers = new VerifyingTransfers();
    const site = await ready({ ...optionsOf(transfers), hardware });
    await site.call("SignedUpdateFirmware", update(7));
    await site.after(() => {}, minute);
    expect(verified).toEqual([["/tmp/firmware", expect.objectContaining({ signature: "c2ln", signingCertificate })]]);
    expect([transfers.asked.length, statusesOf(site).at(-1)]).toEqual([1, "7 Installed"]);
  });

  test("is the only one where it is offered: UpdateFirmware is not supported any more [SEC-L01-20]", async () => {
    const site = await ready(optionsOf(new VerifyingTransfers()));
    const req = { location: "http://files.example.com/f", retrieveDate: "2025-01-01T00:00:00Z" };
    await expect(site.call("UpdateFirmware", req)).rejects.toMatchObject({ code: "NotSupported" });
    const transfers = new VerifyingTransfers();
    Object.assign(transfers, { verify: undefined });
    const plain = await ready(optionsOf(transfers));
    expect(await plain.call("UpdateFirmware", req)).toEqual({});
    await expect(plain.call("SignedUpdateFirmware", update(1))).rejects.toMatchObject({ code: "NotSupported" });
  });

  test.each<readonly [string, () => Promise<boolean>]>([
    ["is false", async () => false],
    ["cannot be checked", () => Promise.reject(new Error("The file is gone."))],
    ["is nonsense", async () => "yes" as unknown as boolean],
  ])(
    "its signature %s: InvalidSignature, an event, and no installation [SEC-L01-03] [SEC-L01-04] [SEC-EV-13]",
    async (_, verifies) => {
      const transfers = new VerifyingTransfers();
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
      const transfers = new VerifyingTransfers();
      const site = await ready(optionsOf(transfers, isRevoked));
      const signer = certificateOf("signer", more);
      expect(await site.call("SignedUpdateFirmware", update(7, { signingCertificate: signer }))).toEqual({ status });
      await site.after(() => {}, hour);
      expect([transfers.asked, statusesOf(site)]).toEqual([[], []]);
      expect(eventsOf(site)).toContain("InvalidFirmwareSigningCertificate");
    },
  );
});

describe("The security log", () => {
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
    const transfers = new VerifyingTransfers();
    const site = await ready(optionsOf(transfers));
    await site.after(() => site.hardware.listener.tampered("Gehäuse"), minute);
    const { filename, status } = await site.call("GetLog", getLog(3));
    expect([status, filename]).toEqual(["Accepted", expect.stringMatching(/^security-log-2026\w+\.txt$/)]);
    await site.after(() => {}, second);
    const text = `\\S+ StartupOfTheDevice\\n\\S+ TamperDetectionActivated: Gehäuse\\n`;
    const upload = new RegExp(`^upload "${text}" as ${filename} to ${remoteLocation}$`);
    expect(transfers.asked).toEqual([expect.stringMatching(upload)]);
    expect(logStatusesOf(site)).toEqual(["3 Uploading", "3 Uploaded"]);
  });

  test("what is of the time that was asked for [SEC-N01-05]", async () => {
    const transfers = new VerifyingTransfers();
    const site = await ready(optionsOf(transfers));
    await site.after(() => site.hardware.listener.tampered("first"), hour);
    await site.after(() => site.hardware.listener.tampered("second"), hour);
    const log = { oldestTimestamp: at(site, -90 * minute), latestTimestamp: at(site, -30 * minute) };
    await site.call("GetLog", getLog(3, "SecurityLog", log));
    await site.after(() => {}, second);
    expect(transfers.asked).toEqual([expect.stringMatching(/^upload "\S+ TamperDetectionActivated: second\n" as /)]);
  });
});
