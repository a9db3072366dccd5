import { describe, expect, it, vi } from "vitest";
import {
  Configuration,
  type ConfigurationOptions,
  type ConfigurationVerdict,
  type StandardKeys,
  type VendorKeys,
} from "../../src/configuration/configuration.ts";
import { configurationKeys } from "../../src/configuration/configuration-keys.ts";
import { CallError } from "../../src/errors.ts";
import { memoryStore, type RecordStore } from "../../src/store/record-store.ts";
import { misbehaviours, oops } from "../connection/misbehaviours.ts";

const password = "00112233445566778899AABBCCDDEEFF00112233";

/** A charge point's configuration, the store that outlives it, and what it reports. */
class Charger {
  readonly store = memoryStore();
  readonly reports: Error[] = [];
  configuration!: Configuration;

  static async start(keys: Partial<StandardKeys> = {}, options: Partial<ConfigurationOptions<VendorKeys>> = {}) {
    const charger = new Charger();
    await charger.restart(keys, options);
    return charger;
  }

  /** Loads the configuration again, as after a reboot; perhaps with another firmware. */
  async restart(keys: Partial<StandardKeys> = {}, options: Partial<ConfigurationOptions<VendorKeys>> = {}) {
    this.configuration = await Configuration.load<VendorKeys>({
      keys: { NumberOfConnectors: { value: 2 }, ...keys },
      store: this.store,
      report: (error) => this.reports.push(error),
      ...options,
    });
  }

  async change(key: string, value: string): Promise<string> {
    const { status } = await this.configuration.changeConfiguration({ key, value });
    return status;
  }

  /** What GetConfiguration tells of a key: its value; `undefined` when there is none. */
  told(key: string): string | undefined {
    return this.configuration.getConfiguration({ key: [key] }).configurationKey?.[0]?.value;
  }

  /** The messages of all reports, and of what led to them. */
  get reported(): string[] {
    return this.reports.map(({ message, cause }) => (cause instanceof Error ? `${message} ${cause.message}` : message));
  }
}

const names = (list: readonly { readonly key: string }[] | undefined) => list?.map(({ key }) => key);

describe("Configuration.load", () => {
  it("has the required keys of Core without being told [CFG-62]", async () => {
    const { configuration } = await Charger.start();
    const required = Object.entries(configurationKeys).filter(
      ([, definition]) => "required" in definition && definition.profile === "Core",
    );
    expect(names(configuration.getConfiguration({}).configurationKey)).toEqual(required.map(([key]) => key));
    expect(configuration.get("HeartbeatInterval")).toBe(300);
    expect(configuration.get("MeterValuesSampledData")).toEqual(["Energy.Active.Import.Register"]);
  });

  it("has the required keys of every supported profile, and of no other [CFG-62] [CORE-GEN-04]", async () => {
    const { configuration } = await Charger.start({
      SupportedFeatureProfiles: { value: ["Core", "LocalAuthListManagement"] },
      LocalAuthListMaxLength: { value: 100 },
      SendLocalListMaxLength: { value: 10 },
    });
    expect(configuration.get("LocalAuthListEnabled")).toBe(true);
    expect(configuration.get("LocalAuthListMaxLength")).toBe(100);
    expect(configuration.get("ChargeProfileMaxStackLevel")).toBeUndefined();
  });

  it("refuses to leave out a required key of a supported profile [CFG-62]", async () => {
    const SupportedFeatureProfiles = { value: ["Core", "SmartCharging"] };
    await expect(Charger.start({ SupportedFeatureProfiles })).rejects.toThrow(
      new TypeError(
        "ChargeProfileMaxStackLevel must be given a value: this charge point has the key, and there is no default.",
      ),
    );
  });

  it("has optional keys only if they are mentioned [CFG-61] [CORE-GC-06] [QD-49]", async () => {
    const { configuration } = await Charger.start({ AuthorizationCacheEnabled: { value: false } });
    const listed = names(configuration.getConfiguration({}).configurationKey);
    expect(listed).toContain("AuthorizationCacheEnabled");
    expect(listed).not.toContain("AllowOfflineTxForUnknownId");
    expect(configuration.get("AllowOfflineTxForUnknownId")).toBeUndefined();
  });

  it.each<[string, Partial<StandardKeys>, VendorKeys]>([
    ["a value out of range", { HeartbeatInterval: { value: 0 } }, {}],
    ["a value that accepts refuses", { HeartbeatInterval: { value: 10, accepts: (s) => s >= 60 } }, {}],
    ["an unknown measurand", { MeterValuesSampledData: { value: ["Humidity"] } }, {}],
    [
      "more items than MaxLength",
      {
        MeterValuesSampledData: { value: ["Voltage", "SoC"] },
        MeterValuesSampledDataMaxLength: { value: 1 },
      },
      {},
    ],
    ["a password that is none", { AuthorizationKey: { value: "secret" } }, {}],
    ["a fixed cable that unlocks", { UnlockConnectorOnEVSideDisconnect: { readonly: true, value: true } }, {}],
    ["a key that is not standard", { ConnectionTimeout: { value: 1 } } as Partial<StandardKeys>, {}],
    ["an optional key without a value", { BlinkRepeat: {} } as unknown as StandardKeys, {}],
    ["a standard key among the vendor's", {}, { blinkrepeat: { type: "string", access: "R" } }],
    [
      "two keys that differ in case",
      {},
      { Fan: { type: "string", access: "R" }, FAN: { type: "string", access: "R" } },
    ],
    ["a name of 51 characters", {}, { ["x".repeat(51)]: { type: "string", access: "R" } }],
    [
      "a vendor's value of another type",
      {},
      { Fan: { type: "integer", access: "R", value: "x" } } as unknown as VendorKeys,
    ],
    [
      "an option that a key does not have",
      { HeartbeatInterval: { value: 60, readOnly: true } } as unknown as StandardKeys,
      {},
    ],
    ["a readonly that is none", { HeartbeatInterval: { value: 60, readonly: "no" } } as unknown as StandardKeys, {}],
    ["an accepts that is none", { HeartbeatInterval: { value: 60, accepts: [60] } } as unknown as StandardKeys, {}],
    ["a type that is none", {}, { Fan: { type: "number", access: "R" } } as unknown as VendorKeys],
    ["an access that is none", {}, { Fan: { type: "string", access: "RO" } } as unknown as VendorKeys],
    ["a minimum that is none", {}, { Fan: { type: "integer", access: "RW", minimum: Number.NaN } }],
    [
      "a pattern that is none",
      {},
      { Fan: { type: "string", access: "RW", pattern: "on|off" } } as unknown as VendorKeys,
    ],
  ])("refuses %s", async (_, keys, vendorKeys) => {
    await expect(Charger.start(keys, { vendorKeys })).rejects.toThrow(TypeError);
  });

  it("does not tell a value in what it throws [SEC-A01-12]", async () => {
    await expect(Charger.start({ AuthorizationKey: { value: "secret" } })).rejects.toThrow(/^(?!.*secret)/);
  });

  it("keeps its own copy of a list", async () => {
    const value = ["Voltage"];
    const { configuration } = await Charger.start({ MeterValuesSampledData: { value } });
    value.push("SoC");
    expect(configuration.get("MeterValuesSampledData")).toEqual(["Voltage"]);
  });

  it("rejects with what the store rejects with", async () => {
    const failure = new Error("no flash");
    const store: RecordStore = { ...memoryStore(), load: () => Promise.reject(failure) };
    await expect(Charger.start({}, { store })).rejects.toBe(failure);
  });
});

