import {
  AuthorizationCache,
  CallError,
  ChargePoint,
  type ChargePointEvents,
  Configuration,
  type Connect,
  type Credential,
  explain,
  LocalAuthList,
  namespace,
  OwnCredentials,
  profileRefusal,
  type RecordStore,
  type Req,
  SmartCharging,
  type Transaction,
} from "@ocppj/core";
import { type Connector, Hardware, maxPower } from "./hardware.ts";
import { Network, type NetworkSettings } from "./network.ts";

type Status = Req<"StatusNotification">["status"];
type Reason = NonNullable<Req<"StopTransaction">["reason"]>;

/** What a charger is made of. */
export interface ChargerOptions {
  readonly identity: string;
  readonly url: string;
  /** With what it connects, until the Central System changes its AuthorizationKey. Default: without anything. */
  readonly credential?: Credential;
  /** Opens connections with a credential, over the network that it is given. */
  readonly connect: (options: Credential & NetworkSettings) => Connect;
  readonly store: RecordStore;
  /** Called whenever there is something new to see, with one line about it. */
  readonly changed: (line: string) => void;
  /** Called when the charger restarts: after Reset. The program starts anew. */
  readonly restart: () => void;
}

/** A connector with what the charger knows about its use. */
export interface Bay extends Connector {
  status: Status;
  /** The card that was presented and has not started or ended anything yet. */
  idTag: string | undefined;
  /** The charging profile that came with a remote start, for the transaction that it starts. */
  profile: Req<"RemoteStartTransaction">["chargingProfile"];
  transaction: Transaction | undefined;
  /** ChangeAvailability: whether the connector may be used. */
  operative: boolean;
}

/** The firmware of a small charger: two connectors, one card reader, a store, and a network that can be pulled out. */
export class Charger {
  readonly chargePoint: ChargePoint;
  readonly configuration: Configuration;
  readonly bays: readonly Bay[];
  readonly #hardware: Hardware;
  readonly #options: ChargerOptions;
  readonly #network: Network;
  readonly #meters: RecordStore;
  readonly #smartCharging: SmartCharging;
  /** When the next attempt to connect is due, in milliseconds since the epoch. */
  #retryAt = 0;
  /** Its power is off: a card that was being asked about starts nothing any more. */
  #stopped = false;

