import { type IdTagInfo, type IdTagLookUp, sameIdTag } from "./id-tag.ts";

/** The configuration keys that decide about local authorization, under their own names. */
export interface AuthorizationKeys {
  /** Whether a transaction may start offline for an identifier that the list or the cache authorizes. */
  readonly LocalAuthorizeOffline: boolean;
  /** Whether a transaction may start online for such an identifier without asking. */
  readonly LocalPreAuthorize: boolean;
  /** Whether one may start offline for an identifier that neither knows. Absent: no. */
  readonly AllowOfflineTxForUnknownId?: boolean | undefined;
  /** Whether the Local Authorization List counts. Absent: no. */
  readonly LocalAuthListEnabled?: boolean | undefined;
  /** Whether the authorization cache counts. Absent: no. */
  readonly AuthorizationCacheEnabled?: boolean | undefined;
}

/** What {@link authorize} decides on. */
export interface AuthorizationSituation {
  /** Whether the Central System can be asked. */
  readonly online: boolean;
  readonly keys: AuthorizationKeys;
  /** The Local Authorization List, if there is one. */
  readonly list?: IdTagLookUp | undefined;
  /** The authorization cache, if there is one. */
  readonly cache?: IdTagLookUp | undefined;
}

/** Who started a transaction. */
export interface TransactionStarter {
  readonly idTag: string;
  /** The group of the identifier, as far as it is known. */
  readonly parentIdTag?: string | undefined;
}

/**
 * A decision about an identifier, with its grounds:
 *
 * - `local-list`, `cache`, `central-system`: what they say about it, which is in `idTagInfo`;
 * - `same-id-tag`: it started the transaction that it is to stop;
 * - `other-group`: it is authorized, but not known to be in the group of the one that started the transaction;
 * - `local-authorize-offline`: the list or the cache would accept it, but LocalAuthorizeOffline is false;
 * - `unknown-offline`: nobody knows it; AllowOfflineTxForUnknownId decides;
 * - `no-id-tag`: it is none that Authorize.req can carry. Of `ChargePoint.authorize` and `authorizeStop` only.
 */
export type Authorization =
  | {
      readonly decision: "accept";
      readonly grounds: "local-list" | "cache" | "central-system";
      readonly idTagInfo: IdTagInfo;
    }
  | { readonly decision: "accept"; readonly grounds: "same-id-tag" | "unknown-offline" }
  | {
      readonly decision: "refuse";
      readonly grounds: "local-list" | "cache" | "central-system" | "local-authorize-offline";
      readonly idTagInfo: IdTagInfo;
    }
  | { readonly decision: "refuse"; readonly grounds: "other-group" | "unknown-offline" | "no-id-tag" };

/** The Central System is to decide: send Authorize.req. */
export interface AskCentralSystem {
  readonly decision: "ask";
  readonly grounds: "central-system";
}

const ask: AskCentralSystem = { decision: "ask", grounds: "central-system" };

/**
 * Decides whether an identifier that is presented may start a transaction.
 *
 * The list comes before the cache. Online, only what is valid and may be accepted in advance is not asked about; what is
 * known to be not valid is, because the Central System may know better. When asking fails, decide again, offline.
 *
 * @param now - Milliseconds since the epoch.
 * @returns `ask`: send Authorize.req and decide with {@link authorizationOf}.
 * @spec OCPP 1.6 §3.5, §4.1, §9.1.1, §9.1.2, §9.1.12, §9.1.13, §9.2.1 [CORE-LAO-20 … CORE-LAO-28]
 */
