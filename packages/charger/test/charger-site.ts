import {
  CentralSystem,
  type Conf,
  type Credential,
  HandshakeError,
  type HandshakeFailure,
  memoryStore,
  type RecordStore,
  type Req,
} from "@ocppj/core";
import { FakeClock, type TransportPair, transportPair } from "@ocppj/testing";
import { onTestFinished } from "vitest";
import { Charger, type ChargerOptions, type ConnectingTls } from "../src/index.ts";
import { ScriptedHardware } from "./scripted-hardware.ts";

export const second = 1000;
export const minute = 60 * second;
export const hour = 60 * minute;

type Registration = Conf<"BootNotification">["status"];
type Kept = "StartTransaction" | "MeterValues" | "StopTransaction" | "SecurityEventNotification";
type IdTagInfo = Conf<"Authorize">["idTagInfo"];

/** A charger and its Central System on one fake clock, with all that arrives there written down. */
export class ChargerSite {
  readonly clock: FakeClock;
  readonly hardware: ScriptedHardware;
  readonly store: RecordStore;
  readonly centralSystem: CentralSystem;
  readonly links: TransportPair[] = [];
  /** The CALLs that have arrived, in order. */
  readonly received: { readonly action: string; readonly payload: object; readonly at: number }[] = [];
  readonly faults: unknown[] = [];
  readonly said: string[] = [];
  /** What the Central System says about identifiers; the others are Accepted. */
  readonly idTags = new Map<string, IdTagInfo>();
  registration: Registration = "Accepted";
  interval = 300;
  reachable = true;
  /** By how much the clock of the Central System is ahead. */
  aheadMs = 0;
  /** With what it has tried to connect. */
  readonly presented: (Credential & { readonly tls: ConnectingTls })[] = [];
  /** Why a handshake fails with these, if it does. */
  refuses: (credential: Credential, tls: ConnectingTls) => HandshakeFailure | undefined = () => undefined;
  charger: Charger;
  /** Whether the charger has not told yet what is the case. */
  isStarting = false;
  /** Hears of each charger that is made. */
  built: (charger: Charger) => void = () => {};
  /** Hears of its ChargePoint, once it is started. */
  reports: (chargePoint: Charger["chargePoint"]) => void = () => {};
  /** How what must not be lost is answered. */
  readonly answers: { [A in Kept]: (req: Req<A>) => Conf<A> } = {
    StartTransaction: ({ idTag }) => ({ transactionId: this.nextTransactionId++, idTagInfo: this.idTagInfoOf(idTag) }),
    MeterValues: () => ({}),
    StopTransaction: () => ({}),
    SecurityEventNotification: () => ({}),
  };
  /** The answers to StartTransaction count from here. */
  nextTransactionId = 1;
  #taken = 0;
  #power = { isOn: true };
  readonly #options: Partial<ChargerOptions>;

  constructor(options: Partial<ChargerOptions> & { readonly hardware?: ScriptedHardware } = {}) {
    const { clock = new FakeClock(), hardware = new ScriptedHardware(), store = memoryStore(), ...rest } = options;
    this.clock = clock as FakeClock;
    this.hardware = hardware;
    this.store = store;
    this.#options = rest;
    // It takes a moment, as it does everywhere.
    this.hardware.rebooted = () => {
      const power = this.#power;
      this.clock.wakeAt(this.clock.now() + second, () => {
        if (power.isOn) void this.restart();
      });
    };
    this.centralSystem = new CentralSystem({ clock: this.clock, handlerTimeoutMs: 2 ** 40 });
    this.#answer();
    this.charger = this.#build();
    onTestFinished(() => this.charger.stop());
  }

