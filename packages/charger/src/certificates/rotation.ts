import type { HandshakeFailure } from "@ocppj/core";

/** Troubles with the certificate of the Central System: another root may do. */
const theirs: readonly unknown[] = [
  "certificate-expired",
  "certificate-untrusted",
  "certificate-name",
] satisfies readonly HandshakeFailure[];

/** The trouble with the own certificate: another one may do. */
const ours: unknown = "certificate-refused" satisfies HandshakeFailure;

/**
 * Goes through roots and own certificates, best first, one of each at a time: so it is known which of them a connection has
 * come about with. A root that has passed stays.
 */
export class Rotation<Root, Own> {
  readonly #roots: readonly Root[];
  readonly #own: readonly Own[];
  #root = 0;
  #ownAt = 0;
  /** The failure that tells most: of the best root, or once one has passed of the best certificate of our own. */
  #telling: { readonly error: unknown; readonly isOurs: boolean } | undefined;

  constructor(roots: readonly Root[], own: readonly Own[]) {
    this.#roots = roots;
    this.#own = own;
  }

  /** What to try; `undefined` where there is none. */
  get root(): Root | undefined {
    return this.#roots[this.#root];
  }

  get own(): Own | undefined {
    return this.#own[this.#ownAt];
  }

  /**
   * An attempt has failed.
   *
   * @returns Whether there is something else to try, because a certificate was the trouble.
   */
  failed(error: unknown): boolean {
    const reason = error instanceof Error && error.name === "HandshakeError" && (error as { reason?: unknown }).reason;
    const isOurs = reason === ours;
    if (!isOurs && !theirs.includes(reason)) {
      this.#telling = { error, isOurs: false };
      return false;
    }
    if (this.#telling === undefined || (isOurs && !this.#telling.isOurs)) this.#telling = { error, isOurs };
    if (isOurs) return ++this.#ownAt < this.#own.length;
    return ++this.#root < this.#roots.length;
  }

  /** What the attempt as a whole has failed with. */
  get error(): unknown {
    return this.#telling?.error;
  }
}