export function authorize(
  idTag: string,
  now: number,
  { online, keys, list, cache }: AuthorizationSituation,
): Authorization | AskCentralSystem {
  const listed = keys.LocalAuthListEnabled ? list?.lookUp(idTag, now) : undefined;
  const cached = keys.AuthorizationCacheEnabled ? cache?.lookUp(idTag, now) : undefined;
  const idTagInfo = listed ?? cached; // CORE-CACHE-10
  const grounds = listed === undefined ? "cache" : "local-list";

  if (online) {
    if (idTagInfo === undefined) return ask; // CORE-LAO-24
    if (idTagInfo.status !== "Accepted") return ask; // CORE-LAO-21, CORE-LAO-23
    if (!keys.LocalPreAuthorize) return ask; // CORE-LAO-04
    return { decision: "accept", grounds, idTagInfo }; // CORE-LAO-20, CORE-LAO-22
  }
  if (idTagInfo === undefined) {
    if (keys.AllowOfflineTxForUnknownId) return { decision: "accept", grounds: "unknown-offline" }; // CORE-LAO-27
    return { decision: "refuse", grounds: "unknown-offline" }; // CORE-LAO-28
  }
  // CORE-LAO-26; and CORE-LAO-27 of a cache entry that is not valid, where refusing is the safe choice
  if (idTagInfo.status !== "Accepted") return { decision: "refuse", grounds, idTagInfo };
  if (!keys.LocalAuthorizeOffline) return { decision: "refuse", grounds: "local-authorize-offline", idTagInfo }; // CORE-LAO-03
  return { decision: "accept", grounds, idTagInfo }; // CORE-LAO-25
}

/**
 * Decides whether an identifier that is presented may stop a transaction: the one that started it may, and so may an
 * authorized one of the same group. Where neither the list nor the cache shows the group, the Central System is asked.
 *
 * @param now - Milliseconds since the epoch.
 * @returns `ask`: send Authorize.req and decide with {@link authorizationOf}, giving it `startedBy`. Never for the
 * identifier that started the transaction.
 * @spec OCPP 1.6 §3.4, §3.10, §4.1 [CORE-AUTH-03, CORE-AUTH-09, CORE-IDT-04]
 */
export function authorizeStop(
  idTag: string,
  startedBy: TransactionStarter,
  now: number,
  situation: AuthorizationSituation,
): Authorization | AskCentralSystem {
  if (sameIdTag(idTag, startedBy.idTag)) return { decision: "accept", grounds: "same-id-tag" };
  const authorization = authorize(idTag, now, situation);
  if (authorization.decision !== "accept") return authorization;
  const inGroup = withinGroup(authorization, startedBy);
  return inGroup.decision === "refuse" && situation.online ? ask : inGroup;
}

/**
 * The decision that an Authorize.conf brings: only `Accepted` allows charging.
 *
 * @param startedBy - Who started the transaction, when it is to be stopped. Absent: one is to be started.
 * @spec OCPP 1.6 §4.1, §7.2 [CORE-AUTH-14, CORE-AUTH-09]
 */
export function authorizationOf(idTagInfo: IdTagInfo, startedBy?: TransactionStarter): Authorization {
  const grounds = "central-system";
  if (idTagInfo.status !== "Accepted") return { decision: "refuse", grounds, idTagInfo };
  const authorization = { decision: "accept", grounds, idTagInfo } as const;
  return startedBy === undefined ? authorization : withinGroup(authorization, startedBy);
}

/**
 * Whether two identifiers with these `parentIdTag`s are in the same group: case does not matter, and one that is absent
 * or empty is no group.
 *
 * @spec OCPP 1.6 §3.10 [CORE-IDT-04, CORE-IDT-06, CORE-AUTH-09]
 */
export function sameGroup(a: string | undefined, b: string | undefined): boolean {
  return a !== undefined && b !== undefined && a !== "" && sameIdTag(a, b);
}

function withinGroup(authorization: Authorization, { parentIdTag }: TransactionStarter): Authorization {
  const group = "idTagInfo" in authorization ? authorization.idTagInfo.parentIdTag : undefined;
  return sameGroup(group, parentIdTag) ? authorization : { decision: "refuse", grounds: "other-group" };
}
