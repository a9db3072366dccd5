import type { HandshakeRefusal } from "@ocppj/core";

/** Why a charger was not let in, and what to do about it; who it is and where stands before that. */
export function describedRefusal({ advice, message, reason, status }: HandshakeRefusal): string {
  return `refused (${reason}${status === undefined ? "" : `, ${status}`}): ${message} ${advice}`;
}
