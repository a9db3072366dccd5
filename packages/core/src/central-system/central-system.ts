import { EventEmitter } from "eventemitter3";
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
import type { Action, ActionTo } from "../messages/actions.ts";

/** What every event about one Charge Point carries. */
interface WithIdentity {
  readonly identity: string;
}

/** The events of a {@link CentralSystem}; a listener gets one read-only object. */
export interface CentralSystemEvents {
  /** A Charge Point has connected. Handlers and listeners added now miss none of its frames. */
  connected: [event: WithIdentity & { readonly connection: Connection<"CentralSystem"> }];
  /** A connection has ended. Follows its `connected`, and precedes the `connected` of the connection that replaces it. */
  disconnected: [event: WithIdentity & { readonly code: number; readonly reason: string }];
  /** The opening handshake of a Charge Point was refused. */
  refused: [event: HandshakeRefusal];
  message: [event: WithIdentity & ConnectionEvents["message"][0]];
  violation: [event: WithIdentity & ConnectionEvents["violation"][0]];
  /** Something on our side failed; without an identity where it concerned no Charge Point in particular. */
  fault: [event: Partial<WithIdentity> & ConnectionEvents["fault"][0]];
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
    | "closing"
    | "fault";
  /** The HTTP status of the answer; 101 where the WebSocket was opened and closed at once. */
  readonly status: number;
  /** What was wrong, in one sentence. */
  readonly message: string;
}

/** Settings of a {@link CentralSystem}: those of its connections. */
export type CentralSystemOptions = Omit<ConnectionOptions<"CentralSystem">, "role" | "identity">;

/**
 * The Central System's end of many connections: handlers shared by all of them, one connection for each identity.
 *
 * @spec OCPP-J 1.6 §3; OCPP 1.6 §5
 */
export class CentralSystem extends EventEmitter<CentralSystemEvents> {
  readonly #options: CentralSystemOptions;
  readonly #handlers = new Map<Action, AnyHandler<"CentralSystem">>();
  readonly #connections = new Map<string, Connection<"CentralSystem">>();
  readonly #owner: ConnectionOwner<"CentralSystem"> = {
    handlerOf: (action) => this.#handlers.get(action),
    emitted: (connection, name, event) => this.#emitted(connection, name, event),
  };

  constructor(options: CentralSystemOptions = {}) {
    super();
    this.#options = options;
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
   * Takes over an open transport of an authenticated Charge Point.
   *
   * The newest connection of an identity wins: an older one is closed with 1008, because its peer is usually dead.
   *
   * @param identity - Identity of the Charge Point, percent-decoded.
   * @spec [J-107, J-164]
   */
  accept(transport: Transport, identity: string): Connection<"CentralSystem"> {
    this.#connections.get(identity)?.close(1008, "Replaced by a newer connection");
    const options = { ...this.#options, role: "CentralSystem", identity } as const;
    const connection = new Connection(transport, options, this.#owner);
    this.#connections.set(identity, connection);
    emit(this, "connected", { identity, connection }, { identity });
    return connection;
  }

  /** The connection of a Charge Point; `undefined` while it is offline. */
  get(identity: string): Connection<"CentralSystem"> | undefined {
    return this.#connections.get(identity);
  }

  /** The connections that are open now. */
  connections(): IterableIterator<Connection<"CentralSystem">> {
    return this.#connections.values();
  }

  #emitted(connection: Connection<"CentralSystem">, name: keyof ConnectionEvents, event: object): void {
    const { identity } = connection;
    // J-164: the end of a replaced connection must not unregister the one that replaced it.
    if (name === "closed" && this.#connections.get(identity) === connection) this.#connections.delete(identity);
    const ownName = name === "closed" ? "disconnected" : name;
    if (this.listenerCount(ownName) > 0) emit(this, ownName, { ...event, identity }, { identity });
  }
}
