import { memoryStore } from "@ocppj/core";
import { afterEach, describe, expect, test } from "vitest";
import { type ChargerSite, hour, minute, second } from "../charger-site.ts";
import { ScriptedHardware } from "../scripted-hardware.ts";
import { managing, ScriptedTransfers, ScriptedTrust } from "../scripted-transfers.ts";
import { charging, ready } from "./ready.ts";

const action = "SignedFirmwareStatusNotification";

const firmware = {
  location: "http://files.example.com/firmware.bin",
  retrieveDateTime: "2026-01-01T00:00:00Z",
  signature: "c2lnbmF0dXJl",
  signingCertificate: "-----BEGIN CERTIFICATE-----",
};
const request = (requestId: number, more: object = {}) => ({
  requestId,
  retries: 1,
  retryInterval: 30,
  firmware: { ...firmware, ...more },
});

/** What a charger with signed updates is made of. */
class Parts {
  readonly transfers = new ScriptedTransfers();
  readonly trust = new ScriptedTrust();
  readonly hardware = new ScriptedHardware();
  /** The security events, among what was told. */
  readonly noticed: string[] = [];

  get options() {
    const noticed = (type: string, techInfo?: string): void => void this.noticed.push(`${type}: ${techInfo}`);
    const { hardware, transfers, trust } = this;
    return { hardware, firmwareManagement: managing(transfers, { trust, noticed }) };
  }
}

const told = (site: ChargerSite): string[] =>
  (site.payloads(action) as { requestId?: number; status: string }[]).map(
    ({ requestId, status }) => `${requestId} ${status}`,
  );

let site: ChargerSite;
/** Every status of an update carries its requestId. [SEC-L01-10, SEC-L01-21] */
afterEach(() => {
  for (const payload of site.payloads(action) as { requestId?: number; status: string }[])
    if (payload.status !== "Idle") expect(payload.requestId).toBeTypeOf("number");
  const plain = site.payloads("FirmwareStatusNotification") as { status: string }[];
  expect(plain.filter(({ status }) => status !== "Idle")).toEqual([]);
});

