/*
 * When to ping a peer, and when it is lost, as a machine.
 *
 * Theory of operation. What stands between the two ends, a proxy or a load balancer, cuts a connection that is silent in
 * either direction, most of them after 60 s. So a ping is due when this end has sent nothing for the interval, or has heard
 * nothing for it: the ping is heard in the one direction, its pong in the other.
 *
 * Whoever has answered a ping once answers all of them: when nothing at all arrives for an interval after one, the peer
 * is lost. There is firmware that never answers any. It is pinged all the same, for the proxies' sake, and told once as
 * `unanswered`: it has to be judged by what else it sends.
 *
 *   Inputs    sent      this end has sent something
 *             heard     something has arrived, be it a part of a message
 *             ponged    a pong was among it
 *             stop      the connection is ending
 *   Outputs   ping, unanswered, lost
 *
 * The deadline is only put off when it has come: a timer for each message would cost more than the message.
 */
import type { Machine } from "@ocppj/core";

export type LivenessOutput = "ping" | "unanswered" | "lost";

/** Judges the silence of one peer. @spec OCPP-J 1.6 §5.3, §7; J errata 3.9 [J-150 … J-154, Q20] */
export class Liveness implements Machine<LivenessOutput> {
  readonly #intervalMs: number;
  readonly #outputs: LivenessOutput[] = [];
  #deadline: number;
  #sentAt: number;
  #heardAt: number;
  /** When the latest ping was sent, and the first one that nothing has followed. */
  #pingedAt = Number.NEGATIVE_INFINITY;
  #askedAt: number | undefined;
  /** When the first ping was sent, while no pong has come. */
  #firstPingAt: number | undefined;
  #judgement: "none yet" | "answers" | "answers none" = "none yet";

  /** @param intervalMs - The longest silence of either end, in milliseconds; 0 for never a ping. */
  constructor(intervalMs: number, now: number) {
    this.#intervalMs = intervalMs;
    this.#sentAt = now;
    this.#heardAt = now;
    this.#deadline = intervalMs > 0 ? now + intervalMs : Number.POSITIVE_INFINITY;
  }

  get deadline(): number {
    return this.#deadline;
  }

  /** How long nothing has arrived, in milliseconds. */
  silentMs(now: number): number {
    return now - this.#heardAt;
  }

  poll(): LivenessOutput | undefined {
    return this.#outputs.shift();
  }

  sent(now: number): void {
    this.#sentAt = now;
  }

  heard(now: number): void {
    this.#heardAt = now;
    this.#askedAt = undefined;
  }

  ponged(): void {
    this.#judgement = "answers";
  }

  stop(): void {
    this.#deadline = Number.POSITIVE_INFINITY;
    this.#outputs.length = 0;
  }

  advance(now: number): void {
    if (now < this.#deadline) return;
    if (now >= this.#lostAt()) {
      // J-154: a missing pong means that the connection is dead. [Q20]: not while anything else arrives.
      this.#deadline = Number.POSITIVE_INFINITY;
      this.#outputs.push("lost");
      return;
    }
    if (now >= this.#unansweredAt()) {
      this.#judgement = "answers none";
      this.#outputs.push("unanswered");
    }
    if (now >= this.#pingAt()) this.#ping(now);
    this.#deadline = Math.min(this.#lostAt(), this.#unansweredAt(), this.#pingAt());
  }

  #ping(now: number): void {
    this.#sentAt = now;
    this.#pingedAt = now;
    this.#askedAt ??= now;
    this.#firstPingAt ??= now;
    this.#outputs.push("ping");
  }

  #pingAt(): number {
    return Math.min(this.#sentAt, Math.max(this.#heardAt, this.#pingedAt)) + this.#intervalMs;
  }

  #lostAt(): number {
    if (this.#judgement !== "answers" || this.#askedAt === undefined) return Number.POSITIVE_INFINITY;
    return this.#askedAt + this.#intervalMs;
  }

  #unansweredAt(): number {
    if (this.#judgement !== "none yet" || this.#firstPingAt === undefined) return Number.POSITIVE_INFINITY;
    return this.#firstPingAt + this.#intervalMs;
  }
}
