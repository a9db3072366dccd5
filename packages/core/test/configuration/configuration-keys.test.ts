import { describe, expect, it } from "vitest";
import {
  type ConfigurationKey,
  type ConfigurationKeyDefinition,
  type ConfigurationValueRange,
  configurationKeys,
  formatConfigurationValue,
  isConfigurationValue,
  parseConfigurationValue,
} from "../../src/configuration/configuration-keys.ts";

const definitions: Readonly<Record<string, ConfigurationKeyDefinition>> = configurationKeys;

/** What the documents say of each key: name, id, profile, type, access, whether required, unit. */
const documented = [
  ["AllowOfflineTxForUnknownId", "CFG-01", "Core", "boolean", "RW", false, undefined],
  ["AuthorizationCacheEnabled", "CFG-02", "Core", "boolean", "RW", false, undefined],
  ["AuthorizeRemoteTxRequests", "CFG-03", "Core", "boolean", "R or RW", true, undefined],
  ["BlinkRepeat", "CFG-04", "Core", "integer", "RW", false, "times"],
  ["ClockAlignedDataInterval", "CFG-05", "Core", "integer", "RW", true, "s"],
  ["ConnectionTimeOut", "CFG-06", "Core", "integer", "RW", true, "s"],
  ["ConnectorPhaseRotation", "CFG-07", "Core", "CSL", "RW", true, undefined],
  ["ConnectorPhaseRotationMaxLength", "CFG-08", "Core", "integer", "R", false, "items"],
  ["GetConfigurationMaxKeys", "CFG-09", "Core", "integer", "R", true, "keys"],
  ["HeartbeatInterval", "CFG-10", "Core", "integer", "RW", true, "s"],
  ["LightIntensity", "CFG-11", "Core", "integer", "RW", false, "%"],
  ["LocalAuthorizeOffline", "CFG-12", "Core", "boolean", "RW", true, undefined],
  ["LocalPreAuthorize", "CFG-13", "Core", "boolean", "RW", true, undefined],
  ["MaxEnergyOnInvalidId", "CFG-14", "Core", "integer", "RW", false, "Wh"],
  ["MessageTimeout", "CFG-15", "Core", "integer", "RW", false, "s"],
  ["MeterValuesAlignedData", "CFG-16", "Core", "CSL", "RW", true, undefined],
  ["MeterValuesAlignedDataMaxLength", "CFG-17", "Core", "integer", "R", false, "items"],
  ["MeterValuesSampledData", "CFG-18", "Core", "CSL", "RW", true, undefined],
  ["MeterValuesSampledDataMaxLength", "CFG-19", "Core", "integer", "R", false, "items"],
  ["MeterValueSampleInterval", "CFG-20", "Core", "integer", "RW", true, "s"],
  ["MinimumStatusDuration", "CFG-21", "Core", "integer", "RW", false, "s"],
  ["NumberOfConnectors", "CFG-22", "Core", "integer", "R", true, undefined],
  ["ResetRetries", "CFG-23", "Core", "integer", "RW", true, "times"],
  ["StopTransactionMaxMeterValues", "CFG-24", "Core", "integer", "R", false, "items"],
  ["StopTransactionOnEVSideDisconnect", "CFG-25", "Core", "boolean", "R or RW", false, undefined],
  ["StopTransactionOnInvalidId", "CFG-26", "Core", "boolean", "RW", true, undefined],
  ["StopTxnAlignedData", "CFG-27", "Core", "CSL", "RW", true, undefined],
  ["StopTxnAlignedDataMaxLength", "CFG-28", "Core", "integer", "R", false, "items"],
  ["StopTxnSampledData", "CFG-29", "Core", "CSL", "RW", true, undefined],
  ["StopTxnSampledDataMaxLength", "CFG-30", "Core", "integer", "R", false, "items"],
  ["SupportedFeatureProfiles", "CFG-31", "Core", "CSL", "R", true, undefined],
  ["SupportedFeatureProfilesMaxLength", "CFG-32", "Core", "integer", "R", false, "items"],
  ["TransactionMessageAttempts", "CFG-33", "Core", "integer", "RW", true, "times"],
  ["TransactionMessageRetryInterval", "CFG-34", "Core", "integer", "RW", true, "s"],
  ["UnlockConnectorOnEVSideDisconnect", "CFG-35", "Core", "boolean", "R or RW", true, undefined],
  ["WebSocketPingInterval", "CFG-36", "Core", "integer", "RW", false, "s"],
  ["LocalAuthListEnabled", "CFG-37", "LocalAuthListManagement", "boolean", "RW", true, undefined],
  ["LocalAuthListMaxLength", "CFG-38", "LocalAuthListManagement", "integer", "R", true, "ids"],
  ["SendLocalListMaxLength", "CFG-39", "LocalAuthListManagement", "integer", "R", true, "ids"],
  ["ReserveConnectorZeroSupported", "CFG-40", "Reservation", "boolean", "R", false, undefined],
  ["ChargeProfileMaxStackLevel", "CFG-41", "SmartCharging", "integer", "R", true, undefined],
  ["ChargingScheduleAllowedChargingRateUnit", "CFG-42", "SmartCharging", "CSL", "R", true, undefined],
  ["ChargingScheduleMaxPeriods", "CFG-43", "SmartCharging", "integer", "R", true, undefined],
  ["ConnectorSwitch3to1PhaseSupported", "CFG-44", "SmartCharging", "boolean", "R", false, undefined],
  ["MaxChargingProfilesInstalled", "CFG-45", "SmartCharging", "integer", "R", true, undefined],
  ["SupportedFileTransferProtocols", "CFG-46", "FirmwareManagement", "CSL", "R", false, undefined],
  ["AdditionalRootCertificateCheck", "CFG-47", undefined, "boolean", "R", false, undefined],
  ["AuthorizationKey", "CFG-48", undefined, "string", "W", false, undefined],
  ["CertificateSignedMaxChainSize", "CFG-49", undefined, "integer", "R", false, "characters"],
  ["CertificateStoreMaxLength", "CFG-50", undefined, "integer", "R", false, "certificates"],
  ["CpoName", "CFG-51", undefined, "string", "RW", false, undefined],
  ["SecurityProfile", "CFG-52", undefined, "integer", "RW", false, undefined],
] as const;

