import { describe, expect, test } from "vitest";
import {
  AuthorizationCache,
  Configuration,
  LocalAuthList,
  memoryStore,
  OwnCredentials,
  type RecordStore,
  type Req,
} from "../../src/index.ts";
import { Site } from "../charge-point/site.ts";
import { damages } from "./damage.ts";

const now = Date.UTC(2026, 0, 1);
const info = { status: "Accepted", parentIdTag: "FAMILY", expiryDate: "2027-01-01T00:00:00Z" } as const;
const start = { connectorId: 1, idTag: "TAG", meterStart: 100 };
const meterValue: Req<"MeterValues">["meterValue"] = [
  { timestamp: "2026-01-01T00:00:10Z", sampledValue: [{ value: "110" }] },
];
const authorizationKey = "00".repeat(20);

const target = { url: "wss://central.example.com/ocpp", identity: "CP001" };
const nobody = () => Promise.reject(new Error("Nobody is there."));

/** What reads records of a store. */
interface Reader {
  /** Makes it write all kinds of records that it has. */
  write(store: RecordStore): Promise<void>;
  /** Reads them, and does everything with what was read. */
  use(store: RecordStore, report: (error: Error) => void): Promise<void>;
}

const configurationOf = (store: RecordStore, report: (error: Error) => void) =>
  Configuration.load({
    store,
    report,
    keys: {
      NumberOfConnectors: { value: 1 },
      MeterValuesSampledDataMaxLength: { value: 2 },
      AuthorizationKey: { value: authorizationKey },
      SecurityProfile: { value: 1 },
    },
  });

const readers: Readonly<Record<string, Reader>> = {
  "the authorization cache": {
    async write(store) {
      const cache = await AuthorizationCache.load(store, { report: unexpected });
      for (const idTag of ["A", "B"]) await cache.update(idTag, info, now);
    },
    async use(store, report) {
      const cache = await AuthorizationCache.load(store, { report });
      for (const idTag of cache.idTags) cache.lookUp(idTag, now);
      await cache.update("B", info, now);
      await cache.update("C", info, now);
      expect(cache.idTags.slice(-2)).toEqual(["B", "C"]);
      expect(await cache.clear()).toBe("Accepted");
      expect(await store.load("authorization-cache/")).toEqual([]);
    },
  },
  "the Local Authorization List": {
    async write(store) {
      const list = await LocalAuthList.load(store, { report: unexpected });
      const entries = (...idTags: string[]) => idTags.map((idTag) => ({ idTag, idTagInfo: info }));
      await list.update({ listVersion: 1, updateType: "Full", localAuthorizationList: entries("A") });
      await list.update({
        listVersion: 2,
        updateType: "Differential",
        localAuthorizationList: [...entries("B"), { idTag: "A" }],
      });
    },
    async use(store, report) {
      const list = await LocalAuthList.load(store, { report });
      for (const idTag of list.idTags) list.conflictsWith(idTag, info, now);
      expect(list.version).toSatisfy(Number.isSafeInteger);
      const localAuthorizationList = [{ idTag: "C", idTagInfo: info }];
      // Whatever version was read, a Full update is right after it.
      expect(await list.update({ listVersion: 9, updateType: "Full", localAuthorizationList })).toBe("Accepted");
      const again = await LocalAuthList.load(store, { report: unexpected });
      expect([again.version, ...again.idTags]).toEqual([9, "C"]);
    },
  },
  "the configuration": {
    async write(store) {
      const configuration = await configurationOf(store, unexpected);
      await configuration.set("HeartbeatInterval", 60);
      await configuration.set("MeterValuesSampledData", ["Energy.Active.Import.Register"]);
      await configuration.set("AuthorizeRemoteTxRequests", true);
      await configuration.set("AuthorizationKey", "11".repeat(20));
    },
    async use(store, report) {
      const configuration = await configurationOf(store, report);
      expect(configuration.getConfiguration({}).configurationKey?.length).toBeGreaterThan(0);
      expect(await configuration.changeConfiguration({ key: "HeartbeatInterval", value: "61" })).toEqual({
        status: "Accepted",
      });
      expect((await configurationOf(store, unexpected)).get("HeartbeatInterval")).toBe(61);
    },
  },
  "the credentials of a Charge Point": {
    async write(store) {
      const configuration = await configurationOf(memoryStore(), unexpected);
      const credentials = await OwnCredentials.load({ store, configuration, report: unexpected });
      for (const key of [authorizationKey, "11".repeat(20)]) {
        await configuration.set("AuthorizationKey", key);
        await expect(credentials.connect(() => nobody)(target)).rejects.toThrow(Error);
      }
    },
    async use(store, report) {
      const configuration = await configurationOf(memoryStore(), unexpected);
      const credentials = await OwnCredentials.load({ store, configuration, report });
      const tried: unknown[] = [];
      const connect = credentials.connect((credential) => {
        tried.push(credential);
        return nobody;
      });
      for (let n = 0; n < 10; n++) await expect(connect(target)).rejects.toThrow("Nobody is there.");
      expect(tried).toContainEqual({ authorizationKey, securityProfile: 1 });
    },
  },
  "what a Charge Point has to deliver": {
    async write(store) {
      const site = serving(store);
      Object.assign(site.behaviour, { reachable: false, aheadMs: 3_600_000 });
      await site.start();
      // By a clock that is found to be wrong, and meter values that are given up.
      site.chargePoint.startTransaction(start).meterValues({ meterValue });
      site.centralSystem.on("connected", ({ connection }) => {
        connection.handle("MeterValues", () => {
          throw new Error("no");
        });
      });
      site.behaviour.reachable = true;
      await site.clock.advance(1_000_000);
      site.behaviour.reachable = false;
      site.link.chargePoint.drop();
      await site.clock.advance(0);
      const transaction = site.chargePoint.startTransaction({ ...start, connectorId: 2, meterStart: 7 });
      transaction.meterValues({ meterValue });
      transaction.stop({ meterStop: 200, idTag: "OTHER", reason: "Local" });
      site.chargePoint.deliver("SecurityEventNotification", { type: "ResetOrReboot" });
      await site.chargePoint.stop();
      const kinds = new Set((await store.load("")).map(({ key }) => key.slice(0, key.indexOf("/"))));
      expect(kinds).toEqual(new Set(["clock", "outbox", "queue", "transaction"]));
    },
    async use(store, report) {
      const site = serving(store);
      site.chargePoint.on("fault", ({ error }) => report(error as Error));
      for (const interrupted of await site.chargePoint.start())
        interrupted.stop({ meterStop: 300, reason: "PowerLoss" });
      for (const deadLetter of site.chargePoint.deadLetters) deadLetter.delete();
      const transaction = site.chargePoint.startTransaction({ ...start, connectorId: 4, meterStart: 4000 });
      transaction.stop({ meterStop: 4001 });
      await site.clock.advance(1000);
      const billed = site.received.filter(([action]) => /^(?:Start|Stop)Transaction$/.test(action));
      expect(billed.slice(-2)).toMatchObject([
        ["StartTransaction", { meterStart: 4000 }],
        ["StopTransaction", { transactionId: transaction.transactionId, meterStop: 4001 }],
      ]);
      // None is stopped before it was started.
      const started = billed.findIndex(([, payload]) => (payload as Partial<Req<"StartTransaction">>).meterStart === 7);
      const stopped = billed.findIndex(([, payload]) => (payload as Partial<Req<"StopTransaction">>).meterStop === 200);
      if (started >= 0 && stopped >= 0) expect(started).toBeLessThan(stopped);
      expect(site.chargePoint.transactions).toEqual([]);
      // Nothing comes back.
      await site.chargePoint.stop();
      const left = (await store.load("")).filter(({ key }) => !key.startsWith("corrupt/"));
      expect(left).toEqual([]);
    },
  },
};

