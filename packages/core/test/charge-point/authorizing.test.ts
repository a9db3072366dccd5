import { describe, expect, test } from "vitest";
import {
  type Authorization,
  AuthorizationCache,
  CallError,
  Configuration,
  LocalAuthList,
  memoryStore,
  type Transaction,
} from "../../src/index.ts";
import { Site } from "./site.ts";

const start = { connectorId: 1, idTag: "TAG", meterStart: 100 };

/** A list with LISTED, a cache with CACHED, both accepted and of the group FAMILY, and an empty list and cache for others. */
async function parts() {
  const store = memoryStore();
  const report = (error: Error) => expect.unreachable(error.message);
  const localAuthList = await LocalAuthList.load(store, { report });
  const authorizationCache = await AuthorizationCache.load(store, { report, list: localAuthList });
  const idTagInfo = { status: "Accepted", parentIdTag: "FAMILY" } as const;
  await localAuthList.update({
    listVersion: 1,
    updateType: "Full",
    localAuthorizationList: [{ idTag: "LISTED", idTagInfo }],
  });
  await authorizationCache.update("CACHED", idTagInfo, Date.UTC(2026, 0, 1));
  return { localAuthList, authorizationCache };
}

/** Lets a decision be made, however long the Central System keeps it waiting. */
async function decided(site: Site, decision: Promise<Authorization>): Promise<Authorization> {
  await site.clock.advance(40_000);
  return decision;
}

const answers = {
  "with a CALLERROR": () => {
    throw new CallError("InternalError", "The database is down.");
  },
  "with SecurityError": () => {
    throw new CallError("SecurityError", "Not for you.");
  },
  "not at all": () => new Promise<never>(() => {}),
};

describe("authorize, when the Central System answers", () => {
  describe.each(Object.entries(answers))("%s", (_, answer) => {
    /** Everybody is asked about. */
    async function site(allowUnknown: boolean): Promise<Site> {
      const configuration = await Configuration.load({
        store: memoryStore(),
        report: (error) => expect.unreachable(error.message),
        keys: {
          NumberOfConnectors: { value: 1 },
          SupportedFeatureProfiles: { value: ["Core", "LocalAuthListManagement"] },
          LocalPreAuthorize: { value: false },
          LocalAuthorizeOffline: { value: true },
          AuthorizationCacheEnabled: { value: true },
          LocalAuthListEnabled: { value: true },
          LocalAuthListMaxLength: { value: 10 },
          SendLocalListMaxLength: { value: 10 },
          AllowOfflineTxForUnknownId: { value: allowUnknown },
        },
      });
      const site = new Site({ ...(await parts()), configuration });
      site.centralSystem.on("connected", ({ connection }) => connection.handle("Authorize", answer));
      await site.start();
      return site;
    }

    test("decides by what the list and the cache say, as if it was not there [J-215] [CORE-LAO-25]", async () => {
      const offline = await site(false);
      expect(await decided(offline, offline.chargePoint.authorize("LISTED"))).toMatchObject({
        decision: "accept",
        grounds: "local-list",
      });
      expect(await decided(offline, offline.chargePoint.authorize("CACHED"))).toMatchObject({
        decision: "accept",
        grounds: "cache",
      });
      expect(offline.actions.filter((action) => action === "Authorize")).toHaveLength(2);
    });

    test.each([
      [true, "accept"],
      [false, "refuse"],
    ] as const)(
      "decides on the unknown by AllowOfflineTxForUnknownId %s [J-215] [CORE-LAO-27] [CORE-LAO-28]",
      async (allowUnknown, decision) => {
        const offline = await site(allowUnknown);
        expect(await decided(offline, offline.chargePoint.authorize("UNKNOWN"))).toEqual({
          decision,
          grounds: "unknown-offline",
        });
      },
    );

    test("lets only its group stop a transaction, as far as that is known here [J-215] [CORE-AUTH-09]", async () => {
      const offline = await site(false);
      offline.centralSystem.handle("StartTransaction", () => ({
        transactionId: 1,
        idTagInfo: { status: "Accepted", parentIdTag: "FAMILY" },
      }));
      const transaction = offline.chargePoint.startTransaction(start);
      await offline.clock.advance(0);
      expect(await decided(offline, offline.chargePoint.authorizeStop("CACHED", transaction))).toMatchObject({
        decision: "accept",
      });
      expect(await decided(offline, offline.chargePoint.authorizeStop("UNKNOWN", transaction))).toEqual({
        decision: "refuse",
        grounds: "unknown-offline",
      });
    });
  });

  test("with what makes no sense, decides as if it was not there, and remembers nothing [J-215] [J-088]", async () => {
    const known = await parts();
    const site = new Site(known);
    await site.start();
    for (const payload of ['{"idTagInfo":{"status":"Whatever"}}', "{}", "null", '{"idTagInfo":null}']) {
      const decision = site.chargePoint.authorize("UNKNOWN");
      // The answer overtakes that of the Central System.
      const [, messageId] = JSON.parse(site.link.chargePoint.sent.at(-1) ?? "");
      site.link.chargePoint.inject(`[3,"${messageId}",${payload}]`);
      await site.clock.advance(0);
      expect(await decision).toEqual({ decision: "refuse", grounds: "unknown-offline" });
      expect(known.authorizationCache.lookUp("UNKNOWN", site.clock.now())).toBeUndefined();
    }
  });
});

