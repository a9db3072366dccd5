import { type HostAbortController, type HostAbortSignal, hostAbortController } from "../abort.ts";
import type { Role } from "../messages/actions.ts";
import type { Tolerated } from "../messages/tolerance.ts";
import type { CallFrame } from "../rpc/frame.ts";
import type { Connection, HandlerContext } from "./connection.ts";

/** A CALL of the peer that is being served. */
export class ServedCall<R extends Role> implements HandlerContext<R> {
  readonly connection: Connection<R>;
  readonly call: CallFrame;
  readonly receivedAt: number;
  tolerated: readonly Tolerated[] = [];
  /** When its handler has had its time; `Infinity` while that is not at work: not yet, or it has failed. */
  dueAt = Number.POSITIVE_INFINITY;
  #disarm: (() => void) | undefined;
  #sent: boolean | undefined;
  #promise: Promise<boolean> | undefined;
  #resolve: ((sent: boolean) => void) | undefined;
  #controller: HostAbortController | undefined;
  /** Why nobody waits for the answer any more; an error, so that it is told from what was never aborted. */
  #reason: Error | undefined;

  constructor(connection: Connection<R>, call: CallFrame, receivedAt: number) {
    this.connection = connection;
    this.call = call;
    this.receivedAt = receivedAt;
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

  /** Whether this is what the signal has said: the handler did as it was told. */
  isAbortedWith(error: unknown): boolean {
    return this.#reason !== undefined && error === this.#reason;
  }

  settle(sent: boolean): void {
    this.dueAt = Number.POSITIVE_INFINITY;
    this.#disarm?.();
    this.#sent ??= sent;
    this.#resolve?.(this.#sent);
    if (!sent) this.abort(new Error("The connection has ended."));
  }
}
