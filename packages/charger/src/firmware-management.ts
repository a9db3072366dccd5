import { type OptionRules, optionRules, takeOptions } from "@ocppj/core";
import { FileJobs } from "./file-jobs.ts";
import type { FileTransfers } from "./files/file-transfers.ts";
import type { FirmwareJobParts } from "./firmware-job.ts";

/** The profile FirmwareManagement of a charger: see {@link firmwareManagement}. */
export interface FirmwareManagement {
  readonly transfers: FileTransfers;
  /** For the Charger. */
  open(parts: Omit<FirmwareJobParts, "transfers">): FileJobs;
}

const rules: OptionRules<Pick<FirmwareManagement, "transfers">> = {
  transfers: optionRules.required(optionRules.object("file transfers, with download and upload", "download", "upload")),
};

/**
 * Has a charger update its firmware and deliver diagnostics: for the option `firmwareManagement` of a `Charger`.
 *
 * @param transfers - How files are fetched and delivered.
 * @throws TypeError `transfers` are none.
 * @spec OCPP 1.6 §4.4, §4.5, §5.9, §5.19
 */
export function firmwareManagement(transfers: FileTransfers): FirmwareManagement {
  const taken = takeOptions("firmwareManagement", { transfers }, rules);
  return { ...taken, open: (parts) => new FileJobs({ ...parts, ...taken }) };
}
