import { foldIdTag, type IdTagInfo, type KnownIdTag } from "../authorization/id-tag.ts";
import type { Req } from "../messages/actions.ts";

type SendLocalList = Req<"SendLocalList">;
type AuthorizationData = NonNullable<SendLocalList["localAuthorizationList"]>[number];

/** What is known of the list of a Charge Point before it is updated. */
export interface ListToUpdate {
  /** Its entries; `undefined` when nobody knows them. */
  readonly entries: readonly KnownIdTag[] | undefined;
  /** No list that was sent, or is there, has a higher version. */
  readonly listVersion: number;
  /** How many identifiers one update may carry. */
  readonly sendLocalListMaxLength: number;
}

/** The highest version that every Charge Point can hold. */
const maxVersion = 2 ** 31 - 1;

/**
 * The SendLocalList.req that make a list what is wanted, none if it is that: differences where that takes no more of them,
 * else a full list, whose later pieces can only follow as differences. Deletions come first, so that the list is never
 * longer than it was or will be.
 *
 * @spec OCPP 1.6 §5.15, §7.1, §7.48 [LAL-20 … LAL-28]
 */
export function localListUpdates(wanted: readonly KnownIdTag[], list: ListToUpdate): readonly SendLocalList[] {
  const { entries, listVersion, sendLocalListMaxLength } = list;
  const changes = entries && differences(entries, wanted);
  if (changes?.length === 0) return [];
  const whole = piecesOf(wanted, sendLocalListMaxLength);
  const parts = piecesOf(changes ?? [], sendLocalListMaxLength);
  const isFull = entries === undefined || entries.length === 0 || wanted.length === 0 || parts.length > whole.length;
  const pieces = isFull ? whole : parts;
  // LAL-28: a full list may have a lower version, so it can begin to count anew. LAL-21: never with 0.
  const restarts = listVersion + pieces.length > maxVersion;
  if (restarts && !isFull) return localListUpdates(wanted, { ...list, entries: undefined });
  const first = restarts ? 1 : listVersion + 1;
  return pieces.map((localAuthorizationList, at) => ({
    listVersion: first + at,
    updateType: isFull && at === 0 ? "Full" : "Differential",
    localAuthorizationList,
  }));
}

/** At least one, which may be empty. */
function piecesOf(entries: readonly AuthorizationData[], length: number): AuthorizationData[][] {
  const pieces = [entries.slice(0, length)];
  for (let at = length; at < entries.length; at += length) pieces.push(entries.slice(at, at + length));
  return pieces;
}

/** What changes one list into another one. [LAL-25] */
function differences(from: readonly KnownIdTag[], to: readonly KnownIdTag[]): readonly AuthorizationData[] {
  const present = new Map(from.map((entry) => [foldIdTag(entry.idTag), entry]));
  const wanted = new Set(to.map(({ idTag }) => foldIdTag(idTag)));
  const deleted = from.filter(({ idTag }) => !wanted.has(foldIdTag(idTag))).map(({ idTag }) => ({ idTag }));
  const put = to.filter(({ idTag, idTagInfo }) => !isSameInfo(present.get(foldIdTag(idTag))?.idTagInfo, idTagInfo));
  return [...deleted, ...put];
}

function isSameInfo(a: IdTagInfo | undefined, b: IdTagInfo): boolean {
  return a?.status === b.status && a.expiryDate === b.expiryDate && a.parentIdTag === b.parentIdTag;
}
