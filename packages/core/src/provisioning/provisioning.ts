import type { KnownIdTag } from "../authorization/id-tag.ts";
import { putLatest } from "../bounded.ts";
import type { CentralSystem } from "../central-system/central-system.ts";
import type { Connection } from "../connection/connection.ts";
import { CallError, ConnectionClosedError, PayloadError } from "../errors.ts";
import { guarded } from "../guarded.ts";
import { inTime } from "../in-time.ts";
import { type OptionRules, optionRules, takeOptions } from "../options.ts";
import { type AppliedKey, applyConfiguration } from "./apply-configuration.ts";
import { applyLocalAuthList, type LocalAuthListOutcome, type SentLocalAuthList } from "./apply-local-auth-list.ts";
import { isUnsupported } from "./configured-charger.ts";
import { ResetReasons } from "./reset-reasons.ts";
import { meaningOf, takeWantedConfiguration, type WantedConfiguration } from "./wanted-configuration.ts";

/** What a Charge Point should have; what is left out may be as it is. */
export interface WantedProvisions {
  readonly configuration?: WantedConfiguration | undefined;
  readonly localAuthList?: readonly KnownIdTag[] | undefined;
}

/** Remembers which Local Authorization List each Charge Point was sent. A `Map` is one. */
export interface SentLocalAuthLists {
  get(identity: string): SentLocalAuthList | undefined | Promise<SentLocalAuthList | undefined>;
  /** A promise is awaited. */
  set(identity: string, list: SentLocalAuthList): unknown;
}

/**
 * What has become of the reset that a change requires:
 *
 * - `Accepted`, `Rejected`: the answer. `Postponed`: `mayReset` does not allow it yet, or another run makes it.
 * - `Futile`: there was one for the same keys, and they still require it. There will be no other.
 */
export type ResetOutcome = "Accepted" | "Rejected" | "Postponed" | "Futile";

/** What a run has come to. */
export interface Provisioned {
  readonly identity: string;
  /** Absent: none is wanted. */
  readonly configuration?: readonly AppliedKey[];
  /** Absent: none is wanted. */
  readonly localAuthList?: LocalAuthListOutcome;
  /** Absent: none is required. */
  readonly reset?: ResetOutcome;
}

/** A step of a run that came to nothing. What the others have come to is told before. */
export interface ProvisioningFailure {
  readonly identity: string;
  /** What `Connection.call`, or something of the owner's, has thrown; or that this has not answered within 30 s. */
  readonly error: unknown;
}

/** Settings of {@link Provisioning}. */
export interface ProvisioningOptions {
  /** Whose Charge Points these are. */
  readonly centralSystem: CentralSystem;
  /** What a Charge Point should have: by itself, or by its model, which its BootNotification has told. `undefined`: nothing. */
  readonly wanted: (identity: string) => WantedProvisions | undefined | Promise<WantedProvisions | undefined>;
  /**
   * Whether a Charge Point may be reset now: no transaction runs, and nothing else speaks against it. It is asked when a
   * change requires a reset, and again after each StopTransaction. Default: never.
   */
  readonly mayReset?: ((identity: string) => boolean | Promise<boolean>) | undefined;
  /** Which lists were sent. Default: a `Map`; after a restart lists are then sent as a whole. */
  readonly lists?: SentLocalAuthLists | undefined;
  /**
   * Hears of each run that was not asked for with {@link Provisioning.provision}, of what came of those in which a step
   * failed, and of resets that were postponed.
   */
  readonly told?: ((event: Provisioned | ProvisioningFailure) => void) | undefined;
}

const { callback, object, required } = optionRules;

const rules: OptionRules<ProvisioningOptions> = {
  centralSystem: required(object("a CentralSystem", "on", "get")),
  wanted: required(callback),
  mayReset: callback,
  lists: object("a Map, or what has its get and set", "get", "set"),
  told: callback,
};

/** How long what belongs to the owner may take, in milliseconds. */
const patienceMs = 30_000;

/** Of how many Charge Points something is left to do. */
const most = 50_000;

