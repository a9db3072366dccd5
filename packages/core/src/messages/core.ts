import * as z from "zod/mini";
import {
  action,
  ChargingProfile,
  CiString20,
  CiString25,
  CiString50,
  CiString255,
  CiString500,
  ConnectorId,
  ConnectorIdOrZero,
  DateTime,
  IdTagInfo,
  IdToken,
  Integer,
  KeyValue,
  MeterValue,
  oneOrMore,
  Text,
} from "./types.ts";

/**
 * Asks whether an identifier may charge.
 *
 * @spec OCPP 1.6 §4.1, §6.1, §6.2
 */
export const Authorize = action({
  from: ["ChargePoint"],
  profile: "Core",
  req: z.strictObject({
    idTag: IdToken,
  }),
  conf: z.strictObject({
    idTagInfo: IdTagInfo,
  }),
});

/**
 * Registers the charge point after every boot.
 *
 * @spec OCPP 1.6 §4.2, §6.3, §6.4
 */
export const BootNotification = action({
  from: ["ChargePoint"],
  profile: "Core",
  req: z.strictObject({
    chargePointVendor: CiString20,
    chargePointModel: CiString20,
    chargePointSerialNumber: z.optional(CiString25),
    /** Deprecated by the specification. */
    chargeBoxSerialNumber: z.optional(CiString25),
    firmwareVersion: z.optional(CiString50),
    /** Of the SIM card. */
    iccid: z.optional(CiString20),
    /** Of the SIM card. */
    imsi: z.optional(CiString20),
    /** Of the main electrical meter. */
    meterType: z.optional(CiString25),
    /** Of the main electrical meter. */
    meterSerialNumber: z.optional(CiString25),
  }),
  /** `interval` is in seconds: between heartbeats if Accepted, else before the next BootNotification. */
  conf: z.strictObject({
    /** The clock of the Central System. */
    currentTime: DateTime,
    /** Seconds; 0 leaves the choice to the charge point. */
    interval: Integer,
    status: z.enum(["Accepted", "Pending", "Rejected"]),
  }),
});

/**
 * Makes a connector, or the whole charge point, available or unavailable.
 *
 * @spec OCPP 1.6 §5.2, §6.7, §6.8
 */
export const ChangeAvailability = action({
  from: ["CentralSystem"],
  profile: "Core",
  req: z.strictObject({
    /** 0: the charge point and all its connectors. */
    connectorId: ConnectorIdOrZero,
    type: z.enum(["Inoperative", "Operative"]),
  }),
  conf: z.strictObject({
    /** `Scheduled`: once the running transaction has ended. */
    status: z.enum(["Accepted", "Rejected", "Scheduled"]),
  }),
});

/**
 * Sets a configuration key.
 *
 * @spec OCPP 1.6 §5.3, §6.9, §6.10
 */
export const ChangeConfiguration = action({
  from: ["CentralSystem"],
  profile: "Core",
  /** `value` is text whatever the type of the key: `"true"`, `"300"`, `"A,B"`. */
  req: z.strictObject({
    key: CiString50,
    value: CiString500,
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected", "RebootRequired", "NotSupported"]),
  }),
});

/**
 * Empties the authorization cache.
 *
 * @spec OCPP 1.6 §5.4, §6.11, §6.12
 */
export const ClearCache = action({
  from: ["CentralSystem"],
  profile: "Core",
  req: z.strictObject({}),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected"]),
  }),
});

/**
 * Carries what OCPP does not cover, in either direction.
 *
 * @spec OCPP 1.6 §4.3, §5.6, §6.15, §6.16
 */
export const DataTransfer = action({
  from: ["ChargePoint", "CentralSystem"],
  profile: "Core",
  /** `data` is text: serialise structures yourself. */
  req: z.strictObject({
    /** By custom a reversed DNS name. */
    vendorId: CiString255,
    messageId: z.optional(CiString50),
    data: z.optional(Text),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"]),
    data: z.optional(Text),
  }),
});

/**
 * Reads configuration keys.
 *
 * @spec OCPP 1.6 §5.8, §6.23, §6.24
 */
export const GetConfiguration = action({
  from: ["CentralSystem"],
  profile: "Core",
  /** Absent or empty `key`: all keys. */
  req: z.strictObject({
    key: z.optional(z.array(CiString50)),
  }),
  conf: z.strictObject({
    configurationKey: z.optional(z.array(KeyValue)),
    unknownKey: z.optional(z.array(CiString50)),
  }),
});

/**
 * Says that the charge point is alive, and asks for the time.
 *
 * @spec OCPP 1.6 §4.6, §6.29, §6.30
 */
export const Heartbeat = action({
  from: ["ChargePoint"],
  profile: "Core",
  req: z.strictObject({}),
  conf: z.strictObject({
    /** The clock of the Central System. */
    currentTime: DateTime,
  }),
});

/**
 * Reports what meters and sensors measured.
 *
 * @spec OCPP 1.6 §4.7, §6.31, §6.32
 */
export const MeterValues = action({
  from: ["ChargePoint"],
  profile: "Core",
  req: z.strictObject({
    /** 0: the main energy meter. */
    connectorId: ConnectorIdOrZero,
    /** The transaction that the values belong to. */
    transactionId: z.optional(Integer),
    meterValue: oneOrMore(MeterValue),
  }),
  conf: z.strictObject({}),
});

