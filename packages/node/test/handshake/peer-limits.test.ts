/* What one address may take, and how often somebody may be wrong: over real sockets, with addresses that a proxy tells. */
import { EventEmitter, once } from "node:events";
import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { mostOfOneAddress, mostRemembered } from "../../src/handshake/budgets.ts";
import type { Authenticate } from "../../src/handshake/endpoint-options.ts";
import { FailedAttempts } from "../../src/handshake/failed-attempts.ts";
import { networkOf } from "../../src/handshake/peer-address.ts";
import { basic, openEndpoint, shake, statusOf } from "../open-endpoint.ts";
import { clientFrame, type RawSocket } from "../raw-socket.ts";

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
    const rightOf = new Map<string, string>();
    const authenticate: Authenticate = ({ identity, password }) => {
      const text = password && Buffer.from(password).toString();
      asked.push(text);
      return text === (rightOf.get(identity) ?? `right ${identity}`);
    };
    const endpoint = await openEndpoint({ authenticate, clock, limits, trustedProxies });
    const dial = (identity: string, password: string, address: string): Promise<RawSocket> =>
      shake(endpoint.listener.port, identity, basic(`${identity}:${password}`), from(address));
    const tries = async (...attempt: [identity: string, password: string, address: string]): Promise<number> => {
      const peer = await dial(...attempt);
      const status = await statusOf(peer);
      peer.socket.resetAndDestroy();
      return status;
    };
    return { ...endpoint, asked, clock, dial, rightOf, tries };
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

  test("keeps by default nobody out: whatever a neighbour does, the right password is asked about at once", async () => {
    const { tries } = await site();
    for (let count = 0; count < 150; count++) expect(await tries("CP001", `guess ${count}`, here)).toBe(401);
    expect(await tries("CP001", "right CP001", here)).toBe(101);
  });

  test("does not lock out whose password has been changed since it was let in", async () => {
    const { central, dial, rightOf, tries } = await site({ wrongPasswords: 2, failuresPerAddress: 2 });
    const charger = await dial("CP001", "right CP001", here);
    expect(await statusOf(charger)).toBe(101);
    for (const status of [401, 401, 429]) expect(await tries("CP001", "guess", here)).toBe(status);
    const digits = Buffer.from("new").toString("hex");
    const changed = central.get("CP001")?.call("ChangeConfiguration", { key: "AuthorizationKey", value: digits });
    const [, messageId] = JSON.parse((await charger.frame()).payload.toString());
    charger.write(clientFrame(1, JSON.stringify([3, messageId, { status: "Accepted" }])));
    await changed;
    rightOf.set("CP001", "new");
    charger.socket.resetAndDestroy();
    expect(await tries("CP001", "new", here)).toBe(101);
    rightOf.set("CP001", digits); // The same of one that sends the text of it.
    expect(await tries("CP001", digits, here)).toBe(101);
    expect(await tries("CP001", "guess", here)).toBe(429);
  });

  test("who comes to a limit under many names from one address is a fault, once: that of a proxy, most likely", async () => {
    const { faults, tries } = await site({ failuresPerAddress: 1 });
    for (const address of [here, elsewhere]) {
      for (let count = 0; count < 10; count++) await tries(`CP${count}`, "guess", address);
      expect(faults).toEqual([]); // The first has had its answer.
    }
    for (let count = 0; count < 20; count++) await tries(`CP${count % 11}`, "guess", elsewhere);
    expect(faults).toMatchObject([{ error: { message: expect.stringContaining(`10 identities from ${elsewhere}.`) } }]);
    expect(faults[0]).not.toHaveProperty("identity");
  });
});

describe("FailedAttempts", () => {
  const presented = (identity: string, password = "guess") => ({
    identity,
    password: Buffer.from(password),
    certificate: undefined,
  });

  /** Whether one is asked about, and fails. */
  const fails = (attempts: FailedAttempts, identity: string, address = here): boolean => {
    const attempt = attempts.begin(presented(identity), address, 0);
    attempt?.failed(0);
    return attempt !== undefined;
  };

  test.each([
    ["wrongPasswords", ["CP001", "CP001", "CP001"]] as const,
    ["failuresPerAddress", ["CP001", "CP002", "CP003"]] as const,
  ])(
    "count those of %s that have only begun, and give back what nobody has learnt from",
    (limit, [one, other, another]) => {
      const attempts = new FailedAttempts({ [limit]: 2 });
      const begin = (identity: string) => attempts.begin(presented(identity), here, 0);
      const [first, second] = [begin(one), begin(other)];
      expect(begin(another)).toBeUndefined();
      first?.forget();
      first?.forget(); // Once is enough.
      expect([begin(one), begin(another)]).toEqual([expect.anything(), undefined]);
      second?.succeeded();
      expect(begin(another)).toBeDefined();
    },
  );

  test("stop to believe what was right once and is wrong now", () => {
    const attempts = new FailedAttempts({ wrongPasswords: 1 });
    attempts.begin(presented("CP001", "old"), here, 0)?.succeeded();
    attempts.told("CP001", [Buffer.from("new")]);
    for (const password of ["old", "new"]) {
      attempts.begin(presented("CP001", password), here, 0)?.failed(0);
      expect(attempts.begin(presented("CP001", password), here, 0)).toBeUndefined();
    }
  });

  test("do not forget a guesser for all the names that he makes up at his address", () => {
    const attempts = new FailedAttempts({ wrongPasswords: 3 });
    let asked = 0;
    for (let round = 0; round < 2; round++) {
      for (let count = 0; count < 3; count++) if (fails(attempts, "CP001")) asked += 1;
      for (let count = 0; count < mostRemembered; count++) fails(attempts, `junk ${round} ${count}`);
    }
    expect(asked).toBe(3);
  });

  test("forget where there is no room those whose address was heard of longest ago", () => {
    const attempts = new FailedAttempts({ wrongPasswords: 1 });
    const addresses = mostRemembered / mostOfOneAddress;
    for (let address = 0; address < addresses; address++) {
      for (let count = 0; count < mostOfOneAddress; count++) fails(attempts, `CP${count}`, `${address}`);
    }
    expect(fails(attempts, "CP0", "0")).toBe(false);
    fails(attempts, "CP0", "one more");
    expect(fails(attempts, "CP0", "1")).toBe(false);
    expect(fails(attempts, "CP0", "0")).toBe(true);
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