describe("Signed firmware", () => {
  test("TC_080: is fetched, verified, installed over a restart, and told step by step [TCK-C080] [SEC-L01-01] [SEC-L01-04] [SEC-L01-05] [SEC-L01-10] [SEC-L01-15] [SEC-L01-31] [SEC-EV-01]", async () => {
    const parts = new Parts();
    const { hardware, transfers, trust } = parts;
    hardware.installing = () => "restart";
    Object.assign(hardware, { isInstalled: () => true });
    site = await ready(parts.options);
    expect(await site.call("SignedUpdateFirmware", request(7))).toEqual({ status: "Accepted" });
    const lines = await site.after(() => {}, minute);
    expect(lines.filter((line) => line.startsWith("Boot") || line.startsWith("Signed"))).toEqual([
      ...["Downloading", "Downloaded", "SignatureVerified", "Installing", "InstallRebooting"].map(
        (status) => `${action} 7 ${status}`,
      ),
      "BootNotification",
      `${action} 7 Installed`,
    ]);
    expect(transfers.asked).toEqual([`download ${firmware.location}`]);
    const { signature, signingCertificate } = firmware;
    expect(trust.asked).toEqual([
      `check ${signingCertificate}`,
      `verify /tmp/firmware ${signature} ${signingCertificate}`,
    ]);
    expect(hardware.done.filter((line) => /install|reboot/.test(line))).toEqual([
      "install /tmp/firmware",
      "reboot Soft",
    ]);
    expect(parts.noticed).toEqual(["FirmwareUpdated: requestId 7"]);
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
    expect(await site.store.load("namespace/charger/job")).toEqual([]);
  });

  test.each([
    ["is another", async () => false],
    ["cannot be verified", () => Promise.reject(new Error("The file is gone."))],
    ["is not verified in ten minutes", () => new Promise<boolean>(() => {})],
  ])(
    "TC_081: its signature %s: nothing is installed [TCK-C080] [SEC-L01-03] [SEC-L01-04] [SEC-EV-13]",
    async (_, verifying) => {
      const parts = new Parts();
      parts.trust.verifying = verifying;
      site = await ready(parts.options);
      await site.call("SignedUpdateFirmware", request(8));
      await site.after(() => {}, 10 * minute);
      expect(told(site)).toEqual(["8 Downloading", "8 Downloaded", "8 InvalidSignature"]);
      expect(parts.noticed).toEqual(["InvalidFirmwareSignature: requestId 8"]);
      expect(parts.hardware.done.filter((line) => line.startsWith("install"))).toEqual([]);
      expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
    },
  );

  test.each([
    ["InvalidCertificate", "SEC-L01-24"],
    ["RevokedCertificate", "SEC-L01-25"],
  ] as const)(
    "by a certificate that is no good is answered with %s, and not fetched [%s] [SEC-L01-02] [SEC-L01-23] [SEC-EV-14]",
    async (status, _) => {
      const parts = new Parts();
      parts.trust.checking = async () => status;
      site = await ready(parts.options);
      expect(await site.call("SignedUpdateFirmware", request(1))).toEqual({ status });
      await site.after(() => {}, hour);
      expect(parts.noticed).toEqual([`InvalidFirmwareSigningCertificate: ${status}`]);
      expect([parts.transfers.asked, told(site)]).toEqual([[], []]);
    },
  );

  test.each([
    ["throws", () => Promise.reject(new Error("No roots."))],
    ["hangs", () => new Promise<"Accepted">(() => {})],
    ["answers nonsense", async () => "yes" as "Accepted"],
  ])(
    "is Rejected where the check of the certificate %s: it is not known to be wrong [SEC-L01-23]",
    async (_, checking) => {
      const parts = new Parts();
      parts.trust.checking = checking;
      site = await ready(parts.options);
      const answer = site.connection.call("SignedUpdateFirmware", request(1));
      await site.clock.advance(10 * second);
      expect(await answer).toEqual({ status: "Rejected" });
      await site.after(() => {}, hour);
      expect([parts.noticed, parts.transfers.asked, told(site)]).toEqual([[], [], []]);
    },
  );

  test("waits for its times, and for transactions, which go on; what is free is out of service only while it could be installed; it is verified again then [SEC-L01-06] [SEC-L01-13] [SEC-L01-16] [SEC-L01-17] [SEC-L01-18] [SEC-L01-19]", async () => {
    const parts = new Parts();
    site = await charging({ ...parts.options, configuration: { MeterValueSampleInterval: 0 } });
    const at = (ms: number): string => new Date(site.clock.now() + ms).toISOString();
    const times = { retrieveDateTime: at(hour), installDateTime: at(2 * hour) };
    await site.call("SignedUpdateFirmware", request(1, times));
    await site.after(() => {}, hour - 1);
    expect(told(site)).toEqual(["1 DownloadScheduled"]);
    await site.after(() => {}, hour - 1);
    expect(told(site).slice(1)).toEqual(["1 Downloading", "1 Downloaded", "1 SignatureVerified", "1 InstallScheduled"]);
    expect([site.status(1), site.status(2)]).toEqual(["Charging", "Available"]);
    await site.after(() => {}, hour);
    expect([site.status(1), site.status(2)]).toEqual(["Charging", "Unavailable"]);
    expect(parts.trust.asked).toHaveLength(2);
    parts.hardware.installing = () => new Promise(() => {});
    await site.after(() => site.hardware.present("TAG", 1));
    await site.after(() => site.hardware.unplug(1));
    expect([site.status(1), site.status(2)]).toEqual(["Unavailable", "Unavailable"]); // SEC-L01-07
    expect(told(site).slice(5)).toEqual(["1 Installing"]);
    expect(parts.trust.asked).toHaveLength(3);
  });

  test("a file that has changed while it waited is not installed", async () => {
    const parts = new Parts();
    site = await charging({ ...parts.options, configuration: { MeterValueSampleInterval: 0 } });
    await site.call("SignedUpdateFirmware", request(1));
    await site.after(() => {}, minute);
    parts.trust.verifying = async () => false;
    await site.after(() => site.hardware.present("TAG", 1), minute);
    await site.after(() => site.hardware.unplug(1));
    expect(told(site).slice(2)).toEqual(["1 SignatureVerified", "1 InstallVerificationFailed"]);
    expect(parts.noticed).toEqual(["InvalidFirmwareSignature: requestId 1"]);
    expect(parts.hardware.done.filter((line) => line.startsWith("install"))).toEqual([]);
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
  });

  test("somebody who was accepted and has not plugged in yet is waited for [SEC-L01-06]", async () => {
    const parts = new Parts();
    site = await ready(parts.options);
    site.hardware.present("TAG", 1);
    await site.clock.advance(second);
    let answer: (isVerified: boolean) => void = () => {};
    parts.trust.verifying = () => new Promise((resolve) => (answer = resolve));
    await site.call("SignedUpdateFirmware", request(1));
    await site.clock.advance(second);
    answer(true);
    await site.clock.advance(second);
    expect(told(site).at(-1)).toBe("1 SignatureVerified");
    site.hardware.plug(1);
    await site.clock.advance(second);
    expect(site.status(1)).toBe("Charging");
    parts.trust.verifying = async () => true;
    await site.after(() => site.hardware.present("TAG", 1), second);
    expect(told(site).slice(-2)).toEqual(["1 Installing", "1 Installed"]);
  });

  test("who is asked about while connectors go out of service is refused", async () => {
    const parts = new Parts();
    site = await ready(parts.options);
    let answer: () => void = () => {};
    site.authorizing = () =>
      new Promise((resolve) => {
        answer = () => resolve({ idTagInfo: { status: "Accepted" } });
      });
    site.hardware.present("TAG", 1);
    await site.clock.advance(second);
    parts.hardware.installing = () => new Promise(() => {});
    await site.call("SignedUpdateFirmware", request(1));
    await site.after(() => {}, second);
    expect(parts.hardware.done).toContain("install /tmp/firmware");
    await site.after(() => answer(), second);
    await site.after(() => site.hardware.plug(1), minute);
    expect(site.payloads("StartTransaction")).toEqual([]);
    expect(site.status(1)).toBe("Unavailable");
  });

  test.each(["downloading", "scheduled to be fetched", "scheduled to be installed", "waiting for a transaction"])(
    "another request cancels one that is %s [SEC-L01-26]",
    async (phase) => {
      const parts = new Parts();
      site = await charging({ ...parts.options, configuration: { MeterValueSampleInterval: 0 } });
      const later = new Date(site.clock.now() + hour).toISOString();
      if (phase === "downloading") parts.transfers.outcomes = ["hangs", "works"];
      const more = {
        ...(phase === "scheduled to be fetched" && { retrieveDateTime: later }),
        ...(phase === "scheduled to be installed" && { installDateTime: later }),
      };
      await site.call("SignedUpdateFirmware", request(1, more));
      await site.after(() => {}, minute);
      expect(await site.call("SignedUpdateFirmware", request(2))).toEqual({ status: "AcceptedCanceled" });
      if (phase === "downloading") expect(parts.transfers.signals[0]?.aborted).toBe(true);
      await site.after(() => {}, minute);
      await site.after(() => site.hardware.present("TAG", 1), minute);
      await site.after(() => {}, 2 * hour);
      const statuses = told(site);
      const end =
        phase === "downloading" || phase === "scheduled to be fetched" ? "DownloadFailed" : "InstallationFailed";
      expect(statuses.filter((line) => line.startsWith("1 ")).at(-1)).toBe(`1 ${end}`);
      expect(statuses.indexOf(`1 ${end}`)).toBeLessThan(statuses.indexOf("2 Downloading"));
      expect(statuses.at(-1)).toBe("2 Installed");
    },
  );

  test("while one is installed another is Rejected [SEC-L01-27], and a plain one is never taken [SEC-L01-20]", async () => {
    const parts = new Parts();
    parts.hardware.installing = () => new Promise(() => {});
    site = await ready(parts.options);
    const plain = { location: firmware.location, retrieveDate: firmware.retrieveDateTime };
    await expect(site.call("UpdateFirmware", plain)).rejects.toMatchObject({ code: "NotSupported" });
    await site.after(() => {}, minute);
    expect(parts.transfers.asked).toEqual([]);
    await site.call("SignedUpdateFirmware", request(1));
    await site.after(() => {}, minute);
    expect(told(site).at(-1)).toBe("1 Installing");
    expect(await site.call("SignedUpdateFirmware", request(2))).toEqual({ status: "Rejected" });
    await site.after(() => {}, hour);
    expect(told(site).at(-1)).toBe("1 Installing");
  });

  test("a restart waits until it was told, be the store slow [SEC-L01-15]", async () => {
    const parts = new Parts();
    const disk = memoryStore();
    let isSlow = false;
    const put = async (key: string, value: string): Promise<void> => {
      if (isSlow) await new Promise<void>((resolve) => void site.clock.wakeAt(site.clock.now() + second, resolve));
      await disk.put(key, value);
    };
    site = await ready({ ...parts.options, store: { ...disk, put } });
    isSlow = true;
    parts.hardware.installing = () => "restart";
    let toldBefore: string | undefined;
    parts.hardware.rebooted = () => {
      toldBefore = told(site).at(-1);
    };
    await site.call("SignedUpdateFirmware", request(1));
    await site.after(() => {}, minute);
    expect(toldBefore).toBe("1 InstallRebooting");
  });

  test("it cannot be restarted into: it has failed, and connectors come back", async () => {
    const parts = new Parts();
    parts.hardware.installing = () => "restart";
    parts.hardware.reboot = () => Promise.reject(new Error("No."));
    site = await ready({ ...parts.options, configuration: { ResetRetries: 0 } });
    await site.call("SignedUpdateFirmware", request(1));
    await site.after(() => {}, minute);
    expect(told(site).slice(-2)).toEqual(["1 InstallRebooting", "1 InstallationFailed"]);
    expect([site.status(1), site.status(2)]).toEqual(["Available", "Available"]);
  });

  test.each([
    ["after a power cut", (each: ChargerSite) => each.powerCut()],
    ["after a reset", async (each: ChargerSite) => void (await each.call("Reset", { type: "Soft" }))],
  ])(
    "goes on %s, out of service and verified again where it was to be installed, and ends once",
    async (_, interrupt) => {
      const parts = new Parts();
      let verifiedAt: number | undefined;
      let isInstalledAt: number | undefined;
      parts.hardware.installing = () => {
        isInstalledAt = site.clock.now();
        return "installed";
      };
      parts.trust.verifying = () => {
        const isFirst = verifiedAt === undefined;
        verifiedAt = site.clock.now();
        return isFirst ? new Promise(() => {}) : Promise.resolve(true); // The first is cut.
      };
      site = await ready(parts.options);
      const installDateTime = new Date(site.clock.now() + hour).toISOString();
      await site.call("SignedUpdateFirmware", request(1, { installDateTime }));
      await site.after(() => {}, minute);
      await interrupt(site);
      await site.after(() => {}, minute);
      expect(told(site).at(-1)).toBe("1 InstallScheduled");
      await interrupt(site);
      await site.after(() => {}, 2 * hour);
      expect(told(site)).toEqual(
        ["Downloading", "Downloaded", "SignatureVerified", "InstallScheduled", "Installing", "Installed"].map(
          (status) => `1 ${status}`,
        ),
      );
      expect(isInstalledAt).toBe(Date.parse(installDateTime));
      expect(verifiedAt).toBe(isInstalledAt);
    },
  );

  test("is not offered without trust, without an installer, or by a protocol that is not there [FM-31] [SEC-MSG-21]", async () => {
    const { firmwareManagement, hardware } = new Parts().options;
    site = await ready({ firmwareManagement: managing(new ScriptedTransfers()) });
    await expect(site.call("SignedUpdateFirmware", request(1))).rejects.toMatchObject({ code: "NotSupported" });
    const trigger = { requestedMessage: "FirmwareStatusNotification" } as const;
    expect(await site.call("ExtendedTriggerMessage", trigger)).toEqual({ status: "NotImplemented" });
    site = await ready({ firmwareManagement });
    expect(await site.call("SignedUpdateFirmware", request(1, { location: "https://h/f" }))).toEqual({
      status: "Rejected",
    });
    Object.assign(hardware, { install: undefined });
    site = await ready({ firmwareManagement, hardware });
    await expect(site.call("SignedUpdateFirmware", request(1))).rejects.toMatchObject({ code: "NotSupported" });
  });

  test("a plain update that was under way is not installed once firmware has to be signed [SEC-L01-20]", async () => {
    const transfers = new ScriptedTransfers();
    transfers.outcomes = ["hangs", "works"];
    const before = await ready({ firmwareManagement: managing(transfers) });
    await before.call("UpdateFirmware", { location: firmware.location, retrieveDate: firmware.retrieveDateTime });
    await before.after(() => {}, second);
    await before.charger.stop();
    const parts = new Parts();
    site = await ready({ ...parts.options, store: before.store });
    await site.after(() => {}, hour);
    expect(site.payloads("FirmwareStatusNotification").splice(0)).toEqual([{ status: "DownloadFailed" }]);
    site.received.length = 0;
    expect([transfers.asked.length, parts.transfers.asked]).toEqual([1, []]);
    expect(parts.hardware.done.filter((line) => line.startsWith("install"))).toEqual([]);
  });
});

