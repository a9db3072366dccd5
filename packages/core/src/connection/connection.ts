import { type Clock, systemClock } from "../clock.ts";
import { CallError, ConnectionClosedError, type ErrorCode, PayloadError } from "../errors.ts";
import { atOnce, guarded, isPromise } from "../guarded.ts";
import { drive } from "../machine.ts";
import {
  type Action,
  type ActionFrom,
  type ActionTo,
  type Conf,
  isAction,
  maySend,
  type Req,
  type Role,
} from "../messages/actions.ts";
import type { ChargePointDescription, QuirkChoice } from "../messages/tolerance.ts";
import { parseConf } from "../messages/validate.ts";
import { oneLine } from "../one-line.ts";
import { takeOptions } from "../options.ts";
import {
  type CallFrame,
  type CallResultFrame,
  decode,
  encode,
  type Frame,
  longestMessageId,
  type Malformed,
} from "../rpc/frame.ts";
import { type Outcome, Rpc, type RpcOutput } from "../rpc/rpc.ts";
import { soundClock } from "../sound-clock.ts";
import { askedWith, internalError } from "./asked-call-error.ts";
import { isForBill } from "./bill.ts";
import { Budget } from "./budget.ts";
import { type CallOptions, noOptions } from "./call-options.ts";
import { type Caller, failureOf, lateCaller, lateCallers } from "./caller.ts";
import type { ConnectionEvents, Violation } from "./connection-events.ts";
import { type ConnectionOptions, connectionRules } from "./connection-options.ts";
import { Emitter } from "./emitter.ts";
import type { ExactAnswer } from "./exact-answer.ts";
import { randomMessageId } from "./message-id.ts";
import { PeerReader } from "./peer-reader.ts";
import { cannotSend, peerOf, register, takeCall } from "./permitted-actions.ts";
import { type CallContext, ServedCall } from "./served-call.ts";
import { SignsOfLife } from "./signs-of-life.ts";
import { TimeLimit } from "./time-limit.ts";
import type { Channel, Transport } from "./transport.ts";
import { Turns } from "./turns.ts";

/** What a handler is told besides the payload. */
export interface HandlerContext<out R extends Role, out Context = unknown> extends CallContext {
  /** The connection on which the CALL arrived; `call` may be used inside a handler. */
  readonly connection: Connection<R, Context>;
}

/**
 * Answers a CALL with the payload of its CALLRESULT. Throw {@link CallError} to answer with a CALLERROR. Anything else
 * that is thrown, an invalid answer and none in time go to `fault`, not to the peer: that is answered with
 * `InternalError`, and not at all where a bill depends on it, see {@link Connection}.
 */
export type Handler<R extends Role, A extends ActionTo<R>, Context = unknown> = (
  req: Req<A>,
  context: HandlerContext<R, Context>,
) => Conf<A> | Promise<Conf<A>>;

