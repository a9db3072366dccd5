/*
 * How often somebody may be wrong about who he is, where the owner has set a limit.
 *
 * Theory of operation. Wrong passwords are counted by identity and address together, so that who guesses at one place locks
 * out nobody at another. Who presents what he was last let in with, or what he was told to use since, cannot be guessing: he
 * is always asked about, also at an address from which others guess. For that a digest is kept of it, with a secret that
 * ends with the program. An attempt is counted when it begins, or many at once would be free, and taken back when nobody
 * learns that it has failed: it was right, the peer has left, or there was no decision.
 */
import { createHmac, randomBytes, type X509Certificate } from "node:crypto";
import { Budgets, mostRemembered } from "./budgets.ts";
import { putLatest } from "./latest.ts";
import type { PeerLimits } from "./peer-limits.ts";

/** What somebody has presented. */
interface Presented {
  readonly identity: string;
  readonly password: Uint8Array | undefined;
  readonly certificate: X509Certificate | undefined;
}

/** One attempt, until it is settled; only the first of these counts. */
export interface Attempt {
  succeeded(): void;
  failed(now: number): void;
  /** Nobody learns what came of it. */
  forget(): void;
}

/** What is not counted. */
const free: Attempt = { succeeded: () => {}, failed: () => {}, forget: () => {} };

/** Counts the failures of those who ask to be let in. */
export class FailedAttempts {
  readonly #isLimited: boolean;
  readonly #byAddress: Budgets;
  readonly #byIdentity: Budgets;
  readonly #secret = randomBytes(32);
  /** What each was last let in with, and what he was told to use since, digested. */
  readonly #letIn = new Map<string, readonly string[]>();
  readonly #told = new Map<string, readonly string[]>();

  constructor({
    failuresPerAddress = Number.POSITIVE_INFINITY,
    wrongPasswords = Number.POSITIVE_INFINITY,
  }: PeerLimits = {}) {
    this.#isLimited = Number.isFinite(failuresPerAddress) || Number.isFinite(wrongPasswords);
    this.#byAddress = new Budgets(failuresPerAddress);
    this.#byIdentity = new Budgets(wrongPasswords);
  }

  /** Says what somebody was told to present from now on, as which he may present any of these. */
  told(identity: string, passwords: readonly Uint8Array[]): void {
    if (!this.#isLimited) return;
    const digests = passwords.map((password) => this.#digestOf({ identity, password, certificate: undefined }));
    putLatest(this.#told, identity, digests, mostRemembered);
  }

  /**
   * @param address - Where it comes from; `undefined` is nowhere in particular, and not limited.
   * @returns `undefined` when there were too many failures.
   */
  begin(presented: Presented, address: string | undefined, now: number): Attempt | undefined {
    if (!this.#isLimited || address === undefined) return free;
    const { identity, password } = presented;
    const digest = this.#digestOf(presented);
    const known = [this.#letIn, this.#told].filter((digests) => digests.get(identity)?.includes(digest));
    const isKnown = known.length > 0;
    const budgets = [this.#byAddress.of(address, "")];
    if (password !== undefined) budgets.push(this.#byIdentity.of(address, identity));
    if (!isKnown && budgets.some((budget) => budget.isSpent(now))) return undefined;
    const spend = (at: number): void => {
      for (const budget of budgets) budget.spend(at);
    };
    if (!isKnown) spend(now);
    let settle = (how: () => void): void => {
      settle = () => {};
      how();
    };
    const takeBack = (): void => {
      if (!isKnown) for (const budget of budgets) budget.takeBack(now);
    };
    return {
      succeeded: () =>
        settle(() => {
          takeBack();
          putLatest(this.#letIn, identity, [digest], mostRemembered);
        }),
      failed: (at) =>
        settle(() => {
          if (isKnown) spend(at);
          for (const digests of known) digests.delete(identity);
        }),
      forget: () => settle(takeBack),
    };
  }

  #digestOf({ identity, password, certificate }: Presented): string {
    if (password === undefined && certificate === undefined) return ""; // There is no secret in it.
    const hash = createHmac("sha256", this.#secret);
    hash.update(JSON.stringify([identity, password && Buffer.from(password).toString("base64")]));
    // A password alone says who it is, whatever certificate comes with it.
    return hash.update(password === undefined ? (certificate?.fingerprint256 ?? "") : "").digest("base64");
  }
}