/**
 * Asks the charge point to start a transaction.
 *
 * @spec OCPP 1.6 §5.11, §6.33, §6.34
 */
export const RemoteStartTransaction = action({
  from: ["CentralSystem"],
  profile: "Core",
  req: z.strictObject({
    /** Absent: the charge point chooses. */
    connectorId: z.optional(ConnectorId),
    idTag: IdToken,
    /** Of purpose `TxProfile`, without a `transactionId`. */
    chargingProfile: z.optional(ChargingProfile),
  }),
  /** `Accepted` means that a start will be tried, not that a transaction will start. */
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected"]),
  }),
});

/**
 * Asks the charge point to stop a transaction.
 *
 * @spec OCPP 1.6 §5.12, §6.35, §6.36
 */
export const RemoteStopTransaction = action({
  from: ["CentralSystem"],
  profile: "Core",
  req: z.strictObject({
    transactionId: Integer,
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected"]),
  }),
});

/**
 * Restarts the charge point.
 *
 * @spec OCPP 1.6 §5.14, §6.39, §6.40
 */
export const Reset = action({
  from: ["CentralSystem"],
  profile: "Core",
  /** `Soft` ends transactions in the normal way first; `Hard` need not. */
  req: z.strictObject({
    type: z.enum(["Hard", "Soft"]),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected"]),
  }),
});

/**
 * Reports that a transaction has started.
 *
 * @spec OCPP 1.6 §4.8, §6.45, §6.46
 */
export const StartTransaction = action({
  from: ["ChargePoint"],
  profile: "Core",
  /** `meterStart` is in Wh. */
  req: z.strictObject({
    connectorId: ConnectorId,
    idTag: IdToken,
    /** Wh, a whole number. */
    meterStart: Integer,
    /** The reservation that this transaction ends. */
    reservationId: z.optional(Integer),
    timestamp: DateTime,
  }),
  conf: z.strictObject({
    idTagInfo: IdTagInfo,
    /** Positive by custom; 0 and negative ids have no special meaning (errata 3.54). */
    transactionId: Integer,
  }),
});

/**
 * Reports the status of a connector, or of the charge point.
 *
 * @spec OCPP 1.6 §4.9, §6.47, §6.48
 */
export const StatusNotification = action({
  from: ["ChargePoint"],
  profile: "Core",
  req: z.strictObject({
    /** 0: the main controller, which is only ever `Available`, `Unavailable` or `Faulted`. */
    connectorId: ConnectorIdOrZero,
    errorCode: z.enum([
      "ConnectorLockFailure",
      "EVCommunicationError",
      "GroundFailure",
      "HighTemperature",
      "InternalError",
      "LocalListConflict",
      "NoError",
      "OtherError",
      "OverCurrentFailure",
      "OverVoltage",
      "PowerMeterFailure",
      "PowerSwitchFailure",
      "ReaderFailure",
      "ResetFailure",
      "UnderVoltage",
      "WeakSignal",
    ]),
    info: z.optional(CiString50),
    status: z.enum([
      "Available",
      "Preparing",
      "Charging",
      "SuspendedEVSE",
      "SuspendedEV",
      "Finishing",
      "Reserved",
      "Unavailable",
      "Faulted",
    ]),
    /** Absent: the moment of receipt. */
    timestamp: z.optional(DateTime),
    vendorId: z.optional(CiString255),
    vendorErrorCode: z.optional(CiString50),
  }),
  conf: z.strictObject({}),
});

/**
 * Reports that a transaction has stopped.
 *
 * @spec OCPP 1.6 §4.10, §6.49, §6.50
 */
export const StopTransaction = action({
  from: ["ChargePoint"],
  profile: "Core",
  /** `meterStop` is in Wh; an absent `reason` means `Local`. */
  req: z.strictObject({
    /** Who asked to stop; absent when the charge point itself did. */
    idTag: z.optional(IdToken),
    /** Wh, a whole number. */
    meterStop: Integer,
    timestamp: DateTime,
    /** From StartTransaction.conf; -1 when none was ever received (errata 3.18). */
    transactionId: Integer,
    reason: z.optional(
      z.enum([
        "DeAuthorized",
        "EmergencyStop",
        "EVDisconnected",
        "HardReset",
        "Local",
        "Other",
        "PowerLoss",
        "Reboot",
        "Remote",
        "SoftReset",
        "UnlockCommand",
      ]),
    ),
    transactionData: z.optional(z.array(MeterValue)),
  }),
  conf: z.strictObject({
    /** Of the identifier that asked to stop. */
    idTagInfo: z.optional(IdTagInfo),
  }),
});

/**
 * Releases the cable of a connector.
 *
 * @spec OCPP 1.6 §5.18, §6.53, §6.54
 */
export const UnlockConnector = action({
  from: ["CentralSystem"],
  profile: "Core",
  req: z.strictObject({
    connectorId: ConnectorId,
  }),
  conf: z.strictObject({
    /** `NotSupported`: there is no lock, or no such connector. */
    status: z.enum(["Unlocked", "UnlockFailed", "NotSupported"]),
  }),
});
