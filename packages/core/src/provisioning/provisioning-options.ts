import type { KnownIdTag } from "../authorization/id-tag.ts";
import type { CentralSystem } from "../central-system/central-system.ts";
import { type OptionRules, optionRules } from "../options.ts";
import type { AppliedKey } from "./apply-configuration.ts";
import type { LocalAuthListOutcome, SentLocalAuthList } from "./apply-local-auth-list.ts";
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
 * Remembers why a Charge Point has to be reset, from a change until it boots. A `Map` is one; over a database it outlives the
 * program.
 */
export interface RequiredResets {
  get(identity: string): readonly string[] | undefined | Promise<readonly string[] | undefined>;
  /**
   * A promise is awaited.
   *
   * @param reasons - A text of 16 characters for each; none when there is no reason any more.
   */
  set(identity: string, reasons: readonly string[]): unknown;
}

/**
 * What has become of the reset that a change requires:
 *
 * - `Accepted`, `Rejected`: the answer. `Postponed`: `mayReset` does not allow it yet, or the Charge Point has just booted.
 *   Without `requiredResets` this is forgotten with the program.
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
  /**
   * What `Connection.call`, or something of the owner's, has thrown; that this has not answered within 30 s; or that the step
   * is left out, since the connection was lost twice in it.
   */
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
   * Which changes require a reset that was not made yet. It is asked before each run and after each StopTransaction, as long
   * as nothing is known of the Charge Point. Default: nothing; a reset that was postponed is then forgotten with the program,
   * and where a key shows its new value before it has it, nobody sees that.
   */
  readonly requiredResets?: RequiredResets | undefined;
  /**
   * Hears of each run that was not asked for with {@link Provisioning.provision}, of what came of those in which a step
   * failed, and of resets that were postponed.
   */
  readonly told?: ((event: Provisioned | ProvisioningFailure) => void) | undefined;
}

const { callback, object, required } = optionRules;

export const provisioningRules: OptionRules<ProvisioningOptions> = {
  centralSystem: required(object("a CentralSystem", "on", "get")),
  wanted: required(callback),
  mayReset: callback,
  lists: object("a Map, or what has its get and set", "get", "set"),
  requiredResets: object("a Map, or what has its get and set", "get", "set"),
  told: callback,
};
