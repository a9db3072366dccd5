import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import {
  type Channel,
  type Clock,
  drive,
  type OptionRules,
  optionRules,
  soundClock,
  systemClock,
  type Tolerated,
  type Transport,
  type TransportListener,
} from "@ocppj/core";
import { WebSocket } from "ws";
import { Liveness, type LivenessOutput } from "./liveness.ts";

/** What holds for every WebSocket, at either end. */
export interface TransportOptions {
  /**
   * After how many milliseconds a ping is sent in which this end has sent nothing, or nothing has arrived. From a peer that
   * has ever answered one, something has to arrive within as long again, or the connection is lost (1006); anything counts,
   * not only pongs. One that never answers any is told once as `tolerated`. 0 means never. Default 20 000.
   * So proxies and load balancers, most of which cut what is silent for 60 s, see neither direction silent for 25 s.
   *
   * @spec OCPP-J 1.6 §5.3, §7; J errata 3.9 [J-150 … J-155, Q20]
   */
  readonly pingIntervalMs?: number | undefined;
  /** The largest message that is read, in bytes; for a larger one the connection is closed with 1009. Default 1 MiB. [J-143] */
  readonly maxFrameBytes?: number | undefined;
  /**
   * How many bytes may wait to be sent. A peer that does not read them is disconnected with 1008. A single message that
   * is larger is sent all the same. Default 4 MiB.
   */
  readonly maxBufferedBytes?: number | undefined;
  /** How many milliseconds the peer has to answer a close frame. Default 5000. */
  readonly closeTimeoutMs?: number | undefined;
  /** What every time-out is measured on. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

export const transportRules: OptionRules<TransportOptions> = {
  pingIntervalMs: optionRules.number("a number of milliseconds, 0 for never", 0),
  maxFrameBytes: optionRules.whole(1),
  maxBufferedBytes: optionRules.whole(1),
  closeTimeoutMs: optionRules.milliseconds,
  clock: optionRules.clock,
};

/** The part of the options that `ws` itself obeys. permessage-deflate breaks some chargers, so it is off. [J-140, J-141, Q25, J-D01] */
export function webSocketOptions({ maxFrameBytes = 2 ** 20 }: TransportOptions) {
  return { maxPayload: maxFrameBytes, perMessageDeflate: false } as const;
}

/** What the opening handshake has brought to light. */
interface Opening extends Pick<Transport, "channel" | "remoteAddress" | "tolerated"> {
  readonly cut?: boolean;
}

/** Why this end gave the connection up, where the closing handshake does not tell. */
interface Verdict {
  readonly code: number;
  readonly reason: string;
}

/**
 * An open `ws` WebSocket, at either end, as a {@link Transport}.
 *
 * Theory of operation: `ws` reassembles, checks UTF-8, answers pings and shakes hands on closing. What it leaves to its
 * user is done here: it stands still until somebody listens, refuses binary messages, notices a peer that does not read,
 * and one that never ends its side of the close. Silence is judged by a machine, {@link Liveness}, until the WebSocket is
 * ending.
 *
 * @spec OCPP-J 1.6 §3, §4.1.2, §5 [J-047, J-143, J-154, J-155]
 */
export class WebSocketTransport implements Transport {
  readonly remoteAddress: string | undefined;
  readonly channel: Channel | undefined;
  readonly tolerated: readonly Tolerated[];
  readonly #webSocket: WebSocket;
  readonly #socket: Duplex;
  readonly #cut: boolean;
  readonly #clock: Clock;
  readonly #liveness: Liveness;
  readonly #judge: () => void;
  readonly #maxBufferedBytes: number;
  readonly #closeTimeoutMs: number;
  /** What happened before `listen`. */
  readonly #early: ((listener: TransportListener) => void)[] = [];
  #listener: TransportListener | undefined;
  /** Whether what is being read has a pong in it. */
  #hasPong = false;
  /** When the first ping was sent that no pong has followed. */
  #askedAt: number | undefined;
  #roundTripMs: number | undefined;
  #disarm = (): void => {};
  /** Whether this end has begun to close; messages are then no longer delivered. */
  #deaf = false;
  /** Whether the WebSocket is ending, whoever began it. */
  #ending = false;
  #verdict: Verdict | undefined;

