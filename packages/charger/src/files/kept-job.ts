import type { Upload } from "./file-upload.ts";
import { type FirmwareUpdateRecord, phases } from "./firmware-update.ts";

/** What is kept of jobs: of an update all of it, of an upload that there is one. */
export type KeptJob =
  | { readonly firmware: FirmwareUpdateRecord & { readonly version: string } }
  | { readonly diagnostics: Pick<Upload, "requestId"> }
  | { readonly log: Pick<Upload, "requestId"> };

/** What a record says; `undefined`: it makes no sense. */
export function readJob(name: string, value: unknown): KeptJob | undefined {
  const job: unknown = (value as Partial<Record<string, unknown>> | null | undefined)?.[name];
  if (typeof job !== "object" || job === null) return undefined;
  if (name === "diagnostics" || name === "log") return value as KeptJob;
  const { phase, retries, retrieveAt, url } = job as Partial<FirmwareUpdateRecord>;
  const isUpdate =
    name === "firmware" &&
    (phases as readonly unknown[]).includes(phase) &&
    Number.isInteger(retries) &&
    Number.isFinite(retrieveAt) &&
    typeof url === "string";
  return isUpdate ? (value as KeptJob) : undefined;
}