  /** Starts the charger and lets it connect and register. */
  async start(): Promise<this> {
    const { charger } = this;
    this.isStarting = true;
    const started = charger.start().then(() => this.#started(charger));
    await this.clock.advance(0);
    await Promise.race([started, Promise.resolve()]);
    await this.clock.advance(0);
    return this;
  }

  /** What has arrived since it was asked last, as short lines. */
  take(): string[] {
    const taken = this.received.slice(this.#taken);
    this.#taken = this.received.length;
    return taken.map(({ action, payload }) => lineOf(action, payload));
  }

  /** The same without Heartbeats and what else is not of interest. */
  takeOf(...actions: readonly string[]): string[] {
    return this.take().filter((line) => actions.some((action) => line.startsWith(action)));
  }

  payloads<A extends string>(action: A): object[] {
    return this.received.filter((each) => each.action === action).map(({ payload }) => payload);
  }

  /** Has something happen, and everything that follows from it at once. */
  async after(happening: () => unknown, ms = 0): Promise<string[]> {
    await happening();
    await this.clock.advance(ms);
    return this.take();
  }

  get connection() {
    const connection = this.centralSystem.get("CP001");
    if (connection === undefined) throw new Error("The charger is not connected.");
    return connection;
  }

  /** The Central System calls; time goes on until there is an answer. */
  async call<A extends Parameters<ChargerSite["connection"]["call"]>[0]>(action: A, req: Req<A>): Promise<Conf<A>> {
    const answer = this.connection.call(action, req as never) as Promise<Conf<A>>;
    answer.catch(() => {});
    await this.clock.advance(0);
    return answer;
  }

  /** A program that ends and begins anew over the same hardware and the same store. */
  async restart(): Promise<void> {
    const power = this.#power;
    await this.charger.stop();
    if (!power.isOn) return;
    this.charger = this.#build();
    this.isStarting = true;
    const { charger } = this;
    await charger.start();
    this.#started(charger);
  }

  /** The power fails, and comes back: what ran does nothing any more, be it in the middle of something. */
  async powerCut(): Promise<void> {
    this.powerOff();
    await this.powerOn();
  }

  powerOff(): void {
    this.#power.isOn = false;
    for (const link of this.links) link.chargePoint.drop();
    for (const id of this.hardware.offers.keys()) this.hardware.offers.set(id, undefined);
  }

  async powerOn(): Promise<void> {
    this.#power = { isOn: true };
    this.charger = this.#build();
    await this.start();
  }

  /** The charging profiles that count. */
  profiles() {
    return this.charger.profiles;
  }

  /** What was told last of a connector. */
  statusTold(connectorId: number): unknown {
    const told = this.payloads("StatusNotification").filter(
      (each) => (each as { connectorId: number }).connectorId === connectorId,
    );
    return (told.at(-1) as { status?: unknown } | undefined)?.status;
  }

  idTagInfoOf(idTag: string): IdTagInfo {
    return this.idTags.get(idTag) ?? { status: "Accepted" };
  }

  status(connectorId: number): string {
    return (this.charger.state.connectors[connectorId - 1]?.status as string) ?? "none";
  }

  #started(charger: Charger): void {
    if (charger !== this.charger) return;
    this.isStarting = false;
    this.reports(charger.chargePoint);
  }

  #build(): Charger {
    const power = this.#power;
    const charger = new Charger({
      identity: "CP001",
      url: "ws://central.example.com/ocpp",
      boot: { chargePointVendor: "VendorX", chargePointModel: "Charger" },
      random: () => 0,
      clock: this.clock,
      hardware: whilePowered(this.hardware, power, () => undefined),
      store: whilePowered(this.store, power, () => new Promise(() => {})),
      connect:
        (credential, tls) =>
        async ({ url, identity }) => {
          if (!this.reachable || !power.isOn) throw new HandshakeError("network", "Nobody is there.", { url });
          this.presented.push({ ...credential, tls });
          const reason = this.refuses(credential, tls);
          if (reason !== undefined) throw new HandshakeError(reason, "It is refused.", { url });
          const link = transportPair(this.clock);
          this.links.push(link);
          this.centralSystem.accept(link.centralSystem, identity);
          return link.chargePoint;
        },
      ...this.#options,
    });
    charger.on("fault", ({ error }) => this.faults.push(error));
    this.built(charger);
    charger.on("said", ({ connectorId, text }) => this.said.push(`${connectorId}: ${text}`));
    return charger;
  }

  #answer(): void {
    const { centralSystem, clock } = this;
    const currentTime = (): string => new Date(clock.now() + this.aheadMs).toISOString();
    const idTagInfoOf = (idTag: string): IdTagInfo => this.idTagInfoOf(idTag);
    centralSystem.on("message", ({ direction, frame }) => {
      if (direction !== "in" || frame.type !== "CALL") return;
      this.received.push({ action: frame.action, payload: frame.payload as object, at: clock.now() });
    });
    centralSystem.handle("BootNotification", () => ({
      status: this.registration,
      interval: this.interval,
      currentTime: currentTime(),
    }));
    centralSystem.handle("Heartbeat", () => ({ currentTime: currentTime() }));
    centralSystem.handle("StatusNotification", () => ({}));
    centralSystem.handle("FirmwareStatusNotification", () => ({}));
    centralSystem.handle("DiagnosticsStatusNotification", () => ({}));
    centralSystem.handle("SignedFirmwareStatusNotification", () => ({}));
    centralSystem.handle("LogStatusNotification", () => ({}));
    centralSystem.handle("SecurityEventNotification", (req) => this.answers.SecurityEventNotification(req));
    centralSystem.handle("MeterValues", (req) => this.answers.MeterValues(req));
    centralSystem.handle("Authorize", ({ idTag }) => ({ idTagInfo: idTagInfoOf(idTag) }));
    centralSystem.handle("StartTransaction", (req) => this.answers.StartTransaction(req));
    centralSystem.handle("StopTransaction", (req) => this.answers.StopTransaction(req));
  }
}

/** An object whose methods do nothing any more once the power is off. */
function whilePowered<T extends object>(object: T, power: { readonly isOn: boolean }, off: () => unknown): T {
  return new Proxy(object, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => (power.isOn ? value.apply(target, args) : off());
    },
  });
}

/** A CALL as one line. */
export function lineOf(action: string, payload: object): string {
  const { connectorId, errorCode, idTag, info, reason, reservationId, status, transactionId } = payload as Record<
    string,
    unknown
  >;
  const error = errorCode === "NoError" ? undefined : errorCode;
  const reserved = reservationId === undefined ? undefined : `reservation ${reservationId}`;
  const tag = action === "StatusNotification" ? undefined : idTag;
  const told = info === undefined ? undefined : `(${info})`;
  return [action, connectorId, tag, transactionId, status, error, told, reason, reserved]
    .filter((each) => each !== undefined)
    .join(" ");
}