describe("What is asked about signed firmware", () => {
  const trigger = async (triggering: "TriggerMessage" | "ExtendedTriggerMessage"): Promise<unknown> => {
    const before = site.received.length;
    const { status } = await site.call(triggering, { requestedMessage: "FirmwareStatusNotification" });
    const sent = site.received.slice(before).map(({ action: name, payload }) => [name, payload]);
    return status === "Accepted" ? sent : status;
  };

  test("Idle before any, and once it is installed; else what was told last, also after a power cut [SEC-L01-28] [SEC-L01-29] [SEC-MSG-20] [SEC-MSG-21]", async () => {
    const parts = new Parts();
    site = await ready(parts.options);
    expect(await trigger("ExtendedTriggerMessage")).toEqual([[action, { status: "Idle" }]]);
    parts.transfers.outcomes = ["hangs", "fails", "works"];
    await site.call("SignedUpdateFirmware", { ...request(1), retries: 0 });
    await site.after(() => {}, second);
    expect(await trigger("ExtendedTriggerMessage")).toEqual([[action, { status: "Downloading", requestId: 1 }]]);
    await site.powerCut();
    await site.after(() => {}, minute);
    expect(await trigger("ExtendedTriggerMessage")).toEqual([[action, { status: "DownloadFailed", requestId: 1 }]]);
    await site.powerCut();
    await site.after(() => {}, minute);
    expect(await trigger("ExtendedTriggerMessage")).toEqual([[action, { status: "DownloadFailed", requestId: 1 }]]);
    expect(await site.call("SignedUpdateFirmware", request(2))).toEqual({ status: "Accepted" });
    await site.after(() => {}, minute);
    expect(await trigger("ExtendedTriggerMessage")).toEqual([[action, { status: "Idle" }]]);
  });

  test("the plain message cannot say how a signed one goes, but that there is none [FM-06] [SEC-MSG-21]", async () => {
    const parts = new Parts();
    parts.transfers.outcomes = ["hangs"];
    site = await ready(parts.options);
    expect(await trigger("TriggerMessage")).toEqual([["FirmwareStatusNotification", { status: "Idle" }]]);
    await site.call("SignedUpdateFirmware", request(1));
    await site.after(() => {}, second);
    expect(await trigger("TriggerMessage")).toBe("Rejected");
    parts.transfers.outcomes = ["fails"];
    await site.call("SignedUpdateFirmware", { ...request(2), retries: 0 });
    await site.after(() => {}, second);
    expect(told(site).at(-1)).toBe("2 DownloadFailed");
    expect(await trigger("TriggerMessage")).toEqual([["FirmwareStatusNotification", { status: "Idle" }]]);
  });
});
