import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { asksForOther, readWithoutUpgrade } from "./other-upgrade.ts";
import { pathOf } from "./request-target.ts";

/** What takes the upgrade requests at one path and below. */
export interface UpgradeEndpoint {
  /** Path of the endpoint URL, percent-encoded as it is there. */
  readonly path: string;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  /** Is told of a handshake that came without asking for an upgrade, once whoever got it has answered it with `status`. */
  bypassed(request: IncomingMessage, status: number): void;
}

/** What listens to an HTTP server, once for all endpoints, and who it works for, longest path first. */
interface Routing {
  readonly endpoints: UpgradeEndpoint[];
  readonly route: UpgradeEndpoint["upgrade"];
  readonly watch: (request: IncomingMessage, response: ServerResponse) => void;
}

const routings = new WeakMap<Server, Routing>();

/**
 * Gives an endpoint the upgrade requests at its path and below; where two endpoints fit, the longer path gets it.
 *
 * Other requests are left to the server's other `upgrade` listeners. Without any, nobody would ever answer, so the
 * endpoint with the shortest path gets them, to refuse them, and what asks for another upgrade is an ordinary request. A
 * handshake whose Connection: Upgrade was lost on the way is an ordinary request for the server: whoever answers those does,
 * and the endpoint is told.
 *
 * @returns The function that ends this; the server is then as it was before.
 * @throws TypeError The server already has an endpoint at this path.
 */
export function routeUpgrades(server: Server, endpoint: UpgradeEndpoint): () => void {
  const routing = routings.get(server) ?? startRouting(server);
  const { endpoints, route, watch } = routing;
  if (endpoints.some((other) => prefixOf(other) === prefixOf(endpoint))) {
    throw new TypeError(`The server already has an endpoint at "${endpoint.path}". Give each a path of its own.`);
  }
  endpoints.push(endpoint);
  endpoints.sort((a, b) => prefixOf(b).length - prefixOf(a).length);
  return () => {
    endpoints.splice(endpoints.indexOf(endpoint), 1);
    if (endpoints.length > 0) return;
    server.off("upgrade", route);
    server.off("request", watch);
    routings.delete(server);
  };
}

function startRouting(server: Server): Routing {
  const endpoints: UpgradeEndpoint[] = [];
  const endpointFor = (request: IncomingMessage): UpgradeEndpoint | undefined => {
    // Q19: doubled slashes are for the endpoint to forgive, or to refuse.
    const path = pathOf(request).replace(/\/{2,}/g, "/");
    return endpoints.find((endpoint) => `${path}/`.startsWith(prefixOf(endpoint)));
  };
  const route: Routing["route"] = (request, socket, head) => {
    const isAlone = server.listenerCount("upgrade") === 1;
    if (isAlone && asksForOther(request)) return readWithoutUpgrade(server, request, socket, head);
    const nobodys = isAlone ? endpoints.at(-1) : undefined;
    (endpointFor(request) ?? nobodys)?.upgrade(request, socket, head);
  };
  const watch: Routing["watch"] = (request, response) => {
    // Without this header it was no handshake, but a health check or somebody's browser. [Q18]
    if (request.headers["sec-websocket-key"] === undefined) return;
    const endpoint = endpointFor(request);
    if (endpoint !== undefined) response.once("finish", () => endpoint.bypassed(request, response.statusCode));
  };
  // First of all: an endpoint has to tell what another listener answers from what was written before.
  server.prependListener("upgrade", route);
  server.on("request", watch);
  const routing = { endpoints, route, watch };
  routings.set(server, routing);
  return routing;
}

const prefixOf = ({ path }: UpgradeEndpoint): string => (path.endsWith("/") ? path : `${path}/`);
