import type { AbortSignalLike } from "../abort.ts";
import { putLatest } from "../bounded.ts";
import { type Clock, systemClock } from "../clock.ts";
import {
  type AnyHandler,
  Connection,
  type ConnectionOwner,
  type Handler,
  type HandlerContext,
} from "../connection/connection.ts";
import type { ConnectionEvents, FinishedCall } from "../connection/connection-events.ts";
import type { ConnectionOptions } from "../connection/connection-options.ts";
import { Emitter } from "../connection/emitter.ts";
import type { ExactAnswer } from "../connection/exact-answer.ts";
import { register } from "../connection/permitted-actions.ts";
import type { Transport } from "../connection/transport.ts";
import { NotAcceptedError } from "../errors.ts";
import type { Action, ActionTo, Conf, Req } from "../messages/actions.ts";
import type { ChargePointDescription } from "../messages/tolerance.ts";
import { optionRules, takeOption, takeOptions } from "../options.ts";
import { soundClock } from "../sound-clock.ts";
import type { CentralSystemEvents, WithConnection } from "./central-system-events.ts";
import {
  type CentralSystemOptions,
  centralSystemRules,
  type DrainOptions,
  type DuplicatePolicy,
  drainRules,
} from "./central-system-options.ts";
import { closing, duplicate, gone, type HandshakeRefusal } from "./handshake-refusal.ts";
import { KeptRegistrations } from "./kept-registrations.ts";
import { RegistrationGate, type RegistrationStatus, type UnknownTransactions } from "./registrations.ts";
import type { Asking } from "./repeated-ask.ts";
import { ToldHeartbeats } from "./told-heartbeats.ts";

/** A CALL of a Charge Point, of any action. */
export type AnyCall = {
  readonly [A in ActionTo<"CentralSystem">]: { readonly action: A; readonly req: Req<A> };
}[ActionTo<"CentralSystem">];

/** Answers CALLs whatever their action is, as a {@link Handler} does those of one. */
export type CatchAllHandler<Context = unknown> = (
  call: AnyCall,
  context: HandlerContext<"CentralSystem", Context>,
) => Conf<AnyCall["action"]> | Promise<Conf<AnyCall["action"]>>;

/** What is given to `accept` besides: nothing, where there is no context to be had. */
type ContextArguments<Context> = undefined extends Context ? [context?: Context] : [context: Context];

/** A connection and what belongs to it. */
interface Registered<Context> {
  readonly connection: Connection<"CentralSystem", Context>;
  readonly generation: number;
  readonly gate: RegistrationGate;
  /** Finds out what is remembered, as long as that is not known. */
  lookUp?: Asking | undefined;
  /** Prevents that it is closed because no BootNotification comes. */
  stopExpecting?: (() => void) | undefined;
}

/**
 * The Central System's end of many connections: handlers shared by all of them, one connection for each identity.
 *
 * A Charge Point is served once its BootNotification was answered with `Accepted`, and stays accepted when it reconnects.
 * Until then every other CALL of it that was not asked for with TriggerMessage is answered with `SecurityError`. What it
 * sends while its first BootNotification is being served waits for that.
 *
 * `Context` is what `authenticate` finds out about a Charge Point, and handlers find in `connection.context`.
 *
 * @spec OCPP-J 1.6 §3; OCPP 1.6 §4.2, §5; J errata 3.8 [J-130 … J-132]
 */
