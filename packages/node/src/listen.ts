import type { Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { Server as TlsServer } from "node:tls";
import { type CentralSystem, takeOptions } from "@ocppj/core";
import { Endpoint } from "./handshake/endpoint.ts";
import type { Authenticate } from "./handshake/endpoint-options.ts";
import { peerLimitRules } from "./handshake/peer-limits.ts";
import { watchTls } from "./handshake/tls-failures.ts";
import { routeUpgrades } from "./handshake/upgrade-routing.ts";
import { type ListenOptions, listenRules } from "./listen-options.ts";
import { addressOf, type Listener, listener, type TcpAddress } from "./listener.ts";
import { serve } from "./own-server.ts";
import type { RevocationList } from "./tls/revocation-list.ts";
import { requireSecurityLevel, rulesOf } from "./tls/security-profile.ts";

/**
 * Opens an OCPP-J endpoint: a Charge Point that passes the opening handshake is handed to `centralSystem.accept`, one
 * that does not is reported there as `refused`.
 *
 * @returns Resolves when connections are accepted; with an attached server, at once.
 * @throws TypeError There is no `centralSystem`; one of the options is not what it may be, or there is no such option; or the
 * attached server already has an endpoint at `path`, or it is given a port, a host, `health` or `tls`; or the options are not
 * those of the `securityProfile`: nobody is let in for want of a way to check. [trap 13]
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
