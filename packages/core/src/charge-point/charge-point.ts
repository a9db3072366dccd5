import { OwnSignal, postponed } from "../abort.ts";
import type { Authorization } from "../authorization/authorize.ts";
import { type Clock, systemClock } from "../clock.ts";
import { ObeyedKeys } from "../configuration/obeyed-keys.ts";
import type { CallOptions } from "../connection/call-options.ts";
import {
  type AnyHandler,
  Connection,
  type ConnectionOwner,
  type Handler,
  tellsTheTime,
} from "../connection/connection.ts";
import type { ConnectionEvents, FinishedCall } from "../connection/connection-events.ts";
import { connectionUrl } from "../connection/connection-url.ts";
import { Emitter } from "../connection/emitter.ts";
import type { ExactAnswer } from "../connection/exact-answer.ts";
import { register, takeCall } from "../connection/permitted-actions.ts";
import type { Transport } from "../connection/transport.ts";
import { dateTimeOf } from "../date-time.ts";
import type { DeadLetter } from "../delivery/dead-letter.ts";
import { Deliveries, type Undelivered } from "../delivery/deliveries.ts";
import type { DeliveredAction, DeliveryEvent } from "../delivery/delivery-event.ts";
import type { DeliveredReq } from "../delivery/outbox.ts";
import type { Transaction, TransactionStart } from "../delivery/transaction.ts";
import { CallError, CallTimeoutError, ConnectionClosedError, NotAcceptedError } from "../errors.ts";
import { guarded } from "../guarded.ts";
import { drive, type Machine } from "../machine.ts";
import type { Action, ActionFrom, ActionTo, Conf, Req } from "../messages/actions.ts";
import { dateTimeQuirks } from "../messages/date-time-quirks.ts";
import type { Tolerated } from "../messages/tolerance.ts";
import { parseReq } from "../messages/validate.ts";
import { takeOptions } from "../options.ts";
import type { CallResultFrame } from "../rpc/frame.ts";
import type { SmartCharging, SmartChargingOutput } from "../smart-charging/smart-charging.ts";
import { soundClock } from "../sound-clock.ts";
import { memoryStore } from "../store/record-store.ts";
import { type AuthorizeOptions, Authorizer } from "./authorizer.ts";
import { builtInHandlers } from "./built-in-handlers.ts";
import { CentralTime, isTime, laterBy } from "./central-time.ts";
import type { ChargePointEvents } from "./charge-point-events.ts";
import {
  type ChargePointOptions,
  type ConnectionSettings,
  chargePointRules,
  type NewSettings,
  type ReconnectOptions,
  reconnectRules,
  saysTheSame,
  settingsRules,
} from "./charge-point-options.ts";
import { closedAtOnce, neverEnded, noTransport, toleratedBy } from "./failed-attempts.ts";
import {
  readable,
  readBootNotificationConf,
  readHeartbeatConf,
  readIdTagInfo,
  readStartTransactionConf,
} from "./readable-answers.ts";
import { Reconnection, type ReconnectionOutput } from "./reconnection.ts";
import { Registration, type RegistrationOutput } from "./registration.ts";
import { type StatusReport, StatusReports } from "./status-reports.ts";
import { type Triggers, triggerHandler } from "./trigger-message.ts";

/** The actions that a {@link ChargePoint} sends by itself, at the right moment; the others are for `call`. */
type OwnAction = "BootNotification" | "StatusNotification" | "StartTransaction" | "StopTransaction";

/** The actions that `ChargePoint.call` sends. */
export type ChargePointCall = Exclude<ActionFrom<"ChargePoint">, OwnAction>;

const ownActions: readonly string[] = ["BootNotification", "StatusNotification", "StartTransaction", "StopTransaction"];

/** What a connection has come about with, and when. */
interface Opening {
  readonly settings: ConnectionSettings;
  readonly tolerated: readonly Tolerated[];
  readonly now: number;
}

/**
 * The protocol side of a charger: it connects and reconnects, registers, keeps the time, sends Heartbeats, and delivers
 * every transaction, through lost connections and power cuts. Its owner thinks about the hardware only.
 *
 * @spec OCPP 1.6 §3.7, §4; OCPP-J 1.6 §5
 */
