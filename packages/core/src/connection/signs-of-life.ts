import type { Clock } from "../clock.ts";
import type { Tolerated } from "../messages/tolerance.ts";
import type { ConnectionEvents } from "./connection-events.ts";
import type { Emitter } from "./emitter.ts";

/** The connection whose peer it is. */
interface Living extends Pick<Emitter<ConnectionEvents>, "emit"> {
  close(code: number, reason: string): void;
}

/** Whether the peer of a connection lives: by what arrives, by what it is asked for, and by how long it is silent. */
export class SignsOfLife {
  readonly #connection: Living;
  readonly #clock: Clock;
  #lastHeardAt: number;
  /** How often something has arrived. */
  #arrivals = 0;
  /** What wants to know whether the peer lives. */
  #probes: readonly ((alive: boolean) => void)[] = [];
  /** The longest silence of a peer that answers no pings, in milliseconds. */
  #longestSilenceMs = Number.POSITIVE_INFINITY;
  #answersNoPings = false;
  #disarmSilence: (() => void) | undefined;

  constructor(connection: Living, clock: Clock, connectedAt: number) {
    this.#connection = connection;
    this.#clock = clock;
    this.#lastHeardAt = connectedAt;
  }

  /** When something arrived last, in milliseconds since the epoch. */
  get lastHeardAt(): number {
    return this.#lastHeardAt;
  }

  /** Something has arrived. */
  heard(): void {
    this.#lastHeardAt = this.#clock.now();
    this.#arrivals += 1;
  }

  ponged(): void {
    this.#answersNoPings = false;
    for (const settle of this.#probes) settle(true);
  }

  /** The first ping has got no answer. */
  unanswered(): void {
    this.#answersNoPings = true;
    this.#connection.emit("tolerated", unansweredPings);
    this.#watchSilence();
  }

  /** Says how long the peer may be silent if it answers no pings. */
  limitSilence(longestSilenceMs: number): void {
    this.#longestSilenceMs = longestSilenceMs;
    this.#watchSilence();
  }

  /**
   * Asks for a sign of life. A pong is one at once; anything else that arrives counts when the time is over.
   *
   * @returns Whether there was one in time; false once it has ended.
   */
  probe(timeoutMs: number, ping: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (alive: boolean): void => {
        disarm();
        this.#probes = this.#probes.filter((other) => other !== settle);
        resolve(alive);
      };
      const heardBefore = this.#arrivals;
      const disarm = this.#clock.wakeAt(this.#clock.now() + timeoutMs, () => settle(this.#arrivals > heardBefore));
      this.#probes = [...this.#probes, settle];
      ping();
    });
  }

  /** The connection has ended. */
  end(): void {
    for (const settle of this.#probes) settle(false);
    this.#disarmSilence?.();
  }

  #watchSilence(): void {
    this.#disarmSilence?.();
    if (!this.#answersNoPings || this.#longestSilenceMs === Number.POSITIVE_INFINITY) return;
    const silentMs = this.#clock.now() - this.#lastHeardAt;
    if (silentMs >= this.#longestSilenceMs)
      this.#connection.close(1008, `Nothing arrived for ${Math.round(silentMs)} ms, not even a pong`);
    else
      this.#disarmSilence = this.#clock.wakeAt(this.#lastHeardAt + this.#longestSilenceMs, () => this.#watchSilence());
  }
}

/** What is told of a peer that lets its first ping go unanswered. */
const unansweredPings: Tolerated = {
  quirk: "unansweredPings",
  id: "Q20",
  path: "",
  message: "The peer answers no pings; whether it is there is judged by what else it sends.",
};
