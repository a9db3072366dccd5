/** The messages that the white paper "Improved security for OCPP 1.6-J" adds. They belong to no feature profile. */
import * as z from "zod/mini";
import { action, ConnectorId, DateTime, Integer, oneOrMore, text } from "./types.ts";

/**
 * Identifies a certificate by hashes of its issuer.
 *
 * @spec Security white paper §6.1, §6.10 [SEC-TYP-01]
 */
const CertificateHashData = /* @__PURE__ */ z.strictObject({
  hashAlgorithm: z.enum(["SHA256", "SHA384", "SHA512"]),
  /** Hash of the issuer's distinguished name. */
  issuerNameHash: text(128),
  /** Hash of the issuer's public key. */
  issuerKeyHash: text(128),
  serialNumber: text(40),
});

/**
 * What a root certificate verifies: the Central System, or firmware.
 *
 * @spec Security white paper §6.4
 */
const CertificateUse = /* @__PURE__ */ z.enum(["CentralSystemRootCertificate", "ManufacturerRootCertificate"]);

/**
 * Hands over the certificate that SignCertificate asked for.
 *
 * @spec Security white paper §5.1, §5.2 [SEC-MSG-01]
 */
export const CertificateSigned = action({
  from: ["CentralSystem"],
  profile: undefined,
  req: z.strictObject({
    /** PEM, certificates of sub-CAs included. */
    certificateChain: text(10_000),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected"]),
  }),
});

/**
 * Removes an installed certificate.
 *
 * @spec Security white paper §5.3, §5.4 [SEC-MSG-02]
 */
export const DeleteCertificate = action({
  from: ["CentralSystem"],
  profile: undefined,
  req: z.strictObject({
    certificateHashData: CertificateHashData,
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Failed", "NotFound"]),
  }),
});

/**
 * Asks the charge point to send a message now, also one of the white paper's.
 *
 * @spec Security white paper §5.5, §5.6, §6.14 [SEC-MSG-03]
 */
export const ExtendedTriggerMessage = action({
  from: ["CentralSystem"],
  profile: undefined,
  /** `FirmwareStatusNotification` asks for a SignedFirmwareStatusNotification. */
  req: z.strictObject({
    requestedMessage: z.enum([
      "BootNotification",
      "LogStatusNotification",
      "FirmwareStatusNotification",
      "Heartbeat",
      "MeterValues",
      "SignChargePointCertificate",
      "StatusNotification",
    ]),
    /** Absent: all that the message allows. Unlike in TriggerMessage, no text of the white paper uses 0. */
    connectorId: z.optional(ConnectorId),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected", "NotImplemented"]),
  }),
});

/**
 * Lists the installed certificates.
 *
 * @spec Security white paper §5.7, §5.8 [SEC-MSG-04]
 */
export const GetInstalledCertificateIds = action({
  from: ["CentralSystem"],
  profile: undefined,
  req: z.strictObject({
    certificateType: CertificateUse,
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "NotFound"]),
    // The field table says 0..*, the published schema does not allow an empty list: leave it out instead. [QD-46]
    certificateHashData: z.optional(oneOrMore(CertificateHashData)),
  }),
});

/**
 * Asks for a log file.
 *
 * @spec Security white paper §5.9, §5.10, §6.12 [SEC-MSG-05, SEC-TYP-02]
 */
export const GetLog = action({
  from: ["CentralSystem"],
  profile: undefined,
  /** `retryInterval` is in seconds. */
  req: z.strictObject({
    logType: z.enum(["DiagnosticsLog", "SecurityLog"]),
    /** Comes back in LogStatusNotification. */
    requestId: Integer,
    /** How often to try again; absent: the charge point decides. */
    retries: z.optional(Integer),
    /** Seconds between two tries; absent: the charge point decides. */
    retryInterval: z.optional(Integer),
    log: z.strictObject({
      /** The URL to upload to. */
      remoteLocation: text(512),
      /** Of the oldest entry wanted. */
      oldestTimestamp: z.optional(DateTime),
      /** Of the latest entry wanted. */
      latestTimestamp: z.optional(DateTime),
    }),
  }),
  conf: z.strictObject({
    /** `AcceptedCanceled`: accepted, and an upload that was going on has been cancelled. */
    status: z.enum(["Accepted", "Rejected", "AcceptedCanceled"]),
    /** Spelled so, unlike `fileName` in GetDiagnostics.conf. Absent: there is no log. */
    filename: z.optional(text(255)),
  }),
});

