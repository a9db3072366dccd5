import type { CentralSystem } from "../central-system/central-system.ts";
import { type Clock, systemClock } from "../clock.ts";
import { type CallOptions, callRules } from "../connection/call-options.ts";
import type { Connection } from "../connection/connection.ts";
import { CallError, ConnectionClosedError, NotAcceptedError } from "../errors.ts";
import type { Conf } from "../messages/actions.ts";
import { type OptionRules, optionRules, takeOption, takeOptions } from "../options.ts";
import { soundClock } from "../sound-clock.ts";

import {
  allows,
  allowsProfile,
  type CredentialRecord,
  isCredentialRecord,
  keyAnswered,
  keyOffered,
  keysOf,
  keyWithdrawn,
  profileOffered,
  profileWithdrawn,
  type Use,
  used,
} from "./credential-record.ts";
import { BoundedCredentialStore, type CredentialStore } from "./credential-store.ts";
import { bytesOf, hexOf, type PasswordHash, passwordHash } from "./password-hash.ts";
import { randomBytes } from "./web-crypto.ts";

/** Settings of {@link KnownCredentials}. */
export interface KnownCredentialsOptions {
  /**
   * Whose Charge Points these are. Its event `connected` tells who has come; give it here before you listen to that, since
   * a listener that throws keeps later ones from hearing of it.
   */
  readonly centralSystem: CentralSystem;
  /** Default: a `Map`. After a crash nobody would get in: give one that lasts. */
  readonly store?: CredentialStore | undefined;
  /** What is stored of a password. Default `passwordHash()`. */
  readonly passwordHash?: PasswordHash | undefined;
  /** What the patience with the store is measured on. Default: the clock of the runtime. */
  readonly clock?: Clock | undefined;
}

/** A Charge Point that asks to be let in. */
export interface PresentedCredentials {
  readonly identity: string;
  /** The bytes of the password in its `Authorization` header; `undefined` without one. */
  readonly password: Uint8Array | undefined;
  /**
   * The security profile of the endpoint. With 3 it must have been checked already that the certificate is valid, and that
   * of this Charge Point; its password is not looked at.
   */
  readonly securityProfile: 0 | 1 | 2 | 3;
}

/** The credentials of a Charge Point that were agreed upon by another way than OCPP. */
export interface EnrolledCredentials {
  /** 32 to 40 hexadecimal digits, or the password itself, byte for byte. Default: it has no password. */
  readonly authorizationKey?: string | Uint8Array | undefined;
  /** The only profile that is allowed. Default: any, until one has been raised. */
  readonly securityProfile?: 0 | 1 | 2 | 3 | undefined;
}

/** How a Charge Point has received a change: the answer to ChangeConfiguration. */
export type CredentialChange = Conf<"ChangeConfiguration">["status"];

const { clock, object, oneOf, required, secret } = optionRules;

const rules: OptionRules<KnownCredentialsOptions> = {
  centralSystem: required(object("a CentralSystem", "on", "get")),
  store: object("a Map, or what has its get and set", "get", "set"),
  passwordHash: object("what passwordHash() returns, or what has its seal and verify", "seal", "verify"),
  clock,
};

const authorizationKey = secret({
  give: "32 to 40 hexadecimal digits, two for each byte, or the bytes themselves",
  takes: (key) => typeof key === "string" || key instanceof Uint8Array,
});

const enrolledRules: OptionRules<EnrolledCredentials> = { authorizationKey, securityProfile: oneOf(0, 1, 2, 3) };

const changeRules = { authorizationKey, ...callRules };

/** So many keys may be undecided at a time; each of them is compared with every password that is presented. */
const maxCandidates = 8;

/**
 * The credentials of the Charge Points of a Central System: decides who may connect, and changes AuthorizationKey and
 * SecurityProfile without ever locking one out.
 *
 * A new key is stored before it is sent. If it is not known whether a Charge Point got it, because no answer came, or the
 * program crashed meanwhile, both keys are accepted until the Charge Point has connected with one of them, and only that
 * one from then on.
 *
 * Each identity must be changed by one instance at a time; a store may be shared as long as that holds.
 *
 * @spec OCPP-J 1.6 §6.2.2; security white paper A01, A05 [J-177 … J-179, J-185, SEC-A01-02 … SEC-A01-08, SEC-A05-09]
 */
