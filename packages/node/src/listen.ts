import type { Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { Server as TlsServer } from "node:tls";
import { type CentralSystem, type OptionRules, optionRules, takeOptions } from "@ocppj/core";
import { Endpoint } from "./handshake/endpoint.ts";
import type { Authenticate, EndpointOptions } from "./handshake/endpoint-options.ts";
import { healthRule } from "./handshake/health.ts";
import { originsRule } from "./handshake/origin.ts";
import { trustedProxiesRule } from "./handshake/peer-address.ts";
import { peerLimitRules } from "./handshake/peer-limits.ts";
import { watchTls } from "./handshake/tls-failures.ts";
import { routeUpgrades } from "./handshake/upgrade-routing.ts";
import { addressOf, type Listener, listener, type TcpAddress } from "./listener.ts";
import { serve } from "./own-server.ts";
import { expiryWarningDaysRule } from "./tls/certificate-ends.ts";
import type { RevocationList } from "./tls/revocation-list.ts";
import {
  requireSecurityLevel,
  rulesOf,
  securityProfileRule,
  type TlsOptions,
  tlsRule,
} from "./tls/security-profile.ts";
import { transportRules } from "./transport/web-socket-transport.ts";

/** Settings of {@link listen}. */
export interface ListenOptions<Context = unknown> extends EndpointOptions<Context> {
  /** TCP port to listen on; not together with `server`. Default 0: any that is free, see {@link Listener}. */
  readonly port?: number | undefined;
  /**
   * Address to listen on; not together with `server`. Default `127.0.0.1`, this machine only. Without TLS give another
   * one only inside a VPN, or behind a proxy that speaks TLS. [J-034, J-170, J-171]
   */
  readonly host?: string | undefined;
  /**
   * The certificate and the key of the Central System, for the security profiles 2 and 3; for 3 also, as `ca`, the
   * certificates of those who issue Charge Point certificates. Not together with `server`.
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * A server of the application to attach to: what `createServer` returns, not the Express or Fastify app on it. Upgrade
   * requests at `path` and below are answered here, everything else stays the application's. It is never closed here, and
   * it is the application's to bound slow requests. Several listeners may share it, each with a path of its own.
   */
  readonly server?: Server | HttpsServer | undefined;
  /**
   * A path such as `/health` at which a GET is answered with {@link Listener.health} as JSON: 200 while handshakes are taken, 503
   * otherwise, for load balancers and orchestrators. Everybody may ask. Not together with `server`, whose application can
   * answer so itself. Default: none.
   */
  readonly health?: string | undefined;
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
  expiryWarningDays: expiryWarningDaysRule,
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
