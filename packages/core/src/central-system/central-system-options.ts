import { type ConnectionOptions, sharedRules } from "../connection/connection-options.ts";
import { type OptionRules, optionRules } from "../options.ts";
import type { Registrations, UnknownTransactions } from "./registrations.ts";

/** What to do when a Charge Point connects that is connected already. */
export type DuplicatePolicy = "probe" | "replace" | "reject";

/** Settings of a `CentralSystem`, some of them for each of its connections. */
export interface CentralSystemOptions extends Omit<ConnectionOptions<"CentralSystem">, "role" | "identity"> {
  /**
   * Remembers which Charge Points are accepted. Default: a `Map`, which forgets them with the program; those that go on as
   * if they were accepted are then asked for a BootNotification. [J-132]
   */
  readonly registrations?: Registrations | undefined;
  /**
   * What becomes of messages that a bill depends on (StartTransaction, StopTransaction, MeterValues of a transaction) from a
   * Charge Point that nobody remembers. `serve`: they reach their handlers, because a refused one is lost for ever with
   * common firmware. `hold`: they wait for a BootNotification; after a minute without one the connection closes with 1013.
   * `refuse`: they are answered with `SecurityError`, as everything else of it. In any case it is asked for a
   * BootNotification. Default: `serve` where no `registrations` are given, since those in memory may have forgotten it;
   * `hold` where they are, since a write of ours may have failed. [J-130, J-132]
   */
  readonly unknownTransactions?: UnknownTransactions | undefined;
  /**
   * What to do when a Charge Point connects that is connected already. `replace`: the newest connection wins. `reject`:
   * the oldest does. `probe`: the older one is asked for a sign of life, and wins if it gives one in time; a peer that has
   * lost its network does not, and a stranger cannot push out who is there. Default `probe`. [J-164, Q20]
   */
  readonly duplicates?: DuplicatePolicy | undefined;
  /**
   * How long a connection may take to give a sign of life when it is probed, in milliseconds; less where the opening handshake
   * of who asks would be over before. Default 5000.
   */
  readonly probeTimeoutMs?: number | undefined;
}

/** How fast `CentralSystem.drain` closes connections. */
export interface DrainOptions {
  /**
   * How many connections are closed each second. Default: 50, or as many as it takes to have begun with all of them when
   * four fifths of the time have passed.
   */
  readonly ratePerSecond?: number | undefined;
  /** After how many milliseconds the rest is closed at once, whatever is being served. Default 60 000. */
  readonly deadlineMs?: number | undefined;
}

export const centralSystemRules: OptionRules<CentralSystemOptions> = {
  registrations: optionRules.object("a Map, or what has its get and set", "get", "set"),
  duplicates: optionRules.oneOf("probe", "replace", "reject"),
  unknownTransactions: optionRules.oneOf("serve", "hold", "refuse"),
  probeTimeoutMs: optionRules.milliseconds,
  ...sharedRules,
};

export const drainRules: OptionRules<DrainOptions> = {
  ratePerSecond: optionRules.number("a positive number", Number.MIN_VALUE),
  deadlineMs: optionRules.number("a number of milliseconds from 0 on", 0),
};
