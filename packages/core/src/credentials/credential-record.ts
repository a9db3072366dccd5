/*
 * What a Central System knows of the credentials of one Charge Point, as values and pure functions.
 *
 * Theory of operation. ChangeConfiguration changes AuthorizationKey at the far end of a connection that may break before
 * the answer is there. So a new key is a candidate, written down before the CALL is sent, and accepted as well as the
 * one in use, until it is known which of them the Charge Point has:
 *
 *   Accepted                     it has the candidate                                     [J-178, SEC-A01-03]
 *   Rejected, NotSupported       it has the old one                                       [J-179, SEC-A01-04]
 *   RebootRequired               it has the old one now, and the candidate after a reboot, whenever that is
 *   anything else, or nothing    nobody knows, until it connects with one of them
 *
 * A security profile is the same with one difference: a Charge Point that cannot connect with the new one falls back, and
 * so the old one stays allowed until the new one has been used, and never after that. [SEC-A05-08, SEC-A05-09]
 */

import type { Conf } from "../messages/actions.ts";

/** What a Central System knows of the credentials of one Charge Point. Plain JSON, and no password in it. */
export interface CredentialRecord {
  /** The AuthorizationKey in use, as `PasswordHash.seal` made it. Absent: the Charge Point has no password. */
  readonly authorizationKey?: string;
  /** Keys that it may have got since, in the order in which they were sent. Default: none. */
  readonly candidates?: readonly CandidateKey[];
  /** The security profile in use. Absent: any is allowed, until one has been raised. */
  readonly securityProfile?: number;
  /** Higher profiles that it was told to use, and has not used yet. Default: none. */
  readonly raisingTo?: readonly number[];
}

/** An AuthorizationKey that a Charge Point may have. */
export interface CandidateKey {
  readonly authorizationKey: string;
  /** It answered that it will have it after a reboot. Default false: it may have it now. */
  readonly rebootRequired?: boolean;
}

/**
 * Whether what came from a store is a record. A record without keys lets a Charge Point in without a password, so what
 * merely has none must not be taken for one.
 */
export function isCredentialRecord(value: unknown): value is CredentialRecord {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { authorizationKey = "", candidates = [], securityProfile = 0, raisingTo = [] } = value as AnyFields;
  return (
    typeof authorizationKey === "string" &&
    Number.isSafeInteger(securityProfile) &&
    Array.isArray(candidates) &&
    candidates.every(isCandidateKey) &&
    Array.isArray(raisingTo) &&
    raisingTo.every(Number.isSafeInteger)
  );
}

type AnyFields = Readonly<Record<string, unknown>>;

function isCandidateKey(value: unknown): value is CandidateKey {
  const { authorizationKey, rebootRequired = false } = (value ?? {}) as AnyFields;
  return typeof authorizationKey === "string" && typeof rebootRequired === "boolean";
}

/** How a Charge Point has connected. */
export interface Use {
  readonly securityProfile: number;
  /** The key that its password matched; `{ sealed: undefined }` without a password. Absent: a certificate. */
  readonly password?: { readonly sealed: string | undefined };
}

type Status = Conf<"ChangeConfiguration">["status"];

/** The keys that are accepted; `undefined` among them stands for no password. */
export function keysOf({ authorizationKey, candidates = [] }: CredentialRecord): readonly (string | undefined)[] {
  return [authorizationKey, ...candidates.map((candidate) => candidate.authorizationKey)];
}

/** @spec security white paper A00.FR.002, A05.FR.09 [SEC-A00-002, SEC-A05-09] */
export function allowsProfile({ securityProfile, raisingTo = [] }: CredentialRecord, profile: number): boolean {
  return securityProfile === undefined || profile === securityProfile || raisingTo.includes(profile);
}

export function allows(record: CredentialRecord, { password, securityProfile }: Use): boolean {
  return allowsProfile(record, securityProfile) && (password === undefined || keysOf(record).includes(password.sealed));
}

/** A key is about to be sent. */
export function keyOffered(record: CredentialRecord, authorizationKey: string): CredentialRecord {
  return { ...record, candidates: [...(record.candidates ?? []), { authorizationKey }] };
}

/** A key was certainly not sent. */
export function keyWithdrawn(record: CredentialRecord, sealed: string): CredentialRecord {
  const candidates = (record.candidates ?? []).filter(({ authorizationKey }) => authorizationKey !== sealed);
  return { ...record, candidates };
}

/** ChangeConfiguration of AuthorizationKey was answered. */
export function keyAnswered(record: CredentialRecord, sealed: string, status: Status): CredentialRecord {
  const { candidates = [] } = record;
  switch (status) {
    case "Accepted": {
      const at = candidates.findIndex(({ authorizationKey }) => authorizationKey === sealed);
      return { ...record, authorizationKey: sealed, candidates: at < 0 ? [] : candidates.slice(at + 1) };
    }
    case "RebootRequired": {
      const marked = candidates.map((candidate) =>
        candidate.authorizationKey === sealed ? { ...candidate, rebootRequired: true } : candidate,
      );
      return { ...record, candidates: marked };
    }
    default:
      return keyWithdrawn(record, sealed);
  }
}

/** ChangeConfiguration of SecurityProfile is about to be sent, or was not refused. */
export function profileOffered(record: CredentialRecord, profile: number): CredentialRecord {
  const { raisingTo = [], securityProfile = 0 } = record;
  const isAllowed = raisingTo.includes(profile);
  return isAllowed || profile <= securityProfile ? record : { ...record, raisingTo: [...raisingTo, profile] };
}

/** A profile will not be used: the CALL was refused, or never sent. */
export function profileWithdrawn(record: CredentialRecord, profile: number): CredentialRecord {
  return { ...record, raisingTo: (record.raisingTo ?? []).filter((other) => other !== profile) };
}

/** The Charge Point has connected, which tells what it has. */
export function used(record: CredentialRecord, { password, securityProfile }: Use): CredentialRecord {
  const keys = password === undefined ? record : keyUsed(record, password.sealed);
  if (!record.raisingTo?.includes(securityProfile)) return keys;
  return { ...keys, securityProfile, raisingTo: record.raisingTo.filter((other) => other > securityProfile) };
}

/** Older keys are overwritten; newer ones did not arrive, except those that wait for a reboot. */
function keyUsed(record: CredentialRecord, sealed: string | undefined): CredentialRecord {
  const { candidates = [] } = record;
  if (candidates.length === 0) return record;
  const newer = candidates.slice(keysOf(record).indexOf(sealed)).filter(({ rebootRequired }) => rebootRequired);
  const { authorizationKey: _, ...rest } = record;
  return { ...rest, ...(sealed !== undefined && { authorizationKey: sealed }), candidates: newer };
}
