import { describe, expect, it } from "vitest";
import * as z from "zod/mini";
import { type Action, actions, isAction, maySend } from "../../src/messages/actions.ts";
import { parseConf, parseReq } from "../../src/messages/validate.ts";
import { goldenExamples } from "./golden-examples.ts";

const names = Object.keys(actions) as Action[];

/** Section B.0.1 and D.3 of the requirements: action, initiator, fields of .req / .conf, by feature profile. */
const table = {
  Core: `
    Authorize              CP     1/1
    BootNotification       CP     9/3
    ChangeAvailability     CS     2/1
    ChangeConfiguration    CS     2/1
    ClearCache             CS     0/1
    DataTransfer           either 3/2
    GetConfiguration       CS     1/2
    Heartbeat              CP     0/1
    MeterValues            CP     3/0
    RemoteStartTransaction CS     3/1
    RemoteStopTransaction  CS     1/1
    Reset                  CS     1/1
    StartTransaction       CP     5/2
    StatusNotification     CP     7/0
    StopTransaction        CP     6/1
    UnlockConnector        CS     1/1`,
  FirmwareManagement: `
    DiagnosticsStatusNotification CP 1/0
    FirmwareStatusNotification    CP 1/0
    GetDiagnostics                CS 5/1
    UpdateFirmware                CS 4/0`,
  LocalAuthListManagement: `
    GetLocalListVersion CS 0/1
    SendLocalList       CS 3/1`,
  RemoteTrigger: `
    TriggerMessage CS 2/1`,
  Reservation: `
    CancelReservation CS 1/1
    ReserveNow        CS 5/1`,
  SmartCharging: `
    ClearChargingProfile CS 4/1
    GetCompositeSchedule CS 3/4
    SetChargingProfile   CS 2/1`,
  undefined: `
    CertificateSigned                CS 1/1
    DeleteCertificate                CS 1/1
    ExtendedTriggerMessage           CS 2/1
    GetInstalledCertificateIds       CS 1/2
    GetLog                           CS 5/2
    InstallCertificate               CS 2/1
    LogStatusNotification            CP 2/0
    SecurityEventNotification        CP 3/0
    SignCertificate                  CP 1/1
    SignedFirmwareStatusNotification CP 2/0
    SignedUpdateFirmware             CS 4/1`,
};

const rows = Object.entries(table).flatMap(([profile, text]) =>
  text
    .trim()
    .split("\n")
    .map((line) => {
      const [action, from, counts] = line.trim().split(/ +/) as [Action, "CP" | "CS" | "either", string];
      return { action, from, counts, profile };
    }),
);

const senders = {
  CP: ["ChargePoint"],
  CS: ["CentralSystem"],
  either: ["ChargePoint", "CentralSystem"],
} as const;

describe("actions", () => {
  it("has the 28 actions of OCPP 1.6 and the 11 of the security white paper, by feature profile [CORE-GEN-01]", () => {
    expect(names).toEqual(rows.map(({ action }) => action));
    expect(names).toHaveLength(39);
  });

  it.each(rows)("knows that $action belongs to the profile $profile [CORE-GEN-01]", ({ action, profile }) => {
    expect(String(actions[action].profile)).toBe(profile);
  });

  it.each(rows)("knows that $action is sent by $from", ({ action, from }) => {
    expect(actions[action].from).toEqual(senders[from]);
  });

  it.each(rows)("gives $action as many fields as the documents do: $counts [J-061]", ({ action, counts }) => {
    const { req, conf } = actions[action];
    expect(`${Object.keys(req._zod.def.shape).length}/${Object.keys(conf._zod.def.shape).length}`).toBe(counts);
  });

  it.each(names)("accepts an example of %s with all its fields [J-061]", (action) => {
    const { req, conf } = goldenExamples[action];
    expect(parseReq(action, structuredClone(req), "remote")).toEqual(req);
    expect(parseConf(action, structuredClone(conf), "remote")).toEqual(conf);
    expect(Object.keys(req).sort()).toEqual(Object.keys(actions[action].req._zod.def.shape).sort());
    expect(Object.keys(conf).sort()).toEqual(Object.keys(actions[action].conf._zod.def.shape).sort());
  });
});