export class ChargePoint extends Emitter<ChargePointEvents> {
  readonly identity: string;
  readonly #options: ChargePointOptions;
  readonly #clock: Clock;
  readonly #time = new CentralTime();
  readonly #handlers = new Map<Action, AnyHandler<"ChargePoint">>();
  readonly #statuses = new StatusReports();
  readonly #registration: Registration;
  readonly #reconnection: Reconnection;
  readonly #delivery: Deliveries;
  readonly #authorizer: Authorizer;
  readonly #keys: ObeyedKeys;
  readonly #triggers: Triggers = {
    mayBoot: () => this.#registration.mayBoot,
    mayBeAsked: () => this.#registration.mayBeAsked,
    triggered: (action) => {
      if (action === "BootNotification") this.#forgotten();
      this.#registration.triggered(action, this.#clock.now());
      this.#runRegistration();
    },
    statusesOf: (connectorId) => this.#statuses.of(connectorId),
    sendStatus: (status) => {
      // Its timestamp may have to be corrected first.
      if (this.#isOnline() && !this.#registration.online) this.#statuses.wanted(status.connectorId);
      else void this.#sendStatus(status);
    },
  };
  readonly #builtInHandlers: ReadonlyMap<Action, AnyHandler<"ChargePoint">>;
  readonly #runRegistration: () => void;
  readonly #runReconnection: () => void;
  readonly #runSmartCharging: (() => void) | undefined;
  /** What the next connection begins with, and what the latest one began with. */
  #settings: ConnectionSettings;
  #latestSettings: ConnectionSettings;
  /** Ends the attempt to connect that is under way. */
  #attempt = new OwnSignal();
  /** Takes back statuses that were asked for and wait for their turn on the connection. */
  #turns = new OwnSignal();
  #connection: Connection<"ChargePoint"> | undefined;
  /** How a transport closed inside of `listen`, so that it never was a connection. */
  #closedAtOnce: ConnectionEvents["closed"][0] | undefined;
  /** The epoch of the time when the BootNotification or Heartbeat was sent that is, or will be, answered. */
  #askedEpoch = 0;
  /** When the last message came from the Central System. */
  #heardAt = Number.NEGATIVE_INFINITY;
  /** The date-times that were told of as `tolerated`: of which quirk, in which field. */
  readonly #toldDateTimes = new Set<string>();
  #phase: "new" | "starting" | "started" | "stopped" = "new";

  /** What its connections ask and tell. */
  readonly #owner: ConnectionOwner<"ChargePoint">;

