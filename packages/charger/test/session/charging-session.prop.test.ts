import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { command as commandOn, MachineBench } from "../../../core/test/machine-bench.ts";
import { ChargingSession } from "../../src/session/charging-session.ts";
import type {
  Moment,
  SessionFacts,
  SessionKeys,
  SessionOutput,
  SessionTraits,
  StopReason,
} from "../../src/session/session-facts.ts";
import { keys } from "./vocabulary.ts";

/** A session as `drive` runs it, the hardware that it acts on, and what the laws need to remember. */
class Bench extends MachineBench<SessionOutput> {
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
  /** A stop was put out, and Finishing was not told yet. */
  finishingIsDue = false;

  constructor(traits: SessionTraits, keys: SessionKeys) {
    super();
    this.traits = traits;
    this.keys = keys;
    this.machine = new ChargingSession(traits, keys);
    this.told = this.machine.facts;
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
    // Whether the time has passed for who was accepted the examples know.
    if (!facts.transaction && facts.idTag === undefined) this.accepted = undefined;
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

const command = commandOn<Bench>;
const idTags = fc.constantFrom("A", "B", "C");
const reasons = fc.constantFrom<StopReason>("Remote", "Local", "EmergencyStop", "HardReset");
const traits: fc.Arbitrary<SessionTraits> = fc.record({
  locks: fc.boolean(),
  cable: fc.constantFrom("socket", "socket", "fixed"),
  resumesAfterFault: fc.boolean(),
});
const someKeys: fc.Arbitrary<SessionKeys> = fc.record({
  connectionTimeOutMs: fc.constantFrom(0, 10, 30),
  stopTransactionOnInvalidId: fc.boolean(),
  maxEnergyOnInvalidId: fc.constantFrom(0, 50),
  stopTransactionOnEVSideDisconnect: fc.boolean(),
  unlockConnectorOnEVSideDisconnect: fc.boolean(),
});

const often = [
  fc.constant(command("plug", (bench) => bench.plug())),
  idTags.map((idTag) => command(`present ${idTag}`, (bench) => bench.present(idTag))),
  idTags.map((idTag) => command(`accept ${idTag}`, (bench) => bench.accept(idTag))),
  fc.constant(command("answer true", (bench) => bench.answer(0, true))),
  fc.constant(command("lock", (bench) => bench.lock(true))),
];

const commands = [
  ...often,
  ...often,
  fc
    .constantFrom("charge-point" as const, "vehicle" as const)
    .map((end) => command(`unplug ${end}`, (bench) => bench.unplug(end))),
  fc
    .tuple(fc.nat(2), fc.boolean())
    .map(([ago, isAccepted]) => command(`answer ${ago} ${isAccepted}`, (bench) => bench.answer(ago, isAccepted))),
  fc.constant(command("lock fails", (bench) => bench.lock(false))),
  fc.constant(command("unlock", (bench) => bench.unlock())),
  reasons.map((reason) => command(`stop ${reason}`, (bench) => bench.stop(reason))),
  fc.boolean().map((wants) => command(`wants ${wants}`, (bench) => bench.wants(wants))),
  fc.constant(command("invalidate", (bench) => bench.invalidate())),
  fc.constant(command("break", (bench) => bench.break())),
  fc.constant(command("mend", (bench) => bench.mend())),
  fc.nat(40).map((energy) => command(`measure ${energy}`, (bench) => bench.measure(energy))),
  idTags.map((idTag) => command(`resume ${idTag}`, (bench) => bench.resume(idTag))),
  someKeys.map((keys) => command(`configure ${JSON.stringify(keys)}`, (bench) => bench.configure(keys))),
  fc.nat(20).map((ms) => command(`pass ${ms}`, (bench) => bench.pass(ms))),
];

describe("A charging session, whatever happens", () => {
  test("starts and stops in turn, for who was accepted and with the first cause; energy flows within a transaction that is plugged, sound and valid, and nowhere else; the cable is locked as long, and nothing of a use is left [CORE-AUTH-02] [CORE-AUTH-14] [CORE-LAO-09] [CORE-LAO-10] [CORE-LAO-11] [CORE-STOP-01] [CORE-STOP-07] [CORE-STOP-12] [CORE-STOP-18] [CFG-06]", () => {
    fc.assert(
      fc.property(traits, someKeys, fc.commands(commands, { size: "+1", maxCommands: 80 }), (traits, given, steps) => {
        const bench = new Bench(traits, given);
        fc.modelRun(() => ({ model: {}, real: bench }), steps);
        // Whatever has happened, it is free again when everybody has left.
        const ending = [
          () => bench.configure({ ...keys, connectionTimeOutMs: 10 }),
          () => bench.wants(true),
          () => bench.mend(),
          () => bench.stop("Local"),
          () => bench.answer(0, false),
          () => bench.unplug("charge-point"),
          () => bench.lock(true),
          () => bench.pass(10),
        ];
        for (const step of ending) {
          step();
          bench.settle();
        }
        expect([bench.inUse, bench.facts]).toEqual([false, new ChargingSession(traits, given).facts]);
      }),
      { numRuns: 1000 },
    );
  });
});