describe("isAction", () => {
  it.each(names)("knows %s [J-060]", (action) => {
    expect(isAction(action)).toBe(true);
  });

  it.each(["bootNotification", "BOOTNOTIFICATION", "BootNotificationRequest", "BootNotification.req", "", " Reset"])(
    "takes %j for no action [J-060]",
    (name) => {
      expect(isAction(name)).toBe(false);
    },
  );

  it.each(["toString", "__proto__", "constructor", "hasOwnProperty", "valueOf"])(
    "takes %s, which every object has, for no action [trap 11]",
    (name) => {
      expect(isAction(name)).toBe(false);
    },
  );
});

describe("maySend", () => {
  it.each(rows)("allows $action to $from alone [J-D14]", ({ action, from }) => {
    expect(maySend("ChargePoint", action)).toBe(from !== "CS");
    expect(maySend("CentralSystem", action)).toBe(from !== "CP");
  });
});

/** Section B.8 of the requirements, value by value. */
const enumerations = {
  "TYP-01": ["Accepted", "Blocked", "Expired", "Invalid", "ConcurrentTx"],
  "TYP-02": ["Accepted", "Rejected", "Scheduled"],
  "TYP-03": ["Inoperative", "Operative"],
  "TYP-04": ["Accepted", "Rejected"],
  "TYP-05": [
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
  ],
  "TYP-06": [
    "Available",
    "Preparing",
    "Charging",
    "SuspendedEVSE",
    "SuspendedEV",
    "Finishing",
    "Reserved",
    "Unavailable",
    "Faulted",
  ],
  "TYP-07": ["Absolute", "Recurring", "Relative"],
  "TYP-08": ["ChargePointMaxProfile", "TxDefaultProfile", "TxProfile"],
  "TYP-09": ["Accepted", "Rejected", "NotSupported"],
  "TYP-10": ["W", "A"],
  "TYP-11": ["Accepted", "Rejected"],
  "TYP-12": ["Accepted", "Unknown"],
  "TYP-13": ["Accepted", "Rejected", "RebootRequired", "NotSupported"],
  "TYP-14": ["Accepted", "Rejected", "UnknownMessageId", "UnknownVendorId"],
  "TYP-15": ["Idle", "Uploaded", "UploadFailed", "Uploading"],
  "TYP-16": ["Downloaded", "DownloadFailed", "Downloading", "Idle", "InstallationFailed", "Installing", "Installed"],
  "TYP-17": ["Accepted", "Rejected"],
  "TYP-18": ["Body", "Cable", "EV", "Inlet", "Outlet"],
  "TYP-19": [
    "BootNotification",
    "DiagnosticsStatusNotification",
    "FirmwareStatusNotification",
    "Heartbeat",
    "MeterValues",
    "StatusNotification",
  ],
  "TYP-20": [
    "Current.Export",
    "Current.Import",
    "Current.Offered",
    "Energy.Active.Export.Register",
    "Energy.Active.Import.Register",
    "Energy.Reactive.Export.Register",
    "Energy.Reactive.Import.Register",
    "Energy.Active.Export.Interval",
    "Energy.Active.Import.Interval",
    "Energy.Reactive.Export.Interval",
    "Energy.Reactive.Import.Interval",
    "Frequency",
    "Power.Active.Export",
    "Power.Active.Import",
    "Power.Factor",
    "Power.Offered",
    "Power.Reactive.Export",
    "Power.Reactive.Import",
    "RPM",
    "SoC",
    "Temperature",
    "Voltage",
  ],
  "TYP-21": [
    "Wh",
    "kWh",
    "varh",
    "kvarh",
    "W",
    "kW",
    "VA",
    "kVA",
    "var",
    "kvar",
    "A",
    "V",
    "Celsius",
    "Celcius",
    "Fahrenheit",
    "K",
    "Percent",
  ],
  "TYP-22": ["L1", "L2", "L3", "N", "L1-N", "L2-N", "L3-N", "L1-L2", "L2-L3", "L3-L1"],
  "TYP-23": [
    "Interruption.Begin",
    "Interruption.End",
    "Other",
    "Sample.Clock",
    "Sample.Periodic",
    "Transaction.Begin",
    "Transaction.End",
    "Trigger",
  ],
  "TYP-24": [
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
  ],
  "TYP-25": ["Daily", "Weekly"],
  "TYP-26": ["Accepted", "Pending", "Rejected"],
  "TYP-27": ["Accepted", "Rejected"],
  "TYP-28": ["Accepted", "Faulted", "Occupied", "Rejected", "Unavailable"],
  "TYP-29": ["Accepted", "Rejected"],
  "TYP-30": ["Hard", "Soft"],
  "TYP-31": ["Accepted", "Rejected", "NotImplemented"],
  "TYP-32": ["Unlocked", "UnlockFailed", "NotSupported"],
  "TYP-33": ["Accepted", "Failed", "NotSupported", "VersionMismatch"],
  "TYP-34": ["Differential", "Full"],
  "TYP-35": ["Raw", "SignedData"],
} as const;

