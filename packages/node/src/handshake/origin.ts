/*
 * Which web pages may open a WebSocket here. A browser lets every page open one to any host, with whatever the browser has:
 * its place in the network, its client certificates, and passwords that somebody has typed in. It says in the header
 * `Origin` whose page it is, and in `User-Agent` that it is a browser, and no page can change that. Chargers send no `Origin`, or
 * what their library makes up: `file://`, or the URL that they connect to, whose host a proxy may have replaced in `Host`.
 */
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import type { OptionRule } from "@ocppj/core";

const isOrigin = (origin: unknown): boolean =>
  origin === "*" ||
  (typeof origin === "string" && /^https?:$/.test(urlOf(origin)?.protocol ?? "") && urlOf(origin)?.origin === origin);

/** The option `origins`. */
export const originsRule: OptionRule = {
  give: 'a list of origins, for example ["https://simulator.example"], or ["*"] for all of them',
  takes: (origins) => Array.isArray(origins) && origins.every(isOrigin),
};

/** The page that a handshake comes from, when it is one that may not open a WebSocket here. */
export function foreignOrigin({ headers }: IncomingMessage, origins: readonly string[]): string | undefined {
  const { host = "", origin, "user-agent": agent = "" } = headers;
  if (origin === undefined || !agent.startsWith("Mozilla/") || origins.includes("*")) return undefined;
  const page = urlOf(origin);
  // Of a page in a sandbox nobody knows whose it is.
  if (origin !== "null" && (page === undefined || !/^https?:$/.test(page.protocol))) return undefined;
  if (page === undefined) return origin;
  return origins.includes(page.origin) || isSameHost(page.hostname, urlOf(`http://${host}`)?.hostname)
    ? undefined
    : origin;
}

/** Whatever the port: another one of the same machine is no other site. */
const isSameHost = (page: string, host: string | undefined): boolean =>
  page === host || (host !== undefined && isLoopback(page) && isLoopback(host));

function isLoopback(hostname: string): boolean {
  const address = hostname.replace(/^\[(.*)\]$/, "$1");
  const family = isIP(address);
  if (family === 4) return address.startsWith("127.");
  return family === 6 ? address === "::1" : /^(.*\.)?localhost$/.test(address);
}

function urlOf(text: string): URL | undefined {
  try {
    return new URL(text);
  } catch {
    return undefined;
  }
}
