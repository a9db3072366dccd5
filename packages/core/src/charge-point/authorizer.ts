import { type AbortSignalLike, OwnSignal } from "../abort.ts";
import type { AuthorizationCache } from "../authorization/authorization-cache.ts";
import {
  type AskCentralSystem,
  type Authorization,
  type AuthorizationKeys,
  type AuthorizationSituation,
  authorizationOf,
  authorize,
  authorizeStop,
  type TransactionStarter,
} from "../authorization/authorize.ts";
import type { IdTagInfo, IdTagLookUp } from "../authorization/id-tag.ts";
import type { LocalAuthList } from "../authorization/local-auth-list.ts";
import type { Clock } from "../clock.ts";
import { guarded } from "../guarded.ts";
import { parseReq } from "../messages/validate.ts";
import { type OptionRules, optionRules, takeOptions } from "../options.ts";

/** How long `authorize` and `authorizeStop` wait for the Central System; they decide as offline then. */
export interface AuthorizeOptions {
  /** The longest wait in milliseconds, that for its turn included. Default: as long as a CALL waits for its answer. */
  readonly waitMs?: number | undefined;
  /** Ends the wait: the driver has gone, or has shown another card. */
  readonly signal?: AbortSignalLike | undefined;
}

const rules: OptionRules<AuthorizeOptions> = { waitMs: optionRules.milliseconds, signal: optionRules.signal };

/** What an {@link Authorizer} works with. */
export interface AuthorizerOptions {
  readonly authorizationCache?: AuthorizationCache | undefined;
  readonly localAuthList?: LocalAuthList | undefined;
  readonly keys: () => AuthorizationKeys;
  /** The present moment, in milliseconds since the epoch. */
  readonly now: () => number;
  readonly clock: Clock;
  /** Hears of an identifier that is none, and of what the list and the cache throw. */
  readonly fault: (error: unknown) => void;
  /** How long a CALL waits for its answer, in milliseconds. */
  readonly timeoutMs: () => number;
  /** Whether the Central System can be asked. */
  readonly online: () => boolean;
  /** Sends Authorize.req, before all that waits; rejects when the signal aborts. What is answered is `learned` first. */
  readonly ask: (idTag: string, signal: AbortSignalLike) => Promise<IdTagInfo>;
  /** Hears that the Central System contradicts the Local Authorization List. [LAL-06] */
  readonly conflict: () => void;
}

/**
 * Decides on identifiers for a Charge Point: asks the Central System where that is due, falls back on what is known here
 * when it does not answer, and remembers what it says.
 *
 * @spec OCPP 1.6 §3.5, §4.1
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #list: IdTagLookUp;
  readonly #cache: IdTagLookUp;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
    this.#list = sound(options.localAuthList, options.fault);
    this.#cache = sound(options.authorizationCache, options.fault);
  }

  /** @throws TypeError One of the options is not what it may be, or there is no such option. */
  authorize(idTag: string, options: AuthorizeOptions): Promise<Authorization> {
    const ask = this.#asking("authorize", idTag, options);
    return this.#decide(idTag, ask, (situation) => authorize(idTag, this.#options.now(), situation));
  }

  /** @throws TypeError One of the options is not what it may be, or there is no such option. */
  authorizeStop(idTag: string, startedBy: TransactionStarter, options: AuthorizeOptions): Promise<Authorization> {
    const ask = this.#asking("authorizeStop", idTag, options);
    const decide = (situation: AuthorizationSituation): Authorization | AskCentralSystem =>
      authorizeStop(idTag, startedBy, this.#options.now(), situation);
    return this.#decide(idTag, ask, decide, startedBy);
  }

  /** What is decided about an identifier as long as nobody can be asked, in the words of the Central System. */
  decideOffline(idTag: string): IdTagInfo {
    const { decision } = authorize(idTag, this.#options.now(), this.#situation(false));
    return { status: decision === "accept" ? "Accepted" : "Invalid" };
  }

  /** What is known here about an identifier; `undefined` when nothing is. */
  lookUp(idTag: string): IdTagInfo | undefined {
    const { keys, now } = this.#options;
    const { AuthorizationCacheEnabled, LocalAuthListEnabled } = keys();
    const listed = LocalAuthListEnabled ? this.#list.lookUp(idTag, now()) : undefined;
    return listed ?? (AuthorizationCacheEnabled ? this.#cache.lookUp(idTag, now()) : undefined);
  }

  /** Takes what the Central System said about an identifier. [CORE-CACHE-02, CORE-AUTH-08, CORE-START-03, LAL-06] */
  learned(idTag: string, idTagInfo: IdTagInfo): void {
    const { authorizationCache, localAuthList, conflict, fault, keys, now } = this.#options;
    guarded(() => {
      if (keys().LocalAuthListEnabled && localAuthList?.conflictsWith(idTag, idTagInfo, now())) conflict();
    }, fault);
    guarded(() => authorizationCache?.update(idTag, idTagInfo, now()), fault);
  }

  async #decide(
    idTag: string,
    ask: () => Promise<IdTagInfo | undefined>,
    decide: (situation: AuthorizationSituation) => Authorization | AskCentralSystem,
    startedBy?: TransactionStarter,
  ): Promise<Authorization> {
    try {
      parseReq("Authorize", { idTag }, "local");
    } catch (error) {
      this.#options.fault(error);
      return { decision: "refuse", grounds: "no-id-tag" };
    }
    const authorization = decide(this.#situation(this.#options.online()));
    if (authorization.decision !== "ask") return authorization;
    const idTagInfo = await ask();
    if (idTagInfo !== undefined) return authorizationOf(idTagInfo, startedBy);
    // J-215: who does not answer, or not with an answer, is treated as if it was not there. Offline, nobody is asked.
    return decide(this.#situation(false)) as Authorization;
  }

  #situation(online: boolean): AuthorizationSituation {
    return { online, keys: this.#options.keys(), list: this.#list, cache: this.#cache };
  }

  /**
   * A question to the Central System; it resolves with `undefined` where there is no answer in time.
   *
   * @param method - What has these options.
   */
  #asking(
    method: "authorize" | "authorizeStop",
    idTag: string,
    options: AuthorizeOptions,
  ): () => Promise<IdTagInfo | undefined> {
    const { ask, clock, fault, timeoutMs } = this.#options;
    const { waitMs = timeoutMs(), signal } = takeOptions(method, options, rules);
    return async () => {
      const wait = new OwnSignal();
      const end = (): void => wait.abort("nobody waits any more");
      const disarm = clock.wakeAt(clock.now() + waitMs, end);
      guarded(() => signal?.addEventListener("abort", end), fault);
      if (signal?.aborted) end();
      try {
        return await ask(idTag, wait);
      } catch {
        return undefined;
      } finally {
        disarm();
        guarded(() => signal?.removeEventListener("abort", end), fault);
      }
    };
  }
}

/** A list or a cache that never throws: who cannot say anything about an identifier knows nothing of it. */
function sound(lookUp: IdTagLookUp | undefined, fault: (error: unknown) => void): IdTagLookUp {
  return {
    lookUp(idTag, now) {
      try {
        return lookUp?.lookUp(idTag, now);
      } catch (error) {
        fault(error);
        return undefined;
      }
    },
  };
}
