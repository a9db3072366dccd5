/* How an attempt to connect fails here, and not in the function that connects. */
import type { ConnectionEvents } from "../connection/connection-events.ts";
import type { Transport } from "../connection/transport.ts";
import { HandshakeError } from "../errors.ts";
import type { Tolerated } from "../messages/tolerance.ts";
import { longestAttemptMs } from "./reconnection.ts";

/** A connection URL without its query, which may be secret. */
const withoutQuery = (url: string): string => url.replace(/\?.*/s, "");

/** Of a transport that was closed inside of `listen`. */
export const closedAtOnce = (url: string, { code, reason }: ConnectionEvents["closed"][0]): HandshakeError => {
  const why = reason === "" ? code : `${code}, ${reason}`;
  const tried = withoutQuery(url);
  return new HandshakeError("network", `The connection to ${tried} was closed as soon as it was open (${why}).`, {
    url: tried,
  });
};

/** Of a `connect` that nobody waits for any more. */
export const neverEnded = (url: string): HandshakeError => {
  const tried = withoutQuery(url);
  const seconds = longestAttemptMs / 1000;
  return new HandshakeError("timeout", `The attempt to connect to ${tried} was not over after ${seconds} s.`, {
    url: tried,
    advice: "The function connect neither resolves nor rejects: let it end by itself.",
  });
};

/** @throws TypeError It is no list of what was forgiven. */
export function toleratedBy(transport: Transport | undefined): readonly Tolerated[] {
  const tolerated: unknown = transport?.tolerated ?? [];
  if (Array.isArray(tolerated) && tolerated.every((use) => typeof use === "object" && use !== null)) return tolerated;
  throw new TypeError("`tolerated` of the transport is no list of what was forgiven. Leave it out where nothing was.");
}

/** Of a `connect` that resolves with something else. */
export const noTransport =
  "connect gave no transport. Pass what the connect of @ocppj/node or @ocppj/browser returns: connect().";
