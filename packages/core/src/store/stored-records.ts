import { guarded } from "../guarded.ts";
import { prefixOf } from "./own-keys.ts";
import type { RecordStore, StoredRecord } from "./record-store.ts";

/** Is told what went wrong with a store. Nothing is lost from memory for it, and nothing waits for what it does. */
export type ReportFault = (fault: Error) => void;

/** What a record's text holds; `undefined` when it is no JSON. */
export function parseRecord(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return undefined;
  }
}

/**
 * Moves a record that is of no use to a key that begins with `corrupt/`, and reports it. Nothing is ever read from
 * there, but somebody may want to see it.
 *
 * @param why - The rest of a sentence that begins with the record.
 * @param cause - What was thrown when it was read, if anything was.
 */
export async function setAside(
  store: RecordStore,
  record: StoredRecord,
  why: string,
  report: ReportFault,
  cause?: unknown,
): Promise<void> {
  const { copy, fault } = aside(record, why, cause);
  tell(report, fault);
  await writeAll(`set aside ${record.key}`, report, [
    async () => {
      await store.put(copy.key, copy.value);
      await store.delete(record.key);
    },
  ]);
}

/** What is kept in place of a record that is set aside, and what is reported; it is removed once the copy is there. */
export function aside(
  { key, value }: StoredRecord,
  why: string,
  cause?: unknown,
): { readonly copy: StoredRecord; readonly fault: Error } {
  const copy = { key: prefixOf("corrupt") + key, value };
  const told = `The record ${key} ${why}. It is kept as ${copy.key}.`;
  return { copy, fault: new Error(told, cause === undefined ? undefined : { cause }) };
}

/**
 * Begins writes in the given order and waits for all of them. When the store refuses some, that is reported once.
 *
 * @param what - What they are for, as the rest of "The store failed to".
 * @returns Whether all have succeeded; it never rejects.
 */
export async function writeAll(
  what: string,
  report: ReportFault,
  writes: readonly (() => Promise<void>)[],
): Promise<boolean> {
  const outcomes = await Promise.allSettled(writes.map(async (write) => write()));
  const failure = outcomes.find((outcome) => outcome.status === "rejected");
  if (failure === undefined) return true;
  tell(report, new Error(`The store failed to ${what}.`, { cause: failure.reason }));
  return false;
}

/** Whoever hears of a failure must not cause another. */
export const tell = (report: ReportFault, fault: Error): void =>
  guarded(
    () => report(fault),
    () => {},
  );
