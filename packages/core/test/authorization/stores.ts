import type { IdTagInfo } from "../../src/authorization/id-tag.ts";
import { memoryStore, type RecordStore, type StoredRecord } from "../../src/store/record-store.ts";

/** The moment at which most examples happen. */
export const now = Date.parse("2026-03-01T12:00:00Z");

/** `seconds` after `now`, as text. */
export const after = (seconds: number): string => new Date(now + seconds * 1000).toISOString();

export const accepted: IdTagInfo = { status: "Accepted" };
export const blocked: IdTagInfo = { status: "Blocked" };

/**
 * What happens to the writes of a store from a certain one on:
 *
 * - `refuse`: it rejects, and nothing is written;
 * - `refuse late`: it is written, and rejects nevertheless; the later ones are refused;
 * - `tear`: half of it is written, and it rejects; the later ones are refused;
 * - `lose`: it resolves, but nothing is written, as when the power is cut before anybody learns of it.
 */
export const failures = ["refuse", "refuse late", "tear", "lose"] as const;
export type Failure = (typeof failures)[number];

/** A store in memory that fails on demand. */
export interface FailingStore extends RecordStore {
  /** From now on `count` writes succeed, and those after them fail. */
  failAfter(count: number, failure: Failure): void;
  /** From now on all writes succeed. */
  recover(): void;
  /** Whether a write has failed since `failAfter`. */
  readonly failed: boolean;
  /** Keys and parsed values of all records below a prefix. */
  records(prefix: string): Promise<Record<string, unknown>>;
}

/** What a store on a disk makes of a text: proper Unicode survives, a half of a surrogate pair does not. */
const onDisk = (text: string): string => new TextDecoder().decode(new TextEncoder().encode(text));

export function failingStore(inner: RecordStore = memoryStore()): FailingStore {
  let left = Number.POSITIVE_INFINITY;
  let failure: Failure = "refuse";
  let failed = false;

  const write = async (whole: () => Promise<void>, half: () => Promise<void>): Promise<void> => {
    if (left-- > 0) return whole();
    const first = !failed;
    failed = true;
    if (failure === "lose") return;
    if (first && failure === "refuse late") await whole();
    if (first && failure === "tear") await half();
    throw new Error("The disk is gone.");
  };

  return {
    load: (prefix) => inner.load(prefix),
    close: () => inner.close(),
    put: (key, value) =>
      write(
        () => inner.put(onDisk(key), onDisk(value)),
        () => inner.put(onDisk(key), onDisk(value.slice(0, value.length / 2))),
      ),
    delete: (key) =>
      write(
        () => inner.delete(onDisk(key)),
        () => Promise.resolve(),
      ),
    failAfter(count, how) {
      left = count;
      failure = how;
      failed = false;
    },
    recover() {
      left = Number.POSITIVE_INFINITY;
    },
    get failed() {
      return failed;
    },
    async records(prefix) {
      const parse = ({ key, value }: StoredRecord) => [key, JSON.parse(value)] as const;
      return Object.fromEntries((await inner.load(prefix)).map(parse));
    },
  };
}

/** Collects what is reported. */
export function faultLog() {
  const faults: Error[] = [];
  return { faults, report: (fault: Error) => void faults.push(fault) };
}

/** For tests in which nothing may go wrong. */
export function unexpected(fault: Error): never {
  throw fault;
}
