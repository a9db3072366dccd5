import type { RecordKeeper } from "../store/record-keeper.ts";
import type { DeadLetter, DeadLetters } from "./dead-letter.ts";
import type { AttemptOptions, DeliveryOptions } from "./delivery.ts";
import type { DeliveryEvent, OutboxCall, TransactionCall } from "./delivery-event.ts";
import type { DiscardReason } from "./delivery-queue.ts";
import type { Stamps } from "./stamps.ts";

/** Counts what happens: later messages have larger numbers, across restarts. */
export class Sequences {
  #next = 1;

  /** The number that comes next. */
  peek(): number {
    return this.#next;
  }

  take(): number {
    return this.#next++;
  }

  /** Says that a number was used by an earlier run. */
  used(number: number): void {
    this.#next = Math.max(this.#next, number + 1);
  }
}

/** What the deliveries of a Charge Point share. */
export interface Desk {
  readonly keeper: RecordKeeper;
  readonly stamps: Stamps;
  readonly sequences: Sequences;
  readonly deadLetters: DeadLetters;
  readonly delivery: Pick<DeliveryOptions<never>, "clock" | "keys" | "fault">;
  /** Makes a CALL on the present connection. */
  readonly call: (call: TransactionCall | OutboxCall, attempt: AttemptOptions) => Promise<unknown>;
  /** The present moment, in milliseconds since the epoch. */
  readonly now: () => number;
  /** @throws TypeError The Charge Point has been stopped. */
  readonly assertAlive: () => void;
  readonly delivered: (event: DeliveryEvent & { readonly conf: unknown }) => void;
  readonly discarded: (
    event: DeliveryEvent & { readonly reason: DiscardReason; readonly deadLetter: DeadLetter | undefined },
  ) => void;
}
