/**
 * What the keys of core's own records begin with, one for each kind of record. No other key begins like that: the keys of
 * everybody else begin with `namespaces`, whatever is added here.
 */
export const ownKeys = {
  /** One record for each message; the keys sort in the order of delivery. */
  queue: "queue/",
  /** One for each transaction that is not over. */
  transaction: "transaction/",
  /** One for each identifier. */
  authorizationCache: "authorization-cache/",
  /** One for each update of the list: a journal. */
  localAuthList: "local-auth-list/",
  /** One for each key that was changed. */
  configuration: "configuration/",
  /** One: the credentials that were presented since the last that worked. */
  credentials: "credentials/",
  /** One for each record that made no sense; what follows is the key that it had. */
  corrupt: "corrupt/",
  /** What is in {@link namespace}s; their name follows. */
  namespaces: "namespace/",
} as const;
