import { digest } from "../digest.ts";

/** The steps of a run in which the connection may be lost, as they are called where one is left out. */
export type StepName = "configuration" | "Local Authorization List";

/** After how many losses in a row a step is left out. */
const most = 2;

/** How long to do nothing after a loss, in milliseconds: a Charge Point that crashes reboots, and would crash again. */
const pauseMs = 30_000;

/** At which steps the connection to one Charge Point was lost, so that it is not crashed with them for ever. */
export class LostSteps {
  readonly #losses = new Map<StepName, { readonly wish: string; readonly count: number }>();
  #pausedUntil = Number.NEGATIVE_INFINITY;

  get isEmpty(): boolean {
    return this.#losses.size === 0;
  }

  /** Until when to leave the Charge Point in peace. */
  get pausedUntil(): number {
    return this.#pausedUntil;
  }

  /** Whether a step has failed too often to be made once more with the same wish. */
  isLeftOut(step: StepName, wanted: unknown): boolean {
    const lost = this.#losses.get(step);
    return lost !== undefined && lost.count >= most && lost.wish === wishOf(wanted);
  }

  lost(step: StepName, wanted: unknown, now: number): void {
    const wish = wishOf(wanted);
    const earlier = this.#losses.get(step);
    this.#losses.set(step, { wish, count: earlier?.wish === wish ? earlier.count + 1 : 1 });
    this.#pausedUntil = now + pauseMs;
  }

  /** Says that everything is to be tried again. */
  forget(): void {
    this.#losses.clear();
    this.#pausedUntil = Number.NEGATIVE_INFINITY;
  }

  /** Says that the connection has survived a step. */
  survived(step: StepName): void {
    this.#losses.delete(step);
  }
}

/** A list may have thousands of entries; they are not kept. */
const wishOf = (wanted: unknown): string => digest(JSON.stringify(wanted));
