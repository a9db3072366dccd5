import { isDeepStrictEqual } from "node:util";
import type { FakeClock } from "@ocppj/testing";
import type { ChargePoint, Conf, DeadLetter, DiscardReason, Req } from "../../src/index.ts";
import { type Disk, DiskFailure } from "./simulation-hardware.ts";
import { OwnersFailure } from "./simulation-owner.ts";
import {
  cutAnswerOf,
  type FrameArray,
  fieldOf,
  frameOf,
  numberOf,
  type Payload,
  withoutTimestamps,
} from "./simulation-payloads.ts";
import { ProfileLaws } from "./simulation-profile-laws.ts";
import {
  type Attempt,
  type Charging,
  failuresThatCount,
  mayCount,
  type Outstanding,
  type Reported,
  type ReportedStatus,
  Session,
  type Wire,
} from "./simulation-records.ts";
import { day, type KeptAction, minute, printed, type Step, second } from "./simulation-schedule.ts";

/** The settings of the simulated Charge Point that the laws speak of: the defaults of its keys, but for the queue. */
const timeoutMs = 30 * second;
const attempts = 3;
const retryIntervalMs = 60 * second;
const defaultHeartbeatMs = 300 * second;
export const maxQueuedMessages = 20;

/** Between attempts to connect, as the options of a Charge Point have it by default. */
const shortestWaitMs = 2 * second;
const longestWaitMs = (2 * 2 ** 8 + 2) * second;

/** How far a timestamp may be from the time as it was told: small differences are made up for little by little. */
const tolerableMs = 11 * second;
/** Other CALLs, each with its time-out, and a slow disk may come before a message whose turn it is. */
/** How long `saved` may take: a few writes, each of which may take half a minute before the disk is given up. */
const savingMs = 5 * minute;
/** After what time what was refused has been tried again, one after the other. */
const rewritingMs = 10 * minute;
const patienceMs = 15 * minute;
/** A few CALLs wait in vain, then a Heartbeat does, then it is plain that nobody is there. */
const deadMs = 5 * minute;
/** How often CALLs may be in the way of the daily Heartbeat. */
const dailyMs = day + 5 * minute;

/** The CALLs of the simulated owner that tell no time. */
const timeless: ReadonlySet<string> = new Set(["Authorize", "DataTransfer"]);

/**
 * Watches what the owner reports, what the Charge Point tells it, and both ends of every connection, and holds it against
 * the laws. It knows frames and public events, nothing of the inside.
 */
export class Laws {
  readonly #clock: FakeClock;
  readonly #disk: Disk;
  readonly #began: number;
  readonly #log: string[] = [];
  readonly #reported = new Map<number, Reported>();
  readonly chargings: Charging[] = [];
  /** What the schedule has done so far. */
  readonly #trouble = new Set<Step["do"]>();
  /** What is said of charging profiles and limits. */
  readonly profiles: ProfileLaws;
  #session: Session | undefined;
  #wire: Wire | undefined;
  /** Powers that ended with a power cut, not in order. */
  readonly #cut = new Set<number>();
  readonly #latestReceived = { transactions: 0, others: 0 };
  /** By how much the clock of the Central System is ahead of the fake one. */
  centralOffsetMs = 0;
  /** The first law that was broken, and the latest lines of the log at that moment. */
  broken: { readonly law: string; readonly log: readonly string[] } | undefined;

  constructor(clock: FakeClock, disk: Disk) {
    this.#clock = clock;
    this.#disk = disk;
    this.#began = clock.now();
    this.profiles = new ProfileLaws(clock, disk, (holds, law) => this.law(holds, law));
  }

