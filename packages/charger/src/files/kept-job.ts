import type { UploadRecord } from "./file-upload.ts";
import { type FirmwareUpdateRecord, phases } from "./firmware-update.ts";

/** What is kept of jobs, under the name of each. */
export type KeptJob =
  | { readonly firmware: FirmwareUpdateRecord & { readonly version: string } }
  | ({ readonly upload: "diagnostics" | "log" } & UploadRecord);

/** What a record says; `undefined`: it makes no sense. */
export function readJob(name: string, value: unknown): KeptJob | undefined {
  const { firmware, upload } = (value ?? {}) as { firmware?: Partial<FirmwareUpdateRecord>; upload?: unknown };
  const { phase, retriesLeft, retrieveAt, url } = firmware ?? {};
  const isUpload = (name === "diagnostics" || name === "log") && upload === name;
  const isUpdate =
    name === "firmware" &&
    (phases as readonly unknown[]).includes(phase) &&
    Number.isInteger(retriesLeft) &&
    Number.isFinite(retrieveAt) &&
    typeof url === "string";
  return isUpload || isUpdate ? (value as KeptJob) : undefined;
}
