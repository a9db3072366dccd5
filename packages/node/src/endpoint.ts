import { type IncomingMessage, type ServerResponse, STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import {
  type CentralSystem,
  type Clock,
  type Connection,
  type HandshakeRefusal,
  identityFromPath,
  subprotocol,
  systemClock,
} from "@ocppj/core";
import { type WebSocket, WebSocketServer } from "ws";
import { basicCredentials, passwordOf } from "./basic-authorization.ts";
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
  /** The upgrade request, for what else may decide: other headers, the remote address, a client certificate. */
  readonly request: IncomingMessage;
}

/**
 * Decides on a Charge Point: `true` lets it in, `false` is answered with 401, `"unknown-identity"` with 404. Anything
 * else, an exception too, is answered with 500 and reported as `fault`.
 *
 * @spec OCPP-J 1.6 §3.2; security white paper §2.3 [J-030, J-032, SEC-A00-207]
 */
export type Authenticate = (
  attempt: AuthenticationAttempt,
) => boolean | "unknown-identity" | Promise<boolean | "unknown-identity">;

/** Settings of an OCPP-J endpoint, whatever server it is on. */
export interface EndpointOptions extends TransportOptions {
  /** Path of the endpoint URL, percent-encoded. Default `/`. */
  readonly path?: string;
  /** Decides who may connect. Default: everybody, which is right only where the network itself is trusted. [J-171] */
  readonly authenticate?: Authenticate;
  /**
   * How many milliseconds `authenticate` may take; a handshake that takes longer is answered with 503. On a server of
   * its own also how long a peer may take to send its request, within half as much again. Default 10 000.
   */
  readonly handshakeTimeoutMs?: number;
}

/** Why a handshake is refused, as peer and application are told. */
interface Refusal extends Pick<HandshakeRefusal, "reason" | "status" | "message"> {
  readonly headers?: Readonly<Record<string, string>>;
}

/** One OCPP-J endpoint: decides on opening handshakes and hands what passes to the Central System. */
export class Endpoint implements UpgradeEndpoint {
  readonly path: string;
  readonly #centralSystem: CentralSystem;
  readonly #options: EndpointOptions;
  readonly #clock: Clock;
  readonly #webSockets: WebSocketServer;
  /** The sockets that wait for a decision. */
  readonly #undecided = new Map<Duplex, { readonly identity: string; readonly disarm: () => void }>();
  readonly #connections = new Set<Connection<"CentralSystem">>();
  #closing = false;

