import { type Conf, type ConfigurationKey, drive, type Req, type Transaction } from "@ocppj/core";
import { answering } from "./answering.ts";
import { CardReader } from "./card-reader.ts";
import { keyOr, sessionKeys } from "./charger-keys.ts";
import type { ChargerOptions } from "./charger-options.ts";
import type { ChargerState } from "./charger-state.ts";
import { Connector } from "./connector.ts";
import type { Decided } from "./decided.ts";
import type { Desk, Loaded, Outlet } from "./desk.ts";
import { type ErrorSource, Errors } from "./errors.ts";
import type { FileJobs } from "./file-jobs.ts";
import type { KeptJob } from "./files/kept-job.ts";
import type { HardwareError, HardwareListener, Unlocking } from "./hardware/hardware.ts";
import type { Reading } from "./hardware/reading.ts";
import { PowerSharing, type PowerSharingOutput } from "./limits/power-sharing.ts";
import { sampledNames } from "./metering/measurand-lists.ts";
import { MeterSchedule, type MeterScheduleOutput } from "./metering/meter-schedule.ts";
import { meterValueOf } from "./metering/meter-value.ts";
import { answerRequests } from "./requests.ts";
import type { ReservationOutput } from "./reservation/reservations.ts";
import { Reset, type ResetOutput } from "./reset/reset.ts";
import type { Security } from "./security/security.ts";
import { answerSecurityRequests } from "./security-requests.ts";
import type { StopReason } from "./session/session-facts.ts";
import { ConnectorStatusReports } from "./status/connector-status.ts";
import { chargerStatusOf } from "./status/status-of.ts";
import { onClock, Together } from "./together.ts";

type AvailabilityStatus = Conf<"ChangeAvailability">["status"];

/**
 * Joins the parts of a charger: what the hardware tells becomes inputs of connectors, what machines say is done, and all of
 * them have one wake-up. It contains no rule.
 */
export class Engine {
  readonly connectors: readonly Connector[];
  readonly #desk: Desk;
  readonly #options: ChargerOptions;
  readonly #errors = new Errors();
  readonly #status = new ConnectorStatusReports();
  readonly #schedule = new MeterSchedule();
  readonly #sharing: PowerSharing;
  readonly #reset: Reset;
  readonly #reader = new CardReader();
  readonly #together = new Together();
  readonly #run: () => void;
  /** Without `firmwareManagement` there are none. */
  readonly #jobs: FileJobs | undefined;
  #mainReading: Reading | undefined;
  /** Whether the emergency button is pressed. */
  #isEmergency = false;
  /** Whether cards and buttons count: not before everything is known, and not once it restarts. */
  #isReady = false;

