import type { KnownIdTag } from "../authorization/id-tag.ts";
import type { CentralSystem } from "../central-system/central-system.ts";
import type { Connection } from "../connection/connection.ts";
import { ConnectionClosedError } from "../errors.ts";
import { guarded } from "../guarded.ts";
import { type OptionRules, optionRules, takeOptions } from "../options.ts";
import { type AppliedKey, applyConfiguration } from "./apply-configuration.ts";
import { applyLocalAuthList, type LocalAuthListOutcome, type SentLocalAuthList } from "./apply-local-auth-list.ts";
import type { WantedConfiguration } from "./wanted-configuration.ts";

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
 * - `Accepted`, `Rejected`: the answer. `Postponed`: `mayReset` does not allow it yet.
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

/** A run that came to nothing. */
export interface ProvisioningFailure {
  readonly identity: string;
  /** What `Connection.call`, or something of the owner's, has thrown. */
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
  /** Hears of each run that was not asked for with {@link Provisioning.provision}, and of resets that were postponed. */
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

/**
 * Gives Charge Points the configuration and the Local Authorization List that are wanted, after each boot that was
 * accepted; when the connection is lost on the way, again on the next one. Where a change requires it, it resets them
 * softly, once for the same keys: a Charge Point that asks for ever more reboots does not get them.
 *
 * @spec OCPP 1.6 §5.3, §5.14, §5.15 [CORE-CC-03]
 */
export class Provisioning {
  readonly #centralSystem: CentralSystem;
  readonly #wanted: ProvisioningOptions["wanted"];
  readonly #mayReset: NonNullable<ProvisioningOptions["mayReset"]>;
  readonly #lists: SentLocalAuthLists;
  readonly #told: NonNullable<ProvisioningOptions["told"]>;
  /** Who has booted, and not yet what is wanted. */
  readonly #unfinished = new Set<string>();
  /** Who waits for a reset, and for which keys. */
  readonly #postponed = new Map<string, string>();
  /** For which keys each was reset, until it no longer requires it. */
  readonly #resetFor = new Map<string, string>();

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
      this.#postponed.delete(identity); // It has just booted.
      this.#unfinished.add(identity);
      void this.#tell(identity, this.#run(identity));
    });
    centralSystem.on("connected", ({ identity }) => {
      if (this.#unfinished.has(identity)) void this.#tell(identity, this.#run(identity));
    });
    centralSystem.on("finished", ({ identity, call, direction }) => {
      const keys = this.#postponed.get(identity);
      if (keys === undefined || direction !== "in" || call.action !== "StopTransaction") return;
      void this.#tell(identity, this.#resumed(identity, keys));
    });
  }

  /**
   * Makes a run now, for example because what is wanted has changed, or while the Charge Point is Pending.
   *
   * @throws ConnectionClosedError with `sent` false: it is not connected.
   * @throws The errors of {@link applyConfiguration} and {@link applyLocalAuthList}, what `wanted`, `mayReset` and `lists` throw.
   */
  provision(identity: string): Promise<Provisioned> {
    return this.#run(identity);
  }

  async #run(identity: string): Promise<Provisioned> {
    const connection = this.#connectionOf(identity);
    const wanted = (await this.#wanted(identity)) ?? {};
    const configuration = wanted.configuration && (await applyConfiguration(connection, wanted.configuration));
    const localAuthList = wanted.localAuthList && (await this.#applyList(connection, wanted.localAuthList));
    const keys = (configuration ?? []).filter(({ status }) => status === "RebootRequired").map(({ key }) => key);
    if (keys.length === 0) this.#resetFor.delete(identity);
    // What was wanted of them belongs to it: another value is another reason.
    const reset = keys.length === 0 ? undefined : await this.#reset(connection, JSON.stringify([keys, wanted]));
    this.#unfinished.delete(identity);
    return {
      identity,
      ...(configuration !== undefined && { configuration }),
      ...(localAuthList !== undefined && { localAuthList }),
      ...(reset !== undefined && { reset }),
    };
  }

  async #applyList(
    connection: Connection<"CentralSystem">,
    wanted: readonly KnownIdTag[],
  ): Promise<LocalAuthListOutcome> {
    const known = (await this.#lists.get(connection.identity)) ?? undefined; // Databases say null.
    const outcome = await applyLocalAuthList(connection, wanted, { known });
    if ("list" in outcome) await this.#lists.set(connection.identity, outcome.list);
    return outcome;
  }

  async #reset(connection: Connection<"CentralSystem">, keys: string): Promise<ResetOutcome> {
    const { identity } = connection;
    if (this.#resetFor.get(identity) === keys) return "Futile";
    this.#postponed.set(identity, keys);
    if (!(await this.#mayReset(identity))) return "Postponed";
    if (this.#postponed.get(identity) !== keys) return "Accepted"; // Another run was faster.
    this.#postponed.delete(identity);
    this.#resetFor.set(identity, keys);
    try {
      const { status } = await connection.call("Reset", { type: "Soft" });
      if (status === "Accepted") return status;
    } catch (error) {
      if (error instanceof ConnectionClosedError && error.sent) return "Accepted"; // Some answer by vanishing.
      this.#postpone(identity, keys);
      throw error;
    }
    this.#postpone(identity, keys);
    return "Rejected";
  }

  #postpone(identity: string, keys: string): void {
    this.#resetFor.delete(identity);
    this.#postponed.set(identity, keys);
  }

  async #resumed(identity: string, keys: string): Promise<Provisioned> {
    return { identity, reset: await this.#reset(this.#connectionOf(identity), keys) };
  }

  async #tell(identity: string, run: Promise<Provisioned>): Promise<void> {
    const event = await run.catch((error: unknown) => ({ identity, error }));
    guarded(
      () => this.#told(event),
      (error) => this.#centralSystem.emit("fault", { identity, error }),
    );
  }

  #connectionOf(identity: string): Connection<"CentralSystem"> {
    const connection = this.#centralSystem.get(identity);
    if (connection !== undefined) return connection;
    throw new ConnectionClosedError("GetConfiguration", { code: 1006, reason: "not connected", sent: false });
  }
}
