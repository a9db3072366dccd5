import type { AbortSignalLike } from "../abort.ts";
import type { Tolerated } from "../messages/tolerance.ts";

/** What a connection runs on, as its opening handshake has settled it. */
export interface Channel {
  /** The security profile that was asked for, and kept to. */
  readonly securityProfile: 0 | 1 | 2 | 3;
  /** The subprotocol as it was agreed on, for example `ocpp1.6`; empty where a quirk forgives that there is none. */
  readonly subprotocol: string;
  /** Absent without TLS, as behind a proxy that ends it. */
  readonly tls?: {
    /** For example `TLSv1.3`. */
    readonly version: string;
    /** In the words of OpenSSL. */
    readonly cipherSuite: string;
  };
  /** What the peer has shown, verified; absent without one. */
  readonly certificate?: {
    /** One line, for example `O=Example CPO, CN=CP001`. */
    readonly subject: string;
    /** In hexadecimal. */
    readonly serialNumber: string;
    readonly validTo: Date;
  };
}

/**
 * A WebSocket that is already open, reduced to what OCPP-J needs.
 *
 * `send` returns nothing on purpose: with one outstanding CALL per direction a well-behaved peer builds no backlog, and
 * an adapter closes the connection of one that is not.
 *
 * @spec OCPP-J 1.6 §3, §4.1.2
 */
export interface Transport {
  /** The network address of the peer, where it is known; behind a proxy that is not trusted, that of the proxy. */
  readonly remoteAddress?: string | undefined;
  /** What the connection runs on, where the handshake was seen. */
  readonly channel?: Channel | undefined;
  /** How long the latest pong took, in milliseconds; `undefined` before the first one, and where nobody knows. */
  readonly roundTripMs?: number | undefined;
  /** How many bytes wait to be sent, where it is known. */
  readonly bufferedBytes?: number | undefined;
  /** Whether it is closing, whoever has begun that: what is given to `send` is ignored then. Absent where that is not known. */
  readonly closing?: boolean | undefined;
  /** What a Charge Point has forgiven of the opening handshake; `ChargePoint` tells of it as `tolerated`. Absent: nothing. */
  readonly tolerated?: readonly Tolerated[] | undefined;
  /**
   * Starts delivery; called once, before anything is read. What arrived earlier is kept and delivered, and no callback
   * runs before `listen` has returned.
   */
  listen(listener: TransportListener): void;
  /** Sends one text message; ignored once the transport is closing. */
  send(text: string): void;
  /**
   * Sends what was sent before, then closes; ignored once the transport is closing. `listener.close` follows, even when
   * the peer never answers.
   *
   * @param code - WebSocket close code, 1000 or 3000 to 4999 in browsers. Default 1000.
   * @param reason - At most 123 bytes of UTF-8. Default empty.
   */
  close(code?: number, reason?: string): void;
  /**
   * Asks the peer for a sign of life, which arrives as `heard` and `pong`; ignored once the transport is closing. Absent where the
   * runtime cannot ask, as in browsers.
   */
  ping?(): void;
}

/** Who hears of a transport. */
export interface TransportListener {
  /** One whole text message arrived. Never called after `close`. */
  message(text: string): void;
  /**
   * Something arrived, if only a pong or a part of a message, and the transport is open after it: bytes that end it are no
   * sign of life. Optional for both sides, as the next two.
   */
  heard?(): void;
  /** The answer to a ping was among what arrived; follows `heard`. */
  pong?(): void;
  /** The peer has let the time pass for its first answer to a ping. Told at most once, and never after a pong. */
  unanswered?(): void;
  /** The transport has closed, called exactly once. `code` is 1006 when the peer just vanished. */
  close(code: number, reason: string): void;
}

/** The WebSocket subprotocol of OCPP-J 1.6. @spec OCPP-J 1.6 §3.1.2 [J-021] */
export const subprotocol = "ocpp1.6";

/** Where a Charge Point connects to. */
export interface ConnectTarget {
  /** The endpoint URL of the Central System (`ws:` or `wss:`), without the identity. */
  readonly url: string;
  /** The identity of the Charge Point, not percent-encoded. */
  readonly identity: string;
  /** Aborts when nobody wants the transport any more. A `ChargePoint` always gives one. */
  readonly signal?: AbortSignalLike;
}

/**
 * Opens one transport, offering the subprotocol `ocpp1.6`.
 *
 * When `signal` aborts, it ends the attempt at once, leaves no socket behind, and rejects with `signal.reason`. A transport
 * that it resolves with later than that is closed.
 *
 * @throws HandshakeError The WebSocket could not be opened.
 * @throws The reason of `signal`, when it aborts first.
 */
export type Connect = (target: ConnectTarget) => Promise<Transport>;
