import {
  AuthorizationCache,
  ChargePoint,
  type ChargingProfiles,
  Configuration,
  type Connect,
  Emitter,
  type Explanation,
  explain,
  LocalAuthList,
  namespace,
  OwnCredentials,
  SmartCharging,
  soundClock,
  systemClock,
  VendorMessages,
} from "@ocppj/core";
import { Availability } from "./availability/availability.ts";
import type { OpenCertificates } from "./certificates/certificates.ts";
import type { OpenConnection } from "./certificates/connecting.ts";
import { chargingOf, keyOr, keysOf } from "./charger-keys.ts";
import { type ChargerOptions, takeChargerOptions } from "./charger-options.ts";
import type { ChargerState } from "./charger-state.ts";
import { Engine } from "./engine.ts";
import type { KeptJob } from "./files/kept-job.ts";
import { AskedHardware } from "./hardware/asked-hardware.ts";
import type { Unlocking } from "./hardware/hardware.ts";
import { toldByHardware } from "./hardware/told-by-hardware.ts";
import { KeptRecords } from "./kept-records.ts";
import { isShown } from "./metering/meter-value.ts";
import { Reservations } from "./reservation/reservations.ts";
import type { Security } from "./security/security.ts";
import type { SecurityEventType } from "./security/security-event.ts";
import type { SecurityLogEntry } from "./security/security-log.ts";

/** The events of a {@link Charger}. Those of the protocol are told by its `chargePoint`. */
export interface ChargerEvents {
  /** Something of `state` is another now. */
  changed: [state: ChargerState];
  /**
   * A line for a log: who was refused and why, why a transaction was stopped, which reservation is over, why there is no
   * connection. Connector 0 is the charger.
   */
  said: [event: { readonly connectorId: number; readonly text: string }];
  /** The hardware failed, or the store did, or a listener threw. */
  fault: [event: { readonly error: unknown; readonly connectorId?: number }];
}

/**
 * A whole charger: give it hardware, and it does the rest.
 *
 * Statuses follow from what is the case, and nothing of what must survive a power cut is promised before it is in the store.
 *
 * @spec OCPP 1.6 §3, §4, §5: the profiles Core, LocalAuthListManagement, Reservation, SmartCharging and RemoteTrigger,
 * with `firmwareManagement` also FirmwareManagement; security white paper A02, A03, A05, M03 … M05 with `certificates`
 */
export class Charger extends Emitter<ChargerEvents> {
  readonly #options: ChargerOptions;
  readonly #hardware: AskedHardware;
  #engine: Engine | undefined;
  /** The jobs that were under way when the power failed. */
  #interrupted: readonly KeptJob[] = [];
  #chargePoint: ChargePoint | undefined;
  #configuration: Configuration | undefined;
  #smartCharging: SmartCharging | undefined;
  #phase: "new" | "starting" | "started" | "stopped" = "new";
  /** Whether a change is to be told. */
  #isChanged = false;
  /** The state that was told last. */
  #shown: string | undefined;

  /**
   * @throws TypeError One of the options is not what it may be, or there is no such option.
   */
  constructor(options: ChargerOptions) {
    super();
    const taken = takeChargerOptions(options);
    const clock = soundClock(taken.clock ?? systemClock, { fault: this.#fault });
    this.#options = { ...taken, clock };
    this.#hardware = new AskedHardware(taken.hardware, {
      clock,
      timeoutMs: taken.hardwareTimeoutMs ?? 10_000,
      fault: this.#fault,
      failed: (connectorId, error) => this.#engine?.hardwareFailed(connectorId, error),
    });
  }

