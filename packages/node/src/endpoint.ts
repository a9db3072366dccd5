import type { X509Certificate } from "node:crypto";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  type CentralSystem,
  type Clock,
  type Connection,
  type HandshakeRefusal,
  identityFromPath,
  type QuirkSet,
  soundClock,
  subprotocol,
  systemClock,
} from "@ocppj/core";
import { type WebSocket, WebSocketServer } from "ws";
import { basicCredentials, passwordOf } from "./basic-authorization.ts";
import { DescriptorWatch } from "./descriptor-watch.ts";
import { HandshakePlaces, type Place } from "./handshake-places.ts";
import { HandshakeQuirks } from "./handshake-quirks.ts";
import { PeerAddresses } from "./peer-address.ts";
import { certificateOf, otherCertificate, refusalOfProfile } from "./profile-refusals.ts";
import { readAhead } from "./read-ahead.ts";
import { answerTo, bodyOf, headersOf } from "./refusal-answer.ts";
import {
  busy,
  type ClientError,
  faulty,
  malformedRequest,
  noCredentials,
  noSubprotocol,
  noUpgrade,
  otherUser,
  type Refusal,
  refusalOfClientError,
  refusalOfIdentity,
  refusalOfRequest,
  refusalOfUrl,
  shuttingDown,
  tooManyConnections,
  tooManyHandshakes,
  tooManySilent,
  undecided,
  unknownIdentity,
  wrongPassword,
} from "./refusals.ts";
import { isRevoked, type ReadRevocationList } from "./revocation-list.ts";
import type { SecurityProfile } from "./security-profile.ts";
import { SilentPeers } from "./silent-peers.ts";
import type { UpgradeEndpoint } from "./upgrade-routing.ts";
import { type TransportOptions, WebSocketTransport, webSocketOptions } from "./web-socket-transport.ts";

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
  /**
   * Whether the connection of a Charge Point is cut where this end ends it, without a Close frame: there is firmware that never
   * comes back after one (lbbrhzn/ocpp#1975). Asked when it connects. Default: nobody's is.
   */
  readonly cuts?: ((identity: string) => boolean) | undefined;
}

/** What was decided on a handshake. */
type Verdict = { readonly refusal: Refusal } | { readonly context: unknown };

/** Whom an event concerns, as far as anybody has said. */
interface Concerned {
  readonly identity?: string | undefined;
  readonly remoteAddress?: string | undefined;
}

/** One OCPP-J endpoint: decides on opening handshakes and hands what passes to the Central System. */
export class Endpoint implements UpgradeEndpoint {
  readonly path: string;
  readonly handshakeTimeoutMs: number;
  readonly #centralSystem: CentralSystem;
  readonly #options: EndpointOptions;
  readonly #clock: Clock;
  readonly #maxHandshakes: number;
  readonly #places: HandshakePlaces;
  readonly #maxConnections: number;
  readonly #quirks: HandshakeQuirks;
  readonly #addresses: PeerAddresses;
  readonly #webSockets: WebSocketServer;
  readonly #silent: SilentPeers;
  readonly #descriptors: DescriptorWatch;
  /** The sockets that wait for a decision. */
  readonly #undecided = new Map<Duplex, { readonly peer: Concerned; readonly end: (reason?: Error) => void }>();
  /** Those that are open, with the certificates that have been shown. */
  readonly #connections = new Map<Connection<"CentralSystem">, X509Certificate | undefined>();
  #closing = false;

