/*
 * Registration of a Charge Point with its Central System, and the Heartbeats that follow, as a machine.
 *
 * Theory of operation. After a (re)boot the Charge Point sends BootNotification until the Central System accepts it; a
 * mere reconnect changes nothing (J-160), unless the Central System then turns out to have forgotten it. Whoever is not
 * accepted may send next to nothing, and after Rejected does not even answer; the table below says what each state permits
 * (CORE-BOOT-40 … CORE-BOOT-43).
 *
 * What an accepted Charge Point has to report carries timestamps. So a Heartbeat, which brings the time, comes first
 * whenever that may be wrong: on each connection but the one of the BootNotification, and when the own clock is doubted.
 * Statuses and queued messages wait until it has settled, well or not (J-163), and so they do for every Heartbeat as long as
 * the Central System has not told the time.
 *
 *   Inputs    connected, disconnected     the WebSocket
 *             answered, unanswered        the BootNotification that was asked for with `boot`
 *             heartbeatSettled            the Heartbeat that was asked for with `heartbeat`
 *             sent                        any message went to the Central System
 *             told                        the Central System has told the time
 *             doubted                     the machine slept, or a clock was set
 *             triggered                   a TriggerMessage was accepted, and its answer is on its way
 *             forgotten                   the Central System does not know that it has accepted this Charge Point
 *             configured                  HeartbeatInterval was set
 *   Outputs   boot, heartbeat             send one
 *             registered                  the Central System has answered
 *             online                      statuses and queued messages may be sent from now on
 *   Queries   allows, answers, online     the gates in front of calls, of handlers, and of statuses and queued messages
 *
 * At most one BootNotification or Heartbeat of this machine is unanswered at a time.
 *
 * Not handled here: the payloads, the clock that `currentTime` sets (central-time.ts), time-outs of the calls.
 */

import type { Machine } from "../machine.ts";
import type { Action, Conf } from "../messages/actions.ts";

/** Where the registration stands. `Unregistered`: no BootNotification was answered since the boot. */
export type RegistrationState = "Unregistered" | "Pending" | "Rejected" | "Accepted";

export type RegistrationOutput =
  | { readonly type: "boot" }
  | { readonly type: "heartbeat" }
  | {
      readonly type: "registered";
      readonly status: Conf<"BootNotification">["status"];
      /** Accepted: time between Heartbeats. Otherwise: time until the next BootNotification. In milliseconds. */
      readonly intervalMs: number;
    }
  | { readonly type: "online" };

/** What may be sent and answered in each state. @spec OCPP 1.6 §4.2 [CORE-BOOT-40 … CORE-BOOT-43] */
export const permissions = {
  /** CORE-BOOT-02. The documents do not say whether CALLs are answered; silence would look like a dead line. */
  Unregistered: { calls: "boot", answers: true },
  /** CORE-BOOT-09, CORE-BOOT-10 */
  Pending: { calls: "triggered", answers: true },
  /** CORE-BOOT-12, CORE-BOOT-13 */
  Rejected: { calls: "boot", answers: false },
  Accepted: { calls: "all", answers: true },
} as const satisfies Record<RegistrationState, { calls: "boot" | "triggered" | "all"; answers: boolean }>;

/** What leads from state to state. */
export const registrationTransitions = {
  Unregistered: { Accepted: "Accepted", Pending: "Pending", Rejected: "Rejected" },
  Pending: { Accepted: "Accepted", Pending: "Pending", Rejected: "Rejected" },
  Rejected: { Accepted: "Accepted", Pending: "Pending", Rejected: "Rejected" },
  /** A reboot, which makes a new machine, ends it, or a Central System that has forgotten it. */
  Accepted: { forgotten: "Unregistered" },
} as const satisfies Record<
  RegistrationState,
  Partial<Record<Conf<"BootNotification">["status"] | "forgotten", RegistrationState>>
>;

const second = 1000;
const day = 24 * 60 * 60 * second;

/** A shorter interval would do nothing but load the line. */
const shortestIntervalMs = 1 * second;
/** CORE-BOOT-06: the time until the next BootNotification where the Central System leaves it to us. */
const ownRetryMs = 60 * second;
/** A longer wait is no wait but a mistake, and a charge point that obeyed it would be lost. */
const longestRetryMs = 7 * day;
/** J-157: only a Heartbeat brings the time of the Central System, so there is one a day whatever else is sent. */
const longestHeartbeatMs = day;

