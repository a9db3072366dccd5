import type { FinishedCall } from "@ocppj/core";

/**
 * The passwords that a Charge Point may present because this end has told it, with ChangeConfiguration of AuthorizationKey: the
 * bytes that the digits stand for, and the text as it is. Whether it has agreed does not matter: it may have, unheard. [J-176, Q23]
 */
export function passwordsTold({ direction, call: { action, payload } }: FinishedCall): readonly Uint8Array[] {
  if (direction !== "out" || action !== "ChangeConfiguration") return [];
  const { key, value } = (payload ?? {}) as Readonly<Record<string, unknown>>;
  if (typeof key !== "string" || typeof value !== "string" || key.toLowerCase() !== "authorizationkey") return [];
  return [Buffer.from(value, "hex"), Buffer.from(value)];
}
