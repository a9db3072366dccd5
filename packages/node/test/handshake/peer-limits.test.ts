/* What one address may take, and how often somebody may be wrong: over real sockets, with addresses that a proxy tells. */
import { EventEmitter, once } from "node:events";
import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import { FailedAttempts, mostRemembered } from "../../src/handshake/failed-attempts.ts";
import { networkOf } from "../../src/handshake/peer-address.ts";
import { basic, openEndpoint, shake, statusOf } from "../open-endpoint.ts";
import type { RawSocket } from "../raw-socket.ts";

const trustedProxies = ["127.0.0.1"];
const from = (address: string): string => `X-Forwarded-For: ${address}`;
const here = "203.0.113.1";
const elsewhere = "203.0.113.2";

describe("limits.connectionsPerAddress", () => {
  test("refuses one more from there with 429, nobody from elsewhere, and lets it in once another has gone", async () => {
    const { central, listener, refused } = await openEndpoint({ trustedProxies, limits: { connectionsPerAddress: 1 } });
    const first = await shake(listener.port, "CP001", from(here));
    expect(await statusOf(first)).toBe(101);
    const second = await shake(listener.port, "CP002", from(here));
    expect(await second.head()).toMatch(/^HTTP\/1\.1 429 .*^Retry-After: \d+$/ms);
    expect(await second.rest()).toBe("Too much comes from this address. Try again later.\n");
    expect(refused).toEqual([
      expect.objectContaining({ identity: "CP002", remoteAddress: here, reason: "address-limit", status: 429 }),
    ]);
    expect(refused[0]?.message).toBe("1 Charge Points are connected from this address.");
    expect(await statusOf(await shake(listener.port, "CP003", from(elsewhere)))).toBe(101);

    const gone = new Promise((resolve) => central.once("disconnected", resolve));
    first.socket.resetAndDestroy();
    await gone;
    expect(await statusOf(await shake(listener.port, "CP002", from(here)))).toBe(101);
  });

  test("lets in a Charge Point that replaces its own older connection", async () => {
    const { listener } = await openEndpoint({ limits: { connectionsPerAddress: 1 } }, { duplicates: "replace" });
    for (let count = 0; count < 3; count++) expect(await statusOf(await shake(listener.port, "CP001"))).toBe(101);
  });
});

test("limits.handshakesPerAddress refuses one more from there with 429 and does not ask who it is; nobody from elsewhere", async () => {
  const events = new EventEmitter();
  const asked: string[] = [];
  let decide = (_: true): void => {};
  const authenticate: Authenticate = ({ identity }) => {
    asked.push(identity);
    events.emit("asked");
    return identity === "CP001" ? new Promise<true>((resolve) => (decide = resolve)) : true;
  };
  const { listener, refused } = await openEndpoint({
    authenticate,
    trustedProxies,
    limits: { handshakesPerAddress: 1 },
  });
  const asking = once(events, "asked");
  const first = await shake(listener.port, "CP001", from(here));
  await asking;
  expect(await statusOf(await shake(listener.port, "CP002", from(here)))).toBe(429);
  expect(refused).toMatchObject([{ identity: "CP002", reason: "address-limit" }]);
  expect(await statusOf(await shake(listener.port, "CP003", from(elsewhere)))).toBe(101);
  decide(true);
  expect(await statusOf(first)).toBe(101);
  expect(await statusOf(await shake(listener.port, "CP002", from(here)))).toBe(101);
  expect(asked).toEqual(["CP001", "CP003", "CP002"]);
});