/** Machine 2 of 4. @spec OCPP 1.6 §4.2, §4.6 */
export class Registration implements Machine<RegistrationOutput> {
  #outputs: RegistrationOutput[] = [];
  #state: RegistrationState = "Unregistered";
  #connected = false;
  /** Accepted on an earlier connection: whether the Central System remembers it, the next CALL will show. */
  #presumed = false;
  /** A BootNotification or Heartbeat of ours is unanswered. */
  #waiting = false;
  /** It is a BootNotification. */
  #booting = false;
  /** Not Accepted: no BootNotification earlier than this. [CORE-BOOT-05, CORE-BOOT-07] */
  #bootAt = Number.NEGATIVE_INFINITY;
  /** The wait that the Central System last asked for, to be used when it does not answer. [J-212] */
  #retryMs = ownRetryMs;
  #heartbeatMs: number;
  #lastSent = Number.NEGATIVE_INFINITY;
  #lastHeartbeat = Number.NEGATIVE_INFINITY;
  /** When a TriggerMessage asked for a Heartbeat that was not sent yet. */
  #askedAt = Number.POSITIVE_INFINITY;
  /** Since when the time is in doubt, and nothing was sent yet whose answer brings it. */
  #doubtedAt = Number.POSITIVE_INFINITY;
  /** The Heartbeat that is unanswered brings a time that is in doubt, or was never told. */
  #reassuring = false;
  /** The Central System has told the time since the last doubt of the own clock. */
  #told = false;
  readonly #solicited = new Set<Action>();

  /** @param heartbeatMs - Time between Heartbeats where the Central System leaves it to us, in milliseconds. */
  constructor(heartbeatMs: number) {
    this.#heartbeatMs = withinBounds(heartbeatMs, longestHeartbeatMs);
  }

  get state(): RegistrationState {
    return this.#state;
  }

