import type { Configuration, ConfigurationKey, ConfigurationValue, StandardKeys } from "@ocppj/core";
import type { ChargerOptions } from "./charger-options.ts";
import { measurandLists } from "./metering/measurand-lists.ts";
import type { SessionKeys } from "./session/session-facts.ts";

/** The keys that follow from the hardware, so that nobody else can say them. [CFG-61] */
const fromHardware = ["NumberOfConnectors", "ChargingScheduleAllowedChargingRateUnit"] as const;

type Given = NonNullable<ChargerOptions["configuration"]>;

/** Initial values where the documents leave them to the charger. */
const defaults = {
  AllowOfflineTxForUnknownId: false,
  AuthorizationCacheEnabled: true,
  ChargeProfileMaxStackLevel: 8,
  ChargingScheduleMaxPeriods: 24,
  LocalAuthListEnabled: true,
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

/**
 * The keys that a charger has, with their initial values, and which values it takes.
 *
 * @throws TypeError A value was given that only the hardware can say.
 * @spec OCPP 1.6 §9 [CFG-61, CFG-62]
 */
export function keysOf({ configuration = {}, credential, hardware }: ChargerOptions): StandardKeys {
  for (const key of fromHardware) {
    if (configuration[key] !== undefined) throw new TypeError(`${key} follows from the hardware and cannot be given.`);
  }
  const values: Given = { ...defaults, ...withoutUndefined(configuration) };
  const keys: Partial<Record<ConfigurationKey, object>> = {};
  for (const [key, value] of Object.entries(values)) keys[key as ConfigurationKey] = { value };
  const { connectors } = hardware;
  keys.NumberOfConnectors = { value: connectors.length };
  keys.ChargingScheduleAllowedChargingRateUnit = { value: ["Current", "Power"] };
  if (connectors.every(({ cable }) => cable === "fixed")) {
    keys.UnlockConnectorOnEVSideDisconnect = { value: false, readonly: true }; // CFG-35
  }
  for (const [key, more] of Object.entries(measurandLists(hardware))) {
    keys[key as ConfigurationKey] = { ...keys[key as ConfigurationKey], ...more };
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
export const valueOf = <K extends ConfigurationKey>(
  configuration: Pick<Configuration, "get">,
  key: K,
  otherwise: ConfigurationValue<K>,
): ConfigurationValue<K> => (configuration.get(key) as ConfigurationValue<K> | undefined) ?? otherwise;
