import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";

/** Does what it likes with an upgrade request. */
type Answer = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

/** A Central System that answers every upgrade request as the test wants it. */
export class ScriptedCentralSystem {
  /** The upgrade requests so far. */
  readonly requests: IncomingMessage[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Duplex>();
  #socketGone = (): void => {};

  private constructor(server: Server, answer: Answer) {
    this.#server = server;
    server.on("connection", (socket: Duplex) => {
      this.#sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        this.#sockets.delete(socket);
        this.#socketGone();
      });
    });
    server.on("upgrade", (request, socket, head) => {
      this.requests.push(request);
      answer(request, socket, head);
    });
  }

  static async start(answer: Answer): Promise<ScriptedCentralSystem> {
    const server = createServer().listen(0, "127.0.0.1");
    await once(server, "listening");
    return new ScriptedCentralSystem(server, answer);
  }

  /** The endpoint URL. */
  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}/ocpp`;
  }

  /** Resolves when no TCP connection is open any more. */
  async socketsGone(): Promise<void> {
    while (this.#sockets.size > 0) {
      await new Promise<void>((resolve) => {
        this.#socketGone = resolve;
      });
    }
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, "close");
  }
}

/** Completes the opening handshake with a subprotocol, offered or not, or with none. */
export function choosing(subprotocol: string | false): Answer {
  const webSockets = new WebSocketServer({ noServer: true, handleProtocols: () => subprotocol });
  return (request, socket, head) => webSockets.handleUpgrade(request, socket, head, () => {});
}

/** Answers over HTTP, without a WebSocket. */
export function answering(status: string, ...headers: readonly string[]): Answer {
  return (_, socket) => {
    socket.resume().end([`HTTP/1.1 ${status}`, "Content-Length: 0", ...headers, "", ""].join("\r\n"));
  };
}

/** Never answers, and hangs up when the other end does. */
export const silent: Answer = (_, socket) => {
  socket.resume().on("end", () => socket.end());
};