/**
 * How a field is written in the tables below: the name of its type, the values of its enumeration, the fields of its
 * object, or its list. A name that ends in `?` is that of an optional field.
 */
type Field = string | readonly string[] | { readonly [name: string]: Field };

const typ = enumerations;
const oneOrMore = (element: Field): Field => ({ "1..*": element });
const many = (element: Field): Field => ({ "0..*": element });

const idTagInfo: Field = { status: typ["TYP-01"], "expiryDate?": "dateTime", "parentIdTag?": "text(20)" };

const meterValue: Field = {
  timestamp: "dateTime",
  sampledValue: oneOrMore({
    value: "text",
    "context?": typ["TYP-23"],
    "format?": typ["TYP-35"],
    "measurand?": typ["TYP-20"],
    "phase?": typ["TYP-22"],
    "location?": typ["TYP-18"],
    "unit?": typ["TYP-21"],
  }),
};

const chargingSchedule: Field = {
  "duration?": "integer",
  "startSchedule?": "dateTime",
  chargingRateUnit: typ["TYP-10"],
  chargingSchedulePeriod: oneOrMore({ startPeriod: "integer", limit: "decimal", "numberPhases?": "integer" }),
  "minChargingRate?": "decimal",
};

const chargingProfile: Field = {
  chargingProfileId: "integer",
  "transactionId?": "integer",
  stackLevel: "integer >= 0",
  chargingProfilePurpose: typ["TYP-08"],
  chargingProfileKind: typ["TYP-07"],
  "recurrencyKind?": typ["TYP-25"],
  "validFrom?": "dateTime",
  "validTo?": "dateTime",
  chargingSchedule,
};

const certificateHashData: Field = {
  hashAlgorithm: ["SHA256", "SHA384", "SHA512"],
  issuerNameHash: "text(128)",
  issuerKeyHash: "text(128)",
  serialNumber: "text(40)",
};

const certificateUse: Field = ["CentralSystemRootCertificate", "ManufacturerRootCertificate"];