export class KnownCredentials {
  readonly #centralSystem: CentralSystem;
  readonly #store: BoundedCredentialStore;
  readonly #hash: PasswordHash;
  /** For each identity the end of the last change of its record that was begun. */
  readonly #turns = new Map<string, Promise<unknown>>();
  /** How each Charge Point has been authenticated since it last connected, the latest at the end. */
  readonly #uses = new Map<string, readonly Use[]>();

  /** @throws TypeError One of the options is not what it may be, or there is no such option. */
  constructor(options: KnownCredentialsOptions) {
    const taken = takeOptions("KnownCredentials", options, rules);
    this.#centralSystem = taken.centralSystem;
    this.#store = new BoundedCredentialStore(
      taken.store ?? new Map<string, CredentialRecord>(),
      soundClock(taken.clock ?? systemClock),
      (identity) =>
        this.#unwatched(
          identity,
          this.#inTurn(identity, () => this.#store.repair(identity)),
        ),
    );
    this.#hash = taken.passwordHash ?? passwordHash();
    this.#centralSystem.on("connected", ({ identity, connection }) => this.#connected(identity, connection));
  }

  /**
   * Makes a Charge Point known, or replaces everything that is known of it: the credentials that were exchanged by
   * another way than OCPP, which is also the only way to lower a security profile. [SEC-A00-005]
   *
   * @throws TypeError `authorizationKey` is a string, but not 32 to 40 hexadecimal digits; or it is empty.
   * @throws What the store or the hash throws; Error The store does not answer.
   */
  async enroll(identity: string, credentials: EnrolledCredentials): Promise<void> {
    const { authorizationKey, securityProfile } = takeOptions("enroll", credentials, enrolledRules);
    const sealed = authorizationKey === undefined ? undefined : await this.#hash.seal(passwordOf(authorizationKey));
    const record = {
      ...(sealed !== undefined && { authorizationKey: sealed }),
      ...(securityProfile !== undefined && { securityProfile }),
    };
    await this.#inTurn(identity, () => this.#store.set(identity, record));
  }

  /**
   * Decides whether a Charge Point may connect: call it in the `authenticate` of `listen`, with the attempt and the security
   * profile of that endpoint.
   *
   * @returns Whether the password and the profile are those of this Charge Point; `"unknown-identity"` when it was never
   * enrolled.
   * @throws TypeError What the store has of it is damaged: nobody is let in by that.
   * @throws What the store or the hash throws; Error The store does not answer.
   * @spec [J-178, SEC-A00-002, SEC-A00-207, SEC-A01-03, SEC-A05-09]
   */
  async authenticate(presented: PresentedCredentials): Promise<boolean | "unknown-identity"> {
    const { identity, securityProfile } = presented;
    const password = presented.password && Uint8Array.from(presented.password);
    const record = await this.#recordOf(identity);
    if (record === undefined) return "unknown-identity";
    if (!allowsProfile(record, securityProfile)) return false;
    const use = securityProfile === 3 ? { securityProfile } : await this.#match(record, password, securityProfile);
    if (use === undefined) return false;
    // Hashing takes its time, in which the key may have been replaced, or is about to be.
    let isAllowed = false;
    await this.#inTurn(identity, async () => {
      const present = await this.#recordOf(identity);
      isAllowed = present !== undefined && allows(present, use);
    });
    if (!isAllowed) return false;
    this.#uses.set(identity, [...(this.#uses.get(identity) ?? []).filter((other) => !isSame(other, use)), use]);
    return true;
  }

  /**
   * Changes the AuthorizationKey of a connected Charge Point, which will then connect anew.
   *
   * @param options - `authorizationKey`: 16 to 20 bytes, or their 32 to 40 hexadecimal digits. Default: 20 random bytes,
   * which nobody but the Charge Point will know. The others are those of {@link Connection.call}.
   * @returns `Accepted`: only the new key counts. `Rejected`, `NotSupported`: only the old one does. `RebootRequired`: both
   * do, until the new one has been used.
   * @throws ConnectionClosedError with `sent` false, {@link NotAcceptedError}: it was not sent, the old key counts.
   * @throws RangeError Eight keys are undecided already, or too many CALLs are waiting: the same.
   * @throws TypeError `authorizationKey` is no such key, the Charge Point was never enrolled or its record is damaged, or
   * `timeoutMs` is no positive number: the same.
   * @throws The other errors of {@link Connection.call}, a {@link CallError} too: nobody knows. Both keys count, until the
   * Charge Point has connected with one of them; to find out, close its connection. A CallError has no description and no
   * details here, because they may repeat the key. [SEC-A01-09]
   * @throws What the store or the hash throws, or Error, the store does not answer: if that was before the answer, nothing was
   * sent.
   * @spec OCPP-J 1.6 §6.2.2 [J-177 … J-179, SEC-A01-02 … SEC-A01-04, SEC-A01-06, SEC-A01-07]
   */
  async changeAuthorizationKey(
    identity: string,
    options: CallOptions & { readonly authorizationKey?: string | Uint8Array | undefined } = {},
  ): Promise<CredentialChange> {
    const { authorizationKey = randomBytes(20, "Give an authorizationKey from elsewhere."), ...callOptions } =
      takeOptions("changeAuthorizationKey", options, changeRules);
    const password = passwordOf(authorizationKey);
    if (password.length < 16 || password.length > 20) throw new TypeError("An AuthorizationKey has 16 to 20 bytes.");
    const connection = this.#connectionOf(identity);
    const sealed = await this.#hash.seal(password);
    await this.#update(identity, (record) => {
      if ((record.candidates ?? []).length < maxCandidates) return keyOffered(record, sealed);
      throw new RangeError(
        `${maxCandidates} keys of "${identity}" are undecided. Close its connection: it will use the one that it has.`,
      );
    });
    const req = { key: "AuthorizationKey", value: hexOf(password) };
    const call = connection.call("ChangeConfiguration", req, callOptions).catch(rethrowWithoutWords);
    const status = await this.#answerTo(call, identity, (record) => keyWithdrawn(record, sealed), callOptions);
    await this.#update(identity, (record) => keyAnswered(record, sealed, status));
    return status;
  }

  /**
   * Raises the SecurityProfile of a connected Charge Point, which will then connect anew: to another endpoint, since each
   * has one profile. Once it has, no lower profile is allowed for it.
   *
   * @returns `Accepted`, `RebootRequired`: both profiles are allowed, because it falls back to the old one when it cannot
   * connect, until the new one has been used. `Rejected`, `NotSupported`: only the old one is. [SEC-A05-08]
   * @throws The errors of {@link changeAuthorizationKey}; where nobody knows, both profiles are allowed.
   * @throws RangeError The profile is not higher than the present one. [SEC-A00-005]
   * @spec security white paper A05 [SEC-A05-09, SEC-A05-10]
   */
  async raiseSecurityProfile(
    identity: string,
    profile: 1 | 2 | 3,
    options: CallOptions = {},
  ): Promise<CredentialChange> {
    takeOption("profile", profile, required(optionRules.oneOf(1, 2, 3)));
    const callOptions = takeOptions("raiseSecurityProfile", options, callRules);
    const connection = this.#connectionOf(identity);
    let isNew = true;
    await this.#update(identity, (record) => {
      if (profile <= (record.securityProfile ?? 0)) {
        throw new RangeError(
          `"${identity}" uses security profile ${record.securityProfile}, which can only be raised.`,
        );
      }
      isNew = !record.raisingTo?.includes(profile);
      return profileOffered(record, profile);
    });
    // A Charge Point that got an earlier CALL refuses the second one, because it is no rise. [SEC-A05-01]
    const withdrawn = (record: CredentialRecord) => (isNew ? profileWithdrawn(record, profile) : record);
    const call = connection.call("ChangeConfiguration", { key: "SecurityProfile", value: `${profile}` }, callOptions);
    const status = await this.#answerTo(call, identity, withdrawn, callOptions);
    const isRefused = status === "Rejected" || status === "NotSupported";
    // Offered once more, since the refusal of another CALL may have taken it back meanwhile.
    await this.#update(identity, isRefused ? withdrawn : (record) => profileOffered(record, profile));
    return status;
  }

  /** Waits for an answer; a CALL that was certainly not sent is taken back. */
  async #answerTo(
    call: Promise<Conf<"ChangeConfiguration">>,
    identity: string,
    withdrawn: (record: CredentialRecord) => CredentialRecord,
    { signal }: CallOptions,
  ): Promise<CredentialChange> {
    try {
      return (await call).status;
    } catch (error) {
      if (error !== signal?.reason && wasNotSent(error)) await this.#update(identity, withdrawn);
      throw error;
    }
  }

  #connectionOf(identity: string): Connection<"CentralSystem"> {
    const connection = this.#centralSystem.get(identity);
    if (connection !== undefined) return connection;
    throw new ConnectionClosedError("ChangeConfiguration", { code: 1006, reason: "not connected", sent: false });
  }

  async #match(
    record: CredentialRecord,
    password: Uint8Array | undefined,
    securityProfile: number,
  ): Promise<Use | undefined> {
    for (const sealed of keysOf(record)) {
      const matches =
        sealed === undefined || password === undefined
          ? sealed === password
          : await this.#hash.verify(password, sealed);
      if (matches) return { securityProfile, password: { sealed } };
    }
    return undefined;
  }

  #connected(identity: string, connection: Connection<"CentralSystem">): void {
    const uses = this.#uses.get(identity);
    if (uses === undefined) return; // Somebody else has authenticated it.
    this.#uses.delete(identity);
    const settle = (record: CredentialRecord): CredentialRecord => {
      if (!uses.every((use) => allows(record, use))) {
        // The answer Accepted came between the handshake's beginning and its end. [J-178]
        connection.close(1008, "The credentials have changed");
        return record;
      }
      // A Charge Point makes one attempt after the other, so it has connected with the last.
      const use = uses.at(-1);
      return use === undefined ? record : used(record, use);
    };
    this.#unwatched(identity, this.#update(identity, settle));
  }

  /** Tells of what goes wrong while nobody waits for it. */
  #unwatched(identity: string, task: Promise<void>): void {
    task.catch((error: unknown) => this.#centralSystem.emit("fault", { identity, error }));
  }

  /** Databases say `null` where there is nothing. */
  async #recordOf(identity: string): Promise<CredentialRecord | undefined> {
    const record = await this.#store.get(identity);
    if (record === undefined || record === null) return undefined;
    if (isCredentialRecord(record)) return record;
    throw new TypeError(`What the store has of "${identity}" is no CredentialRecord. Enroll it anew.`);
  }

  /** Changes a record, when all changes of it that were begun before have ended. */
  #update(identity: string, change: (record: CredentialRecord) => CredentialRecord): Promise<void> {
    return this.#inTurn(identity, async () => {
      const record = await this.#recordOf(identity);
      if (record === undefined) throw new TypeError(`No credentials of "${identity}" are known. Enroll it first.`);
      const changed = change(record);
      if (changed !== record) await this.#store.set(identity, changed);
    });
  }

  #inTurn(identity: string, task: () => Promise<void>): Promise<void> {
    const done = (this.#turns.get(identity) ?? Promise.resolve()).then(task);
    const over = done
      .catch(() => {}) // It is the caller's.
      .then(() => {
        if (this.#turns.get(identity) === over) this.#turns.delete(identity);
      });
    this.#turns.set(identity, over);
    return done;
  }
}

