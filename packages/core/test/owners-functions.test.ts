/*
 * Every function of an owner's that core calls and expects to be over at once: whatever it does, a promise that it returns
 * ends no process, its failure is told, and what it was asked for comes about all the same.
 */
import { FakeClock, transportPair } from "@ocppj/testing";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Clock, Configuration, Connection, type ConnectionOptions, memoryStore, quirks } from "../src/index.ts";
import { Site } from "./charge-point/site.ts";
import { misbehaviours } from "./connection/misbehaviours.ts";
import { rawPeer } from "./connection/raw-peer.ts";

type Deed = () => unknown;

/** What became of a deed: whether it was told of, and whether what goes on after it does. */
interface Outcome {
  readonly told: boolean;
  readonly works: boolean;
}

const currentTime = "2026-01-01T00:00:00Z";
const heartbeat = '[2,"1","Heartbeat",{}]';
const status = { connectorId: 1, errorCode: "NoError", status: "Available", timestamp: "2026-01-01T00:00:00" };

/** Does something once, and then what is right. */
const once = <Args extends unknown[]>(deed: Deed, right: (...args: Args) => unknown) => {
  let isOver = false;
  return (...args: Args): never => {
    if (isOver) return right(...args) as never;
    isOver = true;
    return deed() as never;
  };
};

/** A Central System's end that answers Heartbeats, after something was done to it. */
async function serves(options: Partial<ConnectionOptions<"CentralSystem">>, act?: (peer: Peer) => unknown) {
  const peer = rawPeer("CentralSystem", options);
  peer.connection.handle("Heartbeat", () => ({ currentTime }));
  peer.connection.handle("StatusNotification", () => ({}));
  const failure = await act?.(peer);
  await peer.send(heartbeat);
  const works = peer.arrived.some((frame) => (frame as unknown[])[0] === 3);
  return { told: peer.events.fault.length > 0 || failure !== undefined, works };
}
type Peer = ReturnType<typeof rawPeer<"CentralSystem">>;

/** What a call was rejected with, when it was answered with `ClearCache.conf`. */
async function clearCache({ clock, connection, send, arrived }: Peer, signal?: object): Promise<unknown> {
  const failure = connection.call("ClearCache", {}, { signal: signal as AbortSignal }).then(
    () => undefined,
    (error: unknown) => error,
  );
  await clock.advance(0);
  const [, id] = (arrived.at(-1) ?? []) as string[];
  await send(JSON.stringify([3, `${id}`, { status: "Accepted" }]));
  return failure;
}

/** A connection on a clock that fails once, when it is at work. */
async function onClock(failing: (clock: FakeClock) => Partial<Clock>): Promise<Outcome> {
  const clock = new FakeClock();
  let methods: Clock = clock;
  const own: Clock = { now: () => methods.now(), wakeAt: (time, wake) => methods.wakeAt(time, wake) };
  const link = transportPair(clock);
  const options = { role: "CentralSystem", identity: "CP001", clock: own } as const;
  const connection = new Connection(link.centralSystem, options);
  methods = { now: () => clock.now(), wakeAt: (time, wake) => clock.wakeAt(time, wake), ...failing(clock) };
  let told = false;
  const arrived: string[] = [];
  connection.on("fault", () => {
    told = true;
  });
  connection.handle("Heartbeat", async () => ({ currentTime })); // Its time is limited.
  link.chargePoint.listen({ message: (text) => arrived.push(text), close: () => {} });
  for (const id of ["1", "2"]) link.chargePoint.send(`[2,"${id}","Heartbeat",{}]`);
  await clock.advance(0);
  connection.close();
  await clock.advance(0);
  return { told, works: arrived.length === 2 };
}

const mandatory = {
  AllowOfflineTxForUnknownId: { value: false },
  NumberOfConnectors: { value: 1 },
  SupportedFeatureProfiles: { value: ["Core" as const] },
};

/** The configuration of a charger in which something fails once. */
async function configured(own: {
  readonly accepts?: () => never;
  readonly listener?: never;
  readonly approve?: never;
  readonly report?: (error: Error) => void;
}): Promise<Outcome> {
  let told = false;
  let isLoaded = false;
  const accepts = (): boolean => (isLoaded ? (own.accepts?.() ?? true) : true);
  const store = memoryStore();
  const configuration = await Configuration.load({
    keys: { ...mandatory, MeterValueSampleInterval: { value: 60, accepts } },
    store: own.report === undefined ? store : { ...store, put: () => Promise.reject(new Error("The disk is full.")) },
    report: (error) => {
      told = true;
      return own.report?.(error);
    },
    approve: own.approve,
  });
  isLoaded = true;
  if (own.listener !== undefined) configuration.listen("MeterValueSampleInterval", own.listener);
  await configuration.changeConfiguration({ key: "MeterValueSampleInterval", value: "30" });
  const { status } = await configuration.changeConfiguration({ key: "MeterValueSampleInterval", value: "20" });
  return { told, works: own.report !== undefined || status === "Accepted" };
}