describe("Who guesses passwords", () => {
  /** An endpoint that knows two Charge Points, each with a password of its own. */
  async function site(limits = {}) {
    const clock = new FakeClock();
    const asked: (string | undefined)[] = [];
    const authenticate: Authenticate = ({ identity, password }) => {
      const text = password && Buffer.from(password).toString();
      asked.push(text);
      return text === `right ${identity}`;
    };
    const { listener, refused } = await openEndpoint({ authenticate, clock, limits, trustedProxies });
    const dial = (identity: string, password: string, address: string): Promise<RawSocket> =>
      shake(listener.port, identity, basic(`${identity}:${password}`), from(address));
    const tries = async (...attempt: [identity: string, password: string, address: string]): Promise<number> => {
      const peer = await dial(...attempt);
      const status = await statusOf(peer);
      peer.socket.resetAndDestroy();
      return status;
    };
    return { asked, clock, dial, listener, refused, tries };
  }

  test("is refused with 429 after limits.wrongPasswords, and not asked about; the same identity elsewhere is let in", async () => {
    const { asked, refused, tries } = await site({ wrongPasswords: 3 });
    for (let count = 0; count < 3; count++) expect(await tries("CP001", `guess ${count}`, here)).toBe(401);
    // Not even with the right one: whether it is that is just what must not be found out.
    expect(await tries("CP001", "right CP001", here)).toBe(429);
    expect(asked).toHaveLength(3);
    expect(refused.at(-1)).toMatchObject({ identity: "CP001", remoteAddress: here, reason: "guessing", status: 429 });
    expect(await tries("CP001", "right CP001", elsewhere)).toBe(101);
    expect(await tries("CP002", "right CP002", here)).toBe(101);
  });

  test("does not lock out who has been let in before with what it presents, at any address, the same too", async () => {
    const { tries } = await site({ wrongPasswords: 2, failuresPerAddress: 2 });
    expect(await tries("CP001", "right CP001", elsewhere)).toBe(101);
    for (let count = 0; count < 2; count++) expect(await tries("CP001", `guess ${count}`, here)).toBe(401);
    expect(await tries("CP001", "guess", here)).toBe(429);
    for (let count = 0; count < 5; count++) expect(await tries("CP001", "right CP001", here)).toBe(101);
    expect(await tries("CP001", "guess", here)).toBe(429);
  });

  test("may try again as time passes, one password for each share of ten minutes", async () => {
    const { clock, tries } = await site({ wrongPasswords: 2 });
    for (const status of [401, 401, 429]) expect(await tries("CP001", "guess", here)).toBe(status);
    await clock.advance(299_000);
    expect(await tries("CP001", "guess", here)).toBe(401);
    expect(await tries("CP001", "right CP001", here)).toBe(429);
    await clock.advance(300_000);
    expect(await tries("CP001", "right CP001", here)).toBe(101);
  });

  test("is refused whoever it says to be, after limits.failuresPerAddress", async () => {
    const { tries } = await site({ failuresPerAddress: 3 });
    for (let count = 0; count < 3; count++) expect(await tries(`stranger-${count}`, "guess", here)).toBe(401);
    expect(await tries("stranger", "guess", here)).toBe(429);
    expect(await tries("stranger", "guess", elsewhere)).toBe(401);
  });

  test("disturbs by default no other Charge Point at the same address", async () => {
    const { tries } = await site();
    for (let count = 0; count < 100; count++) expect(await tries("CP001", `guess ${count}`, here)).toBe(401);
    expect(await tries("CP001", "guess", here)).toBe(429);
    expect(await tries("CP002", "right CP002", here)).toBe(101);
  });
});

describe("FailedAttempts", () => {
  const presented = (identity: string, password: string) => ({
    identity,
    password: Buffer.from(password),
    certificate: undefined,
  });

  test("count those that have only begun, and give back what nobody has learnt from", () => {
    const attempts = new FailedAttempts({ wrongPasswords: 2 });
    const begin = () => attempts.begin(presented("CP001", "guess"), here, 0);
    const [first, second] = [begin(), begin()];
    expect(begin()).toBeUndefined();
    first?.forget();
    first?.forget(); // Once is enough.
    expect([begin(), begin()]).toEqual([expect.anything(), undefined]);
    second?.succeeded();
    expect(begin()).toBeDefined();
  });

  test("stop to believe what was right once and is wrong now", () => {
    const attempts = new FailedAttempts({ wrongPasswords: 1 });
    attempts.begin(presented("CP001", "old"), here, 0)?.succeeded();
    attempts.begin(presented("CP001", "old"), here, 0)?.failed(0);
    expect(attempts.begin(presented("CP001", "old"), here, 0)).toBeUndefined();
  });

  test("remember no more than they have room for", () => {
    const attempts = new FailedAttempts({ wrongPasswords: 1 });
    const fails = (identity: string): boolean => {
      const attempt = attempts.begin(presented(identity, "guess"), here, 0);
      attempt?.failed(0);
      return attempt !== undefined;
    };
    for (let count = 0; count < mostRemembered; count++) fails(`CP${count}`);
    expect(fails("CP0")).toBe(false);
    fails("one more");
    expect(fails("CP0")).toBe(true);
  });
});

test.each([
  ["203.0.113.7", "203.0.113.7"],
  ["::ffff:203.0.113.7", "203.0.113.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::6", "2001:db8:1:2"],
  ["2001:db8::6", "2001:db8:0:0"],
  ["fe80::1%eth0", "fe80:0:0:0"],
  ["::1", "0:0:0:0"],
  ["1:2:3:4:5:6:7::", "1:2:3:4"],
  ["::2:3:4:5:6:7:8", "0:2:3:4"],
  ["::ffff:c000:201", "192.0.2.1"],
  ["0:0::FFFF:C0:201%eth0", "0.192.2.1"],
  ["::fffe:c000:201", "0:0:0:0"],
  ["64:ff9b::192.0.2.1", "192.0.2.1"],
  ["64:ff9b::c633:6401", "198.51.100.1"],
  ["64:ff9b:1::c633:6401", "64:ff9b:1:0"],
  [undefined, undefined],
])("The limits of one address count %s as %s", (address, network) => {
  expect(networkOf(address)).toBe(network);
});