  constructor(centralSystem: CentralSystem, options: EndpointOptions) {
    this.path = options.path ?? "/";
    this.#centralSystem = centralSystem;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#webSockets = new WebSocketServer({
      ...webSocketOptions(options),
      noServer: true,
      // J-023, J-028: one of those that were offered, compared exactly; trap 14: and of those that this end speaks.
      handleProtocols: (offered) => (offered.has(subprotocol) ? subprotocol : false),
    });
    this.#webSockets.on("wsClientError", (error, socket, request) => {
      this.#refuse(socket, badRequest(error), this.#identityIn(request));
    });
  }

  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => {}); // A peer that hangs up is no error of ours; `close` follows.
    const identity = this.#identityIn(request);
    if (identity === undefined) this.#refuse(socket, wrongPath(request), identity);
    else this.#decide(request, socket, head, identity);
  }

  /** Answers a request that does not ask for an upgrade. */
  request(request: IncomingMessage, response: ServerResponse): void {
    const { status, message, headers } = noUpgrade;
    response.writeHead(status, { ...headers, "Content-Type": "text/plain; charset=utf-8" }).end(`${message}\n`);
    // Without this header it was no handshake, but a health check or somebody's browser. [Q18]
    if (request.headers["sec-websocket-key"] === undefined) return;
    this.#refused(noUpgrade, this.#identityIn(request));
  }

  /** Reports a failure of the server itself: it could not accept a TCP connection, for example. */
  failed(error: Error): void {
    this.#fault(undefined, error);
  }

  /** Refuses what is undecided, closes every connection with 1001, and resolves when all WebSockets are gone. */
  close(): Promise<void> {
    this.#closing = true;
    for (const [socket, { identity }] of this.#undecided) {
      if (this.#decided(socket)) this.#refuse(socket, shuttingDown, identity);
    }
    for (const connection of this.#connections) connection.close(1001, "The Central System shuts down");
    return new Promise((resolve) => this.#webSockets.close(() => resolve()));
  }

  #decide(request: IncomingMessage, socket: Duplex, head: Buffer, identity: string): void {
    const timeoutMs = this.#options.handshakeTimeoutMs ?? 10_000;
    const disarm = this.#clock.wakeAt(this.#clock.now() + timeoutMs, () => {
      if (this.#decided(socket)) this.#refuse(socket, timedOut(timeoutMs), identity);
    });
    this.#undecided.set(socket, { identity, disarm });
    socket.once("close", () => this.#decided(socket));

    void this.#judge(request, identity).then((refusal) => {
      if (!this.#decided(socket)) return; // It hung up, or has had its answer.
      if (refusal !== undefined) this.#refuse(socket, refusal, identity);
      else this.#open(request, socket, head, identity);
    });
  }

  #identityIn({ url = "" }: IncomingMessage): string | undefined {
    return identityFromPath(url, this.path);
  }

  /** Ends the wait of a socket; whether it still waited. */
  #decided(socket: Duplex): boolean {
    this.#undecided.get(socket)?.disarm();
    return this.#undecided.delete(socket);
  }

  /** Never rejects: whatever the application's hook does, there is an answer. [trap 2] */
  async #judge(request: IncomingMessage, identity: string): Promise<Refusal | undefined> {
    if (this.#closing) return shuttingDown;
    const credentials = basicCredentials(request.headers.authorization);
    const password = credentials === undefined ? undefined : passwordOf(identity, credentials);
    // SEC-A00-204: the user name is the identity, so there is nothing to ask about another one.
    if (credentials !== undefined && password === undefined) return otherUser;
    const { authenticate } = this.#options;
    try {
      const decision: unknown = authenticate === undefined || (await authenticate({ identity, password, request }));
      if (decision === true) return await this.#centralSystem.admit(identity);
      if (decision === false) return unauthorized;
      if (decision === "unknown-identity") return unknownIdentity;
      throw new TypeError(`authenticate answered ${String(decision)}. Answer true, false or "unknown-identity".`);
    } catch (error) {
      this.#fault(identity, error);
      return faulty;
    }
  }

  #open(request: IncomingMessage, socket: Duplex, head: Buffer, identity: string): void {
    try {
      this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#opened(webSocket, socket, identity));
    } catch (error) {
      this.#fault(identity, error); // Another `upgrade` listener has taken this socket, too.
    }
  }

  #opened(webSocket: WebSocket, socket: Duplex, identity: string): void {
    const transport = new WebSocketTransport(webSocket, socket, this.#options);
    if (webSocket.protocol !== subprotocol) {
      // J-024: the handshake is completed without the header, then the WebSocket is closed at once; J-025: unheard.
      transport.close(1002, noSubprotocol.message);
      this.#refused(noSubprotocol, identity);
      return;
    }
    const connection = this.#centralSystem.accept(transport, identity);
    this.#connections.add(connection);
    webSocket.once("close", () => this.#connections.delete(connection));
  }

  #refuse(socket: Duplex, refusal: Refusal, identity: string | undefined): void {
    const { status, message, headers } = refusal;
    const body = `${message}\n`;
    const lines = Object.entries({
      Connection: "close",
      "Content-Type": "text/plain; charset=utf-8",
      "Content-Length": Buffer.byteLength(body),
      ...headers,
    }).map(([name, value]) => `${name}: ${value}\r\n`);
    const answer = `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`;
    socket.end(answer, () => socket.destroy());
    this.#refused(refusal, identity);
  }

  #refused({ reason, status, message }: Refusal, identity: string | undefined): void {
    try {
      this.#centralSystem.emit("refused", { ...(identity !== undefined && { identity }), reason, status, message });
    } catch (error) {
      this.#fault(identity, error);
    }
  }

  #fault(identity: string | undefined, error: unknown): void {
    try {
      this.#centralSystem.emit("fault", { ...(identity !== undefined && { identity }), error });
    } catch {
      // What a listener of `fault` throws cannot be reported to anybody.
    }
  }
}

const noSubprotocol: Refusal = {
  reason: "subprotocol",
  status: 101,
  message: `The subprotocol "${subprotocol}" was not offered`,
};

const unauthorized: Refusal = {
  reason: "unauthorized",
  status: 401,
  message: "The credentials of this Charge Point are missing or wrong.",
  headers: { "WWW-Authenticate": 'Basic realm="OCPP"' },
};

const otherUser: Refusal = {
  ...unauthorized,
  message: "The user name in the Authorization header is not the identity in the URL.",
};

const unknownIdentity: Refusal = {
  reason: "unknown-identity",
  status: 404,
  message: "No Charge Point of this identity is known here.",
};

const faulty: Refusal = {
  reason: "fault",
  status: 500,
  message: "The Central System failed to check the credentials.",
};

const shuttingDown: Refusal = { reason: "closing", status: 503, message: "The Central System is shutting down." };

const noUpgrade: Refusal = {
  reason: "request",
  status: 426,
  message:
    `This is an OCPP-J endpoint: open a WebSocket with the subprotocol "${subprotocol}". ` +
    "If you did, something in between removed the header Connection: Upgrade.",
  headers: { Connection: "Upgrade, close", Upgrade: "websocket" },
};

const timedOut = (timeoutMs: number): Refusal => ({
  reason: "timeout",
  status: 503,
  message: `The Central System did not decide on this Charge Point within ${timeoutMs} ms.`,
});

const badRequest = ({ message }: Error): Refusal => ({
  reason: "request",
  status: 400,
  message: `This is no opening handshake of a WebSocket: ${message}.`,
  headers: { "Sec-WebSocket-Version": "13" },
});

/** J-008: a path that is not valid percent-encoded UTF-8 fails the handshake, and nothing else. [trap 1] */
function wrongPath({ url = "" }: IncomingMessage): Refusal {
  try {
    decodeURIComponent(url.replace(/\?.*/, ""));
  } catch {
    return { reason: "path", status: 400, message: "The path is not valid percent-encoded UTF-8." };
  }
  return { reason: "path", status: 404, message: "The URL is not that of an OCPP-J endpoint with one identity added." };
}
