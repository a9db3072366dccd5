/*
 * With which credentials a Charge Point connects, while a change of them may or may not have reached both ends.
 *
 * Theory of operation. The configuration holds the latest AuthorizationKey and SecurityProfile. What was presented to the
 * Central System last, successfully or not, is remembered besides, and so survives a power cut and further changes: the pair
 * that it let in last, and all that were tried since, because a handshake that fails here may have succeeded there, and the
 * Central System counts on a key from then on. [J-178]
 *
 * Attempts go through all these keys, each with all these profiles, the latest first; from the beginning after each
 * connection and each change, and round again for as long as none succeeds. So a Central System that knows any of the
 * keys, and speaks any of the profiles, is found again. When one has succeeded, the other pairs are forgotten, but for the
 * latest.
 *
 * When it was not the latest pair that succeeded, the configuration follows where there is no doubt: the profile falls back,
 * so that the Central System may raise it once more [SEC-A05-01, SEC-A05-08]; the key does if the latest was refused with
 * 401. If the latest key failed in any other way, that may have been the network, and it is the first to be tried again.
 */

import type { Clock } from "../clock.ts";
import type { Configuration } from "../configuration/configuration.ts";
import { configurationKeys, isConfigurationValue } from "../configuration/configuration-keys.ts";
import type { Connect, Transport } from "../connection/transport.ts";
import type { HandshakeError } from "../errors.ts";
import { guarded } from "../guarded.ts";
import { type OptionRules, optionRules, takeOptions } from "../options.ts";
import { prefixOf } from "../store/own-keys.ts";
import { patient } from "../store/patient-store.ts";
import type { RecordStore } from "../store/record-store.ts";
import { parseRecord, setAside } from "../store/stored-records.ts";

/** What a Charge Point connects with; the options of `connect` of `@ocppj/node` have the same names. */
export interface Credential {
  /** The password in hexadecimal. Absent: there is none, or the profile takes a certificate instead. */
  readonly authorizationKey?: string;
  readonly securityProfile: 0 | 1 | 2 | 3;
}

/** Settings of {@link OwnCredentials.load}. */
export interface OwnCredentialsOptions {
  /** Has AuthorizationKey and SecurityProfile, one or both. */
  readonly configuration: Pick<Configuration, "get" | "set">;
  /** Keeps what was presented, under `credentials/presented`: passwords are in it in clear text. */
  readonly store: RecordStore;
  /** Hears of a damaged record and of a store that failed. What it is told contains no password. [SEC-A01-12] */
  readonly report: (error: Error) => void;
  /** How long the store is waited for goes by it. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

const { object, required } = optionRules;

const rules: OptionRules<OwnCredentialsOptions> = {
  configuration: required(object("a Configuration", "get", "set")),
  store: required(optionRules.store),
  report: required(optionRules.callback),
  clock: optionRules.clock,
};

const recordKey = `${prefixOf("credentials")}presented`;

/**
 * The credentials of a Charge Point: connects with those of its configuration, and falls back to those that worked last
 * when the Central System does not let it in with them.
 *
 * @spec OCPP-J 1.6 §6.2.2; security white paper A01, A05 [J-184, SEC-A01-13, SEC-A05-07, SEC-A05-08]
 */
export class OwnCredentials {
  readonly #configuration: Pick<Configuration, "get" | "set">;
  readonly #store: RecordStore;
  readonly #report: (error: Error) => void;
  /** The pair that worked last, and those that were presented since. */
  #presented: readonly Credential[] = [];
  /** How many attempts have failed since the last connection, or since the configuration changed. */
  #failures = 0;
  /** What the configuration said at the last attempt. */
  #latestTried: Credential | undefined;
  /** The pairs that the Central System answered with 401 since then. */
  #refused: readonly Credential[] = [];

  private constructor(options: OwnCredentialsOptions) {
    const { configuration, store, report, clock } = takeOptions("OwnCredentials", options, rules);
    this.#configuration = configuration;
    this.#store = patient(store, clock);
    this.#report = report;
  }