/** The facade that a connection belongs to: hears its events and answers what the connection itself has no handler for. */
export interface ConnectionOwner<R extends Role> {
  /** Whether CALLs of the peer get no answer at all. [CORE-BOOT-13, J-D12] */
  readonly silent?: boolean;
  /**
   * Why the peer may not send this CALL yet, in one sentence; `undefined` when it may. A promise where that is not known:
   * it is asked again once that resolves. Never rejects. [J-130, J-D11]
   */
  refuses?(connection: Connection<R>, action: string, payload: unknown): string | Promise<void> | undefined;
  /** Throws what the caller is to be told when this CALL must not be made now. [CORE-BOOT-22, CORE-BOOT-24] */
  assertAllowed?(connection: Connection<R>, action: Action): void;
  handlerOf(action: Action): AnyHandler<R> | undefined;
  /** The actions that turned out to have no handler, on any of its connections. */
  readonly unhandled?: Set<Action>;
  /** Hears that the handler for a CALL of the peer is about to run. `finished` tells of its end. */
  serving?(connection: Connection<R>, call: CallFrame): void;
  /** Hears of the CALLRESULT that a CALL of the peer is about to get; what it returns delays the answer. Never rejects. */
  responding?(connection: Connection<R>, action: Action, conf: unknown): Promise<void> | undefined;
  /**
   * Hears of a CALL of ours that was answered with a valid CALLRESULT, also when its caller no longer waits for it.
   *
   * @param answer - The frame as it was received; `conf` is its payload, which a quirk may have repaired.
   */
  confirmed?(connection: Connection<R>, call: CallFrame, conf: unknown, answer: CallResultFrame): void;
  /**
   * What to wait for before a CALL that a bill depends on is refused because it cannot be read, while it is not known who
   * sent it and quirks depend on that; `undefined` when it is to be refused. It is read again once that resolves.
   */
  unreadable?(connection: Connection<R>): Promise<void> | undefined;
  /** Hears who a Charge Point is. */
  introduced?(chargePoint: ChargePointDescription): void;
  /** Whether the listeners of its own hear of an event. */
  hears?(name: keyof ConnectionEvents): boolean;
  /** Hears of each event at once, before the listeners of the connection. */
  emitted(connection: Connection<R>, name: keyof ConnectionEvents, event: object): void;
}

/** A handler whose action is known at run time only. */
export type AnyHandler<R extends Role> = (req: never, context: HandlerContext<R, never>) => unknown;

/**
 * One WebSocket between a Charge Point and a Central System, at either end: typed CALLs out, handlers for CALLs in.
 *
 * It lives as long as its transport. Whoever reconnects makes a new one, so nothing leaks from one connection into the
 * next.
 *
 * A CALL that a bill depends on (StartTransaction, StopTransaction, MeterValues of a transaction) is never answered with a
 * CALLERROR because of a failure on this side (of its handler, of a quirk): it is not answered, and the connection is closed
 * with 1013 a second later, or with the next such failure, so that the Charge Point sends it again. So it is with a
 * StartTransaction or StopTransaction that has no handler.
 *
 * @spec OCPP-J 1.6 §3, §4
 */
export class Connection<out R extends Role, out Context = unknown> extends Emitter<ConnectionEvents> {
  /** Which end this is. */
  readonly role: R;
  /** The identity of the Charge Point. [J-009] */
  readonly identity: string;
  /** Since when it is, in milliseconds since the epoch, on the clock that it was given. */
  readonly connectedAt: number;
  /** What `authenticate` has found out about the peer, at the end of a Central System. */
  readonly context: Context;
  readonly #transport: Transport;
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #maxWaitingCalls: number;
  readonly #turns: Turns<ServedCall<Connection<R>>>;
  readonly #handlerTimeoutMs: number;
  readonly #budget: Budget | undefined;
  readonly #createMessageId: () => string;
  readonly #owner: ConnectionOwner<R> | undefined;
  /** Its own; most have those of the Central System. */
  #handlers: Map<Action, AnyHandler<R>> | undefined;
  /** The actions without a handler that the owner was told of. */
  readonly #unhandled: Set<Action>;
  readonly #rpc = new Rpc(({ action }) => !tellsTheTime(action));
  readonly #run: () => void;
  readonly #callers = new Map<string, Caller>();
  /** The CALLs of the peer that are not answered yet, by message id. */
  readonly #served = new Map<string, ServedCall<Connection<R>>>();
  readonly #handlerLimit: TimeLimit<ServedCall<Connection<R>>>;
  #latestMessageId: string | undefined;
  /** How many characters the latest message has that arrived. */
  #arrivedLength = 0;
  /** When the outstanding CALL was sent. */
  #sentAt = 0;
  readonly #reader: PeerReader;
  readonly #life: SignsOfLife;
  /** With what it is closed once no handler runs. */
  #draining: { readonly code: number; readonly reason: string } | undefined;
  /** Prevents the closing that makes the peer send again what was not answered. */
  #keepOpen: (() => void) | undefined;
  #closed: { readonly code: number; readonly reason: string } | undefined;

