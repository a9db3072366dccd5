import type { Clock, Transport, TransportListener } from "@ocppj/core";

/** How two linked transports behave. */
export interface TransportPairOptions {
  /**
   * How long a message or close takes from one end to the other, in milliseconds; a function is asked once for each.
   * What was sent first arrives first all the same. Default 0.
   */
  readonly latencyMs?: (number | (() => number)) | undefined;
  /** How long the end that closes waits for the other's answer, in milliseconds, before it gives up. Default 5000. */
  readonly closeTimeoutMs?: number | undefined;
  /** How many of the latest texts `sent` keeps at each end; 0 for none. Default 1000. */
  readonly sentLimit?: number | undefined;
}

/** Both ends of one WebSocket. */
export interface TransportPair {
  /** The end to be given to a Charge Point. */
  readonly chargePoint: LinkedTransport;
  /** The end to be given to a Central System. */
  readonly centralSystem: LinkedTransport;
}

/** One end of a {@link TransportPair}: a transport, and what a test can do to it at any moment. */
export interface LinkedTransport extends Transport {
  /** The texts that this end has sent, oldest first, whether or not they arrived. */
  readonly sent: readonly string[];
  /**
   * Makes the connection half-open: nothing that this end has under way or sends later arrives, its closing included,
   * and neither end hears of that. It cannot be undone: a TCP connection delivers everything before a gap, nothing after.
   */
  mute(): void;
  /**
   * Loses the connection at this end: it hears `close` with code 1006, and so does the other end once the latency has
   * passed, unless this end is muted. What this end had sent arrives before; what it was about to receive is lost.
   */
  drop(): void;
  /** Delivers any text to this end, in its turn, as if the other end had sent it just now. */
  inject(text: string): void;
}

/**
 * Links two transports on a clock.
 *
 * They behave as a WebSocket does: order is kept, a close code travels after what was sent before it and is answered, half
 * a surrogate pair arrives as U+FFFD. Nothing is delivered but by a wake-up of the clock, one thing at a time: with a
 * {@link FakeClock}, the test says when, to the millisecond.
 *
 * ```ts
 * const clock = new FakeClock();
 * const link = transportPair(clock, { latencyMs: 50 });
 * link.chargePoint.send("[2,…]");
 * await clock.advance(50); // The Central System's end has received it.
 * ```
 */
export function transportPair(clock: Clock, options: TransportPairOptions = {}): TransportPair {
  const toCentralSystem = new Line<Arrival>(clock, (arrival) => centralSystem.arrived(arrival));
  const toChargePoint = new Line<Arrival>(clock, (arrival) => chargePoint.arrived(arrival));
  const chargePoint = new LinkEnd(clock, toChargePoint, toCentralSystem, options);
  const centralSystem = new LinkEnd(clock, toCentralSystem, toChargePoint, options);
  return { chargePoint, centralSystem };
}

/** What travels from one end to the other; `answer` is the second half of the closing handshake. */
type Arrival =
  | { readonly type: "message"; readonly text: string }
  | { readonly type: "close" | "answer"; readonly code: number; readonly reason: string }
  | { readonly type: "ping" | "pong" | "lost" };

type Tell = (listener: TransportListener) => void;

class LinkEnd implements LinkedTransport {
  readonly #clock: Clock;
  readonly #incoming: Line<Arrival>;
  readonly #outgoing: Line<Arrival>;
  /** What the listener is about to be told. */
  readonly #inbox: Line<Tell>;
  readonly #latencyMs: () => number;
  readonly #closeTimeoutMs: number;
  readonly #sentLimit: number;
  readonly #sent: string[] = [];
  #state: "open" | "closing" | "closed" = "open";
  #cancelCloseTimeout = (): void => {};

  constructor(
    clock: Clock,
    incoming: Line<Arrival>,
    outgoing: Line<Arrival>,
    { latencyMs = 0, closeTimeoutMs = 5000, sentLimit = 1000 }: TransportPairOptions,
  ) {
    this.#clock = clock;
    this.#incoming = incoming;
    this.#outgoing = outgoing;
    this.#inbox = new Line<Tell>(clock);
    this.#latencyMs = typeof latencyMs === "function" ? latencyMs : () => latencyMs;
    this.#closeTimeoutMs = closeTimeoutMs;
    this.#sentLimit = sentLimit;
  }

  get closing(): boolean {
    return this.#state !== "open";
  }

