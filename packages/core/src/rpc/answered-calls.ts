import type { CallFrame } from "./frame.ts";

/** How many are remembered. A peer has one CALL outstanding, so what it repeats is among the last. [J-100] */
const rememberedCalls = 4;

/** How long after its arrival a CALL counts as repeated: 40 s without an answer and the 60 s before a retry fit in. */
const repeatedWithinMs = 120_000;

/** How many characters a CALL and its answer may have together, so that nobody can have megabytes remembered. */
const longestRemembered = 2048;

/**
 * A CALL as it arrived. Its text is what tells a repetition: what a handler does to the payload does not reach it.
 */
export interface ReceivedCall {
  readonly call: CallFrame;
  /** When it arrived, in milliseconds since the epoch. */
  readonly receivedAt: number;
  readonly text: string;
}

/** Whether a CALL is the same as an earlier one under its message id. */
export const isRepetition = (call: ReceivedCall, earlier: Pick<ReceivedCall, "text">): boolean =>
  call.text === earlier.text;

interface AnsweredCall {
  readonly messageId: string;
  readonly receivedAt: number;
  readonly text: string;
  readonly answer: string;
}

/**
 * The CALLs of a peer that were answered last: a repetition is answered as the CALL was.
 *
 * Only what can be told from a new CALL is remembered: a payload without content says nothing. Nothing is remembered for
 * long. A CALLERROR is no answer to stand by: whoever repeats the CALL then makes another attempt. [CORE-TXQ-09]
 */
export class AnsweredCalls {
  readonly #isRepeatable: (call: CallFrame) => boolean;
  readonly #latest: AnsweredCall[] = [];

  /** @param isRepeatable - Whether the answer to this CALL still is one later; others are not remembered. Default: each is. */
  constructor(isRepeatable: (call: CallFrame) => boolean = () => true) {
    this.#isRepeatable = isRepeatable;
  }

  /** How many are remembered. */
  get size(): number {
    return this.#latest.length;
  }

  /**
   * Remembers an answer, if a repetition of its CALL could be told from a new one; forgets what is too old.
   *
   * @param answer - The text of the CALLRESULT.
   */
  remember({ call, receivedAt, text }: ReceivedCall, answer: string): void {
    while (isOver(this.#latest[0], receivedAt)) this.#latest.shift();
    if (text.length + answer.length > longestRemembered || saysNothing(call) || !this.#isRepeatable(call)) return;
    this.#latest.push({ messageId: call.messageId, receivedAt, text, answer });
    if (this.#latest.length > rememberedCalls) this.#latest.shift();
  }

  /**
   * The text of the answer to the CALL of which this one is a repetition. Another CALL under a remembered message id is none, and makes
   * the earlier one be forgotten: real firmware uses ids again.
   */
  answerTo(call: ReceivedCall): string | undefined {
    const { messageId } = call.call;
    const answered = this.#latest.find((other) => other.messageId === messageId);
    if (answered === undefined) return undefined;
    if (!isOver(answered, call.receivedAt) && isRepetition(call, answered)) return answered.answer;
    this.#latest.splice(this.#latest.indexOf(answered), 1);
    return undefined;
  }

  clear(): void {
    this.#latest.length = 0;
  }
}

const isOver = (answered: AnsweredCall | undefined, now: number): boolean =>
  answered !== undefined && now - answered.receivedAt > repeatedWithinMs;

/** Whether the payload of a CALL is empty. */
function saysNothing({ payload }: CallFrame): boolean {
  for (const _ in payload as object) return false;
  return true;
}
