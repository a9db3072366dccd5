/*
 * How what is remembered of one Charge Point is asked for, as a machine: a database may be locked, slow or away.
 *
 * Theory of operation. It is asked at once. An ask that fails is repeated, each time after twice as long; one that is not
 * answered in time counts as failed, but its answer is still welcome. No more than three are without an answer, so that a
 * database that hangs is not asked for ever. While nobody needs the answer, this goes on as long as the connection does.
 * From the first CALL that has to wait for it, it is asked for more often, up to a limit; then it is given up: the connection
 * is to be closed, and the Charge Point to send everything again on its next one.
 */

import type { Machine } from "../machine.ts";

/** `late`: the latest ask was not answered in time. */
export type LookUpOutput = "ask" | "late" | "give-up";

/** How long an ask may take. */
export const lookUpTimeoutMs = 5000;
/** How long CALLs wait: less than chargers wait for their answers. */
const patienceMs = 20_000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** The same while a CALL waits. */
const longestWantedPauseMs = 2000;
const mostUnanswered = 3;

/** Asks for the registration of one Charge Point until there is an answer. @spec [J-132] */
export class RegistrationLookUp implements Machine<LookUpOutput> {
  readonly #outputs: LookUpOutput[] = [];
  #unanswered = 0;
  #failures = 0;
  #asksAt = Number.POSITIVE_INFINITY;
  #lateAt = Number.POSITIVE_INFINITY;
  #givesUpAt = Number.POSITIVE_INFINITY;

  get deadline(): number {
    return Math.min(this.#asksAt, this.#lateAt, this.#givesUpAt);
  }

  poll(): LookUpOutput | undefined {
    return this.#outputs.shift();
  }

  start(now: number): void {
    this.#ask(now);
  }

  /** Says that an ask has come to nothing. */
  failed(now: number): void {
    this.#unanswered -= 1;
    if (this.#unanswered === 0) this.#lateAt = Number.POSITIVE_INFINITY;
    this.#askLater(now);
  }

  /** Says that a CALL waits for the answer. */
  wanted(now: number): void {
    if (this.#givesUpAt !== Number.POSITIVE_INFINITY) return;
    this.#givesUpAt = now + patienceMs;
    if (this.#asksAt !== Number.POSITIVE_INFINITY) this.#asksAt = Math.min(this.#asksAt, now + firstPauseMs);
  }

  /** Says that there is an answer, or that nobody needs one any more. */
  stop(): void {
    this.#asksAt = this.#lateAt = this.#givesUpAt = Number.POSITIVE_INFINITY;
    this.#outputs.length = 0;
  }

  advance(now: number): void {
    if (this.#givesUpAt <= now) {
      this.stop();
      this.#outputs.push("give-up");
      return;
    }
    if (this.#lateAt <= now) {
      this.#lateAt = Number.POSITIVE_INFINITY;
      this.#outputs.push("late");
      this.#askLater(now);
    }
    if (this.#asksAt <= now) this.#ask(now);
  }

  #ask(now: number): void {
    this.#unanswered += 1;
    this.#asksAt = Number.POSITIVE_INFINITY;
    this.#lateAt = now + lookUpTimeoutMs;
    this.#outputs.push("ask");
  }

  #askLater(now: number): void {
    if (this.#unanswered >= mostUnanswered || this.#asksAt !== Number.POSITIVE_INFINITY) return;
    if (this.#lateAt !== Number.POSITIVE_INFINITY) return; // A later ask may still be answered.
    const isWanted = this.#givesUpAt !== Number.POSITIVE_INFINITY;
    const longestMs = isWanted ? longestWantedPauseMs : longestPauseMs;
    this.#asksAt = now + Math.min(firstPauseMs * 2 ** this.#failures, longestMs);
    this.#failures += 1;
  }
}
