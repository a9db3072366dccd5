import type { X509Certificate } from "node:crypto";
import { createServer, type Server } from "node:http";
import { createServer as createSecureServer, type Server as HttpsServer } from "node:https";
import { type AddressInfo, isIPv6, type Socket } from "node:net";
import { type TlsOptions as NodeTlsOptions, type TLSSocket, Server as TlsServer } from "node:tls";
import { type CentralSystem, type Connection, type OptionRules, optionRules, takeOptions } from "@ocppj/core";
import { Endpoint } from "./endpoint.ts";
import type { Authenticate, EndpointOptions } from "./endpoint-options.ts";
import { type Health, healthRule } from "./health.ts";
import { originsRule } from "./origin.ts";
import { OwnCertificates } from "./own-certificates.ts";
import { trustedProxiesRule } from "./peer-address.ts";
import { peerLimitRules } from "./peer-limits.ts";
import { refusalOfTls } from "./profile-refusals.ts";
import type { RevocationList } from "./revocation-list.ts";
import {
  listeningTls,
  requireSecurityLevel,
  rulesOf,
  type ServerTls,
  securityProfileRule,
  type TlsOptions,
  takeTls,
  tlsRule,
} from "./security-profile.ts";
import { TlsWatch } from "./tls-watch.ts";
import { routeUpgrades } from "./upgrade-routing.ts";
import { transportRules } from "./web-socket-transport.ts";

/** Settings of {@link listen}. */
export interface ListenOptions<Context = unknown> extends EndpointOptions<Context> {
  /** TCP port to listen on; not together with `server`. Default 0: any that is free, see {@link Listener}. */
  readonly port?: number;
  /**
   * Address to listen on; not together with `server`. Default `127.0.0.1`, this machine only. Without TLS give another
   * one only inside a VPN, or behind a proxy that speaks TLS. [J-034, J-170, J-171]
   */
  readonly host?: string;
  /**
   * The certificate and the key of the Central System, for the security profiles 2 and 3; for 3 also, as `ca`, the
   * certificates of those who issue Charge Point certificates. Not together with `server`.
   */
  readonly tls?: TlsOptions;
  /**
   * A server of the application to attach to: what `createServer` returns, not the Express or Fastify app on it. Upgrade
   * requests at `path` and below are answered here, everything else stays the application's. It is never closed here, and
   * it is the application's to bound slow requests. Several listeners may share it, each with a path of its own.
   */
  readonly server?: Server | HttpsServer;
  /**
   * A path such as `/health` at which a GET is answered with {@link Listener.health} as JSON: 200 while handshakes are taken, 503
   * otherwise, for load balancers and orchestrators. Everybody may ask. Not together with `server`, whose application can
   * answer so itself. Default: none.
   */
  readonly health?: string;
}

/** An open OCPP-J endpoint. */
export interface Listener {
  /**
   * The endpoint URL as seen from this machine, for example `ws://127.0.0.1:9000/ocpp`.
   *
   * @throws Error The attached server does not listen on a TCP port, or not yet.
   */
  readonly url: string;
  /**
   * The TCP port.
   *
   * @throws Error The attached server does not listen on a TCP port, or not yet.
   */
  readonly port: number;
  /** The lists of revoked certificates that are in use; none on an attached server. */
  readonly revocationLists: readonly RevocationList[];
  /** Whether handshakes are taken, and how many Charge Points are connected. */
  health(): Health;
  /** The certificate that a Charge Point has shown, verified; `undefined` without one, or of another listener's connection. */
  certificateOf(connection: Connection<"CentralSystem">): X509Certificate | undefined;
  /**
   * Uses other certificates and keys from the next TLS handshake on. Connections that are open stay, but for those whose
   * certificate is revoked: they are closed with 1008. [SEC-A00-701]
   *
   * @param tls - All of them, as for {@link listen}.
   * @throws TypeError They cannot be used, and nothing has changed; or there is no TLS here, or the attached server's:
   * it has `setSecureContext`.
   */
  replaceCertificates(tls: TlsOptions): void;
  /**
   * Stops listening and closes every connection with 1001. Resolves when all sockets are gone, at the latest after
   * `closeTimeoutMs`, whatever the peers do. Never rejects; calling it again returns the same promise.
   */
  close(): Promise<void>;
}

/**
 * Opens an OCPP-J endpoint: a Charge Point that passes the opening handshake is handed to `centralSystem.accept`, one
 * that does not is reported there as `refused`.
 *
 * @returns Resolves when connections are accepted; with an attached server, at once.
 * @throws TypeError There is no `centralSystem`; one of the options is not what it may be, or there is no such option; or the attached server already
 * has an endpoint at `path`, or it is given a port, a host, `health` or `tls`; or the options are not those of the `securityProfile`:
 * nobody is let in for want of a way to check. [trap 13]
 * @throws Error What Node reports when the port cannot be bound, for example with the code `EADDRINUSE`.
 * @spec OCPP-J 1.6 §3.1, §3.2 [J-003, J-008, J-020 … J-032]; security white paper §2 [SEC-A00-305, SEC-A00-306]
 */
