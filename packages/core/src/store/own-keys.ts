/**
 * The kinds of records that core keeps: their keys begin with the kind and `/`. The keys of everybody else are in
 * namespaces, so whatever is added here collides with none of them.
 */
export type OwnKind =
  /** Of each transaction: its start, its stop, what is known of it. */
  | "transaction"
  /** Meter values of a transaction, waiting or given up. */
  | "queue"
  /** A message of `deliver`, waiting or given up. */
  | "outbox"
  /** By how much the clock was wrong in an epoch. */
  | "clock"
  /** An identifier of the authorization cache. */
  | "authorization-cache"
  /** An update of the Local Authorization List: a journal. */
  | "local-auth-list"
  /** A charging profile. */
  | "charging-profile"
  /** A configuration key that was changed. */
  | "configuration"
  /** The credentials that were presented since the last that worked. */
  | "credentials"
  /** A record that made no sense, with the key that it had. */
  | "corrupt"
  /** What is in namespaces, each with its name. */
  | "namespace";

/** What the keys of the records of a kind begin with, and no others. */
export const prefixOf = <K extends OwnKind>(kind: K): `${K}/` => `${kind}/`;
