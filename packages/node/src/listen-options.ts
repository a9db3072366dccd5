import type { Server } from "node:http";
import type { Server as HttpsServer } from "node:https";
import { type OptionRules, optionRules } from "@ocppj/core";
import type { EndpointOptions } from "./handshake/endpoint-options.ts";
import { originsRule } from "./handshake/origin.ts";
import { trustedProxiesRule } from "./handshake/peer-address.ts";
import { pathRule } from "./handshake/request-target.ts";
import type { Listener } from "./listener.ts";
import { expiryWarningDaysRule } from "./tls/certificate-ends.ts";
import { securityProfileRule, type TlsOptions, tlsRule } from "./tls/security-profile.ts";
import { transportRules } from "./transport/web-socket-transport.ts";

/** Settings of `listen`. */
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

export const listenRules: OptionRules<ListenOptions> = {
  path: pathRule("/ocpp"),
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
  health: pathRule("/health"),
  ...transportRules,
};
