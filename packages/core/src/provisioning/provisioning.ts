import type { KnownIdTag } from "../authorization/id-tag.ts";
import { putLatest } from "../bounded.ts";
import type { CentralSystem } from "../central-system/central-system.ts";
import type { Connection } from "../connection/connection.ts";
import { CallError, ConnectionClosedError, PayloadError } from "../errors.ts";
import { guarded } from "../guarded.ts";
import { inTime } from "../in-time.ts";
import { takeOptions } from "../options.ts";
import { type AppliedKey, applyConfiguration } from "./apply-configuration.ts";
import { applyLocalAuthList, type SentLocalAuthList } from "./apply-local-auth-list.ts";
import { isUnsupported } from "./configured-charger.ts";
import { type Asked, KeptReasons } from "./kept-reasons.ts";
import { LostSteps, type StepName } from "./lost-steps.ts";
import {
  type Provisioned,
  type ProvisioningOptions,
  provisioningRules,
  type RequiredResets,
  type ResetOutcome,
  type SentLocalAuthLists,
  type WantedProvisions,
} from "./provisioning-options.ts";
import { ResetReasons } from "./reset-reasons.ts";
import { type Run, Runs, type Wish } from "./run.ts";
import { meaningOf, takeWantedConfiguration, type WantedConfiguration } from "./wanted-configuration.ts";

/** How long what belongs to the owner may take, in milliseconds. */
const patienceMs = 30_000;

/** Of how many Charge Points something is left to do. */
const most = 50_000;

/** What is left to do for a Charge Point, and what was done. */
interface Charger {
  readonly runs: Runs;
  /** Whether it has booted, and was not given yet what is wanted, through no word of its own. */
  isUnfinished: boolean;
  /** Why it waits for a reset; only until it boots. */
  postponed?: readonly string[] | undefined;
  boots: number;
  readonly required: KeptReasons;
  readonly resets: ResetReasons;
  readonly lostSteps: LostSteps;
}

/** A run, and whom it is about. */
interface Turn {
  readonly run: Run;
  readonly charger: Charger;
  readonly connection: Connection<"CentralSystem">;
}

/** What is told of a step that is left out. */
const leftOut = (name: StepName): string =>
  `The connection was lost twice while the ${name} was sent, so it is left out until provision() is called or another one is wanted.`;

/** What a Charge Point has said to one of our CALLs will not be otherwise on the next connection. */
const isItsWord = (error: unknown): boolean => error instanceof CallError || error instanceof PayloadError;

/**
 * Gives Charge Points the configuration and the Local Authorization List that are wanted, after each boot that was
 * accepted; when the connection is lost on the way, or something of the owner's fails, again on the next one. Each step is
 * made whatever became of the others. Where a change requires it, it resets them softly, once for the same keys: a Charge
 * Point that asks for ever more reboots does not get them.
 *
 * @spec OCPP 1.6 §5.3, §5.14, §5.15 [CORE-CC-03]
 */
export class Provisioning {
  readonly #centralSystem: CentralSystem;
  readonly #wanted: ProvisioningOptions["wanted"];
  readonly #mayReset: NonNullable<ProvisioningOptions["mayReset"]>;
  readonly #lists: SentLocalAuthLists;
  readonly #requiredResets: RequiredResets | undefined;
  readonly #told: NonNullable<ProvisioningOptions["told"]>;
  readonly #chargers = new Map<string, Charger>();

