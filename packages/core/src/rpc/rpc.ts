/*
 * The RPC framework of OCPP-J §4.1 for one end of one connection, as a machine.
 *
 * Theory of operation. A connection carries CALLs both ways, and the two directions know nothing of each other
 * (J-053, J-105):
 *
 *   outbound  call ─► waiting ─► outstanding ─► settled        at most one is outstanding (J-100)
 *   inbound   receive ─► received ─► serving ─► respond | fail  any number is served at once (J-108, Q22)
 *                └─► answered again                             a CALL that repeats one of the last
 *
 * A waiting CALL becomes outstanding, and is sent, as soon as nothing is outstanding; the time-out runs from that
 * moment. Urgent CALLs go before the others, and each kind in its own order. A CALL is settled by an answer, by the
 * time-out or by the end of the connection, whichever comes first, exactly once. The answer to one that has timed out is
 * handed on as `late`, once, before it is told as a violation. Answers to the peer are sent at once and never wait for an own CALL (J-106).
 *
 * A CALL under a message id that the peer has used (J-051 forbids it) is a repetition if its text is the same. While the
 * first is being served, nothing is done: the one answer that is coming serves both. Once that was answered with a
 * CALLRESULT, the same answer is sent again, as long as it is remembered (answered-calls.ts). A different CALL is a
 * `conflict` while the first is being served, and served as any other afterwards.
 *
 * Inputs that concern nothing we know (an answer to no CALL, `respond` after `close`) do nothing but say `violation`
 * where the peer is to blame. Nothing throws.
 *
 * Not handled here: what actions and payloads mean (connection.ts), texts (frame.ts), whose turn it is to reconnect.
 */

import type { ErrorCode } from "../errors.ts";
import type { Machine } from "../machine.ts";
import { AnsweredCalls, isRepetition, type ReceivedCall } from "./answered-calls.ts";
import {
  type CallErrorFrame,
  type CallFrame,
  type CallResultFrame,
  decode,
  encode,
  type Frame,
  type FrameViolation,
  type Malformed,
} from "./frame.ts";

/** How a CALL of ours ended. */
export type Outcome =
  | CallResultFrame
  | CallErrorFrame
  /** The answer has the right message id and the wrong shape. */
  | Malformed
  /** `silent`: the peer has answered nothing at all since it was sent. */
  | { readonly type: "TIMEOUT"; readonly timeoutMs: number; readonly silent: boolean }
  | { readonly type: "CLOSED"; readonly sent: boolean };

/** How a frame breaks the rules of the RPC framework. */
export type RpcViolation = FrameViolation | "duplicate-message-id" | "late-answer" | "unmatched-answer";

export type RpcOutput =
  /**
   * `text`: the frame, where it is written already. `answers`: this ends the serving of a CALL. It is absent where one that
   * is not being served is answered.
   */
  | { readonly type: "send"; readonly frame: Frame; readonly text?: string; readonly answers?: CallFrame }
  | { readonly type: "received"; readonly call: CallFrame }
  /** Another CALL than the one that is being served under its message id; it is not served. May be `refuse`d. */
  | { readonly type: "conflict"; readonly call: CallFrame; readonly served: CallFrame }
  | { readonly type: "settled"; readonly call: CallFrame; readonly outcome: Outcome }
  /** The answer to a CALL that was settled by its time-out. */
  | { readonly type: "late"; readonly call: CallFrame; readonly answer: CallResultFrame | CallErrorFrame }
  | {
      readonly type: "violation";
      readonly reason: RpcViolation;
      readonly message: string;
      readonly frame: Frame | Malformed;
    };

/** A CALL of ours that is not settled. */
interface Pending {
  readonly call: CallFrame;
  readonly timeoutMs: number;
  readonly urgent: boolean;
}

/** How many timed-out CALLs are remembered, to tell an answer that is late from one that nobody asked for. */
const rememberedTimeouts = 16;

/** Machine 1 of 4: one outstanding CALL, answers matched by message id, time-outs. @spec OCPP-J 1.6 §4.1 */
export class Rpc implements Machine<RpcOutput> {
  #outputs: RpcOutput[] = [];
  readonly #waiting: Pending[] = [];
  #outstanding: Pending | undefined;
  #deadline = Number.POSITIVE_INFINITY;
  /** The peer has answered nothing since it was sent, not even another CALL. */
  #silent = true;
  /** Whether the transport took it, as far as is known. */
  #isSent = true;
  /** Those that timed out last and have not been answered since. */
  readonly #timedOut: CallFrame[] = [];
  readonly #serving = new Map<string, ReceivedCall>();
  readonly #answered: AnsweredCalls;
  #closed = false;

  /**
   * @param isRepeatable - Whether a repetition of this CALL of the peer gets the answer of the first. Others are served
   * again. Default: each is.
   */
  constructor(isRepeatable?: (call: CallFrame) => boolean) {
    this.#answered = new AnsweredCalls(isRepeatable);
  }