  get sent(): readonly string[] {
    return [...this.#sent];
  }

  listen(listener: TransportListener): void {
    this.#inbox.open((tell) => tell(listener));
  }

  send(text: string): void {
    if (this.#state !== "open") return;
    this.#sent.push(text);
    if (this.#sent.length > this.#sentLimit) this.#sent.shift();
    this.#outgoing.carry({ type: "message", text }, this.#latencyMs());
  }

  ping(): void {
    if (this.#state === "open") this.#outgoing.carry({ type: "ping" }, this.#latencyMs());
  }

  close(code = 1000, reason = ""): void {
    if (this.#state !== "open") return;
    checkClosing(code, reason);
    this.#state = "closing";
    this.#outgoing.carry({ type: "close", code, reason: wellFormed(reason) }, this.#latencyMs());
    const gaveUp = (): void => this.#closed(1006, "");
    this.#cancelCloseTimeout = this.#clock.wakeAt(this.#clock.now() + this.#closeTimeoutMs, gaveUp);
  }

  mute(): void {
    this.#outgoing.cut();
  }

  drop(): void {
    if (this.#state === "closed") return;
    this.#outgoing.carry({ type: "lost" }, this.#latencyMs());
    this.#closed(1006, "");
  }

  inject(text: string): void {
    this.#incoming.carry({ type: "message", text }, this.#latencyMs());
  }

  arrived(arrival: Arrival): void {
    if (this.#state === "closed") return;
    switch (arrival.type) {
      case "ping":
        this.#outgoing.carry({ type: "pong" }, this.#latencyMs());
        this.#inbox.carry((listener) => listener.heard?.());
        break;
      case "pong":
        this.#inbox.carry((listener) => {
          listener.heard?.();
          listener.pong?.();
        });
        break;
      case "message": {
        const text = wellFormed(arrival.text);
        this.#inbox.carry((listener) => listener.message(text));
        break;
      }
      case "close":
        this.#outgoing.carry({ ...arrival, type: "answer" }, this.#latencyMs());
        this.#closed(arrival.code, arrival.reason);
        break;
      case "answer":
        this.#closed(arrival.code, arrival.reason);
        break;
      case "lost":
        this.#closed(1006, "");
        break;
    }
  }

  #closed(code: number, reason: string): void {
    this.#cancelCloseTimeout();
    this.#state = "closed";
    this.#inbox.carry((listener) => listener.close(code, reason));
  }
}

/** Carries items one way and in order, one per wake-up of the clock, until it is cut; holds them until it is opened. */
class Line<Item> {
  readonly #clock: Clock;
  readonly #queue: { readonly item: Item; readonly arrivesAt: number }[] = [];
  #deliver: ((item: Item) => void) | undefined;
  #cancelWakeUp: (() => void) | undefined;
  #cut = false;

  constructor(clock: Clock, deliver?: (item: Item) => void) {
    this.#clock = clock;
    this.#deliver = deliver;
  }

  open(deliver: (item: Item) => void): void {
    this.#deliver = deliver;
    this.#arm();
  }

  carry(item: Item, latencyMs = 0): void {
    if (this.#cut) return;
    this.#queue.push({ item, arrivesAt: this.#clock.now() + latencyMs });
    this.#arm();
  }

  cut(): void {
    this.#cut = true;
    this.#queue.length = 0;
    this.#cancelWakeUp?.();
  }

  #arm(): void {
    const [first] = this.#queue;
    if (first === undefined || this.#deliver === undefined || this.#cancelWakeUp !== undefined) return;
    this.#cancelWakeUp = this.#clock.wakeAt(first.arrivesAt, () => this.#wake());
  }

  #wake(): void {
    this.#cancelWakeUp = undefined;
    const [first] = this.#queue;
    try {
      // A clock may call early.
      if (first === undefined || first.arrivesAt > this.#clock.now()) return;
      this.#queue.shift();
      this.#deliver?.(first.item);
    } finally {
      this.#arm();
    }
  }
}

/** A WebSocket carries UTF-8, which has no half surrogate pairs. */
const wellFormed = (text: string): string => text.replace(/\p{Surrogate}/gu, "\uFFFD");

/** What WebSocket implementations refuse must not work in a test. */
function checkClosing(code: number, reason: string): void {
  const reserved = [1004, 1005, 1006].includes(code);
  if (!Number.isInteger(code) || code < 1000 || code > 4999 || (code > 1014 && code < 3000) || reserved) {
    throw new RangeError(`A WebSocket cannot be closed with code ${code}. Use 1000 or one from 3000 to 4999.`);
  }
  const bytes = encodeURIComponent(wellFormed(reason)).replace(/%../g, "-").length;
  if (bytes > 123) throw new RangeError(`A close reason has at most 123 bytes of UTF-8, not ${bytes}.`);
}
