import { CallError } from "@ocppj/core";
import type { Desk } from "./desk.ts";
import type { FileTransfers } from "./files/file-transfers.ts";
import type { KeptJob } from "./files/kept-job.ts";
import { oneAfterAnother } from "./one-after-another.ts";

/** When the store is asked again for what it has refused. */
const retryMs = 60_000;

/** What a job says is done in its order: what is told was written down before, and what was told is not forgotten before that. */
export class Turns {
  readonly #desk: Desk;
  readonly #inTurn = oneAfterAnother();
  #isEnded = false;
  #disarm: (() => void) | undefined;

  constructor(desk: Desk) {
    this.#desk = desk;
  }

  take(act: () => unknown): void {
    this.#inTurn(async () => this.#isEnded || (await act())).catch((error: unknown) => this.#desk.fault(error));
  }

  /** Has a record written, or with `undefined` forgotten. */
  keep(name: string, record: KeptJob | undefined): void {
    const { jobs } = this.#desk;
    this.take(async () => {
      await (record === undefined ? jobs.forget(name) : jobs.restore(name, record));
      this.#settle();
    });
  }

  /** Has a message delivered, and waits until it would survive a power cut. */
  async deliver(deliver: () => void): Promise<void> {
    deliver(); // Throws where there is no room.
    // What the store refuses is told by the ChargePoint.
    await this.#desk.chargePoint.saved().catch(() => {});
  }

  /** As after a power cut, nothing is done any more. */
  end(): void {
    this.#isEnded = true;
    this.#disarm?.();
  }

  /** What the store has refused is tried again, or a restart would go on with what is long over. */
  #settle(): void {
    const { clock, jobs } = this.#desk;
    if (!jobs.isOwing || this.#isEnded || this.#disarm !== undefined) return;
    this.#disarm = clock.wakeAt(clock.now() + retryMs, () => {
      this.#disarm = undefined;
      void jobs.settle().then(() => this.#settle());
    });
  }
}

/** Whether there is the protocol of a URL. [FM-30, FM-31] */
export function isSupported(location: string, { protocols }: FileTransfers): boolean {
  const protocol = /^([a-z]+):/i.exec(location)?.[1]?.toUpperCase() ?? "";
  return (protocols as readonly string[]).includes(protocol);
}

/** The same for requests whose answers cannot say no. */
export function demandSupported(location: string, transfers: FileTransfers): void {
  if (isSupported(location, transfers)) return;
  throw new CallError(
    "PropertyConstraintViolation",
    `location has no protocol that is supported here: ${transfers.protocols.join(", ")}.`,
  );
}