  get deadline(): number {
    if (!this.#connected || this.#waiting) return Number.POSITIVE_INFINITY;
    return Math.min(this.#askedAt, this.#state === "Accepted" ? this.#heartbeatAt() : this.#bootAt);
  }

  poll(): RegistrationOutput | undefined {
    return this.#outputs.shift();
  }

  /**
   * Whether the gate is open for a CALL of ours. It is closed while a BootNotification is unanswered: what waits behind
   * it would be sent although the answer may be Rejected. [CORE-BOOT-12]
   */
  allows(action: Action): boolean {
    return action === "BootNotification" || (!this.#booting && this.#permits(action));
  }

  /** Whether statuses and queued messages may be sent. */
  get online(): boolean {
    return this.#connected && this.#state === "Accepted" && !this.#inDoubt && !this.#reassuring;
  }

  /** Whether a TriggerMessage can ask for another message than BootNotification now. */
  get mayBeAsked(): boolean {
    return this.#state !== "Unregistered" && !this.#booting;
  }

  /** Whether a BootNotification can be asked for now. [RT-13] */
  get mayBoot(): boolean {
    return this.#state !== "Accepted" || this.#presumed;
  }

  /** Whether CALLs of the Central System are answered. [CORE-BOOT-13] */
  get answers(): boolean {
    return permissions[this.#state].answers;
  }

  /**
   * J-160: who was accepted goes on as if nothing had happened, after a Heartbeat, except where something has.
   *
   * @param news.elsewhere - The URL is another one than at the last connection: whoever is there has accepted nobody yet.
   * @param news.changed - BootNotification says something else than at the last connection.
   */
  connected(now: number, { elsewhere = false, changed = false } = {}): void {
    this.#connected = true;
    this.#presumed = this.#state === "Accepted";
    if (elsewhere) this.#bootAt = now;
    if (elsewhere || changed) this.forgotten(now);
    if (this.#presumed) this.#doubtedAt = now;
    this.advance(now);
  }

  disconnected(): void {
    this.#connected = false;
    // What was to be sent is not sent to the next one; what was answered stays answered.
    this.#outputs = this.#outputs.filter(({ type }) => type === "registered");
    this.#settled();
    this.#askedAt = Number.POSITIVE_INFINITY;
    this.#solicited.clear();
  }

  /** Takes the answer to BootNotification; one that nobody waits for, because the connection has ended, is ignored. */
  answered({ status, interval }: Pick<Conf<"BootNotification">, "status" | "interval">, now: number): void {
    const transitions: Partial<Record<string, RegistrationState>> = registrationTransitions[this.#state];
    const next = transitions[status];
    if (!this.#waiting || next === undefined) return;
    this.#settled();
    this.#state = next;
    this.#solicited.clear();
    if (!this.answers) this.#askedAt = Number.POSITIVE_INFINITY;
    if (this.#state === "Accepted") this.#accepted(interval, now);
    else this.#refused(interval, now);
    const intervalMs = this.#state === "Accepted" ? this.#heartbeatMs : this.#bootAt - now;
    this.#outputs.push({ type: "registered", status, intervalMs });
    this.#tellOnline();
  }

  /** Says that BootNotification failed: a CALLERROR, no answer in time, an answer that makes no sense. */
  unanswered(now: number): void {
    this.#settled();
    this.#bootAt = now + this.#retryMs;
  }

  heartbeatSettled(): void {
    const reassured = this.#reassuring;
    this.#settled();
    if (reassured) this.#tellOnline();
  }

  /** Says that the Central System has told the time. */
  told(): void {
    this.#told = true;
  }

  /** Says that the own clock may be wrong: a Heartbeat has to be answered that is sent after this. */
  doubted(now: number): void {
    this.#told = false;
    this.#doubtedAt = now;
    this.advance(now);
  }

  /** Says that a message, of any kind, went to the Central System. [CORE-HB-02, CORE-HB-03] */
  sent(now: number): void {
    this.#lastSent = now;
  }

  /**
   * Says that the Central System does not know of the acceptance: it has asked for a BootNotification, or has answered
   * SecurityError. That can be on another connection only than the one on which it has accepted. [J-130, RT-13, Q21]
   */
  forgotten(now: number): void {
    if (!this.#presumed) return;
    this.#presumed = false;
    this.#state = registrationTransitions.Accepted.forgotten;
    this.#askedAt = Number.POSITIVE_INFINITY;
    this.#bootAt = now;
    this.advance(now);
  }

  /**
   * Says that a TriggerMessage asked for a message. It may be sent although the registration is pending; a
   * BootNotification or Heartbeat is sent as soon as none is unanswered. [CORE-BOOT-07, CORE-BOOT-09, RT-08, RT-17]
   */
  triggered(action: Action, now: number): void {
    // Who is not there, or has been rejected since, sends nothing on behalf of a question of before. [CORE-BOOT-12]
    if (!this.#connected || !this.answers) return;
    this.#solicited.add(action);
    if (action === "Heartbeat" && this.#permits(action)) this.#askedAt = now;
    if (action === "BootNotification") this.#bootAt = now;
    this.advance(now);
  }

  /** Sets the time between Heartbeats, until the next BootNotification.conf does. [CORE-HB-08] */
  configured(heartbeatMs: number): void {
    this.#heartbeatMs = withinBounds(heartbeatMs, longestHeartbeatMs);
  }

  advance(now: number): void {
    if (now < this.deadline) return;
    this.#waiting = true;
    const inDoubt = this.#inDoubt;
    this.#doubtedAt = Number.POSITIVE_INFINITY;
    if (this.#state !== "Accepted" && now < this.#askedAt) {
      this.#booting = true;
      this.#outputs.push({ type: "boot" });
      return;
    }
    this.#askedAt = Number.POSITIVE_INFINITY;
    this.#reassuring = inDoubt || !this.#told;
    this.#lastHeartbeat = now;
    this.#outputs.push({ type: "heartbeat" });
  }

  #permits(action: Action): boolean {
    const { calls } = permissions[this.#state];
    return calls === "all" || (calls === "triggered" && this.#solicited.has(action));
  }

  #settled(): void {
    this.#waiting = false;
    this.#booting = false;
    this.#reassuring = false;
  }

  get #inDoubt(): boolean {
    return this.#doubtedAt !== Number.POSITIVE_INFINITY;
  }

  #tellOnline(): void {
    if (this.online) this.#outputs.push({ type: "online" });
  }

  /** CORE-BOOT-03; CORE-BOOT-06: zero with Accepted is not defined, so the configured interval stays. */
  #accepted(intervalS: number, now: number): void {
    if (intervalS > 0) this.#heartbeatMs = withinBounds(intervalS * second, longestHeartbeatMs);
    this.#lastSent = now;
    this.#lastHeartbeat = now;
  }

  /** CORE-BOOT-05, CORE-BOOT-06 */
  #refused(intervalS: number, now: number): void {
    this.#retryMs = intervalS > 0 ? withinBounds(intervalS * second, longestRetryMs) : ownRetryMs;
    this.#bootAt = now + this.#retryMs;
  }

  /** Other messages put it off, but not while the Central System has yet to tell the time. [CORE-HB-03, J-157] */
  #heartbeatAt(): number {
    const longestMs = this.#told ? longestHeartbeatMs : this.#heartbeatMs;
    return Math.min(this.#doubtedAt, this.#lastSent + this.#heartbeatMs, this.#lastHeartbeat + longestMs);
  }
}

const withinBounds = (intervalMs: number, longestMs: number): number =>
  Math.min(longestMs, Math.max(shortestIntervalMs, intervalMs));