describe("configurationKeys", () => {
  it("are the keys of the documents, in their order", () => {
    const order = (profile: unknown) => documented.filter((row) => row[2] === profile).map(([key]) => key);
    const profiles = [...new Set(Object.values(definitions).map(({ profile }) => profile))];
    expect(Object.keys(configurationKeys)).toEqual(profiles.flatMap(order));
    expect(Object.keys(configurationKeys)).toHaveLength(52);
  });

  it.each(documented)("say of %s what the documents say [%s]", (key, _, profile, type, access, required, unit) => {
    const definition = definitions[key];
    expect(definition?.profile).toBe(profile);
    expect(definition?.type).toBe(type);
    expect(definition?.access).toBe(access);
    expect(definition?.required ?? false).toBe(required);
    expect(definition?.unit).toBe(unit);
  });

  it("have these initial values, of which the documents name two [CORE-MTR-19] [SEC-A05-10]", () => {
    const defaults = Object.entries(definitions).flatMap(([key, { default: value }]) =>
      value === undefined ? [] : [[key, value]],
    );
    expect(Object.fromEntries(defaults)).toEqual({
      // Documented.
      MeterValuesSampledData: ["Energy.Active.Import.Register"],
      SecurityProfile: 0,
      // The library's own.
      AuthorizeRemoteTxRequests: false,
      CertificateSignedMaxChainSize: 10_000,
      ClockAlignedDataInterval: 0,
      ConnectionTimeOut: 60,
      ConnectorPhaseRotation: [],
      GetConfigurationMaxKeys: 100,
      HeartbeatInterval: 300,
      LocalAuthListEnabled: true,
      LocalAuthorizeOffline: true,
      LocalPreAuthorize: false,
      MessageTimeout: 30,
      MeterValueSampleInterval: 60,
      MeterValuesAlignedData: ["Energy.Active.Import.Register"],
      ResetRetries: 1,
      StopTransactionOnInvalidId: true,
      StopTxnAlignedData: [],
      StopTxnSampledData: [],
      SupportedFeatureProfiles: ["Core"],
      TransactionMessageAttempts: 3,
      TransactionMessageRetryInterval: 60,
      UnlockConnectorOnEVSideDisconnect: true,
    });
  });

  it("have initial values that they take", () => {
    for (const [key, definition] of Object.entries(definitions)) {
      if (definition.default !== undefined)
        expect(isConfigurationValue(definition, definition.default), key).toBe(true);
    }
  });

  it("leave a value open where only the charge point knows it", () => {
    const open = Object.keys(definitions).filter((key) => {
      const { required, default: value } = definitions[key] as ConfigurationKeyDefinition;
      return required && value === undefined;
    });
    expect(open).toEqual([
      "NumberOfConnectors",
      "LocalAuthListMaxLength",
      "SendLocalListMaxLength",
      "ChargeProfileMaxStackLevel",
      "ChargingScheduleAllowedChargingRateUnit",
      "ChargingScheduleMaxPeriods",
      "MaxChargingProfilesInstalled",
    ]);
  });

  it("take no negative integer [CORE-CC-12] [J-152]", () => {
    const integers = Object.entries(definitions).filter(([, { type }]) => type === "integer");
    expect(integers.length).toBeGreaterThan(20);
    expect(integers.filter(([, definition]) => isConfigurationValue(definition, -1))).toEqual([]);
  });

  it.each<[ConfigurationKey, readonly string[], readonly string[]]>([
    ["MeterValueSampleInterval", ["0", "1", "86400", "9007199254740991"], ["-1", "-60", "9007199254740992"]],
    ["WebSocketPingInterval", ["0", "54"], ["-1"]],
    ["HeartbeatInterval", ["1"], ["0", "-1"]],
    ["MessageTimeout", ["1"], ["0"]],
    ["TransactionMessageAttempts", ["1"], ["0"]],
    ["GetConfigurationMaxKeys", ["1"], ["0"]],
    ["NumberOfConnectors", ["1"], ["0"]],
    ["LightIntensity", ["0", "100"], ["101"]],
    // [QD-32]
    ["CertificateSignedMaxChainSize", ["10000"], ["10001"]],
    ["SecurityProfile", ["0", "3"], ["4"]],
    // [CORE-MV-13]
    [
      "ConnectorPhaseRotation",
      ["0.RST, 1.RST, 2.RTS", "1.NotApplicable,2.Unknown,3.SRT,4.STR,5.TRS,16.TSR", ""],
      ["RST", "1.RRR", "01.RST", "1.RST;2.RST", "-1.RST", "1.rst"],
    ],
    [
      "MeterValuesSampledData",
      ["Voltage.L1", "Current.Import.L1-N,SoC", "Energy.Active.Import.Register", ""],
      ["Voltage.L4", "voltage", "Energy", "Energy-Active-Import-Register", "Voltage.", "XVoltage", "Voltage.L1.L2"],
    ],
    ["StopTxnAlignedData", ["Temperature"], ["Humidity"]],
    ["StopTxnSampledData", ["Power.Active.Import"], ["Power"]],
    ["MeterValuesAlignedData", ["Frequency"], ["Hertz"]],
    [
      "SupportedFeatureProfiles",
      ["Core,FirmwareManagement,LocalAuthListManagement,Reservation,SmartCharging,RemoteTrigger"],
      ["Security", "core"],
    ],
    // Not the words of a schedule. [Q27] [QD-42]
    ["ChargingScheduleAllowedChargingRateUnit", ["Current,Power", "Power"], ["A", "W"]],
    ["SupportedFileTransferProtocols", ["FTP,FTPS,HTTP,HTTPS"], ["SFTP"]],
    // 16 to 20 bytes, two digits each. [QD-25] [SEC-A00-205]
    [
      "AuthorizationKey",
      ["0".repeat(32), "00fF".repeat(10), "0".repeat(34)],
      ["0".repeat(30), "0".repeat(31), "0".repeat(33), "0".repeat(42), "g".repeat(40), ` ${"0".repeat(32)}`, ""],
    ],
  ])("%s takes what it should, and nothing else [CORE-CC-05]", (key, taken, refused) => {
    const parsed = (text: string) => [text, parseConfigurationValue(configurationKeys[key], text) !== undefined];
    expect(taken.map(parsed)).toEqual(taken.map((text) => [text, true]));
    expect(refused.map(parsed)).toEqual(refused.map((text) => [text, false]));
  });
});