describe("a restart", () => {
  it("brings back what was set [CFG-63]", async () => {
    const charger = await Charger.start({ CpoName: {}, AuthorizationKey: {} });
    await charger.change("HeartbeatInterval", "77");
    await charger.change("LocalPreAuthorize", "true");
    await charger.change("MeterValuesSampledData", "Voltage.L1, SoC");
    await charger.change("AuthorizationKey", password);
    await charger.configuration.set("CpoName", 'Ünited "Power"');
    await charger.restart({ CpoName: {}, AuthorizationKey: {} });
    expect(charger.configuration.get("HeartbeatInterval")).toBe(77);
    expect(charger.configuration.get("LocalPreAuthorize")).toBe(true);
    expect(charger.configuration.get("MeterValuesSampledData")).toEqual(["Voltage.L1", "SoC"]);
    expect(charger.configuration.get("AuthorizationKey")).toBe(password);
    expect(charger.configuration.get("CpoName")).toBe('Ünited "Power"');
    expect(charger.reports).toEqual([]);
  });

  it("leaves read-only keys to the charge point", async () => {
    const charger = await Charger.start({ BlinkRepeat: { value: 1 } });
    await charger.configuration.set("NumberOfConnectors", 4);
    await charger.change("BlinkRepeat", "5");
    await charger.restart({ BlinkRepeat: { value: 2, readonly: true } });
    expect(charger.configuration.get("NumberOfConnectors")).toBe(2);
    expect(charger.configuration.get("BlinkRepeat")).toBe(2);
    // The next firmware can change it again.
    await charger.restart({ BlinkRepeat: { value: 3 } });
    expect(charger.configuration.get("BlinkRepeat")).toBe(5);
    expect(charger.reports).toEqual([]);
  });

  it("leaves the records of unknown keys alone", async () => {
    const charger = await Charger.start();
    const records = [
      { key: "configuration/NextYearsKey", value: '"1"' },
      { key: "configuration/heartbeatinterval", value: '"1"' },
    ];
    for (const { key, value } of records) await charger.store.put(key, value);
    await charger.restart();
    expect(await charger.store.load("")).toEqual(records);
    expect(charger.configuration.get("HeartbeatInterval")).toBe(300);
    expect(charger.reports).toEqual([]);
  });

  it.each([
    ["cut off", '"7'],
    ["no JSON", "77"],
    ["empty", ""],
    ["not text", '{"value":77}'],
    ["of another type", '"soon"'],
    ["out of range", '"0"'],
  ])("sets aside a record that is %s, reports it, and uses the default [CFG-63]", async (_, value) => {
    const charger = await Charger.start();
    await charger.store.put("configuration/HeartbeatInterval", value);
    await charger.store.put("configuration/ResetRetries", '"9"');
    await charger.restart();
    expect(charger.configuration.get("HeartbeatInterval")).toBe(300);
    expect(charger.configuration.get("ResetRetries")).toBe(9);
    expect(charger.reports.map(({ message }) => message)).toEqual([
      "The record configuration/HeartbeatInterval is no value of its key. It is kept as corrupt/configuration/HeartbeatInterval.",
    ]);
    expect(await charger.store.load("")).toEqual([
      { key: "configuration/ResetRetries", value: '"9"' },
      { key: "corrupt/configuration/HeartbeatInterval", value },
    ]);
  });

  it("sets aside a value that the charge point no longer takes [CORE-MTR-09]", async () => {
    const charger = await Charger.start();
    await charger.change("MeterValuesSampledData", "Voltage,SoC");
    await charger.restart({ MeterValuesSampledData: { accepts: (measurands) => !measurands.includes("SoC") } });
    expect(charger.configuration.get("MeterValuesSampledData")).toEqual(["Energy.Active.Import.Register"]);
    expect(charger.reports).toHaveLength(1);
  });

  it("does not tell the text of a record in a report [SEC-A01-12]", async () => {
    const charger = await Charger.start({ AuthorizationKey: {} });
    await charger.store.put("configuration/AuthorizationKey", `${password}"`);
    await charger.restart({ AuthorizationKey: {} });
    expect(charger.reported).toHaveLength(1);
    expect(charger.reported[0]).not.toContain(password.slice(0, 4));
  });

  it("goes on when a damaged record cannot be set aside", async () => {
    const charger = await Charger.start();
    await charger.store.put("configuration/HeartbeatInterval", "damaged");
    const store: RecordStore = { ...charger.store, put: () => Promise.reject(new Error("no space")) };
    await charger.restart({}, { store });
    expect(charger.configuration.get("HeartbeatInterval")).toBe(300);
    expect(charger.reports.map(({ message }) => message)).toEqual([
      expect.stringContaining("kept as corrupt/"),
      "The store failed to set aside configuration/HeartbeatInterval.",
    ]);
    expect(await charger.store.load("")).toEqual([{ key: "configuration/HeartbeatInterval", value: "damaged" }]);
  });
});

