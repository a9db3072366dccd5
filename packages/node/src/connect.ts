import type { Agent } from "node:http";
import { isIP, type LookupFunction, type Socket } from "node:net";
import {
  type Connect,
  type ConnectTarget,
  connectionUrl,
  HandshakeError,
  type OptionRules,
  optionRules,
  type QuirkSet,
  soundClock,
  subprotocol,
  systemClock,
  type Tolerated,
  type Transport,
  takeOptions,
} from "@ocppj/core";
import { WebSocket } from "ws";
import { readText } from "./handshake/answer-text.ts";
import {
  authorizationKeyBytes,
  authorizationKeyRule,
  basicAuthorization,
  shortestPassword,
} from "./handshake/basic-authorization.ts";
import {
  type Attempt,
  type Diagnosis,
  diagnosisOfAnswer,
  diagnosisOfError,
  diagnosisOfSubprotocol,
  diagnosisOfTimeout,
  type Stage,
} from "./handshake/diagnosis.ts";
import { HandshakeQuirks } from "./handshake/handshake-quirks.ts";
import { withoutQuery } from "./peer-text.ts";
import {
  connectingTls,
  rulesOf,
  type SecurityProfile,
  securityProfileRule,
  type TlsOptions,
  tlsRule,
} from "./tls/security-profile.ts";
import {
  type TransportOptions,
  transportRules,
  WebSocketTransport,
  webSocketOptions,
} from "./transport/web-socket-transport.ts";

/** Which way a TCP connection takes. */
export interface NetworkOptions {
  /** Makes the connection, for example through a proxy; an `https.Agent` at a `wss:` URL. Default: none, it is made directly. */
  readonly agent?: Agent | undefined;
  /** Looks the name of the host up, as `dns.lookup` does, which is the default. */
  readonly lookup?: LookupFunction | undefined;
  /** The own address, where the machine has several. Default: the system chooses. */
  readonly localAddress?: string | undefined;
}

/** Settings of {@link connect}. */
export interface ConnectOptions extends TransportOptions {
  /**
   * The security profile to connect with. 1: HTTP Basic without TLS, at a `ws:` URL. 2: HTTP Basic with TLS, at a `wss:`
   * URL. 3: the certificate of the Charge Point and TLS, at a `wss:` URL. Settings that a profile does not use are not used:
   * with 3 no password is sent. Default 0: none; the URL decides on TLS, and what is given is sent.
   *
   * @spec security white paper §2 [SEC-A00-001, SEC-A00-003, SEC-A00-004]
   */
  readonly securityProfile?: SecurityProfile | undefined;
  /**
   * The password of the Charge Point for HTTP Basic authentication. A string is the value of the configuration key
   * `AuthorizationKey`: 32 to 40 hexadecimal digits, two for each byte. A `Uint8Array` is the password itself, byte for
   * byte. Default: none, nothing is sent.
   *
   * @spec OCPP-J 1.6 §6.2.2; J errata 3.10 [J-174 … J-176, J-181, SEC-A00-205]
   */
  readonly authorizationKey?: string | Uint8Array | undefined;
  /**
   * What TLS is done with: `ca` to check the certificate of the Central System, `cert` and `key` for profile 3. Default: the
   * certificate is checked with the authorities that Node trusts. It is always checked.
   */
  readonly tls?: TlsOptions | undefined;
  /** How many milliseconds an attempt may take, from the look-up of the name to the open WebSocket. Default 30 000. */
  readonly handshakeTimeoutMs?: number | undefined;
  /**
   * What is forgiven of opening handshakes, see `quirks`: `missingSubprotocol` forgives a Central System that chooses no
   * subprotocol. The others are ignored here, and are for the `ChargePoint`. Default: nothing. [Q18]
   */
  readonly tolerate?: QuirkSet | undefined;
  /** Which way the connection takes: through a proxy, from which address. Default: what the system does. */
  readonly network?: NetworkOptions | undefined;
}

/**
 * Makes the function with which a `ChargePoint` opens its WebSockets.
 *
 * Each attempt offers the subprotocol `ocpp1.6` and nothing else, no compression, follows no redirect and ends in a
 * transport or a rejection; a failed one leaves no socket behind, and neither does one whose `signal` aborts. What it
 * returns rejects with a {@link HandshakeError}, which tells what was wrong and what to do, and of the URL all but the
 * query, which may be secret; with a TypeError when the URL or the identity is none, or the URL is not one of the
 * `securityProfile`; or with the reason of the signal.
 *
 * @param options - A function is asked at each attempt, so that a new AuthorizationKey, certificate, SecurityProfile or
 * WebSocketPingInterval takes effect with the next connection.
 * @throws TypeError One of the options is not what it may be, or there is no such option; or they are not those that the
 * `securityProfile` needs. Where the options are a function, what is returned rejects with it.
 * @spec OCPP-J 1.6 §3.1, §3.2 [J-001, J-020, J-026, J-027]; J errata 3.3 [J-031, J-033]; security white paper §2
 */
export function connect(options: ConnectOptions | (() => ConnectOptions) = {}): Connect {
  if (typeof options === "function") return async (target) => connect(options())(target);
  const taken = takeOptions("connect", options, connectRules);
  const credentials = credentialsOf(taken);
  const quirks = new HandshakeQuirks(taken.tolerate);
  const network = takeOptions<NetworkOptions>("network", taken.network ?? {}, networkRules);
  return async (target) => open(target, credentials, quirks, { ...taken, network });
}

const connectRules: OptionRules<ConnectOptions> = {
  securityProfile: securityProfileRule,
  authorizationKey: authorizationKeyRule,
  tls: tlsRule,
  handshakeTimeoutMs: optionRules.milliseconds,
  tolerate: optionRules.quirks,
  network: optionRules.object("an object with agent, lookup, localAddress"),
  ...transportRules,
};

