import { type HostAbortController, type HostAbortSignal, hostAbortController } from "../abort.ts";
import type { Tolerated } from "../messages/tolerance.ts";
import type { CallFrame } from "../rpc/frame.ts";
import { isForBill } from "./bill.ts";

/** What a handler is told of the CALL besides the payload. */
export interface CallContext {
  /** The message id of the CALL. Unique on this connection only. */
  readonly messageId: string;
  /**
   * What was forgiven of the payload, by a quirk; most often nothing. A value that nobody has sent, a time for example, is
   * `guessed` there: see its `path`.
   */
  readonly tolerated: readonly Tolerated[];
  /**
   * Resolves once the answer has been handed to the transport, with true, or can no longer be, with false. Never
   * rejects. What must follow the answer waits for it: `context.answered.then(reboot)`. Awaiting it inside the handler
   * would wait for ever, because the answer is what the handler returns.
   *
   * @spec OCPP 1.6 §5.17 [J-111]
   */
  readonly answered: Promise<boolean>;
  /**
   * Aborts when nobody waits for the answer any more: the connection has ended, or the time is up. Give it to what takes
   * its time, such as `fetch`. What the handler throws then counts for nothing, if it is the reason of this.
   */
  readonly signal: HostAbortSignal;
}

/** A CALL of the peer that is being served on a connection. */
export class ServedCall<Connection> implements CallContext {
  readonly connection: Connection;
  readonly call: CallFrame;
  readonly receivedAt: number;
  /** How many characters it has. */
  readonly length: number;
  /** Whether a bill depends on it: as it arrived, whatever a handler does to the payload. */
  readonly isForBill: boolean;
  tolerated: readonly Tolerated[] = [];
  /** When its handler has had its time; `Infinity` where there is none to wait for. */
  dueAt = Number.POSITIVE_INFINITY;
  /** Whether it has begun to be answered, and has neither been nor failed. */
  isRunning = false;
  #disarm: (() => void) | undefined;
  #sent: boolean | undefined;
  #promise: Promise<boolean> | undefined;
  #resolve: ((sent: boolean) => void) | undefined;
  #controller: HostAbortController | undefined;
  /** Why nobody waits for the answer any more; an error, so that it is told from what was never aborted. */
  #reason: Error | undefined;

  constructor(connection: Connection, call: CallFrame, receivedAt: number, length: number) {
    this.connection = connection;
    this.call = call;
    this.receivedAt = receivedAt;
    this.length = length;
    this.isForBill = isForBill(call.action, call.payload);
  }

  get messageId(): string {
    return this.call.messageId;
  }

  get answered(): Promise<boolean> {
    this.#promise ??= new Promise((resolve) => {
      if (this.#sent === undefined) this.#resolve = resolve;
      else resolve(this.#sent);
    });
    return this.#promise;
  }

  get signal(): HostAbortSignal {
    if (this.#controller === undefined) {
      this.#controller = hostAbortController();
      if (this.#reason !== undefined) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }

  /** It has to wait. @param disarm - Prevents what is to happen then. */
  wait(disarm: () => void): void {
    this.#disarm = disarm;
  }

  abort(reason: Error): void {
    this.#reason ??= reason;
    this.#controller?.abort(this.#reason);
  }

  /** Whether this is what the signal has led to: the handler did as it was told. */
  isAbortedWith(error: unknown): boolean {
    if (this.#reason === undefined) return false;
    try {
      const { cause, name } = error as Partial<Error>;
      // Functions of the runtime throw errors of their own because of it.
      return error === this.#reason || cause === this.#reason || name === "AbortError";
    } catch {
      return false; // Something that cannot even be looked at.
    }
  }

  /** Nothing runs for it any more. */
  stop(): void {
    this.isRunning = false;
    this.dueAt = Number.POSITIVE_INFINITY;
  }

  settle(sent: boolean): void {
    this.stop();
    this.#disarm?.();
    this.#sent ??= sent;
    this.#resolve?.(this.#sent);
    if (!sent) this.abort(new Error("The connection has ended."));
  }
}