export class CentralSystem<Context = unknown> extends Emitter<CentralSystemEvents<Context>> {
  /** Those of its connections. */
  readonly #options: Omit<ConnectionOptions<"CentralSystem">, "role" | "identity">;
  readonly #duplicates: DuplicatePolicy;
  readonly #probeTimeoutMs: number;
  /** Internal: the clock that it was given. */
  readonly clock: Clock;
  readonly #registrations: KeptRegistrations;
  readonly #unknownTransactions: UnknownTransactions;
  readonly #handlers = new Map<Action, AnyHandler<"CentralSystem">>();
  #catchAll: CatchAllHandler<never> | undefined;
  readonly #registered = new Map<string, Registered<Context>>();
  /** Of connections that have ended, too, as long as their handlers run. */
  readonly #byConnection = new WeakMap<Connection<"CentralSystem">, Registered<Context>>();
  /** What Charge Points told of themselves: those that come back do not always boot again. */
  readonly #described = new Map<string, ChargePointDescription>();
  readonly #heartbeats = new ToldHeartbeats();
  /** What is being decided about a Charge Point that asks to be let in. */
  readonly #admissions = new Map<string, Promise<HandshakeRefusal | undefined>>();
  #generations = 0;
  /** Why nobody is let in any more. */
  #leaving: CloseReason | undefined;
  readonly #owner: ConnectionOwner<"CentralSystem"> = {
    refuses: (connection, action, payload) => this.#refuses(connection, action, payload),
    assertAllowed: (connection, action) => this.#assertAllowed(connection, action),
    handlerOf: (action) => this.#handlerOf(action),
    unhandled: new Set(),
    unreadable: (connection) => this.#unreadable(connection),
    serving: (connection, call) => {
      if (call.action === "BootNotification") this.#booting(connection, call);
    },
    responding: (connection, action, conf) => this.#responding(connection, action, conf),
    confirmed: (connection, { action, payload }, conf) => {
      this.#of(connection).gate.confirmed(action, payload, conf);
      this.#heartbeats.confirmed(connection, action, payload, conf);
    },
    introduced: (chargePoint) => void putLatest(this.#described, chargePoint.identity, chargePoint, maxDescribed),
    hears: (name) => this.isHeard(name === "closed" ? "disconnected" : name),
    emitted: (connection, name, event) => this.#emitted(connection, name, event),
  };