const networkRules: OptionRules<NetworkOptions> = {
  agent: optionRules.object("an http.Agent, or what has its addRequest", "addRequest"),
  lookup: optionRules.callback,
  localAddress: {
    give: "an IP address of this machine",
    takes: (address) => typeof address === "string" && isIP(address) !== 0,
  },
};

/** What a Charge Point proves its identity with, and what it wants from the Central System. */
interface Credentials {
  readonly securityProfile: SecurityProfile;
  readonly password: Uint8Array | undefined;
  readonly tls: ReturnType<typeof connectingTls>;
}

function credentialsOf({ authorizationKey, securityProfile = 0, tls }: ConnectOptions): Credentials {
  const { basic, clientCertificate } = rulesOf(securityProfile);
  const key = authorizationKey === undefined ? undefined : authorizationKeyBytes(authorizationKey);
  if (basic && (key === undefined || key.length < shortestPassword)) {
    throw new TypeError(
      `securityProfile ${securityProfile} needs an authorizationKey of at least ${shortestPassword} bytes.`,
    );
  }
  const password = clientCertificate ? undefined : key;
  return { securityProfile, password, tls: connectingTls(securityProfile, tls) };
}

function open(
  { url: endpoint, identity, signal }: ConnectTarget,
  { password, securityProfile, tls }: Credentials,
  quirks: HandshakeQuirks,
  options: ConnectOptions,
): Promise<Transport> {
  const url = connectionUrl(endpoint, identity);
  const shownUrl = withoutQuery(url);
  const scheme = schemeOf(url, securityProfile);
  const { handshakeTimeoutMs = 30_000 } = options;
  const clock = soundClock(options.clock ?? systemClock);
  const headers = password === undefined ? {} : { Authorization: basicAuthorization(identity, password) };

  return new Promise((resolve, reject) => {
    if (signal?.aborted) throw signal.reason;
    let stage: Stage = "dialling";
    let socket: Socket;
    let tolerated: readonly Tolerated[] = [];
    const webSocket = new WebSocket(url, [subprotocol], {
      ...webSocketOptions(options),
      ...options.network,
      ...tls,
      headers,
      finishRequest(request) {
        request.once("socket", (used) => {
          used.once("connect", () => {
            stage = "connected";
          });
          used.once("secureConnect", () => {
            stage = "secured";
          });
        });
        request.end();
      },
    });
    const disarm = clock.wakeAt(clock.now() + handshakeTimeoutMs, () =>
      fail(diagnosisOfTimeout(handshakeTimeoutMs, attempt())),
    );
    const abort = (): void => end(signal?.reason);
    signal?.addEventListener("abort", abort);
    const attempt = (): Attempt => ({
      identity,
      scheme,
      securityProfile,
      stage,
      hasPassword: password !== undefined,
      hasCertificate: tls.cert !== undefined,
    });

    function fail(diagnosis: Diagnosis, more: { readonly status?: number; readonly cause?: unknown } = {}): void {
      const { reason, what, advice } = diagnosis;
      end(new HandshakeError(reason, `The Central System at ${shownUrl} ${what}.`, { url: shownUrl, advice, ...more }));
    }

    function end(error: unknown): void {
      settle();
      reject(error);
      webSocket.terminate(); // Also when `ws` gives up by itself: it does nothing then.
    }

    function settle(): void {
      disarm();
      signal?.removeEventListener("abort", abort);
    }

    webSocket.on("unexpected-response", (_, answer) => {
      const { headers, statusCode: status = 0 } = answer;
      readText(answer, clock, (text) => {
        fail(diagnosisOfAnswer({ status, location: headers.location, text }, attempt()), { status });
      });
    });
    webSocket.on("upgrade", (response) => {
      stage = "answered";
      socket = response.socket;
      // `ws` looks at the choice after this, and would close a WebSocket without one.
      if (quirks.forgivesSubprotocol(response)) response.headers["sec-websocket-protocol"] = subprotocol;
      tolerated = quirks.usesIn(response);
      const chosen = response.headers["sec-websocket-protocol"];
      if (chosen !== subprotocol) fail(diagnosisOfSubprotocol(chosen, subprotocol), { status: 101 });
    });
    const failed = (cause: Error): void => fail(diagnosisOfError(cause, attempt()), { cause });
    webSocket.on("error", failed);
    webSocket.on("open", () => {
      settle();
      webSocket.off("error", failed);
      resolve(new WebSocketTransport(webSocket, socket, options, { tolerated }));
    });
  });
}

/** The scheme of a connection URL. @throws TypeError It is no URL, holds credentials, or is not one of the profile. */
function schemeOf(url: string, securityProfile: SecurityProfile): "ws" | "wss" {
  checkUrl(url);
  const scheme = new URL(url).protocol === "wss:" ? "wss" : "ws";
  const { scheme: expected = scheme } = rulesOf(securityProfile);
  if (scheme === expected) return scheme;
  throw new TypeError(
    `securityProfile ${securityProfile} needs a URL that begins with "${expected}:": ${withoutQuery(url)} does not.`,
  );
}

function checkUrl(url: string): void {
  // They would end up in error messages, and the user name is always the identity. [J-175]
  if (/^\w+:\/\/[^/?]*@/.test(url)) {
    throw new TypeError("The endpoint URL contains a user name or a password. Pass the password as authorizationKey.");
  }
  if (URL.canParse(url)) return;
  throw new TypeError(`"${withoutQuery(url)}" is no URL. Give an endpoint like "wss://central.example.com/ocpp".`);
}