  /**
   * Takes over an open transport. Frames are read from the next turn of the event loop on, so handlers registered right
   * after construction miss none.
   *
   * @param owner - Internal: the facade that made this connection.
   * @param context - Internal: what `authenticate` has found out about the peer.
   * @throws TypeError One of the options is not what it may be, or there is no such option.
   */
  constructor(transport: Transport, options: ConnectionOptions<R>, owner?: ConnectionOwner<R>, context?: Context) {
    super();
    this.context = context as Context;
    const taken = takeOptions<ConnectionOptions<R>>("Connection", options, connectionRules);
    this.role = taken.role;
    this.identity = taken.identity;
    this.#transport = transport;
    this.#clock = soundClock(taken.clock ?? systemClock, { fault: (error) => this.emit("fault", { error }) });
    this.#timeoutMs = taken.timeoutMs ?? 30_000;
    this.#maxWaitingCalls = taken.maxWaitingCalls ?? 1000;
    this.#turns = new Turns(taken.maxServedCalls ?? 100);
    this.#handlerTimeoutMs = taken.handlerTimeoutMs ?? 60_000;
    this.#handlerLimit = new TimeLimit(
      this.#clock,
      () => this.#served.values(),
      (served) => this.#overdue(served),
    );
    this.#budget = taken.callsPerSecond === undefined ? undefined : new Budget(taken.callsPerSecond);
    this.#createMessageId = taken.createMessageId ?? randomMessageId;
    this.#owner = owner;
    this.#unhandled = owner?.unhandled ?? new Set();
    this.#reader = new PeerReader(this, this.#clock, taken.identity, taken.tolerate ?? []);
    this.connectedAt = this.#clock.now();
    this.#life = new SignsOfLife(this, this.#clock, this.connectedAt);
    this.#run = drive(this.#rpc, this.#clock, (output) => this.#perform(output));
    const listening: unknown = transport.listen({
      message: (text) => this.#receive(text),
      heard: () => this.#life.heard(),
      pong: () => this.#life.ponged(),
      unanswered: () => {
        if (this.#closed === undefined) this.#life.unanswered();
      },
      close: (code, reason) => this.#end(code, reason),
    });
    this.#guard(() => listening);
  }

  /** The network address of the peer, where it is known; behind a proxy that is not trusted, that of the proxy. */
  get remoteAddress(): string | undefined {
    return this.#transport.remoteAddress;
  }

  /** Security profile, subprotocol, TLS and certificate, where the handshake was seen: with `listen`. */
  get channel(): Channel | undefined {
    return this.#transport.channel;
  }

  /** When something arrived last, if only a pong, in milliseconds since the epoch; at first `connectedAt`. */
  get lastHeardAt(): number {
    return this.#life.lastHeardAt;
  }

  /** How long the answer to the latest ping took, in milliseconds; `undefined` before the first, and where nobody pings. */
  get roundTripMs(): number | undefined {
    return this.#transport.roundTripMs;
  }

  /** How many bytes wait to be sent, because the peer does not read them; `undefined` where that is not known. */
  get bufferedBytes(): number | undefined {
    return this.#transport.bufferedBytes;
  }

