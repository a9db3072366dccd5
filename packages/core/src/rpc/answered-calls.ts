import { type CallFrame, type CallResultFrame, decode, encode } from "./frame.ts";

/** How many are remembered. A peer has one CALL outstanding, so what it repeats is among the last. [J-100] */
const rememberedCalls = 4;

/** How long after its arrival a CALL counts as repeated: 40 s without an answer and the 60 s before a retry fit in. */
const repeatedWithinMs = 120_000;

/** How many characters a CALL and its answer may have together, so that nobody can have megabytes remembered. */
const longestRemembered = 2048;

/** A CALL and its answer, as texts: they are small, and what a handler does to its objects later does not reach them. */
interface AnsweredCall {
  readonly messageId: string;
  readonly receivedAt: number;
  readonly call: string;
  readonly answer: string;
}

/**
 * The CALLs of a peer that were answered last: a repetition is answered as the CALL was.
 *
 * Only what can be told from a new CALL is remembered. A payload without content says nothing, and a peer that sends
 * every Heartbeat under one message id wants the time of now; for the same reason nothing is remembered for long. A
 * CALLERROR is no answer to stand by: whoever repeats the CALL then makes another attempt. [CORE-TXQ-09]
 */
export class AnsweredCalls {
  readonly #latest: AnsweredCall[] = [];

  /** How many are remembered. */
  get size(): number {
    return this.#latest.length;
  }

  /**
   * Remembers an answer, if a repetition of its CALL could be told from a new one; forgets what is too old.
   *
   * @param receivedAt - When the CALL arrived, in milliseconds since the epoch.
   */
  remember(call: CallFrame, answer: CallResultFrame, receivedAt: number): void {
    while (isOver(this.#latest[0], receivedAt)) this.#latest.shift();
    if (isEmpty(call.payload) || !fits(call, answer)) return;
    this.#latest.push({ messageId: call.messageId, receivedAt, call: encode(call), answer: encode(answer) });
    if (this.#latest.length > rememberedCalls) this.#latest.shift();
  }

  /**
   * The answer to the CALL of which this one is a repetition. Another CALL under a remembered message id is none, and makes
   * the earlier one be forgotten: real firmware uses ids again.
   */
  answerTo(call: CallFrame, now: number): CallResultFrame | undefined {
    const index = this.#latest.findIndex(({ messageId }) => messageId === call.messageId);
    const answered = this.#latest[index];
    if (answered === undefined) return undefined;
    if (!isOver(answered, now) && fits(call) && encode(call) === answered.call) {
      return decode(answered.answer) as CallResultFrame;
    }
    this.#latest.splice(index, 1);
    return undefined;
  }

  clear(): void {
    this.#latest.length = 0;
  }
}

const isOver = (answered: AnsweredCall | undefined, now: number): boolean =>
  answered !== undefined && now - answered.receivedAt > repeatedWithinMs;

const isEmpty = (payload: unknown): boolean =>
  typeof payload !== "object" || payload === null || Object.keys(payload).length === 0;

const fits = (...frames: readonly (CallFrame | CallResultFrame)[]): boolean =>
  frames.reduce((room, { payload }) => roomAfter(payload, room), longestRemembered) >= 0;

/** How much of `room` is left beside a JSON value, negative for none; found without a look at more than there is room for. */
function roomAfter(value: unknown, room: number): number {
  if (typeof value === "string") return room - value.length - 2;
  if (typeof value !== "object" || value === null) return room - 4;
  if (Array.isArray(value) && value.length > room) return -1;
  let left = room - 2;
  for (const name in value) {
    left -= name.length + 4;
    if (left < 0) break; // Before the next level: there may be more of them than the stack has room for.
    left = roomAfter((value as Record<string, unknown>)[name], left);
  }
  return left;
}
