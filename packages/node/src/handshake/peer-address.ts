/* Where a peer is, through the proxies that its owner trusts. */
import type { IncomingMessage } from "node:http";
import { BlockList, isIP } from "node:net";
import type { OptionRule } from "@ocppj/core";

/** An address, or a block of them as `10.0.0.0/8`. */
const parse = (block: string): { readonly address: string; readonly bits: number } | undefined => {
  const [, address = "", bits] = /^([^/]+)(?:\/(\d{1,3}))?$/.exec(block) ?? [];
  const most = { 0: -1, 4: 32, 6: 128 }[isIP(address)] ?? -1;
  const length = bits === undefined ? most : Number(bits);
  return length > most || most < 0 ? undefined : { address, bits: length };
};

/** The option `trustedProxies`. */
export const trustedProxiesRule: OptionRule = {
  give: 'a list of addresses or blocks of them, for example ["127.0.0.1", "10.0.0.0/8"]',
  takes: (blocks) =>
    Array.isArray(blocks) && blocks.every((block) => typeof block === "string" && parse(block) !== undefined),
};

/** Tells where a peer is. */
export class PeerAddresses {
  readonly #proxies = new BlockList();

  /** @param trusted - As {@link trustedProxiesRule} takes it. */
  constructor(trusted: readonly string[] = []) {
    for (const block of trusted) {
      const { address, bits } = parse(block) as { readonly address: string; readonly bits: number };
      this.#proxies.addSubnet(address, bits, isIP(address) === 6 ? "ipv6" : "ipv4");
    }
  }

  /**
   * The address that a request came from. Each trusted proxy has added at the end of `X-Forwarded-For` who has spoken to it,
   * so the list is read from there, up to the first that is not trusted: what stands before that anybody can have written.
   */
  of({ headers, socket }: IncomingMessage): string | undefined {
    const forwarded = headers["x-forwarded-for"];
    const chain = forwarded === undefined ? [] : String(forwarded).split(",");
    let address = socket.remoteAddress;
    while (address !== undefined && chain.length > 0 && this.#isTrusted(address)) {
      const before = addressIn(chain.pop() as string);
      if (before === undefined) return address; // A proxy that does not say what it should.
      address = before;
    }
    return address;
  }

  #isTrusted(address: string): boolean {
    const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
    const family = isIP(plain);
    return family !== 0 && this.#proxies.check(plain, family === 6 ? "ipv6" : "ipv4");
  }
}

/** The address in an entry of the list; some proxies add the port. */
function addressIn(entry: string): string | undefined {
  const trimmed = entry.trim();
  const [, bracketed] = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(trimmed) ?? [];
  const address = bracketed ?? trimmed.replace(/^([\d.]+):\d{1,5}$/, "$1");
  return isIP(address) === 0 ? undefined : address;
}

/**
 * What a limit of one address is counted by: all of it, but of IPv6 the 64 bits that a subscriber has, and of IPv4 in an
 * address of IPv6 that of IPv4.
 */
export function networkOf(address: string | undefined): string | undefined {
  const plain = address?.replace(/^::ffff:(?=\d+\.)/i, "");
  if (plain === undefined || isIP(plain) !== 6) return plain;
  const [head = "", tail] = (plain.split("%")[0] as string).split("::");
  const groups = head === "" ? [] : head.split(":");
  // What "::" stands for are zeros, as many as are missing.
  const known = groups.length + (tail ? tail.split(":").length + (tail.includes(".") ? 1 : 0) : 0);
  const whole = tail === undefined ? groups : [...groups, ...Array(8 - known).fill("0"), ...tail.split(":")];
  return whole
    .slice(0, 4)
    .map((group) => Number.parseInt(group || "0", 16).toString(16))
    .join(":");
}
