import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { identityFromPath, subprotocol } from "@ocppj/core";
import type { TransportPeer } from "@ocppj/testing";
import { type WebSocket, WebSocketServer } from "ws";

/** A `ws` WebSocket, accepted by a server, as the far end of a transport under test. */
class FarEnd implements TransportPeer {
  readonly #webSocket: WebSocket;
  readonly #received: string[] = [];
  readonly #closed: Promise<{ readonly code: number; readonly reason: string }>;
  #ended = false;
  #changed = (): void => {};

  constructor(webSocket: WebSocket) {
    this.#webSocket = webSocket;
    webSocket.on("error", () => {});
    webSocket.on("message", (payload) => {
      this.#received.push(String(payload));
      this.#changed();
    });
    this.#closed = new Promise((resolve) => {
      webSocket.on("close", (code, reason) => {
        this.#ended = true;
        this.#changed();
        resolve({ code, reason: String(reason) });
      });
    });
  }

  /** Sends one message, or loses it when the other end has begun to close. */
  send(text: string): Promise<void> {
    return new Promise((resolve) => {
      this.#webSocket.send(text, () => resolve());
    });
  }

  /** Sends the same message many times. */
  async sendOften(text: string, times: number): Promise<void> {
    for (let sent = 0; sent < times; sent += 1) void this.send(text);
  }

  /** Sends one message in as many frames as there are parts. */
  async sendFragments(parts: readonly string[]): Promise<void> {
    for (const [index, part] of parts.entries()) this.#webSocket.send(part, { fin: index === parts.length - 1 });
  }

  async sendBinary(bytes: readonly number[]): Promise<void> {
    this.#webSocket.send(Uint8Array.from(bytes));
  }

  async receive(): Promise<string | undefined> {
    while (this.#received.length === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
    }
    return this.#received.shift();
  }

  async close(code: number, reason: string): Promise<void> {
    this.#webSocket.close(code, reason);
  }

  closed(): Promise<{ readonly code: number; readonly reason: string }> {
    return this.#closed;
  }

  async vanish(): Promise<void> {
    this.#webSocket.terminate();
  }

  async stall(): Promise<void> {
    this.#webSocket.pause();
  }

  /** Ends a stall. */
  async resume(): Promise<void> {
    this.#webSocket.resume();
  }
}

/** What a page can do to the far end of one of its transports. */
export type FarEndCommand = keyof FarEnd;

/** The far ends of the transports that a page opens, by their identities. */
export class FarEnds {
  readonly #server: WebSocketServer;
  readonly #byIdentity = new Map<string, FarEnd>();

  private constructor(server: WebSocketServer) {
    this.#server = server;
    server.on("connection", (webSocket, { url = "" }) => {
      this.#byIdentity.set(identityFromPath(url, "/") ?? "", new FarEnd(webSocket));
    });
  }

  static async listen(): Promise<FarEnds> {
    const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => subprotocol });
    await once(server, "listening");
    return new FarEnds(server);
  }

  get url(): string {
    return `ws://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** Runs a command of the page. */
  command(identity: string, name: FarEndCommand, args: readonly unknown[]): Promise<unknown> {
    const farEnd = this.#byIdentity.get(identity);
    if (farEnd === undefined) throw new Error(`"${identity}" has not connected.`);
    return (farEnd[name] as (...args: readonly unknown[]) => Promise<unknown>)(...args);
  }

  /** Ends every connection, the stalled ones, too. */
  terminate(): void {
    for (const webSocket of this.#server.clients) webSocket.terminate();
    this.#byIdentity.clear();
  }

  close(): void {
    this.terminate();
    this.#server.close();
  }
}
