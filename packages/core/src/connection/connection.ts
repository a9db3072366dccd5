import type { AbortSignalLike, HostAbortSignal } from "../abort.ts";
import { type Clock, systemClock } from "../clock.ts";
import { dateTimeOf } from "../date-time.ts";
import {
  CallError,
  CallTimeoutError,
  ConnectionClosedError,
  detailsOf,
  type ErrorCode,
  errorCodeOf,
  errorCodes,
  PayloadError,
} from "../errors.ts";
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
import type { ChargePointDescription, Quirk, QuirkChoice, RepairedPayload, Tolerated } from "../messages/tolerance.ts";
import { parseConf, parseReq } from "../messages/validate.ts";
import { oneLine } from "../one-line.ts";
import { type OptionRules, optionRules, takeOption, takeOptions } from "../options.ts";
import {
  type CallFrame,
  type CallResultFrame,
  decode,
  encode,
  type Frame,
  frameReader,
  longestMessageId,
  type Malformed,
} from "../rpc/frame.ts";
import { type Outcome, Rpc, type RpcOutput, type RpcViolation } from "../rpc/rpc.ts";
import { soundClock } from "../sound-clock.ts";
import { isForBill, mayBeForBill } from "./bill.ts";
import { Budget } from "./budget.ts";
import { Emitter } from "./emitter.ts";
import type { ExactAnswer } from "./exact-answer.ts";
import { randomMessageId } from "./message-id.ts";
import { ServedCall } from "./served-call.ts";
import { TimeLimit } from "./time-limit.ts";
import type { Channel, Transport } from "./transport.ts";

