import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import {
  type CentralSystem,
  Provisioning,
  type ProvisioningOptions,
  type WantedConfiguration,
  type WantedProvisions,
} from "@ocppj/core";
import * as z from "zod";
import { messageOf } from "../check.ts";
import type { Charger } from "./chargers.ts";
import type { Tables } from "./tables.ts";

/**
 * A file with what chargers should have. It is for those that fit all of `for`; of several files the one counts that says
 * more about its chargers, of those the first by name.
 */
const WantedFile = z.strictObject({
  for: z.strictObject({
    identity: z.string().optional(),
    chargePointVendor: z.string().optional(),
    chargePointModel: z.string().optional(),
  }),
  /** The keys and their values. */
  configuration: z.custom<WantedConfiguration>((value) => typeof value === "object" && value !== null).optional(),
  /** Whether the charger gets all idTags that are known. */
  localAuthList: z.boolean().default(false),
});
export type WantedFile = z.output<typeof WantedFile>;

/**
 * Reads all files of a folder whose names end in `.json`.
 *
 * @throws Error There is no such folder, or one of them is no such file: its name is told, and what is wrong with it.
 */
export function readWanted(folder: string): readonly WantedFile[] {
  const names = namesIn(folder).filter((name) => name.endsWith(".json"));
  const files = names.sort().map((name) => {
    try {
      return WantedFile.parse(JSON.parse(readFileSync(join(folder, name), "utf8")));
    } catch (cause) {
      throw new Error(`${join(folder, name)} does not say what chargers should have: ${reasonOf(cause)}.`, { cause });
    }
  });
  return files.sort((a, b) => weightOf(b) - weightOf(a));
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (cause) {
    throw new Error(`${folder} is no folder that can be read.`, { cause });
  }
}

function reasonOf(error: unknown): string {
  if (!(error instanceof z.ZodError)) return messageOf(error);
  return error.issues.map(({ message, path }) => [...path, message].join(" ")).join("; ");
}

const weightOf = (file: WantedFile): number =>
  (file.for.identity === undefined ? 0 : 10) + Object.keys(file.for).length;

function fits(file: WantedFile, charger: Charger): boolean {
  const { identity, chargePointModel, chargePointVendor } = file.for;
  return (
    (identity ?? charger.identity) === charger.identity &&
    (chargePointVendor ?? charger.chargePointVendor) === charger.chargePointVendor &&
    (chargePointModel ?? charger.chargePointModel) === charger.chargePointModel
  );
}

/** Gives every charger, when it boots, what the files say. It is reset only while nobody charges. */
export function provision(
  centralSystem: CentralSystem,
  { chargers, idTags, sentLists, transactions }: Tables,
  files: readonly WantedFile[],
  told: NonNullable<ProvisioningOptions["told"]>,
): Provisioning {
  const wanted = (identity: string): WantedProvisions | undefined => {
    const charger = chargers.get(identity);
    const file = charger && files.find((file) => fits(file, charger));
    if (file === undefined) return undefined;
    return { configuration: file.configuration, ...(file.localAuthList && { localAuthList: idTags.entries() }) };
  };
  const mayReset = (identity: string) => transactions.list({ identity, running: true, limit: 1 }).length === 0;
  return new Provisioning({ centralSystem, wanted, mayReset, lists: sentLists, told });
}
