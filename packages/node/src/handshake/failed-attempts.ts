/*
 * How often somebody may be wrong about who he is.
 *
 * Theory of operation. Wrong passwords are counted by identity and address together, so that who guesses at one place locks
 * out nobody at another. Who presents what he was last let in with cannot be guessing: he is always asked about, also at an
 * address from which others guess. For that a digest is kept of it, with a secret that ends with the program. An attempt
 * is counted when it begins, or many at once would be free, and taken back when nobody learns that it has failed: it was
 * right, the peer has left, or there was no decision.
 */
import { createHmac, randomBytes, type X509Certificate } from "node:crypto";
import type { PeerLimits } from "./peer-limits.ts";

/** In which time all is forgotten, in milliseconds. */
const windowMs = 600_000;

/** How many identities, addresses and pairs of these are remembered; those that were heard of longest ago are forgotten. */
export const mostRemembered = 50_000;

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

/** Counts the failures of those who ask to be let in. */
export class FailedAttempts {
  readonly #byAddress: Budgets;
  readonly #byIdentity: Budgets;
  readonly #secret = randomBytes(32);
  /** What each was last let in with, digested. */
  readonly #known = new Map<string, string>();

  constructor({ failuresPerAddress = Number.POSITIVE_INFINITY, wrongPasswords = 100 }: PeerLimits = {}) {
    this.#byAddress = new Budgets(failuresPerAddress);
    this.#byIdentity = new Budgets(wrongPasswords);
  }

  /**
   * @param address - Where it comes from; `undefined` is nowhere in particular, and not limited.
   * @returns `undefined` when there were too many failures.
   */
  begin(presented: Presented, address: string | undefined, now: number): Attempt | undefined {
    const { identity, password } = presented;
    const digest = this.#digestOf(presented);
    const isKnown = this.#known.get(identity) === digest;
    const pair = address === undefined || password === undefined ? undefined : `${address} ${identity}`;
    if (!isKnown && (this.#byAddress.isSpent(address, now) || this.#byIdentity.isSpent(pair, now))) return undefined;
    if (!isKnown) this.#byIdentity.spend(pair, now);
    let settle = (how: () => void): void => {
      settle = () => {};
      how();
    };
    const takeBack = (): void => {
      if (!isKnown) this.#byIdentity.takeBack(pair);
    };
    return {
      succeeded: () =>
        settle(() => {
          takeBack();
          remember(this.#known, identity, digest);
        }),
      failed: (now) =>
        settle(() => {
          if (isKnown) this.#byIdentity.spend(pair, now);
          this.#byAddress.spend(address, now);
          if (this.#known.get(identity) === digest) this.#known.delete(identity);
        }),
      forget: () => settle(takeBack),
    };
  }

  #digestOf({ identity, password, certificate }: Presented): string {
    if (password === undefined && certificate === undefined) return ""; // There is no secret in it.
    const hash = createHmac("sha256", this.#secret);
    hash.update(JSON.stringify([identity, password && Buffer.from(password).toString("base64")]));
    return hash.update(certificate?.fingerprint256 ?? "").digest("base64");
  }
}

/** So much of each for a window; what was spent comes back evenly. */
class Budgets {
  readonly #costMs: number;
  /** When all that was spent will have come back. */
  readonly #wholeAt = new Map<string, number>();

  constructor(limit: number) {
    this.#costMs = windowMs / limit; // 0 without a limit.
  }

  isSpent(key: string | undefined, now: number): boolean {
    if (key === undefined || this.#costMs === 0) return false;
    return (this.#wholeAt.get(key) ?? now) - now > windowMs - this.#costMs / 2;
  }

  spend(key: string | undefined, now: number): void {
    if (key === undefined || this.#costMs === 0) return;
    for (const [other, wholeAt] of this.#wholeAt) {
      if (wholeAt > now) break;
      this.#wholeAt.delete(other);
    }
    remember(this.#wholeAt, key, Math.max(now, this.#wholeAt.get(key) ?? now) + this.#costMs);
  }

  takeBack(key: string | undefined): void {
    const wholeAt = key === undefined ? undefined : this.#wholeAt.get(key);
    if (key !== undefined && wholeAt !== undefined) this.#wholeAt.set(key, wholeAt - this.#costMs);
  }
}

/** Puts what is newest at the end, and forgets the oldest where there is no room. */
function remember<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
  const [oldest = ""] = map.keys();
  if (map.size > mostRemembered) map.delete(oldest);
}