  /** Writes a line of the log. */
  say(line: string): void {
    const ms = this.#clock.now() - this.#began;
    this.#log.push(`${(ms / second).toFixed(3).padStart(11)}  ${line}`);
    if (this.#log.length > 40) this.#log.shift();
  }

  /** Says whether something is as it must be. */
  law(holds: boolean, law: string): void {
    if (holds || this.broken !== undefined) return;
    this.say(`BROKEN: ${law}`);
    this.broken = { law, log: [...this.#log] };
  }

  /** Says that the schedule does something. */
  happens(step: Step): void {
    this.say(`** ${printed(step)}`);
    if (!["plug in", "call", "unlock", "deliver", "dead letters", "use former handles"].includes(step.do))
      this.#trouble.add(step.do);
  }

  get now(): number {
    return this.#clock.now();
  }

  // The owner and its Charge Point.

  switchedOn(power: number, chargePoint: ChargePoint): void {
    this.say(`owner: switches on, for the ${power}. time`);
    this.#session = new Session(power, chargePoint, defaultHeartbeatMs, [...this.#reported.values()]);
  }

  /** Says that it is about to be stopped. */
  stopping(): void {
    this.say("owner: stops it");
    if (this.#session !== undefined) this.#session.stopping = true;
  }

  switchedOff(inOrder: boolean): void {
    if (this.#session === undefined) return;
    this.say(`chargePoint: is switched off${inOrder ? "" : ": the power fails"}`);
    if (!inOrder) this.#cut.add(this.#session.power);
    if (this.#wire !== undefined) this.wireEnded(this.#wire);
    this.#session = undefined;
  }

  /**
   * Says that the owner is about to report something.
   *
   * @param payload - As it will be on the wire, as far as that is known.
   * @param noted - The timestamp that it gives.
   */
  reports(number: number, action: KeptAction, charging: Charging | undefined, payload: unknown, noted?: number): void {
    const session = this.#session as Session;
    this.sample();
    const reported: Reported = {
      number,
      action,
      charging,
      payload,
      at: this.now,
      expectedTime: session.time.certainAt(this.now),
      certain: session.time.certain,
      setBack: session.time.setBack,
      noted,
      power: session.power,
      saved: false,
      fate: "none",
      fateSaved: false,
      retriedAt: 0,
      receipts: 0,
      timestamp: Number.NaN,
      attempts: [],
      latest: undefined,
    };
    this.#reported.set(number, reported);
    session.queued.add(number);
    if (charging !== undefined && action === "StartTransaction") this.chargings.push(charging);
    if (charging !== undefined && action === "StopTransaction") charging.stop = reported;
    this.say(`owner: ${action} #${number} of ${charging?.idTag ?? "nothing"}`);
  }

  /** Says that it has reported it. */
  hasReported(number: number): void {
    const session = this.#session as Session;
    const reported = this.#reported.get(number) as Reported;
    // Inside of a listener, what makes room is told after the present event.
    this.#clock.wakeAt(this.now, () => {
      const size = this.#queued(session, "transactions").length;
      this.law(size <= maxQueuedMessages, `The queue holds ${size} messages, more than maxQueuedMessages.`);
    });
    this.#whenSaved(session, () => {
      reported.saved = true;
    });
  }

  /** Says that the Charge Point would not take a StartTransaction. */
  refused(number: number, error: unknown): void {
    const session = this.#session as Session;
    this.#reported.delete(number);
    session.queued.delete(number);
    this.chargings.pop();
    this.say(`owner: #${number} was refused: ${error}`);
    this.law(error instanceof RangeError, `startTransaction threw ${error}.`);
    const queued = this.#queued(session, "transactions");
    const lasting = queued.filter(({ action }) => action !== "MeterValues").length;
    const running = session.chargePoint.transactions.length;
    // One more, because meter values that are under way cannot make room.
    this.law(lasting + running + 3 > maxQueuedMessages, "A transaction was refused although there is room for it.");
  }

  statusReported(connectorId: number, number: number): void {
    const { now } = this;
    this.sample();
    const expectedTime = this.#session?.time.certainAt(now) ?? Number.NaN;
    this.#session?.statuses.set(connectorId, { number, at: now, expectedTime, sentAt: Number.NaN, settled: false });
  }

  delivered(action: string, payload: Payload): void {
    const reported = this.#reported.get(numberOf(action, payload));
    this.law((reported?.receipts ?? 0) > 0, `${action} is called delivered although it was never received.`);
    this.#settled(reported, "delivered");
    // CORE-TXQ-12: its stop had said -1, and the Central System has it open now.
    const stop = reported?.action === "StartTransaction" ? reported.charging?.stop : undefined;
    if (stop?.fate === "delivered") this.#returns(stop);
  }

  /** Says that a message that was settled waits again. */
  #returns(reported: Reported): void {
    reported.attempts.length = 0;
    reported.retriedAt = this.now;
    reported.saved = false;
    reported.fateSaved = false;
    reported.fate = "none";
    (this.#session as Session).queued.add(reported.number);
    this.#whenSaved(this.#session as Session, () => {
      reported.saved = true;
    });
  }

  discarded(action: string, payload: Payload, reason: DiscardReason, deadLetter: DeadLetter | undefined): void {
    const session = this.#session as Session;
    const reported = this.#reported.get(numberOf(action, payload));
    this.law(reported !== undefined, `${action} was given up although it was never reported.`);
    if (reported === undefined) return;
    this.#expire();
    if (reason === "full") {
      this.law(action === "MeterValues", `${action} was thrown away because the queue was full.`);
      this.law(deadLetter === undefined, `#${reported.number} was thrown away, and is a dead letter.`);
      const most = session.queued.size + session.maybeQueued.size;
      this.law(most >= maxQueuedMessages / 2, "Meter values were thrown away although there is room.");
    } else {
      const isKept = deadLetter !== undefined && session.chargePoint.deadLetters.includes(deadLetter);
      this.law(isKept, `#${reported.number} was given up, and is no dead letter.`);
    }
    if (reason === "refused") {
      const isFinal = reported.charging === undefined && reported.attempts.at(-1)?.outcome === "failed";
      this.law(isFinal, `#${reported.number} was given up at once, although it was not refused for good.`);
    }
    if (reason === "attempts") {
      const failures = reported.attempts.filter(mayCount).length;
      const counted = failuresThatCount(reported, session).length;
      // What is not known to count may count: the power may have failed after it was written down.
      const exact = failures >= attempts && counted <= attempts;
      this.law(exact, `#${reported.number} was given up after ${failures} failures, of which ${counted} must count.`);
      if (action === "StartTransaction" && reported.charging !== undefined) reported.charging.transactionId = -1;
    }
    this.#settled(reported, reason);
  }