export async function listen<Context = unknown>(
  centralSystem: CentralSystem<Context>,
  ...[options]: ListenArguments<Context>
): Promise<Listener> {
  if (typeof centralSystem?.accept !== "function") {
    throw new TypeError(
      "listen got no CentralSystem. Give one before the options: listen(new CentralSystem(), { port }).",
    );
  }
  const given = takeOptions("listen", (options ?? {}) as ListenOptions, listenRules);
  const taken = { ...given, ...(given.limits && { limits: takeOptions("limits", given.limits, peerLimitRules) }) };
  const { authenticate, health, host, port, securityProfile = 0, server, tls } = taken;
  if (securityProfile !== 0 && authenticate === undefined) {
    throw new TypeError(`securityProfile ${securityProfile} needs authenticate, or everybody would be let in.`);
  }
  if (!hasWarned && !centralSystem.handles("BootNotification")) {
    hasWarned = true;
    process.emitWarning(noBootHandler, "OcppjWarning");
  }
  const endpoint = new Endpoint(centralSystem, taken);
  if (server === undefined) return serve(endpoint, taken);
  if (host !== undefined || port !== undefined || tls !== undefined) {
    throw new TypeError("An attached server has its own host, port and tls. Leave these out, or the server.");
  }
  if (health !== undefined) {
    throw new TypeError(
      "An attached server has its own requests. Answer with listener.health() there, and leave out health.",
    );
  }
  requireSecurityLevel(securityProfile);
  return attach(endpoint, server, rulesOf(securityProfile).scheme);
}

/** Without `authenticate` there is no context. */
type ListenArguments<Context> = undefined extends Context
  ? [options?: ListenOptions<Context>]
  : [options: ListenOptions<Context> & { readonly authenticate: Authenticate<Context> }];

/** Once is enough for a program. */
let hasWarned = false;

const noBootHandler =
  "listen: the CentralSystem has no handler for BootNotification. Charge Points that send one are answered with " +
  "NotSupported, and until they are accepted everything else with SecurityError. " +
  'Register it before: centralSystem.handle("BootNotification", …).';

