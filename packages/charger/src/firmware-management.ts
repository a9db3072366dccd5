import type { Desk } from "./desk.ts";
import { FileJobs, type FileJobsParts } from "./file-jobs.ts";
import type { FileTransfers } from "./files/file-transfers.ts";
import type { FirmwareTrust } from "./files/firmware-trust.ts";
import { type KeptJob, readJob } from "./files/kept-job.ts";
import type { DiagnosticsRange } from "./hardware/hardware.ts";

/** What {@link firmwareManagement} makes. What is in it is for the `Charger` only. */
export interface FirmwareManagement {
  readonly protocols: FileTransfers["protocols"];
  readonly read: (name: string, value: unknown) => KeptJob | undefined;
  readonly open: (parts: Omit<FileJobsParts, "transfers">) => FileJobs;
}

/**
 * Makes a Charger support the profile FirmwareManagement, and GetLog: firmware is fetched and installed, diagnostics and logs
 * are delivered. It is a function so that programs which do not call it do not carry all of that.
 *
 * @param transfers - How files are fetched and delivered: what you have for that.
 * @throws TypeError It cannot do that.
 * @spec OCPP 1.6 §4.4, §4.5, §5.9, §5.19; security white paper L01, N01
 */
export function firmwareManagement(transfers: FileTransfers): FirmwareManagement {
  const { download, protocols, upload } = transfers ?? {};
  if (!Array.isArray(protocols) || typeof download !== "function" || typeof upload !== "function") {
    throw new TypeError("Give file transfers, with protocols, download and upload.");
  }
  return {
    protocols,
    read: readJob,
    open: (parts) => {
      const { security } = parts.desk;
      const securityLog = security && ((range: DiagnosticsRange): string => security.log.text(range));
      return new FileJobs({ trust: trustOf(parts.desk, transfers), securityLog, ...parts, transfers });
    },
  };
}

/** Signed firmware needs roots to check its certificate with, and somebody who verifies its signature. */
function trustOf({ certificates, hardware }: Desk, transfers: FileTransfers): FirmwareTrust | undefined {
  const verify = hardware.verifier ?? transfers.verify?.bind(transfers);
  if (certificates === undefined || verify === undefined) return undefined;
  return { check: (signingCertificate) => certificates.check(signingCertificate), verify };
}
