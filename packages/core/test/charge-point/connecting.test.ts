import { FakeClock, transportPair } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { type ChargePoint, type ConnectTarget, HandshakeError, PayloadError, type Transport } from "../../src/index.ts";
import { misbehaviours, oops } from "../connection/misbehaviours.ts";
import { Site } from "./site.ts";
import { day, minute, second } from "./vocabulary.ts";

const transport = (more: Partial<Transport>): Transport => ({ listen() {}, send() {}, close() {}, ...more });
const throwing = (): never => {
  throw oops;
};

/** What a `connect` may give that is of no use. */
const nonsense: Record<string, unknown> = {
  nothing: undefined,
  null: null,
  "a function": () => {},
  "an object": {},
  "a transport that cannot be listened to": transport({ listen: throwing }),
  "a transport whose `tolerated` is no list": transport({ tolerated: 5 as never }),
  "a transport whose `tolerated` lists nothing": transport({ tolerated: [null] as never }),
  "a transport whose `tolerated` throws": Object.defineProperty(transport({}), "tolerated", { get: throwing }),
  "a transport that throws whatever is done": transport({ listen: throwing, send: throwing, close: throwing }),
};

describe("ChargePoint, with a `connect` that misbehaves", () => {
  test.each([
    ...Object.entries(misbehaviours),
    ...Object.entries(nonsense).map(([name, value]) => [`resolves with ${name}`, () => value as never] as const),
  ])(
    "that %s: says why each attempt failed, waits, and connects as soon as it behaves [J-031] [J-033]",
    async (_, connect) => {
      let isMended = false;
      const site: Site = new Site({
        connect: ({ identity }) => {
          if (!isMended) return connect();
          const link = transportPair(site.clock);
          site.links.push(link);
          site.centralSystem.accept(link.centralSystem, identity);
          return Promise.resolve(link.chargePoint);
        },
      });
      await site.start();
      await site.clock.advance(2 * second);
      expect(site.events.map(({ name }) => name)).toEqual(["connecting", "refused", "connecting", "refused"]);
      expect(site.said("refused")[0]).toEqual({ error: expect.any(Error), retryInMs: 2000 });
      expect(site.chargePoint.connected).toBe(false);
      isMended = true;
      await site.clock.advance(2 * second);
      expect(site.chargePoint.registration).toBe("Accepted");
      expect(site.chargePoint.connected).toBe(true);
      await site.chargePoint.stop();
      await site.clock.advance(10 * second);
      expect(site.clock.pending).toBe(0);
    },
  );

  test.each<[string, Partial<Transport>]>([
    ["sends nothing, because it throws", { send: throwing }],
    ["throws when it is closed", { send: throwing, close: throwing }],
  ])("goes on after a transport that %s", async (_, more) => {
    const site = new Site({ connect: async () => transport(more) });
    await site.start();
    await site.clock.advance(minute);
    expect(site.said("disconnected").length).toBeGreaterThan(2);
    expect(site.said("connected")).toHaveLength(site.said("disconnected").length);
    await site.chargePoint.stop();
    expect(site.clock.pending).toBe(0);
    const told = site.events.length;
    await site.clock.advance(day);
    expect(site.events.slice(told)).toEqual([]);
  });

  test("tells of a transport that closes while it is listened to as of an attempt that has failed, and waits [J-031]", async () => {
    const site = new Site({ connect: async () => transport({ listen: ({ close }) => close(1011, "Full") }) });
    await site.start();
    await site.clock.advance(2 * second);
    expect(site.events.map(({ name }) => name)).toEqual(["connecting", "refused", "connecting", "refused"]);
    const [refused] = site.said("refused");
    expect(refused).toEqual({ error: expect.any(HandshakeError), retryInMs: 2000 });
    expect(refused?.error).toMatchObject({ reason: "network", url: "ws://central.example.com/ocpp/CP001" });
    expect(String(refused?.error)).toContain("1011, Full");
    await site.chargePoint.stop();
    expect(site.clock.pending).toBe(0);
  });

  test.each(["before", "after"])(
    "tells neither of a connection nor of its end when it is stopped in `listen`, %s that closes",
    async (order) => {
      const site: Site = new Site({
        connect: async () => {
          let end = (): void => {};
          return transport({
            listen: ({ close }) => {
              end = () => close(1000, "");
              if (order === "after") end();
              void site.chargePoint.stop();
            },
            close: () => end(),
          });
        },
      });
      await site.start();
      await site.clock.advance(day);
      expect(site.said("connected")).toEqual([]);
      expect(site.said("disconnected")).toEqual([]);
      expect(site.clock.pending).toBe(0);
    },
  );

  test("gives up an attempt that has not ended after two minutes, tells it, and closes what comes too late [J-031]", async () => {
    const targets: ConnectTarget[] = [];
    const settle: ((transport: Transport) => void)[] = [];
    const site = new Site({
      url: "ws://central.example.com/ocpp?key=secret",
      connect: (target) => {
        targets.push(target);
        return new Promise((resolve) => settle.push(resolve));
      },
    });
    await site.start();
    await site.clock.advance(2 * minute - 1);
    expect(site.said("refused")).toEqual([]);
    expect(targets[0]?.signal?.aborted).toBe(false);
    await site.clock.advance(1);
    const [refused] = site.said("refused");
    expect(refused).toEqual({ error: expect.any(HandshakeError), retryInMs: 2000 });
    expect(refused?.error).toMatchObject({ reason: "timeout", url: "ws://central.example.com/ocpp/CP001" });
    expect(String(refused?.error)).not.toContain("secret");
    expect(targets[0]?.signal).toMatchObject({ aborted: true, reason: refused?.error });
    await site.clock.advance(2 * second);
    expect(targets).toHaveLength(2);
    const closed: string[] = [];
    settle[0]?.(transport({ close: () => void closed.push("late") }));
    await site.clock.advance(0);
    expect(closed).toEqual(["late"]);
    settle[1]?.(transport({ listen: () => void closed.push("in time") }));
    await site.clock.advance(0);
    expect(closed).toEqual(["late", "in time"]);
    expect(site.said("connected")).toHaveLength(1);
  });

  test.each(Object.entries(misbehaviours))(
    "has no use for an attempt that %s after it was stopped, whose signal says so at once [trap 19]",
    async (_, misbehave) => {
      let go = (): void => {};
      const reasons: unknown[] = [];
      const site = new Site({
        connect: async ({ signal }) => {
          signal?.addEventListener("abort", () => reasons.push(signal.reason));
          signal?.addEventListener("abort", misbehave);
          await new Promise<void>((resolve) => (go = resolve));
          return misbehave();
        },
      });
      await site.start();
      const stopped = site.chargePoint.stop();
      expect(reasons).toEqual([new Error("The ChargePoint was stopped.")]);
      expect(site.clock.pending).toBe(0);
      go();
      await site.clock.advance(day);
      await stopped;
      expect(site.said("refused")).toEqual([]);
      expect(site.said("fault")).toEqual([{ error: oops }]); // Of the listener of the signal.
    },
  );

  test("does not even begin an attempt when it is stopped in a listener of `connecting`, and closes what it was about to get", async () => {
    let attempts = 0;
    const site = new Site({
      connect: async () => {
        attempts += 1;
        return transport({});
      },
    });
    site.chargePoint.on("connecting", () => void site.chargePoint.stop());
    await site.start();
    expect(attempts).toBe(0);

    const closed: string[] = [];
    const late = new Site({
      connect: async () => {
        queueMicrotask(() => void late.chargePoint.stop()); // Between the end of this and what follows it.
        return transport({ close: () => void closed.push("late") });
      },
    });
    await late.start();
    expect(closed).toEqual(["late"]);
    expect(late.said("connected")).toEqual([]);
  });

  test("keeps nothing of a transport inside of whose `listen` it is stopped", async () => {
    const closed: string[] = [];
    const listen = () => void site.chargePoint.stop();
    const site: Site = new Site({ connect: async () => transport({ listen, close: () => void closed.push("it") }) });
    await site.start();
    await site.clock.advance(minute);
    expect(closed).toEqual(["it"]);
    expect(site.said("connected")).toEqual([]);
    expect(site.chargePoint.connected).toBe(false);
    expect(site.clock.pending).toBe(0);
  });

  test.each<[string, () => number]>([
    ["throws", throwing],
    ["returns NaN", () => Number.NaN],
    ["returns -1", () => -1],
    ["returns 2", () => 2],
  ])("waits as it should when `random` %s, and says so [J-033]", async (_, random) => {
    const site = new Site({ random });
    site.behaviour.reachable = false;
    await site.start();
    await site.clock.advance(10 * minute);
    const [first, second_] = site.said("refused");
    expect(first?.retryInMs).toBeGreaterThanOrEqual(2000);
    expect(first?.retryInMs).toBeLessThanOrEqual(4000);
    expect(second_?.retryInMs).toBeLessThanOrEqual(6000);
    expect(site.said("fault")).toHaveLength(site.said("refused").length);
    await site.chargePoint.stop();
    expect(site.clock.pending).toBe(0);
  });
});