  /** @param options - Checked, and nobody else's. */
  constructor(centralSystem: CentralSystem, options: EndpointOptions) {
    this.path = options.path ?? "/";
    this.#centralSystem = centralSystem;
    this.#options = options;
    this.#clock = soundClock(options.clock ?? systemClock);
    this.#quirks = new HandshakeQuirks(options.tolerate, (error) => this.#fault(undefined, error));
    this.#addresses = new PeerAddresses(options.trustedProxies);
    this.handshakeTimeoutMs = options.handshakeTimeoutMs ?? 10_000;
    this.#maxHandshakes = options.maxHandshakes ?? 1000;
    this.#places = new HandshakePlaces(this.#maxHandshakes, this.handshakeTimeoutMs);
    this.#maxConnections = options.maxConnections ?? 10_000;
    this.#silent = new SilentPeers(this.#maxConnections, (socket, isPlain) => this.#dropSilent(socket, isPlain));
    this.#webSockets = new WebSocketServer({
      ...webSocketOptions(options),
      noServer: true,
      // J-023, J-028: one of those that were offered, compared exactly; trap 14: and of those that this end speaks.
      handleProtocols: (offered, request) =>
        offered.has(subprotocol) ? subprotocol : (this.#quirks.subprotocolIn(request, offered) ?? false),
    });
    this.#descriptors = new DescriptorWatch(
      this.#clock,
      () => this.#webSockets.clients.size,
      (error) => this.#fault(undefined, error),
    );
    this.#webSockets.on("wsClientError", ({ message }, socket, request) => {
      this.#refuse(socket, malformedRequest(message), this.#peerOf(request, this.#identityIn(request)));
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {}); // A peer that hangs up is no error of ours; `close` follows.
    if (!this.#silent.settled(request.socket)) return;
    const { url = "" } = request;
    const identity = this.#identityIn(request);
    if (identity === undefined) {
      this.#refuse(socket, refusalOfUrl(url, this.path), this.#peerOf(request, identity));
      return;
    }
    const unfit = refusalOfIdentity(identity, url);
    const malformed = unfit ?? refusalOfRequest(request) ?? (this.#closing ? shuttingDown : undefined);
    const place = malformed === undefined ? this.#places.take(this.#clock.now()) : undefined;
    if (place !== undefined) this.#decide(request, socket, head, identity, place);
    else this.#refuse(socket, malformed ?? tooManyHandshakes(this.#places.bound), this.#peerOf(request, identity));
  }

  /** Answers a request that does not ask for an upgrade. */
  request(request: IncomingMessage, response: ServerResponse): void {
    if (!this.#silent.settled(request.socket)) return;
    response.writeHead(noUpgrade.status, headersOf(noUpgrade)).end(bodyOf(noUpgrade));
  }

  bypassed(request: IncomingMessage, status: number): void {
    this.#refused({ ...noUpgrade, status }, this.#peerOf(request, this.#identityIn(request)));
  }

  /**
   * Takes note of a TCP connection to a server of its own.
   *
   * @param options.plain - Whether it can be answered; before TLS is up it cannot. Default true.
   */
  connected(socket: Socket, { plain = true }: { readonly plain?: boolean } = {}): void {
    this.#silent.connected(socket, plain);
  }

  /** Answers a peer whose request could not be read. */
  clientError(error: ClientError, socket: Duplex): void {
    // It has hung up, or has had its answer.
    if (!socket.writable) socket.destroy();
    else this.#refuse(socket, refusalOfClientError(error, this.handshakeTimeoutMs), addressOf(socket));
  }

  /** Reports a failure of the server itself: it could not accept a TCP connection, for example. */
  failed(error: Error): void {
    if (!this.#descriptors.failed(error)) this.#fault(undefined, error);
  }

  /** Reports a TLS handshake that failed, unless it was this end that dropped the peer. */
  tlsFailed(refusal: Refusal, socket: Socket): void {
    if (this.#silent.settled(socket)) this.#refused(refusal, addressOf(socket));
  }

  /** Begins to look after the process, once nothing can go wrong any more. */
  opened(): void {
    this.#descriptors.start();
  }

  certificateOf(connection: Connection<"CentralSystem">): X509Certificate | undefined {
    return this.#connections.get(connection);
  }

  /** Ends the connections whose certificate is revoked. */
  revoked(lists: readonly ReadRevocationList[]): void {
    for (const [connection, certificate] of this.#connections) {
      if (certificate && isRevoked(certificate, lists)) connection.close(1008, "The certificate is revoked");
    }
  }

  /** Refuses what is undecided, closes every connection with 1001, and resolves when all WebSockets are gone. */
  close(): Promise<void> {
    this.#closing = true;
    for (const [socket, { peer }] of this.#undecided) {
      if (this.#decided(socket, new Error(shuttingDown.message))) this.#refuse(socket, shuttingDown, peer);
    }
    for (const connection of this.#connections.keys()) connection.close(1001, "The Central System shuts down");
    this.#descriptors.stop();
    return new Promise((resolve) => this.#webSockets.close(() => resolve()));
  }

  #identityIn(request: IncomingMessage): string | undefined {
    return identityFromPath(request.url ?? "", this.path) ?? this.#quirks.identityIn(request, this.path);
  }

  #peerOf(request: IncomingMessage, identity: string | undefined): Concerned {
    return { identity, remoteAddress: this.#addresses.of(request) };
  }

  #refusalOfRoom(): Refusal | undefined {
    return this.#webSockets.clients.size >= this.#maxConnections ? tooManyConnections(this.#maxConnections) : undefined;
  }

  /** Decides on a handshake; the place is kept until there is a decision, wanted or not. */
  #decide(request: IncomingMessage, socket: Duplex, head: Buffer, identity: string, place: Place): void {
    const timeoutMs = this.handshakeTimeoutMs;
    const peer = this.#peerOf(request, identity); // Now: a socket that has closed has forgotten where it came from.
    const late = undecided(timeoutMs);
    const disarm = this.#clock.wakeAt(this.#clock.now() + timeoutMs, () => {
      this.#places.late(this.#clock.now());
      if (this.#decided(socket, new Error(late.message))) this.#refuse(socket, late, peer);
    });
    const controller = new AbortController();
    const stopReading = readAhead(socket, () => socket.destroy());
    let arrived = head;
    const end = (reason?: Error): void => {
      disarm();
      arrived = Buffer.concat([head, stopReading()]);
      if (reason !== undefined) controller.abort(reason);
    };
    this.#undecided.set(socket, { peer, end });
    const { bytesWritten } = request.socket;
    // That this side has ended would not do: a peer with TLS that hangs up ends it, too.
    const isAnswered = (): boolean => request.socket.bytesWritten > bytesWritten;
    socket.once("close", () => {
      if (this.#decided(socket, new Error("The peer has hung up.")) && isAnswered()) {
        this.#fault(identity, answeredByOther());
      }
    });

    const replaces = this.#centralSystem.get(identity) !== undefined;
    void this.#judge(request, identity, controller.signal).then((verdict) => {
      this.#places.release(place);
      if (!this.#decided(socket)) return; // It hung up, or has had its answer.
      this.#places.inTime();
      const refusal = "refusal" in verdict ? verdict.refusal : replaces ? undefined : this.#refusalOfRoom();
      if (isAnswered()) this.#fault(identity, answeredByOther());
      else if (refusal !== undefined) this.#refuse(socket, refusal, peer);
      else if ("context" in verdict) this.#open(request, socket, arrived, identity, verdict.context);
    });
  }

  /**
   * Ends the wait of a socket; whether it still waited.
   *
   * @param reason - Why nobody waits for the decision any more, where it has not come.
   */
  #decided(socket: Duplex, reason?: Error): boolean {
    this.#undecided.get(socket)?.end(reason);
    return this.#undecided.delete(socket);
  }

  /** Never rejects: whatever the application's hook does, there is an answer. [trap 2] */
  async #judge(request: IncomingMessage, identity: string, signal: AbortSignal): Promise<Verdict> {
    const credentials = basicCredentials(request.headers.authorization);
    const password = credentials === undefined ? undefined : passwordOf(identity, credentials);
    // SEC-A00-204: the user name is the identity, so there is nothing to ask about another one.
    if (credentials !== undefined && password === undefined) return { refusal: otherUser };
    const { authenticate = () => true, securityProfile = 0 } = this.#options;
    const otherProfile = refusalOfProfile(securityProfile, request.socket, password);
    if (otherProfile !== undefined) return { refusal: otherProfile };
    const attempt = { identity, password, certificate: certificateOf(request.socket), request, signal };
    try {
      let decision: unknown = await authenticate(attempt);
      const meant = decision === false && password && this.#quirks.passwordIn(request, password);
      if (meant) decision = await authenticate({ ...attempt, password: meant });
      const refusal =
        this.#refusalOfDecision(decision, password) ?? (await this.#centralSystem.admit(identity, signal));
      return refusal === undefined ? { context: contextOf(decision) } : { refusal };
    } catch (error) {
      if (error !== signal.reason || !signal.aborted) this.#fault(identity, error);
      return { refusal: faulty };
    }
  }

  /** @throws TypeError It is no decision. */
  #refusalOfDecision(decision: unknown, password: Uint8Array | undefined): Refusal | undefined {
    if (decision === true || hasContext(decision)) return undefined;
    if (decision === false && this.#options.securityProfile === 3) return otherCertificate;
    if (decision === false) return password === undefined ? noCredentials : wrongPassword;
    if (decision === "unknown-identity") return unknownIdentity;
    if (decision === "busy") return busy;
    throw new TypeError(
      `authenticate answered ${String(decision)}. Answer true, false, "unknown-identity", "busy" or { context }.`,
    );
  }

  #open(request: IncomingMessage, socket: Duplex, head: Buffer, identity: string, context: unknown): void {
    try {
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => {
        this.#opened(webSocket, socket, request, identity, context);
      });
    } catch (error) {
      // Nobody else would hear of it, and nobody serves this socket.
      this.#fault(identity, error);
      socket.destroy();
    }
  }

  #opened(webSocket: WebSocket, socket: Duplex, request: IncomingMessage, identity: string, context: unknown): void {
    const peer = this.#peerOf(request, identity);
    const transport = new WebSocketTransport(webSocket, socket, this.#options, {
      remoteAddress: peer.remoteAddress,
      cut: this.#isCut(identity),
    });
    if (webSocket.protocol === "" && !this.#quirks.forgivesSubprotocol(request)) {
      // J-024: the handshake is completed without the header, then the WebSocket is closed at once; J-025: unheard.
      const refusal = noSubprotocol(request.headers["sec-websocket-protocol"]);
      transport.close(1002, refusal.body);
      this.#refused(refusal, peer);
      return;
    }
    this.#tolerated(request, identity);
    const connection = this.#centralSystem.accept(transport, identity, context);
    this.#connections.set(connection, certificateOf(request.socket));
    webSocket.once("close", () => this.#connections.delete(connection));
  }

  #isCut(identity: string): boolean {
    try {
      return this.#options.cuts?.(identity) === true;
    } catch (error) {
      this.#fault(identity, error);
      return false;
    }
  }

  #dropSilent(socket: Socket, isPlain: boolean): void {
    const refusal = tooManySilent(this.#maxConnections);
    if (isPlain) this.#refuse(socket, refusal, addressOf(socket));
    else {
      const { status: _, ...untold } = refusal;
      this.#refused(untold, addressOf(socket));
      socket.destroy();
    }
  }

  #refuse(socket: Duplex, refusal: Refusal, peer: Concerned): void {
    socket.end(answerTo(refusal), () => socket.destroy());
    this.#refused(refusal, peer);
  }

  /** Reports that a handshake was refused, by whomever. */
  #refused({ reason, status, message, advice }: Refusal, concerned: Concerned): void {
    const event = { ...shown(concerned), reason, message, advice, ...(status !== undefined && { status }) };
    this.#centralSystem.emit("refused", event);
  }

  #tolerated(request: IncomingMessage, identity: string): void {
    for (const use of this.#quirks.usesIn(request)) this.#centralSystem.emit("tolerated", { ...use, identity });
  }

  #fault(identity: string | undefined, error: unknown): void {
    this.#centralSystem.emit("fault", { ...shown({ identity }), error });
  }
}

const hasContext = (decision: unknown): decision is { readonly context: unknown } =>
  typeof decision === "object" && decision !== null && "context" in decision;

const contextOf = (decision: unknown): unknown => (hasContext(decision) ? decision.context : undefined);

/** With the options `server` and `path`, a `WebSocketServer` of `ws` answers 400 to everything at other paths. */
const answeredByOther = (): Error =>
  new Error(
    "Another listener of the server's event upgrade has answered this handshake. " +
      "Let it leave alone what is not at its own path; a WebSocketServer needs the option noServer for that.",
  );

/** What an event says of whom it concerns: an identity that cannot be one is not told, whoever sends it. [trap 1] */
function shown({ identity, remoteAddress }: Concerned): Pick<HandshakeRefusal, "identity" | "remoteAddress"> {
  const isFit = identity !== undefined && refusalOfIdentity(identity, "") === undefined;
  return { ...(isFit && { identity }), ...(remoteAddress !== undefined && { remoteAddress }) };
}

function addressOf(socket: Duplex): Pick<Concerned, "remoteAddress"> {
  const { remoteAddress } = socket as Partial<Socket>;
  return remoteAddress === undefined ? {} : { remoteAddress };
}
