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

/** Whom an event concerns, as far as anybody has said. */
export interface Concerned {
  readonly identity?: string | undefined;
  readonly remoteAddress?: string | undefined;
}

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
    const plain = asIPv4(address, [mapped]) ?? address;
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
  if (address === undefined || isIP(address) !== 6) return address;
  const groups = groupsOf(address).slice(0, 4);
  return asIPv4(address, [mapped, translated]) ?? groups.map((group) => group.toString(16)).join(":");
}

/** The first 96 bits of an address of IPv6 that has one of IPv4 in the others: as sockets write it, and as NAT64 does. */
const mapped = "0:0:0:0:0:65535";
const translated = `${0x64}:${0xff9b}:0:0:0:0`;

/** The address of IPv4 in one of IPv6, however that is written; `undefined` when there is none. */
function asIPv4(address: string, prefixes: readonly string[]): string | undefined {
  if (isIP(address) !== 6) return undefined;
  const groups = groupsOf(address);
  if (!prefixes.includes(groups.slice(0, 6).join(":"))) return undefined;
  return groups
    .slice(6)
    .flatMap((group) => [group >> 8, group & 0xff])
    .join(".");
}

/** The eight groups of an address of IPv6. */
function groupsOf(address: string): readonly number[] {
  const hexadecimal = (address.split("%")[0] as string).replace(/(\d+)\.(\d+)\.(\d+)\.(\d+)$/, (_, ...bytes) => {
    const [a = 0, b = 0, c = 0, d = 0] = bytes.slice(0, 4).map(Number);
    return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
  });
  const [head = [], tail = []] = hexadecimal.split("::").map((part) => (part === "" ? [] : part.split(":")));
  // What "::" stands for are zeros, as many as are missing.
  const zeros = Array<string>(8 - head.length - tail.length).fill("0");
  return [...head, ...zeros, ...tail].map((group) => Number.parseInt(group, 16));
}
