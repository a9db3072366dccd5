/*
 * The use of one connector, from the first card or cable until it is free again, as a machine.
 *
 * Theory of operation. A transaction starts when somebody was accepted, the cable is in, nothing is broken, and the
 * lock has closed; cable and card may come in either order. It is stopped by the first cause, with its reason, and
 * energy ends in the same instant. Then the driver has to take the cable. What may still be asked, and what is
 * locked, follows from the phase, and so do the facts, from which others compute the status and the offer.
 *
 *                | idle          | awaiting tag  | awaiting plug   | awaiting lock   | transaction    | awaiting unplug
 *   plugged      | awaiting tag  |               | lock, or start  |                 | goes on        | waits on
 *   unplugged CP |               | idle          | waits on        | awaiting plug   | EVDisconnected | idle
 *   unplugged EV |               | waits on      | waits on        | awaiting plug   | by the keys    | waits on
 *   presented    | asked         | asked         | asked; own: end | asked; own: end | may it stop?   | asked; held: go?
 *   accepted     | awaiting plug | lock or start | takes its place | takes its place |                | anew; held: -
 *   locked       |               |               |                 | start           |                |
 *   lock failed  |               |               |                 | end             |                |
 *   stopped      |               |               | end             | end             | stop           |
 *   unlocked     |               |               | end             | end             | UnlockCommand  | let go
 *   invalidated  |               |               |                 |                 | by the keys    |
 *   faulted      |               |               | start waits     | start waits     | Other, or waits|
 *   mended       |               |               | lock, or start  |                 | goes on        |
 *   time-out     |               | end           | end             |                 |                |
 *
 * "End": nobody is asked about or accepted any more; without a cable the connector is idle, with one the driver has
 * to take it, or to show a card to begin anew. `stopped` and `unlocked` also end what somebody is being asked about
 * for. An answer counts though something broke meanwhile; a card or a RemoteStartTransaction that comes while
 * something is broken does not. As long as an answer is out there is no time-out: somebody stands there.
 *
 * The cable is held for its user ("held") after DeAuthorized, and after the vehicle was unplugged where the keys say
 * so. A lock that did not close makes the connector faulted until the cable is out. A fixed cable has one end, at the
 * vehicle.
 *
 * "Awaiting unplug" follows every stop, and is told, even if no cable is left: then it lasts until the next
 * `advance`, for which the deadline is at once.
 *
 *   Outputs   see SessionOutput: `start` and `stop` come before the facts that follow from them, `unlock` after those
 *   Queries   facts
 *
 * Not handled here: who is accepted (core), reservations and availability, what is offered, what is told.
 */

import { type Machine, sameIdTag } from "@ocppj/core";
import type { Moment, SessionFacts, SessionKeys, SessionOutput, SessionTraits, StopReason } from "./session-facts.ts";

export type {
  Moment,
  SessionFacts,
  SessionKeys,
  SessionOutput,
  SessionTraits,
  StopReason,
} from "./session-facts.ts";

type Phase = "idle" | "awaiting tag" | "awaiting plug" | "awaiting lock" | "transaction" | "awaiting unplug";

/** An identifier that is being asked about. */
interface Question {
  readonly type: "authorize" | "authorizeStop";
  readonly question: number;
  readonly idTag: string;
}

/** @spec OCPP 1.6 §3.5, §4.8, §4.9, §4.10, §5.11, §5.18 [CORE-AUTH-01 … CORE-AUTH-03, CORE-STOP-07 … CORE-STOP-18] */
export class ChargingSession implements Machine<SessionOutput> {
  readonly #traits: SessionTraits;
  #keys: SessionKeys;
  readonly #outputs: SessionOutput[] = [];
  #phase: Phase = "idle";
  /** When the wait of the phase began. */
  #since = 0;
  /** `loose`: it is in at this end, but not in a vehicle; for a fixed one only as long as its transaction goes on. */
  #cable: "out" | "in" | "loose" = "out";
  /** Whether the lock may hold the cable. */
  #lock: "open" | "closing" | "closed" = "open";
  #idTag: string | undefined;
  #question: Question | undefined;
  #questions = 0;
  #wantsEnergy = true;
  #isBroken = false;
  /** The lock did not close on the cable that is in. */
  #lockFailed = false;
  /** The vehicle was gone when the transaction was stopped. */
  #stoppedLoose = false;
  /** What the register may show with energy still on. [CORE-LAO-11] */
  #allowedUpTo = Number.POSITIVE_INFINITY;
  #exhausted = false;
  #told: SessionFacts;
  #inUse = false;