/** What a handler is told besides the payload. */
export interface HandlerContext<out R extends Role, out Context = unknown> {
  /** The connection on which the CALL arrived; `call` may be used inside a handler. */
  readonly connection: Connection<R, Context>;
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

/**
 * Answers a CALL with the payload of its CALLRESULT. Throw {@link CallError} to answer with a CALLERROR. Anything else
 * that is thrown, an invalid answer and none in time go to `fault`, not to the peer: that is answered with
 * `InternalError`, and not at all where a bill depends on it, see {@link Connection}.
 */
export type Handler<R extends Role, A extends ActionTo<R>, Context = unknown> = (
  req: Req<A>,
  context: HandlerContext<R, Context>,
) => Conf<A> | Promise<Conf<A>>;

/** How a peer breaks the rules. */
export type Violation =
  | RpcViolation
  | "unknown-action"
  | "unsupported-action"
  | "payload"
  | "too-many-calls"
  | "not-accepted";

/**
 * The events of a {@link Connection}; a listener gets one read-only object. `closed` is the last. What a listener causes,
 * for example by closing the connection, is told when all listeners have been told of what it was called for. What a
 * listener throws, or the promise that it returns rejects with, becomes a `fault`.
 */
export interface ConnectionEvents {
  /** A frame arrived, or was handed to the transport: as it is, with every new AuthorizationKey. For logs: `redacted`. */
  message: [event: { readonly direction: "in" | "out"; readonly frame: Frame }];
  /** The peer broke the protocol. It has been dealt with as the documents say; the connection goes on. */
  violation: [
    event: {
      readonly reason: Violation;
      /** What was wrong, in one sentence. */
      readonly message: string;
      readonly frame: Frame | Malformed;
    },
  ];
  /**
   * A quirk was made use of, to read what would have been refused; once for each place that was wrong. Of a payload it is
   * told after the `message` with its frame, of a frame before.
   */
  tolerated: [event: Tolerated];
  /**
   * A CALL is over: it was answered, or never will be. Follows the `message` of the answer. Not told of a CALL of ours
   * whose caller aborted it before it was sent.
   */
  finished: [event: FinishedCall];
  /**
   * Something on our side failed: a handler, a listener, a quirk or the choice of them, `createMessageId` or the transport
   * threw or answered nonsense; or an action has no handler, which is told once for each.
   */
  fault: [event: { readonly error: unknown; readonly action?: Action }];
  /** The connection has ended; emitted once. Nothing follows it but the `fault` of what still ran: a handler, a listener, the transport. */
  closed: [event: { readonly code: number; readonly reason: string }];
}

/** A CALL that is over. */
export interface FinishedCall {
  /** `in`: the peer's. `out`: ours. */
  readonly direction: "in" | "out";
  readonly call: CallFrame;
  /** The answer, or why there is none. */
  readonly outcome: Outcome;
  /** Milliseconds from its arrival or its sending; 0 for one that was never sent. */
  readonly elapsedMs: number;
}

/** Settings of a {@link Connection}. */
export interface ConnectionOptions<R extends Role> {
  /** Which end of the connection this is. */
  readonly role: R;
  /** The identity of the Charge Point, at either end. */
  readonly identity: string;
  /** How long a CALL waits for its answer, in milliseconds from the moment it is sent. Default 30 000. [J-103] */
  readonly timeoutMs?: number | undefined;
  /** How many CALLs may wait for their turn; more are refused with a RangeError. Default 1000. */
  readonly maxWaitingCalls?: number | undefined;
  /** How many CALLs of the peer may be served at once; for more the connection is closed with 1008. Default 100. */
  readonly maxServedCalls?: number | undefined;
  /**
   * How many CALLs of the peer are handed to handlers each second, on average; after a pause, as many at once. Those beyond
   * it are not refused: they wait, and so does the peer. Default: as many as come.
   */
  readonly callsPerSecond?: number | undefined;
  /**
   * How long a handler may take, in milliseconds. After that it counts as failed, and its `signal` aborts. Default 60 000.
   */
  readonly handlerTimeoutMs?: number | undefined;
  /**
   * What is forgiven of what the peer sends: quirks, or a function that says which, of whom; see `quirks`. Those of
   * handshakes are ignored here. Default: nothing. Also to be set later: {@link Connection.tolerate}.
   */
  readonly tolerate?: QuirkChoice | undefined;
  /** Makes message ids: 1 to 36 characters, never the same twice on a connection. Default: random UUIDs. */
  readonly createMessageId?: (() => string) | undefined;
  /** Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

/** Settings of one CALL. */
export interface CallOptions {
  /** How long to wait for the answer, in milliseconds from the moment the CALL is sent. Default: the connection's. */
  readonly timeoutMs?: number | undefined;
  /** Whether the CALL goes before those that wait for their turn and are not urgent. Default false. */
  readonly urgent?: boolean | undefined;
  /**
   * Rejects the promise with `signal.reason`. A CALL that still waits for its turn is never sent; one on the wire stays
   * outstanding until it is answered or times out, because OCPP cannot cancel.
   */
  readonly signal?: AbortSignalLike | undefined;
  /**
   * Internal, for statuses: whether `signal` only takes back a CALL that waits; one on the wire then settles as any other.
   * Default false.
   */
  readonly keepSent?: boolean | undefined;
  /**
   * Internal, for what is delivered: is called at once when an answer comes after the time-out. `conf` returns the payload,
   * or throws what the promise would have been rejected with.
   */
  readonly late?: ((conf: () => unknown) => void) | undefined;
}

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
  /** Hears of each event at once, before the listeners of the connection. */
  emitted(connection: Connection<R>, name: keyof ConnectionEvents, event: object): void;
}

/** A handler whose action is known at run time only. */
export type AnyHandler<R extends Role> = (req: never, context: HandlerContext<R, never>) => unknown;

/** A CALL of ours whose caller waits. */
interface Caller {
  readonly resolve: (conf: never) => void;
  readonly reject: (error: unknown) => void;
  /** Forgets the caller's signal. */
  readonly release: () => void;
  readonly late: CallOptions["late"];
}

/** Who still wants to hear of the answer to a CALL that has timed out, on whichever connection. */
const lateCallers = new WeakMap<CallFrame, NonNullable<CallOptions["late"]>>();

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
  readonly #maxServedCalls: number;
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
  readonly #served = new Map<string, ServedCall<R>>();
  readonly #handlerLimit: TimeLimit<ServedCall<R>>;
  #latestMessageId: string | undefined;
  /** When the outstanding CALL was sent. */
  #sentAt = 0;
  /** What wants to know whether the peer lives. */
  #probes: readonly ((alive: boolean) => void)[] = [];
  #tolerate: QuirkChoice = [];
  /** Those of `#tolerate` that concern this connection, once they were needed. */
  #quirks: readonly Quirk[] | undefined;
  #chargePoint: ChargePointDescription;
  #lastHeardAt: number;
  /** How often something has arrived. */
  #arrivals = 0;
  /** The longest silence of a peer that answers no pings, in milliseconds. */
  #longestSilenceMs = Number.POSITIVE_INFINITY;
  #answersNoPings = false;
  #disarmSilence: (() => void) | undefined;
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
    this.#maxServedCalls = taken.maxServedCalls ?? 100;
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
    this.#chargePoint = { identity: taken.identity };
    this.tolerate(taken.tolerate ?? []);
    this.connectedAt = this.#clock.now();
    this.#lastHeardAt = this.connectedAt;
    this.#run = drive(this.#rpc, this.#clock, (output) => this.#perform(output));
    const listening: unknown = transport.listen({
      message: (text) => this.#receive(text),
      heard: () => this.#heard(),
      pong: () => this.#ponged(),
      unanswered: () => this.#unanswered(),
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
    return this.#lastHeardAt;
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
      if (this.#closed !== undefined) throw new ConnectionClosedError(action, { ...this.#closed, sent: false });
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
    this.#tolerate = takeOption("tolerate", quirks, required(optionRules.quirkChoice));
    this.#quirks = undefined;
  }

  /** @throws TypeError The function of the owner answers nonsense; or what it throws. */
  #chosenQuirks(): readonly Quirk[] {
    if (this.#quirks !== undefined) return this.#quirks;
    const choice = this.#tolerate;
    const chosen =
      typeof choice === "function"
        ? takeOption(
            "What tolerate returns",
            atOnce("tolerate", choice(this.#chargePoint)),
            required(optionRules.quirks),
          )
        : choice;
    this.#quirks = Object.values(chosen).filter(({ scope }) => scope !== "handshake");
    return this.#quirks;
  }

  /** Internal, for the Central System: says who the Charge Point is, in the fields of its BootNotification. */
  introduce(fields: unknown): void {
    this.#chargePoint = describedBy(this.identity, fields);
    this.#quirks = undefined;
  }

  /** Takes note of who sends a BootNotification, which may need its quirks to be read. */
  #introduced(payload: unknown): void {
    this.introduce(payload);
    this.#owner?.introduced?.(this.#chargePoint);
  }

  /** Whether what is forgiven depends on who the Charge Point is, and nobody has said who. */
  get #isUnknown(): boolean {
    return typeof this.#tolerate === "function" && Object.keys(this.#chargePoint).length === 1;
  }

  /**
   * Asks the peer for a sign of life. A pong is one at once. Anything else that arrives counts only if the connection is
   * still open when the time is over: it may be what ends it.
   *
   * @param timeoutMs - How long to wait for it, in milliseconds.
   * @returns Whether there was one in time; false where the transport cannot ask, and once it is closed. Never rejects.
   */
  probe(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      if (this.#closed !== undefined || this.#transport.ping === undefined) {
        resolve(false);
        return;
      }
      const settle = (alive: boolean): void => {
        disarm();
        this.#probes = this.#probes.filter((other) => other !== settle);
        resolve(alive);
      };
      const heardBefore = this.#arrivals;
      const disarm = this.#clock.wakeAt(this.#clock.now() + timeoutMs, () => settle(this.#arrivals > heardBefore));
      this.#probes = [...this.#probes, settle];
      this.#guard(() => this.#transport.ping?.());
    });
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
    if ([...this.#served.values()].some(({ dueAt }) => dueAt !== Number.POSITIVE_INFINITY)) return;
    this.close(this.#draining.code, this.#draining.reason);
  }

  #heard(): void {
    this.#lastHeardAt = this.#clock.now();
    this.#arrivals += 1;
  }

  #ponged(): void {
    this.#answersNoPings = false;
    for (const settle of this.#probes) settle(true);
  }

  #unanswered(): void {
    if (this.#closed !== undefined) return;
    this.#answersNoPings = true;
    this.emit("tolerated", unansweredPings);
    this.#watchSilence();
  }

  /**
   * Internal, for the Central System: says how long a peer may be silent that never answers a ping. Longer, and the
   * connection is closed with 1008. Who answers pings is judged by the transport.
   */
  limitSilence(longestSilenceMs: number): void {
    this.#longestSilenceMs = longestSilenceMs;
    this.#watchSilence();
  }

  #watchSilence(): void {
    this.#disarmSilence?.();
    if (this.#closed !== undefined || !this.#answersNoPings || this.#longestSilenceMs === Number.POSITIVE_INFINITY)
      return;
    const silentMs = this.#clock.now() - this.#lastHeardAt;
    if (silentMs >= this.#longestSilenceMs)
      this.close(1008, `Nothing arrived for ${Math.round(silentMs)} ms, not even a pong`);
    else
      this.#disarmSilence = this.#clock.wakeAt(this.#lastHeardAt + this.#longestSilenceMs, () => this.#watchSilence());
  }

  #receive(text: string): void {
    if (this.#closed !== undefined) return;
    this.#heard();
    const frame = this.#read(text);
    if (frame.type !== "MALFORMED") this.emit("message", { direction: "in", frame });
    if (this.#owner?.silent && intendedType(frame) === "CALL") {
      this.#violation(
        "not-accepted",
        "The Central System sent a CALL although it has rejected the Charge Point.",
        frame,
      );
      return;
    }
    this.#rpc.receive(frame, this.#clock.now(), text);
    this.#run();
  }

  /** What a text says, once the quirks have had their try at one that is no frame. */
  #read(text: string): Frame | Malformed {
    const frame = decode(text);
    if (frame.type !== "MALFORMED") return frame;
    let hasFailed = false;
    const repaired = this.#repaired(
      ({ repairFrame }, quirks, failed) => repairFrame(quirks, text, frameReader, failed),
      () => (hasFailed = true),
    );
    if (repaired !== undefined) return repaired.frame;
    const { messageId, ...unanswered } = frame;
    const isAnswer = frame.intended !== undefined && frame.intended !== "CALL";
    if (!hasFailed || isAnswer || !mayBeForBill(text)) return frame;
    this.#failedBill();
    return unanswered;
  }