const boolean = { type: "boolean" } as const;
const integer = { type: "integer", minimum: -1000, maximum: 1000 } as const;
const list = { type: "CSL" } as const;
const text = { type: "string" } as const;

describe("parseConfigurationValue", () => {
  it.each<[ConfigurationValueRange, string, unknown]>([
    [boolean, "true", true],
    [boolean, "false", false],
    [boolean, "TRUE", true],
    [boolean, "False", false],
    [integer, "0", 0],
    [integer, "-12", -12],
    [integer, "300", 300],
    [list, "", []],
    [list, "  ", []],
    [list, "A", ["A"]],
    [list, " A ,B,\tC D", ["A", "B", "C D"]],
    [text, " as it is, ", " as it is, "],
    [text, "", ""],
  ])("reads %o from %j [CORE-CC-10] [CORE-CC-11]", (range, travelling, value) => {
    expect(parseConfigurationValue(range, travelling)).toEqual(value);
  });

  it.each<[ConfigurationValueRange, readonly string[]]>([
    [boolean, ["", "1", "0", "yes", " true", "true ", "truefalse", "null"]],
    [
      integer,
      ["", " 1", "1 ", "+1", "1.0", "1e2", "0x10", "007", "-0", "1_000", "١", "NaN", "Infinity", "1001", "-1001"],
    ],
    [list, [",", "A,", ",A", "A,,B", "A, ,B"]],
  ])("refuses what is no %o [CORE-CC-05]", (range, texts) => {
    expect(texts.filter((travelling) => parseConfigurationValue(range, travelling) !== undefined)).toEqual([]);
  });

  it("refuses negative integers unless the range says otherwise [CORE-CC-12]", () => {
    expect(parseConfigurationValue({ type: "integer" }, "-1")).toBeUndefined();
    expect(parseConfigurationValue({ type: "integer", minimum: -1 }, "-1")).toBe(-1);
  });

  it("does not remember earlier texts in a pattern that is global", () => {
    const range = { type: "string", pattern: /^A/g } as const;
    expect([1, 2, 3].map(() => parseConfigurationValue(range, "A"))).toEqual(["A", "A", "A"]);
  });

  it("gives lists that cannot be changed", () => {
    expect(Object.isFrozen(parseConfigurationValue(list, "A,B"))).toBe(true);
  });
});

