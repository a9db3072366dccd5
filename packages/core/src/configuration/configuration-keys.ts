import { type FeatureProfile, SampledValue } from "../messages/types.ts";

/** The types of configuration values, by the names that the documents give them. */
export interface ConfigurationValueTypes {
  boolean: boolean;
  /** At most 2^53 - 1, so that it is exact. */
  integer: number;
  /** The items of a comma-separated list; each is text without commas and without surrounding blanks. */
  CSL: readonly string[];
  string: string;
}

/** Which values a configuration key takes, standard or not. */
export interface ConfigurationValueRange {
  readonly type: keyof ConfigurationValueTypes;
  /** The smallest integer. Default 0: none of the standard keys may be negative. */
  readonly minimum?: number | undefined;
  /** The largest integer. Default: none. */
  readonly maximum?: number | undefined;
  /** What a string, or each item of a list, must match. Default: any text. */
  readonly pattern?: RegExp | undefined;
}

/** What the table knows of one standard key. */
export interface ConfigurationKeyDefinition extends ConfigurationValueRange {
  /**
   * What the Central System may do: `R` read it, `RW` read and change it, `R or RW` as the charge point chooses,
   * `W` change it, but never read it.
   */
  readonly access: "R" | "RW" | "R or RW" | "W";
  /** The feature profile; `undefined` for the keys of the security white paper, which belong to none. */
  readonly profile: FeatureProfile | undefined;
  /** Whether a charge point that supports the profile must have the key. Default false. */
  readonly required?: true;
  /** The unit of an integer, or what it counts. */
  readonly unit?: "s" | "%" | "Wh" | "times" | "items" | "keys" | "ids" | "characters" | "certificates";
  /** The initial value where a charge point names none. */
  readonly default?: ConfigurationValueTypes[keyof ConfigurationValueTypes];
  /** The only value where the charge point cannot change the key. */
  readonly whenReadOnly?: boolean;
}

/** A measurand, or one phase of it: `Voltage.L1`. [CORE-MTR-18] */
const measurands = /* @__PURE__ */ measurandPattern();

function measurandPattern(): RegExp {
  const { measurand, phase } = SampledValue.def.shape;
  const oneOf = (entries: object): string => Object.keys(entries).join("|").replaceAll(".", "\\.");
  const phases = oneOf(phase.def.innerType.def.entries);
  return new RegExp(`^(?:${oneOf(measurand.def.innerType.def.entries)})(?:\\.(?:${phases}))?$`);
}

/**
 * All standard configuration keys: those of OCPP 1.6 with its errata, and those of the security white paper.
 *
 * A default or a limit that is documented is marked so; the others are this library's own, because every key that a
 * charge point has needs a value. According to the documents no change of a standard key needs a reboot.
 *
 * @spec OCPP 1.6 §9; errata 3.79, 3.80, 3.82, 3.83, 3.86, 3.88, 3.89; OCPP-J errata 3.10; security white paper §7
 * [CFG-01 … CFG-52]
 */