describe("authorize, when the Central System is not to be asked", () => {
  test.each(["Pending", "Rejected"] as const)(
    "decides by what is known here while the registration is %s, and sends nothing [CORE-BOOT-09] [CORE-BOOT-12]",
    async (registration) => {
      const site = new Site(await parts());
      site.behaviour.registration = registration;
      await site.start();
      expect(await decided(site, site.chargePoint.authorize("CACHED"))).toMatchObject({ grounds: "cache" });
      expect(await decided(site, site.chargePoint.authorize("UNKNOWN"))).toMatchObject({ grounds: "unknown-offline" });
      expect(site.actions).not.toContain("Authorize");
    },
  );

  test("decides by what is known here when the connection ends before the answer [J-215]", async () => {
    const site = new Site(await parts());
    await site.start();
    const decision = site.chargePoint.authorize("UNKNOWN");
    site.link.chargePoint.drop();
    expect(await decided(site, decision)).toEqual({ decision: "refuse", grounds: "unknown-offline" });
  });
});

describe("authorize with LocalPreAuthorize and LocalAuthorizeOffline", () => {
  test.each([
    [true, false],
    [false, true],
  ])(
    "%s and %s: accepts who is known without asking as the one says online, and the other offline [CORE-LAO-03] [CORE-LAO-04] [CORE-LAO-20]",
    async (LocalPreAuthorize, LocalAuthorizeOffline) => {
      const configuration = await Configuration.load({
        store: memoryStore(),
        report: (error) => expect.unreachable(error.message),
        keys: {
          NumberOfConnectors: { value: 1 },
          LocalPreAuthorize: { value: LocalPreAuthorize },
          LocalAuthorizeOffline: { value: LocalAuthorizeOffline },
          AuthorizationCacheEnabled: { value: true },
        },
      });
      const site = new Site({ ...(await parts()), configuration });
      await site.start();
      const online = await decided(site, site.chargePoint.authorize("CACHED"));
      expect(online).toMatchObject({ decision: "accept", grounds: LocalPreAuthorize ? "cache" : "central-system" });
      expect(site.actions.includes("Authorize")).toBe(!LocalPreAuthorize);
      site.behaviour.reachable = false;
      site.link.chargePoint.drop();
      await site.clock.advance(0);
      expect(await site.chargePoint.authorize("CACHED")).toMatchObject(
        LocalAuthorizeOffline
          ? { decision: "accept", grounds: "cache" }
          : { decision: "refuse", grounds: "local-authorize-offline" },
      );
    },
  );
});

describe("authorizeStop by a member of the group", () => {
  /** A transaction of `idTag` whose StartTransaction has not been answered. */
  async function offline(idTag: string): Promise<{ readonly site: Site; readonly transaction: Transaction }> {
    const site = new Site(await parts());
    site.behaviour.reachable = false;
    await site.start();
    return { site, transaction: site.chargePoint.startTransaction({ ...start, idTag }) };
  }

  test.each([
    ["LISTED", "CACHED"],
    ["CACHED", "LISTED"],
  ])(
    "is accepted offline before the start is answered, by what is known here of %s and %s [CORE-AUTH-09] [CORE-IDT-04]",
    async (starter, member) => {
      const { site, transaction } = await offline(starter);
      expect(transaction.parentIdTag).toBeUndefined();
      expect(await site.chargePoint.authorizeStop(member, transaction)).toMatchObject({ decision: "accept" });
    },
  );

  test("is refused offline when nobody knows the group of who started it [CORE-AUTH-09]", async () => {
    const { site, transaction } = await offline("TAG");
    expect(await site.chargePoint.authorizeStop("CACHED", transaction)).toEqual({
      decision: "refuse",
      grounds: "other-group",
    });
  });

  test("goes by the group that StartTransaction.conf told, not by an older one [CORE-AUTH-09]", async () => {
    const site = new Site(await parts());
    site.centralSystem.handle("StartTransaction", () => ({
      transactionId: 1,
      idTagInfo: { status: "Accepted", parentIdTag: "NEIGHBOURS" },
    }));
    await site.start();
    const transaction = site.chargePoint.startTransaction({ ...start, idTag: "LISTED" });
    await site.clock.advance(0);
    site.link.chargePoint.drop();
    site.behaviour.reachable = false;
    await site.clock.advance(0);
    expect(await site.chargePoint.authorizeStop("CACHED", transaction)).toEqual({
      decision: "refuse",
      grounds: "other-group",
    });
  });

  test("is decided by the list where list and cache differ about who started it [CORE-CACHE-10]", async () => {
    const { localAuthList } = await parts();
    // A cache that does not know of the list keeps what is in it, too.
    const report = (error: Error) => expect.unreachable(error.message);
    const authorizationCache = await AuthorizationCache.load(memoryStore(), { report });
    for (const [idTag, parentIdTag] of [
      ["LISTED", "NEIGHBOURS"],
      ["SISTER", "FAMILY"],
    ] as const) {
      await authorizationCache.update(idTag, { status: "Accepted", parentIdTag }, Date.UTC(2026, 0, 1));
    }
    const site = new Site({ localAuthList, authorizationCache });
    site.behaviour.reachable = false;
    await site.start();
    const transaction = site.chargePoint.startTransaction({ ...start, idTag: "LISTED" });
    expect(await site.chargePoint.authorizeStop("SISTER", transaction)).toMatchObject({ decision: "accept" });
  });
});

