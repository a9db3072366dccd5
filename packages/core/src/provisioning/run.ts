import { OwnSignal } from "../abort.ts";
import type { Provisioned } from "./provisioning-options.ts";

/** Who asks for a run, and for what. */
export interface Wish {
  /** Whether all that is wanted is to be made so; else there may be a reset to make up for. */
  readonly isWhole?: boolean;
  /** Whether `told` hears all of it. */
  readonly isTold?: boolean;
}

/** What there is to do for a Charge Point in its turn, and what that has come to. */
export class Run {
  readonly identity: string;
  isWhole = false;
  isTold = false;
  readonly abortion = new OwnSignal();
  /** The one that is made in its place. */
  follower: Run | undefined;
  /** Resolves when it is over; never rejects. */
  ended!: Promise<void>;
  outcome: Provisioned;
  readonly errors: unknown[] = [];
  /** Whether something may be otherwise on the next connection. */
  isUnfinished = false;

  constructor(identity: string) {
    this.identity = identity;
    this.outcome = { identity };
  }
}

/** The runs of one Charge Point: the one that is under way, and at most one that follows it. */
export class Runs {
  #current: Run | undefined;
  #next: Run | undefined;

  get areOver(): boolean {
    return this.#current === undefined && this.#next === undefined;
  }

  /**
   * Asks for a run. It begins when the one that is under way is over; until then, whoever asks gets the same. A whole one
   * takes the place of that one, which ends at once.
   *
   * @param make - Makes it; never rejects.
   */
  ask(identity: string, { isWhole = false, isTold = false }: Wish, make: (run: Run) => Promise<void>): Run {
    const current = this.#current;
    this.#next ??= this.#follow(identity, make);
    const run = this.#next;
    run.isWhole ||= isWhole;
    run.isTold ||= isTold;
    if (!isWhole || current === undefined || current.follower !== undefined) return run;
    run.isTold ||= current.isTold;
    current.follower = run;
    current.abortion.abort(new Error("Another run takes the place of this one."));
    return run;
  }

  #follow(identity: string, make: (run: Run) => Promise<void>): Run {
    const run = new Run(identity);
    run.ended = Promise.resolve(this.#current?.ended).then(() => {
      this.#current = run;
      this.#next = undefined;
      return make(run);
    });
    return run;
  }

  /** Says that the one that is under way is over. */
  ended(): void {
    this.#current = undefined;
  }
}
