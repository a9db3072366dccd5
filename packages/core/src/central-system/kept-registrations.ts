import { putLatest } from "../bounded.ts";
import type { Clock } from "../clock.ts";
import { type Registration, type Registrations, registrationOf } from "./registrations.ts";
import { Asking } from "./repeated-ask.ts";

/** How long `get` may take. */
const getTimeoutMs = 5000;
/** How long `set` may take, and an answer to BootNotification waits until it is kept. */
const setTimeoutMs = 10_000;
/** Of how many Charge Points it is remembered what could not be kept yet. */
const mostUnkept = 50_000;

const unanswered = (method: "get" | "set", timeoutMs: number) => (): Error =>
  new Error(`registrations.${method} has not answered within ${timeoutMs} ms.`);

/** What one Charge Point was told, until nothing but that can be kept of it. */
interface Unkept {
  registration: Registration;
  isKept: boolean;
  /** How many writes have not come to an end, whatever they write. */
  writes: number;
  /** What repeats the write of the latest; only while the Charge Point is connected. */
  asking: Asking | undefined;
  isConnected: boolean;
  /** Who waits for the first write of the latest. */
  readonly waiting: Set<() => void>;
}

/**
 * The registrations of the owner, who may have a database that is locked, slow or away. What a Charge Point was told counts
 * from then on, is written until it is kept, and in order: nothing newer is overwritten by what was told before, although
 * that may come late. Each Charge Point has writes of its own.
 *
 * @spec OCPP-J 1.6 §5.4 [J-132]
 */
export class KeptRegistrations {
  readonly #registrations: Registrations;
  readonly #clock: Clock;
  readonly #fault: (identity: string, error: unknown) => void;
  readonly #unkept = new Map<string, Unkept>();

  constructor(registrations: Registrations, clock: Clock, fault: (identity: string, error: unknown) => void) {
    this.#registrations = registrations;
    this.#clock = clock;
    this.#fault = fault;
  }

  /**
   * Finds out what is remembered of a Charge Point that has connected: at once, if that is known at once.
   *
   * @param givenUp - Hears that somebody has waited for it for too long.
   * @returns What still asks; `undefined` if that is over.
   */
  find(
    identity: string,
    found: (registration: Registration | undefined) => void,
    givenUp: () => void,
  ): Asking | undefined {
    const asking = new Asking(this.#clock, {
      timeoutMs: getTimeoutMs,
      ask: () => this.#unkept.get(identity)?.registration ?? this.#registrations.get(identity),
      answered: (remembered) => found(registrationOf(remembered)),
      failed: (error) => this.#fault(identity, error),
      late: unanswered("get", getTimeoutMs),
      givenUp,
    });
    asking.start();
    const unkept = this.#unkept.get(identity);
    if (unkept !== undefined) {
      unkept.isConnected = true;
      if (!unkept.isKept) this.#write(identity, unkept);
    }
    return asking.isOver ? undefined : asking;
  }

  /** Keeps what a Charge Point is told. Resolves when it is kept, has failed at first or takes too long; never rejects. */
  keep(identity: string, registration: Registration): Promise<void> {
    const unkept = this.#unkept.get(identity) ?? {
      registration,
      isKept: false,
      writes: 0,
      asking: undefined,
      isConnected: true,
      waiting: new Set(),
    };
    unkept.registration = registration;
    unkept.isKept = false;
    putLatest(this.#unkept, identity, unkept, mostUnkept)?.asking?.stop();
    return new Promise((resolve) => {
      const settle = (): void => {
        disarm();
        unkept.waiting.delete(settle);
        resolve();
      };
      const disarm = this.#clock.wakeAt(this.#clock.now() + setTimeoutMs, settle);
      unkept.waiting.add(settle);
      if (!unkept.asking?.isInTime) this.#write(identity, unkept);
    });
  }

  /** Repeats nothing until the Charge Point is back. */
  disconnected(identity: string): void {
    const unkept = this.#unkept.get(identity);
    if (unkept === undefined) return;
    unkept.isConnected = false;
    unkept.asking?.stop();
  }

  #write(identity: string, unkept: Unkept): void {
    unkept.asking?.stop();
    unkept.asking = new Asking(this.#clock, {
      timeoutMs: setTimeoutMs,
      ask: () => this.#written(identity, unkept),
      answered: () => {},
      failed: (error) => this.#fault(identity, error),
      late: unanswered("set", setTimeoutMs),
    });
    unkept.asking.start();
  }

  /** Writes the latest once; rejects if that was not kept. */
  #written(identity: string, unkept: Unkept): Promise<void> {
    const { registration } = unkept;
    unkept.writes += 1;
    const { chargePoint, status } = registration;
    return new Promise((resolve) => resolve(this.#registrations.set(identity, status, chargePoint))).then(
      () => this.#ended(identity, unkept, registration, true),
      (error: unknown) => {
        this.#ended(identity, unkept, registration, false);
        throw error;
      },
    );
  }

  #ended(identity: string, unkept: Unkept, registration: Registration, isWritten: boolean): void {
    unkept.writes -= 1;
    if (registration !== unkept.registration) {
      // What is newer has waited for this, or was overwritten by it.
      unkept.isKept = false;
      if (unkept.isConnected) this.#write(identity, unkept);
      return;
    }
    for (const settle of unkept.waiting) settle();
    if (isWritten) {
      unkept.isKept = true;
      unkept.asking?.stop();
    }
    if (unkept.isKept && unkept.writes === 0 && this.#unkept.get(identity) === unkept) this.#unkept.delete(identity);
  }
}
