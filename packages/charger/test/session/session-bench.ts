import { expect } from "vitest";
import { outputsOf } from "../../../core/test/charge-point/vocabulary.ts";
import { MachineBench } from "../../../core/test/machine-bench.ts";
import type { ConnectorStatus } from "../../src/charger-state.ts";
import { ChargingSession } from "../../src/session/charging-session.ts";
import type {
  Moment,
  SessionFacts,
  SessionKeys,
  SessionOutput,
  SessionTraits,
  StopReason,
} from "../../src/session/session-facts.ts";
import { ConnectorStatusReports } from "../../src/status/connector-status.ts";
import { transitions } from "../../src/status/transitions.ts";
import { statusIn } from "./vocabulary.ts";

/** A session as `drive` runs it, the hardware that it acts on, what is told of it, and what the laws need to remember. */
export class SessionBench extends MachineBench<SessionOutput> {
  protected readonly machine: ChargingSession;
  readonly traits: SessionTraits;
  keys: SessionKeys;
  register = 0;
  cable: "out" | "in" | "loose" = "out";
  isBroken = false;
  isLocked = false;
  isLocking = false;
  lockFailed = false;
  /** The transaction that runs. */
  running: { readonly at: Moment; allowedUpTo: number } | undefined;
  /** Who was accepted, and has neither started nor given up. */
  accepted: string | undefined;
  /** Since when somebody or something waits. */
  since = 0;
  /** The cable stays locked until its user comes. */
  isKept = false;
  question: { readonly question: number; readonly idTag: string; readonly type: string } | undefined;
  asked = 0;
  inUse = false;
  /** With which reason the input at hand may stop. */
  cause: StopReason | undefined;
  told: SessionFacts;
  readonly statuses = new ConnectorStatusReports();
  status: ConnectorStatus = "Available";
  /** A stop was put out, and Finishing was not told yet. */
  finishingIsDue = false;

  constructor(traits: SessionTraits, keys: SessionKeys) {
    super();
    this.traits = traits;
    this.keys = keys;
    this.machine = new ChargingSession(traits, keys);
    this.told = this.machine.facts;
    this.#tell(this.told);
  }

  get at(): Moment {
    return { now: this.now, register: this.register };
  }

  get facts(): SessionFacts {
    return this.machine.facts;
  }

  get needsLock(): boolean {
    return this.traits.locks && this.traits.cable === "socket";
  }

  protected perform(output: SessionOutput): void {
    if (output.type === "changed") {
      this.#changed(output.facts);
      return;
    }
    expect(this.inUse, `${output.type} without a use`).toBe(true);
    switch (output.type) {
      case "authorize":
      case "authorizeStop":
        expect(this.question, "asked while another is asked about").toBeUndefined();
        expect(output.question, "a number that was used before").toBeGreaterThan(this.asked);
        if (output.type === "authorizeStop") expect(this.running !== undefined || this.isKept).toBe(true);
        this.question = output;
        this.asked = output.question;
        break;
      case "forget":
        expect(output.question).toBe(this.question?.question);
        this.question = undefined;
        break;
      case "lock":
        expect([this.isLocked, this.isLocking], "locked twice").toEqual([false, false]);
        expect(this.accepted, "locked for nobody").toBeDefined();
        this.isLocking = true;
        break;
      case "unlock":
        expect([this.isLocked, this.running, this.isKept], "unlocked").toEqual([true, undefined, false]);
        this.isLocked = false;
        break;
      case "start":
        this.#start(output.idTag, output.at);
        break;
      case "stop":
        this.#stop(output.reason, output.at);
        break;
      case "lockFailed":
        this.lockFailed = true;
        this.accepted = undefined;
        break;
      case "over":
        expect([this.cable, this.running, this.accepted, this.question, this.isLocked, this.isLocking]).toEqual([
          "out",
          undefined,
          undefined,
          undefined,
          false,
          false,
        ]);
        this.inUse = false;
    }
  }

