import { type AbortSignalLike, OwnSignal } from "../abort.ts";
import { isForBill } from "../connection/bill.ts";
import { type Action, type Conf, type Req, requestedAction } from "../messages/actions.ts";
import type { ChargePointDescription } from "../messages/tolerance.ts";

/** What a BootNotification was answered with. */
export type RegistrationStatus = Conf<"BootNotification">["status"];

/** What is remembered of a Charge Point. */
export interface Registration {
  /** What its latest BootNotification was answered with. */
  readonly status: RegistrationStatus;
  /** Who it is, as that has told. */
  readonly chargePoint?: ChargePointDescription | undefined;
}

/**
 * Remembers which Charge Points are accepted, beyond the life of a connection: a Charge Point that merely reconnects does
 * not boot again. A `Map` is one; over a database it outlives the program, too.
 *
 * @spec OCPP-J 1.6 §5.4 [J-132, J-165]
 */
export interface Registrations {
  /**
   * What the latest BootNotification of this Charge Point was answered with, with who it is where that was kept, too;
   * `undefined` when nobody remembers one. Asked when it connects. While there is no answer, everything but BootNotification
   * waits; what fails, or takes longer than 5 s, is a `fault` and is asked again. A CALL that has waited for 20 s ends the
   * connection with 1011.
   */
  get(
    identity: string,
  ): RegistrationStatus | Registration | undefined | Promise<RegistrationStatus | Registration | undefined>;
  /**
   * Keeps an answer. A promise is awaited before the answer leaves, for up to 10 s. What fails, or takes longer, is a
   * `fault`; it is remembered here, and written again as long as the Charge Point is connected, and when it is again. What
   * was told later is written later, be it that an earlier write ends last.
   *
   * @param chargePoint - Who it is. A `tolerate` that chooses quirks by model needs it after a restart, so keep it.
   */
  set(identity: string, status: RegistrationStatus, chargePoint?: ChargePointDescription): unknown;
}

/** A table, so that the compiler insists on every status. */
const statuses: Readonly<Record<RegistrationStatus, true>> = { Accepted: true, Pending: true, Rejected: true };

/**
 * What somebody remembers of a Charge Point, if it is that; databases say `null` where there is nothing.
 *
 * @throws TypeError It is something else: that would be neither accepted nor ever asked to boot.
 */
export function registrationOf(remembered: unknown): Registration | undefined {
  if (remembered === undefined || remembered === null) return undefined;
  const { status, chargePoint } = (
    typeof remembered === "object" ? remembered : { status: remembered }
  ) as Partial<Registration>;
  if (typeof status === "string" && Object.hasOwn(statuses, status)) return { status, chargePoint };
  throw new TypeError(`registrations.get gave ${String(status)}. Give what BootNotification was answered with.`);
}

/** What becomes of what a bill depends on, from a Charge Point that nobody remembers. */
export type UnknownTransactions = "serve" | "hold" | "refuse";

/** What stands between a Charge Point that is not accepted and the handlers; one for each connection. */
export class RegistrationGate {
  readonly #unknownTransactions: UnknownTransactions;
  #status: RegistrationStatus | undefined;
  /** Whether it is known what is remembered, be it nothing. */
  #isKnown = false;
  /** The BootNotifications that are being served. */
  #boots: readonly object[] = [];
  #hasBooted = false;
  /** What CALLs wait for. */
  #decision: { readonly promise: Promise<void>; readonly resolve: () => void } | undefined;
  /** What a TriggerMessage has asked for since the last BootNotification. */
  #solicited: readonly string[] = [];
  /**
   * Withdraws the TriggerMessage that asks for a BootNotification, should it still wait for its turn when there is one:
   * after an acceptance it must not be sent. [CORE-BOOT-27]
   */
  #invitation: OwnSignal | undefined;

  constructor(unknownTransactions: UnknownTransactions) {
    this.#unknownTransactions = unknownTransactions;
  }

  /** What the latest BootNotification was answered with. */
  get status(): RegistrationStatus | undefined {
    return this.#status;
  }

