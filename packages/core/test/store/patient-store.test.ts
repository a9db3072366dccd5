import { FakeClock } from "@ocppj/testing";
import { describe, expect, test } from "vitest";
import { AuthorizationCache, Configuration, LocalAuthList, memoryStore, OwnCredentials } from "../../src/index.ts";
import { patient } from "../../src/store/patient-store.ts";
import { FaultyStore, settled } from "./faulty-store.ts";

const second = 1000;
const keys = { NumberOfConnectors: { value: 1 }, SupportedFeatureProfiles: { value: ["Core"] } } as const;
const hangs = { message: expect.stringMatching(/has not answered for 30 s/) };

describe("A patient store", () => {
  test.each(["load", "put", "delete"] as const)(
    "gives up %s after half a minute, and leaves no timer",
    async (operation) => {
      const clock = new FakeClock();
      const store = new FaultyStore(clock);
      const perform = () => patient(store, clock)[operation]("key", "value");
      store.hangs = true;
      const given = settled(perform());
      await clock.advance(30 * second);
      expect(await given).toMatchObject(hangs);
      store.hangs = false;
      expect(await settled(perform())).toBe("resolved");
      expect(clock.pending).toBe(0);
      store.throws = true;
      expect(await settled(perform())).toMatchObject({ message: "disk full" });
    },
  );
});

/** The parts of a Charge Point that wait for a store, each doing what it waits for. */
const parts: Readonly<Record<string, (store: FaultyStore, clock: FakeClock) => Promise<() => Promise<unknown>>>> = {
  "SendLocalList is Failed": async (store, clock) => {
    const list = await LocalAuthList.load(store, { report: () => {}, clock });
    return async () => expect(await list.update({ listVersion: 1, updateType: "Full" })).toBe("Failed");
  },
  "the authorization cache is updated in memory": async (store, clock) => {
    const cache = await AuthorizationCache.load(store, { report: () => {}, clock });
    return async () => {
      await cache.update("TAG", { status: "Accepted" }, clock.now());
      expect(cache.lookUp("TAG", clock.now())).toEqual({ status: "Accepted" });
    };
  },
  "ClearCache is Rejected": async (store, clock) => {
    const cache = await AuthorizationCache.load(store, { report: () => {}, clock });
    return async () => {
      void cache.update("TAG", { status: "Accepted" }, clock.now());
      expect(await cache.clear()).toBe("Rejected");
    };
  },
  "ChangeConfiguration is Rejected": async (store, clock) => {
    const configuration = await Configuration.load({ keys, store, report: () => {}, clock });
    const change = { key: "HeartbeatInterval", value: "60" };
    return async () => expect(await configuration.changeConfiguration(change)).toEqual({ status: "Rejected" });
  },
  "a Charge Point connects": async (store, clock) => {
    const configuration = await Configuration.load({ keys, store: memoryStore(), report: () => {} });
    const credentials = await OwnCredentials.load({ configuration, store, report: () => {}, clock });
    const target = { url: "ws://central.example.com/ocpp", identity: "CP001" };
    return async () => {
      const connect = credentials.connect(() => async () => "a transport" as never);
      expect(await connect(target)).toBe("a transport");
    };
  },
};

describe("With a store that", () => {
  describe.each([
    ["hangs", (store: FaultyStore) => void Object.assign(store, { hangs: true })],
    ["throws at once", (store: FaultyStore) => void Object.assign(store, { throws: true })],
    ["refuses everything", (store: FaultyStore) => void Object.assign(store, { refuses: ["put", "delete"] })],
  ])("%s", (_, spoil) => {
    test.each(Object.entries(parts))("%s", async (_, open) => {
      const clock = new FakeClock();
      const store = new FaultyStore(clock);
      const act = await open(store, clock);
      spoil(store);
      const ended = act();
      await clock.advance(120 * second);
      await ended;
      expect(clock.pending).toBe(0);
    });
  });

  test("hangs when it is read nothing waits for ever", async () => {
    const clock = new FakeClock();
    const store = new FaultyStore(clock);
    store.hangs = true;
    const report = (): void => {};
    const loads = [
      LocalAuthList.load(store, { report, clock }),
      AuthorizationCache.load(store, { report, clock }),
      Configuration.load({ keys, store, report, clock }),
      OwnCredentials.load({
        configuration: { get: () => undefined, set: async () => {} } as never,
        store,
        report,
        clock,
      }),
    ].map(settled);
    await clock.advance(30 * second);
    for (const load of loads) expect(await load).toMatchObject(hangs);
  });
});
