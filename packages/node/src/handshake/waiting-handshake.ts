import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Clock } from "@ocppj/core";
import { readAhead } from "./read-ahead.ts";

/** The handshake that waits. */
interface Waiting {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What has arrived behind the request. */
  readonly head: Buffer;
}

/** What ends a wait that is not ended by its decision; whichever comes first is told. */
interface WaitListener {
  /** The time is up. */
  readonly late: () => void;
  /** The socket has closed. */
  readonly gone: () => void;
}

/**
 * The wait of a socket for the decision on its handshake. Meanwhile it is read, since nobody would hear otherwise that the
 * peer has hung up.
 */
export class WaitingHandshake {
  readonly #waiting: Waiting;
  readonly #controller = new AbortController();
  readonly #stopReading: () => Buffer;
  readonly #disarm: () => void;
  readonly #gone: () => void;
  readonly #bytesWritten: number;
  #arrived: Buffer;
  #isOver = false;

  constructor(waiting: Waiting, clock: Clock, timeoutMs: number, { late, gone }: WaitListener) {
    const { request, socket, head } = waiting;
    this.#waiting = waiting;
    this.#arrived = head;
    this.#bytesWritten = request.socket.bytesWritten;
    this.#disarm = clock.wakeAt(clock.now() + timeoutMs, () => {
      if (this.end(new Error(`There was no decision within ${timeoutMs} ms.`))) late();
    });
    this.#stopReading = readAhead(socket, () => socket.destroy());
    this.#gone = () => {
      if (this.end(new Error("The peer has hung up."))) gone();
    };
    socket.once("close", this.#gone);
  }

  /** Aborts when nobody waits for the decision any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** What has arrived behind the request until the end of the wait. */
  get arrived(): Buffer {
    return this.#arrived;
  }

  /** Whether somebody else has answered. That this side has ended would not do: a peer with TLS that hangs up ends it, too. */
  get isAnswered(): boolean {
    return this.#waiting.request.socket.bytesWritten > this.#bytesWritten;
  }

  /** Takes note that there is a decision, so it cannot be late any more; whether somebody still waits for it. */
  decided(): boolean {
    this.#disarm();
    return !this.#isOver;
  }

  /**
   * Ends the wait; whether it still waited.
   *
   * @param reason - Why nobody waits for the decision any more, where it has not come.
   */
  end(reason?: Error): boolean {
    if (this.#isOver) return false;
    this.#isOver = true;
    this.#disarm();
    this.#waiting.socket.off("close", this.#gone); // Or the socket would keep the request as long as it is open.
    this.#arrived = Buffer.concat([this.#waiting.head, this.#stopReading()]);
    if (reason !== undefined) this.#controller.abort(reason);
    return true;
  }
}
