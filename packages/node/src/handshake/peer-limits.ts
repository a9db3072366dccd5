import { type OptionRules, optionRules } from "@ocppj/core";

/**
 * What may come from one address, through proxies that are trusted; of IPv6 from one network of 64 bits, since that is what a
 * subscriber has. Many Charge Points share an address, behind the NAT of a mobile network or a proxy that is not trusted,
 * so nothing is limited by default. What goes beyond is answered with 429 and Retry-After; where that befalls ten identities of
 * one address, there is a `fault`, once.
 */
export interface PeerLimits {
  /** How many Charge Points may be connected from one address; one that replaces its own older connection may. Default: any. */
  readonly connectionsPerAddress?: number | undefined;
  /** How many of the decisions among `maxHandshakes` may be about one address. Default: all. */
  readonly handshakesPerAddress?: number | undefined;
  /**
   * How many times in ten minutes `authenticate` may say no to one address, whoever it says to be, until it is not asked about
   * newcomers from there. What is being decided counts until it is. Default: any number, because Charge Points that are not
   * registered yet share an address with those that are.
   */
  readonly failuresPerAddress?: number | undefined;
  /**
   * How many wrong passwords one address may send for one identity in ten minutes; the same identity at another address is not
   * concerned. Default: any number, because a stranger at the address of a Charge Point, which behind a proxy that is not
   * trusted is everybody, could keep it out for as long as he likes.
   */
  readonly wrongPasswords?: number | undefined;
}

export const peerLimitRules: OptionRules<PeerLimits> = {
  connectionsPerAddress: optionRules.whole(1),
  handshakesPerAddress: optionRules.whole(1),
  failuresPerAddress: optionRules.whole(1),
  wrongPasswords: optionRules.whole(1),
};
