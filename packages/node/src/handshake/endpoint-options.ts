import type { X509Certificate } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { QuirkSet } from "@ocppj/core";
import type { SecurityProfile } from "../tls/security-profile.ts";
import type { TransportOptions } from "../transport/web-socket-transport.ts";
import type { PeerLimits } from "./peer-limits.ts";

/** A Charge Point that asks to be let in. */
export interface AuthenticationAttempt {
  /** The identity in the URL, percent-decoded. The user name of its `Authorization` header, if any, is the same. */
  readonly identity: string;
  /**
   * The password in the `Authorization` header, byte for byte; `undefined` without one. By the documents these are the
   * bytes of the AuthorizationKey, but some chargers send its hexadecimal text. [J-176, Q23]
   */
  readonly password: Uint8Array | undefined;
  /**
   * The certificate of the peer, verified; never `undefined` with security profile 3. Whose it is, is for the decision:
   * see {@link isChargePointCertificate}. [SEC-A00-404, SEC-A00-405]
   */
  readonly certificate: X509Certificate | undefined;
  /** The upgrade request, for what else may decide: other headers, the remote address. */
  readonly request: IncomingMessage;
  /**
   * Aborts when nobody waits for the decision any more: the peer has hung up, or the time is up. A decision that goes on
   * all the same keeps its place among `maxHandshakes`.
   */
  readonly signal: AbortSignal;
}

/**
 * What becomes of a Charge Point. `true` lets it in; so does an object with a `context`, which its connection and so every
 * handler has. `false` is answered with 401 (with 403 in security profile 3), `"unknown-identity"` with 404, `"busy"` with
 * 503 and Retry-After.
 */
export type AuthenticationDecision<Context = unknown> =
  | false
  | "unknown-identity"
  | "busy"
  | { readonly context: Context }
  | (undefined extends Context ? true : never);

/**
 * Decides on a Charge Point. Anything that is no decision, an exception too, is answered with 500 and reported as `fault`.
 *
 * @spec OCPP-J 1.6 §3.2; security white paper §2.3 [J-030, J-032, SEC-A00-207]
 */
export type Authenticate<Context = unknown> = (
  attempt: AuthenticationAttempt,
) => AuthenticationDecision<Context> | Promise<AuthenticationDecision<Context>>;

/** Settings of an OCPP-J endpoint, whatever server it is on. */
export interface EndpointOptions<Context = unknown> extends TransportOptions {
  /** Path of the endpoint URL, percent-encoded. Default `/`. */
  readonly path?: string | undefined;
  /**
   * The security profile that Charge Points have to use here; who uses another one is refused. 1: HTTP Basic without TLS.
   * 2: HTTP Basic with TLS. 3: client certificates with TLS. Each of these needs `authenticate`; 2 and 3 need `tls`, or a
   * `server` that speaks TLS, which for 3 asks for certificates. Default 0: none, it is all up to `authenticate`.
   *
   * @spec security white paper §2 [SEC-A00-001, SEC-A00-002, SEC-A00-004, SEC-A00-006]
   */
  readonly securityProfile?: SecurityProfile | undefined;
  /**
   * Decides who may connect. With the security profiles 1 and 2 it is asked only about passwords of 16 bytes and more, with
   * 3 only about certificates that are valid. Default: everybody, which is right only where the network itself is trusted
   * and with no security profile. [J-171]
   */
  readonly authenticate?: Authenticate<Context> | undefined;
  /**
   * What is forgiven of opening handshakes, see `quirks`; the others are ignored here, and are for the CentralSystem.
   * With `hexadecimalKeys`, `authenticate` is asked a second time where it has answered false. Default: nothing.
   */
  readonly tolerate?: QuirkSet | undefined;
  /**
   * How many milliseconds it may take to decide on a Charge Point, `authenticate` included; a handshake that takes longer
   * is answered with 503. On a server of its own also how long a peer may take to send its request, within half as much
   * again; one that takes longer is answered with 408. Default 10 000.
   */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * How many decisions may be under way, those of peers that have left included; for more handshakes the answer is 503 with
   * Retry-After. While decisions do not come in time, fewer are begun, so that some do. Default 1000.
   */
  readonly maxHandshakes?: number | undefined;
  /**
   * How many Charge Points may be connected; to more the answer is 503 with Retry-After, after `authenticate`. One that
   * replaces its own older connection is always let in. On a server of its own as many other peers may be connected
   * without having sent their request: one more, and the one that has kept it waiting longest is dropped with 503, so that
   * peers who never send one do not keep others out. Default 10 000.
   */
  readonly maxConnections?: number | undefined;
  /**
   * The addresses of the proxies before this end, or blocks of them as `10.0.0.0/8`. `remoteAddress` is then what they say in
   * `X-Forwarded-For`. Default: none, and the header is ignored, because anybody can send it.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /** What one address may take, and how many passwords it may try. See {@link PeerLimits} for the defaults. */
  readonly limits?: PeerLimits | undefined;
  /**
   * The origins of web pages that may connect besides those of the host that they connect to, for example
   * `["https://simulator.example"]`, or `["*"]` for all. Other pages are refused with 403: a browser would lend them its place
   * in your network, and its certificates. Only browsers are asked, whose `User-Agent` begins with `Mozilla/`. Default: none.
   */
  readonly origins?: readonly string[] | undefined;
  /**
   * How many days before its end a certificate is told of as `expiring`: the own ones and those of authorities once a day, that
   * of a Charge Point once, when it connects. Default 21.
   */
  readonly expiryWarningDays?: number | undefined;
  /**
   * Whether the connection of a Charge Point is cut where this end ends it, without a Close frame: there is firmware that never
   * comes back after one (lbbrhzn/ocpp#1975). Asked when it connects, for an answer at once; anything but
   * true and false is a `fault`, and false. Default: nobody's is.
   */
  readonly cuts?: ((identity: string) => boolean) | undefined;
}
