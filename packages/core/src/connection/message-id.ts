/** What is needed of the Web Crypto API; absent in some embedded runtimes and, in part, on pages without TLS. */
declare const crypto: { randomUUID?(): string } | undefined;

/**
 * A new message id: a random UUID, so that logs stay unambiguous across connections.
 *
 * @spec OCPP-J 1.6 §4.1.4 [J-050, J-051, J-054]
 */
export function randomMessageId(): string {
  if (typeof crypto !== "undefined" && crypto.randomUUID !== undefined) return crypto.randomUUID();
  // Without Web Crypto: unique is enough, nobody is harmed by guessing a message id.
  return "xxxxxxxx-xxxx-4xxx-8xxx-xxxxxxxxxxxx".replace(/x/g, () => Math.floor(Math.random() * 16).toString(16));
}