  /** How many CALLs of ours wait for their turn. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** How many CALLs of the peer are not answered yet. */
  get serving(): number {
    return this.#serving.size;
  }

  get deadline(): number {
    return this.#deadline;
  }

  /** Whether an answer to this message id would be taken for one to an earlier CALL: it is outstanding, or timed out. */
  remembers(messageId: string): boolean {
    return [this.#outstanding?.call, ...this.#timedOut].some((call) => call?.messageId === messageId);
  }

  poll(): RpcOutput | undefined {
    return this.#outputs.shift();
  }

  /**
   * Makes a CALL: now, or when the CALLs before it are settled.
   *
   * @param call - Its message id is new on this connection. [J-051]
   * @param timeoutMs - How long to wait for the answer, from the moment of sending.
   * @param urgent - Whether it goes before those that wait and are not urgent.
   */
  call(call: CallFrame, timeoutMs: number, now: number, urgent = false): void {
    if (this.#closed) {
      this.#settle(call, { type: "CLOSED", sent: false });
      return;
    }
    const firstAfter = urgent ? this.#waiting.findIndex((other) => !other.urgent) : -1;
    this.#waiting.splice(firstAfter < 0 ? this.#waiting.length : firstAfter, 0, { call, timeoutMs, urgent });
    this.#sendNext(now);
  }

  /**
   * Says that nobody wants the answer to a CALL any more: one that was not sent never will be; one that was stays
   * outstanding, because OCPP cannot cancel. No `settled` follows for a CALL that was not sent.
   *
   * @returns Whether it never will be sent.
   */
  withdraw(messageId: string, now: number): boolean {
    const index = this.#waiting.findIndex(({ call }) => call.messageId === messageId);
    if (index >= 0) {
      this.#waiting.splice(index, 1);
      return true;
    }
    if (this.#outstanding?.call.messageId !== messageId || !this.#unsend(this.#outstanding.call)) return false;
    this.#clearOutstanding();
    this.#sendNext(now);
    return true;
  }

  /** Takes back every CALL that waits for its turn, as {@link withdraw} does one. */
  withdrawWaiting(): readonly CallFrame[] {
    return this.#waiting.splice(0).map(({ call }) => call);
  }

  /**
   * Takes what arrived.
   *
   * @param text - What it was read from. Default: what `encode` writes.
   */
  receive(frame: Frame | Malformed, now: number, text?: string): void {
    if (this.#closed) return;
    switch (frame.type) {
      case "CALL":
        this.#receiveCall(frame, now, text ?? encode(frame));
        break;
      case "CALLRESULT":
      case "CALLERROR":
        this.#receiveAnswer(frame, frame, now);
        break;
      case "MALFORMED":
        this.#receiveMalformed(frame, now);
        break;
    }
  }

  /** Answers a CALL that was `received` with a CALLRESULT. */
  respond(messageId: string, payload: unknown): void {
    const served = this.#serving.get(messageId);
    if (served === undefined) return;
    this.#serving.delete(messageId);
    const answer = { type: "CALLRESULT", messageId, payload } as const;
    const text = encode(answer);
    this.#answered.remember(served, text);
    this.#outputs.push({ type: "send", frame: answer, text, answers: served.call });
  }

  /** Answers a CALL that was `received` with a CALLERROR. */
  fail(messageId: string, errorCode: ErrorCode, errorDescription: string, errorDetails: object = {}): void {
    const served = this.#serving.get(messageId);
    if (served === undefined) return;
    this.#serving.delete(messageId);
    const answer = callError(messageId, errorCode, errorDescription, errorDetails);
    this.#outputs.push({ type: "send", frame: answer, answers: served.call });
  }

  /** Answers a CALL that is in `conflict` with another one. */
  refuse(messageId: string): void {
    if (this.#closed) return;
    this.#send(callError(messageId, "GenericError", "The message id is in use by an earlier CALL."));
  }

  /** Says that the CALL which was put out last could not be sent any more: the transport is closing. */
  notSent(): void {
    this.#isSent = false;
  }

  advance(now: number): void {
    if (this.#outstanding === undefined || now < this.#deadline) return;
    const { call, timeoutMs } = this.#outstanding;
    this.#timedOut.push(call);
    if (this.#timedOut.length > rememberedTimeouts) this.#timedOut.shift();
    this.#clearOutstanding();
    this.#settle(
      call,
      this.#isSent ? { type: "TIMEOUT", timeoutMs, silent: this.#silent } : { type: "CLOSED", sent: false },
    );
    this.#sendNext(now);
  }

  /** Says that the connection has ended: settles every CALL, forgets everything, sends nothing more. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    const outstanding = this.#outstanding?.call;
    const sent = this.#isSent && outstanding !== undefined && !this.#unsend(outstanding);
    // J-109: every pending CALL ends with the connection. J-D24, J-219: nobody is left to answer.
    this.#outputs = this.#outputs.filter(({ type }) => type !== "send" && type !== "received" && type !== "conflict");
    if (outstanding !== undefined) this.#settle(outstanding, { type: "CLOSED", sent });
    for (const { call } of this.#waiting) this.#settle(call, { type: "CLOSED", sent: false });
    this.#clearOutstanding();
    this.#waiting.length = 0;
    this.#timedOut.length = 0;
    this.#serving.clear();
    this.#answered.clear();
  }

  #receiveCall(call: CallFrame, now: number, text: string): void {
    const arrived = { call, receivedAt: now, text };
    const served = this.#serving.get(call.messageId);
    if (served !== undefined) {
      // J-057, J-D08. Some chargers repeat an unanswered CALL under the same id: the one answer that is coming serves
      // both. What becomes of a different one depends on what is in them, which is unknown here.
      this.#violation("duplicate-message-id", "The message id is that of a CALL which is still being served.", call);
      if (!isRepetition(arrived, served)) this.#outputs.push({ type: "conflict", call, served: served.call });
      return;
    }
    // Q14: the peer may not have got the answer, or got it too late.
    const answer = this.#answered.answerTo(arrived);
    if (answer !== undefined) {
      this.#violation("duplicate-message-id", "The CALL repeats one that was answered, under its message id.", call);
      this.#outputs.push({ type: "send", frame: decode(answer) as CallResultFrame, text: answer });
      return;
    }
    this.#serving.set(call.messageId, arrived);
    this.#outputs.push({ type: "received", call });
  }

  /** @param frame - What arrived, for the violation; the outcome may be a reading of it. */
  #receiveAnswer(outcome: CallResultFrame | CallErrorFrame | Malformed, frame: Frame | Malformed, now: number): void {
    this.#silent = false;
    const pending = this.#outstanding;
    const index = this.#timedOut.findIndex(({ messageId }) => messageId === outcome.messageId);
    if (pending !== undefined && pending.call.messageId === outcome.messageId) {
      this.#clearOutstanding();
      this.#settle(pending.call, outcome);
      this.#sendNext(now);
    } else if (index >= 0) {
      const [call] = this.#timedOut.splice(index, 1) as [CallFrame];
      if (outcome.type !== "MALFORMED") this.#outputs.push({ type: "late", call, answer: outcome });
      // J-110, J-D23: the peer is slow, not wrong.
      this.#violation("late-answer", "The answer came after its CALL had timed out.", frame);
    } else {
      // J-058, J-D20
      this.#violation("unmatched-answer", "The answer has a message id that no CALL is waiting for.", frame);
    }
  }

  #receiveMalformed(malformed: Malformed, now: number): void {
    const { intended, messageId, reason, message } = malformed;
    this.#violation(reason, message, malformed);
    if (messageId === undefined) return;
    // J-065, J-080: a CALL whose id can be read is answered. J-087: an answer never is.
    if (intended === "CALL") this.#send(callError(messageId, "FormationViolation", message));
    else if (messageId === this.#outstanding?.call.messageId) {
      this.#receiveAnswer(malformed.repaired ?? malformed, malformed, now);
    }
  }

  /** J-100: only while nothing is outstanding. J-102: the time-out runs from now. */
  #sendNext(now: number): void {
    if (this.#outstanding !== undefined) return;
    this.#outstanding = this.#waiting.shift();
    if (this.#outstanding === undefined) return;
    this.#deadline = now + this.#outstanding.timeoutMs;
    this.#silent = true;
    this.#isSent = true;
    this.#send(this.#outstanding.call);
  }

  #clearOutstanding(): void {
    this.#outstanding = undefined;
    this.#deadline = Number.POSITIVE_INFINITY;
  }

  #send(frame: Frame): void {
    this.#outputs.push({ type: "send", frame });
  }

  /** Takes back a frame that nobody has polled yet; false when it is gone. */
  #unsend(frame: Frame): boolean {
    const index = this.#outputs.findIndex((output) => output.type === "send" && output.frame === frame);
    if (index >= 0) this.#outputs.splice(index, 1);
    return index >= 0;
  }

  #settle(call: CallFrame, outcome: Outcome): void {
    this.#outputs.push({ type: "settled", call, outcome });
  }

  #violation(reason: RpcViolation, message: string, frame: Frame | Malformed): void {
    this.#outputs.push({ type: "violation", reason, message, frame });
  }
}

const callError = (
  messageId: string,
  errorCode: ErrorCode,
  errorDescription: string,
  errorDetails: object = {},
): CallErrorFrame => ({
  type: "CALLERROR",
  messageId,
  errorCode,
  errorDescription,
  errorDetails: errorDetails as Record<string, unknown>,
});