  /** @throws TypeError One of the options is not what it may be, or there is no such option. */
  constructor(options: CentralSystemOptions = {}) {
    super();
    const {
      duplicates = "probe",
      probeTimeoutMs = 5000,
      registrations,
      unknownTransactions = registrations === undefined ? "serve" : "hold",
      ...shared
    } = takeOptions("CentralSystem", options, centralSystemRules);
    this.#options = shared;
    this.#duplicates = duplicates;
    this.#probeTimeoutMs = probeTimeoutMs;
    this.clock = soundClock(shared.clock ?? systemClock, { fault: (error) => this.emit("fault", { error }) });
    this.#registrations = new KeptRegistrations(registrations ?? new Map(), this.clock, (identity, error) => {
      const generation = this.#registered.get(identity)?.generation;
      this.emit("fault", { identity, ...(generation !== undefined && { generation }), error });
    });
    this.#unknownTransactions = unknownTransactions;
  }

  /**
   * Registers the handler for an action, for every Charge Point. A handler that a connection has of its own goes first.
   *
   * @throws TypeError There already is a handler, `handler` is no function, or a Charge Point cannot send this action.
   */
  handle<A extends ActionTo<"CentralSystem">, H extends Handler<"CentralSystem", A, Context>>(
    action: A,
    handler: H & ExactAnswer<H, Conf<A>>,
  ): void {
    register(this.#handlers, "CentralSystem", action, handler);
  }

  /**
   * Registers the handler for every action that has none, neither here nor at its connection. What OCPP 1.6 does not know
   * is answered with `NotImplemented` all the same.
   *
   * @throws TypeError There already is one, or `handler` is no function.
   */
  handleOthers(handler: CatchAllHandler<Context>): void {
    takeOption("The handler of all other actions", handler, optionRules.required(optionRules.callback));
    if (this.#catchAll !== undefined) throw new TypeError("There already is a handler of all other actions.");
    this.#catchAll = handler;
  }

  /** Whether there is a handler for this action, be it that of all others. Connections may have their own besides. */
  handles(action: ActionTo<"CentralSystem">): boolean {
    return this.#handlerOf(action) !== undefined;
  }

  #handlerOf(action: Action): AnyHandler<"CentralSystem"> | undefined {
    const catchAll = this.#catchAll;
    const others: AnyHandler<"CentralSystem"> | undefined =
      catchAll && ((req, context) => catchAll({ action, req } as AnyCall, context));
    return this.#handlers.get(action) ?? others;
  }

  /**
   * Decides whether a Charge Point that has been authenticated may connect, before its WebSocket is opened. An older
   * connection that gives no sign of life is closed with 1008. Of several that ask at once, one is let in at a time.
   *
   * @param signal - Aborts when it has hung up: others that ask need not wait for a decision on it.
   * @param withinMs - How many milliseconds are left for its opening handshake. A probe takes no more than four fifths of
   * them, so that its end is in time. Default: any number.
   * @returns `undefined` if it may, and {@link accept} is to be called at once; otherwise why not. Never rejects.
   * @spec [J-164, J-166, Q20]
   */
  async admit(
    identity: string,
    signal?: AbortSignalLike,
    withinMs = Number.POSITIVE_INFINITY,
  ): Promise<HandshakeRefusal | undefined> {
    const endsAt = this.clock.now() + withinMs;
    for (let first = this.#admissions.get(identity); first !== undefined; first = this.#admissions.get(identity)) {
      const refusal = await first; // What is true of the first one is true of all.
      if (refusal !== undefined) return refusal;
    }
    if (signal?.aborted) return { identity, ...gone };
    const probeMs = Math.max(0, Math.min(this.#probeTimeoutMs, 0.8 * (endsAt - this.clock.now())));
    const decision = this.#decide(identity, probeMs);
    const over = decision.then(async (refusal) => {
      if (refusal === undefined) await this.#wokenAt(this.clock.now()); // In a later turn it is accepted.
      this.#admissions.delete(identity);
      return refusal;
    });
    this.#admissions.set(identity, over);
    return decision;
  }

  async #decide(identity: string, probeMs: number): Promise<HandshakeRefusal | undefined> {
    const policy = this.#duplicates;
    const present = this.#leaving === undefined && policy !== "replace" ? this.get(identity) : undefined;
    const lives = present !== undefined && (policy === "reject" || (await present.probe(probeMs)));
    const stays = lives && this.get(identity) === present;
    if (this.#leaving !== undefined) return { identity, ...closing };
    if (stays) return { identity, ...duplicate };
    present?.close(1008, "No sign of life, while another connection asks to be let in");
    return undefined;
  }

  /**
   * Takes over an open transport of an authenticated Charge Point. An older connection of the same identity is closed with
   * 1008, whatever {@link admit} would have said.
   *
   * @param identity - Identity of the Charge Point, percent-decoded.
   * @param context - What is known of it, for handlers.
   * @spec [J-107, J-164]
   */
  accept(
    transport: Transport,
    identity: string,
    ...[context]: ContextArguments<Context>
  ): Connection<"CentralSystem", Context> {
    this.get(identity)?.close(1008, "Replaced by a newer connection");
    const options = { ...this.#options, clock: this.clock, role: "CentralSystem", identity } as const;
    const connection = new Connection<"CentralSystem", Context>(transport, options, this.#owner, context);
    const generation = ++this.#generations;
    const registered = { connection, generation, gate: new RegistrationGate(this.#unknownTransactions) };
    this.#registered.set(identity, registered);
    this.#byConnection.set(connection, registered);
    this.#heartbeats.connected(connection);
    this.#lookUp(registered);
    this.emit("connected", { identity, generation, connection });
    if (this.#leaving !== undefined) connection.close(...this.#leaving);
    return connection;
  }

  /** The connection of a Charge Point; `undefined` while it is offline. */
  get(identity: string): Connection<"CentralSystem", Context> | undefined {
    return this.#registered.get(identity)?.connection;
  }

  /** Whether nobody is let in any more: it is being drained, or was closed. */
  get isClosing(): boolean {
    return this.#leaving !== undefined;
  }

  /** The connections that are open now. */
  *connections(): IterableIterator<Connection<"CentralSystem", Context>> {
    for (const { connection } of this.#registered.values()) yield connection;
  }

  /**
   * Closes all connections, a few at a time, so that whoever takes over is not stormed, and lets nobody in any more. One
   * whose turn has come takes no more CALLs, and is closed once the handlers that run have answered. Charge Points hear
   * 1012: it is worth to come back.
   *
   * @returns Resolves when all are closed, at the latest after `deadlineMs`.
   * @throws TypeError One of the options is not what it may be, or there is no such option.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    const connections = [...this.connections()];
    const { deadlineMs = 60_000, ratePerSecond = drainRate(connections.length, deadlineMs) } = takeOptions(
      "drain",
      options,
      drainRules,
    );
    this.#leaving ??= [1012, "The Central System restarts; connect again"];
    const begin = this.clock.now();
    const drained: Promise<void>[] = [];
    for (const [index, connection] of connections.entries()) {
      const time = begin + Math.min(deadlineMs, (1000 * index) / ratePerSecond);
      if (this.#registered.size > 0 && time > this.clock.now()) await this.#wokenAt(time);
      drained.push(connection.drain(...this.#leaving));
    }
    await this.#untilOr(begin + deadlineMs, Promise.all(drained));
    for (const connection of connections) connection.close(...this.#leaving);
  }

  /** Closes all connections at once, with 1001, and lets nobody in any more. Calling it again does nothing. */
  close(): void {
    this.#leaving = [1001, "The Central System shuts down"];
    for (const connection of [...this.connections()]) connection.close(...this.#leaving);
  }

  #wokenAt(time: number): Promise<void> {
    return new Promise((resolve) => this.clock.wakeAt(time, resolve));
  }

  #of(connection: Connection<"CentralSystem">): Registered<Context> {
    return this.#byConnection.get(connection as Connection<"CentralSystem", Context>) as Registered<Context>;
  }

  /** Waits for something that never rejects, no longer than until `time`. @returns Whether it came about. */
  #untilOr(time: number, something: Promise<unknown>): Promise<boolean> {
    return new Promise((resolve) => {
      const disarm = this.clock.wakeAt(time, () => resolve(false));
      void something.then(() => {
        disarm();
        resolve(true);
      });
    });
  }

  /** Finds out what is remembered of a Charge Point: at once, if `registrations` answers at once. */
  #lookUp(registered: Registered<Context>): void {
    const { connection, gate } = registered;
    const { identity } = connection;
    connection.introduce(this.#described.get(identity));
    registered.lookUp = this.#registrations.find(
      identity,
      (registration) => {
        // What it has told since is newer.
        if (!this.#described.has(identity)) connection.introduce(registration?.chargePoint);
        gate.remembered(registration?.status);
        registered.lookUp = undefined;
      },
      () => connection.close(1011, "It cannot be found out whether this Charge Point is accepted; try again"),
    );
  }

  #refuses(
    connection: Connection<"CentralSystem">,
    action: string,
    payload: unknown,
  ): string | Promise<void> | undefined {
    const registered = this.#of(connection);
    const refusal = registered.gate.refuses(action, payload);
    if (typeof refusal === "object") {
      registered.lookUp?.wanted();
      this.#awaitBoot(registered);
    }
    return refusal;
  }

  /**
   * What to wait for before a bill is refused that cannot be read, and could be if it were known who sent it: it is asked.
   * `undefined` when it has said so. [trap 2]
   */
  #unreadable(connection: Connection<"CentralSystem">): Promise<void> | undefined {
    const registered = this.#of(connection);
    const introduction = registered.gate.introduction();
    if (introduction !== undefined) this.#awaitBoot(registered);
    return introduction;
  }

  /**
   * Asks for the BootNotification that something waits for. When it does not come, the Charge Point is to send again, on its
   * next connection, what has waited.
   */
  #awaitBoot(registered: Registered<Context>): void {
    if (!registered.gate.awaitsBoot) return;
    void this.#invite(registered);
    if (registered.stopExpecting !== undefined) return;
    registered.stopExpecting = this.clock.wakeAt(this.clock.now() + bootPatienceMs, () =>
      registered.connection.close(1013, "No BootNotification has come that others wait for; send them again"),
    );
  }

  #booting(connection: Connection<"CentralSystem">, call: object): void {
    const registered = this.#of(connection);
    registered.gate.booting(call);
    this.#stopExpecting(registered);
  }

  #stopExpecting(registered: Registered<Context>): void {
    registered.stopExpecting?.();
    registered.stopExpecting = undefined;
  }

  /** Q21: after the answer has left; whether the Charge Point does as it is asked is up to it. */
  async #invite({ connection, gate }: Registered<Context>): Promise<void> {
    const signal = gate.invitation();
    if (signal === undefined) return;
    try {
      await undefined;
      await connection.call("TriggerMessage", { requestedMessage: "BootNotification" }, { signal });
    } catch {
      // It does not know TriggerMessage, is gone and will boot one day, or has booted by itself.
    }
  }

  #assertAllowed(connection: Connection<"CentralSystem">, action: Action): void {
    const { gate } = this.#of(connection);
    if (!gate.forbids(action)) return;
    throw new NotAcceptedError(action, gate.status as "Pending" | "Rejected", "CentralSystem");
  }

  #responding(connection: Connection<"CentralSystem">, action: Action, conf: unknown): Promise<void> | undefined {
    if (action !== "BootNotification") return undefined;
    const { status } = conf as Conf<"BootNotification">;
    const { gate, lookUp } = this.#of(connection);
    gate.registered(status);
    this.#heartbeats.answered(connection, conf as Conf<"BootNotification">);
    lookUp?.stop(); // Whatever was remembered does not count any more.
    const { identity } = connection;
    return this.#registrations.keep(identity, { status, chargePoint: this.#described.get(identity) });
  }

  #emitted(connection: Connection<"CentralSystem">, name: keyof ConnectionEvents, event: object): void {
    const { identity } = connection;
    if (name === "closed") this.#left(connection);
    if (name === "finished") this.#finished(connection, event as FinishedCall);
    const ownName = name === "closed" ? "disconnected" : name;
    const isRegistration = name === "finished" && statusIn(event as FinishedCall) !== undefined;
    if (!this.isHeard(ownName) && !isRegistration) return;
    this.emit(ownName, { ...event, identity, generation: this.#of(connection).generation } as never);
  }

  #left(connection: Connection<"CentralSystem">): void {
    const registered = this.#of(connection);
    const { identity } = connection;
    registered.lookUp?.stop();
    this.#stopExpecting(registered);
    // J-164: the end of a replaced connection must not unregister the one that replaced it.
    if (this.get(identity) !== connection) return;
    this.#registered.delete(identity);
    this.#registrations.disconnected(identity);
  }

  #finished(connection: Connection<"CentralSystem">, { direction, call, outcome }: FinishedCall): void {
    if (direction === "out") return;
    const registered = this.#of(connection);
    registered.gate.booted(call);
    if (outcome.type !== "CLOSED") void this.#invite(registered);
  }

  /** `registration` follows its `finished` at once, before anything that the listeners of that cause. */
  protected override emitted(name: keyof CentralSystemEvents, event: unknown): void {
    if (name !== "finished") return;
    const { identity, generation, ...finished } = event as CentralSystemEvents["finished"][0];
    const status = statusIn(finished);
    if (status !== undefined) this.emit("registration", { identity, generation, status });
  }

  protected override aboutOf({ identity, generation }: Partial<WithConnection>): Partial<WithConnection> {
    return { ...(identity !== undefined && { identity }), ...(generation !== undefined && { generation }) };
  }
}

/** What a CALL was answered with, if it was a BootNotification of the Charge Point. */
function statusIn({ direction, call, outcome }: FinishedCall): RegistrationStatus | undefined {
  if (direction === "out" || call.action !== "BootNotification" || outcome.type !== "CALLRESULT") return undefined;
  return (outcome.payload as Conf<"BootNotification">).status;
}

/** Of how many Charge Points it is remembered who they are. */
const maxDescribed = 50_000;
/** How long a CALL waits for the next BootNotification: longer than Charge Points wait for answers, and then go on. */
const bootPatienceMs = 60_000;

/** How many connections to close each second, so that time is left for the handlers of the last ones. */
const drainRate = (connections: number, deadlineMs: number): number =>
  Math.max(50, (1000 * connections) / Math.max(1, 0.8 * deadlineMs));

/** What {@link Connection.close} is called with. */
type CloseReason = readonly [code: number, reason: string];