  /**
   * Reads the store, hears from the hardware what is the case, and begins to connect. What ran when the power failed goes on
   * or is stopped, as the hardware says.
   *
   * @throws TypeError It was called before; or `configuration` has a value that a key cannot have.
   * @throws PayloadError `boot` violates the schema of BootNotification.req.
   * @throws What the store says when it cannot be read.
   */
  async start(): Promise<void> {
    if (this.#phase !== "new") throw new TypeError("A Charger is started once. Make a new one.");
    this.#phase = "starting";
    try {
      await this.#begin();
    } catch (error) {
      if (!this.#isStopped()) this.#phase = "new";
      throw error;
    }
  }

  /** The protocol side. @throws TypeError `start` has not resolved yet. */
  get chargePoint(): ChargePoint {
    return started(this.#chargePoint);
  }

  /** The configuration keys. @throws TypeError `start` has not resolved yet. */
  get configuration(): Configuration {
    return started(this.#configuration);
  }

  /** All that a display shows. @throws TypeError `start` has not resolved yet. */
  get state(): ChargerState {
    return started(this.#engine).state;
  }

  /**
   * Why a connector may draw what it may, or all of them with 0.
   *
   * @throws RangeError There is no such connector.
   * @throws TypeError `start` has not resolved yet.
   */
  explain(connectorId: number): Explanation {
    return explain(this.profiles, { connectorId, at: this.chargePoint.now() });
  }

  /** The charging profiles that count: for `limitAt` and `compositeSchedule`. @throws TypeError `start` has not resolved yet. */
  get profiles(): ChargingProfiles {
    return started(this.#smartCharging).profiles;
  }

  /**
   * The owner's own button: stops what runs on a connector, with the reason `Local`.
   *
   * @throws TypeError `start` has not resolved yet.
   */
  stopTransaction(connectorId: number): void {
    started(this.#engine).stopped(connectorId, "Local");
  }

  /**
   * The owner's own key: takes a connector, or with 0 the charger, out of service or back, as ChangeAvailability does.
   *
   * @returns `Scheduled`: as soon as it is free. `Rejected`: there is none, or the store did not keep it.
   * @throws TypeError `start` has not resolved yet.
   */
  setOperative(connectorId: number, operative: boolean): Promise<"Accepted" | "Scheduled" | "Rejected"> {
    return started(this.#engine).setOperative(connectorId, operative);
  }

  /**
   * Lets the cable of a connector go, as UnlockConnector does.
   *
   * @throws TypeError `start` has not resolved yet.
   */
  unlock(connectorId: number): Promise<Unlocking> {
    return started(this.#engine).unlock(connectorId);
  }

  /**
   * Writes into the security log what you notice yourself, and tells the Central System if it is critical.
   *
   * @param techInfo - What more is known, for a technician; nothing secret.
   * @throws TypeError `start` has not resolved yet; or the charger was made without `security`.
   * @spec security white paper A04 [SEC-A04-01, SEC-A04-04]
   */
  noticed(type: SecurityEventType, techInfo?: string): void {
    withSecurity(started(this.#engine).security).noticed(type, techInfo);
  }

  /**
   * What the security log holds, the oldest event first.
   *
   * @throws TypeError `start` has not resolved yet; or the charger was made without `security`.
   */
  get securityLog(): readonly SecurityLogEntry[] {
    return withSecurity(started(this.#engine).security).log.entries;
  }

  /**
   * Empties the security log, which is itself an event.
   *
   * @throws TypeError `start` has not resolved yet; or the charger was made without `security`.
   */
  clearSecurityLog(): void {
    withSecurity(started(this.#engine).security).clearLog();
  }

  /**
   * Asks the Central System for a new Charge Point certificate, with a new key, as ExtendedTriggerMessage does. What comes of
   * it is told by `said`.
   *
   * @returns Once it is written down. It is sent as soon as the Central System can be reached.
   * @throws TypeError `start` has not resolved yet, or there is no option `certificates`.
   * @throws Error CpoName is not set, the tools fail, or the store does not take it.
   * @spec security white paper A02, A03
   */
  async renewCertificate(): Promise<void> {
    await started(this.#engine).renewCertificate();
  }

  /**
   * Ends it: opens all contactors and disconnects. Transactions that run stay in the store, as after a power cut. The store
   * itself is left open.
   */
  async stop(): Promise<void> {
    this.#phase = "stopped";
    this.#engine?.end();
    this.#hardware.close();
    await this.#chargePoint?.stop();
  }

  async #begin(): Promise<void> {
    const engine = await this.#load();
    if (this.#isStopped()) return;
    const { connectors } = this.#options.hardware;
    const fault = this.#fault;
    const isCurrent = (): boolean => !this.#isStopped();
    await this.#hardware.listen(toldByHardware(engine.listener, { connectors, fault, isCurrent, isShown }));
    if (this.#isStopped()) return;
    const interrupted = await this.chargePoint.start();
    if (this.#isStopped()) return;
    this.#phase = "started";
    engine.begin(interrupted, this.#interrupted);
  }

  async #load(): Promise<Engine> {
    const { boot, clock = systemClock, connect, identity, store, url, ...options } = this.#options;
    const report = this.#fault;
    const open = opening(connect, report);
    let certificates: OpenCertificates | undefined;
    const configuration = await Configuration.load({
      keys: keysOf(this.#options),
      approve: (change) => certificates?.approve(change) ?? { status: "Accepted" },
      vendorKeys: options.vendorKeys,
      store,
      report,
      clock,
    });
    const connectorIds = options.hardware.connectors.map((_, index) => index + 1);
    const own = namespace(store, "charger");
    const serialNumber = boot.chargePointSerialNumber ?? identity;
    certificates = await options.certificates?.open({ store: own, configuration, clock, report, serialNumber });
    const kept = { connectorIds, clock, report };
    const connectorZero = keyOr(configuration, "ReserveConnectorZeroSupported", false);
    const smartCharging = await SmartCharging.load(store, {
      ...chargingOf(this.#options, configuration),
      report,
      clock,
    });
    const localAuthList = await LocalAuthList.load(store, {
      report,
      localAuthListMaxLength: configuration.get("LocalAuthListMaxLength"),
      sendLocalListMaxLength: configuration.get("SendLocalListMaxLength"),
    });
    const credentials = await OwnCredentials.load({ configuration, store, report, clock });
    const { tolerate, maxQueuedMessages, random } = options;
    const { retryBackOffRandomRange, retryBackOffRepeatTimes, retryBackOffWaitMinimum } = options;
    const chargePoint = new ChargePoint({
      identity,
      url,
      boot,
      store,
      clock,
      connect: credentials.connect(certificates?.opening(open) ?? ((credential) => open(credential, {}))),
      configuration,
      localAuthList,
      authorizationCache: await AuthorizationCache.load(store, { report, list: localAuthList }),
      smartCharging,
      tolerate,
      maxQueuedMessages,
      random,
      retryBackOffRandomRange,
      retryBackOffRepeatTimes,
      retryBackOffWaitMinimum,
    });
    const parts = {
      clock,
      chargePoint,
      configuration,
      hardware: this.#hardware,
      smartCharging,
      reservations: await Reservations.load(own, { ...kept, connectorZero }),
      availability: await Availability.load(own, kept),
      jobs: new KeptRecords<KeptJob>(own, "job", kept),
      security: await this.#options.security?.load({ chargePoint, clock, configuration, store: own, fault: report }),
      certificates,
    };
    const { firmwareManagement } = options;
    if (firmwareManagement !== undefined) this.#interrupted = await parts.jobs.load(firmwareManagement.read);
    const vendorMessages = options.vendorMessages ?? new VendorMessages<"ChargePoint">();
    chargePoint.handle("DataTransfer", vendorMessages.answer);
    this.#chargePoint = chargePoint;
    this.#configuration = configuration;
    this.#smartCharging = smartCharging;
    this.#engine = new Engine(parts, this.#options, {
      say: (connectorId, text) => this.emit("said", { connectorId, text }),
      fault: this.#fault,
      changed: () => this.#changed(),
    });
    return this.#engine;
  }

  readonly #fault = (error: unknown, connectorId?: number): void => {
    this.#engine?.security?.failed(error);
    this.emit("fault", connectorId === undefined ? { error } : { error, connectorId });
  };

  /** Tells once of what has changed in one go; what is as it was told last has not. */
  #changed(): void {
    if (this.#isChanged || !this.isHeard("changed")) return;
    this.#isChanged = true;
    void Promise.resolve().then(() => {
      this.#isChanged = false;
      if (this.#engine === undefined) return;
      const { state } = this;
      const shown = JSON.stringify(state);
      if (shown === this.#shown) return;
      this.#shown = shown;
      this.emit("changed", state);
    });
  }

  #isStopped(): boolean {
    return this.#phase === "stopped";
  }
}

/** Says so where `connect` is not what opens WebSockets with a credential, but a WebSocket that is being opened. */
function opening(connect: OpenConnection, fault: (error: unknown) => void): OpenConnection {
  return (credential, tls) => {
    const open: unknown = connect(credential, tls);
    if (typeof open === "function") return open as Connect;
    if (open instanceof Promise) open.catch(() => {});
    const error = new TypeError(
      "connect has returned no function. Give connect itself, or (credential) => connect(credential).",
    );
    fault(error);
    throw error;
  };
}

function withSecurity(security: Security | undefined): Security {
  if (security === undefined) throw new TypeError("There is no security log. Give the Charger security: security().");
  return security;
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new TypeError("The Charger is not started. Await start() first.");
  return part;
}