describe("getConfiguration", () => {
  it.each([[{}], [{ key: [] }]])(
    "tells all keys when it is asked for none in particular: %o [CORE-GC-01] [Q28]",
    async (req) => {
      const { configuration } = await Charger.start({ CpoName: {} });
      const { configurationKey, unknownKey } = configuration.getConfiguration(req);
      expect(configurationKey).toContainEqual({ key: "HeartbeatInterval", readonly: false, value: "300" });
      expect(configurationKey).toContainEqual({ key: "NumberOfConnectors", readonly: true, value: "2" });
      expect(configurationKey).toContainEqual({ key: "CpoName", readonly: false });
      expect(unknownKey).toBeUndefined();
    },
  );

  it("tells the keys that it is asked for, and which it does not know [CORE-GC-02] [CORE-GC-03]", async () => {
    const { configuration } = await Charger.start();
    expect(
      configuration.getConfiguration({ key: ["HeartbeatInterval", "BlinkRepeat", "toString", "__proto__"] }),
    ).toEqual({
      configurationKey: [{ key: "HeartbeatInterval", readonly: false, value: "300" }],
      unknownKey: ["BlinkRepeat", "toString", "__proto__"],
    });
  });

  it("always answers with configurationKey, and with unknownKey only if there are any [QD-11]", async () => {
    const { configuration } = await Charger.start();
    expect(configuration.getConfiguration({ key: ["X"] })).toEqual({ configurationKey: [], unknownKey: ["X"] });
    expect(Object.keys(configuration.getConfiguration({ key: ["ResetRetries"] }))).toEqual(["configurationKey"]);
  });

  it("finds keys in any case, and tells them in their own spelling [CORE-CC-10] [Q28]", async () => {
    const { configuration } = await Charger.start();
    const { configurationKey, unknownKey } = configuration.getConfiguration({
      key: ["ConnectionTimeout", "RESETRETRIES"],
    });
    expect(names(configurationKey)).toEqual(["ConnectionTimeOut", "ResetRetries"]);
    expect(unknownKey).toBeUndefined();
  });

  it("tells a key once, however often it is asked for [CORE-GC-02] [CORE-GC-03]", async () => {
    const { configuration } = await Charger.start();
    const key = ["ResetRetries", "resetretries", "ResetRetries", "Mine", "Mine"];
    const { configurationKey, unknownKey } = configuration.getConfiguration({ key });
    expect(names(configurationKey)).toEqual(["ResetRetries"]);
    expect(unknownKey).toEqual(["Mine"]);
  });

  it("never tells the password, nor calls it unknown [CFG-60] [CORE-GC-07] [J-180]", async () => {
    const { configuration } = await Charger.start({ AuthorizationKey: { value: password } });
    expect(JSON.stringify(configuration.getConfiguration({}))).not.toContain(password);
    expect(names(configuration.getConfiguration({}).configurationKey)).not.toContain("AuthorizationKey");
    expect(configuration.getConfiguration({ key: ["AuthorizationKey"] })).toEqual({ configurationKey: [] });
  });

  it("refuses more keys than GetConfigurationMaxKeys, rather than pass over some of them [CORE-GC-04]", async () => {
    const { configuration } = await Charger.start({ GetConfigurationMaxKeys: { value: 2 } });
    expect(
      names(configuration.getConfiguration({ key: ["ResetRetries", "HeartbeatInterval"] }).configurationKey),
    ).toHaveLength(2);
    const tooMany = { key: ["ResetRetries", "HeartbeatInterval", "ConnectionTimeOut"] };
    expect(() => configuration.getConfiguration(tooMany)).toThrow(CallError);
    expect(() => configuration.getConfiguration(tooMany)).toThrow(
      expect.objectContaining({ code: "OccurenceConstraintViolation" }),
    );
  });

  it("does not apply GetConfigurationMaxKeys to a full listing [CORE-GC-08]", async () => {
    const { configuration } = await Charger.start({ GetConfigurationMaxKeys: { value: 1 } });
    expect(configuration.getConfiguration({}).configurationKey?.length).toBe(20);
  });

  it("says which keys can be changed [CORE-GC-05] [CFG-60]", async () => {
    const { configuration } = await Charger.start({
      AuthorizeRemoteTxRequests: { readonly: true },
      UnlockConnectorOnEVSideDisconnect: { readonly: true },
    });
    const key = [
      "AuthorizeRemoteTxRequests",
      "UnlockConnectorOnEVSideDisconnect",
      "LocalPreAuthorize",
      "NumberOfConnectors",
    ];
    expect(configuration.getConfiguration({ key }).configurationKey).toEqual([
      { key: "AuthorizeRemoteTxRequests", readonly: true, value: "false" },
      { key: "LocalPreAuthorize", readonly: false, value: "false" },
      { key: "NumberOfConnectors", readonly: true, value: "2" },
      // With a fixed cable it is always false. [CFG-35]
      { key: "UnlockConnectorOnEVSideDisconnect", readonly: true, value: "false" },
    ]);
  });

  it("tells the vendor's keys, too [CFG-64]", async () => {
    const vendorKeys: VendorKeys = {
      Fan: { type: "integer", access: "RW", value: -3, minimum: -5 },
      Secret: { type: "string", access: "W", value: "x" },
      Built: { type: "CSL", access: "R", value: ["A", "B"] },
    };
    const { configuration } = await Charger.start({}, { vendorKeys });
    expect(configuration.getConfiguration({ key: ["fan", "secret", "built"] })).toEqual({
      configurationKey: [
        { key: "Fan", readonly: false, value: "-3" },
        { key: "Built", readonly: true, value: "A,B" },
      ],
    });
  });
});