export const configurationKeys = {
  // OCPP 1.6 §9.1: Core

  /** Whether unknown identifiers may charge while the charge point is offline. [CFG-01] */
  AllowOfflineTxForUnknownId: { type: "boolean", access: "RW", profile: "Core" },
  /** Whether the authorization cache is in use. [CFG-02] */
  AuthorizationCacheEnabled: { type: "boolean", access: "RW", profile: "Core" },
  /** Whether a RemoteStartTransaction is authorized first, like a start at the charge point. [CFG-03] */
  AuthorizeRemoteTxRequests: { type: "boolean", access: "R or RW", profile: "Core", required: true, default: false },
  /** How often the lights blink as a signal. [CFG-04] */
  BlinkRepeat: { type: "integer", access: "RW", profile: "Core", unit: "times" },
  /** Size of the intervals, counted from midnight, of clock-aligned values. Documented: 0 stands for none. [CFG-05] */
  ClockAlignedDataInterval: { type: "integer", access: "RW", profile: "Core", required: true, unit: "s", default: 0 },
  /** How long the status may stay Preparing until the cable has to be plugged in. [CFG-06] */
  ConnectionTimeOut: { type: "integer", access: "RW", profile: "Core", required: true, unit: "s", default: 60 },
  /** The phase rotation of each connector, as `<connectorId>.<rotation>`; 0 is the main meter. [CFG-07, CORE-MV-13] */
  ConnectorPhaseRotation: {
    type: "CSL",
    access: "RW",
    profile: "Core",
    required: true,
    pattern: /^(?:0|[1-9]\d*)\.(?:NotApplicable|Unknown|RST|RTS|SRT|STR|TRS|TSR)$/,
    default: [],
  },
  /** How many items ConnectorPhaseRotation takes. [CFG-08] */
  ConnectorPhaseRotationMaxLength: { type: "integer", access: "R", profile: "Core", unit: "items" },
  /** How many keys one GetConfiguration.req may ask for; asking for all is another matter. [CFG-09] */
  GetConfigurationMaxKeys: {
    type: "integer",
    access: "R",
    profile: "Core",
    required: true,
    unit: "keys",
    minimum: 1,
    // Enough for every standard key, and as many others.
    default: 100,
  },
  /** Time without messages after which a Heartbeat is sent. BootNotification.conf sets it, too. [CFG-10] */
  HeartbeatInterval: {
    type: "integer",
    access: "RW",
    profile: "Core",
    required: true,
    unit: "s",
    // A Central System that means "never" by 0 had better hear that it will not get it.
    minimum: 1,
    default: 300,
  },
  /** How bright the lights are. [CFG-11] */
  LightIntensity: { type: "integer", access: "RW", profile: "Core", unit: "%", maximum: 100 },
  /** Whether locally authorized identifiers may charge while the charge point is offline. [CFG-12] */
  LocalAuthorizeOffline: { type: "boolean", access: "RW", profile: "Core", required: true, default: true },
  /** Whether locally authorized identifiers may charge, online, without asking the Central System. [CFG-13] */
  LocalPreAuthorize: { type: "boolean", access: "RW", profile: "Core", required: true, default: false },
  /** Energy that is still delivered after the identifier turned out to be invalid. [CFG-14] */
  MaxEnergyOnInvalidId: { type: "integer", access: "RW", profile: "Core", unit: "Wh" },
  /** How long the answer to a CALL is waited for. [CFG-15] */
  MessageTimeout: { type: "integer", access: "RW", profile: "Core", unit: "s", minimum: 1, default: 30 },
  /** The clock-aligned measurands in MeterValues.req. [CFG-16] */
  MeterValuesAlignedData: {
    type: "CSL",
    access: "RW",
    profile: "Core",
    required: true,
    pattern: measurands,
    default: ["Energy.Active.Import.Register"],
  },
  /** How many items MeterValuesAlignedData takes. [CFG-17] */
  MeterValuesAlignedDataMaxLength: { type: "integer", access: "R", profile: "Core", unit: "items" },
  /** The sampled measurands in MeterValues.req. [CFG-18, CORE-MTR-19] */
  MeterValuesSampledData: {
    type: "CSL",
    access: "RW",
    profile: "Core",
    required: true,
    pattern: measurands,
    // Documented.
    default: ["Energy.Active.Import.Register"],
  },
  /** How many items MeterValuesSampledData takes. [CFG-19] */
  MeterValuesSampledDataMaxLength: { type: "integer", access: "R", profile: "Core", unit: "items" },
  /** Time between samples, in a transaction counted from its start. Documented: 0 stands for none. [CFG-20] */
  MeterValueSampleInterval: { type: "integer", access: "RW", profile: "Core", required: true, unit: "s", default: 60 },
  /** How long a status must last until it is reported. [CFG-21] */
  MinimumStatusDuration: { type: "integer", access: "RW", profile: "Core", unit: "s" },
  /** How many connectors there are. Only the charge point knows, so there is no default. [CFG-22] */
  NumberOfConnectors: {
    type: "integer",
    access: "R",
    profile: "Core",
    required: true,
    minimum: 1,
  },
  /** How often a reset that failed is tried again. [CFG-23] */
  ResetRetries: { type: "integer", access: "RW", profile: "Core", required: true, unit: "times", default: 1 },
  /** How many meter values StopTransaction.req carries; beyond that some in between are left out. [CFG-24] */
  StopTransactionMaxMeterValues: { type: "integer", access: "R", profile: "Core", unit: "items" },
  /** Whether unplugging at the vehicle ends the transaction. Required until errata 3.79. [CFG-25] */
  StopTransactionOnEVSideDisconnect: { type: "boolean", access: "R or RW", profile: "Core" },
  /** Whether a transaction ends when StartTransaction.conf does not accept its identifier. [CFG-26] */
  StopTransactionOnInvalidId: { type: "boolean", access: "RW", profile: "Core", required: true, default: true },
  /** The clock-aligned measurands in StopTransaction.req. [CFG-27] */
  StopTxnAlignedData: {
    type: "CSL",
    access: "RW",
    profile: "Core",
    required: true,
    pattern: measurands,
    default: [],
  },
  /** How many items StopTxnAlignedData takes. [CFG-28] */
  StopTxnAlignedDataMaxLength: { type: "integer", access: "R", profile: "Core", unit: "items" },
  /** The sampled measurands in StopTransaction.req. [CFG-29] */
  StopTxnSampledData: {
    type: "CSL",
    access: "RW",
    profile: "Core",
    required: true,
    pattern: measurands,
    default: [],
  },
  /** How many items StopTxnSampledData takes. [CFG-30] */
  StopTxnSampledDataMaxLength: { type: "integer", access: "R", profile: "Core", unit: "items" },
  /** The feature profiles of the charge point. [CFG-31] */
  SupportedFeatureProfiles: {
    type: "CSL",
    access: "R",
    profile: "Core",
    required: true,
    pattern: /^(?:Core|FirmwareManagement|LocalAuthListManagement|Reservation|SmartCharging|RemoteTrigger)$/,
    default: ["Core"],
  },
  /** How many items SupportedFeatureProfiles has; nobody needs to know (errata 3.80). [CFG-32] */
  SupportedFeatureProfilesMaxLength: { type: "integer", access: "R", profile: "Core", unit: "items" },
  /** How often a transaction-related message is sent that the Central System fails to process. [CFG-33] */
  TransactionMessageAttempts: {
    type: "integer",
    access: "RW",
    profile: "Core",
    required: true,
    unit: "times",
    // None at all would be to throw away what the driver has to pay.
    minimum: 1,
    default: 3,
  },
  /** How long to wait before sending it again, times the number of earlier attempts. [CFG-34, CORE-TXQ-10] */
  TransactionMessageRetryInterval: {
    type: "integer",
    access: "RW",
    profile: "Core",
    required: true,
    unit: "s",
    default: 60,
  },
  /** Whether unplugging at the vehicle unlocks the connector. Read-only with a fixed cable (errata 3.83). [CFG-35] */
  UnlockConnectorOnEVSideDisconnect: {
    type: "boolean",
    access: "R or RW",
    profile: "Core",
    required: true,
    whenReadOnly: false,
    default: true,
  },
  /** Time between the pings of the charge point. Documented: 0 stands for none, and no negative ones. [CFG-36] */
  WebSocketPingInterval: { type: "integer", access: "RW", profile: "Core", unit: "s" },

  // OCPP 1.6 §9.2: Local Auth List Management

  /** Whether the Local Authorization List is in use. [CFG-37] */
  LocalAuthListEnabled: {
    type: "boolean",
    access: "RW",
    profile: "LocalAuthListManagement",
    required: true,
    default: true,
  },
  /** How many identifiers the list holds. [CFG-38] */
  LocalAuthListMaxLength: {
    type: "integer",
    access: "R",
    profile: "LocalAuthListManagement",
    required: true,
    unit: "ids",
  },
  /** How many identifiers one SendLocalList.req may carry. [CFG-39] */
  SendLocalListMaxLength: {
    type: "integer",
    access: "R",
    profile: "LocalAuthListManagement",
    required: true,
    unit: "ids",
  },

  // OCPP 1.6 §9.3: Reservation

  /** Whether connector 0, that is any connector, can be reserved. [CFG-40] */
  ReserveConnectorZeroSupported: { type: "boolean", access: "R", profile: "Reservation" },

  // OCPP 1.6 §9.4: Smart Charging

  /** The highest stackLevel, and how many schedules there may be for one purpose. [CFG-41] */
  ChargeProfileMaxStackLevel: { type: "integer", access: "R", profile: "SmartCharging", required: true },
  /** Documented: `Current` allows schedules in A, `Power` schedules in W (errata 3.86). [CFG-42, QD-42] */
  ChargingScheduleAllowedChargingRateUnit: {
    type: "CSL",
    access: "R",
    profile: "SmartCharging",
    required: true,
    pattern: /^(?:Current|Power)$/,
  },
  /** How many periods a charging schedule may have. [CFG-43] */
  ChargingScheduleMaxPeriods: { type: "integer", access: "R", profile: "SmartCharging", required: true },
  /** Whether a transaction can go from three phases to one. [CFG-44] */
  ConnectorSwitch3to1PhaseSupported: { type: "boolean", access: "R", profile: "SmartCharging" },
  /** How many charging profiles can be installed at a time. [CFG-45] */
  MaxChargingProfilesInstalled: { type: "integer", access: "R", profile: "SmartCharging", required: true },

  // OCPP 1.6 errata 3.88: Firmware Management

  /** How files can be fetched and delivered. [CFG-46] */
  SupportedFileTransferProtocols: {
    type: "CSL",
    access: "R",
    profile: "FirmwareManagement",
    pattern: /^(?:FTPS?|HTTPS?)$/,
  },

  // Security white paper §7

  /**
   * Whether a new root certificate of the Central System must be signed by the old one. Required, unless security
   * profile 1 is the only one. [CFG-47]
   */
  AdditionalRootCertificateCheck: { type: "boolean", access: "R", profile: undefined },
  /**
   * The password of the charge point, in hexadecimal. Documented: 16 to 20 bytes, two digits for each. Required, unless
   * security profile 3 is the only one. [CFG-48, J-181, QD-25]
   */
  AuthorizationKey: { type: "string", access: "W", profile: undefined, pattern: /^(?:[\da-f]{2}){16,20}$/i },
  /** How long the certificate chain in CertificateSigned.req may be. Documented: at most 10 000. [CFG-49] */
  CertificateSignedMaxChainSize: {
    type: "integer",
    access: "R",
    profile: undefined,
    unit: "characters",
    maximum: 10_000,
    default: 10_000,
  },
  /** How many root certificates can be installed. [CFG-50] */
  CertificateStoreMaxLength: { type: "integer", access: "R", profile: undefined, unit: "certificates" },
  /** The organization that is named in requests for certificates. [CFG-51] */
  CpoName: { type: "string", access: "RW", profile: undefined },
  /** The security profile in use. Documented: 0 stands for none yet; a Central System can only raise it. [CFG-52] */
  SecurityProfile: { type: "integer", access: "RW", profile: undefined, maximum: 3, default: 0 },
} as const satisfies Record<string, ConfigurationKeyDefinition>;

