import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  type CentralSystem,
  type CentralSystemEvents,
  type Clock,
  identityFromPath,
  soundClock,
  subprotocol,
  systemClock,
} from "@ocppj/core";
import { type WebSocket, WebSocketServer } from "ws";
import { CertificateEnds } from "../tls/certificate-ends.ts";
import { channelOf } from "../tls/channel.ts";
import { WebSocketTransport, webSocketOptions } from "../transport/web-socket-transport.ts";
import { asked } from "./asked.ts";
import { Authentication } from "./authentication.ts";
import { DescriptorWatch } from "./descriptor-watch.ts";
import { addressOf, EndpointEvents } from "./endpoint-events.ts";
import type { EndpointOptions } from "./endpoint-options.ts";
import { HandshakePlaces, type Place } from "./handshake-places.ts";
import { HandshakeQuirks } from "./handshake-quirks.ts";
import { answerHealth, asksForHealth, type Health } from "./health.ts";
import { OpenConnections } from "./open-connections.ts";
import { foreignOrigin } from "./origin.ts";
import { passwordsTold } from "./passwords-told.ts";
import { type Concerned, networkOf, PeerAddresses } from "./peer-address.ts";
import { certificateOf, refusalOfProfile, revokedCertificate } from "./profile-refusals.ts";
import { bodyOf, headersOf } from "./refusal-answer.ts";
import {
  type ClientError,
  crowdedAddress,
  malformedRequest,
  noSubprotocol,
  noUpgrade,
  otherOrigin,
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
} from "./refusals.ts";
import { targetOf } from "./request-target.ts";
import { SilentPeers } from "./silent-peers.ts";
import type { UpgradeEndpoint } from "./upgrade-routing.ts";
import { WaitingHandshake } from "./waiting-handshake.ts";

/** A handshake that may be decided on. */
interface Candidate {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  readonly head: Buffer;
  readonly identity: string;
  readonly peer: Concerned;
}

