import type { Action, Conf, Req } from "../../src/messages/actions.ts";

type ChargingProfile = Req<"SetChargingProfile">["csChargingProfiles"];
type ChargingSchedule = ChargingProfile["chargingSchedule"];

const idTagInfo = { status: "Accepted", expiryDate: "2030-12-31T23:59:59Z", parentIdTag: "FLEET-7" } as const;

const sampledValue = {
  value: "1234.5",
  context: "Sample.Periodic",
  format: "Raw",
  measurand: "Current.Import",
  phase: "L1-N",
  location: "Outlet",
  unit: "A",
} as const;

const meterValue = { timestamp: "2025-01-31T12:00:00+01:00", sampledValue: [{ value: "7" }, sampledValue] };

const chargingSchedule: ChargingSchedule = {
  duration: 86_400,
  startSchedule: "2013-01-01T00:00:00Z",
  chargingRateUnit: "W",
  chargingSchedulePeriod: [
    { startPeriod: 0, limit: 11_000, numberPhases: 3 },
    { startPeriod: 28_800, limit: 6_000.5, numberPhases: 3 },
  ],
  minChargingRate: 8.1,
};

const chargingProfile: ChargingProfile = {
  chargingProfileId: 100,
  transactionId: 7,
  stackLevel: 0,
  chargingProfilePurpose: "TxProfile",
  chargingProfileKind: "Recurring",
  recurrencyKind: "Daily",
  validFrom: "2013-01-01T00:00:00Z",
  validTo: "2014-01-01T00:00:00Z",
  chargingSchedule,
};

const certificateHashData = {
  hashAlgorithm: "SHA256",
  issuerNameHash: "a".repeat(64),
  issuerKeyHash: "b".repeat(64),
  serialNumber: "01AB",
} as const;

const pem = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n";

type Example<A extends Action> = { readonly req: Req<A>; readonly conf: Conf<A> };

