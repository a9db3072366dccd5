import type { AbortSignalLike } from "../abort.ts";
import { type Clock, systemClock } from "../clock.ts";
import {
  type AnyHandler,
  Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  type ConnectionOwner,
  type FinishedCall,
  type Handler,
  register,
  sharedRules,
} from "../connection/connection.ts";
import { Emitter } from "../connection/emitter.ts";
import type { Transport } from "../connection/transport.ts";
import { NotAcceptedError } from "../errors.ts";
import type { Action, ActionTo, Conf } from "../messages/actions.ts";
import type { ChargePointDescription } from "../messages/tolerance.ts";
import { type OptionRules, optionRules, takeOptions } from "../options.ts";
import { soundClock } from "../sound-clock.ts";
import type { HandshakeRefusal } from "./handshake-refusal.ts";
import { RegistrationGate, type RegistrationStatus, type Registrations, statusOf } from "./registrations.ts";

/** What every event about one Charge Point carries. */
interface WithIdentity {
  readonly identity: string;
}

/** What every event about one connection carries. */
interface WithConnection extends WithIdentity {
  /** Which connection: later ones, of whatever identity, have larger numbers. */
  readonly generation: number;
}

/**
 * The events of a {@link CentralSystem}; a listener gets one read-only object.
 *
 * For each connection: `connected`, then everything about it, then `disconnected`. The `disconnected` of a connection that
 * is replaced precedes the `connected` of the one that replaces it. What a listener causes, for example by closing a
 * connection, is told when all listeners have been told of what it was called for.
 */
export interface CentralSystemEvents {
  /** A Charge Point has connected. Handlers and listeners added now miss none of its frames. */
  connected: [event: WithConnection & { readonly connection: Connection<"CentralSystem"> }];
  /** A connection has ended. */
  disconnected: [event: WithConnection & { readonly code: number; readonly reason: string }];
  /** A BootNotification was answered; CALLs made now follow the answer. */
  registration: [event: WithConnection & { readonly status: RegistrationStatus }];
  /** The opening handshake of a Charge Point was refused. */
  refused: [event: HandshakeRefusal];
  /** A frame arrived, or was handed to the transport: as it is, with every new AuthorizationKey. For logs: `redacted`. */
  message: [event: WithConnection & ConnectionEvents["message"][0]];
  /** A Charge Point broke the protocol. It has been dealt with as the documents say. */
  violation: [event: WithConnection & ConnectionEvents["violation"][0]];
  /** A quirk was made use of; without a generation where the opening handshake was read, before there was a connection. */
  tolerated: [event: WithIdentity & Partial<WithConnection> & ConnectionEvents["tolerated"][0]];
  /** A CALL is over, in either direction: it was answered, or never will be. */
  finished: [event: WithConnection & ConnectionEvents["finished"][0]];
  /** Something on our side failed; without an identity where it concerned no Charge Point in particular. */
  fault: [event: Partial<WithConnection> & ConnectionEvents["fault"][0]];
}

/** What to do when a Charge Point connects that is connected already. */
export type DuplicatePolicy = "probe" | "replace" | "reject";

/** Settings of a {@link CentralSystem}, some of them for each of its connections. */
export interface CentralSystemOptions extends Omit<ConnectionOptions<"CentralSystem">, "role" | "identity"> {
  /**
   * Remembers which Charge Points are accepted. Default: a `Map`, which forgets them with the program; those that go on as
   * if they were accepted are then refused, and asked for a BootNotification. [J-132]
   */
  readonly registrations?: Registrations;
  /**
   * What to do when a Charge Point connects that is connected already. `replace`: the newest connection wins. `reject`:
   * the oldest does. `probe`: the older one is asked for a sign of life, and wins if it gives one in time; a peer that has
   * lost its network does not, and a stranger cannot push out who is there. Default `probe`. [J-164, Q20]
   */
  readonly duplicates?: DuplicatePolicy;
  /** How long a connection may take to give a sign of life when it is probed, in milliseconds. Default 5000. */
  readonly probeTimeoutMs?: number;
}

