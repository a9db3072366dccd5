import { describe, expect, test } from "vitest";
import {
  type Authorization,
  AuthorizationCache,
  CallError,
  Configuration,
  LocalAuthList,
  memoryStore,
  type Req,
} from "../../src/index.ts";
import { Site } from "./site.ts";

const report = (error: Error) => expect.unreachable(error.message);
const accepted = { idTagInfo: { status: "Accepted" } } as const;
const offline: Authorization = { decision: "refuse", grounds: "unknown-offline" };
const online: Authorization = { decision: "accept", grounds: "central-system", ...accepted };

/** A Site with a list and a cache, whose Central System answers Authorize and DataTransfer when the test says so. */
class SlowSite extends Site {
  /** Answers what waits for an answer, in order. */
  readonly answers: (() => void)[] = [];
  readonly list: LocalAuthList;
  readonly cache: AuthorizationCache;

  constructor(list: LocalAuthList, cache: AuthorizationCache, configuration?: Configuration) {
    super({ localAuthList: list, authorizationCache: cache, ...(configuration && { configuration }) });
    this.list = list;
    this.cache = cache;
    this.centralSystem.on("connected", ({ connection }) => {
      connection.handle("Authorize", () => this.#answer(accepted));
      connection.handle("DataTransfer", () => this.#answer({ status: "Accepted" }));
    });
  }

  static async started(configuration?: Configuration): Promise<SlowSite> {
    const store = memoryStore();
    const list = await LocalAuthList.load(store, { report });
    const site = new SlowSite(list, await AuthorizationCache.load(store, { report, list }), configuration);
    await site.start();
    return site;
  }

  /** Makes CALLs that nobody answers: one is on the wire, the others wait behind it. */
  occupy(count: number): void {
    for (let n = 0; n < count; n++) this.chargePoint.call("DataTransfer", { vendorId: `${n}` }).catch(() => {});
  }

  /** What the cache knows of an identifier. */
  known(idTag: string): unknown {
    return this.cache.lookUp(idTag, this.clock.now());
  }

  #answer<T>(conf: T): Promise<T> {
    return new Promise((resolve) => void this.answers.push(() => resolve(conf)));
  }
}

/** A decision, as soon as there is one. */
function decision(promise: Promise<Authorization>): { made: Authorization | undefined } {
  const decided: { made: Authorization | undefined } = { made: undefined };
  void promise.then((authorization) => {
    decided.made = authorization;
  });
  return decided;
}

describe("authorize, online", () => {
  test.each([
    ["a CALLERROR", () => Promise.reject(new CallError("InternalError"))],
    ["nonsense", () => ({ idTagInfo: { status: "Maybe" } }) as never],
  ])("decides as offline when it is answered with %s [J-215]", async (_, answer) => {
    const site = new Site();
    site.centralSystem.on("connected", ({ connection }) => connection.handle("Authorize", answer));
    await site.start();
    const decided = decision(site.chargePoint.authorize("TAG"));
    await site.clock.advance(0);
    expect(decided.made).toEqual(offline);
    expect(site.actions).toContain("Authorize");
  });

  test("decides as offline when there is no answer in time, by what is known here [J-215] [CORE-LAO-25] [CORE-LAO-28]", async () => {
    const site = await SlowSite.started();
    await site.cache.update("KNOWN", { status: "Accepted" }, site.clock.now());
    const known = decision(site.chargePoint.authorize("KNOWN"));
    const unknown = decision(site.chargePoint.authorize("TAG"));
    await site.clock.advance(29_999);
    expect([known.made, unknown.made]).toEqual([undefined, undefined]);
    await site.clock.advance(1);
    expect(known.made).toMatchObject({ decision: "accept", grounds: "cache" });
    expect(unknown.made).toEqual(offline);
  });

  test("waits no longer than waitMs, the time in the queue included [J-215]", async () => {
    const site = await SlowSite.started();
    site.occupy(8);
    await site.clock.advance(29_000);
    const decided = decision(site.chargePoint.authorize("TAG", { waitMs: 2000 }));
    await site.clock.advance(1999);
    expect(decided.made).toBeUndefined();
    expect(site.actions.at(-1)).toBe("Authorize");
    await site.clock.advance(1);
    expect(decided.made).toEqual(offline);
    site.answers.at(-1)?.();
    await site.clock.advance(0);
    expect(site.known("TAG")).toEqual({ status: "Accepted" });
  });

  test("learns from an answer that comes after the CALL has timed out, too [CORE-CACHE-02] [J-D23]", async () => {
    const site = await SlowSite.started();
    const decided = decision(site.chargePoint.authorize("TAG"));
    await site.clock.advance(30_000);
    expect(decided.made).toEqual(offline);
    site.answers[0]?.();
    await site.clock.advance(0);
    expect(site.known("TAG")).toEqual({ status: "Accepted" });
    expect(site.said("violation")).toMatchObject([{ reason: "late-answer" }]);
  });

  test("asks before everything that waits, in the order in which cards were shown [CORE-AUTH-06]", async () => {
    const site = await SlowSite.started();
    site.occupy(3);
    for (let connectorId = 0; connectorId < 5; connectorId++)
      site.chargePoint.report({ connectorId, status: "Available" });
    const decided = ["A", "B"].map((idTag) => decision(site.chargePoint.authorize(idTag)));
    for (let n = 0; n < 3; n++) {
      await site.clock.advance(1);
      site.answers[n]?.();
    }
    await site.clock.advance(0);
    expect(decided.map(({ made }) => made)).toEqual([online, online]);
    const asked = site.received.filter(([action]) => action === "Authorize");
    expect(asked).toEqual([
      ["Authorize", { idTag: "A" }],
      ["Authorize", { idTag: "B" }],
    ]);
    expect(site.actions.slice(1, 5)).toEqual(["DataTransfer", "Authorize", "Authorize", "DataTransfer"]);
  });

  test("takes back what still waits when nobody waits for it any more", async () => {
    const site = await SlowSite.started();
    site.occupy(2);
    const decided = decision(site.chargePoint.authorize("TAG", { waitMs: 1000 }));
    await site.clock.advance(1000);
    expect(decided.made).toEqual(offline);
    site.answers[0]?.();
    await site.clock.advance(0);
    expect(site.actions).toEqual(["BootNotification", "DataTransfer", "DataTransfer"]);
  });

  test("asks after a silence whether anybody is there, although nobody waits for the answer [J-153]", async () => {
    const site = await SlowSite.started();
    void site.chargePoint.authorize("TAG", { waitMs: 1000 });
    await site.clock.advance(30_000);
    expect(site.actions.at(-1)).toBe("Heartbeat");
  });

  test.each([[0], [-1], [Number.NaN], [Number.POSITIVE_INFINITY]])("refuses a wait of %s ms", async (waitMs) => {
    const site = new Site();
    const transaction = { idTag: "TAG", parentIdTag: undefined } as never;
    for (const ask of [
      () => site.chargePoint.authorize("TAG", { waitMs }),
      () => site.chargePoint.authorizeStop("TAG", transaction, { waitMs }),
    ]) {
      expect(ask).toThrow(new TypeError(`waitMs is ${waitMs}. Give a positive number of milliseconds.`));
    }
  });

  test("leaves no timer and no listener behind, however it ends [trap 12]", async () => {
    const site = await SlowSite.started();
    decision(site.chargePoint.authorize("B"));
    await site.clock.advance(1);
    site.answers[0]?.();
    await site.clock.advance(1);
    const before = site.clock.pending; // One is the Central System's: handlers may take only so long.
    const listeners = new Set<unknown>();
    const signal = {
      aborted: false,
      addEventListener: (_: "abort", listener: () => void) => void listeners.add(listener),
      removeEventListener: (_: "abort", listener: () => void) => void listeners.delete(listener),
    };
    const answered = decision(site.chargePoint.authorize("A", { signal }));
    await site.clock.advance(1);
    expect(listeners.size).toBe(1);
    site.answers[1]?.();
    await site.clock.advance(1);
    expect(answered.made).toEqual(online);
    expect(listeners.size).toBe(0);
    expect(site.clock.pending).toBe(before);
  });
});

describe("authorize, with a signal", () => {
  test.each([
    ["the CALL is on the wire", 0],
    ["it waits for its turn", 1],
  ])("decides as offline when it aborts while %s", async (_, before) => {
    const site = await SlowSite.started();
    site.occupy(before);
    const controller = new AbortController();
    const decided = decision(site.chargePoint.authorize("TAG", { signal: controller.signal }));
    await site.clock.advance(10);
    expect(decided.made).toBeUndefined();
    controller.abort();
    await site.clock.advance(0);
    expect(decided.made).toEqual(offline);
    site.answers[0]?.();
    await site.clock.advance(0);
    expect(site.actions.slice(1)).toEqual(before === 0 ? ["Authorize"] : ["DataTransfer"]);
    expect(site.known("TAG")).toEqual(before === 0 ? { status: "Accepted" } : undefined);
  });

  test("asks nobody when it has been aborted before", async () => {
    const site = await SlowSite.started();
    expect(await site.chargePoint.authorize("TAG", { signal: AbortSignal.abort() })).toEqual(offline);
    await site.clock.advance(0);
    expect(site.actions).toEqual(["BootNotification"]);
  });

  test("is obeyed by authorizeStop, which waits in the same way [CORE-AUTH-09]", async () => {
    const site = await SlowSite.started();
    const transaction = site.chargePoint.startTransaction({ connectorId: 1, idTag: "TAG", meterStart: 0 });
    const controller = new AbortController();
    const aborted = decision(site.chargePoint.authorizeStop("A", transaction, { signal: controller.signal }));
    const waiting = decision(site.chargePoint.authorizeStop("B", transaction, { waitMs: 1000 }));
    controller.abort();
    await site.clock.advance(999);
    expect([aborted.made, waiting.made]).toEqual([offline, undefined]);
    await site.clock.advance(1);
    expect(waiting.made).toEqual(offline);
  });
});

describe("What the Central System says about an identifier", () => {
  test("is remembered although the owner asked by itself [CORE-CACHE-02] [CORE-AUTH-08]", async () => {
    const site = await SlowSite.started();
    const conf = site.chargePoint.call("Authorize", { idTag: "TAG" });
    await site.clock.advance(0);
    site.answers[0]?.();
    await site.clock.advance(0);
    expect(await conf).toEqual(accepted);
    expect(site.known("TAG")).toEqual({ status: "Accepted" });
  });

  const configured = (keys: { LocalAuthListEnabled?: boolean; AuthorizationCacheEnabled?: boolean }) =>
    Configuration.load({
      store: memoryStore(),
      report,
      keys: {
        NumberOfConnectors: { value: 1 },
        SupportedFeatureProfiles: { value: ["Core", "LocalAuthListManagement"] },
        LocalAuthListMaxLength: { value: 10 },
        SendLocalListMaxLength: { value: 10 },
        AuthorizationCacheEnabled: { value: keys.AuthorizationCacheEnabled ?? true },
        LocalAuthListEnabled: { value: keys.LocalAuthListEnabled ?? true },
      },
    });
  const full = (status: "Accepted" | "Blocked"): Req<"SendLocalList"> => ({
    listVersion: 1,
    updateType: "Full",
    localAuthorizationList: [{ idTag: "TAG", idTagInfo: { status, parentIdTag: "FAMILY" } }],
  });
  const statuses = (site: Site) =>
    site.received
      .filter(([action]) => action === "StatusNotification")
      .map(([, payload]) => payload as Req<"StatusNotification">)
      .map(({ connectorId, errorCode, status }) => `${connectorId} ${status} ${errorCode}`);
  /** Asks about TAG, which the Central System accepts. */
  const ask = async (site: SlowSite) => {
    void site.chargePoint.authorize("TAG");
    await site.clock.advance(1);
    site.answers.pop()?.();
    await site.clock.advance(1);
  };
  const send = async (site: Site, req: Req<"SendLocalList">) => {
    const conf = site.centralSystem.get("CP001")?.call("SendLocalList", req);
    await site.clock.advance(1);
    return (await conf)?.status;
  };

  test.each([
    [true, ["0 Available LocalListConflict"]],
    [false, []],
  ])(
    "is a conflict with the list only where LocalAuthListEnabled is true: %s [LAL-06] [LAL-04]",
    async (LocalAuthListEnabled, told) => {
      const site = await SlowSite.started(await configured({ LocalAuthListEnabled }));
      await site.list.update(full("Blocked"));
      await ask(site);
      expect(statuses(site)).toEqual(told);
    },
  );

  test.each([
    ["list", { LocalAuthListEnabled: false }, { listed: "TAG", cached: "SISTER" }],
    ["cache", { AuthorizationCacheEnabled: false }, { listed: "SISTER", cached: "TAG" }],
  ])(
    "tells no group of the starter by a %s that does not count [LAL-04] [CORE-CACHE-08] [CORE-AUTH-09]",
    async (_, keys, { listed, cached }) => {
      const site = await SlowSite.started(await configured(keys));
      const idTagInfo = { status: "Accepted", parentIdTag: "FAMILY" } as const;
      await site.list.update({ ...full("Accepted"), localAuthorizationList: [{ idTag: listed, idTagInfo }] });
      await site.cache.update(cached, idTagInfo, site.clock.now());
      const transaction = site.chargePoint.startTransaction({ connectorId: 1, idTag: "TAG", meterStart: 0 });
      site.link.chargePoint.drop();
      await site.clock.advance(0);
      expect(await site.chargePoint.authorizeStop("SISTER", transaction)).toEqual({
        decision: "refuse",
        grounds: "other-group",
      });
    },
  );

  test("that contradicts the list is told in addition to the error of connector 0, and not again at the next acceptance [LAL-06]", async () => {
    const site = await SlowSite.started();
    await site.list.update(full("Blocked"));
    site.chargePoint.report({ connectorId: 0, status: "Faulted", errorCode: "PowerMeterFailure" });
    await ask(site);
    expect(statuses(site)).toEqual([
      "0 Faulted PowerMeterFailure",
      "0 Faulted LocalListConflict",
      "0 Faulted PowerMeterFailure",
    ]);
    site.link.chargePoint.drop();
    site.registrations.clear();
    site.chargePoint.report({ connectorId: 1, status: "Available" });
    await site.clock.advance(10_000);
    expect(statuses(site).slice(3)).toEqual(["0 Faulted PowerMeterFailure", "1 Available NoError"]);
  });

  test("no longer contradicts a list that was corrected: connector 0 is reported again [LAL-06]", async () => {
    const site = await SlowSite.started();
    await site.list.update(full("Blocked"));
    site.chargePoint.report({ connectorId: 0, status: "Available" });
    await ask(site);
    expect(statuses(site)).toEqual(["0 Available NoError", "0 Available LocalListConflict"]);
    expect(await send(site, { ...full("Accepted"), listVersion: -1 })).toBe("Failed");
    expect(statuses(site)).toHaveLength(2);
    expect(await send(site, { ...full("Accepted"), listVersion: 2 })).toBe("Accepted");
    expect(statuses(site).slice(2)).toEqual(["0 Available NoError"]);
    expect(await send(site, { ...full("Accepted"), listVersion: 3 })).toBe("Accepted");
    expect(statuses(site)).toHaveLength(3);
  });
});