  #changed(facts: SessionFacts): void {
    expect(facts, "told twice").not.toEqual(this.told);
    if (!this.inUse) {
      const { faulted, wantsEnergy } = facts;
      expect(facts, "more than the hardware has changed without a use").toEqual({ ...this.told, faulted, wantsEnergy });
    }
    if (this.finishingIsDue) expect(facts).toMatchObject({ userActionDue: true, mayOffer: false, transaction: false });
    this.finishingIsDue = false;
    this.told = facts;
    this.#tell(facts);
    // Whether the time has passed for who was accepted the examples know.
    if (!facts.transaction && facts.idTag === undefined) this.accepted = undefined;
  }

  /** What is told goes through Preparing before a transaction and through Finishing after it. */
  #tell(facts: SessionFacts): void {
    this.statuses.is({ status: statusIn(facts), error: { errorCode: "NoError" } }, this.now);
    for (const { status } of outputsOf(this.statuses)) {
      const code = status === this.status ? "told at first" : transitions[this.status][status]?.code;
      expect(code, `${this.status} → ${status}`).toBeDefined();
      expect(["A3", "A4", "A5", "C1", "C8", "D1", "D8", "E1", "E8"]).not.toContain(code);
      this.status = status;
    }
    expect(this.status).toBe(statusIn(facts));
  }

  #start(idTag: string, at: Moment): void {
    expect(this.running, "two starts without a stop between").toBeUndefined();
    expect(idTag, "started by somebody who is not accepted").toBe(this.accepted);
    expect([this.cable, this.isBroken, this.lockFailed, this.isKept]).toEqual(["in", false, false, false]);
    expect(this.isLocked, "locked before it starts").toBe(this.needsLock);
    expect(at).toEqual(this.at);
    this.running = { at, allowedUpTo: Number.POSITIVE_INFINITY };
    this.accepted = undefined;
  }

  #stop(reason: StopReason, at: Moment): void {
    expect(this.running, "stopped twice").toBeDefined();
    expect(reason, "the reason of another cause").toBe(this.cause);
    expect(at).toEqual(this.at);
    this.running = undefined;
    this.finishingIsDue = true;
    const isLeft =
      reason === "EVDisconnected" && this.cable === "loose" && !this.keys.unlockConnectorOnEVSideDisconnect;
    this.isKept = this.isLocked && (isLeft || reason === "DeAuthorized");
  }

  protected check(): void {
    const { facts, running } = this;
    expect(facts).toEqual(this.told);
    expect(this.finishingIsDue, "Finishing is not told").toBe(false);
    expect(facts.plugged).toBe(this.cable !== "out");
    expect(facts.faulted).toBe(this.isBroken || this.lockFailed);
    expect(facts.transaction).toBe(running !== undefined);
    const mayFlow = running !== undefined && this.cable === "in" && !this.isBroken;
    expect(facts.mayOffer, "energy").toBe(mayFlow && this.register < running.allowedUpTo);
    expect(this.isLocked, "locked").toBe(this.needsLock && (running !== undefined || this.isKept));
    if (facts.userActionDue) expect(this.cable, "nothing is left to be done").not.toBe("out");
    const isReady = this.accepted !== undefined && this.cable === "in" && !this.isBroken;
    if (isReady) expect(this.isLocking, "all is there, and it does not start").toBe(true);
    if (running === undefined && !this.isKept) expect(facts.idTag).toBe(this.accepted);
    const hasSomething = running !== undefined || this.cable !== "out" || this.accepted !== undefined;
    const isAsked = this.question !== undefined;
    const hasUser = running !== undefined || this.isKept;
    if (isAsked) expect(this.question?.type).toBe(hasUser ? "authorizeStop" : "authorize");
    expect(this.inUse, "in use").toBe(hasSomething || isAsked || this.isLocking || this.isLocked);
    const waits = facts.begun && !isAsked && !(this.accepted !== undefined && this.isLocking);
    const { connectionTimeOutMs } = this.keys;
    if (waits && connectionTimeOutMs > 0) expect(this.now - this.since, "waits").toBeLessThan(connectionTimeOutMs);
  }

  /** Whoever is accepted now waits from now on. */
  #accept(idTag: string): void {
    this.accepted = idTag;
    this.since = this.now;
  }

  plug(): void {
    if (this.cable === "out" && !this.facts.begun) this.since = this.now;
    this.cable = "in";
    this.inUse = true;
    this.machine.plugged(this.at);
  }

  unplug(end: "charge-point" | "vehicle"): void {
    const isFixed = this.traits.cable === "fixed";
    this.cause = "EVDisconnected";
    if (end === "charge-point" || isFixed) this.cable = "out";
    else if (this.cable === "in") this.cable = "loose";
    if (this.cable === "out") {
      this.lockFailed = false;
      this.isKept = false;
    }
    this.machine.unplugged(end, this.at);
  }

  present(idTag: string): void {
    const isFree = this.running === undefined && !this.isKept;
    if (isFree && this.accepted === idTag) this.accepted = undefined;
    else if (!isFree || !this.facts.faulted) this.inUse = true;
    this.machine.presented(idTag, this.at);
  }

  accept(idTag: string): void {
    if (this.running === undefined && !this.isKept && !this.facts.faulted) {
      this.#accept(idTag);
      this.inUse = true;
    }
    this.machine.accepted(idTag, this.at);
  }

  answer(ago: number, isAccepted: boolean): void {
    const number = this.asked - ago;
    const { question } = this;
    this.cause = "Local";
    if (question?.question === number) {
      this.question = undefined;
      if (isAccepted && question.type === "authorize") this.#accept(question.idTag);
      else if (isAccepted) this.isKept = false;
    }
    this.machine.answered(number, isAccepted, this.at);
  }

  lock(isClosed: boolean): void {
    // What did not close may have closed halfway: it is to be opened.
    if (this.isLocking) this.isLocked = true;
    this.isLocking = false;
    this.machine.locked(isClosed, this.at);
  }

  unlock(): void {
    this.cause = "UnlockCommand";
    this.isLocked = false;
    this.isKept = false;
    this.accepted = undefined;
    this.machine.unlocked(this.at);
  }

  stop(reason: StopReason): void {
    this.cause = reason;
    const ran = this.running !== undefined;
    this.accepted = undefined;
    this.machine.stopped(reason, this.at);
    if (ran) expect(this.facts.transaction, "stopped, and it goes on").toBe(false);
    expect(this.facts.begun && this.facts.idTag !== undefined, "stopped, and somebody still waits").toBe(false);
  }

  wants(wants: boolean): void {
    this.machine.wantsEnergy(wants, this.at);
  }

  invalidate(): void {
    const { maxEnergyOnInvalidId, stopTransactionOnInvalidId } = this.keys;
    this.cause = "DeAuthorized";
    if (this.running !== undefined && !stopTransactionOnInvalidId)
      this.running.allowedUpTo = Math.min(this.running.allowedUpTo, this.register + maxEnergyOnInvalidId);
    this.machine.invalidated(this.at);
  }

  break(): void {
    this.cause = "Other";
    this.isBroken = true;
    this.machine.faulted(this.at);
    if (!this.traits.resumesAfterFault) expect(this.facts.transaction).toBe(false);
  }

  mend(): void {
    this.isBroken = false;
    this.machine.mended(this.at);
  }

  measure(energy: number): void {
    this.register += energy;
    this.machine.measured(this.at);
  }

  resume(idTag: string): void {
    const { begun, idTag: user, plugged, userActionDue } = this.facts;
    // The shell resumes what ran before anything else was told but what is plugged in.
    const isNew = user === undefined && !userActionDue && !this.isLocking && begun && plugged;
    if (!isNew && this.running === undefined) return;
    const isLeft = this.cable === "loose" && this.keys.stopTransactionOnEVSideDisconnect;
    this.cause = isLeft ? "EVDisconnected" : "Other";
    if (isNew) {
      this.running = { at: this.at, allowedUpTo: Number.POSITIVE_INFINITY };
      this.isLocked = this.needsLock;
    }
    this.machine.resumed(idTag, this.at);
  }

  configure(keys: SessionKeys): void {
    this.keys = keys;
    this.machine.configured(keys);
  }
}