const listenRules: OptionRules<ListenOptions> = {
  path: { give: 'a path like "/ocpp"', takes: (path) => typeof path === "string" && /^\/[^?#]*$/.test(path) },
  securityProfile: securityProfileRule,
  authenticate: optionRules.callback,
  tolerate: optionRules.quirks,
  handshakeTimeoutMs: optionRules.milliseconds,
  maxHandshakes: optionRules.whole(1),
  maxConnections: optionRules.whole(1),
  trustedProxies: trustedProxiesRule,
  limits: optionRules.object("an object with limits of one address, for example { connectionsPerAddress: 100 }"),
  origins: originsRule,
  expiryWarningDays: optionRules.number("a number of days from 0 on", 0),
  cuts: optionRules.callback,
  port: optionRules.whole(0, 65_535),
  host: optionRules.text,
  tls: tlsRule,
  server: optionRules.object("what createServer of node:http or node:https returns", "on", "address"),
  health: healthRule,
  ...transportRules,
};

function attach(endpoint: Endpoint, server: Server | HttpsServer, expected: "ws" | "wss" | undefined): Listener {
  const scheme = server instanceof TlsServer ? "wss" : "ws";
  if (expected === "wss" && scheme === "ws") {
    throw new TypeError("securityProfile 2 and 3 need a server that speaks TLS. Attach to an https server.");
  }
  if (expected === "ws" && scheme === "wss") {
    throw new TypeError("securityProfile 1 has no TLS, but the server has. Use profile 2 or 3.");
  }
  const release = routeUpgrades(server, endpoint);
  const unwatch = watchTls(server, endpoint);
  endpoint.opened();
  const close = async (): Promise<void> => {
    await endpoint.close(); // Handshakes that come meanwhile are refused, not left to nobody.
    release();
    unwatch();
  };
  const replaceCertificates = (): void => {
    throw new TypeError("The certificates are those of the attached server. Call its setSecureContext.");
  };
  const where = (): TcpAddress => addressOf(server);
  const revocationLists = (): readonly RevocationList[] => [];
  return listener({ scheme, where, path: endpoint.path, close, replaceCertificates, revocationLists, endpoint });
}

/** Reports TLS handshakes that fail. Returns the function that ends this. */
function watchTls(server: Server | HttpsServer, endpoint: Endpoint): () => void {
  const failed = (error: Error, socket: TLSSocket & { readonly _parent?: Socket }): void => {
    // Once a TLS socket is closed, only the one that it ran on still knows its peer; no public property leads there.
    const { _parent: tcpSocket = socket } = socket;
    const refusal = refusalOfTls(error, socket, tcpSocket.bytesRead);
    if (refusal !== undefined) endpoint.tlsFailed(refusal, tcpSocket);
  };
  /** A socket remembers its address only if somebody has asked for it in time. */
  const opened = ({ remoteAddress }: Socket): unknown => remoteAddress;
  // First of all: whoever is told next may destroy the socket, which then has forgotten where it came from.
  server.prependListener("tlsClientError", failed);
  server.on("connection", opened);
  return () => server.off("tlsClientError", failed).off("connection", opened);
}

/** Runs a server of its own for the endpoint. */
async function serve(
  endpoint: Endpoint,
  { health, host = "127.0.0.1", port = 0, securityProfile = 0, tls }: ListenOptions,
): Promise<Listener> {
  const secured = listeningTls(securityProfile, tls);
  let certificates = secured && new OwnCertificates(secured);
  const server = createHttpServer(
    secured && {
      ...secured,
      ...certificates?.usual,
      SNICallback: (name, done) => done(null, certificates?.contextFor(name)),
    },
    endpoint.handshakeTimeoutMs,
  );
  server.on("request", (request, response) => endpoint.request(request, response, health));
  routeUpgrades(server, endpoint);
  server.on("clientError", (error, socket) => endpoint.clientError(error, socket));
  // Before `clientError` is told, as if it were an error of HTTP: there is no channel to answer through.
  server.prependListener("tlsClientError", (_, socket: TLSSocket) => socket.destroy());
  const unwatch = watchTls(server, endpoint);
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    endpoint.connected(socket, { plain: secured === undefined });
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await bind(server, port, host);
  server.on("error", (error) => endpoint.failed(error));
  endpoint.opened();
  const address = addressOf(server);
  let given = takeTls(tls ?? {});
  const watch =
    secured &&
    new TlsWatch({
      changed: () => replaceCertificates(given),
      revoked: (lists) => endpoint.connections.revoke(lists),
      fault: (error) => endpoint.failed(error),
      inUse: (certificate, whose) => endpoint.ends.look(certificate, whose),
    });
  watch?.use(secured as ServerTls, given);
  const close = async (): Promise<void> => {
    const closed = new Promise((resolve) => server.close(resolve));
    watch?.stop();
    await endpoint.close();
    unwatch();
    for (const socket of sockets) socket.destroy(); // Those that never got as far as a WebSocket.
    await closed;
  };
  const replaceCertificates = (other: TlsOptions): void => {
    const taken = takeTls(other);
    const secured = listeningTls(securityProfile, taken);
    if (secured === undefined) return;
    certificates = new OwnCertificates(secured);
    (server as HttpsServer).setSecureContext({ ...secured, ...certificates.usual });
    given = taken;
    watch?.use(secured, given);
  };
  const scheme = secured === undefined ? "ws" : "wss";
  const revocationLists = (): readonly RevocationList[] => watch?.lists ?? [];
  const where = (): TcpAddress => address;
  return listener({ scheme, where, path: endpoint.path, close, replaceCertificates, revocationLists, endpoint });
}

/** Makes an HTTP server that waits for requests, and for TLS handshakes, no longer than this. */
function createHttpServer(
  secured: (ServerTls & Pick<NodeTlsOptions, "SNICallback">) | undefined,
  handshakeTimeoutMs: number,
): Server | HttpsServer {
  // Node wants an integer, and no more than its timers can count.
  const timeoutMs = Math.ceil(Math.min(handshakeTimeoutMs, 2 ** 31 - 1));
  const limits = {
    requestTimeout: timeoutMs,
    headersTimeout: timeoutMs,
    connectionsCheckingInterval: Math.ceil(timeoutMs / 2),
  };
  if (secured === undefined) return createServer(limits);
  return createSecureServer({ ...limits, ...secured, handshakeTimeout: timeoutMs });
}

function bind(server: Server | HttpsServer, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ port, host }, () => {
      server.off("error", reject);
      resolve();
    });
  });
}

/** Where a server listens. */
type TcpAddress = Pick<AddressInfo, "address" | "port">;

/** What a {@link Listener} is made of. */
interface ListenerParts extends Pick<Listener, "close" | "replaceCertificates"> {
  readonly scheme: "ws" | "wss";
  readonly where: () => TcpAddress;
  readonly path: string;
  readonly revocationLists: () => readonly RevocationList[];
  readonly endpoint: Endpoint;
}

function listener(parts: ListenerParts): Listener {
  const { scheme, where, path, close, replaceCertificates, revocationLists, endpoint } = parts;
  let closed: Promise<void> | undefined;
  return {
    get url() {
      const { address, port } = where();
      return `${scheme}://${hostOf(address)}:${port}${path}`;
    },
    get port() {
      return where().port;
    },
    get revocationLists() {
      return revocationLists();
    },
    health: () => endpoint.health(),
    certificateOf: (connection) => endpoint.connections.certificateOf(connection),
    replaceCertificates,
    close() {
      closed ??= close();
      return closed;
    },
  };
}

/** An IP address as the host in a URL; for "every address" one that can be dialled. */
function hostOf(address: string): string {
  if (address === "0.0.0.0") return "127.0.0.1";
  if (address === "::") return "[::1]";
  return isIPv6(address) ? `[${address}]` : address;
}

function addressOf(server: Server | HttpsServer): TcpAddress {
  const address = server.address();
  if (address === null || typeof address === "string") {
    throw new Error("The attached server does not listen on a TCP port. Ask again once it does.");
  }
  return address;
}
