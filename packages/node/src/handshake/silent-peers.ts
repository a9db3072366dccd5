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
  /** Those that do not wait any more. One that was dropped, or that has had its answer, may send a request all the same. */
  readonly #settled = new WeakSet<Socket>();

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

  /** Takes note that a peer has sent its request, or has failed to; false when it is too late for that. */
  settled(socket: Socket): boolean {
    this.#waiting.delete(farEndOf(socket));
    if (this.#settled.has(socket)) return false;
    this.#settled.add(socket);
    return true;
  }

  #dropSome(isPlain: boolean): void {
    for (const [farEnd, socket] of this.#waiting) {
      if (this.#waiting.size <= this.#max) return;
      this.#waiting.delete(farEnd);
      this.#settled.add(socket);
      this.#drop(socket, isPlain);
    }
  }
}

const farEndOf = ({ remoteAddress, remotePort }: Socket): string => `${remoteAddress} ${remotePort}`;