/**
 * Installs a root certificate.
 *
 * @spec Security white paper §5.11, §5.12 [SEC-MSG-06]
 */
export const InstallCertificate = action({
  from: ["CentralSystem"],
  profile: undefined,
  req: z.strictObject({
    certificateType: CertificateUse,
    /** PEM. */
    certificate: text(5_500),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Failed", "Rejected"]),
  }),
});

/**
 * Reports how the upload of a log goes.
 *
 * @spec Security white paper §5.13, §5.14, §6.17 [SEC-MSG-07]
 */
export const LogStatusNotification = action({
  from: ["ChargePoint"],
  profile: undefined,
  req: z.strictObject({
    /** `Idle` only in answer to an ExtendedTriggerMessage. */
    status: z.enum([
      "BadMessage",
      "Idle",
      "NotSupportedOperation",
      "PermissionDenied",
      "Uploaded",
      "UploadFailure",
      "Uploading",
    ]),
    /** From GetLog.req. */
    requestId: z.optional(Integer),
  }),
  conf: z.strictObject({}),
});

/**
 * Reports something that matters to security.
 *
 * @spec Security white paper §5.15, §5.16 [SEC-MSG-08]
 */
export const SecurityEventNotification = action({
  from: ["ChargePoint"],
  profile: undefined,
  req: z.strictObject({
    /** By custom one of the white paper's list of events; others are allowed. */
    type: text(50),
    timestamp: DateTime,
    techInfo: z.optional(text(255)),
  }),
  conf: z.strictObject({}),
});

/**
 * Asks for a certificate. The answer only says that the request was taken; CertificateSigned brings the certificate.
 *
 * @spec Security white paper §5.17, §5.18 [SEC-MSG-09]
 */
export const SignCertificate = action({
  from: ["ChargePoint"],
  profile: undefined,
  req: z.strictObject({
    /** A PKCS #10 request in PEM. */
    csr: text(5_500),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected"]),
  }),
});

/**
 * Reports how a secure update of the firmware goes.
 *
 * @spec Security white paper §5.19, §5.20, §6.6 [SEC-MSG-10]
 */
export const SignedFirmwareStatusNotification = action({
  from: ["ChargePoint"],
  profile: undefined,
  req: z.strictObject({
    /** `Idle` only in answer to an ExtendedTriggerMessage. */
    status: z.enum([
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
    ]),
    /** From SignedUpdateFirmware.req; mandatory unless the status is `Idle`. */
    requestId: z.optional(Integer),
  }),
  conf: z.strictObject({}),
});

/**
 * Asks the charge point to install signed firmware.
 *
 * @spec Security white paper §5.21, §5.22, §6.7 [SEC-MSG-11, SEC-TYP-03]
 */
export const SignedUpdateFirmware = action({
  from: ["CentralSystem"],
  profile: undefined,
  /** `retryInterval` is in seconds. */
  req: z.strictObject({
    /** How often to try again; absent: the charge point decides. */
    retries: z.optional(Integer),
    /** Seconds between two tries; absent: the charge point decides. */
    retryInterval: z.optional(Integer),
    /** Comes back in SignedFirmwareStatusNotification. */
    requestId: Integer,
    firmware: z.strictObject({
      /** The URI to fetch it from. */
      location: text(512),
      /** The moment at which to fetch it. */
      retrieveDateTime: DateTime,
      /** The moment at which to install it. */
      installDateTime: z.optional(DateTime),
      /** PEM; of the key that signed the firmware. */
      signingCertificate: text(5_500),
      /** Base64. */
      signature: text(800),
    }),
  }),
  conf: z.strictObject({
    status: z.enum(["Accepted", "Rejected", "AcceptedCanceled", "InvalidCertificate", "RevokedCertificate"]),
  }),
});