  /**
   * Reads what worked before the restart. A damaged record is set aside under `corrupt/` and reported; only the
   * configuration counts then.
   *
   * @throws TypeError One of the options is not what it may be, or there is no such option.
   * @throws What the store rejects with when it cannot be read.
   */
  static async load(options: OwnCredentialsOptions): Promise<OwnCredentials> {
    const credentials = new OwnCredentials(options);
    const record = (await credentials.#store.load(recordKey)).find(({ key }) => key === recordKey);
    if (record === undefined) return credentials;
    const presented = parseRecord(record.value);
    if (Array.isArray(presented) && presented.every(isCredential)) credentials.#presented = presented;
    else await setAside(credentials.#store, record, "holds no credentials", credentials.#report);
    return credentials;
  }

  /**
   * Makes the `connect` of a {@link ChargePoint}.
   *
   * @param open - Is called for each attempt with the credential to use. For profiles 2 and 3 the URL may be another one
   * than that of the ChargePoint: what is returned may be called with any.
   */
  connect(open: (credential: Credential) => Connect): Connect {
    return async (target) => {
      const { signal } = target;
      const pair = this.#next();
      if (!this.#presented.some((other) => isSame(other, pair))) await this.#keep([...this.#presented, pair]);
      if (signal?.aborted) throw signal.reason;
      let transport: Transport;
      try {
        transport = await open(effective(pair))(target);
      } catch (error) {
        this.#failures++;
        if (isRefusal(error)) this.#refused = [...this.#refused.filter((other) => !isSame(other, pair)), pair];
        throw error;
      }
      // Before the Central System can change anything: what it knows now must survive a power cut. [J-184]
      const close = (): void => transport.close(); // Nobody else will, while the store keeps it waiting.
      signal?.addEventListener("abort", close);
      if (signal?.aborted) close();
      await this.#succeeded(pair);
      signal?.removeEventListener("abort", close);
      if (signal?.aborted) throw signal.reason;
      return transport;
    };
  }

  /** What the configuration says. [SEC-A01-01] */
  get #latest(): Credential {
    const authorizationKey = this.#configuration.get("AuthorizationKey");
    const securityProfile = this.#configuration.get("SecurityProfile") ?? configurationKeys.SecurityProfile.default;
    return pairOf(authorizationKey, securityProfile as Credential["securityProfile"]);
  }

  #next(): Credential {
    const latest = this.#latest;
    if (this.#latestTried === undefined || !isSame(latest, this.#latestTried)) this.#failures = 0;
    this.#latestTried = latest;
    const known = [latest, ...[...this.#presented].reverse()];
    const pairs = known.flatMap(({ authorizationKey }) =>
      known.map(({ securityProfile }) => pairOf(authorizationKey, securityProfile)),
    );
    const choices = pairs.filter(
      (pair, at) => pairs.findIndex((other) => isSame(effective(other), effective(pair))) === at,
    );
    return choices[this.#failures % choices.length] ?? latest;
  }

  async #succeeded(pair: Credential): Promise<void> {
    const latest = this.#latest;
    const withLatestKey = pairOf(latest.authorizationKey, pair.securityProfile);
    const isRefused = this.#refused.some((other) => isSame(other, withLatestKey));
    this.#failures = 0;
    this.#refused = [];
    if (this.#presented.length > 1) await this.#keep([pair]);
    const { authorizationKey, securityProfile } = pair;
    if (securityProfile !== latest.securityProfile) {
      const revert = () => this.#configuration.set("SecurityProfile", securityProfile);
      await this.#try("SecurityProfile was not set back", revert);
    }
    if (authorizationKey !== undefined && authorizationKey !== latest.authorizationKey && isRefused) {
      const revert = () => this.#configuration.set("AuthorizationKey", authorizationKey);
      await this.#try("AuthorizationKey was not set back", revert);
    }
  }

  async #keep(presented: readonly Credential[]): Promise<void> {
    this.#presented = presented;
    const record = JSON.stringify(presented);
    await this.#try("The credentials in use were not kept", () => this.#store.put(recordKey, record));
  }

  /** Waits for a write; a connection that stands must not be lost over a store that fails. */
  async #try(failure: string, write: () => Promise<void>): Promise<void> {
    try {
      await write();
    } catch (cause) {
      const lost = (): void => {}; // Whoever hears of a failure must not cause another.
      guarded(() => this.#report(new Error(`${failure}, because the store failed.`, { cause })), lost);
    }
  }
}

function pairOf(authorizationKey: string | undefined, securityProfile: Credential["securityProfile"]): Credential {
  return authorizationKey === undefined ? { securityProfile } : { authorizationKey, securityProfile };
}

/** Profile 3 authenticates with a certificate, and one profile is in use at a time. [SEC-A00-001, SEC-A00-401] */
const effective = ({ authorizationKey, securityProfile }: Credential): Credential =>
  pairOf(securityProfile === 3 ? undefined : authorizationKey, securityProfile);

const isSame = (a: Credential, b: Credential): boolean =>
  a.authorizationKey === b.authorizationKey && a.securityProfile === b.securityProfile;

function isCredential(value: unknown): value is Credential {
  if (typeof value !== "object" || value === null) return false;
  const { authorizationKey, securityProfile } = value as Partial<Record<keyof Credential, unknown>>;
  const { AuthorizationKey, SecurityProfile } = configurationKeys;
  return (
    isConfigurationValue(SecurityProfile, securityProfile) &&
    (authorizationKey === undefined || isConfigurationValue(AuthorizationKey, authorizationKey))
  );
}

/** HTTP 401: the Central System has looked at the password. */
const isRefusal = (error: unknown): boolean =>
  error instanceof Error && error.name === "HandshakeError" && (error as HandshakeError).reason === "unauthorized";