/** A Charge Point whose Central System takes everything. */
function serving(store: RecordStore): Site {
  const site = new Site({ store });
  let ids = 40;
  site.centralSystem.handle("StartTransaction", () => ({
    transactionId: ++ids,
    idTagInfo: { status: "Accepted", parentIdTag: "FAMILY" },
  }));
  site.centralSystem.handle("MeterValues", () => ({}));
  site.centralSystem.handle("StopTransaction", () => ({}));
  site.centralSystem.handle("SecurityEventNotification", () => ({}));
  return site;
}

describe.each(Object.entries(readers))("%s", { timeout: 60_000 }, (_, { use, write }) => {
  test("is read whatever one of its records has become, which is used or set aside, and told once [CORE-TXQ-16]", async () => {
    const written = memoryStore();
    await write(written);
    const records = await written.load("");
    expect(records.length).toBeGreaterThan(0);
    for (const { key, value } of records) {
      for (const damaged of damages(value)) {
        const store = memoryStore();
        for (const record of records) await store.put(record.key, record.value);
        await store.put(key, damaged);
        const reports: string[] = [];
        try {
          await use(store, ({ message }) => reports.push(message));
        } catch (cause) {
          throw new Error(`with ${damaged} as ${key}`, { cause });
        }
        // What was set aside is told of and kept as it was, and there is nothing else to tell.
        const aside = await store.load("corrupt/");
        expect(reports).toHaveLength(aside.length);
        if (reports.length > 0) expect(aside).toContainEqual({ key: `corrupt/${key}`, value: damaged });
      }
    }
  });
});

function unexpected(error: Error): never {
  throw error;
}
