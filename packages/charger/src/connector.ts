import { type Authorization, OwnSignal, type Req, sameGroup, type Transaction } from "@ocppj/core";
import { sessionKeysOf } from "./charger-keys.ts";
import type { ConnectorState } from "./charger-state.ts";
import type { Desk } from "./desk.ts";
import { type ErrorSource, Errors } from "./errors.ts";
import type { ConnectorHardware, HardwareError, Offer, Unlocking } from "./hardware/hardware.ts";
import type { Reading } from "./hardware/reading.ts";
import { MeteredTransaction } from "./metered-transaction.ts";
import { energyRegister } from "./metering/meter-value.ts";
import type { Reservation, Situation } from "./reservation/reservation.ts";
import { ChargingSession } from "./session/charging-session.ts";
import type { Moment, SessionOutput, StopReason } from "./session/session-facts.ts";
import { ConnectorStatusReports, type StatusStep } from "./status/connector-status.ts";
import { statusOf } from "./status/status-of.ts";

type Profile = NonNullable<Req<"RemoteStartTransaction">["chargingProfile"]>;

const lockFailure: HardwareError = { errorCode: "ConnectorLockFailure" };

/**
 * One connector: joins its session to what it needs. It contains no rule: what the session says is done here, and what
 * follows is told to the session, or to the machines that connectors share.
 */
export class Connector {
  readonly id: number;
  readonly session: ChargingSession;
  readonly statuses = new ConnectorStatusReports();
  readonly #desk: Desk;
  readonly #hardware: ConnectorHardware;
  readonly #errors = new Errors();
  #reading: Reading | undefined;
  /** The transaction that runs. */
  #running: MeteredTransaction | undefined;
  /** The transaction that ran last: who may let its cable go. */
  #latest: Transaction | undefined;
  #offer: Offer | undefined;
  /** The charging profile that came with a RemoteStartTransaction, for the transaction that it starts. [CORE-RST-12] */
  #profile: { readonly idTag: string; readonly profile: Profile } | undefined;
  /** Whether the profile of the transaction is being installed: before that nothing is offered. */
  #installing = false;
  /** The reservation of somebody else whose group the present user belongs to. */
  #ofGroup: Reservation | undefined;
  /** What is wrong with the charger as a whole. */
  #chargerFault: HardwareError | undefined;
  /** The lock did not close: the session is faulted until the cable is out. */
  #lockFailed = false;
  /** No energy, whatever the session says: the cable is being let go. */
  #holds = 0;
  /** Takes back the question that is being asked. */
  #question = new OwnSignal();

  constructor(desk: Desk, id: number, hardware: ConnectorHardware) {
    this.#desk = desk;
    this.id = id;
    this.#hardware = hardware;
    const { cable = "socket", resumesAfterFault = false } = hardware;
    const traits = { locks: desk.hardware.hasLocks, cable, resumesAfterFault };
    this.session = new ChargingSession(traits, sessionKeysOf(desk.configuration));
  }

  get transaction(): Transaction | undefined {
    return this.#running?.transaction;
  }

  /** Whether its use has begun and is not over. */
  get isBusy(): boolean {
    const { begun, transaction, userActionDue } = this.session.facts;
    return begun || transaction || userActionDue;
  }

  /** Whether somebody charges, or was accepted and is about to. */
  get isCharging(): boolean {
    const { begun, idTag, transaction } = this.session.facts;
    return transaction || (begun && idTag !== undefined);
  }

  /** Whether somebody could begin to use it now, as far as reservations do not matter. */
  get isFree(): boolean {
    return this.situation === "free";
  }

  get isUsable(): boolean {
    return !this.session.facts.faulted && this.#desk.availability.isOperative(this.id);
  }