describe("authorize and authorizeStop never reject", () => {
  const oops = new Error("oops");
  const throws = (): never => {
    throw oops;
  };
  const allowing = () =>
    Configuration.load({
      store: memoryStore(),
      report: (error) => expect.unreachable(error.message),
      keys: {
        NumberOfConnectors: { value: 1 },
        SupportedFeatureProfiles: { value: ["Core", "LocalAuthListManagement"] },
        AuthorizationCacheEnabled: { value: true },
        LocalAuthListEnabled: { value: true },
        LocalAuthListMaxLength: { value: 10 },
        SendLocalListMaxLength: { value: 10 },
        AllowOfflineTxForUnknownId: { value: true },
      },
    });

  test.each([[undefined], [null], [5], [{}], ["x".repeat(21)]])(
    "refuse %j, which Authorize.req cannot carry, and tell it, whatever AllowOfflineTxForUnknownId says",
    async (idTag) => {
      const site = new Site({ ...(await parts()), configuration: await allowing() });
      site.centralSystem.handle("StartTransaction", () => ({ transactionId: 1, idTagInfo: { status: "Accepted" } }));
      for (const isOnline of [true, false]) {
        if (isOnline) await site.start();
        else {
          site.behaviour.reachable = false;
          site.chargePoint.reconnectNow({ drop: true });
        }
        const transaction = isOnline ? site.chargePoint.startTransaction(start) : { ...start, parentIdTag: "FAMILY" };
        const { chargePoint } = site;
        for (const decision of [
          chargePoint.authorize(idTag as string),
          chargePoint.authorizeStop(idTag as string, transaction as Transaction),
        ]) {
          expect(await decided(site, decision)).toEqual({ decision: "refuse", grounds: "no-id-tag" });
        }
      }
      expect(site.actions).not.toContain("Authorize");
      const fault = { error: { name: "PayloadError", origin: "local" }, action: "Authorize" };
      expect(site.said("fault")).toMatchObject([fault, fault, fault, fault]);
    },
  );

  test.each<[string, () => unknown]>([
    ["throws", throws],
    ["rejects", () => Promise.reject(oops)],
  ])("with a cache whose `update` %s, which is told", async (_, update) => {
    const { authorizationCache } = await parts();
    Object.assign(authorizationCache, { update });
    const site = new Site({ authorizationCache });
    await site.start();
    expect(await decided(site, site.chargePoint.authorize("TAG"))).toMatchObject({ grounds: "central-system" });
    expect(site.said("fault")).toEqual([{ error: oops, action: "Authorize" }]);
  });

  test("with a list and a cache that throw whatever they are asked, which know nobody then", async () => {
    const known = await parts();
    for (const part of Object.values(known)) Object.assign(part, { lookUp: throws, conflictsWith: throws });
    const site = new Site({ ...known, configuration: await allowing() });
    await site.start();
    expect(await decided(site, site.chargePoint.authorize("TAG"))).toMatchObject({ grounds: "central-system" });
    site.behaviour.reachable = false;
    site.chargePoint.reconnectNow({ drop: true });
    const offline = { decision: "accept", grounds: "unknown-offline" };
    expect(await decided(site, site.chargePoint.authorize("TAG"))).toEqual(offline);
    expect(new Set(site.said("fault").map(({ error }) => error))).toEqual(new Set([oops]));
  });

  test("with a signal that throws", async () => {
    const site = new Site();
    await site.start();
    const signal = { aborted: false, addEventListener: throws, removeEventListener: throws };
    expect(await decided(site, site.chargePoint.authorize("TAG", { signal }))).toMatchObject({
      grounds: "central-system",
    });
  });

  test("but throw a TypeError at once where they are misused", () => {
    const { chargePoint } = new Site();
    expect(() => chargePoint.authorize("TAG", { waitMs: "5" } as never)).toThrow(TypeError);
    for (const transaction of [undefined, null, {}, 5]) {
      expect(() => chargePoint.authorizeStop("TAG", transaction as never)).toThrow(
        new TypeError("transaction is none. Give the one to be stopped."),
      );
    }
  });
});