describe("ChargePoint.connected and ChargePoint.reconnectNow", () => {
  test("says whether there is a connection", async () => {
    const site = new Site();
    const said: boolean[] = [];
    for (const name of ["connecting", "connected", "registration", "disconnected"] as const) {
      site.chargePoint.on(name, () => said.push(site.chargePoint.connected));
    }
    expect(site.chargePoint.connected).toBe(false);
    await site.start();
    site.link.chargePoint.drop();
    await site.clock.advance(0);
    expect(said).toEqual([false, true, true, false]);
  });

  test("ends the wait, but not so that attempts follow each other faster than the shortest wait [J-033]", async () => {
    const site = new Site({ random: () => 1 });
    site.behaviour.reachable = false;
    site.chargePoint.on("refused", () => site.chargePoint.reconnectNow()); // A hot loop, if it could be one.
    await site.start();
    await site.clock.advance(minute);
    expect(site.said("connecting")).toHaveLength(31);
    site.chargePoint.removeAllListeners("refused");
    await site.clock.advance(10 * minute);
    site.behaviour.reachable = true;
    site.chargePoint.reconnectNow();
    await site.clock.advance(0);
    expect(site.chargePoint.connected).toBe(true);
  });

  test("does nothing before the start, while connecting or connected, and after the stop", async () => {
    const site = new Site();
    site.chargePoint.reconnectNow();
    await site.clock.advance(minute);
    expect(site.said("connecting")).toEqual([]);
    await site.start();
    site.chargePoint.reconnectNow();
    await site.clock.advance(minute);
    expect(site.said("connecting")).toHaveLength(1);
    await site.chargePoint.stop();
    site.chargePoint.reconnectNow({ drop: true });
    await site.clock.advance(minute);
    expect(site.said("connecting")).toHaveLength(1);
  });

  test("drops the connection when it is told to, also from inside a listener", async () => {
    const site = new Site();
    await site.start();
    await site.clock.advance(minute);
    site.chargePoint.once("message", () => site.chargePoint.reconnectNow({ drop: true }));
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.clock.advance(0);
    expect(site.said("disconnected")).toMatchObject([{ code: 1000, reason: "Reconnecting" }]);
    expect(site.said("connecting")).toHaveLength(2);
    expect(site.chargePoint.connected).toBe(true);
    // What was lost on the way is sent again.
    expect(site.actions).toEqual(["BootNotification", "Heartbeat", "StatusNotification"]);
  });
});

