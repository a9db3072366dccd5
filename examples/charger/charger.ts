import {
  Charger,
  type ChargerOptions,
  firmwareManagement,
  type SimulatedHardware,
  security,
  simulatedHardware,
} from "@ocppj/charger";
import { type ChargePointEvents, type Clock, type Credential, type RecordStore, systemClock } from "@ocppj/core";
import { type ConnectOptions, connect } from "@ocppj/node";
import { fileTransfers } from "@ocppj/node/transfers";
import { Network } from "./network.ts";

/** What the charger of the example is made of. */
export interface ExampleChargerOptions {
  readonly identity: string;
  readonly url: string;
  /** With what it connects, until the Central System changes its AuthorizationKey. Default: without anything. */
  readonly credential?: Credential;
  /** What `connect` is given besides. */
  readonly tls?: ConnectOptions["tls"];
  /** Opens its store anew, at each start. */
  readonly openStore: () => RecordStore;
  /** The folder that firmware is fetched into. */
  readonly downloads: string;
  /** Called whenever there is something new to see, with one line about it. */
  readonly changed: (line: string) => void;
  /** Called when it could not be started again. */
  readonly failed: (error: unknown) => void;
}

/** The clock of the meters, which can be told that time has passed. */
class Timelapse implements Clock {
  #aheadMs = 0;

  now(): number {
    return systemClock.now() + this.#aheadMs;
  }

  wakeAt(time: number, callback: () => void): () => void {
    return systemClock.wakeAt(time - this.#aheadMs, callback);
  }

  elapse(seconds: number): void {
    this.#aheadMs += 1000 * seconds;
  }
}

/** A charger with hardware that is not there, a network that can be pulled out, and power that can be cut. */
export class ExampleCharger {
  readonly hardware: SimulatedHardware;
  /** The one that runs, or ran last; `start` has begun the first. */
  charger!: Charger;
  readonly #options: ExampleChargerOptions;
  readonly #clock = new Timelapse();
  readonly #network: Network;
  #store: RecordStore | undefined;
  /** What is done with the power, one after the other. */
  #last: Promise<void>;
  /** When the next attempt to connect is due, in milliseconds since the epoch. */
  #retryAt = 0;

  private constructor(options: ExampleChargerOptions) {
    this.#options = options;
    this.#network = new Network(options.url);
    this.hardware = simulatedHardware({ clock: this.#clock, rebooted: () => this.#restart() });
    this.#last = this.#begin();
  }

  static async start(options: ExampleChargerOptions): Promise<ExampleCharger> {
    const charger = new ExampleCharger(options);
    await charger.#last;
    return charger;
  }

  /** Resolves once it does not restart any more. */
  async ready(): Promise<this> {
    await this.#last;
    return this;
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
    if (this.charger.chargePoint.connected) return "online";
    const seconds = Math.ceil((this.#retryAt - Date.now()) / 1000);
    return seconds > 0 ? `offline, next attempt in ${seconds} s` : "connecting";
  }

  plug(id: number): void {
    this.hardware.plug(id);
  }

  unplug(id: number): void {
    if (!this.hardware.unplug(id)) this.#say(id, "the cable does not come out: it is locked, or there is none");
  }

  present(id: number, idTag: string): void {
    this.hardware.present(idTag, id);
  }

  /** Something in the connector breaks, or is mended. */
  fault(id: number): void {
    const isBroken = this.charger.state.connectors[id - 1]?.status === "Faulted";
    if (isBroken) this.hardware.mend(id);
    else this.hardware.breakDown(id);
  }

  /** Somebody pulls the network plug out, or puts it in again. */
  network(on: boolean): void {
    this.#network.switch(on);
    this.#options.changed(`network ${on ? "on" : "off"}`);
    if (on) this.charger.chargePoint.reconnectNow();
  }

  /** Says what a connector may draw, and which charging profiles make it so. */
  why(id: number): void {
    this.#say(id, this.charger.explain(id).text.replaceAll("\n", " "));
  }

  /** Lets time pass on the meters. */
  elapse(seconds: number): void {
    this.#clock.elapse(seconds);
    this.hardware.measure();
  }

  /** The power fails, and comes back: nobody says goodbye, and the store has what it has. */
  powerCut(): void {
    this.#options.changed("the power fails");
    this.hardware.powerCut();
    this.#network.switch(false);
    this.#then(async () => {
      await this.#store?.close();
      await this.charger.stop();
      this.#network.switch(true);
      await this.#begin();
    });
  }

  async stop(): Promise<void> {
    await this.#last;
    await this.#end();
  }

  async #end(): Promise<void> {
    await this.charger.stop();
    await this.#store?.close();
  }

  #restart(): void {
    this.#options.changed("restarting");
    this.#then(async () => {
      await this.#end();
      await this.#begin();
    });
  }

  /** Whoever waits for `#last` waits for all of it. */
  #then(act: () => Promise<void>): void {
    const last = this.#last.then(act);
    this.#last = last;
    last.catch(this.#options.failed);
  }

  async #begin(): Promise<void> {
    const { credential, downloads, identity, openStore, tls, url } = this.#options;
    this.#store = openStore();
    const connectWith: ChargerOptions["connect"] = (given) =>
      this.#network.over((network) => connect({ ...given, tls, network }));
    this.charger = new Charger({
      identity,
      url,
      credential,
      connect: connectWith,
      store: this.#store,
      hardware: this.hardware,
      // What was fetched is not looked into: the simulated hardware installs anything.
      firmwareManagement: firmwareManagement(fileTransfers({ folder: downloads, ...(tls && { tls }) })),
      security: security(),
      boot: { chargePointVendor: "ocppj", chargePointModel: "Example", firmwareVersion: "1.0" },
      // Shorter than for a real charger: somebody is watching.
      configuration: { MeterValueSampleInterval: 5 },
      keepReadingSeconds: 1,
      retryBackOffWaitMinimum: 1,
      retryBackOffRepeatTimes: 3,
    });
    this.charger.on("said", ({ connectorId, text }) => this.#say(connectorId, text));
    this.charger.on("fault", ({ error }) => this.#options.changed(`trouble: ${messageOf(error)}`));
    await this.charger.start();
    this.#narrate();
  }

  /** Says what happens in words. */
  #narrate(): void {
    const { chargePoint } = this.charger;
    const statuses = new Map<number, string>();
    this.charger.on("changed", ({ connectors }) => {
      for (const { connectorId, status } of connectors) {
        if (statuses.get(connectorId) !== status) this.#say(connectorId, status);
        statuses.set(connectorId, status);
      }
    });
    const on = <E extends keyof ChargePointEvents>(name: E, say: (event: ChargePointEvents[E][0]) => string): void => {
      chargePoint.on(name, ((event: ChargePointEvents[E][0]) => this.#options.changed(say(event))) as never);
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
    on("delivered", ({ call, transaction }) => {
      const { status } = call.req as { readonly status?: string };
      if (transaction === undefined) return `delivered ${[call.action, status].filter(Boolean).join(" ")}`;
      return `delivered ${call.action} of transaction ${transaction.transactionId ?? "none"}`;
    });
    on("discarded", ({ call, reason }) => `gave up ${call.action} (${reason})`);
    on("violation", ({ message }) => `the central system breaks the protocol: ${message}`);
    on("invalidated", ({ transaction, idTagInfo }) => {
      return `the central system calls card ${transaction.idTag} ${idTagInfo.status}`;
    });
  }

  #say(id: number, line: string): void {
    this.#options.changed(id === 0 ? line : `connector ${id}: ${line}`);
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
