import type { FirmwareUpdateRecord } from "./firmware-update.ts";

/** What is kept of jobs: of an update all of it, of an upload that there is one. */
export type KeptJob =
  | { readonly firmware: FirmwareUpdateRecord & { readonly version: string } }
  | { readonly upload: true };

const phases: readonly unknown[] = [
  "waiting",
  "downloading",
  "downloaded",
  "installing",
  "restarting",
] satisfies readonly FirmwareUpdateRecord["phase"][];

/** What a record says; `undefined`: it makes no sense. */
export function readJob(_: string, value: unknown): KeptJob | undefined {
  const { firmware, upload } = (value ?? {}) as { firmware?: Partial<FirmwareUpdateRecord>; upload?: unknown };
  if (upload === true) return { upload };
  const { phase, retriesLeft, retrieveAt, url } = firmware ?? {};
  const isUpdate =
    phases.includes(phase) && Number.isInteger(retriesLeft) && Number.isFinite(retrieveAt) && typeof url === "string";
  return isUpdate ? (value as KeptJob) : undefined;
}
