/*
 * The hardware as the charger uses it: whatever its methods do, there is an end, and no energy where something failed.
 *
 * Theory of operation. A method that throws, rejects, answers nonsense or takes too long has failed: that is told. Offers of a
 * connector are made one after the other, and only the latest that is wanted; but to open the contactor waits for nothing. When
 * an offer fails, nothing is offered any more: the contactor is told to open, again and again with growing waits until that is
 * done, and the connector is broken until then.
 */

import { type Clock, inTime } from "@ocppj/core";
import type {
  DiagnosticsFile,
  DiagnosticsRange,
  FirmwareSigner,
  Hardware,
  HardwareError,
  HardwareListener,
  Installation,
  Offer,
  Unlocking,
} from "./hardware.ts";

/** Who hears of failures. */
export interface HardwareOutlet {
  fault(error: unknown, connectorId: number): void;
  /** A connector is broken, since its contactor does not do what it is told; `undefined`: it does again. */
  failed(connectorId: number, error: HardwareError | undefined): void;
}

export interface AskedHardwareOptions extends HardwareOutlet {
  readonly clock: Clock;
  readonly timeoutMs: number;
}

const powerSwitchFailure: HardwareError = { errorCode: "PowerSwitchFailure" };
const longestWaitMs = 60_000;

/** The contactor of one connector. */
interface Contactor {
  wanted: Offer | undefined;
  /** Whether `offer` runs, and has not taken too long. */
  isAsked: boolean;
  /** Whether what is wanted is not what was asked for last. */
  isDue: boolean;
  /** How often in a row it could not be opened. */
  failures: number;
  disarm: () => void;
}

export class AskedHardware {
  readonly #hardware: Hardware;
  readonly #options: AskedHardwareOptions;
  readonly #contactors = new Map<number, Contactor>();
  #isClosed = false;

  constructor(hardware: Hardware, options: AskedHardwareOptions) {
    this.#hardware = hardware;
    this.#options = options;
    hardware.connectors.forEach((_, index) => {
      const contactor = { wanted: undefined, isAsked: false, isDue: false, failures: 0, disarm: () => {} };
      this.#contactors.set(index + 1, contactor);
    });
  }

  /** Whether cables are held by locks. */
  get hasLocks(): boolean {
    return typeof this.#hardware.lock === "function";
  }

  /** Whether they can be let go. */
  get unlocks(): boolean {
    return typeof this.#hardware.unlock === "function";
  }

  /** Says who is to be told; resolves when what is the case was told, or that took too long. */
  async listen(listener: HardwareListener): Promise<void> {
    await this.#ask(0, "listen", () => this.#hardware.listen(listener));
  }