describe("formatConfigurationValue", () => {
  it.each([
    [true, "true"],
    [false, "false"],
    [300, "300"],
    [9007199254740991, "9007199254740991"],
    [["A", "B C"], "A,B C"],
    [[], ""],
    ["as it is", "as it is"],
  ])("writes %j as %j [CORE-CC-10] [CORE-CC-11]", (value, travelling) => {
    expect(formatConfigurationValue(value)).toBe(travelling);
  });
});

describe("isConfigurationValue", () => {
  it("refuses values of other types", () => {
    const others = [undefined, null, "", 0, 1.5, Number.NaN, "true", "1", {}, [1], ["A", 1]];
    expect(others.filter((value) => isConfigurationValue(boolean, value))).toEqual([]);
    expect(others.filter((value) => isConfigurationValue(integer, value))).toEqual([0]);
    expect(others.filter((value) => isConfigurationValue(list, value))).toEqual([]);
    expect(others.filter((value) => isConfigurationValue(text, value))).toEqual(["", "true", "1"]);
  });

  it("refuses items that would not come back from their text [CORE-CC-11]", () => {
    expect(["", " A", "A ", "A,B", "\n"].filter((item) => isConfigurationValue(list, [item]))).toEqual([]);
  });

  it("counts at most 500 characters, not UTF-16 units [TYP-36]", () => {
    expect(isConfigurationValue(text, "🔌".repeat(500))).toBe(true);
    expect(isConfigurationValue(text, "x".repeat(501))).toBe(false);
    expect(isConfigurationValue(list, Array(250).fill("A"))).toBe(true);
    expect(isConfigurationValue(list, Array(251).fill("A"))).toBe(false);
  });
});