  private constructor(
    options: ChargerOptions,
    hardware: Hardware,
    credentials: OwnCredentials,
    parts: {
      configuration: Configuration;
      localAuthList: LocalAuthList;
      authorizationCache: AuthorizationCache;
      smartCharging: SmartCharging;
    },
  ) {
    this.#options = options;
    this.#hardware = hardware;
    this.#network = new Network(options.url, ({ network }) =>
      credentials.connect((credential) => options.connect({ ...credential, network })),
    );
    this.#meters = metersIn(options.store);
    this.configuration = parts.configuration;
    this.#smartCharging = parts.smartCharging;
    this.bays = hardware.connectors.map((connector) =>
      Object.assign(connector, {
        status: "Available" as Status,
        idTag: undefined,
        profile: undefined,
        transaction: undefined,
        operative: true,
      }),
    );
    this.chargePoint = new ChargePoint({
      identity: options.identity,
      url: options.url,
      connect: this.#network.connect,
      store: options.store,
      boot: { chargePointVendor: "ocppj", chargePointModel: "Example", firmwareVersion: "1.0" },
      // Shorter than for a real charger: somebody is watching.
      retryBackOffWaitMinimum: 1,
      retryBackOffRepeatTimes: 3,
      ...parts,
    });
    this.#answer();
    this.#tell();
  }

  static async start(options: ChargerOptions): Promise<Charger> {
    const { store, changed, credential = { securityProfile: 0 } } = options;
    const hardware = new Hardware(2);
    for (const { key, value } of await metersIn(store).load("")) {
      const connector = hardware.connectors.find(({ id }) => key === `${id}`);
      if (connector !== undefined) connector.register = Number(value);
    }
    const report = (error: Error): void => changed(`trouble: ${error.message}`);
    const connectors = Object.fromEntries(
      hardware.connectors.map(({ id }) => [id, { limit: maxPower, unit: "W" }] as const),
    );
    const smartCharging = await SmartCharging.load(store, { connectors, numberPhases: 1, voltage, report, ...bounds });
    const configuration = await Configuration.load({
      store,
      report,
      keys: {
        NumberOfConnectors: { value: hardware.connectors.length },
        GetConfigurationMaxKeys: { value: 50 },
        SupportedFeatureProfiles: { value: ["Core", "LocalAuthListManagement", "RemoteTrigger", "SmartCharging"] },
        MeterValueSampleInterval: { value: 5 },
        AuthorizationCacheEnabled: { value: true },
        LocalAuthListEnabled: { value: true },
        LocalAuthListMaxLength: { value: 100 },
        SendLocalListMaxLength: { value: 100 },
        ChargeProfileMaxStackLevel: { value: bounds.chargeProfileMaxStackLevel },
        ChargingScheduleAllowedChargingRateUnit: { value: bounds.chargingScheduleAllowedChargingRateUnit },
        ChargingScheduleMaxPeriods: { value: bounds.chargingScheduleMaxPeriods },
        MaxChargingProfilesInstalled: { value: bounds.maxChargingProfilesInstalled },
        SecurityProfile: { value: credential.securityProfile },
        AuthorizationKey: credential.authorizationKey === undefined ? {} : { value: credential.authorizationKey },
      },
    });
    const credentials = await OwnCredentials.load({ configuration, store, report });
    const localAuthList = await LocalAuthList.load(store, { report });
    const authorizationCache = await AuthorizationCache.load(store, { report, list: localAuthList });
    const charger = new Charger(options, hardware, credentials, {
      configuration,
      localAuthList,
      authorizationCache,
      smartCharging,
    });
    await charger.#begin();
    return charger;
  }

  get url(): string {
    return this.#options.url;
  }

  get networkOn(): boolean {
    return this.#network.on;
  }

  /** How the Central System can be reached, in words. */
  get reach(): string {
    if (!this.#network.on) return "offline, the network plug is out";
    if (this.chargePoint.connected) return "online";
    const seconds = Math.ceil((this.#retryAt - Date.now()) / 1000);
    return seconds > 0 ? `offline, next attempt in ${seconds} s` : "connecting";
  }

  /** How many messages wait for the Central System. */
  get undelivered(): number {
    return this.chargePoint.undelivered.count;
  }

  /** What flows through a connector, in W. */
  powerOf(bay: Bay): number {
    return this.#hardware.powerOf(bay);
  }

  /** Says what a connector may draw, and which charging profiles make it so. */
  why(id: number): void {
    const { text } = explain(this.#smartCharging.profiles, { connectorId: id, at: this.chargePoint.now() });
    this.#say(`connector ${id}: ${text.replaceAll("\n", " ")}`);
  }

  /** A driver plugs a car in. */
  plug(id: number): void {
    const bay = this.#bay(id);
    if (bay === undefined) return;
    if (bay.plugged) this.#say(`connector ${id}: a car is plugged in already`);
    else {
      bay.plugged = true;
      if (bay.status === "Available") this.#enter(bay, "Preparing");
      this.#startIfReady(bay);
    }
  }

  /** A driver unplugs the car. */
  unplug(id: number): void {
    const bay = this.#bay(id);
    if (bay === undefined) return;
    if (!bay.plugged) this.#say(`connector ${id}: no car is plugged in`);
    else if (bay.locked) this.#say(`connector ${id}: the cable is locked until the transaction stops`);
    else {
      bay.plugged = false;
      bay.idTag = undefined;
      bay.profile = undefined;
      this.#settle(bay);
    }
  }

  /** A driver holds a card to the reader of a connector: to start, or to stop. */
  async present(id: number, idTag: string): Promise<void> {
    const bay = this.#bay(id);
    if (bay === undefined) return;
    if (bay.faulted || !bay.operative) {
      this.#say(`connector ${id}: out of use, it is ${bay.status}`);
      return;
    }
    const { transaction } = bay;
    const { decision, grounds } =
      transaction === undefined
        ? await this.chargePoint.authorize(idTag)
        : await this.chargePoint.authorizeStop(idTag, transaction);
    this.#say(`card ${idTag}: ${decision} (${grounds})`);
    if (decision === "refuse") return;
    if (transaction === undefined) {
      bay.idTag = idTag;
      if (bay.status === "Available") this.#enter(bay, "Preparing");
      this.#startIfReady(bay);
    } else if (bay.transaction === transaction) this.#stop(bay, "Local", idTag);
  }

  /** Something in the connector breaks, or is mended. */
  fault(id: number): void {
    const bay = this.#bay(id);
    if (bay === undefined) return;
    bay.faulted = !bay.faulted;
    if (bay.faulted) {
      if (bay.transaction !== undefined) this.#stop(bay, "Other");
      this.#enter(bay, "Faulted", "GroundFailure");
    } else this.#settle(bay);
  }

  /** Somebody pulls the network plug out, or puts it in again. */
  network(on: boolean): void {
    this.#network.switch(on);
    this.#say(`network ${on ? "on" : "off"}`);
    if (on) this.chargePoint.reconnectNow();
  }

  /** Lets time pass on the meters. */
  elapse(seconds: number): void {
    this.#hardware.elapse(seconds);
  }

  /** Reports what the meters show, for each transaction that runs. */
  sample(): void {
    for (const bay of this.bays) {
      if (bay.transaction === undefined) continue;
      bay.transaction.meterValues({ meterValue: [this.#reading(bay, "Sample.Periodic")] });
      this.#keepMeter(bay);
    }
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.chargePoint.stop();
    await this.#options.store.close();
  }

  async #begin(): Promise<void> {
    this.chargePoint.report({ connectorId: 0, status: "Available" });
    for (const bay of this.bays) this.chargePoint.report({ connectorId: bay.id, status: bay.status });
    for (const transaction of await this.chargePoint.start()) {
      const bay = this.#bay(transaction.connectorId);
      transaction.stop({ meterStop: Math.round(bay?.register ?? 0), reason: "PowerLoss" });
      this.#say(`connector ${transaction.connectorId}: a transaction ran when the power failed; it is stopped`);
    }
  }

  #startIfReady(bay: Bay): void {
    const { idTag, plugged, faulted, operative, transaction } = bay;
    if (this.#stopped || idTag === undefined || !plugged || faulted || !operative || transaction !== undefined) return;
    bay.idTag = undefined;
    bay.locked = true;
    bay.closed = true;
    this.#keepMeter(bay);
    bay.transaction = this.chargePoint.startTransaction({
      connectorId: bay.id,
      idTag,
      meterStart: Math.round(bay.register),
    });
    this.#enter(bay, "Charging");
    const csChargingProfiles = bay.profile;
    bay.profile = undefined;
    if (csChargingProfiles === undefined) return;
    this.#smartCharging.setChargingProfile({ connectorId: bay.id, csChargingProfiles }).catch((error: unknown) => {
      this.#say(`trouble: ${messageOf(error)}`);
    });
  }

  #isForTransaction({ id }: Bay, profile: NonNullable<Bay["profile"]>): boolean {
    const isTxProfile = profile.chargingProfilePurpose === "TxProfile";
    return isTxProfile && profileRefusal(id, profile, this.#smartCharging.keys) === undefined;
  }

  #stop(bay: Bay, reason: Reason, idTag?: string): void {
    bay.closed = false;
    bay.locked = false;
    bay.transaction?.stop({
      meterStop: Math.round(bay.register),
      reason,
      ...(idTag !== undefined && { idTag }),
      transactionData: [this.#reading(bay, "Transaction.End")],
    });
    bay.transaction = undefined;
    this.#keepMeter(bay);
    this.#settle(bay);
  }

  /** A meter does not forget what it shows when the power fails; this one has to be helped. */
  #keepMeter({ id, register }: Bay): void {
    this.#meters.put(`${id}`, String(register)).catch((error: unknown) => this.#say(messageOf(error)));
  }

  /** Goes to the status that follows from what is plugged in, broken and allowed. */
  #settle(bay: Bay): void {
    if (bay.faulted) return;
    if (!bay.operative) this.#enter(bay, "Unavailable");
    else if (!bay.plugged) this.#enter(bay, "Available");
    else if (bay.transaction === undefined) this.#enter(bay, bay.status === "Charging" ? "Finishing" : "Preparing");
  }

  #enter(bay: Bay, status: Status, errorCode: Req<"StatusNotification">["errorCode"] = "NoError"): void {
    bay.status = status;
    this.chargePoint.report({ connectorId: bay.id, status, errorCode });
    this.#say(`connector ${bay.id}: ${status}`);
  }

  #reading(bay: Bay, context: "Sample.Periodic" | "Transaction.End" | "Trigger") {
    return {
      timestamp: new Date(this.chargePoint.now()).toISOString(),
      sampledValue: [{ value: String(Math.round(bay.register)), context, unit: "Wh" as const }],
    };
  }

  /**
   * What the Central System may ask for, beside what ChargePoint answers by itself. A handler decides and answers; what the
   * answer promises is done afterwards, so that nothing which follows from it arrives before it. [J-111]
   */
  #answer(): void {
    const { chargePoint } = this;
    chargePoint.handle("RemoteStartTransaction", ({ chargingProfile, idTag, connectorId }, { answered }) => {
      const bay = this.bays.find(({ id, status }) => id === (connectorId ?? id) && startable.includes(status));
      if (bay === undefined || !bay.operative) return { status: "Rejected" };
      if (chargingProfile && !this.#isForTransaction(bay, chargingProfile)) return { status: "Rejected" };
      this.#afterwards(answered, () => {
        bay.profile = chargingProfile;
        return this.#remoteStart(bay, idTag);
      });
      return { status: "Accepted" };
    });
    chargePoint.handle("RemoteStopTransaction", ({ transactionId }, { answered }) => {
      const bay = this.bays.find(({ transaction }) => transaction?.transactionId === transactionId);
      if (bay === undefined) return { status: "Rejected" };
      this.#afterwards(answered, () => bay.transaction !== undefined && this.#stop(bay, "Remote"));
      return { status: "Accepted" };
    });
    chargePoint.handle("UnlockConnector", ({ connectorId }, { answered }) => {
      const bay = this.#bay(connectorId);
      if (bay === undefined) return { status: "NotSupported" };
      // The lock itself comes first: the answer says whether it has opened.
      bay.locked = false;
      this.#afterwards(answered, () => bay.transaction !== undefined && this.#stop(bay, "UnlockCommand"));
      return { status: "Unlocked" };
    });
    chargePoint.handle("ChangeAvailability", ({ connectorId, type }, { answered }) => {
      const bays = this.bays.filter(({ id }) => connectorId === 0 || id === connectorId);
      if (bays.length === 0) return { status: "Rejected" };
      // A running transaction goes on; the change follows its end.
      const busy = bays.some(({ transaction }) => transaction !== undefined);
      this.#afterwards(answered, () => {
        for (const bay of bays) {
          bay.operative = type === "Operative";
          if (bay.transaction === undefined) this.#settle(bay);
        }
      });
      return { status: busy ? "Scheduled" : "Accepted" };
    });
    chargePoint.handle("Reset", ({ type }, { answered }) => {
      this.#afterwards(answered, () => {
        const reason = type === "Hard" ? "HardReset" : "SoftReset";
        for (const bay of this.bays) if (bay.transaction !== undefined) this.#stop(bay, reason);
        this.#options.restart();
      });
      return { status: "Accepted" };
    });
    chargePoint.handle("TriggerMessage", ({ requestedMessage, connectorId }, { answered }) => {
      if (requestedMessage !== "MeterValues") return { status: "NotImplemented" };
      const bays = this.bays.filter(({ id }) => id === (connectorId ?? id));
      if (bays.length === 0) return { status: "Rejected" };
      this.#afterwards(answered, () => {
        for (const bay of bays) this.#sendReading(bay);
      });
      return { status: "Accepted" };
    });
    chargePoint.handle("DataTransfer", () => ({ status: "UnknownVendorId" }));
    chargePoint.handle("UpdateFirmware", () => {
      throw new CallError("NotSupported", "This charger is updated by a person with a laptop.");
    });
  }

  /**
   * Does what an answer has promised, once it is on its way. Where it never leaves, because the connection is gone, the
   * Central System does not count on it, and nothing is done. What goes wrong here has nobody to go to but the log.
   */
  #afterwards(answered: Promise<boolean>, act: () => unknown): void {
    answered
      .then((sent) => (sent ? act() : undefined))
      .catch((error: unknown) => this.#say(`trouble: ${messageOf(error)}`));
  }

  /** CORE-RST-02: like a driver with a card, if AuthorizeRemoteTxRequests says so. */
  async #remoteStart(bay: Bay, idTag: string): Promise<void> {
    if (this.configuration.get("AuthorizeRemoteTxRequests")) {
      await this.present(bay.id, idTag);
      return;
    }
    bay.idTag = idTag;
    if (bay.status === "Available") this.#enter(bay, "Preparing");
    this.#startIfReady(bay);
  }

  #sendReading(bay: Bay): void {
    const meterValue = [this.#reading(bay, "Trigger")];
    const transactionId = bay.transaction?.transactionId;
    this.chargePoint
      .call("MeterValues", { connectorId: bay.id, meterValue, ...(transactionId !== undefined && { transactionId }) })
      .catch((error: unknown) => this.#say(String(error)));
  }

  #tell(): void {
    const { chargePoint } = this;
    const on = <E extends keyof ChargePointEvents>(name: E, say: (event: ChargePointEvents[E][0]) => string): void => {
      chargePoint.on(name, ((event: ChargePointEvents[E][0]) => this.#say(say(event))) as never);
    };
    on("connected", () => "connected");
    on("refused", ({ error, retryInMs }) => {
      this.#retryAt = Date.now() + retryInMs;
      return `${messageOf(error)} Trying again in ${Math.ceil(retryInMs / 1000)} s.`;
    });
    on("disconnected", ({ code, reason, retryInMs }) => {
      this.#retryAt = Date.now() + retryInMs;
      return `disconnected (${code}${reason === "" ? "" : `, ${reason}`})`;
    });
    on(
      "registration",
      ({ status, intervalMs }) => `the central system says ${status}, interval ${intervalMs / 1000} s`,
    );
    on(
      "delivered",
      ({ call, transaction }) => `delivered ${call.action} of transaction ${transaction?.transactionId ?? "none"}`,
    );
    on("discarded", ({ call, reason }) => `gave up ${call.action} (${reason})`);
    on("violation", ({ message }) => `the central system breaks the protocol: ${message}`);
    on("fault", ({ error, action }) => `trouble${action === undefined ? "" : ` with ${action}`}: ${messageOf(error)}`);
    chargePoint.on("limit", ({ connectorId, limit, unit }) => {
      const bay = this.#bay(connectorId);
      const watts = unit === "A" ? limit * voltage : limit;
      if (bay === undefined || bay.limit === watts) return;
      bay.limit = watts;
      this.#say(`connector ${connectorId}: may draw ${Math.round(watts)} W`);
    });
    on("profileRefused", ({ profile, message }) => `refused profile ${profile.chargingProfileId}: ${message}`);
    chargePoint.on("invalidated", ({ transaction, idTagInfo }) => {
      const bay = this.bays.find((bay) => bay.transaction === transaction);
      this.#say(`the central system calls card ${transaction.idTag} ${idTagInfo.status}`);
      if (bay === undefined) return;
      // CORE-LAO-09, CORE-LAO-10
      if (this.configuration.get("StopTransactionOnInvalidId")) this.#stop(bay, "DeAuthorized");
      else {
        bay.closed = false;
        this.#enter(bay, "SuspendedEVSE");
      }
    });
  }

  #bay(id: number): Bay | undefined {
    return this.bays.find((bay) => bay.id === id);
  }

  #say(line: string): void {
    this.#options.changed(line);
  }
}

/** The part of a store that keeps what the meters show, by the number of the connector. */
const metersIn = (store: RecordStore): RecordStore => namespace(store, "meter");

/** The charging profiles that it takes. */
const bounds = {
  chargeProfileMaxStackLevel: 8,
  chargingScheduleAllowedChargingRateUnit: ["Current", "Power"],
  chargingScheduleMaxPeriods: 24,
  maxChargingProfilesInstalled: 20,
} as const;

/** Between a phase and neutral, in V. */
const voltage = 230;

const startable: readonly Status[] = ["Available", "Preparing", "Finishing"];

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
