import type { Clock } from "../clock.ts";
import type { Role } from "../messages/actions.ts";
import type { QuirkChoice } from "../messages/tolerance.ts";
import { type OptionRules, optionRules } from "../options.ts";

/** Settings of a `Connection`. */
export interface ConnectionOptions<R extends Role> {
  /** Which end of the connection this is. */
  readonly role: R;
  /** The identity of the Charge Point, at either end. */
  readonly identity: string;
  /** How long a CALL waits for its answer, in milliseconds from the moment it is sent. Default 30 000. [J-103] */
  readonly timeoutMs?: number | undefined;
  /** How many CALLs may wait for their turn; more are refused with a RangeError. Default 1000. */
  readonly maxWaitingCalls?: number | undefined;
  /**
   * How many CALLs of the peer may be served at once; others wait for their turn. When ten times as many wait, or they have
   * more than a million characters, the connection is closed with 1008. Default 100.
   */
  readonly maxServedCalls?: number | undefined;
  /**
   * How many CALLs of the peer are handed to handlers each second, on average; after a pause, as many at once. Those beyond
   * it are not refused: they wait, and so does the peer. Default: as many as come.
   */
  readonly callsPerSecond?: number | undefined;
  /**
   * How long a handler may take, in milliseconds. After that it counts as failed, and its `signal` aborts. Default 60 000.
   */
  readonly handlerTimeoutMs?: number | undefined;
  /**
   * What is forgiven of what the peer sends: quirks, or a function that says which, of whom; see `quirks`. Those of
   * handshakes are ignored here. Default: nothing. Also to be set later: `Connection.tolerate`.
   */
  readonly tolerate?: QuirkChoice | undefined;
  /** Makes message ids: 1 to 36 characters, never the same twice on a connection. Default: random UUIDs. */
  readonly createMessageId?: (() => string) | undefined;
  /** Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

const { required } = optionRules;

/** The options that each of its connections gets from a Central System. */
export const sharedRules: OptionRules<Omit<ConnectionOptions<Role>, "role" | "identity">> = {
  timeoutMs: optionRules.milliseconds,
  maxWaitingCalls: optionRules.whole(1),
  maxServedCalls: optionRules.whole(1),
  callsPerSecond: optionRules.number("a positive number", Number.MIN_VALUE),
  handlerTimeoutMs: optionRules.milliseconds,
  tolerate: optionRules.quirkChoice,
  createMessageId: optionRules.callback,
  clock: optionRules.clock,
};

export const connectionRules: OptionRules<ConnectionOptions<Role>> = {
  role: required(optionRules.oneOf("ChargePoint", "CentralSystem")),
  identity: required(optionRules.text),
  ...sharedRules,
};
