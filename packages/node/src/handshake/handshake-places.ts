import { Tally } from "./tally.ts";

/** A decision that is under way. */
export type Place = symbol;

/**
 * How many decisions on handshakes may be under way. It counts what runs, not who waits: a decision whose Charge Point has
 * left goes on as long as the application does not end it.
 *
 * Theory of operation. A database that is asked for more than it can do answers later and later, in the end nobody in time,
 * and each decision that comes too late was work for nothing. So the bound follows what is achieved: it is halved when more
 * decisions come too late than in time, once for each time-out, since those that were begun together are late together.
 * Each one in time raises it by one, up to the limit. A decision that never comes loses its place where another one needs
 * it, after six time-outs: the places would be gone for good otherwise. What one address may have of them is counted in the same
 * way.
 */
export class HandshakePlaces {
  readonly #limit: number;
  readonly #timeoutMs: number;
  readonly #perAddress: number;
  #bound: number;
  /** When each that runs was begun, oldest first, and about which address. */
  readonly #running = new Map<Place, { readonly takenAt: number; readonly address: string | undefined }>();
  readonly #addresses = new Tally();
  #halvedAt = Number.NEGATIVE_INFINITY;
  /** How many more have come too late than in time since then. */
  #excess = 0;

  constructor(limit: number, timeoutMs: number, perAddress = Number.POSITIVE_INFINITY) {
    this.#limit = limit;
    this.#bound = limit;
    this.#timeoutMs = timeoutMs;
    this.#perAddress = perAddress;
  }

  /** How many are under way. */
  get taken(): number {
    return this.#running.size;
  }

  /** How many may be under way at present. */
  get bound(): number {
    return this.#bound;
  }

  /** Whether an address has as many as it may have. */
  isFullFor(address: string | undefined, now: number): boolean {
    if (this.#addresses.of(address) >= this.#perAddress) this.#forgetOldest(now);
    return this.#addresses.of(address) >= this.#perAddress;
  }

  /** Takes a place; `undefined` when there is none. */
  take(now: number, address?: string): Place | undefined {
    if (this.#running.size >= this.#bound) this.#forgetOldest(now);
    if (this.#running.size >= this.#bound || this.isFullFor(address, now)) return undefined;
    const place = Symbol("place");
    this.#running.set(place, { takenAt: now, address });
    this.#addresses.add(address);
    return place;
  }

  /** Gives a place back; once is enough. */
  release(place: Place): void {
    const running = this.#running.get(place);
    if (this.#running.delete(place)) this.#addresses.remove(running?.address);
  }

  #forgetOldest(now: number): void {
    for (const [place, { takenAt }] of this.#running) {
      if (now < takenAt + 6 * this.#timeoutMs) return;
      this.release(place);
    }
  }

  /** Says that a decision came in time. */
  inTime(): void {
    this.#excess -= 1;
    this.#bound = Math.min(this.#limit, this.#bound + 1);
  }

  /** Says that a decision has not come in time. */
  late(now: number): void {
    this.#excess += 1;
    if (this.#excess <= 0 || now < this.#halvedAt + this.#timeoutMs) return;
    this.#excess = 0;
    this.#halvedAt = now;
    this.#bound = Math.max(1, Math.floor(this.#bound / 2));
  }
}