/** Whether `Connection.call` rejects with this error before it sends anything. */
const wasNotSent = (error: unknown): boolean =>
  error instanceof NotAcceptedError ||
  (error instanceof ConnectionClosedError && !error.sent) ||
  error instanceof RangeError ||
  error instanceof TypeError;

/** SEC-A01-09: errors are logged, and the words of a CALLERROR may repeat the key. */
function rethrowWithoutWords(error: unknown): never {
  if (!(error instanceof CallError)) throw error;
  const { code, receivedCode, action = "", messageId = "" } = error;
  throw new CallError(code, "", { receivedCode, action, messageId });
}

/** SEC-A00-205: the key is written in hexadecimal; J-176: the password are its bytes. */
function passwordOf(authorizationKey: string | Uint8Array): Uint8Array {
  if (typeof authorizationKey === "string" && !/^(?:[\da-f]{2}){16,20}$/i.test(authorizationKey)) {
    throw new TypeError("authorizationKey is not 32 to 40 hexadecimal digits, two for each byte.");
  }
  const password = typeof authorizationKey === "string" ? bytesOf(authorizationKey) : Uint8Array.from(authorizationKey);
  if (password.length === 0) throw new TypeError("authorizationKey is empty.");
  return password;
}

const isSame = (a: Use, b: Use): boolean =>
  a.securityProfile === b.securityProfile && a.password?.sealed === b.password?.sealed;