  constructor(traits: SessionTraits, keys: SessionKeys) {
    this.#traits = traits;
    this.#keys = keys;
    this.#told = this.facts;
  }

  get facts(): SessionFacts {
    const phase = this.#phase;
    const transaction = phase === "transaction";
    const userActionDue = phase === "awaiting unplug";
    const faulted = this.#isBroken || this.#lockFailed;
    const isLoose = this.#cable === "loose";
    return {
      plugged: this.#cable === "in" || (isLoose && this.#traits.cable === "socket"),
      vehicleGone: transaction ? isLoose : userActionDue && this.#stoppedLoose,
      begun: phase === "awaiting tag" || phase === "awaiting plug" || phase === "awaiting lock",
      idTag: this.#idTag,
      transaction,
      userActionDue,
      wantsEnergy: this.#wantsEnergy,
      faulted,
      mayOffer: transaction && this.#cable === "in" && !faulted && !this.#exhausted,
    };
  }

  get deadline(): number {
    if (this.#phase === "awaiting unplug" && this.#cable === "out") return this.#since;
    const { connectionTimeOutMs } = this.#keys;
    const waits = this.#phase === "awaiting tag" || this.#phase === "awaiting plug";
    if (!waits || this.#question !== undefined || connectionTimeOutMs === 0) return Number.POSITIVE_INFINITY;
    return this.#since + connectionTimeOutMs;
  }

  poll(): SessionOutput | undefined {
    return this.#outputs.shift();
  }

  /** CFG-06: nobody came with a cable, or with a card. [STX-B1, STX-B6, CORE-RST-17] */
  advance(now: number): void {
    if (now < this.deadline) return;
    if (this.#phase === "awaiting unplug") this.#free();
    else this.#giveUp();
    this.#settle();
  }

  configured(keys: SessionKeys): void {
    this.#keys = keys;
  }

  plugged(at: Moment): void {
    if (this.#cable === "in") return;
    if (this.#cable === "out" && this.#phase === "awaiting unplug") this.#free();
    this.#cable = "in";
    this.#stoppedLoose = false;
    if (this.#phase === "idle") this.#wait("awaiting tag", at);
    this.#startIfReady(at);
    this.#settle(at);
  }

  /** `charge-point` and `vehicle` are one end of a fixed cable. [CORE-STOP-08 … CORE-STOP-12] */
  unplugged(end: "charge-point" | "vehicle", at: Moment): void {
    const isAtVehicle = end === "vehicle" || this.#traits.cable === "fixed";
    if (this.#cable === "out" || (isAtVehicle && this.#cable === "loose")) return;
    this.#wantsEnergy = true; // Of the next vehicle nothing was told.
    if (this.#phase === "transaction") {
      this.#cable = isAtVehicle ? "loose" : "out";
      if (isAtVehicle) this.#vehicleLeft(at);
      else this.#stop("EVDisconnected", at);
    } else {
      this.#cable = isAtVehicle && this.#traits.cable === "socket" ? "loose" : "out";
      if (this.#phase === "awaiting lock") this.#phase = "awaiting plug";
      const isOut = this.#cable === "out";
      if (isOut && (this.#phase === "awaiting tag" || this.#phase === "awaiting unplug")) this.#free();
    }
    this.#settle(at);
  }

  /** A card was shown that may be asked about. */
  presented(idTag: string, at: Moment): void {
    if (this.#phase === "transaction" || this.#isHeld) this.#ask("authorizeStop", idTag);
    else if (this.#idTag !== undefined && sameIdTag(this.#idTag, idTag))
      this.#giveUp(); // STX-B1
    else if (!this.facts.faulted) this.#ask("authorize", idTag);
    this.#settle(at);
  }

  /** Somebody was accepted without being asked about: a RemoteStartTransaction with AuthorizeRemoteTxRequests false. */
  accepted(idTag: string, at: Moment): void {
    if (this.#phase === "transaction" || this.#isHeld || this.facts.faulted) return;
    this.#forget();
    this.#accept(idTag, at);
    this.#settle(at);
  }

  /** The answer to `authorize` or `authorizeStop`; one that nobody waits for any more is ignored. */
  answered(question: number, isAccepted: boolean, at: Moment): void {
    const asked = this.#question;
    if (asked?.question !== question) return;
    this.#question = undefined;
    if (!isAccepted) this.advance(at.now);
    else if (asked.type === "authorize") this.#accept(asked.idTag, at);
    else if (this.#phase === "transaction") this.#stop("Local", at, { idTag: asked.idTag });
    else this.#idTag = undefined;
    this.#settle(at);
  }

  /** How `lock` has ended. */
  locked(isLocked: boolean, at: Moment): void {
    if (this.#lock !== "closing") return;
    this.#lock = "closed"; // One that did not close may have closed halfway, and is opened.
    if (this.#phase === "awaiting lock" && isLocked) {
      this.#phase = "awaiting plug";
      this.#startIfReady(at);
    } else if (this.#phase === "awaiting lock") {
      this.#giveUp();
      this.#lockFailed = true;
      this.#outputs.push({ type: "lockFailed" });
    }
    this.#settle(at);
  }

  /** The cable was let go by UnlockConnector or by the owner: a session ends. [CORE-UNL-02] */
  unlocked(at: Moment): void {
    if (this.#lock === "closed") this.#lock = "open";
    this.#end("UnlockCommand", at);
    this.#settle(at);
  }

  /** Something else than a card ends the transaction, and a session that waits. */
  stopped(reason: StopReason, at: Moment): void {
    if (!this.#isHeld) this.#end(reason, at);
    this.#settle(at);
  }

  wantsEnergy(wants: boolean, at: Moment): void {
    this.#wantsEnergy = wants;
    this.#settle(at);
  }

  /** StartTransaction.conf was not Accepted. [CORE-LAO-09 … CORE-LAO-11, CORE-START-04] */
  invalidated(at: Moment): void {
    if (this.#phase !== "transaction") return;
    const { maxEnergyOnInvalidId, stopTransactionOnInvalidId } = this.#keys;
    if (stopTransactionOnInvalidId) this.#stop("DeAuthorized", at, { holds: true });
    else this.#allowedUpTo = Math.min(this.#allowedUpTo, at.register + maxEnergyOnInvalidId);
    this.#settle(at);
  }

  faulted(at: Moment): void {
    this.#isBroken = true;
    this.#stopIfBroken(at);
    this.#settle(at);
  }

  mended(at: Moment): void {
    this.#isBroken = false;
    this.#startIfReady(at);
    this.#settle(at);
  }

  /** The meter shows something else. */
  measured(at: Moment): void {
    this.#settle(at);
  }

  /** After a power cut: a transaction goes on. Its cable is there, and locked. */
  resumed(idTag: string, at: Moment): void {
    if (this.#phase !== "idle" && this.#phase !== "awaiting tag") return;
    this.#forget();
    this.#idTag = idTag;
    this.#phase = "transaction";
    if (this.#cable === "out") this.#cable = "in";
    if (this.#needsLock && this.#lock === "open") this.#lock = "closed";
    if (this.#cable === "loose") this.#vehicleLeft(at);
    this.#stopIfBroken(at);
    this.#settle(at);
  }

  /** After a power cut that its user has not come back from: whatever is locked is let go. */
  letGo({ stopped }: { readonly stopped: boolean }, at: Moment): void {
    this.#forget();
    if (stopped && this.#cable !== "out") this.#wait("awaiting unplug", at);
    if (this.#needsLock) this.#lock = "closed"; // Nobody knows.
    this.#settle(at);
  }

  get #needsLock(): boolean {
    return this.#traits.locks && this.#traits.cable === "socket";
  }

  /** Whether the cable is kept until its user comes. */
  get #isHeld(): boolean {
    return this.#phase === "awaiting unplug" && this.#idTag !== undefined;
  }

  #ask(type: Question["type"], idTag: string): void {
    if (this.#question !== undefined && sameIdTag(this.#question.idTag, idTag)) return;
    this.#forget();
    this.#questions += 1;
    this.#question = { type, question: this.#questions, idTag };
    this.#outputs.push(this.#question);
  }

  #forget(): void {
    if (this.#question !== undefined) this.#outputs.push({ type: "forget", question: this.#question.question });
    this.#question = undefined;
  }

  #wait(phase: Phase, { now }: Moment): void {
    this.#phase = phase;
    this.#since = now;
  }

  #accept(idTag: string, at: Moment): void {
    this.#idTag = idTag;
    this.#wait("awaiting plug", at);
    this.#startIfReady(at);
  }

  /** The lock comes first. [CORE-AUTH-02] */
  #startIfReady(at: Moment): void {
    if (this.#phase !== "awaiting plug" || this.#idTag === undefined) return;
    if (this.#cable !== "in" || this.#isBroken) return;
    if (this.#needsLock && this.#lock !== "closed") {
      if (this.#lock === "open") this.#outputs.push({ type: "lock" });
      this.#lock = "closing";
      this.#phase = "awaiting lock";
      return;
    }
    this.#forget();
    this.#phase = "transaction";
    this.#outputs.push({ type: "start", idTag: this.#idTag, at });
  }

  /** Stops the transaction; with `holds` its user has to come before the cable is let go. [CORE-STOP-07] */
  #stop(reason: StopReason, at: Moment, { idTag, holds = false }: { idTag?: string; holds?: boolean } = {}): void {
    this.#outputs.push({ type: "stop", reason, ...(idTag !== undefined && { idTag }), at });
    this.#forget();
    this.#wait("awaiting unplug", at);
    this.#stoppedLoose = this.#cable === "loose";
    if (this.#stoppedLoose && this.#traits.cable === "fixed") this.#cable = "out";
    if (!holds || this.#lock !== "closed") this.#idTag = undefined;
    this.#allowedUpTo = Number.POSITIVE_INFINITY;
    this.#exhausted = false;
  }

  /** CORE-STOP-12: without a stop the lock stays, whatever the other key says. */
  #vehicleLeft(at: Moment): void {
    const { stopTransactionOnEVSideDisconnect, unlockConnectorOnEVSideDisconnect } = this.#keys;
    if (!stopTransactionOnEVSideDisconnect) return;
    this.#stop("EVDisconnected", at, { holds: !unlockConnectorOnEVSideDisconnect });
  }

  #stopIfBroken(at: Moment): void {
    const goesOn = !this.#isBroken || this.#traits.resumesAfterFault;
    if (this.#phase === "transaction" && !goesOn) this.#stop("Other", at);
  }

  #end(reason: StopReason, at: Moment): void {
    if (this.#phase === "transaction") this.#stop(reason, at);
    else if (this.#idTag !== undefined || this.#question !== undefined) this.#giveUp();
  }

  /** Nobody waits any more: what is left is a cable that has to be taken. */
  #giveUp(): void {
    this.#forget();
    this.#idTag = undefined;
    this.#phase = this.#cable === "out" ? "idle" : "awaiting unplug";
  }

  /** Nothing is left to be done by the driver. A card that is being asked about may still begin. */
  #free(): void {
    this.#idTag = undefined;
    if (this.#question?.type === "authorizeStop") this.#forget();
    this.#lockFailed = false;
    this.#phase = "idle";
  }

  /** Draws the consequences of an input. */
  #settle({ register }: { readonly register: number } = { register: Number.NEGATIVE_INFINITY }): void {
    if (register >= this.#allowedUpTo) this.#exhausted = true;
    const { facts } = this;
    if (!isSame(facts, this.#told)) this.#outputs.push({ type: "changed", facts });
    this.#told = facts;
    const holds = this.#phase === "awaiting lock" || this.#phase === "transaction" || this.#isHeld;
    if (this.#lock === "closed" && !holds) {
      this.#lock = "open";
      this.#outputs.push({ type: "unlock" });
    }
    const inUse = this.#phase !== "idle" || this.#question !== undefined || this.#lock !== "open";
    if (this.#inUse && !inUse) this.#outputs.push({ type: "over" });
    this.#inUse = inUse;
  }
}

const isSame = (a: SessionFacts, b: SessionFacts): boolean =>
  (Object.keys(a) as (keyof SessionFacts)[]).every((name) => a[name] === b[name]);