  /** @throws TypeError One of the options is not what it may be, or there is no such option. */
  constructor(options: ProvisioningOptions) {
    const taken = takeOptions("Provisioning", options, provisioningRules);
    const { centralSystem } = taken;
    this.#centralSystem = centralSystem;
    this.#wanted = taken.wanted;
    this.#mayReset = taken.mayReset ?? (() => false);
    this.#lists = taken.lists ?? new Map<string, SentLocalAuthList>();
    this.#requiredResets = taken.requiredResets;
    this.#told = taken.told ?? (() => {});
    centralSystem.on("registration", ({ identity, status }) => {
      if (status !== "Accepted") return;
      const charger = this.#of(identity);
      charger.boots += 1;
      charger.postponed = undefined;
      charger.required.booted();
      charger.isUnfinished = true;
      this.#ask(identity, { isWhole: true, isTold: true });
    });
    centralSystem.on("connected", ({ identity }) => {
      if (this.#chargers.get(identity)?.isUnfinished) this.#ask(identity, { isWhole: true, isTold: true });
    });
    centralSystem.on("finished", ({ identity, call, direction }) => {
      if (direction !== "in" || call.action !== "StopTransaction") return;
      const charger = this.#chargers.get(identity);
      const mayBeKept = this.#requiredResets !== undefined && !charger?.required.isKnown;
      if (charger?.postponed !== undefined || mayBeKept) this.#ask(identity, { isTold: true });
    });
  }

  /**
   * Makes a run now, for example because what is wanted has changed, or while the Charge Point is Pending. It takes the place
   * of one that is under way, and steps that were left out are made again. When another one takes its place, the promise is
   * that of the other one.
   *
   * @throws ConnectionClosedError with `sent` false: it is not connected.
   * @throws The errors of {@link applyConfiguration} and {@link applyLocalAuthList}, what `wanted`, `mayReset`, `lists` and
   * `requiredResets` throw, and that one of these has not answered within 30 s; the first, if there are several. `told` hears
   * of the others, and what the other steps have come to.
   */
  async provision(identity: string): Promise<Provisioned> {
    this.#connectionOf(identity);
    this.#of(identity).lostSteps.forget();
    let run = this.#ask(identity, { isWhole: true });
    for (await run.ended; run.follower !== undefined; await run.ended) run = run.follower;
    if (run.errors.length > 0) throw run.errors[0];
    return run.outcome;
  }

  #ask(identity: string, wish: Wish): Run {
    const charger = this.#of(identity);
    return charger.runs.ask(identity, wish, (run) => this.#run(run, charger));
  }

  async #run(run: Run, charger: Charger): Promise<void> {
    const { identity } = run;
    const asked: Asked = (name, ask) => this.#asked(name, ask);
    await this.#pause(run, charger);
    await this.#step(run, async () => {
      const connection = this.#connectionOf(identity);
      const turn: Turn = { run, charger, connection };
      await this.#step(run, () => charger.required.recall(this.#requiredResets, identity, asked));
      await (run.isWhole ? this.#provision(turn) : this.#makeUp(turn));
    });
    if (run.isWhole && run.follower === undefined) charger.isUnfinished = run.isUnfinished;
    charger.runs.ended();
    this.#forgetIfDone(identity, charger);
    if (run.follower === undefined) this.#tell(run);
  }

  async #provision(turn: Turn): Promise<void> {
    const { run, connection } = turn;
    const { configuration, localAuthList } =
      (await this.#asked("wanted", () => this.#wanted(run.identity))) ?? ({} as WantedProvisions);
    const steps: readonly (() => Promise<void>)[] = [
      () => this.#cautiously(turn, "configuration", configuration, (some) => this.#configure(turn, some)),
      () => this.#cautiously(turn, "Local Authorization List", localAuthList, (some) => this.#applyList(turn, some)),
      () => this.#resetIfRequired(turn, configuration),
    ];
    for (const step of steps) {
      // An earlier one may have found the connection gone.
      if (run.errors.length === 0 || this.#centralSystem.get(run.identity) === connection) await this.#step(run, step);
    }
  }

  /** Makes a step, unless another run takes the place of this one. */
  async #step(run: Run, step: () => Promise<void>): Promise<void> {
    if (run.follower !== undefined) return;
    try {
      await step();
    } catch (error) {
      run.errors.push(error);
      if (!isItsWord(error)) run.isUnfinished = true;
    }
  }

  /** Makes a step, if it is wanted and a Charge Point has not been lost by it again and again. */
  async #cautiously<Wanted>(
    { run, charger: { lostSteps } }: Turn,
    name: StepName,
    wanted: Wanted | undefined,
    step: (wanted: Wanted) => Promise<void>,
  ): Promise<void> {
    if (wanted === undefined) return;
    if (lostSteps.isLeftOut(name, wanted)) {
      run.errors.push(new Error(leftOut(name)));
      return;
    }
    try {
      await step(wanted);
      lostSteps.survived(name);
    } catch (error) {
      if (!(error instanceof ConnectionClosedError)) lostSteps.survived(name);
      else if (error.sent) lostSteps.lost(name, wanted, this.#centralSystem.clock.now());
      throw error;
    }
  }

  /** Leaves a Charge Point in peace that was lost by the last run, unless another run takes the place of this one. */
  async #pause({ abortion }: Run, charger: Charger): Promise<void> {
    const { clock } = this.#centralSystem;
    const { pausedUntil } = charger.lostSteps;
    if (abortion.aborted || pausedUntil <= clock.now()) return;
    await new Promise<void>((resolve) => {
      const disarm = clock.wakeAt(pausedUntil, resolve);
      abortion.addEventListener("abort", () => {
        disarm();
        resolve();
      });
    });
  }

  async #configure(turn: Turn, wanted: WantedConfiguration): Promise<void> {
    const { run, charger, connection } = turn;
    const meanings = new Map(takeWantedConfiguration(wanted).map((key) => [key.key, meaningOf(key)]));
    const changed = ({ key, status }: AppliedKey): void => {
      if (status === "RebootRequired") charger.required.reasons.add(meanings.get(key) as string);
    };
    const applying = applyConfiguration(connection, wanted, { changed, signal: run.abortion });
    const configuration = await applying.finally(() => this.#keep(turn));
    run.outcome = { ...run.outcome, configuration };
  }

  /** Last of all: what follows it is lost. */
  async #resetIfRequired(turn: Turn, wanted: WantedConfiguration | undefined): Promise<void> {
    const { run, charger } = turn;
    const { outcome } = run;
    const required = charger.required.reasons;
    if (wanted === undefined || outcome.configuration === undefined) return;
    const meanings = new Set(takeWantedConfiguration(wanted).map(meaningOf));
    for (const meaning of required) if (!meanings.has(meaning)) required.delete(meaning);
    await this.#keep(turn);
    const reasons = [...required];
    if (reasons.length === 0) charger.resets.forget();
    else if (charger.postponed === undefined && charger.resets.areFutile(reasons)) {
      run.outcome = { ...outcome, reset: "Futile" };
    } else await this.#reset(turn, reasons);
  }

  async #applyList({ run, connection }: Turn, wanted: readonly KnownIdTag[]): Promise<void> {
    const { identity, abortion: signal } = run;
    const known = (await this.#asked("lists.get", () => this.#lists.get(identity))) ?? undefined; // Databases say null.
    const localAuthList = await applyLocalAuthList(connection, wanted, { known, signal });
    run.outcome = { ...run.outcome, localAuthList };
    if ("list" in localAuthList) await this.#asked("lists.set", () => this.#lists.set(identity, localAuthList.list));
  }

  /** Makes a reset that was postponed, be it by an earlier program. */
  async #makeUp(turn: Turn): Promise<void> {
    const { postponed, required, resets } = turn.charger;
    const reasons = postponed ?? [...required.reasons];
    const isFutile = postponed === undefined && resets.areFutile(reasons);
    if (reasons.length > 0 && !isFutile) await this.#reset(turn, reasons);
  }

  /** Asks for a reset, if that may be. What the Charge Point does after it has been asked is its own affair. */
  async #reset({ run, charger, connection }: Turn, reasons: readonly string[]): Promise<void> {
    const { identity } = run;
    const answered = (reset: ResetOutcome): void => {
      run.outcome = { ...run.outcome, reset };
    };
    charger.postponed = reasons;
    answered("Postponed");
    const mayReset = await this.#asked("mayReset", () => this.#mayReset(identity));
    if (!mayReset || charger.postponed !== reasons || run.follower !== undefined) return;
    charger.postponed = undefined;
    // Whatever it answers: it may reboot all the same, and would be reset for ever.
    charger.resets.add(reasons);
    const { boots } = charger;
    const postpone = (): void => {
      if (charger.boots === boots) charger.postponed = reasons;
    };
    try {
      const { status } = await connection.call("Reset", { type: "Soft" });
      answered(status);
      if (status === "Rejected") postpone();
    } catch (error) {
      if (error instanceof ConnectionClosedError && error.sent) return answered("Accepted"); // Some answer by vanishing.
      const { reset: _, ...outcome } = run.outcome;
      run.outcome = outcome;
      if (!isUnsupported(error)) postpone();
      if (error instanceof ConnectionClosedError) {
        charger.resets.withdraw(reasons);
        throw error;
      }
      run.errors.push(error); // It is not asked again merely because it reconnects.
    }
  }

  #keep({ run, charger }: Turn): Promise<void> {
    const asked: Asked = (name, ask) => this.#asked(name, ask);
    return this.#step(run, () => charger.required.keep(this.#requiredResets, run.identity, asked));
  }

  /** Tells of a run; of one that was only asked for, what whoever has asked does not hear. */
  #tell({ errors, isTold, isWhole, outcome }: Run): void {
    const { identity } = outcome;
    const untold = isTold ? errors : errors.slice(1);
    if (!isTold && errors.length === 0) return;
    const failures = untold.map((error) => ({ identity, error }));
    const isSomething = Object.keys(outcome).length > 1 || (isWhole && errors.length === 0);
    for (const event of isSomething ? [outcome, ...failures] : failures) {
      guarded(
        () => this.#told(event),
        (error) => this.#centralSystem.emit("fault", { identity, error }),
      );
    }
  }

  /** What something of the owner's answers. */
  #asked<Answer>(name: string, ask: () => Answer | PromiseLike<Answer>): Promise<Answer> {
    const late = (): Error => new Error(`${name} has not answered within ${patienceMs} ms.`);
    return inTime(this.#centralSystem.clock, patienceMs, ask, late);
  }

  #of(identity: string): Charger {
    const charger = this.#chargers.get(identity) ?? {
      isUnfinished: false,
      boots: 0,
      runs: new Runs(),
      required: new KeptReasons(),
      resets: new ResetReasons(),
      lostSteps: new LostSteps(),
    };
    putLatest(this.#chargers, identity, charger, most);
    return charger;
  }

  #forgetIfDone(identity: string, charger: Charger): void {
    const { isUnfinished, lostSteps, postponed, required, resets, runs } = charger;
    const hasNothing = required.reasons.size === 0 && resets.isEmpty && lostSteps.isEmpty;
    const isDone = hasNothing && !isUnfinished && postponed === undefined && runs.areOver;
    if (isDone && this.#chargers.get(identity) === charger) this.#chargers.delete(identity);
  }

  #connectionOf(identity: string): Connection<"CentralSystem"> {
    const connection = this.#centralSystem.get(identity);
    if (connection !== undefined) return connection;
    throw new ConnectionClosedError("GetConfiguration", { code: 1006, reason: "not connected", sent: false });
  }
}
