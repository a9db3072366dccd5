import {
  AuthorizationCache,
  ChargePoint,
  type ChargingProfiles,
  Configuration,
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
import { chargingOf, keyOr, keysOf } from "./charger-keys.ts";
import { type ChargerOptions, takeChargerOptions } from "./charger-options.ts";
import type { ChargerState } from "./charger-state.ts";
import { Engine } from "./engine.ts";
import type { KeptJob } from "./files/kept-job.ts";
import { AskedHardware } from "./hardware/asked-hardware.ts";
import type { Unlocking } from "./hardware/hardware.ts";
import { toldByHardware } from "./hardware/told-by-hardware.ts";
import { KeptRecords } from "./kept-records.ts";
import { Reservations } from "./reservation/reservations.ts";

/** The events of a {@link Charger}. Those of the protocol are told by its `chargePoint`. */
export interface ChargerEvents {
  /** Something of `state` is another now. */
  changed: [state: ChargerState];
  /** A line for a log: who was refused and why, which reservation is over. Connector 0 is the charger. */
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
 * with `firmwareManagement` also FirmwareManagement
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

  /**
   * @throws TypeError One of the options is not what it may be, or there is no such option.
   */
  constructor(options: ChargerOptions) {
    super();
    const taken = takeChargerOptions(options);
    const report = (error: unknown): void => void this.emit("fault", { error });
    const clock = soundClock(taken.clock ?? systemClock, { fault: report });
    this.#options = { ...taken, clock };
    this.#hardware = new AskedHardware(taken.hardware, {
      clock,
      timeoutMs: taken.hardwareTimeoutMs ?? 10_000,
      fault: (error, connectorId) => this.emit("fault", { error, connectorId }),
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
    const fault = (error: unknown): void => void this.emit("fault", { error });
    const isCurrent = (): boolean => !this.#isStopped();
    await this.#hardware.listen(toldByHardware(engine.listener, { connectors, fault, isCurrent }));
    if (this.#isStopped()) return;
    const interrupted = await this.chargePoint.start();
    if (this.#isStopped()) return;
    this.#phase = "started";
    engine.begin(interrupted, this.#interrupted);
  }

  async #load(): Promise<Engine> {
    const { boot, clock = systemClock, connect, identity, store, url, ...options } = this.#options;
    const report = (error: unknown): void => void this.emit("fault", { error });
    const configuration = await Configuration.load({
      keys: keysOf(this.#options),
      vendorKeys: options.vendorKeys,
      store,
      report,
      clock,
    });
    const connectorIds = options.hardware.connectors.map((_, index) => index + 1);
    const own = namespace(store, "charger");
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
      connect: credentials.connect(connect),
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
      fault: (error, connectorId) => this.emit("fault", connectorId === undefined ? { error } : { error, connectorId }),
      changed: () => this.#changed(),
    });
    return this.#engine;
  }

  /** Tells once of what has changed in one go. */
  #changed(): void {
    if (this.#isChanged || !this.isHeard("changed")) return;
    this.#isChanged = true;
    void Promise.resolve().then(() => {
      this.#isChanged = false;
      if (this.#engine !== undefined) this.emit("changed", this.state);
    });
  }

  #isStopped(): boolean {
    return this.#phase === "stopped";
  }
}

function started<T>(part: T | undefined): T {
  if (part === undefined) throw new TypeError("The Charger is not started. Await start() first.");
  return part;
}