  get situation(): Situation {
    if (this.session.facts.faulted) return "faulted";
    if (!this.#desk.availability.isOperative(this.id)) return "unavailable";
    return this.isBusy ? "occupied" : "free";
  }

  get reading(): Reading | undefined {
    return this.#reading;
  }

  get running(): MeteredTransaction | undefined {
    return this.#running;
  }

  get state(): ConnectorState {
    const { idTag, plugged } = this.session.facts;
    const { availability, reservations } = this.#desk;
    const reservation = reservations.on(this.id);
    return {
      connectorId: this.id,
      status: this.statuses.latest.status,
      error: this.#error,
      plugged,
      operative: availability.isWanted(this.id),
      session: this.isBusy ? { idTag, transaction: this.#running?.state } : undefined,
      offer: this.#offer && { ...this.#offer },
      reservation,
      reading: this.#reading && { ...this.#reading },
    };
  }

  // What the hardware tells.

  plugged(): void {
    this.session.plugged(this.#now());
  }

  unplugged(end: "charge-point" | "vehicle"): void {
    this.session.unplugged(end, this.#now());
  }

  wantsEnergy(wants: boolean): void {
    this.session.wantsEnergy(wants, this.#now());
  }

  faulted(error: HardwareError, source?: ErrorSource): void {
    this.#errors.put(error, true, source);
    this.#judge();
  }

  /** The charger as a whole is broken, or is not any more. */
  chargerFaulted(fault: HardwareError | undefined): void {
    this.#chargerFault = fault;
    this.#judge();
  }

  warned(error: HardwareError, source?: ErrorSource): void {
    this.#errors.put(error, false, source);
    this.follow();
  }

  mended(error?: Pick<HardwareError, "errorCode" | "vendorErrorCode">, source?: ErrorSource): void {
    this.#errors.remove(error, source);
    this.#judge();
  }

  measured(reading: Reading): void {
    this.#reading = reading;
    this.#running?.measured(reading);
    this.#desk.sharing.draws(this.id, reading["Power.Active.Import"], this.#desk.clock.now());
    this.session.measured(this.#now());
    this.#desk.changed();
  }

  // What people and the Central System want.

  /** A card, or the button: who may use it is asked about, unless it is clear already. [RSV-08] */
  presented(idTag: string): void {
    const { idTag: user, transaction, userActionDue } = this.session.facts;
    const mayEnd = transaction || (userActionDue && user !== undefined);
    if (mayEnd) this.session.presented(idTag, this.#now());
    else if (!this.isUsable) this.#desk.say(this.id, `${idTag} is refused: the connector is ${this.situation}`);
    else if (this.#admission(idTag).type === "refused") {
      this.#desk.say(this.id, `${idTag} is refused: the connector is reserved for somebody else`);
    } else this.session.presented(idTag, this.#now());
  }

  /** Whether a transaction could start for an identifier, so that a RemoteStartTransaction is accepted. [CORE-RST-18] */
  mayStart(idTag: string): boolean {
    const { idTag: user, transaction } = this.session.facts;
    return !transaction && user === undefined && this.isUsable && this.#admission(idTag).type !== "refused";
  }

  remoteStarted(idTag: string, profile: Profile | undefined): void {
    if (!this.mayStart(idTag)) return; // Somebody was quicker.
    this.#profile = profile && { idTag, profile };
    // RSV-08: whether somebody is of a group, only the Central System knows.
    const asks =
      this.#desk.configuration.get("AuthorizeRemoteTxRequests") || this.#admission(idTag).type === "ask-parent";
    if (asks)
      this.session.presented(idTag, this.#now()); // CORE-RST-02
    else this.session.accepted(idTag, this.#now()); // CORE-RST-03
  }

  /** Ends what runs, and what waits. */
  stopped(reason: StopReason): void {
    this.session.stopped(reason, this.#now());
  }

  /** StartTransaction.conf did not accept the identifier. */
  invalidated(): void {
    this.#running?.invalidated();
    this.session.invalidated(this.#now());
  }

  /** Lets the cable go, without energy; `after` is to be called once that was answered. [CORE-UNL-01 … CORE-UNL-06] */
  async unlock(): Promise<{ readonly status: Unlocking; readonly after: () => void }> {
    if (this.#hardware.cable === "fixed" || !this.#desk.hardware.unlocks) {
      return { status: "NotSupported", after: () => {} }; // CORE-UNL-05
    }
    this.#holds += 1;
    this.follow();
    this.#desk.run();
    const status = await this.#desk.hardware.unlock(this.id);
    const after = (): void => {
      this.#holds -= 1;
      if (status === "Unlocked") {
        this.#errors.remove(undefined, "lock");
        this.session.unlocked(this.#now());
      } else if (status === "UnlockFailed") this.session.stopped("UnlockCommand", this.#now());
      this.follow();
      this.#desk.run();
    };
    return { status, after };
  }

  /** After a power cut: a transaction that ran goes on, or is stopped. [CORE-STOP-17] */
  restored(transaction: Transaction): void {
    const running = MeteredTransaction.resume(this.#desk, transaction, this.#reading);
    this.#running = running;
    if (!this.#hardware.resumesAfterPowerLoss || !this.session.facts.plugged) {
      this.#stop("PowerLoss", undefined);
      this.session.letGo({ stopped: true }, this.#now());
      return;
    }
    this.#desk.availability.resumed(this.id);
    this.session.resumed(transaction.idTag, this.#now());
    const { invalidSince } = running;
    if (invalidSince !== undefined) this.session.invalidated({ ...this.#now(), register: invalidSince });
  }

  /** Nothing ran when the power failed, or the program ended. */
  begun(): void {
    this.session.letGo({ stopped: false }, this.#now());
  }

  configured(): void {
    this.session.configured(sessionKeysOf(this.#desk.configuration));
  }

  /** What the session says. */
  readonly perform = (output: SessionOutput): void => {
    switch (output.type) {
      case "authorize":
        void this.#ask(output.question, output.idTag);
        break;
      case "authorizeStop":
        void this.#askToStop(output.question, output.idTag);
        break;
      case "forget":
        this.#question.abort("forgotten");
        break;
      case "lock":
        void this.#lock();
        break;
      case "unlock":
        void this.#unlock();
        break;
      case "start":
        this.#start(output.idTag);
        break;
      case "stop":
        this.#stop(output.reason, output.idTag);
        break;
      case "changed":
        this.follow();
        break;
      case "lockFailed":
        this.#lockFailed = true;
        this.follow();
        break;
      case "over":
        this.#profile = undefined;
        this.#ofGroup = undefined;
        this.follow();
        break;
    }
  };

  /** What the sharing of power gives it. */
  offered(offer: Offer | undefined): void {
    this.#offer = offer;
    this.#desk.hardware.offer(this.id, offer && { ...offer });
    this.#desk.changed();
  }

  /** What the status machine says is to be told. */
  readonly tell = ({ status, error, info }: StatusStep): void => {
    this.#desk.chargePoint.report({ connectorId: this.id, status, ...error, ...(info !== undefined && { info }) });
    this.#desk.changed();
  };

  /** Draws the consequences of the facts: first for the energy, then for the status. */
  follow(): void {
    const { availability, clock, reservations, sharing } = this.#desk;
    const { facts } = this.session;
    if (!this.isBusy) availability.settled(this.id);
    if (!this.isUsable) reservations.inoperative(this.id); // RSV-13
    const mayOffer = facts.mayOffer && this.#holds === 0 && !this.#installing;
    sharing.wants(this.id, mayOffer, clock.now());
    this.#desk.share();
    const waits = this.#holds > 0 || this.#installing;
    if (waits && !facts.faulted) return; // What follows is told once it was answered, or is known.
    const { status, info } = statusOf({
      ...facts,
      offered: this.#offer !== undefined,
      reserved: reservations.on(this.id) !== undefined,
      operative: availability.isOperative(this.id),
    });
    if (!facts.faulted) this.#lockFailed = false;
    this.statuses.is({ status, error: this.#error, ...(info !== undefined && { info }) }, clock.now());
    this.#desk.changed();
  }

  /** Tells the session whether it can be charged. */
  #judge(): void {
    if (this.#errors.hasFault || this.#chargerFault !== undefined) this.session.faulted(this.#now());
    else this.session.mended(this.#now());
    this.follow();
  }

  /** What is wrong. */
  get #error(): HardwareError {
    if (this.#errors.hasFault) return this.#errors.told;
    return this.#chargerFault ?? (this.#lockFailed ? lockFailure : this.#errors.told);
  }

  /** What its meter shows never falls within a transaction. */
  #now(): Moment {
    const register = this.#running?.register ?? this.#reading?.[energyRegister] ?? 0;
    return { now: this.#desk.clock.now(), register };
  }

  #admission(idTag: string) {
    return this.#desk.reservations.admission(this.id, idTag, this.#desk.situationOf);
  }

  async #ask(question: number, idTag: string): Promise<void> {
    const signal = new OwnSignal();
    this.#question = signal;
    const authorization = await this.#desk.chargePoint.authorize(idTag, { signal });
    if (signal.aborted) return;
    const isOperative = this.#desk.availability.isOperative(this.id); // It was, when the card was shown.
    const isAccepted = authorization.decision === "accept" && isOperative && this.#isAdmitted(idTag, authorization);
    if (!isAccepted) this.#profile = undefined;
    this.#desk.say(this.id, `${idTag}: ${isAccepted ? "accept" : "refuse"} (${authorization.grounds})`);
    this.session.answered(question, isAccepted, this.#now());
    this.#desk.run();
  }

  /** RSV-08: whose group the reservation is for may use it, too. */
  #isAdmitted(idTag: string, authorization: Authorization): boolean {
    const admission = this.#admission(idTag);
    this.#ofGroup = undefined;
    if (admission.type === "refused") return false;
    if (admission.type !== "ask-parent") return true;
    const group = "idTagInfo" in authorization ? authorization.idTagInfo.parentIdTag : undefined;
    const theirs = admission.candidates.find(({ parentIdTag }) => sameGroup(group, parentIdTag));
    if (theirs === undefined) return false;
    this.#ofGroup = theirs;
    return true;
  }

  async #askToStop(question: number, idTag: string): Promise<void> {
    const transaction = this.transaction ?? this.#latest;
    if (transaction === undefined) {
      this.session.answered(question, false, this.#now());
      return;
    }
    const signal = new OwnSignal();
    this.#question = signal;
    const { decision, grounds } = await this.#desk.chargePoint.authorizeStop(idTag, transaction, { signal });
    if (signal.aborted) return;
    this.#desk.say(this.id, `${idTag} wants to stop: ${decision} (${grounds})`);
    this.session.answered(question, decision === "accept", this.#now());
    this.#desk.run();
  }

  async #lock(): Promise<void> {
    const isLocked = await this.#desk.hardware.lock(this.id);
    this.session.locked(isLocked, this.#now());
    this.#desk.run();
  }

  async #unlock(): Promise<void> {
    const status = await this.#desk.hardware.unlock(this.id);
    if (status === "UnlockFailed") this.warned(lockFailure, "lock");
    else this.mended(undefined, "lock"); // It moves again.
    this.#desk.run();
  }

  #start(idTag: string): void {
    const admission = this.#admission(idTag);
    const group = this.#desk.reservations.all.find((each) => each === this.#ofGroup); // It may be over.
    const reservation = admission.type === "own" ? admission.reservation : group;
    try {
      this.#running = MeteredTransaction.begin(this.#desk, {
        connectorId: this.id,
        idTag,
        reservationId: reservation?.reservationId,
        reading: this.#reading,
      });
    } catch (error) {
      this.#desk.fault(error, this.id);
      this.stopped("Other");
      return;
    }
    this.#latest = this.transaction;
    this.#desk.charging();
    if (reservation !== undefined) this.#desk.reservations.used(reservation.reservationId);
    // Somebody else may have been quicker.
    if (this.#profile?.idTag === idTag) void this.#install(this.#profile.profile);
    this.#profile = undefined;
  }

  /** CORE-RST-12: it bounds the transaction from its first moment on. */
  async #install(csChargingProfiles: Profile): Promise<void> {
    this.#installing = true;
    try {
      await this.#desk.smartCharging.setChargingProfile({ connectorId: this.id, csChargingProfiles });
    } catch (error) {
      this.#desk.fault(error, this.id);
    }
    this.#installing = false;
    this.follow();
    this.#desk.run();
  }

  #stop(reason: StopReason, idTag: string | undefined): void {
    const running = this.#running;
    if (running === undefined) return; // It could not be started.
    running.stop(reason, idTag);
    this.#desk.say(this.id, `the transaction is stopped: ${reason}`);
    this.#running = undefined;
    this.#desk.charging();
    this.#desk.changed();
  }
}
