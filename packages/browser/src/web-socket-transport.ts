import { systemClock, type Tolerated, type Transport, type TransportListener } from "@ocppj/core";

/** What holds for every WebSocket. */
export interface TransportOptions {
  /**
   * The largest message that is passed on, in bytes of UTF-8; for a larger one the connection is closed with 1009. The
   * runtime has read it by then. Default 1 MiB. [J-143]
   */
  readonly maxFrameBytes?: number | undefined;
  /**
   * How many bytes may wait to be sent. A peer that does not read them is disconnected with 1008. A single message that
   * is larger is sent all the same. Default 4 MiB.
   */
  readonly maxBufferedBytes?: number | undefined;
  /** How many milliseconds the peer has to answer a close frame. Default 5000. */
  readonly closeTimeoutMs?: number | undefined;
}

/** How many characters of messages may wait for `listen`; an empty message counts for about what it takes to keep it. */
const maxEarlyLength = 2 ** 20;
const emptyMessageLength = 100;

/**
 * An open W3C WebSocket as a {@link Transport}.
 *
 * Theory of operation: the runtime reassembles, checks UTF-8, answers pings and shakes hands on closing. It cannot be
 * paused, so what arrives before `listen` is kept here, within bounds. Nor can it be terminated: for a peer that never
 * answers a close, browsers take up to a minute, so the end is reported without them.
 *
 * Its `close` takes 1000 and 3000 to 4999. A code of the protocol itself, such as 1008, goes out as the same number plus
 * 3000; any other number as 1000. A reason is cut off after 123 bytes.
 *
 * @spec OCPP-J 1.6 §3, §4.1.2 [J-047, J-143, J-144, J-158]
 */
export class WebSocketTransport implements Transport {
  readonly tolerated: readonly Tolerated[];
  readonly #webSocket: WebSocket;
  readonly #maxFrameBytes: number;
  readonly #maxBufferedBytes: number;
  readonly #closeTimeoutMs: number;
  #listener: TransportListener | undefined;
  /** What happened before `listen`. */
  readonly #early: ((listener: TransportListener) => void)[] = [];
  #earlyLength = 0;
  /** Whether this end has begun to close; messages are then no longer delivered. */
  #deaf = false;
  /** Why this end gave the connection up. */
  #verdict: { readonly code: number; readonly reason: string } | undefined;
  #ended = false;
  #disarm = (): void => {};

  /**
   * Takes over a WebSocket in the very turn in which it opened, before anything can arrive.
   *
   * @param tolerated - What was forgiven of the opening handshake.
   */
  constructor(webSocket: WebSocket, options: TransportOptions = {}, tolerated: readonly Tolerated[] = []) {
    this.tolerated = tolerated;
    this.#webSocket = webSocket;
    this.#maxFrameBytes = options.maxFrameBytes ?? 2 ** 20;
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 4 * 2 ** 20;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 5000;
    webSocket.addEventListener("message", ({ data }) => this.#message(data));
    // Deno has 0 for a connection that was lost.
    webSocket.addEventListener("close", ({ code, reason }) => this.#end(code || 1006, reason));
  }

  /** Whether the WebSocket is open no longer; from the peer's Close frame on, too. */
  get closing(): boolean {
    return this.#webSocket.readyState !== WebSocket.OPEN;
  }

  listen(listener: TransportListener): void {
    this.#listener = listener;
    // Microtasks precede every later event of the WebSocket; with one for each, a listener that throws misses none.
    for (const event of this.#early.splice(0)) queueMicrotask(() => event(listener));
  }

  send(text: string): void {
    if (this.closing) return;
    const waiting = this.#webSocket.bufferedAmount;
    if (waiting > 0 && waiting + bytesIn(text) > this.#maxBufferedBytes) {
      this.#giveUp(1008, `${waiting} bytes wait to be read`);
    } else {
      this.#webSocket.send(text);
    }
  }

  close(code = 1000, reason = ""): void {
    if (this.closing) return;
    this.#deaf = true;
    this.#webSocket.close(permittedCode(code), permittedReason(reason));
    this.#disarm = systemClock.wakeAt(systemClock.now() + this.#closeTimeoutMs, () => this.#end(1006, ""));
  }

  #message(content: unknown): void {
    if (typeof content !== "string") {
      this.#giveUp(1003, "OCPP-J messages are text messages");
    } else if (bytesIn(content) > this.#maxFrameBytes) {
      this.#giveUp(1009, `More than ${this.#maxFrameBytes} bytes`);
    } else if (this.#listener === undefined && !this.#canKeep(content)) {
      this.#giveUp(1008, "Too much to keep until somebody listens");
    } else {
      this.#report((listener) => {
        if (!this.#deaf) listener.message(content);
      });
    }
  }

  #canKeep(text: string): boolean {
    this.#earlyLength += text.length + emptyMessageLength;
    return this.#earlyLength <= maxEarlyLength;
  }

  /** Closes because of what the peer does; our side hears why, whatever the peer answers. */
  #giveUp(code: number, reason: string): void {
    this.#verdict ??= { code, reason };
    this.close(code, reason);
  }

  #end(code: number, reason: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#disarm();
    const { code: closeCode, reason: why } = this.#verdict ?? { code, reason };
    this.#report((listener) => listener.close(closeCode, why));
  }

  #report(event: (listener: TransportListener) => void): void {
    if (this.#listener === undefined) this.#early.push(event);
    else event(this.#listener);
  }
}

/** The code that a page may close with, in place of `code`. */
function permittedCode(code: number): number {
  if (code >= 3000 && code <= 4999) return code;
  return code > 1000 && code < 2000 ? code + 3000 : 1000;
}

/** As much of `reason` as fits into a close frame, in whole characters. */
function permittedReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(123));
  return reason.slice(0, read);
}

const bytesIn = (text: string): number => new TextEncoder().encode(text).length;
