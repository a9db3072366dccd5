import type { Socket } from "node:net";

/**
 * The peers of a server of its own that are connected and have not sent their request. When there are too many, those that
 * have kept it waiting longest are dropped, so that peers who never send one do not keep others out.
 */
export class SilentPeers {
  readonly #max: number;
  readonly #drop: (socket: Socket, isPlain: boolean) => void;
  /** By their far end, longest waiting first: a socket with TLS and the one that it runs on have the same. */
  readonly #waiting = new Map<string, Socket>();
  /** Those that have been dropped: their request may still come, too late. */
  readonly #dropped = new WeakSet<Socket>();

  /** @param drop - Ends a connection; before TLS is up, it cannot be answered. */
  constructor(max: number, drop: (socket: Socket, isPlain: boolean) => void) {
    this.#max = max;
    this.#drop = drop;
  }

  connected(socket: Socket, isPlain: boolean): void {
    const farEnd = farEndOf(socket);
    this.#waiting.set(farEnd, socket);
    socket.once("close", () => {
      if (this.#waiting.get(farEnd) === socket) this.#waiting.delete(farEnd);
    });
    // Not at once: many who connect at the same moment have sent their requests, but these have not been read yet.
    if (this.#waiting.size === this.#max + 1) setImmediate(() => this.#dropSome(isPlain));
  }

  /** Takes note of a request; false when it is too late for it. */
  hasSpoken(socket: Socket): boolean {
    this.#waiting.delete(farEndOf(socket));
    return !this.#dropped.has(socket);
  }

  #dropSome(isPlain: boolean): void {
    for (const [farEnd, socket] of this.#waiting) {
      if (this.#waiting.size <= this.#max) return;
      this.#waiting.delete(farEnd);
      this.#dropped.add(socket);
      this.#drop(socket, isPlain);
    }
  }
}

const farEndOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