describe("ChargePoint.configure", () => {
  const boot = { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger", firmwareVersion: "2.0" };

  test("leaves a connection alone, and uses a new URL and a new BootNotification from the next one on [J-160]", async () => {
    const site = new Site();
    await site.start();
    await site.clock.advance(minute);
    site.chargePoint.configure({ url: "wss://other.example.com/ocpp" });
    site.chargePoint.configure({ boot });
    await site.clock.advance(minute);
    expect(site.actions).toEqual(["BootNotification"]);
    site.chargePoint.reconnectNow({ drop: true });
    await site.clock.advance(0);
    expect(site.said("connecting")[1]).toMatchObject({ url: "wss://other.example.com/ocpp/CP001" });
    expect(site.received.slice(1)).toEqual([["BootNotification", boot]]);
    expect(site.said("registration")).toHaveLength(2);
    site.link.chargePoint.drop();
    await site.clock.advance(minute);
    expect(site.actions).toEqual(["BootNotification", "BootNotification", "Heartbeat"]);
  });

  test("boots at once at another URL, though the Central System before has asked for a pause [CORE-BOOT-05]", async () => {
    for (const [change, boots] of [
      [{ url: "ws://other.example.com/ocpp" }, 2],
      [{ boot }, 1],
    ] as const) {
      const site = new Site();
      Object.assign(site.behaviour, { registration: "Rejected", interval: 86_400 });
      await site.start();
      await site.clock.advance(minute);
      site.chargePoint.configure(change);
      site.chargePoint.reconnectNow({ drop: true });
      await site.clock.advance(0);
      expect(site.actions).toHaveLength(boots);
    }
  });

  test("changes nothing about an attempt that is under way, and boots on the connection that the change is for", async () => {
    const urls: string[] = [];
    const site: Site = new Site({
      connect: async ({ url, identity }) => {
        urls.push(url);
        if (urls.length === 2) site.chargePoint.configure({ url: "ws://other.example.com/ocpp" });
        const link = transportPair(site.clock);
        site.links.push(link);
        site.centralSystem.accept(link.centralSystem, identity);
        return link.chargePoint;
      },
    });
    await site.start();
    for (let times = 0; times < 2; times++) {
      site.link.chargePoint.drop();
      await site.clock.advance(minute);
      expect(site.actions.filter((action) => action === "BootNotification")).toHaveLength(times + 1);
    }
    expect(urls.at(-1)).toBe("ws://other.example.com/ocpp");
  });

  const present = { chargePointVendor: "VendorX", chargePointModel: "SingleSocketCharger" };
  test.each<[string, Parameters<ChargePoint["configure"]>[0][]]>([
    ["nothing", [{}]],
    ["the present URL", [{ url: "ws://central.example.com/ocpp" }]],
    ["what BootNotification says already", [{ boot: present }]],
    ["the same fields in another order", [{ boot: Object.fromEntries(Object.entries(present).reverse()) as never }]],
    [
      "something else, and then what was before",
      [
        { boot, url: "ws://b.example.com" },
        { boot: present, url: "ws://central.example.com/ocpp" },
      ],
    ],
  ])("changes nothing when it is given %s: no BootNotification follows [J-160]", async (_, changes) => {
    const site = new Site();
    await site.start();
    for (const change of changes) site.chargePoint.configure(change);
    site.chargePoint.reconnectNow({ drop: true });
    await site.clock.advance(minute);
    expect(site.said("connected")).toHaveLength(2);
    expect(site.actions).toEqual(["BootNotification", "Heartbeat"]);
  });

  test("says on a connection what was set when that began, also while it is Pending [CORE-BOOT-05] [J-160]", async () => {
    const site = new Site();
    Object.assign(site.behaviour, { registration: "Pending", interval: 60 });
    await site.start();
    site.chargePoint.configure({ boot });
    await site.clock.advance(minute);
    expect(site.received).toEqual([
      ["BootNotification", present],
      ["BootNotification", present],
    ]);
    site.chargePoint.reconnectNow({ drop: true });
    await site.clock.advance(minute);
    expect(site.received.slice(2)).toEqual([["BootNotification", boot]]);
  });

  test("refuses at once what could not be used, and changes nothing then", async () => {
    const site = new Site();
    const { chargePoint } = site;
    expect(() => chargePoint.configure({ url: "http://central.example.com", boot })).toThrow(TypeError);
    const tooLong = { ...boot, firmwareVersion: "x".repeat(51) };
    expect(() => chargePoint.configure({ url: "ws://other.example.com/ocpp", boot: tooLong })).toThrow(PayloadError);
    await site.start();
    expect(site.said("connecting")).toMatchObject([{ url: "ws://central.example.com/ocpp/CP001" }]);
    expect(site.received[0]?.[1]).not.toHaveProperty("firmwareVersion");
  });
});

describe("ChargePoint, with a transport", () => {
  test("that is of no use, closes it", async () => {
    let closed = 0;
    const site = new Site({ connect: async () => transport({ tolerated: 5 as never, close: () => void closed++ }) });
    await site.start();
    expect(closed).toBe(1);
    expect(site.said("refused")).toMatchObject([
      { error: { message: expect.stringMatching(/^`tolerated` of the transp/) } },
    ]);
  });

  const rejects = (): never => Promise.reject(oops) as never;

  test.each<[string, Partial<Transport>]>([
    ["listen", { listen: rejects }],
    ["send", { send: rejects }],
  ])("whose `%s` returns a promise that rejects, tells it as a fault and connects again", async (_, more) => {
    const site = new Site({ connect: async () => transport(more) });
    await site.start();
    await site.clock.advance(minute);
    expect(site.said("fault")[0]).toEqual({ error: oops });
    expect(site.said("disconnected").length).toBeGreaterThan(2);
    await site.chargePoint.stop();
    expect(site.clock.pending).toBe(0);
  });

  test("whose `close` returns a promise that rejects, tells it as a fault", async () => {
    const site = new Site({ connect: async () => transport({ close: rejects }) });
    await site.start();
    await site.chargePoint.stop();
    await site.clock.advance(0);
    expect(site.said("fault")).toEqual([{ error: oops }]);
  });
});

describe("ChargePoint, with a listener that drops the connection", () => {
  /** A clock that fails at its nth reading from the opening of the first connection on. */
  async function dropping(nth: number): Promise<{ site: Site; fired: boolean }> {
    const fake = new FakeClock();
    let left = Number.POSITIVE_INFINITY;
    let fired = false;
    const now = (): number => {
      left -= 1;
      if (left !== 0) return fake.now();
      fired = true;
      throw oops;
    };
    const site: Site = new Site(
      {
        clock: { now, wakeAt: (time, callback) => fake.wakeAt(time, callback) },
        connect: async ({ identity }) => {
          const link = transportPair(fake);
          site.links.push(link);
          site.centralSystem.accept(link.centralSystem, identity);
          if (site.links.length === 1) left = nth;
          return link.chargePoint;
        },
      },
      fake,
    );
    site.chargePoint.once("fault", () => site.chargePoint.reconnectNow({ drop: true }));
    await site.start();
    return { site, fired };
  }

  test("at any reading of the clock while it opens, is accepted on the one that stands", async () => {
    for (let nth = 1; ; nth++) {
      const { site, fired } = await dropping(nth);
      if (!fired || nth > 30) break;
      expect(site.chargePoint.connected, `${nth}`).toBe(
        site.said("connected").length > site.said("disconnected").length,
      );
      await site.clock.advance(minute);
      expect(site.chargePoint.connected, `${nth}`).toBe(true);
      expect(site.chargePoint.registration, `${nth}`).toBe("Accepted");
      const faults = site.said("fault").filter(({ error }) => error !== oops);
      expect(faults, `${nth}`).toEqual([]);
    }
  });

  test("when it is told of it, is not told what was forgiven of that one", async () => {
    const use = { quirk: "noSubprotocol", action: "", path: "", message: "" } as never;
    const tolerated: unknown[] = [];
    const site = new Site({ connect: async () => transport({ tolerated: [use] }) });
    site.chargePoint.on("tolerated", (event) => tolerated.push(event));
    site.chargePoint.once("connected", () => site.chargePoint.reconnectNow({ drop: true }));
    await site.start();
    expect(tolerated).toEqual([]);
    await site.clock.advance(3 * second);
    expect(tolerated).toEqual([use]);
  });
});

describe("ChargePoint, with a wall clock that says nonsense", () => {
  test("connects, is accepted, and tells it once", async () => {
    const fake = new FakeClock();
    let reads = 0;
    const wallNow = (): number => (reads++ % 2 ? 1e12 : 2e12);
    const clock = { now: () => fake.now(), wakeAt: fake.wakeAt.bind(fake), wallNow };
    const site = new Site({ clock }, fake);
    await site.start();
    await fake.advance(day);
    expect(site.chargePoint.registration).toBe("Accepted");
    expect(site.said("fault")).toEqual([{ error: new TypeError("The wall clock jumps again and again.") }]);
    await site.chargePoint.stop();
  });
});