  /**
   * Registers the handler for an action of the peer. Without one, it is told as a `fault` and answered with `NotSupported`;
   * StartTransaction and StopTransaction are not answered, see {@link Connection}.
   *
   * @throws TypeError There already is a handler, `handler` is no function, or the peer cannot send this action.
   */
  handle<A extends ActionTo<R>, H extends Handler<R, A, Context>>(
    action: A,
    handler: H & ExactAnswer<H, Conf<A>>,
  ): void {
    this.#handlers ??= new Map();
    register(this.#handlers, this.role, action, handler);
  }

  /**
   * Sends a CALL and resolves with the payload of its CALLRESULT.
   *
   * At most one CALL is outstanding per connection; later ones wait their turn.
   *
   * @param action - One of the actions this role may send.
   * @param req - Payload of `<action>.req`; checked before anything is sent.
   * @returns Payload of `<action>.conf`, checked.
   * @throws PayloadError `req` violates its schema (`origin: "local"`, nothing was sent) or the answer does.
   * @throws CallError The peer answered CALLERROR.
   * @throws CallTimeoutError No answer in time.
   * @throws ConnectionClosedError The connection closed first, or was closed; see `sent`.
   * @throws RangeError Too many CALLs are waiting already.
   * @throws TypeError This role cannot send the action, one of the options is not what it may be, or `createMessageId` made
   * an id that is none or is in use.
   * @throws The reason of `signal`, when it aborts first; what `createMessageId` throws.
   * @spec OCPP-J 1.6 §4.1.1, §4.2 [J-100 … J-110]
   */
  call<A extends ActionFrom<R>>(action: A, req: Req<A>, options: CallOptions = noOptions): Promise<Conf<A>> {
    return new Promise<Conf<A>>((resolve, reject) => {
      const { payload, taken } = takeCall(this.role, action, req, options);
      const { timeoutMs = this.#timeoutMs, urgent, signal, keepSent, late } = taken;
      this.#owner?.assertAllowed?.(this, action);
      const messageId = this.#newMessageId();
      if (signal?.aborted) throw signal.reason;
      if (this.#closed !== undefined) throw new ConnectionClosedError(action, { ...this.#closed, sent: false }); // J-220
      // What goes first must not be kept out by what waits.
      if (this.#rpc.waiting >= this.#maxWaitingCalls * (urgent ? 2 : 1)) {
        throw new RangeError(`${this.#rpc.waiting} CALLs are already waiting to be sent. Await some of them first.`);
      }
      const abort = (): void => {
        const isWithdrawn = this.#rpc.withdraw(messageId, this.#clock.now());
        if (keepSent && !isWithdrawn) return;
        this.#takeCaller(messageId)?.reject(signal?.reason);
        this.#run();
      };
      atOnce("addEventListener", signal?.addEventListener("abort", abort));
      const release = (): void =>
        guarded(
          () => signal?.removeEventListener("abort", abort),
          (error) => this.emit("fault", { error, action }),
        );
      this.#callers.set(messageId, { resolve, reject, release, late });
      this.#rpc.call({ type: "CALL", messageId, action, payload }, timeoutMs, this.#clock.now(), urgent);
      this.#run();
    });
  }

  /** Internal: rejects every CALL that waits for its turn, which is never sent. */
  takeBack(reason: unknown): void {
    for (const { messageId } of this.#rpc.withdrawWaiting()) this.#takeCaller(messageId)?.reject(reason);
  }

  /** Nothing else will tell this caller anything. */
  #takeCaller(messageId: string): Caller | undefined {
    const caller = this.#callers.get(messageId);
    this.#callers.delete(messageId);
    caller?.release();
    return caller;
  }

  /**
   * Sets what is forgiven of what the peer sends from now on, in place of what was before: for example when
   * BootNotification has told the vendor and the model. An empty list: nothing. A function is asked when something was
   * refused, once for what is known of the Charge Point; when it throws or answers nonsense, that is a `fault`, nothing is
   * forgiven, and it is asked again the next time. A bill that cannot be read for that reason is not answered, as where a
   * handler fails.
   *
   * @throws TypeError It is neither quirks nor a function.
   */
  tolerate(quirks: QuirkChoice): void {
    this.#reader.tolerate(quirks);
  }

  /** Internal, for the Central System: says who the Charge Point is, in the fields of its BootNotification. */
  introduce(fields: unknown): void {
    this.#reader.introduce(fields);
  }

  /** Takes note of who sends a BootNotification, which may need its quirks to be read. */
  #introduced(payload: unknown): void {
    this.introduce(payload);
    this.#owner?.introduced?.(this.#reader.chargePoint);
  }

  /**
   * Asks the peer for a sign of life. A pong is one at once. Anything else that arrives counts only if the connection is
   * still open when the time is over: it may be what ends it.
   *
   * @param timeoutMs - How long to wait for it, in milliseconds.
   * @returns Whether there was one in time; false where the transport cannot ask, and once it is closed. Never rejects.
   */
  probe(timeoutMs: number): Promise<boolean> {
    if (this.#closed !== undefined || this.#transport.ping === undefined) return Promise.resolve(false);
    return this.#life.probe(timeoutMs, () => this.#guard(() => this.#transport.ping?.()));
  }

  /**
   * Ends the connection, at once and for good: callers that wait get {@link ConnectionClosedError}, nothing more is sent
   * or received, and `closed` is emitted. Calling it again does nothing.
   *
   * @param code - WebSocket close code. Default 1000.
   * @param reason - At most 123 bytes of UTF-8, for the peer's operator. Default empty.
   */
  close(code = 1000, reason = ""): void {
    if (this.#closed !== undefined) return;
    this.#end(code, reason);
    this.#guard(() => this.#transport.close(code, reason));
  }

  /**
   * Ends the connection as {@link Connection.close} does, but not before the handlers that run have answered. CALLs of the
   * peer that arrive meanwhile are not served and not answered: it sends them again on its next connection.
   *
   * @returns Resolves once it is closed. Never rejects.
   */
  drain(code = 1000, reason = ""): Promise<void> {
    this.#draining ??= { code, reason };
    const closed = new Promise<void>((resolve) => {
      if (this.#closed === undefined) this.once("closed", () => resolve());
      else resolve();
    });
    this.#closeIfDrained();
    return closed;
  }

  #closeIfDrained(): void {
    if (this.#draining === undefined) return;
    if ([...this.#served.values()].some(({ isRunning }) => isRunning)) return;
    this.close(this.#draining.code, this.#draining.reason);
  }

  /**
   * Internal, for the Central System: says how long a peer may be silent that never answers a ping. Longer, and the
   * connection is closed with 1008. Who answers pings is judged by the transport.
   */
  limitSilence(longestSilenceMs: number): void {
    if (this.#closed === undefined) this.#life.limitSilence(longestSilenceMs);
  }

  #receive(text: string): void {
    if (this.#closed !== undefined) return;
    this.#life.heard();
    const decoded = decode(text);
    const frame = decoded.type === "MALFORMED" ? this.#reader.repair(text, decoded, () => this.#failedBill()) : decoded;
    if (frame.type !== "MALFORMED") this.emit("message", { direction: "in", frame: this.#toTell(frame, text) });
    if (this.#owner?.silent && intendedType(frame) === "CALL") {
      this.#violation(
        "not-accepted",
        "The Central System sent a CALL although it has rejected the Charge Point.",
        frame,
      );
      return;
    }
    this.#arrivedLength = text.length;
    this.#rpc.receive(frame, this.#clock.now(), text);
    this.#run();
  }

  /** What listeners are told of a frame: where there are any, another reading of it, which they may change. */
  #toTell(frame: Frame, text: string): Frame {
    if (!this.isHeard("message") && !this.#owner?.hears?.("message")) return frame;
    const again = decode(text);
    return again.type === "MALFORMED" ? frame : again;
  }

  #perform(output: RpcOutput): void {
    switch (output.type) {
      case "send":
        this.#send(output.frame, output.text ?? encode(output.frame), output.answers);
        break;
      case "received":
        this.#serve(output.call);
        break;
      case "conflict":
        this.#conflict(output.call);
        break;
      case "settled":
        this.#settle(output.call, output.outcome);
        break;
      case "late":
        this.#resolve(output.call, output.answer, lateCaller(output.call));
        break;
      case "violation":
        this.#violation(output.reason, output.message, output.frame);
        break;
    }
  }

  #send(frame: Frame, text: string, answers: CallFrame | undefined): void {
    if (frame.type === "CALL") this.#sentAt = this.#clock.now();
    // CORE-BOOT-13: not even what was asked before.
    const isHeldBack = this.#owner?.silent === true && frame.type !== "CALL";
    const isSent = !isHeldBack && this.#hand(text);
    if (isSent) this.emit("message", { direction: "out", frame: this.#toTell(frame, text) });
    else if (frame.type === "CALL") this.#rpc.notSent();
    if (answers !== undefined) this.#finish(answers.messageId, isSent ? (frame as Outcome) : unanswered);
  }

  /** @returns Whether the transport took it: that may be closing, or give up the peer because of this. */
  #hand(text: string): boolean {
    let isOpen = true;
    const act = (): unknown => {
      const returned: unknown = this.#transport.send(text);
      isOpen = this.#transport.closing !== true;
      return returned;
    };
    return this.#guard(act) && isOpen;
  }

  /** Ends the serving of a CALL. */
  #finish(messageId: string, outcome: Outcome): void {
    const served = this.#served.get(messageId);
    if (served === undefined) return; // It ended with the connection.
    this.#served.delete(messageId);
    served.settle(outcome !== unanswered);
    const { call, receivedAt } = served;
    this.emit("finished", { direction: "in", call, outcome, elapsedMs: this.#clock.now() - receivedAt });
    this.#closeIfDrained();
    const next = this.#closed === undefined ? this.#turns.ended() : undefined;
    if (next !== undefined) this.#begin(next);
  }

  /** Serves a CALL, at once or when it is its turn. */
  #serve(call: CallFrame): void {
    const served = new ServedCall(this, call, this.#clock.now(), this.#arrivedLength);
    this.#served.set(call.messageId, served);
    if (this.#turns.take(served)) this.#begin(served);
    else if (this.#turns.isOverrun) this.#overloaded(call);
  }

  /** Goes on with a CALL whose turn it is, at once or when the budget allows it. */
  #begin(served: ServedCall<Connection<R>>): void {
    const now = this.#clock.now();
    const time = this.#budget?.spend(now) ?? now;
    if (time <= now) this.#judge(served);
    else served.wait(this.#clock.wakeAt(time, () => this.#resume(served)));
  }

  /** Goes on with a CALL that had to wait. */
  #resume(served: ServedCall<Connection<R>>): void {
    if (!this.#isServed(served)) return;
    this.#judge(served);
    this.#run();
  }

  /** Whether a CALL still wants its answer: the connection may have ended, or the CALL been answered otherwise. */
  #isServed(served: ServedCall<Connection<R>>): boolean {
    return this.#served.get(served.messageId) === served;
  }

  /** Rows J-D11 … J-D16 of the decision table: may the peer send it, is there a handler, and has the payload the right shape? */
  #judge(served: ServedCall<Connection<R>>): void {
    if (this.#draining !== undefined) return; // The peer sends it again on its next connection.
    const { call } = served;
    const { action, payload } = call;
    const refusal = this.#owner?.refuses?.(this, action, payload);
    if (typeof refusal === "object") {
      void refusal.then(() => this.#resume(served));
      return;
    }
    if (refusal !== undefined) {
      this.#refuse(call, "not-accepted", "SecurityError", refusal);
      return;
    }
    if (!isAction(action)) {
      this.#refuse(call, "unknown-action", "NotImplemented", "OCPP 1.6 has no action of that name.");
      return;
    }
    if (!maySend(peerOf(this.role), action)) {
      this.#refuse(call, "unsupported-action", "NotSupported", cannotSend(peerOf(this.role), action));
      return;
    }
    const handler = this.#handlers?.get(action) ?? this.#owner?.handlerOf(action);
    if (handler === undefined) {
      this.#withoutHandler(call, action);
      return;
    }
    let hasFailed = false;
    try {
      if (action === "BootNotification") this.#introduced(payload);
      const { payload: req, uses } = this.#reader.parse(action, "req", payload, () => (hasFailed = true));
      served.tolerated = uses;
      if (this.#closed !== undefined) return; // By a listener of `tolerated`.
      void this.#answer(served, action, handler, req as never);
    } catch (error) {
      const introduction = this.#reader.isForStranger && served.isForBill ? this.#owner?.unreadable?.(this) : undefined;
      if (introduction !== undefined) {
        void introduction.then(() => this.#resume(served));
        return;
      }
      const { code, description } = error as PayloadError;
      if (hasFailed && served.isForBill) this.#failedBill();
      else this.#refuse(call, "payload", code, description);
    }
  }

  /**
   * J-D14, which is nothing that the peer does wrong. What a bill consists of is kept for the day on which there is a
   * handler; readings that nobody wants must not stand in its way.
   */
  #withoutHandler({ messageId }: CallFrame, action: Action): void {
    if (!this.#unhandled.has(action)) {
      this.#unhandled.add(action);
      this.emit("fault", { error: new Error(noHandler(action)), action });
    }
    if (action === "StartTransaction" || action === "StopTransaction") this.#failedBill();
    else this.#rpc.fail(messageId, "NotSupported", `${action} is not supported here.`);
  }

  /** J-D08: a CALLERROR would end the one or the other, whichever the peer takes it for. */
  #conflict(call: CallFrame): void {
    if (isForBill(call.action, call.payload)) this.#failedBill();
    else if (!this.#served.get(call.messageId)?.isForBill) this.#rpc.refuse(call.messageId);
  }

  /**
   * J-065 says to answer every CALL, but a CALLERROR makes some chargers forget the bill that was in it. A connection
   * that closes makes them send it again.
   */
  #overloaded(call: CallFrame): void {
    this.#violation("too-many-calls", "Too many CALLs are unanswered.", call);
    this.close(1008, "Too many unanswered CALLs");
  }

  #refuse(call: CallFrame, reason: Violation, code: ErrorCode, description: string): void {
    this.#violation(reason, description, call);
    this.#rpc.fail(call.messageId, code, description);
  }

  /** Rows J-D17 … J-D19 of the decision table: the handler's result, or what it threw, becomes the answer. */
  async #answer(served: ServedCall<Connection<R>>, action: Action, handler: AnyHandler<R>, req: never): Promise<void> {
    served.isRunning = true;
    this.#owner?.serving?.(this, served.call);
    try {
      const answer = handler(req, served as never);
      if (isPromise(answer) && this.#isServed(served)) this.#limit(served); // Others have answered.
      const conf = parseConf(action, await answer, "local");
      served.dueAt = Number.POSITIVE_INFINITY;
      // What cannot be answered any more counts for nothing: a newer connection may have got another answer.
      if (!this.#isServed(served)) return;
      const delay = this.#owner?.responding?.(this, action, conf);
      if (delay !== undefined) await delay;
      if (this.#isServed(served)) this.#rpc.respond(served.messageId, conf);
    } catch (error) {
      if (!served.isAbortedWith(error)) this.#failed(served, action, error);
    }
    this.#run();
  }

  #limit(served: ServedCall<Connection<R>>): void {
    served.dueAt = this.#clock.now() + this.#handlerTimeoutMs;
    this.#handlerLimit.began(served);
  }

  /** A handler takes too long. Where there is no answer yet, one that comes in the end is still sent. */
  #overdue(served: ServedCall<Connection<R>>): void {
    const { action } = served.call;
    const error = new Error(`The handler for ${action} has not answered within ${this.#handlerTimeoutMs} ms.`);
    served.abort(error);
    this.#failed(served, action as Action, error);
    this.#run();
  }

  #failed(served: ServedCall<Connection<R>>, action: Action, error: unknown): void {
    const asked = askedWith(error);
    if (asked === undefined) this.emit("fault", { error, action });
    if (!this.#isServed(served)) return;
    served.stop();
    if (asked === undefined && served.isForBill) this.#failedBill();
    else {
      const { code, description, details } = asked ?? internalError;
      this.#rpc.fail(served.messageId, code, description, details);
    }
  }

  /** J-065 says to answer every CALL; here, too, the peer is made to send it again instead. Not at once: others are served. */
  #failedBill(): void {
    const close = (): void => this.close(1013, "A message of a transaction could not be kept; send it again");
    if (this.#draining !== undefined) this.#closeIfDrained();
    else if (this.#keepOpen !== undefined) close();
    else this.#keepOpen = this.#clock.wakeAt(this.#clock.now() + failedBillMs, close);
  }

  #settle(call: CallFrame, outcome: Outcome): void {
    const wasSent = outcome.type !== "CLOSED" || outcome.sent;
    const elapsedMs = wasSent ? this.#clock.now() - this.#sentAt : 0;
    const caller = this.#takeCaller(call.messageId);
    if (outcome.type === "TIMEOUT" && caller?.late !== undefined) lateCallers.set(call, caller.late);
    this.#resolve(call, outcome, caller);
    this.emit("finished", { direction: "out", call, outcome, elapsedMs });
  }

  /** Tells who wants to know how a CALL ended; its caller is not among them once it has aborted it. */
  #resolve(call: CallFrame, outcome: Outcome, caller: Pick<Caller, "resolve" | "reject"> | undefined): void {
    try {
      if (outcome.type !== "CALLRESULT") throw failureOf(call, outcome, this.#closed);
      const conf = this.#reader.parse(call.action as Action, "conf", outcome.payload).payload;
      this.#owner?.confirmed?.(this, call, conf, outcome);
      caller?.resolve(conf as never);
    } catch (error) {
      // J-088, J-D21: nothing is sent; the caller learns what is wrong with the answer.
      if (error instanceof PayloadError && outcome.type === "CALLRESULT") {
        this.#violation("payload", error.description, outcome);
      }
      caller?.reject(error);
    }
  }

  #end(code: number, reason: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = { code, reason: oneLine(reason) };
    this.#rpc.close();
    // Here, even when an output is being performed already: `closed` comes after all of them.
    for (let output = this.#rpc.poll(); output !== undefined; output = this.#rpc.poll()) this.#perform(output);
    this.#run(); // Disarms the clock.
    this.#keepOpen?.();
    this.#life.end();
    for (const messageId of [...this.#served.keys()]) this.#finish(messageId, unanswered);
    this.#handlerLimit.stop();
    this.emit("closed", this.#closed);
  }

  #newMessageId(): string {
    const messageId = atOnce("createMessageId", this.#createMessageId());
    const isId = typeof messageId === "string" && messageId !== "" && messageId.length <= longestMessageId;
    if (
      !isId ||
      messageId === this.#latestMessageId ||
      this.#callers.has(messageId) ||
      this.#rpc.remembers(messageId)
    ) {
      throw new TypeError(`createMessageId made "${messageId}". Make ids of 1 to 36 characters, each only once.`);
    }
    this.#latestMessageId = messageId;
    return messageId;
  }

  #violation(reason: Violation, message: string, frame: Frame | Malformed): void {
    this.emit("violation", { reason, message, frame });
  }

  protected override emitted<E extends keyof ConnectionEvents>(name: E, event: ConnectionEvents[E][0]): void {
    this.#owner?.emitted(this, name, event);
  }

  /**
   * Lets the transport act; one that throws is as good as closed, and so is one that returns a promise which rejects.
   *
   * @returns Whether it has not thrown.
   */
  #guard(act: () => unknown): boolean {
    let failed = false;
    guarded(act, (error) => {
      failed = true;
      this.emit("fault", { error });
      this.#end(1006, "The transport failed");
    });
    return !failed;
  }
}

/** The actions whose answer has a `currentTime`: an old answer would set a clock wrong, so each CALL is served. */
export const tellsTheTime = (action: string): boolean => action === "BootNotification" || action === "Heartbeat";

/** What becomes of a CALL of the peer whose answer cannot be sent, or must not. */
const unanswered: Outcome = { type: "CLOSED", sent: false };

/** How long a connection stays open when a message that a bill depends on could not be answered. */
const failedBillMs = 1000;

const noHandler = (action: Action): string =>
  `There is no handler for ${action}. Add one with handle("${action}", ...), if only to throw a CallError("NotSupported").`;

const intendedType = (frame: Frame | Malformed): Frame["type"] | undefined =>
  frame.type === "MALFORMED" ? frame.intended : frame.type;