  /** Offers energy, or none. Whatever comes of it, it is not waited for. */
  offer(connectorId: number, offer: Offer | undefined): void {
    const contactor = this.#contactors.get(connectorId);
    if (contactor === undefined || (this.#isClosed && offer !== undefined)) return;
    contactor.wanted = offer;
    contactor.isDue = true;
    // What is to be opened waits for nothing.
    if (!contactor.isAsked || offer === undefined) void this.#switch(connectorId, contactor);
  }

  /** Whether the cable is held now. */
  async lock(connectorId: number): Promise<boolean> {
    const { lock } = this.#hardware;
    if (typeof lock !== "function") return true;
    return this.#ask(connectorId, "lock", () => lock.call(this.#hardware, connectorId));
  }

  async unlock(connectorId: number): Promise<Unlocking> {
    const { unlock } = this.#hardware;
    if (typeof unlock !== "function") return "NotSupported";
    let status: unknown;
    await this.#ask(connectorId, "unlock", async () => {
      const answer = await unlock.call(this.#hardware, connectorId);
      if (!unlockings.includes(answer))
        throw new TypeError(`unlock answered ${answer}. Answer ${unlockings.join(", ")}.`);
      status = answer;
    });
    return (status as Unlocking | undefined) ?? "UnlockFailed";
  }

  /** Whether firmware can be installed. */
  get installs(): boolean {
    return typeof this.#hardware.install === "function";
  }

  /** Who verifies signatures of firmware; `undefined`: not the hardware. */
  get verifier(): ((file: string, by: FirmwareSigner) => Promise<boolean>) | undefined {
    const { verify } = this.#hardware;
    return typeof verify === "function" ? async (file, by) => verify.call(this.#hardware, file, by) : undefined;
  }

  /** How an installation has ended: it may take its time. */
  async install(file: string): Promise<Installation | "failed"> {
    try {
      const outcome = await this.#hardware.install?.(file);
      if (outcome === "installed" || outcome === "restart") return outcome;
      throw new TypeError(`install answered ${String(outcome)}. Answer "installed" or "restart".`);
    } catch (error) {
      this.#options.fault(error, 0);
      return "failed";
    }
  }

  /** Whether the new firmware runs. */
  async isInstalled(otherwise: boolean): Promise<boolean> {
    let isInstalled: unknown;
    const { isInstalled: ask } = this.#hardware;
    if (typeof ask !== "function") return otherwise;
    await this.#ask(0, "isInstalled", async () => {
      isInstalled = await ask.call(this.#hardware);
    });
    return isInstalled === true;
  }

  /** A file with diagnostics, if there is one. */
  async diagnostics(range: DiagnosticsRange): Promise<DiagnosticsFile | undefined> {
    let made: DiagnosticsFile | undefined;
    await this.#ask(0, "diagnostics", async () => {
      const given = await this.#hardware.diagnostics?.(range);
      if (given === undefined) return;
      const { file, fileName } = given;
      const isName = typeof fileName === "string" && /^[^/\\\0]{1,255}$/.test(fileName);
      if (!(typeof file === "string" || file instanceof Uint8Array) || !isName) {
        throw new TypeError("diagnostics made no { file, fileName }: a path or contents, and a name without folders.");
      }
      made = { file, fileName };
    });
    return made;
  }

  /** Whether it does restart. */
  reboot(kind: "Soft" | "Hard"): Promise<boolean> {
    return this.#ask(0, "reboot", () => this.#hardware.reboot(kind));
  }

  /** Opens all contactors, and tries nothing again any more. */
  close(): void {
    for (const connectorId of this.#contactors.keys()) this.offer(connectorId, undefined);
    this.#isClosed = true; // What does not open is told to, again and again.
  }

  async #switch(connectorId: number, contactor: Contactor): Promise<void> {
    // What is broken has to open first.
    const offer = contactor.failures > 0 ? undefined : contactor.wanted;
    contactor.isAsked = true;
    contactor.isDue = offer !== contactor.wanted;
    const isDone = await this.#ask(connectorId, "offer", () => {
      const closing = this.#hardware.offer(connectorId, offer);
      if (offer !== undefined) this.#afterwards(connectorId, contactor, closing);
      return closing;
    });
    contactor.isAsked = false;
    if (!isDone) this.#failed(connectorId, contactor);
    else if (contactor.failures > 0 && offer === undefined) {
      contactor.failures = 0;
      contactor.disarm();
      if (!this.#isClosed) this.#options.failed(connectorId, undefined);
    }
    if (contactor.isDue && contactor.failures === 0 && !contactor.isAsked) void this.#switch(connectorId, contactor);
  }

  /** What closes late, or was told to open while it closed, is told to open once more. */
  #afterwards(connectorId: number, contactor: Contactor, closing: unknown): void {
    const reopen = (): void => {
      if (contactor.wanted === undefined) void this.#switch(connectorId, contactor);
    };
    Promise.resolve(closing).then(reopen, reopen);
  }

  #failed(connectorId: number, contactor: Contactor): void {
    const { clock, failed } = this.#options;
    contactor.failures += 1;
    contactor.disarm();
    const waitMs = contactor.failures === 1 ? 0 : Math.min(longestWaitMs, 1000 * 2 ** (contactor.failures - 2));
    contactor.disarm = clock.wakeAt(clock.now() + waitMs, () => void this.#switch(connectorId, contactor));
    if (contactor.failures === 1 && !this.#isClosed) failed(connectorId, powerSwitchFailure);
  }

  /** Whether a method has done what it was asked to, in time. */
  async #ask(connectorId: number, method: string, ask: () => unknown): Promise<boolean> {
    const { clock, fault, timeoutMs } = this.#options;
    const late = (): Error => new Error(`${method} of the hardware has not answered for ${timeoutMs} ms.`);
    try {
      await inTime(clock, timeoutMs, ask, late);
      return true;
    } catch (error) {
      fault(error, connectorId);
      return false;
    }
  }
}

const unlockings: readonly unknown[] = ["Unlocked", "UnlockFailed", "NotSupported"] satisfies readonly Unlocking[];
