import { CallError, type HandshakeFailure, memoryStore, type RecordStore, type Req } from "@ocppj/core";
import { describe, expect, test } from "vitest";
import { type SecurityEventType, security } from "../../src/index.ts";
import { ChargerSite, hour, minute, second } from "../charger-site.ts";
import { ready } from "./ready.ts";

const credential = { securityProfile: 1, authorizationKey: "0".repeat(40) } as const;
const options = { security: security(), credential };

const noted = (site: ChargerSite): string[] => site.charger.securityLog.map(({ type }) => type);
const told = (site: ChargerSite) => site.payloads("SecurityEventNotification") as Req<"SecurityEventNotification">[];
const typesTold = (site: ChargerSite): string[] => told(site).map(({ type }) => type);

/** A disk that can be full. */
function smallDisk(): RecordStore & { isFull: boolean } {
  const disk = memoryStore();
  const small = {
    ...disk,
    isFull: false,
    load: (prefix: string) => disk.load(prefix),
    delete: (key: string) => disk.delete(key),
    async put(key: string, value: string) {
      if (small.isFull) throw Object.assign(new Error("no space left on device"), { code: "ENOSPC" });
      await disk.put(key, value);
    },
  };
  return small;
}

type Happening = readonly [
  type: SecurityEventType,
  isTold: boolean,
  id: string,
  happens: (site: ChargerSite) => unknown,
];

const happenings: readonly Happening[] = [
  ["ResetOrReboot", true, "SEC-EV-06", (site) => site.call("Reset", { type: "Hard" })],
  ["TamperDetectionActivated", true, "SEC-EV-12", (site) => site.hardware.listener.tampered("housing")],
  ["SecurityLogWasCleared", true, "SEC-EV-07", (site) => site.charger.clearSecurityLog()],
  ["InvalidMessages", false, "SEC-EV-10", (site) => site.links.at(-1)?.centralSystem.send("nonsense")],
  [
    "ReconfigurationOfSecurityParameters",
    false,
    "SEC-A01-11] [SEC-EV-08",
    (site) => site.call("ChangeConfiguration", { key: "AuthorizationKey", value: "a".repeat(40) }),
  ],
  [
    "SettingSystemTime",
    true,
    "SEC-EV-04",
    async (site) => {
      site.aheadMs = hour;
      await site.clock.advance(5 * minute);
    },
  ],
];

describe("Security events", () => {
  test.each(happenings)(
    "%s is written down, and told: %s [SEC-A04-01] [SEC-A04-04] [%s]",
    async (type, isTold, _, happens) => {
      const site = await ready(options);
      expect([noted(site), typesTold(site)]).toEqual([["StartupOfTheDevice"], ["StartupOfTheDevice"]]); // SEC-EV-05
      await happens(site);
      await site.after(() => {}, minute);
      expect(noted(site).filter((each) => each !== "StartupOfTheDevice")).toEqual([type]);
      expect(typesTold(site).filter((each) => each !== "StartupOfTheDevice")).toEqual(isTold ? [type] : []);
    },
  );

  test("MemoryExhaustion: the store has no room left; it is told once it was noticed [SEC-EV-09]", async () => {
    const store = smallDisk();
    const site = await ready({ ...options, store });
    store.isFull = true;
    await site.call("ChangeAvailability", { connectorId: 1, type: "Inoperative" });
    await site.after(() => {}, second);
    store.isFull = false;
    await site.after(() => {}, minute);
    expect(typesTold(site)).toEqual(["StartupOfTheDevice", "MemoryExhaustion"]);
  });

  test.each<readonly [reason: HandshakeFailure, type: SecurityEventType | undefined, isTold: boolean]>([
    ["unauthorized", "FailedToAuthenticateAtCentralSystem", false],
    ["certificate-untrusted", "InvalidCentralSystemCertificate", true],
    ["certificate-expired", "InvalidCentralSystemCertificate", true],
    ["tls-version", "InvalidTLSVersion", true],
    ["tls-cipher", "InvalidTLSCipherSuite", true],
    ["network", undefined, false],
  ])(
    "a handshake that fails for %s is %s, counted once for all attempts, and told once connected: %s [SEC-EV-02] [SEC-EV-15] [SEC-EV-17] [SEC-EV-18] [SEC-A00-413] [SEC-A00-315] [SEC-A00-322]",
    async (refusal, type, isTold) => {
      const site = await ready(options);
      site.refuses = () => refusal;
      site.links.at(-1)?.chargePoint.drop();
      await site.after(() => {}, 30 * minute);
      expect(noted(site).slice(1)).toEqual(type === undefined ? [] : [type]);
      const { times = 1 } = site.charger.securityLog.at(-1) ?? {};
      if (type !== undefined) expect(times).toBeGreaterThan(2);
      site.refuses = () => undefined;
      await site.after(() => {}, 10 * minute);
      expect(typesTold(site).slice(1)).toEqual(isTold ? [type] : []);
    },
  );

  test("what is critical is told in order, with when it was, also after a power cut while it is offline [SEC-A04-02] [J-211]", async () => {
    const site = await ready(options);
    site.reachable = false;
    site.links.at(-1)?.chargePoint.drop();
    const at = site.clock.now();
    await site.after(() => site.hardware.listener.tampered("door"), minute);
    await site.after(() => site.charger.noticed("TamperDetectionActivated", "lid"), minute);
    await site.powerCut();
    site.reachable = true;
    await site.after(() => {}, 10 * minute);
    expect(told(site).slice(1)).toMatchObject([
      { type: "TamperDetectionActivated", techInfo: "door", timestamp: new Date(at).toISOString() },
      { type: "TamperDetectionActivated", techInfo: "lid", timestamp: new Date(at + minute).toISOString() },
      { type: "StartupOfTheDevice" },
    ]);
    expect(noted(site)).toHaveLength(4);
  });

  test.each(["NotImplemented", "NotSupported"] as const)(
    "a Central System that does not know them (%s) is told each once, and of the rest [J-211]",
    async (code) => {
      const site = new ChargerSite(options);
      let asked = 0;
      site.answers.SecurityEventNotification = () => {
        asked += 1;
        throw new CallError(code);
      };
      await site.start();
      site.hardware.plug(1);
      await site.after(() => site.hardware.present("TAG", 1), hour);
      expect(asked).toBe(1);
      expect(site.payloads("StartTransaction")).toHaveLength(1);
      expect(noted(site)).toEqual(["StartupOfTheDevice"]);
    },
  );

  test("without security() there are none, and whoever asks for them is told why", async () => {
    const site = await ready();
    await site.after(() => site.hardware.listener.tampered("door"), minute);
    expect(typesTold(site)).toEqual([]);
    for (const act of [
      () => site.charger.noticed("TamperDetectionActivated"),
      () => site.charger.securityLog,
      () => site.charger.clearSecurityLog(),
    ]) {
      expect(act).toThrow("There is no security log. Give the Charger security: security().");
    }
    expect(() => security({ maxLogEntries: 0 })).toThrow(TypeError);
  });
});