describe("changeConfiguration", () => {
  it("accepts a value, and obeys it at once [CORE-CC-01] [CORE-CC-02]", async () => {
    const charger = await Charger.start();
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Accepted");
    expect(charger.configuration.get("HeartbeatInterval")).toBe(60);
    expect(charger.told("HeartbeatInterval")).toBe("60");
  });

  it("finds keys in any case [CORE-CC-10] [Q28]", async () => {
    const charger = await Charger.start();
    expect(await charger.change("CONNECTIONTIMEOUT", "20")).toBe("Accepted");
    expect(charger.configuration.get("ConnectionTimeOut")).toBe(20);
    expect(await charger.store.load("")).toEqual([{ key: "configuration/ConnectionTimeOut", value: '"20"' }]);
  });

  it.each(["BlinkRepeat", "Mine", "", "toString", "__proto__"])(
    "does not support the key %j [CORE-CC-04]",
    async (key) => {
      const charger = await Charger.start();
      expect(await charger.change(key, "1")).toBe("NotSupported");
    },
  );

  it.each([
    ["WebSocketPingInterval", "-1"],
    ["MeterValueSampleInterval", "-60"],
    ["HeartbeatInterval", "soon"],
    ["HeartbeatInterval", "60.5"],
    ["LocalPreAuthorize", "1"],
    ["CpoName", "x".repeat(501)],
    ["AuthorizationKey", password.slice(0, 30)],
    ["AuthorizationKey", `${password}00`],
    ["AuthorizationKey", "correct horse battery staple 123"],
    ["NumberOfConnectors", "2"],
  ])(
    "rejects %s = %j, and changes nothing [CORE-CC-05] [CORE-CC-08] [CORE-CC-12] [J-152] [J-181] [CFG-60]",
    async (key, value) => {
      const keys = {
        WebSocketPingInterval: { value: 54 },
        CpoName: { value: "CPO" },
        AuthorizationKey: { value: password },
      };
      const charger = await Charger.start(keys);
      const before = charger.configuration.getConfiguration({});
      expect(await charger.change(key, value)).toBe("Rejected");
      expect(charger.configuration.getConfiguration({})).toEqual(before);
      expect(charger.configuration.get("AuthorizationKey")).toBe(password);
      expect(await charger.store.load("")).toEqual([]);
      expect(charger.reports).toEqual([]);
    },
  );

  it("rejects changes of a key that this charge point cannot change [CFG-25] [CFG-35] [CFG-60]", async () => {
    const readonly = true;
    const charger = await Charger.start({
      StopTransactionOnEVSideDisconnect: { readonly, value: true },
      UnlockConnectorOnEVSideDisconnect: { readonly },
      HeartbeatInterval: { readonly },
    });
    expect(await charger.change("StopTransactionOnEVSideDisconnect", "true")).toBe("Rejected");
    expect(await charger.change("UnlockConnectorOnEVSideDisconnect", "true")).toBe("Rejected");
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Rejected");
  });

  it("tells values in their standard form [CORE-CC-10] [CORE-CC-11]", async () => {
    const charger = await Charger.start();
    expect(await charger.change("LocalPreAuthorize", "TRUE")).toBe("Accepted");
    expect(await charger.change("ConnectorPhaseRotation", " 0.RST, 1.RST ,2.RTS ")).toBe("Accepted");
    expect(charger.told("LocalPreAuthorize")).toBe("true");
    expect(charger.told("ConnectorPhaseRotation")).toBe("0.RST,1.RST,2.RTS");
  });

  it.each(["MeterValuesAlignedData", "MeterValuesSampledData", "StopTxnAlignedData", "StopTxnSampledData"] as const)(
    "rejects %s with any measurand that is not supported, and leaves it as it was [CORE-MTR-09]",
    async (key) => {
      const supported = new Set(["Energy.Active.Import.Register", "Voltage.L1", "SoC"]);
      const accepts = (measurands: readonly string[]) => measurands.every((measurand) => supported.has(measurand));
      const charger = await Charger.start({ [key]: { value: ["SoC"], accepts } });
      expect(await charger.change(key, "Energy.Active.Import.Register,Voltage")).toBe("Rejected");
      expect(charger.configuration.get(key)).toEqual(["SoC"]);
      expect(await charger.change(key, "Energy.Active.Import.Register, Voltage.L1")).toBe("Accepted");
      expect(charger.configuration.get(key)).toEqual(["Energy.Active.Import.Register", "Voltage.L1"]);
      // CORE-MTR-10
      expect(await charger.change(key, "")).toBe("Accepted");
      expect(charger.configuration.get(key)).toEqual([]);
    },
  );

  it("takes as many items as MaxLength says [CORE-CC-06] [CORE-MTR-04]", async () => {
    const charger = await Charger.start(
      { MeterValuesSampledDataMaxLength: { value: 2 } },
      {
        vendorKeys: {
          Colours: { type: "CSL", access: "RW" },
          ColoursMaxLength: { type: "integer", access: "R", value: 1 },
        },
      },
    );
    expect(await charger.change("MeterValuesSampledData", "SoC,Voltage")).toBe("Accepted");
    expect(await charger.change("MeterValuesSampledData", "SoC,Voltage,Frequency")).toBe("Rejected");
    expect(await charger.change("StopTxnSampledData", "SoC,Voltage,Frequency")).toBe("Accepted");
    expect(await charger.change("Colours", "red,green")).toBe("Rejected");
    expect(await charger.change("Colours", "red")).toBe("Accepted");
  });

  it("raises SecurityProfile, and neither lowers nor repeats it [SEC-A05-01] [SEC-A05-05] [SEC-A05-10]", async () => {
    const charger = await Charger.start({ SecurityProfile: { value: 1 }, AuthorizationKey: { value: password } });
    expect(await charger.change("SecurityProfile", "0")).toBe("Rejected");
    expect(await charger.change("SecurityProfile", "1")).toBe("Rejected");
    expect(await charger.change("SecurityProfile", "2")).toBe("Accepted");
    expect(await charger.change("SecurityProfile", "1")).toBe("Rejected");
    expect(await charger.change("SecurityProfile", "3")).toBe("Accepted");
    expect(charger.configuration.get("SecurityProfile")).toBe(3);
  });

  it("raises SecurityProfile to 1 or 2 only with a password [SEC-A05-02]", async () => {
    const charger = await Charger.start({ SecurityProfile: {}, AuthorizationKey: {} });
    expect(await charger.change("SecurityProfile", "1")).toBe("Rejected");
    expect(await charger.change("SecurityProfile", "2")).toBe("Rejected");
    expect(await charger.change("AuthorizationKey", password)).toBe("Accepted");
    expect(await charger.change("SecurityProfile", "2")).toBe("Accepted");
    const withCertificate = await Charger.start({ SecurityProfile: {} });
    expect(await withCertificate.change("SecurityProfile", "2")).toBe("Rejected");
    expect(await withCertificate.change("SecurityProfile", "3")).toBe("Accepted");
  });

  it("asks approve about valid changes only, with key and value [CORE-CC-05]", async () => {
    const approve = vi.fn((): ConfigurationVerdict => ({ status: "Rejected" }));
    const charger = await Charger.start({}, { approve });
    expect(await charger.change("heartbeatinterval", "60")).toBe("Rejected");
    expect(await charger.change("HeartbeatInterval", "x")).toBe("Rejected");
    expect(await charger.change("NumberOfConnectors", "1")).toBe("Rejected");
    expect(await charger.change("Mine", "1")).toBe("NotSupported");
    expect(approve.mock.calls).toEqual([[{ key: "HeartbeatInterval", value: 60 }]]);
    expect(charger.configuration.get("HeartbeatInterval")).toBe(300);
    expect(await charger.store.load("")).toEqual([]);
  });

  it("tells at once, but obeys only after the reboot, what requires one [CORE-CC-03]", async () => {
    const listener = vi.fn();
    const charger = await Charger.start({}, { approve: async () => ({ status: "RebootRequired" }) });
    charger.configuration.listen("HeartbeatInterval", listener);
    expect(await charger.change("HeartbeatInterval", "60")).toBe("RebootRequired");
    expect(charger.told("HeartbeatInterval")).toBe("60");
    expect(charger.configuration.get("HeartbeatInterval")).toBe(300);
    expect(listener).not.toHaveBeenCalled();
    await charger.restart();
    expect(charger.configuration.get("HeartbeatInterval")).toBe(60);
  });

  it("judges a new SecurityProfile by the one that waits for a reboot [SEC-A05-01]", async () => {
    const charger = await Charger.start(
      { SecurityProfile: {}, AuthorizationKey: { value: password } },
      { approve: () => ({ status: "RebootRequired" }) },
    );
    expect(await charger.change("SecurityProfile", "2")).toBe("RebootRequired");
    expect(await charger.change("SecurityProfile", "1")).toBe("Rejected");
  });

  it("lets no change overtake the check of another [SEC-A05-01]", async () => {
    let decide = (_: ConfigurationVerdict): void => {};
    const first = new Promise<ConfigurationVerdict>((resolve) => {
      decide = resolve;
    });
    const approve = vi
      .fn((): ConfigurationVerdict | Promise<ConfigurationVerdict> => ({ status: "Accepted" }))
      .mockReturnValueOnce(first);
    const charger = await Charger.start({ SecurityProfile: {}, AuthorizationKey: { value: password } }, { approve });
    const slow = charger.change("SecurityProfile", "1");
    expect(await charger.change("SecurityProfile", "2")).toBe("Accepted");
    decide({ status: "Accepted" });
    expect(await slow).toBe("Rejected");
    expect(charger.configuration.get("SecurityProfile")).toBe(2);
  });

  it("keeps the value that was asked for last, however long approve thinks about an earlier one", async () => {
    const [earlier, later] = ["11".repeat(20), "22".repeat(20)];
    let decide = (_: ConfigurationVerdict): void => {};
    const first = new Promise<ConfigurationVerdict>((resolve) => {
      decide = resolve;
    });
    const approve = vi
      .fn((): ConfigurationVerdict | Promise<ConfigurationVerdict> => ({ status: "Accepted" }))
      .mockReturnValueOnce(first);
    const charger = await Charger.start({ AuthorizationKey: { value: password } }, { approve });
    const slow = charger.change("AuthorizationKey", earlier);
    expect(await charger.change("AuthorizationKey", later)).toBe("Accepted");
    decide({ status: "Accepted" });
    expect(await slow).toBe("Rejected");
    expect(charger.configuration.get("AuthorizationKey")).toBe(later);
    expect(await charger.change("AuthorizationKey", earlier)).toBe("Accepted");
  });

  it("lets approve set other keys, and wait for it", async () => {
    const charger = await Charger.start(
      {},
      {
        approve: async ({ key }) => {
          if (key === "ClockAlignedDataInterval") await charger.configuration.set("MeterValueSampleInterval", 0);
          return { status: "Accepted" };
        },
      },
    );
    expect(await charger.change("ClockAlignedDataInterval", "900")).toBe("Accepted");
    expect(charger.configuration.get("MeterValueSampleInterval")).toBe(0);
  });

  it.each<[string, () => ConfigurationVerdict | Promise<ConfigurationVerdict>]>([
    [
      "throws",
      () => {
        throw new RangeError("broken");
      },
    ],
    ["rejects", () => Promise.reject(new RangeError("broken"))],
  ])("rejects and reports when approve %s", async (_, approve) => {
    const charger = await Charger.start({}, { approve });
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Rejected");
    expect(charger.configuration.get("HeartbeatInterval")).toBe(300);
    expect(charger.reports).toEqual([new RangeError("broken")]);
  });

  it("rejects and reports when accepts throws what is no Error", async () => {
    const keys: Partial<StandardKeys> = {
      HeartbeatInterval: {
        accepts: (seconds) => {
          if (seconds === 60) throw "broken";
          return true;
        },
      },
    };
    const charger = await Charger.start(keys);
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Rejected");
    expect(charger.reports).toEqual([new Error("Something that is no Error was thrown.")]);
    expect(charger.reports[0]?.cause).toBe("broken");
  });

  it("rejects when approve answers nonsense", async () => {
    const charger = await Charger.start(
      {},
      { approve: () => ({ status: "Perhaps" }) as unknown as ConfigurationVerdict },
    );
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Rejected");
  });

  it("survives a report that throws", async () => {
    const charger = await Charger.start(
      {},
      {
        approve: () => Promise.reject(new Error("broken")),
        report: () => {
          throw new Error("broken, too");
        },
      },
    );
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Rejected");
  });

  it("is in the store before it is answered [CFG-63]", async () => {
    let write = (): void => {};
    const writing = new Promise<void>((resolve) => {
      write = resolve;
    });
    const store: RecordStore = { ...memoryStore(), put: () => writing };
    const charger = await Charger.start({}, { store });
    const answered = vi.fn();
    const change = charger.change("HeartbeatInterval", "60").then(answered);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    expect(answered).not.toHaveBeenCalled();
    expect(charger.configuration.get("HeartbeatInterval")).toBe(300);
    write();
    await change;
    expect(answered).toHaveBeenCalledWith("Accepted");
  });

  it.each([
    ["before", false],
    ["after", true],
  ])(
    "rejects, reports and changes nothing when the store fails %s writing [CORE-CC-05] [J-179]",
    async (_, written) => {
      const charger = await Charger.start({ AuthorizationKey: { value: password } });
      await charger.change("HeartbeatInterval", "60");
      const kept = await charger.store.load("");
      let failing = true;
      const put: RecordStore["put"] = async (key, value) => {
        if (!failing || written) await charger.store.put(key, value);
        if (!failing) return;
        failing = false;
        throw new Error("no space");
      };
      const listener = vi.fn();
      await charger.restart({ AuthorizationKey: { value: password } }, { store: { ...charger.store, put } });
      charger.configuration.listen("AuthorizationKey", listener);
      expect(await charger.change("AuthorizationKey", "f".repeat(40))).toBe("Rejected");
      expect(charger.configuration.get("AuthorizationKey")).toBe(password);
      failing = true;
      expect(await charger.change("HeartbeatInterval", "61")).toBe("Rejected");
      expect(charger.told("HeartbeatInterval")).toBe("60");
      expect(listener).not.toHaveBeenCalled();
      expect(await charger.store.load("")).toEqual(kept);
      expect(charger.reported).toEqual([
        "AuthorizationKey was not changed, because the store failed. no space",
        "HeartbeatInterval was not changed, because the store failed. no space",
      ]);
    },
  );

  it("goes on when a failed write cannot even be undone", async () => {
    const failed = () => Promise.reject(new Error("no space"));
    const charger = await Charger.start({}, { store: { ...memoryStore(), put: failed, delete: failed } });
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Rejected");
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Rejected");
    expect(charger.reports).toHaveLength(2);
  });

  it("changes the vendor's keys, too [CFG-64]", async () => {
    const vendorKeys: VendorKeys = {
      "com.example.Fan": { type: "integer", access: "RW", value: 3, maximum: 5, accepts: (speed) => speed !== 4 },
      Secret: { type: "string", access: "W" },
      Serial: { type: "string", access: "R", value: "1" },
    };
    const charger = await Charger.start({}, { vendorKeys });
    expect(await charger.change("com.example.Fan", "6")).toBe("Rejected");
    expect(await charger.change("com.example.Fan", "4")).toBe("Rejected");
    expect(await charger.change("com.example.Fan", "5")).toBe("Accepted");
    expect(await charger.change("Secret", "x")).toBe("Accepted");
    expect(await charger.change("Serial", "2")).toBe("Rejected");
    await charger.restart({}, { vendorKeys });
    expect(charger.told("com.example.Fan")).toBe("5");
  });
});