  /**
   * The payload of the peer, once the quirks have had their try at one that violates its schema.
   *
   * @param failed - Hears that what is thrown may be a failure of ours: of the quirks.
   * @throws PayloadError It does, and could not be repaired.
   */
  #parse(action: Action, kind: "req" | "conf", payload: unknown, failed?: () => void): RepairedPayload {
    try {
      return { payload: (kind === "req" ? parseReq : parseConf)(action, payload, "remote"), uses: [] };
    } catch (error) {
      const receivedAt = dateTimeOf(this.#clock.now());
      const repaired = this.#repaired(
        ({ repairPayload }, quirks, failed) => repairPayload(quirks, action, kind, payload, receivedAt, failed),
        failed,
        action,
      );
      if (repaired === undefined) throw error;
      return repaired;
    }
  }

  /** Tells what was forgiven. What owners wrote may fail, the rows or the choice of them; of each message that is told once. */
  #repaired<T extends { readonly uses: readonly Tolerated[] }>(
    repair: (
      tolerance: Quirk["tolerance"],
      quirks: readonly Quirk[],
      failed: (error: unknown) => void,
    ) => T | undefined,
    failed?: () => void,
    action?: Action,
  ): T | undefined {
    let hasFailed = false;
    const fault = (error: unknown): void => {
      if (!hasFailed) this.emit("fault", { error, ...(action && { action }) });
      hasFailed = true;
      failed?.();
    };
    try {
      const quirks = this.#chosenQuirks();
      const repaired = quirks[0] && repair(quirks[0].tolerance, quirks, fault);
      for (const use of repaired?.uses ?? []) this.emit("tolerated", use);
      return repaired;
    } catch (error) {
      fault(error);
      return undefined;
    }
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
        this.#conflict(output.call, output.served);
        break;
      case "settled":
        this.#settle(output.call, output.outcome);
        break;
      case "late":
        this.#resolve(output.call, output.answer, this.#lateCaller(output.call));
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
    if (isSent) this.emit("message", { direction: "out", frame });
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
  }

  /** Serves a CALL, at once or when the budget allows it. */
  #serve(call: CallFrame): void {
    const now = this.#clock.now();
    const served = new ServedCall(this, call, now);
    this.#served.set(call.messageId, served);
    if (this.#rpc.serving > this.#maxServedCalls) {
      this.#overloaded(call);
      return;
    }
    const time = this.#budget?.spend(now) ?? now;
    if (time <= now) this.#judge(served);
    else served.wait(this.#clock.wakeAt(time, () => this.#resume(served)));
  }

  /** Goes on with a CALL that had to wait. */
  #resume(served: ServedCall<R>): void {
    if (!this.#isServed(served)) return;
    this.#judge(served);
    this.#run();
  }

  /** Whether a CALL still wants its answer: the connection may have ended, or the CALL been answered otherwise. */
  #isServed(served: ServedCall<R>): boolean {
    return this.#served.get(served.messageId) === served;
  }

  /** Rows J-D11 … J-D16 of the decision table: may the peer send it, is there a handler, and has the payload the right shape? */
  #judge(served: ServedCall<R>): void {
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
      const { payload: req, uses } = this.#parse(action, "req", payload, () => (hasFailed = true));
      served.tolerated = uses;
      if (this.#closed !== undefined) return; // By a listener of `tolerated`.
      void this.#answer(served, action, handler, req as never);
    } catch (error) {
      const introduction = this.#isUnknown && isForBill(action, payload) ? this.#owner?.unreadable?.(this) : undefined;
      if (introduction !== undefined) {
        void introduction.then(() => this.#resume(served));
        return;
      }
      const { code, description } = error as PayloadError;
      if (hasFailed && isForBill(action, payload)) this.#failedBill();
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
  #conflict(call: CallFrame, served: CallFrame): void {
    if (isForBill(call.action, call.payload)) this.#failedBill();
    else if (!isForBill(served.action, served.payload)) this.#rpc.refuse(call.messageId);
  }

  /**
   * J-065 says to answer every CALL, but a CALLERROR makes some chargers forget the bill that was in it. A connection
   * that closes makes them send it again.
   */
  #overloaded(call: CallFrame): void {
    this.#violation("too-many-calls", `More than ${this.#maxServedCalls} CALLs are unanswered.`, call);
    this.close(1008, "Too many unanswered CALLs");
  }

  #refuse(call: CallFrame, reason: Violation, code: ErrorCode, description: string): void {
    this.#violation(reason, description, call);
    this.#rpc.fail(call.messageId, code, description);
  }

  /** Rows J-D17 … J-D19 of the decision table: the handler's result, or what it threw, becomes the answer. */
  async #answer(served: ServedCall<R>, action: Action, handler: AnyHandler<R>, req: never): Promise<void> {
    served.dueAt = this.#clock.now() + this.#handlerTimeoutMs;
    this.#owner?.serving?.(this, served.call);
    try {
      const answer = handler(req, served as never);
      if (isPromise(answer) && this.#isServed(served)) this.#handlerLimit.began(served); // Others have answered.
      const conf = parseConf(action, await answer, "local");
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

  /** A handler takes too long. Where there is no answer yet, one that comes in the end is still sent. */
  #overdue(served: ServedCall<R>): void {
    const { action } = served.call;
    const error = new Error(`The handler for ${action} has not answered within ${this.#handlerTimeoutMs} ms.`);
    served.abort(error);
    this.#failed(served, action as Action, error);
    this.#run();
  }

  #failed(served: ServedCall<R>, action: Action, error: unknown): void {
    const asked = askedWith(error);
    if (asked === undefined) this.emit("fault", { error, action });
    if (!this.#isServed(served)) return;
    served.dueAt = Number.POSITIVE_INFINITY;
    if (asked === undefined && isForBill(action, served.call.payload)) this.#failedBill();
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

  #lateCaller(call: CallFrame): Pick<Caller, "resolve" | "reject"> | undefined {
    const late = lateCallers.get(call);
    return (
      late && {
        resolve: (conf) => late(() => conf),
        reject: (error) =>
          late(() => {
            throw error;
          }),
      }
    );
  }

  /** Tells who wants to know how a CALL ended; its caller is not among them once it has aborted it. */
  #resolve(call: CallFrame, outcome: Outcome, caller: Pick<Caller, "resolve" | "reject"> | undefined): void {
    try {
      const conf = this.#confOf(call, outcome);
      this.#owner?.confirmed?.(this, call, conf, outcome as CallResultFrame);
      caller?.resolve(conf as never);
    } catch (error) {
      // J-088, J-D21: nothing is sent; the caller learns what is wrong with the answer.
      if (error instanceof PayloadError && outcome.type === "CALLRESULT") {
        this.#violation("payload", error.description, outcome);
      }
      caller?.reject(error);
    }
  }

  /** The payload of a CALLRESULT; throws what the caller is to be told of any other outcome. */
  #confOf({ action, messageId }: CallFrame, outcome: Outcome): unknown {
    switch (outcome.type) {
      case "CALLRESULT":
        return this.#parse(action as Action, "conf", outcome.payload).payload;
      case "CALLERROR":
        throw new CallError(errorCodeOf(outcome.errorCode), outcome.errorDescription, {
          details: outcome.errorDetails,
          receivedCode: outcome.errorCode,
          action,
          messageId,
        });
      case "MALFORMED":
        throw new PayloadError({
          origin: "remote",
          action,
          kind: "conf",
          issues: [{ path: "", message: `did not arrive: ${outcome.message}`, code: "FormationViolation" }],
        });
      case "TIMEOUT":
        throw new CallTimeoutError(action, messageId, outcome.timeoutMs, outcome.silent);
      case "CLOSED":
        throw new ConnectionClosedError(action, { code: 1006, reason: "", ...this.#closed, sent: outcome.sent });
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
    for (const settle of this.#probes) settle(false);
    this.#disarmSilence?.();
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

/** What is told of a peer that lets its first ping go unanswered. */
const unansweredPings: Tolerated = {
  quirk: "unansweredPings",
  id: "Q20",
  path: "",
  message: "The peer answers no pings; whether it is there is judged by what else it sends.",
};

/** The actions whose answer has a `currentTime`: an old answer would set a clock wrong, so each CALL is served. */
export const tellsTheTime = (action: string): boolean => action === "BootNotification" || action === "Heartbeat";

/** What becomes of a CALL of the peer whose answer cannot be sent, or must not. */
const unanswered: Outcome = { type: "CLOSED", sent: false };

/** How long a connection stays open when a message that a bill depends on could not be answered. */
const failedBillMs = 1000;

const { required } = optionRules;

/** The options that each of its connections gets from a Central System. */
export const sharedRules: OptionRules<Omit<ConnectionOptions<Role>, "role" | "identity">> = {
  timeoutMs: optionRules.milliseconds,
  maxWaitingCalls: optionRules.whole(1),
  maxServedCalls: optionRules.whole(1),
  callsPerSecond: optionRules.number("a positive number", Number.MIN_VALUE),
  handlerTimeoutMs: optionRules.milliseconds,
  tolerate: optionRules.quirkChoice,
  createMessageId: optionRules.callback,
  clock: optionRules.clock,
};

const connectionRules: OptionRules<ConnectionOptions<Role>> = {
  role: required(optionRules.oneOf("ChargePoint", "CentralSystem")),
  identity: required(optionRules.text),
  ...sharedRules,
};

export const callRules: OptionRules<CallOptions> = {
  timeoutMs: optionRules.milliseconds,
  urgent: optionRules.flag,
  signal: optionRules.signal,
  keepSent: optionRules.flag,
  late: optionRules.callback,
};

/** Most CALLs are made without options. */
const noOptions: CallOptions = {};

/**
 * Takes what a CALL is made of, and makes none.
 *
 * @throws PayloadError `req` violates its schema.
 * @throws TypeError This role cannot send the action, or one of the options is not what it may be.
 */
export function takeCall<A extends Action>(
  role: Role,
  action: A,
  req: Req<A>,
  options: CallOptions,
): { readonly payload: Req<A>; readonly taken: CallOptions } {
  const taken = options === noOptions ? noOptions : takeOptions("call", options, callRules);
  if (!isAction(action) || !maySend(role, action)) throw new TypeError(cannotSend(role, action));
  return { payload: parseReq(action, req, "local"), taken };
}

/**
 * Adds a handler to a table of them.
 *
 * @throws TypeError There already is one, it is no function, or the peer of `role` cannot send this action.
 */
export function register<R extends Role>(
  handlers: Map<Action, AnyHandler<R>>,
  role: R,
  action: Action,
  handler: AnyHandler<R>,
): void {
  const peer = peerOf(role);
  if (!isAction(action) || !maySend(peer, action)) throw new TypeError(cannotSend(peer, action));
  takeOption(`The handler for ${action}`, handler, required(optionRules.callback));
  if (handlers.has(action)) throw new TypeError(`There already is a handler for ${action}.`);
  handlers.set(action, handler);
}

const peerOf = (role: Role): Role => (role === "ChargePoint" ? "CentralSystem" : "ChargePoint");

const noHandler = (action: Action): string =>
  `There is no handler for ${action}. Add one with handle("${action}", ...), if only to throw a CallError("NotSupported").`;

const cannotSend = (role: Role, action: string): string =>
  isAction(action) ? `A ${role} cannot send ${action} in OCPP 1.6.` : `OCPP 1.6 has no action "${action}".`;

/** Who sends more is not described by it. */
const longestDescription = 255;

/** Who sends a BootNotification: what can be read of it, whatever else is wrong with it. */
function describedBy(identity: string, payload: unknown): ChargePointDescription {
  const fields = (payload ?? {}) as Record<string, unknown>;
  const description: Record<string, string> = { identity };
  for (const name of ["chargePointVendor", "chargePointModel", "firmwareVersion"]) {
    const text = fields[name];
    if (typeof text === "string" && text.length <= longestDescription) description[name] = text;
  }
  return description as unknown as ChargePointDescription;
}

const intendedType = (frame: Frame | Malformed): Frame["type"] | undefined =>
  frame.type === "MALFORMED" ? frame.intended : frame.type;

/** What the peer is told of an error that was not meant for it: nothing. [J-083, J-D18] */
const internalError: Asked = {
  code: "InternalError",
  description: "The action could not be carried out.",
  details: {},
};

type Asked = Pick<CallError, "code" | "description" | "details">;

/** The CALLERROR that a handler asks for with what it throws; not with what a CALL of its own was answered with. [J-D17] */
function askedWith(error: unknown): Asked | undefined {
  try {
    if (!(error instanceof Error) || error.name !== "CallError") return undefined;
    const { code, description, details, messageId } = error as CallError;
    if (messageId !== undefined || !Object.hasOwn(errorCodes, code)) return undefined;
    return { code, description: String(description), details: detailsOf(details) };
  } catch {
    return undefined; // Something that cannot even be looked at.
  }
}