/** Sections B.1 to B.7 and D.3 of the requirements, field by field. */
const fields: { readonly [A in Action]: { readonly ids: string; readonly req: Field; readonly conf: Field } } = {
  Authorize: { ids: "[TYP-01] [TYP-37] [TYP-38]", req: { idTag: "text(20)" }, conf: { idTagInfo } },
  BootNotification: {
    ids: "[TYP-26] [TYP-36] [J-192] [QD-02]",
    req: {
      chargePointVendor: "text(20)",
      chargePointModel: "text(20)",
      "chargePointSerialNumber?": "text(25)",
      "chargeBoxSerialNumber?": "text(25)",
      "firmwareVersion?": "text(50)",
      "iccid?": "text(20)",
      "imsi?": "text(20)",
      "meterType?": "text(25)",
      "meterSerialNumber?": "text(25)",
    },
    conf: { currentTime: "dateTime", interval: "integer", status: typ["TYP-26"] },
  },
  ChangeAvailability: {
    ids: "[TYP-02] [TYP-03] [CORE-CONN-07]",
    req: { connectorId: "integer >= 0", type: typ["TYP-03"] },
    conf: { status: typ["TYP-02"] },
  },
  ChangeConfiguration: {
    ids: "[TYP-13]",
    req: { key: "text(50)", value: "text(500)" },
    conf: { status: typ["TYP-13"] },
  },
  ClearCache: { ids: "[TYP-11]", req: {}, conf: { status: typ["TYP-11"] } },
  DataTransfer: {
    ids: "[TYP-14] [CORE-DT-04] [QD-12]",
    req: { vendorId: "text(255)", "messageId?": "text(50)", "data?": "text" },
    conf: { status: typ["TYP-14"], "data?": "text" },
  },
  GetConfiguration: {
    ids: "[TYP-39] [QD-44]",
    req: { "key?": many("text(50)") },
    conf: {
      "configurationKey?": many({ key: "text(50)", readonly: "boolean", "value?": "text(500)" }),
      "unknownKey?": many("text(50)"),
    },
  },
  Heartbeat: { ids: "[TYP-42]", req: {}, conf: { currentTime: "dateTime" } },
  MeterValues: {
    ids: "[TYP-18] [TYP-20] [TYP-21] [TYP-22] [TYP-23] [TYP-35] [TYP-40] [CORE-CONN-07]",
    req: { connectorId: "integer >= 0", "transactionId?": "integer", meterValue: oneOrMore(meterValue) },
    conf: {},
  },
  RemoteStartTransaction: {
    ids: "[TYP-27] [CORE-CONN-07] [CORE-RST-09]",
    req: { "connectorId?": "integer > 0", idTag: "text(20)", "chargingProfile?": chargingProfile },
    conf: { status: typ["TYP-27"] },
  },
  RemoteStopTransaction: { ids: "[TYP-27]", req: { transactionId: "integer" }, conf: { status: typ["TYP-27"] } },
  Reset: { ids: "[TYP-29] [TYP-30]", req: { type: typ["TYP-30"] }, conf: { status: typ["TYP-29"] } },
  StartTransaction: {
    ids: "[CORE-START-06] [CORE-CONN-07]",
    req: {
      connectorId: "integer > 0",
      idTag: "text(20)",
      meterStart: "integer",
      "reservationId?": "integer",
      timestamp: "dateTime",
    },
    conf: { idTagInfo, transactionId: "integer" },
  },
  StatusNotification: {
    ids: "[TYP-05] [TYP-06] [CORE-CONN-07]",
    req: {
      connectorId: "integer >= 0",
      errorCode: typ["TYP-05"],
      "info?": "text(50)",
      status: typ["TYP-06"],
      "timestamp?": "dateTime",
      "vendorId?": "text(255)",
      "vendorErrorCode?": "text(50)",
    },
    conf: {},
  },
  StopTransaction: {
    ids: "[TYP-24] [TYP-40] [J-194] [QD-18]",
    req: {
      "idTag?": "text(20)",
      meterStop: "integer",
      timestamp: "dateTime",
      transactionId: "integer",
      "reason?": typ["TYP-24"],
      "transactionData?": many(meterValue),
    },
    conf: { "idTagInfo?": idTagInfo },
  },
  UnlockConnector: {
    ids: "[TYP-32] [CORE-CONN-07]",
    req: { connectorId: "integer > 0" },
    conf: { status: typ["TYP-32"] },
  },
  DiagnosticsStatusNotification: { ids: "[TYP-15]", req: { status: typ["TYP-15"] }, conf: {} },
  FirmwareStatusNotification: { ids: "[TYP-16]", req: { status: typ["TYP-16"] }, conf: {} },
  GetDiagnostics: {
    ids: "[TYP-43] [QD-37]",
    req: {
      location: "anyURI",
      "retries?": "integer",
      "retryInterval?": "integer",
      "startTime?": "dateTime",
      "stopTime?": "dateTime",
    },
    conf: { "fileName?": "text(255)" },
  },
  UpdateFirmware: {
    ids: "[TYP-43] [J-193]",
    req: { location: "anyURI", "retries?": "integer", retrieveDate: "dateTime", "retryInterval?": "integer" },
    conf: {},
  },
  GetLocalListVersion: { ids: "[LAL-10]", req: {}, conf: { listVersion: "integer" } },
  SendLocalList: {
    ids: "[TYP-33] [TYP-34] [TYP-41] [J-191]",
    req: {
      listVersion: "integer",
      "localAuthorizationList?": many({ idTag: "text(20)", "idTagInfo?": idTagInfo }),
      updateType: typ["TYP-34"],
    },
    conf: { status: typ["TYP-33"] },
  },
  TriggerMessage: {
    ids: "[TYP-19] [TYP-31] [RT-04]",
    req: { requestedMessage: typ["TYP-19"], "connectorId?": "integer >= 0" },
    conf: { status: typ["TYP-31"] },
  },
  CancelReservation: { ids: "[TYP-04]", req: { reservationId: "integer" }, conf: { status: typ["TYP-04"] } },
  ReserveNow: {
    ids: "[TYP-28] [CORE-CONN-07] [RSV-18] [QD-14]",
    req: {
      connectorId: "integer >= 0",
      expiryDate: "dateTime",
      idTag: "text(20)",
      "parentIdTag?": "text(20)",
      reservationId: "integer",
    },
    conf: { status: typ["TYP-28"] },
  },
  ClearChargingProfile: {
    ids: "[TYP-08] [TYP-12] [CORE-CONN-07]",
    req: {
      "id?": "integer",
      "connectorId?": "integer >= 0",
      "chargingProfilePurpose?": typ["TYP-08"],
      "stackLevel?": "integer",
    },
    conf: { status: typ["TYP-12"] },
  },
  GetCompositeSchedule: {
    ids: "[TYP-10] [TYP-17] [CORE-CONN-07] [QD-16]",
    req: { connectorId: "integer >= 0", duration: "integer", "chargingRateUnit?": typ["TYP-10"] },
    conf: {
      status: typ["TYP-17"],
      "connectorId?": "integer >= 0",
      "scheduleStart?": "dateTime",
      "chargingSchedule?": chargingSchedule,
    },
  },
  SetChargingProfile: {
    ids: "[TYP-07] [TYP-08] [TYP-09] [TYP-10] [TYP-25] [CORE-CONN-07] [QD-43]",
    req: { connectorId: "integer >= 0", csChargingProfiles: chargingProfile },
    conf: { status: typ["TYP-09"] },
  },
  CertificateSigned: {
    ids: "[SEC-MSG-01]",
    req: { certificateChain: "text(10000)" },
    conf: { status: ["Accepted", "Rejected"] },
  },
  DeleteCertificate: {
    ids: "[SEC-MSG-02] [SEC-TYP-01] [QD-30]",
    req: { certificateHashData },
    conf: { status: ["Accepted", "Failed", "NotFound"] },
  },
  ExtendedTriggerMessage: {
    ids: "[SEC-MSG-03] [QD-29]",
    req: {
      requestedMessage: [
        "BootNotification",
        "LogStatusNotification",
        "FirmwareStatusNotification",
        "Heartbeat",
        "MeterValues",
        "SignChargePointCertificate",
        "StatusNotification",
      ],
      "connectorId?": "integer > 0",
    },
    conf: { status: ["Accepted", "Rejected", "NotImplemented"] },
  },
  GetInstalledCertificateIds: {
    ids: "[SEC-MSG-04]",
    req: { certificateType: certificateUse },
    conf: { status: ["Accepted", "NotFound"], "certificateHashData?": oneOrMore(certificateHashData) },
  },
  GetLog: {
    ids: "[SEC-MSG-05] [SEC-TYP-02]",
    req: {
      logType: ["DiagnosticsLog", "SecurityLog"],
      requestId: "integer",
      "retries?": "integer",
      "retryInterval?": "integer",
      log: { remoteLocation: "text(512)", "oldestTimestamp?": "dateTime", "latestTimestamp?": "dateTime" },
    },
    conf: { status: ["Accepted", "Rejected", "AcceptedCanceled"], "filename?": "text(255)" },
  },
  InstallCertificate: {
    ids: "[SEC-MSG-06] [QD-33]",
    req: { certificateType: certificateUse, certificate: "text(5500)" },
    conf: { status: ["Accepted", "Failed", "Rejected"] },
  },
  LogStatusNotification: {
    ids: "[SEC-MSG-07] [QD-31]",
    req: {
      status: [
        "BadMessage",
        "Idle",
        "NotSupportedOperation",
        "PermissionDenied",
        "Uploaded",
        "UploadFailure",
        "Uploading",
      ],
      "requestId?": "integer",
    },
    conf: {},
  },
  SecurityEventNotification: {
    ids: "[SEC-MSG-08]",
    req: { type: "text(50)", timestamp: "dateTime", "techInfo?": "text(255)" },
    conf: {},
  },
  SignCertificate: { ids: "[SEC-MSG-09]", req: { csr: "text(5500)" }, conf: { status: ["Accepted", "Rejected"] } },
  SignedFirmwareStatusNotification: {
    ids: "[SEC-MSG-10]",
    req: {
      status: [
        "Downloaded",
        "DownloadFailed",
        "Downloading",
        "DownloadScheduled",
        "DownloadPaused",
        "Idle",
        "InstallationFailed",
        "Installing",
        "Installed",
        "InstallRebooting",
        "InstallScheduled",
        "InstallVerificationFailed",
        "InvalidSignature",
        "SignatureVerified",
      ],
      "requestId?": "integer",
    },
    conf: {},
  },
  SignedUpdateFirmware: {
    ids: "[SEC-MSG-11] [SEC-TYP-03]",
    req: {
      "retries?": "integer",
      "retryInterval?": "integer",
      requestId: "integer",
      firmware: {
        location: "text(512)",
        retrieveDateTime: "dateTime",
        "installDateTime?": "dateTime",
        signingCertificate: "text(5500)",
        signature: "text(800)",
      },
    },
    conf: { status: ["Accepted", "Rejected", "AcceptedCanceled", "InvalidCertificate", "RevokedCertificate"] },
  },
};