describe("set", () => {
  it("sets what the Central System cannot [SEC-A05-08]", async () => {
    const charger = await Charger.start({ SecurityProfile: { value: 2 } });
    await charger.configuration.set("NumberOfConnectors", 3);
    await charger.configuration.set("SecurityProfile", 1);
    expect(charger.told("NumberOfConnectors")).toBe("3");
    expect(charger.configuration.get("SecurityProfile")).toBe(1);
  });

  it("does not ask approve", async () => {
    const charger = await Charger.start({}, { approve: () => ({ status: "Rejected" }) });
    await charger.configuration.set("HeartbeatInterval", 60);
    expect(charger.configuration.get("HeartbeatInterval")).toBe(60);
  });

  it("replaces a value that waits for a reboot", async () => {
    const charger = await Charger.start({}, { approve: () => ({ status: "RebootRequired" }) });
    await charger.change("HeartbeatInterval", "60");
    await charger.configuration.set("HeartbeatInterval", 70);
    expect(charger.told("HeartbeatInterval")).toBe("70");
    expect(charger.configuration.get("HeartbeatInterval")).toBe(70);
  });

  it("refuses values that the key does not take, without telling them [SEC-A01-12]", async () => {
    const { configuration } = await Charger.start({
      AuthorizationKey: {},
      UnlockConnectorOnEVSideDisconnect: { readonly: true },
    });
    await expect(configuration.set("HeartbeatInterval", -1)).rejects.toThrow(TypeError);
    await expect(configuration.set("HeartbeatInterval", 1.5)).rejects.toThrow(TypeError);
    await expect(configuration.set("MeterValuesSampledData", ["SoC,Voltage"])).rejects.toThrow(TypeError);
    await expect(configuration.set("UnlockConnectorOnEVSideDisconnect", true)).rejects.toThrow(TypeError);
    await expect(configuration.set("AuthorizationKey", "secret")).rejects.toThrow(/^(?!.*secret)/);
    expect(configuration.get("AuthorizationKey")).toBeUndefined();
  });

  it("refuses keys that the charge point does not have", async () => {
    const { configuration } = await Charger.start();
    await expect(configuration.set("BlinkRepeat", 1)).rejects.toThrow(
      new TypeError('This charge point has no configuration key "BlinkRepeat".'),
    );
  });

  it("rejects, without a report, when the store fails", async () => {
    const put = () => Promise.reject(new Error("no space"));
    const charger = await Charger.start({}, { store: { ...memoryStore(), put } });
    await expect(charger.configuration.set("HeartbeatInterval", 60)).rejects.toThrow(
      "HeartbeatInterval was not changed",
    );
    expect(charger.configuration.get("HeartbeatInterval")).toBe(300);
    expect(charger.reports).toEqual([]);
  });

  it("keeps its own copy of a list", async () => {
    const { configuration } = await Charger.start();
    const value = ["Voltage"];
    await configuration.set("MeterValuesSampledData", value);
    value.push("SoC");
    expect(configuration.get("MeterValuesSampledData")).toEqual(["Voltage"]);
  });
});