  /**
   * @throws TypeError One of the options is not what it may be, or there is no such option; `url` is no endpoint URL, or
   * `identity` cannot stand in one.
   * @throws PayloadError `boot` violates the schema of BootNotification.req.
   */
  constructor(options: ChargePointOptions) {
    super();
    const taken = takeOptions("ChargePoint", options, chargePointRules);
    connectionUrl(taken.url, taken.identity);
    const { identity, store = memoryStore(), random = Math.random } = taken;
    const clock = soundClock(taken.clock ?? systemClock, {
      fault: (error) => this.emit("fault", { error }),
      jumped: () => this.#doubt(),
    });
    this.identity = identity;
    this.#options = taken;
    this.#settings = { url: taken.url, boot: parseReq("BootNotification", taken.boot, "local") };
    this.#latestSettings = this.#settings;
    this.#clock = clock;
    this.#keys = new ObeyedKeys(taken.configuration);
    this.#registration = new Registration(this.#keys.heartbeatMs);
    this.#runRegistration = drive(this.#registration, clock, (output) => this.#register(output));
    this.#reconnection = new Reconnection(taken, random);
    this.#runReconnection = drive(this.#reconnection, clock, (output) => this.#reconnect(output));
    this.#delivery = new Deliveries({
      clock,
      store,
      keys: this.#keys.transactionMessage,
      maxMessages: taken.maxQueuedMessages ?? 10_000,
      severalPerConnector: taken.severalTransactionsPerConnector ?? false,
      now: () => this.now(),
      isOnline: () => this.#registration.online,
      call: ({ action, req }, attempt) => this.#callNow(action, req as never, { ...attempt, keepSent: true }),
      readStart: readStartTransactionConf,
      changed: () => this.#followLimits(),
      delivered: (event) => this.#delivered(event),
      discarded: (event) => this.emit("discarded", event),
      fault: (error) => this.emit("fault", { error }),
    });
    this.#authorizer = new Authorizer({
      authorizationCache: taken.authorizationCache,
      localAuthList: taken.localAuthList,
      keys: () => this.#keys.authorization,
      now: () => this.now(),
      clock,
      fault: (error) => this.emit("fault", { error, action: "Authorize" }),
      timeoutMs: () => this.#timeoutMs,
      online: () => this.#isOnline(),
      ask: (idTag, signal) => readable(this.#callNow("Authorize", { idTag }, { urgent: true, signal }), readIdTagInfo),
      conflict: () => {
        this.#statuses.conflict(this.#timestamp());
        this.#sendStatuses();
      },
    });
    this.#builtInHandlers = builtInHandlers(taken, () => this.now());
    this.#runSmartCharging = taken.smartCharging && this.#driven(taken.smartCharging);
    this.#keys.listen({
      heartbeat: () => {
        this.#registration.configured(this.#keys.heartbeatMs);
        this.#runRegistration();
      },
      transactionMessage: () => this.#delivery.configured(this.#keys.transactionMessage),
    });
    const registration = this.#registration;
    this.#owner = {
      get silent() {
        return !registration.answers;
      },
      handlerOf: (action) => this.#handlerOf(action),
      unhandled: new Set(),
      confirmed: (_, call, conf, answer) => this.#confirmed(call, conf, answer),
      hears: (name) => this.isHeard(name as keyof ChargePointEvents),
      emitted: (_, name, event) => this.#emitted(name, event),
    };
  }

  /** Whether there is a connection. Before the Central System has accepted, little may be sent on it: see `registration`. */
  get connected(): boolean {
    return this.#connection !== undefined;
  }

  /** Where the registration with the Central System stands. */
  get registration(): "Unregistered" | "Pending" | "Rejected" | "Accepted" {
    return this.#registration.state;
  }

  /** The transactions that run: started and not stopped. */
  get transactions(): readonly Transaction[] {
    return this.#delivery.running;
  }

  /** What waits to be delivered: transaction-related messages, and those of `deliver`. */
  get undelivered(): Undelivered {
    return this.#delivery.undelivered;
  }

  /** The messages that were given up, in the order in which they were: retry each, or delete it. */
  get deadLetters(): readonly DeadLetter[] {
    return this.#delivery.deadLetters;
  }

  /**
   * The time of the Central System in milliseconds since the epoch, as far as it is known; until then, that of the own
   * clock. It runs backwards only when it is set: the first time, and when it was off by more than 10 s. All timestamps
   * should be made with it.
   *
   * @spec OCPP 1.6 §4.2, §4.6 [CORE-BOOT-04, CORE-HB-05]
   */
  now(): number {
    return this.#time.at(this.#clock.now());
  }

  /**
   * Registers the handler for an action of the Central System. An action without one is answered with `NotSupported`.
   *
   * @throws TypeError There already is a handler, `handler` is no function, or a Central System cannot send this action.
   */
  handle<A extends ActionTo<"ChargePoint">, H extends Handler<"ChargePoint", A>>(
    action: A,
    handler: H & ExactAnswer<H, Conf<A>>,
  ): void {
    register(this.#handlers, "ChargePoint", action, handler);
  }

  /**
   * Reads the store and begins to connect. Until it has resolved, no transaction can be started.
   *
   * @returns The transactions that ran when the power failed: stop each, with the reason `PowerLoss`, or go on with it.
   * @throws TypeError It was called before.
   * @throws What the store says when it cannot be read at all.
   */
  async start(): Promise<readonly Transaction[]> {
    if (this.#phase !== "new") throw new TypeError("A ChargePoint is started once. Make a new one.");
    this.#phase = "starting";
    try {
      await this.#delivery.restore();
    } catch (error) {
      if (!this.#isStopped()) this.#phase = "new";
      throw error;
    }
    if (this.#isStopped()) return [];
    this.#phase = "started";
    const interrupted = this.transactions;
    this.#options.smartCharging?.followedBy(() => this.#followLimits());
    this.#followLimits();
    this.#reconnection.started(this.#clock.now());
    this.#runReconnection();
    return interrupted;
  }

  /**
   * Tries to connect without waiting any longer, because the modem is back, say. Attempts still do not follow each other
   * faster than `retryBackOffWaitMinimum`. Does nothing while there is a connection, or an attempt is under way, or before
   * `start` and after `stop`.
   *
   * @param options.drop - Closes the connection first, so that what was given to {@link configure} takes effect. Default false.
   */
  reconnectNow(options: ReconnectOptions = {}): void {
    const { drop = false } = takeOptions("reconnectNow", options, reconnectRules);
    if (drop && !this.#isStopped()) this.#connection?.close(1000, "Reconnecting");
    this.#reconnection.hurried(this.#clock.now());
    this.#runReconnection();
  }

  /**
   * Changes where it connects to, or what BootNotification says, from the next connection on; one that stands is left alone.
   * The next connection begins with a BootNotification if it is to another URL than the latest, or if that says something
   * else.
   *
   * @throws TypeError `url` is no endpoint URL, `boot` is none, or there is another setting. Nothing is changed then.
   * @throws PayloadError `boot` violates the schema of BootNotification.req. Nothing is changed then.
   * @spec OCPP-J 1.6 §5.4 [J-160]
   */
  configure(settings: NewSettings): void {
    const { url = this.#settings.url, boot } = takeOptions("configure", settings, settingsRules);
    connectionUrl(url, this.identity);
    this.#settings = { url, boot: boot ? parseReq("BootNotification", boot, "local") : this.#settings.boot };
  }

  /**
   * Ends it for good, from any state and from inside any listener or handler: gives up an attempt to connect, closes the
   * connection, connects no more, and resolves when the store has done what it was asked for. What is undelivered stays in
   * the store. The store itself is left open.
   */
  async stop(): Promise<void> {
    if (this.#phase === "started") {
      this.#options.smartCharging?.followedBy(undefined);
      this.#runSmartCharging?.();
    }
    this.#phase = "stopped";
    this.#reconnection.stopped();
    this.#runReconnection();
    this.#connection?.close();
    await this.#delivery.stop();
  }

  /**
   * Resolves when everything that was reported before this call would survive a power cut. What the store refused before is
   * tried again now.
   *
   * @throws Error The store refuses some of it, or does not answer for half a minute. It is tried again, but a power cut
   * would lose it.
   */
  saved(): Promise<void> {
    return this.#delivery.saved();
  }

  /**
   * Sends a CALL now, or fails: nothing is kept for later.
   *
   * @param action - Any action of a Charge Point, except those that it sends by itself: use `report` for
   * StatusNotification, `startTransaction` and the transaction's `stop` for the others.
   * @throws NotAcceptedError The Central System has not accepted this Charge Point (yet).
   * @throws ConnectionClosedError There is no connection, or it ended first; see `sent`.
   * @throws The errors of {@link Connection.call}.
   */
  async call<A extends ChargePointCall>(action: A, req: Req<A>, options: CallOptions = {}): Promise<Conf<A>> {
    if (ownActions.includes(action)) {
      throw new TypeError(
        `A ChargePoint sends ${action} by itself: see report, startTransaction and Transaction.stop.`,
      );
    }
    const isAllowed = this.#registration.allows(action);
    // Misuse is told first, also where nothing can be sent: it would be no better later.
    if (!isAllowed || !this.connected) takeCall("ChargePoint", action, req, options);
    if (!isAllowed) throw new NotAcceptedError(action, this.#refusal());
    try {
      return await this.#callNow(action, req, options);
    } catch (error) {
      throw error === postponed ? new NotAcceptedError(action, this.#refusal()) : error;
    }
  }

  /**
   * Starts a transaction, at once, online or not. StartTransaction is delivered as soon as possible.
   *
   * @param req - `meterStart` in Wh; `timestamp` is now by default.
   * @param data - What is kept with the transaction, see {@link Transaction.keep}.
   * @throws PayloadError It violates the schema of StartTransaction.req.
   * @throws RangeError The queue is full of starts and stops that the Central System has not taken.
   * @throws TypeError `start` has not resolved yet, or this ChargePoint has been stopped; a transaction runs on this
   * connector; or `data` cannot be kept.
   * @spec OCPP 1.6 §4.8 [CORE-START-01, CORE-LAO-08]
   */
  startTransaction(req: TransactionStart, data?: unknown): Transaction {
    this.#assertStarted();
    return this.#delivery.start(req, data);
  }

  /**
   * Has a message delivered that must not be lost: now, or as soon as the Central System takes it, in the order of the calls
   * and at least once, also after a power cut. How it ends is told by `delivered` and `discarded`. Messages of transactions
   * do not wait for it.
   *
   * It is tried as often as TransactionMessageAttempts says, and once where the Central System does not know the action.
   *
   * @param action - Any that this class does not send by itself, for example SecurityEventNotification.
   * @throws PayloadError It violates its schema.
   * @throws RangeError 1000 messages wait already.
   * @throws TypeError `start` has not resolved yet, or this ChargePoint has been stopped; or the action is none of these.
   * @spec Security white paper A04; OCPP 1.6 §4.3, §4.4, §4.5 [J-211]
   */
  deliver<A extends DeliveredAction>(action: A, req: DeliveredReq<A>): void {
    this.#assertStarted();
    this.#delivery.deliver(action, req);
  }

  /**
   * Reports the status of a connector, or of the charge point itself (connector 0): now, or as soon as it may be sent.
   * The newest status of each connector is sent again whenever the Central System accepts this Charge Point; one that
   * still waits for its turn is replaced by a newer one of its connector. After `stop` nothing is sent.
   *
   * @param status - `timestamp` is now by default, `errorCode` is `NoError`. A timestamp that is given stays as it is.
   * @throws PayloadError It violates the schema of StatusNotification.req.
   * @spec OCPP 1.6 §4.9 [CORE-BOOT-08, CORE-STAT-02, CORE-STAT-20 … CORE-STAT-23]
   */
  report(
    status: Omit<Req<"StatusNotification">, "errorCode"> & Partial<Pick<Req<"StatusNotification">, "errorCode">>,
  ): void {
    const given: Partial<typeof status> = status ?? {};
    const { errorCode = "NoError", timestamp = this.#timestamp() } = given;
    const req = parseReq("StatusNotification", { ...given, errorCode, timestamp }, "local");
    this.#statuses.changed(req, given.timestamp === undefined);
    this.#sendStatuses();
  }

  /**
   * Decides whether an identifier that is presented may start a transaction: asks the Central System where that is due,
   * and decides by the Local Authorization List and the authorization cache where it is not, or gets no answer in time.
   *
   * Authorize.req goes before everything that waits for its turn. After `waitMs`, or when the signal aborts, one that still
   * waits is taken back; what is answered later is remembered all the same.
   *
   * What Authorize.req cannot carry is refused as `no-id-tag`, and told as a `fault`; so is what the list and the cache throw.
   *
   * @returns `accept` or `refuse`, with the grounds. Never rejects: with an aborted signal it decides as offline, too.
   * @throws TypeError At once: one of the options is not what it may be, or there is no such option.
   * @spec OCPP 1.6 §3.5, §4.1 [CORE-AUTH-01 … CORE-AUTH-08, CORE-LAO-20 … CORE-LAO-28, J-215]
   */
  authorize(idTag: string, options: AuthorizeOptions = {}): Promise<Authorization> {
    return this.#authorizer.authorize(idTag, options);
  }

  /**
   * Decides whether an identifier that is presented may stop a transaction: the one that started it may without being
   * asked about, and so may others of its group. It asks and waits as `authorize` does, and refuses the same.
   *
   * @returns `accept` or `refuse`, with the grounds. Never rejects.
   * @throws TypeError At once: there is no transaction, one of the options is not what it may be, or there is no such option.
   * @spec OCPP 1.6 §3.10, §4.1 [CORE-AUTH-03, CORE-AUTH-09, CORE-IDT-04]
   */
  authorizeStop(idTag: string, transaction: Transaction, options: AuthorizeOptions = {}): Promise<Authorization> {
    if (typeof transaction?.idTag !== "string") throw new TypeError("transaction is none. Give the one to be stopped.");
    const { idTag: starter, parentIdTag } = transaction;
    const group = parentIdTag ?? this.#authorizer.lookUp(starter)?.parentIdTag;
    return this.#authorizer.authorizeStop(idTag, { idTag: starter, parentIdTag: group }, options);
  }

  /** Runs the machine of the limits on the time of the Central System: once that is corrected, it wakes at another moment. */
  #driven(smartCharging: SmartCharging): () => void {
    const onOwnClock = (time: number): number => time - this.now() + this.#clock.now();
    const machine: Machine<SmartChargingOutput> = {
      poll: () => smartCharging.poll(),
      get deadline() {
        return onOwnClock(smartCharging.deadline);
      },
      advance: () => smartCharging.advance(this.now()),
    };
    return drive(machine, this.#clock, (output) => {
      if (output.type === "limit") this.emit("limit", output.change);
      else this.emit("profileRefused", output.refused);
    });
  }

  /** Tells the limits' machine what is known of transactions now, and of the time. */
  #followLimits(): void {
    if (this.#phase !== "started") return;
    this.#options.smartCharging?.transactionsAre(this.#delivery.running, this.now());
    this.#runSmartCharging?.();
  }

  #reconnect(output: ReconnectionOutput): void {
    switch (output.type) {
      case "connect":
        void this.#connect(output.attempt);
        break;
      case "abort":
        this.#abort();
        break;
      case "fault":
        this.emit("fault", { error: output.error });
        break;
    }
  }

  async #connect(attempt: number): Promise<void> {
    const settings = this.#settings;
    const signal = new OwnSignal();
    this.#attempt = signal;
    let transport: Transport | undefined;
    let connection: Connection<"ChargePoint">;
    let tolerated: readonly Tolerated[];
    try {
      const { url } = settings;
      this.emit("connecting", { attempt, url: connectionUrl(url, this.identity) });
      if (this.#reconnection.state !== "Connecting") return; // Stopped by a listener.
      transport = await this.#options.connect({ url, identity: this.identity, signal });
      if (signal.aborted) {
        guarded(() => transport?.close(), this.#failed);
        return;
      }
      tolerated = toleratedBy(transport);
      connection = this.#connectionOver(transport);
    } catch (error) {
      if (signal.aborted) return;
      guarded(
        () => transport?.close?.(),
        () => {},
      ); // It is of no use: what it says to that, neither.
      this.#reconnection.lost(this.#clock.now());
      this.#refused(error);
      this.#runReconnection();
      return;
    }
    const now = this.#clock.now();
    // A transport may have closed, or its owner stopped, inside of `listen`, or of what the clock is found out about.
    if (this.#reconnection.state === "Connecting") this.#opened(connection, { settings, tolerated, now });
    else connection.close();
  }

  /** Nobody waits for the attempt any more. */
  #abort(): void {
    if (this.#isStopped()) this.#attempt.abort(new Error("The ChargePoint was stopped."), this.#failed);
    else {
      const error = neverEnded(connectionUrl(this.#settings.url, this.identity));
      this.#attempt.abort(error, this.#failed);
      this.#refused(error);
    }
  }

  readonly #failed = (error: unknown): void => void this.emit("fault", { error });

  #refused(error: unknown): void {
    this.emit("refused", { error, retryInMs: this.#retryInMs() });
  }

  /**
   * @throws TypeError It is no transport.
   * @throws HandshakeError It closed inside of `listen`.
   */
  #connectionOver(transport: Transport | undefined): Connection<"ChargePoint"> {
    if (typeof transport?.listen !== "function") throw new TypeError(noTransport);
    const { tolerate = [] } = this.#options;
    this.#closedAtOnce = undefined;
    const connection = new Connection(
      transport,
      {
        role: "ChargePoint",
        identity: this.identity,
        clock: this.#clock,
        tolerate: [...Object.values(tolerate), ...Object.values(dateTimeQuirks)],
      },
      this.#owner,
    );
    if (this.#closedAtOnce !== undefined) {
      throw closedAtOnce(connectionUrl(this.#settings.url, this.identity), this.#closedAtOnce);
    }
    return connection;
  }

  /** Nothing of the owner's runs before it is told. */
  #opened(connection: Connection<"ChargePoint">, { settings, tolerated, now }: Opening): void {
    const { url, boot } = this.#latestSettings;
    this.#latestSettings = settings;
    this.#connection = connection;
    this.#reconnection.opened(now);
    this.#registration.connected(now, { elsewhere: settings.url !== url, changed: !saysTheSame(settings.boot, boot) });
    this.emit("connected", {});
    for (const use of tolerated) if (this.#connection === connection) this.emit("tolerated", use);
    this.#runReconnection();
    this.#runRegistration();
  }

  #closed(event: { readonly code: number; readonly reason: string }): void {
    if (this.#connection === undefined) {
      this.#closedAtOnce = event;
      return;
    }
    this.#connection = undefined;
    this.#registration.disconnected();
    this.#runRegistration();
    this.#statuses.disconnected();
    this.#delivery.offline();
    this.#reconnection.lost(this.#clock.now());
    this.emit("disconnected", { ...event, retryInMs: this.#retryInMs() });
    this.#runReconnection();
  }

  #retryInMs(): number {
    return Math.max(0, this.#reconnection.deadline - this.#clock.now());
  }

  #register(output: RegistrationOutput): void {
    switch (output.type) {
      case "boot":
        this.#takeBack();
        void this.#boot();
        break;
      case "heartbeat":
        if (this.#isOnline() && !this.#registration.online) this.#hold();
        void this.#heartbeat();
        break;
      case "registered":
        this.#registered(output.status, output.intervalMs);
        break;
      case "online":
        this.#online();
        break;
    }
  }

  async #boot(): Promise<void> {
    await this.#exchange("BootNotification", this.#latestSettings.boot, readBootNotificationConf, (conf) => {
      if (conf === undefined) this.#registration.unanswered(this.#clock.now());
      else {
        if (conf.status === "Accepted") this.#adopt(conf.currentTime);
        this.#registration.answered(conf, this.#clock.now());
      }
    });
  }

  async #heartbeat(): Promise<void> {
    await this.#exchange("Heartbeat", {}, readHeartbeatConf, (conf) => {
      if (conf !== undefined) this.#adopt(conf.currentTime);
      this.#registration.heartbeatSettled(); // J-214: after a failure, the next one comes at the interval.
    });
  }

  /** Makes a CALL of the registration's own; what it settles with is `undefined` after a failure. */
  async #exchange<A extends "BootNotification" | "Heartbeat", T>(
    action: A,
    req: Req<A>,
    read: (payload: unknown) => T | undefined,
    settled: (conf: T | undefined) => void,
  ): Promise<void> {
    const connection = this.#connection;
    let conf: T | undefined;
    try {
      conf = await readable(this.#callNow(action, req, { urgent: true }), read);
    } catch (error) {
      // The connection has ended, and the registration knows.
      if (error instanceof ConnectionClosedError || connection !== this.#connection) return;
      if (error !== postponed) this.emit("fault", { error, action });
      // J-154, J-158: nobody is there, whatever the socket says.
      if (error instanceof CallTimeoutError && this.#isSilentFor(error.timeoutMs)) {
        connection?.close(1001, `No answer to ${action}`);
        return;
      }
    }
    settled(conf);
    this.#runRegistration();
  }

  #assertStarted(): void {
    if (this.#isStopped()) throw new TypeError("The ChargePoint has been stopped. Make a new one.");
    if (this.#phase !== "started") throw new TypeError("The ChargePoint is not started. Await start() first.");
  }

  /** @param currentTime - `undefined` when it cannot be read: then the time is not set. */
  #adopt(currentTime: string | undefined): void {
    const now = this.#clock.now();
    // What was asked before a doubt is answered with what time it was then.
    if (currentTime === undefined || this.#askedEpoch !== this.#time.epoch) return;
    const { trusted } = this.#time;
    const adopted = this.#time.adopt(currentTime, now);
    if (adopted === undefined) return;
    this.#registration.told();
    if (!trusted) {
      this.#delivery.trusted(adopted.correctionMs);
      this.#statuses.amended((status) => laterBy(adopted.correctionMs, status));
    }
    // Last: limits count from the starts of transactions, as they are corrected by now.
    this.#followLimits();
    if (adopted.setMs !== 0) this.emit("timeSet", { stepMs: adopted.setMs });
  }

  /** The machine slept, or somebody set a clock: what was told before says no longer what time it is. */
  #doubt(): void {
    if (this.#time.trusted) this.#statuses.trusted();
    this.#time.doubt();
    this.#delivery.doubted();
    this.#delivery.paused();
    this.#registration.doubted(this.#clock.now());
    this.#runRegistration();
  }

  #registered(status: ChargePointEvents["registration"][0]["status"], intervalMs: number): void {
    if (status === "Accepted") {
      // CORE-BOOT-03: the key tells what is in effect.
      const set = this.#options.configuration?.set("HeartbeatInterval", intervalMs / 1000);
      void set?.catch((error: unknown) => this.emit("fault", { error }));
      this.#statuses.accepted();
    }
    this.emit("registration", { status, intervalMs });
  }

  /** J-163: statuses first, then what the queue holds. */
  #online(): void {
    this.#sendStatuses();
    this.#delivery.online();
  }

  /** Has statuses and what the queue holds wait, also what waits for its turn already: its timestamp may have to be corrected. */
  #hold(): void {
    const turns = this.#turns;
    this.#turns = new OwnSignal();
    this.#delivery.postponed();
    this.#statuses.postponed();
    turns.abort(postponed);
  }

  /** CORE-BOOT-02, CORE-BOOT-12: what waits for its turn would be sent behind a BootNotification that may be rejected. */
  #takeBack(): void {
    this.#delivery.paused();
    this.#connection?.takeBack(postponed);
  }

  #sendStatuses(): void {
    if (!this.#registration.online) return;
    for (const report of this.#statuses.take()) void this.#sendStatus(report.status, report);
  }

  /** @param report - What the status is of; one that a TriggerMessage asked for is nothing else. */
  async #sendStatus(status: Req<"StatusNotification">, report?: StatusReport): Promise<void> {
    const signal = report?.superseded ?? this.#turns;
    try {
      await this.#callNow("StatusNotification", status, { keepSent: true, signal });
    } catch (error) {
      if (error === postponed && report !== undefined) this.#statuses.lost(report);
      else if (error === postponed) this.#statuses.wanted(status.connectorId);
      if (error === postponed || error === signal.reason) return;
      if (error instanceof ConnectionClosedError || error instanceof RangeError) {
        if (report !== undefined) this.#statuses.lost(report);
        if (error instanceof ConnectionClosedError) this.#sendStatuses(); // There may be another connection by now.
        return;
      }
      if (error instanceof CallTimeoutError && report !== undefined) this.#statuses.unanswered(report);
      this.emit("fault", { error, action: "StatusNotification" });
    }
  }

  #delivered(event: DeliveryEvent & { readonly conf: unknown }): void {
    this.emit("delivered", event);
    const { call, transaction } = event;
    if (transaction === undefined || call.action === "MeterValues") return;
    const { idTag } = call.req;
    const { idTagInfo } = (event.conf ?? {}) as Partial<Conf<"StartTransaction">>;
    if (idTag !== undefined && idTagInfo !== undefined) this.#authorizer.learned(idTag, idTagInfo);
    if (call.action === "StartTransaction") this.#judge(transaction, idTagInfo);
  }

  /** CORE-START-03: whether a transaction that runs may go on; what cannot be read is decided like an unknown identifier. */
  #judge(transaction: Transaction, said: Conf<"StartTransaction">["idTagInfo"] | undefined): void {
    if (transaction.stopped) return;
    const idTagInfo = said ?? this.#authorizer.decideOffline(transaction.idTag);
    if (idTagInfo.status !== "Accepted") this.emit("invalidated", { transaction, idTagInfo });
  }

  /** The present time, as messages say it. */
  #timestamp(): string {
    return dateTimeOf(this.now());
  }

  /** How long a CALL waits for its answer, in milliseconds. */
  get #timeoutMs(): number {
    return this.#options.timeoutMs ?? this.#keys.messageTimeoutMs;
  }

  #isOnline(): boolean {
    return this.#connection !== undefined && this.registration === "Accepted";
  }

  async #callNow<A extends ActionFrom<"ChargePoint">>(
    action: A,
    req: Req<A>,
    options: CallOptions = {},
  ): Promise<Conf<A>> {
    if (this.#connection === undefined) {
      throw new ConnectionClosedError(action, { code: 1006, reason: "not connected", sent: false });
    }
    const { timeoutMs = this.#timeoutMs } = options;
    try {
      return await this.#connection.call(action, req, { ...options, timeoutMs });
    } catch (error) {
      // J-130: said to whom is not accepted. What is refused for that reason is sent again once it is.
      if (error instanceof CallError && error.code === "SecurityError") this.#forgotten(() => this.#delivery.offline());
      throw error;
    }
  }

  /** The Central System may have lost its memory since it has accepted this Charge Point. */
  #forgotten(held = (): void => {}): void {
    if (this.registration !== "Accepted" || !this.#registration.mayBoot) return;
    this.#registration.forgotten(this.#clock.now());
    this.#takeBack();
    held();
    this.#runRegistration();
  }

  /** Whether nothing at all has come from the Central System for so long, in milliseconds. */
  #isSilentFor(timeoutMs: number): boolean {
    return this.#heardAt <= this.#clock.now() - timeoutMs;
  }

  #emitted(name: keyof ConnectionEvents, event: object): void {
    if (name === "closed") {
      this.#closed(event as ConnectionEvents["closed"][0]);
      return;
    }
    if (name === "message") this.#exchanged(event as ConnectionEvents["message"][0]);
    if (name === "finished") this.#finished(event as FinishedCall);
    if (name === "violation") this.#violated(event as ConnectionEvents["violation"][0]);
    if (name === "tolerated" && this.#wasTold(event as Tolerated)) return;
    this.emit(name, event as never);
  }

  /** Whether it is a date-time in a notation that was told of before, in the same field. */
  #wasTold({ quirk, action, path }: Tolerated): boolean {
    if (!Object.hasOwn(dateTimeQuirks, quirk)) return false;
    const field = `${quirk} ${action} ${path.replace(/\[\d+\]/g, "")}`;
    const wasTold = this.#toldDateTimes.has(field);
    this.#toldDateTimes.add(field);
    return wasTold;
  }

  #confirmed({ action, payload }: FinishedCall["call"], conf: unknown, answer: CallResultFrame): void {
    if (action === "Authorize") {
      this.#authorizer.learned((payload as Req<"Authorize">).idTag, (conf as Conf<"Authorize">).idTagInfo);
    } else if (tellsTheTime(action)) {
      this.#checkTime(conf as Conf<"Heartbeat">, answer);
    }
  }

  /** A time that is none obeys the schema, but not the Central System's clock. [CORE-BOOT-04, CORE-HB-05] */
  #checkTime({ currentTime }: Conf<"Heartbeat">, frame: CallResultFrame): void {
    if (isTime(Date.parse(currentTime))) return;
    this.emit("violation", { reason: "payload", message: "currentTime must be of this century.", frame });
  }

  #exchanged({ direction, frame }: ConnectionEvents["message"][0]): void {
    const now = this.#clock.now();
    if (direction === "in") this.#heardAt = now;
    else {
      this.#registration.sent(now);
      if (frame.type === "CALL" && tellsTheTime(frame.action)) this.#askedEpoch = this.#time.epoch;
      this.#runRegistration();
    }
  }

  /** Even nonsense, which is no message, shows that somebody is there, and an answer to nothing that it answers. */
  #violated({ frame }: ConnectionEvents["violation"][0]): void {
    this.#heardAt = this.#clock.now();
    if (frame.type === "CALLRESULT" || frame.type === "CALLERROR") this.#delivery.heard();
  }

  #finished({ direction, call, outcome }: FinishedCall): void {
    if (direction === "in") {
      if (outcome.type !== "CALLRESULT" || call.action !== "SendLocalList") return;
      if ((outcome.payload as Conf<"SendLocalList">).status === "Accepted") this.#statuses.corrected(this.#timestamp());
      this.#sendStatuses();
    } else if (outcome.type === "TIMEOUT") {
      this.#timedOut(outcome.timeoutMs);
    } else if (outcome.type !== "CLOSED") {
      this.#delivery.heard();
      this.#sendStatuses(); // Somebody is there, and there is room: what could not be sent before can be now.
    }
  }

  #timedOut(timeoutMs: number): void {
    // J-153, CORE-TXQ-06: a Heartbeat finds out whether anybody is there, so that a connection which is dead at one end
    // only does not swallow one message after the other until they are given up.
    if (!this.#isSilentFor(timeoutMs) || !this.#isOnline()) return;
    this.#registration.triggered("Heartbeat", this.#clock.now());
    this.#runRegistration();
  }

  #handlerOf(action: Action): AnyHandler<"ChargePoint"> | undefined {
    // CORE-BOOT-22, CORE-BOOT-23: not allowed, but answered.
    if (
      this.registration !== "Accepted" &&
      (action === "RemoteStartTransaction" || action === "RemoteStopTransaction")
    ) {
      return () => ({ status: "Rejected" });
    }
    const handler = this.#handlers.get(action) ?? this.#builtInHandlers.get(action);
    // The white paper's trigger is for the owner to support, or not.
    const triggers = action === "TriggerMessage" || (action === "ExtendedTriggerMessage" && handler !== undefined);
    return triggers ? triggerHandler(action, handler, this.#triggers) : handler;
  }

  #refusal(): "Pending" | "Rejected" | undefined {
    const { registration } = this;
    return registration === "Pending" || registration === "Rejected" ? registration : undefined;
  }

  #isStopped(): boolean {
    return this.#phase === "stopped";
  }
}