  constructor(parts: Loaded, options: ChargerOptions, outlet: Outlet) {
    const { chargePoint, clock, configuration, reservations } = parts;
    this.#options = options;
    const { pauseSeconds = 900, resetTimeoutMs = 10_000 } = options;
    this.#sharing = new PowerSharing({
      connectors: options.hardware.connectors,
      voltage: options.voltage,
      pauseSeconds,
    });
    this.#reset = new Reset({ timeoutMs: resetTimeoutMs, retries: () => configuration.get("ResetRetries") });
    this.#desk = {
      ...parts,
      schedule: this.#schedule,
      sharing: this.#sharing,
      options: {
        keepReadingSeconds: options.keepReadingSeconds ?? 300,
        maxMessageBytes: options.maxMessageBytes ?? 60_000,
      },
      situationOf: (id) => this.#connector(id)?.situation ?? "unavailable",
      run: () => this.#run(),
      share: () => this.#share(),
      charging: () => this.#jobs?.firmware.follow(),
      ...outlet,
    };
    const desk = this.#desk;
    this.connectors = options.hardware.connectors.map((each, index) => new Connector(desk, index + 1, each));
    const together = this.#together;
    this.#run = drive(together, clock, (act) => act());
    for (const connector of this.connectors) {
      together.add(connector.session, connector.perform);
      together.add(connector.statuses, connector.tell);
    }
    together.add(this.#sharing, (output) => this.#shared([output]));
    together.add(this.#status, ({ status, error }) => chargePoint.report({ connectorId: 0, status, ...error }));
    together.add(this.#reader, ({ connectorId, idTag }) => this.#connector(connectorId)?.presented(idTag));
    const aheadMs = (): number => chargePoint.now() - clock.now();
    together.add(onClock(reservations, aheadMs), (output) => this.#reservationEnded(output));
    together.add(onClock(this.#schedule, aheadMs), (output) => this.#sample(output));
    together.add(this.#reset, (output) => this.#resetSays(output));
    this.#jobs = options.firmwareManagement?.open({
      desk,
      connectorIds: this.connectors.map(({ id }) => id),
      isInUse: () => this.connectors.some(({ isCharging }) => isCharging),
      version: options.boot.firmwareVersion ?? "",
      restart: () => {
        this.#reset.asked("Soft", clock.now());
        this.#run();
      },
      follow: () => this.follow(),
      noticed: (type, techInfo) => this.security?.noticed(type, techInfo),
    });
    if (this.#jobs !== undefined) {
      const { diagnostics, firmware, log } = this.#jobs;
      together.add(onClock(firmware.update, aheadMs), firmware.perform);
      for (const { perform, upload } of [diagnostics, log]) together.add(onClock(upload, aheadMs), perform);
    }
    this.#configure();
    this.#followChargePoint();
    this.#useCertificates();
  }

  get state(): ChargerState {
    const { chargePoint, reservations } = this.#desk;
    return {
      connected: chargePoint.connected,
      registration: chargePoint.registration,
      undelivered: chargePoint.undelivered.count,
      status: this.#status.latest.status as ChargerState["status"],
      error: this.#errors.told,
      reservations: reservations.all.filter(({ connectorId }) => connectorId === 0),
      connectors: this.connectors.map(({ state }) => state),
    };
  }

  get security(): Security | undefined {
    return this.#desk.security;
  }

  /** Begins, once the hardware has told what is the case: transactions that ran go on, or are stopped. */
  begin(interrupted: readonly Transaction[], jobs: readonly KeptJob[]): void {
    // Whatever was left closed by what ran before.
    for (const connector of this.connectors) {
      const ran = interrupted.filter(({ connectorId }) => connectorId === connector.id);
      this.#desk.hardware.offer(connector.id, undefined);
      for (const transaction of ran) connector.restored(transaction);
      if (ran.length === 0) connector.begun();
      if (this.#isEmergency) connector.stopped("EmergencyStop");
    }
    this.#isReady = true;
    this.security?.begin();
    this.follow();
    void this.#jobs?.restore(jobs);
  }

  /** No card or button counts any more, and no energy flows. */
  end(): void {
    this.#isReady = false;
    for (const { id } of this.connectors) this.#desk.hardware.offer(id, undefined);
    this.#together.end();
    this.#jobs?.end();
    this.security?.end();
    this.#run();
  }

  /** Something of the owner's ends what runs on a connector. */
  stopped(connectorId: number, reason: StopReason): void {
    this.#heard(connectorId, (connector) => connector.stopped(reason));
  }

  async setOperative(connectorId: number, operative: boolean): Promise<AvailabilityStatus> {
    const type = operative ? "Operative" : "Inoperative";
    const { status, takeEffect } = await this.#changeAvailability({ connectorId, type });
    takeEffect();
    this.follow();
    return status;
  }

  async renewCertificate(): Promise<void> {
    const { certificates } = this.#desk;
    if (certificates === undefined)
      throw new TypeError("This Charger has no certificates. Give the option certificates.");
    await certificates.ask();
  }

  async unlock(connectorId: number): Promise<Unlocking> {
    const connector = this.#connector(connectorId);
    if (connector === undefined) return "NotSupported";
    const { status, after } = await connector.unlock();
    after();
    return status;
  }

  /** Draws the consequences of what concerns all connectors. */
  follow(): void {
    const { availability, clock } = this.#desk;
    for (const connector of this.connectors) connector.follow();
    // RSV-13: what was promised of any connector cannot be kept where none can be used.
    if (this.connectors.every(({ isUsable }) => !isUsable)) this.#desk.reservations.inoperative(0);
    this.#jobs?.firmware.follow();
    const status = chargerStatusOf({ faulted: this.#errors.hasFault, operative: availability.isOperative(0) });
    this.#status.is({ status, error: this.#errors.told }, clock.now());
    this.#desk.changed();
    this.#run();
  }

  /** What the hardware tells. */
  readonly listener: HardwareListener = {
    plugged: (id) =>
      this.#heard(id, (connector) => {
        connector.plugged();
        this.#reader.plugged(id);
      }),
    unplugged: (id, end = "charge-point") => this.#heard(id, (connector) => connector.unplugged(end)),
    presented: (idTag, id) => this.#presented(idTag, id),
    pressed: (button, id) =>
      this.#heard(id, (connector) => {
        if (!this.#isReady) return;
        const { startButtonIdTag } = this.#options;
        if (button === "stop") connector.stopped("Local");
        else if (startButtonIdTag !== undefined && connector.transaction === undefined) {
          connector.presented(startButtonIdTag);
        }
      }),
    wantsEnergy: (id, wants) => this.#heard(id, (connector) => connector.wantsEnergy(wants)),
    faulted: (id, error) =>
      id === 0 ? this.#faulted(error) : this.#heard(id, (connector) => connector.faulted(error)),
    warned: (id, error) => {
      if (id === 0) this.#errors.put(error, false);
      this.#heard(id, (connector) => connector.warned(error));
    },
    mended: (id, error) => (id === 0 ? this.#mended(error) : this.#heard(id, (connector) => connector.mended(error))),
    emergencyStop: (pressed) => {
      this.#isEmergency = pressed;
      if (pressed) {
        for (const connector of this.connectors) connector.stopped("EmergencyStop");
        this.#faulted(emergency, "emergency");
      } else this.#mended(undefined, "emergency");
    },
    measured: (id, reading) => {
      if (id === 0) this.#mainReading = reading;
      this.#heard(id, (connector) => connector.measured(reading));
    },
    tampered: (techInfo) => this.security?.noticed("TamperDetectionActivated", techInfo),
    limitReached: (id) => this.#heard(id, (connector) => connector.stopped("Other")),
  };

  /** What the methods of the hardware have failed to do; `undefined`: they do again. */
  hardwareFailed(connectorId: number, error: HardwareError | undefined): void {
    this.#heard(connectorId, (connector) =>
      error === undefined ? connector.mended(undefined, "contactor") : connector.faulted(error, "contactor"),
    );
  }

  #connector(id: number): Connector | undefined {
    return this.connectors[id - 1];
  }

  /** Something concerns a connector, and with 0 the charger. */
  #heard(id: number, tell: (connector: Connector) => void): void {
    const connector = this.#connector(id);
    if (connector !== undefined) tell(connector);
    this.#desk.changed();
    this.#run();
  }

  #presented(idTag: string, id: number | undefined): void {
    const { configuration, clock } = this.#desk;
    if (!this.#isReady) {
      this.#desk.say(id ?? 0, `${idTag} comes too early: the charger starts or restarts`);
      return;
    }
    if (id !== undefined) this.#connector(id)?.presented(idTag);
    else {
      const reachable = this.connectors.map(({ id: connectorId, isFree, session }) => {
        const { idTag: user, plugged, transaction } = session.facts;
        return { connectorId, idTag: user, transaction, isFree, awaitsCard: plugged && user === undefined };
      });
      this.#reader.presented(idTag, reachable, clock.now(), 1000 * configuration.get("ConnectionTimeOut"));
    }
    this.#run();
  }

  /** The charger itself is broken: no connector can be charged at. */
  #faulted(error: HardwareError, source?: ErrorSource): void {
    this.#errors.put(error, true, source);
    for (const connector of this.connectors) connector.chargerFaulted(this.#fault);
    this.follow();
  }

  #mended(error?: Pick<HardwareError, "errorCode" | "vendorErrorCode">, source?: ErrorSource): void {
    this.#errors.remove(error, source);
    for (const connector of this.connectors) connector.chargerFaulted(this.#fault);
    this.follow();
  }

  /** Why nobody can be charged by this charger. */
  get #fault(): HardwareError | undefined {
    return this.#errors.hasFault ? this.#errors.told : undefined;
  }

  /** What is measured and shared is done before anything else that waits. */
  #share(): void {
    const outputs: PowerSharingOutput[] = [];
    for (let output = this.#sharing.poll(); output !== undefined; output = this.#sharing.poll()) outputs.push(output);
    this.#shared(outputs);
  }

  /** What is offered is another: first all of it, then what follows for the statuses. */
  #shared(outputs: readonly PowerSharingOutput[]): void {
    for (const { connectorId, offer } of outputs) this.#connector(connectorId)?.offered(offer);
    for (const { connectorId } of outputs) this.#connector(connectorId)?.follow();
  }

  #changeAvailability(req: Req<"ChangeAvailability">): Promise<Decided<AvailabilityStatus>> {
    return this.#desk.availability.change(req, (id) => this.#connector(id)?.isBusy ?? false);
  }

  #reservationEnded({ cause, reservation }: ReservationOutput): void {
    const { connectorId, reservationId } = reservation;
    this.#desk.say(connectorId, `reservation ${reservationId} is over: ${cause}`);
    this.#connector(connectorId)?.follow();
    this.#desk.changed();
  }

  #sample(output: MeterScheduleOutput): void {
    if (output.type === "sample") this.#connector(output.connectorId)?.running?.sample("Sample.Periodic");
    else this.#sampleAligned(output);
  }

  /** CORE-MTR-05: of every connector, and of the main meter. */
  #sampleAligned({ at }: Extract<MeterScheduleOutput, { type: "aligned" }>): void {
    const names = this.#desk.configuration.get("MeterValuesAlignedData");
    for (const { id, reading, running } of this.connectors) {
      if (running !== undefined) running.sampleAligned(at);
      else this.#sendReading(id, reading, names, { context: "Sample.Clock", at });
    }
    this.#sendReading(0, this.#mainReading, names, { context: "Sample.Clock", at });
  }

  /** What the meters show now, or nothing if there are none. [RT-11] */
  readings(connectorId: number | undefined): (() => void) | undefined {
    if (connectorId !== undefined && connectorId !== 0 && this.#connector(connectorId) === undefined) return undefined;
    const names = sampledNames(this.#desk.configuration.get("MeterValuesSampledData"));
    const at = this.#desk.chargePoint.now();
    const sends: (() => void)[] = [];
    const isAsked = (id: number): boolean => connectorId === undefined || connectorId === id;
    const options = { context: "Trigger", at } as const;
    if (isAsked(0) && this.#mainReading) sends.push(() => this.#sendReading(0, this.#mainReading, names, options));
    for (const connector of this.connectors.filter(({ id, reading }) => isAsked(id) && reading !== undefined)) {
      sends.push(() => {
        if (connector.running !== undefined) connector.running.sample("Trigger");
        else this.#sendReading(connector.id, connector.reading, names, options);
      });
    }
    return sends.length === 0 ? undefined : () => sends.forEach((send) => void send());
  }

  /** Outside of a transaction: what cannot be sent now, nobody misses. */
  #sendReading(
    connectorId: number,
    reading: Reading | undefined,
    names: readonly string[],
    { at, context }: { readonly at: number; readonly context: "Sample.Clock" | "Trigger" },
  ): void {
    const { chargePoint } = this.#desk;
    const timestamp = new Date(at).toISOString();
    const value = reading && meterValueOf(reading, names, { context, timestamp, connectorId });
    if (value === undefined || !chargePoint.connected) return;
    chargePoint
      .call("MeterValues", { connectorId, meterValue: [{ ...value, timestamp }] })
      .catch((error: unknown) => this.#desk.say(connectorId, `its readings were not sent: ${error}`));
  }

  #resetSays(output: ResetOutput): void {
    const { chargePoint, hardware } = this.#desk;
    switch (output.type) {
      case "stopAll":
        this.#isReady = false;
        this.#reader.forget();
        this.security?.noticed("ResetOrReboot", output.reason);
        for (const connector of this.connectors) connector.stopped(output.reason);
        // Once all of that has become messages.
        void this.#then(Promise.resolve(), (now) => this.#reset.delivered(chargePoint.undelivered.count, now));
        break;
      case "save":
        void this.#then(chargePoint.saved(), () => this.#reset.saved());
        break;
      case "reboot":
        void this.#then(hardware.reboot(output.kind), (now, isDone = false) => this.#reset.rebooted(isDone, now));
        break;
      case "failed":
        this.#isReady = true;
        this.#errors.put({ errorCode: "ResetFailure" }, false, "reset");
        this.#jobs?.firmware.update.restartFailed();
        this.follow();
        break;
    }
  }

  async #then<T>(work: Promise<T>, done: (now: number, result: T | undefined) => void): Promise<void> {
    let result: T | undefined;
    try {
      result = await work;
    } catch (error) {
      this.#desk.fault(error);
    }
    done(this.#desk.clock.now(), result);
    this.#run();
  }

  /** The keys that the machines obey, now and whenever they change. */
  #configure(): void {
    const { configuration, chargePoint } = this.#desk;
    const listen = (keys: readonly ConfigurationKey[], changed: () => void): void => {
      changed();
      for (const key of keys) {
        configuration.listen(key, () => {
          changed();
          this.#run();
        });
      }
    };
    listen(sessionKeys, () => {
      for (const connector of this.connectors) connector.configured();
    });
    listen(["MinimumStatusDuration"], () => {
      const { minimumStatusSeconds = 0 } = this.#options;
      const minimumMs = 1000 * (minimumStatusSeconds + keyOr(configuration, "MinimumStatusDuration", 0));
      for (const { statuses } of [...this.connectors, { statuses: this.#status }]) statuses.configured(minimumMs);
    });
    listen(["MeterValueSampleInterval", "ClockAlignedDataInterval"], () => {
      this.#schedule.configured(
        {
          sampleIntervalMs: 1000 * configuration.get("MeterValueSampleInterval"),
          alignedIntervalMs: 1000 * configuration.get("ClockAlignedDataInterval"),
        },
        chargePoint.now(),
      );
    });
  }

  #useCertificates(): void {
    const { certificates, chargePoint, clock, fault, say } = this.#desk;
    if (certificates === undefined) return;
    this.#together.add(
      onClock(certificates.machine, () => chargePoint.now() - clock.now()),
      certificates.perform,
    );
    for (const name of ["connected", "registration"] as const) chargePoint.on(name, () => certificates.online());
    certificates.use({
      now: () => chargePoint.now(),
      sign: (csr) => chargePoint.call("SignCertificate", { csr }),
      reconnect: () => chargePoint.reconnectNow({ drop: true }),
      say: (text) => say(0, text),
      fault,
      noticed: (type, techInfo) => this.security?.noticed(type, techInfo),
      run: () => this.#run(),
    });
  }

  #followChargePoint(): void {
    const { chargePoint, clock } = this.#desk;
    const changed = (): void => {
      this.#desk.changed();
      this.#run();
    };
    chargePoint.on("limit", ({ connectorId, ...limit }) => {
      this.#sharing.limit(connectorId, limit, clock.now());
      this.follow();
    });
    chargePoint.on("invalidated", ({ transaction }) => {
      this.connectors.find((connector) => connector.transaction === transaction)?.invalidated();
      changed();
    });
    chargePoint.on("timeSet", () => {
      for (const { running } of this.connectors) running?.clockCorrected();
      this.#schedule.corrected(chargePoint.now());
      this.#run();
    });
    chargePoint.on("delivered", () => {
      this.#reset.delivered(chargePoint.undelivered.count, clock.now());
      changed();
    });
    for (const name of ["connected", "disconnected", "discarded", "registration"] as const)
      chargePoint.on(name, changed);
    chargePoint.on("refused", ({ error, retryInMs }) => {
      const why = error instanceof Error ? error.message : String(error);
      this.#desk.say(0, `${why} It is tried again in ${Math.ceil(retryInMs / 1000)} s.`);
    });
    chargePoint.on("profileRefused", ({ connectorId, message }) => this.#desk.say(connectorId, message));
    chargePoint.on("fault", ({ error }) => this.#desk.fault(error));
    const asked = {
      ...this.#desk,
      changeAvailability: (req: Req<"ChangeAvailability">) => this.#changeAvailability(req),
      connectors: this.connectors,
      remoteStartChooses: this.#options.remoteStartChooses ?? "plugged",
      isResetting: () => !this.#isReady,
      reset: (type: Req<"Reset">["type"]) => this.#reset.asked(type, clock.now()),
      readings: (connectorId: number | undefined) => this.readings(connectorId),
      fileJobs: this.#jobs,
    };
    const answers = answering({ ...this.#desk, follow: () => this.follow() });
    answerRequests(asked, answers);
    answerSecurityRequests(asked, answers);
  }
}

const emergency: HardwareError = { errorCode: "OtherError", info: "Emergency stop" };
