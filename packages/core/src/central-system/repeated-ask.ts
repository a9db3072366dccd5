/*
 * How something is asked of what belongs to the owner, as a machine: a database may be locked, slow or away.
 *
 * Theory of operation. It is asked at once. An ask that fails is repeated, each time after twice as long; one that is not
 * answered in time counts as failed, but its answer is still welcome. No more than three are without an answer, so that a
 * database that hangs is not asked for ever. While nobody needs the answer, this goes on as long as the connection does.
 * From the first CALL that has to wait for it, it is asked for more often, up to a limit; then it is given up: the connection
 * is to be closed, and the Charge Point to send everything again on its next one.
 */

import type { Clock } from "../clock.ts";
import { isPromise } from "../guarded.ts";
import { drive, type Machine } from "../machine.ts";

/** `late`: the latest ask was not answered in time. */
type AskOutput = "ask" | "late" | "give-up";

/** How long CALLs wait: less than chargers wait for their answers. */
const patienceMs = 20_000;
const firstPauseMs = 500;
const longestPauseMs = 30_000;
/** The same while a CALL waits. */
const longestWantedPauseMs = 2000;
const mostUnanswered = 3;

class RepeatedAsk implements Machine<AskOutput> {
  readonly #timeoutMs: number;
  readonly #outputs: AskOutput[] = [];
  #unanswered = 0;
  #failures = 0;
  #asksAt = Number.POSITIVE_INFINITY;
  #lateAt = Number.POSITIVE_INFINITY;
  #givesUpAt = Number.POSITIVE_INFINITY;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** Whether the latest ask may still be answered in time. */
  get isInTime(): boolean {
    return this.#lateAt !== Number.POSITIVE_INFINITY;
  }

  get deadline(): number {
    return Math.min(this.#asksAt, this.#lateAt, this.#givesUpAt);
  }

  poll(): AskOutput | undefined {
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
    this.#lateAt = now + this.#timeoutMs;
    this.#outputs.push("ask");
  }

  #askLater(now: number): void {
    if (this.#unanswered >= mostUnanswered || this.#asksAt !== Number.POSITIVE_INFINITY) return;
    if (this.isInTime) return; // A later ask may still be answered.
    const isWanted = this.#givesUpAt !== Number.POSITIVE_INFINITY;
    const longestMs = isWanted ? longestWantedPauseMs : longestPauseMs;
    this.#asksAt = now + Math.min(firstPauseMs * 2 ** this.#failures, longestMs);
    this.#failures += 1;
  }
}

/** What is asked, and who hears of it. */
export interface Question {
  /** How long one ask may take. */
  readonly timeoutMs: number;
  /** May throw, and return a promise. */
  readonly ask: () => unknown;
  /** Takes the answer; throws if it is none. */
  readonly answered: (answer: unknown) => void;
  /** Hears why there is none yet; must not throw. */
  readonly failed: (error: unknown) => void;
  /** What is said of an ask that has taken too long. */
  readonly late: () => Error;
  /** Hears that somebody has waited too long. */
  readonly givenUp?: () => void;
}

/** Asks until there is an answer, or nobody wants one any more. */
export class Asking {
  readonly #question: Question;
  readonly #clock: Clock;
  readonly #machine: RepeatedAsk;
  readonly #run: () => void;
  #isOver = false;

  constructor(clock: Clock, question: Question) {
    this.#clock = clock;
    this.#question = question;
    this.#machine = new RepeatedAsk(question.timeoutMs);
    this.#run = drive(this.#machine, clock, (output) => {
      if (output === "ask") this.#ask();
      else if (output === "late") question.failed(question.late());
      else question.givenUp?.();
    });
  }

  /** Begins: what is answered at once has been answered when this returns. */
  start(): void {
    this.#machine.start(this.#clock.now());
    this.#run();
  }

  /** Whether there is an answer, or nobody needs one any more. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** Whether an ask is under way that may still be answered in time. */
  get isInTime(): boolean {
    return this.#machine.isInTime;
  }

  /** Says that a CALL waits for the answer. */
  wanted(): void {
    if (this.#isOver) return;
    this.#machine.wanted(this.#clock.now());
    this.#run();
  }

  stop(): void {
    this.#isOver = true;
    this.#machine.stop();
    this.#run();
  }

  /** What throws at once has failed a moment later, as what rejects: a connection is told of before its faults are. */
  #ask(): void {
    try {
      const answer = this.#question.ask();
      if (isPromise(answer)) this.#await(answer);
      else this.#answered(answer);
    } catch (error) {
      this.#await(Promise.reject(error));
    }
  }

  #await(answer: unknown): void {
    new Promise((resolve) => resolve(answer))
      .then((answer) => this.#answered(answer))
      .catch((error) => this.#failed(error))
      .finally(() => this.#run());
  }

  #answered(answer: unknown): void {
    if (this.#isOver) return;
    this.#question.answered(answer);
    this.stop();
  }

  #failed(error: unknown): void {
    if (this.#isOver) return; // Another ask was answered, or the connection has ended.
    this.#question.failed(error);
    this.#machine.failed(this.#clock.now());
  }
}