/** A schema in the notation of the tables above. Throws on everything that the notation cannot say. */
function fieldOf({ type, ...rest }: z.core.JSONSchema.BaseSchema): Field {
  delete rest.$schema;
  const is = (facts: object) => JSON.stringify(rest) === JSON.stringify(facts);
  switch (type) {
    case "boolean":
      if (is({})) return "boolean";
      break;
    case "number":
      if (is({ multipleOf: 0.1 })) return "decimal";
      break;
    case "integer": {
      const { minimum } = rest;
      if (minimum === 0) return "integer >= 0";
      if (minimum === 1) return "integer > 0";
      if (minimum === Number.MIN_SAFE_INTEGER) return "integer";
      break;
    }
    case "string":
      if (is({})) return "text";
      if (is({ format: "date-time" })) return "dateTime";
      if (is({ format: "uri" })) return "anyURI";
      if (is({ maxLength: rest.maxLength })) return `text(${rest.maxLength})`;
      if (is({ enum: rest.enum })) return rest.enum as string[];
      break;
    case "array":
      return { [rest.minItems === 1 ? "1..*" : "0..*"]: fieldOf(rest.items as z.core.JSONSchema.BaseSchema) };
    case "object":
      if (rest.additionalProperties !== false) break;
      return Object.fromEntries(
        Object.entries(rest.properties ?? {}).map(([name, schema]) => [
          rest.required?.includes(name) ? name : `${name}?`,
          fieldOf(schema as z.core.JSONSchema.BaseSchema),
        ]),
      );
  }
  throw new Error(`The tables cannot say ${JSON.stringify({ type, ...rest })}`);
}

describe("field tables", () => {
  it.each(names.map((action) => ({ action, ids: fields[action].ids })))(
    "gives $action the fields, types and limits of the documents, and no others at any depth [J-197] $ids",
    ({ action }) => {
      expect(fieldOf(z.toJSONSchema(actions[action].req))).toEqual(fields[action].req);
      expect(fieldOf(z.toJSONSchema(actions[action].conf))).toEqual(fields[action].conf);
    },
  );
});