/** What is left to do for a Charge Point, and what was done. */
interface Charger {
  /** The latest run; an earlier one decides nothing any more. */
  run?: object;
  /** Whether it has booted, and was not given yet what is wanted, through no word of its own. */
  isUnfinished: boolean;
  /** Why it waits for a reset; only until it boots. */
  postponed?: readonly string[] | undefined;
  boots: number;
  /** The changes since it booted that require it to boot again. */
  readonly required: Set<string>;
  readonly resets: ResetReasons;
}

/** What a run has come to so far, and what its other steps threw. */
interface Run {
  readonly connection: Connection<"CentralSystem">;
  readonly charger: Charger;
  outcome: Provisioned;
  readonly errors: unknown[];
  /** Whether something may be otherwise on the next connection. */
  isUnfinished: boolean;
}

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
  readonly #told: NonNullable<ProvisioningOptions["told"]>;
  readonly #chargers = new Map<string, Charger>();

  /** @throws TypeError One of the options is not what it may be, or there is no such option. */
  constructor(options: ProvisioningOptions) {
    const { centralSystem, wanted, mayReset, lists, told } = takeOptions("Provisioning", options, rules);
    this.#centralSystem = centralSystem;
    this.#wanted = wanted;
    this.#mayReset = mayReset ?? (() => false);
    this.#lists = lists ?? new Map<string, SentLocalAuthList>();
    this.#told = told ?? (() => {});
    centralSystem.on("registration", ({ identity, status }) => {
      if (status !== "Accepted") return;
      const charger = this.#of(identity);
      charger.boots += 1;
      charger.postponed = undefined;
      charger.required.clear();
      charger.isUnfinished = true;
      void this.#tell(identity, this.#run(identity));
    });
    centralSystem.on("connected", ({ identity }) => {
      if (this.#chargers.get(identity)?.isUnfinished) void this.#tell(identity, this.#run(identity));
    });
    centralSystem.on("finished", ({ identity, call, direction }) => {
      const postponed = this.#chargers.get(identity)?.postponed;
      if (postponed === undefined || direction !== "in" || call.action !== "StopTransaction") return;
      void this.#tell(identity, this.#resume(identity, postponed));
    });
  }

  /**
   * Makes a run now, for example because what is wanted has changed, or while the Charge Point is Pending.
   *
   * @throws ConnectionClosedError with `sent` false: it is not connected.
   * @throws The errors of {@link applyConfiguration} and {@link applyLocalAuthList}, what `wanted`, `mayReset` and `lists`
   * throw, and that one of these has not answered within 30 s; the first, if there are several. `told` hears of the others,
   * and what the other steps have come to.
   */
  async provision(identity: string): Promise<Provisioned> {
    const { errors, outcome } = await this.#run(identity);
    if (errors.length === 0) return outcome;
    const [first, ...others] = errors;
    this.#tellAll(outcome, others);
    throw first;
  }

  async #run(identity: string): Promise<Run> {
    const run = this.#begin(identity);
    const { charger } = run;
    charger.run = run;
    await this.#step(run, async () => {
      const wanted = (await this.#asked("wanted", () => this.#wanted(identity))) ?? {};
      await this.#step(run, () => this.#configure(run, wanted.configuration));
      await this.#step(run, () => this.#applyList(run, wanted.localAuthList));
      await this.#step(run, () => this.#resetIfRequired(run, wanted.configuration));
    });
    if (charger.run === run) charger.isUnfinished = run.isUnfinished;
    this.#forgetIfDone(identity, charger);
    return run;
  }

  #begin(identity: string): Run {
    const connection = this.#connectionOf(identity);
    return { connection, charger: this.#of(identity), outcome: { identity }, errors: [], isUnfinished: false };
  }

  /** Makes a step, unless an earlier one has found the connection gone. */
  async #step(run: Run, step: () => Promise<void>): Promise<void> {
    const { connection, errors } = run;
    if (errors.length > 0 && this.#centralSystem.get(connection.identity) !== connection) return;
    try {
      await step();
    } catch (error) {
      errors.push(error);
      if (!isItsWord(error)) run.isUnfinished = true;
    }
  }

  async #configure(run: Run, wanted: WantedConfiguration | undefined): Promise<void> {
    if (wanted === undefined) return;
    const { charger, connection } = run;
    const meanings = new Map(takeWantedConfiguration(wanted).map((key) => [key.key, meaningOf(key)]));
    const changed = ({ key, status }: AppliedKey): void => {
      if (status === "RebootRequired") charger.required.add(meanings.get(key) as string);
    };
    const configuration = await applyConfiguration(connection, wanted, { changed });
    run.outcome = { ...run.outcome, configuration };
  }

  /** Last of all: what follows it is lost. */
  async #resetIfRequired(run: Run, wanted: WantedConfiguration | undefined): Promise<void> {
    const { charger, outcome } = run;
    if (wanted === undefined || outcome.configuration === undefined) return;
    const meanings = new Set(takeWantedConfiguration(wanted).map(meaningOf));
    for (const meaning of charger.required) if (!meanings.has(meaning)) charger.required.delete(meaning);
    const reasons = [...charger.required];
    if (reasons.length === 0) charger.resets.forget();
    else if (charger.postponed === undefined && charger.resets.areFutile(reasons)) {
      run.outcome = { ...outcome, reset: "Futile" };
    } else await this.#reset(run, reasons);
  }

  async #applyList(run: Run, wanted: readonly KnownIdTag[] | undefined): Promise<void> {
    if (wanted === undefined) return;
    const { connection } = run;
    const { identity } = connection;
    const known = (await this.#asked("lists.get", () => this.#lists.get(identity))) ?? undefined; // Databases say null.
    const localAuthList = await applyLocalAuthList(connection, wanted, { known });
    run.outcome = { ...run.outcome, localAuthList };
    if ("list" in localAuthList) await this.#asked("lists.set", () => this.#lists.set(identity, localAuthList.list));
  }

  /** Asks for a reset, if that may be. What the Charge Point does after it has been asked is its own affair. */
  async #reset(run: Run, reasons: readonly string[]): Promise<void> {
    const { charger, connection } = run;
    const { identity } = connection;
    const answered = (reset: ResetOutcome): void => {
      run.outcome = { ...run.outcome, reset };
    };
    charger.postponed = reasons;
    answered("Postponed");
    const mayReset = await this.#asked("mayReset", () => this.#mayReset(identity));
    if (!mayReset || charger.postponed !== reasons) return; // Another run was faster.
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

  async #resume(identity: string, reasons: readonly string[]): Promise<Run> {
    const run = this.#begin(identity);
    await this.#step(run, () => this.#reset(run, reasons));
    return run;
  }

  async #tell(identity: string, run: Promise<Run>): Promise<void> {
    try {
      const { errors, outcome } = await run;
      this.#tellAll(outcome, errors);
    } catch (error) {
      this.#tellAll({ identity }, [error]);
    }
  }

  /** Tells an outcome, if there is one or nothing was wanted, and then each failure. */
  #tellAll(outcome: Provisioned, errors: readonly unknown[]): void {
    const { identity } = outcome;
    const failures = errors.map((error) => ({ identity, error }));
    const isSomething = failures.length === 0 || Object.keys(outcome).length > 1;
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
      required: new Set(),
      resets: new ResetReasons(),
    };
    putLatest(this.#chargers, identity, charger, most);
    return charger;
  }

  #forgetIfDone(identity: string, charger: Charger): void {
    const { isUnfinished, postponed, required, resets } = charger;
    const isDone = !isUnfinished && postponed === undefined && required.size === 0 && resets.isEmpty;
    if (isDone && this.#chargers.get(identity) === charger) this.#chargers.delete(identity);
  }

  #connectionOf(identity: string): Connection<"CentralSystem"> {
    const connection = this.#centralSystem.get(identity);
    if (connection !== undefined) return connection;
    throw new ConnectionClosedError("GetConfiguration", { code: 1006, reason: "not connected", sent: false });
  }
}
