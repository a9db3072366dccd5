/* What a peer is told that is refused, in HTTP. */
import { STATUS_CODES } from "node:http";
import type { Refusal } from "./refusals.ts";

/**
 * How long a peer is asked to stay away when there is too much of it, or this end is too busy, in seconds: each another time, so that those who were
 * refused together do not come back together.
 */
const retryAfterS = (): number => 10 + Math.floor(50 * Math.random());

/** The headers of the answer. */
export function headersOf(refusal: Refusal): Record<string, string | number> {
  return {
    Connection: "close",
    "Content-Type": "text/plain; charset=utf-8",
    "Content-Length": Buffer.byteLength(bodyOf(refusal)),
    ...((refusal.status === 429 || refusal.status === 503) && { "Retry-After": retryAfterS() }),
    ...refusal.headers,
  };
}

export const bodyOf = ({ message, advice, body = `${message} ${advice}` }: Refusal): string => `${body}\n`;

/** The whole answer, for a socket that is no longer in the hands of Node's HTTP server. */
export function answerTo(refusal: Refusal): string {
  const { status = 400 } = refusal;
  const lines = Object.entries(headersOf(refusal)).map(([name, value]) => `${name}: ${value}\r\n`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${bodyOf(refusal)}`;
}
