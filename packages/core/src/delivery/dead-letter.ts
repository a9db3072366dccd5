import type { DeliveryEvent } from "./delivery-event.ts";
import type { Mark } from "./stamps.ts";
import type { Discarded } from "./transaction.ts";

/**
 * A message that was given up, and is kept for the owner to look at: the Central System has refused it, or has failed to
 * take it as often as TransactionMessageAttempts says.
 */
export type DeadLetter = DeliveryEvent & {
  /** `attempts`: it was tried as often as it may be. `refused`: the Central System does not know such messages. */
  readonly reason: Discarded["reason"];
  /** When it was given up, in milliseconds since the epoch. */
  readonly discardedAt: number;
  /**
   * Has it delivered after all, in its old place: before everything that happened later. It is no dead letter then; that it
   * is delivered, or given up again, is told like the first time.
   *
   * @throws TypeError It was retried or deleted before, or its ChargePoint has been stopped.
   */
  retry(): void;
  /**
   * Forgets it.
   *
   * @throws TypeError It was retried or deleted before, or its ChargePoint has been stopped.
   */
  delete(): void;
};

/** How many are kept, of starts and stops, which are money, and of all others; beyond, the oldest of them is forgotten. */
const mostBills = 10_000;
const mostOthers = 1000;

/** A message, with what its timestamps are marked with. */
interface Marked {
  readonly mark: Mark | undefined;
}

/** What {@link DeadLetters} need. */
export interface DeadLettersOptions {
  /** @throws TypeError The Charge Point has been stopped. */
  readonly assertAlive: () => void;
  /** Hears that one has been decided about. */
  readonly decided: () => void;
  readonly fault: (error: Error) => void;
}

/** The dead letters of a Charge Point, in the order in which they were given up. */
export class DeadLetters {
  /** By what they are about. */
  readonly #letters = new Map<Marked, DeadLetter>();
  /** Those of them that are starts and stops, and the others. */
  readonly #bills = new Set<DeadLetter>();
  readonly #others = new Set<DeadLetter>();
  readonly #options: DeadLettersOptions;

  constructor(options: DeadLettersOptions) {
    this.#options = options;
  }

  get all(): readonly DeadLetter[] {
    return [...this.#letters.values()];
  }

  /** The epochs that timestamps in them are of. */
  get epochs(): readonly number[] {
    return [...this.#letters.keys()].flatMap(({ mark }) => mark?.epoch ?? []);
  }

  /**
   * Adds one.
   *
   * @param message - What it is about.
   * @param act - Does what has been decided about it.
   */
  add(
    message: Marked,
    event: DeliveryEvent,
    { reason, at }: Discarded,
    act: (what: "retry" | "delete") => void,
  ): DeadLetter {
    const decide = (what: "retry" | "delete") => (): void => {
      this.#options.assertAlive();
      if (this.#letters.get(message) !== letter) {
        throw new TypeError(`This ${event.call.action} is no dead letter any more.`);
      }
      this.withdraw(message); // First of all: what is done about it may come back here.
      act(what);
      this.#options.decided();
    };
    const letter: DeadLetter = {
      ...event,
      reason,
      discardedAt: at,
      retry: decide("retry"),
      delete: decide("delete"),
    };
    this.#letters.set(message, letter);
    const alike = this.#alike(letter);
    alike.add(letter);
    const [oldest] = alike;
    const most = alike === this.#bills ? mostBills : mostOthers;
    if (oldest !== undefined && alike.size > most) this.#forget(oldest);
    return letter;
  }

  /** Takes the one about a message back; false when there is none, or it has been decided about. */
  withdraw(message: Marked): boolean {
    const letter = this.#letters.get(message);
    if (letter === undefined) return false;
    this.#alike(letter).delete(letter);
    return this.#letters.delete(message);
  }

  /** The letters among which it is counted. */
  #alike({ call }: DeadLetter): Set<DeadLetter> {
    const isBill = call.action === "StartTransaction" || call.action === "StopTransaction";
    return isBill ? this.#bills : this.#others;
  }

  #forget(letter: DeadLetter): void {
    letter.delete();
    const { action } = letter.call;
    this.#options.fault(
      new Error(
        `A ${action} that was given up long ago is forgotten: there are too many. Retry or delete dead letters.`,
      ),
    );
  }
}
