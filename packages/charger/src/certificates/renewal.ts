/*
 * When a charger asks for a certificate by itself, and when it begins to use one.
 *
 * Theory of operation. Once the latest certificate ends within a month, another one is asked for: once for each. Once a
 * certificate has become valid that is newer than the one which was shown last, a connection that shows its certificate is
 * made anew: once for each.
 */

import type { Machine } from "@ocppj/core";

export type RenewalOutput = "ask" | "reconnect";

/** What is known of a certificate. Times are in milliseconds since the epoch. */
export interface Validity {
  readonly notBefore: number;
  readonly notAfter: number;
}

const never = Number.POSITIVE_INFINITY;

/** The longest of them. */
const monthMs = 31 * 24 * 60 * 60 * 1000;

/** So long the answer to CertificateSigned has until its connection ends. */
const pauseMs = 5000;

/** SEC-A03-02. Of one that does not live for two months, half of its life, or it would be asked for without end. */
const renewalOf = ({ notAfter, notBefore }: Validity): number =>
  Math.max(notAfter - monthMs, (notBefore + notAfter) / 2);

/** @spec security white paper A02, A03 [SEC-A03-02, SEC-A02-08, SEC-A02-14] */
export class Renewal implements Machine<RenewalOutput> {
  #askAt = never;
  #reconnectAt = never;
  readonly #outputs: RenewalOutput[] = [];

  get deadline(): number {
    return Math.min(this.#askAt, this.#reconnectAt);
  }

  /**
   * What there is, whenever that is another.
   *
   * @param latest - The certificate whose validity begins last.
   * @param options.isAsked - Whether its successor was asked for.
   * @param options.isBetter - Whether another one is in use, and this one was not shown yet.
   */
  follow(
    latest: Validity | undefined,
    { isAsked, isBetter }: { readonly isAsked: boolean; readonly isBetter: boolean },
    now: number,
  ): void {
    this.#askAt = latest === undefined || isAsked ? never : renewalOf(latest);
    const reconnectAt = Math.max(latest?.notBefore ?? never, now + pauseMs);
    this.#reconnectAt = isBetter ? Math.min(this.#reconnectAt, reconnectAt) : never;
  }

  advance(now: number): void {
    if (now >= this.#askAt) {
      this.#askAt = never;
      this.#outputs.push("ask");
    }
    if (now >= this.#reconnectAt) {
      this.#reconnectAt = never;
      this.#outputs.push("reconnect");
    }
  }

  poll(): RenewalOutput | undefined {
    return this.#outputs.shift();
  }
}
