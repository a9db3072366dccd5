import type { Clock } from "../clock.ts";
import { dateTimeOf } from "../date-time.ts";
import { atOnce } from "../guarded.ts";
import type { Action } from "../messages/actions.ts";
import type { ChargePointDescription, Quirk, QuirkChoice, RepairedPayload, Tolerated } from "../messages/tolerance.ts";
import { parseConf, parseReq } from "../messages/validate.ts";
import { optionRules, takeOption } from "../options.ts";
import { type Frame, frameReader, type Malformed } from "../rpc/frame.ts";
import { mayBeForBill } from "./bill.ts";
import type { ConnectionEvents } from "./connection-events.ts";
import type { Emitter } from "./emitter.ts";

const { quirkChoice, quirks, required } = optionRules;

/** Reads what the peer sends, and where that violates the documents as the quirks say that were chosen for it. */
export class PeerReader {
  readonly #connection: Pick<Emitter<ConnectionEvents>, "emit">;
  readonly #clock: Clock;
  #tolerate: QuirkChoice;
  /** Those of `#tolerate` that concern a connection, once they were needed. */
  #quirks: readonly Quirk[] | undefined;
  #chargePoint: ChargePointDescription;

  /** @param connection - Tells of what was forgiven, and of what failed. */
  constructor(
    connection: Pick<Emitter<ConnectionEvents>, "emit">,
    clock: Clock,
    identity: string,
    tolerate: QuirkChoice,
  ) {
    this.#connection = connection;
    this.#clock = clock;
    this.#chargePoint = { identity };
    this.#tolerate = tolerate;
  }

  /** Who the Charge Point is, as far as it has said. */
  get chargePoint(): ChargePointDescription {
    return this.#chargePoint;
  }

  /** Whether what is forgiven depends on who the Charge Point is, and nobody has said who. */
  get isForStranger(): boolean {
    return typeof this.#tolerate === "function" && Object.keys(this.#chargePoint).length === 1;
  }

  /** @throws TypeError It is neither quirks nor a function. */
  tolerate(choice: QuirkChoice): void {
    this.#tolerate = takeOption("tolerate", choice, required(quirkChoice));
    this.#quirks = undefined;
  }

  /** Says who the Charge Point is, in the fields of its BootNotification. */
  introduce(fields: unknown): void {
    this.#chargePoint = describedBy(this.#chargePoint.identity, fields);
    this.#quirks = undefined;
  }

  /**
   * What a text says that is no frame, once the quirks have had their try.
   *
   * @param lost - Hears that a bill may be in it that could not be read because of a failure of ours.
   */
  repair(text: string, frame: Malformed, lost: () => void): Frame | Malformed {
    let hasFailed = false;
    const repaired = this.#repaired(
      ({ repairFrame }, quirks, failed) => repairFrame(quirks, text, frameReader, failed),
      () => (hasFailed = true),
    );
    if (repaired !== undefined) return repaired.frame;
    const { messageId, ...unanswered } = frame;
    const isAnswer = frame.intended !== undefined && frame.intended !== "CALL";
    if (!hasFailed || isAnswer || !mayBeForBill(text)) return frame;
    lost();
    return unanswered;
  }

  /**
   * The payload of the peer, once the quirks have had their try at one that violates its schema.
   *
   * @param failed - Hears that what is thrown may be a failure of ours: of the quirks.
   * @throws PayloadError It does, and could not be repaired.
   */
  parse(action: Action, kind: "req" | "conf", payload: unknown, failed?: () => void): RepairedPayload {
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
      if (!hasFailed) this.#connection.emit("fault", { error, ...(action && { action }) });
      hasFailed = true;
      failed?.();
    };
    try {
      const chosen = this.#chosenQuirks();
      const repaired = chosen[0] && repair(chosen[0].tolerance, chosen, fault);
      for (const use of repaired?.uses ?? []) this.#connection.emit("tolerated", use);
      return repaired;
    } catch (error) {
      fault(error);
      return undefined;
    }
  }

  /** @throws TypeError The function of the owner answers nonsense; or what it throws. */
  #chosenQuirks(): readonly Quirk[] {
    if (this.#quirks !== undefined) return this.#quirks;
    const choice = this.#tolerate;
    const chosen =
      typeof choice === "function"
        ? takeOption("What tolerate returns", atOnce("tolerate", choice(this.#chargePoint)), required(quirks))
        : choice;
    this.#quirks = Object.values(chosen).filter(({ scope }) => scope !== "handshake");
    return this.#quirks;
  }
}

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