/** One payload of each kind for every action, with all fields that it can have. */
export const goldenExamples: { readonly [A in Action]: Example<A> } = {
  Authorize: { req: { idTag: "04A1B2C3D4E5F6" }, conf: { idTagInfo } },
  BootNotification: {
    req: {
      chargePointVendor: "VendorX",
      chargePointModel: "SingleSocketCharger",
      chargePointSerialNumber: "CP-0001",
      chargeBoxSerialNumber: "BOX-0001",
      firmwareVersion: "1.2.3",
      iccid: "89310410106543789301",
      imsi: "310170845466094",
      meterType: "MT-1",
      meterSerialNumber: "M-0001",
    },
    conf: { status: "Accepted", currentTime: "2025-01-31T12:00:00.123Z", interval: 300 },
  },
  ChangeAvailability: { req: { connectorId: 0, type: "Inoperative" }, conf: { status: "Scheduled" } },
  ChangeConfiguration: { req: { key: "HeartbeatInterval", value: "300" }, conf: { status: "RebootRequired" } },
  ClearCache: { req: {}, conf: { status: "Accepted" } },
  DataTransfer: {
    req: { vendorId: "com.example", messageId: "Tariff", data: '{"price":"0.25"}' },
    conf: { status: "Accepted", data: "ok" },
  },
  GetConfiguration: {
    req: { key: ["HeartbeatInterval", "NoSuchKey"] },
    conf: {
      configurationKey: [
        { key: "HeartbeatInterval", readonly: false, value: "300" },
        { key: "GetConfigurationMaxKeys", readonly: true },
      ],
      unknownKey: ["NoSuchKey"],
    },
  },
  Heartbeat: { req: {}, conf: { currentTime: "2025-01-31T12:00:00Z" } },
  MeterValues: { req: { connectorId: 1, transactionId: 7, meterValue: [meterValue] }, conf: {} },
  RemoteStartTransaction: {
    req: {
      connectorId: 1,
      idTag: "TAG",
      chargingProfile,
    },
    conf: { status: "Accepted" },
  },
  RemoteStopTransaction: { req: { transactionId: 7 }, conf: { status: "Rejected" } },
  Reset: { req: { type: "Soft" }, conf: { status: "Accepted" } },
  StartTransaction: {
    req: { connectorId: 1, idTag: "TAG", meterStart: 1200, reservationId: 3, timestamp: "2025-01-31T12:00:00Z" },
    conf: { idTagInfo, transactionId: 7 },
  },
  StatusNotification: {
    req: {
      connectorId: 0,
      errorCode: "NoError",
      info: "EV side disconnected",
      status: "Available",
      timestamp: "2025-01-31T12:00:00Z",
      vendorId: "com.example",
      vendorErrorCode: "E17",
    },
    conf: {},
  },
  StopTransaction: {
    req: {
      idTag: "TAG",
      meterStop: 2400,
      timestamp: "2025-01-31T13:00:00Z",
      transactionId: -1,
      reason: "EVDisconnected",
      transactionData: [meterValue],
    },
    conf: { idTagInfo },
  },
  UnlockConnector: { req: { connectorId: 2 }, conf: { status: "Unlocked" } },
  DiagnosticsStatusNotification: { req: { status: "Uploading" }, conf: {} },
  FirmwareStatusNotification: { req: { status: "Downloading" }, conf: {} },
  GetDiagnostics: {
    req: {
      location: "ftp://user:secret@example.com:21/diagnostics/",
      retries: 3,
      retryInterval: 60,
      startTime: "2025-01-01T00:00:00Z",
      stopTime: "2025-01-31T00:00:00Z",
    },
    conf: { fileName: "diagnostics.tar.gz" },
  },
  UpdateFirmware: {
    req: {
      location: "https://example.com/firmware%20v2.bin?cp=1#a",
      retries: 3,
      retrieveDate: "2025-01-31T12:00:00Z",
      retryInterval: 60,
    },
    conf: {},
  },
  GetLocalListVersion: { req: {}, conf: { listVersion: -1 } },
  SendLocalList: {
    req: {
      listVersion: 2,
      localAuthorizationList: [{ idTag: "TAG", idTagInfo }, { idTag: "GONE" }],
      updateType: "Differential",
    },
    conf: { status: "VersionMismatch" },
  },
  TriggerMessage: {
    req: { requestedMessage: "StatusNotification", connectorId: 0 },
    conf: { status: "NotImplemented" },
  },
  CancelReservation: { req: { reservationId: 3 }, conf: { status: "Accepted" } },
  ReserveNow: {
    req: {
      connectorId: 0,
      expiryDate: "2025-01-31T14:00:00Z",
      idTag: "TAG",
      parentIdTag: "FLEET-7",
      reservationId: 3,
    },
    conf: { status: "Occupied" },
  },
  ClearChargingProfile: {
    req: { id: 100, connectorId: 0, chargingProfilePurpose: "TxDefaultProfile", stackLevel: 0 },
    conf: { status: "Unknown" },
  },
  GetCompositeSchedule: {
    req: { connectorId: 0, duration: 3600, chargingRateUnit: "A" },
    conf: {
      status: "Accepted",
      connectorId: 1,
      scheduleStart: "2025-01-31T12:00:00Z",
      chargingSchedule: { chargingRateUnit: "A", chargingSchedulePeriod: [{ startPeriod: 0, limit: 16 }] },
    },
  },
  SetChargingProfile: {
    req: { connectorId: 1, csChargingProfiles: chargingProfile },
    conf: { status: "Accepted" },
  },
  CertificateSigned: { req: { certificateChain: pem }, conf: { status: "Accepted" } },
  DeleteCertificate: { req: { certificateHashData }, conf: { status: "NotFound" } },
  ExtendedTriggerMessage: {
    req: { requestedMessage: "SignChargePointCertificate", connectorId: 1 },
    conf: { status: "Accepted" },
  },
  GetInstalledCertificateIds: {
    req: { certificateType: "ManufacturerRootCertificate" },
    conf: { status: "Accepted", certificateHashData: [certificateHashData] },
  },
  GetLog: {
    req: {
      logType: "SecurityLog",
      requestId: 1,
      retries: 3,
      retryInterval: 60,
      log: {
        remoteLocation: "https://example.com/logs/",
        oldestTimestamp: "2025-01-01T00:00:00Z",
        latestTimestamp: "2025-01-31T00:00:00Z",
      },
    },
    conf: { status: "AcceptedCanceled", filename: "security.log" },
  },
  InstallCertificate: {
    req: { certificateType: "CentralSystemRootCertificate", certificate: pem },
    conf: { status: "Rejected" },
  },
  LogStatusNotification: { req: { status: "UploadFailure", requestId: 1 }, conf: {} },
  SecurityEventNotification: {
    req: { type: "SettingSystemTime", timestamp: "2025-01-31T12:00:00Z", techInfo: "by 2 s" },
    conf: {},
  },
  SignCertificate: { req: { csr: pem }, conf: { status: "Accepted" } },
  SignedFirmwareStatusNotification: { req: { status: "SignatureVerified", requestId: 1 }, conf: {} },
  SignedUpdateFirmware: {
    req: {
      retries: 3,
      retryInterval: 60,
      requestId: 1,
      firmware: {
        location: "https://example.com/firmware.bin",
        retrieveDateTime: "2025-01-31T12:00:00Z",
        installDateTime: "2025-02-01T02:00:00Z",
        signingCertificate: pem,
        signature: "c2lnbmF0dXJl",
      },
    },
    conf: { status: "InvalidCertificate" },
  },
};