/** A Charge Point that finds its Central System at the second attempt, in spite of something. */
async function starts(...options: ConstructorParameters<typeof Site>): Promise<Outcome> {
  const site = new Site(...options);
  site.behaviour.reachable = false;
  void site.chargePoint.start();
  await site.clock.advance(1000);
  site.behaviour.reachable = true;
  await site.clock.advance(600_000);
  const told = site.events.some(({ name }) => name === "fault");
  const works = site.chargePoint.registration === "Accepted";
  await site.chargePoint.stop();
  return { told, works };
}

/** By function: does a deed in its place, once. */
const functions: Readonly<Record<string, (deed: Deed) => Promise<Outcome>>> = {
  createMessageId: (deed) => serves({ createMessageId: once(deed, () => "7") }, clearCache),
  "tolerate, which chooses": (deed) =>
    serves({ tolerate: once(deed, () => quirks) }, ({ send }) =>
      send(JSON.stringify([2, "0", "StatusNotification", status])),
    ),
  "a listener": (deed) =>
    serves({}, ({ connection, send }) => {
      connection.on(
        "message",
        once(deed, () => {}),
      );
      return send('[2,"0","Heartbeat",{}]');
    }),
  "a listener of `fault`": async (deed) => {
    const { works } = await serves({}, ({ connection }) => {
      connection.on(
        "fault",
        once(deed, () => {}),
      );
      connection.emit("fault", { error: new Error("first") });
    });
    return { told: true, works }; // Whoever hears of a failure must not cause another.
  },
  "addEventListener of a signal": (deed) =>
    serves({}, async (peer) => {
      const failing = { aborted: false, addEventListener: once(deed, () => {}), removeEventListener: () => {} };
      return (await clearCache(peer, failing)) ?? (await clearCache(peer));
    }),
  "removeEventListener of a signal": (deed) =>
    serves({}, (peer) =>
      clearCache(peer, { aborted: false, addEventListener: () => {}, removeEventListener: once(deed, () => {}) }),
    ),
  "`now` of a clock": (deed) => onClock((clock) => ({ now: once(deed, () => clock.now()) })),
  "`wakeAt` of a clock": (deed) =>
    onClock((clock) => ({ wakeAt: once(deed, (time: number, wake: () => void) => clock.wakeAt(time, wake)) })),
  "what `wakeAt` of a clock returns": (deed) =>
    onClock((clock) => ({
      wakeAt: (time: number, wake: () => void) => once(deed, clock.wakeAt(time, wake)),
    })),
  "`wallNow` of a clock": async (deed) => {
    const fake = new FakeClock();
    const clock = Object.assign(fake, { wallNow: once(deed, () => fake.now()) });
    const { works } = await starts({}, clock);
    return { told: true, works }; // Asked by the constructor, when nobody can listen yet.
  },
  random: (deed) => starts({ random: once(deed, () => 0) }),
  "`accepts` of a key": (deed) => configured({ accepts: once(deed, () => true) }),
  "a listener of a key": (deed) => configured({ listener: once(deed, () => {}) as never }),
  approve: (deed) => configured({ approve: once(deed, () => ({ status: "Accepted" })) as never }),
  report: (deed) => configured({ report: once(deed, () => {}) }),
};

const unhandled: unknown[] = [];
const note = (error: unknown): void => void unhandled.push(error);

beforeEach(() => void process.on("unhandledRejection", note));
afterEach(() => void process.off("unhandledRejection", note));

describe.each(Object.entries(functions))("In place of %s", (_, doing) => {
  test.each(Object.entries(misbehaviours))("one that %s is told of, and ends nothing", async (_, deed) => {
    expect(await doing(deed)).toEqual({ told: true, works: true });
    await new Promise((resolve) => setImmediate(resolve)); // After which Node tells what nobody has handled.
    expect(unhandled.splice(0)).toEqual([]);
  });

  test.each([undefined, null, Number.NaN, "nonsense", {}, [], Symbol("nonsense")])(
    "one that returns %s ends nothing",
    async (nonsense) => {
      expect(await doing(() => nonsense)).toMatchObject({ works: true });
      expect(unhandled.splice(0)).toEqual([]);
    },
  );
});
