import { describe, expect, it } from "vitest";
import {
  type ConfigurationKey,
  type ConfigurationKeyDefinition,
  type ConfigurationValueRange,
  configurationKeys,
  formatConfigurationValue,
  isConfigurationValue,
  parseConfigurationValue,
} from "../../src/charge-point/configuration-keys.ts";

const definitions: Readonly<Record<string, ConfigurationKeyDefinition>> = configurationKeys;

/** What the documents say of each key: id, name, profile, type, access, whether required, unit. */
const documented = [
  ["CFG-01", "AllowOfflineTxForUnknownId", "Core", "boolean", "RW", false, undefined],
  ["CFG-02", "AuthorizationCacheEnabled", "Core", "boolean", "RW", false, undefined],
  ["CFG-03", "AuthorizeRemoteTxRequests", "Core", "boolean", "R or RW", true, undefined],
  ["CFG-04", "BlinkRepeat", "Core", "integer", "RW", false, "times"],
  ["CFG-05", "ClockAlignedDataInterval", "Core", "integer", "RW", true, "s"],
  ["CFG-06", "ConnectionTimeOut", "Core", "integer", "RW", true, "s"],
  ["CFG-07", "ConnectorPhaseRotation", "Core", "CSL", "RW", true, undefined],
  ["CFG-08", "ConnectorPhaseRotationMaxLength", "Core", "integer", "R", false, "items"],
  ["CFG-09", "GetConfigurationMaxKeys", "Core", "integer", "R", true, "keys"],
  ["CFG-10", "HeartbeatInterval", "Core", "integer", "RW", true, "s"],
  ["CFG-11", "LightIntensity", "Core", "integer", "RW", false, "%"],
  ["CFG-12", "LocalAuthorizeOffline", "Core", "boolean", "RW", true, undefined],
  ["CFG-13", "LocalPreAuthorize", "Core", "boolean", "RW", true, undefined],
  ["CFG-14", "MaxEnergyOnInvalidId", "Core", "integer", "RW", false, "Wh"],
  ["CFG-15", "MessageTimeout", "Core", "integer", "RW", false, "s"],
  ["CFG-16", "MeterValuesAlignedData", "Core", "CSL", "RW", true, undefined],
  ["CFG-17", "MeterValuesAlignedDataMaxLength", "Core", "integer", "R", false, "items"],
  ["CFG-18", "MeterValuesSampledData", "Core", "CSL", "RW", true, undefined],
  ["CFG-19", "MeterValuesSampledDataMaxLength", "Core", "integer", "R", false, "items"],
  ["CFG-20", "MeterValueSampleInterval", "Core", "integer", "RW", true, "s"],
  ["CFG-21", "MinimumStatusDuration", "Core", "integer", "RW", false, "s"],
  ["CFG-22", "NumberOfConnectors", "Core", "integer", "R", true, undefined],
  ["CFG-23", "ResetRetries", "Core", "integer", "RW", true, "times"],
  ["CFG-24", "StopTransactionMaxMeterValues", "Core", "integer", "R", false, "items"],
  ["CFG-25", "StopTransactionOnEVSideDisconnect", "Core", "boolean", "R or RW", false, undefined],
  ["CFG-26", "StopTransactionOnInvalidId", "Core", "boolean", "RW", true, undefined],
  ["CFG-27", "StopTxnAlignedData", "Core", "CSL", "RW", true, undefined],
  ["CFG-28", "StopTxnAlignedDataMaxLength", "Core", "integer", "R", false, "items"],
  ["CFG-29", "StopTxnSampledData", "Core", "CSL", "RW", true, undefined],
  ["CFG-30", "StopTxnSampledDataMaxLength", "Core", "integer", "R", false, "items"],
  ["CFG-31", "SupportedFeatureProfiles", "Core", "CSL", "R", true, undefined],
  ["CFG-32", "SupportedFeatureProfilesMaxLength", "Core", "integer", "R", false, "items"],
  ["CFG-33", "TransactionMessageAttempts", "Core", "integer", "RW", true, "times"],
  ["CFG-34", "TransactionMessageRetryInterval", "Core", "integer", "RW", true, "s"],
  ["CFG-35", "UnlockConnectorOnEVSideDisconnect", "Core", "boolean", "R or RW", true, undefined],
  ["CFG-36", "WebSocketPingInterval", "Core", "integer", "RW", false, "s"],
  ["CFG-37", "LocalAuthListEnabled", "LocalAuthListManagement", "boolean", "RW", true, undefined],
  ["CFG-38", "LocalAuthListMaxLength", "LocalAuthListManagement", "integer", "R", true, "ids"],
  ["CFG-39", "SendLocalListMaxLength", "LocalAuthListManagement", "integer", "R", true, "ids"],
  ["CFG-40", "ReserveConnectorZeroSupported", "Reservation", "boolean", "R", false, undefined],
  ["CFG-41", "ChargeProfileMaxStackLevel", "SmartCharging", "integer", "R", true, undefined],
  ["CFG-42", "ChargingScheduleAllowedChargingRateUnit", "SmartCharging", "CSL", "R", true, undefined],
  ["CFG-43", "ChargingScheduleMaxPeriods", "SmartCharging", "integer", "R", true, undefined],
  ["CFG-44", "ConnectorSwitch3to1PhaseSupported", "SmartCharging", "boolean", "R", false, undefined],
  ["CFG-45", "MaxChargingProfilesInstalled", "SmartCharging", "integer", "R", true, undefined],
  ["CFG-46", "SupportedFileTransferProtocols", "FirmwareManagement", "CSL", "R", false, undefined],
  ["CFG-47", "AdditionalRootCertificateCheck", undefined, "boolean", "R", false, undefined],
  ["CFG-48", "AuthorizationKey", undefined, "string", "W", false, undefined],
  ["CFG-49", "CertificateSignedMaxChainSize", undefined, "integer", "R", false, "characters"],
  ["CFG-50", "CertificateStoreMaxLength", undefined, "integer", "R", false, "certificates"],
  ["CFG-51", "CpoName", undefined, "string", "RW", false, undefined],
  ["CFG-52", "SecurityProfile", undefined, "integer", "RW", false, undefined],
] as const;

describe("configurationKeys", () => {
  it("are the keys of the documents, in their order", () => {
    const order = (profile: unknown) => documented.filter((row) => row[2] === profile).map(([, key]) => key);
    const profiles = [...new Set(Object.values(definitions).map(({ profile }) => profile))];
    expect(Object.keys(configurationKeys)).toEqual(profiles.flatMap(order));
    expect(Object.keys(configurationKeys)).toHaveLength(52);
  });

  it.each(documented)("say of %s what the documents say: %s", (_, key, profile, type, access, required, unit) => {
    expect(configurationKeys).toHaveProperty([key]);
    const definition = definitions[key];
    expect(definition?.profile).toBe(profile);
    expect(definition?.type).toBe(type);
    expect(definition?.access).toBe(access);
    expect(definition?.required ?? false).toBe(required);
    expect(definition?.unit).toBe(unit);
  });
});
