import type { AuthorizationCache } from "../authorization/authorization-cache.ts";
import type { LocalAuthList } from "../authorization/local-auth-list.ts";
import type { Clock } from "../clock.ts";
import type { Configuration } from "../configuration/configuration.ts";
import type { Connect } from "../connection/transport.ts";
import type { Req } from "../messages/actions.ts";
import type { QuirkSet } from "../messages/tolerance.ts";
import { type OptionRules, optionRules } from "../options.ts";
import type { SmartCharging } from "../smart-charging/smart-charging.ts";
import type { RecordStore } from "../store/record-store.ts";
import { type RetryBackOff, retryBackOffRules } from "./reconnection.ts";

/** Settings of `ChargePoint.reconnectNow`. */
export interface ReconnectOptions {
  /** Closes the connection first, if there is one. Default false. */
  readonly drop?: boolean | undefined;
}

/** Settings of a `ChargePoint`. */
export interface ChargePointOptions extends RetryBackOff {
  /** The identity of the Charge Point: what the Central System knows it by. */
  readonly identity: string;
  /** The endpoint URL of the Central System, without the identity. */
  readonly url: string;
  /**
   * Opens a WebSocket: the `connect(…)` of `@ocppj/node` or `@ocppj/browser`. Its signal aborts with `stop`, and when an
   * attempt has not ended by itself after two minutes.
   */
  readonly connect: Connect;
  /** The payload of BootNotification. */
  readonly boot: Req<"BootNotification">;
  /** Where undelivered messages and open transactions survive a power cut. Default: they do not, `memoryStore()`. */
  readonly store?: RecordStore | undefined;
  /**
   * The configuration keys: GetConfiguration and ChangeConfiguration are answered from it, and a change takes effect at
   * once where it concerns this class. Default: none, and the defaults of `configurationKeys` where a key is obeyed.
   */
  readonly configuration?: Configuration | undefined;
  /** Remembers what the Central System says about identifiers. Default: none, ClearCache is rejected. */
  readonly authorizationCache?: AuthorizationCache | undefined;
  /** The Local Authorization List, answered for and looked at by `authorize`. Default: none. */
  readonly localAuthList?: LocalAuthList | undefined;
  /** Holds charging profiles and says what connectors may draw. Default: none, and its actions are not supported. */
  readonly smartCharging?: SmartCharging | undefined;
  /** How many messages may wait for delivery; meter values are thinned out beyond. Default 10 000, at least 2. */
  readonly maxQueuedMessages?: number | undefined;
  /** Whether several transactions may run on one connector at a time. Default: no, the second is a TypeError. */
  readonly severalTransactionsPerConnector?: boolean | undefined;
  /**
   * How long a CALL waits for its answer, in milliseconds from the moment it is sent. Default: MessageTimeout of the
   * configuration, or 30 000. [J-104]
   */
  readonly timeoutMs?: number | undefined;
  /**
   * What is forgiven of what the Central System sends, see `quirks`, besides the notations of date-times, which are always
   * read. Those of handshakes are ignored here: give them to `connect`. Default: nothing else.
   */
  readonly tolerate?: QuirkSet | undefined;
  /** Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
  /**
   * Returns numbers from 0 up to 1, for the waits between attempts to connect. Where it throws or returns anything else, the
   * wait is within its bounds all the same, and there is a `fault`. Default `Math.random`.
   */
  readonly random?: (() => number) | undefined;
}

/** What a connection of a `ChargePoint` begins with. */
export type ConnectionSettings = Pick<ChargePointOptions, "url" | "boot">;

/** Those that change; the others stay. */
export type NewSettings = { readonly [Name in keyof ConnectionSettings]?: ConnectionSettings[Name] | undefined };

/** Whether two BootNotifications say the same. */
export const saysTheSame = (a: ConnectionSettings["boot"], b: ConnectionSettings["boot"]): boolean => {
  const fields = (boot: object): string => JSON.stringify(Object.entries(boot).sort());
  return fields(a) === fields(b);
};

const { callback, flag, object, required, text } = optionRules;
const payload = object("the payload of BootNotification");

export const settingsRules: OptionRules<NewSettings> = { url: text, boot: payload };

export const reconnectRules: OptionRules<ReconnectOptions> = { drop: flag };

export const chargePointRules: OptionRules<ChargePointOptions> = {
  identity: required(text),
  url: required(text),
  connect: required(callback),
  boot: required(payload),
  store: optionRules.store,
  configuration: object("a Configuration", "get", "set", "listen", "getConfiguration", "changeConfiguration"),
  authorizationCache: object("an AuthorizationCache", "lookUp", "update", "clear", "removeListed"),
  localAuthList: object("a LocalAuthList", "lookUp", "update", "conflictsWith"),
  smartCharging: object("a SmartCharging", "setChargingProfile", "transactionsAre", "followedBy"),
  maxQueuedMessages: optionRules.whole(2),
  severalTransactionsPerConnector: flag,
  timeoutMs: optionRules.milliseconds,
  tolerate: optionRules.quirks,
  clock: optionRules.clock,
  random: callback,
  ...retryBackOffRules,
};
