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
import type { IdTagInfo } from "../authorization/id-tag.ts";
import type { LocalAuthList } from "../authorization/local-auth-list.ts";

/** What an {@link Authorizer} works with. */
export interface AuthorizerOptions {
  readonly authorizationCache?: AuthorizationCache | undefined;
  readonly localAuthList?: LocalAuthList | undefined;
  readonly keys: () => AuthorizationKeys;
  /** The present moment, in milliseconds since the epoch. */
  readonly now: () => number;
  /** Whether the Central System can be asked. */
  readonly online: () => boolean;
  /** Sends Authorize.req. */
  readonly ask: (idTag: string) => Promise<IdTagInfo>;
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

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  authorize(idTag: string): Promise<Authorization> {
    return this.#decide(idTag, (situation) => authorize(idTag, this.#options.now(), situation));
  }

  authorizeStop(idTag: string, startedBy: TransactionStarter): Promise<Authorization> {
    const decide = (situation: AuthorizationSituation): Authorization | AskCentralSystem =>
      authorizeStop(idTag, startedBy, this.#options.now(), situation);
    return this.#decide(idTag, decide, startedBy);
  }

  /** What is decided about an identifier as long as nobody can be asked, in the words of the Central System. */
  decideOffline(idTag: string): IdTagInfo {
    const { authorizationCache: cache, keys, localAuthList: list, now } = this.#options;
    const { decision } = authorize(idTag, now(), { online: false, keys: keys(), list, cache });
    return { status: decision === "accept" ? "Accepted" : "Invalid" };
  }

  /** What is known here about an identifier; `undefined` when nothing is. */
  lookUp(idTag: string): IdTagInfo | undefined {
    const { localAuthList, authorizationCache, now } = this.#options;
    return localAuthList?.lookUp(idTag, now()) ?? authorizationCache?.lookUp(idTag, now());
  }

  /** Takes what the Central System said about an identifier. [CORE-CACHE-02, CORE-AUTH-08, CORE-START-03, LAL-06] */
  learned(idTag: string, idTagInfo: IdTagInfo): void {
    const { authorizationCache, localAuthList, conflict, now } = this.#options;
    if (localAuthList?.conflictsWith(idTag, idTagInfo, now())) conflict();
    void authorizationCache?.update(idTag, idTagInfo, now());
  }

  async #decide(
    idTag: string,
    decide: (situation: AuthorizationSituation) => Authorization | AskCentralSystem,
    startedBy?: TransactionStarter,
  ): Promise<Authorization> {
    const { ask, authorizationCache: cache, keys, localAuthList: list, online } = this.#options;
    const authorization = decide({ online: online(), keys: keys(), list, cache });
    if (authorization.decision !== "ask") return authorization;
    let idTagInfo: IdTagInfo;
    try {
      idTagInfo = await ask(idTag);
    } catch {
      // J-215: who does not answer, or not with an answer, is treated as if it was not there. Offline, nobody is asked.
      return decide({ online: false, keys: keys(), list, cache }) as Authorization;
    }
    this.learned(idTag, idTagInfo);
    return authorizationOf(idTagInfo, startedBy);
  }
}