  /** Takes what is remembered, unless a BootNotification was faster. */
  remembered(status: RegistrationStatus | undefined): void {
    if (this.#isKnown) return;
    this.#isKnown = true;
    this.#status = status;
    this.#decided();
  }

  /**
   * Why the Charge Point may not send this CALL yet; `undefined` when it may. A promise where that is not decided: it is not
   * known what is remembered, a BootNotification is being served, or has to come. Ask again once that resolves. What
   * somebody remembers as accepted does not wait: a bill that is served is not lost, whatever is answered. [RT-14]
   *
   * @spec J errata 3.8 [J-130, J-131, J-132, J-D11, CORE-BOOT-26]
   */
  refuses(action: string, payload: unknown): string | Promise<void> | undefined {
    if (action === "BootNotification" || this.#status === "Accepted" || this.#solicited.includes(action))
      return undefined;
    if (!this.#isKnown || this.#boots.length > 0) return this.#decisionToCome();
    if (this.#status === undefined && isForBill(action, payload)) {
      if (this.#unknownTransactions === "serve") return undefined;
      // It was this end that failed to answer, or may have failed to keep what it has answered.
      if (this.#hasBooted || this.#unknownTransactions === "hold") return this.#decisionToCome();
    }
    return "Send BootNotification first, and wait until it is accepted.";
  }

  /** Whether CALLs wait for nothing but the next BootNotification. */
  get awaitsBoot(): boolean {
    return this.#decision !== undefined && this.#isKnown && this.#boots.length === 0;
  }

  /** Resolves when a BootNotification has told who the Charge Point is; `undefined` when one has. */
  introduction(): Promise<void> | undefined {
    return this.#hasBooted ? undefined : this.#decisionToCome();
  }

  /**
   * Whether to ask for a BootNotification: the Charge Point goes on as if it were accepted, and nobody here remembers it, or
   * knows who it is. [Q21]
   *
   * @returns The signal that withdraws the CALL which asks; `undefined` when none is to be made. Once for each connection,
   * and not after a BootNotification. [RT-14]
   */
  invitation(): AbortSignalLike | undefined {
    const isForgotten = this.#isKnown && !this.#hasBooted && (this.#status === undefined || this.awaitsBoot);
    if (!isForgotten || this.#invitation !== undefined) return undefined;
    this.#invitation = new OwnSignal();
    return this.#invitation;
  }

  /**
   * Whether the Central System must not send this action now.
   *
   * @spec OCPP 1.6 §4.2 [CORE-BOOT-22, CORE-BOOT-24]
   */
  forbids(action: Action): boolean {
    if (this.#status === "Pending") return action === "RemoteStartTransaction" || action === "RemoteStopTransaction";
    return this.#status === "Rejected";
  }

  /** Says that a BootNotification is being served. */
  booting(call: object): void {
    this.#boots = [...this.#boots, call];
    this.#hasBooted = true;
    // CORE-BOOT-27, errata 3.40: after an acceptance it must not be sent, should it still wait for its turn.
    this.#invitation?.abort("BootNotification has arrived");
  }

  /** Takes the answer that a BootNotification is about to get. */
  registered(status: RegistrationStatus): void {
    this.#isKnown = true;
    this.#status = status;
    this.#solicited = [];
  }

  /** Says that a BootNotification was answered, or never will be. */
  booted(call: object): void {
    if (!this.#boots.includes(call)) return;
    this.#boots = this.#boots.filter((other) => other !== call);
    if (this.#boots.length === 0) this.#decided();
  }

  /** Takes the answer that a CALL to the Charge Point has got. [J-131] */
  confirmed(action: string, req: unknown, conf: unknown): void {
    if (action !== "TriggerMessage" && action !== "ExtendedTriggerMessage") return;
    const { requestedMessage } = req as Req<"ExtendedTriggerMessage">;
    const { status } = conf as Conf<"ExtendedTriggerMessage">;
    if (status !== "Accepted") return;
    const solicited = requestedAction(action, requestedMessage);
    if (!this.#solicited.includes(solicited)) this.#solicited = [...this.#solicited, solicited];
  }

  #decisionToCome(): Promise<void> {
    if (this.#decision === undefined) {
      let resolve = (): void => {};
      const promise = new Promise<void>((settle) => (resolve = settle));
      this.#decision = { promise, resolve };
    }
    return this.#decision.promise;
  }

  #decided(): void {
    this.#decision?.resolve();
    this.#decision = undefined;
  }
}
