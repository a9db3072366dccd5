import type { IncomingMessage } from "node:http";
import { describe, expect, test } from "vitest";
import { PeerAddresses } from "../../src/handshake/peer-address.ts";
import { openEndpoint, shake, statusOf } from "../open-endpoint.ts";

/** A request from an address, with its headers X-Forwarded-For, which Node makes one of. */
const request = (remoteAddress: string, ...forwarded: readonly string[]): IncomingMessage =>
  ({
    socket: { remoteAddress },
    headers: forwarded.length === 0 ? {} : { "x-forwarded-for": forwarded.join(", ") },
  }) as never;

describe("Where a peer is", () => {
  const addresses = new PeerAddresses(["127.0.0.1", "10.0.0.0/8", "fd00::/8"]);

  test.each([
    ["the far end of the connection", request("203.0.113.7"), "203.0.113.7"],
    ["that, whatever somebody says who is not trusted", request("203.0.113.7", "198.51.100.1"), "203.0.113.7"],
    ["a trusted proxy, if it says nothing", request("127.0.0.1"), "127.0.0.1"],
    ["what a trusted proxy says", request("127.0.0.1", "203.0.113.7"), "203.0.113.7"],
    ["what the last one says that is trusted", request("127.0.0.1", "1.1.1.1, 203.0.113.7, 10.1.2.3"), "203.0.113.7"],
    ["the same in several headers", request("127.0.0.1", "1.1.1.1", "203.0.113.7,10.1.2.3"), "203.0.113.7"],
    ["an address of IPv6", request("fd00::1", "2001:db8::7"), "2001:db8::7"],
    ["an address of IPv4 in one of IPv6", request("::ffff:127.0.0.1", "203.0.113.7"), "203.0.113.7"],
    ["the same, in hexadecimal", request("::ffff:7f00:1", "203.0.113.7"), "203.0.113.7"],
    ["an address without its port", request("127.0.0.1", "203.0.113.7:4711"), "203.0.113.7"],
    ["the same of IPv6", request("127.0.0.1", "[2001:db8::7]:4711"), "2001:db8::7"],
    ["the proxy, if it says nonsense", request("127.0.0.1", "unknown"), "127.0.0.1"],
    ["the first of all, if all are trusted", request("127.0.0.1", "10.0.0.2, 10.0.0.1"), "10.0.0.2"],
  ])("is %s", (_, from, address) => {
    expect(addresses.of(from)).toBe(address);
  });

  test("is told of connections and of refusals", async () => {
    const { central, listener, refused } = await openEndpoint({ trustedProxies: ["127.0.0.1"] });
    expect(await statusOf(await shake(listener.port, "CP001", "X-Forwarded-For: 203.0.113.7"))).toBe(101);
    expect(central.get("CP001")?.remoteAddress).toBe("203.0.113.7");
    expect(await statusOf(await shake(listener.port, "%0A", "X-Forwarded-For: 203.0.113.8"))).toBe(400);
    expect(refused[0]?.remoteAddress).toBe("203.0.113.8");
  });
});