describe("listen", () => {
  it("tells each new value of its key, whoever set it, when it is in effect", async () => {
    const charger = await Charger.start();
    const seen: unknown[] = [];
    charger.configuration.listen("HeartbeatInterval", (seconds) =>
      seen.push([seconds, charger.configuration.get("HeartbeatInterval")]),
    );
    await charger.change("heartbeatinterval", "60");
    await charger.change("HeartbeatInterval", "x");
    await charger.change("ResetRetries", "5");
    await charger.configuration.set("HeartbeatInterval", 70);
    expect(seen).toEqual([
      [60, 60],
      [70, 70],
    ]);
  });

  it("ends when it is told to", async () => {
    const charger = await Charger.start();
    const listener = vi.fn();
    const end = charger.configuration.listen("HeartbeatInterval", listener);
    end();
    await charger.change("HeartbeatInterval", "60");
    expect(listener).not.toHaveBeenCalled();
  });

  it("has nothing to tell of a key that the charge point does not have", async () => {
    const charger = await Charger.start();
    const listener = vi.fn();
    const end = charger.configuration.listen("BlinkRepeat", listener);
    expect(await charger.change("BlinkRepeat", "1")).toBe("NotSupported");
    expect(listener).not.toHaveBeenCalled();
    expect(end).not.toThrow();
  });

  it.each(Object.entries(misbehaviours))("reports a listener that %s, and tells the others", async (_, misbehave) => {
    const charger = await Charger.start();
    const listener = vi.fn();
    charger.configuration.listen("HeartbeatInterval", misbehave);
    charger.configuration.listen("HeartbeatInterval", listener);
    expect(await charger.change("HeartbeatInterval", "60")).toBe("Accepted");
    await new Promise((resolve) => setImmediate(resolve));
    expect(listener).toHaveBeenCalledWith(60);
    expect(charger.reports).toEqual([oops]);
  });
});
