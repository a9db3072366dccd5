import type { Conf } from "../messages/actions.ts";

/**
 * What the Central System says about an identifier: its status, until when, and the group it belongs to.
 *
 * @spec OCPP 1.6 §7.27
 */
export type IdTagInfo = Conf<"Authorize">["idTagInfo"];

/** An identifier with what is known about it. */
export interface KnownIdTag {
  /** As the Central System or the reader spelled it. */
  readonly idTag: string;
  readonly idTagInfo: IdTagInfo;
}

/** Knows something about some identifiers. */
export interface IdTagLookUp {
  /**
   * What is known about an identifier at the moment `now`, in milliseconds since the epoch; `undefined` when it is not
   * known at all.
   */
  lookUp(idTag: string, now: number): IdTagInfo | undefined;
}

/**
 * The one form of all the spellings of an identifier.
 *
 * @spec OCPP 1.6 §7.15 [CORE-IDT-06]
 */
export const foldIdTag = (idTag: string): string => idTag.toLowerCase();

/**
 * Whether two identifiers are the same: case does not matter.
 *
 * @spec OCPP 1.6 §7.15, §7.28 [CORE-IDT-01, CORE-IDT-06]
 */
export const sameIdTag = (a: string, b: string): boolean => foldIdTag(a) === foldIdTag(b);

/**
 * Whether an identifier is valid, in the words of §3.5.2. That is not leave to charge: only `Accepted` is.
 *
 * @spec OCPP 1.6 §3.5.2 [LAL-01]
 */
export const isValid = ({ status }: IdTagInfo): boolean => status === "Accepted" || status === "ConcurrentTx";

/**
 * What an IdTagInfo says at the moment `now`, in milliseconds since the epoch, as a copy: what was valid is `Expired` from its
 * `expiryDate` on; without one it never ends. A date that cannot be read has passed.
 *
 * @spec OCPP 1.6 §3.5.1, §3.5.4, §7.27 [CORE-CACHE-03, CORE-CACHE-11, CORE-LAO-07]
 */
export function idTagInfoAt(idTagInfo: IdTagInfo, now: number): IdTagInfo {
  const { expiryDate } = idTagInfo;
  if (expiryDate === undefined || !isValid(idTagInfo) || Date.parse(expiryDate) > now) return { ...idTagInfo };
  return { ...idTagInfo, status: "Expired" };
}

/** A table, so that the compiler insists on every status. */
const statuses: Readonly<Record<IdTagInfo["status"], true>> = {
  Accepted: true,
  Blocked: true,
  ConcurrentTx: true,
  Expired: true,
  Invalid: true,
};

/** Whether a value that was read back from a store is an IdTagInfo. */
export function isIdTagInfo(value: unknown): value is IdTagInfo {
  if (typeof value !== "object" || value === null) return false;
  const { status, expiryDate, parentIdTag } = value as Record<string, unknown>;
  return typeof status === "string" && Object.hasOwn(statuses, status) && isText(expiryDate) && isText(parentIdTag);
}

const isText = (value: unknown): boolean => value === undefined || typeof value === "string";
