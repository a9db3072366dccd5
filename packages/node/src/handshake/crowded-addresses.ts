import { putLatest } from "./latest.ts";
import { type Concerned, networkOf } from "./peer-address.ts";

const many = 10;

/** How many addresses are watched; it takes few, since that of a proxy is everybody's. */
const mostWatched = 100;

/**
 * Notices an address from which many Charge Points come to a limit of one address. Most likely it is that of a proxy which
 * nobody has called trusted, so that all of them stand for each other.
 */
export class CrowdedAddresses {
  /** Who was refused, by network. */
  readonly #refused = new Map<string, Set<string>>();
  #isTold = false;

  /** Takes note of a refusal; what there is to tell, once. */
  refused({ identity, remoteAddress }: Concerned): Error | undefined {
    const network = networkOf(remoteAddress);
    if (this.#isTold || identity === undefined || network === undefined) return undefined;
    const identities = (this.#refused.get(network) ?? new Set()).add(identity);
    putLatest(this.#refused, network, identities, mostWatched);
    if (identities.size < many) return undefined;
    this.#isTold = true;
    this.#refused.clear();
    return new Error(
      `The limits of one address have refused Charge Points with ${many} identities from ${remoteAddress}. If that is a ` +
        "proxy, name it in trustedProxies; if they share it, raise the limits. It may be somebody who makes them up, too.",
    );
  }
}