/** How fast {@link CentralSystem.drain} closes connections. */
export interface DrainOptions {
  /** How many connections are closed each second. Default 50. */
  readonly ratePerSecond?: number;
  /** After how many milliseconds the rest is closed at once. Default 60 000. */
  readonly deadlineMs?: number;
}

/** A connection and what belongs to it. */
interface Registered {
  readonly connection: Connection<"CentralSystem">;
  readonly generation: number;
  readonly gate: RegistrationGate;
}

/**
 * The Central System's end of many connections: handlers shared by all of them, one connection for each identity.
 *
 * A Charge Point is served once its BootNotification was answered with `Accepted`, and stays accepted when it reconnects.
 * Until then every other CALL of it that was not asked for with TriggerMessage is answered with `SecurityError`.
 *
 * @spec OCPP-J 1.6 §3; OCPP 1.6 §4.2, §5; J errata 3.8 [J-130 … J-132]
 */
export class CentralSystem extends Emitter<CentralSystemEvents> {
  /** Those of its connections. */
  readonly #options: Omit<ConnectionOptions<"CentralSystem">, "role" | "identity">;
  readonly #duplicates: DuplicatePolicy;
  readonly #probeTimeoutMs: number;
  readonly #clock: Clock;
  readonly #registrations: Registrations;
  readonly #handlers = new Map<Action, AnyHandler<"CentralSystem">>();
  readonly #registered = new Map<string, Registered>();
  /** Of connections that have ended, too, as long as their handlers run. */
  readonly #byConnection = new WeakMap<Connection<"CentralSystem">, Registered>();
  /** What Charge Points told of themselves: those that come back do not always boot again. */
  readonly #described = new Map<string, ChargePointDescription>();
  /** What is being decided about a Charge Point that asks to be let in. */
  readonly #admissions = new Map<string, Promise<HandshakeRefusal | undefined>>();
  #generations = 0;
  /** Why nobody is let in any more. */
  #leaving: CloseReason | undefined;
  readonly #owner: ConnectionOwner<"CentralSystem"> = {
    refuses: (connection, action) => this.#refuses(connection, action),
    assertAllowed: (connection, action) => this.#assertAllowed(connection, action),
    handlerOf: (action) => this.#handlers.get(action),
    responding: (connection, action, conf) => this.#responding(connection, action, conf),
    confirmed: (connection, { action, payload }, conf) => this.#of(connection).gate.confirmed(action, payload, conf),
    describe: (identity) => this.#described.get(identity),
    introduced: (chargePoint) => this.#introduced(chargePoint),
    emitted: (connection, name, event) => this.#emitted(connection, name, event),
  };

  /** @throws TypeError One of the options is not what it may be, or there is no such option. */
  constructor(options: CentralSystemOptions = {}) {
    super();
    const {
      duplicates = "probe",
      probeTimeoutMs = 5000,
      registrations = new Map<string, RegistrationStatus>(),
      ...shared
    } = takeOptions("CentralSystem", options, centralSystemRules);
    this.#options = shared;
    this.#duplicates = duplicates;
    this.#probeTimeoutMs = probeTimeoutMs;
    this.#clock = soundClock(shared.clock ?? systemClock, { fault: (error) => this.emit("fault", { error }) });
    this.#registrations = registrations;
  }

  /**
   * Registers the handler for an action, for every Charge Point. A handler that a connection has of its own goes first.
   *
   * @throws TypeError There already is a handler, `handler` is no function, or a Charge Point cannot send this action.
   */
  handle<A extends ActionTo<"CentralSystem">>(action: A, handler: Handler<"CentralSystem", A>): void {
    register(this.#handlers, "CentralSystem", action, handler);
  }

  /**
   * Decides whether a Charge Point that has been authenticated may connect, before its WebSocket is opened. An older
   * connection that gives no sign of life is closed with 1008. Of several that ask at once, one is let in at a time.
   *
   * @returns `undefined` if it may, and {@link accept} is to be called at once; otherwise why not. Never rejects.
   * @spec [J-164, J-166, Q20]
   */
  async admit(identity: string): Promise<HandshakeRefusal | undefined> {
    for (let first = this.#admissions.get(identity); first !== undefined; first = this.#admissions.get(identity)) {
      const refusal = await first; // What is true of the first one is true of all.
      if (refusal !== undefined) return refusal;
    }
    const decision = this.#decide(identity);
    const over = decision.then(async (refusal) => {
      if (refusal === undefined) await this.#wokenAt(this.#clock.now()); // In a later turn it is accepted.
      this.#admissions.delete(identity);
      return refusal;
    });
    this.#admissions.set(identity, over);
    return decision;
  }

  async #decide(identity: string): Promise<HandshakeRefusal | undefined> {
    const policy = this.#duplicates;
    const present = this.#leaving === undefined && policy !== "replace" ? this.get(identity) : undefined;
    const stays = present !== undefined && (policy === "reject" || (await present.probe(this.#probeTimeoutMs)));
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
   * @spec [J-107, J-164]
   */
  accept(transport: Transport, identity: string): Connection<"CentralSystem"> {
    this.get(identity)?.close(1008, "Replaced by a newer connection");
    const options = { ...this.#options, clock: this.#clock, role: "CentralSystem", identity } as const;
    const connection = new Connection(transport, options, this.#owner);
    const generation = ++this.#generations;
    const gate = new RegistrationGate(this.#remembered(identity));
    const registered = { connection, generation, gate };
    this.#registered.set(identity, registered);
    this.#byConnection.set(connection, registered);
    this.emit("connected", { identity, generation, connection });
    if (this.#leaving !== undefined) connection.close(...this.#leaving);
    return connection;
  }

  /** The connection of a Charge Point; `undefined` while it is offline. */
  get(identity: string): Connection<"CentralSystem"> | undefined {
    return this.#registered.get(identity)?.connection;
  }

  /** The connections that are open now. */
  *connections(): IterableIterator<Connection<"CentralSystem">> {
    for (const { connection } of this.#registered.values()) yield connection;
  }

  /**
   * Closes all connections, a few at a time, so that whoever takes over is not stormed, and lets nobody in any more. Charge
   * Points hear 1012: it is worth to come back.
   *
   * @returns Resolves when all are closed, at the latest after `deadlineMs`.
   * @throws TypeError One of the options is not what it may be, or there is no such option.
   */
  async drain(options: DrainOptions = {}): Promise<void> {
    const { ratePerSecond = 50, deadlineMs = 60_000 } = takeOptions("drain", options, drainRules);
    this.#leaving ??= [1012, "The Central System restarts; connect again"];
    const begin = this.#clock.now();
    for (const [index, connection] of [...this.connections()].entries()) {
      const time = begin + Math.min(deadlineMs, (1000 * index) / ratePerSecond);
      if (this.#registered.size > 0 && time > this.#clock.now()) await this.#wokenAt(time);
      connection.close(...this.#leaving);
    }
  }

  /** Closes all connections at once, with 1001, and lets nobody in any more. Calling it again does nothing. */
  close(): void {
    this.#leaving = [1001, "The Central System shuts down"];
    for (const connection of [...this.connections()]) connection.close(...this.#leaving);
  }

  #wokenAt(time: number): Promise<void> {
    return new Promise((resolve) => this.#clock.wakeAt(time, resolve));
  }

  #of(connection: Connection<"CentralSystem">): Registered {
    return this.#byConnection.get(connection) as Registered;
  }

  #remembered(identity: string): RegistrationStatus | undefined {
    try {
      return statusOf(this.#registrations.get(identity));
    } catch (error) {
      this.emit("fault", { identity, error });
      return undefined;
    }
  }

  #refuses(connection: Connection<"CentralSystem">, action: string): string | undefined {
    const { gate } = this.#of(connection);
    const refusal = gate.refuses(action);
    const invitation = refusal === undefined ? undefined : gate.invitation();
    if (invitation !== undefined) void this.#invite(connection, invitation);
    return refusal;
  }

  /** Q21: after the refusal has left; whether the Charge Point does as it is asked is up to it. */
  async #invite(connection: Connection<"CentralSystem">, signal: AbortSignalLike): Promise<void> {
    try {
      await undefined;
      await connection.call("TriggerMessage", { requestedMessage: "BootNotification" }, { signal });
    } catch {
      // It does not know TriggerMessage, is gone and will boot one day, or has booted by itself.
    }
  }

  /** Forgets those that booted longest ago: strangers may be let in, too. */
  #introduced(chargePoint: ChargePointDescription): void {
    this.#described.delete(chargePoint.identity);
    this.#described.set(chargePoint.identity, chargePoint);
    const [oldest = ""] = this.#described.keys();
    if (this.#described.size > maxDescribed) this.#described.delete(oldest);
  }

  #assertAllowed(connection: Connection<"CentralSystem">, action: Action): void {
    const { gate } = this.#of(connection);
    if (gate.forbids(action)) throw new NotAcceptedError(action, gate.status as "Pending" | "Rejected");
  }

  #responding(connection: Connection<"CentralSystem">, action: Action, conf: unknown): Promise<void> | undefined {
    if (action !== "BootNotification") return undefined;
    const { status } = conf as Conf<"BootNotification">;
    this.#of(connection).gate.registered(status);
    return this.#remember(connection, status);
  }

  async #remember(connection: Connection<"CentralSystem">, status: RegistrationStatus): Promise<void> {
    try {
      await this.#registrations.set(connection.identity, status);
    } catch (error) {
      this.#emitted(connection, "fault", { error, action: "BootNotification" });
    }
  }

  #emitted(connection: Connection<"CentralSystem">, name: keyof ConnectionEvents, event: object): void {
    const { identity } = connection;
    // J-164: the end of a replaced connection must not unregister the one that replaced it.
    if (name === "closed" && this.get(identity) === connection) this.#registered.delete(identity);
    const ownName = name === "closed" ? "disconnected" : name;
    const isRegistration = name === "finished" && statusIn(event as FinishedCall) !== undefined;
    if (!this.isHeard(ownName) && !isRegistration) return;
    this.emit(ownName, { ...event, identity, generation: this.#of(connection).generation } as never);
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

const centralSystemRules: OptionRules<CentralSystemOptions> = {
  registrations: optionRules.object("a Map, or what has its get and set", "get", "set"),
  duplicates: optionRules.oneOf("probe", "replace", "reject"),
  probeTimeoutMs: optionRules.milliseconds,
  ...sharedRules,
};

const drainRules: OptionRules<DrainOptions> = {
  ratePerSecond: optionRules.number("a positive number", Number.MIN_VALUE),
  deadlineMs: optionRules.number("a number of milliseconds from 0 on", 0),
};

/** Of how many Charge Points it is remembered who they are. */
const maxDescribed = 50_000;

/** What {@link Connection.close} is called with. */
type CloseReason = readonly [code: number, reason: string];

const closing = {
  reason: "closing",
  status: 503,
  message: "The Central System is shutting down.",
  advice: "Nothing has to be done: the Charge Point will try again.",
} as const satisfies HandshakeRefusal;

const duplicate = {
  reason: "duplicate",
  status: 409,
  message: "A Charge Point of this identity is connected already.",
  advice: "Give each Charge Point an identity of its own.",
} as const satisfies HandshakeRefusal;