/** One OCPP-J endpoint: decides on opening handshakes and hands what passes to the Central System. */
export class Endpoint implements UpgradeEndpoint {
  readonly path: string;
  readonly handshakeTimeoutMs: number;
  readonly connections = new OpenConnections();
  /** Tells of certificates that end soon. */
  readonly ends: CertificateEnds;
  readonly #centralSystem: CentralSystem;
  readonly #events: EndpointEvents;
  readonly #options: EndpointOptions;
  readonly #clock: Clock;
  readonly #places: HandshakePlaces;
  readonly #maxConnections: number;
  readonly #quirks: HandshakeQuirks;
  readonly #authentication: Authentication;
  readonly #addresses: PeerAddresses;
  readonly #webSockets: WebSocketServer;
  readonly #silent: SilentPeers;
  readonly #descriptors: DescriptorWatch;
  readonly #waiting = new Map<WaitingHandshake, Candidate>();
  readonly #told = (event: CentralSystemEvents["finished"][0]): void => {
    const passwords = passwordsTold(event);
    if (passwords.length > 0) this.#authentication.told(event.identity, passwords);
  };
  #closing = false;

  /** @param options - Checked, and nobody else's. */
  constructor(centralSystem: CentralSystem, options: EndpointOptions) {
    this.path = options.path ?? "/";
    this.#centralSystem = centralSystem;
    this.#events = new EndpointEvents(centralSystem);
    this.#options = options;
    this.#clock = soundClock(options.clock ?? systemClock);
    this.#quirks = new HandshakeQuirks(options.tolerate, (error) => this.#events.fault(undefined, error));
    this.#authentication = new Authentication({
      options,
      clock: this.#clock,
      quirks: this.#quirks,
      fault: (identity, error) => this.#events.fault(identity, error),
    });
    this.#addresses = new PeerAddresses(options.trustedProxies);
    this.handshakeTimeoutMs = options.handshakeTimeoutMs ?? 10_000;
    this.#places = new HandshakePlaces(
      options.maxHandshakes ?? 1000,
      this.handshakeTimeoutMs,
      options.limits?.handshakesPerAddress,
    );
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
      (error) => this.#events.fault(undefined, error),
    );
    this.ends = new CertificateEnds(options.expiryWarningDays ?? 21, (event) => this.#events.expiring(event));
    if (options.limits !== undefined) centralSystem.on("finished", this.#told);
    this.#webSockets.on("wsClientError", ({ message }, socket, request) => {
      this.#events.refuse(socket, malformedRequest(message), this.#peerOf(request, this.#identityIn(request)));
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {}); // A peer that hangs up is no error of ours; `close` follows.
    if (!this.#silent.settled(request.socket)) return;
    const identity = this.#identityIn(request);
    if (identity === undefined) {
      this.#events.refuse(socket, refusalOfUrl(targetOf(request), this.path), this.#peerOf(request, identity));
      return;
    }
    const candidate = { request, socket, head, identity, peer: this.#peerOf(request, identity) };
    const refusal = this.#refusalOf(candidate);
    const network = networkOf(candidate.peer.remoteAddress);
    const place = refusal === undefined ? this.#places.take(this.#clock.now(), network) : undefined;
    if (place !== undefined) this.#decide(candidate, network, place);
    else this.#events.refuse(socket, refusal ?? tooManyHandshakes(this.#places.bound), candidate.peer);
  }

  /** Why a handshake is refused before anybody is asked. */
  #refusalOf({ request, identity, peer }: Candidate): Refusal | undefined {
    const { limits: { handshakesPerAddress } = {}, origins = [] } = this.#options;
    const formal = refusalOfIdentity(identity, targetOf(request)) ?? refusalOfRequest(request);
    if (formal !== undefined) return formal;
    if (this.#isClosing) return shuttingDown;
    const origin = foreignOrigin(request, origins);
    if (origin !== undefined) return otherOrigin(origin);
    if (!this.#places.isFullFor(networkOf(peer.remoteAddress), this.#clock.now())) return undefined;
    return crowdedAddress(`${handshakesPerAddress} decisions on handshakes are under way`, "handshakesPerAddress");
  }

  /** Answers a request that does not ask for an upgrade. */
  request(request: IncomingMessage, response: ServerResponse, healthPath?: string): void {
    if (!this.#silent.settled(request.socket)) return;
    if (asksForHealth(request, healthPath)) answerHealth(this.health(), request, response);
    else response.writeHead(noUpgrade.status, headersOf(noUpgrade)).end(bodyOf(noUpgrade));
  }

  health(): Health {
    const status = this.#isClosing ? "closing" : this.#descriptors.isOut ? "no-descriptors" : "ready";
    return { status, connections: this.#webSockets.clients.size, handshakes: this.#waiting.size };
  }

  get #isClosing(): boolean {
    return this.#closing || this.#centralSystem.isClosing;
  }

  bypassed(request: IncomingMessage, status: number): void {
    this.#events.refused({ ...noUpgrade, status }, this.#peerOf(request, this.#identityIn(request)));
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
    else this.#events.refuse(socket, refusalOfClientError(error, this.handshakeTimeoutMs), addressOf(socket));
  }

  /** Reports a failure of the server itself: it could not accept a TCP connection, for example. */
  failed(error: Error): void {
    if (!this.#descriptors.failed(error)) this.#events.fault(undefined, error);
  }

  /** Reports a TLS handshake that failed, unless it was this end that dropped the peer. */
  tlsFailed(refusal: Refusal, socket: Socket): void {
    if (this.#silent.settled(socket)) this.#events.refused(refusal, addressOf(socket));
  }

  /** Begins to look after the process, once nothing can go wrong any more. */
  opened(): void {
    this.#descriptors.start();
  }

  /** Refuses what is undecided, closes every connection with 1001, and resolves when all WebSockets are gone. */
  close(): Promise<void> {
    this.#closing = true;
    for (const [wait, { socket, peer }] of this.#waiting) {
      if (wait.end(new Error(shuttingDown.message))) this.#events.refuse(socket, shuttingDown, peer);
    }
    this.#waiting.clear();
    this.connections.closeAll(1001, "The Central System shuts down");
    this.#descriptors.stop();
    this.#centralSystem.off("finished", this.#told);
    return new Promise((resolve) => this.#webSockets.close(() => resolve()));
  }

  #identityIn(request: IncomingMessage): string | undefined {
    return identityFromPath(targetOf(request), this.path) ?? this.#quirks.identityIn(request, this.path);
  }

  #peerOf(request: IncomingMessage, identity: string | undefined): Concerned {
    return { identity, remoteAddress: this.#addresses.of(request) };
  }

  #refusalOfRoom(network: string | undefined): Refusal | undefined {
    if (this.#webSockets.clients.size >= this.#maxConnections) return tooManyConnections(this.#maxConnections);
    const { connectionsPerAddress = Number.POSITIVE_INFINITY } = this.#options.limits ?? {};
    if (this.connections.countFrom(network) < connectionsPerAddress) return undefined;
    return crowdedAddress(`${connectionsPerAddress} Charge Points are connected`, "connectionsPerAddress");
  }

  /**
   * Decides on a handshake; the place is kept until there is a decision, wanted or not.
   *
   * @param candidate.peer - Found out before: a socket that has closed has forgotten where it came from.
   */
  #decide(candidate: Candidate, network: string | undefined, place: Place): void {
    const { request, socket, identity, peer } = candidate;
    const timeoutMs = this.handshakeTimeoutMs;
    const wait = new WaitingHandshake(candidate, this.#clock, timeoutMs, {
      late: () => {
        this.#waiting.delete(wait);
        this.#places.late(this.#clock.now());
        this.#events.refuse(socket, undecided(timeoutMs), peer);
      },
      gone: () => {
        this.#waiting.delete(wait);
        if (wait.isAnswered) this.#events.fault(identity, answeredByOther());
      },
    });
    this.#waiting.set(wait, candidate);
    const replaces = this.#centralSystem.get(identity) !== undefined;
    const admitted = async (): Promise<void> => {
      const verdict = await this.#authentication.of({ request, identity, network, signal: wait.signal });
      if (!wait.decided()) return; // It hung up, or has had its answer.
      this.#places.inTime();
      // [J-164] An older connection has its own time to give a sign of life.
      const unwanted = "refusal" in verdict ? undefined : await this.#centralSystem.admit(identity, wait.signal);
      if (!wait.end()) return;
      this.#waiting.delete(wait);
      const refusal =
        "refusal" in verdict
          ? verdict.refusal
          : (unwanted ?? this.#refusalByNow(request) ?? (replaces ? undefined : this.#refusalOfRoom(network)));
      if (wait.isAnswered) this.#events.fault(identity, answeredByOther());
      else if (refusal !== undefined) this.#events.refuse(socket, refusal, peer);
      else if ("context" in verdict) this.#open(candidate, wait.arrived, verdict.context);
    };
    admitted()
      .catch((error) => {
        // Nobody else would hear of it, and nobody serves this socket.
        this.#events.fault(identity, error);
        socket.destroy();
      })
      .finally(() => this.#places.release(place));
  }

  /** Why a certificate that was valid when the decision began is not any more. */
  #refusalByNow({ socket }: IncomingMessage): Refusal | undefined {
    if (this.connections.isRevoked(certificateOf(socket))) return revokedCertificate;
    return this.#options.securityProfile === 3 ? refusalOfProfile(3, socket, undefined) : undefined;
  }

  #open(candidate: Candidate, head: Buffer, context: unknown): void {
    const { request, socket } = candidate;
    this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#opened(webSocket, candidate, context));
  }

  #opened(webSocket: WebSocket, { request, socket, identity, peer }: Candidate, context: unknown): void {
    const certificate = certificateOf(request.socket);
    const transport = new WebSocketTransport(webSocket, socket, this.#options, {
      remoteAddress: peer.remoteAddress,
      channel: channelOf(request.socket, this.#options.securityProfile ?? 0, webSocket.protocol, certificate),
      cut: this.#isCut(identity),
    });
    if (webSocket.protocol === "" && !this.#quirks.forgivesSubprotocol(request)) {
      // J-024: the handshake is completed without the header, then the WebSocket is closed at once; J-025: unheard.
      const refusal = noSubprotocol(request.headers["sec-websocket-protocol"]);
      transport.close(1002, refusal.body);
      this.#events.refused(refusal, peer);
      return;
    }
    this.#events.tolerated(this.#quirks.usesIn(request), identity);
    const connection = this.#centralSystem.accept(transport, identity, context);
    this.connections.add(connection, { certificate, network: networkOf(peer.remoteAddress) });
    webSocket.once("close", () => this.connections.remove(connection));
    if (certificate !== undefined) this.ends.look(certificate, { whose: "charge-point", identity });
  }

  #isCut(identity: string): boolean {
    const { cuts = () => false } = this.#options;
    const fault = (error: unknown): void => this.#events.fault(identity, error);
    const answer: unknown = asked("cuts", () => cuts(identity), fault);
    if (answer !== undefined && typeof answer !== "boolean") {
      fault(new TypeError(`cuts answered ${typeof answer}. Answer true or false.`));
    }
    return answer === true;
  }

  #dropSilent(socket: Socket, isPlain: boolean): void {
    const refusal = tooManySilent(this.#maxConnections);
    if (isPlain) this.#events.refuse(socket, refusal, addressOf(socket));
    else {
      const { status: _, ...untold } = refusal;
      this.#events.refused(untold, addressOf(socket));
      socket.destroy();
    }
  }
}

/** With the options `server` and `path`, a `WebSocketServer` of `ws` answers 400 to everything at other paths. */
const answeredByOther = (): Error =>
  new Error(
    "Another listener of the server's event upgrade has answered this handshake. " +
      "Let it leave alone what is not at its own path; a WebSocketServer needs the option noServer for that.",
  );
