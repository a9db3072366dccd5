import type { IncomingMessage, Server } from "node:http";
import type { Duplex } from "node:stream";

/** What takes the upgrade requests at one path and below. */
export interface UpgradeEndpoint {
  /** Path of the endpoint URL, percent-encoded as it is there. */
  readonly path: string;
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
}

/** The one listener for `upgrade` that an HTTP server gets, and who it works for, longest path first. */
interface Routing {
  readonly endpoints: UpgradeEndpoint[];
  readonly route: UpgradeEndpoint["upgrade"];
}

const routings = new WeakMap<Server, Routing>();

/**
 * Gives an endpoint the upgrade requests at its path and below; where two endpoints fit, the longer path gets it.
 *
 * Other requests are left to the server's other `upgrade` listeners. Without any, nobody would ever answer, so the
 * endpoint with the shortest path gets them, to refuse them.
 *
 * @returns The function that ends this; the server is then as it was before.
 * @throws TypeError The server already has an endpoint at this path.
 */
export function routeUpgrades(server: Server, endpoint: UpgradeEndpoint): () => void {
  const routing = routings.get(server) ?? startRouting(server);
  const { endpoints, route } = routing;
  if (endpoints.some((other) => prefixOf(other) === prefixOf(endpoint))) {
    throw new TypeError(`The server already has an endpoint at "${endpoint.path}". Give each a path of its own.`);
  }
  endpoints.push(endpoint);
  endpoints.sort((a, b) => prefixOf(b).length - prefixOf(a).length);
  return () => {
    endpoints.splice(endpoints.indexOf(endpoint), 1);
    if (endpoints.length > 0) return;
    server.off("upgrade", route);
    routings.delete(server);
  };
}

function startRouting(server: Server): Routing {
  const endpoints: UpgradeEndpoint[] = [];
  const route: UpgradeEndpoint["upgrade"] = (request, socket, head) => {
    const [path] = (request.url ?? "").split("?", 1);
    const ours = endpoints.find((endpoint) => `${path}/`.startsWith(prefixOf(endpoint)));
    const nobodys = server.listenerCount("upgrade") === 1 ? endpoints.at(-1) : undefined;
    (ours ?? nobodys)?.upgrade(request, socket, head);
  };
  server.on("upgrade", route);
  const routing = { endpoints, route };
  routings.set(server, routing);
  return routing;
}

const prefixOf = ({ path }: UpgradeEndpoint): string => (path.endsWith("/") ? path : `${path}/`);
