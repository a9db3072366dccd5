import * as z from "zod/mini";
import { AnyUri, action, CiString255, DateTime, Integer } from "./types.ts";

/**
 * Reports how the upload of diagnostics goes.
 *
 * @spec OCPP 1.6 §4.4, §6.17, §6.18
 */
export const DiagnosticsStatusNotification = action({
  from: ["ChargePoint"],
  profile: "FirmwareManagement",
  req: z.strictObject({
    /** `Idle` only in answer to a TriggerMessage. */
    status: z.enum(["Idle", "Uploaded", "UploadFailed", "Uploading"]),
  }),
  conf: z.strictObject({}),
});

/**
 * Reports how an update of the firmware goes.
 *
 * @spec OCPP 1.6 §4.5, §6.19, §6.20
 */
export const FirmwareStatusNotification = action({
  from: ["ChargePoint"],
  profile: "FirmwareManagement",
  req: z.strictObject({
    /** `Idle` only in answer to a TriggerMessage. */
    status: z.enum([
      "Downloaded",
      "DownloadFailed",
      "Downloading",
      "Idle",
      "InstallationFailed",
      "Installing",
      "Installed",
    ]),
  }),
  conf: z.strictObject({}),
});

/**
 * Asks for a file with diagnostics.
 *
 * @spec OCPP 1.6 §5.9, §6.25, §6.26
 */
export const GetDiagnostics = action({
  from: ["CentralSystem"],
  profile: "FirmwareManagement",
  /** `retryInterval` is in seconds. */
  req: z.strictObject({
    /** The directory to upload to; its scheme selects the protocol. */
    location: AnyUri,
    /** How often to try again; absent: the charge point decides. */
    retries: z.optional(Integer),
    /** Seconds between two tries; absent: the charge point decides. */
    retryInterval: z.optional(Integer),
    /** Of the oldest entry wanted. */
    startTime: z.optional(DateTime),
    /** Of the latest entry wanted. */
    stopTime: z.optional(DateTime),
  }),
  conf: z.strictObject({
    /** Absent: there are no diagnostics. */
    fileName: z.optional(CiString255),
  }),
});

/**
 * Asks the charge point to install firmware. It cannot be refused but by a CALLERROR.
 *
 * @spec OCPP 1.6 §5.19, §6.55, §6.56
 */
export const UpdateFirmware = action({
  from: ["CentralSystem"],
  profile: "FirmwareManagement",
  /** `retryInterval` is in seconds. */
  req: z.strictObject({
    location: AnyUri,
    /** How often to try again; absent: the charge point decides. */
    retries: z.optional(Integer),
    /** The moment after which the charge point may fetch it. */
    retrieveDate: DateTime,
    /** Seconds between two tries; absent: the charge point decides. */
    retryInterval: z.optional(Integer),
  }),
  conf: z.strictObject({}),
});
