import { EventEmitter } from "eventemitter3";
import { type Clock, systemClock } from "../clock.ts";
import {
  type AnyHandler,
  Connection,
  type ConnectionEvents,
  type ConnectionOptions,
  type ConnectionOwner,
  type Handler,
  register,
} from "../connection/connection.ts";
import { emit } from "../connection/emit.ts";
import type { Transport } from "../connection/transport.ts";
import { NotAcceptedError } from "../errors.ts";
import type { Action, ActionTo, Conf } from "../messages/actions.ts";
import { RegistrationGate, type RegistrationStatus, type Registrations } from "./registrations.ts";

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
 * is replaced precedes the `connected` of the one that replaces it.
 */
export interface CentralSystemEvents {
  /** A Charge Point has connected. Handlers and listeners added now miss none of its frames. */
  connected: [event: WithConnection & { readonly connection: Connection<"CentralSystem"> }];
  /** A connection has ended. */
  disconnected: [event: WithConnection & { readonly code: number; readonly reason: string }];
  /** The opening handshake of a Charge Point was refused. */
  refused: [event: HandshakeRefusal];
  message: [event: WithConnection & ConnectionEvents["message"][0]];
  violation: [event: WithConnection & ConnectionEvents["violation"][0]];
  /** Something on our side failed; without an identity where it concerned no Charge Point in particular. */
  fault: [event: Partial<WithConnection> & ConnectionEvents["fault"][0]];
}

/** Why no connection came about. */
export interface HandshakeRefusal {
  /** The identity in the URL, where it could be read. */
  readonly identity?: string;
  readonly reason:
    | "path"
    | "unknown-identity"
    | "unauthorized"
    | "subprotocol"
    | "request"
    | "timeout"
    | "duplicate"
    | "closing"
    | "fault";
  /** The HTTP status of the answer; 101 where the WebSocket was opened and closed at once. */
  readonly status: number;
  /** What was wrong, in one sentence. */
  readonly message: string;
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
export class CentralSystem extends EventEmitter<CentralSystemEvents> {
  readonly #options: CentralSystemOptions;
  readonly #clock: Clock;
  readonly #registrations: Registrations;
  readonly #handlers = new Map<Action, AnyHandler<"CentralSystem">>();
  readonly #registered = new Map<string, Registered>();
  /** Of connections that have ended, too, as long as their handlers run. */
  readonly #byConnection = new WeakMap<Connection<"CentralSystem">, Registered>();
  #generations = 0;
  /** Why nobody is let in any more. */
  #leaving: CloseReason | undefined;
  readonly #owner: ConnectionOwner<"CentralSystem"> = {
    refuses: (connection, action) => this.#refuses(connection, action),
    assertAllowed: (connection, action) => this.#assertAllowed(connection, action),
    handlerOf: (action) => this.#handlers.get(action),
    responding: (connection, action, conf) => this.#responding(connection, action, conf),
    confirmed: (connection, { action, payload }, conf) => this.#of(connection).gate.confirmed(action, payload, conf),
    emitted: (connection, name, event) => this.#emitted(connection, name, event),
  };

  constructor(options: CentralSystemOptions = {}) {
    super();
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#registrations = options.registrations ?? new Map<string, RegistrationStatus>();
  }