  /** Says which dead letters there are after a start. */
  found(deadLetters: readonly DeadLetter[]): void {
    const session = this.#session as Session;
    const found = new Set<Reported>();
    for (const { call, reason } of deadLetters) {
      const reported = this.#reported.get(numberOf(call.action, call.req as Payload));
      this.law(reported !== undefined, `${call.action} is a dead letter although it was never reported.`);
      if (reported === undefined) continue;
      found.add(reported);
      const { number, fate, fateSaved } = reported;
      const mayBe = fate === reason || session.maybeQueued.has(number) || !fateSaved;
      this.law(mayBe, `#${number} is a dead letter although its fate is ${fate}.`);
      session.maybeQueued.delete(number);
      reported.fate = reason;
    }
    for (const reported of this.#reported.values()) {
      const { number, fate, fateSaved } = reported;
      const wasDead = fate === "attempts" || fate === "refused";
      this.law(
        !wasDead || !fateSaved || found.has(reported),
        `#${number} was given up and is no dead letter any more.`,
      );
    }
  }

  /** Says that the owner is about to decide about a dead letter. */
  decides({ call }: DeadLetter, what: "retry" | "delete"): void {
    const session = this.#session as Session;
    const reported = this.#reported.get(numberOf(call.action, call.req as Payload)) as Reported;
    const { number } = reported;
    this.say(`owner: ${what} #${number}`);
    reported.attempts.length = 0;
    reported.retriedAt = this.now;
    reported.saved = false;
    reported.fateSaved = false;
    reported.fate = what === "delete" ? "deleted" : "none";
    if (what === "retry") session.queued.add(number);
    this.#whenSaved(session, () => {
      if (what === "delete") reported.fateSaved = true;
      else reported.saved = true;
    });
  }

  #settled(reported: Reported | undefined, fate: "delivered" | DiscardReason): void {
    const session = this.#session;
    if (reported === undefined || session === undefined) return;
    this.say(`chargePoint: #${reported.number} is settled: ${fate}`);
    const wasQueued = session.queued.delete(reported.number) || session.maybeQueued.delete(reported.number);
    const isExhumed = reported.fate === "attempts" && fate === "delivered" && reported.latest?.outcome === "answered";
    this.law(wasQueued || isExhumed, `#${reported.number} was settled twice.`);
    reported.fate = fate;
    session.fateAt = this.now;
    this.#whenSaved(session, () => {
      reported.fateSaved = true;
    });
  }

  /** Waits until what has happened so far would survive a power cut. */
  #whenSaved(session: Session, then: () => unknown): void {
    void this.#saved(session).then((saved) => saved && session === this.#session && then());
  }

  /** Holds `saved` against what it promises: it ends soon, well if everything is on the disk, and badly if not. */
  async #saved(session: Session): Promise<boolean> {
    await null; // The Charge Point asks for what it writes after it has told.
    const asked = { at: this.now };
    const queued = [...session.queued];
    session.saving.add(asked);
    try {
      await session.chargePoint.saved();
    } catch (error) {
      const explained = session !== this.#session || session.stopping || this.#disk.failedSince(asked.at - minute);
      this.law(explained, `saved() has rejected although the disk was well: ${error}`);
      return false;
    } finally {
      session.saving.delete(asked);
    }
    for (const number of queued) {
      const { action, fate } = this.#reported.get(number) as Reported;
      const kept = fate !== "none" || this.#disk.has(fieldOf(action, number));
      this.law(kept || session !== this.#session, `saved() has resolved although #${number} is not on the disk.`);
    }
    return true;
  }

  /** Says what `start` gave back after a restart. */
  handedBack(idTags: readonly string[]): void {
    this.say(`chargePoint: handed back [${idTags.join(", ")}]`);
    for (const charging of this.chargings) {
      if (charging.power === this.#session?.power) continue;
      const start = [...this.#reported.values()].find((each) => each.charging === charging);
      const handedBack = idTags.includes(charging.idTag);
      if (handedBack) this.law(!charging.stop?.saved, `${charging.idTag} was handed back although it was stopped.`);
      else this.law(!start?.saved || charging.stop !== undefined, `${charging.idTag} was not handed back.`);
    }
    for (const idTag of idTags) {
      const known = this.chargings.some((charging) => charging.idTag === idTag);
      this.law(known, `"${idTag}" was handed back although nobody started it.`);
    }
  }

  fault(error: unknown): void {
    this.say(`chargePoint: fault: ${error}`);
    const nonsense = this.#trouble.has("answer nonsense") || this.#trouble.has("tell an absurd time");
    const { name, origin } = error as { name?: string; origin?: string };
    const explained =
      error instanceof OwnersFailure ||
      this.#disk.failedSince(this.now - minute) ||
      (error instanceof Error && error.cause instanceof DiskFailure) ||
      (name === "CallError" && (this.#trouble.has("fail") || this.#trouble.has("restart central system"))) ||
      (name === "PayloadError" && origin === "remote" && nonsense) ||
      (name === "CallTimeoutError" && this.#trouble.size > 0);
    this.law(explained, `A fault that nothing explains: ${error instanceof Error ? error.stack : error}`);
  }

  violation(by: string, reason: string): void {
    this.say(`${by}: violation: ${reason}`);
    const explained =
      (reason === "late-answer" && this.#trouble.size > 0) ||
      (reason === "not-accepted" && (this.#trouble.has("register") || this.#trouble.has("restart central system"))) ||
      (reason === "payload" && this.#trouble.has("tell an absurd time")) ||
      (["not-json", "payload", "unmatched-answer"].includes(reason) && this.#trouble.has("answer nonsense"));
    this.law(explained, `A violation that nothing explains: ${reason}`);
  }

  /** Says that its computer falls asleep. */
  sleeps(): void {
    this.say("chargePoint: sleeps");
    this.#expire();
    if (this.#wire !== undefined) this.#mustHaveSent();
    (this.#session as Session).asleep = true;
  }

  /** Says that it has slept: what was to happen after some time, happens so much later. */
  wakes(sleptMs: number): void {
    this.say("chargePoint: wakes up");
    const session = this.#session as Session;
    session.asleep = false;
    session.connectedAt = this.now;
    if (session.disconnectedAt > 0) session.disconnectedAt += sleptMs;
    for (const asked of session.saving) asked.at += sleptMs;
    this.#disk.failedAt += sleptMs; // What it has not answered before is given up now.
    if (this.#wire !== undefined) this.#wire.silentSince += sleptMs;
    if (this.#wire?.outstanding !== undefined) this.#wire.outstanding.at += sleptMs;
    this.doubtful();
  }

  /** Says that the Charge Point's clocks show that something is wrong with one of them. */
  doubtful(): void {
    const session = this.#session;
    if (session === undefined) return;
    // What was in doubt before: by how much it is wrong, nobody will be able to say.
    const { doubtedAt, known } = session.time;
    for (const each of this.#stamped(session)) if (each.at >= doubtedAt || !known) each.expectedTime = unknowable;
    session.time.doubt(this.now);
    if (this.#wire === undefined) return;
    this.#wire.heartbeatDue = true;
    this.#wire.waiting = this.#wire.outstanding !== undefined;
  }

  // The wires.

  connecting(): void {
    const session = this.#session as Session;
    const waitedMs = this.now - session.disconnectedAt;
    this.law(this.#wire === undefined, "The Charge Point connects although it has a connection.");
    const soon = waitedMs >= shortestWaitMs && waitedMs <= longestWaitMs;
    this.law(soon || session.disconnectedAt === 0, `An attempt to connect comes ${waitedMs} ms after the last.`);
    session.disconnectedAt = Number.POSITIVE_INFINITY;
  }

  notConnected(): void {
    this.say("chargePoint: could not connect");
    (this.#session as Session).disconnectedAt = this.now;
  }

  wireOpened(wire: Wire): void {
    this.say(`link ${wire.number} opens`);
    this.#wire = wire;
    const session = this.#session as Session;
    session.connectedAt = this.now;
    wire.heartbeatDue = session.registration === "Accepted";
  }

  /** Says that the Charge Point has closed the connection, or has heard that it ended. */
  wireEnded(wire: Wire): void {
    if (this.#wire !== wire) return;
    this.#expire();
    this.#mustHaveSent();
    if (wire.outstanding !== undefined) this.#answered(wire.outstanding, "closed");
    const session = this.#session as Session;
    session.asked.clear();
    session.disconnectedAt = this.now;
    this.#wire = undefined;
  }

  chargePointSent(wire: Wire, text: string): void {
    const session = this.#session as Session;
    const [type, messageId, ...rest] = JSON.parse(text) as FrameArray;
    this.say(`chargePoint ──► ${text}`);
    this.#expire();
    this.#mustHaveSent();
    this.sample();
    session.sentAt = this.now;
    if (type === 2) this.#called(wire, session, messageId, rest[0] as string, rest[1] as Payload);
    else this.#served(wire, session, messageId, rest[0] as Payload);
  }

  #called(wire: Wire, session: Session, messageId: string, action: string, payload: Payload): void {
    this.law(wire.outstanding === undefined, `${action} was sent while a CALL was outstanding.`);
    this.#mayCall(session, action);
    const bringsTime = action === "Heartbeat" || action === "BootNotification";
    // Who is pending finds out only by the BootNotification whether anybody is there, and has to wait with that.
    if (bringsTime || session.registration !== "Pending") wire.silentSince = Math.min(wire.silentSince, this.now);
    const silentMs = this.now - wire.silentSince;
    this.law(silentMs <= deadMs, `${action} was sent over a connection on which nothing came back for ${silentMs} ms.`);
    // A driver does not wait for it, nor whoever makes a CALL; and what waited for its turn already goes first.
    // Who is pending sends what it is asked for, and must not ask for the time.
    const isFree = timeless.has(action) || wire.waiting || session.registration === "Pending";
    const mayGo = bringsTime || isFree || !wire.heartbeatDue;
    this.law(mayGo, `${action} was sent before a Heartbeat, although the time is in doubt.`);
    if (bringsTime) wire.heartbeatDue = false;
    if (action === "Heartbeat") session.heartbeatAt = this.now;
    const number = numberOf(action, payload);
    if (action === "StatusNotification") this.#reports(session, number, payload as Req<"StatusNotification">);
    const reported = action === "StatusNotification" ? undefined : this.#reported.get(number);
    const call = { messageId, action, at: this.now, doubts: session.time.doubts };
    const sent = (outstanding: Outstanding): void => {
      wire.outstanding = outstanding;
      wire.calls.set(messageId, outstanding);
    };
    if (reported === undefined) {
      this.law(
        Number.isNaN(number) || action === "StatusNotification",
        `${JSON.stringify(payload)} was never reported.`,
      );
      sent({ ...call, ...(action === "StatusNotification" && { status: number }) });
      return;
    }
    this.#mayAttempt(session, reported);
    this.#isAsReported(session, reported, payload);
    const attempt: Attempt = {
      power: session.power,
      at: this.now,
      endedAt: Number.NaN,
      outcome: "waiting",
      sign: false,
      failureSaved: false,
      mayHaveCounted: false,
    };
    // What is sent again while nothing shows that anybody is there counts as sent for the first time.
    for (const earlier of reported.attempts) wire.timedOut.delete(earlier);
    reported.attempts.push(attempt);
    reported.latest = attempt;
    sent({ ...call, attempt, reported });
  }

  #reports(session: Session, number: number, { connectorId, timestamp = "" }: Req<"StatusNotification">): void {
    const status = session.statuses.get(connectorId);
    if (status?.number !== number) return;
    status.sentAt = this.now;
    const offMs = offBy(status, Date.parse(timestamp));
    this.law(offMs === 0, `The timestamp of status #${number} is off by ${offMs} ms.`);
  }

  /** CORE-BOOT-02, CORE-BOOT-05, CORE-BOOT-09, CORE-BOOT-12, J-160 */
  #mayCall(session: Session, action: string): void {
    const { registration } = session;
    if (action === "BootNotification") {
      this.law(registration !== "Accepted", "BootNotification was sent although the Charge Point is accepted.");
      this.law(this.now >= session.bootAt, `BootNotification was sent ${session.bootAt - this.now} ms too early.`);
      if (registration === "Forgotten") session.registration = "Unregistered";
      session.asked.clear(); // What was asked for and waits would be sent behind it.
    } else if (registration === "Pending") {
      const asked = session.asked.get(action) ?? 0;
      this.law(asked > 0, `${action} was sent while Pending, and nobody had asked for it.`);
      session.asked.set(action, asked - 1);
    } else {
      // What waited to be sent when it was forgotten is sent, and refused as well.
      const mayBe = registration === "Accepted" || registration === "Forgotten";
      this.law(mayBe, `${action} was sent while ${registration}.`);
    }
  }

  /** CORE-TXQ-03, CORE-TXQ-09, CORE-TXQ-10 */
  #mayAttempt(session: Session, reported: Reported): void {
    const { number, action, at, fate, fateSaved, attempts: earlier } = reported;
    const written = this.#disk.has(fieldOf(action, number)) || this.#disk.failedSince(at);
    this.law(written, `#${number} was sent before it was written down.`);
    const again = fate !== "none" && fateSaved;
    this.law(!again, `#${number} was sent again, although it was settled (${fate}) and that was saved.`);
    if (session.maybeQueued.delete(number)) session.queued.add(number);
    this.law(session.queued.has(number), `#${number} was sent although it is not in the queue.`);
    const due = this.#due(session, reported.charging === undefined ? "others" : "transactions");
    const inTurn = reported === due || (due !== undefined && this.#isFirstSince(due.retriedAt, reported));
    this.law(inTurn, `#${number} was sent before #${due?.number}.`);
    const { transactionId = -1 } = reported.charging ?? {};
    const known =
      action === "StartTransaction" && transactionId > 0 && this.#disk.has(`"transactionId":${transactionId}`);
    this.law(!known, `#${number} was sent again, although its id was written down.`);
    const latest = earlier.at(-1);
    const answered = latest?.outcome === "answered" && latest.power === session.power;
    this.law(!answered, `${action} #${number} was sent again, although it was answered.`);
    const failures = failuresThatCount(reported, session);
    this.law(failures.length < attempts, `#${number} was sent again after ${attempts} failures.`);
    const failure = failures.at(-1);
    if (failure?.power !== session.power) return; // It does not wait on after the power was off.
    const waitMs = this.now - failure.endedAt;
    const dueMs = retryIntervalMs * failures.length;
    this.law(waitMs >= dueMs, `#${number} was sent again after ${waitMs} ms, not ${dueMs} ms.`);
  }

  /** Whether it may be on its way since before a message was retried: then it is the first that is sent after that. */
  #isFirstSince(retriedAt: number, { charging, at }: Reported): boolean {
    const others = [...this.#reported.values()].filter(
      (each) => (each.charging === undefined) === (charging === undefined),
    );
    const isFirst = others.every(({ attempts: all }) => all.every((attempt) => attempt.at <= retriedAt));
    return at <= retriedAt && isFirst;
  }

  #isAsReported(session: Session, reported: Reported, payload: Payload): void {
    const { transactionId, ...rest } = payload;
    const { number, charging } = reported;
    const { timestamps, content } = withoutTimestamps(rest);
    this.law(
      isDeepStrictEqual(content, reported.payload),
      `#${number} is not what was reported: ${JSON.stringify(payload)}.`,
    );
    if (charging !== undefined && reported.action !== "StartTransaction") {
      const expected = charging.transactionId;
      // Its start was a dead letter before, and is again where the disk has not taken that it was delivered.
      const wasLost = transactionId === -1 && this.#disk.failedSince(charging.identifiedAt);
      this.law(
        transactionId === expected || wasLost,
        `#${number} has the transaction id ${transactionId}, not ${expected}.`,
      );
    }
    if (timestamps.length === 0) return;
    const sentBefore = reported.timestamp;
    reported.timestamp = Date.parse(
      (payload.timestamp ?? (payload as Req<"MeterValues">).meterValue[0]?.timestamp) as string,
    );
    const { noted, timestamp, expectedTime, certain, setBack, action } = reported;
    if (!Number.isNaN(sentBefore)) {
      // By its content it is recognized; after a power cut that takes a disk which has kept what it was asked to keep.
      const says = timestamp === sentBefore || this.#disk.failedSince(reported.at);
      this.law(says, `#${number} says ${timestamp}, and said ${sentBefore} when it was sent before.`);
      return;
    }
    if (noted !== undefined) {
      this.law(timestamp === noted, `#${number} was noted at ${noted}, and says ${timestamp}.`);
      return;
    }
    // What was stamped before the Central System told the time, and was not sent before a restart, is as it is.
    if (!Number.isFinite(expectedTime) || (!certain && reported.power !== session.power)) return;
    // What the owner stamps may fall when the clock is set back; what the library stamps does not.
    const earlier = [...this.#reported.values()].filter(
      (each) => charging !== undefined && each.charging === charging && each.number < number,
    );
    const before = earlier.filter((each) => !Number.isNaN(each.timestamp));
    const latestOf = (all: readonly Reported[]): number => Math.max(...all.map((each) => each.timestamp));
    const comparable = before.filter(
      (each) =>
        each.noted === undefined &&
        // Of what was lost with the power, nobody knows when it was.
        (each.power === reported.power || each.saved) &&
        (action !== "MeterValues" ||
          (each.power === reported.power &&
            each.setBack === setBack &&
            each.expectedTime !== unknowable &&
            offBy(each, each.timestamp) <= 0)),
    );
    const fellMs = latestOf(comparable) - timestamp;
    this.law(!(fellMs > 0), `#${number} has a timestamp that is ${fellMs} ms before an earlier one.`);
    // What was lost or made room was stamped, too, although nobody has seen it: in doubt with nobody knows what.
    const unseen = earlier.filter((each) => Number.isNaN(each.timestamp));
    const mostOf = (each: Reported) => (Number.isNaN(each.expectedTime) ? unknowable : each.expectedTime + tolerableMs);
    const latest = Math.max(latestOf(before), ...unseen.map(mostOf));
    // It is not right then, but it has not fallen.
    if (timestamp <= latest && timestamp > expectedTime) return;
    for (const each of timestamps) {
      const offMs = offBy(reported, each);
      this.law(offMs === 0, `A timestamp of #${number} is off by ${offMs} ms.`);
    }
  }

  #served(wire: Wire, session: Session, messageId: string, payload: Payload): void {
    const call = wire.served.get(messageId);
    this.law(call !== undefined, `"${messageId}" was answered, but not asked, or twice.`);
    if (call !== undefined) this.profiles.answered(call, payload);
    wire.served.delete(messageId);
    this.law(
      session.registration !== "Rejected",
      `${call?.action} was answered although the Charge Point is rejected.`,
    );
    if (call?.action !== "TriggerMessage" || !isDeepStrictEqual(payload, { status: "Accepted" })) return;
    const { requestedMessage, connectorId } = call.payload as Req<"TriggerMessage">;
    const statuses = connectorId === undefined ? session.statuses.size : 1;
    const more = requestedMessage === "StatusNotification" ? statuses : 1;
    session.asked.set(requestedMessage, more + (session.asked.get(requestedMessage) ?? 0));
    if (requestedMessage !== "BootNotification") return;
    session.bootAt = this.now;
    this.#forgotten(wire, session);
  }

  /** RT-13: on the connection on which it was accepted, a Charge Point believes in its acceptance. */
  #forgotten(wire: Wire, session: Session): void {
    if (session.registration !== "Accepted" || session.acceptedOn === wire) return;
    session.registration = "Forgotten";
    session.bootAt = this.now;
  }

  chargePointReceived(wire: Wire, text: string): void {
    const session = this.#session as Session;
    this.#expire();
    this.sample();
    wire.silentSince = Number.POSITIVE_INFINITY;
    const cut = cutAnswerOf(text);
    // J-127: its beginning ends the CALL that waits, and no other.
    const frame = frameOf(text) ?? (cut?.[1] === wire.outstanding?.messageId ? cut : undefined);
    this.say(`            ──► chargePoint ${text}`);
    if (wire !== this.#wire) return; // It has closed it.
    if (frame?.[0] !== 2) this.#sign(wire);
    if (frame === undefined) return;
    const [type, messageId, ...rest] = frame;
    if (type === 2) {
      const call = { action: rest[0] as string, payload: rest[1] };
      wire.served.set(messageId, call);
      this.profiles.asked(call);
      return;
    }
    const answered = wire.calls.get(messageId);
    if (answered === undefined) return;
    const late = answered !== wire.outstanding;
    if (answered.attempt !== undefined) wire.timedOut.delete(answered.attempt);
    this.#isThere(wire);
    const payload = rest[0] as Payload;
    const nonsense = type === 3 && "nonsense" in payload;
    const starts = answered.action === "StartTransaction";
    if (type === 4 && rest[0] === "SecurityError") {
      session.refused ||= session.registration === "Accepted" && session.acceptedOn !== wire;
      this.#forgotten(wire, session);
    }
    const { reported } = answered;
    // A message that was sent again meanwhile is answered by what comes for that.
    if (late && (reported === undefined || reported.latest !== answered.attempt)) return;
    // What was given up is delivered after all by an answer, as long as nobody has decided about it.
    const isExhumed = reported?.fate === "attempts" && reported.charging !== undefined && type === 3;
    if (late && reported?.fate !== "none" && !isExhumed) return;
    this.#answered(answered, type === 4 || (nonsense && starts) ? "failed" : "answered");
    if (type === 4 || nonsense) return;
    if (starts && reported?.charging !== undefined) {
      reported.charging.transactionId = Number(payload.transactionId);
      reported.charging.identifiedAt = this.now;
    }
    if (answered.action === "BootNotification") this.#registered(session, payload as Conf<"BootNotification">);
    const accepted = answered.action === "BootNotification" && payload.status === "Accepted";
    // What was asked before there was a doubt is no answer to what time it is now.
    const tells = (accepted || answered.action === "Heartbeat") && answered.doubts === session.time.doubts;
    if (tells) this.#told(session, payload.currentTime);
  }

  #registered(session: Session, { status, interval }: Conf<"BootNotification">): void {
    session.registration = status;
    session.refused = false;
    if (status === "Accepted") {
      const ownMs = session.acceptedOn === undefined ? defaultHeartbeatMs : session.heartbeatMs;
      session.acceptedOn = this.#wire;
      session.acceptedAt = this.now;
      session.heartbeatMs = interval === 0 ? ownMs : Math.min(day, interval * second);
      session.heartbeatAt = this.now;
    } else session.bootAt = this.now + (interval === 0 ? 30 : interval) * second;
  }

  #stamped(session: Session): readonly (Reported | ReportedStatus)[] {
    const reported = [...this.#reported.values()].filter(({ power }) => power === session.power);
    return [...reported, ...session.statuses.values()];
  }

  #told(session: Session, currentTime: unknown): void {
    session.time.tell(currentTime, this.now, session.chargePoint.now());
    if (!session.time.certain) return; // It was no time.
    for (const each of this.#stamped(session)) {
      if (Number.isNaN(each.expectedTime)) each.expectedTime = session.time.at(each.at);
    }
  }

  centralSystemSent(wire: Wire, text: string): void {
    const [type, messageId, action] = JSON.parse(text) as FrameArray;
    if (type !== 2) return;
    this.#expireAtCentralSystem(wire);
    this.law(wire.outstandingAtCentralSystem === undefined, "The Central System has two CALLs outstanding.");
    wire.outstandingAtCentralSystem = { messageId, action: action as string, at: this.now };
  }

  centralSystemReceived(wire: Wire, text: string): void {
    const [type, messageId, ...rest] = JSON.parse(text) as FrameArray;
    this.#expireAtCentralSystem(wire);
    if (type !== 2) {
      if (messageId === wire.outstandingAtCentralSystem?.messageId) wire.outstandingAtCentralSystem = undefined;
      return;
    }
    const [action, payload] = rest as [string, Payload];
    const reported = action === "StatusNotification" ? undefined : this.#reported.get(numberOf(action, payload));
    if (reported === undefined) return;
    this.say(`            ──► centralSystem received #${reported.number}`);
    const { number, receipts } = reported;
    // What was given up before may come late, when the power failed before it was removed.
    const kind = reported.charging === undefined ? "others" : "transactions";
    const latest = this.#latestReceived[kind];
    const inOrder = receipts > 0 || number > latest || reported.fate !== "none" || reported.retriedAt > 0;
    this.law(inOrder, `#${number} arrived first after #${latest}.`);
    reported.receipts++;
    this.#latestReceived[kind] = Math.max(number, latest);
  }

  /** Looks at the clock of the Charge Point. */
  sample(): void {
    const session = this.#session;
    const wrong = session?.time.wrong(this.now, session.chargePoint.now());
    this.law(wrong === undefined, wrong ?? "");
  }

  /** Ends the CALL that has timed out, if there is one. */
  #expire(): void {
    const outstanding = this.#wire?.outstanding;
    if (this.#wire === undefined || outstanding === undefined) return;
    const endedAt = outstanding.at + timeoutMs;
    if (this.now >= endedAt) this.#answered(outstanding, "timed out", endedAt);
  }

  #expireAtCentralSystem(wire: Wire): void {
    const { outstandingAtCentralSystem: outstanding } = wire;
    if (outstanding !== undefined && this.now >= outstanding.at + timeoutMs)
      wire.outstandingAtCentralSystem = undefined;
  }

  #answered(call: Outstanding, how: "answered" | "failed" | "timed out" | "closed", endedAt = this.now): void {
    const session = this.#session as Session;
    const wire = this.#wire as Wire;
    // CORE-TXQ-08: a refusal that means all of them is no failure of this one.
    const outcome = how === "failed" && session.refused ? "closed" : how;
    if (wire.outstanding === call) wire.outstanding = undefined;
    const { attempt } = call;
    if (attempt !== undefined) {
      // What is refused late has failed when its time was over.
      if (attempt.outcome === "waiting") attempt.endedAt = endedAt;
      attempt.mayHaveCounted = mayCount(attempt);
      attempt.outcome = outcome;
    }
    if (attempt !== undefined && outcome === "failed") this.#failed(session, attempt);
    if (attempt !== undefined && outcome === "timed out") wire.timedOut.add(attempt);
    if (call.status === undefined || outcome === "closed") return;
    for (const status of session.statuses.values()) if (status.number === call.status) status.settled = true;
  }

  #failed(session: Session, attempt: Attempt): void {
    // The Charge Point hears of it after this, and writes it down.
    const written = (): void => this.#whenSaved(session, () => (attempt.failureSaved = true));
    this.#clock.wakeAt(this.now, written);
  }

  /** Says that something has come back that may be an answer. */
  #sign(wire: Wire): void {
    for (const attempt of [...wire.timedOut, wire.outstanding?.attempt]) if (attempt !== undefined) attempt.sign = true;
  }

  /** CORE-TXQ-08: says that the Central System has answered something: what it has not answered before has failed. */
  #isThere(wire: Wire): void {
    for (const attempt of wire.timedOut) {
      attempt.outcome = "failed";
      this.#failed(this.#session as Session, attempt);
    }
    wire.timedOut.clear();
  }

  /** CORE-HB-01, CORE-HB-04, CORE-TXQ-01: what the Charge Point must have sent by now, it has sent. */
  #mustHaveSent(): void {
    const session = this.#session;
    if (session === undefined || session.asleep) return;
    for (const { at } of session.saving) this.law(this.now - at <= savingMs, "saved() has not ended for minutes.");
    this.#mustHaveKept(session);
    if (session.registration !== "Accepted") return;
    const { connectedAt, acceptedAt, sentAt, heartbeatAt, heartbeatMs } = session;
    const onlineAt = Math.max(connectedAt, acceptedAt);
    const idleMs = this.now - Math.max(onlineAt, sentAt);
    this.law(idleMs <= heartbeatMs + timeoutMs, `Nothing was sent for ${idleMs} ms, not even a Heartbeat.`);
    const heartbeatMissingMs = this.now - Math.max(onlineAt, heartbeatAt);
    this.law(heartbeatMissingMs <= dailyMs, `No Heartbeat was sent for ${heartbeatMissingMs} ms.`);
    for (const kind of ["transactions", "others"] as const) this.#mustHaveTried(session, this.#due(session, kind));
  }

  #mustHaveTried(session: Session, reported: Reported | undefined): void {
    if (reported === undefined) return;
    const { number } = reported;
    const onlineAt = Math.max(session.connectedAt, session.acceptedAt);
    const failures = reported.attempts.filter(({ outcome }) => outcome === "failed" || outcome === "timed out");
    const retryAt = (failures.at(-1)?.endedAt ?? 0) + retryIntervalMs * Math.min(attempts, failures.length);
    const triedAt = reported.attempts.at(-1)?.at ?? 0;
    const waitedMs = this.now - Math.max(onlineAt, reported.at, reported.retriedAt, retryAt, triedAt, session.fateAt);
    this.law(waitedMs <= patienceMs, `#${number} waits for nothing since ${waitedMs} ms.`);
  }

  /** Once the disk has been well for a while, everything that is due is on it, also what it has refused before. */
  #mustHaveKept(session: Session): void {
    const since = Math.max(this.#disk.failedAt, session.connectedAt);
    if (this.now - since <= rewritingMs) return;
    for (const number of session.queued) {
      const { action, at, retriedAt } = this.#reported.get(number) as Reported;
      const kept = this.now - Math.max(at, retriedAt) <= rewritingMs || this.#disk.has(fieldOf(action, number));
      this.law(kept, `#${number} is not on the disk although that has been well for a while.`);
    }
  }

  /** What waits, in order: what belongs to transactions, or the others. */
  #queued({ queued }: Session, kind: "transactions" | "others"): readonly Reported[] {
    return [...queued]
      .sort((a, b) => a - b)
      .map((number) => this.#reported.get(number) as Reported)
      .filter(({ charging }) => (charging === undefined) === (kind === "others"));
  }

  /** What is due next. */
  #due(session: Session, kind: "transactions" | "others"): Reported | undefined {
    return this.#queued(session, kind)[0];
  }

  // The end.

  /** Says that everything is well for a long time, and the owner has stopped every transaction. */
  endsWell(): void {
    const session = this.#session as Session;
    this.#expire();
    this.#mustHaveSent();
    this.sample();
    this.law(session.registration === "Accepted", `In the end the Charge Point is ${session.registration}.`);
    for (const reported of this.#reported.values()) this.#hasEnded(session, reported);
    for (const [connectorId, { number, sentAt, settled }] of session.statuses) {
      const sent = sentAt >= session.acceptedAt && settled;
      this.law(sent, `The latest status of connector ${connectorId} (#${number}) was not sent since Accepted.`);
    }
    this.profiles.endsWell();
    const left = this.#disk.keys("others");
    this.law(left.length === 0, `The store still has ${left.join(", ")}.`);
  }

  #hasEnded(session: Session, { number, action, power, saved, at, fate }: Reported): void {
    const lost = this.#cut.has(power) || (power !== session.power && this.#disk.failedSince(at));
    const done = fate === "delivered" || fate === "full" || fate === "deleted";
    this.law(done || (lost && !saved), `${action} #${number} was neither delivered nor thrown away (${fate}).`);
  }
}

/** The time that it should have been stamped with, when nobody can say. */
const unknowable = Number.POSITIVE_INFINITY;

/** By how much a timestamp is further off than it may be, because of small differences that clocks make up for slowly. */
function offBy({ expectedTime }: { readonly expectedTime: number }, timestamp: number): number {
  const offMs = timestamp - expectedTime;
  return !Number.isFinite(offMs) || Math.abs(offMs) <= tolerableMs ? 0 : offMs;
}