/** The name of a standard configuration key. */
export type ConfigurationKey = keyof typeof configurationKeys;

/** The value of a standard configuration key. Integers are in the key's unit, which for times is the second. */
export type ConfigurationValue<K extends ConfigurationKey = ConfigurationKey> =
  ConfigurationValueTypes[(typeof configurationKeys)[K]["type"]];

/** As many characters as fit in a value: CiString500. */
const maxTextLength = 500;

/**
 * Reads a value as it travels. Booleans may be in any case, and items of a list may have blanks around them; an integer
 * is decimal, without blanks, sign + or leading zeros.
 *
 * @returns The value, or `undefined` if the text is no value of that range.
 * @spec [CORE-CC-10, CORE-CC-11, Q28]
 */
export function parseConfigurationValue<R extends ConfigurationValueRange>(
  range: R,
  text: string,
): ConfigurationValueTypes[R["type"]] | undefined {
  const value = read(range.type, text);
  return value !== undefined && isConfigurationValue(range, value)
    ? (value as ConfigurationValueTypes[R["type"]])
    : undefined;
}

function read(type: keyof ConfigurationValueTypes, text: string): ConfigurationValue | undefined {
  switch (type) {
    case "boolean":
      return /^(?:true|false)$/i.test(text) ? text.toLowerCase() === "true" : undefined;
    case "integer":
      return /^(?:0|-?[1-9]\d*)$/.test(text) ? Number(text) : undefined;
    case "CSL":
      return Object.freeze(text.trim() === "" ? [] : text.split(",").map((item) => item.trim()));
    case "string":
      return text;
  }
}

/**
 * Writes a value as it travels.
 *
 * @spec [CORE-CC-10, CORE-CC-11]
 */
export function formatConfigurationValue(value: ConfigurationValue): string {
  // Joins the items of a list with commas.
  return String(value);
}

/** Whether a value is one of a range, and fits in a message. */
export function isConfigurationValue(range: ConfigurationValueRange, value: unknown): value is ConfigurationValue {
  return isOfType(range, value) && [...formatConfigurationValue(value)].length <= maxTextLength;
}

function isOfType(
  { type, minimum = 0, maximum, pattern }: ConfigurationValueRange,
  value: unknown,
): value is ConfigurationValue {
  const isText = (text: unknown): text is string =>
    typeof text === "string" && (pattern === undefined || text.search(pattern) >= 0);
  const isItem = (item: unknown) => isText(item) && item !== "" && item === item.trim() && !item.includes(",");
  switch (type) {
    case "boolean":
      return typeof value === "boolean";
    case "integer":
      return (
        typeof value === "number" &&
        Number.isSafeInteger(value) &&
        value >= minimum &&
        (maximum === undefined || value <= maximum)
      );
    case "CSL":
      return Array.isArray(value) && value.every(isItem);
    case "string":
      return isText(value);
  }
}
