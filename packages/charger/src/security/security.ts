/*
 * What of security happens to a charger.
 *
 * Theory of operation. Whoever notices something says so, and it is written down here. What is critical, and what a use case
 * wants to be sent, is handed to the queue of the ChargePoint, which delivers it at least once, in order, after power cuts too,
 * and gives it up where the Central System does not know such messages.
 */

import {
  type ChargePoint,
  type Clock,
  type Configuration,
  HandshakeError,
  type RecordStore,
  type Violation,
} from "@ocppj/core";
import { type SecurityEventType, securityEvents } from "./security-event.ts";
import { SecurityLog } from "./security-log.ts";

/** The longest `techInfo` of SecurityEventNotification. */
const maxTechInfo = 255;

export interface SecurityOptions {
  /** How many events the security log holds; the oldest make room. Default 500. */
  readonly maxLogEntries?: number | undefined;
}

/** What it works with. */
export interface SecurityParts {
  readonly store: RecordStore;
  readonly chargePoint: ChargePoint;
  readonly configuration: Configuration;
  readonly clock: Clock;
  readonly fault: (error: unknown) => void;
}

/** The security events of a charger. @spec security white paper §8, A04 */
export class Security {
  readonly log: SecurityLog;
  readonly #chargePoint: ChargePoint;
  readonly #fault: (error: unknown) => void;
  /** Whether messages are taken: not before the start, and not after the end. */
  #isRunning = false;

  private constructor(log: SecurityLog, { chargePoint, fault }: SecurityParts) {
    this.log = log;
    this.#chargePoint = chargePoint;
    this.#fault = fault;
  }

  /** @throws What the store rejects with when it cannot be read. */
  static async load({ maxLogEntries = 500 }: SecurityOptions, parts: SecurityParts): Promise<Security> {
    const { chargePoint, clock, configuration, fault, store } = parts;
    const log = await SecurityLog.load(store, { maxEntries: maxLogEntries, clock, report: fault });
    const security = new Security(log, parts);
    chargePoint.on("refused", ({ error }) => security.#refused(error));
    chargePoint.on("violation", ({ message, reason }) => {
      if (!harmless.has(reason)) security.noticed("InvalidMessages", message);
    });
    chargePoint.on("timeSet", ({ stepMs }) => {
      if (Math.abs(stepMs) > toldStepMs) security.noticed("SettingSystemTime", `by ${Math.round(stepMs / 1000)} s`);
    });
    for (const key of ["AuthorizationKey", "SecurityProfile"] as const) {
      configuration.listen(key, () => security.noticed("ReconfigurationOfSecurityParameters", key)); // SEC-A01-11
    }
    return security;
  }

  begin(): void {
    this.#isRunning = true;
    this.noticed("StartupOfTheDevice");
  }

  end(): void {
    this.#isRunning = false;
  }

  /** @param techInfo - What more is known, for a technician; nothing secret. */
  noticed(type: SecurityEventType, techInfo?: string): void {
    const info = techInfo !== undefined && { techInfo: techInfo.slice(0, maxTechInfo) };
    const isNew = this.log.add({ type, at: this.#chargePoint.now(), ...info });
    if (!isNew || !this.#isRunning || !securityEvents[type].isTold) return;
    try {
      this.#chargePoint.deliver("SecurityEventNotification", { type, ...info });
    } catch (error) {
      this.#fault(error); // There is no room.
    }
  }

  /** Something has failed: a store that is full matters to security. */
  failed(error: unknown): void {
    if (isFull(error)) this.noticed("MemoryExhaustion");
  }

  /** Empties the log, which is itself an event. */
  clearLog(): void {
    this.log.clear();
    this.noticed("SecurityLogWasCleared");
  }

  /** A handshake has failed. */
  #refused(error: unknown): void {
    const type = error instanceof HandshakeError ? error.securityEvent : undefined;
    if (type !== undefined && Object.hasOwn(securityEvents, type)) this.noticed(type as SecurityEventType);
  }
}

/** What a slow line does, and a Central System that asks again, or for more than there is. */
const harmless: ReadonlySet<Violation> = new Set([
  "duplicate-message-id",
  "late-answer",
  "unknown-action",
  "unsupported-action",
]);

/** A clock that is set by less was not wrong. */
const toldStepMs = 10_000;

/** How far a cause is looked for. */
const mostCauses = 5;

/** What file systems, and stores of browsers, say when there is no room left. */
function isFull(error: unknown): boolean {
  let at = error as { readonly code?: unknown; readonly name?: unknown; readonly cause?: unknown } | undefined | null;
  for (let depth = 0; depth < mostCauses && typeof at === "object" && at !== null; depth++) {
    if (at.code === "ENOSPC" || at.code === "EDQUOT" || at.name === "QuotaExceededError") return true;
    at = at.cause as typeof at;
  }
  return false;
}
