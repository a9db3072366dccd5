import type {
  ChargingProfilesOptions,
  Configuration,
  ConfigurationKey,
  ConfigurationValue,
  Limit,
  StandardKeys,
} from "@ocppj/core";
import type { ChargerOptions } from "./charger-options.ts";
import { measurandLists } from "./metering/measurand-lists.ts";
import type { SessionKeys } from "./session/session-facts.ts";

/** The keys that follow from what the charger is, so that nobody else can say them. [CFG-61] */
const fromHardware = [
  "NumberOfConnectors",
  "ChargingScheduleAllowedChargingRateUnit",
  "SupportedFeatureProfiles",
  "SupportedFileTransferProtocols",
] as const satisfies readonly ConfigurationKey[];

type Given = NonNullable<ChargerOptions["configuration"]>;

/** Initial values where the documents leave them to the charger. */
const defaults = {
  AllowOfflineTxForUnknownId: false,
  AuthorizationCacheEnabled: true,
  ChargeProfileMaxStackLevel: 8,
  ChargingScheduleMaxPeriods: 24,
  LocalAuthListMaxLength: 1000,
  MaxChargingProfilesInstalled: 20,
  MaxEnergyOnInvalidId: 0,
  MessageTimeout: 30,
  MinimumStatusDuration: 0,
  ReserveConnectorZeroSupported: true,
  SendLocalListMaxLength: 200,
  StopTransactionMaxMeterValues: 100,
  StopTransactionOnEVSideDisconnect: true,
  SupportedFeatureProfiles: ["Core", "LocalAuthListManagement", "Reservation", "SmartCharging", "RemoteTrigger"],
} as const satisfies Given;

/** Those of the white paper, of a charger with certificates. [CFG-47 … CFG-52] */
const ofCertificates = {
  AdditionalRootCertificateCheck: { value: false },
  AuthorizationKey: {},
  CertificateSignedMaxChainSize: { value: 10_000 },
  CertificateStoreMaxLength: { value: 10 },
  CpoName: {},
  SecurityProfile: { value: 0 },
};

/**
 * The keys that a charger has, with their initial values, and which values it takes.
 *
 * @throws TypeError A value was given that follows from the charger.
 * @spec OCPP 1.6 §9 [CFG-61, CFG-62]
 */
export function keysOf(options: ChargerOptions): StandardKeys {
  const { certificates, configuration = {}, credential, firmwareManagement, hardware } = options;
  for (const key of fromHardware) {
    if (configuration[key] !== undefined) throw new TypeError(`${key} follows from the charger and cannot be given.`);
  }
  const values: Given = { ...defaults, ...withoutUndefined(configuration) };
  const keys: Partial<Record<ConfigurationKey, object>> = certificates === undefined ? {} : { ...ofCertificates };
  for (const [key, value] of Object.entries(values)) keys[key as ConfigurationKey] = { value };
  const { connectors } = hardware;
  // CORE-GEN-02: all of it, or nothing.
  if (firmwareManagement !== undefined) {
    keys.SupportedFeatureProfiles = { value: [...defaults.SupportedFeatureProfiles, "FirmwareManagement"] };
    keys.SupportedFileTransferProtocols = { value: firmwareManagement.protocols };
  }
  keys.NumberOfConnectors = { value: connectors.length };
  keys.ChargingScheduleAllowedChargingRateUnit = { value: ["Current", "Power"] };
  if (connectors.every(({ cable }) => cable === "fixed")) {
    keys.UnlockConnectorOnEVSideDisconnect = { value: false, readonly: true }; // CFG-35
  }
  for (const [key, more] of Object.entries(measurandLists(hardware))) {
    keys[key as ConfigurationKey] = { ...more, ...keys[key as ConfigurationKey] };
  }
  if (credential !== undefined) {
    keys.SecurityProfile = { value: credential.securityProfile };
    keys.AuthorizationKey = credential.authorizationKey === undefined ? {} : { value: credential.authorizationKey };
  }
  return keys as StandardKeys;
}

const withoutUndefined = <T extends object>(values: T): T =>
  Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;

/** The keys that a session obeys, as they are now. */
export function sessionKeysOf(configuration: Pick<Configuration, "get">): SessionKeys {
  return {
    connectionTimeOutMs: 1000 * configuration.get("ConnectionTimeOut"),
    stopTransactionOnInvalidId: configuration.get("StopTransactionOnInvalidId"),
    maxEnergyOnInvalidId: configuration.get("MaxEnergyOnInvalidId") ?? 0,
    stopTransactionOnEVSideDisconnect: configuration.get("StopTransactionOnEVSideDisconnect") ?? true,
    unlockConnectorOnEVSideDisconnect: configuration.get("UnlockConnectorOnEVSideDisconnect"),
  };
}

/** The keys that {@link sessionKeysOf} reads. */
export const sessionKeys = [
  "ConnectionTimeOut",
  "StopTransactionOnInvalidId",
  "MaxEnergyOnInvalidId",
  "StopTransactionOnEVSideDisconnect",
  "UnlockConnectorOnEVSideDisconnect",
] as const satisfies readonly ConfigurationKey[];

/** The value of a key, or what stands for it where the charger does not have it. */
export const keyOr = <K extends ConfigurationKey>(
  configuration: Pick<Configuration, "get">,
  key: K,
  otherwise: ConfigurationValue<K>,
): ConfigurationValue<K> => (configuration.get(key) as ConfigurationValue<K> | undefined) ?? otherwise;

/** What smart charging needs to know of the charger. [SC-27] */
export function chargingOf(
  { hardware, maximum, voltage }: ChargerOptions,
  configuration: Pick<Configuration, "get">,
): ChargingProfilesOptions {
  const connectors = hardware.connectors.map(({ maximum, phases = 3 }, index) => {
    const limit: Limit = maximum.unit === "W" ? maximum : { ...maximum, numberPhases: phases };
    return [index + 1, limit] as const;
  });
  return {
    connectors: Object.fromEntries(connectors),
    maximum,
    voltage,
    chargeProfileMaxStackLevel: configuration.get("ChargeProfileMaxStackLevel"),
    chargingScheduleMaxPeriods: configuration.get("ChargingScheduleMaxPeriods"),
    maxChargingProfilesInstalled: configuration.get("MaxChargingProfilesInstalled"),
  };
}
