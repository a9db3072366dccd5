import { once } from "node:events";
import type { TransportPeer } from "@ocppj/testing";
import type { WebSocket } from "ws";

/** A plain `ws` WebSocket as the far end of a transport under test, made in the turn in which it opened. */
export class FarEnd implements TransportPeer {
  readonly webSocket: WebSocket;
  /** How many pings arrived. */
  pings = 0;
  readonly #received: string[] = [];
  readonly #closed: Promise<{ readonly code: number; readonly reason: string }>;
  #ended = false;
  #changed = (): void => {};

  constructor(webSocket: WebSocket) {
    this.webSocket = webSocket;
    webSocket.on("error", () => {});
    webSocket.on("ping", () => {
      this.pings += 1;
    });
    webSocket.on("message", (payload) => {
      this.#received.push(String(payload));
      this.#changed();
    });
    this.#closed = new Promise((resolve) => {
      webSocket.on("close", (code, reason) => {
        this.#ended = true;
        this.#changed();
        resolve({ code, reason: reason.toString() });
      });
    });
  }

  send(text: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.webSocket.send(text, (error) => (error ? reject(error) : resolve()));
    });
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
    this.webSocket.close(code, reason);
  }

  closed(): Promise<{ readonly code: number; readonly reason: string }> {
    return this.#closed;
  }

  async vanish(): Promise<void> {
    this.webSocket.terminate();
  }

  async stall(): Promise<void> {
    this.webSocket.pause();
  }

  async sendBinary(bytes: readonly number[]): Promise<void> {
    this.webSocket.send(Uint8Array.from(bytes));
  }

  /** The next time that the WebSocket emits `event`. */
  next(event: "ping" | "pong"): Promise<unknown> {
    return once(this.webSocket, event);
  }
}