  /**
   * Takes over a WebSocket in the very turn in which it opened, before it reads anything.
   *
   * @param socket - What the WebSocket runs on: any byte from it is a sign of life, also one of an unfinished message.
   * @param opening.tolerated - What was forgiven of the opening handshake, at the end of the Charge Point.
   * @param opening.remoteAddress - Where the peer is. Default: the far end of the socket.
   * @param opening.channel - What the connection runs on, where it is this end that knows.
   * @param opening.cut - Whether this end closes without a Close frame. Default false.
   */
  constructor(
    webSocket: WebSocket,
    socket: Duplex,
    options: TransportOptions,
    { channel, tolerated = [], remoteAddress = (socket as Partial<Socket>).remoteAddress, cut = false }: Opening = {},
  ) {
    this.#cut = cut;
    this.#socket = socket;
    this.tolerated = tolerated;
    this.remoteAddress = remoteAddress;
    this.channel = channel;
    this.#webSocket = webSocket;
    this.#clock = soundClock(options.clock ?? systemClock);
    this.#liveness = new Liveness(options.pingIntervalMs ?? 20_000, this.#clock.now());
    this.#judge = drive(this.#liveness, this.#clock, (output) => this.#perform(output));
    this.#maxBufferedBytes = options.maxBufferedBytes ?? 4 * 2 ** 20;
    this.#closeTimeoutMs = options.closeTimeoutMs ?? 5000;

    webSocket.pause();
    webSocket.on("message", (payload, isBinary) => {
      if (isBinary) this.#giveUp(1003, "OCPP-J messages are text messages");
      else this.#message((payload as Buffer).toString());
    });
    webSocket.on("error", (error) => {
      this.#verdict ??= { code: closeCodeOf(error), reason: error.message };
      this.#end();
    });
    webSocket.on("close", (code, reason) => {
      this.#disarm();
      this.#stopJudging();
      const { code: closeCode, reason: why } = this.#verdict ?? { code, reason: reason.toString() };
      this.#report((listener) => listener.close(closeCode, why));
    });
    webSocket.on("ping", () => this.#liveness.sent(this.#clock.now())); // `ws` has answered it.
    webSocket.on("pong", () => {
      this.#hasPong = true;
    });
    // `ws` listens first, so it has already dealt with what these two hear of.
    socket.on("data", () => this.#heard());
    socket.on("end", () => this.#end());
  }

  /** How long the latest pong took, in milliseconds; `undefined` before the first one. */
  get roundTripMs(): number | undefined {
    return this.#roundTripMs;
  }

  /** Whether the WebSocket is open no longer; from the peer's Close frame on, too. */
  get closing(): boolean {
    return this.#webSocket.readyState !== WebSocket.OPEN;
  }

  /** How many bytes wait to be sent. */
  get bufferedBytes(): number {
    return this.#webSocket.bufferedAmount;
  }

  listen(listener: TransportListener): void {
    this.#judge();
    queueMicrotask(() => {
      for (const event of this.#early.splice(0)) event(listener);
      this.#listener = listener;
      this.#webSocket.resume();
    });
  }

  send(text: string): void {
    if (this.closing) return;
    const waiting = this.#webSocket.bufferedAmount;
    if (waiting > 0 && waiting + Buffer.byteLength(text) > this.#maxBufferedBytes) {
      this.#giveUp(1008, `${waiting} bytes wait to be read`);
    } else {
      this.#liveness.sent(this.#clock.now());
      this.#webSocket.send(text);
    }
  }

  ping(): void {
    if (this.closing) return;
    const now = this.#clock.now();
    this.#askedAt ??= now;
    this.#liveness.sent(now);
    this.#webSocket.ping();
  }

  close(code = 1000, reason = ""): void {
    if (this.closing) return;
    if (this.#cut) {
      this.#verdict ??= { code: 1006, reason: "" };
      this.#socket.end(); // What was sent before arrives.
    } else this.#webSocket.close(code, reason);
    this.#deaf = true;
    this.#webSocket.resume(); // Without a listener, too: the peer's answer has to be read.
    this.#end();
  }

  #message(text: string): void {
    this.#report((listener) => {
      if (!this.#deaf) listener.message(text);
    });
  }

  #report(event: (listener: TransportListener) => void): void {
    if (this.#listener === undefined) this.#early.push(event);
    else event(this.#listener);
  }

  /** Closes because of what the peer does; our side hears why, whatever the peer answers. */
  #giveUp(code: number, reason: string): void {
    if (this.#deaf) return;
    this.#verdict ??= { code, reason };
    this.close(code, reason);
  }

  #heard(): void {
    const now = this.#clock.now();
    this.#liveness.heard(now);
    const isAnswered = this.#takePong(now);
    // What is wrong with these bytes `ws` finds out later in this turn: the ticks that it takes come before this.
    queueMicrotask(() => {
      if (this.closing) {
        this.#end(); // They end the connection: no sign of life.
      } else if (!this.#deaf) {
        this.#listener?.heard?.();
        if (isAnswered) this.#listener?.pong?.();
      }
    });
  }

  /** Whether a pong was among what has just arrived that answers a ping: some send pongs that nobody has asked for. */
  #takePong(now: number): boolean {
    const askedAt = this.#hasPong ? this.#askedAt : undefined;
    this.#hasPong = false;
    if (askedAt === undefined) return false;
    this.#askedAt = undefined;
    this.#roundTripMs = now - askedAt;
    this.#liveness.ponged();
    return true;
  }

  #perform(output: LivenessOutput): void {
    switch (output) {
      case "ping":
        this.ping();
        break;
      case "unanswered":
        this.#report((listener) => listener.unanswered?.());
        break;
      case "lost": {
        const silentMs = Math.round(this.#liveness.silentMs(this.#clock.now()));
        this.#verdict ??= { code: 1006, reason: `Nothing arrived for ${silentMs} ms, in spite of a ping` };
        this.#webSocket.terminate();
      }
    }
  }

  #stopJudging(): void {
    this.#ending = true;
    this.#liveness.stop();
    this.#judge();
  }

  /** Bounds the time in which the WebSocket, no longer open, has to disappear. */
  #end(): void {
    if (this.#ending) return;
    this.#stopJudging();
    this.#disarm = this.#clock.wakeAt(this.#clock.now() + this.#closeTimeoutMs, () => this.#webSocket.terminate());
  }
}

/** The close code that `ws` sent because of an error in what it read. */
function closeCodeOf(error: Error & { readonly code?: string }): number {
  switch (error.code) {
    case "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH":
    case "WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH":
      return 1009;
    case "WS_ERR_TOO_MANY_BUFFERED_PARTS":
      return 1008;
    case "WS_ERR_INVALID_UTF8":
      return 1007;
    default:
      return 1002;
  }
}