  /**
   * Registers the handler for an action, for every Charge Point. A handler that a connection has of its own goes first.
   *
   * @throws TypeError There already is a handler, or a Charge Point cannot send this action.
   */
  handle<A extends ActionTo<"CentralSystem">>(action: A, handler: Handler<"CentralSystem", A>): void {
    register(this.#handlers, "CentralSystem", action, handler);
  }

  /**
   * Decides whether a Charge Point that has been authenticated may connect, before its WebSocket is opened.
   *
   * @returns `undefined` if it may, and {@link accept} may be called; otherwise why not. Never rejects.
   * @spec [J-164, J-166, Q20]
   */
  async admit(identity: string): Promise<HandshakeRefusal | undefined> {
    const { duplicates = "probe", probeTimeoutMs = 5000 } = this.#options;
    const present = this.get(identity);
    const stays =
      present !== undefined &&
      (duplicates === "reject" || (duplicates === "probe" && (await present.probe(probeTimeoutMs))));
    if (this.#leaving !== undefined) return { identity, ...closing };
    return stays ? { identity, ...duplicate } : undefined;
  }

  /**
   * Takes over an open transport of an authenticated Charge Point. An older connection of the same identity is closed with
   * 1008; {@link admit} decides whether it should come to that.
   *
   * @param identity - Identity of the Charge Point, percent-decoded.
   * @spec [J-107, J-164]
   */
  accept(transport: Transport, identity: string): Connection<"CentralSystem"> {
    this.get(identity)?.close(1008, "Replaced by a newer connection");
    const options = { ...this.#options, role: "CentralSystem", identity } as const;
    const connection = new Connection(transport, options, this.#owner);
    const generation = ++this.#generations;
    const gate = new RegistrationGate(this.#remembered(identity));
    const registered = { connection, generation, gate };
    this.#registered.set(identity, registered);
    this.#byConnection.set(connection, registered);
    emit(this, "connected", { identity, generation, connection }, { identity, generation });
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
   * @throws TypeError `ratePerSecond` is not positive, or `deadlineMs` is negative.
   */
  async drain({ ratePerSecond = 50, deadlineMs = 60_000 }: DrainOptions = {}): Promise<void> {
    if (!(ratePerSecond > 0)) throw new TypeError(`ratePerSecond is ${ratePerSecond}. Give a positive number.`);
    if (!(deadlineMs >= 0)) throw new TypeError(`deadlineMs is ${deadlineMs}. Give a number of milliseconds.`);
    this.#leaving ??= [1012, "The Central System restarts; connect again"];
    const begin = this.#clock.now();
    for (const [index, connection] of [...this.connections()].entries()) {
      await this.#reached(begin + Math.min(deadlineMs, (1000 * index) / ratePerSecond));
      connection.close(...this.#leaving);
    }
  }

  /** Closes all connections at once, with 1001, and lets nobody in any more. Calling it again does nothing. */
  close(): void {
    this.#leaving = [1001, "The Central System shuts down"];
    for (const connection of [...this.connections()]) connection.close(...this.#leaving);
  }

  #reached(time: number): Promise<void> | undefined {
    if (this.#registered.size === 0 || time <= this.#clock.now()) return undefined;
    return new Promise((resolve) => this.#clock.wakeAt(time, resolve));
  }

  #of(connection: Connection<"CentralSystem">): Registered {
    return this.#byConnection.get(connection) as Registered;
  }

  #remembered(identity: string): RegistrationStatus | undefined {
    try {
      return this.#registrations.get(identity);
    } catch (error) {
      emit(this, "fault", { identity, error });
      return undefined;
    }
  }

  #refuses(connection: Connection<"CentralSystem">, action: string): string | undefined {
    const { gate } = this.#of(connection);
    const refusal = gate.refuses(action);
    if (refusal !== undefined && gate.invites()) void this.#invite(connection);
    return refusal;
  }

  /** Q21: after the refusal has left; whether the Charge Point does as it is asked is up to it. */
  async #invite(connection: Connection<"CentralSystem">): Promise<void> {
    try {
      await undefined;
      await connection.call("TriggerMessage", { requestedMessage: "BootNotification" });
    } catch {
      // It does not know TriggerMessage, or is gone: it will boot one day.
    }
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
    const { generation } = this.#of(connection);
    // J-164: the end of a replaced connection must not unregister the one that replaced it.
    if (name === "closed" && this.get(identity) === connection) this.#registered.delete(identity);
    const ownName = name === "closed" ? "disconnected" : name;
    if (this.listenerCount(ownName) > 0)
      emit(this, ownName, { ...event, identity, generation }, { identity, generation });
  }
}

/** What {@link Connection.close} is called with. */
type CloseReason = readonly [code: number, reason: string];

const closing = {
  reason: "closing",
  status: 503,
  message: "The Central System is shutting down.",
} as const satisfies HandshakeRefusal;

const duplicate = {
  reason: "duplicate",
  status: 409,
  message: "A Charge Point of this identity is connected already.",
} as const satisfies HandshakeRefusal;
