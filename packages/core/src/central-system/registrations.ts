import { type AbortSignalLike, OwnSignal } from "../abort.ts";
import { type Action, type Conf, type Req, requestedAction } from "../messages/actions.ts";

/** What a BootNotification was answered with. */
export type RegistrationStatus = Conf<"BootNotification">["status"];

/**
 * Remembers which Charge Points are accepted, beyond the life of a connection: a Charge Point that merely reconnects does
 * not boot again. A `Map` is one; over a database it outlives the program, too. Where a database answers later only, look
 * the status up in `authenticate`, together with the credentials, and keep it in a `Map`.
 *
 * @spec OCPP-J 1.6 §5.4 [J-132, J-165]
 */
export interface Registrations {
  /**
   * What the latest BootNotification of this Charge Point was answered with; `undefined` when nobody remembers one. Asked
   * once for each connection.
   */
  get(identity: string): RegistrationStatus | undefined;
  /** Keeps an answer. A promise is awaited before the answer leaves. */
  set(identity: string, status: RegistrationStatus): unknown;
}

/** A table, so that the compiler insists on every status. */
const statuses: Readonly<Record<RegistrationStatus, true>> = { Accepted: true, Pending: true, Rejected: true };

/**
 * What somebody remembers of a Charge Point, if it is a status; databases say `null` where there is nothing.
 *
 * @throws TypeError It is something else, for example a promise: that would be neither accepted nor ever asked to boot.
 */
export function statusOf(remembered: unknown): RegistrationStatus | undefined {
  if (remembered === undefined || remembered === null) return undefined;
  if (typeof remembered === "string" && Object.hasOwn(statuses, remembered)) return remembered as RegistrationStatus;
  throw new TypeError(`registrations.get gave ${String(remembered)}. Give what BootNotification was answered with.`);
}

/** What stands between a Charge Point that is not accepted and the handlers; one for each connection. */
export class RegistrationGate {
  #status: RegistrationStatus | undefined;
  /** What a TriggerMessage has asked for since the last BootNotification. */
  readonly #solicited = new Set<string>();
  /**
   * Withdraws the TriggerMessage that asks for a BootNotification, should it still wait for its turn when there is one:
   * after an acceptance it must not be sent. [CORE-BOOT-27]
   */
  #invitation: OwnSignal | undefined;

  /** @param status - What the latest BootNotification was answered with, as far as anybody remembers. */
  constructor(status: RegistrationStatus | undefined) {
    this.#status = status;
  }

  /** What the latest BootNotification was answered with. */
  get status(): RegistrationStatus | undefined {
    return this.#status;
  }

  /**
   * Why the Charge Point may not send this action yet; `undefined` when it may.
   *
   * @spec J errata 3.8 [J-130, J-131, J-132, J-D11, CORE-BOOT-26]
   */
  refuses(action: string): string | undefined {
    if (action === "BootNotification" || this.#status === "Accepted" || this.#solicited.has(action)) return undefined;
    return "Send BootNotification first, and wait until it is accepted.";
  }

  /**
   * Whether to ask for a BootNotification, now that a CALL had to be refused: the Charge Point goes on as if it were
   * accepted, and nobody here remembers it. [Q21]
   *
   * @returns The signal that withdraws the CALL which asks; `undefined` when none is to be made. Once for each connection.
   */
  invitation(): AbortSignalLike | undefined {
    if (this.#status !== undefined || this.#invitation !== undefined) return undefined;
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

  /** Takes the answer to a BootNotification. */
  registered(status: RegistrationStatus): void {
    this.#status = status;
    this.#solicited.clear();
    // CORE-BOOT-27, errata 3.40: after an acceptance it must not be sent, should it still wait for its turn.
    this.#invitation?.abort("BootNotification was answered");
  }

  /** Takes the answer that a CALL to the Charge Point has got. [J-131] */
  confirmed(action: string, req: unknown, conf: unknown): void {
    if (action !== "TriggerMessage" && action !== "ExtendedTriggerMessage") return;
    const { requestedMessage } = req as Req<"ExtendedTriggerMessage">;
    const { status } = conf as Conf<"ExtendedTriggerMessage">;
    if (status === "Accepted") this.#solicited.add(requestedAction(action, requestedMessage));
  }
}
